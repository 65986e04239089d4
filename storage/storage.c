/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, closing, the sticky failure, meta, figures. */
#include "storage/storage_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "proto/codec_limits.h"

static enum pbft_status load_applied(struct storage *storage,
                                     struct salus_reason *reason)
{
    uint8_t bytes[ATTESTATION_SIZE];
    size_t size = 0;
    enum pbft_status status =
        storage_meta_get(storage, META_APPLIED, bytes, sizeof bytes, &size);
    if (status == PBFT_NOT_FOUND) {
        return PBFT_OK;
    }
    if (status == PBFT_OK) {
        status = storage_attestation_decode((struct pbft_bytes){bytes, size},
                                            &storage->applied);
    }
    if (status != PBFT_OK) {
        salus_reason_set(reason, "%s: the applied block is unreadable",
                         storage->dir);
    }
    return status;
}

static struct storage *storage_create(const char *dir,
                                      const struct storage_identity *identity,
                                      const struct pbft_domain *domain)
{
    struct storage *storage = calloc(1, sizeof *storage);
    char *copy = strdup(dir);
    if (storage == NULL || copy == NULL) {
        free(storage);
        free(copy);
        return NULL;
    }
    storage->dir = copy;
    storage->domain = domain;
    storage->self = identity->replica;
    (void)pthread_mutex_init(&storage->known_lock, NULL);
    (void)pthread_mutex_init(&storage->applied_lock, NULL);
    (void)pthread_mutex_init(&storage->failure_lock, NULL);
    wire_buffer_init(&storage->log_buffer, WIRE_MESSAGE_BYTES_MAX);
    wire_buffer_init(&storage->block_buffer, WIRE_MESSAGE_BYTES_MAX);
    return storage;
}

static void storage_destroy(struct storage *storage)
{
    rocks_batch_destroy(storage->log_batch);
    rocks_batch_destroy(storage->block_batch);
    rocks_close(storage->rocks);
    wire_buffer_deinit(&storage->log_buffer);
    wire_buffer_deinit(&storage->block_buffer);
    (void)pthread_mutex_destroy(&storage->known_lock);
    (void)pthread_mutex_destroy(&storage->applied_lock);
    (void)pthread_mutex_destroy(&storage->failure_lock);
    free(storage->dir);
    free(storage);
}

/* Notes whether the last close was orderly, and takes the mark away. */
static enum pbft_status take_clean_mark(struct storage *storage,
                                        struct salus_reason *reason)
{
    uint8_t mark[1];
    size_t size = 0;
    enum pbft_status status =
        storage_meta_get(storage, META_CLEAN, mark, sizeof mark, &size);
    storage->was_clean = status == PBFT_OK;
    if (status != PBFT_OK) {
        return status == PBFT_NOT_FOUND ? PBFT_OK : status;
    }
    rocks_batch_delete(storage->block_batch, ROCKS_META,
                       storage_name_key(META_CLEAN));
    status = storage_write(storage, storage->block_batch, ROCKS_SYNC);
    rocks_batch_clear(storage->block_batch);
    if (status != PBFT_OK) {
        (void)storage_failure(storage, reason);
    }
    return status;
}

/* A damaged database has forgotten what nobody can tell: it is set aside. */
static enum pbft_status open_database(struct storage *storage,
                                      pbft_replica_id replica,
                                      const struct storage_options *options,
                                      struct salus_reason *reason)
{
    struct salus_reason damage = {{0}};
    storage->is_synced = options->sync == STORAGE_SYNCED;
    if (rocks_has_other_families(storage->dir,
                                 storage_name_key(META_IDENTITY))) {
        salus_reason_set(reason, "%s: not the families of this version",
                         storage->dir);
        return PBFT_VERSION;
    }
    enum pbft_status status =
        rocks_open(storage->dir, replica, options, &storage->rocks, &damage);
    /* Asked behind the lock: another process may use the folder. */
    if (status == PBFT_OK && storage_is_condemned(storage->dir, &damage)) {
        rocks_close(storage->rocks);
        storage->rocks = NULL;
        status = PBFT_CORRUPT;
    }
    if (status == PBFT_CORRUPT) {
        status =
            storage_folder_set_aside(storage->dir, storage->set_aside, &damage);
    } else if (status == PBFT_OK) {
        return PBFT_OK;
    }
    if (status != PBFT_OK) {
        salus_reason_set(reason, "%s", damage.text);
        return status;
    }
    salus_reason_set(&storage->damage, "%s", damage.text);
    status = storage_folder_prepare(storage->dir, reason);
    if (status == PBFT_OK) {
        status = storage_take_back(storage->dir, reason);
    }
    if (status != PBFT_OK) {
        return status;
    }
    return rocks_open(storage->dir, replica, options, &storage->rocks, reason);
}

