/* SPDX-License-Identifier: Apache-2.0 */
/* What the overlay reads from its kv and hands to it. */
#include "ledger/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

/* What rules read: position and things, never long payloads. */
#define READ_MAX 4096u

static_assert(READ_MAX >= SCHEMA_POSITION_MAX, "the longest value read fits");
static_assert(READ_MAX >= SCHEMA_FIXED_MAX + SCHEMA_SHORT_PAYLOAD_MAX,
              "a thing and its payload fit");

/* What the kv said of the entry. */
static void settle(struct overlay *overlay, struct overlay_entry *entry,
                   enum pbft_status status, struct pbft_bytes value)
{
    entry->loaded = true;
    if (status == PBFT_OK && value.size <= READ_MAX) {
        entry->present = true;
        entry->value = overlay_keep(overlay, value);
    } else if (status == PBFT_OK || status == PBFT_TOO_LARGE) {
        entry->present = true; /* A long payload: only that it is there. */
    } else if (status != PBFT_NOT_FOUND && overlay->status == PBFT_OK) {
        overlay->status = status;
    }
}

void overlay_load(struct overlay *overlay, struct overlay_entry *entry)
{
    uint8_t buffer[READ_MAX];
    size_t size = 0;
    enum pbft_status status =
        overlay->kv->get(overlay->kv->context, entry->space, entry->key, buffer,
                         sizeof buffer, &size);
    settle(overlay, entry, status, (struct pbft_bytes){buffer, size});
}

/* An entry, by the beginning of its key as a number. */
struct sorted {
    uint64_t head;
    struct overlay_entry *entry;
};

static uint64_t head_of(const struct overlay_entry *entry)
{
    uint64_t head = (uint64_t)entry->space;
    for (size_t i = 0; i < sizeof head - 1; i++) {
        head = head << 8 | (i < entry->key.size ? entry->key.data[i] : 0u);
    }
    return head;
}

static uint8_t digit_of(const struct sorted *one, unsigned shift)
{
    return (uint8_t)(one->head >> shift);
}

/* In the order of keys: the same at every replica, and a store that keeps keys
 * in order finds the place of each beside that of the one before. */
static int compare_sorted(const void *left, const void *right)
{
    const struct sorted *a = left;
    const struct sorted *b = right;
    if (a->head != b->head) {
        return a->head < b->head ? -1 : 1;
    }
    const struct pbft_bytes *x = &a->entry->key;
    const struct pbft_bytes *y = &b->entry->key;
    int order = memcmp(x->data, y->data, x->size < y->size ? x->size : y->size);
    return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

typedef bool entry_filter(const struct overlay_entry *entry);

static bool is_written(const struct overlay_entry *entry)
{
    return entry->dirty;
}

static bool is_unknown(const struct overlay_entry *entry)
{
    return !entry->loaded;
}

#define DIGITS 256u
#define DIGIT_BITS 8u
/* Fewer are sorted by comparing. */
#define COUNTED_MIN 128u

/* One pass of a counting sort: from `list` to `out`, in the order of a digit of
 * the heads. False, and nothing is done, if that is the same in all. */
static bool sort_by_digit(struct sorted *out, const struct sorted *list,
                          size_t count, unsigned shift)
{
    size_t places[DIGITS] = {0};
    size_t place = 0;
    for (size_t i = 0; i < count; i++) {
        places[digit_of(&list[i], shift)]++;
    }
    if (places[digit_of(&list[0], shift)] == count) {
        return false;
    }
    for (size_t digit = 0; digit < DIGITS; digit++) {
        size_t same = places[digit];
        places[digit] = place;
        place += same;
    }
    for (size_t i = 0; i < count; i++) {
        out[places[digit_of(&list[i], shift)]++] = list[i];
    }
    return true;
}

/* Rows of THINGS, whose keys begin alike, were written in their order. */
static bool are_sorted(const struct sorted *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare_sorted(&list[i - 1], &list[i]) > 0) {
            return false;
        }
    }
    return true;
}

/* Sorts by heads, then compares the few that have the same one. `list` and
 * `other` have room for all; the result is in one of them. */
static struct sorted *sort_by_head(struct sorted *list, struct sorted *other,
                                   size_t count)
{
    for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
        if (sort_by_digit(other, list, count, shift)) {
            struct sorted *done = other;
            other = list;
            list = done;
        }
    }
    for (size_t at = 0; at < count;) {
        size_t end = at + 1;
        while (end < count && list[end].head == list[at].head) {
            end++;
        }
        if (!are_sorted(list + at, end - at)) {
            qsort(list + at, end - at, sizeof *list, compare_sorted);
        }
        at = end;
    }
    return list;
}

static struct sorted *sort_entries(struct overlay *overlay,
                                   entry_filter *wanted, size_t *count)
{
    size_t size = overlay->entry_count * sizeof(struct sorted);
    struct sorted *sorted = overlay_room(overlay, size);
    *count = 0;
    for (size_t i = 0; i < overlay->entry_count; i++) {
        struct overlay_entry *entry = overlay->entries[i];
        if (wanted(entry)) {
            sorted[(*count)++] = (struct sorted){head_of(entry), entry};
        }
    }
    if (*count >= COUNTED_MIN) {
        return sort_by_head(sorted, overlay_room(overlay, size), *count);
    }
    qsort(sorted, *count, sizeof *sorted, compare_sorted);
    return sorted;
}

/* ---- reading ahead ------------------------------------------------------- */

/* Entries of one space that are read together. */
struct fetch {
    struct overlay *overlay;
    const struct sorted *sorted;
};

static void told(void *visitor, size_t index, enum pbft_status status,
                 struct pbft_bytes value)
{
    const struct fetch *fetch = visitor;
    settle(fetch->overlay, fetch->sorted[index].entry, status, value);
}

static size_t same_space(const struct sorted *sorted, size_t count)
{
    size_t same = 1;
    while (same < count &&
           sorted[same].entry->space == sorted[0].entry->space) {
        same++;
    }
    return same;
}

void overlay_fetch(struct overlay *overlay)
{
    const struct ledger_kv *kv = overlay->kv;
    size_t count;
    if (kv->get_many == NULL) {
        return;
    }
    struct sorted *sorted = sort_entries(overlay, is_unknown, &count);
    struct pbft_bytes *keys = overlay_room(overlay, count * sizeof *keys);
    for (size_t i = 0; i < count; i++) {
        keys[i] = sorted[i].entry->key;
    }
    for (size_t at = 0; at < count;) {
        struct fetch fetch = {overlay, sorted + at};
        size_t same = same_space(sorted + at, count - at);
        enum pbft_status status =
            kv->get_many(kv->context, sorted[at].entry->space, keys + at, same,
                         told, &fetch);
        if (status != PBFT_OK && overlay->status == PBFT_OK) {
            overlay->status = status;
        }
        at += same;
    }
}

/* ---- writing ------------------------------------------------------------- */

enum pbft_status overlay_apply(struct overlay *overlay)
{
    size_t count;
    const struct sorted *written = sort_entries(overlay, is_written, &count);
    struct ledger_kv_write *writes =
        overlay_room(overlay, count * sizeof *writes);
    for (size_t i = 0; i < count; i++) {
        const struct overlay_entry *entry = written[i].entry;
        writes[i] = (struct ledger_kv_write){
            .operation = entry->present ? LEDGER_KV_PUT : LEDGER_KV_DELETE,
            .space = entry->space,
            .key = entry->key,
            .value = entry->value,
        };
    }
    return overlay->kv->apply(overlay->kv->context, writes, count);
}
