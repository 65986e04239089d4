/* SPDX-License-Identifier: Apache-2.0 */
/* salus genesis, salus fingerprint: public files and how people compare them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tool_consortium.h"
#include "client/tool_json.h"
#include "client/tool_options.h"
#include "consensus/quorum.h"
#include "crypto/hex.h"
#include "crypto/provider.h"
#include "crypto/x509.h"
#include "proto/codec_limits.h"
#include "proto/genesis.h"
#include "proto/scan.h"
#include "salus/v1/files.pb-c.h"

static int fail_with(const struct tool_command *command,
                     const struct salus_reason *reason, enum pbft_status status)
{
    return tool_failed(command, "%s",
                       reason->text[0] != '\0' ? reason->text
                                               : pbft_status_text(status));
}

/* ---- genesis show -------------------------------------------------------- */

static int show_json(const struct salus_genesis *genesis)
{
    struct wire_buffer bytes;
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;

    wire_buffer_init(&bytes, WIRE_FRAME_BYTES_MAX);
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    enum pbft_status status = genesis_encode(genesis, &bytes);
    if (status == PBFT_OK) {
        status =
            wire_unpack_strict(&salus__v1__genesis__descriptor,
                               wire_buffer_bytes(&bytes), &arena, &message);
    }
    if (status == PBFT_OK) {
        tool_json_print(tool_json_of(message));
    }
    wire_arena_deinit(&arena);
    wire_buffer_deinit(&bytes);
    return status == PBFT_OK
               ? TOOL_OK
               : tool_failed(&tool_genesis, "%s", pbft_status_text(status));
}

static int show_member(const struct salus_genesis *genesis, uint32_t at)
{
    const struct salus_member *member = &genesis->members[at];
    struct pbft_digest digest;
    char fingerprint[MEMBER_FINGERPRINT_TEXT_SIZE];
    pbft_replica_id replica = 0;

    if (member_fingerprint(crypto_provider_verify_only(), member, &digest) !=
        PBFT_OK) {
        return tool_failed(&tool_genesis, "out of memory");
    }
    member_fingerprint_text(&digest, fingerprint);
    if (genesis_replica_id(genesis, member, &replica)) {
        (void)printf("  replica %-3u", (unsigned)replica);
    } else {
        (void)printf("  no replica ");
    }
    (void)printf(" %-16s %s (%s)\n", member->name, member->legal_name,
                 member->country);
    if (member->has_replica) {
        (void)printf("              replicas dial %s, clients %s\n",
                     member->peer_address, member->client_address);
    }
    (void)printf("              fingerprint %s\n", fingerprint);
    return TOOL_OK;
}

static int show_text(const struct salus_genesis *genesis,
                     const struct pbft_digest *cluster)
{
    char id[2 * PBFT_DIGEST_SIZE + 1];
    char fingerprint[MEMBER_FINGERPRINT_TEXT_SIZE];
    const struct genesis_parameters *parameters = &genesis->parameters;
    uint32_t replicas = genesis_replica_count(genesis);
    int code = TOOL_OK;

    hex_encode(id, (struct pbft_bytes){cluster->bytes, PBFT_DIGEST_SIZE});
    member_fingerprint_text(cluster, fingerprint);
    (void)printf("consortium    %s\ncluster id    %s\nfingerprint   %s\n"
                 "replicas      %u, of which %u may be faulty; a quorum is %u\n"
                 "members       %u\n",
                 genesis->name, id, fingerprint, (unsigned)replicas,
                 (unsigned)pbft_faults_max(replicas),
                 (unsigned)pbft_quorum(replicas),
                 (unsigned)genesis->member_count);
    for (uint32_t i = 0; i < genesis->member_count && code == TOOL_OK; i++) {
        code = show_member(genesis, i);
    }
    (void)printf("policies\n");
    for (uint32_t i = 0; i < genesis->policy_count; i++) {
        (void)printf("  %s, version %u\n", genesis->policies[i].uri,
                     (unsigned)genesis->policies[i].version);
    }
    (void)printf("parameters    window %u, checkpoint every %u, batch up to %u "
                 "requests and %u bytes\n"
                 "              clocks within %u ms\n",
                 (unsigned)parameters->window,
                 (unsigned)parameters->checkpoint_interval,
                 (unsigned)parameters->batch_requests_max,
                 (unsigned)parameters->batch_bytes_max,
                 (unsigned)parameters->time_bound_ms);
    return code;
}

