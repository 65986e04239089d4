/* SPDX-License-Identifier: Apache-2.0 */
/* A cursor over well-formed JSON. On text that is not, slices may be nonsense,
 * but never beyond the text. */
#include "fhir/slice.h"

#include <stdbool.h>
#include <string.h>

static const struct fhir_slice none = {0, 0};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static size_t skip_space(struct pbft_bytes text, size_t at)
{
    while (at < text.size && is_space(text.data[at])) {
        at++;
    }
    return at;
}

static size_t skip_string(struct pbft_bytes text, size_t at)
{
    for (at++; at < text.size; at++) {
        if (text.data[at] == '\\') {
            at++;
        } else if (text.data[at] == '"') {
            return at + 1;
        }
    }
    return text.size;
}

/* The end of the value that begins at `at`. */
static size_t skip_value(struct pbft_bytes text, size_t at)
{
    size_t depth = 0;

    while (at < text.size) {
        uint8_t c = text.data[at];
        if (c == '"') {
            at = skip_string(text, at);
        } else if (c == '{' || c == '[') {
            depth++;
            at++;
        } else if (c == '}' || c == ']') {
            if (depth == 0) {
                return at;
            }
            depth--;
            at++;
        } else if (depth == 0 && (c == ',' || is_space(c))) {
            return at;
        } else {
            at++;
            continue;
        }
        if (depth == 0) {
            return at;
        }
    }
    return text.size;
}

static struct fhir_slice value_at(struct pbft_bytes text, size_t at)
{
    at = skip_space(text, at);
    if (at >= text.size || text.data[at] == ']' || text.data[at] == '}') {
        return none;
    }
    return (struct fhir_slice){at, skip_value(text, at) - at};
}

struct fhir_slice fhir_slice_whole(struct pbft_bytes text)
{
    return value_at(text, 0);
}

struct fhir_slice fhir_slice_first(struct pbft_bytes text,
                                   struct fhir_slice array)
{
    if (array.size < 2 || text.data[array.offset] != '[') {
        return none;
    }
    return value_at(text, array.offset + 1);
}

struct fhir_slice fhir_slice_next(struct pbft_bytes text,
                                  struct fhir_slice element)
{
    size_t at = skip_space(text, element.offset + element.size);

    if (at >= text.size || text.data[at] != ',') {
        return none;
    }
    return value_at(text, at + 1);
}

struct fhir_slice fhir_slice_member(struct pbft_bytes text,
                                    struct fhir_slice object, const char *key)
{
    size_t key_size = strlen(key);
    size_t end = object.offset + object.size;
    size_t at = object.offset + 1;

    if (object.size < 2 || text.data[object.offset] != '{') {
        return none;
    }
    while (at < end) {
        struct fhir_slice name = value_at(text, at);
        size_t colon = skip_space(text, name.offset + name.size);
        if (name.size < 2 || colon >= end || text.data[colon] != ':') {
            return none;
        }
        struct fhir_slice value = value_at(text, colon + 1);
        if (value.size == 0) {
            return none;
        }
        if (name.size == key_size + 2 &&
            memcmp(text.data + name.offset + 1, key, key_size) == 0) {
            return value;
        }
        at = skip_space(text, value.offset + value.size);
        if (at >= end || text.data[at] != ',') {
            return none;
        }
        at++;
    }
    return none;
}
