/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots by height, oldest first; those in use outlive their place. */
#include "node/history.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "node/limits.h"

#define ROOM (NODE_HISTORY_BLOCKS + NODE_HISTORY_LEASES + 1u)

struct history_state {
    pbft_seq seq;
    struct storage_view *view;
    uint32_t references; /* The list's and the borrowers'. */
};

/* Somebody asked for a state lately. */
struct lease {
    pbft_seq seq;
    uint32_t caller;
    pbft_time_ms until;
};

struct history {
    struct storage *storage;
    pthread_mutex_t lock; /* Guards all below, and what they point to. */
    struct history_state *states[ROOM]; /* Ascending by seq. */
    size_t count;
    struct lease leases[NODE_HISTORY_LEASES]; /* In no order. */
    size_t lease_count;
};

struct history *history_create(struct storage *storage)
{
    struct history *history = calloc(1, sizeof *history);
    PBFT_ASSERT(history != NULL);
    history->storage = storage;
    (void)pthread_mutex_init(&history->lock, NULL);
    return history;
}

static void release(struct history_state *state)
{
    PBFT_ASSERT(state->references > 0);
    if (--state->references == 0) {
        storage_view_close(state->view);
        free(state);
    }
}

void history_destroy(struct history *history)
{
    if (history == NULL) {
        return;
    }
    for (size_t i = 0; i < history->count; i++) {
        PBFT_ASSERT(history->states[i]->references == 1);
        release(history->states[i]);
    }
    (void)pthread_mutex_destroy(&history->lock);
    free(history);
}

static void drop(struct history *history, size_t index)
{
    release(history->states[index]);
    history->count--;
    memmove(&history->states[index], &history->states[index + 1],
            (history->count - index) * sizeof *history->states);
}

/* ---- leases -------------------------------------------------------------- */

static void end_lease(struct history *history, size_t index)
{
    history->leases[index] = history->leases[--history->lease_count];
}

static void end_expired(struct history *history, pbft_time_ms now_ms)
{
    for (size_t i = history->lease_count; i-- > 0;) {
        if (history->leases[i].until <= now_ms) {
            end_lease(history, i);
        }
    }
}

static bool is_leased(const struct history *history, pbft_seq seq)
{
    for (size_t i = 0; i < history->lease_count; i++) {
        if (history->leases[i].seq == seq) {
            return true;
        }
    }
    return false;
}

static size_t count_of(const struct history *history, uint32_t caller)
{
    size_t count = 0;
    for (size_t i = 0; i < history->lease_count; i++) {
        count += history->leases[i].caller == caller ? 1 : 0;
    }
    return count;
}

static bool is_older(const struct lease *a, const struct lease *b)
{
    return a->until != b->until ? a->until < b->until : a->seq < b->seq;
}

/* Ends the oldest lease of the caller. */
static void end_oldest(struct history *history, uint32_t caller)
{
    size_t oldest = history->lease_count;
    for (size_t i = 0; i < history->lease_count; i++) {
        if (history->leases[i].caller == caller &&
            (oldest == history->lease_count ||
             is_older(&history->leases[i], &history->leases[oldest]))) {
            oldest = i;
        }
    }
    PBFT_ASSERT(oldest < history->lease_count);
    end_lease(history, oldest);
}

/* Whoever has the most. */
static uint32_t greediest(const struct history *history)
{
    uint32_t caller = history->leases[0].caller;
    for (size_t i = 1; i < history->lease_count; i++) {
        if (count_of(history, history->leases[i].caller) >
            count_of(history, caller)) {
            caller = history->leases[i].caller;
        }
    }
    return caller;
}

/* One more takes the place of the caller's own oldest one; if there is no place
 * at all, of whoever has the most: nobody loses his only one to another's
 * second. */
static void lease(struct history *history, pbft_seq seq, uint32_t caller,
                  pbft_time_ms now_ms)
{
    end_expired(history, now_ms);
    for (size_t i = 0; i < history->lease_count; i++) {
        struct lease *known = &history->leases[i];
        if (known->seq == seq && known->caller == caller) {
            known->until = now_ms + NODE_HISTORY_LEASE_MS;
            return;
        }
    }
    if (count_of(history, caller) == NODE_HISTORY_LEASES_EACH) {
        end_oldest(history, caller);
    } else if (history->lease_count == NODE_HISTORY_LEASES) {
        end_oldest(history, greediest(history));
    }
    history->leases[history->lease_count++] =
        (struct lease){seq, caller, now_ms + NODE_HISTORY_LEASE_MS};
}

/* Beyond the last blocks only what was asked lately stays. */
static void trim(struct history *history, pbft_time_ms now_ms)
{
    if (history->count <= NODE_HISTORY_BLOCKS) {
        return;
    }
    end_expired(history, now_ms);
    for (size_t i = history->count - NODE_HISTORY_BLOCKS; i-- > 0;) {
        if (!is_leased(history, history->states[i]->seq)) {
            drop(history, i);
        }
    }
}

/* ---- states -------------------------------------------------------------- */

void history_add(struct history *history, pbft_seq seq, pbft_time_ms now_ms)
{
    struct history_state *state = calloc(1, sizeof *state);
    PBFT_ASSERT(state != NULL);
    state->seq = seq;
    state->references = 1;
    state->view = storage_view_open(history->storage, STORAGE_VIEW_SNAPSHOT);
    (void)pthread_mutex_lock(&history->lock);
    PBFT_ASSERT(history->count == 0 ||
                history->states[history->count - 1]->seq < seq);
    PBFT_ASSERT(history->count < ROOM);
    history->states[history->count++] = state;
    trim(history, now_ms);
    (void)pthread_mutex_unlock(&history->lock);
}

static struct history_state *find(const struct history *history, pbft_seq seq)
{
    for (size_t i = history->count; i-- > 0;) {
        if (seq == 0 || history->states[i]->seq == seq) {
            return history->states[i];
        }
    }
    return NULL;
}

enum pbft_status history_borrow(struct history *history, pbft_seq seq,
                                uint32_t caller, pbft_time_ms now_ms,
                                struct history_state **out, pbft_seq *newest)
{
    enum pbft_status status = PBFT_NOT_FOUND;
    (void)pthread_mutex_lock(&history->lock);
    struct history_state *state = find(history, seq);
    *newest = history->count > 0 ? history->states[history->count - 1]->seq : 0;
    if (state != NULL) {
        state->references++;
        lease(history, state->seq, caller, now_ms);
        *out = state;
        status = PBFT_OK;
    } else if (seq > *newest) {
        status = PBFT_LIMIT;
    }
    (void)pthread_mutex_unlock(&history->lock);
    return status;
}

void history_give_back(struct history *history, struct history_state *state)
{
    (void)pthread_mutex_lock(&history->lock);
    release(state);
    (void)pthread_mutex_unlock(&history->lock);
}

const struct ledger_kv *history_kv(const struct history_state *state)
{
    return storage_view_kv(state->view);
}

size_t history_count(struct history *history)
{
    (void)pthread_mutex_lock(&history->lock);
    size_t count = history->count;
    (void)pthread_mutex_unlock(&history->lock);
    return count;
}
