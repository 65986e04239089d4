/* SPDX-License-Identifier: Apache-2.0 */
#include "client/bench_limits.h"

#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "consensus/quorum.h"

extern char **environ;

#define PATH_SIZE 640
#define NUMBER_SIZE 16
#define US_PER_S 1e6

/* ---- the parts, by salusd ------------------------------------------------ */

static bool spawn_and_wait(const char *const *argv, const char *output)
{
    posix_spawn_file_actions_t files;
    pid_t pid = 0;
    int status = -1;

    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output,
                                           O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (posix_spawn(&pid, argv[0], &files, NULL, (char *const *)argv,
                    environ) == 0) {
        (void)waitpid(pid, &status, 0);
    }
    (void)posix_spawn_file_actions_destroy(&files);
    return status == 0;
}

/* NULL, and what failed on standard error. */
static json_t *measure_in(const char *folder, const struct bench_setup *setup)
{
    struct replicas replicas; /* It knows where salusd is. */
    char data[PATH_SIZE];
    char output[PATH_SIZE];
    char payload[NUMBER_SIZE];
    char per_request[NUMBER_SIZE];
    json_error_t error;
    json_t *json = NULL;

    (void)snprintf(data, sizeof(data), "%s/data", folder);
    (void)snprintf(output, sizeof(output), "%s/parts.json", folder);
    (void)snprintf(payload, sizeof(payload), "%u", setup->payload);
    (void)snprintf(per_request, sizeof(per_request), "%u", setup->per_request);
    if (replicas_init(&replicas, folder, 1) == PBFT_OK) {
        const char *const argv[] = {
            replicas.program, "--measure", data,
            "--payload",      payload,     "--transactions-per-request",
            per_request,      NULL};
        if (spawn_and_wait(argv, output)) {
            json = json_load_file(output, 0, &error);
        }
    }
    if (json == NULL) {
        (void)fprintf(stderr, "salus bench: salusd could not measure its "
                              "parts; it is beside this program, or name it "
                              "in $SALUSD\n");
    }
    return json;
}

/* ---- the bound ----------------------------------------------------------- */

static void add(struct bench_bound *bound, const char *name, const char *unit,
                double count, double cost_us)
{
    bound->parts[bound->part_count++] =
        (struct bench_part){name, unit, count, cost_us};
    bound->us_per_transaction += count * cost_us;
}

static double cost(const json_t *parts, const char *name)
{
    return json_number_value(json_object_get(parts, name));
}

/* For each transaction. */
struct shape {
    double requests;
    double blocks;
    double syncs; /* Of a replica. */
};

static struct shape measured_shape(const struct bench_figures *f)
{
    return (struct shape){.requests = f->requests_per_second /
                                      f->transactions_per_second,
                          .blocks = 1 / f->transactions_per_block,
                          .syncs = f->syncs_per_transaction};
}

/* As many requests as a block takes, by number and bytes, all of them full. */
static struct shape full_shape(const struct bench_result *result)
{
    const struct bench_setup *setup = &result->setup;
    const struct bench_figures *f = &result->figures;
    const double request_bytes =
        setup->per_request * (f->client_bytes_per_transaction > setup->payload
                                  ? f->client_bytes_per_transaction
                                  : setup->payload);
    double requests = setup->batch_requests;

    if (requests * request_bytes > setup->batch_bytes) {
        requests = (uint32_t)(setup->batch_bytes / request_bytes);
    }
    const double block = (requests > 1 ? requests : 1) * setup->per_request;
    return (struct shape){.requests = 1.0 / setup->per_request,
                          .blocks = 1 / block,
                          .syncs = f->syncs_per_transaction *
                                   f->transactions_per_block / block};
}

/* Counts follow from the protocol (docs/protocol.md): each replica signs three
 * statements a block and checks those of a quorum, twice, and f attestations;
 * each client checks f + 1 of them. */
