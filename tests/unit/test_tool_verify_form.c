/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts and proofs in the forms in which people have them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/verify_form.h"
#include "consensus/types.h"
#include "proto/base64.h"

#define BYTES 300 /* 400 digits: no padding. */
#define TEXT_MAX 1024
#define ROOM 4096

/* Only the first fields count: version, cluster id, and the third one. */
static struct pbft_bytes encoding(uint8_t out[BYTES], size_t size,
                                  enum armor_kind kind)
{
    memset(out, 0x5a, size);
    out[0] = 0x08;
    out[1] = 1;
    out[2] = 0x12;
    out[3] = PBFT_DIGEST_SIZE;
    out[4 + PBFT_DIGEST_SIZE] = 0x1a;
    out[5 + PBFT_DIGEST_SIZE] = kind == ARMOR_QUERY_PROOF ? 16 : 0x80;
    return (struct pbft_bytes){out, size};
}

static struct pbft_bytes text_of(const char *text)
{
    return (struct pbft_bytes){(const uint8_t *)text, strlen(text)};
}

static void expect_read(struct pbft_bytes content, struct pbft_bytes wanted,
                        enum armor_kind wanted_kind)
{
    enum armor_kind kind = (enum armor_kind)0;
    struct salus_reason reason = {""};
    struct wire_buffer bytes;
    wire_buffer_init(&bytes, ROOM);
    enum pbft_status status = verify_form_read(&bytes, &kind, content, &reason);
    if (status != PBFT_OK) {
        fail_msg("%s", reason.text);
    }
    assert_int_equal(kind, wanted_kind);
    assert_int_equal(bytes.size, wanted.size);
    assert_memory_equal(bytes.data, wanted.data, wanted.size);
    wire_buffer_deinit(&bytes);
}

static void expect_refused(struct pbft_bytes content, const char *why)
{
    enum armor_kind kind = ARMOR_GENESIS;
    struct salus_reason reason = {""};
    struct wire_buffer bytes;
    wire_buffer_init(&bytes, ROOM);
    enum pbft_status status = verify_form_read(&bytes, &kind, content, &reason);
    assert_int_not_equal(status, PBFT_OK);
    assert_int_equal(kind, 0);
    if (strstr(reason.text, why) == NULL) {
        fail_msg("not \"%s\": %s", why, reason.text);
    }
    wire_buffer_deinit(&bytes);
}

static const enum armor_kind kinds[] = {ARMOR_RECEIPT, ARMOR_QUERY_PROOF};

static void test_armored_and_encoded(void **state)
{
    uint8_t room[BYTES];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pbft_bytes wanted = encoding(room, BYTES, kinds[i]);
        struct wire_buffer text;
        wire_buffer_init(&text, ROOM);
        assert_int_equal(armor_encode(kinds[i], wanted, &text), PBFT_OK);
        expect_read(wire_buffer_bytes(&text), wanted, kinds[i]);
        expect_read(wanted, wanted, kinds[i]);
        wire_buffer_deinit(&text);
    }
}

/* In one line, with its end or without; in lines of any width. */
static void test_base64_alone(void **state)
{
    static const size_t sizes[] = {BYTES, BYTES - 1, BYTES - 2};
    static const size_t widths[] = {TEXT_MAX, 76, 64, 7};
    uint8_t room[BYTES];
    char digits[BASE64_SIZE(BYTES) + 1];
    char text[TEXT_MAX + 1];
    (void)state;
    for (size_t i = 0; i < 2 * 3 * 4; i++) {
        enum armor_kind kind = kinds[i % 2];
        size_t width = widths[i / 2 % 4];
        struct pbft_bytes wanted = encoding(room, sizes[i / 8], kind);
        size_t count = BASE64_SIZE(wanted.size);
        size_t size = 0;
        base64_encode(wanted, digits);
        for (size_t at = 0; at < count; at++) {
            if (at > 0 && at % width == 0) {
                text[size++] = '\r';
                text[size++] = '\n';
            }
            text[size++] = digits[at];
        }
        expect_read((struct pbft_bytes){(const uint8_t *)text, size}, wanted,
                    kind);
        text[size++] = '\n';
        expect_read((struct pbft_bytes){(const uint8_t *)text, size}, wanted,
                    kind);
    }
}

static void test_what_is_neither(void **state)
{
    uint8_t room[BYTES];
    char digits[2 * BASE64_SIZE(BYTES) + 2];
    (void)state;
    expect_refused(text_of(""), "it is empty");
    expect_refused(text_of(" \n"), "it is empty");
    expect_refused(text_of("{\"resourceType\":\"Bundle\"}"),
                   "urn:salus:receipt");
    expect_refused(text_of("\"CAESIA==\"\n"), "in quotes");
    expect_refused(text_of("anything, with a comma"), "it is neither");
    expect_refused(text_of("CAESIA=="), "base64 of neither");
    expect_refused(text_of("CAESI"), "cut off");
    expect_refused(text_of("-----BEGIN SALUS GENESIS-----\n"),
                   "but a SALUS GENESIS file");
    /* Two of them, one a line. */
    struct pbft_bytes one = encoding(room, BYTES - 1, ARMOR_RECEIPT);
    size_t size = BASE64_SIZE(one.size);
    base64_encode(one, digits);
    digits[size] = '\n';
    base64_encode(one, digits + size + 1);
    expect_refused((struct pbft_bytes){(const uint8_t *)digits, 2 * size + 1},
                   "one receipt or proof at a time");
    /* Of bytes: other fields, or too few of them. */
    one = encoding(room, BYTES, ARMOR_RECEIPT);
    room[3] = 31;
    expect_refused(one, "it is neither");
    one = encoding(room, BYTES, ARMOR_RECEIPT);
    one.size = 5 + PBFT_DIGEST_SIZE;
    expect_refused(one, "it is neither");
}

static void test_larger_than_its_room(void **state)
{
    uint8_t room[BYTES];
    enum armor_kind kind = (enum armor_kind)0;
    struct salus_reason reason = {""};
    struct wire_buffer bytes;
    (void)state;
    wire_buffer_init(&bytes, BYTES - 1);
    assert_int_equal(verify_form_read(&bytes, &kind,
                                      encoding(room, BYTES, ARMOR_RECEIPT),
                                      &reason),
                     PBFT_TOO_LARGE);
    assert_true(reason.text[0] != 0);
    wire_buffer_deinit(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_armored_and_encoded),
        cmocka_unit_test(test_base64_alone),
        cmocka_unit_test(test_what_is_neither),
        cmocka_unit_test(test_larger_than_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
