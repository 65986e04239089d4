/* SPDX-License-Identifier: Apache-2.0 */
/* Counts by type, by code and by what fell due. */
#include "sim/tally.h"

#include <inttypes.h>
#include <stddef.h>

#include "consensus/assert.h"

#define NAME_WIDTH 22

static const uint32_t codes[] = {
#define NUMBER_OF(name, number, retry, fhir, text) name,
    LEDGER_CODE_LIST(NUMBER_OF)
#undef NUMBER_OF
};
#define CODE_COUNT (sizeof codes / sizeof codes[0])
static_assert(CODE_COUNT <= TALLY_CODES_MAX, "each code has its place");

static const char *const due_names[TALLY_DUE_COUNT] = {
    [TALLY_DUE_CONSENT_ENDS] = "consent-ends",
    [TALLY_DUE_DECISION_ENDS] = "decision-ends",
    [TALLY_DUE_REVIEW_OVERDUE] = "review-overdue",
    [TALLY_DUE_EMERGENCY_ENDS] = "emergency-ends",
    [TALLY_DUE_CONSENT_BEGINS] = "consent-begins",
};

static size_t place_of(uint32_t code)
{
    size_t place = 0;
    while (place < CODE_COUNT && codes[place] != code) {
        place++;
    }
    PBFT_ASSERT(place < CODE_COUNT);
    return place;
}

void tally_count(struct tally *tally, enum transaction_type type, uint32_t code)
{
    const size_t row = (size_t)type - TALLY_TYPE_FIRST;
    PBFT_ASSERT(row < TALLY_TYPES);
    if (code == LEDGER_OK) {
        tally->done[row]++;
    } else {
        tally->refused[row]++;
    }
    tally->codes[place_of(code)]++;
}

static void add_all(uint64_t *sums, const uint32_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sums[i] += values[i];
    }
}

void tally_add(struct tally_sums *sums, const struct tally *tally)
{
    add_all(sums->done, tally->done, TALLY_TYPES);
    add_all(sums->refused, tally->refused, TALLY_TYPES);
    add_all(sums->codes, tally->codes, TALLY_CODES_MAX);
    add_all(sums->due, tally->due, TALLY_DUE_COUNT);
}

static const char *type_name(size_t row)
{
    return transaction_type_name(
        (enum transaction_type)(TALLY_TYPE_FIRST + row));
}

void tally_print(const struct tally_sums *sums, FILE *out)
{
    uint64_t done = 0;
    uint64_t refused = 0;
    (void)fprintf(out, "%-*s %8s %8s\n", NAME_WIDTH, "transactions", "done",
                  "refused");
    for (size_t i = 0; i < TALLY_TYPES; i++) {
        (void)fprintf(out, "%-*s %8" PRIu64 " %8" PRIu64 "\n", NAME_WIDTH,
                      type_name(i), sums->done[i], sums->refused[i]);
        done += sums->done[i];
        refused += sums->refused[i];
    }
    (void)fprintf(out, "%-*s %8" PRIu64 " %8" PRIu64 "\nrefused as", NAME_WIDTH,
                  "all", done, refused);
    const char *before = " ";
    for (size_t i = 0; i < CODE_COUNT; i++) {
        if (codes[i] != LEDGER_OK && sums->codes[i] > 0) {
            (void)fprintf(out, "%s%s %" PRIu64, before,
                          ledger_code_name(codes[i]), sums->codes[i]);
            before = ", ";
        }
    }
    (void)fputs("\nfell due", out);
    before = " ";
    for (size_t i = 0; i < TALLY_DUE_COUNT; i++) {
        (void)fprintf(out, "%s%s %" PRIu64, before, due_names[i], sums->due[i]);
        before = ", ";
    }
    (void)fputs("\n", out);
}

void tally_print_json(const struct tally_sums *sums, FILE *out)
{
    (void)fputs("\"transactions\":{", out);
    for (size_t i = 0; i < TALLY_TYPES; i++) {
        (void)fprintf(
            out, "%s\"%s\":{\"done\":%" PRIu64 ",\"refused\":%" PRIu64 "}",
            i == 0 ? "" : ",", type_name(i), sums->done[i], sums->refused[i]);
    }
    (void)fputs("},\"refusals\":{", out);
    const char *before = "";
    for (size_t i = 0; i < CODE_COUNT; i++) {
        if (codes[i] != LEDGER_OK) {
            (void)fprintf(out, "%s\"%s\":%" PRIu64, before,
                          ledger_code_name(codes[i]), sums->codes[i]);
            before = ",";
        }
    }
    (void)fputs("},\"due\":{", out);
    for (size_t i = 0; i < TALLY_DUE_COUNT; i++) {
        (void)fprintf(out, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",", due_names[i],
                      sums->due[i]);
    }
    (void)fputs("}", out);
}
