/* SPDX-License-Identifier: Apache-2.0 */
/* salus fhir: FHIR R4 files judged, and imported. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/fhir_outcome.h"
#include "client/fhir_print.h"
#include "client/tool_fhir.h"
#include "fhir/date.h"

#define FAILURE_SIZE 512

int fhir_failed(const struct fhir_call *call, const char *code,
                const char *format, ...)
{
    char text[FAILURE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (call->outcome) {
        fhir_outcome_failed(code, text);
    }
    return tool_failed(&tool_fhir, "%s", text);
}

/* On standard error: standard output may be for programs. */
static void note_skipped(const char *path)
{
    (void)fprintf(stderr, "salus fhir: skipped, no JSON: %s\n", path);
}

static bool gather_files(struct fhir_call *call)
{
    struct salus_reason reason;

    for (size_t i = 1; i < call->operands.count; i++) {
        enum pbft_status status = fhir_files_add(
            &call->files, call->operands.items[i], note_skipped, &reason);
        if (status != PBFT_OK) {
            (void)fhir_failed(
                call, status == PBFT_NOT_FOUND ? "not-found" : "exception",
                "%s", reason.text);
            return false;
        }
    }
    return true;
}

/* ---- command ------------------------------------------------------------- */

static bool is_known(const char *what)
{
    return strcmp(what, "dry-run") == 0 || strcmp(what, "validate") == 0 ||
           strcmp(what, "import") == 0;
}

static int dispatch(struct fhir_call *call)
{
    const char *what = call->operands.items[0];

    return strcmp(what, "import") == 0
               ? fhir_import_all(call)
               : fhir_judge_all(call, strcmp(what, "validate") == 0);
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
        {"--basis", NULL, &call.basis, NULL},
        {"--basis-document", NULL, &call.basis_document, NULL},
        {"--recipient", NULL, &call.recipient, NULL},
        {"--subject", NULL, &call.export.subject, NULL},
        {"--consent", NULL, &call.export.consent, NULL},
        {"--decision", NULL, NULL, &call.export.decisions},
        {"--since", NULL, &call.export.since, NULL},
        {"--until", NULL, &call.export.until, NULL},
        {"-o", NULL, &call.export.output, NULL},
        {"--bundle", &call.export.bundle, NULL, NULL},
        {"--ndjson", &call.export.ndjson, NULL, NULL},
        {"--redacted", &call.export.redacted, NULL, NULL},
        {"--no-contents", &call.export.without_contents, NULL, NULL},
        {"--receipts", &call.export.receipts, NULL, NULL},
        {"--partial", &call.export.partial, NULL, NULL},
        {"--own", NULL, NULL, &call.own},
        {"--member", NULL, NULL, &call.members},
        {"--purpose", NULL, NULL, &call.purposes},
        {"--signer", NULL, NULL, &call.signer_files},
        {NULL, NULL, NULL, NULL}};
    int code =
        tool_options_parse(&tool_fhir, options, &call.operands, argc, argv);

    if (code >= 0) {
        return code;
    }
    if (call.operands.count > 0 &&
        strcmp(call.operands.items[0], "export") == 0) {
        return fhir_export_all(&call);
    }
    if (call.operands.count > 0 && !is_known(call.operands.items[0])) {
        return tool_bad_usage(
            &tool_fhir, "\"%s\": it is dry-run, validate, import or export",
            call.operands.items[0]);
    }
    if (call.operands.count < 2) {
        return tool_bad_usage(&tool_fhir, "name what to do, and files");
    }
    call.fhir.attachments = call.attachments;
    if (call.zone != NULL &&
        !fhir_zone_parse(&call.fhir.zone_minutes, call.zone)) {
        return tool_bad_usage(&tool_fhir, "--zone is Z or like +01:00");
    }
    code = gather_files(&call) && fhir_basis_load(&call) ? dispatch(&call)
                                                         : TOOL_FAILED;
    free(call.document);
    fhir_files_free(&call.files);
    return code;
}

