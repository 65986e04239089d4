/* SPDX-License-Identifier: Apache-2.0 */
/* One export under way: what the writers of all resources share. For fhir/
 * only. */
#ifndef FHIR_EXPORTING_H
#define FHIR_EXPORTING_H

#include "fhir/export.h"
#include "fhir/item.h"
#include "fhir/names.h"
#include "salus/v1/ledger.pb-c.h"
#include "vault/purposes.h"

struct json_t;

struct fhir_exporter {
    struct fhir_export_options options;
    struct fhir_names names;
    struct vault_purposes purposes; /* Published ones. */
};

/* What cannot be said becomes a finding and writing goes on, to name it all; a
 * failure of the environment is kept in `status`. */
struct exporting {
    struct fhir_exporter *exporter;
    const struct fhir_export_source *source;
    const Salus__V1__TransactionBody *body;
    struct fhir_report *report;
    enum pbft_status status;
    bool redacted; /* This time. */
    bool withheld; /* Something was not said as the vault knows it. */
    bool denies;   /* The provision that is written does. */
    /* What was imported, judged; NULL: the vault does not have it. */
    struct fhir_item *original;
    struct json_t *resource;
};

/* Findings name fields of the transaction: "root.actors[0]". */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 3, 4)))
#endif
void export_find(struct exporting *exporting, enum fhir_finding_kind kind,
                 const char *format, ...);

/* Adds a member, unless the value is NULL; takes it over. */
void export_put(struct exporting *exporting, struct json_t *object,
                const char *key, struct json_t *value);
void export_put_text(struct exporting *exporting, struct json_t *object,
                     const char *key, const char *text);
/* A value in a list of one. */
struct json_t *export_list_of(struct json_t *value);
struct json_t *export_coding(const char *system, const char *code);
/* A CodeableConcept of one coding. */
struct json_t *export_concept(struct json_t *coding);
/* The coding of a ledger code; NULL with a finding at `path`. */
struct json_t *export_code(struct exporting *exporting, enum codes_table table,
                           uint32_t code, const char *path);
/* "2026-11-28T10:15:00.000Z"; NULL with a finding at `path`. */
struct json_t *export_time(struct exporting *exporting, uint64_t ms,
                           const char *path);
/* Period with an inclusive end; 0 is open; NULL if both are. */
struct json_t *export_period(struct exporting *exporting, uint64_t from_ms,
                             uint64_t to_ms, const char *path);
/* By the id on the ledger, whatever the vault knows. */
struct json_t *export_ledger_reference(struct exporting *exporting,
                                       enum fhir_ledger_kind kind,
                                       const uint8_t *id, const char *type);
/* By the name that the vault knows, else by the id on the ledger. `type` is
 * that of FHIR for the latter. */
struct json_t *export_reference(struct exporting *exporting,
                                enum fhir_ledger_kind kind, const uint8_t *id,
                                const char *type);
/* A reference as it was imported. */
struct json_t *export_name(const char *name);
/* From now on the id has this name, if it had none. */
void export_learn(struct exporting *exporting, enum fhir_ledger_kind kind,
                  const uint8_t *id, const char *name);

/* All that a consent names. */
void export_learn_consent(struct exporting *exporting,
                          const struct fhir_consent *consent);

/* resourceType, id, meta, extension with the transaction (and receipt). `name`
 * is that of the resource in the vault. */
void export_begin(struct exporting *exporting, const char *type,
                  enum fhir_ledger_kind kind, const uint8_t *id);
/* One more extension; takes over the value. */
void export_extend(struct exporting *exporting, const char *url,
                   const char *key, struct json_t *value);
/* meta.security says REDACTED if something was withheld. */
void export_end(struct exporting *exporting);

/* NULL: out of memory. */
struct json_t *export_base64(struct pbft_bytes bytes);
/* The label key of a patient; false: the vault does not know him. */
bool export_subject(struct exporting *exporting, struct vault_subject *out,
                    const ProtobufCBinaryData *handle);
/* Codings of labels. A label that is above another one of the list goes without
 * saying if `closes` (documents); tags that nobody knows are findings, or
 * padding if `pads`. */
struct export_labels {
    const ProtobufCBinaryData *tags;
    size_t count;
    const char *path;
    bool pads;
};
void export_labels(struct exporting *exporting, struct json_t *list,
                   const struct vault_subject *subject,
                   const struct export_labels *labels);

/* Parts of an AuditEvent. */
struct json_t *export_agent(const char *system, const char *type,
                            struct json_t *who, bool requestor);
struct json_t *export_patient(struct exporting *exporting,
                              const ProtobufCBinaryData *handle);
struct json_t *export_relied_on(struct json_t *what);
struct json_t *export_purpose(struct exporting *exporting, uint32_t purpose);

/* ---- the resources ------------------------------------------------------- */

void export_consent(struct exporting *exporting);
/* Into the object: the fields of a selector. */
void export_selector(struct exporting *exporting, struct json_t *object,
                     const Salus__V1__Selector *selector,
                     const struct vault_subject *subject, const char *path);
/* Is that reference to data only there for authors among several? */
bool export_is_coauthor(const Salus__V1__Selector *selector, size_t place);
void export_document(struct exporting *exporting);
void export_disclosure(struct exporting *exporting);
/* From source->decision, and the body of the custodian's. */
void export_decision(struct exporting *exporting);
void export_emergency(struct exporting *exporting);

/* Reads the resource as an import would, and compares. Findings say what is
 * different (export_check.c). */
void export_check(struct exporting *exporting);

#endif /* FHIR_EXPORTING_H */
