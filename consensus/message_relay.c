/* SPDX-License-Identifier: Apache-2.0 */
/* The same content from another hand: what a replica passes on unsigned comes
 * from its own channel, so it carries its own number. */
#include "consensus/assert.h"
#include "consensus/message.h"
#include "consensus/message_box.h"

static bool is_handed_over(enum pbft_message_type type)
{
    return type == PBFT_MESSAGE_REQUEST || type == PBFT_MESSAGE_BATCH ||
           type == PBFT_MESSAGE_PREPARED || type == PBFT_MESSAGE_COMMITTED ||
           type == PBFT_MESSAGE_STABLE;
}

struct pbft_message *
pbft_message_handed_over(const struct pbft_message *message,
                         pbft_replica_id sender)
{
    PBFT_ASSERT(is_handed_over(message->type));
    struct message_box *box = message_box_create(0);
    if (box == NULL) {
        return NULL;
    }
    box->message = *message;
    box->message.sender = sender;
    box->child = pbft_message_ref(message);
    box->memory += pbft_message_memory(message);
    return &box->message;
}
