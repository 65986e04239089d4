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

enum pbft_status wire_envelope_add(struct wire_buffer *buffer,
                                   struct pbft_bytes message, uint32_t *count)
{
    size_t before = buffer->size;
    if (*count == WIRE_ENVELOPE_MESSAGES_MAX) {
        return PBFT_LIMIT;
    }
    wire_write_element(buffer, ENVELOPE_MESSAGES, message.data, message.size);
    if (buffer->status == PBFT_OK && buffer->size <= WIRE_FRAME_BYTES_MAX) {
        (*count)++;
        return PBFT_OK;
    }
    enum pbft_status status = buffer->status;
    buffer->size = before;
    buffer->status = PBFT_OK;
    return status == PBFT_NO_MEMORY ? status : PBFT_LIMIT;
}

/* Walks over the messages, so that taking them later cannot fail. */
static void check_messages(struct wire_reader *reader,
                           struct wire_envelope *out)
{
    struct pbft_bytes message;
    out->rest.data = reader->at;
    while (wire_read_element(reader, ENVELOPE_MESSAGES, WIRE_MESSAGE_BYTES_MAX,
                             &message)) {
        if (out->message_count == WIRE_ENVELOPE_MESSAGES_MAX) {
            wire_reader_fail(reader, PBFT_TOO_LARGE);
            return;
        }
        if (message.size == 0) {
            wire_reader_fail(reader, PBFT_MALFORMED);
            return;
        }
        out->message_count++;
    }
    out->rest.size = (size_t)(reader->at - out->rest.data);
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
    check_messages(&reader, out);
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

bool wire_envelope_next(struct wire_envelope *envelope,
                        struct pbft_bytes *message)
{
    struct wire_reader reader = wire_reader_of(envelope->rest);
    if (!wire_read_element(&reader, ENVELOPE_MESSAGES, WIRE_MESSAGE_BYTES_MAX,
                           message)) {
        return false;
    }
    envelope->rest.data = reader.at;
    envelope->rest.size = (size_t)(reader.end - reader.at);
    return true;
}
