/* SPDX-License-Identifier: Apache-2.0 */
/* A 256-bit mix of four lanes, and signatures made of it. */
#include "sim/fake_crypto.h"

#include <string.h>

#define LANES 4
#define BLOCK_SIZE (LANES * sizeof(uint64_t))
#define FINAL_ROUNDS 4

/* Odd constants with evenly spread bits (splitmix64, xxHash64). */
#define PRIME_1 UINT64_C(0x9e3779b97f4a7c15)
#define PRIME_2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define PRIME_3 UINT64_C(0xbf58476d1ce4e5b9)
#define PRIME_4 UINT64_C(0x94d049bb133111eb)

struct mix {
    uint64_t lanes[LANES];
    uint8_t block[BLOCK_SIZE];
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
    for (unsigned i = 0; i < sizeof value; i++) {
        out[i] = (uint8_t)(value >> (8 * i));
    }
}

static void absorb(struct mix *mix, const uint8_t *block)
{
    uint64_t *s = mix->lanes;
    for (unsigned i = 0; i < LANES; i++) {
        uint64_t word = load(block + i * sizeof word);
        s[i] = rotate((s[i] ^ word) * PRIME_1, 31) * PRIME_2;
    }
    /* Each lane reaches each other one within two blocks. */
    uint64_t first = s[0];
    s[0] += rotate(s[1], 17);
    s[1] ^= rotate(s[2], 29) + PRIME_3;
    s[2] += rotate(s[3], 41);
    s[3] ^= rotate(first, 53) + PRIME_4;
}

static void mix_init(struct mix *mix)
{
    *mix = (struct mix){.lanes = {PRIME_1, PRIME_2, PRIME_3, PRIME_4}};
}

static void mix_add(struct mix *mix, const uint8_t *data, size_t size)
{
    mix->total += size;
    while (size > 0) {
        if (mix->used == 0 && size >= BLOCK_SIZE) {
            absorb(mix, data);
            data += BLOCK_SIZE;
            size -= BLOCK_SIZE;
            continue;
        }
        size_t take = BLOCK_SIZE - mix->used;
        take = take < size ? take : size;
        memcpy(mix->block + mix->used, data, take);
        mix->used += take;
        data += take;
        size -= take;
        if (mix->used == BLOCK_SIZE) {
            absorb(mix, mix->block);
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

static void mix_end(struct mix *mix, struct pbft_digest *out)
{
    uint64_t total = mix->total;
    memset(mix->block + mix->used, 0, BLOCK_SIZE - mix->used);
    absorb(mix, mix->block);
    for (unsigned round = 0; round < FINAL_ROUNDS; round++) {
        for (unsigned i = 0; i < LANES; i++) {
            mix->lanes[i] = finish_lane(mix->lanes[i] + total + round +
                                        mix->lanes[(i + 1) % LANES]);
        }
    }
    for (unsigned i = 0; i < LANES; i++) {
        store(out->bytes + i * sizeof(uint64_t), mix->lanes[i]);
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
    static const uint8_t tag[] = "fake secret";
    const struct pbft_bytes parts[] = {{tag, sizeof tag},
                                       {key->bytes, sizeof key->bytes}};
    fake_digest(secret, parts, 2);
}

static void sign_with(const struct pbft_digest *secret,
                      struct pbft_bytes preimage, struct pbft_signature *out)
{
    static const uint8_t tag[] = "fake signature";
    struct pbft_digest first;
    struct pbft_digest second;
    const struct pbft_bytes parts[] = {
        {tag, sizeof tag}, {secret->bytes, sizeof secret->bytes}, preimage};
    fake_digest(&first, parts, 3);
    const struct pbft_bytes rest[] = {{secret->bytes, sizeof secret->bytes},
                                      {first.bytes, sizeof first.bytes}};
    fake_digest(&second, rest, 2);
    memcpy(out->bytes, first.bytes, sizeof first.bytes);
    memcpy(out->bytes + sizeof first.bytes, second.bytes, sizeof second.bytes);
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
