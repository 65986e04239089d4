/* SPDX-License-Identifier: Apache-2.0 */
/* salus explain, accounting, bg, may, due, suspects: what privacy officers ask
 * of the ledger. */
#include <stdio.h>
#include <string.h>

#include "client/tool_ask.h"
#include "ledger/limits.h"

/* Options that all of them have. */
struct common {
    struct tool_ask ask;
    struct tool_list operands;
};

#define COMMON_OPTIONS(common)                                                 \
    {.name = "--config", .value = &(common).ask.config},                       \
        {.name = "--replica", .value = &(common).ask.replica},                 \
    {                                                                          \
        .name = "--json", .flag = &(common).ask.json                           \
    }

#define COMMON_HELP                                                            \
    "  --config FILE         client configuration; else $SALUS_CONFIG\n"       \
    "  --replica NAME        institution whose replica is asked\n"             \
    "  --json                one line of JSON for each page\n"

#define TEXT(title, field)                                                     \
    {                                                                          \
        title, field, TOOL_COLUMN_TEXT, (enum codes_table)0                    \
    }
#define MS(title, field)                                                       \
    {                                                                          \
        title, field, TOOL_COLUMN_TIME_MS, (enum codes_table)0                 \
    }
#define US(title, field)                                                       \
    {                                                                          \
        title, field, TOOL_COLUMN_TIME_US, (enum codes_table)0                 \
    }
#define INSTITUTION(title, field)                                              \
    {                                                                          \
        title, field, TOOL_COLUMN_INSTITUTION, (enum codes_table)0             \
    }
#define CODE(title, field, table)                                              \
    {                                                                          \
        title, field, TOOL_COLUMN_CODE, table                                  \
    }
#define END                                                                    \
    {                                                                          \
        NULL, NULL, TOOL_COLUMN_TEXT, (enum codes_table)0                      \
    }

/* ---- explain ------------------------------------------------------------- */

static const struct tool_column decision_columns[] = {
    TEXT("request", "request"),
    INSTITUTION("requester", "requester"),
    TEXT("participant", "participant"),
    TEXT("subject", "subject"),
    INSTITUTION("custodian", "custodian"),
    CODE("purpose", "purpose", CODES_PURPOSE),
    CODE("action", "action", CODES_ACTION),
    CODE("basis", "basis", CODES_LEGAL_BASIS),
    TEXT("computed (bits)", "computed"),
    TEXT("granted (bits)", "granted"),
    TEXT("rule", "rule"),
    TEXT("implied by policy", "implicit"),
    TEXT("narrowed", "narrowed"),
    TEXT("decided too", "decided"),
    CODE("on the basis", "decided_basis", CODES_LEGAL_BASIS),
    US("asked", "asked_us"),
    TEXT("in block", "asked_seq"),
    MS("ends", "expires_ms"),
    TEXT("has ended", "expired"),
    END};

static const struct tool_column voice_columns[] = {
    TEXT("consent", "consent"),
    TEXT("denies", "denied"),
    TEXT("permits", "permitted"),
    TEXT("denies parts", "narrowed"),
    TEXT("by selector", "selector"),
    TEXT("which says", "decision"),
    END};

static int run_explain(int argc, char **argv)
{
    struct common common = {.ask = {.command = &tool_explain}};
    const struct tool_option options[] = {COMMON_OPTIONS(common),
                                          {.name = NULL}};
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ExplainQuery in = SALUS__V1__EXPLAIN_QUERY__INIT;
    uint8_t id[LEDGER_ID_SIZE];
    int code = tool_options_parse(&tool_explain, options, &common.operands,
                                  argc, argv);
    if (code != -1) {
        return code;
    }
    if (common.operands.count != 1 ||
        !tool_id_read(&tool_explain, common.operands.items[0], id, sizeof id)) {
        return tool_bad_usage(&tool_explain, "a decision is needed");
    }
    in.request = (ProtobufCBinaryData){sizeof id, id};
    query.kind_case = SALUS__V1__QUERY__KIND_EXPLAIN;
    query.explain = &in;
    common.ask.query = &query;
    common.ask.answer = "decision";
    common.ask.columns = decision_columns;
    code = tool_ask(&common.ask);
    if (code == TOOL_OK && !common.ask.json) {
        (void)printf("\nconsents considered, in order of filing; bit 0 is the "
                     "patient or the first record,\nselector 0 is the root, n "
                     "the n-th exception, 255 none\n");
        common.ask.rows = "voices";
        common.ask.columns = voice_columns;
        code = tool_ask(&common.ask);
    }
    return code;
}

