/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS engine: mbedTLS behind NNG's table of functions. */
#include "net/tls.h"

#include <mbedtls/debug.h>
#include <mbedtls/error.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <nng/nng.h>
#include <nng/supplemental/tls/engine.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"
#include "net/tls_private.h"

struct nng_tls_engine_config {
    mbedtls_ssl_config conf;
    mbedtls_x509_crt trusted;
    mbedtls_x509_crt own;
    mbedtls_pk_context key;
    char *server_name; /* Dialers: whom we want to meet. */
};

struct nng_tls_engine_conn {
    mbedtls_ssl_context ssl;
    void *stream;
    bool is_ready; /* The handshake is over. */
};

/* Forward secrecy and ECDSA certificates only. ChaCha20 first: the faster one
 * in mbedTLS (docs/wire.md). */
static const int ciphers[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0};

static pthread_mutex_t problem_lock = PTHREAD_MUTEX_INITIALIZER;
static struct net_problem last_problem;

static _Thread_local const mbedtls_x509_crt *seen_certificate;

const void *tls_seen_certificate(void)
{
    const void *certificate = seen_certificate;

    seen_certificate = NULL;
    return certificate;
}

void tls_note_problem(const char *what, int error)
{
    char text[128];

    mbedtls_strerror(error, text, sizeof(text));
    (void)pthread_mutex_lock(&problem_lock);
    (void)snprintf(last_problem.text, sizeof(last_problem.text), "%s: %s", what,
                   text);
    (void)pthread_mutex_unlock(&problem_lock);
}

void tls_last_problem(struct net_problem *problem)
{
    (void)pthread_mutex_lock(&problem_lock);
    *problem = last_problem;
    (void)pthread_mutex_unlock(&problem_lock);
}

static int draw_random(void *context, unsigned char *out, size_t size)
{
    (void)context;
    random_fill(out, size);
    return 0;
}

/* ---- configurations ------------------------------------------------------ */

