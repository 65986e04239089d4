/* SPDX-License-Identifier: Apache-2.0 */
/* salus receipt, salus verify: the proof, fetched and checked offline. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "client/receipt.h"
#include "client/salus.h"
#include "client/tool_config.h"
#include "client/tool_folder.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "consensus/quorum.h"
#include "crypto/hex.h"
#include "proto/genesis.h"

#define HEX_ID_SIZE (2 * PBFT_DIGEST_SIZE + 1)

/* ---- salus receipt ------------------------------------------------------- */

static int fetch(struct salus_client *client,
                 const uint8_t tx_id[SALUS_DIGEST_SIZE], const char *path)
{
    struct salus_bytes bytes = {NULL, 0};
    struct salus_reason reason = {""};
    enum salus_status status = salus_receipt(client, &bytes, tx_id);

    if (status != SALUS_OK) {
        return tool_failed(&tool_receipt, "%s", salus_status_text(status));
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

/* ---- salus verify -------------------------------------------------------- */

static const char *member_name(const struct salus_genesis *genesis,
                               const struct pbft_institution *institution)
{
    const struct salus_member *member = genesis_find(genesis, institution);
    return member != NULL ? member->name : "an institution that is no member";
}

static const char *signer_name(const struct salus_genesis *genesis,
                               pbft_replica_id replica)
{
    const struct salus_member *member = genesis_replica(genesis, replica);
    return member != NULL ? member->name : "?";
}

static void print_facts(const struct receipt_facts *facts,
                        const struct salus_genesis *genesis)
{
    char id[HEX_ID_SIZE];
    char time[TOOL_TIME_TEXT_SIZE];

    hex_encode(id, (struct pbft_bytes){facts->tx_id.bytes, PBFT_DIGEST_SIZE});
    tool_time_text(time, facts->block.block_time);
    (void)printf("valid\n"
                 "transaction   %s\n"
                 "kind          %s, by %s\n"
                 "ordered       block %" PRIu64 ", %s (within %u ms)\n",
                 id, transaction_type_name(facts->summary.type),
                 member_name(genesis, &facts->institution), facts->block.seq,
                 time, (unsigned)genesis->parameters.time_bound_ms);
    if (facts->code == 0) {
        (void)printf("executed      done\n");
    } else {
        (void)printf("executed      NOT DONE: refused by the ledger: %s: %s\n",
                     salus_code_name(facts->code),
                     salus_code_text(facts->code));
    }
    (void)printf("attested by  ");
    for (uint32_t i = 0; i < facts->signer_count; i++) {
        (void)printf(" %s", signer_name(genesis, facts->signers[i]));
    }
    (void)printf("  (%u needed of %u)\n",
                 (unsigned)pbft_weak_quorum(genesis_replica_count(genesis)),
                 (unsigned)genesis_replica_count(genesis));
}

static json_t *facts_json(const struct receipt_facts *facts,
                          const struct salus_genesis *genesis)
{
    char id[HEX_ID_SIZE];
    char root[HEX_ID_SIZE];
    json_t *signers = json_array();

    hex_encode(id, (struct pbft_bytes){facts->tx_id.bytes, PBFT_DIGEST_SIZE});
    hex_encode(root, (struct pbft_bytes){facts->block.ledger_root.bytes,
                                         PBFT_DIGEST_SIZE});
    for (uint32_t i = 0; i < facts->signer_count; i++) {
        (void)json_array_append_new(
            signers, json_string(signer_name(genesis, facts->signers[i])));
    }
    return json_pack(
        "{s:b, s:s, s:s, s:s, s:I, s:I, s:b, s:I, s:s, s:s, s:o}", "valid", 1,
        "tx_id", id, "type", transaction_type_name(facts->summary.type),
        "institution", member_name(genesis, &facts->institution), "seq",
        (json_int_t)facts->block.seq, "block_time_us",
        (json_int_t)facts->block.block_time, "done", facts->code == 0, "code",
        (json_int_t)facts->code, "code_name", salus_code_name(facts->code),
        "ledger_root", root, "attested_by", signers);
}

static int report_failure(enum receipt_check failed,
                          const struct salus_reason *reason, bool as_json)
{
    if (as_json) {
        tool_json_print(json_pack("{s:b, s:s, s:s}", "valid", 0, "failed_check",
                                  receipt_check_name(failed), "reason",
                                  reason->text));
        return TOOL_FAILED;
    }
    (void)printf("NOT VALID\n");
    for (int check = RECEIPT_FORMAT; check <= RECEIPT_CHECK_COUNT; check++) {
        const char *verdict = check < (int)failed    ? "passed"
                              : check == (int)failed ? "FAILED"
                                                     : "not reached";
        (void)printf("  %-38s %s\n",
                     receipt_check_name((enum receipt_check)check), verdict);
    }
    return tool_failed(&tool_verify, "%s: %s", receipt_check_name(failed),
                       reason->text);
}

static int verify(const char *path, const struct salus_genesis *genesis,
                  const struct pbft_digest *cluster, bool as_json)
{
    struct wire_buffer bytes;
    struct salus_reason reason = {""};
    struct receipt_facts facts;
    enum receipt_check failed = RECEIPT_FORMAT;
    int code = TOOL_OK;

    enum pbft_status status = tool_armor_load(&bytes, path, ARMOR_RECEIPT,
                                              RECEIPT_BYTES_MAX, &reason);
    if (status == PBFT_OK) {
        status = receipt_verify(&facts, &failed, &reason,
                                wire_buffer_bytes(&bytes), genesis, cluster);
    }
    if (status != PBFT_OK) {
        code = report_failure(failed, &reason, as_json);
    } else if (as_json) {
        tool_json_print(facts_json(&facts, genesis));
    } else {
        print_facts(&facts, genesis);
    }
    wire_buffer_deinit(&bytes);
    return code;
}

static int run_verify(int argc, char **argv)
{
    const char *genesis_path = NULL;
    bool as_json = false;
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        {.name = "--genesis", .value = &genesis_path},
        {.name = "--json", .flag = &as_json},
        {.name = NULL}};
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    struct salus_reason reason = {""};

    int code = tool_options_parse(&tool_verify, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count != 1 || genesis_path == NULL) {
        return tool_bad_usage(&tool_verify,
                              "a receipt and --genesis FILE are needed");
    }
    enum pbft_status status =
        genesis_file_load(&genesis, &cluster, genesis_path, &reason);
    if (status != PBFT_OK) {
        return tool_failed(&tool_verify, "%s", reason.text);
    }
    code = verify(operands.items[0], genesis, &cluster, as_json);
    genesis_destroy(genesis);
    return code;
}

const struct tool_command tool_verify = {
    .name = "verify",
    .usage = "FILE --genesis FILE [--json]",
    .summary = "check a receipt offline",
    .help =
        "Checks, in this order: the format of the receipt; that it is of the\n"
        "consortium of the genesis file; the signature of the request; that "
        "the\n"
        "transaction stands in it; the path from its result to the root of "
        "the\n"
        "block; and that f + 1 distinct members attest that block. Needs no\n"
        "network and no key. On failure it says which check failed, and why.\n"
        "\n"
        "A valid receipt proves that the transaction was ordered. Whether it\n"
        "was also done, or refused by the ledger, it tells apart. That a\n"
        "consent was granted does not prove that it was not revoked later.\n"
        "\n"
        "  --genesis FILE   the pinned genesis; compare its fingerprint once\n"
        "  --json           one line of JSON\n"
        "\n"
        "Exit code 0: valid, also of a transaction that was refused; 1: not.\n",
    .run = run_verify,
};
