/* SPDX-License-Identifier: Apache-2.0 */
/* What words mean: numbers, durations, sizes, replicas, clients, patterns. */
#include <inttypes.h>
#include <string.h>

#include "sim/script.h"

/* The digits that the text begins with. */
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

bool script_time(struct script *script, const char *text, uint64_t *out)
{
    int64_t us;
    if (!script_duration(script, text, &us)) {
        return false;
    }
    if (us < 0) {
        script_error(script, "'%s' is negative", text);
        return false;
    }
    *out = (uint64_t)us;
    return true;
}

bool script_bytes(struct script *script, const char *text, uint64_t *out)
{
    static const struct {
        const char *unit;
        unsigned shift;
    } units[] = {{"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    const char *at = text;
    uint64_t value;
    if (parse_digits(&at, &value)) {
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
            if (strcmp(at, units[i].unit) == 0 &&
                value <= UINT64_MAX >> units[i].shift) {
                *out = value << units[i].shift;
                return true;
            }
        }
    }
    script_error(script, "'%s' is not a size (64KiB, 1MiB)", text);
    return false;
}

bool script_is_name(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length < SCRIPT_LABEL_SIZE &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789_-") == length &&
           strcmp(text, "all") != 0 && strcmp(text, "null") != 0 &&
           strcmp(text, "to") != 0;
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
    const bool is_all = strcmp(name, "all") == 0;
    bool is_found = is_all;
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (is_all || strcmp(sim->hosts[i]->name, name) == 0) {
            actor_set_add(out, i);
            is_found = true;
        }
    }
    for (uint32_t i = 0; !is_all && i < sim->client_count; i++) {
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

static bool has_clients(const struct script *script,
                        const struct actor_set *set)
{
    bool found = false;
    for (uint32_t i = 0; i < script->sim->client_count; i++) {
        found = found || actor_set_has(set, SIM_HOSTS_MAX + i);
    }
    return found;
}

bool script_hosts(struct script *script, struct words *words,
                  struct actor_set *out)
{
    const char *word = words_need(script, words, "a replica");
    if (word == NULL || !script_actors(script, word, out)) {
        return false;
    }
    if (has_clients(script, out)) {
        script_error(script, "'%s' names a client: replicas are meant", word);
        return false;
    }
    return true;
}

/* A twin gets a copy of every message to its original. */
static void add_twins(const struct script *script, struct actor_set *set)
{
    const struct sim *sim = script->sim;
    for (uint32_t i = sim->settings.n; i < sim->host_count; i++) {
        if (actor_set_has(set, sim->hosts[i]->id)) {
            actor_set_add(set, i);
        }
    }
}

bool script_to(struct script *script, struct words *words,
               const struct host *sender, bool is_needed, struct actor_set *out)
{
    *out = (struct actor_set){{0}};
    for (size_t i = words->at; i + 1 < words->count; i++) {
        if (words->is_used[i] || strcmp(words->word[i], "to") != 0) {
            continue;
        }
        const char *list = words->word[i + 1];
        words->is_used[i] = true;
        words->is_used[i + 1] = true;
        if (!script_actors(script, list, out)) {
            return false;
        }
        for (uint32_t h = 0; h < script->sim->host_count; h++) {
            const bool is_self =
                sender != NULL && (h == sender->index ||
                                   (strcmp(list, "all") == 0 &&
                                    script->sim->hosts[h]->id == sender->id));
            if (is_self) {
                actor_set_remove(out, h);
            }
        }
        add_twins(script, out);
        if (sender != NULL) {
            actor_set_remove(out, sender->index);
        }
        return true;
    }
    if (is_needed) {
        script_error(script, "'to' and a list of replicas are missing");
    }
    return false;
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
