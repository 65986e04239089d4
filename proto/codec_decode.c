/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to consensus messages: the frame of a message, and the kinds that hold
 * no list.
 */
#include "proto/codec_decode.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/evidence.h"
#include "proto/codec_fields.h"

/* A payload of this size and above is not copied request by request: the whole
 * content is copied once, and the requests point into that. */
#define COPY_ONCE_BYTES 4096u

bool decode_open(struct wire_reader *reader, uint32_t field,
                 struct wire_reader *nested)
{
    if (wire_nested_open(reader, field, nested)) {
        return true;
    }
    wire_reader_fail(reader, PBFT_MALFORMED);
    return false;
}

static struct pbft_message *built(struct wire_reader *reader,
                                  struct pbft_message *message)
{
    if (message == NULL) {
        wire_reader_fail(reader, PBFT_NO_MEMORY);
    }
    return message;
}

struct pbft_message *decode_request(const struct decode_context *context,
                                    struct wire_reader *reader)
{
    struct pbft_request fields = {0};
    wire_read_exact(reader, REQUEST_CLIENT, fields.client.bytes,
                    PBFT_PUBLIC_KEY_SIZE);
    wire_read_exact(reader, REQUEST_INSTITUTION, fields.institution.bytes,
                    PBFT_INSTITUTION_SIZE);
    fields.session = wire_read_u64(reader, REQUEST_SESSION);
    fields.sequence = wire_read_u64(reader, REQUEST_SEQUENCE);
    uint32_t lane = wire_read_u32(reader, REQUEST_LANE);
    fields.payload =
        wire_read_bytes(reader, REQUEST_PAYLOAD, PBFT_REQUEST_BYTES_MAX);
    wire_read_exact(reader, REQUEST_SIGNATURE, fields.signature.bytes,
                    PBFT_SIGNATURE_SIZE);
    if (lane > PBFT_LANE_URGENT) {
        wire_reader_fail(reader, PBFT_MALFORMED);
    }
    if (wire_reader_end(reader) != PBFT_OK) {
        return NULL;
    }
    fields.lane = (enum pbft_lane)lane;
    return built(reader,
                 pbft_request_create(context->domain, &fields,
                                     context->origin.sender, context->backing));
}

static struct pbft_prepare read_slot(struct wire_reader *reader)
{
    struct pbft_prepare fields = {0};
    fields.view = wire_read_u64(reader, SLOT_VIEW);
    fields.seq = wire_read_u64(reader, SLOT_SEQ);
    wire_read_exact(reader, SLOT_DIGEST, fields.digest.bytes, PBFT_DIGEST_SIZE);
    return fields;
}

struct pbft_message *decode_pre_prepare(const struct decode_context *context,
                                        const struct pbft_origin *origin,
                                        enum wire_body body,
                                        struct wire_reader *reader)
{
    struct pbft_prepare slot = read_slot(reader);
    struct pbft_message *batch = NULL;
    struct wire_reader nested;
    if (body == WIRE_BODY_INCLUDE &&
        wire_nested_open(reader, SLOT_BODY, &nested)) {
        batch = decode_batch(context, &nested);
        wire_nested_close(reader, &nested);
    }
    struct pbft_message *message = NULL;
    if (wire_reader_end(reader) == PBFT_OK) {
        message =
            built(reader, pbft_pre_prepare_create(origin, slot.view, slot.seq,
                                                  &slot.digest, batch));
    }
    pbft_message_unref(batch);
    return message;
}

static struct pbft_message *decode_vote(const struct decode_context *context,
                                        enum pbft_message_type type,
                                        struct wire_reader *reader)
{
    struct pbft_prepare fields = read_slot(reader);
    if (wire_reader_end(reader) != PBFT_OK) {
        return NULL;
    }
    return built(reader, pbft_vote_create(type, &context->origin, &fields));
}

