/* SPDX-License-Identifier: Apache-2.0 */
/* What the tool makes and reads: a trial consortium as a whole, members and
 * genesis, the client configuration, command lines, transactions as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/replicas.h"
#include "client/tool_ask.h"
#include "client/tool_config.h"
#include "client/tool_consortium.h"
#include "client/tool_directory.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "crypto/file.h"
#include "crypto/init.h"
#include "crypto/keyfile.h"
#include "crypto/x509.h"
#include "proto/codec_limits.h"
#include "proto/genesis.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"
#include "tests/support/body_json.h"

static char folder[64];
static struct salus_reason reason;

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/salus-tool-XXXXXX");
    reason.text[0] = '\0';
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    (void)state;
    replicas_remove_folder(folder);
    return 0;
}

static const char *in_folder(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    (void)unlink(in_folder(name));
    assert_int_equal(
        file_create(in_folder(name), FILE_PUBLIC,
                    (struct pbft_bytes){(const uint8_t *)text, strlen(text)},
                    &reason),
        PBFT_OK);
}

/* ---- consortium ---------------------------------------------------------- */

static void check_institution(const struct salus_member *member,
                              const char *config_name)
{
    struct tool_config config;
    struct keyfile key;
    struct x509_certificate ca = {.size = member->tls_ca_size};
    struct x509_certificate certificate;
    struct x509_key tls_key;
    char name[X509_NAME_MAX];

    assert_int_equal(tool_config_load(&config, in_folder(config_name), &reason),
                     PBFT_OK);
    assert_string_equal(config.replica, member->name);
    assert_int_equal(keyfile_read(&key, config.key, KEYFILE_CLIENT, &reason),
                     PBFT_OK);
    assert_memory_equal(&key.public_key, &member->submit_keys[0],
                        sizeof key.public_key);
    assert_memory_equal(&key.institution, &member->institution,
                        sizeof key.institution);
    keyfile_wipe(&key);
    assert_int_equal(
        keyfile_read(&key, config.encryption_key, KEYFILE_ENCRYPTION, &reason),
        PBFT_OK);
    assert_memory_equal(&key.public_key, member->encryption_key,
                        sizeof key.public_key);
    keyfile_wipe(&key);
    memcpy(ca.der, member->tls_ca, member->tls_ca_size);
    assert_int_equal(x509_name(name, X509_CLIENT, member->name), PBFT_OK);
    assert_int_equal(
        x509_certificate_load(&certificate, config.certificate, &reason),
        PBFT_OK);
    assert_int_equal(x509_key_load(&tls_key, config.tls_key, &reason), PBFT_OK);
    const struct x509_expectation expectation = {
        .ca = &ca, .key = &tls_key, .dns_name = name, .now_s = time(NULL)};
    assert_int_equal(x509_check(&certificate, &expectation, &reason), PBFT_OK);
    x509_key_wipe(&tls_key);
}

/* Knows of one more institution, which calls itself as the founder does. */
static void learn_namesake(struct tool_directory *directory,
                           const struct salus_member *founder)
{
    uint8_t id[LEDGER_ID_SIZE] = {0x77};
    char name[MEMBER_NAME_MAX + 1];
    Salus__V1__InstitutionList list = SALUS__V1__INSTITUTION_LIST__INIT;
    Salus__V1__InstitutionList__Row row =
        SALUS__V1__INSTITUTION_LIST__ROW__INIT;
    Salus__V1__InstitutionList__Row *rows[] = {&row};
    (void)snprintf(name, sizeof name, "%s", founder->name);
    row.institution = (ProtobufCBinaryData){sizeof id, id};
    row.name = name;
    list.rows = rows;
    list.n_rows = 1;
    tool_directory_learn(directory, &list, TOOL_TOLD_CERTIFIED);
}

/* Whoever is asked about may be called by his name, as answers call him. That
 * of a founder is his alone, and nobody needs to be asked whose it is. */
