/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of salusd. */
#include "node/options.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/sample.h"

#define PAYLOAD_DEFAULT 256u
#define PER_REQUEST_DEFAULT 64u

const char options_help[] =
    "Usage: salusd --config FILE [OPTION...]\n"
    "\n"
    "Runs one replica of a Salus consortium: orders, executes and stores the\n"
    "transactions of its members, and serves the clients of its institution.\n"
    "Stays in the foreground; SIGTERM or SIGINT ends it in good order.\n"
    "\n"
    "Options:\n"
    "  --config FILE      configuration of this replica (YAML)\n"
    "  --check-config     read configuration, genesis, keys and certificates,\n"
    "                     say who this replica is, and exit\n"
    "  --unsafe-no-sync   do not wait for the disk: a power cut may make this\n"
    "                     replica forget votes that it sent\n"
    "  --unsafe-no-tls    plain TCP: no secrecy, peers and clients are "
    "whoever\n"
    "                     they claim to be; for measurements on one machine\n"
    "  --measure FOLDER   measure what the parts of a replica cost on this\n"
    "                     machine, with a new data folder, print one line of\n"
    "                     JSON (microseconds of CPU time), and exit; with\n"
    "  --payload BYTES, --transactions-per-request N   (256, 64)\n"
    "  --version          print the version and exit\n"
    "  --help             print this and exit\n"
    "\n"
    "Exit status:\n"
    "  0  ended as asked\n"
    "  1  a port is in use, or another failure of the environment; or stored\n"
    "     data are damaged: the next start sets them aside\n"
    "  2  command line, configuration, genesis or a key file is not as it\n"
    "     should be\n"
    "  3  a key, a certificate or the data folder belongs to somebody else, "
    "or\n"
    "     another process uses the data folder\n"
    "  4  the disk is full or fails, or damaged data cannot be set aside\n"
    "\n"
    "The journal goes to standard error, one line per event as key=value. "
    "What\n"
    "they mean and what to do: docs/operations.md, which is installed as\n"
    "share/doc/salus/docs/operations.md.\n";

/* A flag without value; false: it is none of them. */
static bool take_flag(struct options *out, const char *argument)
{
    if (strcmp(argument, "--check-config") == 0) {
        out->action = OPTIONS_CHECK_CONFIG;
    } else if (strcmp(argument, "--version") == 0) {
        out->action = OPTIONS_VERSION;
    } else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
        out->action = OPTIONS_HELP;
    } else if (strcmp(argument, "--unsafe-no-sync") == 0) {
        out->unsafe_no_sync = true;
    } else if (strcmp(argument, "--unsafe-no-tls") == 0) {
        out->unsafe_no_tls = true;
    } else {
        return false;
    }
    return true;
}

/* "--name value" or "--name=value"; `*i` is moved on. False: another option. */
static bool take_value(const char **out, const char *name, int argc,
                       char *const *argv, int *i)
{
    const char *argument = argv[*i];
    size_t size = strlen(name);
    if (strncmp(argument, name, size) != 0) {
        return false;
    }
    if (argument[size] == '=') {
        *out = argument + size + 1;
    } else if (argument[size] != '\0') {
        return false;
    } else {
        *out = *i + 1 < argc ? argv[++*i] : "";
    }
    return true;
}

/* The same for a number from 1 to `max`; 0 stands for what is none. */
static bool take_number(uint32_t *out, const char *name, uint32_t max, int argc,
                        char *const *argv, int *i)
{
    const char *text = NULL;
    char *end = NULL;
    if (!take_value(&text, name, argc, argv, i)) {
        return false;
    }
    unsigned long value = strtoul(text, &end, 10);
    bool is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0';
    *out = is_number && value <= max ? (uint32_t)value : 0;
    return true;
}

static bool take_measure(struct options *out, int argc, char *const *argv,
                         int *i)
{
    return take_value(&out->measure, "--measure", argc, argv, i) ||
           take_number(&out->measure_payload, "--payload", SAMPLE_PAYLOAD_MAX,
                       argc, argv, i) ||
           take_number(&out->measure_per_request, "--transactions-per-request",
                       LEDGER_REQUEST_TRANSACTIONS_MAX, argc, argv, i);
}

/* What is missing or out of range; NULL: nothing. */
static const char *find_problem(const struct options *options)
{
    bool needs_config = options->action == OPTIONS_RUN ||
                        options->action == OPTIONS_CHECK_CONFIG;
    if (needs_config && options->config == NULL) {
        return "--config FILE is missing; see --help";
    }
    if (needs_config && options->config[0] == '\0') {
        return "--config needs a file";
    }
    if (options->measure != NULL && options->measure[0] == '\0') {
        return "--measure needs a folder";
    }
    if (options->measure_payload == 0) {
        return "--payload: a number from 1 to 1024 is needed";
    }
    if (options->measure_per_request == 0) {
        return "--transactions-per-request: a number from 1 to 1024 is needed";
    }
    return NULL;
}

enum pbft_status options_parse(struct options *out, int argc, char *const *argv,
                               struct salus_reason *reason)
{
    *out = (struct options){.action = OPTIONS_RUN,
                            .measure_payload = PAYLOAD_DEFAULT,
                            .measure_per_request = PER_REQUEST_DEFAULT};
    for (int i = 1; i < argc; i++) {
        if (!take_flag(out, argv[i]) &&
            !take_value(&out->config, "--config", argc, argv, &i) &&
            !take_measure(out, argc, argv, &i)) {
            salus_reason_set(reason, "unknown option %s; see --help", argv[i]);
            return PBFT_INVALID_ARGUMENT;
        }
    }
    if (out->measure != NULL) {
        out->action = OPTIONS_MEASURE;
    }
    const char *problem = find_problem(out);
    if (problem != NULL) {
        salus_reason_set(reason, "%s", problem);
        return PBFT_INVALID_ARGUMENT;
    }
    return PBFT_OK;
}
