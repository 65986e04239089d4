/* SPDX-License-Identifier: Apache-2.0 */
/* A thread without a name still works: errors do not matter here. */
#include "node/thread.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define TASKS "/proc/self/task"
#define STAT_SIZE 512 /* A line has some 300 characters. */
#define US_PER_S 1000000u

void thread_name(const char *name)
{
    (void)prctl(PR_SET_NAME, name);
}

/* "PID (NAME) STATE ...": the 14th and 15th fields are user and system time in
 * ticks; a name may have blanks and brackets. See proc(5). */
static int parse_stat(const char *line, struct thread_time *out)
{
    const char *open = strchr(line, '(');
    const char *close = strrchr(line, ')');
    uint64_t user = 0;
    uint64_t system = 0;
    long ticks = sysconf(_SC_CLK_TCK);

    if (open == NULL || close == NULL || close < open || ticks <= 0 ||
        sscanf(close + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64
               " %" SCNu64,
               &user, &system) != 2) {
        return 0;
    }
    (void)snprintf(out->name, sizeof out->name, "%.*s", (int)(close - open - 1),
                   open + 1);
    out->count = 1;
    out->cpu_us = (user + system) * (US_PER_S / (uint64_t)ticks);
    return 1;
}

static int read_stat(const char *task, struct thread_time *out)
{
    char path[sizeof TASKS + 32];
    char line[STAT_SIZE];
    int found = 0;

    (void)snprintf(path, sizeof path, TASKS "/%.16s/stat", task);
    FILE *file = fopen(path, "re");
    if (file == NULL) { /* It has ended. */
        return 0;
    }
    if (fgets(line, sizeof line, file) != NULL) {
        found = parse_stat(line, out);
    }
    (void)fclose(file);
    return found;
}

static size_t add(struct thread_time *to, size_t count,
                  const struct thread_time *one)
{
    size_t i = 0;

    while (i < count && strcmp(to[i].name, one->name) != 0) {
        i++;
    }
    if (i == THREAD_NAMES_MAX) {
        i = THREAD_NAMES_MAX - 1;
    } else if (i == count) {
        to[count++] = *one;
        return count;
    }
    to[i].count += one->count;
    to[i].cpu_us += one->cpu_us;
    return count;
}

size_t thread_times(struct thread_time out[THREAD_NAMES_MAX])
{
    struct thread_time one;
    size_t count = 0;
    DIR *tasks = opendir(TASKS);

    if (tasks == NULL) {
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        if (entry->d_name[0] != '.' && read_stat(entry->d_name, &one)) {
            count = add(out, count, &one);
        }
    }
    (void)closedir(tasks);
    return count;
}
