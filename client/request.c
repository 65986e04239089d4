/* SPDX-License-Identifier: Apache-2.0 */
/* Submissions become signed requests: one signature for all that was submitted
 * at about the same time; a lone submission goes at once. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "consensus/preimage.h"
#include "proto/scan.h"
#include "proto/varint.h"
#include "salus/v1/client.pb-c.h"

#define CALL_VERSION 1

static_assert(SALUS_REQUEST_BYTES_MAX == PBFT_REQUEST_BYTES_MAX &&
                  LEDGER_TRANSACTION_MAX < 1u << 21, /* A length of 3 bytes. */
              "what is said of requests is so");

void client_submission_destroy(struct submission *submission)
{
    for (size_t i = 0; submission->sealed != NULL && i < submission->count;
         i++) {
        free(submission->sealed[i].data);
    }
    free(submission->sealed);
    free(submission->results);
    free(submission);
}

/* Copies one transaction, names it and looks at its type. */
static enum pbft_status take_transaction(struct submission *submission,
                                         const struct salus_client *client,
                                         const struct salus_transaction *from,
                                         size_t index)
{
    struct transaction_bytes *to = &submission->sealed[index];
    struct transaction_summary summary;
    struct pbft_bytes body;
    struct pbft_digest tx_id;

    if (from->data == NULL || from->size > LEDGER_TRANSACTION_MAX) {
        return PBFT_INVALID_ARGUMENT;
    }
    enum pbft_status status =
        transaction_body(&body, (struct pbft_bytes){from->data, from->size});
    if (status == PBFT_OK) {
        status = transaction_summarize(&summary, body);
    }
    if (status != PBFT_OK) {
        return PBFT_INVALID_ARGUMENT;
    }
    to->data = malloc(from->size);
    if (to->data == NULL) {
        return PBFT_NO_MEMORY;
    }
    memcpy(to->data, from->data, from->size);
    to->size = from->size;
    submission->bytes += 1 + wire_varint_size(from->size) + from->size;
    submission->urgent &= summary.type == TRANSACTION_CONSENT_REVOKE;
    transaction_id(&tx_id, &client->domain.cluster, body);
    memcpy(submission->results[index].tx_id, tx_id.bytes, sizeof(tx_id.bytes));
    return PBFT_OK;
}

enum pbft_status client_submission_create(
    struct submission **out, const struct salus_client *client,
    const struct salus_transaction *transactions, size_t count)
{
    enum pbft_status status = PBFT_OK;
    struct submission *submission = calloc(1, sizeof(*submission));

    if (submission == NULL) {
        return PBFT_NO_MEMORY;
    }
    submission->count = count;
    submission->result_count = count > 0 ? count : 1;
    submission->urgent = count > 0;
    submission->sealed =
        calloc(submission->result_count, sizeof(*submission->sealed));
    submission->results =
        calloc(submission->result_count, sizeof(*submission->results));
    if (submission->sealed == NULL || submission->results == NULL) {
        status = PBFT_NO_MEMORY;
    }
    for (size_t i = 0; status == PBFT_OK && i < count; i++) {
        status = take_transaction(submission, client, &transactions[i], i);
        if (submission->bytes > PBFT_REQUEST_BYTES_MAX) {
            status = PBFT_INVALID_ARGUMENT;
        }
    }
    if (status != PBFT_OK) {
        client_submission_destroy(submission);
        return status;
    }
    *out = submission;
    return PBFT_OK;
}

void client_request_release(struct request *request)
{
    if (--request->references > 0) {
        return;
    }
    pbft_message_unref(request->message);
    pbft_buffer_unref(request->call);
    free(request);
}

