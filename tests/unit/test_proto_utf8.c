/* SPDX-License-Identifier: Apache-2.0 */
/* What is text and what is not, wherever in it the fault stands. What kinds of
 * faults there are: test_proto_scan.c. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "proto/utf8.h"

/* A NUL, or a byte that does not belong there, at each place of texts that are
 * looked at in words and at their end byte by byte. */
static void test_utf8_at_each_place(void **state)
{
    static const uint8_t wrong[] = {0x00, 0x80, 0xbf, 0xc0, 0xff};
    uint8_t text[40];
    (void)state;
    for (size_t size = 0; size <= sizeof text; size++) {
        const struct pbft_bytes bytes = {text, size};
        memset(text, 'a', sizeof text);
        assert_true(wire_utf8_is_valid(bytes));
        for (size_t at = 0; at < size; at++) {
            for (size_t i = 0; i < sizeof wrong; i++) {
                text[at] = wrong[i];
                assert_false(wire_utf8_is_valid(bytes));
            }
            text[at] = at % 2 == 0 ? 0x01 : 0x7f;
            assert_true(wire_utf8_is_valid(bytes));
        }
    }
}

static void test_utf8_other_letters_at_each_place(void **state)
{
    static const char letter[] = "\xc3\xbc";
    uint8_t text[40];
    (void)state;
    for (size_t at = 0; at + 2 <= sizeof text; at++) {
        memset(text, 'a', sizeof text);
        memcpy(text + at, letter, 2);
        assert_true(wire_utf8_is_valid((struct pbft_bytes){text, sizeof text}));
        assert_false(wire_utf8_is_valid((struct pbft_bytes){text, at + 1}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_at_each_place),
        cmocka_unit_test(test_utf8_other_letters_at_each_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
