/* SPDX-License-Identifier: Apache-2.0 */
/* Delta debugging: ever smaller pieces are left out, until no single one can
 * be. */
#include "sim/shrink.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

#define NUMBER(field)                                                          \
    static uint64_t get_##field(const struct sim_settings *settings)           \
    {                                                                          \
        return settings->field;                                                \
    }                                                                          \
    static void set_##field(struct sim_settings *settings, uint64_t value)     \
    {                                                                          \
        settings->field = (uint32_t)value;                                     \
    }

#define NETWORK_NUMBER(field)                                                  \
    static uint64_t get_##field(const struct sim_settings *settings)           \
    {                                                                          \
        return settings->network.field;                                        \
    }                                                                          \
    static void set_##field(struct sim_settings *settings, uint64_t value)     \
    {                                                                          \
        settings->network.field = (uint32_t)value;                             \
    }

NUMBER(byzantine_count)
NUMBER(adversary_mask)
NUMBER(hostile_count)
NUMBER(hostile_mask)
NUMBER(requests)
NUMBER(requests_after)
NUMBER(client_count)
NUMBER(outstanding_max)
NUMBER(payload_max)
NUMBER(flush_us)
NUMBER(sync_jitter_us)
NETWORK_NUMBER(loss_permille)
NETWORK_NUMBER(duplicate_permille)
NETWORK_NUMBER(detour_permille)
NETWORK_NUMBER(jitter_us)

#define ROW(name, lowest, field, says)                                         \
    {                                                                          \
        name, says, lowest, false, get_##field, set_##field                    \
    }
#define ROW_SET(name, field, says)                                             \
    {                                                                          \
        name, says, 0, true, get_##field, set_##field                          \
    }

const struct shrink_number shrink_numbers[] = {
    ROW("byzantine", 0, byzantine_count, "how many Byzantine replicas"),
    ROW_SET("strategies", adversary_mask, "a bit for each row of the table"),
    ROW("hostile", 0, hostile_count, "how many hostile clients"),
    ROW_SET("misdeeds", hostile_mask, "a bit for each row of their table"),
    ROW("requests", 0, requests, "of all clients together, amid the faults"),
    ROW("after", 0, requests_after, "requests of each client after the faults"),
    ROW("clients", 1, client_count, "how many clients"),
    ROW("outstanding", 1, outstanding_max, "requests of a client at a time"),
    ROW("payload", 1, payload_max, "bytes of a request at most"),
    ROW("loss", 0, loss_permille, "messages of 1000 that are lost"),
    ROW("duplicate", 0, duplicate_permille, "messages of 1000 that come twice"),
    ROW("detour", 0, detour_permille, "messages of 1000 that take ten times"),
    ROW("flush-us", 0, flush_us, "how long steps gather before a flush"),
    ROW("jitter-us", 0, jitter_us, "mean of what a message takes longer"),
    ROW("sync-jitter-us", 0, sync_jitter_us, "mean of what a sync adds"),
};

const size_t shrink_number_count =
    sizeof shrink_numbers / sizeof shrink_numbers[0];

static struct shrink_list list_up_to(uint64_t count)
{
    struct shrink_list list = {
        .numbers = calloc(count + 1, sizeof list.numbers[0]), .count = count};
    PBFT_ASSERT(list.numbers != NULL);
    for (uint64_t i = 0; i < count; i++) {
        list.numbers[i] = i + 1;
    }
    return list;
}

void shrink_case_init(struct shrink_case *out, const struct profile *profile,
                      uint64_t seed, uint64_t faults, uint64_t acts)
{
    *out = (struct shrink_case){.profile = profile,
                                .seed = seed,
                                .faults = list_up_to(faults),
                                .acts = list_up_to(acts)};
    profile->draw(&out->settings, seed);
}

void shrink_case_deinit(struct shrink_case *shrunk)
{
    free(shrunk->faults.numbers);
    free(shrunk->acts.numbers);
}

struct sim_settings shrink_case_settings(const struct shrink_case *shrunk)
{
    struct sim_settings settings = shrunk->settings;
    settings.fault_filter = (struct fault_filter){shrunk->faults.numbers,
                                                  shrunk->faults.count, true};
    settings.act_filter =
        (struct fault_filter){shrunk->acts.numbers, shrunk->acts.count, true};
    return settings;
}

