/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption of a record's content: AES-256-GCM in segments of 64 KiB, so that
 * large files stream (docs/fhir.md, "Sealed contents").
 *
 *   magic "SALUSREC" | version u8 = 1 | salt[32]
 *   segment 0 | segment 1 | ...      each: ciphertext (64 KiB; the last one
 *                                    0..64 KiB) | tag[16]
 *
 * The segments' key is HKDF-SHA256(data key, salt, "salus/seal/1"), so that
 * sealing twice under one data key never meets a nonce again. The nonce is the
 * segment's number; the AAD is chain[32] | record[16] | version u32 |
 * segment u64 | last u8, integers big-endian. Changed, reordered, repeated or
 * foreign segments fail, and so does a file that ends before its last one.
 * There is always a last segment, and only an empty content has an empty one.
 */
#ifndef CRYPTO_SEAL_H
#define CRYPTO_SEAL_H

#include "consensus/status.h"
#include "consensus/types.h"

#define SEAL_KEY_SIZE 32
#define SEAL_SEGMENT_SIZE ((size_t)65536)
#define SEAL_HEADER_SIZE 41
#define SEAL_TAG_SIZE 16
#define SEAL_RECORD_SIZE 16

/* What the content belongs to. */
struct seal_identity {
    struct pbft_digest chain; /* Cluster id. */
    uint8_t record[SEAL_RECORD_SIZE];
    uint32_t version; /* Of the record, from 1. */
};

/* Where bytes come from and go to. `read` fills up to `capacity` bytes; size 0
 * is the end. A status other than OK stops the work and is returned. */
struct seal_io {
    void *context;
    PBFT_MUST_USE enum pbft_status (*read)(void *context, uint8_t *out,
                                           size_t capacity, size_t *size);
    PBFT_MUST_USE enum pbft_status (*write)(void *context,
                                            struct pbft_bytes bytes);
};

PBFT_MUST_USE enum pbft_status seal_stream(const uint8_t key[SEAL_KEY_SIZE],
                                           const struct seal_identity *identity,
                                           const struct seal_io *io);
/* Each segment is written after it was authenticated, but only OK says that the
 * content is complete: on any other status the caller drops what was written.
 * MALFORMED: no sealed file, or cut off inside the header; VERSION;
 * BAD_SIGNATURE: wrong key or identity, or bytes changed, lost or reordered. */
PBFT_MUST_USE enum pbft_status
seal_open_stream(const uint8_t key[SEAL_KEY_SIZE],
                 const struct seal_identity *identity,
                 const struct seal_io *io);

/* Size of the sealed form of `size` bytes. */
uint64_t seal_size(uint64_t size);

/* In memory. `out` holds seal_size(content.size) bytes. */
PBFT_MUST_USE enum pbft_status seal_bytes(uint8_t *out,
                                          const uint8_t key[SEAL_KEY_SIZE],
                                          const struct seal_identity *identity,
                                          struct pbft_bytes content);
/* `out` holds sealed.size bytes; wiped on failure. */
PBFT_MUST_USE enum pbft_status
seal_open_bytes(uint8_t *out, size_t *out_size,
                const uint8_t key[SEAL_KEY_SIZE],
                const struct seal_identity *identity, struct pbft_bytes sealed);

#endif /* CRYPTO_SEAL_H */
