/* SPDX-License-Identifier: Apache-2.0 */
/* salus query: questions to the state of one replica. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/salus.h"
#include "client/tool_ask.h"
#include "client/tool_config.h"
#include "client/tool_consortium.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "crypto/hex.h"
#include "ledger/limits.h"
#include "proto/genesis.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

#define PAGES_MAX 4096 /* A million rows: more is a job for another tool. */
#define US_PER_MS 1000

/* One question with room for what it points to. */
struct question {
    Salus__V1__Query query;
    Salus__V1__ConsentStatusQuery status;
    Salus__V1__ConsentHistoryQuery history;
    Salus__V1__VerifyRecordQuery record;
    Salus__V1__TransactionQuery transaction;
    uint8_t id[LEDGER_HANDLE_SIZE];
    uint8_t cursor[LEDGER_QUERY_MAX];
};

struct arguments {
    const char *config;
    const char *replica;
    const char *subject;
    const char *commit;
    const char *at;
    const char *kind;
    const char *id;
    bool json;
};

/* `text` as an id of `size` bytes; false if it is none. */
static bool take_id(struct question *question, ProtobufCBinaryData *field,
                    const char *text, size_t size)
{
    if (text == NULL || hex_decode(question->id, size, text) != PBFT_OK) {
        (void)tool_bad_usage(&tool_query,
                             "%s: an id of %zu hexadecimal digits "
                             "is needed",
                             text != NULL ? text : "(nothing)", 2 * size);
        return false;
    }
    *field = (ProtobufCBinaryData){.len = size, .data = question->id};
    return true;
}

static bool ask_history(struct question *question,
                        const struct arguments *arguments)
{
    Salus__V1__ConsentHistoryQuery *history = &question->history;
    salus__v1__consent_history_query__init(history);
    question->query.kind_case = SALUS__V1__QUERY__KIND_CONSENT_HISTORY;
    question->query.consent_history = history;
    history->limit = LEDGER_PAGE_ROWS_MAX;
    if (arguments->subject != NULL) {
        return take_id(question, &history->subject, arguments->subject,
                       LEDGER_HANDLE_SIZE);
    }
    return take_id(question, &history->consent, arguments->id, LEDGER_ID_SIZE);
}

static bool ask_record(struct question *question,
                       const struct arguments *arguments)
{
    salus__v1__verify_record_query__init(&question->record);
    question->query.kind_case = SALUS__V1__QUERY__KIND_VERIFY_RECORD;
    question->query.verify_record = &question->record;
    if (arguments->commit != NULL) {
        return take_id(question, &question->record.commit, arguments->commit,
                       LEDGER_COMMIT_SIZE);
    }
    return take_id(question, &question->record.record, arguments->id,
                   LEDGER_ID_SIZE);
}

static bool ask(struct question *question, const struct arguments *arguments)
{
    salus__v1__query__init(&question->query);
    if (strcmp(arguments->kind, "consent-status") == 0) {
        salus__v1__consent_status_query__init(&question->status);
        question->query.kind_case = SALUS__V1__QUERY__KIND_CONSENT_STATUS;
        question->query.consent_status = &question->status;
        return take_id(question, &question->status.consent, arguments->id,
                       LEDGER_ID_SIZE) &&
               tool_time_read(&tool_query, arguments->at,
                              &question->status.at_ms);
    }
    if (strcmp(arguments->kind, "consent-history") == 0) {
        return ask_history(question, arguments);
    }
    if (strcmp(arguments->kind, "record") == 0) {
        return ask_record(question, arguments);
    }
    if (strcmp(arguments->kind, "tx") == 0) {
        salus__v1__transaction_query__init(&question->transaction);
        question->query.kind_case = SALUS__V1__QUERY__KIND_TRANSACTION;
        question->query.transaction = &question->transaction;
        return take_id(question, &question->transaction.tx_id, arguments->id,
                       SALUS_DIGEST_SIZE);
    }
    (void)tool_bad_usage(&tool_query, "no question \"%s\"", arguments->kind);
    return false;
}

