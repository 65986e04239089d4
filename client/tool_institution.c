/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of one institution: keys and certificates, and the member file as
 * the only thing that leaves it. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "client/tool_consortium.h"
#include "client/tool_folder.h"
#include "crypto/keyfile.h"
#include "crypto/provider.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "crypto/x509.h"
#include "proto/codec_limits.h"
#include "proto/utf8.h"

#define DAY_S INT64_C(86400)
#define CA_VALIDITY_S (3652 * DAY_S) /* Ten years. */
#define END_VALIDITY_S (825 * DAY_S) /* What TLS libraries like to see. */
#define CLOCK_TOLERANCE_S (10 * INT64_C(60)) /* Between two machines. */

#define WRONG_NAME "the short name has to be 1 to 32 of a-z, 0-9 and -"
#define WRONG_COUNTRY                                                          \
    "the country has to be two capital letters (ISO 3166), such as AT"

/* What one call works on. */
struct work {
    const struct institution_options *options;
    struct salus_member *member;
    struct salus_reason *reason;
    struct x509_certificate ca;
    struct x509_key ca_key;
    int64_t now_s;
};

static enum pbft_status make_key_file(struct work *work, const char *name,
                                      enum keyfile_kind kind,
                                      struct keyfile *key)
{
    char path[CONSORTIUM_PATH_MAX];
    enum pbft_status status =
        tool_path(path, work->options->folder, name, work->reason);
    keyfile_generate(key, kind, &work->member->institution);
    if (status == PBFT_OK) {
        status = keyfile_create(path, key, work->reason);
    }
    return status;
}

static enum pbft_status store_pair(struct work *work, const char *name,
                                   const struct x509_certificate *certificate,
                                   const struct x509_key *key)
{
    char file[64];
    char path[CONSORTIUM_PATH_MAX];

    (void)snprintf(file, sizeof file, "%s.pem", name);
    enum pbft_status status =
        tool_path(path, work->options->folder, file, work->reason);
    if (status == PBFT_OK) {
        status = x509_certificate_store(path, certificate, work->reason);
    }
    if (status != PBFT_OK || key == NULL) {
        return status;
    }
    (void)snprintf(file, sizeof file, "%s.key", name);
    status = tool_path(path, work->options->folder, file, work->reason);
    if (status == PBFT_OK) {
        status = x509_key_store(path, key, work->reason);
    }
    return status;
}

static enum pbft_status make_ca(struct work *work)
{
    const struct institution_import *import = &work->options->import;
    const struct x509_validity validity = {work->now_s - CLOCK_TOLERANCE_S,
                                           work->now_s + CA_VALIDITY_S};

    if (import->ca == NULL) {
        enum pbft_status status =
            x509_ca_create(&work->ca, &work->ca_key, work->member->name,
                           &validity, work->reason);
        return status == PBFT_OK
                   ? store_pair(work, "ca", &work->ca, &work->ca_key)
                   : status;
    }
    enum pbft_status status =
        x509_certificate_load(&work->ca, import->ca, work->reason);
    if (status == PBFT_OK) {
        status = x509_check_ca(&work->ca, work->now_s, work->reason);
    }
    if (status == PBFT_OK && import->ca_key != NULL) {
        status = x509_key_load(&work->ca_key, import->ca_key, work->reason);
    }
    /* The key of an existing CA stays where it is. */
    return status == PBFT_OK ? store_pair(work, "ca", &work->ca, NULL) : status;
}

struct certificate_plan {
    enum x509_role role;
    const char *file;        /* "replica-tls" */
    const char *certificate; /* To import, or NULL. */
    const char *key;
};

