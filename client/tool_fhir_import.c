/* SPDX-License-Identifier: Apache-2.0 */
/* salus fhir import: what the command line says, and what is told on the way.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/fhir_outcome.h"
#include "client/fhir_print.h"
#include "client/tool_config.h"
#include "client/tool_consortium.h"
#include "client/tool_directory.h"
#include "client/tool_fhir.h"
#include "crypto/hex.h"
#include "crypto/keyfile.h"
#include "ledger/codes.h"
#include "proto/genesis.h"

#define MANY 100 /* Resources from which on progress is drawn. */
#define MINUTE_MS ((uint64_t)60 * 1000)
#define MEMBERS_TEXT_MAX ((size_t)64 * 1024)
#define WINDOW_MINUTES_MAX 10080 /* A week. */

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
    struct fhir_call *call = context;

    fhir_tally_count(&call->tally, event);
    if (call->outcome) {
        fhir_outcome_print_event(event);
        return;
    }
    const struct fhir_explanation explanation = {.item = event->item,
                                                 .steps = event->steps};
    if (call->json) {
        fhir_print_event_json(event, call->explain ? &explanation : NULL);
        return;
    }
    /* Of many on a terminal only what needs somebody is shown. */
    bool needs_somebody = event->outcome == IMPORT_REJECTED ||
                          event->outcome == IMPORT_REFUSED ||
                          event->outcome == IMPORT_OPEN;
    bool is_quiet = call->tally.is_terminal && event->total >= MANY &&
                    !call->explain && isatty(STDOUT_FILENO);
    if (!is_quiet || needs_somebody) {
        fhir_tally_clear(&call->tally);
        fhir_print_event_row(event);
    }
    if (call->explain) {
        fhir_explain_rows(&explanation);
    }
    if (event->total >= MANY) {
        fhir_tally_draw(&call->tally, event);
    }
}

/* The vault is made at the first import, and said to be. */
struct vault *fhir_open_vault(const struct fhir_call *call, const char *folder,
                              bool create)
{
    struct salus_reason reason = {.text = ""};
    struct vault *vault = NULL;
    enum pbft_status status = vault_open(&vault, folder, &reason);

    if (status == PBFT_NOT_FOUND && create) {
        status = vault_create(folder, &reason);
        if (status == PBFT_OK) {
            (void)fprintf(stderr, "salus fhir: new vault in %s: back it up\n",
                          folder);
            status = vault_open(&vault, folder, &reason);
        }
    }
    if (status != PBFT_OK) {
        (void)fhir_failed(call, "exception", "%s",
                          reason.text[0] != 0 ? reason.text
                                              : pbft_status_text(status));
        return NULL;
    }
    return vault;
}

