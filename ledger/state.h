/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the things that the ledger knows, by their ids. Private
 * to ledger/.
 *
 * A get returns false if there is no such thing; a stored value that cannot be
 * read counts as absent and marks the overlay CORRUPT, so that the block is
 * given up. Ids point to bytes of the right size. Most functions are made by
 * THINGS() in ledger/things.h: state_get_consent(), state_put_consent(), ...
 */
#ifndef LEDGER_STATE_H
#define LEDGER_STATE_H

#include "ledger/codes.h"
#include "ledger/overlay.h"
#include "ledger/things.h"

bool state_get_position(struct overlay *overlay, struct schema_position *out);
void state_put_position(struct overlay *overlay,
                        const struct schema_position *in);

bool state_get_policy(struct overlay *overlay, const uint8_t *policy,
                      uint32_t version, struct schema_policy *out);
void state_put_policy(struct overlay *overlay, const uint8_t *policy,
                      uint32_t version, const struct schema_policy *in);
/* Is the policy in force at the block of the overlay? */
bool state_policy_is_active(const struct overlay *overlay,
                            const struct schema_policy *policy);
/* What rules the ledger as long as no policy does. */
void state_strict_policy(struct schema_policy *out);
/* The policy that rules the ledger now; if there is none, the strict one. */
void state_governing_policy(struct overlay *overlay, struct schema_policy *out);

bool state_get_request(struct overlay *overlay,
                       const struct pbft_public_key *client, uint64_t session,
                       uint64_t sequence, struct schema_request *out);
void state_put_request(struct overlay *overlay,
                       const struct pbft_public_key *client, uint64_t session,
                       uint64_t sequence, const struct schema_request *in);

/* A consent, record, access request, disclosure or emergency and the payload
 * that made it, which is not empty; state_payload.c. */
void state_put_with_payload(struct overlay *overlay, const struct thing *thing,
                            const uint8_t *id, const void *in,
                            struct pbft_bytes payload);
/* The payload of anything else. `kind`: the letter of the thing, as in
 * schema.h. */
void state_put_payload(struct overlay *overlay, char kind, const uint8_t *id,
                       struct pbft_bytes payload);
/* Of all of them. The bytes are valid until the next call. */
bool state_get_payload(struct overlay *overlay, char kind, const uint8_t *id,
                       struct pbft_bytes *payload);

/* The payload of decision `number` of a request, from 1; of the last
 * LEDGER_DECISIONS_KEPT. Valid until the next call. */
void state_put_decision(struct overlay *overlay, const uint8_t *request,
                        uint32_t number, struct pbft_bytes payload);
bool state_get_decision(struct overlay *overlay, const uint8_t *request,
                        uint32_t number, struct pbft_bytes *payload);

/* Rows that hang on two ids. */
bool state_get_envelope(struct overlay *overlay, const uint8_t *record,
                        uint32_t version, const uint8_t *key_id,
                        struct schema_envelope *out);
void state_put_envelope(struct overlay *overlay, const uint8_t *record,
                        uint32_t version, const uint8_t *key_id,
                        const struct schema_envelope *in);
bool state_get_leaf(struct overlay *overlay, const uint8_t *batch,
                    uint32_t index, struct schema_leaf *out);
void state_put_leaf(struct overlay *overlay, const uint8_t *batch,
                    uint32_t index, const struct schema_leaf *in);
bool state_is_member(struct overlay *overlay, const uint8_t *group,
                     uint32_t generation, const uint8_t *participant);
void state_put_member(struct overlay *overlay, const uint8_t *group,
                      uint32_t generation, const uint8_t *participant);
bool state_get_suspension(struct overlay *overlay, const uint8_t *handle,
                          uint32_t role, struct schema_suspension *out);
void state_put_suspension(struct overlay *overlay, const uint8_t *handle,
                          uint32_t role, const struct schema_suspension *in);
/* What time will do; obligations.c reads it. */
void state_put_due(struct overlay *overlay, uint64_t due_ms,
                   enum schema_due_kind kind, const uint8_t *id,
                   const struct pbft_institution *institution);
void state_delete_due(struct overlay *overlay, uint64_t due_ms,
                      enum schema_due_kind kind, const uint8_t *id);

/* The code, compiled in or added later. */
bool state_find_code(struct overlay *overlay, enum codes_table table,
                     uint32_t id, struct schema_code *out);
void state_put_code(struct overlay *overlay, enum codes_table table,
                    uint32_t id, const struct schema_code *in);
uint32_t state_table_version(struct overlay *overlay);

/* Is this an institution of the consortium, in good standing? */
bool state_is_active_institution(struct overlay *overlay,
                                 const uint8_t *institution);
/* Does `institution` speak for `holder`: is it that, or has it taken over the
 * records of that one, which has left? */
bool state_speaks_for(struct overlay *overlay,
                      const struct pbft_institution *institution,
                      const struct pbft_institution *holder);
/* May the key sign in this block? */
bool state_key_is_active(const struct overlay *overlay,
                         const struct schema_registered_key *key);
/* The registered key `key`, if it is active, for that purpose, and its
 * institution is in good standing. */
bool state_get_active_key(struct overlay *overlay, const uint8_t *key_id,
                          enum schema_purpose purpose,
                          struct schema_registered_key *out);
/* Is the participant in its period of validity? */
bool state_participant_is_valid(const struct schema_participant *participant,
                                uint64_t now_ms);
bool state_participant_has_role(const struct schema_participant *participant,
                                uint32_t role);

/* The consents of a subject that have not ended, not yet begun ones included;
 * standing.c. */
struct state_standing {
    uint64_t changes; /* So many were noted down. */
    uint32_t count;
    uint8_t ids[LEDGER_SUBJECT_CONSENTS_MAX][LEDGER_ID_SIZE];
};
/* Empty if there is none. */
void state_get_standing(struct overlay *overlay, const uint8_t *handle,
                        struct state_standing *out);
void state_put_standing(struct overlay *overlay, const uint8_t *handle,
                        const struct state_standing *in);
bool state_decode_standing(struct state_standing *out, struct pbft_bytes in);

/* A consent has ended, and leaves the list; or the subject has become
 * indeterminate (unclear), or is so no longer. */
enum state_change { STATE_CONSENT_ENDED = 1, STATE_UNCLEAR, STATE_CLEAR };
/* `consent`: that ended; else NULL. */
void state_note_change(struct overlay *overlay, const uint8_t *handle,
                       enum state_change kind, const uint8_t *consent,
                       uint64_t now_ms);
/* As the list was when the millisecond `at_ms` was over; what came in the same
 * one counts. `*indeterminate` is what it is now, and becomes what it was then.
 * False: it cannot be told, more than `look_back` changes ago. */
bool state_standing_at(struct overlay *overlay, const uint8_t *handle,
                       uint64_t at_ms, uint64_t look_back,
                       struct state_standing *out, bool *indeterminate);

/* Did a consent begin to count or end, or the subject become indeterminate or
 * clear, from `from_ms` to `to_ms`, both included? True also if it cannot be
 * told. What begins and ends by the periods that consents name is not looked
 * at. */
bool state_standing_changed(struct overlay *overlay, const uint8_t *handle,
                            uint64_t from_ms, uint64_t to_ms);

#endif /* LEDGER_STATE_H */
