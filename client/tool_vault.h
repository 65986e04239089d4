/* SPDX-License-Identifier: Apache-2.0 */
/* The part of `salus vault` that has a file of its own. */
#ifndef CLIENT_TOOL_VAULT_H
#define CLIENT_TOOL_VAULT_H

#include "client/tool_options.h"

struct vault;

struct tool_vault_share {
    const char *config; /* Of the client; NULL: $SALUS_CONFIG. */
    const char *name;   /* Of a document, e.g. "DocumentReference/17". */
    const char *path;   /* Of the sealed content; must not exist. */
    bool json;
};

/* Writes the sealed content of a document, and its envelope beside it. */
int tool_vault_share(struct vault *vault, const struct tool_vault_share *call);

#endif /* CLIENT_TOOL_VAULT_H */
