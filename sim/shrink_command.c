/* SPDX-License-Identifier: Apache-2.0 */
/* salus-sim shrink. Each trial runs in a process of its own: an assertion that
 * fails ends the process, and is a failure like any other. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "consensus/assert.h"
#include "sim/command.h"
#include "sim/shrink.h"

#define TRIALS_MAX 3000
#define RULE_SIZE 16

/* What a trial came to; small enough for one write to a pipe. */
struct verdict {
    bool is_there;
    bool has_failed;
    char rule[RULE_SIZE];
    char text[SIM_TEXT_SIZE];
    char place[SIM_TEXT_SIZE]; /* Of an assertion, without the replica. */
    uint64_t faults_drawn;
    uint64_t acts_drawn;
    uint64_t events;
};

static int verdict_to;

static void send_verdict(const struct verdict *verdict)
{
    ssize_t written = write(verdict_to, verdict, sizeof *verdict);
    _exit(written == (ssize_t)sizeof *verdict ? EXIT_WELL : EXIT_USAGE);
}

static void on_assertion(const char *file, int line, const char *expression)
{
    struct verdict verdict = {.is_there = true, .has_failed = true};
    struct sim_violation violation;
    sim_assertion_failed(file, line, expression, &violation);
    const struct sim *sim = sim_created_last();
    if (sim != NULL) {
        verdict.faults_drawn = sim->faults.drawn;
        verdict.acts_drawn = sim->adversaries.drawn;
        verdict.events = sim->events;
    }
    (void)snprintf(verdict.rule, sizeof verdict.rule, "%s", violation.rule);
    (void)snprintf(verdict.text, sizeof verdict.text, "%s", violation.text);
    (void)snprintf(verdict.place, sizeof verdict.place, "%s:%d: %s", file, line,
                   expression);
    send_verdict(&verdict);
}

/* Notes in the script which faults are left. */
static void describe_line(void *context, const struct trace_line *line)
{
    if (strcmp(line->what, "fault") == 0 || strcmp(line->what, "heal") == 0) {
        (void)fprintf(
            context, "#   %8" PRIu64 ".%03u ms  %-5s %-4s  %s %" PRIu64 "\n",
            line->time_us / SIM_MS_US, (unsigned)(line->time_us % SIM_MS_US),
            line->what, line->where, line->note, line->number);
        (void)fflush(context);
    }
}

static void run_trial(const struct sim_settings *settings, uint64_t seed,
                      FILE *describe_to)
{
    struct sim_result result;
    const struct sim_watch watch = {.context = describe_to,
                                    .on_line = describe_line};
    pbft_assert_set_hook(on_assertion);
    if (describe_to == NULL) {
        sim_run(settings, seed, NULL, &result);
    } else {
        sim_run_watched(settings, seed, &watch, &result);
    }
    struct verdict verdict = {.is_there = true,
                              .has_failed = result.violation.found,
                              .faults_drawn = result.faults_drawn,
                              .acts_drawn = result.acts_drawn,
                              .events = result.events};
    if (verdict.has_failed) {
        (void)snprintf(verdict.rule, sizeof verdict.rule, "%s",
                       result.violation.rule);
        (void)snprintf(verdict.text, sizeof verdict.text, "%s",
                       result.violation.text);
    }
    send_verdict(&verdict);
}

/* `describe_to` may be NULL. */
static struct verdict try_settings(const struct sim_settings *settings,
                                   uint64_t seed, FILE *describe_to)
{
    struct verdict verdict = {.is_there = false};
    int ends[2];
    (void)fflush(NULL);
    if (pipe(ends) != 0) {
        return verdict;
    }
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        verdict_to = ends[1];
        run_trial(settings, seed, describe_to);
    }
    (void)close(ends[1]);
    if (child > 0) {
        ssize_t got = 0;
        do {
            got = read(ends[0], &verdict, sizeof verdict);
        } while (got < 0 && errno == EINTR);
        verdict.is_there = got == (ssize_t)sizeof verdict;
        (void)waitpid(child, NULL, 0);
    }
    (void)close(ends[0]);
    return verdict;
}

