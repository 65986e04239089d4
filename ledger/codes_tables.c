/* SPDX-License-Identifier: Apache-2.0 */
/* The tables themselves, version 1. Entries may be added in a later version,
 * never changed or removed: their digest is part of every genesis. */
#include "ledger/codes_tables.h"

#define act_reason "http://terminology.hl7.org/CodeSystem/v3-ActReason"
#define confidentiality                                                        \
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
#define salus_class "urn:salus:class"
#define consent_action "http://terminology.hl7.org/CodeSystem/consentaction"
#define salus_reason "urn:salus:reason"
#define practitioner_role                                                      \
    "http://terminology.hl7.org/CodeSystem/practitioner-role"
#define salus_role "urn:salus:role"
#define salus_category "urn:salus:category"
#define loinc "http://loinc.org"
#define consent_category                                                       \
    "http://terminology.hl7.org/CodeSystem/consentcategorycodes"
#define act_code "http://terminology.hl7.org/CodeSystem/v3-ActCode"
#define salus_basis "urn:salus:legal-basis"
#define salus_institution_role "urn:salus:institution-role"

/* PurposeOfUse and what is below it, with the parents of FHIR R4. */
static const struct codes_entry purposes[] = {
    {1, 0, 0, act_reason, "TREAT"},
    {2, 1, CODES_NO_INHERIT, act_reason, "CLINTRL"},
    {3, 1, 0, act_reason, "COC"},
    {4, 1, 0, act_reason, "ETREAT"},
    {5, 4, 0, act_reason, "BTG"},
    {6, 4, 0, act_reason, "ERTREAT"},
    {7, 1, CODES_NO_INHERIT, act_reason, "POPHLTH"},
    {10, 0, 0, act_reason, "HPAYMT"},
    {11, 10, 0, act_reason, "CLMATTCH"},
    {12, 10, 0, act_reason, "COVAUTH"},
    {13, 10, 0, act_reason, "COVERAGE"},
    {14, 13, 0, act_reason, "ELIGDTRM"},
    {15, 13, 0, act_reason, "ELIGVER"},
    {16, 13, 0, act_reason, "ENROLLM"},
    {17, 13, 0, act_reason, "MILDCRG"},
    {18, 10, 0, act_reason, "REMITADV"},
    {20, 0, 0, act_reason, "HOPERAT"},
    {21, 20, 0, act_reason, "CAREMGT"},
    {22, 20, CODES_NO_INHERIT, act_reason, "DONAT"},
    {23, 20, CODES_NO_INHERIT, act_reason, "FRAUD"},
    {24, 20, CODES_NO_INHERIT, act_reason, "GOV"},
    {25, 20, 0, act_reason, "HACCRED"},
    {26, 20, 0, act_reason, "HCOMPL"},
    {27, 20, 0, act_reason, "HDECD"},
    {28, 20, 0, act_reason, "HDIRECT"},
    {29, 20, 0, act_reason, "HDM"},
    {30, 20, 0, act_reason, "HLEGAL"},
    {31, 20, 0, act_reason, "HOUTCOMS"},
    {32, 20, 0, act_reason, "HPRGRP"},
    {33, 20, 0, act_reason, "HQUALIMP"},
    {34, 20, 0, act_reason, "HSYSADMIN"},
    {35, 34, 0, act_reason, "LABELING"},
    {36, 34, 0, act_reason, "METAMGT"},
    {37, 20, 0, act_reason, "MEMADMIN"},
    {38, 20, CODES_NO_INHERIT, act_reason, "MILCDM"},
    {39, 20, 0, act_reason, "PATADMIN"},
    {40, 20, 0, act_reason, "PATSFTY"},
    {41, 20, 0, act_reason, "PERFMSR"},
    {42, 20, 0, act_reason, "RECORDMGT"},
    {43, 20, CODES_NO_INHERIT, act_reason, "SYSDEV"},
    {44, 43, 0, act_reason, "HTEST"},
    {45, 20, CODES_NO_INHERIT, act_reason, "TRAIN"},
    {50, 0, 0, act_reason, "HMARKT"},
    {60, 0, CODES_RESEARCH, act_reason, "HRESCH"},
    {61, 60, CODES_RESEARCH, act_reason, "BIORCH"},
    {62, 60, CODES_RESEARCH, act_reason, "CLINTRCH"},
    {63, 62, CODES_RESEARCH, act_reason, "CLINTRCHNPC"},
    {64, 62, CODES_RESEARCH, act_reason, "CLINTRCHPC"},
    {65, 62, CODES_RESEARCH, act_reason, "PRECLINTRCH"},
    {66, 60, CODES_RESEARCH, act_reason, "DSRCH"},
    {67, 60, CODES_RESEARCH, act_reason, "POARCH"},
    {68, 60, CODES_RESEARCH, act_reason, "TRANSRCH"},
    {70, 0, 0, act_reason, "PATRQT"},
    {71, 70, 0, act_reason, "FAMRQT"},
    {72, 70, 0, act_reason, "PWATRNY"},
    {73, 70, 0, act_reason, "SUPNWK"},
    {80, 0, 0, act_reason, "PUBHLTH"},
    {81, 80, 0, act_reason, "DISASTER"},
    {82, 80, 0, act_reason, "THREAT"},
};

