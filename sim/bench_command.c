/* SPDX-License-Identifier: Apache-2.0 */
/* salus-sim bench. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/calibrate.h"
#include "sim/command.h"

#define TITLE_SIZE 160
#define PAYLOAD_MAX 65536
#define PER_REQUEST_MAX 1024
#define REQUEST_BYTES_MAX (1024u * 1024)

struct bench_options {
    struct bench_settings settings;
    const char *latency;
    const char *calibration; /* Where the costs come from, how good they are. */
    const char *svg;
    bool json;
    bool is_curve;
};

static bool refuse(struct options *options, const char *what, const char *text)
{
    (void)fprintf(stderr, "salus-sim %s: '%s' is not %s\n", options->command,
                  text, what);
    options->failed = true;
    return false;
}

/* "10s", "1.5 Gbit": a number and one of these units. */
static double number_with_unit(struct options *options, const char *what,
                               const char *const *units, const double *factors)
{
    const char *text = options_value(options);
    char *end = NULL;
    if (text == NULL) {
        return 0;
    }
    double value = strtod(text, &end);
    for (size_t i = 0; end != text && units[i] != NULL; i++) {
        if (strcmp(end, units[i]) == 0 && isfinite(value) && value > 0) {
            return value * factors[i];
        }
    }
    (void)refuse(options, what, text);
    return 0;
}

static double bandwidth_option(struct options *options)
{
    static const char *const units[] = {"Gbit", "Mbit", "Kbit", NULL};
    static const double factors[] = {1e9, 1e6, 1e3};
    return number_with_unit(options, "a bandwidth such as 1Gbit", units,
                            factors);
}

static double duration_option(struct options *options)
{
    static const char *const units[] = {"s", "ms", NULL};
    static const double factors[] = {1, 1e-3};
    return number_with_unit(options, "a duration such as 10s", units, factors);
}

static void rate_option(struct options *options, struct bench_settings *out)
{
    const char *text = options_value(options);
    uint64_t rate = 0;
    if (text == NULL || strcmp(text, "max") == 0) {
        out->rate = 0;
    } else if (parse_number(text, 100000000, &rate) && rate > 0) {
        out->rate = (double)rate;
    } else {
        (void)refuse(options, "a number of transactions/s, or max", text);
    }
}

