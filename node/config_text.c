/* SPDX-License-Identifier: Apache-2.0 */
/* Finds keys and documents in YAML text, roughly: for messages, not meaning. */
#include "node/config_text.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Is `key:` at text[at], as a word of its own? Quotes may stand around it. */
static bool is_key_at(const char *text, size_t at, const char *key)
{
    size_t size = strlen(key);
    if (strncmp(text + at, key, size) != 0 ||
        (at > 0 && is_word(text[at - 1]))) {
        return false;
    }
    size_t end = at + size;
    if (text[end] == '"' || text[end] == '\'') {
        end++;
    }
    while (text[end] == ' ') {
        end++;
    }
    return text[end] == ':';
}

static bool is_before(struct config_place a, struct config_place b)
{
    return a.line < b.line || (a.line == b.line && a.column < b.column);
}

bool config_text_find(const char *text, const char *key,
                      struct config_place from, struct config_place *out)
{
    struct config_place place = {.line = 1, .column = 1};
    bool in_comment = false;
    if (key[0] == '\0') {
        return false;
    }
    for (size_t i = 0; text[i] != '\0'; i++) {
        bool after_space = i == 0 || isspace((unsigned char)text[i - 1]);
        if (text[i] == '#' && after_space) {
            in_comment = true;
        }
        if (!in_comment && !is_before(place, from) && is_key_at(text, i, key)) {
            *out = place;
            return true;
        }
        if (text[i] == '\n') {
            in_comment = false;
            place.line++;
            place.column = 1;
        } else {
            place.column++;
        }
    }
    return false;
}

bool config_text_has_second_document(const char *text, struct config_place *out)
{
    struct config_place place = {.line = 1, .column = 1};
    bool has_content = false;
    for (const char *line = text; *line != '\0'; place.line++) {
        size_t size = strcspn(line, "\n");
        bool is_mark =
            strncmp(line, "---", 3) == 0 || strncmp(line, "...", 3) == 0;
        if (is_mark && has_content) {
            *out = place;
            return true;
        }
        size_t first = strspn(line, " \t\r");
        has_content =
            has_content || is_mark || (first < size && line[first] != '#');
        line += size;
        line += *line == '\n';
    }
    return false;
}
