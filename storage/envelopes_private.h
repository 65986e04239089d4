/* SPDX-License-Identifier: Apache-2.0 */
/* The handle that envelopes.c and envelopes_open.c share. */
#ifndef STORAGE_ENVELOPES_PRIVATE_H
#define STORAGE_ENVELOPES_PRIVATE_H

#include <sys/types.h>

#include "storage/envelope_slot.h"

#define ENVELOPES_BUCKETS 65536u /* A power of two, twice the slots. */
#define ENVELOPES_NOWHERE UINT32_MAX

struct envelopes {
    int file;
    bool is_synced;
    bool is_dirty;
    bool has_failed;
    const struct pbft_domain *domain;
    struct envelope_head *heads;
    uint32_t *next; /* Of the same bucket, or of the free list. */
    uint32_t end;
    uint32_t capacity;
    uint32_t free; /* First of the list. */
    uint32_t damaged;
    uint32_t buckets[ENVELOPES_BUCKETS];
};

/* One more slot at the end, not yet in any list. */
void envelopes_grow(struct envelopes *envelopes);
/* Makes the head of a slot be found by its name. */
void envelopes_link(struct envelopes *envelopes, uint32_t slot);
void envelopes_add_free(struct envelopes *envelopes, uint32_t slot);

/* False: errno says why. What is behind the end reads as zeros. */
bool envelopes_file_read(int file, uint8_t *bytes, size_t size, off_t at);
bool envelopes_file_write(int file, const uint8_t *bytes, size_t size,
                          off_t at);
off_t envelopes_offset(uint32_t slot);
PBFT_MUST_USE enum pbft_status
envelopes_write_slot(struct envelopes *envelopes, uint32_t slot,
                     const uint8_t bytes[ENVELOPE_SLOT_SIZE]);

#endif /* STORAGE_ENVELOPES_PRIVATE_H */
