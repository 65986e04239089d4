/* SPDX-License-Identifier: Apache-2.0 */
/* AuditEvent: which of them the other institutions have to know, and what of
 * them. Network addresses, names and descriptions are not looked at. */
#include "fhir/audit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "fhir/audit_parts.h"
#include "fhir/ledger_name.h"

#define SYSTEM_LIFECYCLE                                                       \
    "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
#define SYSTEM_INTERACTION "http://hl7.org/fhir/restful-interaction"

static const char *const known_elements[] = {"resourceType",
                                             "id",
                                             "meta",
                                             "implicitRules",
                                             "language",
                                             "text",
                                             "contained",
                                             "extension",
                                             "modifierExtension",
                                             "type",
                                             "subtype",
                                             "action",
                                             "period",
                                             "recorded",
                                             "outcome",
                                             "outcomeDesc",
                                             "purposeOfEvent",
                                             "agent",
                                             "source",
                                             "entity",
                                             NULL};

/* ---- what kind of event -------------------------------------------------- */

static bool coding_is(const struct fhir_node *node, const char *system,
                      const char *code)
{
    struct fhir_node system_node = fhir_field(node, "system");
    struct fhir_node code_node = fhir_field(node, "code");
    const char *said_system = fhir_string(&system_node);
    const char *said_code = fhir_string(&code_node);

    return said_code != NULL && strcmp(said_code, code) == 0 &&
           (system == NULL
                ? said_system == NULL
                : said_system != NULL && strcmp(said_system, system) == 0);
}

static bool has_subtype(const struct fhir_node *resource, const char *system,
                        const char *code)
{
    struct fhir_node list = fhir_field(resource, "subtype");

    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node node = fhir_element(&list, i);
        if (code == NULL) {
            struct fhir_node said = fhir_field(&node, "system");
            if (fhir_string(&said) != NULL &&
                strcmp(fhir_string(&said), system) == 0) {
                return true;
            }
        } else if (coding_is(&node, system, code)) {
            return true;
        }
    }
    return false;
}

/* A disclosure by a word that means it in another code system, or by the type:
 * it must not be taken for an internal event. */
static bool hints_at_disclosure(const struct fhir_node *resource)
{
    struct fhir_node list = fhir_field(resource, "subtype");
    struct fhir_node type = fhir_field(resource, "type");

    for (size_t i = 0; i <= fhir_size(&list); i++) {
        struct fhir_node node =
            i < fhir_size(&list) ? fhir_element(&list, i) : type;
        struct fhir_node code = fhir_field(&node, "code");
        const char *text = fhir_string(&code);
        if (text != NULL && (strcasecmp(text, "disclose") == 0 ||
                             strcasecmp(text, "disclosure") == 0)) {
            return true;
        }
    }
    return false;
}

/* The example of R4 has the bare word, without a system. */
static bool tells_disclosure(const struct fhir_node *resource)
{
    return has_subtype(resource, SYSTEM_LIFECYCLE, "disclose") ||
           has_subtype(resource, NULL, "Disclosure");
}

static bool type_is(const struct fhir_node *resource, const char *code)
{
    struct fhir_node type = fhir_field(resource, "type");

    return coding_is(&type, FHIR_SYSTEM_DICOM, code);
}

/* Nothing went out, no glass was broken. */
static bool has_failed(const struct fhir_node *resource)
{
    struct fhir_node outcome = fhir_field(resource, "outcome");

    return fhir_string(&outcome) != NULL &&
           strcmp(fhir_string(&outcome), "0") != 0;
}

static enum fhir_audit_kind stays(const struct fhir_reader *reader,
                                  const struct fhir_node *resource,
                                  enum fhir_finding_kind why, const char *key)
{
    struct fhir_node node = fhir_field(resource, key);

    fhir_find(reader->report, why, &node, NULL);
    return FHIR_AUDIT_LOCAL;
}

/* A decision on access is neither an emergency nor a disclosure. One of the
 * ledger is there already; that of another system, for an emergency, may be all
 * that is told of one: it is not believed, and not passed over. */
static enum fhir_audit_kind decision(const struct fhir_reader *reader,
                                     const struct fhir_node *resource)
{
    bool is_unclear = audit_is_emergency(resource) && !has_failed(resource) &&
                      !audit_names_request(resource);

    return stays(reader, resource,
                 is_unclear ? FHIR_DECISION_EMERGENCY : FHIR_DECISION,
                 "subtype");
}