/* Ascending: the number orders them. */
static const struct codes_entry confidentialities[] = {
    {1, 0, 0, confidentiality, "U"}, {2, 0, 0, confidentiality, "L"},
    {3, 0, 0, confidentiality, "M"}, {4, 0, 0, confidentiality, "N"},
    {5, 0, 0, confidentiality, "R"}, {6, 0, 0, confidentiality, "V"},
};

/* Coarse on purpose: a class hints at a diagnosis. */
static const struct codes_entry classes[] = {
    {1, 0, 0, salus_class, "other"},
    {2, 0, 0, salus_class, "document"},
    {3, 0, 0, salus_class, "note"},
    {4, 0, 0, salus_class, "imaging"},
    {5, 0, 0, salus_class, "laboratory"},
    {6, 0, 0, salus_class, "medication"},
    {7, 0, 0, salus_class, "procedure"},
    {8, 0, 0, salus_class, "genomic"},
    {9, 0, 0, salus_class, "device"},
    {10, 0, 0, salus_class, "administrative"},
    {11, 0, 0, salus_class, "consent-form"},
    {12, 0, 0, salus_class, "research"},
};

/* FHIR consentaction. */
static const struct codes_entry actions[] = {
    {1, 0, 0, consent_action, "collect"}, {2, 0, 0, consent_action, "access"},
    {3, 0, 0, consent_action, "use"},     {4, 0, 0, consent_action, "disclose"},
    {5, 0, 0, consent_action, "correct"},
};

/* Why evidence only; why withdrawn. */
static const struct codes_entry reasons[] = {
    {1, 0, CODES_FOR_EVIDENCE, salus_reason, "not-computable"},
    {2, 0, CODES_FOR_EVIDENCE, salus_reason, "ambiguous-base"},
    {3, 0, CODES_FOR_EVIDENCE, salus_reason, "unknown-code"},
    {4, 0, CODES_FOR_EVIDENCE, salus_reason, "unresolved-reference"},
    {5, 0, CODES_FOR_EVIDENCE, salus_reason, "incomplete"},
    {20, 0, CODES_FOR_REVOKE, salus_reason, "withdrawn-by-subject"},
    {21, 0, CODES_FOR_REVOKE, salus_reason, "withdrawn-by-delegate"},
    {22, 0, CODES_FOR_REVOKE, salus_reason, "filed-in-error"},
    {23, 0, CODES_FOR_REVOKE, salus_reason, "replaced-elsewhere"},
    {40, 0, CODES_FOR_EMERGENCY, salus_reason, "life-threat"},
    {41, 0, CODES_FOR_EMERGENCY, salus_reason, "incapacitated"},
    {42, 0, CODES_FOR_EMERGENCY, salus_reason, "imminent-harm"},
    {43, 0, CODES_FOR_EMERGENCY, salus_reason, "disaster"},
    {44, 0, CODES_FOR_EMERGENCY, salus_reason, "system-unavailable"},
    {50, 0, CODES_FOR_GOVERNANCE, salus_reason, "own-request"},
    {51, 0, CODES_FOR_GOVERNANCE, salus_reason, "contract"},
    {52, 0, CODES_FOR_GOVERNANCE, salus_reason, "breach-of-rules"},
    {53, 0, CODES_FOR_GOVERNANCE, salus_reason, "security-incident"},
    {54, 0, CODES_FOR_GOVERNANCE, salus_reason, "left"},
    {60, 0, CODES_FOR_DECISION, salus_reason, "as-computed"},
    {61, 0, CODES_FOR_DECISION, salus_reason, "minimum-necessary"},
    {62, 0, CODES_FOR_DECISION, salus_reason, "not-convinced"},
    {63, 0, CODES_FOR_DECISION, salus_reason, "legal-obligation"},
};

