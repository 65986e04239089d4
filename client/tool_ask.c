/* SPDX-License-Identifier: Apache-2.0 */
/* One question at one of the three read levels. */
#include "client/tool_ask.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/salus.h"
#include "client/tool_answer.h"
#include "client/tool_config.h"
#include "client/tool_consortium.h"
#include "client/tool_folder.h"
#include "client/tool_json.h"
#include "client/tool_witness.h"
#include "consensus/quorum.h"
#include "ledger/limits.h"
#include "proto/certified.h"
#include "proto/scan.h"

#define PAGES_MAX 65536 /* Of a local read. */

struct asking {
    const struct tool_ask *ask;
    struct salus_client *client;
    struct salus_genesis *genesis; /* For names only; NULL: ids are printed. */
    struct tool_answer_view view;
    const struct salus_certified *certified; /* NULL: a local read. */
    uint8_t cursor[LEDGER_QUERY_MAX];
};

/* ---- printing ------------------------------------------------------------ */

/* How the replicas came out, as "agrees": [names], and the others by name. */
static void add_witnesses(const struct asking *asking, json_t *json)
{
    json_t *agreed = json_array();
    json_t *others = json_object();
    for (uint32_t i = 0; i < salus_replica_count(asking->client); i++) {
        enum salus_witness witness = asking->certified->witnesses[i];
        const char *name = salus_replica_name(asking->client, i);
        if (witness == SALUS_WITNESS_AGREES) {
            (void)json_array_append_new(agreed, json_string(name));
        } else {
            (void)json_object_set_new(others, name,
                                      json_string(salus_witness_text(witness)));
        }
    }
    (void)json_object_set_new(
        json, "level",
        json_string(asking->ask->ordered ? "ordered" : "certified"));
    (void)json_object_set_new(json, "certified_by", agreed);
    (void)json_object_set_new(json, "not_certified_by", others);
    tool_witness_statements_json(json, asking->client, asking->certified);
}

static void print_witnesses(FILE *stream, const struct asking *asking,
                            const enum salus_witness *witnesses)
{
    for (uint32_t i = 0; i < salus_replica_count(asking->client); i++) {
        if (witnesses[i] != SALUS_WITNESS_AGREES) {
            (void)fprintf(stream, "replica %u (%s) %s\n", (unsigned)i,
                          salus_replica_name(asking->client, i),
                          salus_witness_text(witnesses[i]));
        }
    }
}

static void print_level(const struct asking *asking,
                        const Salus__V1__Answer *answer)
{
    char time[TOOL_TIME_TEXT_SIZE];
    uint32_t n = salus_replica_count(asking->client);
    tool_time_text(time, answer->block_time_us);
    if (asking->certified == NULL) {
        (void)printf("height %llu of %s (as this replica has it)\n",
                     (unsigned long long)answer->height, time);
        return;
    }
    (void)printf("height %llu of %s, certified by",
                 (unsigned long long)answer->height, time);
    for (uint32_t i = 0; i < n; i++) {
        if (asking->certified->witnesses[i] == SALUS_WITNESS_AGREES) {
            (void)printf(" %s", salus_replica_name(asking->client, i));
        }
    }
    (void)printf(" (%u needed of %u)\n", (unsigned)pbft_weak_quorum(n),
                 (unsigned)n);
    print_witnesses(stdout, asking, asking->certified->witnesses);
    tool_witness_statements_print(stdout, asking->client, asking->certified);
}

/* TOOL_FAILED if the ledger answers with a code. */
static int show(struct asking *asking, const Salus__V1__Answer *answer,
                bool is_last)
{
    const struct tool_ask *ask = asking->ask;
    if (ask->json) {
        json_t *json = tool_json_of(&answer->base);
        if (json == NULL) {
            return tool_failed(ask->command, "out of memory");
        }
        if (asking->certified != NULL) {
            add_witnesses(asking, json);
        }
        tool_json_print(json);
    } else if (asking->view.pages == 0) {
        print_level(asking, answer);
    }
    if (answer->code != 0) {
        return tool_failed(ask->command, "%s: %s",
                           salus_code_name(answer->code),
                           salus_code_text(answer->code));
    }
    if (!ask->json) {
        tool_answer_print(&asking->view, answer, is_last);
    }
    return TOOL_OK;
}

/* ---- local --------------------------------------------------------------- */

/* The cursor of the answer into the question; false: that was all. */
static bool turn_page(struct asking *asking, Salus__V1__Query *query,
                      const Salus__V1__Answer *answer)
{
    ProtobufCBinaryData *cursor = certified_query_cursor(query);
    struct pbft_bytes next = certified_answer_cursor(answer);
    if (cursor == NULL || next.size == 0 || next.size > sizeof asking->cursor) {
        return false;
    }
    memcpy(asking->cursor, next.data, next.size);
    *cursor = (ProtobufCBinaryData){next.size, asking->cursor};
    return true;
}

/* -1: there is another page. */
static int ask_page(struct asking *asking, Salus__V1__Query *query)
{
    const struct tool_ask *ask = asking->ask;
    struct wire_buffer bytes;
    struct wire_arena arena;
    struct salus_bytes reply = {NULL, 0};
    struct ProtobufCMessage *message = NULL;
    enum salus_status status = SALUS_NO_MEMORY;
    int code = TOOL_FAILED;

    wire_buffer_init(&bytes, LEDGER_QUERY_MAX);
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_pack(&query->base, &bytes) == PBFT_OK) {
        struct pbft_bytes packed = wire_buffer_bytes(&bytes);
        status =
            salus_query_local(asking->client, &reply, packed.data, packed.size);
    }
    if (status != SALUS_OK) {
        (void)tool_failed(
            ask->command, "%s%s", tool_one_replica_text(status),
            status == SALUS_UNREACHABLE ? "; another one: --replica NAME" : "");
    } else if (wire_unpack_strict(&salus__v1__answer__descriptor,
                                  (struct pbft_bytes){reply.data, reply.size},
                                  &arena, &message) != PBFT_OK) {
        (void)tool_failed(ask->command, "the answer cannot be read");
    } else {
        const Salus__V1__Answer *answer = (const Salus__V1__Answer *)message;
        bool more = turn_page(asking, query, answer);
        code = show(asking, answer, !more);
        code = code == TOOL_OK && more ? -1 : code;
    }
    salus_free(&reply);
    wire_arena_deinit(&arena);
    wire_buffer_deinit(&bytes);
    return code;
}

