/* SPDX-License-Identifier: Apache-2.0 */
/* What net/tls_engine*.c share. */
#ifndef NET_TLS_ENGINE_PRIVATE_H
#define NET_TLS_ENGINE_PRIVATE_H

#include <pthread.h>

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <nng/nng.h>
#include <nng/supplemental/tls/engine.h>

#include "net/tls_engine.h"

struct nng_tls_engine_config {
    mbedtls_ssl_config ssl;
    mbedtls_x509_crt trusted;
    mbedtls_x509_crt own;
    mbedtls_pk_context key;
    char server_name[TLS_NAME_SIZE];
    bool is_client;
    /* Handshakes of one configuration go one step at a time: mbedTLS fills in
     * tables of the shared keys while it computes with them. */
    pthread_mutex_t handshake;
    pthread_mutex_t lock; /* Guards the rest. */
    uint64_t failures;
    struct net_problem last;
};

extern nng_tls_engine_config_ops tls_engine_config_operations;

/* For mbedTLS; safe from any thread once the engine has started. */
int tls_engine_random(void *context, unsigned char *out, size_t size);

#endif /* NET_TLS_ENGINE_PRIVATE_H */
