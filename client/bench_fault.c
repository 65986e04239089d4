/* SPDX-License-Identifier: Apache-2.0 */
/* Faults in the middle of a benchmark, and what they did to throughput. */
#include "client/bench_fault.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/turns.h"

#define STOPPED_MS 1000 /* The slow backup: stopped so long, */
#define RUNNING_MS 250  /* then it may run so long. */
#define SETTLE_MS 500   /* After a fault: neither before nor after it. */
#define BACK_SHARE 0.8  /* "Back": so much of the rate before, */
#define BACK_MS 1000    /* over so long. */
#define FLOOD_SUBMITTERS "4096"
#define NUMBER_SIZE 24

extern char **environ;

static const struct {
    const char *name;
    const char *text;
} faults[] = {
    [BENCH_FAULT_NONE] = {"none", "none"},
    [BENCH_FAULT_DEAD_BACKUP] = {"dead-backup", "one backup is killed"},
    [BENCH_FAULT_SLOW_BACKUP] =
        {"slow-backup", "one backup is stopped for 1 s, runs for 0.25 s, and "
                        "so on"},
    [BENCH_FAULT_FLOOD] =
        {"flood", "one more client submits single transactions as fast as its "
                  "window allows; its institution counts for nothing else"},
    [BENCH_FAULT_KILL_PRIMARY] = {"kill-primary", "the primary is killed"},
};

#define FAULT_COUNT (sizeof(faults) / sizeof(faults[0]))

bool bench_fault_parse(enum bench_fault *out, const char *name)
{
    for (size_t i = BENCH_FAULT_NONE + 1; i < FAULT_COUNT; i++) {
        if (strcmp(faults[i].name, name) == 0) {
            *out = (enum bench_fault)i;
            return true;
        }
    }
    return false;
}

const char *bench_fault_name(enum bench_fault fault)
{
    return faults[fault].name;
}

const char *bench_fault_text(enum bench_fault fault)
{
    return faults[fault].text;
}

/* ---- doing it ------------------------------------------------------------ */

static uint32_t find_primary(struct trial *trial)
{
    struct trial_status status;

    for (uint32_t i = 0; i < trial->count; i++) {
        if (trial_ask(trial, i, &status)) {
            return status.primary % trial->count;
        }
    }
    return 0;
}

/* The client of the last institution, in a process of its own. */
static void flood(struct bench_fault_run *run, uint64_t elapsed_ms)
{
    char config[REPLICAS_PATH_MAX];
    char duration[NUMBER_SIZE];
    uint64_t left_ms = run->duration_ms - elapsed_ms;
    const char *argv[] = {
        "salus",     "bench",
        "--config",  config,
        "--clients", FLOOD_SUBMITTERS,
        "--warm-up", "1ms",
        "--json",    "--transactions-per-request",
        "1",         "--duration",
        duration,    run->trial->plain_tcp ? "--no-tls" : NULL,
        NULL};
    posix_spawn_file_actions_t files;

    (void)snprintf(config, sizeof(config), "%.256s/client-%u.yaml",
                   run->trial->replicas.folder, run->trial->client_count - 1);
    (void)snprintf(duration, sizeof(duration), "%llums",
                   (unsigned long long)left_ms);
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null",
                                           O_WRONLY, 0);
    (void)posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null",
                                           O_WRONLY, 0);
    net_take_turns(false); /* The flood is to begin as anybody would. */
    if (posix_spawn(&run->flood, "/proc/self/exe", &files, NULL,
                    (char *const *)argv, environ) != 0) {
        (void)fprintf(stderr, "salus bench: the flood cannot be started\n");
        run->flood = 0;
    }
    net_take_turns(true);
    (void)posix_spawn_file_actions_destroy(&files);
}

static void set_stopped(struct bench_fault_run *run, bool is_stopped,
                        uint64_t elapsed_ms)
{
    pid_t pid = run->trial->replicas.pids[run->replica];

    if (pid > 0) {
        (void)kill(pid, is_stopped ? SIGSTOP : SIGCONT);
    }
    run->is_stopped = is_stopped;
    run->changed_ms = elapsed_ms;
}

