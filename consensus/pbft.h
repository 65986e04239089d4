/* SPDX-License-Identifier: Apache-2.0 */
/* The PBFT replica as a pure state machine: events in, one output out.
 *
 * A replica does no I/O, reads no clock, starts no thread and draws no random
 * number. Equal configurations fed equal events yield equal outputs, byte for
 * byte.
 *
 * Not thread-safe: one thread owns a replica.
 */
#ifndef CONSENSUS_PBFT_H
#define CONSENSUS_PBFT_H

#include "consensus/incarnation.h"
#include "consensus/message.h"
#include "consensus/status.h"
#include "consensus/verify.h"

/* The limits and timeouts that all replicas must agree on, plus `self`. */
struct pbft_config {
    pbft_replica_id self;
    uint32_t window;              /* High watermark - low watermark. */
    uint32_t checkpoint_interval; /* Divides `window` at least twice. */
    uint32_t batch_requests_max;
    uint32_t batch_bytes_max;
    uint32_t pipeline_depth; /* Batches under way before requests gather. */
    uint32_t null_depth; /* Null batches that are owed, under way at once. */
    uint32_t pending_requests_max;    /* Queued requests, all institutions. */
    uint32_t pending_institution_max; /* The same, of one institution. */
    uint32_t pending_bytes_max;       /* Their payloads, all institutions. */
    pbft_time_ms batch_delay_ms;     /* So long, and longer when it piles up. */
    pbft_time_ms request_timeout_ms; /* P7; longer after views that failed. */
    pbft_time_ms view_change_timeout_ms; /* Doubles with each failed view. */
    pbft_time_ms view_change_timeout_max_ms;
    pbft_time_ms status_interval_ms; /* How often a STATUS goes to all. */
    pbft_time_ms resend_interval_ms; /* No progress so long: resend, relay. */
    pbft_time_ms heartbeat_interval_ms; /* 0: no heartbeats. */
    pbft_time_ms monitor_interval_ms;   /* P8: a period of judging; 0: never. */
    pbft_wall_us time_bound_us; /* P12: how far a fresh time may be off. */
};

/* What `salusd` and the simulator start from. */
void pbft_config_defaults(struct pbft_config *config);

enum pbft_record_kind {
    PBFT_RECORD_PRE_PREPARE = 1, /* Header accepted or proposed. */
    PBFT_RECORD_BODY = 2,        /* Its batch. */
    PBFT_RECORD_PREPARE = 3,     /* Own vote. */
    PBFT_RECORD_PREPARED = 4,    /* Certificate. */
    PBFT_RECORD_COMMIT = 5,      /* Own vote. */
    PBFT_RECORD_CHECKPOINT = 6,  /* Own attestation at a multiple of K. */
    PBFT_RECORD_VIEW_CHANGE = 7, /* Own view-change. */
    PBFT_RECORD_NEW_VIEW = 8,    /* The new-view that was entered. */
    PBFT_RECORD_STABLE = 9,      /* Proof; begins the records to be kept. */
    PBFT_RECORD_EVIDENCE = 10,   /* Against a replica (evidence.h). */
    PBFT_RECORD_RECOVERING = 11, /* A RECOVER: promises were lost before. */
};

/* One thing to make durable. A STABLE record is followed, in the same output,
 * by every older record of no slot that still counts (view-change, new-view,
 * evidence, recovering), so that a log may drop those before it, and all before
 * it whose seq is <= the stable one (pbft_record_is_droppable()). */
struct pbft_record {
    enum pbft_record_kind kind;
    pbft_view view;
    pbft_seq
        seq; /* Of the slot; 0: of none. New-view: the view begins above. */
    const struct pbft_message *message;
};

enum pbft_timer {
    PBFT_TIMER_REQUEST,   /* Oldest pending request of an institution. */
    PBFT_TIMER_VIEW,      /* Waiting for a new-view. */
    PBFT_TIMER_BATCH,     /* Requests have gathered long enough. */
    PBFT_TIMER_STATUS,    /* Report to the peers. */
    PBFT_TIMER_RESEND,    /* No progress: resend votes, relay requests. */
    PBFT_TIMER_HEARTBEAT, /* Primary: propose something (P8, P18). */
    PBFT_TIMER_MONITOR,   /* Backup: judge the primary (P8). */
    PBFT_TIMER_COUNT
};

