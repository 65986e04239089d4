/* SPDX-License-Identifier: Apache-2.0 */
/* Emergencies about the hospital's patient that the clinic's doctor declares,
 * in worlds of different policies. */
#ifndef TESTS_SUPPORT_LEDGER_EMERGENCIES_H
#define TESTS_SUPPORT_LEDGER_EMERGENCIES_H

#include "tests/support/ledger_access.h"

#define HOUR_MS 3600000u
#define DAY_MS 86400000u

struct broken {
    Salus__V1__BreakGlass in;
    uint8_t id[LEDGER_ID_SIZE];
};

#define NEVER 1u
#define UNLESS_DENIED 2u
#define ALWAYS 3u

/* What policy implies where there is no consent; 0: as the fixture has it. Each
 * policy needs a world of its own. */
static inline struct world *make_world_of(uint32_t implicit, uint32_t override)
{
    struct world *world = world_create_empty(7);
    ledger_destroy(world->ledger);
    ledger_kv_memory_destroy(world->memory);
    world->policy.break_glass_override = override;
    if (implicit != 0) {
        world->policy.implicit_consent = implicit;
    }
    world_open(world, &world->memory, &world->ledger);
    world_register_subjects(world);
    act_register_in(world, CLINIC, CODES_ROLE_DOCTOR, world->outsider);
    act_register_in(world, HOSPITAL, CODES_ROLE_DOCTOR, world->doctor);
    return world;
}

static inline struct world *make_world(uint32_t override)
{
    return make_world_of(0, override);
}

static inline void break_for(struct world *world, struct broken *out)
{
    salus__v1__break_glass__init(&out->in);
    world_fill(world, out->id, sizeof out->id);
    out->in.break_glass = field_of(out->id, 16);
    out->in.subject = field_of(world->subject, 32);
    out->in.reason = CODES_REASON_LIFE_THREAT;
    out->in.window_ms = HOUR_MS;
    out->in.purpose = CODES_PURPOSE_BTG;
}

static inline uint32_t declare(struct world *world, struct broken *broken)
{
    return act_as(world, CLINIC, world->outsider, TRANSACTION_BREAK_GLASS,
                  &broken->in.base);
}

static inline uint32_t grant_under(struct world *world, const uint8_t *record,
                                   const struct broken *broken)
{
    uint8_t commit[32];
    Salus__V1__KeyGrant in = SALUS__V1__KEY_GRANT__INIT;
    world_fill(world, commit, sizeof commit);
    in.record = field_of(record, 16);
    in.version = 1;
    in.recipient_key = field_of(world->parties[CLINIC].encryption_id.bytes, 16);
    in.wrap_commit = field_of(commit, 32);
    in.break_glass = field_of(broken->id, 16);
    return act_simple(world, HOSPITAL, TRANSACTION_KEY_GRANT, &in.base);
}

static inline uint32_t review_as(struct world *world, enum who who,
                                 const uint8_t *officer,
                                 const struct broken *broken,
                                 Salus__V1__BreakGlassReview__Finding finding)
{
    uint8_t commit[32];
    Salus__V1__BreakGlassReview in = SALUS__V1__BREAK_GLASS_REVIEW__INIT;
    world_fill(world, commit, sizeof commit);
    in.break_glass = field_of(broken->id, 16);
    in.finding = finding;
    in.finding_commit = field_of(commit, 32);
    return act_as(world, who, officer, TRANSACTION_BREAK_GLASS_REVIEW,
                  &in.base);
}

/* Finds that it was not justified. */
static inline uint32_t review(struct world *world, enum who who,
                              const uint8_t *officer,
                              const struct broken *broken)
{
    return review_as(world, who, officer, broken,
                     SALUS__V1__BREAK_GLASS_REVIEW__FINDING__NOT_JUSTIFIED);
}

static inline const Salus__V1__BreakGlassList *
emergencies_at(struct world *world, Salus__V1__BreakGlassQuery__Filter filter,
               struct wire_arena *arena, uint64_t at_ms)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__BreakGlassQuery in = SALUS__V1__BREAK_GLASS_QUERY__INIT;
    in.filter = filter;
    in.at_ms = at_ms;
    query.kind_case = SALUS__V1__QUERY__KIND_BREAK_GLASS;
    query.break_glass = &in;
    return act_ask(world, CLINIC, &query, arena)->break_glass;
}

static inline const Salus__V1__BreakGlassList *
emergencies(struct world *world, Salus__V1__BreakGlassQuery__Filter filter,
            struct wire_arena *arena)
{
    return emergencies_at(world, filter, arena, 0);
}

/* Of the clinic. */
static inline const Salus__V1__Obligations *
duties(struct world *world, struct wire_arena *arena, uint64_t at_ms)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ObligationsQuery in = SALUS__V1__OBLIGATIONS_QUERY__INIT;
    in.at_ms = at_ms;
    query.kind_case = SALUS__V1__QUERY__KIND_OBLIGATIONS;
    query.obligations = &in;
    return act_ask(world, CLINIC, &query, arena)->obligations;
}

#endif /* TESTS_SUPPORT_LEDGER_EMERGENCIES_H */
