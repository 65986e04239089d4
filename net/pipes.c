/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes in an open-addressing table: half empty, so that runs stay short. */
#include "net/pipes.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

struct net_pipes {
    struct net_pipe *places;
    uint32_t mask; /* Places - 1; their number is a power of two. */
    uint32_t pipes_max;
    uint32_t count;
};

struct net_pipes *net_pipes_create(uint32_t pipes_max)
{
    struct net_pipes *pipes = calloc(1, sizeof *pipes);
    uint32_t places = 2;
    PBFT_ASSERT(pipes_max > 0 && pipes_max <= UINT32_MAX / 4);
    while (places < pipes_max * 2) {
        places *= 2;
    }
    if (pipes != NULL) {
        pipes->places = calloc(places, sizeof *pipes->places);
        if (pipes->places == NULL) {
            free(pipes);
            return NULL;
        }
        pipes->mask = places - 1;
        pipes->pipes_max = pipes_max;
    }
    return pipes;
}

void net_pipes_destroy(struct net_pipes *pipes)
{
    if (pipes != NULL) {
        free(pipes->places);
        free(pipes);
    }
}

/* The place of the id, or the free one where it would go. */
static uint32_t place_of(const struct net_pipes *pipes, uint32_t id)
{
    uint32_t place = id & pipes->mask; /* NNG counts its ids up. */
    while (pipes->places[place].id != 0 && pipes->places[place].id != id) {
        place = (place + 1) & pipes->mask;
    }
    return place;
}

void net_pipes_add(struct net_pipes *pipes, const struct net_pipe *pipe)
{
    PBFT_ASSERT(pipe->id != 0);
    PBFT_ASSERT(pipes->count < pipes->pipes_max);
    uint32_t place = place_of(pipes, pipe->id);
    PBFT_ASSERT(pipes->places[place].id == 0);
    pipes->places[place] = *pipe;
    pipes->count++;
}

bool net_pipes_remove(struct net_pipes *pipes, uint32_t id)
{
    uint32_t hole = place_of(pipes, id);
    if (id == 0 || pipes->places[hole].id == 0) {
        return false;
    }
    pipes->places[hole].id = 0;
    pipes->count--;
    /* Move up what the hole would hide. */
    for (uint32_t next = (hole + 1) & pipes->mask; pipes->places[next].id != 0;
         next = (next + 1) & pipes->mask) {
        uint32_t wanted = pipes->places[next].id & pipes->mask;
        uint32_t to_hole = (next - hole) & pipes->mask;
        uint32_t to_wanted = (next - wanted) & pipes->mask;
        if (to_wanted >= to_hole) {
            pipes->places[hole] = pipes->places[next];
            pipes->places[next].id = 0;
            hole = next;
        }
    }
    return true;
}

const struct net_pipe *net_pipes_find(const struct net_pipes *pipes,
                                      uint32_t id)
{
    const struct net_pipe *pipe = &pipes->places[place_of(pipes, id)];
    return id != 0 && pipe->id == id ? pipe : NULL;
}

bool net_pipes_is_full(const struct net_pipes *pipes)
{
    return pipes->count == pipes->pipes_max;
}

uint32_t net_pipes_count(const struct net_pipes *pipes)
{
    return pipes->count;
}

uint32_t net_pipes_count_of(const struct net_pipes *pipes, uint32_t owner)
{
    uint32_t count = 0;
    uint32_t place = 0;
    for (const struct net_pipe *pipe = net_pipes_next(pipes, &place);
         pipe != NULL; pipe = net_pipes_next(pipes, &place)) {
        count += pipe->owner == owner ? 1 : 0;
    }
    return count;
}

bool net_pipes_has_remote(const struct net_pipes *pipes,
                          const struct net_endpoint *remote)
{
    uint32_t place = 0;
    for (const struct net_pipe *pipe = net_pipes_next(pipes, &place);
         pipe != NULL; pipe = net_pipes_next(pipes, &place)) {
        if (pipe->remote.port == remote->port &&
            memcmp(pipe->remote.address, remote->address,
                   sizeof remote->address) == 0) {
            return true;
        }
    }
    return false;
}

const struct net_pipe *net_pipes_next(const struct net_pipes *pipes,
                                      uint32_t *place)
{
    while (*place <= pipes->mask) {
        const struct net_pipe *pipe = &pipes->places[(*place)++];
        if (pipe->id != 0) {
            return pipe;
        }
    }
    return NULL;
}
