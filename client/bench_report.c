/* SPDX-License-Identifier: Apache-2.0 */
/* Figures out of counters. */
#include "client/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct figures {
    double seconds;
    double transactions_per_second;
    double requests_per_second;
    double syncs_per_second; /* Of one replica, on average. */
    double cpu_seconds[TRIAL_REPLICAS_MAX];
    double client_cpu_seconds;
    double cpu_us_per_transaction; /* All replicas together. */
    double sent_bytes_per_transaction;
    double disk_bytes_per_transaction; /* Of one replica. */
    double transactions_per_block;
};

static void compute(const struct bench *bench, struct figures *out)
{
    uint64_t syncs = 0;
    uint64_t cpu = 0;
    uint64_t sent = 0;
    uint64_t disk = 0;
    uint64_t blocks = bench->after[0].executed - bench->before[0].executed;
    uint32_t n = bench->trial.count;

    memset(out, 0, sizeof(*out));
    out->seconds = (double)bench->load.elapsed_us / 1e6;
    for (uint32_t i = 0; i < n; i++) {
        const struct trial_status *a = &bench->before[i];
        const struct trial_status *b = &bench->after[i];
        out->cpu_seconds[i] = (double)(b->cpu_us - a->cpu_us) / 1e6;
        syncs += b->syncs - a->syncs;
        cpu += b->cpu_us - a->cpu_us;
        sent += b->bytes_sent - a->bytes_sent;
        disk +=
            b->disk_bytes > a->disk_bytes ? b->disk_bytes - a->disk_bytes : 0;
    }
    out->client_cpu_seconds =
        (double)(bench->client_cpu_us[1] - bench->client_cpu_us[0]) / 1e6;
    if (bench->load.elapsed_us == 0 || bench->load.transactions == 0) {
        return;
    }
    double transactions = (double)bench->load.transactions;
    out->transactions_per_second = transactions / out->seconds;
    out->requests_per_second =
        (double)(bench->requests[1] - bench->requests[0]) / out->seconds;
    out->syncs_per_second = (double)syncs / n / out->seconds;
    out->cpu_us_per_transaction = (double)cpu / transactions;
    out->sent_bytes_per_transaction = (double)sent / transactions;
    out->disk_bytes_per_transaction = (double)disk / n / transactions;
    out->transactions_per_block =
        blocks > 0 ? transactions / (double)blocks : 0;
}

static double permille_ms(const struct bench *bench, uint32_t permille)
{
    return (double)histogram_permille(&bench->load.latency, permille) / 1000.0;
}

static const char *sync_mode(const struct bench *bench)
{
    return bench->trial.no_sync ? "UNSAFE: off" : "before every vote";
}

static void print_conditions(const struct bench *bench, const struct figures *f)
{
    (void)printf("conditions\n"
                 "  replicas                  %u (f = %u), %s\n"
                 "  transactions              RECORD_ANCHOR of %u bytes\n"
                 "  transactions per request  %u%s\n"
                 "  submitters                %u, closed loop\n"
                 "  window                    %u blocks under way at once\n"
                 "  TLS                       %s\n"
                 "  signatures                clients and replicas, Ed25519\n"
                 "  synced writes             %s\n"
                 "  measured                  %.1f s after %.1f s of warm-up\n",
                 bench->replicas, (bench->replicas - 1) / 3,
                 bench->config != NULL || bench->genesis != NULL
                     ? "running before, where the genesis says"
                     : "on this machine, with the load",
                 bench->payload, bench->per_request,
                 bench->coalesce ? " at most, coalesced" : "",
                 bench->submitters, bench->window,
                 bench->trial.plain_tcp ? "UNSAFE: off" : "mutual, everywhere",
                 sync_mode(bench), f->seconds, bench->warm_up_ms / 1000.0);
}

