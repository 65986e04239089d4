/* SPDX-License-Identifier: Apache-2.0 */
/* What this replica says of itself (NodeStatus of client.proto). */
#include <inttypes.h>
#include <time.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "node/clock.h"
#include "node/expiry.h"
#include "node/node_private.h"
#include "node/thread.h"
#include "node/version.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

#define REPLY_VERSION 1
#define UNSAFE_MAX 2
#define US_PER_S 1000000

/* What is collected before it is packed. */
struct collected {
    Salus__V1__NodeStatus status;
    Salus__V1__PeerStatus peers[PBFT_REPLICAS_MAX];
    Salus__V1__PeerStatus *peer_list[PBFT_REPLICAS_MAX];
    char *unsafe[UNSAFE_MAX];
    struct thread_time times[THREAD_NAMES_MAX];
    Salus__V1__ThreadStatus threads[THREAD_NAMES_MAX];
    Salus__V1__ThreadStatus *thread_list[THREAD_NAMES_MAX];
    struct pbft_digest ledger_root;
    struct salus_reason problem;
    struct salus_reason away; /* The first peer that is, and why. */
    uint64_t disk_wanted;     /* Free bytes. */
};

/* protobuf-c has no const; packing does not write. */
static char *text(const char *constant)
{
    return (char *)constant;
}

static const char *state_name(struct node *node,
                              const struct pbft_report *report)
{
    if (node_failure(node, NULL) != PBFT_OK) {
        return "halted";
    }
    return pbft_condition_name(report->condition);
}

static void collect_core(struct node *node, struct collected *to,
                         const struct pbft_report *report)
{
    Salus__V1__NodeStatus *status = &to->status;
    to->ledger_root = report->ledger_root;
    status->ledger_root.data = to->ledger_root.bytes;
    status->ledger_root.len = sizeof to->ledger_root.bytes;
    status->state = text(state_name(node, report));
    status->view = report->view;
    status->view_active = report->view_active;
    status->primary = report->primary;
    status->stable = report->stable;
    status->committed = report->committed;
    status->executed = report->executed;
    status->behind = report->behind;
    status->pending_requests = report->pending_requests;
    status->block_time_us = atomic_load(&node->block_time);
    status->transactions = atomic_load(&node->transactions);
}

static uint32_t collect_peers(struct node *node, struct collected *to)
{
    const struct node_identity *identity = node->identity;
    uint32_t reachable = 0;
    for (pbft_replica_id id = 0; id < identity->replica_count; id++) {
        if (id == identity->self) {
            continue;
        }
        struct net_peer_stats stats;
        net_peers_stats(node->peers, id, &stats);
        Salus__V1__PeerStatus *peer = &to->peers[to->status.n_peers];
        salus__v1__peer_status__init(peer);
        peer->replica = id;
        peer->connected = stats.connected && stats.heard;
        peer->executed = atomic_load(&node->peer[id].executed);
        peer->silent_ms = stats.silent_ms;
        peer->dropped = stats.messages_dropped;
        peer->institution = text(genesis_replica(identity->genesis, id)->name);
        to->peer_list[to->status.n_peers++] = peer;
        to->status.bytes_sent += stats.bytes_sent;
        to->status.bytes_received += stats.bytes_received;
        reachable += peer->connected ? 1 : 0;
        if (!peer->connected && stats.problem.text[0] != '\0' &&
            to->away.text[0] == '\0') {
            salus_reason_set(&to->away, ": %s: %s", peer->institution,
                             stats.problem.text);
        }
    }
    to->status.peers = to->peer_list;
    return reachable;
}

static void collect_machine(struct node *node, struct collected *to)
{
    struct storage_stats disk;
    struct net_gateway_stats gateway;
    Salus__V1__NodeStatus *status = &to->status;
    storage_stats(node->storage, &disk);
    net_gateway_stats(node->gateway, &gateway);
    status->disk_bytes = disk.disk_bytes;
    status->disk_free_bytes = disk.disk_free_bytes;
    to->disk_wanted = node_disk_wanted(&disk);
    status->syncs = disk.syncs;
    status->uptime_ms = clock_now_ms() - node->started_ms;
    status->cpu_us = clock_cpu_us();
    status->resident_bytes = clock_resident_bytes();
    status->bytes_sent += gateway.bytes_sent;
    status->bytes_received += gateway.bytes_received;
    status->client_bytes_received = gateway.bytes_received;
    status->written_bytes = clock_written_bytes();
    status->version = text(NODE_VERSION);
}

static void collect_threads(struct collected *to)
{
    Salus__V1__NodeStatus *status = &to->status;
    status->n_threads = thread_times(to->times);
    status->threads = to->thread_list;
    for (size_t i = 0; i < status->n_threads; i++) {
        Salus__V1__ThreadStatus *thread = &to->threads[i];
        salus__v1__thread_status__init(thread);
        thread->name = to->times[i].name;
        thread->count = to->times[i].count;
        thread->cpu_us = to->times[i].cpu_us;
        to->thread_list[i] = thread;
    }
}

