/* SPDX-License-Identifier: Apache-2.0 */
/* The names of an item in the vault, and whether it is known by one of them. */
#include "fhir/plan_party.h"

struct plan_names plan_names_of(const struct fhir_item *item)
{
    struct plan_names names = {.count = 0};

    if (item->name != NULL) {
        names.items[names.count++] = item->name;
    }
    if (item->full_url != NULL) {
        names.items[names.count++] = item->full_url;
    }
    for (size_t i = 0; i < item->party.identifier_count; i++) {
        names.items[names.count++] = item->party.identifiers[i];
    }
    return names;
}

/* The first name that the vault knows; NULL: none. */
static const char *known_name(struct planner *planner, enum vault_kind kind,
                              const struct plan_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        struct vault_blob blob;
        enum pbft_status status =
            vault_get(planner->options->vault, &blob, kind,
                      planner_text(names->items[i]));
        vault_blob_free(&blob);
        if (status == PBFT_OK) {
            return names->items[i];
        }
        if (status != PBFT_NOT_FOUND) {
            (void)planner_check(planner, status);
            return NULL;
        }
    }
    return NULL;
}

/* All names mean the row of `first`. */
void plan_alias_all(struct planner *planner, enum vault_kind kind,
                    const struct plan_names *names, const char *first)
{
    for (size_t i = 0; i < names->count; i++) {
        enum pbft_status status =
            vault_alias(planner->options->vault, kind, planner_text(first),
                        planner_text(names->items[i]));
        if (status == PBFT_EXISTS) {
            planner_find(planner, FHIR_TAKEN, "identifier");
        } else {
            (void)planner_check(planner, status);
        }
    }
}

/* Several of them may share an identifier. */
static bool is_role_or_group(const struct fhir_item *item)
{
    return item->rank == FHIR_RANK_ROLE || item->rank == FHIR_RANK_GROUP;
}

/* Does every identifier mean that row already? Where a bundle has him says
 * nothing: that is new each time. */
static bool all_are_known(struct planner *planner, enum vault_kind kind)
{
    const struct fhir_party *party = &planner->item->party;
    for (size_t i = 0; i < party->identifier_count; i++) {
        const struct plan_names one = {.items = {party->identifiers[i]},
                                       .count = 1};
        if (known_name(planner, kind, &one) == NULL) {
            return false;
        }
    }
    return true;
}

/* An identifier may be that of a family, or of an employer: who has it, and an
 * id or number of his own, is somebody else. Taken for the same, two patients
 * would get the consents of each other. */
static bool is_another(struct planner *planner, enum vault_kind kind,
                       const struct plan_names *names, const char *known)
{
    if (planner->item->name != NULL || is_role_or_group(planner->item)) {
        return known != names->items[0];
    }
    return !all_are_known(planner, kind);
}

bool plan_is_new(struct planner *planner, enum vault_kind kind,
                 const struct plan_names *names)
{
    if (names->count == 0) {
        planner_find(planner, FHIR_MISSING, "id");
        return false;
    }
    const char *known = known_name(planner, kind, names);
    if (known != NULL && is_another(planner, kind, names, known)) {
        planner_find(planner, FHIR_TAKEN, "identifier");
        return false;
    }
    if (known != NULL) {
        plan_alias_all(planner, kind, names, known);
        return false;
    }
    return planner->status == PBFT_OK;
}
