/* SPDX-License-Identifier: Apache-2.0 */
/* salus fhir dry-run and validate: files judged, without a replica, a vault or
 * a configuration.
 */
#include <stdio.h>
#include <stdlib.h>

#include "client/fhir_outcome.h"
#include "client/fhir_print.h"
#include "client/fhir_rehearsal.h"
#include "client/tool_fhir.h"

struct judging {
    const struct fhir_call *call;
    const struct fhir_plan_options *plan;
    struct fhir_rehearsal *rehearsal; /* NULL: nothing is to be explained. */
    size_t classes[FHIR_CLASSES];
    size_t unreadable;
};

/* Was it no resource at all, but a file that could not be read? */
static bool is_unreadable(const struct fhir_item *item)
{
    const struct fhir_report *report = fhir_item_report(item);

    return report->count > 0 && report->findings[0].kind == FHIR_UNREADABLE;
}

static void print(const struct fhir_call *call, const char *path,
                  const struct fhir_item *item,
                  const struct fhir_explanation *explanation)
{
    if (call->outcome) {
        fhir_outcome_print(path, item);
        return;
    }
    if (call->json) {
        fhir_print_json(path, item, explanation);
        return;
    }
    fhir_print_row(path, item);
    if (explanation != NULL) {
        fhir_explain_rows(explanation);
    }
}

/* The rehearsal gets an item of its own: what it cannot plan for want of what
 * was imported before changes no class. */
static enum pbft_status rehearse(const struct judging *judging,
                                 struct vault_journal *out,
                                 const struct fhir_file *file, size_t index)
{
    struct fhir_item *twin = NULL;
    enum pbft_status status =
        fhir_item_load(&twin, file, index, &judging->call->fhir);

    if (status == PBFT_OK && fhir_item_class(twin) != FHIR_REJECT) {
        status = fhir_rehearsal_plan(judging->rehearsal, out, twin);
    }
    fhir_item_free(twin);
    return status;
}

static enum pbft_status print_explained(const struct judging *judging,
                                        const struct fhir_file *file,
                                        size_t index,
                                        const struct fhir_item *item)
{
    struct vault_journal *journal = calloc(1, sizeof *journal);

    if (journal == NULL) {
        return PBFT_NO_MEMORY;
    }
    const struct fhir_explanation explanation = {.item = item,
                                                 .steps = journal};
    enum pbft_status status = rehearse(judging, journal, file, index);
    if (status == PBFT_OK) {
        print(judging->call, fhir_file_name(file), item, &explanation);
    }
    vault_journal_free(journal);
    free(journal);
    return status;
}

static enum pbft_status judge_item(struct judging *judging,
                                   const struct fhir_file *file, size_t index)
{
    struct fhir_item *item = NULL;
    enum pbft_status status =
        fhir_item_load(&item, file, index, &judging->call->fhir);

    if (status != PBFT_OK) {
        return status;
    }
    fhir_judge_plan(item, judging->plan);
    judging->classes[fhir_item_class(item)]++;
    judging->unreadable += is_unreadable(item) ? 1 : 0;
    if (judging->rehearsal != NULL) {
        status = print_explained(judging, file, index, item);
    } else {
        print(judging->call, fhir_file_name(file), item, NULL);
    }
    fhir_item_free(item);
    return status;
}

static enum pbft_status judge_file(struct judging *judging, const char *path)
{
    struct fhir_file *file = NULL;
    enum pbft_status status = fhir_file_open(&file, path);

    for (size_t i = 0; status == PBFT_OK && i < fhir_file_count(file); i++) {
        status = judge_item(judging, file, i);
    }
    fhir_file_close(file);
    return status;
}

static enum pbft_status judge_rank(struct judging *judging,
                                   const struct fhir_file *file,
                                   enum fhir_rank rank)
{
    enum pbft_status status = PBFT_OK;

