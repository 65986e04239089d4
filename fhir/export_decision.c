/* SPDX-License-Identifier: Apache-2.0 */
/* AuditEvent (IHE BALP, Authorization Decision) from a decision on access: that
 * which all replicas computed, or the custodian's. */
#include <string.h>

#include <jansson.h>

#include "crypto/hex.h"
#include "fhir/audit.h"
#include "fhir/decision.h"
#include "fhir/ledger_name.h"

#define HL7 "http://terminology.hl7.org/CodeSystem/"
#define SYSTEM_PARTICIPATION HL7 "v3-ParticipationType"
#define SYSTEM_ROLE_CLASS HL7 "v3-RoleClass"
#define SYSTEM_SECURITY_ROLE HL7 "extra-security-role-type"
#define US_PER_MS 1000

/* By DecisionRule: the word, and why. */
static const struct {
    const char *word;
    const char *text;
} rules[] = {
    [SALUS__V1__DECISION_RULE__RULE_INDETERMINATE] =
        {"indeterminate", "a consent on file cannot be computed"},
    [SALUS__V1__DECISION_RULE__RULE_DENIED] = {"denied", "a consent denies"},
    [SALUS__V1__DECISION_RULE__RULE_PERMITTED] = {"permitted",
                                                  "a consent permits"},
    [SALUS__V1__DECISION_RULE__RULE_NO_GRANT] = {"no-grant",
                                                 "no consent permits"},
    [SALUS__V1__DECISION_RULE__RULE_IMPLICIT] =
        {"implicit", "no consent stands: the policy decides"},
    [SALUS__V1__DECISION_RULE__RULE_LEGAL_BASIS] =
        {"legal-basis", "asked by law: the custodian decides"},
};

static const char *outcome_word(uint64_t granted, bool is_partial)
{
    return granted == 0 ? "deny" : is_partial ? "partial" : "permit";
}

/* ---- what FHIR has no element for ---------------------------------------- */

static void extend_code(struct exporting *exporting, const char *url,
                        enum codes_table table, uint32_t code, const char *path)
{
    const struct codes_entry *entry = codes_by_id(table, code);

    if (entry == NULL) {
        export_find(exporting, FHIR_EXPORT_CODE, "%s", path);
    } else {
        export_extend(exporting, url, "valueCode", json_string(entry->code));
    }
}

static json_t *truth(const char *url, uint64_t bits, size_t i)
{
    return json_pack("{s:s, s:b}", "url", url, "valueBoolean",
                     (int)(bits >> i & 1));
}

/* Which of the records that were asked for. */
static void extend_records(struct exporting *exporting,
                           const struct fhir_decision *decision)
{
    const Salus__V1__DecisionState *state = decision->state;
    json_t *list = json_object_get(exporting->resource, "extension");

    for (size_t i = 0; i < state->n_records; i++) {
        json_t *what =
            export_reference(exporting, FHIR_LEDGER_DATA,
                             state->records[i].data, "DocumentReference");
        json_t *parts =
            json_pack("[{s:s, s:o}, o]", "url", "what", "valueReference", what,
                      truth("permitted", decision->granted, i));
        if (decision->is_overtaken) {
            (void)json_array_append_new(
                parts, truth("computed", decision->computed, i));
        }
        (void)json_array_append_new(list, json_pack("{s:s, s:o}", "url",
                                                    "urn:salus:record",
                                                    "extension", parts));
    }
}

static void extend_proof(struct exporting *exporting)
{
    if (exporting->source->proof.size > 0) {
        export_extend(exporting, "urn:salus:proof", "valueBase64Binary",
                      export_base64(exporting->source->proof));
    }
}

