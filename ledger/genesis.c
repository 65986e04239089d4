/* SPDX-License-Identifier: Apache-2.0 */
/* The state at height 0: institutions, their keys, and policies. */
#include "ledger/genesis.h"

#include <string.h>

#include "ledger/codes.h"
#include "ledger/state.h"
#include "ledger/transaction.h"

static bool policy_is_sound(const struct ledger_policy *policy)
{
    return policy->version != 0 &&
           (policy->sha256.size == 0 || policy->sha256.size == 32);
}

static bool member_is_sound(const struct ledger_member *member)
{
    return (member->replica_key.size == 0 ||
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
        .implicit_consent = policy->implicit_consent,
        .break_glass_override = policy->break_glass_override,
    };
    schema_key_policy(&key, policy->policy, policy->version);
    if (overlay_has(overlay, &key)) {
        return false;
    }
    if (policy->sha256.size > 0) {
        memcpy(state.sha256, policy->sha256.data, sizeof state.sha256);
    }
    state_put_policy(overlay, policy->policy, policy->version, &state);
    return true;
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
    *position = (struct schema_position){0};
    merkle_accumulator_init(&position->blocks);
    merkle_accumulator_root(&position->blocks, &position->ledger_root);
    state_put_position(overlay, position);
    return fresh;
}
