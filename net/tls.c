/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations for our TLS engine, and who is at the other end of a pipe. */
#include "net/tls.h"

#include <stdlib.h>
#include <string.h>

#include <mbedtls/pem.h>
#include <mbedtls/sha256.h>
#include <mbedtls/x509_crt.h>
#include <nng/nng.h>
#include <nng/supplemental/tls/tls.h>

#include "net/common.h"
#include "net/tls_engine.h"

/* Base64 with line ends, and the BEGIN and END lines. */
#define PEM_BYTES_MAX(der) ((der) / 48 * 65 + 256)

struct tls_config {
    nng_tls_config *nng;
    struct nng_tls_engine_config *engine; /* Part of `nng`. */
};

void tls_fingerprint(struct pbft_digest *out, struct pbft_bytes der)
{
    (void)mbedtls_sha256_ret(der.data, der.size, out->bytes, 0);
}

static bool is_repeated(const struct tls_setup *setup, uint32_t index)
{
    const struct pbft_bytes *ca = &setup->trusted[index];
    for (uint32_t i = 0; i < index; i++) {
        if (setup->trusted[i].size == ca->size &&
            memcmp(setup->trusted[i].data, ca->data, ca->size) == 0) {
            return true;
        }
    }
    return false;
}

/* All trusted certificates as PEM; each once. The caller frees it. */
static enum pbft_status trusted_pem(char **out, const struct tls_setup *setup,
                                    struct net_problem *problem)
{
    size_t capacity = 1;
    for (uint32_t i = 0; i < setup->trusted_count; i++) {
        size_t size = setup->trusted[i].size;
        if (size == 0 || size > NET_CA_BYTES_MAX) {
            net_problem_set(problem, "member %u: CA certificate of %zu bytes",
                            i, size);
            return PBFT_INVALID_CONFIG;
        }
        capacity += PEM_BYTES_MAX(size);
    }
    char *text = calloc(1, capacity);
    if (text == NULL) {
        return PBFT_NO_MEMORY;
    }
    size_t used = 0;
    for (uint32_t i = 0; i < setup->trusted_count; i++) {
        size_t length = 0;
        if (is_repeated(setup, i)) {
            continue;
        }
        if (mbedtls_pem_write_buffer(
                "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n",
                setup->trusted[i].data, setup->trusted[i].size,
                (unsigned char *)text + used, capacity - used, &length) != 0) {
            free(text);
            net_problem_set(problem, "member %u: bad CA certificate", i);
            return PBFT_INVALID_CONFIG;
        }
        used += length - 1; /* It counts the terminating zero. */
    }
    *out = text;
    return PBFT_OK;
}

static enum pbft_status fill(nng_tls_config *nng, const struct tls_setup *setup,
                             struct net_problem *problem)
{
    if (setup->role == TLS_DIAL) {
        size_t length = strlen(setup->server_name);
        if (length == 0 || length >= TLS_NAME_SIZE ||
            nng_tls_config_server_name(nng, setup->server_name) != 0) {
            net_problem_set(problem, "bad server name \"%.70s\"",
                            setup->server_name);
            return PBFT_INVALID_CONFIG;
        }
    }
    char *trusted = NULL;
    enum pbft_status status = trusted_pem(&trusted, setup, problem);
    if (status != PBFT_OK) {
        return status;
    }
    int error = nng_tls_config_ca_chain(nng, trusted, NULL);
    free(trusted);
    if (error != 0) {
        net_problem_set(problem, "%s", "a CA certificate does not parse");
        return PBFT_INVALID_CONFIG;
    }
    if (nng_tls_config_own_cert(nng, setup->own.certificate_pem,
                                setup->own.key_pem, NULL) != 0) {
        net_problem_set(problem, "%s",
                        "own certificate or its key does not parse");
        return PBFT_INVALID_CONFIG;
    }
    return PBFT_OK;
}

enum pbft_status tls_config_create(struct tls_config **out,
                                   const struct tls_setup *setup,
                                   struct net_problem *problem)
{
    enum pbft_status status = tls_engine_start(problem);
    if (status != PBFT_OK) {
        return status;
    }
    struct tls_config *config = calloc(1, sizeof *config);
    if (config == NULL) {
        return PBFT_NO_MEMORY;
    }
    nng_tls_mode mode =
        setup->role == TLS_ACCEPT ? NNG_TLS_MODE_SERVER : NNG_TLS_MODE_CLIENT;
    if (nng_tls_config_alloc(&config->nng, mode) != 0) {
        free(config);
        return PBFT_NO_MEMORY;
    }
    config->engine = tls_engine_last_config();
    status = fill(config->nng, setup, problem);
    if (status != PBFT_OK) {
        tls_config_destroy(config);
        return status;
    }
    *out = config;
    return PBFT_OK;
}

