/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as tables: an explained decision names its rule and what the selector
 * says that decided. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/fhir_display.h"
#include "client/tool_answer.h"
#include "client/tool_directory.h"
#include "proto/genesis.h"

#define TEXT_SIZE 8192

/* What is printed, as text. */
static const struct tool_directory *directory; /* Of the test at hand. */

static void printed(const Salus__V1__Answer *answer, char text[TEXT_SIZE])
{
    struct tool_answer_view view = {.directory = directory};
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fflush(stdout), 0);
    int kept = dup(STDOUT_FILENO);
    assert_true(kept >= 0);
    assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
    tool_answer_print(&view, answer, true);
    (void)fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    (void)close(kept);
    rewind(file);
    text[fread(text, 1, TEXT_SIZE - 1, file)] = 0;
    (void)fclose(file);
}

static void expect_line(const char *text, const char *line)
{
    if (strstr(text, line) == NULL) {
        fail_msg("no \"%s\" in:\n%s", line, text);
    }
}

/* One consent that spoke by its second exception, and one that was silent. */
static void test_decision_is_told_in_words(void **state)
{
    uint8_t ids[3][16] = {{1}, {2}, {3}};
    uint32_t purposes[] = {CODES_PURPOSE_TREAT, CODES_PURPOSE_HRESCH};
    uint32_t levels[] = {CODES_CONF_N};
    ProtobufCBinaryData tags[] = {{16, ids[2]}};
    Salus__V1__Selector__Actor actor = SALUS__V1__SELECTOR__ACTOR__INIT;
    Salus__V1__Selector__Actor role = SALUS__V1__SELECTOR__ACTOR__INIT;
    Salus__V1__Selector__Actor *actors[] = {&actor, &role};
    Salus__V1__Selector selector = SALUS__V1__SELECTOR__INIT;
    Salus__V1__Voice spoke = SALUS__V1__VOICE__INIT;
    Salus__V1__Voice silent = SALUS__V1__VOICE__INIT;
    Salus__V1__Voice *voices[] = {&spoke, &silent};
    Salus__V1__DecisionState decision = SALUS__V1__DECISION_STATE__INIT;
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    char text[TEXT_SIZE];
    (void)state;
    actor.kind = SALUS__V1__SELECTOR__ACTOR__KIND__PARTICIPANT;
    actor.id = (ProtobufCBinaryData){16, ids[2]};
    role.kind = SALUS__V1__SELECTOR__ACTOR__KIND__ROLE;
    role.role = CODES_ROLE_DOCTOR;
    selector.purposes = purposes;
    selector.n_purposes = 2;
    selector.confidentiality = levels;
    selector.n_confidentiality = 1;
    selector.tags = tags;
    selector.n_tags = 1;
    selector.actors = actors;
    selector.n_actors = 2;
    selector.data_to_ms = 1640995200000;
    spoke.consent = (ProtobufCBinaryData){16, ids[0]};
    spoke.denied = 1;
    spoke.selector = 2;
    spoke.matched = &selector;
    spoke.decision = SALUS__V1__DECISION__DENY;
    silent.consent = (ProtobufCBinaryData){16, ids[1]};
    silent.selector = 255;
    decision.rule = SALUS__V1__DECISION_RULE__RULE_DENIED;
    decision.voices = voices;
    decision.n_voices = 2;
    answer.kind_case = SALUS__V1__ANSWER__KIND_DECISION;
    answer.decision = &decision;
    printed(&answer, text);
    expect_line(text, "because            a consent denies\n");
    assert_null(strstr(text, "RULE_"));
    expect_line(text,
                "01000000000000000000000000000000, exception 2, deny: purposes "
                "TREAT,HRESCH; confidentiality N; blinded labels 1; data "
                "before 2022-01-01T00:00:00.000000Z; for "
                "03000000000000000000000000000000; or doctor\n");
    assert_null(strstr(text, "02000000000000000000000000000000, "));
    /* A root that names nothing says everything. */
    salus__v1__selector__init(&selector);
    spoke.selector = 0;
    spoke.decision = SALUS__V1__DECISION__PERMIT;
    decision.rule = SALUS__V1__DECISION_RULE__RULE_INDETERMINATE;
    printed(&answer, text);
    expect_line(text, ", root, permit: everything\n");
    expect_line(text, "a privacy officer settles it\n");
}

