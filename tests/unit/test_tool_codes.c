/* SPDX-License-Identifier: Apache-2.0 */
/* Every field of a transaction that holds a code takes its name, too; whoever
 * writes another name is told which ones there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/tool_ask.h"
#include "client/tool_codes.h"
#include "client/tool_json.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"
#include "tests/support/body_json.h"

#define TEXT_SIZE 512

static struct salus_reason reason;

/* Numbers that are no codes. */
static bool is_plain_number(const char *field)
{
    static const char *const names[] = {"version",
                                        "table_version",
                                        "policy_version",
                                        "expected_version",
                                        "epoch_no",
                                        "algorithm",
                                        "cipher_size_bucket",
                                        "leaf_count",
                                        "leaf_schema",
                                        "index",
                                        "item_count",
                                        "delinquent_limit",
                                        "batch_step",
                                        "event_time_uncertainty_ms"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], field) == 0) {
            return true;
        }
    }
    return false;
}

static size_t codes_seen;

static void check_fields(const ProtobufCMessageDescriptor *type)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        struct tool_names names;
        if (field->type != PROTOBUF_C_TYPE_UINT32 ||
            is_plain_number(field->name)) {
            continue;
        }
        if (!tool_names_of(&names, type->short_name, field->name)) {
            fail_msg("%s.%s has no names", type->short_name, field->name);
        }
        codes_seen++;
    }
}

static void test_every_code_field_has_names(void **state)
{
    const ProtobufCMessageDescriptor *body =
        &salus__v1__transaction_body__descriptor;
    (void)state;
    codes_seen = 0;
    check_fields(body);
    for (unsigned i = 0; i < body->n_fields; i++) {
        if (body->fields[i].type == PROTOBUF_C_TYPE_MESSAGE &&
            strcmp(body->fields[i].name, "codetable_publish") != 0) {
            check_fields(body->fields[i].descriptor);
        }
    }
    check_fields(&salus__v1__selector__descriptor);
    check_fields(&salus__v1__selector__actor__descriptor);
    assert_true(codes_seen > 25);
}

static void test_scalar_fields_take_names(void **state)
{
    static const char text[] =
        "{\"access_request\": {\"purpose\": \"TREAT\", \"action\": \"access\","
        " \"basis\": \"court-order\", \"confidentiality_max\": \"N\","
        " \"classes\": [\"laboratory\"]}}";
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    (void)state;
    assert_int_equal(body_from_json(text, &arena, &message, &reason), PBFT_OK);
    const Salus__V1__AccessRequest *in =
        ((const Salus__V1__TransactionBody *)message)->access_request;
    assert_int_equal(in->purpose, CODES_PURPOSE_TREAT);
    assert_int_equal(in->confidentiality_max, CODES_CONF_N);
    assert_string_equal(codes_by_id(CODES_ACTION, in->action)->code, "access");
    assert_string_equal(codes_by_id(CODES_LEGAL_BASIS, in->basis)->code,
                        "court-order");
    wire_arena_deinit(&arena);
}

/* The table depends on the message, and words are numbers from 1. */
static void test_message_chooses_the_table(void **state)
{
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    (void)state;
    assert_int_equal(body_from_json("{\"break_glass\": {\"reason\": "
                                    "\"life-threat\", \"purpose\": \"BTG\"}}",
                                    &arena, &message, &reason),
                     PBFT_OK);
    wire_arena_deinit(&arena);
    assert_int_equal(body_from_json("{\"consent_revoke\": {\"reason\": "
                                    "\"life-threat\"}}",
                                    &arena, &message, &reason),
                     PBFT_MALFORMED);
    assert_non_null(strstr(reason.text, "withdrawn-by-subject"));
    wire_arena_deinit(&arena);
    assert_int_equal(
        body_from_json("{\"policy_publish\": {\"implicit_consent\": "
                       "\"deny\"}}",
                       &arena, &message, &reason),
        PBFT_OK);
    assert_int_equal(((const Salus__V1__TransactionBody *)message)
                         ->policy_publish->implicit_consent,
                     4);
    wire_arena_deinit(&arena);
}

