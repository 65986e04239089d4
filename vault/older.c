/* SPDX-License-Identifier: Apache-2.0 */
/* Grants from before version 7 name an author as that of a record alone, and
 * would not find one who wrote it with others. Their patients are marked when a
 * vault is brought to that version; what has replaced them is another name of
 * the new row, and goes with it.
 */
#include "vault/older.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hex.h"
#include "crypto/secret.h"
#include "vault/journal.h"
#include "vault/vault_private.h"

#define MARK "#rules/"
#define REPLACED "#replaced/"
#define SUBJECT_AT (1 + VAULT_ID_SIZE)

static struct pbft_bytes name_bytes(const char *name)
{
    return (struct pbft_bytes){(const uint8_t *)name, strlen(name)};
}

static void mark_name(char out[sizeof MARK + 2 * VAULT_HANDLE_SIZE],
                      const uint8_t handle[VAULT_HANDLE_SIZE])
{
    memcpy(out, MARK, sizeof MARK);
    hex_encode(out + sizeof MARK - 1,
               (struct pbft_bytes){handle, VAULT_HANDLE_SIZE});
}

static void replaced_name(char out[sizeof REPLACED + 2 * VAULT_ID_SIZE],
                          const uint8_t id[VAULT_ID_SIZE])
{
    memcpy(out, REPLACED, sizeof REPLACED);
    hex_encode(out + sizeof REPLACED - 1,
               (struct pbft_bytes){id, VAULT_ID_SIZE});
}

enum pbft_status vault_mark_older_rules(struct vault *vault, int64_t consent)
{
    char name[sizeof MARK + 2 * VAULT_HANDLE_SIZE];
    char handle_name[VAULT_HANDLE_NAME_SIZE];
    struct vault_blob value = {NULL, 0};
    int64_t subject = 0;
    enum pbft_status status =
        vault_get_id(vault, &value, VAULT_CONSENT, consent);

    if (status == PBFT_OK && value.size < SUBJECT_AT + VAULT_HANDLE_SIZE) {
        status = PBFT_CORRUPT;
    }
    if (status == PBFT_OK) {
        mark_name(name, value.data + SUBJECT_AT);
        vault_handle_name(handle_name, value.data + SUBJECT_AT);
        status = vault_find_row(vault, &subject, VAULT_SUBJECT,
                                name_bytes(handle_name));
        status = status == PBFT_OK
                     ? vault_name_row(vault, subject, VAULT_SUBJECT,
                                      name_bytes(name))
                 : status == PBFT_NOT_FOUND ? PBFT_OK
                                            : status;
    }
    vault_blob_free(&value);
    return status;
}

enum pbft_status vault_note_replaced(struct vault *vault,
                                     const struct vault_consent *by,
                                     const uint8_t replaced[VAULT_ID_SIZE])
{
    char name[sizeof REPLACED + 2 * VAULT_ID_SIZE];
    char own_name[VAULT_OWN_NAME_SIZE];

    replaced_name(name, replaced);
    vault_own_name(own_name, by->id);
    return vault_point(vault, VAULT_CONSENT, name_bytes(name),
                       name_bytes(own_name));
}

/* A grant that took the name of another one stands in its place: that one was
 * named by it on the ledger, or was over. Evidence takes nobody's place. */
static enum pbft_status note_step(struct vault *vault,
                                  const struct vault_step *step)
{
    struct vault_consent by;
    uint8_t replaced[VAULT_ID_SIZE];

    if (step->kind != VAULT_CONSENT || step->code != 0 || step->ends ||
        step->row == NULL || step->previous == NULL ||
        step->previous[0] != '#' ||
        hex_decode(replaced, sizeof replaced, step->previous + 1) != PBFT_OK) {
        return PBFT_OK;
    }
    enum pbft_status status = vault_find_consent(vault, &by, step->row);
    if (status == PBFT_OK && by.kind != VAULT_EVIDENCE) {
        status = vault_note_replaced(vault, &by, replaced);
    }
    secret_wipe(&by, sizeof by);
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

enum pbft_status vault_note_older_replaced(struct vault *vault, int64_t entry)
{
    struct vault_journal *journal = calloc(1, sizeof *journal);

    if (journal == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = vault_journal_get_id(vault, journal, entry);
    for (uint32_t i = 0; status == PBFT_OK && i < journal->step_count; i++) {
        status = note_step(vault, &journal->steps[i]);
    }
    vault_journal_free(journal);
    free(journal);
    return status;
}

struct search {
    struct vault *vault;
    const uint8_t *handle;
    uint64_t now_ms;
    bool found;
};

/* Does it stand, as far as the vault knows? */
static enum pbft_status judge(struct search *search,
                              const struct vault_consent *consent)
{
    char name[sizeof REPLACED + 2 * VAULT_ID_SIZE];
    int64_t by = 0;

    if (consent->kind != VAULT_GRANT || consent->finds_authors ||
        (consent->period_to_ms != 0 &&
         consent->period_to_ms <= search->now_ms)) {
        return PBFT_OK;
    }
    replaced_name(name, consent->id);
    enum pbft_status status =
        vault_find_row(search->vault, &by, VAULT_CONSENT, name_bytes(name));
    search->found = search->found || status == PBFT_NOT_FOUND;
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

static enum pbft_status look(void *context, int64_t id)
{
    struct search *search = context;
    struct vault_blob value = {NULL, 0};
    struct vault_consent consent;
    char own_name[VAULT_OWN_NAME_SIZE];
    enum pbft_status status =
        vault_get_id(search->vault, &value, VAULT_CONSENT, id);

    if (status == PBFT_OK && value.size >= SUBJECT_AT + VAULT_HANDLE_SIZE &&
        memcmp(value.data + SUBJECT_AT, search->handle, VAULT_HANDLE_SIZE) ==
            0) {
        vault_own_name(own_name, value.data + 1);
        status = vault_find_consent(search->vault, &consent, own_name);
        status = status == PBFT_OK ? judge(search, &consent) : status;
        secret_wipe(&consent, sizeof consent);
    }
    vault_blob_free(&value);
    return status;
}

enum pbft_status vault_has_older_rules(struct vault *vault, bool *out,
                                       const uint8_t handle[VAULT_HANDLE_SIZE],
                                       uint64_t now_ms)
{
    struct search search = {.vault = vault, .handle = handle, .now_ms = now_ms};
    char name[sizeof MARK + 2 * VAULT_HANDLE_SIZE];
    int64_t subject = 0;

    mark_name(name, handle);
    enum pbft_status status =
        vault_find_row(vault, &subject, VAULT_SUBJECT, name_bytes(name));
    *out = false;
    if (status == PBFT_OK) {
        status = vault_walk(vault, VAULT_CONSENT, look, &search);
        *out = search.found;
    }
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}
