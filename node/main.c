/* SPDX-License-Identifier: Apache-2.0 */
/* salusd: reads its configuration, runs one replica until it is told to end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "consensus/assert.h"
#include "crypto/init.h"
#include "node/config.h"
#include "node/identity.h"
#include "node/journal.h"
#include "node/limits.h"
#include "node/measure.h"
#include "node/node.h"
#include "node/options.h"
#include "node/started.h"
#include "node/version.h"

#define MIB ((size_t)1024 * 1024)
#define OTHERS 0077 /* Whatever is written is the replica's alone. */

/* Documented in options.c and docs/operations.md. */
enum exit_code {
    EXIT_ENDED = 0,
    EXIT_ENVIRONMENT = 1,
    EXIT_CONFIG = 2,
    EXIT_IDENTITY = 3,
    EXIT_STORAGE = 4
};

static enum exit_code exit_code_of(enum pbft_status status)
{
    switch (status) {
    case PBFT_WRONG_IDENTITY:
    case PBFT_LOCKED:
    case PBFT_BAD_CERTIFICATE:
    case PBFT_NOT_MEMBER:
    case PBFT_TIMED_OUT: /* Of a certificate: expired. */
        return EXIT_IDENTITY;
    case PBFT_CORRUPT:
    case PBFT_NO_SPACE:
    case PBFT_IO:
        return EXIT_STORAGE;
    case PBFT_UNREACHABLE:
    case PBFT_NO_MEMORY:
    case PBFT_LIMIT:
    case PBFT_CLOSED:
        return EXIT_ENVIRONMENT;
    default: /* Usage and input: files that are not as they should be. */
        return EXIT_CONFIG;
    }
}

/* It stands in quotes: its own become single ones. */
static void tell_end(const char *event, enum exit_code code,
                     enum pbft_status status, struct salus_reason reason)
{
    for (char *at = reason.text; *at != '\0'; at++) {
        *at = *at == '"' ? '\'' : *at;
    }
    journal(JOURNAL_ERROR, event, "exit=%d reason=\"%s\"", (int)code,
            reason.text[0] != '\0' ? reason.text : pbft_status_text(status));
}

static int refuse(enum exit_code code, enum pbft_status status,
                  const struct salus_reason *reason)
{
    tell_end("refused", code, status, *reason);
    return (int)code;
}

/* Connections must not use up what the database needs: a shell's limit of 1024
 * files is less than one institution's connections and RocksDB together. */
static void raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
        files.rlim_cur < NODE_OPEN_FILES) {
        files.rlim_cur =
            files.rlim_max < NODE_OPEN_FILES ? files.rlim_max : NODE_OPEN_FILES;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 &&
        files.rlim_cur < NODE_OPEN_FILES_MIN) {
        journal(JOURNAL_WARNING, "few-files",
                "limit=%llu needed=%u gives_up=\"service to many connections "
                "at a time\"",
                (unsigned long long)files.rlim_cur, NODE_OPEN_FILES_MIN);
    }
}

/* NNG 1.5.2 can hang when it is closed: what is durable is durable by now. */
static void on_alarm(int signal_number)
{
    static const char line[] =
        "level=error event=shutdown-cut-off reason=\"took too long\"\n";
    (void)signal_number;
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    _exit(EXIT_ENVIRONMENT);
}

/* Threads inherit the mask: signals are taken by the main thread alone. */
static void prepare_signals(sigset_t *ends)
{
    const struct sigaction cut_off = {.sa_handler = on_alarm};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGALRM, &cut_off, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigaction(SIGHUP, &ignore, NULL);
    (void)sigemptyset(ends);
    (void)sigaddset(ends, SIGTERM);
    (void)sigaddset(ends, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, ends, NULL);
}

