/* SPDX-License-Identifier: Apache-2.0 */
/* One question, its pages, and how their rows are shown. */
#include "client/tool_ask.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/salus.h"
#include "client/tool_config.h"
#include "client/tool_consortium.h"
#include "client/tool_json.h"
#include "crypto/hex.h"
#include "ledger/limits.h"
#include "proto/scan.h"

#define PAGES_MAX 65536
#define CELL_SIZE 192
#define MS_PER_DAY 86400000

/* ---- cells --------------------------------------------------------------- */

static void institution_cell(char *out, size_t size, const char *text,
                             const struct salus_genesis *genesis)
{
    struct pbft_institution id;
    const struct salus_member *member = NULL;
    if (genesis != NULL &&
        hex_decode(id.bytes, sizeof id.bytes, text) == PBFT_OK) {
        member = genesis_find(genesis, &id);
    }
    (void)snprintf(out, size, "%s", member != NULL ? member->name : text);
}

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

static void code_cell(char *out, size_t size, const json_t *value,
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
        (void)snprintf(out, size, "%s", text[0] != 0 ? text : "-");
    } else if (json_is_integer(value)) {
        (void)snprintf(out, size, "%lld", (long long)json_integer_value(value));
    } else {
        (void)snprintf(out, size, "%s", json_is_true(value) ? "yes" : "no");
    }
}

static void make_cell(char *out, size_t size, const struct tool_column *column,
                      const json_t *row, const struct salus_genesis *genesis)
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
        institution_cell(out, size, json_string_value(value), genesis);
        break;
    case TOOL_COLUMN_CODE:
        code_cell(out, size, value, column->table);
        break;
    case TOOL_COLUMN_TEXT:
        plain_cell(out, size, value);
        break;
    }
}

/* ---- rows ---------------------------------------------------------------- */

/* Widths are those of the page at hand: a table of several pages stays
 * readable, and nothing is held back. */
static void print_table(const json_t *rows, const struct tool_ask *ask,
                        const struct salus_genesis *genesis, bool first)
{
    size_t widths[32] = {0};
    size_t index = 0;
    json_t *row = NULL;
    char cell[CELL_SIZE];
    json_array_foreach((json_t *)(uintptr_t)rows, index, row)
    {
        for (size_t i = 0; ask->columns[i].title != NULL; i++) {
            make_cell(cell, sizeof cell, &ask->columns[i], row, genesis);
            widths[i] = strlen(cell) > widths[i] ? strlen(cell) : widths[i];
        }
    }
    for (size_t i = 0; ask->columns[i].title != NULL; i++) {
        size_t title = strlen(ask->columns[i].title);
        widths[i] = title > widths[i] ? title : widths[i];
        if (first) {
            (void)printf("%-*s  ", (int)widths[i], ask->columns[i].title);
        }
    }
    if (first) {
        (void)fputc('\n', stdout);
    }
    json_array_foreach((json_t *)(uintptr_t)rows, index, row)
    {
        for (size_t i = 0; ask->columns[i].title != NULL; i++) {
            make_cell(cell, sizeof cell, &ask->columns[i], row, genesis);
            (void)printf("%-*s  ", (int)widths[i], cell);
        }
        (void)fputc('\n', stdout);
    }
}

/* One thing: a line for each field. */
static void print_fields(const json_t *object, const struct tool_ask *ask,
                         const struct salus_genesis *genesis)
{
    char cell[CELL_SIZE];
    for (size_t i = 0; ask->columns[i].title != NULL; i++) {
        make_cell(cell, sizeof cell, &ask->columns[i], object, genesis);
        (void)printf("%-18s %s\n", ask->columns[i].title, cell);
    }
}

struct pages {
    const struct tool_ask *ask;
    struct salus_client *client;
    struct salus_genesis *genesis;
    uint8_t cursor[LEDGER_QUERY_MAX];
    size_t page;
    size_t rows;
};

/* The cursor of the answer into the question; false: that was all. */
static bool turn_page(struct pages *pages, const json_t *object)
{
    const char *text = json_string_value(json_object_get(object, "cursor"));
    size_t size = text != NULL ? strlen(text) / 2 : 0;
    if (pages->ask->cursor == NULL || size == 0 ||
        size > sizeof pages->cursor ||
        hex_decode(pages->cursor, size, text) != PBFT_OK) {
        return false;
    }
    *pages->ask->cursor =
        (ProtobufCBinaryData){.len = size, .data = pages->cursor};
    return true;
}

/* -1: there is another page. */
static int show(struct pages *pages, const Salus__V1__Answer *answer)
{
    const struct tool_ask *ask = pages->ask;
    json_t *json = tool_json_of(&answer->base);
    if (json == NULL) {
        return tool_failed(ask->command, "out of memory");
    }
    const json_t *object = json_object_get(json, ask->answer);
    bool more = turn_page(pages, object);
    if (ask->json) {
        tool_json_print(json);
        return more ? -1 : TOOL_OK;
    }
    if (pages->page == 0) {
        (void)printf("height %llu (as this replica has it)\n",
                     (unsigned long long)answer->height);
    }
    if (ask->rows == NULL) {
        print_fields(object, ask, pages->genesis);
    } else {
        const json_t *rows = json_object_get(object, ask->rows);
        print_table(rows, ask, pages->genesis, pages->page == 0);
        pages->rows += json_array_size(rows);
        if (!more) {
            (void)printf("%zu rows\n", pages->rows);
        }
    }
    json_decref(json);
    return more ? -1 : TOOL_OK;
}

