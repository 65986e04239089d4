/* SPDX-License-Identifier: Apache-2.0 */
/* salus fhir: FHIR R4 files judged, and imported. */
#include <stdio.h>
#include <string.h>

#include "client/fhir_outcome.h"
#include "client/fhir_print.h"
#include "client/tool_fhir.h"
#include "fhir/date.h"

static bool gather_files(struct fhir_call *call)
{
    struct salus_reason reason;

    for (size_t i = 1; i < call->operands.count; i++) {
        if (fhir_files_add(&call->files, call->operands.items[i], &reason) !=
            PBFT_OK) {
            (void)tool_failed(&tool_fhir, "%s", reason.text);
            return false;
        }
    }
    return true;
}

/* ---- dry-run, validate --------------------------------------------------- */

static enum pbft_status judge_file(const struct fhir_call *call,
                                   const char *path,
                                   size_t classes[FHIR_CLASSES])
{
    struct fhir_file *file = NULL;
    enum pbft_status status = fhir_file_open(&file, path);

    for (size_t i = 0; status == PBFT_OK && i < fhir_file_count(file); i++) {
        struct fhir_item *item = NULL;
        status = fhir_item_load(&item, file, i, &call->fhir);
        if (status != PBFT_OK) {
            break;
        }
        classes[fhir_item_class(item)]++;
        if (call->outcome) {
            fhir_outcome_print(path, item);
        } else if (call->json) {
            fhir_print_json(path, item);
        } else {
            fhir_print_row(path, item);
        }
        fhir_item_free(item);
    }
    fhir_file_close(file);
    return status;
}

/* Needs no replica, vault or configuration. */
static int judge_all(struct fhir_call *call, bool strict)
{
    size_t classes[FHIR_CLASSES] = {0};

    for (size_t i = 0; i < call->files.count; i++) {
        const char *path = call->files.paths[i];
        enum pbft_status status = judge_file(call, path, classes);
        if (status != PBFT_OK) {
            return tool_failed(&tool_fhir, "%s: %s", path,
                               pbft_status_text(status));
        }
    }
    if (!call->json && !call->outcome) {
        fhir_print_counts(classes);
    }
    return strict && classes[FHIR_REJECT] > 0 ? TOOL_FAILED : TOOL_OK;
}

/* ---- command ------------------------------------------------------------- */

static int dispatch(struct fhir_call *call)
{
    const char *what = call->operands.items[0];

    if (strcmp(what, "dry-run") == 0) {
        return judge_all(call, false);
    }
    if (strcmp(what, "validate") == 0) {
        return judge_all(call, true);
    }
    if (strcmp(what, "import") == 0) {
        return fhir_import_all(call);
    }
    return tool_bad_usage(&tool_fhir,
                          "\"%s\": it is dry-run, validate or "
                          "import",
                          what);
}

static int run(int argc, char **argv)
{
    struct fhir_call call = {.json = false};
    const struct tool_option options[] = {
        {"--json", &call.json, NULL, NULL},
        {"--outcome", &call.outcome, NULL, NULL},
        {"--explain", &call.explain, NULL, NULL},
        {"--register-unknown", &call.register_unknown, NULL, NULL},
        {"--config", NULL, &call.config, NULL},
        {"--replica", NULL, &call.replica, NULL},
        {"--vault", NULL, &call.vault, NULL},
        {"--zone", NULL, &call.zone, NULL},
        {"--attachments", NULL, &call.attachments, NULL},
        {"--mode", NULL, &call.mode, NULL},
        {"--emergency-reason", NULL, &call.emergency_reason, NULL},
        {"--emergency-window", NULL, &call.emergency_window, NULL},
        {"--self-report", &call.self_report, NULL, NULL},
        {"--own", NULL, NULL, &call.own},
        {"--member", NULL, NULL, &call.members},
        {NULL, NULL, NULL, NULL}};
    int code =
        tool_options_parse(&tool_fhir, options, &call.operands, argc, argv);

    if (code >= 0) {
        return code;
    }
    if (call.operands.count < 2) {
        return tool_bad_usage(&tool_fhir, "name what to do, and files");
    }
    call.fhir.attachments = call.attachments;
    if (call.zone != NULL &&
        !fhir_zone_parse(&call.fhir.zone_minutes, call.zone)) {
        return tool_bad_usage(&tool_fhir, "--zone is Z or like +01:00");
    }
    code = gather_files(&call) ? dispatch(&call) : TOOL_FAILED;
    fhir_files_free(&call.files);
    return code;
}

const struct tool_command tool_fhir = {
    .name = "fhir",
    .usage = "dry-run|validate|import FILE... [--json] [--explain] "
             "[--register-unknown]",
    .summary = "judge FHIR R4 files, and import them",
    .help =
        "Files are FHIR R4 JSON: a resource, a Bundle, or NDJSON; of a folder\n"
        "all files in it; - is standard input. Every resource ends as\n"
        "\n"
        "  ENFORCEABLE    the ledger holds exactly what it says\n"
        "  EVIDENCE_ONLY  a consent that is on file, but not computable: it\n"
        "                 widens nothing, and a steward has to settle it\n"
        "  LOCAL          an internal event, which stays at the institution\n"
        "  REJECT         not imported\n"
        "\n"
        "with all reasons, each with its JSON path. docs/fhir.md has the "
        "rules.\n"
        "\n"
        "  dry-run      judges; needs no replica, vault or configuration\n"
        "  validate     the same; fails if anything is rejected\n"
        "  import       judges, submits, and says what the ledger made of it;\n"
        "               one that was interrupted goes on when run again, and\n"
        "               nothing is done twice\n"
        "\n"
        "  --json               one line of JSON a resource: file, class,\n"
        "                       reason, path, and all findings\n"
        "  --outcome            dry-run, validate: an OperationOutcome a "
        "resource,\n"
        "                       with severity, code and expression\n"
        "  --explain            the transactions, and of every element\n"
        "                       whether it is on the ledger, sealed or "
        "dropped\n"
        "  --register-unknown   for trials: patients, actors and encounters\n"
        "                       that the vault does not know get random ids\n"
        "  --own REFERENCE...   what means the own institution, such as\n"
        "                       Organization/17; kept in the vault\n"
        "  --member REFERENCE=NAME...   what means another institution, by "
        "its\n"
        "                       name in the genesis: recipients of "
        "disclosures\n"
        "  --self-report        disclosures that name no decision, emergency "
        "or\n"
        "                       request of the patient become violations that\n"
        "                       the institution tells itself; else rejected\n"
        "  --emergency-reason R why glass is broken: life-threat,\n"
        "                       incapacitated, imminent-harm, disaster,\n"
        "                       system-unavailable; without it such events "
        "are\n"
        "                       rejected\n"
        "  --emergency-window N minutes of an emergency that does not say "
        "them\n"
        "                       (60)\n"
        "  --zone +HH:MM        of dates without a time; UTC if left out\n"
        "  --attachments DIR    where attachments with relative urls lie\n"
        "  --mode MODE          how consents were given: wet-ink (if left\n"
        "                       out), esign, verbal\n"
        "  --vault DIR          instead of the configuration's\n"
        "  --config FILE        of the client; $SALUS_CONFIG if left out\n"
        "  --replica NAME       institution whose replica is asked first\n"
        "\n"
        "Exit code 1 of validate and import: something was rejected, or is\n"
        "not on the ledger; the rest is done.\n"
        "\n"
        "examples:\n"
        "  salus fhir dry-run consents/ --json\n"
        "  salus fhir import examples/fhir --config trial/client-0.yaml\n",
    .run = run,
};
