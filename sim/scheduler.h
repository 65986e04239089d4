/* SPDX-License-Identifier: Apache-2.0 */
/* In which order messages arrive while there are faults: beside random delays,
 * schedules that are known to find what those miss. A row of a table each.
 */
#ifndef SIM_SCHEDULER_H
#define SIM_SCHEDULER_H

#include "consensus/types.h"
#include "sim/random.h"

struct host;
struct sim;

#define SCHEDULER_ROUNDS_MAX 6
#define SCHEDULER_CHANGES_MAX 6

/* A round in which something happens to messages to, or across, a set. */
struct scheduler_round {
    uint64_t number;
    struct pbft_replica_set members;
};

struct scheduler {
    const struct scheduler_kind *kind;
    bool is_over; /* The faults are: from now on delays are random. */
    struct random random;
    uint64_t round_us;
    /* PCT: the rank of each receiver, and when one falls behind all others. */
    uint32_t ranks[PBFT_REPLICAS_MAX];
    uint64_t changes[SCHEDULER_CHANGES_MAX]; /* Numbers of messages. */
    uint32_t change_count;
    uint64_t messages;
    struct scheduler_round cuts[SCHEDULER_ROUNDS_MAX];
    uint32_t cut_count;
    struct scheduler_round lies[SCHEDULER_ROUNDS_MAX];
    uint32_t lie_count;
};

struct scheduler_kind {
    const char *name;
    const char *says;
    uint32_t weight; /* Seeds of 100. */
    bool needs_byzantine;
    void (*begin)(struct sim *sim);
    /* Any of these may be NULL. */
    uint64_t (*delay)(struct sim *sim, const struct host *to,
                      uint64_t delay_us);
    bool (*is_cut)(const struct sim *sim, const struct host *from,
                   const struct host *to);
    bool (*is_lie)(const struct sim *sim, pbft_replica_id to);
};

extern const struct scheduler_kind scheduler_kinds[];
extern const uint32_t scheduler_kind_count;

/* `row` of the table. */
void scheduler_begin(struct sim *sim, uint32_t row);
uint32_t scheduler_draw(struct random *random);

/* How long a message takes that would take `delay_us`. */
uint64_t scheduler_delay(struct sim *sim, uint32_t to, uint64_t delay_us);
bool scheduler_is_cut(const struct sim *sim, uint32_t from, uint32_t to);
/* Whether what an adversary says to this replica is changed now. */
bool scheduler_is_lie(const struct sim *sim, pbft_replica_id to);

#endif /* SIM_SCHEDULER_H */