static int exchange(struct pages *pages)
{
    const struct tool_ask *ask = pages->ask;
    struct wire_buffer bytes;
    struct wire_arena arena;
    struct salus_bytes reply = {NULL, 0};
    struct ProtobufCMessage *message = NULL;
    enum salus_status status = SALUS_NO_MEMORY;
    int code = TOOL_FAILED;

    wire_buffer_init(&bytes, LEDGER_QUERY_MAX);
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_pack(&ask->query->base, &bytes) == PBFT_OK) {
        struct pbft_bytes packed = wire_buffer_bytes(&bytes);
        status =
            salus_query_local(pages->client, &reply, packed.data, packed.size);
    }
    if (status != SALUS_OK) {
        (void)tool_failed(
            ask->command, "%s%s", tool_one_replica_text(status),
            status == SALUS_UNREACHABLE ? "; another one: --replica NAME" : "");
    } else if (wire_unpack_strict(&salus__v1__answer__descriptor,
                                  (struct pbft_bytes){reply.data, reply.size},
                                  &arena, &message) != PBFT_OK) {
        (void)tool_failed(ask->command, "the answer cannot be read");
    } else {
        const Salus__V1__Answer *answer = (const Salus__V1__Answer *)message;
        if (answer->code != 0) {
            (void)tool_failed(ask->command, "%s: %s",
                              salus_code_name(answer->code),
                              salus_code_text(answer->code));
        } else {
            code = show(pages, answer);
        }
    }
    salus_free(&reply);
    wire_arena_deinit(&arena);
    wire_buffer_deinit(&bytes);
    return code;
}

/* For names only: without it ids are printed. */
static struct salus_genesis *load_names(const char *path)
{
    struct tool_config config;
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    if (tool_config_load(&config, path, NULL) != PBFT_OK ||
        genesis_file_load(&genesis, &cluster, config.genesis, NULL) !=
            PBFT_OK) {
        return NULL;
    }
    return genesis;
}

int tool_ask(const struct tool_ask *ask)
{
    struct pages *pages = calloc(1, sizeof *pages);
    int code = -1;
    if (pages == NULL) {
        return tool_failed(ask->command, "out of memory");
    }
    pages->ask = ask;
    pages->client = tool_open(ask->config, ask->replica, 0);
    if (pages->client == NULL) {
        free(pages);
        return TOOL_FAILED;
    }
    pages->genesis = load_names(ask->config);
    for (; pages->page < PAGES_MAX && code == -1; pages->page++) {
        code = exchange(pages);
    }
    genesis_destroy(pages->genesis);
    salus_close(pages->client);
    free(pages);
    return code == -1 ? TOOL_FAILED : code;
}

/* ---- what a command line says -------------------------------------------- */

/* Days since 1970 of a date (proleptic Gregorian calendar). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
           719468;
}

bool tool_time_read(const struct tool_command *command, const char *text,
                    uint64_t *out_ms)
{
    int part[6] = {0};
    int end = 0;
    if (text == NULL) {
        return true;
    }
    if (strchr(text, '-') == NULL) {
        return tool_number(command, "time", text, 0, UINT64_MAX / 1000, out_ms);
    }
    int read = sscanf(text, "%4d-%2d-%2d%nT%2d:%2d:%2dZ%n", &part[0], &part[1],
                      &part[2], &end, &part[3], &part[4], &part[5], &end);
    if ((read != 3 && read != 6) || text[end] != 0 || part[0] < 1970 ||
        part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > 31) {
        (void)tool_bad_usage(command,
                             "%s: a time is 2026-11-28, 2026-11-28T10:15:00Z "
                             "(UTC) or milliseconds since 1970",
                             text);
        return false;
    }
    int64_t seconds = part[3] * 3600 + part[4] * 60 + part[5];
    *out_ms = (uint64_t)(days_of(part[0], part[1], part[2]) * MS_PER_DAY +
                         seconds * 1000);
    return true;
}

bool tool_code_read(const struct tool_command *command, enum codes_table table,
                    const char *text, uint32_t *out)
{
    size_t count = 0;
    uint64_t number = 0;
    const struct codes_entry *rows = codes_entries(table, &count);
    if (text == NULL) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].code, text) == 0) {
            *out = rows[i].id;
            return true;
        }
    }
    if (!tool_number(command, codes_table_name(table), text, 1, CODES_ID_MAX,
                     &number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

bool tool_id_read(const struct tool_command *command, const char *text,
                  uint8_t *out, size_t size)
{
    if (text == NULL || hex_decode(out, size, text) != PBFT_OK) {
        (void)tool_bad_usage(command,
                             "%s: an id of %zu hexadecimal digits is needed",
                             text != NULL ? text : "(nothing)", 2 * size);
        return false;
    }
    return true;
}
