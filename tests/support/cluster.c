/* SPDX-License-Identifier: Apache-2.0 */
/* Replicas, disks and executors of the cluster in memory. */
#include "tests/support/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "consensus/record.h"

#define WALL_START_US UINT64_C(1700000000000000)
#define MS_US 1000u

/* Tests run in debug and release builds alike. */
#define CHECK(condition) PBFT_ASSERT(condition)

static void log_append(void *context, pbft_ticket ticket,
                       const struct pbft_record *records, size_t count)
{
    struct cluster_node *node = context;
    CHECK(ticket == node->last_ticket + 1);
    node->last_ticket = ticket;
    for (size_t i = 0; i < count; i++) {
        if (node->record_count == node->record_capacity) {
            node->record_capacity = 2 * node->record_capacity + 64;
            node->records = realloc(node->records, node->record_capacity *
                                                       sizeof *node->records);
            CHECK(node->records != NULL);
        }
        node->records[node->record_count] = records[i];
        (void)pbft_message_ref(records[i].message);
        node->record_count++;
    }
}

static void log_truncate(void *context, pbft_seq stable_seq)
{
    struct cluster_node *node = context;
    CHECK(stable_seq <= node->executed.seq);
    size_t keep = 0;
    while (keep < node->durable_count &&
           pbft_record_is_droppable(node->records[keep].kind,
                                    node->records[keep].seq, stable_seq)) {
        pbft_message_unref(node->records[keep].message);
        keep++;
    }
    node->record_count -= keep;
    node->durable_count -= keep;
    memmove(node->records, node->records + keep,
            node->record_count * sizeof *node->records);
}

static void transport_send(void *context, const struct pbft_send *sends,
                           size_t count)
{
    struct cluster_node *node = context;
    CHECK(!node->is_disk_stuck || node->durable_count == node->record_count);
    for (size_t i = 0; i < count; i++) {
        node->sent++;
        cluster_network_send(node->cluster, node->id, &sends[i]);
    }
}

/* Agreement: one batch per seq, whoever executes it, whenever. */
static void service_execute(void *context, const struct pbft_commit *commit)
{
    static const struct pbft_digest none = {{0}};
    struct cluster_node *node = context;
    struct cluster *cluster = node->cluster;
    const struct pbft_message *block = commit->committed;
    struct pbft_digest *agreed = &cluster->agreed[commit->seq];
    CHECK(commit->seq == node->to_execute + 1);
    CHECK(commit->seq < CLUSTER_BLOCKS_MAX);
    CHECK(pbft_message_seq(block) == commit->seq);
    CHECK(block->committed.pre_prepare->pre_prepare.body != NULL);
    CHECK(pbft_verify_certificate(&cluster->cast.verifier, block) == PBFT_OK);
    const struct pbft_digest *digest =
        &block->committed.pre_prepare->pre_prepare.digest;
    if (memcmp(agreed, &none, sizeof none) == 0) {
        *agreed = *digest;
    }
    CHECK(memcmp(agreed, digest, sizeof *digest) == 0);
    pbft_message_unref(node->blocks[commit->seq]);
    node->blocks[commit->seq] = pbft_message_ref(block);
    node->to_execute = commit->seq;
}

static void service_attested(void *context,
                             const struct pbft_attested *attested)
{
    struct cluster_node *node = context;
    CHECK(attested->seq <= node->executed.seq);
    CHECK(attested->proof->stable.attestation.seq == attested->seq);
    CHECK(pbft_verify_attested(&node->cluster->cast.verifier,
                               &attested->proof->stable) == PBFT_OK);
    pbft_message_unref(node->proofs[attested->seq]);
    node->proofs[attested->seq] = pbft_message_ref(attested->proof);
}

static void service_serve(void *context, const struct pbft_serve *serve)
{
    struct cluster_node *node = context;
    for (pbft_seq seq = serve->first; seq <= serve->last; seq++) {
        CHECK(node->blocks[seq] != NULL);
        struct pbft_message *copy =
            pbft_message_handed_over(node->blocks[seq], node->id);
        const struct pbft_send send = {.to = pbft_set_one(serve->to),
                                       .message = copy};
        CHECK(copy != NULL);
        cluster_network_send(node->cluster, node->id, &send);
        pbft_message_unref(copy);
    }
}

static void service_read_body(void *context, const struct pbft_body_read *read)
{
    struct cluster_node *node = context;
    CHECK(node->read_count < CLUSTER_READS_MAX);
    node->reads[node->read_count++] = *read;
}

