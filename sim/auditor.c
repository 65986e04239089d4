/* SPDX-License-Identifier: Apache-2.0 */
/* Hands each occasion to the rules, and keeps the facts. */
#include "sim/auditor.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "proto/codec.h"
#include "sim/sim.h"

static void list(struct auditor *auditor, enum audit_occasion occasion,
                 const struct audit_rule *rule, bool has_check)
{
    struct audit_list *own = &auditor->lists[occasion];
    if (has_check) {
        own->rules[own->count++] = rule;
    }
}

void auditor_init(struct auditor *auditor)
{
    memset(auditor, 0, sizeof *auditor);
    table_init(&auditor->facts);
    PBFT_ASSERT(audit_rule_count <= AUDIT_RULES_MAX);
    for (size_t i = 0; i < audit_rule_count; i++) {
        const struct audit_rule *rule = audit_rules[i];
        list(auditor, AUDIT_SEND, rule, rule->on_send != NULL);
        list(auditor, AUDIT_RECEIVE, rule, rule->on_receive != NULL);
        list(auditor, AUDIT_HEARD, rule, rule->on_heard != NULL);
        list(auditor, AUDIT_VERIFIED, rule, rule->on_verified != NULL);
        list(auditor, AUDIT_DURABLE, rule, rule->on_durable != NULL);
        list(auditor, AUDIT_COMMIT, rule, rule->on_commit != NULL);
        list(auditor, AUDIT_EXECUTED, rule, rule->on_executed != NULL);
        list(auditor, AUDIT_STATE, rule, rule->on_state != NULL);
        list(auditor, AUDIT_INSPECT, rule, rule->on_inspect != NULL);
        list(auditor, AUDIT_RESTORED, rule, rule->on_restored != NULL);
        list(auditor, AUDIT_START, rule, rule->on_start != NULL);
        list(auditor, AUDIT_ANSWER, rule, rule->on_answer != NULL);
        list(auditor, AUDIT_END, rule, rule->on_end != NULL);
    }
}

void auditor_deinit(struct auditor *auditor)
{
    table_deinit(&auditor->facts);
    for (size_t i = 0; i < auditor->kept_count; i++) {
        pbft_message_unref(auditor->kept[i]);
    }
    free(auditor->kept);
    for (size_t i = 0; i < SIM_HOSTS_MAX; i++) {
        free(auditor->replicas[i].votes);
    }
}

size_t audit_keep(struct auditor *auditor, const struct pbft_message *message)
{
    if (auditor->kept_count == auditor->kept_capacity) {
        auditor->kept_capacity =
            auditor->kept_capacity == 0 ? 16 : 2 * auditor->kept_capacity;
        auditor->kept = realloc(auditor->kept, auditor->kept_capacity *
                                                   sizeof auditor->kept[0]);
        PBFT_ASSERT(auditor->kept != NULL);
    }
    auditor->kept[auditor->kept_count] = pbft_message_ref(message);
    return auditor->kept_count++;
}

uint64_t audit_fold(const struct pbft_digest *digest)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < sizeof value; i++) {
        value = value << 8 | digest->bytes[i];
    }
    return value;
}

struct table_entry *audit_fact(struct sim *sim, enum audit_fact kind,
                               uint32_t who, uint64_t a, uint64_t b,
                               bool *is_new)
{
    const struct table_key key = {(uint32_t)kind, who, a, b};
    return table_at(&sim->auditor.facts, &key, is_new);
}

const struct table_entry *audit_find(const struct sim *sim,
                                     enum audit_fact kind, uint32_t who,
                                     uint64_t a, uint64_t b)
{
    const struct table_key key = {(uint32_t)kind, who, a, b};
    return table_find(&sim->auditor.facts, &key);
}

