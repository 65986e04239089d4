/* SPDX-License-Identifier: Apache-2.0 */
/* salus newkey: one more client key of an institution, or a client or
 * encryption key in place of the old one, and the transaction that makes it
 * known to the ledger. Offline. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "client/tool_config.h"
#include "client/tool_consortium.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "crypto/hex.h"
#include "crypto/init.h"
#include "crypto/keyfile.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
#include "ledger/transaction.h"
#include "proto/genesis.h"

#define REASON "own-request"

/* The key of the configuration, and the one that is made. */
struct keys {
    enum keyfile_kind kind;
    struct pbft_digest cluster;
    struct pbft_institution institution;
    struct transaction_key_id old_id;
    struct transaction_key_id new_id;
    struct pbft_public_key new_key;
    struct pbft_signature possession;
};

static json_t *hex_of(const void *bytes, size_t size)
{
    char text[2 * sizeof(struct pbft_signature) + 1];
    hex_encode(text, (struct pbft_bytes){bytes, size});
    return json_string(text);
}

static enum pbft_status load_old(struct keys *keys, const char *path,
                                 struct salus_reason *reason)
{
    struct tool_config config;
    struct salus_genesis *genesis = NULL;
    struct keyfile old;
    enum pbft_status status = tool_config_load(&config, path, reason);
    if (status == PBFT_OK) {
        status =
            genesis_file_load(&genesis, &keys->cluster, config.genesis, reason);
    }
    const char *file =
        keys->kind == KEYFILE_CLIENT ? config.key : config.encryption_key;
    if (status == PBFT_OK && file[0] == '\0') {
        salus_reason_set(reason, "the configuration names no encryption_key");
        status = PBFT_NOT_FOUND;
    }
    if (status == PBFT_OK) {
        status = keyfile_read(&old, file, keys->kind, reason);
    }
    if (status == PBFT_OK) {
        keys->institution = old.institution;
        transaction_key_id(&keys->old_id, old.public_key.bytes);
        keyfile_wipe(&old);
        if (genesis_find(genesis, &keys->institution) == NULL) {
            salus_reason_set(reason,
                             "%s: its institution is no member of this "
                             "consortium",
                             file);
            status = PBFT_NOT_MEMBER;
        }
    }
    genesis_destroy(genesis);
    return status;
}

/* The new key signs for itself: nobody brings in one that he does not have. */
static void prove_possession(struct keys *keys, const struct keyfile *made)
{
    uint8_t preimage[TRANSACTION_POSSESSION_SIZE];
    struct sign_secret secret;
    struct pbft_public_key public_key;
    transaction_possession_preimage(preimage, &keys->cluster,
                                    &keys->institution, made->public_key.bytes,
                                    NULL);
    sign_from_seed(&secret, &public_key, made->secret);
    sign_message(&keys->possession, &secret,
                 (struct pbft_bytes){preimage, sizeof preimage});
    secret_wipe(&secret, sizeof secret);
}

static enum pbft_status make_new(struct keys *keys, const char *path,
                                 struct salus_reason *reason)
{
    struct keyfile made;
    keyfile_generate(&made, keys->kind, &keys->institution);
    enum pbft_status status = keyfile_create(path, &made, reason);
    if (status == PBFT_OK) {
        keys->new_key = made.public_key;
        transaction_key_id(&keys->new_id, made.public_key.bytes);
    }
    if (status == PBFT_OK && keys->kind == KEYFILE_CLIENT) {
        prove_possession(keys, &made); /* For others the submitter vouches. */
    }
    keyfile_wipe(&made);
    return status;
}

static json_t *new_body(const struct keys *keys, uint64_t from_block)
{
    json_t *key = hex_of(keys->new_key.bytes, sizeof keys->new_key.bytes);
    json_t *possession = hex_of(
        keys->possession.bytes,
        keys->kind == KEYFILE_CLIENT ? sizeof keys->possession.bytes : 0);
    if (from_block == 0) {
        return json_pack(
            "{s:{s:o, s:o, s:o, s:s}}", "institution_update", "institution",
            hex_of(keys->institution.bytes, sizeof keys->institution.bytes),
            "submit_key", key, "submit_possession", possession, "reason",
            REASON);
    }
    return json_pack("{s:{s:o, s:o, s:o, s:I}}", "key_rotate", "old_key_id",
                     hex_of(keys->old_id.bytes, sizeof keys->old_id.bytes),
                     "new_key", key, "possession", possession, "effective_seq",
                     (json_int_t)from_block);
}

