/* SPDX-License-Identifier: Apache-2.0 */
/* One result, for programs. */
#include <jansson.h>

#include "client/bench.h"
#include "client/bench_fault.h"
#include "client/bench_limits.h"

#define DIGITS 8

static void put_number(json_t *to, const char *key, double value)
{
    (void)json_object_set_new(to, key, json_real(value));
}

static void put_count(json_t *to, const char *key, uint64_t value)
{
    (void)json_object_set_new(to, key, json_integer((json_int_t)value));
}

static void put_flag(json_t *to, const char *key, bool value)
{
    (void)json_object_set_new(to, key, json_boolean(value));
}

static void put_conditions(json_t *to, const struct bench_result *result)
{
    const struct bench_setup *setup = &result->setup;
    const struct bench_machine *machine = &result->machine;

    put_count(to, "replicas", setup->replicas);
    put_count(to, "faults_tolerated", (setup->replicas - 1) / 3);
    put_count(to, "payload_bytes", setup->payload);
    put_count(to, "transactions_per_request", setup->per_request);
    put_flag(to, "coalesced", setup->coalesce);
    put_count(to, "clients", setup->submitters);
    put_flag(to, "open_loop", setup->rate > 0);
    put_count(to, "offered_transactions_per_second", setup->rate);
    put_count(to, "window", setup->window);
    put_flag(to, "tls", !setup->no_tls);
    put_flag(to, "client_signatures", true);
    put_flag(to, "replica_signatures", true);
    put_flag(to, "synced_writes", !setup->no_sync);
    put_number(to, "duration_seconds", result->figures.seconds);
    put_number(to, "asked_duration_seconds", setup->duration_ms / 1000.0);
    put_number(to, "warm_up_seconds", setup->warm_up_ms / 1000.0);
    put_count(to, "cores", machine->cores);
    (void)json_object_set_new(to, "processor", json_string(machine->processor));
    (void)json_object_set_new(to, "kernel", json_string(machine->kernel));
    (void)json_object_set_new(to, "file_system",
                              json_string(machine->file_system));
    put_number(to, "load_average_before", machine->load_before);
    put_count(to, "runs", result->runs);
}

static void put_results(json_t *to, const struct bench_result *result)
{
    const struct bench_figures *f = &result->figures;

    put_number(to, "transactions_per_second", f->transactions_per_second);
    put_number(to, "transactions_per_second_lowest", result->lowest);
    put_number(to, "transactions_per_second_highest", result->highest);
    put_number(to, "requests_per_second", f->requests_per_second);
    for (size_t i = 0; i < 5; i++) {
        put_number(to, bench_permille_keys[i], f->latency_ms[i]);
    }
    put_number(to, "latency_max_ms", f->latency_max_ms);
    put_number(to, "longest_pause_ms", f->longest_pause_ms);
    put_number(to, "syncs_per_second", f->syncs_per_second);
    put_number(to, "client_cpu_seconds", f->client_cpu_seconds);
    put_number(to, "cpu_microseconds_per_transaction",
               f->cpu_us_per_transaction);
    put_number(to, "client_cpu_microseconds_per_transaction",
               f->client_cpu_us_per_transaction);
    put_number(to, "sent_bytes_per_transaction", f->sent_bytes_per_transaction);
    put_number(to, "client_bytes_per_transaction",
               f->client_bytes_per_transaction);
    put_number(to, "written_bytes_per_transaction",
               f->written_bytes_per_transaction);
    put_number(to, "disk_bytes_per_transaction", f->disk_bytes_per_transaction);
    put_number(to, "syncs_per_transaction", f->syncs_per_transaction);
    put_number(to, "transactions_per_block", f->transactions_per_block);
    put_count(to, "transactions", f->transactions);
    put_count(to, "refused", f->refused);
    put_count(to, "failed", f->failed);
    put_count(to, "late_submissions", f->late);
    put_count(to, "unstarted_submissions", f->unstarted);
}

static void put_fault(json_t *to, const struct bench_fault_result *fault)
{
    (void)json_object_set_new(to, "fault",
                              json_string(bench_fault_name(fault->fault)));
    if (fault->fault != BENCH_FAULT_FLOOD) {
        put_count(to, "fault_replica", fault->replica);
    }
    put_number(to, "fault_transactions_per_second_before", fault->before);
    put_number(to, "fault_transactions_per_second_after", fault->after);
    put_number(to, "fault_longest_gap_ms", fault->gap_ms);
    put_flag(to, "fault_is_back", fault->is_back);
    put_number(to, "fault_back_after_ms", fault->back_ms);
}

static void put_process(json_t *to, const struct bench_process *process)
{
    put_number(to, "cpu_seconds", process->cpu_seconds);
    put_count(to, "sent_bytes", process->sent_bytes);
    put_count(to, "client_bytes", process->client_bytes);
    put_count(to, "written_bytes", process->written_bytes);
    put_count(to, "disk_bytes", process->disk_bytes);
    put_count(to, "syncs", process->syncs);
    put_count(to, "resident_bytes", process->resident_bytes);
}

static void put_processes(json_t *to, const struct bench_result *result)
{
    json_t *seconds = json_array();
    json_t *list = json_array();

    for (uint32_t i = 0; i < result->setup.replicas; i++) {
        const struct bench_process *process = &result->figures.processes[i];
        json_t *one = json_object();
        put_count(one, "replica", i);
        put_flag(one, "answered", process->has_answered);
        if (process->has_answered) { /* Else nothing is known. */
            put_process(one, process);
        }
        (void)json_array_append_new(
            seconds, process->has_answered ? json_real(process->cpu_seconds)
                                           : json_null());
        (void)json_array_append_new(list, one);
    }
    (void)json_object_set_new(to, "replica_cpu_seconds", seconds);
    (void)json_object_set_new(to, "processes", list);
}

static void put_threads(json_t *to, const struct bench_figures *f)
{
    json_t *threads = json_object();

    for (uint32_t i = 0; i < f->thread_count; i++) {
        put_number(threads, f->threads[i].name,
                   f->threads[i].cpu_us_per_transaction);
    }
    (void)json_object_set_new(
        to, "thread_microseconds_per_transaction_and_replica", threads);
}

static void put_bound(json_t *to, const struct bench_bound *bound)
{
    put_number(to, "bound_transactions_per_second",
               bound->transactions_per_second);
    put_number(to, "bound_share", bound->share);
    put_number(to, "bound_microseconds_per_transaction",
               bound->us_per_transaction);
    put_number(to, "full_block_transactions", bound->full_block);
    put_number(to, "full_block_bound_transactions_per_second",
               bound->full_transactions_per_second);
    put_number(to, "full_block_bound_share", bound->full_share);
}

void bench_print_json(const struct bench_result *result,
                      const struct bench_bound *bound, FILE *out)
{
    json_t *json = json_object();

    put_conditions(json, result);
    put_results(json, result);
    if (result->setup.fault != BENCH_FAULT_NONE) {
        put_fault(json, &result->figures.fault);
    }
    put_processes(json, result);
    put_threads(json, &result->figures);
    if (bound != NULL) {
        put_bound(json, bound);
    }
    (void)json_dumpf(json, out, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
    json_decref(json);
}
