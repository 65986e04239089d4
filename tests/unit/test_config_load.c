/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: what is read, and what each mistake says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/config.h"

#define REQUIRED                                                               \
    "genesis: genesis.txt\n"                                                   \
    "replica_key: a/replica.key\n"                                             \
    "certificate: a/tls.pem\n"                                                 \
    "tls_key: /etc/salus/tls.key\n"                                            \
    "data_dir: data\n"                                                         \
    "peer_listen: 127.0.0.1:7400\n"                                            \
    "client_listen: localhost:7401\n"

static char folder[] = "/tmp/salus-config-XXXXXX";
static char path[64];
static struct node_config config;
static struct salus_reason reason;

static enum pbft_status load_bytes(const char *text, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    memset(&reason, 0, sizeof reason);
    return config_load(path, &config, &reason);
}

static enum pbft_status load(const char *text)
{
    return load_bytes(text, strlen(text));
}

/* Fails as invalid, and says `expected` behind the path. */
static void expect_refusal(const char *text, const char *expected)
{
    assert_int_equal(load(text), PBFT_INVALID_CONFIG);
    assert_memory_equal(reason.text, path, strlen(path));
    assert_string_equal(reason.text + strlen(path), expected);
}

static void test_config_required_keys_alone(void **state)
{
    (void)state;
    char expected[128];

    assert_int_equal(load(REQUIRED), PBFT_OK);

    (void)snprintf(expected, sizeof expected, "%s/genesis.txt", folder);
    assert_string_equal(config.genesis, expected);
    (void)snprintf(expected, sizeof expected, "%s/a/replica.key", folder);
    assert_string_equal(config.replica_key, expected);
    assert_string_equal(config.tls_key, "/etc/salus/tls.key");
    assert_string_equal(config.peer_listen, "127.0.0.1:7400");
    assert_string_equal(config.client_listen, "localhost:7401");
    assert_string_equal(config.institution, "");
    assert_int_equal(config.log_level, CONFIG_LOG_INFO);
    assert_false(config.monitor_off);
    assert_int_equal(config.calls_max, 0);
    assert_null(config_peer_address(&config, "st-anna"));
}

static void test_config_all_keys(void **state)
{
    (void)state;
    assert_int_equal(load("# the replica of St Anna\n"
                          "---\n" REQUIRED "institution: st-anna\n"
                          "log_level: warning\n"
                          "monitor: off\n"
                          "peers:\n"
                          "  - name: st-berta\n"
                          "    address: \"[fd00::2]:7400\"\n"
                          "limits:\n"
                          "  verifier_threads: 2 # of four\n"
                          "  calls_max: 100\n"
                          "  calls_per_caller_max: 50\n"
                          "  write_buffer_mib: 128\n"
                          "  cache_mib: 64\n"
                          "timeouts:\n"
                          "  request_ms: 3000\n"
                          "  batch_delay_ms: 1\n"
                          "  status_ms: 500\n"
                          "  resend_ms: 250\n"),
                     PBFT_OK);

    assert_string_equal(config.institution, "st-anna");
    assert_int_equal(config.log_level, CONFIG_LOG_WARNING);
    assert_true(config.monitor_off);
    assert_string_equal(config_peer_address(&config, "st-berta"),
                        "[fd00::2]:7400");
    assert_null(config_peer_address(&config, "st-anna"));
    assert_int_equal(config.verifier_threads, 2);
    assert_int_equal(config.calls_max, 100);
    assert_int_equal(config.calls_per_caller_max, 50);
    assert_int_equal(config.write_buffer_mib, 128);
    assert_int_equal(config.cache_mib, 64);
    assert_int_equal(config.request_timeout_ms, 3000);
    assert_int_equal(config.batch_delay_ms, 1);
    assert_int_equal(config.status_interval_ms, 500);
    assert_int_equal(config.resend_interval_ms, 250);
}

static void test_config_unknown_keys(void **state)
{
    (void)state;
    expect_refusal(REQUIRED "shards: 3\n", ":8:1: unknown key shards");
    expect_refusal("shards: 3\n" REQUIRED, ":1:1: unknown key shards");
    expect_refusal("# shards: 3\n" REQUIRED "shards: 3\n",
                   ":9:1: unknown key shards");
    expect_refusal(REQUIRED "limits:\n  calls_max: 3\n  genesis: x\n",
                   ":10:3: unknown key genesis");
    expect_refusal(REQUIRED "peers:\n  - name: a\n    address: b:1\n"
                            "    key: 1\n",
                   ":11:5: unknown key key");
}

