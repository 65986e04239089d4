/* SPDX-License-Identifier: Apache-2.0 */
/* Fields in and out of a layout. */
#include "vault/layout.h"

#include <string.h>

void layout_put(struct layout *layout, const void *field, size_t size)
{
    memcpy(layout->bytes + layout->size, field, size);
    layout->size += size;
}

void layout_put_number(struct layout *layout, uint32_t number)
{
    uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
                        (uint8_t)(number >> 8), (uint8_t)number};

    layout_put(layout, bytes, sizeof bytes);
}

void layout_put_time(struct layout *layout, uint64_t time)
{
    layout_put_number(layout, (uint32_t)(time >> 32));
    layout_put_number(layout, (uint32_t)time);
}

void layout_get(struct layout *layout, void *field, size_t size)
{
    if (layout->damaged || layout->size - layout->read < size) {
        layout->damaged = true;
        memset(field, 0, size);
        return;
    }
    memcpy(field, layout->bytes + layout->read, size);
    layout->read += size;
}

uint32_t layout_get_number(struct layout *layout)
{
    uint8_t bytes[4];

    layout_get(layout, bytes, sizeof bytes);
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

uint64_t layout_get_time(struct layout *layout)
{
    uint64_t high = layout_get_number(layout);

    return high << 32 | layout_get_number(layout);
}

struct layout layout_begin(void)
{
    struct layout layout = {.size = 1};

    layout.bytes[0] = LAYOUT_VERSION;
    return layout;
}
