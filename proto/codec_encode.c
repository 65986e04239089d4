/* SPDX-License-Identifier: Apache-2.0 */
/* Consensus messages to bytes: one writer per kind, in the order of the fields
 * of consensus.proto.
 */
#include "consensus/assert.h"
#include "proto/codec.h"
#include "proto/codec_fields.h"
#include "proto/writer.h"

/* Guesses that are right for most: the length then needs no move. */
#define HINT_SMALL 100u
#define HINT_REQUEST (WIRE_REQUEST_FIXED_BYTES_MAX - 16u)

static void refuse(struct wire_buffer *buffer)
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
    size_t size = HINT_SMALL;
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

static void write_nested_header(struct wire_buffer *buffer, uint32_t field,
                                const struct pbft_pre_prepare *fields,
                                enum wire_body body)
{
    struct wire_nested nested =
        wire_nested_begin(buffer, field, pre_prepare_size_hint(fields, body));
    write_pre_prepare(buffer, fields, body);
    wire_nested_end(buffer, nested);
}

static void write_attestation(struct wire_buffer *buffer,
                              const struct pbft_attestation *fields)
{
    wire_write_u64(buffer, ATTESTATION_SEQ, fields->seq);
    wire_write_u64(buffer, ATTESTATION_TIME, fields->block_time);
    wire_write_bytes(buffer, ATTESTATION_BLOCK, fields->block_digest.bytes,
                     PBFT_DIGEST_SIZE);
    wire_write_bytes(buffer, ATTESTATION_RESULTS, fields->results_root.bytes,
                     PBFT_DIGEST_SIZE);
    wire_write_bytes(buffer, ATTESTATION_LEDGER, fields->ledger_root.bytes,
                     PBFT_DIGEST_SIZE);
}

/* Ascending by replica, so that equal sets of votes have equal bytes. */
static void write_votes(struct wire_buffer *buffer, uint32_t field,
                        const struct pbft_vote *votes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && votes[i].replica <= votes[i - 1].replica) {
            refuse(buffer);
        }
        struct wire_nested nested =
            wire_nested_begin(buffer, field, HINT_SMALL);
        wire_write_u64(buffer, VOTE_REPLICA, votes[i].replica);
        wire_write_u64(buffer, VOTE_INCARNATION, votes[i].incarnation);
        wire_write_bytes(buffer, VOTE_SIGNATURE, votes[i].signature.bytes,
                         PBFT_SIGNATURE_SIZE);
        wire_nested_end(buffer, nested);
    }
}

static void write_certificate(struct wire_buffer *buffer, pbft_epoch epoch,
                              const struct pbft_message *header,
                              enum wire_body body)
{
    if (header->epoch != epoch) {
        refuse(buffer);
    }
    wire_write_u64(buffer, CERTIFICATE_PRIMARY, header->sender);
    wire_write_u64(buffer, CERTIFICATE_INCARNATION, header->incarnation);
    wire_write_bytes(buffer, CERTIFICATE_SIGNATURE, header->signature.bytes,
                     PBFT_SIGNATURE_SIZE);
    write_nested_header(buffer, CERTIFICATE_HEADER, &header->pre_prepare, body);
}

static void write_prepared(struct wire_buffer *buffer, pbft_epoch epoch,
                           const struct pbft_prepared *fields,
                           enum wire_body body)
{
    write_certificate(buffer, epoch, fields->pre_prepare, body);
    write_votes(buffer, CERTIFICATE_VOTES, fields->votes, fields->vote_count);
}

static void write_committed(struct wire_buffer *buffer, pbft_epoch epoch,
                            const struct pbft_committed *fields,
                            enum wire_body body)
{
    write_certificate(buffer, epoch, fields->pre_prepare, body);
    write_votes(buffer, CERTIFICATE_VOTES, fields->votes, fields->vote_count);
}

static void write_stable(struct wire_buffer *buffer,
                         const struct pbft_stable *fields)
{
    struct wire_nested nested =
        wire_nested_begin(buffer, STABLE_ATTESTATION, HINT_SMALL);
    write_attestation(buffer, &fields->attestation);
    wire_nested_end(buffer, nested);
    write_votes(buffer, STABLE_VOTES, fields->votes, fields->vote_count);
}

static size_t votes_size_hint(uint32_t count)
{
    return HINT_SMALL + (size_t)count * (PBFT_SIGNATURE_SIZE + 8u);
}

