/* SPDX-License-Identifier: Apache-2.0 */
/* What a bad stack does to messages: old ones come again, bits flip. */
#include "proto/codec.h"
#include "sim/sim.h"

/* One in so many is remembered. */
#define RECORD_ONE_IN 4
#define FLIPS_MAX 8

void network_record(struct network *network, uint32_t from, uint32_t to,
                    const struct pbft_message *message)
{
    if (network->counts.sent % RECORD_ONE_IN != 0) {
        return;
    }
    struct network_record *record =
        &network->recorded[network->recorded_count++ % NETWORK_RECORDED_MAX];
    pbft_message_unref(record->message);
    *record = (struct network_record){from, to, pbft_message_ref(message)};
}

void network_forget_records(struct network *network)
{
    for (size_t i = 0; i < NETWORK_RECORDED_MAX; i++) {
        pbft_message_unref(network->recorded[i].message);
        network->recorded[i].message = NULL;
    }
}

bool network_replay(struct network *network, struct random *random,
                    uint64_t count)
{
    uint64_t have = network->recorded_count < NETWORK_RECORDED_MAX
                        ? network->recorded_count
                        : NETWORK_RECORDED_MAX;
    for (uint64_t i = 0; have > 0 && i < count; i++) {
        const struct network_record *record =
            &network->recorded[random_below(random, have)];
        const struct pbft_message *message = pbft_message_ref(record->message);
        network_send(network, record->from, record->to, message, NULL);
        pbft_message_unref(message);
    }
    return have > 0;
}

/* Empty: it has no encoding. */
static void encode(const struct pbft_message *message,
                   struct wire_buffer *buffer)
{
    wire_buffer_init(buffer, WIRE_MESSAGE_BYTES_MAX);
    if (wire_message_encode(message, WIRE_BODY_INCLUDE, buffer) != PBFT_OK) {
        wire_buffer_reset(buffer);
    }
}

static const struct pbft_message *decode(const struct network *network,
                                         const struct wire_buffer *buffer)
{
    const struct pbft_message *out = NULL;
    const struct pbft_domain *domain = &network->sim->hosts[0]->domain;
    enum pbft_status status =
        wire_message_decode(domain, wire_buffer_bytes(buffer), NULL, &out);
    return status == PBFT_OK ? out : NULL;
}

const struct pbft_message *network_recode(struct network *network,
                                          const struct pbft_message *message)
{
    struct wire_buffer buffer;
    encode(message, &buffer);
    const struct pbft_message *out =
        buffer.size > 0 ? decode(network, &buffer) : NULL;
    wire_buffer_deinit(&buffer);
    return out;
}

bool network_send_recoded(struct network *network, uint32_t from, uint32_t to,
                          const struct pbft_message *message)
{
    const struct pbft_message *recoded = network_recode(network, message);
    if (recoded == NULL) {
        network_lose(network, from, to, message, "malformed");
        return false;
    }
    network_send(network, from, to, recoded, NULL);
    pbft_message_unref(recoded);
    return true;
}

const struct pbft_message *network_corrupt(struct network *network,
                                           const struct pbft_message *message)
{
    struct wire_buffer buffer;
    const struct pbft_message *out = NULL;
    encode(message, &buffer);
    if (buffer.size > 0) {
        uint64_t flips = random_between(&network->random, 1, FLIPS_MAX);
        for (uint64_t i = 0; i < flips; i++) {
            uint64_t bit =
                random_below(&network->random, 8 * (uint64_t)buffer.size);
            buffer.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        out = decode(network, &buffer);
    }
    wire_buffer_deinit(&buffer);
    return out;
}
