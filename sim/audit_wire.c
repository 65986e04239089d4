/* SPDX-License-Identifier: Apache-2.0 */
/* What goes over the wire: its origin, its encoding, and what it costs. */
#include <inttypes.h>
#include <string.h>

#include "proto/codec.h"
#include "sim/audit_rules.h"
#include "sim/fake_crypto.h"
#include "sim/sim.h"

/* Every so many messages are encoded, decoded and encoded again. */
#define ROUND_TRIP_INTERVAL 64
/* A signature takes this much of a message at least. */
#define BYTES_PER_SIGNATURE 64
/* Its own, and that of a relayed request. */
#define SIGNATURES_BESIDE 2

static bool is_signed(enum pbft_message_type type)
{
    return type == PBFT_MESSAGE_PRE_PREPARE || type == PBFT_MESSAGE_PREPARE ||
           type == PBFT_MESSAGE_COMMIT || type == PBFT_MESSAGE_ATTESTATION ||
           type == PBFT_MESSAGE_VIEW_CHANGE || type == PBFT_MESSAGE_NEW_VIEW;
}

static uint64_t fold_signature(const struct pbft_signature *signature)
{
    struct pbft_digest half;
    memcpy(half.bytes, signature->bytes, sizeof half.bytes);
    return audit_fold(&half);
}

/* Signatures are a function of key and bytes: the same one on two messages
 * would mean that their signed bytes are equal. */
static void check_domains(struct sim *sim, const struct host *host,
                          const struct pbft_message *message)
{
    if (!is_signed(message->type) || message->sender != host->id) {
        return;
    }
    bool is_new;
    struct table_entry *entry =
        audit_fact(sim, FACT_SIGNATURE, host->id,
                   fold_signature(&message->signature), 0, &is_new);
    uint64_t place = (uint64_t)message->type << 56 ^
                     pbft_message_view(message) << 32 ^
                     pbft_message_seq(message);
    if (is_new) {
        entry->bits = place;
    } else if (entry->bits != place) {
        audit_fail(sim, "S23", host,
                   "one signature stands under two messages; one is %s view "
                   "%" PRIu64 " seq %" PRIu64,
                   pbft_message_type_name(message->type),
                   pbft_message_view(message), pbft_message_seq(message));
    }
}

const struct audit_rule audit_domains = {
    .name = "S23",
    .says = "no signed bytes are those of two types, views or seqs",
    .on_send = check_domains,
};

/* What speaks of the present alone must come from its signer: an old one of
 * somebody else would use up his budget. Everything else proves itself. */
static void check_identity(struct sim *sim, const struct host *host,
                           const struct pbft_message *message)
{
    pbft_replica_id channel = sim->auditor.channel;
    bool is_bound = message->type == PBFT_MESSAGE_STATUS ||
                    message->type == PBFT_MESSAGE_FETCH;
    if (is_bound && message->sender != channel) {
        audit_fail(sim, "A1", host, "takes a %s of R%u from R%u",
                   pbft_message_type_name(message->type),
                   (unsigned)message->sender, (unsigned)channel);
    }
}

const struct audit_rule audit_identity = {
    .name = "A1",
    .says = "a status or fetch is accepted from its signer's channel alone",
    .on_receive = check_identity,
};

static void check_encoding(struct sim *sim, const struct host *host,
                           const struct pbft_message *message)
{
    if (sim->auditor.sends++ % ROUND_TRIP_INTERVAL != 0) {
        return;
    }
    struct wire_buffer first;
    struct wire_buffer second;
    const struct pbft_message *decoded = NULL;
    wire_buffer_init(&first, SIZE_MAX / 2);
    wire_buffer_init(&second, SIZE_MAX / 2);
    bool is_good =
        wire_message_encode(message, WIRE_BODY_INCLUDE, &first) == PBFT_OK &&
        wire_message_decode(&host->domain,
                            (struct pbft_bytes){first.data, first.size}, NULL,
                            &decoded) == PBFT_OK &&
        wire_message_encode(decoded, WIRE_BODY_INCLUDE, &second) == PBFT_OK &&
        first.size == second.size &&
        memcmp(first.data, second.data, first.size) == 0;
    if (!is_good) {
        audit_fail(sim, "A4", host, "a %s changes on its way over the wire",
                   pbft_message_type_name(message->type));
    }
    pbft_message_unref(decoded);
    wire_buffer_deinit(&first);
    wire_buffer_deinit(&second);
}

const struct audit_rule audit_encoding = {
    .name = "A4",
    .says = "a message that is encoded and decoded is the same (sampled)",
    .on_send = check_encoding,
};

static uint64_t fold_all(const struct pbft_signature *signature)
{
    struct pbft_digest digest;
    const struct pbft_bytes bytes = {signature->bytes, PBFT_SIGNATURE_SIZE};
    fake_digest(&digest, &bytes, 1);
    return audit_fold(&digest);
}

void audit_note_loose(struct sim *sim, const struct pbft_message *message)
{
    (void)audit_fact(sim, FACT_LOOSE, message->sender,
                     fold_all(&message->signature), 0, NULL);
}

/* Adversaries report themselves what passed a decoder. */
static void check_strict(struct sim *sim, const struct host *host,
                         const struct pbft_message *message)
{
    if (audit_find(sim, FACT_LOOSE, message->sender,
                   fold_all(&message->signature), 0) != NULL) {
        audit_fail(sim, "A5", host, "takes a loose signature of R%u: %s",
                   (unsigned)message->sender,
                   pbft_message_type_name(message->type));
    }
}

const struct audit_rule audit_strict = {
    .name = "A5",
    .says = "what lax verifiers or decoders alone would take, nobody takes",
    .on_receive = check_strict,
};

/* Nobody makes us check more signatures than he sends. */
static void check_work(struct sim *sim, const struct host *host,
                       const struct pbft_message *message, uint64_t checks)
{
    uint64_t most =
        SIGNATURES_BESIDE + pbft_message_memory(message) / BYTES_PER_SIGNATURE;
    if (checks > most) {
        audit_fail(sim, "R2", host,
                   "checks %" PRIu64 " signatures of %zu bytes: %s", checks,
                   pbft_message_memory(message),
                   pbft_message_type_name(message->type));
    }
}

const struct audit_rule audit_work = {
    .name = "R2",
    .says = "signatures checked are bounded by the bytes received",
    .on_verified = check_work,
};