static void latency_option(struct options *options, struct bench_options *out)
{
    const char *text = options_value(options);
    const char *reason = "it cannot be opened";
    if (text == NULL) {
        return;
    }
    out->latency = text;
    if (bench_latency_preset(&out->settings.latency, text)) {
        return;
    }
    FILE *file = fopen(text, "r");
    if (file == NULL ||
        !bench_latency_read(&out->settings.latency, file, &reason)) {
        (void)fprintf(stderr,
                      "salus-sim %s: %s: %s; presets: lan, wan-eu, wan-us, "
                      "wan-global\n",
                      options->command, text, reason);
        options->failed = true;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

/* The first line of a file of costs says how good they are. */
static void costs_option(struct options *options, struct bench_options *out)
{
    static char head[TITLE_SIZE];
    const char *path = options_value(options);
    unsigned line = 0;
    if (path == NULL) {
        return;
    }
    FILE *file = fopen(path, "r");
    out->calibration = path;
    if (file != NULL && fgets(head, sizeof head, file) != NULL) {
        head[strcspn(head, "\n")] = '\0';
        out->calibration = head[0] == '#' ? head + 1 : path;
        rewind(file);
    }
    if (file == NULL || !cost_read(&out->settings.costs, file, &line)) {
        (void)fprintf(stderr, "salus-sim %s: %s:%u: not a file of costs\n",
                      options->command, path, line);
        options->failed = true;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

static bool take_size(struct options *options, const char *option,
                      struct bench_options *out)
{
    struct bench_settings *settings = &out->settings;
    const struct {
        const char *name;
        uint32_t *place;
        uint32_t max;
    } sizes[] = {
        {"--replicas", &settings->replicas, BENCH_REPLICAS_MAX},
        {"--payload", &settings->payload, PAYLOAD_MAX},
        {"--transactions-per-request", &settings->per_request, PER_REQUEST_MAX},
        {"--clients", &settings->clients, 100000},
        {"--cores", &settings->cores, 1024},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (strcmp(option, sizes[i].name) == 0) {
            *sizes[i].place = (uint32_t)options_number(options, sizes[i].max);
            if (*sizes[i].place == 0 && !options->failed) {
                (void)refuse(options, "above 0", "0");
            }
            return true;
        }
    }
    return false;
}

static bool take_other(struct options *options, const char *option,
                       struct bench_options *out)
{
    struct bench_settings *settings = &out->settings;
    if (strcmp(option, "--latency") == 0) {
        latency_option(options, out);
    } else if (strcmp(option, "--bandwidth") == 0) {
        settings->nic_bits_per_second = bandwidth_option(options);
    } else if (strcmp(option, "--link-bandwidth") == 0) {
        settings->link_bits_per_second = bandwidth_option(options);
    } else if (strcmp(option, "--rate") == 0) {
        rate_option(options, settings);
    } else if (strcmp(option, "--duration") == 0) {
        settings->duration_s = duration_option(options);
    } else if (strcmp(option, "--warm-up") == 0) {
        settings->warm_up_s = duration_option(options);
    } else if (strcmp(option, "--events-max") == 0) {
        settings->events_max = options_number(options, UINT32_MAX);
    } else if (strcmp(option, "--costs") == 0) {
        costs_option(options, out);
    } else if (strcmp(option, "--svg") == 0) {
        out->svg = options_value(options);
    } else if (strcmp(option, "--one-machine") == 0) {
        settings->is_shared = true;
    } else if (strcmp(option, "--json") == 0) {
        out->json = true;
    } else if (strcmp(option, "--curve") == 0) {
        out->is_curve = true;
    } else {
        return false;
    }
    return true;
}

static void check(struct options *options, const struct bench_settings *s)
{
    if (!options->failed && s->replicas != 1 && s->replicas < 4) {
        (void)refuse(options, "a consortium: 1 replica, or at least 4",
                     "--replicas");
    }
    if (!options->failed &&
        (uint64_t)s->per_request * (s->payload + 100) > REQUEST_BYTES_MAX) {
        (void)refuse(options, "a request of at most 1 MiB", "--payload");
    }
}

/* As told by who made the costs; nothing is known of others. */
static void print_calibration_error(const char *calibration)
{
    static const char words[] = "mean error ";
    const char *at = strstr(calibration, words);
    char *end = NULL;
    double percent = at == NULL ? 0 : strtod(at + sizeof words - 1, &end);
    if (end == NULL || strncmp(end, " %", 2) != 0) {
        (void)printf("\"calibration_error_percent\":null,");
    } else {
        (void)printf("\"calibration_error_percent\":%.1f,", percent);
    }
}

static void print_json(const struct bench_options *options,
                       const struct bench_result *r)
{
    double share = 0;
    bool is_primary = false;
    const char *bottleneck = bench_bottleneck(r, &share, &is_primary);
    const struct bench_settings *s = &options->settings;
    (void)printf("{\"simulated\":true,");
    print_calibration_error(options->calibration);
    (void)printf(
        "\"replicas\":%u,\"payload_bytes\":%u,"
        "\"transactions_per_request\":%u,\"clients\":%u,\"offered_rate\":%.0f,"
        "\"duration_seconds\":%.3f,\"is_cut\":%s,\"events\":%" PRIu64 ","
        "\"transactions_per_second\":%.1f,\"requests_per_second\":%.1f,"
        "\"latency_p50_ms\":%.3f,\"latency_p95_ms\":%.3f,"
        "\"latency_p99_ms\":%.3f,\"latency_p999_ms\":%.3f,"
        "\"syncs_per_second\":%.1f,\"cpu_microseconds_per_transaction\":%.2f,"
        "\"client_cpu_microseconds_per_transaction\":%.2f,"
        "\"sent_bytes_per_transaction\":%.1f,\"transactions_per_block\":%.1f,"
        "\"refused\":%" PRIu64 ",\"view\":%" PRIu64 ",\"bottleneck\":\"%s\","
        "\"bottleneck_at\":\"%s\",\"bottleneck_share\":%.3f}\n",
        s->replicas, s->payload, s->per_request, s->clients, s->rate,
        r->seconds, r->is_cut ? "true" : "false", r->events,
        r->transactions_per_second, r->requests_per_second, r->latency_ms[0],
        r->latency_ms[1], r->latency_ms[2], r->latency_ms[3],
        r->syncs_per_second, r->cpu_us_per_transaction,
        r->client_cpu_us_per_transaction, r->sent_bytes_per_transaction,
        r->transactions_per_block, r->refused, r->view, bottleneck,
        is_primary ? "primary" : "backup", share);
}

static void print_table(const struct bench_options *options,
                        const struct bench_result *r)
{
    const struct bench_settings *s = &options->settings;
    double share = 0;
    bool is_primary = false;
    const char *bottleneck = bench_bottleneck(r, &share, &is_primary);
    (void)printf("simulated: %u replicas, %s, %u bytes a transaction, %u a "
                 "request, %s\n"
                 "  measured                  %.2f s%s, %" PRIu64 " events\n"
                 "  transactions/s            %.0f\n"
                 "  requests/s                %.0f\n"
                 "  latency p50 p95 p99 p99.9 %.2f %.2f %.2f %.2f ms\n"
                 "  synced writes/s           %.0f per replica\n"
                 "  CPU per transaction       %.1f us, all replicas together\n"
                 "  sent per transaction      %.0f bytes, all replicas\n"
                 "  transactions per block    %.1f\n"
                 "  refused / highest view    %" PRIu64 " / %" PRIu64 "\n"
                 "  bottleneck                %s of %s, busy %.0f %%%s\n"
                 "busy, %%                   primary  busiest backup\n",
                 s->replicas, options->latency, s->payload, s->per_request,
                 s->rate > 0 ? "open loop" : "closed loop", r->seconds,
                 r->is_cut ? " (cut short: --events-max)" : "", r->events,
                 r->transactions_per_second, r->requests_per_second,
                 r->latency_ms[0], r->latency_ms[1], r->latency_ms[2],
                 r->latency_ms[3], r->syncs_per_second,
                 r->cpu_us_per_transaction, r->sent_bytes_per_transaction,
                 r->transactions_per_block, r->refused, r->view, bottleneck,
                 is_primary ? "the primary" : "a backup", share * 100,
                 share < 0.7 ? ": nothing is; more load would go through" : "");
    for (unsigned i = 0; i < RESOURCE_COUNT; i++) {
        (void)printf("  %-22s %9.1f %9.1f\n",
                     bench_resource_name((enum bench_resource)i),
                     r->primary[i] * 100, r->backup[i] * 100);
    }
    (void)printf("calibration               %s\n", options->calibration);
}

static int write_svg(const struct bench_options *options,
                     const struct bench_point *points, size_t count)
{
    char title[TITLE_SIZE];
    FILE *out = fopen(options->svg, "w");
    if (out == NULL) {
        (void)fprintf(stderr, "salus-sim bench: %s cannot be written\n",
                      options->svg);
        return EXIT_USAGE;
    }
    (void)snprintf(title, sizeof title,
                   "Salus, simulated: %s, %u bytes a transaction, %u a request",
                   options->latency, options->settings.payload,
                   options->settings.per_request);
    bench_svg(out, title, points, count);
    bool is_bad = ferror(out) != 0;
    return fclose(out) == 0 && !is_bad ? EXIT_WELL : EXIT_USAGE;
}

static int run_curve(struct bench_options *options)
{
    static const uint32_t sizes[] = {4, 7, 10, 16, 31, 64, 100};
    struct bench_point points[sizeof sizes / sizeof sizes[0]];
    size_t count = sizeof sizes / sizeof sizes[0];
    if (!options->json) {
        (void)printf("%8s %14s %9s %9s %9s %9s %9s  %s\n", "replicas",
                     "transactions/s", "p50 ms", "p95 ms", "p99 ms", "p99.9 ms",
                     "seconds", "bottleneck");
    }
    for (size_t i = 0; i < count; i++) {
        struct bench_result *r = &points[i].result;
        double share = 0;
        bool is_primary = false;
        points[i].replicas = sizes[i];
        options->settings.replicas = sizes[i];
        bench_run(&options->settings, r);
        if (options->json) {
            print_json(options, r);
            continue;
        }
        const char *name = bench_bottleneck(r, &share, &is_primary);
        (void)printf("%8u %14.0f %9.1f %9.1f %9.1f %9.1f %8.2f%s  %s of %s, "
                     "%.0f %%\n",
                     sizes[i], r->transactions_per_second, r->latency_ms[0],
                     r->latency_ms[1], r->latency_ms[2], r->latency_ms[3],
                     r->seconds, r->is_cut ? "*" : " ", name,
                     is_primary ? "the primary" : "a backup", share * 100);
        (void)fflush(stdout);
    }
    if (!options->json) {
        (void)printf("* cut short by --events-max\n");
    }
    return options->svg == NULL ? EXIT_WELL : write_svg(options, points, count);
}

int command_bench(int argc, char **argv)
{
    struct options options = {.argc = argc, .argv = argv, .command = "bench"};
    struct bench_options bench = {.latency = "lan",
                                  .calibration = COST_CALIBRATION};
    bench_defaults(&bench.settings, 4);
    for (const char *option = options_next(&options); option != NULL;
         option = options_next(&options)) {
        if (!take_size(&options, option, &bench) &&
            !take_other(&options, option, &bench)) {
            options_refuse(&options, option);
        }
    }
    check(&options, &bench.settings);
    if (options.failed) {
        return EXIT_USAGE;
    }
    if (bench.is_curve) {
        return run_curve(&bench);
    }
    struct bench_point point = {.replicas = bench.settings.replicas};
    bench_run(&bench.settings, &point.result);
    if (bench.json) {
        print_json(&bench, &point.result);
    } else {
        print_table(&bench, &point.result);
    }
    return bench.svg == NULL ? EXIT_WELL : write_svg(&bench, &point, 1);
}
