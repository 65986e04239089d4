/* SPDX-License-Identifier: Apache-2.0 */
/* Patients, professionals, units, groups, services and patients' agents: a
 * random id each, and names in the vault by which others find it. */
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "fhir/plan_party.h"
#include "salus/v1/ledger.pb-c.h"
#include "vault/roles.h"

void plan_patient(struct planner *planner)
{
    struct plan_names names = plan_names_of(planner->item);
    struct vault_subject subject;

    if (!plan_is_new(planner, VAULT_SUBJECT, &names) ||
        !planner_check(planner, vault_add_subject(planner->options->vault,
                                                  &subject, names.items[0]))) {
        return;
    }
    plan_alias_all(planner, VAULT_SUBJECT, &names, names.items[0]);
    struct transaction_subject row = {
        .handle = {subject.handle, sizeof subject.handle}, .epoch_no = 1};
    struct transaction transaction = {
        .type = TRANSACTION_SUBJECT_REGISTER,
        .subject_register = {.subjects = &row, .subject_count = 1}};
    (void)planner_add_row(planner, &transaction, VAULT_SUBJECT, names.items[0]);
}

/* Who asks for data is a person or a service: through a group that holds a
 * unit, an institution or another group, a deny would reach nobody. What it is
 * the vault knows, whatever the reference says. */
static bool acts_alone(const struct vault_participant *member)
{
    return member->kind != TRANSACTION_UNIT &&
           member->kind != VAULT_IS_INSTITUTION &&
           member->kind != TRANSACTION_GROUP;
}

/* Ids of a group's members, one after the other; NULL: not all are known, or
 * can be members. */
static uint8_t *member_ids(struct planner *planner,
                           const struct fhir_party *party)
{
    struct fhir_item *item = planner->item;
    struct fhir_reader reader = {.report = &item->report,
                                 .arena = &item->arena};
    uint8_t *ids =
        fhir_allocate(&reader, (party->member_count + 1) * VAULT_ID_SIZE);

    for (size_t i = 0; ids != NULL && i < party->member_count; i++) {
        const struct fhir_reference *reference = &party->members[i];
        struct vault_participant member;
        if (!planner_participant(planner, &member, reference)) {
            continue;
        }
        memcpy(ids + i * VAULT_ID_SIZE, member.id, VAULT_ID_SIZE);
        if (!acts_alone(&member)) {
            planner_find(planner,
                         strcmp(item->type, "CareTeam") == 0
                             ? FHIR_TEAM_MEMBER
                             : FHIR_GROUP_MEMBER,
                         reference->path);
        }
    }
    return planner_is_sound(planner) ? ids : NULL;
}

uint64_t plan_time(bool has, int64_t time)
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
                plan_time(party->period.has_from, party->period.from),
            .valid_to_ms = plan_time(party->period.has_to, party->period.to),
            .members = {members, party->member_count}}};

    (void)planner_add_row(planner, &transaction, VAULT_PARTICIPANT, name);
}

/* Only these have anything that the ledger holds: roles, members, an end. */
static bool has_terms(const struct fhir_item *item)
{
    return item->rank == FHIR_RANK_ROLE || item->rank == FHIR_RANK_GROUP ||
           item->rank == FHIR_RANK_AGENT;
}

/* ---- changes ------------------------------------------------------------- */

static int compare_ids(const void *left, const void *right)
{
    const ProtobufCBinaryData *a = left;
    const ProtobufCBinaryData *b = right;

    return memcmp(a->data, b->data, VAULT_ID_SIZE);
}

static int compare_codes(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

/* Ascending, each once. */
static size_t list_members(ProtobufCBinaryData *out, const uint8_t *members,
                           size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        out[i] = (ProtobufCBinaryData){
            VAULT_ID_SIZE, (uint8_t *)(uintptr_t)members + i * VAULT_ID_SIZE};
    }
    qsort(out, count, sizeof *out, compare_ids);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || compare_ids(&out[kept - 1], &out[i]) != 0) {
            out[kept++] = out[i];
        }
    }
    return kept;
}

static size_t list_roles(uint32_t *out, const struct plan_terms *terms)
{
    size_t kept = 0;

    memcpy(out, terms->roles, terms->role_count * sizeof *out);
    qsort(out, terms->role_count, sizeof *out, compare_codes);
    for (size_t i = 0; i < terms->role_count; i++) {
        if (kept == 0 || out[kept - 1] != out[i]) {
            out[kept++] = out[i];
        }
    }
    return kept;
}

/* Who left a group, or lost a role, has it on the ledger too. */
void plan_update(struct planner *planner, const uint8_t id[VAULT_ID_SIZE],
                 const struct plan_terms *terms)
{
    ProtobufCBinaryData members[LEDGER_GROUP_MEMBERS_MAX];
    uint32_t roles[LEDGER_PARTICIPANT_ROLES_MAX];
    Salus__V1__ParticipantUpdate message = SALUS__V1__PARTICIPANT_UPDATE__INIT;

    message.participant =
        (ProtobufCBinaryData){VAULT_ID_SIZE, (uint8_t *)(uintptr_t)id};
    message.n_roles = list_roles(roles, terms);
    message.roles = roles;
    message.valid_from_ms = terms->from_ms;
    message.valid_to_ms = terms->to_ms;
    message.n_members =
        list_members(members, terms->members, terms->member_count);
    message.members = members;
    /* The row stays, whatever the ledger says. */
    (void)planner_add_payload(planner, &planner->options->envelope,
                              TRANSACTION_PARTICIPANT_UPDATE, &message.base);
}

