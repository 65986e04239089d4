/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the database: column families, error texts. */
#include "storage/rocks_private.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"

static enum pbft_status classify(const char *error)
{
    if (strstr(error, "No space left on device") != NULL) {
        return PBFT_NO_SPACE;
    }
    if (strncmp(error, "Corruption", strlen("Corruption")) == 0 ||
        strstr(error, "Corruption:") != NULL) {
        return PBFT_CORRUPT;
    }
    if (strstr(error, "Permission denied") != NULL ||
        strstr(error, "Read-only file system") != NULL) {
        return PBFT_PERMISSION;
    }
    if (strstr(error, "lock") != NULL && strstr(error, "LOCK") != NULL) {
        return PBFT_LOCKED;
    }
    return PBFT_IO;
}

enum pbft_status rocks_status_of(struct rocks *rocks, char *error,
                                 struct salus_reason *reason)
{
    if (error == NULL) {
        return PBFT_OK;
    }
    enum pbft_status status = classify(error);
    if (status == PBFT_CORRUPT) {
        atomic_store(&rocks->is_damaged, true);
    }
    if (reason != NULL) {
        (void)snprintf(reason->text, sizeof reason->text, "%s", error);
        for (char *at = reason->text; *at != '\0'; at++) {
            if (*at == '\n' || *at == '\r') {
                *at = ' ';
            }
        }
    }
    rocksdb_free(error);
    return status;
}

enum pbft_status rocks_open(const char *dir, pbft_replica_id replica,
                            const struct storage_options *options,
                            struct rocks **out, struct salus_reason *reason)
{
    struct rocks *rocks = calloc(1, sizeof *rocks);
    if (rocks == NULL) {
        return PBFT_NO_MEMORY;
    }
    rocks_prepare_options(rocks, dir, replica, options);
    const char *names[ROCKS_FAMILY_COUNT];
    const rocksdb_options_t *families[ROCKS_FAMILY_COUNT];
    for (size_t i = 0; i < ROCKS_FAMILY_COUNT; i++) {
        names[i] = rocks_family_name((enum rocks_family)i);
        families[i] = rocks->family_options[i];
    }
    char *error = NULL;
    rocks->db =
        rocksdb_open_column_families(rocks->db_options, dir, ROCKS_FAMILY_COUNT,
                                     names, families, rocks->families, &error);
    enum pbft_status status = rocks_status_of(rocks, error, reason);
    if (status != PBFT_OK) {
        rocks->db = NULL;
        rocks_close(rocks);
        return status;
    }
    *out = rocks;
    return PBFT_OK;
}

enum pbft_status rocks_empty_family(struct rocks *rocks,
                                    enum rocks_family family)
{
    char *error = NULL;
    PBFT_ASSERT(family != ROCKS_META); /* RocksDB keeps its default family. */
    rocksdb_drop_column_family(rocks->db, rocks->families[family], &error);
    enum pbft_status status = rocks_status_of(rocks, error, NULL);
    if (status != PBFT_OK) {
        return status;
    }
    rocksdb_column_family_handle_destroy(rocks->families[family]);
    error = NULL;
    rocks->families[family] =
        rocksdb_create_column_family(rocks->db, rocks->family_options[family],
                                     rocks_family_name(family), &error);
    atomic_store(&rocks->is_damaged, false);
    return rocks_status_of(rocks, error, NULL);
}

uint64_t rocks_cache_wanted(uint64_t base, uint64_t rows, uint64_t most)
{
    const uint64_t filters = rows / CHAR_BIT * ROCKS_STATE_FILTER_BITS;
    const uint64_t room = most > base ? most - base : 0;
    return base + (filters < room ? filters : room);
}

uint64_t rocks_merge_bytes(struct rocks *rocks)
{
    static const enum rocks_family merged[] = {ROCKS_STATE, ROCKS_INDEX};
    uint64_t most = 0;
    for (size_t i = 0; i < sizeof merged / sizeof merged[0]; i++) {
        uint64_t bytes = 0;
        if (rocksdb_property_int_cf(rocks->db, rocks->families[merged[i]],
                                    "rocksdb.total-sst-files-size",
                                    &bytes) == 0 &&
            bytes > most) {
            most = bytes;
        }
    }
    return most;
}

void rocks_fit_cache(struct rocks *rocks, uint64_t most)
{
    uint64_t rows = 0;
    if (rocksdb_property_int_cf(rocks->db, rocks->families[ROCKS_STATE],
                                "rocksdb.estimate-num-keys", &rows) != 0) {
        return;
    }
    rocksdb_cache_set_capacity(
        rocks->cache, rocks_cache_wanted(rocks->cache_bytes, rows, most));
}

bool rocks_is_damaged(const struct rocks *rocks)
{
    return atomic_load(&rocks->is_damaged);
}

void rocks_close(struct rocks *rocks)
{
    if (rocks == NULL) {
        return;
    }
    if (rocks->db != NULL) {
        for (size_t i = 0; i < ROCKS_FAMILY_COUNT; i++) {
            if (rocks->families[i] != NULL) {
                rocksdb_column_family_handle_destroy(rocks->families[i]);
            }
        }
        rocksdb_close(rocks->db);
    }
    rocksdb_readoptions_destroy(rocks->read_newest);
    rocksdb_writeoptions_destroy(rocks->write_synced);
    rocksdb_writeoptions_destroy(rocks->write_plain);
    for (size_t i = 0; i < ROCKS_FAMILY_COUNT; i++) {
        rocksdb_options_destroy(rocks->family_options[i]);
    }
    rocksdb_options_destroy(rocks->db_options);
    rocksdb_cache_destroy(rocks->cache);
    free(rocks);
}
