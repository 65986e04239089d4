/* SPDX-License-Identifier: Apache-2.0 */
#include "node/courier_calls.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "crypto/secret.h"
#include "node/limits.h"
#include "node/reply.h"
#include "proto/scan.h"

#define REPLY_VERSION 1

/* ---- carrying out -------------------------------------------------------- */

/* Room for what a call may list at most; the work of a list is bounded so. */
static void make_room(struct courier_answer *out)
{
    out->states = calloc(NODE_DELIVERY_LIST_MAX, sizeof *out->states);
    out->items = calloc(NODE_DELIVERY_LIST_MAX, sizeof *out->items);
    PBFT_ASSERT(out->states != NULL && out->items != NULL);
}

static void submit_all(struct delivery *delivery, struct courier_answer *out,
                       const struct pbft_institution *caller,
                       const Salus__V1__DeliverCall *in, pbft_time_ms now)
{
    out->is_malformed =
        in->n_envelopes == 0 || in->n_envelopes > NODE_DELIVERY_LIST_MAX;
    for (size_t i = 0; i < in->n_envelopes && !out->is_malformed; i++) {
        struct envelope_name name = {.version = 0};
        struct envelope_secret secret;
        struct delivery_state *state = &out->states[out->count++];
        if (delivery_take_envelope(&name, &secret, in->envelopes[i])) {
            delivery_submit(delivery, state, caller, &name, &secret, now);
        } else {
            state->name = name;
            state->code = DELIVERY_MALFORMED;
        }
        secret_wipe(&secret, sizeof secret);
    }
}

static void take_all(struct delivery *delivery, struct courier_answer *out,
                     const struct pbft_institution *caller,
                     const Salus__V1__TakenCall *in)
{
    out->is_malformed =
        in->n_names == 0 || in->n_names > NODE_DELIVERY_LIST_MAX;
    for (size_t i = 0; i < in->n_names && !out->is_malformed; i++) {
        struct envelope_name name = {.version = 0};
        struct delivery_state *state = &out->states[out->count++];
        if (delivery_take_name(&name, in->names[i])) {
            delivery_taken(delivery, state, caller, &name);
        } else {
            state->name = name;
            state->code = DELIVERY_MALFORMED;
        }
    }
}

static void list_inbox(struct delivery *delivery, struct courier_answer *out,
                       const struct pbft_institution *caller,
                       const Salus__V1__InboxCall *in)
{
    out->is_inbox = true;
    out->is_malformed =
        in->record.len != 0 && in->record.len != ENVELOPE_ID_SIZE;
    if (!out->is_malformed) {
        out->count = delivery_inbox(
            delivery, out->items, NODE_DELIVERY_LIST_MAX, &out->next, caller,
            in->record.len != 0 ? in->record.data : NULL, in->after);
    }
}

void courier_call(struct delivery *delivery, struct courier_answer *out,
                  struct wire_arena *arena,
                  const struct pbft_institution *caller, struct pbft_bytes call,
                  pbft_time_ms now)
{
    struct ProtobufCMessage *message = NULL;
    *out = (struct courier_answer){.count = 0};
    wire_arena_reset(arena);
    make_room(out);
    if (wire_unpack_strict(&salus__v1__client_call__descriptor, call, arena,
                           &message) != PBFT_OK) {
        out->is_malformed = true;
        return;
    }
    const Salus__V1__ClientCall *in =
        (const Salus__V1__ClientCall *)(void *)message;
    switch (in->kind_case) {
    case SALUS__V1__CLIENT_CALL__KIND_DELIVER:
        submit_all(delivery, out, caller, in->deliver, now);
        break;
    case SALUS__V1__CLIENT_CALL__KIND_TAKEN:
        take_all(delivery, out, caller, in->taken);
        break;
    case SALUS__V1__CLIENT_CALL__KIND_INBOX:
        list_inbox(delivery, out, caller, in->inbox);
        break;
    case SALUS__V1__CLIENT_CALL__KIND_DELIVERIES:
        out->count =
            delivery_sent(delivery, out->states, NODE_DELIVERY_LIST_MAX,
                          &out->next, caller, in->deliveries->after);
        break;
    default:
        out->is_malformed = true;
        break;
    }
}

void courier_answer_failed(struct courier_answer *answer)
{
    for (size_t i = 0; i < answer->count && !answer->is_inbox; i++) {
        answer->states[i] = (struct delivery_state){
            .name = answer->states[i].name, .code = DELIVERY_STORE};
    }
}

