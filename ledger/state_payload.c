/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads: in the row of their thing if they are short, else apart. */
#include "consensus/assert.h"
#include "ledger/state.h"
#include "ledger/things_layout.h"

/* The things that carry their payload. */
static const struct thing *carrier_of(char kind)
{
    static const struct thing *const carriers[] = {
        &thing_record,     &thing_consent,   &thing_access,
        &thing_disclosure, &thing_emergency,
    };
    for (size_t i = 0; i < sizeof carriers / sizeof carriers[0]; i++) {
        if (carriers[i]->kind == kind) {
            return carriers[i];
        }
    }
    return NULL;
}

/* Is the thing there with its payload apart? */
static bool is_apart(struct overlay *overlay, const struct thing *thing,
                     const uint8_t *id)
{
    struct pbft_bytes value;
    return thing_value(overlay, thing, id, &value) &&
           thing_tail(thing, value).size == 0;
}

void state_put_with_payload(struct overlay *overlay, const struct thing *thing,
                            const uint8_t *id, const void *in,
                            struct pbft_bytes payload)
{
    struct schema_key key;
    const struct pbft_bytes none = {NULL, 0};
    PBFT_ASSERT(thing->carries);
    PBFT_ASSERT(payload.size > 0);
    schema_key_payload(&key, thing->kind, id);
    if (payload.size > SCHEMA_SHORT_PAYLOAD_MAX) {
        overlay_put(overlay, &key, payload);
        thing_put_parts(overlay, thing, id, in, none);
        return;
    }
    if (is_apart(overlay, thing, id)) {
        overlay_delete(overlay, &key);
    }
    thing_put_parts(overlay, thing, id, in, payload);
}

void state_put_payload(struct overlay *overlay, char kind, const uint8_t *id,
                       struct pbft_bytes payload)
{
    struct schema_key key;
    PBFT_ASSERT(carrier_of(kind) == NULL);
    schema_key_payload(&key, kind, id);
    overlay_put(overlay, &key, payload);
}

bool state_get_payload(struct overlay *overlay, char kind, const uint8_t *id,
                       struct pbft_bytes *payload)
{
    struct schema_key key;
    const struct thing *thing = carrier_of(kind);
    if (thing != NULL) {
        struct pbft_bytes value;
        if (!thing_value(overlay, thing, id, &value)) {
            return false;
        }
        *payload = thing_tail(thing, value);
        if (payload->size > 0) {
            return true;
        }
    }
    schema_key_payload(&key, kind, id);
    return overlay_read(overlay, &key, payload);
}

void state_put_decision(struct overlay *overlay, const uint8_t *request,
                        uint32_t number, struct pbft_bytes payload)
{
    struct schema_key key;
    schema_key_decision(&key, request, number);
    overlay_put(overlay, &key, payload);
}

bool state_get_decision(struct overlay *overlay, const uint8_t *request,
                        uint32_t number, struct pbft_bytes *payload)
{
    struct schema_key key;
    schema_key_decision(&key, request, number);
    return overlay_read(overlay, &key, payload);
}
