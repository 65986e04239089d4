/* SPDX-License-Identifier: Apache-2.0 */
#include "node/delivery_codec.h"

#include <string.h>

#include "consensus/bytes.h"
#include "proto/scan.h"

#define TAG_SIZE 16

static_assert((int)DELIVERY_UNKNOWN ==
                  (int)SALUS__V1__DELIVERY_CODE__DELIVERY_UNKNOWN,
              "codes are those of the schema");

const char *delivery_code_name(enum delivery_code code)
{
    static const char *const names[] = {
        "ok",      "malformed", "no-grant", "wrong-commit", "ended",
        "foreign", "not-here",  "quota",    "store",        "unknown"};
    return (size_t)code < sizeof names / sizeof names[0] ? names[code]
                                                         : "other";
}

/* ---- parts --------------------------------------------------------------- */

static ProtobufCBinaryData borrow(const void *bytes, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)bytes};
}

static bool take(void *out, size_t size, const ProtobufCBinaryData *field)
{
    if (field->len != size) {
        return false;
    }
    memcpy(out, field->data, size);
    return true;
}

bool delivery_take_name(struct envelope_name *out,
                        const Salus__V1__EnvelopeName *in)
{
    if (in == NULL || in->version == 0) {
        return false;
    }
    out->version = in->version;
    return take(out->record, sizeof out->record, &in->record) &&
           take(out->recipient_key, sizeof out->recipient_key,
                &in->recipient_key);
}

bool delivery_take_envelope(struct envelope_name *name,
                            struct envelope_secret *secret,
                            const Salus__V1__KeyEnvelope *in)
{
    return in != NULL && delivery_take_name(name, in->name) &&
           take(secret->salt, sizeof secret->salt, &in->salt) &&
           take(secret->wrap, sizeof secret->wrap, &in->wrap) &&
           take(secret->details, sizeof secret->details, &in->details);
}

void delivery_fill_name(Salus__V1__EnvelopeName *out,
                        const struct envelope_name *name)
{
    salus__v1__envelope_name__init(out);
    out->record = borrow(name->record, sizeof name->record);
    out->version = name->version;
    out->recipient_key =
        borrow(name->recipient_key, sizeof name->recipient_key);
}

void delivery_fill_envelope(Salus__V1__KeyEnvelope *out,
                            Salus__V1__EnvelopeName *name_out,
                            const struct envelope_name *name,
                            const struct envelope_secret *secret)
{
    salus__v1__key_envelope__init(out);
    delivery_fill_name(name_out, name);
    out->name = name_out;
    out->salt = borrow(secret->salt, sizeof secret->salt);
    out->wrap = borrow(secret->wrap, sizeof secret->wrap);
    out->details = borrow(secret->details, sizeof secret->details);
}

void delivery_fill_receipt(Salus__V1__DeliveryReceipt *out,
                           Salus__V1__EnvelopeName *name_out,
                           const struct envelope_head *head)
{
    salus__v1__delivery_receipt__init(out);
    delivery_fill_name(name_out, &head->name);
    out->name = name_out;
    out->wrap_commit = borrow(head->wrap_commit.bytes, PBFT_DIGEST_SIZE);
    out->replica = head->receiver;
    out->signature = borrow(head->receipt.bytes, sizeof head->receipt.bytes);
}

/* ---- messages ------------------------------------------------------------ */

static enum pbft_status encode_receipt(struct wire_buffer *out,
                                       Salus__V1__Delivery *outer,
                                       const struct delivery_message *message)
{
    Salus__V1__DeliveryReceipt receipt;
    Salus__V1__EnvelopeName name;
    const struct envelope_head head = {.name = message->name,
                                       .wrap_commit = message->wrap_commit,
                                       .receiver = message->receiver,
                                       .receipt = message->receipt};
    delivery_fill_receipt(&receipt, &name, &head);
    outer->kind_case = SALUS__V1__DELIVERY__KIND_RECEIPT;
    outer->receipt = &receipt;
    return wire_pack(&outer->base, out);
}