/* ---- answers ------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    return length > strlen(end) &&
           strcmp(text + length - strlen(end), end) == 0;
}

static void print_value(const char *name, const json_t *value)
{
    char time[TOOL_TIME_TEXT_SIZE];
    if (json_is_integer(value)) {
        uint64_t number = (uint64_t)json_integer_value(value);
        bool in_ms = ends_with(name, "_ms");
        if (number != 0 && (in_ms || ends_with(name, "_us"))) {
            tool_time_text(time, in_ms ? number * US_PER_MS : number);
            (void)printf("%s", time);
        } else {
            (void)printf("%llu", (unsigned long long)number);
        }
    } else if (json_is_string(value)) {
        (void)printf("%s", json_string_value(value));
    } else {
        (void)printf("%s", json_is_true(value) ? "yes" : "no");
    }
}

/* Institutions by their short names, where the genesis has them. */
static void print_id(const struct salus_genesis *genesis, const char *text)
{
    struct pbft_institution id;
    const struct salus_member *member = NULL;
    if (genesis != NULL &&
        hex_decode(id.bytes, sizeof id.bytes, text) == PBFT_OK) {
        member = genesis_find(genesis, &id);
    }
    if (member != NULL) {
        (void)printf("%s (%s)", member->name, text);
    } else {
        (void)printf("%s", text);
    }
}

/* Rows of a history on a line each, everything else as name and value. */
static void print_fields(const json_t *object,
                         const struct salus_genesis *genesis)
{
    const char *name = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (json_is_array(value) || strcmp(name, "cursor") == 0) {
            continue;
        }
        (void)printf("%-22s ", name);
        if (strcmp(name, "institution") == 0 ||
            strcmp(name, "custodian") == 0) {
            print_id(genesis, json_string_value(value));
        } else {
            print_value(name, value);
        }
        (void)fputc('\n', stdout);
    }
}

static void print_events(const json_t *events)
{
    size_t index = 0;
    json_t *event = NULL;
    json_array_foreach((json_t *)(uintptr_t)events, index, event)
    {
        char time[TOOL_TIME_TEXT_SIZE];
        tool_time_text(time, (uint64_t)json_integer_value(
                                 json_object_get(event, "block_time_us")));
        (void)printf(
            "%s  %-15s consent %s  block %lld  tx %s\n", time,
            json_string_value(json_object_get(event, "kind")),
            json_string_value(json_object_get(event, "consent")),
            (long long)json_integer_value(json_object_get(event, "seq")),
            json_string_value(json_object_get(event, "tx_id")));
    }
}

static void print_answer(const Salus__V1__Answer *answer,
                         const struct salus_genesis *genesis, bool as_json)
{
    size_t index = 0;
    json_t *record = NULL;
    static const char *const kinds[] = {"consent_status", "verify_record",
                                        "transaction"};
    json_t *json = tool_json_of(&answer->base);

    if (as_json || json == NULL) {
        tool_json_print(json);
        return;
    }
    (void)printf("%-22s %llu (as this replica has it)\n", "height",
                 (unsigned long long)answer->height);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (json_object_get(json, kinds[i]) != NULL) {
            print_fields(json_object_get(json, kinds[i]), genesis);
        }
    }
    if (answer->kind_case == SALUS__V1__ANSWER__KIND_TRANSACTION) {
        (void)printf("%-22s %s: %s\n", "result",
                     salus_code_name(answer->transaction->code),
                     salus_code_text(answer->transaction->code));
    }
    json_array_foreach(json_object_get(json, "same_commit"), index, record)
    {
        (void)printf("\nanchored also as\n");
        print_fields(record, genesis);
    }
    print_events(
        json_object_get(json_object_get(json, "consent_history"), "events"));
    json_decref(json);
}

/* Asks for the page after this one; false if it was the last. */
static bool turn_page(struct question *question,
                      const Salus__V1__Answer *answer)
{
    if (answer->kind_case != SALUS__V1__ANSWER__KIND_CONSENT_HISTORY ||
        answer->consent_history->cursor.len == 0 ||
        answer->consent_history->cursor.len > sizeof question->cursor) {
        return false;
    }
    memcpy(question->cursor, answer->consent_history->cursor.data,
           answer->consent_history->cursor.len);
    question->history.cursor = (ProtobufCBinaryData){
        .len = answer->consent_history->cursor.len, .data = question->cursor};
    return true;
}

