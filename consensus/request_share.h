/* SPDX-License-Identifier: Apache-2.0 */
/* Who may take how many places, or bytes. Private to the core.
 *
 * Anybody can sign requests under keys and institutions that nobody knows, and
 * one faulty replica can relay them until all places are taken: honest
 * requests would then be refused by honest primaries, who would be deposed for
 * it. So half of all places is reserved, in equal parts, for who brings the
 * requests: each peer, and our own clients.
 */
#ifndef CONSENSUS_REQUEST_SHARE_H
#define CONSENSUS_REQUEST_SHARE_H

#include "consensus/types.h"

/* The number of our own clients among those who bring requests. */
#define PBFT_SHARE_OWN PBFT_REPLICAS_MAX

struct pbft_share_limits {
    uint32_t places;
    uint32_t parts;
    uint32_t part; /* Places of each. */
};

/* Places that are taken. */
struct pbft_shares {
    uint32_t total;
    uint32_t within; /* Of them, in the part of who took them. */
    uint32_t of[PBFT_REPLICAS_MAX + 1];
};

/* `parts` 0: nothing is reserved. */
struct pbft_share_limits pbft_share_limits_of(uint32_t places, uint32_t parts);
/* For so many at once. */
bool pbft_shares_have_room(const struct pbft_shares *shares,
                           const struct pbft_share_limits *limits, uint32_t who,
                           uint32_t amount);
/* There must be room. */
void pbft_shares_take(struct pbft_shares *shares,
                      const struct pbft_share_limits *limits, uint32_t who,
                      uint32_t amount);
void pbft_shares_give_back(struct pbft_shares *shares,
                           const struct pbft_share_limits *limits, uint32_t who,
                           uint32_t amount);

#endif /* CONSENSUS_REQUEST_SHARE_H */
