/* SPDX-License-Identifier: Apache-2.0 */
/* Appending to the consensus log, and dropping its oldest records. */
#include "storage/log.h"

#include <string.h>

#include "consensus/assert.h"
#include "consensus/bytes.h"
#include "proto/codec.h"
#include "storage/block.h"
#include "storage/storage_private.h"

/* Frame and payload of one record into the batch. */
static enum pbft_status put_frame(struct storage *storage, uint64_t number,
                                  const struct pbft_record *record,
                                  struct pbft_bytes payload)
{
    uint8_t key[LOG_KEY_SIZE];
    uint8_t header[PBFT_FRAME_HEADER_SIZE];
    const struct pbft_frame frame = {
        .number = number,
        .kind = record->kind,
        .view = record->view,
        .seq = record->seq,
        .payload = payload,
    };
    if (payload.size > PBFT_RECORD_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    pbft_frame_write(storage->domain, storage->self, &frame, header);
    storage_log_key(key, number);
    rocks_batch_put_parts(storage->log_batch, ROCKS_LOG,
                          (struct pbft_bytes){key, sizeof key},
                          (struct pbft_bytes){header, sizeof header}, payload);
    return PBFT_OK;
}

/* A body goes to its own family; its record holds the digest only. */
static enum pbft_status put_record(struct storage *storage, uint64_t number,
                                   const struct pbft_record *record)
{
    struct wire_buffer *buffer = &storage->log_buffer;
    enum pbft_status status;
    if (record->kind == PBFT_RECORD_BODY) {
        status = storage_body_put(storage, storage->log_batch, buffer,
                                  record->seq, record->message);
        if (status != PBFT_OK) {
            return status;
        }
        const struct pbft_digest *digest = &record->message->batch.digest;
        return put_frame(storage, number, record,
                         (struct pbft_bytes){digest->bytes, PBFT_DIGEST_SIZE});
    }
    wire_buffer_reset(buffer);
    status = wire_message_encode(record->message, WIRE_BODY_OMIT, buffer);
    if (status != PBFT_OK) {
        return status;
    }
    return put_frame(storage, number, record, wire_buffer_bytes(buffer));
}

/* They are written. */
static void know_bodies(struct storage *storage,
                        const struct pbft_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (records[i].kind == PBFT_RECORD_BODY) {
            storage_body_know(storage, records[i].seq,
                              &records[i].message->batch.digest);
        }
    }
}

/* Nothing may be appended after a record that could not be written. */
static void refuse_further_appends(struct storage *storage)
{
    storage->log_ready = false;
    rocks_batch_clear(storage->log_batch);
}

/* Records and proofs into the batch. */
static enum pbft_status
fill_batch(struct storage *storage, const struct pbft_record *records,
           size_t count, const struct pbft_attested *proofs, size_t proof_count)
{
    enum pbft_status status = PBFT_OK;
    for (size_t i = 0; i < proof_count && status == PBFT_OK; i++) {
        status = storage_proof_put(storage->log_batch, &storage->log_buffer,
                                   proofs[i].seq, proofs[i].proof);
    }
    for (size_t i = 0; i < count && status == PBFT_OK; i++) {
        status = put_record(storage, storage->log_next + i, &records[i]);
    }
    if (storage->is_log_lost && count != 0) {
        rocks_batch_delete(storage->log_batch, ROCKS_META,
                           storage_name_key(META_LOG_LOST));
    }
    return status;
}

enum pbft_status storage_log_append(struct storage *storage,
                                    const struct pbft_record *records,
                                    size_t count)
{
    return storage_log_append_proved(storage, records, count, NULL, 0);
}

enum pbft_status storage_log_append_proved(struct storage *storage,
                                           const struct pbft_record *records,
                                           size_t count,
                                           const struct pbft_attested *proofs,
                                           size_t proof_count)
{
    if (!storage->log_ready) {
        enum pbft_status failure = storage_failure(storage, NULL);
        return failure != PBFT_OK ? failure : PBFT_CORRUPT;
    }
    if (count > STORAGE_APPEND_RECORDS_MAX) {
        return PBFT_TOO_LARGE;
    }
    enum pbft_status status =
        fill_batch(storage, records, count, proofs, proof_count);
    if (status == PBFT_OK && count + proof_count != 0) {
        status = storage_write(storage, storage->log_batch,
                               count != 0 ? ROCKS_SYNC : ROCKS_NO_SYNC);
    }
    if (status != PBFT_OK) {
        refuse_further_appends(storage);
        return status;
    }
    rocks_batch_clear(storage->log_batch);
    know_bodies(storage, records, count);
    storage->is_log_lost = storage->is_log_lost && count == 0;
    storage->log_next += count;
    atomic_store(&storage->log_records, storage->log_next - storage->log_first);
    return PBFT_OK;
}

