/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger itself as the service of a run: the production state machine over
 * a store in memory, under a genesis that every replica and client of the run
 * derives alike. The ledger root that replicas attest covers the writes of
 * every transaction and of every sweep: replicas whose state differs are caught
 * by the auditor.
 *
 * Clients check the root over the leaves of the requests alone, as with any
 * service of the simulator.
 */
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "crypto/merkle.h"
#include "ledger/codes.h"
#include "ledger/kv_memory.h"
#include "ledger/ledger.h"
#include "sim/service.h"
#include "sim/service_workload.h"

#define SEQUENCES_FIRST 64u
#define SEQUENCES_MAX 65536u
#define TIME_BOUND_MS 3600000u /* Wall clocks of a run may be far off. */
#define LATE_AFTER_MS 86400000u

struct first_result {
    pbft_seq seq; /* 0: not executed yet. */
    struct pbft_digest leaf;
};

struct known_client {
    struct pbft_public_key key;
    struct first_result *first; /* By sequence. */
    uint64_t capacity;
};

struct service_ledger {
    struct ledger_kv_memory *memory;
    struct ledger *ledger;
    uint32_t client_count;
    struct known_client *clients;
    struct service_result *results;
    struct pbft_digest *leaves;
    struct ledger_request *requests;
    uint32_t capacity;
};

static void *must(void *memory)
{
    PBFT_ASSERT(memory != NULL);
    return memory;
}

/* ---- genesis ------------------------------------------------------------- */

struct parties {
    struct ledger_member members[PBFT_INSTITUTIONS_MAX];
    struct pbft_public_key encryption[PBFT_INSTITUTIONS_MAX];
    struct pbft_public_key *keys; /* Of all members, one after the other. */
    size_t count;
};

