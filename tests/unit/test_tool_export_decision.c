/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions on access as AuditEvents: those that the replicas computed, and the
 * custodian's; and what such an event is when it comes back, or from elsewhere.
 */
#include "ledger/codes.h"
#include "tests/support/export_fixture.h"
#include "tests/support/support.h"

#define PATH_SIZE 1024
#define HL7 "http://terminology.hl7.org/CodeSystem/"
#define DCM "http://dicom.nema.org/resources/ontology/DCM"
#define AUTHZ "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType"
#define RECORDS 3

static const uint8_t consent_id[2][VAULT_ID_SIZE] = {{0xc1, 1}, {0xc2, 2}};

/* An answer about a request. */
struct asked {
    Salus__V1__DecisionState state;
    Salus__V1__Voice voices[2];
    Salus__V1__Voice *voice_list[2];
    Salus__V1__DecisionState__Held held; /* By the custodian. */
    Salus__V1__DecisionState__Held *held_list[1];
    uint8_t request[VAULT_ID_SIZE];
    uint8_t other[VAULT_ID_SIZE];
    uint8_t records[RECORDS][VAULT_ID_SIZE];
    ProtobufCBinaryData record_list[RECORDS];
    struct vault_subject subject;
    struct vault_participant doctor;
};

static ProtobufCBinaryData field(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)data};
}

static void ask(struct asked *out, struct export_world *world)
{
    Salus__V1__DecisionState *state = &out->state;
    const struct pbft_institution *own = &world->plan.envelope.institution;

    memset(out, 0, sizeof *out);
    export_import_text(world, "{\"resourceType\":\"Patient\",\"id\":\"p-1\"}");
    export_import_text(world,
                       "{\"resourceType\":\"Practitioner\",\"id\":\"dr-1\"}");
    assert_int_equal(
        vault_find_subject(world->vault, &out->subject, "Patient/p-1"),
        PBFT_OK);
    assert_int_equal(
        vault_find_participant(world->vault, &out->doctor, "Practitioner/dr-1"),
        PBFT_OK);
    memset(out->request, 0xd1, sizeof out->request);
    memset(out->other, 0xe1, sizeof out->other);
    salus__v1__decision_state__init(state);
    state->request = field(out->request, sizeof out->request);
    state->requester = field(out->other, sizeof out->other);
    state->participant = field(out->doctor.id, VAULT_ID_SIZE);
    state->subject = field(out->subject.handle, VAULT_HANDLE_SIZE);
    state->custodian = field(own->bytes, sizeof own->bytes);
    state->purpose = CODES_PURPOSE_TREAT;
    state->action = CODES_ACTION_ACCESS;
    state->basis = CODES_BASIS_CONSENT;
    state->computed = 1;
    state->granted = 1;
    state->rule = SALUS__V1__DECISION_RULE__RULE_PERMITTED;
    state->asked_seq = 4711;
    state->asked_us = UINT64_C(1764324900250000);
    for (size_t i = 0; i < 2; i++) {
        salus__v1__voice__init(&out->voices[i]);
        out->voices[i].consent = field(consent_id[i], VAULT_ID_SIZE);
        out->voice_list[i] = &out->voices[i];
    }
    out->voices[1].permitted = 1;
    state->voices = out->voice_list;
    state->n_voices = 2;
}

static void ask_for_records(struct asked *out)
{
    for (size_t i = 0; i < RECORDS; i++) {
        memset(out->records[i], 0x90 + (int)i, VAULT_ID_SIZE);
        out->record_list[i] = field(out->records[i], VAULT_ID_SIZE);
    }
    out->state.records = out->record_list;
    out->state.n_records = RECORDS;
}

static json_t *export_with(struct export_world *world, bool redacted,
                           const struct fhir_export_source *source,
                           struct fhir_report *report)
{
    struct fhir_exporter *exporter = export_open(world, redacted);
    char *text = NULL;

