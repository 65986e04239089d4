/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts from anybody: the verifier ends, and none is proved that nobody
 * signed. */
#include "client/receipt.h"
#include "consensus/assert.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/sample_genesis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct salus_genesis *genesis;
    static struct receipt_facts facts;
    const struct pbft_digest cluster = {{0xc1}};
    struct salus_reason reason = {{0}};
    enum receipt_check failed;
    if (genesis == NULL) {
        genesis = sample_genesis(4); /* Kept for all inputs. */
    }
    enum pbft_status status =
        receipt_verify(&facts, &failed, &reason,
                       (struct pbft_bytes){data, size}, genesis, &cluster);
    PBFT_ASSERT(status != PBFT_OK);
    PBFT_ASSERT(failed >= RECEIPT_FORMAT);
    PBFT_ASSERT(failed <= RECEIPT_ATTESTATIONS);
    PBFT_ASSERT(reason.text[0] != '\0');
    return 0;
}
