/* SPDX-License-Identifier: Apache-2.0 */
/* The import against a real ledger in memory: what the ledger makes of it, and
 * that no interruption doubles or loses anything. */
#include "client/fhir_gather.h"
#include "tests/support/import_fixture.h"
#include "vault/entries.h"

#define PATIENT                                                                \
    "{\"resourceType\":\"Patient\",\"id\":\"p-1\",\"identifier\":[{"           \
    "\"system\":\"urn:oid:2.999\",\"value\":\"MRN-1\"}]}"
#define PRACTITIONER "{\"resourceType\":\"Practitioner\",\"id\":\"dr-1\"}"
/* "signed" */
#define DOCUMENT                                                               \
    "{\"resourceType\":\"DocumentReference\",\"id\":\"d-1\",\"status\":"       \
    "\"current\",\"subject\":{\"reference\":\"Patient/p-1\"},\"author\":[{"    \
    "\"reference\":\"Practitioner/dr-1\"}],\"custodian\":{\"reference\":"      \
    "\"Organization/own\"},\"content\":[{\"attachment\":{\"data\":"            \
    "\"c2lnbmVk\"}}]}"
#define CONSENT(status, purpose)                                               \
    "{\"resourceType\":\"Consent\",\"id\":\"c-1\",\"status\":\"" status        \
    "\",\"scope\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/"      \
    "CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]},\"category\":[" \
    "{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"59284-0\"}]}],"  \
    "\"patient\":{\"reference\":\"Patient/p-1\"},\"dateTime\":\"2025-03-01\"," \
    "\"performer\":[{\"reference\":\"Patient/p-1\"}],\"organization\":[{"      \
    "\"reference\":\"Organization/own\"}],\"sourceReference\":{\"reference\":" \
    "\"DocumentReference/d-1\"},\"policy\":[{\"uri\":\"" POLICY_URI            \
    "\"}],\"provision\":{\"type\":\"permit\",\"purpose\":[{\"system\":"        \
    "\"http://terminology.hl7.org/CodeSystem/"                                 \
    "v3-ActReason\",\"code\":\"" purpose "\"}]}}"
#define UNKNOWN_POLICY                                                         \
    "{\"resourceType\":\"Consent\",\"id\":\"c-2\",\"status\":\"active\","      \
    "\"scope\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/"         \
    "CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]},\"category\":[" \
    "{\"text\":\"x\"}],\"patient\":{\"reference\":\"Patient/p-1\"},"           \
    "\"dateTime\":\"2025-03-01\",\"performer\":[{\"reference\":"               \
    "\"Patient/p-1\"}],\"sourceAttachment\":{\"title\":\"x\"},\"policy\":[{"   \
    "\"uri\":\"urn:nobody:published:this\"}],\"provision\":{\"type\":"         \
    "\"deny\"}}"
#define TRANSACTIONS_OF_ALL 4 /* Practitioner, patient, document, consent. */

static void add_all(struct import_world *fixture)
{
    /* In an order that only sorting makes right. */
    fixture_file(fixture, "1.json", CONSENT("active", "TREAT"));
    fixture_file(fixture, "2.json", DOCUMENT);
    fixture_file(fixture, "3.json", PATIENT);
    fixture_file(fixture, "4.json", PRACTITIONER);
}

static void expect(const struct import_world *fixture, size_t index,
                   const char *type_name, enum import_outcome outcome)
{
    const struct recorded *event = &fixture->events[index];

    assert_true(index < fixture->event_count);
    assert_string_equal(event->type_name, type_name);
    assert_int_equal(event->outcome, outcome);
}

static void test_everything_gets_on_the_ledger_in_order(void **state)
{
    struct import_world *fixture = *state;
    uint64_t before = fixture_executed(fixture);

    add_all(fixture);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->event_count, 4);
    expect(fixture, 0, "Practitioner", IMPORT_ON_LEDGER);
    expect(fixture, 1, "Patient", IMPORT_ON_LEDGER);
    expect(fixture, 2, "DocumentReference", IMPORT_ON_LEDGER);
    expect(fixture, 3, "Consent", IMPORT_ON_LEDGER);
    assert_int_equal(fixture->events[3].type, TRANSACTION_CONSENT_GRANT);
    assert_int_equal(fixture->summary.transactions, TRANSACTIONS_OF_ALL);
    assert_int_equal(fixture_executed(fixture) - before, TRANSACTIONS_OF_ALL);
}

static void test_second_import_does_nothing(void **state)
{
    struct import_world *fixture = *state;

    add_all(fixture);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    uint64_t before = fixture_executed(fixture);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->summary.outcomes[IMPORT_KNOWN], 4);
    assert_int_equal(fixture_executed(fixture), before);
}

static void test_unknown_references_are_rejected(void **state)
{
    struct import_world *fixture = *state;
    uint64_t before = fixture_executed(fixture);

    fixture_file(fixture, "1.json", CONSENT("active", "TREAT"));
    fixture_file(fixture, "2.json", DOCUMENT);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect(fixture, 0, "DocumentReference", IMPORT_REJECTED);
    assert_string_equal(fixture->events[0].path, "subject");
    expect(fixture, 1, "Consent", IMPORT_REJECTED);
    assert_string_equal(fixture->events[1].path, "patient");
    assert_int_equal(fixture_executed(fixture), before);
}

