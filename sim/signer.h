/* SPDX-License-Identifier: Apache-2.0 */
/* Who signs in a run: with fake signatures, which are fast, or with the real
 * ones of crypto/. Nobody gets at the key of another either way.
 */
#ifndef SIM_SIGNER_H
#define SIM_SIGNER_H

#include "crypto/sign.h"
#include "sim/fake_crypto.h"

enum sim_signatures { SIM_SIGNATURES_FAKE, SIM_SIGNATURES_REAL };

struct sim_signer {
    struct pbft_public_key key;
    enum sim_signatures kind;
    struct fake_signer fake;
    struct sign_secret secret;
    uint64_t *check_count; /* Of signatures checked with it; or NULL. */
};

/* The signer number `number` of the group `group`. */
void sim_signer_init(struct sim_signer *signer, const char *group,
                     uint64_t number, enum sim_signatures kind);

/* `signer` is kept by the vtable as its context. Real signatures come with
 * BLAKE2b, fake ones with the fake digest. */
struct pbft_crypto sim_signer_crypto(const struct sim_signer *signer);

#endif /* SIM_SIGNER_H */
