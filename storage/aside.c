/* SPDX-License-Identifier: Apache-2.0 */
/* What cannot be trusted any more is set aside, never deleted: a whole database
 * that RocksDB finds damaged, or the consensus log of a sound one. The replica
 * goes on without it and recovers (design: P14). */
#include "storage/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consensus/bytes.h"
#include "storage/envelopes.h"
#include "storage/storage_private.h"

#define ASIDE_MAX 100
/* In a folder that is to be set aside: what was wrong with it. */
#define CONDEMNED_FILE "damaged"
#define FILE_MODE 0600

static bool exists(const char *path)
{
    struct stat found;
    return lstat(path, &found) == 0 || errno != ENOENT;
}

/* `dir` without the slashes at its end. */
static bool trim(char out[STORAGE_PATH_MAX], const char *dir)
{
    int size = snprintf(out, STORAGE_PATH_MAX, "%s", dir);
    if (size < 0 || (size_t)size >= STORAGE_PATH_MAX) {
        return false;
    }
    while (size > 1 && out[size - 1] == '/') {
        out[--size] = '\0';
    }
    return true;
}

/* The name of the folder set aside as number `i`. */
static bool aside_name(const char *trimmed, int i, char out[STORAGE_PATH_MAX])
{
    int size = snprintf(out, STORAGE_PATH_MAX, "%s.damaged-%d", trimmed, i);
    return size >= 0 && (size_t)size < STORAGE_PATH_MAX;
}

static bool free_name(const char *trimmed, char out[STORAGE_PATH_MAX])
{
    for (int i = 1; i <= ASIDE_MAX; i++) {
        if (!aside_name(trimmed, i, out)) {
            return false;
        }
        if (!exists(out)) {
            return true;
        }
    }
    return false;
}

enum pbft_status storage_folder_set_aside(const char *dir,
                                          char out[STORAGE_PATH_MAX],
                                          struct salus_reason *reason)
{
    char trimmed[STORAGE_PATH_MAX];
    struct salus_reason damage = *reason;
    if (!trim(trimmed, dir)) {
        return PBFT_INVALID_ARGUMENT;
    }
    if (!free_name(trimmed, out) || rename(trimmed, out) != 0) {
        salus_reason_set(reason,
                         "%s is damaged (%.120s) and cannot be renamed: move "
                         "it away and start again",
                         dir, damage.text);
        return PBFT_CORRUPT;
    }
    return PBFT_OK;
}

enum pbft_status storage_take_back(const char *dir, struct salus_reason *reason)
{
    char trimmed[STORAGE_PATH_MAX];
    char aside[STORAGE_PATH_MAX];
    if (!trim(trimmed, dir)) {
        return PBFT_INVALID_ARGUMENT;
    }
    enum pbft_status status = PBFT_OK;
    for (int i = 1; status == PBFT_OK && i <= ASIDE_MAX; i++) {
        if (!aside_name(trimmed, i, aside) || !exists(aside)) {
            continue; /* The operator may have removed it. */
        }
        status = envelopes_move(aside, dir);
        if (status != PBFT_OK) {
            salus_reason_set(reason,
                             "%s/" ENVELOPES_FILE " cannot be taken back: %s",
                             aside, pbft_status_text(status));
        }
    }
    return status;
}

static bool write_all(int file, struct pbft_bytes bytes)
{
    while (bytes.size > 0) {
        ssize_t written = write(file, bytes.data, bytes.size);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        bytes.data += written;
        bytes.size -= (size_t)written;
    }
    return true;
}

static bool condemned_name(const char *dir, char out[STORAGE_PATH_MAX])
{
    int size = snprintf(out, STORAGE_PATH_MAX, "%s/" CONDEMNED_FILE, dir);
    return size >= 0 && (size_t)size < STORAGE_PATH_MAX;
}

static bool sync_folder(const char *dir)
{
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_good = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0) {
        (void)close(folder);
    }
    return is_good;
}

