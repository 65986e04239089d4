/* SPDX-License-Identifier: Apache-2.0 */
/* Whose data these are: written into a new database, compared in an old one. */
#include "storage/storage_private.h"

#include <string.h>

#include "consensus/bytes.h"

#define IDENTITY_MAGIC "salus-db"
#define IDENTITY_MAGIC_SIZE 8
#define STORAGE_FORMAT 6
#define IDENTITY_SIZE (IDENTITY_MAGIC_SIZE + 4 + PBFT_DIGEST_SIZE + 4)

static void encode_identity(uint8_t out[IDENTITY_SIZE],
                            const struct storage_identity *identity)
{
    memcpy(out, IDENTITY_MAGIC, IDENTITY_MAGIC_SIZE);
    out += IDENTITY_MAGIC_SIZE;
    pbft_put_u32(out, STORAGE_FORMAT);
    memcpy(out + 4, identity->cluster.bytes, PBFT_DIGEST_SIZE);
    pbft_put_u32(out + 4 + PBFT_DIGEST_SIZE, identity->replica);
}

static enum pbft_status compare_identity(const char *dir,
                                         const struct storage_identity *wanted,
                                         const uint8_t found[IDENTITY_SIZE],
                                         struct salus_reason *reason)
{
    uint8_t expected[IDENTITY_SIZE];
    encode_identity(expected, wanted);
    const uint8_t *at = found + IDENTITY_MAGIC_SIZE;
    if (memcmp(found, expected, IDENTITY_MAGIC_SIZE) != 0) {
        salus_reason_set(reason, "%s: identity is unreadable", dir);
        return PBFT_CORRUPT;
    }
    if (pbft_get_u32(at) != STORAGE_FORMAT) {
        salus_reason_set(reason, "%s: format %u, this program reads %u", dir,
                         (unsigned)pbft_get_u32(at), (unsigned)STORAGE_FORMAT);
        return PBFT_VERSION;
    }
    if (memcmp(at + 4, wanted->cluster.bytes, PBFT_DIGEST_SIZE) != 0) {
        salus_reason_set(reason,
                         "%s: data of another consortium (other genesis)", dir);
        return PBFT_WRONG_IDENTITY;
    }
    uint32_t replica = pbft_get_u32(at + 4 + PBFT_DIGEST_SIZE);
    if (replica != wanted->replica) {
        salus_reason_set(reason, "%s: data of replica %u, not of replica %u",
                         dir, (unsigned)replica, (unsigned)wanted->replica);
        return PBFT_WRONG_IDENTITY;
    }
    return PBFT_OK;
}

static enum pbft_status write_identity(struct storage *storage,
                                       const struct storage_identity *identity,
                                       bool is_log_lost)
{
    uint8_t bytes[IDENTITY_SIZE];
    const uint8_t mark[1] = {1};
    struct rocks_batch *batch = storage->block_batch;
    encode_identity(bytes, identity);
    rocks_batch_put(batch, ROCKS_META, storage_name_key(META_IDENTITY),
                    (struct pbft_bytes){bytes, sizeof bytes});
    if (is_log_lost) {
        rocks_batch_put(batch, ROCKS_META, storage_name_key(META_LOG_LOST),
                        (struct pbft_bytes){mark, sizeof mark});
    }
    enum pbft_status status = storage_write(storage, batch, ROCKS_SYNC);
    rocks_batch_clear(batch);
    return status;
}

static bool family_is_empty(struct storage *storage, enum rocks_family family)
{
    struct pbft_bytes none = {NULL, 0};
    struct rocks_iterator *iterator =
        rocks_iterate(storage->rocks, NULL, family, none, none);
    bool empty = !rocks_iterator_valid(iterator) &&
                 rocks_iterator_status(iterator, NULL) == PBFT_OK;
    rocks_iterator_destroy(iterator);
    return empty;
}

/* Creation may have been cut short before the identity was written; but data
 * without an identity are nobody's. */
enum pbft_status
storage_settle_identity(struct storage *storage,
                        const struct storage_identity *identity,
                        bool expects_data, struct salus_reason *reason)
{
    uint8_t found[IDENTITY_SIZE];
    size_t size = 0;
    enum pbft_status status =
        storage_meta_get(storage, META_IDENTITY, found, sizeof found, &size);
    if (status == PBFT_OK && size == sizeof found) {
        return compare_identity(storage->dir, identity, found, reason);
    }
    if (status != PBFT_NOT_FOUND) {
        salus_reason_set(reason, "%s: identity is unreadable", storage->dir);
        return status == PBFT_OK || status == PBFT_TOO_LARGE ? PBFT_CORRUPT
                                                             : status;
    }
    if (!family_is_empty(storage, ROCKS_LOG) ||
        !family_is_empty(storage, ROCKS_BLOCK)) {
        salus_reason_set(reason, "%s: data without an identity", storage->dir);
        return PBFT_CORRUPT;
    }
    status = write_identity(storage, identity, expects_data);
    if (status != PBFT_OK) {
        (void)storage_failure(storage, reason);
    }
    return status;
}