void tls_config_destroy(struct tls_config *config)
{
    if (config != NULL) {
        nng_tls_config_free(config->nng);
        free(config);
    }
}

void *tls_config_handle(const struct tls_config *config)
{
    return config->nng;
}

uint64_t tls_config_failures(struct tls_config *config,
                             struct net_problem *last)
{
    return tls_engine_failures(config->engine, last);
}

bool tls_stream_identity(struct nng_stream *stream, struct tls_identity *out)
{
    bool verified = false;
    memset(out, 0, sizeof *out);
    tls_engine_want_identity(out);
    int error = nng_stream_get_bool(stream, NNG_OPT_TLS_VERIFIED, &verified);
    tls_engine_want_identity(NULL);
    return error == 0 && verified && out->is_verified;
}

bool tls_is_issued_by(const struct tls_identity *identity, struct pbft_bytes ca)
{
    mbedtls_x509_crt issuer;
    uint32_t flags = 0;
    mbedtls_x509_crt_init(&issuer);
    bool is_issued =
        identity->is_verified && identity->certificates != NULL &&
        mbedtls_x509_crt_parse_der(&issuer, ca.data, ca.size) == 0 &&
        mbedtls_x509_crt_verify((mbedtls_x509_crt *)identity->certificates,
                                &issuer, NULL, NULL, &flags, NULL, NULL) == 0;
    mbedtls_x509_crt_free(&issuer);
    return is_issued;
}

static enum pbft_status check_parsed(mbedtls_x509_crt *own,
                                     mbedtls_pk_context *key,
                                     mbedtls_x509_crt *ca, const char *name,
                                     struct net_problem *problem)
{
    char reason[160];
    uint32_t flags = 0;
    if (mbedtls_pk_check_pair(&own->pk, key) != 0) {
        net_problem_set(problem, "%s",
                        "tls key belongs to another certificate");
        return PBFT_WRONG_IDENTITY;
    }
    if (mbedtls_x509_crt_verify(own, ca, NULL, name, &flags, NULL, NULL) == 0) {
        return PBFT_OK;
    }
    if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
        net_problem_set(problem,
                        "certificate for %s is not issued by the CA that the "
                        "genesis file names",
                        name);
        return PBFT_BAD_CERTIFICATE;
    }
    if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) {
        net_problem_set(problem, "certificate is not that of %s", name);
        return PBFT_WRONG_IDENTITY;
    }
    (void)mbedtls_x509_crt_verify_info(reason, sizeof reason, "", flags);
    reason[strcspn(reason, "\n")] = '\0';
    net_problem_set(problem, "certificate for %s: %s", name, reason);
    return PBFT_BAD_CERTIFICATE;
}

enum pbft_status tls_check_own(const struct net_credentials *own,
                               struct pbft_bytes ca, const char *name,
                               struct net_problem *problem)
{
    enum pbft_status status = PBFT_INVALID_CONFIG;
    mbedtls_x509_crt certificate;
    mbedtls_x509_crt issuer;
    mbedtls_pk_context key;
    mbedtls_x509_crt_init(&certificate);
    mbedtls_x509_crt_init(&issuer);
    mbedtls_pk_init(&key);
    if (own->certificate_pem == NULL ||
        mbedtls_x509_crt_parse(&certificate,
                               (const unsigned char *)own->certificate_pem,
                               strlen(own->certificate_pem) + 1) != 0) {
        net_problem_set(problem, "%s", "tls certificate is not PEM");
    } else if (own->key_pem == NULL ||
               mbedtls_pk_parse_key(&key, (const unsigned char *)own->key_pem,
                                    strlen(own->key_pem) + 1, NULL, 0) != 0) {
        net_problem_set(problem, "%s", "tls key is not PEM");
    } else if (mbedtls_x509_crt_parse_der(&issuer, ca.data, ca.size) != 0) {
        net_problem_set(problem, "%s", "member's CA certificate is not DER");
    } else {
        status = check_parsed(&certificate, &key, &issuer, name, problem);
    }
    mbedtls_pk_free(&key);
    mbedtls_x509_crt_free(&issuer);
    mbedtls_x509_crt_free(&certificate);
    return status;
}
