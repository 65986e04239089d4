/* SPDX-License-Identifier: Apache-2.0 */
/* Letting time pass, and firing timers. */
#include <inttypes.h>
#include <string.h>

#include "sim/script.h"

/* A script that settles after so many events does not settle. */
#define SETTLE_EVENTS_MAX 2000000

static bool has_next_before(const struct sim *sim, uint64_t until_us)
{
    const struct sim_event *next = sim_queue_peek(&sim->queue);
    return next != NULL && next->time_us <= until_us;
}

static void run_for(struct script *script, int64_t duration_us)
{
    struct sim *sim = script->sim;
    uint64_t until_us = sim->now_us + (uint64_t)duration_us;
    while (has_next_before(sim, until_us) && sim_step(sim)) {
    }
    if (!sim->violation.found) {
        sim->now_us = until_us;
    }
}

/* "run until PREDICATE max 2000ms": the words before "max" are the predicate.
 */
static void run_until(struct script *script, struct words *words)
{
    struct sim *sim = script->sim;
    int64_t max_us = 0;
    if (words->count < 2 || strcmp(words->word[words->count - 2], "max") != 0 ||
        !script_duration(script, words->word[words->count - 1], &max_us)) {
        script_error(script, "usage: run until PREDICATE max DURATION");
        return;
    }
    words->count -= 2;
    uint64_t until_us = sim->now_us + (uint64_t)max_us;
    bool holds = false;
    for (;;) {
        struct words copy = *words;
        for (size_t i = 0; i < copy.count; i++) {
            copy.word[i] = copy.text + (words->word[i] - words->text);
        }
        if (!script_predicate(script, &copy, &holds) || holds) {
            break;
        }
        if (!has_next_before(sim, until_us) || !sim_step(sim)) {
            break;
        }
    }
    memset(words->is_used, true, sizeof words->is_used);
    if (!holds && script->outcome == SCRIPT_RUNS && !sim->violation.found) {
        sim->now_us = until_us;
        script_broke(script, "it did not come true within %" PRId64 " ms",
                     max_us / 1000);
    }
}

void script_do_run(struct script *script, struct words *words)
{
    int64_t duration_us;
    const char *word = words_need(script, words, "a duration");
    if (word == NULL) {
        return;
    }
    if (strcmp(word, "until") == 0) {
        run_until(script, words);
    } else if (script_duration(script, word, &duration_us)) {
        if (duration_us < 0) {
            script_error(script, "time does not run backwards");
            return;
        }
        run_for(script, duration_us);
    }
}

void script_do_step(struct script *script, struct words *words)
{
    struct sim *sim = script->sim;
    uint64_t count = 1;
    const char *word = words_next(words);
    if (word != NULL && !script_number(script, word, &count)) {
        return;
    }
    uint64_t until = sim->events + count;
    while (sim->events < until && sim_step(sim)) {
    }
    if (sim->events < until && !sim->violation.found) {
        script_broke(script, "nothing is left to happen");
    }
}

static bool is_in_flight(const void *context, const struct sim_event *event)
{
    (void)context;
    return event->kind == SIM_EVENT_DELIVER || event->kind == SIM_EVENT_FLUSH ||
           event->kind == SIM_EVENT_SYNCED || event->kind == SIM_EVENT_EXECUTED;
}

void script_settle(struct script *script)
{
    struct sim *sim = script->sim;
    struct sim_event event;
    uint64_t left = SETTLE_EVENTS_MAX;
    while (!sim->violation.found && left > 0 &&
           sim_queue_take(&sim->queue, is_in_flight, NULL, &event)) {
        sim_dispatch(sim, &event);
        left--;
    }
    if (left == 0) {
        script_broke(script, "it never settles");
    }
}

void script_do_settle(struct script *script, struct words *words)
{
    (void)words;
    script_settle(script);
}

static bool find_timer(struct script *script, const char *name,
                       enum pbft_timer *out)
{
    for (int i = 0; i < PBFT_TIMER_COUNT; i++) {
        if (strcmp(pbft_timer_name((enum pbft_timer)i), name) == 0) {
            *out = (enum pbft_timer)i;
            return true;
        }
    }
    script_error(script, "'%s' is not a timer", name);
    return false;
}

static void fire(struct script *script, struct words *words, struct host *host,
                 bool is_optional)
{
    enum pbft_timer timer;
    const char *name = words_need(script, words, "a timer");
    if (name == NULL || !find_timer(script, name, &timer)) {
        return;
    }
    bool is_armed =
        host->state == HOST_UP &&
        pbft_timer_deadline(host_replica(host), timer) != PBFT_TIME_NEVER;
    if (is_armed) {
        host_fire(host, timer);
        audit_state(script->sim, host);
    } else if (!is_optional) {
        script_error(script, "the %s timer of %s is not armed", name,
                     host->name);
    }
}

void script_do_timer(struct script *script, struct words *words)
{
    const char *who = words_need(script, words, "a replica");
    const char *what = words_need(script, words, "fire, pause or resume");
    if (who == NULL || what == NULL) {
        return;
    }
    bool is_fire = strcmp(what, "fire") == 0 || strcmp(what, "fire?") == 0;
    bool is_pause = strcmp(what, "pause") == 0;
    if (!is_fire && !is_pause && strcmp(what, "resume") != 0) {
        script_error(script, "'%s' is not fire, pause or resume", what);
        return;
    }
    if (is_fire) {
        struct host *host = script_host(script, who);
        if (host != NULL) {
            fire(script, words, host, what[strlen(what) - 1] == '?');
        }
        return;
    }
    struct actor_set actors;
    if (!script_actors(script, who, &actors)) {
        return;
    }
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        if (actor_set_has(&actors, i)) {
            host_pause_timers(script->sim->hosts[i], is_pause);
        }
    }
}
