/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of audit events: a fixed head, then the event as received. */
#include "vault/events.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"
#include "vault/layout.h"

#define HEAD_SIZE                                                              \
    ((size_t)1 + VAULT_ID_SIZE + VAULT_HANDLE_SIZE + VAULT_SECRET_SIZE + 16)

static_assert(HEAD_SIZE <= LAYOUT_MAX, "the head is a layout");

static struct pbft_bytes name_bytes(const char *name)
{
    return (struct pbft_bytes){(const uint8_t *)name, strlen(name)};
}

void vault_draw_event(struct vault_event *out)
{
    struct vault_record record;

    memset(out, 0, sizeof *out);
    vault_draw_record(&record);
    memcpy(out->id, record.id, sizeof out->id);
    memcpy(out->salt, record.salt, sizeof out->salt);
    secret_wipe(&record, sizeof record);
}

static enum pbft_status read_head(struct vault_event *out,
                                  const struct vault_blob *blob)
{
    struct layout layout = layout_begin();

    if (blob->size < HEAD_SIZE || blob->data[0] != LAYOUT_VERSION) {
        return PBFT_CORRUPT;
    }
    memcpy(layout.bytes, blob->data, HEAD_SIZE);
    layout.size = HEAD_SIZE;
    layout.read = 1;
    layout_get(&layout, out->id, sizeof out->id);
    layout_get(&layout, out->subject, sizeof out->subject);
    layout_get(&layout, out->salt, sizeof out->salt);
    out->from_ms = layout_get_time(&layout);
    out->to_ms = layout_get_time(&layout);
    secret_wipe(layout.bytes, sizeof layout.bytes);
    return layout.damaged ? PBFT_CORRUPT : PBFT_OK;
}

enum pbft_status vault_find_event(struct vault *vault, struct vault_event *out,
                                  struct vault_blob *content, const char *name)
{
    struct vault_blob blob;
    enum pbft_status status =
        vault_get(vault, &blob, VAULT_EVENT, name_bytes(name));

    if (content != NULL) {
        *content = (struct vault_blob){NULL, 0};
    }
    if (status != PBFT_OK) {
        return status;
    }
    status = read_head(out, &blob);
    if (status != PBFT_OK || content == NULL) {
        vault_blob_free(&blob);
        return status;
    }
    /* In place: the head makes room for nothing. */
    memmove(blob.data, blob.data + HEAD_SIZE, blob.size - HEAD_SIZE);
    secret_wipe(blob.data + blob.size - HEAD_SIZE, HEAD_SIZE);
    blob.size -= HEAD_SIZE;
    *content = blob;
    return PBFT_OK;
}

static enum pbft_status put_row(struct vault *vault, const char *own_name,
                                const struct vault_event *event,
                                struct pbft_bytes content)
{
    struct layout layout = layout_begin();
    size_t size = HEAD_SIZE + content.size;
    uint8_t *value = malloc(size);

    if (value == NULL) {
        return PBFT_NO_MEMORY;
    }
    layout_put(&layout, event->id, sizeof event->id);
    layout_put(&layout, event->subject, sizeof event->subject);
    layout_put(&layout, event->salt, sizeof event->salt);
    layout_put_time(&layout, event->from_ms);
    layout_put_time(&layout, event->to_ms);
    memcpy(value, layout.bytes, HEAD_SIZE);
    memcpy(value + HEAD_SIZE, content.data, content.size);
    enum pbft_status status =
        vault_put(vault, VAULT_EVENT, VAULT_PLAIN, name_bytes(own_name),
                  (struct pbft_bytes){value, size});
    secret_wipe(value, size);
    secret_wipe(&layout, sizeof layout);
    free(value);
    return status;
}

enum pbft_status vault_name_event(struct vault *vault, const char *name,
                                  const struct vault_event *event)
{
    char own_name[VAULT_OWN_NAME_SIZE];

    vault_own_name(own_name, event->id);
    return vault_point(vault, VAULT_EVENT, name_bytes(name),
                       name_bytes(own_name));
}

enum pbft_status vault_set_event(struct vault *vault, const char *name,
                                 const struct vault_event *event,
                                 struct pbft_bytes content)
{
    char own_name[VAULT_OWN_NAME_SIZE];

    vault_own_name(own_name, event->id);
    enum pbft_status status = put_row(vault, own_name, event, content);
    return status == PBFT_OK ? vault_name_event(vault, name, event) : status;
}
