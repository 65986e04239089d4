/* SPDX-License-Identifier: Apache-2.0 */
/* salus batch: many records or disclosures under one root, and one of them
 * opened. Works offline; what it prints is for `salus submit`. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/tool_json.h"
#include "client/tool_options.h"
#include "client/tool_transaction.h"
#include "crypto/hex.h"
#include "crypto/merkle.h"
#include "crypto/random.h"
#include "ledger/transaction.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

#define PAD_KEY "pad"
#define DIGEST_TEXT_SIZE (2 * PBFT_DIGEST_SIZE + 1)

/* The two kinds of batches. */
struct kind {
    const char *batch; /* Field of the batch in a body. */
    const char *open;  /* Field of an opened leaf, ... */
    const char *leaf;  /* ... and of what it says, in that. */
    const ProtobufCMessageDescriptor *type;
    void (*digest)(struct pbft_digest *out, struct pbft_bytes encoded);
};

static const struct kind kinds[] = {
    {"record_anchor_batch", "record_open", "record",
     &salus__v1__record_anchor__descriptor, transaction_record_leaf},
    {"disclosure_batch", "disclosure_open", "disclosure",
     &salus__v1__disclosure__descriptor, transaction_disclosure_leaf},
};

struct leaves {
    const struct kind *kind;
    struct pbft_digest *digests; /* Room for a whole tree. */
    size_t count;
    size_t wanted;   /* Which is kept; count: none. */
    json_t *content; /* Of that one. */
    FILE *copy;      /* Of all lines; or NULL. */
};

static const struct kind *kind_of(const json_t *body)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (json_is_object(json_object_get(body, kinds[i].batch))) {
            return &kinds[i];
        }
    }
    (void)tool_failed(&tool_batch, "the batch has neither %s nor %s",
                      kinds[0].batch, kinds[1].batch);
    return NULL;
}

static enum pbft_status digest_of(struct pbft_digest *out,
                                  const struct kind *kind, const json_t *json,
                                  struct salus_reason *reason)
{
    const char *pad = json_string_value(json_object_get(json, PAD_KEY));
    struct wire_arena arena;
    struct wire_buffer bytes;
    struct ProtobufCMessage *message = NULL;

    if (pad != NULL && json_object_size(json) == 1) {
        salus_reason_set(reason, "a pad has 64 hexadecimal digits");
        return strlen(pad) == DIGEST_TEXT_SIZE - 1
                   ? hex_decode(out->bytes, sizeof out->bytes, pad)
                   : PBFT_MALFORMED;
    }
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    wire_buffer_init(&bytes, LEDGER_BODY_MAX);
    enum pbft_status status =
        tool_json_to(&message, &arena, kind->type, json, reason);
    if (status == PBFT_OK) {
        salus_reason_set(reason, "more than 64 KiB, or a bad list");
        status = wire_pack(message, &bytes);
    }
    if (status == PBFT_OK) {
        kind->digest(out, wire_buffer_bytes(&bytes));
    }
    wire_buffer_deinit(&bytes);
    wire_arena_deinit(&arena);
    return status;
}

static bool take_line(struct leaves *leaves, const char *path, size_t number,
                      const char *line, size_t size)
{
    json_error_t error;
    struct salus_reason reason = {""};
    json_t *json = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
    bool fine = false;

    if (json == NULL) {
        error.line = (int)number;
        tool_json_problem(&reason, path, &error);
        (void)tool_failed(&tool_batch, "%s", reason.text);
    } else if (leaves->count == LEDGER_LEAVES_MAX) {
        (void)tool_failed(&tool_batch, "%s: more than %d leaves", path,
                          LEDGER_LEAVES_MAX);
    } else if (digest_of(&leaves->digests[leaves->count], leaves->kind, json,
                         &reason) != PBFT_OK) {
        (void)tool_failed(&tool_batch, "%s: line %zu: %s", path, number,
                          reason.text);
    } else {
        if (leaves->count == leaves->wanted) {
            leaves->content = json_incref(json);
        }
        if (leaves->copy != NULL) {
            (void)fprintf(leaves->copy, "%.*s%s", (int)size, line,
                          line[size - 1] == '\n' ? "" : "\n");
        }
        leaves->count++;
        fine = true;
    }
    json_decref(json);
    return fine;
}

