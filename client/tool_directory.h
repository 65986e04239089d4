/* SPDX-License-Identifier: Apache-2.0 */
/* Names and addresses of institutions: those of the genesis, and of those that
 * were admitted later what the directory of the ledger answered. */
#ifndef CLIENT_TOOL_DIRECTORY_H
#define CLIENT_TOOL_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "client/salus.h"
#include "proto/genesis.h"
#include "salus/v1/ledger.pb-c.h"

struct json_t;

/* Who has told a name: "told_by" of a row. */
#define TOOL_TOLD_GENESIS "genesis"     /* Pinned. */
#define TOOL_TOLD_CERTIFIED "certified" /* f + 1 replicas signed it. */
#define TOOL_TOLD_LOCAL "replica"       /* The word of one. */

struct tool_directory {
    /* Ids in hexadecimal digits to rows, as InstitutionList has them, with
     * "told_by"; null: asked for, and not there. */
    struct json_t *known;
};

/* `genesis` NULL: nobody is known. */
void tool_directory_begin(struct tool_directory *directory,
                          const struct salus_genesis *genesis);
void tool_directory_end(struct tool_directory *directory);

void tool_directory_learn(struct tool_directory *directory,
                          const Salus__V1__InstitutionList *list,
                          const char *told_by);

/* The row of an id in hexadecimal digits; NULL. */
const struct json_t *tool_directory_find(const struct tool_directory *directory,
                                         const char *id);

/* The rows of `ids` (keys of an object), a new list; of whom nothing is known,
 * with empty names. */
struct json_t *tool_directory_rows(const struct tool_directory *directory,
                                   const struct json_t *ids);

/* The short name, and the id where there is none; both where another one is
 * known by that name, which is that of the genesis alone if that has it. Fit
 * for one line, whoever told it. `directory` NULL: the id. */
void tool_directory_name(char *out, size_t size,
                         const struct tool_directory *directory,
                         const char *id);

/* Those of `ids` of whom nothing is known yet: their number
 * and, of the first `max`, the ids, ascending. */
size_t tool_directory_missing(const struct tool_directory *directory,
                              const struct json_t *ids,
                              struct pbft_institution *out, size_t max);

/* Asks the ledger for those that are missing, or with `ids` NULL for all: one
 * replica, or `certified`, which has what SALUS_OK answered, for
 * salus_certified_free(). A certified question is one, so that one proof has
 * all names. NOT_FOUND: none is missing, nothing was asked. */
enum salus_status tool_directory_ask(struct tool_directory *directory,
                                     struct salus_client *client,
                                     const struct json_t *ids,
                                     enum salus_read_level level,
                                     struct salus_certified *certified);

/* Whom a short name or an id means. Any institution may take the name of
 * another one: that of a member of the genesis, which `directory` has, means
 * this member and nobody else; any other name is looked up in the directory of
 * the ledger, and means nobody if several bear it. The new row, with who told
 * it; NULL: `problem` says why, from malloc, NULL if there was no memory. */
struct json_t *tool_directory_choose(const struct tool_directory *directory,
                                     struct salus_client *client,
                                     enum salus_read_level level,
                                     const char *text, char **problem);

#endif /* CLIENT_TOOL_DIRECTORY_H */