static int make(enum keyfile_kind kind, const char *config, const char *output,
                uint64_t from_block)
{
    struct keys keys = {.kind = kind};
    struct salus_reason reason = {""};
    char old_id[2 * sizeof keys.old_id + 1];
    char new_id[2 * sizeof keys.new_id + 1];
    enum pbft_status status = crypto_init();
    if (status == PBFT_OK) {
        status = load_old(&keys, config, &reason);
    }
    if (status == PBFT_OK) {
        status = make_new(&keys, output, &reason);
    }
    if (status != PBFT_OK) {
        return tool_failed(&tool_newkey, "%s",
                           reason.text[0] != '\0' ? reason.text
                                                  : pbft_status_text(status));
    }
    hex_encode(old_id,
               (struct pbft_bytes){keys.old_id.bytes, sizeof keys.old_id});
    hex_encode(new_id,
               (struct pbft_bytes){keys.new_id.bytes, sizeof keys.new_id});
    (void)fprintf(stderr,
                  "made %s, key id %s; that of the configuration is %s\n",
                  output, new_id, old_id);
    tool_json_print(new_body(&keys, from_block));
    return TOOL_OK;
}

static int run(int argc, char **argv)
{
    const char *config = NULL;
    const char *output = NULL;
    const char *block = NULL;
    bool encryption = false;
    uint64_t from_block = 0;
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        {.name = "--config", .value = &config},
        {.name = "--replace-at", .value = &block},
        {.name = "--encryption", .flag = &encryption},
        {.name = "-o", .value = &output},
        {.name = NULL}};
    int code = tool_options_parse(&tool_newkey, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count != 0 || output == NULL) {
        return tool_bad_usage(&tool_newkey,
                              "-o FILE is needed, and no operand");
    }
    if (!tool_number(&tool_newkey, "--replace-at", block, 1, INT64_MAX,
                     &from_block)) {
        return TOOL_USAGE;
    }
    if (encryption && block == NULL) {
        return tool_bad_usage(&tool_newkey, "an encryption key comes in place "
                                            "of the old one: --replace-at "
                                            "BLOCK");
    }
    return make(encryption ? KEYFILE_ENCRYPTION : KEYFILE_CLIENT, config,
                output, from_block);
}

const struct tool_command tool_newkey = {
    .name = "newkey",
    .usage = "-o FILE [--replace-at BLOCK [--encryption]] [--config FILE]",
    .summary = "make a new key, and what brings it into the ledger",
    .help =
        "Makes a client key of the institution in FILE (mode 0600) and prints\n"
        "the transaction that makes it known, for salus submit with the key\n"
        "that is known already:\n"
        "\n"
        "    salus newkey -o second.key | salus submit -\n"
        "\n"
        "Then both keys may submit. Give each application its own key, and so\n"
        "its own sessions; put it into that one's configuration as `key:`.\n"
        "\n"
        "    salus newkey -o next.key --replace-at 1200 | salus submit -\n"
        "\n"
        "Then the old key signs for the blocks before 1200, the new one from\n"
        "1200 on; choose a block that is a little ahead (salus status).\n"
        "Keep an encryption key that was replaced: what was sealed for it, "
        "and\n"
        "for nothing newer, opens with it (--key). Others seal for the new "
        "one\n"
        "by its public key, 64 digits of the transaction.\n"
        "\n"
        "A key that leaked or was lost is ended at once, by another one:\n"
        "\n"
        "    echo '{\"key_revoke\": {\"key_id\": \"ID\", \"reason\": "
        "\"LOST\"}}' "
        "|\n"
        "      salus submit -\n"
        "\n"
        "The ids of both keys are told on standard error. Works offline.\n"
        "\n"
        "  -o FILE              must not exist\n"
        "  --replace-at BLOCK   in place of the key of the configuration\n"
        "  --encryption         the encryption key instead of the client key\n"
        "  --config FILE        client configuration; else $SALUS_CONFIG\n",
    .run = run,
};
