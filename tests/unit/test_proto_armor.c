/* SPDX-License-Identifier: Apache-2.0 */
/* Armored files: what was written reads the same; everything else is refused
 * with the line that is wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "proto/armor.h"
#include "proto/base64.h"
#include "proto/codec_limits.h"
#include "tests/support/random_message.h"

#define BEGIN "-----BEGIN SALUS MEMBER-----\n"
#define END "-----END SALUS MEMBER-----\n"
/* 48 bytes of 'a'. */
#define FULL                                                                   \
    "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\n"

static struct wire_buffer out;
static struct salus_reason reason;

static enum pbft_status decode_bytes(const char *text, size_t size)
{
    wire_buffer_reset(&out);
    memset(&reason, 0, sizeof reason);
    return armor_decode(ARMOR_MEMBER,
                        (struct pbft_bytes){(const uint8_t *)text, size}, &out,
                        &reason);
}

static enum pbft_status decode(const char *text)
{
    return decode_bytes(text, strlen(text));
}

static void expect_refusal(const char *text, const char *expected)
{
    assert_int_equal(decode(text), PBFT_MALFORMED);
    assert_string_equal(reason.text, expected);
    assert_int_equal(out.size, 0);
}

static void test_base64_vectors(void **state)
{
    (void)state;
    /* RFC 4648, section 10. */
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char text[16];
        uint8_t bytes[16];
        size_t size = strlen(vectors[i][0]);
        size_t text_size = strlen(vectors[i][1]);
        base64_encode((struct pbft_bytes){(const uint8_t *)vectors[i][0], size},
                      text);
        assert_memory_equal(text, vectors[i][1], text_size);
        assert_int_equal(BASE64_SIZE(size), text_size);
        assert_int_equal(
            base64_decode(
                (struct pbft_bytes){(const uint8_t *)vectors[i][1], text_size},
                bytes),
            (long long)size);
        assert_memory_equal(bytes, vectors[i][0], size);
    }
}

static void test_base64_refusals(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "Z",    "Zg",   "Zg=",      "Zh==",  "Zm9=",
        "====", "Z===", "Zg==Zg==", "Zm9v ", "Zm9v\n",
        "Zm-v", "Zm_v", "=g==",     "Z=g=",  "Zm9vZg==Zm9v",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint8_t bytes[16];
        assert_int_equal(
            base64_decode((struct pbft_bytes){(const uint8_t *)wrong[i],
                                              strlen(wrong[i])},
                          bytes),
            -1);
    }
}

static void test_armor_round_trip(void **state)
{
    (void)state;
    struct support_random random = {.state = 5};
    struct wire_buffer text;
    wire_buffer_init(&text, ARMOR_TEXT_BYTES_MAX);
    for (size_t size = 0; size < 300; size++) {
        uint8_t bytes[300];
        support_random_fill(&random, bytes, size);
        wire_buffer_reset(&text);
        assert_int_equal(
            armor_encode(ARMOR_MEMBER, (struct pbft_bytes){bytes, size}, &text),
            PBFT_OK);
        assert_int_equal(decode_bytes((const char *)text.data, text.size),
                         PBFT_OK);
        assert_int_equal(out.size, size);
        assert_memory_equal(out.data, bytes, size);
    }
    wire_buffer_deinit(&text);
}

static void test_armor_largest_file(void **state)
{
    (void)state;
    uint8_t *bytes = calloc(1, WIRE_FRAME_BYTES_MAX);
    struct wire_buffer text;
    wire_buffer_init(&text, SIZE_MAX);
    assert_int_equal(
        armor_encode(ARMOR_MEMBER,
                     (struct pbft_bytes){bytes, WIRE_FRAME_BYTES_MAX}, &text),
        PBFT_OK);
    assert_true(text.size <= ARMOR_TEXT_BYTES_MAX);
    assert_int_equal(decode_bytes((const char *)text.data, text.size), PBFT_OK);
    assert_int_equal(out.size, WIRE_FRAME_BYTES_MAX);
    wire_buffer_reset(&text);
    assert_int_equal(
        armor_encode(ARMOR_MEMBER,
                     (struct pbft_bytes){bytes, WIRE_FRAME_BYTES_MAX + 1},
                     &text),
        PBFT_TOO_LARGE);
    wire_buffer_deinit(&text);
    free(bytes);
}

static void test_armor_looks_as_documented(void **state)
{
    (void)state;
    struct wire_buffer text;
    wire_buffer_init(&text, 1000);
    uint8_t bytes[49];
    memset(bytes, 'a', sizeof bytes);
    assert_int_equal(armor_encode(ARMOR_MEMBER,
                                  (struct pbft_bytes){bytes, sizeof bytes},
                                  &text),
                     PBFT_OK);
    wire_buffer_put(&text, "", 1);
    assert_string_equal((const char *)text.data, BEGIN FULL "YQ==\n" END);
    wire_buffer_deinit(&text);
}

static void test_armor_accepts_other_line_ends(void **state)
{
    (void)state;
    assert_int_equal(decode("-----BEGIN SALUS MEMBER-----\r\nYQ==\r\n"
                            "-----END SALUS MEMBER-----\r\n"),
                     PBFT_OK);
    assert_int_equal(out.size, 1);
    assert_int_equal(decode(BEGIN "YQ==\n-----END SALUS MEMBER-----"), PBFT_OK);
}

