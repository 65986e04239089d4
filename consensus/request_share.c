/* SPDX-License-Identifier: Apache-2.0 */
/* Places, half of them reserved in equal parts. */
#include "consensus/request_share.h"

#include "consensus/assert.h"

struct pbft_share_limits pbft_share_limits_of(uint32_t places, uint32_t parts)
{
    PBFT_ASSERT(parts <= PBFT_REPLICAS_MAX);
    return (struct pbft_share_limits){
        .places = places,
        .parts = parts,
        .part = parts == 0 ? 0 : places / (2 * parts),
    };
}

bool pbft_shares_have_room(const struct pbft_shares *shares,
                           const struct pbft_share_limits *limits, uint32_t who)
{
    const uint32_t kept = limits->parts * limits->part - shares->within;
    PBFT_ASSERT(who <= PBFT_SHARE_OWN);
    PBFT_ASSERT(shares->total + kept <= limits->places);
    return shares->of[who] < limits->part ||
           shares->total + kept < limits->places;
}

void pbft_shares_take(struct pbft_shares *shares,
                      const struct pbft_share_limits *limits, uint32_t who)
{
    PBFT_ASSERT(pbft_shares_have_room(shares, limits, who));
    shares->within += shares->of[who] < limits->part;
    shares->of[who]++;
    shares->total++;
}

void pbft_shares_give_back(struct pbft_shares *shares,
                           const struct pbft_share_limits *limits, uint32_t who)
{
    PBFT_ASSERT(who <= PBFT_SHARE_OWN);
    PBFT_ASSERT(shares->of[who] > 0 && shares->total > 0);
    shares->of[who]--;
    shares->total--;
    shares->within -= shares->of[who] < limits->part;
}
