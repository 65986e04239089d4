/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs to a patient, and its end. */
#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"
#include "crypto/secret.h"
#include "vault/care.h"
#include "vault/journal.h"
#include "vault/sealed.h"
#include "vault/vault_private.h"

#define ID_AT 1 /* Behind the version byte of every typed row. */
#define SUBJECT_AT (ID_AT + VAULT_ID_SIZE)
#define SUBJECT_OF_AGENT_AT (SUBJECT_AT + 4) /* Behind the kind. */

struct ids {
    int64_t *items; /* From malloc. */
    size_t count;
    size_t capacity;
};

struct search {
    struct vault *vault;
    struct vault_forgotten *out;
    uint8_t handle[VAULT_HANDLE_SIZE];
    enum vault_kind kind;
    uint64_t *counter;
    struct ids rows;    /* To destroy. */
    struct ids entries; /* Of the journal, that name them. */
};

static enum pbft_status add_id(struct ids *list, int64_t id)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        int64_t *items = realloc(list->items, capacity * sizeof *items);
        if (items == NULL) {
            return PBFT_NO_MEMORY;
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = id;
    return PBFT_OK;
}

static bool has_id(const struct ids *list, int64_t id)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i] == id) {
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
        status = add_id(&search->rows, id);
    }
    vault_blob_free(&blob);
    return status;
}

/* ---- the journal --------------------------------------------------------- */

/* Does it name a row that is forgotten, and does it name one that stays? */
static enum pbft_status judge_step(struct search *search,
                                   const struct vault_step *step,
                                   bool *is_forgotten, bool *stays)
{
    int64_t row = 0;

    *is_forgotten = false;
    *stays = false;
    if (step->row == NULL || step->kind == 0) {
        return PBFT_OK;
    }
    enum pbft_status status = vault_find_row(
        search->vault, &row, (enum vault_kind)step->kind,
        (struct pbft_bytes){(const uint8_t *)step->row, strlen(step->row)});
    if (status == PBFT_OK) {
        *is_forgotten = has_id(&search->rows, row);
        *stays = !*is_forgotten;
    }
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

/* What is left of an entry without the forgotten rows. */
struct rest {
    struct vault_journal entry;
    bool names_forgotten;
    bool names_others;
    bool is_known; /* The resource itself is not forgotten. */
};

/* The resource is what has a moving name; without any, it comes last: who was
 * registered on the way comes before. */
static bool is_resource(const struct vault_journal *entry, uint32_t place)
{
    uint32_t last = 0;

    for (uint32_t i = 0; i < entry->step_count; i++) {
        if (entry->steps[i].name != NULL) {
            return entry->steps[place].name != NULL;
        }
        last = entry->steps[i].row != NULL ? i : last;
    }
    return place == last;
}

static void drop_step(struct vault_journal *entry, uint32_t place)
{
    struct vault_step *steps = entry->steps;
    struct vault_journal dropped = {.step_count = 1};

    dropped.steps[0] = steps[place];
    vault_journal_free(&dropped);
    entry->step_count--;
    memmove(&steps[place], &steps[place + 1],
            (entry->step_count - place) * sizeof *steps);
    memset(&steps[entry->step_count], 0, sizeof *steps);
}

/* vault_journal_free() of its entry in any case. */
static enum pbft_status find_rest(struct search *search, struct rest *out,
                                  int64_t id)
{
    bool drops[VAULT_JOURNAL_STEPS_MAX] = {false};
    bool stays[VAULT_JOURNAL_STEPS_MAX] = {false};
    struct vault_journal *entry = &out->entry;
    enum pbft_status status = vault_journal_get_id(search->vault, entry, id);

    out->names_forgotten = false;
    out->names_others = false;
    out->is_known = false;
    for (uint32_t i = 0; status == PBFT_OK && i < entry->step_count; i++) {
        status = judge_step(search, &entry->steps[i], &drops[i], &stays[i]);
        out->names_forgotten = out->names_forgotten || drops[i];
        out->names_others = out->names_others || stays[i];
        out->is_known = out->is_known || (stays[i] && is_resource(entry, i));
    }
    for (uint32_t i = entry->step_count; i > 0; i--) {
        /* Of a forgotten resource only what others are stays. */
        if (drops[i - 1] || (!out->is_known && !stays[i - 1])) {
            drop_step(entry, i - 1);
        }
    }
    return status;
}

/* The journal names rows: what it says of forgotten ones goes too. What it says
 * of others stays, or they would be forgotten with him: an entry that another
 * patient's resource has made is still found by that. */
static enum pbft_status find_journal(void *context, int64_t id)
{
    struct search *search = context;
    struct rest *rest = calloc(1, sizeof *rest);

    if (rest == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = find_rest(search, rest, id);
    if (status == PBFT_OK && rest->names_forgotten) {
        search->out->journal += !rest->is_known;
        status = add_id(&search->entries, id);
    }
    vault_journal_free(&rest->entry);
    free(rest);
    return status;
}

/* Before the rows, by whose names it is seen what goes. */
static enum pbft_status cut_entry(struct search *search, int64_t id)
{
    struct rest *rest = calloc(1, sizeof *rest);

    if (rest == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = find_rest(search, rest, id);
    if (status == PBFT_OK && !rest->is_known) {
        status = vault_forget_id(search->vault, id);
        random_fill(rest->entry.key, sizeof rest->entry.key);
    }
    if (status == PBFT_OK && rest->names_others) {
        status = vault_journal_store(search->vault, &rest->entry);
    }
    vault_journal_free(&rest->entry);
    free(rest);
    return status;
}

/* ---- what is his --------------------------------------------------------- */

static enum pbft_status find_kind(struct search *search, enum vault_kind kind,
                                  uint64_t *counter)
{
    search->kind = kind;
    search->counter = counter;
    return vault_walk(search->vault, kind, find_owned, search);
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
               ? vault_walk(search->vault, VAULT_JOURNAL, find_journal, search)
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
        status = add_id(&search->rows, row);
    }
    return status == PBFT_OK ? find_belongings(search) : status;
}

/* Files first: as long as the rows are there, it can be done again. */
static enum pbft_status erase_file(void *context, int64_t id)
{
    struct search *search = context;
    struct vault_blob blob;
    enum pbft_status status =
        has_id(&search->rows, id)
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
        status = vault_walk(search->vault, search->kind, erase_file, search);
    }
    if (status != PBFT_OK) {
        return status;
    }
    status = vault_begin(search->vault);
    for (size_t i = 0; i < search->entries.count && status == PBFT_OK; i++) {
        status = cut_entry(search, search->entries.items[i]);
    }
    for (size_t i = 0; i < search->rows.count && status == PBFT_OK; i++) {
        status = vault_forget_id(search->vault, search->rows.items[i]);
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
    free(search.rows.items);
    free(search.entries.items);
    secret_wipe(&search, sizeof search);
    return status;
}
