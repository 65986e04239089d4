/* SPDX-License-Identifier: Apache-2.0 */
/* References: only the vault may resolve them (import law 8), but for ids of
 * the ledger itself. */
#include <string.h>

#include "crypto/secret.h"
#include "fhir/ledger_name.h"
#include "fhir/planner.h"

static bool register_subject(struct planner *planner,
                             const struct vault_subject *subject,
                             const char *name)
{
    struct transaction_subject row = {
        .handle = {subject->handle, sizeof subject->handle}, .epoch_no = 1};
    struct transaction transaction = {
        .type = TRANSACTION_SUBJECT_REGISTER,
        .subject_register = {.subjects = &row, .subject_count = 1}};

    return planner_add_row(planner, &transaction, VAULT_SUBJECT, name);
}

bool planner_ledger_name(const struct planner *planner,
                         struct fhir_ledger_name *out, const char *name)
{
    return fhir_ledger_name_parse(out, name, &planner->options->envelope.chain);
}

enum pbft_status
planner_find_participant(const struct planner *planner,
                         struct vault_participant *out,
                         const struct fhir_reference *reference)
{
    struct vault *vault = planner->options->vault;
    struct vault_participant said;
    enum pbft_status status =
        vault_find_participant(vault, out, reference->name);

    if (status == PBFT_NOT_FOUND && reference->said != NULL &&
        vault_find_participant(vault, &said, reference->said) == PBFT_OK &&
        said.kind == VAULT_IS_INSTITUTION) {
        *out = said;
        return PBFT_OK;
    }
    return status;
}

enum pbft_status planner_find_subject(const struct planner *planner,
                                      struct vault_subject *out,
                                      const char *name)
{
    struct fhir_ledger_name id;
    char handle_name[VAULT_HANDLE_NAME_SIZE];

    if (!planner_ledger_name(planner, &id, name)) {
        return vault_find_subject(planner->options->vault, out, name);
    }
    if (id.kind != FHIR_LEDGER_SUBJECT) {
        return PBFT_NOT_FOUND;
    }
    vault_handle_name(handle_name, id.id);
    return vault_find_subject(planner->options->vault, out, handle_name);
}

bool planner_may_register(const struct planner *planner,
                          const struct fhir_reference *reference)
{
    return planner->options->register_unknown && !reference->is_lost;
}

bool planner_subject(struct planner *planner, struct vault_subject *out,
                     const struct fhir_reference *reference)
{
    struct vault *vault = planner->options->vault;
    struct fhir_ledger_name id;
    enum pbft_status status =
        planner_find_subject(planner, out, reference->name);

    if (status == PBFT_NOT_FOUND && planner_may_register(planner, reference) &&
        !planner_ledger_name(planner, &id, reference->name)) {
        return planner_check(planner,
                             vault_add_subject(vault, out, reference->name)) &&
               register_subject(planner, out, reference->name);
    }
    if (status == PBFT_NOT_FOUND) {
        planner_find(planner, FHIR_UNRESOLVED, reference->path);
        return false;
    }
    return planner_check(planner, status);
}

static bool register_participant(struct planner *planner,
                                 const struct vault_participant *participant,
                                 const char *name)
{
    struct transaction transaction = {
        .type = TRANSACTION_PARTICIPANT_REGISTER,
        .participant_register = {
            .participant = {participant->id, sizeof participant->id},
            .kind = (enum transaction_participant_kind)participant->kind}};

    return planner_add_row(planner, &transaction, VAULT_PARTICIPANT, name);
}

/* What an unknown actor is, by the type of the reference. 0: it cannot be
 * registered (of a group the members are not known). */
static uint32_t kind_of_type(const char *type)
{
    static const struct {
        const char *type;
        enum transaction_participant_kind kind;
    } kinds[] = {{"Practitioner", TRANSACTION_PROFESSIONAL},
                 {"PractitionerRole", TRANSACTION_PROFESSIONAL},
                 {"Organization", TRANSACTION_UNIT},
                 {"Device", TRANSACTION_SERVICE},
                 {"RelatedPerson", TRANSACTION_PATIENT_AGENT},
                 {"Patient", TRANSACTION_PATIENT_AGENT}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(type, kinds[i].type) == 0) {
            return (uint32_t)kinds[i].kind;
        }
    }
    return 0;
}

