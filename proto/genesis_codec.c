/* SPDX-License-Identifier: Apache-2.0 */
/* Genesis files: armored text, protobuf bytes, plain struct. */
#include <stdlib.h>
#include <string.h>

#include "proto/armor.h"
#include "proto/codec_limits.h"
#include "proto/genesis.h"
#include "proto/member_codec.h"
#include "proto/scan.h"

static enum pbft_status malformed(struct salus_reason *reason, const char *what)
{
    salus_reason_set(reason, "genesis: %s", what);
    return PBFT_MALFORMED;
}

static void copy_parameters(const Salus__V1__Parameters *from,
                            struct genesis_parameters *to)
{
    to->window = from->window;
    to->checkpoint_interval = from->checkpoint_interval;
    to->batch_requests_max = from->batch_requests_max;
    to->batch_bytes_max = from->batch_bytes_max;
    to->time_bound_ms = from->time_bound_ms;
    to->late_after_ms = from->late_after_ms;
    to->session_window = from->session_window;
}

static enum pbft_status copy_policy(const Salus__V1__GenesisPolicy *from,
                                    struct genesis_policy *to,
                                    struct salus_reason *reason)
{
    if (!member_copy_exact(to->policy, sizeof to->policy, &from->policy)) {
        return malformed(reason, "a policy id is not 16 bytes");
    }
    if (!member_copy_text(to->uri, sizeof to->uri, from->uri)) {
        return malformed(reason, "a policy uri is longer than 255 bytes");
    }
    to->has_sha256 = from->sha256.len != 0;
    if (to->has_sha256 &&
        !member_copy_exact(to->sha256, sizeof to->sha256, &from->sha256)) {
        return malformed(reason, "a policy sha256 is not 32 bytes");
    }
    to->version = from->version;
    to->implicit_consent = from->implicit_consent;
    to->break_glass_override = from->break_glass_override;
    return PBFT_OK;
}

static enum pbft_status copy_head(const Salus__V1__Genesis *from,
                                  struct salus_genesis *to,
                                  struct salus_reason *reason)
{
    if (!member_copy_text(to->name, sizeof to->name, from->name)) {
        return malformed(reason, "name is longer than 32 bytes");
    }
    if (!member_copy_exact(to->nonce, sizeof to->nonce, &from->nonce)) {
        return malformed(reason, "nonce is not 32 bytes");
    }
    if (!member_copy_exact(to->table_digest.bytes, PBFT_DIGEST_SIZE,
                           &from->table_digest)) {
        return malformed(reason, "table_digest is not 32 bytes");
    }
    if (from->parameters == NULL) {
        return malformed(reason, "no parameters");
    }
    copy_parameters(from->parameters, &to->parameters);
    to->table_version = from->table_version;
    return PBFT_OK;
}

static enum pbft_status copy_genesis(const Salus__V1__Genesis *from,
                                     struct salus_genesis *to,
                                     struct salus_reason *reason)
{
    enum pbft_status status = copy_head(from, to, reason);
    for (uint32_t i = 0; i < to->member_count && status == PBFT_OK; i++) {
        status = member_from(from->members[i], &to->members[i], reason);
    }
    for (uint32_t i = 0; i < to->policy_count && status == PBFT_OK; i++) {
        status = copy_policy(from->policies[i], &to->policies[i], reason);
    }
    return status;
}

static enum pbft_status from_message(const Salus__V1__Genesis *message,
                                     struct salus_genesis **out,
                                     struct salus_reason *reason)
{
    if (message->version != GENESIS_VERSION) {
        salus_reason_set(reason, "genesis: version %u is not supported",
                         (unsigned)message->version);
        return PBFT_VERSION;
    }
    if (message->n_members > GENESIS_MEMBERS_MAX) {
        return malformed(reason, "more than 256 members");
    }
    if (message->n_policies > GENESIS_POLICIES_MAX) {
        return malformed(reason, "more than 64 policies");
    }
    *out = genesis_create((uint32_t)message->n_members,
                          (uint32_t)message->n_policies);
    return *out == NULL ? PBFT_NO_MEMORY : copy_genesis(message, *out, reason);
}

enum pbft_status genesis_decode(const struct pbft_crypto *crypto,
                                struct pbft_bytes bytes,
                                struct salus_genesis **out,
                                struct salus_reason *reason)
{
    struct wire_arena arena;
    ProtobufCMessage *message;
    *out = NULL;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    enum pbft_status status = wire_unpack_strict(
        &salus__v1__genesis__descriptor, bytes, &arena, &message);
    if (status != PBFT_OK) {
        salus_reason_set(reason, "genesis: %s", pbft_status_text(status));
    } else {
        status = from_message((const Salus__V1__Genesis *)message, out, reason);
    }
    wire_arena_deinit(&arena);
    if (status == PBFT_OK) {
        status = genesis_check(crypto, *out, reason);
    }
    if (status != PBFT_OK) {
        genesis_destroy(*out);
        *out = NULL;
    }
    return status;
}

