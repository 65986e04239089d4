/* SPDX-License-Identifier: Apache-2.0 */
/* State and history of consents. */
#include "ledger/consent.h"

#include <string.h>

#include "consensus/assert.h"
#include "ledger/checks.h"
#include "ledger/state.h"

#define US_PER_MS 1000u

enum ledger_code consent_subject_is_ours(struct execution *x,
                                         const ProtobufCBinaryData *handle,
                                         struct schema_subject *out)
{
    enum ledger_code code = checks_reference(handle, LEDGER_HANDLE_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return state_get_subject(x->overlay, handle->data, out) &&
                   out->state == SCHEMA_ACTIVE &&
                   execution_speaks_for(x, &out->registrar)
               ? LEDGER_OK
               : LEDGER_SUBJ_STATE;
}

enum ledger_code consent_id_is_new(struct execution *x,
                                   const ProtobufCBinaryData *consent)
{
    struct schema_key key;
    enum ledger_code code = checks_random(consent, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    schema_key_consent(&key, consent->data);
    return overlay_has(x->overlay, &key) ? LEDGER_CONSENT_EXISTS : LEDGER_OK;
}

bool consent_is_over(const struct schema_consent *consent, uint64_t now_ms)
{
    return consent->to_ms != 0 && consent->to_ms <= now_ms;
}

bool consent_stands(const struct schema_consent *consent, uint64_t now_ms)
{
    return consent->state == SCHEMA_CONSENT_GRANTED &&
           !consent_is_over(consent, now_ms);
}

/* The keys of one line of history: under the consent and under the subject. */
struct event_keys {
    struct schema_key of_consent;
    struct schema_key of_subject;
};

static void make_keys(struct event_keys *keys,
                      const struct schema_consent *consent, const uint8_t *id,
                      const struct schema_place *place,
                      enum schema_event_kind kind)
{
    schema_key_consent_history(&keys->of_consent, id);
    schema_key_add_event(&keys->of_consent, place, id, (uint8_t)kind);
    schema_key_subject_history(&keys->of_subject, consent->subject);
    schema_key_add_event(&keys->of_subject, place, id, (uint8_t)kind);
}

static void put_event(struct execution *x, const struct event_keys *keys,
                      const struct schema_event *event)
{
    uint8_t value[SCHEMA_FIXED_MAX];
    size_t size = thing_encode(value, &thing_event, event);
    overlay_put(x->overlay, &keys->of_consent,
                (struct pbft_bytes){value, size});
    overlay_put(x->overlay, &keys->of_subject,
                (struct pbft_bytes){value, size});
}

/* What this transaction does to a consent. */
static void record_event(struct execution *x, const uint8_t *id,
                         const struct schema_consent *consent,
                         enum schema_event_kind kind)
{
    struct event_keys keys;
    struct schema_event event = {
        .kind = kind,
        .seq = x->seq,
        .tx_id = x->tx_id,
        .institution = x->request->institution,
    };
    memcpy(event.consent, id, sizeof event.consent);
    memcpy(event.other, consent->ended_by, sizeof event.other);
    make_keys(&keys, consent, id, &x->place, kind);
    put_event(x, &keys, &event);
}

void consent_note_settled(struct execution *x, const uint8_t *handle)
{
    static const uint8_t no_consent[LEDGER_ID_SIZE] = {0};
    uint8_t value[SCHEMA_FIXED_MAX];
    struct schema_key key;
    struct schema_event event = {
        .kind = SCHEMA_EVENT_SETTLED,
        .seq = x->seq,
        .tx_id = x->tx_id,
        .institution = x->request->institution,
    };
    PBFT_ASSERT(x->body->participant.len == sizeof event.other);
    memcpy(event.other, x->body->participant.data, sizeof event.other);
    schema_key_subject_history(&key, handle);
    schema_key_add_event(&key, &x->place, no_consent, SCHEMA_EVENT_SETTLED);
    size_t size = thing_encode(value, &thing_event, &event);
    overlay_put(x->overlay, &key, (struct pbft_bytes){value, size});
}

/* When the period ends; a consent that is filed after its end is over at once.
 */
static struct schema_place end_of(const struct schema_consent *consent)
{
    struct schema_place place = consent->granted;
    uint64_t end = consent->to_ms > UINT64_MAX / US_PER_MS
                       ? UINT64_MAX
                       : consent->to_ms * US_PER_MS;
    if (end > place.time) {
        place.time = end;
    }
    return place;
}

static void schedule_expiry(struct execution *x, const uint8_t *id,
                            const struct schema_consent *consent)
{
    struct event_keys keys;
    struct schema_place place = end_of(consent);
    struct schema_event event = {
        .kind = SCHEMA_EVENT_EXPIRED,
        .institution = consent->institution,
    };
    memcpy(event.consent, id, sizeof event.consent);
    make_keys(&keys, consent, id, &place, SCHEMA_EVENT_EXPIRED);
    put_event(x, &keys, &event);
}

static void cancel_expiry(struct execution *x, const uint8_t *id,
                          const struct schema_consent *consent)
{
    struct event_keys keys;
    struct schema_place place = end_of(consent);
    make_keys(&keys, consent, id, &place, SCHEMA_EVENT_EXPIRED);
    overlay_delete(x->overlay, &keys.of_consent);
    overlay_delete(x->overlay, &keys.of_subject);
}

/* The subject's list of consents in force, and when this one leaves it. */
static void begin_standing(struct execution *x, const uint8_t *id,
                           const struct schema_consent *consent)
{
    struct state_standing standing;
    state_get_standing(x->overlay, consent->subject, &standing);
    PBFT_ASSERT(standing.count < LEDGER_SUBJECT_CONSENTS_MAX);
    memcpy(standing.ids[standing.count++], id, LEDGER_ID_SIZE);
    state_put_standing(x->overlay, consent->subject, &standing);
    if (consent->to_ms != 0) {
        state_put_due(x->overlay, consent->to_ms, SCHEMA_DUE_CONSENT, id,
                      &consent->institution);
    }
    if (consent->from_ms > x->now_ms) {
        state_put_due(x->overlay, consent->from_ms, SCHEMA_DUE_START, id,
                      &consent->institution);
    }
}

void consent_expire(struct overlay *overlay, const uint8_t *id, uint64_t now_ms)
{
    struct schema_consent consent;
    if (state_get_consent(overlay, id, &consent) &&
        consent.state == SCHEMA_CONSENT_GRANTED) {
        consent.state = SCHEMA_CONSENT_EXPIRED;
        state_put_consent(overlay, id, &consent);
        state_note_change(overlay, consent.subject, STATE_CONSENT_ENDED, id,
                          now_ms);
    }
}

enum ledger_code consent_has_room(struct execution *x, const uint8_t *handle,
                                  size_t superseded)
{
    struct state_standing standing;
    state_get_standing(x->overlay, handle, &standing);
    return standing.count + 1 <= LEDGER_SUBJECT_CONSENTS_MAX + superseded
               ? LEDGER_OK
               : LEDGER_CONSENT_LIMIT;
}

void consent_write(struct execution *x, const uint8_t *id,
                   const struct schema_consent *consent)
{
    bool on_file = consent->state == SCHEMA_CONSENT_ON_FILE;
    state_put_with_payload(x->overlay, &thing_consent, id, consent, x->payload);
    record_event(x, id, consent,
                 on_file ? SCHEMA_EVENT_FILED_EVIDENCE : SCHEMA_EVENT_GRANTED);
    if (consent->to_ms != 0) {
        schedule_expiry(x, id, consent);
    }
    if (consent_stands(consent, x->now_ms)) {
        begin_standing(x, id, consent);
    }
}

void consent_end(struct execution *x, const uint8_t *id,
                 enum schema_consent_state state, const uint8_t *successor)
{
    struct schema_consent consent;
    bool known = state_get_consent(x->overlay, id, &consent);
    PBFT_ASSERT(known);
    PBFT_ASSERT(consent.state == SCHEMA_CONSENT_GRANTED);
    bool revoked = state == SCHEMA_CONSENT_REVOKED;
    if (consent.to_ms != 0) {
        cancel_expiry(x, id, &consent);
    }
    state_note_change(x->overlay, consent.subject, STATE_CONSENT_ENDED, id,
                      x->now_ms);
    if (consent.to_ms != 0) {
        state_delete_due(x->overlay, consent.to_ms, SCHEMA_DUE_CONSENT, id);
    }
    if (consent.from_ms > x->now_ms) {
        state_delete_due(x->overlay, consent.from_ms, SCHEMA_DUE_START, id);
    }
    consent.state = state;
    consent.ended_seq = x->seq;
    consent.ended_us = x->place.time;
    if (successor != NULL) {
        memcpy(consent.ended_by, successor, sizeof consent.ended_by);
    }
    state_put_consent(x->overlay, id, &consent);
    record_event(x, id, &consent,
                 revoked ? SCHEMA_EVENT_REVOKED : SCHEMA_EVENT_SUPERSEDED);
}