static void timer_arm(void *context, pbft_time_ms deadline)
{
    (void)context; /* The cluster asks for the deadline itself. */
    (void)deadline;
}

static void check(const struct cluster_node *node)
{
    pbft_replica_check_invariants(pbft_driver_replica(node->driver));
}

static enum pbft_verdict step(struct cluster_node *node,
                              struct pbft_event event)
{
    event.now = node->cluster->now;
    event.wall =
        WALL_START_US + node->cluster->now * MS_US + node->wall_offset_us;
    enum pbft_verdict verdict = pbft_driver_step(node->driver, &event);
    if (verdict == PBFT_BUSY) {
        pbft_driver_flush(node->driver);
        verdict = pbft_driver_step(node->driver, &event);
    }
    node->verdicts[verdict]++;
    check(node);
    return verdict;
}

/* The obligation that no block has passed yet (design: P18). */
static pbft_wall_us next_due(const struct cluster_node *node)
{
    return node->cluster->due > node->executed.block_time ? node->cluster->due
                                                          : 0;
}

/* One executor for all: chains the digests. */
static void execute_next(struct cluster_node *node)
{
    struct pbft_attestation *state = &node->executed;
    const struct pbft_message *block = node->blocks[state->seq + 1];
    const struct pbft_pre_prepare *fields =
        &block->committed.pre_prepare->pre_prepare;
    const struct pbft_bytes parts[] = {
        {state->ledger_root.bytes, PBFT_DIGEST_SIZE},
        {fields->digest.bytes, PBFT_DIGEST_SIZE}};
    struct pbft_digest root;
    fake_digest(&root, parts, 2);
    state->seq++;
    state->block_digest = fields->digest;
    state->results_root = fields->digest;
    state->ledger_root = root;
    state->ledger_root.bytes[0] ^= node->is_wrong;
    state->block_time = fields->body->batch.time > state->block_time
                            ? fields->body->batch.time
                            : state->block_time + 1;
    (void)pbft_incarnations_execute(
        &node->incarnations, &node->cluster->cast.keyring, &fields->body->batch,
        state->seq, state->block_time);
    (void)step(node, (struct pbft_event){.type = PBFT_EVENT_EXECUTED,
                                         .next_due = next_due(node),
                                         .executed = *state,
                                         .incarnations = &node->incarnations});
}

static void sync_disk(struct cluster_node *node)
{
    if (node->is_disk_stuck) {
        return;
    }
    node->durable_count = node->record_count;
    pbft_driver_durable(node->driver, node->last_ticket);
}

static void flush(struct cluster_node *node)
{
    pbft_driver_flush(node->driver);
    sync_disk(node);
}

static void boot(struct cluster_node *node)
{
    const struct pbft_log log = {node, log_append, log_truncate};
    const struct pbft_transport transport = {node, transport_send};
    const struct pbft_service service = {
        node,          service_execute,   service_attested,
        service_serve, service_read_body, NULL};
    const struct pbft_timer_service timer = {node, timer_arm};
    struct cluster *cluster = node->cluster;
    struct pbft_config config = cluster->config;
    const char *reason = NULL;
    config.self = node->id;
    struct pbft_replica *replica =
        pbft_replica_create(&config, &cluster->cast.replicas[node->id].domain,
                            &cluster->cast.keyring, &reason);
    if (replica == NULL) {
        fprintf(stderr, "cluster: %s\n", reason);
    }
    CHECK(replica != NULL);
    node->driver =
        pbft_driver_create(replica, &log, &transport, &service, &timer);
    CHECK(node->driver != NULL);
    node->last_ticket = 0;
    node->to_execute = node->executed.seq;
    (void)step(node, (struct pbft_event){.type = PBFT_EVENT_APPLIED,
                                         .next_due = next_due(node),
                                         .executed = node->executed,
                                         .incarnations = &node->incarnations});
    for (size_t i = 0; i < node->record_count; i++) {
        enum pbft_verdict verdict =
            step(node, (struct pbft_event){.type = PBFT_EVENT_RESTORE,
                                           .record = node->records[i]});
        CHECK(verdict == PBFT_ACCEPTED);
    }
    (void)step(node, (struct pbft_event){.type = PBFT_EVENT_START,
                                         .is_log_lost = node->is_log_lost});
    node->is_log_lost = false;
    flush(node);
}