static bool same_institution(const struct pbft_institution *a,
                             const struct pbft_institution *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* One member for each institution of the clients, with their keys. */
static void gather(struct parties *parties, uint32_t client_count,
                   const struct pbft_public_key *clients,
                   const struct pbft_institution *institutions)
{
    size_t used = 0;
    parties->count = 0;
    parties->keys = must(calloc(client_count + 1, sizeof *parties->keys));
    for (uint32_t i = 0; i < client_count; i++) {
        bool is_first = true;
        for (uint32_t j = 0; j < i; j++) {
            is_first = is_first &&
                       !same_institution(&institutions[i], &institutions[j]);
        }
        if (!is_first) {
            continue;
        }
        struct ledger_member *member = &parties->members[parties->count];
        struct pbft_public_key *encryption =
            &parties->encryption[parties->count++];
        workload_encryption_key(encryption, &institutions[i]);
        *member = (struct ledger_member){
            .institution = institutions[i],
            .roles = (uint64_t)1 << CODES_INSTITUTION_PROVIDER |
                     (uint64_t)1 << CODES_INSTITUTION_RESEARCH,
            .encryption_key = {encryption->bytes, sizeof encryption->bytes},
            .submit_keys = parties->keys + used,
        };
        for (uint32_t j = i; j < client_count; j++) {
            if (same_institution(&institutions[i], &institutions[j])) {
                parties->keys[used++] = clients[j];
                member->submit_key_count++;
            }
        }
    }
}

static void open_ledger(struct service_ledger *service,
                        const struct pbft_domain *domain,
                        const struct parties *parties)
{
    struct ledger_policy policy = {
        .version = 1, .implicit_consent = 1, .break_glass_override = 2};
    workload_policy(policy.policy);
    struct ledger_genesis genesis = {
        .chain = domain->cluster,
        .members = parties->members,
        .member_count = parties->count,
        .policies = &policy,
        .policy_count = 1,
        .table_version = CODES_VERSION,
        .time_bound_ms = TIME_BOUND_MS,
        .late_after_ms = LATE_AFTER_MS,
        .session_window = LEDGER_SESSION_WINDOW_MAX,
    };
    codes_digest(&genesis.table_digest);
    enum pbft_status status = ledger_create(
        &service->ledger, ledger_kv_memory_vtable(service->memory), &genesis);
    PBFT_ASSERT(status == PBFT_OK);
}

static void *create(const struct pbft_domain *domain, uint32_t client_count,
                    const struct pbft_public_key *clients,
                    const struct pbft_institution *institutions)
{
    struct service_ledger *service = must(calloc(1, sizeof *service));
    struct parties *parties = must(calloc(1, sizeof *parties));
    service->memory = must(ledger_kv_memory_create());
    service->client_count = client_count;
    service->clients =
        must(calloc(client_count + 1, sizeof service->clients[0]));
    for (uint32_t i = 0; i < client_count; i++) {
        service->clients[i].key = clients[i];
    }
    gather(parties, client_count, clients, institutions);
    if (parties->count > 0) { /* A script may have no clients. */
        open_ledger(service, domain, parties);
    }
    free(parties->keys);
    free(parties);
    return service;
}

static void destroy(void *context)
{
    struct service_ledger *service = context;
    for (uint32_t i = 0; i < service->client_count; i++) {
        free(service->clients[i].first);
    }
    ledger_destroy(service->ledger);
    ledger_kv_memory_destroy(service->memory);
    free(service->clients);
    free(service->results);
    free(service->leaves);
    free(service->requests);
    free(service);
}

/* ---- blocks -------------------------------------------------------------- */

static struct known_client *client_of(struct service_ledger *service,
                                      const struct pbft_public_key *key)
{
    for (uint32_t i = 0; i < service->client_count; i++) {
        if (memcmp(&service->clients[i].key, key, sizeof *key) == 0) {
            return &service->clients[i];
        }
    }
    return NULL;
}

static struct first_result *first_of(struct known_client *client,
                                     uint64_t sequence)
{
    if (client == NULL || sequence >= SEQUENCES_MAX) {
        return NULL;
    }
    if (sequence >= client->capacity) {
        uint64_t capacity =
            client->capacity == 0 ? SEQUENCES_FIRST : client->capacity;
        while (capacity <= sequence) {
            capacity *= 2;
        }
        client->first =
            must(realloc(client->first, capacity * sizeof client->first[0]));
        memset(client->first + client->capacity, 0,
               (capacity - client->capacity) * sizeof client->first[0]);
        client->capacity = capacity;
    }
    return &client->first[sequence];
}

static void make_room(struct service_ledger *service, uint32_t count)
{
    if (count > service->capacity) {
        service->results =
            must(realloc(service->results, count * sizeof service->results[0]));
        service->leaves =
            must(realloc(service->leaves, count * sizeof service->leaves[0]));
        service->requests = must(
            realloc(service->requests, count * sizeof service->requests[0]));
        service->capacity = count;
    }
}

/* It has used up its slot: also if nothing in it can be read, or if something
 * is wrong with single transactions. */
static bool is_slot_used(enum ledger_code code)
{
    return code == LEDGER_OK || code == LEDGER_NON_CANONICAL ||
           code == LEDGER_SIZE || code == LEDGER_TOO_MANY;
}

/* What the ledger made of a request, in the terms of the simulator. */
static void report(struct service_ledger *service, pbft_seq seq,
                   const struct pbft_request *request,
                   const struct results_request *result,
                   struct service_result *out)
{
    struct first_result *first =
        first_of(client_of(service, &request->client), request->sequence);
    *out = (struct service_result){.first_seq = seq};
    results_request_leaf(&out->leaf, result);
    if (result->code == LEDGER_DUPLICATE) {
        PBFT_ASSERT(first != NULL && first->seq == result->first.seq);
        out->leaf = first->leaf;
        out->first_seq = first->seq;
        return;
    }
    if (first != NULL && is_slot_used((enum ledger_code)result->code)) {
        out->is_effective = true;
        *first = (struct first_result){seq, out->leaf};
    }
}

static void fill_requests(struct service_ledger *service,
                          const struct pbft_batch *batch)
{
    for (uint32_t i = 0; i < batch->request_count; i++) {
        const struct pbft_request *request = &batch->requests[i]->request;
        service->requests[i] = (struct ledger_request){
            .digest = request->digest,
            .client = request->client,
            .institution = request->institution,
            .session = request->session,
            .sequence = request->sequence,
            .urgent = request->lane == PBFT_LANE_URGENT,
            .payload = request->payload,
        };
    }
}

static void execute(void *context, const struct pbft_message *committed,
                    struct service_outcome *out)
{
    struct service_ledger *service = context;
    const struct pbft_pre_prepare *header =
        &committed->committed.pre_prepare->pre_prepare;
    const struct pbft_batch *batch = &header->body->batch;
    struct ledger_block_result result;
    make_room(service, batch->request_count + 1);
    fill_requests(service, batch);
    const struct ledger_block block = {
        .seq = header->seq,
        .proposed_time = batch->time,
        .is_null = batch->time == 0,
        .block_digest = header->digest,
        .requests = service->requests,
        .request_count = batch->request_count,
    };
    PBFT_ASSERT(service->ledger != NULL);
    enum pbft_status status = ledger_execute(service->ledger, &block, &result);
    PBFT_ASSERT(status == PBFT_OK);
    for (uint32_t i = 0; i < batch->request_count; i++) {
        report(service, header->seq, &batch->requests[i]->request,
               &result.block.requests[i], &service->results[i]);
        service->leaves[i] = service->results[i].leaf;
    }
    *out = (struct service_outcome){
        .executed = {.seq = header->seq,
                     .block_time = result.block.time,
                     .block_digest = header->digest,
                     .ledger_root = result.ledger_root},
        .results = service->results,
        .result_count = batch->request_count,
    };
    merkle_root(&out->executed.results_root, service->leaves,
                batch->request_count);
}

static pbft_seq find(const void *context, uint32_t client, uint64_t sequence)
{
    const struct service_ledger *service = context;
    PBFT_ASSERT(client < service->client_count);
    const struct known_client *known = &service->clients[client];
    return sequence < known->capacity ? known->first[sequence].seq : 0;
}

static void root(struct pbft_digest *out, const struct pbft_digest *leaves,
                 uint32_t count)
{
    merkle_root(out, leaves, count);
}

const struct service_kind service_ledger = {
    .name = "ledger",
    .create = create,
    .destroy = destroy,
    .execute = execute,
    .find = find,
    .root = root,
    .payload = workload_payload,
};