static void test_trials_may_register_the_unknown(void **state)
{
    struct import_world *fixture = *state;

    fixture->options.register_unknown = true;
    fixture_file(fixture, "1.json", CONSENT("active", "TREAT"));
    fixture_file(fixture, "2.json", DOCUMENT);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect(fixture, 0, "DocumentReference", IMPORT_ON_LEDGER);
    expect(fixture, 1, "Consent", IMPORT_ON_LEDGER);
    assert_int_equal(fixture->summary.transactions, TRANSACTIONS_OF_ALL);
}

/* The import is cut off, and run again: everything is there once. */
static void interrupt(struct import_world *fixture, enum port_mood mood,
                      enum pbft_status status, const char *says)
{
    uint64_t before = fixture_executed(fixture);

    add_all(fixture);
    fixture->mood = mood;
    assert_int_equal(fixture_import(fixture), status);
    assert_int_equal(fixture->summary.outcomes[IMPORT_OPEN], 4);
    assert_non_null(strstr(fixture->reason.text, says));
    /* The process dies here. */
    vault_close(fixture->options.vault);
    fixture_open_vault(fixture);
    fixture->mood = PORT_WORKS;
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->summary.resumed, 4);
    assert_int_equal(fixture->summary.outcomes[IMPORT_KNOWN], 4);
    assert_int_equal(fixture->summary.transactions, TRANSACTIONS_OF_ALL);
    assert_int_equal(fixture_executed(fixture) - before, TRANSACTIONS_OF_ALL);
}

static void test_interrupted_before_the_ledger(void **state)
{
    interrupt(*state, PORT_UNREACHABLE, PBFT_UNREACHABLE, "run the import");
}

static void test_interrupted_after_the_ledger(void **state)
{
    interrupt(*state, PORT_LOSES_REPLY, PBFT_TIMED_OUT, "run the import");
}

/* That replicas will not order it, is no proof that nobody did. */
static void test_inadmissible_is_not_forgotten(void **state)
{
    interrupt(*state, PORT_WILL_NOT, PBFT_TIMED_OUT, "SESSION_CLOSED");
}

/* What came of the request before is not shown. */
static void test_repeated_request_is_not_forgotten(void **state)
{
    interrupt(*state, PORT_REPEATS, PBFT_TIMED_OUT, "DUPLICATE");
}

/* A replica shows when a transaction was refused, and not that it was done
 * when it was submitted again. */
static void test_receipt_of_a_refusal_before_is_not_the_end(void **state)
{
    struct import_world *fixture = *state;

    add_all(fixture);
    fixture->mood = PORT_LOSES_REPLY;
    assert_int_equal(fixture_import(fixture), PBFT_TIMED_OUT);
    uint64_t before = fixture_executed(fixture);
    fixture->mood = PORT_SHOWS_OLD;
    assert_int_equal(fixture_import(fixture), PBFT_TIMED_OUT);
    assert_int_equal(fixture->summary.resumed, 0);
    fixture->mood = PORT_WORKS;
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->summary.resumed, 4);
    assert_int_equal(fixture->summary.outcomes[IMPORT_KNOWN], 4);
    /* Said to be done before, and nothing else. */
    assert_int_equal(fixture_executed(fixture) - before, 1);
}

static void test_refused_consent_is_forgotten_and_tried_again(void **state)
{
    struct import_world *fixture = *state;

    fixture_file(fixture, "1.json", PATIENT);
    fixture_file(fixture, "2.json", UNKNOWN_POLICY);
    for (size_t round = 0; round < 2; round++) {
        assert_int_equal(fixture_import(fixture), PBFT_OK);
        expect(fixture, 0, "Patient",
               round == 0 ? IMPORT_ON_LEDGER : IMPORT_KNOWN);
        expect(fixture, 1, "Consent", IMPORT_REFUSED);
        assert_int_equal(fixture->events[1].code, LEDGER_POLICY_INACTIVE);
    }
}

/* Of the last grant that was seen among the steps of an event. */
static size_t superseded;
static int performer;

static void look_for_grant(void *context, const struct import_event *event)
{
    struct wire_arena arena;

    (void)context;
    if (event->type != TRANSACTION_CONSENT_GRANT || event->steps == NULL) {
        return;
    }
    wire_arena_init(&arena, 1u << 20);
    const Salus__V1__ConsentGrant *grant =
        fixture_body(event, &arena)->consent_grant;
    superseded = grant->n_supersedes;
    performer = (int)grant->performer;
    wire_arena_deinit(&arena);
}

static void test_changed_consent_supersedes_the_one_before(void **state)
{
    struct import_world *fixture = *state;

    add_all(fixture);
    fixture->look = look_for_grant;
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(superseded, 0);
    fixture->file_count = 0;
    fixture_file(fixture, "5.json", CONSENT("active", "HPAYMT"));
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect(fixture, 0, "Consent", IMPORT_ON_LEDGER);
    assert_int_equal(superseded, 1);
}

