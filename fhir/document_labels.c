/* SPDX-License-Identifier: Apache-2.0 */
/* The labels of a document that rules on it need. */
#include <string.h>

#include "fhir/document.h"
#include "fhir/labels.h"
#include "fhir/ledger_name.h"

static void add_label(const struct fhir_reader *reader,
                      struct fhir_document *out, const char *code,
                      const struct fhir_node *node)
{
    for (size_t i = 0; i < out->label_count; i++) {
        if (strcmp(out->labels[i], code) == 0) {
            return;
        }
    }
    if (out->label_count == LEDGER_TAGS_MAX) {
        fhir_find(reader->report, FHIR_MANY, node, NULL);
        return;
    }
    out->labels[out->label_count++] = code;
}

/* False if it is neither a confidentiality nor a sensitivity. */
static bool take_label(const struct fhir_reader *reader,
                       struct fhir_document *out,
                       const struct fhir_coding *coding,
                       const struct fhir_node *node)
{
    const char *codes[FHIR_LABEL_ANCESTORS_MAX];
    const struct codes_entry *entry =
        codes_find(CODES_CONF, coding->system, coding->code);

    if (entry != NULL) {
        if (entry->id > out->confidentiality) {
            out->confidentiality = entry->id;
        }
        return true;
    }
    if (strcmp(coding->system, FHIR_SYSTEM_ACT_CODE) != 0) {
        return false;
    }
    size_t count = fhir_label_ancestors(codes, coding->code);
    for (size_t i = 0; i < count; i++) {
        add_label(reader, out, codes[i], node);
    }
    return count > 0;
}

/* Of a confidentiality or sensitivity: a code that the tables do not know, a
 * name that the code system had before R4, or none. */
static bool is_unreadable(const struct fhir_coding *coding)
{
    static const char *const systems[] = {
        FHIR_SYSTEM_CONFIDENTIALITY,
        "http://hl7.org/fhir/v3/Confidentiality",
        "urn:oid:2.16.840.1.113883.5.25",
        FHIR_SYSTEM_ACT_CODE,
        "http://hl7.org/fhir/v3/ActCode",
        "urn:oid:2.16.840.1.113883.5.4",
        FHIR_TAG_SYSTEM};

    if (coding->system[0] == 0) { /* "R" or "HIV", but of what? */
        return strlen(coding->code) == 1 || fhir_label_is_known(coding->code);
    }
    for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++) {
        if (strcmp(coding->system, systems[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A label that is lost is a deny that does not match: unknown ones refuse. */
static void read_labels(const struct fhir_reader *reader,
                        struct fhir_document *out,
                        const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "securityLabel");

    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node concept = fhir_element(&list, i);
        struct fhir_node codings = fhir_take_list(reader, &concept, "coding");
        bool is_known = false;
        for (size_t k = 0; k < fhir_size(&codings); k++) {
            struct fhir_node node = fhir_element(&codings, k);
            struct fhir_coding coding;
            if (!fhir_take_coding(reader, &coding, &node)) {
                continue;
            }
            if (take_label(reader, out, &coding, &node)) {
                is_known = true;
            } else if (is_unreadable(&coding)) {
                fhir_find(reader->report, FHIR_LABEL, &node, coding.code);
            }
        }
        if (!is_known) {
            fhir_find(reader->report, FHIR_LABEL, &concept, NULL);
        }
    }
}

/* Labels of the resource itself count too; they may hold other tags. But one
 * that is overlooked would make restricted data normal. */
static void read_meta(const struct fhir_reader *reader,
                      struct fhir_document *out,
                      const struct fhir_node *resource)
{
    struct fhir_node meta = fhir_take_object(reader, resource, "meta");
    struct fhir_node list = fhir_take_list(reader, &meta, "security");

    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        struct fhir_coding coding;
        if (fhir_take_coding(reader, &coding, &node) &&
            !take_label(reader, out, &coding, &node) &&
            is_unreadable(&coding)) {
            fhir_find(reader->report, FHIR_LABEL, &node, coding.code);
        }
    }
}

void fhir_document_labels(const struct fhir_reader *reader,
                          struct fhir_document *out,
                          const struct fhir_node *resource)
{
    read_labels(reader, out, resource);
    read_meta(reader, out, resource);
    if (out->confidentiality == 0) {
        out->confidentiality = CODES_CONF_N;
    }
    if (out->label_count > 0 && out->subject.name == NULL) {
        /* Labels are blinded with the subject's key. */
        struct fhir_node subject = fhir_field(resource, "subject");
        fhir_find(reader->report, FHIR_MISSING, &subject, NULL);
    }
}