/* Which of the records, in words; the bits of 64 of them, all set, are no
 * negative number. */
static void test_bits_are_told_as_records(void **state)
{
    uint8_t id[16] = {1};
    ProtobufCBinaryData records[64];
    Salus__V1__Voice voice = SALUS__V1__VOICE__INIT;
    Salus__V1__Voice *voices[] = {&voice};
    Salus__V1__DecisionState decision = SALUS__V1__DECISION_STATE__INIT;
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    char text[TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < 64; i++) {
        records[i] = (ProtobufCBinaryData){16, id};
    }
    decision.records = records;
    decision.n_records = 64;
    decision.computed = UINT64_MAX;
    decision.granted = UINT64_C(0xf000000000000015);
    voice.denied = UINT64_MAX;
    voice.selector = 1;
    voice.consent = records[0];
    decision.voices = voices;
    decision.n_voices = 1;
    answer.kind_case = SALUS__V1__ANSWER__KIND_DECISION;
    answer.decision = &decision;
    printed(&answer, text);
    expect_line(text, "the rule permits   all of 64 records\n");
    expect_line(text, "granted            1,3,5,61-64 of 64 records\n");
    expect_line(text, "01000000000000000000000000000000  1-64    -        "
                      "-                exception 1  -\n");
    decision.n_records = 3;
    decision.computed = 0;
    decision.granted = 7;
    printed(&answer, text);
    expect_line(text, "the rule permits   none of 3 records\n");
    expect_line(text, "granted            all of 3 records\n");
    decision.n_records = 0; /* Of the patient. */
    decision.granted = 1;
    printed(&answer, text);
    expect_line(text, "the rule permits   no\n");
    expect_line(text, "granted            yes\n");
}

/* No name of the schema is left in a table: every value that can be answered
 * has words. */
static void test_enums_are_told_in_words(void **state)
{
    const ProtobufCEnumDescriptor *const enums[] = {
        &salus__v1__consent_status__descriptor,
        &salus__v1__consent_history__event__kind__descriptor,
        &salus__v1__record_state__status__descriptor,
        &salus__v1__decision_rule__descriptor,
        &salus__v1__decision__descriptor,
        &salus__v1__break_glass_list__state__descriptor,
        &salus__v1__obligations__kind__descriptor,
    };
    char text[256];
    (void)state;
    for (size_t i = 0; i < sizeof enums / sizeof enums[0]; i++) {
        for (unsigned k = 0; k < enums[i]->n_values; k++) {
            const ProtobufCEnumValue *value = &enums[i]->values[k];
            json_t *name = json_string(value->name);
            tool_answer_word(text, sizeof text, name);
            json_decref(name);
            assert_string_not_equal(text, value->name);
            assert_int_equal(strcmp(text, "-") == 0, value->value == 0);
        }
    }
    /* A replica of tomorrow may answer what has no name here. */
    json_t *number = json_integer(17);
    tool_answer_word(text, sizeof text, number);
    json_decref(number);
    assert_string_equal(text, "17");
    tool_answer_word(text, sizeof text, NULL);
    assert_string_equal(text, "-");
}

/* What a privacy officer acts on stands in the table: an emergency whose review
 * is open, and a row of the wrong patient. */
static void test_accounting_shows_what_to_do(void **state)
{
    uint8_t ids[2][16] = {{1}, {2}};
    Salus__V1__Accounting__Row row = SALUS__V1__ACCOUNTING__ROW__INIT;
    Salus__V1__Accounting__Row *rows[] = {&row};
    Salus__V1__Accounting accounting = SALUS__V1__ACCOUNTING__INIT;
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    char text[TEXT_SIZE];
    (void)state;
    row.break_glass = (ProtobufCBinaryData){16, ids[0]};
    row.recipient_participant = (ProtobufCBinaryData){16, ids[1]};
    row.break_glass_state = SALUS__V1__BREAK_GLASS_LIST__STATE__STATE_OPEN;
    row.wrong_patient = true;
    accounting.rows = rows;
    accounting.n_rows = 1;
    answer.kind_case = SALUS__V1__ANSWER__KIND_ACCOUNTING;
    answer.accounting = &accounting;
    printed(&answer, text);
    expect_line(text,
                "emergency                         its review  suspended  "
                "wrong patient  tx\n");
    expect_line(text,
                "01000000000000000000000000000000  open        no         "
                "yes            -\n");
    expect_line(text, "02000000000000000000000000000000");
    row.break_glass = (ProtobufCBinaryData){0, NULL};
    row.break_glass_state = 0;
    printed(&answer, text);
    expect_line(text, "-          -           no         yes            -\n");
}

