/* SPDX-License-Identifier: Apache-2.0 */
/* A 256-bit mix of four lanes, and signatures made of it. */
#include "sim/fake_crypto.h"

#include <assert.h>
#include <string.h>

#define LANES 4
#define BLOCK_SIZE (LANES * sizeof(uint64_t))
#define FINAL_ROUNDS 2

/* Odd constants with evenly spread bits (splitmix64, xxHash64). */
#define PRIME_1 UINT64_C(0x9e3779b97f4a7c15)
#define PRIME_2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define PRIME_3 UINT64_C(0xbf58476d1ce4e5b9)
#define PRIME_4 UINT64_C(0x94d049bb133111eb)

/* By value: so that they stay in registers. */
struct lanes {
    uint64_t s0;
    uint64_t s1;
    uint64_t s2;
    uint64_t s3;
};

struct mix {
    struct lanes lanes;
    uint8_t block[BLOCK_SIZE]; /* Begun by one part, filled by the next. */
    size_t used;
    uint64_t total;
};

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

/* Byte order of the machine must not show. */
static uint64_t load(const uint8_t *in)
{
    return (uint64_t)in[0] | (uint64_t)in[1] << 8 | (uint64_t)in[2] << 16 |
           (uint64_t)in[3] << 24 | (uint64_t)in[4] << 32 |
           (uint64_t)in[5] << 40 | (uint64_t)in[6] << 48 |
           (uint64_t)in[7] << 56;
}

static void store(uint8_t *out, uint64_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
    out[2] = (uint8_t)(value >> 16);
    out[3] = (uint8_t)(value >> 24);
    out[4] = (uint8_t)(value >> 32);
    out[5] = (uint8_t)(value >> 40);
    out[6] = (uint8_t)(value >> 48);
    out[7] = (uint8_t)(value >> 56);
}

/* Whole blocks. Each lane reaches each other one within two of them. */
static inline struct lanes absorb(struct lanes s, const uint8_t *data,
                                  size_t block_count)
{
    for (; block_count > 0; block_count--, data += BLOCK_SIZE) {
        uint64_t t0 = rotate((s.s0 ^ load(data)) * PRIME_1, 31);
        uint64_t t1 = rotate((s.s1 ^ load(data + 8)) * PRIME_2, 29);
        uint64_t t2 = rotate((s.s2 ^ load(data + 16)) * PRIME_3, 27);
        uint64_t t3 = rotate((s.s3 ^ load(data + 24)) * PRIME_4, 33);
        s.s0 = t0 + rotate(t1, 17);
        s.s1 = (t1 ^ rotate(t2, 29)) + PRIME_3;
        s.s2 = t2 + rotate(t3, 41);
        s.s3 = (t3 ^ rotate(t0, 53)) + PRIME_4;
    }
    return s;
}

static const struct lanes lanes_first = {PRIME_1, PRIME_2, PRIME_3, PRIME_4};

/* Whole blocks are taken where they lie; only their rest is copied. */
static inline void mix_add(struct mix *mix, const uint8_t *data, size_t size)
{
    mix->total += size;
    if (mix->used > 0) {
        size_t take = BLOCK_SIZE - mix->used;
        take = take < size ? take : size;
        memcpy(mix->block + mix->used, data, take);
        mix->used += take;
        data += take;
        size -= take;
        if (mix->used < BLOCK_SIZE) {
            return;
        }
        mix->lanes = absorb(mix->lanes, mix->block, 1);
    }
    mix->lanes = absorb(mix->lanes, data, size / BLOCK_SIZE);
    mix->used = size % BLOCK_SIZE;
    memcpy(mix->block, data + size - mix->used, mix->used);
}

static uint64_t finish_lane(uint64_t value)
{
    value = (value ^ value >> 30) * PRIME_3;
    value = (value ^ value >> 27) * PRIME_4;
    return value ^ value >> 31;
}

