/* SPDX-License-Identifier: Apache-2.0 */
/* The toy network: one bag of packets, taken in order or by the seed. */
#include <stdlib.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "tests/support/cluster.h"

/* A 64-bit LCG (Knuth's MMIX constants); the high bits are good enough. */
static uint32_t draw(struct cluster *cluster, uint32_t below)
{
    cluster->random =
        cluster->random * UINT64_C(6364136223846793005) + UINT64_C(1);
    return (uint32_t)(cluster->random >> 33) % below;
}

static void put(struct cluster *cluster, const struct cluster_packet *packet)
{
    if (cluster->packet_count == cluster->packet_capacity) {
        cluster->packet_capacity = 2 * cluster->packet_capacity + 64;
        cluster->packets =
            realloc(cluster->packets,
                    cluster->packet_capacity * sizeof *cluster->packets);
        PBFT_ASSERT(cluster->packets != NULL);
    }
    cluster->packets[cluster->packet_count] = *packet;
    (void)pbft_message_ref(packet->message);
    cluster->packet_count++;
}

static bool is_lost(struct cluster *cluster,
                    const struct cluster_packet *packet)
{
    if (pbft_set_has(&cluster->cut[packet->from], packet->to)) {
        return true;
    }
    if (cluster->filter != NULL &&
        cluster->filter(cluster->filter_context, packet)) {
        return true;
    }
    return cluster->loss_percent > 0 &&
           draw(cluster, 100) < cluster->loss_percent;
}

void cluster_network_send(struct cluster *cluster, pbft_replica_id from,
                          const struct pbft_send *send)
{
    PBFT_ASSERT(!pbft_set_has(&send->to, from));
    for (pbft_replica_id to = 0; to < cluster->cast.n; to++) {
        const struct cluster_packet packet = {from, to, send->message};
        if (!pbft_set_has(&send->to, to) || is_lost(cluster, &packet)) {
            continue;
        }
        put(cluster, &packet);
        if (cluster->duplicate_percent > 0 &&
            draw(cluster, 100) < cluster->duplicate_percent) {
            put(cluster, &packet);
        }
    }
}

bool cluster_network_take(struct cluster *cluster, struct cluster_packet *out)
{
    if (cluster->packet_count == 0) {
        return false;
    }
    size_t at = cluster->random == 0
                    ? 0
                    : draw(cluster, (uint32_t)cluster->packet_count);
    *out = cluster->packets[at];
    cluster->packet_count--;
    if (cluster->random != 0) {
        cluster->packets[at] = cluster->packets[cluster->packet_count];
        return true;
    }
    for (size_t i = 0; i < cluster->packet_count; i++) {
        cluster->packets[i] = cluster->packets[i + 1];
    }
    return true;
}

void cluster_drop_packets(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->packet_count; i++) {
        pbft_message_unref(cluster->packets[i].message);
    }
    cluster->packet_count = 0;
}

void cluster_isolate(struct cluster *cluster, pbft_replica_id id)
{
    for (pbft_replica_id other = 0; other < cluster->cast.n; other++) {
        if (other != id) {
            pbft_set_add(&cluster->cut[id], other);
            pbft_set_add(&cluster->cut[other], id);
        }
    }
}

void cluster_heal(struct cluster *cluster)
{
    for (pbft_replica_id id = 0; id < cluster->cast.n; id++) {
        cluster->cut[id] = (struct pbft_replica_set){{0}};
    }
}
