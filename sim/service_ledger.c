/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger itself as the service of a run: the production state machine over
 * a store in memory, under a genesis that every replica and client of the run
 * derives alike. The ledger root that replicas attest covers the writes of
 * every transaction and of every sweep: replicas whose state differs are caught
 * by the auditor.
 *
 * Clients check the root over the leaves of the requests alone, as with any
 * service of the simulator.
 *
 * Time on the ledger passes faster than the clocks of the run: what is due in
 * minutes shall fall due in runs of seconds. The times that replicas attest are
 * those of the clocks.
 */
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "crypto/merkle.h"
#include "ledger/kv_memory.h"
#include "ledger/ledger.h"
#include "ledger/obligations.h"
#include "ledger/schema.h"
#include "sim/service.h"
#include "sim/service_genesis.h"
#include "sim/sim.h"
#include "sim/workload.h"

#define SEQUENCES_FIRST 64u
#define SEQUENCES_MAX 65536u
#define HASTE 60u /* A minute of the ledger in each second. */

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
    pbft_wall_us time;               /* Of the last block, by the clocks; */
    struct ledger_block_result last; /* and what it came to; */
    uint32_t due[TALLY_DUE_COUNT];   /* what fell due in it. */
};

static void *must(void *memory)
{
    PBFT_ASSERT(memory != NULL);
    return memory;
}

static void *create(const struct pbft_domain *domain, uint32_t client_count,
                    const struct pbft_public_key *clients,
                    const struct pbft_institution *institutions)
{
    struct service_ledger *service = must(calloc(1, sizeof *service));
    service->memory = must(ledger_kv_memory_create());
    service->client_count = client_count;
    service->clients =
        must(calloc(client_count + 1, sizeof service->clients[0]));
    for (uint32_t i = 0; i < client_count; i++) {
        service->clients[i].key = clients[i];
    }
    service->ledger = service_genesis(
        ledger_kv_memory_vtable(service->memory), domain,
        &(const struct service_clients){client_count, clients, institutions});
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

/* P12, by the clocks of the run. */
static pbft_wall_us executed_time(const struct service_ledger *service,
                                  const struct pbft_batch *batch)
{
    const pbft_wall_us next = service->time + 1;
    return batch->time < next ? next : batch->time;
}

static pbft_wall_us hasten(pbft_wall_us time)
{
    return time <= SIM_WALL_START_US
               ? time
               : SIM_WALL_START_US + (time - SIM_WALL_START_US) * HASTE;
}

struct due_count {
    uint32_t *due; /* By enum tally_due. */
    uint64_t now_ms;
};

static bool count_due(void *visitor, struct pbft_bytes key,
                      struct pbft_bytes value)
{
    static const uint8_t kinds[] = {
        [SCHEMA_DUE_CONSENT] = TALLY_DUE_CONSENT_ENDS,
        [SCHEMA_DUE_DECISION] = TALLY_DUE_DECISION_ENDS,
        [SCHEMA_DUE_REVIEW] = TALLY_DUE_REVIEW_OVERDUE,
        [SCHEMA_DUE_WINDOW] = TALLY_DUE_EMERGENCY_ENDS,
        [SCHEMA_DUE_START] = TALLY_DUE_CONSENT_BEGINS,
    };
    const struct due_count *count = visitor;
    struct obligations_row row;
    (void)value;
    if (!obligations_read_key(&row, key) || row.due_ms > count->now_ms) {
        return false;
    }
    PBFT_ASSERT(row.kind < sizeof kinds);
    count->due[kinds[row.kind]]++;
    return true;
}

/* What the sweep will find, which it does not tell. */
static void look_ahead(struct service_ledger *service, uint64_t now_ms)
{
    static const uint8_t prefix[] = {'u'};
    const struct ledger_kv *kv = ledger_kv_memory_vtable(service->memory);
    const struct ledger_kv_range range = {
        .prefix = {prefix, sizeof prefix},
        .limit = LEDGER_SWEEP_MAX,
        .direction = LEDGER_KV_FORWARD,
    };
    struct due_count count = {service->due, now_ms};
    memset(service->due, 0, sizeof service->due);
    enum pbft_status status =
        kv->range(kv->context, LEDGER_SPACE_DUE, &range, count_due, &count);
    PBFT_ASSERT(status == PBFT_OK);
}

static void execute(void *context, const struct pbft_message *committed,
                    struct service_outcome *out)
{
    struct service_ledger *service = context;
    const struct pbft_pre_prepare *header =
        &committed->committed.pre_prepare->pre_prepare;
    const struct pbft_batch *batch = &header->body->batch;
    const pbft_wall_us time = executed_time(service, batch);
    make_room(service, batch->request_count + 1);
    fill_requests(service, batch);
    const struct ledger_block block = {
        .seq = header->seq,
        .proposed_time = hasten(time),
        .is_null = batch->time == 0,
        .block_digest = header->digest,
        .requests = service->requests,
        .request_count = batch->request_count,
    };
    look_ahead(service, hasten(time) / SIM_MS_US);
    enum pbft_status status =
        ledger_execute(service->ledger, &block, &service->last);
    PBFT_ASSERT(status == PBFT_OK);
    service->time = time;
    for (uint32_t i = 0; i < batch->request_count; i++) {
        report(service, header->seq, &batch->requests[i]->request,
               &service->last.block.requests[i], &service->results[i]);
        service->leaves[i] = service->results[i].leaf;
    }
    *out = (struct service_outcome){
        .executed = {.seq = header->seq,
                     .block_time = time,
                     .block_digest = header->digest,
                     .ledger_root = service->last.ledger_root},
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

static void learn(void *load, const void *context,
                  const struct pbft_message *committed)
{
    const struct service_ledger *service = context;
    const struct pbft_batch *batch =
        &committed->committed.pre_prepare->pre_prepare.body->batch;
    const struct results_block *block = &service->last.block;
    workload_note_block(load, block->seq, block->time / SIM_MS_US,
                        service->due);
    for (uint32_t i = 0; i < batch->request_count; i++) {
        const struct pbft_request *request = &batch->requests[i]->request;
        for (uint32_t j = 0;
             service->results[i].is_effective && j < service->client_count;
             j++) {
            if (memcmp(&service->clients[j].key, &request->client,
                       sizeof request->client) == 0) {
                workload_note_request(load, j, request->sequence,
                                      &block->requests[i]);
            }
        }
    }
}

static const struct service_load load = {
    .create = workload_create,
    .destroy = workload_destroy,
    .payload = workload_payload,
    .learn = learn,
    .tally = workload_tally,
};

const struct service_kind service_ledger = {
    .name = "ledger",
    .create = create,
    .destroy = destroy,
    .execute = execute,
    .find = find,
    .root = root,
    .load = &load,
};
