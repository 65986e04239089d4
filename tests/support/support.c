/* SPDX-License-Identifier: Apache-2.0 */
/* Where the tests find their files. */
#include "tests/support/support.h"

#include <stdlib.h>

const char *support_source_dir(void)
{
    const char *dir = getenv("SALUS_SOURCE_DIR");
    return dir != NULL ? dir : ".";
}
