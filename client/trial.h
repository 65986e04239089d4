/* SPDX-License-Identifier: Apache-2.0 */
/* A whole trial consortium on this machine: folders, processes and one client
 * per institution. What `salus demo` and `salus bench` run on. Or a consortium
 * that runs already, with the clients that there are configurations for.
 */
#ifndef CLIENT_TRIAL_H
#define CLIENT_TRIAL_H

#include <stdatomic.h>

#include "client/replicas.h"
#include "client/salus.h"

#define TRIAL_REPLICAS_MAX 31

struct trial {
    struct replicas replicas;
    struct salus_client *clients[TRIAL_REPLICAS_MAX]; /* One per institution;
                                                         of a running one: as
                                                         many as there are. */
    uint8_t encryption_keys[TRIAL_REPLICAS_MAX][SALUS_ID_SIZE];
    uint32_t count; /* Replicas. */
    uint32_t client_count;
    bool plain_tcp;
    bool no_sync;
    uint32_t transactions_per_request; /* Coalescing limit; 0: default. */
};

/* Makes the consortium in `folder` (must not exist, or be empty), with free
 * ports. Says what failed on standard error. */
PBFT_MUST_USE enum pbft_status
trial_create(struct trial *trial, const char *folder, uint32_t replicas);

/* Starts all replicas, opens the clients and waits until each replica answers,
 * for at most `timeout_ms`. */
PBFT_MUST_USE enum pbft_status trial_start(struct trial *trial,
                                           uint32_t timeout_ms);

/* Opens the one client that the configuration `path` describes (NULL:
 * $SALUS_CONFIG) and waits until all replicas of its consortium answer. Starts
 * nothing. Says what failed on standard error. */
PBFT_MUST_USE enum pbft_status
trial_attach_config(struct trial *trial, const char *path, uint32_t timeout_ms);

/* The same for the genesis file of a trial folder and all client-N.yaml beside
 * it. */
PBFT_MUST_USE enum pbft_status trial_attach_genesis(struct trial *trial,
                                                    const char *genesis,
                                                    uint32_t timeout_ms);

/* Waits until `replica` has executed `seq`; false after `timeout_ms`. */
bool trial_wait_executed(struct trial *trial, uint32_t replica, uint64_t seq,
                         uint32_t timeout_ms);

/* Waits until all replicas have executed what any of them had executed when it
 * was called; says which one has not after `timeout_ms`. */
bool trial_converge(struct trial *trial, uint32_t timeout_ms);

/* Waits until all replicas stand at the same block with the same ledger root;
 * for a consortium that nobody submits to any more. Says how they stand if they
 * do not after `timeout_ms`, or have diverged. */
bool trial_agree(struct trial *trial, uint32_t timeout_ms);

/* A replica that is behind. */
struct trial_gap {
    uint64_t at_ms;     /* Monotonic. */
    bool answers;       /* The replica did. */
    uint64_t executed;  /* By it. */
    uint64_t highest;   /* By the furthest. */
    double rate;        /* Blocks per second, since the last one was told. */
    double others_rate; /* And those of the furthest. */
};

struct trial_follow {
    uint32_t replica;
    uint64_t lag_max;     /* It is there when it lags by no more blocks. */
    uint32_t patience_ms; /* Without a new block: it is stuck. */
    uint32_t limit_ms;    /* Altogether. */
    uint32_t interval_ms; /* Between two calls of tell(). */
    void (*tell)(void *context, const struct trial_gap *gap, bool has_reached);
    void (*look)(void *context); /* Each time all were asked; may be NULL. */
    void *context;
    const atomic_int *stop; /* Not 0: end early. */
};

enum trial_end { TRIAL_REACHED, TRIAL_STUCK, TRIAL_LIMIT, TRIAL_STOPPED };

/* Watches a replica that is behind until it has reached the others, who may go
 * on meanwhile. */
enum trial_end trial_follow(struct trial *trial,
                            const struct trial_follow *options);

#define TRIAL_PROBLEM_SIZE 160
#define TRIAL_THREADS_MAX 32
#define TRIAL_THREAD_NAME_SIZE 16

/* All threads of one name. */
struct trial_thread {
    char name[TRIAL_THREAD_NAME_SIZE];
    uint64_t cpu_us;
};

/* What a replica says of itself. */
struct trial_status {
    uint64_t view;
    uint32_t primary;
    uint64_t executed;
    uint8_t ledger_root[SALUS_DIGEST_SIZE]; /* After it. */
    uint64_t stable;
    uint64_t transactions;
    uint64_t syncs;
    uint64_t cpu_us;
    uint64_t resident_bytes;
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t client_bytes_received; /* Of them: from clients. */
    uint64_t disk_bytes;            /* Its data folder. */
    uint64_t written_bytes;
    struct trial_thread threads[TRIAL_THREADS_MAX];
    uint32_t thread_count;
    bool is_recovering; /* It may have forgotten votes, and is silent. */
    bool no_sync;       /* It runs with --unsafe-no-sync. */
    char problem[TRIAL_PROBLEM_SIZE]; /* What keeps it from being well. */
};
bool trial_ask(struct trial *trial, uint32_t replica, struct trial_status *out);

/* Closes the clients. */
void trial_close_clients(struct trial *trial);

#endif /* CLIENT_TRIAL_H */