void cluster_init(struct cluster *cluster, uint32_t n)
{
    memset(cluster, 0, sizeof *cluster);
    cast_init(&cluster->cast, n);
    cluster->now = 1000;
    pbft_config_defaults(&cluster->config);
    cluster->config.window = 16;
    cluster->config.checkpoint_interval = 4;
    cluster->config.pipeline_depth = 4;
    cluster->config.pending_requests_max = 256;
    cluster->config.pending_institution_max = 128;
    cluster->config.batch_requests_max = 16;
    cluster->config.resend_interval_ms = 50;
    cluster->config.status_interval_ms = 100;
    cluster->config.heartbeat_interval_ms = 0;
    cluster->config.monitor_interval_ms = 0;
    cluster->cast.verifier.window = cluster->config.window;
    for (pbft_replica_id id = 0; id < n; id++) {
        cluster->nodes[id].cluster = cluster;
        cluster->nodes[id].id = id;
    }
}

void cluster_start(struct cluster *cluster)
{
    for (pbft_replica_id id = 0; id < cluster->cast.n; id++) {
        boot(&cluster->nodes[id]);
    }
    cluster_settle(cluster);
}

static void drop_records(struct cluster_node *node, size_t from)
{
    for (size_t i = from; i < node->record_count; i++) {
        pbft_message_unref(node->records[i].message);
    }
    node->record_count = from;
}

void cluster_deinit(struct cluster *cluster)
{
    cluster_drop_packets(cluster);
    free(cluster->packets);
    for (pbft_replica_id id = 0; id < cluster->cast.n; id++) {
        struct cluster_node *node = &cluster->nodes[id];
        pbft_driver_destroy(node->driver);
        drop_records(node, 0);
        free(node->records);
        for (size_t i = 0; i < CLUSTER_BLOCKS_MAX; i++) {
            pbft_message_unref(node->blocks[i]);
            pbft_message_unref(node->proofs[i]);
        }
    }
}

enum pbft_verdict cluster_receive(struct cluster *cluster, pbft_replica_id to,
                                  const struct pbft_message *message)
{
    struct cluster_node *node = &cluster->nodes[to];
    enum pbft_verdict verdict =
        step(node, (struct pbft_event){.type = PBFT_EVENT_RECEIVE,
                                       .message = message});
    flush(node);
    return verdict;
}

enum pbft_verdict cluster_timeout(struct cluster *cluster, pbft_replica_id id,
                                  enum pbft_timer timer)
{
    struct cluster_node *node = &cluster->nodes[id];
    enum pbft_verdict verdict = step(
        node, (struct pbft_event){.type = PBFT_EVENT_TIMEOUT, .timer = timer});
    flush(node);
    return verdict;
}

enum pbft_verdict cluster_submit_request(struct cluster *cluster,
                                         pbft_replica_id to,
                                         const struct pbft_message *request)
{
    return cluster_receive(cluster, to, request);
}

enum pbft_verdict cluster_submit(struct cluster *cluster, pbft_replica_id to,
                                 uint64_t sequence)
{
    struct pbft_message *request =
        cast_request(&cluster->cast, sequence, "payload");
    enum pbft_verdict verdict = cluster_submit_request(cluster, to, request);
    pbft_message_unref(request);
    return verdict;
}

/* Messages of honest replicas pass verification: that is part of the test. */
static void deliver(struct cluster *cluster, struct cluster_packet *packet)
{
    if (cluster->nodes[packet->to].driver != NULL) {
        CHECK(pbft_verify(&cluster->cast.verifier, packet->from,
                          packet->message) == PBFT_OK);
        (void)cluster_receive(cluster, packet->to, packet->message);
    }
    pbft_message_unref(packet->message);
}

static bool execute_all(struct cluster *cluster)
{
    bool any = false;
    for (pbft_replica_id id = 0; id < cluster->cast.n; id++) {
        struct cluster_node *node = &cluster->nodes[id];
        while (node->driver != NULL && !node->is_executor_stuck &&
               node->executed.seq < node->to_execute) {
            execute_next(node);
            flush(node);
            any = true;
        }
    }
    return any;
}

static void read_body(struct cluster_node *node,
                      const struct pbft_body_read *read)
{
    for (size_t i = 0; i < node->durable_count; i++) {
        const struct pbft_record *record = &node->records[i];
        if (record->kind == PBFT_RECORD_BODY && record->seq == read->seq &&
            memcmp(&record->message->batch.digest, &read->digest,
                   sizeof read->digest) == 0) {
            struct pbft_message *own =
                pbft_message_handed_over(record->message, node->id);
            CHECK(own != NULL);
            (void)cluster_receive(node->cluster, node->id, own);
            pbft_message_unref(own);
            return;
        }
    }
}

