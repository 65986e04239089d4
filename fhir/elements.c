/* SPDX-License-Identifier: Apache-2.0 */
/* Data types: texts, lists, codings, periods. */
#include "fhir/elements.h"

#include <stdio.h>
#include <string.h>

void *fhir_allocate(const struct fhir_reader *reader, size_t size)
{
    void *memory = wire_arena_alloc(reader->arena, size);

    if (memory == NULL) {
        fhir_report_add(reader->report, FHIR_NO_MEMORY, "$", NULL);
        return NULL;
    }
    memset(memory, 0, size);
    return memory;
}

const char *fhir_keep(const struct fhir_reader *reader, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = fhir_allocate(reader, size);

    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

const char *fhir_keep_path(const struct fhir_reader *reader,
                           const struct fhir_node *node)
{
    char path[FHIR_PATH_MAX];

    fhir_path(node, path, sizeof path);
    const char *kept = fhir_keep(reader, path);
    return kept != NULL ? kept : "$";
}

/* ---- single elements ----------------------------------------------------- */

const char *fhir_take_string(const struct fhir_reader *reader,
                             const struct fhir_node *object, const char *key)
{
    struct fhir_node node = fhir_field(object, key);
    const char *text = fhir_string(&node);

    if (node.json != NULL && (text == NULL || text[0] == 0)) {
        fhir_find(reader->report, FHIR_WRONG_TYPE, &node, NULL);
        return NULL;
    }
    return text;
}

struct fhir_node fhir_take_object(const struct fhir_reader *reader,
                                  const struct fhir_node *object,
                                  const char *key)
{
    struct fhir_node node = fhir_field(object, key);

    if (node.json != NULL && fhir_type(&node) != FHIR_JSON_OBJECT) {
        fhir_find(reader->report, FHIR_WRONG_TYPE, &node, NULL);
        node.json = NULL;
    }
    return node;
}

struct fhir_node fhir_take_list(const struct fhir_reader *reader,
                                const struct fhir_node *object, const char *key)
{
    struct fhir_node node = fhir_field(object, key);

    if (node.json == NULL) {
        return node;
    }
    if (fhir_type(&node) != FHIR_JSON_ARRAY || fhir_size(&node) == 0) {
        fhir_find(reader->report, FHIR_WRONG_TYPE, &node, NULL);
        node.json = NULL;
        return node;
    }
    for (size_t i = 0; i < fhir_size(&node); i++) {
        struct fhir_node element = fhir_element(&node, i);
        if (fhir_type(&element) != FHIR_JSON_OBJECT) {
            fhir_find(reader->report, FHIR_WRONG_TYPE, &element, NULL);
            node.json = NULL;
            return node;
        }
    }
    return node;
}

/* ---- codes --------------------------------------------------------------- */

bool fhir_take_coding(const struct fhir_reader *reader, struct fhir_coding *out,
                      const struct fhir_node *node)
{
    static const char *const known[] = {"id",           "extension", "system",
                                        "code",         "version",   "display",
                                        "userSelected", NULL};

    fhir_only(reader->report, node, known);
    const char *system = fhir_take_string(reader, node, "system");
    out->system = system != NULL ? system : "";
    out->code = fhir_take_string(reader, node, "code");
    if (out->code == NULL) {
        struct fhir_node code = fhir_field(node, "code");
        if (code.json == NULL) {
            fhir_find(reader->report, FHIR_MISSING, &code, NULL);
        }
        return false;
    }
    return true;
}

struct fhir_coding fhir_concept_coding(const struct fhir_reader *reader,
                                       const struct fhir_node *concept,
                                       const char *system)
{
    static const char *const known[] = {"id", "extension", "coding", "text",
                                        NULL};
    struct fhir_coding found = {.system = system};

    fhir_only(reader->report, concept, known);
    struct fhir_node list = fhir_take_list(reader, concept, "coding");
    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        struct fhir_coding coding;
        if (fhir_take_coding(reader, &coding, &node) && found.code == NULL &&
            strcmp(coding.system, system) == 0) {
            found.code = coding.code;
        }
    }
    return found;
}

struct fhir_coding fhir_concept_only(const struct fhir_reader *reader,
                                     const struct fhir_node *concept,
                                     const char *system)
{
    struct fhir_coding first = fhir_concept_coding(reader, concept, system);
    struct fhir_node list = fhir_field(concept, "coding");

    for (size_t i = 0; first.code != NULL && i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        struct fhir_node system_node = fhir_field(&node, "system");
        struct fhir_node code_node = fhir_field(&node, "code");
        const char *said = fhir_string(&system_node);
        const char *code = fhir_string(&code_node);
        if (said != NULL && code != NULL && strcmp(said, system) == 0 &&
            strcmp(code, first.code) != 0) {
            fhir_find(reader->report, FHIR_SEVERAL_CODES, concept, NULL);
            first.code = NULL;
        }
    }
    return first;
}

