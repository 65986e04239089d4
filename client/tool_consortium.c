/* SPDX-License-Identifier: Apache-2.0 */
/* A whole trial consortium: synthetic hospitals, their folders, the genesis,
 * and one configuration for each replica and each client. */
#include "client/tool_consortium.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/tool_folder.h"
#include "crypto/file.h"
#include "crypto/random.h"
#include "ledger/codes.h"

#define CONFIG_MAX 4096
#define ADDRESS_MAX 32
#define PORTS_PER_REPLICA 2
#define PORT_MAX 65535u

/* Places that do not exist, so that nobody is meant. */
static const struct {
    const char *name;
    const char *legal_name;
    const char *country;
} hospitals[] = {
    {"st-anna", "St. Anna Teaching Hospital (synthetic)", "AT"},
    {"lakeside", "Lakeside General Hospital (synthetic)", "CH"},
    {"northgate", "Northgate Children's Hospital (synthetic)", "GB"},
    {"riverbend", "Riverbend University Clinic (synthetic)", "DE"},
    {"harbor", "Harbor View Medical Center (synthetic)", "US"},
    {"pinewood", "Pinewood Cancer Institute (synthetic)", "CA"},
    {"valmont", "Clinique Valmont-sur-Orne (synthetic)", "FR"},
    {"eastfield", "Eastfield District Hospital (synthetic)", "IE"},
    {"sorella", "Ospedale Sorella Maria (synthetic)", "IT"},
    {"fjordheim", "Fjordheim Regional Hospital (synthetic)", "NO"},
};
#define HOSPITAL_COUNT (sizeof hospitals / sizeof hospitals[0])

/* One institution of the trial. */
struct place {
    struct pbft_institution institution;
    char name[MEMBER_NAME_MAX + 1];
    char legal_name[MEMBER_LEGAL_NAME_MAX + 1];
    const char *country;
    char peer_address[ADDRESS_MAX];
    char client_address[ADDRESS_MAX];
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    return memcmp(&a->institution, &b->institution, sizeof a->institution);
}

/* Members stand in the genesis in the order of their random ids: they are
 * drawn first, so that the first name is replica 0. */
static struct place *make_places(const struct consortium_options *options)
{
    struct place *places = calloc(options->replicas, sizeof *places);
    if (places == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < options->replicas; i++) {
        random_fill(&places[i].institution, sizeof places[i].institution);
    }
    qsort(places, options->replicas, sizeof *places, compare_places);
    for (uint32_t i = 0; i < options->replicas; i++) {
        struct place *place = &places[i];
        unsigned port = options->base_port + PORTS_PER_REPLICA * i;
        if (i < HOSPITAL_COUNT) {
            (void)snprintf(place->name, sizeof place->name, "%s",
                           hospitals[i].name);
            (void)snprintf(place->legal_name, sizeof place->legal_name, "%s",
                           hospitals[i].legal_name);
            place->country = hospitals[i].country;
        } else {
            (void)snprintf(place->name, sizeof place->name, "hospital-%u",
                           (unsigned)i);
            (void)snprintf(place->legal_name, sizeof place->legal_name,
                           "Hospital No. %u (synthetic)", (unsigned)i);
            place->country = "XX";
        }
        (void)snprintf(place->peer_address, sizeof place->peer_address,
                       "127.0.0.1:%u", port);
        (void)snprintf(place->client_address, sizeof place->client_address,
                       "127.0.0.1:%u", port + 1);
    }
    return places;
}

static enum pbft_status write_config(const char *folder, const char *kind,
                                     uint32_t number, const char *text,
                                     struct salus_reason *reason)
{
    char name[32];
    char path[CONSORTIUM_PATH_MAX];
    (void)snprintf(name, sizeof name, "%s-%u.yaml", kind, (unsigned)number);
    enum pbft_status status = tool_path(path, folder, name, reason);
    if (status == PBFT_OK) {
        status = file_create(
            path, FILE_PUBLIC,
            (struct pbft_bytes){(const uint8_t *)text, strlen(text)}, reason);
    }
    return status;
}

static enum pbft_status write_replica(const char *folder, uint32_t number,
                                      const struct place *place,
                                      struct salus_reason *reason)
{
    char text[CONFIG_MAX];
    (void)snprintf(text, sizeof text,
                   "# Replica %u: %s. Paths are relative to this file.\n"
                   "institution: %s\n"
                   "genesis: genesis.txt\n"
                   "replica_key: %s/replica.key\n"
                   "certificate: %s/replica-tls.pem\n"
                   "tls_key: %s/replica-tls.key\n"
                   "data_dir: %s/data\n"
                   "peer_listen: %s\n"
                   "client_listen: %s\n",
                   (unsigned)number, place->legal_name, place->name,
                   place->name, place->name, place->name, place->name,
                   place->peer_address, place->client_address);
    return write_config(folder, "replica", number, text, reason);
}

