/* SPDX-License-Identifier: Apache-2.0 */
/* The values of the ledger: fixed layouts, each with a version byte first, so
 * that a later format is noticed. encode and decode of one value stand
 * together. */
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

static void write_place(struct field_writer *writer,
                        const struct schema_place *place)
{
    field_write_u64(writer, place->time);
    field_write_u32(writer, place->request_index);
    field_write_u32(writer, place->index);
}

static void read_place(struct field_reader *reader, struct schema_place *place)
{
    place->time = field_read_u64(reader);
    place->request_index = field_read_u32(reader);
    place->index = field_read_u32(reader);
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

size_t schema_encode_institution(uint8_t *out,
                                 const struct schema_institution *in)
{
    struct field_writer writer = writer_of(out, SCHEMA_FIXED_MAX);
    field_write_u8(&writer, (uint8_t)in->state);
    field_write_u64(&writer, in->roles);
    return written(&writer);
}

bool schema_decode_institution(struct schema_institution *out,
                               struct pbft_bytes in)
{
    struct field_reader reader = reader_of(in);
    out->state = (enum schema_state)field_read_u8(&reader);
    out->roles = field_read_u64(&reader);
    return field_read_all(&reader);
}

size_t schema_encode_key(uint8_t *out, const struct schema_registered_key *in)
{
    struct field_writer writer = writer_of(out, SCHEMA_FIXED_MAX);
    field_write_u8(&writer, (uint8_t)in->state);
    field_write_u8(&writer, (uint8_t)in->purpose);
    field_write(&writer, in->key.bytes, sizeof in->key.bytes);
    field_write(&writer, in->institution.bytes, sizeof in->institution.bytes);
    field_write(&writer, in->subject, sizeof in->subject);
    field_write_u64(&writer, in->from_seq);
    return written(&writer);
}

bool schema_decode_key(struct schema_registered_key *out, struct pbft_bytes in)
{
    struct field_reader reader = reader_of(in);
    out->state = (enum schema_state)field_read_u8(&reader);
    out->purpose = (enum schema_purpose)field_read_u8(&reader);
    field_read(&reader, out->key.bytes, sizeof out->key.bytes);
    field_read(&reader, out->institution.bytes, sizeof out->institution.bytes);
    field_read(&reader, out->subject, sizeof out->subject);
    out->from_seq = field_read_u64(&reader);
    return field_read_all(&reader);
}

size_t schema_encode_participant(uint8_t *out,
                                 const struct schema_participant *in)
{
    struct field_writer writer = writer_of(out, SCHEMA_FIXED_MAX);
    field_write_u8(&writer, (uint8_t)in->state);
    field_write(&writer, in->institution.bytes, sizeof in->institution.bytes);
    field_write_u8(&writer, in->kind);
    field_write_u64(&writer, in->valid_from_ms);
    field_write_u64(&writer, in->valid_to_ms);
    return written(&writer);
}

bool schema_decode_participant(struct schema_participant *out,
                               struct pbft_bytes in)
{
    struct field_reader reader = reader_of(in);
    out->state = (enum schema_state)field_read_u8(&reader);
    field_read(&reader, out->institution.bytes, sizeof out->institution.bytes);
    out->kind = field_read_u8(&reader);
    out->valid_from_ms = field_read_u64(&reader);
    out->valid_to_ms = field_read_u64(&reader);
    return field_read_all(&reader);
}

size_t schema_encode_policy(uint8_t *out, const struct schema_policy *in)
{
    struct field_writer writer = writer_of(out, SCHEMA_FIXED_MAX);
    field_write_u8(&writer, (uint8_t)in->state);
    field_write_u32(&writer, in->implicit_consent);
    field_write_u32(&writer, in->break_glass_override);
    field_write(&writer, in->sha256, sizeof in->sha256);
    return written(&writer);
}

bool schema_decode_policy(struct schema_policy *out, struct pbft_bytes in)
{
    struct field_reader reader = reader_of(in);
    out->state = (enum schema_state)field_read_u8(&reader);
    out->implicit_consent = field_read_u32(&reader);
    out->break_glass_override = field_read_u32(&reader);
    field_read(&reader, out->sha256, sizeof out->sha256);
    return field_read_all(&reader);
}

size_t schema_encode_subject(uint8_t *out, const struct schema_subject *in)
{
    struct field_writer writer = writer_of(out, SCHEMA_FIXED_MAX);
    field_write_u8(&writer, (uint8_t)in->state);
    field_write(&writer, in->registrar.bytes, sizeof in->registrar.bytes);
    field_write_u8(&writer, in->indeterminate);
    field_write_u8(&writer, in->has_agent);
    field_write(&writer, in->agent_key_id, sizeof in->agent_key_id);
    field_write_u32(&writer, in->epoch_no);
    field_write_u64(&writer, in->registered_seq);
    return written(&writer);
}

bool schema_decode_subject(struct schema_subject *out, struct pbft_bytes in)
{
    struct field_reader reader = reader_of(in);
    out->state = (enum schema_state)field_read_u8(&reader);
    field_read(&reader, out->registrar.bytes, sizeof out->registrar.bytes);
    out->indeterminate = field_read_u8(&reader) != 0;
    out->has_agent = field_read_u8(&reader) != 0;
    field_read(&reader, out->agent_key_id, sizeof out->agent_key_id);
    out->epoch_no = field_read_u32(&reader);
    out->registered_seq = field_read_u64(&reader);
    return field_read_all(&reader);
}

size_t schema_encode_consent(uint8_t *out, const struct schema_consent *in)
{
    struct field_writer writer = writer_of(out, SCHEMA_FIXED_MAX);
    field_write_u8(&writer, (uint8_t)in->state);
    field_write(&writer, in->subject, sizeof in->subject);
    field_write(&writer, in->institution.bytes, sizeof in->institution.bytes);
    field_write_u64(&writer, in->granted_seq);
    write_place(&writer, &in->granted);
    field_write_u64(&writer, in->given_at_ms);
    field_write_u64(&writer, in->from_ms);
    field_write_u64(&writer, in->to_ms);
    field_write_u8(&writer, in->base_decision);
    field_write_u64(&writer, in->ended_seq);
    field_write(&writer, in->ended_by, sizeof in->ended_by);
    return written(&writer);
}

bool schema_decode_consent(struct schema_consent *out, struct pbft_bytes in)
{
    struct field_reader reader = reader_of(in);
    out->state = (enum schema_consent_state)field_read_u8(&reader);
    field_read(&reader, out->subject, sizeof out->subject);
    field_read(&reader, out->institution.bytes, sizeof out->institution.bytes);
    out->granted_seq = field_read_u64(&reader);
    read_place(&reader, &out->granted);
    out->given_at_ms = field_read_u64(&reader);
    out->from_ms = field_read_u64(&reader);
    out->to_ms = field_read_u64(&reader);
    out->base_decision = field_read_u8(&reader);
    out->ended_seq = field_read_u64(&reader);
    field_read(&reader, out->ended_by, sizeof out->ended_by);
    return field_read_all(&reader);
}

size_t schema_encode_record(uint8_t *out, const struct schema_record *in)
{
    struct field_writer writer = writer_of(out, SCHEMA_FIXED_MAX);
    field_write_u8(&writer, (uint8_t)in->state);
    field_write(&writer, in->custodian.bytes, sizeof in->custodian.bytes);
    field_write_u8(&writer, in->has_subject);
    field_write(&writer, in->subject, sizeof in->subject);
    field_write(&writer, in->commit, sizeof in->commit);
    field_write_u32(&writer, in->version);
    field_write_u64(&writer, in->anchored_seq);
    write_place(&writer, &in->anchored);
    field_write_u32(&writer, in->class_code);
    field_write_u32(&writer, in->confidentiality);
    return written(&writer);
}

bool schema_decode_record(struct schema_record *out, struct pbft_bytes in)
{
    struct field_reader reader = reader_of(in);
    out->state = (enum schema_state)field_read_u8(&reader);
    field_read(&reader, out->custodian.bytes, sizeof out->custodian.bytes);
    out->has_subject = field_read_u8(&reader) != 0;
    field_read(&reader, out->subject, sizeof out->subject);
    field_read(&reader, out->commit, sizeof out->commit);
    out->version = field_read_u32(&reader);
    out->anchored_seq = field_read_u64(&reader);
    read_place(&reader, &out->anchored);
    out->class_code = field_read_u32(&reader);
    out->confidentiality = field_read_u32(&reader);
    return field_read_all(&reader);
}

size_t schema_encode_event(uint8_t *out, const struct schema_event *in)
{
    struct field_writer writer = writer_of(out, SCHEMA_FIXED_MAX);
    field_write_u8(&writer, (uint8_t)in->kind);
    field_write(&writer, in->consent, sizeof in->consent);
    field_write_u64(&writer, in->seq);
    field_write(&writer, in->tx_id.bytes, sizeof in->tx_id.bytes);
    field_write(&writer, in->institution.bytes, sizeof in->institution.bytes);
    field_write(&writer, in->other_consent, sizeof in->other_consent);
    return written(&writer);
}

bool schema_decode_event(struct schema_event *out, struct pbft_bytes in)
{
    struct field_reader reader = reader_of(in);
    out->kind = (enum schema_event_kind)field_read_u8(&reader);
    field_read(&reader, out->consent, sizeof out->consent);
    out->seq = field_read_u64(&reader);
    field_read(&reader, out->tx_id.bytes, sizeof out->tx_id.bytes);
    field_read(&reader, out->institution.bytes, sizeof out->institution.bytes);
    field_read(&reader, out->other_consent, sizeof out->other_consent);
    return field_read_all(&reader);
}

size_t schema_encode_transaction(uint8_t *out,
                                 const struct schema_transaction *in)
{
    struct field_writer writer = writer_of(out, SCHEMA_FIXED_MAX);
    field_write_u64(&writer, in->seq);
    field_write_u32(&writer, in->request_index);
    field_write_u32(&writer, in->index);
    field_write_u32(&writer, in->code);
    return written(&writer);
}

bool schema_decode_transaction(struct schema_transaction *out,
                               struct pbft_bytes in)
{
    struct field_reader reader = reader_of(in);
    out->seq = field_read_u64(&reader);
    out->request_index = field_read_u32(&reader);
    out->index = field_read_u32(&reader);
    out->code = field_read_u32(&reader);
    return field_read_all(&reader);
}

size_t schema_encode_request(uint8_t *out, const struct schema_request *in)
{
    struct field_writer writer = writer_of(out, SCHEMA_FIXED_MAX);
    field_write_u64(&writer, in->seq);
    field_write_u32(&writer, in->request_index);
    return written(&writer);
}

bool schema_decode_request(struct schema_request *out, struct pbft_bytes in)
{
    struct field_reader reader = reader_of(in);
    out->seq = field_read_u64(&reader);
    out->request_index = field_read_u32(&reader);
    return field_read_all(&reader);
}
