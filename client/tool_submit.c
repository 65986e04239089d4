/* SPDX-License-Identifier: Apache-2.0 */
/* salus submit: transactions written as JSON, by the field names of
 * ledger.proto. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/salus.h"
#include "client/tool_config.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "client/tool_transaction.h"
#include "crypto/hex.h"
#include "ledger/errors.h"
#include "ledger/transaction.h"

#define SECONDS_MAX 3600
#define FRAMING_BYTES_MAX 4 /* Of each in a request. */

/* What is submitted, and what came of it. */
struct batch {
    struct salus_client *client;
    struct transaction_bytes *encoded;
    struct salus_transaction *transactions;
    struct salus_result *results;
    size_t count;
    struct tool_identity identity;
    bool is_closed; /* The session is, for ever. */
};

static bool batch_init(struct batch *batch, const json_t *json)
{
    batch->count = json_is_array(json) ? json_array_size(json) : 1;
    batch->encoded = calloc(batch->count + 1, sizeof *batch->encoded);
    batch->transactions = calloc(batch->count + 1, sizeof *batch->transactions);
    batch->results = calloc(batch->count + 1, sizeof *batch->results);
    return batch->encoded != NULL && batch->transactions != NULL &&
           batch->results != NULL;
}

static void batch_deinit(struct batch *batch)
{
    for (size_t i = 0; batch->encoded != NULL && i < batch->count; i++) {
        free(batch->encoded[i].data);
    }
    free(batch->encoded);
    free(batch->transactions);
    free(batch->results);
}

/* Done now, or when the same file was submitted before. */
static bool is_done(const struct salus_result *result)
{
    return result->status == SALUS_OK || (result->status == SALUS_REFUSED &&
                                          result->code == LEDGER_TX_DUPLICATE);
}

static json_t *result_json(const struct salus_result *result)
{
    char id[2 * SALUS_DIGEST_SIZE + 1];
    hex_encode(id, (struct pbft_bytes){result->tx_id, sizeof result->tx_id});
    return json_pack("{s:s, s:b, s:I, s:s, s:s, s:I, s:I}", "tx_id", id, "done",
                     is_done(result), "code", (json_int_t)result->code,
                     "code_name", salus_code_name(result->code), "status",
                     salus_status_text(result->status), "seq",
                     (json_int_t)result->seq, "block_time_us",
                     (json_int_t)result->block_time_us);
}

static void result_text(const struct salus_result *result)
{
    char id[2 * SALUS_DIGEST_SIZE + 1];
    char time[TOOL_TIME_TEXT_SIZE];
    hex_encode(id, (struct pbft_bytes){result->tx_id, sizeof result->tx_id});
    tool_time_text(time, result->block_time_us);
    if (result->status == SALUS_OK) {
        (void)printf("%s  done, block %llu, %s\n", id,
                     (unsigned long long)result->seq, time);
    } else if (is_done(result)) {
        (void)printf("%s  done before: %s\n", id,
                     salus_code_name(result->code));
    } else if (result->status == SALUS_REFUSED) {
        (void)printf("%s  refused, block %llu: %s: %s\n", id,
                     (unsigned long long)result->seq,
                     salus_code_name(result->code),
                     salus_code_text(result->code));
    } else {
        bool has_code = result->code != 0;
        (void)printf("%s  %s%s%s%s%s\n", id, salus_status_text(result->status),
                     has_code ? ": " : "",
                     has_code ? salus_code_name(result->code) : "",
                     has_code ? ": " : "",
                     has_code ? salus_code_text(result->code) : "");
    }
}

/* The clock is behind what stood in the file once, or was ahead then. */
static void say_session_closed(const char *config_path)
{
    struct tool_config config;
    if (tool_config_load(&config, config_path, NULL) != PBFT_OK) {
        return;
    }
    bool is_named = config.session[0] != '\0';
    (void)tool_failed(&tool_submit,
                      "session file %s%s: put a larger number into it than any "
                      "used before; `date +%%s%%6N` is one unless a clock was "
                      "ahead",
                      is_named ? config.session : config.key,
                      is_named ? "" : ".session");
}

/* How many go into the next request. One always fits. */
static size_t next_count(const struct batch *batch, size_t at)
{
    size_t bytes = 0;
    size_t count = 0;
    while (at + count < batch->count && count < SALUS_TRANSACTIONS_MAX) {
        bytes += batch->transactions[at + count].size + FRAMING_BYTES_MAX;
        if (count > 0 && bytes > SALUS_REQUEST_BYTES_MAX) {
            break;
        }
        count++;
    }
    return count;
}

