/* SPDX-License-Identifier: Apache-2.0 */
#include "consensus/request_chain.h"

#include "consensus/assert.h"

bool pbft_chain_is_empty(const struct pbft_chain *chain)
{
    return chain->first == PBFT_INDEX_NONE;
}

void pbft_chain_append(struct pbft_requests *requests, struct pbft_chain *chain,
                       pbft_link_of *link, uint32_t index, uint32_t lane)
{
    struct pbft_link *own = link(requests, index, lane);
    own->previous = chain->last;
    own->next = PBFT_INDEX_NONE;
    if (pbft_chain_is_empty(chain)) {
        chain->first = index;
    } else {
        link(requests, chain->last, lane)->next = index;
    }
    chain->last = index;
}

void pbft_chain_detach(struct pbft_requests *requests, struct pbft_chain *chain,
                       pbft_link_of *link, uint32_t index, uint32_t lane)
{
    const struct pbft_link own = *link(requests, index, lane);
    PBFT_ASSERT(!pbft_chain_is_empty(chain));
    if (own.previous == PBFT_INDEX_NONE) {
        PBFT_ASSERT(chain->first == index);
        chain->first = own.next;
    } else {
        link(requests, own.previous, lane)->next = own.next;
    }
    if (own.next == PBFT_INDEX_NONE) {
        PBFT_ASSERT(chain->last == index);
        chain->last = own.previous;
    } else {
        link(requests, own.next, lane)->previous = own.previous;
    }
}
