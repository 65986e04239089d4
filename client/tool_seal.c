/* SPDX-License-Identifier: Apache-2.0 */
/* salus seal: contents of records, encrypted for whom they may concern. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/seal_files.h"
#include "client/tool_sealing.h"
#include "crypto/hex.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "ledger/forms.h"

#define ALGORITHM_AES_256_GCM 1

struct call {
    struct sealing sealing;
    struct tool_list operands;
    struct tool_list recipients;
    const char *output;
    const char *envelope;
    const char *record;
    const char *key;
    const char *config;
    bool json;
    char envelope_path[TOOL_PATH_MAX];
};

/* All keys are known to be good before anything is written. */
static bool recipient_keys(struct call *call,
                           uint8_t keys[LEDGER_ENVELOPES_MAX][HPKE_KEY_SIZE],
                           size_t *count)
{
    if (call->recipients.count >= LEDGER_ENVELOPES_MAX) {
        (void)tool_failed(&tool_seal, "at most %d recipients",
                          LEDGER_ENVELOPES_MAX - 1);
        return false;
    }
    /* The custodian can always open what it keeps. */
    memcpy(keys[0], call->sealing.own.public_key.bytes, HPKE_KEY_SIZE);
    *count = 1;
    for (size_t i = 0; i < call->recipients.count; i++) {
        if (!sealing_recipient(&call->sealing, call->recipients.items[i],
                               keys[*count])) {
            return false;
        }
        (*count)++;
    }
    return true;
}

static bool choose_record(struct call *call, struct envelope *out)
{
    out->identity.chain = call->sealing.chain;
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
        (void)tool_bad_usage(&tool_seal, "--record is 32 hexadecimal digits");
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
        return tool_failed(&tool_seal, "%s",
                           reason.text[0] != 0 ? reason.text
                                               : pbft_status_text(status));
    }
    print_sealed(call, &envelope, size);
    return TOOL_OK;
}

static int run_seal(int argc, char **argv)
{
    struct call call = {.sealing = {.command = &tool_seal}};
    const struct tool_option options[] = {
        {"--for", NULL, NULL, &call.recipients},
        {"-o", NULL, &call.output, NULL},
        {"--envelope", NULL, &call.envelope, NULL},
        {"--record", NULL, &call.record, NULL},
        {"--key", NULL, &call.key, NULL},
        {"--config", NULL, &call.config, NULL},
        {"--json", &call.json, NULL, NULL},
        {NULL, NULL, NULL, NULL}};
    int code =
        tool_options_parse(&tool_seal, options, &call.operands, argc, argv);

    if (code != -1) {
        return code;
    }
    if (call.operands.count != 1 || call.output == NULL) {
        return tool_bad_usage(&tool_seal, "name one file, and -o OUT");
    }
    if (call.envelope == NULL) {
        if (!sealing_envelope_path(&call.sealing, call.envelope_path,
                                   call.output)) {
            return TOOL_USAGE;
        }
        call.envelope = call.envelope_path;
    }
    code = sealing_load(&call.sealing, call.config, call.key) ? seal(&call)
                                                              : TOOL_FAILED;
    sealing_unload(&call.sealing);
    return code;
}

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
        "to the ledger: commitments, for RECORD_ANCHOR and KEY_GRANT. `salus\n"
        "grant` then brings the wrapped key to a recipient.\n"
        "\n"
        "FILE and OUT may be -. Files appear when whole; none is replaced.\n"
        "\n"
        "  --for RECIPIENT...   institutions by their name in the genesis, or\n"
        "                       X25519 keys as 64 hexadecimal digits\n"
        "  -o OUT               the encrypted content\n"
        "  --envelope FILE      the wraps; OUT" SEALING_ENVELOPE_SUFFIX
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
