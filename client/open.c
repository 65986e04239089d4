/* SPDX-License-Identifier: Apache-2.0 */
/* From files to a client that is connecting. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/certify.h"
#include "crypto/file.h"
#include "crypto/init.h"
#include "crypto/keyfile.h"
#include "crypto/secret.h"
#include "crypto/x509.h"
#include "proto/codec_limits.h"

#define PATH_MAX_BYTES 4096
#define CHAIN_PEM_MAX (4u * X509_PEM_MAX) /* A certificate and its issuers. */

void salus_config_init(struct salus_config *config)
{
    memset(config, 0, sizeof(*config));
    config->timeout_ms = 30000;
    config->attempt_timeout_ms = 5000;
    config->transactions_per_request = 64;
    config->requests_in_flight = 16;
    config->gather_us = 2000;
    config->witness_grace_ms = CERTIFY_GRACE_MS;
}

static bool limits_are_valid(const struct salus_config *config)
{
    return config->timeout_ms > 0 && config->attempt_timeout_ms > 0 &&
           config->transactions_per_request > 0 &&
           config->transactions_per_request <=
               LEDGER_REQUEST_TRANSACTIONS_MAX &&
           config->requests_in_flight > 0 && config->genesis_file != NULL &&
           config->key_file != NULL && config->certificate_file != NULL &&
           config->tls_key_file != NULL;
}

/* A text file as a string. Secret ones are wiped by client_free_files(). */
static enum pbft_status read_text(char **out, const char *path,
                                  enum file_access access, size_t bytes_max,
                                  struct salus_reason *reason)
{
    size_t size = 0;
    char *text = malloc(bytes_max + 1);

    if (text == NULL) {
        return PBFT_NO_MEMORY;
    }
    enum pbft_status status =
        file_read((uint8_t *)text, bytes_max, &size, path, access, reason);
    if (status != PBFT_OK) {
        free(text);
        return status;
    }
    text[size] = '\0';
    *out = text;
    return PBFT_OK;
}

static enum pbft_status load_genesis(struct salus_client *client,
                                     const char *path,
                                     struct salus_reason *reason)
{
    char *text = NULL;
    enum pbft_status status =
        read_text(&text, path, FILE_PUBLIC, WIRE_FRAME_BYTES_MAX, reason);

    if (status == PBFT_OK) {
        status = genesis_parse(
            crypto_provider_verify_only(),
            (struct pbft_bytes){(const uint8_t *)text, strlen(text)},
            &client->genesis, &client->domain.cluster, reason);
        free(text);
    }
    if (status == PBFT_OK) {
        client->replica_count = genesis_replica_count(client->genesis);
        client->window = client->genesis->parameters.session_window;
        genesis_keyring(client->genesis, &client->keyring);
    }
    return status;
}

/* Whether the key is active the ledger knows: the genesis has the first keys
 * only. */
static enum pbft_status load_key(struct salus_client *client, const char *path,
                                 struct salus_reason *reason)
{
    struct keyfile key;
    enum pbft_status status = keyfile_read(&key, path, KEYFILE_CLIENT, reason);

    if (status != PBFT_OK) {
        return status;
    }
    client->key = key.public_key;
    client->institution = key.institution;
    transaction_key_id(&client->key_id, client->key.bytes);
    if (genesis_find(client->genesis, &client->institution) == NULL) {
        salus_reason_set(reason,
                         "key file %s: its institution is no member of this "
                         "consortium: wrong genesis file, or wrong key",
                         path);
        status = PBFT_NOT_MEMBER;
    } else {
        status = crypto_provider_create(&client->provider, key.secret);
    }
    keyfile_wipe(&key);
    return status;
}

/* Which replica is asked first: the one named, else the own one, else 0. */
static enum pbft_status choose_home(struct salus_client *client,
                                    const char *name,
                                    struct salus_reason *reason)
{
    const struct salus_member *member =
        name != NULL ? genesis_find_name(client->genesis, name)
                     : genesis_find(client->genesis, &client->institution);
    pbft_replica_id home = 0;

