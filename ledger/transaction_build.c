/* SPDX-License-Identifier: Apache-2.0 */
/* From the plain structs to canonical bytes.
 *
 * Each fill_ function mirrors one message of ledger.proto. What the generated
 * structs point to is borrowed from the caller or lies in the builder's arena,
 * so that nothing is freed piece by piece. Lists are sorted in the arena.
 */
#include "ledger/transaction.h"

#include <stdlib.h>
#include <string.h>

#include "proto/arena.h"
#include "proto/buffer.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

/* Everything a builder makes for one body: pointers and headers, no content. */
#define BUILD_MEMORY_MAX (4u * 1024u * 1024u)

struct builder {
    struct wire_arena arena;
    enum pbft_status status; /* The first failure. */
};

/* Zeroed room for `count` things; NULL and a status if there is none. */
static void *room(struct builder *builder, size_t count, size_t size)
{
    void *memory = wire_arena_alloc(&builder->arena, count * size);
    if (memory == NULL) {
        builder->status = PBFT_NO_MEMORY;
        return NULL;
    }
    memset(memory, 0, count * size);
    return memory;
}

static bool too_many(struct builder *builder, size_t count, size_t limit)
{
    if (count > limit) {
        builder->status = PBFT_TOO_LARGE;
    }
    return builder->status != PBFT_OK;
}

static ProtobufCBinaryData borrow(struct pbft_bytes bytes)
{
    return (ProtobufCBinaryData){.len = bytes.size,
                                 .data = (uint8_t *)bytes.data};
}

static int compare_codes(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void fill_codes(struct builder *builder, uint32_t **out, size_t *count,
                       const struct transaction_codes *codes)
{
    if (codes->count == 0 ||
        too_many(builder, codes->count, LEDGER_CODES_MAX)) {
        return;
    }
    uint32_t *list = room(builder, codes->count, sizeof *list);
    if (list == NULL) {
        return;
    }
    memcpy(list, codes->ids, codes->count * sizeof *list);
    qsort(list, codes->count, sizeof *list, compare_codes);
    size_t kept = 1;
    for (size_t i = 1; i < codes->count; i++) {
        if (list[i] != list[kept - 1]) {
            list[kept++] = list[i];
        }
    }
    *out = list;
    *count = kept;
}

/* All ids in this file have 16 bytes. */
static int compare_ids(const void *left, const void *right)
{
    return memcmp(((const ProtobufCBinaryData *)left)->data,
                  ((const ProtobufCBinaryData *)right)->data, LEDGER_ID_SIZE);
}

enum id_order { KEEP_ORDER, ASCENDING };

static void fill_ids(struct builder *builder, ProtobufCBinaryData **out,
                     size_t *count, const struct transaction_ids *ids,
                     enum id_order order)
{
    if (ids->count == 0 || builder->status != PBFT_OK) {
        return;
    }
    ProtobufCBinaryData *list = room(builder, ids->count, sizeof *list);
    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < ids->count; i++) {
        list[i].len = LEDGER_ID_SIZE;
        list[i].data = (uint8_t *)ids->bytes + i * LEDGER_ID_SIZE;
    }
    *out = list;
    *count = ids->count;
    if (order == KEEP_ORDER) {
        return;
    }
    qsort(list, ids->count, sizeof *list, compare_ids);
    size_t kept = 1;
    for (size_t i = 1; i < ids->count; i++) {
        if (compare_ids(&list[i], &list[kept - 1]) != 0) {
            list[kept++] = list[i];
        }
    }
    *count = kept;
}

static Salus__V1__ParticipantRegister *
fill_participant(struct builder *builder,
                 const struct transaction_participant_register *in)
{
    Salus__V1__ParticipantRegister *out = room(builder, 1, sizeof *out);
    if (out == NULL ||
        too_many(builder, in->members.count, LEDGER_GROUP_MEMBERS_MAX) ||
        too_many(builder, in->roles.count, LEDGER_PARTICIPANT_ROLES_MAX)) {
        return NULL;
    }
    salus__v1__participant_register__init(out);
    out->participant = borrow(in->participant);
    out->kind = (Salus__V1__ParticipantRegister__Kind)in->kind;
    out->valid_from_ms = in->valid_from_ms;
    out->valid_to_ms = in->valid_to_ms;
    out->credential_commit = borrow(in->credential_commit);
    fill_codes(builder, &out->roles, &out->n_roles, &in->roles);
    fill_ids(builder, &out->members, &out->n_members, &in->members, ASCENDING);
    return out;
}

