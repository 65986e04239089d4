/* SPDX-License-Identifier: Apache-2.0 */
/* Fields in and out of a layout, layouts in and out of rows. */
#include "vault/layout.h"

#include <string.h>

#include "crypto/random.h"
#include "crypto/secret.h"

void layout_put(struct layout *layout, const void *field, size_t size)
{
    memcpy(layout->bytes + layout->size, field, size);
    layout->size += size;
}

void layout_put_number(struct layout *layout, uint32_t number)
{
    uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
                        (uint8_t)(number >> 8), (uint8_t)number};

    layout_put(layout, bytes, sizeof bytes);
}

void layout_put_time(struct layout *layout, uint64_t time)
{
    layout_put_number(layout, (uint32_t)(time >> 32));
    layout_put_number(layout, (uint32_t)time);
}

void layout_get(struct layout *layout, void *field, size_t size)
{
    if (layout->damaged || layout->size - layout->read < size) {
        layout->damaged = true;
        memset(field, 0, size);
        return;
    }
    memcpy(field, layout->bytes + layout->read, size);
    layout->read += size;
}

uint32_t layout_get_number(struct layout *layout)
{
    uint8_t bytes[4];

    layout_get(layout, bytes, sizeof bytes);
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | bytes[3];
}

uint64_t layout_get_time(struct layout *layout)
{
    uint64_t high = layout_get_number(layout);

    return high << 32 | layout_get_number(layout);
}

struct layout layout_begin(void)
{
    struct layout layout = {.size = 1};

    layout.bytes[0] = LAYOUT_VERSION;
    return layout;
}

/* The ledger takes no id that reads as text; one in millions does. */
void layout_draw(uint8_t *out, size_t size)
{
    bool is_text;

    do {
        random_fill(out, size);
        is_text = true;
        for (size_t i = 0; i < size; i++) {
            is_text = is_text && out[i] < 0x7f;
        }
    } while (is_text);
}

/* ---- rows ---------------------------------------------------------------- */

static struct pbft_bytes name_bytes(const char *name)
{
    return (struct pbft_bytes){(const uint8_t *)name, strlen(name)};
}

enum pbft_status layout_load(struct vault *vault, struct layout *layout,
                             enum vault_kind kind, const char *name)
{
    struct vault_blob blob;
    enum pbft_status status = vault_get(vault, &blob, kind, name_bytes(name));

    *layout = layout_begin();
    if (status != PBFT_OK) {
        return status;
    }
    if (blob.size < 1 || blob.size > LAYOUT_MAX ||
        blob.data[0] != LAYOUT_VERSION) {
        status = PBFT_CORRUPT;
    } else {
        memcpy(layout->bytes, blob.data, blob.size);
        layout->size = blob.size;
        layout->read = 1;
    }
    vault_blob_free(&blob);
    return status;
}

/* All was read, and there was enough. */
enum pbft_status layout_end(struct layout *layout)
{
    bool complete = !layout->damaged && layout->read == layout->size;

    secret_wipe(layout->bytes, sizeof layout->bytes);
    return complete ? PBFT_OK : PBFT_CORRUPT;
}

enum pbft_status layout_store(struct vault *vault, struct layout *layout,
                              enum vault_kind kind, const char *name)
{
    enum pbft_status status =
        vault_put(vault, kind, VAULT_PLAIN, name_bytes(name),
                  (struct pbft_bytes){layout->bytes, layout->size});

    secret_wipe(layout->bytes, sizeof layout->bytes);
    return status;
}

enum pbft_status layout_replace(struct vault *vault, struct layout *layout,
                                enum vault_kind kind, const char *name)
{
    enum pbft_status status =
        vault_replace(vault, kind, VAULT_PLAIN, name_bytes(name),
                      (struct pbft_bytes){layout->bytes, layout->size});

    secret_wipe(layout->bytes, sizeof layout->bytes);
    return status;
}
