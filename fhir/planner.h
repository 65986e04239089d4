/* SPDX-License-Identifier: Apache-2.0 */
/* What the planners of all resource types share; for fhir/ only. */
#ifndef FHIR_PLANNER_H
#define FHIR_PLANNER_H

#include "fhir/item.h"
#include "fhir/plan.h"
#include "vault/entries.h"

struct ProtobufCMessage;
struct fhir_ledger_name;

/* Problems of the item become findings and planning goes on, to name them all;
 * a failure of the environment is kept in `status` and ends it. */
struct planner {
    const struct fhir_plan_options *options;
    struct fhir_item *item;
    struct vault_journal *out;
    enum pbft_status status;
};

/* True while there is neither a failure nor a reason to reject. */
bool planner_is_sound(const struct planner *planner);
/* Notes a failure of the environment; true if there is none. */
bool planner_check(struct planner *planner, enum pbft_status status);
/* A finding at the path of a reference. */
void planner_find(struct planner *planner, enum fhir_finding_kind kind,
                  const char *path);

/* What the reference says it is on the ledger; false: it does not. */
bool planner_ledger_name(const struct planner *planner,
                         struct fhir_ledger_name *out, const char *name);
/* Whoever acts under the name; an institution also under what the reference
 * says, since that is what --own and --member name it by. NOT_FOUND. */
enum pbft_status planner_find_participant(const struct planner *planner,
                                          struct vault_participant *out,
                                          const struct fhir_reference *);
/* Is it for a trial, and may the name become somebody's? */
bool planner_may_register(const struct planner *planner,
                          const struct fhir_reference *reference);
/* The patient whom a name means, by handle too. NOT_FOUND. */
enum pbft_status planner_find_subject(const struct planner *planner,
                                      struct vault_subject *out,
                                      const char *name);
/* The vault's entry for a reference; with register_unknown a new one and the
 * transaction that registers it. False: a finding or failure was noted. */
bool planner_subject(struct planner *planner, struct vault_subject *out,
                     const struct fhir_reference *reference);
bool planner_participant(struct planner *planner, struct vault_participant *out,
                         const struct fhir_reference *reference);
/* The same of one who writes, is told, or asks: a patient who is known, too. */
bool planner_actor(struct planner *planner, struct vault_participant *out,
                   const struct fhir_reference *reference);
/* Is it one of several roles of a person, who has one id for all of them? */
bool plan_role_is_one_of_several(struct planner *planner, const char *name);
/* The patient's representative; somebody else, one who represents another
 * patient, and one of whom the vault does not say whom, is a finding. */
bool planner_agent(struct planner *planner, struct vault_participant *out,
                   const struct fhir_reference *reference,
                   const struct vault_subject *patient);
/* What a reference to data means. Of what is no document, all ids are one. */
struct planner_data {
    bool is_document; /* One that the vault knows. */
    bool is_version;  /* Named by an id of the ledger: that version alone. */
    uint8_t id[VAULT_ID_SIZE]; /* Else the newest. */
    /* The first version: later ones are related to it. */
    uint8_t first[VAULT_ID_SIZE];
    /* The first version of the first document, if each replaced another one:
     * all of them are related to it. */
    uint8_t root[VAULT_ID_SIZE];
};
/* A record, encounter or other data that is pointed to. */
bool planner_data(struct planner *planner, struct planner_data *out,
                  const struct fhir_reference *reference);

/* Builds the transaction and adds it as a step; NULL on failure. The caller
 * fills in how the vault goes back. */
struct vault_step *planner_add(struct planner *planner,
                               const struct transaction *transaction);
/* The same for a payload as generated from ledger.proto, in an envelope of its
 * own. */
struct vault_step *planner_add_payload(
    struct planner *planner, const struct transaction_envelope *envelope,
    enum transaction_type type, const struct ProtobufCMessage *payload);
/* The same for a row with one name. */
bool planner_add_row(struct planner *planner,
                     const struct transaction *transaction,
                     enum vault_kind kind, const char *row);
/* The same for a new version under the item's name. */
bool planner_add_version(struct planner *planner,
                         const struct transaction *transaction,
                         enum vault_kind kind, const uint8_t id[VAULT_ID_SIZE],
                         const uint8_t *previous);

/* How the vault goes back if the step is refused: the row of `id`, and the name
 * of the item that means it. */
bool planner_keep_version(struct planner *planner, struct vault_step *step,
                          enum vault_kind kind, const uint8_t id[VAULT_ID_SIZE],
                          const uint8_t *previous);

/* The step ends the row of that name, if the ledger does it. */
bool planner_end_row(struct planner *planner, struct vault_step *step,
                     enum vault_kind kind, const char *row);

/* The name of the item in the vault; made of its bytes if it has no id. In the
 * item's arena; NULL if memory is short. */
const char *planner_item_name(struct planner *planner);

/* A name as the vault takes it. */
struct pbft_bytes planner_text(const char *text);

/* One per kind of resource. */
void plan_consent(struct planner *planner);
void plan_document(struct planner *planner);
void plan_patient(struct planner *planner);
void plan_participant(struct planner *planner);
void plan_context(struct planner *planner);
void plan_audit(struct planner *planner);
void plan_provenance(struct planner *planner);

#endif /* FHIR_PLANNER_H */
