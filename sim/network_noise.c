/* SPDX-License-Identifier: Apache-2.0 */
/* What a bad stack does to messages: old ones come again, bits flip. */
#include <stdlib.h>

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

const struct pbft_message *network_corrupt(struct network *network,
                                           const struct pbft_message *message)
{
    struct wire_buffer buffer;
    const struct pbft_message *out = NULL;
    size_t size = 0;
    struct pbft_domain domain = network->sim->hosts[0]->domain;
    wire_buffer_init(&buffer, WIRE_MESSAGE_BYTES_MAX);
    if (wire_message_encode(message, WIRE_BODY_INCLUDE, &buffer) != PBFT_OK) {
        wire_buffer_deinit(&buffer);
        return NULL; /* What an adversary made need not have an encoding. */
    }
    uint8_t *bytes = wire_buffer_take(&buffer, &size);
    uint64_t flips = random_between(&network->random, 1, FLIPS_MAX);
    for (uint64_t i = 0; i < flips; i++) {
        uint64_t bit = random_below(&network->random, 8 * (uint64_t)size);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    if (wire_message_decode(&domain, (struct pbft_bytes){bytes, size}, NULL,
                            &out) != PBFT_OK) {
        out = NULL;
    }
    free(bytes);
    return out;
}
