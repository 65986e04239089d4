/* SPDX-License-Identifier: Apache-2.0 */
#include "client/batch_leaves.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/tool_json.h"
#include "client/tool_transaction.h"
#include "crypto/hex.h"
#include "crypto/merkle.h"
#include "crypto/random.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

/* ---- kinds --------------------------------------------------------------- */

typedef enum pbft_status leaf_digest(const struct batch_leaves *leaves,
                                     struct pbft_digest *out,
                                     const struct ProtobufCMessage *line,
                                     struct salus_reason *reason);

struct batch_kind {
    const char *batch;  /* Field of the batch in a body. */
    const char *open;   /* Field of an opened leaf. */
    const char *within; /* Field of a line in that; NULL: its own fields. */
    const ProtobufCMessageDescriptor *type; /* Of a line. */
    leaf_digest *digest;
};

static enum pbft_status pack(struct wire_buffer *bytes,
                             const struct ProtobufCMessage *message,
                             struct salus_reason *reason)
{
    wire_buffer_init(bytes, LEDGER_BODY_MAX);
    salus_reason_set(reason, "more than 64 KiB, or a bad list");
    return wire_pack(message, bytes);
}

static enum pbft_status digest_record(const struct batch_leaves *leaves,
                                      struct pbft_digest *out,
                                      const struct ProtobufCMessage *line,
                                      struct salus_reason *reason)
{
    struct wire_buffer bytes;
    enum pbft_status status = pack(&bytes, line, reason);
    (void)leaves;
    if (status == PBFT_OK) {
        transaction_record_leaf(out, wire_buffer_bytes(&bytes));
    }
    wire_buffer_deinit(&bytes);
    return status;
}

/* A line is what opens it, but for the tree. A time that the batch does not
 * cover would never be opened. */
static enum pbft_status digest_disclosure(const struct batch_leaves *leaves,
                                          struct pbft_digest *out,
                                          const struct ProtobufCMessage *line,
                                          struct salus_reason *reason)
{
    const Salus__V1__DisclosureOpen *in =
        (const Salus__V1__DisclosureOpen *)(const void *)line;
    struct wire_buffer bytes;
    if (in->disclosure == NULL || in->batch.len > 0 || in->index > 0 ||
        in->n_path > 0) {
        salus_reason_set(reason, "a line has event_time_ms and disclosure");
        return PBFT_MALFORMED;
    }
    if (in->event_time_ms < leaves->from_ms ||
        in->event_time_ms >= leaves->to_ms) {
        salus_reason_set(reason, "event_time_ms is not within from_ms and "
                                 "to_ms of the batch");
        return PBFT_MALFORMED;
    }
    enum pbft_status status = pack(&bytes, &in->disclosure->base, reason);
    if (status == PBFT_OK) {
        transaction_disclosure_leaf(out, in->event_time_ms,
                                    wire_buffer_bytes(&bytes));
    }
    wire_buffer_deinit(&bytes);
    return status;
}

static const struct batch_kind kinds[] = {
    {"record_anchor_batch", "record_open", "record",
     &salus__v1__record_anchor__descriptor, digest_record},
    {"disclosure_batch", "disclosure_open", NULL,
     &salus__v1__disclosure_open__descriptor, digest_disclosure},
};

const char *batch_kind_field(const struct batch_kind *kind)
{
    return kind->batch;
}

const char *batch_kind_open_field(const struct batch_kind *kind)
{
    return kind->open;
}

const struct batch_kind *batch_kind_of(const json_t *body)
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

/* ---- lines --------------------------------------------------------------- */

static enum pbft_status digest_of(const struct batch_leaves *leaves,
                                  struct pbft_digest *out, const json_t *json,
                                  struct salus_reason *reason)
{
    const char *pad = json_string_value(json_object_get(json, BATCH_PAD_KEY));
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;

    if (pad != NULL && json_object_size(json) == 1) {
        salus_reason_set(reason, "a pad has 64 hexadecimal digits");
        return strlen(pad) == BATCH_DIGEST_TEXT_SIZE - 1
                   ? hex_decode(out->bytes, sizeof out->bytes, pad)
                   : PBFT_MALFORMED;
    }
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    enum pbft_status status =
        tool_json_to(&message, &arena, leaves->kind->type, json, reason);
    if (status == PBFT_OK) {
        status = leaves->kind->digest(leaves, out, message, reason);
    }
    wire_arena_deinit(&arena);
    return status;
}

static bool take_line(struct batch_leaves *leaves, const char *path,
                      size_t number, const char *line, size_t size)
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
    } else if (digest_of(leaves, &leaves->digests[leaves->count], json,
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

bool batch_leaves_read(struct batch_leaves *leaves, const char *path)
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

/* 0 for records, and where nothing is said: the ledger refuses that. */
static uint64_t bound_of(const json_t *batch, const char *field)
{
    return (uint64_t)json_integer_value(json_object_get(batch, field));
}

bool batch_leaves_init(struct batch_leaves *leaves,
                       const struct batch_kind *kind, const json_t *body,
                       size_t wanted)
{
    const json_t *batch = json_object_get(body, kind->batch);
    *leaves = (struct batch_leaves){
        .kind = kind,
        .from_ms = bound_of(batch, "from_ms"),
        .to_ms = bound_of(batch, "to_ms"),
        .wanted = wanted,
    };
    leaves->digests =
        calloc(MERKLE_TREE_NODES(LEDGER_LEAVES_MAX), sizeof *leaves->digests);
    if (leaves->digests == NULL) {
        (void)tool_failed(&tool_batch, "out of memory");
    }
    return leaves->digests != NULL;
}

void batch_leaves_deinit(struct batch_leaves *leaves)
{
    free(leaves->digests);
    json_decref(leaves->content);
}

void batch_leaves_show(const struct batch_leaves *leaves, json_t *open)
{
    if (leaves->kind->within != NULL) {
        (void)json_object_set(open, leaves->kind->within, leaves->content);
    } else {
        (void)json_object_update_missing(open, leaves->content);
    }
}

/* ---- pads ---------------------------------------------------------------- */

json_t *batch_digest_text(const struct pbft_digest *digest)
{
    char text[BATCH_DIGEST_TEXT_SIZE];

    hex_encode(text, (struct pbft_bytes){digest->bytes, PBFT_DIGEST_SIZE});
    return json_string(text);
}

/* Random leaves up to a power of two: how many are real is nobody's business,
 * and nobody can tell one from the other. */
static void pad(struct batch_leaves *leaves)
{
    while ((leaves->count & (leaves->count - 1)) != 0) {
        struct pbft_digest *one = &leaves->digests[leaves->count++];
        char text[BATCH_DIGEST_TEXT_SIZE];
        random_fill(one->bytes, sizeof one->bytes);
        hex_encode(text, (struct pbft_bytes){one->bytes, sizeof one->bytes});
        (void)fprintf(leaves->copy, "{\"" BATCH_PAD_KEY "\":\"%s\"}\n", text);
    }
}

bool batch_leaves_keep(struct batch_leaves *leaves, const char *from,
                       const char *to)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    leaves->copy = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (leaves->copy == NULL) {
        (void)tool_failed(&tool_batch, "%s: %s", to, strerror(errno));
        return false;
    }
    bool is_read = batch_leaves_read(leaves, from);
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