enum pbft_event_type {
    PBFT_EVENT_APPLIED, /* First of all: the executed state found on disk. */
    PBFT_EVENT_RESTORE, /* Then each durable record, in order. */
    PBFT_EVENT_START,   /* Restoring is over; from now on the replica speaks. */
    PBFT_EVENT_RECEIVE, /* A message arrived and passed pbft_verify(). */
    PBFT_EVENT_EXECUTED, /* A commit was executed; what it came to. After START
                            also: what blocks below APPLIED came to, from the
                            first one on that has no proof; oldest first. */
    PBFT_EVENT_TIMEOUT,  /* pbft_deadline() has passed. */
};

struct pbft_event {
    enum pbft_event_type type;
    pbft_time_ms now;  /* Never smaller than in the event before. */
    pbft_wall_us wall; /* For block time and obligations (P12, P18). */
    bool is_log_lost;  /* START: promises may be missing in what was restored:
                          the log was damaged, or the data folder is not the one
                          that was used before. */
    /* APPLIED, EXECUTED: the table after that block, or after a later one that
     * was executed meanwhile; borrowed. NULL: as before;
     * at APPLIED: as in the genesis file. */
    const struct pbft_incarnations *incarnations;
    /* APPLIED, EXECUTED: when the service next wants a block, if requests bring
     * none (P18); 0: never. */
    pbft_wall_us next_due;
    union {
        const struct pbft_message *message; /* RECEIVE; borrowed. From `self`:
                                               what `reads` asked for. */
        struct pbft_record record;          /* RESTORE; borrowed. */
        struct pbft_attestation executed;   /* APPLIED, EXECUTED. */
        enum pbft_timer timer; /* TIMEOUT: this one fires now, due or not;
                                  PBFT_TIMER_COUNT: all that are due. */
    };
};

/* What became of an event. Hostile or stale input is an ordinary verdict. */
enum pbft_verdict {
    PBFT_ACCEPTED,
    PBFT_DUPLICATE,
    PBFT_OLD_VIEW,
    PBFT_FUTURE_VIEW,
    PBFT_OUTSIDE_WATERMARKS,
    PBFT_NOT_PRIMARY,
    PBFT_CONFLICTING, /* The signer equivocated; the first message stands. */
    PBFT_UNEXPECTED,  /* Not asked for, or not now. */
    PBFT_REJECTED,    /* Breaks a rule that needs our state to be checked. */
    PBFT_QUEUE_FULL,  /* A request was not admitted; tell the client. */
    PBFT_BUSY         /* Nothing was done: clear the output, then step again. */
};

struct pbft_send {
    struct pbft_replica_set to; /* Never holds `self`. */
    const struct pbft_message *message;
};

struct pbft_commit {
    pbft_seq seq; /* Consecutive from one commit to the next. */
    const struct pbft_message *committed; /* COMMITTED, with its body. */
};

/* f + 1 equal attestations of an executed seq, own included. */
struct pbft_attested {
    pbft_seq seq;
    const struct pbft_message *proof; /* STABLE, with at least f + 1 votes. */
};

/* A peer wants blocks that left the log: the driver reads them from storage
 * and sends each as a COMMITTED message, at a pace that starves nobody. */
struct pbft_serve {
    pbft_replica_id to;
    pbft_seq first;
    pbft_seq last;
};

/* A batch of the log that is wanted back: the BODY record with this seq and
 * digest. It is fed back as RECEIVE of a BATCH message from `self`. One that is
 * not there, or finds no room, is passed over: whoever misses it asks again. */
struct pbft_body_read {
    pbft_seq seq;
    struct pbft_digest digest;
};

/* The work a replica asks for, to be done in the order of the fields.
 *
 * The rule that makes a crash safe: nothing in `sends`, `commits`, `attested`,
 * `serves` or `reads` may take effect before all `records`, of this and of
 * earlier outputs, are durable.
 */
struct pbft_output {
    const struct pbft_record *records; /* 1. Make durable, in order. */
    size_t record_count;
    const struct pbft_send *sends; /* 2. Then send. */
    size_t send_count;
    const struct pbft_commit *commits; /* 3. Then execute, in order. */
    size_t commit_count;
    const struct pbft_attested *attested; /* 4. Store with the block; reply. */
    size_t attested_count;
    const struct pbft_serve *serves; /* 5. Answer from storage. */
    size_t serve_count;
    const struct pbft_body_read *reads; /* 6. Read back from the log. */
    size_t read_count;
    pbft_seq stable_seq; /* 7. If not 0: drop records at or below it. */
};

struct pbft_replica;

