/* SPDX-License-Identifier: Apache-2.0 */
/* Which types of resources are imported, and in what order. */
#include <string.h>

#include "fhir/item.h"

static const char *const participants[] = {"Practitioner", "Organization",
                                           "Device", NULL};
static const char *const roles[] = {"PractitionerRole", NULL};
static const char *const groups[] = {"Group", "CareTeam", NULL};
static const char *const patients[] = {"Patient", NULL};
static const char *const agents[] = {"RelatedPerson", NULL};
/* What a document is about, or a consent names, and no document itself. */
static const char *const contexts[] = {"AllergyIntolerance",
                                       "CarePlan",
                                       "ClinicalImpression",
                                       "Condition",
                                       "DiagnosticReport",
                                       "Encounter",
                                       "EpisodeOfCare",
                                       "FamilyMemberHistory",
                                       "ImagingStudy",
                                       "Immunization",
                                       "MedicationAdministration",
                                       "MedicationRequest",
                                       "MedicationStatement",
                                       "MolecularSequence",
                                       "Observation",
                                       "Procedure",
                                       "QuestionnaireResponse",
                                       "ServiceRequest",
                                       "Specimen",
                                       NULL};
static const char *const documents[] = {"DocumentReference", NULL};
static const char *const consents[] = {"Consent", NULL};
static const char *const audits[] = {"AuditEvent", NULL};
static const char *const provenances[] = {"Provenance", NULL};

static const char *const *const types[] = {
    [FHIR_RANK_PARTICIPANT] = participants,
    [FHIR_RANK_ROLE] = roles,
    [FHIR_RANK_PATIENT] = patients,
    [FHIR_RANK_AGENT] = agents,
    [FHIR_RANK_GROUP] = groups,
    [FHIR_RANK_CONTEXT] = contexts,
    [FHIR_RANK_DOCUMENT] = documents,
    [FHIR_RANK_CONSENT] = consents,
    [FHIR_RANK_AUDIT] = audits,
    [FHIR_RANK_PROVENANCE] = provenances};

static_assert(sizeof types / sizeof types[0] == FHIR_RANK_OTHER,
              "each rank has its types");

enum fhir_rank fhir_rank_of(const char *type)
{
    for (int rank = FHIR_RANK_PARTICIPANT; rank < FHIR_RANK_OTHER; rank++) {
        for (size_t i = 0; types[rank][i] != NULL; i++) {
            if (strcmp(type, types[rank][i]) == 0) {
                return (enum fhir_rank)rank;
            }
        }
    }
    return FHIR_RANK_OTHER;
}
