/* SPDX-License-Identifier: Apache-2.0 */
/* FHIR dates as intervals of time (import law 7). No clock, no locale. */
#ifndef FHIR_DATE_H
#define FHIR_DATE_H

#include <stdbool.h>
#include <stdint.h>

#define FHIR_ZONE_MINUTES_MAX 840 /* 14 hours. */
#define FHIR_DAY_MS INT64_C(86400000)

/* Milliseconds since 1970 UTC; `to` is exclusive. */
struct fhir_interval {
    int64_t from;
    int64_t to;
};

/* A year, month or day is the whole of it in the zone (minutes east of UTC); an
 * instant is its second or millisecond and must name its own zone. 24:00 is
 * refused; a leap second becomes the second before it. False: not a date. */
bool fhir_date_parse(struct fhir_interval *out, const char *text,
                     int32_t zone_minutes);

/* An instant in UTC, "2026-11-28T10:15:00.000Z"; false outside of the years
 * that a date may have. */
#define FHIR_DATE_TEXT_SIZE 32
bool fhir_date_text(char out[FHIR_DATE_TEXT_SIZE], int64_t ms);

/* "Z", "+01:00", "-0930". */
bool fhir_zone_parse(int32_t *minutes, const char *text);

/* First moment of the month of `time`, and of the month after it, in UTC. */
struct fhir_interval fhir_date_months(int64_t from, int64_t to);

#endif /* FHIR_DATE_H */
