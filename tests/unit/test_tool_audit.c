/* SPDX-License-Identifier: Apache-2.0 */
/* AuditEvents and Provenance against a real ledger in memory; a day's queue
 * whose importer is killed, twice, and goes on. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/import_fixture.h"

#define DCM "http://dicom.nema.org/resources/ontology/DCM"
#define ACT_REASON "http://terminology.hl7.org/CodeSystem/v3-ActReason"
#define LIFECYCLE "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
#define PATIENT "{\"resourceType\":\"Patient\",\"id\":\"p-1\"}"
#define DOCTOR                                                                 \
    "{\"resourceType\":\"PractitionerRole\",\"id\":\"er-1\",\"code\":[{"       \
    "\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"         \
    "practitioner-role\",\"code\":\"doctor\"}]}]}"
#define CODING(system, code) "{\"system\":\"" system "\",\"code\":\"" code "\"}"
#define CONCEPT(system, code) "{\"coding\":[" CODING(system, code) "]}"
#define ENTITIES                                                               \
    "{\"what\":{\"reference\":\"Patient/p-1\"},\"role\":{\"code\":\"1\"}},"    \
    "{\"what\":{\"reference\":\"DocumentReference/d-1\"},\"role\":{"           \
    "\"code\":\"3\"}}"
/* Who asked, on what ground, and entities beyond patient and document. */
#define DISCLOSURE(id, subtype, requestor, policy, purpose, more)                                                          \
    "{\"resourceType\":\"AuditEvent\",\"id\":\"" id "\",\"type\":" CODING(                                                 \
        DCM,                                                                                                               \
        "110106") ",\"subtype\":[" subtype                                                                                 \
                  "],\"action\":\"R\",\"recorded\":\"2025-03-01T10:00:00Z\","                                              \
                  "\"outcome\":\"0\",\"purposeOfEvent\":[" CONCEPT(ACT_REASON, purpose) "],\"agent\":[{\"type\":" CONCEPT( \
                      DCM, "110153") ",\"who\":{\"display\":\"a "                                                          \
                                     "machine\"},\"requestor\":false},{"                                                   \
                                     "\"type\":" CONCEPT(                                                                  \
                                         DCM, "110152") ",\"who\":{"                                                       \
                                                        "\"reference\":"                                                   \
                                                        "\"Organization"                                                   \
                                                        "/clinic\"},"                                                      \
                                                        "\"policy\":["                                                     \
                                                        "\"" policy "\"],"                                                 \
                                                        "\"requestor\":"                                                   \
                                                        "false},{"                                                         \
                                                        "\"who\":{"                                                        \
                                                        "\"reference\":"                                                   \
                                                        "\"" requestor "\"},"                                              \
                                                        "\"requestor\":"                                                   \
                                                        "true}],"                                                          \
                                                        "\"source\":{"                                                     \
                                                        "\"observer\":{"                                                   \
                                                        "\"display\":"                                                     \
                                                        "\"x\"}},"                                                         \
                                                        "\"entity\":"                                                      \
                                                        "[" ENTITIES more "]}"
#define TOLD CODING(LIFECYCLE, "disclose")
#define BY_PATIENT(id, more)                                                   \
    DISCLOSURE(id, TOLD, "Patient/p-1", "urn:x:y", "PATRQT", more)
#define REQUEST_ID                                                             \
    ",{\"what\":{\"identifier\":{\"value\":\"76d148b6-586d\"}},\"type\":{"     \
    "\"code\":\"XrequestId\"}}"
#define ACCESS(id, time, purpose, outcome)                                     \
    "{\"resourceType\":\"AuditEvent\",\"id\":\"" id "\",\"type\":" CODING(     \
        "http://terminology.hl7.org/CodeSystem/audit-event-type",              \
        "rest") ",\"action\":\"R\",\"recorded\":\"2025-03-01T" time            \
                "\",\"outcome\":\"" outcome                                    \
                "\",\"agent\":[{\"who\":{\"reference\":\"PractitionerRole/"    \
                "er-1\"}"                                                      \
                ",\"requestor\":true,\"purposeOfUse\":[" CONCEPT(              \
                    ACT_REASON,                                                \
                    purpose) "]}],\"source\":{\"observer\":{\"display\":"      \
                             "\"x\"}},\"entity\":[" ENTITIES "]}"