/* All that the item says. */
static void update_party(struct planner *planner,
                         const struct vault_participant *participant,
                         const uint8_t *members)
{
    const struct fhir_party *party = &planner->item->party;
    struct plan_terms terms = {
        .role_count = party->role_count,
        .from_ms = plan_time(party->period.has_from, party->period.from),
        .to_ms = plan_time(party->period.has_to, party->period.to),
        .members = members,
        .member_count = party->member_count};

    memcpy(terms.roles, party->roles, party->role_count * sizeof *terms.roles);
    plan_update(planner, participant->id, &terms);
}

/* True if a group says who belongs to it; NULL for others. */
static bool find_members(struct planner *planner, const uint8_t **out)
{
    const struct fhir_party *party = &planner->item->party;

    *out = NULL;
    if (party->kind != TRANSACTION_GROUP) {
        return true;
    }
    if (party->member_count == 0) {
        planner_find(planner, FHIR_GROUP_EMPTY, "member");
        return false;
    }
    *out = member_ids(planner, party);
    return *out != NULL;
}

/* Who acts for a patient is one of his secrets, and forgotten with him. */
static bool keep_agent(struct planner *planner, struct vault_participant *out,
                       const char *name)
{
    struct vault_subject patient;

    if (!planner_subject(planner, &patient, &planner->item->party.patient)) {
        return false;
    }
    enum pbft_status status =
        vault_set_agent(planner->options->vault, out, name,
                        TRANSACTION_PATIENT_AGENT, patient.handle);
    secret_wipe(&patient, sizeof patient);
    return planner_check(planner, status);
}

/* A fullUrl of two bundles: what is said of the one must not change the other.
 * A patient who acts is no relative. */
static bool is_somebody_else(struct planner *planner,
                             const struct vault_participant *known)
{
    struct vault_participant patient;
    char handle_name[VAULT_HANDLE_NAME_SIZE];

    if (known->kind != (uint32_t)planner->item->party.kind) {
        return true;
    }
    vault_handle_name(handle_name, known->patient);
    enum pbft_status status =
        vault_find_participant(planner->options->vault, &patient, handle_name);
    return status != PBFT_NOT_FOUND && planner_check(planner, status) &&
           memcmp(patient.id, known->id, sizeof patient.id) == 0;
}

/* It was imported before, with other content: else nobody would ask. */
static void plan_change(struct planner *planner, const struct plan_names *names)
{
    struct vault_participant known;
    const uint8_t *members = NULL;

    if (!planner_is_sound(planner) || !has_terms(planner->item) ||
        !planner_check(planner,
                       vault_find_participant(planner->options->vault, &known,
                                              names->items[0])) ||
        known.kind == VAULT_IS_INSTITUTION) {
        return;
    }
    if (is_somebody_else(planner, &known)) {
        planner_find(planner, FHIR_TAKEN, "$");
        return;
    }
    if (find_members(planner, &members) &&
        (planner->item->rank != FHIR_RANK_AGENT ||
         keep_agent(planner, &known, names->items[0]))) {
        update_party(planner, &known, members);
    }
}

/* Somebody of another institution would be registered as one's own, under an id
 * that he never asks with: a deny of him would be lost. */
static bool is_foreign(struct planner *planner)
{
    const struct fhir_reference *where = &planner->item->party.organization;
    const struct pbft_institution *own =
        &planner->options->envelope.institution;
    struct vault_participant employer;

    if (where->name == NULL) {
        return false;
    }
    enum pbft_status status =
        planner_find_participant(planner, &employer, where);
    if (status == PBFT_NOT_FOUND) {
        return false;
    }
    return planner_check(planner, status) &&
           employer.kind == VAULT_IS_INSTITUTION &&
           memcmp(employer.id, own->bytes, sizeof own->bytes) != 0;
}

/* A role that the vault of an older program has as a participant of its own
 * stays one. */
static bool is_of_a_person(struct planner *planner,
                           const struct plan_names *names)
{
    struct vault *vault = planner->options->vault;
    struct vault_participant known;
    struct vault_role role;

    if (planner->item->party.practitioner.name == NULL) {
        return false;
    }
    return names->count == 0 ||
           vault_find_participant(vault, &known, names->items[0]) != PBFT_OK ||
           vault_find_role(vault, &role, names->items[0]) == PBFT_OK;
}

static bool add_participant(struct planner *planner,
                            struct vault_participant *out, const char *name)
{
    if (planner->item->rank == FHIR_RANK_AGENT) {
        return keep_agent(planner, out, name);
    }
    return planner_check(
        planner, vault_add_participant(planner->options->vault, out, name,
                                       (uint32_t)planner->item->party.kind));
}

void plan_participant(struct planner *planner)
{
    const struct fhir_party *party = &planner->item->party;
    struct plan_names names = plan_names_of(planner->item);
    struct vault_participant participant;
    const uint8_t *members = NULL;

    if (is_foreign(planner)) {
        planner_find(planner, FHIR_FOREIGN, party->organization.path);
        return;
    }
    if (is_of_a_person(planner, &names)) {
        plan_role(planner, &names);
        return;
    }
    if (!plan_is_new(planner, VAULT_PARTICIPANT, &names)) {
        if (names.count > 0) {
            plan_change(planner, &names);
        }
        return;
    }
    if (!find_members(planner, &members)) {
        return;
    }
    if (add_participant(planner, &participant, names.items[0])) {
        plan_alias_all(planner, VAULT_PARTICIPANT, &names, names.items[0]);
        register_party(planner, &participant, members, names.items[0]);
    }
}
