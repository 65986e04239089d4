/* SPDX-License-Identifier: Apache-2.0 */
/* One run: a consortium, the load, the counters before and after. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/bench.h"
#include "client/bench_figures.h"
#include "client/client.h"
#include "client/tool_clock.h"
#include "net/turns.h"

#define START_TIMEOUT_MS 30000
#define ANSWER_TIMEOUT_MS 10000
#define STOP_PATIENCE_MS 10000
#define HOUR_MS 3600000u

static uint64_t own_cpu_us(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static uint64_t count_requests(const struct trial *trial)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < trial->client_count; i++) {
        struct salus_statistics statistics;
        salus_get_statistics(trial->clients[i], &statistics);
        sum += statistics.requests;
    }
    return sum;
}

static void on_phase(void *context, bool begins)
{
    struct bench *bench = context;
    struct bench_counters *to = begins ? &bench->before : &bench->after;

    if (!begins) {
        bench_fault_end(&bench->fault); /* Who is stopped cannot answer. */
    }
    for (uint32_t i = 0; i < bench->trial.count; i++) {
        to->has_answered[i] = trial_ask(&bench->trial, i, &to->replicas[i]);
    }
    to->client_cpu_us = own_cpu_us();
    to->requests = count_requests(&bench->trial);
}

static void on_tick(void *context, uint64_t elapsed_ms)
{
    struct bench *bench = context;

    bench_fault_tick(&bench->fault, elapsed_ms);
}

static enum salus_status measure(struct bench *bench,
                                 const struct bench_setup *setup,
                                 const atomic_int *stop)
{
    struct load_options options = {
        .client_count = bench->trial.client_count,
        .submitters = setup->submitters,
        .transactions_per_submission = setup->coalesce ? 1 : setup->per_request,
        .rate = setup->rate,
        .payload = setup->payload,
        .warm_up_ms = setup->warm_up_ms,
        .duration_ms = setup->duration_ms,
        .not_after_ms =
            tool_wall_ms() + setup->warm_up_ms + setup->duration_ms + HOUR_MS,
        .on_phase = on_phase,
        .on_tick = on_tick,
        .context = bench,
        .stop = stop};

    bench->fault = (struct bench_fault_run){.fault = setup->fault,
                                            .trial = &bench->trial,
                                            .at_ms = setup->duration_ms / 2,
                                            .duration_ms = setup->duration_ms};
    if (setup->fault == BENCH_FAULT_FLOOD) {
        options.client_count--; /* The one that floods. */
    }
    for (uint32_t i = 0; i < options.client_count; i++) {
        options.clients[i] = bench->trial.clients[i];
        memcpy(options.encryption_keys[i], bench->trial.encryption_keys[i],
               SALUS_ID_SIZE);
    }
    return load_run(&options, &bench->load);
}

static void note_failure(const struct bench *bench, enum salus_status status)
{
    if (status == SALUS_OK && bench->load.failed + bench->load.refused == 0) {
        return;
    }
    (void)fprintf(stderr, "salus bench: not all went well: %s\n",
                  salus_status_text(
                      status != SALUS_OK ? status : bench->load.first_failure));
}

/* The consortium answers. */
static bool run_load(struct bench *bench, const atomic_int *stop,
                     struct bench_result *out)
{
    out->setup.replicas = bench->trial.count;
    out->setup.no_sync = bench->trial.no_sync;
    const struct genesis_parameters *agreed =
        &bench->trial.clients[0]->genesis->parameters;
    out->setup.window = agreed->window;
    out->setup.batch_requests = agreed->batch_requests_max;
    out->setup.batch_bytes = agreed->batch_bytes_max;
    enum salus_status status = measure(bench, &out->setup, stop);
    note_failure(bench, status);
    bench_figures_compute(bench, &out->figures);
    if (status != SALUS_OK) {
        out->figures.failed++;
    }
    return *stop == 0;
}

static bool run_started(struct bench *bench, const atomic_int *stop,
                        struct bench_result *out)
{
    char folder[] = "/tmp/salus-bench-XXXXXX";
    bool done = false;

