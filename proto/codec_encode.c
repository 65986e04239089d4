/* SPDX-License-Identifier: Apache-2.0 */
/* Consensus messages to bytes: one writer per kind, in the order of the fields
 * of consensus.proto.
 */
#include "consensus/assert.h"
#include "consensus/evidence.h"
#include "proto/codec_encode.h"
#include "proto/codec_fields.h"
#include "proto/writer.h"

#define HINT_REQUEST (WIRE_REQUEST_FIXED_BYTES_MAX - 16u)

void encode_refuse(struct wire_buffer *buffer)
{
    if (buffer->status == PBFT_OK) {
        buffer->status = PBFT_INVALID_ARGUMENT;
    }
}

static void write_request(struct wire_buffer *buffer,
                          const struct pbft_request *request)
{
    wire_write_bytes(buffer, REQUEST_CLIENT, request->client.bytes,
                     PBFT_PUBLIC_KEY_SIZE);
    wire_write_bytes(buffer, REQUEST_INSTITUTION, request->institution.bytes,
                     PBFT_INSTITUTION_SIZE);
    wire_write_u64(buffer, REQUEST_SESSION, request->session);
    wire_write_u64(buffer, REQUEST_SEQUENCE, request->sequence);
    wire_write_u64(buffer, REQUEST_LANE, (uint64_t)request->lane);
    wire_write_bytes(buffer, REQUEST_PAYLOAD, request->payload.data,
                     request->payload.size);
    wire_write_bytes(buffer, REQUEST_SIGNATURE, request->signature.bytes,
                     PBFT_SIGNATURE_SIZE);
}

static size_t batch_size_hint(const struct pbft_batch *batch)
{
    return batch->bytes + (size_t)batch->request_count * HINT_REQUEST;
}

static void write_batch(struct wire_buffer *buffer,
                        const struct pbft_batch *batch)
{
    wire_write_u64(buffer, BATCH_TIME, batch->time);
    for (uint32_t i = 0; i < batch->request_count; i++) {
        const struct pbft_request *request = &batch->requests[i]->request;
        struct wire_nested nested = wire_nested_begin(
            buffer, BATCH_REQUESTS, request->payload.size + HINT_REQUEST);
        write_request(buffer, request);
        wire_nested_end(buffer, nested);
    }
}

static void write_slot(struct wire_buffer *buffer, pbft_view view, pbft_seq seq,
                       const struct pbft_digest *digest)
{
    wire_write_u64(buffer, SLOT_VIEW, view);
    wire_write_u64(buffer, SLOT_SEQ, seq);
    wire_write_bytes(buffer, SLOT_DIGEST, digest->bytes, PBFT_DIGEST_SIZE);
}

static bool has_body(const struct pbft_pre_prepare *fields, enum wire_body body)
{
    return body == WIRE_BODY_INCLUDE && fields->body != NULL;
}

static size_t pre_prepare_size_hint(const struct pbft_pre_prepare *fields,
                                    enum wire_body body)
{
    size_t size = ENCODE_SIZE_SMALL;
    return has_body(fields, body) ? size + batch_size_hint(&fields->body->batch)
                                  : size;
}

static void write_pre_prepare(struct wire_buffer *buffer,
                              const struct pbft_pre_prepare *fields,
                              enum wire_body body)
{
    write_slot(buffer, fields->view, fields->seq, &fields->digest);
    if (has_body(fields, body)) {
        const struct pbft_batch *batch = &fields->body->batch;
        struct wire_nested nested =
            wire_nested_begin(buffer, SLOT_BODY, batch_size_hint(batch));
        write_batch(buffer, batch);
        wire_nested_end(buffer, nested);
    }
}

void encode_nested_header(struct wire_buffer *buffer, uint32_t field,
                          const struct pbft_pre_prepare *fields,
                          enum wire_body body)
{
    struct wire_nested nested =
        wire_nested_begin(buffer, field, pre_prepare_size_hint(fields, body));
    write_pre_prepare(buffer, fields, body);
    wire_nested_end(buffer, nested);
}

