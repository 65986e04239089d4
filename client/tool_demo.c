/* SPDX-License-Identifier: Apache-2.0 */
/* salus demo: the whole thing in half a minute, on real input. */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/demo.h"
#include "client/tool.h"
#include "client/tool_clock.h"

#define REPLICAS 4
#define START_TIMEOUT_MS 15000
#define STOP_PATIENCE_MS 10000
#define MEGABYTE 1e6

atomic_int demo_stop;

static void on_signal(int signal_number)
{
    (void)signal_number;
    demo_stop = 1;
}

void demo_title(const char *text)
{
    static int number;

    number++;
    (void)printf(isatty(STDOUT_FILENO) ? "\n\033[1m%d  %s\033[0m\n"
                                       : "\n%d  %s\n",
                 number, text);
    (void)fflush(stdout);
}

/* ---- files --------------------------------------------------------------- */

static int is_fhir_name(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot != NULL &&
           (strcmp(dot, ".json") == 0 || strcmp(dot, ".ndjson") == 0);
}

static bool add_file(struct demo *demo, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = demo->file_count < DEMO_FILES_MAX ? malloc(size) : NULL;

    if (path == NULL) {
        return false;
    }
    (void)snprintf(path, size, "%s/%s", folder, name);
    demo->files[demo->file_count++] = path;
    return true;
}

/* All FHIR files of a folder, in the order of their names. */
static bool add_folder(struct demo *demo, const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_fhir_name, alphasort);
    bool good = count > 0;

    for (int i = 0; i < count; i++) {
        good = good && add_file(demo, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return good;
}

/* The examples that come with Salus: beside the source, or installed. */
static bool add_examples(struct demo *demo)
{
    char self[DEMO_PATH_MAX];
    char folder[DEMO_PATH_MAX + 64];
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (size <= 0) {
        return false;
    }
    self[size] = '\0';
    *strrchr(self, '/') = '\0';
    (void)snprintf(folder, sizeof(folder), "%s/../share/salus/examples/fhir",
                   self);
    return add_folder(demo, folder) || add_folder(demo, SALUS_EXAMPLES_DIR);
}

static bool read_options(struct demo *demo, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--keep") == 0) {
            demo->keep = true;
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            (void)fprintf(stderr,
                          "salus demo: unknown option %s\n"
                          "try: salus help demo\n",
                          argv[i]);
            return false;
        } else if (demo->file_count < DEMO_FILES_MAX) {
            demo->files[demo->file_count++] = strdup(argv[i]);
        }
    }
    return true;
}

/* ---- steps --------------------------------------------------------------- */

static bool start(struct demo *demo)
{
    uint64_t began = tool_now_ms();

    demo_title("A consortium of four hospitals on this machine");
    if (trial_create(&demo->trial, demo->folder, REPLICAS) != PBFT_OK) {
        return false;
    }
    demo->trial.replicas.outlive_us = demo->keep;
    if (trial_start(&demo->trial, START_TIMEOUT_MS) != PBFT_OK) {
        return false;
    }
    for (uint32_t i = 0; i < demo->trial.count; i++) {
        (void)printf("   replica %u  %-12s process %d\n", i,
                     salus_replica_name(demo->trial.clients[0], i),
                     (int)demo->trial.replicas.pids[i]);
    }
    (void)printf("   up after %.1f s: mutual TLS, signed votes, synced "
                 "RocksDB; any one of them may fail or lie\n",
                 (double)(tool_now_ms() - began) / 1000);
    return true;
}

static bool summarize(struct demo *demo)
{
    struct trial_status status;
    const struct load_report *load = &demo->load;

    demo_title("What happened");
    (void)printf("   replica  blocks  transactions  synced writes  disk\n");
    for (uint32_t i = 0; i < demo->trial.count; i++) {
        if (!trial_ask(&demo->trial, i, &status)) {
            (void)printf("   %7u  does not answer\n", i);
            return false;
        }
        (void)printf("   %7u  %6" PRIu64 "  %12" PRIu64 "  %13" PRIu64
                     "  %.1f MB\n",
                     i, status.executed, status.transactions, status.syncs,
                     (double)status.disk_bytes / MEGABYTE);
    }
    (void)printf(
        "   latency of a proved submission under load: median %.1f ms, p99 "
        "%.1f ms\n",
        (double)histogram_permille(&load->latency, 500) / 1000,
        (double)histogram_permille(&load->latency, 990) / 1000);
    return true;
}

