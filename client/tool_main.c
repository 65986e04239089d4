/* SPDX-License-Identifier: Apache-2.0 */
/* salus: one tool for operators, integration engineers and auditors. This file
 * holds the table of its commands, help, and the man page made from the same
 * texts. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "client/tool.h"
#include "client/tool_manual.h"
#include "crypto/init.h"

static const struct tool_command *const commands[] = {
    &tool_init,        &tool_keygen,      &tool_certificate, &tool_genesis,
    &tool_fingerprint, &tool_submit,      &tool_cosign,      &tool_query,
    &tool_explain,     &tool_accounting,  &tool_may,         &tool_bg,
    &tool_due,         &tool_suspects,    &tool_status,      &tool_receipt,
    &tool_verify,      &tool_evidence,    &tool_fhir,        &tool_vault,
    &tool_seal,        &tool_open_sealed, &tool_grant,       &tool_inbox,
    &tool_batch,       &tool_newkey,      &tool_bench,       &tool_demo,
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static const struct tool_command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

static bool is_help(const char *word)
{
    return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 ||
           strcmp(word, "-h") == 0;
}

static int help(int argc, char **argv)
{
    if (argc < 2 || is_help(argv[1])) {
        manual_print_overview(commands, COMMAND_COUNT);
        return TOOL_OK;
    }
    if (strcmp(argv[1], "--man") == 0) {
        manual_print_page(commands, COMMAND_COUNT);
        return TOOL_OK;
    }
    const struct tool_command *command = find(argv[1]);
    if (command == NULL) {
        (void)fprintf(stderr,
                      "salus help: no command \"%s\"; try: salus help\n",
                      argv[1]);
        return TOOL_USAGE;
    }
    manual_print_command(command);
    return TOOL_OK;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: salus COMMAND [ARGUMENT...]\n"
                              "try: salus help\n");
        return TOOL_USAGE;
    }
    if (is_help(argv[1])) {
        return help(argc - 1, argv + 1);
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("salus %s\n", SALUS_VERSION);
        return TOOL_OK;
    }
    const struct tool_command *command = find(argv[1]);
    if (command == NULL) {
        (void)fprintf(stderr, "salus: no command \"%s\"; try: salus help\n",
                      argv[1]);
        return TOOL_USAGE;
    }
    if (crypto_init() != PBFT_OK) {
        (void)fprintf(stderr,
                      "salus: the system has no source of randomness\n");
        return TOOL_FAILED;
    }
    int code = command->run(argc - 1, argv + 1);
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        (void)fprintf(stderr, "salus: the output could not be written\n");
        return code == TOOL_OK ? TOOL_FAILED : code;
    }
    return code;
}
