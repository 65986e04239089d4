/* SPDX-License-Identifier: Apache-2.0 */
/* salus vault: care of an institution's private store. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "client/tool_config.h"
#include "client/tool_json.h"
#include "client/tool_vault.h"
#include "crypto/hex.h"
#include "crypto/secret.h"
#include "vault/care.h"
#include "vault/entries.h"
#include "vault/purposes.h"

/* The name itself is not repeated: what says why is kept in logs. */
#define NO_PATIENT                                                             \
    "no patient of this vault has that name: it is the one under which he "    \
    "was "                                                                     \
    "imported, such as Patient/17"

struct call {
    struct tool_list operands; /* The first one is what to do. */
    const char *config;
    const char *folder;
    bool yes;
    bool json;
    struct vault *vault;
};

static const char *const kind_names[VAULT_KINDS] = {
    [VAULT_SUBJECT] = "patients",     [VAULT_PARTICIPANT] = "participants",
    [VAULT_RECORD] = "records",       [VAULT_CONSENT] = "consents",
    [VAULT_CONTEXT] = "other things", [VAULT_JOURNAL] = "journal",
    [VAULT_EVENT] = "audit events",   [VAULT_ROLE] = "roles",
    [VAULT_PURPOSE] = "purposes"};

static int report_failure(const struct call *call, enum pbft_status status,
                          const struct salus_reason *reason)
{
    const char *problem = vault_problem(call->vault);

    if (reason != NULL && reason->text[0] != 0) {
        problem = reason->text;
    }
    return tool_failed(&tool_vault, "%s",
                       problem[0] != 0 ? problem : pbft_status_text(status));
}

/* ---- list, check --------------------------------------------------------- */

static void print_census(const struct call *call,
                         const struct vault_census *census, bool checked)
{
    json_t *json = json_object();

    for (int kind = VAULT_SUBJECT; kind < VAULT_KINDS; kind++) {
        (void)json_object_set_new(json, kind_names[kind],
                                  json_integer((json_int_t)census->rows[kind]));
    }
    (void)json_object_set_new(json, "open imports",
                              json_integer((json_int_t)census->open));
    (void)json_object_set_new(json, "sealed files",
                              json_integer((json_int_t)census->sealed));
    if (checked) {
        (void)json_object_set_new(json, "damaged rows",
                                  json_integer((json_int_t)census->damaged));
        (void)json_object_set_new(json, "missing files",
                                  json_integer((json_int_t)census->missing));
    }
    if (call->json) {
        tool_json_print(json);
        return;
    }
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value)
    {
        (void)printf("%12lld  %s\n", (long long)json_integer_value(value), key);
    }
    json_decref(json);
}

static int take_census(struct call *call, bool check)
{
    struct vault_census census;
    enum pbft_status status = check ? vault_check(call->vault, &census)
                                    : vault_take_census(call->vault, &census);

    if (status != PBFT_OK) {
        return report_failure(call, status, NULL);
    }
    print_census(call, &census, check);
    if (check && (census.damaged > 0 || census.missing > 0)) {
        return tool_failed(&tool_vault, "the vault is damaged: go back to a "
                                        "backup");
    }
    return TOOL_OK;
}

static int list(struct call *call)
{
    return take_census(call, false);
}

static int check(struct call *call)
{
    return take_census(call, true);
}

/* ---- forget -------------------------------------------------------------- */

static int forget(struct call *call)
{
    struct vault_forgotten out;
    enum pbft_status status = vault_forget_subject(
        call->vault, &out, call->operands.items[1], !call->yes);

    if (status == PBFT_NOT_FOUND) {
        return tool_failed(&tool_vault, NO_PATIENT);
    }
    if (status == PBFT_EXISTS) {
        return tool_failed(&tool_vault, "an import was interrupted: run it "
                                        "again first");
    }
    if (status != PBFT_OK) {
        return report_failure(call, status, NULL);
    }
    (void)printf(
        "%s: a patient, %llu records, %llu consents, %llu audit "
        "events, %llu encounters and the like, %llu related persons, %llu "
        "entries of the journal\n",
        call->yes ? "forgotten" : "would be forgotten",
        (unsigned long long)out.records, (unsigned long long)out.consents,
        (unsigned long long)out.events, (unsigned long long)out.contexts,
        (unsigned long long)out.agents, (unsigned long long)out.journal);
    if (!call->yes) {
        return tool_failed(&tool_vault, "nothing was changed: --yes does it, "
                                        "and it cannot be undone");
    }
    return TOOL_OK;
}

