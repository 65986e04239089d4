/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence files from anybody: what decodes encodes to the same bytes, accuses
 * somebody, and convicts nobody without two signatures. */
#include "consensus/evidence.h"

#include <string.h>

#include "consensus/assert.h"
#include "sim/fake_crypto.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake_signer signer;
    struct pbft_evidence evidence = {0};
    uint8_t again[PBFT_EVIDENCE_BYTES_MAX];
    fake_signer_init(&signer, "fuzz", 0);
    const struct pbft_crypto crypto = fake_crypto(&signer);
    struct pbft_domain domain = {.crypto = &crypto};
    const struct pbft_keyring keyring = {.epoch = 1, .replica_count = 4};
    if (pbft_evidence_decode((struct pbft_bytes){data, size}, &evidence) !=
        PBFT_OK) {
        return 0;
    }
    const struct pbft_claim claim = pbft_evidence_claim(&evidence);
    PBFT_ASSERT(pbft_is_accountable(claim.type));
    PBFT_ASSERT(pbft_evidence_encode(&evidence, again) == size);
    PBFT_ASSERT(memcmp(again, data, size) == 0);
    domain.cluster = claim.cluster;
    PBFT_ASSERT(pbft_evidence_verify(&domain, &keyring, &evidence) != PBFT_OK);
    return 0;
}
