/* SPDX-License-Identifier: Apache-2.0 */
/* Letting time pass, and firing timers. */
#include <stdio.h>
#include <string.h>

#include "sim/script.h"

/* A script that settles after so many events does not settle. */
#define SETTLE_EVENTS_MAX 2000000
/* Nothing that counts will come any more. */
#define STEP_IDLE_MAX 100000

static bool has_next_before(const struct sim *sim, uint64_t until_us)
{
    const struct sim_event *next = sim_queue_peek(&sim->queue);
    return next != NULL && next->time_us <= until_us;
}

static void run_for(struct script *script, uint64_t duration_us)
{
    struct sim *sim = script->sim;
    uint64_t until_us = sim->now_us + duration_us;
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
    const size_t at = words->at;
    char within[64];
    uint64_t max_us = 0;
    bool holds = false;
    if (words->count < at + 3 ||
        strcmp(words->word[words->count - 2], "max") != 0) {
        script_error(script, "usage: run until PREDICATE max DURATION");
        return;
    }
    if (!script_time(script, words->word[words->count - 1], &max_us)) {
        return;
    }
    (void)snprintf(within, sizeof within, " within %s",
                   words->word[words->count - 1]);
    words->count -= 2;
    const uint64_t until_us = sim->now_us + max_us;
    for (;;) {
        words_rewind(words, at);
        if (!script_predicate(script, words, &holds) || holds ||
            !has_next_before(sim, until_us) || !sim_step(sim)) {
            break;
        }
    }
    if (!holds && script->outcome == SCRIPT_RUNS && !sim->violation.found) {
        sim->now_us = until_us;
        script_unfulfilled(script, words, at, within);
    }
}

void script_do_run(struct script *script, struct words *words)
{
    uint64_t duration_us;
    const char *word = words_need(script, words, "a duration");
    if (word == NULL) {
        return;
    }
    if (strcmp(word, "until") == 0) {
        run_until(script, words);
    } else if (script_time(script, word, &duration_us)) {
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
    uint64_t idle = 0; /* Clients that ask those who are down, and so on. */
    while (sim->events < until && idle < STEP_IDLE_MAX) {
        const uint64_t before = sim->events;
        if (!sim_step(sim)) {
            break;
        }
        idle = sim->events == before ? idle + 1 : 0;
    }
    if (sim->events < until && !sim->violation.found) {
        script_broke(script, "nothing is left to happen");
    }
}

static bool is_in_flight(const void *context, const struct sim_event *event)
{
    (void)context;
    return event->kind == SIM_EVENT_DELIVER || event->kind == SIM_EVENT_FLUSH ||
           event->kind == SIM_EVENT_SYNCED ||
           event->kind == SIM_EVENT_EXECUTED || event->kind == SIM_EVENT_READ;
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

static void fire(struct script *script, struct host *host,
                 enum pbft_timer timer, bool is_optional)
{
    bool is_armed =
        host->state == HOST_UP &&
        pbft_timer_deadline(host_replica(host), timer) != PBFT_TIME_NEVER;
    if (is_armed) {
        host_fire(host, timer);
        audit_state(script->sim, host);
    } else if (!is_optional) {
        script_error(script, "the %s timer of %s is not armed",
                     pbft_timer_name(timer), host->name);
    }
}

static void fire_all(struct script *script, struct words *words,
                     const struct actor_set *actors, bool is_optional)
{
    enum pbft_timer timer;
    const char *name = words_need(script, words, "a timer");
    if (name == NULL || !find_timer(script, name, &timer)) {
        return;
    }
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        if (actor_set_has(actors, i)) {
            fire(script, script->sim->hosts[i], timer, is_optional);
        }
    }
}

/* "timer R1 fire request", "timer all pause" */
void script_do_timer(struct script *script, struct words *words)
{
    struct actor_set actors;
    if (!script_hosts(script, words, &actors)) {
        return;
    }
    const char *what = words_need(script, words, "fire, pause or resume");
    if (what == NULL) {
        return;
    }
    if (strcmp(what, "fire") == 0 || strcmp(what, "fire?") == 0) {
        fire_all(script, words, &actors, strcmp(what, "fire?") == 0);
        return;
    }
    const bool is_pause = strcmp(what, "pause") == 0;
    if (!is_pause && strcmp(what, "resume") != 0) {
        script_error(script, "'%s' is not fire, pause or resume", what);
        return;
    }
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        if (actor_set_has(&actors, i)) {
            host_pause_timers(script->sim->hosts[i], is_pause);
        }
    }
}
