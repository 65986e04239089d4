/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that makes records durable, so that the protocol thread does not
 * wait for the disk.
 *
 * Double-buffered: while one batch is being synced the records of all later
 * tickets gather, and go with the next sync. Bounded by the driver, which has
 * at most PBFT_DRIVER_OUTPUTS_MAX outputs waiting.
 */
#ifndef NODE_LOG_WRITER_H
#define NODE_LOG_WRITER_H

#include "consensus/driver.h"
#include "storage/log.h"

struct log_writer;

struct log_writer_sink {
    void *context;
    void (*durable)(void *context, pbft_ticket ticket);
    /* Once; then nothing more is written. */
    void (*failed)(void *context, enum pbft_status status);
};

/* Starts the thread. The log of `storage` must have been replayed. */
struct log_writer *log_writer_create(struct storage *storage,
                                     const struct log_writer_sink *sink);
/* Writes what is waiting, then ends the thread. NULL is fine. */
void log_writer_destroy(struct log_writer *writer);

/* For pbft_driver_create(): never blocks on the disk. */
struct pbft_log log_writer_vtable(struct log_writer *writer);

#endif /* NODE_LOG_WRITER_H */
