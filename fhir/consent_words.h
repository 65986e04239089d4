/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of Consent that mean an enum of the ledger, for both ways. Only for
 * fhir/. */
#ifndef FHIR_CONSENT_WORDS_H
#define FHIR_CONSENT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By number; the first is NULL. */
struct fhir_words {
    const char *const *names;
    uint32_t count;
};
extern const struct fhir_words fhir_scopes;    /* enum transaction_scope */
extern const struct fhir_words fhir_decisions; /* enum transaction_decision */
extern const struct fhir_words fhir_modes;     /* enum transaction_mode */
extern const struct fhir_words fhir_meanings;  /* enum transaction_meaning */

/* 0: no such word. `name` may be NULL. */
uint32_t fhir_word_number(const struct fhir_words *words, const char *name);
/* NULL: no such number. */
const char *fhir_word(const struct fhir_words *words, uint32_t number);

/* Does R4 let it be an actor? "": the reference does not say what it is of. */
bool fhir_may_act(const char *type);

#endif /* FHIR_CONSENT_WORDS_H */
