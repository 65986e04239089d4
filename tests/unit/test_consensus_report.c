/* SPDX-License-Identifier: Apache-2.0 */
/* What a replica shows of itself has words, each its own. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/pbft.h"

#define WORDS_MAX 32

/* All of them are there, and differ. */
static void assert_distinct(const char *const *words, size_t count)
{
    assert_true(count <= WORDS_MAX);
    for (size_t i = 0; i < count; i++) {
        assert_non_null(words[i]);
        assert_string_not_equal(words[i], "unknown");
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(words[i], words[j]);
        }
    }
}

static void test_every_verdict_has_a_word(void **state)
{
    const char *words[WORDS_MAX];
    size_t count = 0;
    (void)state;
    for (int i = PBFT_ACCEPTED; i <= PBFT_BUSY; i++) {
        words[count++] = pbft_verdict_name((enum pbft_verdict)i);
    }
    assert_distinct(words, count);
}

static void test_every_record_has_a_word(void **state)
{
    const char *words[WORDS_MAX];
    size_t count = 0;
    (void)state;
    for (int i = PBFT_RECORD_PRE_PREPARE; i <= PBFT_RECORD_RECOVERING; i++) {
        words[count++] = pbft_record_kind_name((enum pbft_record_kind)i);
    }
    assert_distinct(words, count);
    assert_string_equal(pbft_record_kind_name((enum pbft_record_kind)99),
                        "unknown");
}

static void test_every_timer_has_a_word(void **state)
{
    const char *words[WORDS_MAX];
    size_t count = 0;
    (void)state;
    for (int i = PBFT_TIMER_REQUEST; i <= PBFT_TIMER_COUNT; i++) {
        words[count++] = pbft_timer_name((enum pbft_timer)i);
    }
    assert_distinct(words, count);
    assert_string_equal(pbft_timer_name((enum pbft_timer)99), "unknown");
}

static void test_every_status_has_a_text(void **state)
{
#define VALUE_OF(name, value, text) (value),
    static const int statuses[] = {PBFT_STATUS_LIST(VALUE_OF)};
#undef VALUE_OF
    const char *words[WORDS_MAX];
    size_t count = 0;
    (void)state;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        words[count++] = pbft_status_text((enum pbft_status)statuses[i]);
    }
    assert_distinct(words, count);
    assert_string_equal(pbft_status_text((enum pbft_status)999),
                        "unknown status");
}

static void test_every_condition_has_a_word(void **state)
{
    const char *words[WORDS_MAX];
    size_t count = 0;
    (void)state;
    for (int i = 0; i <= PBFT_CONDITION_NORMAL; i++) {
        words[count++] = pbft_condition_name((enum pbft_condition)i);
    }
    assert_distinct(words, count);
    assert_string_equal(pbft_condition_name((enum pbft_condition)99),
                        "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_verdict_has_a_word),
        cmocka_unit_test(test_every_record_has_a_word),
        cmocka_unit_test(test_every_timer_has_a_word),
        cmocka_unit_test(test_every_status_has_a_text),
        cmocka_unit_test(test_every_condition_has_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
