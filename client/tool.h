/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the `salus` tool: one row of a table each. The man page is
 * made from the same texts.
 */
#ifndef CLIENT_TOOL_H
#define CLIENT_TOOL_H

/* Exit codes of every command. */
enum tool_exit {
    TOOL_OK = 0,     /* Done. */
    TOOL_FAILED = 1, /* Not done, or the answer is no. */
    TOOL_USAGE = 2,  /* Bad usage. */
};

struct tool_command {
    const char *name;    /* "bench" */
    const char *usage;   /* What follows the name, one line. */
    const char *summary; /* One line, lower case, no full stop. */
    const char *help;    /* Options and examples; lines of at most 78. */
    /* argv[0] is the name of the command. Returns an enum tool_exit. */
    int (*run)(int argc, char **argv);
};

/* One per command; tool_main.c lists them. */
extern const struct tool_command tool_init;
extern const struct tool_command tool_keygen;
extern const struct tool_command tool_certificate;
extern const struct tool_command tool_genesis;
extern const struct tool_command tool_fingerprint;
extern const struct tool_command tool_submit;
extern const struct tool_command tool_batch;
extern const struct tool_command tool_cosign;
extern const struct tool_command tool_newkey;
extern const struct tool_command tool_query;
extern const struct tool_command tool_explain;
extern const struct tool_command tool_accounting;
extern const struct tool_command tool_may;
extern const struct tool_command tool_bg;
extern const struct tool_command tool_due;
extern const struct tool_command tool_suspects;
extern const struct tool_command tool_status;
extern const struct tool_command tool_receipt;
extern const struct tool_command tool_verify;
extern const struct tool_command tool_evidence;
extern const struct tool_command tool_fhir;
extern const struct tool_command tool_vault;
extern const struct tool_command tool_seal;
extern const struct tool_command tool_open_sealed; /* salus open */
extern const struct tool_command tool_grant;
extern const struct tool_command tool_inbox;
extern const struct tool_command tool_bench;
extern const struct tool_command tool_demo;

#endif /* CLIENT_TOOL_H */