    assert_int_equal(fhir_export(exporter, &text, report, source), PBFT_OK);
    json_t *json = text == NULL ? NULL : json_loads(text, 0, NULL);
    if (text == NULL && getenv("SALUS_TEST_SHOW") != NULL) {
        char reasons[1024];
        fhir_report_reasons(report, reasons, sizeof reasons);
        print_message("%s: %s\n", fhir_report_path(report), reasons);
    }
    free(text);
    fhir_exporter_destroy(exporter);
    return json;
}

static json_t *export_computed(struct export_world *world,
                               const struct asked *asked)
{
    struct fhir_report report;
    struct fhir_export_source source = {.decision = &asked->state,
                                        .seq = asked->state.asked_seq};
    json_t *json = export_with(world, false, &source, &report);

    assert_non_null(json);
    return json;
}

static const char *text_at(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text != NULL ? text : "";
}

/* What an extension says; NULL: there is none. */
static const json_t *extension(const json_t *json, const char *url,
                               const char *key)
{
    size_t index = 0;
    const json_t *one = NULL;

    json_array_foreach(json_object_get(json, "extension"), index, one)
    {
        if (strcmp(text_at(one, "url"), url) == 0) {
            return json_object_get(one, key);
        }
    }
    return NULL;
}

static const char *word(const json_t *json, const char *url)
{
    const char *text = json_string_value(extension(json, url, "valueCode"));

    return text != NULL ? text : "";
}

/* ---- the profile --------------------------------------------------------- */

static const json_t *coding_of(const json_t *concept)
{
    return json_array_get(json_object_get(concept, "coding"), 0);
}

/* The agent of the same type; NULL: none. */
static const json_t *agent_like(const json_t *event, const json_t *wanted)
{
    size_t index = 0;
    const json_t *agent = NULL;
    const json_t *coding = coding_of(json_object_get(wanted, "type"));

    json_array_foreach(json_object_get(event, "agent"), index, agent)
    {
        if (json_equal(coding_of(json_object_get(agent, "type")), coding)) {
            return agent;
        }
    }
    return NULL;
}

static void expect_same_code(const json_t *one, const json_t *other)
{
    assert_string_equal(text_at(one, "system"), text_at(other, "system"));
    assert_string_equal(text_at(one, "code"), text_at(other, "code"));
}

/* Every agent and entity of the profile's own example, but for the client
 * application, which the ledger does not know. */
static void expect_profile(const json_t *event, const json_t *example)
{
    size_t index = 0;
    const json_t *wanted = NULL;

    expect_same_code(json_object_get(event, "type"),
                     json_object_get(example, "type"));
    expect_same_code(json_array_get(json_object_get(event, "subtype"), 0),
                     json_array_get(json_object_get(example, "subtype"), 0));
    assert_string_equal(text_at(event, "action"), text_at(example, "action"));
    assert_string_equal(text_at(event, "outcome"), text_at(example, "outcome"));
    json_array_foreach(json_object_get(example, "agent"), index, wanted)
    {
        const json_t *agent = agent_like(event, wanted);
        if (strcmp(text_at(coding_of(json_object_get(wanted, "type")), "code"),
                   "110150") == 0) {
            assert_null(agent);
            continue;
        }
        assert_non_null(agent);
        assert_non_null(json_object_get(agent, "who"));
        assert_true(json_equal(json_object_get(agent, "requestor"),
                               json_object_get(wanted, "requestor")));
        assert_int_equal(json_object_get(agent, "purposeOfUse") != NULL,
                         json_object_get(wanted, "purposeOfUse") != NULL);
    }
    json_array_foreach(json_object_get(example, "entity"), index, wanted)
    {
        const json_t *entity =
            json_array_get(json_object_get(event, "entity"), index);
        expect_same_code(json_object_get(entity, "type"),
                         json_object_get(wanted, "type"));
        expect_same_code(json_object_get(entity, "role"),
                         json_object_get(wanted, "role"));
    }
    /* val-audit-source: who decided is who tells it. */
    json_array_foreach(json_object_get(event, "agent"), index, wanted)
    {
        if (strcmp(text_at(coding_of(json_object_get(wanted, "type")), "code"),
                   "authserver") == 0) {
            assert_true(json_equal(
                json_object_get(wanted, "who"),
                json_object_get(json_object_get(event, "source"), "observer")));
        }
    }
}

