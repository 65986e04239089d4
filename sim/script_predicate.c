/* SPDX-License-Identifier: Apache-2.0 */
/* The table of predicates, for `expect` and `run until`, and how a failure is
 * told: what was expected, and what was found instead. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/script.h"

#define NO_REPLICA "no replica that is up and not a puppet"

void script_found(struct script *script, const char *format, ...)
{
    va_list arguments;
    if (script->is_explaining) {
        va_start(arguments, format);
        (void)vsnprintf(script->found, sizeof script->found, format, arguments);
        va_end(arguments);
    }
}

/* A halted process has ended: it is not up. One that was a puppet once and
 * behaves by the protocol again is meant, though the auditor distrusts it. */
static bool is_meant_by_all(const struct host *host)
{
    return host->state == HOST_UP && host->behavior == HOST_HONEST;
}

bool script_audience(struct script *script, struct words *words,
                     struct actor_set *out)
{
    const char *word = words_need(script, words, "a replica");
    bool is_empty = true;
    *out = (struct actor_set){{0}};
    if (word == NULL) {
        return false;
    }
    if (strcmp(word, "all") != 0) {
        words->at--;
        words->is_used[words->at] = false;
        return script_hosts(script, words, out);
    }
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        if (is_meant_by_all(script->sim->hosts[i])) {
            actor_set_add(out, i);
            is_empty = false;
        }
    }
    if (is_empty) {
        script_found(script, NO_REPLICA);
    }
    return true;
}

bool script_take_seq(struct script *script, struct words *words, pbft_seq *seq)
{
    const char *word = words_need(script, words, "a sequence number");
    return word != NULL && script_number(script, word, seq);
}

static bool is_replied(struct script *script, struct words *words)
{
    const char *name = words_need(script, words, "a client");
    const char *word = words_need(script, words, "a label");
    struct client *client = name == NULL ? NULL : script_client(script, name);
    struct script_label *label =
        client == NULL || word == NULL ? NULL : script_label(script, word);
    if (label == NULL) {
        return false;
    }
    if (label->client != client) {
        script_error(script, "label '%s' belongs to %s", word,
                     label->client->name);
        return false;
    }
    script_found(script, label->is_submitted
                             ? "no reply that f + 1 attestations prove"
                             : "it was not submitted so far");
    return client->requests[label->request->request.sequence - 1].is_answered;
}

static bool has_executed(const struct script *script, const struct host *host,
                         const struct script_label *label)
{
    return host->service != NULL && script->sim->settings.service->find(
                                        host->service, label->client->index,
                                        label->request->request.sequence) != 0;
}

static bool has_executed_all(struct script *script, const struct host *host)
{
    for (size_t i = 0; i < script->label_count; i++) {
        const struct script_label *label = &script->labels[i];
        if (label->is_submitted && !has_executed(script, host, label)) {
            script_found(script, "%s has not executed %s", host->name,
                         label->name);
            return false;
        }
    }
    return true;
}

/* Everywhere that counts, and that is somewhere: every submitted request. */
static bool is_live(struct script *script, struct words *words)
{
    const struct sim *sim = script->sim;
    bool has_any = false;
    (void)words;
    script_found(script, NO_REPLICA);
    for (uint32_t h = 0; h < sim->host_count; h++) {
        const struct host *host = sim->hosts[h];
        if (!is_meant_by_all(host)) {
            continue;
        }
        has_any = true;
        if (!has_executed_all(script, host)) {
            return false;
        }
    }
    return has_any;
}

/* The auditor ends the script as soon as it does not hold. */
static bool is_agreement(struct script *script, struct words *words)
{
    (void)words;
    return !script->sim->violation.found;
}

static const struct {
    const char *name;
    bool (*holds)(struct script *script, struct words *words);
} predicates[] = {
    {"executed", script_is_executed},
    {"not-executed", script_is_not_executed},
    {"prepared", script_is_prepared},
    {"committed", script_is_committed},
    {"stable", script_is_stable},
    {"view", script_is_view},
    {"view-active", script_is_view_active},
    {"status", script_is_status},
    {"sent", script_is_sent},
    {"not-sent", script_is_not_sent},
    {"evidence", script_is_evidence},
    {"replied", is_replied},
    {"live", is_live},
    {"agreement", is_agreement},
    {"buffered", script_is_buffered},
};

bool script_predicate(struct script *script, struct words *words, bool *holds)
{
    const char *name = words_need(script, words, "a predicate");
    *holds = false;
    for (size_t i = 0;
         name != NULL && i < sizeof predicates / sizeof predicates[0]; i++) {
        if (strcmp(predicates[i].name, name) == 0) {
            *holds = predicates[i].holds(script, words);
            if (script->outcome == SCRIPT_RUNS) {
                words_finish(script, words);
            }
            return script->outcome == SCRIPT_RUNS;
        }
    }
    script_error(script, "'%s' is not a predicate", name == NULL ? "" : name);
    return false;
}

void script_unfulfilled(struct script *script, struct words *words, size_t at,
                        const char *when)
{
    char expected[SCRIPT_LINE_MAX];
    bool holds;
    words_rewind(words, at);
    words_join(words, at, expected);
    script->is_explaining = true;
    script->found[0] = '\0';
    (void)script_predicate(script, words, &holds);
    script->is_explaining = false;
    script_broke(script, "expected '%.200s'%s, found: %s", expected, when,
                 script->found[0] == '\0' ? "it is not so" : script->found);
}

void script_do_expect(struct script *script, struct words *words)
{
    const size_t at = words->at;
    bool holds;
    if (script_predicate(script, words, &holds) && !holds) {
        script_unfulfilled(script, words, at, "");
    }
}
