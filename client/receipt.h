/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts, checked offline: does this file prove that a transaction was
 * ordered, and what came of it? Needs nothing but the genesis file. */
#ifndef CLIENT_RECEIPT_H
#define CLIENT_RECEIPT_H

#include "consensus/verify.h"
#include "ledger/transaction.h"
#include "proto/genesis.h"
#include "proto/reason.h"

/* Larger than any: a request of full size, its results, 128 attestations. */
#define RECEIPT_BYTES_MAX ((size_t)2 * 1024 * 1024)

/* In the order in which they are made. */
enum receipt_check {
    RECEIPT_FORMAT = 1,   /* It is a receipt, whole and canonical. */
    RECEIPT_CLUSTER,      /* It is of this consortium. */
    RECEIPT_REQUEST,      /* The request is signed by its client key. */
    RECEIPT_TRANSACTION,  /* The transaction stands in the request. */
    RECEIPT_PATH,         /* Its result leads to the block's results root. */
    RECEIPT_ATTESTATIONS, /* f + 1 distinct members attest that block. */
};
#define RECEIPT_CHECK_COUNT 6

/* What the check is, for people: "request signature". */
const char *receipt_check_name(enum receipt_check check);

/* What the receipt proves, once all checks passed. */
struct receipt_facts {
    struct pbft_digest tx_id;
    uint32_t index;             /* Of the transaction in its request. */
    uint32_t transaction_count; /* In the request. */
    uint32_t request_code;      /* Not 0: the request as a whole was refused. */
    uint32_t code;              /* Ledger code of the transaction; 0: done. */
    struct pbft_digest write_digest;
    struct pbft_attestation block;
    pbft_epoch epoch;
    struct transaction_summary summary;
    struct pbft_public_key client;
    /* On whose behalf; only the request says so, if the ledger found that its
     * key is not one of that institution (`institution_is_proved`). */
    struct pbft_institution institution;
    bool institution_is_proved;
    uint32_t signer_count; /* Members whose attestation verifies. */
    pbft_replica_id signers[PBFT_REPLICAS_MAX];
};

/* PBFT_OK: proved; see `facts->code` for what. Otherwise `*failed` is the check
 * that failed and `reason` says how. `encoded` is the Receipt of files.proto,
 * without armor. */
PBFT_MUST_USE enum pbft_status
receipt_verify(struct receipt_facts *facts, enum receipt_check *failed,
               struct salus_reason *reason, struct pbft_bytes encoded,
               const struct salus_genesis *genesis,
               const struct pbft_digest *cluster);

#endif /* CLIENT_RECEIPT_H */
