/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger keeps under which key. Private to ledger/.
 *
 *   STATE   M                        position: seq, time, roots, peaks
 *           C                        chain id
 *           i institution[16]        institution
 *           k key id[16]             key
 *           p participant[16]        participant
 *           y policy[16] version     policy
 *           s handle[32]             subject
 *           c consent[16]            consent
 *           r record[16]             record
 *           b kind id[16]            what registered or granted the thing: the
 *                                    payload of its transaction; kind is p, c
 *                                    or r
 *   INDEX   x tx id[32]              where a transaction stands
 *           h consent[16] EVENT      history of one consent
 *           g handle[32] EVENT       history of all consents of a subject
 *           m commit[32] PLACE       records with a commitment
 *   CLIENT  c key[32]                floor and sessions of a client key
 *           s key[32] session        window of a session
 *           q key[32] session seq    where a request stands
 *
 * PLACE is time u64, request u32, transaction u32: the order of execution.
 * EVENT is PLACE, consent[16], kind u8. Integers are big-endian, so that the
 * order of keys is the order of time. Values that rules read are small and
 * fixed; the payloads, up to 64 KiB, are apart: a block of small transactions
 * can never make a replica read and write gigabytes.
 */
#ifndef LEDGER_SCHEMA_H
#define LEDGER_SCHEMA_H

#include "consensus/types.h"
#include "crypto/merkle.h"
#include "ledger/kv.h"
#include "ledger/limits.h"

/* ---- keys ---------------------------------------------------------------- */

struct schema_key {
    enum ledger_space space;
    uint8_t bytes[LEDGER_KEY_MAX];
    size_t size;
};

/* Where in the order of execution something happened. */
struct schema_place {
    pbft_wall_us time;
    uint32_t request_index;
    uint32_t index;
};
#define SCHEMA_PLACE_SIZE (8 + 4 + 4)
#define SCHEMA_EVENT_SIZE (SCHEMA_PLACE_SIZE + LEDGER_ID_SIZE + 1)

void schema_key_position(struct schema_key *key);
void schema_key_chain(struct schema_key *key);
void schema_key_institution(struct schema_key *key, const uint8_t *institution);
void schema_key_key(struct schema_key *key, const uint8_t *key_id);
void schema_key_participant(struct schema_key *key, const uint8_t *participant);
void schema_key_policy(struct schema_key *key, const uint8_t *policy,
                       uint32_t version);
void schema_key_subject(struct schema_key *key, const uint8_t *handle);
void schema_key_consent(struct schema_key *key, const uint8_t *consent);
void schema_key_record(struct schema_key *key, const uint8_t *record);
/* `kind`: p, c or r. */
void schema_key_payload(struct schema_key *key, char kind, const uint8_t *id);

void schema_key_transaction(struct schema_key *key, const uint8_t *tx_id);
/* The prefix that all events of a consent, or of a subject, share. */
void schema_key_consent_history(struct schema_key *key, const uint8_t *consent);
void schema_key_subject_history(struct schema_key *key, const uint8_t *handle);
/* Appends an EVENT to such a prefix. */
void schema_key_add_event(struct schema_key *key,
                          const struct schema_place *place,
                          const uint8_t *consent, uint8_t kind);
void schema_key_commit(struct schema_key *key, const uint8_t *commit);
void schema_key_add_place(struct schema_key *key,
                          const struct schema_place *place);

void schema_key_client(struct schema_key *key,
                       const struct pbft_public_key *client);
void schema_key_session(struct schema_key *key,
                        const struct pbft_public_key *client, uint64_t session);
void schema_key_request(struct schema_key *key,
                        const struct pbft_public_key *client, uint64_t session,
                        uint64_t sequence);

/* ---- values -------------------------------------------------------------- */

/* Decoding returns false for anything that encoding did not write: the store is
 * then damaged. */

struct schema_position {
    pbft_seq seq;
    pbft_wall_us time;
    struct pbft_digest ledger_root;
    uint64_t transactions;
    struct merkle_accumulator blocks;
};

enum schema_state { SCHEMA_ACTIVE = 1, SCHEMA_SUSPENDED = 2, SCHEMA_ENDED = 3 };

struct schema_institution {
    enum schema_state state;
    uint64_t roles; /* Bit i: code i of INSTITUTION_ROLE. */
};

enum schema_purpose {
    SCHEMA_KEY_SUBMIT = 1,
    SCHEMA_KEY_REPLICA = 2,
    SCHEMA_KEY_ENCRYPTION = 3,
    SCHEMA_KEY_AGENT = 4, /* Of a patient: owned by a subject. */
};

struct schema_registered_key {
    enum schema_state state;
    enum schema_purpose purpose;
    struct pbft_public_key key;
    struct pbft_institution institution; /* Registrar, for an agent's key. */
    uint8_t subject[LEDGER_HANDLE_SIZE]; /* AGENT only; else zeros. */
    pbft_seq from_seq;
};

struct schema_participant {
    enum schema_state state;
    struct pbft_institution institution;
    uint8_t kind; /* ParticipantRegister.Kind */
    uint64_t valid_from_ms;
    uint64_t valid_to_ms; /* Exclusive; 0: without end. */
};

