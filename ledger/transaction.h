/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions as bytes: build them, name them, put them into a request. No
 * rule of the ledger is judged here; what is built may still be refused.
 *
 * The structs mirror proto/salus/v1/ledger.proto field by field; read there
 * what a field means. Regions and arrays are borrowed for the call. An id or
 * commitment that is optional may be an empty region.
 *
 * Canonical bytes: the builders write them; the ledger refuses anything else.
 * Lists that must ascend (codes, tags, ids, members, supersedes, envelopes by
 * recipient) are sorted and freed of repetitions by the builders.
 */
#ifndef LEDGER_TRANSACTION_H
#define LEDGER_TRANSACTION_H

#include "consensus/status.h"
#include "consensus/types.h"
#include "ledger/limits.h"

#define TRANSACTION_VERSION 1

struct ProtobufCMessage;

/* Numbers of the oneof in TransactionBody. */
enum transaction_type {
    TRANSACTION_NONE = 0,
    TRANSACTION_PARTICIPANT_REGISTER = 20,
    TRANSACTION_SUBJECT_REGISTER = 21,
    TRANSACTION_CONSENT_GRANT = 22,
    TRANSACTION_CONSENT_EVIDENCE = 23,
    TRANSACTION_CONSENT_REVOKE = 24,
    TRANSACTION_RECORD_ANCHOR = 25,
    TRANSACTION_INST_ADMIT = 26,
    TRANSACTION_INST_UPDATE = 27,
    TRANSACTION_INST_SUSPEND = 28,
    TRANSACTION_INST_RETIRE = 29,
    TRANSACTION_KEY_ROTATE = 30,
    TRANSACTION_KEY_REVOKE = 31,
    TRANSACTION_PARTICIPANT_UPDATE = 32,
    TRANSACTION_PARTICIPANT_REVOKE = 33,
    TRANSACTION_POLICY_PUBLISH = 34,
    TRANSACTION_POLICY_ACTIVATE = 35,
    TRANSACTION_CODETABLE_PUBLISH = 36,
    TRANSACTION_SUBJECT_SETTLE = 37,
    TRANSACTION_RECORD_ANCHOR_BATCH = 38,
    TRANSACTION_RECORD_OPEN = 39,
    TRANSACTION_RECORD_AMEND = 40,
    TRANSACTION_RECORD_RETRACT = 41,
    TRANSACTION_KEY_GRANT = 42,
    TRANSACTION_REKEY = 43,
    TRANSACTION_ACCESS_REQUEST = 44,
    TRANSACTION_ACCESS_DECISION = 45,
    TRANSACTION_DISCLOSURE = 46,
    TRANSACTION_DISCLOSURE_BATCH = 47,
    TRANSACTION_DISCLOSURE_OPEN = 48,
    TRANSACTION_BREAK_GLASS = 49,
    TRANSACTION_BREAK_GLASS_REVIEW = 50,
    TRANSACTION_ACCOUNTING_SUSPEND = 51,
};

/* "CONSENT_GRANT", ...; "?" for a number that is no type. */
const char *transaction_type_name(enum transaction_type type);

struct transaction_id16 {
    uint8_t bytes[LEDGER_ID_SIZE];
};

/* The key a request is signed with, by its name on the ledger. */
struct transaction_key_id {
    uint8_t bytes[LEDGER_ID_SIZE];
};

/* First 16 bytes of BLAKE2b-256("salus/keyid/1"[16] | key). For Ed25519 and
 * X25519 keys alike. */
void transaction_key_id(struct transaction_key_id *out,
                        const uint8_t public_key[PBFT_PUBLIC_KEY_SIZE]);
/* First 16 bytes of BLAKE2b-256(uri), as in the genesis. */
void transaction_policy_id(struct transaction_id16 *out, struct pbft_bytes uri);

/* SHA-256("salus/tx/1" | chain | body). */
void transaction_id(struct pbft_digest *out, const struct pbft_digest *chain,
                    struct pbft_bytes body);

/* What stands around every payload. */
struct transaction_envelope {
    struct pbft_digest chain; /* Cluster id. */
    struct pbft_institution institution;
    struct transaction_key_id key_id; /* Of the key that signs the request. */
    struct pbft_bytes participant;    /* 16 bytes or empty. */
    uint64_t not_after_ms;            /* Since 1970 UTC. */
    uint64_t event_time_ms;           /* 0: now. */
    uint32_t event_time_uncertainty_ms;
    bool late;
    uint32_t table_version; /* CODES_VERSION */
};

struct transaction_ids {
    const uint8_t *bytes; /* count times the size of one. */
    size_t count;
};

struct transaction_codes {
    const uint32_t *ids; /* Of the table that the field names. */
    size_t count;
};

/* Values are those of ParticipantRegister.Kind. */
enum transaction_participant_kind {
    TRANSACTION_PROFESSIONAL = 1,
    TRANSACTION_SERVICE = 2,
    TRANSACTION_APP = 3,
    TRANSACTION_RESEARCHER = 4,
    TRANSACTION_PATIENT_AGENT = 5,
    TRANSACTION_GROUP = 6,
    TRANSACTION_UNIT = 7,
};

