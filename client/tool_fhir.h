/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `salus fhir`. */
#ifndef CLIENT_TOOL_FHIR_H
#define CLIENT_TOOL_FHIR_H

#include "client/fhir_files.h"
#include "client/fhir_tally.h"
#include "client/tool_options.h"
#include "fhir/fhir.h"

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
    struct tool_list own;
    struct tool_list members;
    struct fhir_options fhir;
    struct fhir_files files;
    struct fhir_tally tally; /* Of an import. */
};

/* salus fhir import (tool_fhir_import.c). */
int fhir_import_all(struct fhir_call *call);

#endif /* CLIENT_TOOL_FHIR_H */