static void check_names(const struct salus_genesis *genesis)
{
    uint8_t id[LEDGER_ID_SIZE];
    ProtobufCBinaryData field = {0, NULL};
    struct tool_directory directory;
    struct tool_ask ask = {.command = &tool_due, .json = true};
    const struct salus_member *member = genesis_replica(genesis, 2);
    tool_directory_begin(&directory, genesis);
    learn_namesake(&directory, member);
    assert_true(tool_institution_field(&ask, NULL, id, &field));
    assert_int_equal(tool_institution_settle(&ask, &directory, NULL), TOOL_OK);
    assert_int_equal(field.len, 0);
    assert_true(tool_institution_field(&ask, "00112233445566778899aabbccddeeff",
                                       id, &field));
    assert_int_equal(tool_institution_settle(&ask, &directory, NULL), TOOL_OK);
    assert_int_equal(field.len, LEDGER_ID_SIZE);
    assert_int_equal(id[15], 0xff);
    assert_false(tool_institution_field(&ask, "No Body", id, &field));
    assert_true(tool_institution_field(&ask, member->name, id, &field));
    assert_int_equal(tool_institution_settle(&ask, &directory, NULL), TOOL_OK);
    assert_memory_equal(field.data, member->institution.bytes, LEDGER_ID_SIZE);
    tool_directory_end(&directory);
}

static void test_consortium_is_whole(void **state)
{
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    const struct consortium_options options = {
        .folder = folder, .replicas = 4, .base_port = 7000};
    (void)state;
    assert_int_equal(consortium_create(&options, &reason), PBFT_OK);
    assert_int_equal(genesis_file_load(&genesis, &cluster,
                                       in_folder("genesis.txt"), &reason),
                     PBFT_OK);
    assert_int_equal(genesis_replica_count(genesis), 4);
    assert_int_equal(genesis->policy_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        char name[32];
        char address[32];
        const struct salus_member *member = genesis_replica(genesis, i);
        (void)snprintf(name, sizeof name, "client-%u.yaml", (unsigned)i);
        (void)snprintf(address, sizeof address, "127.0.0.1:%u",
                       (unsigned)(7000 + 2 * i));
        assert_string_equal(member->peer_address, address);
        check_institution(member, name);
    }
    check_names(genesis);
    genesis_destroy(genesis);
}

static void test_consortium_refuses_a_full_folder(void **state)
{
    const struct consortium_options options = {
        .folder = folder, .replicas = 1, .base_port = 7000};
    (void)state;
    write_file("something", "of value");
    assert_int_equal(consortium_create(&options, &reason), PBFT_EXISTS);
    assert_int_not_equal(access(in_folder("genesis.txt"), F_OK), 0);
}

static void test_consortium_refuses_bad_sizes(void **state)
{
    static const uint32_t bad[] = {0, 2, 3, CONSORTIUM_REPLICAS_MAX + 1};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct consortium_options options = {
            .folder = folder, .replicas = bad[i], .base_port = 7000};
        assert_int_equal(consortium_create(&options, &reason),
                         PBFT_INVALID_ARGUMENT);
    }
    const struct consortium_options ports = {
        .folder = folder, .replicas = 4, .base_port = 65529};
    assert_int_equal(consortium_create(&ports, &reason), PBFT_INVALID_ARGUMENT);
}

static struct institution_options one_institution(const char *path)
{
    return (struct institution_options){.folder = path,
                                        .name = "st-x",
                                        .legal_name = "X",
                                        .country = "AT",
                                        .peer_address = "x.example:7000",
                                        .client_address = "x.example:7001"};
}