static void write_extensions(struct exporting *exporting,
                             const struct fhir_decision *decision)
{
    const Salus__V1__DecisionState *state = decision->state;
    const Salus__V1__AccessDecision *own = decision->own;

    export_extend(
        exporting, "urn:salus:outcome", "valueCode",
        json_string(outcome_word(decision->granted, decision->is_partial)));
    if (own != NULL) {
        extend_code(exporting, FHIR_REASON_URL, CODES_REASON, own->reason,
                    "reason");
    } else {
        export_extend(exporting, "urn:salus:rule", "valueCode",
                      json_string(rules[state->rule].word));
    }
    if (decision->is_overtaken) {
        export_extend(exporting, "urn:salus:computed", "valueCode",
                      json_string(outcome_word(decision->computed,
                                               decision->computed_in_part)));
    }
    if (fhir_decision_is_not_last(decision, exporting->source->seq)) {
        export_extend(
            exporting, "urn:salus:decided", "valueString",
            json_sprintf("%llu", (unsigned long long)state->decided_seq));
    }
    extend_code(exporting, "urn:salus:basis", CODES_LEGAL_BASIS,
                fhir_decision_basis(decision), "basis");
    export_extend(
        exporting, "urn:salus:action", "valueCoding",
        export_code(exporting, CODES_ACTION, state->action, "action"));
    extend_records(exporting, decision);
    extend_proof(exporting);
}

/* ---- who ----------------------------------------------------------------- */

static json_t *institution(struct exporting *exporting,
                           const ProtobufCBinaryData *id)
{
    return export_reference(exporting, FHIR_LEDGER_INSTITUTION, id->data,
                            "Organization");
}

/* The custodian, or the replicas of the consortium together. */
static json_t *decider(struct exporting *exporting,
                       const struct fhir_decision *decision)
{
    char system[FHIR_LEDGER_SYSTEM_SIZE];

    if (decision->own != NULL || decision->is_overtaken) {
        return institution(exporting, &decision->state->custodian);
    }
    fhir_ledger_system(system, &exporting->exporter->options.chain);
    return json_pack("{s:s, s:{s:s, s:s}}", "type", "Device", "identifier",
                     "system", system, "value", "replicas");
}

static json_t *requester(struct exporting *exporting,
                         const Salus__V1__DecisionState *state)
{
    return state->participant.len == VAULT_ID_SIZE
               ? export_reference(exporting, FHIR_LEDGER_PARTICIPANT,
                                  state->participant.data, "Practitioner")
               : institution(exporting, &state->requester);
}

static void write_agents(struct exporting *exporting,
                         const struct fhir_decision *decision)
{
    const Salus__V1__DecisionState *state = decision->state;
    char uri[sizeof FHIR_DECISION_URI + 2 * VAULT_ID_SIZE] = FHIR_DECISION_URI;
    json_t *list = json_array();
    json_t *user = export_agent(SYSTEM_PARTICIPATION, "IRCP",
                                requester(exporting, state), true);

    hex_encode(uri + sizeof FHIR_DECISION_URI - 1,
               (struct pbft_bytes){state->request.data, VAULT_ID_SIZE});
    export_put(exporting, user, "policy", json_pack("[s]", uri));
    export_put(exporting, user, "purposeOfUse",
               export_purpose(exporting, state->purpose));
    (void)json_array_append_new(list, user);
    (void)json_array_append_new(
        list, export_agent(SYSTEM_ROLE_CLASS, "PROV",
                           institution(exporting, &state->requester), false));
    (void)json_array_append_new(
        list, export_agent(SYSTEM_SECURITY_ROLE, "authserver",
                           decider(exporting, decision), false));
    export_put(exporting, exporting->resource, "agent", list);
    export_put(exporting, exporting->resource, "source",
               json_pack("{s:o}", "observer", decider(exporting, decision)));
}

/* ---- what it was about --------------------------------------------------- */

static void add_consent(struct exporting *exporting, json_t *list,
                        const ProtobufCBinaryData *id)
{
    (void)json_array_append_new(
        list, export_relied_on(export_reference(exporting, FHIR_LEDGER_CONSENT,
                                                id->data, "Consent")));
}

static bool spoke(const Salus__V1__Voice *voice)
{
    return (voice->denied | voice->permitted | voice->narrowed) != 0;
}

/* Those that said something; if none did, that all were silent decided. */
static void add_voices(struct exporting *exporting, json_t *list,
                       const Salus__V1__DecisionState *state)
{
    size_t speaking = 0;

    for (size_t i = 0; i < state->n_voices; i++) {
        speaking += spoke(state->voices[i]) ? 1 : 0;
    }
    for (size_t i = 0; i < state->n_voices && !fhir_decision_is_by_law(state);
         i++) {
        if (speaking == 0 || spoke(state->voices[i])) {
            add_consent(exporting, list, &state->voices[i]->consent);
        }
    }
}