/* Without a consent there is no selector, and 0 is the root of one. */
static void test_who_may_names_selectors(void **state)
{
    uint8_t id[16] = {7};
    Salus__V1__WhoMay__Row none = SALUS__V1__WHO_MAY__ROW__INIT;
    Salus__V1__WhoMay__Row root = SALUS__V1__WHO_MAY__ROW__INIT;
    Salus__V1__WhoMay__Row third = SALUS__V1__WHO_MAY__ROW__INIT;
    Salus__V1__WhoMay__Row *rows[] = {&none, &root, &third};
    Salus__V1__WhoMay who = SALUS__V1__WHO_MAY__INIT;
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    char text[TEXT_SIZE];
    (void)state;
    root.consent = (ProtobufCBinaryData){16, id};
    third.consent = root.consent;
    third.selector = 3;
    who.rows = rows;
    who.n_rows = 3;
    answer.kind_case = SALUS__V1__ANSWER__KIND_WHO_MAY;
    answer.who_may = &who;
    printed(&answer, text);
    expect_line(text, "-                                 -\n");
    expect_line(text, "07000000000000000000000000000000  root\n");
    expect_line(text, "07000000000000000000000000000000  exception 3\n");
}

/* A selector is told to its end, however long its lists are. */
static void test_full_selectors_are_not_cut(void **state)
{
    uint32_t purposes[64];
    uint8_t id[16] = {9};
    Salus__V1__Selector selector = SALUS__V1__SELECTOR__INIT;
    Salus__V1__Voice voice = SALUS__V1__VOICE__INIT;
    Salus__V1__Voice *voices[] = {&voice};
    Salus__V1__DecisionState decision = SALUS__V1__DECISION_STATE__INIT;
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    char text[TEXT_SIZE];
    size_t count = 0;
    (void)state;
    const struct codes_entry *entries = codes_entries(CODES_PURPOSE, &count);
    for (size_t i = 0; i < 64; i++) {
        purposes[i] = entries[i % count].id;
    }
    selector.purposes = purposes;
    selector.n_purposes = 64;
    selector.data_to_ms = 1640995200000;
    voice.consent = (ProtobufCBinaryData){16, id};
    voice.matched = &selector;
    voice.decision = SALUS__V1__DECISION__DENY;
    decision.voices = voices;
    decision.n_voices = 1;
    answer.kind_case = SALUS__V1__ANSWER__KIND_DECISION;
    answer.decision = &decision;
    printed(&answer, text);
    expect_line(text, entries[63 % count].code);
    expect_line(text, "; data before 2022-01-01T00:00:00.000000Z\n");
}

/* What held since when stands below the consents and their selectors. */
static void test_what_held_is_told_last(void **state)
{
    uint8_t id[16] = {1};
    Salus__V1__Selector selector = SALUS__V1__SELECTOR__INIT;
    Salus__V1__Voice voice = SALUS__V1__VOICE__INIT;
    Salus__V1__Voice *voices[] = {&voice};
    Salus__V1__DecisionState__Held held[2];
    Salus__V1__DecisionState__Held *list[] = {&held[0], &held[1]};
    Salus__V1__DecisionState decision = SALUS__V1__DECISION_STATE__INIT;
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    char text[TEXT_SIZE];
    (void)state;
    voice.consent = (ProtobufCBinaryData){16, id};
    voice.matched = &selector;
    voice.decision = SALUS__V1__DECISION__PERMIT;
    for (uint32_t i = 0; i < 2; i++) {
        salus__v1__decision_state__held__init(&held[i]);
        held[i].since_ms = 1640995200000;
        held[i].number = 1 - i;
        held[i].granted = i;
        held[i].basis = CODES_BASIS_COURT_ORDER;
    }
    decision.voices = voices;
    decision.n_voices = 1;
    decision.held = list;
    decision.n_held = 2;
    answer.kind_case = SALUS__V1__ANSWER__KIND_DECISION;
    answer.decision = &decision;
    printed(&answer, text);
    const char *selectors = strstr(text, ", root, permit: everything\n");
    const char *last =
        strstr(text, "2022-01-01T00:00:00.000000Z  1         -        "
                     "court-order\n"
                     "2022-01-01T00:00:00.000000Z  0         1        "
                     "court-order\n");
    assert_non_null(selectors);
    assert_non_null(last);
    assert_true(selectors < last);
}

