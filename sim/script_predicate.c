/* SPDX-License-Identifier: Apache-2.0 */
/* The table of predicates, for `expect` and `run until`. */
#include <string.h>

#include "consensus/quorum.h"
#include "sim/audit_rules.h"
#include "sim/script.h"

/* The executed block of a host; a crashed one shows what its disk holds. */
static const struct pbft_message *block_at(const struct host *host,
                                           pbft_seq seq)
{
    if (seq == 0) {
        return NULL;
    }
    if (host->state != HOST_DOWN) {
        return seq <= host->block_count ? host->blocks[seq - 1].committed
                                        : NULL;
    }
    const struct disk_image *image = &host->disk.image;
    return seq <= image->block_count ? image->blocks[seq - 1].committed : NULL;
}

static bool holds_label(struct script *script, const struct pbft_message *block,
                        const char *name)
{
    const struct pbft_batch *batch =
        &block->committed.pre_prepare->pre_prepare.body->batch;
    if (strcmp(name, "null") == 0) {
        return batch->request_count == 0;
    }
    const struct script_label *label = script_label(script, name, NULL);
    for (uint32_t i = 0; label != NULL && i < batch->request_count; i++) {
        if (memcmp(&batch->requests[i]->request.digest,
                   &label->request->request.digest,
                   sizeof(struct pbft_digest)) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_meant_by_all(const struct host *host)
{
    return host->state != HOST_DOWN && host_is_honest(host);
}

/* The hosts that a word names; "all": up and not a puppet. */
static bool take_hosts(struct script *script, struct words *words,
                       struct actor_set *out)
{
    const char *word = words_need(script, words, "a replica");
    *out = (struct actor_set){{0}};
    if (word == NULL || strcmp(word, "all") != 0) {
        return word != NULL && script_actors(script, word, out);
    }
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        if (is_meant_by_all(script->sim->hosts[i])) {
            actor_set_add(out, i);
        }
    }
    return true;
}

static bool take_seq(struct script *script, struct words *words, pbft_seq *seq)
{
    const char *word = words_need(script, words, "a sequence number");
    return word != NULL && script_number(script, word, seq);
}

static bool is_executed(struct script *script, struct words *words)
{
    struct actor_set hosts;
    pbft_seq seq = 0;
    if (!take_hosts(script, words, &hosts) || !take_seq(script, words, &seq)) {
        return false;
    }
    const char *label = words_need(script, words, "a label");
    bool holds = label != NULL;
    for (uint32_t i = 0; label != NULL && i < script->sim->host_count; i++) {
        if (actor_set_has(&hosts, i)) {
            const struct pbft_message *block =
                block_at(script->sim->hosts[i], seq);
            holds = holds && block != NULL && holds_label(script, block, label);
        }
    }
    return holds;
}

static bool is_not_executed(struct script *script, struct words *words)
{
    struct actor_set hosts;
    pbft_seq seq = 0;
    if (!take_hosts(script, words, &hosts) || !take_seq(script, words, &seq)) {
        return false;
    }
    const char *label = words_next(words);
    bool holds = true;
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        const struct pbft_message *block =
            actor_set_has(&hosts, i) ? block_at(script->sim->hosts[i], seq)
                                     : NULL;
        if (block != NULL &&
            (label == NULL || holds_label(script, block, label))) {
            holds = false;
        }
    }
    return holds;
}

/* One host, a seq, a label and perhaps a view. */
struct slot_words {
    struct host *host;
    pbft_seq seq;
    bool has_view;
    pbft_view view;
    struct pbft_digest digest;
};

static bool take_slot(struct script *script, struct words *words,
                      struct slot_words *out)
{
    const char *name = words_need(script, words, "a replica");
    *out = (struct slot_words){.host = NULL};
    if (name != NULL) {
        out->host = script_host(script, name);
    }
    if (out->host == NULL || !take_seq(script, words, &out->seq)) {
        return false;
    }
    out->has_view = words_number(script, words, "view", &out->view);
    const char *label = words_need(script, words, "a label");
    return label != NULL &&
           script_digest(script, label, out->seq, &out->digest);
}

static bool find_slot(const struct slot_words *what,
                      struct pbft_slot_report *slot)
{
    return what->host->state == HOST_UP &&
           pbft_replica_slot(host_replica(what->host), what->seq, slot) &&
           memcmp(&slot->digest, &what->digest, sizeof slot->digest) == 0 &&
           (!what->has_view || slot->view == what->view);
}

/* In its log now, or by the certificate that it once made durable. */
static bool is_prepared(struct script *script, struct words *words)
{
    struct slot_words what;
    struct pbft_slot_report slot;
    if (!take_slot(script, words, &what)) {
        return false;
    }
    if (find_slot(&what, &slot) && slot.prepared) {
        return true;
    }
    if (what.has_view) {
        return audit_is_durable(script->sim, what.host, PBFT_RECORD_PREPARED,
                                what.view, what.seq, &what.digest);
    }
    struct pbft_report report = {.view = 0};
    if (what.host->state == HOST_UP) {
        pbft_replica_report(host_replica(what.host), &report);
    }
    for (pbft_view view = 0; view <= report.view; view++) {
        if (audit_is_durable(script->sim, what.host, PBFT_RECORD_PREPARED, view,
                             what.seq, &what.digest)) {
            return true;
        }
    }
    return false;
}

static bool is_committed(struct script *script, struct words *words)
{
    struct slot_words what;
    struct pbft_slot_report slot;
    if (!take_slot(script, words, &what)) {
        return false;
    }
    const struct pbft_message *block = block_at(what.host, what.seq);
    if (block != NULL) {
        return memcmp(&block->committed.pre_prepare->pre_prepare.digest,
                      &what.digest, sizeof what.digest) == 0;
    }
    return find_slot(&what, &slot) && slot.committed;
}

static bool is_equal_message(const struct pbft_message *a,
                             const struct pbft_message *b)
{
    return a == b ||
           (a->type == b->type &&
            pbft_message_view(a) == pbft_message_view(b) &&
            pbft_message_seq(a) == pbft_message_seq(b) &&
            memcmp(trace_digest_of(a), trace_digest_of(b),
                   sizeof(struct pbft_digest)) == 0 &&
            memcmp(&a->signature, &b->signature, sizeof a->signature) == 0);
}

/* How many different messages of this kind the host has sent. */
static uint64_t count_sent(const struct script *script, const struct host *host,
                           const struct pattern *pattern,
                           const struct pbft_digest *digest)
{
    uint64_t count = 0;
    for (size_t i = 0; i < script->sent_count; i++) {
        const struct script_sent *sent = &script->sent[i];
        if (sent->host != host->index ||
            !pattern_matches_message(script->sim, pattern, sent->message,
                                     false) ||
            (digest != NULL && memcmp(trace_digest_of(sent->message), digest,
                                      sizeof *digest) != 0)) {
            continue;
        }
        size_t first = 0;
        while (first < i && (script->sent[first].host != host->index ||
                             !is_equal_message(script->sent[first].message,
                                               sent->message))) {
            first++;
        }
        count += first == i;
    }
    return count;
}

static bool check_sent(struct script *script, struct words *words,
                       bool is_expected)
{
    struct pattern pattern;
    struct pbft_digest digest;
    uint64_t wanted = 0;
    const char *name = words_need(script, words, "a replica");
    struct host *host = name == NULL ? NULL : script_host(script, name);
    const char *label = words_value(words, "digest");
    bool has_count = words_number(script, words, "count", &wanted);
    if (host == NULL || !script_pattern(script, words, &pattern)) {
        return false;
    }
    if (label != NULL && !script_digest(script, label, pattern.seq, &digest)) {
        return false;
    }
    uint64_t count =
        count_sent(script, host, &pattern, label == NULL ? NULL : &digest);
    if (!is_expected) {
        return count == 0;
    }
    return has_count ? count == wanted : count > 0;
}

static bool is_sent(struct script *script, struct words *words)
{
    return check_sent(script, words, true);
}

static bool is_not_sent(struct script *script, struct words *words)
{
    return check_sent(script, words, false);
}

static bool is_replied(struct script *script, struct words *words)
{
    const char *name = words_need(script, words, "a client");
    const char *word = words_need(script, words, "a label");
    struct client *client = name == NULL ? NULL : script_client(script, name);
    struct script_label *label = client == NULL || word == NULL
                                     ? NULL
                                     : script_label(script, word, NULL);
    if (label == NULL) {
        return false;
    }
    if (label->client != client) {
        script_error(script, "label '%s' belongs to %s", word,
                     label->client->name);
        return false;
    }
    return client->requests[label->request->request.sequence - 1].is_answered;
}

/* Everywhere that counts: every submitted request. */
static bool is_live(struct script *script, struct words *words)
{
    struct sim *sim = script->sim;
    (void)words;
    for (uint32_t h = 0; h < sim->host_count; h++) {
        const struct host *host = sim->hosts[h];
        if (!is_meant_by_all(host)) {
            continue;
        }
        for (size_t i = 0; i < script->label_count; i++) {
            const struct script_label *label = &script->labels[i];
            if (label->is_submitted &&
                (host->service == NULL ||
                 sim->settings.service->find(
                     host->service, label->client->index,
                     label->request->request.sequence) == 0)) {
                return false;
            }
        }
    }
    return true;
}

/* The auditor ends the script as soon as it does not hold. */
static bool is_agreement(struct script *script, struct words *words)
{
    (void)words;
    return !script->sim->violation.found;
}

static const struct {
    const char *name;
    bool (*holds)(struct script *script, struct words *words);
} predicates[] = {
    {"executed", is_executed},
    {"not-executed", is_not_executed},
    {"prepared", is_prepared},
    {"committed", is_committed},
    {"stable", script_is_stable},
    {"view", script_is_view},
    {"view-active", script_is_view_active},
    {"status", script_is_status},
    {"sent", is_sent},
    {"not-sent", is_not_sent},
    {"replied", is_replied},
    {"live", is_live},
    {"agreement", is_agreement},
    {"buffered", script_is_buffered},
};

bool script_predicate(struct script *script, struct words *words, bool *holds)
{
    const char *name = words_need(script, words, "a predicate");
    *holds = false;
    for (size_t i = 0;
         name != NULL && i < sizeof predicates / sizeof predicates[0]; i++) {
        if (strcmp(predicates[i].name, name) == 0) {
            *holds = predicates[i].holds(script, words);
            if (script->outcome == SCRIPT_RUNS) {
                words_finish(script, words);
            }
            return script->outcome == SCRIPT_RUNS;
        }
    }
    script_error(script, "'%s' is not a predicate", name == NULL ? "" : name);
    return false;
}

void script_do_expect(struct script *script, struct words *words)
{
    bool holds;
    if (script_predicate(script, words, &holds) && !holds) {
        script_broke(script, "it is not so");
    }
}
