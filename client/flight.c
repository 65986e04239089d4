/* SPDX-License-Identifier: Apache-2.0 */
/* Requests fly to a replica and come back with a proof, or fly to another one.
 *
 * A refusal by one replica proves nothing, for it may lie: only when f + 1
 * different ones refuse a request is it reported as inadmissible; fewer, and
 * nobody else to be had, and it is unproved. Nor does it count of a replica
 * that is only behind.
 */
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/outcome.h"
#include "consensus/quorum.h"
#include "ledger/errors.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

/* A new channel may take so long to connect. */
#define CONNECT_GRACE_MS 1500
#define CONNECT_RETRY_MS 20
#define ROUND_PAUSE_MS 200 /* After all replicas were asked in vain. */

/* ---- sending ------------------------------------------------------------- */

/* Another replica; a pause once all of them were asked. */
static void ask_another(struct salus_client *client, struct request *request)
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

static void wait_for(struct request *request, pbft_time_ms pause_ms)
{
    request->state = REQUEST_WAITING;
    request->retry_at = client_now_ms() + pause_ms;
}

/* The attempt could not even be sent. */
static void on_not_sent(struct salus_client *client, struct request *request)
{
    if (client_now_ms() <
        client->channel_opened[request->replica] + CONNECT_GRACE_MS) {
        wait_for(request, CONNECT_RETRY_MS);
    } else {
        ask_another(client, request);
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
        wait_for(request, ROUND_PAUSE_MS);
        return;
    }
    *attempt = (struct attempt){.client = client,
                                .request = request,
                                .replica = request->replica,
                                .number = request->attempt};
    /* The attempt's, given back with its answer, and ours: the answer may come,
     * and end the request, before we hold the lock again. */
    request->references += 2;
    struct pbft_bytes call = {request->call, request->call_size};
    pbft_time_ms deadline = client_now_ms() + client->config.attempt_timeout_ms;
    (void)pthread_mutex_unlock(&client->lock);
    struct net_channel *channel = client_channel_take(client, attempt->replica);
    if (channel != NULL) {
        status = net_channel_call(channel, (uintptr_t)attempt, call, deadline);
        client_channel_give_back(client);
    }
    (void)pthread_mutex_lock(&client->lock);
    if (status == PBFT_OK && request->failure == SALUS_UNREACHABLE) {
        request->failure = SALUS_TIMED_OUT; /* It may happen now. */
    }
    if (status != PBFT_OK) {
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

/* ---- replies ------------------------------------------------------------- */

/* So many refuse it that an honest one does. Its sequence must be used up all
 * the same, or the session's window would stop there: by a VOID. A VOID that is
 * refused was not needed. */
static struct submission *end_refused(struct salus_client *client,
                                      struct request *request)
{
    struct submission *list = request->first;

    client_fill_results(list, SALUS_INADMISSIBLE, request->refusal_code);
    if (request->is_void || client_make_void(client, request) != PBFT_OK) {
        request->first = list;
        return client_end_request(client, request);
    }
    request->state = REQUEST_READY;
    return list;
}

/* What it would not order now it may order later, as it is. */
static bool is_passing(const Salus__V1__Refusal *refusal)
{
    return refusal->code == SALUS__V1__REFUSAL__CODE__INADMISSIBLE &&
           ledger_code_is_retryable(refusal->ledger_code);
}

static pbft_time_ms busy_pause_ms(const Salus__V1__Refusal *refusal)
{
    uint32_t said = refusal->retry_after_ms;
    return said == 0                       ? CLIENT_BUSY_WAIT_MS
           : said < CLIENT_BUSY_LONGEST_MS ? said
                                           : CLIENT_BUSY_LONGEST_MS;
}

/* A replica refuses. Returns submissions to be told, if that is final. */
static struct submission *on_refusal(struct salus_client *client,
                                     struct request *request, uint32_t replica,
                                     const Salus__V1__Refusal *refusal)
{
    switch (refusal->code) {
    case SALUS__V1__REFUSAL__CODE__BUSY:
        client->statistics.busy++;
        if (++request->busy > CLIENT_BUSY_MAX) {
            break;
        }
        wait_for(request, busy_pause_ms(refusal));
        return NULL;
    case SALUS__V1__REFUSAL__CODE__TIMED_OUT:
    case SALUS__V1__REFUSAL__CODE__SYNCING:
    case SALUS__V1__REFUSAL__CODE__STOPPING:
        request->failure = SALUS_TIMED_OUT;
        break;
    default:
        if (is_passing(refusal)) {
            request->failure = SALUS_TIMED_OUT;
            break;
        }
        request->failure = SALUS_UNPROVED; /* Of these few. */
        request->refusal_code = refusal->ledger_code;
        pbft_set_add(&request->refused, replica);
        if (pbft_set_count(&request->refused) >=
            pbft_weak_quorum(client->replica_count)) {
            return end_refused(client, request);
        }
        break;
    }
    ask_another(client, request);
    return NULL;
}

/* Copies what was proved to all submissions of the request. */
static void fill_proved(struct salus_client *client, struct submission *list,
                        const struct outcome *outcome)
{
    size_t index = 0;

    if (outcome->block.seq > client->seen) {
        client->seen = outcome->block.seq;
    }

    for (struct submission *it = list; it != NULL; it = it->next) {
        for (size_t i = 0; i < it->result_count; i++) {
            struct salus_result *result = &it->results[i];
            result->seq = outcome->block.seq;
            result->block_time_us = outcome->block.block_time;
            result->code = outcome->request_code;
            if (outcome->request_code == 0 && it->count > 0) {
                result->code = outcome->transactions[index].code;
                memcpy(result->write_digest,
                       outcome->transactions[index].write_digest.bytes,
                       sizeof(result->write_digest));
                index++;
            }
            result->status = result->code == 0 ? SALUS_OK : SALUS_REFUSED;
        }
    }
}

/* Are the transactions that were proved the ones that were submitted? */
static bool names_ours(const struct request *request,
                       const struct outcome *outcome)
{
    size_t index = 0;

    if (outcome->request_code != 0) {
        return outcome->transaction_count == 0;
    }
    if (outcome->transaction_count != request->transaction_count) {
        return false;
    }
    for (const struct submission *it = request->first; it != NULL;
         it = it->next) {
        for (size_t i = 0; i < it->count; i++, index++) {
            if (memcmp(outcome->transactions[index].tx_id.bytes,
                       it->results[i].tx_id, SALUS_DIGEST_SIZE) != 0) {
                return false;
            }
        }
    }
    return true;
}

/* What a reply says, decoded without the lock. */
struct verdict {
    bool proved;
    struct outcome outcome;
    const Salus__V1__Refusal *refusal;
};

static void judge(const struct salus_client *client,
                  const struct pbft_digest *digest,
                  const struct pbft_digest *given_up, bool is_void,
                  const Salus__V1__ClientReply *reply, struct verdict *out)
{
    memset(out, 0, sizeof(*out));
    if (reply->kind_case == SALUS__V1__CLIENT_REPLY__KIND_REFUSAL) {
        out->refusal = reply->refusal;
    } else if (reply->kind_case == SALUS__V1__CLIENT_REPLY__KIND_OUTCOME) {
        out->proved = outcome_verify(&client->verifier, digest, reply->outcome,
                                     &out->outcome, NULL) == PBFT_OK;
        if (!out->proved && is_void) {
            /* The request that was given up had been executed after all. */
            out->proved =
                outcome_verify(&client->verifier, given_up, reply->outcome,
                               &out->outcome, NULL) == PBFT_OK;
        }
    }
}

/* Lock held. Returns submissions to be told. */
static struct submission *settle(struct salus_client *client,
                                 struct request *request, uint32_t replica,
                                 bool is_current, struct verdict *verdict)
{
    struct submission *list = NULL;

    if (verdict->proved &&
        (request->is_void || names_ours(request, &verdict->outcome))) {
        client->preferred =
            replica == client->home ? client->home : request->replica;
        list = client_end_request(client, request);
        fill_proved(client, list, &verdict->outcome);
    } else if (verdict->refusal != NULL) {
        list = is_current
                   ? on_refusal(client, request, replica, verdict->refusal)
                   : NULL;
    } else {
        client->statistics.bad_replies++;
        request->failure = SALUS_UNPROVED;
        if (is_current) {
            ask_another(client, request);
        }
    }
    return list;
}

static struct submission *on_reply_bytes(struct salus_client *client,
                                         const struct attempt *attempt,
                                         struct pbft_bytes bytes)
{
    struct request *request = attempt->request;
    struct submission *list = NULL;
    struct ProtobufCMessage *decoded = NULL;
    struct wire_arena arena;
    struct verdict verdict = {0};

    (void)pthread_mutex_lock(&client->lock);
    bool ended = request->state == REQUEST_ENDED;
    bool is_void = request->is_void;
    struct pbft_digest digest = request->message->request.digest;
    struct pbft_digest given_up = request->given_up;
    (void)pthread_mutex_unlock(&client->lock);
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (!ended && wire_unpack_strict(&salus__v1__client_reply__descriptor,
                                     bytes, &arena, &decoded) == PBFT_OK) {
        judge(client, &digest, &given_up, is_void,
              (const Salus__V1__ClientReply *)decoded, &verdict);
    }
    (void)pthread_mutex_lock(&client->lock);
    bool is_same = request->is_void == is_void;
    if (request->state != REQUEST_ENDED && is_same) {
        bool is_current = request->attempt == attempt->number &&
                          request->state == REQUEST_FLYING;
        list = settle(client, request, attempt->replica, is_current, &verdict);
    }
    (void)pthread_mutex_unlock(&client->lock);
    free(verdict.outcome.transactions);
    wire_arena_deinit(&arena);
    return list;
}

static void on_no_reply(struct salus_client *client,
                        const struct attempt *attempt)
{
    struct request *request = attempt->request;

    (void)pthread_mutex_lock(&client->lock);
    if (request->state == REQUEST_FLYING &&
        request->attempt == attempt->number) {
        request->failure = SALUS_TIMED_OUT; /* Also if the connection broke. */
        ask_another(client, request);
    }
    (void)pthread_mutex_unlock(&client->lock);
}

void client_on_reply(void *context, uint64_t token, enum pbft_status status,
                     struct pbft_buffer *reply)
{
    struct attempt *attempt = (struct attempt *)(uintptr_t)token;
    struct salus_client *client = attempt->client;
    struct submission *list = NULL;

    (void)context;
    if (attempt->plain != NULL) {
        client_plain_ended(client, attempt->plain, status, reply);
        free(attempt);
        return;
    }
    if (status == PBFT_OK) {
        list = on_reply_bytes(client, attempt, pbft_buffer_bytes(reply));
        pbft_buffer_unref(reply);
    } else {
        on_no_reply(client, attempt);
    }
    (void)pthread_mutex_lock(&client->lock);
    client_request_release(attempt->request);
    (void)pthread_mutex_unlock(&client->lock);
    free(attempt);
    client_progress(client); /* Room for more: send before telling. */
    client_call_back(client, list);
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
