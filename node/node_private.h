/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of node/ share about one running replica. */
#ifndef NODE_NODE_PRIVATE_H
#define NODE_NODE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "consensus/driver.h"
#include "consensus/evidence.h"
#include "ledger/ledger.h"
#include "net/gateway.h"
#include "net/peers.h"
#include "node/busy.h"
#include "node/clock_check.h"
#include "node/courier.h"
#include "node/executor.h"
#include "node/inbox.h"
#include "node/journal.h"
#include "node/log_writer.h"
#include "node/node.h"
#include "node/replier.h"
#include "node/reply.h"
#include "node/request_cache.h"
#include "node/transport.h"
#include "node/verifier_pool.h"
#include "node/waiting.h"
#include "storage/block.h"
#include "storage/log.h"
#include "storage/state.h"

/* Scratch memory of one thread that reads and answers calls. */
struct node_scratch {
    struct wire_arena arena;
    struct wire_buffer reply;
    struct wire_buffer query;
    uint8_t answer[LEDGER_ANSWER_MAX];
};

/* What is known of one peer, besides what net/ counts. */
struct node_peer {
    atomic_uint_least64_t executed; /* It reported in a STATUS. */
    /* For the thread that watches. */
    bool was_connected;
    pbft_time_ms away_since_ms;
    pbft_time_ms told_ms;    /* Why it is away; 0: not yet. */
    struct net_problem told; /* That. */
    /* Guarded by `journal_lock` of the node. */
    struct journal_limit refused;
};

struct call_rate;
struct history;
struct reads;

struct node {
    const struct node_identity *identity;
    bool unsafe_no_tls;
    bool unsafe_no_sync;
    pbft_time_ms started_ms;

    struct storage *storage;
    struct storage_state *state;
    struct ledger *ledger;
    struct pbft_driver *driver; /* For the protocol thread. */
    /* For the protocol thread: as of the last block that it was told of. */
    struct pbft_incarnations incarnations;
    bool is_log_lost; /* The records restored may not be all. */
    struct inbox *inbox;
    struct request_cache *cache;
    struct request_cache *executed; /* Requests; filled by the executor. */
    struct pbft_verifier verifier;
    struct waiting *waiting;
    struct log_writer *log_writer;
    struct executor *executor;
    struct history *history; /* Filled by the executor. */
    struct call_rate *certify_rate;
    struct reads *reads;
    struct replier *replier;
    struct verifier_pool *pool;
    struct net_peers *peers;
    struct net_gateway *gateway;
    struct transport *transport;
    struct courier *courier;

    struct node_scratch *scratches; /* One per verifier thread. */
    uint32_t scratch_count;
    struct node_scratch replier_scratch;

    pthread_t protocol_thread;
    bool protocol_started;
    pbft_time_ms deadline; /* Set by the driver; for the protocol thread. */

    atomic_bool is_open;  /* The gateway may be called by its callbacks. */
    atomic_bool stopping; /* Calls are refused. */
    atomic_uint_least64_t transactions;
    atomic_uint_least64_t block_time;
    atomic_uint_least64_t high;     /* The core's high watermark, or lower. */
    struct clock_check clock_check; /* For the executor. */
    atomic_int_least64_t clock_off; /* What it says. */

    pthread_mutex_t report_lock; /* Guards `report` and `evidence`. */
    struct pbft_report report;
    const struct pbft_message *evidence[PBFT_EVIDENCE_MAX]; /* References. */
    uint32_t evidence_count;

    pthread_mutex_t failure_lock; /* Guards the two below. */
    enum pbft_status failure;
    struct salus_reason failure_reason;

    pthread_mutex_t journal_lock; /* Guards the limits of the peers. */
    struct node_peer peer[PBFT_REPLICAS_MAX];
    /* From here on: for the thread that watches. */
    bool may_take_turns; /* Nobody has chosen a policy for its threads. */
    struct busy busy;
    struct journal_limit disk_limit;
    uint64_t disk_wanted;       /* Free bytes. */
    pbft_time_ms size_again_ms; /* When to look at it. */
    struct journal_limit stranger_limit;
    bool told_clock;              /* That it is wrong. */
    pbft_time_ms expiry_again_ms; /* When to tell of it again. */
    uint64_t strangers_seen;
};

