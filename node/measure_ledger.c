/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions through the ledger and the storage, as the threads of a replica
 * put them through; making them is outside of what is measured. */
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/incarnation.h"
#include "consensus/quorum.h"
#include "crypto/provider.h"
#include "crypto/random.h"
#include "ledger/codes.h"
#include "ledger/ledger.h"
#include "ledger/sample.h"
#include "node/executor.h"
#include "node/measure.h"
#include "storage/block.h"
#include "storage/log.h"
#include "storage/state.h"

#define TRANSACTIONS 40000u
#define BLOCK_TRANSACTIONS 1024u
#define REQUESTS_MAX BLOCK_TRANSACTIONS
#define APPENDS 200u
#define REPLICAS 4u
#define START_MS UINT64_C(1700000000000)
#define HOUR_MS 3600000u

struct world {
    struct crypto_provider *provider;
    struct pbft_domain domain;
    struct pbft_institution institution;
    struct pbft_public_key key;
    uint8_t encryption_key[PBFT_PUBLIC_KEY_SIZE];
    struct transaction_key_id recipient;
    struct transaction_envelope envelope;
    struct storage *storage;
    struct storage_state *state;
    struct ledger *ledger;
    uint64_t sequence;
    pbft_seq seq;
    uint32_t payload;
    uint32_t per_request;
    double encode_us;
    double decode_us;
    double execute_us;
    uint64_t executed;
    uint64_t refused;
};

/* ---- opening ------------------------------------------------------------- */

static enum pbft_status open_ledger(struct world *world)
{
    const struct ledger_member member = {
        .institution = world->institution,
        .roles = UINT64_C(1) << CODES_INSTITUTION_PROVIDER,
        .encryption_key = {world->encryption_key, sizeof world->encryption_key},
        .submit_keys = &world->key,
        .submit_key_count = 1,
    };
    struct ledger_genesis genesis = {
        .chain = world->domain.cluster,
        .members = &member,
        .member_count = 1,
        .table_version = CODES_VERSION,
        .time_bound_ms = HOUR_MS,
        .late_after_ms = HOUR_MS,
        .session_window = LEDGER_SESSION_WINDOW_MAX,
    };
    codes_digest(&genesis.table_digest);
    world->state = storage_state_create(world->storage);
    PBFT_ASSERT(world->state != NULL);
    enum pbft_status status =
        ledger_create(&world->ledger, storage_state_kv(world->state), &genesis);
    if (status == PBFT_OK) {
        storage_state_gather(world->state);
    }
    return status;
}

static enum pbft_status open_world(struct world *world,
                                   const struct measure_setup *setup,
                                   struct salus_reason *reason)
{
    uint8_t seed[SIGN_SEED_SIZE];
    random_fill(seed, sizeof seed);
    enum pbft_status status = crypto_provider_create(&world->provider, seed);
    if (status != PBFT_OK) {
        return status;
    }
    world->key = *crypto_provider_public_key(world->provider);
    world->domain.crypto = crypto_provider_vtable(world->provider);
    random_fill(&world->domain.cluster, sizeof world->domain.cluster);
    random_fill(&world->institution, sizeof world->institution);
    random_fill(world->encryption_key, sizeof world->encryption_key);
    transaction_key_id(&world->recipient, world->encryption_key);
    world->payload = setup->payload;
    world->per_request = setup->per_request;
    world->envelope =
        (struct transaction_envelope){.chain = world->domain.cluster,
                                      .institution = world->institution,
                                      .not_after_ms = START_MS + HOUR_MS,
                                      .table_version = CODES_VERSION};
    transaction_key_id(&world->envelope.key_id, world->key.bytes);
    const struct storage_identity identity = {.cluster = world->domain.cluster};
    const struct storage_options options = {.sync = STORAGE_SYNCED};
    struct storage_log_summary log;
    status = storage_open(setup->folder, &identity, &world->domain, &options,
                          &world->storage, reason);
    if (status == PBFT_OK) {
        status = storage_log_replay(world->storage, NULL, NULL, &log);
    }
    return status == PBFT_OK ? open_ledger(world) : status;
}

static void close_world(struct world *world)
{
    ledger_destroy(world->ledger);
    storage_state_destroy(world->state);
    storage_close(world->storage);
    crypto_provider_destroy(world->provider);
}

