/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster in memory: real replicas and drivers, toy network, disk, executor.
 *
 * Everything happens in calls of the test: no threads, no real time, no
 * randomness but a seed. Each replica's invariants are checked after each step;
 * agreement, order and the order "durable before sent" all the time.
 */
#ifndef TESTS_SUPPORT_CLUSTER_H
#define TESTS_SUPPORT_CLUSTER_H

#include "consensus/driver.h"
#include "tests/support/cast.h"

#define CLUSTER_BLOCKS_MAX 4096
#define CLUSTER_READS_MAX 64

struct cluster;

/* What lies on one replica's disk, and what it has done. */
struct cluster_node {
    struct cluster *cluster;
    pbft_replica_id id;
    struct pbft_driver *driver; /* NULL: down. */

    struct pbft_record *records; /* References; the log. */
    size_t record_count;
    size_t record_capacity;
    size_t durable_count; /* Of them; a crash loses the rest. */
    pbft_ticket last_ticket;
    bool is_disk_stuck; /* Nothing becomes durable. */
    struct pbft_body_read reads[CLUSTER_READS_MAX]; /* Asked for. */
    size_t read_count;

    const struct pbft_message *blocks[CLUSTER_BLOCKS_MAX]; /* By seq. */
    const struct pbft_message *proofs[CLUSTER_BLOCKS_MAX]; /* By seq. */
    struct pbft_attestation executed;      /* Of the last block. */
    struct pbft_incarnations incarnations; /* After it. */
    bool is_log_lost;                      /* At the next start. */
    pbft_seq to_execute;                   /* Handed out so far. */
    bool is_executor_stuck;
    bool is_wrong; /* Its executor computes something else. */
    pbft_wall_us wall_offset_us;

    uint64_t verdicts[PBFT_BUSY + 1];
    uint64_t sent;
};

struct cluster_packet {
    pbft_replica_id from;
    pbft_replica_id to;
    const struct pbft_message *message;
};

/* True: the packet is lost. */
typedef bool cluster_filter(void *context, const struct cluster_packet *packet);

struct cluster {
    struct cast cast;
    struct pbft_config config;
    pbft_time_ms now;
    pbft_wall_us due; /* What the service wants a block for; 0: nothing. */
    struct cluster_node nodes[PBFT_REPLICAS_MAX];
    struct pbft_digest agreed[CLUSTER_BLOCKS_MAX]; /* By seq; zero: none. */

    struct cluster_packet *packets;
    size_t packet_count;
    size_t packet_capacity;
    cluster_filter *filter;
    void *filter_context;
    uint64_t random; /* 0: packets arrive in order. */
    uint32_t loss_percent;
    uint32_t duplicate_percent;
    struct pbft_replica_set cut[PBFT_REPLICAS_MAX]; /* From: to whom not. */
};

/* Small limits: window 16, a checkpoint every 4. Starts nothing. */
void cluster_init(struct cluster *cluster, uint32_t n);
/* Starts all replicas from empty disks and lets them greet each other. */
void cluster_start(struct cluster *cluster);
void cluster_deinit(struct cluster *cluster);

/* A client hands a request of its institution to a replica. */
enum pbft_verdict cluster_submit(struct cluster *cluster, pbft_replica_id to,
                                 uint64_t sequence);
enum pbft_verdict cluster_submit_request(struct cluster *cluster,
                                         pbft_replica_id to,
                                         const struct pbft_message *request);
/* Steps one replica with a message that the test made. */
enum pbft_verdict cluster_receive(struct cluster *cluster, pbft_replica_id to,
                                  const struct pbft_message *message);
enum pbft_verdict cluster_timeout(struct cluster *cluster, pbft_replica_id id,
                                  enum pbft_timer timer);

/* Delivers, executes and syncs until nothing is left to do, at one instant. */
void cluster_settle(struct cluster *cluster);
/* The same over `duration` of time, with the timers that are due. */
void cluster_run(struct cluster *cluster, pbft_time_ms duration);
/* Runs until all that are up have executed `seq`; false if `limit` passes. */
bool cluster_run_until(struct cluster *cluster, pbft_seq seq,
                       pbft_time_ms limit);

/* Loses what is not durable, and what it had in memory. */
void cluster_crash(struct cluster *cluster, pbft_replica_id id);
void cluster_restart(struct cluster *cluster, pbft_replica_id id);
/* While it is down: its log is gone; with `all` its blocks too. The next start
 * knows of it. */
void cluster_lose_log(struct cluster *cluster, pbft_replica_id id, bool all);
/* Both directions. */
void cluster_isolate(struct cluster *cluster, pbft_replica_id id);
void cluster_heal(struct cluster *cluster);
/* Drops everything that is on its way. */
void cluster_drop_packets(struct cluster *cluster);

const struct pbft_replica *cluster_replica(const struct cluster *cluster,
                                           pbft_replica_id id);
struct pbft_report cluster_report(const struct cluster *cluster,
                                  pbft_replica_id id);
struct pbft_slot_report cluster_slot(const struct cluster *cluster,
                                     pbft_replica_id id, pbft_seq seq);
/* How often the request `sequence` of the client stands in the blocks that
 * `id` has executed. */
uint32_t cluster_count_executed(const struct cluster *cluster,
                                pbft_replica_id id, uint64_t sequence);

/* cluster_network.c */
void cluster_network_send(struct cluster *cluster, pbft_replica_id from,
                          const struct pbft_send *send);
/* Takes the next packet; false if there is none. The caller owns the
 * reference. */
bool cluster_network_take(struct cluster *cluster, struct cluster_packet *out);

#endif /* TESTS_SUPPORT_CLUSTER_H */
