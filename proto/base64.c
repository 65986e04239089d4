/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 without tables that depend on secrets: keys pass through here, so
 * that characters are computed, not looked up.
 */
#include "proto/base64.h"

#define GROUP_BYTES 3u
#define GROUP_CHARACTERS 4u
#define NOT_BASE64 0x100u

static char character_of(unsigned value)
{
    unsigned character = value == 62 ? '+' : '/';
    if (value < 26) {
        character = 'A' + value;
    } else if (value < 52) {
        character = 'a' + (value - 26);
    } else if (value < 62) {
        character = '0' + (value - 52);
    }
    return (char)character;
}

static unsigned value_of(uint8_t character)
{
    if (character >= 'A' && character <= 'Z') {
        return character - 'A';
    }
    if (character >= 'a' && character <= 'z') {
        return character - 'a' + 26u;
    }
    if (character >= '0' && character <= '9') {
        return character - '0' + 52u;
    }
    if (character == '+') {
        return 62;
    }
    return character == '/' ? 63 : NOT_BASE64;
}

void base64_encode(struct pbft_bytes bytes, char *out)
{
    for (size_t i = 0; i < bytes.size; i += GROUP_BYTES) {
        size_t left = bytes.size - i;
        uint32_t group = (uint32_t)bytes.data[i] << 16;
        group |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        group |= left > 2 ? bytes.data[i + 2] : 0;
        out[0] = character_of(group >> 18);
        out[1] = character_of(group >> 12 & 63);
        out[2] = '=';
        out[3] = '=';
        if (left > 1) {
            out[2] = character_of(group >> 6 & 63);
        }
        if (left > 2) {
            out[3] = character_of(group & 63);
        }
        out += GROUP_CHARACTERS;
    }
}

/* How many '=' end the text: 0, 1 or 2. */
static unsigned padding_of(struct pbft_bytes text)
{
    if (text.data[text.size - 1] != '=') {
        return 0;
    }
    return text.data[text.size - 2] == '=' ? 2 : 1;
}

ptrdiff_t base64_decode(struct pbft_bytes text, uint8_t *out)
{
    if (text.size == 0) {
        return 0;
    }
    if (text.size % GROUP_CHARACTERS != 0) {
        return -1;
    }
    unsigned padding = padding_of(text);
    uint8_t *at = out;
    for (size_t i = 0; i < text.size; i += GROUP_CHARACTERS) {
        bool last = i + GROUP_CHARACTERS == text.size;
        unsigned bytes = GROUP_BYTES - (last ? padding : 0);
        uint32_t group = 0;
        for (size_t j = 0; j < GROUP_CHARACTERS; j++) {
            unsigned value = j <= bytes ? value_of(text.data[i + j]) : 0;
            if (value == NOT_BASE64) {
                return -1;
            }
            group = group << 6 | value;
        }
        if ((group & ((1u << (8 * (GROUP_BYTES - bytes))) - 1)) != 0) {
            return -1; /* Bits that stand for nothing. */
        }
        for (unsigned j = 0; j < bytes; j++) {
            *at++ = (uint8_t)(group >> (16 - 8 * j));
        }
    }
    return at - out;
}
