/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that do interrupt each other still work: errors do not matter.
 * <linux/sched.h> has SCHED_BATCH, which <sched.h> keeps for _GNU_SOURCE. */
#include "net/turns.h"

#include <dirent.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/types.h>

static void change(pid_t thread, int from, int to)
{
    const struct sched_param none = {.sched_priority = 0};
    if (sched_getscheduler(thread) == from) {
        (void)sched_setscheduler(thread, to, &none);
    }
}

void net_take_turns(bool wanted)
{
    DIR *threads = opendir("/proc/self/task");
    if (threads == NULL) {
        return;
    }
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;) {
        long thread = strtol(entry->d_name, NULL, 10);
        if (thread > 0) { /* Not "." and "..". */
            change((pid_t)thread, wanted ? SCHED_OTHER : SCHED_BATCH,
                   wanted ? SCHED_BATCH : SCHED_OTHER);
        }
    }
    (void)closedir(threads);
}

bool net_has_usual_policy(void)
{
    return sched_getscheduler(0) == SCHED_OTHER;
}