const struct tool_command tool_fhir = {
    .name = "fhir",
    .usage = "dry-run|validate|import FILE... | export [OPTIONS]",
    .summary = "judge FHIR R4 files, import and export them",
    .help =
        "Files are FHIR R4 JSON: a resource, a Bundle, or NDJSON; of a folder\n"
        "all JSON files in it; - is standard input. Every resource ends as\n"
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
        "               run again, it goes on, and does nothing twice\n"
        "  export       writes what was imported, from the ledger, as "
        "resources\n"
        "               that become the same transactions again; what cannot "
        "be\n"
        "               said is named, and nothing is written\n"
        "\n"
        "  --json               one line of JSON a resource: file, class,\n"
        "                       reason, path, and all findings\n"
        "  --outcome            an OperationOutcome a resource, and for what "
        "fails\n"
        "  --config FILE        of the client; $SALUS_CONFIG if left out\n"
        "  --replica NAME       institution whose replica is asked first\n"
        "  --vault DIR          instead of the configuration's\n"
        "\n"
        "judging and importing:\n"
        "  --explain            the transactions, and of every element\n"
        "                       where it goes: ledger, sealed, vault, nowhere\n"
        "  --zone +HH:MM        of dates without a time; else UTC\n"
        "  --attachments DIR    where attachments with relative urls lie\n"
        "  --mode MODE          how consents were given, where they do not "
        "say\n"
        "                       it: wet-ink (else), esign, verbal\n"
        "  --own REFERENCE...   what means the own institution, kept in the "
        "vault\n"
        "  --member REFERENCE=NAME...   what means another institution, by "
        "its\n"
        "                       name or id: recipients of disclosures\n"
        "  --purpose 'SYSTEM|CODE=NUMBER'...   what means a purpose that was\n"
        "                       published, by its number on the ledger; kept "
        "in\n"
        "                       the vault\n"
        "  --signer REFERENCE=FILE...   certificate or public key (PEM) of one "
        "who\n"
        "                       signs: wrong signatures of his are rejected\n"
        "  --basis CODE         law of disclosures that name no ground:\n"
        "                       public-health, required-by-law, court-order\n"
        "  --basis-document FILE   what shows it: keep it, the ledger commits "
        "to it\n"
        "  --recipient REFERENCE   who received, where disclosures have words "
        "alone\n"
        "  --self-report        those that name no ground are told as "
        "violations\n"
        "  --emergency-reason R why glass is broken, if the event does not "
        "say:\n"
        "                       life-threat, incapacitated, imminent-harm,\n"
        "                       disaster, system-unavailable\n"
        "  --emergency-window N minutes of one that does not say them (60)\n"
        "  --register-unknown   for trials: who is not in the vault gets an "
        "id\n"
        "\n"
        "exporting:\n"
        "  --subject PATIENT    only of that patient: a handle, or a name of "
        "the\n"
        "                       vault, such as Patient/17\n"
        "  --consent CONSENT    only that one: its id, or such as Consent/3\n"
        "  --decision ID...     only these, by request or transaction\n"
        "  --since, --until T   only of blocks from T on, and before T:\n"
        "                       2026-11-28 or 2026-11-28T10:15:00Z (UTC)\n"
        "  --ndjson             a resource a line; else one Bundle (--bundle)\n"
        "  -o FILE              whole or not at all, never over another; else\n"
        "                       standard output\n"
        "  --redacted           ids of the ledger and blinded labels, for "
        "others:\n"
        "                       nothing that only the vault knows\n"
        "  --no-contents        of documents the commitment alone\n"
        "  --receipts           each with the proof that it was executed\n"
        "  --partial            leaves out what cannot be said; exit code 1\n"
        "\n"
        "Exit code 1 of validate and import: something was rejected, or is\n"
        "not on the ledger; the rest is done.\n"
        "\n"
        "examples:\n"
        "  salus fhir dry-run consents/ --json\n"
        "  salus fhir import examples/fhir --register-unknown\n"
        "  salus fhir export --subject Patient/17 -o patient-17.json\n",
    .run = run,
};
