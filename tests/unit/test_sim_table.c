/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what was inserted, and nothing else, while it grows. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/table.h"

#define KEYS 20000u

static struct table_key key_of(uint64_t i)
{
    return (struct table_key){
        .kind = (uint32_t)(1 + i % 3), .who = 7, .a = i / 5, .b = i};
}

static void test_finds_what_was_inserted(void **state)
{
    (void)state;
    struct table table;
    bool is_new = false;
    table_init(&table);
    for (uint64_t i = 0; i < KEYS; i++) {
        const struct table_key key = key_of(i);
        assert_null(table_find(&table, &key));
        struct table_entry *entry = table_at(&table, &key, &is_new);
        assert_true(is_new);
        assert_int_equal(entry->bits, 0);
        entry->bits = i + 1;
    }
    for (uint64_t i = 0; i < KEYS; i++) {
        const struct table_key key = key_of(i);
        const struct table_key other = {key.kind, 8, key.a, key.b};
        assert_int_equal(table_find(&table, &key)->bits, i + 1);
        assert_int_equal(table_at(&table, &key, &is_new)->bits, i + 1);
        assert_false(is_new);
        assert_null(table_find(&table, &other));
    }
    table_deinit(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_was_inserted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
