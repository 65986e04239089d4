/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a genesis, questions to it, and its digest. */
#include "proto/genesis.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

struct salus_genesis *genesis_create(uint32_t member_count,
                                     uint32_t policy_count)
{
    if (member_count > GENESIS_MEMBERS_MAX ||
        policy_count > GENESIS_POLICIES_MAX) {
        return NULL;
    }
    struct salus_genesis *genesis = calloc(1, sizeof *genesis);
    if (genesis == NULL) {
        return NULL;
    }
    /* One more than needed: no allocation of size 0. */
    genesis->members = calloc(member_count + 1, sizeof *genesis->members);
    genesis->policies = calloc(policy_count + 1, sizeof *genesis->policies);
    if (genesis->members == NULL || genesis->policies == NULL) {
        genesis_destroy(genesis);
        return NULL;
    }
    genesis->member_count = member_count;
    genesis->policy_count = policy_count;
    return genesis;
}

void genesis_destroy(struct salus_genesis *genesis)
{
    if (genesis != NULL) {
        free(genesis->members);
        free(genesis->policies);
        free(genesis);
    }
}

void genesis_parameters_defaults(struct genesis_parameters *parameters)
{
    *parameters = (struct genesis_parameters){
        .window = 256,
        .checkpoint_interval = 64,
        .batch_requests_max = 1024,
        .batch_bytes_max = PBFT_REQUEST_BYTES_MAX,
        .time_bound_ms = 5000,
        .late_after_ms = 24u * 3600u * 1000u,
        .session_window = 256,
    };
}

static int compare_members(const void *a, const void *b)
{
    const struct salus_member *left = a;
    const struct salus_member *right = b;
    return memcmp(left->institution.bytes, right->institution.bytes,
                  PBFT_INSTITUTION_SIZE);
}

static int compare_policies(const void *a, const void *b)
{
    const struct genesis_policy *left = a;
    const struct genesis_policy *right = b;
    int order = memcmp(left->policy, right->policy, GENESIS_POLICY_ID_SIZE);
    if (order != 0) {
        return order;
    }
    return (left->version > right->version) - (left->version < right->version);
}

void genesis_sort(struct salus_genesis *genesis)
{
    qsort(genesis->members, genesis->member_count, sizeof *genesis->members,
          compare_members);
    qsort(genesis->policies, genesis->policy_count, sizeof *genesis->policies,
          compare_policies);
}

void genesis_cluster_id(const struct pbft_crypto *crypto,
                        struct pbft_bytes canonical, struct pbft_digest *out)
{
    static const uint8_t tag[16] = "salus/genesis/1";
    const struct pbft_bytes parts[] = {{tag, sizeof tag}, canonical};
    crypto->digest(crypto->context, out, parts, 2);
}

void genesis_policy_id(const struct pbft_crypto *crypto, const char *uri,
                       uint8_t out[GENESIS_POLICY_ID_SIZE])
{
    const struct pbft_bytes part = {(const uint8_t *)uri, strlen(uri)};
    struct pbft_digest digest;
    crypto->digest(crypto->context, &digest, &part, 1);
    memcpy(out, digest.bytes, GENESIS_POLICY_ID_SIZE);
}

uint32_t genesis_replica_count(const struct salus_genesis *genesis)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < genesis->member_count; i++) {
        count += genesis->members[i].has_replica;
    }
    return count;
}

const struct salus_member *genesis_replica(const struct salus_genesis *genesis,
                                           pbft_replica_id replica)
{
    pbft_replica_id next = 0;
    for (uint32_t i = 0; i < genesis->member_count; i++) {
        const struct salus_member *member = &genesis->members[i];
        if (member->has_replica && next++ == replica) {
            return member;
        }
    }
    return NULL;
}

bool genesis_replica_id(const struct salus_genesis *genesis,
                        const struct salus_member *member, pbft_replica_id *out)
{
    pbft_replica_id next = 0;
    PBFT_ASSERT(member >= genesis->members);
    PBFT_ASSERT(member < genesis->members + genesis->member_count);
    for (const struct salus_member *at = genesis->members; at < member; at++) {
        next += at->has_replica;
    }
    *out = next;
    return member->has_replica;
}

const struct salus_member *
genesis_find(const struct salus_genesis *genesis,
             const struct pbft_institution *institution)
{
    for (uint32_t i = 0; i < genesis->member_count; i++) {
        if (memcmp(&genesis->members[i].institution, institution,
                   sizeof *institution) == 0) {
            return &genesis->members[i];
        }
    }
    return NULL;
}

const struct salus_member *
genesis_find_name(const struct salus_genesis *genesis, const char *name)
{
    for (uint32_t i = 0; i < genesis->member_count; i++) {
        if (strcmp(genesis->members[i].name, name) == 0) {
            return &genesis->members[i];
        }
    }
    return NULL;
}

const struct salus_member *
genesis_find_replica_key(const struct salus_genesis *genesis,
                         const struct pbft_public_key *key)
{
    for (uint32_t i = 0; i < genesis->member_count; i++) {
        const struct salus_member *member = &genesis->members[i];
        if (member->has_replica &&
            memcmp(&member->replica_key, key, sizeof *key) == 0) {
            return member;
        }
    }
    return NULL;
}

void genesis_keyring(const struct salus_genesis *genesis,
                     struct pbft_keyring *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < genesis->member_count; i++) {
        const struct salus_member *member = &genesis->members[i];
        if (member->has_replica) {
            PBFT_ASSERT(out->replica_count < PBFT_REPLICAS_MAX);
            out->keys[out->replica_count++] = member->replica_key;
        }
    }
}
