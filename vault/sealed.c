/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed contents as files: written beside, synced, then renamed. */
#include "vault/sealed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "crypto/file.h"
#include "crypto/hex.h"
#include "crypto/seal.h"
#include "crypto/secret.h"
#include "vault/vault_private.h"

static_assert(SEAL_RECORD_SIZE == VAULT_ID_SIZE, "a sealed file has one id");
static_assert(SEAL_KEY_SIZE == VAULT_SECRET_SIZE, "a data key opens a file");

static enum pbft_status sealed_path(const struct vault *vault,
                                    char out[VAULT_PATH_MAX],
                                    const uint8_t id[VAULT_ID_SIZE],
                                    const char *suffix)
{
    char hex[2 * VAULT_ID_SIZE + 1];

    hex_encode(hex, (struct pbft_bytes){id, VAULT_ID_SIZE});
    int size = snprintf(out, VAULT_PATH_MAX, "%s/sealed/%s%s", vault->folder,
                        hex, suffix);
    return size > 0 && size < VAULT_PATH_MAX ? PBFT_OK : PBFT_TOO_LARGE;
}

static struct seal_identity identity_of(const struct pbft_digest *chain,
                                        const uint8_t id[VAULT_ID_SIZE])
{
    struct seal_identity identity = {.chain = *chain, .version = 1};

    memcpy(identity.record, id, VAULT_ID_SIZE);
    return identity;
}

static enum pbft_status sync_folder(const struct vault *vault)
{
    char path[VAULT_PATH_MAX];

    (void)snprintf(path, sizeof path, "%.*s/sealed", VAULT_PATH_MAX - 16,
                   vault->folder);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) {
        return PBFT_IO;
    }
    int result = fsync(folder);
    (void)close(folder);
    return result == 0 ? PBFT_OK : PBFT_IO;
}

static enum pbft_status store(struct vault *vault,
                              const uint8_t id[VAULT_ID_SIZE],
                              struct pbft_bytes sealed)
{
    char path[VAULT_PATH_MAX];
    char part[VAULT_PATH_MAX];
    enum pbft_status status = sealed_path(vault, path, id, "");

    if (status == PBFT_OK) {
        status = sealed_path(vault, part, id, ".part");
    }
    if (status != PBFT_OK) {
        return status;
    }
    /* Left behind by a crash; its content is worth nothing. */
    (void)unlink(part);
    status = file_create(part, FILE_SECRET, sealed, &vault->problem);
    if (status != PBFT_OK) {
        return status;
    }
    if (rename(part, path) != 0) {
        (void)unlink(part);
        return errno == ENOSPC ? PBFT_NO_SPACE : PBFT_IO;
    }
    return sync_folder(vault);
}

enum pbft_status vault_sealed_write(
    struct vault *vault, struct pbft_digest *digest, uint64_t *sealed_size,
    const struct pbft_digest *chain, const uint8_t id[VAULT_ID_SIZE],
    const uint8_t data_key[VAULT_SECRET_SIZE], struct pbft_bytes content)
{
    struct seal_identity identity = identity_of(chain, id);

    if (content.size > VAULT_SEALED_MAX) {
        return PBFT_TOO_LARGE;
    }
    uint64_t size = seal_size(content.size);
    uint8_t *sealed = malloc((size_t)size);
    if (sealed == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = seal_bytes(sealed, data_key, &identity, content);
    if (status == PBFT_OK) {
        struct pbft_bytes bytes = {sealed, (size_t)size};
        if (digest != NULL) {
            digest_blake2b(digest, bytes);
        }
        if (sealed_size != NULL) {
            *sealed_size = size;
        }
        status = store(vault, id, bytes);
    }
    free(sealed);
    return status;
}

static enum pbft_status load(struct vault *vault, uint8_t **out, size_t *size,
                             const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0) {
        return errno == ENOENT ? PBFT_NOT_FOUND : PBFT_IO;
    }
    if (info.st_size < 0 ||
        (uint64_t)info.st_size > seal_size(VAULT_SEALED_MAX)) {
        return PBFT_TOO_LARGE;
    }
    *out = malloc((size_t)info.st_size + 1);
    if (*out == NULL) {
        return PBFT_NO_MEMORY;
    }
    return file_read(*out, (size_t)info.st_size, size, path, FILE_SECRET,
                     &vault->problem);
}

enum pbft_status vault_sealed_read(struct vault *vault, struct vault_blob *out,
                                   const struct pbft_digest *chain,
                                   const uint8_t id[VAULT_ID_SIZE],
                                   const uint8_t data_key[VAULT_SECRET_SIZE])
{
    struct seal_identity identity = identity_of(chain, id);
    char path[VAULT_PATH_MAX];
    uint8_t *sealed = NULL;
    size_t size = 0;
    enum pbft_status status = sealed_path(vault, path, id, "");

    *out = (struct vault_blob){NULL, 0};
    if (status == PBFT_OK) {
        status = load(vault, &sealed, &size, path);
    }
    if (status == PBFT_OK) {
        out->data = malloc(size + 1);
        status = out->data == NULL ? PBFT_NO_MEMORY : PBFT_OK;
    }
    if (status == PBFT_OK) {
        status = seal_open_bytes(out->data, &out->size, data_key, &identity,
                                 (struct pbft_bytes){sealed, size});
    }
    if (status != PBFT_OK) {
        free(out->data);
        *out = (struct vault_blob){NULL, 0};
    }
    free(sealed);
    return status;
}

enum pbft_status vault_sealed_copy(struct vault *vault, struct vault_blob *out,
                                   const uint8_t id[VAULT_ID_SIZE])
{
    char path[VAULT_PATH_MAX];
    enum pbft_status status = sealed_path(vault, path, id, "");

    *out = (struct vault_blob){NULL, 0};
    if (status == PBFT_OK) {
        status = load(vault, &out->data, &out->size, path);
    }
    if (status != PBFT_OK) {
        free(out->data);
        *out = (struct vault_blob){NULL, 0};
    }
    return status;
}

enum pbft_status vault_sealed_erase(struct vault *vault,
                                    const uint8_t id[VAULT_ID_SIZE])
{
    char path[VAULT_PATH_MAX];
    enum pbft_status status = sealed_path(vault, path, id, "");

    if (status != PBFT_OK) {
        return status;
    }
    if (unlink(path) != 0) {
        return errno == ENOENT ? PBFT_NOT_FOUND : PBFT_IO;
    }
    return sync_folder(vault);
}

bool vault_sealed_exists(const struct vault *vault, const uint8_t id[16])
{
    char path[VAULT_PATH_MAX];
    struct stat info;

    return sealed_path(vault, path, id, "") == PBFT_OK &&
           stat(path, &info) == 0;
}