/* One question and its answer. -1: there is another page. */
static int exchange(struct salus_client *client, struct question *question,
                    const struct salus_genesis *genesis, bool as_json)
{
    struct wire_buffer bytes;
    struct wire_arena arena;
    struct salus_bytes reply = {NULL, 0};
    struct ProtobufCMessage *message = NULL;
    enum salus_status status = SALUS_NO_MEMORY;
    int code = TOOL_FAILED;

    wire_buffer_init(&bytes, LEDGER_QUERY_MAX);
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_pack(&question->query.base, &bytes) == PBFT_OK) {
        struct pbft_bytes packed = wire_buffer_bytes(&bytes);
        status = salus_query_local(client, &reply, packed.data, packed.size);
    }
    if (status != SALUS_OK) {
        (void)tool_failed(
            &tool_query, "%s%s", tool_one_replica_text(status),
            status == SALUS_UNREACHABLE ? "; another one: --replica NAME" : "");
    } else if (wire_unpack_strict(&salus__v1__answer__descriptor,
                                  (struct pbft_bytes){reply.data, reply.size},
                                  &arena, &message) != PBFT_OK) {
        (void)tool_failed(&tool_query, "the answer cannot be read");
    } else {
        const Salus__V1__Answer *answer = (const Salus__V1__Answer *)message;
        if (answer->code == 0) {
            print_answer(answer, genesis, as_json);
            code = turn_page(question, answer) ? -1 : TOOL_OK;
        } else if (as_json) {
            tool_json_print(tool_json_of(message));
        } else {
            (void)tool_failed(&tool_query, "%s: %s",
                              salus_code_name(answer->code),
                              salus_code_text(answer->code));
        }
    }
    salus_free(&reply);
    wire_arena_deinit(&arena);
    wire_buffer_deinit(&bytes);
    return code;
}

/* For names only: without it ids are printed. */
static struct salus_genesis *load_names(const char *config_path)
{
    struct tool_config config;
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    if (tool_config_load(&config, config_path, NULL) != PBFT_OK ||
        genesis_file_load(&genesis, &cluster, config.genesis, NULL) !=
            PBFT_OK) {
        return NULL;
    }
    return genesis;
}

static int ask_all_pages(const struct arguments *arguments,
                         struct question *question)
{
    struct salus_client *client =
        tool_open(arguments->config, arguments->replica, 0);
    if (client == NULL) {
        return TOOL_FAILED;
    }
    struct salus_genesis *genesis = load_names(arguments->config);
    int code = -1;
    for (int page = 0; page < PAGES_MAX && code == -1; page++) {
        code = exchange(client, question, genesis, arguments->json);
    }
    genesis_destroy(genesis);
    salus_close(client);
    return code == -1 ? TOOL_OK : code;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        {.name = "--config", .value = &arguments.config},
        {.name = "--replica", .value = &arguments.replica},
        {.name = "--subject", .value = &arguments.subject},
        {.name = "--commit", .value = &arguments.commit},
        {.name = "--at", .value = &arguments.at},
        {.name = "--json", .flag = &arguments.json},
        {.name = NULL}};
    struct question question;

    int code = tool_options_parse(&tool_query, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count == 0 || operands.count > 2) {
        return tool_bad_usage(&tool_query, "a question is needed");
    }
    memset(&question, 0, sizeof question);
    arguments.kind = operands.items[0];
    arguments.id = operands.count == 2 ? operands.items[1] : NULL;
    if (!ask(&question, &arguments)) {
        return TOOL_USAGE;
    }
    return ask_all_pages(&arguments, &question);
}

const struct tool_command tool_query = {
    .name = "query",
    .usage = "consent-status ID | consent-history ID | consent-history "
             "--subject HANDLE\n"
             "       | record ID | record --commit HEX | tx TXID\n"
             "       [--at TIME] [--config FILE] [--replica NAME] [--json]",
    .summary = "ask a replica what stands in the ledger",
    .help =
        "The answer is that of one replica, by default the own one, from its\n"
        "own state (read level local). What must be proved to others is a\n"
        "receipt: see salus help receipt.\n"
        "\n"
        "  consent-status ID     is this consent in force? With --at TIME: "
        "was\n"
        "                        it then (2026-11-28T10:15:00Z, or ms)?\n"
        "  consent-history ID    what became of it; or of all consents of a\n"
        "                        subject: --subject HANDLE\n"
        "  record ID             where and since when a record is anchored;\n"
        "                        or that with a commitment: --commit HEX\n"
        "  tx TXID               in which block, and with what result\n"
        "\n"
        "  --config FILE         client configuration; else $SALUS_CONFIG\n"
        "  --replica NAME        institution whose replica is asked\n"
        "  --json                one line of JSON (a page of 256 rows each)\n"
        "\n"
        "Exit code 1: there is no such thing, or the caller may not see it.\n",
    .run = run,
};
