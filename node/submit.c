/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a submission, asks the ledger whether it makes sense, and hands it to
 * the core. Admission is advice: only execution decides (design: P17). */
#include "node/submit.h"

#include <stdlib.h>
#include <string.h>

#include "node/clock.h"
#include "node/limits.h"

#define REFUSED_AT_ONCE 64

/* NULL if a field has a wrong size, or memory is short. */
static struct pbft_message *read_request(const struct node *node,
                                         const Salus__V1__Request *from)
{
    if (from == NULL || from->client.len != PBFT_PUBLIC_KEY_SIZE ||
        from->institution.len != PBFT_INSTITUTION_SIZE ||
        from->signature.len != PBFT_SIGNATURE_SIZE ||
        from->payload.len > PBFT_REQUEST_BYTES_MAX ||
        from->lane > PBFT_LANE_URGENT) {
        return NULL;
    }
    struct pbft_request fields = {
        .session = from->session,
        .sequence = from->sequence,
        .lane = (enum pbft_lane)from->lane,
        .payload = {from->payload.data, from->payload.len},
    };
    memcpy(fields.client.bytes, from->client.data, PBFT_PUBLIC_KEY_SIZE);
    memcpy(fields.institution.bytes, from->institution.data,
           PBFT_INSTITUTION_SIZE);
    memcpy(fields.signature.bytes, from->signature.data, PBFT_SIGNATURE_SIZE);
    return pbft_request_create(&node->identity->domain, &fields,
                               PBFT_SENDER_CLIENT, NULL);
}

/* 0 if the request may go on; else why not. */
static enum reply_code check(struct node *node, uint32_t caller,
                             const struct pbft_message *request)
{
    const struct pbft_institution *institution =
        &node->identity->genesis->members[caller].institution;
    struct pbft_report report;
    if (memcmp(institution, &request->request.institution,
               sizeof *institution) != 0) {
        return REPLY_NOT_AUTHORIZED;
    }
    enum pbft_status status =
        pbft_verify(&node->verifier, PBFT_SENDER_CLIENT, request);
    if (status != PBFT_OK) {
        return status == PBFT_BAD_SIGNATURE ? REPLY_BAD_SIGNATURE
                                            : REPLY_MALFORMED;
    }
    node_report(node, &report);
    return report.syncing ? REPLY_SYNCING : 0;
}

static pbft_time_ms deadline_of(const Salus__V1__Submit *submit)
{
    uint32_t timeout_ms = submit->timeout_ms != 0
                              ? submit->timeout_ms
                              : NODE_CALL_TIMEOUT_DEFAULT_MS;
    if (timeout_ms > NODE_CALL_TIMEOUT_MAX_MS) {
        timeout_ms = NODE_CALL_TIMEOUT_MAX_MS;
    }
    return clock_now_ms() + timeout_ms;
}

static void refuse_all(struct node *node, struct wire_buffer *buffer,
                       const struct pbft_digest *request, enum reply_code code,
                       uint32_t ledger_code)
{
    struct waiting_call calls[REFUSED_AT_ONCE];
    size_t count = REFUSED_AT_ONCE;
    while (count == REFUSED_AT_ONCE) {
        count = waiting_take_request(node->waiting, calls, REFUSED_AT_ONCE,
                                     request);
        for (size_t i = 0; i < count; i++) {
            node_refuse(node, buffer, calls[i].call, code, ledger_code);
        }
    }
}

void node_refuse_request(struct node *node, const struct pbft_digest *request,
                         enum reply_code code)
{
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, WIRE_FRAME_BYTES_MAX);
    refuse_all(node, &buffer, request, code, 0);
    wire_buffer_deinit(&buffer);
}

/* What execution would probably say; as a node code if the state cannot be
 * read. */
static enum ledger_code admit(struct node *node,
                              const struct pbft_request *request,
                              struct results_location *first)
{
    struct ledger_request described;
    enum ledger_code code = LEDGER_OK;
    struct storage_view *view =
        storage_view_open(node->storage, STORAGE_VIEW_NEWEST);
    executor_describe_request(request, &described);
    enum pbft_status status = ledger_admit(node->ledger, storage_view_kv(view),
                                           &described, &code, first);
    storage_view_close(view);
    if (status != PBFT_OK) {
        node_fail(node, status, "reading the ledger");
    }
    return code;
}

