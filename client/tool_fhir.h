/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `salus fhir`. */
#ifndef CLIENT_TOOL_FHIR_H
#define CLIENT_TOOL_FHIR_H

#include "client/fhir_files.h"
#include "client/fhir_signers.h"
#include "client/fhir_tally.h"
#include "client/tool_options.h"
#include "fhir/fhir.h"
#include "vault/purposes.h"

/* The command line. */
struct fhir_call {
    struct tool_list operands; /* The first one is what to do. */
    bool json;
    bool outcome;
    bool explain;
    bool register_unknown;
    const char *config;
    const char *replica;
    const char *vault;
    const char *zone;
    const char *attachments;
    const char *mode;
    const char *emergency_reason;
    const char *emergency_window;
    bool self_report;
    const char *basis;
    const char *basis_document;
    const char *recipient;
    struct fhir_export_call {
        const char *subject;
        const char *consent;
        struct tool_list decisions;
        const char *since;
        const char *until;
        const char *output;
        bool bundle;
        bool ndjson;
        bool redacted;
        bool without_contents;
        bool receipts;
        bool partial;
    } export;
    struct tool_list own;
    struct tool_list members;
    struct tool_list purposes;
    struct tool_list signer_files;
    struct fhir_signers signers;
    struct fhir_options fhir;
    struct vault_purposes published; /* As --purpose says. */
    uint8_t *document; /* What --basis-document holds; owned; or NULL. */
    size_t document_size;
    struct fhir_files files;
    struct fhir_tally tally; /* Of an import. */
};

/* salus fhir export (tool_fhir_export.c). */
int fhir_export_all(struct fhir_call *call);
/* The folder of the vault, by option or configuration; NULL: said why. */
struct vault *fhir_open_vault(const struct fhir_call *call, const char *folder,
                              bool create);

/* salus fhir import (tool_fhir_import.c). */
int fhir_import_all(struct fhir_call *call);
/* How events and consents are taken; false: said why (bad usage). */
bool fhir_plan_options_read(struct fhir_plan_options *out,
                            const struct fhir_call *call);

/* Fills `published`; false: said why (fhir_purposes.c). */
bool fhir_purposes_read(struct fhir_call *call);

/* Reads what --basis-document names; false: said why (fhir_basis.c). */
bool fhir_basis_load(struct fhir_call *call);
/* What disclosures stand on that do not say it; false: said why (bad usage). */
bool fhir_basis_read(struct fhir_plan_options *out,
                     const struct fhir_call *call);

/* salus fhir dry-run and validate (tool_fhir_judge.c). */
int fhir_judge_all(struct fhir_call *call, bool strict);

/* Says what failed, with --outcome as an OperationOutcome too; `code` is one of
 * FHIR's IssueType. TOOL_FAILED. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 3, 4)))
#endif
int fhir_failed(const struct fhir_call *call, const char *code,
                const char *format, ...);

#endif /* CLIENT_TOOL_FHIR_H */