static void print_results(const struct bench *bench, const struct figures *f)
{
    (void)printf("results\n"
                 "  transactions/s            %.0f\n"
                 "  requests/s                %.0f\n"
                 "  latency p50               %.2f ms\n"
                 "  latency p95               %.2f ms\n"
                 "  latency p99               %.2f ms\n"
                 "  latency p99.9             %.2f ms\n"
                 "  synced writes/s           %.0f per replica\n"
                 "  CPU of replicas          ",
                 f->transactions_per_second, f->requests_per_second,
                 permille_ms(bench, 500), permille_ms(bench, 950),
                 permille_ms(bench, 990), permille_ms(bench, 999),
                 f->syncs_per_second);
    for (uint32_t i = 0; i < bench->trial.count; i++) {
        (void)printf(" %.2f", f->cpu_seconds[i]);
    }
    (void)printf(" s\n"
                 "  CPU of the load           %.2f s\n"
                 "  CPU per transaction       %.1f us, all replicas together\n"
                 "  transactions per block    %.1f\n"
                 "  sent per transaction      %.0f bytes, all replicas\n"
                 "  disk per transaction      %.0f bytes per replica, so far\n"
                 "  refused / not proved      %" PRIu64 " / %" PRIu64 "\n",
                 f->client_cpu_seconds, f->cpu_us_per_transaction,
                 f->transactions_per_block, f->sent_bytes_per_transaction,
                 f->disk_bytes_per_transaction, bench->load.refused,
                 bench->load.failed);
}

static void print_json_conditions(const struct bench *bench,
                                  const struct figures *f)
{
    (void)printf(
        "{\"replicas\":%u,\"faults_tolerated\":%u,\"payload_bytes\":%u,"
        "\"transactions_per_request\":%u,\"coalesced\":%s,\"clients\":%u,"
        "\"window\":%u,"
        "\"tls\":%s,\"client_signatures\":true,\"replica_signatures\":true,"
        "\"synced_writes\":%s,\"duration_seconds\":%.3f,"
        "\"warm_up_seconds\":%.3f,",
        bench->replicas, (bench->replicas - 1) / 3, bench->payload,
        bench->per_request, bench->coalesce ? "true" : "false",
        bench->submitters, bench->window,
        bench->trial.plain_tcp ? "false" : "true",
        bench->trial.no_sync ? "false" : "true", f->seconds,
        bench->warm_up_ms / 1000.0);
}

static void print_json_results(const struct bench *bench,
                               const struct figures *f)
{
    (void)printf("\"transactions_per_second\":%.1f,"
                 "\"requests_per_second\":%.1f,\"latency_p50_ms\":%.3f,"
                 "\"latency_p95_ms\":%.3f,\"latency_p99_ms\":%.3f,"
                 "\"latency_p999_ms\":%.3f,\"syncs_per_second\":%.1f,"
                 "\"replica_cpu_seconds\":[",
                 f->transactions_per_second, f->requests_per_second,
                 permille_ms(bench, 500), permille_ms(bench, 950),
                 permille_ms(bench, 990), permille_ms(bench, 999),
                 f->syncs_per_second);
    for (uint32_t i = 0; i < bench->trial.count; i++) {
        (void)printf("%s%.3f", i == 0 ? "" : ",", f->cpu_seconds[i]);
    }
    (void)printf("],\"client_cpu_seconds\":%.3f,"
                 "\"cpu_microseconds_per_transaction\":%.2f,"
                 "\"sent_bytes_per_transaction\":%.1f,"
                 "\"disk_bytes_per_transaction\":%.1f,"
                 "\"transactions_per_block\":%.1f,"
                 "\"transactions\":%" PRIu64 ",\"refused\":%" PRIu64
                 ",\"failed\":%" PRIu64 "}\n",
                 f->client_cpu_seconds, f->cpu_us_per_transaction,
                 f->sent_bytes_per_transaction, f->disk_bytes_per_transaction,
                 f->transactions_per_block, bench->load.transactions,
                 bench->load.refused, bench->load.failed);
}

void bench_print_table(const struct bench *bench)
{
    struct figures figures;

    compute(bench, &figures);
    print_conditions(bench, &figures);
    print_results(bench, &figures);
}

void bench_print_json(const struct bench *bench)
{
    struct figures figures;

    compute(bench, &figures);
    print_json_conditions(bench, &figures);
    print_json_results(bench, &figures);
}
