/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and windows of client keys. */
#include "ledger/client_table.h"

#include "consensus/assert.h"
#include "ledger/fields.h"
#include "ledger/limits.h"
#include "ledger/state.h"

#define BITMAP_SIZE (LEDGER_SESSION_WINDOW_MAX / 8)

/* The sessions of one key, ascending. */
struct sessions {
    uint64_t floor; /* Sessions below are closed. */
    uint32_t count;
    uint64_t numbers[LEDGER_SESSIONS_MAX + 1]; /* One more while opening. */
};

/* Bit i stands for sequence lowest + i; bit 0 is never set. After the sequence
 * 2^64 - 1 was used with all before, `lowest` is 0: nothing is open. */
struct window {
    uint64_t lowest;
    uint8_t used[BITMAP_SIZE];
};

static void mark_corrupt(struct overlay *overlay)
{
    if (overlay->status == PBFT_OK) {
        overlay->status = PBFT_CORRUPT;
    }
}

static void load_sessions(struct overlay *overlay,
                          const struct pbft_public_key *client,
                          struct sessions *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    *out = (struct sessions){0};
    schema_key_client(&key, client);
    if (!overlay_get(overlay, &key, &value)) {
        return;
    }
    struct field_reader reader = {.data = value.data, .left = value.size};
    out->floor = field_read_u64(&reader);
    out->count = field_read_u32(&reader);
    if (out->count > LEDGER_SESSIONS_MAX) {
        out->count = 0;
        mark_corrupt(overlay);
        return;
    }
    for (uint32_t i = 0; i < out->count; i++) {
        out->numbers[i] = field_read_u64(&reader);
    }
    if (!field_read_all(&reader)) {
        mark_corrupt(overlay);
    }
}

static void store_sessions(struct overlay *overlay,
                           const struct pbft_public_key *client,
                           const struct sessions *in)
{
    uint8_t data[8 + 4 + 8 * LEDGER_SESSIONS_MAX];
    struct field_writer writer = {.data = data, .capacity = sizeof data};
    struct schema_key key;
    field_write_u64(&writer, in->floor);
    field_write_u32(&writer, in->count);
    for (uint32_t i = 0; i < in->count; i++) {
        field_write_u64(&writer, in->numbers[i]);
    }
    PBFT_ASSERT(!writer.overflow);
    schema_key_client(&key, client);
    overlay_put(overlay, &key, (struct pbft_bytes){data, writer.size});
}

static bool is_open(const struct sessions *sessions, uint64_t session)
{
    for (uint32_t i = 0; i < sessions->count; i++) {
        if (sessions->numbers[i] == session) {
            return true;
        }
    }
    return false;
}

static void load_window(struct overlay *overlay, const struct client_slot *slot,
                        struct window *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    *out = (struct window){.lowest = 1};
    schema_key_session(&key, slot->client, slot->session);
    if (!overlay_get(overlay, &key, &value)) {
        return;
    }
    struct field_reader reader = {.data = value.data, .left = value.size};
    out->lowest = field_read_u64(&reader);
    if (reader.overflow || reader.left > sizeof out->used) {
        mark_corrupt(overlay);
        return;
    }
    field_read(&reader, out->used, reader.left);
}

/* Bytes of the bitmap up to the last one that is not zero. */
static size_t bytes_in_use(const struct window *window)
{
    size_t count = BITMAP_SIZE;
    while (count > 0 && window->used[count - 1] == 0) {
        count--;
    }
    return count;
}

static void store_window(struct overlay *overlay,
                         const struct client_slot *slot,
                         const struct window *in)
{
    uint8_t data[8 + BITMAP_SIZE];
    struct field_writer writer = {.data = data, .capacity = sizeof data};
    struct schema_key key;
    field_write_u64(&writer, in->lowest);
    field_write(&writer, in->used, bytes_in_use(in));
    schema_key_session(&key, slot->client, slot->session);
    overlay_put(overlay, &key, (struct pbft_bytes){data, writer.size});
}

static bool get_bit(const struct window *window, size_t bit)
{
    return (window->used[bit / 8] >> (bit % 8) & 1) != 0;
}

