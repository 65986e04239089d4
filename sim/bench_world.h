/* SPDX-License-Identifier: Apache-2.0 */
/* Private to bench*.c: machines, threads, replicas, envelopes. Times are
 * nanoseconds; the queue's time_us holds them too. */
#ifndef SIM_BENCH_WORLD_H
#define SIM_BENCH_WORLD_H

#include "consensus/driver.h"
#include "proto/buffer.h"
#include "sim/bench.h"
#include "sim/fake_crypto.h"
#include "sim/queue.h"

#define BENCH_CACHE_SIZE 16384
#define BENCH_RING_SIZE 2048 /* Blocks not yet attested; above any window. */

/* What a thread does next. */
enum bench_task_kind {
    TASK_SUBMIT,   /* A client makes a request. */
    TASK_GATEWAY,  /* Its bytes arrive. */
    TASK_RECEIVE,  /* An envelope arrives. */
    TASK_VERIFY,   /* Its messages are checked. */
    TASK_MESSAGES, /* The protocol steps over them. */
    TASK_EXECUTED, /* The protocol is told of a block. */
    TASK_DURABLE,  /* The protocol is told of a sync. */
    TASK_TIMER,    /* The protocol is told of the time. */
    TASK_LOG,      /* Records are written. */
    TASK_EXECUTE,  /* A block is executed. */
    TASK_SEND,     /* Envelopes go out. */
    TASK_REPLY,    /* A result goes to the client. */
    TASK_ACCEPT,   /* The client checks it. */
};

/* Messages of one turn from one replica to another, or a client's request. */
struct bench_envelope {
    uint32_t from; /* A replica, or PBFT_SENDER_CLIENT. */
    uint32_t to;
    size_t bytes;
    uint32_t count;
    const struct pbft_message *messages[]; /* Owned references. */
};

struct bench_task {
    struct bench_task *next;
    struct bench_stage *stage;
    enum bench_task_kind kind;
    struct bench_envelope *envelope;   /* Or NULL. */
    struct bench_envelope **envelopes; /* SEND. */
    uint32_t envelope_count;
    const struct pbft_message *message; /* EXECUTE; owned. */
    struct pbft_attestation executed;
    uint64_t number;    /* Ticket, request; messages already stepped over. */
    uint64_t device_ns; /* LOG: what the disk takes after the CPU. */
    size_t bytes;       /* LOG */
    bool is_refused;    /* The driver waits for the log. */
    uint64_t cost_ns;
};

struct bench_machine {
    uint32_t cores; /* 0: as many as are asked for. */
    uint32_t running;
    uint64_t busy_ns;
    struct bench_stage *first_ready; /* Wait for a core. */
    struct bench_stage *last_ready;
};

/* One thread, or `width` of the same kind. */
struct bench_stage {
    struct bench_replica *replica;
    struct bench_machine *machine;
    enum bench_stage_kind kind;
    uint32_t width;
    uint32_t running;
    bool is_ready;     /* In the machine's list. */
    uint64_t slice_ns; /* Since it got its core. */
    uint64_t busy_ns;
    struct bench_task *first;
    struct bench_task *last;
    struct bench_stage *next_ready;
};

/* What the production code asked of the cryptography. */
struct bench_counts {
    uint64_t signatures;
    uint64_t verifications;
    uint64_t digest_bytes;
};

struct bench_crypto {
    struct fake_signer signer;
    struct bench_counts *counts;
};

struct bench_request {
    uint64_t begun_ns;
    uint32_t owner; /* The replica whose client it is. */
    bool is_done;
    bool is_measured;
};

