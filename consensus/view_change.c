/* SPDX-License-Identifier: Apache-2.0 */
/* Which view a replica is in (OSDI'99 4.4). */
#include "consensus/replica.h"

enum pbft_verdict pbft_restore_view(struct pbft_replica *replica,
                                    const struct pbft_record *record)
{
    const pbft_view view = pbft_message_view(record->message);
    const struct pbft_message **place = record->kind == PBFT_RECORD_VIEW_CHANGE
                                            ? &replica->own_view_change
                                            : &replica->new_view;
    if (*place == NULL || pbft_message_view(*place) < view) {
        pbft_keep(place, record->message);
    }
    if (view > replica->view) {
        replica->view = view;
    }
    return PBFT_ACCEPTED;
}

static pbft_view view_of(const struct pbft_message *message)
{
    return message == NULL ? 0 : pbft_message_view(message);
}

void pbft_start_view(struct pbft_replica *replica)
{
    const pbft_view left = view_of(replica->own_view_change);
    const pbft_view entered = view_of(replica->new_view);
    PBFT_ASSERT(left <= replica->view && entered <= replica->view);
    /* A vote was only cast in a view that was entered. */
    replica->view_active = left <= entered || left < replica->view;
}

void pbft_log_binding_records(struct pbft_replica *replica)
{
    if (replica->new_view != NULL) {
        pbft_log_record(replica, PBFT_RECORD_NEW_VIEW, 0, replica->new_view);
    }
    if (view_of(replica->own_view_change) > view_of(replica->new_view)) {
        pbft_log_record(replica, PBFT_RECORD_VIEW_CHANGE, 0,
                        replica->own_view_change);
    }
}
