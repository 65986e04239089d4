/* SPDX-License-Identifier: Apache-2.0 */
/* Requests fly to a replica, and to another one if they come back without a
 * proof. What the replies say: replies.c.
 */
#include <stdlib.h>

#include "client/client.h"

/* A new channel may take so long to connect. */
#define CONNECT_GRACE_MS 1500
#define CONNECT_RETRY_MS 20
#define ROUND_PAUSE_MS 200 /* After all replicas were asked in vain. */

/* ---- sending ------------------------------------------------------------- */

void client_ask_another(struct salus_client *client, struct request *request)
{
    client->statistics.fail_overs++;
    request->busy = 0;
    request->replica = (request->replica + 1) % client->replica_count;
    request->attempts++;
    request->state = REQUEST_READY;
    if (request->attempts % client->replica_count == 0) {
        request->state = REQUEST_WAITING;
        request->retry_at = client_now_ms() + ROUND_PAUSE_MS;
    }
}

void client_wait_for(struct request *request, pbft_time_ms pause_ms)
{
    request->state = REQUEST_WAITING;
    request->retry_at = client_now_ms() + pause_ms;
}

/* The attempt could not even be sent. */
static void on_not_sent(struct salus_client *client, struct request *request)
{
    if (client_now_ms() <
        client->channel_opened[request->replica] + CONNECT_GRACE_MS) {
        client_wait_for(request, CONNECT_RETRY_MS);
    } else {
        client_ask_another(client, request);
    }
}

static struct request *find_ready(struct salus_client *client)
{
    for (struct request *it = client->requests_first; it != NULL;
         it = it->next) {
        if (it->state == REQUEST_READY) {
            return it;
        }
    }
    return NULL;
}

static void send_attempt(struct salus_client *client, struct request *request)
{
    struct attempt *attempt = calloc(1, sizeof(*attempt));
    enum pbft_status status = PBFT_NO_MEMORY;

    request->state = REQUEST_FLYING;
    request->attempt++;
    if (attempt == NULL) {
        client_wait_for(request, ROUND_PAUSE_MS);
        return;
    }
    *attempt = (struct attempt){.client = client,
                                .request = request,
                                .replica = request->replica,
                                .number = request->attempt};
    /* The attempt's, given back with its answer, and ours: the answer may come,
     * and end the request, before we hold the lock again. */
    request->references += 2;
    /* From here on it may happen, whoever looks while we have no lock. */
    bool was_sent = request->failure != SALUS_UNREACHABLE;
    request->failure = was_sent ? request->failure : SALUS_TIMED_OUT;
    /* The ticker may put a VOID in its place meanwhile. */
    struct pbft_buffer *call = pbft_buffer_ref(request->call);
    pbft_time_ms deadline = client_now_ms() + client->config.attempt_timeout_ms;
    (void)pthread_mutex_unlock(&client->lock);
    struct net_channel *channel = client_channel_take(client, attempt->replica);
    if (channel != NULL) {
        status = net_channel_call(channel, (uintptr_t)attempt,
                                  pbft_buffer_bytes(call), deadline);
        client_channel_give_back(client);
    }
    pbft_buffer_unref(call);
    (void)pthread_mutex_lock(&client->lock);
    if (status != PBFT_OK) {
        request->failure = was_sent ? request->failure : SALUS_UNREACHABLE;
        free(attempt);
        if (request->state == REQUEST_FLYING) {
            on_not_sent(client, request);
        }
        client_request_release(request);
    }
    client_request_release(request);
}

uint64_t client_progress(struct salus_client *client)
{
    struct request *request;

    (void)pthread_mutex_lock(&client->lock);
    uint64_t due = client_gather(client, client_now_us());
    while (!client->closing && (request = find_ready(client)) != NULL) {
        send_attempt(client, request);
        due = client_gather(client, client_now_us());
    }
    if (due < client->sleeps_until_us) {
        (void)pthread_cond_signal(&client->tick);
    }
    (void)pthread_mutex_unlock(&client->lock);
    return due;
}

void client_on_state(void *context, bool connected)
{
    struct client_home *home = context;
    struct salus_client *client = home->client;

    (void)pthread_mutex_lock(&client->lock);
    if (connected) {
        for (struct request *it = client->requests_first; it != NULL;
             it = it->next) {
            if (it->state == REQUEST_WAITING && it->replica == home->replica) {
                it->retry_at = 0;
            }
        }
    }
    (void)pthread_cond_signal(&client->tick);
    (void)pthread_mutex_unlock(&client->lock);
}
