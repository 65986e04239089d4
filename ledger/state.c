/* SPDX-License-Identifier: Apache-2.0 */
/* One get and one put per kind of thing: key, value, and the check that a
 * stored value can be read. */
#include "ledger/state.h"

/* A value that cannot be read: the store is damaged. */
static bool readable(struct overlay *overlay, bool decoded)
{
    if (!decoded && overlay->status == PBFT_OK) {
        overlay->status = PBFT_CORRUPT;
    }
    return decoded;
}

bool state_get_position(struct overlay *overlay, struct schema_position *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    schema_key_position(&key);
    return overlay_get(overlay, &key, &value) &&
           readable(overlay, schema_decode_position(out, value));
}

void state_put_position(struct overlay *overlay,
                        const struct schema_position *in)
{
    struct schema_key key;
    uint8_t value[SCHEMA_POSITION_MAX];
    schema_key_position(&key);
    size_t size = schema_encode_position(value, in);
    overlay_put(overlay, &key, (struct pbft_bytes){value, size});
}

bool state_get_institution(struct overlay *overlay, const uint8_t *institution,
                           struct schema_institution *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    schema_key_institution(&key, institution);
    return overlay_get(overlay, &key, &value) &&
           readable(overlay, schema_decode_institution(out, value));
}

void state_put_institution(struct overlay *overlay, const uint8_t *institution,
                           const struct schema_institution *in)
{
    struct schema_key key;
    uint8_t value[SCHEMA_FIXED_MAX];
    schema_key_institution(&key, institution);
    size_t size = schema_encode_institution(value, in);
    overlay_put(overlay, &key, (struct pbft_bytes){value, size});
}

bool state_get_key(struct overlay *overlay, const uint8_t *key_id,
                   struct schema_registered_key *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    schema_key_key(&key, key_id);
    return overlay_get(overlay, &key, &value) &&
           readable(overlay, schema_decode_key(out, value));
}

void state_put_key(struct overlay *overlay, const uint8_t *key_id,
                   const struct schema_registered_key *in)
{
    struct schema_key key;
    uint8_t value[SCHEMA_FIXED_MAX];
    schema_key_key(&key, key_id);
    size_t size = schema_encode_key(value, in);
    overlay_put(overlay, &key, (struct pbft_bytes){value, size});
}

bool state_get_participant(struct overlay *overlay, const uint8_t *participant,
                           struct schema_participant *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    schema_key_participant(&key, participant);
    return overlay_get(overlay, &key, &value) &&
           readable(overlay, schema_decode_participant(out, value));
}

void state_put_participant(struct overlay *overlay, const uint8_t *participant,
                           const struct schema_participant *in)
{
    struct schema_key key;
    uint8_t value[SCHEMA_FIXED_MAX];
    schema_key_participant(&key, participant);
    size_t size = schema_encode_participant(value, in);
    overlay_put(overlay, &key, (struct pbft_bytes){value, size});
}

bool state_get_policy(struct overlay *overlay, const uint8_t *policy,
                      uint32_t version, struct schema_policy *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    schema_key_policy(&key, policy, version);
    return overlay_get(overlay, &key, &value) &&
           readable(overlay, schema_decode_policy(out, value));
}

void state_put_policy(struct overlay *overlay, const uint8_t *policy,
                      uint32_t version, const struct schema_policy *in)
{
    struct schema_key key;
    uint8_t value[SCHEMA_FIXED_MAX];
    schema_key_policy(&key, policy, version);
    size_t size = schema_encode_policy(value, in);
    overlay_put(overlay, &key, (struct pbft_bytes){value, size});
}

bool state_get_subject(struct overlay *overlay, const uint8_t *handle,
                       struct schema_subject *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    schema_key_subject(&key, handle);
    return overlay_get(overlay, &key, &value) &&
           readable(overlay, schema_decode_subject(out, value));
}

