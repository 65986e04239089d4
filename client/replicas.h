/* SPDX-License-Identifier: Apache-2.0 */
/* Real replicas of a trial consortium as child processes, for `salus demo` and
 * `salus bench`. Everything they leave lies below one folder.
 */
#ifndef CLIENT_REPLICAS_H
#define CLIENT_REPLICAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "consensus/status.h"

#define REPLICAS_PATH_MAX 512

struct replicas {
    char folder[REPLICAS_PATH_MAX];  /* Of the consortium. */
    char program[REPLICAS_PATH_MAX]; /* salusd. */
    uint32_t count;
    pid_t pids[32];         /* 0: not running. */
    const char *options[4]; /* Further ones for salusd; NULL-terminated. */
    bool outlive_us;        /* They go on when this process ends. */
};

/* Finds salusd: $SALUSD, beside this program, or in the build tree of it. */
PBFT_MUST_USE enum pbft_status
replicas_init(struct replicas *replicas, const char *folder, uint32_t count);

/* Starts replica `id` with its configuration; output goes to its log file. The
 * child is told to end when we do, unless it shall outlive us. Returns once the
 * process exists. */
PBFT_MUST_USE enum pbft_status replicas_start(struct replicas *replicas,
                                              uint32_t id);

/* SIGKILL, and waits for the end. */
void replicas_kill(struct replicas *replicas, uint32_t id);

/* SIGTERM to all; SIGKILL to those still there after `patience_ms`. Returns how
 * many did not end by themselves with status 0. */
uint32_t replicas_stop_all(struct replicas *replicas, uint32_t patience_ms);

/* The id of a replica that ended by itself, or -1. `*status` is as by wait().
 */
int replicas_find_dead(struct replicas *replicas, int *status);

/* The log file of a replica: `out` holds REPLICAS_PATH_MAX bytes. */
void replicas_log_path(const struct replicas *replicas, uint32_t id, char *out);

/* `count` consecutive free TCP ports, each found by binding it; 0 if there are
 * none. Another process may take one before we use it: then starting fails. */
uint16_t replicas_free_ports(uint16_t count);

/* Removes a folder and all below it, without following links. */
void replicas_remove_folder(const char *folder);

#endif /* CLIENT_REPLICAS_H */
