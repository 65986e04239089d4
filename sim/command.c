/* SPDX-License-Identifier: Apache-2.0 */
/* Options, and the commands run and list. */
#include "sim/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/cost.h"
#include "sim/html.h"
#include "sim/profile.h"

#define COMMAND_TEXT_SIZE 160

const char *options_next(struct options *options)
{
    if (options->failed || options->at >= options->argc) {
        return NULL;
    }
    const char *option = options->argv[options->at++];
    if (strncmp(option, "--", 2) != 0) {
        options_refuse(options, option);
        return NULL;
    }
    return option;
}

const char *options_value(struct options *options)
{
    if (options->at >= options->argc) {
        (void)fprintf(stderr, "salus-sim %s: %s needs a value\n",
                      options->command, options->argv[options->at - 1]);
        options->failed = true;
        return NULL;
    }
    return options->argv[options->at++];
}

bool parse_number(const char *text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

uint64_t options_number(struct options *options, uint64_t max)
{
    uint64_t value = 0;
    const char *text = options_value(options);
    if (text != NULL && !parse_number(text, max, &value)) {
        (void)fprintf(stderr,
                      "salus-sim %s: '%s' is not a number up to %" PRIu64 "\n",
                      options->command, text, max);
        options->failed = true;
    }
    return value;
}

uint64_t options_positive(struct options *options, uint64_t max)
{
    uint64_t value = options_number(options, max);
    if (!options->failed && value == 0) {
        (void)fprintf(stderr, "salus-sim %s: '%s' is not above 0\n",
                      options->command, options->argv[options->at - 1]);
        options->failed = true;
    }
    return value;
}

void options_refuse(struct options *options, const char *option)
{
    (void)fprintf(stderr, "salus-sim %s: unknown option '%s'\n",
                  options->command, option);
    options->failed = true;
}

void print_violation(const struct sim_violation *violation,
                     const char *reproduce, FILE *out)
{
    (void)fflush(stdout);
    (void)fprintf(out,
                  "VIOLATION %s at event %" PRIu64 ", %" PRIu64
                  ".%03u ms: %s; reproduce: %s\n",
                  violation->rule, violation->event, violation->time_us / 1000,
                  (unsigned)(violation->time_us % 1000), violation->text,
                  reproduce);
}

/* For the hook, which has no other way to know. */
static char reproduce_text[COMMAND_TEXT_SIZE];
static struct html page;

static void on_assertion(const char *file, int line, const char *expression)
{
    struct sim_violation violation;
    sim_assertion_failed(file, line, expression, &violation);
    if (page.out != NULL) {
        html_fail(&page, violation.rule, violation.text);
        (void)fclose(page.out);
    }
    print_violation(&violation, reproduce_text, stdout);
    (void)fflush(stdout);
    exit(EXIT_VIOLATION);
}

static void print_result(const char *profile, uint64_t seed,
                         const struct sim_result *result)
{
    (void)printf(
        "seed %" PRIu64 " profile %s events %" PRIu64 " simulated_ms %" PRIu64
        " faults %" PRIu64 " blocks %" PRIu64 " requests %" PRIu64
        " sent %" PRIu64 " lost %" PRIu64 " trace %016" PRIx64 "\n",
        seed, profile, result->events, result->time_us / SIM_MS_US,
        result->faults, result->blocks, result->requests, result->network.sent,
        result->network.lost, result->trace_hash);
}

/* False: it could not be written. */
static bool end_page(const struct sim_violation *violation)
{
    html_end(&page, violation);
    bool is_bad = ferror(page.out) != 0;
    return fclose(page.out) == 0 && !is_bad;
}

static int run_one(const struct profile *profile, uint64_t seed, bool trace,
                   const char *html_path)
{
    struct sim_settings settings;
    struct sim_watch watch = {.context = NULL};
    bool is_written = true;
    struct sim_result result;
    (void)snprintf(reproduce_text, sizeof reproduce_text,
                   "salus-sim run --profile %s --seed %" PRIu64, profile->name,
                   seed);
    pbft_assert_set_hook(on_assertion);
    profile->draw(&settings, seed);
    if (html_path != NULL) {
        FILE *out = fopen(html_path, "w");
        if (out == NULL) {
            (void)fprintf(stderr, "salus-sim run: %s cannot be written\n",
                          html_path);
            return EXIT_USAGE;
        }
        html_begin(&page, out, reproduce_text);
        watch = html_watch(&page);
    }
    watch.trace_out = trace ? stdout : NULL;
    sim_run_watched(&settings, seed, &watch, &result);
    if (html_path != NULL) {
        is_written = end_page(&result.violation);
    }
    print_result(profile->name, seed, &result);
    if (result.violation.found) {
        print_violation(&result.violation, reproduce_text, stdout);
        return EXIT_VIOLATION;
    }
    if (!is_written) {
        (void)fprintf(stderr, "salus-sim run: %s cannot be written\n",
                      html_path);
        return EXIT_USAGE;
    }
    return EXIT_WELL;
}

const struct profile *options_profile(struct options *options)
{
    const char *name = options_value(options);
    const struct profile *profile = name == NULL ? NULL : profile_find(name);
    if (name != NULL && profile == NULL) {
        (void)fprintf(stderr,
                      "salus-sim %s: there is no profile '%s'; see salus-sim "
                      "list\n",
                      options->command, name);
        options->failed = true;
    }
    return profile;
}

int command_run(int argc, char **argv)
{
    struct options options = {.argc = argc, .argv = argv, .command = "run"};
    const struct profile *profile = profile_find("lite");
    uint64_t seed = 0;
    bool has_seed = false;
    bool trace = false;
    const char *html_path = NULL;
    for (const char *option = options_next(&options); option != NULL;
         option = options_next(&options)) {
        if (strcmp(option, "--seed") == 0) {
            seed = options_number(&options, UINT64_MAX);
            has_seed = true;
        } else if (strcmp(option, "--profile") == 0) {
            profile = options_profile(&options);
        } else if (strcmp(option, "--trace") == 0) {
            trace = true;
        } else if (strcmp(option, "--html") == 0) {
            html_path = options_value(&options);
        } else {
            options_refuse(&options, option);
        }
    }
    if (!options.failed && !has_seed) {
        (void)fprintf(stderr, "salus-sim run: --seed is needed\n");
        options.failed = true;
    }
    return options.failed ? EXIT_USAGE
                          : run_one(profile, seed, trace, html_path);
}

/* Invariants that are no row of the auditor's table. */
static const struct {
    const char *name;
    const char *says;
} elsewhere[] = {
    {"L1", "all requests are executed in time once a core is healthy (run.c)"},
    {"L3", "the core is in one active view then, but for f at most (run.c)"},
    {"L4", "each member of the core catches up in time (run.c)"},
    {"L10", "the same with f dead and one slow: L1 and L4, if one is (run.c)"},
    {"R4", "no leaks: the runs of the build with sanitizers"},
    {"assertion", "no replica breaks an assertion of its own code; where that "
                  "is a row above, it gets its name (audit_assertions.c)"},
    {"S33", "later, with membership"},
};

/* Of the catalogue of faults, what is no row of a table here. */
static const struct {
    const char *name;
    const char *says;
} faults_elsewhere[] = {
    {"N5", "connections that end in the middle or hang: tests/integration"},
    {"P7", "no memory: the core stops, which is a crash (P1); decoders refuse"},
    {"P8", "mixed versions: there is one, and others are refused (tests of "
           "proto/)"},
    {"B18", "f that collude, and a network for them: schedulers, and twins"},
    {"M1, M2", "later, with membership"},
    {"M3, M4", "certificates and mistakes of operators: tests of net/, node/"},
};

int command_list(int argc, char **argv)
{
    (void)argv;
    if (argc > 0) {
        (void)fprintf(stderr, "salus-sim list: takes no arguments\n");
        return EXIT_USAGE;
    }
    (void)printf("profiles\n");
    for (size_t i = 0; i < profile_count; i++) {
        (void)printf("  %-14s %s\n", profiles[i].name, profiles[i].says);
    }
    (void)printf("faults\n");
    enum fault_class class = FAULT_NETWORK;
    for (uint32_t i = 0; fault_kind_at(i, &class) != NULL; i++) {
        const struct fault_kind *kind = fault_kind_at(i, &class);
        (void)printf("  %-15s %-8s %s\n", kind->name, fault_class_name(class),
                     kind->says);
    }
    for (size_t i = 0; i < sizeof faults_elsewhere / sizeof faults_elsewhere[0];
         i++) {
        (void)printf("  %-15s %-8s %s\n", faults_elsewhere[i].name, "elsewhere",
                     faults_elsewhere[i].says);
    }
    (void)printf("schedulers\n");
    for (uint32_t i = 0; i < scheduler_kind_count; i++) {
        (void)printf("  %-14s %s\n", scheduler_kinds[i].name,
                     scheduler_kinds[i].says);
    }
    (void)printf("adversaries\n");
    for (uint32_t i = 0; i < adversary_kind_count; i++) {
        (void)printf("  %-14s %s\n", adversary_kinds[i].name,
                     adversary_kinds[i].says);
    }
    (void)printf("hostile clients\n");
    for (uint32_t i = 0; i < hostile_kind_count; i++) {
        (void)printf("  %-17s %s\n", hostile_kinds[i].name,
                     hostile_kinds[i].says);
    }
    (void)printf("invariants\n");
    for (size_t i = 0; i < audit_rule_count; i++) {
        (void)printf("  %-14s %s\n", audit_rules[i]->name,
                     audit_rules[i]->says);
    }
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++) {
        (void)printf("  %-14s %s\n", elsewhere[i].name, elsewhere[i].says);
    }
    (void)printf("costs of bench\n");
    for (size_t i = 0; i < COST_COUNT; i++) {
        (void)printf("  %-21s %-9s %s\n", cost_rows[i].name,
                     cost_source_name(cost_rows[i].source), cost_rows[i].says);
    }
    return EXIT_WELL;
}
