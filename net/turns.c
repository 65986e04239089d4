/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that do interrupt each other still work: errors do not matter. */
#include "net/turns.h"

#include <linux/sched.h>
#include <sched.h>

void net_take_turns(void)
{
    const struct sched_param none = {.sched_priority = 0};
    if (sched_getscheduler(0) == SCHED_OTHER) {
        (void)sched_setscheduler(0, SCHED_BATCH, &none);
    }
}
