/* SPDX-License-Identifier: Apache-2.0 */
/* What each owner holds, and all together. */
#include "net/budget.h"

#include <pthread.h>
#include <stdlib.h>

#include "consensus/assert.h"
#include "net/fair.h"

struct net_budget {
    size_t bytes_max;
    uint32_t owners;
    pthread_mutex_t lock; /* Guards the rest. */
    size_t held;
    uint64_t refused;
    uint64_t held_by[]; /* By owner. */
};

struct net_budget *net_budget_create(size_t bytes_max, uint32_t owners)
{
    struct net_budget *budget =
        calloc(1, sizeof *budget + owners * sizeof *budget->held_by);
    if (budget != NULL) {
        budget->bytes_max = bytes_max;
        budget->owners = owners;
        (void)pthread_mutex_init(&budget->lock, NULL);
    }
    return budget;
}

void net_budget_destroy(struct net_budget *budget)
{
    if (budget != NULL) {
        PBFT_ASSERT(budget->held == 0);
        (void)pthread_mutex_destroy(&budget->lock);
        free(budget);
    }
}

bool net_budget_take(struct net_budget *budget, uint32_t owner, size_t bytes)
{
    if (budget == NULL || bytes == 0) {
        return true;
    }
    (void)pthread_mutex_lock(&budget->lock);
    const struct net_holdings holdings = {budget->bytes_max,
                                          budget->bytes_max - budget->held,
                                          budget->held_by, budget->owners};
    bool taken = net_fair_admits(&holdings, owner, bytes);
    if (taken) {
        budget->held += bytes;
        if (owner < budget->owners) {
            budget->held_by[owner] += bytes;
        }
    } else {
        budget->refused++;
    }
    (void)pthread_mutex_unlock(&budget->lock);
    return taken;
}

void net_budget_give(struct net_budget *budget, uint32_t owner, size_t bytes)
{
    if (budget == NULL || bytes == 0) {
        return;
    }
    (void)pthread_mutex_lock(&budget->lock);
    PBFT_ASSERT(budget->held >= bytes);
    budget->held -= bytes;
    if (owner < budget->owners) {
        PBFT_ASSERT(budget->held_by[owner] >= bytes);
        budget->held_by[owner] -= bytes;
    }
    (void)pthread_mutex_unlock(&budget->lock);
}

size_t net_budget_held(struct net_budget *budget)
{
    (void)pthread_mutex_lock(&budget->lock);
    size_t held = budget->held;
    (void)pthread_mutex_unlock(&budget->lock);
    return held;
}

uint64_t net_budget_refused(struct net_budget *budget)
{
    if (budget == NULL) {
        return 0;
    }
    (void)pthread_mutex_lock(&budget->lock);
    uint64_t refused = budget->refused;
    (void)pthread_mutex_unlock(&budget->lock);
    return refused;
}
