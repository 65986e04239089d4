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
};

#endif /* LEDGER_THINGS_LAYOUT_H */
