/* SPDX-License-Identifier: Apache-2.0 */
/* Times, codes and ids of a command line. */
#include <stdio.h>
#include <string.h>

#include "client/tool_ask.h"
#include "client/tool_codes.h"
#include "client/tool_config.h"
#include "client/tool_consortium.h"
#include "crypto/hex.h"
#include "proto/genesis.h"

#define MS_PER_DAY 86400000

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
        (void)tool_bad_usage(command,
                             "%s: an id of %zu hexadecimal digits is needed%s",
                             text != NULL ? text : "(nothing)", 2 * size,
                             is_name ? ": salus vault handle tells it" : "");
        return false;
    }
    return true;
}

static bool find_institution(const struct tool_ask *ask, const char *name,
                             uint8_t out[LEDGER_ID_SIZE])
{
    struct tool_config config;
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    struct salus_reason reason = {""};
    enum pbft_status status = tool_config_load(&config, ask->config, &reason);
    if (status == PBFT_OK) {
        status = genesis_file_load(&genesis, &cluster, config.genesis, &reason);
    }
    if (status != PBFT_OK) {
        (void)tool_failed(ask->command, "%s", reason.text);
        return false;
    }
    const struct salus_member *member = genesis_find_name(genesis, name);
    if (member != NULL) {
        memcpy(out, member->institution.bytes, LEDGER_ID_SIZE);
    } else {
        (void)tool_bad_usage(ask->command,
                             "%s: neither an institution of %s nor an id of %d "
                             "hexadecimal digits",
                             name, config.genesis, 2 * LEDGER_ID_SIZE);
    }
    genesis_destroy(genesis);
    return member != NULL;
}

bool tool_institution_field(const struct tool_ask *ask, const char *text,
                            uint8_t room[LEDGER_ID_SIZE],
                            ProtobufCBinaryData *field)
{
    if (text == NULL) {
        return true;
    }
    if (hex_decode(room, LEDGER_ID_SIZE, text) != PBFT_OK &&
        !find_institution(ask, text, room)) {
        return false;
    }
    *field = (ProtobufCBinaryData){LEDGER_ID_SIZE, room};
    return true;
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