static void test_config_unsafe_options_stay_on_the_command_line(void **state)
{
    (void)state;
    expect_refusal(REQUIRED "unsafe_no_sync: true\n",
                   ":8:1: unsafe_no_sync: unsafe options are given on the "
                   "command line only");
    expect_refusal(REQUIRED "unsafe:\n  no_tls: true\n",
                   ":8:1: unsafe: unsafe options are given on the command "
                   "line only");
}

static void test_config_words(void **state)
{
    (void)state;
    expect_refusal(REQUIRED "monitor: maybe\n",
                   ":8:10: maybe is none of: on, off");
    expect_refusal(REQUIRED "monitor: on\nlog_level: debug\n",
                   ":9:12: debug is none of: error, warning, info");
}

/* What people get wrong, in words that say what to do. */
static void test_config_mistakes_of_yaml(void **state)
{
    (void)state;
    expect_refusal("peer_listen: [::1]:7400\n",
                   ":1:14: one text belongs here; one that begins with a "
                   "bracket, as an IPv6 address does, stands in quotes");
    expect_refusal("genesis: {a: b}\n", ":1:10: one text belongs here");
    expect_refusal("genesis:\n", ":1:9: the value is missing");
    expect_refusal(REQUIRED "institution: "
                            "a-name-that-has-more-than-32-letters\n",
                   ":8:14: the value is too long");
    expect_refusal(REQUIRED "limits:\n  calls_max: many\n",
                   ":9:14: 'many' is no whole number, or too large a one");
    expect_refusal(REQUIRED "limits:\n  calls_max: 4294967296\n",
                   ":9:14: '4294967296' is no whole number, or too large a "
                   "one");
    expect_refusal(REQUIRED "limits:\n\tcalls_max: 3\n",
                   ":8:1: a character that may not stand here; lines are "
                   "indented by blanks, never by tabs");
}

static void test_config_double_keys(void **state)
{
    (void)state;
    expect_refusal(REQUIRED "genesis: other.txt\n",
                   ":8:1: key genesis stands there twice");
    expect_refusal(REQUIRED "limits:\n  calls_max: 1\n  calls_max: 2\n",
                   ":10:3: key calls_max stands there twice");
}

static void test_config_missing_keys(void **state)
{
    (void)state;
    assert_int_equal(load("genesis: g\ncertificate: c\n"), PBFT_INVALID_CONFIG);
    assert_non_null(strstr(reason.text, "key replica_key is missing"));
    expect_refusal("", ": the file is empty");
    expect_refusal("# nothing\n", ": the file is empty");
}

/* Cut anywhere, the file is refused: each required key is needed. */
static void test_config_truncated_files(void **state)
{
    (void)state;
    size_t needed = strlen(REQUIRED) - strlen("1\n");
    for (size_t size = 0; size < needed - 2; size++) {
        assert_int_equal(load_bytes(REQUIRED, size), PBFT_INVALID_CONFIG);
        assert_true(strlen(reason.text) > strlen(path));
    }
}

static void test_config_wrong_types(void **state)
{
    (void)state;
    assert_int_equal(load(REQUIRED "limits:\n  calls_max: many\n"),
                     PBFT_INVALID_CONFIG);
    assert_non_null(strstr(reason.text, ":9:14: "));
    assert_int_equal(load(REQUIRED "limits: 3\n"), PBFT_INVALID_CONFIG);
    assert_non_null(strstr(reason.text, ":8:9: "));
    assert_int_equal(load(REQUIRED "log_level: loud\n"), PBFT_INVALID_CONFIG);
    assert_non_null(strstr(reason.text, ":8:12: "));
    assert_int_equal(load("- a\n- b\n"), PBFT_INVALID_CONFIG);
    assert_int_equal(load("\"unterminated"), PBFT_INVALID_CONFIG);
    assert_int_equal(load(REQUIRED "limits:\n  calls_max: -1\n"),
                     PBFT_INVALID_CONFIG);
    assert_int_equal(load(REQUIRED "limits:\n  calls_max: 4294967296\n"),
                     PBFT_INVALID_CONFIG);
}

