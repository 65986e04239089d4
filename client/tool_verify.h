/* SPDX-License-Identifier: Apache-2.0 */
/* What `salus verify` says of what it has checked. Private to tool_verify*.c.
 */
#ifndef CLIENT_TOOL_VERIFY_H
#define CLIENT_TOOL_VERIFY_H

#include "client/proof.h"
#include "client/receipt.h"
#include "salus/v1/ledger.pb-c.h"

struct json_t;

/* Of an institution: its short name, or its id if the genesis does not have it.
 */
struct verify_name {
    char id[2 * PBFT_INSTITUTION_SIZE + 1];
    char text[MEMBER_NAME_MAX + 1];
};
struct verify_name verify_name_of(const struct salus_genesis *genesis,
                                  const struct pbft_institution *institution);
const char *verify_signer_name(const struct salus_genesis *genesis,
                               pbft_replica_id replica);

/* Of a receipt that holds. */
void verify_print_receipt(const struct receipt_facts *facts,
                          const struct salus_genesis *genesis);
struct json_t *verify_receipt_json(const struct receipt_facts *facts,
                                   const struct salus_genesis *genesis);

/* Of the proof of an answer that holds. */
void verify_print_proof(const struct proof_facts *facts,
                        const struct salus_genesis *genesis);
struct json_t *verify_proof_json(const struct proof_facts *facts,
                                 const struct salus_genesis *genesis);
/* The question as it was asked: its kind, and what it names. */
void verify_print_question(const Salus__V1__Query *query);

#endif /* CLIENT_TOOL_VERIFY_H */