const struct tool_command tool_explain = {
    .name = "explain",
    .usage = "DECISION [--config FILE] [--replica NAME] [--json]",
    .summary = "why access was permitted or denied",
    .help = "DECISION is the id of the access request. Shown are the request,\n"
            "what every replica computed, by which rule, what the custodian\n"
            "made of it, and each consent that was considered: what it denies\n"
            "or permits, and by which of its selectors.\n"
            "\n" COMMON_HELP,
    .run = run_explain,
};

/* ---- accounting ---------------------------------------------------------- */

static const struct tool_column accounting_columns[] = {
    MS("time", "event_ms"),
    INSTITUTION("from", "source"),
    INSTITUTION("to", "recipient"),
    CODE("purpose", "purpose", CODES_PURPOSE),
    CODE("basis", "basis", CODES_LEGAL_BASIS),
    CODE("classes", "classes", CODES_CLASS),
    TEXT("items", "item_count"),
    TEXT("count", "count"),
    MS("last", "last_ms"),
    TEXT("hipaa", "accountable"),
    TEXT("violation", "violation"),
    TEXT("emergency", "break_glass"),
    TEXT("suspended", "suspended"),
    TEXT("tx", "tx_id"),
    END};

static bool read_view(const char *text, Salus__V1__AccountingQuery__View *out)
{
    static const char *const names[] = {"", "hipaa", "ehds", "full"};
    for (int i = 1; i <= 3; i++) {
        if (strcmp(names[i], text) == 0) {
            *out = (Salus__V1__AccountingQuery__View)i;
            return true;
        }
    }
    (void)tool_bad_usage(&tool_accounting, "%s: hipaa, ehds or full", text);
    return false;
}

static int run_accounting(int argc, char **argv)
{
    struct common common = {.ask = {.command = &tool_accounting}};
    const char *from = NULL;
    const char *to = NULL;
    const char *view = NULL;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__AccountingQuery in = SALUS__V1__ACCOUNTING_QUERY__INIT;
    uint8_t handles[LEDGER_ACCOUNT_SUBJECTS_MAX][LEDGER_HANDLE_SIZE];
    ProtobufCBinaryData subjects[LEDGER_ACCOUNT_SUBJECTS_MAX];
    bool fold = false;
    const struct tool_option options[] = {COMMON_OPTIONS(common),
                                          {.name = "--from", .value = &from},
                                          {.name = "--to", .value = &to},
                                          {.name = "--view", .value = &view},
                                          {.name = "--fold", .flag = &fold},
                                          {.name = NULL}};
    int code = tool_options_parse(&tool_accounting, options, &common.operands,
                                  argc, argv);
    if (code != -1) {
        return code;
    }
    if (common.operands.count == 0 ||
        common.operands.count > LEDGER_ACCOUNT_SUBJECTS_MAX) {
        return tool_bad_usage(&tool_accounting, "1 to 8 handles are needed");
    }
    for (size_t i = 0; i < common.operands.count; i++) {
        if (!tool_id_read(&tool_accounting, common.operands.items[i],
                          handles[i], sizeof handles[i])) {
            return TOOL_USAGE;
        }
        subjects[i] = (ProtobufCBinaryData){sizeof handles[i], handles[i]};
    }
    if (!tool_time_read(&tool_accounting, from, &in.from_ms) ||
        !tool_time_read(&tool_accounting, to, &in.to_ms) ||
        !read_view(view != NULL ? view : "hipaa", &in.view)) {
        return TOOL_USAGE;
    }
    in.subjects = subjects;
    in.n_subjects = common.operands.count;
    in.fold = fold;
    in.limit = LEDGER_WIDE_ROWS_MAX;
    query.kind_case = SALUS__V1__QUERY__KIND_ACCOUNTING;
    query.accounting = &in;
    common.ask.query = &query;
    common.ask.cursor = &in.cursor;
    common.ask.answer = "accounting";
    common.ask.rows = "rows";
    common.ask.columns = accounting_columns;
    return tool_ask(&common.ask);
}