static Salus__V1__SubjectRegister *
fill_subjects(struct builder *builder,
              const struct transaction_subject_register *in)
{
    Salus__V1__SubjectRegister *out = room(builder, 1, sizeof *out);
    if (out == NULL ||
        too_many(builder, in->subject_count, LEDGER_SUBJECTS_MAX)) {
        return NULL;
    }
    salus__v1__subject_register__init(out);
    Salus__V1__SubjectRegister__Subject *rows =
        room(builder, in->subject_count, sizeof *rows);
    out->subjects = room(builder, in->subject_count, sizeof *out->subjects);
    if (rows == NULL || out->subjects == NULL) {
        return NULL;
    }
    out->n_subjects = in->subject_count;
    for (size_t i = 0; i < in->subject_count; i++) {
        salus__v1__subject_register__subject__init(&rows[i]);
        rows[i].handle = borrow(in->subjects[i].handle);
        rows[i].agent_key = borrow(in->subjects[i].agent_key);
        rows[i].epoch_no = in->subjects[i].epoch_no;
        out->subjects[i] = &rows[i];
    }
    return out;
}

static void fill_actors(struct builder *builder, Salus__V1__Selector *out,
                        const struct transaction_selector *in)
{
    Salus__V1__Selector__Actor *rows =
        room(builder, in->actor_count, sizeof *rows);
    out->actors = room(builder, in->actor_count, sizeof *out->actors);
    if (rows == NULL || out->actors == NULL) {
        return;
    }
    out->n_actors = in->actor_count;
    for (size_t i = 0; i < in->actor_count; i++) {
        salus__v1__selector__actor__init(&rows[i]);
        rows[i].kind = (Salus__V1__Selector__Actor__Kind)in->actors[i].kind;
        rows[i].id = borrow(in->actors[i].id);
        rows[i].role = in->actors[i].role;
        out->actors[i] = &rows[i];
    }
}

static void fill_data_refs(struct builder *builder, Salus__V1__Selector *out,
                           const struct transaction_selector *in)
{
    Salus__V1__Selector__DataRef *rows =
        room(builder, in->data_count, sizeof *rows);
    out->data = room(builder, in->data_count, sizeof *out->data);
    if (rows == NULL || out->data == NULL) {
        return;
    }
    out->n_data = in->data_count;
    for (size_t i = 0; i < in->data_count; i++) {
        salus__v1__selector__data_ref__init(&rows[i]);
        rows[i].meaning =
            (Salus__V1__Selector__DataRef__Meaning)in->data[i].meaning;
        rows[i].id = borrow(in->data[i].id);
        out->data[i] = &rows[i];
    }
}

static void fill_selector(struct builder *builder, Salus__V1__Selector *out,
                          const struct transaction_selector *in)
{
    salus__v1__selector__init(out);
    if (too_many(builder, in->actor_count, LEDGER_ACTORS_MAX) ||
        too_many(builder, in->data_count, LEDGER_DATA_REFS_MAX) ||
        too_many(builder, in->tags.count, LEDGER_TAGS_MAX)) {
        return;
    }
    fill_actors(builder, out, in);
    fill_codes(builder, &out->purposes, &out->n_purposes, &in->purposes);
    fill_codes(builder, &out->actions, &out->n_actions, &in->actions);
    fill_codes(builder, &out->confidentiality, &out->n_confidentiality,
               &in->confidentiality);
    fill_ids(builder, &out->tags, &out->n_tags, &in->tags, ASCENDING);
    fill_codes(builder, &out->classes, &out->n_classes, &in->classes);
    out->data_from_ms = in->data_from_ms;
    out->data_to_ms = in->data_to_ms;
    fill_data_refs(builder, out, in);
    out->purpose_unknown = in->purpose_unknown;
}

struct exception_row {
    Salus__V1__ConsentGrant__Exception exception;
    Salus__V1__Selector selector;
};

