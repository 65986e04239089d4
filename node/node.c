/* SPDX-License-Identifier: Apache-2.0 */
/* Puts the parts of a replica together, and takes them apart again. */
#include "node/node.h"

#include <stdlib.h>
#include <unistd.h>

#include "consensus/assert.h"
#include "node/clock.h"
#include "node/limits.h"
#include "node/node_private.h"
#include "node/thread.h"
#include "node/wiring.h"

void node_fail(struct node *node, enum pbft_status status, const char *what)
{
    struct salus_reason detail = {{0}};
    enum pbft_status stored = storage_failure(node->storage, &detail);
    (void)pthread_mutex_lock(&node->failure_lock);
    bool is_first = node->failure == PBFT_OK;
    if (is_first) {
        salus_reason_set(&node->failure_reason, "%s: %s%s%s", what,
                         pbft_status_text(status),
                         stored != PBFT_OK ? ": " : "", detail.text);
        node->failure =
            storage_condemn(node->storage, status, &node->failure_reason);
    }
    (void)pthread_mutex_unlock(&node->failure_lock);
    if (is_first) {
        atomic_store(&node->stopping, true);
        inbox_put_failed(node->inbox);
    }
}

enum pbft_status node_failure(struct node *node, struct salus_reason *reason)
{
    (void)pthread_mutex_lock(&node->failure_lock);
    enum pbft_status status = node->failure;
    if (reason != NULL && status != PBFT_OK) {
        *reason = node->failure_reason;
    }
    (void)pthread_mutex_unlock(&node->failure_lock);
    return status;
}

static struct node *create(const struct node_setup *setup)
{
    struct node *node = calloc(1, sizeof *node);
    PBFT_ASSERT(node != NULL);
    node->identity = setup->identity;
    node->unsafe_no_tls = setup->security == NET_UNSAFE_PLAIN_TCP;
    node->unsafe_no_sync = setup->storage.sync == STORAGE_UNSAFE_NO_SYNC;
    node->started_ms = clock_now_ms();
    node->deadline = PBFT_TIME_NEVER;
    /* A primary's clock may be so far from ours, and a block so old. */
    node->clock_check.slack_us =
        UINT64_C(2000) * setup->identity->genesis->parameters.time_bound_ms;
    (void)pthread_mutex_init(&node->report_lock, NULL);
    (void)pthread_mutex_init(&node->failure_lock, NULL);
    (void)pthread_mutex_init(&node->journal_lock, NULL);
    for (pbft_replica_id id = 0; id < PBFT_REPLICAS_MAX; id++) {
        node->peer[id].away_since_ms = node->started_ms;
    }
    return node;
}

static void *run_protocol(void *context)
{
    thread_name("protocol");
    node_protocol_run(context);
    return NULL;
}

static void start(struct node *node)
{
    verifier_pool_start(node->pool);
    int failed =
        pthread_create(&node->protocol_thread, NULL, run_protocol, node);
    PBFT_ASSERT(failed == 0);
    node->protocol_started = true;
    atomic_store(&node->is_open, true);
}

static enum pbft_status open_parts(struct node *node,
                                   const struct node_setup *setup,
                                   struct salus_reason *reason)
{
    enum pbft_status status = wiring_open_storage(node, setup, reason);
    if (status != PBFT_OK) {
        return status;
    }
    status = wiring_open_ledger(node, reason);
    if (status != PBFT_OK) {
        return status;
    }
    wiring_create_queues(node, setup);
    status = wiring_open_peers(node, setup, reason);
    if (status != PBFT_OK) {
        return status;
    }
    status = wiring_open_courier(node, setup, reason);
    if (status != PBFT_OK) {
        return status;
    }
    status = wiring_create_driver(node, setup, reason);
    if (status != PBFT_OK) {
        return status;
    }
    status = node_restore(node, reason);
    if (status != PBFT_OK) {
        return status;
    }
    return wiring_open_gateway(node, setup, reason);
}

enum pbft_status node_open(const struct node_setup *setup, struct node **out,
                           struct salus_reason *reason)
{
    struct node *node = create(setup);
    enum pbft_status status = open_parts(node, setup, reason);
    if (status != PBFT_OK) {
        if (node->storage != NULL) {
            status = storage_condemn(node->storage, status, reason);
        }
        node_close(node);
        return status;
    }
    start(node);
    *out = node;
    return PBFT_OK;
}

/* In the order of who calls whom: nobody is closed while another may still
 * call it. */
void node_close(struct node *node)
{
    if (node == NULL) {
        return;
    }
    atomic_store(&node->stopping, true);
    if (node->inbox != NULL) {
        inbox_close(node->inbox);
    }
    if (node->pool != NULL) {
        verifier_pool_stop(node->pool);
    }
    if (node->protocol_started) {
        (void)pthread_join(node->protocol_thread, NULL);
    }
    executor_destroy(node->executor);
    replier_destroy(node->replier);
    log_writer_destroy(node->log_writer); /* The replier looks for proofs. */
    courier_destroy(node->courier);       /* It answers by the gateway. */
    if (node->gateway != NULL) {
        node_refuse_all_waiting(node);
    }
    net_gateway_close(node->gateway);
    net_peers_close(node->peers);
    node_forget_evidence(node);
    wiring_release(node);
    (void)pthread_mutex_destroy(&node->report_lock);
    (void)pthread_mutex_destroy(&node->failure_lock);
    (void)pthread_mutex_destroy(&node->journal_lock);
    free(node);
}
