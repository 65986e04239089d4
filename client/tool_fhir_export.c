/* SPDX-License-Identifier: Apache-2.0 */
/* salus fhir export: transactions with their proofs from the consortium, names
 * from the vault, resources into one file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/fhir_display.h"
#include "client/fhir_handed.h"
#include "client/fhir_named.h"
#include "client/fhir_outcome.h"
#include "client/fhir_source.h"
#include "client/tool_ask.h"
#include "client/tool_config.h"
#include "client/tool_consortium.h"
#include "client/tool_fhir.h"
#include "crypto/file.h"
#include "crypto/hex.h"
#include "crypto/secret.h"
#include "fhir/export.h"
#include "fhir/limits.h"

#define US_PER_MS 1000

/* One export. */
struct run {
    const struct fhir_call *call;
    struct fhir_ground ground;
    struct salus_genesis *genesis;
    struct fhir_exporter *exporter;
    struct wire_buffer text;
    struct fhir_handed handed;
    struct fhir_display display;
    uint64_t since_ms; /* Of the block; 0: from the first. */
    uint64_t until_ms; /* Exclusive; 0: to the last. */
    size_t written;
    size_t refused;
};

/* ---- one transaction ----------------------------------------------------- */

static bool is_in_period(const struct run *run, uint64_t at_us)
{
    uint64_t at_ms = at_us / US_PER_MS;

    return at_ms >= run->since_ms &&
           (run->until_ms == 0 || at_ms < run->until_ms);
}

/* What could not be said, and in which transaction, or of which request. */
static void tell_report(struct run *run, const struct fhir_wanted *wanted,
                        const struct fhir_report *report)
{
    char hex[2 * PBFT_DIGEST_SIZE + 1];
    char what[sizeof "transaction " + 2 * PBFT_DIGEST_SIZE];

    hex_encode(
        hex, wanted->by_request
                 ? (struct pbft_bytes){wanted->consent, VAULT_ID_SIZE}
                 : (struct pbft_bytes){wanted->tx_id.bytes, PBFT_DIGEST_SIZE});
    (void)snprintf(what, sizeof what, "%s %s",
                   wanted->by_request ? "request" : "transaction", hex);
    run->refused++;
    if (run->call->outcome) {
        fhir_outcome_print_export(what, report);
    }
    for (size_t i = 0; i < report->count; i++) {
        char text[FHIR_PATH_MAX];
        fhir_finding_text(&report->findings[i], text, sizeof text);
        (void)fprintf(stderr, "salus fhir: %s %s: %s: %s\n",
                      transaction_type_name(wanted->type), hex,
                      report->findings[i].path, text);
    }
}

static void append(struct run *run, const char *resource)
{
    struct wire_buffer *out = &run->text;

    if (run->call->export.ndjson) {
        wire_buffer_put(out, resource, strlen(resource));
        wire_buffer_put(out, "\n", 1);
    } else {
        static const char head[] = "{\"resourceType\":\"Bundle\",\"type\":"
                                   "\"collection\",\"entry\":[\n"
                                   "{\"resource\":";
        static const char next[] = ",\n{\"resource\":";
        const char *before = run->written == 0 ? head : next;
        wire_buffer_put(out, before, strlen(before));
        wire_buffer_put(out, resource, strlen(resource));
        wire_buffer_put(out, "}", 1);
    }
    run->written++;
}

static bool export_source(struct run *run, const struct fhir_wanted *wanted,
                          const struct fhir_export_source *source)
{
    struct fhir_report *report = calloc(1, sizeof *report);
    char *resource = NULL;
    enum pbft_status status =
        report == NULL ? PBFT_NO_MEMORY
                       : fhir_export(run->exporter, &resource, report, source);

    if (status == PBFT_OK && resource != NULL && !run->call->export.redacted) {
        status = fhir_display_add(&run->display, &resource);
    }
    if (status == PBFT_OK && resource != NULL) {
        status = fhir_handed_add(&run->handed, wanted, resource);
    }
    if (status != PBFT_OK) {
        (void)fhir_failed(run->call, "exception", "%s",
                          pbft_status_text(status));
    } else if (resource == NULL) {
        tell_report(run, wanted, report);
    } else {
        append(run, resource);
    }
    free(resource);
    free(report);
    return status == PBFT_OK;
}

