/* SPDX-License-Identifier: Apache-2.0 */
/* A shrunk case as lines of a scenario script. */
#include <inttypes.h>

#include "sim/shrink.h"

/* A line of a script is bounded; longer lists go on in another directive. */
#define NUMBERS_PER_LINE 16

static void write_list(FILE *out, const char *name,
                       const struct shrink_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (i % NUMBERS_PER_LINE == 0) {
            (void)fprintf(out, "replay %s=", name);
        } else {
            (void)fputc(',', out);
        }
        (void)fprintf(out, "%" PRIu64, list->numbers[i]);
        if (i + 1 == list->count || (i + 1) % NUMBERS_PER_LINE == 0) {
            (void)fputc('\n', out);
        }
    }
    if (list->count == 0) {
        (void)fprintf(out, "replay %s=none\n", name);
    }
}

void shrink_write(FILE *out, const struct shrink_case *shrunk)
{
    struct sim_settings drawn;
    shrunk->profile->draw(&drawn, shrunk->seed);
    write_list(out, "faults", &shrunk->faults);
    write_list(out, "acts", &shrunk->acts);
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
