/* SPDX-License-Identifier: Apache-2.0 */
/* From JSON to an encoded Transaction. */
#include "client/tool_transaction.h"

#include <jansson.h>
#include <string.h>

#include "client/tool_clock.h"
#include "client/tool_folder.h"
#include "client/tool_json.h"
#include "ledger/codes.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

#define INPUT_MAX (32u * 1024u * 1024u)
#define NOT_AFTER_MS (24u * 3600u * 1000u)

void tool_json_problem(struct salus_reason *reason, const char *path,
                       const struct json_error_t *error)
{
    const char *quote = strstr(error->text, " near ");
    size_t size =
        quote != NULL ? (size_t)(quote - error->text) : strlen(error->text);
    salus_reason_set(reason, "%s: line %d, column %d: %.*s", path, error->line,
                     error->column, (int)size, error->text);
}

struct json_t *tool_transaction_load(const struct tool_command *command,
                                     const char *path)
{
    struct wire_buffer text;
    struct salus_reason reason = {""};
    json_error_t error = {.line = 0};
    json_t *json = NULL;

    enum pbft_status status = tool_text_load(&text, path, INPUT_MAX, &reason);
    struct pbft_bytes bytes = wire_buffer_bytes(&text);
    if (status == PBFT_OK && bytes.size == 0) {
        salus_reason_set(&reason, "%s: is empty", path);
    } else if (status == PBFT_OK) {
        json = json_loadb((const char *)bytes.data, bytes.size,
                          JSON_REJECT_DUPLICATES, &error);
        tool_json_problem(&reason, path, &error);
    }
    wire_buffer_deinit(&text);
    if (json == NULL) {
        (void)tool_failed(command, "%s", reason.text);
    }
    return json;
}

static void default_bytes(ProtobufCBinaryData *field, const uint8_t *bytes,
                          size_t size)
{
    if (field->len == 0) {
        *field = (ProtobufCBinaryData){.len = size,
                                       .data = (uint8_t *)(uintptr_t)bytes};
    }
}

/* What need not be written by hand. */
static void fill_envelope(const struct tool_identity *identity,
                          Salus__V1__TransactionBody *body)
{
    default_bytes(&body->chain_id, identity->cluster.bytes,
                  sizeof identity->cluster.bytes);
    default_bytes(&body->institution, identity->institution.bytes,
                  sizeof identity->institution.bytes);
    default_bytes(&body->key_id, identity->key_id.bytes,
                  sizeof identity->key_id.bytes);
    if (body->version == 0) {
        body->version = TRANSACTION_VERSION;
    }
    if (body->table_version == 0) {
        body->table_version = CODES_VERSION;
    }
    if (body->not_after_ms == 0) {
        body->not_after_ms = tool_wall_ms() + NOT_AFTER_MS;
    }
}

static enum pbft_status encode_body(struct transaction_bytes *out,
                                    struct wire_arena *arena,
                                    const struct tool_identity *identity,
                                    const json_t *json,
                                    struct salus_reason *reason)
{
    struct wire_buffer bytes;
    struct ProtobufCMessage *message = NULL;

    wire_buffer_init(&bytes, LEDGER_BODY_MAX);
    enum pbft_status status =
        tool_json_to(&message, arena, &salus__v1__transaction_body__descriptor,
                     json, reason);
    if (status == PBFT_OK) {
        fill_envelope(identity, (Salus__V1__TransactionBody *)message);
        status = wire_pack(message, &bytes);
        salus_reason_set(reason, "%s",
                         "a transaction of more than 64 KiB or a bad list");
    }
    if (status == PBFT_OK) {
        status = transaction_seal(out, wire_buffer_bytes(&bytes), NULL, 0);
    }
    wire_buffer_deinit(&bytes);
    return status;
}

/* Else the ledger would only say that something is wrong somewhere. */
static enum pbft_status check_whole(struct pbft_bytes transaction,
                                    const struct tool_identity *identity,
                                    struct salus_reason *reason)
{
    struct transaction_summary summary;
    struct pbft_bytes body = {NULL, 0};
    enum pbft_status status = transaction_body(&body, transaction);
    if (status == PBFT_OK) {
        status = transaction_summarize(&summary, body);
    }
    if (status != PBFT_OK) {
        salus_reason_set(reason, "%s",
                         "field \"body\": not an encoded TransactionBody, as "
                         "salus cosign prints it");
    } else if (memcmp(&summary.chain, &identity->cluster,
                      sizeof summary.chain) != 0) {
        salus_reason_set(reason, "%s",
                         "field \"body\": a transaction of another "
                         "consortium; it has to be made anew for this one");
        status = PBFT_WRONG_IDENTITY;
    }
    return status;
}

/* A Transaction with a body in hexadecimal digits. */
static enum pbft_status encode_whole(struct transaction_bytes *out,
                                     struct wire_arena *arena,
                                     const struct tool_identity *identity,
                                     const json_t *json,
                                     struct salus_reason *reason)
{
    struct wire_buffer bytes;
    struct ProtobufCMessage *message = NULL;

    wire_buffer_init(&bytes, LEDGER_TRANSACTION_MAX);
    enum pbft_status status = tool_json_to(
        &message, arena, &salus__v1__transaction__descriptor, json, reason);
    if (status == PBFT_OK) {
        status = wire_pack(message, &bytes);
        salus_reason_set(reason, "%s", "a transaction that is too large");
    }
    if (status == PBFT_OK) {
        status = check_whole(wire_buffer_bytes(&bytes), identity, reason);
    }
    if (status == PBFT_OK) {
        out->data = wire_buffer_take(&bytes, &out->size);
    }
    wire_buffer_deinit(&bytes);
    return status;
}

enum pbft_status tool_transaction_encode(struct transaction_bytes *out,
                                         const struct tool_identity *identity,
                                         const json_t *json,
                                         struct salus_reason *reason)
{
    struct wire_arena arena;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    enum pbft_status status =
        json_object_get(json, "body") != NULL
            ? encode_whole(out, &arena, identity, json, reason)
            : encode_body(out, &arena, identity, json, reason);
    wire_arena_deinit(&arena);
    return status;
}