/* Until a signal asks for the end, or the replica must stop. */
static int watch(struct node *node, const sigset_t *ends)
{
    const struct timespec interval = {.tv_sec = NODE_WATCH_INTERVAL_MS / 1000,
                                      .tv_nsec = NODE_WATCH_INTERVAL_MS % 1000 *
                                                 1000000L};
    for (;;) {
        struct salus_reason reason = {{0}};
        enum pbft_status status = node_watch(node, &reason);
        if (status != PBFT_OK) {
            enum exit_code code = exit_code_of(status);
            tell_end("stopped-voting", code, status, reason);
            return (int)code;
        }
        int taken = sigtimedwait(ends, NULL, &interval);
        if (taken > 0) {
            journal(JOURNAL_INFO, "stopping", "signal=%d", taken);
            return EXIT_ENDED;
        }
    }
}

/* A replica that has lost its own rules stops at once; core dump for whoever
 * wants to know why. */
static void on_assertion(const char *file, int line, const char *expression)
{
    journal(JOURNAL_ERROR, "assertion-failed",
            "file=%s line=%d expression=\"%s\"", file, line, expression);
}

static int run(const struct node_setup *setup)
{
    sigset_t ends;
    struct node *node = NULL;
    struct salus_reason reason = {{0}};
    prepare_signals(&ends);
    raise_file_limit();
    enum pbft_status status = node_open(setup, &node, &reason);
    if (status != PBFT_OK) {
        return refuse(exit_code_of(status), status, &reason);
    }
    journal(JOURNAL_INFO, "ready",
            "replica=%u institution=%s replicas=%u peers_at=%s clients_at=%s "
            "version=%s",
            (unsigned)setup->identity->self, setup->identity->member->name,
            (unsigned)setup->identity->replica_count, setup->peer_listen,
            setup->client_listen, NODE_VERSION);
    int code = watch(node, &ends);
    (void)alarm(NODE_SHUTDOWN_MAX_S);
    node_close(node);
    (void)alarm(0);
    journal(JOURNAL_INFO, "ended", "exit=%d", code);
    return code;
}

static int check(const struct node_identity *identity)
{
    char cluster[MEMBER_FINGERPRINT_TEXT_SIZE];
    member_fingerprint_text(&identity->cluster, cluster);
    printf("ok: replica %u of %u, institution %s, consortium %s (%s)\n",
           (unsigned)identity->self, (unsigned)identity->replica_count,
           identity->member->name, identity->genesis->name, cluster);
    return EXIT_ENDED;
}

static void warn_unsafe(const struct options *options)
{
    if (options->unsafe_no_sync) {
        journal(JOURNAL_WARNING, "unsafe",
                "option=--unsafe-no-sync gives_up=\"votes survive a power "
                "cut\"");
    }
    if (options->unsafe_no_tls) {
        journal(JOURNAL_WARNING, "unsafe",
                "option=--unsafe-no-tls gives_up=\"secrecy and the identity "
                "of peers and clients\"");
    }
}

/* Beside the key, which outlives a data folder. */
static char started_mark_path[NODE_PATH_MAX];

static void describe(const struct options *options,
                     const struct node_config *config,
                     const struct node_identity *identity,
                     struct node_setup *out)
{
    bool fits = started_path(config->replica_key, started_mark_path,
                             sizeof started_mark_path);
    PBFT_ASSERT(fits); /* CONFIG_PATH_MAX is smaller. */
    *out = (struct node_setup){
        .identity = identity,
        .data_dir = config->data_dir,
        .started_mark = started_mark_path,
        .peer_listen = config->peer_listen,
        .client_listen = config->client_listen,
        .security = options->unsafe_no_tls ? NET_UNSAFE_PLAIN_TCP : NET_TLS,
        .storage = {.sync = options->unsafe_no_sync ? STORAGE_UNSAFE_NO_SYNC
                                                    : STORAGE_SYNCED,
                    .write_buffer_bytes = config->write_buffer_mib * MIB,
                    .cache_bytes = config->cache_mib * MIB},
        .verifier_threads = config->verifier_threads,
        .calls_max = config->calls_max,
        .calls_per_caller_max = config->calls_per_caller_max,
        .monitor_off = config->monitor_off,
        .request_timeout_ms = config->request_timeout_ms,
        .batch_delay_ms = config->batch_delay_ms,
        .status_interval_ms = config->status_interval_ms,
        .resend_interval_ms = config->resend_interval_ms,
    };
    for (pbft_replica_id id = 0; id < identity->replica_count; id++) {
        out->peer_addresses[id] = config_peer_address(
            config, genesis_replica(identity->genesis, id)->name);
    }
}