static int show(const char *path, bool json)
{
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    struct salus_reason reason = {""};
    enum pbft_status status =
        genesis_file_load(&genesis, &cluster, path, &reason);
    if (status != PBFT_OK) {
        return fail_with(&tool_genesis, &reason, status);
    }
    int code = json ? show_json(genesis) : show_text(genesis, &cluster);
    genesis_destroy(genesis);
    return code;
}

/* ---- genesis ------------------------------------------------------------- */

static int print_fingerprint(const char *path)
{
    struct salus_genesis *genesis = NULL;
    struct pbft_digest cluster;
    struct salus_reason reason = {""};
    char fingerprint[MEMBER_FINGERPRINT_TEXT_SIZE];
    enum pbft_status status =
        genesis_file_load(&genesis, &cluster, path, &reason);
    if (status != PBFT_OK) {
        return fail_with(&tool_genesis, &reason, status);
    }
    uint32_t replicas = genesis_replica_count(genesis);
    genesis_destroy(genesis);
    member_fingerprint_text(&cluster, fingerprint);
    (void)printf("made %s\nfingerprint  %s\n"
                 "Give the same file to every institution; each compares the "
                 "fingerprint aloud.\n",
                 path, fingerprint);
    if (replicas == 1) {
        (void)fprintf(stderr, "salus genesis: one replica is for a trial: "
                              "nothing may fail, and nobody else checks it; 4 "
                              "or more tolerate a fault\n");
    }
    return TOOL_OK;
}

static int make(const char *path, const char *name,
                const struct tool_list *files, const struct tool_list *policies)
{
    struct salus_reason reason = {""};
    enum pbft_status status = PBFT_NO_MEMORY;
    struct salus_member *members = calloc(files->count, sizeof *members);

    if (members != NULL) {
        status = PBFT_OK;
    }
    for (size_t i = 0; i < files->count && status == PBFT_OK; i++) {
        status = member_load(&members[i], files->items[i], &reason);
    }
    if (status == PBFT_OK) {
        const struct genesis_options options = {
            .name = name,
            .members = members,
            .member_count = (uint32_t)files->count,
            .policies = policies->count > 0
                            ? (struct consortium_policies){policies->items,
                                                           policies->count}
                            : consortium_trial_policies};
        status = genesis_file_create(path, &options, &reason);
    }
    free(members);
    return status == PBFT_OK ? print_fingerprint(path)
                             : fail_with(&tool_genesis, &reason, status);
}

static int run_genesis(int argc, char **argv)
{
    const char *name = "salus";
    const char *given_name = NULL;
    const char *path = NULL;
    bool json = false;
    struct tool_list members = {.count = 0};
    struct tool_list policies = {.count = 0};
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {
        {.name = "--members", .list = &members},
        {.name = "--name", .value = &given_name},
        {.name = "--policy", .list = &policies},
        {.name = "--json", .flag = &json},
        {.name = "-o", .value = &path},
        {.name = NULL}};

    int code =
        tool_options_parse(&tool_genesis, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count == 2 && strcmp(operands.items[0], "show") == 0) {
        return show(operands.items[1], json);
    }
    if (operands.count != 0 || members.count == 0 || path == NULL || json) {
        return tool_bad_usage(&tool_genesis,
                              "either show FILE, or --members and -o");
    }
    return make(path, given_name != NULL ? given_name : name, &members,
                &policies);
}