static void set_bit(struct window *window, size_t bit)
{
    window->used[bit / 8] = (uint8_t)(window->used[bit / 8] | 1u << (bit % 8));
}

/* Moves the window past the sequences that are used up at its lower end. */
static void slide(struct window *window)
{
    struct window moved = {.lowest = window->lowest};
    size_t bits = 8 * bytes_in_use(window);
    size_t run = 0;
    while (run < bits && get_bit(window, run)) {
        run++;
    }
    moved.lowest += run;
    for (size_t bit = run; bit < bits; bit++) {
        if (get_bit(window, bit)) {
            set_bit(&moved, bit - run);
        }
    }
    *window = moved;
}

/* Says where the first result stands, which must be known. */
static enum ledger_code duplicate(struct overlay *overlay,
                                  const struct client_slot *slot,
                                  struct results_location *first)
{
    struct schema_request found;
    if (!state_get_request(overlay, slot->client, slot->session, slot->sequence,
                           &found)) {
        mark_corrupt(overlay);
        return LEDGER_DUPLICATE;
    }
    *first = (struct results_location){found.seq, found.request_index};
    return LEDGER_DUPLICATE;
}

static bool is_closed(const struct sessions *sessions, uint64_t session)
{
    return session < sessions->floor ||
           (sessions->count == LEDGER_SESSIONS_MAX &&
            session < sessions->numbers[0]);
}

enum ledger_code client_table_check(struct overlay *overlay,
                                    const struct client_slot *slot,
                                    struct results_location *first)
{
    struct sessions sessions;
    struct window window = {.lowest = 1};
    *first = (struct results_location){0};
    if (slot->session == 0 || slot->sequence == 0) {
        return LEDGER_SEQUENCE;
    }
    load_sessions(overlay, slot->client, &sessions);
    if (is_closed(&sessions, slot->session)) {
        return LEDGER_SESSION_CLOSED;
    }
    if (is_open(&sessions, slot->session)) {
        load_window(overlay, slot, &window);
    }
    if (window.lowest == 0 || slot->sequence < window.lowest) {
        return duplicate(overlay, slot, first);
    }
    uint64_t offset = slot->sequence - window.lowest;
    if (offset >= slot->window) {
        return LEDGER_OUTSIDE_WINDOW;
    }
    if (get_bit(&window, (size_t)offset)) {
        return duplicate(overlay, slot, first);
    }
    return LEDGER_OK;
}

/* Inserts the session in order; the lowest of one too many is closed. */
static void open_session(struct overlay *overlay,
                         const struct client_slot *slot,
                         struct sessions *sessions)
{
    uint32_t at = sessions->count++;
    while (at > 0 && sessions->numbers[at - 1] > slot->session) {
        sessions->numbers[at] = sessions->numbers[at - 1];
        at--;
    }
    sessions->numbers[at] = slot->session;
    if (sessions->count > LEDGER_SESSIONS_MAX) {
        struct schema_key key;
        schema_key_session(&key, slot->client, sessions->numbers[0]);
        overlay_delete(overlay, &key);
        sessions->floor = sessions->numbers[0] + 1;
        sessions->count--;
        memmove(sessions->numbers, sessions->numbers + 1,
                sessions->count * sizeof sessions->numbers[0]);
    }
    store_sessions(overlay, slot->client, sessions);
}

void client_table_take(struct overlay *overlay, const struct client_slot *slot,
                       const struct schema_request *here)
{
    struct sessions sessions;
    struct window window = {.lowest = 1};
    load_sessions(overlay, slot->client, &sessions);
    if (is_open(&sessions, slot->session)) {
        load_window(overlay, slot, &window);
    } else {
        open_session(overlay, slot, &sessions);
    }
    uint64_t offset = slot->sequence - window.lowest;
    PBFT_ASSERT(offset < slot->window);
    set_bit(&window, (size_t)offset);
    slide(&window);
    store_window(overlay, slot, &window);
    state_put_request(overlay, slot->client, slot->session, slot->sequence,
                      here);
}
