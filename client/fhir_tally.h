/* SPDX-License-Identifier: Apache-2.0 */
/* How an import goes: a line of progress on a terminal, and at the end what was
 * refused and why, each reason once. */
#ifndef CLIENT_FHIR_TALLY_H
#define CLIENT_FHIR_TALLY_H

#include "client/import.h"

#define FHIR_TALLY_REASONS_MAX 64
#define FHIR_TALLY_TEXT_MAX 96

struct fhir_tally {
    struct {
        char text[FHIR_TALLY_TEXT_MAX];
        size_t count;
    } reasons[FHIR_TALLY_REASONS_MAX];
    size_t reason_count;
    size_t others; /* For reasons that did not fit. */
    bool is_terminal;
    size_t first;      /* Number of the first resource; 0: none yet. */
    uint64_t began_ms; /* When it was done. Monotonic. */
    uint64_t drawn_ms;
    size_t width; /* Of the line that stands there. */
};

/* `is_terminal`: progress is drawn on standard error. */
void fhir_tally_init(struct fhir_tally *tally, bool is_terminal);
/* Counts why the resource did not get on the ledger. */
void fhir_tally_count(struct fhir_tally *tally,
                      const struct import_event *event);
/* Draws the line again if it is time; removes it before other output. */
void fhir_tally_draw(struct fhir_tally *tally,
                     const struct import_event *event);
void fhir_tally_clear(struct fhir_tally *tally);
/* "   12 x reference is not in the vault", the most frequent first. */
void fhir_tally_print(struct fhir_tally *tally);

#endif /* CLIENT_FHIR_TALLY_H */
