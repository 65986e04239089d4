/* SPDX-License-Identifier: Apache-2.0 */
/* salus cosign with the key of somebody else than the institution. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/tool.h"
#include "client/tool_consortium.h"
#include "crypto/hex.h"
#include "crypto/init.h"
#include "crypto/keyfile.h"
#include "crypto/sign.h"
#include "ledger/transaction.h"
#include "proto/genesis.h"
#include "tests/support/folder.h"

#define PATH_SIZE (SUPPORT_PATH_MAX + 64)
#define REVOKE                                                                 \
    "{\"consent_revoke\": {\"consent\": \"80112233445566778899aabbccddeeff\"," \
    " \"reason\": \"withdrawn-by-subject\", \"revoked_at_ms\": 1}}"

static char folder[SUPPORT_PATH_MAX];

static const char *path_of(const char *name)
{
    static char paths[8][PATH_SIZE];
    static size_t next;
    char *path = paths[next++ % 8];

    (void)snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return path;
}

/* The exit code; what is printed goes to that file of the folder. */
static int run(const struct tool_command *command, const char *out,
               const char *const *rest)
{
    char *argv[16] = {(char *)(uintptr_t)command->name};
    int argc = 1;
    int before = dup(STDOUT_FILENO);

    for (; *rest != NULL; rest++) {
        argv[argc++] = (char *)(uintptr_t)*rest;
    }
    (void)fflush(stdout);
    assert_non_null(freopen(path_of(out), "w", stdout));
    int code = command->run(argc, argv);
    (void)fflush(stdout);
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    (void)close(before);
    return code;
}

static int setup(void **state)
{
    (void)state;
    assert_int_equal(crypto_init(), PBFT_OK);
    support_folder_create(folder);
    const char *const init[] = {path_of("trial"), "--replicas", "4",
                                "--base-port",    "7000",       NULL};
    assert_int_equal(run(&tool_init, "out", init), TOOL_OK);
    const char *const newkey[] = {"-o", path_of("patient.key"), "--config",
                                  path_of("trial/client-0.yaml"), NULL};
    assert_int_equal(run(&tool_newkey, "out", newkey), TOOL_OK);
    FILE *file = fopen(path_of("revoke.json"), "w");
    assert_non_null(file);
    assert_true(fputs(REVOKE, file) >= 0);
    (void)fclose(file);
    const char *const fix[] = {path_of("revoke.json"), "--config",
                               path_of("trial/client-0.yaml"), NULL};
    assert_int_equal(run(&tool_cosign, "revoke.tx", fix), TOOL_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    support_folder_remove(folder);
    return 0;
}

static int sign(const char *role, const char *key, const char *config)
{
    const char *const arguments[] = {
        path_of("revoke.tx"), "--role",        role, "--key", path_of(key),
        "--config",           path_of(config), NULL};

    return run(&tool_cosign, "signed.tx", arguments);
}

static void decode(void *out, size_t size, const json_t *text)
{
    assert_non_null(json_string_value(text));
    assert_int_equal(hex_decode(out, size, json_string_value(text)), PBFT_OK);
}

/* Is it signed in that role, by that key, over those bytes? */
static void expect_signed(const char *role_name, enum transaction_role role)
{
    uint8_t body[4096];
    uint8_t preimage[TRANSACTION_COSIGN_PREIMAGE_SIZE];
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    struct pbft_digest tx_id;
    struct pbft_signature signature;
    struct transaction_key_id key_id;
    struct transaction_key_id said;
    struct keyfile key;

    assert_int_equal(genesis_file_load(&genesis, &cluster,
                                       path_of("trial/genesis.txt"), NULL),
                     PBFT_OK);
    genesis_destroy(genesis);
    assert_int_equal(
        keyfile_read(&key, path_of("patient.key"), KEYFILE_CLIENT, NULL),
        PBFT_OK);
    json_t *json = json_load_file(path_of("signed.tx"), 0, NULL);
    const json_t *one = json_array_get(json_object_get(json, "signatures"), 0);
    assert_string_equal(json_string_value(json_object_get(one, "role")),
                        role_name);
    decode(said.bytes, sizeof said.bytes, json_object_get(one, "key_id"));
    transaction_key_id(&key_id, key.public_key.bytes);
    assert_memory_equal(said.bytes, key_id.bytes, sizeof key_id.bytes);
    decode(signature.bytes, sizeof signature.bytes,
           json_object_get(one, "signature"));
    const json_t *text = json_object_get(json, "body");
    size_t size = strlen(json_string_value(text)) / 2;
    assert_true(size <= sizeof body);
    decode(body, size, text);
    transaction_id(&tx_id, &cluster, (struct pbft_bytes){body, size});
    transaction_cosign_preimage(preimage, &tx_id, role);
    assert_true(sign_verify(&key.public_key,
                            (struct pbft_bytes){preimage, sizeof preimage},
                            &signature));
    json_decref(json);
    keyfile_wipe(&key);
}

static void test_patients_and_participants_sign_with_their_keys(void **state)
{
    (void)state;
    assert_int_equal(
        sign("SUBJECT_AGENT", "patient.key", "trial/client-0.yaml"), TOOL_OK);
    expect_signed("SUBJECT_AGENT", TRANSACTION_SUBJECT_AGENT);
    assert_int_equal(sign("HOLDER", "patient.key", "trial/client-0.yaml"),
                     TOOL_OK);
    expect_signed("HOLDER", TRANSACTION_HOLDER);
    assert_int_equal(sign("REVIEWER", "patient.key", "trial/client-0.yaml"),
                     TOOL_OK);
    expect_signed("REVIEWER", TRANSACTION_REVIEWER);
}

/* The ledger would refuse it. */
static void test_client_key_is_nobody_s(void **state)
{
    (void)state;
    assert_int_equal(sign("SUBJECT_AGENT", "trial/st-anna/client.key",
                          "trial/client-0.yaml"),
                     TOOL_FAILED);
    assert_int_equal(
        sign("SUBJECT_AGENT", "missing.key", "trial/client-0.yaml"),
        TOOL_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patients_and_participants_sign_with_their_keys),
        cmocka_unit_test(test_client_key_is_nobody_s),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