    if (member == NULL || !genesis_replica_id(client->genesis, member, &home)) {
        if (name != NULL) {
            salus_reason_set(reason,
                             "replica: %s: no member of the genesis with this "
                             "name runs one",
                             name);
            return PBFT_NOT_FOUND;
        }
        home = 0;
    }
    client->home = home;
    client->preferred = home;
    return PBFT_OK;
}

static enum pbft_status begin_session(struct salus_client *client,
                                      const struct salus_config *config,
                                      struct salus_reason *reason)
{
    char path[PATH_MAX_BYTES];

    if (config->session_file != NULL) {
        return client_session_begin(config->session_file, &client->session,
                                    reason);
    }
    int size = snprintf(path, sizeof(path), "%s.session", config->key_file);
    if (size < 0 || (size_t)size >= sizeof(path)) {
        return PBFT_INVALID_ARGUMENT;
    }
    return client_session_begin(path, &client->session, reason);
}

static enum pbft_status load_files(struct salus_client *client,
                                   const struct salus_config *config,
                                   struct salus_reason *reason)
{
    enum pbft_status status = crypto_init();

    if (status == PBFT_OK) {
        status = load_genesis(client, config->genesis_file, reason);
    }
    if (status == PBFT_OK) {
        status = load_key(client, config->key_file, reason);
    }
    if (status == PBFT_OK) {
        status = choose_home(client, config->replica, reason);
    }
    if (status == PBFT_OK) {
        status = read_text(&client->certificate_pem, config->certificate_file,
                           FILE_PUBLIC, CHAIN_PEM_MAX, reason);
    }
    if (status == PBFT_OK) {
        status = read_text(&client->tls_key_pem, config->tls_key_file,
                           FILE_SECRET, X509_PEM_MAX, reason);
    }
    if (status == PBFT_OK) {
        status = client_check_certificate(client, config, reason);
    }
    if (status == PBFT_OK) {
        status = begin_session(client, config, reason);
    }
    return status;
}

static void fill_verifier(struct salus_client *client)
{
    crypto_remember_init(&client->remember,
                         crypto_provider_vtable(client->provider));
    client->domain.crypto = crypto_remember_vtable(&client->remember);
    client->verifier.domain = &client->domain;
    client->verifier.keyring = &client->keyring;
    client->verifier.window = client->genesis->parameters.window;
}

static void init_locks(struct salus_client *client)
{
    pthread_condattr_t monotonic;

    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&client->lock, NULL);
    (void)pthread_mutex_init(&client->opening, NULL);
    (void)pthread_cond_init(&client->changed, &monotonic);
    (void)pthread_cond_init(&client->tick, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

static void destroy(struct salus_client *client)
{
    if (client->tls_key_pem != NULL) {
        secret_wipe(client->tls_key_pem, strlen(client->tls_key_pem));
    }
    free(client->tls_key_pem);
    free(client->certificate_pem);
    if (client->domain.crypto != NULL) {
        crypto_remember_deinit(&client->remember);
    }
    crypto_provider_destroy(client->provider);
    genesis_destroy(client->genesis);
    (void)pthread_cond_destroy(&client->tick);
    (void)pthread_cond_destroy(&client->changed);
    (void)pthread_mutex_destroy(&client->opening);
    (void)pthread_mutex_destroy(&client->lock);
    free(client);
}

static enum salus_status fail_open(struct salus_client *client, char *problem,
                                   enum pbft_status status,
                                   const struct salus_reason *reason)
{
    if (problem != NULL) {
        (void)snprintf(problem, SALUS_PROBLEM_SIZE, "%s",
                       reason->text[0] != '\0' ? reason->text
                                               : pbft_status_text(status));
    }
    if (client != NULL) {
        destroy(client);
    }
    return status == PBFT_NO_MEMORY          ? SALUS_NO_MEMORY
           : status == PBFT_INVALID_ARGUMENT ? SALUS_INVALID_ARGUMENT
                                             : SALUS_BAD_FILE;
}

enum salus_status salus_open(struct salus_client **out, char *problem,
                             const struct salus_config *config)
{
    struct salus_reason reason = {{0}};

    *out = NULL;
    if (!limits_are_valid(config)) {
        salus_reason_set(&reason, "a file is not named or a limit is 0");
        return fail_open(NULL, problem, PBFT_INVALID_ARGUMENT, &reason);
    }
    struct salus_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return fail_open(NULL, problem, PBFT_NO_MEMORY, &reason);
    }
    init_locks(client);
    enum pbft_status status = load_files(client, config, &reason);
    if (status != PBFT_OK) {
        return fail_open(client, problem, status, &reason);
    }
    fill_verifier(client);
    client->config = *config;
    client->next_sequence = 1;
    for (uint32_t i = 0; i < client->replica_count; i++) {
        client->homes[i].client = client;
        client->homes[i].replica = i;
    }
    if (client_channel_take(client, client->home) != NULL) {
        client_channel_give_back(client);
    }
    if (pthread_create(&client->ticker, NULL, client_ticker, client) != 0) {
        salus_reason_set(&reason, "no thread to be had");
        net_channel_close(client->channels[client->home]);
        return fail_open(client, problem, PBFT_NO_MEMORY, &reason);
    }
    *out = client;
    return SALUS_OK;
}

