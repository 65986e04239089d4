/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of salus-sim. Each gets what follows its name and returns the
 * exit code. */
#ifndef SIM_COMMAND_H
#define SIM_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/sim.h"

enum command_exit { EXIT_WELL = 0, EXIT_VIOLATION = 1, EXIT_USAGE = 2 };

int command_run(int argc, char **argv);
int command_swarm(int argc, char **argv);
int command_list(int argc, char **argv);
int command_script(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_calibrate(int argc, char **argv);
int command_shrink(int argc, char **argv);

struct profile;

/* Walks over "--name value" and "--name". */
struct options {
    int argc;
    char **argv;
    int at;
    const char *command; /* For messages. */
    bool failed;         /* Something was wrong; it was said. */
};
/* The next option, or NULL at the end. Arguments without "--" are refused. */
const char *options_next(struct options *options);
/* The value of the option just returned; NULL (and failed) if it is missing. */
const char *options_value(struct options *options);
/* The same as a whole number. */
uint64_t options_number(struct options *options, uint64_t max);
/* The same, above 0. */
uint64_t options_positive(struct options *options, uint64_t max);
/* Refuses the option just returned. */
void options_refuse(struct options *options, const char *option);

/* The value as the name of a profile; NULL (and failed) if there is none. */
const struct profile *options_profile(struct options *options);

/* Decimal digits only. */
bool parse_number(const char *text, uint64_t max, uint64_t *out);

/* Names invariant, replicas, event and how to see it again. */
void print_violation(const struct sim_violation *violation,
                     const char *reproduce, FILE *out);

#endif /* SIM_COMMAND_H */
