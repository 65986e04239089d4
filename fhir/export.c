/* SPDX-License-Identifier: Apache-2.0 */
/* Exports: the transaction read, what the vault has of it, the resource
 * written, and checked. */
#include "fhir/export.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "crypto/digest.h"
#include "crypto/secret.h"
#include "fhir/exporting.h"
#include "proto/scan.h"
#include "vault/events.h"
#include "vault/sealed.h"

#define WRITE_FLAGS (JSON_COMPACT | JSON_PRESERVE_ORDER)

enum pbft_status fhir_exporter_create(struct fhir_exporter **out,
                                      const struct fhir_export_options *options)
{
    struct fhir_exporter *exporter = calloc(1, sizeof *exporter);

    *out = NULL;
    if (exporter == NULL) {
        return PBFT_NO_MEMORY;
    }
    exporter->options = *options;
    enum pbft_status status = fhir_names_load(&exporter->names, options->vault);
    if (status == PBFT_OK) {
        status = vault_purposes_load(options->vault, &exporter->purposes);
    }
    if (status != PBFT_OK) {
        fhir_exporter_destroy(exporter);
        return status;
    }
    *out = exporter;
    return PBFT_OK;
}

void fhir_exporter_destroy(struct fhir_exporter *exporter)
{
    if (exporter != NULL) {
        fhir_names_free(&exporter->names);
        free(exporter);
    }
}

bool fhir_export_knows(enum transaction_type type)
{
    return type == TRANSACTION_CONSENT_GRANT ||
           type == TRANSACTION_CONSENT_EVIDENCE ||
           type == TRANSACTION_RECORD_ANCHOR ||
           type == TRANSACTION_DISCLOSURE || type == TRANSACTION_BREAK_GLASS;
}

/* ---- what the vault has -------------------------------------------------- */

/* True if these bytes are what the commitment on the ledger is of. */
static bool opens(const ProtobufCBinaryData *commitment, const char *domain,
                  const uint8_t *salt, const struct vault_blob *blob)
{
    struct pbft_digest commit;

    commit_sha256(&commit, domain, salt,
                  (struct pbft_bytes){blob->data, blob->size});
    return commitment->len == sizeof commit.bytes &&
           memcmp(commitment->data, commit.bytes, sizeof commit.bytes) == 0;
}

/* The received bytes of a consent; NOT_FOUND also if they are not those. */
static enum pbft_status load_consent(struct exporting *exporting,
                                     struct vault_blob *out,
                                     const ProtobufCBinaryData *id,
                                     const ProtobufCBinaryData *commitment,
                                     bool is_source)
{
    const struct fhir_export_options *options = &exporting->exporter->options;
    char own_name[VAULT_OWN_NAME_SIZE];
    struct vault_consent entry;

    if (id->len != VAULT_ID_SIZE) {
        return PBFT_NOT_FOUND;
    }
    vault_own_name(own_name, id->data);
    enum pbft_status status =
        vault_find_consent(options->vault, &entry, own_name);
    if (status == PBFT_OK) {
        status = vault_sealed_read(options->vault, out, &options->chain,
                                   entry.id, entry.data_key);
    }
    if (status == PBFT_OK &&
        !opens(commitment,
               is_source ? COMMIT_DOMAIN_SOURCE : COMMIT_DOMAIN_EVIDENCE,
               is_source ? entry.source_salt : entry.evidence_salt, out)) {
        vault_blob_free(out);
        status = PBFT_NOT_FOUND;
    }
    secret_wipe(&entry, sizeof entry);
    return status;
}

static enum pbft_status load_event(struct exporting *exporting,
                                   struct vault_blob *out)
{
    const Salus__V1__Disclosure *disclosure = exporting->body->disclosure;
    char own_name[VAULT_OWN_NAME_SIZE];
    struct vault_event event;

    if (disclosure->disclosure.len != VAULT_ID_SIZE) {
        return PBFT_NOT_FOUND;
    }
    vault_own_name(own_name, disclosure->disclosure.data);
    enum pbft_status status = vault_find_event(
        exporting->exporter->options.vault, &event, out, own_name);
    if (status == PBFT_OK && !opens(&disclosure->detail_commit,
                                    COMMIT_DOMAIN_SOURCE, event.salt, out)) {
        vault_blob_free(out);
        status = PBFT_NOT_FOUND;
    }
    return status;
}

/* Judges the bytes as they were received. */
static enum pbft_status judge(struct exporting *exporting,
                              const struct vault_blob *blob)
{
    const struct fhir_options options = {.purposes =
                                             &exporting->exporter->purposes};
    struct fhir_file *file = NULL;
    enum pbft_status status = fhir_file_open_bytes(
        &file, "vault", (struct pbft_bytes){blob->data, blob->size});

    if (status == PBFT_OK) {
        status = fhir_item_load(&exporting->original, file, 0, &options);
    }
    fhir_file_close(file);
    return status;
}

