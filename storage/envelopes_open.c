/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the envelope file: slot 0 of the file says what it is, slot n + 1 is
 * slot n of the store. */
#include "storage/envelopes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "consensus/assert.h"
#include "consensus/bytes.h"
#include "storage/envelopes_private.h"
#include "storage/storage_private.h"

#define MAGIC "SALUSENV"
#define MAGIC_SIZE (sizeof MAGIC - 1)
#define FORMAT 1
#define FILE_MODE 0600

static enum pbft_status check_header(struct envelopes *envelopes,
                                     struct salus_reason *reason)
{
    uint8_t found[ENVELOPE_SLOT_SIZE];
    uint8_t wanted[ENVELOPE_SLOT_SIZE] = MAGIC;
    pbft_put_u32(wanted + MAGIC_SIZE, FORMAT);
    if (!envelopes_file_read(envelopes->file, found, sizeof found, 0)) {
        return storage_status_of_errno(errno);
    }
    uint32_t format = pbft_get_u32(found + MAGIC_SIZE);
    if (memcmp(found, MAGIC, MAGIC_SIZE) == 0 && format != FORMAT) {
        salus_reason_set(reason,
                         "envelopes: format %u, this program reads "
                         "%u",
                         (unsigned)format, FORMAT);
        return PBFT_VERSION;
    }
    /* New, or damaged: each slot speaks for itself. */
    envelopes->is_dirty = true;
    return envelopes_file_write(envelopes->file, wanted, sizeof wanted, 0)
               ? PBFT_OK
               : storage_status_of_errno(errno);
}

/* What cannot be read is erased: nobody was told that it is kept. */
static enum pbft_status load_slot(struct envelopes *envelopes, uint32_t slot)
{
    uint8_t bytes[ENVELOPE_SLOT_SIZE];
    struct envelope_head head;
    uint32_t other = 0;
    if (!envelopes_file_read(envelopes->file, bytes, sizeof bytes,
                             envelopes_offset(slot))) {
        return storage_status_of_errno(errno);
    }
    enum pbft_status status =
        envelope_slot_decode(bytes, envelopes->domain, slot, &head, NULL);
    envelope_wipe(bytes, sizeof bytes);
    envelopes_grow(envelopes);
    if (status == PBFT_OK && head.state != ENVELOPE_FREE &&
        !envelopes_find(envelopes, &head.name, &other)) {
        envelopes->heads[slot] = head;
        envelopes_link(envelopes, slot);
        return PBFT_OK;
    }
    envelopes_add_free(envelopes, slot);
    if (status == PBFT_OK && head.state == ENVELOPE_FREE) {
        return PBFT_OK;
    }
    envelopes->damaged++;
    memset(bytes, 0, sizeof bytes);
    return envelopes_write_slot(envelopes, slot, bytes);
}

static enum pbft_status load(struct envelopes *envelopes,
                             struct salus_reason *reason)
{
    enum pbft_status status = check_header(envelopes, reason);
    off_t size = lseek(envelopes->file, 0, SEEK_END);
    if (status == PBFT_OK && size < 0) {
        status = PBFT_IO;
    }
    off_t slots = (size - 1) / ENVELOPE_SLOT_SIZE;
    for (off_t i = 0; i < slots && i < (off_t)ENVELOPES_MAX; i++) {
        if (status == PBFT_OK) {
            status = load_slot(envelopes, (uint32_t)i);
        }
    }
    return status == PBFT_OK ? envelopes_sync(envelopes) : status;
}

static bool sync_folder(const char *dir)
{
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0) {
        (void)close(folder);
    }
    return is_synced;
}

static bool path_in(char out[STORAGE_PATH_MAX], const char *dir)
{
    int size = snprintf(out, STORAGE_PATH_MAX, "%s/" ENVELOPES_FILE, dir);
    return size >= 0 && (size_t)size < STORAGE_PATH_MAX;
}

enum pbft_status envelopes_move(const char *from, const char *to)
{
    char old_path[STORAGE_PATH_MAX];
    char path[STORAGE_PATH_MAX];
    if (!path_in(old_path, from) || !path_in(path, to)) {
        return PBFT_INVALID_ARGUMENT;
    }
    if (access(path, F_OK) == 0) {
        return PBFT_OK;
    }
    if (rename(old_path, path) != 0) {
        return errno == ENOENT ? PBFT_OK : storage_status_of_errno(errno);
    }
    return sync_folder(to) && sync_folder(from) ? PBFT_OK : PBFT_IO;
}

static enum pbft_status open_file(const char *dir, int *file)
{
    char path[STORAGE_PATH_MAX];
    if (!path_in(path, dir)) {
        return PBFT_INVALID_ARGUMENT;
    }
    *file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (*file < 0) {
        return storage_status_of_errno(errno);
    }
    return sync_folder(dir) ? PBFT_OK : PBFT_IO;
}

enum pbft_status envelopes_open(const char *dir, enum storage_sync_mode sync,
                                const struct pbft_domain *domain,
                                struct envelopes **out,
                                struct salus_reason *reason)
{
    struct envelopes *envelopes = calloc(1, sizeof *envelopes);
    PBFT_ASSERT(envelopes != NULL);
    envelopes->file = -1;
    envelopes->free = ENVELOPES_NOWHERE;
    envelopes->domain = domain;
    envelopes->is_synced = sync == STORAGE_SYNCED;
    memset(envelopes->buckets, 0xff, sizeof envelopes->buckets);
    salus_reason_set(reason, "%s", "");
    enum pbft_status status = open_file(dir, &envelopes->file);
    if (status == PBFT_OK) {
        status = load(envelopes, reason);
    }
    if (status != PBFT_OK) {
        if (reason != NULL && reason->text[0] == '\0') {
            salus_reason_set(reason, "%s/" ENVELOPES_FILE ": %s", dir,
                             pbft_status_text(status));
        }
        envelopes_close(envelopes);
        return status;
    }
    *out = envelopes;
    return PBFT_OK;
}

void envelopes_close(struct envelopes *envelopes)
{
    if (envelopes == NULL) {
        return;
    }
    if (envelopes->file >= 0) {
        (void)close(envelopes->file);
    }
    free(envelopes->heads);
    free(envelopes->next);
    free(envelopes);
}
