/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is: lanes, in them bringers, of them institutions. */
#include "consensus/assert.h"
#include "consensus/request_chain.h"

/* Urgent requests before a normal one has its turn. Who calls everything urgent
 * (execution judges that, too late) would else keep all normal requests waiting
 * until honest primaries are deposed for it. */
#define URGENT_RUN_MAX 3

static struct pbft_link *item_turn(struct pbft_requests *requests,
                                   uint32_t index, uint32_t lane)
{
    (void)lane;
    return &requests->items[index].turn;
}

static struct pbft_link *queue_turn(struct pbft_requests *requests,
                                    uint32_t index, uint32_t lane)
{
    (void)lane;
    return &requests->queues[index].turn;
}

static struct pbft_link *bringer_turn(struct pbft_requests *requests,
                                      uint32_t index, uint32_t lane)
{
    return &requests->bringers[index].turns[lane];
}

/* Where `item` waits, or would wait, if `bringer` brought it. */
static uint32_t find_queue(const struct pbft_requests *requests,
                           const struct pbft_pending *item, uint32_t bringer)
{
    const uint32_t lane = (uint32_t)item->message->request.lane;
    uint32_t index = requests->institutions[item->institution].queues;
    while (index != PBFT_INDEX_NONE &&
           (requests->queues[index].bringer != bringer ||
            requests->queues[index].lane != lane)) {
        index = requests->queues[index].next;
    }
    return index;
}

/* There is one for each item. */
static uint32_t open_queue(struct pbft_requests *requests,
                           const struct pbft_pending *item)
{
    const uint32_t index = requests->free_queue;
    const uint32_t lane = (uint32_t)item->message->request.lane;
    struct pbft_pending_institution *institution =
        &requests->institutions[item->institution];
    struct pbft_chain *round = &requests->bringers[item->bringer].queues[lane];
    PBFT_ASSERT(index != PBFT_INDEX_NONE);
    PBFT_ASSERT(lane < PBFT_LANE_COUNT);
    struct pbft_request_queue *queue = &requests->queues[index];
    requests->free_queue = queue->next;
    *queue = (struct pbft_request_queue){.institution = item->institution,
                                         .bringer = item->bringer,
                                         .lane = lane,
                                         .next = institution->queues,
                                         .items = pbft_empty_chain};
    institution->queues = index;
    if (pbft_chain_is_empty(round)) {
        pbft_chain_append(requests, &requests->rounds[lane], bringer_turn,
                          item->bringer, lane);
    }
    pbft_chain_append(requests, round, queue_turn, index, lane);
    requests->bringers[item->bringer].queue_count[lane]++;
    return index;
}

static void close_queue(struct pbft_requests *requests, uint32_t index)
{
    struct pbft_request_queue *queue = &requests->queues[index];
    struct pbft_chain *round =
        &requests->bringers[queue->bringer].queues[queue->lane];
    uint32_t *at = &requests->institutions[queue->institution].queues;
    pbft_chain_detach(requests, round, queue_turn, index, queue->lane);
    requests->bringers[queue->bringer].queue_count[queue->lane]--;
    if (pbft_chain_is_empty(round)) {
        pbft_chain_detach(requests, &requests->rounds[queue->lane],
                          bringer_turn, queue->bringer, queue->lane);
    }
    while (*at != index) {
        PBFT_ASSERT(*at != PBFT_INDEX_NONE);
        at = &requests->queues[*at].next;
    }
    *at = queue->next;
    queue->next = requests->free_queue;
    requests->free_queue = index;
}

void pbft_requests_put_back(struct pbft_requests *requests, uint32_t index)
{
    struct pbft_pending *item = &requests->items[index];
    PBFT_ASSERT(!item->is_waiting);
    item->queue = find_queue(requests, item, item->bringer);
    if (item->queue == PBFT_INDEX_NONE) {
        item->queue = open_queue(requests, item);
    }
    item->ticket = requests->queues[item->queue].tickets++;
    pbft_chain_append(requests, &requests->queues[item->queue].items, item_turn,
                      index, 0);
    item->is_waiting = true;
    requests->waiting++;
    requests->waiting_bytes += item->message->request.payload.size;
}

