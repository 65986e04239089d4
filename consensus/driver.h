/* SPDX-License-Identifier: Apache-2.0 */
/* Carries out the output of a replica, in the order that keeps a crash safe.
 *
 * The same code runs in salusd and in the simulator. The driver is single-
 * threaded and owns the replica; the log may work in the background. Each
 * output with records gets a ticket; its sends, commits and answers wait until
 * the log says that the ticket is durable, and outputs take effect in order.
 * After a failed write nothing leaves the driver any more.
 *
 * Bounded: while more than PBFT_DRIVER_OUTPUTS_MAX outputs wait for the log,
 * pbft_driver_step() returns PBFT_BUSY.
 */
#ifndef CONSENSUS_DRIVER_H
#define CONSENSUS_DRIVER_H

#include "consensus/pbft.h"

#define PBFT_DRIVER_OUTPUTS_MAX 64

/* Calls go from the driver to the outside; none calls back into the driver
 * before it has returned. Messages are borrowed: take references to keep. */
struct pbft_log {
    void *context;
    /* Begin to make `records` durable. Report later, in order of tickets,
     * with pbft_driver_durable() or pbft_driver_failed(). */
    void (*append)(void *context, pbft_ticket ticket,
                   const struct pbft_record *records, size_t count);
    /* Records at or below `stable_seq` may be dropped (record.h has the rule).
     * Called only when the executed state has reached it. */
    void (*truncate)(void *context, pbft_seq stable_seq);
};

struct pbft_transport {
    void *context;
    /* All sends of one turn, so that they can share envelopes. May lose. */
    void (*send)(void *context, const struct pbft_send *sends, size_t count);
};

struct pbft_service {
    void *context;
    /* Execute; report later with an EXECUTED event. In order of seq. */
    void (*execute)(void *context, const struct pbft_commit *commit);
    void (*attested)(void *context, const struct pbft_attested *attested);
    void (*serve)(void *context, const struct pbft_serve *serve);
    /* Read a body back from the log; report later with a RECEIVE event. */
    void (*read_body)(void *context, const struct pbft_body_read *read);
    /* Write the proof where the records go, without a sync and before the next
     * append, so that it is durable when its checkpoint is. Clients get it
     * later, with attested(). May be NULL. */
    void (*proved)(void *context, const struct pbft_attested *attested);
};

struct pbft_timer_service {
    void *context;
    /* The earliest deadline has changed. PBFT_TIME_NEVER: none. */
    void (*arm)(void *context, pbft_time_ms deadline);
};

struct pbft_driver;

/* Takes over `replica`. The vtables are copied. NULL if memory is short. */
struct pbft_driver *pbft_driver_create(struct pbft_replica *replica,
                                       const struct pbft_log *log,
                                       const struct pbft_transport *transport,
                                       const struct pbft_service *service,
                                       const struct pbft_timer_service *timer);
/* Destroys the replica too. */
void pbft_driver_destroy(struct pbft_driver *driver);

/* Steps the replica. On PBFT_BUSY the event was not taken: flush, or wait for
 * the log, then try again. After a failure every step returns PBFT_BUSY. */
enum pbft_verdict pbft_driver_step(struct pbft_driver *driver,
                                   const struct pbft_event *event);

/* Ends a burst of steps: hands out what they ask for. Call it when there is no
 * further event at hand; many steps then share one sync. */
void pbft_driver_flush(struct pbft_driver *driver);

/* The log: everything up to and including `ticket` is durable. */
void pbft_driver_durable(struct pbft_driver *driver, pbft_ticket ticket);
/* The log: a write or sync failed. Nothing is sent or executed any more. */
void pbft_driver_failed(struct pbft_driver *driver);
bool pbft_driver_has_failed(const struct pbft_driver *driver);
/* Outputs that wait for the log. */
size_t pbft_driver_waiting(const struct pbft_driver *driver);

const struct pbft_replica *
pbft_driver_replica(const struct pbft_driver *driver);

#endif /* CONSENSUS_DRIVER_H */
