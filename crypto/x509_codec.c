/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys as DER, PEM and files. */
#include "crypto/x509.h"

#include "crypto/digest.h"
#include "crypto/fail.h"
#include "crypto/file.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/x509_private.h"

#include <mbedtls/error.h>
#include <mbedtls/pem.h>
#include <mbedtls/x509_crt.h>
#include <string.h>

#define TEXT_MAX 128
#define DAYS_PER_ERA 146097 /* 400 years. */
#define DAYS_TO_1970 719468 /* From 0000-03-01. */

/* Howard Hinnant's civil calendar: years that begin in March. */
void x509_date_of(struct x509_date *out, int64_t days)
{
    int64_t shifted = days + DAYS_TO_1970;
    int64_t era = shifted / DAYS_PER_ERA;
    int64_t of_era = shifted % DAYS_PER_ERA;
    int64_t year_of_era =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year =
        of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * of_year + 2) / 153;
    out->day = (unsigned)(of_year - (153 * month + 2) / 5 + 1);
    out->month = (unsigned)(month < 10 ? month + 3 : month - 9);
    out->year = (unsigned)(year_of_era + era * 400 + (out->month <= 2 ? 1 : 0));
}

int64_t x509_days_of(const struct x509_date *date)
{
    int64_t year = (int64_t)date->year - (date->month <= 2 ? 1 : 0);
    int64_t month = date->month > 2 ? date->month - 3 : date->month + 9;
    int64_t era = year / 400;
    int64_t year_of_era = year % 400;
    int64_t of_year = (153 * month + 2) / 5 + date->day - 1;
    int64_t of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year;
    return era * DAYS_PER_ERA + of_era - DAYS_TO_1970;
}

int x509_rng(void *context, unsigned char *out, size_t size)
{
    (void)context;
    random_fill(out, size);
    return 0;
}

enum pbft_status x509_fail(struct salus_reason *reason, enum pbft_status status,
                           const char *what, int code)
{
    char text[TEXT_MAX] = "";
    mbedtls_strerror(code, text, sizeof text);
    return crypto_fail(reason, status, "%s: %s", what, text);
}

enum pbft_status x509_parse(mbedtls_x509_crt *out,
                            const struct x509_certificate *certificate)
{
    if (certificate->size == 0 || certificate->size > X509_CERTIFICATE_MAX ||
        mbedtls_x509_crt_parse_der(out, certificate->der, certificate->size) !=
            0) {
        return PBFT_MALFORMED;
    }
    /* Nothing after it. */
    return out->raw.len == certificate->size ? PBFT_OK : PBFT_MALFORMED;
}

enum pbft_status x509_parse_key(mbedtls_pk_context *out,
                                const struct x509_key *key)
{
    if (key->size == 0 || key->size > X509_KEY_MAX ||
        mbedtls_pk_parse_key(out, key->der, key->size, NULL, 0) != 0 ||
        !mbedtls_pk_can_do(out, MBEDTLS_PK_ECKEY)) {
        return PBFT_MALFORMED;
    }
    return PBFT_OK;
}

void x509_fingerprint(struct pbft_digest *out,
                      const struct x509_certificate *certificate)
{
    digest_sha256(out,
                  (struct pbft_bytes){certificate->der, certificate->size});
}

void x509_key_wipe(struct x509_key *key)
{
    secret_wipe(key, sizeof *key);
}

static bool is_pem(struct pbft_bytes bytes)
{
    static const char begin[] = "-----BEGIN";
    return bytes.size >= sizeof begin - 1 &&
           memcmp(bytes.data, begin, sizeof begin - 1) == 0;
}

/* PEM with these lines around it to DER. The text needs a terminating zero. */
static enum pbft_status pem_to_der(uint8_t *out, size_t capacity, size_t *size,
                                   const char *text, const char *begin,
                                   const char *end)
{
    mbedtls_pem_context pem;
    size_t used = 0;

    mbedtls_pem_init(&pem);
    enum pbft_status status = PBFT_MALFORMED;
    if (mbedtls_pem_read_buffer(&pem, begin, end, (const uint8_t *)text, NULL,
                                0, &used) == 0 &&
        text[used + strspn(text + used, " \t\r\n")] == '\0') {
        status = pem.buflen <= capacity ? PBFT_OK : PBFT_TOO_LARGE;
    }
    if (status == PBFT_OK) {
        memcpy(out, pem.buf, pem.buflen);
        *size = pem.buflen;
    }
    mbedtls_pem_free(&pem); /* Wipes. */
    return status;
}

enum pbft_status x509_certificate_parse(struct x509_certificate *out,
                                        struct pbft_bytes bytes)
{
    enum pbft_status status = PBFT_OK;
    mbedtls_x509_crt crt;

    if (bytes.size > X509_PEM_MAX - 1) {
        return PBFT_TOO_LARGE;
    }
    if (is_pem(bytes)) {
        char text[X509_PEM_MAX];
        memcpy(text, bytes.data, bytes.size);
        text[bytes.size] = '\0';
        status = pem_to_der(out->der, sizeof out->der, &out->size, text,
                            "-----BEGIN CERTIFICATE-----",
                            "-----END CERTIFICATE-----");
    } else if (bytes.size > sizeof out->der) {
        status = PBFT_TOO_LARGE;
    } else if (bytes.size == 0) {
        status = PBFT_MALFORMED;
    } else {
        memcpy(out->der, bytes.data, bytes.size);
        out->size = bytes.size;
    }
    if (status != PBFT_OK) {
        return status;
    }
    mbedtls_x509_crt_init(&crt);
    status = x509_parse(&crt, out);
    mbedtls_x509_crt_free(&crt);
    return status;
}

