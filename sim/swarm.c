/* SPDX-License-Identifier: Apache-2.0 */
/* Many seeds in several processes. The only file of sim/ that knows the
 * operating system: it is part of the program, not of the library, and nothing
 * here reaches into a run. */
#include <errno.h>
#include <inttypes.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "consensus/assert.h"
#include "sim/command.h"
#include "sim/profile.h"
#include "sim/totals.h"

#define JOBS_MAX 64
#define COMMAND_TEXT_SIZE 160
#define TOP_PAD_BYTES (16 * 1024 * 1024)

struct swarm {
    const struct profile *profile;
    uint64_t first;
    uint64_t last;
    uint64_t seconds; /* 0: all seeds. */
    uint64_t jobs;
    bool json;
    bool transactions; /* A table of them. */
    pid_t children[JOBS_MAX];
};

/* One line of the pipe. */
struct report {
    uint64_t job;
    uint64_t seed;
    bool is_done; /* False: the seed begins. */
    struct sim_result result;
    char rule[16];
};
static_assert(sizeof(struct report) <= 4096, "it is written in one piece");

static int report_to;
static struct report current;

static void send_report(void)
{
    ssize_t written = write(report_to, &current, sizeof current);
    if (written != (ssize_t)sizeof current) {
        _exit(EXIT_USAGE); /* The parent is gone. */
    }
}

static void fail_current(const char *file, int line, const char *expression)
{
    struct sim_violation *violation = &current.result.violation;
    current.is_done = true;
    sim_assertion_failed(file, line, expression, violation);
    (void)snprintf(current.rule, sizeof current.rule, "%s", violation->rule);
    send_report();
    _exit(EXIT_VIOLATION);
}

static double now_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Runs follow each other in one process: what one gives back serves the next,
 * and does not go through the kernel in between. */
static void keep_memory(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_MAX, 0);
    (void)mallopt(M_TRIM_THRESHOLD, INT32_MAX);
    (void)mallopt(M_TOP_PAD, TOP_PAD_BYTES);
#endif
}

static void run_job(const struct swarm *swarm, uint64_t job)
{
    double end = now_seconds() + (double)swarm->seconds;
    pbft_assert_set_hook(fail_current);
    keep_memory();
    for (uint64_t seed = swarm->first + job;
         seed <= swarm->last && seed >= swarm->first; seed += swarm->jobs) {
        struct sim_settings settings;
        if (swarm->seconds > 0 && now_seconds() >= end) {
            break;
        }
        current = (struct report){.job = job, .seed = seed};
        send_report();
        swarm->profile->draw(&settings, seed);
        sim_run(&settings, seed, NULL, &current.result);
        current.is_done = true;
        if (current.result.violation.found) {
            (void)snprintf(current.rule, sizeof current.rule, "%s",
                           current.result.violation.rule);
        }
        send_report();
    }
    _exit(EXIT_WELL);
}

static bool start_jobs(struct swarm *swarm, int pipe_ends[2])
{
    (void)fflush(stdout);
    for (uint64_t job = 0; job < swarm->jobs; job++) {
        pid_t child = fork();
        if (child < 0) {
            return false;
        }
        if (child == 0) {
            (void)close(pipe_ends[0]);
            report_to = pipe_ends[1];
            run_job(swarm, job);
        }
        swarm->children[job] = child;
    }
    return true;
}

struct totals {
    struct sim_totals sums;
    bool failed;
    struct report first_failure;
};

static bool read_report(int from, struct report *out)
{
    size_t have = 0;
    while (have < sizeof *out) {
        ssize_t got = read(from, (char *)out + have, sizeof *out - have);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        have += (size_t)got;
    }
    return true;
}

static void stop_jobs(const struct swarm *swarm)
{
    for (uint64_t job = 0; job < swarm->jobs; job++) {
        (void)kill(swarm->children[job], SIGTERM);
    }
}

static void collect(struct swarm *swarm, int from, struct totals *totals)
{
    uint64_t running[JOBS_MAX] = {0};
    bool is_running[JOBS_MAX] = {false};
    struct report report;
    while (!totals->failed && read_report(from, &report)) {
        running[report.job] = report.seed;
        is_running[report.job] = !report.is_done;
        if (!report.is_done) {
            continue;
        }
        sim_totals_add(&totals->sums, &report.result);
        if (report.result.violation.found) {
            totals->failed = true;
            totals->first_failure = report;
        }
    }
    if (totals->failed) {
        stop_jobs(swarm);
    }
    for (uint64_t job = 0; job < swarm->jobs; job++) {
        int status = 0;
        (void)waitpid(swarm->children[job], &status, 0);
        if (!totals->failed && is_running[job]) {
            totals->failed = true; /* It died without a word. */
            totals->sums.seeds++;
            totals->sums.failed++;
            totals->first_failure = (struct report){.seed = running[job]};
            (void)snprintf(totals->first_failure.rule, sizeof report.rule,
                           "crash");
            (void)snprintf(totals->first_failure.result.violation.text,
                           SIM_TEXT_SIZE, "the process ended with status %d",
                           status);
        }
    }
}

