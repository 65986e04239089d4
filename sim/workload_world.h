/* SPDX-License-Identifier: Apache-2.0 */
/* What the workload remembers, and what those who make its transactions share.
 * Private to sim/workload*.c.
 *
 * A thing is there as soon as the transaction that makes it is submitted: who
 * speaks of it at once may be first. If the transaction is refused the thing is
 * gone, or as it was.
 */
#ifndef SIM_WORKLOAD_WORLD_H
#define SIM_WORKLOAD_WORLD_H

#include "crypto/merkle.h"
#include "ledger/codes.h"
#include "ledger/transaction.h"
#include "salus/v1/ledger.pb-c.h"
#include "sim/network.h"
#include "sim/workload.h"

#define WORKLOAD_SECOND_MS 1000u
#define WORKLOAD_MINUTE_MS 60000u
#define WORKLOAD_SIGNERS_MAX LEDGER_SIGNATURES_MAX
/* Leaves of the batches that are made here. */
#define WORKLOAD_LEAVES 4u

enum thing_kind {
    THING_INSTITUTION,  /* `key`: of its board; is_marked: suspended;
                         * is_admitted: not a member of the genesis. */
    THING_ENCRYPTION,   /* Key of an institution, in use from block `from`. */
    THING_CLIENT_KEY,   /* One more client key, `key`. */
    THING_POLICY,       /* `code`: which; is_marked: activated, from `from`. */
    THING_TABLE,        /* Version of the code tables. */
    THING_CLINICIAN,    /* Participants: */
    THING_OFFICER,      /* Of privacy. */
    THING_AGENT,        /* Of patients. */
    THING_GROUP,        /* Of clinicians. */
    THING_PATIENT,      /* is_marked: indeterminate. */
    THING_CONSENT,      /* About a patient. */
    THING_RECORD,       /* About a patient; `code`: its class; is_marked: more
                         * confidential; `other`: the key that version `from`
                         * was wrapped for last. */
    THING_RECORD_BATCH, /* About a patient; `version`: leaves opened. */
    THING_REQUEST,      /* About a patient; `other`: the record, or nothing;
                         * `code`: its purpose; is_marked: on a legal basis;
                         * `version`: how often the custodian permitted it. */
    THING_DISCLOSURE,
    THING_DISCLOSURE_BATCH, /* Likewise, to `other`, from `from` on. */
    THING_EMERGENCY, /* About a patient; `other`: who declared it; it can be
                      * reviewed from `until_ms` on. */
};

struct thing {
    enum thing_kind kind;
    uint32_t index;
    bool is_gone; /* Refused, over, withdrawn, revoked. */
    bool is_marked;
    bool is_admitted;
    struct pbft_institution institution; /* Of THING_INSTITUTION: its id. */
    const struct thing *party;           /* Institution whose it is. */
    const struct thing *about;           /* Or NULL. */
    const struct thing *other;
    uint32_t code;
    uint32_t version;
    uint64_t number;   /* What its id is made from. */
    uint64_t key;      /* Number of a key that it has; 0: none, or a member. */
    uint64_t from;     /* A block, or a time. */
    uint64_t until_ms; /* 0: without end. */
};

/* What somebody does wrong on purpose. */
enum slip {
    SLIP_NONE,
    SLIP_STALE,    /* Speaks of what is gone. */
    SLIP_FOREIGN,  /* Takes another's for his own. */
    SLIP_VERSION,  /* Read it too early. */
    SLIP_UNSIGNED, /* Nobody co-signs. */
    SLIP_FORGED,   /* A signature is spoiled. */
    SLIP_EXPIRED,  /* Too late. */
    SLIP_CHAIN,    /* For another consortium. */
    SLIP_TABLE,    /* With code tables that are not in force. */
    SLIP_FUTURE,   /* Something has not happened yet. */
    SLIP_ACTOR,    /* In the name of nobody. */
    SLIP_FORM,     /* Cut off. */
    SLIP_AGAIN,    /* The transaction before, once more. */
    SLIP_COUNT,
};

/* Room for an id of 16, a handle or commitment of 32 bytes. */
struct id {
    uint8_t bytes[32];
};

/* Submitted and not yet judged. */
struct submission {
    enum transaction_type type;
    struct thing *thing; /* That it makes or changes; or NULL. */
    bool is_new;
    struct thing before; /* If it changes it. */
};

struct signer {
    uint64_t key;
    enum transaction_role role;
};

/* One transaction at work. */
struct making {
    struct workload *workload;
    const struct service_client *who;
    const struct thing *party; /* His institution. */
    enum slip slip;
    struct transaction_envelope envelope;
    struct id actor; /* Who acts, if the envelope names somebody. */
    const struct thing *acting;
    struct submission submission;
    struct signer signers[WORKLOAD_SIGNERS_MAX];
    size_t signer_count;
    struct transaction_bytes body;
};

/* Makes a transaction. False: there is nothing to make it of. */
typedef bool workload_maker(struct making *making);

workload_maker workload_admit, workload_update, workload_suspend,
    workload_retire, workload_publish_policy, workload_activate_policy,
    workload_publish_codes;