static void apply(const struct bench_result *result, const json_t *parts,
                  const struct shape *shape, struct bench_bound *out)
{
    const struct bench_figures *f = &result->figures;
    const double n = result->setup.replicas;
    const double quorum = pbft_quorum(result->setup.replicas);
    const double faults = (result->setup.replicas - 1) / 3;
    const double requests = shape->requests;
    const double blocks = shape->blocks;
    const double payload = result->setup.payload;

    add(out, "ledger execution and its write", "transaction", n,
        cost(parts, "execute_us"));
    add(out, "request packed by the client", "transaction", 1,
        cost(parts, "encode_us"));
    add(out, "digest of the request", "byte", (n + 1) * payload,
        cost(parts, "digest_byte_us"));
    add(out, "signature of the client", "request", requests,
        cost(parts, "sign_us"));
    add(out, "the same checked by each replica", "request", n * requests,
        cost(parts, "verify_us"));
    add(out, "statements of replicas signed", "statement", 3 * n * blocks,
        cost(parts, "sign_us"));
    add(out, "the same checked by replicas", "statement",
        n * (2 * (quorum - 1) + faults) * blocks, cost(parts, "verify_us"));
    add(out, "proofs checked by clients", "statement",
        n * (faults + 1) * blocks, cost(parts, "verify_us"));
    add(out, "bytes over TLS, both ends", "byte",
        f->sent_bytes_per_transaction + f->client_bytes_per_transaction,
        cost(parts, "message_byte_us"));
    add(out, "synced writes", "write", n * shape->syncs,
        cost(parts, "synced_write_us"));
    out->sync_wall_ms = cost(parts, "synced_write_wall_us") / 1000;
    out->transactions_per_second =
        result->machine.cores * US_PER_S / out->us_per_transaction;
    out->share = f->transactions_per_second / out->transactions_per_second;
}

static void apply_both(const struct bench_result *result, const json_t *parts,
                       struct bench_bound *out)
{
    const struct shape measured = measured_shape(&result->figures);
    const struct shape full = full_shape(result);
    struct bench_bound other = {.part_count = 0};

    apply(result, parts, &measured, out);
    apply(result, parts, &full, &other);
    out->full_block = 1 / full.blocks;
    out->full_transactions_per_second = other.transactions_per_second;
    out->full_share = other.share;
}

bool bench_bound_measure(const struct bench_result *result,
                         struct bench_bound *out)
{
    char folder[] = "/tmp/salus-limits-XXXXXX";
    json_t *parts = NULL;

    memset(out, 0, sizeof(*out));
    if (result->figures.transactions == 0 ||
        result->figures.transactions_per_block <= 0) {
        (void)fprintf(stderr, "salus bench: no transaction was measured\n");
        return false;
    }
    if (mkdtemp(folder) == NULL) {
        perror("salus bench: /tmp");
        return false;
    }
    parts = measure_in(folder, &result->setup);
    replicas_remove_folder(folder);
    if (parts != NULL) {
        apply_both(result, parts, out);
        json_decref(parts);
    }
    return parts != NULL;
}

void bench_bound_print(const struct bench_result *result,
                       const struct bench_bound *bound)
{
    const struct bench_figures *f = &result->figures;
    const double measured =
        f->cpu_us_per_transaction + f->client_cpu_us_per_transaction;

    (void)printf("the bound of this machine: parts measured by themselves, "
                 "counted for one transaction,\n"
                 "all replicas and the load together\n"
                 "  %-34s %-12s %12s %12s %10s\n",
                 "part", "unit", "count", "us each", "us");
    for (uint32_t i = 0; i < bound->part_count; i++) {
        const struct bench_part *part = &bound->parts[i];
        (void)printf("  %-34s %-12s %12.4f %12.4f %10.2f\n", part->name,
                     part->unit, part->count, part->cost_us,
                     part->count * part->cost_us);
    }
    (void)printf("  %-34s %-12s %12s %12s %10.2f\n", "sum", "", "", "",
                 bound->us_per_transaction);
    (void)printf("  %-34s %-12s %12s %12s %10.2f\n", "measured, CPU", "", "",
                 "", measured);
    (void)printf("  bound: %.0f transactions/s with %u cores at nothing else; "
                 "measured: %.0f, %.0f %% of it\n"
                 "  with full blocks of %.0f transactions: %.0f; %.0f %% of "
                 "it\n"
                 "  of the CPU that was used the parts are %.0f %%: what a "
                 "machine with other work can tell\n"
                 "  a synced write returns after %.2f ms; a block waits for "
                 "two of them\n",
                 bound->transactions_per_second, result->machine.cores,
                 f->transactions_per_second, 100 * bound->share,
                 bound->full_block, bound->full_transactions_per_second,
                 100 * bound->full_share,
                 measured > 0 ? 100 * bound->us_per_transaction / measured : 0,
                 bound->sync_wall_ms);
}
