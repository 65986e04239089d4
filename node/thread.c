/* SPDX-License-Identifier: Apache-2.0 */
/* A thread without a name still works: errors do not matter here. */
#include "node/thread.h"

#include <sys/prctl.h>

void thread_name(const char *name)
{
    (void)prctl(PR_SET_NAME, name);
}
