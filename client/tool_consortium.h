/* SPDX-License-Identifier: Apache-2.0 */
/* Institutions and whole trial consortiums as folders.
 *
 *   DIR/genesis.txt            the rules that all replicas start from
 *   DIR/replica-N.yaml         salusd --config DIR/replica-N.yaml
 *   DIR/client-N.yaml          salus --config DIR/client-N.yaml ...
 *   DIR/<name>/                what belongs to one institution alone:
 *     member.txt                 its public part, for the genesis
 *     ca.pem ca.key              its CA
 *     replica.key                Ed25519 key of its replica
 *     replica-tls.pem .key       certificate "replica.<name>"
 *     client.key                 Ed25519 key with which requests are signed
 *     client-tls.pem .key        certificate "client.<name>"
 *     encryption.key             X25519 key for data keys
 *     data/                      made by salusd
 *
 * Replica N is the N-th member; its ports are base + 2N (replicas) and
 * base + 2N + 1 (clients). Key files have mode 0600, their folder 0700.
 */
#ifndef CLIENT_TOOL_CONSORTIUM_H
#define CLIENT_TOOL_CONSORTIUM_H

#include "proto/member.h"
#include "proto/reason.h"

#define CONSORTIUM_REPLICAS_MAX 100
#define CONSORTIUM_PATH_MAX 512

struct consortium_policies {
    const char *const *uris;
    size_t count;
};

/* "urn:salus:policy:trial" and the policies that IHE's examples name. */
extern const struct consortium_policies consortium_trial_policies;

struct consortium_options {
    const char *folder; /* Must not exist, or be empty. */
    const char *name;   /* Of the consortium; NULL: "trial". */
    uint32_t replicas;  /* 1, or 4 and more. */
    uint16_t base_port;
    struct consortium_policies policies;
};

/* A whole consortium on this machine, for trials. On failure `reason` says why
 * and what was made stays where it is. */
PBFT_MUST_USE enum pbft_status
consortium_create(const struct consortium_options *options,
                  struct salus_reason *reason);

/* Certificates that an institution has already, PEM or DER files. */
struct institution_import {
    const char *ca;     /* NULL: a new CA is made. */
    const char *ca_key; /* With it certificates are issued here; or */
    const char *replica_certificate; /* all four of these are given. */
    const char *replica_tls_key;
    const char *client_certificate;
    const char *client_tls_key;
};

struct institution_options {
    const char *folder; /* Is made; must not exist, or be empty. */
    const char *name;
    const char *legal_name;
    const char *country;
    const char *peer_address;   /* NULL: it runs no replica. */
    const char *client_address; /* The same. */
    const uint32_t *roles;      /* Of the INSTITUTION_ROLE table. */
    size_t role_count;
    /* Random if all zero. */
    struct pbft_institution institution;
    struct institution_import import;
};

/* One institution: keys, certificates, member file. `member` is filled in. */
PBFT_MUST_USE enum pbft_status
institution_create(struct salus_member *member,
                   const struct institution_options *options,
                   struct salus_reason *reason);

/* A member file, with its possession signature checked. */
PBFT_MUST_USE enum pbft_status member_load(struct salus_member *out,
                                           const char *path,
                                           struct salus_reason *reason);

/* A genesis of these members with default parameters, as armored file. */
struct genesis_options {
    const char *name;
    const struct salus_member *members;
    uint32_t member_count;
    struct consortium_policies policies;
};
/* What people type of it, before anything is made; says what is wrong. */
PBFT_MUST_USE enum pbft_status
genesis_words_check(const char *name,
                    const struct consortium_policies *policies,
                    struct salus_reason *reason);
PBFT_MUST_USE enum pbft_status
genesis_file_create(const char *path, const struct genesis_options *options,
                    struct salus_reason *reason);

struct salus_genesis;
/* Reads and checks a genesis file; the caller destroys it. */
PBFT_MUST_USE enum pbft_status genesis_file_load(struct salus_genesis **out,
                                                 struct pbft_digest *cluster,
                                                 const char *path,
                                                 struct salus_reason *reason);

#endif /* CLIENT_TOOL_CONSORTIUM_H */
