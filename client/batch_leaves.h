/* SPDX-License-Identifier: Apache-2.0 */
/* The leaves of `salus batch`: a file with one record or disclosure, or the
 * digest of a pad, in JSON a line. */
#ifndef CLIENT_BATCH_LEAVES_H
#define CLIENT_BATCH_LEAVES_H

#include <stdio.h>

#include "client/tool_options.h"
#include "ledger/transaction.h"

struct json_t;

#define BATCH_PAD_KEY "pad"

struct batch_kind;

/* How the two kinds of batches are called in a body. */
const char *batch_kind_field(const struct batch_kind *kind);
const char *batch_kind_open_field(const struct batch_kind *kind);
/* The kind of the batch in `body`; NULL, and it was said: there is none. */
const struct batch_kind *batch_kind_of(const struct json_t *body);

struct batch_leaves {
    const struct batch_kind *kind;
    uint64_t from_ms;            /* Disclosures of the batch happened from */
    uint64_t to_ms;              /* then on, and before that. */
    struct pbft_digest *digests; /* Room for a whole tree. */
    size_t count;
    size_t wanted;          /* Which is kept; SIZE_MAX: none. */
    struct json_t *content; /* Of that one. */
    FILE *copy;             /* Of all lines; or NULL. */
};

/* False, and it was said: out of memory. `body`: the batch. */
bool batch_leaves_init(struct batch_leaves *leaves,
                       const struct batch_kind *kind, const struct json_t *body,
                       size_t wanted);
void batch_leaves_deinit(struct batch_leaves *leaves);

/* Reads all lines of `path`; false, and it was said what is wrong. */
bool batch_leaves_read(struct batch_leaves *leaves, const char *path);
/* Reads the leaves of `from` once, writes them and the pads to `to`, which is
 * new; on failure nothing is left there. */
bool batch_leaves_keep(struct batch_leaves *leaves, const char *from,
                       const char *to);
/* Adds what the wanted leaf says to what opens it. */
void batch_leaves_show(const struct batch_leaves *leaves, struct json_t *open);

/* 64 hexadecimal digits. */
struct json_t *batch_digest_text(const struct pbft_digest *digest);
#define BATCH_DIGEST_TEXT_SIZE (2 * PBFT_DIGEST_SIZE + 1)

#endif /* CLIENT_BATCH_LEAVES_H */
