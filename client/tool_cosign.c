/* SPDX-License-Identifier: Apache-2.0 */
/* salus cosign: what several have to sign goes from one to the other as a file,
 * before it is submitted. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tool_admission.h"
#include "client/tool_config.h"
#include "client/tool_consortium.h"
#include "client/tool_json.h"
#include "client/tool_transaction.h"
#include "crypto/keyfile.h"
#include "crypto/sign.h"
#include "proto/genesis.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

/* Who signs, offline. */
struct signer {
    struct tool_identity identity; /* Of the configuration: who submits. */
    struct transaction_key_id key_id;
    struct sign_secret secret;
};

/* The key of a participant or patient in place of the configuration's. */
static enum pbft_status take_other_key(struct signer *out, const char *path,
                                       struct salus_reason *reason)
{
    struct pbft_public_key public_key;
    struct keyfile key;
    enum pbft_status status = keyfile_read(&key, path, KEYFILE_CLIENT, reason);
    if (status != PBFT_OK) {
        return status;
    }
    sign_from_seed(&out->secret, &public_key, key.secret);
    transaction_key_id(&out->key_id, public_key.bytes);
    keyfile_wipe(&key);
    if (memcmp(out->key_id.bytes, out->identity.key_id.bytes,
               sizeof out->key_id.bytes) == 0) {
        salus_reason_set(reason,
                         "%s: it is the client key of the institution, and no "
                         "participant's or patient's",
                         path);
        return PBFT_INVALID_ARGUMENT;
    }
    return PBFT_OK;
}

static bool load_signer(struct signer *out, const char *path,
                        const char *other_key)
{
    struct tool_config config;
    struct salus_reason reason = {""};
    struct salus_genesis *genesis = NULL;
    struct keyfile key;
    struct pbft_public_key public_key;
    enum pbft_status status = tool_config_load(&config, path, &reason);
    if (status == PBFT_OK) {
        status = genesis_file_load(&genesis, &out->identity.cluster,
                                   config.genesis, &reason);
    }
    genesis_destroy(genesis);
    if (status == PBFT_OK) {
        status = keyfile_read(&key, config.key, KEYFILE_CLIENT, &reason);
    }
    if (status == PBFT_OK) {
        sign_from_seed(&out->secret, &public_key, key.secret);
        out->identity.institution = key.institution;
        transaction_key_id(&out->identity.key_id, public_key.bytes);
        out->key_id = out->identity.key_id;
        keyfile_wipe(&key);
    }
    if (status == PBFT_OK && other_key != NULL) {
        status = take_other_key(out, other_key, &reason);
    }
    if (status != PBFT_OK) {
        (void)tool_failed(&tool_cosign, "%s", reason.text);
    }
    return status == PBFT_OK;
}

/* Whose key signs in a role (docs/api.md, section 3). */
static const struct role {
    const char *name;
    enum transaction_role role;
    bool client; /* An institution's client key. */
    bool other;  /* The key of a participant or patient. */
} roles[] = {
    {"GOVERNANCE", TRANSACTION_GOVERNANCE, true, false},
    {"COSIGN_INST", TRANSACTION_COSIGN_INST, true, false},
    {"DAC", TRANSACTION_DAC, true, false},
    {"REVIEWER", TRANSACTION_REVIEWER, true, true},
    {"SUBJECT_AGENT", TRANSACTION_SUBJECT_AGENT, false, true},
    {"HOLDER", TRANSACTION_HOLDER, false, true},
};

