/* SPDX-License-Identifier: Apache-2.0 */
/* One thread keeps every deadline of a client: gathering, pauses, attempts,
 * whole calls, dials that hang. */
#include <errno.h>
#include <time.h>

#include "client/client.h"

#define TICK_MAX_MS                                                            \
    250 /* The longest sleep: channels want to be looked at.                   \
         */

pbft_time_ms client_now_ms(void)
{
    return client_now_us() / 1000;
}

uint64_t client_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Puts the one list before the other. */
static struct submission *join(struct submission *list,
                               struct submission *others)
{
    while (list != NULL) {
        struct submission *next = list->next;
        list->next = others;
        others = list;
        list = next;
    }
    return others;
}

/* Takes out of a request those whose own time is over, while others may wait
 * for it still. They were submitted first, so they stand first. */
static struct submission *take_late(struct request *request, pbft_time_ms now)
{
    struct submission *list = NULL;

    while (request->first != NULL && now >= request->first->deadline) {
        struct submission *late = request->first;
        request->first = late->next;
        request->told_count += late->count;
        late->next = list;
        list = late;
    }
    return list;
}

/* The time of all in it is over: a VOID takes its place, so that the session's
 * window can move on. Returns its submissions. */
static struct submission *give_up_one(struct salus_client *client,
                                      struct request *request, pbft_time_ms now)
{
    struct submission *list = request->first;

    if (request->is_void && request->message != NULL) {
        request->first = NULL; /* The VOID is under way. */
    } else if (client_make_void(client, request) == PBFT_OK) {
        request->state = REQUEST_READY;
    } else {
        request->state = REQUEST_WAITING;
        request->retry_at = now + TICK_MAX_MS;
    }
    return list;
}

/* Submissions that waited as long as they may in a request. */
static struct submission *give_up(struct salus_client *client, pbft_time_ms now)
{
    struct submission *list = NULL;

    for (struct request *it = client->requests_first; it != NULL;
         it = it->next) {
        bool is_settled =
            it->first == NULL && it->is_void && it->message != NULL;
        if (is_settled) {
            continue;
        }
        struct submission *late = now >= it->deadline
                                      ? give_up_one(client, it, now)
                                      : take_late(it, now);
        client_fill_results(late, it->failure, it->refusal_code);
        list = join(late, list);
    }
    return list;
}

/* The same for submissions that never got into a request. */
static struct submission *give_up_queued(struct salus_client *client,
                                         pbft_time_ms now)
{
    struct submission *list = NULL;

    while (client->queue_first != NULL &&
           now >= client->queue_first->deadline) {
        struct submission *submission = client->queue_first;
        client->queue_first = submission->next;
        client->queue_count -= submission->count;
        client->queue_bytes -= submission->bytes;
        submission->next = list;
        list = submission;
    }
    if (client->queue_first == NULL) {
        client->queue_last = NULL;
    }
    client_fill_results(list, SALUS_TIMED_OUT, 0);
    return list;
}

/* Pauses that are over. Returns the next moment of interest. */
static pbft_time_ms wake_waiting(struct salus_client *client, pbft_time_ms now)
{
    pbft_time_ms next = now + TICK_MAX_MS;

    for (struct request *it = client->requests_first; it != NULL;
         it = it->next) {
        if (it->state == REQUEST_WAITING && it->retry_at <= now) {
            it->state = REQUEST_READY;
        } else if (it->state == REQUEST_WAITING && it->retry_at < next) {
            next = it->retry_at;
        }
        if (it->first != NULL && it->first->deadline < next) {
            next = it->first->deadline;
        }
    }
    return next;
}

static void tick_channels(struct salus_client *client, pbft_time_ms now)
{
    for (uint32_t i = 0; i < client->replica_count; i++) {
        (void)pthread_mutex_lock(&client->lock);
        struct net_channel *channel = client->channels[i];
        (void)pthread_mutex_unlock(&client->lock);
        if (channel != NULL) {
            (void)net_channel_tick(channel, now);
        }
    }
}

/* Sleeps until it is wanted or `until_us`. Lock held. */
static void sleep_until(struct salus_client *client, uint64_t until_us)
{
    const struct timespec until = {(time_t)(until_us / 1000000),
                                   (long)(until_us % 1000000) * 1000};

    client->sleeps_until_us = until_us;
    (void)pthread_cond_timedwait(&client->tick, &client->lock, &until);
    client->sleeps_until_us = 0; /* Awake: nobody need signal. */
}

/* Everything that is due. Returns when to come again. Lock not held. */
static uint64_t do_what_is_due(struct salus_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    pbft_time_ms now = client_now_ms();
    struct submission *ended = give_up(client, now);
    struct submission *expired = give_up_queued(client, now);
    uint64_t next_us = wake_waiting(client, now) * 1000;
    (void)pthread_mutex_unlock(&client->lock);
    client_call_back(client, ended);
    client_call_back(client, expired);
    uint64_t gather_us = client_progress(client);
    return gather_us < next_us ? gather_us : next_us;
}

void *client_ticker(void *argument)
{
    struct salus_client *client = argument;
    pbft_time_ms channels_at = 0;

    (void)pthread_mutex_lock(&client->lock);
    while (!client->closing) {
        (void)pthread_mutex_unlock(&client->lock);
        uint64_t next_us = do_what_is_due(client);
        if (client_now_ms() >= channels_at) {
            tick_channels(client, client_now_ms());
            channels_at = client_now_ms() + TICK_MAX_MS / 2;
        }
        (void)pthread_mutex_lock(&client->lock);
        if (!client->closing) {
            sleep_until(client, next_us);
        }
    }
    (void)pthread_mutex_unlock(&client->lock);
    return NULL;
}
