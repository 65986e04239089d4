/* SPDX-License-Identifier: Apache-2.0 */
/* What the planner of documents and that of their relations share; for fhir/
 * only. */
#ifndef FHIR_PLAN_DOCUMENT_H
#define FHIR_PLAN_DOCUMENT_H

#include "fhir/planner.h"
#include "ledger/forms.h"

#define PLAN_LOCATION_SIZE 48

/* What the transaction points into. */
struct anchor {
    struct vault_subject subject;
    struct vault_participant author; /* The first; others are related. */
    bool has_author;
    struct vault_record record;
    struct vault_record prior; /* What it continues. */
    bool has_prior;
    bool is_prior_known;        /* `replaces` names a document of the vault. */
    struct vault_record before; /* What its name meant. */
    bool has_before;
    uint8_t related[LEDGER_RELATED_MAX][VAULT_ID_SIZE];
    size_t related_count;
    uint8_t tags[LEDGER_TAGS_MAX][VAULT_TAG_SIZE];
    size_t tag_count;
    struct pbft_digest cipher_digest;
    uint64_t cipher_size;
    struct transaction_record_envelope envelope;
    char location[PLAN_LOCATION_SIZE];
};

/* Resolves all references; what cannot be is a finding (plan_relations.c). */
void plan_relations(struct planner *planner, struct anchor *anchor);

/* Of whom it is (plan_authors.c). */
void plan_authors(struct planner *planner, struct anchor *anchor);
/* Once; that there is no room is a finding at `path`. */
void plan_relate_to(struct planner *planner, struct anchor *anchor,
                    const uint8_t id[VAULT_ID_SIZE], const char *path);

/* The patient was corrected: it is a new document, and the one before was never
 * that patient's. */
bool plan_is_of_another(const struct anchor *anchor);

/* An unknown record is a finding if a path is given. */
bool plan_find_record(struct planner *planner, struct vault_record *out,
                      const char *name, const char *path);

#endif /* FHIR_PLAN_DOCUMENT_H */