const char *fhir_concept_code(const struct fhir_node *concept)
{
    struct fhir_node list = fhir_field(concept, "coding");
    struct fhir_node first = fhir_element(&list, 0);
    struct fhir_node code = fhir_field(&first, "code");

    return fhir_string(&code);
}

/* ---- dates --------------------------------------------------------------- */

bool fhir_take_date(const struct fhir_reader *reader, struct fhir_interval *out,
                    const struct fhir_node *object, const char *key)
{
    const char *text = fhir_take_string(reader, object, key);

    if (text == NULL) {
        return false;
    }
    if (!fhir_date_parse(out, text, reader->zone_minutes)) {
        struct fhir_node node = fhir_field(object, key);
        fhir_find(reader->report, FHIR_BAD_DATE, &node, NULL);
        return false;
    }
    return true;
}

/* Extensions in the place of values are judged where they matter. */
static bool says_why_not(const struct fhir_node *period)
{
    return fhir_field(period, "extension").json != NULL ||
           fhir_field(period, "_start").json != NULL ||
           fhir_field(period, "_end").json != NULL;
}

bool fhir_take_period(const struct fhir_reader *reader, struct fhir_period *out,
                      const struct fhir_node *object, const char *key)
{
    static const char *const known[] = {"id", "extension", "start", "end",
                                        NULL};
    struct fhir_node period = fhir_take_object(reader, object, key);
    size_t before = reader->report->count + reader->report->lost;
    struct fhir_interval start = {0};
    struct fhir_interval end = {0};

    *out = (struct fhir_period){.has_from = false};
    if (period.json == NULL) {
        return fhir_type(&period) == FHIR_JSON_ABSENT;
    }
    fhir_only(reader->report, &period, known);
    out->has_from = fhir_take_date(reader, &start, &period, "start");
    out->has_to = fhir_take_date(reader, &end, &period, "end");
    out->from = start.from;
    out->to = end.to;
    if (!out->has_from && !out->has_to && !says_why_not(&period) &&
        reader->report->count + reader->report->lost == before) {
        /* R4 has no empty objects: something was lost on the way. */
        fhir_find(reader->report, FHIR_WRONG_TYPE, &period, NULL);
    }
    if (out->has_from && out->has_to && out->to <= out->from) {
        fhir_find(reader->report, FHIR_PERIOD_ORDER, &period, NULL);
    }
    return reader->report->count + reader->report->lost == before;
}

/* ---- modifiers ----------------------------------------------------------- */

static void find_modifier(void *context, const struct fhir_node *node)
{
    struct fhir_report *report = context;

    if (node->key != NULL && strcmp(node->key, "modifierExtension") == 0) {
        fhir_find(report, FHIR_MODIFIER, node, NULL);
    }
}

void fhir_check_modifiers(const struct fhir_reader *reader,
                          const struct fhir_node *resource)
{
    struct fhir_node rules = fhir_field(resource, "implicitRules");

    if (rules.json != NULL) {
        fhir_find(reader->report, FHIR_IMPLICIT_RULES, &rules, NULL);
    }
    fhir_walk(resource, find_modifier, reader->report);
}

static void find_extension(void *context, const struct fhir_node *node)
{
    if (node->key != NULL &&
        (strcmp(node->key, "extension") == 0 || node->key[0] == '_')) {
        fhir_find(context, FHIR_EXTENSION, node, NULL);
    }
}

struct fhir_node fhir_extension(const struct fhir_node *object, const char *url)
{
    struct fhir_node list = fhir_field(object, "extension");

    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        struct fhir_node said = fhir_field(&node, "url");
        if (fhir_string(&said) != NULL &&
            strcmp(fhir_string(&said), url) == 0) {
            /* The list is a local: what is handed out hangs on the object. */
            return (struct fhir_node){
                .json = node.json, .parent = object, .key = "extension"};
        }
    }
    return (struct fhir_node){
        .json = NULL, .parent = object, .key = "extension"};
}

void fhir_check_extensions(const struct fhir_reader *reader,
                           const struct fhir_node *node)
{
    fhir_walk(node, find_extension, reader->report);
}
