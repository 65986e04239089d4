/* SPDX-License-Identifier: Apache-2.0 */
/* A vault of an older program, brought to this schema when it is opened. Before
 * version 3 patients could not be found by their handles, which exports and
 * queries do. Before version 5 records ended without the state of the document:
 * such rows are read as they are, and only older programs must not meet new
 * ones.
 */
#include <string.h>

#include "vault/entries.h"
#include "vault/layout.h"
#include "vault/vault_private.h"

#define PAGE 64
#define WITH_HANDLES 3 /* The first schema with that name. */

/* The handle follows the version byte of the layout. */
static enum pbft_status name_by_handle(struct vault *vault, int64_t id)
{
    char name[VAULT_HANDLE_NAME_SIZE];
    struct vault_blob value = {NULL, 0};
    enum pbft_status status = vault_get_id(vault, &value, VAULT_SUBJECT, id);

    if (status != PBFT_OK) {
        return status;
    }
    if (value.size < 1 + VAULT_HANDLE_SIZE || value.data[0] != LAYOUT_VERSION) {
        status = PBFT_CORRUPT;
    } else {
        vault_handle_name(name, value.data + 1);
        status = vault_name_row(
            vault, id, VAULT_SUBJECT,
            (struct pbft_bytes){(const uint8_t *)name, strlen(name)});
        status = status == PBFT_EXISTS ? PBFT_CORRUPT : status;
    }
    vault_blob_free(&value);
    return status;
}

static enum pbft_status name_all(struct vault *vault)
{
    int64_t ids[PAGE];
    int64_t after = 0;
    size_t count = 0;

    do {
        enum pbft_status status =
            vault_list_after(vault, ids, PAGE, &count, VAULT_SUBJECT, after);
        for (size_t i = 0; status == PBFT_OK && i < count; i++) {
            status = name_by_handle(vault, ids[i]);
            after = ids[i];
        }
        if (status != PBFT_OK) {
            return status;
        }
    } while (count == PAGE);
    return PBFT_OK;
}

enum pbft_status vault_migrate(struct vault *vault)
{
    int64_t version = 0;
    enum pbft_status status = vault_database_version(vault, &version);

    if (status != PBFT_OK || version >= VAULT_SCHEMA_VERSION) {
        return status;
    }
    status = vault_begin(vault);
    if (status != PBFT_OK) {
        return status;
    }
    status = version < WITH_HANDLES ? name_all(vault) : PBFT_OK;
    if (status == PBFT_OK) {
        status = vault_database_renew(vault);
    }
    if (status != PBFT_OK) {
        salus_reason_set(&vault->problem,
                         "vault %s: it cannot be brought to this version",
                         vault->folder);
        vault_rollback(vault);
        return status;
    }
    return vault_commit(vault);
}
