/* SPDX-License-Identifier: Apache-2.0 */
/* Consensus messages to bytes: attestations, certificates, and the kinds that
 * carry lists of them.
 */
#include "proto/codec_encode.h"
#include "proto/codec_fields.h"
#include "proto/writer.h"

void encode_attestation(struct wire_buffer *buffer,
                        const struct pbft_attestation *fields)
{
    wire_write_u64(buffer, ATTESTATION_SEQ, fields->seq);
    wire_write_u64(buffer, ATTESTATION_TIME, fields->block_time);
    wire_write_bytes(buffer, ATTESTATION_BLOCK, fields->block_digest.bytes,
                     PBFT_DIGEST_SIZE);
    wire_write_bytes(buffer, ATTESTATION_RESULTS, fields->results_root.bytes,
                     PBFT_DIGEST_SIZE);
    wire_write_bytes(buffer, ATTESTATION_LEDGER, fields->ledger_root.bytes,
                     PBFT_DIGEST_SIZE);
}

/* Ascending by replica, so that equal sets of votes have equal bytes. */
static void write_votes(struct wire_buffer *buffer, uint32_t field,
                        const struct pbft_vote *votes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && votes[i].replica <= votes[i - 1].replica) {
            encode_refuse(buffer);
        }
        struct wire_nested nested =
            wire_nested_begin(buffer, field, ENCODE_SIZE_SMALL);
        wire_write_u64(buffer, VOTE_REPLICA, votes[i].replica);
        wire_write_u64(buffer, VOTE_INCARNATION, votes[i].incarnation);
        wire_write_bytes(buffer, VOTE_SIGNATURE, votes[i].signature.bytes,
                         PBFT_SIGNATURE_SIZE);
        wire_nested_end(buffer, nested);
    }
}

static void write_certificate(struct wire_buffer *buffer, pbft_epoch epoch,
                              const struct pbft_message *header,
                              enum wire_body body)
{
    if (header->epoch != epoch) {
        encode_refuse(buffer);
    }
    wire_write_u64(buffer, CERTIFICATE_PRIMARY, header->sender);
    wire_write_u64(buffer, CERTIFICATE_INCARNATION, header->incarnation);
    wire_write_bytes(buffer, CERTIFICATE_SIGNATURE, header->signature.bytes,
                     PBFT_SIGNATURE_SIZE);
    encode_nested_header(buffer, CERTIFICATE_HEADER, &header->pre_prepare,
                         body);
}

void encode_prepared(struct wire_buffer *buffer, pbft_epoch epoch,
                     const struct pbft_prepared *fields, enum wire_body body)
{
    write_certificate(buffer, epoch, fields->pre_prepare, body);
    write_votes(buffer, CERTIFICATE_VOTES, fields->votes, fields->vote_count);
}

void encode_committed(struct wire_buffer *buffer, pbft_epoch epoch,
                      const struct pbft_committed *fields, enum wire_body body)
{
    write_certificate(buffer, epoch, fields->pre_prepare, body);
    write_votes(buffer, CERTIFICATE_VOTES, fields->votes, fields->vote_count);
}

void encode_stable(struct wire_buffer *buffer, const struct pbft_stable *fields)
{
    struct wire_nested nested =
        wire_nested_begin(buffer, STABLE_ATTESTATION, ENCODE_SIZE_SMALL);
    encode_attestation(buffer, &fields->attestation);
    wire_nested_end(buffer, nested);
    write_votes(buffer, STABLE_VOTES, fields->votes, fields->vote_count);
}

size_t encode_votes_size(uint32_t count)
{
    return ENCODE_SIZE_SMALL + (size_t)count * (PBFT_SIGNATURE_SIZE + 8u);
}

void encode_view_change(struct wire_buffer *buffer, pbft_epoch epoch,
                        const struct pbft_view_change *fields)
{
    const struct pbft_message *stable = fields->stable;
    pbft_seq previous = 0;
    if (stable->epoch != epoch || fields->prepared_count > PBFT_WINDOW_MAX) {
        encode_refuse(buffer);
        return;
    }
    wire_write_u64(buffer, VIEW_CHANGE_VIEW, fields->view);
    struct wire_nested nested =
        wire_nested_begin(buffer, VIEW_CHANGE_STABLE,
                          encode_votes_size(stable->stable.vote_count));
    encode_stable(buffer, &stable->stable);
    wire_nested_end(buffer, nested);
    for (uint32_t i = 0; i < fields->prepared_count; i++) {
        const struct pbft_message *prepared = fields->prepared[i];
        pbft_seq seq = pbft_message_seq(prepared);
        if (prepared->epoch != epoch || seq <= previous) {
            encode_refuse(buffer);
        }
        previous = seq;
        nested =
            wire_nested_begin(buffer, VIEW_CHANGE_PREPARED,
                              encode_votes_size(prepared->prepared.vote_count));
        encode_prepared(buffer, epoch, &prepared->prepared, WIRE_BODY_OMIT);
        wire_nested_end(buffer, nested);
    }
}

static void write_source(struct wire_buffer *buffer,
                         const struct pbft_new_view_source *source)
{
    struct wire_nested nested =
        wire_nested_begin(buffer, NEW_VIEW_SOURCES, ENCODE_SIZE_SMALL);
    wire_write_u64(buffer, SOURCE_REPLICA, source->replica);
    wire_write_bytes(buffer, SOURCE_DIGEST, source->digest.bytes,
                     PBFT_DIGEST_SIZE);
    wire_nested_end(buffer, nested);
}

void encode_new_view(struct wire_buffer *buffer,
                     const struct pbft_message *message)
{
    const struct pbft_new_view *fields = &message->new_view;
    if (fields->view_change_count > PBFT_REPLICAS_MAX ||
        fields->pre_prepare_count > PBFT_WINDOW_MAX) {
        encode_refuse(buffer);
        return;
    }
    wire_write_u64(buffer, NEW_VIEW_VIEW, fields->view);
    for (uint32_t i = 0; i < fields->view_change_count; i++) {
        write_source(buffer, &fields->view_changes[i]);
    }
    for (uint32_t i = 0; i < fields->pre_prepare_count; i++) {
        const struct pbft_message *header = fields->pre_prepares[i];
        /* Its origin is the new-view's, and is not written twice. */
        if (header->epoch != message->epoch ||
            header->sender != message->sender ||
            header->incarnation != message->incarnation) {
            encode_refuse(buffer);
        }
        struct wire_nested nested =
            wire_nested_begin(buffer, NEW_VIEW_HEADERS, 2 * ENCODE_SIZE_SMALL);
        encode_nested_header(buffer, HEADER_PRE_PREPARE, &header->pre_prepare,
                             WIRE_BODY_OMIT);
        wire_write_bytes(buffer, HEADER_SIGNATURE, header->signature.bytes,
                         PBFT_SIGNATURE_SIZE);
        wire_nested_end(buffer, nested);
    }
}