/* An emergency: the rule, who denied it by name, the review. */
static void test_emergency_is_told_in_words(void **state)
{
    uint8_t ids[2][16] = {{1}, {2}};
    uint32_t purposes[] = {CODES_PURPOSE_BTG};
    Salus__V1__Selector selector = SALUS__V1__SELECTOR__INIT;
    Salus__V1__Voice voice = SALUS__V1__VOICE__INIT;
    Salus__V1__Voice *voices[] = {&voice};
    Salus__V1__EmergencyState emergency = SALUS__V1__EMERGENCY_STATE__INIT;
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    ProtobufCBinaryData records[] = {{16, ids[0]}, {16, ids[1]}};
    char text[TEXT_SIZE];
    (void)state;
    selector.purposes = purposes;
    selector.n_purposes = 1;
    voice.consent = (ProtobufCBinaryData){16, ids[0]};
    voice.denied = 2;
    voice.named = 2;
    voice.selector = 0;
    voice.matched = &selector;
    voice.decision = SALUS__V1__DECISION__DENY;
    emergency.records = records;
    emergency.n_records = 2;
    emergency.reason = CODES_REASON_LIFE_THREAT;
    emergency.override = SALUS__V1__EMERGENCY_OVERRIDE__OVERRIDE_UNLESS_DENIED;
    emergency.rule = SALUS__V1__EMERGENCY_RULE__EMERGENCY_NOT_DENIED;
    emergency.opened = 1;
    emergency.named = 2;
    emergency.state = SALUS__V1__BREAK_GLASS_LIST__STATE__STATE_BREACH;
    emergency.finding = SALUS__V1__BREAK_GLASS_REVIEW__FINDING__NOT_JUSTIFIED;
    emergency.follow_up = SALUS__V1__BREAK_GLASS_REVIEW__FOLLOW_UP__SANCTION;
    emergency.voices = voices;
    emergency.n_voices = 1;
    answer.kind_case = SALUS__V1__ANSWER__KIND_EMERGENCY;
    answer.emergency = &emergency;
    printed(&answer, text);
    expect_line(text, "reason             life-threat\n");
    expect_line(text,
                "the policy lets    all that no consent denies by name\n");
    expect_line(text, "it opens           1 of 2 records\n");
    expect_line(text, "because            no consent denies emergencies by "
                      "name\n");
    expect_line(text, "denied by name     2 of 2 records\n");
    expect_line(text, "review             breach\n");
    expect_line(text, "finding            not justified\n");
    expect_line(text, "follow-up          sanction\n");
    expect_line(text, "consent                           denies by name");
    expect_line(text,
                "01000000000000000000000000000000, root, deny: purposes BTG\n");
}

/* ---- institutions -------------------------------------------------------- */

#define FOUNDER "11000000000000000000000000000000"
#define LATER "22000000000000000000000000000000"
#define NAMESAKE "33000000000000000000000000000000"
#define UNKNOWN "44000000000000000000000000000000"

static struct salus_member founder = {.institution = {{0x11}},
                                      .name = "st-anna",
                                      .legal_name = "Hospital of St. Anna",
                                      .country = "AT"};
static struct salus_genesis genesis = {.members = &founder, .member_count = 1};
static uint8_t institution_ids[4][16] = {{0x11}, {0x22}, {0x33}, {0x44}};

/* A directory of the founder and two that came later, the second of which has
 * taken the founder's name. */
