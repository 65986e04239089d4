/* SPDX-License-Identifier: Apache-2.0 */
/* A trial consortium: made, started, watched. */
#include "client/tool_clock.h"
#include "client/trial_private.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/tool_consortium.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

#define PORTS_PER_REPLICA 2
#define POLL_NS 20000000
#define NO_SYNC_OPTION "--unsafe-no-sync"

void trial_pause_briefly(void)
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
        trial->no_sync ? NO_SYNC_OPTION : NULL;
    status = port == 0 ? PBFT_LIMIT : consortium_create(&options, &reason);
    if (status != PBFT_OK) {
        (void)fprintf(stderr, "salus: cannot make a consortium in %s: %s\n",
                      folder, port == 0 ? "no free ports" : reason.text);
    }
    return status;
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

enum pbft_status trial_wait_for_answers(struct trial *trial,
                                        uint32_t timeout_ms)
{
    uint64_t deadline = tool_now_ms() + timeout_ms;
    struct trial_status status;

    for (uint32_t id = 0; id < trial->count; id++) {
        while (!trial_ask(trial, id, &status)) {
            if (!all_alive(trial)) {
                return PBFT_IO;
            }
            if (tool_now_ms() > deadline) {
                (void)fprintf(stderr, "salus: replica %u does not answer\n",
                              id);
                return PBFT_TIMED_OUT;
            }
            trial_pause_briefly();
        }
    }
    return PBFT_OK;
}

enum pbft_status trial_start(struct trial *trial, uint32_t timeout_ms)
{
    for (uint32_t id = 0; id < trial->count; id++) {
        enum pbft_status started = replicas_start(&trial->replicas, id);
        if (started != PBFT_OK) {
            (void)fprintf(stderr, "salus: replica %u cannot be started\n", id);
            return started;
        }
    }
    enum pbft_status status = trial_open_clients(trial);
    if (status == PBFT_OK) {
        status = trial_wait_for_answers(trial, timeout_ms);
    }
    return status;
}

static void read_threads(struct trial_status *out,
                         const Salus__V1__NodeStatus *status)
{
    for (size_t i = 0; i < status->n_threads && i < TRIAL_THREADS_MAX; i++) {
        struct trial_thread *thread = &out->threads[out->thread_count++];
        (void)snprintf(thread->name, sizeof(thread->name), "%s",
                       status->threads[i]->name);
        thread->cpu_us = status->threads[i]->cpu_us;
    }
}

static void read_status(struct trial_status *out,
                        const Salus__V1__NodeStatus *status)
{
    *out = (struct trial_status){.view = status->view,
                                 .primary = status->primary,
                                 .executed = status->executed,
                                 .stable = status->stable,
                                 .transactions = status->transactions,
                                 .syncs = status->syncs,
                                 .cpu_us = status->cpu_us,
                                 .resident_bytes = status->resident_bytes,
                                 .bytes_sent = status->bytes_sent,
                                 .bytes_received = status->bytes_received,
                                 .client_bytes_received =
                                     status->client_bytes_received,
                                 .disk_bytes = status->disk_bytes,
                                 .written_bytes = status->written_bytes};
    out->is_recovering = strcmp(status->state, "recovering") == 0;
    (void)snprintf(out->problem, sizeof(out->problem), "%s", status->problem);
    for (size_t i = 0; i < status->n_unsafe; i++) {
        out->no_sync |= strcmp(status->unsafe[i], NO_SYNC_OPTION) == 0;
    }
    if (status->ledger_root.len == sizeof(out->ledger_root)) {
        memcpy(out->ledger_root, status->ledger_root.data,
               sizeof(out->ledger_root));
    }
    read_threads(out, status);
}

bool trial_ask(struct trial *trial, uint32_t replica, struct trial_status *out)
{
    struct salus_bytes bytes = {NULL, 0};
    struct ProtobufCMessage *decoded = NULL;
    struct wire_arena arena;
    bool answered = false;

    memset(out, 0, sizeof(*out));
    /* Any client may ask any replica; its own connection is there already. */
    if (salus_replica_status(trial->clients[replica % trial->client_count],
                             &bytes, replica) != SALUS_OK) {
        return false;
    }
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_unpack_strict(&salus__v1__node_status__descriptor,
                           (struct pbft_bytes){bytes.data, bytes.size}, &arena,
                           &decoded) == PBFT_OK) {
        read_status(out, (const Salus__V1__NodeStatus *)decoded);
        answered = true;
    }
    wire_arena_deinit(&arena);
    salus_free(&bytes);
    return answered;
}

bool trial_wait_executed(struct trial *trial, uint32_t replica, uint64_t seq,
                         uint32_t timeout_ms)
{
    uint64_t deadline = tool_now_ms() + timeout_ms;
    struct trial_status status;

    while (!trial_ask(trial, replica, &status) || status.executed < seq) {
        if (tool_now_ms() > deadline) {
            return false;
        }
        trial_pause_briefly();
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