workload_maker workload_register_participant, workload_update_participant,
    workload_revoke_participant, workload_rotate_key, workload_revoke_key;
workload_maker workload_register_subject, workload_grant, workload_file,
    workload_withdraw, workload_settle;
workload_maker workload_anchor, workload_anchor_batch, workload_open_record,
    workload_amend, workload_retract, workload_rekey;
workload_maker workload_request, workload_decide, workload_grant_key;
workload_maker workload_disclose, workload_disclose_batch,
    workload_open_disclosure, workload_suspend_accounting;
workload_maker workload_break_glass, workload_review;
/* What a client begins with. */
workload_maker workload_enrol_clinician, workload_enrol_officer;

/* Transaction `index` of the first request of a client: without people and a
 * patient there is nothing to do for it. */
bool workload_begin(struct making *making, size_t index);
/* Any transaction of the mix. */
workload_maker workload_make;

/* ---- chance -------------------------------------------------------------- */

bool making_chance(struct making *making, uint32_t permille);
uint32_t making_below(struct making *making, uint32_t bound);
/* Inclusive. */
uint32_t making_between(struct making *making, uint32_t low, uint32_t high);

/* ---- the world ----------------------------------------------------------- */

/* What the next block will be at least, and when the last one was. */
uint64_t making_height(const struct making *making);
uint64_t making_now_ms(const struct making *making);

/* A thing that this transaction makes; another one that it makes besides. */
struct thing *making_add(struct making *making, enum thing_kind kind);
struct thing *making_add_too(struct making *making, enum thing_kind kind);
/* This transaction changes the thing: to be called before it is changed. */
void making_change(struct making *making, struct thing *thing);
/* The number of a key that nobody has. */
uint64_t making_new_key(struct making *making);

enum whose { OWN, FOREIGN, ANYBODY };

struct wanted {
    enum thing_kind kind;
    enum whose whose;
    const struct thing *about; /* NULL: of anybody. */
    /* Or NULL. `context` is passed through. */
    bool (*fits)(const struct making *making, const struct thing *thing,
                 const void *context);
    const void *context;
};

/* One of the things, by chance; or NULL. */
struct thing *making_pick(struct making *making, const struct wanted *wanted);
/* One of the own things of this kind. */
struct thing *making_pick_own(struct making *making, enum thing_kind kind);
/* The next thing of a kind that is there, behind `after`; NULL: from the first
 * on, and if there is none. */
struct thing *making_next(const struct making *making, enum thing_kind kind,
                          const struct thing *after);
/* The encryption key that an institution uses in the next block. If a rotation
 * was given up after the old key was revoked it has none: then the last one,
 * and what is made with that is refused. */
const struct thing *making_encryption(const struct making *making,
                                      const struct thing *party);

/* ---- ids ----------------------------------------------------------------- */

struct id thing_id(const struct thing *thing);
/* A commitment, reference or label without meaning, never the same. */
struct id making_noise(struct making *making);
/* Of policy 0, that of the genesis, and others. */
void workload_policy_uri(char *out, size_t size, uint32_t which);

ProtobufCBinaryData institution_field(const struct thing *party);
void thing_encryption_key_id(const struct thing *key,
                             struct transaction_key_id *out);
/* The same id for the same two numbers. */
struct id workload_id(uint64_t kind, uint64_t number);

ProtobufCBinaryData field(const struct id *id, size_t size);

/* ---- batches ------------------------------------------------------------- */

/* The next leaf of a batch that is opened, and its proof as a field. */
struct workload_leaf {
    struct id batch;
    uint32_t place;
    uint32_t index; /* What the transaction says: `place`, or a slip. */
    struct pbft_digest nodes[MERKLE_PATH_MAX];
    ProtobufCBinaryData path[MERKLE_PATH_MAX];
    size_t path_count;
};
void workload_next_leaf(struct workload_leaf *out, struct making *making,
                        struct thing *batch,
                        const struct pbft_digest leaves[WORKLOAD_LEAVES]);

/* ---- keys and signatures ------------------------------------------------- */

struct sign_secret;
/* Both halves of a key; the secret one may be NULL. */
void workload_signing_pair(struct sign_secret *secret,
                           struct pbft_public_key *out, uint64_t number);
void workload_signing_key(struct pbft_public_key *out, uint64_t number);
void workload_signing_key_id(struct transaction_key_id *out, uint64_t number);
/* As governance_signing_key() wants it; `other` may be NULL. */
void making_possession(const struct making *making, struct pbft_signature *out,
                       uint64_t key, const struct pbft_institution *institution,
                       const uint8_t *other);
/* This key signs, too. */
void making_sign(struct making *making, uint64_t key,
                 enum transaction_role role);
/* As many institutions sign as a decision of governance takes. */
void making_ask_quorum(struct making *making);
/* Somebody of the institution acts; false: there is nobody. */
bool making_act(struct making *making, enum thing_kind kind);

/* ---- bytes --------------------------------------------------------------- */

bool making_build(struct making *making, enum transaction_type type,
                  const ProtobufCMessage *payload);

#endif /* SIM_WORKLOAD_WORLD_H */
