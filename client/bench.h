/* SPDX-License-Identifier: Apache-2.0 */
/* Benchmarks of a consortium of real processes: the conditions of a run, what
 * was measured, and how it is told.
 */
#ifndef CLIENT_BENCH_H
#define CLIENT_BENCH_H

#include <stdatomic.h>
#include <stdio.h>

#include "client/trial.h"

#define BENCH_LIST_MAX 8  /* Values of one axis of the matrix. */
#define BENCH_RUNS_MAX 64 /* Of a file, of a matrix. */
#define BENCH_MACHINE_TEXT_SIZE 96
#define BENCH_FILE_BYTES_MAX 4194304u /* Of a file of earlier results. */

/* What goes wrong in the middle of a run. */
enum bench_fault {
    BENCH_FAULT_NONE,
    BENCH_FAULT_DEAD_BACKUP,
    BENCH_FAULT_SLOW_BACKUP,
    BENCH_FAULT_FLOOD,
    BENCH_FAULT_KILL_PRIMARY
};

/* Conditions of one run. */
struct bench_setup {
    const char *config;  /* Of a running consortium; NULL: none. */
    const char *genesis; /* The same. */
    uint32_t replicas;
    uint32_t payload;
    uint32_t per_request;
    uint32_t submitters;
    uint32_t rate; /* Transactions a second, open loop; 0: closed loop. */
    uint32_t duration_ms;
    uint32_t warm_up_ms;
    uint32_t window;         /* Blocks under way at once, by the genesis. */
    uint32_t batch_requests; /* At most in a block, the same. */
    uint32_t batch_bytes;
    enum bench_fault fault;
    bool coalesce; /* Submissions of one; libsalus puts them together. */
    bool no_tls;
    bool no_sync;
};

/* What one replica used up within the measurement. Bytes of messages are those
 * before TLS. */
struct bench_process {
    bool has_answered; /* At its begin and its end; else nothing is known. */
    double cpu_seconds;
    uint64_t sent_bytes;    /* To replicas and clients. */
    uint64_t client_bytes;  /* From clients. */
    uint64_t written_bytes; /* To its disk. */
    uint64_t disk_bytes;    /* Growth of its data folder. */
    uint64_t syncs;
    uint64_t resident_bytes; /* At the end. */
};

struct bench_thread {
    char name[TRIAL_THREAD_NAME_SIZE];
    double cpu_us_per_transaction; /* Of one replica, on average. */
};

struct bench_fault_result {
    enum bench_fault fault;
    uint32_t replica; /* That it concerned. */
    double before;    /* Transactions a second. */
    double after;     /* The same; of a dead primary: since it is back. */
    double gap_ms;    /* The longest time without a proof, since the fault. */
    double back_ms;   /* From the fault until 80 % of the rate before. */
    bool is_back;     /* It came to that. */
};

struct bench_figures {
    double seconds;
    double transactions_per_second;
    double requests_per_second;
    double latency_ms[5]; /* By bench_permille. */
    double latency_max_ms;
    double longest_pause_ms; /* Without a proof. */
    struct bench_process processes[TRIAL_REPLICAS_MAX];
    struct bench_thread threads[TRIAL_THREADS_MAX]; /* The largest first. */
    uint32_t thread_count;
    uint32_t answered; /* Replicas, at the begin and at the end. */
    double client_cpu_seconds;
    double syncs_per_second;       /* Of one replica, on average. */
    double cpu_us_per_transaction; /* All that answered together. */
    double client_cpu_us_per_transaction;
    double sent_bytes_per_transaction;    /* All that answered together. */
    double client_bytes_per_transaction;  /* From the load. */
    double written_bytes_per_transaction; /* Of one replica. */
    double disk_bytes_per_transaction;    /* The same: what is left of it. */
    double syncs_per_transaction;         /* Of one replica. */
    double transactions_per_block;
    uint64_t transactions;
    uint64_t refused;
    uint64_t failed;
    uint64_t late;      /* Open loop: submitted after their time, all busy. */
    uint64_t unstarted; /* Open loop: never submitted, all busy to the end. */
    struct bench_fault_result fault;
};

/* 500, 900, 950, 990, 999 and their names in JSON. */
extern const uint32_t bench_permille[5];
extern const char *const bench_permille_keys[5];

/* Where it ran. */
struct bench_machine {
    char processor[BENCH_MACHINE_TEXT_SIZE];
    char kernel[BENCH_MACHINE_TEXT_SIZE];
    char file_system[BENCH_MACHINE_TEXT_SIZE]; /* Of the data folders. */
    uint32_t cores;
    double load_before; /* Load average of a minute when the run began. */
};

struct bench_result {
    struct bench_setup setup;
    struct bench_machine machine;
    struct bench_figures figures;
    double lowest;  /* Transactions a second of all runs of which this is the */
    double highest; /* median. */
    uint32_t runs;
};

/* How many submitters there are if nobody says. */
uint32_t bench_submitters(const struct bench_setup *setup);

/* One run, with a consortium of its own or with the one that `setup` names.
 * Says what failed on standard error. False: there is no result. `stop`: not 0
 * ends it early. */
bool bench_run(const struct bench_setup *setup, const atomic_int *stop,
               struct bench_result *out);

/* The median run of `runs`, of an even number the worse one of the two in the
 * middle: by throughput; with a fault by what was left of it, or by the gap if
 * the primary was killed. */
bool bench_run_median(const struct bench_setup *setup, uint32_t runs,
                      const atomic_int *stop, struct bench_result *out);

void bench_machine_read(struct bench_machine *out, const char *folder);

/* For people: all conditions, then the results. */
void bench_print_table(const struct bench_result *result);

struct bench_bound;

/* One line of JSON, whose keys are whole words. `bound` may be NULL. */
void bench_print_json(const struct bench_result *result,
                      const struct bench_bound *bound, FILE *out);

/* ---- many runs ----------------------------------------------------------- */

/* Payloads x transactions per request x TLS x synced writes. */
struct bench_matrix {
    struct bench_setup base;
    uint32_t payloads[BENCH_LIST_MAX];
    uint32_t payload_count;
    uint32_t per_requests[BENCH_LIST_MAX];
    uint32_t per_request_count;
    uint32_t runs;
    bool safe_only; /* Only with TLS and synced writes. */
};

/* Runs it and prints the table, line by line. Returns how many results there
 * are in `out`. */
uint32_t bench_matrix_run(const struct bench_matrix *matrix,
                          const atomic_int *stop,
                          struct bench_result out[BENCH_RUNS_MAX]);

/* NAME.json (an array, a line per run) and NAME.svg. */
struct bench_files {
    const char *name;
    FILE *json;
    FILE *svg;
};

/* Creates both; neither may exist. False: said why on standard error. */
bool bench_files_create(struct bench_files *files, const char *name);
/* Writes and closes them; without results they go again. False: said why on
 * standard error. */
bool bench_files_finish(struct bench_files *files,
                        const struct bench_result *results, uint32_t count);
void bench_svg(FILE *out, const struct bench_result *results, uint32_t count);

/* ---- comparison ---------------------------------------------------------- */

struct json_t;

/* What --json or --matrix wrote; NULL and a message on standard error if it
 * cannot be read. An array; the caller releases it. */
struct json_t *bench_load_results(const char *path);

/* Prints now / then for each result whose conditions stand in `earlier` (the
 * last one of several), what differs of the machine, and how many do not.
 * Returns how many do. */
uint32_t bench_compare(const struct bench_result *results, uint32_t count,
                       const struct json_t *earlier);

#endif /* CLIENT_BENCH_H */
