/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that was said in the run: what predicates count, certificates are
 * made of, and puppets replay. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/script.h"

#define CAPACITY_FIRST 256

static bool is_equal(const struct pbft_digest *a, const struct pbft_digest *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

const struct pbft_batch *script_find_batch(const struct script *script,
                                           const struct pbft_digest *digest)
{
    for (size_t i = 0; i < script->batch_count; i++) {
        if (is_equal(&script->batches[i]->batch.digest, digest)) {
            return &script->batches[i]->batch;
        }
    }
    return NULL;
}

static void note_batch(struct script *script, const struct pbft_message *body)
{
    if (script_find_batch(script, &body->batch.digest) != NULL) {
        return;
    }
    if (script->batch_count == script->batch_capacity) {
        script->batch_capacity = script->batch_capacity == 0
                                     ? CAPACITY_FIRST
                                     : 2 * script->batch_capacity;
        script->batches =
            realloc(script->batches,
                    script->batch_capacity * sizeof script->batches[0]);
        PBFT_ASSERT(script->batches != NULL);
    }
    script->batches[script->batch_count++] = pbft_message_ref(body);
}

static void note(struct script *script, uint32_t actor,
                 const struct pbft_message *message, const struct actor_set *to)
{
    if (script->sent_count == script->sent_capacity) {
        script->sent_capacity = script->sent_capacity == 0
                                    ? CAPACITY_FIRST
                                    : 2 * script->sent_capacity;
        script->sent = realloc(script->sent,
                               script->sent_capacity * sizeof script->sent[0]);
        PBFT_ASSERT(script->sent != NULL);
    }
    script->sent[script->sent_count++] = (struct script_sent){
        .actor = actor, .to = *to, .message = pbft_message_ref(message)};
    if (message->type == PBFT_MESSAGE_PRE_PREPARE &&
        message->pre_prepare.body != NULL) {
        note_batch(script, message->pre_prepare.body);
    }
}

void script_note_message(struct script *script, uint32_t actor,
                         const struct pbft_message *message,
                         const struct actor_set *to)
{
    note(script, actor, message, to);
    if (message->type != PBFT_MESSAGE_NEW_VIEW) {
        return;
    }
    /* What it proposes again was said with it. */
    for (uint32_t i = 0; i < message->new_view.pre_prepare_count; i++) {
        note(script, actor, message->new_view.pre_prepares[i], to);
        script->sent[script->sent_count - 1].is_part = true;
    }
}

static struct actor_set actors_of(const struct sim *sim,
                                  const struct pbft_replica_set *ids,
                                  uint32_t except)
{
    struct actor_set out = {{0}};
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (i != except && pbft_set_has(ids, sim->hosts[i]->id)) {
            actor_set_add(&out, i);
        }
    }
    return out;
}

void script_on_send(void *context, const struct host *host,
                    const struct pbft_send *send, bool is_withheld)
{
    struct script *script = context;
    const struct actor_set to = actors_of(script->sim, &send->to, host->index);
    if (!is_withheld || send->message->type == PBFT_MESSAGE_VIEW_CHANGE) {
        script_note_message(script, host->index, send->message, &to);
        script->sent[script->sent_count - 1].is_withheld = is_withheld;
    }
}

void script_on_submit(void *context, const struct client *client,
                      const struct pbft_message *request,
                      const struct pbft_replica_set *to)
{
    struct script *script = context;
    const struct actor_set actors = actors_of(script->sim, to, SIM_HOSTS_MAX);
    script_note_message(script, SIM_HOSTS_MAX + client->index, request,
                        &actors);
}

void script_forget_sent(struct script *script)
{
    for (size_t i = 0; i < script->sent_count; i++) {
        pbft_message_unref(script->sent[i].message);
    }
    for (size_t i = 0; i < script->batch_count; i++) {
        pbft_message_unref(script->batches[i]);
    }
    free(script->sent);
    free(script->batches);
}

/* ---- digests and labels -----------------------------------------------------
 */

static bool is_null(const struct script *script,
                    const struct pbft_digest *digest)
{
    struct pbft_digest null;
    pbft_null_digest(&script->sim->hosts[0]->domain, &null);
    return is_equal(digest, &null);
}

bool script_digest_holds(struct script *script,
                         const struct pbft_digest *digest, pbft_seq seq,
                         const char *name)
{
    struct pbft_digest alone;
    if (strcmp(name, "null") == 0) {
        return is_null(script, digest);
    }
    const struct pbft_batch *batch = script_find_batch(script, digest);
    if (batch != NULL) {
        return script_batch_holds(script, batch, name);
    }
    return script_digest(script, name, seq, &alone) && is_equal(digest, &alone);
}

void script_describe_digest(const struct script *script,
                            const struct pbft_digest *digest, char *out,
                            size_t size)
{
    const struct pbft_batch *batch = script_find_batch(script, digest);
    if (batch != NULL) {
        script_describe_batch(script, batch, out, size);
    } else {
        (void)snprintf(out, size, "%s",
                       is_null(script, digest) ? "null" : "something unknown");
    }
}

/* ---- predicates -------------------------------------------------------------
 */

/* What `sent` and `not-sent` ask for. */
struct sent_words {
    struct actor_set actors;
    struct pattern pattern;
    const char *label; /* Or NULL. */
    bool has_count;
    uint64_t count;
};

/* Not what another signed, and this replica passed on: a vote goes back to a
 * starting replica, a view-change to whoever asks for it. */