/* How many, never whose. */
static void collect_envelopes(struct node *node, struct collected *to)
{
    struct delivery_counts counts;
    courier_count(node->courier, &counts);
    to->status.envelopes_waiting = counts.waiting;
    to->status.envelopes_held = counts.held;
    to->status.envelopes_refused = counts.refused;
}

static void collect_unsafe(struct node *node, struct collected *to)
{
    if (node->unsafe_no_sync) {
        to->unsafe[to->status.n_unsafe++] = text("--unsafe-no-sync");
    }
    if (node->unsafe_no_tls) {
        to->unsafe[to->status.n_unsafe++] = text("--unsafe-no-tls");
    }
    to->status.unsafe = to->unsafe;
}

/* How far it is, for whoever waits. */
static void describe_sync(const struct pbft_report *report,
                          struct salus_reason *out)
{
    salus_reason_set(out,
                     "catching up: has block %" PRIu64 " of %" PRIu64
                     ", fetches the rest from the others",
                     report->executed,
                     report->behind > report->executed ? report->behind
                                                       : report->executed);
}

static void describe_recovery(const struct pbft_report *report,
                              struct salus_reason *out)
{
    if (report->recovery_seq != 0) {
        salus_reason_set(out,
                         "recovering: votes again when block %" PRIu64
                         " is stable, now at %" PRIu64,
                         report->recovery_seq, report->stable);
    } else {
        salus_reason_set(out,
                         "recovering: votes of this replica are lost; has "
                         "block %" PRIu64 " of %" PRIu64
                         ", then asks the others for a new incarnation",
                         report->executed,
                         report->behind > report->executed ? report->behind
                                                           : report->executed);
    }
}

/* Alone it can neither lead nor agree with who leads. */
static void describe_clock(int64_t off_us, struct salus_reason *out)
{
    salus_reason_set(out,
                     "the clock of this machine is %" PRId64
                     " s %s those of the others",
                     (off_us < 0 ? -off_us : off_us) / US_PER_S,
                     off_us < 0 ? "behind" : "ahead of");
}

static void collect_problem(struct node *node, struct collected *to,
                            const struct pbft_report *report,
                            uint32_t reachable)
{
    uint32_t n = node->identity->replica_count;
    if (node_failure(node, &to->problem) != PBFT_OK) {
        to->status.problem = to->problem.text;
    } else if (reachable + 1 < pbft_quorum(n)) {
        salus_reason_set(&to->problem,
                         "%u of %u peers are connected, %u are needed%s",
                         (unsigned)reachable, (unsigned)(n - 1),
                         (unsigned)(pbft_quorum(n) - 1), to->away.text);
        to->status.problem = to->problem.text;
    } else if (report->condition == PBFT_CONDITION_RECOVERING) {
        describe_recovery(report, &to->problem);
        to->status.problem = to->problem.text;
    } else if (report->condition == PBFT_CONDITION_SYNCING) {
        describe_sync(report, &to->problem);
        to->status.problem = to->problem.text;
    } else if (to->status.disk_free_bytes < to->disk_wanted) {
        to->status.problem = text("the disk is almost full");
    } else if (atomic_load(&node->clock_off) != 0) {
        describe_clock(atomic_load(&node->clock_off), &to->problem);
        to->status.problem = to->problem.text;
    } else if (storage_is_damaged(node->storage)) {
        to->status.problem = text("stored data are damaged: some questions "
                                  "cannot be answered here");
    } else if (expiry_is_near(node->identity, (int64_t)time(NULL),
                              &to->problem)) {
        to->status.problem = to->problem.text;
    }
}

void node_report(struct node *node, struct pbft_report *out)
{
    (void)pthread_mutex_lock(&node->report_lock);
    *out = node->report;
    (void)pthread_mutex_unlock(&node->report_lock);
}

enum pbft_status node_status_reply(struct node *node,
                                   struct node_scratch *scratch)
{
    struct pbft_report report;
    struct collected *to = wire_arena_alloc(&scratch->arena, sizeof *to);
    PBFT_ASSERT(to != NULL);
    *to = (struct collected){.status = SALUS__V1__NODE_STATUS__INIT};
    to->status.cluster.data = (uint8_t *)node->identity->cluster.bytes;
    to->status.cluster.len = PBFT_DIGEST_SIZE;
    to->status.replica = node->identity->self;
    node_report(node, &report);
    collect_core(node, to, &report);
    uint32_t reachable = collect_peers(node, to);
    collect_machine(node, to);
    collect_threads(to);
    collect_envelopes(node, to);
    collect_unsafe(node, to);
    collect_problem(node, to, &report, reachable);
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    reply.version = REPLY_VERSION;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_STATUS;
    reply.status = &to->status;
    return wire_pack(&reply.base, &scratch->reply);
}
