/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction in its block: all that a rule may look at. Private to
 * ledger/. */
#ifndef LEDGER_EXECUTION_H
#define LEDGER_EXECUTION_H

#include "ledger/ledger.h"
#include "ledger/overlay.h"
#include "ledger/state.h"
#include "ledger/transaction.h"
#include "salus/v1/ledger.pb-c.h"

/* What the genesis fixes for ever. */
struct ledger_constants {
    struct pbft_digest chain;
    uint32_t table_version;
    uint32_t time_bound_ms;
    uint32_t late_after_ms;
    uint32_t session_window;
};

/* What the genesis says of a member for the directory. */
struct ledger_founder {
    struct pbft_institution institution;
    char name[LEDGER_NAME_MAX + 1];
    char legal_name[LEDGER_LEGAL_NAME_MAX + 1];
    char country[LEDGER_COUNTRY_SIZE + 1];
};

struct ledger {
    const struct ledger_kv *kv;
    struct ledger_constants constants;
    struct ledger_founder *founders; /* Owned. */
    size_t founder_count;
    struct overlay overlay;
    struct wire_arena scratch; /* Of one transaction. */
    struct wire_arena stored;  /* Of one payload that a rule reads. */
    struct schema_position position;
    /* The transactions of the request at hand. */
    struct pbft_bytes split[LEDGER_REQUEST_TRANSACTIONS_MAX];
};

/* Memory to read one transaction. No message of the schema unpacks to more than
 * 70 times its size, so that this cap never decides whether one is refused:
 * builds with other struct sizes would not agree. */
#define EXECUTION_ARENA_MAX (128u * LEDGER_TRANSACTION_MAX)

struct execution_cosigner {
    struct schema_registered_key key;
    uint8_t key_id[LEDGER_ID_SIZE];
    enum transaction_role role;
};

struct execution {
    struct overlay *overlay;
    const struct ledger_constants *constants;
    struct wire_arena *scratch;
    struct wire_arena *stored;
    /* Of the block. */
    const struct schema_policy *policy; /* That rules the ledger. */
    pbft_seq seq;
    uint64_t now_ms;
    struct schema_place place;
    /* Of the request; its key and institution are in order. */
    const struct ledger_request *request;
    struct transaction_key_id key_id;
    struct schema_institution institution;
    /* Of the transaction. */
    struct pbft_digest tx_id;
    const Salus__V1__TransactionBody *body;
    struct pbft_bytes payload; /* Encoded, as signed. */
    bool has_actor;            /* A participant is named as acting. */
    struct schema_participant actor;
    struct execution_cosigner cosigners[LEDGER_SIGNATURES_MAX];
    size_t cosigner_count;
};

/* Judges and carries out one encoded transaction. `x` holds block and request.
 * A refused transaction leaves nothing behind but where it stands. */
void execution_run(struct execution *x, struct pbft_bytes transaction,
                   struct results_transaction *out);

/* Does the transaction bear a co-signature of that role by that key? */
bool execution_has_cosigner(const struct execution *x,
                            enum transaction_role role, const uint8_t *key_id);

/* Do so many institutions agree that governance may act: two thirds of the
 * active ones and one, the submitter among them? QUORUM_SHORT. */
enum ledger_code execution_has_quorum(const struct execution *x);

/* Is a privacy officer of the submitter named as acting? PRIVACY_ROLE. */
enum ledger_code execution_is_privacy_officer(const struct execution *x);

/* Is the submitter this institution, or its successor? */
bool execution_speaks_for(const struct execution *x,
                          const struct pbft_institution *institution);

/* A stored message; valid until the next call. NULL if there is none. `type` is
 * its descriptor. */
const void *execution_stored(struct overlay *overlay, struct wire_arena *arena,
                             char kind, const uint8_t *id,
                             const struct ProtobufCMessageDescriptor *type);

/* The same of bytes that are at hand. */
const void *execution_unpack(struct overlay *overlay, struct wire_arena *arena,
                             struct pbft_bytes bytes,
                             const struct ProtobufCMessageDescriptor *type);

/* A message that is part of a payload, encoded; lasts as long as the block. */
struct pbft_bytes execution_pack(struct execution *x,
                                 const struct ProtobufCMessage *message);

/* Is the submitter this institution? */
bool execution_is_submitter(const struct execution *x,
                            const struct pbft_institution *institution);

/* The universal rules (docs/api.md, section 3); universal.c. */
enum ledger_code universal_check(struct execution *x,
                                 const Salus__V1__Transaction *signatures);

#endif /* LEDGER_EXECUTION_H */