/* Roles of participants: FHIR practitioner-role, then our own. */
static const struct codes_entry roles[] = {
    {1, 0, CODES_CLINICIAN, practitioner_role, "doctor"},
    {2, 0, CODES_CLINICIAN, practitioner_role, "nurse"},
    {3, 0, CODES_CLINICIAN, practitioner_role, "pharmacist"},
    {4, 0, 0, practitioner_role, "researcher"},
    {5, 0, 0, practitioner_role, "teacher"},
    {6, 0, 0, practitioner_role, "ict"},
    {20, 0, 0, salus_role, "privacy-officer"},
    {21, 0, CODES_CLINICIAN, salus_role, "emergency"},
    {22, 0, 0, salus_role, "deidentification"},
    {23, 0, 0, salus_role, "data-access-committee"},
};

/* What kind of form a consent is. */
static const struct codes_entry categories[] = {
    {1, 0, 0, salus_category, "other"},
    {2, 0, 0, loinc, "59284-0"},
    {3, 0, 0, loinc, "57016-8"},
    {4, 0, 0, loinc, "57017-6"},
    {5, 0, 0, loinc, "64292-6"},
    {10, 0, 0, consent_category, "acd"},
    {11, 0, 0, consent_category, "dnr"},
    {12, 0, 0, consent_category, "emrgonly"},
    {13, 0, 0, consent_category, "hcd"},
    {14, 0, 0, consent_category, "npp"},
    {15, 0, 0, consent_category, "polst"},
    {16, 0, 0, consent_category, "research"},
    {17, 0, 0, consent_category, "rsdid"},
    {18, 0, 0, consent_category, "rsreid"},
    {20, 0, 0, act_code, "ICOL"},
    {21, 0, 0, act_code, "IDSCL"},
    {22, 0, 0, act_code, "INFA"},
    {23, 0, 0, act_code, "INFAO"},
    {30, 0, CODES_NAMED_RECIPIENT, act_code, "42CFRPart2"},
};

/* On what ground besides consent. */
static const struct codes_entry legal_bases[] = {
    {1, 0, 0, salus_basis, "consent"},
    {2, 0, 0, salus_basis, "treatment-payment-operations"},
    {3, 0, 0, salus_basis, "public-health"},
    {4, 0, 0, salus_basis, "required-by-law"},
    {5, 0, 0, salus_basis, "court-order"},
    {6, 0, 0, salus_basis, "individual-access"},
};

/* What an institution is in the consortium. */
static const struct codes_entry institution_roles[] = {
    {1, 0, 0, salus_institution_role, "provider"},
    {2, 0, 0, salus_institution_role, "payer"},
    {3, 0, 0, salus_institution_role, "research"},
    {4, 0, 0, salus_institution_role, "public-health"},
    {5, 0, 0, salus_institution_role, "hie"},
    {6, 0, 0, salus_institution_role, "dac"},
    {7, 0, 0, salus_institution_role, "auditor"},
    {8, 0, 0, salus_institution_role, "patient-agent"},
};

const struct codes_table_rows codes_tables[CODES_TABLE_MAX + 1] = {
    [CODES_PURPOSE] = {"PURPOSE", purposes,
                       sizeof purposes / sizeof purposes[0]},
    [CODES_CONF] = {"CONF", confidentialities,
                    sizeof confidentialities / sizeof confidentialities[0]},
    [CODES_CLASS] = {"CLASS", classes, sizeof classes / sizeof classes[0]},
    [CODES_ACTION] = {"ACTION", actions, sizeof actions / sizeof actions[0]},
    [CODES_REASON] = {"REASON", reasons, sizeof reasons / sizeof reasons[0]},
    [CODES_ROLE] = {"ROLE", roles, sizeof roles / sizeof roles[0]},
    [CODES_CATEGORY] = {"CATEGORY", categories,
                        sizeof categories / sizeof categories[0]},
    [CODES_LEGAL_BASIS] = {"LEGAL_BASIS", legal_bases,
                           sizeof legal_bases / sizeof legal_bases[0]},
    [CODES_INSTITUTION_ROLE] = {"INSTITUTION_ROLE", institution_roles,
                                sizeof institution_roles /
                                    sizeof institution_roles[0]},
};
