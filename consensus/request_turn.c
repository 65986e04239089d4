/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is: lanes, in them bringers, of them institutions. */
#include "consensus/assert.h"
#include "consensus/request_chain.h"

/* Urgent requests before a normal one has its turn. Who calls everything urgent
 * (execution judges that, too late) would else keep all normal requests waiting
 * until honest primaries are deposed for it. */
#define URGENT_RUN_MAX 3

/* Its place in that queue. */
static struct pbft_place *place_in(struct pbft_requests *requests,
                                   uint32_t index, uint32_t queue)
{
    struct pbft_place *places = requests->items[index].places;
    uint32_t i = 0;
    while (places[i].queue != queue) {
        i++;
        PBFT_ASSERT(i < PBFT_PLACES_MAX);
    }
    return &places[i];
}

static struct pbft_link *item_turn(struct pbft_requests *requests,
                                   uint32_t index, uint32_t queue)
{
    return &place_in(requests, index, queue)->turn;
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

/* There is one for each place. */
static uint32_t open_queue(struct pbft_requests *requests,
                           const struct pbft_pending *item, uint32_t bringer)
{
    const uint32_t index = requests->free_queue;
    const uint32_t lane = (uint32_t)item->message->request.lane;
    struct pbft_pending_institution *institution =
        &requests->institutions[item->institution];
    struct pbft_chain *round = &requests->bringers[bringer].queues[lane];
    PBFT_ASSERT(index != PBFT_INDEX_NONE);
    PBFT_ASSERT(lane < PBFT_LANE_COUNT);
    struct pbft_request_queue *queue = &requests->queues[index];
    requests->free_queue = queue->next;
    *queue = (struct pbft_request_queue){.institution = item->institution,
                                         .bringer = bringer,
                                         .lane = lane,
                                         .next = institution->queues,
                                         .items = pbft_empty_chain};
    institution->queues = index;
    if (pbft_chain_is_empty(round)) {
        pbft_chain_append(requests, &requests->rounds[lane], bringer_turn,
                          bringer, lane);
    }
    pbft_chain_append(requests, round, queue_turn, index, lane);
    requests->bringers[bringer].queue_count[lane]++;
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

/* At the end of the queue of `bringer`. */
static void take_place(struct pbft_requests *requests, uint32_t index,
                       struct pbft_place *place, uint32_t bringer)
{
    const struct pbft_pending *item = &requests->items[index];
    PBFT_ASSERT(place->queue == PBFT_INDEX_NONE);
    uint32_t queue = find_queue(requests, item, bringer);
    if (queue == PBFT_INDEX_NONE) {
        queue = open_queue(requests, item, bringer);
    }
    place->queue = queue;
    place->ticket = requests->queues[queue].tickets++;
    pbft_chain_append(requests, &requests->queues[queue].items, item_turn,
                      index, queue);
}

static void leave_place(struct pbft_requests *requests, uint32_t index,
                        struct pbft_place *place)
{
    const uint32_t queue = place->queue;
    if (queue == PBFT_INDEX_NONE) {
        return;
    }
    pbft_chain_detach(requests, &requests->queues[queue].items, item_turn,
                      index, queue);
    if (pbft_chain_is_empty(&requests->queues[queue].items)) {
        close_queue(requests, queue);
    }
    place->queue = PBFT_INDEX_NONE;
}

void pbft_requests_put_back(struct pbft_requests *requests, uint32_t index)
{
    struct pbft_pending *item = &requests->items[index];
    PBFT_ASSERT(!item->is_waiting);
    for (uint32_t i = 0; i < PBFT_PLACES_MAX; i++) {
        item->places[i].queue = PBFT_INDEX_NONE;
    }
    take_place(requests, index, &item->places[0], item->bringer);
    item->is_waiting = true;
    requests->waiting++;
    requests->waiting_bytes += item->message->request.payload.size;
}

void pbft_requests_end_waiting(struct pbft_requests *requests, uint32_t index)
{
    struct pbft_pending *item = &requests->items[index];
    if (!item->is_waiting) {
        return;
    }
    for (uint32_t i = 0; i < PBFT_PLACES_MAX; i++) {
        leave_place(requests, index, &item->places[i]);
    }
    PBFT_ASSERT(requests->waiting > 0);
    item->is_waiting = false;
    requests->waiting--;
    requests->waiting_bytes -= item->message->request.payload.size;
}

/* So many turns of a bringer, each queue of his in turn, until he is served who
 * has the others from `first` to `ticket` before him in one of them. */
static uint64_t turns_until(uint64_t queues, uint32_t first, uint32_t ticket)
{
    return queues * ((uint64_t)(ticket - first) + 1);
}

static uint32_t first_ticket(struct pbft_requests *requests, uint32_t queue)
{
    return place_in(requests, requests->queues[queue].items.first, queue)
        ->ticket;
}

/* At the end of his queue. */
static uint64_t turns_with(struct pbft_requests *requests,
                           const struct pbft_pending *item, uint32_t bringer)
{
    const uint32_t lane = (uint32_t)item->message->request.lane;
    const uint32_t queue = find_queue(requests, item, bringer);
    const uint64_t queues = requests->bringers[bringer].queue_count[lane];
    return queue == PBFT_INDEX_NONE
               ? turns_until(queues + 1, 0, 0)
               : turns_until(queues, first_ticket(requests, queue),
                             requests->queues[queue].tickets);
}

static uint64_t turns_at(struct pbft_requests *requests,
                         const struct pbft_place *place)
{
    if (place->queue == PBFT_INDEX_NONE) {
        return UINT64_MAX;
    }
    const struct pbft_request_queue *queue = &requests->queues[place->queue];
    const uint64_t queues =
        requests->bringers[queue->bringer].queue_count[queue->lane];
    return turns_until(queues, first_ticket(requests, place->queue),
                       place->ticket);
}

/* Who brought it first keeps his place: nobody can take it away by bringing it
 * too, and making his road long thereafter. */
void pbft_requests_bring_again(struct pbft_requests *requests, uint32_t index,
                               uint32_t bringer)
{
    struct pbft_pending *item = &requests->items[index];
    if (!item->is_waiting) {
        return;
    }
    const uint32_t queue = find_queue(requests, item, bringer);
    const uint64_t turns = turns_with(requests, item, bringer);
    for (uint32_t i = 0; i < PBFT_PLACES_MAX; i++) {
        if ((queue != PBFT_INDEX_NONE && item->places[i].queue == queue) ||
            turns >= turns_at(requests, &item->places[i])) {
            return;
        }
    }
    struct pbft_place *second = &item->places[PBFT_PLACES_MAX - 1];
    leave_place(requests, index, second);
    take_place(requests, index, second, bringer);
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
