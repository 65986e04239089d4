/* SPDX-License-Identifier: Apache-2.0 */
/* The form of locations, ids, commitments and size buckets. */
#include "ledger/forms.h"

#include <string.h>

#include "ledger/limits.h"
#include "proto/utf8.h"

#define DRS_PREFIX "drs://"
#define UUID_PREFIX "urn:uuid:"
#define UUID_SIZE 36
#define DRS_ID_MIN 26 /* 130 bits of base 32: nobody guesses one. */
#define DRS_ID_MAX 52
#define HOST_MAX 253
#define LABEL_MAX 63

static const uint8_t sha256_of_nothing[PBFT_DIGEST_SIZE] = {
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
    0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
    0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
static const uint8_t blake2b_of_nothing[PBFT_DIGEST_SIZE] = {
    0x0e, 0x57, 0x51, 0xc0, 0x26, 0xe5, 0x43, 0xb2, 0xe8, 0xab, 0x2e,
    0xb0, 0x60, 0x99, 0xda, 0xa1, 0xd1, 0xe5, 0xdf, 0x47, 0x77, 0x8f,
    0x77, 0x87, 0xfa, 0xab, 0x45, 0xcd, 0xf1, 0x2f, 0xe3, 0xa8};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool begins_with(struct pbft_bytes text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.size >= length && memcmp(text.data, prefix, length) == 0;
}

/* Labels of [a-z0-9-], not beginning or ending with '-', joined by dots. */
static bool is_host(const uint8_t *host, size_t size)
{
    if (size == 0 || size > HOST_MAX) {
        return false;
    }
    size_t label = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = host[i];
        bool ends = i + 1 == size || host[i + 1] == '.';
        if (c == '.') {
            if (label == 0 || i + 1 == size) {
                return false;
            }
            label = 0;
            continue;
        }
        bool edge = label == 0 || ends;
        if (!(is_lower(c) || is_digit(c) || (c == '-' && !edge)) ||
            ++label > LABEL_MAX) {
            return false;
        }
    }
    return true;
}

static bool is_drs_id(const uint8_t *id, size_t size)
{
    if (size < DRS_ID_MIN || size > DRS_ID_MAX) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_lower(id[i]) && !(id[i] >= '2' && id[i] <= '7')) {
            return false;
        }
    }
    return true;
}

static bool is_drs(struct pbft_bytes location)
{
    const uint8_t *host = location.data + strlen(DRS_PREFIX);
    size_t left = location.size - strlen(DRS_PREFIX);
    const uint8_t *slash = memchr(host, '/', left);
    if (slash == NULL) {
        return false;
    }
    size_t host_size = (size_t)(slash - host);
    return is_host(host, host_size) &&
           is_drs_id(slash + 1, left - host_size - 1);
}

static bool is_uuid(const uint8_t *uuid, size_t size)
{
    if (size != UUID_SIZE) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = is_digit(uuid[i]) || (uuid[i] >= 'a' && uuid[i] <= 'f');
        if (dash ? uuid[i] != '-' : !hex) {
            return false;
        }
    }
    return true;
}

bool forms_is_location(struct pbft_bytes location)
{
    if (location.size > LEDGER_LOCATION_MAX) {
        return false;
    }
    if (begins_with(location, DRS_PREFIX)) {
        return is_drs(location);
    }
    return begins_with(location, UUID_PREFIX) &&
           is_uuid(location.data + strlen(UUID_PREFIX),
                   location.size - strlen(UUID_PREFIX));
}

bool forms_reads_as_text(struct pbft_bytes id)
{
    size_t size = id.size;
    while (size > 0 && id.data[size - 1] == 0) {
        size--;
    }
    for (size_t i = 0; i < size; i++) {
        if (id.data[i] < ' ' || id.data[i] > '~') {
            return false;
        }
    }
    return true;
}

bool forms_is_hash_of_nothing(struct pbft_bytes commit)
{
    return commit.size == PBFT_DIGEST_SIZE &&
           (memcmp(commit.data, sha256_of_nothing, PBFT_DIGEST_SIZE) == 0 ||
            memcmp(commit.data, blake2b_of_nothing, PBFT_DIGEST_SIZE) == 0);
}

static bool is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

bool forms_is_size_bucket(uint32_t bucket)
{
    return is_power_of_two(bucket) ||
           (bucket % 5 == 0 && bucket / 5 <= UINT32_MAX / 4 &&
            is_power_of_two(bucket / 5 * 4) && bucket >= 5);
}

uint32_t forms_size_bucket(uint64_t size)
{
    uint64_t kib = size / 1024 + (size % 1024 != 0);
    for (unsigned shift = 0; shift < 32; shift++) {
        uint64_t power = (uint64_t)1 << shift;
        if (kib <= power) {
            return (uint32_t)power;
        }
        if (shift >= 2 && shift < 31 && kib <= power + power / 4) {
            return (uint32_t)(power + power / 4);
        }
    }
    return 0;
}

/* ---- texts of governance ------------------------------------------------- */

static bool is_small(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_figure(char c)
{
    return c >= '0' && c <= '9';
}

/* Between 1 and `limit` characters, all of which `allowed` accepts. */
static bool consists_of(const char *text, size_t limit, bool (*allowed)(char))
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        if (!allowed(text[i])) {
            return false;
        }
    }
    return size >= 1 && size <= limit;
}

static bool in_short_name(char c)
{
    return is_small(c) || is_figure(c) || c == '-';
}

static bool in_register_number(char c)
{
    return is_capital(c) || is_figure(c) || c == '.';
}

static bool in_code(char c)
{
    return is_small(c) || is_capital(c) || is_figure(c) || c == '.' ||
           c == '_' || c == '-';
}

static bool in_uri(char c)
{
    return c > ' ' && c < 0x7f;
}

static bool in_id(char c)
{
    return is_figure(c) || (c >= 'a' && c <= 'f');
}

/* People see names where there is one and else ids, or a dash for nobody: a
 * name must not pass for either. */
bool forms_is_short_name(const char *text)
{
    bool is_like_id = strlen(text) == 2 * PBFT_INSTITUTION_SIZE &&
                      consists_of(text, 2 * PBFT_INSTITUTION_SIZE, in_id);
    return consists_of(text, LEDGER_NAME_MAX, in_short_name) && !is_like_id &&
           strspn(text, "-") < strlen(text);
}

bool forms_is_legal_name(const char *text)
{
    const struct pbft_bytes line = {(const uint8_t *)text, strlen(text)};
    return line.size >= 1 && line.size <= LEDGER_LEGAL_NAME_MAX &&
           wire_utf8_is_line(line);
}

bool forms_is_country(const char *text)
{
    return strlen(text) == 2 && is_capital(text[0]) && is_capital(text[1]);
}

bool forms_is_register_number(const char *text)
{
    return consists_of(text, 64, in_register_number);
}

bool forms_is_code(const char *text)
{
    return consists_of(text, 64, in_code);
}

bool forms_is_uri(const char *text)
{
    return consists_of(text, 255, in_uri);
}
