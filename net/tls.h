/* SPDX-License-Identifier: Apache-2.0 */
/* Mutual TLS 1.2 for NNG, on mbedTLS, with the peer's identity.
 *
 * NNG's own engine does not tell who the peer is; ours takes its place, for
 * the whole process. It insists on client certificates and server names, offers
 * AEAD suites with forward secrecy only, never resumes a session (a resumed one
 * would skip the certificate), and remembers DNS names and issuing CA of the
 * peer. Internal to net/.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "net/net.h"

/* DNS names of a certificate that are looked at. Ours carry one; imported ones
 * may have a host name or two besides. */
#define TLS_NAMES_MAX 8
#define TLS_NAME_SIZE 64 /* "replica." and a short name fit. */

struct mbedtls_x509_crt;

/* Who is at the other end. */
struct tls_identity {
    bool is_verified;          /* The chain leads to a trusted CA. */
    struct pbft_digest issuer; /* SHA-256 of that CA's DER. */
    /* What it sent, its own first; lives as long as its stream. */
    const struct mbedtls_x509_crt *certificates;
    uint32_t name_count;
    char names[TLS_NAMES_MAX][TLS_NAME_SIZE]; /* DNS names, as they stand. */
};

/* SHA-256, as tls_identity.issuer. */
void tls_fingerprint(struct pbft_digest *out, struct pbft_bytes der);

enum tls_role { TLS_ACCEPT, TLS_DIAL };

struct tls_setup {
    enum tls_role role;
    struct net_credentials own;
    const struct pbft_bytes *trusted; /* CA certificates, DER. */
    uint32_t trusted_count;
    const char *server_name; /* TLS_DIAL: what the peer must be called. */
};

/* A configuration that listeners and dialers share; it may not change. */
struct tls_config;

/* INVALID_CONFIG (something does not parse, or the key belongs to another
 * certificate), NO_MEMORY, IO (no randomness). */
PBFT_MUST_USE enum pbft_status tls_config_create(struct tls_config **out,
                                                 const struct tls_setup *setup,
                                                 struct net_problem *problem);
/* Connections that are made of it keep what they need. NULL is fine. */
void tls_config_destroy(struct tls_config *config);

/* For nng_listener_set_ptr(NNG_OPT_TLS_CONFIG) and the like. */
void *tls_config_handle(const struct tls_config *config);

/* Text of the last handshake that failed, and how many did. */
uint64_t tls_config_failures(struct tls_config *config,
                             struct net_problem *last);

/* Would the chain lead to this CA if no other was trusted? Several may vouch
 * for a certificate: one that is signed by another of them, or made of the same
 * name and key; `issuer` is the first that mbedTLS comes upon. */
bool tls_is_issued_by(const struct tls_identity *identity,
                      struct pbft_bytes ca);

struct nng_stream;
/* Of a stream whose handshake is over. False if it has none (plain TCP). */
bool tls_stream_identity(struct nng_stream *stream, struct tls_identity *out);

/* Does the certificate hold for `name`, now, issued by `ca`, with this key?
 * WRONG_IDENTITY, BAD_CERTIFICATE, INVALID_CONFIG, each with a problem. */
PBFT_MUST_USE enum pbft_status tls_check_own(const struct net_credentials *own,
                                             struct pbft_bytes ca,
                                             const char *name,
                                             struct net_problem *problem);

#endif /* NET_TLS_H */