static enum pbft_status load_original(struct exporting *exporting)
{
    const Salus__V1__TransactionBody *body = exporting->body;
    struct vault_blob blob = {NULL, 0};
    enum pbft_status status = PBFT_NOT_FOUND;

    if (body->payload_case ==
        SALUS__V1__TRANSACTION_BODY__PAYLOAD_CONSENT_GRANT) {
        status = load_consent(exporting, &blob, &body->consent_grant->consent,
                              &body->consent_grant->source_commit, true);
    } else if (body->payload_case ==
               SALUS__V1__TRANSACTION_BODY__PAYLOAD_CONSENT_EVIDENCE) {
        status =
            load_consent(exporting, &blob, &body->consent_evidence->consent,
                         &body->consent_evidence->evidence_commit, false);
    } else if (body->payload_case ==
               SALUS__V1__TRANSACTION_BODY__PAYLOAD_DISCLOSURE) {
        status = load_event(exporting, &blob);
    }
    if (status == PBFT_OK) {
        status = judge(exporting, &blob);
    }
    vault_blob_free(&blob);
    return status == PBFT_NOT_FOUND ? PBFT_OK : status;
}

/* ---- resources ----------------------------------------------------------- */

/* What no machine can read goes back as it came. */
static void export_evidence(struct exporting *exporting)
{
    if (exporting->original == NULL || exporting->redacted) {
        export_find(exporting,
                    exporting->redacted ? FHIR_EXPORT_WITHHELD
                                        : FHIR_EXPORT_VAULT,
                    "evidence_commit");
        return;
    }
    exporting->resource = json_incref(exporting->original->json);
}

static void write_resource(struct exporting *exporting)
{
    enum transaction_type type =
        (enum transaction_type)exporting->body->payload_case;

    json_decref(exporting->resource);
    exporting->resource = NULL;
    switch (type) {
    case TRANSACTION_CONSENT_GRANT:
        export_consent(exporting);
        break;
    case TRANSACTION_CONSENT_EVIDENCE:
        export_evidence(exporting);
        break;
    case TRANSACTION_RECORD_ANCHOR:
        export_document(exporting);
        break;
    case TRANSACTION_DISCLOSURE:
        export_disclosure(exporting);
        break;
    case TRANSACTION_BREAK_GLASS:
        export_emergency(exporting);
        break;
    case TRANSACTION_ACCESS_REQUEST:
    case TRANSACTION_ACCESS_DECISION:
        export_decision(exporting);
        break;
    default:
        fhir_report_add(exporting->report, FHIR_EXPORT_TYPE, "$",
                        transaction_type_name(type));
        break;
    }
}

static bool is_sound(const struct exporting *exporting)
{
    return exporting->status == PBFT_OK &&
           exporting->report->worst != FHIR_FATAL &&
           exporting->resource != NULL;
}

/* A withdrawn consent names what it withdraws, and is not planned; a document
 * without its content cannot be. */
static bool can_be_checked(const struct exporting *exporting)
{
    bool is_document = exporting->body->payload_case ==
                       SALUS__V1__TRANSACTION_BODY__PAYLOAD_RECORD_ANCHOR;

    return !exporting->source->withdrawn &&
           !(is_document && (exporting->redacted ||
                             exporting->exporter->options.without_contents));
}

static void export_body(struct exporting *exporting, char **out)
{
    exporting->status = load_original(exporting);
    if (exporting->status != PBFT_OK) {
        return;
    }
    exporting->redacted = exporting->exporter->options.redacted;
    write_resource(exporting);
    if (is_sound(exporting) && can_be_checked(exporting)) {
        export_check(exporting);
    }
    if (is_sound(exporting)) {
        *out = json_dumps(exporting->resource, WRITE_FLAGS);
        exporting->status = *out != NULL ? PBFT_OK : PBFT_NO_MEMORY;
    }
}

enum pbft_status fhir_export(struct fhir_exporter *exporter, char **out,
                             struct fhir_report *report,
                             const struct fhir_export_source *source)
{
    struct exporting exporting = {
        .exporter = exporter, .source = source, .report = report};
    struct wire_arena arena;
    Salus__V1__TransactionBody computed = SALUS__V1__TRANSACTION_BODY__INIT;
    struct ProtobufCMessage *message = &computed.base;
    enum pbft_status status = PBFT_OK;

    *out = NULL;
    fhir_report_init(report, "");
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    computed.payload_case = SALUS__V1__TRANSACTION_BODY__PAYLOAD_ACCESS_REQUEST;
    if (source->body.size > 0 || source->decision == NULL) {
        status = wire_unpack_strict(&salus__v1__transaction_body__descriptor,
                                    source->body, &arena, &message);
    }
    if (status == PBFT_OK) {
        exporting.body = (const Salus__V1__TransactionBody *)(void *)message;
        export_body(&exporting, out);
        status = exporting.status;
    }
    json_decref(exporting.resource);
    fhir_item_free(exporting.original);
    wire_arena_deinit(&arena);
    return status;
}
