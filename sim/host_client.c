/* SPDX-License-Identifier: Apache-2.0 */
/* The client gateway of a host: admits requests, answers with proven blocks. */
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/sim.h"

static bool find_in_block(const struct host_block *block,
                          const struct pbft_public_key *client,
                          uint64_t sequence, uint32_t *index)
{
    const struct pbft_batch *batch =
        &block->committed->committed.pre_prepare->pre_prepare.body->batch;
    for (uint32_t i = 0; i < batch->request_count; i++) {
        const struct pbft_request *request = &batch->requests[i]->request;
        if (request->sequence == sequence &&
            memcmp(&request->client, client, sizeof *client) == 0) {
            *index = i;
            return true;
        }
    }
    return false;
}

static void answer(struct host *host, uint32_t client, uint64_t sequence,
                   pbft_seq seq)
{
    struct sim *sim = host->sim;
    const struct host_block *block = &host->blocks[seq - 1];
    const struct pbft_batch *batch =
        &block->committed->committed.pre_prepare->pre_prepare.body->batch;
    uint32_t index = 0;
    bool is_there = find_in_block(block, &sim->clients[client]->signer.key,
                                  sequence, &index);
    PBFT_ASSERT(is_there);
    if (host->behavior == HOST_PUPPET ||
        (host->behavior == HOST_ADVERSARY && !adversary_answers(host))) {
        return;
    }
    size_t leaves = batch->request_count * sizeof block->leaves[0];
    struct sim_reply *reply = malloc(sizeof *reply + leaves);
    PBFT_ASSERT(reply != NULL);
    *reply = (struct sim_reply){.sequence = sequence,
                                .seq = seq,
                                .index = index,
                                .leaf_count = batch->request_count};
    memcpy(reply->leaves, block->leaves, leaves);
    if (sim->observer.on_reply != NULL) {
        sim->observer.on_reply(sim->observer.context, host,
                               sim->clients[client], batch->requests[index],
                               block->proof, reply);
    }
    network_send(&sim->network, host->index, SIM_HOSTS_MAX + client,
                 block->proof, reply);
}

static void remember_waiter(struct host *host, uint32_t client,
                            uint64_t sequence)
{
    size_t own = 0;
    for (size_t i = 0; i < host->waiter_count; i++) {
        own += host->waiters[i].client == client;
        if (host->waiters[i].client == client &&
            host->waiters[i].sequence == sequence) {
            return;
        }
    }
    if (own >= HOST_WAITERS_MAX) {
        return; /* It asks again. */
    }
    if (host->waiter_count == host->waiter_capacity) {
        host->waiter_capacity =
            host->waiter_capacity == 0 ? 16 : 2 * host->waiter_capacity;
        host->waiters = realloc(host->waiters, host->waiter_capacity *
                                                   sizeof host->waiters[0]);
        PBFT_ASSERT(host->waiters != NULL);
    }
    host->waiters[host->waiter_count++] =
        (struct host_waiter){client, sequence};
}

void host_on_request(struct host *host, uint32_t client,
                     const struct pbft_message *request)
{
    struct sim *sim = host->sim;
    if (pbft_verify(&host->verifier, PBFT_SENDER_CLIENT, request) != PBFT_OK) {
        return;
    }
    uint64_t sequence = request->request.sequence;
    pbft_seq seq = sim->settings.service->find(host->service, client, sequence);
    if (seq != 0 && host->blocks[seq - 1].proof != NULL) {
        answer(host, client, sequence, seq);
        return;
    }
    remember_waiter(host, client, sequence);
    if (seq == 0) {
        host_push(host, (struct host_input){.type = PBFT_EVENT_RECEIVE,
                                            .message = request});
        host_work(host);
    }
}

static bool is_in_block(const struct host *host, pbft_seq seq,
                        const struct pbft_digest *digest)
{
    const struct pbft_message *committed = host->blocks[seq - 1].committed;
    const struct pbft_batch *batch =
        &committed->committed.pre_prepare->pre_prepare.body->batch;
    for (uint32_t i = 0; i < batch->request_count; i++) {
        if (memcmp(&batch->requests[i]->request.digest, digest,
                   sizeof *digest) == 0) {
            return true;
        }
    }
    return false;
}

bool host_is_answered(const struct host *host,
                      const struct pbft_message *message)
{
    const struct sim *sim = host->sim;
    const struct pbft_request *request = &message->request;
    for (uint32_t i = 0;
         message->type == PBFT_MESSAGE_REQUEST && i < sim->client_count; i++) {
        if (memcmp(&sim->clients[i]->signer.key, &request->client,
                   sizeof request->client) == 0) {
            pbft_seq seq = sim->settings.service->find(host->service, i,
                                                       request->sequence);
            return seq != 0 && is_in_block(host, seq, &request->digest);
        }
    }
    return false;
}

void host_answer_waiters(struct host *host, pbft_seq seq)
{
    const struct service_kind *service = host->sim->settings.service;
    size_t kept = 0;
    for (size_t i = 0; i < host->waiter_count; i++) {
        struct host_waiter waiter = host->waiters[i];
        if (service->find(host->service, waiter.client, waiter.sequence) ==
            seq) {
            answer(host, waiter.client, waiter.sequence, seq);
        } else {
            host->waiters[kept++] = waiter;
        }
    }
    host->waiter_count = kept;
}