/* A policy that lets emergencies be, unless a patient denied them by name. */
static void open_ledger(struct world *world)
{
    ledger_destroy(world->ledger);
    ledger_kv_memory_destroy(world->memory);
    world->policy.break_glass_override = 2;
    world_open(world, &world->memory, &world->ledger);
    world->parties[HOSPITAL].next_sequence = 1;
}

static int setup(void **state)
{
    int result = fixture_setup(state);
    struct import_world *fixture = *state;

    open_ledger(fixture->world);
    fixture->options.members[0].reference = "Organization/clinic";
    fixture->options.members[0].institution =
        fixture->world->parties[CLINIC].institution;
    fixture->options.member_count = 1;
    fixture_file(fixture, "0.json", PATIENT);
    fixture_file(fixture, "1.json", DOCTOR);
    return result;
}

/* The last event of the import. */
static const struct recorded *import_one(struct import_world *fixture,
                                         const char *text)
{
    fixture_file(fixture, "2.json", text);
    fixture->file_count = 2;
    fixture->paths[2] = fixture->files[2];
    fixture->file_count = 3;
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    fixture->file_count = 2;
    return &fixture->events[fixture->event_count - 1];
}

static void expect_disclosure(struct import_world *fixture, const char *text)
{
    const struct recorded *event = import_one(fixture, text);

    assert_int_equal(event->code, 0);
    assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
    assert_int_equal(event->type, TRANSACTION_DISCLOSURE);
}

static void expect_rejected(struct import_world *fixture, const char *text,
                            const char *path)
{
    const struct recorded *event = import_one(fixture, text);

    assert_string_equal(event->path, path);
    assert_int_equal(event->outcome, IMPORT_REJECTED);
}

static void test_patient_asked_for_it(void **state)
{
    expect_disclosure(*state, BY_PATIENT("a-1", ""));
}

/* "If there is none yet": told once, however often it is sent. */
static void test_conditional_event_is_told_once(void **state)
{
    static const char text[] =
        "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{"
        "\"request\":{\"method\":\"POST\",\"url\":\"AuditEvent\","
        "\"ifNoneExist\":\"entity=x\"},\"resource\":" BY_PATIENT("a-1",
                                                                 "") "}]}";

    assert_int_equal(import_one(*state, text)->outcome, IMPORT_ON_LEDGER);
    assert_int_equal(import_one(*state, text)->outcome, IMPORT_KNOWN);
}

static void test_bare_subtype_of_r4_is_the_same(void **state)
{
    expect_disclosure(*state,
                      DISCLOSURE("a-1", "{\"code\":\"Disclosure\"}",
                                 "Patient/p-1", "urn:x:y", "PATRQT", ""));
}

static void test_nothing_it_stands_on(void **state)
{
    struct import_world *fixture = *state;
    const char *text = DISCLOSURE("a-1", TOLD, "PractitionerRole/er-1",
                                  "urn:x:y", "HMARKT", "");

    expect_rejected(fixture, text, "agent");
    assert_int_equal(fixture_judge(fixture, 2), FHIR_REJECT);
    fixture->options.self_report = true;
    assert_int_equal(fixture_judge(fixture, 2), FHIR_ENFORCEABLE);
    expect_disclosure(fixture, text);
}

static void test_ledger_judges_the_decision_that_is_named(void **state)
{
    const struct recorded *event =
        import_one(*state, DISCLOSURE("a-1", TOLD, "Patient/p-1",
                                      "urn:salus:request:"
                                      "9f3a5d20-0000-4000-8000-00000000000a",
                                      "TREAT", ""));

    assert_int_equal(event->outcome, IMPORT_REFUSED);
    assert_int_equal(event->code, LEDGER_NO_DECISION);
    expect_rejected(*state,
                    DISCLOSURE("a-2", TOLD, "Patient/p-1",
                               "urn:salus:request:9f3a", "TREAT", ""),
                    "agent[1].policy[0]");
}

static void test_what_is_missing_is_named(void **state)
{
    expect_rejected(
        *state, DISCLOSURE("a-1", TOLD, "Patient/p-1", "urn:x:y", "ODD", ""),
        "purposeOfEvent[0]");
    expect_rejected(*state,
                    BY_PATIENT("a-2", ",{\"what\":{\"reference\":"
                                      "\"Patient/p-2\"},\"role\":{"
                                      "\"code\":\"1\"}}"),
                    "entity[2]");
    expect_rejected(*state, BY_PATIENT("a-3", ",{\"role\":{\"code\":\"3\"}}"),
                    "entity[2].what");
}