static enum pbft_status encode_refusal(struct wire_buffer *out,
                                       Salus__V1__Delivery *outer,
                                       const struct delivery_message *message)
{
    Salus__V1__DeliveryRefusal refusal = SALUS__V1__DELIVERY_REFUSAL__INIT;
    Salus__V1__EnvelopeName name;
    delivery_fill_name(&name, &message->name);
    refusal.name = &name;
    refusal.wrap_commit =
        borrow(message->wrap_commit.bytes, sizeof message->wrap_commit.bytes);
    refusal.code = (Salus__V1__DeliveryCode)message->code;
    outer->kind_case = SALUS__V1__DELIVERY__KIND_REFUSAL;
    outer->refusal = &refusal;
    return wire_pack(&outer->base, out);
}

enum pbft_status delivery_encode(struct wire_buffer *out,
                                 const struct delivery_message *message)
{
    Salus__V1__Delivery outer = SALUS__V1__DELIVERY__INIT;
    Salus__V1__KeyEnvelope envelope;
    Salus__V1__EnvelopeName name;
    switch (message->kind) {
    case DELIVERY_RECEIPT:
        return encode_receipt(out, &outer, message);
    case DELIVERY_REFUSAL:
        return encode_refusal(out, &outer, message);
    default:
        delivery_fill_envelope(&envelope, &name, &message->name,
                               &message->secret);
        outer.kind_case = SALUS__V1__DELIVERY__KIND_ENVELOPE;
        outer.envelope = &envelope;
        return wire_pack(&outer.base, out);
    }
}

static bool take_receipt(struct delivery_message *out,
                         const Salus__V1__DeliveryReceipt *in)
{
    out->kind = DELIVERY_RECEIPT;
    out->receiver = in->replica;
    return delivery_take_name(&out->name, in->name) &&
           take(out->wrap_commit.bytes, PBFT_DIGEST_SIZE, &in->wrap_commit) &&
           take(out->receipt.bytes, PBFT_SIGNATURE_SIZE, &in->signature);
}

static bool take_refusal(struct delivery_message *out,
                         const Salus__V1__DeliveryRefusal *in)
{
    out->kind = DELIVERY_REFUSAL;
    out->code = (enum delivery_code)in->code;
    return delivery_take_name(&out->name, in->name) &&
           take(out->wrap_commit.bytes, PBFT_DIGEST_SIZE, &in->wrap_commit) &&
           in->code > SALUS__V1__DELIVERY_CODE__DELIVERY_OK &&
           in->code <= SALUS__V1__DELIVERY_CODE__DELIVERY_UNKNOWN;
}

static bool take_message(struct delivery_message *out,
                         const Salus__V1__Delivery *in)
{
    memset(out, 0, sizeof *out);
    switch (in->kind_case) {
    case SALUS__V1__DELIVERY__KIND_ENVELOPE:
        out->kind = DELIVERY_ENVELOPE;
        return delivery_take_envelope(&out->name, &out->secret, in->envelope);
    case SALUS__V1__DELIVERY__KIND_RECEIPT:
        return take_receipt(out, in->receipt);
    case SALUS__V1__DELIVERY__KIND_REFUSAL:
        return take_refusal(out, in->refusal);
    default:
        return false;
    }
}

enum pbft_status delivery_decode(struct delivery_message *out,
                                 struct wire_arena *arena,
                                 struct pbft_bytes bytes)
{
    struct ProtobufCMessage *message = NULL;
    wire_arena_reset(arena);
    enum pbft_status status = wire_unpack_strict(
        &salus__v1__delivery__descriptor, bytes, arena, &message);
    if (status == PBFT_OK &&
        !take_message(out, (const Salus__V1__Delivery *)(void *)message)) {
        status = PBFT_MALFORMED;
    }
    return status;
}

/* ---- receipts ------------------------------------------------------------ */

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

void delivery_receipt_preimage(uint8_t out[DELIVERY_PREIMAGE_SIZE],
                               const struct pbft_digest *cluster,
                               const struct envelope_name *name,
                               const struct pbft_digest *wrap_commit,
                               pbft_replica_id receiver)
{
    static const uint8_t tag[TAG_SIZE] = "salus/receipt/1";
    uint8_t *at = put(out, tag, sizeof tag);
    at = put(at, cluster->bytes, PBFT_DIGEST_SIZE);
    at = put(at, name->record, sizeof name->record);
    pbft_put_u32(at, name->version);
    at = put(at + PBFT_U32_SIZE, name->recipient_key,
             sizeof name->recipient_key);
    at = put(at, wrap_commit->bytes, PBFT_DIGEST_SIZE);
    pbft_put_u32(at, receiver);
}
