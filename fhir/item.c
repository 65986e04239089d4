/* SPDX-License-Identifier: Apache-2.0 */
/* One resource: parsed, judged, with all reasons. */
#include "fhir/item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool copy_entry(struct fhir_item *item, const struct fhir_file *file,
                       const struct fhir_entry *entry)
{
    item->bytes = malloc(entry->size + 1);
    if (item->bytes == NULL) {
        return false;
    }
    if (entry->size > 0) {
        memcpy(item->bytes, file->bytes + entry->offset, entry->size);
    }
    item->size = entry->size;
    if (entry->full_url != NULL) {
        size_t size = strlen(entry->full_url) + 1;
        item->full_url = malloc(size);
        if (item->full_url == NULL) {
            return false;
        }
        memcpy(item->full_url, entry->full_url, size);
    }
    return true;
}

bool fhir_is_id(const char *text)
{
    size_t size = strlen(text);

    if (size == 0 || size > 64) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              (c >= '0' && c <= '9') || c == '-' || c == '.')) {
            return false;
        }
    }
    return true;
}

static void read_name(struct fhir_item *item, const struct fhir_reader *reader,
                      const struct fhir_node *root)
{
    char name[2 * FHIR_KEY_MAX + 2];
    const char *id = fhir_take_string(reader, root, "id");
    struct fhir_node node = fhir_field(root, "id");

    if (id == NULL) {
        return;
    }
    if (!fhir_is_id(id)) {
        fhir_find(&item->report, FHIR_WRONG_TYPE, &node, NULL);
        return;
    }
    (void)snprintf(name, sizeof name, "%s/%s", item->type, id);
    item->name = fhir_keep(reader, name);
}

static bool read_resource_type(struct fhir_item *item,
                               const struct fhir_node *root)
{
    struct fhir_node type = fhir_field(root, "resourceType");
    const char *name = fhir_string(&type);

    if (name == NULL) {
        fhir_find(&item->report, FHIR_NO_RESOURCE_TYPE, &type, NULL);
        return false;
    }
    if (strlen(name) < sizeof item->type && fhir_code_is_shown(name)) {
        (void)snprintf(item->type, sizeof item->type, "%s", name);
    }
    item->rank = fhir_rank_of(name);
    if (item->rank == FHIR_RANK_OTHER) {
        fhir_find(&item->report, FHIR_RESOURCE_TYPE, &type, item->type);
        return false;
    }
    return true;
}

static void read_model(struct fhir_item *item, const struct fhir_reader *reader,
                       const struct fhir_node *root,
                       const struct fhir_options *options)
{
    switch (item->rank) {
    case FHIR_RANK_PARTICIPANT:
    case FHIR_RANK_ROLE:
    case FHIR_RANK_GROUP:
    case FHIR_RANK_AGENT:
        fhir_participant_read(reader, &item->party, root, item->type);
        break;
    case FHIR_RANK_PATIENT:
        fhir_patient_read(reader, &item->party, root);
        break;
    case FHIR_RANK_CONTEXT:
        fhir_context_read(reader, &item->party, root, item->type);
        break;
    case FHIR_RANK_DOCUMENT:
        fhir_document_read(reader, &item->document, root, options->attachments);
        break;
    case FHIR_RANK_CONSENT:
        fhir_consent_read(reader, &item->consent, root);
        break;
    case FHIR_RANK_AUDIT:
        fhir_audit_read(reader, &item->audit, root);
        break;
    case FHIR_RANK_PROVENANCE:
        fhir_provenance_read(reader, &item->provenance, root);
        break;
    case FHIR_RANK_OTHER:
        break;
    }
}

static void judge(struct fhir_item *item, const struct fhir_file *file,
                  const struct fhir_options *options)
{
    struct fhir_json_error wrong;
    struct fhir_reader reader = {.report = &item->report,
                                 .arena = &item->arena,
                                 .zone_minutes = options->zone_minutes,
                                 .purposes = options->purposes,
                                 .file = file};

    item->json =
        fhir_json_parse((struct pbft_bytes){item->bytes, item->size},
                        FHIR_DEPTH_MAX, FHIR_RESOURCE_BYTES_MAX, &wrong);
    struct fhir_node root = fhir_root(item->json);
    if (item->json == NULL) {
        /* Of NDJSON the line is known: it is that of the file. */
        const char *column = strstr(wrong.place, "column");
        fhir_find(&item->report, wrong.kind, &root,
                  item->line > 0 && column != NULL ? column : wrong.place);
        return;
    }
    if (!read_resource_type(item, &root)) {
        return;
    }
    fhir_check_modifiers(&reader, &root);
    read_name(item, &reader, &root);
    read_model(item, &reader, &root, options);
}

enum pbft_status fhir_item_load(struct fhir_item **out,
                                const struct fhir_file *file, size_t index,
                                const struct fhir_options *options)
{
    *out = NULL;
    if (index >= file->count) {
        return PBFT_INVALID_ARGUMENT;
    }
    const struct fhir_entry *entry = &file->entries[index];
    struct fhir_item *item = calloc(1, sizeof *item);
    if (item == NULL) {
        return PBFT_NO_MEMORY;
    }
    if (entry->in_bundle) {
        (void)snprintf(item->prefix, sizeof item->prefix, "entry[%zu]%s",
                       entry->bundle_index,
                       entry->is_broken ? "" : ".resource");
    }
    fhir_report_init(&item->report, item->prefix);
    wire_arena_init(&item->arena, FHIR_ARENA_MAX);
    item->line = entry->line;
    item->rank = entry->rank;
    if (!copy_entry(item, file, entry)) {
        fhir_item_free(item);
        return PBFT_NO_MEMORY;
    }
    if (entry->is_broken) {
        fhir_report_add(&item->report, entry->wrong, entry->path, entry->code);
        item->rank = FHIR_RANK_OTHER;
        if (entry->is_bundle) {
            (void)snprintf(item->type, sizeof item->type, "Bundle");
        }
    } else {
        judge(item, file, options);
    }
    *out = item;
    return PBFT_OK;
}

void fhir_item_free(struct fhir_item *item)
{
    if (item == NULL) {
        return;
    }
    if (item->rank == FHIR_RANK_DOCUMENT) {
        free(item->document.content);
    }
    if (item->json != NULL) {
        fhir_json_free(item->json);
    }
    wire_arena_deinit(&item->arena);
    free(item->full_url);
    free(item->bytes);
    free(item);
}

enum fhir_class fhir_item_class(const struct fhir_item *item)
{
    return fhir_report_class(&item->report);
}

const struct fhir_report *fhir_item_report(const struct fhir_item *item)
{
    return &item->report;
}

enum fhir_rank fhir_item_rank(const struct fhir_item *item)
{
    return item->rank;
}

const char *fhir_item_type(const struct fhir_item *item)
{
    return item->type;
}

const char *fhir_item_name(const struct fhir_item *item)
{
    return item->name;
}

static bool is_same_text(const char *text, const char *other)
{
    return text != NULL && other != NULL && strcmp(text, other) == 0;
}

bool fhir_item_is_same(const struct fhir_item *item,
                       const struct fhir_item *other)
{
    return is_same_text(item->name, other->name) ||
           is_same_text(item->full_url, other->full_url);
}

size_t fhir_item_line(const struct fhir_item *item)
{
    return item->line;
}

struct pbft_bytes fhir_item_bytes(const struct fhir_item *item)
{
    return (struct pbft_bytes){item->bytes, item->size};
}