struct schema_policy {
    enum schema_state state;
    uint32_t implicit_consent;
    uint32_t break_glass_override;
    uint8_t sha256[32]; /* Zeros: not given. */
};

struct schema_subject {
    enum schema_state state;
    struct pbft_institution registrar;
    bool indeterminate; /* Evidence that nobody could compute is on file. */
    bool has_agent;
    uint8_t agent_key_id[LEDGER_ID_SIZE];
    uint32_t epoch_no;
    pbft_seq registered_seq;
};

/* As written; EXPIRED and NOT_YET are derived from the time of the reader. */
enum schema_consent_state {
    SCHEMA_CONSENT_GRANTED = 1,
    SCHEMA_CONSENT_SUPERSEDED = 2,
    SCHEMA_CONSENT_REVOKED = 3,
    SCHEMA_CONSENT_ON_FILE = 6,
};

struct schema_consent {
    enum schema_consent_state state;
    uint8_t subject[LEDGER_HANDLE_SIZE];
    struct pbft_institution institution; /* Who filed it. */
    pbft_seq granted_seq;
    struct schema_place granted;
    uint64_t given_at_ms;
    uint64_t from_ms;
    uint64_t to_ms;                   /* Exclusive; 0: without end. */
    uint8_t base_decision;            /* Decision; 0 on file. */
    pbft_seq ended_seq;               /* Revoked or superseded; else 0. */
    uint8_t ended_by[LEDGER_ID_SIZE]; /* The successor; else zeros. */
};

struct schema_record {
    enum schema_state state;
    struct pbft_institution custodian;
    bool has_subject;
    uint8_t subject[LEDGER_HANDLE_SIZE];
    uint8_t commit[LEDGER_COMMIT_SIZE];
    uint32_t version;
    pbft_seq anchored_seq;
    struct schema_place anchored;
    uint32_t class_code;
    uint32_t confidentiality;
};

/* Of the history of consents. */
enum schema_event_kind {
    SCHEMA_EVENT_GRANTED = 1,
    SCHEMA_EVENT_FILED_EVIDENCE = 2,
    SCHEMA_EVENT_REVOKED = 3,
    SCHEMA_EVENT_SUPERSEDED = 4,
    SCHEMA_EVENT_EXPIRED = 5,
};

struct schema_event {
    enum schema_event_kind kind;
    uint8_t consent[LEDGER_ID_SIZE];
    pbft_seq seq; /* 0 for EXPIRED. */
    struct pbft_digest tx_id;
    struct pbft_institution institution;
    uint8_t other_consent[LEDGER_ID_SIZE]; /* SUPERSEDED: the successor. */
};

struct schema_transaction {
    pbft_seq seq;
    uint32_t request_index;
    uint32_t index;
    uint32_t code;
};

struct schema_request {
    pbft_seq seq;
    uint32_t request_index;
};

/* Room for an encoded value. */
#define SCHEMA_FIXED_MAX 256
#define SCHEMA_POSITION_MAX (64 + MERKLE_ACCUMULATOR_BYTES_MAX)

/* Each writes to `out`, which holds SCHEMA_FIXED_MAX bytes (position:
 * SCHEMA_POSITION_MAX), and returns the size. */
size_t schema_encode_position(uint8_t *out, const struct schema_position *in);
size_t schema_encode_institution(uint8_t *out,
                                 const struct schema_institution *in);
size_t schema_encode_key(uint8_t *out, const struct schema_registered_key *in);
size_t schema_encode_participant(uint8_t *out,
                                 const struct schema_participant *in);
size_t schema_encode_policy(uint8_t *out, const struct schema_policy *in);
size_t schema_encode_subject(uint8_t *out, const struct schema_subject *in);
size_t schema_encode_consent(uint8_t *out, const struct schema_consent *in);
size_t schema_encode_record(uint8_t *out, const struct schema_record *in);
size_t schema_encode_event(uint8_t *out, const struct schema_event *in);
size_t schema_encode_transaction(uint8_t *out,
                                 const struct schema_transaction *in);
size_t schema_encode_request(uint8_t *out, const struct schema_request *in);

bool schema_decode_position(struct schema_position *out, struct pbft_bytes in);
bool schema_decode_institution(struct schema_institution *out,
                               struct pbft_bytes in);
bool schema_decode_key(struct schema_registered_key *out, struct pbft_bytes in);
bool schema_decode_participant(struct schema_participant *out,
                               struct pbft_bytes in);
bool schema_decode_policy(struct schema_policy *out, struct pbft_bytes in);
bool schema_decode_subject(struct schema_subject *out, struct pbft_bytes in);
bool schema_decode_consent(struct schema_consent *out, struct pbft_bytes in);
bool schema_decode_record(struct schema_record *out, struct pbft_bytes in);
bool schema_decode_event(struct schema_event *out, struct pbft_bytes in);
bool schema_decode_transaction(struct schema_transaction *out,
                               struct pbft_bytes in);
bool schema_decode_request(struct schema_request *out, struct pbft_bytes in);

#endif /* LEDGER_SCHEMA_H */
