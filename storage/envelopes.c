/* SPDX-License-Identifier: Apache-2.0 */
/* The envelope file: slot 0 says what it is, slot n + 1 of the file is slot n
 * of the store. */
#include "storage/envelopes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consensus/assert.h"
#include "storage/envelopes_private.h"

#define GROWTH 256u

/* ---- the index ----------------------------------------------------------- */

/* FNV-1a: whoever makes names collide makes his own envelopes slower to find,
 * within the share that he has. */
static uint32_t bucket_of(const struct envelope_name *name)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < ENVELOPE_ID_SIZE; i++) {
        hash = (hash ^ name->record[i]) * 16777619u;
        hash = (hash ^ name->recipient_key[i]) * 16777619u;
    }
    hash = (hash ^ name->version) * 16777619u;
    return (hash ^ hash >> 16) % ENVELOPES_BUCKETS;
}

static bool same_name(const struct envelope_name *a,
                      const struct envelope_name *b)
{
    return a->version == b->version &&
           memcmp(a->record, b->record, sizeof a->record) == 0 &&
           memcmp(a->recipient_key, b->recipient_key,
                  sizeof a->recipient_key) == 0;
}

bool envelopes_find(const struct envelopes *envelopes,
                    const struct envelope_name *name, uint32_t *slot)
{
    uint32_t at = envelopes->buckets[bucket_of(name)];
    while (at != ENVELOPES_NOWHERE &&
           !same_name(&envelopes->heads[at].name, name)) {
        at = envelopes->next[at];
    }
    *slot = at;
    return at != ENVELOPES_NOWHERE;
}

void envelopes_link(struct envelopes *envelopes, uint32_t slot)
{
    uint32_t *bucket =
        &envelopes->buckets[bucket_of(&envelopes->heads[slot].name)];
    envelopes->next[slot] = *bucket;
    *bucket = slot;
}

void envelopes_add_free(struct envelopes *envelopes, uint32_t slot)
{
    envelopes->next[slot] = envelopes->free;
    envelopes->free = slot;
}

static void unlink_slot(struct envelopes *envelopes, uint32_t slot)
{
    uint32_t *at = &envelopes->buckets[bucket_of(&envelopes->heads[slot].name)];
    while (*at != slot) {
        at = &envelopes->next[*at];
    }
    *at = envelopes->next[slot];
    memset(&envelopes->heads[slot], 0, sizeof envelopes->heads[slot]);
    envelopes_add_free(envelopes, slot);
}

void envelopes_grow(struct envelopes *envelopes)
{
    if (envelopes->end == envelopes->capacity) {
        envelopes->capacity += GROWTH;
        envelopes->heads = realloc(
            envelopes->heads, envelopes->capacity * sizeof *envelopes->heads);
        envelopes->next = realloc(envelopes->next, envelopes->capacity *
                                                       sizeof *envelopes->next);
        PBFT_ASSERT(envelopes->heads != NULL && envelopes->next != NULL);
    }
    memset(&envelopes->heads[envelopes->end], 0, sizeof *envelopes->heads);
    envelopes->next[envelopes->end] = ENVELOPES_NOWHERE;
    envelopes->end++;
}

static bool take_free(struct envelopes *envelopes, uint32_t *slot)
{
    if (envelopes->free == ENVELOPES_NOWHERE) {
        if (envelopes->end == ENVELOPES_MAX) {
            return false;
        }
        *slot = envelopes->end;
        envelopes_grow(envelopes);
        return true;
    }
    *slot = envelopes->free;
    envelopes->free = envelopes->next[*slot];
    return true;
}

/* ---- the file ------------------------------------------------------------ */

bool envelopes_file_write(int file, const uint8_t *bytes, size_t size, off_t at)
{
    while (size > 0) {
        ssize_t done = pwrite(file, bytes, size, at);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return false;
        }
        bytes += done;
        size -= (size_t)done;
        at += done;
    }
    return true;
}

bool envelopes_file_read(int file, uint8_t *bytes, size_t size, off_t at)
{
    memset(bytes, 0, size);
    while (size > 0) {
        ssize_t done = pread(file, bytes, size, at);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return done == 0;
        }
        bytes += done;
        size -= (size_t)done;
        at += done;
    }
    return true;
}

