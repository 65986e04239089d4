/* SPDX-License-Identifier: Apache-2.0 */
/* One replica as a process: storage, ledger, core, channels and the threads
 * between them (ARCHITECTURE.md has the picture).
 *
 * Opened, watched and closed by one thread, which may not fork after
 * node_open().
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "net/net.h"
#include "node/identity.h"
#include "proto/reason.h"
#include "storage/storage.h"

struct node;

/* What the configuration file says, ready for use. Borrowed for node_open()
 * but for `identity`, which outlives the node. */
struct node_setup {
    const struct node_identity *identity;
    const char *data_dir;
    const char *started_mark;  /* A file beside the key (started.h). */
    const char *peer_listen;   /* host:port */
    const char *client_listen; /* host:port */
    enum net_security security;
    struct storage_options storage;
    /* By replica; NULL: the address that the genesis names. */
    const char *peer_addresses[PBFT_REPLICAS_MAX];
    uint32_t verifier_threads;     /* 0: one less than there are cores. */
    uint32_t calls_max;            /* 0: default of net/gateway.h. */
    uint32_t calls_per_caller_max; /* 0: the same. */
    bool monitor_off;              /* Of slow and silent primaries. */
    /* Of struct pbft_config; 0: its default. */
    uint32_t request_timeout_ms;
    uint32_t batch_delay_ms;
    uint32_t status_interval_ms;
    uint32_t resend_interval_ms;
};

/* Opens everything in the order that lets each mistake say itself, and begins
 * to take part. On failure nothing is left behind; `reason` says why.
 * UNREACHABLE: it cannot listen, e.g. since a port is in use; CLOSED: the data
 * folder is damaged, and the next start sets it aside; else the statuses of
 * storage_open(), ledger_create(), net_peers_open(). A damaged
 * consensus log is set aside: the replica takes part and recovers. */
PBFT_MUST_USE enum pbft_status node_open(const struct node_setup *setup,
                                         struct node **out,
                                         struct salus_reason *reason);

/* Stops taking calls, writes what is under way, closes. NULL is fine. */
void node_close(struct node *node);

/* PBFT_OK, or why this replica has stopped voting: it must be closed. CLOSED as
 * for node_open(). To be called now and then; it also writes to the journal
 * what changed. */
enum pbft_status node_watch(struct node *node, struct salus_reason *reason);

#endif /* NODE_NODE_H */
