/* SPDX-License-Identifier: Apache-2.0 */
/* Two rings behind one lock. */
#include "node/inbox.h"

#include <stdlib.h>

#include "consensus/assert.h"
#include "node/clock.h"

/* The core hands out no commit above the high watermark, so no more blocks than
 * a window are ever under way. */
#define EXECUTED_MAX PBFT_WINDOW_MAX

struct inbox {
    pthread_mutex_t lock; /* Guards everything below. */
    pthread_cond_t filled;
    pthread_cond_t room;
    const struct pbft_message **messages; /* A ring. */
    size_t messages_max;
    size_t first;
    size_t count;
    size_t bytes;
    size_t bytes_max;
    struct pbft_attestation executed[EXECUTED_MAX]; /* A ring. */
    size_t executed_first;
    size_t executed_count;
    pbft_ticket durable;
    bool has_durable;
    bool failed;
    bool closed;
};

struct inbox *inbox_create(size_t messages_max, size_t bytes_max)
{
    PBFT_ASSERT(messages_max > 0);
    struct inbox *inbox = calloc(1, sizeof *inbox);
    PBFT_ASSERT(inbox != NULL);
    inbox->messages = calloc(messages_max, sizeof *inbox->messages);
    PBFT_ASSERT(inbox->messages != NULL);
    inbox->messages_max = messages_max;
    inbox->bytes_max = bytes_max;
    (void)pthread_mutex_init(&inbox->lock, NULL);
    clock_condition_init(&inbox->filled);
    clock_condition_init(&inbox->room);
    return inbox;
}

static const struct pbft_message *pop(struct inbox *inbox)
{
    const struct pbft_message *message = inbox->messages[inbox->first];
    inbox->first = (inbox->first + 1) % inbox->messages_max;
    inbox->count--;
    inbox->bytes -= pbft_message_memory(message);
    return message;
}

void inbox_destroy(struct inbox *inbox)
{
    if (inbox == NULL) {
        return;
    }
    while (inbox->count > 0) {
        pbft_message_unref(pop(inbox));
    }
    (void)pthread_mutex_destroy(&inbox->lock);
    (void)pthread_cond_destroy(&inbox->filled);
    (void)pthread_cond_destroy(&inbox->room);
    free(inbox->messages);
    free(inbox);
}

/* An empty inbox has room for a message of any size. */
static bool has_room(const struct inbox *inbox, size_t bytes)
{
    return inbox->count == 0 || (inbox->count < inbox->messages_max &&
                                 inbox->bytes + bytes <= inbox->bytes_max);
}

static void push(struct inbox *inbox, const struct pbft_message *message,
                 size_t bytes)
{
    size_t last = (inbox->first + inbox->count) % inbox->messages_max;
    inbox->messages[last] = message;
    inbox->count++;
    inbox->bytes += bytes;
}

/* Lock held; let go while there is no room. False: it is closed. */
static bool wait_for_room(struct inbox *inbox, size_t bytes)
{
    while (!inbox->closed && !has_room(inbox, bytes)) {
        (void)pthread_cond_signal(&inbox->filled); /* Of what was put. */
        (void)pthread_cond_wait(&inbox->room, &inbox->lock);
    }
    return !inbox->closed;
}

enum pbft_status inbox_put(struct inbox *inbox,
                           const struct pbft_message *message)
{
    return inbox_put_many(inbox, &message, 1);
}

enum pbft_status inbox_put_many(struct inbox *inbox,
                                const struct pbft_message *const *messages,
                                size_t count)
{
    size_t done = 0;
    (void)pthread_mutex_lock(&inbox->lock);
    while (done < count) {
        size_t bytes = pbft_message_memory(messages[done]);
        if (!wait_for_room(inbox, bytes)) {
            break;
        }
        push(inbox, messages[done++], bytes);
    }
    (void)pthread_cond_signal(&inbox->filled);
    (void)pthread_mutex_unlock(&inbox->lock);
    for (size_t i = done; i < count; i++) {
        pbft_message_unref(messages[i]);
    }
    return done == count ? PBFT_OK : PBFT_CLOSED;
}