/* Zero: nothing is to be signed. False: said why. */
static bool read_role(const char *text, const char *other_key,
                      enum transaction_role *out)
{
    const struct role *found = NULL;
    *out = (enum transaction_role)0;
    if (text == NULL) {
        if (other_key != NULL) {
            (void)tool_bad_usage(&tool_cosign,
                                 "--key signs nothing without --role");
        }
        return other_key == NULL;
    }
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        found = strcmp(roles[i].name, text) == 0 ? &roles[i] : found;
    }
    if (found == NULL) {
        (void)tool_bad_usage(&tool_cosign,
                             "%s: GOVERNANCE, COSIGN_INST, REVIEWER, DAC, "
                             "SUBJECT_AGENT or HOLDER",
                             text);
    } else if (other_key == NULL && !found->client) {
        (void)tool_bad_usage(&tool_cosign,
                             "%s is signed with the key of a %s: name it with "
                             "--key FILE",
                             text,
                             found->role == TRANSACTION_HOLDER ? "participant"
                                                               : "patient");
    } else if (other_key != NULL && !found->other) {
        (void)tool_bad_usage(&tool_cosign,
                             "%s is signed with the client key of an "
                             "institution: leave --key out",
                             text);
    } else {
        *out = found->role;
        return true;
    }
    return false;
}

static void add_own(const struct signer *signer, struct pbft_bytes body,
                    enum transaction_role role,
                    struct transaction_signature *out)
{
    uint8_t preimage[TRANSACTION_COSIGN_PREIMAGE_SIZE];
    struct pbft_digest tx_id;
    transaction_id(&tx_id, &signer->identity.cluster, body);
    transaction_cosign_preimage(preimage, &tx_id, role);
    *out =
        (struct transaction_signature){.key_id = signer->key_id, .role = role};
    sign_message(&out->signature, &signer->secret,
                 (struct pbft_bytes){preimage, sizeof preimage});
}

/* Those that are there, but for an older one of ours in that role. */
static size_t keep_others(const Salus__V1__Transaction *from,
                          const struct signer *signer,
                          enum transaction_role role,
                          struct transaction_signature *out)
{
    size_t count = 0;
    for (size_t i = 0; i < from->n_signatures && i < LEDGER_SIGNATURES_MAX;
         i++) {
        const Salus__V1__CoSignature *one = from->signatures[i];
        if (one->key_id.len != LEDGER_ID_SIZE ||
            one->signature.len != PBFT_SIGNATURE_SIZE) {
            continue;
        }
        bool own = memcmp(one->key_id.data, signer->key_id.bytes,
                          LEDGER_ID_SIZE) == 0 &&
                   (enum transaction_role)one->role == role;
        if (!own) {
            memcpy(out[count].key_id.bytes, one->key_id.data, LEDGER_ID_SIZE);
            memcpy(out[count].signature.bytes, one->signature.data,
                   PBFT_SIGNATURE_SIZE);
            out[count++].role = (enum transaction_role)one->role;
        }
    }
    return count;
}

/* Prints an encoded Transaction as JSON. */
static int print_transaction(struct pbft_bytes bytes)
{
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    int code = TOOL_FAILED;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_unpack_strict(&salus__v1__transaction__descriptor, bytes, &arena,
                           &message) == PBFT_OK) {
        tool_json_print(tool_json_of(message));
        code = TOOL_OK;
    }
    wire_arena_deinit(&arena);
    return code;
}

/* What is about to be signed, for whoever has to answer for it: the file has
 * only its bytes. False: it cannot be read. */
static bool show_body(struct pbft_bytes body)
{
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    json_t *json = NULL;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_unpack_strict(&salus__v1__transaction_body__descriptor, body,
                           &arena, &message) == PBFT_OK) {
        json = tool_json_of(message);
    }
    if (json != NULL) {
        (void)fputs("signing:\n", stderr);
        (void)json_dumpf(json, stderr, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
        (void)fputc('\n', stderr);
    }
    bool is_shown = json != NULL;
    json_decref(json);
    wire_arena_deinit(&arena);
    return is_shown;
}

/* Why it is not worth a signature; NULL: it may be. */
static const char *problem_of(struct pbft_bytes transaction)
{
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    struct pbft_bytes body = {NULL, 0};
    const char *problem = "the transaction cannot be read";
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (transaction_body(&body, transaction) == PBFT_OK &&
        wire_unpack_strict(&salus__v1__transaction_body__descriptor, body,
                           &arena, &message) == PBFT_OK) {
        problem = admission_problem(
            (const Salus__V1__TransactionBody *)(const void *)message);
    }
    wire_arena_deinit(&arena);
    return problem;
}