const struct tool_command tool_accounting = {
    .name = "accounting",
    .usage = "HANDLE... [--from TIME] [--to TIME] [--view hipaa|ehds|full]\n"
             "       [--fold] [--config FILE] [--replica NAME] [--json]",
    .summary = "to whom a patient's data were disclosed",
    .help =
        "HANDLE is the random handle of the patient; several, if he has more.\n"
        "\n"
        "  --from TIME           disclosed from then on, and\n"
        "  --to TIME             before that: 2026-11-28 or "
        "2026-11-28T10:15:00Z\n"
        "  --view hipaa          for the patient: what must be accounted for\n"
        "                        (45 CFR 164.528); the default\n"
        "  --view ehds           for the patient: every access\n"
        "  --view full           for the privacy officer: also what an agency\n"
        "                        had suspended\n"
        "  --fold                repeated disclosures in one row: the first,\n"
        "                        how many, the last\n" COMMON_HELP "\n"
        "Each row names its transaction: `salus receipt TX` proves it.\n",
    .run = run_accounting,
};

/* ---- emergencies --------------------------------------------------------- */

static const struct tool_column emergency_columns[] = {
    MS("opened", "opened_ms"),
    TEXT("emergency", "break_glass"),
    TEXT("state", "state"),
    TEXT("overdue", "overdue"),
    MS("review due", "due_ms"),
    CODE("reason", "reason", CODES_REASON),
    TEXT("disclosures", "disclosures"),
    TEXT("declarer", "declarer"),
    TEXT("subject", "subject"),
    END};

static bool read_filter(const char *text,
                        Salus__V1__BreakGlassQuery__Filter *out)
{
    static const char *const names[] = {"all", "to-review", "overdue",
                                        "breaches"};
    for (int i = 0; i <= 3; i++) {
        if (strcmp(names[i], text) == 0) {
            *out = (Salus__V1__BreakGlassQuery__Filter)i;
            return true;
        }
    }
    (void)tool_bad_usage(&tool_bg, "%s: all, to-review, overdue or breaches",
                         text);
    return false;
}

static int run_bg(int argc, char **argv)
{
    struct common common = {.ask = {.command = &tool_bg}};
    const char *institution = NULL;
    const char *filter = NULL;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__BreakGlassQuery in = SALUS__V1__BREAK_GLASS_QUERY__INIT;
    uint8_t id[LEDGER_ID_SIZE];
    const struct tool_option options[] = {
        COMMON_OPTIONS(common),
        {.name = "--institution", .value = &institution},
        {.name = "--filter", .value = &filter},
        {.name = NULL}};
    int code =
        tool_options_parse(&tool_bg, options, &common.operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (common.operands.count != 0 ||
        !read_filter(filter != NULL ? filter : "to-review", &in.filter)) {
        return TOOL_USAGE;
    }
    if (institution != NULL) {
        if (!tool_id_read(&tool_bg, institution, id, sizeof id)) {
            return TOOL_USAGE;
        }
        in.institution = (ProtobufCBinaryData){sizeof id, id};
    }
    in.limit = LEDGER_WIDE_ROWS_MAX;
    query.kind_case = SALUS__V1__QUERY__KIND_BREAK_GLASS;
    query.break_glass = &in;
    common.ask.query = &query;
    common.ask.cursor = &in.cursor;
    common.ask.answer = "break_glass";
    common.ask.rows = "rows";
    common.ask.columns = emergency_columns;
    return tool_ask(&common.ask);
}

const struct tool_command tool_bg = {
    .name = "bg",
    .usage = "[--filter all|to-review|overdue|breaches] [--institution ID]\n"
             "       [--config FILE] [--replica NAME] [--json]",
    .summary = "emergencies (break-glass) and their reviews",
    .help =
        "The work list of a privacy officer. An emergency is reviewed by\n"
        "somebody else than who declared it; what is overdue may be reviewed\n"
        "by any institution and counts against its own.\n"
        "\n"
        "  --filter WHICH        to-review (default), overdue, breaches, all\n"
        "  --institution ID      of another institution, 32 "
        "digits\n" COMMON_HELP "\n"
        "Emergencies and reviews are submitted as BREAK_GLASS and\n"
        "BREAK_GLASS_REVIEW: see salus help submit.\n",
    .run = run_bg,
};
