/* SPDX-License-Identifier: Apache-2.0 */
/* NICs and links: an envelope waits its turn at the sender's NIC, on the link,
 * travels, and waits its turn at the receiver's NIC. */
#include <stdlib.h>

#include "sim/bench_world.h"

#define BITS_PER_BYTE 8
#define NS_PER_SECOND 1e9
#define NS_PER_MS 1e6
/* Ethernet, IP, TCP and TLS around each envelope. */
#define FRAME_BYTES 100
/* Delays vary by up to so many percent. */
#define JITTER_PERCENT 4

void bench_envelope_free(struct bench_envelope *envelope)
{
    if (envelope != NULL) {
        for (uint32_t i = 0; i < envelope->count; i++) {
            pbft_message_unref(envelope->messages[i]);
        }
        free(envelope);
    }
}

static uint64_t serialize_ns(const struct bench_envelope *envelope,
                             double bits_per_second)
{
    double bits = (double)(envelope->bytes + FRAME_BYTES) * BITS_PER_BYTE;
    return bits_per_second > 0
               ? (uint64_t)(bits / bits_per_second * NS_PER_SECOND)
               : 0;
}

/* Occupies what is free from *free_ns on; when it is done. */
static uint64_t occupy(uint64_t *free_ns, uint64_t from_ns, uint64_t ns)
{
    *free_ns = (*free_ns > from_ns ? *free_ns : from_ns) + ns;
    return *free_ns;
}

/* Takes over the envelope. */
void bench_send(struct bench_world *world, struct bench_envelope *envelope)
{
    const struct bench_settings *settings = world->settings;
    struct bench_replica *from = &world->replicas[envelope->from];
    uint64_t nic = serialize_ns(envelope, settings->nic_bits_per_second);
    uint64_t link = serialize_ns(envelope, settings->link_bits_per_second);
    double delay =
        bench_one_way_ms(&settings->latency, envelope->from, envelope->to) *
        NS_PER_MS;
    delay += delay * JITTER_PERCENT / 100 *
             (double)random_below(&world->random, 1000) / 1000;
    from->nic_out_ns += nic;
    from->bytes_sent += envelope->bytes;
    uint64_t out = occupy(&from->nic_out_free_ns, world->now_ns, nic);
    /* A link passes on what the NIC sends; it is slower, or no hindrance. */
    uint64_t sent = occupy(&from->link_free_ns[envelope->to], out,
                           link > nic ? link - nic : 0);
    bench_schedule(world, EVENT_ARRIVES, envelope->to, 0, envelope,
                   sent + (uint64_t)delay);
}

void bench_on_arrival(struct bench_world *world,
                      struct bench_envelope *envelope)
{
    struct bench_replica *to = &world->replicas[envelope->to];
    uint64_t nic = serialize_ns(envelope, world->settings->nic_bits_per_second);
    to->nic_in_ns += nic;
    bench_schedule(world, EVENT_RECEIVED, envelope->to, 0, envelope,
                   occupy(&to->nic_in_free_ns, world->now_ns, nic));
}
