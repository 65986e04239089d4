/* SPDX-License-Identifier: Apache-2.0 */
/* salus fhir: FHIR R4 files judged, and imported. */
#include <stdio.h>
#include <string.h>

#include "client/fhir_files.h"
#include "client/fhir_print.h"
#include "client/tool_config.h"
#include "client/tool_options.h"
#include "crypto/keyfile.h"
#include "fhir/date.h"

/* The command line. */
struct call {
    struct tool_list operands; /* The first one is what to do. */
    bool json;
    bool explain;
    bool register_unknown;
    const char *config;
    const char *replica;
    const char *vault;
    const char *zone;
    const char *attachments;
    const char *mode;
    struct tool_list own;
    struct fhir_options fhir;
    struct fhir_files files;
};

static bool gather_files(struct call *call)
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

static enum pbft_status judge_file(const struct call *call, const char *path,
                                   size_t classes[4])
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
        if (call->json) {
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
static int judge_all(struct call *call, bool strict)
{
    size_t classes[4] = {0};

    for (size_t i = 0; i < call->files.count; i++) {
        const char *path = call->files.paths[i];
        enum pbft_status status = judge_file(call, path, classes);
        if (status != PBFT_OK) {
            return tool_failed(&tool_fhir, "%s: %s", path,
                               pbft_status_text(status));
        }
    }
    if (!call->json) {
        fhir_print_counts(classes);
    }
    return strict && classes[FHIR_REJECT] > 0 ? TOOL_FAILED : TOOL_OK;
}

/* ---- import -------------------------------------------------------------- */

static bool parse_mode(const char *text, enum transaction_mode *out)
{
    static const struct {
        const char *name;
        enum transaction_mode mode;
    } modes[] = {{"wet-ink", TRANSACTION_WET_INK},
                 {"esign", TRANSACTION_ESIGN},
                 {"verbal", TRANSACTION_VERBAL_WITNESSED}};

    *out = TRANSACTION_WET_INK;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (text == NULL || strcmp(text, modes[i].name) == 0) {
            *out = modes[i].mode;
            return true;
        }
    }
    return false;
}

static void on_progress(void *context, const struct import_event *event)
{
    const struct call *call = context;

    if (call->json) {
        fhir_print_event_json(event);
        return;
    }
    fhir_print_event_row(event);
    if (call->explain) {
        fhir_print_explanation(event);
    }
}

/* The vault is made at the first import, and said to be. */
static struct vault *open_vault(const char *folder)
{
    struct salus_reason reason = {.text = ""};
    struct vault *vault = NULL;
    enum pbft_status status = vault_open(&vault, folder, &reason);

    if (status == PBFT_NOT_FOUND) {
        status = vault_create(folder, &reason);
        if (status == PBFT_OK) {
            (void)fprintf(stderr, "salus fhir: new vault in %s: back it up\n",
                          folder);
            status = vault_open(&vault, folder, &reason);
        }
    }
    if (status != PBFT_OK) {
        (void)tool_failed(&tool_fhir, "%s",
                          reason.text[0] != 0 ? reason.text
                                              : pbft_status_text(status));
        return NULL;
    }
    return vault;
}

static bool fill_options(struct import_options *out, const struct call *call,
                         const struct tool_config *config)
{
    struct salus_reason reason = {.text = ""};
    struct keyfile key;

    if (config->encryption_key[0] == 0) {
        (void)tool_failed(&tool_fhir, "the configuration names no "
                                      "encryption_key");
        return false;
    }
    if (keyfile_read(&key, config->encryption_key, KEYFILE_ENCRYPTION,
                     &reason) != PBFT_OK) {
        (void)tool_failed(&tool_fhir, "%s", reason.text);
        return false;
    }
    memcpy(out->custodian_key, key.public_key.bytes, sizeof out->custodian_key);
    keyfile_wipe(&key);
    out->fhir = call->fhir;
    out->register_unknown = call->register_unknown;
    for (size_t i = 0; i < call->own.count && i < IMPORT_OWN_MAX; i++) {
        out->own[out->own_count++] = call->own.items[i];
    }
    return true;
}