static void make_directory(struct tool_directory *out)
{
    Salus__V1__InstitutionAdmit__Identifier npi =
        SALUS__V1__INSTITUTION_ADMIT__IDENTIFIER__INIT;
    Salus__V1__InstitutionAdmit__Identifier *ids[] = {&npi};
    char *endpoints[] = {(char *)"https://clinic.example/fhir"};
    Salus__V1__InstitutionList__Row later =
        SALUS__V1__INSTITUTION_LIST__ROW__INIT;
    Salus__V1__InstitutionList__Row namesake =
        SALUS__V1__INSTITUTION_LIST__ROW__INIT;
    Salus__V1__InstitutionList__Row *rows[] = {&later, &namesake};
    Salus__V1__InstitutionList list = SALUS__V1__INSTITUTION_LIST__INIT;
    npi.system = (char *)"NPI";
    npi.value = (char *)"1234567893";
    later.institution = (ProtobufCBinaryData){16, institution_ids[1]};
    later.name = (char *)"clinic";
    later.legal_name = (char *)"Clinic on the Lake";
    later.country = (char *)"AT";
    later.ids = ids;
    later.n_ids = 1;
    later.endpoints = endpoints;
    later.n_endpoints = 1;
    namesake.institution = (ProtobufCBinaryData){16, institution_ids[2]};
    namesake.name = founder.name;
    namesake.legal_name = (char *)"Not St. Anna";
    namesake.country = (char *)"XX";
    list.rows = rows;
    list.n_rows = 2;
    tool_directory_begin(out, &genesis);
    tool_directory_learn(out, &list, TOOL_TOLD_CERTIFIED);
}

/* Who was admitted later is named, with an address; a name that another one has
 * is not enough; who is unknown has the id. */
static void test_accounting_names_who_came_later(void **state)
{
    struct tool_directory known;
    Salus__V1__Accounting__Row row[3];
    Salus__V1__Accounting__Row *rows[] = {&row[0], &row[1], &row[2]};
    Salus__V1__Accounting accounting = SALUS__V1__ACCOUNTING__INIT;
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    struct pbft_institution missing[2];
    char text[TEXT_SIZE];
    json_t *ids = json_object();
    (void)state;
    make_directory(&known);
    for (size_t i = 0; i < 3; i++) {
        salus__v1__accounting__row__init(&row[i]);
        row[i].source = (ProtobufCBinaryData){16, institution_ids[0]};
        row[i].recipient = (ProtobufCBinaryData){16, institution_ids[i + 1]};
    }
    accounting.rows = rows;
    accounting.n_rows = 3;
    answer.kind_case = SALUS__V1__ANSWER__KIND_ACCOUNTING;
    answer.accounting = &accounting;
    directory = &known;
    printed(&answer, text);
    directory = NULL;
    expect_line(text, "  st-anna  clinic  ");
    expect_line(text, "  st-anna  st-anna(" NAMESAKE ")  ");
    expect_line(text, "  st-anna  " UNKNOWN "  ");
    expect_line(text, FOUNDER "  Hospital of St. Anna  AT       -");
    expect_line(text, LATER "  Clinic on the Lake    AT       NPI 1234567893  "
                            "https://clinic.example/fhir\n");
    expect_line(text, NAMESAKE "  Not St. Anna          XX       -");
    expect_line(text, UNKNOWN "  -                     -        -");
    tool_answer_named(ids, &answer);
    assert_int_equal(json_object_size(ids), 4);
    assert_int_equal(tool_directory_missing(&known, ids, missing, 2), 1);
    assert_memory_equal(missing[0].bytes, institution_ids[3], 16);
    json_decref(ids);
    tool_directory_end(&known);
}

static void learn_names(struct tool_directory *known, const char *name)
{
    Salus__V1__InstitutionList__Row row[2];
    Salus__V1__InstitutionList__Row *rows[] = {&row[0], &row[1]};
    Salus__V1__InstitutionList list = SALUS__V1__INSTITUTION_LIST__INIT;
    for (size_t i = 0; i < 2; i++) {
        salus__v1__institution_list__row__init(&row[i]);
        row[i].institution = (ProtobufCBinaryData){16, institution_ids[i + 1]};
        row[i].name = (char *)(uintptr_t)name;
    }
    list.rows = rows;
    list.n_rows = 2;
    tool_directory_begin(known, &genesis);
    tool_directory_learn(known, &list, TOOL_TOLD_LOCAL);
}

static void expect_name(const struct tool_directory *known, const char *id,
                        const char *expected)
{
    char text[128];
    tool_directory_name(text, sizeof text, known, id);
    assert_string_equal(text, expected);
}

/* Of two that came later neither has a better right to a name. A replica that
 * lies writes nothing but names. */
