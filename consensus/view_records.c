/* SPDX-License-Identifier: Apache-2.0 */
/* What of views is durable: read back at a start, written again where a log
 * begins anew. */
#include "consensus/replica.h"

static pbft_view view_of(const struct pbft_message *message)
{
    return message == NULL ? 0 : pbft_message_view(message);
}

/* The checkpoint that the view begins above: it follows from the first header,
 * if there is one. Logs of earlier versions say no more than that. */
static pbft_seq floor_of(const struct pbft_record *record)
{
    const struct pbft_new_view *fields = &record->message->new_view;
    const pbft_seq first = fields->pre_prepare_count == 0
                               ? 0
                               : pbft_message_seq(fields->pre_prepares[0]) - 1;
    return record->seq > first ? record->seq : first;
}

enum pbft_verdict pbft_restore_view(struct pbft_replica *replica,
                                    const struct pbft_record *record)
{
    const pbft_view view = view_of(record->message);
    const struct pbft_message **place = record->kind == PBFT_RECORD_VIEW_CHANGE
                                            ? &replica->own_view_change
                                            : &replica->new_view;
    /* Of two view-changes for one view the later is of a later incarnation: the
     * other one is void. */
    if (*place == NULL || view_of(*place) <= view) {
        pbft_keep(place, record->message);
        if (record->kind == PBFT_RECORD_NEW_VIEW) {
            replica->view_floor = floor_of(record);
        }
    }
    if (view > replica->view) {
        replica->view = view;
    }
    return PBFT_ACCEPTED;
}

void pbft_start_view(struct pbft_replica *replica)
{
    const struct pbft_message *own = replica->own_view_change;
    const pbft_view left = view_of(own);
    const pbft_view entered = view_of(replica->new_view);
    PBFT_ASSERT(left <= replica->view && entered <= replica->view);
    /* A vote is only cast in a view that was entered. */
    replica->view_active = left <= entered || left < replica->view;
    replica->changes.has_lasted = true;
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
        pbft_log_record(replica, PBFT_RECORD_NEW_VIEW, replica->view_floor,
                        replica->new_view);
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