enum pbft_status storage_open(const char *dir,
                              const struct storage_identity *identity,
                              const struct pbft_domain *domain,
                              const struct storage_options *options,
                              struct storage **out, struct salus_reason *reason)
{
    PBFT_ASSERT(dir != NULL);
    PBFT_ASSERT(identity->replica < PBFT_REPLICAS_MAX);
    salus_reason_set(reason, "%s", "");
    enum pbft_status status = storage_folder_prepare(dir, reason);
    if (status == PBFT_OK) {
        status = storage_folder_check_space(dir, options, reason);
    }
    if (status == PBFT_OK) {
        status = storage_take_back(dir, reason);
    }
    if (status != PBFT_OK) {
        return status;
    }
    struct storage *storage = storage_create(dir, identity, domain);
    if (storage == NULL) {
        return PBFT_NO_MEMORY;
    }
    status = open_database(storage, identity->replica, options, reason);
    if (status == PBFT_LOCKED) {
        salus_reason_set(reason, "%s: another process uses this folder", dir);
    }
    if (status == PBFT_OK) {
        storage->log_batch = rocks_batch_create(storage->rocks);
        storage->block_batch = rocks_batch_create(storage->rocks);
        status = storage_settle_identity(
            storage, identity,
            options->expects_data || storage->set_aside[0] != '\0', reason);
    }
    if (status == PBFT_OK) {
        status = load_applied(storage, reason);
    }
    if (status == PBFT_OK) {
        status = take_clean_mark(storage, reason);
    }
    if (status != PBFT_OK) {
        if (storage->rocks != NULL) {
            status = storage_condemn(storage, status, reason);
        }
        storage_destroy(storage);
        return status;
    }
    *out = storage;
    return PBFT_OK;
}

void storage_close(struct storage *storage)
{
    if (storage == NULL) {
        return;
    }
    uint8_t mark[1] = {1};
    enum pbft_status status = storage_meta_put(
        storage, META_CLEAN, (struct pbft_bytes){mark, sizeof mark});
    /* Nothing can be done about a failure here; the next open finds no mark
     * and says that the close was not orderly. */
    (void)status;
    storage_destroy(storage);
}

const char *storage_set_aside(const struct storage *storage,
                              struct salus_reason *reason)
{
    *reason = storage->damage;
    return storage->set_aside[0] != '\0' ? storage->set_aside : NULL;
}

bool storage_is_damaged(const struct storage *storage)
{
    return rocks_is_damaged(storage->rocks);
}

bool storage_was_closed_orderly(const struct storage *storage)
{
    return storage->was_clean;
}

enum pbft_status storage_failure(const struct storage *storage,
                                 struct salus_reason *reason)
{
    struct storage *mutable = (struct storage *)storage;
    (void)pthread_mutex_lock(&mutable->failure_lock);
    enum pbft_status status = storage->failure;
    if (reason != NULL && status != PBFT_OK) {
        *reason = storage->failure_reason;
    }
    (void)pthread_mutex_unlock(&mutable->failure_lock);
    return status;
}

enum pbft_status storage_write(struct storage *storage,
                               struct rocks_batch *batch, enum rocks_sync sync)
{
    enum pbft_status status = storage_failure(storage, NULL);
    if (status != PBFT_OK) {
        return status;
    }
    struct salus_reason reason = {{0}};
    status = rocks_write(storage->rocks, batch, sync, &reason);
    if (status != PBFT_OK) {
        (void)pthread_mutex_lock(&storage->failure_lock);
        if (storage->failure == PBFT_OK) {
            storage->failure = status;
            storage->failure_reason = reason;
        }
        (void)pthread_mutex_unlock(&storage->failure_lock);
        return status;
    }
    atomic_fetch_add(&storage->writes, 1);
    if (sync == ROCKS_SYNC && storage->is_synced) {
        atomic_fetch_add(&storage->syncs, 1);
    }
    return PBFT_OK;
}

enum pbft_status storage_meta_get(const struct storage *storage,
                                  const char *name, uint8_t *out,
                                  size_t capacity, size_t *size)
{
    PBFT_ASSERT(strlen(name) <= STORAGE_META_NAME_MAX);
    struct rocks_value value;
    enum pbft_status status = rocks_get(storage->rocks, NULL, ROCKS_META,
                                        storage_name_key(name), &value);
    if (status != PBFT_OK) {
        return status;
    }
    if (value.bytes.size > capacity) {
        status = PBFT_TOO_LARGE;
    } else {
        memcpy(out, value.bytes.data, value.bytes.size);
        *size = value.bytes.size;
    }
    rocks_value_release(&value);
    return status;
}

enum pbft_status storage_meta_put(struct storage *storage, const char *name,
                                  struct pbft_bytes value)
{
    PBFT_ASSERT(strlen(name) <= STORAGE_META_NAME_MAX);
    if (value.size > STORAGE_META_VALUE_MAX) {
        return PBFT_TOO_LARGE;
    }
    struct rocks_batch *batch = rocks_batch_create(storage->rocks);
    rocks_batch_put(batch, ROCKS_META, storage_name_key(name), value);
    enum pbft_status status = storage_write(storage, batch, ROCKS_SYNC);
    rocks_batch_destroy(batch);
    return status;
}

void storage_fit_cache(struct storage *storage, uint64_t most)
{
    rocks_fit_cache(storage->rocks, most);
}

uint64_t storage_free_bytes(const struct storage *storage)
{
    return storage_folder_free_bytes(storage->dir);
}

void storage_stats(const struct storage *storage, struct storage_stats *out)
{
    *out = (struct storage_stats){
        .disk_bytes = storage_folder_bytes(storage->dir),
        .disk_free_bytes = storage_folder_free_bytes(storage->dir),
        .merge_bytes = rocks_merge_bytes(storage->rocks),
        .syncs = atomic_load(&storage->syncs),
        .writes = atomic_load(&storage->writes),
        .log_records = atomic_load(&storage->log_records),
    };
}
