/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal text, without libc's locale-dependent character classes. */
#include "crypto/hex.h"

#include <string.h>

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    if (digit >= 'A' && digit <= 'F') {
        return digit - 'A' + 10;
    }
    return -1;
}

void hex_encode(char *out, struct pbft_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.size; i++) {
        out[2 * i] = digits[bytes.data[i] >> 4];
        out[2 * i + 1] = digits[bytes.data[i] & 15];
    }
    out[2 * bytes.size] = '\0';
}

enum pbft_status hex_decode_any(uint8_t *out, size_t capacity, size_t *size,
                                const char *text)
{
    size_t length = strlen(text);
    if (length % 2 != 0) {
        return PBFT_MALFORMED;
    }
    if (length / 2 > capacity) {
        return PBFT_TOO_LARGE;
    }
    for (size_t i = 0; i < length / 2; i++) {
        int high = digit_value(text[2 * i]);
        int low = digit_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return PBFT_MALFORMED;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    *size = length / 2;
    return PBFT_OK;
}

enum pbft_status hex_decode(uint8_t *out, size_t size, const char *text)
{
    size_t got = 0;
    if (strlen(text) != 2 * size) {
        return PBFT_MALFORMED;
    }
    return hex_decode_any(out, size, &got, text);
}
