/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts for applications: offline, with the genesis file alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/proof.h"
#include "client/receipt.h"
#include "client/salus.h"
#include "crypto/file.h"
#include "crypto/init.h"
#include "crypto/provider.h"
#include "proto/armor.h"
#include "proto/codec_limits.h"

static const char armor_start[] = "-----BEGIN";

static enum pbft_status load_genesis(struct salus_genesis **out,
                                     struct pbft_digest *cluster,
                                     const char *path,
                                     struct salus_reason *reason)
{
    size_t size = 0;
    uint8_t *text = malloc(WIRE_FRAME_BYTES_MAX);
    if (text == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status =
        file_read(text, WIRE_FRAME_BYTES_MAX, &size, path, FILE_PUBLIC, reason);
    if (status == PBFT_OK) {
        status = genesis_parse(crypto_provider_verify_only(),
                               (struct pbft_bytes){text, size}, out, cluster,
                               reason);
    }
    free(text);
    return status;
}

/* Armored text, or the encoded message itself. */
static enum pbft_status unwrap(struct wire_buffer *decoded,
                               enum armor_kind kind, struct pbft_bytes *bytes,
                               struct salus_reason *reason)
{
    enum pbft_status status = PBFT_OK;
    if (bytes->size >= sizeof armor_start - 1 &&
        memcmp(bytes->data, armor_start, sizeof armor_start - 1) == 0) {
        status = armor_decode(kind, *bytes, decoded, reason);
        *bytes = wire_buffer_bytes(decoded);
    }
    return status;
}

/* The status of a check that `what` names, and its text. */
static enum salus_status verdict(enum pbft_status status, const char *what,
                                 const struct salus_reason *reason,
                                 char *problem)
{
    if (status != PBFT_OK && problem != NULL) {
        (void)snprintf(problem, SALUS_PROBLEM_SIZE, "%s: %s", what,
                       reason->text);
    }
    return status == PBFT_OK          ? SALUS_OK
           : status == PBFT_NO_MEMORY ? SALUS_NO_MEMORY
                                      : SALUS_UNPROVED;
}

/* The genesis to check against; SALUS_OK or what is wrong with the file. */
static enum salus_status open_genesis(struct salus_genesis **genesis,
                                      struct pbft_digest *cluster,
                                      const char *path, char *problem)
{
    struct salus_reason reason = {{0}};
    enum pbft_status loaded = crypto_init();
    if (loaded == PBFT_OK) {
        loaded = load_genesis(genesis, cluster, path, &reason);
    }
    if (loaded == PBFT_OK) {
        return SALUS_OK;
    }
    if (problem != NULL) {
        (void)snprintf(problem, SALUS_PROBLEM_SIZE, "%s",
                       reason.text[0] != '\0' ? reason.text
                                              : pbft_status_text(loaded));
    }
    return loaded == PBFT_NO_MEMORY ? SALUS_NO_MEMORY : SALUS_BAD_FILE;
}

enum salus_status salus_verify_receipt(struct salus_proof *out, char *problem,
                                       const char *genesis_file,
                                       const uint8_t *receipt, size_t size)
{
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    struct salus_reason reason = {{0}};
    struct receipt_facts facts;
    struct wire_buffer decoded;
    enum receipt_check failed = RECEIPT_FORMAT;
    struct pbft_bytes bytes = {receipt, size};

    memset(out, 0, sizeof *out);
    enum salus_status opened =
        open_genesis(&genesis, &cluster, genesis_file, problem);
    if (opened != SALUS_OK) {
        return opened;
    }
    wire_buffer_init(&decoded, RECEIPT_BYTES_MAX);
    enum pbft_status status = unwrap(&decoded, ARMOR_RECEIPT, &bytes, &reason);
    if (status == PBFT_OK) {
        status =
            receipt_verify(&facts, &failed, &reason, bytes, genesis, &cluster);
    }
    if (status == PBFT_OK) {
        memcpy(out->tx_id, facts.tx_id.bytes, sizeof out->tx_id);
        if (facts.institution_is_proved) {
            memcpy(out->institution, facts.institution.bytes,
                   sizeof out->institution);
        }
        out->code = facts.code;
        out->seq = facts.block.seq;
        out->block_time_us = facts.block.block_time;
        out->attestations = facts.signer_count;
    }
    wire_buffer_deinit(&decoded);
    genesis_destroy(genesis);
    return verdict(status, receipt_check_name(failed), &reason, problem);
}

enum salus_status salus_verify_query(struct salus_certificate *out,
                                     char *problem, const char *genesis_file,
                                     const uint8_t *proof, size_t size)
{
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    struct salus_reason reason = {{0}};
    struct proof_facts facts;
    struct wire_buffer decoded;
    enum proof_check failed = PROOF_FORMAT;
    struct pbft_bytes bytes = {proof, size};

    memset(out, 0, sizeof *out);
    enum salus_status opened =
        open_genesis(&genesis, &cluster, genesis_file, problem);
    if (opened != SALUS_OK) {
        return opened;
    }
    wire_buffer_init(&decoded, PROOF_BYTES_MAX);
    enum pbft_status status =
        unwrap(&decoded, ARMOR_QUERY_PROOF, &bytes, &reason);
    if (status == PBFT_OK) {
        status = proof_verify(&facts, &failed, &reason, bytes, genesis,
                              &cluster, NULL, NULL);
    }
    if (status == PBFT_OK) {
        memcpy(out->institution, facts.caller.bytes, sizeof out->institution);
        out->code = facts.code;
        out->height = facts.height;
        out->block_time_us = facts.block_time;
        out->pages = facts.page_count;
        out->signatures = facts.signatures;
    }
    wire_buffer_deinit(&decoded);
    genesis_destroy(genesis);
    return verdict(status, proof_check_name(failed), &reason, problem);
}