static bool read_leaves(struct leaves *leaves, const char *path)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size = 0;
    bool fine = file != NULL;

    if (file == NULL) {
        (void)tool_failed(&tool_batch, "%s: %s", path, strerror(errno));
        return false;
    }
    for (size_t number = 1;
         fine && (size = getline(&line, &capacity, file)) >= 0; number++) {
        if (line[strspn(line, " \t\r\n")] != '\0') {
            fine = take_line(leaves, path, number, line, (size_t)size);
        }
    }
    if (fine && (ferror(file) != 0 || leaves->count == 0)) {
        (void)tool_failed(&tool_batch, "%s: there is no leaf", path);
        fine = false;
    }
    free(line);
    (void)fclose(file);
    return fine;
}

static bool leaves_init(struct leaves *leaves, const struct kind *kind,
                        size_t wanted)
{
    *leaves = (struct leaves){.kind = kind, .wanted = wanted};
    leaves->digests =
        calloc(MERKLE_TREE_NODES(LEDGER_LEAVES_MAX), sizeof *leaves->digests);
    if (leaves->digests == NULL) {
        (void)tool_failed(&tool_batch, "out of memory");
    }
    return leaves->digests != NULL;
}

static void leaves_deinit(struct leaves *leaves)
{
    free(leaves->digests);
    json_decref(leaves->content);
}

static json_t *digest_text(const struct pbft_digest *digest)
{
    char text[DIGEST_TEXT_SIZE];

    hex_encode(text, (struct pbft_bytes){digest->bytes, PBFT_DIGEST_SIZE});
    return json_string(text);
}

/* Random leaves up to a power of two: how many are real is nobody's business,
 * and nobody can tell one from the other. */
static void pad(struct leaves *leaves)
{
    while ((leaves->count & (leaves->count - 1)) != 0) {
        struct pbft_digest *one = &leaves->digests[leaves->count++];
        char text[DIGEST_TEXT_SIZE];
        random_fill(one->bytes, sizeof one->bytes);
        hex_encode(text, (struct pbft_bytes){one->bytes, sizeof one->bytes});
        (void)fprintf(leaves->copy, "{\"" PAD_KEY "\":\"%s\"}\n", text);
    }
}

/* Reads the leaves of `from` once, writes them and the pads to `to`, which is
 * new; on failure nothing is left there. */
static bool keep_padded(struct leaves *leaves, const char *from, const char *to)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    leaves->copy = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (leaves->copy == NULL) {
        (void)tool_failed(&tool_batch, "%s: %s", to, strerror(errno));
        return false;
    }
    bool is_read = read_leaves(leaves, from);
    if (is_read) {
        pad(leaves);
    }
    bool is_kept = fflush(leaves->copy) == 0 && fsync(fd) == 0;
    is_kept = ferror(leaves->copy) == 0 && is_kept;
    is_kept = fclose(leaves->copy) == 0 && is_kept;
    if (is_read && !is_kept) {
        (void)tool_failed(&tool_batch, "%s: %s", to, strerror(errno));
    }
    if (!is_read || !is_kept) {
        (void)unlink(to);
    }
    return is_read && is_kept;
}

static void fill_batch(json_t *batch, const struct leaves *leaves)
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
    (void)json_object_set_new(batch, "root", digest_text(&root));
    (void)json_object_set_new(batch, "leaf_count",
                              json_integer((json_int_t)leaves->count));
}

static int close_batch(json_t *body, const char *path, const char *kept)
{
    const struct kind *kind = kind_of(body);
    struct leaves leaves;
    int code = TOOL_FAILED;

    if (kind == NULL || !leaves_init(&leaves, kind, SIZE_MAX)) {
        return TOOL_FAILED;
    }
    if (keep_padded(&leaves, path, kept)) {
        fill_batch(json_object_get(body, kind->batch), &leaves);
        tool_json_print(json_incref(body));
        code = TOOL_OK;
    }
    leaves_deinit(&leaves);
    return code;
}

static json_t *path_of(const struct leaves *leaves)
{
    struct pbft_digest siblings[MERKLE_PATH_MAX];
    struct merkle_tree tree;
    size_t count = 0;
    json_t *path = json_array();

    merkle_tree_build(&tree, leaves->digests, leaves->count);
    merkle_tree_path(&tree, siblings, &count, leaves->wanted);
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(path, digest_text(&siblings[i]));
    }
    return path;
}

