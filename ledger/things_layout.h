/* SPDX-License-Identifier: Apache-2.0 */
/* How a thing is laid out. Private to things*.c. */
#ifndef LEDGER_THINGS_LAYOUT_H
#define LEDGER_THINGS_LAYOUT_H

#include "ledger/things.h"

struct thing_field {
    uint16_t offset;
    uint16_t held;   /* Bytes in the struct. */
    uint16_t stored; /* Bytes in the value. */
    bool is_number;
};

struct thing {
    char kind; /* First byte of its keys. */
    enum ledger_space space;
    size_t id_size;
    size_t held_size;
    const struct thing_field *fields;
    size_t count;
    bool carries; /* A short payload stands behind the fields. */
    /* Its row stands in LEDGER_SPACE_THINGS, and under its id only where. */
    bool in_order;
};

/* The stored value, wherever it stands. False: there is none. */
bool thing_value(struct overlay *overlay, const struct thing *thing,
                 const uint8_t *id, struct pbft_bytes *value);
/* The payload behind the fields of a stored value; empty: none. */
struct pbft_bytes thing_tail(const struct thing *thing,
                             struct pbft_bytes value);
/* Puts fields and payload, which is short. */
void thing_put_parts(struct overlay *overlay, const struct thing *thing,
                     const uint8_t *id, const void *in,
                     struct pbft_bytes payload);

#endif /* LEDGER_THINGS_LAYOUT_H */
