/* SPDX-License-Identifier: Apache-2.0 */
/* A line cut into words, each to be used up by its directive. */
#include <string.h>

#include "sim/script.h"

bool words_split(struct script *script, struct words *words, const char *line)
{
    *words = (struct words){.count = 0};
    if (strlen(line) >= sizeof words->text) {
        script_error(script, "the line is too long");
        return false;
    }
    memcpy(words->text, line, strlen(line) + 1);
    char *at = words->text;
    for (;;) {
        at += strspn(at, " \t\r\n");
        if (*at == '\0' || *at == '#') {
            break;
        }
        if (words->count == SCRIPT_WORDS_MAX) {
            script_error(script, "too many words");
            return false;
        }
        words->word[words->count++] = at;
        at += strcspn(at, " \t\r\n#");
        bool is_comment = *at == '#';
        bool is_end = *at == '\0';
        *at = '\0';
        if (is_comment || is_end) {
            break;
        }
        at++;
    }
    return words->count > 0;
}

static void skip_used(struct words *words)
{
    while (words->at < words->count && words->is_used[words->at]) {
        words->at++;
    }
}

void words_rewind(struct words *words, size_t at)
{
    words->at = at;
    for (size_t i = at; i < words->count; i++) {
        words->is_used[i] = false;
    }
}

const char *words_next(struct words *words)
{
    skip_used(words);
    if (words->at >= words->count) {
        return NULL;
    }
    words->is_used[words->at] = true;
    return words->word[words->at++];
}

const char *words_need(struct script *script, struct words *words,
                       const char *what)
{
    const char *word = words_next(words);
    if (word == NULL) {
        script_error(script, "%s is missing", what);
    }
    return word;
}

const char *words_value(struct words *words, const char *name)
{
    size_t length = strlen(name);
    for (size_t i = words->at; i < words->count; i++) {
        if (!words->is_used[i] && strncmp(words->word[i], name, length) == 0 &&
            words->word[i][length] == '=') {
            words->is_used[i] = true;
            return words->word[i] + length + 1;
        }
    }
    return NULL;
}

bool words_flag(struct words *words, const char *name)
{
    for (size_t i = words->at; i < words->count; i++) {
        if (!words->is_used[i] && strcmp(words->word[i], name) == 0) {
            words->is_used[i] = true;
            return true;
        }
    }
    return false;
}

void words_finish(struct script *script, const struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (!words->is_used[i]) {
            script_error(script, "'%s' is not expected here", words->word[i]);
            return;
        }
    }
}

void words_join(const struct words *words, size_t at, char out[SCRIPT_LINE_MAX])
{
    size_t used = 0;
    for (size_t i = at; i < words->count; i++) {
        size_t length = strlen(words->word[i]);
        memcpy(out + used, words->word[i], length);
        used += length;
        out[used++] = ' ';
    }
    out[used == 0 ? 0 : used - 1] = '\0';
}
