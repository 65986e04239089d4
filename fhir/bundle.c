/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: their entries as resources of their own, with the bytes in which
 * they came. */
#include <stdio.h>
#include <string.h>

#include "fhir/item.h"
#include "fhir/json.h"
#include "fhir/slice.h"

static const char *const bundle_elements[] = {
    "resourceType", "id",        "meta",  "implicitRules", "language",
    "identifier",   "type",      "total", "link",          "timestamp",
    "entry",        "signature", NULL};
static const char *const entry_elements[] = {
    "id",       "extension", "modifierExtension", "link",     "fullUrl",
    "resource", "search",    "request",           "response", NULL};

/* Of an object an element that R4 does not know, by its name; "": none. */
static void find_unknown(char out[FHIR_CODE_MAX], const struct fhir_node *node,
                         const char *const *known)
{
    struct fhir_node root = fhir_root(node->json);
    struct fhir_report report;

    fhir_report_init(&report, "");
    fhir_only(&report, &root, known);
    (void)snprintf(out, FHIR_CODE_MAX, "%.*s", FHIR_CODE_MAX - 1,
                   report.count > 0 ? report.findings[0].path : "");
}

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

static void mark(struct fhir_entry *entry, enum fhir_finding_kind wrong,
                 const char *path)
{
    entry->is_broken = true;
    entry->rank = FHIR_RANK_OTHER;
    entry->wrong = wrong;
    entry->path = path;
}

/* Where the entry has one, or what says how it was asked for or found; NULL. */
static const char *modifier_path(const struct fhir_node *node)
{
    static const struct {
        const char *name;
        const char *path;
    } parts[] = {{"request", "request.modifierExtension"},
                 {"search", "search.modifierExtension"},
                 {"response", "response.modifierExtension"}};

    if (fhir_field(node, "modifierExtension").json != NULL) {
        return "modifierExtension";
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct fhir_node part = fhir_field(node, parts[i].name);
        if (fhir_field(&part, "modifierExtension").json != NULL) {
            return parts[i].path;
        }
    }
    return NULL;
}

/* "Consent/17", also at the end of an absolute address. */
static bool ends_with_name(const char *url, const char *type, const char *id)
{
    char name[2 * FHIR_KEY_MAX + 2];
    int size = snprintf(name, sizeof name, "%s/%s", type, id);
    size_t length = strlen(url);

    if (size < 0 || (size_t)size >= sizeof name || length < (size_t)size) {
        return false;
    }
    const char *at = url + length - (size_t)size;
    return strcmp(at, name) == 0 && (at == url || at[-1] == '/');
}

static const char *text_of(const struct fhir_node *object, const char *key)
{
    struct fhir_node node = fhir_field(object, key);

    return fhir_string(&node) != NULL ? fhir_string(&node) : "";
}

/* Where the request says when, or to what, it applies, and an import would do
 * it anyway; NULL. Who is who the identifiers tell, and an event that was told
 * is told once, asked for or not; a consent that was withdrawn must not be
 * given again, nor a newer one replaced. */
static const char *condition_path(const struct fhir_node *node)
{
    struct fhir_node request = fhir_field(node, "request");
    struct fhir_node resource = fhir_field(node, "resource");
    const char *url = text_of(&request, "url");
    enum fhir_rank rank = fhir_rank_of_json(resource.json);
    bool is_somebody = rank <= FHIR_RANK_GROUP;

    if (fhir_field(&request, "ifMatch").json != NULL) {
        return "request.ifMatch";
    }
    if (!is_somebody && rank != FHIR_RANK_AUDIT &&
        fhir_field(&request, "ifNoneExist").json != NULL) {
        return "request.ifNoneExist";
    }
    if (strcmp(text_of(&request, "method"), "PUT") != 0) {
        return NULL;
    }
    bool is_conditional = strchr(url, '?') != NULL;
    bool is_named = !is_conditional &&
                    ends_with_name(url, text_of(&resource, "resourceType"),
                                   text_of(&resource, "id"));
    return is_named || (is_conditional && is_somebody) ? NULL : "request.url";
}

/* "#" begins the vault's own names, and in R4 what is no resource apart. */
static bool is_name(const char *url)
{
    return url != NULL && url[0] != 0 && url[0] != '#';
}

