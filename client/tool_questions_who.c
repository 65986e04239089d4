/* SPDX-License-Identifier: Apache-2.0 */
/* salus may, due, suspects: who may see what now, what is due, what a leaked
 * key signed. */
#include <string.h>

#include "client/tool_ask.h"
#include "ledger/limits.h"

/* ---- may ----------------------------------------------------------------- */

struct may {
    struct tool_ask ask;
    const char *subject;
    const char *institution;
    const char *purpose;
    const char *confidentiality;
    const char *class_code;
    const char *action;
    const char *at;
    const char *participant;
    uint8_t id[LEDGER_HANDLE_SIZE];
    uint8_t participant_id[LEDGER_ID_SIZE];
};

static int ask_who(struct may *may)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__WhoMayQuery in = SALUS__V1__WHO_MAY_QUERY__INIT;
    if (!tool_option_unused(&tool_may, "who", "--participant",
                            may->participant) ||
        !tool_id_field(&tool_may, may->subject, may->id, LEDGER_HANDLE_SIZE,
                       &in.subject) ||
        !tool_code_read(&tool_may, CODES_PURPOSE, may->purpose, &in.purpose) ||
        !tool_code_read(&tool_may, CODES_CONF, may->confidentiality,
                        &in.confidentiality) ||
        !tool_code_read(&tool_may, CODES_CLASS, may->class_code,
                        &in.class_code) ||
        !tool_code_read(&tool_may, CODES_ACTION, may->action, &in.action) ||
        !tool_moment_read(&tool_may, may->at, &in.at_ms)) {
        return TOOL_USAGE;
    }
    in.limit = LEDGER_PAGE_ROWS_MAX;
    query.kind_case = SALUS__V1__QUERY__KIND_WHO_MAY;
    query.who_may = &in;
    return tool_ask(&may->ask, &query);
}

static int ask_what(struct may *may)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__WhatMayQuery in = SALUS__V1__WHAT_MAY_QUERY__INIT;
    if (!tool_option_unused(&tool_may, "what", "--class", may->class_code) ||
        !tool_code_read(&tool_may, CODES_PURPOSE, may->purpose, &in.purpose) ||
        !tool_code_read(&tool_may, CODES_CONF, may->confidentiality,
                        &in.confidentiality) ||
        !tool_code_read(&tool_may, CODES_ACTION, may->action, &in.action) ||
        !tool_moment_read(&tool_may, may->at, &in.at_ms)) {
        return TOOL_USAGE;
    }
    if (!tool_institution_field(&may->ask, may->institution, may->id,
                                &in.institution)) {
        return TOOL_USAGE;
    }
    if (may->participant != NULL &&
        !tool_id_field(&tool_may, may->participant, may->participant_id,
                       LEDGER_ID_SIZE, &in.participant)) {
        return TOOL_USAGE;
    }
    in.limit = LEDGER_PAGE_ROWS_MAX;
    query.kind_case = SALUS__V1__QUERY__KIND_WHAT_MAY;
    query.what_may = &in;
    return tool_ask(&may->ask, &query);
}

static int run_may(int argc, char **argv)
{
    struct may may = {.ask = {.command = &tool_may}};
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        TOOL_ASK_OPTIONS(may.ask),
        {.name = "--purpose", .value = &may.purpose},
        {.name = "--conf", .value = &may.confidentiality},
        {.name = "--class", .value = &may.class_code},
        {.name = "--action", .value = &may.action},
        {.name = "--at", .value = &may.at},
        {.name = "--participant", .value = &may.participant},
        {.name = NULL}};
    int code = tool_options_parse(&tool_may, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count == 2 && strcmp(operands.items[0], "who") == 0) {
        may.subject = operands.items[1];
        return ask_who(&may);
    }
    if (operands.count >= 1 && operands.count <= 2 &&
        strcmp(operands.items[0], "what") == 0) {
        may.institution = operands.count == 2 ? operands.items[1] : NULL;
        return ask_what(&may);
    }
    return tool_bad_usage(&tool_may, "who HANDLE, or what [INSTITUTION]");
}