static json_t *load_example(const char *name)
{
    char path[PATH_SIZE];

    support_shared_path(path, sizeof path, name);
    return json_load_file(path, 0, NULL);
}

static void test_decisions_have_the_form_of_the_profile(void **state)
{
    struct export_world *world = *state;
    struct asked asked;
    json_t *permit =
        load_example("fhir/ihe-balp/AuditEvent-ex-auditAuthZconsent.json");
    json_t *deny =
        load_example("fhir/ihe-balp/AuditEvent-ex-auditAuthZconsent-deny.json");

    if (permit == NULL || deny == NULL) {
        print_message("SKIPPED: no examples (SALUS_SHARED_DATA)\n");
        skip();
    }
    ask(&asked, world);
    json_t *event = export_computed(world, &asked);
    expect_profile(event, permit);
    json_decref(event);
    asked.state.computed = 0;
    asked.state.rule = SALUS__V1__DECISION_RULE__RULE_DENIED;
    asked.voices[1].permitted = 0;
    asked.voices[1].denied = 1;
    event = export_computed(world, &asked);
    expect_profile(event, deny);
    json_decref(event);
    json_decref(permit);
    json_decref(deny);
}

/* ---- what the replicas computed ------------------------------------------ */

static void test_computed_decision_names_who_and_why(void **state)
{
    struct export_world *world = *state;
    struct asked asked;

    ask(&asked, world);
    json_t *event = export_computed(world, &asked);
    const json_t *entities = json_object_get(event, "entity");
    const json_t *user = json_array_get(json_object_get(event, "agent"), 0);
    assert_string_equal(text_at(event, "recorded"), "2025-11-28T10:15:00.250Z");
    assert_string_equal(text_at(json_object_get(event, "meta"), "versionId"),
                        "4711");
    assert_string_equal(text_at(event, "id"),
                        "d1d1d1d1-d1d1-d1d1-d1d1-d1d1d1d1d1d1");
    assert_string_equal(text_at(json_object_get(user, "who"), "reference"),
                        "Practitioner/dr-1");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(user, "policy"), 0)),
        "urn:salus:request:d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1");
    assert_string_equal(word(event, "urn:salus:outcome"), "permit");
    assert_string_equal(word(event, "urn:salus:rule"), "permitted");
    assert_string_equal(word(event, "urn:salus:basis"), "consent");
    /* The one that spoke, not the silent one. */
    assert_int_equal(json_array_size(entities), 2);
    /* The vault does not know the transaction: the answer is the proof. */
    assert_null(extension(event, "urn:salus:transaction", "valueString"));
    assert_null(extension(event, "urn:salus:decided", "valueString"));
    assert_null(extension(event, "urn:salus:computed", "valueCode"));
    json_decref(event);
}

/* The custodian decided since. */
static void overtake(struct asked *asked, uint64_t granted)
{
    asked->state.decided = true;
    asked->state.decided_seq = 4712;
    asked->state.granted = granted;
    salus__v1__decision_state__held__init(&asked->held);
    asked->held.number = 1;
    asked->held.since_ms = UINT64_C(1764325000000);
    asked->held_list[0] = &asked->held;
    asked->state.held = asked->held_list;
    asked->state.n_held = 1;
}

