/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of indexes through the arrays of the request queue. Private to it. */
#ifndef CONSENSUS_REQUEST_CHAIN_H
#define CONSENSUS_REQUEST_CHAIN_H

#include "consensus/request.h"

/* Which link of the element at `index` a chain runs through. */
typedef struct pbft_link *pbft_link_of(struct pbft_requests *requests,
                                       uint32_t index, uint32_t lane);

static const struct pbft_chain pbft_empty_chain = {PBFT_INDEX_NONE,
                                                   PBFT_INDEX_NONE};

bool pbft_chain_is_empty(const struct pbft_chain *chain);
void pbft_chain_append(struct pbft_requests *requests, struct pbft_chain *chain,
                       pbft_link_of *link, uint32_t index, uint32_t lane);
void pbft_chain_detach(struct pbft_requests *requests, struct pbft_chain *chain,
                       pbft_link_of *link, uint32_t index, uint32_t lane);

#endif /* CONSENSUS_REQUEST_CHAIN_H */
