/* SPDX-License-Identifier: Apache-2.0 */
/* A vault of an older program, brought to this schema when it is opened. Before
 * version 3 patients could not be found by their handles, which exports and
 * queries do. Before version 5 records ended without the state of the document:
 * such rows are read as they are, and only older programs must not meet new
 * ones. Before version 7 participants could not be found by their ids, by which
 * a consent may name who gives it: then nobody asked for whom he acts; and
 * consents did not find each of several authors.
 */
#include <string.h>

#include "vault/entries.h"
#include "vault/layout.h"
#include "vault/older.h"
#include "vault/vault_private.h"

#define PAGE 64
/* The first schemas with these names. */
#define WITH_HANDLES 3
#define WITH_IDS 7

typedef enum pbft_status name_row(struct vault *vault, int64_t id);

/* The row, if its value has at least that size behind the version byte. */
static enum pbft_status load(struct vault *vault, struct vault_blob *out,
                             enum vault_kind kind, int64_t id, size_t size)
{
    enum pbft_status status = vault_get_id(vault, out, kind, id);

    if (status == PBFT_OK &&
        (out->size < 1 + size || out->data[0] != LAYOUT_VERSION)) {
        vault_blob_free(out);
        status = PBFT_CORRUPT;
    }
    return status;
}

static enum pbft_status add_name(struct vault *vault, enum vault_kind kind,
                                 int64_t id, const char *name)
{
    enum pbft_status status = vault_name_row(
        vault, id, kind,
        (struct pbft_bytes){(const uint8_t *)name, strlen(name)});

    return status == PBFT_EXISTS ? PBFT_CORRUPT : status;
}

/* The handle follows the version byte of the layout. */
static enum pbft_status name_by_handle(struct vault *vault, int64_t id)
{
    char name[VAULT_HANDLE_NAME_SIZE];
    struct vault_blob value = {NULL, 0};
    enum pbft_status status =
        load(vault, &value, VAULT_SUBJECT, id, VAULT_HANDLE_SIZE);

    if (status == PBFT_OK) {
        vault_handle_name(name, value.data + 1);
        status = add_name(vault, VAULT_SUBJECT, id, name);
    }
    vault_blob_free(&value);
    return status;
}

/* So does the id, and behind it the kind. Of an institution there may be
 * several rows. */
static enum pbft_status name_by_id(struct vault *vault, int64_t id)
{
    static const uint8_t institution[4] = {0, 0, 0, VAULT_IS_INSTITUTION};
    char name[VAULT_OWN_NAME_SIZE];
    struct vault_blob value = {NULL, 0};
    enum pbft_status status = load(vault, &value, VAULT_PARTICIPANT, id,
                                   VAULT_ID_SIZE + sizeof institution);

    if (status == PBFT_OK && memcmp(value.data + 1 + VAULT_ID_SIZE, institution,
                                    sizeof institution) != 0) {
        vault_own_name(name, value.data + 1);
        status = add_name(vault, VAULT_PARTICIPANT, id, name);
    }
    vault_blob_free(&value);
    return status;
}

static enum pbft_status name_all(struct vault *vault, enum vault_kind kind,
                                 name_row *name)
{
    int64_t ids[PAGE];
    int64_t after = 0;
    size_t count = 0;

    do {
        enum pbft_status status =
            vault_list_after(vault, ids, PAGE, &count, kind, after);
        for (size_t i = 0; status == PBFT_OK && i < count; i++) {
            status = name(vault, ids[i]);
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
    status = version < WITH_HANDLES
                 ? name_all(vault, VAULT_SUBJECT, name_by_handle)
                 : PBFT_OK;
    if (status == PBFT_OK && version < WITH_IDS) {
        status = name_all(vault, VAULT_PARTICIPANT, name_by_id);
    }
    if (status == PBFT_OK && version < WITH_IDS) {
        status = name_all(vault, VAULT_CONSENT, vault_mark_older_rules);
    }
    if (status == PBFT_OK && version < WITH_IDS) {
        status = name_all(vault, VAULT_JOURNAL, vault_note_older_replaced);
    }
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
