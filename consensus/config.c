/* SPDX-License-Identifier: Apache-2.0 */
/* Default limits, and the rules that a configuration must keep. */
#include "consensus/config.h"

#include <stddef.h>

#define SECOND_MS 1000u
#define SECOND_US UINT64_C(1000000)
/* No duration may come near an overflow of the clock. */
#define DURATION_MAX_MS (UINT64_C(24) * 3600 * SECOND_MS)

void pbft_config_defaults(struct pbft_config *config)
{
    *config = (struct pbft_config){
        .window = 256,
        .checkpoint_interval = 64,
        .batch_requests_max = 512,
        .batch_bytes_max = PBFT_REQUEST_BYTES_MAX,
        .pipeline_depth = 1,
        .null_depth = 4,
        .pending_requests_max = 8192,
        .pending_institution_max = 2048,
        .pending_bytes_max = 2 * PBFT_REPLICAS_MAX * PBFT_REQUEST_BYTES_MAX,
        .batch_delay_ms = 12,
        .request_timeout_ms = 4 * SECOND_MS,
        .view_change_timeout_ms = 4 * SECOND_MS,
        .view_change_timeout_max_ms = 60 * SECOND_MS,
        .status_interval_ms = SECOND_MS,
        .resend_interval_ms = 500,
        .heartbeat_interval_ms = SECOND_MS,
        .monitor_interval_ms = 4 * SECOND_MS,
        .time_bound_us = 10 * SECOND_US,
    };
}

static const char *check_membership(const struct pbft_config *config,
                                    const struct pbft_keyring *keyring)
{
    uint32_t n = keyring->replica_count;
    if (n != 1 && n < 4) {
        return "a consortium has 1 replica (for trials) or at least 4";
    }
    if (n > PBFT_REPLICAS_MAX) {
        return "too many replicas";
    }
    if (config->self >= n) {
        return "self is not one of the replicas";
    }
    return NULL;
}

static const char *check_window(const struct pbft_config *config)
{
    if (config->checkpoint_interval == 0) {
        return "checkpoint_interval is 0";
    }
    if (config->window > PBFT_WINDOW_MAX) {
        return "window is too large";
    }
    /* While one checkpoint becomes stable there must be room for the next
     * (OSDI'99 4.3). */
    if (config->window % config->checkpoint_interval != 0 ||
        config->window / config->checkpoint_interval < 2) {
        return "checkpoint_interval must divide window at least twice";
    }
    if (config->pipeline_depth == 0 ||
        config->pipeline_depth > config->window) {
        return "pipeline_depth must be between 1 and window";
    }
    if (config->null_depth == 0 || config->null_depth > config->window) {
        return "null_depth must be between 1 and window";
    }
    return NULL;
}

/* Half of the bytes is shared out (request_share.h): each part has room for one
 * request at least, whatever the others take; and a whole batch can wait. */
static bool has_room(const struct pbft_config *config, uint32_t replica_count)
{
    return config->pending_bytes_max <= PBFT_PENDING_BYTES_MAX &&
           config->pending_bytes_max >= config->batch_bytes_max &&
           config->pending_bytes_max / 2 / replica_count >=
               PBFT_REQUEST_BYTES_MAX;
}

static const char *check_requests(const struct pbft_config *config,
                                  uint32_t replica_count)
{
    if (config->batch_requests_max == 0 ||
        config->batch_requests_max > PBFT_BATCH_REQUESTS_MAX) {
        return "batch_requests_max is out of range";
    }
    if (config->batch_bytes_max == 0 ||
        config->batch_bytes_max > PBFT_BATCH_BYTES_MAX) {
        return "batch_bytes_max is out of range";
    }
    if (config->pending_requests_max == 0 ||
        config->pending_requests_max > PBFT_PENDING_MAX) {
        return "pending_requests_max is out of range";
    }
    if (config->pending_institution_max == 0 ||
        config->pending_institution_max > config->pending_requests_max) {
        return "pending_institution_max must be between 1 and "
               "pending_requests_max";
    }
    if (!has_room(config, replica_count)) {
        return "pending_bytes_max is out of range";
    }
    return NULL;
}

static bool is_duration(pbft_time_ms value)
{
    return value > 0 && value <= DURATION_MAX_MS;
}

static const char *check_timers(const struct pbft_config *config)
{
    if (!is_duration(config->request_timeout_ms) ||
        !is_duration(config->view_change_timeout_ms) ||
        !is_duration(config->view_change_timeout_max_ms) ||
        !is_duration(config->status_interval_ms) ||
        !is_duration(config->resend_interval_ms)) {
        return "a timeout is 0 or longer than a day";
    }
    if (config->view_change_timeout_ms > config->view_change_timeout_max_ms) {
        return "view_change_timeout_ms is above its maximum";
    }
    if (config->batch_delay_ms > DURATION_MAX_MS ||
        config->heartbeat_interval_ms > DURATION_MAX_MS ||
        config->monitor_interval_ms > DURATION_MAX_MS) {
        return "an interval is longer than a day";
    }
    /* Who speaks that often is not taken for silent. */
    if (config->monitor_interval_ms > 0 &&
        config->monitor_interval_ms < 2 * config->heartbeat_interval_ms) {
        return "monitor_interval_ms is below two heartbeats";
    }
    if (config->time_bound_us == 0 ||
        config->time_bound_us > DURATION_MAX_MS * SECOND_MS) {
        return "time_bound_us is out of range";
    }
    return NULL;
}

const char *pbft_config_check(const struct pbft_config *config,
                              const struct pbft_keyring *keyring)
{
    const char *reason = check_membership(config, keyring);
    if (reason == NULL) {
        reason = check_window(config);
    }
    if (reason == NULL) {
        reason = check_requests(config, keyring->replica_count);
    }
    if (reason == NULL) {
        reason = check_timers(config);
    }
    return reason;
}

bool pbft_config_allows_batch(const struct pbft_config *config, uint32_t count,
                              size_t bytes)
{
    return count <= config->batch_requests_max &&
           (bytes <= config->batch_bytes_max || count <= 1);
}
