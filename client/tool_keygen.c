/* SPDX-License-Identifier: Apache-2.0 */
/* salus keygen: the keys and certificates of one institution. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "client/tool_admission.h"
#include "client/tool_consortium.h"
#include "client/tool_folder.h"
#include "client/tool_options.h"
#include "crypto/file.h"
#include "crypto/provider.h"
#include "ledger/codes.h"

#define CONFIG_MAX 4096
#define ROLES_MAX MEMBER_ROLES_MAX

/* Names or numbers of roles, ascending in the member. */
static bool read_roles(const struct tool_list *names, uint32_t *roles,
                       size_t *count)
{
    size_t entry_count = 0;
    const struct codes_entry *entries =
        codes_entries(CODES_INSTITUTION_ROLE, &entry_count);

    *count = 0;
    for (size_t at = 0; at < entry_count && *count < ROLES_MAX; at++) {
        for (size_t i = 0; i < names->count; i++) {
            if (strcasecmp(names->items[i], entries[at].code) == 0) {
                roles[(*count)++] = entries[at].id;
                break;
            }
        }
    }
    if (names->count == 0) {
        roles[0] = CODES_INSTITUTION_PROVIDER;
        *count = 1;
    }
    return names->count == 0 || *count == names->count;
}

static bool import_is_whole(const struct institution_import *import,
                            bool has_replica)
{
    bool any_end = import->replica_certificate != NULL ||
                   import->replica_tls_key != NULL ||
                   import->client_certificate != NULL ||
                   import->client_tls_key != NULL;
    bool all_end = import->client_certificate != NULL &&
                   import->client_tls_key != NULL &&
                   (!has_replica || (import->replica_certificate != NULL &&
                                     import->replica_tls_key != NULL));
    if (import->ca == NULL) {
        return import->ca_key == NULL && !any_end;
    }
    return import->ca_key != NULL ? !any_end : all_end;
}

static enum pbft_status write_text(const char *folder, const char *name,
                                   const char *text,
                                   struct salus_reason *reason)
{
    char path[CONSORTIUM_PATH_MAX];
    enum pbft_status status = tool_path(path, folder, name, reason);
    if (status != PBFT_OK) {
        return status;
    }
    return file_create(path, FILE_PUBLIC,
                       (struct pbft_bytes){(const uint8_t *)text, strlen(text)},
                       reason);
}

static enum pbft_status write_configs(const char *folder,
                                      const struct salus_member *member,
                                      struct salus_reason *reason)
{
    char text[CONFIG_MAX];
    (void)snprintf(text, sizeof text,
                   "# Paths are relative to this file.\n"
                   "genesis: genesis.txt\n"
                   "key: client.key\n"
                   "certificate: client-tls.pem\n"
                   "tls_key: client-tls.key\n"
                   "encryption_key: encryption.key\n"
                   "vault: vault\n");
    enum pbft_status status = write_text(folder, "client.yaml", text, reason);
    if (status != PBFT_OK || !member->has_replica) {
        return status;
    }
    (void)snprintf(text, sizeof text,
                   "# Paths are relative to this file.\n"
                   "institution: %s\n"
                   "genesis: genesis.txt\n"
                   "replica_key: replica.key\n"
                   "certificate: replica-tls.pem\n"
                   "tls_key: replica-tls.key\n"
                   "data_dir: data\n"
                   "# Where it listens; the addresses of the genesis are those "
                   "that others dial.\n"
                   "peer_listen: %s\n"
                   "client_listen: %s\n",
                   member->name, member->peer_address, member->client_address);
    return write_text(folder, "replica.yaml", text, reason);
}

static int report(const char *folder, const struct salus_member *member,
                  bool is_admission)
{
    struct pbft_digest digest;
    char fingerprint[MEMBER_FINGERPRINT_TEXT_SIZE];

    if (is_admission) {
        (void)printf("made the keys of %s in %s\n"
                     "give to a member:     %s/admit.json\n"
                     "and tell all aloud:   its submit_key and "
                     "encryption_key\n"
                     "the rest stays here\n",
                     member->name, folder, folder);
        return TOOL_OK;
    }
    if (member_fingerprint(crypto_provider_verify_only(), member, &digest) !=
        PBFT_OK) {
        return tool_failed(&tool_keygen, "out of memory");
    }
    member_fingerprint_text(&digest, fingerprint);
    (void)printf("made the keys of %s in %s\n"
                 "give to the others:   %s/member.txt\n"
                 "and tell them aloud:  %s\n"
                 "the rest stays here. When the genesis file is there, put it\n"
                 "beside the keys as %s/genesis.txt\n",
                 member->name, folder, folder, fingerprint, folder);
    return TOOL_OK;
}

/* `genesis` and `contract` NULL: for a consortium that is yet to be made. */
static int create(const struct institution_options *made, const char *genesis,
                  const char *contract)
{
    struct admission admission;
    struct salus_member member;
    struct salus_reason reason = {""};
    enum pbft_status status = PBFT_OK;
    if (genesis != NULL) {
        status = admission_prepare(&admission, genesis, contract, &reason);
    }
    if (status == PBFT_OK) {
        status = institution_create(&member, made, &reason);
    }
    if (status == PBFT_OK) {
        status = write_configs(made->folder, &member, &reason);
    }
    if (status == PBFT_OK && genesis != NULL) {
        status = admission_store(&admission, made->folder, &member, &reason);
    }
    if (status != PBFT_OK) {
        return tool_failed(&tool_keygen, "%s",
                           reason.text[0] != '\0' ? reason.text
                                                  : pbft_status_text(status));
    }
    return report(made->folder, &member, genesis != NULL);
}