/* The first failure stays; the replica stops voting and is to be closed. */
void node_fail(struct node *node, enum pbft_status status, const char *what);
/* PBFT_OK if there is none. */
enum pbft_status node_failure(struct node *node, struct salus_reason *reason);

/* protocol.c: the thread that owns the driver. */
void node_protocol_run(struct node *node);
/* Feeds what is durable, before the thread starts. A damaged log is set aside:
 * the replica recovers. */
PBFT_MUST_USE enum pbft_status node_restore(struct node *node,
                                            struct salus_reason *reason);
/* The vtables of the driver. */
struct pbft_service node_service(struct node *node);
struct pbft_timer_service node_timer(struct node *node);

/* ingest.c: what peers send. */
enum net_disposition node_receive(void *context, pbft_replica_id peer,
                                  struct pbft_buffer *buffer);
void node_read_envelope(struct node *node, const struct verifier_job *job);
/* One line in the journal, unless there were many. */
void node_note_refused(struct node *node, pbft_replica_id peer,
                       const char *what, const char *reason);

/* watch.c: so many bytes of the disk should be free. */
uint64_t node_disk_wanted(const struct storage_stats *stats);

/* calls.c: what clients ask. */
void node_call(void *context, uint64_t call, uint32_t caller,
               struct pbft_buffer *buffer);
void node_read_call(struct node *node, struct node_scratch *scratch,
                    const struct verifier_job *job);
void node_refuse(struct node *node, struct wire_buffer *scratch, uint64_t call,
                 enum reply_code code, uint32_t ledger_code);
/* For what this replica should know and cannot read: ask another. Journalled.
 */
void node_refuse_failed(struct node *node, struct node_scratch *scratch,
                        uint64_t call, enum pbft_status status,
                        const char *what);
/* What `scratch->reply` holds, if `status` is OK; else a refusal, journalled.
 */
void node_reply_or_refuse(struct node *node, struct node_scratch *scratch,
                          uint64_t call, enum pbft_status status,
                          const char *what);
/* A proposal so far beyond our window that the core can do nothing with it. */
bool node_is_out_of_reach(const struct node *node,
                          const struct pbft_message *message);
/* This very request was executed of late, and the state read last holds its
 * result. What was read from the inbox is asked again, since it may have been
 * executed while it lay there: nobody would order it again, and the core would
 * wait for that. Reads the ledger only if that is so. Any thread. */
bool node_is_late(struct node *node, const struct pbft_message *message);
/* The same, however long ago it was executed and whenever this process began:
 * judges what a peer relays. If not all replicas judged it alike, who takes it
 * would tell a primary who knows better, and wait in vain. Reads the ledger. */
bool node_was_executed(struct node *node, const struct pbft_message *message);
/* All calls that wait for this request. */
void node_refuse_request(struct node *node, const struct pbft_digest *request,
                         enum reply_code code);

/* certify.c: an answer with a signature. */
struct Salus__V1__CertifyCall;
void node_certify(struct node *node, struct node_scratch *scratch,
                  const struct verifier_job *job,
                  const struct Salus__V1__CertifyCall *call);

/* answers.c: what waited is answered. Each uses the scratch of its thread. */
/* Answers all calls that wait for block `seq`, if it is proved. */
void node_answer_block(struct node *node, struct node_scratch *scratch,
                       pbft_seq seq);
void node_on_proof(void *context, pbft_seq seq,
                   const struct pbft_message *proof);
enum pbft_status node_on_serve(void *context, pbft_replica_id to, pbft_seq seq,
                               size_t *size);
void node_on_read_body(void *context, const struct pbft_body_read *read);
void node_on_sweep(void *context, pbft_time_ms now_ms);
void node_on_executed(void *context, const struct pbft_attestation *executed,
                      const struct ledger_block_result *results);
void node_refuse_all_waiting(struct node *node);
/* A copy of the last report of the core. */
void node_report(struct node *node, struct pbft_report *out);

/* evidence.c: copies what the core holds; for the protocol thread. */
void node_publish_evidence(struct node *node);
/* Appends the reply to an EvidenceCall. */
PBFT_MUST_USE enum pbft_status
node_evidence_reply(struct node *node, struct node_scratch *scratch);
void node_forget_evidence(struct node *node);

/* status.c: appends the reply to a StatusCall. */
PBFT_MUST_USE enum pbft_status node_status_reply(struct node *node,
                                                 struct node_scratch *scratch);

#endif /* NODE_NODE_PRIVATE_H */
