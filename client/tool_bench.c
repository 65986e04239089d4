/* SPDX-License-Identifier: Apache-2.0 */
/* salus bench: what a consortium does on this machine, with all conditions. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "client/bench.h"
#include "client/client.h"
#include "client/tool.h"

#define START_TIMEOUT_MS 30000
#define ANSWER_TIMEOUT_MS 10000
#define STOP_PATIENCE_MS 10000
#define HOUR_MS 3600000u
#define REPLICAS_DEFAULT 4
#define SUBMITTERS_SINGLE_DEFAULT 200
#define SUBMITTERS_BATCHED_DEFAULT 64

static volatile sig_atomic_t stop_asked;

static void on_signal(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

/* ---- options ------------------------------------------------------------- */

/* A number with an optional unit: "10", "10s", "500ms". */
static bool read_number(const char *text, uint32_t unit_default, uint32_t max,
                        uint32_t *out)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);
    unsigned long unit = unit_default;

    if (end == text || text[0] == '-') {
        return false;
    }
    if (strcmp(end, "ms") == 0) {
        unit = 1;
    } else if (strcmp(end, "s") == 0) {
        unit = 1000;
    } else if (*end != '\0') {
        return false;
    }
    if (value > max / unit) {
        return false;
    }
    *out = (uint32_t)(value * unit);
    return *out > 0;
}

struct number_option {
    const char *name;
    uint32_t unit;
    uint32_t max;
    uint32_t *place;
};

static bool take_number(const struct number_option *options, size_t count,
                        const char *name, const char *value)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].name, name) == 0) {
            return value != NULL &&
                   read_number(value, options[i].unit, options[i].max,
                               options[i].place);
        }
    }
    return false;
}

static bool take_flag(struct bench *bench, const char *name)
{
    if (strcmp(name, "--no-tls") == 0) {
        bench->trial.plain_tcp = true;
    } else if (strcmp(name, "--unsafe-no-sync") == 0) {
        bench->trial.no_sync = true;
    } else if (strcmp(name, "--coalesce") == 0) {
        bench->coalesce = true;
    } else if (strcmp(name, "--json") == 0) {
        bench->json = true;
    } else {
        return false;
    }
    return true;
}

static bool take_text(struct bench *bench, const char *name, const char *value)
{
    if (value != NULL && strcmp(name, "--config") == 0) {
        bench->config = value;
    } else if (value != NULL && strcmp(name, "--genesis") == 0) {
        bench->genesis = value;
    } else {
        return false;
    }
    return true;
}

/* A running consortium is measured as it is. */
static bool is_consistent(const struct bench *bench)
{
    const bool runs = bench->config != NULL || bench->genesis != NULL;
    const char *problem = NULL;

    if (bench->config != NULL && bench->genesis != NULL) {
        problem = "give --config or --genesis, not both";
    } else if (runs && bench->replicas != 0) {
        problem = "--replicas is for a consortium that bench starts";
    } else if (bench->payload < LOAD_PAYLOAD_MIN) {
        problem = "--payload: a RecordAnchor has 184 bytes or more";
    } else if (runs && bench->trial.no_sync) {
        problem = "--unsafe-no-sync is for a consortium that bench starts";
    }
    if (problem != NULL) {
        (void)fprintf(stderr, "salus bench: %s\ntry: salus help bench\n",
                      problem);
    }
    return problem == NULL;
}

static bool read_options(struct bench *bench, int argc, char **argv)
{
    const struct number_option numbers[] = {
        {"--replicas", 1, TRIAL_REPLICAS_MAX, &bench->replicas},
        {"--payload", 1, LOAD_PAYLOAD_MAX, &bench->payload},
        {"--transactions-per-request", 1, SALUS_TRANSACTIONS_MAX,
         &bench->per_request},
        {"--clients", 1, LOAD_SUBMITTERS_MAX, &bench->submitters},
        {"--duration", 1000, HOUR_MS, &bench->duration_ms},
        {"--warm-up", 1000, HOUR_MS, &bench->warm_up_ms}};

    for (int i = 1; i < argc; i++) {
        if (take_flag(bench, argv[i])) {
            continue;
        }
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (!take_text(bench, argv[i], value) &&
            !take_number(numbers, sizeof(numbers) / sizeof(numbers[0]), argv[i],
                         value)) {
            (void)fprintf(stderr,
                          "salus bench: bad option or value: %s %s\n"
                          "try: salus help bench\n",
                          argv[i], value != NULL ? value : "");
            return false;
        }
        i++;
    }
    return is_consistent(bench);
}

/* ---- measuring ----------------------------------------------------------- */

static uint64_t own_cpu_us(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static uint64_t count_requests(const struct bench *bench)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < bench->trial.client_count; i++) {
        struct salus_statistics statistics;
        salus_get_statistics(bench->trial.clients[i], &statistics);
        sum += statistics.requests;
    }
    return sum;
}

static void on_phase(void *context, bool begins)
{
    struct bench *bench = context;
    struct trial_status *to = begins ? bench->before : bench->after;

    for (uint32_t i = 0; i < bench->trial.count; i++) {
        (void)trial_ask(&bench->trial, i, &to[i]);
    }
    bench->client_cpu_us[begins ? 0 : 1] = own_cpu_us();
    bench->requests[begins ? 0 : 1] = count_requests(bench);
}

