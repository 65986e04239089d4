/* SPDX-License-Identifier: Apache-2.0 */
/* Links on which some messages arrive and others do not. What is lost is
 * decided where it would arrive, while such a fault lasts. */
#include "consensus/quorum.h"
#include "sim/fault_tools.h"

#define BIT(type) (UINT32_C(1) << (type))

/* In the value of a fault: types, and whether the target sends or receives. */
#define IS_FROM_TARGET (UINT64_C(1) << 32)

static const uint32_t type_groups[] = {
    BIT(PBFT_MESSAGE_REQUEST),
    BIT(PBFT_MESSAGE_PRE_PREPARE),
    BIT(PBFT_MESSAGE_PREPARE),
    BIT(PBFT_MESSAGE_COMMIT),
    BIT(PBFT_MESSAGE_ATTESTATION),
    BIT(PBFT_MESSAGE_VIEW_CHANGE),
    BIT(PBFT_MESSAGE_NEW_VIEW),
    BIT(PBFT_MESSAGE_STATUS),
    BIT(PBFT_MESSAGE_FETCH),
    BIT(PBFT_MESSAGE_BATCH) | BIT(PBFT_MESSAGE_PREPARED) |
        BIT(PBFT_MESSAGE_COMMITTED) | BIT(PBFT_MESSAGE_STABLE),
};

static bool is_type_lost(const struct fault *fault,
                         const struct sim_packet *packet)
{
    const uint32_t end =
        (fault->value & IS_FROM_TARGET) != 0 ? packet->from : packet->to;
    return end == fault->target && !actor_is_client(packet->from) &&
           !actor_is_client(packet->to) &&
           (fault->value & BIT(packet->message->type)) != 0;
}

static bool is_client_lost(const struct fault *fault,
                           const struct sim_packet *packet)
{
    return (packet->from == fault->target && actor_is_client(packet->to)) ||
           (packet->to == fault->target && actor_is_client(packet->from));
}

static enum packet_fate filter(void *context, const struct sim_packet *packet)
{
    const struct sim *sim = context;
    for (uint32_t i = 0; i < sim->faults.active_count; i++) {
        const struct fault *fault = &sim->faults.active[i];
        if ((fault->kind->begin == fault_begin_deaf_to_type &&
             is_type_lost(fault, packet)) ||
            (fault->kind->begin == fault_begin_client_cut &&
             is_client_lost(fault, packet))) {
            return FATE_DROP;
        }
    }
    return FATE_DELIVER;
}

/* False: the filter is somebody else's. */
static bool take_filter(struct sim *sim)
{
    if (sim->network.filter != NULL && sim->network.filter != filter) {
        return false;
    }
    sim->network.filter_context = sim;
    sim->network.filter = filter;
    return true;
}

bool fault_begin_deaf_to_type(struct sim *sim, struct fault *fault)
{
    struct random *random = &sim->faults.random;
    const size_t count = sizeof type_groups / sizeof type_groups[0];
    fault->value = type_groups[random_below(random, count)];
    fault->value |= random_chance(random, 500) ? IS_FROM_TARGET : 0;
    return take_filter(sim);
}

bool fault_begin_client_cut(struct sim *sim, struct fault *fault)
{
    return fault_take_primary(sim, fault) && take_filter(sim);
}

void fault_end_filter(struct sim *sim, const struct fault *fault)
{
    (void)fault; /* It is not active any more. */
    for (uint32_t i = 0; i < sim->faults.active_count; i++) {
        if (sim->faults.active[i].kind->end == fault_end_filter) {
            return;
        }
    }
    sim->network.filter = NULL;
}
