/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the papers share: a cluster whose every message is
 * recorded, and replicas that speak by the test alone. Include it in one .c
 * file per program. R0 is the primary of view 0. */
#ifndef TESTS_PAPER_PAPER_H
#define TESTS_PAPER_PAPER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "tests/support/cluster.h"

#define PAPER_RECORDS_MAX 65536
#define PAPER_ANY UINT64_MAX
#define PAPER_TREQ 200

/* One message on one link; a reference. */
static struct paper_record {
    pbft_replica_id from;
    pbft_replica_id to;
    const struct pbft_message *message;
} paper_records[PAPER_RECORDS_MAX];
static size_t paper_count;
static uint32_t paper_dropped;     /* Bit per type: lost on all links. */
static pbft_replica_id paper_mute; /* What it sends is lost; recorded still. */

static struct cluster cluster;

static bool paper_filter(void *context, const struct cluster_packet *packet)
{
    (void)context;
    assert_true(paper_count < PAPER_RECORDS_MAX);
    paper_records[paper_count++] = (struct paper_record){
        packet->from, packet->to, pbft_message_ref(packet->message)};
    return (paper_dropped >> packet->message->type & 1) != 0 ||
           packet->from == paper_mute;
}

static inline void paper_forget(void)
{
    while (paper_count > 0) {
        pbft_message_unref(paper_records[--paper_count].message);
    }
}

/* Starts nothing: a test may change the configuration first. */
static inline void paper_init(uint32_t n)
{
    paper_dropped = 0;
    paper_mute = UINT32_MAX;
    cluster_init(&cluster, n);
    cluster.config.request_timeout_ms = PAPER_TREQ;
    cluster.config.view_change_timeout_ms = PAPER_TREQ;
    cluster.config.view_change_timeout_max_ms = 8 * PAPER_TREQ;
}

static inline void paper_start(uint32_t n)
{
    paper_init(n);
    cluster_start(&cluster);
    cluster.filter = paper_filter;
}

static inline int paper_setup(void **state)
{
    (void)state;
    paper_start(4);
    return 0;
}

static inline int paper_teardown(void **state)
{
    (void)state;
    paper_forget();
    cluster_deinit(&cluster);
    return 0;
}

#define PAPER_TEST(name)                                                       \
    cmocka_unit_test_setup_teardown(name, paper_setup, paper_teardown)

static inline void paper_drop(enum pbft_message_type type)
{
    paper_dropped |= UINT32_C(1) << type;
}

/* How many other replicas `from` sent such a message to. */
static inline uint32_t paper_sent(pbft_replica_id from,
                                  enum pbft_message_type type, uint64_t view,
                                  uint64_t seq)
{
    struct pbft_replica_set to = {{0}};
    for (size_t i = 0; i < paper_count; i++) {
        const struct pbft_message *message = paper_records[i].message;
        if (paper_records[i].from == from && message->type == type &&
            message->sender == from &&
            (view == PAPER_ANY || pbft_message_view(message) == view) &&
            (seq == PAPER_ANY || pbft_message_seq(message) == seq)) {
            pbft_set_add(&to, paper_records[i].to);
        }
    }
    return pbft_set_count(&to);
}

/* The first such message, borrowed; NULL: there is none. */
static inline const struct pbft_message *
paper_find(pbft_replica_id from, enum pbft_message_type type, uint64_t view)
{
    for (size_t i = 0; i < paper_count; i++) {
        const struct pbft_message *message = paper_records[i].message;
        if (paper_records[i].from == from && message->type == type &&
            message->sender == from && pbft_message_view(message) == view) {
            return message;
        }
    }
    return NULL;
}

/* `to` receives a message that must pass verification; takes the reference. */
static inline enum pbft_verdict paper_hear(pbft_replica_id to,
                                           struct pbft_message *message)
{
    assert_int_equal(
        pbft_verify(&cluster.cast.verifier, message->sender, message), PBFT_OK);
    const enum pbft_verdict verdict = cluster_receive(&cluster, to, message);
    pbft_message_unref(message);
    return verdict;
}

/* A batch of one request, its time near the clocks. */
static inline struct pbft_message *paper_batch(uint64_t sequence)
{
    return cast_batch(&cluster.cast,
                      UINT64_C(1700000000000000) + cluster.now * 1000, sequence,
                      1);
}

