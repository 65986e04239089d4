/* SPDX-License-Identifier: Apache-2.0 */
/* The client's configuration file: where its keys and the consortium are.
 *
 *   genesis: genesis.txt               # relative to this file
 *   key: st-anna/client.key
 *   certificate: st-anna/client-tls.pem
 *   tls_key: st-anna/client-tls.key
 *   replica: st-anna                   # asked first; optional
 *   session: st-anna/client.session    # optional
 *   encryption_key: st-anna/encryption.key   # optional; for `salus fhir`
 *   vault: st-anna/vault               # optional folder; for `salus fhir`
 *   timeout_ms: 30000                  # optional
 *   max_staleness_ms: 60000            # optional; of certified reads
 */
#ifndef CLIENT_TOOL_CONFIG_H
#define CLIENT_TOOL_CONFIG_H

#include "client/salus.h"
#include "consensus/status.h"
#include "proto/reason.h"

#define TOOL_CONFIG_VARIABLE "SALUS_CONFIG"
#define TOOL_PATH_MAX 1024

/* Paths are complete; an empty text is not set. */
struct tool_config {
    char genesis[TOOL_PATH_MAX];
    char key[TOOL_PATH_MAX];
    char certificate[TOOL_PATH_MAX];
    char tls_key[TOOL_PATH_MAX];
    char session[TOOL_PATH_MAX];
    char encryption_key[TOOL_PATH_MAX];
    char vault[TOOL_PATH_MAX];
    char replica[64];
    unsigned timeout_ms;       /* 0: default. */
    unsigned max_staleness_ms; /* 0: any age. */
};

/* `path` or, if it is NULL, $SALUS_CONFIG. Unknown keys are refused with line
 * and column. */
SALUS_MUST_USE enum pbft_status tool_config_load(struct tool_config *out,
                                                 const char *path,
                                                 struct salus_reason *reason);

/* What salus_open() wants; texts point into `config`. */
void tool_config_to_client(struct salus_config *out,
                           const struct tool_config *config);

/* Load and open; prints what is wrong. NULL on failure. `replica` and
 * `timeout_ms` override the file's if they are set. */
struct salus_client *tool_open(const char *path, const char *replica,
                               unsigned timeout_ms);

/* Why a call to one replica alone (a query, its status) ended. */
const char *tool_one_replica_text(enum salus_status status);

#endif /* CLIENT_TOOL_CONFIG_H */
