/* SPDX-License-Identifier: Apache-2.0 */
/* From a reply to a proof, one check after the other. */
#include "client/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/merkle.h"
#include "ledger/limits.h"
#include "salus/v1/client.pb-c.h"

static bool read_digest(struct pbft_digest *out, const ProtobufCBinaryData *in)
{
    if (in->len != PBFT_DIGEST_SIZE) {
        return false;
    }
    memcpy(out->bytes, in->data, PBFT_DIGEST_SIZE);
    return true;
}

static enum pbft_status read_transactions(const Salus__V1__Outcome *encoded,
                                          struct outcome *out)
{
    size_t count = encoded->n_transactions;

    if (count > LEDGER_REQUEST_TRANSACTIONS_MAX) {
        return PBFT_TOO_LARGE;
    }
    out->transactions = calloc(count + 1, sizeof(*out->transactions));
    if (out->transactions == NULL) {
        return PBFT_NO_MEMORY;
    }
    out->transaction_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        const Salus__V1__TransactionOutcome *from = encoded->transactions[i];
        struct results_transaction *to = &out->transactions[i];
        to->code = from->code;
        if (!read_digest(&to->tx_id, &from->tx_id) ||
            !read_digest(&to->write_digest, &from->write_digest)) {
            return PBFT_MALFORMED;
        }
    }
    return PBFT_OK;
}

static enum pbft_status read_block(const Salus__V1__Outcome *encoded,
                                   struct pbft_attestation *out)
{
    const Salus__V1__Attestation *from =
        encoded->block == NULL ? NULL : encoded->block->attestation;

    if (from == NULL || !read_digest(&out->block_digest, &from->block_digest) ||
        !read_digest(&out->results_root, &from->results_root) ||
        !read_digest(&out->ledger_root, &from->ledger_root)) {
        return PBFT_MALFORMED;
    }
    out->seq = from->seq;
    out->block_time = from->block_time_us;
    return PBFT_OK;
}

/* From the results of the request, up the path, to the root of the block. */
static enum pbft_status check_path(const Salus__V1__Outcome *encoded,
                                   const struct pbft_digest *request,
                                   const struct outcome *outcome)
{
    struct pbft_digest path[MERKLE_PATH_MAX];
    struct pbft_digest leaf;
    const struct results_request results = {
        .digest = *request,
        .code = outcome->request_code,
        .transaction_count = outcome->transaction_count,
        .transactions = outcome->transactions};

    if (encoded->n_path > MERKLE_PATH_MAX) {
        return PBFT_MALFORMED;
    }
    for (size_t i = 0; i < encoded->n_path; i++) {
        if (!read_digest(&path[i], &encoded->path[i])) {
            return PBFT_MALFORMED;
        }
    }
    results_request_leaf(&leaf, &results);
    return merkle_verify(&outcome->block.results_root, &leaf,
                         encoded->request_index, encoded->request_count, path,
                         encoded->n_path);
}

static enum pbft_status check_votes(const struct pbft_verifier *verifier,
                                    const Salus__V1__Outcome *encoded,
                                    struct outcome *outcome)
{
    struct pbft_vote votes[PBFT_REPLICAS_MAX];
    size_t count = encoded->block->n_votes;

    if (count > PBFT_REPLICAS_MAX) {
        return PBFT_TOO_LARGE;
    }
    for (size_t i = 0; i < count; i++) {
        const Salus__V1__CertificateVote *from = encoded->block->votes[i];
        if (from->signature.len != PBFT_SIGNATURE_SIZE) {
            return PBFT_MALFORMED;
        }
        votes[i].replica = from->replica;
        votes[i].incarnation = from->incarnation;
        memcpy(votes[i].signature.bytes, from->signature.data,
               PBFT_SIGNATURE_SIZE);
    }
    const struct pbft_stable proof = {.attestation = outcome->block,
                                      .vote_count = (uint32_t)count,
                                      .votes = votes};
    outcome->attestations = (uint32_t)count;
    return pbft_verify_attested(verifier, &proof);
}

static enum pbft_status verify_steps(const struct pbft_verifier *verifier,
                                     const struct pbft_digest *request,
                                     const Salus__V1__Outcome *encoded,
                                     struct outcome *out,
                                     struct salus_reason *reason)
{
    struct pbft_digest named;
    enum pbft_status status = read_block(encoded, &out->block);

    out->reached = OUTCOME_SHAPE;
    if (status == PBFT_OK) {
        status = read_transactions(encoded, out);
    }
    if (status != PBFT_OK || !read_digest(&named, &encoded->request_digest)) {
        salus_reason_set(reason, "the outcome is malformed");
        return status != PBFT_OK ? status : PBFT_MALFORMED;
    }
    out->request_code = encoded->request_code;
    out->reached = OUTCOME_REQUEST;
    if (memcmp(&named, request, sizeof(named)) != 0) {
        salus_reason_set(reason, "the outcome is that of another request");
        return PBFT_BAD_DIGEST;
    }
    if (encoded->epoch != verifier->keyring->epoch) {
        salus_reason_set(reason, "the block belongs to another membership");
        return PBFT_NOT_MEMBER;
    }
    out->reached = OUTCOME_PATH;
    status = check_path(encoded, request, out);
    if (status != PBFT_OK) {
        salus_reason_set(reason, "the Merkle path does not lead from the "
                                 "results to the root that was attested");
        return status;
    }
    out->reached = OUTCOME_ATTESTATIONS;
    status = check_votes(verifier, encoded, out);
    if (status != PBFT_OK) {
        salus_reason_set(reason,
                         "the block is not attested by enough members: %s",
                         pbft_status_text(status));
    }
    return status;
}

enum pbft_status outcome_verify(const struct pbft_verifier *verifier,
                                const struct pbft_digest *request,
                                const struct Salus__V1__Outcome *encoded,
                                struct outcome *out,
                                struct salus_reason *reason)
{
    memset(out, 0, sizeof(*out));
    enum pbft_status status =
        verify_steps(verifier, request, encoded, out, reason);
    if (status != PBFT_OK) {
        free(out->transactions);
        out->transactions = NULL;
        out->transaction_count = 0;
    }
    return status;
}
