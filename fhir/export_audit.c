/* SPDX-License-Identifier: Apache-2.0 */
/* AuditEvents from DISCLOSURE (IHE BALP, Privacy Disclosure at the source) and
 * BREAK_GLASS. What was disclosed stands on the ledger as the root of a tree:
 * the vault's event says what it was, or there is no AuditEvent. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "crypto/hex.h"
#include "fhir/audit.h"
#include "fhir/exporting.h"
#include "fhir/ledger_name.h"
#include "fhir/plan.h"

#define SYSTEM_LIFECYCLE                                                       \
    "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
#define SYSTEM_INTERACTION "http://hl7.org/fhir/restful-interaction"
#define SYSTEM_ENTITY "http://terminology.hl7.org/CodeSystem/audit-entity-type"
#define SYSTEM_ROLE "http://terminology.hl7.org/CodeSystem/object-role"
#define SYSTEM_BALP                                                            \
    "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"

static json_t *write_entity(json_t *what, const char *system, const char *type,
                            const char *role)
{
    return json_pack("{s:o, s:o, s:o}", "what", what, "type",
                     export_coding(system, type), "role",
                     export_coding(SYSTEM_ROLE, role));
}

json_t *export_agent(const char *system, const char *type, json_t *who,
                     bool requestor)
{
    return json_pack("{s:o, s:o, s:b}", "type",
                     export_concept(export_coding(system, type)), "who", who,
                     "requestor", requestor ? 1 : 0);
}

json_t *export_purpose(struct exporting *exporting, uint32_t purpose)
{
    return export_list_of(export_concept(
        export_code(exporting, CODES_PURPOSE, purpose, "purpose")));
}

static json_t *own_institution(struct exporting *exporting)
{
    return export_reference(exporting, FHIR_LEDGER_INSTITUTION,
                            exporting->body->institution.data, "Organization");
}

json_t *export_patient(struct exporting *exporting,
                       const ProtobufCBinaryData *handle)
{
    return write_entity(export_reference(exporting, FHIR_LEDGER_SUBJECT,
                                         handle->data, "Patient"),
                        SYSTEM_ENTITY, "1", "1");
}

/* A consent that something stands on. */
json_t *export_relied_on(json_t *what)
{
    return json_pack(
        "{s:o, s:o}", "what", what, "type",
        export_coding("http://hl7.org/fhir/resource-types", "Consent"));
}

/* What AuditEvents of both kinds end with. */
static void write_source(struct exporting *exporting)
{
    export_put(exporting, exporting->resource, "source",
               json_pack("{s:o}", "observer", own_institution(exporting)));
}

static void write_recorded(struct exporting *exporting)
{
    export_put(exporting, exporting->resource, "recorded",
               export_time(exporting, exporting->body->event_time_ms,
                           "event_time_ms"));
    export_put_text(exporting, exporting->resource, "outcome", "0");
}

/* ---- disclosures --------------------------------------------------------- */

static const char *id_text(char out[64], const char *prefix,
                           const ProtobufCBinaryData *id)
{
    size_t size = strlen(prefix);

    memcpy(out, prefix, size);
    hex_encode(out + size, (struct pbft_bytes){id->data, VAULT_ID_SIZE});
    return out;
}

/* A law, and the commitment to the writing that shows it. */
static json_t *write_law(struct exporting *exporting,
                         const Salus__V1__Disclosure *disclosure)
{
    const struct codes_entry *law =
        codes_by_id(CODES_LEGAL_BASIS, disclosure->basis);
    const ProtobufCBinaryData *commit = &disclosure->document_commit;
    char basis[64];
    char document[sizeof FHIR_DOCUMENT_URI + 2 * PBFT_DIGEST_SIZE] =
        FHIR_DOCUMENT_URI;

    if (law == NULL || fhir_law_of_code(law->code) == 0) {
        export_find(exporting, FHIR_EXPORT_FIELD, "basis");
        return NULL;
    }
    if (commit->len != PBFT_DIGEST_SIZE) {
        export_find(exporting, FHIR_EXPORT_FIELD, "document_commit");
        return NULL;
    }
    (void)snprintf(basis, sizeof basis, "%s%s", FHIR_BASIS_URI, law->code);
    hex_encode(document + sizeof FHIR_DOCUMENT_URI - 1,
               (struct pbft_bytes){commit->data, commit->len});
    return json_pack("[s, s]", basis, document);
}

/* The source names what it stands on; patients and consents stand elsewhere. */
static json_t *write_basis(struct exporting *exporting,
                           const Salus__V1__Disclosure *disclosure)
{
    char text[64];

    if (disclosure->decision.len == VAULT_ID_SIZE) {
        return json_pack(
            "[s]", id_text(text, FHIR_DECISION_URI, &disclosure->decision));
    }
    if (disclosure->break_glass.len == VAULT_ID_SIZE) {
        return json_pack(
            "[s]", id_text(text, FHIR_EMERGENCY_URI, &disclosure->break_glass));
    }
    return disclosure->basis == 0 ||
                   disclosure->basis == (uint32_t)CODES_BASIS_INDIVIDUAL ||
                   disclosure->basis == (uint32_t)CODES_BASIS_CONSENT
               ? NULL
               : write_law(exporting, disclosure);
}

static json_t *write_recipient(struct exporting *exporting,
                               const Salus__V1__Disclosure *disclosure)
{
    if (disclosure->recipient_participant.len == VAULT_ID_SIZE) {
        return export_reference(exporting, FHIR_LEDGER_PARTICIPANT,
                                disclosure->recipient_participant.data,
                                "Practitioner");
    }
    return export_reference(exporting, FHIR_LEDGER_INSTITUTION,
                            disclosure->recipient.data, "Organization");
}

