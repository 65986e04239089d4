/* SPDX-License-Identifier: Apache-2.0 */
/* Reads genesis, key and certificates, and checks them against each other. */
#include "node/identity.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/file.h"
#include "crypto/keyfile.h"
#include "crypto/secret.h"
#include "node/limits.h"

static enum pbft_status load_genesis(struct node_identity *identity,
                                     const char *path,
                                     struct salus_reason *reason)
{
    uint8_t *text = malloc(NODE_FILE_BYTES_MAX);
    size_t size = 0;
    if (text == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status =
        file_read(text, NODE_FILE_BYTES_MAX, &size, path, FILE_PUBLIC, reason);
    if (status == PBFT_OK) {
        struct salus_reason why = {{0}};
        status = genesis_parse(crypto_provider_verify_only(),
                               (struct pbft_bytes){text, size},
                               &identity->genesis, &identity->cluster, &why);
        if (status != PBFT_OK) {
            salus_reason_set(reason, "%s: %s", path,
                             why.text[0] != '\0' ? why.text
                                                 : pbft_status_text(status));
        }
    }
    free(text);
    return status;
}

/* Whose key is it? */
static enum pbft_status find_member(struct node_identity *identity,
                                    const struct keyfile *key,
                                    const struct node_identity_files *files,
                                    struct salus_reason *reason)
{
    const struct salus_genesis *genesis = identity->genesis;
    identity->member = genesis_find_replica_key(genesis, &key->public_key);
    if (identity->member == NULL ||
        !genesis_replica_id(genesis, identity->member, &identity->self)) {
        salus_reason_set(reason,
                         "%s: no replica of consortium %s has this key (%s)",
                         files->replica_key, genesis->name, files->genesis);
        return PBFT_WRONG_IDENTITY;
    }
    const char *name = identity->member->name;
    if (files->institution != NULL && strcmp(name, files->institution) != 0) {
        salus_reason_set(reason, "%s: this is the key of member %s, not of %s",
                         files->replica_key, name, files->institution);
        return PBFT_WRONG_IDENTITY;
    }
    if (memcmp(&key->institution, &identity->member->institution,
               sizeof key->institution) != 0) {
        salus_reason_set(reason, "%s: the institution in it is not %s",
                         files->replica_key, name);
        return PBFT_WRONG_IDENTITY;
    }
    return PBFT_OK;
}

static enum pbft_status load_key(struct node_identity *identity,
                                 const struct node_identity_files *files,
                                 struct salus_reason *reason)
{
    struct keyfile key;
    enum pbft_status status =
        keyfile_read(&key, files->replica_key, KEYFILE_REPLICA, reason);
    if (status == PBFT_OK) {
        status = find_member(identity, &key, files, reason);
    }
    if (status == PBFT_OK) {
        status = crypto_provider_create(&identity->provider, key.secret);
    }
    keyfile_wipe(&key);
    if (status != PBFT_OK) {
        return status;
    }
    identity->domain = (struct pbft_domain){
        .crypto = crypto_provider_vtable(identity->provider),
        .cluster = identity->cluster,
    };
    genesis_keyring(identity->genesis, &identity->keyring);
    identity->replica_count = genesis_replica_count(identity->genesis);
    return PBFT_OK;
}

static enum pbft_status find_ends(struct node_identity *identity,
                                  const struct x509_certificate *certificate,
                                  const struct x509_certificate *ca)
{
    struct x509_validity own;
    struct x509_validity issuer;
    enum pbft_status status = x509_validity_of(&own, certificate);
    if (status == PBFT_OK) {
        status = x509_validity_of(&issuer, ca);
    }
    if (status == PBFT_OK) {
        identity->certificate_ends_s = own.to_s;
        identity->ca_ends_s = issuer.to_s;
    }
    return status;
}

static enum pbft_status check_certificate(
    struct node_identity *identity, const struct x509_certificate *certificate,
    const struct x509_key *key, const char *path, struct salus_reason *reason)
{
    char name[X509_NAME_MAX];
    struct x509_certificate ca = {.size = identity->member->tls_ca_size};
    struct salus_reason why = {{0}};
    enum pbft_status status =
        x509_name(name, X509_REPLICA, identity->member->name);
    if (status != PBFT_OK || ca.size > sizeof ca.der) {
        return status != PBFT_OK ? status : PBFT_TOO_LARGE;
    }
    memcpy(ca.der, identity->member->tls_ca, ca.size);
    const struct x509_expectation expectation = {
        .ca = &ca, .key = key, .dns_name = name, .now_s = (int64_t)time(NULL)};
    status = x509_check(certificate, &expectation, &why);
    if (status != PBFT_OK) {
        salus_reason_set(reason, "%s: %s", path, why.text);
        return status;
    }
    return find_ends(identity, certificate, &ca);
}

static enum pbft_status load_tls(struct node_identity *identity,
                                 const struct node_identity_files *files,
                                 struct salus_reason *reason)
{
    struct x509_certificate certificate;
    struct x509_key key;
    enum pbft_status status =
        x509_certificate_load(&certificate, files->certificate, reason);
    if (status != PBFT_OK) {
        return status;
    }
    status = x509_key_load(&key, files->tls_key, reason);
    if (status == PBFT_OK) {
        status = check_certificate(identity, &certificate, &key,
                                   files->certificate, reason);
    }
    if (status == PBFT_OK) {
        status = x509_certificate_pem(identity->certificate_pem, &certificate);
    }
    if (status == PBFT_OK) {
        status = x509_key_pem(identity->tls_key_pem, &key);
    }
    x509_key_wipe(&key);
    identity->has_tls = status == PBFT_OK;
    return status;
}

enum pbft_status node_identity_load(struct node_identity *out,
                                    const struct node_identity_files *files,
                                    struct salus_reason *reason)
{
    memset(out, 0, sizeof *out);
    enum pbft_status status = load_genesis(out, files->genesis, reason);
    if (status == PBFT_OK) {
        status = load_key(out, files, reason);
    }
    if (status == PBFT_OK && files->certificate != NULL) {
        status = load_tls(out, files, reason);
    }
    if (status != PBFT_OK) {
        if (reason != NULL && reason->text[0] == '\0') {
            salus_reason_set(reason, "%s", pbft_status_text(status));
        }
        node_identity_unload(out);
    }
    return status;
}

void node_identity_unload(struct node_identity *identity)
{
    crypto_provider_destroy(identity->provider);
    genesis_destroy(identity->genesis);
    secret_wipe(identity, sizeof *identity);
}
