/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf fields into a buffer, in the canonical form: the caller writes them
 * in ascending order, defaults are left out here. Private to proto/.
 */
#ifndef PROTO_WRITER_H
#define PROTO_WRITER_H

#include "proto/buffer.h"

/* Varint fields; nothing is written for 0. */
void wire_write_u64(struct wire_buffer *buffer, uint32_t field, uint64_t value);
/* A byte string; nothing is written if it is empty. */
void wire_write_bytes(struct wire_buffer *buffer, uint32_t field,
                      const void *data, size_t size);
/* A byte string of a repeated field: written also if it is empty. */
void wire_write_element(struct wire_buffer *buffer, uint32_t field,
                        const void *data, size_t size);
/* repeated fixed64, packed. */
void wire_write_words(struct wire_buffer *buffer, uint32_t field,
                      const uint64_t *words, size_t count);

/* A sub-message whose length is written when it ends. */
struct wire_nested {
    size_t begin;         /* Of its content. */
    unsigned length_size; /* Bytes kept free before it. */
};

/* `size_hint`: about how long it will be; a good guess saves a move. */
struct wire_nested wire_nested_begin(struct wire_buffer *buffer, uint32_t field,
                                     size_t size_hint);
void wire_nested_end(struct wire_buffer *buffer, struct wire_nested nested);

#endif /* PROTO_WRITER_H */
