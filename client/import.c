/* SPDX-License-Identifier: Apache-2.0 */
/* The import: all resources of all files in the order of their dependencies, in
 * batches. */
#include "client/import.h"

#include <stdlib.h>
#include <string.h>

#include "client/import_batch.h"
#include "client/tool_clock.h"
#include "ledger/errors.h"
#include "vault/entries.h"

/* A resource of one of the files. */
struct work {
    size_t file;
    size_t index;
    enum fhir_rank rank;
};

struct run {
    struct import_session session;
    struct fhir_file **files;
    size_t file_count;
    struct work *work;
    size_t work_count;
    struct fhir_options fhir;
    struct vault_purposes purposes;
};

const char *import_outcome_name(enum import_outcome outcome)
{
    switch (outcome) {
    case IMPORT_REJECTED:
        return "rejected";
    case IMPORT_ON_LEDGER:
        return "on ledger";
    case IMPORT_KNOWN:
        return "known";
    case IMPORT_REFUSED:
        return "refused";
    case IMPORT_OPEN:
        return "open";
    case IMPORT_LOCAL:
        return "local";
    case IMPORT_REPLACED:
        return "replaced";
    }
    return "?";
}

uint32_t import_refusal(const struct vault_journal *entry)
{
    for (uint32_t i = 0; i < entry->step_count; i++) {
        const struct vault_step *step = &entry->steps[i];
        bool has_ended = step->type == TRANSACTION_RECORD_RETRACT &&
                         step->code == LEDGER_REC_STATE;
        if (step->code != 0 && !has_ended) {
            return step->code;
        }
    }
    return 0;
}

/* ---- files --------------------------------------------------------------- */

static int compare_work(const void *left, const void *right)
{
    const struct work *a = left;
    const struct work *b = right;

    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }
    if (a->file != b->file) {
        return a->file < b->file ? -1 : 1;
    }
    return a->index < b->index ? -1 : a->index > b->index;
}

static enum pbft_status open_files(struct run *run, const char *const *files,
                                   size_t count)
{
    run->files = calloc(count + 1, sizeof(struct fhir_file *));
    if (run->files == NULL) {
        return PBFT_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        enum pbft_status status = fhir_file_open(&run->files[i], files[i]);
        if (status != PBFT_OK) {
            return status;
        }
        run->file_count = i + 1;
        run->work_count += fhir_file_count(run->files[i]);
    }
    return PBFT_OK;
}

static enum pbft_status order_work(struct run *run)
{
    size_t used = 0;

    run->work = calloc(run->work_count + 1, sizeof *run->work);
    if (run->work == NULL) {
        return PBFT_NO_MEMORY;
    }
    for (size_t i = 0; i < run->file_count; i++) {
        for (size_t k = 0; k < fhir_file_count(run->files[i]); k++) {
            run->work[used++] =
                (struct work){.file = i,
                              .index = k,
                              .rank = fhir_file_rank(run->files[i], k)};
        }
    }
    qsort(run->work, used, sizeof *run->work, compare_work);
    return PBFT_OK;
}

static void close_run(struct run *run)
{
    for (size_t i = 0; i < run->file_count; i++) {
        fhir_file_close(run->files[i]);
    }
    free(run->files);
    free(run->work);
    free(run->session.outdated);
}

/* ---- the run ------------------------------------------------------------- */

static void fill_session(struct import_session *session,
                         const struct import_port *port,
                         const struct import_options *options)
{
    struct transaction_envelope *envelope = &session->plan.envelope;

    session->port = port;
    session->plan.vault = options->vault;
    session->plan.register_unknown = options->register_unknown;
    session->plan.emergency_reason = options->emergency_reason;
    session->plan.emergency_window_ms = options->emergency_window_ms != 0
                                            ? options->emergency_window_ms
                                            : IMPORT_EMERGENCY_MS;
    session->plan.self_report = options->self_report;
    session->plan.basis = options->basis;
    session->plan.basis_document = options->basis_document;
    session->plan.recipient = options->recipient;
    session->plan.signers = options->signers;
    session->plan.signer_count = options->signer_count;
    session->plan.mode =
        options->mode != 0 ? options->mode : TRANSACTION_WET_INK;
    memcpy(session->plan.custodian_key, options->custodian_key,
           sizeof session->plan.custodian_key);
    memcpy(envelope->chain.bytes, port->cluster, sizeof envelope->chain.bytes);
    memcpy(envelope->institution.bytes, port->institution,
           sizeof envelope->institution.bytes);
    memcpy(envelope->key_id.bytes, port->key_id, sizeof envelope->key_id.bytes);
    envelope->table_version = CODES_VERSION;
}

static enum pbft_status name_own(const struct import_session *session,
                                 const struct import_options *options,
                                 struct salus_reason *reason)
{
    for (size_t i = 0; i < options->own_count && i < IMPORT_OWN_MAX; i++) {
        enum pbft_status status =
            vault_set_institution(options->vault, options->own[i],
                                  &session->plan.envelope.institution);
        if (status == PBFT_EXISTS) {
            salus_reason_set(reason,
                             "the vault knows the own reference %zu as "
                             "somebody else",
                             i + 1);
        }
        if (status != PBFT_OK) {
            return status;
        }
    }
    return PBFT_OK;
}