static void write_view_change(struct wire_buffer *buffer, pbft_epoch epoch,
                              const struct pbft_view_change *fields)
{
    const struct pbft_message *stable = fields->stable;
    pbft_seq previous = 0;
    if (stable->epoch != epoch || fields->prepared_count > PBFT_WINDOW_MAX) {
        refuse(buffer);
        return;
    }
    wire_write_u64(buffer, VIEW_CHANGE_VIEW, fields->view);
    struct wire_nested nested = wire_nested_begin(
        buffer, VIEW_CHANGE_STABLE, votes_size_hint(stable->stable.vote_count));
    write_stable(buffer, &stable->stable);
    wire_nested_end(buffer, nested);
    for (uint32_t i = 0; i < fields->prepared_count; i++) {
        const struct pbft_message *prepared = fields->prepared[i];
        pbft_seq seq = pbft_message_seq(prepared);
        if (prepared->epoch != epoch || seq <= previous) {
            refuse(buffer);
        }
        previous = seq;
        nested =
            wire_nested_begin(buffer, VIEW_CHANGE_PREPARED,
                              votes_size_hint(prepared->prepared.vote_count));
        write_prepared(buffer, epoch, &prepared->prepared, WIRE_BODY_OMIT);
        wire_nested_end(buffer, nested);
    }
}

static void write_source(struct wire_buffer *buffer,
                         const struct pbft_new_view_source *source)
{
    struct wire_nested nested =
        wire_nested_begin(buffer, NEW_VIEW_SOURCES, HINT_SMALL);
    wire_write_u64(buffer, SOURCE_REPLICA, source->replica);
    wire_write_bytes(buffer, SOURCE_DIGEST, source->digest.bytes,
                     PBFT_DIGEST_SIZE);
    wire_nested_end(buffer, nested);
}

static void write_new_view(struct wire_buffer *buffer,
                           const struct pbft_message *message)
{
    const struct pbft_new_view *fields = &message->new_view;
    if (fields->view_change_count > PBFT_REPLICAS_MAX ||
        fields->pre_prepare_count > PBFT_WINDOW_MAX) {
        refuse(buffer);
        return;
    }
    wire_write_u64(buffer, NEW_VIEW_VIEW, fields->view);
    for (uint32_t i = 0; i < fields->view_change_count; i++) {
        write_source(buffer, &fields->view_changes[i]);
    }
    for (uint32_t i = 0; i < fields->pre_prepare_count; i++) {
        const struct pbft_message *header = fields->pre_prepares[i];
        /* Its origin is the new-view's, and is not written twice. */
        if (header->epoch != message->epoch ||
            header->sender != message->sender ||
            header->incarnation != message->incarnation) {
            refuse(buffer);
        }
        struct wire_nested nested =
            wire_nested_begin(buffer, NEW_VIEW_HEADERS, 2 * HINT_SMALL);
        write_nested_header(buffer, HEADER_PRE_PREPARE, &header->pre_prepare,
                            WIRE_BODY_OMIT);
        wire_write_bytes(buffer, HEADER_SIGNATURE, header->signature.bytes,
                         PBFT_SIGNATURE_SIZE);
        wire_nested_end(buffer, nested);
    }
}

static void write_status(struct wire_buffer *buffer,
                         const struct pbft_status_report *fields)
{
    if (fields->prepared_words > PBFT_WINDOW_MAX / 64) {
        refuse(buffer);
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
        refuse(buffer); /* It is signed, but there is no room for it. */
    }
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
        write_attestation(buffer, &message->attestation);
        return;
    case PBFT_MESSAGE_VIEW_CHANGE:
        write_view_change(buffer, message->epoch, &message->view_change);
        return;
    case PBFT_MESSAGE_NEW_VIEW:
        write_new_view(buffer, message);
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
        write_prepared(buffer, message->epoch, &message->prepared, body);
        return;
    case PBFT_MESSAGE_COMMITTED:
        write_committed(buffer, message->epoch, &message->committed, body);
        return;
    case PBFT_MESSAGE_STABLE:
        write_stable(buffer, &message->stable);
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
        return votes_size_hint(message->prepared.vote_count);
    case PBFT_MESSAGE_COMMITTED:
        return votes_size_hint(message->committed.vote_count) +
               pre_prepare_size_hint(
                   &message->committed.pre_prepare->pre_prepare, body);
    case PBFT_MESSAGE_STABLE:
        return votes_size_hint(message->stable.vote_count) + HINT_SMALL;
    case PBFT_MESSAGE_ATTESTATION:
    case PBFT_MESSAGE_VIEW_CHANGE:
    case PBFT_MESSAGE_NEW_VIEW:
        return 2 * HINT_SMALL;
    case PBFT_MESSAGE_PREPARE:
    case PBFT_MESSAGE_COMMIT:
    case PBFT_MESSAGE_STATUS:
    case PBFT_MESSAGE_FETCH:
        break;
    }
    return HINT_SMALL;
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
        refuse(buffer);
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
