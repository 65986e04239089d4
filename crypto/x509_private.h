/* SPDX-License-Identifier: Apache-2.0 */
/* What the x509_*.c files share. Private to crypto/. */
#ifndef CRYPTO_X509_PRIVATE_H
#define CRYPTO_X509_PRIVATE_H

#include "crypto/x509.h"

struct mbedtls_x509_crt; /* Of mbedTLS. */
struct mbedtls_pk_context;

/* A day of the Gregorian calendar. */
struct x509_date {
    unsigned year;
    unsigned month;
    unsigned day;
};

/* Days since 1970-01-01, from then on. */
void x509_date_of(struct x509_date *out, int64_t days);
int64_t x509_days_of(const struct x509_date *date);

/* random_fill() in the form that mbedTLS asks for. */
int x509_rng(void *context, unsigned char *out, size_t size);

/* Exactly one certificate; MALFORMED. */
PBFT_MUST_USE enum pbft_status
x509_parse(struct mbedtls_x509_crt *out,
           const struct x509_certificate *certificate);
PBFT_MUST_USE enum pbft_status x509_parse_key(struct mbedtls_pk_context *out,
                                              const struct x509_key *key);

/* "what: text of the mbedTLS code". */
enum pbft_status x509_fail(struct salus_reason *reason, enum pbft_status status,
                           const char *what, int code);

#endif /* CRYPTO_X509_PRIVATE_H */
