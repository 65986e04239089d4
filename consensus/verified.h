/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures under votes and headers that were found valid. Private to the core
 * and its verifier.
 *
 * A view-change carries certificates; each choice of proposals looks at them
 * anew, at every view and every try. What was valid once is valid for ever, so
 * it is checked once (design: P6), and a liar who repeats a true certificate
 * with one vote spoiled costs one check, not Q. A place is taken over by who
 * comes later: what is forgotten is checked again.
 */
#ifndef CONSENSUS_VERIFIED_H
#define CONSENSUS_VERIFIED_H

#include "consensus/preimage.h"
#include "consensus/verify.h"

#define PBFT_VERIFIED_MAX 4096u

struct pbft_verified {
    struct pbft_digest entries[PBFT_VERIFIED_MAX]; /* Zero: free. */
};

/* NULL if memory is short. */
struct pbft_verified *pbft_verified_create(void);
void pbft_verified_destroy(struct pbft_verified *verified); /* NULL is fine. */

/* Is `signature` that of `key` under `preimage`? Looks into the memory of the
 * verifier first, if it has one. */
bool pbft_is_signed(const struct pbft_verifier *verifier,
                    const struct pbft_public_key *key,
                    const struct pbft_preimage *preimage,
                    const struct pbft_signature *signature);

#endif /* CONSENSUS_VERIFIED_H */
