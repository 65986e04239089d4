/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of institutions, by their ids. */
#include "client/tool_directory.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tool_json.h"
#include "client/tool_options.h"
#include "crypto/hex.h"

#define ID_TEXT_SIZE (2 * PBFT_INSTITUTION_SIZE + 1)
#define NAME_TEXT_SIZE (MEMBER_NAME_MAX + ID_TEXT_SIZE + 2) /* name(id) */

/* ---- what is known ------------------------------------------------------- */

/* The row of InstitutionList that the directory would have of a member. */
static json_t *row_of_member(const struct salus_member *member)
{
    Salus__V1__InstitutionList__Row row =
        SALUS__V1__INSTITUTION_LIST__ROW__INIT;
    struct salus_member copy = *member;
    row.institution = (ProtobufCBinaryData){sizeof copy.institution.bytes,
                                            copy.institution.bytes};
    row.name = copy.name;
    row.legal_name = copy.legal_name;
    row.country = copy.country;
    row.founder = true;
    return tool_json_of(&row.base);
}

/* A name that two bear is not enough to know either by, unless the genesis gave
 * it: who comes first in an answer has no better right to it. */
static void mark_namesakes(const struct tool_directory *directory, json_t *row)
{
    const char *name = json_string_value(json_object_get(row, "name"));
    const char *id = NULL;
    json_t *other = NULL;
    json_object_foreach(directory->known, id, other)
    {
        const char *theirs = json_string_value(json_object_get(other, "name"));
        const char *teller =
            json_string_value(json_object_get(other, "told_by"));
        if (name[0] == 0 || theirs == NULL || strcmp(theirs, name) != 0) {
            continue;
        }
        (void)json_object_set_new(row, "namesake", json_true());
        if (strcmp(teller, TOOL_TOLD_GENESIS) != 0) {
            (void)json_object_set_new(other, "namesake", json_true());
        }
    }
}

/* Takes the row over. Where an institution stands is another question: here it
 * is its name and address only. */
static void add_row(struct tool_directory *directory, json_t *row,
                    const char *told_by)
{
    static const char *const others[] = {"state",     "state_seq", "state_us",
                                         "member_us", "successor", "replica"};
    const char *id = json_string_value(json_object_get(row, "institution"));
    const char *name = json_string_value(json_object_get(row, "name"));
    if (id == NULL || name == NULL ||
        tool_directory_find(directory, id) != NULL) {
        json_decref(row);
        return;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        (void)json_object_del(row, others[i]);
    }
    (void)json_object_set_new(row, "told_by", json_string(told_by));
    mark_namesakes(directory, row);
    (void)json_object_set_new(directory->known, id, row);
}

void tool_directory_begin(struct tool_directory *directory,
                          const struct salus_genesis *genesis)
{
    directory->known = json_object();
    for (uint32_t i = 0; genesis != NULL && i < genesis->member_count; i++) {
        add_row(directory, row_of_member(&genesis->members[i]),
                TOOL_TOLD_GENESIS);
    }
}

void tool_directory_end(struct tool_directory *directory)
{
    json_decref(directory->known);
    directory->known = NULL;
}

void tool_directory_learn(struct tool_directory *directory,
                          const Salus__V1__InstitutionList *list,
                          const char *told_by)
{
    for (size_t i = 0; i < list->n_rows; i++) {
        add_row(directory, tool_json_of(&list->rows[i]->base), told_by);
    }
}

const json_t *tool_directory_find(const struct tool_directory *directory,
                                  const char *id)
{
    const json_t *row = json_object_get(directory->known, id);
    return json_is_object(row) ? row : NULL;
}

json_t *tool_directory_rows(const struct tool_directory *directory,
                            const json_t *ids)
{
    json_t *rows = json_array();
    const char *id = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)ids, id, value)
    {
        const json_t *row = tool_directory_find(directory, id);
        json_t *one = row != NULL ? json_copy((json_t *)(uintptr_t)row)
                                  : json_pack("{s:s, s:s, s:s, s:s}",
                                              "institution", id, "name", "",
                                              "legal_name", "", "country", "");
        (void)json_array_append_new(rows, one);
    }
    return rows;
}

void tool_directory_name(char *out, size_t size,
                         const struct tool_directory *directory, const char *id)
{
    const json_t *row = directory != NULL && id != NULL
                            ? tool_directory_find(directory, id)
                            : NULL;
    const char *name = json_string_value(json_object_get(row, "name"));
    if (name == NULL || name[0] == 0) {
        (void)snprintf(out, size, "%s", id != NULL && id[0] != 0 ? id : "-");
    } else {
        bool is_one = !json_is_true(json_object_get(row, "namesake"));
        char text[NAME_TEXT_SIZE];
        (void)snprintf(text, sizeof text, "%.*s%s%s%s", MEMBER_NAME_MAX, name,
                       is_one ? "" : "(", is_one ? "" : id, is_one ? "" : ")");
        tool_line_text(out, size, text);
    }
}

/* ---- what is not --------------------------------------------------------- */

static int compare_ids(const void *left, const void *right)
{
    return memcmp(left, right, PBFT_INSTITUTION_SIZE);
}

size_t tool_directory_missing(const struct tool_directory *directory,
                              const json_t *ids, struct pbft_institution *out,
                              size_t max)
{
    size_t count = 0;
    const char *id = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)ids, id, value)
    {
        struct pbft_institution one;
        if (json_object_get(directory->known, id) == NULL &&
            hex_decode(one.bytes, sizeof one.bytes, id) == PBFT_OK) {
            if (count < max) {
                out[count] = one;
            }
            count++;
        }
    }
    if (max > 0) {
        qsort(out, count < max ? count : max, sizeof *out, compare_ids);
    }
    return count;
}