/* The generated form, which borrows everything from the plain one. */
struct genesis_view {
    Salus__V1__Genesis message;
    Salus__V1__Parameters parameters;
    struct member_view *members;
    Salus__V1__Member **member_list;
    Salus__V1__GenesisPolicy *policies;
    Salus__V1__GenesisPolicy **policy_list;
};

static ProtobufCBinaryData borrow(const void *data, size_t size)
{
    return (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)data,
                                 .len = size};
}

static void view_policy(Salus__V1__GenesisPolicy *to,
                        const struct genesis_policy *from)
{
    salus__v1__genesis_policy__init(to);
    to->policy = borrow(from->policy, sizeof from->policy);
    to->version = from->version;
    to->uri = (char *)(uintptr_t)from->uri;
    if (from->has_sha256) {
        to->sha256 = borrow(from->sha256, sizeof from->sha256);
    }
    to->implicit_consent = from->implicit_consent;
    to->break_glass_override = from->break_glass_override;
}

static void view_parameters(Salus__V1__Parameters *to,
                            const struct genesis_parameters *from)
{
    salus__v1__parameters__init(to);
    to->window = from->window;
    to->checkpoint_interval = from->checkpoint_interval;
    to->batch_requests_max = from->batch_requests_max;
    to->batch_bytes_max = from->batch_bytes_max;
    to->time_bound_ms = from->time_bound_ms;
    to->late_after_ms = from->late_after_ms;
    to->session_window = from->session_window;
}

static void view_lists(struct genesis_view *view,
                       const struct salus_genesis *genesis)
{
    for (uint32_t i = 0; i < genesis->member_count; i++) {
        member_view_init(&view->members[i], &genesis->members[i]);
        view->member_list[i] = &view->members[i].message;
    }
    for (uint32_t i = 0; i < genesis->policy_count; i++) {
        view_policy(&view->policies[i], &genesis->policies[i]);
        view->policy_list[i] = &view->policies[i];
    }
    view->message.members = view->member_list;
    view->message.n_members = genesis->member_count;
    view->message.policies = view->policy_list;
    view->message.n_policies = genesis->policy_count;
}

static void view_head(struct genesis_view *view,
                      const struct salus_genesis *genesis)
{
    Salus__V1__Genesis *message = &view->message;
    salus__v1__genesis__init(message);
    message->version = GENESIS_VERSION;
    message->name = (char *)(uintptr_t)genesis->name;
    message->nonce = borrow(genesis->nonce, sizeof genesis->nonce);
    message->parameters = &view->parameters;
    message->table_version = genesis->table_version;
    message->table_digest =
        borrow(genesis->table_digest.bytes, PBFT_DIGEST_SIZE);
    view_parameters(&view->parameters, &genesis->parameters);
}

enum pbft_status genesis_encode(const struct salus_genesis *genesis,
                                struct wire_buffer *buffer)
{
    struct genesis_view view = {0};
    enum pbft_status status = PBFT_NO_MEMORY;
    if (genesis->member_count > GENESIS_MEMBERS_MAX ||
        genesis->policy_count > GENESIS_POLICIES_MAX) {
        return PBFT_INVALID_ARGUMENT;
    }
    size_t members = genesis->member_count + 1u;
    size_t policies = genesis->policy_count + 1u;
    view.members = calloc(members, sizeof *view.members);
    view.member_list = calloc(members, sizeof *view.member_list);
    view.policies = calloc(policies, sizeof *view.policies);
    view.policy_list = calloc(policies, sizeof *view.policy_list);
    if (view.members != NULL && view.member_list != NULL &&
        view.policies != NULL && view.policy_list != NULL) {
        view_head(&view, genesis);
        view_lists(&view, genesis);
        status = wire_pack(&view.message.base, buffer);
    }
    free(view.members);
    free(view.member_list);
    free(view.policies);
    free(view.policy_list);
    return status;
}

enum pbft_status genesis_parse(const struct pbft_crypto *crypto,
                               struct pbft_bytes text,
                               struct salus_genesis **out,
                               struct pbft_digest *cluster,
                               struct salus_reason *reason)
{
    struct wire_buffer bytes;
    *out = NULL;
    wire_buffer_init(&bytes, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status = armor_decode(ARMOR_GENESIS, text, &bytes, reason);
    if (status == PBFT_OK) {
        status = genesis_decode(crypto, wire_buffer_bytes(&bytes), out, reason);
    }
    if (status == PBFT_OK) {
        genesis_cluster_id(crypto, wire_buffer_bytes(&bytes), cluster);
    }
    wire_buffer_deinit(&bytes);
    return status;
}
