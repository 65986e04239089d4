/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of salus fhir import, with the files of a trial and without
 * replicas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/tool.h"
#include "crypto/init.h"
#include "tests/support/folder.h"
#include "vault/purposes.h"

#define PATH_SIZE (SUPPORT_PATH_MAX + 64)

static int run(const struct tool_command *command, const char *const *rest)
{
    char *argv[128] = {(char *)(uintptr_t)command->name};
    int argc = 1;

    for (; *rest != NULL; rest++) {
        argv[argc++] = (char *)(uintptr_t)*rest;
    }
    return command->run(argc, argv);
}

static void test_options_are_judged_before_anything_happens(void **state)
{
    static const char *const wrong[][2] = {
        {"--member", "Organization/1=nobody"},
        {"--member", "Organization/1"},
        {"--member", "Organization/1="},
        {"--member", "=lakeside"},
        {"--emergency-reason", "curiosity"},
        {"--emergency-window", "0"},
        {"--purpose", "http://example.org/purposes|FooBar"},
        {"--purpose", "FooBar=100"},
        {"--purpose", "http://example.org/purposes|FooBar=99"},
        {"--purpose", "http://example.org/purposes|FooBar=65536"},
        {"--purpose", "http://example.org/purposes|Foo Bar=100"},
        {"--purpose",
         "http://terminology.hl7.org/CodeSystem/v3-ActReason|TREAT=100"},
    };
    char folder[SUPPORT_PATH_MAX];
    char trial[PATH_SIZE];
    char config[PATH_SIZE];
    char vault[PATH_SIZE];

    (void)state;
    assert_int_equal(crypto_init(), PBFT_OK);
    support_folder_create(folder);
    (void)snprintf(trial, sizeof trial, "%s/trial", folder);
    (void)snprintf(config, sizeof config, "%s/trial/client-0.yaml", folder);
    (void)snprintf(vault, sizeof vault, "%s/vault", folder);
    const char *const init[] = {trial,         "--replicas", "4",
                                "--base-port", "7000",       NULL};
    assert_int_equal(run(&tool_init, init), TOOL_OK);
    /* Nobody is there who knows a name that the genesis has not. */
    FILE *settings = fopen(config, "a");
    assert_non_null(settings);
    assert_true(fputs("timeout_ms: 200\n", settings) >= 0);
    assert_int_equal(fclose(settings), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *const arguments[] = {"import",    config,    wrong[i][0],
                                         wrong[i][1], "--vault", vault,
                                         "--config",  config,    NULL};
        assert_int_not_equal(run(&tool_fhir, arguments), TOOL_OK);
        FILE *made = fopen(vault, "r");
        assert_null(made);
    }
    support_folder_remove(folder);
}

/* What the command says when it refuses, by way of a file. */
static const char *said(const char *const *arguments)
{
    static char out[65536];
    FILE *file = tmpfile();
    int before = dup(STDERR_FILENO);

    assert_non_null(file);
    (void)fflush(stderr);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    int code = run(&tool_fhir, arguments);
    (void)fflush(stderr);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    (void)close(before);
    rewind(file);
    out[fread(out, 1, sizeof out - 1, file)] = 0;
    (void)fclose(file);
    assert_int_not_equal(code, TOOL_OK);
    return out;
}

/* Once, and what is wrong. */
static void test_wrong_purposes_are_told(void **state)
{
    static char texts[VAULT_PURPOSES_MAX + 1][32];
    const char *arguments[VAULT_PURPOSES_MAX + 5] = {"dry-run", "/dev/null",
                                                     "--purpose"};

    (void)state;
    arguments[3] = "urn:x|A=99";
    const char *text = said(arguments);
    assert_non_null(strstr(text, "from 100 to"));
    const char *usage = strstr(text, "usage: ");
    assert_non_null(usage);
    assert_null(strstr(usage + 1, "usage: "));
    for (size_t i = 0; i <= VAULT_PURPOSES_MAX; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "urn:x|A%zu=%zu", i, 100 + i);
        arguments[3 + i] = texts[i];
    }
    assert_non_null(strstr(said(arguments), "at most 64"));
}

/* A name that was mistyped is not a resource that was refused. */
static void test_missing_file_is_an_error(void **state)
{
    static const char *const what[] = {"dry-run", "validate", "import"};

    (void)state;
    for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
        const char *const arguments[] = {what[i], "nope.json", NULL};
        assert_int_equal(run(&tool_fhir, arguments), TOOL_FAILED);
    }
    /* What is to be done is judged first. */
    const char *const nothing[] = {"improt", "nope.json", NULL};
    assert_int_equal(run(&tool_fhir, nothing), TOOL_USAGE);
}

