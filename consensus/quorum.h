/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of trust: how many replicas may fail, how many must agree.
 *
 * For n replicas f = floor((n - 1) / 3) may be faulty. A quorum is
 * Q = ceil((n + f + 1) / 2): two quorums share f + 1 replicas, so at least one
 * honest one, and n - f replicas form a quorum, so the faulty ones cannot block
 * it. A literal 2f + 1 has the first property only for n = 3f + 1.
 */
#ifndef CONSENSUS_QUORUM_H
#define CONSENSUS_QUORUM_H

#include "consensus/types.h"

static inline uint32_t pbft_faults_max(uint32_t n)
{
    return (n - 1) / 3;
}

static inline uint32_t pbft_quorum(uint32_t n)
{
    return (n + pbft_faults_max(n) + 2) / 2;
}

/* At least one honest replica is among so many. */
static inline uint32_t pbft_weak_quorum(uint32_t n)
{
    return pbft_faults_max(n) + 1;
}

static inline pbft_replica_id pbft_primary_of(pbft_view view, uint32_t n)
{
    return (pbft_replica_id)(view % n);
}

static inline void pbft_set_add(struct pbft_replica_set *set,
                                pbft_replica_id id)
{
    set->words[id / 64] |= UINT64_C(1) << (id % 64);
}

static inline void pbft_set_remove(struct pbft_replica_set *set,
                                   pbft_replica_id id)
{
    set->words[id / 64] &= ~(UINT64_C(1) << (id % 64));
}

static inline bool pbft_set_has(const struct pbft_replica_set *set,
                                pbft_replica_id id)
{
    return (set->words[id / 64] >> (id % 64)) & 1;
}

static inline uint32_t pbft_set_count(const struct pbft_replica_set *set)
{
    uint32_t count = 0;
    for (size_t i = 0; i < PBFT_REPLICAS_MAX / 64; i++) {
        for (uint64_t word = set->words[i]; word != 0; word &= word - 1) {
            count++;
        }
    }
    return count;
}

/* All of 0..n-1 but `self`. */
static inline struct pbft_replica_set pbft_set_others(uint32_t n,
                                                      pbft_replica_id self)
{
    struct pbft_replica_set set = {{0}};
    for (pbft_replica_id id = 0; id < n; id++) {
        if (id != self) {
            pbft_set_add(&set, id);
        }
    }
    return set;
}

static inline struct pbft_replica_set pbft_set_one(pbft_replica_id id)
{
    struct pbft_replica_set set = {{0}};
    pbft_set_add(&set, id);
    return set;
}

#endif /* CONSENSUS_QUORUM_H */
