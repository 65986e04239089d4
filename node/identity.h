/* SPDX-License-Identifier: Apache-2.0 */
/* Who this replica is: consortium, member, keys and certificates, all read
 * from files and checked against each other before anything is opened. */
#ifndef NODE_IDENTITY_H
#define NODE_IDENTITY_H

#include "consensus/verify.h"
#include "crypto/provider.h"
#include "crypto/x509.h"
#include "proto/genesis.h"
#include "proto/reason.h"

/* Where the parts lie. The certificate files may be NULL without TLS. */
struct node_identity_files {
    const char *genesis;
    const char *replica_key;
    const char *certificate;
    const char *tls_key;
    const char *institution; /* Short name that is expected; NULL: any. */
};

struct node_identity {
    struct salus_genesis *genesis;
    struct pbft_digest cluster;
    const struct salus_member *member; /* In `genesis`. */
    pbft_replica_id self;
    uint32_t replica_count;
    struct crypto_provider *provider; /* Holds the replica's key. */
    struct pbft_domain domain;
    struct pbft_keyring keyring;
    bool has_tls;
    int64_t certificate_ends_s; /* Seconds since 1970 UTC. */
    int64_t ca_ends_s;
    char certificate_pem[X509_PEM_MAX];
    char tls_key_pem[X509_PEM_MAX];
};

/* Reads and checks all of it. INVALID_CONFIG, NOT_FOUND, PERMISSION, MALFORMED
 * and so on: a file is not as it should be. WRONG_IDENTITY: the key or the
 * certificate belongs to somebody else. BAD_CERTIFICATE: the certificate was
 * issued by another CA. `reason` says it with the name of the file. */
PBFT_MUST_USE enum pbft_status
node_identity_load(struct node_identity *out,
                   const struct node_identity_files *files,
                   struct salus_reason *reason);
/* Wipes the keys. */
void node_identity_unload(struct node_identity *identity);

#endif /* NODE_IDENTITY_H */