enum pbft_status inbox_try_put(struct inbox *inbox,
                               const struct pbft_message *message)
{
    enum pbft_status status = PBFT_OK;
    size_t bytes = pbft_message_memory(message);
    (void)pthread_mutex_lock(&inbox->lock);
    if (inbox->closed) {
        status = PBFT_CLOSED;
    } else if (!has_room(inbox, bytes)) {
        status = PBFT_LIMIT;
    } else {
        push(inbox, message, bytes);
        (void)pthread_cond_signal(&inbox->filled);
    }
    (void)pthread_mutex_unlock(&inbox->lock);
    if (status == PBFT_CLOSED) {
        pbft_message_unref(message);
    }
    return status;
}

void inbox_put_executed(struct inbox *inbox,
                        const struct pbft_attestation *executed)
{
    (void)pthread_mutex_lock(&inbox->lock);
    PBFT_ASSERT(inbox->executed_count < EXECUTED_MAX);
    size_t last =
        (inbox->executed_first + inbox->executed_count) % EXECUTED_MAX;
    inbox->executed[last] = *executed;
    inbox->executed_count++;
    (void)pthread_cond_signal(&inbox->filled);
    (void)pthread_mutex_unlock(&inbox->lock);
}

void inbox_put_durable(struct inbox *inbox, pbft_ticket ticket)
{
    (void)pthread_mutex_lock(&inbox->lock);
    inbox->durable = ticket;
    inbox->has_durable = true;
    (void)pthread_cond_signal(&inbox->filled);
    (void)pthread_mutex_unlock(&inbox->lock);
}

void inbox_put_failed(struct inbox *inbox)
{
    (void)pthread_mutex_lock(&inbox->lock);
    inbox->failed = true;
    (void)pthread_cond_signal(&inbox->filled);
    (void)pthread_mutex_unlock(&inbox->lock);
}

void inbox_close(struct inbox *inbox)
{
    (void)pthread_mutex_lock(&inbox->lock);
    inbox->closed = true;
    (void)pthread_cond_signal(&inbox->filled);
    (void)pthread_cond_broadcast(&inbox->room);
    (void)pthread_mutex_unlock(&inbox->lock);
}

static bool has_news(const struct inbox *inbox, enum inbox_interest interest)
{
    return inbox->closed || inbox->failed || inbox->has_durable ||
           (interest == INBOX_EVERYTHING &&
            (inbox->count > 0 || inbox->executed_count > 0));
}

static void take_work(struct inbox *inbox, struct inbox_turn *turn)
{
    if (inbox->executed_count > 0) {
        turn->has_executed = true;
        turn->executed = inbox->executed[inbox->executed_first];
        inbox->executed_first = (inbox->executed_first + 1) % EXECUTED_MAX;
        inbox->executed_count--;
    }
    while (inbox->count > 0 && turn->message_count < NODE_TURN_MESSAGES_MAX) {
        turn->messages[turn->message_count++] = pop(inbox);
    }
    if (turn->message_count > 0) {
        (void)pthread_cond_broadcast(&inbox->room);
    }
}

void inbox_take(struct inbox *inbox, struct inbox_turn *turn,
                enum inbox_interest interest, pbft_time_ms deadline_ms)
{
    (void)pthread_mutex_lock(&inbox->lock);
    while (!has_news(inbox, interest) && clock_now_ms() < deadline_ms) {
        clock_condition_wait(&inbox->filled, &inbox->lock, deadline_ms);
    }
    turn->closed = inbox->closed;
    turn->failed = inbox->failed;
    turn->has_durable = inbox->has_durable;
    turn->durable = inbox->durable;
    turn->has_executed = false;
    turn->message_count = 0;
    inbox->has_durable = false;
    if (interest == INBOX_EVERYTHING) {
        take_work(inbox, turn);
    }
    (void)pthread_mutex_unlock(&inbox->lock);
}

size_t inbox_count(struct inbox *inbox)
{
    (void)pthread_mutex_lock(&inbox->lock);
    size_t count = inbox->count;
    (void)pthread_mutex_unlock(&inbox->lock);
    return count;
}