static void write_agents(struct exporting *exporting,
                         const Salus__V1__Disclosure *disclosure)
{
    json_t *list = json_array();
    json_t *source = export_agent(FHIR_SYSTEM_DICOM, "110153",
                                  own_institution(exporting), false);

    export_put(exporting, source, "policy", write_basis(exporting, disclosure));
    (void)json_array_append_new(list, source);
    (void)json_array_append_new(
        list, export_agent(FHIR_SYSTEM_DICOM, "110152",
                           write_recipient(exporting, disclosure), false));
    if (disclosure->basis == (uint32_t)CODES_BASIS_INDIVIDUAL) {
        json_t *who = export_reference(exporting, FHIR_LEDGER_SUBJECT,
                                       disclosure->subject.data, "Patient");
        (void)json_array_append_new(
            list, json_pack("{s:o, s:b}", "who", who, "requestor", 1));
    }
    export_put(exporting, exporting->resource, "agent", list);
}

/* The patient, then what was disclosed. */
static void write_entities(struct exporting *exporting,
                           const Salus__V1__Disclosure *disclosure)
{
    const struct fhir_audit *audit = &exporting->original->audit;
    static const char prefix[] = "AuditEvent?x-request-id=";
    json_t *list = json_array();

    (void)json_array_append_new(
        list, export_patient(exporting, &disclosure->subject));
    for (size_t i = 0; i < audit->item_count; i++) {
        (void)json_array_append_new(
            list, write_entity(export_name(audit->items[i].name), SYSTEM_ENTITY,
                               "2", "4"));
    }
    for (size_t i = 0;
         disclosure->basis == (uint32_t)CODES_BASIS_CONSENT &&
         i < audit->consent_count && audit->consents[i].name != NULL;
         i++) {
        (void)json_array_append_new(
            list, export_relied_on(export_name(audit->consents[i].name)));
    }
    if (audit->request_id != NULL) {
        (void)json_array_append_new(
            list, json_pack("{s:{s:{s:s}}, s:o}", "what", "identifier", "value",
                            audit->request_id + sizeof prefix - 1, "type",
                            export_coding(SYSTEM_BALP, "XrequestId")));
    }
    export_put(exporting, exporting->resource, "entity", list);
}

void export_disclosure(struct exporting *exporting)
{
    const Salus__V1__Disclosure *disclosure = exporting->body->disclosure;
    json_t *subtype =
        json_pack("[o]", export_coding(SYSTEM_LIFECYCLE, "disclose"));

    if (exporting->redacted || exporting->original == NULL) {
        /* What was disclosed is named in the vault's words only. */
        export_find(exporting,
                    exporting->redacted ? FHIR_EXPORT_WITHHELD
                                        : FHIR_EXPORT_VAULT,
                    "manifest_root");
        json_decref(subtype);
        return;
    }
    export_begin(exporting, "AuditEvent", FHIR_LEDGER_EVENT,
                 disclosure->disclosure.data);
    export_put(exporting, exporting->resource, "type",
               export_coding(FHIR_SYSTEM_DICOM, "110106"));
    if (disclosure->mode == SALUS__V1__DISCLOSURE__MODE__API) {
        (void)json_array_append_new(subtype,
                                    export_coding(SYSTEM_INTERACTION, "read"));
    }
    export_put(exporting, exporting->resource, "subtype", subtype);
    export_put_text(exporting, exporting->resource, "action", "R");
    write_recorded(exporting);
    export_put(exporting, exporting->resource, "purposeOfEvent",
               export_purpose(exporting, disclosure->purpose));
    write_agents(exporting, disclosure);
    write_source(exporting);
    write_entities(exporting, disclosure);
    export_end(exporting);
}

/* ---- emergencies --------------------------------------------------------- */

void export_emergency(struct exporting *exporting)
{
    const Salus__V1__BreakGlass *glass = exporting->body->break_glass;
    const struct codes_entry *reason = codes_by_id(CODES_REASON, glass->reason);
    uint64_t from_ms = exporting->body->event_time_ms;

    if (exporting->body->participant.len != VAULT_ID_SIZE) {
        export_find(exporting, FHIR_EXPORT_FIELD, "participant");
        return;
    }
    export_begin(exporting, "AuditEvent", FHIR_LEDGER_EVENT,
                 glass->break_glass.data);
    export_extend(exporting, FHIR_REASON_URL, "valueCode",
                  json_string(reason != NULL ? reason->code : ""));
    export_put(exporting, exporting->resource, "type",
               export_coding(FHIR_SYSTEM_DICOM, "110113"));
    export_put_text(exporting, exporting->resource, "action", "E");
    export_put(exporting, exporting->resource, "period",
               export_period(exporting, from_ms, from_ms + glass->window_ms,
                             "window_ms"));
    write_recorded(exporting);
    export_put(exporting, exporting->resource, "purposeOfEvent",
               export_purpose(exporting, glass->purpose));
    export_put(
        exporting, exporting->resource, "agent",
        export_list_of(export_agent(
            FHIR_SYSTEM_DICOM, "110150",
            export_reference(exporting, FHIR_LEDGER_PARTICIPANT,
                             exporting->body->participant.data, "Practitioner"),
            true)));
    write_source(exporting);
    export_put(exporting, exporting->resource, "entity",
               export_list_of(export_patient(exporting, &glass->subject)));
    export_end(exporting);
}