static enum pbft_status take_certificate(struct work *work,
                                         const struct certificate_plan *plan)
{
    char name[X509_NAME_MAX];
    struct x509_certificate certificate;
    struct x509_key key = {.size = 0};
    const struct x509_issuer issuer = {&work->ca, &work->ca_key};
    struct x509_validity ca_validity;

    enum pbft_status status = x509_name(name, plan->role, work->member->name);
    if (status == PBFT_OK) {
        status = x509_validity_of(&ca_validity, &work->ca);
    }
    if (status == PBFT_OK && plan->certificate != NULL) {
        status = x509_certificate_load(&certificate, plan->certificate,
                                       work->reason);
        if (status == PBFT_OK) {
            status = x509_key_load(&key, plan->key, work->reason);
        }
    } else if (status == PBFT_OK) {
        struct x509_validity validity = {work->now_s - CLOCK_TOLERANCE_S,
                                         work->now_s + END_VALIDITY_S};
        if (validity.from_s < ca_validity.from_s) {
            validity.from_s = ca_validity.from_s;
        }
        if (validity.to_s > ca_validity.to_s) {
            validity.to_s = ca_validity.to_s;
        }
        status = x509_issue(&certificate, &key, &issuer, name, &validity,
                            work->reason);
    }
    const struct x509_expectation expectation = {
        .ca = &work->ca, .key = &key, .dns_name = name, .now_s = work->now_s};
    if (status == PBFT_OK) {
        status = x509_check(&certificate, &expectation, work->reason);
    }
    if (status == PBFT_OK) {
        status = store_pair(work, plan->file, &certificate, &key);
    }
    x509_key_wipe(&key);
    return status;
}

static enum pbft_status make_certificates(struct work *work)
{
    const struct institution_import *import = &work->options->import;
    const struct certificate_plan replica = {X509_REPLICA, "replica-tls",
                                             import->replica_certificate,
                                             import->replica_tls_key};
    const struct certificate_plan client = {X509_CLIENT, "client-tls",
                                            import->client_certificate,
                                            import->client_tls_key};

    enum pbft_status status = make_ca(work);
    if (status == PBFT_OK && work->member->has_replica) {
        status = take_certificate(work, &replica);
    }
    if (status == PBFT_OK) {
        status = take_certificate(work, &client);
    }
    x509_key_wipe(&work->ca_key);
    memcpy(work->member->tls_ca, work->ca.der, work->ca.size);
    work->member->tls_ca_size = (uint32_t)work->ca.size;
    return status;
}

