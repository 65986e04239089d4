/* SPDX-License-Identifier: Apache-2.0 */
/* Incarnations: how a replica that lost its promises comes back (TOCS'02 4;
 * design: P14). docs/protocol.md has the argument.
 *
 * A RECOVER is an ordinary request, signed with the key of a replica, that asks
 * for the next incarnation of it. Whoever executes blocks keeps the table below
 * with pbft_incarnations_execute() and stores it with the block; it follows
 * from the blocks alone.
 *
 * Pure: no function here keeps anything.
 */
#ifndef CONSENSUS_INCARNATION_H
#define CONSENSUS_INCARNATION_H

#include "consensus/verify.h"

/* One RECOVER of a replica in so much block time takes effect: each one makes
 * the others fill a window with null batches. */
#define PBFT_RECOVER_INTERVAL_US (UINT64_C(3600) * 1000 * 1000)

struct pbft_incarnation {
    uint64_t number;   /* 0: the one of the genesis file. */
    pbft_seq since;    /* The block of its RECOVER; 0: none. */
    pbft_wall_us time; /* Of that block. */
};

struct pbft_incarnations {
    struct pbft_incarnation of[PBFT_REPLICAS_MAX];
};

/* Of one replica in the encoding: three 64-bit numbers, big-endian. */
#define PBFT_INCARNATION_SIZE 24
#define PBFT_INCARNATIONS_SIZE_MAX (PBFT_REPLICAS_MAX * PBFT_INCARNATION_SIZE)

/* What a RECOVER asks for. */
struct pbft_recover {
    pbft_replica_id replica;
    uint64_t incarnation;
};

/* A mark in the log alone: it is not known yet which incarnation to ask for. */
#define PBFT_INCARNATION_UNKNOWN UINT64_MAX

/* Unsigned. `attempt` tells repeated ones apart. NULL if memory is short. */
struct pbft_message *pbft_recover_create(const struct pbft_domain *domain,
                                         const struct pbft_keyring *keyring,
                                         const struct pbft_recover *recover,
                                         uint64_t attempt);
/* True if `request` is a RECOVER under the key of the replica that it names. */
bool pbft_recover_parse(const struct pbft_keyring *keyring,
                        const struct pbft_request *request,
                        struct pbft_recover *out);
/* It asks for the next incarnation, and its hour is over at `time`. */
bool pbft_recover_is_due(const struct pbft_incarnations *incarnations,
                         const struct pbft_recover *recover, pbft_wall_us time);

/* Applies the RECOVERs of an executed block. True if one took effect. */
bool pbft_incarnations_execute(struct pbft_incarnations *incarnations,
                               const struct pbft_keyring *keyring,
                               const struct pbft_batch *batch, pbft_seq seq,
                               pbft_wall_us time);

/* The checkpoint up to which the older incarnations of the replica may have
 * voted, and above which the new one may: the first multiple of `interval` at
 * or above `since` + `window`. 0 for incarnation 0. */
pbft_seq pbft_incarnation_bound(const struct pbft_incarnation *incarnation,
                                uint32_t window, uint32_t interval);

/* `out` has room for `replica_count` * PBFT_INCARNATION_SIZE bytes. */
void pbft_incarnations_encode(const struct pbft_incarnations *incarnations,
                              uint32_t replica_count, uint8_t *out);
/* False if the size is not that of `replica_count` replicas. */
PBFT_MUST_USE bool
pbft_incarnations_decode(struct pbft_incarnations *incarnations,
                         uint32_t replica_count, struct pbft_bytes bytes);

#endif /* CONSENSUS_INCARNATION_H */
