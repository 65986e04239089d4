/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file of salusd (YAML). Paths are relative to the file.
 *
 *   genesis: genesis.txt                    # the consortium
 *   replica_key: st-anna/replica.key        # who this replica is; mode 0600
 *   certificate: st-anna/replica-tls.pem    # PEM
 *   tls_key: st-anna/replica-tls.key        # PEM, mode 0600
 *   data_dir: st-anna/data                  # made if it does not exist
 *   peer_listen: 0.0.0.0:7400               # for other replicas
 *   client_listen: 0.0.0.0:7401             # for applications
 *
 * and, if the defaults do not fit:
 *
 *   institution: st-anna        # refuse to start with another member's key
 *   log_level: info             # error, warning, info
 *   monitor: on                 # on, off: replace slow and silent primaries
 *   peers:                      # other addresses than the genesis names
 *     - name: st-berta
 *       address: 10.0.0.2:7400
 *   limits:
 *     verifier_threads: 0       # 0: one less than cores it may use
 *     calls_max: 1024           # calls of clients in flight
 *     calls_per_caller_max: 512 # the same, of one institution
 *     write_buffer_mib: 128     # RocksDB: written data held in memory
 *     cache_mib: 32             # RocksDB: blocks read; grows
 *   timeouts:
 *     request_ms: 4000          # pending so long: ask for a view change;
 *                               # and wait so long for it, then longer
 *     batch_delay_ms: 12        # requests gather, with blocks under way
 *     status_ms: 1000           # between two reports to the peers
 *     resend_ms: 500            # no progress so long: send again
 *
 * What makes a replica half-safe cannot be written here: --unsafe-... on the
 * command line is visible where it is used.
 */
#ifndef NODE_CONFIG_H
#define NODE_CONFIG_H

#include "consensus/status.h"
#include "consensus/types.h"
#include "proto/member.h"
#include "proto/reason.h"

#define CONFIG_FILE_BYTES_MAX 65536u /* A hundred times a usual one. */
#define CONFIG_PATH_MAX 1024u        /* With the terminating zero. */

/* Ranges, checked with line and column. */
#define CONFIG_VERIFIER_THREADS_MAX 64u
#define CONFIG_CALLS_MAX 65536u
#define CONFIG_MEMORY_MIB_MIN 8u
#define CONFIG_MEMORY_MIB_MAX 16384u
#define CONFIG_TIMEOUT_MS_MAX 600000u
#define CONFIG_BATCH_DELAY_MS_MAX 1000u
#define CONFIG_REQUEST_MS_MIN                                                  \
    100u /* Below it a busy disk deposes primaries.                            \
          */
#define CONFIG_INTERVAL_MS_MIN 10u

enum config_log_level {
    CONFIG_LOG_ERROR = 0,
    CONFIG_LOG_WARNING = 1,
    CONFIG_LOG_INFO = 2, /* The default. */
};

/* Another address of a replica than the genesis has, e.g. behind a VPN. */
struct config_peer {
    char name[MEMBER_NAME_MAX + 1];
    char address[MEMBER_ADDRESS_MAX + 1];
};

/* Plain data of about 45 KiB. 0 in a number means the default. */
struct node_config {
    char genesis[CONFIG_PATH_MAX];
    char replica_key[CONFIG_PATH_MAX];
    char certificate[CONFIG_PATH_MAX];
    char tls_key[CONFIG_PATH_MAX];
    char data_dir[CONFIG_PATH_MAX];
    char peer_listen[MEMBER_ADDRESS_MAX + 1];
    char client_listen[MEMBER_ADDRESS_MAX + 1];
    char institution[MEMBER_NAME_MAX + 1]; /* Empty: any. */
    enum config_log_level log_level;
    bool monitor_off;
    struct config_peer peers[PBFT_REPLICAS_MAX];
    uint32_t peer_count;
    uint32_t verifier_threads;
    uint32_t calls_max;
    uint32_t calls_per_caller_max;
    uint32_t write_buffer_mib;
    uint32_t cache_mib;
    uint32_t request_timeout_ms;
    uint32_t batch_delay_ms;
    uint32_t status_interval_ms;
    uint32_t resend_interval_ms;
};

/* Reads, completes paths, checks types, ranges, unknown, double and missing
 * keys. INVALID_CONFIG, and NOT_FOUND, PERMISSION, TOO_LARGE, IO of the file;
 * `reason` begins with "path:line:column:" where there is one. */
PBFT_MUST_USE enum pbft_status config_load(const char *path,
                                           struct node_config *out,
                                           struct salus_reason *reason);

/* The address to dial for the member `name`; NULL: that of the genesis. */
const char *config_peer_address(const struct node_config *config,
                                const char *name);

#endif /* NODE_CONFIG_H */
