/* SPDX-License-Identifier: Apache-2.0 */
/* Runs scenario scripts: the table of directives, set-up, and the report. */
#include "sim/script.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "sim/command.h"
#include "sim/profile.h"

#if defined(__GNUC__)
__attribute__((format(printf, 3, 0)))
#endif
static void
end_script(struct script *script, enum script_outcome outcome,
           const char *format, va_list arguments)
{
    if (script->outcome == SCRIPT_RUNS) {
        script->outcome = outcome;
        (void)vsnprintf(script->reason, sizeof script->reason, format,
                        arguments);
    }
}

void script_error(struct script *script, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    end_script(script, SCRIPT_INVALID, format, arguments);
    va_end(arguments);
}

void script_broke(struct script *script, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    end_script(script, SCRIPT_BROKE, format, arguments);
    va_end(arguments);
}

/* ---- set-up -----------------------------------------------------------------
 */

static void script_settings(struct sim_settings *settings)
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
    int64_t us;
    const char *text = words_value(words, name);
    if (text == NULL || !script_duration(script, text, &us)) {
        return otherwise;
    }
    if (us < 0 || us % 1000 != 0) {
        script_error(script, "%s is a whole number of milliseconds", name);
    }
    return (uint64_t)us / 1000;
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

static void set_cluster(struct script *script, struct words *words)
{
    struct sim_settings *settings = &script->settings;
    struct pbft_config *replica = &settings->replica;
    int64_t latency_us;
    take_count(script, words, "n", &settings->n);
    take_count(script, words, "checkpoint", &replica->checkpoint_interval);
    take_count(script, words, "window", &replica->window);
    take_count(script, words, "batch", &replica->batch_requests_max);
    replica->pipeline_depth = replica->window;
    replica->request_timeout_ms =
        take_ms(script, words, "request_timeout", replica->request_timeout_ms);
    settings->client_timeout_us = replica->request_timeout_ms * SIM_MS_US;
    replica->view_change_timeout_ms =
        take_ms(script, words, "view_timeout", replica->view_change_timeout_ms);
    replica->view_change_timeout_max_ms = take_ms(
        script, words, "view_timeout_max", replica->view_change_timeout_max_ms);
    const char *latency = words_value(words, "latency");
    if (latency != NULL && script_duration(script, latency, &latency_us)) {
        settings->network.latency_us = (uint64_t)latency_us;
    }
    check_monitor(script, words, replica);
    if (script->has_cluster) {
        script_error(script, "there is a cluster already");
    } else if (settings->n > PBFT_REPLICAS_MAX) {
        script_error(script, "n is at most %d", PBFT_REPLICAS_MAX);
    }
    script->has_cluster = true;
}

/* A configuration that a replica would refuse is the script's mistake. */
static void check_replica(struct script *script)
{
    const char *reason = "memory is short";
    struct host *host = script->sim->hosts[0];
    struct pbft_replica *replica = pbft_replica_create(
        &host->config, &host->domain, &script->sim->keyring, &reason);
    if (replica == NULL) {
        script_error(script, "cluster: %s", reason);
        return;
    }
    pbft_replica_destroy(replica);
}

static void add_clients(struct script *script, struct words *words)
{
    for (const char *name = words_next(words); name != NULL;
         name = words_next(words)) {
        for (uint32_t i = 0; i < script->sim->client_count; i++) {
            if (strcmp(script->sim->clients[i]->name, name) == 0) {
                script_error(script, "the name '%s' is taken", name);
                return;
            }
        }
        if (strlen(name) >= CLIENT_NAME_SIZE ||
            script->sim->client_count == SIM_CLIENTS_MAX) {
            script_error(script, "too many clients, or too long a name");
            return;
        }
        (void)sim_add_client(script->sim, name);
    }
}

/* ---- the table
 * --------------------------------------------------------------- */

static void script_do_nothing(struct script *script, struct words *words)
{
    (void)script; /* Set-up has been done before the first line ran. */
    memset(words->is_used, true, sizeof words->is_used);
}

static void script_do_reconfigure(struct script *script, struct words *words)
{
    (void)words;
    script_error(script, "membership changes are not built yet");
}

static const struct script_directive directives[] = {
    {"cluster", script_do_nothing},
    {"client", script_do_nothing},
    {"submit", script_do_submit},
    {"hold", script_do_hold},
    {"release", script_do_release},
    {"unhold", script_do_unhold},
    {"drop", script_do_drop},
    {"undrop", script_do_undrop},
    {"deliver", script_do_deliver},
    {"cut", script_do_cut},
    {"heal", script_do_heal},
    {"run", script_do_run},
    {"step", script_do_step},
    {"settle", script_do_settle},
    {"timer", script_do_timer},
    {"crash", script_do_crash},
    {"restart", script_do_restart},
    {"mark", script_do_mark},
    {"disk", script_do_disk},
    {"clock", script_do_clock},
    {"byzantine", script_do_byzantine},
    {"puppet", script_do_puppet},
    {"twin", script_do_twin},
    {"expect", script_do_expect},
    {"reconfigure", script_do_reconfigure},
    {"replay", script_do_replay},
};