/* Where the data lies, and what to try next. */
static void tell_next(const struct demo *demo)
{
    char self[DEMO_PATH_MAX] = "salus";
    ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (size > 0) {
        self[size] = '\0';
    }
    (void)printf("\n   the data lie in %s: genesis.txt, receipt.txt, and a "
                 "folder for each hospital\n",
                 demo->folder);
    if (!demo->keep) {
        (void)printf("   next: the same with --keep, which leaves it running "
                     "for salus status, query, submit, ...\n");
        return;
    }
    (void)printf("   next:\n"
                 "     export SALUS_CONFIG=%s/client-0.yaml\n"
                 "     %s status\n"
                 "     %s fhir import FILE... --explain\n"
                 "     %s verify %s/receipt.txt --genesis %s/genesis.txt\n"
                 "     %s help\n",
                 demo->folder, self, self, self, demo->folder, demo->folder,
                 self);
}

static bool run_steps(struct demo *demo)
{
    bool (*const steps[])(struct demo *) = {start, demo_import, demo_receipt,
                                            demo_crash, summarize};

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (demo_stop != 0 || !steps[i](demo)) {
            return false;
        }
    }
    return true;
}

/* With --keep: how to end what goes on. */
static void leave_running(const struct demo *demo)
{
    (void)printf("\n   it goes on running; to end it:\n     kill");
    for (uint32_t i = 0; i < demo->trial.count; i++) {
        (void)printf(" %d", (int)demo->trial.replicas.pids[i]);
    }
    (void)printf("; rm -r %s\n", demo->folder);
}

/* Stops everything; removes the folder unless it is to be kept. */
static bool clean_up(struct demo *demo, bool good)
{
    trial_close_clients(&demo->trial);
    uint32_t bad = replicas_stop_all(&demo->trial.replicas, STOP_PATIENCE_MS);
    if (bad > 0) {
        (void)fprintf(stderr, "salus demo: %u replicas did not end well\n",
                      bad);
    }
    if (!good && demo_stop == 0) {
        (void)printf("   kept: %s\n", demo->folder);
    } else {
        replicas_remove_folder(demo->folder);
        (void)printf("   stopped and cleaned up (--keep leaves it running)\n");
    }
    for (size_t i = 0; i < demo->file_count; i++) {
        free((char *)demo->files[i]);
    }
    return bad == 0;
}

static int run(int argc, char **argv)
{
    static struct demo demo;
    const struct sigaction action = {.sa_handler = on_signal};

    if (!read_options(&demo, argc, argv)) {
        return TOOL_USAGE;
    }
    if (demo.file_count == 0 && !add_examples(&demo)) {
        (void)fprintf(stderr, "salus demo: the examples are not there; name "
                              "FHIR files on the command line\n");
        return TOOL_FAILED;
    }
    (void)snprintf(demo.folder, sizeof(demo.folder), "%s/salus-demo-XXXXXX",
                   getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    if (mkdtemp(demo.folder) == NULL) {
        perror(demo.folder);
        return TOOL_FAILED;
    }
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    bool good = run_steps(&demo);
    if (good) {
        tell_next(&demo);
    }
    if (good && demo.keep) {
        trial_close_clients(&demo.trial);
        leave_running(&demo);
        return TOOL_OK;
    }
    bool clean = clean_up(&demo, good);
    return good && clean ? TOOL_OK : TOOL_FAILED;
}

const struct tool_command tool_demo = {
    .name = "demo",
    .usage = "[--keep] [FILE...]",
    .summary = "run four hospitals on this machine, on real FHIR input",
    .help =
        "Starts four replicas with TLS, synced storage and the keys of four\n"
        "institutions; imports FHIR R4 files (those given, else the examples\n"
        "that come with Salus) and says what the ledger made of each; fetches\n"
        "a receipt, checks it offline and tampers with it; kills the primary\n"
        "while submissions go on, shows how long the clients waited, starts\n"
        "it again, watches it reach the others, compares the ledgers of all;\n"
        "prints the figures.\n"
        "Cleans up after itself, also on Ctrl-C.\n"
        "\n"
        "  --keep   leave it running, and say how to end it\n",
    .run = run};
