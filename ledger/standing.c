/* SPDX-License-Identifier: Apache-2.0 */
/* The consents of a subject that stand, and those that stood: what ended is
 * noted down, newest last, so that a moment of the past can be told by going
 * back from now. A disclosure is judged by the consents of its own moment.
 */
#include <string.h>

#include "ledger/fields.h"
#include "ledger/state.h"

#define STANDING_VERSION 2
#define STANDING_FIXED (1 + FIELD_U64_SIZE)
#define CHANGE_VERSION 1
#define CHANGE_SIZE (1 + 1 + FIELD_U64_SIZE + LEDGER_ID_SIZE)
#define US_PER_MS 1000u

static void mark_corrupt(struct overlay *overlay)
{
    if (overlay->status == PBFT_OK) {
        overlay->status = PBFT_CORRUPT;
    }
}

/* ---- now ----------------------------------------------------------------- */

static void standing_key(struct schema_key *key, const uint8_t *handle)
{
    key->space = LEDGER_SPACE_STATE;
    key->bytes[0] = 'a';
    memcpy(key->bytes + 1, handle, LEDGER_HANDLE_SIZE);
    key->size = 1 + LEDGER_HANDLE_SIZE;
}

bool state_decode_standing(struct state_standing *out, struct pbft_bytes in)
{
    struct field_reader reader = {.data = in.data, .left = in.size};
    size_t ids = in.size - STANDING_FIXED;
    memset(out, 0, sizeof *out);
    if (in.size < STANDING_FIXED ||
        field_read_u8(&reader) != STANDING_VERSION ||
        ids % LEDGER_ID_SIZE != 0 || ids > sizeof out->ids) {
        return false;
    }
    out->changes = field_read_u64(&reader);
    field_read(&reader, out->ids, ids);
    out->count = (uint32_t)(ids / LEDGER_ID_SIZE);
    return field_read_all(&reader);
}

void state_get_standing(struct overlay *overlay, const uint8_t *handle,
                        struct state_standing *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    standing_key(&key, handle);
    if (!overlay_get(overlay, &key, &value)) {
        memset(out, 0, sizeof *out);
    } else if (!state_decode_standing(out, value)) {
        mark_corrupt(overlay);
    }
}

void state_put_standing(struct overlay *overlay, const uint8_t *handle,
                        const struct state_standing *in)
{
    struct schema_key key;
    uint8_t value[STANDING_FIXED + sizeof in->ids];
    struct field_writer writer = {.data = value, .capacity = sizeof value};
    field_write_u8(&writer, STANDING_VERSION);
    field_write_u64(&writer, in->changes);
    field_write(&writer, in->ids, (size_t)in->count * LEDGER_ID_SIZE);
    standing_key(&key, handle);
    overlay_put(overlay, &key, (struct pbft_bytes){value, writer.size});
}

/* ---- what changed -------------------------------------------------------- */

struct change {
    uint8_t kind; /* enum state_change */
    uint64_t at_ms;
    const uint8_t *consent;
};

static void change_key(struct schema_key *key, const uint8_t *handle,
                       uint64_t number)
{
    struct field_writer writer = {.data = key->bytes,
                                  .capacity = sizeof key->bytes};
    key->space = LEDGER_SPACE_STATE;
    field_write_u8(&writer, 'f');
    field_write(&writer, handle, LEDGER_HANDLE_SIZE);
    field_write_u64(&writer, number);
    key->size = writer.size;
}

void state_note_change(struct overlay *overlay, const uint8_t *handle,
                       enum state_change kind, const uint8_t *consent,
                       uint64_t now_ms)
{
    static const uint8_t none[LEDGER_ID_SIZE] = {0};
    struct state_standing standing;
    struct schema_key key;
    uint8_t value[CHANGE_SIZE];
    struct field_writer writer = {.data = value, .capacity = sizeof value};
    uint32_t kept = 0;
    state_get_standing(overlay, handle, &standing);
    for (uint32_t i = 0; i < standing.count;
         i++) { /* In the order of filing. */
        if (consent == NULL ||
            memcmp(standing.ids[i], consent, LEDGER_ID_SIZE) != 0) {
            memmove(standing.ids[kept++], standing.ids[i], LEDGER_ID_SIZE);
        }
    }
    standing.count = kept;
    field_write_u8(&writer, CHANGE_VERSION);
    field_write_u8(&writer, (uint8_t)kind);
    field_write_u64(&writer, now_ms);
    field_write(&writer, consent != NULL ? consent : none, LEDGER_ID_SIZE);
    change_key(&key, handle, standing.changes++);
    overlay_put(overlay, &key, (struct pbft_bytes){value, writer.size});
    state_put_standing(overlay, handle, &standing);
}

