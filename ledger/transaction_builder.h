/* SPDX-License-Identifier: Apache-2.0 */
/* What the builders of transactions share. Private to transaction_build*.c.
 *
 * What the generated structs point to is borrowed from the caller or lies in
 * the builder's arena, so that nothing is freed piece by piece.
 */
#ifndef LEDGER_TRANSACTION_BUILDER_H
#define LEDGER_TRANSACTION_BUILDER_H

#include "ledger/transaction.h"
#include "proto/arena.h"
#include "salus/v1/ledger.pb-c.h"

struct builder {
    struct wire_arena arena;
    enum pbft_status status; /* The first failure. */
};

/* Zeroed room for `count` things; NULL and a status if there is none. */
void *builder_room(struct builder *builder, size_t count, size_t size);

/* True, with a status, if the limit is passed or something failed before. */
bool builder_too_many(struct builder *builder, size_t count, size_t limit);

ProtobufCBinaryData builder_borrow(struct pbft_bytes bytes);

/* Ascending, without repetitions. */
void builder_codes(struct builder *builder, uint32_t **out, size_t *count,
                   const struct transaction_codes *codes);

enum builder_order { BUILDER_KEEP_ORDER, BUILDER_ASCENDING };

/* Ids of 16 bytes; ASCENDING drops repetitions. */
void builder_ids(struct builder *builder, ProtobufCBinaryData **out,
                 size_t *count, const struct transaction_ids *ids,
                 enum builder_order order);

/* The consent family; transaction_build_consent.c. NULL and a status if a list
 * is too long or memory short. */
Salus__V1__ConsentGrant *
builder_grant(struct builder *builder,
              const struct transaction_consent_grant *in);
Salus__V1__ConsentEvidence *
builder_evidence(struct builder *builder,
                 const struct transaction_consent_evidence *in);
Salus__V1__ConsentRevoke *
builder_revoke(struct builder *builder,
               const struct transaction_consent_revoke *in);

#endif /* LEDGER_TRANSACTION_BUILDER_H */
