/* SPDX-License-Identifier: Apache-2.0 */
/* One result, for people. */
#include <inttypes.h>

#include "client/bench_fault.h"

#define MEBIBYTE 1048576.0
#define THREADS_SHOWN 8

static void print_conditions(const struct bench_result *result)
{
    const struct bench_setup *setup = &result->setup;
    const struct bench_machine *machine = &result->machine;

    (void)printf("conditions\n"
                 "  machine                   %u cores, %s\n"
                 "  system                    Linux %s, data on %s, load "
                 "average before %.2f\n"
                 "  replicas                  %u (f = %u), %s\n"
                 "  transactions              RECORD_ANCHOR of %u bytes\n"
                 "  transactions per request  %u%s\n",
                 machine->cores, machine->processor, machine->kernel,
                 machine->file_system, machine->load_before, setup->replicas,
                 (setup->replicas - 1) / 3,
                 setup->config != NULL || setup->genesis != NULL
                     ? "running before, where the genesis says"
                     : "on this machine, with the load",
                 setup->payload, setup->per_request,
                 setup->coalesce ? " at most, coalesced" : "");
    if (setup->config == NULL && setup->genesis == NULL) {
        (void)printf("  threads                   the load's take turns, a "
                     "replica's from an eighth of all processors on\n");
    }
    if (setup->rate > 0) {
        (void)printf("  submitters                open loop, %u transactions/s,"
                     " at most %u submissions under way\n",
                     setup->rate, setup->submitters);
    } else {
        (void)printf("  submitters                %u, closed loop\n",
                     setup->submitters);
    }
    (void)printf("  window                    %u blocks under way at once\n"
                 "  TLS                       %s\n"
                 "  signatures                clients and replicas, Ed25519\n"
                 "  synced writes             %s\n"
                 "  measured                  %.1f s after %.1f s of warm-up\n",
                 setup->window,
                 setup->no_tls ? "UNSAFE: off" : "mutual, everywhere",
                 setup->no_sync ? "UNSAFE: off" : "before every vote",
                 result->figures.seconds, setup->warm_up_ms / 1000.0);
}

static void print_latency(const struct bench_figures *f)
{
    static const char *const names[] = {"p50", "p90", "p95", "p99", "p99.9"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)printf("  latency %-5s             %.2f ms%s\n", names[i],
                     f->latency_ms[i],
                     i == 0 ? ", from when a submission was due" : "");
    }
    (void)printf("  latency max               %.2f ms\n"
                 "  longest pause             %.2f ms without a proof\n",
                 f->latency_max_ms, f->longest_pause_ms);
}

static void print_results(const struct bench_result *result)
{
    const struct bench_figures *f = &result->figures;

    (void)printf("results\n"
                 "  transactions/s            %.0f",
                 f->transactions_per_second);
    if (result->runs > 1) {
        (void)printf(", the median of %u runs, %.0f to %.0f", result->runs,
                     result->lowest, result->highest);
    }
    (void)printf("\n"
                 "  requests/s                %.0f\n",
                 f->requests_per_second);
    print_latency(f);
    (void)printf("  transactions per block    %.1f\n"
                 "  refused / not proved      %" PRIu64 " / %" PRIu64 "\n",
                 f->transactions_per_block, f->refused, f->failed);
    if (result->setup.rate > 0) {
        (void)printf("  late                      %" PRIu64
                     " submissions waited for a free submitter\n"
                     "  never started             %" PRIu64
                     " submissions, all were busy to the end; in the latency "
                     "up to then\n",
                     f->late, f->unstarted);
    }
}

static void print_shares(const struct bench_result *result)
{
    const struct bench_figures *f = &result->figures;

    if (f->answered < result->setup.replicas) {
        (void)printf("for each transaction, the %u replicas that answered at "
                     "begin and end\n",
                     f->answered);
    } else {
        (void)printf("for each transaction\n");
    }
    (void)printf("  CPU                       %.1f us by all replicas, %.1f us "
                 "by the load\n"
                 "  sent                      %.0f bytes by all replicas, %.0f "
                 "by the load, before TLS\n"
                 "  written                   %.0f bytes to its disk by a "
                 "replica; its folder grew by %.0f\n"
                 "  synced writes             %.4f by a replica (%.0f/s)\n",
                 f->cpu_us_per_transaction, f->client_cpu_us_per_transaction,
                 f->sent_bytes_per_transaction, f->client_bytes_per_transaction,
                 f->written_bytes_per_transaction,
                 f->disk_bytes_per_transaction, f->syncs_per_transaction,
                 f->syncs_per_second);
}

static void print_processes(const struct bench_result *result)
{
    (void)printf("processes        CPU s   sent MiB  written MiB  folder MiB  "
                 "    syncs   memory MiB\n");
    for (uint32_t i = 0; i < result->setup.replicas; i++) {
        const struct bench_process *p = &result->figures.processes[i];
        if (!p->has_answered) {
            (void)printf("  replica %-2u  %9s  %9s  %11s  %10s  %9s  %11s\n", i,
                         "-", "-", "-", "-", "-", "-");
            continue;
        }
        (void)printf("  replica %-2u  %9.2f  %9.1f  %11.1f  %10.1f  %9" PRIu64
                     "  %11.1f\n",
                     i, p->cpu_seconds, (double)p->sent_bytes / MEBIBYTE,
                     (double)p->written_bytes / MEBIBYTE,
                     (double)p->disk_bytes / MEBIBYTE, p->syncs,
                     (double)p->resident_bytes / MEBIBYTE);
    }
    (void)printf("  the load    %9.2f\n", result->figures.client_cpu_seconds);
}

static void print_threads(const struct bench_figures *f)
{
    (void)printf("threads of a replica, CPU per transaction\n");
    for (uint32_t i = 0; i < f->thread_count && i < THREADS_SHOWN; i++) {
        (void)printf("  %-16s %11.2f us\n", f->threads[i].name,
                     f->threads[i].cpu_us_per_transaction);
    }
}

static void print_fault(const struct bench_fault_result *fault)
{
    (void)printf("fault: %s\n", bench_fault_text(fault->fault));
    if (fault->fault != BENCH_FAULT_FLOOD) {
        (void)printf("  replica                   %u\n", fault->replica);
    }
    (void)printf("  before, after             %.0f, %.0f transactions/s: %.0f "
                 "%%\n"
                 "  longest gap               %.0f ms without a proof\n",
                 fault->before, fault->after,
                 fault->before > 0 ? 100 * fault->after / fault->before : 0,
                 fault->gap_ms);
    if (fault->is_back) {
        (void)printf("  80 %% of the rate before   after %.0f ms\n",
                     fault->back_ms);
    } else {
        (void)printf("  80 %% of the rate before   not reached\n");
    }
}

void bench_print_table(const struct bench_result *result)
{
    print_conditions(result);
    print_results(result);
    print_shares(result);
    if (result->setup.fault != BENCH_FAULT_NONE) {
        print_fault(&result->figures.fault);
    }
    print_processes(result);
    print_threads(&result->figures);
}
