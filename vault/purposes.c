/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of purposes: number, system, code. */
#include "vault/purposes.h"

#include <stdio.h>
#include <string.h>

#include "vault/layout.h"

#define NAME_SIZE (VAULT_PURPOSE_SYSTEM_MAX + VAULT_PURPOSE_CODE_MAX + 2)

const struct vault_purpose *
vault_purposes_find(const struct vault_purposes *list, const char *system,
                    const char *code)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (strcmp(list->rows[i].system, system) == 0 &&
            strcmp(list->rows[i].code, code) == 0) {
            return &list->rows[i];
        }
    }
    return NULL;
}

const struct vault_purpose *
vault_purposes_by_id(const struct vault_purposes *list, uint32_t id)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (list->rows[i].id == id) {
            return &list->rows[i];
        }
    }
    return NULL;
}

enum pbft_status vault_purposes_add(struct vault_purposes *list,
                                    const struct vault_purpose *purpose)
{
    const struct vault_purpose *by_code =
        vault_purposes_find(list, purpose->system, purpose->code);

    if (by_code != vault_purposes_by_id(list, purpose->id)) {
        return PBFT_EXISTS;
    }
    if (by_code != NULL) {
        return PBFT_OK;
    }
    if (list->count == VAULT_PURPOSES_MAX) {
        return PBFT_TOO_LARGE;
    }
    list->rows[list->count++] = *purpose;
    return PBFT_OK;
}

/* ---- rows ---------------------------------------------------------------- */

static enum pbft_status read_row(struct vault_purpose *out,
                                 const struct vault_blob *blob)
{
    struct layout layout = layout_begin();

    memset(out, 0, sizeof *out);
    if (blob->size > sizeof layout.bytes || blob->size < 1 ||
        blob->data[0] != LAYOUT_VERSION) {
        return PBFT_CORRUPT;
    }
    memcpy(layout.bytes, blob->data, blob->size);
    layout.size = blob->size;
    layout.read = 1;
    out->id = layout_get_number(&layout);
    layout_get(&layout, out->system, sizeof out->system);
    layout_get(&layout, out->code, sizeof out->code);
    return layout_end(&layout);
}

enum pbft_status vault_purposes_load(struct vault *vault,
                                     struct vault_purposes *out)
{
    int64_t ids[VAULT_PURPOSES_MAX];
    size_t count = 0;

    memset(out, 0, sizeof *out);
    enum pbft_status status = vault_list(vault, ids, VAULT_PURPOSES_MAX, &count,
                                         VAULT_PURPOSE, VAULT_PLAIN);
    for (size_t i = 0; i < count && status == PBFT_OK; i++) {
        struct vault_purpose row;
        struct vault_blob blob;
        status = vault_get_id(vault, &blob, VAULT_PURPOSE, ids[i]);
        if (status != PBFT_OK) {
            break;
        }
        status = read_row(&row, &blob);
        vault_blob_free(&blob);
        if (status == PBFT_OK) {
            status = vault_purposes_add(out, &row);
        }
    }
    return status;
}

static enum pbft_status store_row(struct vault *vault,
                                  const struct vault_purpose *purpose)
{
    struct layout layout = layout_begin();
    char name[NAME_SIZE];

    (void)snprintf(name, sizeof name, "%s|%s", purpose->system, purpose->code);
    layout_put_number(&layout, purpose->id);
    layout_put(&layout, purpose->system, sizeof purpose->system);
    layout_put(&layout, purpose->code, sizeof purpose->code);
    return layout_store(vault, &layout, VAULT_PURPOSE, name);
}

enum pbft_status vault_purposes_keep(struct vault *vault,
                                     struct vault_purposes *list)
{
    struct vault_purposes all;
    enum pbft_status status = vault_purposes_load(vault, &all);
    size_t kept = all.count;

    for (size_t i = 0; i < list->count && status == PBFT_OK; i++) {
        status = vault_purposes_add(&all, &list->rows[i]);
    }
    for (; kept < all.count && status == PBFT_OK; kept++) {
        status = store_row(vault, &all.rows[kept]);
    }
    if (status == PBFT_OK) {
        *list = all;
    }
    return status;
}

enum pbft_status vault_purposes_forget(struct vault *vault, const char *name)
{
    return vault_forget(
        vault, VAULT_PURPOSE,
        (struct pbft_bytes){(const uint8_t *)name, strlen(name)});
}