struct transaction_participant_register {
    struct pbft_bytes participant;
    enum transaction_participant_kind kind;
    struct transaction_codes roles;
    uint64_t valid_from_ms;
    uint64_t valid_to_ms;
    struct pbft_bytes credential_commit;
    struct transaction_ids members; /* 16 bytes each. */
};

struct transaction_subject {
    struct pbft_bytes handle;
    struct pbft_bytes agent_key;
    uint32_t epoch_no;
};

struct transaction_subject_register {
    const struct transaction_subject *subjects;
    size_t subject_count;
};

/* Values are those of Selector.Actor.Kind. */
enum transaction_actor_kind {
    TRANSACTION_ACTOR_INSTITUTION = 1,
    TRANSACTION_ACTOR_PARTICIPANT = 2,
    TRANSACTION_ACTOR_GROUP = 3,
    TRANSACTION_ACTOR_ROLE = 4,
};

struct transaction_actor {
    enum transaction_actor_kind kind;
    struct pbft_bytes id; /* Empty for ROLE. */
    uint32_t role;        /* For ROLE only. */
};

/* Values are those of Selector.DataRef.Meaning. */
enum transaction_meaning {
    TRANSACTION_INSTANCE = 1,
    TRANSACTION_RELATED = 2,
    TRANSACTION_DEPENDENTS = 3,
    TRANSACTION_AUTHORED_BY = 4,
};

struct transaction_data_ref {
    enum transaction_meaning meaning;
    struct pbft_bytes id;
};

struct transaction_selector {
    const struct transaction_actor *actors;
    size_t actor_count;
    struct transaction_codes purposes;
    struct transaction_codes actions;
    struct transaction_codes confidentiality;
    struct transaction_ids tags;
    struct transaction_codes classes;
    uint64_t data_from_ms;
    uint64_t data_to_ms;
    const struct transaction_data_ref *data;
    size_t data_count;
    bool purpose_unknown;
};

enum transaction_decision { TRANSACTION_PERMIT = 1, TRANSACTION_DENY = 2 };

struct transaction_exception {
    enum transaction_decision type;
    struct transaction_selector selector;
};

enum transaction_scope {
    TRANSACTION_SCOPE_PRIVACY = 1,
    TRANSACTION_SCOPE_RESEARCH = 2,
    TRANSACTION_SCOPE_TREATMENT = 3,
    TRANSACTION_SCOPE_ADR = 4,
};

enum transaction_performer {
    TRANSACTION_BY_SUBJECT = 1,
    TRANSACTION_BY_DELEGATE = 2,
};

enum transaction_mode {
    TRANSACTION_WET_INK = 1,
    TRANSACTION_ESIGN = 2,
    TRANSACTION_VERBAL_WITNESSED = 3,
    TRANSACTION_AGENT_KEY = 4,
};

struct transaction_consent_grant {
    struct pbft_bytes consent;
    struct pbft_bytes subject;
    enum transaction_scope scope;
    uint32_t category;
    struct pbft_bytes policy;
    uint32_t policy_version;
    uint64_t given_at_ms;
    enum transaction_decision base_decision;
    uint64_t period_from_ms;
    uint64_t period_to_ms;
    struct transaction_selector root;
    const struct transaction_exception *exceptions;
    size_t exception_count;
    enum transaction_performer performer;
    struct pbft_bytes delegate;
    enum transaction_mode mode;
    struct pbft_bytes evidence_commit;
    struct pbft_bytes source_commit;
    struct transaction_ids supersedes; /* 16 bytes each. */
};

struct transaction_consent_evidence {
    struct pbft_bytes consent;
    struct pbft_bytes subject;
    struct pbft_bytes evidence_commit;
    uint32_t reason;
};

struct transaction_consent_revoke {
    struct pbft_bytes consent;
    uint32_t reason;
    uint64_t revoked_at_ms;
    struct pbft_bytes evidence_commit;
};

struct transaction_record_envelope {
    struct transaction_key_id recipient_key;
    struct pbft_digest wrap_commit;
};

struct transaction_record_anchor {
    struct pbft_bytes record;
    struct pbft_bytes subject;
    uint32_t class_code;
    uint32_t confidentiality;
    struct transaction_ids tags; /* 16 bytes each; 0, 4, 8 or 16 of them. */
    struct pbft_bytes author;
    uint64_t data_from_ms; /* Whole days. */
    uint64_t data_to_ms;
    struct pbft_bytes commit;
    struct pbft_bytes cipher_digest;
    uint32_t cipher_size_bucket; /* forms_size_bucket() */
    uint32_t algorithm;
    struct pbft_bytes location; /* ASCII. */
    const struct transaction_record_envelope *envelopes;
    size_t envelope_count;
    struct pbft_bytes prior_record;
    struct transaction_ids related; /* 16 bytes each; order is kept. */
};

