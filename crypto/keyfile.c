/* SPDX-License-Identifier: Apache-2.0 */
/* PrivateKey files. Every buffer that held a secret is wiped. */
#include "crypto/keyfile.h"

#include "crypto/fail.h"
#include "crypto/file.h"
#include "crypto/hpke.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "proto/armor.h"
#include "proto/scan.h"
#include "salus/v1/files.pb-c.h"

#include <string.h>

#define FORMAT_VERSION 1
#define SECRET_SIZE 32

static const char *kind_name(enum keyfile_kind kind)
{
    switch (kind) {
    case KEYFILE_REPLICA:
        return "replica";
    case KEYFILE_CLIENT:
        return "client";
    case KEYFILE_ENCRYPTION:
        return "encryption";
    }
    return "unknown";
}

static void derive_public(struct pbft_public_key *out, enum keyfile_kind kind,
                          const uint8_t secret[SECRET_SIZE])
{
    if (kind == KEYFILE_ENCRYPTION) {
        hpke_public_key(out->bytes, secret);
    } else {
        sign_from_seed(NULL, out, secret);
    }
}

void keyfile_generate(struct keyfile *out, enum keyfile_kind kind,
                      const struct pbft_institution *institution)
{
    out->kind = kind;
    out->institution = *institution;
    random_fill(out->secret, sizeof out->secret);
    derive_public(&out->public_key, kind, out->secret);
}

void keyfile_wipe(struct keyfile *key)
{
    secret_wipe(key, sizeof *key);
}

/* A buffer that never moves while it is filled, so that nothing of the secret
 * stays behind in freed memory. */
static void buffer_reserve(struct wire_buffer *buffer)
{
    wire_buffer_init(buffer, KEYFILE_BYTES_MAX);
    (void)wire_buffer_grow(buffer, KEYFILE_BYTES_MAX); /* Failure is kept. */
    buffer->size = 0;
}

static void buffer_wipe(struct wire_buffer *buffer)
{
    secret_wipe(buffer->data, buffer->capacity);
    wire_buffer_deinit(buffer);
}

enum pbft_status keyfile_create(const char *path, const struct keyfile *key,
                                struct salus_reason *reason)
{
    struct keyfile copy = *key; /* protobuf-c wants pointers to non-const. */
    Salus__V1__PrivateKey message = SALUS__V1__PRIVATE_KEY__INIT;
    struct wire_buffer packed;
    struct wire_buffer text;

    buffer_reserve(&packed);
    buffer_reserve(&text);
    message.version = FORMAT_VERSION;
    message.kind = (uint32_t)copy.kind;
    message.institution.data = copy.institution.bytes;
    message.institution.len = sizeof copy.institution.bytes;
    message.secret.data = copy.secret;
    message.secret.len = sizeof copy.secret;
    message.public_key.data = copy.public_key.bytes;
    message.public_key.len = sizeof copy.public_key.bytes;
    enum pbft_status status = wire_pack(&message.base, &packed);
    if (status == PBFT_OK) {
        status =
            armor_encode(ARMOR_PRIVATE_KEY, wire_buffer_bytes(&packed), &text);
    }
    if (status == PBFT_OK) {
        status =
            file_create(path, FILE_SECRET, wire_buffer_bytes(&text), reason);
    } else {
        status = crypto_fail(reason, status, "%s: %s", path,
                             pbft_status_text(status));
    }
    keyfile_wipe(&copy);
    buffer_wipe(&packed);
    buffer_wipe(&text);
    return status;
}

static enum pbft_status take_fields(struct keyfile *out, const char *path,
                                    const Salus__V1__PrivateKey *message,
                                    enum keyfile_kind kind,
                                    struct salus_reason *reason)
{
    struct pbft_public_key derived;

    if (message->version != FORMAT_VERSION) {
        return crypto_fail(reason, PBFT_VERSION,
                           "%s: key file version %u is not supported", path,
                           (unsigned)message->version);
    }
    if (message->kind != (uint32_t)kind) {
        return crypto_fail(reason, PBFT_INVALID_ARGUMENT,
                           "%s: the %s key where the %s key is needed", path,
                           kind_name((enum keyfile_kind)message->kind),
                           kind_name(kind));
    }
    if (message->institution.len != sizeof out->institution.bytes ||
        message->secret.len != sizeof out->secret ||
        message->public_key.len != sizeof out->public_key.bytes) {
        return crypto_fail(reason, PBFT_MALFORMED,
                           "%s: a field has the wrong length", path);
    }
    out->kind = kind;
    memcpy(out->institution.bytes, message->institution.data,
           sizeof out->institution.bytes);
    memcpy(out->secret, message->secret.data, sizeof out->secret);
    memcpy(out->public_key.bytes, message->public_key.data,
           sizeof out->public_key.bytes);
    derive_public(&derived, kind, out->secret);
    if (memcmp(derived.bytes, out->public_key.bytes, sizeof derived.bytes) !=
        0) {
        return crypto_fail(reason, PBFT_CORRUPT,
                           "%s: the public key does not belong to the secret",
                           path);
    }
    return PBFT_OK;
}

static enum pbft_status parse(struct keyfile *out, const char *path,
                              struct pbft_bytes text, enum keyfile_kind kind,
                              struct salus_reason *reason)
{
    struct wire_buffer packed;
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    struct salus_reason why = {""};

    buffer_reserve(&packed);
    wire_arena_init(&arena, KEYFILE_BYTES_MAX);
    enum pbft_status status =
        armor_decode(ARMOR_PRIVATE_KEY, text, &packed, &why);
    if (status != PBFT_OK) {
        status = crypto_fail(reason, status, "%s: %s", path, why.text);
        goto out;
    }
    status = wire_unpack_strict(&salus__v1__private_key__descriptor,
                                wire_buffer_bytes(&packed), &arena, &message);
    if (status != PBFT_OK) {
        status = crypto_fail(reason, status, "%s: not a private key: %s", path,
                             pbft_status_text(status));
        goto out;
    }
    Salus__V1__PrivateKey *key = (Salus__V1__PrivateKey *)message;
    status = take_fields(out, path, key, kind, reason);
    secret_wipe(key->secret.data, key->secret.len);
out:
    wire_arena_deinit(&arena);
    buffer_wipe(&packed);
    return status;
}

enum pbft_status keyfile_read(struct keyfile *out, const char *path,
                              enum keyfile_kind kind,
                              struct salus_reason *reason)
{
    uint8_t text[KEYFILE_BYTES_MAX];
    size_t size = 0;
    enum pbft_status status =
        file_read(text, sizeof text, &size, path, FILE_SECRET, reason);
    if (status == PBFT_OK) {
        status =
            parse(out, path, (struct pbft_bytes){text, size}, kind, reason);
    }
    if (status != PBFT_OK) {
        keyfile_wipe(out);
    }
    secret_wipe(text, sizeof text);
    return status;
}