static void write_entities(struct exporting *exporting,
                           const struct fhir_decision *decision)
{
    const Salus__V1__AccessDecision *own = decision->own;
    json_t *list = json_array();

    (void)json_array_append_new(
        list, export_patient(exporting, &decision->state->subject));
    for (size_t i = 0; own != NULL && i < own->n_consents; i++) {
        add_consent(exporting, list, &own->consents[i]);
    }
    if (own == NULL) {
        add_voices(exporting, list, decision->state);
    }
    export_put(exporting, exporting->resource, "entity", list);
}

/* ---- the whole ----------------------------------------------------------- */

/* What is not of the form that the ledger writes is not read further. */
static bool is_sound(struct exporting *exporting,
                     const struct fhir_decision *decision)
{
    const Salus__V1__DecisionState *state = decision->state;

    if (state->request.len != VAULT_ID_SIZE ||
        state->requester.len != VAULT_ID_SIZE ||
        state->custodian.len != VAULT_ID_SIZE ||
        state->subject.len != VAULT_HANDLE_SIZE || state->n_records > 64 ||
        state->rule < SALUS__V1__DECISION_RULE__RULE_INDETERMINATE ||
        state->rule > SALUS__V1__DECISION_RULE__RULE_LEGAL_BASIS) {
        export_find(exporting, FHIR_EXPORT_FIELD, "request");
        return false;
    }
    /* It narrows, and no element of an AuditEvent would say to what. */
    if (decision->own != NULL && decision->own->residual != NULL) {
        export_find(exporting, FHIR_EXPORT_FIELD, "residual");
        return false;
    }
    return true;
}

static json_t *why(const struct fhir_decision *decision)
{
    const char *rule = rules[decision->state->rule].text;

    if (decision->own != NULL) {
        return json_string("the custodian decided");
    }
    if (!decision->is_overtaken) {
        return json_string(rule);
    }
    return json_sprintf("%s; then the custodian %s", rule,
                        decision->granted == 0 ? "denied it"
                        : decision->is_partial ? "permitted a part"
                                               : "permitted it");
}

void export_decision(struct exporting *exporting)
{
    const struct fhir_export_source *source = exporting->source;

    if (source->decision == NULL) {
        export_find(exporting, FHIR_EXPORT_FIELD, "request");
        return;
    }
    const struct fhir_decision decision = fhir_decision_read(exporting);
    const Salus__V1__DecisionState *state = decision.state;
    if (!is_sound(exporting, &decision)) {
        return;
    }
    /* A request may be decided several times. */
    export_begin(exporting, "AuditEvent", FHIR_LEDGER_EVENT,
                 decision.own != NULL ? source->tx_id.bytes
                                      : state->request.data);
    write_extensions(exporting, &decision);
    json_t *resource = exporting->resource;
    if (decision.is_overtaken) { /* Another version than what was computed. */
        export_put(
            exporting, json_object_get(resource, "meta"), "versionId",
            json_sprintf("%llu", (unsigned long long)state->decided_seq));
    }
    export_put(exporting, resource, "type",
               export_coding(FHIR_SYSTEM_DICOM, "110113"));
    export_put(
        exporting, resource, "subtype",
        export_list_of(export_coding(FHIR_SYSTEM_AUTHZ, "AuthZ-Consent")));
    export_put_text(exporting, resource, "action", "E");
    export_put(exporting, resource, "recorded",
               export_time(exporting,
                           (decision.own != NULL ? source->block_time_us
                                                 : fhir_decision_us(state)) /
                               US_PER_MS,
                           "asked_us"));
    export_put_text(exporting, resource, "outcome",
                    decision.granted != 0 ? "0" : "8");
    export_put(exporting, resource, "outcomeDesc", why(&decision));
    write_agents(exporting, &decision);
    write_entities(exporting, &decision);
    export_end(exporting);
}
