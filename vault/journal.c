/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: one row a resource, marked open until all its transactions have
 * a result. */
#include "vault/journal.h"

#include <stdlib.h>
#include <string.h>

#define JOURNAL_VERSION 1
#define JOURNAL_HEAD_SIZE (1 + 32 + 1 + 4 + 4)
#define STEP_HEAD_SIZE (32 + 4 + 8 + 4)

static uint8_t *put_number(uint8_t *at, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        at[i] = (uint8_t)(number >> (8 * (size - 1 - i)));
    }
    return at + size;
}

static uint64_t get_number(const uint8_t *at, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

void vault_journal_free(struct vault_journal *entry)
{
    for (uint32_t i = 0; i < entry->step_count; i++) {
        free(entry->steps[i].body);
        entry->steps[i].body = NULL;
    }
    entry->step_count = 0;
}

static size_t encoded_size(const struct vault_journal *entry)
{
    size_t size = JOURNAL_HEAD_SIZE;

    for (uint32_t i = 0; i < entry->step_count; i++) {
        size += STEP_HEAD_SIZE + (entry->done ? 0 : entry->steps[i].size);
    }
    return size;
}

static void encode(uint8_t *at, const struct vault_journal *entry)
{
    at = put_number(at, JOURNAL_VERSION, 1);
    memcpy(at, entry->key, sizeof entry->key);
    at = put_number(at + sizeof entry->key, entry->done ? 1 : 0, 1);
    at = put_number(at, entry->item_class, 4);
    at = put_number(at, entry->step_count, 4);
    for (uint32_t i = 0; i < entry->step_count; i++) {
        const struct vault_step *step = &entry->steps[i];
        /* Bodies have done their duty once there is a result. */
        size_t size = entry->done ? 0 : step->size;

        memcpy(at, step->tx_id.bytes, sizeof step->tx_id.bytes);
        at = put_number(at + sizeof step->tx_id.bytes, step->code, 4);
        at = put_number(at, step->seq, 8);
        at = put_number(at, size, 4);
        if (size > 0) {
            memcpy(at, step->body, size);
        }
        at += size;
    }
}

static enum pbft_status decode_step(struct vault_step *step, const uint8_t **at,
                                    size_t *left)
{
    if (*left < STEP_HEAD_SIZE) {
        return PBFT_CORRUPT;
    }
    memcpy(step->tx_id.bytes, *at, sizeof step->tx_id.bytes);
    step->code = (uint32_t)get_number(*at + 32, 4);
    step->seq = get_number(*at + 36, 8);
    step->size = (size_t)get_number(*at + 44, 4);
    *at += STEP_HEAD_SIZE;
    *left -= STEP_HEAD_SIZE;
    if (step->size > *left) {
        return PBFT_CORRUPT;
    }
    step->body = malloc(step->size + 1);
    if (step->body == NULL) {
        return PBFT_NO_MEMORY;
    }
    memcpy(step->body, *at, step->size);
    *at += step->size;
    *left -= step->size;
    return PBFT_OK;
}

static enum pbft_status decode(struct vault_journal *out,
                               const struct vault_blob *blob)
{
    const uint8_t *at = blob->data;

    memset(out, 0, sizeof *out);
    if (blob->size < JOURNAL_HEAD_SIZE || at[0] != JOURNAL_VERSION) {
        return PBFT_CORRUPT;
    }
    memcpy(out->key, at + 1, sizeof out->key);
    out->done = at[33] != 0;
    out->item_class = (uint32_t)get_number(at + 34, 4);
    uint32_t count = (uint32_t)get_number(at + 38, 4);
    if (count > VAULT_JOURNAL_STEPS_MAX) {
        return PBFT_CORRUPT;
    }
    size_t left = blob->size - JOURNAL_HEAD_SIZE;
    at += JOURNAL_HEAD_SIZE;
    for (uint32_t i = 0; i < count; i++) {
        enum pbft_status status = decode_step(&out->steps[i], &at, &left);
        if (status != PBFT_OK) {
            vault_journal_free(out);
            return status;
        }
        out->step_count = i + 1;
    }
    return left == 0 ? PBFT_OK : PBFT_CORRUPT;
}

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

enum pbft_status vault_journal_drop(struct vault *vault, const uint8_t key[32])
{
    return vault_forget(vault, VAULT_JOURNAL, key_bytes(key));
}

enum pbft_status vault_journal_oldest_open(struct vault *vault,
                                           struct vault_journal *out)
{
    struct vault_blob blob;
    int64_t id = 0;
    size_t count = 0;
    enum pbft_status status =
        vault_list(vault, &id, 1, &count, VAULT_JOURNAL, VAULT_OPEN);

    if (status != PBFT_OK || count == 0) {
        return status != PBFT_OK ? status : PBFT_NOT_FOUND;
    }
    status = vault_get_id(vault, &blob, VAULT_JOURNAL, id);
    if (status != PBFT_OK) {
        return status;
    }
    status = decode(out, &blob);
    vault_blob_free(&blob);
    return status;
}

enum pbft_status vault_journal_count_open(struct vault *vault, uint64_t *count)
{
    return vault_count(vault, count, VAULT_JOURNAL, VAULT_OPEN);
}
