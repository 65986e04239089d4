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
#include "client/tool_directory.h"
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
    struct tool_answer_view view;
    const struct salus_certified *certified; /* NULL: a local read. */
    struct tool_directory directory;
    json_t *named;                 /* Institutions, on the pages so far. */
    enum salus_status names;       /* NOT_FOUND: the genesis had them all. */
    struct salus_certified proved; /* Of names, if a certified read has OK. */
    uint8_t cursor[LEDGER_QUERY_MAX];
};

/* ---- printing ------------------------------------------------------------ */

/* Where names come from that the genesis does not have. */
static void print_names(const struct asking *asking)
{
    if (asking->names == SALUS_OK && asking->certified != NULL) {
        (void)printf("names that the genesis does not have: certified too, "
                     "after block %llu\n",
                     (unsigned long long)asking->proved.height);
    } else if (asking->names != SALUS_OK && asking->names != SALUS_NOT_FOUND) {
        (void)printf("names that the genesis does not have: %s; by id\n",
                     asking->certified != NULL
                         ? "not certified"
                         : tool_one_replica_text(asking->names));
    }
}

/* Who is named on a page, and who has told those names. */
static void add_names(const struct asking *asking,
                      const Salus__V1__Answer *answer, json_t *json)
{
    json_t *ids = json_object();
    tool_answer_named(ids, answer);
    (void)json_object_set_new(json, "names",
                              tool_directory_rows(&asking->directory, ids));
    if (asking->proved.height != 0) {
        (void)json_object_set_new(
            json, "names_height",
            json_integer((json_int_t)asking->proved.height));
    }
    if (asking->names != SALUS_OK && asking->names != SALUS_NOT_FOUND) {
        (void)json_object_set_new(
            json, "names_problem",
            json_string(salus_status_text(asking->names)));
    }
    json_decref(ids);
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
    tool_witness_print(stdout, asking->client, asking->certified);
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
        add_names(asking, answer, json);
        if (asking->certified != NULL) {
            tool_witness_json(json, asking->client, asking->certified,
                              ask->ordered);
        }
        tool_json_print(json);
    } else if (asking->view.pages == 0) {
        print_level(asking, answer);
        print_names(asking);
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

/* Names that only the directory has: asked where the answer came from. */
static void learn_names(struct asking *asking, enum salus_read_level level)
{
    enum salus_status status =
        tool_directory_ask(&asking->directory, asking->client, asking->named,
                           level, &asking->proved);
    if (status != SALUS_NOT_FOUND) {
        asking->names = status;
    }
}

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
        tool_answer_named(asking->named, answer);
        learn_names(asking, SALUS_READ_LOCAL);
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

typedef int page_visit(struct asking *asking, const Salus__V1__Answer *answer,
                       bool is_last);

static int note_names(struct asking *asking, const Salus__V1__Answer *answer,
                      bool is_last)
{
    (void)is_last;
    tool_answer_named(asking->named, answer);
    return TOOL_OK;
}

static int each_page(struct asking *asking, page_visit *visit)
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
                   ? visit(asking, (const Salus__V1__Answer *)message,
                           i + 1 == from->answer_count)
                   : tool_failed(asking->ask->command,
                                 "the answer cannot be read");
        wire_arena_deinit(&arena);
    }
    return code;
}

static int keep_file(const struct asking *asking, const char *path,
                     const struct salus_bytes *proof)
{
    struct salus_reason reason = {""};
    if (tool_armor_create(path, ARMOR_QUERY_PROOF,
                          (struct pbft_bytes){proof->data, proof->size},
                          &reason) != PBFT_OK) {
        return tool_failed(asking->ask->command, "%s", reason.text);
    }
    return TOOL_OK;
}

/* The proof of the answer, and that of the names in it beside it. */
static int keep_proof(const struct asking *asking)
{
    const struct tool_ask *ask = asking->ask;
    bool has_names = asking->names == SALUS_OK;
    char names[TOOL_PATH_MAX];
    if (ask->output == NULL) {
        return TOOL_OK;
    }
    (void)snprintf(names, sizeof names, "%s" TOOL_ASK_NAMES, ask->output);
    int code = keep_file(asking, ask->output, &asking->certified->proof);
    if (code == TOOL_OK && has_names) {
        code = keep_file(asking, names, &asking->proved.proof);
    }
    if (code == TOOL_OK && !ask->json) {
        (void)printf("made %s%s%s\ncheck it anywhere:  salus verify %s "
                     "--genesis FILE%s%s\n",
                     ask->output, has_names ? " and " : "",
                     has_names ? names : "", ask->output,
                     has_names ? " --names " : "", has_names ? names : "");
    }
    return code;
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
        tool_witness_print(stderr, asking->client, &certified);
        if (ask->json) {
            json_t *json = json_object();
            tool_witness_json(json, asking->client, asking->certified,
                              ask->ordered);
            tool_json_print(json);
        }
        return tool_failed(ask->command, "not certified: %s",
                           tool_witness_problem(status));
    }
    (void)each_page(asking, note_names);
    learn_names(asking, SALUS_READ_CERTIFIED);
    int code = each_page(asking, show);
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

static void begin_names(struct asking *asking)
{
    struct salus_genesis *genesis = load_names(asking->ask->config);
    tool_directory_begin(&asking->directory, genesis);
    genesis_destroy(genesis);
    asking->view.directory = &asking->directory;
    asking->named = json_object();
    asking->names = SALUS_NOT_FOUND;
}

static void end_names(struct asking *asking)
{
    tool_answer_view_end(&asking->view);
    salus_certified_free(&asking->proved);
    json_decref(asking->named);
    tool_directory_end(&asking->directory);
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
        begin_names(asking);
        code = tool_institution_settle(ask, &asking->directory, asking->client);
        if (code == TOOL_OK) {
            code =
                local ? ask_local(asking, query) : ask_certified(asking, query);
        }
        end_names(asking);
    }
    salus_close(asking->client);
    free(asking);
    return code;
}
