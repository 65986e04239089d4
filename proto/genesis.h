/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that all replicas start from; their digest is the cluster id.
 */
#ifndef PROTO_GENESIS_H
#define PROTO_GENESIS_H

#include "consensus/crypto.h"
#include "consensus/status.h"
#include "consensus/verify.h"
#include "proto/buffer.h"
#include "proto/member.h"
#include "proto/reason.h"

#define GENESIS_VERSION 1
#define GENESIS_NONCE_SIZE 32
#define GENESIS_MEMBERS_MAX PBFT_INSTITUTIONS_MAX
#define GENESIS_POLICIES_MAX 64
#define GENESIS_POLICY_ID_SIZE 16
#define GENESIS_URI_MAX 255

/* What may stand in Parameters, besides the limits of consensus/types.h. */
#define GENESIS_TIME_BOUND_MS_MAX 3600000u    /* An hour: clocks, not zones. */
#define GENESIS_LATE_AFTER_MS_MAX 2678400000u /* 31 days. */
#define GENESIS_SESSION_WINDOW_MAX 1024u      /* Kept per session as bits. */

struct genesis_parameters {
    uint32_t window;
    uint32_t checkpoint_interval;
    uint32_t batch_requests_max;
    uint32_t batch_bytes_max;
    uint32_t time_bound_ms;
    uint32_t late_after_ms;
    uint32_t session_window;
};

struct genesis_policy {
    uint8_t policy[GENESIS_POLICY_ID_SIZE];
    uint32_t version;
    char uri[GENESIS_URI_MAX + 1];
    bool has_sha256;
    uint8_t sha256[32];
    uint32_t implicit_consent;     /* 1..4, as in files.proto. */
    uint32_t break_glass_override; /* 1..3. */
};

struct salus_genesis {
    char name[MEMBER_NAME_MAX + 1];
    uint8_t nonce[GENESIS_NONCE_SIZE];
    struct salus_member *members; /* Owned; ascending by institution id. */
    uint32_t member_count;
    struct genesis_parameters parameters;
    struct genesis_policy *policies; /* Owned; ascending by id, version. */
    uint32_t policy_count;
    uint32_t table_version;
    struct pbft_digest table_digest;
};

/* Zeroed, with room for so many members and policies; NULL if a count is above
 * its limit or memory short. */
struct salus_genesis *genesis_create(uint32_t member_count,
                                     uint32_t policy_count);
void genesis_destroy(struct salus_genesis *genesis); /* NULL is fine. */

/* What `salus init` and `salus genesis` start from. */
void genesis_parameters_defaults(struct genesis_parameters *parameters);

/* Brings members and policies into the order that the file demands. */
void genesis_sort(struct salus_genesis *genesis);

/* All rules: of each member, distinct ids, names, keys and addresses, order,
 * number of replicas (1, or 4 and more), parameters, policies, possession
 * signatures. PBFT_INVALID_CONFIG or PBFT_BAD_SIGNATURE, and one line. */
PBFT_MUST_USE enum pbft_status
genesis_check(const struct pbft_crypto *crypto,
              const struct salus_genesis *genesis, struct salus_reason *reason);

/* Decodes and checks. Errors: those of genesis_check(), PBFT_MALFORMED,
 * PBFT_NOT_CANONICAL, PBFT_TOO_LARGE, PBFT_VERSION, PBFT_NO_MEMORY. The caller
 * destroys `*out`. */
PBFT_MUST_USE enum pbft_status genesis_decode(const struct pbft_crypto *crypto,
                                              struct pbft_bytes bytes,
                                              struct salus_genesis **out,
                                              struct salus_reason *reason);
/* Appends the canonical bytes; checks nothing. */
PBFT_MUST_USE enum pbft_status
genesis_encode(const struct salus_genesis *genesis, struct wire_buffer *buffer);

/* BLAKE2b-256("salus/genesis/1" padded to 16 | canonical bytes). */
void genesis_cluster_id(const struct pbft_crypto *crypto,
                        struct pbft_bytes canonical, struct pbft_digest *out);

/* The id of a policy: the first 16 bytes of BLAKE2b-256(uri). */
void genesis_policy_id(const struct pbft_crypto *crypto, const char *uri,
                       uint8_t out[GENESIS_POLICY_ID_SIZE]);

/* A genesis file: armored text in, checked genesis and cluster id out. */
PBFT_MUST_USE enum pbft_status genesis_parse(const struct pbft_crypto *crypto,
                                             struct pbft_bytes text,
                                             struct salus_genesis **out,
                                             struct pbft_digest *cluster,
                                             struct salus_reason *reason);

/* The members that run a replica are replicas 0, 1, ... in their order. */
uint32_t genesis_replica_count(const struct salus_genesis *genesis);
/* NULL if there is no such replica. */
const struct salus_member *genesis_replica(const struct salus_genesis *genesis,
                                           pbft_replica_id replica);
/* False if the member runs none. `member` must be one of this genesis. */
bool genesis_replica_id(const struct salus_genesis *genesis,
                        const struct salus_member *member,
                        pbft_replica_id *out);

/* NULL if there is none. */
const struct salus_member *
genesis_find(const struct salus_genesis *genesis,
             const struct pbft_institution *institution);
const struct salus_member *
genesis_find_name(const struct salus_genesis *genesis, const char *name);
/* By replica key. */
const struct salus_member *
genesis_find_replica_key(const struct salus_genesis *genesis,
                         const struct pbft_public_key *key);

/* The keyring of epoch 0: every replica's key, incarnation 0. */
void genesis_keyring(const struct salus_genesis *genesis,
                     struct pbft_keyring *out);

#endif /* PROTO_GENESIS_H */
