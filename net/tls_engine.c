/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS engine that NNG calls: its connections.
 *
 * NNG calls the operations of one connection under that connection's lock, from
 * any of its threads; several connections share a configuration.
 */
#include "net/tls_engine_private.h"

#include <stdio.h>
#include <string.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>

#include "crypto/tls_aead.h"
#include "net/common.h"

struct nng_tls_engine_conn {
    void *stream; /* NNG's connection, to be handed back to it. */
    struct nng_tls_engine_config *config; /* NULL: never initialised. */
    mbedtls_ssl_context ssl;
    bool handshake_ended;
    bool handshake_failed;
    bool closed;
    struct tls_identity identity;
};

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_source; /* Has its own lock. */
static pthread_once_t start_once = PTHREAD_ONCE_INIT;
static int start_error;
static enum pbft_status cipher_status;
static _Thread_local struct tls_identity *wanted_identity;

void tls_error_text(char *out, size_t size, int error)
{
    mbedtls_strerror(error, out, size);
}

int tls_engine_random(void *context, unsigned char *out, size_t size)
{
    (void)context;
    return mbedtls_ctr_drbg_random(&random_source, out, size);
}

/* ---- connections --------------------------------------------------------- */

/* mbedTLS calls this from the trusted root downwards: the first certificate is
 * the CA that vouches for the peer. At depth 0 it would be the peer's own,
 * which then is trusted as such and has no issuer. */
static int note_issuer(void *context, mbedtls_x509_crt *certificate, int depth,
                       uint32_t *flags)
{
    struct tls_identity *identity = context;
    (void)flags;
    if (!identity->is_verified && depth > 0) {
        struct pbft_bytes der = {certificate->raw.p, certificate->raw.len};
        tls_fingerprint(&identity->issuer, der);
        identity->is_verified = true; /* Or the handshake fails. */
    }
    return 0;
}

static int bio_send(void *stream, const unsigned char *data, size_t size)
{
    size_t count = size;
    int error = nng_tls_engine_send(stream, data, &count);
    if (error == 0) {
        return (int)count;
    }
    return error == NNG_EAGAIN ? MBEDTLS_ERR_SSL_WANT_WRITE
                               : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int bio_receive(void *stream, unsigned char *data, size_t size)
{
    size_t count = size;
    int error = nng_tls_engine_recv(stream, data, &count);
    if (error == 0) {
        return (int)count;
    }
    return error == NNG_EAGAIN ? MBEDTLS_ERR_SSL_WANT_READ
                               : MBEDTLS_ERR_SSL_CONN_EOF;
}

static int connection_init(nng_tls_engine_conn *connection, void *stream,
                           nng_tls_engine_config *config)
{
    connection->stream = stream;
    connection->config = config;
    mbedtls_ssl_init(&connection->ssl);
    mbedtls_ssl_set_bio(&connection->ssl, stream, bio_send, bio_receive, NULL);
    if (mbedtls_ssl_setup(&connection->ssl, &config->ssl) != 0) {
        return NNG_ENOMEM;
    }
    mbedtls_ssl_set_verify(&connection->ssl, note_issuer,
                           &connection->identity);
    if (config->is_client) {
        if (config->server_name[0] == '\0') {
            return NNG_EPEERAUTH; /* Else any certificate of the CA would do. */
        }
        if (mbedtls_ssl_set_hostname(&connection->ssl, config->server_name) !=
            0) {
            return NNG_ENOMEM;
        }
    }
    return 0;
}

/* Also called for connections that were never initialised: all zero. */
static void connection_fini(nng_tls_engine_conn *connection)
{
    if (connection->config != NULL) {
        mbedtls_ssl_free(&connection->ssl);
    }
}

/* NNG ends the operations that wait, and forgets that it is closed: it would
 * let later ones wait for ever. */
static void connection_close(nng_tls_engine_conn *connection)
{
    connection->closed = true;
    if (connection->config != NULL) {
        (void)mbedtls_ssl_close_notify(&connection->ssl); /* If it can. */
    }
}

static void handshake_failed(nng_tls_engine_conn *connection, int error)
{
    struct nng_tls_engine_config *config = connection->config;
    char reason[128];
    uint32_t flags = mbedtls_ssl_get_verify_result(&connection->ssl);
    (void)pthread_mutex_lock(&config->lock);
    config->failures++;
    if (error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && flags != UINT32_MAX) {
        (void)mbedtls_x509_crt_verify_info(reason, sizeof reason, "", flags);
        reason[strcspn(reason, "\n")] = '\0';
    } else if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        (void)snprintf(reason, sizeof reason, "%s",
                       "the peer refused our certificate or protocol");
    } else {
        tls_error_text(reason, sizeof reason, error);
    }
    net_problem_set(&config->last, "tls handshake%s%s failed: %s",
                    config->is_client ? " with " : "",
                    config->is_client ? config->server_name : "", reason);
    (void)pthread_mutex_unlock(&config->lock);
}

/* What a DNS name may have in it. Others are nobody's, and come from strangers:
 * they do not belong into a journal. */
