/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that change nothing: queries, status, lookups. */
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/outcome.h"
#include "proto/codec.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"
#include "salus/v1/files.pb-c.h"

#define CALL_VERSION 1
#define RECEIPT_VERSION 1
#define CONNECT_RETRY_US 20000

void client_plain_ended(struct salus_client *client, struct plain_call *call,
                        enum pbft_status status, struct pbft_buffer *reply)
{
    (void)pthread_mutex_lock(&client->lock);
    call->ended = true;
    call->status = status;
    call->reply = reply;
    (void)pthread_cond_broadcast(&client->changed);
    if (call->fan != NULL) {
        fan_out_ended(call);
    }
    (void)pthread_mutex_unlock(&client->lock);
}

/* Waits a little for a connection that is being made. Lock held. */
static void pause_for_connection(struct salus_client *client)
{
    uint64_t until_us = client_now_us() + CONNECT_RETRY_US;
    const struct timespec until = {(time_t)(until_us / 1000000),
                                   (long)(until_us % 1000000) * 1000};

    (void)pthread_cond_timedwait(&client->changed, &client->lock, &until);
}

/* Sends once and waits. UNREACHABLE: it could not be sent. */
static enum pbft_status call_once(struct salus_client *client, uint32_t replica,
                                  struct pbft_bytes bytes,
                                  pbft_time_ms deadline,
                                  struct pbft_buffer **reply)
{
    struct plain_call call = {0};
    struct attempt *attempt = calloc(1, sizeof(*attempt));
    struct net_channel *channel = NULL;

    if (attempt == NULL) {
        return PBFT_NO_MEMORY;
    }
    *attempt =
        (struct attempt){.client = client, .plain = &call, .replica = replica};
    channel = client_channel_take(client, replica);
    enum pbft_status status = PBFT_UNREACHABLE;
    if (channel != NULL) {
        status = net_channel_call(channel, (uintptr_t)attempt, bytes, deadline);
        client_channel_give_back(client);
    }
    if (status != PBFT_OK) {
        free(attempt);
        return status;
    }
    (void)pthread_mutex_lock(&client->lock);
    while (!call.ended) { /* The ticker ends it at its deadline. */
        (void)pthread_cond_wait(&client->changed, &client->lock);
    }
    (void)pthread_mutex_unlock(&client->lock);
    *reply = call.reply;
    return call.status;
}

/* The same, waiting for the connection first; for an attempt, and not after
 * `until`. */
static enum pbft_status call_replica(struct salus_client *client,
                                     uint32_t replica, struct pbft_bytes bytes,
                                     pbft_time_ms until,
                                     struct pbft_buffer **reply)
{
    pbft_time_ms deadline = client_now_ms() + client->config.attempt_timeout_ms;
    enum pbft_status status = PBFT_CLOSED;

    deadline = deadline < until ? deadline : until;
    (void)pthread_mutex_lock(&client->lock);
    while (!client->closing) {
        (void)pthread_mutex_unlock(&client->lock);
        status = call_once(client, replica, bytes, deadline, reply);
        (void)pthread_mutex_lock(&client->lock);
        if (status != PBFT_UNREACHABLE || client_now_ms() >= deadline) {
            break;
        }
        pause_for_connection(client);
    }
    (void)pthread_mutex_unlock(&client->lock);
    return status;
}

static enum salus_status status_of(enum pbft_status status)
{
    switch (status) {
    case PBFT_OK:
        return SALUS_OK;
    case PBFT_TIMED_OUT:
        return SALUS_TIMED_OUT;
    case PBFT_CLOSED:
        return SALUS_CLOSED;
    case PBFT_NO_MEMORY:
        return SALUS_NO_MEMORY;
    case PBFT_NOT_FOUND:
        return SALUS_NOT_FOUND;
    case PBFT_UNREACHABLE:
        return SALUS_UNREACHABLE;
    default:
        return SALUS_UNPROVED;
    }
}

enum salus_status client_status_of_refusal(const Salus__V1__Refusal *refusal)
{
    switch (refusal->code) {
    case SALUS__V1__REFUSAL__CODE__NOT_FOUND:
        return SALUS_NOT_FOUND;
    case SALUS__V1__REFUSAL__CODE__NOT_AUTHORIZED:
        return SALUS_NOT_AUTHORIZED;
    case SALUS__V1__REFUSAL__CODE__MALFORMED:
        return SALUS_INVALID_ARGUMENT;
    case SALUS__V1__REFUSAL__CODE__BUSY:
        return SALUS_LIMIT;
    case SALUS__V1__REFUSAL__CODE__TIMED_OUT:
        return SALUS_TIMED_OUT;
    case SALUS__V1__REFUSAL__CODE__SYNCING:
    case SALUS__V1__REFUSAL__CODE__STOPPING:
        return SALUS_UNREACHABLE; /* For what was asked. */
    default:
        return SALUS_INADMISSIBLE;
    }
}

