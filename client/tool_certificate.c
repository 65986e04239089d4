/* SPDX-License-Identifier: Apache-2.0 */
/* salus certificate: look at TLS certificates, and issue new ones by the CA
 * that stands in the genesis before the old ones expire. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/tool_consortium.h"
#include "client/tool_folder.h"
#include "client/tool_options.h"
#include "crypto/x509.h"
#include "proto/member.h"

#define DAY_S INT64_C(86400)
#define CLOCK_TOLERANCE_S INT64_C(600)
#define DAYS_DEFAULT 825 /* As salus keygen has it. */
#define DAYS_MAX 3652
#define US_PER_SECOND 1000000

struct arguments {
    const char *name;
    const char *ca;
    const char *ca_key;
    const char *output;
    const char *days;
    struct tool_list operands;
};

static enum pbft_status store(const char *output,
                              const struct x509_certificate *certificate,
                              const struct x509_key *key,
                              struct salus_reason *reason)
{
    char path[CONSORTIUM_PATH_MAX];
    int size = snprintf(path, sizeof path, "%s.key", output);
    if (size < 0 || (size_t)size >= sizeof path) {
        salus_reason_set(reason, "the path is too long");
        return PBFT_TOO_LARGE;
    }
    enum pbft_status status = x509_key_store(path, key, reason);
    (void)snprintf(path, sizeof path, "%s.pem", output);
    return status == PBFT_OK ? x509_certificate_store(path, certificate, reason)
                             : status;
}

static enum pbft_status issue(const struct arguments *arguments,
                              enum x509_role role, int64_t days,
                              struct salus_reason *reason)
{
    struct x509_certificate ca;
    struct x509_key ca_key = {.size = 0};
    struct x509_certificate certificate;
    struct x509_key key = {.size = 0};
    struct x509_validity ca_validity = {0, 0};
    char name[X509_NAME_MAX];
    int64_t now_s = (int64_t)time(NULL);

    salus_reason_set(reason, "the short name is 1 to 32 of a-z, 0-9 and -");
    enum pbft_status status = x509_name(name, role, arguments->name);
    if (status == PBFT_OK) {
        status = x509_certificate_load(&ca, arguments->ca, reason);
    }
    if (status == PBFT_OK) {
        status = x509_check_ca(&ca, now_s, reason);
    }
    if (status == PBFT_OK) {
        status = x509_validity_of(&ca_validity, &ca);
    }
    if (status == PBFT_OK) {
        status = x509_key_load(&ca_key, arguments->ca_key, reason);
    }
    struct x509_validity validity = {now_s - CLOCK_TOLERANCE_S,
                                     now_s + days * DAY_S};
    if (validity.from_s < ca_validity.from_s) {
        validity.from_s = ca_validity.from_s;
    }
    if (validity.to_s > ca_validity.to_s) {
        validity.to_s = ca_validity.to_s;
    }
    const struct x509_issuer issuer = {&ca, &ca_key};
    if (status == PBFT_OK) {
        status =
            x509_issue(&certificate, &key, &issuer, name, &validity, reason);
    }
    if (status == PBFT_OK) {
        status = store(arguments->output, &certificate, &key, reason);
    }
    x509_key_wipe(&ca_key);
    x509_key_wipe(&key);
    return status;
}

static int run_issue(const struct arguments *arguments)
{
    struct salus_reason reason = {""};
    uint64_t days = DAYS_DEFAULT;
    const char *kind = arguments->operands.items[0];
    enum x509_role role =
        strcmp(kind, "replica") == 0 ? X509_REPLICA : X509_CLIENT;

    if (arguments->name == NULL || arguments->ca == NULL ||
        arguments->ca_key == NULL || arguments->output == NULL) {
        return tool_bad_usage(&tool_certificate,
                              "--name, --ca, --ca-key and -o are needed");
    }
    if (!tool_number(&tool_certificate, "--days", arguments->days, 1, DAYS_MAX,
                     &days)) {
        return TOOL_USAGE;
    }
    if (issue(arguments, role, (int64_t)days, &reason) != PBFT_OK) {
        return tool_failed(&tool_certificate, "%s", reason.text);
    }
    (void)printf("made %s.pem and %s.key for %s.%s\n", arguments->output,
                 arguments->output, kind, arguments->name);
    return TOOL_OK;
}