static void test_withdrawal_revokes_once(void **state)
{
    struct import_world *fixture = *state;

    add_all(fixture);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    fixture->file_count = 0;
    fixture_file(fixture, "5.json", CONSENT("inactive", "TREAT"));
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect(fixture, 0, "Consent", IMPORT_ON_LEDGER);
    assert_int_equal(fixture->events[0].type, TRANSACTION_CONSENT_REVOKE);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect(fixture, 0, "Consent", IMPORT_KNOWN);
    /* And nothing is superseded that does not stand any more. */
    fixture->file_count = 0;
    fixture->look = look_for_grant;
    fixture_file(fixture, "6.json", CONSENT("active", "HOPERAT"));
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect(fixture, 0, "Consent", IMPORT_ON_LEDGER);
    assert_int_equal(superseded, 0);
}

/* A text that no machine can compute: it has no base. */
#define UNCLEAR                                                                \
    "{\"resourceType\":\"Consent\",\"id\":\"c-1\",\"status\":\"active\","      \
    "\"scope\":{\"text\":\"x\"},\"category\":[{\"text\":\"x\"}],\"patient\":{" \
    "\"reference\":\"Patient/p-1\"}}"

static void import_next(struct import_world *fixture, const char *text)
{
    fixture->file_count = 0;
    fixture_file(fixture, "next.json", text);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
}

/* The grant before it still stands on the ledger, whatever the last version
 * says: a withdrawal that missed it would leave it there. */
static void test_withdrawal_finds_the_grant_behind_evidence(void **state)
{
    struct import_world *fixture = *state;

    add_all(fixture);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    import_next(fixture, UNCLEAR);
    expect(fixture, 0, "Consent", IMPORT_ON_LEDGER);
    assert_int_equal(fixture->events[0].type, TRANSACTION_CONSENT_EVIDENCE);
    import_next(fixture, CONSENT("inactive", "TREAT"));
    expect(fixture, 0, "Consent", IMPORT_ON_LEDGER);
    assert_int_equal(fixture->events[0].type, TRANSACTION_CONSENT_REVOKE);
}

static void test_grant_supersedes_the_one_behind_evidence(void **state)
{
    struct import_world *fixture = *state;

    add_all(fixture);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    import_next(fixture, UNCLEAR);
    superseded = 0;
    fixture->look = look_for_grant;
    import_next(fixture, CONSENT("active", "HPAYMT"));
    expect(fixture, 0, "Consent", IMPORT_ON_LEDGER);
    assert_int_equal(superseded, 1);
}

static void test_evidence_alone_cannot_be_withdrawn(void **state)
{
    struct import_world *fixture = *state;

    fixture_file(fixture, "1.json", PATIENT);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    import_next(fixture, UNCLEAR);
    expect(fixture, 0, "Consent", IMPORT_ON_LEDGER);
    import_next(fixture, CONSENT("inactive", "TREAT"));
    expect(fixture, 0, "Consent", IMPORT_REJECTED);
    assert_string_equal(fixture->events[0].path, "id");
}

static void test_withdrawal_of_the_unknown_is_rejected(void **state)
{
    struct import_world *fixture = *state;

    fixture_file(fixture, "1.json", PATIENT);
    fixture_file(fixture, "2.json", CONSENT("inactive", "TREAT"));
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect(fixture, 1, "Consent", IMPORT_REJECTED);
    assert_string_equal(fixture->events[1].path, "id");
}

/* A Bundle whose consent comes first, and refers to the document by its
 * fullUrl: though the document has an id. */
