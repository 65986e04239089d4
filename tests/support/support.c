/* SPDX-License-Identifier: Apache-2.0 */
/* Where the tests find their files. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>

const char *support_source_dir(void)
{
    const char *dir = getenv("SALUS_SOURCE_DIR");
    return dir != NULL ? dir : ".";
}

void support_shared_path(char *out, size_t size, const char *name)
{
    const char *root = getenv("SALUS_SHARED_DATA");
    (void)snprintf(out, size, "%s%s/%s",
                   root != NULL ? root : support_source_dir(),
                   root != NULL ? "" : "/../shared/data", name);
}
