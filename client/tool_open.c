/* SPDX-License-Identifier: Apache-2.0 */
/* salus open: what was sealed for this institution. */
#include <string.h>
#include <unistd.h>

#include "client/seal_files.h"
#include "client/tool_inbox.h"
#include "crypto/hex.h"
#include "crypto/secret.h"

struct call {
    struct sealing sealing;
    struct tool_list operands;
    const char *output;
    const char *envelope;
    const char *record;
    const char *key;
    const char *replica;
    const char *config;
    char envelope_path[TOOL_PATH_MAX];
};

static int open_with(struct call *call, const struct envelope *envelope)
{
    uint8_t data_key[SEAL_KEY_SIZE];
    struct salus_reason reason = {.text = ""};

    if (!sealing_unwrap(&call->sealing, envelope, call->envelope, data_key)) {
        return TOOL_FAILED;
    }
    enum pbft_status status = seal_files_open(
        envelope, data_key, call->operands.items[0], call->output, &reason);
    secret_wipe(data_key, sizeof data_key);
    if (status == PBFT_OK) {
        return TOOL_OK;
    }
    return tool_failed(
        &tool_open_sealed, "%s%s",
        reason.text[0] != 0 ? reason.text : pbft_status_text(status),
        strcmp(call->output, "-") == 0 ? "; what was written is not to be used"
                                       : "");
}

static int open_sealed(struct call *call)
{
    struct salus_reason reason = {.text = ""};
    struct envelope envelope;

    if (envelope_load(&envelope, call->envelope, &reason) != PBFT_OK) {
        return tool_failed(&tool_open_sealed, "%s%s", reason.text,
                           access(call->envelope, F_OK) != 0
                               ? "; --record ID fetches it from the replica"
                               : "");
    }
    return open_with(call, &envelope);
}

/* The replica erases the envelope only when file and content are there. */
static int fetch_and_open(struct call *call)
{
    uint8_t record[SEAL_RECORD_SIZE];
    struct envelope envelope;
    struct salus_reason reason = {.text = ""};

    if (hex_decode(record, sizeof record, call->record) != PBFT_OK) {
        return tool_bad_usage(&tool_open_sealed,
                              "--record is 32 hexadecimal digits");
    }
    struct salus_client *client = tool_open(call->config, call->replica, 0);
    if (client == NULL) {
        return TOOL_FAILED;
    }
    int code = TOOL_FAILED;
    /* An interrupted call may have left it. */
    bool done =
        access(call->envelope, F_OK) == 0
            ? envelope_load(&envelope, call->envelope, &reason) == PBFT_OK
            : inbox_fetch(&call->sealing, client, &envelope, record,
                          call->envelope);
    if (done && memcmp(envelope.identity.record, record, sizeof record) != 0) {
        salus_reason_set(&reason, "%s: of another record", call->envelope);
        done = false;
    }
    if (reason.text[0] != 0) {
        (void)tool_failed(&tool_open_sealed, "%s", reason.text);
    }
    if (done) {
        code = open_with(call, &envelope);
    }
    if (code == TOOL_OK && !inbox_taken(&call->sealing, client, &envelope)) {
        code = TOOL_FAILED;
    }
    salus_close(client);
    return code;
}

static int run_open(int argc, char **argv)
{
    struct call call = {.sealing = {.command = &tool_open_sealed}};
    const struct tool_option options[] = {
        {"-o", NULL, &call.output, NULL},
        {"--envelope", NULL, &call.envelope, NULL},
        {"--record", NULL, &call.record, NULL},
        {"--key", NULL, &call.key, NULL},
        {"--replica", NULL, &call.replica, NULL},
        {"--config", NULL, &call.config, NULL},
        {NULL, NULL, NULL, NULL}};
    int code = tool_options_parse(&tool_open_sealed, options, &call.operands,
                                  argc, argv);

    if (code != -1) {
        return code;
    }
    if (call.operands.count != 1 || call.output == NULL) {
        return tool_bad_usage(&tool_open_sealed, "name one file, and -o OUT");
    }
    if (call.envelope == NULL) {
        if (!sealing_envelope_path(&call.sealing, call.envelope_path,
                                   call.operands.items[0])) {
            return TOOL_USAGE;
        }
        call.envelope = call.envelope_path;
    }
    code = TOOL_FAILED;
    if (sealing_load(&call.sealing, call.config, call.key)) {
        code = call.record != NULL ? fetch_and_open(&call) : open_sealed(&call);
    }
    sealing_unload(&call.sealing);
    return code;
}

const struct tool_command tool_open_sealed = {
    .name = "open",
    .usage = "FILE -o OUT [--record ID] [--envelope FILE] [--key FILE]",
    .summary = "decrypt what was sealed for this institution",
    .help =
        "Opens what salus seal made. Refused is what was sealed for another\n"
        "key or consortium, what was changed, cut off or reordered, and what\n"
        "belongs to another record than its envelope. OUT appears when all of\n"
        "it is authentic; with -o - use nothing if the exit code is not 0.\n"
        "\n"
        "With --record, and no envelope file yet, the envelope is fetched "
        "from\n"
        "the own replica (salus inbox) into that file. When the content is\n"
        "open, the replica erases it: the file is then the only one.\n"
        "\n"
        "  -o OUT            the content; - is standard output\n"
        "  --envelope FILE   the wraps; FILE" SEALING_ENVELOPE_SUFFIX
        " if left out\n"
        "  --record ID       fetch the envelope of this record\n"
        "  --replica NAME    from this institution's replica\n"
        "  --key FILE        own key, instead of the configuration's\n"
        "  --config FILE     of the client; $SALUS_CONFIG if left out\n"
        "\n"
        "example:\n"
        "  salus open scan.sealed -o scan.dcm --config trial/client-1.yaml\n",
    .run = run_open,
};
