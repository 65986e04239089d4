/* SPDX-License-Identifier: Apache-2.0 */
/* The things that the ledger knows: what is kept of each. Private to ledger/.
 *
 * A thing is a struct and a table of its fields (things.c), from which one
 * function encodes and one decodes it. Integers are big-endian, bytes plain, a
 * version byte comes first. ledger/schema.h says under which keys they stand.
 */
#ifndef LEDGER_THINGS_H
#define LEDGER_THINGS_H

#include "ledger/things_access.h"

enum schema_state {
    SCHEMA_ACTIVE = 1,
    SCHEMA_SUSPENDED = 2,
    SCHEMA_ENDED = 3,
    SCHEMA_FROZEN = 4, /* A record of the wrong patient. */
};

struct schema_institution {
    enum schema_state state;
    uint64_t roles;     /* Bit i: code i of INSTITUTION_ROLE. */
    pbft_seq from_seq;  /* May act from this block on. */
    bool has_replica;   /* One of those that vote. */
    bool has_successor; /* Retired: who keeps its records. */
    struct pbft_institution successor;
    uint32_t delinquent_count; /* Reviews that were ever overdue. */
    uint32_t overdue_count;    /* Those that still are. */
};

/* An institution was suspended, is so no longer, or has left. */
struct schema_turn {
    pbft_seq seq; /* The last time. */
};

enum schema_purpose {
    SCHEMA_KEY_SUBMIT = 1,
    SCHEMA_KEY_REPLICA = 2,
    SCHEMA_KEY_ENCRYPTION = 3,
    SCHEMA_KEY_AGENT = 4,       /* Of a patient: owned by a subject. */
    SCHEMA_KEY_PARTICIPANT = 5, /* Of a person or service. */
};

struct schema_registered_key {
    enum schema_state state;
    enum schema_purpose purpose;
    struct pbft_public_key key;
    struct pbft_institution institution; /* Registrar, for an agent's key. */
    uint8_t subject[LEDGER_HANDLE_SIZE]; /* AGENT only; else zeros. */
    uint8_t participant[LEDGER_ID_SIZE]; /* PARTICIPANT only; else zeros. */
    pbft_seq from_seq;
    pbft_seq until_seq;      /* Exclusive; 0: without end. */
    uint64_t compromised_ms; /* Revoked as compromised: since; else 0. */
};

struct schema_participant {
    enum schema_state state;
    struct pbft_institution institution;
    uint8_t kind; /* ParticipantRegister.Kind */
    uint64_t valid_from_ms;
    uint64_t valid_to_ms; /* Exclusive; 0: without end. */
    uint16_t roles[LEDGER_PARTICIPANT_ROLES_MAX]; /* 0: no more. */
    uint32_t generation;                          /* Of its list of members. */
    uint8_t key_id[LEDGER_ID_SIZE];
};

enum schema_implicit {
    SCHEMA_BASIC_NORMAL = 1,
    SCHEMA_ALL_NORMAL = 2,
    SCHEMA_BREAK_GLASS_ONLY = 3,
    SCHEMA_IMPLICIT_DENY = 4,
};

enum schema_override {
    SCHEMA_OVERRIDE_NEVER = 1,
    SCHEMA_OVERRIDE_UNLESS_DENIED = 2,
    SCHEMA_OVERRIDE_ALWAYS = 3,
};

