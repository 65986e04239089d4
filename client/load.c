/* SPDX-License-Identifier: Apache-2.0 */
/* Replies arrive on threads of the library; the next transactions are built
 * and submitted by threads of our own, so that their cost does not delay other
 * replies. */
#include "client/load.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/tool_clock.h"

#define MAKERS 2 /* Threads that build and submit. */
#define DRAIN_MS 60000
#define FAILED_PAUSE_NS 10000000 /* Of who could not submit. */

struct submitter {
    struct submitter *next; /* In the queue of idle ones. */
    struct load *load;
    uint32_t client;
    uint64_t due_us; /* When its submission should have begun. */
};

enum phase { PHASE_WARM_UP, PHASE_MEASURE, PHASE_OVER };

struct load {
    const struct load_options *options;
    struct transaction_envelope envelopes[LOAD_CLIENTS_MAX];
    pthread_mutex_t lock;
    pthread_cond_t idle_now;
    struct submitter *idle;      /* Who has been idle longest. */
    struct submitter **idle_end; /* Where the next one goes. */
    uint32_t under_way;
    uint64_t next_due_us; /* Open loop. */
    double interval_us;   /* The same. */
    double fraction_us;
    enum phase phase;
    uint64_t measured_since_us;
    uint64_t measured_until_us; /* UINT64_MAX until it is known. */
    uint64_t proved_us; /* The last proof, or the begin of the measurement. */
    struct load_report *report;
};

/* Lock held. */
static void note_pause(struct load *load, uint64_t now)
{
    uint64_t pause = now - load->proved_us;

    load->proved_us = now;
    if (pause > load->report->longest_pause_us) {
        load->report->longest_pause_us = pause;
    }
}

/* Lock held. */
static bool is_measured(const struct load *load, uint64_t due_us)
{
    return load->phase != PHASE_WARM_UP && due_us >= load->measured_since_us &&
           due_us < load->measured_until_us;
}

/* Lock held. Everything that is done in the measurement counts. Latency is that
 * of all that was due in it, also of what ends after it: else the slowest would
 * be left out. What began in the warm-up may have waited for connections. */
static void count(struct load *load, const struct submitter *submitter,
                  const struct salus_result *results, size_t count)
{
    const uint64_t now = tool_now_us();
    struct load_report *report = load->report;
    uint64_t done = 0;

    for (size_t i = 0; i < count; i++) {
        if (results[i].status == SALUS_OK) {
            done++;
        } else if (results[i].status == SALUS_REFUSED) {
            report->refused++;
        } else {
            report->failed++;
        }
        if (results[i].status != SALUS_OK &&
            report->first_failure == SALUS_OK) {
            report->first_failure = results[i].status;
        }
    }
    if (is_measured(load, submitter->due_us)) {
        histogram_add(&report->latency, now - submitter->due_us);
    }
    if (load->phase != PHASE_MEASURE) {
        return;
    }
    uint64_t slot = (now - load->measured_since_us) / 1000 / LOAD_SLOT_MS;
    report->transactions += done;
    report->slots[slot < LOAD_SLOTS_MAX ? slot : LOAD_SLOTS_MAX - 1] +=
        (uint32_t)done;
    report->submissions++;
    if (done > 0) {
        note_pause(load, now);
    }
}

/* Lock held, the measurement is over. Open loop: this one was due in it and
 * nobody was free for it. It would have taken so long, and longer. */
static void note_unstarted(struct load *load, uint64_t due_us)
{
    if (is_measured(load, due_us)) {
        load->report->unstarted++;
        histogram_add(&load->report->latency, load->measured_until_us - due_us);
    }
}

/* Lock held. First come, first served: submitters are independent of each
 * other, and none waits for those that became idle after it. */
static void rest(struct load *load, struct submitter *submitter)
{
    submitter->due_us = tool_now_us(); /* Closed loop: due at once. */
    submitter->next = NULL;
    *load->idle_end = submitter;
    load->idle_end = &submitter->next;
    (void)pthread_cond_signal(&load->idle_now);
}

static void on_done(void *context, const struct salus_result *results,
                    size_t result_count)
{
    struct submitter *submitter = context;
    struct load *load = submitter->load;

    (void)pthread_mutex_lock(&load->lock);
    count(load, submitter, results, result_count);
    load->under_way--;
    rest(load, submitter);
    (void)pthread_mutex_unlock(&load->lock);
}

