/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a vault, and whether it opens. */
#include <dirent.h>
#include <string.h>

#include <sqlite3.h>

#include "vault/care.h"
#include "vault/journal.h"
#include "vault/sealed.h"
#include "vault/vault_private.h"

#define PAGE 256
#define ID_AT 1 /* Behind the version byte of every typed row. */
#define SUBJECT_AT (ID_AT + VAULT_ID_SIZE)

enum pbft_status vault_walk(struct vault *vault, enum vault_kind kind,
                            vault_on_row *handle, void *context)
{
    int64_t ids[PAGE];
    int64_t after = 0;
    size_t count = 0;

    do {
        enum pbft_status status =
            vault_list_after(vault, ids, PAGE, &count, kind, after);
        for (size_t i = 0; i < count && status == PBFT_OK; i++) {
            status = handle(context, ids[i]);
            after = ids[i];
        }
        if (status != PBFT_OK) {
            return status;
        }
    } while (count == PAGE);
    return PBFT_OK;
}

/* ---- census -------------------------------------------------------------- */

static void count_sealed(struct vault *vault, struct vault_census *out)
{
    char path[VAULT_PATH_MAX];
    DIR *folder = NULL;

    if (vault_join_path(path, vault->folder, "sealed")) {
        folder = opendir(path);
    }
    if (folder == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        out->sealed += strlen(entry->d_name) == 2 * (size_t)VAULT_ID_SIZE;
    }
    (void)closedir(folder);
}

enum pbft_status vault_take_census(struct vault *vault,
                                   struct vault_census *out)
{
    enum pbft_status status = vault_journal_count_open(vault, &out->open);

    memset(out->rows, 0, sizeof out->rows);
    out->damaged = 0;
    out->missing = 0;
    out->sealed = 0;
    for (int kind = VAULT_SUBJECT; kind < VAULT_KINDS && status == PBFT_OK;
         kind++) {
        uint64_t plain = 0;
        uint64_t open = 0;
        status = vault_count(vault, &plain, (enum vault_kind)kind, VAULT_PLAIN);
        if (status == PBFT_OK) {
            status =
                vault_count(vault, &open, (enum vault_kind)kind, VAULT_OPEN);
        }
        out->rows[kind] = plain + open;
    }
    count_sealed(vault, out);
    return status;
}

/* ---- check --------------------------------------------------------------- */

struct check {
    struct vault *vault;
    struct vault_census *out;
    enum vault_kind kind;
};

static enum pbft_status check_row(void *context, int64_t id)
{
    struct check *check = context;
    struct vault_blob blob;
    enum pbft_status status =
        vault_get_id(check->vault, &blob, check->kind, id);

    if (status == PBFT_CORRUPT) {
        check->out->damaged++;
        return PBFT_OK;
    }
    bool has_file = check->kind == VAULT_RECORD || check->kind == VAULT_CONSENT;
    if (status == PBFT_OK && has_file && blob.size >= SUBJECT_AT &&
        !vault_sealed_exists(check->vault, blob.data + ID_AT)) {
        check->out->missing++;
    }
    vault_blob_free(&blob);
    return status;
}

static enum pbft_status check_database(struct vault *vault)
{
    struct sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(
        vault->database, "PRAGMA integrity_check(1)", -1, &statement, NULL);
    bool is_sound = false;

    if (result == SQLITE_OK) {
        result = sqlite3_step(statement);
    }
    if (result == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        is_sound = text != NULL && strcmp(text, "ok") == 0;
    }
    (void)sqlite3_finalize(statement);
    enum pbft_status status = vault_sqlite_status(vault, result);
    if (status == PBFT_OK && !is_sound) {
        salus_reason_set(&vault->problem, "%s/vault.db: damaged",
                         vault->folder);
        return PBFT_CORRUPT;
    }
    return status;
}

enum pbft_status vault_check(struct vault *vault, struct vault_census *out)
{
    enum pbft_status status = vault_take_census(vault, out);

    if (status == PBFT_OK) {
        status = check_database(vault);
    }
    for (int kind = VAULT_SUBJECT; kind < VAULT_KINDS && status == PBFT_OK;
         kind++) {
        struct check check = {vault, out, (enum vault_kind)kind};
        status = vault_walk(vault, check.kind, check_row, &check);
    }
    return status;
}
