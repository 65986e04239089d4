/* SPDX-License-Identifier: Apache-2.0 */
/* What the attacks on the ports of real replicas share. */
#ifndef TESTS_INTEGRATION_HOSTILE_H
#define TESTS_INTEGRATION_HOSTILE_H

#include <time.h>

#include "client/trial.h"
#include "consensus/crypto.h"
#include "proto/genesis.h"
#include "tests/support/random_message.h"

#define REPLICAS 4
#define VICTIM 0u
#define TRAITOR 3u /* Its certificate is ours for a while. */
#define CONVERGE_TIMEOUT_MS 60000
#define TEXT_MAX 6144

struct scene {
    struct trial trial;
    struct salus_genesis *genesis;
    struct pbft_digest cluster;
    struct pbft_domain domain;
    struct support_random random;
    char certificate[TEXT_MAX];
    char key[TEXT_MAX];
};

void hostile_pass_ms(uint64_t ms);
uint64_t hostile_clock_ms(clockid_t clock);
uint16_t hostile_port_of(const char *address);

/* Are the first `replicas` of them alive, small, and do they order? */
bool hostile_judge(struct scene *scene, const char *what, uint32_t replicas);

/* Each tells what it was, and how it ended. */
bool attack_as_client(struct scene *scene);  /* hostile_certified.c */
bool attack_as_replica(struct scene *scene); /* hostile_certified.c */
bool attack_tls(struct scene *scene);        /* hostile_tls.c */

#endif /* TESTS_INTEGRATION_HOSTILE_H */
