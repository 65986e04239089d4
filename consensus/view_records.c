/* SPDX-License-Identifier: Apache-2.0 */
/* What of views is durable: read back at a start, written again where a log
 * begins anew. */
#include "consensus/replica.h"

static pbft_view view_of(const struct pbft_message *message)
{
    return message == NULL ? 0 : pbft_message_view(message);
}

enum pbft_verdict pbft_restore_view(struct pbft_replica *replica,
                                    const struct pbft_record *record)
{
    const pbft_view view = view_of(record->message);
    const struct pbft_message **place = record->kind == PBFT_RECORD_VIEW_CHANGE
                                            ? &replica->own_view_change
                                            : &replica->new_view;
    if (*place == NULL || view_of(*place) < view) {
        pbft_keep(place, record->message);
    }
    if (view > replica->view) {
        replica->view = view;
    }
    return PBFT_ACCEPTED;
}

/* What a new-view proposes begins above its stable checkpoint; with nothing
 * proposed, the log does not tell that any more. */
static pbft_seq floor_of(const struct pbft_message *new_view)
{
    return new_view->new_view.pre_prepare_count == 0
               ? 0
               : pbft_message_seq(new_view->new_view.pre_prepares[0]) - 1;
}

void pbft_start_view(struct pbft_replica *replica)
{
    const struct pbft_message *own = replica->own_view_change;
    const pbft_view left = view_of(own);
    const pbft_view entered = view_of(replica->new_view);
    PBFT_ASSERT(left <= replica->view && entered <= replica->view);
    /* A vote is only cast in a view that was entered. */
    replica->view_active = left <= entered || left < replica->view;
    replica->changes.has_progress = true;
    if (replica->new_view != NULL && entered == replica->view) {
        replica->view_floor = floor_of(replica->new_view);
    }
    PBFT_ASSERT(replica->view_active || left == replica->view);
    if (!replica->view_active && !pbft_is_void(replica, own)) {
        pbft_keep(&replica->changes.collected[replica->config.self], own);
        replica->changes.collected_count = 1;
    }
}

bool pbft_is_decided(const struct pbft_replica *replica, pbft_seq seq)
{
    const struct pbft_message *ahead = replica->stable_ahead;
    return seq <= replica->view_floor ||
           (ahead != NULL && seq <= pbft_message_seq(ahead));
}

void pbft_log_binding_records(struct pbft_replica *replica)
{
    const struct pbft_message *own = replica->own_view_change;
    if (replica->new_view != NULL) {
        pbft_log_record(replica, PBFT_RECORD_NEW_VIEW, 0, replica->new_view);
    }
    if (own != NULL && view_of(own) >= view_of(replica->new_view)) {
        pbft_log_record(replica, PBFT_RECORD_VIEW_CHANGE, 0, own);
    }
    for (uint32_t i = 0; i < replica->witness.evidence_count; i++) {
        pbft_log_record(replica, PBFT_RECORD_EVIDENCE, 0,
                        replica->witness.evidence[i]);
    }
    if (replica->recovery.mark != NULL) {
        pbft_log_record(replica, PBFT_RECORD_RECOVERING, 0,
                        replica->recovery.mark);
    }
}
