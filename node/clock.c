/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks and counters of the operating system. */
#include "node/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "consensus/assert.h"

#define MS_PER_S 1000
#define US_PER_S 1000000
#define NS_PER_MS 1000000
#define NS_PER_US 1000
#define LINE_SIZE 128
#define GROUP_LINE_SIZE 4096
#define GROUPS_DIR "/sys/fs/cgroup"
#define GROUP_MEMORY_FILE "/memory.max"
#define AFFINITY_BYTES 1024 /* 8,192 processors. */

static struct timespec read_clock(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    PBFT_ASSERT(failed == 0);
    return now;
}

pbft_time_ms clock_now_ms(void)
{
    struct timespec now = read_clock(CLOCK_MONOTONIC);
    return (pbft_time_ms)now.tv_sec * MS_PER_S +
           (pbft_time_ms)(now.tv_nsec / NS_PER_MS);
}

pbft_wall_us clock_wall_us(void)
{
    struct timespec now = read_clock(CLOCK_REALTIME);
    return (pbft_wall_us)now.tv_sec * US_PER_S +
           (pbft_wall_us)(now.tv_nsec / NS_PER_US);
}

void clock_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);
    PBFT_ASSERT(failed == 0);
    failed = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    PBFT_ASSERT(failed == 0);
    failed = pthread_cond_init(condition, &attributes);
    PBFT_ASSERT(failed == 0);
    (void)pthread_condattr_destroy(&attributes);
}

void clock_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                          pbft_time_ms deadline_ms)
{
    if (deadline_ms == PBFT_TIME_NEVER) {
        (void)pthread_cond_wait(condition, mutex);
        return;
    }
    const struct timespec until = {
        .tv_sec = (time_t)(deadline_ms / MS_PER_S),
        .tv_nsec = (long)(deadline_ms % MS_PER_S) * NS_PER_MS,
    };
    (void)pthread_cond_timedwait(condition, mutex, &until);
}

uint64_t clock_cpu_us(void)
{
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) != 0) {
        return 0;
    }
    return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * US_PER_S +
           (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

uint64_t clock_thread_ns(void)
{
    struct timespec used = read_clock(CLOCK_THREAD_CPUTIME_ID);
    return (uint64_t)used.tv_sec * 1000 * NS_PER_MS + (uint64_t)used.tv_nsec;
}

uint64_t clock_resident_bytes(void)
{
    unsigned long long total = 0;
    unsigned long long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) {
        return 0;
    }
    int fields = fscanf(file, "%llu %llu", &total, &resident);
    (void)fclose(file);
    return fields == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* Version 2 has one group for all kinds of limits: "0::/its/path". */
static uint64_t group_memory_max(void)
{
    char line[GROUP_LINE_SIZE];
    char path[sizeof GROUPS_DIR + sizeof line + sizeof GROUP_MEMORY_FILE];
    unsigned long long most = 0;
    FILE *file = fopen("/proc/self/cgroup", "r");
    bool found = false;
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        found = strncmp(line, "0::/", 4) == 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (!found) {
        return 0;
    }
    line[strcspn(line, "\n")] = '\0';
    (void)snprintf(path, sizeof path, "%s%s%s", GROUPS_DIR, line + 3,
                   GROUP_MEMORY_FILE);
    file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    const int fields = fscanf(file, "%llu", &most); /* Or "max". */
    (void)fclose(file);
    return fields == 1 ? most : 0;
}

uint64_t clock_memory_bytes(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES);
    const uint64_t machine =
        pages > 0 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
    const uint64_t group = group_memory_max();
    return group != 0 && (machine == 0 || group < machine) ? group : machine;
}

uint64_t clock_written_bytes(void)
{
    char line[LINE_SIZE];
    unsigned long long bytes = 0;
    FILE *file = fopen("/proc/self/io", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL &&
           sscanf(line, "write_bytes: %llu", &bytes) != 1) {
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return bytes;
}

uint32_t clock_processors(void)
{
    uint8_t allowed[AFFINITY_BYTES];
    uint32_t count = 0;
    /* The call itself: what glibc makes of it needs _GNU_SOURCE. */
    long size = syscall(SYS_sched_getaffinity, 0, sizeof allowed, allowed);
    for (long i = 0; i < size; i++) {
        for (uint8_t bits = allowed[i]; bits != 0; bits &= bits - 1) {
            count++;
        }
    }
    return count > 0 ? count : 1;
}
