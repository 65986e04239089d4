/* SPDX-License-Identifier: Apache-2.0 */
/* A shrunk case as lines of a scenario script. */
#include <inttypes.h>

#include "sim/shrink.h"

/* A line of a script is bounded; longer lists go on in another directive. */
#define FAULTS_PER_LINE 16

static void write_faults(FILE *out, const struct shrink_case *shrunk)
{
    for (size_t i = 0; i < shrunk->fault_count; i++) {
        (void)fprintf(out, "%s%" PRIu64,
                      i % FAULTS_PER_LINE == 0 ? "replay faults=" : ",",
                      shrunk->faults[i]);
        if (i + 1 == shrunk->fault_count || (i + 1) % FAULTS_PER_LINE == 0) {
            (void)fputc('\n', out);
        }
    }
    if (shrunk->fault_count == 0) {
        (void)fputs("replay faults=none\n", out);
    }
}

void shrink_write(FILE *out, const struct shrink_case *shrunk)
{
    struct sim_settings drawn;
    shrunk->profile->draw(&drawn, shrunk->seed);
    write_faults(out, shrunk);
    (void)fprintf(out, "replay profile=%s seed=%" PRIu64, shrunk->profile->name,
                  shrunk->seed);
    for (size_t i = 0; i < shrink_number_count; i++) {
        const struct shrink_number *row = &shrink_numbers[i];
        uint64_t value = row->get(&shrunk->settings);
        if (value != row->get(&drawn)) {
            (void)fprintf(out, " %s=%" PRIu64, row->name, value);
        }
    }
    (void)fputc('\n', out);
}