static enum pbft_status pack_call(struct pbft_buffer **out,
                                  const Salus__V1__ClientCall *call)
{
    struct wire_buffer buffer;

    wire_buffer_init(&buffer, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = wire_pack(&call->base, &buffer);
    if (status == PBFT_OK) {
        size_t size = 0;
        uint8_t *data = wire_buffer_take(&buffer, &size);
        *out = pbft_buffer_create(data, size);
        if (*out == NULL) {
            free(data);
            status = PBFT_NO_MEMORY;
        }
    }
    wire_buffer_deinit(&buffer);
    return status;
}

/* The encoded Submit call; the same bytes for every replica that is asked. */
static enum pbft_status encode_call(const struct salus_client *client,
                                    struct pbft_buffer **out,
                                    const struct pbft_request *from)
{
    Salus__V1__Request inner = SALUS__V1__REQUEST__INIT;
    Salus__V1__Submit submit = SALUS__V1__SUBMIT__INIT;
    Salus__V1__ClientCall call = SALUS__V1__CLIENT_CALL__INIT;

    inner.client = (ProtobufCBinaryData){sizeof(from->client.bytes),
                                         (uint8_t *)from->client.bytes};
    inner.institution = (ProtobufCBinaryData){
        sizeof(from->institution.bytes), (uint8_t *)from->institution.bytes};
    inner.session = from->session;
    inner.sequence = from->sequence;
    inner.lane = (uint32_t)from->lane;
    inner.payload = (ProtobufCBinaryData){from->payload.size,
                                          (uint8_t *)from->payload.data};
    inner.signature = (ProtobufCBinaryData){sizeof(from->signature.bytes),
                                            (uint8_t *)from->signature.bytes};
    submit.request = &inner;
    submit.timeout_ms = client->config.attempt_timeout_ms;
    call.version = CALL_VERSION;
    call.cluster = (ProtobufCBinaryData){
        WIRE_CLUSTER_PREFIX_SIZE, (uint8_t *)client->domain.cluster.bytes};
    call.kind_case = SALUS__V1__CLIENT_CALL__KIND_SUBMIT;
    call.submit = &submit;
    return pack_call(out, &call);
}

/* Signs `payload` under the request's sequence. What was signed before stays if
 * that fails. */
static enum pbft_status sign_request(const struct salus_client *client,
                                     struct request *request,
                                     enum pbft_lane lane,
                                     struct pbft_bytes payload)
{
    struct pbft_preimage preimage;
    struct pbft_request fields = {.client = client->key,
                                  .institution = client->institution,
                                  .session = client->session,
                                  .sequence = request->sequence,
                                  .lane = lane,
                                  .payload = payload};

    pbft_request_hash_payload(&client->domain, &fields);
    pbft_request_preimage(&client->domain, &fields, &preimage);
    client->domain.crypto->sign(
        client->domain.crypto->context, &fields.signature,
        (struct pbft_bytes){preimage.bytes, preimage.size});
    const struct pbft_message *message =
        pbft_request_create(&client->domain, &fields, PBFT_SENDER_CLIENT, NULL);
    struct pbft_buffer *call = NULL;
    enum pbft_status status =
        message == NULL ? PBFT_NO_MEMORY
                        : encode_call(client, &call, &message->request);
    if (status != PBFT_OK) {
        pbft_message_unref(message);
        return status;
    }
    pbft_message_unref(request->message);
    pbft_buffer_unref(request->call);
    request->message = message;
    request->call = call;
    return PBFT_OK;
}

/* Packs the transactions of all submissions of the request, and signs. */
static enum pbft_status fill_request(const struct salus_client *client,
                                     struct request *request)
{
    struct transaction_bytes payload = {NULL, 0};
    struct pbft_bytes *parts =
        calloc(request->transaction_count + 1, sizeof(*parts));
    size_t count = 0;

    if (parts == NULL) {
        return PBFT_NO_MEMORY;
    }
    for (const struct submission *it = request->first; it != NULL;
         it = it->next) {
        for (size_t i = 0; i < it->count; i++) {
            parts[count++] =
                (struct pbft_bytes){it->sealed[i].data, it->sealed[i].size};
        }
    }
    enum pbft_status status = PBFT_OK; /* Without any it is a VOID. */
    if (count > 0) {
        status = transaction_list_pack(&payload, parts, count);
    }
    if (status == PBFT_OK) {
        status = sign_request(client, request,
                              request->first->urgent ? PBFT_LANE_URGENT
                                                     : PBFT_LANE_NORMAL,
                              (struct pbft_bytes){payload.data, payload.size});
    }
    free(payload.data);
    free(parts);
    return status;
}

enum pbft_status client_make_void(struct salus_client *client,
                                  struct request *request)
{
    if (request->message != NULL) {
        request->given_up = request->message->request.digest;
    }
    request->is_void = true;
    request->refused = (struct pbft_replica_set){{0}};
    request->first = NULL;
    request->transaction_count = 0;
    return sign_request(client, request, PBFT_LANE_NORMAL,
                        (struct pbft_bytes){NULL, 0});
}

/* Room in the request for another submission? */
static bool fits(const struct salus_client *client, const struct request *to,
                 size_t bytes, const struct submission *submission)
{
    size_t count = to->transaction_count + submission->count;

    if (to->first == NULL) {
        return true;
    }
    return to->first->urgent == submission->urgent &&
           count <= client->config.transactions_per_request &&
           bytes + submission->bytes <= PBFT_REQUEST_BYTES_MAX;
}

/* Takes submissions off the queue into `request`; at least one. */
static void take_submissions(struct salus_client *client,
                             struct request *request)
{
    struct submission *last = NULL;
    size_t bytes = 0;

    while (client->queue_first != NULL &&
           fits(client, request, bytes, client->queue_first)) {
        struct submission *submission = client->queue_first;
        client->queue_first = submission->next;
        submission->next = NULL;
        submission->request = request;
        bytes += submission->bytes;
        client->queue_count -= submission->count;
        client->queue_bytes -= submission->bytes;
        request->transaction_count += submission->count;
        if (request->deadline < submission->deadline) {
            request->deadline = submission->deadline;
        }
        if (request->first == NULL) {
            request->first = submission;
        } else {
            last->next = submission;
        }
        last = submission;
    }
    if (client->queue_first == NULL) {
        client->queue_last = NULL;
    }
}

/* A new request with the next sequence at the end of the list. */
static void append_request(struct salus_client *client)
{
    struct request *request = calloc(1, sizeof(*request));

    if (request == NULL) {
        return; /* Tried again at the next gathering. */
    }
    request->references = 1;
    request->sequence = client->next_sequence;
    request->replica = client->preferred;
    request->failure = SALUS_UNREACHABLE; /* Until it was sent. */
    request->state = REQUEST_READY;
    take_submissions(client, request);
    if (fill_request(client, request) != PBFT_OK) {
        /* Its callers are told by the ticker, at once. */
        request->failure = SALUS_NO_MEMORY;
        request->state = REQUEST_WAITING;
        request->deadline = 0;
    }
    client->next_sequence++;
    client->statistics.requests++;
    client->requests_flying++;
    if (client->requests_last == NULL) {
        client->requests_first = request;
    } else {
        client->requests_last->next = request;
    }
    client->requests_last = request;
}

uint64_t client_gather(struct salus_client *client, uint64_t now_us)
{
    while (client->queue_first != NULL) {
        uint64_t lowest = client->requests_first != NULL
                              ? client->requests_first->sequence
                              : client->next_sequence;
        uint64_t due =
            client->queue_first->queued_us + client->config.gather_us;
        if (client->next_sequence - lowest >= client->window ||
            client->requests_flying >= client->config.requests_in_flight) {
            return UINT64_MAX;
        }
        if (client->requests_flying > 0 && now_us < due &&
            client->queue_count < client->config.transactions_per_request) {
            return due;
        }
        append_request(client);
    }
    return UINT64_MAX;
}
