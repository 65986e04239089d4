/* SPDX-License-Identifier: Apache-2.0 */
/* Typed rows: fixed layouts behind a version byte. */
#include "vault/entries.h"

#include <string.h>

#include "crypto/hex.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "vault/layout.h"

static struct pbft_bytes name_bytes(const char *name)
{
    return (struct pbft_bytes){(const uint8_t *)name, strlen(name)};
}

/* ---- subjects ------------------------------------------------------------ */

enum pbft_status vault_find_subject(struct vault *vault,
                                    struct vault_subject *out, const char *name)
{
    struct layout layout;
    enum pbft_status status = layout_load(vault, &layout, VAULT_SUBJECT, name);

    if (status != PBFT_OK) {
        return status;
    }
    layout_get(&layout, out->handle, sizeof out->handle);
    layout_get(&layout, out->label_key, sizeof out->label_key);
    return layout_end(&layout);
}

void vault_handle_name(char out[VAULT_HANDLE_NAME_SIZE],
                       const uint8_t handle[VAULT_HANDLE_SIZE])
{
    out[0] = '#';
    hex_encode(out + 1, (struct pbft_bytes){handle, VAULT_HANDLE_SIZE});
}

enum pbft_status vault_add_subject(struct vault *vault,
                                   struct vault_subject *out, const char *name)
{
    char handle_name[VAULT_HANDLE_NAME_SIZE];
    struct layout layout = layout_begin();

    layout_draw(out->handle, sizeof out->handle);
    random_fill(out->label_key, sizeof out->label_key);
    layout_put(&layout, out->handle, sizeof out->handle);
    layout_put(&layout, out->label_key, sizeof out->label_key);
    enum pbft_status status = layout_store(vault, &layout, VAULT_SUBJECT, name);
    if (status != PBFT_OK) {
        return status;
    }
    vault_handle_name(handle_name, out->handle);
    return vault_alias(vault, VAULT_SUBJECT, name_bytes(name),
                       name_bytes(handle_name));
}

/* ---- participants -------------------------------------------------------- */

/* An agent's row ends with whose it is. */
static void get_patient(struct layout *layout, uint8_t out[VAULT_HANDLE_SIZE])
{
    memset(out, 0, VAULT_HANDLE_SIZE);
    if (layout->size - layout->read == VAULT_HANDLE_SIZE) {
        layout_get(layout, out, VAULT_HANDLE_SIZE);
    }
}

enum pbft_status vault_find_participant(struct vault *vault,
                                        struct vault_participant *out,
                                        const char *name)
{
    struct layout layout;
    enum pbft_status status =
        layout_load(vault, &layout, VAULT_PARTICIPANT, name);

    if (status != PBFT_OK) {
        return status;
    }
    layout_get(&layout, out->id, sizeof out->id);
    out->kind = layout_get_number(&layout);
    get_patient(&layout, out->patient);
    return layout_end(&layout);
}

static struct layout participant_layout(const struct vault_participant *entry)
{
    struct layout layout = layout_begin();

    layout_put(&layout, entry->id, sizeof entry->id);
    layout_put_number(&layout, entry->kind);
    return layout;
}

static enum pbft_status store_participant(struct vault *vault,
                                          const struct vault_participant *entry,
                                          const char *name)
{
    struct layout layout = participant_layout(entry);

    return layout_store(vault, &layout, VAULT_PARTICIPANT, name);
}

/* A resource may name him by his id on the ledger, too. */
static enum pbft_status name_by_id(struct vault *vault,
                                   const struct vault_participant *entry,
                                   const char *name)
{
    char own_name[VAULT_OWN_NAME_SIZE];

    vault_own_name(own_name, entry->id);
    return vault_alias(vault, VAULT_PARTICIPANT, name_bytes(name),
                       name_bytes(own_name));
}

enum pbft_status vault_add_participant(struct vault *vault,
                                       struct vault_participant *out,
                                       const char *name, uint32_t kind)
{
    memset(out, 0, sizeof *out);
    layout_draw(out->id, sizeof out->id);
    out->kind = kind;
    enum pbft_status status = store_participant(vault, out, name);
    return status == PBFT_OK ? name_by_id(vault, out, name) : status;
}

