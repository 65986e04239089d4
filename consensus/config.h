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

#endif /* CONSENSUS_CONFIG_H */
