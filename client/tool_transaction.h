/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions written as JSON, by the field names of ledger.proto: a body,
 * whose envelope need not be written by hand, or a whole Transaction with its
 * co-signatures, as `salus cosign` prints it. */
#ifndef CLIENT_TOOL_TRANSACTION_H
#define CLIENT_TOOL_TRANSACTION_H

#include "client/tool_options.h"
#include "ledger/transaction.h"
#include "proto/reason.h"

struct json_t;
struct json_error_t;

/* Who submits. */
struct tool_identity {
    struct pbft_digest cluster;
    struct pbft_institution institution;
    struct transaction_key_id key_id;
};

/* What is wrong with the JSON text of a file, and where, without a word of it:
 * it may be the wrong file, with patients in it. */
void tool_json_problem(struct salus_reason *reason, const char *path,
                       const struct json_error_t *error);

/* A JSON file, or standard input if `path` is "-"; says what is wrong. NULL on
 * failure. */
struct json_t *tool_transaction_load(const struct tool_command *command,
                                     const char *path);

/* An encoded Transaction, from malloc. */
PBFT_MUST_USE enum pbft_status
tool_transaction_encode(struct transaction_bytes *out,
                        const struct tool_identity *identity,
                        const struct json_t *json, struct salus_reason *reason);

#endif /* CLIENT_TOOL_TRANSACTION_H */
