/* SPDX-License-Identifier: Apache-2.0 */
/* All faults in one row, and what the tables share. A new fault is a row in the
 * table of its class and two small functions; what it changed goes into struct
 * fault, so that its end can undo it. */
#include "consensus/assert.h"
#include "sim/fault_tools.h"

static const struct fault_kind *const tables[FAULT_CLASS_COUNT] = {
    [FAULT_NETWORK] = fault_network_kinds,
    [FAULT_PROCESS] = fault_process_kinds,
    [FAULT_STORAGE] = fault_storage_kinds,
};

static const char *const class_names[FAULT_CLASS_COUNT] = {
    [FAULT_NETWORK] = "network",
    [FAULT_PROCESS] = "process",
    [FAULT_STORAGE] = "storage",
};

const char *fault_class_name(enum fault_class class)
{
    return class_names[class];
}

const struct fault_kind *fault_kind_at(uint32_t index, enum fault_class *class)
{
    for (int i = 0; i < FAULT_CLASS_COUNT; i++) {
        for (const struct fault_kind *kind = tables[i]; kind->name != NULL;
             kind++) {
            if (index-- == 0) {
                *class = (enum fault_class)i;
                return kind;
            }
        }
    }
    return NULL;
}

void fault_crash(struct sim *sim, struct host *host)
{
    struct random *random = &sim->faults.random;
    size_t keep = random_below(random, host->disk.pending_count + 1);
    size_t size = disk_pending_bytes(&host->disk, keep);
    bool is_torn = random_chance(random, 500) && size > 1;
    host_crash(host, keep, is_torn ? random_between(random, 1, size - 1) : 0);
}

void fault_restart(struct sim *sim, uint32_t index)
{
    if (sim->hosts[index]->state == HOST_DOWN) {
        host_start(sim->hosts[index]);
    }
}

void fault_end_nothing(struct sim *sim, const struct fault *fault)
{
    (void)sim;
    (void)fault;
}

void fault_end_restart(struct sim *sim, const struct fault *fault)
{
    fault_restart(sim, fault->target);
}
