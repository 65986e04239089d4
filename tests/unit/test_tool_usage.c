/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines that ask for what a question cannot tell are refused, with a
 * line that says so: none is answered as if half of it were not there. And no
 * word of a file that is the wrong one is repeated. */
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
#include "client/tool_transaction.h"
#include "crypto/hex.h"

#define TEXT_SIZE 8192
#define WORDS_MAX 10
#define ID "00112233445566778899aabbccddeeff"
#define HANDLE ID ID

/* ---- what is said on standard error -------------------------------------- */

static FILE *file;
static int kept;

static void begin(void)
{
    file = tmpfile();
    assert_non_null(file);
    (void)fflush(stderr);
    kept = dup(STDERR_FILENO);
    assert_true(kept >= 0 && dup2(fileno(file), STDERR_FILENO) >= 0);
}

static void end(char text[TEXT_SIZE])
{
    (void)fflush(stderr);
    assert_true(dup2(kept, STDERR_FILENO) >= 0);
    (void)close(kept);
    rewind(file);
    text[fread(text, 1, TEXT_SIZE - 1, file)] = 0;
    (void)fclose(file);
}

/* ---- questions ----------------------------------------------------------- */

static const struct {
    const struct tool_command *command;
    const char *words[WORDS_MAX];
    const char *says;
} wrong[] = {
    {&tool_query, {"record", ID, "--at", "2026-01-01"}, "does not take --at"},
    {&tool_query,
     {"record", ID, "--at-block", "3"},
     "does not take --at-block"},
    {&tool_query, {"record", ID, "--commit", HANDLE}, "not both"},
    {&tool_query, {"record", "--subject", HANDLE}, "does not take --subject"},
    {&tool_query, {"record"}, "needs an id or --commit"},
    {&tool_query, {"codes", ID}, "codes does not take an id"},
    {&tool_query, {"consents"}, "needs --subject"},
    {&tool_query, {"consents", ID}, "consents does not take an id"},
    {&tool_query,
     {"consents", "--subject", HANDLE, "--at", "2026-01-01", "--at-block", "3"},
     "not both"},
    {&tool_explain, {ID, ID}, "a decision or an emergency"},
    {&tool_query, {"consent-history", ID, "--subject", HANDLE}, "not both"},
    {&tool_query, {"consent-history", ID, "--at", "2026-01-01"}, "--at"},
    {&tool_query, {"consent-history"}, "needs an id or --subject"},
    {&tool_query, {"consent-status", ID, "--subject", HANDLE}, "--subject"},
    {&tool_query, {"consent-status", ID, "--commit", HANDLE}, "--commit"},
    {&tool_query,
     {"consent-status", ID, "--at", "2026-01-01", "--at-block", "3"},
     "not both"},
    {&tool_query, {"consent-status", ID, "--at", "1970-01-01"}, "1970"},
    {&tool_query, {"consent-status"}, "query: an id of 32 hexadecimal digits"},
    {&tool_query, {"tx", HANDLE, "--at", "2026-01-01"}, "does not take --at"},
    {&tool_query,
     {"--certified", "accounting", HANDLE},
     "salus query accounting"},
    {&tool_query, {"institutions", "St. Anna"}, "32 hexadecimal digits"},
    {&tool_query, {"institutions", "--at", "2026-01-01"}, "does not take --at"},
    {&tool_query, {"institutions", "-o", "proof"}, "--certified"},
    {&tool_query, {"indeterminate", HANDLE}, "32 hexadecimal digits"},
    {&tool_query,
     {"indeterminate", "--subject", HANDLE},
     "does not take --subject"},
    {&tool_query, {"nonsense"}, "consent-status"},
    {&tool_query, {"tx", HANDLE, HANDLE}, "one id"},
    {&tool_accounting,
     {HANDLE, "--from", "2027-01-01", "--to", "2026-01-01"},
     "not before"},
    {&tool_accounting, {HANDLE, "--to", "0"}, "1970"},
    {&tool_accounting, {HANDLE, "-o", "proof"}, "--certified"},
    {&tool_accounting, {"Patient/17"}, "salus vault handle"},
    {&tool_may, {"who", "Patient?identifier=a|b"}, "salus vault handle"},
    {&tool_vault, {"handle"}, "wrong number of names"},
    {&tool_bg, {ID}, "--institution NAME"},
    {&tool_bg, {"--at", "0"}, "1970"},
    {&tool_bg, {"--institution", "Lakeside"}, "name of an institution"},
    {&tool_due, {ID, ID}, "one institution"},
    {&tool_due, {"lake side"}, "32 hexadecimal digits"},
    {&tool_may, {"what", HANDLE}, "32 hexadecimal digits"},
    {&tool_due, {"--before", "1970-01-01"}, "1970"},
    {&tool_suspects, {"x"}, "32 hexadecimal digits"},
    {&tool_may, {"what", "--class", "genomic"}, "what does not take --class"},
    {&tool_may, {"what", "--action", "sell"}, "collect, access, use"},
    {&tool_may, {"who", HANDLE, "--action", "sell"}, "collect, access, use"},
    {&tool_may, {"who", HANDLE, "--participant", ID}, "--participant"},
    {&tool_may, {"who", HANDLE, "--at", "0"}, "1970"},
    {&tool_cosign,
     {"x", "--role", "SUBJECT_AGENT"},
     "key of a patient: name it with --key FILE"},
    {&tool_cosign,
     {"x", "--role", "HOLDER"},
     "key of a participant: name it with --key FILE"},
    {&tool_cosign, {"x", "--role", "GUARDIAN"}, "SUBJECT_AGENT or HOLDER"},
    {&tool_cosign,
     {"x", "--role", "GOVERNANCE", "--key", "k"},
     "client key of an institution"},
    {&tool_cosign,
     {"x", "--role", "DAC", "--key", "k"},
     "client key of an institution"},
    {&tool_cosign, {"x", "--key", "k"}, "--role"},
};

