/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a transaction or request: one enum, stable numbers.
 *
 *   0     done
 *   1xx   envelope: who, when, in what form           (universal rules)
 *   2xx   references: what the transaction speaks of
 *   3xx   policy: who may do this
 *   4xx   privacy lint: what must not stand in a ledger
 *   5xx   consent semantics
 *   6xx   research                                    (later families)
 *   9xx   node: never ordered, never in a result
 *
 * Numbers and names never change their meaning and are never used again.
 * RETRY says whether the same request or transaction may succeed later without
 * a change. FHIR is the code of the OperationOutcome issue (issue-type).
 *
 * Four are reserved, and nothing comes to them: 506 and 507, since a consent
 * that contradicts itself or that no machine can read is filed as evidence,
 * with a REASON that says so; 900 and 903, since replicas say in their own
 * messages that they are busy or behind (client.proto).
 *
 * One error stands for "unknown" and for "not yours", so that an answer tells
 * nobody what exists (docs/api.md, section 3).
 */
#ifndef LEDGER_ERRORS_H
#define LEDGER_ERRORS_H

#include <stdbool.h>
#include <stdint.h>

/* X(name, number, retry, fhir, text) */
#define LEDGER_CODE_LIST(X)                                                    \
    X(LEDGER_OK, 0, false, "informational", "done")                            \
    /* 1xx: envelope of the request */                                         \
    X(LEDGER_DUPLICATE, 100, false, "duplicate",                               \
      "request was executed before; its first result stands")                  \
    X(LEDGER_SESSION_CLOSED, 101, false, "conflict",                           \
      "session is older than the sessions that are kept")                      \
    X(LEDGER_OUTSIDE_WINDOW, 102, true, "throttled",                           \
      "sequence is beyond the window of its session")                          \
    X(LEDGER_SEQUENCE, 103, false, "value", "session or sequence is 0")        \
    X(LEDGER_KEY_STATE, 104, false, "security",                                \
      "key is unknown, not active, or not for this purpose")                   \
    X(LEDGER_FOREIGN_INSTITUTION, 105, false, "security",                      \
      "key does not belong to the institution named")                          \
    X(LEDGER_INSTITUTION_STATE, 106, false, "security",                        \
      "institution is not active")                                             \
    X(LEDGER_LANE, 107, false, "business-rule",                                \
      "the urgent lane is for withdrawals and emergencies only")               \
    X(LEDGER_TOO_MANY, 108, false, "too-long",                                 \
      "too many transactions in one request")                                  \
    /* 11x: form of the transaction */                                         \
    X(LEDGER_SIZE, 110, false, "too-long",                                     \
      "larger, longer or smaller than allowed")                                \
    X(LEDGER_NON_CANONICAL, 111, false, "structure",                           \
      "encoding is not canonical or has unknown fields")                       \
    X(LEDGER_WRONG_CHAIN, 112, false, "security",                              \
      "meant for another consortium")                                          \
    X(LEDGER_VERSION, 113, false, "not-supported",                             \
      "version of the transaction is not supported")                           \
    X(LEDGER_UNKNOWN_TYPE, 114, false, "not-supported",                        \
      "transaction has no known type")                                         \
    X(LEDGER_SUBMITTER, 115, false, "security",                                \
      "transaction names another submitter than the request")                  \
    X(LEDGER_FIELD_FORM, 116, false, "value",                                  \
      "a field is missing, or of wrong length or value")                       \
    X(LEDGER_FIELD_ORDER, 117, false, "value",                                 \
      "a list is not strictly ascending")                                      \
    X(LEDGER_UNKNOWN_CODE, 118, false, "code-invalid",                         \
      "a code is not in the code table")                                       \
    X(LEDGER_TABLE_VERSION, 119, false, "code-invalid",                        \
      "code table version is not active")                                      \
    /* 12x: time */                                                            \
    X(LEDGER_EXPIRED, 120, false, "expired",                                   \
      "the block is later than not_after")                                     \
    X(LEDGER_EVENT_FUTURE, 121, true, "value",                                 \
      "a time lies in the future of the block")                                \
    X(LEDGER_LATE_UNMARKED, 122, false, "business-rule",                       \
      "event is old and not marked late")                                      \
    /* 13x: signatures and repetition */                                       \
    X(LEDGER_BAD_SIGNATURE, 130, false, "security",                            \
      "a co-signature does not verify")                                        \
    X(LEDGER_COSIGNER, 131, false, "security",                                 \
      "a co-signer is unknown, not active, or not allowed that role")          \
    X(LEDGER_TX_DUPLICATE, 132, false, "duplicate",                            \
      "the same transaction was executed before")                              \
    X(LEDGER_POP_INVALID, 133, false, "security",                              \
      "a new key has not signed for itself")                                   \
    /* 2xx: references */                                                      \
    X(LEDGER_NOT_FOUND, 200, false, "not-found",                               \
      "nothing of that kind, or not the caller's")                             \
    X(LEDGER_INST_EXISTS, 201, false, "duplicate", "institution id is in use") \
    X(LEDGER_INST_STATE, 202, false, "business-rule",                          \
      "institution is unknown, not in the state for this, or needed")          \
    X(LEDGER_SUCCESSOR_REQUIRED, 203, false, "business-rule",                  \
      "nobody would keep the records of the institution")                      \
    X(LEDGER_PART_EXISTS, 210, false, "duplicate", "participant id is in use") \
    X(LEDGER_PART_STATE, 211, false, "business-rule",                          \
      "participant is unknown, not valid now, or of another institution")      \
    X(LEDGER_KEY_REUSED, 212, false, "duplicate", "key is registered already") \
    X(LEDGER_SUBJ_EXISTS, 220, false, "duplicate", "subject handle is in use") \
    X(LEDGER_SUBJ_STATE, 221, false, "business-rule",                          \
      "subject is unknown, not active, or of another institution")             \
    X(LEDGER_CONSENT_EXISTS, 230, false, "duplicate", "consent id is in use")  \
    X(LEDGER_CONSENT_STATE, 231, false, "conflict",                            \
      "consent is unknown, not the caller's, or not in force")                 \
    X(LEDGER_SUPERSEDE_FOREIGN, 232, false, "business-rule",                   \
      "a superseded consent is unknown or of another subject")                 \
    X(LEDGER_CONSENT_LIMIT, 233, false, "business-rule",                       \
      "subject has as many consents in force as are allowed")                  \
    X(LEDGER_POLICY_INACTIVE, 240, true, "business-rule",                      \
      "policy version is not active")                                          \
    X(LEDGER_POLICY_VERSION, 241, false, "conflict",                           \
      "not the next version of the policy, or not published")                  \
    X(LEDGER_TABLE_CONFLICT, 242, false, "conflict",                           \
      "not the next table version, or a code is in use")                       \
    X(LEDGER_REC_EXISTS, 250, false, "duplicate", "record id is in use")       \
    X(LEDGER_REC_STATE, 251, false, "business-rule",                           \
      "a record is unknown or not of this custodian and subject")              \
    X(LEDGER_FOREIGN_SUBJECT, 252, false, "business-rule",                     \
      "custodian holds no such subject")                                       \
    X(LEDGER_BATCH_EXISTS, 253, false, "duplicate", "batch id is in use")      \
    X(LEDGER_BATCH_STATE, 254, false, "business-rule",                         \
      "batch is unknown or another's, or the leaf does not fit it")            \
    X(LEDGER_LEAF_OPENED, 255, false, "duplicate", "leaf was opened before")   \
    X(LEDGER_PROOF_INVALID, 256, false, "security",                            \
      "leaf and path do not lead to the root of the batch")                    \
    X(LEDGER_VERSION_CONFLICT, 260, false, "conflict",                         \
      "state has moved on; read it again")                                     \
    X(LEDGER_REQ_EXISTS, 270, false, "duplicate", "request id is in use")      \
    X(LEDGER_REQ_STATE, 271, false, "business-rule",                           \
      "request is unknown, another's, over, or decided")                       \
    X(LEDGER_TARGET_UNKNOWN, 272, false, "not-found",                          \
      "no such records of one patient at one custodian, or no such patient")   \
    X(LEDGER_DISC_EXISTS, 273, false, "duplicate", "disclosure id is in use")  \
    X(LEDGER_BG_EXISTS, 274, false, "duplicate", "emergency id is in use")     \
    X(LEDGER_BG_STATE, 275, false, "business-rule",                            \
      "emergency is unknown, or not in the state for this")                    \
    /* 3xx: policy */                                                          \
    X(LEDGER_ROLE_REQUIRED, 300, false, "forbidden",                           \
      "institution does not have the role for this transaction")               \
    X(LEDGER_COSIGN_MISSING, 301, false, "forbidden",                          \
      "a required co-signature is missing")                                    \
    X(LEDGER_DELEG_STATE, 302, false, "forbidden",                             \
      "delegate is unknown or has no power to consent")                        \
    X(LEDGER_RECIPIENT_REQUIRED, 303, false, "business-rule",                  \
      "this kind of consent must name its recipients")                         \
    X(LEDGER_NO_CUSTODIAN_KEY, 304, false, "business-rule",                    \
      "no envelope for the custodian itself")                                  \
    X(LEDGER_NO_DECISION, 305, false, "forbidden",                             \
      "nothing permits that this recipient gets this record")                  \
    X(LEDGER_DECISION_EXPIRED, 306, false, "expired",                          \
      "the decision has ended")                                                \
    X(LEDGER_RECIPIENT_NOT_PERMITTED, 307, false, "forbidden",                 \
      "a recipient holds no envelope now, or is not permitted any more")       \
    X(LEDGER_QUORUM_SHORT, 308, false, "forbidden",                            \
      "too few institutions have signed")                                      \
    X(LEDGER_SELF_REVIEW, 309, false, "forbidden",                             \
      "nobody reviews his own emergency")                                      \
    X(LEDGER_PRIVACY_ROLE, 310, false, "forbidden",                            \
      "only a privacy officer may do this")                                    \
    X(LEDGER_PURPOSE_ROLE, 311, false, "forbidden",                            \
      "requester has no role for this purpose")                                \
    X(LEDGER_WIDENS, 312, false, "forbidden",                                  \
      "the decision gives more than was computed")                             \
    X(LEDGER_LEGAL_BASIS_REQUIRED, 313, false, "forbidden",                    \
      "a written request on a legal basis is needed")                          \
    X(LEDGER_DECISION_SCOPE, 314, false, "business-rule",                      \
      "not covered by the decision, and not reported as a violation")          \
    X(LEDGER_BASIS, 315, false, "value",                                       \
      "a disclosure stands on a decision, an emergency, or a law")             \
    X(LEDGER_BG_ROLE, 316, false, "forbidden",                                 \
      "only a clinician of a provider may declare an emergency")               \
    X(LEDGER_BG_WINDOW, 317, false, "business-rule",                           \
      "longer than policy allows")                                             \
    X(LEDGER_BG_FORBIDDEN, 318, false, "forbidden",                            \
      "policy or an explicit consent forbids it")                              \
    X(LEDGER_BG_WITNESS, 319, false, "forbidden",                              \
      "a second witness is needed: reviews are overdue")                       \
    X(LEDGER_SUSPEND_TOO_LONG, 320, false, "business-rule",                    \
      "longer than a suspension may last")                                     \
    /* 4xx: privacy lint */                                                    \
    X(LEDGER_LOCATION_FORM, 400, false, "value",                               \
      "location is not an opaque drs:// or urn:uuid: reference")               \
    X(LEDGER_CLEAR_TEXT, 401, false, "value",                                  \
      "an id or commitment is not random: it reads as text")                   \
    X(LEDGER_PLAIN_HASH, 402, false, "value",                                  \
      "a commitment is the well-known hash of nothing")                        \
    X(LEDGER_PERIOD_PRECISE, 403, false, "value",                              \
      "period of the data is finer than whole days")                           \
    /* 5xx: consent semantics */                                               \
    X(LEDGER_PERIOD, 500, false, "value",                                      \
      "a period ends before it begins, or times contradict")                   \
    X(LEDGER_SELECTOR, 501, false, "value",                                    \
      "a selector is malformed or an exception says nothing")                  \
    X(LEDGER_SELECTOR_EMPTY_DENY, 502, false, "value",                         \
      "a deny exception that names nothing")                                   \
    X(LEDGER_SELECTOR_UNKNOWN_DENY, 503, false, "value",                       \
      "a deny names a unit, or a purpose that no table knows")                 \
    X(LEDGER_ACTOR_UNKNOWN, 504, false, "business-rule",                       \
      "an actor of the consent is not registered")                             \
    X(LEDGER_SCOPE_PURPOSE, 505, false, "business-rule",                       \
      "a research consent that names no research purpose")                     \
    X(LEDGER_AMBIGUOUS_BASE, 506, false, "business-rule",                      \
      "rule and provision of the consent contradict")                          \
    X(LEDGER_NOT_COMPUTABLE, 507, false, "business-rule",                      \
      "consent cannot be enforced by machines")                                \
    /* 9xx: node */                                                            \
    X(LEDGER_BUSY, 900, true, "throttled", "too much to do; try again later")  \
    X(LEDGER_NOT_AUTHORIZED, 901, false, "forbidden",                          \
      "caller is not an institution of the consortium")                        \
    X(LEDGER_QUERY_FORM, 902, false, "structure", "query cannot be read")      \
    X(LEDGER_SYNCING, 903, true, "transient", "replica is behind")

enum ledger_code {
#define LEDGER_CODE_ENUM(name, number, retry, fhir, text) name = number,
    LEDGER_CODE_LIST(LEDGER_CODE_ENUM)
#undef LEDGER_CODE_ENUM
};

/* All four take any number, as read from a result: static text, never NULL;
 * "unknown code" for what is not in the list. */
const char *ledger_code_name(uint32_t code); /* "CONSENT_STATE" */
const char *ledger_code_text(uint32_t code); /* "consent is unknown, ..." */
const char *ledger_code_fhir(uint32_t code); /* "conflict" */
bool ledger_code_is_retryable(uint32_t code);

#endif /* LEDGER_ERRORS_H */
