/* SPDX-License-Identifier: Apache-2.0 */
/* Appending to a preimage. Private to preimage.c and preimage_list.c. */
#ifndef CONSENSUS_PREIMAGE_PUT_H
#define CONSENSUS_PREIMAGE_PUT_H

#include <string.h>

#include "consensus/assert.h"
#include "consensus/bytes.h"
#include "consensus/preimage.h"

#define PBFT_TAG_SIZE 16

static inline void pbft_preimage_put(struct pbft_preimage *out,
                                     const void *data, size_t size)
{
    PBFT_ASSERT(size <= PBFT_PREIMAGE_MAX - out->size);
    memcpy(out->bytes + out->size, data, size);
    out->size += size;
}

static inline void pbft_preimage_put_tag(struct pbft_preimage *out,
                                         const char *tag)
{
    size_t length = strlen(tag);
    PBFT_ASSERT(length <= PBFT_TAG_SIZE);
    PBFT_ASSERT(PBFT_TAG_SIZE <= PBFT_PREIMAGE_MAX - out->size);
    memset(out->bytes + out->size, 0, PBFT_TAG_SIZE);
    memcpy(out->bytes + out->size, tag, length);
    out->size += PBFT_TAG_SIZE;
}

static inline void pbft_preimage_put_u8(struct pbft_preimage *out,
                                        uint8_t value)
{
    pbft_preimage_put(out, &value, 1);
}

static inline void pbft_preimage_put_u32(struct pbft_preimage *out,
                                         uint32_t value)
{
    PBFT_ASSERT(PBFT_U32_SIZE <= PBFT_PREIMAGE_MAX - out->size);
    pbft_put_u32(out->bytes + out->size, value);
    out->size += PBFT_U32_SIZE;
}

static inline void pbft_preimage_put_u64(struct pbft_preimage *out,
                                         uint64_t value)
{
    PBFT_ASSERT(PBFT_U64_SIZE <= PBFT_PREIMAGE_MAX - out->size);
    pbft_put_u64(out->bytes + out->size, value);
    out->size += PBFT_U64_SIZE;
}

static inline void pbft_preimage_put_digest(struct pbft_preimage *out,
                                            const struct pbft_digest *digest)
{
    pbft_preimage_put(out, digest->bytes, PBFT_DIGEST_SIZE);
}

static inline void
pbft_preimage_put_attestation(struct pbft_preimage *out,
                              const struct pbft_attestation *fields)
{
    pbft_preimage_put_u64(out, fields->seq);
    pbft_preimage_put_u64(out, fields->block_time);
    pbft_preimage_put_digest(out, &fields->block_digest);
    pbft_preimage_put_digest(out, &fields->results_root);
    pbft_preimage_put_digest(out, &fields->ledger_root);
}

/* The content of the two messages that carry lists (preimage_list.c). */
void pbft_preimage_put_view_change(struct pbft_preimage *out,
                                   const struct pbft_domain *domain,
                                   const struct pbft_view_change *fields);
void pbft_preimage_put_new_view(struct pbft_preimage *out,
                                const struct pbft_domain *domain,
                                const struct pbft_new_view *fields);

#endif /* CONSENSUS_PREIMAGE_PUT_H */