/* Of a BODY record that goes: the body goes too unless the block kept it. */
static enum pbft_status collect_body(struct storage *storage,
                                     const struct pbft_frame *frame)
{
    struct pbft_attestation block;
    struct pbft_digest digest;
    if (frame->payload.size != PBFT_DIGEST_SIZE) {
        return PBFT_CORRUPT;
    }
    memcpy(digest.bytes, frame->payload.data, PBFT_DIGEST_SIZE);
    enum pbft_status status =
        storage_executed_read(storage, frame->seq, &block);
    if (status != PBFT_OK) {
        return status;
    }
    if (memcmp(block.block_digest.bytes, digest.bytes, PBFT_DIGEST_SIZE) == 0) {
        return PBFT_OK;
    }
    uint8_t key[BODY_KEY_SIZE];
    storage_body_key(key, frame->seq, &digest);
    storage_body_forget(storage, frame->seq, &digest);
    rocks_batch_delete(storage->log_batch, ROCKS_BODY,
                       (struct pbft_bytes){key, sizeof key});
    return PBFT_OK;
}

/* Puts the deletion of one record into the batch; `*stop` if it must stay. */
static enum pbft_status drop_record(struct storage *storage,
                                    struct pbft_bytes key,
                                    struct pbft_bytes value,
                                    pbft_seq stable_seq, bool *stop)
{
    struct pbft_frame frame;
    enum pbft_status status =
        pbft_frame_read(storage->domain, storage->self, value, &frame);
    if (status != PBFT_OK) {
        return PBFT_CORRUPT;
    }
    *stop = !pbft_record_is_droppable(frame.kind, frame.seq, stable_seq);
    if (*stop) {
        return PBFT_OK;
    }
    rocks_batch_delete(storage->log_batch, ROCKS_LOG, key);
    return frame.kind == PBFT_RECORD_BODY ? collect_body(storage, &frame)
                                          : PBFT_OK;
}

/* Fills the batch with the deletion of all records that may go. */
static enum pbft_status drop_prefix(struct storage *storage,
                                    pbft_seq stable_seq, uint64_t *dropped)
{
    uint8_t first[LOG_KEY_SIZE];
    storage_log_key(first, storage->log_first);
    struct rocks_iterator *iterator = rocks_iterate(
        storage->rocks, NULL, ROCKS_LOG,
        (struct pbft_bytes){first, sizeof first}, (struct pbft_bytes){NULL, 0});
    enum pbft_status status = PBFT_OK;
    bool stop = false;
    *dropped = 0;
    while (status == PBFT_OK && rocks_iterator_valid(iterator)) {
        status = drop_record(storage, rocks_iterator_key(iterator),
                             rocks_iterator_value(iterator), stable_seq, &stop);
        if (stop) {
            break;
        }
        *dropped += 1;
        rocks_iterator_next(iterator);
    }
    if (status == PBFT_OK) {
        status = rocks_iterator_status(iterator, NULL);
    }
    rocks_iterator_destroy(iterator);
    return status;
}

enum pbft_status storage_log_truncate(struct storage *storage,
                                      pbft_seq stable_seq)
{
    if (!storage->log_ready) {
        enum pbft_status failure = storage_failure(storage, NULL);
        return failure != PBFT_OK ? failure : PBFT_CORRUPT;
    }
    struct pbft_attestation applied;
    storage_applied(storage, &applied);
    PBFT_ASSERT(stable_seq <= applied.seq);

    uint64_t dropped = 0;
    enum pbft_status status = drop_prefix(storage, stable_seq, &dropped);
    if (status == PBFT_OK && dropped != 0) {
        uint8_t first[LOG_KEY_SIZE];
        storage_log_key(first, storage->log_first + dropped);
        rocks_batch_put(storage->log_batch, ROCKS_META,
                        storage_name_key(META_LOG_FIRST),
                        (struct pbft_bytes){first, sizeof first});
        status = storage_write(storage, storage->log_batch, ROCKS_NO_SYNC);
    }
    rocks_batch_clear(storage->log_batch);
    if (status != PBFT_OK) {
        refuse_further_appends(storage);
        return status;
    }
    storage->log_first += dropped;
    atomic_store(&storage->log_records, storage->log_next - storage->log_first);
    return PBFT_OK;
}