static void test_unknown_recipient_is_rejected(void **state)
{
    struct import_world *fixture = *state;

    fixture->options.member_count = 0;
    expect_rejected(fixture, BY_PATIENT("a-1", ""), "agent[1].who");
}

static void test_internal_events_stay_and_say_so(void **state)
{
    uint64_t before = 0;
    const char *const texts[] = {ACCESS("a-1", "10:00:00Z", "TREAT", "0"),
                                 ACCESS("a-2", "10:00:00Z", "BTG", "8")};

    for (size_t i = 0; i < 2; i++) {
        const struct recorded *event = import_one(*state, texts[i]);
        assert_int_equal(event->outcome, IMPORT_LOCAL);
        assert_int_equal(event->class_of, FHIR_LOCAL);
        uint64_t executed = fixture_executed(*state);
        assert_true(i == 0 || executed == before);
        before = executed;
    }
}

static void test_request_told_twice_is_one(void **state)
{
    struct import_world *fixture = *state;

    expect_disclosure(fixture, BY_PATIENT("a-1", REQUEST_ID));
    uint64_t before = fixture_executed(fixture);
    assert_int_equal(
        import_one(fixture, BY_PATIENT("a-2", REQUEST_ID))->outcome,
        IMPORT_KNOWN);
    assert_int_equal(
        import_one(fixture, BY_PATIENT("a-1", REQUEST_ID))->outcome,
        IMPORT_KNOWN);
    assert_int_equal(fixture_executed(fixture), before);
}

/* The text with one place changed. */
static const char *with(const char *text, const char *from, const char *to)
{
    static char out[8192];
    const char *at = strstr(text, from);

    assert_non_null(at);
    (void)snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, to,
                   at + strlen(from));
    return out;
}

/* IHE BALP: an event for each patient whose data a request got, all with its
 * id; and one for each recipient. */
static void test_request_for_several_is_several(void **state)
{
    struct import_world *fixture = *state;

    (void)import_one(fixture, "{\"resourceType\":\"Patient\",\"id\":\"p-2\"}");
    fixture->options.self_report = true;
    expect_disclosure(fixture, BY_PATIENT("a-1", REQUEST_ID));
    expect_disclosure(fixture, with(BY_PATIENT("a-2", REQUEST_ID),
                                    "Patient/p-1\"},\"role\"",
                                    "Patient/p-2\"},\"role\""));
    expect_disclosure(fixture,
                      with(BY_PATIENT("a-3", REQUEST_ID), "Organization/clinic",
                           "PractitionerRole/er-1"));
    assert_int_equal(
        import_one(fixture, BY_PATIENT("a-4", REQUEST_ID))->outcome,
        IMPORT_KNOWN);
}

/* Of two events of one request that disclosed different documents, neither
 * hides the other. */
static void test_request_for_other_documents_is_another(void **state)
{
    struct import_world *fixture = *state;

    expect_disclosure(fixture, BY_PATIENT("a-1", REQUEST_ID));
    expect_disclosure(fixture,
                      with(BY_PATIENT("a-2", REQUEST_ID),
                           "DocumentReference/d-1", "DocumentReference/d-2"));
}

/* Nor do two for different purposes. */
static void test_request_for_another_purpose_is_another(void **state)
{
    struct import_world *fixture = *state;

    fixture->options.self_report = true;
    expect_disclosure(fixture, BY_PATIENT("a-1", REQUEST_ID));
    expect_disclosure(fixture, DISCLOSURE("a-2", TOLD, "Patient/p-1", "urn:x:y",
                                          "HMARKT", REQUEST_ID));
}

/* What is refused tells nothing: the next event of the request, in the same
 * batch, is told itself. */
static void test_refused_event_does_not_hide_another(void **state)
{
    struct import_world *fixture = *state;

    const struct recorded *event = import_one(
        fixture,
        DISCLOSURE("a-1", TOLD, "Patient/p-1",
                   "urn:salus:request:9f000000000000000000000000000099",
                   "PATRQT", REQUEST_ID) "\n" BY_PATIENT("a-2", REQUEST_ID));
    assert_int_equal(event[-1].outcome, IMPORT_REFUSED);
    assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
    assert_int_equal(event->type, TRANSACTION_DISCLOSURE);
}

/* The glass that was broken, and what went out then, are told by two events of
 * one request. */
