/* SPDX-License-Identifier: Apache-2.0 */
/* salus seal, salus open: contents of records, encrypted for whom they may
 * concern. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/seal_files.h"
#include "client/tool_config.h"
#include "client/tool_consortium.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "crypto/hex.h"
#include "crypto/keyfile.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "ledger/forms.h"
#include "proto/genesis.h"

#define ENVELOPE_SUFFIX ".envelope"
#define ALGORITHM_AES_256_GCM 1

/* The command line of both. */
struct call {
    const struct tool_command *command;
    struct tool_list operands;
    struct tool_list recipients;
    const char *output;
    const char *envelope;
    const char *record;
    const char *key;
    const char *config;
    bool json;
    char envelope_path[TOOL_PATH_MAX];
    struct tool_config settings;
    struct keyfile own;
    struct salus_genesis *genesis;
    struct pbft_digest chain;
};

/* ---- what both need ------------------------------------------------------ */

static bool parse(struct call *call, const struct tool_option *options,
                  int argc, char **argv, int *code)
{
    *code =
        tool_options_parse(call->command, options, &call->operands, argc, argv);
    if (*code >= 0) {
        return false;
    }
    if (call->operands.count != 1 || call->output == NULL) {
        *code = tool_bad_usage(call->command, "name one file, and -o OUT");
        return false;
    }
    const char *sealed =
        call->command == &tool_seal ? call->output : call->operands.items[0];
    if (call->envelope == NULL) {
        int size = snprintf(call->envelope_path, sizeof call->envelope_path,
                            "%s" ENVELOPE_SUFFIX, sealed);
        if (strcmp(sealed, "-") == 0 || size < 0 ||
            (size_t)size >= sizeof call->envelope_path) {
            *code = tool_bad_usage(call->command, "name the --envelope file");
            return false;
        }
        call->envelope = call->envelope_path;
    }
    return true;
}

/* Configuration, own key, genesis. */
static bool load(struct call *call)
{
    struct salus_reason reason = {.text = ""};
    bool done =
        tool_config_load(&call->settings, call->config, &reason) == PBFT_OK;

    if (done) {
        const char *key =
            call->key != NULL ? call->key : call->settings.encryption_key;
        if (key[0] == 0) {
            (void)tool_failed(call->command,
                              "name the own key: --key FILE, or "
                              "encryption_key: in the configuration");
            return false;
        }
        done = keyfile_read(&call->own, key, KEYFILE_ENCRYPTION, &reason) ==
                   PBFT_OK &&
               genesis_file_load(&call->genesis, &call->chain,
                                 call->settings.genesis, &reason) == PBFT_OK;
    }
    if (!done) {
        (void)tool_failed(call->command, "%s", reason.text);
    }
    return done;
}

static void unload(struct call *call)
{
    genesis_destroy(call->genesis);
    keyfile_wipe(&call->own);
}

/* ---- seal ---------------------------------------------------------------- */

/* The key of a member by its name, or the key itself. */
static bool recipient_key(struct call *call, const char *text,
                          uint8_t out[HPKE_KEY_SIZE])
{
    const struct salus_member *member = genesis_find_name(call->genesis, text);

    if (member != NULL) {
        memcpy(out, member->encryption_key, HPKE_KEY_SIZE);
        return true;
    }
    if (hex_decode(out, HPKE_KEY_SIZE, text) == PBFT_OK) {
        return true;
    }
    (void)tool_failed(call->command,
                      "--for %s: neither a member of the genesis nor an X25519 "
                      "key of 64 hexadecimal digits",
                      text);
    return false;
}

/* All keys are known to be good before anything is written. */
static bool recipient_keys(struct call *call,
                           uint8_t keys[LEDGER_ENVELOPES_MAX][HPKE_KEY_SIZE],
                           size_t *count)
{
    if (call->recipients.count >= LEDGER_ENVELOPES_MAX) {
        (void)tool_failed(call->command, "at most %d recipients",
                          LEDGER_ENVELOPES_MAX - 1);
        return false;
    }
    /* The custodian can always open what it keeps. */
    memcpy(keys[0], call->own.public_key.bytes, HPKE_KEY_SIZE);
    *count = 1;
    for (size_t i = 0; i < call->recipients.count; i++) {
        if (!recipient_key(call, call->recipients.items[i], keys[*count])) {
            return false;
        }
        (*count)++;
    }
    return true;
}

static bool choose_record(struct call *call, struct envelope *out)
{
    out->identity.chain = call->chain;
    out->identity.version = 1;
    if (call->record == NULL) {
        do {
            random_fill(out->identity.record, SEAL_RECORD_SIZE);
        } while (forms_reads_as_text(
            (struct pbft_bytes){out->identity.record, SEAL_RECORD_SIZE}));
        return true;
    }
    if (hex_decode(out->identity.record, SEAL_RECORD_SIZE, call->record) !=
        PBFT_OK) {
        (void)tool_bad_usage(call->command,
                             "--record is 32 hexadecimal digits");
        return false;
    }
    return true;
}

