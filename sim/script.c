/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include "sim/command.h"
int command_script(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return EXIT_USAGE;
}