static enum salus_status submit_next(struct load *load,
                                     struct submitter *submitter)
{
    const struct load_options *options = load->options;
    size_t wanted = options->transactions_per_submission;
    struct transaction_bytes made[SALUS_TRANSACTIONS_MAX];
    struct salus_transaction views[SALUS_TRANSACTIONS_MAX];
    enum salus_status status = SALUS_OK;
    size_t built = 0;

    for (; built < wanted; built++) {
        if (load_make_anchor(&made[built], &load->envelopes[submitter->client],
                             options->encryption_keys[submitter->client],
                             options->payload, NULL) != PBFT_OK) {
            status = SALUS_NO_MEMORY;
            break;
        }
        views[built] =
            (struct salus_transaction){made[built].data, made[built].size};
    }
    if (status == SALUS_OK) {
        status = salus_submit_async(options->clients[submitter->client], views,
                                    wanted, on_done, submitter);
    }
    for (size_t i = 0; i < built; i++) {
        free(made[i].data);
    }
    return status;
}

static void sleep_until(uint64_t due_us)
{
    const struct timespec until = {(time_t)(due_us / 1000000),
                                   (long)(due_us % 1000000) * 1000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
           EINTR) {
    }
}

/* Lock held. When the next submission is due; the one after it is next. */
static uint64_t take_due(struct load *load)
{
    uint64_t due_us = load->next_due_us;
    double next_us = load->interval_us + load->fraction_us;

    load->next_due_us += (uint64_t)next_us;
    load->fraction_us = next_us - (double)(uint64_t)next_us;
    return due_us;
}

/* Lock held; let go while it waits. */
static uint64_t wait_until_due(struct load *load)
{
    uint64_t due_us = take_due(load);

    (void)pthread_mutex_unlock(&load->lock);
    sleep_until(due_us);
    (void)pthread_mutex_lock(&load->lock);
    return due_us;
}

/* Lock held. The next submitter, its due time set; NULL: the load is over. */
static struct submitter *next_submitter(struct load *load)
{
    uint64_t due_us = load->interval_us > 0 ? wait_until_due(load) : 0;

    if (due_us > 0 && load->idle == NULL && load->phase == PHASE_MEASURE) {
        load->report->late++;
    }
    while (load->idle == NULL && load->phase != PHASE_OVER) {
        (void)pthread_cond_wait(&load->idle_now, &load->lock);
    }
    if (load->phase == PHASE_OVER) {
        if (due_us > 0) {
            note_unstarted(load, due_us);
        }
        return NULL;
    }
    struct submitter *submitter = load->idle;
    load->idle = submitter->next;
    if (load->idle == NULL) {
        load->idle_end = &load->idle;
    }
    submitter->due_us = due_us > 0 ? due_us : submitter->due_us;
    return submitter;
}

/* Lock held; let go while it waits. on_done() will not be called. */
static void give_up(struct load *load, struct submitter *submitter,
                    enum salus_status status)
{
    const struct timespec pause = {0, FAILED_PAUSE_NS};

    load->report->failed += load->options->transactions_per_submission;
    if (load->report->first_failure == SALUS_OK) {
        load->report->first_failure = status;
    }
    (void)pthread_mutex_unlock(&load->lock);
    (void)nanosleep(&pause, NULL);
    (void)pthread_mutex_lock(&load->lock);
    load->under_way--;
    rest(load, submitter);
}

static void *make(void *context)
{
    struct load *load = context;
    struct submitter *submitter = NULL;

    (void)pthread_mutex_lock(&load->lock);
    while ((submitter = next_submitter(load)) != NULL) {
        load->under_way++;
        (void)pthread_mutex_unlock(&load->lock);
        enum salus_status status = submit_next(load, submitter);
        (void)pthread_mutex_lock(&load->lock);
        if (status != SALUS_OK) {
            give_up(load, submitter, status);
        }
    }
    (void)pthread_mutex_unlock(&load->lock);
    return NULL;
}

