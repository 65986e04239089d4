/* SPDX-License-Identifier: Apache-2.0 */
/* What an institution that is to join hands to the members: the transaction
 * INST_ADMIT with its keys, signed for by the first of them. */
#ifndef CLIENT_TOOL_ADMISSION_H
#define CLIENT_TOOL_ADMISSION_H

#include "proto/member.h"
#include "proto/reason.h"
#include "salus/v1/ledger.pb-c.h"

/* Where it goes, and on what. */
struct admission {
    struct pbft_digest chain;
    struct pbft_digest contract; /* SHA-256 of the signed one. */
};

/* Reads both files, before any key is made. */
PBFT_MUST_USE enum pbft_status admission_prepare(struct admission *out,
                                                 const char *genesis,
                                                 const char *contract,
                                                 struct salus_reason *reason);

/* Writes admit.json into the folder that institution_create() has made. */
PBFT_MUST_USE enum pbft_status
admission_store(const struct admission *admission, const char *folder,
                const struct salus_member *member, struct salus_reason *reason);

/* Why nobody should sign it: its keys have not signed for themselves. NULL:
 * they have, or it is another transaction. */
const char *admission_problem(const Salus__V1__TransactionBody *body);

#endif /* CLIENT_TOOL_ADMISSION_H */
