/* SPDX-License-Identifier: Apache-2.0 */
/* One replica process: the production driver and replica over a simulated log,
 * network, service and clock. It crashes, restarts from its disk, and can be a
 * puppet that computes but says only what a script says.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "consensus/driver.h"
#include "sim/disk.h"
#include "sim/network.h"
#include "sim/service.h"
#include "sim/signer.h"

#define HOST_NAME_SIZE 8
/* Requests whose signatures a host remembers to have verified. */
#define HOST_CACHE_SIZE 1024
/* What waits while the replica is busy; beyond it the network loses. */
#define HOST_INBOX_MAX 4096
/* Answers for which one client may wait at a host. */
#define HOST_WAITERS_MAX 256

enum host_state {
    HOST_DOWN,
    HOST_UP,
    HOST_HALTED, /* A write failed: it says nothing any more. */
};

enum host_behavior {
    HOST_HONEST,
    HOST_PUPPET,    /* Receives and computes; sends by script only. */
    HOST_ADVERSARY, /* Computes; a strategy takes over what it sends. */
};

/* An executed block, as the process remembers it. */
struct host_block {
    const struct pbft_message *committed;
    const struct pbft_message *proof; /* Or NULL. */
    struct pbft_attestation executed;
    struct pbft_digest *leaves; /* One per request. */
};

/* What a process had computed when it went down. Blocks that are still on its
 * disk when it starts again need not be executed again. */
struct host_past {
    void *service; /* NULL: nothing is kept. */
    uint32_t client_count;
    struct host_block *blocks;
    size_t block_count;
    size_t block_capacity;
    struct pbft_incarnations incarnations;
};

struct host_input {
    enum pbft_event_type type;
    enum pbft_timer timer;
    const struct pbft_message *message;
    struct pbft_attestation executed;
};

/* A client that asked here and has no answer yet. */
struct host_waiter {
    uint32_t client;
    uint64_t sequence;
};

struct host {
    struct sim *sim;
    uint32_t index;
    pbft_replica_id id; /* A twin has its original's. */
    char name[HOST_NAME_SIZE];
    enum host_state state;
    enum host_behavior behavior;
    uint64_t life;     /* Counts starts; events of an older life are stale. */
    uint64_t timeouts; /* That its replica has been told of. */

    struct sim_signer signer;
    uint64_t check_count; /* Signatures checked. */
    struct pbft_crypto crypto;
    struct pbft_domain domain;
    struct pbft_config config;
    struct pbft_verifier verifier;
    struct host_cache {
        struct pbft_digest known[HOST_CACHE_SIZE];
    } * cache;
    struct host_cache_handle {
        struct host_cache *cache; /* The verifier's context is const. */
    } cache_handle;

    struct pbft_driver *driver; /* NULL unless UP or HALTED. */
    struct disk disk;
    uint32_t disk_generation; /* Counts disks that lost what was synced. */
    bool has_started;         /* Ever: known beside the key, not on the disk. */
    bool has_lost_data;       /* What was synced; it is one of the f. */
    bool is_disk_changed;     /* By a fault; it has not started since. */
    bool has_write_failed;    /* Nothing is written any more; */
    bool has_disk_failed;     /* and the driver was told. */
    void *service;

    struct host_block *blocks; /* Block seq is at seq - 1. */
    size_t block_count;
    size_t block_capacity;

    struct pbft_incarnations incarnations; /* After the last block. */
    struct host_past past;

    struct host_input *inbox; /* A ring of HOST_INBOX_MAX. */
    size_t inbox_first;
    size_t inbox_count;

    const struct pbft_message **commits; /* Handed out, not yet executed. */
    size_t commit_count;
    size_t commit_capacity;
    bool is_executing;

    struct pbft_body_read *reads; /* Asked for, not yet read; oldest first. */
    size_t read_count;
    size_t read_capacity;

    struct host_waiter *waiters;
    size_t waiter_count;
    size_t waiter_capacity;

    uint64_t timer_at_us; /* The event in the queue; UINT64_MAX: none. */
    bool timers_paused;
    bool is_flush_scheduled;
    uint64_t sync_us;      /* What a sync takes. */
    uint64_t synced_at_us; /* When the last scheduled sync completes. */
    uint64_t paused_until_us;
    /* The monotonic clock: what it showed at some time, and its rate since. */
    uint64_t ticks_us;
    uint64_t ticks_from_us;
    int32_t ticks_drift_permille; /* -1000: it stands. */
    int64_t wall_offset_us;
    int32_t wall_drift_permille;
    uint64_t wall_drift_from_us; /* Since when. */
};

void host_init(struct host *host, struct sim *sim, uint32_t index,
               pbft_replica_id id, const char *name);
void host_deinit(struct host *host);

/* From DOWN: judges the log, replays blocks and records, speaks. */
void host_start(struct host *host);
/* Power loss; see disk_crash(). */
void host_crash(struct host *host, size_t keep, size_t torn);

void host_on_packet(struct host *host, const struct sim_packet *packet);
void host_on_synced(struct host *host, pbft_ticket ticket);
void host_on_executed(struct host *host);
void host_on_read(struct host *host);
void host_on_timer(struct host *host, uint64_t time_us);
void host_on_flush(struct host *host);
/* One timer fires now, due or not. */
void host_fire(struct host *host, enum pbft_timer timer);
/* Whether one is due now. */
bool host_timer_fires(const struct host *host);
void host_pause_timers(struct host *host, bool is_paused);
/* Before its time: what waits for the process comes within a step. */
void host_end_pause(struct host *host);
/* What its monotonic clock shows; it never goes back. */
uint64_t host_now_ms(const struct host *host);
/* From now on it is so much too fast, or too slow. */
void host_bend_ticks(struct host *host, int32_t drift_permille);

/* NULL unless the replica runs. */
const struct pbft_replica *host_replica(const struct host *host);
bool host_is_honest(const struct host *host);
/* starting, normal, view-change, syncing, ..., down, halted or recovering. The
 * report counts while it is up. */
const char *host_status_name(const struct host *host,
                             const struct pbft_report *report);

/* Private to host*.c. */
void host_work(struct host *host);
void host_push(struct host *host, struct host_input input);
void host_schedule_timer(struct host *host, uint64_t deadline_ms);
void host_make_driver(struct host *host, struct pbft_replica *replica);
void host_remember_block(struct host *host,
                         const struct pbft_message *committed,
                         const struct service_outcome *outcome);
void host_forget(struct host *host);
/* host_past.c: service and blocks become the past; they come back if they are
 * what the disk holds. */
void host_keep_past(struct host *host);
void host_drop_past(struct host *host);
bool host_resume_past(struct host *host);
void host_trace_life(const struct host *host, const char *what);
/* host_read.c: for the driver. */
void host_read_body(void *context, const struct pbft_body_read *read);
/* host_client.c */
void host_on_request(struct host *host, uint32_t client,
                     const struct pbft_message *request);
void host_answer_waiters(struct host *host, pbft_seq seq);
/* A request that took effect already: it is not ordered again. */
bool host_is_answered(const struct host *host,
                      const struct pbft_message *message);

#endif /* SIM_HOST_H */