/* A name that is nobody's would silently change nothing. */
static enum pbft_status check_peers(const char *path,
                                    const struct node_config *config,
                                    const struct node_identity *identity,
                                    struct salus_reason *reason)
{
    pbft_replica_id id;
    for (uint32_t i = 0; i < config->peer_count; i++) {
        const struct salus_member *member =
            genesis_find_name(identity->genesis, config->peers[i].name);
        if (member == NULL ||
            !genesis_replica_id(identity->genesis, member, &id)) {
            salus_reason_set(reason,
                             "%s: peers: no replica of consortium %s is "
                             "called %s",
                             path, identity->genesis->name,
                             config->peers[i].name);
            return PBFT_INVALID_CONFIG;
        }
    }
    return PBFT_OK;
}

static int start(const struct options *options,
                 const struct node_config *config)
{
    static struct node_identity identity; /* Too large for the stack. */
    struct salus_reason reason = {{0}};
    struct node_setup setup;
    const struct node_identity_files files = {
        .genesis = config->genesis,
        .replica_key = config->replica_key,
        .certificate = options->unsafe_no_tls ? NULL : config->certificate,
        .tls_key = options->unsafe_no_tls ? NULL : config->tls_key,
        .institution =
            config->institution[0] != '\0' ? config->institution : NULL,
    };
    enum pbft_status status = node_identity_load(&identity, &files, &reason);
    if (status != PBFT_OK) {
        return refuse(exit_code_of(status), status, &reason);
    }
    int code;
    status = check_peers(options->config, config, &identity, &reason);
    describe(options, config, &identity, &setup);
    if (status != PBFT_OK) {
        code = refuse(exit_code_of(status), status, &reason);
    } else if (options->action == OPTIONS_CHECK_CONFIG) {
        code = check(&identity);
    } else {
        warn_unsafe(options);
        code = run(&setup);
    }
    node_identity_unload(&identity);
    return code;
}

static int run_measure(const struct options *options)
{
    const struct measure_setup setup = {.folder = options->measure,
                                        .payload = options->measure_payload,
                                        .per_request =
                                            options->measure_per_request};
    struct measure_parts parts;
    struct salus_reason reason = {{0}};
    enum pbft_status status = measure(&setup, &parts, &reason);
    if (status != PBFT_OK) {
        return refuse(exit_code_of(status), status, &reason);
    }
    measure_print(&parts);
    return EXIT_ENDED;
}

int main(int argc, char **argv)
{
    struct options options;
    struct salus_reason reason = {{0}};
    if (options_parse(&options, argc, argv, &reason) != PBFT_OK) {
        (void)fprintf(stderr, "salusd: %s\n", reason.text);
        return EXIT_CONFIG;
    }
    if (options.action == OPTIONS_VERSION) {
        printf("salusd %s\n", NODE_VERSION);
        return EXIT_ENDED;
    }
    if (options.action == OPTIONS_HELP) {
        (void)fputs(options_help, stdout);
        return EXIT_ENDED;
    }
    (void)umask(OTHERS);
    pbft_assert_set_hook(on_assertion);
    if (crypto_init() != PBFT_OK) {
        (void)fputs("salusd: this system has no source of randomness\n",
                    stderr);
        return EXIT_ENVIRONMENT;
    }
    if (options.action == OPTIONS_MEASURE) {
        return run_measure(&options);
    }
    static struct node_config config; /* Too large for the stack. */
    enum pbft_status status = config_load(options.config, &config, &reason);
    if (status != PBFT_OK) {
        /* Whatever was wrong: it is the configuration. */
        return refuse(EXIT_CONFIG, status, &reason);
    }
    journal_set_level((enum journal_level)config.log_level);
    return start(&options, &config);
}
