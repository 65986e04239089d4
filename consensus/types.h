/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the protocol as C types, and every limit of the core.
 *
 * Pointers in the headers of consensus/ are borrowed for the call unless the
 * comment says otherwise.
 */
#ifndef CONSENSUS_TYPES_H
#define CONSENSUS_TYPES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PBFT_PROTOCOL_VERSION 1

#define PBFT_REPLICAS_MAX 128 /* A replica set is two 64-bit words. */
#define PBFT_DIGEST_SIZE 32
#define PBFT_SIGNATURE_SIZE 64
#define PBFT_PUBLIC_KEY_SIZE 32
#define PBFT_INSTITUTION_SIZE 16

/* A window holds at most this many slots: the log is one array of them. */
#define PBFT_WINDOW_MAX 4096
/* Requests in a batch: bounds the digests that one pre-prepare makes us hash.
 */
#define PBFT_BATCH_REQUESTS_MAX 4096
/* Payload of one request: 64 KiB a transaction, up to 64 small or 15 full ones
 * in a request, with room for framing. */
#define PBFT_REQUEST_BYTES_MAX (1024u * 1024u)
/* All request bytes of a batch; at least one request of full size fits. */
#define PBFT_BATCH_BYTES_MAX (4u * 1024u * 1024u)
/* Institutions whose pending requests a replica tracks apart. */
#define PBFT_INSTITUTIONS_MAX 256
/* Certified blocks that one fetch may ask for. */
#define PBFT_FETCH_BLOCKS_MAX 64

static_assert(PBFT_BATCH_BYTES_MAX >= PBFT_REQUEST_BYTES_MAX,
              "one request of full size must fit into a batch");
static_assert(PBFT_REPLICAS_MAX % 64 == 0,
              "a replica set is a whole number of words");

typedef uint64_t pbft_view;
typedef uint64_t pbft_seq;     /* Sequence number; 0 means "none". */
typedef uint64_t pbft_epoch;   /* Which membership is in force. */
typedef uint64_t pbft_time_ms; /* Monotonic; the driver chooses the origin. */
typedef uint64_t pbft_wall_us; /* Wall clock, microseconds since 1970 UTC. */
typedef uint64_t
    pbft_ticket; /* Numbers the outputs that a log makes durable. */
typedef uint32_t pbft_replica_id;

#define PBFT_TIME_NEVER UINT64_MAX

/* A borrowed region. `data` may be NULL only if `size` is 0. */
struct pbft_bytes {
    const uint8_t *data;
    size_t size;
};

struct pbft_digest {
    uint8_t bytes[PBFT_DIGEST_SIZE];
};

struct pbft_signature {
    uint8_t bytes[PBFT_SIGNATURE_SIZE];
};

struct pbft_public_key {
    uint8_t bytes[PBFT_PUBLIC_KEY_SIZE];
};

struct pbft_institution {
    uint8_t bytes[PBFT_INSTITUTION_SIZE];
};

struct pbft_replica_set {
    uint64_t words[PBFT_REPLICAS_MAX / 64]; /* Bit i stands for replica i. */
};

#endif /* CONSENSUS_TYPES_H */
