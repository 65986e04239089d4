/* SPDX-License-Identifier: Apache-2.0 */
/* The consensus log: what a replica must not forget.
 *
 * Each record is a frame of consensus/record.h under its running number. The
 * body of a batch is kept once, by (seq, digest), in another column family; its
 * record and the block both refer to it.
 *
 * One thread at a time may call these, but for storage_body_read().
 */
#ifndef STORAGE_LOG_H
#define STORAGE_LOG_H

#include "consensus/pbft.h"
#include "consensus/record.h"
#include "storage/storage.h"

/* Records of one append: the outputs of one burst, all slots of a window. */
#define STORAGE_APPEND_RECORDS_MAX (64u * PBFT_WINDOW_MAX)

struct storage_log_summary {
    enum pbft_log_verdict verdict;
    uint64_t first_number; /* Of the records that are there. */
    uint64_t last_number;  /* 0: the log is empty. */
    /* DAMAGED: which record, and what is wrong with it. */
    struct salus_reason reason;
};

/* Judges the whole log and, if it may be trusted, hands out its records, oldest
 * first; the record and its message are borrowed. INTACT or DAMAGED; never
 * TORN, since RocksDB cuts a torn write itself. DAMAGED: nothing is handed out,
 * and every append fails with PBFT_CORRUPT, until the log is set aside. DAMAGED
 * is also the log of a folder that has lost its data. Call it once, before the
 * first append.
 *
 * PBFT_OK also for DAMAGED: look at the verdict. NO_MEMORY, IO: the log could
 * not be read, which says nothing about it; `reason` is set. CORRUPT: the
 * second look at it was not like the first. After any error nothing can be
 * appended, and what was handed out must not be acted upon. */
PBFT_MUST_USE enum pbft_status storage_log_replay(
    struct storage *storage,
    void (*on_record)(void *context, const struct pbft_record *record),
    void *context, struct storage_log_summary *out);

/* After DAMAGED: begins a new log. What can be read of the old one is kept in
 * the folder as damaged-log-NUMBER. Until the new one has a record, every
 * replay says DAMAGED again. */
PBFT_MUST_USE enum pbft_status
storage_log_set_aside(struct storage *storage,
                      const struct storage_log_summary *damaged);

/* Makes all records durable with one synced write. On any error nothing more
 * may be written: see storage_failure(). */
PBFT_MUST_USE enum pbft_status
storage_log_append(struct storage *storage, const struct pbft_record *records,
                   size_t count);

/* The same, and the proofs of blocks are in that write: so no crash keeps a
 * record and loses a proof that came with it or before it. Without records the
 * write is not synced. */
PBFT_MUST_USE enum pbft_status storage_log_append_proved(
    struct storage *storage, const struct pbft_record *records, size_t count,
    const struct pbft_attested *proofs, size_t proof_count);

/* The body of a BODY record or block, as a BATCH message with one reference;
 * safe from any thread. PBFT_NOT_FOUND: there is none, or it was collected.
 * PBFT_CORRUPT: it is not what its key says. */
PBFT_MUST_USE enum pbft_status
storage_body_read(const struct storage *storage, pbft_seq seq,
                  const struct pbft_digest *digest,
                  const struct pbft_message **out);

/* Drops the oldest records that may go (pbft_record_is_droppable), and bodies
 * that neither a block nor a record refers to any more. Not synced: a crash may
 * bring the records back, which is harmless. The executed state must have
 * reached `stable_seq`. */
PBFT_MUST_USE enum pbft_status storage_log_truncate(struct storage *storage,
                                                    pbft_seq stable_seq);

#endif /* STORAGE_LOG_H */
