/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for the protocol thread: verified messages and finished work.
 *
 * Messages are bounded by count and bytes: who puts one waits while there is no
 * room. Reports of the log and of the executor never wait, since the protocol
 * thread bounds the work that they report on.
 *
 * Any thread may put; one thread takes.
 */
#ifndef NODE_INBOX_H
#define NODE_INBOX_H

#include "consensus/message.h"
#include "consensus/status.h"
#include "node/limits.h"

struct inbox;

struct inbox *inbox_create(size_t messages_max, size_t bytes_max);
/* Releases what nobody took. */
void inbox_destroy(struct inbox *inbox);

/* Takes over one reference. Waits for room; PBFT_CLOSED (and the message is
 * released) after inbox_close(). */
PBFT_MUST_USE enum pbft_status inbox_put(struct inbox *inbox,
                                         const struct pbft_message *message);
/* The same of several, in their order: at best one lock and one wake-up. Those
 * that came too late are released. */
PBFT_MUST_USE enum pbft_status
inbox_put_many(struct inbox *inbox, const struct pbft_message *const *messages,
               size_t count);
/* As inbox_put(), but PBFT_LIMIT instead of waiting; the caller then keeps the
 * reference. */
PBFT_MUST_USE enum pbft_status
inbox_try_put(struct inbox *inbox, const struct pbft_message *message);

/* Never wait. */
void inbox_put_executed(struct inbox *inbox,
                        const struct pbft_attestation *executed);
void inbox_put_durable(struct inbox *inbox, pbft_ticket ticket);
void inbox_put_failed(struct inbox *inbox);

/* No message is taken in any more; the protocol thread is woken. */
void inbox_close(struct inbox *inbox);

/* What one look into the inbox found. */
struct inbox_turn {
    bool closed;
    bool failed; /* A write failed; stays so. */
    bool has_durable;
    pbft_ticket durable; /* Everything up to here. */
    bool has_executed;
    struct pbft_attestation executed; /* The oldest report. */
    size_t message_count;
    const struct pbft_message *messages[NODE_TURN_MESSAGES_MAX];
};

enum inbox_interest {
    INBOX_EVERYTHING,
    INBOX_LOG_ONLY, /* The driver takes nothing more until the log moves. */
};

/* Waits until there is something of interest, or `deadline_ms`, or it is
 * closed. The taker owns the references to the messages. */
void inbox_take(struct inbox *inbox, struct inbox_turn *turn,
                enum inbox_interest interest, pbft_time_ms deadline_ms);

/* Messages that wait; any thread. */
size_t inbox_count(struct inbox *inbox);

#endif /* NODE_INBOX_H */
