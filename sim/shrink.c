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

void shrink_case_init(struct shrink_case *out, const struct profile *profile,
                      uint64_t seed, uint64_t faults)
{
    *out = (struct shrink_case){.profile = profile, .seed = seed};
    profile->draw(&out->settings, seed);
    out->faults = calloc(faults + 1, sizeof out->faults[0]);
    PBFT_ASSERT(out->faults != NULL);
    for (uint64_t i = 0; i < faults; i++) {
        out->faults[i] = i + 1;
    }
    out->fault_count = faults;
}

void shrink_case_deinit(struct shrink_case *shrunk)
{
    free(shrunk->faults);
}

/* With these faults alone. */
static bool fails_with(struct shrink *shrink, const struct shrink_case *shrunk,
                       const uint64_t *faults, size_t count)
{
    struct sim_settings settings = shrunk->settings;
    if (shrink->trials >= shrink->trials_max) {
        return false;
    }
    shrink->trials++;
    settings.fault_filter = (struct fault_filter){faults, count, true};
    return shrink->fails(shrink->context, &settings, shrunk->seed);
}

/* Leaves out `size` faults from `at` on, if it still fails then. */
static bool leave_out(struct shrink *shrink, struct shrink_case *shrunk,
                      size_t at, size_t size)
{
    size_t rest = shrunk->fault_count - size;
    uint64_t *faults = calloc(rest + 1, sizeof faults[0]);
    PBFT_ASSERT(faults != NULL);
    memcpy(faults, shrunk->faults, at * sizeof faults[0]);
    memcpy(faults + at, shrunk->faults + at + size,
           (rest - at) * sizeof faults[0]);
    bool fails = fails_with(shrink, shrunk, faults, rest);
    if (fails) {
        memcpy(shrunk->faults, faults, rest * sizeof faults[0]);
        shrunk->fault_count = rest;
    }
    free(faults);
    return fails;
}

static bool minimize_faults(struct shrink *shrink, struct shrink_case *shrunk)
{
    bool has_changed = false;
    size_t size = shrunk->fault_count;
    while (size > 0) {
        bool is_smaller = false;
        size_t at = 0;
        while (at < shrunk->fault_count) {
            size_t rest = shrunk->fault_count - at;
            if (leave_out(shrink, shrunk, at, size < rest ? size : rest)) {
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
    if (fails_with(shrink, shrunk, shrunk->faults, shrunk->fault_count)) {
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
        has_changed = minimize_faults(shrink, shrunk);
        for (size_t i = 0; i < shrink_number_count; i++) {
            const struct shrink_number *row = &shrink_numbers[i];
            if (row->is_set ? minimize_set(shrink, shrunk, row)
                            : minimize_number(shrink, shrunk, row)) {
                has_changed = true;
            }
        }
    }
}