/* Who reads the profile alone must not take for open what is not. */
static void test_outcome_is_what_the_custodian_left(void **state)
{
    struct export_world *world = *state;
    struct asked asked;

    ask(&asked, world);
    overtake(&asked, 0);
    json_t *event = export_computed(world, &asked);
    const json_t *agent = json_array_get(json_object_get(event, "agent"), 2);
    assert_string_equal(text_at(event, "outcome"), "8");
    assert_string_equal(text_at(event, "outcomeDesc"),
                        "a consent permits; then the custodian denied it");
    assert_string_equal(word(event, "urn:salus:outcome"), "deny");
    assert_string_equal(word(event, "urn:salus:computed"), "permit");
    assert_string_equal(word(event, "urn:salus:rule"), "permitted");
    assert_string_equal(
        json_string_value(extension(event, "urn:salus:decided", "valueString")),
        "4712");
    /* Another version of that event, and another who decided. */
    assert_string_equal(text_at(json_object_get(event, "meta"), "versionId"),
                        "4712");
    assert_string_equal(text_at(event, "recorded"), "2025-11-28T10:16:40.000Z");
    assert_string_equal(text_at(json_object_get(agent, "who"), "type"),
                        "Organization");
    json_decref(event);
    /* By law it is the custodian who gives. */
    asked.state.rule = SALUS__V1__DECISION_RULE__RULE_LEGAL_BASIS;
    overtake(&asked, 1);
    event = export_computed(world, &asked);
    assert_string_equal(text_at(event, "outcome"), "0");
    assert_string_equal(word(event, "urn:salus:outcome"), "permit");
    assert_string_equal(word(event, "urn:salus:computed"), "deny");
    json_decref(event);
    Salus__V1__Selector residual = SALUS__V1__SELECTOR__INIT;
    asked.held.residual = &residual;
    event = export_computed(world, &asked);
    assert_string_equal(word(event, "urn:salus:outcome"), "partial");
    json_decref(event);
}

static void test_records_say_what_was_left_of_them(void **state)
{
    struct export_world *world = *state;
    struct asked asked;
    size_t index = 0;
    size_t said = 0;
    const json_t *one = NULL;

    ask(&asked, world);
    ask_for_records(&asked);
    asked.state.computed = 7;
    overtake(&asked, 2);
    json_t *event = export_computed(world, &asked);
    assert_string_equal(text_at(event, "outcome"), "0");
    assert_string_equal(word(event, "urn:salus:outcome"), "partial");
    assert_string_equal(word(event, "urn:salus:computed"), "permit");
    json_array_foreach(json_object_get(event, "extension"), index, one)
    {
        if (strcmp(text_at(one, "url"), "urn:salus:record") == 0) {
            assert_int_equal(
                json_is_true(extension(one, "permitted", "valueBoolean")),
                said == 1);
            assert_true(
                json_is_true(extension(one, "computed", "valueBoolean")));
            said++;
        }
    }
    assert_int_equal(said, RECORDS);
    json_decref(event);
}

static void test_partial_decision_says_which_records(void **state)
{
    struct export_world *world = *state;
    struct asked asked;
    size_t index = 0;
    size_t said = 0;
    const json_t *one = NULL;

    ask(&asked, world);
    ask_for_records(&asked);
    asked.state.computed = 5;
    json_t *event = export_computed(world, &asked);
    assert_string_equal(text_at(event, "outcome"), "0");
    assert_string_equal(word(event, "urn:salus:outcome"), "partial");
    json_array_foreach(json_object_get(event, "extension"), index, one)
    {
        if (strcmp(text_at(one, "url"), "urn:salus:record") == 0) {
            assert_int_equal(
                json_is_true(extension(one, "permitted", "valueBoolean")),
                asked.state.computed >> said & 1);
            said++;
        }
    }
    assert_int_equal(said, RECORDS);
    json_decref(event);
    /* Of all that was asked, and with all of it. */
    asked.state.computed = 7;
    event = export_computed(world, &asked);
    assert_string_equal(word(event, "urn:salus:outcome"), "permit");
    json_decref(event);
    asked.state.narrowed = true;
    event = export_computed(world, &asked);
    assert_string_equal(word(event, "urn:salus:outcome"), "partial");
    json_decref(event);
}

/* No consent is relied on where none spoke for it, and a law gives nothing
 * before the custodian says so. */