#define BY_FULL_URL                                                            \
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{"        \
    "\"fullUrl\":\"urn:uuid:c\",\"resource\":{\"resourceType\":\"Consent\","   \
    "\"id\":\"c-3\",\"status\":\"active\",\"scope\":{\"coding\":[{\"system\":" \
    "\"http://terminology.hl7.org/CodeSystem/consentscope\",\"code\":"         \
    "\"patient-privacy\"}]},\"category\":[{\"text\":\"x\"}],\"patient\":{"     \
    "\"reference\":\"Patient/p-1\"},\"dateTime\":\"2025-03-01\","              \
    "\"performer\":[{\"reference\":\"Patient/p-1\"}],\"sourceAttachment\":{"   \
    "\"title\":\"x\"},\"policy\":[{\"uri\":\"" POLICY_URI                      \
    "\"}],\"provision\":{\"type\":\"deny\",\"data\":[{\"meaning\":"            \
    "\"instance\","                                                            \
    "\"reference\":{\"reference\":\"urn:uuid:d\"}}]}}},{\"fullUrl\":"          \
    "\"urn:uuid:d\",\"resource\":" DOCUMENT "}]}"

static uint8_t anchored[VAULT_ID_SIZE]; /* The last record that was seen. */
static uint8_t denied[VAULT_ID_SIZE];   /* By the last grant that was seen. */
static int denied_meaning;

static void look_for_ids(void *context, const struct import_event *event)
{
    struct wire_arena arena;

    (void)context;
    if (event->steps == NULL) {
        return;
    }
    wire_arena_init(&arena, 1u << 20);
    const Salus__V1__TransactionBody *body = fixture_body(event, &arena);
    if (event->type == TRANSACTION_RECORD_ANCHOR) {
        memcpy(anchored, body->record_anchor->record.data, sizeof anchored);
    } else if (event->type == TRANSACTION_CONSENT_GRANT) {
        memcpy(denied, body->consent_grant->root->data[0]->id.data,
               sizeof denied);
        denied_meaning = (int)body->consent_grant->root->data[0]->meaning;
    }
    wire_arena_deinit(&arena);
}

/* For trials, an unknown reference gets an id that no record has: the deny
 * would be lost. */
static void test_document_is_found_by_its_full_url(void **state)
{
    struct import_world *fixture = *state;

    fixture_file(fixture, "1.json", PATIENT);
    fixture_file(fixture, "2.json", PRACTITIONER);
    fixture_file(fixture, "3.json", BY_FULL_URL);
    fixture->options.register_unknown = true;
    fixture->look = look_for_ids;
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect(fixture, 3, "Consent", IMPORT_ON_LEDGER);
    assert_memory_equal(denied, anchored, sizeof denied);
}

static void test_changed_document_continues_the_record(void **state)
{
    struct import_world *fixture = *state;

    add_all(fixture);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    fixture->file_count = 0;
    fixture_file(fixture, "5.json",
                 "{\"resourceType\":\"DocumentReference\",\"id\":\"d-1\","
                 "\"status\":\"current\",\"subject\":{\"reference\":"
                 "\"Patient?identifier=urn:oid:2.999|MRN-1\"},\"content\":[{"
                 "\"attachment\":{\"data\":\"bmV3\"}}]}");
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect(fixture, 0, "DocumentReference", IMPORT_ON_LEDGER);
}

/* ---- versions at once ---------------------------------------------------- */

/* Given, withdrawn, and given again, in one file: each rests on what became of
 * the one before. */
static void test_versions_of_one_file_follow_each_other(void **state)
{
    struct import_world *fixture = *state;

    add_all(fixture);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    fixture->file_count = 0;
    fixture_file(
        fixture, "5.ndjson",
        CONSENT("active", "HPAYMT") "\n" CONSENT(
            "inactive", "HPAYMT") "\n" CONSENT("active", "HOPERAT") "\n");
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->event_count, 3);
    for (size_t i = 0; i < 3; i++) {
        expect(fixture, i, "Consent", IMPORT_ON_LEDGER);
    }
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    for (size_t i = 0; i < 3; i++) {
        expect(fixture, i, "Consent", i < 2 ? IMPORT_REPLACED : IMPORT_KNOWN);
    }
    /* The newest is among them: it is a history. */
    assert_int_equal(fixture->summary.outdated, 0);
}

/* ---- who gave it --------------------------------------------------------- */

/* The patient is the same by his number. */
static void test_patient_by_another_name_is_no_delegate(void **state)
{
    struct import_world *fixture = *state;
    static const char from[] =
        "\"performer\":[{\"reference\":\"Patient/p-1\"}]";
    static const char to[] =
        "\"performer\":[{\"type\":\"Patient\",\"identifier\":{\"system\":"
        "\"urn:oid:2.999\",\"value\":\"MRN-1\"}}]";
    static const char text[] = CONSENT("active", "TREAT");
    char changed[sizeof text + sizeof to];
    const char *at = strstr(text, from);

    assert_non_null(at);
    (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text,
                   to, at + sizeof from - 1);
    fixture_file(fixture, "1.json", changed);
    fixture_file(fixture, "2.json", DOCUMENT);
    fixture_file(fixture, "3.json", PATIENT);
    fixture_file(fixture, "4.json", PRACTITIONER);
    fixture->look = look_for_grant;
    fixture->options.register_unknown = true;
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect(fixture, 3, "Consent", IMPORT_ON_LEDGER);
    assert_int_equal(performer, TRANSACTION_BY_SUBJECT);
}

/* ---- documents that change ---------------------------------------------- */

#define VERSION_AS(id, patient, content, more)                                 \
    "{\"resourceType\":\"DocumentReference\",\"id\":\"" id "\",\"status\":"    \
    "\"current\",\"subject\":{\"reference\":\"Patient/" patient                \
    "\"},\"content\":[{\"attachment\":{\"data\":\"" content "\"}}]" more "}"
#define VERSION_OF(patient, content, more)                                     \
    VERSION_AS("d-1", patient, content, more)
#define VERSION(content, more) VERSION_OF("p-1", content, more)
#define REPLACING                                                              \
    VERSION_AS("d-2", "p-1", "dHdv",                                           \
               ",\"relatesTo\":[{\"code\":\"replaces\",\"target\":{"           \
               "\"reference\":\"DocumentReference/d-1\"}}]")
#define ENTRY(id, content)                                                     \
    "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{"        \
    "\"fullUrl\":\"urn:uuid:1\",\"resource\":" VERSION_AS(id, "p-1", content,  \
                                                          "") "}]}"
#define OTHER_PATIENT "{\"resourceType\":\"Patient\",\"id\":\"p-2\"}"
#define HIV                                                                    \
    ",\"securityLabel\":[{\"coding\":[{\"system\":\"http://terminology.hl7."   \
    "org/CodeSystem/v3-ActCode\",\"code\":\"HIV\"}]}]"

