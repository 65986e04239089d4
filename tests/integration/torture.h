/* SPDX-License-Identifier: Apache-2.0 */
/* Real replicas under faults, while clients submit; at the end the ledger is
 * read back from the disk of each and compared with what the clients saw.
 *
 *   torture_clients.c  submitters, and the history of what they saw
 *   torture_faults.c   the nemesis
 *   torture_disk.c     its part that fills and wipes disks
 *   torture_proxy.c    the network between the replicas
 *   torture_judge.c    the judgement
 */
#ifndef TESTS_INTEGRATION_TORTURE_H
#define TESTS_INTEGRATION_TORTURE_H

#include <pthread.h>

#include "client/load.h"
#include "client/trial.h"
#include "tests/integration/torture_proxy.h"

#define TORTURE_REPLICAS_MAX 13
#define TORTURE_SUBMITTERS 12
/* Sanitizers, slow disks and view changes on top of each other. */
#define TORTURE_PROGRESS_MS 90000

/* One submission: anchors a record. Several compete for the same record: then
 * one must win, and the others must learn of it. */
struct torture_operation {
    uint8_t tx_id[SALUS_DIGEST_SIZE];
    uint8_t record[SALUS_ID_SIZE];
    uint64_t invoked_us;
    uint64_t ended_us;
    bool is_repeated; /* Submitted again: its own first result is not known. */
    uint32_t code;    /* 0, REC_EXISTS; TX_DUPLICATE only if is_repeated. */
    uint64_t seq;     /* Of the block that was proved. */
};

struct torture {
    struct trial trial;
    struct proxy *proxy;
    const char *folder;
    uint32_t request_timeout_ms;
    char small_disk[REPLICAS_PATH_MAX]; /* Data folder of the last replica, a
                                           tmpfs; empty: there is none. */
    uint64_t random;                    /* Of the nemesis alone. */
    uint32_t wiped; /* Replicas below have had their disks wiped. */

    pthread_mutex_t lock;                 /* Guards the rest. */
    bool is_ending;                       /* Nothing new is submitted. */
    bool is_over;                         /* And nothing is waited for. */
    struct torture_operation *operations; /* Those that ended. */
    size_t operation_count;
    size_t operation_capacity;
    uint8_t contended[SALUS_ID_SIZE]; /* The record that is fought for. */
    uint32_t contenders;
    uint64_t again;     /* Submissions repeated after a time-out. */
    uint64_t surprises; /* Refused for a reason that cannot be. */
    uint32_t kills;
};

uint64_t torture_now_us(void);
void torture_pass_ms(uint64_t ms);

/* ---- torture_clients.c --------------------------------------------------- */

struct torture_submitters {
    pthread_t threads[TORTURE_SUBMITTERS];
};
void torture_clients_start(struct torture *torture,
                           struct torture_submitters *out);
/* Waits until all that was begun has ended. */
void torture_clients_end(struct torture *torture,
                         struct torture_submitters *submitters);
size_t torture_operations_ended(struct torture *torture);

/* ---- torture_faults.c ---------------------------------------------------- */

struct torture_plan {
    uint64_t seconds;
    uint32_t kills;     /* At least so many, also if it takes longer. */
    const char *faults; /* Names, with commas; NULL: all. */
    uint64_t each_within_seconds; /* Not 0: until each of them has struck; it
                                     is a failure if that takes longer. */
};
/* Faults one after the other, each healed, each followed by progress; says how
 * often each has struck. False: a replica ended by itself, or nothing is
 * ordered any more, or not each has struck in time. */
bool torture_rage(struct torture *torture, const struct torture_plan *plan);

/* What its parts share. */
bool torture_start_again(struct torture *torture, uint32_t id);
void torture_kill_one(struct torture *torture, uint32_t id);
/* After all is healed: what was submitted is ordered again. */
bool torture_makes_progress(struct torture *torture, const char *after);

/* ---- torture_disk.c ------------------------------------------------------ */

/* The others carry on without it; with space again it comes back. */
bool torture_fill_disk(struct torture *torture);
bool torture_can_wipe(const struct torture *torture);
bool torture_wipe(struct torture *torture);

/* ---- torture_judge.c ----------------------------------------------------- */

/* The replicas are stopped. Says what is wrong. */
bool torture_judge(struct torture *torture);

#endif /* TESTS_INTEGRATION_TORTURE_H */