static void test_request_of_an_emergency_tells_both(void **state)
{
    struct import_world *fixture = *state;

    fixture->options.emergency_reason = CODES_REASON_LIFE_THREAT;
    expect_disclosure(fixture, BY_PATIENT("a-1", REQUEST_ID));
    const struct recorded *event = import_one(
        fixture, with(ACCESS("a-2", "10:00:00Z", "BTG", "0"),
                      "\"code\":\"3\"}}", "\"code\":\"3\"}}" REQUEST_ID));
    assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
    assert_int_equal(event->type, TRANSACTION_BREAK_GLASS);
}

static void test_events_do_not_change(void **state)
{
    expect_disclosure(*state, BY_PATIENT("a-1", ""));
    expect_rejected(*state, BY_PATIENT("a-1", REQUEST_ID), "id");
}

static void test_emergency_is_declared_once(void **state)
{
    struct import_world *fixture = *state;
    const struct recorded *event;

    expect_rejected(fixture, ACCESS("a-1", "10:00:00Z", "BTG", "0"), "$");
    fixture->options.emergency_reason = CODES_REASON_LIFE_THREAT;
    event = import_one(fixture, ACCESS("a-1", "10:00:00Z", "BTG", "0"));
    assert_int_equal(event->code, 0);
    assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
    assert_int_equal(event->type, TRANSACTION_BREAK_GLASS);
    event = import_one(fixture, ACCESS("a-2", "10:59:00Z", "BTG", "0"));
    assert_int_equal(event->outcome, IMPORT_LOCAL);
    event = import_one(fixture, ACCESS("a-3", "11:00:00Z", "ETREAT", "0"));
    assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
}

/* An access for an emergency, with a period that it states. */
static const struct recorded *import_emergency(struct import_world *fixture,
                                               const char *text,
                                               const char *period)
{
    char stated[256];

    (void)snprintf(stated, sizeof stated, "\"outcome\":\"0\",\"period\":{%s}",
                   period);
    return import_one(fixture, with(text, "\"outcome\":\"0\"", stated));
}

/* Told within the window of another one, it happened when it says. */
static void test_emergency_is_when_its_period_is(void **state)
{
    struct import_world *fixture = *state;
    static const char *const others[] = {
        "\"start\":\"2025-02-27T22:00:00Z\",\"end\":\"2025-02-27T22:10:00Z\"",
        "\"start\":\"2025-03-01T09:55:00Z\",\"end\":\"2025-03-01T10:10:00Z\"",
        "\"start\":\"2025-03-01T09:55:00Z\"",
        "\"end\":\"2025-03-01T09:55:00Z\""};
    const char *const texts[] = {ACCESS("b-0", "10:30:00Z", "BTG", "0"),
                                 ACCESS("b-1", "10:30:00Z", "BTG", "0"),
                                 ACCESS("b-2", "10:30:00Z", "BTG", "0"),
                                 ACCESS("b-3", "10:30:00Z", "BTG", "0")};
    const struct recorded *event;

    fixture->options.emergency_reason = CODES_REASON_LIFE_THREAT;
    for (size_t i = 0; i < 4; i++) {
        char first[4096];
        char id[8];
        /* The last that was declared is the one that is known. */
        (void)snprintf(id, sizeof id, "a-%zu", i);
        (void)snprintf(first, sizeof first, "%s",
                       with(ACCESS("a-x", "10:00:00Z", "BTG", "0"), "a-x", id));
        event = import_emergency(fixture, first,
                                 "\"start\":\"2025-03-01T10:00:00Z\",\"end\":"
                                 "\"2025-03-01T11:00:00Z\"");
        assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
        event = import_emergency(fixture, texts[i], others[i]);
        assert_int_equal(event->code, 0);
        assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
        assert_int_equal(event->type, TRANSACTION_BREAK_GLASS);
    }
}

/* However late it is told. */
static void test_emergency_of_the_same_period_is_the_same(void **state)
{
    struct import_world *fixture = *state;

    fixture->options.emergency_reason = CODES_REASON_LIFE_THREAT;
    assert_int_equal(
        import_one(fixture, ACCESS("a-1", "10:00:00Z", "BTG", "0"))->outcome,
        IMPORT_ON_LEDGER);
    assert_int_equal(
        import_emergency(fixture, ACCESS("a-2", "12:30:00Z", "BTG", "0"),
                         "\"start\":\"2025-03-01T10:10:00Z\",\"end\":"
                         "\"2025-03-01T10:20:00Z\"")
            ->outcome,
        IMPORT_LOCAL);
}

