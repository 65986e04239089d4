/* SPDX-License-Identifier: Apache-2.0 */
/* From messages to JSON. A list of what is still to be filled in takes the
 * place of recursion. */
#include "client/tool_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hex.h"
#include "salus/v1/files.pb-c.h"

struct pair {
    const ProtobufCMessage *message;
    json_t *object; /* Borrowed: it hangs in the result already. */
};

struct pairs {
    struct pair *items;
    size_t count;
};

static json_t *push(struct pairs *pairs, const ProtobufCMessage *message)
{
    json_t *object = json_object();
    if (object == NULL || pairs->count == TOOL_JSON_MESSAGES_MAX) {
        json_decref(object);
        return NULL;
    }
    pairs->items[pairs->count++] = (struct pair){message, object};
    return object;
}

static json_t *hex_text(const ProtobufCBinaryData *bytes)
{
    char *text = malloc(2 * bytes->len + 1);
    if (text == NULL) {
        return NULL;
    }
    hex_encode(text, (struct pbft_bytes){bytes->data, bytes->len});
    json_t *json = json_string(text);
    free(text);
    return json;
}

/* The integers of JSON end at 2^63 here; what is above stands in quotes. */
static json_t *number_of(uint64_t number)
{
    char text[24];
    if (number <= INT64_MAX) {
        return json_integer((json_int_t)number);
    }
    (void)snprintf(text, sizeof text, "%" PRIu64, number);
    return json_string(text);
}

static json_t *enum_name(const ProtobufCEnumDescriptor *type, int value)
{
    const ProtobufCEnumValue *found =
        protobuf_c_enum_descriptor_get_value(type, value);
    return found != NULL ? json_string(found->name) : json_integer(value);
}

/* One value of a field that lies at `place`. */
static json_t *value_of(struct pairs *pairs,
                        const ProtobufCFieldDescriptor *field,
                        const void *place)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return json_integer(*(const uint32_t *)place);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return number_of(*(const uint64_t *)place);
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)place);
    case PROTOBUF_C_TYPE_ENUM:
        return enum_name(field->descriptor, *(const int *)place);
    case PROTOBUF_C_TYPE_STRING: {
        const char *text = *(char *const *)place;
        return json_string(text != NULL ? text : "");
    }
    case PROTOBUF_C_TYPE_BYTES:
        return hex_text(place);
    case PROTOBUF_C_TYPE_MESSAGE: {
        const ProtobufCMessage *inner = *(ProtobufCMessage *const *)place;
        return inner != NULL ? push(pairs, inner) : json_null();
    }
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        break; /* Our files have none of these. */
    }
    return NULL;
}

static size_t element_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return sizeof(uint32_t);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return sizeof(uint64_t);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    default:
        return sizeof(int); /* Booleans and enums. */
    }
}

static json_t *array_of(struct pairs *pairs,
                        const ProtobufCFieldDescriptor *field,
                        const ProtobufCMessage *message)
{
    const uint8_t *base = (const uint8_t *)message;
    size_t count = *(const size_t *)(base + field->quantifier_offset);
    const uint8_t *items = *(uint8_t *const *)(base + field->offset);
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *item = value_of(pairs, field, items + i * element_size(field));
        if (json_array_append_new(array, item) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static bool is_set(const ProtobufCFieldDescriptor *field,
                   const ProtobufCMessage *message)
{
    const uint8_t *base = (const uint8_t *)message;
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
           *(const uint32_t *)(base + field->quantifier_offset) == field->id;
}

static bool fill(struct pairs *pairs, struct pair pair)
{
    const ProtobufCMessageDescriptor *type = pair.message->descriptor;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        if (!is_set(field, pair.message)) {
            continue;
        }
        json_t *value =
            field->label == PROTOBUF_C_LABEL_REPEATED
                ? array_of(pairs, field, pair.message)
                : value_of(pairs, field,
                           (const uint8_t *)pair.message + field->offset);
        if (json_object_set_new(pair.object, field->name, value) != 0) {
            return false;
        }
    }
    return true;
}

json_t *tool_json_of(const ProtobufCMessage *message)
{
    struct pairs pairs = {NULL, 0};

    pairs.items = calloc(TOOL_JSON_MESSAGES_MAX, sizeof *pairs.items);
    if (pairs.items == NULL) {
        return NULL;
    }
    json_t *root = push(&pairs, message);
    bool is_good = root != NULL;
    for (size_t i = 0; i < pairs.count && is_good; i++) {
        is_good = fill(&pairs, pairs.items[i]);
    }
    free(pairs.items);
    if (!is_good) {
        json_decref(root);
        return NULL;
    }
    return root;
}

void tool_json_print(json_t *json)
{
    if (json != NULL) {
        (void)json_dumpf(json, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
        (void)fputc('\n', stdout);
        json_decref(json);
    }
}
