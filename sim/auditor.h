/* SPDX-License-Identifier: Apache-2.0 */
/* Watches a whole run with knowledge that no replica has, and checks the
 * invariants of docs/simulator.md after every event.
 *
 * An invariant is a row of a table: a name, what it says, and functions for the
 * occasions at which it is checked. It reports through audit_fail().
 */
#ifndef SIM_AUDITOR_H
#define SIM_AUDITOR_H

#include "sim/host.h"
#include "sim/table.h"

struct client;

/* Occasions. Each may be NULL in a row. */
struct audit_rule {
    const char *name;
    const char *says;
    /* An honest host sends; everything that justifies it should be durable. */
    void (*on_send)(struct sim *sim, const struct host *host,
                    const struct pbft_message *message);
    /* A verified message reaches an honest replica. */
    void (*on_receive)(struct sim *sim, const struct host *host,
                       const struct pbft_message *message);
    /* Its core has taken a message, whatever came of it. */
    void (*on_heard)(struct sim *sim, const struct host *host,
                     const struct pbft_message *message);
    /* A message was verified, good or not; `checks`: of signatures. */
    void (*on_verified)(struct sim *sim, const struct host *host,
                        const struct pbft_message *message, uint64_t checks);
    /* A log record of a host became durable. */
    void (*on_durable)(struct sim *sim, const struct host *host,
                       const struct disk_record *record,
                       const struct pbft_message *message);
    /* The replica hands a batch out for execution. */
    void (*on_commit)(struct sim *sim, const struct host *host,
                      const struct pbft_commit *commit);
    /* The service has executed it. */
    void (*on_executed)(struct sim *sim, const struct host *host,
                        const struct pbft_message *committed,
                        const struct service_outcome *outcome);
    /* After each event at a running host. */
    void (*on_state)(struct sim *sim, const struct host *host,
                     const struct pbft_report *report);
    /* After some of these events, for what is slow to look at. */
    void (*on_inspect)(struct sim *sim, const struct host *host);
    /* A host that starts has read a record. */
    void (*on_restored)(struct sim *sim, const struct host *host,
                        const struct pbft_record *record);
    /* A host has started from its disk. */
    void (*on_start)(struct sim *sim, const struct host *host);
    /* A client accepts an answer. */
    void (*on_answer)(struct sim *sim, const struct client *client,
                      uint64_t sequence, const struct pbft_attestation *block,
                      const struct sim_reply *reply);
    /* The run is over. */
    void (*on_end)(struct sim *sim);
};

extern const struct audit_rule *const audit_rules[];
extern const size_t audit_rule_count;

/* Name spaces of the table of facts. */
enum audit_fact {
    FACT_PRE_PREPARE = 1, /* Replica, view, seq: digest it proposed first. */
    FACT_PREPARE,         /* Likewise: digest it prepared first. */
    FACT_COMMIT,
    FACT_ATTESTATION, /* Replica, seq: digest of all fields. */
    FACT_VIEW_CHANGE, /* Replica, view: digest of the message. */
    FACT_NEW_VIEW,
    FACT_PROPOSED, /* Host, view, seq, digest: its primary told the host. */
    FACT_ENTERED,  /* Host, view: it has the new-view, durably. */
    FACT_PREPARES_SEEN,  /* Host, slot, digest: bits of the signers. */
    FACT_DURABLE,        /* Host, kind and view, seq: digest of the payload. */
    FACT_COMMIT_IN_VIEW, /* View, seq: digest that somebody committed. */
    FACT_BLOCK,          /* Seq: digest of the batch. */
    FACT_EXECUTED,       /* Seq: digest of the attestation. */
    FACT_EFFECT,         /* Client, sequence: where it took effect (bits). */
    FACT_REQUEST,        /* Digest of a request that some client made. */
    FACT_BATCH_TIME,     /* Request digest, seq: its first time (bits). */
    FACT_COMMITTED,      /* Seq: digest, and the lowest view (bits). */
    FACT_PREPARE_TOP,    /* Seq: digest that the highest view prepared. */
    FACT_SIGNATURE,      /* Replica, signature: type, view, seq (bits). */
    FACT_ASKED_HIGHEST,  /* Host, signer: the highest such view (bits). */
    FACT_PREPARED_TOP,   /* Disk, seq: its highest certificate, view (bits). */
    FACT_VIEW_CHANGE_TEXT, /* Digest, sender: where it is kept (bits). */
    FACT_NEW_VIEW_CHECKED, /* Signature of a new-view. */
    FACT_SNAPSHOT,         /* Seq: mixed state (bits). */
    FACT_CLAIM, /* Host, peer, life: what it says to have executed (bits). */
    FACT_ASKED, /* Host, last block, life and peer: his last turn (bits). */
    FACT_LOOSE, /* Replica, signature: only lax verifiers take it. */
    FACT_HEARD_VOTE,  /* Host, view and signer, life and seq: digest. */
    FACT_HEARD_STATE, /* Likewise: of an attestation. */
    FACT_CERTIFIED,   /* Host, seq: somebody gave it a commit certificate. */
    FACT_TIP,         /* Seq: when the first one executed it (bits, us). */
};

