/* SPDX-License-Identifier: Apache-2.0 */
/* Digests. BLAKE2b-256 (RFC 7693) wherever only Salus computes them; SHA-256
 * (FIPS 180-4) for commitments and transaction ids, which other systems must be
 * able to compute again.
 *
 * Deterministic, no allocation, safe from any thread.
 */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include "consensus/types.h"

/* BLAKE2b-256. */
void digest_blake2b(struct pbft_digest *out, struct pbft_bytes bytes);
/* Of the concatenated parts. */
void digest_blake2b_parts(struct pbft_digest *out,
                          const struct pbft_bytes *parts, size_t part_count);

/* SHA-256. */
void digest_sha256(struct pbft_digest *out, struct pbft_bytes bytes);
void digest_sha256_parts(struct pbft_digest *out,
                         const struct pbft_bytes *parts, size_t part_count);

/* A digest of what comes in pieces: init, update..., final. The state is plain
 * bytes: it may be copied and moved. */
enum digest_kind { DIGEST_BLAKE2B = 1, DIGEST_SHA256 = 2 };

#define DIGEST_STATE_SIZE 384

struct digest_stream {
    enum digest_kind kind;
    uint8_t state[DIGEST_STATE_SIZE];
};

void digest_init(struct digest_stream *stream, enum digest_kind kind);
void digest_update(struct digest_stream *stream, struct pbft_bytes bytes);
/* Wipes the stream. */
void digest_final(struct digest_stream *stream, struct pbft_digest *out);

/* The salted commitment to `content`: SHA-256(domain | salt | content), hiding
 * and binding. `domain` is one of the tags below, without a
 * terminating zero; no tag is the beginning of another. */
#define COMMIT_SALT_SIZE 32
#define COMMIT_DOMAIN_RECORD "salus/rec/1"
#define COMMIT_DOMAIN_EVIDENCE "salus/evid/1"
#define COMMIT_DOMAIN_SOURCE "salus/src/1"
#define COMMIT_DOMAIN_WRAP "salus/wrapc/1"
#define COMMIT_DOMAIN_WRAP_SALT "salus/wsalt/1"
#define COMMIT_DOMAIN_CREDENTIAL "salus/cred/1"
#define COMMIT_DOMAIN_ITEM "salus/item/1"

void commit_sha256(struct pbft_digest *out, const char *domain,
                   const uint8_t salt[COMMIT_SALT_SIZE],
                   struct pbft_bytes content);
/* The same for content that comes in pieces: then digest_update and
 * digest_final. */
void commit_sha256_init(struct digest_stream *stream, const char *domain,
                        const uint8_t salt[COMMIT_SALT_SIZE]);

#endif /* CRYPTO_DIGEST_H */