enum pbft_status vault_set_agent(struct vault *vault,
                                 struct vault_participant *out,
                                 const char *name, uint32_t kind,
                                 const uint8_t patient[VAULT_HANDLE_SIZE])
{
    enum pbft_status status = vault_find_participant(vault, out, name);

    if (status != PBFT_OK && status != PBFT_NOT_FOUND) {
        return status;
    }
    if (status == PBFT_NOT_FOUND) {
        layout_draw(out->id, sizeof out->id);
        out->kind = kind;
    }
    memcpy(out->patient, patient, sizeof out->patient);
    struct layout layout = participant_layout(out);
    layout_put(&layout, patient, VAULT_HANDLE_SIZE);
    if (status == PBFT_OK) {
        return layout_replace(vault, &layout, VAULT_PARTICIPANT, name);
    }
    status = layout_store(vault, &layout, VAULT_PARTICIPANT, name);
    return status == PBFT_OK ? name_by_id(vault, out, name) : status;
}

enum pbft_status
vault_set_institution(struct vault *vault, const char *name,
                      const struct pbft_institution *institution)
{
    struct vault_participant entry = {.kind = VAULT_IS_INSTITUTION};
    struct vault_participant known;
    enum pbft_status status = vault_find_participant(vault, &known, name);

    static_assert(sizeof entry.id == sizeof institution->bytes,
                  "an institution's id is a participant's id");
    memcpy(entry.id, institution->bytes, sizeof entry.id);
    if (status == PBFT_NOT_FOUND) {
        return store_participant(vault, &entry, name);
    }
    if (status == PBFT_OK && known.kind == VAULT_IS_UNIT) {
        struct layout layout = participant_layout(&entry);
        return layout_replace(vault, &layout, VAULT_PARTICIPANT, name);
    }
    if (status == PBFT_OK &&
        (known.kind != entry.kind ||
         memcmp(known.id, entry.id, sizeof known.id) != 0)) {
        return PBFT_EXISTS;
    }
    return status;
}

/* ---- records and consents ------------------------------------------------ */

void vault_draw_record(struct vault_record *out)
{
    memset(out, 0, sizeof *out);
    layout_draw(out->id, sizeof out->id);
    memcpy(out->first, out->id, sizeof out->first);
    memcpy(out->root, out->id, sizeof out->root);
    random_fill(out->salt, sizeof out->salt);
    random_fill(out->data_key, sizeof out->data_key);
}

void vault_draw_consent(struct vault_consent *out)
{
    memset(out, 0, sizeof *out);
    layout_draw(out->id, sizeof out->id);
    random_fill(out->evidence_salt, sizeof out->evidence_salt);
    random_fill(out->source_salt, sizeof out->source_salt);
    random_fill(out->data_key, sizeof out->data_key);
    out->finds_authors = true;
}

void vault_own_name(char out[VAULT_OWN_NAME_SIZE],
                    const uint8_t id[VAULT_ID_SIZE])
{
    out[0] = '#';
    hex_encode(out + 1, (struct pbft_bytes){id, VAULT_ID_SIZE});
}

/* A new row named by its id; `name` now means it. The row that had the name
 * before keeps the one that its own id gives it. */
static enum pbft_status store_version(struct vault *vault,
                                      struct layout *layout,
                                      enum vault_kind kind, const char *name,
                                      const uint8_t id[VAULT_ID_SIZE])
{
    char own_name[VAULT_OWN_NAME_SIZE];

    vault_own_name(own_name, id);
    enum pbft_status status = layout_store(vault, layout, kind, own_name);
    if (status != PBFT_OK) {
        return status;
    }
    return vault_point(vault, kind, name_bytes(name), name_bytes(own_name));
}

static void get_ended(struct layout *layout, struct vault_record *out)
{
    uint8_t unused[VAULT_SECRET_SIZE];

    /* Some rows have a digest there that nobody needs any more. */
    if (layout->size - layout->read == sizeof unused) {
        layout_get(layout, unused, sizeof unused);
    } else {
        out->ended = layout_get_number(layout) != 0;
    }
}

enum pbft_status vault_find_record(struct vault *vault,
                                   struct vault_record *out, const char *name)
{
    struct layout layout;
    enum pbft_status status = layout_load(vault, &layout, VAULT_RECORD, name);

