/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4) with the SHA extensions of x86-64. */
#include "crypto/sha256.h"

#include <string.h>

#include "consensus/assert.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#define BLOCK_SIZE 64u
#define LENGTH_SIZE 8u
#define GROUPS 16u /* Of four rounds. */
#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))

/* Bits of CPUID leaf 1, ECX, and leaf 7, EBX. */
#define CPUID_SSSE3 (1u << 9)
#define CPUID_SSE41 (1u << 19)
#define CPUID_SHA (1u << 29)

static const uint32_t round_constants[4 * GROUPS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

struct state {
    uint32_t words[8];
    uint8_t block[BLOCK_SIZE]; /* Bytes that do not fill one yet. */
    size_t held;
    uint64_t size;
};

/* The instructions want the words of the state as ABEF and CDGH. */
WITH_SHA static void compress(struct state *state, const uint8_t *block)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    const __m128i *words = (const __m128i *)(const void *)state->words;
    __m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1b);
    __m128i abef = _mm_alignr_epi8(abcd, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, abcd, 0xf0);
    const __m128i abef_before = abef;
    const __m128i cdgh_before = cdgh;
    __m128i w[4]; /* The schedule: four words for each of four groups. */
#pragma GCC unroll 16
    for (unsigned i = 0; i < GROUPS; i++) {
        __m128i *now = &w[i % 4];
        __m128i *next = &w[(i + 1) % 4];
        __m128i *before = &w[(i + 3) % 4];
        if (i < 4) {
            *now = _mm_loadu_si128((const __m128i *)(const void *)block + i);
            *now = _mm_shuffle_epi8(*now, swap);
        }
        __m128i sum = _mm_add_epi32(
            *now, _mm_loadu_si128(
                      (const __m128i *)(const void *)round_constants + i));
        cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
        if (i >= 3 && i < GROUPS - 1) {
            *next = _mm_add_epi32(*next, _mm_alignr_epi8(*now, *before, 4));
            *next = _mm_sha256msg2_epu32(*next, *now);
        }
        abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
        if (i >= 1 && i < GROUPS - 3) {
            *before = _mm_sha256msg1_epu32(*before, *now);
        }
    }
    abef = _mm_add_epi32(abef, abef_before);
    cdgh = _mm_add_epi32(cdgh, cdgh_before);
    abcd = _mm_shuffle_epi32(abef, 0x1b);
    efgh = _mm_shuffle_epi32(cdgh, 0xb1);
    __m128i *out = (__m128i *)(void *)state->words;
    _mm_storeu_si128(out, _mm_blend_epi16(abcd, efgh, 0xf0));
    _mm_storeu_si128(out + 1, _mm_alignr_epi8(efgh, abcd, 8));
}

static void update(struct state *state, struct pbft_bytes bytes)
{
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;
    state->size += left;
    while (left > 0) {
        if (state->held == 0 && left >= BLOCK_SIZE) {
            compress(state, at);
            at += BLOCK_SIZE;
            left -= BLOCK_SIZE;
            continue;
        }
        size_t room = BLOCK_SIZE - state->held;
        size_t some = left < room ? left : room;
        memcpy(state->block + state->held, at, some);
        state->held += some;
        at += some;
        left -= some;
        if (state->held == BLOCK_SIZE) {
            compress(state, state->block);
            state->held = 0;
        }
    }
}

/* One bit, zeros, and the length in bits at the end of a block. */
static void pad(struct state *state)
{
    uint8_t padding[BLOCK_SIZE + LENGTH_SIZE] = {0x80};
    const uint64_t bits = 8 * state->size;
    size_t zeros =
        (BLOCK_SIZE + BLOCK_SIZE - LENGTH_SIZE - 1 - state->held) % BLOCK_SIZE;
    for (unsigned i = 0; i < LENGTH_SIZE; i++) {
        padding[1 + zeros + i] = (uint8_t)(bits >> (8 * (LENGTH_SIZE - 1 - i)));
    }
    update(state, (struct pbft_bytes){padding, 1 + zeros + LENGTH_SIZE});
    PBFT_ASSERT(state->held == 0);
}

bool sha256_is_native(void)
{
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    const unsigned wanted = CPUID_SSSE3 | CPUID_SSE41;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & wanted) != wanted) {
        return false;
    }
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & CPUID_SHA) != 0;
}

void sha256_native(struct pbft_digest *out, const struct pbft_bytes *parts,
                   size_t part_count)
{
    struct state state = {{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
                          {0},
                          0,
                          0};
    for (size_t i = 0; i < part_count; i++) {
        update(&state, parts[i]);
    }
    pad(&state);
    for (size_t i = 0; i < sizeof out->bytes; i++) {
        out->bytes[i] = (uint8_t)(state.words[i / 4] >> (24 - 8 * (i % 4)));
    }
}

#else

bool sha256_is_native(void)
{
    return false;
}

void sha256_native(struct pbft_digest *out, const struct pbft_bytes *parts,
                   size_t part_count)
{
    (void)out;
    (void)parts;
    (void)part_count;
    PBFT_ASSERT(sha256_is_native());
}

#endif
