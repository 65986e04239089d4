/* SPDX-License-Identifier: Apache-2.0 */
/* Ratios of results to earlier ones under the same conditions. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "client/bench.h"
#include "client/bench_fault.h"

#define SLACK_S 0.25

/* The whole file: an array, or one result per line. */
static char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(BENCH_FILE_BYTES_MAX + 2);

    *size = 0;
    if (file != NULL && text != NULL) {
        *size = fread(text, 1, BENCH_FILE_BYTES_MAX + 1, file);
        text[*size] = '\0';
    }
    if (file == NULL || text == NULL || ferror(file) != 0 ||
        *size > BENCH_FILE_BYTES_MAX) {
        free(text);
        text = NULL;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return text;
}

/* One value after the other; an array is taken apart. False: not JSON. */
static bool take_values(json_t *to, const char *text, size_t size,
                        json_error_t *error)
{
    size_t at = 0;

    while (at < size && strspn(text + at, " \t\r\n") < size - at) {
        json_t *value =
            json_loadb(text + at, size - at, JSON_DISABLE_EOF_CHECK, error);
        if (value == NULL) {
            return false;
        }
        at += (size_t)error->position;
        if (json_is_array(value)) {
            (void)json_array_extend(to, value);
            json_decref(value);
        } else {
            (void)json_array_append_new(to, value);
        }
    }
    return true;
}

json_t *bench_load_results(const char *path)
{
    json_error_t error = {.text = "it cannot be read, or is too large"};
    size_t size = 0;
    char *text = read_file(path, &size);
    json_t *results = json_array();
    size_t i = 0;
    json_t *one = NULL;
    bool fine = text != NULL && take_values(results, text, size, &error);

    if (fine && json_array_size(results) == 0) {
        fine = false;
        (void)snprintf(error.text, sizeof(error.text), "it holds no result");
    }
    json_array_foreach(results, i, one)
    {
        if (fine &&
            !json_is_number(json_object_get(one, "transactions_per_second"))) {
            fine = false;
            (void)snprintf(error.text, sizeof(error.text),
                           "result %zu has no transactions_per_second: not "
                           "written by salus bench",
                           i + 1);
        }
    }
    free(text);
    if (!fine) {
        (void)fprintf(stderr, "salus bench: --vs %s: %s\n", path, error.text);
        json_decref(results);
        return NULL;
    }
    return results;
}

static bool has_count(const json_t *json, const char *key, uint64_t value)
{
    return (uint64_t)json_integer_value(json_object_get(json, key)) == value;
}

static bool has_flag(const json_t *json, const char *key, bool value)
{
    return json_is_true(json_object_get(json, key)) == value;
}

/* Without a fault there is none in the JSON either. */
static bool has_fault(const json_t *json, enum bench_fault fault)
{
    const char *name = json_string_value(json_object_get(json, "fault"));

    return strcmp(name != NULL ? name : bench_fault_name(BENCH_FAULT_NONE),
                  bench_fault_name(fault)) == 0;
}

/* Earlier versions told how long it took, not how long it should take. */
static bool has_duration(const json_t *json, const struct bench_setup *setup)
{
    const double wanted = setup->duration_ms / 1000.0;
    const json_t *asked = json_object_get(json, "asked_duration_seconds");
    const double then = json_number_value(
        asked != NULL ? asked : json_object_get(json, "duration_seconds"));
    const double slack = asked != NULL ? 0.0005 : SLACK_S + wanted / 20;

    return then > wanted - slack && then < wanted + slack;
}

static bool has_warm_up(const json_t *json, const struct bench_setup *setup)
{
    const double then =
        json_number_value(json_object_get(json, "warm_up_seconds"));

    return (uint32_t)(then * 1000 + 0.5) == setup->warm_up_ms;
}

static bool is_same_setup(const json_t *json, const struct bench_setup *setup)
{
    return has_fault(json, setup->fault) && has_duration(json, setup) &&
           has_warm_up(json, setup) &&
           has_count(json, "replicas", setup->replicas) &&
           has_count(json, "payload_bytes", setup->payload) &&
           has_count(json, "transactions_per_request", setup->per_request) &&
           has_count(json, "clients", setup->submitters) &&
           has_count(json, "offered_transactions_per_second", setup->rate) &&
           has_count(json, "window", setup->window) &&
           has_flag(json, "coalesced", setup->coalesce) &&
           has_flag(json, "tls", !setup->no_tls) &&
           has_flag(json, "synced_writes", !setup->no_sync);
}

static const json_t *find(const json_t *earlier,
                          const struct bench_setup *setup)
{
    for (size_t i = json_array_size(earlier); i > 0; i--) {
        const json_t *one = json_array_get(earlier, i - 1);
        if (is_same_setup(one, setup)) {
            return one;
        }
    }
    return NULL;
}

static void print_ratio(const json_t *then, const char *key, const char *name,
                        double now)
{
    double before = json_number_value(json_object_get(then, key));

    if (before > 0) {
        (void)printf("  %-26s %10.2f  then %10.2f   %5.2f times\n", name, now,
                     before, now / before);
    }
}

static bool has_text(const json_t *json, const char *key, const char *text)
{
    const char *then = json_string_value(json_object_get(json, key));

    return then != NULL && strcmp(then, text) == 0;
}

/* A ratio across machines says something of the machines. */
static void print_machine(const json_t *then, const struct bench_machine *now)
{
    static const char *const keys[] = {"processor", "kernel", "file_system"};
    const char *const texts[] = {now->processor, now->kernel, now->file_system};

    if (!has_count(then, "cores", now->cores)) {
        (void)printf(
            "  NOT THE SAME MACHINE: %u cores, then %lld\n", now->cores,
            (long long)json_integer_value(json_object_get(then, "cores")));
    }
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!has_text(then, keys[i], texts[i])) {
            const char *was = json_string_value(json_object_get(then, keys[i]));
            (void)printf("  NOT THE SAME MACHINE: %s, then %s\n", texts[i],
                         was != NULL ? was : "not told");
        }
    }
}

static void print_pair(const json_t *then, const struct bench_result *now)
{
    const struct bench_setup *setup = &now->setup;
    const struct bench_figures *f = &now->figures;

    (void)printf("against the earlier result: %u replicas, %u bytes, %u per "
                 "request, TLS %s, synced writes %s\n",
                 setup->replicas, setup->payload, setup->per_request,
                 setup->no_tls ? "off" : "on", setup->no_sync ? "off" : "on");
    print_machine(then, &now->machine);
    print_ratio(then, "transactions_per_second", "transactions/s",
                f->transactions_per_second);
    print_ratio(then, bench_permille_keys[0], "latency p50, ms",
                f->latency_ms[0]);
    print_ratio(then, bench_permille_keys[3], "latency p99, ms",
                f->latency_ms[3]);
    print_ratio(then, "cpu_microseconds_per_transaction", "CPU us/transaction",
                f->cpu_us_per_transaction);
    print_ratio(then, "sent_bytes_per_transaction", "sent bytes/transaction",
                f->sent_bytes_per_transaction);
    print_ratio(then, "written_bytes_per_transaction",
                "written bytes/transaction", f->written_bytes_per_transaction);
}

uint32_t bench_compare(const struct bench_result *results, uint32_t count,
                       const json_t *earlier)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < count; i++) {
        const json_t *then = find(earlier, &results[i].setup);
        if (then != NULL) {
            print_pair(then, &results[i]);
            found++;
        }
    }
    if (found < count) {
        (void)printf("%u of %u results have no earlier one under the same "
                     "conditions\n",
                     count - found, count);
    }
    return found;
}
