/* SPDX-License-Identifier: Apache-2.0 */
/* A DocumentReference with the bytes it is about. For fhir/ only. */
#ifndef FHIR_DOCUMENT_H
#define FHIR_DOCUMENT_H

#include "fhir/consent_words.h"
#include "fhir/elements.h"
#include "ledger/limits.h"

#define FHIR_AUTHORS_MAX (1 + LEDGER_RELATED_MAX)

/* In the vault by these numbers: never use one again. */
extern const struct fhir_words fhir_statuses;     /* 0: current. */
extern const struct fhir_words fhir_doc_statuses; /* 0: NULL. */

struct fhir_document {
    struct fhir_reference subject;   /* Or absent. */
    struct fhir_reference custodian; /* Or absent. */
    struct fhir_reference replaces;  /* Or absent. */
    struct fhir_reference authors[FHIR_AUTHORS_MAX];
    size_t author_count;
    struct fhir_reference related[LEDGER_RELATED_MAX];
    size_t related_count;
    uint32_t status;     /* Of fhir_statuses. */
    uint32_t doc_status; /* Of fhir_doc_statuses; 0: not said. */
    uint32_t class_code;
    uint32_t confidentiality;
    const char *labels[LEDGER_TAGS_MAX]; /* With all above them; each once. */
    size_t label_count;
    struct fhir_period period;
    uint8_t *content; /* From malloc; the item frees it. */
    size_t content_size;
};

/* `attachments`: the folder in which relative urls are looked up; or NULL. */
void fhir_document_read(const struct fhir_reader *reader,
                        struct fhir_document *out,
                        const struct fhir_node *resource,
                        const char *attachments);

/* The bytes of the attachment, checked against its size and hash
 * (attachment.c). */
void fhir_attachment_read(const struct fhir_reader *reader,
                          struct fhir_document *out,
                          const struct fhir_node *attachment,
                          const char *folder);

/* Confidentiality and sensitivities (document_labels.c); the subject is read.
 */
void fhir_document_labels(const struct fhir_reader *reader,
                          struct fhir_document *out,
                          const struct fhir_node *resource);

#endif /* FHIR_DOCUMENT_H */
