/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of encounters and the like: an id, and whose it is. */
#include <string.h>

#include "vault/entries.h"
#include "vault/layout.h"

enum pbft_status vault_find_context(struct vault *vault,
                                    struct vault_context *out, const char *name)
{
    struct layout layout;
    enum pbft_status status = layout_load(vault, &layout, VAULT_CONTEXT, name);

    if (status != PBFT_OK) {
        return status;
    }
    layout_get(&layout, out->id, sizeof out->id);
    memset(out->subject, 0, sizeof out->subject);
    /* Older rows end here. */
    if (layout.read < layout.size) {
        layout_get(&layout, out->subject, sizeof out->subject);
    }
    return layout_end(&layout);
}

enum pbft_status vault_set_context(struct vault *vault,
                                   struct vault_context *out, const char *name,
                                   const uint8_t *subject)
{
    enum pbft_status status = vault_find_context(vault, out, name);
    bool is_known = status == PBFT_OK;

    if (!is_known && status != PBFT_NOT_FOUND) {
        return status;
    }
    if (is_known && (subject == NULL ||
                     memcmp(out->subject, subject, sizeof out->subject) == 0)) {
        return PBFT_OK;
    }
    if (!is_known) {
        memset(out, 0, sizeof *out);
        layout_draw(out->id, sizeof out->id);
    }
    if (subject != NULL) {
        memcpy(out->subject, subject, sizeof out->subject);
    }
    struct layout layout = layout_begin();
    layout_put(&layout, out->id, sizeof out->id);
    layout_put(&layout, out->subject, sizeof out->subject);
    return is_known ? layout_replace(vault, &layout, VAULT_CONTEXT, name)
                    : layout_store(vault, &layout, VAULT_CONTEXT, name);
}
