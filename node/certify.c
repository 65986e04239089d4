/* SPDX-License-Identifier: Apache-2.0 */
/* Certified reads: answers after a block that other replicas answer for too,
 * signed (docs/api.md, section 5a). */
#include <string.h>

#include "consensus/assert.h"
#include "node/call_rate.h"
#include "node/clock.h"
#include "node/history.h"
#include "node/limits.h"
#include "node/node_private.h"
#include "node/reads.h"
#include "proto/certified.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

#define REPLY_VERSION 1

/* What is said about one question. */
struct certification {
    struct pbft_answered answered;
    struct pbft_vote vote;
    struct pbft_bytes answer; /* In the scratch of the thread. */
    bool digest_only;
};

static ProtobufCBinaryData field(const void *data, size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)data};
}

static enum pbft_status pack(struct node *node, struct node_scratch *scratch,
                             const struct certification *from)
{
    ProtobufCMessage *answer = NULL;
    Salus__V1__CertifiedAnswer out = SALUS__V1__CERTIFIED_ANSWER__INIT;
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    out.epoch = node->identity->keyring.epoch;
    out.replica = from->vote.replica;
    out.incarnation = from->vote.incarnation;
    out.height = from->answered.seq;
    out.block_time_us = from->answered.block_time;
    out.ledger_root = field(from->answered.ledger_root.bytes, PBFT_DIGEST_SIZE);
    out.answer_digest = field(from->answered.answer.bytes, PBFT_DIGEST_SIZE);
    out.signature = field(from->vote.signature.bytes, PBFT_SIGNATURE_SIZE);
    if (!from->digest_only) {
        wire_arena_reset(&scratch->arena);
        enum pbft_status status =
            wire_unpack_strict(&salus__v1__answer__descriptor, from->answer,
                               &scratch->arena, &answer);
        if (status != PBFT_OK) {
            return status;
        }
        out.answer = (Salus__V1__Answer *)answer;
    }
    reply.version = REPLY_VERSION;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_CERTIFIED;
    reply.certified = &out;
    wire_buffer_reset(&scratch->reply);
    return wire_pack(&reply.base, &scratch->reply);
}

/* Signs as the incarnation that votes. */
static void sign(struct node *node, uint64_t incarnation,
                 struct certification *out)
{
    const struct pbft_domain *domain = &node->identity->domain;
    struct pbft_preimage preimage;
    out->vote.replica = node->identity->self;
    out->vote.incarnation = incarnation;
    pbft_answered_preimage(domain, node->identity->keyring.epoch,
                           out->vote.replica, incarnation, &out->answered,
                           &preimage);
    domain->crypto->sign(domain->crypto->context, &out->vote.signature,
                         (struct pbft_bytes){preimage.bytes, preimage.size});
}

/* Answers out of one state; the ledger authorizes the caller. */
static enum pbft_status answer(struct node *node, struct node_scratch *scratch,
                               const struct ledger_kv *kv,
                               struct certification *out)
{
    const struct pbft_crypto *crypto = node->identity->domain.crypto;
    struct pbft_bytes question = wire_buffer_bytes(&scratch->query);
    struct ledger_position position;
    size_t size = 0;
    enum pbft_status status = ledger_view_position(kv, &position);
    if (status == PBFT_OK) {
        status = ledger_query(node->ledger, kv, &out->answered.caller, question,
                              scratch->answer, sizeof scratch->answer, &size);
    }
    if (status != PBFT_OK) {
        return status;
    }
    out->answer = (struct pbft_bytes){scratch->answer, size};
    out->answered.seq = position.seq;
    out->answered.block_time = position.time;
    out->answered.ledger_root = position.ledger_root;
    certified_query_digest(crypto, &out->answered.query, question);
    certified_answer_digest(crypto, &out->answered.answer, out->answer);
    return PBFT_OK;
}

static void refuse(struct node *node, struct node_scratch *scratch,
                   uint64_t call, enum reply_code code, pbft_seq newest)
{
    wire_buffer_reset(&scratch->reply);
    enum pbft_status status = reply_refusal_at(&scratch->reply, code, newest);
    PBFT_ASSERT(status == PBFT_OK);
    net_gateway_reply(node->gateway, call, wire_buffer_bytes(&scratch->reply));
}

static void certify(struct node *node, struct node_scratch *scratch,
                    const struct verifier_job *job, pbft_seq height,
                    struct certification *out)
{
    struct pbft_report report;
    struct history_state *state = NULL;
    pbft_seq newest = 0;
    node_report(node, &report);
    enum pbft_status status = history_borrow(node->history, height, job->from,
                                             clock_now_ms(), &state, &newest);
    if (status != PBFT_OK || !report.may_vote) {
        /* Recovering it speaks for nobody (P14). */
        refuse(node, scratch, job->call,
               status == PBFT_NOT_FOUND ? REPLY_GONE : REPLY_SYNCING, newest);
    } else {
        status = answer(node, scratch, history_kv(state), out);
        if (status == PBFT_OK) {
            sign(node, report.incarnation, out);
            status = pack(node, scratch, out);
        }
        node_reply_or_refuse(node, scratch, job->call, status, "certify");
    }
    if (state != NULL) {
        history_give_back(node->history, state);
    }
}

void node_certify(struct node *node, struct node_scratch *scratch,
                  const struct verifier_job *job,
                  const Salus__V1__CertifyCall *call)
{
    struct certification out = {.digest_only = call->digest_only};
    out.answered.caller =
        node->identity->genesis->members[job->from].institution;
    if (!call_rate_take(node->certify_rate, job->from, clock_now_ms())) {
        node_refuse(node, &scratch->reply, job->call, REPLY_BUSY, 0);
        return;
    }
    wire_buffer_reset(&scratch->query);
    if (call->query == NULL ||
        wire_pack(&call->query->base, &scratch->query) != PBFT_OK ||
        scratch->query.size > LEDGER_QUERY_MAX) {
        node_refuse(node, &scratch->reply, job->call, REPLY_MALFORMED, 0);
        return;
    }
    reads_note(node->reads, job->from, READS_CERTIFIED, call->query,
               clock_now_ms());
    certify(node, scratch, job, call->height, &out);
}
