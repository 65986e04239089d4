/* SPDX-License-Identifier: Apache-2.0 */
/* The only source of chance in a run: xoshiro256**, seeded by splitmix64. Equal
 * seeds give equal draws on every compiler and machine. Not for secrets.
 */
#ifndef SIM_RANDOM_H
#define SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

/* `stream` separates uses of one seed, so that a draw more in one place does
 * not change all others. */
void random_init(struct random *random, uint64_t seed, uint64_t stream);

uint64_t random_next(struct random *random);
/* 0 .. bound - 1, without bias. `bound` is not 0. */
uint64_t random_below(struct random *random, uint64_t bound);
/* Inclusive. */
uint64_t random_between(struct random *random, uint64_t low, uint64_t high);
/* True in `permille` of 1000 cases. */
bool random_chance(struct random *random, uint32_t permille);
/* Exponentially distributed with this mean, without floats; at most seven
 * times the mean. */
uint64_t random_exponential(struct random *random, uint64_t mean);

#endif /* SIM_RANDOM_H */
