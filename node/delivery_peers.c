/* SPDX-License-Identifier: Apache-2.0 */
/* What replicas say to each other: envelopes, receipts, refusals. */
#include <string.h>

#include "consensus/assert.h"
#include "crypto/secret.h"
#include "crypto/wrap.h"
#include "node/delivery_private.h"

void delivery_send(struct delivery *delivery, pbft_replica_id to,
                   const struct delivery_message *message)
{
    struct wire_buffer buffer;
    if (delivery->out_count == NODE_DELIVERY_SENDS_MAX) {
        return;
    }
    struct delivery_out *out = &delivery->outs[delivery->out_count];
    wire_buffer_init(&buffer, WIRE_DELIVERY_BYTES_MAX);
    if (delivery_encode(&buffer, message) == PBFT_OK) {
        struct pbft_bytes bytes = wire_buffer_bytes(&buffer);
        memcpy(out->bytes, bytes.data, bytes.size);
        out->size = bytes.size;
        out->to = to;
        delivery->out_count++;
        secret_wipe(buffer.data, buffer.size);
    }
    wire_buffer_deinit(&buffer);
}

static void acknowledge(struct delivery *delivery, pbft_replica_id to,
                        const struct envelope_name *name,
                        const struct pbft_digest *commit)
{
    const struct pbft_domain *domain = delivery->config.domain;
    uint8_t preimage[DELIVERY_PREIMAGE_SIZE];
    struct delivery_message message = {.kind = DELIVERY_RECEIPT,
                                       .name = *name,
                                       .wrap_commit = *commit,
                                       .receiver = delivery->config.self};
    delivery_receipt_preimage(preimage, &domain->cluster, name, commit,
                              message.receiver);
    domain->crypto->sign(domain->crypto->context, &message.receipt,
                         (struct pbft_bytes){preimage, sizeof preimage});
    delivery_send(delivery, to, &message);
}

static enum delivery_code accept(struct delivery *delivery,
                                 pbft_replica_id peer,
                                 const struct delivery_message *message,
                                 const struct pbft_digest *commit)
{
    struct ledger_envelope grant;
    uint32_t slot = 0;
    enum delivery_code code = delivery_judge(delivery, &grant, &message->name,
                                             commit, &delivery->owners[peer]);
    if (code == DELIVERY_NO_GRANT) {
        return code;
    }
    if (!grant.is_from_custodian &&
        delivery_runs_replica(delivery, &grant.custodian)) {
        return DELIVERY_FOREIGN;
    }
    if (!delivery_runs_replica(delivery, &grant.recipient) ||
        delivery_home(delivery, &grant.recipient) != delivery->config.self) {
        return DELIVERY_NOT_HERE;
    }
    if (code != DELIVERY_OK ||
        delivery_find_wrap(delivery, &message->name, commit, &slot) != NULL) {
        return code; /* Kept already, or fetched: acknowledged again. */
    }
    struct envelope_head head =
        delivery_new_head(delivery, &message->name, &grant);
    return delivery_keep(delivery, &head, &message->secret, &slot);
}

static enum delivery_code on_envelope(struct delivery *delivery,
                                      pbft_replica_id peer,
                                      const struct delivery_message *message)
{
    struct pbft_digest commit;
    wrap_commit(&commit, message->secret.salt, message->secret.wrap);
    enum delivery_code code = accept(delivery, peer, message, &commit);
    if (code == DELIVERY_OK) {
        acknowledge(delivery, peer, &message->name, &commit);
    } else {
        const struct delivery_message refusal = {.kind = DELIVERY_REFUSAL,
                                                 .name = message->name,
                                                 .wrap_commit = commit,
                                                 .code = code};
        delivery_send(delivery, peer, &refusal);
    }
    return code;
}

static bool is_signed(const struct delivery *delivery,
                      const struct delivery_message *message)
{
    const struct pbft_domain *domain = delivery->config.domain;
    uint8_t preimage[DELIVERY_PREIMAGE_SIZE];
    delivery_receipt_preimage(preimage, &domain->cluster, &message->name,
                              &message->wrap_commit, message->receiver);
    return domain->crypto->verify(
        domain->crypto->context,
        &delivery->config.keyring->keys[message->receiver],
        (struct pbft_bytes){preimage, sizeof preimage}, &message->receipt);
}

/* Only the one to whom it was sent can say what became of it. */
static enum delivery_code on_answer(struct delivery *delivery,
                                    pbft_replica_id peer,
                                    const struct delivery_message *message)
{
    uint32_t slot = 0;
    const struct envelope_head *found = delivery_find_wrap(
        delivery, &message->name, &message->wrap_commit, &slot);
    if (found == NULL || found->state != ENVELOPE_WAITING) {
        return DELIVERY_OK; /* Late, or repeated. */
    }
    if (delivery_home(delivery, &found->recipient) != peer) {
        return DELIVERY_FOREIGN;
    }
    if (message->kind == DELIVERY_REFUSAL) {
        delivery->rows[slot].code = message->code;
        return DELIVERY_OK;
    }
    if (message->receiver != peer || !is_signed(delivery, message)) {
        return DELIVERY_MALFORMED;
    }
    struct envelope_head head = *found;
    head.state = ENVELOPE_DELIVERED;
    head.receiver = message->receiver;
    head.receipt = message->receipt;
    return delivery_mark(delivery, slot, &head);
}

enum delivery_code delivery_receive(struct delivery *delivery,
                                    pbft_replica_id peer,
                                    const struct delivery_message *message)
{
    PBFT_ASSERT(peer < delivery->config.replica_count);
    return message->kind == DELIVERY_ENVELOPE
               ? on_envelope(delivery, peer, message)
               : on_answer(delivery, peer, message);
}
