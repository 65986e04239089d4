/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 and SHA-1 (FIPS 180-4). */
#include "fhir/encoding.h"

#include <string.h>

#define SHA1_BLOCK 64

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The bytes of the last, shortened group; its unused bits must be zero. */
static bool end_group(uint8_t *out, size_t *size, uint32_t bits, size_t digits,
                      size_t padding)
{
    if (digits == 0) {
        return padding == 0;
    }
    if (digits == 2 && padding == 2 && (bits & 0xf) == 0) {
        out[(*size)++] = (uint8_t)(bits >> 4);
        return true;
    }
    if (digits == 3 && padding == 1 && (bits & 0x3) == 0) {
        out[(*size)++] = (uint8_t)(bits >> 10);
        out[(*size)++] = (uint8_t)(bits >> 2);
        return true;
    }
    return false;
}

enum pbft_status fhir_base64_decode(uint8_t *out, size_t *size,
                                    const char *text)
{
    uint32_t bits = 0;
    size_t digits = 0;
    size_t padding = 0;

    *size = 0;
    for (; *text != 0; text++) {
        if (*text == ' ' || *text == '\n' || *text == '\r' || *text == '\t') {
            continue;
        }
        if (*text == '=') {
            padding++;
            continue;
        }
        int value = base64_value(*text);
        if (value < 0 || padding > 0) {
            return PBFT_MALFORMED;
        }
        bits = bits << 6 | (uint32_t)value;
        if (++digits == 4) {
            out[(*size)++] = (uint8_t)(bits >> 16);
            out[(*size)++] = (uint8_t)(bits >> 8);
            out[(*size)++] = (uint8_t)bits;
            digits = 0;
            bits = 0;
        }
    }
    return end_group(out, size, bits, digits, padding) ? PBFT_OK
                                                       : PBFT_MALFORMED;
}

void fhir_base64_encode(char *out, struct pbft_bytes bytes)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrst"
        "uvwxyz0123456789+/";

    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t bits = (uint32_t)bytes.data[i] << 16;
        bits |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        bits |= left > 2 ? bytes.data[i + 2] : 0;
        *out++ = digits[bits >> 18];
        *out++ = digits[bits >> 12 & 0x3f];
        *out++ = left > 1 ? digits[bits >> 6 & 0x3f] : '=';
        *out++ = left > 2 ? digits[bits & 0x3f] : '=';
    }
    *out = 0;
}

/* ---- SHA-1 --------------------------------------------------------------- */

static uint32_t rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static uint32_t sha1_mix(size_t round, uint32_t b, uint32_t c, uint32_t d)
{
    if (round < 20) {
        return ((b & c) | (~b & d)) + 0x5a827999u;
    }
    if (round < 40) {
        return (b ^ c ^ d) + 0x6ed9eba1u;
    }
    if (round < 60) {
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
    }
    return (b ^ c ^ d) + 0xca62c1d6u;
}

static void sha1_block(uint32_t state[5], const uint8_t block[SHA1_BLOCK])
{
    uint32_t words[80];
    uint32_t s[5];

    for (size_t i = 0; i < 16; i++) {
        words[i] = (uint32_t)block[4 * i] << 24 |
                   (uint32_t)block[4 * i + 1] << 16 |
                   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    }
    for (size_t i = 16; i < 80; i++) {
        words[i] = rotate(
            words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    }
    memcpy(s, state, sizeof s);
    for (size_t i = 0; i < 80; i++) {
        uint32_t next =
            rotate(s[0], 5) + sha1_mix(i, s[1], s[2], s[3]) + s[4] + words[i];
        s[4] = s[3];
        s[3] = s[2];
        s[2] = rotate(s[1], 30);
        s[1] = s[0];
        s[0] = next;
    }
    for (size_t i = 0; i < 5; i++) {
        state[i] += s[i];
    }
}

void fhir_sha1(uint8_t out[FHIR_SHA1_SIZE], struct pbft_bytes bytes)
{
    uint32_t state[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u,
                         0xc3d2e1f0u};
    uint8_t tail[2 * SHA1_BLOCK] = {0};
    size_t whole = bytes.size / SHA1_BLOCK;
    size_t rest = bytes.size % SHA1_BLOCK;
    size_t tail_size = rest < SHA1_BLOCK - 8 ? SHA1_BLOCK : 2 * SHA1_BLOCK;
    uint64_t bits = (uint64_t)bytes.size * 8;

    for (size_t i = 0; i < whole; i++) {
        sha1_block(state, bytes.data + i * SHA1_BLOCK);
    }
    if (rest > 0) {
        memcpy(tail, bytes.data + whole * SHA1_BLOCK, rest);
    }
    tail[rest] = 0x80;
    for (size_t i = 0; i < 8; i++) {
        tail[tail_size - 1 - i] = (uint8_t)(bits >> (8 * i));
    }
    for (size_t i = 0; i < tail_size; i += SHA1_BLOCK) {
        sha1_block(state, tail + i);
    }
    for (size_t i = 0; i < FHIR_SHA1_SIZE; i++) {
        out[i] = (uint8_t)(state[i / 4] >> (8 * (3 - i % 4)));
    }
}
