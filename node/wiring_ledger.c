/* SPDX-License-Identifier: Apache-2.0 */
/* The genesis file as the ledger takes it, and the ledger on the storage. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "node/wiring.h"

static uint64_t role_bits(const struct salus_member *member)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < member->role_count; i++) {
        if (member->roles[i] < 64) {
            bits |= UINT64_C(1) << member->roles[i];
        }
    }
    return bits;
}

static struct ledger_member describe_member(const struct salus_member *from)
{
    struct ledger_member to = {
        .institution = from->institution,
        .name = from->name,
        .legal_name = from->legal_name,
        .country = from->country,
        .roles = role_bits(from),
        .submit_keys = from->submit_keys,
        .submit_key_count = from->submit_key_count,
    };
    if (from->has_replica) {
        to.replica_key =
            (struct pbft_bytes){from->replica_key.bytes, PBFT_PUBLIC_KEY_SIZE};
    }
    if (from->has_encryption_key) {
        to.encryption_key = (struct pbft_bytes){from->encryption_key,
                                                MEMBER_ENCRYPTION_KEY_SIZE};
    }
    return to;
}

static struct ledger_policy describe_policy(const struct genesis_policy *from)
{
    struct ledger_policy to = {
        .version = from->version,
        .implicit_consent = from->implicit_consent,
        .break_glass_override = from->break_glass_override,
    };
    static_assert(sizeof to.policy == sizeof from->policy,
                  "policy ids have one size");
    memcpy(to.policy, from->policy, sizeof to.policy);
    if (from->has_sha256) {
        to.sha256 = (struct pbft_bytes){from->sha256, sizeof from->sha256};
    }
    return to;
}

static enum pbft_status create(struct node *node, struct ledger_member *members,
                               struct ledger_policy *policies)
{
    const struct salus_genesis *from = node->identity->genesis;
    for (uint32_t i = 0; i < from->member_count; i++) {
        members[i] = describe_member(&from->members[i]);
    }
    for (uint32_t i = 0; i < from->policy_count; i++) {
        policies[i] = describe_policy(&from->policies[i]);
    }
    const struct ledger_genesis genesis = {
        .chain = node->identity->cluster,
        .members = members,
        .member_count = from->member_count,
        .policies = policies,
        .policy_count = from->policy_count,
        .table_version = from->table_version,
        .table_digest = from->table_digest,
        .time_bound_ms = from->parameters.time_bound_ms,
        .late_after_ms = from->parameters.late_after_ms,
        .session_window = from->parameters.session_window,
    };
    return ledger_create(&node->ledger, storage_state_kv(node->state),
                         &genesis);
}

/* Block and ledger state are written together, so they must agree. */
static enum pbft_status compare_heights(struct node *node,
                                        struct salus_reason *reason)
{
    struct ledger_position position;
    struct pbft_attestation applied;
    ledger_position(node->ledger, &position);
    storage_applied(node->storage, &applied);
    if (position.seq != applied.seq) {
        salus_reason_set(reason,
                         "the ledger is at block %" PRIu64
                         ", the blocks are at %" PRIu64,
                         position.seq, applied.seq);
        return PBFT_CORRUPT;
    }
    atomic_store(&node->transactions, position.transactions);
    atomic_store(&node->block_time, position.time);
    return PBFT_OK;
}

enum pbft_status wiring_open_ledger(struct node *node,
                                    struct salus_reason *reason)
{
    const struct salus_genesis *genesis = node->identity->genesis;
    node->state = storage_state_create(node->storage);
    struct ledger_member *members =
        calloc(genesis->member_count, sizeof *members);
    struct ledger_policy *policies =
        calloc((size_t)genesis->policy_count + 1, sizeof *policies);
    PBFT_ASSERT(node->state != NULL);
    PBFT_ASSERT(members != NULL);
    PBFT_ASSERT(policies != NULL);
    enum pbft_status status = create(node, members, policies);
    free(members);
    free(policies);
    if (status != PBFT_OK) {
        salus_reason_set(reason, "opening the ledger: %s",
                         status == PBFT_INVALID_CONFIG
                             ? "the genesis contradicts itself, or has other "
                               "code tables than this version"
                             : pbft_status_text(status));
        (void)storage_failure(node->storage, reason);
        return status;
    }
    status = storage_incarnations(node->storage, node->identity->replica_count,
                                  &node->incarnations);
    if (status != PBFT_OK) {
        salus_reason_set(reason, "the table of incarnations is unreadable");
        return status;
    }
    storage_state_gather(node->state);
    return compare_heights(node, reason);
}
