/* SPDX-License-Identifier: Apache-2.0 */
/* The position: the one value whose size varies. */
#include "consensus/assert.h"
#include "ledger/fields.h"
#include "ledger/schema.h"

#define VALUE_VERSION 1

static struct field_writer writer_of(uint8_t *out, size_t capacity)
{
    struct field_writer writer = {.data = out, .capacity = capacity};
    field_write_u8(&writer, VALUE_VERSION);
    return writer;
}

static size_t written(const struct field_writer *writer)
{
    PBFT_ASSERT(!writer->overflow);
    return writer->size;
}

/* A reader behind the version byte; already overflown if it is another one. */
static struct field_reader reader_of(struct pbft_bytes in)
{
    struct field_reader reader = {.data = in.data, .left = in.size};
    if (field_read_u8(&reader) != VALUE_VERSION) {
        reader.overflow = true;
    }
    return reader;
}

/* All that is left. */
static struct pbft_bytes rest_of(struct field_reader *reader)
{
    struct pbft_bytes rest = {reader->data, reader->left};
    if (reader->overflow) {
        return (struct pbft_bytes){NULL, 0};
    }
    reader->left = 0;
    return rest;
}

size_t schema_encode_position(uint8_t *out, const struct schema_position *in)
{
    uint8_t peaks[MERKLE_ACCUMULATOR_BYTES_MAX];
    size_t peaks_size = merkle_accumulator_encode(&in->blocks, peaks);
    struct field_writer writer = writer_of(out, SCHEMA_POSITION_MAX);
    field_write_u64(&writer, in->seq);
    field_write_u64(&writer, in->time);
    field_write(&writer, in->ledger_root.bytes, PBFT_DIGEST_SIZE);
    field_write_u64(&writer, in->transactions);
    field_write(&writer, peaks, peaks_size);
    return written(&writer);
}

bool schema_decode_position(struct schema_position *out, struct pbft_bytes in)
{
    struct field_reader reader = reader_of(in);
    out->seq = field_read_u64(&reader);
    out->time = field_read_u64(&reader);
    field_read(&reader, out->ledger_root.bytes, PBFT_DIGEST_SIZE);
    out->transactions = field_read_u64(&reader);
    struct pbft_bytes peaks = rest_of(&reader);
    return field_read_all(&reader) &&
           merkle_accumulator_decode(&out->blocks, peaks) == PBFT_OK &&
           out->blocks.count == out->seq;
}