    for (size_t i = 0; status == PBFT_OK && i < fhir_file_count(file); i++) {
        if (fhir_file_rank(file, i) == rank) {
            status = judge_item(judging, file, i);
        }
    }
    return status;
}

/* As an import would go: a consent whose document or group came later would be
 * explained by ids that nobody gets. */
static enum pbft_status judge_by_rank(struct judging *judging)
{
    const struct fhir_files *paths = &judging->call->files;
    struct fhir_file **files = calloc(paths->count + 1, sizeof *files);
    enum pbft_status status = files == NULL ? PBFT_NO_MEMORY : PBFT_OK;

    for (size_t i = 0; status == PBFT_OK && i < paths->count; i++) {
        status = fhir_file_open(&files[i], paths->paths[i]);
    }
    for (int rank = FHIR_RANK_PARTICIPANT; rank <= FHIR_RANK_OTHER; rank++) {
        for (size_t i = 0; status == PBFT_OK && i < paths->count; i++) {
            status = judge_rank(judging, files[i], (enum fhir_rank)rank);
        }
    }
    for (size_t i = 0; files != NULL && i < paths->count; i++) {
        fhir_file_close(files[i]);
    }
    free(files);
    return status;
}

static enum pbft_status judge_one_by_one(struct judging *judging)
{
    const struct fhir_files *files = &judging->call->files;
    enum pbft_status status = PBFT_OK;

    for (size_t i = 0; status == PBFT_OK && i < files->count; i++) {
        status = judge_file(judging, files->paths[i]);
    }
    return status;
}

static int judge_files(struct judging *judging, bool strict)
{
    const struct fhir_call *call = judging->call;
    enum pbft_status status = judging->rehearsal != NULL
                                  ? judge_by_rank(judging)
                                  : judge_one_by_one(judging);

    if (status != PBFT_OK) {
        return fhir_failed(call, "exception", "%s", pbft_status_text(status));
    }
    if (!call->json && !call->outcome) {
        fhir_print_counts(judging->classes);
    }
    if (judging->unreadable > 0) {
        return fhir_failed(call, "exception", "%zu files cannot be read",
                           judging->unreadable);
    }
    return strict && judging->classes[FHIR_REJECT] > 0 ? TOOL_FAILED : TOOL_OK;
}

/* Those that imports were told before. */
static bool add_known_purposes(struct fhir_call *call)
{
    struct vault_purposes known;
    struct vault *vault = fhir_open_vault(call, call->vault, false);

    if (vault == NULL) {
        return false;
    }
    enum pbft_status status = vault_purposes_load(vault, &known);
    vault_close(vault);
    for (size_t i = 0; i < known.count && status == PBFT_OK; i++) {
        status = vault_purposes_add(&call->published, &known.rows[i]);
    }
    if (status != PBFT_OK) {
        (void)fhir_failed(call, "exception", "purposes of the vault: %s",
                          pbft_status_text(status));
    }
    return status == PBFT_OK;
}

int fhir_judge_all(struct fhir_call *call, bool strict)
{
    struct fhir_plan_options plan = {.vault = NULL};
    struct judging judging = {.call = call, .plan = &plan};
    struct salus_reason reason = {.text = ""};

    if (!fhir_plan_options_read(&plan, call)) {
        return TOOL_USAGE;
    }
    if (!fhir_purposes_read(call)) {
        return TOOL_USAGE;
    }
    if (call->vault != NULL && !add_known_purposes(call)) {
        return TOOL_FAILED;
    }
    call->fhir.purposes = &call->published;
    if (call->explain) {
        enum pbft_status status =
            fhir_rehearsal_begin(&judging.rehearsal, &plan, &reason);
        if (status != PBFT_OK) {
            return fhir_failed(call, "exception", "%s",
                               reason.text[0] != 0 ? reason.text
                                                   : pbft_status_text(status));
        }
    }
    int code = judge_files(&judging, strict);
    fhir_rehearsal_end(judging.rehearsal);
    return code;
}
