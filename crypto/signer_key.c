/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of signers. ECDSA signatures come as two numbers of fixed length, and
 * mbedTLS wants them in DER. */
#include "crypto/signer_key.h"

#include <mbedtls/asn1write.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>
#include <mbedtls/pem.h>
#include <mbedtls/pk.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/fail.h"
#include "crypto/sign.h"
#include "crypto/x509_private.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 4096
#define HALF_MAX 48 /* Of an ECDSA signature: P-384. */
#define DER_MAX (2 * (HALF_MAX + 3) + 4)
#define SECONDS_PER_DAY 86400
#define PEM_BEGIN "-----BEGIN PUBLIC KEY-----"
#define PEM_END "-----END PUBLIC KEY-----"

enum key_kind { KEY_RSA = 1, KEY_P256, KEY_P384, KEY_ED25519 };

struct signer_key {
    enum key_kind kind;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context pk;
    struct pbft_public_key ed25519;
    bool has_certificate;
    int64_t from_s;
    int64_t to_s;
};

struct algorithm {
    const char *name;
    enum key_kind kind;
    mbedtls_md_type_t md;
    bool pss;
};

static const struct algorithm algorithms[] = {
    {"RS256", KEY_RSA, MBEDTLS_MD_SHA256, false},
    {"RS384", KEY_RSA, MBEDTLS_MD_SHA384, false},
    {"RS512", KEY_RSA, MBEDTLS_MD_SHA512, false},
    {"PS256", KEY_RSA, MBEDTLS_MD_SHA256, true},
    {"PS384", KEY_RSA, MBEDTLS_MD_SHA384, true},
    {"PS512", KEY_RSA, MBEDTLS_MD_SHA512, true},
    {"ES256", KEY_P256, MBEDTLS_MD_SHA256, false},
    {"ES384", KEY_P384, MBEDTLS_MD_SHA384, false},
    {"EdDSA", KEY_ED25519, MBEDTLS_MD_NONE, false}};

static const struct algorithm *find_algorithm(const char *name)
{
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (strcmp(algorithms[i].name, name) == 0) {
            return &algorithms[i];
        }
    }
    return NULL;
}

bool signer_algorithm_is_known(const char *name)
{
    return find_algorithm(name) != NULL;
}

/* ---- keys ---------------------------------------------------------------- */

/* RFC 8410: a fixed head, then the key. mbedTLS does not know it. */
static bool parse_ed25519(struct signer_key *key, const char *pem)
{
    static const uint8_t head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                   0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    mbedtls_pem_context context;
    size_t used = 0;
    bool done = false;

    mbedtls_pem_init(&context);
    if (mbedtls_pem_read_buffer(&context, PEM_BEGIN, PEM_END,
                                (const unsigned char *)pem, NULL, 0,
                                &used) == 0 &&
        context.buflen == sizeof head + sizeof key->ed25519.bytes &&
        memcmp(context.buf, head, sizeof head) == 0) {
        memcpy(key->ed25519.bytes, context.buf + sizeof head,
               sizeof key->ed25519.bytes);
        key->kind = KEY_ED25519;
        done = sign_is_valid_key(&key->ed25519);
    }
    mbedtls_pem_free(&context);
    return done;
}

static bool take_kind(struct signer_key *key, const mbedtls_pk_context *pk)
{
    if (mbedtls_pk_get_type(pk) == MBEDTLS_PK_RSA) {
        size_t bits = mbedtls_pk_get_bitlen(pk);
        key->kind = KEY_RSA;
        return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
    }
    if (mbedtls_pk_get_type(pk) != MBEDTLS_PK_ECKEY) {
        return false;
    }
    mbedtls_ecp_group_id group = mbedtls_pk_ec(*pk)->grp.id;
    key->kind = group == MBEDTLS_ECP_DP_SECP256R1 ? KEY_P256 : KEY_P384;
    return group == MBEDTLS_ECP_DP_SECP256R1 ||
           group == MBEDTLS_ECP_DP_SECP384R1;
}

static int64_t seconds_of(const mbedtls_x509_time *time)
{
    const struct x509_date date = {(unsigned)time->year, (unsigned)time->mon,
                                   (unsigned)time->day};

    return x509_days_of(&date) * SECONDS_PER_DAY + (int64_t)time->hour * 3600 +
           (int64_t)time->min * 60 + time->sec;
}

static bool parse(struct signer_key *key, const char *pem)
{
    const unsigned char *bytes = (const unsigned char *)pem;
    size_t size = strlen(pem) + 1;

    if (mbedtls_x509_crt_parse(&key->certificate, bytes, size) == 0) {
        key->has_certificate = true;
        key->from_s = seconds_of(&key->certificate.valid_from);
        key->to_s = seconds_of(&key->certificate.valid_to);
        return take_kind(key, &key->certificate.pk);
    }
    if (mbedtls_pk_parse_public_key(&key->pk, bytes, size) == 0) {
        return take_kind(key, &key->pk);
    }
    return parse_ed25519(key, pem);
}

enum pbft_status signer_key_parse(struct signer_key **out, const char *pem,
                                  struct salus_reason *reason)
{
    struct signer_key *key = calloc(1, sizeof *key);