enum pbft_status x509_key_parse(struct x509_key *out, struct pbft_bytes bytes)
{
    char text[X509_PEM_MAX];
    mbedtls_pk_context pk;

    if (bytes.size == 0) {
        return PBFT_MALFORMED;
    }
    if (bytes.size > sizeof text - 1) {
        return PBFT_TOO_LARGE;
    }
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    mbedtls_pk_init(&pk);
    /* PEM counts its terminating zero. Encrypted keys need a password: no. */
    int code =
        mbedtls_pk_parse_key(&pk, (const uint8_t *)text,
                             bytes.size + (is_pem(bytes) ? 1 : 0), NULL, 0);
    enum pbft_status status = PBFT_MALFORMED;
    if (code == 0 && mbedtls_pk_can_do(&pk, MBEDTLS_PK_ECKEY)) {
        code = mbedtls_pk_write_key_der(&pk, out->der, sizeof out->der);
        status = code > 0 ? PBFT_OK : PBFT_TOO_LARGE;
    }
    if (status == PBFT_OK) {
        out->size = (size_t)code;
        memmove(out->der, out->der + sizeof out->der - out->size, out->size);
    } else {
        x509_key_wipe(out);
    }
    mbedtls_pk_free(&pk);
    secret_wipe(text, sizeof text);
    return status;
}

static enum pbft_status to_pem(char out[X509_PEM_MAX], const char *begin,
                               const char *end, struct pbft_bytes der)
{
    size_t size = 0;
    int failed = mbedtls_pem_write_buffer(begin, end, der.data, der.size,
                                          (uint8_t *)out, X509_PEM_MAX, &size);
    return failed == 0 ? PBFT_OK : PBFT_TOO_LARGE;
}

enum pbft_status
x509_certificate_pem(char out[X509_PEM_MAX],
                     const struct x509_certificate *certificate)
{
    return to_pem(out, "-----BEGIN CERTIFICATE-----\n",
                  "-----END CERTIFICATE-----\n",
                  (struct pbft_bytes){certificate->der, certificate->size});
}

enum pbft_status x509_key_pem(char out[X509_PEM_MAX],
                              const struct x509_key *key)
{
    return to_pem(out, "-----BEGIN EC PRIVATE KEY-----\n",
                  "-----END EC PRIVATE KEY-----\n",
                  (struct pbft_bytes){key->der, key->size});
}

enum pbft_status x509_certificate_load(struct x509_certificate *out,
                                       const char *path,
                                       struct salus_reason *reason)
{
    uint8_t bytes[X509_PEM_MAX];
    size_t size = 0;
    enum pbft_status status =
        file_read(bytes, sizeof bytes, &size, path, FILE_PUBLIC, reason);
    if (status != PBFT_OK) {
        return status;
    }
    status = x509_certificate_parse(out, (struct pbft_bytes){bytes, size});
    if (status != PBFT_OK) {
        return crypto_fail(reason, status,
                           "%s: not one certificate in PEM or DER", path);
    }
    return PBFT_OK;
}

enum pbft_status
x509_certificate_store(const char *path,
                       const struct x509_certificate *certificate,
                       struct salus_reason *reason)
{
    char text[X509_PEM_MAX];
    enum pbft_status status = x509_certificate_pem(text, certificate);
    if (status != PBFT_OK) {
        return crypto_fail(reason, status, "%s: %s", path,
                           pbft_status_text(status));
    }
    return file_create(path, FILE_PUBLIC,
                       (struct pbft_bytes){(const uint8_t *)text, strlen(text)},
                       reason);
}

enum pbft_status x509_key_load(struct x509_key *out, const char *path,
                               struct salus_reason *reason)
{
    uint8_t bytes[X509_PEM_MAX];
    size_t size = 0;
    enum pbft_status status =
        file_read(bytes, sizeof bytes, &size, path, FILE_SECRET, reason);
    if (status == PBFT_OK) {
        status = x509_key_parse(out, (struct pbft_bytes){bytes, size});
        if (status != PBFT_OK) {
            status = crypto_fail(reason, status,
                                 "%s: not an unencrypted elliptic-curve key in "
                                 "PEM or DER",
                                 path);
        }
    }
    secret_wipe(bytes, sizeof bytes);
    return status;
}

enum pbft_status x509_key_store(const char *path, const struct x509_key *key,
                                struct salus_reason *reason)
{
    char text[X509_PEM_MAX];
    enum pbft_status status = x509_key_pem(text, key);
    if (status == PBFT_OK) {
        status = file_create(
            path, FILE_SECRET,
            (struct pbft_bytes){(const uint8_t *)text, strlen(text)}, reason);
    } else {
        status = crypto_fail(reason, status, "%s: %s", path,
                             pbft_status_text(status));
    }
    secret_wipe(text, sizeof text);
    return status;
}
