/* SPDX-License-Identifier: Apache-2.0 */
/* The reply of one replica, which may lie. */
#include "client/certify_private.h"

#include <stdlib.h>
#include <string.h>

#include "client/certify.h"
#include "proto/certified.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

static bool same_digest(const struct pbft_digest *left,
                        const struct pbft_digest *right)
{
    return memcmp(left->bytes, right->bytes, PBFT_DIGEST_SIZE) == 0;
}

/* Caller and question are those of all. */
bool certify_same(const struct pbft_answered *left,
                  const struct pbft_answered *right)
{
    return left->seq == right->seq && left->block_time == right->block_time &&
           same_digest(&left->ledger_root, &right->ledger_root) &&
           same_digest(&left->answer, &right->answer);
}

static bool read_digest(struct pbft_digest *out, const ProtobufCBinaryData *in)
{
    if (in->len != PBFT_DIGEST_SIZE) {
        return false;
    }
    memcpy(out->bytes, in->data, PBFT_DIGEST_SIZE);
    return true;
}

/* What it says, if it is signed by that replica. */
static bool read_statement(const struct salus_client *client,
                           const struct pbft_digest *question, uint32_t replica,
                           uint64_t asked,
                           const Salus__V1__CertifiedAnswer *from,
                           struct pbft_answered *said, struct pbft_vote *vote)
{
    *said = (struct pbft_answered){.seq = from->height,
                                   .block_time = from->block_time_us,
                                   .caller = client->institution,
                                   .query = *question};
    vote->replica = from->replica;
    vote->incarnation = from->incarnation;
    if (from->replica != replica ||
        from->signature.len != PBFT_SIGNATURE_SIZE ||
        !read_digest(&said->ledger_root, &from->ledger_root) ||
        !read_digest(&said->answer, &from->answer_digest) ||
        (asked != 0 && from->height != asked)) {
        return false;
    }
    memcpy(vote->signature.bytes, from->signature.data, PBFT_SIGNATURE_SIZE);
    return certified_verify_vote(&client->domain, &client->keyring, from->epoch,
                                 said, vote) == PBFT_OK;
}

/* The answer must be the one that was signed, of that block. */
static bool take_body(const struct salus_client *client,
                      const Salus__V1__Answer *answer,
                      const struct pbft_answered *said,
                      struct certify_body *body)
{
    struct wire_buffer bytes;
    struct pbft_digest digest;
    wire_buffer_init(&bytes, WIRE_FRAME_BYTES_MAX);
    bool good = answer->height == said->seq &&
                answer->block_time_us == said->block_time &&
                wire_pack(&answer->base, &bytes) == PBFT_OK;
    if (good) {
        certified_answer_digest(client->domain.crypto, &digest,
                                wire_buffer_bytes(&bytes));
        good = same_digest(&digest, &said->answer);
    }
    if (good) {
        free(body->bytes);
        body->digest = digest;
        body->bytes = wire_buffer_take(&bytes, &body->size);
    }
    wire_buffer_deinit(&bytes);
    return good;
}

static void on_bad_reply(struct certify_witness *witness)
{
    witness->verdict = SALUS_WITNESS_BAD_REPLY;
    witness->is_final = true;
    witness->has_said = false;
    witness->wants_body = false;
}

static void on_statement(const struct salus_client *client,
                         const struct pbft_digest *question, uint32_t replica,
                         const Salus__V1__CertifiedAnswer *reply,
                         struct certify_witness *witness,
                         struct certify_body *body)
{
    struct pbft_answered said;
    struct pbft_vote vote;
    if (!read_statement(client, question, replica, witness->asked, reply, &said,
                        &vote) ||
        (reply->answer != NULL &&
         !take_body(client, reply->answer, &said, body)) ||
        (witness->wants_body && reply->answer == NULL)) {
        on_bad_reply(witness);
        return;
    }
    witness->is_busy = false;
    witness->verdict = SALUS_WITNESS_AGREES; /* Until they are counted. */
    witness->has_said = true;
    witness->said = said;
    witness->vote = vote;
    witness->wants_body = false;
    witness->has_newest = true;
    witness->newest = said.seq > witness->newest ? said.seq : witness->newest;
}

static void wait_for(struct certify_witness *witness,
                     const Salus__V1__Refusal *refusal)
{
    uint64_t pause = refusal->code == SALUS__V1__REFUSAL__CODE__BUSY &&
                             refusal->retry_after_ms != 0
                         ? refusal->retry_after_ms
                         : CERTIFY_RETRY_MS;
    witness->again_at = client_now_ms() + pause;
}

static void on_refusal(const Salus__V1__Refusal *refusal,
                       struct certify_witness *witness)
{
    switch (refusal->code) {
    case SALUS__V1__REFUSAL__CODE__SYNCING:
    case SALUS__V1__REFUSAL__CODE__GONE:
        witness->verdict = SALUS_WITNESS_BEHIND;
        witness->has_newest = true;
        witness->newest = refusal->height;
        if (refusal->code == SALUS__V1__REFUSAL__CODE__GONE) {
            witness->is_gone = true;
        }
        break;
    case SALUS__V1__REFUSAL__CODE__BUSY:
    case SALUS__V1__REFUSAL__CODE__STOPPING:
        witness->verdict = SALUS_WITNESS_SILENT;
        break;
    default:
        witness->verdict = SALUS_WITNESS_REFUSES;
        witness->refused = client_status_of_refusal(refusal);
        witness->is_final = true;
        break;
    }
    witness->is_busy = refusal->code == SALUS__V1__REFUSAL__CODE__BUSY;
    witness->has_said = false;
    witness->wants_body = false;
    wait_for(witness, refusal);
}

void certify_judge(const struct salus_client *client,
                   const struct pbft_digest *question, uint32_t replica,
                   struct pbft_bytes bytes, struct certify_witness *witness,
                   struct certify_body *body)
{
    struct ProtobufCMessage *decoded = NULL;
    struct wire_arena arena;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    enum pbft_status status = wire_unpack_strict(
        &salus__v1__client_reply__descriptor, bytes, &arena, &decoded);
    const Salus__V1__ClientReply *reply =
        (const Salus__V1__ClientReply *)decoded;
    if (status == PBFT_OK &&
        reply->kind_case == SALUS__V1__CLIENT_REPLY__KIND_CERTIFIED) {
        on_statement(client, question, replica, reply->certified, witness,
                     body);
    } else if (status == PBFT_OK &&
               reply->kind_case == SALUS__V1__CLIENT_REPLY__KIND_REFUSAL) {
        on_refusal(reply->refusal, witness);
    } else {
        on_bad_reply(witness);
    }
    wire_arena_deinit(&arena);
}