    *out = NULL;
    if (key == NULL) {
        return PBFT_NO_MEMORY;
    }
    mbedtls_x509_crt_init(&key->certificate);
    mbedtls_pk_init(&key->pk);
    if (!parse(key, pem)) {
        signer_key_free(key);
        return crypto_fail(reason, PBFT_MALFORMED,
                           "neither a certificate nor a public key in PEM: "
                           "RSA from 2048 bits, P-256, P-384 or Ed25519");
    }
    *out = key;
    return PBFT_OK;
}

void signer_key_free(struct signer_key *key)
{
    if (key != NULL) {
        mbedtls_x509_crt_free(&key->certificate);
        mbedtls_pk_free(&key->pk);
        free(key);
    }
}

bool signer_key_is_valid_at(const struct signer_key *key, int64_t at_s)
{
    return !key->has_certificate || (key->from_s <= at_s && at_s <= key->to_s);
}

/* ---- signatures ---------------------------------------------------------- */

/* r | s, each as long as the curve, to SEQUENCE { INTEGER r, INTEGER s }. */
static bool write_der(uint8_t out[DER_MAX], size_t *size,
                      struct pbft_bytes signature)
{
    unsigned char *at = out + DER_MAX;
    mbedtls_mpi r;
    mbedtls_mpi s;
    size_t half = signature.size / 2;
    int total = 0;

    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    bool done = mbedtls_mpi_read_binary(&r, signature.data, half) == 0 &&
                mbedtls_mpi_read_binary(&s, signature.data + half, half) == 0;
    int written = done ? mbedtls_asn1_write_mpi(&at, out, &s) : -1;
    total += written;
    done = done && written > 0;
    written = done ? mbedtls_asn1_write_mpi(&at, out, &r) : -1;
    total += written;
    done = done && written > 0;
    written = done ? mbedtls_asn1_write_len(&at, out, (size_t)total) : -1;
    total += written;
    done = done && written > 0;
    written =
        done ? mbedtls_asn1_write_tag(
                   &at, out, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)
             : -1;
    total += written;
    done = done && written > 0;
    mbedtls_mpi_free(&r);
    mbedtls_mpi_free(&s);
    if (done) {
        *size = (size_t)total;
        memmove(out, at, *size);
    }
    return done;
}

static bool verify_ecdsa(mbedtls_pk_context *pk,
                         const struct algorithm *algorithm, const uint8_t *hash,
                         size_t hash_size, struct pbft_bytes signature)
{
    uint8_t der[DER_MAX];
    size_t size = 0;
    size_t half = algorithm->kind == KEY_P256 ? 32 : HALF_MAX;

    return signature.size == 2 * half && write_der(der, &size, signature) &&
           mbedtls_pk_verify(pk, algorithm->md, hash, hash_size, der, size) ==
               0;
}

static bool verify_rsa(mbedtls_pk_context *pk,
                       const struct algorithm *algorithm, const uint8_t *hash,
                       size_t hash_size, struct pbft_bytes signature)
{
    /* RFC 7518, 3.5: the salt is as long as the hash. */
    mbedtls_pk_rsassa_pss_options options = {
        .mgf1_hash_id = algorithm->md, .expected_salt_len = (int)hash_size};

    if (!algorithm->pss) {
        return mbedtls_pk_verify(pk, algorithm->md, hash, hash_size,
                                 signature.data, signature.size) == 0;
    }
    return mbedtls_pk_verify_ext(MBEDTLS_PK_RSASSA_PSS, &options, pk,
                                 algorithm->md, hash, hash_size, signature.data,
                                 signature.size) == 0;
}

static bool verify_hashed(const struct signer_key *key,
                          const struct algorithm *algorithm,
                          struct pbft_bytes message,
                          struct pbft_bytes signature)
{
    const mbedtls_md_info_t *info = mbedtls_md_info_from_type(algorithm->md);
    uint8_t hash[MBEDTLS_MD_MAX_SIZE];
    /* mbedTLS reads only. */
    mbedtls_pk_context *pk =
        (mbedtls_pk_context *)(uintptr_t)(key->has_certificate
                                              ? &key->certificate.pk
                                              : &key->pk);

    if (info == NULL ||
        mbedtls_md(info, message.data, message.size, hash) != 0) {
        return false;
    }
    size_t size = mbedtls_md_get_size(info);
    return algorithm->kind == KEY_RSA
               ? verify_rsa(pk, algorithm, hash, size, signature)
               : verify_ecdsa(pk, algorithm, hash, size, signature);
}

static bool verify_ed25519(const struct signer_key *key,
                           struct pbft_bytes message,
                           struct pbft_bytes signature)
{
    struct pbft_signature copy;

    if (signature.size != sizeof copy.bytes) {
        return false;
    }
    memcpy(copy.bytes, signature.data, sizeof copy.bytes);
    return sign_verify(&key->ed25519, message, &copy);
}

enum pbft_status signer_key_verify(const struct signer_key *key,
                                   const char *name, struct pbft_bytes message,
                                   struct pbft_bytes signature)
{
    const struct algorithm *algorithm = find_algorithm(name);

    if (algorithm == NULL || algorithm->kind != key->kind) {
        return PBFT_INVALID_ARGUMENT;
    }
    bool is_right = key->kind == KEY_ED25519
                        ? verify_ed25519(key, message, signature)
                        : verify_hashed(key, algorithm, message, signature);
    return is_right ? PBFT_OK : PBFT_BAD_SIGNATURE;
}
