/* SPDX-License-Identifier: Apache-2.0 */
/* salus bench: what a consortium does, with all conditions. */
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/bench.h"
#include "client/bench_fault.h"
#include "client/bench_limits.h"
#include "client/load.h"
#include "client/tool.h"
#include "client/tool_options.h"

#define HOUR_MS 3600000u
#define REPLICAS_DEFAULT 4
#define PAYLOAD_DEFAULT 256
#define PER_REQUEST_DEFAULT 64
#define DURATION_DEFAULT_MS 10000
#define WARM_UP_DEFAULT_MS 2000
#define RATE_MAX 1000000u
#define RUNS_MAX 99u
#define SUBMITTERS_SINGLE_DEFAULT 200
#define SUBMITTERS_BATCHED_DEFAULT 64
#define NAME_SIZE 64

static atomic_int stop_asked;

static void on_signal(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

uint32_t bench_submitters(const struct bench_setup *setup)
{
    return setup->per_request == 1 || setup->coalesce
               ? SUBMITTERS_SINGLE_DEFAULT
               : SUBMITTERS_BATCHED_DEFAULT;
}

/* ---- options ------------------------------------------------------------- */

struct texts {
    const char *config, *genesis, *replicas, *payload, *per_request, *clients;
    const char *rate, *duration, *warm_up, *runs, *versus, *output, *fault;
};

struct request {
    struct bench_matrix matrix; /* Of one cell if `is_matrix` is not set. */
    const char *versus;
    const char *output;
    bool is_matrix;
    bool limits;
    bool json;
};

/* "10", "10s", "500ms": milliseconds. */
static bool read_duration(const char *option, const char *text, uint32_t *out)
{
    char *end = NULL;
    unsigned long value = text != NULL ? strtoul(text, &end, 10) : 0;
    unsigned long unit = 1000;

    if (text == NULL) {
        return true;
    }
    if (strcmp(end, "ms") == 0) {
        unit = 1;
    } else if (*end != '\0' && strcmp(end, "s") != 0) {
        value = 0;
    }
    if (end == text || text[0] == '-' || value == 0 || value > HOUR_MS / unit) {
        (void)tool_bad_usage(&tool_bench,
                             "%s %s: give a time as 10s or 500ms, at most one "
                             "hour",
                             option, text);
        return false;
    }
    *out = (uint32_t)(value * unit);
    return true;
}

static bool read_count(const char *option, const char *text, uint64_t max,
                       uint32_t *out)
{
    uint64_t value = *out;

    if (!tool_number(&tool_bench, option, text, 1, max, &value)) {
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

/* "256,1024". */
static bool read_list(const char *option, const char *text, uint64_t max,
                      uint32_t out[BENCH_LIST_MAX], uint32_t *count)
{
    const char *at = text;

    while (at != NULL) {
        char one[NAME_SIZE];
        size_t size = strcspn(at, ",");
        if (*count == BENCH_LIST_MAX || size >= sizeof(one)) {
            (void)tool_bad_usage(&tool_bench, "%s: at most %d numbers", option,
                                 BENCH_LIST_MAX);
            return false;
        }
        memcpy(one, at, size);
        one[size] = '\0';
        if (!read_count(option, one, max, &out[*count])) {
            return false;
        }
        (*count)++;
        at = at[size] == ',' ? at + size + 1 : NULL;
    }
    return true;
}

static bool read_axes(struct request *request, const struct texts *texts)
{
    struct bench_matrix *matrix = &request->matrix;
    const char *payloads = texts->payload;
    const char *per_requests = texts->per_request;

    if (payloads == NULL) {
        payloads = request->is_matrix ? "256,1024" : "256";
    }
    if (per_requests == NULL) {
        per_requests = request->is_matrix ? "1,64" : "64";
    }
    if (!read_list("--payload", payloads, LOAD_PAYLOAD_MAX, matrix->payloads,
                   &matrix->payload_count) ||
        !read_list("--transactions-per-request", per_requests,
                   SALUS_TRANSACTIONS_MAX, matrix->per_requests,
                   &matrix->per_request_count)) {
        return false;
    }
    matrix->base.payload = matrix->payloads[0];
    matrix->base.per_request = matrix->per_requests[0];
    return true;
}

static bool read_texts(struct request *request, const struct texts *texts)
{
    struct bench_setup *base = &request->matrix.base;

    base->config = texts->config;
    base->genesis = texts->genesis;
    request->versus = texts->versus;
    request->output = texts->output;
    if (texts->fault != NULL &&
        !bench_fault_parse(&base->fault, texts->fault)) {
        (void)tool_bad_usage(&tool_bench, "--fault: what is %s?", texts->fault);
        return false;
    }
    return read_count("--replicas", texts->replicas, TRIAL_REPLICAS_MAX,
                      &base->replicas) &&
           read_count("--clients", texts->clients, LOAD_SUBMITTERS_MAX,
                      &base->submitters) &&
           read_count("--rate", texts->rate, RATE_MAX, &base->rate) &&
           read_count("--runs", texts->runs, RUNS_MAX, &request->matrix.runs) &&
           read_duration("--duration", texts->duration, &base->duration_ms) &&
           read_duration("--warm-up", texts->warm_up, &base->warm_up_ms) &&
           read_axes(request, texts);
}

/* A running consortium is measured as it is. */
static const char *find_problem(const struct request *request,
                                const struct texts *texts)
{
    const struct bench_matrix *matrix = &request->matrix;
    const struct bench_setup *base = &matrix->base;
    const bool runs = base->config != NULL || base->genesis != NULL;

    for (uint32_t i = 0; i < matrix->payload_count; i++) {
        if (matrix->payloads[i] < LOAD_PAYLOAD_MIN) {
            return "--payload: a RecordAnchor has 184 bytes or more";
        }
    }
    if (base->config != NULL && base->genesis != NULL) {
        return "give --config or --genesis, not both";
    }
    if (runs && texts->replicas != NULL) {
        return "--replicas is for a consortium that bench starts";
    }
    if (runs && (base->no_sync || request->is_matrix)) {
        return "--matrix and --unsafe-no-sync are for a consortium that bench "
               "starts";
    }
    if (request->is_matrix && (base->no_sync || base->no_tls)) {
        return "--matrix switches TLS and synced writes itself; --safe-only "
               "leaves them on";
    }
    if (base->fault != BENCH_FAULT_NONE &&
        (runs || request->is_matrix || request->limits || request->versus)) {
        return "--fault is for one configuration that bench starts, without "
               "--limits and --vs";
    }
    if (base->fault != BENCH_FAULT_NONE &&
        (base->replicas < 4 ||
         base->duration_ms > LOAD_SLOT_MS * LOAD_SLOTS_MAX)) {
        return "--fault: four replicas or more, at most ten minutes";
    }
    if (request->is_matrix && request->json) {
        return "--matrix writes its JSON to a file: --output NAME";
    }
    if (!request->is_matrix &&
        (matrix->payload_count > 1 || matrix->per_request_count > 1)) {
        return "several payloads or transactions per request: add --matrix";
    }
    if (!request->is_matrix && (request->output || matrix->safe_only)) {
        return "--output and --safe-only belong to --matrix";
    }
    if (request->limits && (request->is_matrix || runs)) {
        return "--limits is for one configuration that bench starts here";
    }
    return request->json && request->versus != NULL
               ? "--json prints one line of JSON, without --vs"
               : NULL;
}

/* -1: go on; else the exit code. */
static int read_options(struct request *request, int argc, char **argv)
{
    struct bench_setup *base = &request->matrix.base;
    struct texts texts = {0};
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        {"--config", NULL, &texts.config, NULL},
        {"--genesis", NULL, &texts.genesis, NULL},
        {"--replicas", NULL, &texts.replicas, NULL},
        {"--payload", NULL, &texts.payload, NULL},
        {"--transactions-per-request", NULL, &texts.per_request, NULL},
        {"--clients", NULL, &texts.clients, NULL},
        {"--rate", NULL, &texts.rate, NULL},
        {"--duration", NULL, &texts.duration, NULL},
        {"--warm-up", NULL, &texts.warm_up, NULL},
        {"--runs", NULL, &texts.runs, NULL},
        {"--vs", NULL, &texts.versus, NULL},
        {"--output", NULL, &texts.output, NULL},
        {"--fault", NULL, &texts.fault, NULL},
        {"--matrix", &request->is_matrix, NULL, NULL},
        {"--limits", &request->limits, NULL, NULL},
        {"--safe-only", &request->matrix.safe_only, NULL, NULL},
        {"--coalesce", &base->coalesce, NULL, NULL},
        {"--no-tls", &base->no_tls, NULL, NULL},
        {"--unsafe-no-sync", &base->no_sync, NULL, NULL},
        {"--json", &request->json, NULL, NULL},
        {NULL, NULL, NULL, NULL}};
    int code = tool_options_parse(&tool_bench, options, &operands, argc, argv);

    if (code >= 0) {
        return code;
    }
    if (operands.count > 0) {
        return tool_bad_usage(&tool_bench, "what is %s?", operands.items[0]);
    }
    if (!read_texts(request, &texts)) {
        return TOOL_USAGE;
    }
    const char *problem = find_problem(request, &texts);
    return problem != NULL ? tool_bad_usage(&tool_bench, "%s", problem) : -1;
}

/* ---- the command --------------------------------------------------------- */

static bool all_well(const struct bench_result *results, uint32_t count)
{
    uint64_t bad = stop_asked || count == 0 ? 1 : 0;

    for (uint32_t i = 0; i < count; i++) {
        bad += results[i].figures.failed + results[i].figures.refused;
    }
    return bad == 0;
}

static bool run_one(const struct request *request, struct bench_result *out)
{
    struct bench_setup setup = request->matrix.base;
    struct bench_bound bound;

    if (setup.submitters == 0) {
        setup.submitters = bench_submitters(&setup);
    }
    if (!bench_run_median(&setup, request->matrix.runs, &stop_asked, out)) {
        return false;
    }
    if (!request->json) {
        bench_print_table(out);
    }
    const bool fine = !request->limits || bench_bound_measure(out, &bound);
    const struct bench_bound *told = fine && request->limits ? &bound : NULL;
    if (request->json) {
        bench_print_json(out, told, stdout);
        (void)printf("\n");
    } else if (told != NULL) {
        bench_bound_print(out, told);
    }
    return fine;
}

static uint32_t run_matrix(const struct request *request,
                           struct bench_result *results)
{
    char name[NAME_SIZE];
    time_t now = time(NULL);
    struct tm parts;
    struct bench_files files;

    (void)strftime(name, sizeof(name), "salus-bench-%Y%m%d-%H%M%S",
                   gmtime_r(&now, &parts));
    /* Before the first cell: not after many minutes. */
    if (!bench_files_create(&files,
                            request->output != NULL ? request->output : name)) {
        return 0;
    }
    uint32_t count = bench_matrix_run(&request->matrix, &stop_asked, results);
    return bench_files_finish(&files, results, count) ? count : 0;
}

static int run(int argc, char **argv)
{
    static struct request request;
    static struct bench_result results[BENCH_RUNS_MAX];
    struct sigaction action = {.sa_handler = on_signal};
    json_t *earlier = NULL;

    request =
        (struct request){.matrix = {.base = {.replicas = REPLICAS_DEFAULT,
                                             .duration_ms = DURATION_DEFAULT_MS,
                                             .warm_up_ms = WARM_UP_DEFAULT_MS},
                                    .runs = 1}};
    int code = read_options(&request, argc, argv);
    if (code >= 0) {
        return code;
    }
    if (request.versus != NULL &&
        (earlier = bench_load_results(request.versus)) == NULL) {
        return TOOL_USAGE;
    }
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    uint32_t count = request.is_matrix ? run_matrix(&request, results)
                                       : run_one(&request, &results[0]);
    if (earlier != NULL) {
        (void)bench_compare(results, count, earlier);
        json_decref(earlier);
    }
    return all_well(results, count) ? TOOL_OK : TOOL_FAILED;
}

const struct tool_command tool_bench = {
    .name = "bench",
    .usage = "[--replicas N | --config FILE | --genesis FILE]\n"
             "       [--payload BYTES] [--transactions-per-request T] "
             "[--clients C]\n"
             "       [--rate R] [--duration 10s] [--runs K] [--limits]\n"
             "       [--fault KIND] [--matrix] [--vs FILE] [--json]",
    .summary = "measure a consortium of real replicas on this machine",
    .help =
        "Starts N replicas (4) with TLS, signatures and synced writes, lets C\n"
        "submitters submit RECORD_ANCHOR transactions, each waiting for the\n"
        "proof of the last, and prints what came of it with all conditions.\n"
        "Latency counts from when a submission was due until it is proved.\n"
        "\n"
        "  --config FILE     measure a running consortium: with this client\n"
        "  --genesis FILE    the same: with all client-N.yaml beside this "
        "file\n"
        "  --payload BYTES   size of each RecordAnchor, 184..1024 (256)\n"
        "  --transactions-per-request T   1: one signature each; 64 (default)\n"
        "  --coalesce        submit one at a time, let the library gather\n"
        "  --clients C       submitters (64, or 200 for one per request)\n"
        "  --rate R          open loop: R transactions are due each second,\n"
        "                    whatever became of those before\n"
        "  --duration D, --warm-up D   as 10s or 500ms (10s, 2s)\n"
        "  --runs K          K times; the run of median throughput counts\n"
        "                    (the worse one of two in the middle)\n"
        "  --vs FILE         ratios to what --json or --matrix wrote earlier\n"
        "  --limits          then measure the parts by themselves: the bound\n"
        "                    of this machine, with the blocks as they were "
        "and\n"
        "                    with full ones, and the share that was reached\n"
        "  --fault KIND      in the middle; compares the halves of the run:\n"
        "                    dead-backup, slow-backup, flood, kill-primary\n"
        "  --no-tls          UNSAFE: plain TCP everywhere\n"
        "  --unsafe-no-sync  UNSAFE: votes leave before they are durable\n"
        "  --json            one line\n"
        "\n"
        "  --matrix          payloads (256,1024) x transactions per request\n"
        "                    (1,64) x TLS x synced writes, one row each;\n"
        "                    lists with commas choose others\n"
        "  --safe-only       of the matrix: only with TLS and synced writes\n"
        "  --output NAME     of the matrix: NAME.json and NAME.svg, which "
        "must\n"
        "                    not exist (salus-bench-DATE-TIME)\n",
    .run = run};
