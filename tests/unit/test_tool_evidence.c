/* SPDX-License-Identifier: Apache-2.0 */
/* salus evidence: asked for, exported, judged offline. */
#include "tests/support/fake_replicas.h"

#include <jansson.h>
#include <unistd.h>

#include "client/tool.h"
#include "client/tool_folder.h"
#include "crypto/hex.h"

static struct fake_replicas fakes;
static char config[160];
static char genesis[160];
static char file[160];
static char id[17];

static int set_up(void **state)
{
    uint8_t bytes[PBFT_EVIDENCE_BYTES_MAX];
    struct pbft_digest digest;
    (void)state;
    fake_replicas_create(&fakes);
    (void)snprintf(config, sizeof config, "%s/client-0.yaml", fakes.consortium);
    (void)snprintf(genesis, sizeof genesis, "%s/genesis.txt", fakes.consortium);
    (void)snprintf(file, sizeof file, "%s/evidence.txt", fakes.consortium);
    const struct pbft_bytes all = {bytes, fake_evidence(&fakes, 2, bytes)};
    fakes.domain.crypto->digest(fakes.domain.crypto->context, &digest, &all, 1);
    hex_encode(id, (struct pbft_bytes){digest.bytes, 8});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_replicas_destroy(&fakes);
    return 0;
}

static int run(const char *a, const char *b, const char *c, const char *d,
               const char *e)
{
    const char *const words[] = {"evidence", a, b, c, d, e};
    char *argv[7] = {NULL};
    int argc = 0;
    for (size_t i = 0; i < 6 && words[i] != NULL; i++) {
        argv[argc++] = (char *)(uintptr_t)words[i];
    }
    return tool_evidence.run(argc, argv);
}

static int verify(void)
{
    return run("verify", file, "--genesis", genesis, NULL);
}

static void write_file(struct pbft_bytes bytes)
{
    struct salus_reason reason = {""};
    (void)unlink(file);
    assert_int_equal(tool_armor_create(file, ARMOR_EVIDENCE, bytes, &reason),
                     PBFT_OK);
}

static void test_what_replicas_hold_is_listed(void **state)
{
    (void)state;
    assert_int_equal(run("list", "--config", config, NULL, NULL), TOOL_OK);
    assert_int_equal(run("list", "--json", "--config", config, NULL), TOOL_OK);
    fake_close(&fakes, 3);
    assert_int_equal(run("list", "--config", config, NULL, NULL), TOOL_FAILED);
    fake_open(&fakes, 3);
}

/* A lying replica cannot accuse an honest one. */
static void test_what_is_made_up_is_not_listed(void **state)
{
    char path[200];
    char option[200];
    uint8_t bytes[PBFT_EVIDENCE_BYTES_MAX];
    struct pbft_digest digest;
    char forged[17];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/list.json", fakes.consortium);
    (void)fflush(stdout);
    const int kept = dup(STDOUT_FILENO);
    FILE *out = fopen(path, "w+");
    assert_non_null(out);
    assert_true(dup2(fileno(out), STDOUT_FILENO) >= 0);
    const int code = run("list", "--json", "--config", config, NULL);
    (void)fflush(stdout);
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    (void)close(kept);
    assert_int_equal(code, TOOL_OK);
    rewind(out);
    json_t *json = json_loadf(out, 0, NULL);
    const json_t *list = json_object_get(json, "evidence");
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(list, 0), "against")),
        genesis_replica(fakes.genesis, 2)->name);
    json_decref(json);
    (void)fclose(out);
    /* Nor is it exported. */
    const size_t size = fake_evidence(&fakes, 0, bytes);
    bytes[size - 1] ^= 1;
    const struct pbft_bytes all = {bytes, size};
    fakes.domain.crypto->digest(fakes.domain.crypto->context, &digest, &all, 1);
    hex_encode(forged, (struct pbft_bytes){digest.bytes, 8});
    (void)snprintf(option, sizeof option, "--config=%s", config);
    assert_int_equal(run("export", forged, "-o", path, option), TOOL_FAILED);
}

static void test_it_is_exported_and_verifies_offline(void **state)
{
    char option[200];
    (void)state;
    (void)unlink(file);
    (void)snprintf(option, sizeof option, "--config=%s", config);
    assert_int_equal(run("export", id, "-o", file, option), TOOL_OK);
    assert_int_equal(verify(), TOOL_OK);
    assert_int_equal(run("export", id, "-o", file, option), TOOL_FAILED);
    assert_int_equal(run("export", "0011223344556677", "-o", file, option),
                     TOOL_FAILED);
}

static void test_what_was_changed_does_not_verify(void **state)
{
    uint8_t bytes[PBFT_EVIDENCE_BYTES_MAX];
    const size_t size = fake_evidence(&fakes, 1, bytes);
    (void)state;
    write_file((struct pbft_bytes){bytes, size});
    assert_int_equal(verify(), TOOL_OK);
    for (size_t at = 0; at < size; at += 37) {
        bytes[at] ^= 4;
        write_file((struct pbft_bytes){bytes, size});
        assert_int_equal(verify(), TOOL_FAILED);
        bytes[at] ^= 4;
    }
    write_file((struct pbft_bytes){bytes, size - 1});
    assert_int_equal(verify(), TOOL_FAILED);
}

static void test_bad_usage_is_said(void **state)
{
    (void)state;
    assert_int_equal(run(NULL, NULL, NULL, NULL, NULL), TOOL_USAGE);
    assert_int_equal(run("export", id, NULL, NULL, NULL), TOOL_USAGE);
    assert_int_equal(run("verify", file, NULL, NULL, NULL), TOOL_USAGE);
    assert_int_equal(run("accuse", NULL, NULL, NULL, NULL), TOOL_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_replicas_hold_is_listed),
        cmocka_unit_test(test_what_is_made_up_is_not_listed),
        cmocka_unit_test(test_it_is_exported_and_verifies_offline),
        cmocka_unit_test(test_what_was_changed_does_not_verify),
        cmocka_unit_test(test_bad_usage_is_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
