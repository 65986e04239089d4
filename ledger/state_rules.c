/* SPDX-License-Identifier: Apache-2.0 */
/* What many rules ask of institutions, keys, participants and policies. */
#include <string.h>

#include "ledger/state.h"

/* Retired institutions can be succeeded by others that retire: no chain of
 * successors is longer than this. */
#define SUCCESSORS_MAX 8u

/* If no policy is known: nothing is implied, an emergency is short. */
#define STRICT_WINDOW_MS (24ull * 3600u * 1000u)
#define STRICT_REVIEW_MS (7ull * 24u * 3600u * 1000u)
#define STRICT_TTL_MS (30ull * 24u * 3600u * 1000u)

bool state_is_active_institution(struct overlay *overlay,
                                 const uint8_t *institution)
{
    struct schema_institution found;
    return state_get_institution(overlay, institution, &found) &&
           found.state == SCHEMA_ACTIVE && found.from_seq <= overlay->seq;
}

static bool same(const struct pbft_institution *a,
                 const struct pbft_institution *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool state_speaks_for(struct overlay *overlay,
                      const struct pbft_institution *institution,
                      const struct pbft_institution *holder)
{
    struct pbft_institution at = *holder;
    struct schema_institution found;
    for (unsigned i = 0; i < SUCCESSORS_MAX && !same(&at, institution); i++) {
        if (!state_get_institution(overlay, at.bytes, &found) ||
            !found.has_successor) {
            return false;
        }
        at = found.successor;
    }
    return same(&at, institution);
}

bool state_key_is_active(const struct overlay *overlay,
                         const struct schema_registered_key *key)
{
    return key->state == SCHEMA_ACTIVE && key->from_seq <= overlay->seq &&
           (key->until_seq == 0 || overlay->seq < key->until_seq);
}

bool state_get_active_key(struct overlay *overlay, const uint8_t *key_id,
                          enum schema_purpose purpose,
                          struct schema_registered_key *out)
{
    return state_get_key(overlay, key_id, out) &&
           state_key_is_active(overlay, out) && out->purpose == purpose &&
           state_is_active_institution(overlay, out->institution.bytes);
}

bool state_participant_is_valid(const struct schema_participant *participant,
                                uint64_t now_ms)
{
    return participant->state == SCHEMA_ACTIVE &&
           participant->valid_from_ms <= now_ms &&
           (participant->valid_to_ms == 0 || now_ms < participant->valid_to_ms);
}

bool state_participant_has_role(const struct schema_participant *participant,
                                uint32_t role)
{
    for (size_t i = 0; i < LEDGER_PARTICIPANT_ROLES_MAX; i++) {
        if (participant->roles[i] == role && role != 0) {
            return true;
        }
    }
    return false;
}

bool state_policy_is_active(const struct overlay *overlay,
                            const struct schema_policy *policy)
{
    return policy->state == SCHEMA_ACTIVE && policy->from_seq <= overlay->seq &&
           (policy->until_seq == 0 || overlay->seq < policy->until_seq);
}

void state_strict_policy(struct schema_policy *out)
{
    *out = (struct schema_policy){
        .state = SCHEMA_ACTIVE,
        .implicit_consent = SCHEMA_IMPLICIT_DENY,
        .break_glass_override = SCHEMA_OVERRIDE_NEVER,
        .window_ms = STRICT_WINDOW_MS,
        .review_ms = STRICT_REVIEW_MS,
        .decision_ttl_ms = STRICT_TTL_MS,
        .delinquent_limit = 1,
    };
}

void state_governing_policy(struct overlay *overlay, struct schema_policy *out)
{
    struct schema_governing governing;
    if (state_get_governing(overlay, NULL, &governing)) {
        bool next =
            governing.next_seq != 0 && governing.next_seq <= overlay->seq;
        if (state_get_policy(overlay, next ? governing.next : governing.policy,
                             next ? governing.next_version : governing.version,
                             out)) {
            return;
        }
    }
    state_strict_policy(out);
}
