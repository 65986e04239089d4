/* SPDX-License-Identifier: Apache-2.0 */
/* From JSON to messages, strictly. As in tool_json.c a list of objects that
 * are still to be read takes the place of recursion. */
#include "client/tool_json.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/tool_codes.h"
#include "crypto/hex.h"
#include "ledger/transaction.h"
#include "salus/v1/files.pb-c.h"
#include "salus/v1/ledger.pb-c.h"

struct pair {
    const json_t *object;
    ProtobufCMessage *message;
};

struct reading {
    struct wire_arena *arena;
    struct salus_reason *reason;
    const char *message; /* The one that is read. */
    struct pair *items;
    size_t count;
};

static enum pbft_status fail(struct reading *reading,
                             const ProtobufCFieldDescriptor *field,
                             const char *text)
{
    salus_reason_set(reading->reason, "field \"%s\": %s", field->name, text);
    return PBFT_MALFORMED;
}

/* A name where a number stands, such as "TREAT" for a purpose. */
static enum pbft_status read_name(struct reading *reading,
                                  const ProtobufCFieldDescriptor *field,
                                  const char *name, uint64_t *out)
{
    struct tool_names names;
    char list[TOOL_NAMES_SIZE];
    if (!tool_names_of(&names, reading->message, field->name)) {
        return fail(reading, field, "not a whole number: it has no names");
    }
    *out = tool_names_find(&names, name);
    if (*out == 0) {
        tool_names_list(&names, list);
        salus_reason_set(reading->reason,
                         "field \"%s\": \"%.24s\" is not one of %s",
                         field->name, name, list);
        return PBFT_MALFORMED;
    }
    return PBFT_OK;
}

static enum pbft_status fail_range(struct reading *reading,
                                   const ProtobufCFieldDescriptor *field,
                                   uint64_t max)
{
    salus_reason_set(reading->reason,
                     "field \"%s\": not a whole number from 0 to %" PRIu64,
                     field->name, max);
    return PBFT_MALFORMED;
}

/* Digits alone: how a number above 2^63 - 1 is written. */
static enum pbft_status read_digits(struct reading *reading,
                                    const ProtobufCFieldDescriptor *field,
                                    const char *text, uint64_t *out)
{
    errno = 0;
    unsigned long long number = strtoull(text, NULL, 10);
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0' ||
        errno != 0) {
        return fail_range(reading, field, UINT64_MAX);
    }
    *out = number;
    return PBFT_OK;
}

static enum pbft_status read_number(struct reading *reading,
                                    const ProtobufCFieldDescriptor *field,
                                    const json_t *json, uint64_t max,
                                    uint64_t *out)
{
    if (json_is_string(json)) {
        const char *text = json_string_value(json);
        return max > UINT32_MAX ? read_digits(reading, field, text, out)
                                : read_name(reading, field, text, out);
    }
    if (!json_is_integer(json) || json_integer_value(json) < 0 ||
        (uint64_t)json_integer_value(json) > max) {
        return fail_range(reading, field, max);
    }
    *out = (uint64_t)json_integer_value(json);
    return PBFT_OK;
}

static enum pbft_status read_bytes(struct reading *reading,
                                   const ProtobufCFieldDescriptor *field,
                                   const json_t *json, ProtobufCBinaryData *out)
{
    const char *text = json_string_value(json);
    if (text == NULL) {
        return fail(reading, field, "not hexadecimal text");
    }
    size_t capacity = strlen(text) / 2;
    out->data = wire_arena_alloc(reading->arena, capacity + 1);
    if (out->data == NULL) {
        return PBFT_NO_MEMORY;
    }
    if (hex_decode_any(out->data, capacity, &out->len, text) != PBFT_OK) {
        return fail(reading, field,
                    "not hexadecimal text: pairs of 0-9 and a-f");
    }
    return PBFT_OK;
}

/* Says which values there are; zero stands for none. */
static enum pbft_status fail_enum(struct reading *reading,
                                  const ProtobufCFieldDescriptor *field,
                                  const ProtobufCEnumDescriptor *type)
{
    char list[TOOL_NAMES_SIZE] = "";
    bool has_room = true;
    for (unsigned i = 0; i < type->n_values && has_room; i++) {
        has_room = type->values[i].value == 0 ||
                   tool_names_add(list, type->values[i].name);
    }
    salus_reason_set(reading->reason, "field \"%s\": not one of %s",
                     field->name, list);
    return PBFT_MALFORMED;
}