#define SCHEMA_PURPOSE_BITS 256
struct schema_policy {
    enum schema_state state;
    enum schema_implicit implicit_consent;
    enum schema_override break_glass_override;
    uint8_t sha256[32];     /* Zeros: not given. */
    pbft_seq from_seq;      /* In force from; 0: not activated. */
    pbft_seq until_seq;     /* Exclusive; 0: without end. */
    uint64_t window_ms;     /* Longest emergency. */
    uint64_t review_ms;     /* Until its review is due. */
    uint64_t late_after_ms; /* 0: that of the genesis. */
    uint64_t decision_ttl_ms;
    uint32_t delinquent_limit;
    uint32_t batch_step;
    bool agent_cosign;
    bool open_withdrawal;
    bool purposes_given;
    uint8_t no_inherit[SCHEMA_PURPOSE_BITS / 8];
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

/* Of a subject that is indeterminate. */
struct schema_unsettled {
    pbft_seq since_seq;
    uint64_t since_us;
    uint8_t evidence[LEDGER_ID_SIZE]; /* The first; */
    uint32_t reason;                  /* why it is none to compute; */
    uint8_t newest[LEDGER_ID_SIZE];   /* the last of */
    uint32_t count;                   /* so many. */
};

/* As written; NOT_YET, and EXPIRED before the sweep, follow from the time. */
enum schema_consent_state {
    SCHEMA_CONSENT_GRANTED = 1,
    SCHEMA_CONSENT_SUPERSEDED = 2,
    SCHEMA_CONSENT_REVOKED = 3,
    SCHEMA_CONSENT_EXPIRED = 4,
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
    uint64_t ended_us;                /* When; else 0. */
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

struct schema_event {
    enum schema_event_kind kind;
    uint8_t consent[LEDGER_ID_SIZE];
    pbft_seq seq; /* 0 for EXPIRED. */
    struct pbft_digest tx_id;
    struct pbft_institution institution;
    /* SUPERSEDED: the successor; SETTLED: the participant who did it. */
    uint8_t other[LEDGER_ID_SIZE];
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
    pbft_wall_us time;
};

/* ---- of the consortium --------------------------------------------------- */

struct schema_counts {
    uint32_t active;          /* Institutions in good standing. */
    uint32_t replicas;        /* That the genesis names. */
    uint32_t active_replicas; /* Of those, in good standing. */
};

/* Which policy rules the ledger: `next` from next_seq on. */
struct schema_governing {
    uint8_t policy[LEDGER_ID_SIZE];
    uint32_t version;
    uint8_t next[LEDGER_ID_SIZE];
    uint32_t next_version;
    pbft_seq next_seq; /* 0: none. */
};

struct schema_newest {
    uint32_t version;
    uint32_t activated; /* The last one that was activated; 0: none. */
};

struct schema_table {
    uint32_t version;
};

struct schema_code {
    uint32_t parent;
    uint32_t flags; /* enum codes_flag. */
    uint32_t since; /* Version of the tables that first had it. */
};

struct schema_mark {
    uint8_t mark; /* 1: the row is there. */
};

/* ---- batches, envelopes -------------------------------------------------- */

enum schema_batch_kind { SCHEMA_BATCH_RECORDS = 1, SCHEMA_BATCH_DISCLOSURES };

struct schema_batch {
    enum schema_batch_kind kind;
    struct pbft_institution institution;
    struct pbft_digest root;
    uint32_t leaf_count;
    uint32_t opened;
    uint32_t class_code;      /* Of records. */
    uint32_t confidentiality; /* Of records: the highest. */
    uint64_t from_ms;         /* Of disclosures. */
    uint64_t to_ms;
    pbft_seq seq;
    struct schema_place place;
};

struct schema_leaf {
    uint8_t id[LEDGER_ID_SIZE];
};

struct schema_envelope {
    uint8_t wrap_commit[LEDGER_COMMIT_SIZE];
    struct pbft_institution institution; /* The recipient. */
    bool is_emergency;                   /* `basis` is an emergency. */
    uint8_t basis[LEDGER_ID_SIZE];       /* Decision or emergency. */
    pbft_seq seq;
};

struct schema_old_version {
    uint8_t commit[LEDGER_COMMIT_SIZE];
    pbft_seq seq;
    struct schema_place place;
};

/* ---- one function for all ------------------------------------------------ */

struct overlay;
struct thing;

/* False: there is none. What cannot be read marks the overlay CORRUPT. */
bool thing_get(struct overlay *overlay, const struct thing *thing,
               const uint8_t *id, void *out);
void thing_put(struct overlay *overlay, const struct thing *thing,
               const uint8_t *id, const void *in);
void thing_delete(struct overlay *overlay, const struct thing *thing,
                  const uint8_t *id);
bool thing_has(struct overlay *overlay, const struct thing *thing,
               const uint8_t *id);
void thing_make_key(struct schema_key *key, const struct thing *thing,
                    const uint8_t *id);
size_t thing_id_size(const struct thing *thing);
/* SCHEMA_FIXED_MAX bytes are enough. */
size_t thing_encode(uint8_t *out, const struct thing *thing, const void *in);
bool thing_decode(const struct thing *thing, void *out, struct pbft_bytes in);

/* X(name of the functions, struct) */
#define THINGS(X)                                                              \
    X(institution, schema_institution)                                         \
    X(turn, schema_turn)                                                       \
    X(key, schema_registered_key)                                              \
    X(participant, schema_participant)                                         \
    X(subject, schema_subject)                                                 \
    X(unsettled, schema_unsettled)                                             \
    X(consent, schema_consent)                                                 \
    X(record, schema_record)                                                   \
    X(transaction, schema_transaction)                                         \
    X(counts, schema_counts)                                                   \
    X(governing, schema_governing)                                             \
    X(newest, schema_newest)                                                   \
    X(table, schema_table)                                                     \
    X(batch, schema_batch)                                                     \
    X(access, schema_access)                                                   \
    X(disclosure, schema_disclosure)                                           \
    X(emergency, schema_emergency)

#define THING_FUNCTIONS(name, type)                                            \
    extern const struct thing thing_##name;                                    \
    static inline bool state_get_##name(struct overlay *overlay,               \
                                        const uint8_t *id, struct type *out)   \
    {                                                                          \
        return thing_get(overlay, &thing_##name, id, out);                     \
    }                                                                          \
    static inline void state_put_##name(                                       \
        struct overlay *overlay, const uint8_t *id, const struct type *in)     \
    {                                                                          \
        thing_put(overlay, &thing_##name, id, in);                             \
    }
THINGS(THING_FUNCTIONS)
/* With compound ids: functions in state.h. */
extern const struct thing thing_policy;
extern const struct thing thing_code;
extern const struct thing thing_member;
extern const struct thing thing_leaf;
extern const struct thing thing_envelope;
extern const struct thing thing_due;
extern const struct thing thing_suspension;
extern const struct thing thing_to_settle;
extern const struct thing thing_request;
extern const struct thing thing_event;
extern const struct thing thing_old_version;

#endif /* LEDGER_THINGS_H */
