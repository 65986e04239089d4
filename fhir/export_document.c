/* SPDX-License-Identifier: Apache-2.0 */
/* DocumentReference from RECORD_ANCHOR, with the content that the vault holds
 * sealed. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "crypto/digest.h"
#include "crypto/hex.h"
#include "crypto/secret.h"
#include "fhir/exporting.h"
#include "vault/sealed.h"

/* Base64 of it leaves room for the rest of a resource. */
#define CONTENT_MAX (FHIR_RESOURCE_BYTES_MAX / 4 * 3 - 64 * 1024)

/* ---- content ------------------------------------------------------------- */

/* The bytes, if they open the commitment on the ledger. */
static json_t *load_content(struct exporting *exporting,
                            const Salus__V1__RecordAnchor *anchor)
{
    const struct fhir_export_options *options = &exporting->exporter->options;
    char own_name[VAULT_OWN_NAME_SIZE];
    struct vault_record record;
    struct vault_blob blob = {NULL, 0};
    struct pbft_digest commit;
    json_t *data = NULL;

    vault_own_name(own_name, anchor->record.data);
    if (vault_find_record(options->vault, &record, own_name) != PBFT_OK ||
        vault_sealed_read(options->vault, &blob, &options->chain, record.id,
                          record.data_key) != PBFT_OK) {
        export_find(exporting, FHIR_EXPORT_VAULT, "commit");
        return NULL;
    }
    struct pbft_bytes content = {blob.data, blob.size};
    commit_sha256(&commit, COMMIT_DOMAIN_RECORD, record.salt, content);
    if (anchor->commit.len != sizeof commit.bytes ||
        memcmp(anchor->commit.data, commit.bytes, sizeof commit.bytes) != 0) {
        export_find(exporting, FHIR_EXPORT_DIFFERS, "commit");
    } else if (content.size > CONTENT_MAX) {
        export_find(exporting, FHIR_EXPORT_LARGE, "commit");
    } else {
        data = export_base64(content);
    }
    vault_blob_free(&blob);
    secret_wipe(&record, sizeof record);
    return data;
}

static json_t *write_attachment(struct exporting *exporting,
                                const Salus__V1__RecordAnchor *anchor)
{
    char hex[2 * PBFT_DIGEST_SIZE + 1] = "";
    json_t *attachment = json_object();

    if (anchor->commit.len == PBFT_DIGEST_SIZE) {
        hex_encode(hex,
                   (struct pbft_bytes){anchor->commit.data, PBFT_DIGEST_SIZE});
    }
    export_put(exporting, attachment, "extension",
               json_pack("[{s:s, s:s}]", "url", "urn:salus:commitment",
                         "valueString", hex));
    if (exporting->redacted || exporting->exporter->options.without_contents) {
        export_put_text(exporting, attachment, "url", anchor->location);
    } else {
        export_put(exporting, attachment, "data",
                   load_content(exporting, anchor));
    }
    return attachment;
}

/* ---- the rest ------------------------------------------------------------ */

static bool is_known(struct exporting *exporting, enum fhir_ledger_kind kind,
                     const ProtobufCBinaryData *id)
{
    return id->len == VAULT_ID_SIZE &&
           fhir_names_find(&exporting->exporter->names, kind, id->data) != NULL;
}

/* One of those behind the first. */
static bool is_author(struct exporting *exporting,
                      const ProtobufCBinaryData *id)
{
    return is_known(exporting, FHIR_LEDGER_PARTICIPANT, id) ||
           is_known(exporting, FHIR_LEDGER_GROUP, id);
}

/* Authors come last. One behind a known one is one too, if the vault has
 * forgotten him. */
static bool is_coauthor(struct exporting *exporting,
                        const Salus__V1__RecordAnchor *anchor, size_t index)
{
    bool found = false;

    for (size_t i = 0; anchor->author.len > 0 && i <= index && !found; i++) {
        found = is_author(exporting, &anchor->related[i]);
    }
    return found;
}

static json_t *write_author(struct exporting *exporting,
                            const ProtobufCBinaryData *id)
{
    return is_known(exporting, FHIR_LEDGER_GROUP, id)
               ? export_reference(exporting, FHIR_LEDGER_GROUP, id->data,
                                  "Group")
               : export_reference(exporting, FHIR_LEDGER_PARTICIPANT, id->data,
                                  "Practitioner");
}

static void write_authors(struct exporting *exporting,
                          const Salus__V1__RecordAnchor *anchor)
{
    json_t *list = json_array();

    (void)json_array_append_new(list, write_author(exporting, &anchor->author));
    for (size_t i = 0; i < anchor->n_related; i++) {
        if (is_coauthor(exporting, anchor, i)) {
            (void)json_array_append_new(
                list, write_author(exporting, &anchor->related[i]));
        }
    }
    export_put(exporting, exporting->resource, "author", list);
}

/* How many ids are those of documents, before the first that has no name. Of
 * that one the ledger says only that it is related: it may be a visit, or an
 * author whom the vault has forgotten. */
static size_t count_documents(struct exporting *exporting,
                              const Salus__V1__RecordAnchor *anchor)
{
    size_t count = 0;

    while (count < anchor->n_related &&
           is_known(exporting, FHIR_LEDGER_DATA, &anchor->related[count])) {
        count++;
    }
    return count;
}