static void fill_exceptions(struct builder *builder,
                            Salus__V1__ConsentGrant *out,
                            const struct transaction_consent_grant *in)
{
    struct exception_row *rows =
        room(builder, in->exception_count, sizeof *rows);
    out->exceptions =
        room(builder, in->exception_count, sizeof *out->exceptions);
    if (rows == NULL || out->exceptions == NULL) {
        return;
    }
    out->n_exceptions = in->exception_count;
    for (size_t i = 0; i < in->exception_count; i++) {
        salus__v1__consent_grant__exception__init(&rows[i].exception);
        rows[i].exception.type = (Salus__V1__Decision)in->exceptions[i].type;
        rows[i].exception.selector = &rows[i].selector;
        fill_selector(builder, &rows[i].selector, &in->exceptions[i].selector);
        out->exceptions[i] = &rows[i].exception;
    }
}

static Salus__V1__ConsentGrant *
fill_grant(struct builder *builder, const struct transaction_consent_grant *in)
{
    Salus__V1__ConsentGrant *out = room(builder, 1, sizeof *out);
    Salus__V1__Selector *root = room(builder, 1, sizeof *root);
    if (out == NULL || root == NULL ||
        too_many(builder, in->exception_count, LEDGER_EXCEPTIONS_MAX) ||
        too_many(builder, in->supersedes.count, LEDGER_SUPERSEDES_MAX)) {
        return NULL;
    }
    salus__v1__consent_grant__init(out);
    out->consent = borrow(in->consent);
    out->subject = borrow(in->subject);
    out->scope = (Salus__V1__ConsentGrant__Scope)in->scope;
    out->category = in->category;
    out->policy = borrow(in->policy);
    out->policy_version = in->policy_version;
    out->given_at_ms = in->given_at_ms;
    out->base_decision = (Salus__V1__Decision)in->base_decision;
    out->period_from_ms = in->period_from_ms;
    out->period_to_ms = in->period_to_ms;
    out->root = root;
    fill_selector(builder, root, &in->root);
    fill_exceptions(builder, out, in);
    out->performer = (Salus__V1__ConsentGrant__Performer)in->performer;
    out->delegate = borrow(in->delegate);
    out->mode = (Salus__V1__ConsentGrant__Mode)in->mode;
    out->evidence_commit = borrow(in->evidence_commit);
    out->source_commit = borrow(in->source_commit);
    fill_ids(builder, &out->supersedes, &out->n_supersedes, &in->supersedes,
             ASCENDING);
    return out;
}

static Salus__V1__ConsentEvidence *
fill_evidence(struct builder *builder,
              const struct transaction_consent_evidence *in)
{
    Salus__V1__ConsentEvidence *out = room(builder, 1, sizeof *out);
    if (out == NULL) {
        return NULL;
    }
    salus__v1__consent_evidence__init(out);
    out->consent = borrow(in->consent);
    out->subject = borrow(in->subject);
    out->evidence_commit = borrow(in->evidence_commit);
    out->reason = in->reason;
    return out;
}

static Salus__V1__ConsentRevoke *
fill_revoke(struct builder *builder,
            const struct transaction_consent_revoke *in)
{
    Salus__V1__ConsentRevoke *out = room(builder, 1, sizeof *out);
    if (out == NULL) {
        return NULL;
    }
    salus__v1__consent_revoke__init(out);
    out->consent = borrow(in->consent);
    out->reason = in->reason;
    out->revoked_at_ms = in->revoked_at_ms;
    out->evidence_commit = borrow(in->evidence_commit);
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
        room(builder, in->envelope_count, sizeof *rows);
    out->envelopes = room(builder, in->envelope_count, sizeof *out->envelopes);
    if (rows == NULL || out->envelopes == NULL) {
        return;
    }
    out->n_envelopes = in->envelope_count;
    for (size_t i = 0; i < in->envelope_count; i++) {
        const struct transaction_record_envelope *envelope = &in->envelopes[i];
        salus__v1__record_anchor__envelope__init(&rows[i]);
        rows[i].recipient_key = borrow(
            (struct pbft_bytes){envelope->recipient_key.bytes, LEDGER_ID_SIZE});
        rows[i].wrap_commit = borrow(
            (struct pbft_bytes){envelope->wrap_commit.bytes, PBFT_DIGEST_SIZE});
        out->envelopes[i] = &rows[i];
    }
    qsort(out->envelopes, out->n_envelopes,
          sizeof(Salus__V1__RecordAnchor__Envelope *), compare_envelopes);
}