void audit_fail(struct sim *sim, const char *rule, const struct host *host,
                const char *format, ...)
{
    struct sim_violation *violation = &sim->violation;
    if (violation->found) {
        return;
    }
    *violation = (struct sim_violation){.found = true,
                                        .rule = rule,
                                        .event = sim->events,
                                        .time_us = sim->now_us};
    size_t used = 0;
    if (host != NULL) {
        int size = snprintf(violation->text, sizeof violation->text,
                            "%s: ", host->name);
        used = size > 0 ? (size_t)size : 0;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(violation->text + used, sizeof violation->text - used,
                    format, arguments);
    va_end(arguments);
}

/* What it hears and executes must be true all the same, and counts when it is
 * bound again. */
static bool is_unbound(const struct sim *sim, const struct host *host)
{
    return host->index == host->id && host->behavior == HOST_HONEST &&
           sim->auditor.replicas[host->id].is_unbound;
}

/* Its RECOVER is granted, and the checkpoint behind it is stable: it attests
 * again, at once, though it votes only when its peers have answered. */
static void bind_again(struct sim *sim, const struct host *host)
{
    struct audit_replica *replica = &sim->auditor.replicas[host->id];
    struct pbft_report report;
    if (!is_unbound(sim, host)) {
        return;
    }
    pbft_replica_report(host_replica(host), &report);
    if (report.condition != PBFT_CONDITION_RECOVERING &&
        report.incarnation >= replica->reborn) {
        replica->is_unbound = false;
        replica->reborn = report.incarnation;
        pbft_set_add(&sim->reborn, host->id);
    }
}

void audit_send(struct sim *sim, const struct host *host,
                const struct pbft_message *message)
{
    bind_again(sim, host); /* It may speak before its step is over. */
    if (!host_is_honest(host)) {
        return;
    }
    const struct audit_list *own = &sim->auditor.lists[AUDIT_SEND];
    for (size_t i = 0; i < own->count; i++) {
        own->rules[i]->on_send(sim, host, message);
    }
}

void audit_heard(struct sim *sim, const struct host *host,
                 const struct pbft_message *message)
{
    const struct audit_list *own = &sim->auditor.lists[AUDIT_HEARD];
    for (size_t i = 0; host_is_honest(host) && i < own->count; i++) {
        own->rules[i]->on_heard(sim, host, message);
    }
}

void audit_verified(struct sim *sim, const struct host *host,
                    const struct pbft_message *message, uint64_t checks)
{
    const struct audit_list *own = &sim->auditor.lists[AUDIT_VERIFIED];
    for (size_t i = 0; host_is_honest(host) && i < own->count; i++) {
        own->rules[i]->on_verified(sim, host, message, checks);
    }
}

void audit_receive(struct sim *sim, const struct host *host,
                   pbft_replica_id channel, const struct pbft_message *message)
{
    if (!host_is_honest(host) && !is_unbound(sim, host)) {
        return;
    }
    sim->auditor.channel = channel;
    const struct audit_list *own = &sim->auditor.lists[AUDIT_RECEIVE];
    for (size_t i = 0; i < own->count; i++) {
        own->rules[i]->on_receive(sim, host, message);
    }
}

void audit_durable(struct sim *sim, const struct host *host,
                   const struct disk_record *record,
                   const struct pbft_message *message)
{
    const struct audit_list *own = &sim->auditor.lists[AUDIT_DURABLE];
    for (size_t i = 0; i < own->count; i++) {
        own->rules[i]->on_durable(sim, host, record, message);
    }
}

void audit_commit(struct sim *sim, const struct host *host,
                  const struct pbft_commit *commit)
{
    if (!host_is_honest(host) && !is_unbound(sim, host)) {
        return;
    }
    const struct audit_list *own = &sim->auditor.lists[AUDIT_COMMIT];
    for (size_t i = 0; i < own->count; i++) {
        own->rules[i]->on_commit(sim, host, commit);
    }
}

void audit_executed(struct sim *sim, const struct host *host,
                    const struct pbft_message *committed,
                    const struct service_outcome *outcome)
{
    if (!host_is_honest(host) && !is_unbound(sim, host)) {
        return;
    }
    const struct audit_list *own = &sim->auditor.lists[AUDIT_EXECUTED];
    for (size_t i = 0; i < own->count; i++) {
        own->rules[i]->on_executed(sim, host, committed, outcome);
    }
}

void audit_inspect(struct sim *sim, const struct host *host)
{
    if (host->state != HOST_UP || !host_is_honest(host)) {
        return;
    }
    const struct audit_list *own = &sim->auditor.lists[AUDIT_INSPECT];
    pbft_replica_check_invariants(host_replica(host));
    for (size_t i = 0; i < own->count; i++) {
        own->rules[i]->on_inspect(sim, host);
    }
}

void audit_unbind(struct sim *sim, struct host *host)
{
    struct audit_replica *replica = &sim->auditor.replicas[host->id];
    uint64_t highest = 0;
    if (!host_is_honest(host)) {
        return;
    }
    for (uint32_t i = 0; i < sim->host_count; i++) {
        uint64_t number = sim->hosts[i]->incarnations.of[host->id].number;
        highest = number > highest ? number : highest;
    }
    replica->is_unbound = true;
    replica->reborn = highest + 1;
    pbft_set_add(&sim->byzantine, host->id);
    pbft_set_remove(&sim->reborn, host->id);
}

void audit_state(struct sim *sim, const struct host *host)
{
    if (host->state == HOST_UP) {
        bind_again(sim, host);
    }
    if (host->state != HOST_UP || !host_is_honest(host)) {
        return;
    }
    const struct audit_list *own = &sim->auditor.lists[AUDIT_STATE];
    struct audit_replica *replica = &sim->auditor.replicas[host->index];
    struct pbft_report report;
    pbft_replica_report(host_replica(host), &report);
    for (size_t i = 0; i < own->count; i++) {
        own->rules[i]->on_state(sim, host, &report);
    }
    if (replica->events++ % AUDIT_INSPECT_INTERVAL == 0) {
        audit_inspect(sim, host);
    }
}

void audit_restored(struct sim *sim, const struct host *host,
                    const struct pbft_record *record)
{
    const struct audit_list *own = &sim->auditor.lists[AUDIT_RESTORED];
    for (size_t i = 0; host_is_honest(host) && i < own->count; i++) {
        own->rules[i]->on_restored(sim, host, record);
    }
}

void audit_start(struct sim *sim, const struct host *host)
{
    const struct audit_list *own = &sim->auditor.lists[AUDIT_START];
    for (size_t i = 0; i < own->count; i++) {
        own->rules[i]->on_start(sim, host);
    }
}

void audit_answer(struct sim *sim, const struct client *client,
                  uint64_t sequence, const struct pbft_attestation *block,
                  const struct sim_reply *reply)
{
    const struct audit_list *own = &sim->auditor.lists[AUDIT_ANSWER];
    for (size_t i = 0; i < own->count; i++) {
        own->rules[i]->on_answer(sim, client, sequence, block, reply);
    }
}

void audit_end(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->host_count; i++) {
        audit_inspect(sim, sim->hosts[i]);
    }
    const struct audit_list *own = &sim->auditor.lists[AUDIT_END];
    for (size_t i = 0; i < own->count; i++) {
        own->rules[i]->on_end(sim);
    }
}

void audit_note_batch(struct sim *sim, const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_PRE_PREPARE ||
        message->pre_prepare.body == NULL) {
        return;
    }
    const struct pbft_batch *batch = &message->pre_prepare.body->batch;
    bool is_new;
    if (batch->request_count == 1) {
        struct table_entry *entry =
            audit_fact(sim, FACT_BATCH_TIME, 0,
                       audit_fold(&batch->requests[0]->request.digest),
                       message->pre_prepare.seq, &is_new);
        entry->bits = is_new ? batch->time : entry->bits;
    }
}

void audit_disk_replaced(struct sim *sim, struct host *host)
{
    host->disk_generation++;
    for (size_t i = 0; i < host->disk.image.record_count; i++) {
        const struct disk_record *record = &host->disk.image.records[i];
        struct pbft_frame frame;
        const struct pbft_message *message = NULL;
        if (pbft_frame_read(&host->domain, host->id,
                            (struct pbft_bytes){record->bytes, record->size},
                            &frame) != PBFT_OK ||
            wire_message_decode(&host->domain, frame.payload, NULL, &message) !=
                PBFT_OK) {
            continue; /* Damaged on purpose. */
        }
        audit_durable(sim, host, record, message);
        pbft_message_unref(message);
    }
}
