/* SPDX-License-Identifier: Apache-2.0 */
/* The one codec of all things, and the way to them. */
#include "ledger/things.h"

#include "consensus/assert.h"
#include "ledger/fields.h"
#include "ledger/overlay.h"
#include "ledger/things_layout.h"

#define VALUE_VERSION 1

static uint64_t load_number(const uint8_t *at, size_t size)
{
    uint8_t one;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (size) {
    case sizeof one:
        memcpy(&one, at, sizeof one);
        return one;
    case sizeof two:
        memcpy(&two, at, sizeof two);
        return two;
    case sizeof four:
        memcpy(&four, at, sizeof four);
        return four;
    default:
        memcpy(&eight, at, sizeof eight);
        return eight;
    }
}

static void store_number(uint8_t *at, size_t size, uint64_t value)
{
    const uint8_t one = (uint8_t)value;
    const uint16_t two = (uint16_t)value;
    const uint32_t four = (uint32_t)value;
    switch (size) {
    case sizeof one:
        memcpy(at, &one, sizeof one);
        break;
    case sizeof two:
        memcpy(at, &two, sizeof two);
        break;
    case sizeof four:
        memcpy(at, &four, sizeof four);
        break;
    default:
        memcpy(at, &value, sizeof value);
        break;
    }
}

static void put_number(uint8_t *out, size_t size, uint64_t value)
{
    for (size_t i = size; i > 0; i--) {
        out[i - 1] = (uint8_t)value;
        value >>= 8;
    }
    PBFT_ASSERT(value == 0);
}

static uint64_t read_number(const uint8_t *in, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | in[i];
    }
    return value;
}

size_t thing_encode(uint8_t *out, const struct thing *thing, const void *in)
{
    const uint8_t *held = in;
    size_t size = 1;
    out[0] = VALUE_VERSION;
    for (size_t i = 0; i < thing->count; i++) {
        const struct thing_field *field = &thing->fields[i];
        PBFT_ASSERT(size + field->stored <= SCHEMA_FIXED_MAX);
        if (field->is_number) {
            put_number(out + size, field->stored,
                       load_number(held + field->offset, field->held));
        } else {
            memcpy(out + size, held + field->offset, field->stored);
        }
        size += field->stored;
    }
    return size;
}

bool thing_decode(const struct thing *thing, void *out, struct pbft_bytes in)
{
    struct field_reader reader = {.data = in.data, .left = in.size};
    uint8_t *held = out;
    memset(out, 0, thing->held_size);
    if (field_read_u8(&reader) != VALUE_VERSION) {
        return false;
    }
    for (size_t i = 0; i < thing->count; i++) {
        const struct thing_field *field = &thing->fields[i];
        const uint8_t *at = field_take(&reader, field->stored);
        if (at == NULL) {
            return false;
        }
        if (field->is_number) {
            store_number(held + field->offset, field->held,
                         read_number(at, field->stored));
        } else {
            memcpy(held + field->offset, at, field->stored);
        }
    }
    return thing->carries || field_read_all(&reader);
}

struct pbft_bytes thing_tail(const struct thing *thing, struct pbft_bytes value)
{
    size_t fixed = 1;
    for (size_t i = 0; i < thing->count; i++) {
        fixed += thing->fields[i].stored;
    }
    return thing->carries && value.size > fixed
               ? (struct pbft_bytes){value.data + fixed, value.size - fixed}
               : (struct pbft_bytes){NULL, 0};
}

size_t thing_id_size(const struct thing *thing)
{
    return thing->id_size;
}

void thing_make_key(struct schema_key *key, const struct thing *thing,
                    const uint8_t *id)
{
    PBFT_ASSERT(1 + thing->id_size <= sizeof key->bytes);
    key->space = thing->space;
    key->bytes[0] = (uint8_t)thing->kind;
    if (thing->id_size > 0) {
        memcpy(key->bytes + 1, id, thing->id_size);
    }
    key->size = 1 + thing->id_size;
}

static void mark_corrupt(struct overlay *overlay)
{
    if (overlay->status == PBFT_OK) {
        overlay->status = PBFT_CORRUPT;
    }
}

bool thing_value(struct overlay *overlay, const struct thing *thing,
                 const uint8_t *id, struct pbft_bytes *value)
{
    struct schema_key key;
    thing_make_key(&key, thing, id);
    if (!overlay_get(overlay, &key, value)) {
        return false;
    }
    if (thing->in_order && (!schema_key_written(&key, *value) ||
                            !overlay_get(overlay, &key, value))) {
        mark_corrupt(overlay);
        return false;
    }
    return true;
}

bool thing_get(struct overlay *overlay, const struct thing *thing,
               const uint8_t *id, void *out)
{
    struct pbft_bytes value;
    if (!thing_value(overlay, thing, id, &value)) {
        memset(out, 0, thing->held_size);
        return false;
    }
    bool decoded = thing_decode(thing, out, value);
    if (!decoded) {
        mark_corrupt(overlay);
    }
    return decoded;
}

void thing_put_parts(struct overlay *overlay, const struct thing *thing,
                     const uint8_t *id, const void *in,
                     struct pbft_bytes payload)
{
    struct schema_key key;
    struct schema_key where;
    uint8_t bytes[SCHEMA_FIXED_MAX + SCHEMA_SHORT_PAYLOAD_MAX];
    struct pbft_bytes value = {bytes, thing_encode(bytes, thing, in)};
    PBFT_ASSERT(payload.size <= SCHEMA_SHORT_PAYLOAD_MAX);
    if (payload.size > 0) {
        memcpy(bytes + value.size, payload.data, payload.size);
        value.size += payload.size;
    }
    if (thing->in_order) {
        overlay_append(overlay, &where, value);
        value = (struct pbft_bytes){where.bytes, where.size};
    }
    thing_make_key(&key, thing, id);
    overlay_put(overlay, &key, value);
}

/* What stands behind the fields stays. */
void thing_put(struct overlay *overlay, const struct thing *thing,
               const uint8_t *id, const void *in)
{
    struct pbft_bytes payload = {NULL, 0};
    if (thing->carries) {
        struct pbft_bytes value;
        if (thing_value(overlay, thing, id, &value)) {
            payload = thing_tail(thing, value);
        }
    }
    thing_put_parts(overlay, thing, id, in, payload);
}

void thing_delete(struct overlay *overlay, const struct thing *thing,
                  const uint8_t *id)
{
    struct schema_key key;
    PBFT_ASSERT(!thing->in_order); /* Its row would stay. */
    thing_make_key(&key, thing, id);
    overlay_delete(overlay, &key);
}

bool thing_has(struct overlay *overlay, const struct thing *thing,
               const uint8_t *id)
{
    struct schema_key key;
    thing_make_key(&key, thing, id);
    return overlay_has(overlay, &key);
}
