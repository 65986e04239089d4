/* SPDX-License-Identifier: Apache-2.0 */
/* What the test of certified reads and its liar share. */
#ifndef TESTS_INTEGRATION_CERTIFIED_H
#define TESTS_INTEGRATION_CERTIFIED_H

#include <stdatomic.h>

#include "client/trial.h"
#include "crypto/provider.h"
#include "ledger/codes.h"
#include "ledger/transaction.h"
#include "net/gateway.h"
#include "proto/genesis.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"
#include "salus/v1/files.pb-c.h"

#define REPLICAS 4u
#define LIAR 3u
#define TEXT_MAX 6144

/* Stands at the port of a replica that was killed, with its keys: says that
 * there is nothing of the kind, after the block that all know. */
struct liar {
    struct net_gateway *gateway;
    struct crypto_provider *provider;
    struct salus_genesis *genesis;
    struct pbft_digest cluster;
    char certificate[TEXT_MAX];
    char key[TEXT_MAX];
    atomic_bool forges; /* Its signatures are wrong too. */
    /* The truth, as far as it must know it to be believed. */
    uint64_t height;
    uint64_t block_time_us;
    struct pbft_digest ledger_root;
};

struct scene {
    struct trial trial;
    char genesis_path[256];
    uint8_t handle[SALUS_DIGEST_SIZE];
    uint8_t consent[SALUS_ID_SIZE];
    uint8_t tx_id[SALUS_DIGEST_SIZE];
    atomic_bool stop;
    atomic_uint registered;
    struct liar liar;
};

/* A client of institution `index`; NULL: says why. */
struct salus_client *certified_client(const struct scene *scene,
                                      uint32_t index);

/* Takes the block of a certified answer for the lies to come. */
void liar_remember(struct liar *liar, const struct salus_certified *certified);
bool liar_open(struct scene *scene);
void liar_close(struct scene *scene);

#endif /* TESTS_INTEGRATION_CERTIFIED_H */
