/* SPDX-License-Identifier: Apache-2.0 */
/* What the planners of those who act, and of what has names in the vault,
 * share; for fhir/ only. */
#ifndef FHIR_PLAN_PARTY_H
#define FHIR_PLAN_PARTY_H

#include "fhir/planner.h"

/* All names of an item: its own, the bundle's, its identifiers. */
#define PLAN_NAMES_MAX (FHIR_IDENTIFIERS_MAX + 2)

struct plan_names {
    const char *items[PLAN_NAMES_MAX];
    size_t count;
};

struct plan_names plan_names_of(const struct fhir_item *item);
/* True if it is new and has a name to be stored under. One that is known gets
 * the names that it did not have; what is somebody else's is a finding. */
bool plan_is_new(struct planner *planner, enum vault_kind kind,
                 const struct plan_names *names);
/* All names mean the row of `first`. */
void plan_alias_all(struct planner *planner, enum vault_kind kind,
                    const struct plan_names *names, const char *first);

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
