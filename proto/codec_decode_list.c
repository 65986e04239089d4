/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to consensus messages: the kinds that hold lists. Every list is counted
 * against its limit before memory is taken for it.
 */
#include <stdlib.h>

#include "proto/codec_decode.h"
#include "proto/codec_fields.h"

/* Messages that are gathered before their parent is built. */
struct gathered {
    const struct pbft_message **items;
    uint32_t count;
};

/* Room for the sub-messages of `field`; false and a failed reader if there are
 * too many or memory is short. */
static bool gather_begin(struct wire_reader *reader, uint32_t field,
                         uint32_t count_max, struct gathered *out)
{
    *out = (struct gathered){0};
    uint32_t count = wire_count(reader, field, count_max);
    if (reader->status != PBFT_OK) {
        return false;
    }
    out->items = malloc((count + 1) * sizeof out->items[0]);
    if (out->items == NULL) {
        wire_reader_fail(reader, PBFT_NO_MEMORY);
        return false;
    }
    return true;
}

static void gather_end(struct gathered *gathered)
{
    for (uint32_t i = 0; i < gathered->count; i++) {
        pbft_message_unref(gathered->items[i]);
    }
    free(gathered->items);
}

static bool gather(struct gathered *gathered, struct wire_reader *reader,
                   struct wire_reader *nested, struct pbft_message *message)
{
    wire_nested_close(reader, nested);
    if (message != NULL) {
        gathered->items[gathered->count++] = message;
    }
    return reader->status == PBFT_OK;
}

static struct pbft_message *built(struct wire_reader *reader,
                                  struct pbft_message *message)
{
    if (message == NULL) {
        wire_reader_fail(reader, PBFT_NO_MEMORY);
    }
    return message;
}

struct pbft_message *decode_batch(const struct decode_context *context,
                                  struct wire_reader *reader)
{
    struct gathered requests;
    struct wire_reader nested;
    struct pbft_message *message = NULL;
    size_t bytes = 0;
    pbft_wall_us time = wire_read_u64(reader, BATCH_TIME);
    if (!gather_begin(reader, BATCH_REQUESTS, PBFT_BATCH_REQUESTS_MAX,
                      &requests)) {
        return NULL;
    }
    while (wire_nested_open(reader, BATCH_REQUESTS, &nested)) {
        struct pbft_message *request = decode_request(context, &nested);
        if (request != NULL) {
            bytes += request->request.payload.size;
        }
        if (!gather(&requests, reader, &nested, request)) {
            break;
        }
        if (bytes > PBFT_BATCH_BYTES_MAX) {
            wire_reader_fail(reader, PBFT_TOO_LARGE);
        }
    }
    if (wire_reader_end(reader) == PBFT_OK) {
        message =
            built(reader, pbft_batch_create(context->domain, time,
                                            requests.items, requests.count));
    }
    if (message != NULL) {
        message->sender = context->origin.sender;
        message->epoch = context->origin.epoch;
    }
    gather_end(&requests);
    return message;
}

static struct pbft_attestation read_attestation(struct wire_reader *reader)
{
    struct pbft_attestation fields = {0};
    fields.seq = wire_read_u64(reader, ATTESTATION_SEQ);
    fields.block_time = wire_read_u64(reader, ATTESTATION_TIME);
    wire_read_exact(reader, ATTESTATION_BLOCK, fields.block_digest.bytes,
                    PBFT_DIGEST_SIZE);
    wire_read_exact(reader, ATTESTATION_RESULTS, fields.results_root.bytes,
                    PBFT_DIGEST_SIZE);
    wire_read_exact(reader, ATTESTATION_LEDGER, fields.ledger_root.bytes,
                    PBFT_DIGEST_SIZE);
    return fields;
}

struct pbft_message *decode_attestation(const struct decode_context *context,
                                        struct wire_reader *reader)
{
    struct pbft_attestation fields = read_attestation(reader);
    if (wire_reader_end(reader) != PBFT_OK) {
        return NULL;
    }
    return built(reader, pbft_attestation_create(&context->origin, &fields));
}

/* Votes, ascending by replica; returns how many. */
static uint32_t read_votes(struct wire_reader *reader, uint32_t field,
                           struct pbft_vote votes[WIRE_CERTIFICATE_VOTES_MAX])
{
    struct wire_reader nested;
    uint32_t count = 0;
    while (wire_nested_open(reader, field, &nested)) {
        if (count == WIRE_CERTIFICATE_VOTES_MAX) {
            wire_reader_fail(reader, PBFT_TOO_LARGE);
            return 0;
        }
        struct pbft_vote *vote = &votes[count];
        vote->replica = wire_read_u32(&nested, VOTE_REPLICA);
        vote->incarnation = wire_read_u64(&nested, VOTE_INCARNATION);
        wire_read_exact(&nested, VOTE_SIGNATURE, vote->signature.bytes,
                        PBFT_SIGNATURE_SIZE);
        wire_nested_close(reader, &nested);
        if (count > 0 && vote->replica <= votes[count - 1].replica) {
            wire_reader_fail(reader, PBFT_NOT_CANONICAL);
        }
        count++;
    }
    return count;
}

struct pbft_message *decode_stable(const struct decode_context *context,
                                   struct wire_reader *reader)
{
    struct pbft_vote votes[WIRE_CERTIFICATE_VOTES_MAX];
    struct wire_reader nested;
    if (!decode_open(reader, STABLE_ATTESTATION, &nested)) {
        return NULL;
    }
    struct pbft_attestation fields = read_attestation(&nested);
    wire_nested_close(reader, &nested);
    uint32_t count = read_votes(reader, STABLE_VOTES, votes);
    if (wire_reader_end(reader) != PBFT_OK) {
        return NULL;
    }
    return built(reader, pbft_stable_create(context->origin.sender,
                                            context->origin.epoch, &fields,
                                            votes, count));
}

