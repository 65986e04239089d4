/* SPDX-License-Identifier: Apache-2.0 */
/* Set-up: the cluster and its clients, before the first line runs. */
#include <inttypes.h>
#include <string.h>

#include "sim/profile.h"
#include "sim/script.h"

void script_settings(struct sim_settings *settings)
{
    profile_defaults(settings);
    settings->network = (struct network_settings){.latency_us = 1000};
    settings->sync_us = 100;
    settings->sync_jitter_us = 0;
    settings->execute_us = 10;
    settings->client_timeout_us = 100 * SIM_MS_US;
    settings->payload_max = PBFT_REQUEST_BYTES_MAX;
    struct pbft_config *replica = &settings->replica;
    replica->checkpoint_interval = 4;
    replica->window = 8;
    replica->pipeline_depth = 8;
    replica->null_depth = 8;
    replica->batch_requests_max = 1;
    replica->batch_delay_ms = 1;
    replica->request_timeout_ms = 100;
    replica->view_change_timeout_ms = 100;
    replica->view_change_timeout_max_ms = 6400;
    replica->status_interval_ms = 100;
    replica->resend_interval_ms = 50;
    replica->heartbeat_interval_ms = 0;
    replica->monitor_interval_ms = 0;
}

static uint64_t take_ms(struct script *script, struct words *words,
                        const char *name, uint64_t otherwise)
{
    uint64_t us;
    const char *text = words_value(words, name);
    if (text == NULL || !script_time(script, text, &us)) {
        return otherwise;
    }
    if (us == 0 || us % SIM_MS_US != 0) {
        script_error(script, "%s is a whole number of milliseconds", name);
    }
    return us / SIM_MS_US;
}

static void take_count(struct script *script, struct words *words,
                       const char *name, uint32_t *out)
{
    uint64_t value;
    if (!words_number(script, words, name, &value)) {
        return;
    }
    if (value == 0 || value > PBFT_WINDOW_MAX) {
        script_error(script, "%s=%" PRIu64 " is out of range", name, value);
        return;
    }
    *out = (uint32_t)value;
}

static void check_monitor(struct script *script, struct words *words,
                          struct pbft_config *replica)
{
    const char *monitor = words_value(words, "monitor");
    if (monitor != NULL && strcmp(monitor, "on") == 0) {
        replica->heartbeat_interval_ms = replica->request_timeout_ms / 2;
        replica->monitor_interval_ms = replica->request_timeout_ms;
    } else if (monitor != NULL && strcmp(monitor, "off") != 0) {
        script_error(script, "monitor=%s is neither on nor off", monitor);
    }
}

static bool is_window(uint32_t window, uint32_t interval)
{
    return window % interval == 0 && window / interval >= 2;
}

/* The window is a multiple of the interval, and at least two of them: if one
 * alone is given, the other gives way where it must. */
static void take_window(struct script *script, struct words *words,
                        struct pbft_config *replica)
{
    uint32_t interval = 0;
    uint32_t window = 0;
    take_count(script, words, "checkpoint", &interval);
    take_count(script, words, "window", &window);
    if (interval != 0) {
        replica->checkpoint_interval = interval;
    }
    if (window != 0) {
        replica->window = window;
    }
    if (is_window(replica->window, replica->checkpoint_interval)) {
        return;
    }
    if (window == 0) {
        replica->window = 2 * interval;
    } else if (interval == 0 && window % 2 == 0) {
        replica->checkpoint_interval = window / 2;
    }
}

static void set_cluster(struct script *script, struct words *words)
{
    struct sim_settings *settings = &script->settings;
    struct pbft_config *replica = &settings->replica;
    uint64_t latency_us;
    script->cluster_line = script->line;
    take_count(script, words, "n", &settings->n);
    take_window(script, words, replica);
    take_count(script, words, "batch", &replica->batch_requests_max);
    replica->pipeline_depth = replica->window;
    replica->null_depth = replica->window;
    replica->request_timeout_ms =
        take_ms(script, words, "request_timeout", replica->request_timeout_ms);
    settings->client_timeout_us = replica->request_timeout_ms * SIM_MS_US;
    replica->view_change_timeout_ms =
        take_ms(script, words, "view_timeout", replica->view_change_timeout_ms);
    replica->view_change_timeout_max_ms = take_ms(
        script, words, "view_timeout_max", replica->view_change_timeout_max_ms);
    const char *latency = words_value(words, "latency");
    if (latency != NULL && script_time(script, latency, &latency_us)) {
        settings->network.latency_us = latency_us;
    }
    check_monitor(script, words, replica);
    if (script->has_cluster) {
        script_error(script, "there is a cluster already");
    } else if (settings->n > PBFT_REPLICAS_MAX) {
        script_error(script, "n is at most %d", PBFT_REPLICAS_MAX);
    }
    script->has_cluster = true;
}

void script_take_cluster(struct script *script, const char *line)
{
    struct words words;
    if (words_split(script, &words, line) &&
        strcmp(words.word[0], "cluster") == 0) {
        (void)words_next(&words);
        set_cluster(script, &words);
        words_finish(script, &words);
    }
}

/* A configuration that a replica would refuse is the script's mistake. */
void script_check_replica(struct script *script)
{
    const char *reason = "memory is short";
    struct host *host = script->sim->hosts[0];
    struct pbft_replica *replica = pbft_replica_create(
        &host->config, &host->domain, &script->sim->keyring, &reason);
    if (replica == NULL) {
        script->line = script->cluster_line;
        script_error(script, "cluster: %s", reason);
        return;
    }
    pbft_replica_destroy(replica);
}

static bool is_taken(const struct script *script, const char *name)
{
    const struct sim *sim = script->sim;
    for (uint32_t i = 0; i < sim->client_count; i++) {
        if (strcmp(sim->clients[i]->name, name) == 0) {
            return true;
        }
    }
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (strcmp(sim->hosts[i]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

void script_take_clients(struct script *script, const char *line)
{
    struct words words;
    if (!words_split(script, &words, line) ||
        strcmp(words.word[0], "client") != 0) {
        return;
    }
    if (words.count == 1) {
        script_error(script, "the name of a client is missing");
    }
    for (size_t i = 1; i < words.count; i++) {
        const char *name = words.word[i];
        if (!script_is_name(name) || strlen(name) >= CLIENT_NAME_SIZE) {
            script_error(script, "'%s' is not a name for a client", name);
        } else if (is_taken(script, name)) {
            script_error(script, "the name '%s' is taken", name);
        } else if (script->sim->client_count == SIM_CLIENTS_MAX) {
            script_error(script, "too many clients");
        } else {
            (void)sim_add_client(script->sim, name);
        }
    }
}