static bool is_dns_name(const unsigned char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = text[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '-' &&
            c != '_' && c != '*') {
            return false;
        }
    }
    return size > 0 && size < TLS_NAME_SIZE;
}

static void note_names(struct tls_identity *identity,
                       const mbedtls_x509_crt *certificate)
{
    const mbedtls_x509_sequence *name = &certificate->subject_alt_names;
    for (; name != NULL && identity->name_count < TLS_NAMES_MAX;
         name = name->next) {
        bool is_dns = (name->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK) ==
                      MBEDTLS_X509_SAN_DNS_NAME;
        if (!is_dns || name->buf.p == NULL ||
            !is_dns_name(name->buf.p, name->buf.len)) {
            continue;
        }
        char *out = identity->names[identity->name_count++];
        memcpy(out, name->buf.p, name->buf.len);
        out[name->buf.len] = '\0';
    }
}

static int connection_handshake(nng_tls_engine_conn *connection)
{
    if (connection->closed) {
        return NNG_ECLOSED;
    }
    if (connection->handshake_ended || connection->handshake_failed) {
        return connection->handshake_ended ? 0 : NNG_EPEERAUTH;
    }
    struct nng_tls_engine_config *config = connection->config;
    (void)pthread_mutex_lock(&config->handshake);
    int error = mbedtls_ssl_handshake(&connection->ssl);
    (void)pthread_mutex_unlock(&config->handshake);
    if (error == MBEDTLS_ERR_SSL_WANT_READ ||
        error == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return NNG_EAGAIN;
    }
    connection->handshake_ended = error == 0;
    connection->handshake_failed = error != 0;
    if (error != 0) {
        handshake_failed(connection, error);
        connection->identity.is_verified = false;
        return NNG_EPEERAUTH;
    }
    const mbedtls_x509_crt *certificate =
        mbedtls_ssl_get_peer_cert(&connection->ssl);
    if (certificate != NULL) {
        connection->identity.certificates = certificate;
        note_names(&connection->identity, certificate);
    }
    return 0;
}

static int result_of(int count, size_t *size)
{
    if (count > 0) {
        *size = (size_t)count;
        return 0;
    }
    switch (count) {
    case MBEDTLS_ERR_SSL_WANT_READ:
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return NNG_EAGAIN;
    case 0:
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return NNG_ECLOSED;
    default:
        return NNG_ECRYPTO;
    }
}

static int connection_receive(nng_tls_engine_conn *connection, uint8_t *data,
                              size_t *size)
{
    int error = connection_handshake(connection); /* Unless it is over. */
    if (error != 0) {
        return error;
    }
    return result_of(mbedtls_ssl_read(&connection->ssl, data, *size), size);
}

static int connection_send(nng_tls_engine_conn *connection, const uint8_t *data,
                           size_t *size)
{
    int error = connection_handshake(connection);
    if (error != 0) {
        return error;
    }
    return result_of(mbedtls_ssl_write(&connection->ssl, data, *size), size);
}

static bool connection_verified(nng_tls_engine_conn *connection)
{
    bool verified = connection->handshake_ended &&
                    connection->identity.is_verified &&
                    mbedtls_ssl_get_verify_result(&connection->ssl) == 0;
    if (wanted_identity != NULL) {
        *wanted_identity = connection->identity;
        wanted_identity->is_verified = verified;
    }
    return verified;
}

/* ---- the engine ---------------------------------------------------------- */

static nng_tls_engine_conn_ops connection_operations = {
    .size = sizeof(struct nng_tls_engine_conn),
    .init = connection_init,
    .fini = connection_fini,
    .close = connection_close,
    .handshake = connection_handshake,
    .recv = connection_receive,
    .send = connection_send,
    .verified = connection_verified,
};

static const nng_tls_engine engine = {
    .version = NNG_TLS_ENGINE_VERSION,
    .config_ops = &tls_engine_config_operations,
    .conn_ops = &connection_operations,
    .name = "salus",
    .description = "mutual TLS 1.2 with identities, on mbed TLS",
    .fips_mode = false,
};

static void start(void)
{
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random_source);
    start_error = mbedtls_ctr_drbg_seed(&random_source, mbedtls_entropy_func,
                                        &entropy, NULL, 0);
    cipher_status = tls_aead_check();
    if (start_error == 0 && cipher_status == PBFT_OK) {
        /* The first call into NNG installs its own engine; ours comes after. */
        (void)nng_tls_engine_name();
        start_error = nng_tls_engine_register(&engine);
    }
}

enum pbft_status tls_engine_start(struct net_problem *problem)
{
    (void)pthread_once(&start_once, start);
    if (start_error != 0) {
        net_problem_set(problem, "%s", "no source of randomness for tls");
        return PBFT_IO;
    }
    if (cipher_status != PBFT_OK) {
        net_problem_set(
            problem, "%s",
            "the cipher of tls gives other bytes than RFC 8439: build "
            "salus again with the mbedTLS of this machine");
    }
    return cipher_status;
}

void tls_engine_want_identity(struct tls_identity *out)
{
    wanted_identity = out;
}
