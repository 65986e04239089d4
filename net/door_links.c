/* SPDX-License-Identifier: Apache-2.0 */
/* The list of who is inside, and what is done to some of them. */
#include "net/door_private.h"

#include <string.h>

/* One frame may take so long to come, however slow the line: 4 MiB at 1 Mbit/s
 * take 34 s. */
#define RECEIVING_MS_MAX 60000

/* Not never, and no later. */
static bool is_since(pbft_time_ms time, pbft_time_ms since)
{
    return time != 0 && time <= since;
}

static bool is_picked(struct net_link *link, const struct door_picker *picker)
{
    struct net_link_state state;
    net_link_state(link, &state);
    if (state.is_closed) {
        return false;
    }
    switch (picker->pick) {
    case DOOR_PENDING_SINCE:
        return !state.is_ready && state.created <= picker->since;
    case DOOR_OWNER_SINCE:
        return state.is_admitted && net_link_owner(link) == picker->owner &&
               state.created <= picker->since;
    case DOOR_STUCK_SINCE:
        return is_since(state.sending_since, picker->since) ||
               is_since(state.receiving_since, picker->coming_since);
    case DOOR_ALL:
        return true;
    }
    return false;
}

struct net_link *door_next(struct net_door *door,
                           const struct door_picker *picker, uint32_t *place)
{
    struct net_link *found = NULL;
    (void)pthread_mutex_lock(&door->lock);
    while (found == NULL && *place < door->link_count) {
        struct net_link *link = door->links[(*place)++];
        if (is_picked(link, picker)) {
            net_link_hold(link);
            found = link;
            if (picker->count != NULL) {
                (*picker->count)++;
            }
        }
    }
    (void)pthread_mutex_unlock(&door->lock);
    return found;
}

void door_close_picked(struct net_door *door, const struct door_picker *picker)
{
    uint32_t place = 0;
    for (struct net_link *link = door_next(door, picker, &place); link != NULL;
         link = door_next(door, picker, &place)) {
        net_link_close(link);
        net_link_release(link);
    }
}

void door_check(struct net_door *door)
{
    const struct door_picker all = {.pick = DOOR_ALL};
    uint32_t place = 0;
    for (struct net_link *link = door_next(door, &all, &place); link != NULL;
         link = door_next(door, &all, &place)) {
        net_link_check(link);
        net_link_release(link);
    }
}

/* Takes one link that is over off the list. */
static struct net_link *take_over(struct net_door *door)
{
    struct net_link *found = NULL;
    (void)pthread_mutex_lock(&door->lock);
    for (uint32_t i = 0; i < door->link_count && found == NULL; i++) {
        if (net_link_is_over(door->links[i])) {
            found = door->links[i];
            door->links[i] = door->links[--door->link_count];
        }
    }
    (void)pthread_mutex_unlock(&door->lock);
    return found;
}

void door_bury(struct net_door *door)
{
    for (struct net_link *link = take_over(door); link != NULL;
         link = take_over(door)) {
        net_link_destroy(link);
    }
}

void door_count(const struct net_door *door, uint32_t owner,
                struct door_census *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < door->link_count; i++) {
        struct net_link_state state;
        net_link_state(door->links[i], &state);
        if (state.is_closed) {
            continue;
        }
        uint32_t link_owner = net_link_owner(door->links[i]);
        out->of_owner += state.is_admitted && link_owner == owner ? 1 : 0;
        out->admitted += state.is_admitted ? 1 : 0;
    }
}

uint32_t door_count_each(const struct net_door *door,
                         uint64_t held[PBFT_INSTITUTIONS_MAX])
{
    uint32_t admitted = 0;
    for (uint32_t i = 0; i < door->link_count; i++) {
        struct net_link_state state;
        uint32_t owner = net_link_owner(door->links[i]);
        net_link_state(door->links[i], &state);
        if (state.is_admitted && !state.is_closed) {
            admitted++;
            if (owner < PBFT_INSTITUTIONS_MAX) {
                held[owner]++;
            }
        }
    }
    return admitted;
}

struct pending {
    struct net_link *link;
    uint64_t source;
    pbft_time_ms created;
};

static uint32_t find_pending(const struct net_door *door,
                             struct pending out[NET_DOOR_PENDING_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < door->link_count && count < NET_DOOR_PENDING_MAX;
         i++) {
        struct net_link_state state;
        net_link_state(door->links[i], &state);
        if (!state.is_ready && !state.is_closed) {
            out[count++] =
                (struct pending){door->links[i], state.source, state.created};
        }
    }
    return count;
}

struct net_link *door_crowder(const struct net_door *door)
{
    struct pending all[NET_DOOR_PENDING_MAX];
    uint32_t count = find_pending(door, all);
    uint32_t most = 0;
    const struct pending *chosen = NULL;
    for (uint32_t i = 0; i < count && count == NET_DOOR_PENDING_MAX; i++) {
        uint32_t same = 0;
        for (uint32_t k = 0; k < count; k++) {
            same += all[k].source == all[i].source ? 1 : 0;
        }
        if (chosen == NULL || same > most ||
            (same == most && all[i].created < chosen->created)) {
            chosen = &all[i];
            most = same;
        }
    }
    return chosen != NULL ? chosen->link : NULL;
}

bool net_door_has(struct net_door *door, uint32_t owner)
{
    struct door_census census;
    (void)pthread_mutex_lock(&door->lock);
    door_count(door, owner, &census);
    (void)pthread_mutex_unlock(&door->lock);
    return census.of_owner > 0;
}

void net_door_close_owner(struct net_door *door, uint32_t owner,
                          pbft_time_ms now, pbft_time_ms age_ms)
{
    const struct door_picker picker = {.pick = DOOR_OWNER_SINCE,
                                       .owner = owner,
                                       .since =
                                           now > age_ms ? now - age_ms : 0};
    door_close_picked(door, &picker);
}

void net_door_close_stuck(struct net_door *door, pbft_time_ms now,
                          pbft_time_ms age_ms)
{
    const struct door_picker picker = {
        .pick = DOOR_STUCK_SINCE,
        .since = now > age_ms ? now - age_ms : 0,
        .coming_since = now > RECEIVING_MS_MAX ? now - RECEIVING_MS_MAX : 0};
    door_close_picked(door, &picker);
}

void net_door_resume(struct net_door *door)
{
    const struct door_picker all = {.pick = DOOR_ALL};
    uint32_t place = 0;
    for (struct net_link *link = door_next(door, &all, &place); link != NULL;
         link = door_next(door, &all, &place)) {
        net_link_resume(link);
        net_link_release(link);
    }
}