static enum pbft_status read_enum(struct reading *reading,
                                  const ProtobufCFieldDescriptor *field,
                                  const json_t *json, int *out)
{
    const ProtobufCEnumDescriptor *type = field->descriptor;
    const ProtobufCEnumValue *found = NULL;
    if (json_is_string(json)) {
        found = protobuf_c_enum_descriptor_get_value_by_name(
            type, json_string_value(json));
    } else if (json_is_integer(json) && json_integer_value(json) >= 0 &&
               json_integer_value(json) <= INT_MAX) {
        found = protobuf_c_enum_descriptor_get_value(
            type, (int)json_integer_value(json));
    }
    if (found == NULL) {
        return fail_enum(reading, field, type);
    }
    *out = found->value;
    return PBFT_OK;
}

static enum pbft_status push(struct reading *reading,
                             const ProtobufCFieldDescriptor *field,
                             const ProtobufCMessageDescriptor *type,
                             const json_t *json, ProtobufCMessage **out)
{
    if (!json_is_object(json) && field == NULL) {
        salus_reason_set(reading->reason, "not an object");
        return PBFT_MALFORMED;
    }
    if (!json_is_object(json)) {
        return fail(reading, field, "not an object");
    }
    if (reading->count == TOOL_JSON_MESSAGES_MAX) {
        salus_reason_set(reading->reason, "more than %d objects in it",
                         TOOL_JSON_MESSAGES_MAX);
        return PBFT_TOO_LARGE;
    }
    *out = wire_arena_alloc(reading->arena, type->sizeof_message);
    if (*out == NULL) {
        return PBFT_NO_MEMORY;
    }
    protobuf_c_message_init(type, *out);
    reading->items[reading->count++] = (struct pair){json, *out};
    return PBFT_OK;
}

static enum pbft_status read_text(struct reading *reading,
                                  const ProtobufCFieldDescriptor *field,
                                  const json_t *json, char **out)
{
    const char *text = json_string_value(json);
    if (text == NULL) {
        return fail(reading, field, "not a text");
    }
    *out = wire_arena_alloc(reading->arena, strlen(text) + 1);
    if (*out == NULL) {
        return PBFT_NO_MEMORY;
    }
    memcpy(*out, text, strlen(text) + 1);
    return PBFT_OK;
}

static enum pbft_status read_value(struct reading *reading,
                                   const ProtobufCFieldDescriptor *field,
                                   const json_t *json, void *place)
{
    uint64_t number = 0;
    enum pbft_status status = PBFT_OK;

    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        status = read_number(reading, field, json, UINT32_MAX, &number);
        *(uint32_t *)place = (uint32_t)number;
        return status;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return read_number(reading, field, json, UINT64_MAX, place);
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)place = json_is_true(json);
        return json_is_boolean(json)
                   ? PBFT_OK
                   : fail(reading, field, "neither true nor false");
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(reading, field, json, place);
    case PROTOBUF_C_TYPE_STRING:
        return read_text(reading, field, json, place);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(reading, field, json, place);
    case PROTOBUF_C_TYPE_MESSAGE:
        return push(reading, field, field->descriptor, json, place);
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
    return fail(reading, field, "of a type that cannot be given");
}

static int compare_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

static int compare_bytes(const void *left, const void *right)
{
    const ProtobufCBinaryData *a = left;
    const ProtobufCBinaryData *b = right;
    size_t common = a->len < b->len ? a->len : b->len;
    int order = common > 0 ? memcmp(a->data, b->data, common) : 0;
    if (order != 0) {
        return order;
    }
    return a->len < b->len ? -1 : a->len > b->len;
}

/* Only the order of "related", and that of a Merkle path, has a meaning. */
static void sort_list(const ProtobufCFieldDescriptor *field, void *items,
                      size_t count)
{
    if (count < 2 || strcmp(field->name, "related") == 0 ||
        strcmp(field->name, "path") == 0) {
        return;
    }
    if (field->type == PROTOBUF_C_TYPE_UINT32) {
        qsort(items, count, sizeof(uint32_t), compare_numbers);
    } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
        qsort(items, count, sizeof(ProtobufCBinaryData), compare_bytes);
    }
}

