/* SPDX-License-Identifier: Apache-2.0 */
/* Institutions that an export names by their id on the ledger get the name of
 * the directory beside it: `display` of the Reference, for people. */
#ifndef CLIENT_FHIR_DISPLAY_H
#define CLIENT_FHIR_DISPLAY_H

#include "client/tool_directory.h"
#include "fhir/ledger_name.h"

struct fhir_display {
    struct tool_directory directory;
    struct salus_client *client; /* Asked for who is not known; NULL: nobody. */
    char system[FHIR_LEDGER_SYSTEM_SIZE];
    size_t unnamed; /* References that could not be named. */
};

void fhir_display_begin(struct fhir_display *display,
                        const struct salus_genesis *genesis,
                        const struct pbft_digest *chain);
/* Says on standard error how many could not be named. */
void fhir_display_end(struct fhir_display *display);

/* Takes `resource`, from malloc, and gives one in its place; NO_MEMORY: it is
 * gone. The names are certified, as receipts are; who cannot be named so has
 * the id alone. */
PBFT_MUST_USE enum pbft_status fhir_display_add(struct fhir_display *display,
                                                char **resource);

#endif /* CLIENT_FHIR_DISPLAY_H */
