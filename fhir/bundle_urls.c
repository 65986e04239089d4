/* SPDX-License-Identifier: Apache-2.0 */
/* References find resources by their fullUrl: one that two resources share
 * would make two patients one (R4, bdl-7). Two versions of one may share it. */
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

enum pbft_status fhir_check_full_urls(struct fhir_file *file,
                                      const struct fhir_node *entries)
{
    struct named *list = calloc(file->count + 1, sizeof *list);

    if (list == NULL) {
        return PBFT_NO_MEMORY;
    }
    size_t count = gather(list, file, entries);
    qsort(list, count, sizeof *list, compare);
    for (size_t first = 0; first < count;) {
        size_t end = first;
        bool is_one = true;
        for (; end < count && compare(&list[first], &list[end]) == 0; end++) {
            is_one =
                is_one && (end == first || is_same(&list[first], &list[end]));
        }
        for (; first < end; first++) {
            if (!is_one || has_other_id(&list[first])) {
                mark(list[first].entry);
            }
        }
    }
    mark_other_servers(list, count);
    free(list);
    return PBFT_OK;
}
