/* SPDX-License-Identifier: Apache-2.0 */
/* Dates as intervals; base64 and SHA-1; labels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fhir/date.h"
#include "fhir/encoding.h"
#include "fhir/labels.h"

#define DAY FHIR_DAY_MS

static void test_dates_become_intervals(void **state)
{
    static const struct {
        const char *text;
        int32_t zone;
        int64_t from;
        int64_t to;
    } cases[] = {
        {"1970", 0, 0, 365 * DAY},
        {"1972-02", 0, 761 * DAY, 790 * DAY},
        {"1970-01-02", 0, DAY, 2 * DAY},
        {"1969-12-31", 0, -DAY, 0},
        {"1970-01-02", 60, DAY - 3600000, 2 * DAY - 3600000},
        {"2000-02-29", 0, 11016 * DAY, 11017 * DAY},
        {"1970-01-01T00:00:00Z", 60, 0, 1000},
        {"1970-01-01T01:00:00+01:00", 0, 0, 1000},
        {"1969-12-31T23:00:00-01:00", 0, 0, 1000},
        {"1970-01-01T00:00:00.5Z", 0, 500, 600},
        {"1970-01-01T00:00:00.123Z", 0, 123, 124},
        {"1970-01-01T00:00:00.123456789Z", 0, 123, 124},
        {"2016-12-31T23:59:60Z", 0, INT64_C(1483228799000),
         INT64_C(1483228800000)},
        {"2016-05-26T00:41:10-04:00", 0, INT64_C(1464237670000),
         INT64_C(1464237671000)},
        {"9999-12-31", 0, INT64_C(253402214400000), INT64_C(253402300800000)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fhir_interval out;
        assert_true(fhir_date_parse(&out, cases[i].text, cases[i].zone));
        assert_true(out.from == cases[i].from);
        assert_true(out.to == cases[i].to);
    }
}

static void test_what_is_no_date(void **state)
{
    static const char *const texts[] = {
        "",
        "70",
        "20250301",
        "2025-",
        "2025-13",
        "2025-00",
        "2025-02-29",
        "1900-02-29",
        "2025-04-31",
        "2025-03-01T",
        "2025-03-01T12:00Z",
        "2025-03-01T12:00:00",
        "2025-03-01T24:00:00Z",
        "2025-03-01T12:60:00Z",
        "2025-03-01T12:00:61Z",
        "2025-03-01T12:00:00.Z",
        "2025-03-01T12:00:00.1234567890Z",
        "2025-03-01T12:00:00+15:00",
        "2025-03-01T12:00:00+0100",
        "2025-03-01T12:00:00Zx",
        "2025-03-01 12:00:00Z",
        " 2025",
        "0000",
        "-2025",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct fhir_interval out;
        if (fhir_date_parse(&out, texts[i], 0)) {
            fail_msg("\"%s\" was taken for a date", texts[i]);
        }
    }
}

static void test_days_follow_each_other(void **state)
{
    int64_t last = 0;
    static const int sizes[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    (void)state;
    for (int year = 1583; year < 2400; year++) {
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            struct fhir_interval out;
            char text[16];
            (void)snprintf(text, sizeof text, "%04d-%02d", year, month);
            assert_true(fhir_date_parse(&out, text, 0));
            assert_true(year == 1583 || month == 1 || out.from == last);
            int days = sizes[month - 1] + (month == 2 && leap);
            assert_true(out.to - out.from == days * DAY);
            last = out.to;
            struct fhir_interval months =
                fhir_date_months(out.from + DAY + 1, out.to - 1);
            assert_true(months.from == out.from);
            assert_true(months.to == out.to);
        }
    }
}

static void test_zones(void **state)
{
    int32_t minutes = 0;

    (void)state;
    assert_true(fhir_zone_parse(&minutes, "Z"));
    assert_int_equal(minutes, 0);
    assert_true(fhir_zone_parse(&minutes, "-09:30"));
    assert_int_equal(minutes, -570);
    assert_true(fhir_zone_parse(&minutes, "+0100"));
    assert_int_equal(minutes, 60);
    assert_false(fhir_zone_parse(&minutes, "+1"));
    assert_false(fhir_zone_parse(&minutes, "+15:00"));
    assert_false(fhir_zone_parse(&minutes, "CET"));
}

static void test_base64_is_strict(void **state)
{
    static const struct {
        const char *text;
        const char *bytes; /* NULL: refused. */
    } cases[] = {
        {"", ""},        {"Zg==", "f"},        {"Zm8=", "fo"},
        {"Zm9v", "foo"}, {"Zm9vYg==", "foob"}, {"Zm 9v\r\n", "foo"},
        {"Zg=", NULL},   {"Zg", NULL},         {"Zh==", NULL},
        {"Zm9=", NULL},  {"Zg==Zg==", NULL},   {"Zm9v=", NULL},
        {"Zm-v", NULL},  {"====", NULL},       {"Z===", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[64];
        size_t size = 0;
        enum pbft_status status = fhir_base64_decode(out, &size, cases[i].text);
        if (cases[i].bytes == NULL) {
            assert_int_equal(status, PBFT_MALFORMED);
        } else {
            assert_int_equal(status, PBFT_OK);
            assert_int_equal(size, strlen(cases[i].bytes));
            assert_memory_equal(out, cases[i].bytes, size);
        }
    }
}

static void test_sha1_of_known_texts(void **state)
{
    /* FIPS 180-4 examples. */
    static const uint8_t abc[FHIR_SHA1_SIZE] = {
        0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
        0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
    static const uint8_t two_blocks[FHIR_SHA1_SIZE] = {
        0x84, 0x98, 0x3e, 0x44, 0x1c, 0x3b, 0xd2, 0x6e, 0xba, 0xae,
        0x4a, 0xa1, 0xf9, 0x51, 0x29, 0xe5, 0xe5, 0x46, 0x70, 0xf1};
    static const char text[] =
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    uint8_t out[FHIR_SHA1_SIZE];

    (void)state;
    fhir_sha1(out, (struct pbft_bytes){(const uint8_t *)"abc", 3});
    assert_memory_equal(out, abc, sizeof abc);
    fhir_sha1(out, (struct pbft_bytes){(const uint8_t *)text, sizeof text - 1});
    assert_memory_equal(out, two_blocks, sizeof two_blocks);
}

static void test_labels_have_all_their_ancestors(void **state)
{
    const char *out[FHIR_LABEL_ANCESTORS_MAX];

    (void)state;
    assert_int_equal(fhir_label_ancestors(out, "HIV"), 1);
    assert_int_equal(fhir_label_ancestors(out, "PSY"), 3);
    assert_string_equal(out[2], "SPI");
    assert_int_equal(fhir_label_ancestors(out, "ETHUD"), 5);
    assert_int_equal(fhir_label_ancestors(out, "NOSUCH"), 0);
    assert_true(fhir_label_is_known("OPIOIDUD"));
    assert_false(fhir_label_is_known("psy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates_become_intervals),
        cmocka_unit_test(test_what_is_no_date),
        cmocka_unit_test(test_days_follow_each_other),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_base64_is_strict),
        cmocka_unit_test(test_sha1_of_known_texts),
        cmocka_unit_test(test_labels_have_all_their_ancestors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
