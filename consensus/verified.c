/* SPDX-License-Identifier: Apache-2.0 */
/* A table of digests, each at the place that it names itself. */
#include "consensus/verified.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/bytes.h"
#include "consensus/preimage_put.h"

struct pbft_verified *pbft_verified_create(void)
{
    return calloc(1, sizeof(struct pbft_verified));
}

void pbft_verified_destroy(struct pbft_verified *verified)
{
    free(verified);
}

static bool is_valid(const struct pbft_verifier *verifier,
                     const struct pbft_public_key *key,
                     const struct pbft_preimage *preimage,
                     const struct pbft_signature *signature)
{
    const struct pbft_crypto *crypto = verifier->domain->crypto;
    return crypto->verify(crypto->context, key,
                          (struct pbft_bytes){preimage->bytes, preimage->size},
                          signature);
}

bool pbft_is_signed(const struct pbft_verifier *verifier,
                    const struct pbft_public_key *key,
                    const struct pbft_preimage *preimage,
                    const struct pbft_signature *signature)
{
    static const uint8_t tag[PBFT_TAG_SIZE] = "salus/verified/1";
    const struct pbft_crypto *crypto = verifier->domain->crypto;
    if (verifier->verified == NULL) {
        return is_valid(verifier, key, preimage, signature);
    }
    const struct pbft_bytes parts[] = {
        {tag, sizeof tag},
        {key->bytes, PBFT_PUBLIC_KEY_SIZE},
        {signature->bytes, PBFT_SIGNATURE_SIZE},
        {preimage->bytes, preimage->size},
    };
    struct pbft_digest name;
    crypto->digest(crypto->context, &name, parts, 4);
    struct pbft_digest *entry =
        &verifier->verified
             ->entries[pbft_get_u32(name.bytes) % PBFT_VERIFIED_MAX];
    if (memcmp(entry, &name, sizeof name) == 0) {
        return true;
    }
    if (!is_valid(verifier, key, preimage, signature)) {
        return false;
    }
    *entry = name;
    return true;
}
