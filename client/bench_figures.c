/* SPDX-License-Identifier: Apache-2.0 */
#include "client/bench_figures.h"

#include <stdlib.h>
#include <string.h>

const uint32_t bench_permille[5] = {500, 900, 950, 990, 999};
const char *const bench_permille_keys[5] = {"latency_p50_ms", "latency_p90_ms",
                                            "latency_p95_ms", "latency_p99_ms",
                                            "latency_p999_ms"};

static uint64_t growth(uint64_t before, uint64_t after)
{
    return after > before ? after - before : 0;
}

static void compute_process(const struct trial_status *before,
                            const struct trial_status *after,
                            struct bench_process *out)
{
    *out = (struct bench_process){
        .has_answered = true,
        .cpu_seconds = (double)growth(before->cpu_us, after->cpu_us) / 1e6,
        .sent_bytes = growth(before->bytes_sent, after->bytes_sent),
        .client_bytes =
            growth(before->client_bytes_received, after->client_bytes_received),
        .written_bytes = growth(before->written_bytes, after->written_bytes),
        .disk_bytes = growth(before->disk_bytes, after->disk_bytes),
        .syncs = growth(before->syncs, after->syncs),
        .resident_bytes = after->resident_bytes};
}

static uint64_t thread_time(const struct trial_status *status, const char *name)
{
    for (uint32_t i = 0; i < status->thread_count; i++) {
        if (strcmp(status->threads[i].name, name) == 0) {
            return status->threads[i].cpu_us;
        }
    }
    return 0;
}

static int by_time(const void *a, const void *b)
{
    double x = ((const struct bench_thread *)a)->cpu_us_per_transaction;
    double y = ((const struct bench_thread *)b)->cpu_us_per_transaction;

    return (x < y) - (x > y);
}

/* The first replica that answered, of which there is one. */
static uint32_t first_answered(const struct bench_figures *figures)
{
    uint32_t i = 0;

    while (i < TRIAL_REPLICAS_MAX - 1 && !figures->processes[i].has_answered) {
        i++;
    }
    return i;
}

/* The names of one replica: all run the same program. */
static void compute_threads(const struct bench *bench,
                            struct bench_figures *out)
{
    const struct trial_status *names =
        &bench->after.replicas[first_answered(out)];

    for (uint32_t t = 0; t < names->thread_count; t++) {
        struct bench_thread *thread = &out->threads[t];
        uint64_t sum = 0;
        for (uint32_t i = 0; i < bench->trial.count; i++) {
            const char *name = names->threads[t].name;
            if (out->processes[i].has_answered) {
                sum += growth(thread_time(&bench->before.replicas[i], name),
                              thread_time(&bench->after.replicas[i], name));
            }
        }
        memcpy(thread->name, names->threads[t].name, sizeof(thread->name));
        thread->cpu_us_per_transaction =
            (double)sum / out->answered / (double)out->transactions;
    }
    out->thread_count = names->thread_count;
    qsort(out->threads, out->thread_count, sizeof(out->threads[0]), by_time);
}

static void compute_latency(const struct load_report *load,
                            struct bench_figures *out)
{
    for (size_t i = 0; i < 5; i++) {
        out->latency_ms[i] =
            (double)histogram_permille(&load->latency, bench_permille[i]) /
            1000.0;
    }
    out->latency_max_ms = (double)load->latency.max_us / 1000.0;
    out->longest_pause_ms = (double)load->longest_pause_us / 1000.0;
}

/* What the replicas needed for a transaction, on average. Of those that did not
 * answer nothing is known: they are in no sum and in no number. */
static void compute_shares(const struct bench *bench, struct bench_figures *out)
{
    const double transactions = (double)out->transactions;
    const double n = out->answered;
    const uint32_t one = first_answered(out);
    uint64_t blocks = growth(bench->before.replicas[one].executed,
                             bench->after.replicas[one].executed);
    struct bench_process sum = {0};

    for (uint32_t i = 0; i < bench->trial.count; i++) {
        sum.cpu_seconds += out->processes[i].cpu_seconds;
        sum.sent_bytes += out->processes[i].sent_bytes;
        sum.client_bytes += out->processes[i].client_bytes;
        sum.written_bytes += out->processes[i].written_bytes;
        sum.disk_bytes += out->processes[i].disk_bytes;
        sum.syncs += out->processes[i].syncs;
    }
    out->syncs_per_second = (double)sum.syncs / n / out->seconds;
    out->cpu_us_per_transaction = sum.cpu_seconds * 1e6 / transactions;
    out->sent_bytes_per_transaction = (double)sum.sent_bytes / transactions;
    out->client_bytes_per_transaction = (double)sum.client_bytes / transactions;
    out->written_bytes_per_transaction =
        (double)sum.written_bytes / n / transactions;
    out->disk_bytes_per_transaction = (double)sum.disk_bytes / n / transactions;
    out->syncs_per_transaction = (double)sum.syncs / n / transactions;
    out->transactions_per_block =
        blocks > 0 ? transactions / (double)blocks : 0;
}

/* What the load saw and needed itself. */
static void compute_rates(const struct bench *bench, struct bench_figures *out)
{
    out->transactions_per_second = (double)out->transactions / out->seconds;
    out->requests_per_second =
        (double)growth(bench->before.requests, bench->after.requests) /
        out->seconds;
    out->client_cpu_us_per_transaction =
        out->client_cpu_seconds * 1e6 / (double)out->transactions;
}

void bench_figures_compute(const struct bench *bench, struct bench_figures *out)
{
    const struct load_report *load = &bench->load;

    memset(out, 0, sizeof(*out));
    out->seconds = (double)load->elapsed_us / 1e6;
    out->transactions = load->transactions;
    out->refused = load->refused;
    out->failed = load->failed;
    out->late = load->late;
    out->unstarted = load->unstarted;
    bench_fault_figures(&bench->fault, load, &out->fault);
    out->client_cpu_seconds = (double)growth(bench->before.client_cpu_us,
                                             bench->after.client_cpu_us) /
                              1e6;
    for (uint32_t i = 0; i < bench->trial.count; i++) {
        if (bench->before.has_answered[i] && bench->after.has_answered[i]) {
            compute_process(&bench->before.replicas[i],
                            &bench->after.replicas[i], &out->processes[i]);
            out->answered++;
        }
    }
    compute_latency(load, out);
    if (load->elapsed_us == 0 || load->transactions == 0) {
        return;
    }
    compute_rates(bench, out);
    if (out->answered > 0) {
        compute_shares(bench, out);
        compute_threads(bench, out);
    }
}
