/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes in memory and as files. */
#include "client/envelope.h"

#include <string.h>

#include "client/tool_folder.h"
#include "crypto/file.h"
#include "ledger/transaction.h"
#include "proto/scan.h"
#include "salus/v1/files.pb-c.h"

#define ENVELOPE_VERSION 1
#define ENVELOPE_MEMORY_MAX ((size_t)256 * 1024)

static_assert(WRAP_KEY_ID_SIZE == LEDGER_ID_SIZE, "keys have ids of a ledger");

static struct wrap_identity identity_of(const struct envelope *envelope,
                                        const uint8_t key_id[WRAP_KEY_ID_SIZE])
{
    struct wrap_identity identity = {.version = envelope->identity.version};

    memcpy(identity.record, envelope->identity.record, sizeof identity.record);
    memcpy(identity.key_id, key_id, sizeof identity.key_id);
    return identity;
}

/* Ids ascend: the place where this one is or belongs. */
static size_t place_of(const struct envelope *envelope,
                       const uint8_t key_id[WRAP_KEY_ID_SIZE], bool *found)
{
    size_t place = 0;
    int order = -1;

    while (place < envelope->count &&
           (order = memcmp(envelope->wraps[place].key_id, key_id,
                           WRAP_KEY_ID_SIZE)) < 0) {
        place++;
    }
    *found = place < envelope->count && order == 0;
    return place;
}

enum pbft_status envelope_add(struct envelope *envelope,
                              const uint8_t recipient[HPKE_KEY_SIZE],
                              const uint8_t data_key[SEAL_KEY_SIZE])
{
    struct transaction_key_id key_id;
    bool found = false;

    transaction_key_id(&key_id, recipient);
    size_t place = place_of(envelope, key_id.bytes, &found);
    if (found) {
        return PBFT_OK;
    }
    if (envelope->count == LEDGER_ENVELOPES_MAX) {
        return PBFT_LIMIT;
    }
    struct envelope_wrap wrap;
    struct wrap_identity identity = identity_of(envelope, key_id.bytes);
    memcpy(wrap.key_id, key_id.bytes, sizeof wrap.key_id);
    enum pbft_status status =
        wrap_seal(wrap.wrap, recipient, &identity, data_key);
    if (status != PBFT_OK) {
        return status;
    }
    memmove(&envelope->wraps[place + 1], &envelope->wraps[place],
            (envelope->count - place) * sizeof wrap);
    envelope->wraps[place] = wrap;
    envelope->count++;
    return PBFT_OK;
}

void envelope_wrap_commit(struct pbft_digest *out,
                          const struct envelope *envelope, size_t index)
{
    uint8_t salt[COMMIT_SALT_SIZE];

    wrap_salt(salt, envelope->salt, envelope->wraps[index].key_id);
    wrap_commit(out, salt, envelope->wraps[index].wrap);
}

enum pbft_status envelope_unwrap(uint8_t data_key[SEAL_KEY_SIZE],
                                 const struct envelope *envelope,
                                 const uint8_t secret[HPKE_KEY_SIZE],
                                 const uint8_t public_key[HPKE_KEY_SIZE])
{
    struct transaction_key_id key_id;
    bool found = false;

    transaction_key_id(&key_id, public_key);
    size_t place = place_of(envelope, key_id.bytes, &found);
    if (!found) {
        return PBFT_NOT_FOUND;
    }
    struct wrap_identity identity = identity_of(envelope, key_id.bytes);
    return wrap_open(data_key, secret, &identity, envelope->wraps[place].wrap);
}

/* ---- files --------------------------------------------------------------- */

static ProtobufCBinaryData borrow(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)data};
}

enum pbft_status envelope_store(const char *path,
                                const struct envelope *envelope,
                                struct salus_reason *reason)
{
    Salus__V1__SealedEnvelope message = SALUS__V1__SEALED_ENVELOPE__INIT;
    Salus__V1__SealedEnvelope__Wrap rows[LEDGER_ENVELOPES_MAX];
    Salus__V1__SealedEnvelope__Wrap *list[LEDGER_ENVELOPES_MAX];
    struct wire_buffer bytes;
    struct wire_buffer text;

