/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger keeps under which key. Private to ledger/.
 *
 *   STATE   M                        position: seq, time, roots, peaks
 *           C                        chain id
 *           i institution[16]        institution
 *           j institution[16]        since when it stands as it does
 *           k key id[16]             key
 *           p participant[16]        participant
 *           y policy[16] version     policy
 *           s handle[32]             subject
 *           c consent[16]            consent
 *           r record[16]             record
 *           b kind id[16]            what registered or granted the thing: the
 *                                    payload of its transaction; kind is the
 *                                    letter of the thing: p c r i y w d g t;
 *                                    j: of the last INST_UPDATE
 *           o request[16] place u8   a decision of it: the payload of its
 *                                    transaction
 *           N                        counters of the consortium
 *           G                        which policy governs, and which will
 *           Y policy[16]             the newest version of a policy
 *           V                        version of the code tables
 *           T table u32 code u32     a code that was added
 *           n group[16] generation u32 participant[16]   membership
 *           a handle[32]             ids of the consents in force of a subject
 *           f handle[32] number u64  what ended of it, or became unclear
 *           t batch[16]              batch of records or disclosures
 *           l batch[16] index u32    an opened leaf: the record or disclosure
 *           e record[16] version u32 key id[16]          envelope
 *           w request[16]            access request and decision
 *           d disclosure[16]         disclosure
 *           g id[16]                 emergency
 *           z handle[32] role u32    suspension of accounting
 *           I handle[32]             since when a subject is indeterminate
 *   INDEX   x tx id[32]              where a transaction stands
 *           h consent[16] EVENT      history of one consent
 *           g handle[32] EVENT       history of all consents of a subject
 *           m commit[32] PLACE       records with a commitment
 *           v record[16] version u32 an earlier version of a record
 *           E request[16]            how a decision came about
 *           D handle[32] time u64 disclosure[16]         accounting
 *           R institution[16] time u64 disclosure[16]    the same by recipient
 *           B institution[16] opened u64 id[16]          emergencies
 *           U institution[16] since u64 handle[32]       indeterminate ones
 *           H seq u64                time of a block
 *   CLIENT  c key[32]                floor and sessions of a client key
 *           s key[32] session        window of a session
 *           q key[32] session seq    where a request stands
 *   DUE     u due ms u64 kind u8 id[16]                  what time will do
 *   THINGS  seq u64 number u32       record or disclosure; r and d above hold
 *                                    such a key, that of the newest
 *
 * PLACE is time u64, request u32, transaction u32: the order of execution.
 * EVENT is PLACE, consent[16], kind u8. Integers are big-endian, so that the
 * order of keys is the order of time. Values that rules read are small: fields
 * of fixed size and, behind those of c r w d g (r and d: in THINGS), the
 * payload of the transaction if it is short (SCHEMA_SHORT_PAYLOAD_MAX). Longer
 * ones, up to 64 KiB, are apart: a block of small transactions can never make a
 * replica read and write gigabytes.
 */
#ifndef LEDGER_SCHEMA_H
#define LEDGER_SCHEMA_H

#include "consensus/types.h"
#include "crypto/merkle.h"
#include "ledger/kv.h"
#include "ledger/limits.h"

/* ---- keys ---------------------------------------------------------------- */

/* What time does by itself, in the order of its keys. */
enum schema_due_kind {
    SCHEMA_DUE_CONSENT = 1,  /* A period ends. */
    SCHEMA_DUE_DECISION = 2, /* A decision ends. */
    SCHEMA_DUE_REVIEW = 3,   /* An emergency should have been reviewed. */
    SCHEMA_DUE_WINDOW = 6,   /* Its window ends. (4, 5: Obligations.Kind.) */
    SCHEMA_DUE_START = 7,    /* A consent begins. */
};

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
#define SCHEMA_WHERE_SIZE (8 + 4)
#define SCHEMA_EVENT_SIZE (SCHEMA_PLACE_SIZE + LEDGER_ID_SIZE + 1)

void schema_key_position(struct schema_key *key);
void schema_key_chain(struct schema_key *key);
void schema_key_height(struct schema_key *key, pbft_seq seq);
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
/* Of the row of THINGS that a block writes after `number` others; and of one
 * that was written. False: `where` is no such key. */
void schema_key_next(struct schema_key *key, pbft_seq seq, uint32_t number);
bool schema_key_written(struct schema_key *key, struct pbft_bytes where);
/* Decision `number` of a request, from 1, in the place of the one that is
 * LEDGER_DECISIONS_KEPT older. */
void schema_key_decision(struct schema_key *key, const uint8_t *request,
                         uint32_t number);

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

/* The position; all other values are fixed layouts, ledger/things.h. Decoding
 * returns false for anything that encoding did not write: the store is then
 * damaged. */

struct schema_position {
    pbft_seq seq;
    pbft_wall_us time;
    struct pbft_digest ledger_root;
    uint64_t transactions;
    struct merkle_accumulator blocks;
};

/* Of the history of consents. */
enum schema_event_kind {
    SCHEMA_EVENT_GRANTED = 1,
    SCHEMA_EVENT_FILED_EVIDENCE = 2,
    SCHEMA_EVENT_REVOKED = 3,
    SCHEMA_EVENT_SUPERSEDED = 4,
    SCHEMA_EVENT_EXPIRED = 5,
    SCHEMA_EVENT_SETTLED = 6, /* Of a subject: of no consent. */
};

/* Room for an encoded value. */
#define SCHEMA_FIXED_MAX 512
/* A payload up to this size stands in the row of its thing: most do, and that
 * row is then all there is to read and to write. A longer one stands apart, so
 * that reading and updating a thing stays cheap. */
#define SCHEMA_SHORT_PAYLOAD_MAX 1024
#define SCHEMA_POSITION_MAX (64 + MERKLE_ACCUMULATOR_BYTES_MAX)

/* Each writes to `out`, which holds SCHEMA_FIXED_MAX bytes (position:
 * SCHEMA_POSITION_MAX), and returns the size. */
size_t schema_encode_position(uint8_t *out, const struct schema_position *in);

bool schema_decode_position(struct schema_position *out, struct pbft_bytes in);

#endif /* LEDGER_SCHEMA_H */
