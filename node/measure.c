/* SPDX-License-Identifier: Apache-2.0 */
/* The cryptography, and the printing. */
#include "node/measure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "crypto/digest.h"
#include "crypto/random.h"
#include "crypto/sign.h"

#define FOLDER_MODE 0700
#define VOTE_BYTES 200 /* What a vote signs, about. */
#define SIGNATURES 2000
#define DIGEST_BYTES 65536
#define DIGESTS 1000

static double read_us(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

double measure_cpu_us(void)
{
    return read_us(CLOCK_PROCESS_CPUTIME_ID);
}

double measure_wall_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

void measure_crypto(struct measure_parts *out)
{
    static uint8_t bytes[DIGEST_BYTES];
    const struct pbft_bytes vote = {bytes, VOTE_BYTES};
    uint8_t seed[SIGN_SEED_SIZE];
    struct sign_secret secret;
    struct pbft_public_key key;
    struct pbft_signature signature;
    struct pbft_digest digest;
    uint32_t good = 0;
    random_fill(bytes, sizeof bytes);
    sign_generate(seed, &key);
    sign_from_seed(&secret, &key, seed);
    double began = measure_cpu_us();
    for (int i = 0; i < SIGNATURES; i++) {
        sign_message(&signature, &secret, vote);
    }
    double signed_at = measure_cpu_us();
    for (int i = 0; i < SIGNATURES; i++) {
        good += sign_verify(&key, vote, &signature);
    }
    double verified_at = measure_cpu_us();
    for (int i = 0; i < DIGESTS; i++) {
        digest_blake2b(&digest, (struct pbft_bytes){bytes, sizeof bytes});
        bytes[0] ^= digest.bytes[0];
    }
    double digested_at = measure_cpu_us();
    out->sign_us = (signed_at - began) / SIGNATURES;
    out->verify_us = good > 0 ? (verified_at - signed_at) / good : 0;
    out->digest_byte_us =
        (digested_at - verified_at) / DIGESTS / (double)DIGEST_BYTES;
    memset(&secret, 0, sizeof secret);
    memset(seed, 0, sizeof seed);
}

enum pbft_status measure(const struct measure_setup *setup,
                         struct measure_parts *out, struct salus_reason *reason)
{
    memset(out, 0, sizeof *out);
    if (mkdir(setup->folder, FOLDER_MODE) != 0) {
        salus_reason_set(reason, "%s: %s; --measure makes a new folder",
                         setup->folder, strerror(errno));
        return PBFT_INVALID_ARGUMENT;
    }
    measure_crypto(out);
    enum pbft_status status = measure_ledger(setup, out, reason);
    if (status == PBFT_OK) {
        status = measure_messages(out, reason);
    }
    return status;
}

void measure_print(const struct measure_parts *parts)
{
    const struct {
        const char *name;
        double value;
    } rows[] = {{"sign_us", parts->sign_us},
                {"verify_us", parts->verify_us},
                {"digest_byte_us", parts->digest_byte_us},
                {"message_us", parts->message_us},
                {"message_byte_us", parts->message_byte_us},
                {"synced_write_us", parts->synced_write_us},
                {"synced_write_wall_us", parts->synced_write_wall_us},
                {"encode_us", parts->encode_us},
                {"decode_us", parts->decode_us},
                {"execute_us", parts->execute_us}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)printf("%s\"%s\":%.6f", i == 0 ? "{" : ",", rows[i].name,
                     rows[i].value);
    }
    (void)printf("}\n");
}
