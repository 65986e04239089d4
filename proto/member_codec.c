/* SPDX-License-Identifier: Apache-2.0 */
/* Members to bytes and back, through the strict unpacker. */
#include "proto/member_codec.h"

#include <string.h>

#include "proto/scan.h"

/* A copy of everything that a member holds, several times over. */
#define MEMBER_MEMORY_MAX 65536u

static ProtobufCBinaryData borrow(const void *data, size_t size)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)data,
                                 .len = size};
}

static char *borrow_text(const char *text)
{
    return (char *)(uintptr_t)text;
}

static bool has_possession(const struct salus_member *member)
{
    uint8_t any = 0;
    for (size_t i = 0; i < PBFT_SIGNATURE_SIZE; i++) {
        any |= member->possession.bytes[i];
    }
    return any != 0;
}

static uint32_t at_most(uint32_t count, uint32_t max)
{
    return count < max ? count : max;
}

void member_view_init(struct member_view *view,
                      const struct salus_member *member)
{
    Salus__V1__Member *message = &view->message;
    salus__v1__member__init(message);
    message->version = MEMBER_VERSION;
    message->institution =
        borrow(member->institution.bytes, PBFT_INSTITUTION_SIZE);
    message->name = borrow_text(member->name);
    message->legal_name = borrow_text(member->legal_name);
    message->country = borrow_text(member->country);
    message->n_roles = at_most(member->role_count, MEMBER_ROLES_MAX);
    message->roles = (uint32_t *)(uintptr_t)member->roles;
    if (member->has_replica) {
        message->replica_key =
            borrow(member->replica_key.bytes, PBFT_PUBLIC_KEY_SIZE);
    }
    message->peer_address = borrow_text(member->peer_address);
    message->client_address = borrow_text(member->client_address);
    message->n_submit_keys =
        at_most(member->submit_key_count, MEMBER_SUBMIT_KEYS_MAX);
    message->submit_keys = view->submit_keys;
    for (size_t i = 0; i < message->n_submit_keys; i++) {
        view->submit_keys[i] =
            borrow(member->submit_keys[i].bytes, PBFT_PUBLIC_KEY_SIZE);
    }
    if (member->has_encryption_key) {
        message->encryption_key =
            borrow(member->encryption_key, MEMBER_ENCRYPTION_KEY_SIZE);
    }
    message->tls_ca =
        borrow(member->tls_ca, at_most(member->tls_ca_size, MEMBER_TLS_CA_MAX));
    if (has_possession(member)) {
        message->possession =
            borrow(member->possession.bytes, PBFT_SIGNATURE_SIZE);
    }
}

bool member_copy_exact(void *out, size_t size, const ProtobufCBinaryData *field)
{
    if (field->len != size) {
        return false;
    }
    memcpy(out, field->data, size);
    return true;
}

bool member_copy_text(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length >= size) {
        return false;
    }
    memcpy(out, text, length + 1);
    return true;
}

static bool is_exact_or_absent(void *out, size_t size,
                               const ProtobufCBinaryData *field, bool *present)
{
    *present = field->len != 0;
    return !*present || member_copy_exact(out, size, field);
}

static const char *copy_texts(const Salus__V1__Member *message,
                              struct salus_member *out)
{
    if (!member_copy_text(out->name, sizeof out->name, message->name)) {
        return "name is longer than 32 bytes";
    }
    if (!member_copy_text(out->legal_name, sizeof out->legal_name,
                          message->legal_name)) {
        return "legal_name is longer than 128 bytes";
    }
    if (!member_copy_text(out->country, sizeof out->country,
                          message->country)) {
        return "country is not two capital letters";
    }
    if (!member_copy_text(out->peer_address, sizeof out->peer_address,
                          message->peer_address) ||
        !member_copy_text(out->client_address, sizeof out->client_address,
                          message->client_address)) {
        return "an address is longer than 261 bytes";
    }
    return NULL;
}

