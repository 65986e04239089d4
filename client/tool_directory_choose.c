/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a short name means: nobody, rather than the wrong one. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "client/salus.h"
#include "client/tool_config.h"
#include "client/tool_directory.h"
#include "client/tool_witness.h"
#include "crypto/hex.h"

/* The rows with this name, a new list; of the genesis alone, or of all. */
static json_t *rows_with_name(const struct tool_directory *directory,
                              const char *name, const char *told_by)
{
    json_t *found = json_array();
    const char *id = NULL;
    json_t *row = NULL;
    json_object_foreach(directory->known, id, row)
    {
        const char *its = json_string_value(json_object_get(row, "name"));
        const char *teller = json_string_value(json_object_get(row, "told_by"));
        if (its != NULL && its[0] != 0 && strcmp(its, name) == 0 &&
            strlen(id) == (size_t)2 * PBFT_INSTITUTION_SIZE &&
            (told_by == NULL || strcmp(teller, told_by) == 0)) {
            (void)json_array_append(found, row);
        }
    }
    return found;
}

/* Not in the directory, which lists everybody: the ledger says what comes of
 * it. */
static json_t *row_of_id(const struct tool_directory *directory, const char *id)
{
    json_t *ids = json_pack("{s:b}", id, 1);
    json_t *rows = tool_directory_rows(directory, ids);
    json_t *row = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    json_decref(ids);
    return row;
}

static void say_several(FILE *out, const char *name, const json_t *rows)
{
    size_t count = json_array_size(rows);
    (void)fprintf(
        out, "%s: %zu institutions have this name; give the id:", name, count);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, " %s",
                      json_string_value(json_object_get(json_array_get(rows, i),
                                                        "institution")));
    }
    (void)fputs(" (salus query institutions has their addresses)", out);
}

static json_t *choose_among(const struct tool_directory *all, const char *name,
                            FILE *out)
{
    json_t *rows = rows_with_name(all, name, NULL);
    json_t *row = NULL;
    if (json_array_size(rows) == 1) {
        row = json_incref(json_array_get(rows, 0));
    } else if (json_array_size(rows) == 0) {
        (void)fprintf(out,
                      "%s: neither an institution of the genesis or of the "
                      "directory (salus query institutions) nor an id of %d "
                      "hexadecimal digits",
                      name, 2 * PBFT_INSTITUTION_SIZE);
    } else {
        say_several(out, name, rows);
    }
    json_decref(rows);
    return row;
}

/* Of the whole directory, as it is now: that the answers so far named one of
 * that name says nothing of others. */
static json_t *ask_and_choose(const struct tool_directory *directory,
                              struct salus_client *client,
                              enum salus_read_level level, const char *name,
                              FILE *out)
{
    struct tool_directory all = {json_deep_copy(directory->known)};
    struct salus_certified certified = {0};
    json_t *row = NULL;
    enum salus_status status =
        tool_directory_ask(&all, client, NULL, level, &certified);
    if (status == SALUS_OK) {
        row = choose_among(&all, name, out);
    } else if (level == SALUS_READ_LOCAL) {
        (void)fprintf(
            out,
            "%s: not in the genesis, and the directory of the ledger "
            "could not be asked: %s%s",
            name, tool_one_replica_text(status),
            status == SALUS_UNREACHABLE ? "; another one: --replica NAME" : "");
    } else {
        tool_witness_print(stderr, client, &certified);
        (void)fprintf(out,
                      "%s: not in the genesis, and the directory of the ledger "
                      "is not certified: %s",
                      name, tool_witness_problem(status));
    }
    salus_certified_free(&certified);
    tool_directory_end(&all);
    return row;
}

json_t *tool_directory_choose(const struct tool_directory *directory,
                              struct salus_client *client,
                              enum salus_read_level level, const char *text,
                              char **problem)
{
    uint8_t id[PBFT_INSTITUTION_SIZE];
    char digits[2 * PBFT_INSTITUTION_SIZE + 1];
    size_t size = 0;
    *problem = NULL;
    if (hex_decode(id, sizeof id, text) == PBFT_OK) {
        hex_encode(digits, (struct pbft_bytes){id, sizeof id});
        return row_of_id(directory, digits);
    }
    json_t *pinned = rows_with_name(directory, text, TOOL_TOLD_GENESIS);
    json_t *row = json_incref(json_array_get(pinned, 0));
    json_decref(pinned);
    FILE *out = row == NULL ? open_memstream(problem, &size) : NULL;
    if (out != NULL) {
        row = ask_and_choose(directory, client, level, text, out);
        (void)fclose(out);
    }
    return row;
}