static void test_armor_wrong_first_line(void **state)
{
    (void)state;
    expect_refusal("", "the file is empty");
    expect_refusal("hello\n", "line 1: not -----BEGIN SALUS MEMBER-----");
    expect_refusal("\n" BEGIN END, "line 1: not -----BEGIN SALUS MEMBER-----");
    expect_refusal(" " BEGIN END, "line 1: not -----BEGIN SALUS MEMBER-----");
    expect_refusal("-----BEGIN SALUS PRIVATE KEY-----\nYQ==\n"
                   "-----END SALUS PRIVATE KEY-----\n",
                   "line 1: a SALUS PRIVATE KEY file, not a SALUS MEMBER one");
    expect_refusal("-----BEGIN SALUS QUERY PROOF-----\nYQ==\n"
                   "-----END SALUS QUERY PROOF-----\n",
                   "line 1: a SALUS QUERY PROOF file, not a SALUS MEMBER one");
}

static void test_armor_wrong_lines(void **state)
{
    (void)state;
    expect_refusal(BEGIN "YQ==\nYQ==\n" END,
                   "line 2: shorter than 64 characters, but not the last");
    expect_refusal(BEGIN FULL "YQ=\n" END, "line 3: not base64");
    expect_refusal(BEGIN "Y Q=\n" END, "line 2: not base64");
    expect_refusal(BEGIN "\n" END, "line 2: not a line of 1 to 64 characters");
    expect_refusal(
        BEGIN "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh"
              "YWFhYWFh\n" END,
        "line 2: not a line of 1 to 64 characters");
    expect_refusal(BEGIN "Comment: x\n" END, "line 2: not base64");
}

static void test_armor_wrong_end(void **state)
{
    (void)state;
    expect_refusal(BEGIN FULL, "cut off after line 2: no END line");
    expect_refusal(BEGIN FULL "YQ==", "cut off after line 3: no END line");
    expect_refusal(BEGIN, "cut off after line 1: no END line");
    expect_refusal(BEGIN "YQ==\n" END "\n", "line 4: text behind the END line");
    expect_refusal(BEGIN "YQ==\n" END BEGIN,
                   "line 4: text behind the END line");
    expect_refusal(BEGIN "YQ==\n-----END SALUS GENESIS-----\n",
                   "line 2: shorter than 64 characters, but not the last");
}

static void test_armor_leaves_what_was_in_the_buffer(void **state)
{
    (void)state;
    wire_buffer_reset(&out);
    wire_buffer_put(&out, "before", 6);
    static const char text[] = BEGIN FULL "?\n" END;
    assert_int_equal(armor_decode(ARMOR_MEMBER,
                                  (struct pbft_bytes){(const uint8_t *)text,
                                                      sizeof text - 1},
                                  &out, NULL),
                     PBFT_MALFORMED);
    assert_int_equal(out.size, 6);
    assert_int_equal(out.data[10], 0); /* What it had read is wiped. */
}

static void test_armor_larger_than_its_limits(void **state)
{
    (void)state;
    const uint8_t byte = '-';
    assert_int_equal(
        armor_decode(ARMOR_MEMBER,
                     (struct pbft_bytes){&byte, ARMOR_TEXT_BYTES_MAX + 1}, &out,
                     &reason),
        PBFT_TOO_LARGE);
    struct wire_buffer small;
    static const char text[] = BEGIN FULL FULL END;
    wire_buffer_init(&small, 60);
    assert_int_equal(armor_decode(ARMOR_MEMBER,
                                  (struct pbft_bytes){(const uint8_t *)text,
                                                      sizeof text - 1},
                                  &small, &reason),
                     PBFT_TOO_LARGE);
    wire_buffer_deinit(&small);
}

static void test_armor_kinds(void **state)
{
    (void)state;
    for (int kind = ARMOR_GENESIS; kind <= ARMOR_EVIDENCE; kind++) {
        struct wire_buffer text;
        const uint8_t bytes[] = {1, 2, 3};
        wire_buffer_init(&text, 1000);
        wire_buffer_reset(&out);
        assert_int_equal(armor_encode((enum armor_kind)kind,
                                      (struct pbft_bytes){bytes, 3}, &text),
                         PBFT_OK);
        assert_int_equal(armor_decode((enum armor_kind)kind,
                                      wire_buffer_bytes(&text), &out, NULL),
                         PBFT_OK);
        wire_buffer_deinit(&text);
    }
}

static int set_up(void **state)
{
    (void)state;
    wire_buffer_init(&out, WIRE_FRAME_BYTES_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wire_buffer_deinit(&out);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64_vectors),
        cmocka_unit_test(test_base64_refusals),
        cmocka_unit_test(test_armor_round_trip),
        cmocka_unit_test(test_armor_largest_file),
        cmocka_unit_test(test_armor_looks_as_documented),
        cmocka_unit_test(test_armor_accepts_other_line_ends),
        cmocka_unit_test(test_armor_wrong_first_line),
        cmocka_unit_test(test_armor_wrong_lines),
        cmocka_unit_test(test_armor_wrong_end),
        cmocka_unit_test(test_armor_leaves_what_was_in_the_buffer),
        cmocka_unit_test(test_armor_larger_than_its_limits),
        cmocka_unit_test(test_armor_kinds),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