static bool fill_options(struct import_options *out,
                         const struct fhir_call *call,
                         const struct tool_config *config)
{
    struct salus_reason reason = {.text = ""};
    struct keyfile key;

    if (config->encryption_key[0] == 0) {
        (void)fhir_failed(call, "exception",
                          "the configuration names no "
                          "encryption_key");
        return false;
    }
    if (keyfile_read(&key, config->encryption_key, KEYFILE_ENCRYPTION,
                     &reason) != PBFT_OK) {
        (void)fhir_failed(call, "exception", "%s", reason.text);
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

/* Who is named goes onto the ledger: a name is looked up as certified. */
static bool find_member(struct pbft_institution *out,
                        const struct fhir_call *call,
                        const struct tool_directory *directory,
                        struct salus_client *client, const char *name)
{
    char *problem = NULL;
    json_t *row = tool_directory_choose(directory, client, SALUS_READ_CERTIFIED,
                                        name, &problem);
    const char *id = json_string_value(json_object_get(row, "institution"));
    bool done =
        id != NULL && hex_decode(out->bytes, sizeof out->bytes, id) == PBFT_OK;

    if (!done) {
        (void)fhir_failed(call, "not-found", "--member %s",
                          problem != NULL ? problem : "out of memory");
    }
    free(problem);
    json_decref(row);
    return done;
}

/* "REFERENCE=NAME"; a reference may hold '=' itself. */
static bool add_member(struct import_options *out, const struct fhir_call *call,
                       const struct tool_directory *directory,
                       struct salus_client *client, const char *text,
                       char **copy)
{
    const char *equals = strrchr(text, '=');

    if (equals == NULL || equals == text || equals[1] == 0 ||
        out->member_count == IMPORT_MEMBERS_MAX) {
        (void)fhir_failed(call, "exception",
                          "--member %s: it is REFERENCE=NAME, with the name or "
                          "id of an institution; at most %d of them",
                          text, IMPORT_MEMBERS_MAX);
        return false;
    }
    size_t size = (size_t)(equals - text);
    memcpy(*copy, text, size);
    (*copy)[size] = 0;
    struct import_member *row = &out->members[out->member_count++];
    row->reference = *copy;
    *copy += size + 1;
    return find_member(&row->institution, call, directory, client, equals + 1);
}

static bool add_members(struct import_options *out,
                        const struct fhir_call *call,
                        const struct tool_config *config,
                        struct salus_client *client)
{
    static char references[MEMBERS_TEXT_MAX];
    struct salus_reason reason = {.text = ""};
    struct salus_genesis *genesis = NULL;
    struct tool_directory directory;
    struct pbft_digest cluster;
    size_t size = 0;
    char *copy = references;

    for (size_t i = 0; i < call->members.count; i++) {
        size += strlen(call->members.items[i]) + 1;
    }
    if (size == 0) {
        return true;
    }
    if (size > sizeof references) {
        (void)fhir_failed(call, "exception",
                          "--member: the references are too long");
        return false;
    }
    if (genesis_file_load(&genesis, &cluster, config->genesis, &reason) !=
        PBFT_OK) {
        (void)fhir_failed(call, "exception", "%s", reason.text);
        return false;
    }
    tool_directory_begin(&directory, genesis);
    bool done = true;
    for (size_t i = 0; done && i < call->members.count; i++) {
        done = add_member(out, call, &directory, client, call->members.items[i],
                          &copy);
    }
    tool_directory_end(&directory);
    genesis_destroy(genesis);
    return done;
}

bool fhir_plan_options_read(struct fhir_plan_options *out,
                            const struct fhir_call *call)
{
    uint64_t minutes = IMPORT_EMERGENCY_MS / MINUTE_MS;

    if (!parse_mode(call->mode, &out->mode)) {
        (void)tool_bad_usage(&tool_fhir, "--mode is wet-ink, esign or verbal");
        return false;
    }
    if (call->emergency_reason != NULL) {
        const struct codes_entry *entry = codes_find(
            CODES_REASON, "urn:salus:reason", call->emergency_reason);
        if (entry == NULL || (entry->flags & CODES_FOR_EMERGENCY) == 0) {
            (void)tool_bad_usage(&tool_fhir,
                                 "--emergency-reason is life-threat, "
                                 "incapacitated, imminent-harm, disaster or "
                                 "system-unavailable");
            return false;
        }
        out->emergency_reason = entry->id;
    }
    out->self_report = call->self_report;
    if (!tool_number(&tool_fhir, "--emergency-window", call->emergency_window,
                     1, WINDOW_MINUTES_MAX, &minutes)) {
        return false;
    }
    out->emergency_window_ms = minutes * MINUTE_MS;
    return fhir_basis_read(out, call);
}

static void take_plan(struct import_options *out,
                      const struct fhir_plan_options *plan)
{
    out->mode = plan->mode;
    out->emergency_reason = plan->emergency_reason;
    out->emergency_window_ms = plan->emergency_window_ms;
    out->self_report = plan->self_report;
    out->basis = plan->basis;
    out->basis_document = plan->basis_document;
    out->recipient = plan->recipient;
}

static int report_summary(struct fhir_call *call,
                          const struct import_summary *summary)
{
    size_t bad = summary->outcomes[IMPORT_REJECTED] +
                 summary->outcomes[IMPORT_REFUSED] +
                 summary->outcomes[IMPORT_OPEN] + summary->outdated;

    if (!call->json && !call->outcome) {
        fhir_print_counts(summary->classes);
        (void)printf(
            "%zu transactions executed; %zu resources on the ledger, "
            "%zu known before, %zu replaced since, %zu local, %zu refused, "
            "%zu open\n",
            summary->transactions, summary->outcomes[IMPORT_ON_LEDGER],
            summary->outcomes[IMPORT_KNOWN], summary->outcomes[IMPORT_REPLACED],
            summary->outcomes[IMPORT_LOCAL], summary->outcomes[IMPORT_REFUSED],
            summary->outcomes[IMPORT_OPEN]);
        fhir_tally_print(&call->tally);
    }
    return bad > 0 ? TOOL_FAILED : TOOL_OK;
}

static int import_with(struct fhir_call *call, struct import_options *options,
                       struct salus_client *client)
{
    struct import_port port;
    struct import_summary summary;
    struct salus_reason reason = {.text = ""};

    import_port_of_client(&port, client);
    fhir_tally_init(&call->tally,
                    !call->json && !call->outcome && isatty(STDERR_FILENO));
    enum pbft_status status =
        import_run(&port, options, (const char *const *)call->files.paths,
                   call->files.count, on_progress, call, &summary, &reason);
    fhir_tally_clear(&call->tally);
    int code = report_summary(call, &summary);
    if (status != PBFT_OK) {
        return fhir_failed(call, "exception", "%s", reason.text);
    }
    return code;
}

static int import_into(struct fhir_call *call, struct import_options *options,
                       const struct tool_config *config)
{
    const char *folder = call->vault != NULL ? call->vault : config->vault;
    struct salus_client *client = tool_open(call->config, call->replica, 0);
    int code = TOOL_FAILED;

    if (client == NULL) {
        return fhir_failed(call, "exception", "no client was opened");
    }
    if (add_members(options, call, config, client)) {
        options->vault = fhir_open_vault(call, folder, true);
        if (options->vault != NULL) {
            code = import_with(call, options, client);
            vault_close(options->vault);
        }
    }
    salus_close(client);
    return code;
}

int fhir_import_all(struct fhir_call *call)
{
    struct tool_config config;
    struct salus_reason reason = {.text = ""};
    struct import_options options = {.own_count = 0};

    struct fhir_plan_options plan = {.vault = NULL};

    if (!fhir_plan_options_read(&plan, call)) {
        return TOOL_USAGE;
    }
    take_plan(&options, &plan);
    if (!fhir_purposes_read(call)) {
        return TOOL_USAGE;
    }
    options.purposes = call->published;
    if (tool_config_load(&config, call->config, &reason) != PBFT_OK) {
        return fhir_failed(call, "exception", "%s", reason.text);
    }
    const char *folder = call->vault != NULL ? call->vault : config.vault;
    if (folder[0] == 0) {
        return fhir_failed(call, "exception",
                           "name the vault: --vault DIR, or vault: in the "
                           "configuration");
    }
    if (!fill_options(&options, call, &config)) {
        return TOOL_FAILED;
    }
    if (fhir_signers_load(&call->signers, &call->signer_files, &reason) !=
        PBFT_OK) {
        fhir_signers_free(&call->signers);
        return fhir_failed(call, "exception", "%s", reason.text);
    }
    options.signers = call->signers.rows;
    options.signer_count = call->signers.count;
    int code = import_into(call, &options, &config);
    fhir_signers_free(&call->signers);
    return code;
}