static struct {
    uint8_t record[VAULT_ID_SIZE];
    uint8_t related[VAULT_ID_SIZE]; /* The first; or zeros. */
    uint8_t retracted[VAULT_ID_SIZE];
    size_t retractions;
    int reason; /* Of the retraction. */
} version;      /* The last that was seen. */

static void look_for_version(void *context, const struct import_event *event)
{
    (void)context;
    for (uint32_t i = 0; event->type == TRANSACTION_RECORD_ANCHOR &&
                         event->steps != NULL && i < event->steps->step_count;
         i++) {
        const struct vault_step *step = &event->steps->steps[i];
        struct wire_arena arena;
        wire_arena_init(&arena, 1u << 20);
        const Salus__V1__TransactionBody *body =
            fixture_step_body(step, &arena);
        if (step->type == TRANSACTION_RECORD_RETRACT) {
            memcpy(version.retracted, body->record_retract->record.data,
                   sizeof version.retracted);
            version.reason = (int)body->record_retract->reason;
            version.retractions++;
        } else if (step->type == TRANSACTION_RECORD_ANCHOR) {
            const Salus__V1__RecordAnchor *in = body->record_anchor;
            memcpy(version.record, in->record.data, sizeof version.record);
            memset(version.related, 0, sizeof version.related);
            if (in->n_related > 0) {
                memcpy(version.related, in->related[0].data,
                       sizeof version.related);
            }
        }
        wire_arena_deinit(&arena);
    }
    look_for_ids(context, event);
}

static void expect_version(struct import_world *fixture, const char *text)
{
    fixture->look = look_for_version;
    import_next(fixture, text);
    expect(fixture, 0, "DocumentReference", IMPORT_ON_LEDGER);
}

#define DENY_DOCUMENT(meaning)                                                 \
    "{\"resourceType\":\"Consent\",\"id\":\"c-4\",\"status\":\"active\","      \
    "\"scope\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/"         \
    "CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]},\"category\":[" \
    "{\"text\":\"x\"}],\"patient\":{\"reference\":\"Patient/p-1\"},"           \
    "\"dateTime\":\"2025-03-01\",\"performer\":[{\"reference\":"               \
    "\"Patient/p-1\"}],\"sourceAttachment\":{\"title\":\"x\"},\"policy\":[{"   \
    "\"uri\":\"" POLICY_URI "\"}],\"provision\":{\"type\":\"deny\",\"data\":[" \
    "{\"meaning\":\"" meaning "\","                                            \
    "\"reference\":{\"reference\":\"DocumentReference/d-1\"}}]}}"

/* Each version is a record of its own: a deny of one of them alone would be
 * lost with the next. */
static void test_deny_of_a_document_reaches_later_versions(void **state)
{
    struct import_world *fixture = *state;
    uint8_t first[VAULT_ID_SIZE];

    fixture_file(fixture, "1.json", PATIENT);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect_version(fixture, VERSION("b25l", ""));
    memcpy(first, version.record, sizeof first);
    expect_version(fixture, VERSION("dHdv", ""));
    assert_memory_equal(version.related, first, sizeof first);
    /* Given now, it names the first; the third is related to that too. */
    import_next(fixture, DENY_DOCUMENT("instance"));
    expect(fixture, 0, "Consent", IMPORT_ON_LEDGER);
    assert_memory_equal(denied, first, sizeof first);
    assert_int_equal(denied_meaning, TRANSACTION_DEPENDENTS);
    denied_meaning = 0;
    import_next(fixture, DENY_DOCUMENT("related"));
    expect(fixture, 0, "Consent", IMPORT_ON_LEDGER);
    assert_memory_equal(denied, first, sizeof first);
    assert_int_equal(denied_meaning, TRANSACTION_DEPENDENTS);
    expect_version(fixture, VERSION("dGhyZWU=", ""));
    assert_memory_equal(version.related, first, sizeof first);
}

/* What was corrected would stay open: to whom the new labels exclude, or with
 * the result of somebody else. */
static void test_new_version_ends_the_one_before(void **state)
{
    struct import_world *fixture = *state;
    static const char *const texts[] = {
        VERSION("b25l", ""), VERSION("dHdv", ""), VERSION("dHdv", HIV),
        VERSION("dGhyZWU=", HIV)};

    version.retractions = 0;
    fixture_file(fixture, "1.json", PATIENT);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint8_t before[VAULT_ID_SIZE];
        memcpy(before, version.record, sizeof before);
        expect_version(fixture, texts[i]);
        assert_int_equal(version.retractions, i);
        if (i > 0) {
            assert_memory_equal(version.retracted, before, sizeof before);
        }
    }
}

/* The one before was never that patient's: it is no prior of this one. */
static void test_corrected_patient_gets_a_document_of_his_own(void **state)
{
    struct import_world *fixture = *state;
    static const uint8_t none[VAULT_ID_SIZE];

    version.retractions = 0;
    fixture_file(fixture, "1.json", PATIENT);
    fixture_file(fixture, "2.json", OTHER_PATIENT);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect_version(fixture, VERSION("b25l", ""));
    expect_version(fixture, VERSION_OF("p-2", "b25l", ""));
    assert_int_equal(version.retractions, 1);
    assert_int_equal(version.reason,
                     SALUS__V1__RECORD_AMEND__REASON__WRONG_PATIENT);
    assert_memory_equal(version.related, none, sizeof none);
    expect_version(fixture, VERSION_OF("p-2", "dHdv", ""));
    assert_int_equal(version.retractions, 2);
}