static int run(int argc, char **argv)
{
    struct institution_options made = {0};
    struct tool_list names = {.count = 0};
    struct tool_list operands = {.count = 0};
    const char *genesis = NULL;
    const char *contract = NULL;
    uint32_t roles[ROLES_MAX];
    const struct tool_option options[] = {
        {.name = "--name", .value = &made.name},
        {.name = "--legal-name", .value = &made.legal_name},
        {.name = "--country", .value = &made.country},
        {.name = "--peer-address", .value = &made.peer_address},
        {.name = "--client-address", .value = &made.client_address},
        {.name = "--role", .list = &names},
        {.name = "--ca", .value = &made.import.ca},
        {.name = "--ca-key", .value = &made.import.ca_key},
        {.name = "--replica-certificate",
         .value = &made.import.replica_certificate},
        {.name = "--replica-tls-key", .value = &made.import.replica_tls_key},
        {.name = "--client-certificate",
         .value = &made.import.client_certificate},
        {.name = "--client-tls-key", .value = &made.import.client_tls_key},
        {.name = "--genesis", .value = &genesis},
        {.name = "--contract", .value = &contract},
        {.name = "-o", .value = &made.folder},
        {.name = NULL}};

    int code = tool_options_parse(&tool_keygen, options, &operands, argc, argv);
    if (code != -1) {
        return code;
    }
    if (operands.count != 0) {
        return tool_bad_usage(&tool_keygen, "not understood: %s",
                              operands.items[0]);
    }
    if (made.name == NULL || made.legal_name == NULL || made.country == NULL ||
        made.folder == NULL) {
        return tool_bad_usage(&tool_keygen, "--name, --legal-name, --country "
                                            "and -o are needed");
    }
    if ((made.peer_address == NULL) != (made.client_address == NULL)) {
        return tool_bad_usage(&tool_keygen,
                              "give both addresses, or none if the institution "
                              "runs no replica");
    }
    if ((genesis == NULL) != (contract == NULL) ||
        (genesis != NULL && made.peer_address != NULL)) {
        return tool_bad_usage(&tool_keygen,
                              "--genesis and --contract go together, without "
                              "addresses: no replica can join");
    }
    if (!import_is_whole(&made.import, made.peer_address != NULL)) {
        return tool_bad_usage(&tool_keygen, "--ca needs --ca-key, or all "
                                            "certificates and their keys");
    }
    if (!read_roles(&names, roles, &made.role_count)) {
        return tool_bad_usage(&tool_keygen,
                              "a --role is unknown, or named twice");
    }
    made.roles = roles;
    return create(&made, genesis, contract);
}

const struct tool_command tool_keygen = {
    .name = "keygen",
    .usage = "--name NAME --legal-name TEXT --country CC\n"
             "       [--peer-address HOST:PORT --client-address HOST:PORT]\n"
             "       [--role CODE...] [--ca FILE ...]\n"
             "       [--genesis FILE --contract FILE] -o DIR",
    .summary = "make the keys of one institution of a real consortium",
    .help =
        "Run it at each institution, on its own machine. Private keys never\n"
        "leave it; DIR/member.txt is for the others. Compare the fingerprint\n"
        "that is printed by telephone or in person before the genesis is "
        "made.\n"
        "\n"
        "  --name NAME           short name: 1 to 32 of a-z, 0-9 and -\n"
        "  --legal-name TEXT     as in the contract\n"
        "  --country CC          two letters of ISO 3166\n"
        "  --peer-address A      where other replicas reach its replica\n"
        "  --client-address A    where clients reach its replica\n"
        "  --role CODE...        provider (if left out), payer, research,\n"
        "                        public-health, hie, dac, auditor, "
        "patient-agent\n"
        "  -o DIR                is made; must not exist, or be empty\n"
        "\n"
        "Without the two addresses the institution runs no replica.\n"
        "\n"
        "To join a consortium that runs, as one without a replica:\n"
        "  --genesis FILE        of that consortium\n"
        "  --contract FILE       signed with it; its SHA-256 goes on the "
        "ledger\n"
        "Then DIR/admit.json is what its members sign (salus help cosign).\n"
        "\n"
        "A CA for its TLS certificates is made, unless there is one already\n"
        "(P-256 or P-384 keys, PEM or DER):\n"
        "  --ca FILE --ca-key FILE    certificates are issued by it; or\n"
        "  --ca FILE --replica-certificate FILE --replica-tls-key FILE\n"
        "            --client-certificate FILE --client-tls-key FILE\n"
        "                             these are checked and taken; their DNS\n"
        "                             names: replica.NAME and client.NAME\n"
        "\n"
        "example:\n"
        "  salus keygen --name st-anna --legal-name \"St. Anna Hospital\" \\\n"
        "    --country AT --peer-address salus.st-anna.example:7000 \\\n"
        "    --client-address salus.st-anna.example:7001 -o st-anna\n",
    .run = run,
};