static void test_namesakes_are_told_apart(void **state)
{
    static const char endless[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    struct tool_directory known;
    (void)state;
    learn_names(&known, "clinic");
    expect_name(&known, LATER, "clinic(" LATER ")");
    expect_name(&known, NAMESAKE, "clinic(" NAMESAKE ")");
    tool_directory_end(&known);
    learn_names(&known, "st-anna");
    expect_name(&known, FOUNDER, "st-anna");
    expect_name(&known, LATER, "st-anna(" LATER ")");
    tool_directory_end(&known);
    learn_names(&known, "\x1b[2J\n");
    expect_name(&known, LATER, "?[2J?(" LATER ")");
    tool_directory_end(&known);
    learn_names(&known, endless);
    expect_name(&known, LATER, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(" LATER ")");
    tool_directory_end(&known);
}

/* A reference by id says the name too; what names by itself is left alone. */
static void test_export_says_names_beside_ids(void **state)
{
    static const char before[] =
        "{\"resourceType\":\"AuditEvent\",\"agent\":[{\"who\":{\"identifier\":"
        "{\"system\":\"%s\",\"value\":\"institution/%s\"}%s}},"
        "{\"who\":{\"identifier\":{\"system\":\"%s\",\"value\":"
        "\"participant/" LATER "\"}}},{\"who\":{\"reference\":"
        "\"Organization/1\"}}]}";
    static const char *const cases[][2] = {
        {FOUNDER, ",\"display\":\"Hospital of St. Anna\""},
        {LATER, ",\"display\":\"Clinic on the Lake\""},
        {UNKNOWN, ""}};
    const struct pbft_digest chain = {{5}};
    struct fhir_display display = {.client = NULL};
    (void)state;
    fhir_display_begin(&display, &genesis, &chain);
    tool_directory_end(&display.directory);
    make_directory(&display.directory);
    for (size_t i = 0; i < 3; i++) {
        char expected[1024];
        char *resource = malloc(1024);
        assert_non_null(resource);
        (void)snprintf(resource, 1024, before, display.system, cases[i][0], "",
                       display.system);
        (void)snprintf(expected, 1024, before, display.system, cases[i][0],
                       cases[i][1], display.system);
        assert_int_equal(fhir_display_add(&display, &resource), PBFT_OK);
        assert_string_equal(resource, expected);
        free(resource);
    }
    assert_int_equal(display.unnamed, 1);
    display.unnamed = 0;
    fhir_display_end(&display);
}

/* The directory itself, with lists in one cell. */
static void test_directory_is_a_table(void **state)
{
    uint32_t roles[] = {1, 3};
    char *endpoints[] = {(char *)"https://a.example",
                         (char *)"https://b.example"};
    Salus__V1__InstitutionList__Row row =
        SALUS__V1__INSTITUTION_LIST__ROW__INIT;
    Salus__V1__InstitutionList__Row *rows[] = {&row};
    Salus__V1__InstitutionList list = SALUS__V1__INSTITUTION_LIST__INIT;
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    char text[TEXT_SIZE];
    (void)state;
    row.institution = (ProtobufCBinaryData){16, institution_ids[1]};
    row.name = (char *)"clinic";
    row.roles = roles;
    row.n_roles = 2;
    row.endpoints = endpoints;
    row.n_endpoints = 2;
    row.state = SALUS__V1__INSTITUTION_LIST__STATE__INSTITUTION_SUSPENDED;
    row.state_seq = 17;
    list.rows = rows;
    list.n_rows = 1;
    answer.kind_case = SALUS__V1__ANSWER__KIND_INSTITUTIONS;
    answer.institutions = &list;
    printed(&answer, text);
    expect_line(text, "clinic  " LATER "  suspended  17 ");
    expect_line(text, "provider,research  -          https://a.example, "
                      "https://b.example  -\n");
    expect_line(text, "1 rows\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounting_names_who_came_later),
        cmocka_unit_test(test_namesakes_are_told_apart),
        cmocka_unit_test(test_export_says_names_beside_ids),
        cmocka_unit_test(test_directory_is_a_table),
        cmocka_unit_test(test_decision_is_told_in_words),
        cmocka_unit_test(test_bits_are_told_as_records),
        cmocka_unit_test(test_enums_are_told_in_words),
        cmocka_unit_test(test_accounting_shows_what_to_do),
        cmocka_unit_test(test_who_may_names_selectors),
        cmocka_unit_test(test_full_selectors_are_not_cut),
        cmocka_unit_test(test_what_held_is_told_last),
        cmocka_unit_test(test_emergency_is_told_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
