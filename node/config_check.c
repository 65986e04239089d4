/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges and forms of what the configuration file says, and that its paths do
 * not get into each other's way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/config_private.h"

struct range {
    const char *key;
    uint32_t value;
    uint32_t min;
    uint32_t max;
};

static enum pbft_status check_ranges(struct config_source *source,
                                     const struct config_file *text)
{
    const struct config_file_limits *limits = &text->limits;
    const struct config_file_timeouts *timeouts = &text->timeouts;
    const struct range ranges[] = {
        {"verifier_threads", limits->verifier_threads, 0,
         CONFIG_VERIFIER_THREADS_MAX},
        {"calls_max", limits->calls_max, 1, CONFIG_CALLS_MAX},
        {"calls_per_caller_max", limits->calls_per_caller_max, 1,
         CONFIG_CALLS_MAX},
        {"write_buffer_mib", limits->write_buffer_mib, CONFIG_MEMORY_MIB_MIN,
         CONFIG_MEMORY_MIB_MAX},
        {"cache_mib", limits->cache_mib, CONFIG_MEMORY_MIB_MIN,
         CONFIG_MEMORY_MIB_MAX},
        {"request_ms", timeouts->request_ms, CONFIG_REQUEST_MS_MIN,
         CONFIG_TIMEOUT_MS_MAX},
        {"batch_delay_ms", timeouts->batch_delay_ms, 1,
         CONFIG_BATCH_DELAY_MS_MAX},
        {"status_ms", timeouts->status_ms, CONFIG_INTERVAL_MS_MIN,
         CONFIG_TIMEOUT_MS_MAX},
        {"resend_ms", timeouts->resend_ms, CONFIG_INTERVAL_MS_MIN,
         CONFIG_TIMEOUT_MS_MAX},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const struct range *range = &ranges[i];
        const struct config_place start = {0};
        struct config_place ignored;
        bool is_set =
            range->value != 0 ||
            config_text_find(source->text, range->key, start, &ignored);
        if (is_set &&
            (range->value < range->min || range->value > range->max)) {
            char what[64];
            (void)snprintf(what, sizeof what, "not %u..%u", range->min,
                           range->max);
            return config_refuse_key(source, range->key, what);
        }
    }
    return PBFT_OK;
}

static enum pbft_status check_texts(struct config_source *source,
                                    const struct config_file *text)
{
    if (!member_address_is_valid(text->peer_listen)) {
        return config_refuse_key(source, "peer_listen", "not host:port");
    }
    if (!member_address_is_valid(text->client_listen)) {
        return config_refuse_key(source, "client_listen", "not host:port");
    }
    if (strcmp(text->peer_listen, text->client_listen) == 0) {
        return config_refuse_key(source, "client_listen",
                                 "the same as peer_listen");
    }
    if (text->institution != NULL && !member_name_is_valid(text->institution)) {
        return config_refuse_key(source, "institution", "not [a-z0-9-]{1,32}");
    }
    for (uint32_t i = 0; i < text->peers_count; i++) {
        const struct config_file_peer *peer = &text->peers[i];
        if (!member_name_is_valid(peer->name)) {
            return config_refuse_key(source, "peers",
                                     "a name is not "
                                     "[a-z0-9-]{1,32}");
        }
        if (!member_address_is_valid(peer->address)) {
            return config_refuse_key(source, "peers",
                                     "an address is not host:port");
        }
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(peer->name, text->peers[j].name) == 0) {
                return config_refuse_key(source, "peers",
                                         "a name stands there twice");
            }
        }
    }
    return PBFT_OK;
}

/* Paths in the file are relative to it. */
static enum pbft_status complete(struct config_source *source,
                                 char out[CONFIG_PATH_MAX], const char *key,
                                 const char *path)
{
    const char *slash = strrchr(source->path, '/');
    size_t folder = slash == NULL || path[0] == '/'
                        ? 0
                        : (size_t)(slash - source->path) + 1;
    if (folder + strlen(path) >= CONFIG_PATH_MAX) {
        return config_refuse_key(source, key, "path is too long");
    }
    memcpy(out, source->path, folder);
    memcpy(out + folder, path, strlen(path) + 1);
    return PBFT_OK;
}

