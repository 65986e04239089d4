/* SPDX-License-Identifier: Apache-2.0 */
/* Some databases of other versions are known by their families (the others by
 * the format in their identity) before they are opened for writing: that adds
 * the families which are missing, and the version that made the database could
 * not open it any more. */
#include "storage/rocks_private.h"

#include <string.h>

static bool is_named(const char *name, char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* All of ours and no others; `log` may be missing after a crash within
 * rocks_empty_family(). */
static bool are_ours(char *const *names, size_t count)
{
    size_t known = 0;
    for (size_t i = 0; i < ROCKS_FAMILY_COUNT; i++) {
        const char *name = rocks_family_name((enum rocks_family)i);
        const bool found = is_named(name, names, count);
        if (!found && i != ROCKS_LOG) {
            return false;
        }
        known += found;
    }
    return known == count;
}

static bool is_error(char *error)
{
    const bool is = error != NULL;
    rocksdb_free(error);
    return is;
}

/* Or nobody can tell: what is not ours is better left alone. */
static bool may_have_entry(const rocksdb_options_t *options, const char *dir,
                           struct pbft_bytes key)
{
    char *error = NULL;
    size_t size = 0;
    rocksdb_t *db = rocksdb_open_for_read_only(options, dir, 0, &error);
    if (is_error(error)) {
        return true;
    }
    error = NULL;
    rocksdb_readoptions_t *read = rocksdb_readoptions_create();
    char *value =
        rocksdb_get(db, read, (const char *)key.data, key.size, &size, &error);
    const bool may = is_error(error) || value != NULL;
    rocksdb_free(value);
    rocksdb_readoptions_destroy(read);
    rocksdb_close(db);
    return may;
}

bool rocks_has_other_families(const char *dir, struct pbft_bytes key)
{
    char *error = NULL;
    size_t count = 0;
    rocksdb_options_t *options = rocksdb_options_create();
    rocks_prepare_reading(options);
    char **names = rocksdb_list_column_families(options, dir, &count, &error);
    const bool other = !is_error(error) && !are_ours(names, count) &&
                       may_have_entry(options, dir, key);
    if (names != NULL) { /* Also after an error. */
        rocksdb_list_column_families_destroy(names, count);
    }
    rocksdb_options_destroy(options);
    return other;
}
