/* SPDX-License-Identifier: Apache-2.0 */
/* The state at height 0: institutions, their keys, and policies. */
#include "ledger/genesis.h"

#include <string.h>

#include "ledger/codes.h"
#include "ledger/state.h"
#include "ledger/transaction.h"

/* What the genesis does not say of its policies: an emergency of a day, its
 * review within a week, decisions of thirty days. */
#define GENESIS_WINDOW_MS (24ull * 3600u * 1000u)
#define GENESIS_REVIEW_MS (7ull * GENESIS_WINDOW_MS)
#define GENESIS_TTL_MS (30ull * GENESIS_WINDOW_MS)
#define GENESIS_DELINQUENT_LIMIT 3u

static bool policy_is_sound(const struct ledger_policy *policy)
{
    return policy->version != 0 &&
           (policy->sha256.size == 0 || policy->sha256.size == 32);
}

static bool text_fits(const char *text, size_t max)
{
    return text == NULL || strlen(text) <= max;
}

static bool member_is_sound(const struct ledger_member *member)
{
    return text_fits(member->name, LEDGER_NAME_MAX) &&
           text_fits(member->legal_name, LEDGER_LEGAL_NAME_MAX) &&
           text_fits(member->country, LEDGER_COUNTRY_SIZE) &&
           (member->replica_key.size == 0 ||
            member->replica_key.size == PBFT_PUBLIC_KEY_SIZE) &&
           (member->encryption_key.size == 0 ||
            member->encryption_key.size == PBFT_PUBLIC_KEY_SIZE);
}

bool genesis_is_sound(const struct ledger_genesis *genesis)
{
    struct pbft_digest tables;
    codes_digest(&tables);
    bool sound = genesis->table_version == CODES_VERSION &&
                 memcmp(&tables, &genesis->table_digest, sizeof tables) == 0 &&
                 genesis->session_window >= 1 &&
                 genesis->session_window <= LEDGER_SESSION_WINDOW_MAX &&
                 genesis->member_count >= 1 &&
                 genesis->member_count <= PBFT_INSTITUTIONS_MAX;
    for (size_t i = 0; sound && i < genesis->member_count; i++) {
        sound = member_is_sound(&genesis->members[i]);
    }
    for (size_t i = 0; sound && i < genesis->policy_count; i++) {
        sound = policy_is_sound(&genesis->policies[i]);
    }
    return sound;
}

/* False if the key is registered already. */
static bool put_key(struct overlay *overlay, const struct ledger_member *member,
                    const uint8_t *bytes, enum schema_purpose purpose)
{
    struct transaction_key_id id;
    struct schema_key key;
    struct schema_registered_key registered = {
        .state = SCHEMA_ACTIVE,
        .purpose = purpose,
        .institution = member->institution,
    };
    transaction_key_id(&id, bytes);
    schema_key_key(&key, id.bytes);
    if (overlay_has(overlay, &key)) {
        return false;
    }
    memcpy(registered.key.bytes, bytes, sizeof registered.key.bytes);
    state_put_key(overlay, id.bytes, &registered);
    return true;
}

static bool put_keys(struct overlay *overlay,
                     const struct ledger_member *member)
{
    bool fresh = true;
    if (member->replica_key.size > 0) {
        fresh = put_key(overlay, member, member->replica_key.data,
                        SCHEMA_KEY_REPLICA);
    }
    if (fresh && member->encryption_key.size > 0) {
        fresh = put_key(overlay, member, member->encryption_key.data,
                        SCHEMA_KEY_ENCRYPTION);
    }
    for (size_t i = 0; fresh && i < member->submit_key_count; i++) {
        fresh = put_key(overlay, member, member->submit_keys[i].bytes,
                        SCHEMA_KEY_SUBMIT);
    }
    return fresh;
}

