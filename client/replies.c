/* SPDX-License-Identifier: Apache-2.0 */
/* What replies say of a request, and when that is enough.
 *
 * Only a proof decides, and only one by which the sequence of the request is
 * used up: whatever else was attested, what was ordered once may be, or has
 * been, carried out another time.
 *
 * A refusal by one replica proves nothing, for it may lie. f + 1 that refuse
 * are an honest one at least; but that one may be behind, and the one that lies
 * may have had the request ordered. So a VOID is sent in its place, and the
 * callers wait for it: either the VOID is carried out, and the request never
 * will be; or the request was before it. A refusal for the time being (a
 * retryable code, BUSY, SYNCING) is not counted.
 */
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "client/outcome.h"
#include "consensus/quorum.h"
#include "ledger/errors.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

/* ---- refusals ------------------------------------------------------------ */

/* So many refuse it that an honest one does. Its sequence must be used up all
 * the same, or the session's window would stop there: by a VOID. Those who
 * submitted wait for what becomes of that. If so many refuse the VOID too, it
 * was not needed, and there will be no proof. */
static struct submission *end_refused(struct salus_client *client,
                                      struct request *request)
{
    struct submission *held = request->first;
    size_t count = request->transaction_count;

    if (!request->is_void && client_make_void(client, request) == PBFT_OK) {
        request->first = held;
        request->transaction_count = count;
        request->failure = SALUS_UNPROVED;
        client_ask_another(client, request);
        return NULL;
    }
    request->first = held;
    client_fill_results(
        held, request->may_be_ordered ? SALUS_UNPROVED : SALUS_INADMISSIBLE,
        request->refusal_code);
    return client_end_request(client, request);
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
        client_wait_for(request, busy_pause_ms(refusal));
        return NULL;
    case SALUS__V1__REFUSAL__CODE__TIMED_OUT:
    case SALUS__V1__REFUSAL__CODE__SYNCING:
    case SALUS__V1__REFUSAL__CODE__STOPPING:
        request->failure = SALUS_TIMED_OUT;
        request->may_be_ordered = true;
        break;
    default:
        if (is_passing(refusal)) {
            request->failure = SALUS_TIMED_OUT;
            break;
        }
        request->failure = SALUS_UNPROVED; /* Of these few. */
        if (!request->is_void) {
            request->refusal_code = refusal->ledger_code;
        }
        pbft_set_add(&request->refused, replica);
        if (pbft_set_count(&request->refused) >=
            pbft_weak_quorum(client->replica_count)) {
            return end_refused(client, request);
        }
        break;
    }
    client_ask_another(client, request);
    return NULL;
}

/* ---- proofs -------------------------------------------------------------- */

void client_saw(struct salus_client *client, uint64_t seq)
{
    client->seen = seq > client->seen ? seq : client->seen;
}

/* Copies what was proved to all submissions of the request. */
static void fill_proved(struct submission *list, const struct outcome *outcome,
                        size_t told_count)
{
    size_t index = told_count;

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

/* Is the sequence used up by this? If not, the request was carried out before,
 * or may be yet. */
static bool is_last_word(uint32_t request_code)
{
    return request_code == LEDGER_OK || request_code == LEDGER_NON_CANONICAL ||
           request_code == LEDGER_TOO_MANY || request_code == LEDGER_SIZE;
}

/* Are the transactions that were proved the ones that were submitted? */
static bool names_ours(const struct request *request,
                       const struct outcome *outcome)
{
    size_t index = request->told_count;

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
    bool of_given_up; /* Of the request whose place the VOID has. */
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
            out->of_given_up = out->proved;
        }
    }
}

/* Does it decide what became of the request, or of the VOID if nobody waits for
 * more? */
static bool decides(const struct request *request,
                    const struct verdict *verdict)
{
    const struct outcome *outcome = &verdict->outcome;

    if (!verdict->proved || (request->is_void && request->first == NULL)) {
        return verdict->proved;
    }
    return is_last_word(outcome->request_code) &&
           ((request->is_void && !verdict->of_given_up) ||
            names_ours(request, outcome));
}

/* The request is decided. Returns submissions to be told. */
static struct submission *land(struct salus_client *client,
                               struct request *request,
                               const struct verdict *verdict)
{
    bool is_given_up = request->is_void && !verdict->of_given_up;
    size_t told_count = request->told_count;
    struct submission *list = client_end_request(client, request);

    if (is_given_up) {
        /* It can never be carried out: the VOID has its place. */
        client_fill_results(list, SALUS_INADMISSIBLE, request->refusal_code);
    } else {
        fill_proved(list, &verdict->outcome, told_count);
    }
    return list;
}

/* Neither a proof that decides nor a refusal: a lie, or the second time that
 * the request was ordered. */
static void on_no_decision(struct salus_client *client, struct request *request,
                           const struct verdict *verdict)
{
    uint32_t code = verdict->proved ? verdict->outcome.request_code : 0;

    request->failure = SALUS_UNPROVED;
    request->may_be_ordered = true;
    if (is_last_word(code)) {
        client->statistics.bad_replies++;
    } else if (!request->is_void) {
        request->refusal_code = code;
    }
}

/* Lock held. Returns submissions to be told. */
static struct submission *settle(struct salus_client *client,
                                 struct request *request, uint32_t replica,
                                 bool is_current, const struct verdict *verdict)
{
    if (verdict->proved) {
        client_saw(client, verdict->outcome.block.seq);
    }
    if (decides(request, verdict)) {
        client->preferred =
            replica == client->home ? client->home : request->replica;
        return land(client, request, verdict);
    }
    if (verdict->refusal != NULL) {
        return is_current
                   ? on_refusal(client, request, replica, verdict->refusal)
                   : NULL;
    }
    on_no_decision(client, request, verdict);
    if (is_current) {
        client_ask_another(client, request);
    }
    return NULL;
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
        request->may_be_ordered = true;
        client_ask_another(client, request);
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
