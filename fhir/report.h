/* SPDX-License-Identifier: Apache-2.0 */
/* What was found in a resource: static texts, JSON paths and short codes, and
 * never a name, number or narrative of a patient.
 */
#ifndef FHIR_REPORT_H
#define FHIR_REPORT_H

#include "consensus/types.h"
#include "fhir/limits.h"
#include "ledger/codes.h"

enum fhir_class {
    FHIR_ENFORCEABLE = 1,   /* The ledger can hold exactly what it says. */
    FHIR_EVIDENCE_ONLY = 2, /* On file, not computable; widens nothing. */
    FHIR_REJECT = 3,        /* Not imported. */
    FHIR_LOCAL = 4,         /* Sound, and nobody else's business. */
};
#define FHIR_CLASSES 5                              /* An array by class. */
const char *fhir_class_name(enum fhir_class value); /* "ENFORCEABLE" */

/* What a finding does to the class. */
enum fhir_weight {
    FHIR_NOTE = 0,
    FHIR_UNCERTAIN = 1,
    FHIR_APART = 2, /* It stays at the institution. */
    FHIR_FATAL = 3,
};

/* X(name, weight, reason code of evidence, text). The order is that of reports.
 * "%s" in a text stands for the code; without it codes follow after a colon. */
#define FHIR_FINDING_LIST(X)                                                   \
    /* the file */                                                             \
    X(FHIR_UNREADABLE, FHIR_FATAL, 0, "file cannot be read")                   \
    X(FHIR_EMPTY, FHIR_FATAL, 0, "nothing to import")                          \
    X(FHIR_TOO_LARGE, FHIR_FATAL, 0, "larger than its limit")                  \
    X(FHIR_BYTE_ORDER_MARK, FHIR_FATAL, 0,                                     \
      "begins with a byte order mark: save it as UTF-8 without one")           \
    X(FHIR_NOT_JSON, FHIR_FATAL, 0, "not JSON")                                \
    X(FHIR_NOT_UTF8, FHIR_FATAL, 0, "not UTF-8")                               \
    X(FHIR_DUPLICATE_KEY, FHIR_FATAL, 0, "an element appears twice")           \
    X(FHIR_TOO_DEEP, FHIR_FATAL, 0, "nested deeper than 32 levels")            \
    X(FHIR_NO_MEMORY, FHIR_FATAL, 0, "out of memory")                          \
    X(FHIR_NO_RESOURCE_TYPE, FHIR_FATAL, 0, "no resourceType")                 \
    X(FHIR_RESOURCE_TYPE, FHIR_FATAL, 0, "resource type %s is not imported")   \
    X(FHIR_BUNDLE_TYPE, FHIR_FATAL, 0, "bundle type %s is not imported")       \
    X(FHIR_BUNDLE_TRANSACTION, FHIR_FATAL, 0,                                  \
      "transaction bundle of more than one entry: make it a batch")            \
    X(FHIR_BUNDLE_METHOD, FHIR_FATAL, 0,                                       \
      "bundle entry neither creates nor updates")                              \
    X(FHIR_BUNDLE_CONDITION, FHIR_FATAL, 0,                                    \
      "condition of a request that an import cannot keep")                     \
    X(FHIR_BUNDLE_ENTRY, FHIR_FATAL, 0, "bundle entry without resource")       \
    X(FHIR_FULL_URL, FHIR_FATAL, 0,                                            \
      "fullUrl of another resource too, or not that of its id")                \
    /* form of a resource */                                                   \
    X(FHIR_MODIFIER, FHIR_FATAL, 0, "modifierExtension cannot be ignored")     \
    X(FHIR_IMPLICIT_RULES, FHIR_FATAL, 0, "implicitRules are not known")       \
    X(FHIR_UNKNOWN_ELEMENT, FHIR_FATAL, 0, "element is not known")             \
    X(FHIR_WRONG_TYPE, FHIR_FATAL, 0, "wrong JSON type or empty")              \
    X(FHIR_MISSING, FHIR_FATAL, 0, "required element is missing")              \
    X(FHIR_BAD_CODE, FHIR_FATAL, 0, "code is not allowed here")                \
    X(FHIR_BAD_DATE, FHIR_FATAL, 0,                                            \
      "not a valid date or instant: a time has seconds and a zone")            \
    X(FHIR_PERIOD_ORDER, FHIR_FATAL, 0, "period ends before it begins")        \
    X(FHIR_BAD_REFERENCE, FHIR_FATAL, 0,                                       \
      "reference is missing or malformed: a logical one has type, "            \
      "identifier.system and identifier.value")                                \
    X(FHIR_CONTAINED, FHIR_FATAL, 0,                                           \
      "a contained resource has no ledger id: import it on its own")           \
    X(FHIR_REFERENCE_TYPE, FHIR_FATAL, 0, "reference to a wrong type")         \
    X(FHIR_STATUS, FHIR_FATAL, 0,                                              \
      "status %s is not imported: what the ledger has of it stays as it is")   \
    X(FHIR_MANY, FHIR_FATAL, 0, "more of them than the ledger can hold")       \
    X(FHIR_DENY_PURPOSE, FHIR_FATAL, 0,                                        \
      "deny for a purpose outside v3-ActReason")                               \
    X(FHIR_INACTIVE, FHIR_FATAL, 0,                                            \
      "is not active: what the ledger has of it stays as it is")               \
    X(FHIR_LINKED, FHIR_FATAL, 0, "linked patients are not imported")          \
    X(FHIR_GROUP_KIND, FHIR_FATAL, 0, "not an actual group of professionals")  \
    X(FHIR_TEAM_MEMBER, FHIR_FATAL, 0,                                         \
      "member of a care team that the ledger cannot hold")                     \
    X(FHIR_GROUP_EMPTY, FHIR_FATAL, 0,                                         \
      "group without members: who belongs to it on the ledger stays in it, "   \
      "until it is revoked")                                                   \
    X(FHIR_GROUP_MEMBER, FHIR_FATAL, 0,                                        \
      "neither a person nor a service: a deny of the group would not reach "   \
      "it")                                                                    \
    X(FHIR_MANY_CONTENTS, FHIR_FATAL, 0, "more than one content")              \
    X(FHIR_OLDER_RULES, FHIR_FATAL, 0,                                         \
      "several authors, and a consent of the patient that an older program "   \
      "imported, which may not find them: import it again, under a new "       \
      "meta.versionId")                                                        \
    X(FHIR_NO_CONTENT, FHIR_FATAL, 0,                                          \
      "content is not at hand: put it inline, or name --attachments")          \
    X(FHIR_BAD_BASE64, FHIR_FATAL, 0, "not base64")                            \
    X(FHIR_CONTENT_SIZE, FHIR_FATAL, 0, "size differs from the content")       \
    X(FHIR_CONTENT_HASH, FHIR_FATAL, 0, "hash differs from the content")       \
    X(FHIR_RELATION, FHIR_FATAL, 0, "relation %s is not imported")             \
    X(FHIR_LABEL, FHIR_FATAL, 0, "security label is not known")                \
    X(FHIR_UNRESOLVED, FHIR_FATAL, 0,                                          \
      "reference is not in the vault: import what it names first")             \
    X(FHIR_UNVOUCHED, FHIR_FATAL, 0,                                           \
      "the vault does not say for whom the performer acts: import the "        \
      "RelatedPerson with its patient first")                                  \
    X(FHIR_FOREIGN, FHIR_FATAL, 0, "belongs to another institution")           \
    X(FHIR_TAKEN, FHIR_FATAL, 0, "identifier belongs to another")              \
    X(FHIR_NOT_ON_LEDGER, FHIR_FATAL, 0,                                       \
      "no such consent of this patient was imported")                          \
    X(FHIR_ONLY_EVIDENCE, FHIR_FATAL, 0,                                       \
      "only evidence of it is on file: a privacy officer settles that")        \
    X(FHIR_DISCLOSURE_TYPE, FHIR_FATAL, 0,                                     \
      "tells of a disclosure, but is neither DCM 110106 nor 110107")           \
    X(FHIR_NO_PATIENT, FHIR_FATAL, 0, "no entity is the patient")              \
    X(FHIR_MANY_PATIENTS, FHIR_FATAL, 0, "more than one patient")              \
    X(FHIR_NO_RECIPIENT, FHIR_FATAL, 0,                                        \
      "no agent of type DCM 110152 refers to the recipient: --recipient says " \
      "who it was")                                                            \
    X(FHIR_MANY_RECIPIENTS, FHIR_FATAL, 0, "more than one recipient")          \
    X(FHIR_NO_ITEMS, FHIR_FATAL, 0, "no entity says what was disclosed")       \
    X(FHIR_NO_DECLARER, FHIR_FATAL, 0, "no agent is the requestor")            \
    X(FHIR_EVENT_PURPOSE, FHIR_FATAL, 0, "purpose is missing or not known")    \
    X(FHIR_MANY_PURPOSES, FHIR_FATAL, 0, "more than one purpose")              \
    X(FHIR_POLICY_FORM, FHIR_FATAL, 0,                                         \
      "not the number of one decision or emergency, nor one legal basis with " \
      "the commitment to its document")                                        \
    X(FHIR_NO_BASIS, FHIR_FATAL, 0,                                            \
      "no decision, emergency, legal basis or request of the patient is "      \
      "named: agent.policy names one, or --basis with --basis-document, or "   \
      "--self-report")                                                         \
    X(FHIR_BASIS_CODE, FHIR_FATAL, 0,                                          \
      "not a legal basis: it is public-health, required-by-law or "            \
      "court-order")                                                           \
    X(FHIR_BASIS_DIFFERS, FHIR_FATAL, 0,                                       \
      "says another legal basis than --basis")                                 \
    X(FHIR_NO_DOCUMENT, FHIR_FATAL, 0,                                         \
      "no document shows the legal basis: --basis-document names it, or "      \
      "agent.policy its commitment")                                           \
    X(FHIR_CONSENT_ALONE, FHIR_FATAL, 0,                                       \
      "a consent is no decision: agent.policy names the request that was "     \
      "decided on it, or --self-report")                                       \
    X(FHIR_NO_EMERGENCY_REASON, FHIR_FATAL, 0,                                 \
      "no reason is given for the emergency: --emergency-reason gives one")    \
    X(FHIR_EVENT_CHANGED, FHIR_FATAL, 0,                                       \
      "an event of that id was imported with other content")                   \
    X(FHIR_DECISION_EMERGENCY, FHIR_FATAL, 0,                                  \
      "decision on access for an emergency: the event of the emergency "       \
      "itself tells it")                                                       \
    X(FHIR_SIGNATURE, FHIR_FATAL, 0, "signature is malformed")                 \
    X(FHIR_SIGNATURE_ALGORITHM, FHIR_FATAL, 0,                                 \
      "signature algorithm is not accepted")                                   \
    X(FHIR_SIGNATURE_CRITICAL, FHIR_FATAL, 0,                                  \
      "signature has a critical header that is not understood")                \
    X(FHIR_SIGNATURE_WRONG, FHIR_FATAL, 0, "signature does not verify")        \
    X(FHIR_SIGNATURE_EXPIRED, FHIR_FATAL, 0,                                   \
      "certificate of the signer was not valid then")                          \
    /* an export; paths are those of the transaction */                        \
    X(FHIR_EXPORT_TYPE, FHIR_FATAL, 0,                                         \
      "transaction type %s has no resource in FHIR")                           \
    X(FHIR_EXPORT_FIELD, FHIR_FATAL, 0, "cannot be said in FHIR R4")           \
    X(FHIR_EXPORT_CODE, FHIR_FATAL, 0,                                         \
      "code of a table that this version does not know")                       \
    X(FHIR_EXPORT_TIME, FHIR_FATAL, 0, "time after the year 9999")             \
    X(FHIR_EXPORT_TAG, FHIR_FATAL, 0, "label that the vault cannot read")      \
    X(FHIR_EXPORT_VAULT, FHIR_FATAL, 0, "the vault does not have it")          \
    X(FHIR_EXPORT_UNPROVEN, FHIR_FATAL, 0, "the replicas do not prove it now") \
    X(FHIR_EXPORT_WITHHELD, FHIR_FATAL, 0,                                     \
      "only the vault's own words say it, and they are withheld")              \
    X(FHIR_EXPORT_LARGE, FHIR_FATAL, 0,                                        \
      "content does not fit into a resource")                                  \
    X(FHIR_EXPORT_DIFFERS, FHIR_FATAL, 0,                                      \
      "would be imported as something else")                                   \
    /* what stays at the institution */                                        \
    X(FHIR_INTERNAL, FHIR_APART, 0, "internal event: stays here")              \
    X(FHIR_DECISION, FHIR_APART, 0,                                            \
      "decision on access, which gives nothing here: stays here")              \
    X(FHIR_RECEIPT, FHIR_APART, 0,                                             \
      "receipt of a disclosure, which its source tells: stays here")           \
    X(FHIR_FAILED_EVENT, FHIR_APART, 0, "did not succeed: stays here")         \
    X(FHIR_IN_EMERGENCY, FHIR_APART, 0,                                        \
      "within an emergency that is on the ledger: stays here")                 \
    X(FHIR_CONTEXT_STAYS, FHIR_APART, 0,                                       \
      "documents and consents may name it: stays here")                        \
    X(FHIR_PROVENANCE_STAYS, FHIR_APART, 0, "provenance: stays here")          \
    /* what makes a consent evidence only */                                   \
    X(FHIR_NO_PROVISION, FHIR_UNCERTAIN, CODES_REASON_INCOMPLETE,              \
      "no provision")                                                          \
    X(FHIR_NO_ROOT_TYPE, FHIR_UNCERTAIN, CODES_REASON_AMBIGUOUS_BASE,          \
      "root provision.type absent (R4 base style; base only in policyRule)")   \
    X(FHIR_PROVISION_CODE, FHIR_UNCERTAIN, CODES_REASON_UNKNOWN_CODE,          \
      "provision.code not mappable")                                           \
    X(FHIR_ACTOR_ROLE, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,            \
      "actor role not IRCP")                                                   \
    X(FHIR_OPTIN_DENY, FHIR_UNCERTAIN, CODES_REASON_AMBIGUOUS_BASE,            \
      "policyRule %s contradicts root type deny")                              \
    X(FHIR_OPTOUT_PERMIT, FHIR_UNCERTAIN, CODES_REASON_AMBIGUOUS_BASE,         \
      "policyRule %s contradicts root type permit")                            \
    X(FHIR_NO_NESTED_TYPE, FHIR_UNCERTAIN, CODES_REASON_AMBIGUOUS_BASE,        \
      "nested provision.type absent")                                          \
    X(FHIR_NO_DATE, FHIR_UNCERTAIN, CODES_REASON_INCOMPLETE, "no dateTime")    \
    X(FHIR_NO_PERFORMER, FHIR_UNCERTAIN, CODES_REASON_INCOMPLETE,              \
      "no performer")                                                          \
    X(FHIR_NO_SOURCE, FHIR_UNCERTAIN, CODES_REASON_INCOMPLETE,                 \
      "no source evidence")                                                    \
    X(FHIR_NO_POLICY, FHIR_UNCERTAIN, CODES_REASON_INCOMPLETE,                 \
      "no policy uri")                                                         \
    X(FHIR_MANY_POLICIES, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,         \
      "more than one policy")                                                  \
    X(FHIR_MANY_PERFORMERS, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,       \
      "more than one performer")                                               \
    X(FHIR_PERFORMER, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,             \
      "performer is neither the patient nor one who acts for him")             \
    X(FHIR_SCOPE, FHIR_UNCERTAIN, CODES_REASON_UNKNOWN_CODE,                   \
      "scope is not known")                                                    \
    X(FHIR_SEVERAL_CODES, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,         \
      "several different codes where one counts")                              \
    X(FHIR_UNVERIFIED, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,            \
      "not verified with the patient")                                         \
    X(FHIR_NESTED_TWICE, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,          \
      "provision nested deeper than one level")                                \
    X(FHIR_NESTED_PERIOD, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,         \
      "period of a nested provision")                                          \
    X(FHIR_EMPTY_EXCEPTION, FHIR_UNCERTAIN, CODES_REASON_AMBIGUOUS_BASE,       \
      "nested provision that restricts nothing")                               \
    X(FHIR_EXTENSION, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,             \
      "extension in a provision")                                              \
    X(FHIR_ACTION, FHIR_UNCERTAIN, CODES_REASON_UNKNOWN_CODE,                  \
      "action not mappable")                                                   \
    X(FHIR_SECURITY_LABEL, FHIR_UNCERTAIN, CODES_REASON_UNKNOWN_CODE,          \
      "securityLabel not mappable")                                            \
    X(FHIR_AUTHOR_GROUP, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,          \
      "author is a group: those of records are people")                        \
    X(FHIR_DATA_VERSION, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,          \
      "permit for one version of its data")                                    \
    X(FHIR_HELD_ELSEWHERE, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,        \
      "held by another institution, which files it")                           \
    X(FHIR_PROVISION_CLASS, FHIR_UNCERTAIN, CODES_REASON_UNKNOWN_CODE,         \
      "provision.class finer than the table")                                  \
    X(FHIR_DENY_INHERITS, FHIR_UNCERTAIN, CODES_REASON_UNKNOWN_CODE,           \
      "deny inherits a purpose outside v3-ActReason")                          \
    X(FHIR_ROLE_OF_SEVERAL, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,       \
      "permit for one of several roles of a person: the ledger has the "       \
      "person")                                                                \
    X(FHIR_PERMIT_INHERITS, FHIR_UNCERTAIN, CODES_REASON_AMBIGUOUS_BASE,       \
      "permit inherits the confidentiality of a deny: it has to state one")    \
    X(FHIR_DENY_UNIT, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,             \
      "deny of an organization that no member of the consortium is: "          \
      "--member or --own names it")                                            \
    X(FHIR_EARLY_DATE, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,            \
      "date before 1970")                                                      \
    X(FHIR_OVER_BEFORE, FHIR_UNCERTAIN, CODES_REASON_AMBIGUOUS_BASE,           \
      "period ends before the consent was given")                              \
    X(FHIR_RESEARCH_PURPOSE, FHIR_UNCERTAIN, CODES_REASON_AMBIGUOUS_BASE,      \
      "research scope without a research purpose")                             \
    X(FHIR_RECIPIENT, FHIR_UNCERTAIN, CODES_REASON_INCOMPLETE,                 \
      "category demands named recipients")                                     \
    X(FHIR_PROVISION_MANY, FHIR_UNCERTAIN, CODES_REASON_NOT_COMPUTABLE,        \
      "more than the ledger can hold")                                         \
    /* remarks */                                                              \
    X(FHIR_PURPOSE, FHIR_NOTE, 0, "purpose outside v3-ActReason")              \
    X(FHIR_CONSENT_UNKNOWN, FHIR_NOTE, 0,                                      \
      "not a consent of this patient that computes: told without a ground")    \
    X(FHIR_SIGNATURE_FORM, FHIR_NOTE, 0,                                       \
      "signature is well formed; an import verifies it")                       \
    X(FHIR_SIGNATURE_UNVERIFIED, FHIR_NOTE, 0, "signature is not verified")    \
    X(FHIR_SIGNATURE_VERIFIED, FHIR_NOTE, 0, "signature is verified")          \
    X(FHIR_WITHDRAWAL, FHIR_NOTE, 0, "withdraws the consent")

