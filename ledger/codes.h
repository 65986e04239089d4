/* SPDX-License-Identifier: Apache-2.0 */
/* The code tables, version 1: every code that a transaction may carry.
 *
 * A code on the ledger is a small number of one table, never a string. The
 * tables are compiled in; their digest stands in the genesis, so that replicas
 * with other tables do not start. Numbers are never used again.
 *
 * Facts about v3-ActReason, v3-Confidentiality and the consent code systems are
 * those of HL7 FHIR R4 4.0.1.
 */
#ifndef LEDGER_CODES_H
#define LEDGER_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consensus/types.h"

#define CODES_VERSION 1
#define CODES_ID_MAX 0xffff
#define CODES_ADDED_MIN 100 /* Below: compiled in. */

enum codes_table {
    CODES_PURPOSE = 1,     /* Why: v3-ActReason, PurposeOfUse. */
    CODES_CONF = 2,        /* How confidential: U L M N R V, ascending ids. */
    CODES_CLASS = 3,       /* What kind of data, coarse. */
    CODES_ACTION = 4,      /* What is done with data: consentaction. */
    CODES_REASON = 5,      /* Why evidence only, why withdrawn. */
    CODES_ROLE = 6,        /* Roles of participants. */
    CODES_CATEGORY = 7,    /* Category of a consent. */
    CODES_LEGAL_BASIS = 8, /* On what ground besides consent. */
    CODES_INSTITUTION_ROLE = 9,
};
#define CODES_TABLE_MAX 9

/* Flags of an entry. */
enum codes_flag {
    /* PURPOSE: a permit for the parent does not reach this code; only a permit
     * that names it does (docs/api.md, section 4a). */
    CODES_NO_INHERIT = 1 << 0,
    /* PURPOSE: is research: HRESCH and all below. */
    CODES_RESEARCH = 1 << 1,
    /* REASON: why a consent is on file as evidence only. */
    CODES_FOR_EVIDENCE = 1 << 2,
    /* REASON: why a consent is withdrawn. */
    CODES_FOR_REVOKE = 1 << 3,
    /* CATEGORY: a permit must name its recipients (42 CFR Part 2). */
    CODES_NAMED_RECIPIENT = 1 << 4,
    CODES_FOR_EMERGENCY = 1 << 5,  /* REASON: why glass is broken. */
    CODES_FOR_GOVERNANCE = 1 << 6, /* REASON: of the consortium. */
    CODES_FOR_DECISION = 1 << 7,   /* REASON: of a custodian. */
    /* ROLE: treats patients, may declare an emergency. */
    CODES_CLINICIAN = 1 << 8,
};

struct codes_entry {
    uint16_t id;        /* From 1; 0 is no code. */
    uint16_t parent;    /* Of the same table; 0: none. */
    uint32_t flags;     /* enum codes_flag. */
    const char *system; /* URI of the code system. */
    const char *code;   /* In that system. */
};

/* Ids that rules and builders name. */
enum {
    CODES_PURPOSE_TREAT = 1,
    CODES_PURPOSE_HPAYMT = 10,
    CODES_PURPOSE_HOPERAT = 20,
    CODES_PURPOSE_HRESCH = 60,
    CODES_CONF_U = 1,
    CODES_CONF_L = 2,
    CODES_CONF_M = 3,
    CODES_CONF_N = 4,
    CODES_CONF_R = 5,
    CODES_CONF_V = 6,
    CODES_CLASS_OTHER = 1,
    CODES_CATEGORY_OTHER = 1,
    CODES_REASON_NOT_COMPUTABLE = 1,
    CODES_REASON_AMBIGUOUS_BASE = 2,
    CODES_REASON_UNKNOWN_CODE = 3,
    CODES_REASON_UNRESOLVED_REFERENCE = 4,
    CODES_REASON_INCOMPLETE = 5,
    CODES_REASON_WITHDRAWN_BY_SUBJECT = 20,
    CODES_REASON_WITHDRAWN_BY_DELEGATE = 21,
    CODES_REASON_FILED_IN_ERROR = 22,
    CODES_REASON_REPLACED_ELSEWHERE = 23,
    CODES_REASON_LIFE_THREAT = 40,
    CODES_REASON_CONTRACT = 51,
    CODES_REASON_AS_COMPUTED = 60,
    CODES_REASON_LEGAL_OBLIGATION = 63,
    CODES_PURPOSE_ETREAT = 4,
    CODES_PURPOSE_BTG = 5,
    CODES_PURPOSE_HMARKT = 50,
    CODES_PURPOSE_PATRQT = 70,
    CODES_PURPOSE_PUBHLTH = 80,
    CODES_ACTION_ACCESS = 2,
    CODES_ACTION_DISCLOSE = 4,
    CODES_ROLE_DOCTOR = 1,
    CODES_ROLE_RESEARCHER = 4,
    CODES_ROLE_PRIVACY_OFFICER = 20,
    CODES_ROLE_EMERGENCY = 21,
    CODES_BASIS_CONSENT = 1,
    CODES_BASIS_TPO = 2,
    CODES_BASIS_PUBLIC_HEALTH = 3,
    CODES_BASIS_REQUIRED_BY_LAW = 4,
    CODES_BASIS_COURT_ORDER = 5,
    CODES_BASIS_INDIVIDUAL = 6,
    CODES_INSTITUTION_PROVIDER = 1,
    CODES_INSTITUTION_PAYER = 2,
    CODES_INSTITUTION_RESEARCH = 3,
    CODES_INSTITUTION_PUBLIC_HEALTH = 4,
    CODES_INSTITUTION_HIE = 5,
    CODES_INSTITUTION_DAC = 6,
    CODES_INSTITUTION_AUDITOR = 7,
    CODES_INSTITUTION_PATIENT_AGENT = 8,
};

/* NULL if the table has no such entry. `id` is as read from a transaction. */
const struct codes_entry *codes_by_id(enum codes_table table, uint32_t id);
/* By system and code, both zero-terminated; NULL if there is none. */
const struct codes_entry *codes_find(enum codes_table table, const char *system,
                                     const char *code);

/* All entries of a table, ascending by id. */
const struct codes_entry *codes_entries(enum codes_table table, size_t *count);

/* "PURPOSE", ... ; "?" for a number that is no table. */
const char *codes_table_name(enum codes_table table);

/* Is `id` equal to `ancestor` or below it? */
bool codes_is_below(enum codes_table table, uint32_t id, uint32_t ancestor);

/* BLAKE2b-256 of all tables of this version: genesis.table_digest. */
void codes_digest(struct pbft_digest *out);

#endif /* LEDGER_CODES_H */
