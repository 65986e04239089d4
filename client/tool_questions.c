/* SPDX-License-Identifier: Apache-2.0 */
/* salus explain, accounting, bg: what privacy officers ask of the ledger. */
#include <stdio.h>
#include <string.h>

#include "client/tool_ask.h"
#include "ledger/limits.h"

/* ---- explain ------------------------------------------------------------- */

static int run_explain(int argc, char **argv)
{
    struct tool_ask ask = {.command = &tool_explain};
    struct tool_list operands = {.count = 0};
    bool is_emergency = false;
    const struct tool_option options[] = {
        TOOL_ASK_OPTIONS(ask),
        {.name = "--emergency", .flag = &is_emergency},
        {.name = NULL}};
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ExplainQuery in = SALUS__V1__EXPLAIN_QUERY__INIT;
    uint8_t id[LEDGER_ID_SIZE];
    int code =
        tool_options_parse(&tool_explain, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count != 1) {
        return tool_bad_usage(&tool_explain, "a decision or an emergency is "
                                             "needed");
    }
    if (!tool_id_field(&tool_explain, operands.items[0], id, sizeof id,
                       is_emergency ? &in.break_glass : &in.request)) {
        return TOOL_USAGE;
    }
    query.kind_case = SALUS__V1__QUERY__KIND_EXPLAIN;
    query.explain = &in;
    return tool_ask(&ask, &query);
}

const struct tool_command tool_explain = {
    .name = "explain",
    .usage = "DECISION | EMERGENCY [--emergency]\n       " TOOL_ASK_USAGE,
    .summary = "why access was permitted or denied, or glass was broken",
    .help = "DECISION is the id of the access request. Shown are the request,\n"
            "what every replica computed, by which rule, what the custodian\n"
            "made of it, and each consent that was considered: what it denies\n"
            "or permits, and by which of its selectors.\n"
            "\n"
            "EMERGENCY is the id of a break-glass (salus bg). Shown are who\n"
            "declared it and why, what the policy of that block let it do,\n"
            "each consent in force then and which of them denied emergencies\n"
            "by name, and its review. It is judged again: by policy and\n"
            "consents of then, by people, groups and labels of now.\n"
            "\n"
            "  --emergency           the id is an emergency's, also if a\n"
            "                        decision has the same\n" TOOL_ASK_HELP,
    .run = run_explain,
};

/* ---- accounting ---------------------------------------------------------- */

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
    struct tool_ask ask = {.command = &tool_accounting};
    struct tool_list operands = {.count = 0};
    const char *from = NULL;
    const char *to = NULL;
    const char *view = NULL;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__AccountingQuery in = SALUS__V1__ACCOUNTING_QUERY__INIT;
    uint8_t handles[LEDGER_ACCOUNT_SUBJECTS_MAX][LEDGER_HANDLE_SIZE];
    ProtobufCBinaryData subjects[LEDGER_ACCOUNT_SUBJECTS_MAX];
    bool fold = false;
    const struct tool_option options[] = {TOOL_ASK_OPTIONS(ask),
                                          {.name = "--from", .value = &from},
                                          {.name = "--to", .value = &to},
                                          {.name = "--view", .value = &view},
                                          {.name = "--fold", .flag = &fold},
                                          {.name = NULL}};
    int code =
        tool_options_parse(&tool_accounting, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count == 0 || operands.count > LEDGER_ACCOUNT_SUBJECTS_MAX) {
        return tool_bad_usage(&tool_accounting, "1 to 8 handles are needed");
    }
    for (size_t i = 0; i < operands.count; i++) {
        if (!tool_id_field(&tool_accounting, operands.items[i], handles[i],
                           sizeof handles[i], &subjects[i])) {
            return TOOL_USAGE;
        }
    }
    if (!tool_time_read(&tool_accounting, from, &in.from_ms) ||
        !tool_moment_read(&tool_accounting, to, &in.to_ms) ||
        !read_view(view != NULL ? view : "hipaa", &in.view)) {
        return TOOL_USAGE;
    }
    if (to != NULL && in.from_ms >= in.to_ms) {
        return tool_bad_usage(&tool_accounting, "--from is not before --to");
    }
    in.subjects = subjects;
    in.n_subjects = operands.count;
    in.fold = fold;
    in.limit = LEDGER_WIDE_ROWS_MAX;
    query.kind_case = SALUS__V1__QUERY__KIND_ACCOUNTING;
    query.accounting = &in;
    return tool_ask(&ask, &query);
}

const struct tool_command tool_accounting = {
    .name = "accounting",
    .usage = "HANDLE... [--from TIME] [--to TIME]\n"
             "       [--view hipaa|ehds|full] [--fold]\n"
             "       " TOOL_ASK_USAGE,
    .summary = "to whom a patient's data were disclosed",
    .help =
        "HANDLE is the random handle of the patient; several, if he has more.\n"
        "The vault knows it: salus vault handle Patient/17.\n"
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
        "                        how many, the last\n" TOOL_ASK_HELP "\n"
        "Each row names its transaction: `salus receipt TX` proves it.\n",
    .run = run_accounting,
};

/* ---- emergencies --------------------------------------------------------- */

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
    struct tool_ask ask = {.command = &tool_bg};
    struct tool_list operands = {.count = 0};
    const char *institution = NULL;
    const char *filter = NULL;
    const char *at = NULL;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__BreakGlassQuery in = SALUS__V1__BREAK_GLASS_QUERY__INIT;
    uint8_t id[LEDGER_ID_SIZE];
    const struct tool_option options[] = {
        TOOL_ASK_OPTIONS(ask),
        {.name = "--institution", .value = &institution},
        {.name = "--filter", .value = &filter},
        {.name = "--at", .value = &at},
        {.name = NULL}};
    int code = tool_options_parse(&tool_bg, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count != 0) {
        return tool_bad_usage(&tool_bg,
                              "not understood: %s; another "
                              "institution: --institution NAME",
                              operands.items[0]);
    }
    if (!read_filter(filter != NULL ? filter : "to-review", &in.filter) ||
        !tool_moment_read(&tool_bg, at, &in.at_ms)) {
        return TOOL_USAGE;
    }
    if (!tool_institution_field(&ask, institution, id, &in.institution)) {
        return TOOL_USAGE;
    }
    in.limit = LEDGER_WIDE_ROWS_MAX;
    query.kind_case = SALUS__V1__QUERY__KIND_BREAK_GLASS;
    query.break_glass = &in;
    return tool_ask(&ask, &query);
}

const struct tool_command tool_bg = {
    .name = "bg",
    .usage = "[--filter all|to-review|overdue|breaches] [--institution NAME]\n"
             "       [--at TIME] " TOOL_ASK_USAGE,
    .summary = "emergencies (break-glass) and their reviews",
    .help =
        "The work list of a privacy officer. An emergency is reviewed by\n"
        "somebody else than who declared it; what is overdue may be reviewed\n"
        "by any institution and counts against its own.\n"
        "\n"
        "  --filter WHICH        to-review (default), overdue, breaches, all\n"
        "  --institution NAME    of another institution, or its id; a name "
        "that\n"
        "                        several have (salus query institutions) is "
        "refused\n"
        "  --at TIME             overdue then, by what stands now; else when "
        "the\n"
        "                        last block came\n" TOOL_ASK_HELP "\n"
        "Emergencies and reviews are submitted as BREAK_GLASS and\n"
        "BREAK_GLASS_REVIEW: see salus help submit.\n",
    .run = run_bg,
};
