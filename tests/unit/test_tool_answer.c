/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as tables: an explained decision names its rule and what the selector
 * says that decided. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/tool_answer.h"

#define TEXT_SIZE 8192

/* What is printed, as text. */
static void printed(const Salus__V1__Answer *answer, char text[TEXT_SIZE])
{
    struct tool_answer_view view = {.genesis = NULL};
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
    expect_line(text, "RULE_DENIED: a consent denies\n");
    expect_line(text,
                "01000000000000000000000000000000, exception 2, DENY: purposes "
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
    expect_line(text, ", root, PERMIT: everything\n");
    expect_line(text, "a privacy officer settles it\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decision_is_told_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
