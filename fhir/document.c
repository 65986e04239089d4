/* SPDX-License-Identifier: Apache-2.0 */
/* DocumentReference: what may stand on the ledger about a document. */
#include "fhir/document.h"

#include <string.h>

#define SALUS_CLASS "urn:salus:class" /* As an export says it. */
#define LOINC "http://loinc.org"

static const char *const known_elements[] = {"resourceType",
                                             "id",
                                             "meta",
                                             "implicitRules",
                                             "language",
                                             "text",
                                             "contained",
                                             "extension",
                                             "modifierExtension",
                                             "masterIdentifier",
                                             "identifier",
                                             "status",
                                             "docStatus",
                                             "type",
                                             "category",
                                             "subject",
                                             "date",
                                             "author",
                                             "authenticator",
                                             "custodian",
                                             "relatesTo",
                                             "description",
                                             "securityLabel",
                                             "content",
                                             "context",
                                             NULL};

/* Coarse on purpose; what is not listed is "document". */
static const struct {
    const char *code;
    const char *class_name;
} class_of_loinc[] = {
    {"11488-4", "note"},         {"11506-3", "note"},
    {"18842-5", "note"},         {"34108-1", "note"},
    {"34117-2", "note"},         {"34133-9", "note"},
    {"51847-2", "note"},         {"18748-4", "imaging"},
    {"11502-2", "laboratory"},   {"56445-0", "medication"},
    {"57833-6", "medication"},   {"28570-0", "procedure"},
    {"51969-4", "genomic"},      {"59284-0", "consent-form"},
    {"64292-6", "consent-form"}, {"57016-8", "consent-form"},
    {"57017-6", "consent-form"},
};

static uint32_t class_id(const char *name)
{
    const struct codes_entry *entry =
        codes_find(CODES_CLASS, SALUS_CLASS, name);

    return entry != NULL ? entry->id : CODES_CLASS_OTHER;
}

static void read_type(const struct fhir_reader *reader,
                      struct fhir_document *out,
                      const struct fhir_node *resource)
{
    struct fhir_node type = fhir_take_object(reader, resource, "type");
    struct fhir_coding coding = fhir_concept_coding(reader, &type, LOINC);

    struct fhir_coding said = fhir_concept_coding(reader, &type, SALUS_CLASS);
    const struct codes_entry *exact =
        said.code == NULL ? NULL
                          : codes_find(CODES_CLASS, SALUS_CLASS, said.code);
    if (exact != NULL) {
        out->class_code = exact->id;
        return;
    }
    if (said.code != NULL) {
        fhir_find(reader->report, FHIR_BAD_CODE, &type, said.code);
    }
    out->class_code = class_id("document");
    for (size_t i = 0; coding.code != NULL &&
                       i < sizeof class_of_loinc / sizeof class_of_loinc[0];
         i++) {
        if (strcmp(coding.code, class_of_loinc[i].code) == 0) {
            out->class_code = class_id(class_of_loinc[i].class_name);
        }
    }
}

static const char *const status_names[] = {"current", "superseded"};
static const char *const doc_status_names[] = {NULL, "preliminary", "final",
                                               "amended"};
const struct fhir_words fhir_statuses = {
    status_names, sizeof status_names / sizeof status_names[0]};
const struct fhir_words fhir_doc_statuses = {
    doc_status_names, sizeof doc_status_names / sizeof doc_status_names[0]};

/* One that was superseded is a record as any other: who may see it is for the
 * consents. */
static void read_status(const struct fhir_reader *reader,
                        struct fhir_document *out,
                        const struct fhir_node *resource)
{
    const char *status = fhir_take_string(reader, resource, "status");
    const char *document = fhir_take_string(reader, resource, "docStatus");
    struct fhir_node node = fhir_field(resource, "status");

    out->status = fhir_word_number(&fhir_statuses, status);
    if (status == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &node, NULL);
    } else if (strcmp(fhir_word(&fhir_statuses, out->status), status) != 0) {
        fhir_find(reader->report, FHIR_STATUS, &node, status);
    }
    node = fhir_field(resource, "docStatus");
    out->doc_status = fhir_word_number(&fhir_doc_statuses, document);
    if (document != NULL && out->doc_status == 0) {
        fhir_find(reader->report,
                  strcmp(document, "entered-in-error") == 0 ? FHIR_STATUS
                                                            : FHIR_BAD_CODE,
                  &node, document);
    }
}

/* ---- who ----------------------------------------------------------------- */

static void read_subject(const struct fhir_reader *reader,
                         struct fhir_document *out,
                         const struct fhir_node *resource)
{
    struct fhir_node node = fhir_take_object(reader, resource, "subject");

    if (node.json != NULL &&
        fhir_take_reference(reader, &out->subject, &node) &&
        out->subject.type[0] != 0 &&
        strcmp(out->subject.type, "Patient") != 0) {
        fhir_find(reader->report, FHIR_REFERENCE_TYPE, &node, NULL);
    }
}