static enum pbft_status write_client(const char *folder, uint32_t number,
                                     const struct place *place,
                                     struct salus_reason *reason)
{
    char text[CONFIG_MAX];
    (void)snprintf(text, sizeof text,
                   "# Client of %s. Paths are relative to this file.\n"
                   "genesis: genesis.txt\n"
                   "key: %s/client.key\n"
                   "certificate: %s/client-tls.pem\n"
                   "tls_key: %s/client-tls.key\n"
                   "replica: %s\n"
                   "encryption_key: %s/encryption.key\n"
                   "vault: %s/vault\n",
                   place->legal_name, place->name, place->name, place->name,
                   place->name, place->name, place->name);
    return write_config(folder, "client", number, text, reason);
}

static enum pbft_status make_institution(const char *folder,
                                         const struct place *place,
                                         struct salus_member *member,
                                         struct salus_reason *reason)
{
    static const uint32_t roles[] = {CODES_INSTITUTION_PROVIDER,
                                     CODES_INSTITUTION_RESEARCH};
    char path[CONSORTIUM_PATH_MAX];
    enum pbft_status status = tool_path(path, folder, place->name, reason);
    if (status != PBFT_OK) {
        return status;
    }
    const struct institution_options options = {
        .folder = path,
        .name = place->name,
        .legal_name = place->legal_name,
        .country = place->country,
        .peer_address = place->peer_address,
        .client_address = place->client_address,
        .roles = roles,
        .role_count = sizeof roles / sizeof roles[0],
        .institution = place->institution};
    return institution_create(member, &options, reason);
}

static const char *name_of(const struct consortium_options *options)
{
    return options->name != NULL ? options->name : "trial";
}

static enum pbft_status make_genesis(const struct consortium_options *options,
                                     const struct salus_member *members,
                                     struct salus_reason *reason)
{
    char path[CONSORTIUM_PATH_MAX];
    const struct genesis_options genesis = {
        .name = name_of(options),
        .members = members,
        .member_count = options->replicas,
        .policies = options->policies.count > 0 ? options->policies
                                                : consortium_trial_policies};
    enum pbft_status status =
        tool_path(path, options->folder, "genesis.txt", reason);
    return status == PBFT_OK ? genesis_file_create(path, &genesis, reason)
                             : status;
}

static enum pbft_status make_all(const struct consortium_options *options,
                                 const struct place *places,
                                 struct salus_member *members,
                                 struct salus_reason *reason)
{
    enum pbft_status status = PBFT_OK;
    for (uint32_t i = 0; i < options->replicas && status == PBFT_OK; i++) {
        status =
            make_institution(options->folder, &places[i], &members[i], reason);
        if (status == PBFT_OK) {
            status = write_replica(options->folder, i, &places[i], reason);
        }
        if (status == PBFT_OK) {
            status = write_client(options->folder, i, &places[i], reason);
        }
    }
    return status == PBFT_OK ? make_genesis(options, members, reason) : status;
}

enum pbft_status consortium_create(const struct consortium_options *options,
                                   struct salus_reason *reason)
{
    uint32_t replicas = options->replicas;

    if (replicas == 0 || replicas == 2 || replicas == 3 ||
        replicas > CONSORTIUM_REPLICAS_MAX) {
        salus_reason_set(reason,
                         "%u replicas: it has to be 1, or 4 to %d: fewer than "
                         "4 could not lose one",
                         (unsigned)replicas, CONSORTIUM_REPLICAS_MAX);
        return PBFT_INVALID_ARGUMENT;
    }
    if (options->base_port == 0 ||
        options->base_port + PORTS_PER_REPLICA * replicas - 1 > PORT_MAX) {
        salus_reason_set(reason, "the ports %u to %u are not ports",
                         (unsigned)options->base_port,
                         options->base_port + PORTS_PER_REPLICA * replicas - 1);
        return PBFT_INVALID_ARGUMENT;
    }
    enum pbft_status status =
        genesis_words_check(name_of(options), &options->policies, reason);
    if (status == PBFT_OK) {
        status = tool_folder_claim(options->folder, 0755, reason);
    }
    if (status != PBFT_OK) {
        return status;
    }
    struct place *places = make_places(options);
    struct salus_member *members = calloc(replicas, sizeof *members);
    status = PBFT_NO_MEMORY;
    if (places != NULL && members != NULL) {
        status = make_all(options, places, members, reason);
    }
    free(members);
    free(places);
    return status;
}
