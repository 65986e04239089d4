/* SPDX-License-Identifier: Apache-2.0 */
/* Many runs, and the files that keep them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/bench.h"

#define PATH_SIZE 512

static void print_head(void)
{
    (void)printf("%7s %11s %7s %6s %6s %14s %9s %9s %8s %8s %9s %9s\n",
                 "payload", "per request", "clients", "TLS", "sync",
                 "transactions/s", "p50 ms", "p99 ms", "CPU us", "load us",
                 "sent B", "written B");
}

static void print_row(const struct bench_result *result)
{
    const struct bench_setup *setup = &result->setup;
    const struct bench_figures *f = &result->figures;

    (void)printf(
        "%7u %11u %7u %6s %6s %14.0f %9.2f %9.2f %8.1f %8.1f %9.0f "
        "%9.0f\n",
        setup->payload, setup->per_request, setup->submitters,
        setup->no_tls ? "UNSAFE" : "on", setup->no_sync ? "UNSAFE" : "on",
        f->transactions_per_second, f->latency_ms[0], f->latency_ms[3],
        f->cpu_us_per_transaction, f->client_cpu_us_per_transaction,
        f->sent_bytes_per_transaction, f->written_bytes_per_transaction);
    (void)fflush(stdout);
}

/* The `index`th cell: payload, then per request, then TLS and sync. */
static struct bench_setup cell(const struct bench_matrix *matrix,
                               uint32_t index, uint32_t modes)
{
    struct bench_setup setup = matrix->base;
    uint32_t mode = index % modes;
    uint32_t rest = index / modes;

    setup.no_tls = (mode & 1u) != 0;
    setup.no_sync = (mode & 2u) != 0;
    setup.per_request = matrix->per_requests[rest % matrix->per_request_count];
    setup.payload = matrix->payloads[rest / matrix->per_request_count];
    if (setup.submitters == 0) {
        setup.submitters = bench_submitters(&setup);
    }
    return setup;
}

uint32_t bench_matrix_run(const struct bench_matrix *matrix,
                          const atomic_int *stop,
                          struct bench_result out[BENCH_RUNS_MAX])
{
    const uint32_t modes = matrix->safe_only ? 1 : 4;
    const uint32_t cells =
        matrix->payload_count * matrix->per_request_count * modes;
    uint32_t count = 0;

    print_head();
    for (uint32_t i = 0; i < cells && i < BENCH_RUNS_MAX && *stop == 0; i++) {
        struct bench_setup setup = cell(matrix, i, modes);
        if (!bench_run_median(&setup, matrix->runs, stop, &out[count])) {
            break;
        }
        print_row(&out[count++]);
    }
    return count;
}

/* A new file: an older measurement is never lost. */
static FILE *create(const char *name, const char *suffix)
{
    char path[PATH_SIZE];
    int length = snprintf(path, sizeof(path), "%s%s", name, suffix);
    int fd = -1;

    if (length < 0 || (size_t)length >= sizeof(path)) {
        errno = ENAMETOOLONG;
    } else {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    }
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL) {
        (void)fprintf(stderr, "salus bench: %s%s: %s\n", name, suffix,
                      strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    return file;
}

static bool finish(FILE *file, const char *name, const char *suffix)
{
    bool failed = ferror(file) != 0;

    failed = fclose(file) != 0 || failed;
    (void)fprintf(failed ? stderr : stdout, "%s%s%s\n",
                  failed ? "salus bench: cannot be written: " : "written: ",
                  name, suffix);
    return !failed;
}

static void discard(FILE *file, const char *name, const char *suffix)
{
    char path[PATH_SIZE];

    (void)fclose(file);
    (void)snprintf(path, sizeof(path), "%s%s", name, suffix);
    (void)unlink(path);
}

bool bench_files_create(struct bench_files *files, const char *name)
{
    files->name = name;
    files->json = create(name, ".json");
    files->svg = files->json != NULL ? create(name, ".svg") : NULL;
    if (files->json != NULL && files->svg == NULL) {
        discard(files->json, name, ".json");
    }
    return files->svg != NULL;
}

bool bench_files_finish(struct bench_files *files,
                        const struct bench_result *results, uint32_t count)
{
    if (count == 0) {
        discard(files->json, files->name, ".json");
        discard(files->svg, files->name, ".svg");
        return false;
    }
    (void)fprintf(files->json, "[\n");
    for (uint32_t i = 0; i < count; i++) {
        bench_print_json(&results[i], NULL, files->json);
        (void)fprintf(files->json, "%s\n", i + 1 < count ? "," : "");
    }
    (void)fprintf(files->json, "]\n");
    bench_svg(files->svg, results, count);
    bool fine = finish(files->json, files->name, ".json");
    return finish(files->svg, files->name, ".svg") && fine;
}
