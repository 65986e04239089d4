/* SPDX-License-Identifier: Apache-2.0 */
/* From the plain structs to canonical bytes.
 *
 * Each fill_ function mirrors one message of ledger.proto. What the generated
 * structs point to is borrowed from the caller or lies in the builder's arena,
 * so that nothing is freed piece by piece. Lists are sorted in the arena.
 */
#include "ledger/transaction_builder.h"

#include <stdlib.h>
#include <string.h>

#include "proto/buffer.h"
#include "proto/scan.h"

/* Everything a builder makes for one body: pointers and headers, no content. */
#define BUILD_MEMORY_MAX (4u * 1024u * 1024u)

static Salus__V1__ParticipantRegister *
fill_participant(struct builder *builder,
                 const struct transaction_participant_register *in)
{
    Salus__V1__ParticipantRegister *out = builder_room(builder, 1, sizeof *out);
    if (out == NULL ||
        builder_too_many(builder, in->members.count,
                         LEDGER_GROUP_MEMBERS_MAX) ||
        builder_too_many(builder, in->roles.count,
                         LEDGER_PARTICIPANT_ROLES_MAX)) {
        return NULL;
    }
    salus__v1__participant_register__init(out);
    out->participant = builder_borrow(in->participant);
    out->kind = (Salus__V1__ParticipantRegister__Kind)in->kind;
    out->valid_from_ms = in->valid_from_ms;
    out->valid_to_ms = in->valid_to_ms;
    out->credential_commit = builder_borrow(in->credential_commit);
    builder_codes(builder, &out->roles, &out->n_roles, &in->roles);
    builder_ids(builder, &out->members, &out->n_members, &in->members,
                BUILDER_ASCENDING);
    return out;
}

static Salus__V1__SubjectRegister *
fill_subjects(struct builder *builder,
              const struct transaction_subject_register *in)
{
    Salus__V1__SubjectRegister *out = builder_room(builder, 1, sizeof *out);
    if (out == NULL ||
        builder_too_many(builder, in->subject_count, LEDGER_SUBJECTS_MAX)) {
        return NULL;
    }
    salus__v1__subject_register__init(out);
    Salus__V1__SubjectRegister__Subject *rows =
        builder_room(builder, in->subject_count, sizeof *rows);
    out->subjects =
        builder_room(builder, in->subject_count, sizeof *out->subjects);
    if (rows == NULL || out->subjects == NULL) {
        return NULL;
    }
    out->n_subjects = in->subject_count;
    for (size_t i = 0; i < in->subject_count; i++) {
        salus__v1__subject_register__subject__init(&rows[i]);
        rows[i].handle = builder_borrow(in->subjects[i].handle);
        rows[i].agent_key = builder_borrow(in->subjects[i].agent_key);
        rows[i].epoch_no = in->subjects[i].epoch_no;
        out->subjects[i] = &rows[i];
    }
    return out;
}

static int compare_envelopes(const void *left, const void *right)
{
    const Salus__V1__RecordAnchor__Envelope *a =
        *(Salus__V1__RecordAnchor__Envelope *const *)left;
    const Salus__V1__RecordAnchor__Envelope *b =
        *(Salus__V1__RecordAnchor__Envelope *const *)right;
    return memcmp(a->recipient_key.data, b->recipient_key.data, LEDGER_ID_SIZE);
}

/* Two envelopes for one recipient stay: they contradict, the ledger says so. */
static void fill_envelopes(struct builder *builder,
                           Salus__V1__RecordAnchor *out,
                           const struct transaction_record_anchor *in)
{
    Salus__V1__RecordAnchor__Envelope *rows =
        builder_room(builder, in->envelope_count, sizeof *rows);
    out->envelopes =
        builder_room(builder, in->envelope_count, sizeof *out->envelopes);
    if (rows == NULL || out->envelopes == NULL) {
        return;
    }
    out->n_envelopes = in->envelope_count;
    for (size_t i = 0; i < in->envelope_count; i++) {
        const struct transaction_record_envelope *envelope = &in->envelopes[i];
        salus__v1__record_anchor__envelope__init(&rows[i]);
        rows[i].recipient_key = builder_borrow(
            (struct pbft_bytes){envelope->recipient_key.bytes, LEDGER_ID_SIZE});
        rows[i].wrap_commit = builder_borrow(
            (struct pbft_bytes){envelope->wrap_commit.bytes, PBFT_DIGEST_SIZE});
        out->envelopes[i] = &rows[i];
    }
    qsort(out->envelopes, out->n_envelopes,
          sizeof(Salus__V1__RecordAnchor__Envelope *), compare_envelopes);
}

/* A string of the wire is zero-terminated in the generated structs. */
static char *fill_text(struct builder *builder, struct pbft_bytes text)
{
    char *out = builder_room(builder, text.size + 1, 1);
    if (out == NULL) {
        return NULL;
    }
    if (text.size > 0 && memchr(text.data, 0, text.size) != NULL) {
        builder->status = PBFT_INVALID_ARGUMENT;
    } else if (text.size > 0) {
        memcpy(out, text.data, text.size);
    }
    return out;
}

