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
    pbft_time_ms leased_until;
};

struct history {
    struct storage *storage;
    pthread_mutex_t lock; /* Guards all below, and what they point to. */
    struct history_state *states[ROOM]; /* Ascending by seq. */
    size_t count;
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

/* Beyond the last blocks only what was asked lately stays, the newest first. */
static void trim(struct history *history, pbft_time_ms now_ms)
{
    size_t leased = 0;
    if (history->count <= NODE_HISTORY_BLOCKS) {
        return;
    }
    for (size_t i = history->count - NODE_HISTORY_BLOCKS; i-- > 0;) {
        bool keep = history->states[i]->leased_until > now_ms &&
                    leased < NODE_HISTORY_LEASES;
        if (keep) {
            leased++;
        } else {
            drop(history, i);
        }
    }
}

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
                                pbft_time_ms now_ms, struct history_state **out,
                                pbft_seq *newest)
{
    enum pbft_status status = PBFT_NOT_FOUND;
    (void)pthread_mutex_lock(&history->lock);
    struct history_state *state = find(history, seq);
    *newest = history->count > 0 ? history->states[history->count - 1]->seq : 0;
    if (state != NULL) {
        state->references++;
        state->leased_until = now_ms + NODE_HISTORY_LEASE_MS;
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
