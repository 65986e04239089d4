/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: their entries as resources of their own, with the bytes in which
 * they came. */
#include <string.h>

#include "fhir/item.h"
#include "fhir/json.h"
#include "fhir/slice.h"

/* Only entries that bring a resource; updates and creations are the same. */
static bool brings_resource(const struct fhir_node *node)
{
    struct fhir_node request = fhir_field(node, "request");
    struct fhir_node method = fhir_field(&request, "method");
    const char *name = fhir_string(&method);

    return request.json == NULL ||
           (name != NULL &&
            (strcmp(name, "POST") == 0 || strcmp(name, "PUT") == 0));
}

static enum pbft_status add_bundle_entry(struct fhir_file *file,
                                         const struct fhir_node *node,
                                         size_t index, struct fhir_slice slice)
{
    struct pbft_bytes text = {file->bytes, file->size};
    struct fhir_slice resource = fhir_slice_member(text, slice, "resource");
    struct fhir_node resource_node = fhir_field(node, "resource");
    struct fhir_node url = fhir_field(node, "fullUrl");
    struct fhir_entry *entry = fhir_add_entry(file);

    if (entry == NULL) {
        return PBFT_NO_MEMORY;
    }
    entry->in_bundle = true;
    entry->bundle_index = index;
    entry->offset = resource.offset;
    entry->size = resource.size;
    if (resource_node.json == NULL || resource.size == 0) {
        entry->is_broken = true;
        entry->wrong = FHIR_BUNDLE_ENTRY;
        return PBFT_OK;
    }
    if (!brings_resource(node)) {
        entry->is_broken = true;
        entry->wrong = FHIR_BUNDLE_METHOD;
        return PBFT_OK;
    }
    entry->rank = fhir_rank_of_json(resource_node.json);
    if (fhir_string(&url) != NULL) {
        entry->full_url = fhir_copy_text(fhir_string(&url));
    }
    return PBFT_OK;
}

static enum pbft_status index_entries(struct fhir_file *file,
                                      const struct fhir_node *list)
{
    struct pbft_bytes text = {file->bytes, file->size};
    struct fhir_slice slice = fhir_slice_first(
        text, fhir_slice_member(text, fhir_slice_whole(text), "entry"));
    enum pbft_status status = PBFT_OK;

    if (fhir_size(list) == 0) {
        return fhir_add_broken(file, FHIR_EMPTY, "entry", NULL);
    }
    if (fhir_size(list) > FHIR_ITEMS_MAX) {
        return fhir_add_broken(file, FHIR_TOO_LARGE, "entry", NULL);
    }
    for (size_t i = 0; i < fhir_size(list) && status == PBFT_OK; i++) {
        struct fhir_node node = fhir_element(list, i);
        status = add_bundle_entry(file, &node, i, slice);
        slice = slice.size > 0 ? fhir_slice_next(text, slice) : slice;
    }
    return status;
}

static bool is_list_type(const char *type)
{
    static const char *const types[] = {"collection", "searchset", "batch",
                                        "transaction"};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(type, types[i]) == 0) {
            return true;
        }
    }
    return false;
}

enum pbft_status fhir_index_bundle(struct fhir_file *file,
                                   const struct fhir_node *bundle)
{
    struct fhir_node type = fhir_field(bundle, "type");
    struct fhir_node entry = fhir_field(bundle, "entry");
    struct fhir_node rules = fhir_field(bundle, "implicitRules");
    const char *name = fhir_string(&type);

    if (rules.json != NULL) {
        return fhir_add_broken(file, FHIR_IMPLICIT_RULES, "implicitRules",
                               NULL);
    }
    if (name == NULL) {
        return fhir_add_broken(file, FHIR_MISSING, "type", NULL);
    }
    if (!is_list_type(name)) {
        return fhir_add_broken(file, FHIR_BUNDLE_TYPE, "type", name);
    }
    /* The ledger cannot do several transactions as one. */
    if (strcmp(name, "transaction") == 0 && fhir_size(&entry) > 1) {
        return fhir_add_broken(file, FHIR_BUNDLE_TRANSACTION, "type", NULL);
    }
    return index_entries(file, &entry);
}