static struct pbft_message *decode_status(const struct decode_context *context,
                                          struct wire_reader *reader)
{
    uint64_t bits[PBFT_STATUS_WORDS_MAX];
    struct pbft_status_report fields = {.prepared_bits = bits};
    fields.view = wire_read_u64(reader, STATUS_VIEW);
    fields.view_active = wire_read_bool(reader, STATUS_VIEW_ACTIVE);
    fields.stable = wire_read_u64(reader, STATUS_STABLE);
    fields.executed = wire_read_u64(reader, STATUS_EXECUTED);
    fields.committed_above = wire_read_u64(reader, STATUS_COMMITTED_ABOVE);
    fields.version_min = wire_read_u32(reader, STATUS_VERSION_MIN);
    fields.version_max = wire_read_u32(reader, STATUS_VERSION_MAX);
    fields.reply_wanted = wire_read_bool(reader, STATUS_REPLY_WANTED);
    fields.prepared_words = wire_read_words(reader, STATUS_PREPARED_BITS, bits,
                                            PBFT_STATUS_WORDS_MAX);
    fields.attested = wire_read_u64(reader, STATUS_ATTESTED);
    fields.question = wire_read_u64(reader, STATUS_QUESTION);
    if (wire_reader_end(reader) != PBFT_OK) {
        return NULL;
    }
    return built(reader, pbft_status_create(&context->origin, &fields));
}

static struct pbft_message *decode_fetch(const struct decode_context *context,
                                         struct wire_reader *reader)
{
    struct pbft_fetch fields = {0};
    uint32_t kind = wire_read_u32(reader, FETCH_KIND);
    fields.seq = wire_read_u64(reader, FETCH_SEQ);
    fields.last = wire_read_u64(reader, FETCH_LAST);
    if (kind < PBFT_FETCH_BODY || kind > PBFT_FETCH_NEW_VIEW) {
        wire_reader_fail(reader, PBFT_MALFORMED);
        return NULL;
    }
    fields.kind = (enum pbft_fetch_kind)kind;
    if (wire_fetch_has_digest(fields.kind)) {
        wire_read_exact(reader, FETCH_DIGEST, fields.digest.bytes,
                        PBFT_DIGEST_SIZE);
    }
    if (wire_reader_end(reader) != PBFT_OK) {
        return NULL;
    }
    return built(reader, pbft_fetch_create(&context->origin, &fields));
}

static struct pbft_message *
decode_evidence(const struct decode_context *context,
                struct wire_reader *reader)
{
    struct pbft_evidence fields = {0};
    const struct pbft_bytes bytes =
        wire_read_bytes(reader, EVIDENCE_STATEMENTS, PBFT_EVIDENCE_BYTES_MAX);
    if (wire_reader_end(reader) != PBFT_OK) {
        return NULL;
    }
    if (pbft_evidence_decode(bytes, &fields) != PBFT_OK) {
        wire_reader_fail(reader, PBFT_MALFORMED);
        return NULL;
    }
    return built(reader, pbft_evidence_create(context->origin.sender,
                                              &fields.statements[0],
                                              &fields.statements[1]));
}

static struct pbft_message *decode_content(const struct decode_context *context,
                                           enum pbft_message_type type,
                                           struct wire_reader *reader)
{
    switch (type) {
    case PBFT_MESSAGE_REQUEST:
        return decode_request(context, reader);
    case PBFT_MESSAGE_PRE_PREPARE:
        return decode_pre_prepare(context, &context->origin, WIRE_BODY_INCLUDE,
                                  reader);
    case PBFT_MESSAGE_PREPARE:
    case PBFT_MESSAGE_COMMIT:
        return decode_vote(context, type, reader);
    case PBFT_MESSAGE_ATTESTATION:
        return decode_attestation(context, reader);
    case PBFT_MESSAGE_VIEW_CHANGE:
        return decode_view_change(context, reader);
    case PBFT_MESSAGE_NEW_VIEW:
        return decode_new_view(context, reader);
    case PBFT_MESSAGE_STATUS:
        return decode_status(context, reader);
    case PBFT_MESSAGE_FETCH:
        return decode_fetch(context, reader);
    case PBFT_MESSAGE_BATCH:
        return decode_batch(context, reader);
    case PBFT_MESSAGE_PREPARED:
    case PBFT_MESSAGE_COMMITTED:
        return decode_certificate(context, type, WIRE_BODY_INCLUDE, reader);
    case PBFT_MESSAGE_STABLE:
        return decode_stable(context, reader);
    case PBFT_MESSAGE_EVIDENCE:
        return decode_evidence(context, reader);
    }
    wire_reader_fail(reader, PBFT_MALFORMED);
    return NULL;
}

