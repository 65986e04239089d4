/* SPDX-License-Identifier: Apache-2.0 */
/* A sound genesis of made-up institutions, to be spoiled by tests.
 */
#ifndef TESTS_SUPPORT_SAMPLE_GENESIS_H
#define TESTS_SUPPORT_SAMPLE_GENESIS_H

#include "proto/genesis.h"
#include "sim/fake_crypto.h"

/* Member `number` of a consortium, with a replica, without possession. */
void sample_member(struct salus_member *out, uint32_t number);

/* The signer whose key sample_member() names as replica key. */
void sample_signer(struct fake_signer *out, uint32_t number);

/* The fake crypto, for digests and verification. */
const struct pbft_crypto *sample_crypto(void);

/* Signs the possession anew, after a change. */
void sample_possess(struct salus_member *member, uint32_t number);

/* `replicas` members in order, one policy, default parameters, sound. */
struct salus_genesis *sample_genesis(uint32_t replicas);

#endif /* TESTS_SUPPORT_SAMPLE_GENESIS_H */
