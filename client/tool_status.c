/* SPDX-License-Identifier: Apache-2.0 */
/* salus status: every replica of the consortium, asked at once. */
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/salus.h"
#include "client/tool_config.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "consensus/types.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

#define TIMEOUT_MS 3000
#define SECONDS_MAX 3600
#define BYTES_TEXT_SIZE 16
#define STATE_TEXT_SIZE 16

/* One replica; asked by a thread of its own, since a dead one takes as long as
 * the timeout. */
struct row {
    struct salus_client *client;
    uint32_t replica;
    pthread_t thread;
    bool has_thread;
    enum salus_status outcome;
    struct wire_arena arena;
    const Salus__V1__NodeStatus *status; /* In the arena; NULL: no answer. */
};

static void *ask(void *context)
{
    struct row *row = context;
    struct salus_bytes bytes = {NULL, 0};
    struct ProtobufCMessage *message = NULL;

    row->outcome = salus_replica_status(row->client, &bytes, row->replica);
    if (row->outcome == SALUS_OK) {
        if (wire_unpack_strict(&salus__v1__node_status__descriptor,
                               (struct pbft_bytes){bytes.data, bytes.size},
                               &row->arena, &message) == PBFT_OK) {
            row->status = (const Salus__V1__NodeStatus *)message;
        } else {
            row->outcome = SALUS_UNPROVED;
        }
    }
    salus_free(&bytes);
    return NULL;
}

static void ask_all(struct row *rows, uint32_t count,
                    struct salus_client *client)
{
    for (uint32_t i = 0; i < count; i++) {
        rows[i].client = client;
        rows[i].replica = i;
        wire_arena_init(&rows[i].arena, WIRE_UNPACK_BYTES_MAX);
        rows[i].has_thread =
            pthread_create(&rows[i].thread, NULL, ask, &rows[i]) == 0;
        if (!rows[i].has_thread) {
            (void)ask(&rows[i]);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].has_thread) {
            (void)pthread_join(rows[i].thread, NULL);
        }
    }
}

static void bytes_text(char out[BYTES_TEXT_SIZE], uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    uint64_t tenths = bytes * 10;
    while (tenths >= 10240 && unit + 1 < sizeof units / sizeof units[0]) {
        tenths /= 1024;
        unit++;
    }
    (void)snprintf(out, BYTES_TEXT_SIZE, "%" PRIu64 ".%u %s", tenths / 10,
                   (unsigned)(tenths % 10), units[unit]);
}

static uint64_t highest_executed(const struct row *rows, uint32_t count)
{
    uint64_t highest = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].status != NULL && rows[i].status->executed > highest) {
            highest = rows[i].status->executed;
        }
    }
    return highest;
}

static size_t connected_peers(const Salus__V1__NodeStatus *status)
{
    size_t count = 0;
    for (size_t i = 0; i < status->n_peers; i++) {
        count += status->peers[i]->connected ? 1 : 0;
    }
    return count;
}

/* ---- text ---------------------------------------------------------------- */

static void print_row(const struct row *row, uint64_t highest)
{
    const Salus__V1__NodeStatus *status = row->status;
    char disk[BYTES_TEXT_SIZE];
    char disk_free[BYTES_TEXT_SIZE];
    char view[32];
    char state[STATE_TEXT_SIZE];

    (void)printf("%7u  %-16s ", (unsigned)row->replica,
                 salus_replica_name(row->client, row->replica));
    if (status == NULL) {
        (void)printf("%s\n", tool_one_replica_text(row->outcome));
        return;
    }
    tool_line_text(state, sizeof state, status->state);
    bytes_text(disk, status->disk_bytes);
    bytes_text(disk_free, status->disk_free_bytes);
    (void)snprintf(view, sizeof view, "%" PRIu64 "%s", status->view,
                   status->view_active ? "" : "?");
    (void)printf("%-11s %5s %7u %10" PRIu64 " %10" PRIu64 " %6" PRIu64
                 " %3zu/%-3zu %10s %10s\n",
                 state, view, (unsigned)status->primary, status->executed,
                 status->stable,
                 highest > status->executed ? highest - status->executed : 0,
                 connected_peers(status), status->n_peers, disk, disk_free);
}