/* The functions of each occasion are kept together: most rows have few. */
enum audit_occasion {
    AUDIT_SEND,
    AUDIT_RECEIVE,
    AUDIT_HEARD,
    AUDIT_VERIFIED,
    AUDIT_DURABLE,
    AUDIT_COMMIT,
    AUDIT_EXECUTED,
    AUDIT_STATE,
    AUDIT_INSPECT,
    AUDIT_RESTORED,
    AUDIT_START,
    AUDIT_ANSWER,
    AUDIT_END,
    AUDIT_OCCASION_COUNT
};

#define AUDIT_RULES_MAX 64
/* Every so many events of a host it is inspected. */
#define AUDIT_INSPECT_INTERVAL 8

struct audit_list {
    const struct audit_rule *rules[AUDIT_RULES_MAX];
    size_t count;
};

struct audit_vote {
    enum pbft_message_type type;
    pbft_view view;
    pbft_seq seq;
    struct pbft_digest digest;
};

/* Per replica id, over all its lives. */
struct audit_replica {
    pbft_seq last_executed; /* In this life. */
    pbft_seq stable;
    bool is_unbound;        /* See audit_unbind(). */
    uint64_t reborn;        /* In this incarnation it is bound again. */
    uint64_t incarnation;   /* To which the next two belong. */
    pbft_view view_spoken;  /* The highest in which it voted. */
    pbft_view view_changed; /* The highest that it asked for. */
    uint64_t life;
    uint64_t events;
    /* S18: the low watermark at the place in the log that is being written. */
    pbft_seq logged_low;
    /* S17b: views asked for, and entered durably. */
    pbft_view asked;
    pbft_view asked_durable; /* The last that its log holds, */
    uint64_t asked_life;     /* since which life, */
    pbft_view asked_earlier; /* and the one before it. */
    pbft_view entered;
    /* L9: when it was looked at last. */
    uint64_t left_life;
    uint64_t timeouts;
    pbft_view was_view;
    bool was_active;
    /* L5: it is in this view, active or not. */
    uint64_t wait_life;
    pbft_view wait_view;
    bool wait_active;
    pbft_time_ms wait_stable_at; /* So old the view is stable. */
    pbft_seq wait_first;         /* Blocks from here on are handed out then. */
    /* The view in which requests were among those last, or that its life began
     * in, if that is known. */
    bool has_progress;
    pbft_view wait_progress;
    /* Its request timers run for so long, and those that do until then. */
    pbft_time_ms patience;
    pbft_time_ms patient_until;
    /* S31, S32. */
    bool was_syncing;
    uint64_t height_life;
    pbft_seq height;
    /* S36: all votes, the disk on which they were looked for last, and up to
     * where it forgot them. */
    struct audit_vote *votes;
    size_t vote_count;
    size_t vote_capacity;
    pbft_seq vote_seq_highest;
    uint32_t vote_generation;
    pbft_seq forgot_seq;
    /* R3: since when there is no progress, and what the log held then. */
    uint64_t growth_life;
    pbft_view growth_view; /* Before the last progress. */
    pbft_view growth_seen_view;
    pbft_seq growth_stable;
    pbft_seq growth_seq;
    size_t growth_records;
    /* R1: blocks that it was sent in this life. */
    uint64_t blocks_life;
    uint64_t blocks;
};

/* L8: when something happened last that the next may have to wait for. */
struct audit_floor {
    pbft_seq tip;        /* The highest block that anybody has executed. */
    uint64_t stirred_us; /* A view of the core changed, or one caught up. */
    uint64_t served_us[SIM_CLIENTS_MAX]; /* The institution of a client. */
    uint64_t idle_us[SIM_CLIENTS_MAX];   /* It waited for nothing. */
    struct audit_floor_view {
        pbft_view view;
        bool is_active;
        bool may_vote;
    } views[SIM_HOSTS_MAX];
};