/* Each lane of the result depends on all four. */
static inline void put_lanes(struct lanes s, uint64_t total,
                             struct pbft_digest *out)
{
    s.s0 += total * PRIME_1;
    for (unsigned round = 0; round < FINAL_ROUNDS; round++) {
        uint64_t first = s.s0;
        s.s0 = finish_lane(s.s0 + rotate(s.s1, 13) + PRIME_1);
        s.s1 = finish_lane(s.s1 + rotate(s.s2, 19) + PRIME_2);
        s.s2 = finish_lane(s.s2 + rotate(s.s3, 23) + PRIME_3);
        s.s3 = finish_lane(s.s3 + rotate(first, 47) + PRIME_4);
    }
    uint64_t sum =
        s.s0 ^ rotate(s.s1, 11) ^ rotate(s.s2, 29) ^ rotate(s.s3, 43);
    store(out->bytes, s.s0 + sum * PRIME_2);
    store(out->bytes + 8, s.s1 + sum * PRIME_2);
    store(out->bytes + 16, s.s2 + sum * PRIME_2);
    store(out->bytes + 24, s.s3 + sum * PRIME_2);
}

/* The last block is filled with zeros; the size tells them from data. */
static inline struct lanes absorb_rest(struct lanes s, const uint8_t *data,
                                       size_t size)
{
    uint8_t block[BLOCK_SIZE] = {0};
    if (size == 0) {
        return s;
    }
    memcpy(block, data, size);
    return absorb(s, block, 1);
}

void fake_digest(struct pbft_digest *out, const struct pbft_bytes *parts,
                 size_t part_count)
{
    struct mix mix;
    mix.lanes = lanes_first;
    mix.used = 0;
    mix.total = 0;
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].size > 0) {
            mix_add(&mix, parts[i].data, parts[i].size);
        }
    }
    put_lanes(absorb_rest(mix.lanes, mix.block, mix.used), mix.total, out);
}

static void on_digest(const void *context, struct pbft_digest *out,
                      const struct pbft_bytes *parts, size_t part_count)
{
    (void)context;
    fake_digest(out, parts, part_count);
}

/* The simulated world knows the secret of each key; no caller can ask. */
static void secret_of(const struct pbft_public_key *key,
                      struct pbft_digest *secret)
{
    for (unsigned i = 0; i < LANES; i++) {
        size_t at = i * sizeof(uint64_t);
        store(secret->bytes + at,
              finish_lane(load(key->bytes + at) + (i + 1) * PRIME_2));
    }
}

static void sign_with(const struct pbft_digest *secret,
                      struct pbft_bytes preimage, struct pbft_signature *out)
{
    /* fake_digest() of both, in one run: the secret is a whole block. */
    static_assert(sizeof *secret == BLOCK_SIZE, "it is absorbed at once");
    struct pbft_digest first;
    const size_t blocks = preimage.size / BLOCK_SIZE;
    struct lanes lanes = absorb(lanes_first, secret->bytes, 1);
    lanes = absorb(lanes, preimage.data, blocks);
    lanes = absorb_rest(lanes, preimage.data + blocks * BLOCK_SIZE,
                        preimage.size % BLOCK_SIZE);
    put_lanes(lanes, sizeof *secret + preimage.size, &first);
    memcpy(out->bytes, first.bytes, sizeof first.bytes);
    for (unsigned i = 0; i < LANES; i++) {
        size_t at = i * sizeof(uint64_t);
        store(out->bytes + sizeof first.bytes + at,
              finish_lane(load(first.bytes + at) ^ load(secret->bytes + at)));
    }
}

static void on_sign(const void *context, struct pbft_signature *out,
                    struct pbft_bytes preimage)
{
    const struct fake_signer *signer = context;
    sign_with(&signer->secret, preimage, out);
}

static bool on_verify(const void *context, const struct pbft_public_key *key,
                      struct pbft_bytes preimage,
                      const struct pbft_signature *signature)
{
    (void)context;
    struct pbft_digest secret;
    struct pbft_signature expected;
    secret_of(key, &secret);
    sign_with(&secret, preimage, &expected);
    return memcmp(&expected, signature, sizeof expected) == 0;
}

void fake_signer_init(struct fake_signer *signer, const char *group,
                      uint64_t number)
{
    uint8_t bytes[sizeof number];
    struct pbft_digest digest;
    store(bytes, number);
    const struct pbft_bytes parts[] = {
        {(const uint8_t *)group, strlen(group) + 1}, {bytes, sizeof bytes}};
    fake_digest(&digest, parts, 2);
    static_assert(sizeof digest == sizeof signer->key, "both are 32 bytes");
    memcpy(signer->key.bytes, digest.bytes, sizeof digest.bytes);
    secret_of(&signer->key, &signer->secret);
}

struct pbft_crypto fake_crypto(const struct fake_signer *signer)
{
    return (struct pbft_crypto){.context = signer,
                                .digest = on_digest,
                                .sign = on_sign,
                                .verify = on_verify};
}
