/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the requests: what has waited long. */
#include "consensus/assert.h"
#include "consensus/request.h"
#include "consensus/timer.h"

/* So that one institution's backlog does not fill a relay of all. */
#define STALE_PER_INSTITUTION 16u
/* Enough to judge a primary by. */
#define LYING_PER_INSTITUTION 4

/* Takes everything out first: putting back in order of age then keeps it. */
void pbft_requests_wait_again(struct pbft_requests *requests)
{
    for (uint32_t i = 0; i < requests->institutions_used; i++) {
        const struct pbft_pending_institution *entry =
            &requests->institutions[i];
        uint32_t index = entry->count == 0 ? PBFT_INDEX_NONE : entry->age.first;
        while (index != PBFT_INDEX_NONE) {
            pbft_requests_take(requests,
                               &requests->items[index].message->request.digest);
            requests->items[index].is_told = false; /* Another primary. */
            requests->items[index].relay_after = 0;
            requests->items[index].relay_pause = 0;
            index = requests->items[index].age.next;
        }
    }
    PBFT_ASSERT(requests->waiting == 0);
    PBFT_ASSERT(requests->waiting_bytes == 0);
    for (uint32_t i = 0; i < requests->institutions_used; i++) {
        const struct pbft_pending_institution *entry =
            &requests->institutions[i];
        uint32_t index = entry->count == 0 ? PBFT_INDEX_NONE : entry->age.first;
        while (index != PBFT_INDEX_NONE) {
            pbft_requests_put_back(requests, index);
            index = requests->items[index].age.next;
        }
    }
    PBFT_ASSERT(requests->waiting == requests->count);
}

/* Of each institution so many, that no other is left out. */
static uint32_t fair_part(const struct pbft_requests *requests, uint32_t max)
{
    const uint32_t names = requests->name_shares.total;
    const uint32_t part = names == 0 ? max : max / names;
    if (part < 1) {
        return 1;
    }
    return part < STALE_PER_INSTITUTION ? part : STALE_PER_INSTITUTION;
}

uint32_t pbft_requests_stale(const struct pbft_requests *requests,
                             pbft_time_ms now, pbft_time_ms age_ms,
                             const struct pbft_pending **out, uint32_t max)
{
    const uint32_t each = fair_part(requests, max);
    uint32_t count = 0;
    for (uint32_t i = 0; i < requests->institutions_used; i++) {
        const struct pbft_pending_institution *entry =
            &requests->institutions[i];
        uint32_t index = entry->count == 0 ? PBFT_INDEX_NONE : entry->age.first;
        for (uint32_t seen = 0;
             seen < each && count < max && index != PBFT_INDEX_NONE; seen++) {
            const struct pbft_pending *item = &requests->items[index];
            PBFT_ASSERT(item->since <= now);
            if (now - item->since < age_ms) {
                break;
            }
            out[count++] = item;
            index = item->age.next;
        }
    }
    PBFT_ASSERT(count <= max);
    return count;
}

uint32_t pbft_requests_lying(const struct pbft_requests *requests,
                             pbft_time_ms now, pbft_time_ms age_ms,
                             const struct pbft_pending **out, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < requests->institutions_used; i++) {
        const struct pbft_pending_institution *entry =
            &requests->institutions[i];
        uint32_t index = entry->count == 0 ? PBFT_INDEX_NONE : entry->age.first;
        uint32_t taken = 0;
        for (uint32_t seen = 0;
             seen < STALE_PER_INSTITUTION && count < max &&
             taken < LYING_PER_INSTITUTION && index != PBFT_INDEX_NONE;
             seen++) {
            const struct pbft_pending *item = &requests->items[index];
            if (now - item->since >= age_ms && item->is_waiting &&
                (item->is_own ? !item->is_shared : !item->is_told)) {
                out[count++] = item;
                taken++;
            }
            index = item->age.next;
        }
    }
    return count;
}

uint32_t pbft_requests_told(const struct pbft_requests *requests,
                            const struct pbft_pending **out, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < requests->institutions_used && count < max; i++) {
        const struct pbft_pending_institution *entry =
            &requests->institutions[i];
        uint32_t index = entry->count == 0 ? PBFT_INDEX_NONE : entry->age.first;
        for (uint32_t seen = 0;
             seen < STALE_PER_INSTITUTION && index != PBFT_INDEX_NONE; seen++) {
            const struct pbft_pending *item = &requests->items[index];
            if (item->is_waiting && item->is_told) {
                out[count++] = item;
                break;
            }
            index = item->age.next;
        }
    }
    return count;
}

