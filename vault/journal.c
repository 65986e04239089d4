/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: one row a resource, marked open until all its transactions have
 * a result. */
#include "vault/journal.h"

#include <stdlib.h>
#include <string.h>

#include "vault/entries.h"
#include "vault/sealed.h"
#include "vault/vault_private.h"

#define JOURNAL_VERSION 1
#define JOURNAL_NUMBERS_SIZE (1 + 32 + 1 + 4 + 4)
#define STEP_NUMBERS_SIZE (32 + 4 + 4 + 8 + 4 + 1)
#define PART_HEAD_SIZE 4 /* Each of body and three texts. */
#define STEP_PARTS 4

void vault_journal_free(struct vault_journal *entry)
{
    for (uint32_t i = 0; i < entry->step_count; i++) {
        struct vault_step *step = &entry->steps[i];
        free(step->body);
        free(step->row);
        free(step->name);
        free(step->previous);
        *step = (struct vault_step){.size = 0};
    }
    entry->step_count = 0;
}

/* ---- encoding ------------------------------------------------------------ */

static uint8_t *put_number(uint8_t *at, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    }
    return at + size;
}

static uint8_t *put_part(uint8_t *at, const void *data, size_t size)
{
    at = put_number(at, size, PART_HEAD_SIZE);
    if (size > 0) {
        memcpy(at, data, size);
    }
    return at + size;
}

static size_t text_size(const char *text)
{
    return text == NULL ? 0 : strlen(text);
}

static size_t encoded_size(const struct vault_journal *entry)
{
    size_t size = JOURNAL_NUMBERS_SIZE;

    for (uint32_t i = 0; i < entry->step_count; i++) {
        const struct vault_step *step = &entry->steps[i];
        size += STEP_NUMBERS_SIZE + STEP_PARTS * PART_HEAD_SIZE + step->size +
                text_size(step->row) + text_size(step->name) +
                text_size(step->previous);
    }
    return size;
}

static uint8_t *encode_step(uint8_t *at, const struct vault_step *step)
{
    memcpy(at, step->tx_id.bytes, sizeof step->tx_id.bytes);
    at += sizeof step->tx_id.bytes;
    at = put_number(at, step->type, 4);
    at = put_number(at, step->code, 4);
    at = put_number(at, step->seq, 8);
    at = put_number(at, step->kind, 4);
    at = put_number(at, step->ends ? 1 : 0, 1);
    at = put_part(at, step->body, step->size);
    at = put_part(at, step->row, text_size(step->row));
    at = put_part(at, step->name, text_size(step->name));
    return put_part(at, step->previous, text_size(step->previous));
}

static void encode(uint8_t *at, const struct vault_journal *entry)
{
    at = put_number(at, JOURNAL_VERSION, 1);
    memcpy(at, entry->key, sizeof entry->key);
    at = put_number(at + sizeof entry->key, entry->done ? 1 : 0, 1);
    at = put_number(at, entry->item_class, 4);
    at = put_number(at, entry->step_count, 4);
    for (uint32_t i = 0; i < entry->step_count; i++) {
        at = encode_step(at, &entry->steps[i]);
    }
}

/* What is left to decode; stays at its end once something was wrong. */
struct input {
    const uint8_t *at;
    size_t left;
    enum pbft_status status;
};

static const uint8_t *take(struct input *in, size_t size)
{
    const uint8_t *at = in->at;

    if (in->status != PBFT_OK || in->left < size) {
        in->status = in->status != PBFT_OK ? in->status : PBFT_CORRUPT;
        return NULL;
    }
    in->at += size;
    in->left -= size;
    return at;
}

