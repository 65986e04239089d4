/* SPDX-License-Identifier: Apache-2.0 */
#include "client/parcel.h"

#include <string.h>

#include "crypto/secret.h"

enum pbft_status parcel_make(struct parcel *out,
                             const struct envelope *envelope, size_t index,
                             const uint8_t data_key[SEAL_KEY_SIZE])
{
    const struct envelope_wrap *wrap = &envelope->wraps[index];
    struct wrap_details details = {.commit = envelope->commit,
                                   .cipher_digest = envelope->cipher_digest};

    memcpy(details.salt, envelope->salt, sizeof details.salt);
    memcpy(out->record, envelope->identity.record, sizeof out->record);
    out->version = envelope->identity.version;
    memcpy(out->recipient_key, wrap->key_id, sizeof out->recipient_key);
    memcpy(out->wrap, wrap->wrap, sizeof out->wrap);
    wrap_salt(out->salt, envelope->salt, wrap->key_id);
    enum pbft_status status = wrap_details_seal(out->details, data_key,
                                                &envelope->identity, &details);
    secret_wipe(&details, sizeof details);
    return status;
}

void parcel_commit(struct pbft_digest *out, const struct parcel *parcel)
{
    wrap_commit(out, parcel->salt, parcel->wrap);
}

/* The salt that came with the wrap must be the one of this record's salt: the
 * ledger vouches for it by its commitment, and so for the details. */
static bool salt_fits(const struct parcel *parcel,
                      const struct wrap_details *details)
{
    uint8_t salt[COMMIT_SALT_SIZE];

    wrap_salt(salt, details->salt, parcel->recipient_key);
    return memcmp(salt, parcel->salt, sizeof salt) == 0;
}

enum pbft_status parcel_open(struct envelope *out, const struct parcel *parcel,
                             const struct pbft_digest *chain,
                             const uint8_t secret[HPKE_KEY_SIZE])
{
    uint8_t data_key[SEAL_KEY_SIZE];
    struct wrap_identity identity = {.version = parcel->version};
    struct wrap_details details;

    memset(out, 0, sizeof *out);
    memcpy(identity.record, parcel->record, sizeof identity.record);
    memcpy(identity.key_id, parcel->recipient_key, sizeof identity.key_id);
    out->identity.chain = *chain;
    out->identity.version = parcel->version;
    memcpy(out->identity.record, parcel->record, sizeof parcel->record);
    enum pbft_status status =
        wrap_open(data_key, secret, &identity, parcel->wrap);
    if (status == PBFT_OK) {
        status = wrap_details_open(&details, data_key, &out->identity,
                                   parcel->details);
    }
    secret_wipe(data_key, sizeof data_key);
    if (status == PBFT_OK && !salt_fits(parcel, &details)) {
        status = PBFT_BAD_SIGNATURE;
    }
    if (status == PBFT_OK) {
        memcpy(out->salt, details.salt, sizeof out->salt);
        out->commit = details.commit;
        out->cipher_digest = details.cipher_digest;
        memcpy(out->wraps[0].key_id, parcel->recipient_key,
               sizeof out->wraps[0].key_id);
        memcpy(out->wraps[0].wrap, parcel->wrap, sizeof out->wraps[0].wrap);
        out->count = 1;
    }
    secret_wipe(&details, sizeof details);
    return status;
}

/* ---- messages ------------------------------------------------------------ */

static ProtobufCBinaryData borrow(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)data};
}

void parcel_fill(struct parcel_message *out, const struct parcel *parcel)
{
    salus__v1__key_envelope__init(&out->envelope);
    salus__v1__envelope_name__init(&out->name);
    out->name.record = borrow(parcel->record, sizeof parcel->record);
    out->name.version = parcel->version;
    out->name.recipient_key =
        borrow(parcel->recipient_key, sizeof parcel->recipient_key);
    out->envelope.name = &out->name;
    out->envelope.salt = borrow(parcel->salt, sizeof parcel->salt);
    out->envelope.wrap = borrow(parcel->wrap, sizeof parcel->wrap);
    out->envelope.details = borrow(parcel->details, sizeof parcel->details);
}

static bool take(void *out, size_t size, const ProtobufCBinaryData *field)
{
    if (field->len != size) {
        return false;
    }
    memcpy(out, field->data, size);
    return true;
}

bool parcel_read(struct parcel *out, const Salus__V1__KeyEnvelope *in)
{
    if (in == NULL || in->name == NULL || in->name->version == 0) {
        return false;
    }
    out->version = in->name->version;
    return take(out->record, sizeof out->record, &in->name->record) &&
           take(out->recipient_key, sizeof out->recipient_key,
                &in->name->recipient_key) &&
           take(out->salt, sizeof out->salt, &in->salt) &&
           take(out->wrap, sizeof out->wrap, &in->wrap) &&
           take(out->details, sizeof out->details, &in->details);
}
