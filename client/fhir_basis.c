/* SPDX-License-Identifier: Apache-2.0 */
/* --basis, --basis-document, --recipient: what the institution knows of
 * disclosures that do not say it themselves. */
#include <stdlib.h>
#include <string.h>

#include "client/tool_fhir.h"
#include "crypto/file.h"
#include "fhir/plan.h"

/* An order, scanned. */
#define DOCUMENT_BYTES_MAX ((size_t)16 * 1024 * 1024)

bool fhir_basis_load(struct fhir_call *call)
{
    struct salus_reason reason = {.text = ""};

    if (call->basis_document == NULL) {
        return true;
    }
    call->document = malloc(DOCUMENT_BYTES_MAX);
    enum pbft_status status =
        call->document == NULL
            ? PBFT_NO_MEMORY
            : file_read(call->document, DOCUMENT_BYTES_MAX,
                        &call->document_size, call->basis_document, FILE_PUBLIC,
                        &reason);
    if (status != PBFT_OK) {
        (void)fhir_failed(
            call, status == PBFT_NOT_FOUND ? "not-found" : "exception",
            "--basis-document %s: %s", call->basis_document,
            reason.text[0] != 0 ? reason.text : pbft_status_text(status));
        return false;
    }
    if (call->document_size == 0) {
        (void)fhir_failed(call, "exception", "--basis-document %s: it is empty",
                          call->basis_document);
        return false;
    }
    return true;
}

/* "Organization/17", or such as the files have it. */
static bool is_reference(const char *text)
{
    return text[0] != 0 && strlen(text) < FHIR_REFERENCE_MAX;
}

bool fhir_basis_read(struct fhir_plan_options *out,
                     const struct fhir_call *call)
{
    if (call->basis != NULL) {
        out->basis = fhir_law_of_code(call->basis);
        if (out->basis == 0) {
            (void)tool_bad_usage(&tool_fhir, "--basis is public-health, "
                                             "required-by-law or court-order");
            return false;
        }
        if (call->self_report) {
            (void)tool_bad_usage(&tool_fhir,
                                 "--basis and --self-report: what stands on a "
                                 "law is no violation");
            return false;
        }
    }
    if (call->recipient != NULL && !is_reference(call->recipient)) {
        (void)tool_bad_usage(&tool_fhir, "--recipient is a reference, such as "
                                         "Organization/17");
        return false;
    }
    out->recipient = call->recipient;
    out->basis_document =
        (struct pbft_bytes){call->document, call->document_size};
    return true;
}
