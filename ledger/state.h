/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the things that the ledger knows, by their ids. Private
 * to ledger/.
 *
 * A get returns false if there is no such thing; a stored value that cannot be
 * read counts as absent and marks the overlay CORRUPT, so that the block is
 * given up. Ids point to bytes of the right size.
 */
#ifndef LEDGER_STATE_H
#define LEDGER_STATE_H

#include "ledger/overlay.h"
#include "ledger/schema.h"

bool state_get_position(struct overlay *overlay, struct schema_position *out);
bool state_get_institution(struct overlay *overlay, const uint8_t *institution,
                           struct schema_institution *out);
bool state_get_key(struct overlay *overlay, const uint8_t *key_id,
                   struct schema_registered_key *out);
bool state_get_participant(struct overlay *overlay, const uint8_t *participant,
                           struct schema_participant *out);
bool state_get_policy(struct overlay *overlay, const uint8_t *policy,
                      uint32_t version, struct schema_policy *out);
bool state_get_subject(struct overlay *overlay, const uint8_t *handle,
                       struct schema_subject *out);
bool state_get_consent(struct overlay *overlay, const uint8_t *consent,
                       struct schema_consent *out);
bool state_get_record(struct overlay *overlay, const uint8_t *record,
                      struct schema_record *out);
bool state_get_transaction(struct overlay *overlay, const uint8_t *tx_id,
                           struct schema_transaction *out);
bool state_get_request(struct overlay *overlay,
                       const struct pbft_public_key *client, uint64_t session,
                       uint64_t sequence, struct schema_request *out);

void state_put_position(struct overlay *overlay,
                        const struct schema_position *in);
void state_put_institution(struct overlay *overlay, const uint8_t *institution,
                           const struct schema_institution *in);
void state_put_key(struct overlay *overlay, const uint8_t *key_id,
                   const struct schema_registered_key *in);
void state_put_participant(struct overlay *overlay, const uint8_t *participant,
                           const struct schema_participant *in);
void state_put_policy(struct overlay *overlay, const uint8_t *policy,
                      uint32_t version, const struct schema_policy *in);
void state_put_subject(struct overlay *overlay, const uint8_t *handle,
                       const struct schema_subject *in);
void state_put_consent(struct overlay *overlay, const uint8_t *consent,
                       const struct schema_consent *in);
void state_put_record(struct overlay *overlay, const uint8_t *record,
                      const struct schema_record *in);
/* `kind`: p, c or r. */
void state_put_payload(struct overlay *overlay, char kind, const uint8_t *id,
                       struct pbft_bytes payload);
void state_put_transaction(struct overlay *overlay, const uint8_t *tx_id,
                           const struct schema_transaction *in);
void state_put_request(struct overlay *overlay,
                       const struct pbft_public_key *client, uint64_t session,
                       uint64_t sequence, const struct schema_request *in);

/* Is this an institution of the consortium, in good standing? */
bool state_is_active_institution(struct overlay *overlay,
                                 const uint8_t *institution);
/* The registered key `key`, if it is active, for that purpose, and its
 * institution is in good standing. */
bool state_get_active_key(struct overlay *overlay, const uint8_t *key_id,
                          enum schema_purpose purpose,
                          struct schema_registered_key *out);
/* Is the participant in its period of validity? */
bool state_participant_is_valid(const struct schema_participant *participant,
                                uint64_t now_ms);

#endif /* LEDGER_STATE_H */
