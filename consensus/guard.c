/* SPDX-License-Identifier: Apache-2.0 */
/* What a backup guards with the request timer (OSDI'99 4.4; design: P7): the
 * requests that it knows, the proposals that it has accepted, and the null
 * batches that a recovering replica waits for (design: P14). */
#include "consensus/replica.h"

/* The null batch asks for nothing; one that is not here yet may. */
static bool is_of_somebody(const struct pbft_replica *replica,
                           const struct pbft_slot *slot)
{
    return pbft_slot_has_body(slot)
               ? slot->body->batch.request_count > 0
               : !pbft_digest_equal(&slot->header->pre_prepare.digest,
                                    &replica->null_batch->batch.digest);
}

/* The first batch that was accepted in this view and is not committed; NULL if
 * there is none. What others have executed already is not looked at: we get it
 * from them, and the primary is not to blame. */
static const struct pbft_slot *first_open(const struct pbft_replica *replica)
{
    const pbft_seq done = replica->behind > replica->committed
                              ? replica->behind
                              : replica->committed;
    const struct pbft_slot *slot = NULL;
    for (pbft_seq seq = done; seq < replica->highest_seq; seq++) {
        slot = pbft_slot_log_at(&replica->log, seq + 1);
        if (slot == NULL ||
            (slot->header != NULL && is_of_somebody(replica, slot))) {
            return slot;
        }
    }
    return NULL;
}

/* A request may be known from its pre-prepare alone. No place in the queue is
 * needed to guard that: it stands in its slot, and is forgotten with it. */
static pbft_time_ms proposal_deadline(const struct pbft_replica *replica)
{
    const struct pbft_slot *slot = first_open(replica);
    if (slot == NULL) {
        return PBFT_TIME_NEVER;
    }
    return pbft_time_after(slot->accepted_at > replica->progress_at
                               ? slot->accepted_at
                               : replica->progress_at,
                           replica->requests.timeout_ms);
}

static pbft_time_ms deadline_beside_requests(struct pbft_replica *replica)
{
    const pbft_time_ms owed = pbft_owed_deadline(replica);
    const pbft_time_ms proposal = proposal_deadline(replica);
    return owed < proposal ? owed : proposal;
}

enum pbft_verdict pbft_on_request_timeout(struct pbft_replica *replica,
                                          bool is_forced)
{
    const pbft_time_ms other = deadline_beside_requests(replica);
    if ((replica->requests.count == 0 && other == PBFT_TIME_NEVER) ||
        (!is_forced && other > replica->now &&
         pbft_requests_deadline(&replica->requests) > replica->now)) {
        return PBFT_UNEXPECTED; /* It was a lower bound. */
    }
    return pbft_complain(replica);
}

void pbft_arm_request_timer(struct pbft_replica *replica)
{
    pbft_time_ms deadline = deadline_beside_requests(replica);
    if (replica->requests.count > 0 && replica->requests.earliest < deadline) {
        deadline = replica->requests.earliest;
    }
    /* OSDI'99 4.4: backups guard requests; the primary is who they guard
     * against. */
    pbft_timers_set(&replica->timers, PBFT_TIMER_REQUEST,
                    replica->view_active && replica->may_vote &&
                            !pbft_is_primary(replica)
                        ? deadline
                        : PBFT_TIME_NEVER);
}
