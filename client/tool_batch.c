/* SPDX-License-Identifier: Apache-2.0 */
/* salus batch: many records or disclosures under one root, and one of them
 * opened. Works offline; what it prints is for `salus submit`. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "client/batch_leaves.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "client/tool_transaction.h"
#include "crypto/hex.h"
#include "crypto/merkle.h"
#include "crypto/random.h"
#include "ledger/transaction.h"

static void fill_batch(json_t *batch, const struct batch_leaves *leaves)
{
    struct pbft_digest root;
    uint8_t id[LEDGER_ID_SIZE];
    char text[2 * LEDGER_ID_SIZE + 1];

    if (json_object_get(batch, "batch") == NULL) {
        random_fill(id, sizeof id);
        hex_encode(text, (struct pbft_bytes){id, sizeof id});
        (void)json_object_set_new(batch, "batch", json_string(text));
    }
    merkle_root(&root, leaves->digests, leaves->count);
    (void)json_object_set_new(batch, "root", batch_digest_text(&root));
    (void)json_object_set_new(batch, "leaf_count",
                              json_integer((json_int_t)leaves->count));
}

static int close_batch(json_t *body, const char *path, const char *kept)
{
    const struct batch_kind *kind = batch_kind_of(body);
    struct batch_leaves leaves;
    int code = TOOL_FAILED;

    if (kind == NULL || !batch_leaves_init(&leaves, kind, body, SIZE_MAX)) {
        return TOOL_FAILED;
    }
    if (batch_leaves_keep(&leaves, path, kept)) {
        fill_batch(json_object_get(body, batch_kind_field(kind)), &leaves);
        tool_json_print(json_incref(body));
        code = TOOL_OK;
    }
    batch_leaves_deinit(&leaves);
    return code;
}

static json_t *path_of(const struct batch_leaves *leaves)
{
    struct pbft_digest siblings[MERKLE_PATH_MAX];
    struct merkle_tree tree;
    size_t count = 0;
    json_t *path = json_array();

    merkle_tree_build(&tree, leaves->digests, leaves->count);
    merkle_tree_path(&tree, siblings, &count, leaves->wanted);
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(path, batch_digest_text(&siblings[i]));
    }
    return path;
}

/* The leaves must be those of the batch: else the path would be refused. */
static bool is_root_of(const json_t *batch, const struct batch_leaves *leaves)
{
    struct pbft_digest root;
    struct pbft_digest told;
    const char *text = json_string_value(json_object_get(batch, "root"));

    merkle_root(&root, leaves->digests, leaves->count);
    return text != NULL && strlen(text) == BATCH_DIGEST_TEXT_SIZE - 1 &&
           hex_decode(told.bytes, sizeof told.bytes, text) == PBFT_OK &&
           memcmp(&root, &told, sizeof root) == 0;
}

static int print_open(const json_t *batch, const struct batch_leaves *leaves)
{
    json_t *body = json_object();
    json_t *open = json_object();

    (void)json_object_set(open, "batch", json_object_get(batch, "batch"));
    (void)json_object_set_new(open, "index",
                              json_integer((json_int_t)leaves->wanted));
    batch_leaves_show(leaves, open);
    (void)json_object_set_new(open, "path", path_of(leaves));
    (void)json_object_set_new(body, batch_kind_open_field(leaves->kind), open);
    tool_json_print(body);
    return TOOL_OK;
}

static int open_leaf(const json_t *body, const char *path, uint64_t index)
{
    const struct batch_kind *kind = batch_kind_of(body);
    struct batch_leaves leaves;
    int code = TOOL_FAILED;

    if (kind == NULL || !batch_leaves_init(&leaves, kind, body, index)) {
        return TOOL_FAILED;
    }
    const json_t *batch = json_object_get(body, batch_kind_field(kind));
    if (batch_leaves_read(&leaves, path)) {
        if (leaves.content == NULL ||
            json_object_get(leaves.content, BATCH_PAD_KEY) != NULL) {
            (void)tool_failed(
                &tool_batch, "%s: leaf %" PRIu64 " %s", path, index,
                leaves.content == NULL ? "is not there" : "is a pad");
        } else if (!is_root_of(batch, &leaves)) {
            (void)tool_failed(&tool_batch,
                              "%s: these leaves do not have the root of the "
                              "batch",
                              path);
        } else {
            code = print_open(batch, &leaves);
        }
    }
    batch_leaves_deinit(&leaves);
    return code;
}

static int run(int argc, char **argv)
{
    const char *kept = NULL;
    const char *index_text = NULL;
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {{"-o", NULL, &kept, NULL},
                                          {"--open", NULL, &index_text, NULL},
                                          {NULL, NULL, NULL, NULL}};
    uint64_t index = 0;
    int code = tool_options_parse(&tool_batch, options, &operands, argc, argv);

    if (code >= 0) {
        return code;
    }
    if (operands.count != 2 || (kept == NULL) == (index_text == NULL)) {
        return tool_bad_usage(&tool_batch,
                              "a batch, its leaves, and either -o KEPT or "
                              "--open N are needed");
    }
    if (!tool_number(&tool_batch, "--open", index_text, 0,
                     LEDGER_LEAVES_MAX - 1, &index)) {
        return TOOL_USAGE;
    }
    json_t *body = tool_transaction_load(&tool_batch, operands.items[0]);
    if (body == NULL) {
        return TOOL_FAILED;
    }
    code = kept != NULL ? close_batch(body, operands.items[1], kept)
                        : open_leaf(body, operands.items[1], index);
    json_decref(body);
    return code;
}

const struct tool_command tool_batch = {
    .name = "batch",
    .usage = "BATCH.json LEAVES.jsonl (-o KEPT.jsonl | --open N)",
    .summary = "put many records or disclosures under one root, open one",
    .help =
        "With -o: prints BATCH (a body with record_anchor_batch or\n"
        "disclosure_batch, as for salus submit) with the root over LEAVES and "
        "a\n"
        "random id if it has none. A line of LEAVES, at most 65536, is in "
        "JSON a\n"
        "RecordAnchor, or a Disclosure and when it happened, in milliseconds\n"
        "since 1970, within from_ms and to_ms of the batch:\n"
        "\n"
        "  {\"event_time_ms\":1790000000000,\"disclosure\":{...}}\n"
        "\n"
        "Random leaves are added up to a power of two, so that their number\n"
        "tells nothing; KEPT holds all of them. Keep it, and what was "
        "printed:\n"
        "nobody else can open a leaf, and no leaf can be changed.\n"
        "\n"
        "With --open N: prints the transaction that opens leaf N (from 0) of "
        "a\n"
        "batch that was printed so, with its path.\n"
        "\n"
        "  salus batch batch.json records.jsonl -o kept.jsonl > closed.json\n"
        "  salus submit closed.json\n"
        "  salus batch closed.json kept.jsonl --open 17 | salus submit -\n"
        "\n"
        "Works offline.\n",
    .run = run};
