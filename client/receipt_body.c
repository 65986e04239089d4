/* SPDX-License-Identifier: Apache-2.0 */
/* From the request in a receipt to one of its transactions. */
#include "client/receipt_body.h"

#include <stdlib.h>

#include "ledger/transaction.h"
#include "proto/scan.h"
#include "salus/v1/files.pb-c.h"

static enum pbft_status body_at(struct pbft_bytes *out,
                                struct pbft_bytes payload, uint32_t index)
{
    size_t count = 0;
    struct pbft_bytes *list =
        calloc(LEDGER_REQUEST_TRANSACTIONS_MAX, sizeof *list);

    if (list == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status = transaction_list_split(
        list, LEDGER_REQUEST_TRANSACTIONS_MAX, &count, payload);
    if (status == PBFT_OK) {
        status =
            index < count ? transaction_body(out, list[index]) : PBFT_MALFORMED;
    }
    free(list);
    return status;
}

enum pbft_status receipt_body(struct pbft_bytes *out, struct wire_arena *arena,
                              struct pbft_bytes encoded)
{
    struct ProtobufCMessage *message = NULL;
    enum pbft_status status = wire_unpack_strict(
        &salus__v1__receipt__descriptor, encoded, arena, &message);

    if (status != PBFT_OK) {
        return status;
    }
    const Salus__V1__Receipt *receipt =
        (const Salus__V1__Receipt *)(void *)message;
    if (receipt->request == NULL) {
        return PBFT_MALFORMED;
    }
    const ProtobufCBinaryData *payload = &receipt->request->payload;
    return body_at(out, (struct pbft_bytes){payload->data, payload->len},
                   receipt->index);
}
