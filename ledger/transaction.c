/* SPDX-License-Identifier: Apache-2.0 */
/* Names of transactions: types, ids of keys, policies and transactions, what a
 * co-signer signs, and what a body says of itself. */
#include "ledger/transaction.h"

#include <string.h>

#include "crypto/digest.h"
#include "ledger/fields.h"
#include "proto/arena.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

#define KEY_ID_TAG "salus/keyid/1"
#define COSIGN_TAG "salus/cosign/1"
#define TX_TAG "salus/tx/1"
/* Memory to unpack one body: more than any message of the schema takes. */
#define BODY_MEMORY_MAX (128u * LEDGER_BODY_MAX)

const char *transaction_type_name(enum transaction_type type)
{
    switch (type) {
    case TRANSACTION_NONE:
        break;
    case TRANSACTION_PARTICIPANT_REGISTER:
        return "PARTICIPANT_REGISTER";
    case TRANSACTION_SUBJECT_REGISTER:
        return "SUBJECT_REGISTER";
    case TRANSACTION_CONSENT_GRANT:
        return "CONSENT_GRANT";
    case TRANSACTION_CONSENT_EVIDENCE:
        return "CONSENT_EVIDENCE";
    case TRANSACTION_CONSENT_REVOKE:
        return "CONSENT_REVOKE";
    case TRANSACTION_RECORD_ANCHOR:
        return "RECORD_ANCHOR";
    }
    return "?";
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

static void copy_exact(uint8_t *out, size_t size,
                       const ProtobufCBinaryData *bytes)
{
    if (bytes->len == size) {
        memcpy(out, bytes->data, size);
    }
}

static const ProtobufCBinaryData *
payload_id(const Salus__V1__TransactionBody *body)
{
    switch (body->payload_case) {
    case SALUS__V1__TRANSACTION_BODY__PAYLOAD_PARTICIPANT_REGISTER:
        return &body->participant_register->participant;
    case SALUS__V1__TRANSACTION_BODY__PAYLOAD_CONSENT_GRANT:
        return &body->consent_grant->consent;
    case SALUS__V1__TRANSACTION_BODY__PAYLOAD_CONSENT_EVIDENCE:
        return &body->consent_evidence->consent;
    case SALUS__V1__TRANSACTION_BODY__PAYLOAD_CONSENT_REVOKE:
        return &body->consent_revoke->consent;
    case SALUS__V1__TRANSACTION_BODY__PAYLOAD_RECORD_ANCHOR:
        return &body->record_anchor->record;
    default:
        return NULL; /* Several subjects, or nothing. */
    }
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
