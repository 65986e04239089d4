/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of the ledger, asked for names that the genesis does not have.
 */
#include <jansson.h>
#include <string.h>

#include "client/tool_directory.h"
#include "crypto/hex.h"
#include "ledger/limits.h"
#include "proto/scan.h"

#define ID_TEXT_SIZE (2 * PBFT_INSTITUTION_SIZE + 1)
#define PAGES_MAX 1024

/* A question about some institutions, or about all. */
struct question {
    Salus__V1__Query query;
    Salus__V1__InstitutionsQuery in;
    ProtobufCBinaryData fields[LEDGER_DIRECTORY_ROWS_MAX];
    struct pbft_institution ids[LEDGER_DIRECTORY_ROWS_MAX];
    size_t count; /* Of those that are missing. */
};

/* False: none is missing. `ids` NULL, or more than fit into one question: all
 * are asked for. */
static bool make_question(struct question *out,
                          const struct tool_directory *directory,
                          const json_t *ids)
{
    memset(out, 0, sizeof *out);
    salus__v1__query__init(&out->query);
    salus__v1__institutions_query__init(&out->in);
    out->query.kind_case = SALUS__V1__QUERY__KIND_INSTITUTIONS;
    out->query.institutions = &out->in;
    if (ids == NULL) {
        return true;
    }
    out->count = tool_directory_missing(directory, ids, out->ids,
                                        LEDGER_DIRECTORY_ROWS_MAX);
    for (size_t i = 0;
         out->count <= LEDGER_DIRECTORY_ROWS_MAX && i < out->count; i++) {
        out->fields[i] =
            (ProtobufCBinaryData){PBFT_INSTITUTION_SIZE, out->ids[i].bytes};
        out->in.n_institutions = i + 1;
    }
    out->in.institutions = out->fields;
    return out->count > 0;
}

/* Who was asked for, and is not there, is not asked for again. */
static void note_absent(struct tool_directory *directory, const json_t *ids)
{
    const char *id = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)ids, id, value)
    {
        if (json_object_get(directory->known, id) == NULL) {
            (void)json_object_set_new(directory->known, id, json_null());
        }
    }
}

/* Learns a page; its cursor goes into the question, if there is one. False: it
 * is no such page. */
static bool take_page(struct tool_directory *directory, struct pbft_bytes bytes,
                      const char *told_by,
                      uint8_t cursor[PBFT_INSTITUTION_SIZE],
                      struct question *question)
{
    struct ProtobufCMessage *message = NULL;
    struct wire_arena arena;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    enum pbft_status status = wire_unpack_strict(&salus__v1__answer__descriptor,
                                                 bytes, &arena, &message);
    const Salus__V1__Answer *answer = (const Salus__V1__Answer *)message;
    bool good = status == PBFT_OK && answer->code == 0 &&
                answer->kind_case == SALUS__V1__ANSWER__KIND_INSTITUTIONS;
    question->in.cursor = (ProtobufCBinaryData){0, NULL};
    if (good) {
        const Salus__V1__InstitutionList *list = answer->institutions;
        tool_directory_learn(directory, list, told_by);
        if (list->cursor.len == PBFT_INSTITUTION_SIZE) {
            memcpy(cursor, list->cursor.data, PBFT_INSTITUTION_SIZE);
            question->in.cursor =
                (ProtobufCBinaryData){PBFT_INSTITUTION_SIZE, cursor};
        }
    }
    wire_arena_deinit(&arena);
    return good;
}

static enum salus_status ask_page(struct tool_directory *directory,
                                  struct salus_client *client,
                                  struct question *question,
                                  uint8_t cursor[PBFT_INSTITUTION_SIZE])
{
    struct salus_bytes reply = {NULL, 0};
    struct wire_buffer bytes;
    enum salus_status status = SALUS_NO_MEMORY;
    wire_buffer_init(&bytes, LEDGER_QUERY_MAX);
    if (wire_pack(&question->query.base, &bytes) == PBFT_OK) {
        struct pbft_bytes packed = wire_buffer_bytes(&bytes);
        status = salus_query_local(client, &reply, packed.data, packed.size);
    }
    if (status == SALUS_OK &&
        !take_page(directory, (struct pbft_bytes){reply.data, reply.size},
                   TOOL_TOLD_LOCAL, cursor, question)) {
        status = SALUS_REFUSED;
    }
    salus_free(&reply);
    wire_buffer_deinit(&bytes);
    return status;
}

static enum salus_status ask_local(struct tool_directory *directory,
                                   struct salus_client *client,
                                   struct question *question)
{
    uint8_t cursor[PBFT_INSTITUTION_SIZE];
    enum salus_status status = ask_page(directory, client, question, cursor);
    for (size_t i = 1;
         i < PAGES_MAX && status == SALUS_OK && question->in.cursor.len > 0;
         i++) {
        status = ask_page(directory, client, question, cursor);
    }
    return status;
}

static enum salus_status ask_certified(struct tool_directory *directory,
                                       struct salus_client *client,
                                       enum salus_read_level level,
                                       struct question *question,
                                       struct salus_certified *out)
{
    uint8_t cursor[PBFT_INSTITUTION_SIZE];
    struct wire_buffer bytes;
    enum salus_status status = SALUS_NO_MEMORY;
    wire_buffer_init(&bytes, LEDGER_QUERY_MAX);
    if (wire_pack(&question->query.base, &bytes) == PBFT_OK) {
        struct pbft_bytes packed = wire_buffer_bytes(&bytes);
        status =
            salus_query_certified(client, out, level, packed.data, packed.size);
    }
    wire_buffer_deinit(&bytes);
    for (size_t i = 0; status == SALUS_OK && i < out->answer_count; i++) {
        const struct salus_bytes *page = &out->answers[i];
        if (!take_page(directory, (struct pbft_bytes){page->data, page->size},
                       TOOL_TOLD_CERTIFIED, cursor, question)) {
            salus_certified_free(out);
            status = SALUS_REFUSED;
        }
    }
    return status;
}

enum salus_status tool_directory_ask(struct tool_directory *directory,
                                     struct salus_client *client,
                                     const json_t *ids,
                                     enum salus_read_level level,
                                     struct salus_certified *certified)
{
    struct question question;
    if (!make_question(&question, directory, ids)) {
        return SALUS_NOT_FOUND;
    }
    enum salus_status status =
        level == SALUS_READ_LOCAL
            ? ask_local(directory, client, &question)
            : ask_certified(directory, client, level, &question, certified);
    if (status == SALUS_OK) {
        note_absent(directory, ids);
    }
    return status;
}
