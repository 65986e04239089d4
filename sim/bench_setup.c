/* SPDX-License-Identifier: Apache-2.0 */
/* A replica of the benchmark is set up, started, taken down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/bench_world.h"

#define CLIENT_STAGE_WIDTH 64
#define VERIFIERS_MAX 4
#define DIGEST_FOLD_BYTES 8

/* The context of a crypto vtable is const; what it counts is behind it. */
static void count_digest(const void *context, struct pbft_digest *out,
                         const struct pbft_bytes *parts, size_t part_count)
{
    const struct bench_crypto *crypto = context;
    for (size_t i = 0; i < part_count; i++) {
        crypto->counts->digest_bytes += parts[i].size;
    }
    fake_digest(out, parts, part_count);
}

static void count_sign(const void *context, struct pbft_signature *out,
                       struct pbft_bytes preimage)
{
    const struct bench_crypto *crypto = context;
    (void)preimage;
    crypto->counts->signatures++;
    memset(out, 0, sizeof *out);
    memcpy(out, &crypto->signer.key, sizeof crypto->signer.key);
}

static bool count_verify(const void *context, const struct pbft_public_key *key,
                         struct pbft_bytes preimage,
                         const struct pbft_signature *signature)
{
    const struct bench_crypto *crypto = context;
    (void)key;
    (void)preimage;
    (void)signature;
    crypto->counts->verifications++;
    return true; /* Everybody is honest here. */
}

static uint64_t place_of(const struct pbft_digest *digest)
{
    uint64_t value = 0;
    memcpy(&value, digest, DIGEST_FOLD_BYTES);
    return value % BENCH_CACHE_SIZE;
}

static bool is_request_known(const void *context,
                             const struct pbft_digest *digest)
{
    const struct bench_cache_handle *handle = context;
    return memcmp(&handle->cache->known[place_of(digest)], digest,
                  sizeof *digest) == 0;
}

static void remember_request(const void *context,
                             const struct pbft_digest *digest)
{
    const struct bench_cache_handle *handle = context;
    handle->cache->known[place_of(digest)] = *digest;
}

static void init_crypto(struct bench_replica *replica)
{
    struct bench_world *world = replica->world;
    replica->crypto.counts = &replica->counts;
    replica->client.counts = &replica->counts;
    fake_signer_init(&replica->crypto.signer, "replica", replica->id);
    fake_signer_init(&replica->client.signer, "client", replica->id);
    replica->vtable = (struct pbft_crypto){&replica->crypto, count_digest,
                                           count_sign, count_verify};
    replica->client_vtable = (struct pbft_crypto){
        &replica->client, count_digest, count_sign, count_verify};
    replica->domain = (struct pbft_domain){.crypto = &replica->vtable,
                                           .cluster = world->cluster};
    replica->client_domain = (struct pbft_domain){
        .crypto = &replica->client_vtable, .cluster = world->cluster};
    world->keyring.keys[replica->id] = replica->crypto.signer.key;
    replica->verifier =
        (struct pbft_verifier){.domain = &replica->domain,
                               .keyring = &world->keyring,
                               .window = replica->config.window,
                               .cache_context = &replica->cache_handle,
                               .is_request_known = is_request_known,
                               .remember_request = remember_request};
}

static void init_stages(struct bench_replica *replica)
{
    struct bench_world *world = replica->world;
    const struct bench_settings *settings = world->settings;
    replica->own_machine.cores = settings->cores;
    for (unsigned i = 0; i < STAGE_COUNT; i++) {
        replica->stages[i] = (struct bench_stage){
            .replica = replica,
            .kind = (enum bench_stage_kind)i,
            .width = 1,
            .machine = settings->is_shared ? &world->shared_machine
                                           : &replica->own_machine};
    }
    replica->stages[STAGE_VERIFY].width =
        settings->cores < VERIFIERS_MAX ? settings->cores : VERIFIERS_MAX;
    struct bench_stage *load = &replica->stages[STAGE_LOAD];
    load->width = CLIENT_STAGE_WIDTH;
    if (!settings->is_shared) {
        load->machine = &world->free_machine;
    }
}

void bench_replica_init(struct bench_world *world, pbft_replica_id id)
{
    struct bench_replica *replica = &world->replicas[id];
    replica->world = world;
    replica->id = id;
    replica->timer_ns = UINT64_MAX;
    replica->config = world->settings->replica;
    replica->config.self = id;
    PBFT_ASSERT(replica->config.window < BENCH_RING_SIZE);
    replica->cache = calloc(1, sizeof *replica->cache);
    replica->link_free_ns =
        calloc(world->settings->replicas, sizeof replica->link_free_ns[0]);
    PBFT_ASSERT(replica->cache != NULL && replica->link_free_ns != NULL);
    replica->cache_handle.cache = replica->cache;
    init_crypto(replica);
    init_stages(replica);
}

void bench_replica_start(struct bench_replica *replica)
{
    const char *reason = "memory is short";
    struct pbft_event event = {.type = PBFT_EVENT_APPLIED};
    struct pbft_replica *core = pbft_replica_create(
        &replica->config, &replica->domain, &replica->world->keyring, &reason);
    if (core == NULL) {
        (void)fprintf(stderr, "salus-sim: replica refused: %s\n", reason);
    }
    PBFT_ASSERT(core != NULL);
    bench_make_driver(replica, core);
    enum pbft_verdict verdict = pbft_driver_step(replica->driver, &event);
    PBFT_ASSERT(verdict == PBFT_ACCEPTED);
    event.type = PBFT_EVENT_START;
    verdict = pbft_driver_step(replica->driver, &event);
    PBFT_ASSERT(verdict == PBFT_ACCEPTED);
    pbft_driver_flush(replica->driver);
    bench_apply_deferred(replica);
}

static void free_list(struct bench_task *task)
{
    while (task != NULL) {
        struct bench_task *next = task->next;
        bench_task_free(task);
        task = next;
    }
}

void bench_replica_deinit(struct bench_replica *replica)
{
    for (unsigned i = 0; i < STAGE_COUNT; i++) {
        free_list(replica->stages[i].first);
    }
    free_list(replica->stalled_first);
    free_list(replica->deferred_first);
    pbft_driver_destroy(replica->driver);
    for (size_t i = 0; i < BENCH_RING_SIZE; i++) {
        pbft_message_unref(replica->blocks[i]);
    }
    free(replica->requests);
    free(replica->link_free_ns);
    free(replica->cache);
}