static bool read_change(struct overlay *overlay, const uint8_t *handle,
                        uint64_t number, struct change *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    change_key(&key, handle, number);
    if (!overlay_get(overlay, &key, &value)) {
        mark_corrupt(overlay);
        return false;
    }
    struct field_reader reader = {.data = value.data, .left = value.size};
    if (value.size != CHANGE_SIZE || field_read_u8(&reader) != CHANGE_VERSION) {
        mark_corrupt(overlay);
        return false;
    }
    out->kind = field_read_u8(&reader);
    out->at_ms = field_read_u64(&reader);
    out->consent = field_take(&reader, LEDGER_ID_SIZE);
    return true;
}

/* ---- then ---------------------------------------------------------------- */

/* It had been granted by then. */
static bool was_granted(struct overlay *overlay, const uint8_t *id,
                        uint64_t at_ms)
{
    struct schema_consent consent;
    return state_get_consent(overlay, id, &consent) &&
           consent.granted.time / US_PER_MS <= at_ms;
}

static void add(struct state_standing *standing, const uint8_t *id)
{
    if (standing->count < LEDGER_SUBJECT_CONSENTS_MAX) {
        memmove(standing->ids[standing->count++], id, LEDGER_ID_SIZE);
    }
}

bool state_standing_at(struct overlay *overlay, const uint8_t *handle,
                       uint64_t at_ms, uint64_t look_back,
                       struct state_standing *out, bool *indeterminate)
{
    struct state_standing now;
    struct change change;
    state_get_standing(overlay, handle, &now);
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < now.count; i++) {
        if (was_granted(overlay, now.ids[i], at_ms)) {
            add(out, now.ids[i]);
        }
    }
    for (uint64_t i = now.changes; i > 0; i--) {
        if (!read_change(overlay, handle, i - 1, &change)) {
            return false;
        }
        if (change.at_ms <= at_ms) {
            return true;
        }
        if (now.changes - i == look_back) {
            return false;
        }
        if (change.kind != STATE_CONSENT_ENDED) {
            *indeterminate = change.kind == STATE_CLEAR;
        } else if (was_granted(overlay, change.consent, at_ms)) {
            add(out, change.consent);
        }
    }
    return true;
}

/* Granted in that time. */
static bool is_granted_within(struct overlay *overlay, const uint8_t *id,
                              uint64_t from_ms, uint64_t to_ms)
{
    struct schema_consent consent;
    if (!state_get_consent(overlay, id, &consent)) {
        return true;
    }
    const uint64_t granted_ms = consent.granted.time / US_PER_MS;
    return from_ms <= granted_ms && granted_ms <= to_ms;
}

bool state_standing_changed(struct overlay *overlay, const uint8_t *handle,
                            uint64_t from_ms, uint64_t to_ms)
{
    struct state_standing now;
    struct change change;
    state_get_standing(overlay, handle, &now);
    for (uint32_t i = 0; i < now.count; i++) {
        if (is_granted_within(overlay, now.ids[i], from_ms, to_ms)) {
            return true;
        }
    }
    for (uint64_t i = now.changes; i > 0; i--) {
        if (now.changes - i == LEDGER_CHANGES_BACK_MAX ||
            !read_change(overlay, handle, i - 1, &change)) {
            return true;
        }
        if (change.at_ms < from_ms) {
            return false;
        }
        if (change.at_ms <= to_ms ||
            (change.kind == STATE_CONSENT_ENDED &&
             is_granted_within(overlay, change.consent, from_ms, to_ms))) {
            return true;
        }
    }
    return false;
}