/* The ledger knows who that is, or refuses. */
static bool take_ledger_participant(struct vault_participant *out,
                                    const struct fhir_ledger_name *id)
{
    memset(out, 0, sizeof *out);
    memcpy(out->id, id->id, sizeof out->id);
    out->kind = id->kind == FHIR_LEDGER_INSTITUTION ? VAULT_IS_INSTITUTION
                : id->kind == FHIR_LEDGER_GROUP
                    ? (uint32_t)TRANSACTION_GROUP
                    : (uint32_t)TRANSACTION_PROFESSIONAL;
    return id->kind == FHIR_LEDGER_INSTITUTION ||
           id->kind == FHIR_LEDGER_GROUP || id->kind == FHIR_LEDGER_PARTICIPANT;
}

static bool find_participant(struct planner *planner,
                             struct vault_participant *out,
                             const struct fhir_reference *reference,
                             uint32_t kind)
{
    struct vault *vault = planner->options->vault;
    struct fhir_ledger_name id;

    if (planner_ledger_name(planner, &id, reference->name)) {
        if (!take_ledger_participant(out, &id)) {
            planner_find(planner, FHIR_REFERENCE_TYPE, reference->path);
            return false;
        }
        return true;
    }
    enum pbft_status status = planner_find_participant(planner, out, reference);

    if (status == PBFT_NOT_FOUND && planner_may_register(planner, reference) &&
        kind != 0) {
        return planner_check(planner, vault_add_participant(
                                          vault, out, reference->name, kind)) &&
               register_participant(planner, out, reference->name);
    }
    if (status == PBFT_NOT_FOUND) {
        planner_find(planner, FHIR_UNRESOLVED, reference->path);
        return false;
    }
    return planner_check(planner, status);
}

bool planner_participant(struct planner *planner, struct vault_participant *out,
                         const struct fhir_reference *reference)
{
    return find_participant(planner, out, reference,
                            kind_of_type(reference->type));
}

/* A patient acts too: he writes, is told, decides for his child. Under all his
 * names he is one participant, made when he is first needed, and forgotten with
 * him. NOT_FOUND: no patient has that name. */
static enum pbft_status find_patient(struct planner *planner,
                                     struct vault_participant *out,
                                     const char *name)
{
    struct vault *vault = planner->options->vault;
    struct vault_subject patient;
    char handle_name[VAULT_HANDLE_NAME_SIZE];
    enum pbft_status status = vault_find_subject(vault, &patient, name);

    if (status != PBFT_OK) {
        return status;
    }
    vault_handle_name(handle_name, patient.handle);
    status = vault_find_participant(vault, out, handle_name);
    if (status == PBFT_NOT_FOUND) {
        status = vault_set_agent(vault, out, name, TRANSACTION_PATIENT_AGENT,
                                 patient.handle);
        if (status == PBFT_OK) {
            status = vault_alias(vault, VAULT_PARTICIPANT, planner_text(name),
                                 planner_text(handle_name));
        }
        if (status == PBFT_OK && !register_participant(planner, out, name)) {
            status = planner->status;
        }
    }
    secret_wipe(&patient, sizeof patient);
    return status;
}

static bool find_actor(struct planner *planner, struct vault_participant *out,
                       const struct fhir_reference *reference, uint32_t kind)
{
    struct fhir_ledger_name id;

    if (!planner_ledger_name(planner, &id, reference->name) &&
        planner_find_participant(planner, out, reference) == PBFT_NOT_FOUND) {
        enum pbft_status status = find_patient(planner, out, reference->name);
        if (status != PBFT_NOT_FOUND) {
            return planner_check(planner, status);
        }
    }
    return find_participant(planner, out, reference, kind);
}

