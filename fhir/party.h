/* SPDX-License-Identifier: Apache-2.0 */
/* Patients, those who act (Practitioner, PractitionerRole, Organization, Group,
 * Device, RelatedPerson), and what has an id without being on the ledger, such
 * as Encounter. Only what an id needs is read. For fhir/ only. */
#ifndef FHIR_PARTY_H
#define FHIR_PARTY_H

#include "fhir/elements.h"
#include "ledger/transaction.h"

#define FHIR_IDENTIFIERS_MAX 16

struct fhir_party {
    enum transaction_participant_kind kind; /* Of those who act. */
    uint32_t roles[LEDGER_PARTICIPANT_ROLES_MAX];
    size_t role_count;
    struct fhir_period period;
    /* Of a PractitionerRole; or absent. */
    struct fhir_reference practitioner;
    struct fhir_reference organization; /* If it says more than a name. */
    /* Of a RelatedPerson or Encounter: whose it is; or absent. */
    struct fhir_reference patient;
    struct fhir_reference *members;
    size_t member_count;
    /* "Patient?identifier=system|value": more names for the vault. */
    const char *identifiers[FHIR_IDENTIFIERS_MAX];
    size_t identifier_count;
};

void fhir_patient_read(const struct fhir_reader *reader, struct fhir_party *out,
                       const struct fhir_node *resource);
/* `type` is the resourceType. */
void fhir_participant_read(const struct fhir_reader *reader,
                           struct fhir_party *out,
                           const struct fhir_node *resource, const char *type);
/* Where somebody belongs, by reference or by number; a display, or a number
 * without its system, names nobody, and `out` stays as it was. */
void fhir_take_organization(const struct fhir_reader *reader,
                            struct fhir_reference *out,
                            const struct fhir_node *node);
/* What only a CareTeam has (care_team.c); the rest is zero. */
void fhir_care_team_read(const struct fhir_reader *reader,
                         struct fhir_party *out,
                         const struct fhir_node *resource);
/* An encounter, or other data of a patient. */
void fhir_context_read(const struct fhir_reader *reader, struct fhir_party *out,
                       const struct fhir_node *resource, const char *type);

#endif /* FHIR_PARTY_H */
