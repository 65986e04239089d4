/* SPDX-License-Identifier: Apache-2.0 */
/* Which institutions an answer names. */
#include <jansson.h>
#include <string.h>

#include "client/tool_answer.h"
#include "client/tool_json.h"

static void add(json_t *ids, const json_t *id)
{
    const char *text = json_string_value(id);
    if (text != NULL && text[0] != 0) {
        (void)json_object_set_new(ids, text, json_true());
    }
}

static void add_fields(json_t *ids, const json_t *object,
                       const struct tool_column *columns)
{
    for (size_t i = 0; columns != NULL && columns[i].title != NULL; i++) {
        if (columns[i].kind == TOOL_COLUMN_INSTITUTION) {
            add(ids, json_object_get(object, columns[i].field));
        }
    }
}

/* Of the selectors that decided, below the consents. */
static void add_actors(json_t *ids, const json_t *voice)
{
    const json_t *actors =
        json_object_get(json_object_get(voice, "matched"), "actors");
    for (size_t i = 0; i < json_array_size(actors); i++) {
        const json_t *actor = json_array_get(actors, i);
        const char *kind = json_string_value(json_object_get(actor, "kind"));
        if (kind != NULL && strcmp(kind, "INSTITUTION") == 0) {
            add(ids, json_object_get(actor, "id"));
        }
    }
}

void tool_answer_named(json_t *ids, const Salus__V1__Answer *answer)
{
    const struct tool_answer_form *form = tool_answer_form(answer);
    json_t *json = form != NULL ? tool_json_of(&answer->base) : NULL;
    if (json == NULL) {
        return;
    }
    const json_t *object = json_object_get(json, form->name);
    add_fields(ids, object, form->fields);
    add_fields(ids, object, form->notes);
    for (size_t i = 0; i < 2 && form->lists[i].name != NULL; i++) {
        const struct tool_list_form *list = &form->lists[i];
        const json_t *rows =
            json_object_get(list->is_outside ? json : object, list->name);
        for (size_t j = 0; j < json_array_size(rows); j++) {
            const json_t *row = json_array_get(rows, j);
            add_fields(ids, row, list->columns);
            add_actors(ids, row);
        }
    }
    json_decref(json);
}
