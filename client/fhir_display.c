/* SPDX-License-Identifier: Apache-2.0 */
/* Names beside ids. A list of what is still to be looked at takes the place of
 * recursion. */
#include "client/fhir_display.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRITE_FLAGS (JSON_COMPACT | JSON_PRESERVE_ORDER)

void fhir_display_begin(struct fhir_display *display,
                        const struct salus_genesis *genesis,
                        const struct pbft_digest *chain)
{
    tool_directory_begin(&display->directory, genesis);
    fhir_ledger_system(display->system, chain);
}

void fhir_display_end(struct fhir_display *display)
{
    if (display->unnamed > 0) {
        (void)fprintf(stderr,
                      "salus fhir: %zu institutions by id alone: the directory "
                      "was not certified, or has no name\n",
                      display->unnamed);
    }
    tool_directory_end(&display->directory);
}

/* The id of the institution that a Reference means by its id on the ledger;
 * NULL: it is none, or says a name already. */
static const char *institution_of(const struct fhir_display *display,
                                  const json_t *reference)
{
    static const char prefix[] = "institution/";
    const json_t *identifier = json_object_get(reference, "identifier");
    const char *system =
        json_string_value(json_object_get(identifier, "system"));
    const char *value = json_string_value(json_object_get(identifier, "value"));
    return system != NULL && value != NULL &&
                   strcmp(system, display->system) == 0 &&
                   strncmp(value, prefix, sizeof prefix - 1) == 0 &&
                   json_object_get(reference, "display") == NULL
               ? value + sizeof prefix - 1
               : NULL;
}

/* All objects of the resource that name an institution so. */
static json_t *references_of(const struct fhir_display *display, json_t *root)
{
    json_t *found = json_array();
    json_t *left = json_array();
    (void)json_array_append(left, root);
    for (size_t i = 0; i < json_array_size(left); i++) {
        json_t *one = json_array_get(left, i);
        const char *key = NULL;
        json_t *value = NULL;
        size_t index = 0;
        json_object_foreach(one, key, value)
        {
            (void)json_array_append(left, value);
        }
        json_array_foreach(one, index, value)
        {
            (void)json_array_append(left, value);
        }
        if (institution_of(display, one) != NULL) {
            (void)json_array_append(found, one);
        }
    }
    json_decref(left);
    return found;
}

static void learn(struct fhir_display *display, const json_t *references)
{
    struct salus_certified certified = {0};
    json_t *ids = json_object();
    for (size_t i = 0; i < json_array_size(references); i++) {
        const char *id = institution_of(display, json_array_get(references, i));
        (void)json_object_set_new(ids, id, json_true());
    }
    if (display->client != NULL &&
        tool_directory_ask(&display->directory, display->client, ids,
                           SALUS_READ_CERTIFIED, &certified) == SALUS_OK) {
        salus_certified_free(&certified);
    }
    json_decref(ids);
}

/* True: something was said. */
static bool name_all(struct fhir_display *display, const json_t *references)
{
    bool changed = false;
    for (size_t i = 0; i < json_array_size(references); i++) {
        json_t *one = json_array_get(references, i);
        const json_t *row = tool_directory_find(&display->directory,
                                                institution_of(display, one));
        json_t *name = json_object_get(row, "legal_name");
        if (json_string_length(name) == 0) {
            name = json_object_get(row, "name");
        }
        if (json_string_length(name) > 0) {
            (void)json_object_set(one, "display", name);
            changed = true;
        } else {
            display->unnamed++;
        }
    }
    return changed;
}

enum pbft_status fhir_display_add(struct fhir_display *display, char **resource)
{
    json_t *root = json_loads(*resource, 0, NULL);
    if (root == NULL) {
        free(*resource);
        *resource = NULL;
        return PBFT_NO_MEMORY;
    }
    json_t *references = references_of(display, root);
    learn(display, references);
    if (name_all(display, references)) {
        free(*resource);
        *resource = json_dumps(root, WRITE_FLAGS);
    }
    json_decref(references);
    json_decref(root);
    return *resource != NULL ? PBFT_OK : PBFT_NO_MEMORY;
}