    message.version = ENVELOPE_VERSION;
    message.cluster = borrow(envelope->identity.chain.bytes, PBFT_DIGEST_SIZE);
    message.record = borrow(envelope->identity.record, SEAL_RECORD_SIZE);
    message.record_version = envelope->identity.version;
    message.salt = borrow(envelope->salt, sizeof envelope->salt);
    message.commit = borrow(envelope->commit.bytes, PBFT_DIGEST_SIZE);
    message.cipher_digest =
        borrow(envelope->cipher_digest.bytes, PBFT_DIGEST_SIZE);
    for (size_t i = 0; i < envelope->count; i++) {
        salus__v1__sealed_envelope__wrap__init(&rows[i]);
        rows[i].key_id = borrow(envelope->wraps[i].key_id, WRAP_KEY_ID_SIZE);
        rows[i].wrap = borrow(envelope->wraps[i].wrap, WRAP_SIZE);
        list[i] = &rows[i];
    }
    message.wraps = list;
    message.n_wraps = envelope->count;
    wire_buffer_init(&bytes, ENVELOPE_BYTES_MAX);
    wire_buffer_init(&text, 2 * ENVELOPE_BYTES_MAX);
    enum pbft_status status = wire_pack(&message.base, &bytes);
    if (status == PBFT_OK) {
        status = armor_encode(ARMOR_ENVELOPE, wire_buffer_bytes(&bytes), &text);
    }
    if (status == PBFT_OK) {
        status =
            file_create(path, FILE_SECRET, wire_buffer_bytes(&text), reason);
    } else {
        salus_reason_set(reason, "%s: %s", path, pbft_status_text(status));
    }
    wire_buffer_deinit(&text);
    wire_buffer_deinit(&bytes);
    return status;
}

static bool take(void *out, size_t size, const ProtobufCBinaryData *field)
{
    if (field->len != size) {
        return false;
    }
    memcpy(out, field->data, size);
    return true;
}

static bool take_wraps(struct envelope *out,
                       const Salus__V1__SealedEnvelope *message)
{
    if (message->n_wraps == 0 || message->n_wraps > LEDGER_ENVELOPES_MAX) {
        return false;
    }
    for (size_t i = 0; i < message->n_wraps; i++) {
        struct envelope_wrap *wrap = &out->wraps[i];
        if (!take(wrap->key_id, sizeof wrap->key_id,
                  &message->wraps[i]->key_id) ||
            !take(wrap->wrap, sizeof wrap->wrap, &message->wraps[i]->wrap) ||
            (i > 0 && memcmp(out->wraps[i - 1].key_id, wrap->key_id,
                             WRAP_KEY_ID_SIZE) >= 0)) {
            return false;
        }
    }
    out->count = message->n_wraps;
    return true;
}

static enum pbft_status take_message(struct envelope *out,
                                     const Salus__V1__SealedEnvelope *message)
{
    memset(out, 0, sizeof *out);
    if (message->version != ENVELOPE_VERSION) {
        return PBFT_VERSION;
    }
    out->identity.version = message->record_version;
    return take(out->identity.chain.bytes, PBFT_DIGEST_SIZE,
                &message->cluster) &&
                   take(out->identity.record, SEAL_RECORD_SIZE,
                        &message->record) &&
                   take(out->salt, sizeof out->salt, &message->salt) &&
                   take(out->commit.bytes, PBFT_DIGEST_SIZE,
                        &message->commit) &&
                   take(out->cipher_digest.bytes, PBFT_DIGEST_SIZE,
                        &message->cipher_digest) &&
                   message->record_version != 0 && take_wraps(out, message)
               ? PBFT_OK
               : PBFT_MALFORMED;
}

enum pbft_status envelope_load(struct envelope *out, const char *path,
                               struct salus_reason *reason)
{
    struct wire_arena arena;
    struct wire_buffer bytes;
    struct ProtobufCMessage *message = NULL;

    wire_arena_init(&arena, ENVELOPE_MEMORY_MAX);
    enum pbft_status status = tool_armor_load(&bytes, path, ARMOR_ENVELOPE,
                                              ENVELOPE_BYTES_MAX, reason);
    if (status == PBFT_OK) {
        status =
            wire_unpack_strict(&salus__v1__sealed_envelope__descriptor,
                               wire_buffer_bytes(&bytes), &arena, &message);
        if (status == PBFT_OK) {
            status = take_message(
                out, (const Salus__V1__SealedEnvelope *)(void *)message);
        }
        if (status != PBFT_OK) {
            salus_reason_set(reason, "%s: no sound envelope: %s", path,
                             pbft_status_text(status));
        }
    }
    wire_buffer_deinit(&bytes);
    wire_arena_deinit(&arena);
    return status;
}
