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

static void test_line_is_neither_broken_nor_turned_round(void **state)
{
    static const struct {
        const char *text;
        bool is_line;
    } cases[] = {
        {"Hospital", true},
        {"Krankenhaus M\xc3\xbcnchen", true},
        {"\xd7\x91\xd7\x99\xd7\xaa", true}, /* From right to left anyway. */
        {"a\xe2\x80\x93z", true},           /* En dash. */
        {"a\xe2\x80\xafz", true},           /* Narrow space. */
        {"a\xe2\x81\xaaz", true},
        {"a\nz", false},
        {"a\x1b[2Jz", false},
        {"a\x7fz", false},
        {"a\xc2\x9bz", false},
        {"a\xe2\x80\xa8z", false},
        {"a\xe2\x80\xae", false},
        {"\xe2\x81\xa6z", false},
        {"a\xe2\x81\xa9z", false},
        {"a\xe2\x80", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct pbft_bytes text = {(const uint8_t *)cases[i].text,
                                        strlen(cases[i].text)};
        assert_int_equal(wire_utf8_is_line(text), cases[i].is_line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8_at_each_place),
        cmocka_unit_test(test_utf8_other_letters_at_each_place),
        cmocka_unit_test(test_line_is_neither_broken_nor_turned_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
