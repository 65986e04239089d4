/* SPDX-License-Identifier: Apache-2.0 */
/* What the consent families share: whose consent, in what state, and its
 * history. Private to ledger/.
 *
 * History is written under the consent and under its subject. That a consent
 * will expire is written when it is granted, at the time of its end, and taken
 * away if it ends before: a reader at time t sees exactly the rows up to t, and
 * no block has to happen for a consent to expire.
 */
#ifndef LEDGER_CONSENT_H
#define LEDGER_CONSENT_H

#include "ledger/execution.h"

/* The subject is registered, active, and this institution's patient; one code
 * for all that is not so. */
enum ledger_code consent_subject_is_ours(struct execution *x,
                                         const ProtobufCBinaryData *handle,
                                         struct schema_subject *out);

/* The id is random and nobody's yet. */
enum ledger_code consent_id_is_new(struct execution *x,
                                   const ProtobufCBinaryData *consent);

/* Its period is over at `now_ms`. */
bool consent_is_over(const struct schema_consent *consent, uint64_t now_ms);

/* Granted, and neither revoked, superseded nor over. It may not have begun. */
bool consent_stands(const struct schema_consent *consent, uint64_t now_ms);

/* Writes the consent, its payload, and the first lines of its history. */
void consent_write(struct execution *x, const uint8_t *id,
                   const struct schema_consent *consent);

/* Ends a standing consent: REVOKED, or SUPERSEDED by `successor`. */
void consent_end(struct execution *x, const uint8_t *id,
                 enum schema_consent_state state, const uint8_t *successor);

/* The subject is indeterminate no longer: a line of its history. A participant
 * is named as acting. */
void consent_note_settled(struct execution *x, const uint8_t *handle);

/* Evidence was filed, or settled: the list of indeterminate subjects of their
 * registrar; unsettled.c. */
#define UNSETTLED_ID_SIZE (PBFT_INSTITUTION_SIZE + 8 + LEDGER_HANDLE_SIZE)
void unsettled_add(struct execution *x, const struct schema_subject *subject,
                   const Salus__V1__ConsentEvidence *in);
void unsettled_end(struct execution *x, const struct schema_subject *subject,
                   const uint8_t *handle);

/* The period of a consent has ended: the sweep says so. */
void consent_expire(struct overlay *overlay, const uint8_t *id,
                    uint64_t now_ms);

/* The subject may have one consent more, if so many end. CONSENT_LIMIT. */
enum ledger_code consent_has_room(struct execution *x, const uint8_t *handle,
                                  size_t superseded);

/* The rules about selectors; consent_selector.c. */
enum ledger_code selector_check(struct execution *x,
                                const Salus__V1__Selector *selector);
bool selector_is_empty(const Salus__V1__Selector *selector);

#endif /* LEDGER_CONSENT_H */
