/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that makes records durable, so that the protocol thread does not
 * wait for the disk.
 *
 * Double-buffered: while one batch is being synced the records of all later
 * tickets gather, and go with the next sync. Bounded by the driver, which has
 * at most PBFT_DRIVER_OUTPUTS_MAX outputs waiting, and by the window, outside
 * of which no block is proved.
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

/* Takes a reference. The proof is written with the next records, or by itself
 * and unsynced if none come within NODE_PROOF_WAIT_MS: so what is durable of
 * the records has all proofs that were put before them. For the thread of the
 * driver. */
void log_writer_put_proof(struct log_writer *writer,
                          const struct pbft_attested *attested);
/* A reference to the proof of block `seq` if it is still to be written. NULL:
 * it is stored, or was never put. Any thread. */
const struct pbft_message *log_writer_proof(struct log_writer *writer,
                                            pbft_seq seq);

#endif /* NODE_LOG_WRITER_H */