static void test_errors_list_the_names(void **state)
{
    static const char *const cases[][2] = {
        {"{\"access_request\": {\"basis\": \"because\"}}",
         "public-health, required-by-law, court-order"},
        {"{\"access_request\": {\"purpose\": \"\"}}", "TREAT, CLINTRL"},
        {"{\"record_anchor\": {\"confidentiality\": \"n\"}}",
         "U, L, M, N, R, V"},
        {"{\"consent_grant\": {\"base_decision\": \"permit\"}}",
         "not one of PERMIT, DENY"},
        {"{\"record_anchor\": {\"algorithm\": \"AES\"}}", "has no names"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wire_arena arena;
        struct ProtobufCMessage *message = NULL;
        assert_int_equal(body_from_json(cases[i][0], &arena, &message, &reason),
                         PBFT_MALFORMED);
        if (strstr(reason.text, cases[i][1]) == NULL) {
            fail_msg("%s", reason.text);
        }
        wire_arena_deinit(&arena);
    }
}

/* Bits of 64 records: the number that JSON integers do not reach. */
static void test_large_numbers_stand_in_quotes(void **state)
{
    static const char text[] = "{\"access_decision\": {\"granted\": "
                               "\"18446744073709551615\", \"expires_ms\": "
                               "\"7\"}}";
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    (void)state;
    assert_int_equal(body_from_json(text, &arena, &message, &reason), PBFT_OK);
    const Salus__V1__AccessDecision *in =
        ((const Salus__V1__TransactionBody *)message)->access_decision;
    assert_true(in->granted == UINT64_MAX);
    assert_int_equal(in->expires_ms, 7);
    json_t *json = tool_json_of(&in->base);
    assert_string_equal(json_string_value(json_object_get(json, "granted")),
                        "18446744073709551615");
    assert_int_equal(json_integer_value(json_object_get(json, "expires_ms")),
                     7);
    json_decref(json);
    wire_arena_deinit(&arena);
}

static void test_numbers_have_a_range(void **state)
{
    static const char *const cases[][2] = {
        {"{\"access_decision\": {\"granted\": \"18446744073709551616\"}}",
         "from 0 to 18446744073709551615"},
        {"{\"access_decision\": {\"granted\": \"-1\"}}", "from 0 to"},
        {"{\"access_decision\": {\"granted\": \"\"}}", "from 0 to"},
        {"{\"access_decision\": {\"granted\": \" 1\"}}", "from 0 to"},
        {"{\"access_decision\": {\"granted\": -1}}", "from 0 to"},
        {"{\"access_decision\": {\"granted\": 1.0}}", "from 0 to"},
        {"{\"record_anchor\": {\"algorithm\": 4294967296}}",
         "from 0 to 4294967295"},
        /* Not 1, which is what its lower half says. */
        {"{\"consent_grant\": {\"base_decision\": 4294967297}}",
         "not one of PERMIT, DENY"},
        {"{\"consent_grant\": {\"base_decision\": -4294967295}}",
         "not one of PERMIT, DENY"},
        {"{\"consent_grant\": []}", "not an object"},
        {"{\"consent_grant\": {\"consent\": \"abc\"}}", "pairs of 0-9"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wire_arena arena;
        struct ProtobufCMessage *message = NULL;
        if (body_from_json(cases[i][0], &arena, &message, &reason) !=
                PBFT_MALFORMED ||
            strstr(reason.text, cases[i][1]) == NULL) {
            fail_msg("%s: %s", cases[i][0], reason.text);
        }
        wire_arena_deinit(&arena);
    }
}

/* A list that does not fit says so. */
static void test_long_lists_are_cut(void **state)
{
    const struct tool_names names = {.table = CODES_PURPOSE};
    char list[TOOL_NAMES_SIZE];
    (void)state;
    tool_names_list(&names, list);
    assert_true(strlen(list) < sizeof list);
    assert_string_equal(list + strlen(list) - 5, ", ...");
    assert_int_equal(tool_names_find(&names, "HRESCH"), CODES_PURPOSE_HRESCH);
    assert_int_equal(tool_names_find(&names, ""), 0);
}

/* ---- times --------------------------------------------------------------- */

static void test_times_of_the_command_line(void **state)
{
    static const char *const wrong[] = {"yesterday",
                                        "",
                                        "2026-13-01",
                                        "2026-02-30",
                                        "2026-11-28T24:00:00Z",
                                        "2026-11-28T10:61:00Z",
                                        "2026-11-28T10:15:00",
                                        "2026-11-28T10:15:00+01:00",
                                        "2026-11-28 10:15",
                                        "-5",
                                        "1969-12-31",
                                        "2026-11",
                                        "18446744073709552",
                                        "2026--1-05"};
    static const struct {
        const char *text;
        uint64_t ms;
    } right[] = {{"1970-01-01", 0},
                 {"2024-02-29", 1709164800000},
                 {"2026-12-31T23:59:59Z", 1798761599000},
                 {"1795892653666", 1795892653666},
                 {"0", 0}};
    uint64_t ms = 0;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (tool_time_read(&tool_bg, wrong[i], &ms)) {
            fail_msg("%s", wrong[i]);
        }
    }
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        assert_true(tool_time_read(&tool_bg, right[i].text, &ms));
        assert_int_equal(ms, right[i].ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_field_has_names),
        cmocka_unit_test(test_scalar_fields_take_names),
        cmocka_unit_test(test_message_chooses_the_table),
        cmocka_unit_test(test_errors_list_the_names),
        cmocka_unit_test(test_large_numbers_stand_in_quotes),
        cmocka_unit_test(test_numbers_have_a_range),
        cmocka_unit_test(test_long_lists_are_cut),
        cmocka_unit_test(test_times_of_the_command_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