static int show(const char *path)
{
    struct x509_certificate certificate;
    struct x509_validity validity;
    struct salus_reason reason = {""};
    struct pbft_digest digest;
    char name[X509_NAME_MAX] = "(a CA, or without a DNS name)";
    char fingerprint[MEMBER_FINGERPRINT_TEXT_SIZE];
    char from[TOOL_TIME_TEXT_SIZE];
    char to[TOOL_TIME_TEXT_SIZE];
    int64_t now_s = (int64_t)time(NULL);

    if (x509_certificate_load(&certificate, path, &reason) != PBFT_OK ||
        x509_validity_of(&validity, &certificate) != PBFT_OK) {
        return tool_failed(&tool_certificate, "%s", reason.text);
    }
    if (x509_dns_name(name, &certificate) != PBFT_OK) {
        (void)snprintf(name, sizeof name, "(a CA, or without a DNS name)");
    }
    x509_fingerprint(&digest, &certificate);
    member_fingerprint_text(&digest, fingerprint);
    tool_time_text(from, (uint64_t)validity.from_s * US_PER_SECOND);
    tool_time_text(to, (uint64_t)validity.to_s * US_PER_SECOND);
    (void)printf("%s\n  name         %s\n  valid        %.19sZ to %.19sZ\n"
                 "  fingerprint  %s\n",
                 path, name, from, to, fingerprint);
    if (now_s > validity.to_s || now_s < validity.from_s) {
        return tool_failed(&tool_certificate, "%s: is not valid now", path);
    }
    return TOOL_OK;
}

static int run(int argc, char **argv)
{
    static struct arguments arguments;
    const struct tool_option options[] = {
        {.name = "--name", .value = &arguments.name},
        {.name = "--ca", .value = &arguments.ca},
        {.name = "--ca-key", .value = &arguments.ca_key},
        {.name = "--days", .value = &arguments.days},
        {.name = "-o", .value = &arguments.output},
        {.name = NULL}};
    const struct tool_list *operands = &arguments.operands;

    int code = tool_options_parse(&tool_certificate, options,
                                  &arguments.operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands->count == 1 && (strcmp(operands->items[0], "replica") == 0 ||
                                 strcmp(operands->items[0], "client") == 0)) {
        return run_issue(&arguments);
    }
    if (operands->count < 2 || strcmp(operands->items[0], "show") != 0) {
        return tool_bad_usage(&tool_certificate,
                              "replica, client, or show FILE...");
    }
    code = TOOL_OK;
    for (size_t i = 1; i < operands->count; i++) {
        int shown = show(operands->items[i]);
        code = shown != TOOL_OK ? shown : code;
    }
    return code;
}

const struct tool_command tool_certificate = {
    .name = "certificate",
    .usage = "replica|client --name NAME --ca FILE --ca-key FILE\n"
             "       [--days N] -o PREFIX\n"
             "       salus certificate show FILE...",
    .summary = "issue new TLS certificates, or show them",
    .help =
        "Certificates are renewed by the same CA: the genesis stays as it is.\n"
        "Put the new files in place of the old ones and restart. Further\n"
        "applications of an institution get client certificates likewise.\n"
        "\n"
        "  --name NAME      short name of the institution\n"
        "  --ca FILE        its CA, as in its member file\n"
        "  --ca-key FILE    the key of that CA\n"
        "  --days N         how long it is valid; 825, at most until the CA's\n"
        "                   own end\n"
        "  -o PREFIX        makes PREFIX.pem and PREFIX.key\n"
        "\n"
        "show prints names, dates and fingerprints; exit code 1 if one of "
        "them\n"
        "is not valid now.\n"
        "\n"
        "example:\n"
        "  salus certificate replica --name st-anna --ca ca.pem \\\n"
        "    --ca-key ca.key -o replica-tls-2\n",
    .run = run,
};