static double children_cpu_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static void print_totals(const struct swarm *swarm, const struct totals *totals,
                         const char *reproduce)
{
    if (swarm->json) {
        sim_totals_print_json(&totals->sums, swarm->profile->name,
                              totals->first_failure.rule,
                              totals->failed ? reproduce : NULL, stdout);
    } else {
        sim_totals_print(&totals->sums, swarm->profile->name, stdout);
        if (swarm->transactions) {
            tally_print(&totals->sums.tally, stdout);
        }
    }
}

static int run_swarm(struct swarm *swarm)
{
    int pipe_ends[2];
    struct totals totals = {.failed = false};
    double begin = now_seconds();
    if (pipe(pipe_ends) != 0 || !start_jobs(swarm, pipe_ends)) {
        (void)fprintf(stderr, "salus-sim swarm: cannot start jobs: %s\n",
                      strerror(errno));
        stop_jobs(swarm);
        return EXIT_USAGE;
    }
    (void)close(pipe_ends[1]);
    collect(swarm, pipe_ends[0], &totals);
    (void)close(pipe_ends[0]);
    totals.sums.seconds = now_seconds() - begin;
    totals.sums.cpu_seconds = children_cpu_seconds();
    char reproduce[COMMAND_TEXT_SIZE];
    (void)snprintf(reproduce, sizeof reproduce,
                   "salus-sim run --profile %s --seed %" PRIu64,
                   swarm->profile->name, totals.first_failure.seed);
    print_totals(swarm, &totals, reproduce);
    if (!totals.failed) {
        return EXIT_WELL;
    }
    struct sim_violation *violation = &totals.first_failure.result.violation;
    violation->rule = totals.first_failure.rule;
    print_violation(violation, reproduce, swarm->json ? stderr : stdout);
    return EXIT_VIOLATION;
}

/* "A..B" */
static bool parse_range(const char *text, uint64_t *first, uint64_t *last)
{
    char buffer[64];
    const char *dots = strstr(text, "..");
    if (dots == NULL || (size_t)(dots - text) >= sizeof buffer) {
        return false;
    }
    (void)snprintf(buffer, sizeof buffer, "%.*s", (int)(dots - text), text);
    return parse_number(buffer, UINT64_MAX / 2, first) &&
           parse_number(dots + 2, UINT64_MAX / 2, last) && *first <= *last;
}

static void parse_option(struct options *options, struct swarm *swarm,
                         const char *option, bool *has_seeds)
{
    if (strcmp(option, "--profile") == 0) {
        swarm->profile = options_profile(options);
    } else if (strcmp(option, "--seeds") == 0) {
        const char *range = options_value(options);
        *has_seeds =
            range != NULL && parse_range(range, &swarm->first, &swarm->last);
        if (range != NULL && !*has_seeds) {
            (void)fprintf(
                stderr, "salus-sim swarm: '%s' is not a range A..B of seeds\n",
                range);
            options->failed = true;
        }
    } else if (strcmp(option, "--seconds") == 0) {
        swarm->seconds = options_positive(options, 1000000);
    } else if (strcmp(option, "--jobs") == 0) {
        swarm->jobs = options_positive(options, JOBS_MAX);
    } else if (strcmp(option, "--json") == 0) {
        swarm->json = true;
    } else if (strcmp(option, "--transactions") == 0) {
        swarm->transactions = true;
    } else {
        options_refuse(options, option);
    }
}

int command_swarm(int argc, char **argv)
{
    struct options options = {.argc = argc, .argv = argv, .command = "swarm"};
    struct swarm swarm = {.profile = profile_find("lite"),
                          .first = 1,
                          .last = UINT64_MAX / 2,
                          .jobs = 1};
    bool has_seeds = false;
    for (const char *option = options_next(&options); option != NULL;
         option = options_next(&options)) {
        parse_option(&options, &swarm, option, &has_seeds);
    }
    if (!options.failed && !has_seeds && swarm.seconds == 0) {
        (void)fprintf(stderr,
                      "salus-sim swarm: needs --seeds A..B or --seconds N\n");
        options.failed = true;
    }
    return options.failed ? EXIT_USAGE : run_swarm(&swarm);
}
