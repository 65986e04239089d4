/* SPDX-License-Identifier: Apache-2.0 */
/* What an export is made of: the transaction with its receipt, and of a
 * decision on access what f + 1 replicas signed about its request. */
#ifndef CLIENT_FHIR_SOURCE_H
#define CLIENT_FHIR_SOURCE_H

#include "client/fhir_gather.h"
#include "client/receipt.h"
#include "fhir/export.h"
#include "proto/arena.h"

struct fhir_ground {
    struct salus_client *client;
    const struct salus_genesis *genesis;
    struct pbft_digest cluster;
    /* Only decisions about that patient; NULL: about anybody. */
    const uint8_t *subject;
};

struct fhir_source {
    struct fhir_export_source source; /* Points into the rest. */
    bool is_nothing; /* To export: refused, or about another patient. */
    uint64_t at_us;  /* Time of its block. */
    enum transaction_type type; /* As it turned out. */
    struct salus_bytes receipt;
    struct salus_certified certified;
    struct wire_arena arena;
};

/* Fetches and proves; otherwise `code` is one of FHIR's IssueType. The caller
 * frees it in any case. */
PBFT_MUST_USE enum pbft_status
fhir_source_fetch(struct fhir_source *out, const struct fhir_ground *ground,
                  const struct fhir_wanted *wanted, const char **code,
                  struct salus_reason *reason);
/* The request that a decision is about; false: it is none. */
bool fhir_source_request(const struct fhir_source *source,
                         uint8_t out[VAULT_ID_SIZE]);
void fhir_source_free(struct fhir_source *source);

#endif /* CLIENT_FHIR_SOURCE_H */
