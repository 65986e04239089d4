/* SPDX-License-Identifier: Apache-2.0 */
/* Dates of the proleptic Gregorian calendar. */
#include "fhir/date.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define YEAR_MIN 1583 /* The first whole Gregorian year. */
#define YEAR_MAX 9999
#define FRACTION_DIGITS_MAX 9
#define MINUTE_MS INT64_C(60000)
#define SECOND_MS INT64_C(1000)

/* Days from 1970-01-01 to the first of a month; months may run past 12. */
static int64_t days_of_month(int64_t year, int64_t month)
{
    year += (month - 1) / 12;
    month = (month - 1) % 12 + 1;
    /* Years that begin in March: the leap day comes last. */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;
    int64_t before = y * 365 + y / 4 - y / 100 + y / 400;
    return before + (153 * m + 2) / 5 - 719468;
}

static int64_t month_size(int64_t year, int64_t month)
{
    return days_of_month(year, month + 1) - days_of_month(year, month);
}

/* Exactly `count` digits at *text, which moves on. */
static bool read_digits(const char **text, size_t count, int64_t *out)
{
    int64_t number = 0;

    for (size_t i = 0; i < count; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9') {
            return false;
        }
        number = number * 10 + (c - '0');
    }
    *text += count;
    *out = number;
    return true;
}

static bool read_char(const char **text, char c)
{
    if (**text != c) {
        return false;
    }
    (*text)++;
    return true;
}

static bool read_zone(const char **text, int32_t *minutes, bool colon)
{
    int64_t hours = 0;
    int64_t rest = 0;

    if (read_char(text, 'Z')) {
        *minutes = 0;
        return true;
    }
    bool west = **text == '-';
    if (!west && **text != '+') {
        return false;
    }
    (*text)++;
    if (!read_digits(text, 2, &hours)) {
        return false;
    }
    if (!read_char(text, ':') && colon) {
        return false;
    }
    if (!read_digits(text, 2, &rest) || rest > 59 ||
        hours * 60 + rest > FHIR_ZONE_MINUTES_MAX) {
        return false;
    }
    *minutes = (int32_t)(hours * 60 + rest) * (west ? -1 : 1);
    return true;
}

bool fhir_zone_parse(int32_t *minutes, const char *text)
{
    return read_zone(&text, minutes, false) && *text == 0;
}

/* ".123456" after the seconds; digits beyond milliseconds are cut. */
static bool read_fraction(const char **text, int64_t *ms, int64_t *length)
{
    size_t digits = 0;

    *ms = 0;
    *length = SECOND_MS;
    if (!read_char(text, '.')) {
        return true;
    }
    while (**text >= '0' && **text <= '9') {
        if (digits < 3) {
            *ms = *ms * 10 + (**text - '0');
        }
        digits++;
        (*text)++;
    }
    if (digits == 0 || digits > FRACTION_DIGITS_MAX) {
        return false;
    }
    int64_t step = digits >= 3 ? 1 : digits == 2 ? 10 : 100;
    *ms *= step;
    *length = step;
    return true;
}

/* What follows 'T'. */
static bool read_time(struct fhir_interval *out, const char *text,
                      int64_t day_ms)
{
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    int64_t ms = 0;
    int64_t length = 0;
    int32_t zone = 0;

    if (!read_digits(&text, 2, &hour) || !read_char(&text, ':') ||
        !read_digits(&text, 2, &minute) || !read_char(&text, ':') ||
        !read_digits(&text, 2, &second) ||
        !read_fraction(&text, &ms, &length) || !read_zone(&text, &zone, true) ||
        *text != 0) {
        return false;
    }
    if (hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    second = second == 60 ? 59 : second;
    out->from = day_ms + (hour * 60 + minute - zone) * MINUTE_MS +
                second * SECOND_MS + ms;
    out->to = out->from + length;
    return true;
}

bool fhir_date_parse(struct fhir_interval *out, const char *text,
                     int32_t zone_minutes)
{
    int64_t year = 0;
    int64_t month = 1;
    int64_t day = 1;
    int64_t shift = zone_minutes * MINUTE_MS;

    if (!read_digits(&text, 4, &year) || year < YEAR_MIN || year > YEAR_MAX) {
        return false;
    }
    if (*text == 0) {
        out->from = days_of_month(year, 1) * FHIR_DAY_MS - shift;
        out->to = days_of_month(year + 1, 1) * FHIR_DAY_MS - shift;
        return true;
    }
    if (!read_char(&text, '-') || !read_digits(&text, 2, &month) || month < 1 ||
        month > 12) {
        return false;
    }
    if (*text == 0) {
        out->from = days_of_month(year, month) * FHIR_DAY_MS - shift;
        out->to = days_of_month(year, month + 1) * FHIR_DAY_MS - shift;
        return true;
    }
    if (!read_char(&text, '-') || !read_digits(&text, 2, &day) || day < 1 ||
        day > month_size(year, month)) {
        return false;
    }
    int64_t day_ms = (days_of_month(year, month) + day - 1) * FHIR_DAY_MS;
    if (*text == 0) {
        out->from = day_ms - shift;
        out->to = out->from + FHIR_DAY_MS;
        return true;
    }
    return read_char(&text, 'T') && read_time(out, text, day_ms);
}

/* ---- months -------------------------------------------------------------- */

static int64_t floor_days(int64_t ms)
{
    int64_t days = ms / FHIR_DAY_MS;

    return ms % FHIR_DAY_MS < 0 ? days - 1 : days;
}

/* Year and month of a day. */
static void month_of(int64_t days, int64_t *year, int64_t *month)
{
    /* Never too late; at most some twenty years too early. */
    int64_t y = 1970 + (days >= 0 ? days / 366 : days / 365 - 1);

    while (days_of_month(y + 1, 1) <= days) {
        y++;
    }
    int64_t m = 1;
    while (m < 12 && days_of_month(y, m + 1) <= days) {
        m++;
    }
    *year = y;
    *month = m;
}

bool fhir_date_text(char out[FHIR_DATE_TEXT_SIZE], int64_t ms)
{
    int64_t year = 0;
    int64_t month = 0;

    if (ms < days_of_month(YEAR_MIN, 1) * FHIR_DAY_MS ||
        ms >= days_of_month(YEAR_MAX + 1, 1) * FHIR_DAY_MS) {
        return false;
    }
    int64_t days = floor_days(ms);
    int64_t rest = ms - days * FHIR_DAY_MS;
    month_of(days, &year, &month);
    (void)snprintf(out, FHIR_DATE_TEXT_SIZE,
                   "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)year, (int)month,
                   (int)(days - days_of_month(year, month)) + 1,
                   (int)(rest / 3600000), (int)(rest / 60000 % 60),
                   (int)(rest / 1000 % 60), (int)(rest % 1000));
    return true;
}

struct fhir_interval fhir_date_months(int64_t from, int64_t to)
{
    struct fhir_interval out;
    int64_t year = 0;
    int64_t month = 0;

    month_of(floor_days(from), &year, &month);
    out.from = days_of_month(year, month) * FHIR_DAY_MS;
    month_of(floor_days(to - 1), &year, &month);
    out.to = days_of_month(year, month + 1) * FHIR_DAY_MS;
    return out;
}