static void judge_entry(struct fhir_entry *entry, const struct fhir_node *node)
{
    struct fhir_node resource = fhir_field(node, "resource");
    struct fhir_node url = fhir_field(node, "fullUrl");
    const char *modifier = modifier_path(node);

    find_unknown(entry->code, node, entry_elements);
    if (modifier != NULL) {
        mark(entry, FHIR_MODIFIER, modifier);
    } else if (entry->code[0] != 0) {
        mark(entry, FHIR_UNKNOWN_ELEMENT, "$");
    } else if (!brings_resource(node)) {
        mark(entry, FHIR_BUNDLE_METHOD, "request.method");
    } else if (resource.json == NULL || entry->size == 0) {
        mark(entry, FHIR_BUNDLE_ENTRY, "$");
    } else if (url.json != NULL && !is_name(fhir_string(&url))) {
        mark(entry, FHIR_WRONG_TYPE, "fullUrl");
    } else if (url.json != NULL &&
               strlen(fhir_string(&url)) >= FHIR_REFERENCE_MAX) {
        mark(entry, FHIR_TOO_LARGE, "fullUrl");
    } else if (condition_path(node) != NULL) {
        mark(entry, FHIR_BUNDLE_CONDITION, condition_path(node));
    } else {
        entry->rank = fhir_rank_of_json(resource.json);
    }
}

static enum pbft_status add_bundle_entry(struct fhir_file *file,
                                         const struct fhir_node *node,
                                         size_t index, struct fhir_slice slice)
{
    struct pbft_bytes text = {file->bytes, file->size};
    struct fhir_slice resource = fhir_slice_member(text, slice, "resource");
    struct fhir_node url = fhir_field(node, "fullUrl");
    struct fhir_entry *entry = fhir_add_entry(file);

    if (entry == NULL) {
        return PBFT_NO_MEMORY;
    }
    entry->in_bundle = true;
    entry->is_bundle = true;
    entry->bundle_index = index;
    entry->offset = resource.offset;
    entry->size = resource.size;
    judge_entry(entry, node);
    if (fhir_string(&url) != NULL) {
        entry->full_url = fhir_copy_text(fhir_string(&url));
        return entry->full_url != NULL ? PBFT_OK : PBFT_NO_MEMORY;
    }
    return PBFT_OK;
}

/* What is wrong with the Bundle itself. */
static enum pbft_status add_broken(struct fhir_file *file,
                                   enum fhir_finding_kind wrong,
                                   const char *path, const char *code)
{
    enum pbft_status status = fhir_add_broken(file, wrong, path, code);

    if (status == PBFT_OK) {
        file->entries[file->count - 1].is_bundle = true;
    }
    return status;
}

static enum pbft_status index_entries(struct fhir_file *file,
                                      const struct fhir_node *list)
{
    struct pbft_bytes text = {file->bytes, file->size};
    struct fhir_slice slice = fhir_slice_first(
        text, fhir_slice_member(text, fhir_slice_whole(text), "entry"));
    enum pbft_status status = PBFT_OK;

    if (fhir_size(list) == 0) {
        return add_broken(file, FHIR_EMPTY, "entry", NULL);
    }
    if (fhir_size(list) > FHIR_ITEMS_MAX) {
        return add_broken(file, FHIR_TOO_LARGE, "entry", NULL);
    }
    for (size_t i = 0; i < fhir_size(list) && status == PBFT_OK; i++) {
        struct fhir_node node = fhir_element(list, i);
        status = add_bundle_entry(file, &node, i, slice);
        slice = slice.size > 0 ? fhir_slice_next(text, slice) : slice;
    }
    return status == PBFT_OK ? fhir_index_full_urls(file, list) : status;
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
    char unknown[FHIR_CODE_MAX];

    if (fhir_field(bundle, "modifierExtension").json != NULL) {
        return add_broken(file, FHIR_MODIFIER, "modifierExtension", NULL);
    }
    find_unknown(unknown, bundle, bundle_elements);
    if (unknown[0] != 0) {
        return add_broken(file, FHIR_UNKNOWN_ELEMENT, "$", unknown);
    }
    if (rules.json != NULL) {
        return add_broken(file, FHIR_IMPLICIT_RULES, "implicitRules", NULL);
    }
    if (name == NULL) {
        return add_broken(file, FHIR_MISSING, "type", NULL);
    }
    if (!is_list_type(name)) {
        return add_broken(file, FHIR_BUNDLE_TYPE, "type", name);
    }
    /* The ledger cannot do several transactions as one. */
    if (strcmp(name, "transaction") == 0 && fhir_size(&entry) > 1) {
        return add_broken(file, FHIR_BUNDLE_TRANSACTION, "type", NULL);
    }
    return index_entries(file, &entry);
}