bool planner_actor(struct planner *planner, struct vault_participant *out,
                   const struct fhir_reference *reference)
{
    return find_actor(planner, out, reference, kind_of_type(reference->type));
}

/* A patient acts for whom he says; a relative for the patient whose relative he
 * is. */
static bool acts_for(struct planner *planner,
                     const struct vault_participant *agent,
                     const struct vault_subject *patient)
{
    struct vault_participant himself;
    char handle_name[VAULT_HANDLE_NAME_SIZE];

    if (memcmp(agent->patient, patient->handle, sizeof agent->patient) == 0) {
        return true;
    }
    vault_handle_name(handle_name, agent->patient);
    enum pbft_status status =
        vault_find_participant(planner->options->vault, &himself, handle_name);
    return status != PBFT_NOT_FOUND && planner_check(planner, status) &&
           memcmp(himself.id, agent->id, sizeof himself.id) == 0;
}

/* A patient's name, as the name itself says; an id or UUID says nothing. */
static bool is_patient_name(const char *name,
                            const struct fhir_reference *reference)
{
    return name == reference->name && strncmp(name, "urn:", 4) != 0 &&
           strcmp(reference->type, "Patient") == 0;
}

/* One whose patient nobody said. If the consent's own word is believed, then
 * for this patient, and from now on for no other one. A patient is nobody
 * else's: he would be forgotten with that one. */
static bool is_bound(struct planner *planner, struct vault_participant *agent,
                     const char *name, const struct fhir_reference *reference,
                     const struct vault_subject *patient)
{
    struct vault *vault = planner->options->vault;
    struct vault_subject himself;
    enum pbft_status status = vault_find_subject(vault, &himself, name);

    secret_wipe(&himself, sizeof himself);
    if (status != PBFT_NOT_FOUND) {
        return planner_check(planner, status); /* A patient, imported since. */
    }
    if (!planner->options->register_unknown) {
        return false;
    }
    return is_patient_name(name, reference) ||
           planner_check(planner, vault_set_agent(vault, agent, name,
                                                  TRANSACTION_PATIENT_AGENT,
                                                  patient->handle));
}

/* The ledger has patients' agents of an institution, and not whose: that only
 * the vault can tell. */
static void check_agent(struct planner *planner,
                        struct vault_participant *agent, const char *name,
                        const struct fhir_reference *reference,
                        const struct vault_subject *patient)
{
    static const uint8_t nobody[VAULT_HANDLE_SIZE];
    bool is_agent = agent->kind == TRANSACTION_PATIENT_AGENT;

    if (is_agent && memcmp(agent->patient, nobody, sizeof nobody) == 0) {
        if (!is_bound(planner, agent, name, reference, patient)) {
            planner_find(planner, FHIR_UNVOUCHED, reference->path);
        }
    } else if (!is_agent || !acts_for(planner, agent, patient)) {
        planner_find(planner, FHIR_PERFORMER, reference->path);
    }
}

bool planner_agent(struct planner *planner, struct vault_participant *out,
                   const struct fhir_reference *reference,
                   const struct vault_subject *patient)
{
    struct fhir_ledger_name id;
    char own_name[VAULT_OWN_NAME_SIZE];
    const char *name = reference->name;

    if (!find_actor(planner, out, reference, TRANSACTION_PATIENT_AGENT)) {
        return false;
    }
    if (planner->options->rehearse) {
        return true; /* It is on the ledger already. */
    }
    if (planner_ledger_name(planner, &id, name) &&
        id.kind == FHIR_LEDGER_PARTICIPANT) {
        vault_own_name(own_name, id.id);
        name = own_name;
        enum pbft_status status =
            vault_find_participant(planner->options->vault, out, name);
        if (status == PBFT_NOT_FOUND) {
            planner_find(planner, FHIR_UNVOUCHED, reference->path);
            return true;
        }
        if (!planner_check(planner, status)) {
            return false;
        }
    }
    check_agent(planner, out, name, reference, patient);
    return true;
}
