/* SPDX-License-Identifier: Apache-2.0 */
/* Judging certificates. mbedTLS checks the chain; names and dates are checked
 * here, exactly and against the time that the caller gives. */
#include "crypto/x509.h"

#include "crypto/fail.h"
#include "crypto/x509_private.h"

#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <string.h>

#define SECONDS_PER_DAY 86400
#define SAN_TYPE_MASK 0x1f
#define SAN_DNS 2
#define REPLICA_PREFIX "replica."

static int64_t seconds_of(const mbedtls_x509_time *time)
{
    const struct x509_date date = {(unsigned)time->year, (unsigned)time->mon,
                                   (unsigned)time->day};
    return x509_days_of(&date) * SECONDS_PER_DAY + (int64_t)time->hour * 3600 +
           (int64_t)time->min * 60 + time->sec;
}

static enum pbft_status check_dates(const mbedtls_x509_crt *crt, int64_t now_s,
                                    const char *what,
                                    struct salus_reason *reason)
{
    const mbedtls_x509_time *to = &crt->valid_to;
    const mbedtls_x509_time *from = &crt->valid_from;
    if (now_s > seconds_of(to)) {
        return crypto_fail(reason, PBFT_TIMED_OUT,
                           "%s: expired on %04d-%02d-%02d; is the clock right?",
                           what, to->year, to->mon, to->day);
    }
    if (now_s < seconds_of(from)) {
        return crypto_fail(reason, PBFT_TIMED_OUT,
                           "%s: not valid before %04d-%02d-%02d; is the clock "
                           "right?",
                           what, from->year, from->mon, from->day);
    }
    return PBFT_OK;
}

/* Calls nothing and copies nothing: the n-th DNS name, or size 0. */
static struct pbft_bytes dns_name_at(const mbedtls_x509_crt *crt, size_t n)
{
    if ((crt->ext_types & MBEDTLS_X509_EXT_SUBJECT_ALT_NAME) == 0) {
        return (struct pbft_bytes){NULL, 0};
    }
    for (const mbedtls_x509_sequence *name = &crt->subject_alt_names;
         name != NULL; name = name->next) {
        if ((name->buf.tag & SAN_TYPE_MASK) != SAN_DNS || name->buf.len == 0) {
            continue;
        }
        if (n == 0) {
            return (struct pbft_bytes){name->buf.p, name->buf.len};
        }
        n--;
    }
    return (struct pbft_bytes){NULL, 0};
}

static bool has_dns_name(const mbedtls_x509_crt *crt, const char *dns_name)
{
    for (size_t n = 0;; n++) {
        struct pbft_bytes name = dns_name_at(crt, n);
        if (name.size == 0) {
            return false;
        }
        if (name.size == strlen(dns_name) &&
            memcmp(name.data, dns_name, name.size) == 0) {
            return true;
        }
    }
}

static bool is_for_tls(const mbedtls_x509_crt *crt, const char *dns_name)
{
    bool is_replica =
        strncmp(dns_name, REPLICA_PREFIX, sizeof REPLICA_PREFIX - 1) == 0;
    if (mbedtls_x509_crt_check_key_usage(
            crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE) != 0) {
        return false;
    }
    if (mbedtls_x509_crt_check_extended_key_usage(
            crt, MBEDTLS_OID_CLIENT_AUTH,
            MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH)) != 0) {
        return false;
    }
    return !is_replica || mbedtls_x509_crt_check_extended_key_usage(
                              crt, MBEDTLS_OID_SERVER_AUTH,
                              MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH)) == 0;
}

static enum pbft_status check_is_ca(const mbedtls_x509_crt *ca,
                                    struct salus_reason *reason)
{
    if (ca->ca_istrue == 0 || mbedtls_x509_crt_check_key_usage(
                                  ca, MBEDTLS_X509_KU_KEY_CERT_SIGN) != 0) {
        return crypto_fail(reason, PBFT_BAD_CERTIFICATE,
                           "the CA certificate is not that of a CA");
    }
    return PBFT_OK;
}

/* Dates are left out: they depend on the machine's clock. */
static enum pbft_status check_chain(mbedtls_x509_crt *crt, mbedtls_x509_crt *ca,
                                    struct salus_reason *reason)
{
    uint32_t flags = 0;
    if (crt->ca_istrue != 0) {
        return crypto_fail(reason, PBFT_BAD_CERTIFICATE,
                           "the certificate is that of a CA");
    }
    if (!mbedtls_pk_can_do(&crt->pk, MBEDTLS_PK_ECKEY)) {
        return crypto_fail(reason, PBFT_BAD_CERTIFICATE,
                           "the certificate's key is not an elliptic-curve "
                           "one");
    }
    /* SHA-256 or better, RSA of 2048 bits or more, the NIST curves. */
    int failed = mbedtls_x509_crt_verify_with_profile(
        crt, ca, NULL, &mbedtls_x509_crt_profile_next, NULL, &flags, NULL,
        NULL);
    flags &=
        ~(uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE);
    if (failed != 0 && failed != MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
        return x509_fail(reason, PBFT_BAD_CERTIFICATE, "the certificate",
                         failed);
    }
    if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
        return crypto_fail(reason, PBFT_BAD_CERTIFICATE,
                           "the certificate was not issued by this CA");
    }
    if (flags != 0) {
        return crypto_fail(reason, PBFT_BAD_CERTIFICATE,
                           "the certificate uses a weak or unknown algorithm");
    }
    return PBFT_OK;
}

