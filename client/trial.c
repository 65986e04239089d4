/* SPDX-License-Identifier: Apache-2.0 */
/* A trial consortium: made, started, watched. */
#include "client/trial.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/tool_config.h"
#include "client/tool_consortium.h"
#include "crypto/keyfile.h"
#include "ledger/transaction.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

#define PORTS_PER_REPLICA 2
#define POLL_NS 20000000
#define IN_FLIGHT_MAX                                                          \
    128 /* Requests of one client: below a session's window. */

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_briefly(void)
{
    const struct timespec pause = {0, POLL_NS};

    (void)nanosleep(&pause, NULL);
}

enum pbft_status trial_create(struct trial *trial, const char *folder,
                              uint32_t replicas)
{
    struct salus_reason reason = {{0}};
    uint16_t port =
        replicas_free_ports((uint16_t)(replicas * PORTS_PER_REPLICA));
    const struct consortium_options options = {.folder = folder,
                                               .replicas = replicas,
                                               .base_port = port,
                                               .policies =
                                                   consortium_trial_policies};

    enum pbft_status status = replicas_init(&trial->replicas, folder, replicas);
    if (status != PBFT_OK) {
        (void)fprintf(stderr, "salus: salusd is not beside this program; "
                              "name it in $SALUSD\n");
        return status;
    }
    trial->count = replicas;
    trial->replicas.options[0] = trial->plain_tcp ? "--unsafe-no-tls" : NULL;
    trial->replicas.options[trial->plain_tcp ? 1 : 0] =
        trial->no_sync ? "--unsafe-no-sync" : NULL;
    status = port == 0 ? PBFT_LIMIT : consortium_create(&options, &reason);
    if (status != PBFT_OK) {
        (void)fprintf(stderr, "salus: cannot make a consortium in %s: %s\n",
                      folder, port == 0 ? "no free ports" : reason.text);
    }
    return status;
}

static enum pbft_status read_encryption_key(struct trial *trial, uint32_t id,
                                            const char *path,
                                            struct salus_reason *reason)
{
    struct transaction_key_id key_id;
    struct keyfile key;
    enum pbft_status status =
        keyfile_read(&key, path, KEYFILE_ENCRYPTION, reason);

    if (status == PBFT_OK) {
        transaction_key_id(&key_id, key.public_key.bytes);
        memcpy(trial->encryption_keys[id], key_id.bytes, SALUS_ID_SIZE);
        keyfile_wipe(&key);
    }
    return status;
}

static enum pbft_status open_client(struct trial *trial, uint32_t id)
{
    char path[REPLICAS_PATH_MAX];
    char problem[SALUS_PROBLEM_SIZE] = "";
    struct salus_reason reason = {{0}};
    struct tool_config file;
    struct salus_config config;

    (void)snprintf(path, sizeof(path), "%.256s/client-%u.yaml",
                   trial->replicas.folder, id);
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
    if (trial->transactions_per_request != 0) {
        config.transactions_per_request = trial->transactions_per_request;
    }
    if (salus_open(&trial->clients[id], problem, &config) != SALUS_OK) {
        (void)fprintf(stderr, "salus: %s\n", problem);
        return PBFT_IO;
    }
    return PBFT_OK;
}

/* A replica that ended by itself says why in its log. */
static bool all_alive(struct trial *trial)
{
    char log[REPLICAS_PATH_MAX];
    int status = 0;
    int dead = replicas_find_dead(&trial->replicas, &status);

    if (dead < 0) {
        return true;
    }
    replicas_log_path(&trial->replicas, (uint32_t)dead, log);
    (void)fprintf(stderr, "salus: replica %d has ended; its log: %s\n", dead,
                  log);
    FILE *file = fopen(log, "re");
    char line[512];
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        (void)fprintf(stderr, "  | %s", line);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return false;
}

