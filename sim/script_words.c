/* SPDX-License-Identifier: Apache-2.0 */
/* Words, numbers, durations, names. */
#include <inttypes.h>
#include <stdio.h>
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

const char *words_peek(const struct words *words)
{
    size_t at = words->at;
    while (at < words->count && words->is_used[at]) {
        at++;
    }
    return at < words->count ? words->word[at] : NULL;
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

static bool parse_digits(const char **text, uint64_t *out)
{
    uint64_t value = 0;
    const char *at = *text;
    if (*at < '0' || *at > '9') {
        return false;
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *text = at;
    *out = value;
    return true;
}

bool script_number(struct script *script, const char *text, uint64_t *out)
{
    const char *at = text;
    if (!parse_digits(&at, out) || *at != '\0') {
        script_error(script, "'%s' is not a number", text);
        return false;
    }
    return true;
}

bool words_number(struct script *script, struct words *words, const char *name,
                  uint64_t *out)
{
    const char *text = words_value(words, name);
    return text != NULL && script_number(script, text, out);
}

bool script_duration(struct script *script, const char *text, int64_t *out)
{
    static const struct {
        const char *unit;
        uint64_t us;
    } units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"min", 60000000}};
    const char *at = text;
    bool is_negative = *at == '-';
    uint64_t value;
    at += is_negative;
    if (parse_digits(&at, &value)) {
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
            if (strcmp(at, units[i].unit) == 0 &&
                value <= (uint64_t)INT64_MAX / units[i].us) {
                int64_t us = (int64_t)(value * units[i].us);
                *out = is_negative ? -us : us;
                return true;
            }
        }
    }
    script_error(script, "'%s' is not a duration (50ms, 7s)", text);
    return false;
}

struct host *script_host(struct script *script, const char *name)
{
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        if (strcmp(script->sim->hosts[i]->name, name) == 0) {
            return script->sim->hosts[i];
        }
    }
    script_error(script, "there is no replica '%s'", name);
    return NULL;
}

struct client *script_client(struct script *script, const char *name)
{
    for (uint32_t i = 0; i < script->sim->client_count; i++) {
        if (strcmp(script->sim->clients[i]->name, name) == 0) {
            return script->sim->clients[i];
        }
    }
    script_error(script, "there is no client '%s'", name);
    return NULL;
}

static bool add_actor(struct script *script, const char *name,
                      struct actor_set *out)
{
    const struct sim *sim = script->sim;
    bool is_found = false;
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (strcmp(name, "all") == 0 ||
            strcmp(sim->hosts[i]->name, name) == 0) {
            actor_set_add(out, i);
            is_found = true;
        }
    }
    for (uint32_t i = 0; i < sim->client_count; i++) {
        if (strcmp(sim->clients[i]->name, name) == 0) {
            actor_set_add(out, SIM_HOSTS_MAX + i);
            is_found = true;
        }
    }
    if (!is_found) {
        script_error(script, "there is no replica or client '%s'", name);
    }
    return is_found;
}

bool script_actors(struct script *script, const char *text,
                   struct actor_set *out)
{
    char name[SCRIPT_LABEL_SIZE];
    *out = (struct actor_set){{0}};
    for (;;) {
        size_t length = strcspn(text, ",");
        if (length == 0 || length >= sizeof name) {
            script_error(script, "'%s' is not a list of replicas", text);
            return false;
        }
        memcpy(name, text, length);
        name[length] = '\0';
        if (!add_actor(script, name, out)) {
            return false;
        }
        if (text[length] == '\0') {
            return true;
        }
        text += length + 1;
    }
}

bool script_pattern(struct script *script, struct words *words,
                    struct pattern *out)
{
    *out = (struct pattern){.types = 0};
    const char *type = words_need(script, words, "a message type");
    if (type == NULL) {
        return false;
    }
    if (!pattern_types(type, &out->types)) {
        script_error(script, "'%s' is not a message type", type);
        return false;
    }
    const char *from = words_value(words, "from");
    const char *to = words_value(words, "to");
    out->has_from = from != NULL && script_actors(script, from, &out->from);
    out->has_to = to != NULL && script_actors(script, to, &out->to);
    out->has_view = words_number(script, words, "view", &out->view);
    out->has_seq = words_number(script, words, "seq", &out->seq);
    return script->outcome == SCRIPT_RUNS;
}