/* The version before has ended, and the new one was refused: the next import
 * anchors it once, and has nothing left to end. */
static void test_refused_version_is_anchored_by_the_next_import(void **state)
{
    struct import_world *fixture = *state;
    uint8_t key[PBFT_PUBLIC_KEY_SIZE];

    fixture_file(fixture, "1.json", PATIENT);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect_version(fixture, VERSION("b25l", ""));
    version.retractions = 0;
    /* A key that the ledger does not have yet, as after `newkey`. */
    memcpy(key, fixture->options.custodian_key, sizeof key);
    memset(fixture->options.custodian_key, 9, sizeof key);
    import_next(fixture, VERSION("dHdv", ""));
    expect(fixture, 0, "DocumentReference", IMPORT_REFUSED);
    assert_int_equal(fixture->events[0].code, LEDGER_KEY_STATE);
    assert_int_equal(version.retractions, 1);
    memcpy(fixture->options.custodian_key, key, sizeof key);
    expect_version(fixture, VERSION("dHdv", ""));
    assert_int_equal(version.retractions, 1);
    import_next(fixture, VERSION("dHdv", ""));
    expect(fixture, 0, "DocumentReference", IMPORT_KNOWN);
}

static uint32_t retract(struct world *world, const uint8_t id[VAULT_ID_SIZE])
{
    struct transaction_envelope envelope = world_envelope(world, HOSPITAL);
    struct transaction_bytes body = {NULL, 0};
    Salus__V1__RecordRetract message = SALUS__V1__RECORD_RETRACT__INIT;

    message.record =
        (ProtobufCBinaryData){VAULT_ID_SIZE, (uint8_t *)(uintptr_t)id};
    message.expected_version = 1;
    message.reason = SALUS__V1__RECORD_AMEND__REASON__ENTERED_IN_ERROR;
    assert_int_equal(transaction_build_payload(&body, &envelope,
                                               TRANSACTION_RECORD_RETRACT,
                                               &message.base),
                     PBFT_OK);
    uint32_t code = world_submit_signed(
        world, HOSPITAL, bytes_of(body.data, body.size), NULL, 0);
    free(body.data);
    return code;
}

/* What was wanted is so already. */
static void test_version_before_may_have_ended_by_hand(void **state)
{
    struct import_world *fixture = *state;

    fixture_file(fixture, "1.json", PATIENT);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect_version(fixture, VERSION("b25l", ""));
    assert_int_equal(retract(fixture->world, version.record), LEDGER_OK);
    expect_version(fixture, VERSION("dHdv", ""));
    uint64_t before = fixture_executed(fixture);
    import_next(fixture, VERSION("dHdv", ""));
    expect(fixture, 0, "DocumentReference", IMPORT_KNOWN);
    assert_int_equal(fixture_executed(fixture), before);
}

/* A deny of the document that is replaced reaches this one by the id of its
 * first version. */
static void test_replacing_document_is_related_to_the_first(void **state)
{
    struct import_world *fixture = *state;
    uint8_t first[VAULT_ID_SIZE];

    fixture_file(fixture, "1.json", PATIENT);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect_version(fixture, VERSION("b25l", ""));
    memcpy(first, version.record, sizeof first);
    expect_version(fixture, VERSION("dHdv", ""));
    expect_version(fixture, REPLACING);
    assert_memory_equal(version.related, first, sizeof first);
}

/* Its next version is related to it: there must be room for that. */
static void test_document_keeps_a_relation_for_its_next_version(void **state)
{
    struct import_world *fixture = *state;
    static const char *const contents[] = {"b25l", "dHdv"};
    char text[4096];

    fixture->options.register_unknown = true;
    for (size_t relations = LEDGER_RELATED_MAX; relations > 13; relations--) {
        for (size_t i = 0; i < 2; i++) {
            int size =
                snprintf(text, sizeof text,
                         "{\"resourceType\":\"DocumentReference\",\"id\":"
                         "\"d-%zu\",\"status\":\"current\",\"content\":[{"
                         "\"attachment\":{\"data\":\"%s\"}}],"
                         "\"context\":{\"encounter\":[",
                         relations, contents[i]);
            for (size_t k = 0; k < relations; k++) {
                size += snprintf(text + size, sizeof text - (size_t)size,
                                 "%s{\"reference\":\"Encounter/%zu\"}",
                                 k == 0 ? "" : ",", k);
            }
            (void)snprintf(text + size, sizeof text - (size_t)size, "]}}");
            import_next(fixture, text);
            expect(fixture, 0, "DocumentReference",
                   relations == LEDGER_RELATED_MAX ? IMPORT_REJECTED
                                                   : IMPORT_ON_LEDGER);
        }
    }
}

