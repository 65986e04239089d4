/* SPDX-License-Identifier: Apache-2.0 */
/* The replicated service of a simulated replica: deterministic execution of
 * committed batches, exactly once per request.
 *
 * Two of them: `service_simple` (results are digests; fast) and the ledger
 * (service_ledger.c). A service forgets everything when its host restarts and
 * is fed its durable blocks again.
 */
#ifndef SIM_SERVICE_H
#define SIM_SERVICE_H

#include "consensus/message.h"

/* What one request of a block came to. */
struct service_result {
    struct pbft_digest leaf; /* Of the outcome; equal for a repetition. */
    pbft_seq first_seq;      /* Where it took effect, or was refused first. */
    bool is_effective;       /* It took effect here and now. */
};

struct service_outcome {
    struct pbft_attestation executed;
    struct service_result *results; /* Valid until the next call. */
    uint32_t result_count;
};

struct random;

/* Who submits, and which of his requests. */
struct service_client {
    const struct pbft_domain *domain;
    uint32_t client;
    uint32_t client_count;
    const struct pbft_public_key *key;
    const struct pbft_institution *institution;
    uint64_t sequence; /* From 1. */
};

struct service_kind {
    const char *name;
    /* Never NULL. */
    void *(*create)(const struct pbft_domain *domain, uint32_t client_count,
                    const struct pbft_public_key *clients,
                    const struct pbft_institution *institutions);
    void (*destroy)(void *service);
    /* The block after the last one. */
    void (*execute)(void *service, const struct pbft_message *committed,
                    struct service_outcome *out);
    /* Has the request been executed, and in which block? 0: no. */
    pbft_seq (*find)(const void *service, uint32_t client, uint64_t sequence);
    /* What the results root is, given the leaves: clients check replies by it.
     */
    void (*root)(struct pbft_digest *out, const struct pbft_digest *leaves,
                 uint32_t count);
    /* What a client submits: returns the size. NULL: bytes without meaning. */
    size_t (*payload)(const struct service_client *client,
                      struct random *random, uint8_t *out, size_t capacity);
};

extern const struct service_kind service_simple;
extern const struct service_kind service_ledger;

#endif /* SIM_SERVICE_H */