enum fhir_finding_kind {
#define FHIR_FINDING_ENUM(name, weight, reason, text) name,
    FHIR_FINDING_LIST(FHIR_FINDING_ENUM)
#undef FHIR_FINDING_ENUM
};

struct fhir_finding {
    enum fhir_finding_kind kind;
    char path[FHIR_PATH_MAX]; /* "provision.actor[0].role"; "$": all of it. */
    char code[FHIR_CODE_MAX]; /* Or empty. */
};

struct fhir_report {
    struct fhir_finding findings[FHIR_FINDINGS_MAX]; /* As met. */
    size_t count;
    const char *prefix; /* Before all paths: "entry[3].resource"; or "". */
    size_t lost;        /* Did not fit; their weight counts. */
    enum fhir_weight worst;
    uint32_t evidence_reason; /* REASON code; 0: none. */
};

/* `prefix` is kept. */
void fhir_report_init(struct fhir_report *report, const char *prefix);

/* Adds a finding. `code` may be NULL; of one that came with the resource it is
 * kept only if it is short and stands in a table that is known here. */
void fhir_report_add(struct fhir_report *report, enum fhir_finding_kind kind,
                     const char *path, const char *code);

enum fhir_class fhir_report_class(const struct fhir_report *report);
enum fhir_weight fhir_finding_weight(enum fhir_finding_kind kind);

/* All reasons in order, joined by "; ", equal ones once, with their codes
 * sorted: "no dateTime; actor role not IRCP: AUT,PRCP". "-" if there is none.
 * Cut at `size`. */
void fhir_report_reasons(const struct fhir_report *report, char *out,
                         size_t size);
/* The text of one finding. */
void fhir_finding_text(const struct fhir_finding *finding, char *out,
                       size_t size);
/* The path of what decided the class; that of the resource if nothing was
 * found. */
const char *fhir_report_path(const struct fhir_report *report);

/* A letter, then letters, digits, '-', '_' or '.', short. */
bool fhir_is_code(const char *text);
/* Is it a resource type or code of FHIR, HL7 v3 or the ledger, and nobody's
 * name (shown_codes.c)? */
bool fhir_code_is_shown(const char *code);

#endif /* FHIR_REPORT_H */