/* A string of the wire is zero-terminated in the generated structs. */
static char *fill_text(struct builder *builder, struct pbft_bytes text)
{
    char *out = room(builder, text.size + 1, 1);
    if (out == NULL) {
        return NULL;
    }
    if (text.size > 0) {
        memcpy(out, text.data, text.size);
    }
    return out;
}

static Salus__V1__RecordAnchor *
fill_anchor(struct builder *builder, const struct transaction_record_anchor *in)
{
    Salus__V1__RecordAnchor *out = room(builder, 1, sizeof *out);
    if (out == NULL || too_many(builder, in->tags.count, LEDGER_TAGS_MAX) ||
        too_many(builder, in->envelope_count, LEDGER_ENVELOPES_MAX) ||
        too_many(builder, in->related.count, LEDGER_RELATED_MAX) ||
        too_many(builder, in->location.size, LEDGER_LOCATION_MAX)) {
        return NULL;
    }
    salus__v1__record_anchor__init(out);
    out->record = borrow(in->record);
    out->subject = borrow(in->subject);
    out->class_code = in->class_code;
    out->confidentiality = in->confidentiality;
    fill_ids(builder, &out->tags, &out->n_tags, &in->tags, ASCENDING);
    out->author = borrow(in->author);
    out->data_from_ms = in->data_from_ms;
    out->data_to_ms = in->data_to_ms;
    out->commit = borrow(in->commit);
    out->cipher_digest = borrow(in->cipher_digest);
    out->cipher_size_bucket = in->cipher_size_bucket;
    out->algorithm = in->algorithm;
    out->location = fill_text(builder, in->location);
    fill_envelopes(builder, out, in);
    out->prior_record = borrow(in->prior_record);
    fill_ids(builder, &out->related, &out->n_related, &in->related, KEEP_ORDER);
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
        body->consent_grant = fill_grant(builder, &in->consent_grant);
        return true;
    case TRANSACTION_CONSENT_EVIDENCE:
        body->consent_evidence = fill_evidence(builder, &in->consent_evidence);
        return true;
    case TRANSACTION_CONSENT_REVOKE:
        body->consent_revoke = fill_revoke(builder, &in->consent_revoke);
        return true;
    case TRANSACTION_RECORD_ANCHOR:
        body->record_anchor = fill_anchor(builder, &in->record_anchor);
        return true;
    }
    return false;
}

static void fill_envelope(Salus__V1__TransactionBody *body,
                          const struct transaction_envelope *in)
{
    salus__v1__transaction_body__init(body);
    body->chain_id =
        borrow((struct pbft_bytes){in->chain.bytes, sizeof in->chain.bytes});
    body->version = TRANSACTION_VERSION;
    body->institution = borrow((struct pbft_bytes){
        in->institution.bytes, sizeof in->institution.bytes});
    body->key_id =
        borrow((struct pbft_bytes){in->key_id.bytes, sizeof in->key_id.bytes});
    body->participant = borrow(in->participant);
    body->not_after_ms = in->not_after_ms;
    body->event_time_ms = in->event_time_ms;
    body->event_time_uncertainty_ms = in->event_time_uncertainty_ms;
    body->late = in->late;
    body->table_version = in->table_version;
}

enum pbft_status transaction_build(struct transaction_bytes *body,
                                   const struct transaction_envelope *envelope,
                                   const struct transaction *transaction)
{
    struct builder builder = {.status = PBFT_OK};
    struct wire_buffer buffer;
    Salus__V1__TransactionBody message;
    wire_arena_init(&builder.arena, BUILD_MEMORY_MAX);
    wire_buffer_init(&buffer, LEDGER_BODY_MAX);
    fill_envelope(&message, envelope);
    if (!fill_payload(&builder, &message, transaction)) {
        builder.status = PBFT_INVALID_ARGUMENT;
    }
    if (builder.status == PBFT_OK) {
        builder.status = wire_pack(&message.base, &buffer);
    }
    if (builder.status == PBFT_OK) {
        body->data = wire_buffer_take(&buffer, &body->size);
    }
    wire_buffer_deinit(&buffer);
    wire_arena_deinit(&builder.arena);
    return builder.status;
}
