/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cast.h"

#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"

#define CAST_WINDOW 16

static void member_init(struct cast_member *member, const char *group,
                        uint64_t number)
{
    fake_signer_init(&member->signer, group, number);
    member->crypto = fake_crypto(&member->signer);
    member->domain.crypto = &member->crypto;
    memset(&member->domain.cluster, 0xc1, sizeof member->domain.cluster);
}

void cast_init(struct cast *cast, uint32_t n)
{
    memset(cast, 0, sizeof *cast);
    cast->n = n;
    cast->keyring.epoch = 1;
    cast->keyring.replica_count = n;
    for (uint32_t i = 0; i < n; i++) {
        member_init(&cast->replicas[i], "replica", i);
        cast->keyring.keys[i] = cast->replicas[i].signer.key;
    }
    member_init(&cast->client, "client", 0);
    cast->verifier.domain = &cast->replicas[0].domain;
    cast->verifier.keyring = &cast->keyring;
    cast->verifier.window = CAST_WINDOW;
}

static struct pbft_origin origin_of(const struct cast *cast,
                                    pbft_replica_id signer)
{
    return (struct pbft_origin){
        .sender = signer, .incarnation = 0, .epoch = cast->keyring.epoch};
}

struct pbft_message *cast_request(const struct cast *cast, uint64_t sequence,
                                  const char *payload)
{
    struct pbft_request fields = {
        .client = cast->client.signer.key,
        .session = 1,
        .sequence = sequence,
        .payload = {(const uint8_t *)payload, strlen(payload)},
    };
    struct pbft_message *message = pbft_request_create(
        &cast->client.domain, &fields, PBFT_SENDER_CLIENT, NULL);
    PBFT_ASSERT(message != NULL);
    pbft_message_sign(&cast->client.domain, message);
    return message;
}

struct pbft_message *cast_batch(const struct cast *cast, pbft_wall_us time,
                                uint64_t first, uint32_t count)
{
    const struct pbft_message *requests[8] = {NULL};
    PBFT_ASSERT(count <= 8);
    for (uint32_t i = 0; i < count; i++) {
        requests[i] = cast_request(cast, first + i, "payload");
    }
    struct pbft_message *batch =
        pbft_batch_create(&cast->client.domain, time, requests, count);
    PBFT_ASSERT(batch != NULL);
    for (uint32_t i = 0; i < count; i++) {
        pbft_message_unref(requests[i]);
    }
    return batch;
}

struct pbft_message *cast_pre_prepare(const struct cast *cast, pbft_view view,
                                      pbft_seq seq,
                                      const struct pbft_message *batch)
{
    pbft_replica_id primary = pbft_primary_of(view, cast->n);
    const struct pbft_origin origin = origin_of(cast, primary);
    struct pbft_message *message = pbft_pre_prepare_create(
        &origin, view, seq, &batch->batch.digest, batch);
    PBFT_ASSERT(message != NULL);
    pbft_message_sign(&cast->replicas[primary].domain, message);
    return message;
}

struct pbft_message *cast_vote(const struct cast *cast,
                               enum pbft_message_type type,
                               pbft_replica_id signer, pbft_view view,
                               pbft_seq seq, const struct pbft_digest *digest)
{
    const struct pbft_origin origin = origin_of(cast, signer);
    const struct pbft_prepare fields = {view, seq, *digest};
    struct pbft_message *message = pbft_vote_create(type, &origin, &fields);
    PBFT_ASSERT(message != NULL);
    pbft_message_sign(&cast->replicas[signer].domain, message);
    return message;
}

struct pbft_message *cast_attestation(const struct cast *cast,
                                      pbft_replica_id signer, pbft_seq seq)
{
    const struct pbft_origin origin = origin_of(cast, signer);
    struct pbft_attestation fields = {.seq = seq, .block_time = 1000 + seq};
    fields.ledger_root.bytes[0] = (uint8_t)seq;
    struct pbft_message *message = pbft_attestation_create(&origin, &fields);
    PBFT_ASSERT(message != NULL);
    pbft_message_sign(&cast->replicas[signer].domain, message);
    return message;
}

static struct pbft_vote vote_of(const struct pbft_message *message)
{
    return (struct pbft_vote){message->sender, message->incarnation,
                              message->signature};
}

struct pbft_message *cast_certificate(const struct cast *cast,
                                      enum pbft_message_type type,
                                      const struct pbft_message *pre_prepare,
                                      const pbft_replica_id *signers,
                                      uint32_t count)
{
    struct pbft_vote votes[PBFT_REPLICAS_MAX];
    const struct pbft_pre_prepare *fields = &pre_prepare->pre_prepare;
    enum pbft_message_type vote_type = type == PBFT_MESSAGE_PREPARED
                                           ? PBFT_MESSAGE_PREPARE
                                           : PBFT_MESSAGE_COMMIT;
    for (uint32_t i = 0; i < count; i++) {
        struct pbft_message *vote =
            cast_vote(cast, vote_type, signers[i], fields->view, fields->seq,
                      &fields->digest);
        votes[i] = vote_of(vote);
        pbft_message_unref(vote);
    }
    struct pbft_message *message = pbft_certificate_create(
        type, 0, cast->keyring.epoch, pre_prepare, votes, count);
    PBFT_ASSERT(message != NULL);
    return message;
}

struct pbft_message *cast_stable(const struct cast *cast, pbft_seq seq,
                                 const pbft_replica_id *signers, uint32_t count)
{
    struct pbft_vote votes[PBFT_REPLICAS_MAX];
    struct pbft_attestation fields = {.seq = seq};
    for (uint32_t i = 0; i < count; i++) {
        struct pbft_message *vote = cast_attestation(cast, signers[i], seq);
        fields = vote->attestation;
        votes[i] = vote_of(vote);
        pbft_message_unref(vote);
    }
    struct pbft_message *message =
        pbft_stable_create(0, cast->keyring.epoch, &fields, votes, count);
    PBFT_ASSERT(message != NULL);
    return message;
}
