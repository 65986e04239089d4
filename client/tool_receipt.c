/* SPDX-License-Identifier: Apache-2.0 */
/* salus receipt: the proof of a transaction, fetched to keep. */
#include <stdio.h>

#include "client/salus.h"
#include "client/tool_config.h"
#include "client/tool_folder.h"
#include "client/tool_options.h"
#include "crypto/hex.h"

static int fetch(struct salus_client *client,
                 const uint8_t tx_id[SALUS_DIGEST_SIZE], const char *path)
{
    struct salus_bytes bytes = {NULL, 0};
    struct salus_reason reason = {""};
    enum salus_status status = salus_receipt(client, &bytes, tx_id);

    if (status != SALUS_OK) {
        return tool_failed(&tool_receipt, "%s",
                           status == SALUS_NOT_FOUND
                               ? "no transaction with this id is on the ledger "
                                 "(yet)"
                               : salus_status_text(status));
    }
    enum pbft_status written =
        tool_armor_create(path, ARMOR_RECEIPT,
                          (struct pbft_bytes){bytes.data, bytes.size}, &reason);
    salus_free(&bytes);
    if (written != PBFT_OK) {
        return tool_failed(&tool_receipt, "%s", reason.text);
    }
    (void)printf("made %s\ncheck it anywhere:  salus verify %s --genesis "
                 "FILE\n",
                 path, path);
    return TOOL_OK;
}

static int run_receipt(int argc, char **argv)
{
    const char *config = NULL;
    const char *replica = NULL;
    const char *path = NULL;
    uint8_t tx_id[SALUS_DIGEST_SIZE];
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        {.name = "--config", .value = &config},
        {.name = "--replica", .value = &replica},
        {.name = "-o", .value = &path},
        {.name = NULL}};

    int code =
        tool_options_parse(&tool_receipt, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count != 1 || path == NULL ||
        hex_decode(tx_id, sizeof tx_id, operands.items[0]) != PBFT_OK) {
        return tool_bad_usage(&tool_receipt, "a transaction id of 64 "
                                             "hexadecimal digits and -o are "
                                             "needed");
    }
    struct salus_client *client = tool_open(config, replica, 0);
    if (client == NULL) {
        return TOOL_FAILED;
    }
    code = fetch(client, tx_id, path);
    salus_close(client);
    return code;
}

const struct tool_command tool_receipt = {
    .name = "receipt",
    .usage = "TXID -o FILE [--config FILE] [--replica NAME]",
    .summary = "fetch the proof of a transaction, to keep",
    .help =
        "A receipt holds the signed request, the result of the transaction, "
        "its\n"
        "path to the block, and f + 1 attestations of that block. Anybody who\n"
        "has the genesis file can check it, offline and years later.\n"
        "\n"
        "  -o FILE            must not exist\n"
        "  --config FILE      client configuration; else $SALUS_CONFIG\n"
        "  --replica NAME     institution whose replica is asked first\n",
    .run = run_receipt,
};
