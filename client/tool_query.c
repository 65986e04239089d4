/* SPDX-License-Identifier: Apache-2.0 */
/* salus query: what stands in the ledger. */
#include <string.h>

#include "client/tool_ask.h"
#include "ledger/limits.h"

/* One question with room for what it points to. */
struct question {
    Salus__V1__Query query;
    Salus__V1__ConsentStatusQuery status;
    Salus__V1__ConsentHistoryQuery history;
    Salus__V1__VerifyRecordQuery record;
    Salus__V1__TransactionQuery transaction;
    Salus__V1__CodesQuery codes;
    Salus__V1__ConsentsQuery consents;
    Salus__V1__InstitutionsQuery institutions;
    Salus__V1__IndeterminateQuery indeterminate;
    ProtobufCBinaryData list[1];
    uint8_t id[LEDGER_HANDLE_SIZE];
};

struct arguments {
    struct tool_ask *ask;
    const char *name; /* Of the question. */
    const char *subject;
    const char *commit;
    const char *at;
    const char *at_seq;
    const char *id;
};

/* These options are not for this question. */
static bool takes_no_times(const struct arguments *arguments)
{
    return tool_option_unused(&tool_query, arguments->name, "--at",
                              arguments->at) &&
           tool_option_unused(&tool_query, arguments->name, "--at-block",
                              arguments->at_seq);
}

static bool takes_no_subject(const struct arguments *arguments)
{
    return tool_option_unused(&tool_query, arguments->name, "--subject",
                              arguments->subject);
}

static bool takes_no_commit(const struct arguments *arguments)
{
    return tool_option_unused(&tool_query, arguments->name, "--commit",
                              arguments->commit);
}

/* One of two is asked about. */
static bool is_one_of_two(const struct arguments *arguments, const char *option,
                          const char *value)
{
    if ((arguments->id == NULL) != (value == NULL)) {
        return true;
    }
    (void)tool_bad_usage(&tool_query, "%s needs an id or %s, and not both",
                         arguments->name, option);
    return false;
}

/* --at or --at-block. */
static bool read_moment(const struct arguments *arguments, uint64_t *at_ms,
                        uint64_t *at_seq)
{
    if (arguments->at != NULL && arguments->at_seq != NULL) {
        (void)tool_bad_usage(&tool_query, "--at or --at-block, and not both");
        return false;
    }
    return tool_moment_read(&tool_query, arguments->at, at_ms) &&
           tool_number(&tool_query, "--at-block", arguments->at_seq, 1,
                       UINT64_MAX, at_seq);
}

static bool ask_status(struct question *question,
                       const struct arguments *arguments)
{
    Salus__V1__ConsentStatusQuery *status = &question->status;
    if (!takes_no_subject(arguments) || !takes_no_commit(arguments)) {
        return false;
    }
    salus__v1__consent_status_query__init(status);
    question->query.kind_case = SALUS__V1__QUERY__KIND_CONSENT_STATUS;
    question->query.consent_status = status;
    return tool_id_field(&tool_query, arguments->id, question->id,
                         LEDGER_ID_SIZE, &status->consent) &&
           read_moment(arguments, &status->at_ms, &status->at_seq);
}

static bool ask_consents(struct question *question,
                         const struct arguments *arguments)
{
    Salus__V1__ConsentsQuery *consents = &question->consents;
    if (!takes_no_commit(arguments) ||
        !tool_option_unused(&tool_query, arguments->name, "an id",
                            arguments->id)) {
        return false;
    }
    if (arguments->subject == NULL) {
        (void)tool_bad_usage(&tool_query, "consents needs --subject");
        return false;
    }
    salus__v1__consents_query__init(consents);
    consents->limit = LEDGER_PAGE_ROWS_MAX;
    question->query.kind_case = SALUS__V1__QUERY__KIND_CONSENTS;
    question->query.consents = consents;
    return tool_id_field(&tool_query, arguments->subject, question->id,
                         LEDGER_HANDLE_SIZE, &consents->subject) &&
           read_moment(arguments, &consents->at_ms, &consents->at_seq);
}

static bool ask_history(struct question *question,
                        const struct arguments *arguments)
{
    Salus__V1__ConsentHistoryQuery *history = &question->history;
    if (!takes_no_times(arguments) || !takes_no_commit(arguments) ||
        !is_one_of_two(arguments, "--subject", arguments->subject)) {
        return false;
    }
    salus__v1__consent_history_query__init(history);
    question->query.kind_case = SALUS__V1__QUERY__KIND_CONSENT_HISTORY;
    question->query.consent_history = history;
    history->limit = LEDGER_PAGE_ROWS_MAX;
    return arguments->subject != NULL
               ? tool_id_field(&tool_query, arguments->subject, question->id,
                               LEDGER_HANDLE_SIZE, &history->subject)
               : tool_id_field(&tool_query, arguments->id, question->id,
                               LEDGER_ID_SIZE, &history->consent);
}

