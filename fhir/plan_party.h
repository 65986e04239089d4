/* SPDX-License-Identifier: Apache-2.0 */
/* What the planners of those who act share; for fhir/ only. */
#ifndef FHIR_PLAN_PARTY_H
#define FHIR_PLAN_PARTY_H

#include "fhir/planner.h"

/* All names of an item: its own, the bundle's, its identifiers. */
#define PLAN_NAMES_MAX (FHIR_IDENTIFIERS_MAX + 2)

struct plan_names {
    const char *items[PLAN_NAMES_MAX];
    size_t count;
};

/* What the ledger holds of a participant, and may change. */
struct plan_terms {
    uint32_t roles[LEDGER_PARTICIPANT_ROLES_MAX];
    size_t role_count;
    uint64_t from_ms; /* 0: open. */
    uint64_t to_ms;
    const uint8_t *members; /* Ids, one after the other. */
    size_t member_count;
};

/* As the ledger counts; 0: open. */
uint64_t plan_time(bool has, int64_t time);

/* PARTICIPANT_UPDATE: the terms replace those before. */
void plan_update(struct planner *planner, const uint8_t id[VAULT_ID_SIZE],
                 const struct plan_terms *terms);

/* A PractitionerRole that says whose it is (plan_role.c). */
void plan_role(struct planner *planner, const struct plan_names *names);

#endif /* FHIR_PLAN_PARTY_H */