/* Imported elsewhere, what was retracted would be open again. */
static void test_retracted_document_is_not_exported(void **state)
{
    struct import_world *fixture = *state;
    struct fhir_gather gather = {.vault = fixture->options.vault};

    fixture_file(fixture, "1.json", PATIENT);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect_version(fixture, VERSION("b25l", ""));
    expect_version(fixture, VERSION("dHdv", ""));
    assert_int_equal(fhir_gather_run(&gather, NULL), PBFT_OK);
    assert_int_equal(gather.count, 1);
    assert_int_equal(gather.retracted, 1);
    fhir_gather_free(&gather);
}

/* ---- versions that come back -------------------------------------------- */

static void expect_replaced(struct import_world *fixture, const char *text,
                            const char *type_name)
{
    import_next(fixture, text);
    expect(fixture, 0, type_name, IMPORT_REPLACED);
    assert_int_equal(fixture->summary.outdated, 1);
}

/* The same bytes are known, and not what the ledger has. */
static void test_version_that_was_replaced_is_not_called_known(void **state)
{
    struct import_world *fixture = *state;

    add_all(fixture);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    import_next(fixture, CONSENT("active", "HPAYMT"));
    expect_replaced(fixture, CONSENT("active", "TREAT"), "Consent");
    import_next(fixture, CONSENT("active", "HPAYMT"));
    expect(fixture, 0, "Consent", IMPORT_KNOWN);
    import_next(fixture, VERSION("dHdv", ""));
    expect_replaced(fixture, DOCUMENT, "DocumentReference");
}

/* One that the ledger refused replaces nothing. */
static void test_refused_version_replaces_nothing(void **state)
{
    struct import_world *fixture = *state;
    uint8_t key[PBFT_PUBLIC_KEY_SIZE];

    fixture_file(fixture, "1.json", PATIENT);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect_version(fixture, VERSION("b25l", ""));
    expect_version(fixture, VERSION("dHdv", ""));
    memcpy(key, fixture->options.custodian_key, sizeof key);
    memset(fixture->options.custodian_key, 9, sizeof key);
    for (size_t round = 0; round < 2; round++) {
        import_next(fixture, VERSION("dGhyZWU=", ""));
        expect(fixture, 0, "DocumentReference", IMPORT_REFUSED);
    }
    memcpy(fixture->options.custodian_key, key, sizeof key);
    import_next(fixture, VERSION("dHdv", ""));
    expect(fixture, 0, "DocumentReference", IMPORT_KNOWN);
    expect_replaced(fixture, VERSION("b25l", ""), "DocumentReference");
}

/* What refers to the other one would mean this one. */
static void test_full_url_of_another_document_is_refused(void **state)
{
    struct import_world *fixture = *state;

    fixture_file(fixture, "1.json", PATIENT);
    fixture_file(fixture, "2.json", ENTRY("d-1", "b25l"));
    fixture_file(fixture, "3.json", ENTRY("d-2", "b25l"));
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect(fixture, 1, "DocumentReference", IMPORT_ON_LEDGER);
    expect(fixture, 2, "DocumentReference", IMPORT_REJECTED);
    import_next(fixture, ENTRY("d-1", "dHdv"));
    expect(fixture, 0, "DocumentReference", IMPORT_ON_LEDGER);
}

/* ---- participants that change -------------------------------------------- */

#define COLLEAGUE "{\"resourceType\":\"Practitioner\",\"id\":\"dr-2\"}"
#define GROUP(members)                                                         \
    "{\"resourceType\":\"Group\",\"id\":\"g-1\",\"type\":\"practitioner\","    \
    "\"actual\":true,\"member\":[" members "]}"
#define MEMBER(id, more)                                                       \
    "{\"entity\":{\"reference\":\"Practitioner/" id "\"}" more "}"
#define ROLE(more)                                                             \
    "{\"resourceType\":\"PractitionerRole\",\"id\":\"r-1\"" more "}"
#define DOCTOR                                                                 \
    ",\"code\":[{\"coding\":[{\"system\":\"http://terminology.hl7.org/"        \
    "CodeSystem/practitioner-role\",\"code\":\"doctor\"}]}]"

static struct {
    size_t members;
    size_t roles;
    uint64_t valid_to_ms;
} update; /* The last that was seen. */

static void look_for_update(void *context, const struct import_event *event)
{
    struct wire_arena arena;

    (void)context;
    if (event->type != TRANSACTION_PARTICIPANT_UPDATE || event->steps == NULL) {
        return;
    }
    wire_arena_init(&arena, 1u << 20);
    const Salus__V1__ParticipantUpdate *in =
        fixture_step_body(&event->steps->steps[0], &arena)->participant_update;
    update.members = in->n_members;
    update.roles = in->n_roles;
    update.valid_to_ms = in->valid_to_ms;
    wire_arena_deinit(&arena);
}

static void expect_update(struct import_world *fixture, const char *text)
{
    import_next(fixture, text);
    assert_int_equal(fixture->events[0].outcome, IMPORT_ON_LEDGER);
    assert_int_equal(fixture->events[0].type, TRANSACTION_PARTICIPANT_UPDATE);
}