static int config_init(nng_tls_engine_config *config, nng_tls_mode mode)
{
    mbedtls_ssl_config_init(&config->conf);
    mbedtls_x509_crt_init(&config->trusted);
    mbedtls_x509_crt_init(&config->own);
    mbedtls_pk_init(&config->key);
    if (mbedtls_ssl_config_defaults(
            &config->conf,
            mode == NNG_TLS_MODE_SERVER ? MBEDTLS_SSL_IS_SERVER
                                        : MBEDTLS_SSL_IS_CLIENT,
            MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
        return NNG_ENOMEM;
    }
    mbedtls_ssl_conf_rng(&config->conf, draw_random, NULL);
    mbedtls_ssl_conf_ciphersuites(&config->conf, ciphers);
    mbedtls_ssl_conf_min_version(&config->conf, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_3);
    /* Mutual, whatever is asked for later. */
    mbedtls_ssl_conf_authmode(&config->conf, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_renegotiation(&config->conf,
                                   MBEDTLS_SSL_RENEGOTIATION_DISABLED);
    return 0;
}

static void config_fini(nng_tls_engine_config *config)
{
    mbedtls_ssl_config_free(&config->conf);
    mbedtls_x509_crt_free(&config->trusted);
    mbedtls_x509_crt_free(&config->own);
    mbedtls_pk_free(&config->key);
    free(config->server_name);
}

static int config_server(nng_tls_engine_config *config, const char *name)
{
    free(config->server_name);
    config->server_name = strdup(name);
    return config->server_name == NULL ? NNG_ENOMEM : 0;
}

static int config_auth(nng_tls_engine_config *config, nng_tls_auth_mode mode)
{
    (void)config;
    return mode == NNG_TLS_AUTH_MODE_REQUIRED ? 0 : NNG_ENOTSUP;
}

static int config_ca_chain(nng_tls_engine_config *config, const char *pem,
                           const char *crl)
{
    (void)crl;
    if (mbedtls_x509_crt_parse(&config->trusted, (const unsigned char *)pem,
                               strlen(pem) + 1) != 0) {
        return NNG_ECRYPTO;
    }
    mbedtls_ssl_conf_ca_chain(&config->conf, &config->trusted, NULL);
    return 0;
}

static int config_own_cert(nng_tls_engine_config *config, const char *cert,
                           const char *key, const char *password)
{
    (void)password;
    if (mbedtls_x509_crt_parse(&config->own, (const unsigned char *)cert,
                               strlen(cert) + 1) != 0 ||
        mbedtls_pk_parse_key(&config->key, (const unsigned char *)key,
                             strlen(key) + 1, NULL, 0) != 0 ||
        mbedtls_ssl_conf_own_cert(&config->conf, &config->own, &config->key) !=
            0) {
        return NNG_ECRYPTO;
    }
    return 0;
}

static int config_version(nng_tls_engine_config *config, nng_tls_version min,
                          nng_tls_version max)
{
    (void)config;
    return min <= NNG_TLS_1_2 && max >= NNG_TLS_1_2 ? 0 : NNG_ENOTSUP;
}

/* ---- connections --------------------------------------------------------- */

static int bio_send(void *stream, const unsigned char *data, size_t size)
{
    size_t sent = size;
    int result = nng_tls_engine_send(stream, data, &sent);

    if (result == 0) {
        return (int)sent;
    }
    return result == NNG_EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE
                                : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int bio_recv(void *stream, unsigned char *data, size_t size)
{
    size_t received = size;
    int result = nng_tls_engine_recv(stream, data, &received);

    if (result == 0) {
        return (int)received;
    }
    return result == NNG_EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ
                                : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int conn_init(nng_tls_engine_conn *conn, void *stream,
                     nng_tls_engine_config *config)
{
    mbedtls_ssl_init(&conn->ssl);
    conn->stream = stream;
    mbedtls_ssl_set_bio(&conn->ssl, stream, bio_send, bio_recv, NULL);
    if (mbedtls_ssl_setup(&conn->ssl, &config->conf) != 0 ||
        (config->server_name != NULL &&
         mbedtls_ssl_set_hostname(&conn->ssl, config->server_name) != 0)) {
        mbedtls_ssl_free(&conn->ssl);
        return NNG_ENOMEM;
    }
    return 0;
}

static void conn_fini(nng_tls_engine_conn *conn)
{
    mbedtls_ssl_free(&conn->ssl);
}

static void conn_close(nng_tls_engine_conn *conn)
{
    (void)mbedtls_ssl_close_notify(&conn->ssl);
}

static int to_nng(const char *what, int error)
{
    switch (error) {
    case MBEDTLS_ERR_SSL_WANT_READ:
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return NNG_EAGAIN;
    case MBEDTLS_ERR_SSL_CONN_EOF:
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return NNG_ECONNSHUT;
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
    case MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE:
        tls_note_problem(what, error);
        return NNG_EPEERAUTH;
    default:
        tls_note_problem(what, error);
        return NNG_ECRYPTO;
    }
}

static int conn_handshake(nng_tls_engine_conn *conn)
{
    int result = mbedtls_ssl_handshake(&conn->ssl);

    if (result != 0) {
        return to_nng("TLS handshake", result);
    }
    conn->is_ready = true;
    return 0;
}

static int conn_recv(nng_tls_engine_conn *conn, uint8_t *data, size_t *size)
{
    int result = mbedtls_ssl_read(&conn->ssl, data, *size);

    if (result > 0) {
        *size = (size_t)result;
        return 0;
    }
    return result == 0 ? NNG_ECONNSHUT : to_nng("TLS", result);
}

static int conn_send(nng_tls_engine_conn *conn, const uint8_t *data,
                     size_t *size)
{
    int result = mbedtls_ssl_write(&conn->ssl, data, *size);

    if (result < 0) {
        return to_nng("TLS", result);
    }
    *size = (size_t)result;
    return 0;
}

/* NNG calls this synchronously within nng_pipe_get_bool(): the one way to hand
 * the certificate of this connection to the thread that asks. */
static bool conn_verified(nng_tls_engine_conn *conn)
{
    seen_certificate =
        conn->is_ready ? mbedtls_ssl_get_peer_cert(&conn->ssl) : NULL;
    return seen_certificate != NULL;
}

static nng_tls_engine_config_ops config_ops = {
    .size = sizeof(struct nng_tls_engine_config),
    .init = config_init,
    .fini = config_fini,
    .server = config_server,
    .auth = config_auth,
    .ca_chain = config_ca_chain,
    .own_cert = config_own_cert,
    .version = config_version};

static nng_tls_engine_conn_ops conn_ops = {
    .size = sizeof(struct nng_tls_engine_conn),
    .init = conn_init,
    .fini = conn_fini,
    .close = conn_close,
    .handshake = conn_handshake,
    .recv = conn_recv,
    .send = conn_send,
    .verified = conn_verified};

static const nng_tls_engine engine = {.version = NNG_TLS_ENGINE_VERSION,
                                      .config_ops = &config_ops,
                                      .conn_ops = &conn_ops,
                                      .name = "salus",
                                      .description = "mbedTLS, with identity"};

static pthread_once_t install_once = PTHREAD_ONCE_INIT;
static int install_result;

/* NNG must be up before an engine is registered, or it registers its own over
 * ours at its first use. */
static void install(void)
{
    nng_aio *aio = NULL;

    install_result = nng_aio_alloc(&aio, NULL, NULL);
    if (install_result == 0) {
        nng_aio_free(aio);
        install_result = nng_tls_engine_register(&engine);
    }
}

enum pbft_status tls_engine_install(void)
{
    (void)pthread_once(&install_once, install);
    return install_result == 0 ? PBFT_OK : PBFT_IO;
}