    if (status != PBFT_OK) {
        return status;
    }
    layout_get(&layout, out->id, sizeof out->id);
    layout_get(&layout, out->subject, sizeof out->subject);
    layout_get(&layout, out->salt, sizeof out->salt);
    layout_get(&layout, out->data_key, sizeof out->data_key);
    layout_get(&layout, out->commit, sizeof out->commit);
    layout_get(&layout, out->wrap, sizeof out->wrap);
    /* Older rows end here, or after the class. */
    out->class_code =
        layout.read < layout.size ? layout_get_number(&layout) : 0;
    memcpy(out->first, out->id, sizeof out->first);
    out->ended = false;
    if (layout.read < layout.size) {
        layout_get(&layout, out->first, sizeof out->first);
        get_ended(&layout, out);
    }
    memcpy(out->root, out->first, sizeof out->root);
    if (layout.read < layout.size) {
        layout_get(&layout, out->root, sizeof out->root);
    }
    out->status = 0;
    out->doc_status = 0;
    if (layout.read < layout.size) {
        out->status = layout_get_number(&layout);
        out->doc_status = layout_get_number(&layout);
    }
    return layout_end(&layout);
}

static struct layout record_layout(const struct vault_record *record)
{
    struct layout layout = layout_begin();

    layout_put(&layout, record->id, sizeof record->id);
    layout_put(&layout, record->subject, sizeof record->subject);
    layout_put(&layout, record->salt, sizeof record->salt);
    layout_put(&layout, record->data_key, sizeof record->data_key);
    layout_put(&layout, record->commit, sizeof record->commit);
    layout_put(&layout, record->wrap, sizeof record->wrap);
    layout_put_number(&layout, record->class_code);
    layout_put(&layout, record->first, sizeof record->first);
    layout_put_number(&layout, record->ended ? 1 : 0);
    layout_put(&layout, record->root, sizeof record->root);
    if (record->status != 0 || record->doc_status != 0) {
        layout_put_number(&layout, record->status);
        layout_put_number(&layout, record->doc_status);
    }
    return layout;
}

enum pbft_status vault_set_record(struct vault *vault, const char *name,
                                  const struct vault_record *record)
{
    struct layout layout = record_layout(record);

    return store_version(vault, &layout, VAULT_RECORD, name, record->id);
}

enum pbft_status vault_end_record(struct vault *vault, const char *name)
{
    struct vault_record record;
    enum pbft_status status = vault_find_record(vault, &record, name);

    if (status != PBFT_OK) {
        return status;
    }
    record.ended = true;
    struct layout layout = record_layout(&record);
    status = layout_replace(vault, &layout, VAULT_RECORD, name);
    secret_wipe(&record, sizeof record);
    return status;
}

enum pbft_status vault_find_consent(struct vault *vault,
                                    struct vault_consent *out, const char *name)
{
    struct layout layout;
    enum pbft_status status = layout_load(vault, &layout, VAULT_CONSENT, name);

    if (status != PBFT_OK) {
        return status;
    }
    layout_get(&layout, out->id, sizeof out->id);
    layout_get(&layout, out->subject, sizeof out->subject);
    out->kind = layout_get_number(&layout);
    out->period_to_ms = layout_get_time(&layout);
    layout_get(&layout, out->evidence_salt, sizeof out->evidence_salt);
    layout_get(&layout, out->source_salt, sizeof out->source_salt);
    layout_get(&layout, out->data_key, sizeof out->data_key);
    out->finds_authors = /* Rows of before version 7 end here. */
        layout.read < layout.size && layout_get_number(&layout) != 0;
    return layout_end(&layout);
}

static struct layout consent_layout(const struct vault_consent *consent)
{
    struct layout layout = layout_begin();

    layout_put(&layout, consent->id, sizeof consent->id);
    layout_put(&layout, consent->subject, sizeof consent->subject);
    layout_put_number(&layout, consent->kind);
    layout_put_time(&layout, consent->period_to_ms);
    layout_put(&layout, consent->evidence_salt, sizeof consent->evidence_salt);
    layout_put(&layout, consent->source_salt, sizeof consent->source_salt);
    layout_put(&layout, consent->data_key, sizeof consent->data_key);
    if (consent->finds_authors) {
        layout_put_number(&layout, 1);
    }
    return layout;
}

enum pbft_status vault_set_consent(struct vault *vault, const char *name,
                                   const struct vault_consent *consent)
{
    struct layout layout = consent_layout(consent);

    return store_version(vault, &layout, VAULT_CONSENT, name, consent->id);
}

enum pbft_status vault_end_consent(struct vault *vault, const char *name)
{
    struct vault_consent consent;
    enum pbft_status status = vault_find_consent(vault, &consent, name);

    if (status != PBFT_OK) {
        return status;
    }
    consent.kind = VAULT_WITHDRAWN;
    struct layout layout = consent_layout(&consent);
    status = layout_replace(vault, &layout, VAULT_CONSENT, name);
    secret_wipe(&consent, sizeof consent);
    return status;
}
