/* SPDX-License-Identifier: Apache-2.0 */
/* References find resources by their fullUrl: one that two resources share
 * would make two patients one (R4, bdl-7). Two versions of one may share it. In
 * its Bundle a fullUrl means the entry that has it; the vault is asked for the
 * id of that one, since other Bundles may have used the same fullUrl. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fhir/item.h"
#include "fhir/json.h"

/* A resource that has a fullUrl; texts are borrowed from the JSON. */
struct named {
    const char *url;
    const char *type; /* Or "". */
    const char *id;   /* Or "". */
    struct fhir_entry *entry;
};

static void mark(struct fhir_entry *entry)
{
    entry->is_shared = true;
    if (!entry->is_broken) {
        entry->is_broken = true;
        entry->rank = FHIR_RANK_OTHER;
        entry->wrong = FHIR_FULL_URL;
        entry->path = "fullUrl";
    }
}

static const char *text_of(const struct fhir_node *object, const char *key)
{
    struct fhir_node node = fhir_field(object, key);

    return fhir_string(&node) != NULL ? fhir_string(&node) : "";
}

/* "https://...", "urn:..."; else it could be the name, or an identifier, of any
 * resource. */
static bool is_absolute(const char *url)
{
    size_t size = strspn(url, "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789+-.");

    return size > 0 && url[size] == ':';
}

static bool is_own_name(const struct named *named)
{
    size_t size = strlen(named->type);

    return named->id[0] != 0 && strncmp(named->url, named->type, size) == 0 &&
           named->url[size] == '/' &&
           strcmp(named->url + size + 1, named->id) == 0;
}

/* ".../Patient/8" of the Patient with the id 9? */
static bool has_other_id(const struct named *named)
{
    const char *id = strrchr(named->url, '/');
    size_t size = strlen(named->type);

    return id != NULL && named->id[0] != 0 && strcmp(id + 1, named->id) != 0 &&
           (size_t)(id - named->url) > size &&
           id[-1 - (ptrdiff_t)size] == '/' &&
           strncmp(id - size, named->type, size) == 0;
}

static bool is_same(const struct named *a, const struct named *b)
{
    return a->id[0] != 0 && strcmp(a->id, b->id) == 0 &&
           strcmp(a->type, b->type) == 0;
}

static int compare(const void *left, const void *right)
{
    const struct named *a = left;
    const struct named *b = right;

    return strcmp(a->url, b->url);
}

static int compare_resources(const void *left, const void *right)
{
    const struct named *a = left;
    const struct named *b = right;
    int order = strcmp(a->type, b->type);

    return order != 0 ? order : strcmp(a->id, b->id);
}

/* Patient/17 of one server is not Patient/17 of another, but has its name. */
static void mark_other_servers(struct named *list, size_t count)
{
    qsort(list, count, sizeof *list, compare_resources);
    for (size_t first = 0; first < count;) {
        size_t end = first;
        bool is_one = true;
        for (; end < count && compare_resources(&list[first], &list[end]) == 0;
             end++) {
            is_one = is_one && strcmp(list[first].url, list[end].url) == 0;
        }
        for (; first < end; first++) {
            if (!is_one && list[first].id[0] != 0) {
                mark(list[first].entry);
            }
        }
    }
}

static size_t gather(struct named *out, struct fhir_file *file,
                     const struct fhir_node *entries)
{
    size_t count = 0;

    for (size_t i = 0; i < file->count; i++) {
        struct fhir_entry *entry = &file->entries[i];
        struct fhir_node node = fhir_element(entries, entry->bundle_index);
        struct fhir_node resource = fhir_field(&node, "resource");
        if (entry->full_url != NULL) {
            out[count++] =
                (struct named){.url = entry->full_url,
                               .type = text_of(&resource, "resourceType"),
                               .id = text_of(&resource, "id"),
                               .entry = entry};
        }
    }
    return count;
}

static void check(struct named *list, size_t count)
{
    qsort(list, count, sizeof *list, compare);
    for (size_t first = 0; first < count;) {
        size_t end = first;
        bool is_one = true;
        for (; end < count && compare(&list[first], &list[end]) == 0; end++) {
            is_one =
                is_one && (end == first || is_same(&list[first], &list[end]));
        }
        for (; first < end; first++) {
            if (!is_one || has_other_id(&list[first]) ||
                (!is_absolute(list[first].url) && !is_own_name(&list[first]))) {
                mark(list[first].entry);
            }
        }
    }
    mark_other_servers(list, count);
}

/* ---- what they mean ------------------------------------------------------ */

static enum pbft_status set_target(const struct named *named)
{
    char name[2 * FHIR_KEY_MAX + 2];

    if (named->id[0] == 0) {
        return PBFT_OK;
    }
    if (!fhir_is_id(named->id) || !fhir_is_id(named->type)) {
        named->entry->is_shared = true;
        return PBFT_OK;
    }
    (void)snprintf(name, sizeof name, "%s/%s", named->type, named->id);
    named->entry->target = fhir_copy_text(name);
    return named->entry->target != NULL ? PBFT_OK : PBFT_NO_MEMORY;
}

static int compare_urls(const void *left, const void *right)
{
    const struct fhir_url *a = left;
    const struct fhir_url *b = right;

    return strcmp(a->url, b->url);
}

static enum pbft_status list_urls(struct fhir_file *file)
{
    file->urls = calloc(file->count + 1, sizeof *file->urls);
    if (file->urls == NULL) {
        return PBFT_NO_MEMORY;
    }
    for (size_t i = 0; i < file->count; i++) {
        const char *url = file->entries[i].full_url;
        if (url != NULL) {
            file->urls[file->url_count++] =
                (struct fhir_url){.url = url, .entry = i};
        }
    }
    qsort(file->urls, file->url_count, sizeof *file->urls, compare_urls);
    return PBFT_OK;
}

enum pbft_status fhir_index_full_urls(struct fhir_file *file,
                                      const struct fhir_node *entries)
{
    struct named *list = calloc(file->count + 1, sizeof *list);

    if (list == NULL) {
        return PBFT_NO_MEMORY;
    }
    size_t count = gather(list, file, entries);
    check(list, count);
    enum pbft_status status = list_urls(file);
    for (size_t i = 0; i < count && status == PBFT_OK; i++) {
        status = set_target(&list[i]);
    }
    free(list);
    return status;
}

enum fhir_entry_found fhir_find_entry(const struct fhir_file *file,
                                      const char **name, const char *url)
{
    const struct fhir_url wanted = {.url = url};
    const struct fhir_url *found = NULL;

    if (file != NULL && file->url_count > 0) {
        found = bsearch(&wanted, file->urls, file->url_count,
                        sizeof *file->urls, compare_urls);
    }
    if (found == NULL) {
        return FHIR_ENTRY_NONE;
    }
    const struct fhir_entry *entry = &file->entries[found->entry];
    *name = entry->target;
    if (entry->is_shared ||
        (entry->target == NULL && entry->meaning == FHIR_URL_LOST)) {
        return FHIR_ENTRY_LOST;
    }
    return entry->target != NULL ? FHIR_ENTRY_NAMED : FHIR_ENTRY_ITSELF;
}

bool fhir_file_is_nameless(const struct fhir_file *file, size_t index)
{
    const struct fhir_entry *entry = &file->entries[index];

    return entry->full_url != NULL && entry->target == NULL;
}

void fhir_file_set_url(struct fhir_file *file, size_t index,
                       enum fhir_url_meaning meaning)
{
    file->entries[index].meaning = meaning;
}
