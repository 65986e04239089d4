/* SPDX-License-Identifier: Apache-2.0 */
/* The generated form of consents, field by field. */
#include "ledger/transaction_builder.h"

static void fill_actors(struct builder *builder, Salus__V1__Selector *out,
                        const struct transaction_selector *in)
{
    Salus__V1__Selector__Actor *rows =
        builder_room(builder, in->actor_count, sizeof *rows);
    out->actors = builder_room(builder, in->actor_count, sizeof *out->actors);
    if (rows == NULL || out->actors == NULL) {
        return;
    }
    out->n_actors = in->actor_count;
    for (size_t i = 0; i < in->actor_count; i++) {
        salus__v1__selector__actor__init(&rows[i]);
        rows[i].kind = (Salus__V1__Selector__Actor__Kind)in->actors[i].kind;
        rows[i].id = builder_borrow(in->actors[i].id);
        rows[i].role = in->actors[i].role;
        out->actors[i] = &rows[i];
    }
}

static void fill_data_refs(struct builder *builder, Salus__V1__Selector *out,
                           const struct transaction_selector *in)
{
    Salus__V1__Selector__DataRef *rows =
        builder_room(builder, in->data_count, sizeof *rows);
    out->data = builder_room(builder, in->data_count, sizeof *out->data);
    if (rows == NULL || out->data == NULL) {
        return;
    }
    out->n_data = in->data_count;
    for (size_t i = 0; i < in->data_count; i++) {
        salus__v1__selector__data_ref__init(&rows[i]);
        rows[i].meaning =
            (Salus__V1__Selector__DataRef__Meaning)in->data[i].meaning;
        rows[i].id = builder_borrow(in->data[i].id);
        out->data[i] = &rows[i];
    }
}

static void fill_selector(struct builder *builder, Salus__V1__Selector *out,
                          const struct transaction_selector *in)
{
    salus__v1__selector__init(out);
    if (builder_too_many(builder, in->actor_count, LEDGER_ACTORS_MAX) ||
        builder_too_many(builder, in->data_count, LEDGER_DATA_REFS_MAX) ||
        builder_too_many(builder, in->tags.count, LEDGER_TAGS_MAX)) {
        return;
    }
    fill_actors(builder, out, in);
    builder_codes(builder, &out->purposes, &out->n_purposes, &in->purposes);
    builder_codes(builder, &out->actions, &out->n_actions, &in->actions);
    builder_codes(builder, &out->confidentiality, &out->n_confidentiality,
                  &in->confidentiality);
    builder_ids(builder, &out->tags, &out->n_tags, &in->tags,
                BUILDER_ASCENDING);
    builder_codes(builder, &out->classes, &out->n_classes, &in->classes);
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
        builder_room(builder, in->exception_count, sizeof *rows);
    out->exceptions =
        builder_room(builder, in->exception_count, sizeof *out->exceptions);
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

Salus__V1__ConsentGrant *
builder_grant(struct builder *builder,
              const struct transaction_consent_grant *in)
{
    Salus__V1__ConsentGrant *out = builder_room(builder, 1, sizeof *out);
    Salus__V1__Selector *root = builder_room(builder, 1, sizeof *root);
    if (out == NULL || root == NULL ||
        builder_too_many(builder, in->exception_count, LEDGER_EXCEPTIONS_MAX) ||
        builder_too_many(builder, in->supersedes.count,
                         LEDGER_SUPERSEDES_MAX)) {
        return NULL;
    }
    salus__v1__consent_grant__init(out);
    out->consent = builder_borrow(in->consent);
    out->subject = builder_borrow(in->subject);
    out->scope = (Salus__V1__ConsentGrant__Scope)in->scope;
    out->category = in->category;
    out->policy = builder_borrow(in->policy);
    out->policy_version = in->policy_version;
    out->given_at_ms = in->given_at_ms;
    out->base_decision = (Salus__V1__Decision)in->base_decision;
    out->period_from_ms = in->period_from_ms;
    out->period_to_ms = in->period_to_ms;
    out->root = root;
    fill_selector(builder, root, &in->root);
    fill_exceptions(builder, out, in);
    out->performer = (Salus__V1__ConsentGrant__Performer)in->performer;
    out->delegate = builder_borrow(in->delegate);
    out->mode = (Salus__V1__ConsentGrant__Mode)in->mode;
    out->evidence_commit = builder_borrow(in->evidence_commit);
    out->source_commit = builder_borrow(in->source_commit);
    builder_ids(builder, &out->supersedes, &out->n_supersedes, &in->supersedes,
                BUILDER_ASCENDING);
    return out;
}

Salus__V1__ConsentEvidence *
builder_evidence(struct builder *builder,
                 const struct transaction_consent_evidence *in)
{
    Salus__V1__ConsentEvidence *out = builder_room(builder, 1, sizeof *out);
    if (out == NULL) {
        return NULL;
    }
    salus__v1__consent_evidence__init(out);
    out->consent = builder_borrow(in->consent);
    out->subject = builder_borrow(in->subject);
    out->evidence_commit = builder_borrow(in->evidence_commit);
    out->reason = in->reason;
    return out;
}

Salus__V1__ConsentRevoke *
builder_revoke(struct builder *builder,
               const struct transaction_consent_revoke *in)
{
    Salus__V1__ConsentRevoke *out = builder_room(builder, 1, sizeof *out);
    if (out == NULL) {
        return NULL;
    }
    salus__v1__consent_revoke__init(out);
    out->consent = builder_borrow(in->consent);
    out->reason = in->reason;
    out->revoked_at_ms = in->revoked_at_ms;
    out->evidence_commit = builder_borrow(in->evidence_commit);
    return out;
}