static bool is_same_failure(const struct verdict *a, const struct verdict *b)
{
    return a->is_there && a->has_failed && strcmp(a->rule, b->rule) == 0 &&
           strcmp(a->place, b->place) == 0;
}

static bool still_fails(void *context, const struct sim_settings *settings,
                        uint64_t seed)
{
    struct verdict verdict = try_settings(settings, seed, NULL);
    return is_same_failure(&verdict, context);
}

static void write_script(FILE *out, const struct shrink_case *shrunk,
                         const struct verdict *first, uint64_t trials)
{
    struct sim_settings settings = shrink_case_settings(shrunk);
    (void)fprintf(out,
                  "# Shrunk from: salus-sim run --profile %s --seed %" PRIu64
                  "\n# %" PRIu64
                  " trials; invariant %s breaks. What is left:\n",
                  shrunk->profile->name, shrunk->seed, trials, first->rule);
    struct verdict last = try_settings(&settings, shrunk->seed, out);
    (void)fprintf(out, "# %s: %s\n", last.rule, last.text);
    shrink_write(out, shrunk);
    (void)fprintf(stderr,
                  "salus-sim shrink: %s; %" PRIu64
                  " faults drawn, %zu left; %" PRIu64
                  " acts, %zu left; events %" PRIu64 " -> %" PRIu64 ", %" PRIu64
                  " trials\n",
                  first->rule, first->faults_drawn, shrunk->faults.count,
                  first->acts_drawn, shrunk->acts.count, first->events,
                  last.events, trials);
}

struct shrink_options {
    const struct profile *profile;
    uint64_t seed;
    uint64_t trials;
    const char *path;
};

static int shrink_seed(const struct shrink_options *options)
{
    struct sim_settings settings;
    options->profile->draw(&settings, options->seed);
    struct verdict first = try_settings(&settings, options->seed, NULL);
    if (!first.is_there || !first.has_failed) {
        (void)fprintf(stderr,
                      "salus-sim shrink: seed %" PRIu64
                      " of profile %s does not fail: nothing to shrink\n",
                      options->seed, options->profile->name);
        return EXIT_USAGE;
    }
    FILE *out = options->path == NULL ? stdout : fopen(options->path, "w");
    if (out == NULL) {
        (void)fprintf(stderr, "salus-sim shrink: %s cannot be written\n",
                      options->path);
        return EXIT_USAGE;
    }
    struct shrink_case shrunk;
    struct shrink shrink = {
        .context = &first, .fails = still_fails, .trials_max = options->trials};
    shrink_case_init(&shrunk, options->profile, options->seed,
                     first.faults_drawn, first.acts_drawn);
    shrink_minimize(&shrink, &shrunk);
    write_script(out, &shrunk, &first, shrink.trials);
    shrink_case_deinit(&shrunk);
    bool is_written = fflush(out) == 0 && ferror(out) == 0;
    if (out != stdout) {
        is_written = fclose(out) == 0 && is_written;
    }
    return is_written ? EXIT_WELL : EXIT_USAGE;
}

int command_shrink(int argc, char **argv)
{
    struct options options = {.argc = argc, .argv = argv, .command = "shrink"};
    struct shrink_options shrink = {.profile = profile_find("lite"),
                                    .trials = TRIALS_MAX};
    bool has_seed = false;
    for (const char *option = options_next(&options); option != NULL;
         option = options_next(&options)) {
        if (strcmp(option, "--seed") == 0) {
            shrink.seed = options_number(&options, UINT64_MAX);
            has_seed = true;
        } else if (strcmp(option, "--profile") == 0) {
            shrink.profile = options_profile(&options);
        } else if (strcmp(option, "--trials") == 0) {
            shrink.trials = options_number(&options, UINT32_MAX);
        } else if (strcmp(option, "--out") == 0) {
            shrink.path = options_value(&options);
        } else {
            options_refuse(&options, option);
        }
    }
    if (!options.failed && !has_seed) {
        (void)fprintf(stderr, "salus-sim shrink: --seed is needed\n");
        options.failed = true;
    }
    return options.failed ? EXIT_USAGE : shrink_seed(&shrink);
}
