/* SPDX-License-Identifier: Apache-2.0 */
/* Batches whose headers came without them (design: P16). */
#include "consensus/mark.h"
#include "consensus/replica.h"

void pbft_fetch_body(struct pbft_replica *replica, const struct pbft_slot *slot)
{
    PBFT_ASSERT(slot->header != NULL && !pbft_slot_has_body(slot));
    const struct pbft_fetch fetch = {.kind = PBFT_FETCH_BODY,
                                     .seq = slot->seq,
                                     .digest =
                                         slot->header->pre_prepare.digest};
    pbft_mark(PBFT_MARK_BODIES_FETCHED);
    pbft_send_fetch(replica, replica->body_peer, &fetch);
}

void pbft_fetch_bodies(struct pbft_replica *replica)
{
    const pbft_seq high = pbft_slot_log_high(&replica->log);
    uint32_t left = replica->missing_bodies;
    if (left == 0 || replica->n == 1) {
        return;
    }
    for (pbft_seq seq = replica->log.low + 1; left > 0 && seq <= high; seq++) {
        const struct pbft_slot *slot = pbft_slot_log_at(&replica->log, seq);
        if (slot->header != NULL && !pbft_slot_has_body(slot)) {
            pbft_fetch_body(replica, slot);
            left--;
        }
    }
    PBFT_ASSERT(left == 0);
}