static bool still_fails(struct shrink *shrink, const struct shrink_case *shrunk)
{
    struct sim_settings settings = shrink_case_settings(shrunk);
    if (shrink->trials >= shrink->trials_max) {
        return false;
    }
    shrink->trials++;
    return shrink->fails(shrink->context, &settings, shrunk->seed);
}

/* Leaves out `size` numbers of a list of the case, from `at` on, if it still
 * fails then. */
static bool leave_out(struct shrink *shrink, struct shrink_case *shrunk,
                      struct shrink_list *list, size_t at, size_t size)
{
    struct shrink_list before = *list;
    size_t rest = before.count - size;
    list->count = rest;
    list->numbers = calloc(rest + 1, sizeof list->numbers[0]);
    PBFT_ASSERT(list->numbers != NULL);
    memcpy(list->numbers, before.numbers, at * sizeof list->numbers[0]);
    memcpy(list->numbers + at, before.numbers + at + size,
           (rest - at) * sizeof list->numbers[0]);
    bool fails = still_fails(shrink, shrunk);
    if (fails) {
        free(before.numbers);
    } else {
        free(list->numbers);
        *list = before;
    }
    return fails;
}

static bool minimize_list(struct shrink *shrink, struct shrink_case *shrunk,
                          struct shrink_list *list)
{
    bool has_changed = false;
    size_t size = list->count;
    while (size > 0) {
        bool is_smaller = false;
        size_t at = 0;
        while (at < list->count) {
            size_t rest = list->count - at;
            if (leave_out(shrink, shrunk, list, at,
                          size < rest ? size : rest)) {
                is_smaller = true;
            } else {
                at += size;
            }
        }
        has_changed = has_changed || is_smaller;
        /* The last round is repeated until nothing can be left out. */
        size = size > 1 ? size / 2 : (is_smaller ? 1 : 0);
    }
    return has_changed;
}

static bool try_number(struct shrink *shrink, struct shrink_case *shrunk,
                       const struct shrink_number *row, uint64_t value)
{
    struct sim_settings before = shrunk->settings;
    row->set(&shrunk->settings, value);
    if (still_fails(shrink, shrunk)) {
        return true;
    }
    shrunk->settings = before;
    return false;
}

/* All the way down, else by halves of what is left. */
static bool minimize_number(struct shrink *shrink, struct shrink_case *shrunk,
                            const struct shrink_number *row)
{
    bool has_changed = false;
    uint64_t step = row->get(&shrunk->settings) - row->lowest;
    if (row->get(&shrunk->settings) <= row->lowest) {
        return false;
    }
    while (step > 0) {
        uint64_t value = row->get(&shrunk->settings);
        if (value - row->lowest >= step &&
            try_number(shrink, shrunk, row, value - step)) {
            has_changed = true;
        } else {
            step /= 2;
        }
    }
    return has_changed;
}

/* Bit by bit. */
static bool minimize_set(struct shrink *shrink, struct shrink_case *shrunk,
                         const struct shrink_number *row)
{
    bool has_changed = false;
    for (unsigned bit = 0; bit < 32; bit++) {
        uint64_t value = row->get(&shrunk->settings);
        if ((value >> bit & 1) != 0 &&
            try_number(shrink, shrunk, row, value & ~(UINT64_C(1) << bit))) {
            has_changed = true;
        }
    }
    return has_changed;
}

void shrink_minimize(struct shrink *shrink, struct shrink_case *shrunk)
{
    bool has_changed = true;
    while (has_changed && shrink->trials < shrink->trials_max) {
        has_changed = minimize_list(shrink, shrunk, &shrunk->faults);
        has_changed =
            minimize_list(shrink, shrunk, &shrunk->acts) || has_changed;
        for (size_t i = 0; i < shrink_number_count; i++) {
            const struct shrink_number *row = &shrink_numbers[i];
            if (row->is_set ? minimize_set(shrink, shrunk, row)
                            : minimize_number(shrink, shrunk, row)) {
                has_changed = true;
            }
        }
    }
}
