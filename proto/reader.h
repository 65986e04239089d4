/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf fields out of bytes, one after the other, canonical form only.
 *
 * The caller asks for the fields in ascending order. A field that is not next
 * is absent and has its default; what nobody asked for makes
 * wire_reader_end() fail. So unknown, repeated and misplaced fields are seen
 * without a table. After a failure every read gives defaults, and the status
 * says what was wrong first. Private to proto/.
 */
#ifndef PROTO_READER_H
#define PROTO_READER_H

#include "consensus/status.h"
#include "consensus/types.h"

struct wire_reader {
    const uint8_t *at;
    const uint8_t *end;
    enum pbft_status status;
};

struct wire_reader wire_reader_of(struct pbft_bytes bytes);
/* PBFT_OK if everything was read. */
PBFT_MUST_USE enum pbft_status
wire_reader_end(const struct wire_reader *reader);
/* Marks the input as refused, unless it is already. */
void wire_reader_fail(struct wire_reader *reader, enum pbft_status status);

uint64_t wire_read_u64(struct wire_reader *reader, uint32_t field);
/* PBFT_NOT_CANONICAL above 32 bits. */
uint32_t wire_read_u32(struct wire_reader *reader, uint32_t field);
bool wire_read_bool(struct wire_reader *reader, uint32_t field);
/* Empty if absent; into the input. PBFT_TOO_LARGE above `size_max`. */
struct pbft_bytes wire_read_bytes(struct wire_reader *reader, uint32_t field,
                                  size_t size_max);
/* One value of a repeated byte string; false if there is no further. */
bool wire_read_element(struct wire_reader *reader, uint32_t field,
                       size_t size_max, struct pbft_bytes *out);
/* Present and of this very size, else PBFT_MALFORMED and zeros. */
void wire_read_exact(struct wire_reader *reader, uint32_t field, void *out,
                     size_t size);
/* repeated fixed64, packed; returns how many. */
uint32_t wire_read_words(struct wire_reader *reader, uint32_t field,
                         uint64_t *words, uint32_t count_max);

/* The next (or only) sub-message of that field; false if there is none. Give
 * it back with wire_nested_close(), which passes its status on. */
bool wire_nested_open(struct wire_reader *reader, uint32_t field,
                      struct wire_reader *nested);
void wire_nested_close(struct wire_reader *reader,
                       const struct wire_reader *nested);
/* How many sub-messages of that field follow; PBFT_TOO_LARGE above the limit.
 * Takes none. */
uint32_t wire_count(struct wire_reader *reader, uint32_t field,
                    uint32_t count_max);

/* The number of the next field, 0 at the end. */
uint32_t wire_next_field(const struct wire_reader *reader);

#endif /* PROTO_READER_H */
