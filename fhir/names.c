/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted list of ids with names. */
#include "fhir/names.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hex.h"
#include "crypto/secret.h"
#include "fhir/item.h"
#include "vault/journal.h"

void fhir_names_free(struct fhir_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->rows[i].name);
    }
    free(names->rows);
    *names = (struct fhir_names){NULL, 0, 0, false};
}

static bool has_room(struct fhir_names *names)
{
    if (names->count < names->capacity) {
        return true;
    }
    size_t capacity = names->capacity == 0 ? 256 : 2 * names->capacity;
    struct fhir_name_row *rows =
        realloc(names->rows, capacity * sizeof *names->rows);
    if (rows == NULL) {
        return false;
    }
    names->rows = rows;
    names->capacity = capacity;
    return true;
}

static int compare_ids(const struct fhir_name_row *left,
                       const struct fhir_name_row *right)
{
    if (left->kind != right->kind) {
        return left->kind < right->kind ? -1 : 1;
    }
    return memcmp(left->id, right->id, sizeof left->id);
}

/* Of a sorted list: the first row that is not before it, or the first that is
 * after it. */
static size_t place_of(const struct fhir_names *names,
                       const struct fhir_name_row *row, bool after)
{
    size_t low = 0;
    size_t high = names->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_ids(&names->rows[middle], row);
        if (order < 0 || (after && order == 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

enum pbft_status fhir_names_add(struct fhir_names *names,
                                enum fhir_ledger_kind kind, const uint8_t *id,
                                const char *name)
{
    char *copy = fhir_copy_text(name);

    if (copy == NULL || !has_room(names)) {
        free(copy);
        return PBFT_NO_MEMORY;
    }
    struct fhir_name_row row = {
        .kind = kind, .name = copy, .order = names->count};
    memcpy(row.id, id, fhir_ledger_id_size(kind));
    size_t at = names->is_sorted ? place_of(names, &row, true) : names->count;
    memmove(&names->rows[at + 1], &names->rows[at],
            (names->count - at) * sizeof row);
    names->rows[at] = row;
    names->count++;
    return PBFT_OK;
}

static int compare_rows(const void *left, const void *right)
{
    const struct fhir_name_row *a = left;
    const struct fhir_name_row *b = right;
    int order = compare_ids(a, b);

    if (order != 0) {
        return order;
    }
    return a->order < b->order ? -1 : a->order > b->order;
}

const char *fhir_names_find(struct fhir_names *names,
                            enum fhir_ledger_kind kind, const uint8_t *id)
{
    struct fhir_name_row wanted = {.kind = kind};

    memcpy(wanted.id, id, fhir_ledger_id_size(kind));
    if (!names->is_sorted && names->count > 0) {
        qsort(names->rows, names->count, sizeof *names->rows, compare_rows);
        names->is_sorted = true;
    }
    size_t at = place_of(names, &wanted, false);
    return at < names->count && compare_ids(&names->rows[at], &wanted) == 0
               ? names->rows[at].name
               : NULL;
}

/* ---- the journal --------------------------------------------------------- */

static enum pbft_status add_subject(struct fhir_names *names,
                                    struct vault *vault, const char *name)
{
    struct vault_subject subject;
    enum pbft_status status = vault_find_subject(vault, &subject, name);

    if (status == PBFT_OK) {
        status =
            fhir_names_add(names, FHIR_LEDGER_SUBJECT, subject.handle, name);
    }
    secret_wipe(&subject, sizeof subject);
    return status;
}

static enum pbft_status add_participant(struct fhir_names *names,
                                        struct vault *vault, const char *name)
{
    struct vault_participant participant;
    enum pbft_status status = vault_find_participant(vault, &participant, name);

    if (status != PBFT_OK) {
        return status;
    }
    return fhir_names_add(names,
                          participant.kind == TRANSACTION_GROUP
                              ? FHIR_LEDGER_GROUP
                              : FHIR_LEDGER_PARTICIPANT,
                          participant.id, name);
}

/* A row that is named by its id: "#<id>". */
static enum pbft_status add_version(struct fhir_names *names,
                                    const struct vault_step *step)
{
    uint8_t id[VAULT_ID_SIZE];

    if (step->name == NULL || step->row[0] != '#' || step->ends ||
        hex_decode(id, sizeof id, step->row + 1) != PBFT_OK) {
        return PBFT_OK;
    }
    return fhir_names_add(names,
                          step->kind == VAULT_RECORD    ? FHIR_LEDGER_DATA
                          : step->kind == VAULT_CONSENT ? FHIR_LEDGER_CONSENT
                                                        : FHIR_LEDGER_EVENT,
                          id, step->name);
}

static enum pbft_status add_step(struct fhir_names *names, struct vault *vault,
                                 const struct vault_step *step)
{
    enum pbft_status status = PBFT_OK;

    if (step->row == NULL || step->code != 0) {
        return PBFT_OK;
    }
    switch (step->kind) {
    case VAULT_SUBJECT:
        status = add_subject(names, vault, step->row);
        break;
    case VAULT_PARTICIPANT:
        status = add_participant(names, vault, step->row);
        break;
    case VAULT_RECORD:
    case VAULT_CONSENT:
    case VAULT_EVENT:
        status = add_version(names, step);
        break;
    default:
        break;
    }
    /* It was forgotten meanwhile. */
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

static enum pbft_status add_entry(struct fhir_names *names, struct vault *vault,
                                  struct vault_journal *entry, int64_t id)
{
    enum pbft_status status = vault_journal_get_id(vault, entry, id);

    if (status != PBFT_OK) {
        return status;
    }
    for (uint32_t i = 0; i < entry->step_count && status == PBFT_OK; i++) {
        status = add_step(names, vault, &entry->steps[i]);
    }
    vault_journal_free(entry);
    return status;
}

enum pbft_status fhir_names_load(struct fhir_names *names, struct vault *vault)
{
    uint64_t count = 0;
    size_t listed = 0;

    *names = (struct fhir_names){NULL, 0, 0, false};
    enum pbft_status status =
        vault_count(vault, &count, VAULT_JOURNAL, VAULT_PLAIN);
    if (status != PBFT_OK) {
        return status;
    }
    int64_t *ids = calloc((size_t)count + 1, sizeof *ids);
    struct vault_journal *entry = calloc(1, sizeof *entry);
    status = ids == NULL || entry == NULL
                 ? PBFT_NO_MEMORY
                 : vault_list(vault, ids, (size_t)count, &listed, VAULT_JOURNAL,
                              VAULT_PLAIN);
    for (size_t i = 0; i < listed && status == PBFT_OK; i++) {
        status = add_entry(names, vault, entry, ids[i]);
    }
    free(entry);
    free(ids);
    return status;
}