static int ask_local(struct asking *asking, Salus__V1__Query *query)
{
    int code = -1;
    for (size_t page = 0; page < PAGES_MAX && code == -1; page++) {
        code = ask_page(asking, query);
    }
    return code == -1 ? TOOL_FAILED : code;
}

/* ---- certified ----------------------------------------------------------- */

static int show_pages(struct asking *asking)
{
    const struct salus_certified *from = asking->certified;
    int code = TOOL_OK;
    for (size_t i = 0; i < from->answer_count && code == TOOL_OK; i++) {
        struct ProtobufCMessage *message = NULL;
        struct wire_arena arena;
        wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
        code = wire_unpack_strict(&salus__v1__answer__descriptor,
                                  (struct pbft_bytes){from->answers[i].data,
                                                      from->answers[i].size},
                                  &arena, &message) == PBFT_OK
                   ? show(asking, (const Salus__V1__Answer *)message,
                          i + 1 == from->answer_count)
                   : tool_failed(asking->ask->command,
                                 "the answer cannot be read");
        wire_arena_deinit(&arena);
    }
    return code;
}

static int keep_proof(const struct asking *asking)
{
    const struct tool_ask *ask = asking->ask;
    const struct salus_bytes *proof = &asking->certified->proof;
    struct salus_reason reason = {""};
    if (ask->output == NULL) {
        return TOOL_OK;
    }
    if (tool_armor_create(ask->output, ARMOR_QUERY_PROOF,
                          (struct pbft_bytes){proof->data, proof->size},
                          &reason) != PBFT_OK) {
        return tool_failed(ask->command, "%s", reason.text);
    }
    if (!ask->json) {
        (void)printf("made %s\ncheck it anywhere:  salus verify %s --genesis "
                     "FILE\n",
                     ask->output, ask->output);
    }
    return TOOL_OK;
}

static const char *why_not_certified(enum salus_status status)
{
    switch (status) {
    case SALUS_UNPROVED:
        return "f + 1 replicas do not agree on an answer that is new enough";
    case SALUS_LIMIT:
        return "the answer is longer than a proof may be, or too much is under "
               "way: ask for less, such as a shorter period";
    case SALUS_NOT_FOUND:
        return "the ledger went on faster than the pages could be read: ask "
               "for less, or again";
    default:
        return salus_status_text(status);
    }
}

static int ask_certified(struct asking *asking, const Salus__V1__Query *query)
{
    const struct tool_ask *ask = asking->ask;
    struct salus_certified certified = {0};
    struct wire_buffer bytes;
    enum salus_status status = SALUS_NO_MEMORY;
    wire_buffer_init(&bytes, LEDGER_QUERY_MAX);
    if (wire_pack(&query->base, &bytes) == PBFT_OK) {
        struct pbft_bytes packed = wire_buffer_bytes(&bytes);
        status = salus_query_certified(asking->client, &certified,
                                       ask->ordered ? SALUS_READ_ORDERED
                                                    : SALUS_READ_CERTIFIED,
                                       packed.data, packed.size);
    }
    wire_buffer_deinit(&bytes);
    asking->certified = &certified;
    if (status != SALUS_OK) {
        print_witnesses(stderr, asking, certified.witnesses);
        tool_witness_statements_print(stderr, asking->client, &certified);
        if (ask->json) {
            json_t *json = json_object();
            add_witnesses(asking, json);
            tool_json_print(json);
        }
        return tool_failed(ask->command, "not certified: %s",
                           why_not_certified(status));
    }
    int code = show_pages(asking);
    int kept = keep_proof(asking);
    salus_certified_free(&certified);
    return code != TOOL_OK ? code : kept;
}

/* ---- all of it ----------------------------------------------------------- */

static struct salus_genesis *load_names(const char *path)
{
    struct tool_config config;
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    if (tool_config_load(&config, path, NULL) != PBFT_OK ||
        genesis_file_load(&genesis, &cluster, config.genesis, NULL) !=
            PBFT_OK) {
        return NULL;
    }
    return genesis;
}

int tool_ask(const struct tool_ask *ask, Salus__V1__Query *query)
{
    bool local = !ask->certified && !ask->ordered;
    if (local && ask->output != NULL) {
        return tool_bad_usage(ask->command, "-o keeps a proof: it needs "
                                            "--certified or --ordered");
    }
    struct asking *asking = calloc(1, sizeof *asking);
    if (asking == NULL) {
        return tool_failed(ask->command, "out of memory");
    }
    int code = TOOL_FAILED;
    asking->ask = ask;
    asking->client = tool_open(ask->config, ask->replica, 0);
    if (asking->client != NULL) {
        asking->genesis = load_names(ask->config);
        asking->view.genesis = asking->genesis;
        code = local ? ask_local(asking, query) : ask_certified(asking, query);
    }
    genesis_destroy(asking->genesis);
    salus_close(asking->client);
    free(asking);
    return code;
}