/* A decision without proof; others may have one. */
static bool tell_unproven(struct run *run, const struct fhir_wanted *wanted,
                          const struct salus_reason *reason)
{
    struct fhir_report *report = calloc(1, sizeof *report);

    if (report == NULL) {
        return false;
    }
    fhir_report_init(report, "");
    fhir_report_add(report, FHIR_EXPORT_UNPROVEN, "request", NULL);
    tell_report(run, wanted, report);
    (void)fprintf(stderr, "salus fhir: %s\n", reason->text);
    free(report);
    return true;
}

/* A request is one resource, by its own id as by its transaction. Notes it. */
static bool is_written(const struct fhir_gather *gather, size_t index,
                       const struct fhir_source *found)
{
    struct fhir_wanted *wanted = &gather->items[index];

    if (found->type != TRANSACTION_ACCESS_REQUEST ||
        !fhir_source_request(found, wanted->consent)) {
        return false;
    }
    wanted->has_request = true;
    for (size_t i = 0; i < index; i++) {
        if (gather->items[i].has_request &&
            memcmp(gather->items[i].consent, wanted->consent,
                   sizeof wanted->consent) == 0) {
            return true;
        }
    }
    return false;
}

static bool export_one(struct run *run, const struct fhir_gather *gather,
                       size_t index)
{
    struct fhir_wanted *wanted = &gather->items[index];
    struct fhir_source found;
    struct salus_reason reason = {""};
    const char *code = "exception";
    enum pbft_status status =
        fhir_source_fetch(&found, &run->ground, wanted, &code, &reason);
    bool done = status == PBFT_OK;
    bool is_unproven = status == PBFT_UNREACHABLE || status == PBFT_NOT_FOUND;

    if (is_unproven && run->call->export.partial &&
        wanted->type == TRANSACTION_ACCESS_REQUEST) {
        done = tell_unproven(run, wanted, &reason);
    } else if (!done) {
        (void)fhir_failed(run->call, code, "%s", reason.text);
    } else if (!found.is_nothing && is_in_period(run, found.at_us) &&
               !is_written(gather, index, &found)) {
        wanted->type = found.type;
        if (!run->call->export.receipts) {
            found.source.receipt = (struct pbft_bytes){NULL, 0};
            found.source.proof = (struct pbft_bytes){NULL, 0};
        }
        done = export_source(run, wanted, &found.source);
    }
    fhir_source_free(&found);
    return done;
}

/* ---- the file ------------------------------------------------------------ */

/* Whole or not at all, and never over another. */
static bool create_output(const struct fhir_call *call, struct pbft_bytes text)
{
    const char *path = call->export.output;
    struct salus_reason reason = {""};
    char part[TOOL_PATH_MAX];

    (void)snprintf(part, sizeof part, "%s.%ld.part", path, (long)getpid());
    if (file_create(part, FILE_SECRET, text, &reason) != PBFT_OK) {
        (void)fhir_failed(call, "exception", "%s", reason.text);
        return false;
    }
    bool done = link(part, path) == 0;
    (void)unlink(part);
    if (!done) {
        (void)fhir_failed(call, "exception", "%s: exists, or cannot be made",
                          path);
    }
    return done;
}

static bool write_output(struct run *run)
{
    static const char end[] = "\n]}\n";

    if (!run->call->export.ndjson) {
        wire_buffer_put(&run->text, end, sizeof end - 1);
    }
    if (run->text.status != PBFT_OK) {
        (void)fhir_failed(run->call, "too-long",
                          "larger than a file may be to be imported: name a "
                          "patient or a period");
        return false;
    }
    struct pbft_bytes text = wire_buffer_bytes(&run->text);
    if (run->call->export.output != NULL) {
        return create_output(run->call, text);
    }
    if (fwrite(text.data, 1, text.size, stdout) != text.size ||
        fflush(stdout) != 0) {
        (void)fhir_failed(run->call, "exception", "standard output is closed");
        return false;
    }
    return true;
}

/* ---- the whole ----------------------------------------------------------- */

static int export_all(struct run *run, struct fhir_gather *gather)
{
    const struct fhir_export_call *call = &run->call->export;

    for (size_t i = 0; i < gather->count; i++) {
        if (!export_one(run, gather, i)) {
            return TOOL_FAILED;
        }
    }
    if (run->refused > 0 && !call->partial) {
        return fhir_failed(run->call, "incomplete",
                           "%zu of %zu transactions cannot be said in FHIR: "
                           "nothing was written (--partial leaves them out)",
                           run->refused, run->refused + run->written);
    }
    if (run->written == 0) {
        return fhir_failed(run->call, "not-found", "nothing to export");
    }
    enum pbft_status status = fhir_handed_keep(&run->handed, gather->vault);
    if (status != PBFT_OK) {
        return fhir_failed(run->call, "exception", "the vault: %s",
                           pbft_status_text(status));
    }
    if (!write_output(run)) {
        return TOOL_FAILED;
    }
    (void)fprintf(stderr,
                  "salus fhir: %zu resources, %zu left out, %zu consents that "
                  "others replaced, %zu documents that were retracted\n",
                  run->written, run->refused, gather->superseded,
                  gather->retracted);
    return run->refused > 0 ? TOOL_FAILED : TOOL_OK;
}