/* Its bringer has so many turns until what has `before` others before it in its
 * queue is served: each queue of his in turn. */
static uint64_t turns_until(const struct pbft_requests *requests,
                            uint32_t bringer, uint32_t lane, bool is_open,
                            uint32_t before)
{
    const uint64_t queues =
        (uint64_t)requests->bringers[bringer].queue_count[lane] +
        (is_open ? 0 : 1);
    return queues * ((uint64_t)before + 1);
}

/* How many tickets of a queue come before `ticket`; some may be gone. */
static uint32_t before_ticket(const struct pbft_requests *requests,
                              uint32_t queue, uint32_t ticket)
{
    const uint32_t first = requests->queues[queue].items.first;
    return ticket - requests->items[first].ticket;
}

bool pbft_requests_is_sooner(const struct pbft_requests *requests,
                             uint32_t index, uint32_t bringer)
{
    const struct pbft_pending *item = &requests->items[index];
    const uint32_t lane = (uint32_t)item->message->request.lane;
    PBFT_ASSERT(item->is_waiting);
    const uint32_t queue = find_queue(requests, item, bringer);
    const bool is_open = queue != PBFT_INDEX_NONE;
    const uint32_t before =
        is_open
            ? before_ticket(requests, queue, requests->queues[queue].tickets)
            : 0;
    return turns_until(requests, bringer, lane, is_open, before) <
           turns_until(requests, item->bringer, lane, true,
                       before_ticket(requests, item->queue, item->ticket));
}

void pbft_requests_end_waiting(struct pbft_requests *requests, uint32_t index)
{
    struct pbft_pending *item = &requests->items[index];
    struct pbft_request_queue *queue = &requests->queues[item->queue];
    if (!item->is_waiting) {
        return;
    }
    pbft_chain_detach(requests, &queue->items, item_turn, index, 0);
    if (pbft_chain_is_empty(&queue->items)) {
        close_queue(requests, item->queue);
    }
    PBFT_ASSERT(requests->waiting > 0);
    item->is_waiting = false;
    requests->waiting--;
    requests->waiting_bytes -= item->message->request.payload.size;
}

/* The lane that is served next: urgent first. */
static uint32_t next_lane(const struct pbft_requests *requests)
{
    const bool has_urgent =
        !pbft_chain_is_empty(&requests->rounds[PBFT_LANE_URGENT]);
    const bool has_normal =
        !pbft_chain_is_empty(&requests->rounds[PBFT_LANE_NORMAL]);
    return has_urgent && (!has_normal || requests->urgent_run < URGENT_RUN_MAX)
               ? PBFT_LANE_URGENT
               : PBFT_LANE_NORMAL;
}

/* Whoever was served moves behind the others, if it has more and is not alone.
 */
static void end_turn(struct pbft_requests *requests, struct pbft_chain *round,
                     pbft_link_of *link, uint32_t index, uint32_t lane)
{
    if (round->first == index && round->last != index) {
        pbft_chain_detach(requests, round, link, index, lane);
        pbft_chain_append(requests, round, link, index, lane);
    }
}

const struct pbft_message *pbft_requests_next(struct pbft_requests *requests,
                                              size_t bytes_max)
{
    const uint32_t lane = next_lane(requests);
    struct pbft_chain *round = &requests->rounds[lane];
    if (pbft_chain_is_empty(round)) {
        PBFT_ASSERT(requests->waiting == 0);
        return NULL;
    }
    const uint32_t bringer = round->first;
    struct pbft_chain *own = &requests->bringers[bringer].queues[lane];
    const uint32_t queue = own->first;
    const uint32_t index = requests->queues[queue].items.first;
    const struct pbft_message *message = requests->items[index].message;
    if (message->request.payload.size > bytes_max) {
        return NULL;
    }
    pbft_requests_end_waiting(requests, index);
    requests->urgent_run =
        lane == PBFT_LANE_URGENT ? requests->urgent_run + 1 : 0;
    end_turn(requests, own, queue_turn, queue, lane);
    end_turn(requests, round, bringer_turn, bringer, lane);
    return message;
}
