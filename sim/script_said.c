/* SPDX-License-Identifier: Apache-2.0 */
/* The predicates `sent` and `not-sent`: what each replica said of that kind. */
#include <inttypes.h>
#include <string.h>

#include "consensus/log.h"
#include "consensus/preimage.h"
#include "sim/script.h"

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
        !pattern_matches_message(script->sim, &what->pattern, message,
                                 sent->request != NULL)) {
        return false;
    }
    const struct pbft_message *request =
        message->type == PBFT_MESSAGE_REQUEST ? message : sent->request;
    if (what->label != NULL && request != NULL) {
        return strcmp(script_label_of(script, &request->request.digest),
                      what->label) == 0;
    }
    return what->label == NULL ||
           script_digest_holds(script, trace_digest_of(message),
                               pbft_message_seq(message), what->label);
}

static bool is_same_message(const struct pbft_message *a,
                            const struct pbft_message *b)
{
    return a == b ||
           (a->type == b->type &&
            pbft_message_view(a) == pbft_message_view(b) &&
            pbft_message_seq(a) == pbft_message_seq(b) &&
            pbft_digest_equal(trace_digest_of(a), trace_digest_of(b)) &&
            memcmp(&a->signature, &b->signature, sizeof a->signature) == 0);
}

/* A reply says what became of a request, with whatever proof. */
static bool is_same_content(const struct script_sent *a,
                            const struct script_sent *b)
{
    if (a->request == NULL || b->request == NULL) {
        return a->request == b->request &&
               is_same_message(a->message, b->message);
    }
    return pbft_digest_equal(&a->request->request.digest,
                             &b->request->request.digest);
}

static bool is_first_of_its_kind(struct script *script,
                                 const struct sent_words *what, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (script->sent[i].actor == script->sent[at].actor &&
            is_same_content(&script->sent[i], &script->sent[at]) &&
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
    return out->label == NULL || strcmp(out->label, "null") == 0 ||
           script_label(script, out->label) != NULL;
}

static void explain(struct script *script, const char *name, uint64_t count,
                    const struct pbft_message *last)
{
    char content[SCRIPT_LABEL_SIZE * 4] = "";
    if (!script->is_explaining) {
        return;
    }
    if (last == NULL) {
        script_found(script, "%s sent none", name);
        return;
    }
    script_describe_digest(script, trace_digest_of(last), content,
                           sizeof content);
    script_found(script,
                 "%s sent %" PRIu64 " different, the last a %s of view %" PRIu64
                 " and seq %" PRIu64 " (%s)",
                 name, count, pbft_message_type_name(last->type),
                 pbft_message_view(last), pbft_message_seq(last), content);
}

/* Whether `holds` is true of what each of them sent; there must be one. */
static bool
is_true_of_each(struct script *script, const struct sent_words *what,
                bool (*holds)(const struct sent_words *what, uint64_t count))
{
    const bool needs_all = what->has_count || script->is_explaining;
    bool has_any = false;
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        const struct pbft_message *last = NULL;
        struct sent_words one = *what;
        if (!actor_set_has(&what->actors, i)) {
            continue;
        }
        has_any = true;
        one.actors = (struct actor_set){{0}};
        actor_set_add(&one.actors, i);
        const uint64_t count =
            count_sent(script, &one, needs_all ? UINT64_MAX : 1, &last);
        if (!holds(what, count)) {
            explain(script, script->sim->hosts[i]->name, count, last);
            return false;
        }
    }
    return has_any;
}

static bool is_enough(const struct sent_words *what, uint64_t count)
{
    return what->has_count ? count == what->count : count > 0;
}

static bool is_none(const struct sent_words *what, uint64_t count)
{
    (void)what;
    return count == 0;
}

bool script_is_sent(struct script *script, struct words *words)
{
    struct sent_words what;
    return take_words(script, words, &what) &&
           is_true_of_each(script, &what, is_enough);
}

bool script_is_not_sent(struct script *script, struct words *words)
{
    struct sent_words what;
    if (!take_words(script, words, &what)) {
        return false;
    }
    if (what.has_count) {
        script_error(script, "not-sent takes no count=");
        return false;
    }
    return is_true_of_each(script, &what, is_none);
}
