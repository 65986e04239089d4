/* SPDX-License-Identifier: Apache-2.0 */
/* Encodes the sends of many outputs once and deals them out to the peers. */
#include "node/transport.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "node/journal.h"
#include "proto/codec.h"

/* Encoded messages that wait to be dealt out; more go in parts. Two
 * frames, so that the largest message finds room after the others. */
#define TURN_BYTES_MAX (2u * WIRE_FRAME_BYTES_MAX)
#define TURN_SENDS_MAX WIRE_ENVELOPE_MESSAGES_MAX

struct encoded {
    struct pbft_replica_set to;
    size_t offset;
    size_t size;
};

struct transport {
    struct net_peers *peers;
    struct pbft_digest cluster;
    pbft_replica_id self;
    uint32_t replica_count;
    /* For the protocol thread. */
    struct wire_buffer messages;
    struct wire_buffer envelope;
    struct encoded sends[TURN_SENDS_MAX];
    size_t send_count;
};

struct transport *transport_create(struct net_peers *peers,
                                   const struct pbft_digest *cluster,
                                   pbft_replica_id self, uint32_t replica_count)
{
    struct transport *transport = calloc(1, sizeof *transport);
    PBFT_ASSERT(transport != NULL);
    transport->peers = peers;
    transport->cluster = *cluster;
    transport->self = self;
    transport->replica_count = replica_count;
    wire_buffer_init(&transport->messages, TURN_BYTES_MAX);
    wire_buffer_init(&transport->envelope, WIRE_FRAME_BYTES_MAX);
    return transport;
}

void transport_destroy(struct transport *transport)
{
    if (transport == NULL) {
        return;
    }
    wire_buffer_deinit(&transport->messages);
    wire_buffer_deinit(&transport->envelope);
    free(transport);
}

static void send_envelope(struct transport *transport,
                          const struct pbft_replica_set *to)
{
    for (pbft_replica_id id = 0; id < transport->replica_count; id++) {
        if (pbft_set_has(to, id)) {
            /* Dropped and counted in net/: the core resends what matters. */
            enum pbft_status status = net_peers_send(
                transport->peers, id, wire_buffer_bytes(&transport->envelope));
            (void)status;
        }
    }
}

static void begin_envelope(struct transport *transport)
{
    wire_buffer_reset(&transport->envelope);
    wire_envelope_begin(&transport->envelope, &transport->cluster,
                        transport->self);
}

/* Adds one message; a full envelope is sent and another one begun. */
static void add(struct transport *transport, const struct pbft_replica_set *to,
                struct pbft_bytes message, uint32_t *count)
{
    enum pbft_status status =
        wire_envelope_add(&transport->envelope, message, count);
    if (status == PBFT_LIMIT && *count > 0) {
        send_envelope(transport, to);
        begin_envelope(transport);
        *count = 0;
        status = wire_envelope_add(&transport->envelope, message, count);
    }
    if (status != PBFT_OK) {
        journal(JOURNAL_ERROR, "send-failed", "reason=\"%s\" bytes=%zu",
                pbft_status_text(status), message.size);
    }
}

/* Those of `among` who get the same messages as `one` of them. */
static struct pbft_replica_set find_alike(const struct transport *transport,
                                          const struct pbft_replica_set *among,
                                          pbft_replica_id one)
{
    struct pbft_replica_set alike = *among;
    for (size_t i = 0; i < transport->send_count; i++) {
        const struct pbft_replica_set *to = &transport->sends[i].to;
        const uint64_t others = pbft_set_has(to, one) ? 0 : UINT64_MAX;
        for (size_t word = 0; word < PBFT_REPLICAS_MAX / 64; word++) {
            alike.words[word] &= to->words[word] ^ others;
        }
    }
    return alike;
}

/* The messages that go to `one`, to all of `to`. */
static void fill_envelope(struct transport *transport, pbft_replica_id one,
                          const struct pbft_replica_set *to)
{
    uint32_t count = 0;
    struct pbft_bytes all = wire_buffer_bytes(&transport->messages);
    begin_envelope(transport);
    for (size_t i = 0; i < transport->send_count; i++) {
        const struct encoded *send = &transport->sends[i];
        if (pbft_set_has(&send->to, one)) {
            add(transport, to,
                (struct pbft_bytes){all.data + send->offset, send->size},
                &count);
        }
    }
    if (count > 0) {
        send_envelope(transport, to);
    }
}

