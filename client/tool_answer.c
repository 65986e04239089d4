/* SPDX-License-Identifier: Apache-2.0 */
/* Cells, rows and pages. */
#include "client/tool_answer.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "client/tool_directory.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "ledger/errors.h"

#define CELL_SIZE 4352 /* 64 codes of 64 characters: nothing is cut. */
#define TOOL_COLUMNS_MAX 32
#define SILENT 255u /* No selector of the consent matches. */

/* ---- cells --------------------------------------------------------------- */

static void code_text(char *out, size_t size, enum codes_table table,
                      uint32_t code)
{
    const struct codes_entry *entry = codes_by_id(table, code);
    if (entry != NULL) {
        (void)snprintf(out, size, "%s", entry->code);
    } else if (code == 0) {
        (void)snprintf(out, size, "-");
    } else {
        (void)snprintf(out, size, "%u", (unsigned)code);
    }
}

void tool_answer_codes(char *out, size_t size, const json_t *value,
                       enum codes_table table)
{
    size_t index = 0;
    size_t used = 0;
    json_t *one = NULL;
    if (!json_is_array(value)) {
        code_text(out, size, table, (uint32_t)json_integer_value(value));
        return;
    }
    out[0] = 0;
    json_array_foreach((json_t *)(uintptr_t)value, index, one)
    {
        char text[64];
        code_text(text, sizeof text, table, (uint32_t)json_integer_value(one));
        used = strlen(out);
        (void)snprintf(out + used, size - used, "%s%s", index > 0 ? "," : "",
                       text);
    }
}

static void plain_cell(char *out, size_t size, const json_t *value)
{
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        tool_line_text(out, size, text[0] != 0 ? text : "-");
    } else if (json_is_integer(value)) {
        (void)snprintf(out, size, "%lld", (long long)json_integer_value(value));
    } else {
        (void)snprintf(out, size, "%s", json_is_true(value) ? "yes" : "no");
    }
}

/* One of a list: a text, or the texts of an object. */
static void add_item(char *out, size_t size, const json_t *item)
{
    const char *key = NULL;
    json_t *value = NULL;
    const char *between = out[0] != 0 ? ", " : "";
    if (json_is_string(item)) {
        size_t used = strlen(out);
        (void)snprintf(out + used, size - used, "%s%s", between,
                       json_string_value(item));
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)item, key, value)
    {
        size_t used = strlen(out);
        (void)snprintf(out + used, size - used, "%s%s", between,
                       json_string_value(value));
        between = " ";
    }
}

static void list_cell(char *out, size_t size, const json_t *list)
{
    char text[CELL_SIZE] = "";
    for (size_t i = 0; i < json_array_size(list); i++) {
        add_item(text, sizeof text, json_array_get(list, i));
    }
    tool_line_text(out, size, text[0] != 0 ? text : "-");
}

static void review_cell(char *out, size_t size, uint64_t state)
{
    static const char *const states[] = {"-", "open", "reviewed", "breach"};
    if (state < sizeof states / sizeof states[0]) {
        (void)snprintf(out, size, "%s", states[state]);
    } else {
        (void)snprintf(out, size, "%" PRIu64, state);
    }
}

static void selector_cell(char *out, size_t size, const json_t *row,
                          uint64_t number)
{
    const char *consent = json_string_value(json_object_get(row, "consent"));
    if (consent == NULL || consent[0] == 0 || number == SILENT) {
        (void)snprintf(out, size, "-");
    } else if (number == 0) {
        (void)snprintf(out, size, "root");
    } else {
        (void)snprintf(out, size, "exception %" PRIu64, number);
    }
}

static void make_cell(char *out, size_t size, const struct tool_column *column,
                      const json_t *row, const struct tool_directory *directory)
{
    const json_t *value = json_object_get(row, column->field);
    uint64_t number = (uint64_t)json_integer_value(value);
    switch (column->kind) {
    case TOOL_COLUMN_TIME_MS:
    case TOOL_COLUMN_TIME_US:
        if (number == 0) {
            (void)snprintf(out, size, "-");
        } else {
            tool_time_text(out, column->kind == TOOL_COLUMN_TIME_MS
                                    ? number * 1000
                                    : number);
        }
        break;
    case TOOL_COLUMN_INSTITUTION:
        tool_directory_name(out, size, directory, json_string_value(value));
        break;
    case TOOL_COLUMN_CODE:
        tool_answer_codes(out, size, value, column->table);
        break;
    case TOOL_COLUMN_RESULT:
        (void)snprintf(out, size, "%s: %s", ledger_code_name((uint32_t)number),
                       ledger_code_text((uint32_t)number));
        break;
    case TOOL_COLUMN_WORD:
        tool_answer_word(out, size, value);
        break;
    case TOOL_COLUMN_WHICH:
        tool_answer_which(out, size, value, row);
        break;
    case TOOL_COLUMN_REVIEW:
        review_cell(out, size, number);
        break;
    case TOOL_COLUMN_SELECTOR:
        selector_cell(out, size, row, number);
        break;
    case TOOL_COLUMN_LIST:
        list_cell(out, size, value);
        break;
    case TOOL_COLUMN_TEXT:
        plain_cell(out, size, value);
        break;
    }
}

