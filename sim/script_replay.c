/* SPDX-License-Identifier: Apache-2.0 */
/* The directive `replay`: a whole run of a profile inside a script, with some
 * of its faults and requests left out. `salus-sim shrink` writes it.
 *
 *   replay faults=3,7,12        the only faults; several such lines add up
 *   replay profile=P seed=N [requests=5 loss=0 ...]
 */
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/script.h"
#include "sim/shrink.h"

/* More than any run draws. */
#define REPLAY_FAULTS_MAX 100000

static bool add_fault(struct script *script, uint64_t number)
{
    size_t count = script->replay_fault_count;
    if (count == REPLAY_FAULTS_MAX ||
        (count > 0 && script->replay_faults[count - 1] >= number)) {
        script_error(script, "faults must be given in rising order");
        return false;
    }
    script->replay_faults = realloc(
        script->replay_faults, (count + 1) * sizeof script->replay_faults[0]);
    PBFT_ASSERT(script->replay_faults != NULL);
    script->replay_faults[script->replay_fault_count++] = number;
    return true;
}

static void take_faults(struct script *script, const char *list)
{
    char number[SCRIPT_LABEL_SIZE];
    if (strcmp(list, "none") == 0) {
        return;
    }
    for (const char *at = list;; at++) {
        size_t length = strcspn(at, ",");
        uint64_t value = 0;
        if (length == 0 || length >= sizeof number) {
            script_error(script, "'%s' is not a list of numbers", list);
            return;
        }
        memcpy(number, at, length);
        number[length] = '\0';
        if (!script_number(script, number, &value) ||
            !add_fault(script, value)) {
            return;
        }
        at += length;
        if (*at == '\0') {
            return;
        }
    }
}

/* False: a number is out of its range, or not one. */
static bool take_numbers(struct script *script, struct words *words,
                         struct sim_settings *settings)
{
    for (size_t i = 0; i < shrink_number_count; i++) {
        const struct shrink_number *row = &shrink_numbers[i];
        uint64_t value = 0;
        if (words_number(script, words, row->name, &value)) {
            if (value < row->lowest || value > row->get(settings)) {
                script_error(script, "%s: not in %llu..%llu", row->name,
                             (unsigned long long)row->lowest,
                             (unsigned long long)row->get(settings));
                return false;
            }
            row->set(settings, value);
        }
    }
    return script->outcome == SCRIPT_RUNS;
}

static void replay(struct script *script, const struct sim_settings *settings,
                   uint64_t seed)
{
    struct sim_result result;
    sim_run(settings, seed, script->sim->trace.out, &result);
    if (result.violation.found) {
        script_broke(script, "invariant %s broke at event %llu: %s",
                     result.violation.rule,
                     (unsigned long long)result.violation.event,
                     result.violation.text);
    }
}

void script_do_replay(struct script *script, struct words *words)
{
    struct sim_settings settings;
    uint64_t seed = 0;
    const char *faults = words_value(words, "faults");
    if (faults != NULL) {
        script->has_replay_faults = true;
        take_faults(script, faults);
        return;
    }
    const char *name = words_value(words, "profile");
    const struct profile *profile = name == NULL ? NULL : profile_find(name);
    if (profile == NULL || !words_number(script, words, "seed", &seed)) {
        script_error(script, "replay needs faults=, or profile= and seed=");
        return;
    }
    profile->draw(&settings, seed);
    settings.fault_filter =
        (struct fault_filter){script->replay_faults, script->replay_fault_count,
                              script->has_replay_faults};
    if (take_numbers(script, words, &settings)) {
        replay(script, &settings, seed);
    }
    free(script->replay_faults);
    script->replay_faults = NULL;
    script->replay_fault_count = 0;
    script->has_replay_faults = false;
}
