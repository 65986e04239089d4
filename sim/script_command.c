/* SPDX-License-Identifier: Apache-2.0 */
/* salus-sim script: reads files and runs them. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/command.h"
#include "sim/script.h"

#define SCRIPT_BYTES_MAX (1024u * 1024u)

static jmp_buf next_file;

/* What the run held stays where it is; the next file has a run of its own. */
static void on_assertion(const char *file, int line, const char *expression)
{
    script_assertion_failed(file, line, expression);
    longjmp(next_file, 1);
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "%s: cannot be opened\n", path);
        return NULL;
    }
    char *text = malloc(SCRIPT_BYTES_MAX + 1);
    PBFT_ASSERT(text != NULL);
    size_t size = fread(text, 1, SCRIPT_BYTES_MAX, file);
    bool is_bad = ferror(file) != 0 || fgetc(file) != EOF ||
                  memchr(text, '\0', size) != NULL;
    (void)fclose(file);
    if (is_bad) {
        (void)fprintf(stderr, "%s: not a text of at most %u bytes\n", path,
                      SCRIPT_BYTES_MAX);
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

static int run_file(const char *path, bool is_quiet)
{
    char *text = read_file(path);
    if (text == NULL) {
        return EXIT_USAGE;
    }
    if (setjmp(next_file) != 0) {
        return EXIT_VIOLATION;
    }
    int code = script_run(path, text, is_quiet ? NULL : stdout);
    free(text);
    return code;
}

/* The worst exit code of all files: 2 before 1 before 0. */
int command_script(int argc, char **argv)
{
    static const char usage[] =
        "usage: salus-sim script [--quiet] FILE...\n"
        "\n"
        "Runs scenarios; docs/scenarios.md describes their language. Prints\n"
        "the trace, with --quiet the verdicts alone.\n"
        "\n"
        "exit: 0 all expectations held, 1 one did not or an invariant broke,\n"
        "2 a text is wrong; of several files the worst\n";
    int worst = EXIT_WELL;
    if (argc == 1 && strcmp(argv[0], "--help") == 0) {
        (void)fputs(usage, stdout);
        return EXIT_WELL;
    }
    bool is_quiet = argc > 0 && strcmp(argv[0], "--quiet") == 0;
    if (argc - is_quiet < 1) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    for (int i = is_quiet; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            (void)fprintf(stderr, "salus-sim script: unknown option '%s'\n",
                          argv[i]);
            return EXIT_USAGE;
        }
    }
    pbft_assert_set_hook(on_assertion);
    for (int i = is_quiet; i < argc; i++) {
        int code = run_file(argv[i], is_quiet);
        worst = code > worst ? code : worst;
    }
    return worst;
}
