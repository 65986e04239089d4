/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of the tables of faults share. Private to fault_*.c. */
#ifndef SIM_FAULT_TOOLS_H
#define SIM_FAULT_TOOLS_H

#include "sim/faults.h"
#include "sim/sim.h"

/* The tables, by class; each ends with a row without a name. */
extern const struct fault_kind fault_network_kinds[];
extern const struct fault_kind fault_process_kinds[];
extern const struct fault_kind fault_storage_kinds[];

static inline bool fault_has_member(const struct fault *fault, uint32_t host)
{
    return (fault->members[host / 64] >> host % 64 & 1) != 0;
}

static inline void fault_add_member(struct fault *fault, uint32_t host)
{
    fault->members[host / 64] |= UINT64_C(1) << host % 64;
}

static inline struct host *fault_host(struct sim *sim,
                                      const struct fault *fault)
{
    return sim->hosts[fault->target];
}

/* Power loss; what survives of the pending writes is up to the disk. */
void fault_crash(struct sim *sim, struct host *host);
void fault_restart(struct sim *sim, uint32_t index);

/* The target is the primary, as the drawn replica sees it. False: it is down.
 */
bool fault_take_primary(struct sim *sim, struct fault *fault);

/* fault_process.c */
bool fault_begin_unreadable(struct sim *sim, struct fault *fault);
void fault_end_unreadable(struct sim *sim, const struct fault *fault);
/* fault_filter.c */
bool fault_begin_deaf_to_type(struct sim *sim, struct fault *fault);
bool fault_begin_client_cut(struct sim *sim, struct fault *fault);
void fault_end_filter(struct sim *sim, const struct fault *fault);

/* For the column "end". */
void fault_end_nothing(struct sim *sim, const struct fault *fault);
void fault_end_restart(struct sim *sim, const struct fault *fault);

#endif /* SIM_FAULT_TOOLS_H */
