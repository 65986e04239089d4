/* SPDX-License-Identifier: Apache-2.0 */
/* Equal shares of one half, and the other half. */
#include "net/fair.h"

/* Of his share, what an owner may still ask for. */
static uint64_t unclaimed(uint64_t share, uint64_t held)
{
    return held < share ? share - held : 0;
}

bool net_fair_admits(const struct net_holdings *holdings, uint32_t owner,
                     uint64_t wanted)
{
    const uint32_t owners = holdings->owners;
    const uint64_t share = owners != 0 ? holdings->max / 2 / owners : 0;
    uint64_t own = 0;
    uint64_t reserved = 0; /* For the others. */
    for (uint32_t i = 0; i < owners; i++) {
        uint64_t rest = unclaimed(share, holdings->held[i]);
        own += i == owner ? rest : 0;
        reserved += i != owner ? rest : 0;
    }
    return wanted <= holdings->left &&
           (wanted <= own || reserved <= holdings->left - wanted);
}
