/* SPDX-License-Identifier: Apache-2.0 */
/* Predicates about the state of replicas as their reports tell it. */
#include <inttypes.h>
#include <string.h>

#include "consensus/quorum.h"
#include "sim/script.h"

/* The report of a running replica; else zeros, and false. */
static bool report_of(const struct host *host, struct pbft_report *out)
{
    *out = (struct pbft_report){.view = 0};
    if (host->driver == NULL) {
        return false;
    }
    pbft_replica_report(host_replica(host), out);
    return host->state == HOST_UP;
}

static const char *status_of(const struct host *host)
{
    struct pbft_report report;
    (void)report_of(host, &report);
    switch (host->state) {
    case HOST_DOWN:
        return "down";
    case HOST_HALTED:
        return "halted";
    case HOST_UP:
        return pbft_condition_name(report.condition);
    }
    return "unknown";
}

/* A number of a replica compared with one of the script. */
struct comparison {
    struct actor_set hosts;
    const char *sign;
    uint64_t right;
};

static bool compare(uint64_t left, const char *sign, uint64_t right)
{
    return strcmp(sign, "==") == 0   ? left == right
           : strcmp(sign, "!=") == 0 ? left != right
           : strcmp(sign, ">=") == 0 ? left >= right
           : strcmp(sign, "<=") == 0 ? left <= right
           : strcmp(sign, ">") == 0  ? left > right
                                     : left < right;
}

static bool take_comparison(struct script *script, struct words *words,
                            bool (*take_number)(struct script *script,
                                                const char *text,
                                                uint64_t *out),
                            struct comparison *out)
{
    static const char *const signs[] = {"==", "!=", ">=", "<=", ">", "<"};
    if (!script_audience(script, words, &out->hosts)) {
        return false;
    }
    out->sign = words_need(script, words, "a comparison");
    const char *word = words_need(script, words, "a number");
    if (out->sign == NULL || word == NULL ||
        !take_number(script, word, &out->right)) {
        return false;
    }
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (strcmp(signs[i], out->sign) == 0) {
            return true;
        }
    }
    script_error(script, "'%s' is not a comparison", out->sign);
    return false;
}

static bool compare_all(struct script *script, const struct comparison *what,
                        const char *name,
                        uint64_t (*number)(const struct host *host,
                                           const struct pbft_report *report))
{
    bool has_any = false;
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        struct pbft_report report;
        const struct host *host = script->sim->hosts[i];
        if (!actor_set_has(&what->hosts, i)) {
            continue;
        }
        has_any = true;
        if (!report_of(host, &report)) {
            script_found(script, "%s is %s", host->name, status_of(host));
            return false;
        }
        if (!compare(number(host, &report), what->sign, what->right)) {
            script_found(script, "%s of %s is %" PRIu64, name, host->name,
                         number(host, &report));
            return false;
        }
    }
    return has_any;
}

static uint64_t view_in(const struct host *host,
                        const struct pbft_report *report)
{
    (void)host;
    return report->view;
}

static uint64_t buffered_in(const struct host *host,
                            const struct pbft_report *report)
{
    (void)report;
    return pbft_replica_buffered_bytes(host_replica(host));
}

static uint64_t stable_in(const struct host *host,
                          const struct pbft_report *report)
{
    (void)host;
    return report->stable;
}

bool script_is_view(struct script *script, struct words *words)
{
    struct comparison what;
    return take_comparison(script, words, script_number, &what) &&
           compare_all(script, &what, "the view", view_in);
}

bool script_is_buffered(struct script *script, struct words *words)
{
    struct comparison what;
    return take_comparison(script, words, script_bytes, &what) &&
           compare_all(script, &what, "bytes: the buffer", buffered_in);
}

/* "stable R1 4": its stable checkpoint is at 4 or beyond. */
bool script_is_stable(struct script *script, struct words *words)
{
    struct comparison what = {.sign = ">="};
    return script_audience(script, words, &what.hosts) &&
           script_take_seq(script, words, &what.right) &&
           compare_all(script, &what, "the stable checkpoint", stable_in);
}

bool script_is_view_active(struct script *script, struct words *words)
{
    struct actor_set hosts;
    bool has_any = false;
    if (!script_audience(script, words, &hosts)) {
        return false;
    }
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        struct pbft_report report;
        const struct host *host = script->sim->hosts[i];
        if (!actor_set_has(&hosts, i)) {
            continue;
        }
        has_any = true;
        if (!report_of(host, &report) || !report.view_active) {
            script_found(script, "%s is %s, its view %" PRIu64, host->name,
                         status_of(host), report.view);
            return false;
        }
    }
    return has_any;
}

static bool is_status(const char *word)
{
    static const char *const known[] = {"starting", "normal",     "view-change",
                                        "syncing",  "recovering", "halted",
                                        "down"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i], word) == 0) {
            return true;
        }
    }
    return false;
}

bool script_is_status(struct script *script, struct words *words)
{
    struct actor_set hosts;
    bool has_any = false;
    if (!script_audience(script, words, &hosts)) {
        return false;
    }
    const char *word = words_need(script, words, "a status");
    if (word == NULL || !is_status(word)) {
        script_error(script, "'%s' is not a status", word == NULL ? "" : word);
        return false;
    }
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        const struct host *host = script->sim->hosts[i];
        if (!actor_set_has(&hosts, i)) {
            continue;
        }
        has_any = true;
        if (strcmp(word, status_of(host)) != 0) {
            script_found(script, "%s is %s", host->name, status_of(host));
            return false;
        }
    }
    return has_any;
}

/* "evidence R1 against R0" */
bool script_is_evidence(struct script *script, struct words *words)
{
    struct actor_set hosts;
    bool has_any = false;
    if (!script_audience(script, words, &hosts)) {
        return false;
    }
    const char *against = words_need(script, words, "against");
    const char *name = words_need(script, words, "a replica");
    if (against == NULL || name == NULL) {
        return false;
    }
    if (strcmp(against, "against") != 0) {
        script_error(script, "usage: evidence REPLICA against REPLICA");
        return false;
    }
    const struct host *accused = script_host(script, name);
    if (accused == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        struct pbft_report report;
        const struct host *host = script->sim->hosts[i];
        if (!actor_set_has(&hosts, i)) {
            continue;
        }
        has_any = true;
        if (!report_of(host, &report) ||
            !pbft_set_has(&report.accused, accused->id)) {
            script_found(script, "%s is %s and holds none against %s",
                         host->name, status_of(host), accused->name);
            return false;
        }
    }
    return has_any;
}
