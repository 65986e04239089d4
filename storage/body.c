/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of batches, once each, named by what they contain. */
#include <string.h>

#include "consensus/assert.h"
#include "proto/codec.h"
#include "storage/log.h"
#include "storage/storage_private.h"

static bool has_digest(const struct pbft_message *message,
                       const struct pbft_digest *digest)
{
    return message->type == PBFT_MESSAGE_BATCH &&
           memcmp(message->batch.digest.bytes, digest->bytes,
                  PBFT_DIGEST_SIZE) == 0;
}

enum pbft_status storage_body_read(const struct storage *storage, pbft_seq seq,
                                   const struct pbft_digest *digest,
                                   const struct pbft_message **out)
{
    uint8_t key[BODY_KEY_SIZE];
    storage_body_key(key, seq, digest);
    struct rocks_value value;
    enum pbft_status status =
        rocks_get(storage->rocks, NULL, ROCKS_BODY,
                  (struct pbft_bytes){key, sizeof key}, &value);
    if (status != PBFT_OK) {
        return status;
    }
    const struct pbft_message *body = NULL;
    status = wire_message_decode(storage->domain, value.bytes, NULL, &body);
    rocks_value_release(&value);
    if (status != PBFT_OK) {
        return status == PBFT_NO_MEMORY ? status : PBFT_CORRUPT;
    }
    if (!has_digest(body, digest)) {
        pbft_message_unref(body);
        return PBFT_CORRUPT;
    }
    *out = body;
    return PBFT_OK;
}

static uint8_t *place_of(struct storage *storage, pbft_seq seq)
{
    return storage->known_bodies[seq % KNOWN_BODIES];
}

void storage_body_know(struct storage *storage, pbft_seq seq,
                       const struct pbft_digest *digest)
{
    (void)pthread_mutex_lock(&storage->known_lock);
    storage_body_key(place_of(storage, seq), seq, digest);
    (void)pthread_mutex_unlock(&storage->known_lock);
}

static bool is_known(struct storage *storage, pbft_seq seq,
                     const uint8_t key[BODY_KEY_SIZE])
{
    (void)pthread_mutex_lock(&storage->known_lock);
    bool found = memcmp(place_of(storage, seq), key, BODY_KEY_SIZE) == 0;
    (void)pthread_mutex_unlock(&storage->known_lock);
    return found;
}

void storage_body_forget(struct storage *storage, pbft_seq seq,
                         const struct pbft_digest *digest)
{
    uint8_t key[BODY_KEY_SIZE];
    storage_body_key(key, seq, digest);
    (void)pthread_mutex_lock(&storage->known_lock);
    if (memcmp(place_of(storage, seq), key, BODY_KEY_SIZE) == 0) {
        memset(place_of(storage, seq), 0, BODY_KEY_SIZE);
    }
    (void)pthread_mutex_unlock(&storage->known_lock);
}

enum pbft_status storage_body_put(struct storage *storage,
                                  struct rocks_batch *batch,
                                  struct wire_buffer *buffer, pbft_seq seq,
                                  const struct pbft_message *body)
{
    PBFT_ASSERT(body->type == PBFT_MESSAGE_BATCH);
    uint8_t bytes[BODY_KEY_SIZE];
    storage_body_key(bytes, seq, &body->batch.digest);
    struct pbft_bytes key = {bytes, sizeof bytes};
    struct rocks_value value;
    if (is_known(storage, seq, bytes)) {
        return PBFT_OK;
    }
    enum pbft_status status =
        rocks_get(storage->rocks, NULL, ROCKS_BODY, key, &value);
    rocks_value_release(&value);
    if (status != PBFT_NOT_FOUND) {
        return status;
    }
    wire_buffer_reset(buffer);
    status = wire_message_encode(body, WIRE_BODY_INCLUDE, buffer);
    if (status == PBFT_OK) {
        rocks_batch_put(batch, ROCKS_BODY, key, wire_buffer_bytes(buffer));
    }
    return status;
}
