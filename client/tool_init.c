/* SPDX-License-Identifier: Apache-2.0 */
/* salus init: a whole consortium for trials. */
#include <stdio.h>

#include "client/tool_consortium.h"
#include "client/tool_options.h"

static int run(int argc, char **argv)
{
    const char *replicas = NULL;
    const char *port = NULL;
    struct consortium_options made = {0};
    struct tool_list policies = {.count = 0};
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        {.name = "--replicas", .value = &replicas},
        {.name = "--base-port", .value = &port},
        {.name = "--name", .value = &made.name},
        {.name = "--policy", .list = &policies},
        {.name = NULL}};
    struct salus_reason reason = {""};
    uint64_t replica_count = 4;
    uint64_t base_port = 7000;

    int code = tool_options_parse(&tool_init, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count != 1) {
        return tool_bad_usage(&tool_init, "one folder is needed");
    }
    if (!tool_number(&tool_init, "--replicas", replicas, 1,
                     CONSORTIUM_REPLICAS_MAX, &replica_count) ||
        !tool_number(&tool_init, "--base-port", port, 1, UINT16_MAX,
                     &base_port)) {
        return TOOL_USAGE;
    }
    made.folder = operands.items[0];
    made.replicas = (uint32_t)replica_count;
    made.base_port = (uint16_t)base_port;
    made.policies =
        (struct consortium_policies){policies.items, policies.count};
    enum pbft_status status = consortium_create(&made, &reason);
    if (status != PBFT_OK) {
        return tool_failed(&tool_init, "%s",
                           reason.text[0] != '\0' ? reason.text
                                                  : pbft_status_text(status));
    }
    (void)printf("made a consortium of %u replicas in %s\n\n"
                 "start each replica:\n"
                 "  salusd --config %s/replica-0.yaml &      # to replica-%u\n"
                 "then try:\n"
                 "  export SALUS_CONFIG=%s/client-0.yaml\n"
                 "  salus status\n"
                 "  salus genesis show %s/genesis.txt\n"
                 "  salus fhir import FILE...\n"
                 "  salus help\n",
                 (unsigned)made.replicas, made.folder, made.folder,
                 (unsigned)made.replicas - 1, made.folder, made.folder);
    return TOOL_OK;
}

const struct tool_command tool_init = {
    .name = "init",
    .usage = "DIR [--replicas N] [--base-port P] [--name NAME]\n"
             "       [--policy URI...]",
    .summary = "make a whole consortium for trials on this machine",
    .help =
        "Makes N synthetic hospitals with keys, a CA and certificates each, "
        "the\n"
        "genesis file, one configuration per replica (DIR/replica-N.yaml) and\n"
        "one per client (DIR/client-N.yaml). DIR must not exist or be empty.\n"
        "\n"
        "  --replicas N      1, or 4 and more; 4 if left out\n"
        "  --base-port P     replica N listens on P + 2N for replicas and on\n"
        "                    P + 2N + 1 for clients; 7000 if left out\n"
        "  --name NAME       of the consortium; trial if left out\n"
        "  --policy URI...   policies that consents may name, instead of\n"
        "                    urn:salus:policy:trial and those of IHE's\n"
        "                    examples\n"
        "\n"
        "All private keys end up on one machine: for trials only. For a real\n"
        "consortium see salus help keygen.\n"
        "\n"
        "example:\n"
        "  salus init trial --replicas 4 --base-port 7000\n",
    .run = run,
};