/* Everything that is queued or flying ends. */
static struct submission *take_all(struct salus_client *client)
{
    struct submission *list = client->queue_first;
    struct submission **end = &list;

    client->queue_first = NULL;
    client->queue_last = NULL;
    while (client->requests_first != NULL) {
        while (*end != NULL) {
            end = &(*end)->next;
        }
        *end = client_end_request(client, client->requests_first);
    }
    client_fill_results(list, SALUS_CLOSED, 0);
    return list;
}

void salus_close(struct salus_client *client)
{
    if (client == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&client->lock);
    client->closing = true;
    (void)pthread_cond_broadcast(&client->tick);
    (void)pthread_cond_broadcast(&client->changed);
    (void)pthread_mutex_unlock(&client->lock);
    (void)pthread_join(client->ticker, NULL);
    (void)pthread_mutex_lock(&client->lock);
    while (client->channel_users > 0) { /* None comes any more. */
        (void)pthread_cond_wait(&client->changed, &client->lock);
    }
    (void)pthread_mutex_unlock(&client->lock);
    for (uint32_t i = 0; i < client->replica_count; i++) {
        net_channel_close(client->channels[i]); /* Ends the calls in flight. */
    }
    (void)pthread_mutex_lock(&client->lock);
    struct submission *list = take_all(client); /* None comes any more. */
    (void)pthread_mutex_unlock(&client->lock);
    client_call_back(client, list); /* Some calls wait for what they hear. */
    (void)pthread_mutex_lock(&client->lock);
    while (client->users > 0) {
        (void)pthread_cond_wait(&client->changed, &client->lock);
    }
    (void)pthread_mutex_unlock(&client->lock);
    destroy(client);
}

void salus_identity(const struct salus_client *client,
                    uint8_t cluster[SALUS_DIGEST_SIZE],
                    uint8_t institution[SALUS_ID_SIZE],
                    uint8_t key_id[SALUS_ID_SIZE])
{
    memcpy(cluster, client->domain.cluster.bytes, SALUS_DIGEST_SIZE);
    memcpy(institution, client->institution.bytes, SALUS_ID_SIZE);
    memcpy(key_id, client->key_id.bytes, SALUS_ID_SIZE);
}

uint32_t salus_replica_count(const struct salus_client *client)
{
    return client->replica_count;
}

const char *salus_replica_name(const struct salus_client *client,
                               uint32_t replica)
{
    const struct salus_member *member =
        genesis_replica(client->genesis, replica);

    return member == NULL ? NULL : member->name;
}
