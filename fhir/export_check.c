/* SPDX-License-Identifier: Apache-2.0 */
/* The proof of an export: read as an import would read it, it becomes the
 * transaction that it came from. Only what every import draws or takes from the
 * clock may differ: ids of its own, salts with what they commit to, wraps, and
 * the time until which it may be ordered. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fhir/compare.h"
#include "fhir/exporting.h"
#include "fhir/planner.h"
#include "proto/scan.h"

static void forget(ProtobufCBinaryData *field)
{
    *field = (ProtobufCBinaryData){0, NULL};
}

/* Consents of older programs name an author alone. */
static void forget_coauthors(Salus__V1__Selector *selector)
{
    size_t kept = 0;

    for (size_t i = 0; selector != NULL && i < selector->n_data; i++) {
        if (!export_is_coauthor(selector, i)) {
            selector->data[kept++] = selector->data[i];
        }
    }
    if (selector != NULL) {
        selector->n_data = kept;
    }
}

static void forget_grant(Salus__V1__ConsentGrant *grant)
{
    forget_coauthors(grant->root);
    for (size_t i = 0; i < grant->n_exceptions; i++) {
        forget_coauthors(grant->exceptions[i]->selector);
    }
    forget(&grant->consent);
    forget(&grant->evidence_commit);
    forget(&grant->source_commit);
    grant->n_supersedes = 0;
}

/* Labels are compared apart: the rest of the tags is noise. */
static void forget_anchor(Salus__V1__RecordAnchor *anchor)
{
    forget(&anchor->record);
    forget(&anchor->commit);
    forget(&anchor->cipher_digest);
    anchor->location = NULL;
    anchor->n_envelopes = 0;
    anchor->n_tags = 0;
}

static void forget_what_differs(Salus__V1__TransactionBody *body)
{
    body->not_after_ms = 0;
    body->late = false;
    switch (body->payload_case) {
    case SALUS__V1__TRANSACTION_BODY__PAYLOAD_CONSENT_GRANT:
        forget_grant(body->consent_grant);
        break;
    case SALUS__V1__TRANSACTION_BODY__PAYLOAD_CONSENT_EVIDENCE:
        forget(&body->consent_evidence->consent);
        forget(&body->consent_evidence->evidence_commit);
        break;
    case SALUS__V1__TRANSACTION_BODY__PAYLOAD_RECORD_ANCHOR:
        forget_anchor(body->record_anchor);
        break;
    case SALUS__V1__TRANSACTION_BODY__PAYLOAD_DISCLOSURE:
        forget(&body->disclosure->disclosure);
        forget(&body->disclosure->manifest_root);
        forget(&body->disclosure->detail_commit);
        break;
    case SALUS__V1__TRANSACTION_BODY__PAYLOAD_BREAK_GLASS:
        forget(&body->break_glass->break_glass);
        break;
    default:
        break;
    }
}

/* As many tags, and every label of the resource among those of the ledger. */
static bool same_labels(struct exporting *exporting,
                        const struct fhir_item *item,
                        const Salus__V1__RecordAnchor *left,
                        const Salus__V1__RecordAnchor *right)
{
    struct vault_subject subject;
    uint8_t tag[VAULT_TAG_SIZE];
    size_t found = 0;

    if (left->n_tags != right->n_tags ||
        (left->n_tags > 0 &&
         !export_subject(exporting, &subject, &left->subject))) {
        return false;
    }
    for (size_t i = 0; i < item->document.label_count; i++) {
        vault_blind_tag(tag, &subject, FHIR_SYSTEM_ACT_CODE,
                        item->document.labels[i]);
        for (size_t k = 0; k < left->n_tags; k++) {
            found += memcmp(left->tags[k].data, tag, sizeof tag) == 0 ? 1 : 0;
        }
    }
    return found == item->document.label_count;
}

/* Both bodies once more, to be changed. */
static bool unpack(Salus__V1__TransactionBody **out, struct pbft_bytes bytes,
                   struct wire_arena *arena)
{
    struct ProtobufCMessage *message = NULL;

    if (wire_unpack_strict(&salus__v1__transaction_body__descriptor, bytes,
                           arena, &message) != PBFT_OK) {
        return false;
    }
    *out = (Salus__V1__TransactionBody *)(void *)message;
    return true;
}

static void compare(struct exporting *exporting, const struct fhir_item *item,
                    struct pbft_bytes planned)
{
    char path[FHIR_PATH_MAX];
    struct wire_arena arena;
    Salus__V1__TransactionBody *left = NULL;
    Salus__V1__TransactionBody *right = NULL;

