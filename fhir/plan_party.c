/* SPDX-License-Identifier: Apache-2.0 */
/* Patients, professionals, units and groups: a random id each, and names in the
 * vault by which others find it. */
#include <string.h>

#include "fhir/planner.h"

/* All names of the item: its own, the bundle's, its identifiers. */
#define NAMES_MAX (FHIR_IDENTIFIERS_MAX + 2)

struct names {
    const char *items[NAMES_MAX];
    size_t count;
};

static struct names names_of(const struct fhir_item *item)
{
    struct names names = {.count = 0};

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
                              const struct names *names)
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
static void alias_all(struct planner *planner, enum vault_kind kind,
                      const struct names *names, const char *first)
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

/* True if it is new and has a name to be stored under. */
static bool is_new(struct planner *planner, enum vault_kind kind,
                   const struct names *names)
{
    if (names->count == 0) {
        planner_find(planner, FHIR_MISSING, "id");
        return false;
    }
    const char *known = known_name(planner, kind, names);
    if (known != NULL) {
        alias_all(planner, kind, names, known);
        return false;
    }
    return planner->status == PBFT_OK;
}

void plan_patient(struct planner *planner)
{
    struct names names = names_of(planner->item);
    struct vault_subject subject;

    if (!is_new(planner, VAULT_SUBJECT, &names) ||
        !planner_check(planner, vault_add_subject(planner->options->vault,
                                                  &subject, names.items[0]))) {
        return;
    }
    alias_all(planner, VAULT_SUBJECT, &names, names.items[0]);
    struct transaction_subject row = {
        .handle = {subject.handle, sizeof subject.handle}, .epoch_no = 1};
    struct transaction transaction = {
        .type = TRANSACTION_SUBJECT_REGISTER,
        .subject_register = {.subjects = &row, .subject_count = 1}};
    (void)planner_add_row(planner, &transaction, VAULT_SUBJECT, names.items[0]);
}

/* Ids of a group's members, one after the other; NULL: not all are known. */
static uint8_t *member_ids(struct planner *planner,
                           const struct fhir_party *party)
{
    struct fhir_item *item = planner->item;
    struct fhir_reader reader = {.report = &item->report,
                                 .arena = &item->arena};
    uint8_t *ids =
        fhir_allocate(&reader, (party->member_count + 1) * VAULT_ID_SIZE);

    for (size_t i = 0; ids != NULL && i < party->member_count; i++) {
        struct vault_participant member;
        if (planner_participant(planner, &member, &party->members[i])) {
            memcpy(ids + i * VAULT_ID_SIZE, member.id, VAULT_ID_SIZE);
        }
    }
    return planner_is_sound(planner) ? ids : NULL;
}

static uint64_t time_or_open(bool has, int64_t time)
{
    if (!has) {
        return 0;
    }
    return time > 0 ? (uint64_t)time : 1;
}

static void register_party(struct planner *planner,
                           const struct vault_participant *participant,
                           const uint8_t *members, const char *name)
{
    const struct fhir_party *party = &planner->item->party;
    struct transaction transaction = {
        .type = TRANSACTION_PARTICIPANT_REGISTER,
        .participant_register = {
            .participant = {participant->id, sizeof participant->id},
            .kind = party->kind,
            .roles = {party->roles, party->role_count},
            .valid_from_ms =
                time_or_open(party->period.has_from, party->period.from),
            .valid_to_ms = time_or_open(party->period.has_to, party->period.to),
            .members = {members, party->member_count}}};

    (void)planner_add_row(planner, &transaction, VAULT_PARTICIPANT, name);
}

void plan_participant(struct planner *planner)
{
    const struct fhir_party *party = &planner->item->party;
    struct names names = names_of(planner->item);
    struct vault_participant participant;
    const uint8_t *members = NULL;

    if (!is_new(planner, VAULT_PARTICIPANT, &names)) {
        return;
    }
    if (party->kind == TRANSACTION_GROUP) {
        if (party->member_count == 0) {
            planner_find(planner, FHIR_GROUP_KIND, "member");
            return;
        }
        members = member_ids(planner, party);
        if (members == NULL) {
            return;
        }
    }
    if (planner_check(planner, vault_add_participant(
                                   planner->options->vault, &participant,
                                   names.items[0], (uint32_t)party->kind))) {
        alias_all(planner, VAULT_PARTICIPANT, &names, names.items[0]);
        register_party(planner, &participant, members, names.items[0]);
    }
}
