/* SPDX-License-Identifier: Apache-2.0 */
/* Times, codes and ids of a command line. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tool_ask.h"
#include "client/tool_codes.h"
#include "crypto/hex.h"
#include "proto/member.h"

#define MS_PER_DAY 86400000
#define LEGAL_NAME_SIZE 129 /* INST_ADMIT: 128 bytes at most. */

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

/* Digits alone, no sign and no blank, which sscanf() would take. */
static bool is_number(const char *text)
{
    return text[0] != 0 && text[strspn(text, "0123456789")] == 0;
}

static bool read_calendar(const char *text, uint64_t *out_ms)
{
    int part[6] = {0};
    int end = 0;
    int read = sscanf(text, "%4d-%2d-%2d%nT%2d:%2d:%2dZ%n", &part[0], &part[1],
                      &part[2], &end, &part[3], &part[4], &part[5], &end);
    if (text[strspn(text, "0123456789-T:Z")] != 0 || (read != 3 && read != 6) ||
        text[end] != 0 || part[0] < 1970 || part[1] < 1 || part[1] > 12 ||
        part[2] < 1 || part[3] < 0 || part[3] > 23 || part[4] < 0 ||
        part[4] > 59 || part[5] < 0 || part[5] > 59) {
        return false;
    }
    int64_t day = days_of(part[0], part[1], part[2]);
    int64_t next = part[1] == 12 ? days_of(part[0] + 1, 1, 1)
                                 : days_of(part[0], part[1] + 1, 1);
    if (day >= next) {
        return false; /* The 31st of a shorter month. */
    }
    int64_t seconds = part[3] * 3600 + part[4] * 60 + part[5];
    *out_ms = (uint64_t)(day * MS_PER_DAY + seconds * 1000);
    return true;
}

bool tool_time_read(const struct tool_command *command, const char *text,
                    uint64_t *out_ms)
{
    if (text == NULL) {
        return true;
    }
    if (is_number(text)) {
        return tool_number(command, "time", text, 0, UINT64_MAX / 1000, out_ms);
    }
    if (!read_calendar(text, out_ms)) {
        (void)tool_bad_usage(command,
                             "%s: a time is 2026-11-28, 2026-11-28T10:15:00Z "
                             "(UTC) or milliseconds since 1970",
                             text);
        return false;
    }
    return true;
}

bool tool_moment_read(const struct tool_command *command, const char *text,
                      uint64_t *out_ms)
{
    if (!tool_time_read(command, text, out_ms)) {
        return false;
    }
    if (text != NULL && *out_ms == 0) {
        (void)tool_bad_usage(command, "%s: a time after the start of 1970",
                             text);
        return false;
    }
    return true;
}

bool tool_option_unused(const struct tool_command *command,
                        const char *question, const char *option,
                        const char *value)
{
    if (value == NULL) {
        return true;
    }
    (void)tool_bad_usage(command, "%s does not take %s", question, option);
    return false;
}

bool tool_code_read(const struct tool_command *command, enum codes_table table,
                    const char *text, uint32_t *out)
{
    const struct tool_names names = {.table = table};
    char list[TOOL_NAMES_SIZE];
    uint64_t number = 0;
    if (text == NULL) {
        return true;
    }
    *out = tool_names_find(&names, text);
    if (*out != 0) {
        return true;
    }
    if (text[0] < '0' || text[0] > '9') {
        tool_names_list(&names, list);
        (void)tool_bad_usage(command, "%s: \"%.24s\" is not one of %s",
                             codes_table_name(table), text, list);
        return false;
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
        bool is_name = text != NULL && size == LEDGER_HANDLE_SIZE &&
                       strpbrk(text, "/?") != NULL;
        (void)tool_bad_usage(
            command, "%s%san id of %zu hexadecimal digits is needed%s",
            text != NULL ? text : "", text != NULL ? ": " : "", 2 * size,
            is_name ? ": salus vault handle tells it" : "");
        return false;
    }
    return true;
}

bool tool_institution_field(struct tool_ask *ask, const char *text,
                            uint8_t room[LEDGER_ID_SIZE],
                            ProtobufCBinaryData *field)
{
    if (text == NULL) {
        return true;
    }
    if (hex_decode(room, LEDGER_ID_SIZE, text) == PBFT_OK) {
        *field = (ProtobufCBinaryData){LEDGER_ID_SIZE, room};
        return true;
    }
    if (!member_name_is_valid(text)) {
        (void)tool_bad_usage(ask->command,
                             "%s: neither the name of an institution (a-z, "
                             "0-9, -) nor an id of %d hexadecimal digits",
                             text, 2 * LEDGER_ID_SIZE);
        return false;
    }
    ask->named = text;
    ask->named_id = room;
    ask->named_field = field;
    return true;
}

/* A name that the genesis has not may be somebody else's tomorrow. */
static void print_named(const struct tool_ask *ask, const json_t *row)
{
    const char *told_by = json_string_value(json_object_get(row, "told_by"));
    char legal_name[LEGAL_NAME_SIZE];
    if (strcmp(told_by, TOOL_TOLD_GENESIS) == 0) {
        return;
    }
    tool_line_text(legal_name, sizeof legal_name,
                   json_string_value(json_object_get(row, "legal_name")));
    (void)fprintf(
        ask->json ? stderr : stdout, "%s is %s, %s (%s)\n", ask->named,
        json_string_value(json_object_get(row, "institution")), legal_name,
        strcmp(told_by, TOOL_TOLD_CERTIFIED) == 0
            ? "certified directory"
            : "directory, as this replica has it");
}

int tool_institution_settle(const struct tool_ask *ask,
                            const struct tool_directory *directory,
                            struct salus_client *client)
{
    enum salus_read_level level = ask->ordered     ? SALUS_READ_ORDERED
                                  : ask->certified ? SALUS_READ_CERTIFIED
                                                   : SALUS_READ_LOCAL;
    char *problem = NULL;
    if (ask->named == NULL) {
        return TOOL_OK;
    }
    json_t *row =
        tool_directory_choose(directory, client, level, ask->named, &problem);
    const char *id = json_string_value(json_object_get(row, "institution"));
    bool done =
        id != NULL && hex_decode(ask->named_id, LEDGER_ID_SIZE, id) == PBFT_OK;
    if (done) {
        *ask->named_field =
            (ProtobufCBinaryData){LEDGER_ID_SIZE, ask->named_id};
        print_named(ask, row);
    } else {
        (void)tool_failed(ask->command, "%s",
                          problem != NULL ? problem : "out of memory");
    }
    free(problem);
    json_decref(row);
    return done ? TOOL_OK : TOOL_FAILED;
}

bool tool_id_field(const struct tool_command *command, const char *text,
                   uint8_t *room, size_t size, ProtobufCBinaryData *field)
{
    if (!tool_id_read(command, text, room, size)) {
        return false;
    }
    *field = (ProtobufCBinaryData){size, room};
    return true;
}