static int sign_and_print(const struct signer *signer, struct pbft_bytes bytes,
                          enum transaction_role role)
{
    struct transaction_signature signatures[LEDGER_SIGNATURES_MAX + 1];
    struct transaction_bytes sealed = {NULL, 0};
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    int code = TOOL_FAILED;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_unpack_strict(&salus__v1__transaction__descriptor, bytes, &arena,
                           &message) == PBFT_OK) {
        const Salus__V1__Transaction *from =
            (const Salus__V1__Transaction *)(const void *)message;
        struct pbft_bytes body = {from->body.data, from->body.len};
        bool is_shown = show_body(body);
        size_t count = keep_others(from, signer, role, signatures);
        add_own(signer, body, role, &signatures[count++]);
        if (is_shown &&
            transaction_seal(&sealed, body, signatures, count) == PBFT_OK) {
            code = print_transaction(
                (struct pbft_bytes){sealed.data, sealed.size});
        }
    }
    free(sealed.data);
    wire_arena_deinit(&arena);
    return code == TOOL_OK
               ? code
               : tool_failed(&tool_cosign, "the transaction cannot be signed");
}

static int cosign(const struct signer *signer, const json_t *json,
                  enum transaction_role role)
{
    struct transaction_bytes encoded = {NULL, 0};
    struct salus_reason reason = {""};
    if (tool_transaction_encode(&encoded, &signer->identity, json, &reason) !=
        PBFT_OK) {
        return tool_failed(&tool_cosign, "%s", reason.text);
    }
    const struct pbft_bytes bytes = {encoded.data, encoded.size};
    const char *problem = problem_of(bytes);
    int code = problem != NULL ? tool_failed(&tool_cosign, "%s", problem)
               : role != 0     ? sign_and_print(signer, bytes, role)
                               : print_transaction(bytes);
    free(encoded.data);
    return code;
}

static int run(int argc, char **argv)
{
    const char *config = NULL;
    const char *role_text = NULL;
    const char *key = NULL;
    enum transaction_role role;
    struct signer signer;
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        {.name = "--config", .value = &config},
        {.name = "--role", .value = &role_text},
        {.name = "--key", .value = &key},
        {.name = NULL}};
    int code = tool_options_parse(&tool_cosign, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count != 1) {
        return tool_bad_usage(&tool_cosign, "one file is needed, or -");
    }
    if (!read_role(role_text, key, &role)) {
        return TOOL_USAGE;
    }
    json_t *json = tool_transaction_load(&tool_cosign, operands.items[0]);
    if (json == NULL || !load_signer(&signer, config, key)) {
        json_decref(json);
        return TOOL_FAILED;
    }
    code = cosign(&signer, json, role);
    json_decref(json);
    return code;
}

const struct tool_command tool_cosign = {
    .name = "cosign",
    .usage = "FILE|- [--role ROLE [--key FILE]] [--config FILE]",
    .summary = "sign what others will submit, as in a decision of all",
    .help =
        "Decisions of governance need the signatures of two thirds of the\n"
        "institutions and one. The one that submits writes the transaction as\n"
        "JSON (see salus help submit) and fixes it:\n"
        "\n"
        "    salus cosign admit.json > admit.tx\n"
        "\n"
        "Each of the others adds its signature, reads on standard error what\n"
        "was signed, and sends it on:\n"
        "\n"
        "    salus cosign admit.tx --role GOVERNANCE > admit-2.tx\n"
        "\n"
        "and the first one submits it: salus submit admit-3.tx. Nothing is\n"
        "sent by this command; the key stays where it is. An admit.json is\n"
        "made by the one that wants to join: salus keygen --genesis.\n"
        "\n"
        "  --role ROLE           GOVERNANCE, COSIGN_INST, DAC or REVIEWER; or\n"
        "                        with --key: SUBJECT_AGENT, HOLDER, REVIEWER.\n"
        "                        Without it nothing is signed\n"
        "  --key FILE            key file of the patient (SUBJECT_AGENT) or "
        "of\n"
        "                        the participant who signs, as salus newkey\n"
        "                        makes it, instead of the client key\n"
        "  --config FILE         client configuration; else $SALUS_CONFIG\n",
    .run = run,
};
