/* SPDX-License-Identifier: Apache-2.0 */
/* Walks raw protobuf bytes along the descriptors of their type, with an
 * explicit stack, and accepts the canonical encoding only.
 */
#include "proto/scan.h"

#include <protobuf-c/protobuf-c.h>
#include <stdalign.h>

#include "proto/utf8.h"
#include "proto/varint.h"

/* protobuf-c 1.4 parses up to 16 members on its stack, then in slabs that
 * double, of 32 bytes a member (40 leaves room); and notes required fields of
 * up to 128 on its stack. */
#define MEMBERS_ON_STACK 16u
#define MEMBER_BYTES 40u
#define FIELDS_ON_STACK 128u

/* Oneofs in one message type; ours have one. */
#define ONEOFS_MAX 4u

/* A message that is being walked. */
struct level {
    const ProtobufCMessageDescriptor *type;
    const uint8_t *at;
    const uint8_t *end;
    const ProtobufCFieldDescriptor *field; /* The last one seen, or NULL. */
    unsigned field_index;                  /* Where to look for the next. */
    uint32_t repeats;                      /* Values of a repeated field. */
    uint32_t members;                      /* Values on the wire. */
    unsigned oneofs[ONEOFS_MAX];           /* Seen, by quantifier offset. */
    unsigned oneof_count;
};

struct scanner {
    struct level levels[WIRE_NESTING_MAX];
    uint32_t depth; /* Levels in use. */
    struct wire_scan_result *result;
};

static enum pbft_status add_memory(struct scanner *scanner, size_t size)
{
    const size_t unit = alignof(max_align_t);
    struct wire_scan_result *result = scanner->result;
    if (size > WIRE_UNPACK_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    result->memory += (size + unit - 1) / unit * unit;
    return result->memory > WIRE_UNPACK_BYTES_MAX ? PBFT_TOO_LARGE : PBFT_OK;
}

static enum pbft_status add_elements(struct scanner *scanner, size_t count)
{
    if (count > WIRE_ELEMENTS_MAX - scanner->result->elements) {
        return PBFT_TOO_LARGE;
    }
    scanner->result->elements += (uint32_t)count;
    return PBFT_OK;
}

static bool is_repeated(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

/* In proto3 a plain field is present if it is not the default. */
static bool has_implicit_presence(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_NONE &&
           (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0;
}

/* How protobuf-c keeps one value of a repeated field. */
static size_t element_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return sizeof(uint64_t);
    }
}

/* Counts the array of the repeated field that has just ended. */
static enum pbft_status end_field(struct scanner *scanner, struct level *level)
{
    size_t count = level->repeats;
    level->repeats = 0;
    if (count == 0) {
        return PBFT_OK;
    }
    return add_memory(scanner, count * element_size(level->field));
}

static enum pbft_status push(struct scanner *scanner,
                             const ProtobufCMessageDescriptor *type,
                             struct pbft_bytes bytes)
{
    if (scanner->depth == WIRE_NESTING_MAX) {
        return PBFT_TOO_LARGE;
    }
    scanner->levels[scanner->depth++] = (struct level){
        .type = type,
        .at = bytes.data,
        .end = bytes.size == 0 ? bytes.data : bytes.data + bytes.size,
    };
    if (scanner->depth > scanner->result->nesting) {
        scanner->result->nesting = scanner->depth;
    }
    return add_memory(scanner, type->sizeof_message);
}

/* Ends the innermost message: what protobuf-c needs to parse its members. */
static enum pbft_status pop(struct scanner *scanner)
{
    struct level *level = &scanner->levels[scanner->depth - 1];
    enum pbft_status status = end_field(scanner, level);
    size_t slab = MEMBERS_ON_STACK;
    for (size_t held = slab; status == PBFT_OK && level->members >= held;) {
        slab *= 2;
        held += slab;
        status = add_memory(scanner, slab * MEMBER_BYTES);
    }
    if (status == PBFT_OK && level->type->n_fields > FIELDS_ON_STACK) {
        status = add_memory(scanner, level->type->n_fields);
    }
    scanner->depth--;
    return status;
}

/* A second kind of a oneof: protobuf-c would keep the last one. */
static enum pbft_status note_oneof(struct level *level,
                                   const ProtobufCFieldDescriptor *field)
{
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0) {
        return PBFT_OK;
    }
    for (unsigned i = 0; i < level->oneof_count; i++) {
        if (level->oneofs[i] == field->quantifier_offset) {
            return PBFT_MALFORMED;
        }
    }
    if (level->oneof_count == ONEOFS_MAX) {
        return PBFT_MALFORMED;
    }
    level->oneofs[level->oneof_count++] = field->quantifier_offset;
    return PBFT_OK;
}

