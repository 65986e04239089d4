/* SPDX-License-Identifier: Apache-2.0 */
/* The vault key in its file, and the change from one to the next. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/file.h"
#include "crypto/hex.h"
#include "crypto/kdf.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "vault/vault_private.h"

#define VAULT_KEY_SIZE 32
#define VAULT_KEY_TEXT_MAX 128
#define NEW_KEY_NAME "vault.key.new"

static struct pbft_bytes text_bytes(const char *text)
{
    return (struct pbft_bytes){(const uint8_t *)text, strlen(text)};
}

static enum pbft_status derive_keys(struct vault *vault,
                                    const uint8_t key[VAULT_KEY_SIZE])
{
    enum pbft_status status =
        kdf_expand(vault->wrap_key, sizeof vault->wrap_key, key,
                   text_bytes("salus/vault/wrap/1"));

    if (status == PBFT_OK) {
        status = kdf_expand(vault->lookup_key, sizeof vault->lookup_key, key,
                            text_bytes("salus/vault/lookup/1"));
    }
    return status;
}

static enum pbft_status create_key(uint8_t key[VAULT_KEY_SIZE],
                                   const char *folder, const char *name,
                                   struct salus_reason *reason)
{
    char path[VAULT_PATH_MAX];
    char text[2 * VAULT_KEY_SIZE + 2];

    if (!vault_join_path(path, folder, name)) {
        return PBFT_INVALID_ARGUMENT;
    }
    random_fill(key, VAULT_KEY_SIZE);
    hex_encode(text, (struct pbft_bytes){key, VAULT_KEY_SIZE});
    text[sizeof text - 2] = '\n';
    enum pbft_status status = file_create(
        path, FILE_SECRET,
        (struct pbft_bytes){(const uint8_t *)text, sizeof text - 1}, reason);
    secret_wipe(text, sizeof text);
    return status;
}

/* Refuses to overwrite: a lost key is a lost vault. */
enum pbft_status vault_key_create(const char *folder,
                                  struct salus_reason *reason)
{
    uint8_t key[VAULT_KEY_SIZE];
    enum pbft_status status = create_key(key, folder, VAULT_KEY_NAME, reason);

    secret_wipe(key, sizeof key);
    return status;
}

enum pbft_status vault_key_read(struct vault *vault, const char *name,
                                struct salus_reason *reason)
{
    char path[VAULT_PATH_MAX];
    uint8_t text[VAULT_KEY_TEXT_MAX + 1];
    uint8_t key[VAULT_KEY_SIZE];
    size_t size = 0;

    if (!vault_join_path(path, vault->folder, name)) {
        return PBFT_INVALID_ARGUMENT;
    }
    enum pbft_status status =
        file_read(text, VAULT_KEY_TEXT_MAX, &size, path, FILE_SECRET, reason);
    if (status != PBFT_OK) {
        return status;
    }
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r')) {
        size--;
    }
    text[size] = 0;
    if (size != sizeof key * 2 ||
        hex_decode(key, sizeof key, (const char *)text) != PBFT_OK) {
        salus_reason_set(reason, "%s: not a vault key", path);
        status = PBFT_CORRUPT;
    } else {
        status = derive_keys(vault, key);
    }
    secret_wipe(key, sizeof key);
    secret_wipe(text, sizeof text);
    return status;
}

/* ---- from one to the next ------------------------------------------------ */

enum pbft_status vault_new_key_create(struct vault *vault, uint8_t out[32],
                                      struct salus_reason *reason)
{
    uint8_t key[VAULT_KEY_SIZE];
    enum pbft_status status =
        create_key(key, vault->folder, NEW_KEY_NAME, reason);

    if (status == PBFT_OK) {
        status = kdf_expand(out, VAULT_KEY_SIZE, key,
                            text_bytes("salus/vault/wrap/1"));
    }
    secret_wipe(key, sizeof key);
    return status;
}

static enum pbft_status sync_folder(const struct vault *vault)
{
    int fd = open(vault->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return PBFT_IO;
    }
    int result = fsync(fd);
    (void)close(fd);
    return result == 0 ? PBFT_OK : PBFT_IO;
}

enum pbft_status vault_new_key_settle(struct vault *vault,
                                      struct salus_reason *reason)
{
    char from[VAULT_PATH_MAX];
    char to[VAULT_PATH_MAX];

    (void)vault_join_path(from, vault->folder, NEW_KEY_NAME);
    (void)vault_join_path(to, vault->folder, VAULT_KEY_NAME);
    if (rename(from, to) != 0) {
        salus_reason_set(reason, "%s: %s", from, strerror(errno));
        return PBFT_IO;
    }
    return sync_folder(vault);
}

enum pbft_status vault_new_key_recover(struct vault *vault,
                                       enum pbft_status opened,
                                       struct salus_reason *reason)
{
    char path[VAULT_PATH_MAX];
    struct stat info;

    if (!vault_join_path(path, vault->folder, NEW_KEY_NAME) ||
        lstat(path, &info) != 0) {
        return opened;
    }
    if (opened == PBFT_OK) {
        /* The database never changed: the new key opens nothing. */
        (void)unlink(path);
        return PBFT_OK;
    }
    if (opened != PBFT_WRONG_IDENTITY) {
        return opened;
    }
    vault_database_close(vault);
    enum pbft_status status = vault_key_read(vault, NEW_KEY_NAME, reason);
    if (status == PBFT_OK) {
        status = vault_open_locked(vault);
    }
    return status == PBFT_OK ? vault_new_key_settle(vault, &vault->problem)
                             : status;
}
