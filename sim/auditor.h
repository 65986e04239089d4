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
    FACT_PROPOSED, /* View, seq, digest: the primary of the view said so. */
    FACT_PREPARES_SEEN,  /* Host, slot, digest: bits of the signers. */
    FACT_DURABLE,        /* Host, kind and view, seq: digest of the payload. */
    FACT_COMMIT_IN_VIEW, /* View, seq: digest that somebody committed. */
    FACT_BLOCK,          /* Seq: digest of the batch. */
    FACT_EXECUTED,       /* Seq: digest of the attestation. */
    FACT_EFFECT,         /* Client, sequence: where it took effect (bits). */
    FACT_REQUEST,        /* Client, sequence: digest of the request. */
    FACT_BATCH_TIME,     /* Request digest, seq: its first time (bits). */
};

/* The functions of each occasion are kept together: most rows have few. */
enum audit_occasion {
    AUDIT_SEND,
    AUDIT_RECEIVE,
    AUDIT_DURABLE,
    AUDIT_COMMIT,
    AUDIT_EXECUTED,
    AUDIT_STATE,
    AUDIT_INSPECT,
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

/* Per replica id, over all its lives. */
struct audit_replica {
    pbft_seq last_executed; /* In this life. */
    pbft_seq stable;
    pbft_view view_spoken;  /* The highest in which it voted. */
    pbft_view view_changed; /* The highest that it asked for. */
    uint64_t life;
    uint64_t events;
};

struct auditor {
    struct table facts;
    struct audit_replica replicas[SIM_HOSTS_MAX]; /* By host index. */
    struct audit_list lists[AUDIT_OCCASION_COUNT];
};

void auditor_init(struct auditor *auditor);
void auditor_deinit(struct auditor *auditor);

/* Called by the simulation. */
void audit_send(struct sim *sim, const struct host *host,
                const struct pbft_message *message);
void audit_receive(struct sim *sim, const struct host *host,
                   const struct pbft_message *message);
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
void audit_start(struct sim *sim, const struct host *host);
void audit_answer(struct sim *sim, const struct client *client,
                  uint64_t sequence, const struct pbft_attestation *block,
                  const struct sim_reply *reply);
void audit_end(struct sim *sim);
/* Whoever sends: remembers what time a batch of one request has. */
void audit_note_batch(struct sim *sim, const struct pbft_message *message);
/* The disk of a crashed host is not what it was: what was durable no longer
 * is, but for what it holds now. */
void audit_disk_replaced(struct sim *sim, struct host *host);

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