/* What the command prints, by way of a file. */
static const char *printed_by(const struct tool_command *command,
                              const char *const *arguments, const char *path)
{
    static char out[65536];
    int before = dup(STDOUT_FILENO);

    (void)fflush(stdout);
    assert_non_null(freopen(path, "w+", stdout));
    assert_int_equal(run(command, arguments), TOOL_OK);
    (void)fflush(stdout);
    rewind(stdout);
    out[fread(out, 1, sizeof out - 1, stdout)] = 0;
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    (void)close(before);
    return out;
}

static const char *printed(const char *const *arguments, const char *path)
{
    return printed_by(&tool_fhir, arguments, path);
}

/* A published purpose is named on the command line, or by a vault. */
static void test_dry_run_knows_published_purposes(void **state)
{
    static const char consent[] =
        "{\"resourceType\":\"Consent\",\"id\":\"c\",\"status\":\"active\","
        "\"provision\":{\"type\":\"deny\",\"purpose\":[{\"system\":"
        "\"http://example.org/purposes\",\"code\":\"FooBar\"}]}}";
    static const struct vault_purpose foo_bar = {
        .id = 100, .system = "http://example.org/purposes", .code = "FooBar"};
    struct vault_purposes told = {.count = 0};
    struct vault *vault = NULL;
    char folder[SUPPORT_PATH_MAX];
    char path[PATH_SIZE];
    char out[PATH_SIZE];
    char kept[PATH_SIZE];

    (void)state;
    assert_int_equal(crypto_init(), PBFT_OK);
    support_folder_create(folder);
    (void)snprintf(path, sizeof path, "%s/consent.json", folder);
    (void)snprintf(out, sizeof out, "%s/out", folder);
    (void)snprintf(kept, sizeof kept, "%s/vault", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(consent, file) >= 0);
    (void)fclose(file);
    assert_int_equal(vault_purposes_add(&told, &foo_bar), PBFT_OK);
    assert_int_equal(vault_create(kept, NULL), PBFT_OK);
    assert_int_equal(vault_open(&vault, kept, NULL), PBFT_OK);
    assert_int_equal(vault_purposes_keep(vault, &told), PBFT_OK);
    vault_close(vault);

    static const char unknown[] = "deny for a purpose outside";
    const char *const without[] = {"dry-run", path, NULL};
    assert_non_null(strstr(printed(without, out), unknown));
    const char *const named[] = {"dry-run", path, "--purpose",
                                 "http://example.org/purposes|FooBar=100",
                                 NULL};
    assert_null(strstr(printed(named, out), unknown));
    const char *const by_vault[] = {"dry-run", path, "--vault", kept, NULL};
    assert_null(strstr(printed(by_vault, out), unknown));

    /* The vault tells what it keeps, and gives it up. */
    static const char name[] = "http://example.org/purposes|FooBar";
    const char *const list[] = {"purposes", "--vault", kept, NULL};
    assert_string_equal(printed_by(&tool_vault, list, out),
                        "http://example.org/purposes|FooBar=100\n");
    const char *const json[] = {"purposes", "--vault", kept, "--json", NULL};
    assert_non_null(strstr(printed_by(&tool_vault, json, out), "FooBar\":"));
    const char *const unname[] = {"unname", name, "--vault", kept, NULL};
    assert_int_equal(run(&tool_vault, unname), TOOL_OK);
    assert_int_equal(run(&tool_vault, unname), TOOL_FAILED);
    assert_string_equal(printed_by(&tool_vault, list, out), "");
    assert_non_null(strstr(printed(by_vault, out), unknown));
    support_folder_remove(folder);
}