static void begin(struct bench_fault_run *run, uint64_t elapsed_ms)
{
    uint32_t primary = find_primary(run->trial);

    run->has_begun = true;
    run->replica = primary;
    if (run->fault == BENCH_FAULT_DEAD_BACKUP ||
        run->fault == BENCH_FAULT_SLOW_BACKUP) {
        run->replica = (primary + run->trial->count / 2) % run->trial->count;
    }
    if (run->fault == BENCH_FAULT_FLOOD) {
        flood(run, elapsed_ms);
    } else if (run->fault == BENCH_FAULT_SLOW_BACKUP) {
        set_stopped(run, true, elapsed_ms);
    } else {
        replicas_kill(&run->trial->replicas, run->replica);
    }
}

void bench_fault_tick(struct bench_fault_run *run, uint64_t elapsed_ms)
{
    if (run->fault == BENCH_FAULT_NONE || elapsed_ms < run->at_ms) {
        return;
    }
    if (!run->has_begun) {
        begin(run, elapsed_ms);
    } else if (run->fault == BENCH_FAULT_SLOW_BACKUP &&
               elapsed_ms - run->changed_ms >=
                   (run->is_stopped ? STOPPED_MS : RUNNING_MS)) {
        set_stopped(run, !run->is_stopped, elapsed_ms);
    }
}

void bench_fault_end(struct bench_fault_run *run)
{
    if (run->fault == BENCH_FAULT_SLOW_BACKUP && run->is_stopped) {
        set_stopped(run, false, run->changed_ms);
    }
    if (run->flood > 0) {
        (void)kill(run->flood, SIGKILL);
        (void)waitpid(run->flood, NULL, 0);
        run->flood = 0;
    }
}

/* ---- what it did --------------------------------------------------------- */

/* Transactions a second in [from, to), whole slots. */
static double rate(const struct load_report *load, uint64_t from_ms,
                   uint64_t to_ms)
{
    uint64_t first = from_ms / LOAD_SLOT_MS;
    uint64_t last = to_ms / LOAD_SLOT_MS;
    uint64_t sum = 0;

    for (uint64_t i = first; i < last && i < LOAD_SLOTS_MAX; i++) {
        sum += load->slots[i];
    }
    return last > first
               ? (double)sum * 1000 / ((double)(last - first) * LOAD_SLOT_MS)
               : 0;
}

/* The longest run of slots without a proof from the fault on. */
static uint64_t longest_gap_ms(const struct load_report *load, uint64_t from_ms,
                               uint64_t to_ms)
{
    uint64_t longest = 0;
    uint64_t empty = 0;

    for (uint64_t i = from_ms / LOAD_SLOT_MS;
         i < to_ms / LOAD_SLOT_MS && i < LOAD_SLOTS_MAX; i++) {
        empty = load->slots[i] == 0 ? empty + 1 : 0;
        longest = empty > longest ? empty : longest;
    }
    return longest * LOAD_SLOT_MS;
}

/* From when on the rate of a second is near the one before; `to_ms`: never. */
static uint64_t back_at(const struct load_report *load, double before,
                        uint64_t from_ms, uint64_t to_ms)
{
    for (uint64_t at = from_ms; at + BACK_MS <= to_ms; at += LOAD_SLOT_MS) {
        if (rate(load, at, at + BACK_MS) >= BACK_SHARE * before) {
            return at;
        }
    }
    return to_ms;
}

void bench_fault_figures(const struct bench_fault_run *run,
                         const struct load_report *load,
                         struct bench_fault_result *out)
{
    uint64_t end_ms = load->elapsed_us / 1000;
    uint64_t from_ms = run->at_ms + SETTLE_MS;

    *out = (struct bench_fault_result){.fault = run->fault,
                                       .replica = run->replica};
    if (!run->has_begun) {
        return;
    }
    out->before = rate(load, 0, run->at_ms);
    out->gap_ms = (double)longest_gap_ms(load, run->at_ms, end_ms);
    uint64_t back_ms = back_at(load, out->before, from_ms, end_ms);
    out->is_back = back_ms < end_ms;
    out->back_ms = (double)(back_ms - run->at_ms);
    /* A dead primary stands still first: that is the gap. */
    if (run->fault == BENCH_FAULT_KILL_PRIMARY && out->is_back) {
        from_ms = back_ms;
    }
    out->after = rate(load, from_ms, end_ms);
}