/* ---- making -------------------------------------------------------------- */

static struct transaction_bytes make_anchor(const struct world *world)
{
    struct transaction_bytes sealed = {NULL, 0};
    struct sample_noise noise;
    do {
        random_fill(&noise, sample_noise_size(world->payload));
    } while (!sample_noise_is_usable(&noise, world->payload));
    enum pbft_status status =
        sample_anchor(&sealed, &world->envelope, world->recipient.bytes,
                      world->payload, &noise);
    PBFT_ASSERT(status == PBFT_OK);
    return sealed;
}

static struct pbft_message *make_request(struct world *world)
{
    struct transaction_bytes sealed[LEDGER_REQUEST_TRANSACTIONS_MAX];
    struct pbft_bytes list[LEDGER_REQUEST_TRANSACTIONS_MAX];
    struct transaction_bytes payload = {NULL, 0};
    double began = measure_cpu_us();
    for (uint32_t i = 0; i < world->per_request; i++) {
        sealed[i] = make_anchor(world);
        list[i] = (struct pbft_bytes){sealed[i].data, sealed[i].size};
    }
    enum pbft_status status =
        transaction_list_pack(&payload, list, world->per_request);
    PBFT_ASSERT(status == PBFT_OK);
    const struct pbft_request fields = {
        .client = world->key,
        .institution = world->institution,
        .session = START_MS * 1000,
        .sequence = ++world->sequence,
        .payload = {payload.data, payload.size}};
    struct pbft_message *request =
        pbft_request_create(&world->domain, &fields, PBFT_SENDER_CLIENT, NULL);
    PBFT_ASSERT(request != NULL);
    world->encode_us += measure_cpu_us() - began;
    for (uint32_t i = 0; i < world->per_request; i++) {
        free(sealed[i].data);
    }
    free(payload.data);
    return request;
}

/* A committed block, certificate and all. */
static struct pbft_message *make_block(struct world *world)
{
    const struct pbft_message *requests[REQUESTS_MAX];
    struct pbft_vote votes[REPLICAS];
    const struct pbft_origin origin = {.epoch = 1};
    uint32_t count = BLOCK_TRANSACTIONS / world->per_request;
    count = count > 0 ? count : 1;
    for (uint32_t i = 0; i < count; i++) {
        requests[i] = make_request(world);
    }
    world->seq++;
    struct pbft_message *batch = pbft_batch_create(
        &world->domain, (START_MS + world->seq) * 1000, requests, count);
    PBFT_ASSERT(batch != NULL);
    struct pbft_message *header = pbft_pre_prepare_create(
        &origin, 0, world->seq, &batch->batch.digest, batch);
    PBFT_ASSERT(header != NULL);
    memset(votes, 0, sizeof votes);
    for (uint32_t i = 0; i < REPLICAS; i++) {
        votes[i].replica = i;
    }
    struct pbft_message *committed = pbft_certificate_create(
        PBFT_MESSAGE_COMMITTED, 0, 1, header, votes, pbft_quorum(REPLICAS));
    PBFT_ASSERT(committed != NULL);
    for (uint32_t i = 0; i < count; i++) {
        pbft_message_unref(requests[i]);
    }
    pbft_message_unref(batch);
    pbft_message_unref(header);
    return committed;
}

/* ---- measuring ----------------------------------------------------------- */

static void split(struct world *world, const struct pbft_batch *batch)
{
    struct pbft_bytes parts[LEDGER_REQUEST_TRANSACTIONS_MAX];
    struct transaction_summary summary;
    size_t count = 0;
    double began = measure_cpu_us();
    for (uint32_t i = 0; i < batch->request_count; i++) {
        enum pbft_status status =
            transaction_list_split(parts, LEDGER_REQUEST_TRANSACTIONS_MAX,
                                   &count, batch->requests[i]->request.payload);
        PBFT_ASSERT(status == PBFT_OK);
        for (size_t k = 0; k < count; k++) {
            struct pbft_bytes body;
            status = transaction_body(&body, parts[k]);
            PBFT_ASSERT(status == PBFT_OK);
            status = transaction_summarize(&summary, body);
            PBFT_ASSERT(status == PBFT_OK);
        }
    }
    world->decode_us += measure_cpu_us() - began;
}