static bool read_all(struct cluster *cluster)
{
    bool any = false;
    for (pbft_replica_id id = 0; id < cluster->cast.n; id++) {
        struct cluster_node *node = &cluster->nodes[id];
        while (node->driver != NULL && node->read_count > 0) {
            const struct pbft_body_read read = node->reads[--node->read_count];
            read_body(node, &read);
            any = true;
        }
    }
    return any;
}

void cluster_settle(struct cluster *cluster)
{
    struct cluster_packet packet;
    size_t steps = 0;
    do {
        while (cluster_network_take(cluster, &packet)) {
            deliver(cluster, &packet);
            CHECK(++steps < 4000000); /* It must come to rest. */
            if (cluster->random != 0 && steps % 7 == 0) {
                (void)execute_all(cluster);
            }
        }
    } while (execute_all(cluster) || read_all(cluster));
}

static void fire_due(struct cluster *cluster)
{
    for (pbft_replica_id id = 0; id < cluster->cast.n; id++) {
        const struct cluster_node *node = &cluster->nodes[id];
        if (node->driver != NULL &&
            pbft_deadline(pbft_driver_replica(node->driver)) <= cluster->now) {
            (void)cluster_timeout(cluster, id, PBFT_TIMER_COUNT);
        }
    }
}

void cluster_run(struct cluster *cluster, pbft_time_ms duration)
{
    const pbft_time_ms end = cluster->now + duration;
    cluster_settle(cluster);
    while (cluster->now < end) {
        cluster->now++;
        fire_due(cluster);
        cluster_settle(cluster);
    }
}

static bool have_all_executed(const struct cluster *cluster, pbft_seq seq)
{
    for (pbft_replica_id id = 0; id < cluster->cast.n; id++) {
        const struct cluster_node *node = &cluster->nodes[id];
        if (node->driver != NULL && node->executed.seq < seq) {
            return false;
        }
    }
    return true;
}

bool cluster_run_until(struct cluster *cluster, pbft_seq seq,
                       pbft_time_ms limit)
{
    const pbft_time_ms end = cluster->now + limit;
    cluster_settle(cluster);
    while (!have_all_executed(cluster, seq) && cluster->now < end) {
        cluster_run(cluster, 1);
    }
    return have_all_executed(cluster, seq);
}

void cluster_crash(struct cluster *cluster, pbft_replica_id id)
{
    struct cluster_node *node = &cluster->nodes[id];
    pbft_driver_destroy(node->driver);
    node->driver = NULL;
    drop_records(node, node->durable_count);
    node->read_count = 0;
    node->is_disk_stuck = false;
}

void cluster_restart(struct cluster *cluster, pbft_replica_id id)
{
    CHECK(cluster->nodes[id].driver == NULL);
    boot(&cluster->nodes[id]);
}

void cluster_lose_log(struct cluster *cluster, pbft_replica_id id, bool all)
{
    struct cluster_node *node = &cluster->nodes[id];
    CHECK(node->driver == NULL);
    drop_records(node, 0);
    node->durable_count = 0;
    node->is_log_lost = true;
    if (all) {
        memset(&node->executed, 0, sizeof node->executed);
        memset(&node->incarnations, 0, sizeof node->incarnations);
    }
}

const struct pbft_replica *cluster_replica(const struct cluster *cluster,
                                           pbft_replica_id id)
{
    return pbft_driver_replica(cluster->nodes[id].driver);
}

struct pbft_report cluster_report(const struct cluster *cluster,
                                  pbft_replica_id id)
{
    struct pbft_report report;
    pbft_replica_report(cluster_replica(cluster, id), &report);
    return report;
}

struct pbft_slot_report cluster_slot(const struct cluster *cluster,
                                     pbft_replica_id id, pbft_seq seq)
{
    struct pbft_slot_report report;
    CHECK(pbft_replica_slot(cluster_replica(cluster, id), seq, &report));
    return report;
}

uint32_t cluster_count_executed(const struct cluster *cluster,
                                pbft_replica_id id, uint64_t sequence)
{
    const struct cluster_node *node = &cluster->nodes[id];
    uint32_t count = 0;
    for (pbft_seq seq = 1; seq <= node->executed.seq; seq++) {
        const struct pbft_batch *batch =
            &node->blocks[seq]->committed.pre_prepare->pre_prepare.body->batch;
        for (uint32_t i = 0; i < batch->request_count; i++) {
            count += batch->requests[i]->request.sequence == sequence;
        }
    }
    return count;
}
