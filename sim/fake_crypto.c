/* SPDX-License-Identifier: Apache-2.0 */
/* A 256-bit mix of four lanes, and signatures made of it. */
#include "sim/fake_crypto.h"

#include <string.h>

#define LANES 4
#define BLOCK_SIZE (LANES * sizeof(uint64_t))
#define FINAL_ROUNDS 2
/* Parts up to here are gathered, so that most digests are one straight run. */
#define GATHER_MAX 512

/* Odd constants with evenly spread bits (splitmix64, xxHash64). */
#define PRIME_1 UINT64_C(0x9e3779b97f4a7c15)
#define PRIME_2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define PRIME_3 UINT64_C(0xbf58476d1ce4e5b9)
#define PRIME_4 UINT64_C(0x94d049bb133111eb)

struct mix {
    uint64_t lanes[LANES];
    uint8_t block[GATHER_MAX];
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
static void absorb(struct mix *mix, const uint8_t *data, size_t block_count)
{
    uint64_t s0 = mix->lanes[0];
    uint64_t s1 = mix->lanes[1];
    uint64_t s2 = mix->lanes[2];
    uint64_t s3 = mix->lanes[3];
    for (; block_count > 0; block_count--, data += BLOCK_SIZE) {
        uint64_t t0 = rotate((s0 ^ load(data)) * PRIME_1, 31);
        uint64_t t1 = rotate((s1 ^ load(data + 8)) * PRIME_2, 29);
        uint64_t t2 = rotate((s2 ^ load(data + 16)) * PRIME_3, 27);
        uint64_t t3 = rotate((s3 ^ load(data + 24)) * PRIME_4, 33);
        s0 = t0 + rotate(t1, 17);
        s1 = (t1 ^ rotate(t2, 29)) + PRIME_3;
        s2 = t2 + rotate(t3, 41);
        s3 = (t3 ^ rotate(t0, 53)) + PRIME_4;
    }
    mix->lanes[0] = s0;
    mix->lanes[1] = s1;
    mix->lanes[2] = s2;
    mix->lanes[3] = s3;
}

static void mix_init(struct mix *mix)
{
    mix->lanes[0] = PRIME_1;
    mix->lanes[1] = PRIME_2;
    mix->lanes[2] = PRIME_3;
    mix->lanes[3] = PRIME_4;
    mix->used = 0;
    mix->total = 0;
}

static void mix_add(struct mix *mix, const uint8_t *data, size_t size)
{
    mix->total += size;
    while (size > 0) {
        size_t take = GATHER_MAX - mix->used;
        take = take < size ? take : size;
        memcpy(mix->block + mix->used, data, take);
        mix->used += take;
        data += take;
        size -= take;
        if (mix->used == GATHER_MAX) {
            absorb(mix, mix->block, GATHER_MAX / BLOCK_SIZE);
            mix->used = 0;
        }
    }
}

static uint64_t finish_lane(uint64_t value)
{
    value = (value ^ value >> 30) * PRIME_3;
    value = (value ^ value >> 27) * PRIME_4;
    return value ^ value >> 31;
}

/* The last block is filled with zeros; the size tells them from data. */
static void mix_end(struct mix *mix, struct pbft_digest *out)
{
    size_t whole = (mix->used + BLOCK_SIZE - 1) / BLOCK_SIZE;
    memset(mix->block + mix->used, 0, whole * BLOCK_SIZE - mix->used);
    absorb(mix, mix->block, whole);
    uint64_t *s = mix->lanes;
    s[0] += mix->total * PRIME_1;
    for (unsigned round = 0; round < FINAL_ROUNDS; round++) {
        uint64_t first = s[0];
        s[0] = finish_lane(s[0] + rotate(s[1], 13) + PRIME_1);
        s[1] = finish_lane(s[1] + rotate(s[2], 19) + PRIME_2);
        s[2] = finish_lane(s[2] + rotate(s[3], 23) + PRIME_3);
        s[3] = finish_lane(s[3] + rotate(first, 47) + PRIME_4);
    }
    /* Each lane of the result depends on all four. */
    uint64_t sum =
        s[0] ^ rotate(s[1], 11) ^ rotate(s[2], 29) ^ rotate(s[3], 43);
    for (unsigned i = 0; i < LANES; i++) {
        store(out->bytes + i * sizeof(uint64_t), s[i] + sum * PRIME_2);
    }
}

void fake_digest(struct pbft_digest *out, const struct pbft_bytes *parts,
                 size_t part_count)
{
    struct mix mix;
    mix_init(&mix);
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].size > 0) {
            mix_add(&mix, parts[i].data, parts[i].size);
        }
    }
    mix_end(&mix, out);
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
    struct pbft_digest first;
    const struct pbft_bytes parts[] = {{secret->bytes, sizeof secret->bytes},
                                       preimage};
    fake_digest(&first, parts, 2);
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
