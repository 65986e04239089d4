/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of roles, by their own names and by their place among those of a
 * person. */
#include "vault/roles.h"

#include <stdio.h>
#include <string.h>

#include "crypto/hex.h"
#include "crypto/secret.h"
#include "vault/layout.h"

#define ROLE_SIZE                                                              \
    ((size_t)1 + VAULT_ID_SIZE + 4 + 4 * VAULT_ROLE_CODES_MAX + 16)
/* "#" and the id, "," and the place. */
#define PLACE_NAME_SIZE (VAULT_OWN_NAME_SIZE + 4)

static struct pbft_bytes name_bytes(const char *name)
{
    return (struct pbft_bytes){(const uint8_t *)name, strlen(name)};
}

static void place_name(char out[PLACE_NAME_SIZE],
                       const uint8_t person[VAULT_ID_SIZE], size_t place)
{
    char own_name[VAULT_OWN_NAME_SIZE];

    vault_own_name(own_name, person);
    (void)snprintf(out, PLACE_NAME_SIZE, "%s,%02u", own_name,
                   (unsigned)(place % 100));
}

static enum pbft_status read_role(struct vault_role *out,
                                  const struct vault_blob *blob)
{
    struct layout layout = layout_begin();

    if (blob->size != ROLE_SIZE || blob->data[0] != LAYOUT_VERSION) {
        return PBFT_CORRUPT;
    }
    memcpy(layout.bytes, blob->data, ROLE_SIZE);
    layout.size = ROLE_SIZE;
    layout.read = 1;
    layout_get(&layout, out->person, sizeof out->person);
    out->count = layout_get_number(&layout);
    for (size_t i = 0; i < VAULT_ROLE_CODES_MAX; i++) {
        out->codes[i] = layout_get_number(&layout);
    }
    out->from_ms = layout_get_time(&layout);
    out->to_ms = layout_get_time(&layout);
    return layout.damaged || out->count > VAULT_ROLE_CODES_MAX ? PBFT_CORRUPT
                                                               : PBFT_OK;
}

enum pbft_status vault_find_role(struct vault *vault, struct vault_role *out,
                                 const char *name)
{
    struct vault_blob blob;
    enum pbft_status status =
        vault_get(vault, &blob, VAULT_ROLE, name_bytes(name));

    if (status == PBFT_OK) {
        status = read_role(out, &blob);
    }
    vault_blob_free(&blob);
    return status;
}

enum pbft_status vault_find_role_at(struct vault *vault, struct vault_role *out,
                                    const uint8_t person[VAULT_ID_SIZE],
                                    size_t place)
{
    char name[PLACE_NAME_SIZE];

    place_name(name, person, place);
    return vault_find_role(vault, out, name);
}

enum pbft_status vault_alias_role(struct vault *vault, const char *name,
                                  const char *alias)
{
    return vault_alias(vault, VAULT_ROLE, name_bytes(name), name_bytes(alias));
}

static enum pbft_status store_role(struct vault *vault, const char *name,
                                   const struct vault_role *role)
{
    struct layout layout = layout_begin();

    layout_put(&layout, role->person, sizeof role->person);
    layout_put_number(&layout, role->count);
    for (size_t i = 0; i < VAULT_ROLE_CODES_MAX; i++) {
        layout_put_number(&layout, i < role->count ? role->codes[i] : 0);
    }
    layout_put_time(&layout, role->from_ms);
    layout_put_time(&layout, role->to_ms);
    struct pbft_bytes value = {layout.bytes, layout.size};
    enum pbft_status status =
        vault_replace(vault, VAULT_ROLE, VAULT_PLAIN, name_bytes(name), value);
    return status == PBFT_NOT_FOUND ? vault_put(vault, VAULT_ROLE, VAULT_PLAIN,
                                                name_bytes(name), value)
                                    : status;
}

enum pbft_status vault_set_role(struct vault *vault, const char *name,
                                const struct vault_role *role)
{
    char place[PLACE_NAME_SIZE];
    enum pbft_status status = store_role(vault, name, role);

    if (status != PBFT_OK) {
        return status;
    }
    for (size_t i = 0; i < VAULT_ROLES_MAX; i++) {
        place_name(place, role->person, i);
        status = vault_alias_role(vault, name, place);
        if (status != PBFT_EXISTS) {
            return status;
        }
    }
    return PBFT_TOO_LARGE;
}
