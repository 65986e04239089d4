/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads of requests: split into transactions, bodies and what they say. */
#include "consensus/assert.h"
#include "ledger/limits.h"
#include "ledger/transaction.h"
#include "tests/fuzz/fuzz.h"

static void check_inside(struct pbft_bytes inner, struct pbft_bytes outer)
{
    PBFT_ASSERT(inner.size == 0 || inner.data >= outer.data);
    PBFT_ASSERT(inner.size <= outer.size);
    PBFT_ASSERT(inner.size == 0 ||
                inner.data + inner.size <= outer.data + outer.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pbft_bytes list[LEDGER_REQUEST_TRANSACTIONS_MAX];
    const struct pbft_bytes payload = {data, size};
    struct transaction_summary summary;
    size_t count = 0;
    enum pbft_status status = transaction_summarize(&summary, payload);
    PBFT_ASSERT(status < PBFT_IO);
    if (transaction_list_split(list, LEDGER_REQUEST_TRANSACTIONS_MAX, &count,
                               payload) != PBFT_OK) {
        return 0;
    }
    PBFT_ASSERT(count <= LEDGER_REQUEST_TRANSACTIONS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct pbft_bytes body;
        check_inside(list[i], payload);
        if (transaction_body(&body, list[i]) == PBFT_OK) {
            check_inside(body, list[i]);
            status = transaction_summarize(&summary, body);
            PBFT_ASSERT(status < PBFT_IO);
        }
    }
    return 0;
}
