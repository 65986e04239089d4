/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts, plain and as roff. */
#include "client/tool_manual.h"

#include <stdio.h>
#include <string.h>

static const char intro[] =
    "salus sets up a consortium of institutions, submits transactions to its\n"
    "ledger, asks it, and checks what it says: online and, with receipts,\n"
    "offline.\n";
static const char exits[] =
    "0  done; for questions: the answer is yes\n"
    "1  not done, or the answer is no; one line on standard error says why\n"
    "2  bad usage\n";
static const char files[] = "Commands that talk to replicas read a client "
                            "configuration: --config FILE\n"
                            "or the environment variable SALUS_CONFIG. `salus "
                            "init` and `salus keygen`\n"
                            "write one.\n";

void manual_print_overview(const struct tool_command *const *commands,
                           size_t count)
{
    (void)printf("usage: salus COMMAND [ARGUMENT...]\n\n%s\ncommands:\n",
                 intro);
    for (size_t i = 0; i < count; i++) {
        (void)printf("  %-12s %s\n", commands[i]->name, commands[i]->summary);
    }
    (void)printf("  %-12s %s\n", "help", "explain a command: salus help NAME");
    (void)printf("\n%s\nexit codes:\n%s", files, exits);
}

void manual_print_command(const struct tool_command *command)
{
    (void)printf("salus %s: %s\n\nusage: salus %s %s\n\n%s", command->name,
                 command->summary, command->name, command->usage,
                 command->help);
}

/* Roff takes a leading dot or quote as a request, and a backslash as its own;
 * a dash is to stay one that can be copied. */
static void print_roff(const char *text)
{
    bool at_start = true;
    for (; *text != '\0'; text++) {
        if (at_start && (*text == '.' || *text == '\'')) {
            (void)fputs("\\&", stdout);
        }
        if (*text == '\\') {
            (void)fputs("\\e", stdout);
        } else if (*text == '-') {
            (void)fputs("\\-", stdout);
        } else {
            (void)fputc(*text, stdout);
        }
        at_start = *text == '\n';
    }
}

static void print_block(const char *text)
{
    (void)fputs(".nf\n", stdout);
    print_roff(text);
    (void)fputs(".fi\n", stdout);
}

void manual_print_page(const struct tool_command *const *commands, size_t count)
{
    (void)printf(".TH SALUS 1 \"\" \"Salus %s\" \"User Commands\"\n"
                 ".SH NAME\nsalus \\- set up, use and check a Salus "
                 "consortium\n"
                 ".SH SYNOPSIS\n.B salus\n.I COMMAND\n[ARGUMENT...]\n"
                 ".SH DESCRIPTION\n",
                 SALUS_VERSION);
    print_roff(intro);
    (void)fputs(".PP\n", stdout);
    print_roff(files);
    (void)fputs(".SH COMMANDS\n", stdout);
    for (size_t i = 0; i < count; i++) {
        (void)fputs(".SS salus ", stdout);
        print_roff(commands[i]->name);
        (void)fputc('\n', stdout);
        print_roff(commands[i]->summary);
        (void)fputs(".\n.PP\n.nf\nsalus ", stdout);
        print_roff(commands[i]->name);
        (void)fputc(' ', stdout);
        print_roff(commands[i]->usage);
        (void)fputs("\n.fi\n.PP\n", stdout);
        print_block(commands[i]->help);
    }
    (void)fputs(".SH EXIT STATUS\n", stdout);
    print_block(exits);
    (void)fputs(".SH ENVIRONMENT\n.TP\n.B SALUS_CONFIG\nThe client "
                "configuration to use without \\-\\-config.\n"
                ".SH SEE ALSO\n.BR salusd (1),\n.BR salus\\-sim (1)\n",
                stdout);
}
