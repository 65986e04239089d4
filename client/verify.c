/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts for applications: offline, with the genesis file alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Armored text, or the encoded Receipt itself. */
static enum salus_status check(struct receipt_facts *facts, char *problem,
                               struct pbft_bytes bytes,
                               const struct salus_genesis *genesis,
                               const struct pbft_digest *cluster)
{
    struct wire_buffer decoded;
    struct salus_reason reason = {{0}};
    enum receipt_check failed = RECEIPT_FORMAT;
    enum pbft_status status = PBFT_OK;

    wire_buffer_init(&decoded, RECEIPT_BYTES_MAX);
    if (bytes.size >= sizeof armor_start - 1 &&
        memcmp(bytes.data, armor_start, sizeof armor_start - 1) == 0) {
        status = armor_decode(ARMOR_RECEIPT, bytes, &decoded, &reason);
        bytes = wire_buffer_bytes(&decoded);
    }
    if (status == PBFT_OK) {
        status =
            receipt_verify(facts, &failed, &reason, bytes, genesis, cluster);
    }
    wire_buffer_deinit(&decoded);
    if (status != PBFT_OK && problem != NULL) {
        (void)snprintf(problem, SALUS_PROBLEM_SIZE, "%s: %s",
                       receipt_check_name(failed), reason.text);
    }
    return status == PBFT_OK          ? SALUS_OK
           : status == PBFT_NO_MEMORY ? SALUS_NO_MEMORY
                                      : SALUS_UNPROVED;
}

enum salus_status salus_verify_receipt(struct salus_proof *out, char *problem,
                                       const char *genesis_file,
                                       const uint8_t *receipt, size_t size)
{
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    struct salus_reason reason = {{0}};
    struct receipt_facts facts;

    memset(out, 0, sizeof *out);
    enum pbft_status loaded = crypto_init();
    if (loaded == PBFT_OK) {
        loaded = load_genesis(&genesis, &cluster, genesis_file, &reason);
    }
    if (loaded != PBFT_OK) {
        if (problem != NULL) {
            (void)snprintf(problem, SALUS_PROBLEM_SIZE, "%s",
                           reason.text[0] != '\0' ? reason.text
                                                  : pbft_status_text(loaded));
        }
        return loaded == PBFT_NO_MEMORY ? SALUS_NO_MEMORY : SALUS_BAD_FILE;
    }
    enum salus_status status = check(
        &facts, problem, (struct pbft_bytes){receipt, size}, genesis, &cluster);
    genesis_destroy(genesis);
    if (status == SALUS_OK) {
        memcpy(out->tx_id, facts.tx_id.bytes, sizeof out->tx_id);
        memcpy(out->institution, facts.institution.bytes,
               sizeof out->institution);
        out->code = facts.code;
        out->seq = facts.block.seq;
        out->block_time_us = facts.block.block_time;
        out->attestations = facts.signer_count;
    }
    return status;
}
