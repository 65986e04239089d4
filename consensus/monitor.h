/* SPDX-License-Identifier: Apache-2.0 */
/* What a backup measures of its primary (design: P8). Private to the core.
 *
 * An honest primary with room in its pipeline proposes all that it knows: what
 * it was told and leaves lying, while it is neither full nor blocked, is late.
 * Nothing here is compared with what another replica claims; docs/protocol.md
 * has the rule and why a faulty minority cannot abuse it.
 */
#ifndef CONSENSUS_MONITOR_H
#define CONSENSUS_MONITOR_H

#include "consensus/types.h"

/* Verdicts on periods add up: two bad ones of three are enough. */
#define PBFT_SUSPICION_BAD 2u
#define PBFT_SUSPICION_GOOD 1u
#define PBFT_SUSPICION_MAX 3u
/* Each complaint of ours doubles our patience, so often at most: a slow network
 * looks like slow primaries. Good periods that halve it again; with each
 * complaint that is remembered twice as many, so that what is slow for good
 * (disks that stall together, say) deposes honest primaries more and more
 * rarely. */
#define PBFT_MONITOR_DOUBLINGS_MAX 6u
#define PBFT_MONITOR_FORGIVE_AFTER 8u
#define PBFT_MONITOR_COMPLAINTS_MAX 7u

/* Of one institution, in this period. */
struct pbft_service_count {
    struct pbft_institution institution;
    uint32_t seen; /* 0: a free place. */
    uint32_t late;
};

struct pbft_monitor {
    pbft_time_ms busy_at;      /* So far it had reason to let requests wait. */
    pbft_time_ms proposed_at;  /* Its last batch with requests. */
    pbft_time_ms agreement_ms; /* From pre-prepare to commit, the slowest of */
    pbft_time_ms slowest_ms;   /* this period and the last; of this one. */
    uint32_t suspicion;
    uint32_t doublings;
    uint32_t complaints; /* Remembered, beyond the doublings. */
    uint32_t good_periods;
    pbft_seq committed; /* When the period began. */
    struct pbft_replica_set heard;
    pbft_wall_us complained_due; /* An obligation it did not propose for. */
    struct pbft_service_count counts[PBFT_INSTITUTIONS_MAX];
};

struct pbft_replica;
struct pbft_slot;
struct pbft_batch;
struct pbft_message;

/* A batch was accepted: before its requests are taken. */
void pbft_monitor_proposed(struct pbft_replica *replica,
                           const struct pbft_batch *batch);
void pbft_monitor_committed(struct pbft_replica *replica,
                            const struct pbft_slot *slot);
void pbft_monitor_heard(struct pbft_replica *replica, pbft_replica_id from);
/* After each step. */
void pbft_monitor_look(struct pbft_replica *replica);
/* What we pass on now, the primary has to take. */
bool pbft_monitor_may_tell(const struct pbft_replica *replica,
                           const struct pbft_message *request);
void pbft_on_monitor(struct pbft_replica *replica);
void pbft_monitor_new_view(struct pbft_replica *replica);

#endif /* CONSENSUS_MONITOR_H */