void pbft_requests_relayed(struct pbft_requests *requests,
                           const struct pbft_pending *item, pbft_time_ms now,
                           pbft_time_ms pause_ms, pbft_time_ms pause_max_ms)
{
    PBFT_ASSERT(item >= requests->items &&
                item < requests->items + requests->capacity);
    struct pbft_pending *own = &requests->items[item - requests->items];
    own->relay_pause = own->relay_pause == 0 ? pause_ms : 2 * own->relay_pause;
    if (own->relay_pause > pause_max_ms) {
        own->relay_pause = pause_max_ms;
    }
    own->relay_after = pbft_time_after(now, own->relay_pause);
}

pbft_time_ms pbft_requests_deadline(struct pbft_requests *requests)
{
    pbft_time_ms earliest = PBFT_TIME_NEVER;
    for (uint32_t i = 0; i < requests->institutions_used; i++) {
        const struct pbft_pending_institution *entry =
            &requests->institutions[i];
        if (entry->count > 0 && entry->deadline < earliest) {
            earliest = entry->deadline;
        }
    }
    requests->earliest = earliest;
    return earliest;
}

void pbft_requests_restart(struct pbft_requests *requests, pbft_time_ms now)
{
    const pbft_time_ms deadline = pbft_time_after(now, requests->timeout_ms);
    for (uint32_t i = 0; i < requests->institutions_used; i++) {
        if (requests->institutions[i].count > 0) {
            requests->institutions[i].oldest_at = now;
            requests->institutions[i].deadline = deadline;
        }
    }
    requests->earliest = requests->count > 0 ? deadline : PBFT_TIME_NEVER;
}

static void check_institution(const struct pbft_requests *requests,
                              const struct pbft_pending_institution *entry,
                              uint32_t *waiting, size_t *bytes)
{
    uint32_t count = 0;
    for (uint32_t i = entry->age.first; i != PBFT_INDEX_NONE;
         i = requests->items[i].age.next) {
        count++;
        *waiting += requests->items[i].is_waiting;
        PBFT_INVARIANT(requests->items[i].message != NULL);
        *bytes += requests->items[i].message->request.payload.size;
        PBFT_INVARIANT(
            &requests->institutions[requests->items[i].institution] == entry);
    }
    PBFT_INVARIANT(count == entry->count);
    PBFT_INVARIANT(count <= requests->institution_max);
    PBFT_INVARIANT(entry->deadline >= requests->earliest);
}

/* Those for whom it is the first place: the others are counted there. */
static uint32_t count_queued(const struct pbft_requests *requests,
                             uint32_t queue)
{
    uint32_t count = 0;
    uint32_t i = requests->queues[queue].items.first;
    PBFT_INVARIANT(i != PBFT_INDEX_NONE);
    while (i != PBFT_INDEX_NONE) {
        const struct pbft_pending *item = &requests->items[i];
        const bool is_first = item->places[0].queue == queue;
        PBFT_INVARIANT(item->is_waiting);
        PBFT_INVARIANT(is_first || item->places[1].queue == queue);
        PBFT_INVARIANT(!is_first ||
                       requests->queues[queue].bringer == item->bringer);
        count += is_first;
        i = item->places[is_first ? 0 : 1].turn.next;
    }
    return count;
}

/* Whatever waits has a turn. */
static uint32_t count_in_turn(const struct pbft_requests *requests,
                              uint32_t lane)
{
    uint32_t count = 0;
    for (uint32_t i = requests->rounds[lane].first; i != PBFT_INDEX_NONE;
         i = requests->bringers[i].turns[lane].next) {
        uint32_t queue = requests->bringers[i].queues[lane].first;
        uint32_t queues = 0;
        PBFT_INVARIANT(queue != PBFT_INDEX_NONE);
        for (; queue != PBFT_INDEX_NONE;
             queue = requests->queues[queue].turn.next) {
            PBFT_INVARIANT(requests->queues[queue].bringer == i);
            PBFT_INVARIANT(requests->queues[queue].lane == lane);
            count += count_queued(requests, queue);
            queues++;
        }
        PBFT_INVARIANT(queues == requests->bringers[i].queue_count[lane]);
    }
    return count;
}

void pbft_requests_check_invariants(const struct pbft_requests *requests)
{
    uint32_t count = 0;
    uint32_t waiting = 0;
    size_t bytes = 0;
    for (uint32_t i = 0; i < requests->institutions_used; i++) {
        if (requests->institutions[i].count > 0) {
            check_institution(requests, &requests->institutions[i], &waiting,
                              &bytes);
            count += requests->institutions[i].count;
        }
    }
    PBFT_INVARIANT(count == requests->count);
    PBFT_INVARIANT(count <= requests->capacity);
    PBFT_INVARIANT(bytes == requests->byte_shares.total);
    PBFT_INVARIANT(bytes <= requests->bytes_max);
    PBFT_INVARIANT(waiting == requests->waiting);
    PBFT_INVARIANT(count_in_turn(requests, PBFT_LANE_URGENT) +
                       count_in_turn(requests, PBFT_LANE_NORMAL) ==
                   requests->waiting);
}