static void print_notes(const struct row *row)
{
    const Salus__V1__NodeStatus *status = row->status;
    const char *name = salus_replica_name(row->client, row->replica);
    char text[TOOL_LINE_TEXT_SIZE];
    if (status == NULL) {
        return;
    }
    for (size_t i = 0; i < status->n_unsafe; i++) {
        tool_line_text(text, sizeof text, status->unsafe[i]);
        (void)printf("UNSAFE: %s runs with %s\n", name, text);
    }
    if (status->envelopes_waiting + status->envelopes_held > 0) {
        (void)printf("ENVELOPES: %s: %" PRIu32 " not delivered yet, %" PRIu32
                     " of them refused at the last try; %" PRIu32
                     " not fetched yet\n",
                     name, status->envelopes_waiting, status->envelopes_refused,
                     status->envelopes_held);
    }
    if (status->problem[0] != '\0') {
        tool_line_text(text, sizeof text, status->problem);
        (void)printf("PROBLEM: %s: %s\n", name, text);
    }
}

static void print_table(const struct row *rows, uint32_t count)
{
    uint64_t highest = highest_executed(rows, count);
    (void)printf("replica  institution      state        view primary   "
                 "executed checkpoint    lag peers         disk       free\n");
    for (uint32_t i = 0; i < count; i++) {
        print_row(&rows[i], highest);
    }
    for (uint32_t i = 0; i < count; i++) {
        print_notes(&rows[i]);
    }
}

/* ---- JSON ---------------------------------------------------------------- */

static json_t *row_json(const struct row *row, uint64_t highest)
{
    json_t *json =
        row->status != NULL ? tool_json_of(&row->status->base) : json_object();
    (void)json_object_set_new(json, "replica", json_integer(row->replica));
    (void)json_object_set_new(
        json, "institution",
        json_string(salus_replica_name(row->client, row->replica)));
    (void)json_object_set_new(json, "reachable",
                              json_boolean(row->status != NULL));
    if (row->status != NULL) {
        uint64_t lag = highest > row->status->executed
                           ? highest - row->status->executed
                           : 0;
        (void)json_object_set_new(json, "lag", json_integer((json_int_t)lag));
    } else {
        (void)json_object_set_new(
            json, "problem", json_string(tool_one_replica_text(row->outcome)));
    }
    return json;
}

static void print_json(const struct row *rows, uint32_t count)
{
    uint64_t highest = highest_executed(rows, count);
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        (void)json_array_append_new(list, row_json(&rows[i], highest));
    }
    tool_json_print(json_pack("{s:o}", "replicas", list));
}

/* ---- the command --------------------------------------------------------- */

static int status_of_all(struct salus_client *client, bool as_json)
{
    uint32_t count = salus_replica_count(client);
    struct row *rows = calloc(count + 1, sizeof *rows);
    int code = TOOL_OK;

    if (rows == NULL) {
        return tool_failed(&tool_status, "out of memory");
    }
    ask_all(rows, count, client);
    if (as_json) {
        print_json(rows, count);
    } else {
        print_table(rows, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].status == NULL) {
            code = TOOL_FAILED;
        }
        wire_arena_deinit(&rows[i].arena);
    }
    free(rows);
    return code;
}

static int run(int argc, char **argv)
{
    const char *config = NULL;
    const char *timeout = NULL;
    bool as_json = false;
    uint64_t seconds = TIMEOUT_MS / 1000;
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        {.name = "--config", .value = &config},
        {.name = "--timeout", .value = &timeout},
        {.name = "--json", .flag = &as_json},
        {.name = NULL}};

    int code = tool_options_parse(&tool_status, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count != 0) {
        return tool_bad_usage(&tool_status, "not understood: %s",
                              operands.items[0]);
    }
    if (!tool_number(&tool_status, "--timeout", timeout, 1, SECONDS_MAX,
                     &seconds)) {
        return TOOL_USAGE;
    }
    struct salus_client *client =
        tool_open(config, NULL, (unsigned)(seconds * 1000));
    if (client == NULL) {
        return TOOL_FAILED;
    }
    code = status_of_all(client, as_json);
    salus_close(client);
    return code;
}

const struct tool_command tool_status = {
    .name = "status",
    .usage = "[--config FILE] [--timeout SECONDS] [--json]",
    .summary = "how every replica of the consortium is",
    .help =
        "Asks all replicas at once. One line each: state, view (with ? while "
        "it\n"
        "is being changed) and its primary, last executed block, stable\n"
        "checkpoint, lag behind the best of them, peers it is connected to, "
        "the\n"
        "size of its data and what its file system has left. Then how many "
        "key\n"
        "envelopes are under way, what is unsafe or wrong, and how far one is\n"
        "that catches up.\n"
        "\n"
        "  --config FILE      client configuration; else $SALUS_CONFIG\n"
        "  --timeout SECONDS  how long to wait for a silent one; 3\n"
        "  --json             one line: {\"replicas\": [{\"replica\": 0,\n"
        "                     \"reachable\": true, \"view\": 0, ...}, ...]}\n"
        "\n"
        "Exit code 1: not all of them answered.\n",
    .run = run,
};
