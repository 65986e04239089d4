/* SPDX-License-Identifier: Apache-2.0 */
/* One slot per replica, kept alive by whoever waits and by each call that is
 * under way. */
#include "client/fan_out.h"

#include <stdlib.h>

struct fan_out {
    struct salus_client *client;
    uint32_t references; /* Guarded by the client's lock. */
    struct plain_call calls[PBFT_REPLICAS_MAX];
    bool is_out[PBFT_REPLICAS_MAX];
};

struct fan_out *fan_out_create(struct salus_client *client)
{
    struct fan_out *fan = calloc(1, sizeof *fan);
    if (fan != NULL) {
        fan->client = client;
        fan->references = 1;
    }
    return fan;
}

/* Lock held. */
static void drop(struct fan_out *fan)
{
    if (--fan->references > 0) {
        return;
    }
    for (size_t i = 0; i < PBFT_REPLICAS_MAX; i++) {
        if (fan->is_out[i] && fan->calls[i].reply != NULL) {
            pbft_buffer_unref(fan->calls[i].reply);
        }
    }
    free(fan);
}

void fan_out_release(struct fan_out *fan)
{
    if (fan == NULL) {
        return;
    }
    struct salus_client *client = fan->client;
    (void)pthread_mutex_lock(&client->lock);
    drop(fan);
    (void)pthread_mutex_unlock(&client->lock);
}

void fan_out_ended(struct plain_call *call)
{
    drop(call->fan);
}

/* The slot is filled before the call is sent: it may end before we are back. */
static void begin(struct fan_out *fan, uint32_t replica)
{
    (void)pthread_mutex_lock(&fan->client->lock);
    fan->calls[replica] = (struct plain_call){.fan = fan};
    fan->is_out[replica] = true;
    fan->references++;
    (void)pthread_mutex_unlock(&fan->client->lock);
}

static void take_back(struct fan_out *fan, uint32_t replica)
{
    (void)pthread_mutex_lock(&fan->client->lock);
    fan->is_out[replica] = false;
    fan->references--;
    (void)pthread_mutex_unlock(&fan->client->lock);
}

enum pbft_status fan_out_send(struct fan_out *fan, uint32_t replica,
                              struct pbft_bytes call, pbft_time_ms deadline)
{
    struct salus_client *client = fan->client;
    struct attempt *attempt = calloc(1, sizeof *attempt);
    enum pbft_status status = PBFT_UNREACHABLE;
    if (attempt == NULL) {
        return PBFT_NO_MEMORY;
    }
    *attempt = (struct attempt){
        .client = client, .plain = &fan->calls[replica], .replica = replica};
    begin(fan, replica);
    struct net_channel *channel = client_channel_take(client, replica);
    if (channel != NULL) {
        status = net_channel_call(channel, (uintptr_t)attempt, call, deadline);
        client_channel_give_back(client);
    }
    if (status != PBFT_OK) {
        free(attempt);
        take_back(fan, replica);
    }
    return status;
}

bool fan_out_is_out(struct fan_out *fan, uint32_t replica)
{
    return fan->is_out[replica];
}

static bool has_ended(const struct fan_out *fan)
{
    for (size_t i = 0; i < fan->client->replica_count; i++) {
        if (fan->is_out[i] && fan->calls[i].ended) {
            return true;
        }
    }
    return false;
}

bool fan_out_wait(struct fan_out *fan, pbft_time_ms until)
{
    struct salus_client *client = fan->client;
    const struct timespec at = {(time_t)(until / 1000),
                                (long)(until % 1000) * 1000000};
    (void)pthread_mutex_lock(&client->lock);
    while (!client->closing && !has_ended(fan) && client_now_ms() < until) {
        (void)pthread_cond_timedwait(&client->changed, &client->lock, &at);
    }
    bool closing = client->closing;
    (void)pthread_mutex_unlock(&client->lock);
    return !closing;
}

bool fan_out_take(struct fan_out *fan, uint32_t replica,
                  enum pbft_status *status, struct pbft_buffer **reply)
{
    struct plain_call *call = &fan->calls[replica];
    (void)pthread_mutex_lock(&fan->client->lock);
    bool ended = fan->is_out[replica] && call->ended;
    if (ended) {
        *status = call->status;
        *reply = call->reply;
        call->reply = NULL;
        fan->is_out[replica] = false;
    }
    (void)pthread_mutex_unlock(&fan->client->lock);
    return ended;
}
