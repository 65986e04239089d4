/* SPDX-License-Identifier: Apache-2.0 */
/* What the files that read the configuration share. Private to them.
 */
#ifndef NODE_CONFIG_PRIVATE_H
#define NODE_CONFIG_PRIVATE_H

#include "node/config.h"
#include "node/config_text.h"

/* The file as libcyaml reads it. */
struct config_file_peer {
    char *name;
    char *address;
};

struct config_file_limits {
    uint32_t verifier_threads;
    uint32_t calls_max;
    uint32_t calls_per_caller_max;
    uint32_t write_buffer_mib;
    uint32_t cache_mib;
};

struct config_file_timeouts {
    uint32_t request_ms;
    uint32_t batch_delay_ms;
    uint32_t status_ms;
    uint32_t resend_ms;
};

enum config_switch { CONFIG_ON = 1, CONFIG_OFF = 2 };

struct config_file {
    char *genesis;
    char *replica_key;
    char *certificate;
    char *tls_key;
    char *data_dir;
    char *peer_listen;
    char *client_listen;
    char *institution;
    int log_level; /* enum config_log_level + 1; 0: not set. */
    int monitor;   /* enum config_switch; 0: not set. */
    struct config_file_peer *peers;
    uint32_t peers_count;
    struct config_file_limits limits;
    struct config_file_timeouts timeouts;
};

/* What is being read, and the first complaint about it. */
struct config_source {
    const char *path;
    const char *text;
    struct salus_reason *reason;
    struct config_place place;
    char what[128];
};

/* INVALID_CONFIG with "path:line:column: what", the place as far as known. */
enum pbft_status config_refuse(const struct config_source *source,
                               const char *what);
/* The same with the place of `key`, wherever it stands. */
enum pbft_status config_refuse_key(struct config_source *source,
                                   const char *key, const char *what);

/* Checks values and copies them. */
PBFT_MUST_USE enum pbft_status config_take(struct config_source *source,
                                           const struct config_file *text,
                                           struct node_config *out);

#endif /* NODE_CONFIG_PRIVATE_H */
