/* SPDX-License-Identifier: Apache-2.0 */
/* The replicated state machine: a deterministic function of the genesis and the
 * blocks (docs/api.md).
 *
 * Equal genesis and equal blocks give equal results, roots and writes, byte for
 * byte, on every replica and build. No clock, thread, file, random number or
 * float is used; memory comes from an arena that each block reuses.
 *
 * Threads: ledger_execute() belongs to one thread. ledger_query() and
 * ledger_admit() only read `view` and the constants of the ledger: any thread
 * may call them, with a view that is safe there.
 *
 * Out of memory aborts: a replica that cannot compute a block must not skip it.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "consensus/status.h"
#include "consensus/types.h"
#include "ledger/errors.h"
#include "ledger/kv.h"
#include "ledger/limits.h"
#include "ledger/results.h"

/* ---- genesis ------------------------------------------------------------- */

/* A member, as far as the ledger needs it. Regions are borrowed for the calls
 * that take a genesis. */
struct ledger_member {
    struct pbft_institution institution;
    /* For the directory; NULL: not told. */
    const char *name;
    const char *legal_name;
    const char *country;
    uint64_t roles;                   /* Bit i: code i of INSTITUTION_ROLE. */
    struct pbft_bytes replica_key;    /* 32 bytes; empty: runs no replica. */
    struct pbft_bytes encryption_key; /* 32 bytes; or empty. */
    const struct pbft_public_key *submit_keys; /* Of its clients. */
    size_t submit_key_count;
};

struct ledger_policy {
    uint8_t policy[LEDGER_ID_SIZE]; /* transaction_policy_id() of its uri. */
    uint32_t version;
    struct pbft_bytes sha256; /* Of its text, 32 bytes; or empty. */
    uint32_t implicit_consent;
    uint32_t break_glass_override;
};

struct ledger_genesis {
    struct pbft_digest chain; /* Cluster id: digest of the genesis file. */
    const struct ledger_member *members;
    size_t member_count;
    const struct ledger_policy *policies;
    size_t policy_count;
    uint32_t table_version;
    struct pbft_digest table_digest; /* Must equal codes_digest(). */
    uint32_t time_bound_ms;          /* Skew allowed to event times. */
    uint32_t late_after_ms;
    uint32_t session_window; /* W; 1..LEDGER_SESSION_WINDOW_MAX. */
};

/* ---- life ---------------------------------------------------------------- */

struct ledger;

/* Works on `kv`, which must outlive it. If the store is empty the genesis state
 * is written first (height 0), else the store must be of the same chain.
 * INVALID_CONFIG: the genesis contradicts itself or these code tables;
 * WRONG_IDENTITY: the store belongs to another chain; CORRUPT, IO, NO_MEMORY.
 * Several ledgers on one store: never. */
PBFT_MUST_USE enum pbft_status
ledger_create(struct ledger **out, const struct ledger_kv *kv,
              const struct ledger_genesis *genesis);
void ledger_destroy(struct ledger *ledger); /* Or NULL. */

/* The last executed block; zeros at height 0. */
struct ledger_position {
    pbft_seq seq;
    pbft_wall_us time;
    struct pbft_digest ledger_root;
    uint64_t transactions; /* Executed so far, refused ones included. */
};
void ledger_position(const struct ledger *ledger, struct ledger_position *out);
/* The same, read from a view. */
PBFT_MUST_USE enum pbft_status
ledger_view_position(const struct ledger_kv *view, struct ledger_position *out);

/* ---- execution ----------------------------------------------------------- */

/* A request as ordered; its signature has been verified. */
struct ledger_request {
    struct pbft_public_key client;
    struct pbft_institution institution;
    uint64_t session;
    uint64_t sequence;
    bool urgent;               /* Lane. */
    struct pbft_bytes payload; /* TransactionList; empty: VOID. */
    struct pbft_digest digest;
};

struct ledger_block {
    pbft_seq seq;               /* Last executed + 1. */
    pbft_wall_us proposed_time; /* By the primary. */
    bool is_null;               /* A null batch: no requests, no time. */
    struct pbft_digest block_digest;
    const struct ledger_request *requests;
    uint32_t request_count;
};

struct ledger_block_result {
    struct results_block block; /* seq, executed time, results. */
    struct pbft_digest results_root;
    struct pbft_digest ledger_root;
    uint32_t transaction_count; /* Of all requests. */
    uint32_t refused_count;     /* Transactions with a code, and requests. */
};

