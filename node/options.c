/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of salusd. */
#include "node/options.h"

#include <string.h>

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
    "  --version          print the version and exit\n"
    "  --help             print this and exit\n"
    "\n"
    "Exit status:\n"
    "  0  ended as asked\n"
    "  1  a port is in use, or another failure of the environment\n"
    "  2  command line, configuration, genesis or a key file is not as it\n"
    "     should be\n"
    "  3  a key, a certificate or the data folder belongs to somebody else, "
    "or\n"
    "     another process uses the data folder\n"
    "  4  the disk is full or fails, or damaged data cannot be set aside\n"
    "\n"
    "The journal goes to standard error, one line per event as key=value.\n";

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

enum pbft_status options_parse(struct options *out, int argc, char *const *argv,
                               struct salus_reason *reason)
{
    static const char config_equals[] = "--config=";
    *out = (struct options){.action = OPTIONS_RUN};
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        if (take_flag(out, argument)) {
            continue;
        }
        if (strncmp(argument, config_equals, strlen(config_equals)) == 0) {
            out->config = argument + strlen(config_equals);
        } else if (strcmp(argument, "--config") == 0 && i + 1 < argc) {
            out->config = argv[++i];
        } else if (strcmp(argument, "--config") == 0) {
            salus_reason_set(reason, "--config needs a file");
            return PBFT_INVALID_ARGUMENT;
        } else {
            salus_reason_set(reason, "unknown option %s; see --help", argument);
            return PBFT_INVALID_ARGUMENT;
        }
    }
    bool needs_config =
        out->action == OPTIONS_RUN || out->action == OPTIONS_CHECK_CONFIG;
    if (needs_config && (out->config == NULL || out->config[0] == '\0')) {
        salus_reason_set(reason, "--config FILE is missing; see --help");
        return PBFT_INVALID_ARGUMENT;
    }
    return PBFT_OK;
}