/* ---- backup, rekey ------------------------------------------------------- */

static int backup(struct call *call)
{
    struct salus_reason reason = {.text = ""};
    enum pbft_status status =
        vault_backup(call->vault, call->operands.items[1], &reason);

    if (status != PBFT_OK) {
        return report_failure(call, status, &reason);
    }
    (void)printf("copied to %s; it opens with the vault.key of now, which is "
                 "not in it\n",
                 call->operands.items[1]);
    return TOOL_OK;
}

static int rekey(struct call *call)
{
    struct salus_reason reason = {.text = ""};
    enum pbft_status status = vault_rekey(call->vault, &reason);

    if (status != PBFT_OK) {
        return report_failure(call, status, &reason);
    }
    (void)printf("the vault has a new key: make a backup; older ones open with "
                 "the key of their time\n");
    return TOOL_OK;
}

/* ---- handle -------------------------------------------------------------- */

static int tell_handle(struct call *call)
{
    struct vault_subject subject;
    char text[2 * VAULT_HANDLE_SIZE + 1];
    enum pbft_status status =
        vault_find_subject(call->vault, &subject, call->operands.items[1]);

    if (status == PBFT_NOT_FOUND) {
        return tool_failed(&tool_vault, NO_PATIENT);
    }
    if (status != PBFT_OK) {
        return report_failure(call, status, NULL);
    }
    hex_encode(text, (struct pbft_bytes){subject.handle, VAULT_HANDLE_SIZE});
    secret_wipe(&subject, sizeof subject);
    if (call->json) {
        tool_json_print(json_pack("{s:s}", "handle", text));
    } else {
        (void)printf("%s\n", text);
    }
    return TOOL_OK;
}

/* ---- purposes ------------------------------------------------------------ */

static int list_purposes(struct call *call)
{
    struct vault_purposes known;
    enum pbft_status status = vault_purposes_load(call->vault, &known);
    json_t *json = json_object();
    char name[VAULT_PURPOSE_SYSTEM_MAX + VAULT_PURPOSE_CODE_MAX + 2];

    for (size_t i = 0; status == PBFT_OK && i < known.count; i++) {
        const struct vault_purpose *row = &known.rows[i];
        (void)snprintf(name, sizeof name, "%s|%s", row->system, row->code);
        (void)json_object_set_new(json, name, json_integer(row->id));
        if (!call->json) {
            (void)printf("%s=%u\n", name, (unsigned)row->id);
        }
    }
    if (status == PBFT_OK && call->json) {
        tool_json_print(json);
        return TOOL_OK;
    }
    json_decref(json);
    return status == PBFT_OK ? TOOL_OK : report_failure(call, status, NULL);
}

static int unname(struct call *call)
{
    enum pbft_status status =
        vault_purposes_forget(call->vault, call->operands.items[1]);

    if (status == PBFT_NOT_FOUND) {
        return tool_failed(&tool_vault, "no purpose has that name: it is "
                                        "SYSTEM|CODE, as purposes lists it");
    }
    return status == PBFT_OK ? TOOL_OK : report_failure(call, status, NULL);
}

/* ---- share --------------------------------------------------------------- */

static int share(struct call *call)
{
    const struct tool_vault_share what = {.config = call->config,
                                          .name = call->operands.items[1],
                                          .path = call->operands.items[2],
                                          .json = call->json};
    return tool_vault_share(call->vault, &what);
}

/* ---- command ------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t operands; /* With its own name. */
    int (*run)(struct call *call);
} actions[] = {{"list", 1, list},          {"check", 1, check},
               {"forget", 2, forget},      {"backup", 2, backup},
               {"rekey", 1, rekey},        {"share", 3, share},
               {"handle", 2, tell_handle}, {"purposes", 1, list_purposes},
               {"unname", 2, unname}};

