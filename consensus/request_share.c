/* SPDX-License-Identifier: Apache-2.0 */
/* Places or bytes, half of them reserved in equal parts. */
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

/* What of `amount` is within the part of one. */
static uint32_t within(const struct pbft_share_limits *limits, uint32_t amount)
{
    return amount < limits->part ? amount : limits->part;
}

bool pbft_shares_have_room(const struct pbft_shares *shares,
                           const struct pbft_share_limits *limits, uint32_t who,
                           uint32_t amount)
{
    const uint32_t kept = limits->parts * limits->part - shares->within;
    PBFT_ASSERT(who <= PBFT_SHARE_OWN);
    PBFT_ASSERT(shares->total + kept <= limits->places);
    if (amount > limits->places) {
        return false;
    }
    const uint32_t own = within(limits, shares->of[who] + amount) -
                         within(limits, shares->of[who]);
    return amount - own <= limits->places - shares->total - kept;
}

void pbft_shares_take(struct pbft_shares *shares,
                      const struct pbft_share_limits *limits, uint32_t who,
                      uint32_t amount)
{
    PBFT_ASSERT(pbft_shares_have_room(shares, limits, who, amount));
    shares->within -= within(limits, shares->of[who]);
    shares->of[who] += amount;
    shares->total += amount;
    shares->within += within(limits, shares->of[who]);
}

void pbft_shares_give_back(struct pbft_shares *shares,
                           const struct pbft_share_limits *limits, uint32_t who,
                           uint32_t amount)
{
    PBFT_ASSERT(who <= PBFT_SHARE_OWN);
    PBFT_ASSERT(shares->of[who] >= amount && shares->total >= amount);
    shares->within -= within(limits, shares->of[who]);
    shares->of[who] -= amount;
    shares->total -= amount;
    shares->within += within(limits, shares->of[who]);
}
