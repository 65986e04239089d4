/* SPDX-License-Identifier: Apache-2.0 */
/* Operands of the fhir commands: files, and folders with all files in them. */
#ifndef CLIENT_FHIR_FILES_H
#define CLIENT_FHIR_FILES_H

#include <stddef.h>

#include "consensus/status.h"
#include "proto/reason.h"

#define FHIR_FILES_MAX 100000
#define FHIR_FOLDER_DEPTH_MAX 16

struct fhir_files {
    char **paths; /* Owned. */
    size_t count;
    size_t capacity;
};

/* Adds a file, or all regular files below a folder in the order of their names;
 * names that begin with a dot are left out. What lies in a folder and is no
 * JSON, neither by its name nor by how it begins, is left out too and told by
 * `skipped` (or NULL). NOT_FOUND: there is no such path; LIMIT, NO_MEMORY, IO.
 */
typedef void fhir_files_skipped(const char *path);
PBFT_MUST_USE enum pbft_status fhir_files_add(struct fhir_files *files,
                                              const char *path,
                                              fhir_files_skipped *skipped,
                                              struct salus_reason *reason);
void fhir_files_free(struct fhir_files *files);

#endif /* CLIENT_FHIR_FILES_H */