/* Sender, incarnation, epoch, signature and the one kind. */
static enum pbft_status read_frame(struct wire_reader *reader,
                                   struct pbft_origin *origin,
                                   enum pbft_message_type *type,
                                   struct wire_reader *content)
{
    *content = wire_reader_of((struct pbft_bytes){0});
    origin->sender = wire_read_u32(reader, MESSAGE_SENDER);
    origin->incarnation = wire_read_u64(reader, MESSAGE_INCARNATION);
    origin->epoch = wire_read_u64(reader, MESSAGE_EPOCH);
    bool has_signature = wire_next_field(reader) == MESSAGE_SIGNATURE;
    if (has_signature) {
        wire_read_exact(reader, MESSAGE_SIGNATURE, origin->signature.bytes,
                        PBFT_SIGNATURE_SIZE);
    }
    uint32_t field = wire_next_field(reader);
    if (field < MESSAGE_KIND + PBFT_MESSAGE_REQUEST ||
        field > MESSAGE_KIND + PBFT_MESSAGE_EVIDENCE) {
        wire_reader_fail(reader, PBFT_MALFORMED);
        return reader->status;
    }
    *type = (enum pbft_message_type)(field - MESSAGE_KIND);
    if (wire_is_signed(*type) != has_signature ||
        (!has_signature && origin->incarnation != 0)) {
        wire_reader_fail(reader, PBFT_MALFORMED);
    }
    (void)decode_open(reader, field, content);
    return wire_reader_end(reader);
}

static bool may_hold_requests(enum pbft_message_type type)
{
    return type == PBFT_MESSAGE_PRE_PREPARE || type == PBFT_MESSAGE_BATCH ||
           type == PBFT_MESSAGE_PREPARED || type == PBFT_MESSAGE_COMMITTED;
}

/* Chooses what payloads point into: the caller's buffer if the content fills
 * at least half of it, so that a request never pins much more than itself;
 * else one copy of a large content. Returns a reference or NULL. */
static struct pbft_buffer *choose_backing(struct pbft_buffer *given,
                                          enum pbft_message_type type,
                                          struct wire_reader *content)
{
    size_t size = (size_t)(content->end - content->at);
    if (given != NULL && size >= pbft_buffer_bytes(given).size / 2) {
        return pbft_buffer_ref(given);
    }
    if (!may_hold_requests(type) || size < COPY_ONCE_BYTES) {
        return NULL;
    }
    uint8_t *copy = malloc(size);
    if (copy == NULL) {
        return NULL; /* Each payload is copied by itself then. */
    }
    memcpy(copy, content->at, size);
    struct pbft_buffer *backing = pbft_buffer_create(copy, size);
    if (backing == NULL) {
        free(copy);
        return NULL;
    }
    *content = wire_reader_of((struct pbft_bytes){.data = copy, .size = size});
    return backing;
}

/* Ends a decoding: all fields must be taken. */
static enum pbft_status finish(const struct wire_reader *reader,
                               struct pbft_message *message,
                               const struct pbft_message **out)
{
    enum pbft_status status = wire_reader_end(reader);
    if (status == PBFT_OK) {
        *out = message;
    } else {
        pbft_message_unref(message);
        *out = NULL;
    }
    return status;
}

enum pbft_status wire_message_decode(const struct pbft_domain *domain,
                                     struct pbft_bytes bytes,
                                     struct pbft_buffer *backing,
                                     const struct pbft_message **out)
{
    struct decode_context context = {.domain = domain};
    struct wire_reader reader = wire_reader_of(bytes);
    struct wire_reader content;
    enum pbft_message_type type = PBFT_MESSAGE_REQUEST;
    *out = NULL;
    if (bytes.size > WIRE_MESSAGE_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    enum pbft_status status =
        read_frame(&reader, &context.origin, &type, &content);
    if (status != PBFT_OK) {
        return status;
    }
    context.backing = choose_backing(backing, type, &content);
    struct pbft_message *message = decode_content(&context, type, &content);
    if (message != NULL) {
        /* What the constructors of unsigned types do not take. */
        message->sender = context.origin.sender;
        message->epoch = context.origin.epoch;
    }
    status = finish(&content, message, out);
    pbft_buffer_unref(context.backing);
    return status;
}

enum pbft_status wire_request_decode(const struct pbft_domain *domain,
                                     struct pbft_bytes bytes,
                                     pbft_replica_id relay,
                                     const struct pbft_message **out)
{
    struct decode_context context = {.domain = domain, .origin.sender = relay};
    struct wire_reader reader = wire_reader_of(bytes);
    *out = NULL;
    if (bytes.size > WIRE_MESSAGE_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    struct pbft_message *message = decode_request(&context, &reader);
    return finish(&reader, message, out);
}
