/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the ledger: at which read level, all pages, as a table for
 * people or as JSON for programs, and the proof if one is wanted. */
#ifndef CLIENT_TOOL_ASK_H
#define CLIENT_TOOL_ASK_H

#include "client/salus.h"
#include "client/tool_directory.h"
#include "client/tool_options.h"
#include "ledger/codes.h"
#include "ledger/limits.h"
#include "salus/v1/ledger.pb-c.h"

/* What every such command takes. */
struct tool_ask {
    const struct tool_command *command;
    const char *config;
    const char *replica;
    const char *output; /* File for the proof. */
    bool certified;
    bool ordered;
    bool json;
    /* The institution that is asked about, if it has to be looked up. */
    const char *named;
    uint8_t *named_id;
    ProtobufCBinaryData *named_field;
};

/* Behind the name of a proof: that of names which the genesis does not have. */
#define TOOL_ASK_NAMES ".names"

/* Rows of its table of options, and their help. */
#define TOOL_ASK_OPTIONS(ask)                                                  \
    {.name = "--config", .value = &(ask).config},                              \
        {.name = "--replica", .value = &(ask).replica},                        \
        {.name = "--certified", .flag = &(ask).certified},                     \
        {.name = "--ordered", .flag = &(ask).ordered},                         \
        {.name = "-o", .value = &(ask).output},                                \
    {                                                                          \
        .name = "--json", .flag = &(ask).json                                  \
    }
#define TOOL_ASK_USAGE                                                         \
    "[--certified | --ordered] [-o FILE]\n"                                    \
    "       [--config FILE] [--replica NAME] [--json]"
#define TOOL_ASK_HELP                                                          \
    "  --certified           f + 1 replicas must sign the same answer; "       \
    "without\n"                                                                \
    "                        it, it is the word of one replica\n"              \
    "  --ordered             the same, after all that was proved before\n"     \
    "  -o FILE               with them: keeps the proof, for salus verify;\n"  \
    "                        FILE.names that of names of institutions, "       \
    "where\n"                                                                  \
    "                        some were admitted later\n"                       \
    "  --config FILE         client configuration; else $SALUS_CONFIG\n"       \
    "  --replica NAME        institution whose replica is asked (first)\n"     \
    "  --json                one line of JSON for each page\n"

/* Asks until there are no more pages, and prints. The query has no cursor. */
int tool_ask(const struct tool_ask *ask, Salus__V1__Query *query);

/* A time of the command line: "2026-11-28", "2026-11-28T10:15:00Z" or
 * milliseconds since 1970; says what is wrong. NULL leaves `out`. */
bool tool_time_read(const struct tool_command *command, const char *text,
                    uint64_t *out_ms);

/* The same, but for one that 0 would turn into another question: now, or open.
 */
bool tool_moment_read(const struct tool_command *command, const char *text,
                      uint64_t *out_ms);

/* A code of a table by name, else by number; says what is wrong. NULL leaves
 * `out`. */
bool tool_code_read(const struct tool_command *command, enum codes_table table,
                    const char *text, uint32_t *out);

/* An option that the question does not take: rather none than another answer.
 * False, and says so, if it was given. */
bool tool_option_unused(const struct tool_command *command,
                        const char *question, const char *option,
                        const char *value);

/* Hexadecimal digits; says what is wrong. */
bool tool_id_read(const struct tool_command *command, const char *text,
                  uint8_t *out, size_t size);
/* The same into a field that points to `room`. */
bool tool_id_field(const struct tool_command *command, const char *text,
                   uint8_t *room, size_t size, ProtobufCBinaryData *field);

/* An institution, by its id or its short name, which tool_ask() looks up; says
 * what can be neither. NULL leaves `field`: the own one. `room` is kept until
 * then. */
bool tool_institution_field(struct tool_ask *ask, const char *text,
                            uint8_t room[LEDGER_ID_SIZE],
                            ProtobufCBinaryData *field);
/* Looks it up, at the read level of the question, and tells people whom the
 * name means. TOOL_OK, or what is wrong was said. */
int tool_institution_settle(const struct tool_ask *ask,
                            const struct tool_directory *directory,
                            struct salus_client *client);

#endif /* CLIENT_TOOL_ASK_H */