static int submit_all(struct batch *batch, bool as_json)
{
    int code = TOOL_OK;
    size_t count = 0;
    for (size_t at = 0; at < batch->count; at += count) {
        count = next_count(batch, at);
        (void)salus_submit_many(batch->client, batch->results + at,
                                batch->transactions + at, count);
        for (size_t i = at; i < at + count; i++) {
            code = is_done(&batch->results[i]) ? code : TOOL_FAILED;
            batch->is_closed |= batch->results[i].code == LEDGER_SESSION_CLOSED;
            if (as_json) {
                tool_json_print(result_json(&batch->results[i]));
            } else {
                result_text(&batch->results[i]);
            }
        }
    }
    return code;
}

static int submit_json(struct salus_client *client, const json_t *json,
                       bool as_json, const char *config)
{
    struct batch batch = {.client = client};
    struct salus_reason reason = {""};
    enum pbft_status status = PBFT_OK;
    int code = TOOL_FAILED;

    salus_identity(client, batch.identity.cluster.bytes,
                   batch.identity.institution.bytes,
                   batch.identity.key_id.bytes);
    if (!batch_init(&batch, json)) {
        batch_deinit(&batch);
        return tool_failed(&tool_submit, "out of memory");
    }
    for (size_t i = 0; i < batch.count && status == PBFT_OK; i++) {
        const json_t *item =
            json_is_array(json) ? json_array_get(json, i) : json;
        status = tool_transaction_encode(&batch.encoded[i], &batch.identity,
                                         item, &reason);
        batch.transactions[i] = (struct salus_transaction){
            batch.encoded[i].data, batch.encoded[i].size};
        if (status != PBFT_OK) {
            (void)tool_failed(&tool_submit, "transaction %zu: %s", i + 1,
                              reason.text[0] != '\0'
                                  ? reason.text
                                  : pbft_status_text(status));
        }
    }
    if (status == PBFT_OK) {
        code = submit_all(&batch, as_json);
    }
    if (batch.is_closed) {
        say_session_closed(config);
    }
    batch_deinit(&batch);
    return code;
}

static int run(int argc, char **argv)
{
    const char *config = NULL;
    const char *replica = NULL;
    const char *timeout = NULL;
    bool as_json = false;
    uint64_t seconds = 0;
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        {.name = "--config", .value = &config},
        {.name = "--replica", .value = &replica},
        {.name = "--timeout", .value = &timeout},
        {.name = "--json", .flag = &as_json},
        {.name = NULL}};

    int code = tool_options_parse(&tool_submit, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count != 1) {
        return tool_bad_usage(&tool_submit, "one file is needed, or -");
    }
    if (!tool_number(&tool_submit, "--timeout", timeout, 1, SECONDS_MAX,
                     &seconds)) {
        return TOOL_USAGE;
    }
    json_t *json = tool_transaction_load(&tool_submit, operands.items[0]);
    if (json == NULL) {
        return TOOL_FAILED;
    }
    code = TOOL_FAILED;
    struct salus_client *client =
        tool_open(config, replica, (unsigned)(seconds * 1000));
    if (client != NULL) {
        code = submit_json(client, json, as_json, config);
        salus_close(client);
    }
    json_decref(json);
    return code;
}

const struct tool_command tool_submit = {
    .name = "submit",
    .usage = "FILE|- [--config FILE] [--replica NAME]\n"
             "       [--timeout SECONDS] [--json]",
    .summary = "submit transactions written as JSON, and wait for the proof",
    .help =
        "FILE holds one transaction or a list of them, by the field names of\n"
        "proto/salus/v1/ledger.proto (TransactionBody). Bytes are "
        "hexadecimal;\n"
        "codes are numbers or their names (\"purpose\": \"TREAT\"). "
        "Consortium,\n"
        "institution, key, versions and not_after_ms (in 24 hours) are filled\n"
        "in if they are left out. A number above 2^63 - 1 stands in quotes.\n"
        "A code that the consortium has added needs the \"table_version\" "
        "that\n"
        "has it: `salus query codes` tells which.\n"
        "Up to 1024 transactions, or 1 MiB of them, go in one request.\n"
        "\n"
        "One line per transaction: its id, and what came of it, proved by f + "
        "1\n"
        "signatures. Exit code 0: all were done. What was not proved in time "
        "may\n"
        "still happen: `salus query tx ID` tells. What `salus cosign` has "
        "fixed\n"
        "may be submitted again: it is done once, and then \"done before\".\n"
        "\n"
        "  --config FILE      client configuration; else $SALUS_CONFIG\n"
        "  --replica NAME     institution whose replica is asked first\n"
        "  --timeout SECONDS  for the whole call\n"
        "  --json             one object per line\n"
        "\n"
        "example:\n"
        "  echo '{\"consent_revoke\": {\"consent\":\n"
        "    \"00112233445566778899aabbccddeeff\", \"reason\": "
        "\"withdrawn-by-subject\",\n"
        "    \"revoked_at_ms\": 1790000000000}}' | salus submit -\n",
    .run = run,
};