/* As node/executor.c does. */
static enum pbft_status execute(struct world *world,
                                const struct pbft_message *committed)
{
    const struct pbft_pre_prepare *header =
        &committed->committed.pre_prepare->pre_prepare;
    const struct pbft_batch *batch = &header->body->batch;
    struct ledger_request requests[REQUESTS_MAX];
    struct ledger_block_result result;
    for (uint32_t i = 0; i < batch->request_count; i++) {
        executor_describe_request(&batch->requests[i]->request, &requests[i]);
    }
    const struct ledger_block block = {.seq = header->seq,
                                       .proposed_time = batch->time,
                                       .block_digest = header->digest,
                                       .requests = requests,
                                       .request_count = batch->request_count};
    double began = measure_cpu_us();
    enum pbft_status status = ledger_execute(world->ledger, &block, &result);
    if (status != PBFT_OK) {
        return status;
    }
    size_t size = results_encoded_size(&result.block);
    uint8_t *results = malloc(size);
    PBFT_ASSERT(results != NULL);
    results_encode(results, &result.block);
    const struct storage_block written = {
        .committed = committed,
        .executed = {.seq = block.seq,
                     .block_time = result.block.time,
                     .block_digest = block.block_digest,
                     .results_root = result.results_root,
                     .ledger_root = result.ledger_root},
        .results = {results, size}};
    status = storage_block_write(world->storage, &written, world->state);
    world->execute_us += measure_cpu_us() - began;
    world->executed += result.transaction_count;
    world->refused += result.refused_count;
    free(results);
    return status;
}

static enum pbft_status run_blocks(struct world *world)
{
    enum pbft_status status = PBFT_OK;
    while (world->executed < TRANSACTIONS && status == PBFT_OK) {
        struct pbft_message *block = make_block(world);
        split(world, &block->committed.pre_prepare->pre_prepare.body->batch);
        status = execute(world, block);
        pbft_message_unref(block);
    }
    return status;
}

/* CPU and wall time of one synced append, on average. */
static enum pbft_status append(struct world *world,
                               const struct pbft_record *record, double *cpu_us,
                               double *wall_us)
{
    enum pbft_status status = PBFT_OK;
    double cpu = measure_cpu_us();
    double wall = measure_wall_us();
    for (uint32_t i = 0; i < APPENDS && status == PBFT_OK; i++) {
        status = storage_log_append(world->storage, record, 1);
    }
    *cpu_us = (measure_cpu_us() - cpu) / APPENDS;
    *wall_us = (measure_wall_us() - wall) / APPENDS;
    return status;
}

static enum pbft_status run_log(struct world *world, struct measure_parts *out)
{
    const struct pbft_origin origin = {.epoch = 1};
    struct pbft_prepare fields = {.view = 0, .seq = world->seq + 1};
    struct pbft_message *vote =
        pbft_vote_create(PBFT_MESSAGE_PREPARE, &origin, &fields);
    PBFT_ASSERT(vote != NULL);
    const struct pbft_record small = {
        .kind = PBFT_RECORD_PREPARE, .seq = fields.seq, .message = vote};
    enum pbft_status status = append(world, &small, &out->synced_write_us,
                                     &out->synced_write_wall_us);
    pbft_message_unref(vote);
    return status;
}

enum pbft_status measure_ledger(const struct measure_setup *setup,
                                struct measure_parts *out,
                                struct salus_reason *reason)
{
    struct world *world = calloc(1, sizeof *world);
    PBFT_ASSERT(world != NULL);
    enum pbft_status status = open_world(world, setup, reason);
    if (status == PBFT_OK) {
        status = run_blocks(world);
    }
    if (status == PBFT_OK) {
        status = run_log(world, out);
    }
    if (status == PBFT_OK && world->refused > 0) {
        salus_reason_set(reason, "measuring the ledger: transactions were "
                                 "refused");
        status = PBFT_CORRUPT;
    }
    if (world->executed > 0) {
        double count = (double)world->executed;
        out->encode_us = world->encode_us / count;
        out->decode_us = world->decode_us / count;
        out->execute_us = world->execute_us / count;
    }
    close_world(world);
    free(world);
    return status;
}