/* Makes all allocations but messages. `domain` and `keyring` are kept and must
 * outlive the replica. Returns NULL if `config` is invalid or memory short;
 * `*reason` (may be NULL) then says which rule was broken. */
struct pbft_replica *pbft_replica_create(const struct pbft_config *config,
                                         const struct pbft_domain *domain,
                                         const struct pbft_keyring *keyring,
                                         const char **reason);
void pbft_replica_destroy(struct pbft_replica *replica);

/* Advances the replica by one event. The event is borrowed for the call. */
enum pbft_verdict pbft_step(struct pbft_replica *replica,
                            const struct pbft_event *event);

/* All that the steps since the last clear ask for. The replica owns the arrays
 * and the messages in them; they stay valid until pbft_output_clear(). Take a
 * reference to keep a message longer. */
const struct pbft_output *pbft_output(const struct pbft_replica *replica);
void pbft_output_clear(struct pbft_replica *replica);

/* When the next PBFT_EVENT_TIMEOUT is due; PBFT_TIME_NEVER if never. */
pbft_time_ms pbft_deadline(const struct pbft_replica *replica);
/* The same for one timer. */
pbft_time_ms pbft_timer_deadline(const struct pbft_replica *replica,
                                 enum pbft_timer timer);

/* What a replica is busy with. */
enum pbft_condition {
    PBFT_CONDITION_STARTING,   /* It asks what it had promised (P14). */
    PBFT_CONDITION_RECOVERING, /* Its promises are lost: it votes on nothing
                                  until its new incarnation may (P14). */
    PBFT_CONDITION_VIEW_CHANGE,
    PBFT_CONDITION_SYNCING, /* Fetching blocks, for being behind. */
    PBFT_CONDITION_NORMAL,
};

/* For status outputs, the auditor and tests; never for decisions. */
struct pbft_report {
    enum pbft_condition condition;
    pbft_view view;
    bool view_active;
    pbft_replica_id primary;
    pbft_seq stable;    /* Low watermark. */
    pbft_seq high;      /* High watermark. */
    pbft_seq committed; /* Handed out for execution. */
    pbft_seq executed;
    struct pbft_digest ledger_root; /* After `executed`: equal heights, equal
                                       roots. */
    pbft_seq behind; /* At least f + 1 peers report that they executed it. */
    uint32_t pending_requests;
    uint32_t pending_bytes; /* Their payloads. */
    bool syncing;           /* Fetching blocks, for being behind. */
    pbft_seq attested;      /* f + 1 equal attestations of all up to here. */
    bool may_vote;          /* False while starting and recovering (P14). */
    uint64_t incarnation;   /* Of itself, as far as it has executed. */
    pbft_seq recovery_seq;  /* Recovering: its RECOVER took effect, and it votes
                               when this is stable; 0: not so far yet. */
    pbft_seq diverged; /* The first seq where Q others attested otherwise. */
    struct pbft_replica_set accused; /* There is evidence against them. */
    uint32_t evidence_count;
};
void pbft_replica_report(const struct pbft_replica *replica,
                         struct pbft_report *out);
/* Of all messages that the replica keeps alive. Walks over the window. */
size_t pbft_replica_buffered_bytes(const struct pbft_replica *replica);

/* Evidence against others (evidence.h), as long as the replica lives; each also
 * is a record, which outlives it. Borrowed. */
uint32_t pbft_replica_evidence_count(const struct pbft_replica *replica);
const struct pbft_message *
pbft_replica_evidence(const struct pbft_replica *replica, uint32_t index);

struct pbft_slot_report {
    bool has_pre_prepare;
    bool has_body;
    bool prepared;
    bool committed;
    pbft_view view; /* Of the pre-prepare. */
    struct pbft_digest digest;
    uint32_t prepare_count;
    uint32_t commit_count;
};
/* False if `seq` is outside the window. */
bool pbft_replica_slot(const struct pbft_replica *replica, pbft_seq seq,
                       struct pbft_slot_report *out);

/* Asserts what must hold between steps: low <= executed <= high and so on.
 * For tests and the simulator. */
void pbft_replica_check_invariants(const struct pbft_replica *replica);

/* "recovering", "starting", "view-change", "syncing", "normal". */
const char *pbft_condition_name(enum pbft_condition condition);
const char *pbft_verdict_name(enum pbft_verdict verdict);
const char *pbft_record_kind_name(enum pbft_record_kind kind);
const char *pbft_timer_name(enum pbft_timer timer);

#endif /* CONSENSUS_PBFT_H */