static Salus__V1__RecordAnchor *
fill_anchor(struct builder *builder, const struct transaction_record_anchor *in)
{
    Salus__V1__RecordAnchor *out = builder_room(builder, 1, sizeof *out);
    if (out == NULL ||
        builder_too_many(builder, in->tags.count, LEDGER_TAGS_MAX) ||
        builder_too_many(builder, in->envelope_count, LEDGER_ENVELOPES_MAX) ||
        builder_too_many(builder, in->related.count, LEDGER_RELATED_MAX) ||
        builder_too_many(builder, in->location.size, LEDGER_LOCATION_MAX)) {
        return NULL;
    }
    salus__v1__record_anchor__init(out);
    out->record = builder_borrow(in->record);
    out->subject = builder_borrow(in->subject);
    out->class_code = in->class_code;
    out->confidentiality = in->confidentiality;
    builder_ids(builder, &out->tags, &out->n_tags, &in->tags,
                BUILDER_ASCENDING);
    out->author = builder_borrow(in->author);
    out->data_from_ms = in->data_from_ms;
    out->data_to_ms = in->data_to_ms;
    out->commit = builder_borrow(in->commit);
    out->cipher_digest = builder_borrow(in->cipher_digest);
    out->cipher_size_bucket = in->cipher_size_bucket;
    out->algorithm = in->algorithm;
    out->location = fill_text(builder, in->location);
    fill_envelopes(builder, out, in);
    out->prior_record = builder_borrow(in->prior_record);
    builder_ids(builder, &out->related, &out->n_related, &in->related,
                BUILDER_KEEP_ORDER);
    return out;
}

/* Puts the payload into `body`; false if there is no such type. */
static bool fill_payload(struct builder *builder,
                         Salus__V1__TransactionBody *body,
                         const struct transaction *in)
{
    body->payload_case = (Salus__V1__TransactionBody__PayloadCase)in->type;
    switch (in->type) {
    case TRANSACTION_NONE:
        return false;
    case TRANSACTION_PARTICIPANT_REGISTER:
        body->participant_register =
            fill_participant(builder, &in->participant_register);
        return true;
    case TRANSACTION_SUBJECT_REGISTER:
        body->subject_register = fill_subjects(builder, &in->subject_register);
        return true;
    case TRANSACTION_CONSENT_GRANT:
        body->consent_grant = builder_grant(builder, &in->consent_grant);
        return true;
    case TRANSACTION_CONSENT_EVIDENCE:
        body->consent_evidence =
            builder_evidence(builder, &in->consent_evidence);
        return true;
    case TRANSACTION_CONSENT_REVOKE:
        body->consent_revoke = builder_revoke(builder, &in->consent_revoke);
        return true;
    case TRANSACTION_RECORD_ANCHOR:
        body->record_anchor = fill_anchor(builder, &in->record_anchor);
        return true;
    default:
        break;
    }
    return false; /* The other types: transaction_build_payload(). */
}

static void fill_envelope(Salus__V1__TransactionBody *body,
                          const struct transaction_envelope *in)
{
    salus__v1__transaction_body__init(body);
    body->chain_id = builder_borrow(
        (struct pbft_bytes){in->chain.bytes, sizeof in->chain.bytes});
    body->version = TRANSACTION_VERSION;
    body->institution = builder_borrow((struct pbft_bytes){
        in->institution.bytes, sizeof in->institution.bytes});
    body->key_id = builder_borrow(
        (struct pbft_bytes){in->key_id.bytes, sizeof in->key_id.bytes});
    body->participant = builder_borrow(in->participant);
    body->not_after_ms = in->not_after_ms;
    body->event_time_ms = in->event_time_ms;
    body->event_time_uncertainty_ms = in->event_time_uncertainty_ms;
    body->late = in->late;
    body->table_version = in->table_version;
}

static enum pbft_status pack_body(struct transaction_bytes *body,
                                  const Salus__V1__TransactionBody *message)
{
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, LEDGER_BODY_MAX);
    enum pbft_status status = wire_pack(&message->base, &buffer);
    if (status == PBFT_OK) {
        body->data = wire_buffer_take(&buffer, &body->size);
    }
    wire_buffer_deinit(&buffer);
    return status;
}

enum pbft_status transaction_build(struct transaction_bytes *body,
                                   const struct transaction_envelope *envelope,
                                   const struct transaction *transaction)
{
    struct builder builder = {.status = PBFT_OK};
    Salus__V1__TransactionBody message;
    wire_arena_init(&builder.arena, BUILD_MEMORY_MAX);
    fill_envelope(&message, envelope);
    if (!fill_payload(&builder, &message, transaction)) {
        builder.status = PBFT_INVALID_ARGUMENT;
    }
    if (builder.status == PBFT_OK) {
        builder.status = pack_body(body, &message);
    }
    wire_arena_deinit(&builder.arena);
    return builder.status;
}

enum pbft_status transaction_build_payload(
    struct transaction_bytes *body, const struct transaction_envelope *envelope,
    enum transaction_type type, const struct ProtobufCMessage *payload)
{
    Salus__V1__TransactionBody message;
    if (strcmp(transaction_type_name(type), "?") == 0) {
        return PBFT_INVALID_ARGUMENT;
    }
    fill_envelope(&message, envelope);
    message.payload_case = (Salus__V1__TransactionBody__PayloadCase)type;
    /* All kinds of the oneof are pointers to messages. */
    message.participant_register =
        (Salus__V1__ParticipantRegister *)(uintptr_t)payload;
    return pack_body(body, &message);
}
