/* SPDX-License-Identifier: Apache-2.0 */
/* Writing and reading executed blocks. */
#include "storage/block.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "proto/codec.h"
#include "storage/log.h"
#include "storage/storage_private.h"

static void put_part(struct rocks_batch *batch, pbft_seq seq,
                     enum block_part part, struct pbft_bytes value)
{
    uint8_t key[BLOCK_KEY_SIZE];
    storage_block_key(key, seq, part);
    rocks_batch_put(batch, ROCKS_BLOCK, (struct pbft_bytes){key, sizeof key},
                    value);
}

static enum pbft_status put_block(struct storage *storage,
                                  struct rocks_batch *batch,
                                  const struct storage_block *block)
{
    struct wire_buffer *buffer = &storage->block_buffer;
    const struct pbft_pre_prepare *header =
        &block->committed->committed.pre_prepare->pre_prepare;
    enum pbft_status status =
        storage_body_put(storage, batch, buffer, header->seq, header->body);
    if (status != PBFT_OK) {
        return status;
    }
    wire_buffer_reset(buffer);
    status = wire_message_encode(block->committed, WIRE_BODY_OMIT, buffer);
    if (status != PBFT_OK) {
        return status;
    }
    uint8_t executed[ATTESTATION_SIZE];
    struct pbft_bytes attestation = {executed, sizeof executed};
    storage_attestation_encode(executed, &block->executed);
    put_part(batch, header->seq, BLOCK_COMMITTED, wire_buffer_bytes(buffer));
    put_part(batch, header->seq, BLOCK_ATTESTATION, attestation);
    put_part(batch, header->seq, BLOCK_RESULTS, block->results);
    rocks_batch_put(batch, ROCKS_META, storage_name_key(META_APPLIED),
                    attestation);
    if (block->incarnations.size > 0) {
        rocks_batch_put(batch, ROCKS_META, storage_name_key(META_INCARNATIONS),
                        block->incarnations);
    }
    return PBFT_OK;
}

