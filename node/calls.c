/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the calls of clients: lookups, queries and status are answered at once,
 * submissions go to submit.c. */
#include <string.h>

#include "consensus/assert.h"
#include "node/clock.h"
#include "node/limits.h"
#include "node/reads.h"
#include "node/submit.h"
#include "proto/codec.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

#define CALL_VERSION 1

void node_refuse(struct node *node, struct wire_buffer *scratch, uint64_t call,
                 enum reply_code code, uint32_t ledger_code)
{
    wire_buffer_reset(scratch);
    enum pbft_status status = reply_refusal(scratch, code, ledger_code);
    PBFT_ASSERT(status == PBFT_OK);
    net_gateway_reply(node->gateway, call, wire_buffer_bytes(scratch));
}

/* From a thread of net/, which has no scratch memory. */
static void refuse_at_once(struct node *node, uint64_t call,
                           enum reply_code code)
{
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, WIRE_FRAME_BYTES_MAX);
    node_refuse(node, &buffer, call, code, 0);
    wire_buffer_deinit(&buffer);
}

void node_call(void *context, uint64_t call, uint32_t caller,
               struct pbft_buffer *buffer)
{
    struct node *node = context;
    const struct verifier_job job = {
        .lane = VERIFIER_CALLS, .from = caller, .call = call, .buffer = buffer};
    enum pbft_status status = atomic_load(&node->stopping)
                                  ? PBFT_CLOSED
                                  : verifier_pool_put(node->pool, &job);
    if (status == PBFT_OK) {
        return;
    }
    pbft_buffer_unref(buffer);
    /* Before it is open nobody can have filled the queue. */
    if (atomic_load(&node->is_open)) {
        refuse_at_once(node, call,
                       status == PBFT_LIMIT ? REPLY_BUSY : REPLY_STOPPING);
    }
}

void node_refuse_failed(struct node *node, struct node_scratch *scratch,
                        uint64_t call, enum pbft_status status,
                        const char *what)
{
    journal(JOURNAL_ERROR, "call-failed", "what=%s reason=\"%s\"", what,
            pbft_status_text(status));
    /* Not NOT_FOUND: nobody knows whether it is there. */
    node_refuse(node, &scratch->reply, call, REPLY_STOPPING, 0);
}

void node_reply_or_refuse(struct node *node, struct node_scratch *scratch,
                          uint64_t call, enum pbft_status status,
                          const char *what)
{
    if (status == PBFT_OK) {
        net_gateway_reply(node->gateway, call,
                          wire_buffer_bytes(&scratch->reply));
        return;
    }
    node_refuse_failed(node, scratch, call, status, what);
}

static enum pbft_status find_transaction(const struct ledger_kv *kv,
                                         const Salus__V1__Lookup *lookup,
                                         const struct pbft_institution *caller,
                                         struct results_location *at)
{
    struct pbft_digest tx_id;
    struct ledger_transaction_location found = {0};
    memcpy(tx_id.bytes, lookup->tx_id.data, PBFT_DIGEST_SIZE);
    enum pbft_status status = ledger_may_look_up(kv, caller, NULL);
    if (status == PBFT_OK) {
        status = ledger_find_transaction(kv, &tx_id, &found);
    }
    *at = (struct results_location){found.seq, found.request_index};
    return status;
}

static enum pbft_status find_request(const struct ledger_kv *kv,
                                     const Salus__V1__Lookup *lookup,
                                     const struct pbft_institution *caller,
                                     struct results_location *at)
{
    struct pbft_public_key client;
    memcpy(client.bytes, lookup->client.data, PBFT_PUBLIC_KEY_SIZE);
    enum pbft_status status = ledger_may_look_up(kv, caller, &client);
    if (status == PBFT_OK) {
        status = ledger_find_request(kv, &client, lookup->session,
                                     lookup->sequence, at);
    }
    return status;
}

static enum pbft_status find(struct node *node, uint32_t caller,
                             const Salus__V1__Lookup *lookup,
                             struct results_location *at)
{
    struct storage_view *view =
        storage_view_open(node->storage, STORAGE_VIEW_SNAPSHOT);
    const struct ledger_kv *kv = storage_view_kv(view);
    const struct pbft_institution *institution =
        &node->identity->genesis->members[caller].institution;
    enum pbft_status status = PBFT_MALFORMED;
    if (lookup->tx_id.len == PBFT_DIGEST_SIZE && lookup->client.len == 0) {
        status = find_transaction(kv, lookup, institution, at);
    } else if (lookup->tx_id.len == 0 &&
               lookup->client.len == PBFT_PUBLIC_KEY_SIZE) {
        status = find_request(kv, lookup, institution, at);
    }
    storage_view_close(view);
    return status;
}

/* Answered at once if the block is proved, else when it is. */
static void on_lookup(struct node *node, struct node_scratch *scratch,
                      const struct verifier_job *job,
                      const Salus__V1__Lookup *lookup)
{
    struct waiting_call call = {
        .call = job->call,
        .deadline_ms = clock_now_ms() + NODE_CALL_TIMEOUT_DEFAULT_MS,
        .wants_request = true,
    };
    reads_note(node->reads, job->from, READS_LOCAL, NULL, clock_now_ms());
    enum pbft_status status = find(node, job->from, lookup, &call.at);
    if (status == PBFT_OK) {
        status = waiting_add_located(node->waiting, &call);
        if (status == PBFT_OK) {
            node_answer_block(node, scratch, call.at.seq);
            return;
        }
    }
    if (status == PBFT_IO || status == PBFT_CORRUPT) {
        node_refuse_failed(node, scratch, job->call, status, "lookup");
        return;
    }
    enum reply_code code = status == PBFT_MALFORMED    ? REPLY_MALFORMED
                           : status == PBFT_LIMIT      ? REPLY_BUSY
                           : status == PBFT_NOT_MEMBER ? REPLY_NOT_AUTHORIZED
                                                       : REPLY_NOT_FOUND;
    node_refuse(node, &scratch->reply, job->call, code, 0);
}