const struct tool_command tool_may = {
    .name = "may",
    .usage =
        "who HANDLE | what [INSTITUTION] [--purpose CODE] [--conf CODE]\n"
        "       [--class CODE] [--action CODE] [--at TIME] [--participant ID]\n"
        "       " TOOL_ASK_USAGE,
    .summary = "who may see a patient's data now, and whose data one may see",
    .help =
        "The decision rule, asked for everybody, with the consent "
        "responsible.\n"
        "\n"
        "  who HANDLE            every active institution, and everybody whom "
        "a\n"
        "                        consent of the patient names and who may "
        "ask;\n"
        "                        the handle is told by salus vault handle\n"
        "                        Patient/17\n"
        "  what [INSTITUTION]    patients whose data an institution may see, "
        "by "
        "its\n"
        "                        name or id; by default the own one\n"
        "\n"
        "\"may: no\" without --class says that not everything may be seen: "
        "one\n"
        "class that is denied is enough. Ask class by class.\n"
        "\n"
        "  --purpose CODE        TREAT, HRESCH, ...; TREAT by default\n"
        "  --conf CODE           up to U, L, M, N, R or V; N by default\n"
        "  --class CODE          laboratory, imaging, ...; all by default "
        "(who)\n"
        "  --action CODE         access, use, disclose, ...; access by "
        "default\n"
        "  --at TIME             then, by what stands now\n"
        "  --participant ID      that one alone (what)\n" TOOL_ASK_HELP,
    .run = run_may,
};

/* ---- due ----------------------------------------------------------------- */

static int run_due(int argc, char **argv)
{
    struct tool_ask ask = {.command = &tool_due};
    struct tool_list operands = {.count = 0};
    const char *before = NULL;
    const char *at = NULL;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ObligationsQuery in = SALUS__V1__OBLIGATIONS_QUERY__INIT;
    uint8_t id[LEDGER_ID_SIZE];
    const struct tool_option options[] = {
        TOOL_ASK_OPTIONS(ask),
        {.name = "--before", .value = &before},
        {.name = "--at", .value = &at},
        {.name = NULL}};
    int code = tool_options_parse(&tool_due, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count > 1) {
        return tool_bad_usage(&tool_due, "one institution, not \"%s\" too",
                              operands.items[1]);
    }
    if (!tool_moment_read(&tool_due, before, &in.before_ms) ||
        !tool_moment_read(&tool_due, at, &in.at_ms)) {
        return TOOL_USAGE;
    }
    if (!tool_institution_field(&ask,
                                operands.count == 1 ? operands.items[0] : NULL,
                                id, &in.institution)) {
        return TOOL_USAGE;
    }
    in.limit = LEDGER_PAGE_ROWS_MAX;
    query.kind_case = SALUS__V1__QUERY__KIND_OBLIGATIONS;
    query.obligations = &in;
    return tool_ask(&ask, &query);
}

const struct tool_command tool_due = {
    .name = "due",
    .usage =
        "[INSTITUTION] [--before TIME] [--at TIME]\n       " TOOL_ASK_USAGE,
    .summary = "what an institution has to do, and until when",
    .help =
        "Overdue reviews and open breaches first, then reviews, ends of\n"
        "consents, decisions and emergencies, and beginnings of consents,\n"
        "as they fall due. INSTITUTION is a name or an id.\n"
        "\n"
        "  --before TIME         only what is due before then\n"
        "  --at TIME             overdue then, by what stands now; else when "
        "the\n"
        "                        last block came\n" TOOL_ASK_HELP,
    .run = run_due,
};

/* ---- suspects ------------------------------------------------------------ */

static int run_suspects(int argc, char **argv)
{
    struct tool_ask ask = {.command = &tool_suspects};
    struct tool_list operands = {.count = 0};
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__SuspectQuery in = SALUS__V1__SUSPECT_QUERY__INIT;
    uint8_t id[LEDGER_ID_SIZE];
    const struct tool_option options[] = {TOOL_ASK_OPTIONS(ask),
                                          {.name = NULL}};
    int code =
        tool_options_parse(&tool_suspects, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count != 1) {
        return tool_bad_usage(&tool_suspects, "a key id is needed");
    }
    if (!tool_id_field(&tool_suspects, operands.items[0], id, sizeof id,
                       &in.key_id)) {
        return TOOL_USAGE;
    }
    in.limit = LEDGER_PAGE_ROWS_MAX;
    query.kind_case = SALUS__V1__QUERY__KIND_SUSPECT;
    query.suspect = &in;
    return tool_ask(&ask, &query);
}

const struct tool_command tool_suspects = {
    .name = "suspects",
    .usage = "KEYID " TOOL_ASK_USAGE,
    .summary = "what a compromised key signed since it leaked",
    .help = "KEYID was revoked as compromised (KEY_REVOKE). Listed are the\n"
            "requests that it signed from then on.\n"
            "\n" TOOL_ASK_HELP,
    .run = run_suspects,
};