static enum pbft_status name_members(const struct import_options *options,
                                     struct salus_reason *reason)
{
    for (size_t i = 0; i < options->member_count; i++) {
        const struct import_member *member = &options->members[i];
        enum pbft_status status = vault_set_institution(
            options->vault, member->reference, &member->institution);
        if (status == PBFT_EXISTS) {
            salus_reason_set(reason,
                             "the vault knows the reference of member %zu as "
                             "somebody else",
                             i + 1);
        }
        if (status != PBFT_OK) {
            return status;
        }
    }
    return PBFT_OK;
}

/* What was said before counts too. An import that finds nothing to do teaches
 * the vault nothing. */
static enum pbft_status keep_purposes(struct run *run,
                                      const struct import_options *options,
                                      struct salus_reason *reason)
{
    run->purposes = options->purposes;
    run->fhir = options->fhir;
    run->fhir.purposes = &run->purposes;
    enum pbft_status status =
        run->work_count == 0 || run->work[0].rank == FHIR_RANK_OTHER
            ? PBFT_OK
            : vault_purposes_keep(options->vault, &run->purposes);
    if (status == PBFT_EXISTS) {
        salus_reason_set(reason,
                         "the vault knows a purpose by another number, or a "
                         "number as another purpose: salus vault purposes "
                         "lists them, salus vault unname takes one back");
    }
    return status;
}

/* Codes that the program itself knows are in every version. */
static enum pbft_status choose_tables(struct run *run)
{
    const struct import_port *port = run->session.port;
    uint32_t *version = &run->session.plan.envelope.table_version;

    if (run->purposes.count == 0 || run->work_count == 0) {
        return PBFT_OK;
    }
    enum salus_status status = port->tables(port->context, version);
    return status == SALUS_OK ? PBFT_OK
                              : import_failure(&run->session, status, 0);
}

static enum pbft_status run_batch(struct run *run, size_t *next)
{
    struct import_session *session = &run->session;
    struct import_batch *batch = NULL;
    enum pbft_status status = import_batch_begin(&batch, session);

    session->plan.now_ms = tool_wall_ms();
    session->plan.envelope.not_after_ms =
        session->plan.now_ms + IMPORT_VALID_MS;
    while (status == PBFT_OK && *next < run->work_count &&
           !import_batch_is_full(batch)) {
        const struct work *work = &run->work[*next];
        struct fhir_file *file = run->files[work->file];
        struct fhir_item *item = NULL;
        status = fhir_item_load(&item, file, work->index, &run->fhir);
        if (status == PBFT_OK && import_batch_must_wait(batch, item)) {
            fhir_item_free(item);
            break;
        }
        bool taken = true;
        if (status == PBFT_OK) {
            status = import_batch_add(batch, file, work->index, item, &taken);
        }
        if (!taken) {
            fhir_item_free(item);
            break;
        }
        (*next)++;
    }
    if (status == PBFT_OK) {
        status = import_batch_submit(batch);
    }
    import_batch_end(batch);
    return status;
}

static enum pbft_status run_all(struct run *run)
{
    size_t next = 0;
    enum pbft_status status = import_resume(&run->session);

    for (size_t i = 0; i < run->file_count && status == PBFT_OK; i++) {
        status = import_find_urls(&run->session, run->files[i], &run->fhir);
    }
    while (status == PBFT_OK && next < run->work_count) {
        status = run_batch(run, &next);
    }
    return status;
}

enum pbft_status import_run(const struct import_port *port,
                            const struct import_options *options,
                            const char *const *files, size_t file_count,
                            import_progress *progress, void *context,
                            struct import_summary *summary,
                            struct salus_reason *reason)
{
    struct run run = {.session = {.progress = progress,
                                  .context = context,
                                  .summary = summary,
                                  .reason = reason}};

    memset(summary, 0, sizeof *summary);
    salus_reason_set(reason, "%s", "");
    fill_session(&run.session, port, options);
    enum pbft_status status = name_own(&run.session, options, reason);
    if (status == PBFT_OK) {
        status = name_members(options, reason);
    }
    if (status == PBFT_OK) {
        status = open_files(&run, files, file_count);
    }
    if (status == PBFT_OK) {
        status = order_work(&run);
    }
    if (status == PBFT_OK) {
        status = keep_purposes(&run, options, reason);
    }
    if (status == PBFT_OK) {
        status = choose_tables(&run);
    }
    if (status == PBFT_OK) {
        summary->resources = run.work_count;
        run.session.total = run.work_count;
        status = run_all(&run);
    }
    if (status != PBFT_OK && reason != NULL && reason->text[0] == 0) {
        const char *problem = vault_problem(options->vault);
        salus_reason_set(reason, "%s",
                         problem[0] != 0 ? problem : pbft_status_text(status));
    }
    close_run(&run);
    return status;
}