static void test_what_no_consent_decides(void **state)
{
    struct export_world *world = *state;
    struct asked asked;

    ask(&asked, world);
    asked.state.rule = SALUS__V1__DECISION_RULE__RULE_LEGAL_BASIS;
    asked.state.basis = CODES_BASIS_COURT_ORDER;
    json_t *event = export_computed(world, &asked);
    assert_string_equal(text_at(event, "outcome"), "8");
    assert_string_equal(word(event, "urn:salus:outcome"), "deny");
    assert_string_equal(word(event, "urn:salus:basis"), "court-order");
    assert_int_equal(json_array_size(json_object_get(event, "entity")), 1);
    json_decref(event);
    asked.state.rule = SALUS__V1__DECISION_RULE__RULE_NO_GRANT;
    asked.state.computed = 0;
    asked.voices[1].permitted = 0;
    event = export_computed(world, &asked);
    assert_string_equal(text_at(event, "outcome"), "8");
    /* That both were silent is why. */
    assert_int_equal(json_array_size(json_object_get(event, "entity")), 3);
    json_decref(event);
    asked.state.rule = (Salus__V1__DecisionRule)99;
    struct fhir_report report;
    struct fhir_export_source source = {.decision = &asked.state};
    assert_null(export_with(world, false, &source, &report));
}

/* ---- the custodian's ----------------------------------------------------- */

static struct pbft_bytes decide(const struct asked *asked, uint64_t granted,
                                Salus__V1__Selector *residual)
{
    Salus__V1__TransactionBody body = SALUS__V1__TRANSACTION_BODY__INIT;
    Salus__V1__AccessDecision in = SALUS__V1__ACCESS_DECISION__INIT;
    ProtobufCBinaryData consent = field(consent_id[0], VAULT_ID_SIZE);
    size_t count = 0;
    const struct codes_entry *reasons = codes_entries(CODES_REASON, &count);

    body.payload_case = SALUS__V1__TRANSACTION_BODY__PAYLOAD_ACCESS_DECISION;
    body.access_decision = &in;
    body.institution = asked->state.custodian;
    in.request = asked->state.request;
    in.granted = granted;
    in.outcome = granted == 0 ? SALUS__V1__ACCESS_DECISION__OUTCOME__DENY_ALL
                 : residual != NULL || granted != 7
                     ? SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_PARTIAL
                     : SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_ALL;
    in.residual = residual;
    in.consents = &consent;
    in.n_consents = 1;
    for (size_t i = 0; i < count && in.reason == 0; i++) {
        in.reason =
            (reasons[i].flags & CODES_FOR_DECISION) != 0 ? reasons[i].id : 0;
    }
    size_t size = salus__v1__transaction_body__get_packed_size(&body);
    uint8_t *data = malloc(size);
    assert_non_null(data);
    (void)salus__v1__transaction_body__pack(&body, data);
    return (struct pbft_bytes){data, size};
}

static void test_custodian_decides(void **state)
{
    static const uint8_t receipt[] = "receipt";
    static const uint8_t proof[] = "proof";
    struct export_world *world = *state;
    struct fhir_report report;
    struct asked asked;

    ask(&asked, world);
    ask_for_records(&asked);
    asked.state.computed = 7;
    struct pbft_bytes body = decide(&asked, 1, NULL);
    struct fhir_export_source source = {
        .body = body,
        .decision = &asked.state,
        .tx_id = {{0xab, 0xcd}},
        .seq = 5000,
        .block_time_us = UINT64_C(1764325000000000),
        .receipt = {receipt, sizeof receipt - 1},
        .proof = {proof, sizeof proof - 1}};
    json_t *event = export_with(world, false, &source, &report);
    assert_non_null(event);
    const json_t *agent = json_array_get(json_object_get(event, "agent"), 2);
    assert_string_equal(text_at(event, "outcome"), "0");
    assert_string_equal(word(event, "urn:salus:outcome"), "partial");
    assert_string_not_equal(word(event, "urn:salus:reason"), "");
    assert_string_equal(text_at(event, "id"),
                        "abcd0000-0000-0000-0000-000000000000");
    assert_string_equal(text_at(event, "recorded"), "2025-11-28T10:16:40.000Z");
    assert_string_equal(text_at(json_object_get(agent, "who"), "type"),
                        "Organization");
    assert_int_equal(json_array_size(json_object_get(event, "entity")), 2);
    assert_non_null(extension(event, "urn:salus:transaction", "valueString"));
    assert_string_equal(json_string_value(extension(event, "urn:salus:receipt",
                                                    "valueBase64Binary")),
                        "cmVjZWlwdA==");
    assert_string_equal(json_string_value(extension(event, "urn:salus:proof",
                                                    "valueBase64Binary")),
                        "cHJvb2Y=");
    json_decref(event);
    free((void *)(uintptr_t)body.data);
    body = decide(&asked, 0, NULL);
    source.body = body;
    event = export_with(world, false, &source, &report);
    assert_string_equal(text_at(event, "outcome"), "8");
    assert_null(extension(event, "urn:salus:decided", "valueString"));
    json_decref(event);
    /* It was not his last. */
    asked.state.decided = true;
    asked.state.decided_seq = 5001;
    event = export_with(world, false, &source, &report);
    assert_string_equal(
        json_string_value(extension(event, "urn:salus:decided", "valueString")),
        "5001");
    json_decref(event);
    free((void *)(uintptr_t)body.data);
}