enum pbft_status storage_block_write(struct storage *storage,
                                     const struct storage_block *block,
                                     struct storage_state *state)
{
    PBFT_ASSERT(block->committed->type == PBFT_MESSAGE_COMMITTED);
    PBFT_ASSERT(block->committed->committed.pre_prepare->pre_prepare.body !=
                NULL);
    /* Only this thread changes `applied`, so it may read it without a lock. */
    PBFT_ASSERT(block->executed.seq == storage->applied.seq + 1);
    PBFT_ASSERT(pbft_message_seq(block->committed) == block->executed.seq);
    if (block->results.size > STORAGE_RESULTS_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    struct rocks_batch *batch =
        state != NULL ? storage_state_batch(state) : storage->block_batch;
    enum pbft_status status = put_block(storage, batch, block);
    if (status == PBFT_OK) {
        status = storage_write(storage, batch, ROCKS_NO_SYNC);
    }
    rocks_batch_clear(batch);
    if (status != PBFT_OK) {
        return status;
    }
    (void)pthread_mutex_lock(&storage->applied_lock);
    storage->applied = block->executed;
    (void)pthread_mutex_unlock(&storage->applied_lock);
    return PBFT_OK;
}

void storage_applied(const struct storage *storage,
                     struct pbft_attestation *out)
{
    struct storage *mutable = (struct storage *)storage;
    (void)pthread_mutex_lock(&mutable->applied_lock);
    *out = storage->applied;
    (void)pthread_mutex_unlock(&mutable->applied_lock);
}

enum pbft_status storage_incarnations(const struct storage *storage,
                                      uint32_t replica_count,
                                      struct pbft_incarnations *out)
{
    uint8_t bytes[PBFT_INCARNATIONS_SIZE_MAX];
    size_t size = 0;
    *out = (struct pbft_incarnations){0};
    enum pbft_status status = storage_meta_get(storage, META_INCARNATIONS,
                                               bytes, sizeof bytes, &size);
    if (status == PBFT_NOT_FOUND) {
        return PBFT_OK;
    }
    if (status == PBFT_OK &&
        !pbft_incarnations_decode(out, replica_count,
                                  (struct pbft_bytes){bytes, size})) {
        status = PBFT_CORRUPT;
    }
    return status;
}

enum pbft_status storage_proof_put(struct rocks_batch *batch,
                                   struct wire_buffer *buffer, pbft_seq seq,
                                   const struct pbft_message *proof)
{
    PBFT_ASSERT(proof->type == PBFT_MESSAGE_STABLE);
    wire_buffer_reset(buffer);
    enum pbft_status status =
        wire_message_encode(proof, WIRE_BODY_OMIT, buffer);
    if (status == PBFT_OK) {
        put_part(batch, seq, BLOCK_PROOF, wire_buffer_bytes(buffer));
    }
    return status;
}

static enum pbft_status read_part(const struct storage *storage, pbft_seq seq,
                                  enum block_part part,
                                  struct rocks_value *value)
{
    uint8_t key[BLOCK_KEY_SIZE];
    storage_block_key(key, seq, part);
    return rocks_get(storage->rocks, NULL, ROCKS_BLOCK,
                     (struct pbft_bytes){key, sizeof key}, value);
}

static enum pbft_status read_message(const struct storage *storage,
                                     pbft_seq seq, enum block_part part,
                                     enum pbft_message_type type,
                                     const struct pbft_message **out)
{
    struct rocks_value value;
    enum pbft_status status = read_part(storage, seq, part, &value);
    if (status != PBFT_OK) {
        return status;
    }
    const struct pbft_message *message = NULL;
    status = wire_message_decode(storage->domain, value.bytes, NULL, &message);
    rocks_value_release(&value);
    if (status != PBFT_OK) {
        return status == PBFT_NO_MEMORY ? status : PBFT_CORRUPT;
    }
    if (message->type != type || pbft_message_seq(message) != seq) {
        pbft_message_unref(message);
        return PBFT_CORRUPT;
    }
    *out = message;
    return PBFT_OK;
}

/* Puts certificate and body together again, handed over by this replica. */
static const struct pbft_message *assemble(const struct storage *storage,
                                           const struct pbft_message *stored,
                                           const struct pbft_message *body)
{
    const struct pbft_message *header =
        pbft_pre_prepare_with_body(stored->committed.pre_prepare, body);
    if (header == NULL) {
        return NULL;
    }
    const struct pbft_message *whole = pbft_certificate_create(
        PBFT_MESSAGE_COMMITTED, storage->self, stored->epoch, header,
        stored->committed.votes, stored->committed.vote_count);
    pbft_message_unref(header);
    return whole;
}

enum pbft_status storage_block_read(const struct storage *storage, pbft_seq seq,
                                    const struct pbft_message **committed)
{
    const struct pbft_message *stored = NULL;
    enum pbft_status status = read_message(storage, seq, BLOCK_COMMITTED,
                                           PBFT_MESSAGE_COMMITTED, &stored);
    if (status != PBFT_OK) {
        return status;
    }
    const struct pbft_message *body = NULL;
    status = storage_body_read(
        storage, seq, &stored->committed.pre_prepare->pre_prepare.digest,
        &body);
    if (status == PBFT_OK) {
        *committed = assemble(storage, stored, body);
        status = *committed != NULL ? PBFT_OK : PBFT_NO_MEMORY;
    } else if (status == PBFT_NOT_FOUND) {
        status = PBFT_CORRUPT; /* A block without its body. */
    }
    pbft_message_unref(body);
    pbft_message_unref(stored);
    return status;
}

enum pbft_status storage_proof_read(const struct storage *storage, pbft_seq seq,
                                    const struct pbft_message **proof)
{
    return read_message(storage, seq, BLOCK_PROOF, PBFT_MESSAGE_STABLE, proof);
}

enum pbft_status storage_proof_exists(const struct storage *storage,
                                      pbft_seq seq)
{
    struct rocks_value value;
    enum pbft_status status = read_part(storage, seq, BLOCK_PROOF, &value);
    rocks_value_release(&value);
    return status;
}

enum pbft_status storage_executed_read(const struct storage *storage,
                                       pbft_seq seq,
                                       struct pbft_attestation *out)
{
    struct rocks_value value;
    enum pbft_status status =
        read_part(storage, seq, BLOCK_ATTESTATION, &value);
    if (status == PBFT_OK) {
        status = storage_attestation_decode(value.bytes, out);
        rocks_value_release(&value);
    }
    return status;
}

enum pbft_status storage_results_read(const struct storage *storage,
                                      pbft_seq seq, uint8_t **data,
                                      size_t *size)
{
    struct rocks_value value;
    enum pbft_status status = read_part(storage, seq, BLOCK_RESULTS, &value);
    if (status != PBFT_OK) {
        return status;
    }
    *data = malloc(value.bytes.size != 0 ? value.bytes.size : 1);
    if (*data == NULL) {
        status = PBFT_NO_MEMORY;
    } else {
        memcpy(*data, value.bytes.data, value.bytes.size);
        *size = value.bytes.size;
    }
    rocks_value_release(&value);
    return status;
}
