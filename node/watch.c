/* SPDX-License-Identifier: Apache-2.0 */
/* What the main thread looks at now and then, and tells the journal. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "net/turns.h"
#include "node/clock.h"
#include "node/expiry.h"
#include "node/limits.h"
#include "node/node_private.h"
#include "node/reads.h"

#define US_PER_S 1000000

static const char *peer_name(const struct node *node, pbft_replica_id id)
{
    return genesis_replica(node->identity->genesis, id)->name;
}

/* Not each failed dial, of which there are many. */
static void tell_why_away(struct node *node, pbft_replica_id id,
                          const struct net_problem *problem)
{
    struct node_peer *peer = &node->peer[id];
    pbft_time_ms now_ms = clock_now_ms();
    bool is_new = peer->told_ms == 0 ||
                  (strcmp(peer->told.text, problem->text) != 0 &&
                   now_ms >= peer->told_ms + NODE_UNREACHABLE_AGAIN_MS);
    if (!is_new || problem->text[0] == '\0' ||
        now_ms < peer->away_since_ms + NODE_UNREACHABLE_MS) {
        return;
    }
    peer->told_ms = now_ms;
    peer->told = *problem;
    journal(JOURNAL_WARNING, "peer-unreachable",
            "peer=%" PRIu32 " institution=%s reason=\"%s\"", id,
            peer_name(node, id), problem->text);
}

static void watch_peer(struct node *node, pbft_replica_id id)
{
    struct net_peer_stats stats;
    struct node_peer *peer = &node->peer[id];
    net_peers_stats(node->peers, id, &stats);
    bool connected = stats.connected && stats.heard;
    if (connected == peer->was_connected) {
        if (!connected) {
            tell_why_away(node, id, &stats.problem);
        }
        return;
    }
    peer->was_connected = connected;
    peer->away_since_ms = clock_now_ms();
    peer->told_ms = 0;
    journal(connected ? JOURNAL_INFO : JOURNAL_WARNING,
            connected ? "peer-connected" : "peer-lost",
            "peer=%" PRIu32 " institution=%s dropped=%" PRIu64, id,
            peer_name(node, id), stats.messages_dropped);
}

/* Who is turned away says it in its own journal; here it is counted. */
static void watch_strangers(struct node *node)
{
    struct net_peers_totals totals;
    struct net_gateway_stats gateway;
    uint64_t suppressed = 0;
    net_peers_totals(node->peers, &totals);
    net_gateway_stats(node->gateway, &gateway);
    uint64_t seen = totals.strangers + totals.reaped + gateway.strangers +
                    gateway.reaped + gateway.crowded;
    if (seen == node->strangers_seen ||
        !journal_allows(&node->stranger_limit, clock_now_ms(), &suppressed)) {
        return;
    }
    journal(JOURNAL_WARNING, "connections-refused",
            "count=%" PRIu64 " peers_last=\"%s\" clients_last=\"%s\"",
            seen - node->strangers_seen, totals.last.text, gateway.last.text);
    node->strangers_seen = seen;
}

static void watch_clock(struct node *node)
{
    int64_t off_us = atomic_load(&node->clock_off);
    if ((off_us != 0) != node->told_clock) {
        node->told_clock = off_us != 0;
        journal(off_us != 0 ? JOURNAL_WARNING : JOURNAL_INFO,
                off_us != 0 ? "clock-wrong" : "clock-right",
                "ahead_of_the_others_s=%" PRId64, off_us / US_PER_S);
    }
}

static void watch_certificate(struct node *node)
{
    struct salus_reason reason;
    pbft_time_ms now_ms = clock_now_ms();
    if (now_ms >= node->expiry_again_ms &&
        expiry_is_near(node->identity, (int64_t)time(NULL), &reason)) {
        node->expiry_again_ms = now_ms + NODE_EXPIRY_AGAIN_MS;
        journal(JOURNAL_WARNING, "certificate-ends", "reason=\"%s\"",
                reason.text);
    }
}

uint64_t node_disk_wanted(const struct storage_stats *stats)
{
    return NODE_DISK_FREE_WARN_BYTES + stats->merge_bytes;
}

/* What follows from the size of the ledger. */
static void look_at_size(struct node *node)
{
    struct storage_stats stats;
    storage_stats(node->storage, &stats);
    node->disk_wanted = node_disk_wanted(&stats);
    storage_fit_cache(node->storage,
                      clock_memory_bytes() / NODE_CACHE_MEMORY_SHARE);
}

static void watch_disk(struct node *node)
{
    uint64_t suppressed = 0;
    const pbft_time_ms now_ms = clock_now_ms();
    const uint64_t left = storage_free_bytes(node->storage);
    if (left < STORAGE_RUN_FREE_BYTES_MIN) {
        node_fail(node, PBFT_NO_SPACE, "the disk is full");
        return;
    }
    if (now_ms >= node->size_again_ms) {
        look_at_size(node);
        node->size_again_ms = now_ms + NODE_SIZE_AGAIN_MS;
    }
    if (left < node->disk_wanted &&
        journal_allows(&node->disk_limit, now_ms, &suppressed)) {
        journal(JOURNAL_WARNING, "disk-almost-full",
                "free_bytes=%" PRIu64 " wanted_bytes=%" PRIu64, left,
                node->disk_wanted);
    }
}

/* At each look: a thread that began meanwhile may have missed the last one. */
static void watch_load(struct node *node)
{
    const bool is_first = !node->busy.has_looked;
    if (is_first) {
        node->may_take_turns = net_has_usual_policy();
    }
    const bool is_busy = busy_look(&node->busy, clock_now_ms(), clock_cpu_us(),
                                   clock_processors());
    if (node->may_take_turns && !is_first) {
        net_take_turns(is_busy);
    }
}

enum pbft_status node_watch(struct node *node, struct salus_reason *reason)
{
    enum pbft_status status = node_failure(node, reason);
    if (status != PBFT_OK) {
        return status;
    }
    for (pbft_replica_id id = 0; id < node->identity->replica_count; id++) {
        if (id != node->identity->self) {
            watch_peer(node, id);
        }
    }
    watch_strangers(node);
    watch_clock(node);
    watch_certificate(node);
    watch_disk(node);
    watch_load(node);
    reads_tell(node->reads, clock_now_ms());
    return node_failure(node, reason);
}
