/* SPDX-License-Identifier: Apache-2.0 */
/* The machine that a figure belongs to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "client/bench.h"

#define LINE_SIZE 1024

static void copy_text(char out[BENCH_MACHINE_TEXT_SIZE], const char *text)
{
    (void)snprintf(out, BENCH_MACHINE_TEXT_SIZE, "%.*s",
                   (int)strcspn(text, "\n"), text);
}

static void read_processor(char out[BENCH_MACHINE_TEXT_SIZE])
{
    char line[LINE_SIZE];
    FILE *file = fopen("/proc/cpuinfo", "re");

    copy_text(out, "unknown");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
            copy_text(out, colon + 1 + strspn(colon + 1, " "));
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

/* The type of the mount point that is the longest beginning of `folder`. */
static void read_file_system(char out[BENCH_MACHINE_TEXT_SIZE],
                             const char *folder)
{
    char line[LINE_SIZE];
    size_t best = 0;
    FILE *file = fopen("/proc/self/mounts", "re");

    copy_text(out, "unknown");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        char point[LINE_SIZE];
        char type[BENCH_MACHINE_TEXT_SIZE];
        if (sscanf(line, "%*s %1023s %95s", point, type) != 2) {
            continue;
        }
        size_t size = strlen(point);
        bool inside = strncmp(folder, point, size) == 0 &&
                      (folder[size] == '/' || folder[size] == '\0' ||
                       point[size - 1] == '/');
        if (inside && size >= best) {
            best = size;
            copy_text(out, type);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

void bench_machine_read(struct bench_machine *out, const char *folder)
{
    struct utsname name;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    FILE *load = fopen("/proc/loadavg", "re");

    memset(out, 0, sizeof(*out));
    read_processor(out->processor);
    read_file_system(out->file_system, folder);
    copy_text(out->kernel, uname(&name) == 0 ? name.release : "unknown");
    out->cores = cores > 0 ? (uint32_t)cores : 1;
    if (load != NULL) {
        if (fscanf(load, "%lf", &out->load_before) != 1) {
            out->load_before = 0;
        }
        (void)fclose(load);
    }
}