    wire_arena_init(&arena, (size_t)2 * WIRE_UNPACK_BYTES_MAX);
    if (!unpack(&left, exporting->source->body, &arena) ||
        !unpack(&right, planned, &arena)) {
        exporting->status = PBFT_MALFORMED;
    } else if (left->payload_case ==
                   SALUS__V1__TRANSACTION_BODY__PAYLOAD_RECORD_ANCHOR &&
               right->payload_case == left->payload_case &&
               !same_labels(exporting, item, left->record_anchor,
                            right->record_anchor)) {
        export_find(exporting, FHIR_EXPORT_DIFFERS, "record_anchor.tags");
    } else {
        forget_what_differs(left);
        forget_what_differs(right);
        if (!fhir_messages_equal(&left->base, &right->base, path,
                                 sizeof path)) {
            export_find(exporting, FHIR_EXPORT_DIFFERS, "%s", path);
        }
    }
    wire_arena_deinit(&arena);
}

static void plan_options(struct fhir_plan_options *out,
                         const struct exporting *exporting)
{
    const Salus__V1__TransactionBody *body = exporting->body;

    *out = (struct fhir_plan_options){
        .vault = exporting->exporter->options.vault,
        .envelope = {.chain = exporting->exporter->options.chain,
                     .table_version = body->table_version},
        .mode = TRANSACTION_WET_INK,
        .self_report = body->payload_case ==
                           SALUS__V1__TRANSACTION_BODY__PAYLOAD_DISCLOSURE &&
                       body->disclosure->violation,
        .now_ms = UINT64_MAX,
        .rehearse = true};
    if (body->institution.len == sizeof out->envelope.institution.bytes) {
        memcpy(out->envelope.institution.bytes, body->institution.data,
               body->institution.len);
    }
    if (body->key_id.len == sizeof out->envelope.key_id.bytes) {
        memcpy(out->envelope.key_id.bytes, body->key_id.data, body->key_id.len);
    }
}

/* Findings of the import, and what stands before their paths. */
static void take_findings(struct exporting *exporting,
                          const struct fhir_item *item)
{
    for (size_t i = 0; i < item->report.count; i++) {
        const struct fhir_finding *finding = &item->report.findings[i];
        if (fhir_finding_weight(finding->kind) != FHIR_NOTE) {
            fhir_report_add(exporting->report, finding->kind, finding->path,
                            finding->code[0] != 0 ? finding->code : NULL);
        }
    }
    export_find(exporting, FHIR_EXPORT_DIFFERS, "$");
}

static void rehearse(struct exporting *exporting, struct fhir_item *item)
{
    struct vault *vault = exporting->exporter->options.vault;
    struct fhir_plan_options options;
    struct vault_journal *journal = calloc(1, sizeof *journal);

    plan_options(&options, exporting);
    enum pbft_status status =
        journal == NULL ? PBFT_NO_MEMORY : vault_begin(vault);
    if (status != PBFT_OK) {
        exporting->status = status;
        free(journal);
        return;
    }
    exporting->status = fhir_plan(journal, item, &options);
    vault_rollback(vault);
    if (exporting->status == PBFT_OK && journal->step_count != 1) {
        take_findings(exporting, item);
    } else if (exporting->status == PBFT_OK) {
        compare(exporting, item,
                (struct pbft_bytes){journal->steps[0].body,
                                    journal->steps[0].size});
    }
    vault_journal_free(journal);
    free(journal);
}

/* Nothing comes of a decision again: it stays where it is imported. */
static void expect_decision(struct exporting *exporting,
                            const struct fhir_item *item)
{
    if (fhir_item_class(item) != FHIR_LOCAL || item->report.count != 1 ||
        item->report.findings[0].kind != FHIR_DECISION) {
        take_findings(exporting, item);
    }
}

void export_check(struct exporting *exporting)
{
    const struct fhir_options options = {.purposes =
                                             &exporting->exporter->purposes};
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;
    char *text = json_dumps(exporting->resource, JSON_COMPACT);

    if (text == NULL) {
        exporting->status = PBFT_NO_MEMORY;
        return;
    }
    exporting->status = fhir_file_open_bytes(
        &file, "export",
        (struct pbft_bytes){(const uint8_t *)text, strlen(text)});
    if (exporting->status == PBFT_OK) {
        exporting->status = fhir_item_load(&item, file, 0, &options);
    }
    if (exporting->status == PBFT_OK && exporting->source->decision != NULL) {
        expect_decision(exporting, item);
    } else if (exporting->status == PBFT_OK) {
        rehearse(exporting, item);
    }
    fhir_item_free(item);
    fhir_file_close(file);
    free(text);
}
