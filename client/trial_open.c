/* SPDX-License-Identifier: Apache-2.0 */
/* The clients of a trial: of one that was just made, or of one that runs. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/tool_config.h"
#include "client/trial_private.h"
#include "crypto/keyfile.h"
#include "ledger/transaction.h"

#define IN_FLIGHT_MAX                                                          \
    128 /* Requests of one client: below a session's window. */

static enum pbft_status read_encryption_key(struct trial *trial, uint32_t id,
                                            const char *path,
                                            struct salus_reason *reason)
{
    struct transaction_key_id key_id;
    struct keyfile key;

    if (path[0] == '\0') {
        salus_reason_set(reason, "the client configuration names no "
                                 "encryption_key: records need one");
        return PBFT_INVALID_CONFIG;
    }
    enum pbft_status status =
        keyfile_read(&key, path, KEYFILE_ENCRYPTION, reason);
    if (status == PBFT_OK) {
        transaction_key_id(&key_id, key.public_key.bytes);
        memcpy(trial->encryption_keys[id], key_id.bytes, SALUS_ID_SIZE);
        keyfile_wipe(&key);
    }
    return status;
}

/* The next client. `path` NULL: $SALUS_CONFIG. `genesis` NULL: the file's. */
static enum pbft_status open_client(struct trial *trial, const char *path,
                                    const char *genesis)
{
    uint32_t id = trial->client_count;
    char problem[SALUS_PROBLEM_SIZE] = "";
    struct salus_reason reason = {{0}};
    struct tool_config file;
    struct salus_config config;

    enum pbft_status status = tool_config_load(&file, path, &reason);
    if (status == PBFT_OK) {
        status = read_encryption_key(trial, id, file.encryption_key, &reason);
    }
    if (status != PBFT_OK) {
        (void)fprintf(stderr, "salus: %s\n", reason.text);
        return status;
    }
    tool_config_to_client(&config, &file);
    config.requests_in_flight = IN_FLIGHT_MAX;
    config.unsafe_plain_tcp = trial->plain_tcp;
    if (genesis != NULL) {
        config.genesis_file = genesis;
    }
    if (trial->transactions_per_request != 0) {
        config.transactions_per_request = trial->transactions_per_request;
    }
    if (salus_open(&trial->clients[id], problem, &config) != SALUS_OK) {
        (void)fprintf(stderr, "salus: %s\n", problem);
        return PBFT_IO;
    }
    trial->client_count++;
    return PBFT_OK;
}

enum pbft_status trial_open_clients(struct trial *trial)
{
    enum pbft_status status = PBFT_OK;

    for (uint32_t id = 0; id < trial->count && status == PBFT_OK; id++) {
        char path[REPLICAS_PATH_MAX];
        (void)snprintf(path, sizeof(path), "%.256s/client-%u.yaml",
                       trial->replicas.folder, id);
        status = open_client(trial, path, NULL);
    }
    return status;
}

/* All clients are open: now its replicas must answer. */
static enum pbft_status meet(struct trial *trial, uint32_t timeout_ms)
{
    trial->count = salus_replica_count(trial->clients[0]);
    if (trial->count > TRIAL_REPLICAS_MAX) {
        (void)fprintf(stderr,
                      "salus: %u replicas; at most %u can be measured\n",
                      trial->count, TRIAL_REPLICAS_MAX);
        return PBFT_LIMIT;
    }
    return trial_wait_for_answers(trial, timeout_ms);
}

enum pbft_status trial_attach_config(struct trial *trial, const char *path,
                                     uint32_t timeout_ms)
{
    enum pbft_status status = open_client(trial, path, NULL);

    return status == PBFT_OK ? meet(trial, timeout_ms) : status;
}

enum pbft_status trial_attach_genesis(struct trial *trial, const char *genesis,
                                      uint32_t timeout_ms)
{
    const char *slash = strrchr(genesis, '/');
    int size = slash != NULL ? (int)(slash - genesis) + 1 : 0;
    enum pbft_status status = PBFT_OK;

    while (status == PBFT_OK && trial->client_count < TRIAL_REPLICAS_MAX) {
        char path[TOOL_PATH_MAX];
        int length = snprintf(path, sizeof(path), "%.*sclient-%u.yaml", size,
                              genesis, trial->client_count);
        if (length < 0 || (size_t)length >= sizeof(path) ||
            access(path, F_OK) != 0) {
            break;
        }
        status = open_client(trial, path, genesis);
    }
    if (status == PBFT_OK && trial->client_count == 0) {
        (void)fprintf(stderr,
                      "salus: %s: no client-0.yaml is beside it; name a client "
                      "configuration with --config\n",
                      genesis);
        return PBFT_NOT_FOUND;
    }
    return status == PBFT_OK ? meet(trial, timeout_ms) : status;
}

void trial_close_clients(struct trial *trial)
{
    for (uint32_t id = 0; id < trial->client_count; id++) {
        salus_close(trial->clients[id]);
        trial->clients[id] = NULL;
    }
    trial->client_count = 0;
}