/* What is left of a patient's data has no place in an AuditEvent. */
static void test_residual_cannot_be_said(void **state)
{
    struct export_world *world = *state;
    Salus__V1__Selector residual = SALUS__V1__SELECTOR__INIT;
    uint32_t classes[] = {2};
    struct fhir_report report;
    struct asked asked;

    ask(&asked, world);
    residual.classes = classes;
    residual.n_classes = 1;
    struct pbft_bytes body = decide(&asked, 1, &residual);
    struct fhir_export_source source = {.body = body, .decision = &asked.state};
    assert_null(export_with(world, false, &source, &report));
    assert_int_equal(report.findings[0].kind, FHIR_EXPORT_FIELD);
    assert_string_equal(report.findings[0].path, "residual");
    free((void *)(uintptr_t)body.data);
}

static void test_redacted_decision_says_no_name(void **state)
{
    struct export_world *world = *state;
    struct fhir_report report;
    struct asked asked;

    ask(&asked, world);
    struct fhir_export_source source = {.decision = &asked.state, .seq = 1};
    json_t *event = export_with(world, true, &source, &report);
    assert_non_null(event);
    char *text = json_dumps(event, JSON_COMPACT);
    assert_null(strstr(text, "Patient/"));
    assert_null(strstr(text, "p-1"));
    assert_null(strstr(text, "dr-1"));
    assert_non_null(strstr(text, "REDACTED"));
    free(text);
    json_decref(event);
}

/* ---- when such an event is imported -------------------------------------- */

#define CODING(system, code) "{\"system\":\"" system "\",\"code\":\"" code "\"}"
#define EVENT(outcome, subtype, purpose, policy)                               \
    "{\"resourceType\":\"AuditEvent\",\"id\":\"a-1\",\"type\":" CODING(        \
        DCM,                                                                   \
        "110113") ",\"subtype\":[" subtype "],\"action\":\"E\",\"recorded\":"  \
                  "\"2025-03-01T10:00:00Z\",\"outcome\":\"" outcome            \
                  "\",\"agent\":[{\"type\":{\"coding\":[" CODING(              \
                      HL7 "v3-ParticipationType",                              \
                      "IRCP") "]},\"who\":{\"reference\":\"Practitioner/"      \
                              "dr-1\"},\"requestor\":true,"                    \
                              "\"purposeOfUse\":[{\"coding\":[" CODING(        \
                                  HL7 "v3-ActReason",                          \
                                  purpose) "]}]" policy                        \
                                           "}],\"source\":{\"observer\":{"     \
                                           "\"display\":\"x\"}},\"entity\":[{" \
                                           "\"what\":{\"reference\":"          \
                                           "\"Patient/"                        \
                                           "p-1\"},\"role\":{\"code\":\"1\"}}" \
                                           "]}"