static void write_status(struct wire_buffer *buffer,
                         const struct pbft_status_report *fields)
{
    if (fields->prepared_words > PBFT_STATUS_WORDS_MAX) {
        encode_refuse(buffer);
        return;
    }
    wire_write_u64(buffer, STATUS_VIEW, fields->view);
    wire_write_u64(buffer, STATUS_VIEW_ACTIVE, fields->view_active);
    wire_write_u64(buffer, STATUS_STABLE, fields->stable);
    wire_write_u64(buffer, STATUS_EXECUTED, fields->executed);
    wire_write_u64(buffer, STATUS_COMMITTED_ABOVE, fields->committed_above);
    wire_write_u64(buffer, STATUS_VERSION_MIN, fields->version_min);
    wire_write_u64(buffer, STATUS_VERSION_MAX, fields->version_max);
    wire_write_u64(buffer, STATUS_REPLY_WANTED, fields->reply_wanted);
    wire_write_words(buffer, STATUS_PREPARED_BITS, fields->prepared_bits,
                     fields->prepared_words);
    wire_write_u64(buffer, STATUS_ATTESTED, fields->attested);
    wire_write_u64(buffer, STATUS_QUESTION, fields->question);
}

static bool is_zero(const struct pbft_digest *digest)
{
    uint8_t any = 0;
    for (size_t i = 0; i < PBFT_DIGEST_SIZE; i++) {
        any |= digest->bytes[i];
    }
    return any == 0;
}

static void write_fetch(struct wire_buffer *buffer,
                        const struct pbft_fetch *fields)
{
    wire_write_u64(buffer, FETCH_KIND, (uint64_t)fields->kind);
    wire_write_u64(buffer, FETCH_SEQ, fields->seq);
    wire_write_u64(buffer, FETCH_LAST, fields->last);
    if (wire_fetch_has_digest(fields->kind)) {
        wire_write_bytes(buffer, FETCH_DIGEST, fields->digest.bytes,
                         PBFT_DIGEST_SIZE);
    } else if (!is_zero(&fields->digest)) {
        encode_refuse(buffer); /* It is signed, but there is no room for it. */
    }
}

static void write_evidence(struct wire_buffer *buffer,
                           const struct pbft_evidence *evidence)
{
    uint8_t bytes[PBFT_EVIDENCE_BYTES_MAX];
    const size_t size = pbft_evidence_encode(evidence, bytes);
    wire_write_bytes(buffer, EVIDENCE_STATEMENTS, bytes, size);
}

static void write_content(struct wire_buffer *buffer,
                          const struct pbft_message *message,
                          enum wire_body body)
{
    switch (message->type) {
    case PBFT_MESSAGE_REQUEST:
        write_request(buffer, &message->request);
        return;
    case PBFT_MESSAGE_PRE_PREPARE:
        write_pre_prepare(buffer, &message->pre_prepare, body);
        return;
    case PBFT_MESSAGE_PREPARE:
        write_slot(buffer, message->prepare.view, message->prepare.seq,
                   &message->prepare.digest);
        return;
    case PBFT_MESSAGE_COMMIT:
        write_slot(buffer, message->commit.view, message->commit.seq,
                   &message->commit.digest);
        return;
    case PBFT_MESSAGE_ATTESTATION:
        encode_attestation(buffer, &message->attestation);
        return;
    case PBFT_MESSAGE_VIEW_CHANGE:
        encode_view_change(buffer, message->epoch, &message->view_change);
        return;
    case PBFT_MESSAGE_NEW_VIEW:
        encode_new_view(buffer, message);
        return;
    case PBFT_MESSAGE_STATUS:
        write_status(buffer, &message->status);
        return;
    case PBFT_MESSAGE_FETCH:
        write_fetch(buffer, &message->fetch);
        return;
    case PBFT_MESSAGE_BATCH:
        write_batch(buffer, &message->batch);
        return;
    case PBFT_MESSAGE_PREPARED:
        encode_prepared(buffer, message->epoch, &message->prepared, body);
        return;
    case PBFT_MESSAGE_COMMITTED:
        encode_committed(buffer, message->epoch, &message->committed, body);
        return;
    case PBFT_MESSAGE_STABLE:
        encode_stable(buffer, &message->stable);
        return;
    case PBFT_MESSAGE_EVIDENCE:
        write_evidence(buffer, message->evidence);
        return;
    }
    bool is_known_type = false;
    PBFT_ASSERT(is_known_type);
}

