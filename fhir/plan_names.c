/* SPDX-License-Identifier: Apache-2.0 */
/* The names of an item in the vault, and whether it is known by one of them. */
#include "fhir/plan_party.h"

#include <string.h>

#include "crypto/secret.h"

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

/* ---- the fullUrl of what is known ---------------------------------------- */

static bool is_text(const char *text, const char *wanted)
{
    return text != NULL && strcmp(text, wanted) == 0;
}

/* Was it registered, or anchored, under that name? */
static bool is_under(const struct vault_journal *entry, const char *url)
{
    for (uint32_t i = 0; i < entry->step_count; i++) {
        const struct vault_step *step = &entry->steps[i];
        if (step->code == 0 &&
            (is_text(step->row, url) || is_text(step->name, url))) {
            return true;
        }
    }
    return false;
}

/* Whom the name means: a handle or the id of a participant. NOT_FOUND. */
static enum pbft_status find_party(uint8_t out[VAULT_HANDLE_SIZE],
                                   const struct fhir_item *item,
                                   const char *name, struct vault *vault)
{
    struct vault_participant participant;
    struct vault_subject subject;
    enum pbft_status status;

    static_assert(VAULT_ID_SIZE <= VAULT_HANDLE_SIZE, "both have room");
    memset(out, 0, VAULT_HANDLE_SIZE);
    if (item->rank == FHIR_RANK_PATIENT) {
        status = vault_find_subject(vault, &subject, name);
        if (status == PBFT_OK) {
            memcpy(out, subject.handle, sizeof subject.handle);
        }
        secret_wipe(&subject, sizeof subject);
        return status;
    }
    status = vault_find_participant(vault, &participant, name);
    if (status == PBFT_OK) {
        memcpy(out, participant.id, sizeof participant.id);
    }
    return status;
}

/* All that makes him who he is: his identifiers; of a role, whose it is. */
static size_t list_proofs(const char *out[PLAN_NAMES_MAX],
                          const struct fhir_party *party)
{
    size_t count = 0;

    for (size_t i = 0; i < party->identifier_count; i++) {
        out[count++] = party->identifiers[i];
    }
    if (party->practitioner.name != NULL) {
        out[count++] = party->practitioner.name;
    }
    return count;
}

enum pbft_status fhir_plan_owns_url(bool *out, const struct fhir_item *item,
                                    const struct vault_journal *entry,
                                    struct vault *vault)
{
    const char *proofs[PLAN_NAMES_MAX];
    uint8_t meant[VAULT_HANDLE_SIZE];
    uint8_t found[VAULT_HANDLE_SIZE];

    *out = item->full_url != NULL && is_under(entry, item->full_url);
    if (*out || item->full_url == NULL || item->rank >= FHIR_RANK_CONTEXT) {
        return PBFT_OK;
    }
    size_t count = list_proofs(proofs, &item->party);
    enum pbft_status status = find_party(meant, item, item->full_url, vault);
    *out = status == PBFT_OK && count > 0;
    for (size_t i = 0; i < count && status == PBFT_OK; i++) {
        status = find_party(found, item, proofs[i], vault);
        *out = *out && status == PBFT_OK &&
               memcmp(found, meant, sizeof found) == 0;
    }
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}