const struct tool_command tool_genesis = {
    .name = "genesis",
    .usage = "--members FILE... [--name NAME] [--policy URI...] -o FILE\n"
             "       salus genesis show FILE [--json]",
    .summary = "make the genesis file from members' public parts, or show it",
    .help =
        "The genesis file holds the rules that all replicas start from. It is\n"
        "made once, from the member.txt files of all institutions; that each\n"
        "holds its private key is checked. Its fingerprint is compared aloud:\n"
        "a different genesis is a different consortium. Four replicas or "
        "more\n"
        "tolerate a fault; one is for a trial.\n"
        "\n"
        "  --members FILE...   member files made by salus keygen\n"
        "  --name NAME         of the consortium: a-z, 0-9 and -; salus if\n"
        "                      left out\n"
        "  --policy URI...     policies that consents may name; trial ones if\n"
        "                      left out\n"
        "  -o FILE             must not exist\n"
        "  --json              show as one line of JSON\n"
        "\n"
        "example:\n"
        "  salus genesis --members */member.txt --name alpine -o genesis.txt\n"
        "  salus genesis show genesis.txt\n",
    .run = run_genesis,
};

/* ---- fingerprint --------------------------------------------------------- */

#define GENESIS_HEAD "-----BEGIN SALUS GENESIS"
#define MEMBER_HEAD "-----BEGIN SALUS MEMBER"

static bool begins_with(const char *path, const char *head)
{
    char text[64] = "";
    FILE *file = fopen(path, "re");
    bool is_read = file != NULL && fgets(text, sizeof text, file) != NULL;
    if (file != NULL) {
        (void)fclose(file); /* Only read from. */
    }
    return is_read && strncmp(text, head, strlen(head)) == 0;
}

/* Whichever kind of public file it is. */
static enum pbft_status fingerprint_of(const char *path, const char **kind,
                                       struct pbft_digest *out,
                                       struct salus_reason *reason)
{
    struct salus_member *member = calloc(1, sizeof *member);
    struct x509_certificate certificate;
    struct salus_genesis *genesis = NULL;
    enum pbft_status status = PBFT_NO_MEMORY;

    if (member == NULL) {
        return status;
    }
    status = genesis_file_load(&genesis, out, path, reason);
    *kind = "genesis";
    genesis_destroy(genesis);
    if (status == PBFT_MALFORMED && begins_with(path, MEMBER_HEAD)) {
        *kind = "member";
        status = member_load(member, path, reason);
        if (status == PBFT_OK) {
            status =
                member_fingerprint(crypto_provider_verify_only(), member, out);
        }
    } else if (status == PBFT_MALFORMED && !begins_with(path, GENESIS_HEAD)) {
        *kind = "certificate (SHA-256)";
        status = x509_certificate_load(&certificate, path, NULL);
        if (status == PBFT_OK) {
            x509_fingerprint(out, &certificate);
        } else {
            salus_reason_set(reason,
                             "%s: neither a genesis file nor a member file nor "
                             "a certificate",
                             path);
        }
    }
    free(member);
    return status;
}

static int run_fingerprint(int argc, char **argv)
{
    struct tool_list operands = {.count = 0};
    const struct tool_option options[] = {{.name = NULL}};
    struct salus_reason reason = {""};
    char text[MEMBER_FINGERPRINT_TEXT_SIZE];
    int result = TOOL_OK;

    int code =
        tool_options_parse(&tool_fingerprint, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count == 0) {
        return tool_bad_usage(&tool_fingerprint, "a file is needed");
    }
    for (size_t i = 0; i < operands.count; i++) {
        struct pbft_digest digest;
        const char *kind = NULL;
        enum pbft_status status =
            fingerprint_of(operands.items[i], &kind, &digest, &reason);
        if (status != PBFT_OK) {
            result = fail_with(&tool_fingerprint, &reason, status);
            continue;
        }
        member_fingerprint_text(&digest, text);
        (void)printf("%s  %s  %s\n", text, kind, operands.items[i]);
    }
    return result;
}

const struct tool_command tool_fingerprint = {
    .name = "fingerprint",
    .usage = "FILE...",
    .summary = "what people read to each other to compare public files",
    .help =
        "Prints the fingerprint of member files, genesis files and\n"
        "certificates: eight groups of four hexadecimal digits. Two people\n"
        "with the same fingerprint have the same file.\n"
        "\n"
        "example:\n"
        "  salus fingerprint st-anna/member.txt genesis.txt\n",
    .run = run_fingerprint,
};