static int with_vault(struct call *call, int (*action)(struct call *call))
{
    struct tool_config config;
    struct salus_reason reason = {.text = ""};

    if (call->folder == NULL) {
        if (tool_config_load(&config, call->config, &reason) != PBFT_OK) {
            return tool_failed(&tool_vault, "%s", reason.text);
        }
        call->folder = config.vault;
    }
    if (call->folder[0] == 0) {
        return tool_failed(&tool_vault, "name the vault: --vault DIR, or "
                                        "vault: in the configuration");
    }
    enum pbft_status status = vault_open(&call->vault, call->folder, &reason);
    if (status != PBFT_OK) {
        return tool_failed(
            &tool_vault, "%s%s",
            reason.text[0] != 0 ? reason.text : pbft_status_text(status),
            status == PBFT_NOT_FOUND ? ": the first salus fhir import makes it"
                                     : "");
    }
    int code = action(call);
    vault_close(call->vault);
    return code;
}

static int run(int argc, char **argv)
{
    struct call call = {.yes = false};
    const struct tool_option options[] = {
        {"--config", NULL, &call.config, NULL},
        {"--vault", NULL, &call.folder, NULL},
        {"--yes", &call.yes, NULL, NULL},
        {"--json", &call.json, NULL, NULL},
        {NULL, NULL, NULL, NULL}};
    int code =
        tool_options_parse(&tool_vault, options, &call.operands, argc, argv);

    if (code >= 0) {
        return code;
    }
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (call.operands.count > 0 &&
            strcmp(call.operands.items[0], actions[i].name) == 0) {
            return call.operands.count == actions[i].operands
                       ? with_vault(&call, actions[i].run)
                       : tool_bad_usage(&tool_vault,
                                        "%s: wrong number of names",
                                        actions[i].name);
        }
    }
    return tool_bad_usage(&tool_vault,
                          "say list, check, handle, forget, backup, rekey, "
                          "share, purposes or unname");
}

const struct tool_command tool_vault = {
    .name = "vault",
    .usage = "list|check|handle REFERENCE|forget REFERENCE|backup DIR|rekey\n"
             "       |share REFERENCE OUT|purposes|unname SYSTEM|CODE",
    .summary = "look after an institution's private store",
    .help =
        "The vault ties random ids on the ledger to patients; it never leaves\n"
        "the institution (docs/fhir.md). No import may run meanwhile. Each of\n"
        "these is whole or has not happened, wherever it is interrupted: run\n"
        "it again.\n"
        "\n"
        "  list                counts; the vault does not know names, only\n"
        "                      their keyed hashes\n"
        "  check               examines the database, opens every row, looks\n"
        "                      for every sealed file\n"
        "  handle REFERENCE    the random handle of a patient on the ledger,\n"
        "                      for salus accounting, may who and query; the\n"
        "                      name as it was imported, such as Patient/17, "
        "or\n"
        "                      Patient?identifier=SYSTEM|VALUE\n"
        "  forget REFERENCE    destroys what ties a patient, such as\n"
        "                      Patient/17, to the ledger: row keys, records,\n"
        "                      consents, audit events, encounters, related\n"
        "                      persons, sealed contents. The commitments on\n"
        "                      the ledger are noise then.\n"
        "                      Backups keep it: destroy them apart\n"
        "  backup DIR          a consistent copy in a new folder, encrypted\n"
        "                      as it is; keep vault.key somewhere else\n"
        "  rekey               a new vault key, under which all row keys are\n"
        "                      wrapped again\n"
        "  share REFERENCE OUT the sealed content of an imported document,\n"
        "                      such as DocumentReference/17, and its "
        "envelope,\n"
        "                      OUT.envelope, for salus grant. To forget a\n"
        "                      patient does not reach these files\n"
        "  purposes            what import --purpose has taught the vault\n"
        "  unname 'SYSTEM|CODE'\n"
        "                      takes one of them back; the next import may\n"
        "                      name its right number. What was imported\n"
        "                      meanwhile stays as it was\n"
        "\n"
        "  --yes               forget: really; without it only counts\n"
        "  --json              list, check, handle, share, purposes: as JSON\n"
        "  --vault DIR         instead of the configuration's\n"
        "  --config FILE       of the client; $SALUS_CONFIG if left out\n"
        "\n"
        "examples:\n"
        "  salus vault check --config trial/client-0.yaml\n"
        "  salus accounting $(salus vault handle Patient/17)\n"
        "  salus vault forget Patient/17 --yes --vault trial/vault\n",
    .run = run,
};
