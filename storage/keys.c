/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and fixed-layout values; integers big-endian, so that keys sort. */
#include "storage/storage_private.h"

#include <string.h>

#include "consensus/bytes.h"

void storage_log_key(uint8_t out[LOG_KEY_SIZE], uint64_t number)
{
    pbft_put_u64(out, number);
}

void storage_body_key(uint8_t out[BODY_KEY_SIZE], pbft_seq seq,
                      const struct pbft_digest *digest)
{
    pbft_put_u64(out, seq);
    memcpy(out + PBFT_U64_SIZE, digest->bytes, PBFT_DIGEST_SIZE);
}

void storage_block_key(uint8_t out[BLOCK_KEY_SIZE], pbft_seq seq,
                       enum block_part part)
{
    pbft_put_u64(out, seq);
    out[PBFT_U64_SIZE] = (uint8_t)part;
}

struct pbft_bytes storage_name_key(const char *name)
{
    return (struct pbft_bytes){(const uint8_t *)name, strlen(name)};
}

void storage_attestation_encode(uint8_t out[ATTESTATION_SIZE],
                                const struct pbft_attestation *attestation)
{
    const struct pbft_digest *digests[3] = {&attestation->block_digest,
                                            &attestation->results_root,
                                            &attestation->ledger_root};
    pbft_put_u64(out, attestation->seq);
    pbft_put_u64(out + PBFT_U64_SIZE, attestation->block_time);
    for (size_t i = 0; i < 3; i++) {
        memcpy(out + 2 * PBFT_U64_SIZE + i * PBFT_DIGEST_SIZE,
               digests[i]->bytes, PBFT_DIGEST_SIZE);
    }
}

enum pbft_status storage_attestation_decode(struct pbft_bytes bytes,
                                            struct pbft_attestation *out)
{
    if (bytes.size != ATTESTATION_SIZE) {
        return PBFT_CORRUPT;
    }
    struct pbft_digest *digests[3] = {&out->block_digest, &out->results_root,
                                      &out->ledger_root};
    out->seq = pbft_get_u64(bytes.data);
    out->block_time = pbft_get_u64(bytes.data + PBFT_U64_SIZE);
    for (size_t i = 0; i < 3; i++) {
        memcpy(digests[i]->bytes,
               bytes.data + 2 * PBFT_U64_SIZE + i * PBFT_DIGEST_SIZE,
               PBFT_DIGEST_SIZE);
    }
    return PBFT_OK;
}