/* Sends everything that was encoded. Peers who get the same messages, which is
 * the usual case, get copies of one envelope. */
static void deal_out(struct transport *transport)
{
    struct pbft_replica_set left = {{0}};
    for (size_t i = 0; i < transport->send_count; i++) {
        for (size_t word = 0; word < PBFT_REPLICAS_MAX / 64; word++) {
            left.words[word] |= transport->sends[i].to.words[word];
        }
    }
    pbft_set_remove(&left, transport->self);
    for (pbft_replica_id id = 0; id < transport->replica_count; id++) {
        if (pbft_set_has(&left, id)) {
            const struct pbft_replica_set alike =
                find_alike(transport, &left, id);
            fill_envelope(transport, id, &alike);
            for (size_t word = 0; word < PBFT_REPLICAS_MAX / 64; word++) {
                left.words[word] &= ~alike.words[word];
            }
        }
    }
    transport->send_count = 0;
    wire_buffer_reset(&transport->messages);
}

static void encode(struct transport *transport, const struct pbft_send *send)
{
    size_t offset = transport->messages.size;
    enum pbft_status status = wire_message_encode(
        send->message, WIRE_BODY_INCLUDE, &transport->messages);
    if (status == PBFT_TOO_LARGE && offset > 0) {
        deal_out(transport);
        offset = 0;
        status = wire_message_encode(send->message, WIRE_BODY_INCLUDE,
                                     &transport->messages);
    }
    if (status != PBFT_OK) {
        journal(JOURNAL_ERROR, "encode-failed", "type=%s reason=\"%s\"",
                pbft_message_type_name(send->message->type),
                pbft_status_text(status));
        return;
    }
    transport->sends[transport->send_count++] =
        (struct encoded){.to = send->to,
                         .offset = offset,
                         .size = transport->messages.size - offset};
}

static void send_all(void *context, const struct pbft_send *sends, size_t count)
{
    struct transport *transport = context;
    for (size_t i = 0; i < count; i++) {
        if (transport->send_count == TURN_SENDS_MAX) {
            deal_out(transport);
        }
        encode(transport, &sends[i]);
    }
}

void transport_flush(struct transport *transport)
{
    if (transport->send_count > 0) {
        deal_out(transport);
    }
}

struct pbft_transport transport_vtable(struct transport *transport)
{
    return (struct pbft_transport){.context = transport, .send = send_all};
}

static enum pbft_status wrap_one(struct transport *transport,
                                 const struct pbft_message *message,
                                 struct wire_buffer *encoded,
                                 struct wire_buffer *envelope)
{
    uint32_t count = 0;
    enum pbft_status status =
        wire_message_encode(message, WIRE_BODY_INCLUDE, encoded);
    if (status != PBFT_OK) {
        return status;
    }
    wire_envelope_begin(envelope, &transport->cluster, transport->self);
    return wire_envelope_add(envelope, wire_buffer_bytes(encoded), &count);
}

enum pbft_status transport_send_one(struct transport *transport,
                                    pbft_replica_id to,
                                    const struct pbft_message *message)
{
    struct wire_buffer encoded;
    struct wire_buffer envelope;
    wire_buffer_init(&encoded, WIRE_MESSAGE_BYTES_MAX);
    wire_buffer_init(&envelope, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = wrap_one(transport, message, &encoded, &envelope);
    if (status == PBFT_OK) {
        status =
            net_peers_send(transport->peers, to, wire_buffer_bytes(&envelope));
    }
    wire_buffer_deinit(&encoded);
    wire_buffer_deinit(&envelope);
    return status;
}

enum pbft_status transport_send_delivery(struct transport *transport,
                                         pbft_replica_id to,
                                         struct pbft_bytes delivery)
{
    struct wire_buffer envelope;
    uint32_t count = 0;
    wire_buffer_init(&envelope,
                     WIRE_DELIVERY_BYTES_MAX + WIRE_ENVELOPE_OVERHEAD_MAX);
    wire_envelope_begin(&envelope, &transport->cluster, transport->self);
    enum pbft_status status =
        wire_envelope_add_delivery(&envelope, delivery, &count);
    if (status == PBFT_OK) {
        status =
            net_peers_send(transport->peers, to, wire_buffer_bytes(&envelope));
    }
    wire_buffer_deinit(&envelope);
    return status;
}
