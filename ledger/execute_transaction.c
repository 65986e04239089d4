/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction: read it strictly, judge it, carry it out or leave no trace.
 */
#include <string.h>

#include "consensus/assert.h"
#include "ledger/execution.h"
#include "ledger/families.h"
#include "ledger/foresight.h"
#include "ledger/state.h"
#include "proto/scan.h"

static enum ledger_code code_of(enum pbft_status status)
{
    return status == PBFT_TOO_LARGE ? LEDGER_SIZE : LEDGER_NON_CANONICAL;
}

/* The encoded payload of a canonical body, in which it comes last. */
static struct pbft_bytes payload_of(struct pbft_bytes body)
{
    uint64_t number;
    struct pbft_bytes value = {NULL, 0};
    while (body.size > 0 && foresight_next_field(&body, &number, &value)) {
    }
    return value;
}

/* The co-signatures around the body; `*out` is NULL if there are none. */
static enum ledger_code read_signatures(struct execution *x,
                                        struct pbft_bytes transaction,
                                        struct pbft_bytes body,
                                        const Salus__V1__Transaction **out)
{
    struct ProtobufCMessage *message = NULL;
    *out = NULL;
    if (body.data + body.size == transaction.data + transaction.size) {
        return LEDGER_OK;
    }
    enum pbft_status status = wire_unpack_strict(
        &salus__v1__transaction__descriptor, transaction, x->scratch, &message);
    if (status != PBFT_OK) {
        return code_of(status);
    }
    *out = (const Salus__V1__Transaction *)(void *)message;
    return LEDGER_OK;
}

static enum ledger_code read_body(struct execution *x, struct pbft_bytes body)
{
    struct ProtobufCMessage *message = NULL;
    enum pbft_status status = wire_unpack_strict(
        &salus__v1__transaction_body__descriptor, body, x->scratch, &message);
    if (status != PBFT_OK) {
        return code_of(status);
    }
    x->body = (const Salus__V1__TransactionBody *)(void *)message;
    x->payload = payload_of(body);
    return LEDGER_OK;
}

/* A transaction that was carried out once is not carried out again, in whatever
 * request it comes. One that was refused may be tried again. */
static bool is_done(struct execution *x)
{
    struct schema_transaction before;
    return state_get_transaction(x->overlay, x->tx_id.bytes, &before) &&
           before.code == LEDGER_OK;
}

static enum ledger_code carry_out(struct execution *x)
{
    const struct family *family = family_of((uint32_t)x->body->payload_case);
    if (family->makes == NULL && is_done(x)) {
        return LEDGER_TX_DUPLICATE;
    }
    return family->execute(x);
}

static enum ledger_code judge(struct execution *x,
                              struct pbft_bytes transaction,
                              struct pbft_bytes body)
{
    const Salus__V1__Transaction *signatures = NULL;
    enum ledger_code code = read_signatures(x, transaction, body, &signatures);
    if (code == LEDGER_OK) {
        code = read_body(x, body);
    }
    if (code == LEDGER_OK) {
        code = universal_check(x, signatures);
    }
    return code == LEDGER_OK ? carry_out(x) : code;
}

static void remember(struct execution *x, enum ledger_code code)
{
    const struct schema_transaction here = {
        .seq = x->seq,
        .request_index = x->place.request_index,
        .index = x->place.index,
        .code = (uint32_t)code,
    };
    state_put_transaction(x->overlay, x->tx_id.bytes, &here);
}

void execution_run(struct execution *x, struct pbft_bytes transaction,
                   struct results_transaction *out)
{
    struct pbft_bytes body;
    size_t mark = overlay_mark(x->overlay);
    *out = (struct results_transaction){.code = LEDGER_OK};
    x->cosigner_count = 0;
    wire_arena_reset(x->scratch);
    enum pbft_status status = transaction_body(&body, transaction);
    if (status != PBFT_OK) {
        out->code = (uint32_t)code_of(status);
        return;
    }
    transaction_id(&x->tx_id, &x->constants->chain, body);
    out->tx_id = x->tx_id;
    enum ledger_code code = judge(x, transaction, body);
    if (code == LEDGER_OK) {
        overlay_digest(x->overlay, mark, &out->write_digest);
    } else {
        overlay_rollback(x->overlay, mark);
        /* Asked last, since most are new, but it is the answer before all
         * others: what was done is refused for nothing else. */
        code = is_done(x) ? LEDGER_TX_DUPLICATE : code;
    }
    out->code = (uint32_t)code;
    if (code != LEDGER_TX_DUPLICATE) {
        remember(x, code);
    }
}