/* What disclosures stand on is known before anything is read or sent. */
static void test_grounds_are_judged_before_anything_happens(void **state)
{
    static const char event[] =
        "{\"resourceType\":\"AuditEvent\",\"id\":\"a\",\"type\":{\"system\":"
        "\"http://dicom.nema.org/resources/ontology/DCM\",\"code\":"
        "\"110106\"},\"subtype\":[{\"code\":\"Disclosure\"}],\"recorded\":"
        "\"2025-03-01T10:00:00Z\",\"outcome\":\"0\",\"purposeOfEvent\":[{"
        "\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
        "v3-ActReason\",\"code\":\"HLEGAL\"}]}],\"agent\":[{\"type\":{"
        "\"coding\":[{\"system\":\"http://dicom.nema.org/resources/ontology/"
        "DCM\",\"code\":\"110152\"}]},\"who\":{\"display\":\"x\"}}],"
        "\"entity\":[{\"what\":{\"reference\":\"Patient/p\"},\"role\":{"
        "\"code\":\"1\"}},{\"what\":{\"reference\":\"Observation/o\"}}]}";
    char folder[SUPPORT_PATH_MAX];
    char path[PATH_SIZE];
    char order[PATH_SIZE];
    char empty[PATH_SIZE];
    char out[PATH_SIZE];

    (void)state;
    assert_int_equal(crypto_init(), PBFT_OK);
    support_folder_create(folder);
    (void)snprintf(path, sizeof path, "%s/event.json", folder);
    (void)snprintf(order, sizeof order, "%s/order.pdf", folder);
    (void)snprintf(empty, sizeof empty, "%s/empty.pdf", folder);
    (void)snprintf(out, sizeof out, "%s/out", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(event, file) >= 0);
    (void)fclose(file);
    file = fopen(order, "w");
    assert_non_null(file);
    assert_true(fputs("order", file) >= 0);
    (void)fclose(file);
    file = fopen(empty, "w");
    assert_non_null(file);
    (void)fclose(file);

    const char *const odd[] = {"dry-run", path, "--basis", "consent", NULL};
    assert_int_equal(run(&tool_fhir, odd), TOOL_USAGE);
    const char *const both[] = {"dry-run",       path, "--basis", "court-order",
                                "--self-report", NULL};
    assert_int_equal(run(&tool_fhir, both), TOOL_USAGE);
    const char *const nobody[] = {"dry-run", path, "--recipient", "", NULL};
    assert_int_equal(run(&tool_fhir, nobody), TOOL_USAGE);
    const char *const blank[] = {"dry-run", path, "--basis-document", empty,
                                 NULL};
    assert_int_equal(run(&tool_fhir, blank), TOOL_FAILED);
    const char *const gone[] = {"dry-run", path, "--basis-document",
                                "/nonexistent/order", NULL};
    assert_int_equal(run(&tool_fhir, gone), TOOL_FAILED);

    const char *const bare[] = {"dry-run", path, NULL};
    const char *text = printed(bare, out);
    assert_non_null(strstr(text, "--recipient"));
    assert_non_null(strstr(text, "--basis-document"));
    const char *const told[] = {"dry-run", path,          "--explain",
                                "--basis", "court-order", "--basis-document",
                                order,     "--recipient", "Organization/x",
                                NULL};
    text = printed(told, out);
    assert_non_null(strstr(text, "ENFORCEABLE"));
    assert_non_null(strstr(text, "document_commit"));
    support_folder_remove(folder);
}

/* As an import goes: what a resource refers to is explained before it, or its
 * transaction would show ids that nobody gets. */
static void test_explained_in_the_order_of_an_import(void **state)
{
    static const char bundle[] =
        "{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{"
        "\"resource\":{\"resourceType\":\"DocumentReference\",\"id\":\"d\","
        "\"status\":\"current\",\"subject\":{\"reference\":\"Patient/p\"},"
        "\"content\":[{\"attachment\":{\"data\":\"eA==\"}}]}},{"
        "\"resource\":{\"resourceType\":\"Patient\",\"id\":\"p\"}}]}";
    char folder[SUPPORT_PATH_MAX];
    char path[PATH_SIZE];
    char output[PATH_SIZE];
    const char *const plain[] = {"dry-run", path, NULL};
    const char *const explained[] = {"dry-run", path, "--explain", NULL};

    (void)state;
    assert_int_equal(crypto_init(), PBFT_OK);
    support_folder_create(folder);
    (void)snprintf(path, sizeof path, "%s/bundle.json", folder);
    (void)snprintf(output, sizeof output, "%s/output", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(bundle, file) >= 0);
    assert_int_equal(fclose(file), 0);
    const char *text = printed(plain, output);
    assert_true(strstr(text, "entry[0]") < strstr(text, "entry[1]"));
    text = printed(explained, output);
    const char *patient = strstr(text, "entry[1]");
    assert_non_null(patient);
    assert_true(patient < strstr(text, "entry[0]"));
    assert_true(strstr(patient, "subject_register") <
                strstr(text, "record_anchor"));
    support_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_purposes_are_told),
        cmocka_unit_test(test_missing_file_is_an_error),
        cmocka_unit_test(test_explained_in_the_order_of_an_import),
        cmocka_unit_test(test_options_are_judged_before_anything_happens),
        cmocka_unit_test(test_grounds_are_judged_before_anything_happens),
        cmocka_unit_test(test_dry_run_knows_published_purposes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
