/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: what a seed of a kind of run looks like. */
#ifndef SIM_PROFILE_H
#define SIM_PROFILE_H

#include "sim/sim.h"

struct profile {
    const char *name;
    const char *says;
    void (*draw)(struct sim_settings *settings, uint64_t seed);
};

extern const struct profile profiles[];
extern const size_t profile_count;

/* NULL: there is none of that name. */
const struct profile *profile_find(const char *name);

/* What all runs share, before a profile or script changes it. */
void profile_defaults(struct sim_settings *settings);

#endif /* SIM_PROFILE_H */