#define PROVENANCE(target, data)                                               \
    "{\"resourceType\":\"Provenance\",\"target\":[{\"reference\":\"" target    \
    "\"}],\"recorded\":\"2025-03-01T10:00:00Z\",\"agent\":[{\"who\":{"         \
    "\"display\":\"x\"}}],\"signature\":[{\"type\":[" CODING(                  \
        "urn:iso-astm:E1762-95:2013",                                          \
        "1.2.840.10065.1.12.1.5") "],\"when\":\"2025-03-01T10:00:00Z\","       \
                                  "\"who\":{\"reference\":"                    \
                                  "\"Practitioner/"                            \
                                  "dr-1\"},\"sigFormat\":\"application/"       \
                                  "jose\",\"data\":\"" data "\"}]}"
/* {"alg":"RS256"}, detached; and with two parts alone. */
#define JWS "ZXlKaGJHY2lPaUpTVXpJMU5pSjkuLmMybG4="
#define NO_JWS "ZXlKaGJHY2lPaUpTVXpJMU5pSjkuYzJsbg=="

static void test_provenance_is_checked_and_stays(void **state)
{
    assert_int_equal(
        import_one(*state, PROVENANCE("Patient/p-1", JWS))->outcome,
        IMPORT_LOCAL);
    expect_rejected(*state, PROVENANCE("Patient/p-9", JWS), "target[0]");
    expect_rejected(*state, PROVENANCE("Patient/p-1", NO_JWS),
                    "signature[0].data");
    expect_rejected(*state, PROVENANCE("Patient/p-1", "?"),
                    "signature[0].data");
}

/* ---- a day's queue ------------------------------------------------------- */

#define QUEUE 10000
#define QUEUE_LOCAL (QUEUE / 10) /* Every tenth stays. */
#define QUEUE_WRONG (QUEUE / 50) /* Every fiftieth is refused. */
#define QUEUE_TOLD (QUEUE - QUEUE_LOCAL - QUEUE_WRONG)

static void write_queue(struct import_world *fixture)
{
    static const char told[] = BY_PATIENT("%s", "");
    static const char stays[] = ACCESS("%s", "10:00:00Z", "TREAT", "0");
    static const char wrong[] =
        DISCLOSURE("%s", TOLD, "PractitionerRole/er-1", "urn:x:y", "TREAT", "");
    char line[4096];
    char id[16];

    fixture_file(fixture, "queue.ndjson", "");
    FILE *file = fopen(fixture->paths[fixture->file_count - 1], "w");
    assert_non_null(file);
    for (size_t i = 0; i < QUEUE; i++) {
        const char *form = i % 10 == 3 ? stays : i % 50 == 7 ? wrong : told;
        const char *mark = strstr(form, "%s");
        (void)snprintf(id, sizeof id, "q-%zu", i);
        (void)snprintf(line, sizeof line, "%.*s%s%s\n", (int)(mark - form),
                       form, id, mark + 2);
        assert_true(fputs(line, file) >= 0);
    }
    assert_int_equal(fclose(file), 0);
}

/* The ledger outlives the importer: what arrived there stands in a file, from
 * which the next process builds it again. */
struct queue_port {
    struct import_world *fixture;
    FILE *arrived;
    size_t submissions;
    size_t kill_at; /* Dies with this submission; 0: never. */
    bool kills_before;
};

static enum salus_status
queue_submit(void *context, struct salus_result *results,
             const struct salus_transaction *transactions, size_t count)
{
    struct queue_port *port = context;

    port->submissions++;
    if (port->submissions == port->kill_at && port->kills_before) {
        (void)raise(SIGKILL);
    }
    (void)fwrite(&count, sizeof count, 1, port->arrived);
    for (size_t i = 0; i < count; i++) {
        (void)fwrite(&transactions[i].size, sizeof transactions[i].size, 1,
                     port->arrived);
        (void)fwrite(transactions[i].data, 1, transactions[i].size,
                     port->arrived);
    }
    (void)fflush(port->arrived);
    if (port->submissions == port->kill_at) {
        (void)raise(SIGKILL);
    }
    return fixture_submit(port->fixture, results, transactions, count);
}

static bool queue_lookup(void *context, struct salus_result *result,
                         const uint8_t tx_id[SALUS_DIGEST_SIZE])
{
    struct queue_port *port = context;

    return fixture_lookup(port->fixture, result, tx_id);
}