static void run_line(struct script *script, const char *line)
{
    struct words words;
    if (!words_split(script, &words, line)) {
        return;
    }
    const char *name = words_next(&words);
    for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++) {
        if (strcmp(directives[i].name, name) != 0) {
            continue;
        }
        directives[i].run(script, &words);
        if (script->outcome == SCRIPT_RUNS) {
            words_finish(script, &words);
        }
        if (script->sim->violation.found) {
            script_broke(script, "invariant %s broke: %s",
                         script->sim->violation.rule,
                         script->sim->violation.text);
        }
        return;
    }
    script_error(script, "unknown directive '%s'", name);
}

/* ---- hooks
 * -------------------------------------------------------------------- */

void script_note_sent(void *context, const struct host *host,
                      const struct pbft_message *message)
{
    struct script *script = context;
    if (script->sent_count == script->sent_capacity) {
        script->sent_capacity =
            script->sent_capacity == 0 ? 256 : 2 * script->sent_capacity;
        script->sent = realloc(script->sent,
                               script->sent_capacity * sizeof script->sent[0]);
        PBFT_ASSERT(script->sent != NULL);
    }
    script->sent[script->sent_count++] =
        (struct script_sent){host->index, pbft_message_ref(message)};
}

/* ---- a whole file
 * --------------------------------------------------------------- */

static void each_line(struct script *script, char *text,
                      void (*run)(struct script *script, const char *line))
{
    script->line = 0;
    char *at = text;
    while (*at != '\0' && script->outcome == SCRIPT_RUNS) {
        char *end = strchr(at, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        script->line++;
        run(script, at);
        if (end == NULL) {
            break;
        }
        *end = '\n';
        at = end + 1;
    }
}

static void take_cluster_line(struct script *script, const char *line)
{
    struct words words;
    if (words_split(script, &words, line) &&
        strcmp(words.word[0], "cluster") == 0) {
        (void)words_next(&words);
        set_cluster(script, &words);
        words_finish(script, &words);
    }
}

static void take_client_line(struct script *script, const char *line)
{
    struct words words;
    if (words_split(script, &words, line) &&
        strcmp(words.word[0], "client") == 0) {
        (void)words_next(&words);
        add_clients(script, &words);
    }
}

/* The replicas ask each other whether they may vote, and get their answers:
 * scripts begin with a cluster that is up. */
static void start(struct script *script)
{
    sim_start_hosts(script->sim);
    script_settle(script);
    script->start_us = script->sim->now_us;
}

static void run_text(struct script *script, char *text, FILE *trace_out)
{
    script_settings(&script->settings);
    each_line(script, text, take_cluster_line);
    if (script->outcome != SCRIPT_RUNS) {
        return;
    }
    script->sim = sim_create(&script->settings, 0, trace_out);
    script->sim->observer =
        (struct sim_observer){.context = script,
                              .on_send = script_note_sent,
                              .on_puppet_packet = script_on_puppet_packet};
    script->sim->network.filter_context = script;
    script->sim->network.filter = script_filter;
    each_line(script, text, take_client_line);
    if (script->outcome == SCRIPT_RUNS) {
        check_replica(script);
    }
    if (script->outcome == SCRIPT_RUNS) {
        start(script);
        each_line(script, text, run_line);
    }
    if (script->outcome == SCRIPT_RUNS) {
        audit_end(script->sim);
        if (script->sim->violation.found) {
            script_broke(script, "invariant %s broke: %s",
                         script->sim->violation.rule,
                         script->sim->violation.text);
        }
    }
}

static void release(struct script *script)
{
    for (size_t i = 0; i < script->mark_count; i++) {
        for (uint32_t h = 0; h < script->marks[i].count; h++) {
            disk_image_deinit(&script->marks[i].images[h]);
        }
    }
    for (size_t i = 0; i < script->sent_count; i++) {
        pbft_message_unref(script->sent[i].message);
    }
    for (size_t i = 0; i < SIM_HOSTS_MAX; i++) {
        pbft_message_unref(script->answers[i].certificate);
    }
    free(script->sent);
    free(script->replay_faults);
    if (script->sim != NULL) {
        sim_destroy(script->sim);
    }
}

int script_run(const char *path, char *text, FILE *trace_out)
{
    struct script *script = calloc(1, sizeof *script);
    PBFT_ASSERT(script != NULL);
    script->path = path;
    run_text(script, text, trace_out);
    enum script_outcome outcome = script->outcome;
    if (outcome == SCRIPT_RUNS) {
        (void)printf("%s: ok, events %" PRIu64 ", simulated_ms %" PRIu64
                     ", trace %016" PRIx64 "\n",
                     path, script->sim->events, sim_now_ms(script->sim),
                     script->sim->trace.hash);
    } else {
        const char *at = text;
        for (size_t i = 1; i < script->line && strchr(at, '\n') != NULL; i++) {
            at = strchr(at, '\n') + 1;
        }
        (void)fflush(stdout);
        (void)fprintf(stderr, "%s:%zu: %s: %s: %.*s\n", path, script->line,
                      outcome == SCRIPT_INVALID ? "error" : "failed",
                      script->reason, (int)strcspn(at, "\n"), at);
    }
    release(script);
    free(script);
    if (outcome == SCRIPT_INVALID) {
        return EXIT_USAGE;
    }
    return outcome == SCRIPT_BROKE ? EXIT_VIOLATION : EXIT_WELL;
}