/* Executes one block and applies its writes to the kv. The executed time is
 * max(proposed, previous + 1 us); for a null block previous + 1 us (P12). `out`
 * points into the ledger: valid until the next call.
 *
 * Returns OK whatever requests and transactions came to: what is wrong with
 * them is in the result. Anything else is a failure of the kv, or CORRUPT
 * state: the block had no effect and the replica must stop. INVALID_ARGUMENT:
 * `seq` is not the next one. */
PBFT_MUST_USE enum pbft_status ledger_execute(struct ledger *ledger,
                                              const struct ledger_block *block,
                                              struct ledger_block_result *out);

/* ---- admission ----------------------------------------------------------- */

/* Advisory, before ordering (P17): what execution would probably say of the
 * request as a whole. Cheap: no transaction is judged.
 *
 * LEDGER_OK: order it. LEDGER_DUPLICATE: `*first` is where its result stands.
 * Anything else: execution would refuse it. */
PBFT_MUST_USE enum pbft_status
ledger_admit(const struct ledger *ledger, const struct ledger_kv *view,
             const struct ledger_request *request, enum ledger_code *code,
             struct results_location *first);

/* Where the first result of a request stands. NOT_FOUND. */
PBFT_MUST_USE enum pbft_status
ledger_find_request(const struct ledger_kv *view,
                    const struct pbft_public_key *client, uint64_t session,
                    uint64_t sequence, struct results_location *out);
/* Where a transaction stands. NOT_FOUND. */
struct ledger_transaction_location {
    pbft_seq seq;
    uint32_t request_index;
    uint32_t index;
    uint32_t code;
};
PBFT_MUST_USE enum pbft_status
ledger_find_transaction(const struct ledger_kv *view,
                        const struct pbft_digest *tx_id,
                        struct ledger_transaction_location *out);

/* When, in milliseconds since 1970, time will change the state by itself: a
 * consent begins or ends, a decision or the window of an emergency ends, a
 * review becomes overdue. On an idle ledger a block should come then (P18).
 * NOT_FOUND: nothing is due ever. */
PBFT_MUST_USE enum pbft_status ledger_next_due(const struct ledger_kv *view,
                                               uint64_t *due_ms);

/* ---- key envelopes ------------------------------------------------------- */

/* A wrapped data key, by the grant that it is of. */
struct ledger_envelope_name {
    uint8_t record[LEDGER_ID_SIZE];
    uint32_t version; /* Of the record. */
    uint8_t recipient_key[LEDGER_ID_SIZE];
};

/* What the ledger knows of it. */
struct ledger_envelope {
    struct pbft_digest wrap_commit;
    struct pbft_institution recipient; /* Whose key it is. */
    struct pbft_institution custodian;
    bool is_from_custodian; /* The sender is that one, or its successor. */
    enum ledger_code code;  /* LEDGER_OK: the grant holds; else why not. */
    pbft_seq height;        /* As of this block. */
};

/* The grant behind an envelope, judged by the consents, decisions, emergencies
 * and keys of the view. `from`: who sends it. NOT_FOUND: the ledger has no such
 * grant; IO, CORRUPT. */
PBFT_MUST_USE enum pbft_status ledger_find_envelope(
    const struct ledger_kv *view, const struct ledger_envelope_name *name,
    const struct pbft_institution *from, struct ledger_envelope *out);

/* ---- queries ------------------------------------------------------------- */

/* Answers an encoded Query with an encoded Answer of at most LEDGER_ANSWER_MAX
 * bytes. What the caller may not ask, or cannot be read, is an Answer with a
 * code. `caller` is the institution that the channel or signature proved. Equal
 * views give equal bytes at every replica: answers can be certified.
 * TOO_LARGE if `capacity` is below LEDGER_ANSWER_MAX; IO, CORRUPT. */
PBFT_MUST_USE enum pbft_status
ledger_query(const struct ledger *ledger, const struct ledger_kv *view,
             const struct pbft_institution *caller, struct pbft_bytes query,
             uint8_t *answer, size_t capacity, size_t *answer_size);

/* May this institution be shown what was ordered? An active one may; what a
 * certain `client` (or NULL) has ordered only the institution whose key that is
 * or was. NOT_MEMBER: no; IO, CORRUPT. */
PBFT_MUST_USE enum pbft_status
ledger_may_look_up(const struct ledger_kv *view,
                   const struct pbft_institution *caller,
                   const struct pbft_public_key *client);

/* Is this key one of an active institution, and whose? For callers that prove
 * themselves with a key. NOT_FOUND: no. */
PBFT_MUST_USE enum pbft_status
ledger_key_owner(const struct ledger_kv *view,
                 const struct pbft_public_key *key,
                 struct pbft_institution *out);

#endif /* LEDGER_LEDGER_H */
