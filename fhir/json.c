/* SPDX-License-Identifier: Apache-2.0 */
/* Strict JSON over jansson. Its error texts quote the input, so only its error
 * codes and places are used. */
#include "fhir/json.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#define NODE_DEPTH_MAX (FHIR_DEPTH_MAX + FHIR_BUNDLE_DEPTH + 1)

/* Levels of brackets outside of strings; stops above `depth_max`, since the
 * parser is recursive. */
static bool is_deeper(struct pbft_bytes bytes, size_t depth_max)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        if (quoted) {
            if (c == '\\') {
                i++;
            } else if (c == '"') {
                quoted = false;
            }
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > depth_max) {
                return true;
            }
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

static enum fhir_finding_kind kind_of(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_invalid_utf8:
        return FHIR_NOT_UTF8;
    case json_error_duplicate_key:
        return FHIR_DUPLICATE_KEY;
    case json_error_stack_overflow:
        return FHIR_TOO_DEEP;
    case json_error_out_of_memory:
        return FHIR_NO_MEMORY;
    default:
        return FHIR_NOT_JSON;
    }
}

static bool has_byte_order_mark(struct pbft_bytes bytes)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};

    return bytes.size >= sizeof mark &&
           memcmp(bytes.data, mark, sizeof mark) == 0;
}

static void tell(struct fhir_json_error *wrong, const json_error_t *error)
{
    wrong->kind = kind_of(error);
    wrong->trailing =
        json_error_code(error) == json_error_end_of_input_expected;
    int size = error->line < 1
                   ? 0
                   : snprintf(wrong->place, sizeof wrong->place,
                              "line-%d-column-%d", error->line, error->column);
    if (size >= (int)sizeof wrong->place) {
        (void)snprintf(wrong->place, sizeof wrong->place, "line-%d",
                       error->line);
    }
}

struct json_t *fhir_json_parse(struct pbft_bytes bytes, size_t depth_max,
                               size_t size_max, struct fhir_json_error *wrong)
{
    json_error_t error;

    *wrong = (struct fhir_json_error){.kind = FHIR_TOO_LARGE};
    if (bytes.size > size_max) {
        return NULL;
    }
    if (has_byte_order_mark(bytes)) {
        wrong->kind = FHIR_BYTE_ORDER_MARK;
        return NULL;
    }
    if (is_deeper(bytes, depth_max)) {
        wrong->kind = FHIR_TOO_DEEP;
        return NULL;
    }
    json_t *json = json_loadb((const char *)bytes.data, bytes.size,
                              JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        tell(wrong, &error);
    }
    return json;
}

void fhir_json_free(struct json_t *json)
{
    json_decref(json);
}

/* ---- nodes --------------------------------------------------------------- */

enum fhir_json_type fhir_type(const struct fhir_node *node)
{
    if (node->json == NULL) {
        return FHIR_JSON_ABSENT;
    }
    switch (json_typeof(node->json)) {
    case JSON_OBJECT:
        return FHIR_JSON_OBJECT;
    case JSON_ARRAY:
        return FHIR_JSON_ARRAY;
    case JSON_STRING:
        return FHIR_JSON_STRING;
    case JSON_INTEGER:
        return FHIR_JSON_INTEGER;
    case JSON_REAL:
        return FHIR_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return FHIR_JSON_BOOLEAN;
    case JSON_NULL:
        break;
    }
    return FHIR_JSON_NULL;
}

struct fhir_node fhir_root(const struct json_t *json)
{
    return (struct fhir_node){.json = json};
}

struct fhir_node fhir_field(const struct fhir_node *object, const char *key)
{
    return (struct fhir_node){.json = json_object_get(object->json, key),
                              .parent = object,
                              .key = key};
}

size_t fhir_size(const struct fhir_node *array)
{
    return json_array_size(array->json);
}

struct fhir_node fhir_element(const struct fhir_node *array, size_t index)
{
    return (struct fhir_node){.json = json_array_get(array->json, index),
                              .parent = array,
                              .index = index};
}

const char *fhir_string(const struct fhir_node *node)
{
    return json_string_value(node->json);
}

bool fhir_is_empty(const struct fhir_node *node)
{
    return (json_is_object(node->json) && json_object_size(node->json) == 0) ||
           (json_is_array(node->json) && json_array_size(node->json) == 0);
}

bool fhir_is_true(const struct fhir_node *node)
{
    return json_is_true(node->json);
}

bool fhir_is_false(const struct fhir_node *node)
{
    return json_is_false(node->json);
}

