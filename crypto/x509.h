/* SPDX-License-Identifier: Apache-2.0 */
/* X.509 certificates for TLS: P-256, SHA-256, DNS subject alternative names.
 *
 * Every institution has its own CA, whose DER stands in its Member file and so
 * in the genesis; a certificate counts only for the institution whose CA issued
 * it. (A consortium CA is the case where all members carry the same CA.) The
 * certificate's one name says what it is for:
 *
 *   replica.<short name>    a replica: server to peers and clients, and dialer
 *   client.<short name>     an application or tool of the institution
 *
 * Times are seconds since 1970 UTC and come in as arguments.
 */
#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H

#include "consensus/status.h"
#include "consensus/types.h"
#include "proto/reason.h"

#define X509_CERTIFICATE_MAX 4096 /* DER; ours have about 500 bytes. */
#define X509_KEY_MAX 1024         /* DER; a P-256 key has 121 bytes. */
#define X509_PEM_MAX 6144         /* Either of them as PEM. */
#define X509_NAME_MAX 64          /* With the terminating zero. */

struct x509_certificate {
    uint8_t der[X509_CERTIFICATE_MAX];
    size_t size;
};

/* A private key. Wipe it. */
struct x509_key {
    uint8_t der[X509_KEY_MAX];
    size_t size;
};

struct x509_validity {
    int64_t from_s;
    int64_t to_s;
};

enum x509_role { X509_REPLICA = 1, X509_CLIENT = 2 };

/* "replica.<short name>" or "client.<short name>". INVALID_ARGUMENT unless the
 * short name is [a-z0-9-]{1,32}. */
PBFT_MUST_USE enum pbft_status
x509_name(char out[X509_NAME_MAX], enum x509_role role, const char *short_name);

/* A self-signed CA that can issue end certificates only. */
PBFT_MUST_USE enum pbft_status
x509_ca_create(struct x509_certificate *certificate, struct x509_key *key,
               const char *short_name, const struct x509_validity *validity,
               struct salus_reason *reason);

struct x509_issuer {
    const struct x509_certificate *certificate;
    const struct x509_key *key;
};

/* A new key and its certificate for `dns_name`, for TLS server and client. */
PBFT_MUST_USE enum pbft_status
x509_issue(struct x509_certificate *certificate, struct x509_key *key,
           const struct x509_issuer *issuer, const char *dns_name,
           const struct x509_validity *validity, struct salus_reason *reason);

/* Does `certificate` hold for `dns_name` at `now_s`, issued by `ca`, and does
 * `key` (or NULL) belong to it? Says which check failed:
 *   MALFORMED            not a certificate
 *   BAD_CERTIFICATE      not issued by this CA, a CA itself, a weak key, or not
 *                        for TLS
 *   WRONG_IDENTITY       another name, or the key of another certificate
 *   TIMED_OUT            expired, or not valid yet (certificate or CA) */
struct x509_expectation {
    const struct x509_certificate *ca;
    const struct x509_key *key; /* Or NULL. */
    const char *dns_name;
    int64_t now_s;
};
PBFT_MUST_USE enum pbft_status
x509_check(const struct x509_certificate *certificate,
           const struct x509_expectation *expectation,
           struct salus_reason *reason);
/* Is it a CA certificate that x509_check could accept as issuer? */
PBFT_MUST_USE enum pbft_status x509_check_ca(const struct x509_certificate *ca,
                                             int64_t now_s,
                                             struct salus_reason *reason);

/* The first DNS name; NOT_FOUND if there is none that fits. */
PBFT_MUST_USE enum pbft_status
x509_dns_name(char out[X509_NAME_MAX],
              const struct x509_certificate *certificate);
PBFT_MUST_USE enum pbft_status
x509_validity_of(struct x509_validity *out,
                 const struct x509_certificate *certificate);
/* SHA-256 of the DER: what `openssl x509 -fingerprint -sha256` prints. */
void x509_fingerprint(struct pbft_digest *out,
                      const struct x509_certificate *certificate);

/* PEM or DER, one certificate, nothing else. */
PBFT_MUST_USE enum pbft_status
x509_certificate_parse(struct x509_certificate *out, struct pbft_bytes bytes);
/* PEM or DER, not encrypted, on P-256 or P-384. */
PBFT_MUST_USE enum pbft_status x509_key_parse(struct x509_key *out,
                                              struct pbft_bytes bytes);
/* Zero-terminated text. */
PBFT_MUST_USE enum pbft_status
x509_certificate_pem(char out[X509_PEM_MAX],
                     const struct x509_certificate *certificate);
PBFT_MUST_USE enum pbft_status x509_key_pem(char out[X509_PEM_MAX],
                                            const struct x509_key *key);
void x509_key_wipe(struct x509_key *key);

/* ---- files: PEM; keys as secret files (crypto/keyfile.h) ---------------- */

PBFT_MUST_USE enum pbft_status
x509_certificate_load(struct x509_certificate *out, const char *path,
                      struct salus_reason *reason);
PBFT_MUST_USE enum pbft_status
x509_certificate_store(const char *path,
                       const struct x509_certificate *certificate,
                       struct salus_reason *reason);
PBFT_MUST_USE enum pbft_status x509_key_load(struct x509_key *out,
                                             const char *path,
                                             struct salus_reason *reason);
PBFT_MUST_USE enum pbft_status x509_key_store(const char *path,
                                              const struct x509_key *key,
                                              struct salus_reason *reason);

#endif /* CRYPTO_X509_H */
