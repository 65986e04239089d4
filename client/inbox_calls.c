/* SPDX-License-Identifier: Apache-2.0 */
#include "client/inbox_calls.h"

#include <stdlib.h>
#include <string.h>

#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

#define CALL_BYTES_MAX ((size_t)64 * 1024)
#define PARCELS_MAX 64

typedef enum salus_status exchange_call(struct salus_client *client,
                                        struct salus_bytes *out,
                                        const uint8_t *call, size_t size);

static ProtobufCBinaryData borrow(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)data};
}

/* Encodes, calls, decodes into the arena. */
static const void *exchange(exchange_call *call, struct salus_client *client,
                            struct wire_arena *arena,
                            const struct ProtobufCMessage *message,
                            const struct ProtobufCMessageDescriptor *type,
                            enum salus_status *status)
{
    struct wire_buffer buffer;
    struct salus_bytes bytes = {NULL, 0};
    struct ProtobufCMessage *answer = NULL;

    wire_buffer_init(&buffer, CALL_BYTES_MAX);
    *status = SALUS_INVALID_ARGUMENT;
    if (wire_pack(message, &buffer) == PBFT_OK) {
        *status = call(client, &bytes, buffer.data, buffer.size);
    }
    if (*status == SALUS_OK &&
        wire_unpack_strict(type, (struct pbft_bytes){bytes.data, bytes.size},
                           arena, &answer) != PBFT_OK) {
        *status = SALUS_UNPROVED;
    }
    salus_free(&bytes);
    wire_buffer_deinit(&buffer);
    return *status == SALUS_OK ? answer : NULL;
}

const Salus__V1__Deliveries *inbox_call_deliver(struct salus_client *client,
                                                struct wire_arena *arena,
                                                const struct parcel *parcels,
                                                size_t count,
                                                enum salus_status *status)
{
    Salus__V1__DeliverCall call = SALUS__V1__DELIVER_CALL__INIT;
    struct parcel_message messages[PARCELS_MAX];
    Salus__V1__KeyEnvelope *list[PARCELS_MAX];

    *status = SALUS_INVALID_ARGUMENT;
    if (count == 0 || count > PARCELS_MAX) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        parcel_fill(&messages[i], &parcels[i]);
        list[i] = &messages[i].envelope;
    }
    call.envelopes = list;
    call.n_envelopes = count;
    return exchange(salus_deliver, client, arena, &call.base,
                    &salus__v1__deliveries__descriptor, status);
}

const Salus__V1__Inbox *inbox_call_inbox(struct salus_client *client,
                                         struct wire_arena *arena,
                                         const uint8_t *record, uint32_t after,
                                         enum salus_status *status)
{
    Salus__V1__InboxCall call = SALUS__V1__INBOX_CALL__INIT;

    if (record != NULL) {
        call.record = borrow(record, SEAL_RECORD_SIZE);
    }
    call.after = after;
    return exchange(salus_inbox, client, arena, &call.base,
                    &salus__v1__inbox__descriptor, status);
}

const Salus__V1__Deliveries *
inbox_call_taken(struct salus_client *client, struct wire_arena *arena,
                 const uint8_t record[SEAL_RECORD_SIZE], uint32_t version,
                 const uint8_t key_id[WRAP_KEY_ID_SIZE],
                 enum salus_status *status)
{
    Salus__V1__TakenCall call = SALUS__V1__TAKEN_CALL__INIT;
    Salus__V1__EnvelopeName name = SALUS__V1__ENVELOPE_NAME__INIT;
    Salus__V1__EnvelopeName *list[1] = {&name};

    name.record = borrow(record, SEAL_RECORD_SIZE);
    name.version = version;
    name.recipient_key = borrow(key_id, WRAP_KEY_ID_SIZE);
    call.names = list;
    call.n_names = 1;
    return exchange(salus_taken, client, arena, &call.base,
                    &salus__v1__deliveries__descriptor, status);
}

const Salus__V1__Deliveries *inbox_call_sent(struct salus_client *client,
                                             struct wire_arena *arena,
                                             uint32_t after,
                                             enum salus_status *status)
{
    Salus__V1__DeliveriesCall call = SALUS__V1__DELIVERIES_CALL__INIT;

    call.after = after;
    return exchange(salus_deliveries, client, arena, &call.base,
                    &salus__v1__deliveries__descriptor, status);
}

/* ---- the ledger ---------------------------------------------------------- */

/* Not the word of the replica that hands out the envelope: anybody can make one
 * for a public key, and claim a commitment that fits. */
static enum salus_status query_certified(struct salus_client *client,
                                         struct salus_bytes *out,
                                         const uint8_t *call, size_t size)
{
    struct salus_certified certified;
    enum salus_status status = salus_query_certified(
        client, &certified, SALUS_READ_CERTIFIED, call, size);

    if (status != SALUS_OK) {
        return status;
    }
    if (certified.answer_count == 1) {
        *out = certified.answers[0];
        certified.answers[0] = (struct salus_bytes){NULL, 0};
    } else {
        status = SALUS_UNPROVED;
    }
    salus_certified_free(&certified);
    return status;
}

/* Of the head, or of one of the versions before it. */
static const ProtobufCBinaryData *
commit_of_version(const Salus__V1__RecordState *state, uint32_t version)
{
    if (state->version == version) {
        return &state->commit;
    }
    for (size_t i = 0; i < state->n_earlier; i++) {
        if (state->earlier[i]->version == version) {
            return &state->earlier[i]->commit;
        }
    }
    return NULL;
}

static enum salus_status take_commit(struct pbft_digest *out,
                                     const Salus__V1__Answer *answer,
                                     uint32_t version)
{
    if (answer->kind_case != SALUS__V1__ANSWER__KIND_VERIFY_RECORD) {
        return SALUS_NOT_FOUND;
    }
    const ProtobufCBinaryData *commit =
        commit_of_version(answer->verify_record, version);
    if (commit == NULL || commit->len != sizeof out->bytes) {
        return SALUS_NOT_FOUND;
    }
    memcpy(out->bytes, commit->data, sizeof out->bytes);
    return SALUS_OK;
}

enum salus_status inbox_call_commit(struct salus_client *client,
                                    struct pbft_digest *out,
                                    const uint8_t record[SEAL_RECORD_SIZE],
                                    uint32_t version)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__VerifyRecordQuery in = SALUS__V1__VERIFY_RECORD_QUERY__INIT;
    struct wire_arena arena;
    enum salus_status status = SALUS_OK;

    in.record = borrow(record, SEAL_RECORD_SIZE);
    query.kind_case = SALUS__V1__QUERY__KIND_VERIFY_RECORD;
    query.verify_record = &in;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    const Salus__V1__Answer *answer =
        exchange(query_certified, client, &arena, &query.base,
                 &salus__v1__answer__descriptor, &status);
    if (answer != NULL) {
        status = take_commit(out, answer, version);
    }
    wire_arena_deinit(&arena);
    return status;
}