static void replay(struct import_world *fixture, FILE *arrived)
{
    struct salus_transaction list[SALUS_TRANSACTIONS_MAX];
    struct salus_result results[SALUS_TRANSACTIONS_MAX];
    size_t count = 0;

    rewind(arrived);
    while (fread(&count, sizeof count, 1, arrived) == 1) {
        for (size_t i = 0; i < count; i++) {
            size_t size = 0;
            assert_int_equal(fread(&size, sizeof size, 1, arrived), 1);
            uint8_t *bytes = malloc(size);
            assert_int_equal(fread(bytes, 1, size, arrived), size);
            list[i] = (struct salus_transaction){bytes, size};
        }
        (void)fixture_submit(fixture, results, list, count);
        for (size_t i = 0; i < count; i++) {
            free((void *)(uintptr_t)list[i].data);
        }
    }
}

static void run_queue(struct import_world *fixture, struct queue_port *port)
{
    struct import_port tool = fixture->port;

    tool.context = port;
    tool.submit = queue_submit;
    tool.lookup = queue_lookup;
    assert_int_equal(import_run(&tool, &fixture->options, fixture->paths,
                                fixture->file_count, NULL, NULL,
                                &fixture->summary, &fixture->reason),
                     PBFT_OK);
}

/* In a process of its own, which dies. */
static void die_in_queue(struct import_world *fixture, size_t at, bool before)
{
    char path[SUPPORT_PATH_MAX + 32];
    int status = 0;

    (void)snprintf(path, sizeof path, "%s/arrived", fixture->folder);
    vault_close(fixture->options.vault);
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct queue_port port = {.fixture = fixture,
                                  .arrived = fopen(path, "a+"),
                                  .kill_at = at,
                                  .kills_before = before};
        replay(fixture, port.arrived);
        fixture_open_vault(fixture);
        run_queue(fixture, &port);
        _exit(1); /* It should have died. */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    fixture_open_vault(fixture);
}

static void test_queue_of_a_day_survives_two_deaths(void **state)
{
    struct import_world *fixture = *state;
    struct queue_port port = {.fixture = fixture};
    char path[SUPPORT_PATH_MAX + 32];
    uint64_t before = fixture_executed(fixture);

    write_queue(fixture);
    die_in_queue(fixture, 60, false); /* The ledger has it; nobody heard. */
    die_in_queue(fixture, 90, true);  /* It never got there. */
    (void)snprintf(path, sizeof path, "%s/arrived", fixture->folder);
    port.arrived = fopen(path, "a+");
    assert_non_null(port.arrived);
    replay(fixture, port.arrived);
    uint64_t arrived = fixture_executed(fixture) - before;
    assert_true(arrived > 2000 && arrived < QUEUE_TOLD);
    run_queue(fixture, &port);
    (void)fclose(port.arrived);
    /* Patient, doctor, and each disclosure: once. */
    assert_int_equal(fixture_executed(fixture) - before, QUEUE_TOLD + 2);
    const size_t *outcomes = fixture->summary.outcomes;
    assert_int_equal(outcomes[IMPORT_LOCAL], QUEUE_LOCAL);
    assert_int_equal(outcomes[IMPORT_REJECTED], QUEUE_WRONG);
    assert_int_equal(outcomes[IMPORT_KNOWN] + outcomes[IMPORT_ON_LEDGER],
                     QUEUE_TOLD + 2);
    assert_true(fixture->summary.resumed > 0);
    run_queue(fixture, &port);
    assert_int_equal(fixture->summary.outcomes[IMPORT_KNOWN], QUEUE_TOLD + 2);
    assert_int_equal(fixture_executed(fixture) - before, QUEUE_TOLD + 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_patient_asked_for_it),
        T(test_conditional_event_is_told_once),
        T(test_bare_subtype_of_r4_is_the_same),
        T(test_nothing_it_stands_on),
        T(test_ledger_judges_the_decision_that_is_named),
        T(test_what_is_missing_is_named),
        T(test_unknown_recipient_is_rejected),
        T(test_internal_events_stay_and_say_so),
        T(test_request_told_twice_is_one),
        T(test_request_for_several_is_several),
        T(test_request_for_other_documents_is_another),
        T(test_request_for_another_purpose_is_another),
        T(test_refused_event_does_not_hide_another),
        T(test_request_of_an_emergency_tells_both),
        T(test_events_do_not_change),
        T(test_emergency_is_declared_once),
        T(test_emergency_is_when_its_period_is),
        T(test_emergency_of_the_same_period_is_the_same),
        T(test_provenance_is_checked_and_stays),
        T(test_queue_of_a_day_survives_two_deaths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
