/* SPDX-License-Identifier: Apache-2.0 */
/* Batches whose headers came without them (design: P16).
 *
 * A new view may propose again what was prepared in any earlier one (OSDI'99
 * 4.4), and the certificate may be in the hands of liars alone. Behind it stand
 * the prepares of f + 1 honest replicas at least, each of which has the batch
 * in its log until the seq is stable: they read it back, and the others fetch
 * it from them.
 */
#include "consensus/mark.h"
#include "consensus/replica.h"

void pbft_fetch_body(struct pbft_replica *replica, const struct pbft_slot *slot)
{
    PBFT_ASSERT(slot->header != NULL && !pbft_slot_has_body(slot));
    const struct pbft_digest digest = slot->header->pre_prepare.digest;
    const struct pbft_fetch fetch = {
        .kind = PBFT_FETCH_BODY, .seq = slot->seq, .digest = digest};
    if (slot->has_older_bodies) {
        const struct pbft_body_read read = {slot->seq, digest};
        pbft_mark(PBFT_MARK_BODY_READ);
        pbft_output_read(&replica->output, &read);
    }
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