enum pbft_status trial_start(struct trial *trial, uint32_t timeout_ms)
{
    uint64_t deadline = now_ms() + timeout_ms;
    struct trial_status status;

    for (uint32_t id = 0; id < trial->count; id++) {
        enum pbft_status started = replicas_start(&trial->replicas, id);
        if (started != PBFT_OK) {
            (void)fprintf(stderr, "salus: replica %u cannot be started\n", id);
            return started;
        }
    }
    for (uint32_t id = 0; id < trial->count; id++) {
        enum pbft_status opened = open_client(trial, id);
        if (opened != PBFT_OK) {
            return opened;
        }
    }
    for (uint32_t id = 0; id < trial->count; id++) {
        while (!trial_ask(trial, id, &status)) {
            if (!all_alive(trial)) {
                return PBFT_IO;
            }
            if (now_ms() > deadline) {
                (void)fprintf(stderr,
                              "salus: replica %u does not answer; its log is "
                              "%s/replica-%u.log\n",
                              id, trial->replicas.folder, id);
                return PBFT_TIMED_OUT;
            }
            pause_briefly();
        }
    }
    return PBFT_OK;
}

bool trial_ask(struct trial *trial, uint32_t replica, struct trial_status *out)
{
    struct salus_bytes bytes = {NULL, 0};
    struct ProtobufCMessage *decoded = NULL;
    struct wire_arena arena;
    bool answered = false;

    memset(out, 0, sizeof(*out));
    /* Any client may ask any replica; its own connection is there already. */
    if (salus_replica_status(trial->clients[replica], &bytes, replica) !=
        SALUS_OK) {
        return false;
    }
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_unpack_strict(&salus__v1__node_status__descriptor,
                           (struct pbft_bytes){bytes.data, bytes.size}, &arena,
                           &decoded) == PBFT_OK) {
        const Salus__V1__NodeStatus *status =
            (const Salus__V1__NodeStatus *)decoded;
        *out = (struct trial_status){.view = status->view,
                                     .primary = status->primary,
                                     .executed = status->executed,
                                     .stable = status->stable,
                                     .transactions = status->transactions,
                                     .syncs = status->syncs,
                                     .cpu_us = status->cpu_us,
                                     .resident_bytes = status->resident_bytes,
                                     .bytes_sent = status->bytes_sent,
                                     .disk_bytes = status->disk_bytes};
        answered = true;
    }
    wire_arena_deinit(&arena);
    salus_free(&bytes);
    return answered;
}

bool trial_wait_executed(struct trial *trial, uint32_t replica, uint64_t seq,
                         uint32_t timeout_ms)
{
    uint64_t deadline = now_ms() + timeout_ms;
    struct trial_status status;

    while (!trial_ask(trial, replica, &status) || status.executed < seq) {
        if (now_ms() > deadline) {
            return false;
        }
        pause_briefly();
    }
    return true;
}

bool trial_converge(struct trial *trial, uint32_t timeout_ms)
{
    struct trial_status status;
    uint64_t highest = 0;

    for (uint32_t i = 0; i < trial->count; i++) {
        /* One that has just been started may need some time to answer. */
        if (!trial_wait_executed(trial, i, 0, timeout_ms) ||
            !trial_ask(trial, i, &status)) {
            (void)fprintf(stderr, "salus: replica %u does not answer\n", i);
            return false;
        }
        highest = status.executed > highest ? status.executed : highest;
    }
    for (uint32_t i = 0; i < trial->count; i++) {
        if (!trial_wait_executed(trial, i, highest, timeout_ms)) {
            (void)fprintf(stderr,
                          "salus: replica %u has not reached block %llu\n", i,
                          (unsigned long long)highest);
            return false;
        }
    }
    return true;
}

void trial_close_clients(struct trial *trial)
{
    for (uint32_t id = 0; id < trial->count; id++) {
        salus_close(trial->clients[id]);
        trial->clients[id] = NULL;
    }
}