static json_t *hex_json(const uint8_t *bytes, size_t size)
{
    char hex[2 * PBFT_DIGEST_SIZE + 1];

    hex_encode(hex, (struct pbft_bytes){bytes, size});
    return json_string(hex);
}

/* What RECORD_ANCHOR and KEY_GRANT want to know; nothing that opens it. */
static json_t *describe(const struct envelope *envelope, uint64_t size)
{
    json_t *list = json_array();

    for (size_t i = 0; i < envelope->count; i++) {
        struct pbft_digest commit;
        envelope_wrap_commit(&commit, envelope, i);
        (void)json_array_append_new(
            list,
            json_pack("{s:o, s:o}", "recipient_key",
                      hex_json(envelope->wraps[i].key_id, WRAP_KEY_ID_SIZE),
                      "wrap_commit",
                      hex_json(commit.bytes, sizeof commit.bytes)));
    }
    return json_pack(
        "{s:o, s:o, s:o, s:I, s:i, s:o}", "record",
        hex_json(envelope->identity.record, SEAL_RECORD_SIZE), "commit",
        hex_json(envelope->commit.bytes, PBFT_DIGEST_SIZE), "cipher_digest",
        hex_json(envelope->cipher_digest.bytes, PBFT_DIGEST_SIZE),
        "cipher_size_bucket", (json_int_t)forms_size_bucket(size), "algorithm",
        ALGORITHM_AES_256_GCM, "envelopes", list);
}

static void print_sealed(const struct call *call,
                         const struct envelope *envelope, uint64_t size)
{
    FILE *out = strcmp(call->output, "-") == 0 ? stderr : stdout;
    json_t *json = describe(envelope, size);
    char *text = json == NULL ? NULL
                              : json_dumps(json, call->json ? JSON_COMPACT
                                                            : JSON_INDENT(2));

    if (text != NULL) {
        (void)fprintf(out, "%s\n", text);
        free(text);
    }
    json_decref(json);
}

static int seal(struct call *call)
{
    uint8_t keys[LEDGER_ENVELOPES_MAX][HPKE_KEY_SIZE];
    uint8_t data_key[SEAL_KEY_SIZE];
    struct salus_reason reason = {.text = ""};
    struct envelope envelope = {.count = 0};
    uint64_t size = 0;
    size_t count = 0;

    if (!recipient_keys(call, keys, &count) ||
        !choose_record(call, &envelope)) {
        return TOOL_FAILED;
    }
    enum pbft_status status = PBFT_OK;
    random_fill(data_key, sizeof data_key);
    for (size_t i = 0; i < count && status == PBFT_OK; i++) {
        status = envelope_add(&envelope, keys[i], data_key);
        if (status != PBFT_OK) {
            salus_reason_set(&reason, "recipient %zu has no good key", i);
        }
    }
    if (status == PBFT_OK) {
        status =
            seal_files_seal(&envelope, data_key, &size, call->operands.items[0],
                            call->output, &reason);
    }
    secret_wipe(data_key, sizeof data_key);
    if (status == PBFT_OK) {
        status = envelope_store(call->envelope, &envelope, &reason);
        if (status != PBFT_OK && strcmp(call->output, "-") != 0) {
            /* Without an envelope nobody can open it. */
            (void)unlink(call->output);
        }
    }
    if (status != PBFT_OK) {
        return tool_failed(call->command, "%s",
                           reason.text[0] != 0 ? reason.text
                                               : pbft_status_text(status));
    }
    print_sealed(call, &envelope, size);
    return TOOL_OK;
}

static int run_seal(int argc, char **argv)
{
    struct call call = {.command = &tool_seal};
    const struct tool_option options[] = {
        {"--for", NULL, NULL, &call.recipients},
        {"-o", NULL, &call.output, NULL},
        {"--envelope", NULL, &call.envelope, NULL},
        {"--record", NULL, &call.record, NULL},
        {"--key", NULL, &call.key, NULL},
        {"--config", NULL, &call.config, NULL},
        {"--json", &call.json, NULL, NULL},
        {NULL, NULL, NULL, NULL}};
    int code = TOOL_FAILED;

    if (!parse(&call, options, argc, argv, &code)) {
        return code;
    }
    code = load(&call) ? seal(&call) : TOOL_FAILED;
    unload(&call);
    return code;
}

/* ---- open ---------------------------------------------------------------- */

