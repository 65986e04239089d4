/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs of certified answers from anybody: the verifier ends, none is proved
 * that nobody signed, and no page of such a one is shown. */
#include "client/proof.h"
#include "consensus/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/sample_genesis.h"

static void show(void *context, const struct Salus__V1__Query *query,
                 const struct Salus__V1__Answer *answer)
{
    bool *shown = context;
    (void)query;
    (void)answer;
    *shown = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct salus_genesis *genesis;
    static struct proof_facts facts;
    const struct pbft_digest cluster = {{0xc1}};
    struct salus_reason reason = {{0}};
    enum proof_check failed;
    bool shown = false;
    if (genesis == NULL) {
        genesis = sample_genesis(4); /* Kept for all inputs. */
    }
    enum pbft_status status =
        proof_verify(&facts, &failed, &reason, (struct pbft_bytes){data, size},
                     genesis, &cluster, show, &shown);
    PBFT_ASSERT(status != PBFT_OK);
    PBFT_ASSERT(failed >= PROOF_FORMAT);
    PBFT_ASSERT(failed <= PROOF_SIGNATURES);
    PBFT_ASSERT(reason.text[0] != '\0');
    PBFT_ASSERT(!shown);
    return 0;
}
