/* SPDX-License-Identifier: Apache-2.0 */
/* A service without rules: each request of a known client takes effect once. */
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/bytes.h"
#include "sim/fake_crypto.h"
#include "sim/service.h"

#define SEQUENCES_FIRST 64
/* A client that names a sequence far ahead must not make us allocate. */
#define SEQUENCES_MAX 65536

struct first_result {
    pbft_seq seq; /* 0: not executed yet. */
    struct pbft_digest leaf;
};

struct simple_client {
    struct pbft_public_key key;
    struct first_result *first; /* By sequence. */
    uint64_t capacity;
};

struct simple {
    struct pbft_attestation executed;
    uint32_t client_count;
    struct simple_client *clients;
    struct service_result *results;
    struct pbft_digest *leaves;
    uint32_t result_capacity;
};

static void *simple_create(const struct pbft_domain *domain,
                           uint32_t client_count,
                           const struct pbft_public_key *clients,
                           const struct pbft_institution *institutions)
{
    (void)domain;
    (void)institutions;
    struct simple *simple = calloc(1, sizeof *simple);
    PBFT_ASSERT(simple != NULL);
    simple->client_count = client_count;
    simple->clients = calloc(client_count + 1, sizeof simple->clients[0]);
    PBFT_ASSERT(simple->clients != NULL);
    for (uint32_t i = 0; i < client_count; i++) {
        simple->clients[i].key = clients[i];
    }
    return simple;
}

static void simple_destroy(void *service)
{
    struct simple *simple = service;
    for (uint32_t i = 0; i < simple->client_count; i++) {
        free(simple->clients[i].first);
    }
    free(simple->clients);
    free(simple->results);
    free(simple->leaves);
    free(simple);
}

static struct first_result *first_result_at(struct simple_client *client,
                                            uint64_t sequence)
{
    if (sequence >= SEQUENCES_MAX) {
        return NULL;
    }
    if (sequence >= client->capacity) {
        uint64_t capacity =
            client->capacity == 0 ? SEQUENCES_FIRST : client->capacity;
        while (capacity <= sequence) {
            capacity *= 2;
        }
        client->first =
            realloc(client->first, capacity * sizeof client->first[0]);
        PBFT_ASSERT(client->first != NULL);
        memset(client->first + client->capacity, 0,
               (capacity - client->capacity) * sizeof client->first[0]);
        client->capacity = capacity;
    }
    return &client->first[sequence];
}

static struct simple_client *client_of(struct simple *simple,
                                       const struct pbft_public_key *key)
{
    for (uint32_t i = 0; i < simple->client_count; i++) {
        if (memcmp(&simple->clients[i].key, key, sizeof *key) == 0) {
            return &simple->clients[i];
        }
    }
    return NULL;
}

/* The outcome depends on the request and on the state before the block. */
static void make_leaf(const struct simple *simple,
                      const struct pbft_request *request,
                      struct pbft_digest *out)
{
    const struct pbft_bytes parts[] = {
        {(const uint8_t *)"leaf", 4},
        {request->digest.bytes, PBFT_DIGEST_SIZE},
        {simple->executed.ledger_root.bytes, PBFT_DIGEST_SIZE}};
    fake_digest(out, parts, 3);
}

static void execute_request(struct simple *simple, pbft_seq seq,
                            const struct pbft_request *request,
                            struct service_result *out)
{
    struct simple_client *client = client_of(simple, &request->client);
    struct first_result *first =
        client == NULL ? NULL : first_result_at(client, request->sequence);
    *out = (struct service_result){.first_seq = seq};
    make_leaf(simple, request, &out->leaf);
    if (first == NULL) {
        return; /* Refused; it may be ordered, it has no effect. */
    }
    if (first->seq != 0) {
        out->leaf = first->leaf;
        out->first_seq = first->seq;
        return;
    }
    out->is_effective = true;
    *first = (struct first_result){seq, out->leaf};
}

static void make_room(struct simple *simple, uint32_t count)
{
    if (count > simple->result_capacity) {
        simple->results =
            realloc(simple->results, count * sizeof simple->results[0]);
        simple->leaves =
            realloc(simple->leaves, count * sizeof simple->leaves[0]);
        PBFT_ASSERT(simple->results != NULL && simple->leaves != NULL);
        simple->result_capacity = count;
    }
}

static void simple_root(struct pbft_digest *out,
                        const struct pbft_digest *leaves, uint32_t count)
{
    const struct pbft_bytes parts[] = {
        {(const uint8_t *)"results", 7},
        {(const uint8_t *)leaves, count * sizeof leaves[0]}};
    fake_digest(out, parts, 2);
}

static void extend_root(struct pbft_attestation *executed)
{
    uint8_t numbers[2 * PBFT_U64_SIZE];
    pbft_put_u64(numbers, executed->seq);
    pbft_put_u64(numbers + PBFT_U64_SIZE, executed->block_time);
    const struct pbft_bytes parts[] = {
        {executed->ledger_root.bytes, PBFT_DIGEST_SIZE},
        {numbers, sizeof numbers},
        {executed->block_digest.bytes, PBFT_DIGEST_SIZE},
        {executed->results_root.bytes, PBFT_DIGEST_SIZE}};
    struct pbft_digest root;
    fake_digest(&root, parts, 4);
    executed->ledger_root = root;
}

static void simple_execute(void *service, const struct pbft_message *committed,
                           struct service_outcome *out)
{
    struct simple *simple = service;
    struct pbft_attestation *executed = &simple->executed;
    const struct pbft_pre_prepare *header =
        &committed->committed.pre_prepare->pre_prepare;
    PBFT_ASSERT(header->body != NULL);
    PBFT_ASSERT(header->seq == executed->seq + 1);
    const struct pbft_batch *batch = &header->body->batch;
    make_room(simple, batch->request_count);
    for (uint32_t i = 0; i < batch->request_count; i++) {
        execute_request(simple, header->seq, &batch->requests[i]->request,
                        &simple->results[i]);
        simple->leaves[i] = simple->results[i].leaf;
    }
    executed->seq = header->seq;
    executed->block_digest = header->digest;
    /* P12: strictly increasing, whatever was proposed. */
    executed->block_time = batch->time > executed->block_time
                               ? batch->time
                               : executed->block_time + 1;
    simple_root(&executed->results_root, simple->leaves, batch->request_count);
    extend_root(executed);
    *out = (struct service_outcome){.executed = *executed,
                                    .results = simple->results,
                                    .result_count = batch->request_count};
}

static pbft_seq simple_find(const void *service, uint32_t client,
                            uint64_t sequence)
{
    const struct simple *simple = service;
    PBFT_ASSERT(client < simple->client_count);
    const struct simple_client *known = &simple->clients[client];
    return sequence < known->capacity ? known->first[sequence].seq : 0;
}

const struct service_kind service_simple = {
    .name = "simple",
    .create = simple_create,
    .destroy = simple_destroy,
    .execute = simple_execute,
    .find = simple_find,
    .root = simple_root,
};