static enum salus_status exchange(struct salus_client *client, uint32_t replica,
                                  Salus__V1__ClientCall *call,
                                  pbft_time_ms until, struct wire_arena *arena,
                                  const Salus__V1__ClientReply **out)
{
    struct ProtobufCMessage *decoded = NULL;
    struct pbft_buffer *reply = NULL;
    struct wire_buffer buffer;

    call->version = CALL_VERSION;
    call->cluster = (ProtobufCBinaryData){
        WIRE_CLUSTER_PREFIX_SIZE, (uint8_t *)client->domain.cluster.bytes};
    wire_buffer_init(&buffer, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = wire_pack(&call->base, &buffer);
    if (status == PBFT_OK) {
        status = call_replica(client, replica, wire_buffer_bytes(&buffer),
                              until, &reply);
    }
    wire_buffer_deinit(&buffer);
    if (status == PBFT_OK) {
        status = wire_unpack_strict(&salus__v1__client_reply__descriptor,
                                    pbft_buffer_bytes(reply), arena, &decoded);
        pbft_buffer_unref(reply);
    }
    if (status != PBFT_OK) {
        return status_of(status);
    }
    *out = (const Salus__V1__ClientReply *)decoded;
    return (*out)->kind_case == SALUS__V1__CLIENT_REPLY__KIND_REFUSAL
               ? client_status_of_refusal((*out)->refusal)
               : SALUS_OK;
}

static pbft_time_ms whole_call(const struct salus_client *client)
{
    return client_now_ms() + client->config.timeout_ms;
}

enum salus_status client_exchange(struct salus_client *client, uint32_t replica,
                                  Salus__V1__ClientCall *call,
                                  struct wire_arena *arena,
                                  const Salus__V1__ClientReply **out)
{
    return exchange(client, replica, call, whole_call(client), arena, out);
}

enum salus_status client_hand_out(struct salus_bytes *out,
                                  const ProtobufCMessage *message)
{
    struct wire_buffer buffer;

    wire_buffer_init(&buffer, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = wire_pack(message, &buffer);
    if (status == PBFT_OK) {
        out->data = wire_buffer_take(&buffer, &out->size);
    }
    wire_buffer_deinit(&buffer);
    return status_of(status);
}

enum salus_status salus_query_local(struct salus_client *client,
                                    struct salus_bytes *answer,
                                    const uint8_t *query, size_t query_size)
{
    Salus__V1__ClientCall call = SALUS__V1__CLIENT_CALL__INIT;
    Salus__V1__QueryCall inner = SALUS__V1__QUERY_CALL__INIT;
    const Salus__V1__ClientReply *reply = NULL;
    struct ProtobufCMessage *decoded = NULL;
    struct wire_arena arena;
    enum salus_status status = SALUS_INVALID_ARGUMENT;

    *answer = (struct salus_bytes){NULL, 0};
    if (!client_enter(client)) {
        return SALUS_CLOSED;
    }
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_unpack_strict(&salus__v1__query__descriptor,
                           (struct pbft_bytes){query, query_size}, &arena,
                           &decoded) == PBFT_OK) {
        inner.query = (Salus__V1__Query *)decoded;
        call.kind_case = SALUS__V1__CLIENT_CALL__KIND_QUERY;
        call.query = &inner;
        status = client_exchange(client, client->home, &call, &arena, &reply);
    }
    if (status == SALUS_OK) {
        status = reply->kind_case == SALUS__V1__CLIENT_REPLY__KIND_ANSWER
                     ? client_hand_out(answer, &reply->answer->base)
                     : SALUS_UNPROVED;
    }
    wire_arena_deinit(&arena);
    client_leave(client);
    return status;
}

/* Asks one replica, whoever it is, for what `kind` replies carry. */
static enum salus_status ask_one(struct salus_client *client, uint32_t replica,
                                 Salus__V1__ClientCall *call,
                                 Salus__V1__ClientReply__KindCase kind,
                                 struct salus_bytes *out)
{
    const Salus__V1__ClientReply *reply = NULL;
    struct wire_arena arena;

    *out = (struct salus_bytes){NULL, 0};
    if (replica >= client->replica_count) {
        return SALUS_INVALID_ARGUMENT;
    }
    if (!client_enter(client)) {
        return SALUS_CLOSED;
    }
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    enum salus_status status =
        client_exchange(client, replica, call, &arena, &reply);
    if (status == SALUS_OK && reply->kind_case != kind) {
        status = SALUS_UNPROVED;
    }
    if (status == SALUS_OK) {
        status =
            client_hand_out(out, kind == SALUS__V1__CLIENT_REPLY__KIND_STATUS
                                     ? &reply->status->base
                                     : &reply->evidence->base);
    }
    wire_arena_deinit(&arena);
    client_leave(client);
    return status;
}

enum salus_status salus_replica_status(struct salus_client *client,
                                       struct salus_bytes *status_bytes,
                                       uint32_t replica)
{
    Salus__V1__ClientCall call = SALUS__V1__CLIENT_CALL__INIT;
    Salus__V1__StatusCall inner = SALUS__V1__STATUS_CALL__INIT;
    call.kind_case = SALUS__V1__CLIENT_CALL__KIND_STATUS;
    call.status = &inner;
    return ask_one(client, replica, &call, SALUS__V1__CLIENT_REPLY__KIND_STATUS,
                   status_bytes);
}

enum salus_status salus_replica_evidence(struct salus_client *client,
                                         struct salus_bytes *evidence,
                                         uint32_t replica)
{
    Salus__V1__ClientCall call = SALUS__V1__CLIENT_CALL__INIT;
    Salus__V1__EvidenceCall inner = SALUS__V1__EVIDENCE_CALL__INIT;
    call.kind_case = SALUS__V1__CLIENT_CALL__KIND_EVIDENCE;
    call.evidence = &inner;
    return ask_one(client, replica, &call,
                   SALUS__V1__CLIENT_REPLY__KIND_EVIDENCE, evidence);
}

/* The index of the transaction in a proved outcome. */
static bool find_transaction(const struct outcome *outcome,
                             const uint8_t tx_id[SALUS_DIGEST_SIZE],
                             uint32_t *index)
{
    for (uint32_t i = 0; i < outcome->transaction_count; i++) {
        if (memcmp(outcome->transactions[i].tx_id.bytes, tx_id,
                   SALUS_DIGEST_SIZE) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* Verifies what the replica sent and makes a receipt of it. */
static enum salus_status make_receipt(struct salus_client *client,
                                      struct salus_bytes *out,
                                      Salus__V1__Outcome *encoded,
                                      const uint8_t tx_id[SALUS_DIGEST_SIZE])
{
    Salus__V1__Receipt receipt = SALUS__V1__RECEIPT__INIT;
    const struct pbft_message *request = NULL;
    struct outcome outcome = {0};
    struct wire_buffer buffer;
    enum salus_status result = SALUS_UNPROVED;

    if (encoded->request == NULL) {
        return SALUS_UNPROVED;
    }
    wire_buffer_init(&buffer, WIRE_FRAME_BYTES_MAX);
    if (wire_pack(&encoded->request->base, &buffer) == PBFT_OK &&
        wire_request_decode(&client->domain, wire_buffer_bytes(&buffer),
                            PBFT_SENDER_CLIENT, &request) == PBFT_OK &&
        pbft_verify(&client->verifier, PBFT_SENDER_CLIENT, request) ==
            PBFT_OK &&
        outcome_verify(&client->verifier, &request->request.digest, encoded,
                       &outcome, NULL) == PBFT_OK &&
        find_transaction(&outcome, tx_id, &receipt.index)) {
        receipt.version = RECEIPT_VERSION;
        receipt.cluster = (ProtobufCBinaryData){
            PBFT_DIGEST_SIZE, (uint8_t *)client->domain.cluster.bytes};
        receipt.request = encoded->request;
        encoded->request = NULL;
        receipt.outcome = encoded;
        result = client_hand_out(out, &receipt.base);
        (void)pthread_mutex_lock(&client->lock);
        client_saw(client, outcome.block.seq);
        (void)pthread_mutex_unlock(&client->lock);
    }
    free(outcome.transactions);
    pbft_message_unref(request);
    wire_buffer_deinit(&buffer);
    return result;
}

enum salus_status salus_receipt(struct salus_client *client,
                                struct salus_bytes *receipt,
                                const uint8_t tx_id[SALUS_DIGEST_SIZE])
{
    Salus__V1__ClientCall call = SALUS__V1__CLIENT_CALL__INIT;
    Salus__V1__Lookup inner = SALUS__V1__LOOKUP__INIT;
    enum salus_status status = SALUS_UNREACHABLE;

    *receipt = (struct salus_bytes){NULL, 0};
    if (!client_enter(client)) {
        return SALUS_CLOSED;
    }
    inner.tx_id = (ProtobufCBinaryData){SALUS_DIGEST_SIZE, (uint8_t *)tx_id};
    call.kind_case = SALUS__V1__CLIENT_CALL__KIND_LOOKUP;
    call.lookup = &inner;
    const pbft_time_ms until = whole_call(client);
    for (uint32_t i = 0;
         i < client->replica_count && (i == 0 || client_now_ms() < until);
         i++) {
        const Salus__V1__ClientReply *reply = NULL;
        struct wire_arena arena;
        wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
        status = exchange(client, (client->home + i) % client->replica_count,
                          &call, until, &arena, &reply);
        if (status == SALUS_OK) {
            status = reply->kind_case == SALUS__V1__CLIENT_REPLY__KIND_OUTCOME
                         ? make_receipt(client, receipt, reply->outcome, tx_id)
                         : SALUS_UNPROVED;
        }
        wire_arena_deinit(&arena);
        if (status == SALUS_OK || status == SALUS_CLOSED) {
            break;
        }
    }
    client_leave(client);
    return status;
}

void salus_free(struct salus_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct salus_bytes){NULL, 0};
}