/* ---- rows ---------------------------------------------------------------- */

struct table {
    const json_t *rows;
    const struct tool_column *columns;
    size_t widths[TOOL_COLUMNS_MAX];
};

static void measure(struct table *table, const struct tool_directory *directory)
{
    size_t index = 0;
    json_t *row = NULL;
    char cell[CELL_SIZE];
    for (size_t i = 0; table->columns[i].title != NULL; i++) {
        table->widths[i] = strlen(table->columns[i].title);
    }
    json_array_foreach((json_t *)(uintptr_t)table->rows, index, row)
    {
        for (size_t i = 0; table->columns[i].title != NULL; i++) {
            make_cell(cell, sizeof cell, &table->columns[i], row, directory);
            size_t width = strlen(cell);
            table->widths[i] =
                width > table->widths[i] ? width : table->widths[i];
        }
    }
}

/* The last one of a line is not filled up. */
static void print_cell(const struct table *table, size_t index,
                       const char *text)
{
    if (table->columns[index + 1].title == NULL) {
        (void)printf("%s\n", text);
    } else {
        (void)printf("%-*s  ", (int)table->widths[index], text);
    }
}

/* Widths are those of the page at hand: a table of several pages stays
 * readable, and nothing is held back. */
static void print_table(const json_t *rows, const struct tool_column *columns,
                        const struct tool_directory *directory,
                        bool with_titles)
{
    struct table table = {.rows = rows, .columns = columns};
    size_t index = 0;
    json_t *row = NULL;
    char cell[CELL_SIZE];
    measure(&table, directory);
    for (size_t i = 0; with_titles && columns[i].title != NULL; i++) {
        print_cell(&table, i, columns[i].title);
    }
    json_array_foreach((json_t *)(uintptr_t)rows, index, row)
    {
        for (size_t i = 0; columns[i].title != NULL; i++) {
            make_cell(cell, sizeof cell, &columns[i], row, directory);
            print_cell(&table, i, cell);
        }
    }
}

/* One thing: a line for each field. */
static void print_fields(const json_t *object,
                         const struct tool_column *columns,
                         const struct tool_directory *directory)
{
    char cell[CELL_SIZE];
    for (size_t i = 0; columns != NULL && columns[i].title != NULL; i++) {
        make_cell(cell, sizeof cell, &columns[i], object, directory);
        (void)printf("%-18s %s\n", columns[i].title, cell);
    }
}

static void print_list(struct tool_answer_view *view,
                       const struct tool_list_form *form, const json_t *answer,
                       const json_t *object)
{
    const json_t *rows =
        json_object_get(form->is_outside ? answer : object, form->name);
    if (form->note != NULL && json_array_size(rows) > 0) {
        (void)printf("\n%s\n", form->note);
    }
    if (form->note == NULL || json_array_size(rows) > 0) {
        print_table(rows, form->columns, view->directory,
                    form->note != NULL || view->pages == 0);
    }
}

void tool_answer_view_end(struct tool_answer_view *view)
{
    json_decref(view->named);
    view->named = NULL;
}

/* Below the last page: who those are that all pages named. */
static void print_addresses(struct tool_answer_view *view,
                            const Salus__V1__Answer *answer, bool is_last)
{
    if (view->named == NULL) {
        view->named = json_object();
    }
    tool_answer_named(view->named, answer);
    if (!is_last) {
        return;
    }
    json_t *rows = tool_directory_rows(view->directory, view->named);
    if (json_array_size(rows) > 0) {
        (void)printf("\n");
        print_table(rows, tool_address_columns, view->directory, true);
    }
    json_decref(rows);
    tool_answer_view_end(view);
}

void tool_answer_print(struct tool_answer_view *view,
                       const Salus__V1__Answer *answer, bool is_last)
{
    const struct tool_answer_form *form = tool_answer_form(answer);
    json_t *json = tool_json_of(&answer->base);
    if (form == NULL || json == NULL) {
        (void)printf("%s: %s\n", ledger_code_name(answer->code),
                     ledger_code_text(answer->code));
        json_decref(json);
        return;
    }
    const json_t *object = json_object_get(json, form->name);
    print_fields(object, form->fields, view->directory);
    for (size_t i = 0; i < 2 && form->lists[i].name != NULL; i++) {
        print_list(view, &form->lists[i], json, object);
        if (i == 0 && form->has_selectors) {
            tool_answer_selectors(json_object_get(object, form->lists[i].name),
                                  view->directory);
        }
    }
    if (form->is_paged) {
        view->rows +=
            json_array_size(json_object_get(object, form->lists[0].name));
        if (is_last) {
            (void)printf("%zu rows\n", view->rows);
        }
    }
    if (is_last) {
        print_fields(object, form->notes, view->directory);
    }
    if (form->is_addressed && view->directory != NULL) {
        print_addresses(view, answer, is_last);
    }
    view->pages++;
    json_decref(json);
}
