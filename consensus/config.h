/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of struct pbft_config. Private to the core. */
#ifndef CONSENSUS_CONFIG_H
#define CONSENSUS_CONFIG_H

#include "consensus/pbft.h"

/* Queued requests: what a replica of 64 small transactions a request can order
 * in some seconds; bounds the memory that clients can take. */
#define PBFT_PENDING_MAX (1u << 20)
#define PBFT_PENDING_BYTES_MAX (1u << 30)

/* NULL if `config` is valid, else the rule that it breaks. */
const char *pbft_config_check(const struct pbft_config *config,
                              const struct pbft_keyring *keyring);

/* Payload bytes, in so many requests; one alone may have more. What a primary
 * makes and what a backup takes is the same. */
bool pbft_config_allows_batch(const struct pbft_config *config, uint32_t count,
                              size_t bytes);

#endif /* CONSENSUS_CONFIG_H */