static enum pbft_status check_key(const mbedtls_x509_crt *crt,
                                  const struct x509_key *key,
                                  struct salus_reason *reason)
{
    mbedtls_pk_context pk;
    enum pbft_status status = PBFT_OK;

    mbedtls_pk_init(&pk);
    if (x509_parse_key(&pk, key) != PBFT_OK) {
        status =
            crypto_fail(reason, PBFT_MALFORMED, "the TLS key cannot be read");
    } else if (mbedtls_pk_check_pair(&crt->pk, &pk) != 0) {
        status = crypto_fail(reason, PBFT_WRONG_IDENTITY,
                             "the TLS key does not belong to the certificate");
    }
    mbedtls_pk_free(&pk);
    return status;
}

static enum pbft_status check_names(const mbedtls_x509_crt *crt,
                                    const char *dns_name,
                                    struct salus_reason *reason)
{
    struct pbft_bytes first = dns_name_at(crt, 0);
    if (!has_dns_name(crt, dns_name)) {
        return crypto_fail(reason, PBFT_WRONG_IDENTITY,
                           "the certificate is for \"%.*s\", not for \"%s\"",
                           first.size < X509_NAME_MAX ? (int)first.size : 0,
                           first.data != NULL ? (const char *)first.data : "",
                           dns_name);
    }
    if (!is_for_tls(crt, dns_name)) {
        return crypto_fail(reason, PBFT_BAD_CERTIFICATE,
                           "the certificate may not be used for TLS as %s",
                           dns_name);
    }
    return PBFT_OK;
}

static enum pbft_status check_all(mbedtls_x509_crt *crt, mbedtls_x509_crt *ca,
                                  const struct x509_expectation *expectation,
                                  struct salus_reason *reason)
{
    enum pbft_status status = check_is_ca(ca, reason);
    if (status == PBFT_OK) {
        status = check_chain(crt, ca, reason);
    }
    if (status == PBFT_OK) {
        status = check_names(crt, expectation->dns_name, reason);
    }
    if (status == PBFT_OK) {
        status =
            check_dates(crt, expectation->now_s, "the certificate", reason);
    }
    if (status == PBFT_OK) {
        status =
            check_dates(ca, expectation->now_s, "the CA certificate", reason);
    }
    if (status == PBFT_OK && expectation->key != NULL) {
        status = check_key(crt, expectation->key, reason);
    }
    return status;
}

enum pbft_status x509_check(const struct x509_certificate *certificate,
                            const struct x509_expectation *expectation,
                            struct salus_reason *reason)
{
    mbedtls_x509_crt crt;
    mbedtls_x509_crt ca;
    enum pbft_status status = PBFT_OK;

    mbedtls_x509_crt_init(&crt);
    mbedtls_x509_crt_init(&ca);
    if (x509_parse(&crt, certificate) != PBFT_OK) {
        status = crypto_fail(reason, PBFT_MALFORMED,
                             "the certificate cannot be read");
    } else if (x509_parse(&ca, expectation->ca) != PBFT_OK) {
        status = crypto_fail(reason, PBFT_MALFORMED,
                             "the CA certificate cannot be read");
    } else {
        status = check_all(&crt, &ca, expectation, reason);
    }
    mbedtls_x509_crt_free(&ca);
    mbedtls_x509_crt_free(&crt);
    return status;
}

enum pbft_status x509_check_ca(const struct x509_certificate *ca, int64_t now_s,
                               struct salus_reason *reason)
{
    mbedtls_x509_crt crt;
    enum pbft_status status = PBFT_OK;

    mbedtls_x509_crt_init(&crt);
    if (x509_parse(&crt, ca) != PBFT_OK) {
        status = crypto_fail(reason, PBFT_MALFORMED,
                             "the CA certificate cannot be read");
    } else {
        status = check_is_ca(&crt, reason);
    }
    if (status == PBFT_OK) {
        status = check_dates(&crt, now_s, "the CA certificate", reason);
    }
    mbedtls_x509_crt_free(&crt);
    return status;
}

enum pbft_status x509_dns_name(char out[X509_NAME_MAX],
                               const struct x509_certificate *certificate)
{
    mbedtls_x509_crt crt;

    mbedtls_x509_crt_init(&crt);
    enum pbft_status status = x509_parse(&crt, certificate);
    if (status == PBFT_OK) {
        struct pbft_bytes name = dns_name_at(&crt, 0);
        status = PBFT_NOT_FOUND;
        if (name.size > 0 && name.size < X509_NAME_MAX &&
            memchr(name.data, '\0', name.size) == NULL) {
            memcpy(out, name.data, name.size);
            out[name.size] = '\0';
            status = PBFT_OK;
        }
    }
    mbedtls_x509_crt_free(&crt);
    return status;
}

enum pbft_status x509_validity_of(struct x509_validity *out,
                                  const struct x509_certificate *certificate)
{
    mbedtls_x509_crt crt;

    mbedtls_x509_crt_init(&crt);
    enum pbft_status status = x509_parse(&crt, certificate);
    if (status == PBFT_OK) {
        out->from_s = seconds_of(&crt.valid_from);
        out->to_s = seconds_of(&crt.valid_to);
    }
    mbedtls_x509_crt_free(&crt);
    return status;
}