static const char *copy_lists(const Salus__V1__Member *message,
                              struct salus_member *out)
{
    if (message->n_roles > MEMBER_ROLES_MAX) {
        return "more than 16 roles";
    }
    if (message->n_submit_keys > MEMBER_SUBMIT_KEYS_MAX) {
        return "more than 16 submit keys";
    }
    for (size_t i = 0; i < message->n_roles; i++) {
        out->roles[i] = message->roles[i];
    }
    for (size_t i = 0; i < message->n_submit_keys; i++) {
        if (!member_copy_exact(out->submit_keys[i].bytes, PBFT_PUBLIC_KEY_SIZE,
                               &message->submit_keys[i])) {
            return "a submit key is not 32 bytes";
        }
    }
    out->role_count = (uint32_t)message->n_roles;
    out->submit_key_count = (uint32_t)message->n_submit_keys;
    return NULL;
}

static const char *copy_bytes(const Salus__V1__Member *message,
                              struct salus_member *out)
{
    bool ignored;
    if (!member_copy_exact(out->institution.bytes, PBFT_INSTITUTION_SIZE,
                           &message->institution)) {
        return "the institution id is not 16 bytes";
    }
    if (!is_exact_or_absent(out->replica_key.bytes, PBFT_PUBLIC_KEY_SIZE,
                            &message->replica_key, &out->has_replica)) {
        return "the replica key is not 32 bytes";
    }
    if (!is_exact_or_absent(out->encryption_key, MEMBER_ENCRYPTION_KEY_SIZE,
                            &message->encryption_key,
                            &out->has_encryption_key)) {
        return "the encryption key is not 32 bytes";
    }
    if (!is_exact_or_absent(out->possession.bytes, PBFT_SIGNATURE_SIZE,
                            &message->possession, &ignored)) {
        return "the possession signature is not 64 bytes";
    }
    /* A zero signature would be left out when it is encoded again. */
    if (message->possession.len != 0 && !has_possession(out)) {
        return "the possession signature is zero";
    }
    if (message->tls_ca.len > MEMBER_TLS_CA_MAX) {
        return "tls_ca is larger than 4096 bytes";
    }
    out->tls_ca_size = (uint32_t)message->tls_ca.len;
    if (out->tls_ca_size > 0) {
        memcpy(out->tls_ca, message->tls_ca.data, out->tls_ca_size);
    }
    return NULL;
}

enum pbft_status member_from(const Salus__V1__Member *message,
                             struct salus_member *out,
                             struct salus_reason *reason)
{
    memset(out, 0, sizeof *out);
    if (message->version != MEMBER_VERSION) {
        salus_reason_set(reason, "member: version %u is not supported",
                         (unsigned)message->version);
        return PBFT_VERSION;
    }
    const char *text = copy_texts(message, out);
    if (text == NULL) {
        text = copy_lists(message, out);
    }
    if (text == NULL) {
        text = copy_bytes(message, out);
    }
    if (text != NULL) {
        salus_reason_set(reason, "member %s: %s", out->name, text);
        return PBFT_MALFORMED;
    }
    return PBFT_OK;
}

enum pbft_status member_decode(struct pbft_bytes bytes,
                               struct salus_member *out,
                               struct salus_reason *reason)
{
    struct wire_arena arena;
    ProtobufCMessage *message;
    wire_arena_init(&arena, MEMBER_MEMORY_MAX);
    enum pbft_status status = wire_unpack_strict(&salus__v1__member__descriptor,
                                                 bytes, &arena, &message);
    if (status != PBFT_OK) {
        salus_reason_set(reason, "member: %s", pbft_status_text(status));
    } else {
        status = member_from((const Salus__V1__Member *)message, out, reason);
    }
    wire_arena_deinit(&arena);
    return status == PBFT_OK ? member_check(out, reason) : status;
}

enum pbft_status member_encode(const struct salus_member *member,
                               struct wire_buffer *buffer)
{
    struct member_view view;
    member_view_init(&view, member);
    return wire_pack(&view.message.base, buffer);
}