/* Moves to the field `id`, which must come behind the last one, or be a further
 * value of it. */
static enum pbft_status begin_field(struct scanner *scanner,
                                    struct level *level, uint64_t id)
{
    const ProtobufCFieldDescriptor *last = level->field;
    level->members++;
    if (last != NULL && last->id == id) {
        bool packed = (last->flags & PROTOBUF_C_FIELD_FLAG_PACKED) != 0;
        return is_repeated(last) && !packed ? PBFT_OK : PBFT_NOT_CANONICAL;
    }
    if (last != NULL && last->id > id) {
        return PBFT_NOT_CANONICAL;
    }
    enum pbft_status status = end_field(scanner, level);
    if (status != PBFT_OK) {
        return status;
    }
    unsigned i = level->field_index;
    while (i < level->type->n_fields && level->type->fields[i].id < id) {
        i++;
    }
    level->field_index = i;
    if (i == level->type->n_fields || level->type->fields[i].id != id) {
        return PBFT_MALFORMED;
    }
    level->field = &level->type->fields[i];
    return note_oneof(level, level->field);
}

/* Whether `value` is one that the type can hold in its shortest form. */
static enum pbft_status check_varint(ProtobufCType type, uint64_t value)
{
    switch (type) {
    case PROTOBUF_C_TYPE_UINT64:
        return PBFT_OK;
    case PROTOBUF_C_TYPE_UINT32:
        return value <= UINT32_MAX ? PBFT_OK : PBFT_NOT_CANONICAL;
    case PROTOBUF_C_TYPE_ENUM: /* Ours have no negative values. */
        return value <= INT32_MAX ? PBFT_OK : PBFT_NOT_CANONICAL;
    case PROTOBUF_C_TYPE_BOOL:
        return value <= 1 ? PBFT_OK : PBFT_NOT_CANONICAL;
    default:
        return PBFT_MALFORMED;
    }
}

/* One value of a scalar type, wherever it stands. Signed and floating types do
 * not occur in our files and are refused. */
static enum pbft_status scan_scalar(const ProtobufCFieldDescriptor *field,
                                    const uint8_t **at, const uint8_t *end,
                                    bool *is_default)
{
    uint64_t value = 0;
    enum pbft_status status = PBFT_OK;
    if (field->type == PROTOBUF_C_TYPE_FIXED64) {
        if (end - *at < 8) {
            return PBFT_MALFORMED;
        }
        for (unsigned i = 0; i < 8; i++) {
            value |= (*at)[i];
        }
        *at += 8;
    } else {
        status = wire_varint_read(at, end, &value);
        if (status == PBFT_OK) {
            status = check_varint(field->type, value);
        }
    }
    *is_default = value == 0;
    return status;
}