static inline enum pbft_verdict
paper_hear_proposal(pbft_replica_id to, pbft_view view, pbft_seq seq,
                    const struct pbft_message *batch)
{
    return paper_hear(to, cast_pre_prepare(&cluster.cast, view, seq, batch));
}

static inline enum pbft_verdict
paper_hear_vote(pbft_replica_id to, enum pbft_message_type type,
                pbft_replica_id signer, pbft_view view, pbft_seq seq,
                const struct pbft_message *batch)
{
    return paper_hear(to, cast_vote(&cluster.cast, type, signer, view, seq,
                                    &batch->batch.digest));
}

static inline void paper_submit_all(uint64_t sequence)
{
    for (pbft_replica_id id = 0; id < cluster.cast.n; id++) {
        if (cluster.nodes[id].driver != NULL) {
            (void)cluster_submit(&cluster, id, sequence);
        }
    }
}

/* Ordered and executed by all, without the clock moving. */
static inline void paper_order(uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        (void)cluster_submit(&cluster, 0, first + i);
        cluster_settle(&cluster);
    }
}

/* The request timer of a replica expires. */
static inline void paper_expire(pbft_replica_id id)
{
    (void)cluster_timeout(&cluster, id, PBFT_TIMER_REQUEST);
}

/* R0 is gone and a request waits at all others: they change the view. */
static inline void paper_depose_primary(uint64_t sequence)
{
    cluster_crash(&cluster, 0);
    paper_submit_all(sequence);
    cluster_run(&cluster, PAPER_TREQ + 1);
}

/* Signed by `signer`: from the genesis on it has prepared those. */
static inline struct pbft_message *
paper_view_change(pbft_replica_id signer, pbft_view view,
                  const struct pbft_message *const *prepared, uint32_t count)
{
    const struct pbft_origin origin = {.sender = signer, .epoch = 1};
    const struct pbft_domain *domain = &cluster.cast.replicas[signer].domain;
    struct pbft_message *stable = cast_stable(&cluster.cast, 0, NULL, 0);
    struct pbft_message *made =
        pbft_view_change_create(domain, &origin, view, stable, prepared, count);
    pbft_message_sign(domain, made);
    pbft_message_unref(stable);
    return made;
}

/* Signed by the primary of `view`: it names those view-changes, and proposes
 * those digests from seq 1 on. */
static inline struct pbft_message *
paper_new_view(pbft_view view, const struct pbft_message *const *named,
               uint32_t named_count, const struct pbft_digest *digests,
               uint32_t count)
{
    const struct pbft_origin origin = {.sender = pbft_primary_of(view, 4),
                                       .epoch = 1};
    const struct pbft_domain *domain =
        &cluster.cast.replicas[origin.sender].domain;
    struct pbft_new_view_source sources[4];
    const struct pbft_message *headers[4];
    assert_true(named_count <= 4 && count <= 4);
    for (uint32_t i = 0; i < named_count; i++) {
        sources[i].replica = named[i]->sender;
        sources[i].digest = named[i]->view_change.digest;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pbft_message *header =
            pbft_pre_prepare_create(&origin, view, i + 1, &digests[i], NULL);
        pbft_message_sign(domain, header);
        headers[i] = header;
    }
    struct pbft_message *made = pbft_new_view_create(
        &origin, view, sources, named_count, headers, count);
    pbft_message_sign(domain, made);
    for (uint32_t i = 0; i < count; i++) {
        pbft_message_unref(headers[i]);
    }
    return made;
}

/* What `id` has executed. */
static inline const struct pbft_message *paper_block(pbft_replica_id id,
                                                     pbft_seq seq)
{
    assert_true(seq <= cluster.nodes[id].executed.seq);
    assert_non_null(cluster.nodes[id].blocks[seq]);
    return cluster.nodes[id].blocks[seq];
}

static inline const struct pbft_digest *paper_block_digest(pbft_replica_id id,
                                                           pbft_seq seq)
{
    return &paper_block(id, seq)->committed.pre_prepare->pre_prepare.digest;
}

static inline struct pbft_report paper_report(pbft_replica_id id)
{
    return cluster_report(&cluster, id);
}

static inline struct pbft_slot_report paper_slot(pbft_replica_id id,
                                                 pbft_seq seq)
{
    return cluster_slot(&cluster, id, seq);
}

static inline pbft_seq paper_executed(pbft_replica_id id)
{
    return cluster.nodes[id].executed.seq;
}

#endif /* TESTS_PAPER_PAPER_H */