static enum pbft_status copy_paths(struct config_source *source,
                                   const struct config_file *text,
                                   struct node_config *out)
{
    enum pbft_status status =
        complete(source, out->genesis, "genesis", text->genesis);
    if (status == PBFT_OK) {
        status = complete(source, out->replica_key, "replica_key",
                          text->replica_key);
    }
    if (status == PBFT_OK) {
        status = complete(source, out->certificate, "certificate",
                          text->certificate);
    }
    if (status == PBFT_OK) {
        status = complete(source, out->tls_key, "tls_key", text->tls_key);
    }
    if (status == PBFT_OK) {
        status = complete(source, out->data_dir, "data_dir", text->data_dir);
    }
    return status;
}

/* `folder` is a real path; `path` need not exist. */
static bool is_within(const char *folder, const char *path)
{
    char *real = realpath(path, NULL);
    size_t size = strlen(folder);
    bool found = real != NULL && strncmp(real, folder, size) == 0 &&
                 (real[size] == '/' || real[size] == '\0');
    free(real);
    return found;
}

/* The file, or the folder where its name or a link to it stands. */
static bool holds(const char *folder, const char *path)
{
    char parent[CONFIG_PATH_MAX];
    (void)snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash != NULL) {
        slash[slash == parent ? 1 : 0] = '\0';
    }
    return is_within(folder, slash != NULL ? parent : ".") ||
           is_within(folder, path);
}

/* A damaged data folder is renamed: what a replica cannot start without must
 * not go with it. */
static enum pbft_status check_data_dir(struct config_source *source,
                                       const struct node_config *config)
{
    const struct {
        const char *key;
        const char *path;
    } files[] = {
        {"genesis", config->genesis},         {"tls_key", config->tls_key},
        {"replica_key", config->replica_key}, {"this file", source->path},
        {"certificate", config->certificate},
    };
    char inside[CONFIG_PATH_MAX + 2];
    (void)snprintf(inside, sizeof inside, "%s/.", config->data_dir);
    char *folder = realpath(inside, NULL); /* Of a folder only. */
    enum pbft_status status = PBFT_OK;
    for (size_t i = 0; folder != NULL && i < sizeof files / sizeof *files;
         i++) {
        if (holds(folder, files[i].path)) {
            char what[96];
            (void)snprintf(what, sizeof what,
                           "holds %s, which would go with it if it were set "
                           "aside",
                           files[i].key);
            status = config_refuse_key(source, "data_dir", what);
            break;
        }
    }
    free(folder);
    return status;
}

/* The schema has bounded the sizes. */
static void copy_text(char *out, size_t size, const char *text)
{
    (void)snprintf(out, size, "%s", text);
}

static void copy_peers(const struct config_file *text, struct node_config *out)
{
    out->peer_count = text->peers_count;
    for (uint32_t i = 0; i < text->peers_count; i++) {
        copy_text(out->peers[i].name, sizeof out->peers[i].name,
                  text->peers[i].name);
        copy_text(out->peers[i].address, sizeof out->peers[i].address,
                  text->peers[i].address);
    }
}

static void copy_values(const struct config_file *text, struct node_config *out)
{
    copy_text(out->peer_listen, sizeof out->peer_listen, text->peer_listen);
    copy_text(out->client_listen, sizeof out->client_listen,
              text->client_listen);
    if (text->institution != NULL) {
        copy_text(out->institution, sizeof out->institution, text->institution);
    }
    out->log_level = text->log_level == 0
                         ? CONFIG_LOG_INFO
                         : (enum config_log_level)(text->log_level - 1);
    out->monitor_off = text->monitor == CONFIG_OFF;
    out->verifier_threads = text->limits.verifier_threads;
    out->calls_max = text->limits.calls_max;
    out->calls_per_caller_max = text->limits.calls_per_caller_max;
    out->write_buffer_mib = text->limits.write_buffer_mib;
    out->cache_mib = text->limits.cache_mib;
    out->request_timeout_ms = text->timeouts.request_ms;
    out->batch_delay_ms = text->timeouts.batch_delay_ms;
    out->status_interval_ms = text->timeouts.status_ms;
    out->resend_interval_ms = text->timeouts.resend_ms;
}

enum pbft_status config_take(struct config_source *source,
                             const struct config_file *text,
                             struct node_config *out)
{
    enum pbft_status status = check_ranges(source, text);
    if (status == PBFT_OK) {
        status = check_texts(source, text);
    }
    if (status == PBFT_OK) {
        status = copy_paths(source, text, out);
    }
    if (status == PBFT_OK) {
        status = check_data_dir(source, out);
    }
    if (status == PBFT_OK) {
        copy_values(text, out);
        copy_peers(text, out);
    }
    return status;
}