static bool ask_record(struct question *question,
                       const struct arguments *arguments)
{
    Salus__V1__VerifyRecordQuery *record = &question->record;
    if (!takes_no_times(arguments) || !takes_no_subject(arguments) ||
        !is_one_of_two(arguments, "--commit", arguments->commit)) {
        return false;
    }
    salus__v1__verify_record_query__init(record);
    question->query.kind_case = SALUS__V1__QUERY__KIND_VERIFY_RECORD;
    question->query.verify_record = record;
    return arguments->commit != NULL
               ? tool_id_field(&tool_query, arguments->commit, question->id,
                               LEDGER_COMMIT_SIZE, &record->commit)
               : tool_id_field(&tool_query, arguments->id, question->id,
                               LEDGER_ID_SIZE, &record->record);
}

static bool ask_transaction(struct question *question,
                            const struct arguments *arguments)
{
    Salus__V1__TransactionQuery *transaction = &question->transaction;
    if (!takes_no_times(arguments) || !takes_no_subject(arguments) ||
        !takes_no_commit(arguments)) {
        return false;
    }
    salus__v1__transaction_query__init(transaction);
    question->query.kind_case = SALUS__V1__QUERY__KIND_TRANSACTION;
    question->query.transaction = transaction;
    return tool_id_field(&tool_query, arguments->id, question->id,
                         PBFT_DIGEST_SIZE, &transaction->tx_id);
}

static bool ask_codes(struct question *question,
                      const struct arguments *arguments)
{
    Salus__V1__CodesQuery *codes = &question->codes;
    if (!takes_no_times(arguments) || !takes_no_subject(arguments) ||
        !takes_no_commit(arguments) ||
        !tool_option_unused(&tool_query, arguments->name, "an id",
                            arguments->id)) {
        return false;
    }
    salus__v1__codes_query__init(codes);
    codes->limit = LEDGER_PAGE_ROWS_MAX;
    question->query.kind_case = SALUS__V1__QUERY__KIND_CODES;
    question->query.codes = codes;
    return true;
}

/* All, or the one that is named. */
static bool ask_institutions(struct question *question,
                             const struct arguments *arguments)
{
    Salus__V1__InstitutionsQuery *institutions = &question->institutions;
    if (!takes_no_times(arguments) || !takes_no_subject(arguments) ||
        !takes_no_commit(arguments)) {
        return false;
    }
    salus__v1__institutions_query__init(institutions);
    question->query.kind_case = SALUS__V1__QUERY__KIND_INSTITUTIONS;
    question->query.institutions = institutions;
    institutions->limit = LEDGER_DIRECTORY_ROWS_MAX;
    if (arguments->id == NULL) {
        return true;
    }
    institutions->institutions = question->list;
    institutions->n_institutions = 1;
    return tool_institution_field(arguments->ask, arguments->id, question->id,
                                  &question->list[0]);
}

/* Of the own institution, or of one whose patients it has taken over. */
static bool ask_indeterminate(struct question *question,
                              const struct arguments *arguments)
{
    Salus__V1__IndeterminateQuery *indeterminate = &question->indeterminate;
    if (!takes_no_times(arguments) || !takes_no_subject(arguments) ||
        !takes_no_commit(arguments)) {
        return false;
    }
    salus__v1__indeterminate_query__init(indeterminate);
    question->query.kind_case = SALUS__V1__QUERY__KIND_INDETERMINATE;
    question->query.indeterminate = indeterminate;
    indeterminate->limit = LEDGER_PAGE_ROWS_MAX;
    return tool_institution_field(arguments->ask, arguments->id, question->id,
                                  &indeterminate->institution);
}

static const struct {
    const char *name;
    bool (*ask)(struct question *question, const struct arguments *arguments);
} kinds[] = {{"consent-status", ask_status},
             {"consent-history", ask_history},
             {"record", ask_record},
             {"tx", ask_transaction},
             {"codes", ask_codes},
             {"consents", ask_consents},
             {"institutions", ask_institutions},
             {"indeterminate", ask_indeterminate}};

