/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing messages by their descriptors. The nesting of ledger.proto bounds
 * the recursion. */
#include "fhir/compare.h"

#include <stdio.h>
#include <string.h>

#include "salus/v1/ledger.pb-c.h"

/* Where the comparison is, written from the outside in. */
struct place {
    char *path;
    size_t size;
    size_t used;
};

static bool messages_equal(const ProtobufCMessage *left,
                           const ProtobufCMessage *right, struct place place);

static size_t scalar_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    default:
        return 4;
    }
}

static size_t value_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    default:
        return scalar_size(type);
    }
}

static bool values_equal(ProtobufCType type, const void *left,
                         const void *right, struct place place)
{
    if (type == PROTOBUF_C_TYPE_BYTES) {
        const ProtobufCBinaryData *a = left;
        const ProtobufCBinaryData *b = right;
        return a->len == b->len &&
               (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
    }
    if (type == PROTOBUF_C_TYPE_STRING) {
        const char *const *a = left;
        const char *const *b = right;
        return strcmp(*a != NULL ? *a : "", *b != NULL ? *b : "") == 0;
    }
    if (type == PROTOBUF_C_TYPE_MESSAGE) {
        const ProtobufCMessage *const *a = left;
        const ProtobufCMessage *const *b = right;
        return *a == NULL || *b == NULL ? *a == *b
                                        : messages_equal(*a, *b, place);
    }
    return memcmp(left, right, scalar_size(type)) == 0;
}

/* The names so far, and this one. */
static struct place inner(struct place place, const char *name, size_t index,
                          bool has_index)
{
    size_t room = place.size - place.used;
    int size = has_index ? snprintf(place.path + place.used, room, "%s%s[%zu]",
                                    place.used > 0 ? "." : "", name, index)
                         : snprintf(place.path + place.used, room, "%s%s",
                                    place.used > 0 ? "." : "", name);

    if (size > 0 && (size_t)size < room) {
        place.used += (size_t)size;
    }
    return place;
}

static bool lists_equal(const ProtobufCFieldDescriptor *field,
                        const uint8_t *left, const uint8_t *right,
                        struct place place)
{
    size_t left_count = 0;
    size_t right_count = 0;
    const uint8_t *const *a = (const void *)(left + field->offset);
    const uint8_t *const *b = (const void *)(right + field->offset);
    size_t size = value_size(field->type);

    memcpy(&left_count, left + field->quantifier_offset, sizeof left_count);
    memcpy(&right_count, right + field->quantifier_offset, sizeof right_count);
    for (size_t i = 0; i < left_count && i < right_count; i++) {
        if (!values_equal(field->type, *a + i * size, *b + i * size,
                          inner(place, field->name, i, true))) {
            return false;
        }
    }
    if (left_count != right_count) {
        (void)inner(place, field->name, 0, false);
    }
    return left_count == right_count;
}

static bool fields_equal(const ProtobufCFieldDescriptor *field,
                         const uint8_t *left, const uint8_t *right,
                         struct place place)
{
    struct place here = inner(place, field->name, 0, false);

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        return lists_equal(field, left, right, place);
    }
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t a = 0;
        uint32_t b = 0;
        memcpy(&a, left + field->quantifier_offset, sizeof a);
        memcpy(&b, right + field->quantifier_offset, sizeof b);
        if (a != field->id && b != field->id) {
            return true;
        }
        if (a != b) {
            return false;
        }
    }
    return values_equal(field->type, left + field->offset,
                        right + field->offset, here);
}

static bool messages_equal(const ProtobufCMessage *left,
                           const ProtobufCMessage *right, struct place place)
{
    const ProtobufCMessageDescriptor *type = left->descriptor;

    for (unsigned i = 0; i < type->n_fields; i++) {
        if (!fields_equal(&type->fields[i], (const uint8_t *)left,
                          (const uint8_t *)right, place)) {
            return false;
        }
    }
    return true;
}

bool fhir_messages_equal(const struct ProtobufCMessage *left,
                         const struct ProtobufCMessage *right, char *path,
                         size_t size)
{
    struct place place = {.path = path, .size = size};

    path[0] = 0;
    return messages_equal(left, right, place);
}