struct pbft_message *decode_certificate(const struct decode_context *context,
                                        enum pbft_message_type type,
                                        enum wire_body body,
                                        struct wire_reader *reader)
{
    struct pbft_vote votes[WIRE_CERTIFICATE_VOTES_MAX];
    struct pbft_origin primary = {.epoch = context->origin.epoch};
    struct wire_reader nested;
    struct pbft_message *message = NULL;
    primary.sender = wire_read_u32(reader, CERTIFICATE_PRIMARY);
    primary.incarnation = wire_read_u64(reader, CERTIFICATE_INCARNATION);
    wire_read_exact(reader, CERTIFICATE_SIGNATURE, primary.signature.bytes,
                    PBFT_SIGNATURE_SIZE);
    if (!decode_open(reader, CERTIFICATE_HEADER, &nested)) {
        return NULL;
    }
    struct pbft_message *header =
        decode_pre_prepare(context, &primary, body, &nested);
    wire_nested_close(reader, &nested);
    uint32_t count = read_votes(reader, CERTIFICATE_VOTES, votes);
    if (wire_reader_end(reader) == PBFT_OK) {
        message =
            built(reader, pbft_certificate_create(type, context->origin.sender,
                                                  context->origin.epoch, header,
                                                  votes, count));
    }
    pbft_message_unref(header);
    return message;
}

/* The prepared certificates of a view-change, ascending by seq. */
static void read_prepared(const struct decode_context *context,
                          struct wire_reader *reader, struct gathered *prepared)
{
    struct wire_reader nested;
    pbft_seq previous = 0;
    while (wire_nested_open(reader, VIEW_CHANGE_PREPARED, &nested)) {
        struct pbft_message *message = decode_certificate(
            context, PBFT_MESSAGE_PREPARED, WIRE_BODY_OMIT, &nested);
        if (!gather(prepared, reader, &nested, message)) {
            return;
        }
        pbft_seq seq = pbft_message_seq(message);
        if (seq <= previous) {
            wire_reader_fail(reader, PBFT_NOT_CANONICAL);
        }
        previous = seq;
    }
}

struct pbft_message *decode_view_change(const struct decode_context *context,
                                        struct wire_reader *reader)
{
    struct gathered prepared;
    struct wire_reader nested;
    struct pbft_message *message = NULL;
    pbft_view view = wire_read_u64(reader, VIEW_CHANGE_VIEW);
    if (!decode_open(reader, VIEW_CHANGE_STABLE, &nested)) {
        return NULL;
    }
    struct pbft_message *stable = decode_stable(context, &nested);
    wire_nested_close(reader, &nested);
    if (gather_begin(reader, VIEW_CHANGE_PREPARED, WIRE_CERTIFICATES_MAX,
                     &prepared)) {
        read_prepared(context, reader, &prepared);
    }
    if (wire_reader_end(reader) == PBFT_OK) {
        message = built(reader, pbft_view_change_create(
                                    context->domain, &context->origin, view,
                                    stable, prepared.items, prepared.count));
    }
    pbft_message_unref(stable);
    gather_end(&prepared);
    return message;
}

static uint32_t
read_sources(struct wire_reader *reader,
             struct pbft_new_view_source sources[PBFT_REPLICAS_MAX])
{
    struct wire_reader nested;
    uint32_t count = 0;
    while (wire_nested_open(reader, NEW_VIEW_SOURCES, &nested)) {
        if (count == PBFT_REPLICAS_MAX) {
            wire_reader_fail(reader, PBFT_TOO_LARGE);
            return 0;
        }
        sources[count].replica = wire_read_u32(&nested, SOURCE_REPLICA);
        wire_read_exact(&nested, SOURCE_DIGEST, sources[count].digest.bytes,
                        PBFT_DIGEST_SIZE);
        wire_nested_close(reader, &nested);
        count++;
    }
    return count;
}

/* Header and signature; the signer is the sender of the new-view. */
static struct pbft_message *
decode_signed_header(const struct decode_context *context,
                     struct wire_reader *reader)
{
    struct pbft_origin origin = context->origin;
    struct wire_reader header;
    if (!decode_open(reader, HEADER_PRE_PREPARE, &header)) {
        return NULL;
    }
    /* The signature stands behind the header that it goes into. */
    wire_read_exact(reader, HEADER_SIGNATURE, origin.signature.bytes,
                    PBFT_SIGNATURE_SIZE);
    struct pbft_message *message =
        decode_pre_prepare(context, &origin, WIRE_BODY_OMIT, &header);
    wire_nested_close(reader, &header);
    return message;
}

struct pbft_message *decode_new_view(const struct decode_context *context,
                                     struct wire_reader *reader)
{
    struct pbft_new_view_source sources[PBFT_REPLICAS_MAX];
    struct gathered headers;
    struct wire_reader nested;
    struct pbft_message *message = NULL;
    pbft_view view = wire_read_u64(reader, NEW_VIEW_VIEW);
    uint32_t source_count = read_sources(reader, sources);
    if (!gather_begin(reader, NEW_VIEW_HEADERS, WIRE_CERTIFICATES_MAX,
                      &headers)) {
        return NULL;
    }
    while (wire_nested_open(reader, NEW_VIEW_HEADERS, &nested)) {
        struct pbft_message *header = decode_signed_header(context, &nested);
        if (!gather(&headers, reader, &nested, header)) {
            break;
        }
    }
    if (wire_reader_end(reader) == PBFT_OK) {
        message =
            built(reader, pbft_new_view_create(&context->origin, view, sources,
                                               source_count, headers.items,
                                               headers.count));
    }
    gather_end(&headers);
    return message;
}
