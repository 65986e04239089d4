/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a failing run smaller: leaves out faults and requests, and turns down
 * settings, while the same invariant still breaks.
 *
 * What can be turned down is a table of numbers. The same table names them in
 * the directive `replay` of a scenario script, to which a result is written.
 */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "sim/profile.h"

struct shrink_number {
    const char *name;
    const char *says;
    uint64_t lowest;
    bool is_set; /* Bits, each of which can be left out. */
    uint64_t (*get)(const struct sim_settings *settings);
    void (*set)(struct sim_settings *settings, uint64_t value);
};

extern const struct shrink_number shrink_numbers[];
extern const size_t shrink_number_count;

/* Numbers, rising. Owned. */
struct shrink_list {
    uint64_t *numbers;
    size_t count;
};

struct shrink_case {
    const struct profile *profile;
    uint64_t seed;
    struct sim_settings settings;
    /* The only ones that happen. */
    struct shrink_list faults;
    struct shrink_list acts; /* Of Byzantine replicas. */
};

struct shrink {
    void *context;
    /* Does a run with these settings still break the same invariant? */
    bool (*fails)(void *context, const struct sim_settings *settings,
                  uint64_t seed);
    uint64_t trials;
    uint64_t trials_max; /* Then it stops with what it has. */
};

/* The case as its profile draws it, with the faults 1 .. `faults` and the acts
 * 1 .. `acts`. */
void shrink_case_init(struct shrink_case *out, const struct profile *profile,
                      uint64_t seed, uint64_t faults, uint64_t acts);
void shrink_case_deinit(struct shrink_case *shrunk);

/* Borrows its lists. */
struct sim_settings shrink_case_settings(const struct shrink_case *shrunk);

void shrink_minimize(struct shrink *shrink, struct shrink_case *shrunk);

/* shrink_write.c: the lines of a script that replay the case. */
void shrink_write(FILE *out, const struct shrink_case *shrunk);

#endif /* SIM_SHRINK_H */
