/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of scenario scripts: which messages a rule is about. */
#ifndef SIM_PATTERN_H
#define SIM_PATTERN_H

#include "sim/network.h"

struct sim;

struct actor_set {
    uint64_t words[(SIM_ACTORS_MAX + 63) / 64];
};

static inline void actor_set_add(struct actor_set *set, uint32_t actor)
{
    set->words[actor / 64] |= UINT64_C(1) << actor % 64;
}

static inline void actor_set_remove(struct actor_set *set, uint32_t actor)
{
    set->words[actor / 64] &= ~(UINT64_C(1) << actor % 64);
}

static inline bool actor_set_has(const struct actor_set *set, uint32_t actor)
{
    return (set->words[actor / 64] >> actor % 64 & 1) != 0;
}

#define PATTERN_REPLY 0       /* Bit 0: replies to clients. */
#define PATTERN_CHECKPOINT 31 /* Attestations at checkpoints alone. */

struct pattern {
    uint32_t types; /* Bit per enum pbft_message_type, and the two above. */
    bool has_from;
    bool has_to;
    bool has_view;
    bool has_seq;
    struct actor_set from;
    struct actor_set to;
    pbft_view view;
    pbft_seq seq;
};

/* The bits of a type word: "commit", "state", "*", ... False: no such type. */
bool pattern_types(const char *word, uint32_t *types);

/* Type, view and seq; `is_reply`: it answers a client. What has no view or no
 * seq of its own does not match a pattern that asks for one. */
bool pattern_matches_message(const struct sim *sim,
                             const struct pattern *pattern,
                             const struct pbft_message *message, bool is_reply);
bool pattern_equal(const struct pattern *a, const struct pattern *b);
bool pattern_matches(const struct sim *sim, const struct pattern *pattern,
                     const struct sim_packet *packet);

#endif /* SIM_PATTERN_H */