static bool put_member(struct overlay *overlay,
                       const struct ledger_member *member)
{
    struct schema_key key;
    const struct schema_institution institution = {
        .state = SCHEMA_ACTIVE,
        .roles = member->roles,
        .has_replica = member->replica_key.size > 0,
    };
    schema_key_institution(&key, member->institution.bytes);
    if (overlay_has(overlay, &key)) {
        return false;
    }
    state_put_institution(overlay, member->institution.bytes, &institution);
    return put_keys(overlay, member);
}

static bool put_policy(struct overlay *overlay,
                       const struct ledger_policy *policy)
{
    struct schema_key key;
    struct schema_policy state = {
        .state = SCHEMA_ACTIVE,
        .implicit_consent = (enum schema_implicit)policy->implicit_consent,
        .break_glass_override =
            (enum schema_override)policy->break_glass_override,
        .window_ms = GENESIS_WINDOW_MS,
        .review_ms = GENESIS_REVIEW_MS,
        .decision_ttl_ms = GENESIS_TTL_MS,
        .delinquent_limit = GENESIS_DELINQUENT_LIMIT,
    };
    struct schema_newest newest = {0};
    schema_key_policy(&key, policy->policy, policy->version);
    if (overlay_has(overlay, &key)) {
        return false;
    }
    if (policy->sha256.size > 0) {
        memcpy(state.sha256, policy->sha256.data, sizeof state.sha256);
    }
    state_put_policy(overlay, policy->policy, policy->version, &state);
    (void)state_get_newest(overlay, policy->policy, &newest);
    if (newest.version < policy->version) {
        newest = (struct schema_newest){policy->version, policy->version};
        state_put_newest(overlay, policy->policy, &newest);
    }
    return true;
}

/* Is `a` stricter than `b`: implies less, and gives less way to emergencies? */
static bool is_stricter(const struct ledger_policy *a,
                        const struct ledger_policy *b)
{
    if (a->implicit_consent != b->implicit_consent) {
        return a->implicit_consent > b->implicit_consent;
    }
    return a->break_glass_override < b->break_glass_override;
}

/* The strictest one rules the ledger, until a POLICY_ACTIVATE says otherwise.
 */
static void put_governing(struct overlay *overlay,
                          const struct ledger_genesis *genesis)
{
    const struct ledger_policy *strictest = genesis->policies;
    struct schema_governing governing = {0};
    if (genesis->policy_count == 0) {
        return;
    }
    for (size_t i = 1; i < genesis->policy_count; i++) {
        if (is_stricter(&genesis->policies[i], strictest)) {
            strictest = &genesis->policies[i];
        }
    }
    memcpy(governing.policy, strictest->policy, sizeof governing.policy);
    governing.version = strictest->version;
    state_put_governing(overlay, NULL, &governing);
}

static void put_counts(struct overlay *overlay,
                       const struct ledger_genesis *genesis)
{
    struct schema_counts counts = {.active = (uint32_t)genesis->member_count};
    for (size_t i = 0; i < genesis->member_count; i++) {
        counts.replicas += genesis->members[i].replica_key.size > 0;
    }
    counts.active_replicas = counts.replicas;
    state_put_counts(overlay, NULL, &counts);
}

bool genesis_write(struct overlay *overlay,
                   const struct ledger_genesis *genesis,
                   struct schema_position *position)
{
    struct schema_key key;
    bool fresh = true;
    schema_key_chain(&key);
    overlay_put(
        overlay, &key,
        (struct pbft_bytes){genesis->chain.bytes, sizeof genesis->chain.bytes});
    for (size_t i = 0; fresh && i < genesis->member_count; i++) {
        fresh = put_member(overlay, &genesis->members[i]);
    }
    for (size_t i = 0; fresh && i < genesis->policy_count; i++) {
        fresh = put_policy(overlay, &genesis->policies[i]);
    }
    put_governing(overlay, genesis);
    put_counts(overlay, genesis);
    *position = (struct schema_position){0};
    merkle_accumulator_init(&position->blocks);
    merkle_accumulator_root(&position->blocks, &position->ledger_root);
    state_put_position(overlay, position);
    return fresh;
}