static uint64_t wall_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum salus_status measure(struct bench *bench)
{
    struct load_options options = {
        .client_count = bench->trial.client_count,
        .submitters = bench->submitters,
        .transactions_per_submission = bench->coalesce ? 1 : bench->per_request,
        .payload = bench->payload,
        .warm_up_ms = bench->warm_up_ms,
        .duration_ms = bench->duration_ms,
        .not_after_ms =
            wall_ms() + bench->warm_up_ms + bench->duration_ms + HOUR_MS,
        .on_phase = on_phase,
        .context = bench,
        .stop = &stop_asked};

    for (uint32_t i = 0; i < bench->trial.client_count; i++) {
        options.clients[i] = bench->trial.clients[i];
        memcpy(options.encryption_keys[i], bench->trial.encryption_keys[i],
               SALUS_ID_SIZE);
    }
    return load_run(&options, &bench->load);
}

/* ---- the command --------------------------------------------------------- */

static int report(const struct bench *bench, enum salus_status status)
{
    if (bench->json) {
        bench_print_json(bench);
    } else {
        bench_print_table(bench);
    }
    if (status != SALUS_OK || bench->load.failed + bench->load.refused > 0) {
        enum salus_status first =
            status != SALUS_OK ? status : bench->load.first_failure;
        (void)fprintf(stderr, "salus bench: not all went well: %s\n",
                      salus_status_text(first));
        return TOOL_FAILED;
    }
    return TOOL_OK;
}

static int run_load(struct bench *bench)
{
    bench->window = bench->trial.clients[0]->genesis->parameters.window;
    enum salus_status status = measure(bench);
    int result = report(bench, status);

    trial_close_clients(&bench->trial);
    return stop_asked ? TOOL_FAILED : result;
}

static int run_started(struct bench *bench)
{
    char folder[] = "/tmp/salus-bench-XXXXXX";
    int result = TOOL_FAILED;

    if (mkdtemp(folder) == NULL) {
        perror("salus bench: /tmp");
        return TOOL_FAILED;
    }
    if (trial_create(&bench->trial, folder, bench->replicas) == PBFT_OK &&
        trial_start(&bench->trial, START_TIMEOUT_MS) == PBFT_OK) {
        result = run_load(bench);
    }
    trial_close_clients(&bench->trial);
    (void)replicas_stop_all(&bench->trial.replicas, STOP_PATIENCE_MS);
    replicas_remove_folder(folder);
    return result;
}

static int run_attached(struct bench *bench)
{
    struct trial *trial = &bench->trial;
    enum pbft_status status =
        bench->config != NULL
            ? trial_attach_config(trial, bench->config, ANSWER_TIMEOUT_MS)
            : trial_attach_genesis(trial, bench->genesis, ANSWER_TIMEOUT_MS);
    int result = TOOL_FAILED;

    if (status == PBFT_OK) {
        bench->replicas = trial->count;
        for (uint32_t i = 0; i < trial->count; i++) {
            struct trial_status replica;
            trial->no_sync |= trial_ask(trial, i, &replica) && replica.no_sync;
        }
        result = run_load(bench);
    }
    trial_close_clients(trial);
    return result;
}

static void fill_defaults(struct bench *bench)
{
    if (bench->submitters == 0) {
        bench->submitters = bench->per_request == 1 || bench->coalesce
                                ? SUBMITTERS_SINGLE_DEFAULT
                                : SUBMITTERS_BATCHED_DEFAULT;
    }
    if (bench->replicas == 0) {
        bench->replicas = REPLICAS_DEFAULT;
    }
    bench->trial.transactions_per_request = bench->per_request;
}

static int run(int argc, char **argv)
{
    static struct bench bench;
    struct sigaction action = {.sa_handler = on_signal};

    bench = (struct bench){.payload = 256,
                           .per_request = 64,
                           .duration_ms = 10000,
                           .warm_up_ms = 2000};
    if (!read_options(&bench, argc, argv)) {
        return TOOL_USAGE;
    }
    fill_defaults(&bench);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    return bench.config != NULL || bench.genesis != NULL ? run_attached(&bench)
                                                         : run_started(&bench);
}

const struct tool_command tool_bench = {
    .name = "bench",
    .usage = "[--replicas N | --config FILE | --genesis FILE] [--payload "
             "BYTES] [--transactions-per-request T] "
             "[--clients C] [--duration 10s] [--json]",
    .summary = "measure a consortium of real replicas on this machine",
    .help =
        "Starts N replicas (4) with TLS, signatures and synced writes, lets C\n"
        "submitters submit RECORD_ANCHOR transactions, each waiting for the\n"
        "proof of the last, and prints what came of it with all conditions.\n"
        "\n"
        "  --config FILE     measure a running consortium: with this client\n"
        "  --genesis FILE    the same: with all client-N.yaml beside this "
        "file\n"
        "  --payload BYTES   size of each RecordAnchor, 184..1024 (256)\n"
        "  --transactions-per-request T   1: one signature each; 64 (default)\n"
        "  --coalesce        submit one at a time, let the library gather\n"
        "  --clients C       submitters (64, or 200 for one per request)\n"
        "  --duration D, --warm-up D   as 10s or 500ms (10s, 2s)\n"
        "  --no-tls          UNSAFE: plain TCP everywhere\n"
        "  --unsafe-no-sync  UNSAFE: votes leave before they are durable\n"
        "  --json            one line\n",
    .run = run};
