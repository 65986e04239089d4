/* SPDX-License-Identifier: Apache-2.0 */
/* Names of transactions: types, ids of keys, policies and transactions, what a
 * co-signer signs, and what a body says of itself. */
#include "ledger/transaction.h"

#include <string.h>

#include "crypto/digest.h"
#include "crypto/merkle.h"
#include "ledger/fields.h"
#include "proto/arena.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

#define KEY_ID_TAG "salus/keyid/1"
#define COSIGN_TAG "salus/cosign/1"
#define POSSESSION_TAG "salus/possess/1"
#define TX_TAG "salus/tx/1"
#define RECORD_LEAF_TAG "salus/recleaf/1"
#define DISCLOSURE_LEAF_TAG "salus/disleaf/2"
/* Memory to unpack one body: more than any message of the schema takes. */
#define BODY_MEMORY_MAX (128u * LEDGER_BODY_MAX)

const char *transaction_type_name(enum transaction_type type)
{
#define NAME(type) [TRANSACTION_##type] = #type
    static const char *const names[] = {NAME(PARTICIPANT_REGISTER),
                                        NAME(SUBJECT_REGISTER),
                                        NAME(CONSENT_GRANT),
                                        NAME(CONSENT_EVIDENCE),
                                        NAME(CONSENT_REVOKE),
                                        NAME(RECORD_ANCHOR),
                                        NAME(INST_ADMIT),
                                        NAME(INST_UPDATE),
                                        NAME(INST_SUSPEND),
                                        NAME(INST_RETIRE),
                                        NAME(KEY_ROTATE),
                                        NAME(KEY_REVOKE),
                                        NAME(PARTICIPANT_UPDATE),
                                        NAME(PARTICIPANT_REVOKE),
                                        NAME(POLICY_PUBLISH),
                                        NAME(POLICY_ACTIVATE),
                                        NAME(CODETABLE_PUBLISH),
                                        NAME(SUBJECT_SETTLE),
                                        NAME(RECORD_ANCHOR_BATCH),
                                        NAME(RECORD_OPEN),
                                        NAME(RECORD_AMEND),
                                        NAME(RECORD_RETRACT),
                                        NAME(KEY_GRANT),
                                        NAME(REKEY),
                                        NAME(ACCESS_REQUEST),
                                        NAME(ACCESS_DECISION),
                                        NAME(DISCLOSURE),
                                        NAME(DISCLOSURE_BATCH),
                                        NAME(DISCLOSURE_OPEN),
                                        NAME(BREAK_GLASS),
                                        NAME(BREAK_GLASS_REVIEW),
                                        NAME(ACCOUNTING_SUSPEND)};
#undef NAME
    size_t index = (size_t)type;
    return index < sizeof names / sizeof names[0] && names[index] != NULL
               ? names[index]
               : "?";
}

void transaction_key_id(struct transaction_key_id *out,
                        const uint8_t public_key[PBFT_PUBLIC_KEY_SIZE])
{
    uint8_t preimage[FIELD_TAG_SIZE + PBFT_PUBLIC_KEY_SIZE];
    struct field_writer writer = {.data = preimage,
                                  .capacity = sizeof preimage};
    struct pbft_digest digest;
    field_write_tag(&writer, KEY_ID_TAG);
    field_write(&writer, public_key, PBFT_PUBLIC_KEY_SIZE);
    digest_blake2b(&digest, (struct pbft_bytes){preimage, writer.size});
    memcpy(out->bytes, digest.bytes, sizeof out->bytes);
}

void transaction_policy_id(struct transaction_id16 *out, struct pbft_bytes uri)
{
    struct pbft_digest digest;
    digest_blake2b(&digest, uri);
    memcpy(out->bytes, digest.bytes, sizeof out->bytes);
}

void transaction_id(struct pbft_digest *out, const struct pbft_digest *chain,
                    struct pbft_bytes body)
{
    const struct pbft_bytes parts[] = {
        {(const uint8_t *)TX_TAG, sizeof TX_TAG - 1},
        {chain->bytes, sizeof chain->bytes},
        body,
    };
    digest_sha256_parts(out, parts, sizeof parts / sizeof parts[0]);
}

void transaction_cosign_preimage(uint8_t out[TRANSACTION_COSIGN_PREIMAGE_SIZE],
                                 const struct pbft_digest *tx_id,
                                 enum transaction_role role)
{
    struct field_writer writer = {.data = out,
                                  .capacity = TRANSACTION_COSIGN_PREIMAGE_SIZE};
    field_write_tag(&writer, COSIGN_TAG);
    field_write_u32(&writer, (uint32_t)role);
    field_write(&writer, tx_id->bytes, sizeof tx_id->bytes);
}