/* R1: the largest in memory of each kind that a client made, or that an honest
 * replica sent or took, and the highest seq of one. */
struct audit_sizes {
    size_t request;
    size_t body; /* Alone, in a pre-prepare or with its certificate. */
    size_t view_change;
    size_t new_view;
    pbft_seq tip;
};

struct auditor {
    struct table facts;
    struct audit_replica replicas[SIM_HOSTS_MAX]; /* By host index. */
    struct audit_list lists[AUDIT_OCCASION_COUNT];
    const struct pbft_message **kept; /* Referenced for later judgment. */
    size_t kept_count;
    size_t kept_capacity;
    bool is_healed;      /* The end of a run: the core is healthy for good. */
    pbft_view view_good; /* Then: the highest in which a block came. */
    uint64_t stalled_us; /* Then: how long a disk of it still stalls, ... */
    uint32_t stalled_count; /* ... and how many do. */
    uint32_t silent_count;  /* Of the core, recovering then. */
    struct audit_floor floor;
    struct audit_sizes sizes;
    pbft_replica_id channel;    /* Of the message that is being received. */
    struct pbft_replica_set to; /* Who is meant by the one being sent. */
    uint64_t sends;
};

void auditor_init(struct auditor *auditor);
void auditor_deinit(struct auditor *auditor);

/* Called by the simulation. */
void audit_send(struct sim *sim, const struct host *host,
                const struct pbft_message *message);
/* `channel`: who handed it over. */
void audit_receive(struct sim *sim, const struct host *host,
                   pbft_replica_id channel, const struct pbft_message *message);
void audit_heard(struct sim *sim, const struct host *host,
                 const struct pbft_message *message);
void audit_verified(struct sim *sim, const struct host *host,
                    const struct pbft_message *message, uint64_t checks);
void audit_durable(struct sim *sim, const struct host *host,
                   const struct disk_record *record,
                   const struct pbft_message *message);
void audit_commit(struct sim *sim, const struct host *host,
                  const struct pbft_commit *commit);
void audit_executed(struct sim *sim, const struct host *host,
                    const struct pbft_message *committed,
                    const struct service_outcome *outcome);
void audit_state(struct sim *sim, const struct host *host);
void audit_inspect(struct sim *sim, const struct host *host);
void audit_restored(struct sim *sim, const struct host *host,
                    const struct pbft_record *record);
void audit_start(struct sim *sim, const struct host *host);
void audit_answer(struct sim *sim, const struct client *client,
                  uint64_t sequence, const struct pbft_attestation *block,
                  const struct sim_reply *reply);
/* The faults are over, for the core. */
void audit_healed(struct sim *sim);
void audit_end(struct sim *sim);
/* Whoever sends: remembers what time a batch of one request has. */
void audit_note_batch(struct sim *sim, const struct pbft_message *message);
/* A replica lost what it had synced, and its log does not show it: what it said
 * may be known to nobody that it can ask. No rule binds it, it is one of the f,
 * until a RECOVER of it is granted and it votes in its new incarnation. */
void audit_unbind(struct sim *sim, struct host *host);
/* A client has made this request; a hostile one may make several for the same
 * sequence. */
void audit_note_request(struct sim *sim, const struct pbft_message *request);
/* No strict verifier takes the signature of this message. */
void audit_note_loose(struct sim *sim, const struct pbft_message *message);
/* The disk of a crashed host is not what it was: what was durable no longer
 * is, but for what it holds now. */
void audit_disk_replaced(struct sim *sim, struct host *host);

/* Keeps a message to the end of the run; returns its place in `kept`. */
size_t audit_keep(struct auditor *auditor, const struct pbft_message *message);

/* For the rules. Ends the run; only the first one counts. */
void audit_fail(struct sim *sim, const char *rule, const struct host *host,
                const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 4, 5)))
#endif
    ;
/* The entry of a fact; inserts it. `*is_new` may be NULL. */
struct table_entry *audit_fact(struct sim *sim, enum audit_fact kind,
                               uint32_t who, uint64_t a, uint64_t b,
                               bool *is_new);
const struct table_entry *audit_find(const struct sim *sim,
                                     enum audit_fact kind, uint32_t who,
                                     uint64_t a, uint64_t b);
/* Folds a digest to a number for use in a key. */
uint64_t audit_fold(const struct pbft_digest *digest);

#endif /* SIM_AUDITOR_H */