struct transaction {
    enum transaction_type type;
    union {
        struct transaction_participant_register participant_register;
        struct transaction_subject_register subject_register;
        struct transaction_consent_grant consent_grant;
        struct transaction_consent_evidence consent_evidence;
        struct transaction_consent_revoke consent_revoke;
        struct transaction_record_anchor record_anchor;
    };
};

/* From malloc; the caller frees it with free(). */
struct transaction_bytes {
    uint8_t *data;
    size_t size;
};

/* The canonical body. TOO_LARGE: a list or the body is above its limit;
 * INVALID_ARGUMENT: no such type; NO_MEMORY. */
PBFT_MUST_USE enum pbft_status
transaction_build(struct transaction_bytes *body,
                  const struct transaction_envelope *envelope,
                  const struct transaction *transaction);

/* The same from a payload as generated from ledger.proto (the message that
 * TransactionBody has under this number): for all types. Its lists must be in
 * canonical order. */
PBFT_MUST_USE enum pbft_status transaction_build_payload(
    struct transaction_bytes *body, const struct transaction_envelope *envelope,
    enum transaction_type type, const struct ProtobufCMessage *payload);

/* What a new key signs to show that its owner has it:
 * "salus/possess/1"[16] | chain[32] | institution[16] | key[32] | other[32].
 * `other` is an encryption key that it vouches for; NULL: zeros. */
#define TRANSACTION_POSSESSION_SIZE 128
void transaction_possession_preimage(uint8_t out[TRANSACTION_POSSESSION_SIZE],
                                     const struct pbft_digest *chain,
                                     const struct pbft_institution *institution,
                                     const uint8_t key[PBFT_PUBLIC_KEY_SIZE],
                                     const uint8_t *other);

/* Leaves of batches: crypto/merkle.h over a tag and the encoded message; of a
 * disclosure also, between them, when it happened, u64. */
void transaction_record_leaf(struct pbft_digest *out, struct pbft_bytes anchor);
void transaction_disclosure_leaf(struct pbft_digest *out, uint64_t event_ms,
                                 struct pbft_bytes disclosure);

/* ---- co-signatures and requests ------------------------------------------ */

/* Values are those of CoSignature.Role. */
enum transaction_role {
    TRANSACTION_COSIGN_INST = 1,
    TRANSACTION_SUBJECT_AGENT = 2,
    TRANSACTION_GUARDIAN = 3,
    TRANSACTION_REVIEWER = 4,
    TRANSACTION_DAC = 5,
    TRANSACTION_GOVERNANCE = 6,
    TRANSACTION_HOLDER = 7,
};

struct transaction_signature {
    struct transaction_key_id key_id;
    enum transaction_role role;
    struct pbft_signature signature;
};

/* What a co-signer signs: "salus/cosign/1"[16] | role u32 | tx id[32]. */
#define TRANSACTION_COSIGN_PREIMAGE_SIZE 52
void transaction_cosign_preimage(uint8_t out[TRANSACTION_COSIGN_PREIMAGE_SIZE],
                                 const struct pbft_digest *tx_id,
                                 enum transaction_role role);

/* An encoded Transaction: body and signatures (sorted by key id and role). */
PBFT_MUST_USE enum pbft_status
transaction_seal(struct transaction_bytes *out, struct pbft_bytes body,
                 const struct transaction_signature *signatures, size_t count);

/* An encoded TransactionList, the payload of a request, of encoded
 * Transactions. TOO_LARGE above LEDGER_REQUEST_TRANSACTIONS_MAX or
 * PBFT_REQUEST_BYTES_MAX. */
PBFT_MUST_USE enum pbft_status
transaction_list_pack(struct transaction_bytes *out,
                      const struct pbft_bytes *transactions, size_t count);

/* Splits a payload; the regions point into it. MALFORMED, NOT_CANONICAL, or
 * TOO_LARGE if there are more than `capacity`. */
PBFT_MUST_USE enum pbft_status
transaction_list_split(struct pbft_bytes *out, size_t capacity, size_t *count,
                       struct pbft_bytes payload);

/* Body (pointing into `transaction`) of an encoded Transaction. MALFORMED if it
 * is none; canonicality of what surrounds the body is checked. */
PBFT_MUST_USE enum pbft_status transaction_body(struct pbft_bytes *out,
                                                struct pbft_bytes transaction);

/* What a body says of itself, for tools; NOT_CANONICAL, MALFORMED, TOO_LARGE.
 */
struct transaction_summary {
    enum transaction_type type;
    struct pbft_digest chain;
    struct pbft_institution institution;
    struct transaction_key_id key_id;
    uint64_t not_after_ms;
    /* Consent, record or participant id; zeros for subjects. */
    uint8_t payload_id[LEDGER_ID_SIZE];
};
PBFT_MUST_USE enum pbft_status
transaction_summarize(struct transaction_summary *out, struct pbft_bytes body);

#endif /* LEDGER_TRANSACTION_H */