static void test_config_ranges(void **state)
{
    (void)state;
    expect_refusal(REQUIRED "limits:\n  calls_max: 65537\n",
                   ":9:3: calls_max: not 1..65536");
    expect_refusal(REQUIRED "limits:\n  calls_max: 0\n",
                   ":9:3: calls_max: not 1..65536");
    expect_refusal(REQUIRED "limits:\n  verifier_threads: 65\n",
                   ":9:3: verifier_threads: not 0..64");
    expect_refusal(REQUIRED "limits:\n  cache_mib: 7\n",
                   ":9:3: cache_mib: not 8..16384");
    expect_refusal(REQUIRED "timeouts:\n  request_ms: 99\n",
                   ":9:3: request_ms: not 100..600000");
    expect_refusal(REQUIRED "timeouts:\n  batch_delay_ms: 1001\n",
                   ":9:3: batch_delay_ms: not 1..1000");
    expect_refusal(REQUIRED "timeouts:\n  resend_ms: 9\n",
                   ":9:3: resend_ms: not 10..600000");
}

static void test_config_names_and_addresses(void **state)
{
    (void)state;
    expect_refusal(REQUIRED "institution: St Anna\n",
                   ":8:1: institution: not [a-z0-9-]{1,32}");
    expect_refusal(REQUIRED "peers:\n  - name: a\n    address: b\n",
                   ":8:1: peers: an address is not host:port");
    expect_refusal(REQUIRED "peers:\n  - name: a\n    address: b:1\n"
                            "  - name: a\n    address: c:1\n",
                   ":8:1: peers: a name stands there twice");
    expect_refusal("genesis: g\nreplica_key: k\ncertificate: c\ntls_key: t\n"
                   "data_dir: d\npeer_listen: 7400\nclient_listen: h:1\n",
                   ":6:1: peer_listen: not host:port");
    expect_refusal("genesis: g\nreplica_key: k\ncertificate: c\ntls_key: t\n"
                   "data_dir: d\npeer_listen: h:1\nclient_listen: h:1\n",
                   ":7:1: client_listen: the same as peer_listen");
}

static void test_config_is_one_document_of_text(void **state)
{
    (void)state;
    expect_refusal(REQUIRED "---\n" REQUIRED, ":8:1: a second YAML document");
    assert_int_equal(load_bytes("genesis\0: x\n", 12), PBFT_INVALID_CONFIG);
    assert_non_null(strstr(reason.text, "NUL"));
    assert_int_equal(load(REQUIRED "institution: *x\n"), PBFT_INVALID_CONFIG);
}

static void test_config_limits_of_the_file(void **state)
{
    (void)state;
    char *text = malloc(CONFIG_FILE_BYTES_MAX + 2);
    memset(text, '#', CONFIG_FILE_BYTES_MAX + 2);
    assert_int_equal(load_bytes(text, CONFIG_FILE_BYTES_MAX + 1),
                     PBFT_TOO_LARGE);
    free(text);
    assert_int_equal(config_load("/nonexistent/x.yaml", &config, &reason),
                     PBFT_NOT_FOUND);
    assert_non_null(strstr(reason.text, "No such file"));
    assert_int_equal(config_load("/dev/null", &config, &reason),
                     PBFT_INVALID_CONFIG);
    assert_int_equal(config_load("/", &config, &reason), PBFT_INVALID_CONFIG);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/c.yaml", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_required_keys_alone),
        cmocka_unit_test(test_config_all_keys),
        cmocka_unit_test(test_config_unknown_keys),
        cmocka_unit_test(test_config_unsafe_options_stay_on_the_command_line),
        cmocka_unit_test(test_config_words),
        cmocka_unit_test(test_config_mistakes_of_yaml),
        cmocka_unit_test(test_config_double_keys),
        cmocka_unit_test(test_config_missing_keys),
        cmocka_unit_test(test_config_truncated_files),
        cmocka_unit_test(test_config_wrong_types),
        cmocka_unit_test(test_config_ranges),
        cmocka_unit_test(test_config_names_and_addresses),
        cmocka_unit_test(test_config_is_one_document_of_text),
        cmocka_unit_test(test_config_limits_of_the_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