static enum fhir_audit_kind kind_of(const struct fhir_reader *reader,
                                    const struct fhir_node *resource)
{
    bool disclosed = tells_disclosure(resource);
    bool is_export = type_is(resource, "110106") && disclosed;
    bool is_odd = !is_export && hints_at_disclosure(resource);
    bool is_emergency = !disclosed && audit_is_emergency(resource);

    if (type_is(resource, "110107") && disclosed) {
        return stays(reader, resource, FHIR_RECEIPT, "type");
    }
    if (!disclosed && !is_odd &&
        has_subtype(resource, FHIR_SYSTEM_AUTHZ, NULL)) {
        return decision(reader, resource);
    }
    if (!is_export && !is_odd && !is_emergency) {
        return stays(reader, resource, FHIR_INTERNAL, "type");
    }
    if (has_failed(resource)) {
        return stays(reader, resource, FHIR_FAILED_EVENT, "outcome");
    }
    if (is_odd) {
        return stays(reader, resource, FHIR_DISCLOSURE_TYPE, "type");
    }
    return is_export ? FHIR_AUDIT_DISCLOSURE : FHIR_AUDIT_EMERGENCY;
}

/* ---- form ---------------------------------------------------------------- */

/* Both words of a coding are texts, and it is no concept. */
static void check_coding(const struct fhir_reader *reader,
                         const struct fhir_node *node)
{
    static const char *const known[] = {"id",           "extension", "system",
                                        "code",         "version",   "display",
                                        "userSelected", NULL};

    fhir_only(reader->report, node, known);
    (void)fhir_take_string(reader, node, "system");
    (void)fhir_take_string(reader, node, "code");
}

static void check_concepts(const struct fhir_reader *reader,
                           const struct fhir_node *object, const char *key)
{
    struct fhir_node list = fhir_take_list(reader, object, key);

    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node concept = fhir_element(&list, i);
        struct fhir_node codings = fhir_take_list(reader, &concept, "coding");
        for (size_t k = 0; k < fhir_size(&codings); k++) {
            struct fhir_node coding = fhir_element(&codings, k);
            check_coding(reader, &coding);
        }
    }
}

static void check_agents(const struct fhir_reader *reader,
                         const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "agent");

    for (size_t i = 0; i < fhir_size(&list); i++) {
        struct fhir_node agent = fhir_element(&list, i);
        struct fhir_node requestor = fhir_field(&agent, "requestor");
        check_concepts(reader, &agent, "purposeOfUse");
        if (requestor.json != NULL && !fhir_is_true(&requestor) &&
            !fhir_is_false(&requestor)) {
            fhir_find(reader->report, FHIR_WRONG_TYPE, &requestor, NULL);
        }
    }
}

static void check_outcome(const struct fhir_reader *reader,
                          const struct fhir_node *resource)
{
    const char *outcome = fhir_take_string(reader, resource, "outcome");
    struct fhir_node node = fhir_field(resource, "outcome");

    if (outcome != NULL && strcmp(outcome, "0") != 0 &&
        strcmp(outcome, "4") != 0 && strcmp(outcome, "8") != 0 &&
        strcmp(outcome, "12") != 0) {
        fhir_find(reader->report, FHIR_BAD_CODE, &node, NULL);
    }
}

/* What tells whether an event stays here must be readable: a disclosure that
 * is taken for an internal event is never told. */
static bool has_form(const struct fhir_reader *reader,
                     const struct fhir_node *resource)
{
    size_t before = reader->report->count + reader->report->lost;
    struct fhir_node type = fhir_take_object(reader, resource, "type");
    struct fhir_node absent = fhir_field(resource, "type");
    struct fhir_node subtypes = fhir_take_list(reader, resource, "subtype");

    if (absent.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &absent, NULL);
    }
    check_coding(reader, &type);
    for (size_t i = 0; i < fhir_size(&subtypes); i++) {
        struct fhir_node subtype = fhir_element(&subtypes, i);
        check_coding(reader, &subtype);
    }
    check_concepts(reader, resource, "purposeOfEvent");
    check_agents(reader, resource);
    check_outcome(reader, resource);
    return reader->report->count + reader->report->lost == before;
}