static bool unwrap(struct call *call, const struct envelope *envelope,
                   uint8_t data_key[SEAL_KEY_SIZE])
{
    const char *problem = "the wrap for this key is damaged";

    if (memcmp(envelope->identity.chain.bytes, call->chain.bytes,
               sizeof call->chain.bytes) != 0) {
        problem = "of another consortium";
    } else {
        enum pbft_status status = envelope_unwrap(
            data_key, envelope, call->own.secret, call->own.public_key.bytes);
        if (status == PBFT_OK) {
            return true;
        }
        if (status == PBFT_NOT_FOUND) {
            problem = "not sealed for this key";
        }
    }
    (void)tool_failed(call->command, "%s: %s", call->envelope, problem);
    return false;
}

static int open_sealed(struct call *call)
{
    uint8_t data_key[SEAL_KEY_SIZE];
    struct salus_reason reason = {.text = ""};
    struct envelope envelope;

    if (envelope_load(&envelope, call->envelope, &reason) != PBFT_OK) {
        return tool_failed(call->command, "%s", reason.text);
    }
    if (!unwrap(call, &envelope, data_key)) {
        return TOOL_FAILED;
    }
    enum pbft_status status = seal_files_open(
        &envelope, data_key, call->operands.items[0], call->output, &reason);
    secret_wipe(data_key, sizeof data_key);
    if (status == PBFT_OK) {
        return TOOL_OK;
    }
    return tool_failed(
        call->command, "%s%s",
        reason.text[0] != 0 ? reason.text : pbft_status_text(status),
        strcmp(call->output, "-") == 0 ? "; what was written is not to be used"
                                       : "");
}

static int run_open(int argc, char **argv)
{
    struct call call = {.command = &tool_open_sealed};
    const struct tool_option options[] = {
        {"-o", NULL, &call.output, NULL},
        {"--envelope", NULL, &call.envelope, NULL},
        {"--key", NULL, &call.key, NULL},
        {"--config", NULL, &call.config, NULL},
        {NULL, NULL, NULL, NULL}};
    int code = TOOL_FAILED;

    if (!parse(&call, options, argc, argv, &code)) {
        return code;
    }
    code = load(&call) ? open_sealed(&call) : TOOL_FAILED;
    unload(&call);
    return code;
}

/* ---- commands ------------------------------------------------------------ */

const struct tool_command tool_seal = {
    .name = "seal",
    .usage = "FILE --for RECIPIENT... -o OUT [--envelope FILE] [--json]",
    .summary = "encrypt the content of a record for those it concerns",
    .help =
        "Encrypts FILE, of any size and in constant memory, with AES-256-GCM\n"
        "in segments of 64 KiB, under a random key. The key is wrapped with\n"
        "HPKE (RFC 9180) for every recipient and for the own institution. The\n"
        "wraps go to a file of their own: whoever erases it and the keys has\n"
        "erased the content, wherever OUT was copied to. Printed is what goes\n"
        "to the ledger: commitments, for RECORD_ANCHOR and KEY_GRANT.\n"
        "\n"
        "FILE and OUT may be -. Files appear when whole; none is replaced.\n"
        "\n"
        "  --for RECIPIENT...   institutions by their name in the genesis, or\n"
        "                       X25519 keys as 64 hexadecimal digits\n"
        "  -o OUT               the encrypted content\n"
        "  --envelope FILE      the wraps; OUT" ENVELOPE_SUFFIX
        " if left out; mode 0600\n"
        "  --record ID          of the record; random if left out\n"
        "  --key FILE           own key, instead of the configuration's\n"
        "  --config FILE        of the client; $SALUS_CONFIG if left out\n"
        "  --json               one line\n"
        "\n"
        "examples:\n"
        "  salus seal scan.dcm --for lakeside -o scan.sealed --config "
        "trial/client-0.yaml\n",
    .run = run_seal,
};

const struct tool_command tool_open_sealed = {
    .name = "open",
    .usage = "FILE -o OUT [--envelope FILE] [--key FILE]",
    .summary = "decrypt what was sealed for this institution",
    .help =
        "Opens what salus seal made. Refused is what was sealed for another\n"
        "key or consortium, what was changed, cut off or reordered, and what\n"
        "belongs to another record than its envelope. OUT appears when all of\n"
        "it is authentic; with -o - use nothing if the exit code is not 0.\n"
        "\n"
        "  -o OUT            the content; - is standard output\n"
        "  --envelope FILE   the wraps; FILE" ENVELOPE_SUFFIX " if left out\n"
        "  --key FILE        own key, instead of the configuration's\n"
        "  --config FILE     of the client; $SALUS_CONFIG if left out\n"
        "\n"
        "example:\n"
        "  salus open scan.sealed -o scan.dcm --config trial/client-1.yaml\n",
    .run = run_open,
};
