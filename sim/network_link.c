/* SPDX-License-Identifier: Apache-2.0 */
/* What single links do: cut, slow, clogged. */
#include "consensus/assert.h"
#include "sim/sim.h"

static void check_link(uint32_t from, uint32_t to)
{
    PBFT_ASSERT(from < SIM_HOSTS_MAX && to < SIM_HOSTS_MAX);
}

void network_join(struct network *network, uint32_t from, uint32_t to)
{
    check_link(from, to);
    if (network->cuts[from][to] > 0) {
        network->cuts[from][to]--;
    }
}

void network_join_all(struct network *network)
{
    for (uint32_t from = 0; from < SIM_HOSTS_MAX; from++) {
        for (uint32_t to = 0; to < SIM_HOSTS_MAX; to++) {
            network->cuts[from][to] = 0;
        }
    }
}

void network_slow_link(struct network *network, uint32_t from, uint32_t to,
                       uint16_t factor)
{
    check_link(from, to);
    network->factors[from][to] = factor;
}

void network_clog(struct network *network, uint32_t from, uint32_t to)
{
    check_link(from, to);
    PBFT_ASSERT(network->clogs[from][to] < UINT8_MAX);
    network->clogs[from][to]++;
}

void network_unclog(struct network *network, uint32_t from, uint32_t to)
{
    check_link(from, to);
    if (network->clogs[from][to] == 0 || --network->clogs[from][to] > 0) {
        return;
    }
    for (struct sim_packet *packet = network_link(network, from, to)->first;
         packet != NULL; packet = packet->link_next) {
        if (packet->from == from && packet->to == to &&
            packet->state == PACKET_CLOGGED) {
            network_set_out(network, packet, 0);
        }
    }
}

void network_heal_link(struct network *network, uint32_t from, uint32_t to)
{
    check_link(from, to);
    network->cuts[from][to] = 0;
    network->factors[from][to] = 0;
    if (network->clogs[from][to] > 0) {
        network->clogs[from][to] = 1;
        network_unclog(network, from, to);
    }
}
