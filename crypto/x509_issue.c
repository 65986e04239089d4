/* SPDX-License-Identifier: Apache-2.0 */
/* Making keys and certificates with mbedTLS. */
#include "crypto/x509.h"

#include "crypto/fail.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/x509_private.h"

#include <mbedtls/asn1write.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>

#define SERIAL_SIZE 16
#define TIME_TEXT_SIZE 15 /* YYYYMMDDhhmmss and a zero. */
#define SUBJECT_MAX 160
#define EXTENSION_MAX 128
#define SHORT_NAME_MAX 32
#define SECONDS_PER_DAY 86400
/* 9999-12-31T23:59:59Z, the last moment that a certificate can name. */
#define TIME_MAX_S INT64_C(253402300799)

static bool is_short_name(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > SHORT_NAME_MAX) {
        return false;
    }
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

enum pbft_status x509_name(char out[X509_NAME_MAX], enum x509_role role,
                           const char *short_name)
{
    if (!is_short_name(short_name)) {
        return PBFT_INVALID_ARGUMENT;
    }
    (void)snprintf(out, X509_NAME_MAX, "%s.%s",
                   role == X509_REPLICA ? "replica" : "client", short_name);
    return PBFT_OK;
}

static enum pbft_status time_text(char out[TIME_TEXT_SIZE], int64_t time_s)
{
    struct x509_date date;
    if (time_s < 0 || time_s > TIME_MAX_S) {
        return PBFT_INVALID_ARGUMENT;
    }
    x509_date_of(&date, time_s / SECONDS_PER_DAY);
    int64_t rest = time_s % SECONDS_PER_DAY;
    (void)snprintf(
        out, TIME_TEXT_SIZE, "%04u%02u%02u%02u%02u%02u", date.year % 10000u,
        date.month % 100u, date.day % 100u, (unsigned)(rest / 3600) % 100u,
        (unsigned)(rest / 60 % 60) % 100u, (unsigned)(rest % 60) % 100u);
    return PBFT_OK;
}

/* What is written into one certificate. */
struct plan {
    const char *subject;
    const char *issuer;
    const char *dns_name; /* NULL for a CA. */
    const struct x509_validity *validity;
    mbedtls_pk_context *subject_key;
    mbedtls_pk_context *issuer_key;
};

/* SEQUENCE { OID serverAuth, OID clientAuth }, written backwards. */
static int add_extended_usage(mbedtls_x509write_cert *crt)
{
    uint8_t buffer[EXTENSION_MAX];
    uint8_t *at = buffer + sizeof buffer;
    int size = 0;
    int part =
        mbedtls_asn1_write_oid(&at, buffer, MBEDTLS_OID_CLIENT_AUTH,
                               MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH));
    size += part;
    part = mbedtls_asn1_write_oid(&at, buffer, MBEDTLS_OID_SERVER_AUTH,
                                  MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH));
    size += part;
    size += mbedtls_asn1_write_len(&at, buffer, (size_t)size);
    size += mbedtls_asn1_write_tag(
        &at, buffer, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
    return mbedtls_x509write_crt_set_extension(
        crt, MBEDTLS_OID_EXTENDED_KEY_USAGE,
        MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), 0, at, (size_t)size);
}