/* Rules on authors must find all of them. */
static void read_authors(const struct fhir_reader *reader,
                         struct fhir_document *out,
                         const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "author");

    if (fhir_size(&list) > FHIR_AUTHORS_MAX) {
        fhir_find(reader->report, FHIR_MANY, &list, NULL);
        return;
    }
    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        if (fhir_take_reference(reader, &out->authors[out->author_count],
                                &node)) {
            out->author_count++;
        }
    }
}

static void read_custodian(const struct fhir_reader *reader,
                           struct fhir_document *out,
                           const struct fhir_node *resource)
{
    struct fhir_node node = fhir_take_object(reader, resource, "custodian");

    if (node.json != NULL) {
        (void)fhir_take_reference(reader, &out->custodian, &node);
    }
}

/* ---- relations ----------------------------------------------------------- */

static void add_related(const struct fhir_reader *reader,
                        struct fhir_document *out, const struct fhir_node *node)
{
    if (out->related_count == LEDGER_RELATED_MAX) {
        fhir_find(reader->report, FHIR_MANY, node, NULL);
        return;
    }
    if (fhir_take_reference(reader, &out->related[out->related_count], node)) {
        out->related_count++;
    }
}

static const char *const relation_elements[] = {
    "id", "extension", "modifierExtension", "code", "target", NULL};
static const char *const context_elements[] = {"id",
                                               "extension",
                                               "modifierExtension",
                                               "encounter",
                                               "event",
                                               "period",
                                               "facilityType",
                                               "practiceSetting",
                                               "sourcePatientInfo",
                                               "related",
                                               NULL};
static const char *const content_elements[] = {
    "id", "extension", "modifierExtension", "attachment", "format", NULL};

static void read_relation(const struct fhir_reader *reader,
                          struct fhir_document *out,
                          const struct fhir_node *node)
{
    const char *code = fhir_take_string(reader, node, "code");
    struct fhir_node code_node = fhir_field(node, "code");
    struct fhir_node target = fhir_take_object(reader, node, "target");

    fhir_only(reader->report, node, relation_elements);
    if (code == NULL || target.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING,
                  code == NULL ? &code_node : &target, NULL);
    } else if (strcmp(code, "appends") == 0) {
        add_related(reader, out, &target);
    } else if (strcmp(code, "replaces") == 0 && out->replaces.name == NULL) {
        (void)fhir_take_reference(reader, &out->replaces, &target);
    } else {
        fhir_find(reader->report, FHIR_RELATION, &code_node, code);
    }
}

static void read_relations(const struct fhir_reader *reader,
                           struct fhir_document *out,
                           const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "relatesTo");

    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        read_relation(reader, out, &node);
    }
}

static void read_context(const struct fhir_reader *reader,
                         struct fhir_document *out,
                         const struct fhir_node *resource)
{
    struct fhir_node context = fhir_take_object(reader, resource, "context");
    struct fhir_node encounters = fhir_take_list(reader, &context, "encounter");
    struct fhir_node others = fhir_take_list(reader, &context, "related");

    fhir_only(reader->report, &context, context_elements);
    for (size_t i = 0; i < fhir_size(&encounters); i++) {
        struct fhir_node node = fhir_element(&encounters, i);
        add_related(reader, out, &node);
    }
    /* A number of somewhere else than the ledger is none that a rule could
     * name.
     */
    for (size_t i = 0; i < fhir_size(&others); i++) {
        struct fhir_node node = fhir_element(&others, i);
        struct fhir_node reference = fhir_field(&node, "reference");
        struct fhir_node identifier = fhir_field(&node, "identifier");
        if (reference.json != NULL || fhir_is_of_ledger(&identifier)) {
            add_related(reader, out, &node);
        }
    }
    (void)fhir_take_period(reader, &out->period, &context, "period");
}

/* ---- content ------------------------------------------------------------- */

static void read_content(const struct fhir_reader *reader,
                         struct fhir_document *out,
                         const struct fhir_node *resource,
                         const char *attachments)
{
    struct fhir_node list = fhir_take_list(reader, resource, "content");

    if (list.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &list, NULL);
        return;
    }
    if (fhir_size(&list) > 1) {
        fhir_find(reader->report, FHIR_MANY_CONTENTS, &list, NULL);
        return;
    }
    struct fhir_node content = fhir_element(&list, 0);
    fhir_only(reader->report, &content, content_elements);
    struct fhir_node attachment =
        fhir_take_object(reader, &content, "attachment");
    if (attachment.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &attachment, NULL);
        return;
    }
    fhir_attachment_read(reader, out, &attachment, attachments);
}

void fhir_document_read(const struct fhir_reader *reader,
                        struct fhir_document *out,
                        const struct fhir_node *resource,
                        const char *attachments)
{
    memset(out, 0, sizeof *out);
    fhir_only(reader->report, resource, known_elements);
    read_status(reader, out, resource);
    read_type(reader, out, resource);
    read_subject(reader, out, resource);
    read_authors(reader, out, resource);
    read_custodian(reader, out, resource);
    read_relations(reader, out, resource);
    fhir_document_labels(reader, out, resource);
    read_context(reader, out, resource);
    read_content(reader, out, resource, attachments);
}