/* A consent that names the group means who belongs to it now. */
static void test_changed_group_is_changed_on_the_ledger(void **state)
{
    struct import_world *fixture = *state;

    fixture->look = look_for_update;
    fixture_file(fixture, "1.json", PRACTITIONER);
    fixture_file(fixture, "2.json", COLLEAGUE);
    fixture_file(fixture, "3.json", GROUP(MEMBER("dr-1", "")));
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect_update(fixture, GROUP(MEMBER("dr-2", "") "," MEMBER(
                               "dr-1", "") "," MEMBER("dr-2", "")));
    assert_int_equal(update.members, 2);
    expect_update(fixture, GROUP(MEMBER("dr-2", "") "," MEMBER(
                               "dr-1", ",\"inactive\":true")));
    assert_int_equal(update.members, 1);
    expect_update(fixture, GROUP(MEMBER("dr-1", "") "," MEMBER("dr-2", "")));
    import_next(fixture, GROUP(MEMBER("dr-1", "") "," MEMBER("dr-2", "")));
    expect(fixture, 0, "Group", IMPORT_KNOWN);
    import_next(fixture, GROUP(MEMBER("dr-1", ",\"inactive\":true")));
    expect(fixture, 0, "Group", IMPORT_REJECTED);
    assert_string_equal(fixture->events[0].path, "member");
    import_next(fixture, GROUP(MEMBER("dr-9", "")));
    expect(fixture, 0, "Group", IMPORT_REJECTED);
}

static void test_changed_role_is_changed_on_the_ledger(void **state)
{
    struct import_world *fixture = *state;

    fixture->look = look_for_update;
    fixture_file(fixture, "1.json", ROLE(DOCTOR));
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    expect(fixture, 0, "PractitionerRole", IMPORT_ON_LEDGER);
    expect_update(fixture, ROLE(DOCTOR ",\"period\":{\"end\":\"2031\"}"));
    assert_int_equal(update.roles, 1);
    assert_true(update.valid_to_ms > 0);
    expect_update(fixture, ROLE(""));
    assert_int_equal(update.roles, 0);
    assert_int_equal(update.valid_to_ms, 0);
    /* Of a person, names are all that may change: the ledger has none. */
    import_next(fixture, PRACTITIONER);
    import_next(fixture, "{\"resourceType\":\"Practitioner\",\"id\":\"dr-1\","
                         "\"gender\":\"female\"}");
    expect(fixture, 0, "Practitioner", IMPORT_KNOWN);
}

#define NUMBERED(id, more)                                                     \
    "{\"resourceType\":\"PractitionerRole\",\"id\":\"" id                      \
    "\",\"identifier\":[{\"system\":\"urn:oid:2.999\",\"value\":\"S-1\"}"      \
    "]" more "}"

/* A staff number has several roles: none takes over those of another. */
static void test_role_with_the_number_of_another_is_rejected(void **state)
{
    struct import_world *fixture = *state;

    import_next(fixture, NUMBERED("r-1", DOCTOR));
    expect(fixture, 0, "PractitionerRole", IMPORT_ON_LEDGER);
    import_next(fixture, NUMBERED("r-2", ""));
    expect(fixture, 0, "PractitionerRole", IMPORT_REJECTED);
    assert_string_equal(fixture->events[0].path, "identifier");
    import_next(fixture, NUMBERED("r-1", ""));
    expect(fixture, 0, "PractitionerRole", IMPORT_ON_LEDGER);
}

int main(void)
{
#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_everything_gets_on_the_ledger_in_order),
        T(test_second_import_does_nothing),
        T(test_unknown_references_are_rejected),
        T(test_trials_may_register_the_unknown),
        T(test_interrupted_before_the_ledger),
        T(test_interrupted_after_the_ledger),
        T(test_inadmissible_is_not_forgotten),
        T(test_repeated_request_is_not_forgotten),
        T(test_receipt_of_a_refusal_before_is_not_the_end),
        T(test_refused_consent_is_forgotten_and_tried_again),
        T(test_changed_consent_supersedes_the_one_before),
        T(test_withdrawal_revokes_once),
        T(test_withdrawal_finds_the_grant_behind_evidence),
        T(test_grant_supersedes_the_one_behind_evidence),
        T(test_evidence_alone_cannot_be_withdrawn),
        T(test_withdrawal_of_the_unknown_is_rejected),
        T(test_document_is_found_by_its_full_url),
        T(test_changed_document_continues_the_record),
        T(test_versions_of_one_file_follow_each_other),
        T(test_patient_by_another_name_is_no_delegate),
        T(test_deny_of_a_document_reaches_later_versions),
        T(test_new_version_ends_the_one_before),
        T(test_corrected_patient_gets_a_document_of_his_own),
        T(test_refused_version_is_anchored_by_the_next_import),
        T(test_version_before_may_have_ended_by_hand),
        T(test_replacing_document_is_related_to_the_first),
        T(test_document_keeps_a_relation_for_its_next_version),
        T(test_retracted_document_is_not_exported),
        T(test_version_that_was_replaced_is_not_called_known),
        T(test_refused_version_replaces_nothing),
        T(test_full_url_of_another_document_is_refused),
        T(test_changed_group_is_changed_on_the_ledger),
        T(test_changed_role_is_changed_on_the_ledger),
        T(test_role_with_the_number_of_another_is_rejected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