static enum pbft_status sign_possession(struct work *work,
                                        const uint8_t seed[SIGN_SEED_SIZE])
{
    struct wire_buffer preimage;
    struct sign_secret secret;
    struct pbft_public_key public_key;

    wire_buffer_init(&preimage, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status =
        member_possession_preimage(work->member, &preimage);
    if (status == PBFT_OK) {
        sign_from_seed(&secret, &public_key, seed);
        sign_message(&work->member->possession, &secret,
                     wire_buffer_bytes(&preimage));
        secret_wipe(&secret, sizeof secret);
    }
    wire_buffer_deinit(&preimage);
    return status;
}

static enum pbft_status store_member(struct work *work)
{
    char path[CONSORTIUM_PATH_MAX];
    struct wire_buffer bytes;

    wire_buffer_init(&bytes, WIRE_FRAME_BYTES_MAX);
    enum pbft_status status =
        tool_path(path, work->options->folder, "member.txt", work->reason);
    if (status == PBFT_OK) {
        status = member_encode(work->member, &bytes);
    }
    if (status == PBFT_OK) {
        status = tool_armor_create(path, ARMOR_MEMBER,
                                   wire_buffer_bytes(&bytes), work->reason);
    }
    wire_buffer_deinit(&bytes);
    return status;
}

static enum pbft_status make_keys(struct work *work)
{
    struct salus_member *member = work->member;
    struct keyfile replica = {.kind = KEYFILE_REPLICA};
    struct keyfile client = {.kind = KEYFILE_CLIENT};
    struct keyfile encryption = {.kind = KEYFILE_ENCRYPTION};

    enum pbft_status status =
        make_key_file(work, "client.key", KEYFILE_CLIENT, &client);
    if (status == PBFT_OK && member->has_replica) {
        status = make_key_file(work, "replica.key", KEYFILE_REPLICA, &replica);
    }
    if (status == PBFT_OK) {
        status = make_key_file(work, "encryption.key", KEYFILE_ENCRYPTION,
                               &encryption);
    }
    if (member->has_replica) {
        member->replica_key = replica.public_key;
    }
    member->submit_keys[0] = client.public_key;
    member->submit_key_count = 1;
    memcpy(member->encryption_key, encryption.public_key.bytes,
           sizeof member->encryption_key);
    member->has_encryption_key = true;
    if (status == PBFT_OK) {
        status = sign_possession(work, member->has_replica ? replica.secret
                                                           : client.secret);
    }
    keyfile_wipe(&replica);
    keyfile_wipe(&client);
    keyfile_wipe(&encryption);
    return status;
}

static bool copy_text(char *out, size_t size, const char *text)
{
    return text == NULL || (size_t)snprintf(out, size, "%s", text) < size;
}

/* What is too long; NULL: nothing. */
static const char *fill_member(struct work *work)
{
    const struct institution_options *options = work->options;
    struct salus_member *member = work->member;
    static const struct pbft_institution none;

    memset(member, 0, sizeof *member);
    member->institution = options->institution;
    if (memcmp(&member->institution, &none, sizeof none) == 0) {
        random_fill(&member->institution, sizeof member->institution);
    }
    member->has_replica = options->peer_address != NULL;
    if (options->role_count > MEMBER_ROLES_MAX) {
        return "the list of roles is too long";
    }
    for (size_t i = 0; i < options->role_count; i++) {
        member->roles[i] = options->roles[i];
    }
    member->role_count = (uint32_t)options->role_count;
    if (!copy_text(member->name, sizeof member->name, options->name)) {
        return WRONG_NAME;
    }
    if (!copy_text(member->legal_name, sizeof member->legal_name,
                   options->legal_name)) {
        return "the legal name has to be one line of 1 to 128 bytes";
    }
    if (!copy_text(member->country, sizeof member->country, options->country)) {
        return WRONG_COUNTRY;
    }
    bool fits = copy_text(member->peer_address, sizeof member->peer_address,
                          options->peer_address) &&
                copy_text(member->client_address, sizeof member->client_address,
                          options->client_address);
    return fits ? NULL : "an address is too long";
}

/* What people type, before any file is made; member_check() sees the rest. */
static enum pbft_status check_texts(const struct salus_member *member,
                                    struct salus_reason *reason)
{
    const char *wrong = NULL;
    struct pbft_bytes legal_name = {(const uint8_t *)member->legal_name,
                                    strlen(member->legal_name)};
    if (!member_name_is_valid(member->name)) {
        wrong = WRONG_NAME;
    } else if (legal_name.size == 0 || !wire_utf8_is_line(legal_name)) {
        wrong = "the legal name has to be one line of 1 to 128 bytes";
    } else if (strspn(member->country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2) {
        wrong = WRONG_COUNTRY;
    } else if (member->has_replica &&
               !member_address_is_valid(member->peer_address)) {
        wrong = "the address for replicas is not host:port";
    } else if (member->has_replica &&
               !member_address_is_valid(member->client_address)) {
        wrong = "the address for clients is not host:port";
    }
    if (wrong != NULL) {
        salus_reason_set(reason, "%s", wrong);
        return PBFT_INVALID_ARGUMENT;
    }
    return PBFT_OK;
}

enum pbft_status institution_create(struct salus_member *member,
                                    const struct institution_options *options,
                                    struct salus_reason *reason)
{
    struct work work = {.options = options,
                        .member = member,
                        .reason = reason,
                        .now_s = (int64_t)time(NULL)};

    salus_reason_set(reason, "%s", "");
    const char *wrong = fill_member(&work);
    if (wrong != NULL) {
        salus_reason_set(reason, "%s", wrong);
        return PBFT_INVALID_ARGUMENT;
    }
    enum pbft_status status = check_texts(member, reason);
    if (status == PBFT_OK) {
        status = tool_folder_claim(options->folder, 0700, reason);
    }
    if (status == PBFT_OK) {
        status = make_certificates(&work);
    }
    if (status == PBFT_OK) {
        status = make_keys(&work);
    }
    if (status == PBFT_OK) {
        status = member_check(member, reason);
    }
    if (status == PBFT_OK) {
        status = store_member(&work);
    }
    if (status != PBFT_OK && reason->text[0] == '\0') {
        salus_reason_set(reason, "%s: %s", options->folder,
                         pbft_status_text(status));
    }
    return status;
}