/* ---- when ---------------------------------------------------------------- */

static void read_recorded(const struct fhir_reader *reader,
                          struct fhir_audit *out,
                          const struct fhir_node *resource)
{
    struct fhir_node node = fhir_field(resource, "recorded");
    struct fhir_interval when;

    if (node.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &node, NULL);
        return;
    }
    if (!fhir_take_date(reader, &when, resource, "recorded")) {
        return;
    }
    /* An instant, not a day. */
    if (when.to - when.from > 1000 || when.from <= 0) {
        fhir_find(reader->report, FHIR_BAD_DATE, &node, NULL);
        return;
    }
    out->recorded_ms = when.from;
}

/* ---- classes ------------------------------------------------------------- */

uint32_t fhir_class_of_type(const char *type)
{
    static const struct {
        const char *type;
        const char *class_name;
    } classes[] = {{"DocumentReference", "document"},
                   {"Composition", "document"},
                   {"ClinicalImpression", "note"},
                   {"ImagingStudy", "imaging"},
                   {"Observation", "laboratory"},
                   {"DiagnosticReport", "laboratory"},
                   {"Specimen", "laboratory"},
                   {"MedicationRequest", "medication"},
                   {"MedicationStatement", "medication"},
                   {"MedicationAdministration", "medication"},
                   {"Immunization", "medication"},
                   {"Procedure", "procedure"},
                   {"MolecularSequence", "genomic"},
                   {"Device", "device"},
                   {"DeviceUseStatement", "device"},
                   {"Patient", "administrative"},
                   {"Encounter", "administrative"},
                   {"Coverage", "administrative"},
                   {"Consent", "consent-form"},
                   {"ResearchSubject", "research"}};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (strcmp(type, classes[i].type) == 0) {
            const struct codes_entry *entry = codes_find(
                CODES_CLASS, "urn:salus:class", classes[i].class_name);
            return entry != NULL ? entry->id : CODES_CLASS_OTHER;
        }
    }
    return CODES_CLASS_OTHER;
}

/* ---- the whole ----------------------------------------------------------- */

static void read_disclosure(const struct fhir_reader *reader,
                            struct fhir_audit *out,
                            const struct fhir_node *resource)
{
    out->is_interface = has_subtype(resource, SYSTEM_INTERACTION, NULL);
    if (out->item_count == 0) {
        struct fhir_node entity = fhir_field(resource, "entity");
        fhir_find(reader->report, FHIR_NO_ITEMS, &entity, NULL);
    }
}

static void read_emergency(const struct fhir_reader *reader,
                           struct fhir_audit *out,
                           const struct fhir_node *resource)
{
    struct fhir_node said = fhir_extension(resource, FHIR_REASON_URL);
    const char *code = fhir_take_string(reader, &said, "valueCode");

    if (out->requestor.name == NULL && out->requestor.path == NULL) {
        struct fhir_node agent = fhir_field(resource, "agent");
        fhir_find(reader->report, FHIR_NO_DECLARER, &agent, NULL);
    }
    if (said.json == NULL) {
        return;
    }
    const struct codes_entry *entry =
        code == NULL ? NULL
                     : codes_find(CODES_REASON, "urn:salus:reason", code);
    if (entry == NULL || (entry->flags & CODES_FOR_EMERGENCY) == 0) {
        fhir_find(reader->report, FHIR_BAD_CODE, &said, NULL);
        return;
    }
    out->reason = entry->id;
}

void fhir_audit_read(const struct fhir_reader *reader, struct fhir_audit *out,
                     const struct fhir_node *resource)
{
    memset(out, 0, sizeof *out);
    fhir_only(reader->report, resource, known_elements);
    if (!has_form(reader, resource)) {
        return;
    }
    out->kind = kind_of(reader, resource);
    if (out->kind == FHIR_AUDIT_LOCAL) {
        return;
    }
    read_recorded(reader, out, resource);
    (void)fhir_take_period(reader, &out->period, resource, "period");
    audit_read_agents(reader, out, resource);
    audit_read_entities(reader, out, resource);
    audit_read_purpose(reader, out, resource);
    if (out->kind == FHIR_AUDIT_DISCLOSURE) {
        read_disclosure(reader, out, resource);
    } else {
        read_emergency(reader, out, resource);
    }
}
