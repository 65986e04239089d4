/* SPDX-License-Identifier: Apache-2.0 */
/* Life and questions of messages: one allocation each, counted references. */
#include "consensus/message.h"

#include <stdlib.h>

#include "consensus/assert.h"
#include "consensus/message_box.h"

struct message_box *message_box_create(size_t tail)
{
    struct message_box *box = calloc(1, sizeof *box + tail);
    if (box != NULL) {
        atomic_init(&box->references, 1);
        box->memory = sizeof *box + tail;
    }
    return box;
}

static struct message_box *box_of(const struct pbft_message *message)
{
    /* Every message lives in a box; the count is not part of its value. */
    return (struct message_box *)((uintptr_t)message -
                                  offsetof(struct message_box, message));
}

size_t pbft_message_memory(const struct pbft_message *message)
{
    return box_of(message)->memory;
}

const struct pbft_message *pbft_message_ref(const struct pbft_message *message)
{
    unsigned before = atomic_fetch_add_explicit(&box_of(message)->references, 1,
                                                memory_order_relaxed);
    PBFT_ASSERT(before > 0);
    return message;
}

/* Messages nest four deep at most: view-change, prepared, pre-prepare, batch,
 * request; so the mutual calls end. */
static void unref_nested(const struct message_box *box)
{
    for (uint32_t i = 0; i < box->child_count; i++) {
        pbft_message_unref(box->children[i]);
    }
    pbft_message_unref(box->child);
    pbft_buffer_unref(box->backing);
}

void pbft_message_unref(const struct pbft_message *message)
{
    if (message == NULL) {
        return;
    }
    struct message_box *box = box_of(message);
    unsigned before =
        atomic_fetch_sub_explicit(&box->references, 1, memory_order_acq_rel);
    PBFT_ASSERT(before > 0);
    if (before == 1) {
        unref_nested(box);
        free(box);
    }
}

const char *pbft_message_type_name(enum pbft_message_type type)
{
    switch (type) {
    case PBFT_MESSAGE_REQUEST:
        return "request";
    case PBFT_MESSAGE_PRE_PREPARE:
        return "pre-prepare";
    case PBFT_MESSAGE_PREPARE:
        return "prepare";
    case PBFT_MESSAGE_COMMIT:
        return "commit";
    case PBFT_MESSAGE_ATTESTATION:
        return "attestation";
    case PBFT_MESSAGE_VIEW_CHANGE:
        return "view-change";
    case PBFT_MESSAGE_NEW_VIEW:
        return "new-view";
    case PBFT_MESSAGE_STATUS:
        return "status";
    case PBFT_MESSAGE_FETCH:
        return "fetch";
    case PBFT_MESSAGE_BATCH:
        return "batch";
    case PBFT_MESSAGE_PREPARED:
        return "prepared";
    case PBFT_MESSAGE_COMMITTED:
        return "committed";
    case PBFT_MESSAGE_STABLE:
        return "stable";
    case PBFT_MESSAGE_EVIDENCE:
        return "evidence";
    }
    return "unknown";
}

pbft_view pbft_message_view(const struct pbft_message *message)
{
    switch (message->type) {
    case PBFT_MESSAGE_PRE_PREPARE:
        return message->pre_prepare.view;
    case PBFT_MESSAGE_PREPARE:
        return message->prepare.view;
    case PBFT_MESSAGE_COMMIT:
        return message->commit.view;
    case PBFT_MESSAGE_VIEW_CHANGE:
        return message->view_change.view;
    case PBFT_MESSAGE_NEW_VIEW:
        return message->new_view.view;
    case PBFT_MESSAGE_STATUS:
        return message->status.view;
    case PBFT_MESSAGE_FETCH:
        return message->fetch.kind == PBFT_FETCH_NEW_VIEW ? message->fetch.seq
                                                          : 0;
    case PBFT_MESSAGE_PREPARED:
        return message->prepared.pre_prepare->pre_prepare.view;
    case PBFT_MESSAGE_COMMITTED:
        return message->committed.pre_prepare->pre_prepare.view;
    case PBFT_MESSAGE_REQUEST:
    case PBFT_MESSAGE_ATTESTATION:
    case PBFT_MESSAGE_BATCH:
    case PBFT_MESSAGE_STABLE:
    case PBFT_MESSAGE_EVIDENCE:
        return 0;
    }
    return 0;
}

pbft_seq pbft_message_seq(const struct pbft_message *message)
{
    switch (message->type) {
    case PBFT_MESSAGE_PRE_PREPARE:
        return message->pre_prepare.seq;
    case PBFT_MESSAGE_PREPARE:
        return message->prepare.seq;
    case PBFT_MESSAGE_COMMIT:
        return message->commit.seq;
    case PBFT_MESSAGE_ATTESTATION:
        return message->attestation.seq;
    case PBFT_MESSAGE_STABLE:
        return message->stable.attestation.seq;
    case PBFT_MESSAGE_FETCH:
        return message->fetch.kind == PBFT_FETCH_NEW_VIEW ? 0
                                                          : message->fetch.seq;
    case PBFT_MESSAGE_PREPARED:
        return message->prepared.pre_prepare->pre_prepare.seq;
    case PBFT_MESSAGE_COMMITTED:
        return message->committed.pre_prepare->pre_prepare.seq;
    case PBFT_MESSAGE_REQUEST:
    case PBFT_MESSAGE_VIEW_CHANGE:
    case PBFT_MESSAGE_NEW_VIEW:
    case PBFT_MESSAGE_STATUS:
    case PBFT_MESSAGE_BATCH:
    case PBFT_MESSAGE_EVIDENCE:
        return 0;
    }
    return 0;
}