/* Lets time pass; shorter if stop is asked for. */
static void pass(const struct load_options *options, uint32_t duration_ms,
                 bool ticks)
{
    const struct timespec slice = {0, 10000000};
    uint64_t began = tool_now_us();
    uint64_t until = began + (uint64_t)duration_ms * 1000;

    while (tool_now_us() < until &&
           (options->stop == NULL || *options->stop == 0)) {
        if (ticks && options->on_tick != NULL) {
            options->on_tick(options->context, (tool_now_us() - began) / 1000);
        }
        (void)nanosleep(&slice, NULL);
    }
}

static void enter(struct load *load, enum phase phase)
{
    (void)pthread_mutex_lock(&load->lock);
    const uint64_t now = tool_now_us();
    load->phase = phase;
    if (phase == PHASE_MEASURE) {
        load->measured_since_us = now;
        load->proved_us = now;
    } else {
        load->measured_until_us = now;
        load->report->elapsed_us = now - load->measured_since_us;
        note_pause(load, now); /* It may not be over. */
    }
    (void)pthread_cond_broadcast(&load->idle_now);
    (void)pthread_mutex_unlock(&load->lock);
}

static void fill_envelopes(struct load *load)
{
    for (uint32_t i = 0; i < load->options->client_count; i++) {
        struct transaction_envelope *envelope = &load->envelopes[i];
        salus_identity(load->options->clients[i], envelope->chain.bytes,
                       envelope->institution.bytes, envelope->key_id.bytes);
        envelope->not_after_ms = load->options->not_after_ms;
        envelope->table_version = 1;
    }
}

static void tell(const struct load_options *options, bool begins)
{
    if (options->on_phase != NULL) {
        options->on_phase(options->context, begins);
    }
}

/* Warm-up, measurement, and the end of all that is under way. */
static void conduct(struct load *load)
{
    const struct load_options *options = load->options;

    pass(options, options->warm_up_ms, false);
    tell(options, true);
    enter(load, PHASE_MEASURE);
    pass(options, options->duration_ms, true);
    enter(load, PHASE_OVER);
    tell(options, false);
}

/* The makers have ended: what was due and not yet looked at. */
static void count_unstarted(struct load *load)
{
    (void)pthread_mutex_lock(&load->lock);
    while (load->interval_us > 0 &&
           load->next_due_us < load->measured_until_us) {
        note_unstarted(load, take_due(load));
    }
    (void)pthread_mutex_unlock(&load->lock);
}

enum salus_status load_run(const struct load_options *options,
                           struct load_report *report)
{
    struct load load = {
        .options = options, .report = report, .measured_until_us = UINT64_MAX};
    pthread_t makers[MAKERS];
    uint32_t started = 0;
    struct submitter *submitters =
        calloc(options->submitters, sizeof(*submitters));

    memset(report, 0, sizeof(*report));
    if (submitters == NULL) {
        return SALUS_NO_MEMORY;
    }
    (void)pthread_mutex_init(&load.lock, NULL);
    (void)pthread_cond_init(&load.idle_now, NULL);
    fill_envelopes(&load);
    load.idle_end = &load.idle;
    load.next_due_us = tool_now_us();
    if (options->rate > 0) {
        load.interval_us =
            1e6 * options->transactions_per_submission / (double)options->rate;
    }
    for (uint32_t i = 0; i < options->submitters; i++) {
        submitters[i] = (struct submitter){
            NULL, &load, i % options->client_count, load.next_due_us};
        *load.idle_end = &submitters[i];
        load.idle_end = &submitters[i].next;
    }
    while (started < MAKERS &&
           pthread_create(&makers[started], NULL, make, &load) == 0) {
        started++;
    }
    conduct(&load);
    for (uint32_t i = 0; i < started; i++) {
        (void)pthread_join(makers[i], NULL);
    }
    count_unstarted(&load);
    enum salus_status status = started == 0 ? SALUS_NO_MEMORY : SALUS_OK;
    for (uint32_t i = 0; i < options->client_count; i++) {
        if (salus_wait(options->clients[i], DRAIN_MS) != SALUS_OK) {
            status = SALUS_TIMED_OUT;
        }
    }
    (void)pthread_cond_destroy(&load.idle_now);
    (void)pthread_mutex_destroy(&load.lock);
    free(submitters);
    return status;
}