static uint64_t take_number(struct input *in, size_t size)
{
    const uint8_t *at = take(in, size);
    uint64_t number = 0;

    for (size_t i = 0; at != NULL && i < size; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

/* A copy with a zero behind it; NULL if it is empty or damaged. */
static uint8_t *take_part(struct input *in, size_t *size)
{
    *size = (size_t)take_number(in, PART_HEAD_SIZE);
    const uint8_t *at = take(in, *size);
    if (at == NULL || *size == 0) {
        *size = 0;
        return NULL;
    }
    uint8_t *copy = malloc(*size + 1);
    if (copy == NULL) {
        in->status = PBFT_NO_MEMORY;
        return NULL;
    }
    memcpy(copy, at, *size);
    copy[*size] = 0;
    return copy;
}

static void decode_step(struct input *in, struct vault_step *step)
{
    size_t size;
    const uint8_t *tx_id = take(in, sizeof step->tx_id.bytes);

    if (tx_id != NULL) {
        memcpy(step->tx_id.bytes, tx_id, sizeof step->tx_id.bytes);
    }
    step->type = (uint32_t)take_number(in, 4);
    step->code = (uint32_t)take_number(in, 4);
    step->seq = take_number(in, 8);
    step->kind = (uint32_t)take_number(in, 4);
    step->ends = take_number(in, 1) != 0;
    step->body = take_part(in, &step->size);
    step->row = (char *)take_part(in, &size);
    step->name = (char *)take_part(in, &size);
    step->previous = (char *)take_part(in, &size);
}

static enum pbft_status decode(struct vault_journal *out,
                               const struct vault_blob *blob)
{
    struct input in = {blob->data, blob->size, PBFT_OK};

    memset(out, 0, sizeof *out);
    if (take_number(&in, 1) != JOURNAL_VERSION) {
        return PBFT_CORRUPT;
    }
    const uint8_t *key = take(&in, sizeof out->key);
    if (key != NULL) {
        memcpy(out->key, key, sizeof out->key);
    }
    out->done = take_number(&in, 1) != 0;
    out->item_class = (uint32_t)take_number(&in, 4);
    uint64_t count = take_number(&in, 4);
    if (in.status != PBFT_OK || count > VAULT_JOURNAL_STEPS_MAX) {
        return PBFT_CORRUPT;
    }
    for (uint32_t i = 0; i < count && in.status == PBFT_OK; i++) {
        out->step_count = i + 1;
        decode_step(&in, &out->steps[i]);
    }
    if (in.status != PBFT_OK || in.left != 0) {
        vault_journal_free(out);
        return in.status != PBFT_OK ? in.status : PBFT_CORRUPT;
    }
    return PBFT_OK;
}

/* ---- rows ---------------------------------------------------------------- */

static struct pbft_bytes key_bytes(const uint8_t key[32])
{
    return (struct pbft_bytes){key, 32};
}

enum pbft_status vault_journal_find(struct vault *vault,
                                    struct vault_journal *out,
                                    const uint8_t key[32])
{
    struct vault_blob blob;
    enum pbft_status status =
        vault_get(vault, &blob, VAULT_JOURNAL, key_bytes(key));

    if (status != PBFT_OK) {
        return status;
    }
    status = decode(out, &blob);
    vault_blob_free(&blob);
    return status;
}

enum pbft_status vault_journal_store(struct vault *vault,
                                     const struct vault_journal *entry)
{
    if (entry->step_count > VAULT_JOURNAL_STEPS_MAX) {
        return PBFT_TOO_LARGE;
    }
    size_t size = encoded_size(entry);
    uint8_t *bytes = malloc(size);
    if (bytes == NULL) {
        return PBFT_NO_MEMORY;
    }
    encode(bytes, entry);
    struct pbft_bytes value = {bytes, size};
    enum vault_mark mark = entry->done ? VAULT_PLAIN : VAULT_OPEN;
    enum pbft_status status =
        vault_replace(vault, VAULT_JOURNAL, mark, key_bytes(entry->key), value);
    if (status == PBFT_NOT_FOUND) {
        status =
            vault_put(vault, VAULT_JOURNAL, mark, key_bytes(entry->key), value);
    }
    free(bytes);
    return status;
}

enum pbft_status vault_journal_point(struct vault *vault,
                                     const uint8_t name[32],
                                     const uint8_t key[32])
{
    return vault_point(vault, VAULT_JOURNAL, key_bytes(name), key_bytes(key));
}

/* ---- settling ------------------------------------------------------------ */

static struct pbft_bytes text_bytes(const char *text)
{
    return (struct pbft_bytes){(const uint8_t *)text, strlen(text)};
}

/* The sealed content of a row that never came to be. */
static void erase_content(struct vault *vault, const struct vault_step *step)
{
    struct vault_record record;
    struct vault_consent consent;
    enum pbft_status status = PBFT_NOT_FOUND;

    if (step->kind == VAULT_RECORD &&
        vault_find_record(vault, &record, step->row) == PBFT_OK) {
        status = vault_sealed_erase(vault, record.id);
    }
    if (step->kind == VAULT_CONSENT &&
        vault_find_consent(vault, &consent, step->row) == PBFT_OK) {
        status = vault_sealed_erase(vault, consent.id);
    }
    /* Best effort: without its key the file is noise. */
    (void)status;
}

static enum pbft_status undo_step(struct vault *vault,
                                  const struct vault_step *step)
{
    enum vault_kind kind = (enum vault_kind)step->kind;
    enum pbft_status status = PBFT_OK;

    if (step->kind == 0 || step->row == NULL || step->ends) {
        return PBFT_OK;
    }
    erase_content(vault, step);
    if (step->name != NULL && step->previous != NULL) {
        status = vault_point(vault, kind, text_bytes(step->name),
                             text_bytes(step->previous));
        /* The version before may have been forgotten meanwhile. */
        status = status == PBFT_NOT_FOUND ? PBFT_OK : status;
    }
    if (status == PBFT_OK) {
        status = vault_forget(vault, kind, text_bytes(step->row));
    }
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

/* To be imported again. Not if only what ends the version before was refused:
 * what is on the ledger would be doubled. */
static bool must_forget(const struct vault_journal *entry)
{
    bool refused = false;
    bool has_version = false;

    for (uint32_t i = 0; i < entry->step_count; i++) {
        const struct vault_step *step = &entry->steps[i];
        if (step->code != 0 && !step->ends) {
            return true;
        }
        refused = refused || step->code != 0;
        has_version = has_version || (step->code == 0 && step->name != NULL);
    }
    return refused && !has_version;
}

static enum pbft_status settle_steps(struct vault *vault,
                                     struct vault_journal *entry)
{
    enum pbft_status status = PBFT_OK;

    /* Later rows may rest on earlier ones. */
    for (uint32_t i = entry->step_count; i > 0 && status == PBFT_OK; i--) {
        struct vault_step *step = &entry->steps[i - 1];
        if (step->code != 0) {
            status = undo_step(vault, step);
        } else if (step->ends) {
            status = step->kind == VAULT_RECORD
                         ? vault_end_record(vault, step->row)
                         : vault_end_consent(vault, step->row);
            status = status == PBFT_NOT_FOUND ? PBFT_OK : status;
        }
        /* The body has done its duty. */
        free(step->body);
        step->body = NULL;
        step->size = 0;
    }
    entry->done = true;
    if (status != PBFT_OK) {
        return status;
    }
    if (!must_forget(entry)) {
        return vault_journal_store(vault, entry);
    }
    status = vault_forget(vault, VAULT_JOURNAL, key_bytes(entry->key));
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

enum pbft_status vault_journal_settle(struct vault *vault,
                                      struct vault_journal *entry)
{
    bool own = !vault->begun;
    enum pbft_status status = own ? vault_begin(vault) : PBFT_OK;

    if (status == PBFT_OK) {
        status = settle_steps(vault, entry);
    }
    if (!own) {
        return status;
    }
    if (status != PBFT_OK) {
        vault_rollback(vault);
        return status;
    }
    return vault_commit(vault);
}

enum pbft_status vault_journal_get_id(struct vault *vault,
                                      struct vault_journal *out, int64_t id)
{
    struct vault_blob blob;
    enum pbft_status status = vault_get_id(vault, &blob, VAULT_JOURNAL, id);

    if (status == PBFT_OK) {
        status = decode(out, &blob);
        vault_blob_free(&blob);
    }
    return status;
}

enum pbft_status vault_journal_oldest_open(struct vault *vault,
                                           struct vault_journal *out)
{
    int64_t id = 0;
    size_t count = 0;
    enum pbft_status status =
        vault_list(vault, &id, 1, &count, VAULT_JOURNAL, VAULT_OPEN);

    if (status != PBFT_OK || count == 0) {
        return status != PBFT_OK ? status : PBFT_NOT_FOUND;
    }
    return vault_journal_get_id(vault, out, id);
}

enum pbft_status vault_journal_count_open(struct vault *vault, uint64_t *count)
{
    return vault_count(vault, count, VAULT_JOURNAL, VAULT_OPEN);
}