/* The rest, in its order, without the authors. */
static json_t *list_others(struct exporting *exporting,
                           const Salus__V1__RecordAnchor *anchor)
{
    json_t *list = json_array();

    for (size_t i = count_documents(exporting, anchor);
         i < anchor->n_related && !is_coauthor(exporting, anchor, i); i++) {
        (void)json_array_append_new(
            list, export_reference(exporting, FHIR_LEDGER_DATA,
                                   anchor->related[i].data, NULL));
    }
    return list;
}

static void write_context(struct exporting *exporting,
                          const Salus__V1__RecordAnchor *anchor)
{
    json_t *context = json_object();
    json_t *others = list_others(exporting, anchor);
    json_t *period = export_period(exporting, anchor->data_from_ms,
                                   anchor->data_to_ms, "data_from_ms");

    if (period != NULL) {
        export_put(exporting, context, "period", period);
    }
    if (json_array_size(others) > 0) {
        export_put(exporting, context, "related", json_incref(others));
    }
    json_decref(others);
    if (json_object_size(context) > 0) {
        export_put(exporting, exporting->resource, "context", context);
    } else {
        json_decref(context);
    }
}

static void write_relations(struct exporting *exporting,
                            const Salus__V1__RecordAnchor *anchor)
{
    json_t *list = json_array();

    if (anchor->prior_record.len == VAULT_ID_SIZE) {
        (void)json_array_append_new(
            list, json_pack("{s:s, s:o}", "code", "replaces", "target",
                            export_reference(exporting, FHIR_LEDGER_DATA,
                                             anchor->prior_record.data,
                                             "DocumentReference")));
    }
    for (size_t i = 0; i < count_documents(exporting, anchor); i++) {
        (void)json_array_append_new(
            list, json_pack("{s:s, s:o}", "code", "appends", "target",
                            export_reference(exporting, FHIR_LEDGER_DATA,
                                             anchor->related[i].data,
                                             "DocumentReference")));
    }
    if (json_array_size(list) > 0) {
        export_put(exporting, exporting->resource, "relatesTo", list);
    } else {
        json_decref(list);
    }
}

static void write_labels(struct exporting *exporting,
                         const Salus__V1__RecordAnchor *anchor)
{
    struct vault_subject subject;
    json_t *list = json_array();
    json_t *concepts = json_array();
    size_t index = 0;
    json_t *coding = NULL;

    bool is_known = export_subject(exporting, &subject, &anchor->subject);
    json_t *level = export_code(exporting, CODES_CONF, anchor->confidentiality,
                                "confidentiality");
    if (level != NULL) {
        (void)json_array_append_new(list, level);
    }
    export_labels(exporting, list, is_known ? &subject : NULL,
                  &(struct export_labels){.tags = anchor->tags,
                                          .count = anchor->n_tags,
                                          .path = "tags",
                                          .pads = is_known});
    json_array_foreach(list, index, coding)
    {
        (void)json_array_append_new(concepts,
                                    export_concept(json_incref(coding)));
    }
    json_decref(list);
    export_put(exporting, exporting->resource, "securityLabel", concepts);
    secret_wipe(&subject, sizeof subject);
}

static void write_who(struct exporting *exporting,
                      const Salus__V1__RecordAnchor *anchor)
{
    json_t *resource = exporting->resource;

    if (anchor->subject.len == VAULT_HANDLE_SIZE) {
        export_put(exporting, resource, "subject",
                   export_reference(exporting, FHIR_LEDGER_SUBJECT,
                                    anchor->subject.data, "Patient"));
    }
    if (anchor->author.len == VAULT_ID_SIZE) {
        write_authors(exporting, anchor);
    }
    export_put(exporting, resource, "custodian",
               export_reference(exporting, FHIR_LEDGER_INSTITUTION,
                                exporting->body->institution.data,
                                "Organization"));
}

/* As it was imported; of another's record the ledger knows no other. */
static void write_status(struct exporting *exporting,
                         const Salus__V1__RecordAnchor *anchor)
{
    struct vault *vault = exporting->exporter->options.vault;
    struct vault_record record = {.status = 0};
    char own_name[VAULT_OWN_NAME_SIZE];

    vault_own_name(own_name, anchor->record.data);
    if (vault_find_record(vault, &record, own_name) == PBFT_NOT_FOUND) {
        record.status = 0;
    }
    const char *status = fhir_word(&fhir_statuses, record.status);
    const char *document = fhir_word(&fhir_doc_statuses, record.doc_status);
    if (status == NULL) {
        export_find(exporting, FHIR_EXPORT_VAULT, "status");
    } else {
        export_put_text(exporting, exporting->resource, "status", status);
    }
    if (document != NULL) {
        export_put_text(exporting, exporting->resource, "docStatus", document);
    }
    secret_wipe(&record, sizeof record);
}

void export_document(struct exporting *exporting)
{
    const Salus__V1__RecordAnchor *anchor = exporting->body->record_anchor;

    export_begin(exporting, "DocumentReference", FHIR_LEDGER_DATA,
                 anchor->record.data);
    write_status(exporting, anchor);
    export_put(exporting, exporting->resource, "type",
               export_concept(export_code(exporting, CODES_CLASS,
                                          anchor->class_code, "class_code")));
    write_who(exporting, anchor);
    write_relations(exporting, anchor);
    write_labels(exporting, anchor);
    export_put(exporting, exporting->resource, "content",
               export_list_of(json_pack("{s:o}", "attachment",
                                        write_attachment(exporting, anchor))));
    write_context(exporting, anchor);
    export_end(exporting);
}
