/* SPDX-License-Identifier: Apache-2.0 */
/* BLAKE2b-256 and SHA-256 by libsodium; SHA-256 of what is at hand by the
 * processor's own instructions, if it has them. */
#include "crypto/digest.h"

#include "consensus/assert.h"
#include "crypto/sha256.h"

#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

static_assert(sizeof(crypto_generichash_state) <= DIGEST_STATE_SIZE,
              "the state of BLAKE2b fits");
static_assert(sizeof(crypto_hash_sha256_state) <= DIGEST_STATE_SIZE,
              "the state of SHA-256 fits");

void digest_blake2b(struct pbft_digest *out, struct pbft_bytes bytes)
{
    (void)crypto_generichash(out->bytes, sizeof out->bytes, bytes.data,
                             bytes.size, NULL, 0);
}

void digest_blake2b_parts(struct pbft_digest *out,
                          const struct pbft_bytes *parts, size_t part_count)
{
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, sizeof out->bytes);
    for (size_t i = 0; i < part_count; i++) {
        (void)crypto_generichash_update(&state, parts[i].data, parts[i].size);
    }
    (void)crypto_generichash_final(&state, out->bytes, sizeof out->bytes);
}

/* Asking the processor takes longer than a short digest in a virtual machine,
 * so it is asked once; threads that ask at the same time get the same answer.
 */
static bool has_native_sha256(void)
{
    enum { UNKNOWN, NO, YES };
    static atomic_int answer = UNKNOWN;
    int known = atomic_load_explicit(&answer, memory_order_relaxed);
    if (known == UNKNOWN) {
        known = sha256_is_native() ? YES : NO;
        atomic_store_explicit(&answer, known, memory_order_relaxed);
    }
    return known == YES;
}

void digest_sha256(struct pbft_digest *out, struct pbft_bytes bytes)
{
    digest_sha256_parts(out, &bytes, 1);
}

void digest_sha256_parts(struct pbft_digest *out,
                         const struct pbft_bytes *parts, size_t part_count)
{
    if (has_native_sha256()) {
        sha256_native(out, parts, part_count);
        return;
    }
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < part_count; i++) {
        (void)crypto_hash_sha256_update(&state, parts[i].data, parts[i].size);
    }
    (void)crypto_hash_sha256_final(&state, out->bytes);
}

/* The library's states want an alignment that plain bytes lack, so they are
 * copied in and out: a few nanoseconds per piece. */
void digest_init(struct digest_stream *stream, enum digest_kind kind)
{
    stream->kind = kind;
    memset(stream->state, 0, sizeof stream->state);
    switch (kind) {
    case DIGEST_BLAKE2B: {
        crypto_generichash_state state;
        (void)crypto_generichash_init(&state, NULL, 0, PBFT_DIGEST_SIZE);
        memcpy(stream->state, &state, sizeof state);
        return;
    }
    case DIGEST_SHA256: {
        crypto_hash_sha256_state state;
        (void)crypto_hash_sha256_init(&state);
        memcpy(stream->state, &state, sizeof state);
        return;
    }
    }
    PBFT_ASSERT(kind == DIGEST_BLAKE2B || kind == DIGEST_SHA256);
}

void digest_update(struct digest_stream *stream, struct pbft_bytes bytes)
{
    if (stream->kind == DIGEST_BLAKE2B) {
        crypto_generichash_state state;
        memcpy(&state, stream->state, sizeof state);
        (void)crypto_generichash_update(&state, bytes.data, bytes.size);
        memcpy(stream->state, &state, sizeof state);
    } else {
        crypto_hash_sha256_state state;
        PBFT_ASSERT(stream->kind == DIGEST_SHA256);
        memcpy(&state, stream->state, sizeof state);
        (void)crypto_hash_sha256_update(&state, bytes.data, bytes.size);
        memcpy(stream->state, &state, sizeof state);
    }
}

void digest_final(struct digest_stream *stream, struct pbft_digest *out)
{
    if (stream->kind == DIGEST_BLAKE2B) {
        crypto_generichash_state state;
        memcpy(&state, stream->state, sizeof state);
        (void)crypto_generichash_final(&state, out->bytes, sizeof out->bytes);
        sodium_memzero(&state, sizeof state);
    } else {
        crypto_hash_sha256_state state;
        PBFT_ASSERT(stream->kind == DIGEST_SHA256);
        memcpy(&state, stream->state, sizeof state);
        (void)crypto_hash_sha256_final(&state, out->bytes);
        sodium_memzero(&state, sizeof state);
    }
    sodium_memzero(stream, sizeof *stream);
}

void commit_sha256_init(struct digest_stream *stream, const char *domain,
                        const uint8_t salt[COMMIT_SALT_SIZE])
{
    digest_init(stream, DIGEST_SHA256);
    digest_update(stream,
                  (struct pbft_bytes){(const uint8_t *)domain, strlen(domain)});
    digest_update(stream, (struct pbft_bytes){salt, COMMIT_SALT_SIZE});
}

void commit_sha256(struct pbft_digest *out, const char *domain,
                   const uint8_t salt[COMMIT_SALT_SIZE],
                   struct pbft_bytes content)
{
    struct digest_stream stream;
    commit_sha256_init(&stream, domain, salt);
    digest_update(&stream, content);
    digest_final(&stream, out);
}
