/* SPDX-License-Identifier: Apache-2.0 */
/* Contradictions as lines and as JSON. */
#include "client/tool_witness.h"

#include <jansson.h>

#include "crypto/hex.h"

#define SHOWN 8 /* Bytes of a digest, for people. */

static void print_statements(FILE *stream, const struct salus_client *client,
                             const struct salus_certified *certified)
{
    if (!certified->has_contradiction) {
        return;
    }
    (void)fprintf(stream, "signed about the same question, and kept with "
                          "--json:\n");
    for (uint32_t i = 0; i < salus_replica_count(client); i++) {
        const struct salus_statement *one = &certified->statements[i];
        char answer[2 * SHOWN + 1];
        char root[2 * SHOWN + 1];
        if (one->is_there) {
            hex_encode(answer, (struct pbft_bytes){one->answer, SHOWN});
            hex_encode(root, (struct pbft_bytes){one->ledger_root, SHOWN});
            (void)fprintf(stream,
                          "  replica %u (%s): block %llu, ledger %s..., "
                          "answer %s...\n",
                          (unsigned)i, salus_replica_name(client, i),
                          (unsigned long long)one->height, root, answer);
        }
    }
}

static json_t *hex_of(const uint8_t *bytes, size_t size)
{
    char text[2 * SALUS_SIGNATURE_SIZE + 1];
    hex_encode(text, (struct pbft_bytes){bytes, size});
    return json_string(text);
}

static json_t *statement_of(uint32_t replica, const char *name,
                            const struct salus_statement *from)
{
    return json_pack(
        "{s:i, s:s, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "replica",
        (int)replica, "name", name, "epoch", (json_int_t)from->epoch,
        "incarnation", (json_int_t)from->incarnation, "height",
        (json_int_t)from->height, "block_time_us",
        (json_int_t)from->block_time_us, "ledger_root",
        hex_of(from->ledger_root, sizeof from->ledger_root), "answer_digest",
        hex_of(from->answer, sizeof from->answer), "signature",
        hex_of(from->signature, sizeof from->signature));
}

static void add_statements(json_t *json, const struct salus_client *client,
                           const struct salus_certified *certified)
{
    if (!certified->has_contradiction) {
        return;
    }
    json_t *list = json_array();
    for (uint32_t i = 0; i < salus_replica_count(client); i++) {
        if (certified->statements[i].is_there) {
            (void)json_array_append_new(
                list, statement_of(i, salus_replica_name(client, i),
                                   &certified->statements[i]));
        }
    }
    (void)json_object_set_new(
        json, "contradiction",
        json_pack("{s:o, s:o}", "question_digest",
                  hex_of(certified->question, sizeof certified->question),
                  "statements", list));
}

const char *tool_witness_problem(enum salus_status status)
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
    case SALUS_TIMED_OUT:
        return "no answer in time: salus status tells whether enough replicas "
               "are up, and order";
    default:
        return salus_status_text(status);
    }
}

void tool_witness_print(FILE *stream, const struct salus_client *client,
                        const struct salus_certified *certified)
{
    for (uint32_t i = 0; i < salus_replica_count(client); i++) {
        if (certified->witnesses[i] != SALUS_WITNESS_AGREES) {
            (void)fprintf(stream, "replica %u (%s) %s\n", (unsigned)i,
                          salus_replica_name(client, i),
                          salus_witness_text(certified->witnesses[i]));
        }
    }
    print_statements(stream, client, certified);
}

void tool_witness_json(json_t *json, const struct salus_client *client,
                       const struct salus_certified *certified, bool ordered)
{
    json_t *agreed = json_array();
    json_t *others = json_object();
    for (uint32_t i = 0; i < salus_replica_count(client); i++) {
        const char *name = salus_replica_name(client, i);
        if (certified->witnesses[i] == SALUS_WITNESS_AGREES) {
            (void)json_array_append_new(agreed, json_string(name));
        } else {
            (void)json_object_set_new(
                others, name,
                json_string(salus_witness_text(certified->witnesses[i])));
        }
    }
    (void)json_object_set_new(json, "level",
                              json_string(ordered ? "ordered" : "certified"));
    (void)json_object_set_new(json, "certified_by", agreed);
    (void)json_object_set_new(json, "not_certified_by", others);
    add_statements(json, client, certified);
}
