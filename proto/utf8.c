/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 by the table of RFC 3629. */
#include "proto/utf8.h"

#include <string.h>

/* Bytes at the beginning, in whole words, that are ASCII and not zero. */
static size_t plain_bytes(struct pbft_bytes text)
{
    const uint64_t ones = 0x0101010101010101u;
    const uint64_t highs = 0x8080808080808080u;
    size_t at = 0;
    uint64_t word;
    for (; text.size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, text.data + at, sizeof word);
        /* A zero borrows: its own high bit is set then. */
        if (((word | (word - ones)) & highs) != 0) {
            break;
        }
    }
    return at;
}

/* Bytes of the character that begins at `at`; 0 if it is malformed. */
static size_t character_size(const uint8_t *at, size_t left)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (at[0] < 0x80) {
        return 1;
    }
    size_t size = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || size > left) {
        return 0;
    }
    uint32_t value = at[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (at[i] & 0x3fu);
    }
    bool surrogate = value >= 0xd800 && value <= 0xdfff;
    return value < smallest[size] || surrogate || value > 0x10ffff ? 0 : size;
}

bool wire_utf8_is_valid(struct pbft_bytes text)
{
    size_t at = plain_bytes(text);
    while (at < text.size) {
        size_t size = character_size(text.data + at, text.size - at);
        if (size == 0 || text.data[at] == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

/* C0 and DEL; C1, which are c2 80..9f; U+2028..202e, e2 80 a8..ae;
 * U+2066..2069, e2 81 a6..a9. */
static bool is_control(const uint8_t *at, size_t left)
{
    if (at[0] == 0xc2) {
        return left >= 2 && at[1] < 0xa0;
    }
    if (at[0] == 0xe2 && left >= 3) {
        return (at[1] == 0x80 && at[2] >= 0xa8 && at[2] <= 0xae) ||
               (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9);
    }
    return at[0] < 0x20 || at[0] == 0x7f;
}

bool wire_utf8_is_line(struct pbft_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (is_control(text.data + i, text.size - i)) {
            return false;
        }
    }
    return wire_utf8_is_valid(text);
}
