/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's configurations: what every TLS connection of ours insists on. */
#include "net/tls_engine_private.h"

#include <stdio.h>
#include <string.h>

#include "net/common.h"

/* ChaCha20-Poly1305 first: by libsodium (crypto/tls_aead.h) it is several times
 * as fast as AES-GCM by mbedTLS, and a third faster by mbedTLS itself. */
static const int suites[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    0,
};

static _Thread_local struct nng_tls_engine_config *last_config;

static int config_init(nng_tls_engine_config *config, nng_tls_mode mode)
{
    config->is_client = mode == NNG_TLS_MODE_CLIENT;
    mbedtls_ssl_config_init(&config->ssl);
    mbedtls_x509_crt_init(&config->trusted);
    mbedtls_x509_crt_init(&config->own);
    mbedtls_pk_init(&config->key);
    int error = mbedtls_ssl_config_defaults(
        &config->ssl,
        config->is_client ? MBEDTLS_SSL_IS_CLIENT : MBEDTLS_SSL_IS_SERVER,
        MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
    if (error != 0) {
        mbedtls_ssl_config_free(&config->ssl);
        return NNG_ENOMEM;
    }
    mbedtls_ssl_conf_min_version(&config->ssl, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(&config->ssl, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_authmode(&config->ssl, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ciphersuites(&config->ssl, suites);
    mbedtls_ssl_conf_renegotiation(&config->ssl,
                                   MBEDTLS_SSL_RENEGOTIATION_DISABLED);
    mbedtls_ssl_conf_rng(&config->ssl, tls_engine_random, NULL);
    if (config->is_client) {
        mbedtls_ssl_conf_session_tickets(&config->ssl,
                                         MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
    }
    (void)pthread_mutex_init(&config->handshake, NULL);
    (void)pthread_mutex_init(&config->lock, NULL);
    last_config = config;
    return 0;
}

static void config_fini(nng_tls_engine_config *config)
{
    mbedtls_ssl_config_free(&config->ssl);
    mbedtls_pk_free(&config->key); /* Wipes it. */
    mbedtls_x509_crt_free(&config->own);
    mbedtls_x509_crt_free(&config->trusted);
    (void)pthread_mutex_destroy(&config->handshake);
    (void)pthread_mutex_destroy(&config->lock);
}

static int config_server(nng_tls_engine_config *config, const char *name)
{
    /* NNG sets the host part of a URL first, which may be longer. */
    (void)snprintf(config->server_name, sizeof config->server_name, "%s",
                   name != NULL ? name : "");
    return 0;
}

/* NNG itself asks for less while it makes a listener; it gets "required". */
static int config_auth(nng_tls_engine_config *config, nng_tls_auth_mode mode)
{
    (void)config;
    (void)mode;
    return 0;
}

static int config_ca_chain(nng_tls_engine_config *config, const char *certs,
                           const char *crl)
{
    if (crl != NULL) {
        return NNG_ENOTSUP;
    }
    int error = mbedtls_x509_crt_parse(
        &config->trusted, (const unsigned char *)certs, strlen(certs) + 1);
    if (error != 0) {
        return NNG_ECRYPTO;
    }
    mbedtls_ssl_conf_ca_chain(&config->ssl, &config->trusted, NULL);
    return 0;
}

static int config_own_cert(nng_tls_engine_config *config, const char *cert,
                           const char *key, const char *password)
{
    if (password != NULL) {
        return NNG_ENOTSUP;
    }
    if (mbedtls_x509_crt_parse(&config->own, (const unsigned char *)cert,
                               strlen(cert) + 1) != 0 ||
        mbedtls_pk_parse_key(&config->key, (const unsigned char *)key,
                             strlen(key) + 1, NULL, 0) != 0 ||
        mbedtls_ssl_conf_own_cert(&config->ssl, &config->own, &config->key) !=
            0) {
        return NNG_ECRYPTO;
    }
    return 0;
}

static int config_version(nng_tls_engine_config *config, nng_tls_version low,
                          nng_tls_version high)
{
    (void)config;
    return low <= NNG_TLS_1_2 && high >= NNG_TLS_1_2 ? 0 : NNG_ENOTSUP;
}

nng_tls_engine_config_ops tls_engine_config_operations = {
    .size = sizeof(struct nng_tls_engine_config),
    .init = config_init,
    .fini = config_fini,
    .server = config_server,
    .auth = config_auth,
    .ca_chain = config_ca_chain,
    .own_cert = config_own_cert,
    .version = config_version,
};

struct nng_tls_engine_config *tls_engine_last_config(void)
{
    return last_config;
}

uint64_t tls_engine_failures(struct nng_tls_engine_config *config,
                             struct net_problem *last)
{
    (void)pthread_mutex_lock(&config->lock);
    uint64_t failures = config->failures;
    *last = config->last;
    (void)pthread_mutex_unlock(&config->lock);
    return failures;
}