void transaction_possession_preimage(uint8_t out[TRANSACTION_POSSESSION_SIZE],
                                     const struct pbft_digest *chain,
                                     const struct pbft_institution *institution,
                                     const uint8_t key[PBFT_PUBLIC_KEY_SIZE],
                                     const uint8_t *other)
{
    static const uint8_t none[PBFT_PUBLIC_KEY_SIZE] = {0};
    struct field_writer writer = {.data = out,
                                  .capacity = TRANSACTION_POSSESSION_SIZE};
    field_write_tag(&writer, POSSESSION_TAG);
    field_write(&writer, chain->bytes, sizeof chain->bytes);
    field_write(&writer, institution->bytes, sizeof institution->bytes);
    field_write(&writer, key, PBFT_PUBLIC_KEY_SIZE);
    field_write(&writer, other != NULL ? other : none, PBFT_PUBLIC_KEY_SIZE);
}

void transaction_record_leaf(struct pbft_digest *out, struct pbft_bytes anchor)
{
    uint8_t head[FIELD_TAG_SIZE];
    struct field_writer writer = {.data = head, .capacity = sizeof head};
    field_write_tag(&writer, RECORD_LEAF_TAG);
    const struct pbft_bytes parts[] = {{head, writer.size}, anchor};
    merkle_leaf_parts(out, parts, sizeof parts / sizeof parts[0]);
}

void transaction_disclosure_leaf(struct pbft_digest *out, uint64_t event_ms,
                                 struct pbft_bytes disclosure)
{
    uint8_t head[FIELD_TAG_SIZE + FIELD_U64_SIZE];
    struct field_writer writer = {.data = head, .capacity = sizeof head};
    field_write_tag(&writer, DISCLOSURE_LEAF_TAG);
    field_write_u64(&writer, event_ms);
    const struct pbft_bytes parts[] = {{head, writer.size}, disclosure};
    merkle_leaf_parts(out, parts, sizeof parts / sizeof parts[0]);
}

static void copy_exact(uint8_t *out, size_t size,
                       const ProtobufCBinaryData *bytes)
{
    if (bytes->len == size) {
        memcpy(out, bytes->data, size);
    }
}

/* The first field of every payload that has an id is that id; subjects are
 * several. */
static const ProtobufCBinaryData *
payload_id(const Salus__V1__TransactionBody *body)
{
    /* All payloads share one pointer, and each begins with its base. */
    const ProtobufCMessage *payload =
        (const ProtobufCMessage *)(const void *)body->participant_register;
    if (body->payload_case == SALUS__V1__TRANSACTION_BODY__PAYLOAD__NOT_SET ||
        payload == NULL) {
        return NULL;
    }
    const ProtobufCFieldDescriptor *first = &payload->descriptor->fields[0];
    if (first->type != PROTOBUF_C_TYPE_BYTES ||
        first->label == PROTOBUF_C_LABEL_REPEATED) {
        return NULL;
    }
    return (
        const ProtobufCBinaryData *)(const void *)((const uint8_t *)payload +
                                                   first->offset);
}

static void summarize(struct transaction_summary *out,
                      const Salus__V1__TransactionBody *body)
{
    const ProtobufCBinaryData *id = payload_id(body);
    memset(out, 0, sizeof *out);
    out->type = (enum transaction_type)body->payload_case;
    out->not_after_ms = body->not_after_ms;
    copy_exact(out->chain.bytes, sizeof out->chain.bytes, &body->chain_id);
    copy_exact(out->institution.bytes, sizeof out->institution.bytes,
               &body->institution);
    copy_exact(out->key_id.bytes, sizeof out->key_id.bytes, &body->key_id);
    if (id != NULL) {
        copy_exact(out->payload_id, sizeof out->payload_id, id);
    }
}

enum pbft_status transaction_summarize(struct transaction_summary *out,
                                       struct pbft_bytes body)
{
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    if (body.size > LEDGER_BODY_MAX) {
        return PBFT_TOO_LARGE;
    }
    wire_arena_init(&arena, BODY_MEMORY_MAX);
    enum pbft_status status = wire_unpack_strict(
        &salus__v1__transaction_body__descriptor, body, &arena, &message);
    if (status == PBFT_OK) {
        summarize(out, (const Salus__V1__TransactionBody *)(void *)message);
    }
    wire_arena_deinit(&arena);
    return status;
}