static enum pbft_status query(struct node *node, struct node_scratch *scratch,
                              uint32_t caller, struct pbft_bytes question)
{
    size_t size = 0;
    struct storage_view *view =
        storage_view_open(node->storage, STORAGE_VIEW_SNAPSHOT);
    enum pbft_status status =
        ledger_query(node->ledger, storage_view_kv(view),
                     &node->identity->genesis->members[caller].institution,
                     question, scratch->answer, sizeof scratch->answer, &size);
    storage_view_close(view);
    if (status != PBFT_OK) {
        return status;
    }
    wire_buffer_reset(&scratch->reply);
    wire_arena_reset(&scratch->arena);
    return reply_answer(&scratch->reply, &scratch->arena,
                        (struct pbft_bytes){scratch->answer, size});
}

static void on_query(struct node *node, struct node_scratch *scratch,
                     const struct verifier_job *job,
                     const Salus__V1__QueryCall *call)
{
    wire_buffer_reset(&scratch->query);
    if (call->query == NULL ||
        wire_pack(&call->query->base, &scratch->query) != PBFT_OK ||
        scratch->query.size > LEDGER_QUERY_MAX) {
        node_refuse(node, &scratch->reply, job->call, REPLY_MALFORMED, 0);
        return;
    }
    reads_note(node->reads, job->from, READS_LOCAL, call->query,
               clock_now_ms());
    enum pbft_status status =
        query(node, scratch, job->from, wire_buffer_bytes(&scratch->query));
    node_reply_or_refuse(node, scratch, job->call, status, "query");
}

/* The courier answers; its store is not for this thread. */
static void on_delivery(struct node *node, struct node_scratch *scratch,
                        const struct verifier_job *job)
{
    enum pbft_status status =
        courier_put_call(node->courier, job->call, job->from, job->buffer);
    if (status != PBFT_OK) {
        enum reply_code code = status == PBFT_LIMIT    ? REPLY_BUSY
                               : status == PBFT_CLOSED ? REPLY_STOPPING
                                                       : REPLY_MALFORMED;
        node_refuse(node, &scratch->reply, job->call, code, 0);
    }
}

static void dispatch(struct node *node, struct node_scratch *scratch,
                     const struct verifier_job *job,
                     const Salus__V1__ClientCall *call)
{
    switch (call->kind_case) {
    case SALUS__V1__CLIENT_CALL__KIND_SUBMIT:
        node_submit(node, scratch, job, call->submit);
        return;
    case SALUS__V1__CLIENT_CALL__KIND_LOOKUP:
        on_lookup(node, scratch, job, call->lookup);
        return;
    case SALUS__V1__CLIENT_CALL__KIND_QUERY:
        on_query(node, scratch, job, call->query);
        return;
    case SALUS__V1__CLIENT_CALL__KIND_CERTIFY:
        node_certify(node, scratch, job, call->certify);
        return;
    case SALUS__V1__CLIENT_CALL__KIND_STATUS:
        wire_buffer_reset(&scratch->reply);
        node_reply_or_refuse(node, scratch, job->call,
                             node_status_reply(node, scratch), "status");
        return;
    case SALUS__V1__CLIENT_CALL__KIND_EVIDENCE:
        wire_buffer_reset(&scratch->reply);
        node_reply_or_refuse(node, scratch, job->call,
                             node_evidence_reply(node, scratch), "evidence");
        return;
    case SALUS__V1__CLIENT_CALL__KIND_DELIVER:
    case SALUS__V1__CLIENT_CALL__KIND_INBOX:
    case SALUS__V1__CLIENT_CALL__KIND_TAKEN:
    case SALUS__V1__CLIENT_CALL__KIND_DELIVERIES:
        on_delivery(node, scratch, job);
        return;
    default: /* Not set, or a value that protobuf-c made up. */
        node_refuse(node, &scratch->reply, job->call, REPLY_MALFORMED, 0);
        return;
    }
}

void node_read_call(struct node *node, struct node_scratch *scratch,
                    const struct verifier_job *job)
{
    ProtobufCMessage *unpacked = NULL;
    PBFT_ASSERT(job->from < node->identity->genesis->member_count);
    wire_arena_reset(&scratch->arena);
    enum pbft_status status = wire_unpack_strict(
        &salus__v1__client_call__descriptor, pbft_buffer_bytes(job->buffer),
        &scratch->arena, &unpacked);
    const Salus__V1__ClientCall *call = (Salus__V1__ClientCall *)unpacked;
    if (status != PBFT_OK || call->version != CALL_VERSION) {
        node_refuse(node, &scratch->reply, job->call, REPLY_MALFORMED, 0);
        return;
    }
    if (call->cluster.len != WIRE_CLUSTER_PREFIX_SIZE ||
        memcmp(call->cluster.data, node->identity->cluster.bytes,
               WIRE_CLUSTER_PREFIX_SIZE) != 0) {
        node_refuse(node, &scratch->reply, job->call, REPLY_WRONG_CLUSTER, 0);
        return;
    }
    dispatch(node, scratch, job, call);
}
