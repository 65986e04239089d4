/* SPDX-License-Identifier: Apache-2.0 */
/* An AuditEvent that crosses the border of the institution: a disclosure (IHE
 * BALP, Privacy Disclosure at the source), or an emergency. For fhir/ only. */
#ifndef FHIR_AUDIT_H
#define FHIR_AUDIT_H

#include "fhir/elements.h"
#include "ledger/limits.h"

#define FHIR_AUDIT_ITEMS_MAX 1024
#define FHIR_SYSTEM_DICOM "http://dicom.nema.org/resources/ontology/DCM"
/* Subtypes of decisions on access (IHE BALP). */
#define FHIR_SYSTEM_AUTHZ                                                      \
    "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"

enum fhir_audit_kind {
    FHIR_AUDIT_LOCAL = 0, /* Everything else: it is nobody else's business. */
    FHIR_AUDIT_DISCLOSURE,
    FHIR_AUDIT_EMERGENCY,
};

struct fhir_audit {
    enum fhir_audit_kind kind;
    struct fhir_reference subject;
    /* Of a disclosure. Without a name: the event has only words for him. */
    struct fhir_reference recipient;
    struct fhir_reference requestor; /* Who asked; or absent. */
    int64_t recorded_ms;
    struct fhir_period period;
    uint32_t purpose;
    uint32_t
        reason; /* Of an emergency, as an extension says; 0: it does not. */
    /* Names of what it stands on, as agent.policy says. */
    bool has_decision;
    bool has_emergency;
    uint8_t decision[LEDGER_ID_SIZE];
    uint8_t emergency[LEDGER_ID_SIZE];
    /* Or a law, and the commitment to the writing that shows it. */
    uint32_t basis; /* LEGAL_BASIS code; 0: it does not say one. */
    bool has_document;
    uint8_t document[PBFT_DIGEST_SIZE];
    /* Consents that it says it stands on; without a name: unreadable. */
    struct fhir_reference *consents;
    size_t consent_count;
    bool is_interface;            /* By a program that asked for it. */
    const char *request_id;       /* "AuditEvent?x-request-id=..."; or NULL. */
    struct fhir_reference *items; /* What was disclosed. */
    size_t item_count;
};

void fhir_audit_read(const struct fhir_reader *reader, struct fhir_audit *out,
                     const struct fhir_node *resource);

/* Coarse class of what a reference of that type points to. */
uint32_t fhir_class_of_type(const char *type);

#endif /* FHIR_AUDIT_H */