/* Guides the length of the content; only speed depends on it. */
static size_t content_size_hint(const struct pbft_message *message,
                                enum wire_body body)
{
    switch (message->type) {
    case PBFT_MESSAGE_REQUEST:
        return message->request.payload.size + HINT_REQUEST;
    case PBFT_MESSAGE_PRE_PREPARE:
        return pre_prepare_size_hint(&message->pre_prepare, body);
    case PBFT_MESSAGE_BATCH:
        return batch_size_hint(&message->batch);
    case PBFT_MESSAGE_PREPARED:
        return encode_votes_size(message->prepared.vote_count);
    case PBFT_MESSAGE_COMMITTED:
        return encode_votes_size(message->committed.vote_count) +
               pre_prepare_size_hint(
                   &message->committed.pre_prepare->pre_prepare, body);
    case PBFT_MESSAGE_STABLE:
        return encode_votes_size(message->stable.vote_count) +
               ENCODE_SIZE_SMALL;
    case PBFT_MESSAGE_ATTESTATION:
    case PBFT_MESSAGE_VIEW_CHANGE:
    case PBFT_MESSAGE_NEW_VIEW:
    case PBFT_MESSAGE_EVIDENCE:
        return 2 * ENCODE_SIZE_SMALL;
    case PBFT_MESSAGE_PREPARE:
    case PBFT_MESSAGE_COMMIT:
    case PBFT_MESSAGE_STATUS:
    case PBFT_MESSAGE_FETCH:
        break;
    }
    return ENCODE_SIZE_SMALL;
}

/* Takes back what was written since `size` if any of it failed. */
static enum pbft_status settle(struct wire_buffer *buffer, size_t size)
{
    enum pbft_status status = buffer->status;
    if (status == PBFT_OK && buffer->size - size > WIRE_MESSAGE_BYTES_MAX) {
        status = PBFT_TOO_LARGE;
    }
    if (status != PBFT_OK) {
        buffer->size = size;
        buffer->status = PBFT_OK;
    }
    return status;
}

enum pbft_status wire_message_encode(const struct pbft_message *message,
                                     enum wire_body body,
                                     struct wire_buffer *buffer)
{
    PBFT_ASSERT(buffer->status == PBFT_OK);
    size_t before = buffer->size;
    wire_write_u64(buffer, MESSAGE_SENDER, message->sender);
    wire_write_u64(buffer, MESSAGE_INCARNATION, message->incarnation);
    wire_write_u64(buffer, MESSAGE_EPOCH, message->epoch);
    if (wire_is_signed(message->type)) {
        wire_write_bytes(buffer, MESSAGE_SIGNATURE, message->signature.bytes,
                         PBFT_SIGNATURE_SIZE);
    } else if (message->incarnation != 0) {
        encode_refuse(buffer);
    }
    struct wire_nested nested =
        wire_nested_begin(buffer, MESSAGE_KIND + (uint32_t)message->type,
                          content_size_hint(message, body));
    write_content(buffer, message, body);
    wire_nested_end(buffer, nested);
    return settle(buffer, before);
}

enum pbft_status wire_request_encode(const struct pbft_request *request,
                                     struct wire_buffer *buffer)
{
    PBFT_ASSERT(buffer->status == PBFT_OK);
    size_t before = buffer->size;
    write_request(buffer, request);
    return settle(buffer, before);
}
