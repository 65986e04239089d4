/* SPDX-License-Identifier: Apache-2.0 */
/* A client: signs requests, sends each to one replica, resends to all while it
 * has no proven answer. In a run it keeps some requests outstanding until it
 * has had its share.
 */
#ifndef SIM_CLIENT_H
#define SIM_CLIENT_H

#include "sim/client_hostile.h"
#include "sim/network.h"
#include "sim/signer.h"

#define CLIENT_NAME_SIZE 16

struct client_request {
    const struct pbft_message *message; /* Owned reference. */
    uint64_t submitted_us; /* Signed: a puppet may propose it from then on. */
    bool is_sent;
    bool is_answered;
    uint64_t answered_us;
    pbft_seq seq; /* Where, if answered. */
    uint32_t index;
};

struct client {
    struct hostile *hostile; /* Owned; NULL: it is honest. */
    struct sim *sim;
    uint32_t index;
    char name[CLIENT_NAME_SIZE];
    struct sim_signer signer;
    struct pbft_crypto crypto;
    struct pbft_domain domain;
    struct pbft_institution institution;
    struct client_request *requests; /* Sequence s is at s - 1. */
    size_t request_count;
    size_t request_capacity;
    size_t answered_count;
    pbft_seq seq_max;         /* The highest block with an answer. */
    uint64_t resend_us;       /* After so long without an answer. */
    uint32_t outstanding_max; /* Closed loop; 0: a script submits. */
    uint64_t share;           /* How many it submits in all. */
    uint64_t think_us;        /* Mean time between two; 0: none. */
    uint32_t payload_max;
};

void client_init(struct client *client, struct sim *sim, uint32_t index,
                 const char *name);
void client_deinit(struct client *client);

/* A new request, not yet sent. The message belongs to the client. */
const struct pbft_message *client_prepare(struct client *client,
                                          struct pbft_bytes payload);
/* Sends a prepared request to these replicas. The first call begins the
 * resending, to all. */
void client_send(struct client *client, const struct pbft_message *request,
                 const struct pbft_replica_set *to);

/* Its event. `sequence`: resend this one; 0: submit what is missing. */
void client_on_event(struct client *client, uint64_t sequence);
void client_on_packet(struct client *client, const struct sim_packet *packet);
/* All that was submitted is answered, and nothing is left to submit. */
bool client_is_done(const struct client *client);

#endif /* SIM_CLIENT_H */