#define OF_LEDGER                                                              \
    ",\"policy\":[\"urn:salus:request:d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1\"]"

#define OF_NOTHING ",\"policy\":[\"urn:salus:request:\"]"
#define OF_WORDS ",\"policy\":[\"urn:salus:request:see-the-ticket\"]"

static void expect_taken(struct export_world *world, const char *text,
                         enum fhir_class class_of, enum fhir_finding_kind kind)
{
    struct fhir_options options = {.zone_minutes = 0};
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;
    size_t before = world->count;

    assert_int_equal(
        fhir_file_open_bytes(
            &file, "test",
            (struct pbft_bytes){(const uint8_t *)text, strlen(text)}),
        PBFT_OK);
    assert_int_equal(fhir_item_load(&item, file, 0, &options), PBFT_OK);
    export_import_item(world, item);
    assert_int_equal(fhir_item_class(item), class_of);
    assert_int_equal(fhir_item_report(item)->findings[0].kind, kind);
    assert_int_equal(world->count, before);
    fhir_item_free(item);
    fhir_file_close(file);
}

/* It opens nothing: no emergency, whatever its purpose. */
static void test_imported_decision_widens_nothing(void **state)
{
    struct export_world *world = *state;
    struct asked asked;

    ask(&asked, world);
    asked.state.purpose = CODES_PURPOSE_ETREAT;
    json_t *event = export_computed(world, &asked);
    char *text = json_dumps(event, JSON_COMPACT);
    expect_taken(world, text, FHIR_LOCAL, FHIR_DECISION);
    free(text);
    json_decref(event);
    expect_taken(world, EVENT("0", CODING(AUTHZ, "AuthZ-Consent"), "TREAT", ""),
                 FHIR_LOCAL, FHIR_DECISION);
    expect_taken(world,
                 EVENT("0", CODING(AUTHZ, "AuthZ-Role"), "ETREAT", OF_LEDGER),
                 FHIR_LOCAL, FHIR_DECISION);
    expect_taken(world, EVENT("8", CODING(AUTHZ, "AuthZ-Consent"), "BTG", ""),
                 FHIR_LOCAL, FHIR_DECISION);
    /* Of another system it may be all that is told of an emergency. */
    expect_taken(world, EVENT("0", CODING(AUTHZ, "AuthZ-Consent"), "BTG", ""),
                 FHIR_REJECT, FHIR_DECISION_EMERGENCY);
    expect_taken(world,
                 EVENT("0", CODING(AUTHZ, "AuthZ-Consent"), "ETREAT", ""),
                 FHIR_REJECT, FHIR_DECISION_EMERGENCY);
    /* What begins like the name of a request is none. */
    expect_taken(world,
                 EVENT("0", CODING(AUTHZ, "AuthZ-Consent"), "BTG", OF_NOTHING),
                 FHIR_REJECT, FHIR_DECISION_EMERGENCY);
    expect_taken(world,
                 EVENT("0", CODING(AUTHZ, "AuthZ-Consent"), "BTG", OF_WORDS),
                 FHIR_REJECT, FHIR_DECISION_EMERGENCY);
    /* And it hides no disclosure. */
    expect_taken(world,
                 EVENT("0",
                       CODING(AUTHZ, "AuthZ-Consent") "," CODING(
                           HL7 "iso-21089-lifecycle", "disclose"),
                       "TREAT", OF_LEDGER),
                 FHIR_REJECT, FHIR_DISCLOSURE_TYPE);
}

int main(void)
{
#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, export_setup, export_teardown)
    const struct CMUnitTest tests[] = {
        T(test_decisions_have_the_form_of_the_profile),
        T(test_computed_decision_names_who_and_why),
        T(test_outcome_is_what_the_custodian_left),
        T(test_records_say_what_was_left_of_them),
        T(test_partial_decision_says_which_records),
        T(test_what_no_consent_decides),
        T(test_custodian_decides),
        T(test_residual_cannot_be_said),
        T(test_redacted_decision_says_no_name),
        T(test_imported_decision_widens_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