static bool is_own(const struct script *script, const struct script_sent *sent)
{
    switch (sent->message->type) {
    case PBFT_MESSAGE_PRE_PREPARE:
    case PBFT_MESSAGE_PREPARE:
    case PBFT_MESSAGE_COMMIT:
    case PBFT_MESSAGE_ATTESTATION:
    case PBFT_MESSAGE_VIEW_CHANGE:
    case PBFT_MESSAGE_NEW_VIEW:
        return sent->actor < SIM_HOSTS_MAX &&
               script->sim->hosts[sent->actor]->id == sent->message->sender;
    case PBFT_MESSAGE_REQUEST:
    case PBFT_MESSAGE_STATUS:
    case PBFT_MESSAGE_FETCH:
    case PBFT_MESSAGE_BATCH:
    case PBFT_MESSAGE_PREPARED:
    case PBFT_MESSAGE_COMMITTED:
    case PBFT_MESSAGE_STABLE:
    case PBFT_MESSAGE_EVIDENCE:
        return true;
    }
    return true;
}

static bool is_meant(struct script *script, const struct sent_words *what,
                     const struct script_sent *sent)
{
    const struct pbft_message *message = sent->message;
    bool is_to = !what->pattern.has_to;
    for (uint32_t i = 0; !is_to && i < SIM_ACTORS_MAX; i++) {
        is_to =
            actor_set_has(&sent->to, i) && actor_set_has(&what->pattern.to, i);
    }
    if (sent->is_withheld || !is_to ||
        !actor_set_has(&what->actors, sent->actor) || !is_own(script, sent) ||
        !pattern_matches_message(script->sim, &what->pattern, message, false)) {
        return false;
    }
    if (what->label != NULL && message->type == PBFT_MESSAGE_REQUEST) {
        return strcmp(script_label_of(script, &message->request.digest),
                      what->label) == 0;
    }
    return what->label == NULL ||
           script_digest_holds(script, trace_digest_of(message),
                               pbft_message_seq(message), what->label);
}

static bool is_same_content(const struct pbft_message *a,
                            const struct pbft_message *b)
{
    return a == b ||
           (a->type == b->type &&
            pbft_message_view(a) == pbft_message_view(b) &&
            pbft_message_seq(a) == pbft_message_seq(b) &&
            is_equal(trace_digest_of(a), trace_digest_of(b)) &&
            memcmp(&a->signature, &b->signature, sizeof a->signature) == 0);
}

static bool is_first_of_its_kind(struct script *script,
                                 const struct sent_words *what, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (script->sent[i].actor == script->sent[at].actor &&
            is_same_content(script->sent[i].message,
                            script->sent[at].message) &&
            is_meant(script, what, &script->sent[i])) {
            return false;
        }
    }
    return true;
}

/* How many different ones, up to `limit`; `*last` is one of them. */
static uint64_t count_sent(struct script *script, const struct sent_words *what,
                           uint64_t limit, const struct pbft_message **last)
{
    uint64_t count = 0;
    for (size_t i = 0; i < script->sent_count && count < limit; i++) {
        if (is_meant(script, what, &script->sent[i]) &&
            is_first_of_its_kind(script, what, i)) {
            *last = script->sent[i].message;
            count++;
        }
    }
    return count;
}

static bool take_words(struct script *script, struct words *words,
                       struct sent_words *out)
{
    *out = (struct sent_words){.label = NULL};
    if (!script_audience(script, words, &out->actors)) {
        return false;
    }
    out->label = words_value(words, "digest");
    out->has_count = words_number(script, words, "count", &out->count);
    if (!script_pattern(script, words, &out->pattern)) {
        return false;
    }
    if (out->pattern.has_from) {
        script_error(script, "who sends is said in front: no from= here");
        return false;
    }
    if (out->pattern.types == UINT32_C(1) << PATTERN_REPLY) {
        script_error(script, "replies go to clients: see 'replied'");
        return false;
    }
    return out->label == NULL || strcmp(out->label, "null") == 0 ||
           script_label(script, out->label) != NULL;
}

static void explain(struct script *script, uint64_t count,
                    const struct pbft_message *last)
{
    char content[SCRIPT_LABEL_SIZE * 4] = "";
    if (!script->is_explaining) {
        return;
    }
    if (last == NULL) {
        script_found(script, "none was sent");
        return;
    }
    script_describe_digest(script, trace_digest_of(last), content,
                           sizeof content);
    script_found(script,
                 "%" PRIu64 " different, the last a %s of view %" PRIu64
                 " and seq %" PRIu64 " (%s)",
                 count, pbft_message_type_name(last->type),
                 pbft_message_view(last), pbft_message_seq(last), content);
}

bool script_is_sent(struct script *script, struct words *words)
{
    struct sent_words what;
    const struct pbft_message *last = NULL;
    if (!take_words(script, words, &what)) {
        return false;
    }
    const bool needs_all = what.has_count || script->is_explaining;
    uint64_t count =
        count_sent(script, &what, needs_all ? UINT64_MAX : 1, &last);
    explain(script, count, last);
    return what.has_count ? count == what.count : count > 0;
}

bool script_is_not_sent(struct script *script, struct words *words)
{
    struct sent_words what;
    const struct pbft_message *last = NULL;
    if (!take_words(script, words, &what)) {
        return false;
    }
    if (what.has_count) {
        script_error(script, "not-sent takes no count=");
        return false;
    }
    uint64_t count = count_sent(script, &what,
                                script->is_explaining ? UINT64_MAX : 1, &last);
    explain(script, count, last);
    return count == 0;
}