static bool open_exporter(struct run *run, struct vault *vault)
{
    struct fhir_export_options options = {
        .vault = vault,
        .chain = run->ground.cluster,
        .redacted = run->call->export.redacted,
        .without_contents = run->call->export.without_contents};
    enum pbft_status status = fhir_exporter_create(&run->exporter, &options);

    if (status != PBFT_OK) {
        (void)fhir_failed(run->call, "exception", "the vault: %s",
                          pbft_status_text(status));
    }
    return status == PBFT_OK;
}

static int run_with(struct run *run, struct vault *vault)
{
    const struct fhir_call *call = run->call;
    struct fhir_gather gather = {.vault = vault};
    struct salus_reason reason = {""};
    int code = TOOL_FAILED;

    if (!fhir_named_take(&gather, call) || !open_exporter(run, vault)) {
        fhir_gather_free(&gather);
        return TOOL_FAILED;
    }
    run->ground.client = tool_open(call->config, call->replica, 0);
    gather.client = run->ground.client;
    run->ground.subject = gather.has_subject ? gather.subject : NULL;
    run->handed.chain = run->ground.cluster;
    fhir_display_begin(&run->display, run->ground.genesis,
                       &run->ground.cluster);
    run->display.client = run->ground.client;
    wire_buffer_init(&run->text, FHIR_FILE_BYTES_MAX);
    if (run->ground.client == NULL) {
        code = fhir_failed(call, "exception", "no client was opened");
    } else if (call->export.decisions.count == 0 &&
               fhir_gather_run(&gather, &reason) != PBFT_OK) {
        code = fhir_failed(call, "exception", "%s", reason.text);
    } else {
        code = export_all(run, &gather);
    }
    fhir_gather_free(&gather);
    fhir_display_end(&run->display);
    fhir_handed_free(&run->handed);
    wire_buffer_deinit(&run->text);
    fhir_exporter_destroy(run->exporter);
    salus_close(run->ground.client);
    return code;
}

static int check_usage(struct run *run)
{
    const struct fhir_export_call *call = &run->call->export;

    if (run->call->operands.count > 1) {
        return tool_bad_usage(&tool_fhir, "export takes no files");
    }
    if (call->decisions.count > 0 &&
        (call->subject != NULL || call->consent != NULL)) {
        return tool_bad_usage(&tool_fhir, "--decision, --subject or --consent");
    }
    if (call->bundle && call->ndjson) {
        return tool_bad_usage(&tool_fhir, "--bundle or --ndjson");
    }
    if (!tool_time_read(&tool_fhir, call->since, &run->since_ms) ||
        !tool_moment_read(&tool_fhir, call->until, &run->until_ms)) {
        return TOOL_USAGE;
    }
    if (call->output != NULL && access(call->output, F_OK) == 0) {
        return fhir_failed(run->call, "conflict", "%s exists", call->output);
    }
    return -1;
}

int fhir_export_all(struct fhir_call *call)
{
    struct run run = {.call = call};
    struct tool_config config;
    struct salus_reason reason = {""};
    int code = check_usage(&run);

    if (code != -1) {
        return code;
    }
    if (tool_config_load(&config, call->config, &reason) != PBFT_OK ||
        genesis_file_load(&run.genesis, &run.ground.cluster, config.genesis,
                          &reason) != PBFT_OK) {
        return fhir_failed(call, "exception", "%s", reason.text);
    }
    run.ground.genesis = run.genesis;
    const char *folder = call->vault != NULL ? call->vault : config.vault;
    struct vault *vault =
        folder[0] == 0 ? NULL : fhir_open_vault(call, folder, false);
    if (folder[0] == 0) {
        code = fhir_failed(call, "exception",
                           "name the vault: --vault DIR, or vault: in the "
                           "configuration");
    } else {
        code = vault != NULL ? run_with(&run, vault) : TOOL_FAILED;
    }
    vault_close(vault);
    genesis_destroy(run.genesis);
    return code;
}
