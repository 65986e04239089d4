/* SPDX-License-Identifier: Apache-2.0 */
/* What net/tls.c and net/tls_engine.c share. */
#ifndef NET_TLS_ENGINE_H
#define NET_TLS_ENGINE_H

#include "net/tls.h"

/* The engine's part of an NNG TLS configuration. */
struct nng_tls_engine_config;

/* Puts our engine in place; once per process, later calls do nothing. */
PBFT_MUST_USE enum pbft_status tls_engine_start(struct net_problem *problem);

/* The engine's part of the configuration that this thread made last. */
struct nng_tls_engine_config *tls_engine_last_config(void);

uint64_t tls_engine_failures(struct nng_tls_engine_config *config,
                             struct net_problem *last);

/* Until it is called with NULL: where the engine writes the identity when NNG
 * asks it, on this thread, whether a connection is verified. */
void tls_engine_want_identity(struct tls_identity *out);

/* Names of an mbedTLS error. */
void tls_error_text(char *out, size_t size, int error);

#endif /* NET_TLS_ENGINE_H */