void courier_answer_free(struct courier_answer *answer)
{
    if (answer->items != NULL) {
        secret_wipe(answer->items,
                    NODE_DELIVERY_LIST_MAX * sizeof *answer->items);
    }
    free(answer->items);
    free(answer->states);
    *answer = (struct courier_answer){.count = 0};
}

/* ---- answering ----------------------------------------------------------- */

static ProtobufCBinaryData borrow(const void *bytes, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)bytes};
}

static void *room(struct wire_arena *arena, size_t count, size_t size)
{
    void *memory = wire_arena_alloc(arena, count * size + 1);
    PBFT_ASSERT(memory != NULL);
    return memory;
}

static Salus__V1__DeliveryState *fill_state(struct wire_arena *arena,
                                            const struct delivery_state *from)
{
    Salus__V1__DeliveryState *to = room(arena, 1, sizeof *to);
    const struct envelope_head *head = &from->head;
    salus__v1__delivery_state__init(to);
    to->name = room(arena, 1, sizeof *to->name);
    delivery_fill_name(to->name, &from->name);
    to->code = (Salus__V1__DeliveryCode)from->code;
    to->state = (Salus__V1__DeliveryState__State)head->state;
    to->attempts = from->attempts;
    if (head->state != ENVELOPE_FREE) {
        to->recipient =
            borrow(head->recipient.bytes, sizeof head->recipient.bytes);
        to->since_us = head->since;
    }
    if (head->state == ENVELOPE_DELIVERED) {
        to->receipt = room(arena, 1, sizeof *to->receipt);
        delivery_fill_receipt(to->receipt, room(arena, 1, sizeof *to->name),
                              head);
    }
    return to;
}

static Salus__V1__InboxItem *fill_item(struct wire_arena *arena,
                                       const struct delivery_item *from)
{
    Salus__V1__InboxItem *to = room(arena, 1, sizeof *to);
    salus__v1__inbox_item__init(to);
    to->envelope = room(arena, 1, sizeof *to->envelope);
    delivery_fill_envelope(to->envelope,
                           room(arena, 1, sizeof(Salus__V1__EnvelopeName)),
                           &from->head.name, &from->secret);
    to->custodian =
        borrow(from->head.custodian.bytes, sizeof from->head.custodian.bytes);
    to->since_us = from->head.since;
    return to;
}

static enum pbft_status encode_inbox(struct wire_buffer *out,
                                     struct wire_arena *arena,
                                     Salus__V1__ClientReply *reply,
                                     const struct courier_answer *answer)
{
    Salus__V1__Inbox inbox = SALUS__V1__INBOX__INIT;
    inbox.items = room(arena, answer->count, sizeof *inbox.items);
    for (size_t i = 0; i < answer->count; i++) {
        inbox.items[inbox.n_items++] = fill_item(arena, &answer->items[i]);
    }
    inbox.next = answer->next;
    reply->kind_case = SALUS__V1__CLIENT_REPLY__KIND_INBOX;
    reply->inbox = &inbox;
    return wire_pack(&reply->base, out);
}

static enum pbft_status encode_states(struct wire_buffer *out,
                                      struct wire_arena *arena,
                                      Salus__V1__ClientReply *reply,
                                      const struct courier_answer *answer)
{
    Salus__V1__Deliveries list = SALUS__V1__DELIVERIES__INIT;
    list.states = room(arena, answer->count, sizeof *list.states);
    for (size_t i = 0; i < answer->count; i++) {
        list.states[list.n_states++] = fill_state(arena, &answer->states[i]);
    }
    list.next = answer->next;
    reply->kind_case = SALUS__V1__CLIENT_REPLY__KIND_DELIVERIES;
    reply->deliveries = &list;
    return wire_pack(&reply->base, out);
}

enum pbft_status courier_answer_encode(struct wire_buffer *out,
                                       struct wire_arena *arena,
                                       const struct courier_answer *answer)
{
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    wire_arena_reset(arena);
    if (answer->is_malformed) {
        return reply_refusal(out, REPLY_MALFORMED, 0);
    }
    reply.version = REPLY_VERSION;
    return answer->is_inbox ? encode_inbox(out, arena, &reply, answer)
                            : encode_states(out, arena, &reply, answer);
}