static enum pbft_status read_list(struct reading *reading,
                                  const ProtobufCFieldDescriptor *field,
                                  const json_t *json, uint8_t *base)
{
    size_t count = json_array_size(json);
    size_t size = field->type == PROTOBUF_C_TYPE_UINT32 ? sizeof(uint32_t)
                  : field->type == PROTOBUF_C_TYPE_BYTES
                      ? sizeof(ProtobufCBinaryData)
                      : sizeof(void *);
    if (!json_is_array(json)) {
        return fail(reading, field, "not a list");
    }
    if (field->type == PROTOBUF_C_TYPE_ENUM ||
        field->type == PROTOBUF_C_TYPE_BOOL) {
        return fail(reading, field, "of a type that cannot be given");
    }
    if (count > TOOL_JSON_MESSAGES_MAX) {
        return fail(reading, field, "too long");
    }
    uint8_t *items = wire_arena_alloc(reading->arena, count * size);
    if (items == NULL) {
        return PBFT_NO_MEMORY;
    }
    memset(items, 0, count * size);
    for (size_t i = 0; i < count; i++) {
        enum pbft_status status = read_value(
            reading, field, json_array_get(json, i), items + i * size);
        if (status != PBFT_OK) {
            return status;
        }
    }
    sort_list(field, items, count);
    *(size_t *)(base + field->quantifier_offset) = count;
    *(void **)(base + field->offset) = items;
    return PBFT_OK;
}

static enum pbft_status read_field(struct reading *reading,
                                   const ProtobufCFieldDescriptor *field,
                                   const json_t *json,
                                   ProtobufCMessage *message)
{
    uint8_t *base = (uint8_t *)message;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return read_list(reading, field, json, base);
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t *kind = (uint32_t *)(base + field->quantifier_offset);
        if (*kind != 0) {
            return fail(reading, field, "only one of its kind may be given");
        }
        *kind = field->id;
    }
    return read_value(reading, field, json, base + field->offset);
}

/* A payload may have been named as its type is in docs/api.md. */
static enum pbft_status fail_unknown(struct reading *reading,
                                     const ProtobufCMessageDescriptor *type,
                                     const char *name)
{
    const char *meant = NULL;

    for (unsigned i = 0; i < type->n_fields && meant == NULL &&
                         type == &salus__v1__transaction_body__descriptor;
         i++) {
        enum transaction_type payload =
            (enum transaction_type)type->fields[i].id;
        if (strcasecmp(transaction_type_name(payload), name) == 0) {
            meant = type->fields[i].name;
        }
    }
    salus_reason_set(reading->reason, "no field \"%.64s\" in %s%s%s", name,
                     type->short_name, meant != NULL ? "; it is " : "",
                     meant != NULL ? meant : "");
    return PBFT_MALFORMED;
}

static enum pbft_status read_object(struct reading *reading, struct pair pair)
{
    const char *name = NULL;
    json_t *value = NULL;

    reading->message = pair.message->descriptor->short_name;
    json_object_foreach((json_t *)(uintptr_t)pair.object, name, value)
    {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(
                pair.message->descriptor, name);
        if (field == NULL) {
            return fail_unknown(reading, pair.message->descriptor, name);
        }
        enum pbft_status status =
            read_field(reading, field, value, pair.message);
        if (status != PBFT_OK) {
            return status;
        }
    }
    return PBFT_OK;
}

enum pbft_status tool_json_to(ProtobufCMessage **out, struct wire_arena *arena,
                              const ProtobufCMessageDescriptor *type,
                              const json_t *json, struct salus_reason *reason)
{
    struct reading reading = {.arena = arena, .reason = reason};

    reading.items = calloc(TOOL_JSON_MESSAGES_MAX, sizeof *reading.items);
    if (reading.items == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = push(&reading, NULL, type, json, out);
    for (size_t i = 0; i < reading.count && status == PBFT_OK; i++) {
        status = read_object(&reading, reading.items[i]);
    }
    free(reading.items);
    return status;
}
