/* SPDX-License-Identifier: Apache-2.0 */
/* The directive `replay`: a whole run of a profile inside a script, with some
 * of its faults, acts of Byzantine replicas and requests left out. `salus-sim
 * shrink` writes it.
 *
 *   replay faults=3,7,12        the only faults; several such lines add up
 *   replay acts=1,40            likewise, the only acts
 *   replay profile=P seed=N [requests=5 loss=0 ...]
 */
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/script.h"
#include "sim/shrink.h"

/* More than any run draws. */
#define REPLAY_NUMBERS_MAX 1000000

static bool add_number(struct script *script, struct script_numbers *list,
                       uint64_t number)
{
    if (list->count == REPLAY_NUMBERS_MAX ||
        (list->count > 0 && list->numbers[list->count - 1] >= number)) {
        script_error(script, "numbers must be given in rising order");
        return false;
    }
    list->numbers =
        realloc(list->numbers, (list->count + 1) * sizeof list->numbers[0]);
    PBFT_ASSERT(list->numbers != NULL);
    list->numbers[list->count++] = number;
    return true;
}

static void take_list(struct script *script, struct script_numbers *list,
                      const char *text)
{
    char number[SCRIPT_LABEL_SIZE];
    list->is_given = true;
    if (strcmp(text, "none") == 0) {
        return;
    }
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        uint64_t value = 0;
        if (length == 0 || length >= sizeof number) {
            script_error(script, "'%s' is not a list of numbers", text);
            return;
        }
        memcpy(number, at, length);
        number[length] = '\0';
        if (!script_number(script, number, &value) ||
            !add_number(script, list, value)) {
            return;
        }
        at += length;
        if (*at == '\0') {
            return;
        }
    }
}

static struct fault_filter filter_of(const struct script_numbers *list)
{
    return (struct fault_filter){list->numbers, list->count, list->is_given};
}

static void forget_list(struct script_numbers *list)
{
    free(list->numbers);
    *list = (struct script_numbers){.count = 0};
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
    const char *acts = words_value(words, "acts");
    if (faults != NULL) {
        take_list(script, &script->replay_faults, faults);
    }
    if (acts != NULL) {
        take_list(script, &script->replay_acts, acts);
    }
    if (faults != NULL || acts != NULL) {
        return;
    }
    const char *name = words_value(words, "profile");
    const struct profile *profile = name == NULL ? NULL : profile_find(name);
    if (profile == NULL || !words_number(script, words, "seed", &seed)) {
        script_error(script,
                     "replay needs faults= or acts=, or profile= and seed=");
        return;
    }
    profile->draw(&settings, seed);
    settings.fault_filter = filter_of(&script->replay_faults);
    settings.act_filter = filter_of(&script->replay_acts);
    if (take_numbers(script, words, &settings)) {
        replay(script, &settings, seed);
    }
    forget_list(&script->replay_faults);
    forget_list(&script->replay_acts);
}