/* After a crash an empty one does as well. */
static bool condemn(const char *dir, const char *why)
{
    char path[STORAGE_PATH_MAX];
    if (!condemned_name(dir, path)) {
        return false;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (file < 0) {
        return false;
    }
    bool is_good = write_all(file, (struct pbft_bytes){(const uint8_t *)why,
                                                       strlen(why)}) &&
                   fsync(file) == 0;
    return close(file) == 0 && is_good && sync_folder(dir);
}

enum pbft_status storage_condemn(const struct storage *storage,
                                 enum pbft_status status,
                                 struct salus_reason *reason)
{
    if (status != PBFT_CORRUPT) {
        return status;
    }
    struct salus_reason why = {{0}};
    if (reason != NULL) {
        why = *reason;
    }
    bool is_condemned =
        rocks_is_damaged(storage->rocks) && condemn(storage->dir, why.text);
    if (is_condemned) {
        salus_reason_set(reason, "%.140s; the next start sets %s aside",
                         why.text, storage->dir);
        return PBFT_CLOSED;
    }
    if (strstr(why.text, storage->dir) == NULL) {
        salus_reason_set(reason, "%s: %s", storage->dir, why.text);
    }
    return status;
}

bool storage_is_condemned(const char *dir, struct salus_reason *reason)
{
    char path[STORAGE_PATH_MAX];
    int file =
        condemned_name(dir, path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) {
        return false;
    }
    ssize_t size = read(file, reason->text, sizeof reason->text - 1);
    reason->text[size > 0 ? size : 0] = '\0';
    (void)close(file);
    return true;
}

static void write_records(struct rocks_iterator *iterator, int file)
{
    uint8_t head[PBFT_U32_SIZE];
    bool is_good = true;
    for (; is_good && rocks_iterator_valid(iterator);
         rocks_iterator_next(iterator)) {
        const struct pbft_bytes frame = rocks_iterator_value(iterator);
        pbft_put_u32(head, (uint32_t)frame.size);
        is_good = write_all(file, (struct pbft_bytes){head, sizeof head}) &&
                  write_all(file, frame);
    }
}

/* What can be read of the records, for whoever wants to know: frames of
 * consensus/record.h, each behind its size. */
static void copy_records(struct storage *storage)
{
    char path[STORAGE_PATH_MAX];
    const struct pbft_bytes none = {NULL, 0};
    struct rocks_iterator *iterator =
        rocks_iterate(storage->rocks, NULL, ROCKS_LOG, none, none);
    if (rocks_iterator_valid(iterator)) {
        const struct pbft_bytes key = rocks_iterator_key(iterator);
        uint64_t first = key.size == LOG_KEY_SIZE ? pbft_get_u64(key.data) : 0;
        int size = snprintf(path, sizeof path, "%s/damaged-log-%" PRIu64,
                            storage->dir, first);
        int file = size >= 0 && (size_t)size < sizeof path
                       ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                              FILE_MODE)
                       : -1;
        if (file >= 0) {
            write_records(iterator, file);
            (void)close(file);
        }
    }
    rocks_iterator_destroy(iterator);
}

/* The number that the next log begins with: behind all that were read of the
 * old one, and behind those that it had dropped, if none could be read. */
static enum pbft_status next_first(const struct storage *storage,
                                   const struct storage_log_summary *damaged,
                                   uint64_t *out)
{
    enum pbft_status status = storage_log_expected_first(storage, out);
    if (status == PBFT_CORRUPT) {
        *out = 1;
        status = PBFT_OK;
    }
    if (status == PBFT_OK && *out <= damaged->last_number) {
        *out = damaged->last_number + 1;
    }
    return status;
}

enum pbft_status
storage_log_set_aside(struct storage *storage,
                      const struct storage_log_summary *damaged)
{
    uint8_t first[LOG_KEY_SIZE];
    const uint8_t mark[1] = {1};
    uint64_t next = 0;
    if (storage->log_ready) {
        return PBFT_INVALID_ARGUMENT;
    }
    enum pbft_status status = next_first(storage, damaged, &next);
    if (status != PBFT_OK) {
        return status;
    }
    storage_log_key(first, next);
    rocks_batch_put(storage->log_batch, ROCKS_META,
                    storage_name_key(META_LOG_LOST),
                    (struct pbft_bytes){mark, sizeof mark});
    rocks_batch_put(storage->log_batch, ROCKS_META,
                    storage_name_key(META_LOG_FIRST),
                    (struct pbft_bytes){first, sizeof first});
    status = storage_write(storage, storage->log_batch, ROCKS_SYNC);
    rocks_batch_clear(storage->log_batch);
    if (status == PBFT_OK) {
        /* Also if nothing could be read: a bad block may lie before the first
         * record, and the next truncation would come upon it. */
        copy_records(storage);
        status = rocks_empty_family(storage->rocks, ROCKS_LOG);
    }
    if (status == PBFT_OK) {
        storage->log_first = next;
        storage->log_next = next;
        storage->is_log_lost = true;
        storage->log_ready = true;
        atomic_store(&storage->log_records, 0);
    }
    return status;
}