    if (mkdtemp(folder) == NULL) {
        perror("salus bench: /tmp");
        return false;
    }
    bench_machine_read(&out->machine, folder);
    if (trial_create(&bench->trial, folder, out->setup.replicas) == PBFT_OK &&
        trial_start(&bench->trial, START_TIMEOUT_MS) == PBFT_OK) {
        /* As the replicas do that it shares all processors with. */
        net_take_turns(true);
        done = run_load(bench, stop, out);
        net_take_turns(false); /* The next replicas begin as usual. */
    }
    trial_close_clients(&bench->trial);
    (void)replicas_stop_all(&bench->trial.replicas, STOP_PATIENCE_MS);
    replicas_remove_folder(folder);
    return done;
}

static bool run_attached(struct bench *bench, const atomic_int *stop,
                         struct bench_result *out)
{
    struct trial *trial = &bench->trial;
    enum pbft_status status =
        out->setup.config != NULL
            ? trial_attach_config(trial, out->setup.config, ANSWER_TIMEOUT_MS)
            : trial_attach_genesis(trial, out->setup.genesis,
                                   ANSWER_TIMEOUT_MS);
    bool done = false;

    bench_machine_read(&out->machine, "/");
    if (status == PBFT_OK) {
        for (uint32_t i = 0; i < trial->count; i++) {
            struct trial_status replica;
            trial->no_sync |= trial_ask(trial, i, &replica) && replica.no_sync;
        }
        done = run_load(bench, stop, out);
    }
    trial_close_clients(trial);
    return done;
}

bool bench_run(const struct bench_setup *setup, const atomic_int *stop,
               struct bench_result *out)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bool done = false;

    memset(out, 0, sizeof(*out));
    if (bench == NULL) {
        (void)fprintf(stderr, "salus bench: out of memory\n");
        return false;
    }
    out->setup = *setup;
    out->runs = 1;
    bench->trial.plain_tcp = setup->no_tls;
    bench->trial.no_sync = setup->no_sync;
    bench->trial.transactions_per_request = setup->per_request;
    done = setup->config != NULL || setup->genesis != NULL
               ? run_attached(bench, stop, out)
               : run_started(bench, stop, out);
    out->lowest = out->figures.transactions_per_second;
    out->highest = out->lowest;
    free(bench);
    return done;
}

/* With a fault: how much of the throughput before it was left; or how short the
 * gap was. */
static double merit(const struct bench_result *result)
{
    const struct bench_fault_result *fault = &result->figures.fault;

    if (fault->fault == BENCH_FAULT_KILL_PRIMARY) {
        return -fault->gap_ms;
    }
    return fault->fault == BENCH_FAULT_NONE || fault->before <= 0
               ? result->lowest
               : fault->after / fault->before;
}

static int by_merit(const void *a, const void *b)
{
    double x = merit(a);
    double y = merit(b);

    return (x > y) - (x < y);
}

bool bench_run_median(const struct bench_setup *setup, uint32_t runs,
                      const atomic_int *stop, struct bench_result *out)
{
    struct bench_result *results = calloc(runs, sizeof(*results));
    uint32_t done = 0;

    if (results == NULL) {
        (void)fprintf(stderr, "salus bench: out of memory\n");
        return false;
    }
    while (done < runs && bench_run(setup, stop, &results[done])) {
        done++;
    }
    bool all = runs > 0 && done == runs;
    if (all) {
        qsort(results, runs, sizeof(*results), by_merit);
        const uint32_t middle = (runs - 1) / 2; /* The worse one of two. */
        *out = results[middle];
        out->runs = runs;
        for (uint32_t i = 0; i < runs; i++) { /* None is hidden. */
            double rate = results[i].lowest;
            out->lowest = rate < out->lowest ? rate : out->lowest;
            out->highest = rate > out->highest ? rate : out->highest;
            if (i != middle) {
                out->figures.failed += results[i].figures.failed;
                out->figures.refused += results[i].figures.refused;
            }
        }
    }
    free(results);
    return all;
}