static enum pbft_status scan_packed(struct scanner *scanner,
                                    struct level *level,
                                    struct pbft_bytes bytes)
{
    const uint8_t *at = bytes.data;
    const uint8_t *end = bytes.data + bytes.size;
    if (bytes.size == 0) {
        return PBFT_NOT_CANONICAL;
    }
    while (at < end) {
        bool ignored;
        enum pbft_status status = scan_scalar(level->field, &at, end, &ignored);
        if (status == PBFT_OK) {
            status = add_elements(scanner, 1);
        }
        if (status != PBFT_OK) {
            return status;
        }
        level->repeats++;
    }
    return PBFT_OK;
}

/* A string, byte string or sub-message. */
static enum pbft_status scan_value(struct scanner *scanner, struct level *level,
                                   struct pbft_bytes bytes)
{
    const ProtobufCFieldDescriptor *field = level->field;
    enum pbft_status status = add_elements(scanner, 1);
    if (status != PBFT_OK) {
        return status;
    }
    if (is_repeated(field)) {
        level->repeats++;
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return push(scanner, field->descriptor, bytes);
    }
    if (bytes.size == 0 && has_implicit_presence(field)) {
        return PBFT_NOT_CANONICAL;
    }
    if (field->type == PROTOBUF_C_TYPE_STRING && !wire_utf8_is_valid(bytes)) {
        return PBFT_MALFORMED;
    }
    return add_memory(scanner, bytes.size + 1);
}

static enum pbft_status scan_length(struct scanner *scanner,
                                    struct level *level)
{
    uint64_t size;
    enum pbft_status status = wire_varint_read(&level->at, level->end, &size);
    if (status != PBFT_OK) {
        return status;
    }
    if (size > (uint64_t)(level->end - level->at)) {
        return PBFT_MALFORMED;
    }
    struct pbft_bytes bytes = {.data = level->at, .size = (size_t)size};
    level->at += size;
    switch (level->field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return scan_value(scanner, level, bytes);
    default:
        return is_repeated(level->field) ? scan_packed(scanner, level, bytes)
                                         : PBFT_MALFORMED;
    }
}

/* A scalar that stands alone. Repeated ones are packed in proto3. */
static enum pbft_status scan_single(struct level *level, uint64_t wire)
{
    const ProtobufCFieldDescriptor *field = level->field;
    bool fixed = field->type == PROTOBUF_C_TYPE_FIXED64;
    if (wire != (fixed ? WIRE_FIXED64 : WIRE_VARINT)) {
        return PBFT_MALFORMED;
    }
    if (is_repeated(field)) {
        return PBFT_NOT_CANONICAL;
    }
    bool is_default;
    enum pbft_status status =
        scan_scalar(field, &level->at, level->end, &is_default);
    if (status == PBFT_OK && is_default && has_implicit_presence(field)) {
        return PBFT_NOT_CANONICAL;
    }
    return status;
}

static enum pbft_status scan_member(struct scanner *scanner,
                                    struct level *level)
{
    uint64_t tag;
    enum pbft_status status = wire_varint_read(&level->at, level->end, &tag);
    if (status == PBFT_OK) {
        status = begin_field(scanner, level, tag >> 3);
    }
    if (status != PBFT_OK) {
        return status;
    }
    if ((tag & 7) == WIRE_LENGTH) {
        return scan_length(scanner, level);
    }
    return scan_single(level, tag & 7);
}

enum pbft_status wire_scan(const struct ProtobufCMessageDescriptor *type,
                           struct pbft_bytes bytes,
                           struct wire_scan_result *result)
{
    struct scanner scanner = {.result = result};
    *result = (struct wire_scan_result){0};
    if (bytes.size > WIRE_FRAME_BYTES_MAX) {
        return PBFT_TOO_LARGE;
    }
    enum pbft_status status = push(&scanner, type, bytes);
    /* Each turn takes a byte at least, or leaves a message. */
    while (status == PBFT_OK && scanner.depth > 0) {
        struct level *level = &scanner.levels[scanner.depth - 1];
        if (level->at == level->end) {
            status = pop(&scanner);
        } else {
            status = scan_member(&scanner, level);
        }
    }
    return status;
}
