/* SPDX-License-Identifier: Apache-2.0 */
/* The genesis of the ledger of a run, which every replica derives alike. */
#include "sim/service_genesis.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "ledger/codes.h"
#include "sim/workload.h"

#define TIME_BOUND_MS 3600000u /* Wall clocks of a run may be far off. */
#define LATE_AFTER_MS 86400000u

struct parties {
    struct ledger_member members[PBFT_INSTITUTIONS_MAX];
    struct pbft_public_key encryption[PBFT_INSTITUTIONS_MAX];
    struct pbft_public_key *keys; /* Of all members, one after the other. */
    size_t count;
};

static bool same_institution(const struct pbft_institution *a,
                             const struct pbft_institution *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* Each member with the key of its board and those of its clients. */
static void gather(struct parties *parties,
                   const struct service_clients *clients)
{
    struct pbft_institution ids[PBFT_INSTITUTIONS_MAX];
    size_t used = 0;
    parties->count =
        workload_members(ids, clients->count, clients->institutions);
    parties->keys =
        calloc(parties->count + clients->count, sizeof *parties->keys);
    PBFT_ASSERT(parties->keys != NULL);
    for (size_t i = 0; i < parties->count; i++) {
        struct ledger_member *member = &parties->members[i];
        struct pbft_public_key *encryption = &parties->encryption[i];
        workload_encryption_key(encryption, i);
        *member = (struct ledger_member){
            .institution = ids[i],
            .roles = (uint64_t)1 << CODES_INSTITUTION_PROVIDER |
                     (uint64_t)1 << CODES_INSTITUTION_RESEARCH,
            .encryption_key = {encryption->bytes, sizeof encryption->bytes},
            .submit_keys = parties->keys + used,
            .submit_key_count = 1,
        };
        workload_board_key(&parties->keys[used++], i);
        for (uint32_t j = 0; j < clients->count; j++) {
            if (same_institution(&ids[i], &clients->institutions[j])) {
                parties->keys[used++] = clients->keys[j];
                member->submit_key_count++;
            }
        }
    }
}

static void describe(struct ledger_genesis *genesis,
                     const struct parties *parties,
                     const struct ledger_policy *policy)
{
    *genesis = (struct ledger_genesis){
        .members = parties->members,
        .member_count = parties->count,
        .policies = policy,
        .policy_count = 1,
        .table_version = CODES_VERSION,
        .time_bound_ms = TIME_BOUND_MS,
        .late_after_ms = LATE_AFTER_MS,
        .session_window = LEDGER_SESSION_WINDOW_MAX,
    };
    codes_digest(&genesis->table_digest);
}

struct ledger *service_genesis(const struct ledger_kv *kv,
                               const struct pbft_domain *domain,
                               const struct service_clients *clients)
{
    struct ledger *ledger = NULL;
    struct ledger_genesis genesis;
    struct ledger_policy policy = {
        .version = 1, .implicit_consent = 1, .break_glass_override = 2};
    struct parties *parties = calloc(1, sizeof *parties);
    PBFT_ASSERT(parties != NULL);
    gather(parties, clients);
    workload_policy(policy.policy);
    describe(&genesis, parties, &policy);
    genesis.chain = domain->cluster;
    enum pbft_status status = ledger_create(&ledger, kv, &genesis);
    PBFT_ASSERT(status == PBFT_OK);
    free(parties->keys);
    free(parties);
    return ledger;
}
