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

struct tally;

/* Who submits, and which of his requests. */
struct service_client {
    const struct pbft_domain *domain;
    uint32_t client;
    const struct pbft_public_key *key;
    const struct pbft_institution *institution;
    uint64_t sequence; /* From 1. */
};

/* What clients submit to a service, one for the whole run. It hears what came
 * of it, as clients do. */
struct service_load {
    /* Never NULL. */
    void *(*create)(uint64_t seed, uint32_t client_count,
                    const struct pbft_institution *institutions);
    void (*destroy)(void *load); /* Or NULL. */
    /* Returns the size. */
    size_t (*payload)(void *load, const struct service_client *client,
                      uint8_t *out, size_t capacity);
    /* This service has just executed the block, the first of all to do so. */
    void (*learn)(void *load, const void *service,
                  const struct pbft_message *committed);
    const struct tally *(*tally)(const void *load);
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
    /* NULL: clients submit bytes without meaning. */
    const struct service_load *load;
};

extern const struct service_kind service_simple;
extern const struct service_kind service_ledger;

#endif /* SIM_SERVICE_H */