static int report_summary(const struct call *call,
                          const struct import_summary *summary)
{
    size_t bad = summary->outcomes[IMPORT_REJECTED] +
                 summary->outcomes[IMPORT_REFUSED] +
                 summary->outcomes[IMPORT_OPEN];

    if (!call->json) {
        fhir_print_counts(summary->classes);
        (void)printf("%zu transactions executed; %zu resources on the ledger, "
                     "%zu known before, %zu refused, %zu open\n",
                     summary->transactions, summary->outcomes[IMPORT_ON_LEDGER],
                     summary->outcomes[IMPORT_KNOWN],
                     summary->outcomes[IMPORT_REFUSED],
                     summary->outcomes[IMPORT_OPEN]);
    }
    return bad > 0 ? TOOL_FAILED : TOOL_OK;
}

static int import_with(struct call *call, struct import_options *options,
                       struct salus_client *client)
{
    struct import_port port;
    struct import_summary summary;
    struct salus_reason reason = {.text = ""};

    import_port_of_client(&port, client);
    enum pbft_status status =
        import_run(&port, options, (const char *const *)call->files.paths,
                   call->files.count, on_progress, call, &summary, &reason);
    int code = report_summary(call, &summary);
    if (status != PBFT_OK) {
        return tool_failed(&tool_fhir, "%s", reason.text);
    }
    return code;
}

static int import_all(struct call *call)
{
    struct tool_config config;
    struct salus_reason reason = {.text = ""};
    struct import_options options = {.own_count = 0};

    if (!parse_mode(call->mode, &options.mode)) {
        return tool_bad_usage(&tool_fhir, "--mode is wet-ink, esign or verbal");
    }
    if (tool_config_load(&config, call->config, &reason) != PBFT_OK) {
        return tool_failed(&tool_fhir, "%s", reason.text);
    }
    const char *folder = call->vault != NULL ? call->vault : config.vault;
    if (folder[0] == 0) {
        return tool_failed(&tool_fhir,
                           "name the vault: --vault DIR, or vault: in the "
                           "configuration");
    }
    if (!fill_options(&options, call, &config)) {
        return TOOL_FAILED;
    }
    options.vault = open_vault(folder);
    if (options.vault == NULL) {
        return TOOL_FAILED;
    }
    struct salus_client *client = tool_open(call->config, call->replica, 0);
    int code =
        client != NULL ? import_with(call, &options, client) : TOOL_FAILED;
    salus_close(client);
    vault_close(options.vault);
    return code;
}

/* ---- command ------------------------------------------------------------- */

static int dispatch(struct call *call)
{
    const char *what = call->operands.items[0];

    if (strcmp(what, "dry-run") == 0) {
        return judge_all(call, false);
    }
    if (strcmp(what, "validate") == 0) {
        return judge_all(call, true);
    }
    if (strcmp(what, "import") == 0) {
        return import_all(call);
    }
    return tool_bad_usage(&tool_fhir,
                          "\"%s\": it is dry-run, validate or "
                          "import",
                          what);
}

static int run(int argc, char **argv)
{
    struct call call = {.json = false};
    const struct tool_option options[] = {
        {"--json", &call.json, NULL, NULL},
        {"--explain", &call.explain, NULL, NULL},
        {"--register-unknown", &call.register_unknown, NULL, NULL},
        {"--config", NULL, &call.config, NULL},
        {"--replica", NULL, &call.replica, NULL},
        {"--vault", NULL, &call.vault, NULL},
        {"--zone", NULL, &call.zone, NULL},
        {"--attachments", NULL, &call.attachments, NULL},
        {"--mode", NULL, &call.mode, NULL},
        {"--own", NULL, NULL, &call.own},
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
        "  --explain            the transactions, and of every element\n"
        "                       whether it is on the ledger, sealed or "
        "dropped\n"
        "  --register-unknown   for trials: patients, actors and encounters\n"
        "                       that the vault does not know get random ids\n"
        "  --own REFERENCE...   what means the own institution, such as\n"
        "                       Organization/17; kept in the vault\n"
        "  --zone +HH:MM        of dates without a time; UTC if left out\n"
        "  --attachments DIR    where attachments with relative urls lie\n"
        "  --mode MODE          how consents were given: wet-ink (if left\n"
        "                       out), esign, verbal\n"
        "  --vault DIR          instead of the configuration's\n"
        "  --config FILE        of the client; $SALUS_CONFIG if left out\n"
        "  --replica NAME       institution whose replica is asked first\n"
        "\n"
        "examples:\n"
        "  salus fhir dry-run consents/ --json\n"
        "  salus fhir import examples/fhir --config trial/client-0.yaml\n",
    .run = run,
};
