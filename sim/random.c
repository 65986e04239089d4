/* SPDX-License-Identifier: Apache-2.0 */
/* xoshiro256** by Blackman and Vigna, public domain algorithm. */
#include "sim/random.h"

#include <stddef.h>

#include "consensus/assert.h"

#define PERMILLE 1000
#define QUANTILES 64
#define QUANTILE_UNIT 1024 /* The mean of the table. */

/* -ln(1 - p) * 1024 in the middle of each of 64 equal classes of p. */
static const uint16_t exponential_quantiles[QUANTILES] = {
    8,    24,   41,   58,   75,   92,   110,  128,  146,  165,  184,
    203,  223,  243,  263,  284,  305,  327,  349,  372,  395,  419,
    444,  469,  494,  520,  547,  575,  603,  633,  663,  694,  726,
    759,  793,  828,  865,  903,  942,  983,  1026, 1070, 1117, 1166,
    1217, 1271, 1328, 1388, 1452, 1520, 1594, 1672, 1758, 1851, 1953,
    2067, 2195, 2342, 2513, 2719, 2976, 3320, 3844, 4968,
};

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t splitmix(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t value = *state;
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

void random_init(struct random *random, uint64_t seed, uint64_t stream)
{
    uint64_t state = stream;
    uint64_t mixed = splitmix(&state) ^ seed;
    for (unsigned i = 0; i < 4; i++) {
        random->state[i] = splitmix(&mixed);
    }
}

uint64_t random_next(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    PBFT_ASSERT(bound > 0);
    /* Draws in the incomplete last interval are thrown away. */
    uint64_t reject = (UINT64_MAX - bound + 1) % bound;
    uint64_t value = random_next(random);
    while (value < reject) {
        value = random_next(random);
    }
    return value % bound;
}

uint64_t random_between(struct random *random, uint64_t low, uint64_t high)
{
    PBFT_ASSERT(low <= high);
    PBFT_ASSERT(high - low < UINT64_MAX);
    return low + random_below(random, high - low + 1);
}

bool random_chance(struct random *random, uint32_t permille)
{
    return random_below(random, PERMILLE) < permille;
}

uint64_t random_exponential(struct random *random, uint64_t mean)
{
    PBFT_ASSERT(mean <= UINT32_MAX);
    uint64_t draw = random_next(random);
    size_t class = (size_t)(draw >> 58);
    uint64_t base = exponential_quantiles[class] * mean / QUANTILE_UNIT;
    /* A little spread inside the class: no two delays should coincide. */
    uint64_t spread = mean / QUANTILES + 1;
    return base + (draw & UINT32_MAX) % spread;
}
