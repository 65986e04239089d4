/* SPDX-License-Identifier: Apache-2.0 */
/* A replica of a trial consortium on its way to the others. */
#include <stdio.h>
#include <string.h>

#include "client/tool_clock.h"
#include "client/trial_private.h"

#define MS_PER_S 1000

/* Where it stands, and where the furthest of all stands. Asked one after the
 * other: under load the lag is true within what is ordered meanwhile. */
static void look(struct trial *trial, uint32_t replica, struct trial_gap *out)
{
    struct trial_status status;

    *out = (struct trial_gap){.at_ms = tool_now_ms()};
    for (uint32_t i = 0; i < trial->count; i++) {
        if (trial->replicas.pids[i] == 0 || !trial_ask(trial, i, &status)) {
            continue;
        }
        if (i == replica) {
            out->answers = true;
            out->executed = status.executed;
        }
        if (status.executed > out->highest) {
            out->highest = status.executed;
        }
    }
}

static double rate(uint64_t now, uint64_t before, uint64_t ms)
{
    return ms == 0 || before == 0 || now < before
               ? 0
               : (double)(now - before) * MS_PER_S / (double)ms;
}

static bool is_near(const struct trial_gap *gap, uint64_t lag_max)
{
    return gap->answers && gap->highest > 0 &&
           gap->highest - gap->executed <= lag_max;
}

enum trial_end trial_follow(struct trial *trial,
                            const struct trial_follow *options)
{
    struct trial_gap told = {.at_ms = tool_now_ms()};
    uint64_t began = told.at_ms;
    uint64_t progress_ms = began; /* When it last had a new block. */
    uint64_t executed = 0;

    for (;;) {
        struct trial_gap gap;
        look(trial, options->replica, &gap);
        if (options->look != NULL) {
            options->look(options->context);
        }
        if (gap.executed > executed) {
            executed = gap.executed;
            progress_ms = gap.at_ms;
        }
        uint64_t since_ms = gap.at_ms - told.at_ms;
        bool near = is_near(&gap, options->lag_max);
        if (near || since_ms >= options->interval_ms) {
            gap.rate = rate(gap.executed, told.executed, since_ms);
            gap.others_rate = rate(gap.highest, told.highest, since_ms);
            options->tell(options->context, &gap, near);
            told = gap;
        }
        if (near) {
            return TRIAL_REACHED;
        }
        if (options->stop != NULL && *options->stop != 0) {
            return TRIAL_STOPPED;
        }
        if (gap.at_ms - progress_ms >= options->patience_ms) {
            return TRIAL_STUCK;
        }
        if (gap.at_ms - began >= options->limit_ms) {
            return TRIAL_LIMIT;
        }
        trial_pause_briefly();
    }
}

/* Asks all once; true if they agree. `*differ`: equal heights, other roots. */
static bool is_agreed(struct trial *trial, bool *differ)
{
    struct trial_status first;
    struct trial_status status;
    bool agreed = true;

    *differ = false;
    if (!trial_ask(trial, 0, &first)) {
        return false;
    }
    for (uint32_t i = 1; i < trial->count; i++) {
        if (!trial_ask(trial, i, &status)) {
            agreed = false;
            continue;
        }
        bool equal = memcmp(status.ledger_root, first.ledger_root,
                            sizeof(first.ledger_root)) == 0;
        *differ |= status.executed == first.executed && !equal;
        agreed = agreed && status.executed == first.executed && equal;
    }
    return agreed;
}

static void print_heights(struct trial *trial)
{
    struct trial_status status;

    for (uint32_t i = 0; i < trial->count; i++) {
        if (trial_ask(trial, i, &status)) {
            (void)fprintf(stderr,
                          "salus: replica %u: block %llu, ledger root "
                          "%02x%02x%02x%02x...\n",
                          i, (unsigned long long)status.executed,
                          status.ledger_root[0], status.ledger_root[1],
                          status.ledger_root[2], status.ledger_root[3]);
        } else {
            (void)fprintf(stderr, "salus: replica %u does not answer\n", i);
        }
    }
}

bool trial_agree(struct trial *trial, uint32_t timeout_ms)
{
    uint64_t deadline = tool_now_ms() + timeout_ms;
    bool differ = false;

    while (!is_agreed(trial, &differ)) {
        if (differ || tool_now_ms() > deadline) {
            (void)fprintf(stderr, "salus: the replicas %s\n",
                          differ ? "have diverged" : "are not equally far");
            print_heights(trial);
            return false;
        }
        trial_pause_briefly();
    }
    return true;
}