off_t envelopes_offset(uint32_t slot)
{
    return ((off_t)slot + 1) * ENVELOPE_SLOT_SIZE;
}

enum pbft_status envelopes_write_slot(struct envelopes *envelopes,
                                      uint32_t slot,
                                      const uint8_t bytes[ENVELOPE_SLOT_SIZE])
{
    if (envelopes->has_failed ||
        !envelopes_file_write(envelopes->file, bytes, ENVELOPE_SLOT_SIZE,
                              envelopes_offset(slot))) {
        envelopes->has_failed = true;
        return PBFT_IO;
    }
    envelopes->is_dirty = true;
    return PBFT_OK;
}

/* ---- while it is open ---------------------------------------------------- */

uint32_t envelopes_end(const struct envelopes *envelopes)
{
    return envelopes->end;
}

const struct envelope_head *envelopes_get(const struct envelopes *envelopes,
                                          uint32_t slot)
{
    PBFT_ASSERT(slot < envelopes->end);
    const struct envelope_head *head = &envelopes->heads[slot];
    return head->state != ENVELOPE_FREE ? head : NULL;
}

uint32_t envelopes_damaged(const struct envelopes *envelopes)
{
    return envelopes->damaged;
}

enum pbft_status envelopes_read(struct envelopes *envelopes, uint32_t slot,
                                struct envelope_secret *out)
{
    uint8_t bytes[ENVELOPE_SLOT_SIZE];
    struct envelope_head head;
    PBFT_ASSERT(slot < envelopes->end);
    PBFT_ASSERT(envelope_state_has_secret(envelopes->heads[slot].state));
    enum pbft_status status = PBFT_IO;
    if (envelopes_file_read(envelopes->file, bytes, sizeof bytes,
                            envelopes_offset(slot))) {
        status =
            envelope_slot_decode(bytes, envelopes->domain, slot, &head, out);
    }
    envelope_wipe(bytes, sizeof bytes);
    return status == PBFT_OK && !envelope_state_has_secret(head.state)
               ? PBFT_CORRUPT
               : status;
}

enum pbft_status envelopes_put(struct envelopes *envelopes,
                               const struct envelope_head *head,
                               const struct envelope_secret *secret,
                               uint32_t *slot)
{
    uint8_t bytes[ENVELOPE_SLOT_SIZE];
    PBFT_ASSERT(head->state != ENVELOPE_FREE);
    PBFT_ASSERT(envelope_state_has_secret(head->state) == (secret != NULL));
    bool is_new = !envelopes_find(envelopes, &head->name, slot);
    if (is_new && !take_free(envelopes, slot)) {
        return PBFT_LIMIT;
    }
    envelopes->heads[*slot] = *head;
    if (is_new) {
        envelopes_link(envelopes, *slot);
    }
    envelope_slot_encode(bytes, envelopes->domain, *slot, head, secret);
    enum pbft_status status = envelopes_write_slot(envelopes, *slot, bytes);
    envelope_wipe(bytes, sizeof bytes);
    if (status != PBFT_OK && is_new) {
        unlink_slot(envelopes, *slot);
    }
    return status;
}

enum pbft_status envelopes_erase(struct envelopes *envelopes, uint32_t slot)
{
    static const uint8_t zeros[ENVELOPE_SLOT_SIZE];
    PBFT_ASSERT(slot < envelopes->end);
    PBFT_ASSERT(envelopes->heads[slot].state != ENVELOPE_FREE);
    unlink_slot(envelopes, slot);
    return envelopes_write_slot(envelopes, slot, zeros);
}

enum pbft_status envelopes_sync(struct envelopes *envelopes)
{
    if (envelopes->has_failed) {
        return PBFT_IO;
    }
    if (envelopes->is_dirty && envelopes->is_synced &&
        fdatasync(envelopes->file) != 0) {
        envelopes->has_failed = true; /* Never tried again: see storage.h. */
        return PBFT_IO;
    }
    envelopes->is_dirty = false;
    return PBFT_OK;
}