/* The questions that are commands of their own may be asked here too. */
static const struct tool_command *find_command(const char *name)
{
    static const struct tool_command *const commands[] = {
        &tool_accounting, &tool_may,      &tool_bg,
        &tool_due,        &tool_suspects, &tool_explain};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static int run_kind(const struct arguments *arguments)
{
    struct question question;
    const char *name = arguments->name;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            memset(&question, 0, sizeof question);
            salus__v1__query__init(&question.query);
            return kinds[i].ask(&question, arguments)
                       ? tool_ask(arguments->ask, &question.query)
                       : TOOL_USAGE;
        }
    }
    if (find_command(name) != NULL) {
        return tool_bad_usage(&tool_query,
                              "%s comes before its options: "
                              "salus query %s ...",
                              name, name);
    }
    return tool_bad_usage(&tool_query,
                          "no question \"%.32s\": consent-status, "
                          "consent-history, consents, record, tx, codes, "
                          "institutions, indeterminate, or a command",
                          name);
}

static int run(int argc, char **argv)
{
    struct tool_ask ask = {.command = &tool_query};
    struct arguments arguments = {.ask = &ask};
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        TOOL_ASK_OPTIONS(ask),
        {.name = "--subject", .value = &arguments.subject},
        {.name = "--commit", .value = &arguments.commit},
        {.name = "--at", .value = &arguments.at},
        {.name = "--at-block", .value = &arguments.at_seq},
        {.name = NULL}};
    const struct tool_command *other = argc > 1 ? find_command(argv[1]) : NULL;
    if (other != NULL) {
        return other->run(argc - 1, argv + 1);
    }
    int code = tool_options_parse(&tool_query, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count == 0 || operands.count > 2) {
        return tool_bad_usage(&tool_query, "a question is needed, and one id");
    }
    arguments.name = operands.items[0];
    arguments.id = operands.count == 2 ? operands.items[1] : NULL;
    return run_kind(&arguments);
}

const struct tool_command tool_query = {
    .name = "query",
    .usage =
        "consent-status ID [--at TIME | --at-block N]\n"
        "       | consent-history ID | consent-history --subject HANDLE\n"
        "       | consents --subject HANDLE [--at TIME | --at-block N]\n"
        "       | record ID | record --commit HEX | tx TXID | codes\n"
        "       | institutions [INSTITUTION] | indeterminate [INSTITUTION]\n"
        "       | accounting ... | may ... | bg ... | due ... | "
        "suspects ... | explain ...\n"
        "       " TOOL_ASK_USAGE,
    .summary = "ask what stands in the ledger",
    .help =
        "Three read levels. Without an option the answer is that of one\n"
        "replica, by default the own one. --certified: f + 1 replicas sign "
        "the\n"
        "same answer, after the same block; whoever does not agree is named.\n"
        "--ordered: the same, and nothing that was proved to anybody before "
        "is\n"
        "missing. Each replica that is asked sees the question.\n"
        "\n"
        "  consent-status ID     is this consent in force? With --at TIME: "
        "was\n"
        "                        it then (2026-11-28T10:15:00Z, or ms)? With\n"
        "                        --at-block N: after that block?\n"
        "  consent-history ID    what became of it; or of all consents of a\n"
        "                        subject: --subject HANDLE (salus vault "
        "handle)\n"
        "  consents              which consents of a subject are in force, "
        "or on\n"
        "                        file: --subject HANDLE; with --at or "
        "--at-block:\n"
        "                        which were then, however long ago that is\n"
        "  record ID             where and since when a record is anchored;\n"
        "                        or that with a commitment: --commit HEX\n"
        "  tx TXID               in which block, and with what result\n"
        "  codes                 which codes the consortium has added to the\n"
        "                        tables, and the table_version that a\n"
        "                        transaction must name to carry them\n"
        "  institutions          the directory: names, country, roles, numbers "
        "in\n"
        "                        registers and addresses of all institutions, "
        "or\n"
        "                        of one, by its name or id; where each stands, "
        "and\n"
        "                        since when\n"
        "  indeterminate         the own patients whose consent on file no "
        "machine\n"
        "                        can read (CONSENT_EVIDENCE), oldest first: a "
        "privacy\n"
        "                        officer reads it and submits SUBJECT_SETTLE\n"
        "                        with the newest that was read. Or of an\n"
        "                        institution that has left, for its successor\n"
        "  accounting, may, bg, due, suspects, explain\n"
        "                        as the commands of these names\n"
        "\n"
        "INSTITUTION is an id or a name. A name of the genesis means that "
        "member;\n"
        "others are looked up in the directory, at the same read level, and\n"
        "refused if several institutions bear them.\n"
        "\n" TOOL_ASK_HELP "\n"
        "Exit code 1: there is no such thing, the caller may not see it, or\n"
        "it could not be certified.\n",
    .run = run,
};
