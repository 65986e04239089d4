/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a vault, whether it opens, and what belongs to a patient. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "crypto/secret.h"
#include "vault/care.h"
#include "vault/events.h"
#include "vault/journal.h"
#include "vault/layout.h"
#include "vault/sealed.h"
#include "vault/vault_private.h"

#define PAGE 256
#define ID_AT 1 /* Behind the version byte of every typed row. */
#define SUBJECT_AT (ID_AT + VAULT_ID_SIZE)
#define SUBJECT_OF_AGENT_AT (SUBJECT_AT + 4) /* Behind the kind. */

/* Calls for each row of the kind; a status other than OK ends the walk. */
typedef enum pbft_status on_row(void *context, int64_t id);

static enum pbft_status walk(struct vault *vault, enum vault_kind kind,
                             on_row *handle, void *context)
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
        status = walk(vault, check.kind, check_row, &check);
    }
    return status;
}

/* ---- a patient ----------------------------------------------------------- */

struct search {
    struct vault *vault;
    struct vault_forgotten *out;
    uint8_t handle[VAULT_HANDLE_SIZE];
    enum vault_kind kind;
    uint64_t *counter;
    int64_t *ids; /* Rows to destroy; from malloc. */
    size_t count;
    size_t capacity;
};

static enum pbft_status add_id(struct search *search, int64_t id)
{
    if (search->count == search->capacity) {
        size_t capacity = search->capacity == 0 ? 64 : 2 * search->capacity;
        int64_t *ids = realloc(search->ids, capacity * sizeof *ids);
        if (ids == NULL) {
            return PBFT_NO_MEMORY;
        }
        search->ids = ids;
        search->capacity = capacity;
    }
    search->ids[search->count++] = id;
    return PBFT_OK;
}

static bool has_id(const struct search *search, int64_t id)
{
    for (size_t i = 0; i < search->count; i++) {
        if (search->ids[i] == id) {
            return true;
        }
    }
    return false;
}

/* All but agents name their patient at one place. Staff has none. */
static enum pbft_status find_owned(void *context, int64_t id)
{
    struct search *search = context;
    const size_t at =
        search->kind == VAULT_PARTICIPANT ? SUBJECT_OF_AGENT_AT : SUBJECT_AT;
    struct vault_blob blob;
    enum pbft_status status =
        vault_get_id(search->vault, &blob, search->kind, id);

    if (status == PBFT_OK && blob.size >= at + VAULT_HANDLE_SIZE &&
        memcmp(blob.data + at, search->handle, VAULT_HANDLE_SIZE) == 0) {
        (*search->counter)++;
        status = add_id(search, id);
    }
    vault_blob_free(&blob);
    return status;
}

/* The journal names rows: what it says of forgotten ones goes too. */
static enum pbft_status find_journal(void *context, int64_t id)
{
    struct search *search = context;
    struct vault_journal *entry = calloc(1, sizeof *entry);
    bool names_forgotten = false;

    if (entry == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = vault_journal_get_id(search->vault, entry, id);
    for (uint32_t i = 0; status == PBFT_OK && i < entry->step_count; i++) {
        const struct vault_step *step = &entry->steps[i];
        int64_t row = 0;
        if (step->row == NULL || step->kind == 0) {
            continue;
        }
        struct pbft_bytes name = {(const uint8_t *)step->row,
                                  strlen(step->row)};
        status = vault_find_row(search->vault, &row,
                                (enum vault_kind)step->kind, name);
        names_forgotten =
            names_forgotten || (status == PBFT_OK && has_id(search, row));
        status = status == PBFT_NOT_FOUND ? PBFT_OK : status;
    }
    vault_journal_free(entry);
    free(entry);
    if (status == PBFT_OK && names_forgotten) {
        search->out->journal++;
        status = add_id(search, id);
    }
    return status;
}

static enum pbft_status find_kind(struct search *search, enum vault_kind kind,
                                  uint64_t *counter)
{
    search->kind = kind;
    search->counter = counter;
    return walk(search->vault, kind, find_owned, search);
}

static enum pbft_status find_belongings(struct search *search)
{
    const struct {
        enum vault_kind kind;
        uint64_t *counter;
    } kinds[] = {{VAULT_RECORD, &search->out->records},
                 {VAULT_CONSENT, &search->out->consents},
                 {VAULT_EVENT, &search->out->events},
                 {VAULT_CONTEXT, &search->out->contexts},
                 {VAULT_PARTICIPANT, &search->out->agents}};
    enum pbft_status status = PBFT_OK;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && status == PBFT_OK;
         i++) {
        status = find_kind(search, kinds[i].kind, kinds[i].counter);
    }
    return status == PBFT_OK
               ? walk(search->vault, VAULT_JOURNAL, find_journal, search)
               : status;
}

static enum pbft_status find_all(struct search *search, const char *name)
{
    struct vault_subject subject;
    int64_t row = 0;
    enum pbft_status status = vault_find_subject(search->vault, &subject, name);

    if (status != PBFT_OK) {
        return status;
    }
    memcpy(search->handle, subject.handle, sizeof search->handle);
    secret_wipe(&subject, sizeof subject);
    status = vault_find_row(
        search->vault, &row, VAULT_SUBJECT,
        (struct pbft_bytes){(const uint8_t *)name, strlen(name)});
    if (status == PBFT_OK) {
        status = add_id(search, row);
    }
    return status == PBFT_OK ? find_belongings(search) : status;
}

/* Files first: as long as the rows are there, it can be done again. */
static enum pbft_status erase_file(void *context, int64_t id)
{
    struct search *search = context;
    struct vault_blob blob;
    enum pbft_status status =
        has_id(search, id)
            ? vault_get_id(search->vault, &blob, search->kind, id)
            : PBFT_NOT_FOUND;

    if (status == PBFT_NOT_FOUND) {
        return PBFT_OK;
    }
    if (status == PBFT_OK && blob.size >= SUBJECT_AT) {
        status = vault_sealed_erase(search->vault, blob.data + ID_AT);
        status = status == PBFT_NOT_FOUND ? PBFT_OK : status;
    }
    vault_blob_free(&blob);
    return status;
}

static enum pbft_status destroy(struct search *search)
{
    static const enum vault_kind with_files[] = {VAULT_RECORD, VAULT_CONSENT};
    enum pbft_status status = PBFT_OK;

    for (size_t i = 0; i < 2 && status == PBFT_OK; i++) {
        search->kind = with_files[i];
        status = walk(search->vault, search->kind, erase_file, search);
    }
    if (status != PBFT_OK) {
        return status;
    }
    status = vault_begin(search->vault);
    for (size_t i = 0; i < search->count && status == PBFT_OK; i++) {
        status = vault_forget_id(search->vault, search->ids[i]);
    }
    if (status != PBFT_OK) {
        vault_rollback(search->vault);
        return status;
    }
    return vault_commit(search->vault);
}

enum pbft_status vault_forget_subject(struct vault *vault,
                                      struct vault_forgotten *out,
                                      const char *name, bool only_count)
{
    struct search search = {.vault = vault, .out = out};
    uint64_t open = 0;
    enum pbft_status status = vault_journal_count_open(vault, &open);

    memset(out, 0, sizeof *out);
    if (status == PBFT_OK && open > 0) {
        return PBFT_EXISTS;
    }
    if (status == PBFT_OK) {
        status = find_all(&search, name);
    }
    if (status == PBFT_OK && !only_count) {
        status = destroy(&search);
    }
    free(search.ids);
    secret_wipe(&search, sizeof search);
    return status;
}
