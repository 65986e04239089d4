/* SPDX-License-Identifier: Apache-2.0 */
/* A query at work. Private to ledger/. */
#ifndef LEDGER_QUERY_H
#define LEDGER_QUERY_H

#include "ledger/execution.h"

/* Rows of an answer lie in the overlay's arena. */
struct query {
    struct overlay overlay;
    const struct ledger_kv *view;
    struct schema_position position; /* The height that is asked. */
    uint64_t now_ms;
    Salus__V1__Answer answer;
};

/* Each sets its part of `answer`, or returns a code. */
enum ledger_code
query_consent_history(struct query *query,
                      const Salus__V1__ConsentHistoryQuery *in);

/* Visits a range of the view; a failure is remembered in the overlay. */
void query_range(struct query *query, enum ledger_space space,
                 const struct ledger_kv_range *range, ledger_kv_visit *visit,
                 void *visitor);

/* A copy of bytes in the arena. */
ProtobufCBinaryData query_bytes(struct query *query, const uint8_t *bytes,
                                size_t size);

#endif /* LEDGER_QUERY_H */