/* What was mistyped leaves nothing behind. */
static void test_institution_refuses_before_it_makes(void **state)
{
    struct salus_member member;
    char path[128];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/k", folder);
    struct institution_options options = one_institution(path);
    options.peer_address = "no port";
    assert_int_equal(institution_create(&member, &options, &reason),
                     PBFT_INVALID_ARGUMENT);
    options = one_institution(path);
    options.name = "St_X";
    assert_int_equal(institution_create(&member, &options, &reason),
                     PBFT_INVALID_ARGUMENT);
    options = one_institution(path);
    options.country = "at";
    assert_int_equal(institution_create(&member, &options, &reason),
                     PBFT_INVALID_ARGUMENT);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* Certificates of an existing CA: issued here, or brought along and checked. */
static void test_institution_with_existing_ca(void **state)
{
    const struct x509_validity validity = {time(NULL) - 60, time(NULL) + 86400};
    struct x509_certificate ca;
    struct x509_key ca_key;
    struct salus_member member;
    char path[128];
    char ca_path[128];
    char ca_key_path[128];
    (void)state;
    assert_int_equal(
        x509_ca_create(&ca, &ca_key, "regional-ca", &validity, &reason),
        PBFT_OK);
    (void)snprintf(ca_path, sizeof ca_path, "%s/ca.pem", folder);
    (void)snprintf(ca_key_path, sizeof ca_key_path, "%s/ca.key", folder);
    assert_int_equal(x509_certificate_store(ca_path, &ca, &reason), PBFT_OK);
    assert_int_equal(x509_key_store(ca_key_path, &ca_key, &reason), PBFT_OK);
    (void)snprintf(path, sizeof path, "%s/k", folder);
    struct institution_options options = one_institution(path);
    options.import.ca = ca_path;
    options.import.ca_key = ca_key_path;
    assert_int_equal(institution_create(&member, &options, &reason), PBFT_OK);
    assert_memory_equal(member.tls_ca, ca.der, ca.size);
    assert_int_not_equal(access(in_folder("k/ca.key"), F_OK), 0);

    /* The client's certificate in place of the replica's is noticed. */
    char certificate[160];
    char key[160];
    char again[128];
    (void)snprintf(certificate, sizeof certificate, "%s/client-tls.pem", path);
    (void)snprintf(key, sizeof key, "%s/client-tls.key", path);
    (void)snprintf(again, sizeof again, "%s/again", folder);
    options = one_institution(again);
    options.import.ca = ca_path;
    options.import.replica_certificate = certificate;
    options.import.replica_tls_key = key;
    options.import.client_certificate = certificate;
    options.import.client_tls_key = key;
    assert_int_equal(institution_create(&member, &options, &reason),
                     PBFT_WRONG_IDENTITY);
    assert_non_null(strstr(reason.text, "replica.st-x"));
}

static void test_member_file_tampered(void **state)
{
    struct salus_member member;
    char path[128];
    uint8_t text[16384];
    size_t size = 0;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/k", folder);
    const struct institution_options options = one_institution(path);
    assert_int_equal(institution_create(&member, &options, &reason), PBFT_OK);
    assert_int_equal(member_load(&member, in_folder("k/member.txt"), &reason),
                     PBFT_OK);
    assert_int_equal(file_read(text, sizeof text, &size,
                               in_folder("k/member.txt"), FILE_PUBLIC, &reason),
                     PBFT_OK);
    for (size_t i = 40; i + 40 < size; i += 7) {
        uint8_t kept = text[i];
        text[i] = kept == 'A' ? 'B' : 'A';
        if (kept != '\n') {
            (void)unlink(in_folder("m.txt"));
            assert_int_equal(file_create(in_folder("m.txt"), FILE_PUBLIC,
                                         (struct pbft_bytes){text, size},
                                         &reason),
                             PBFT_OK);
            assert_int_not_equal(
                member_load(&member, in_folder("m.txt"), &reason), PBFT_OK);
        }
        text[i] = kept;
    }
}

/* ---- configuration ------------------------------------------------------- */

static enum pbft_status load_config(const char *text)
{
    struct tool_config config;
    write_file("c.yaml", text);
    return tool_config_load(&config, in_folder("c.yaml"), &reason);
}

static void test_config_paths(void **state)
{
    struct tool_config config;
    (void)state;
    write_file("c.yaml", "genesis: g.txt\nkey: /abs/key\ncertificate: c.pem\n"
                         "tls_key: t.key\ntimeout_ms: 5000\n");
    assert_int_equal(tool_config_load(&config, in_folder("c.yaml"), &reason),
                     PBFT_OK);
    assert_string_equal(config.genesis, in_folder("g.txt"));
    assert_string_equal(config.key, "/abs/key");
    assert_string_equal(config.vault, "");
    assert_int_equal(config.timeout_ms, 5000);
}

static void test_config_refusals(void **state)
{
    static const char good[] = "genesis: g\nkey: k\ncertificate: c\n";
    char text[256];
    (void)state;
    assert_int_equal(load_config(good), PBFT_INVALID_CONFIG);
    assert_non_null(strstr(reason.text, "tls_key")); /* Missing. */
    (void)snprintf(text, sizeof text, "%stls_key: t\ncolour: blue\n", good);
    assert_int_equal(load_config(text), PBFT_INVALID_CONFIG);
    assert_non_null(strstr(reason.text, "colour"));
    assert_non_null(strstr(reason.text, ":5:1: "));
    (void)snprintf(text, sizeof text, "%stls_key: t\ntimeout_ms: soon\n", good);
    assert_int_equal(load_config(text), PBFT_INVALID_CONFIG);
    assert_non_null(strstr(reason.text, ":5:13: "));
    (void)snprintf(text, sizeof text, "%stls_key: t\nkey: again\n", good);
    assert_int_equal(load_config(text), PBFT_INVALID_CONFIG);
    assert_non_null(strstr(reason.text, ":5:1: key key stands there twice"));
    assert_int_equal(load_config("genesis: [1\n"), PBFT_INVALID_CONFIG);
    assert_int_equal(load_config(""), PBFT_INVALID_CONFIG);
    struct tool_config config;
    assert_int_equal(tool_config_load(&config, in_folder("none"), &reason),
                     PBFT_NOT_FOUND);
}

/* ---- command lines ------------------------------------------------------- */

static struct arguments {
    const char *value;
    bool flag;
    struct tool_list list;
    struct tool_list operands;
} parsed;

static int no_run(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return TOOL_OK;
}

static int parse(int argc, const char *const *argv)
{
    static const struct tool_command command = {
        .name = "test", .usage = "", .summary = "", .help = "", .run = no_run};
    const struct tool_option options[] = {
        {.name = "--value", .value = &parsed.value},
        {.name = "-v", .flag = &parsed.flag},
        {.name = "--list", .list = &parsed.list},
        {.name = NULL}};
    memset(&parsed, 0, sizeof parsed);
    return tool_options_parse(&command, options, &parsed.operands, argc,
                              (char **)(uintptr_t)argv);
}

static void test_options_all_forms(void **state)
{
    static const char *const argv[] = {"test", "a",  "--value=1", "--list",
                                       "x",    "y",  "-v",        "--list",
                                       "z",    "--", "-v",        "-"};
    (void)state;
    assert_int_equal(parse(12, argv), -1);
    assert_string_equal(parsed.value, "1");
    assert_true(parsed.flag);
    assert_int_equal(parsed.list.count, 3);
    assert_string_equal(parsed.list.items[2], "z");
    assert_int_equal(parsed.operands.count, 3);
    assert_string_equal(parsed.operands.items[1], "-v");
}

static void test_options_refusals(void **state)
{
    static const char *const unknown[] = {"test", "--what"};
    static const char *const missing[] = {"test", "--value"};
    static const char *const twice[] = {"test", "--value", "1", "--value", "2"};
    static const char *const flag[] = {"test", "-v=1"};
    (void)state;
    assert_int_equal(parse(2, unknown), TOOL_USAGE);
    assert_int_equal(parse(2, missing), TOOL_USAGE);
    assert_int_equal(parse(5, twice), TOOL_USAGE);
    assert_int_equal(parse(2, flag), TOOL_USAGE);
}

static void test_time_text(void **state)
{
    char text[TOOL_TIME_TEXT_SIZE];
    (void)state;
    tool_time_text(text, 1785000000123456);
    assert_string_equal(text, "2026-07-25T17:20:00.123456Z");
    tool_time_text(text, 0);
    assert_string_equal(text, "1970-01-01T00:00:00.000000Z");
}

/* ---- JSON ---------------------------------------------------------------- */

static const char grant[] =
    "{\"consent_grant\": {\"consent\": \"00112233445566778899aabbccddeeff\","
    " \"scope\": \"PRIVACY\", \"base_decision\": \"PERMIT\","
    " \"root\": {\"purposes\": [\"HRESCH\", \"TREAT\"],"
    "   \"actors\": [{\"kind\": \"ROLE\", \"role\": 3}]},"
    " \"exceptions\": [{\"type\": \"DENY\","
    "   \"selector\": {\"confidentiality\": [5]}}]}, \"late\": true}";

static void test_json_to_message(void **state)
{
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    (void)state;
    assert_int_equal(body_from_json(grant, &arena, &message, &reason), PBFT_OK);
    const Salus__V1__TransactionBody *body =
        (const Salus__V1__TransactionBody *)message;
    assert_true(body->late);
    assert_int_equal(body->payload_case,
                     SALUS__V1__TRANSACTION_BODY__PAYLOAD_CONSENT_GRANT);
    const Salus__V1__ConsentGrant *consent = body->consent_grant;
    assert_int_equal(consent->consent.len, 16);
    assert_int_equal(consent->scope, SALUS__V1__CONSENT_GRANT__SCOPE__PRIVACY);
    assert_int_equal(consent->root->n_purposes, 2);
    assert_int_equal(consent->root->purposes[0], 1); /* By name, sorted. */
    assert_int_equal(consent->root->purposes[1], 60);
    assert_int_equal(consent->root->actors[0]->role, 3);
    assert_int_equal(consent->n_exceptions, 1);
    assert_int_equal(consent->exceptions[0]->selector->confidentiality[0], 5);
    wire_arena_deinit(&arena);
}

/* To JSON and back gives the same bytes. */
static void test_json_round_trip(void **state)
{
    struct wire_arena arena;
    struct wire_arena other;
    struct wire_buffer bytes;
    struct wire_buffer again;
    struct ProtobufCMessage *message = NULL;
    struct ProtobufCMessage *copy = NULL;
    (void)state;
    assert_int_equal(body_from_json(grant, &arena, &message, &reason), PBFT_OK);
    json_t *json = tool_json_of(message);
    assert_non_null(json);
    /* Sub-messages that are absent are null, which nobody can give. */
    assert_true(json_is_string(json_object_get(json, "chain_id")));
    char *text = json_dumps(json, JSON_COMPACT);
    assert_int_equal(body_from_json(text, &other, &copy, &reason), PBFT_OK);
    wire_buffer_init(&bytes, 65536);
    wire_buffer_init(&again, 65536);
    assert_int_equal(wire_pack(message, &bytes), PBFT_OK);
    assert_int_equal(wire_pack(copy, &again), PBFT_OK);
    assert_int_equal(bytes.size, again.size);
    assert_memory_equal(bytes.data, again.data, bytes.size);
    wire_buffer_deinit(&bytes);
    wire_buffer_deinit(&again);
    free(text);
    json_decref(json);
    wire_arena_deinit(&other);
    wire_arena_deinit(&arena);
}

static void test_json_refusals(void **state)
{
    static const struct {
        const char *text;
        const char *named;
    } cases[] = {
        {"{\"colour\": 1}", "colour"},
        {"{\"late\": 1}", "late"},
        {"{\"chain_id\": \"0g\"}", "chain_id"},
        {"{\"chain_id\": 7}", "chain_id"},
        {"{\"not_after_ms\": -1}", "not_after_ms"},
        {"{\"not_after_ms\": 1.5}", "not_after_ms"},
        {"{\"table_version\": 4294967296}", "table_version"},
        {"{\"consent_revoke\": []}", "consent_revoke"},
        {"{\"consent_revoke\": {\"reason\": \"none such\"}}", "reason"},
        {"{\"consent_revoke\": {}, \"record_anchor\": {}}", "only one"},
        {"{\"record_anchor\": {\"tags\": \"00\"}}", "tags"},
        {"{\"consent_grant\": {\"scope\": \"ALL\"}}", "scope"},
        {"[]", "not an object"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wire_arena arena;
        struct ProtobufCMessage *message = NULL;
        assert_int_equal(
            body_from_json(cases[i].text, &arena, &message, &reason),
            PBFT_MALFORMED);
        assert_non_null(strstr(reason.text, cases[i].named));
        wire_arena_deinit(&arena);
    }
}

#define IN_FOLDER(name)                                                        \
    cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_consortium_is_whole),
        IN_FOLDER(test_consortium_refuses_a_full_folder),
        IN_FOLDER(test_consortium_refuses_bad_sizes),
        IN_FOLDER(test_institution_refuses_before_it_makes),
        IN_FOLDER(test_institution_with_existing_ca),
        IN_FOLDER(test_member_file_tampered),
        IN_FOLDER(test_config_paths),
        IN_FOLDER(test_config_refusals),
        cmocka_unit_test(test_options_all_forms),
        cmocka_unit_test(test_options_refusals),
        cmocka_unit_test(test_time_text),
        cmocka_unit_test(test_json_to_message),
        cmocka_unit_test(test_json_round_trip),
        cmocka_unit_test(test_json_refusals),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
