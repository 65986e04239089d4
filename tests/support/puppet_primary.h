/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster of four whose R1, primary of view 1, is a puppet: the test collects
 * the view-changes of the others and signs for R1. Static: include it in one .c
 * file per program.
 */
#ifndef TESTS_SUPPORT_PUPPET_PRIMARY_H
#define TESTS_SUPPORT_PUPPET_PRIMARY_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "consensus/replica.h"
#include "tests/support/cluster.h"

#define PUPPET 1
#define PUPPET_SOURCES 3

static struct cluster cluster;
static const struct pbft_message *changes[4]; /* By sender; references. */

/* For the filter of the cluster: the first of each sender. */
static inline void keep_change(const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_VIEW_CHANGE &&
        changes[message->sender] == NULL) {
        changes[message->sender] = pbft_message_ref(message);
    }
}

static inline int clear(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        pbft_message_unref(changes[i]);
        changes[i] = NULL;
    }
    cluster_deinit(&cluster);
    return 0;
}

/* R2 and R3 wait for the request in vain; R0 joins the two. */
static inline void leave_view_0(uint64_t request)
{
    cluster_crash(&cluster, PUPPET);
    for (pbft_replica_id id = 2; id < 4; id++) {
        (void)cluster_submit(&cluster, id, request);
        (void)cluster_timeout(&cluster, id, PBFT_TIMER_REQUEST);
    }
    cluster_settle(&cluster);
    assert_non_null(changes[0]);
    assert_non_null(changes[2]);
    assert_non_null(changes[3]);
}

static inline struct pbft_message *header(pbft_seq seq,
                                          const struct pbft_digest *digest)
{
    const struct pbft_origin origin = {.sender = PUPPET, .epoch = 1};
    struct pbft_message *message =
        pbft_pre_prepare_create(&origin, 1, seq, digest, NULL);
    pbft_message_sign(&cluster.cast.replicas[PUPPET].domain, message);
    return message;
}

/* Gives the headers' references away. */
static inline struct pbft_message *
new_view_of(const struct pbft_message *const from[PUPPET_SOURCES],
            const struct pbft_message **headers, uint32_t count)
{
    const struct pbft_origin origin = {.sender = PUPPET, .epoch = 1};
    struct pbft_new_view_source sources[PUPPET_SOURCES];
    for (int i = 0; i < PUPPET_SOURCES; i++) {
        sources[i].replica = from[i]->sender;
        sources[i].digest = from[i]->view_change.digest;
    }
    struct pbft_message *message = pbft_new_view_create(
        &origin, 1, sources, PUPPET_SOURCES, headers, count);
    pbft_message_sign(&cluster.cast.replicas[PUPPET].domain, message);
    for (uint32_t i = 0; i < count; i++) {
        pbft_message_unref(headers[i]);
    }
    assert_int_equal(pbft_verify(&cluster.cast.verifier, PUPPET, message),
                     PBFT_OK);
    return message;
}

#endif /* TESTS_SUPPORT_PUPPET_PRIMARY_H */
