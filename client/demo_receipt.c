/* SPDX-License-Identifier: Apache-2.0 */
/* A receipt is fetched, checked offline, and tampered with. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/demo.h"
#include "client/receipt.h"
#include "client/tool_consortium.h"
#include "client/tool_folder.h"
#include "client/tool_options.h"
#include "crypto/hex.h"
#include "proto/armor.h"

/* Where in the attested block the tampering takes place: any byte will do. */
static void tamper(struct salus_bytes *bytes, const struct receipt_facts *facts)
{
    for (size_t i = 0; i + PBFT_DIGEST_SIZE <= bytes->size; i++) {
        if (memcmp(bytes->data + i, facts->write_digest.bytes,
                   PBFT_DIGEST_SIZE) == 0) {
            bytes->data[i] ^= 1;
            return;
        }
    }
}

static bool check(struct receipt_facts *facts, const struct salus_bytes *bytes,
                  const char *genesis_path, enum receipt_check *failed,
                  struct salus_reason *reason)
{
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;

    if (genesis_file_load(&genesis, &cluster, genesis_path, reason) !=
        PBFT_OK) {
        return false;
    }
    enum pbft_status status = receipt_verify(
        facts, failed, reason, (struct pbft_bytes){bytes->data, bytes->size},
        genesis, &cluster);
    genesis_destroy(genesis);
    return status == PBFT_OK;
}

static bool keep_receipt(const struct demo *demo,
                         const struct salus_bytes *bytes, char *path,
                         size_t size)
{
    struct salus_reason reason = {""};

    (void)snprintf(path, size, "%s/receipt.txt", demo->folder);
    if (tool_armor_create(path, ARMOR_RECEIPT,
                          (struct pbft_bytes){bytes->data, bytes->size},
                          &reason) != PBFT_OK) {
        (void)fprintf(stderr, "salus demo: %s\n", reason.text);
        return false;
    }
    return true;
}

static bool show(const struct demo *demo, struct salus_bytes *bytes)
{
    char genesis[DEMO_PATH_MAX + 16];
    char path[DEMO_PATH_MAX + 16];
    char time[TOOL_TIME_TEXT_SIZE];
    struct receipt_facts facts;
    struct receipt_facts none;
    struct salus_reason reason = {""};
    enum receipt_check failed = RECEIPT_FORMAT;

    (void)snprintf(genesis, sizeof(genesis), "%s/genesis.txt", demo->folder);
    if (!keep_receipt(demo, bytes, path, sizeof(path))) {
        return false;
    }
    if (!check(&facts, bytes, genesis, &failed, &reason)) {
        (void)fprintf(stderr, "salus demo: the receipt is bad: %s\n",
                      reason.text);
        return false;
    }
    tool_time_text(time, facts.block.block_time);
    (void)printf("   kept as %s (%zu bytes)\n"
                 "   checked with the genesis file alone: %s, block %" PRIu64
                 " of %s, attested by %u of %u\n",
                 path, bytes->size, transaction_type_name(facts.summary.type),
                 facts.block.seq, time, facts.signer_count, demo->trial.count);
    tamper(bytes, &facts);
    if (check(&none, bytes, genesis, &failed, &reason)) {
        (void)fprintf(stderr, "salus demo: a tampered receipt passed\n");
        return false;
    }
    (void)printf("   one bit of the result flipped: refused by the check of "
                 "the %s:\n     %s\n",
                 receipt_check_name(failed), reason.text);
    return true;
}

bool demo_receipt(struct demo *demo)
{
    struct salus_bytes bytes = {NULL, 0};

    demo_title("A receipt, checked offline, then tampered with");
    if (!demo->has_receipt_of) {
        (void)fprintf(stderr, "salus demo: nothing was accepted\n");
        return false;
    }
    enum salus_status status =
        salus_receipt(demo->trial.clients[0], &bytes, demo->receipt_of);
    if (status != SALUS_OK) {
        (void)fprintf(stderr, "salus demo: no receipt: %s\n",
                      salus_status_text(status));
        return false;
    }
    bool good = show(demo, &bytes);
    salus_free(&bytes);
    return good;
}