void state_put_subject(struct overlay *overlay, const uint8_t *handle,
                       const struct schema_subject *in)
{
    struct schema_key key;
    uint8_t value[SCHEMA_FIXED_MAX];
    schema_key_subject(&key, handle);
    size_t size = schema_encode_subject(value, in);
    overlay_put(overlay, &key, (struct pbft_bytes){value, size});
}

bool state_get_consent(struct overlay *overlay, const uint8_t *consent,
                       struct schema_consent *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    schema_key_consent(&key, consent);
    return overlay_get(overlay, &key, &value) &&
           readable(overlay, schema_decode_consent(out, value));
}

void state_put_consent(struct overlay *overlay, const uint8_t *consent,
                       const struct schema_consent *in)
{
    struct schema_key key;
    uint8_t value[SCHEMA_FIXED_MAX];
    schema_key_consent(&key, consent);
    size_t size = schema_encode_consent(value, in);
    overlay_put(overlay, &key, (struct pbft_bytes){value, size});
}

bool state_get_record(struct overlay *overlay, const uint8_t *record,
                      struct schema_record *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    schema_key_record(&key, record);
    return overlay_get(overlay, &key, &value) &&
           readable(overlay, schema_decode_record(out, value));
}

void state_put_record(struct overlay *overlay, const uint8_t *record,
                      const struct schema_record *in)
{
    struct schema_key key;
    uint8_t value[SCHEMA_FIXED_MAX];
    schema_key_record(&key, record);
    size_t size = schema_encode_record(value, in);
    overlay_put(overlay, &key, (struct pbft_bytes){value, size});
}

bool state_get_transaction(struct overlay *overlay, const uint8_t *tx_id,
                           struct schema_transaction *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    schema_key_transaction(&key, tx_id);
    return overlay_get(overlay, &key, &value) &&
           readable(overlay, schema_decode_transaction(out, value));
}

void state_put_transaction(struct overlay *overlay, const uint8_t *tx_id,
                           const struct schema_transaction *in)
{
    struct schema_key key;
    uint8_t value[SCHEMA_FIXED_MAX];
    schema_key_transaction(&key, tx_id);
    size_t size = schema_encode_transaction(value, in);
    overlay_put(overlay, &key, (struct pbft_bytes){value, size});
}

bool state_get_request(struct overlay *overlay,
                       const struct pbft_public_key *client, uint64_t session,
                       uint64_t sequence, struct schema_request *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    schema_key_request(&key, client, session, sequence);
    return overlay_get(overlay, &key, &value) &&
           readable(overlay, schema_decode_request(out, value));
}

void state_put_request(struct overlay *overlay,
                       const struct pbft_public_key *client, uint64_t session,
                       uint64_t sequence, const struct schema_request *in)
{
    struct schema_key key;
    uint8_t value[SCHEMA_FIXED_MAX];
    schema_key_request(&key, client, session, sequence);
    size_t size = schema_encode_request(value, in);
    overlay_put(overlay, &key, (struct pbft_bytes){value, size});
}

void state_put_payload(struct overlay *overlay, char kind, const uint8_t *id,
                       struct pbft_bytes payload)
{
    struct schema_key key;
    schema_key_payload(&key, kind, id);
    overlay_put(overlay, &key, payload);
}

bool state_is_active_institution(struct overlay *overlay,
                                 const uint8_t *institution)
{
    struct schema_institution found;
    return state_get_institution(overlay, institution, &found) &&
           found.state == SCHEMA_ACTIVE;
}

bool state_get_active_key(struct overlay *overlay, const uint8_t *key_id,
                          enum schema_purpose purpose,
                          struct schema_registered_key *out)
{
    return state_get_key(overlay, key_id, out) && out->state == SCHEMA_ACTIVE &&
           out->purpose == purpose &&
           state_is_active_institution(overlay, out->institution.bytes);
}

bool state_participant_is_valid(const struct schema_participant *participant,
                                uint64_t now_ms)
{
    return participant->state == SCHEMA_ACTIVE &&
           participant->valid_from_ms <= now_ms &&
           (participant->valid_to_ms == 0 || now_ms < participant->valid_to_ms);
}