struct bench_replica {
    struct bench_world *world;
    pbft_replica_id id;
    struct bench_machine own_machine;
    struct bench_stage stages[STAGE_COUNT];
    struct bench_crypto crypto;
    struct bench_crypto client; /* Signs its institution's requests. */
    struct bench_counts counts;
    struct pbft_crypto vtable;
    struct pbft_crypto client_vtable;
    struct pbft_domain domain;
    struct pbft_domain client_domain;
    struct pbft_verifier verifier;
    struct bench_cache {
        struct pbft_digest known[BENCH_CACHE_SIZE];
    } * cache;
    struct bench_cache_handle {
        struct bench_cache *cache;
    } cache_handle;
    struct pbft_config config;
    struct pbft_driver *driver;
    /* Asked for by the running step; takes effect when its time is over. */
    struct bench_task *deferred_first;
    struct bench_task *deferred_last;
    struct bench_task *stalled_first; /* Refused until a sync is done. */
    struct bench_task *stalled_last;
    pbft_ticket log_ticket; /* Waits to be written; 0: nothing. */
    size_t log_bytes;
    bool is_log_busy;
    uint64_t timer_ns; /* The event in the queue; UINT64_MAX: none. */
    const struct pbft_message *blocks[BENCH_RING_SIZE]; /* By seq. */
    uint64_t nic_out_free_ns;
    uint64_t nic_in_free_ns;
    uint64_t *link_free_ns; /* By receiver. */
    uint64_t next_request;  /* The client's sequence of the last one. */
    struct bench_request *requests;
    size_t request_capacity;
    /* Counted. */
    uint64_t syncs;
    uint64_t disk_ns;
    uint64_t nic_out_ns;
    uint64_t nic_in_ns;
    uint64_t bytes_sent;
    uint64_t blocks_executed;
};

struct bench_world {
    const struct bench_settings *settings;
    uint64_t cost[COST_COUNT]; /* Nanoseconds, times 1024. */
    double slowness; /* What a CPU second takes, others being there. */
    uint64_t now_ns;
    uint64_t events;
    bool is_measuring;
    uint64_t measured_from_ns;
    struct sim_queue queue;
    struct random random;
    struct bench_machine shared_machine;
    uint64_t disk_free_ns;             /* Of the shared machine. */
    struct bench_machine free_machine; /* Of clients, if they cost nothing. */
    struct pbft_keyring keyring;
    struct pbft_digest cluster;
    struct wire_buffer wire; /* To know how long messages are. */
    struct bench_replica *replicas;
    uint32_t *latencies_us; /* Of measured requests. */
    size_t latency_count;
    size_t latency_capacity;
    uint64_t requests_done;
    uint64_t refused;
};

enum bench_event {
    EVENT_TASK_ENDS,
    EVENT_ARRIVES,  /* An envelope, at the NIC. */
    EVENT_RECEIVED, /* Past the NIC. */
    EVENT_SYNCED,
    EVENT_TIMER,
    EVENT_CLIENT, /* A client begins a request. */
};

/* bench_machine.c */
void bench_stage_push(struct bench_world *world, struct bench_stage *stage,
                      struct bench_task *task);
void bench_stage_push_front(struct bench_world *world,
                            struct bench_stage *stage, struct bench_task *task);
void bench_task_ended(struct bench_world *world, struct bench_task *task);
struct bench_task *bench_task_new(enum bench_task_kind kind);
void bench_task_free(struct bench_task *task);
uint64_t bench_cost(const struct bench_world *world, enum cost cost,
                    uint64_t count);
void bench_schedule(struct bench_world *world, enum bench_event event,
                    uint32_t replica, uint64_t number, void *item,
                    uint64_t at_ns);

/* bench_replica.c: a task begins (what it costs) and ends (its effects). */
uint64_t bench_begin(struct bench_world *world, struct bench_task *task);
void bench_end(struct bench_world *world, struct bench_task *task);
void bench_replica_init(struct bench_world *world, pbft_replica_id id);
void bench_replica_start(struct bench_replica *replica);
void bench_replica_deinit(struct bench_replica *replica);
void bench_on_synced(struct bench_replica *replica, pbft_ticket ticket);
void bench_on_timer(struct bench_replica *replica);
size_t bench_message_bytes(struct bench_world *world,
                           const struct pbft_message *message);
void bench_apply_deferred(struct bench_replica *replica);

/* bench_driver.c: what the driver asks for. */
void bench_make_driver(struct bench_replica *replica,
                       struct pbft_replica *core);
void bench_defer(struct bench_replica *replica, struct bench_task *task);
uint64_t bench_take_counts(struct bench_replica *replica);

/* bench_network.c */
void bench_send(struct bench_world *world, struct bench_envelope *envelope);
void bench_on_arrival(struct bench_world *world,
                      struct bench_envelope *envelope);
void bench_envelope_free(struct bench_envelope *envelope);

/* bench_load.c */
void bench_load_start(struct bench_world *world);
void bench_load_on_event(struct bench_world *world, uint32_t replica);
void bench_load_submit(struct bench_replica *replica, struct bench_task *task);
void bench_load_accept(struct bench_replica *replica, uint64_t request);
void bench_load_refused(struct bench_replica *replica,
                        const struct pbft_message *request);

#endif /* SIM_BENCH_WORLD_H */