bool fhir_unsigned(const struct fhir_node *node, uint64_t *out)
{
    if (!json_is_integer(node->json) || json_integer_value(node->json) < 0) {
        return false;
    }
    *out = (uint64_t)json_integer_value(node->json);
    return true;
}

/* ---- paths --------------------------------------------------------------- */

/* An element name of FHIR; anything else may be somebody's text or number. */
static bool is_key(const char *key)
{
    static const char digits[] = "Base64Binary"; /* The only ones. */
    size_t i = key[0] == '_' ? 1 : 0;
    size_t size = strlen(key);

    if (size == i || size > FHIR_KEY_MAX || key[i] < 'a' || key[i] > 'z') {
        return false;
    }
    if (size > sizeof digits - 1 &&
        strcmp(key + size - (sizeof digits - 1), digits) == 0) {
        size -= sizeof digits - 1;
    }
    for (; i < size; i++) {
        if (!((key[i] >= 'a' && key[i] <= 'z') ||
              (key[i] >= 'A' && key[i] <= 'Z'))) {
            return false;
        }
    }
    return true;
}

void fhir_path(const struct fhir_node *node, char *out, size_t size)
{
    const struct fhir_node *steps[NODE_DEPTH_MAX];
    size_t count = 0;
    size_t used = 0;

    for (; node->parent != NULL && count < NODE_DEPTH_MAX;
         node = node->parent) {
        steps[count++] = node;
    }
    (void)snprintf(out, size, "%s", count == 0 ? "$" : "");
    while (count > 0 && used + 1 < size) {
        const struct fhir_node *step = steps[--count];
        int written;
        if (step->key == NULL) {
            written = snprintf(out + used, size - used, "[%zu]", step->index);
        } else {
            written =
                snprintf(out + used, size - used, "%s%s", used > 0 ? "." : "",
                         is_key(step->key) ? step->key : "(unreadable)");
        }
        used += written > 0 ? (size_t)written : 0;
    }
}

void fhir_find(struct fhir_report *report, enum fhir_finding_kind kind,
               const struct fhir_node *node, const char *code)
{
    char path[FHIR_PATH_MAX];

    fhir_path(node, path, sizeof path);
    fhir_report_add(report, kind, path, code);
}

/* ---- walks --------------------------------------------------------------- */

/* A container that is being walked. */
struct frame {
    struct fhir_node node;
    void *iterator; /* Of an object. */
    size_t next;    /* Of an array. */
};

static bool next_child(struct frame *frame, struct fhir_node *child)
{
    const json_t *json = frame->node.json;

    if (json_is_object(json)) {
        /* jansson's iterators take a pointer to a non-const object and do not
         * change it. */
        json_t *object = (json_t *)(uintptr_t)json;
        frame->iterator = frame->next++ == 0
                              ? json_object_iter(object)
                              : json_object_iter_next(object, frame->iterator);
        if (frame->iterator == NULL) {
            return false;
        }
        *child =
            (struct fhir_node){.json = json_object_iter_value(frame->iterator),
                               .parent = &frame->node,
                               .key = json_object_iter_key(frame->iterator)};
        return true;
    }
    if (frame->next >= json_array_size(json)) {
        return false;
    }
    *child = fhir_element(&frame->node, frame->next++);
    return true;
}

void fhir_walk(const struct fhir_node *root, fhir_visit *visit, void *context)
{
    struct frame frames[NODE_DEPTH_MAX];
    size_t depth = 1;

    frames[0] = (struct frame){.node = *root};
    while (depth > 0) {
        struct fhir_node child;
        if (!next_child(&frames[depth - 1], &child)) {
            depth--;
            continue;
        }
        visit(context, &child);
        bool is_container =
            json_is_object(child.json) || json_is_array(child.json);
        if (is_container && depth < NODE_DEPTH_MAX) {
            frames[depth++] = (struct frame){.node = child};
        }
    }
}

static bool is_known(const char *key, const char *const *known)
{
    const char *name = key[0] == '_' ? key + 1 : key;

    for (size_t i = 0; known[i] != NULL; i++) {
        if (strcmp(name, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

void fhir_only(struct fhir_report *report, const struct fhir_node *object,
               const char *const *known)
{
    struct frame frame = {.node = *object};
    struct fhir_node child;

    if (fhir_type(object) != FHIR_JSON_OBJECT) {
        return;
    }
    while (next_child(&frame, &child)) {
        if (!is_known(child.key, known)) {
            child.parent = object;
            fhir_find(report, FHIR_UNKNOWN_ELEMENT, &child, NULL);
        }
    }
}