static void test_half_understood_is_refused(void **state)
{
    char text[TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char *argv[WORDS_MAX + 1] = {(char *)(uintptr_t)wrong[i].command->name};
        int argc = 1;
        for (size_t k = 0; wrong[i].words[k] != NULL; k++) {
            argv[argc++] = (char *)(uintptr_t)wrong[i].words[k];
        }
        begin();
        int code = wrong[i].command->run(argc, argv);
        end(text);
        if (code != TOOL_USAGE || strstr(text, wrong[i].says) == NULL) {
            fail_msg("%s %s: exit %d, not \"%s\":\n%s", argv[0], argv[1], code,
                     wrong[i].says, text);
        }
        const char *usage = strstr(text, "\nusage: ");
        assert_non_null(usage);
        assert_null(strstr(usage + 1, "\nusage: ")); /* Told once. */
    }
}

/* ---- transactions -------------------------------------------------------- */

static const struct {
    const char *text;
    const char *says;
} bad[] = {
    {"", "is empty"},
    {"{\"consent_grant\": Mustermann}", "line 1, column 28"},
    {"{\"name\": \"Mustermann\", \"name\": 1}", "duplicate object key"},
    {"[1, 2, \"Mustermann\"", "line 1"},
};

static void test_a_wrong_file_is_not_quoted(void **state)
{
    char path[] = "/tmp/salus-usage-XXXXXX";
    char text[TEXT_SIZE];
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t size = strlen(bad[i].text);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, bad[i].text, size, 0), (ssize_t)size);
        begin();
        json_t *json = tool_transaction_load(&tool_submit, path);
        end(text);
        assert_null(json);
        assert_null(strstr(text, "Mustermann"));
        assert_non_null(strstr(text, path));
        if (strstr(text, bad[i].says) == NULL) {
            fail_msg("not \"%s\": %s", bad[i].says, text);
        }
    }
    (void)close(fd);
    (void)unlink(path);
}

/* A whole transaction that is none is seen before it is sent. */
static void test_a_body_is_one(void **state)
{
    static const char *const texts[] = {"{\"body\": \"00\"}",
                                        "{\"body\": \"\"}"};
    const struct tool_identity identity = {.institution = {{1}}};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct transaction_bytes out = {NULL, 0};
        struct salus_reason reason = {""};
        json_t *json = json_loads(texts[i], 0, NULL);
        assert_int_not_equal(
            tool_transaction_encode(&out, &identity, json, &reason), PBFT_OK);
        assert_non_null(strstr(reason.text, "\"body\""));
        assert_null(out.data);
        json_decref(json);
    }
}

/* It would go into a block here, and be refused there. */
static void test_a_body_is_of_this_consortium(void **state)
{
    const struct tool_identity theirs = {.cluster = {{2}}};
    const struct tool_identity ours = {.cluster = {{1}}};
    struct transaction_bytes out = {NULL, 0};
    struct transaction_bytes again = {NULL, 0};
    struct salus_reason reason = {""};
    struct pbft_bytes body;
    char digits[1024];
    (void)state;
    json_t *json = json_loads("{\"consent_revoke\": {}}", 0, NULL);
    assert_int_equal(tool_transaction_encode(&out, &theirs, json, &reason),
                     PBFT_OK);
    json_decref(json);
    assert_int_equal(
        transaction_body(&body, (struct pbft_bytes){out.data, out.size}),
        PBFT_OK);
    assert_true(2 * body.size < sizeof digits);
    hex_encode(digits, body);
    json = json_pack("{s:s}", "body", digits);
    assert_int_equal(tool_transaction_encode(&again, &ours, json, &reason),
                     PBFT_WRONG_IDENTITY);
    assert_non_null(strstr(reason.text, "another consortium"));
    assert_null(again.data);
    assert_int_equal(tool_transaction_encode(&again, &theirs, json, &reason),
                     PBFT_OK);
    json_decref(json);
    free(again.data);
    free(out.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_understood_is_refused),
        cmocka_unit_test(test_a_wrong_file_is_not_quoted),
        cmocka_unit_test(test_a_body_is_one),
        cmocka_unit_test(test_a_body_is_of_this_consortium),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