/* SEQUENCE { [2] IA5String }. */
static int add_dns_name(mbedtls_x509write_cert *crt, const char *dns_name)
{
    uint8_t buffer[EXTENSION_MAX];
    uint8_t *at = buffer + sizeof buffer;
    size_t length = strlen(dns_name);
    int size = mbedtls_asn1_write_raw_buffer(&at, buffer,
                                             (const uint8_t *)dns_name, length);
    if (size < 0) {
        return size;
    }
    size += mbedtls_asn1_write_len(&at, buffer, length);
    size +=
        mbedtls_asn1_write_tag(&at, buffer, MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2);
    size += mbedtls_asn1_write_len(&at, buffer, (size_t)size);
    size += mbedtls_asn1_write_tag(
        &at, buffer, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
    return mbedtls_x509write_crt_set_extension(
        crt, MBEDTLS_OID_SUBJECT_ALT_NAME,
        MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, at, (size_t)size);
}

static int add_extensions(mbedtls_x509write_cert *crt, const struct plan *plan)
{
    bool is_ca = plan->dns_name == NULL;
    int failed =
        mbedtls_x509write_crt_set_basic_constraints(crt, is_ca, is_ca ? 0 : -1);
    if (failed == 0) {
        failed = mbedtls_x509write_crt_set_key_usage(
            crt, is_ca
                     ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN
                     : MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
    }
    if (failed == 0) {
        failed = mbedtls_x509write_crt_set_subject_key_identifier(crt);
    }
    if (failed == 0) {
        failed = mbedtls_x509write_crt_set_authority_key_identifier(crt);
    }
    if (failed == 0 && !is_ca) {
        failed = add_extended_usage(crt);
    }
    if (failed == 0 && !is_ca) {
        failed = add_dns_name(crt, plan->dns_name);
    }
    return failed;
}

static int set_serial(mbedtls_x509write_cert *crt)
{
    uint8_t bytes[SERIAL_SIZE];
    mbedtls_mpi serial;
    random_fill(bytes, sizeof bytes);
    bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40); /* Positive, full length. */
    mbedtls_mpi_init(&serial);
    int failed = mbedtls_mpi_read_binary(&serial, bytes, sizeof bytes);
    if (failed == 0) {
        failed = mbedtls_x509write_crt_set_serial(crt, &serial);
    }
    mbedtls_mpi_free(&serial);
    return failed;
}

static enum pbft_status write_certificate(struct x509_certificate *out,
                                          const struct plan *plan,
                                          struct salus_reason *reason)
{
    char from[TIME_TEXT_SIZE];
    char to[TIME_TEXT_SIZE];
    if (time_text(from, plan->validity->from_s) != PBFT_OK ||
        time_text(to, plan->validity->to_s) != PBFT_OK ||
        plan->validity->from_s >= plan->validity->to_s) {
        return crypto_fail(reason, PBFT_INVALID_ARGUMENT,
                           "%s: a period of validity that cannot be",
                           plan->subject);
    }
    mbedtls_x509write_cert crt;
    mbedtls_x509write_crt_init(&crt);
    mbedtls_x509write_crt_set_version(&crt, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&crt, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&crt, plan->subject_key);
    mbedtls_x509write_crt_set_issuer_key(&crt, plan->issuer_key);
    int failed = set_serial(&crt);
    if (failed == 0) {
        failed = mbedtls_x509write_crt_set_subject_name(&crt, plan->subject);
    }
    if (failed == 0) {
        failed = mbedtls_x509write_crt_set_issuer_name(&crt, plan->issuer);
    }
    if (failed == 0) {
        failed = mbedtls_x509write_crt_set_validity(&crt, from, to);
    }
    if (failed == 0) {
        failed = add_extensions(&crt, plan);
    }
    int size = failed;
    if (failed == 0) { /* Written at the end of the buffer. */
        size = mbedtls_x509write_crt_der(&crt, out->der, sizeof out->der,
                                         x509_rng, NULL);
    }
    if (size > 0) {
        out->size = (size_t)size;
        memmove(out->der, out->der + sizeof out->der - out->size, out->size);
    }
    mbedtls_x509write_crt_free(&crt);
    return size > 0 ? PBFT_OK
                    : x509_fail(reason, PBFT_NO_MEMORY, plan->subject, size);
}

static enum pbft_status make_key(mbedtls_pk_context *pk, struct x509_key *out,
                                 struct salus_reason *reason)
{
    int code =
        mbedtls_pk_setup(pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (code == 0) {
        code = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(*pk),
                                   x509_rng, NULL);
    }
    if (code == 0) {
        code = mbedtls_pk_write_key_der(pk, out->der, sizeof out->der);
    }
    if (code <= 0) {
        return x509_fail(reason, PBFT_NO_MEMORY, "a new P-256 key", code);
    }
    out->size = (size_t)code; /* Written at the end of the buffer. */
    memmove(out->der, out->der + sizeof out->der - out->size, out->size);
    secret_wipe(out->der + out->size, sizeof out->der - out->size);
    return PBFT_OK;
}

enum pbft_status x509_ca_create(struct x509_certificate *certificate,
                                struct x509_key *key, const char *short_name,
                                const struct x509_validity *validity,
                                struct salus_reason *reason)
{
    char subject[SUBJECT_MAX];
    mbedtls_pk_context pk;

    if (!is_short_name(short_name)) {
        return crypto_fail(reason, PBFT_INVALID_ARGUMENT,
                           "a short name is 1 to 32 of a-z, 0-9 and -");
    }
    (void)snprintf(subject, sizeof subject, "CN=Salus CA of %s,O=%s",
                   short_name, short_name);
    mbedtls_pk_init(&pk);
    enum pbft_status status = make_key(&pk, key, reason);
    if (status == PBFT_OK) {
        const struct plan plan = {.subject = subject,
                                  .issuer = subject,
                                  .validity = validity,
                                  .subject_key = &pk,
                                  .issuer_key = &pk};
        status = write_certificate(certificate, &plan, reason);
    }
    mbedtls_pk_free(&pk);
    if (status != PBFT_OK) {
        x509_key_wipe(key);
    }
    return status;
}

/* The issuer's name as text, as the certificate writer wants it. */
static enum pbft_status issuer_name(char *out, size_t size,
                                    const mbedtls_x509_crt *ca,
                                    struct salus_reason *reason)
{
    int length = mbedtls_x509_dn_gets(out, size, &ca->subject);
    return length > 0 ? PBFT_OK
                      : x509_fail(reason, PBFT_BAD_CERTIFICATE,
                                  "the CA's subject", length);
}

static enum pbft_status issue(struct x509_certificate *out,
                              struct x509_key *key, const mbedtls_x509_crt *ca,
                              struct plan *plan, struct salus_reason *reason)
{
    char issuer[SUBJECT_MAX * 2];
    char subject[SUBJECT_MAX];
    mbedtls_pk_context pk;

    enum pbft_status status = issuer_name(issuer, sizeof issuer, ca, reason);
    if (status != PBFT_OK) {
        return status;
    }
    (void)snprintf(subject, sizeof subject, "CN=%s", plan->dns_name);
    mbedtls_pk_init(&pk);
    status = make_key(&pk, key, reason);
    if (status == PBFT_OK) {
        plan->subject = subject;
        plan->issuer = issuer;
        plan->subject_key = &pk;
        status = write_certificate(out, plan, reason);
    }
    mbedtls_pk_free(&pk);
    return status;
}

enum pbft_status
x509_issue(struct x509_certificate *certificate, struct x509_key *key,
           const struct x509_issuer *issuer, const char *dns_name,
           const struct x509_validity *validity, struct salus_reason *reason)
{
    mbedtls_x509_crt ca;
    mbedtls_pk_context ca_key;
    struct plan plan = {
        .dns_name = dns_name, .validity = validity, .issuer_key = &ca_key};

    if (dns_name[0] == '\0' || strlen(dns_name) >= X509_NAME_MAX ||
        strspn(dns_name, "abcdefghijklmnopqrstuvwxyz0123456789-.") !=
            strlen(dns_name)) {
        return crypto_fail(reason, PBFT_INVALID_ARGUMENT,
                           "not a name for a certificate");
    }
    mbedtls_x509_crt_init(&ca);
    mbedtls_pk_init(&ca_key);
    enum pbft_status status = x509_parse(&ca, issuer->certificate);
    if (status == PBFT_OK) {
        status = x509_parse_key(&ca_key, issuer->key);
    }
    if (status != PBFT_OK) {
        status = crypto_fail(reason, status, "the CA cannot be read");
    } else if (mbedtls_pk_check_pair(&ca.pk, &ca_key) != 0) {
        status = crypto_fail(reason, PBFT_WRONG_IDENTITY,
                             "the CA's key does not belong to the CA");
    } else {
        status = issue(certificate, key, &ca, &plan, reason);
    }
    if (status != PBFT_OK) {
        x509_key_wipe(key);
    }
    mbedtls_pk_free(&ca_key);
    mbedtls_x509_crt_free(&ca);
    return status;
}
