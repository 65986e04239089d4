/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes: many messages to one peer in one network message. */
#include <string.h>

#include "proto/codec.h"
#include "proto/codec_fields.h"
#include "proto/reader.h"
#include "proto/writer.h"

void wire_envelope_begin(struct wire_buffer *buffer,
                         const struct pbft_digest *cluster,
                         pbft_replica_id sender)
{
    wire_write_u64(buffer, ENVELOPE_VERSION, PBFT_PROTOCOL_VERSION);
    wire_write_bytes(buffer, ENVELOPE_CLUSTER, cluster->bytes,
                     WIRE_CLUSTER_PREFIX_SIZE);
    wire_write_u64(buffer, ENVELOPE_SENDER, sender);
}

/* Leaves the envelope as it was if there is no room. */
static enum pbft_status add(struct wire_buffer *buffer, uint32_t field,
                            struct pbft_bytes bytes, uint32_t *count,
                            uint32_t count_max)
{
    size_t before = buffer->size;
    if (*count == count_max) {
        return PBFT_LIMIT;
    }
    wire_write_element(buffer, field, bytes.data, bytes.size);
    if (buffer->status == PBFT_OK && buffer->size <= WIRE_FRAME_BYTES_MAX) {
        (*count)++;
        return PBFT_OK;
    }
    enum pbft_status status = buffer->status;
    buffer->size = before;
    buffer->status = PBFT_OK;
    return status == PBFT_NO_MEMORY ? status : PBFT_LIMIT;
}

enum pbft_status wire_envelope_add(struct wire_buffer *buffer,
                                   struct pbft_bytes message, uint32_t *count)
{
    return add(buffer, ENVELOPE_MESSAGES, message, count,
               WIRE_ENVELOPE_MESSAGES_MAX);
}

enum pbft_status wire_envelope_add_delivery(struct wire_buffer *buffer,
                                            struct pbft_bytes delivery,
                                            uint32_t *count)
{
    return add(buffer, ENVELOPE_DELIVERIES, delivery, count,
               WIRE_ENVELOPE_DELIVERIES_MAX);
}

struct list_limits {
    uint32_t field;
    uint32_t bytes_max;
    uint32_t count_max;
};

static const struct list_limits messages_limits = {
    ENVELOPE_MESSAGES, WIRE_MESSAGE_BYTES_MAX, WIRE_ENVELOPE_MESSAGES_MAX};
static const struct list_limits deliveries_limits = {
    ENVELOPE_DELIVERIES, WIRE_DELIVERY_BYTES_MAX, WIRE_ENVELOPE_DELIVERIES_MAX};

/* Walks over the elements, so that taking them later cannot fail. */
static uint32_t check_list(struct wire_reader *reader,
                           const struct list_limits *limits,
                           struct pbft_bytes *out)
{
    struct pbft_bytes element;
    uint32_t count = 0;
    out->data = reader->at;
    while (
        wire_read_element(reader, limits->field, limits->bytes_max, &element)) {
        if (count == limits->count_max) {
            wire_reader_fail(reader, PBFT_TOO_LARGE);
            break;
        }
        if (element.size == 0) {
            wire_reader_fail(reader, PBFT_MALFORMED);
            break;
        }
        count++;
    }
    out->size = (size_t)(reader->at - out->data);
    return count;
}

enum pbft_status wire_envelope_decode(const struct pbft_digest *cluster,
                                      struct pbft_bytes bytes,
                                      struct wire_envelope *out)
{
    struct wire_reader reader = wire_reader_of(bytes);
    *out = (struct wire_envelope){0};
    if (bytes.size > WIRE_FRAME_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    uint32_t version = wire_read_u32(&reader, ENVELOPE_VERSION);
    /* What another version means by the rest is unknown. */
    if (reader.status == PBFT_OK && version != PBFT_PROTOCOL_VERSION) {
        return PBFT_VERSION;
    }
    wire_read_exact(&reader, ENVELOPE_CLUSTER, out->cluster,
                    WIRE_CLUSTER_PREFIX_SIZE);
    out->sender = wire_read_u32(&reader, ENVELOPE_SENDER);
    out->message_count = check_list(&reader, &messages_limits, &out->rest);
    (void)check_list(&reader, &deliveries_limits, &out->deliveries);
    enum pbft_status status = wire_reader_end(&reader);
    if (status == PBFT_OK &&
        memcmp(out->cluster, cluster->bytes, WIRE_CLUSTER_PREFIX_SIZE) != 0) {
        status = PBFT_WRONG_IDENTITY;
    }
    if (status != PBFT_OK) {
        *out = (struct wire_envelope){0};
    }
    return status;
}

static bool next(struct pbft_bytes *rest, const struct list_limits *limits,
                 struct pbft_bytes *out)
{
    struct wire_reader reader = wire_reader_of(*rest);
    if (!wire_read_element(&reader, limits->field, limits->bytes_max, out)) {
        return false;
    }
    rest->data = reader.at;
    rest->size = (size_t)(reader.end - reader.at);
    return true;
}

bool wire_envelope_next(struct wire_envelope *envelope,
                        struct pbft_bytes *message)
{
    return next(&envelope->rest, &messages_limits, message);
}

bool wire_envelope_next_delivery(struct wire_envelope *envelope,
                                 struct pbft_bytes *delivery)
{
    return next(&envelope->deliveries, &deliveries_limits, delivery);
}
