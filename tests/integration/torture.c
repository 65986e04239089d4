/* SPDX-License-Identifier: Apache-2.0 */
/* Real replicas under faults; see torture.h.
 *
 * The seed fixes what fails and for how long, not how threads interleave.
 */
#include "tests/integration/torture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define START_TIMEOUT_MS 60000
#define CONVERGE_TIMEOUT_MS 120000
#define STOP_PATIENCE_MS 20000
#define REQUEST_TIMEOUT_MS 1000

/* The value behind "key: " in a configuration. */
static bool read_value(const char *path, const char *key, char *out,
                       size_t size)
{
    char line[REPLICAS_PATH_MAX];
    size_t length = strlen(key);
    bool found = false;
    FILE *file = fopen(path, "re");

    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        found = strncmp(line, key, length) == 0;
        if (found) {
            line[strcspn(line, "\n")] = '\0';
            (void)snprintf(out, size, "%s", line + length);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

static void config_path(const struct torture *torture, uint32_t replica,
                        char out[REPLICAS_PATH_MAX])
{
    (void)snprintf(out, REPLICAS_PATH_MAX, "%.256s/replica-%u.yaml",
                   torture->folder, replica);
}

/* Where replica `self` finds the others, and how patient it is. */
static bool extend_config(const struct torture *torture, uint32_t self)
{
    char path[REPLICAS_PATH_MAX];
    char name[128];

    config_path(torture, self, path);
    FILE *file = fopen(path, "ae");
    if (file == NULL) {
        return false;
    }
    (void)fprintf(file, "timeouts:\n  request_ms: %u\npeers:\n",
                  torture->request_timeout_ms);
    for (uint32_t i = 0; i < torture->trial.count; i++) {
        config_path(torture, i, path);
        if (i != self &&
            read_value(path, "institution: ", name, sizeof(name))) {
            (void)fprintf(file, "  - name: %s\n    address: 127.0.0.1:%u\n",
                          name, proxy_port(torture->proxy, self, i));
        }
    }
    return fclose(file) == 0;
}

static bool lay_network(struct torture *torture)
{
    uint16_t ports[TORTURE_REPLICAS_MAX] = {0};
    char path[REPLICAS_PATH_MAX];
    char address[128];

    for (uint32_t i = 0; i < torture->trial.count; i++) {
        config_path(torture, i, path);
        if (!read_value(path, "peer_listen: ", address, sizeof(address)) ||
            strrchr(address, ':') == NULL) {
            return false;
        }
        ports[i] = (uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10);
    }
    torture->proxy = proxy_open(torture->trial.count, ports);
    bool good = torture->proxy != NULL;
    for (uint32_t i = 0; good && i < torture->trial.count; i++) {
        good = extend_config(torture, i);
    }
    return good;
}

/* The data of the last replica get a file system of their own that is small
 * enough to be filled. */
static void mount_small_disk(struct torture *torture)
{
    char path[REPLICAS_PATH_MAX];
    char name[128];

    config_path(torture, torture->trial.count - 1, path);
    if (!read_value(path, "institution: ", name, sizeof(name))) {
        return;
    }
    (void)snprintf(path, sizeof(path), "%.256s/%.100s/data", torture->folder,
                   name);
    if (mkdir(path, 0700) == 0 &&
        mount("salus-torture", path, "tmpfs", 0, "size=512m,mode=0700") == 0) {
        (void)snprintf(torture->small_disk, sizeof(torture->small_disk), "%s",
                       path);
    } else {
        (void)rmdir(path);
        (void)printf("SKIPPED: fill-disk: a small tmpfs needs root\n");
    }
}

static bool run_in(struct torture *torture, const struct torture_plan *plan)
{
    struct torture_submitters submitters;

    mount_small_disk(torture);
    if (!lay_network(torture) ||
        trial_start(&torture->trial, START_TIMEOUT_MS) != PBFT_OK) {
        return false;
    }
    torture_clients_start(torture, &submitters);
    bool survived = torture_rage(torture, plan);
    (void)pthread_mutex_lock(&torture->lock);
    torture->is_ending = true;
    torture->is_over = !survived;
    (void)pthread_mutex_unlock(&torture->lock);
    torture_clients_end(torture, &submitters);
    return survived && trial_converge(&torture->trial, CONVERGE_TIMEOUT_MS);
}

/* Stops all, then looks at what they leave. */
static bool finish(struct torture *torture, bool good)
{
    trial_close_clients(&torture->trial);
    uint32_t bad =
        replicas_stop_all(&torture->trial.replicas, STOP_PATIENCE_MS);
    proxy_close(torture->proxy);
    if (bad > 0) {
        (void)fprintf(stderr, "%u replicas did not stop cleanly\n", bad);
    }
    good = good && bad == 0 && torture_judge(torture);
    (void)printf("%u kills; %zu submissions acknowledged, %" PRIu64
                 " of them repeated meanwhile, %" PRIu64
                 " refused without reason\n",
                 torture->kills, torture->operation_count, torture->again,
                 torture->surprises);
    return good && torture->surprises == 0 && torture->operation_count > 0;
}

static const char usage[] =
    "usage: torture [--minutes N | --seconds N | --each SECONDS] [--seed S]\n"
    "               [--replicas N] [--kills N] [--faults NAME,NAME]\n"
    "               [--request-timeout MS] [--keep]\n"
    "\n"
    "Real replicas under load and faults (one minute); then histories and\n"
    "ledgers are compared. --each: until each fault struck, or so long.\n"
    "--keep: the folder stays.\n";

struct options {
    struct torture_plan plan;
    uint64_t replicas;
    uint64_t seed;
    uint64_t request_timeout_ms;
    bool keep;
};

/* False: it is none. */
static bool take_number(const char *text, uint64_t *out)
{
    char *end = NULL;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

/* False: usage was printed. */
static bool take_options(int argc, char **argv, struct options *out)
{
    uint64_t minutes = 0;
    uint64_t kills = 0;
    const struct {
        const char *name;
        uint64_t *value;
    } numbers[] = {{"--minutes", &minutes},
                   {"--seconds", &out->plan.seconds},
                   {"--each", &out->plan.each_within_seconds},
                   {"--seed", &out->seed},
                   {"--replicas", &out->replicas},
                   {"--kills", &kills},
                   {"--request-timeout", &out->request_timeout_ms}};
    const size_t count = sizeof numbers / sizeof numbers[0];

    for (int i = 1; i < argc; i++) {
        size_t n = 0;
        while (n < count && strcmp(argv[i], numbers[n].name) != 0) {
            n++;
        }
        if (strcmp(argv[i], "--keep") == 0) {
            out->keep = true;
        } else if (i + 1 < argc && strcmp(argv[i], "--faults") == 0) {
            out->plan.faults = argv[++i];
        } else if (i + 1 == argc || n == count ||
                   !take_number(argv[++i], numbers[n].value)) {
            (void)fputs(usage, stderr);
            return false;
        }
    }
    if (out->replicas > TORTURE_REPLICAS_MAX) {
        (void)fprintf(stderr, "torture: %d replicas at most\n",
                      TORTURE_REPLICAS_MAX);
        return false;
    }
    if (minutes > 0) {
        out->plan.seconds = minutes * 60;
    } else if (out->plan.seconds == 0 && out->plan.each_within_seconds == 0) {
        out->plan.seconds = 60;
    }
    out->plan.kills = (uint32_t)kills;
    return true;
}

int main(int argc, char **argv)
{
    static struct torture torture;
    char folder[] = "/tmp/salus-torture-XXXXXX";
    struct options options = {.replicas = 4,
                              .seed = (uint64_t)time(NULL),
                              .request_timeout_ms = REQUEST_TIMEOUT_MS};
    if (!take_options(argc, argv, &options)) {
        return 2;
    }

    torture.random = options.seed;
    torture.request_timeout_ms = (uint32_t)options.request_timeout_ms;
    (void)printf("seed %" PRIu64 "\n", torture.random);
    (void)pthread_mutex_init(&torture.lock, NULL);
    if (mkdtemp(folder) == NULL) {
        perror("/tmp");
        return 2;
    }
    torture.folder = folder;
    bool good = trial_create(&torture.trial, folder,
                             (uint32_t)options.replicas) == PBFT_OK &&
                run_in(&torture, &options.plan);
    good = finish(&torture, good);
    if (torture.small_disk[0] != '\0') {
        (void)umount(torture.small_disk);
    }
    if (!good || options.keep) {
        (void)printf("kept: %s\n", folder);
    } else {
        replicas_remove_folder(folder);
    }
    free(torture.operations);
    (void)puts(good ? "passed" : "FAILED");
    return good ? 0 : 1;
}
