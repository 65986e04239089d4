/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that submit. */
#include <stdlib.h>
#include <string.h>

#include "client/client.h"

/* Puts a submission at the end of the queue. Lock held. */
static enum salus_status enqueue(struct salus_client *client,
                                 struct submission *submission)
{
    if (client->closing) {
        return SALUS_CLOSED;
    }
    if (client->submissions >= CLIENT_SUBMISSIONS_MAX ||
        client->queue_bytes + submission->bytes > CLIENT_QUEUE_BYTES_MAX) {
        return SALUS_LIMIT;
    }
    if (client->queue_last == NULL) {
        client->queue_first = submission;
    } else {
        client->queue_last->next = submission;
    }
    client->queue_last = submission;
    client->queue_count += submission->count;
    client->queue_bytes += submission->bytes;
    client->submissions++;
    client->statistics.transactions += submission->count;
    return SALUS_OK;
}

static enum salus_status
submit_async(struct salus_client *client,
             const struct salus_transaction *transactions, size_t count,
             salus_done *done, void *context)
{
    struct submission *submission = NULL;

    enum pbft_status created =
        client_submission_create(&submission, client, transactions, count);
    if (created != PBFT_OK) {
        return created == PBFT_NO_MEMORY ? SALUS_NO_MEMORY
                                         : SALUS_INVALID_ARGUMENT;
    }
    submission->done = done;
    submission->context = context;
    submission->queued_us = client_now_us();
    submission->deadline =
        submission->queued_us / 1000 + client->config.timeout_ms;
    if (!client_enter(client)) {
        client_submission_destroy(submission);
        return SALUS_CLOSED;
    }
    (void)pthread_mutex_lock(&client->lock);
    enum salus_status status = enqueue(client, submission);
    (void)pthread_mutex_unlock(&client->lock);
    if (status == SALUS_OK) {
        (void)client_progress(client);
    } else {
        client_submission_destroy(submission);
    }
    client_leave(client);
    return status;
}

enum salus_status
salus_submit_async(struct salus_client *client,
                   const struct salus_transaction *transactions, size_t count,
                   salus_done *done, void *context)
{
    if (transactions == NULL || done == NULL || count == 0 ||
        count > SALUS_TRANSACTIONS_MAX) {
        return SALUS_INVALID_ARGUMENT;
    }
    return submit_async(client, transactions, count, done, context);
}

/* A caller that waits for its own submission. */
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t ended_now;
    bool ended;
    struct salus_result *results;
};

static void on_done(void *context, const struct salus_result *results,
                    size_t count)
{
    struct waiter *waiter = context;

    (void)pthread_mutex_lock(&waiter->lock);
    memcpy(waiter->results, results, count * sizeof(*results));
    waiter->ended = true;
    (void)pthread_cond_signal(&waiter->ended_now);
    (void)pthread_mutex_unlock(&waiter->lock);
}

static void fail_all(struct salus_result *results, size_t count,
                     enum salus_status status)
{
    memset(results, 0, count * sizeof(*results));
    for (size_t i = 0; i < count; i++) {
        results[i].status = status;
    }
}

/* Submits and waits until the results are filled in. */
static enum salus_status
submit_and_wait(struct salus_client *client, struct salus_result *results,
                const struct salus_transaction *transactions, size_t count)
{
    struct waiter waiter = {.results = results};

    (void)pthread_mutex_init(&waiter.lock, NULL);
    (void)pthread_cond_init(&waiter.ended_now, NULL);
    enum salus_status status =
        submit_async(client, transactions, count, on_done, &waiter);
    if (status == SALUS_OK) {
        (void)pthread_mutex_lock(&waiter.lock);
        while (!waiter.ended) { /* Ends by its deadline at the latest. */
            (void)pthread_cond_wait(&waiter.ended_now, &waiter.lock);
        }
        (void)pthread_mutex_unlock(&waiter.lock);
    }
    (void)pthread_cond_destroy(&waiter.ended_now);
    (void)pthread_mutex_destroy(&waiter.lock);
    return status;
}

enum salus_status client_barrier(struct salus_client *client,
                                 struct salus_result *result)
{
    memset(result, 0, sizeof(*result));
    enum salus_status status = submit_and_wait(client, result, NULL, 0);
    return status == SALUS_OK ? result->status : status;
}

enum salus_status
salus_submit_many(struct salus_client *client, struct salus_result *results,
                  const struct salus_transaction *transactions, size_t count)
{
    enum salus_status status = SALUS_INVALID_ARGUMENT;
    if (transactions != NULL && count > 0 && count <= SALUS_TRANSACTIONS_MAX) {
        status = submit_and_wait(client, results, transactions, count);
    }
    if (status != SALUS_OK && count <= SALUS_TRANSACTIONS_MAX) {
        fail_all(results, count, status);
    }
    for (size_t i = 0; status == SALUS_OK && i < count; i++) {
        status = results[i].status;
    }
    return status;
}

enum salus_status salus_submit(struct salus_client *client,
                               struct salus_result *result,
                               const struct salus_transaction *transaction)
{
    return salus_submit_many(client, result, transaction, 1);
}

enum salus_status salus_wait(struct salus_client *client, uint32_t timeout_ms)
{
    uint64_t until_us = client_now_us() + (uint64_t)timeout_ms * 1000;
    const struct timespec until = {(time_t)(until_us / 1000000),
                                   (long)(until_us % 1000000) * 1000};
    int result = 0;

    if (!client_enter(client)) {
        return SALUS_CLOSED;
    }
    (void)pthread_mutex_lock(&client->lock);
    while (client->submissions > 0 && !client->closing && result == 0) {
        result =
            pthread_cond_timedwait(&client->changed, &client->lock, &until);
    }
    enum salus_status status = client->submissions == 0 ? SALUS_OK
                               : client->closing        ? SALUS_CLOSED
                                                        : SALUS_TIMED_OUT;
    (void)pthread_mutex_unlock(&client->lock);
    client_leave(client);
    return status;
}

void salus_get_statistics(struct salus_client *client,
                          struct salus_statistics *out)
{
    (void)pthread_mutex_lock(&client->lock);
    *out = client->statistics;
    (void)pthread_mutex_unlock(&client->lock);
}