/* A request of its client and number was executed; `*first` says where. */
static bool find_first(struct node *node, const struct pbft_request *request,
                       struct results_location *first)
{
    *first = (struct results_location){0};
    return admit(node, request, first) == LEDGER_DUPLICATE && first->seq != 0;
}

/* The request that was executed there is this one. */
static bool is_at(struct node *node, const struct results_location *at,
                  const struct pbft_digest *request)
{
    uint8_t *encoded = NULL;
    size_t size = 0;
    struct results_block *block = NULL;
    bool found = false;
    if (storage_results_read(node->storage, at->seq, &encoded, &size) ==
            PBFT_OK &&
        results_decode(&block, (struct pbft_bytes){encoded, size}) == PBFT_OK) {
        found = at->request_index < block->request_count &&
                memcmp(&block->requests[at->request_index].digest, request,
                       sizeof *request) == 0;
    }
    free(block);
    free(encoded);
    return found;
}

bool node_is_late(struct node *node, const struct pbft_message *message)
{
    struct results_location first;
    return message->type == PBFT_MESSAGE_REQUEST &&
           request_cache_has(node->executed, &message->request.digest) &&
           find_first(node, &message->request, &first);
}

bool node_was_executed(struct node *node, const struct pbft_message *message)
{
    struct results_location first;
    if (message->type != PBFT_MESSAGE_REQUEST ||
        !find_first(node, &message->request, &first)) {
        return false;
    }
    const struct pbft_digest *digest = &message->request.digest;
    if (!request_cache_has(node->executed, digest)) {
        if (!is_at(node, &first, digest)) {
            return false;
        }
        request_cache_add(node->executed, digest);
    }
    return true;
}

/* Hands the request to the core; takes over the reference. */
static void order(struct node *node, struct node_scratch *scratch,
                  const struct pbft_message *request)
{
    struct pbft_digest digest = request->request.digest;
    enum pbft_status status = inbox_try_put(node->inbox, request);
    if (status == PBFT_LIMIT) {
        pbft_message_unref(request);
    }
    if (status != PBFT_OK) {
        refuse_all(node, &scratch->reply, &digest,
                   status == PBFT_LIMIT ? REPLY_BUSY : REPLY_STOPPING, 0);
    }
}

/* The call waits already, so that nothing that happens meanwhile is missed. */
static void proceed(struct node *node, struct node_scratch *scratch,
                    const struct pbft_message *request)
{
    struct results_location first = {0};
    const struct pbft_digest *digest = &request->request.digest;
    enum ledger_code code = admit(node, &request->request, &first);
    if (code == LEDGER_OK) {
        order(node, scratch, pbft_message_ref(request));
    } else if (code == LEDGER_DUPLICATE && first.seq != 0) {
        (void)waiting_locate(node->waiting, digest, &first);
        node_answer_block(node, scratch, first.seq);
    } else {
        refuse_all(node, &scratch->reply, digest, REPLY_INADMISSIBLE,
                   (uint32_t)code);
    }
}

void node_submit(struct node *node, struct node_scratch *scratch,
                 const struct verifier_job *job,
                 const Salus__V1__Submit *submit)
{
    struct pbft_message *request = read_request(node, submit->request);
    if (request == NULL) {
        node_refuse(node, &scratch->reply, job->call, REPLY_MALFORMED, 0);
        return;
    }
    enum reply_code refusal = check(node, job->from, request);
    if (refusal == 0) {
        const struct waiting_call call = {.call = job->call,
                                          .deadline_ms = deadline_of(submit)};
        enum pbft_status status =
            waiting_add_request(node->waiting, &request->request.digest, &call);
        if (status == PBFT_OK) {
            proceed(node, scratch, request);
        } else {
            refusal = REPLY_BUSY;
        }
    }
    if (refusal != 0) {
        node_refuse(node, &scratch->reply, job->call, refusal, 0);
    }
    pbft_message_unref(request);
}
