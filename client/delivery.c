/* SPDX-License-Identifier: Apache-2.0 */
/* Calls about key envelopes: each asks one replica, the own institution's
 * first. */
#include "client/client.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

/* A call that is put together. */
struct work {
    Salus__V1__ClientCall call;
    struct wire_arena arena;
};

/* Reads what the caller has encoded, as a part of the call. After SALUS_OK
 * end() follows. */
static enum salus_status begin(struct work *work, struct salus_client *client,
                               struct salus_bytes *out,
                               const struct ProtobufCMessageDescriptor *type,
                               struct pbft_bytes bytes,
                               struct ProtobufCMessage **part)
{
    *out = (struct salus_bytes){NULL, 0};
    if (!client_enter(client)) {
        return SALUS_CLOSED;
    }
    salus__v1__client_call__init(&work->call);
    wire_arena_init(&work->arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_unpack_strict(type, bytes, &work->arena, part) != PBFT_OK) {
        wire_arena_deinit(&work->arena);
        client_leave(client);
        return SALUS_INVALID_ARGUMENT;
    }
    return SALUS_OK;
}

static void end(struct work *work, struct salus_client *client)
{
    wire_arena_deinit(&work->arena);
    client_leave(client);
}

/* Asks, and hands out what `kind` replies carry. */
static enum salus_status ask(struct salus_client *client,
                             struct salus_bytes *out, struct work *work,
                             Salus__V1__ClientReply__KindCase kind)
{
    const Salus__V1__ClientReply *reply = NULL;
    enum salus_status status = client_exchange(
        client, client->home, &work->call, &work->arena, &reply);
    if (status != SALUS_OK) {
        return status;
    }
    if (reply->kind_case != kind) {
        return SALUS_UNPROVED;
    }
    return client_hand_out(out, kind == SALUS__V1__CLIENT_REPLY__KIND_INBOX
                                    ? &reply->inbox->base
                                    : &reply->deliveries->base);
}

enum salus_status salus_deliver(struct salus_client *client,
                                struct salus_bytes *deliveries,
                                const uint8_t *call, size_t size)
{
    struct work work;
    struct ProtobufCMessage *part = NULL;
    enum salus_status status =
        begin(&work, client, deliveries, &salus__v1__deliver_call__descriptor,
              (struct pbft_bytes){call, size}, &part);

    if (status == SALUS_OK) {
        work.call.kind_case = SALUS__V1__CLIENT_CALL__KIND_DELIVER;
        work.call.deliver = (Salus__V1__DeliverCall *)part;
        status = ask(client, deliveries, &work,
                     SALUS__V1__CLIENT_REPLY__KIND_DELIVERIES);
        end(&work, client);
    }
    return status;
}

enum salus_status salus_inbox(struct salus_client *client,
                              struct salus_bytes *inbox, const uint8_t *call,
                              size_t size)
{
    struct work work;
    struct ProtobufCMessage *part = NULL;
    enum salus_status status =
        begin(&work, client, inbox, &salus__v1__inbox_call__descriptor,
              (struct pbft_bytes){call, size}, &part);

    if (status == SALUS_OK) {
        work.call.kind_case = SALUS__V1__CLIENT_CALL__KIND_INBOX;
        work.call.inbox = (Salus__V1__InboxCall *)part;
        status = ask(client, inbox, &work, SALUS__V1__CLIENT_REPLY__KIND_INBOX);
        end(&work, client);
    }
    return status;
}

enum salus_status salus_taken(struct salus_client *client,
                              struct salus_bytes *deliveries,
                              const uint8_t *call, size_t size)
{
    struct work work;
    struct ProtobufCMessage *part = NULL;
    enum salus_status status =
        begin(&work, client, deliveries, &salus__v1__taken_call__descriptor,
              (struct pbft_bytes){call, size}, &part);

    if (status == SALUS_OK) {
        work.call.kind_case = SALUS__V1__CLIENT_CALL__KIND_TAKEN;
        work.call.taken = (Salus__V1__TakenCall *)part;
        status = ask(client, deliveries, &work,
                     SALUS__V1__CLIENT_REPLY__KIND_DELIVERIES);
        end(&work, client);
    }
    return status;
}

enum salus_status salus_deliveries(struct salus_client *client,
                                   struct salus_bytes *deliveries,
                                   const uint8_t *call, size_t size)
{
    struct work work;
    struct ProtobufCMessage *part = NULL;
    enum salus_status status = begin(&work, client, deliveries,
                                     &salus__v1__deliveries_call__descriptor,
                                     (struct pbft_bytes){call, size}, &part);

    if (status == SALUS_OK) {
        work.call.kind_case = SALUS__V1__CLIENT_CALL__KIND_DELIVERIES;
        work.call.deliveries = (Salus__V1__DeliveriesCall *)part;
        status = ask(client, deliveries, &work,
                     SALUS__V1__CLIENT_REPLY__KIND_DELIVERIES);
        end(&work, client);
    }
    return status;
}