/* The leaves must be those of the batch: else the path would be refused. */
static bool is_root_of(const json_t *batch, const struct leaves *leaves)
{
    struct pbft_digest root;
    struct pbft_digest told;
    const char *text = json_string_value(json_object_get(batch, "root"));

    merkle_root(&root, leaves->digests, leaves->count);
    return text != NULL && strlen(text) == DIGEST_TEXT_SIZE - 1 &&
           hex_decode(told.bytes, sizeof told.bytes, text) == PBFT_OK &&
           memcmp(&root, &told, sizeof root) == 0;
}

static int print_open(const json_t *batch, const struct leaves *leaves,
                      uint64_t event_time_ms)
{
    json_t *body = json_object();
    json_t *open = json_object();

    (void)json_object_set(open, "batch", json_object_get(batch, "batch"));
    (void)json_object_set_new(open, "index",
                              json_integer((json_int_t)leaves->wanted));
    if (event_time_ms > 0) {
        (void)json_object_set_new(open, "event_time_ms",
                                  json_integer((json_int_t)event_time_ms));
    }
    (void)json_object_set(open, leaves->kind->leaf, leaves->content);
    (void)json_object_set_new(open, "path", path_of(leaves));
    (void)json_object_set_new(body, leaves->kind->open, open);
    tool_json_print(body);
    return TOOL_OK;
}

static int open_leaf(const json_t *body, const char *path, uint64_t index,
                     uint64_t event_time_ms)
{
    const struct kind *kind = kind_of(body);
    struct leaves leaves;
    int code = TOOL_FAILED;

    if (kind == NULL || !leaves_init(&leaves, kind, index)) {
        return TOOL_FAILED;
    }
    const json_t *batch = json_object_get(body, kind->batch);
    if (read_leaves(&leaves, path)) {
        if (leaves.content == NULL ||
            json_object_get(leaves.content, PAD_KEY) != NULL) {
            (void)tool_failed(
                &tool_batch, "%s: leaf %" PRIu64 " %s", path, index,
                leaves.content == NULL ? "is not there" : "is a pad");
        } else if (!is_root_of(batch, &leaves)) {
            (void)tool_failed(&tool_batch,
                              "%s: these leaves do not have the root of the "
                              "batch",
                              path);
        } else {
            code = print_open(batch, &leaves, event_time_ms);
        }
    }
    leaves_deinit(&leaves);
    return code;
}

static int run(int argc, char **argv)
{
    const char *kept = NULL;
    const char *index_text = NULL;
    const char *time_text = NULL;
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        {"-o", NULL, &kept, NULL},
        {"--open", NULL, &index_text, NULL},
        {"--event-time", NULL, &time_text, NULL},
        {NULL, NULL, NULL, NULL}};
    uint64_t index = 0;
    uint64_t event_time_ms = 0;
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
                     LEDGER_LEAVES_MAX - 1, &index) ||
        !tool_number(&tool_batch, "--event-time", time_text, 1, INT64_MAX,
                     &event_time_ms)) {
        return TOOL_USAGE;
    }
    json_t *body = tool_transaction_load(&tool_batch, operands.items[0]);
    if (body == NULL) {
        return TOOL_FAILED;
    }
    code = kept != NULL
               ? close_batch(body, operands.items[1], kept)
               : open_leaf(body, operands.items[1], index, event_time_ms);
    json_decref(body);
    return code;
}

const struct tool_command tool_batch = {
    .name = "batch",
    .usage = "BATCH.json LEAVES.jsonl (-o KEPT.jsonl | --open N [--event-time "
             "MS])",
    .summary = "put many records or disclosures under one root, open one",
    .help =
        "With -o: prints BATCH (a body with record_anchor_batch or\n"
        "disclosure_batch, as for salus submit) with the root over LEAVES, "
        "one\n"
        "RecordAnchor or Disclosure in JSON a line, at most 65536, and a "
        "random\n"
        "id if it has none. Random leaves are added up to a power of two, so\n"
        "that their number tells nothing; KEPT holds all of them. Keep it, "
        "and\n"
        "what was printed: nobody else can open a leaf.\n"
        "\n"
        "With --open N: prints the transaction that opens leaf N (from 0) of "
        "a\n"
        "batch that was printed so, with its path; a disclosure needs\n"
        "--event-time, milliseconds since 1970.\n"
        "\n"
        "  salus batch batch.json records.jsonl -o kept.jsonl > closed.json\n"
        "  salus submit closed.json\n"
        "  salus batch closed.json kept.jsonl --open 17 | salus submit -\n"
        "\n"
        "Works offline.\n",
    .run = run};
