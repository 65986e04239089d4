/* SPDX-License-Identifier: Apache-2.0 */
/* Byzantine replicas: puppets that say what the script says, and twins. */
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/script.h"

/* RECOVERs of one line. */
#define FLOOD_MAX 10000u

void script_do_byzantine(struct script *script, struct words *words)
{
    struct actor_set actors;
    if (!script_hosts(script, words, &actors)) {
        return;
    }
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        struct host *host = script->sim->hosts[i];
        if (actor_set_has(&actors, i)) {
            host->behavior = HOST_PUPPET;
            pbft_set_add(&script->sim->byzantine, host->id);
        }
    }
}

static void send_to(struct script *script, const struct host *host,
                    const struct pbft_message *message,
                    const struct actor_set *to)
{
    struct sim *sim = script->sim;
    for (uint32_t i = 0; i < SIM_ACTORS_MAX; i++) {
        bool exists = actor_is_client(i) ? i - SIM_HOSTS_MAX < sim->client_count
                                         : i < sim->host_count;
        if (exists && actor_set_has(to, i)) {
            (void)network_send_recoded(&sim->network, host->index, i, message);
        }
    }
}

/* A new-view contains view-changes; on the wire it names them, and whoever
 * lacks one asks for it. A puppet does not answer: it sends them along. */
static void send_named(struct script *script, const struct host *host,
                       const struct pbft_message *new_view,
                       const struct actor_set *to)
{
    const struct pbft_new_view *fields = &new_view->new_view;
    for (uint32_t i = 0; i < fields->view_change_count; i++) {
        const struct pbft_message *named =
            puppet_named_view_change(script, &fields->view_changes[i]);
        struct actor_set others = *to;
        for (uint32_t h = 0; h < script->sim->host_count; h++) {
            if (script->sim->hosts[h]->id == fields->view_changes[i].replica) {
                actor_set_remove(&others, h);
            }
        }
        if (named != NULL) {
            send_to(script, host, named, &others);
        }
    }
}

static void say(struct script *script, const struct host *host,
                const struct pbft_message *message, const struct actor_set *to)
{
    script_note_message(script, host->index, message, to);
    audit_note_batch(script->sim, message);
    send_to(script, host, message, to);
}

/* One after the other, each with another number of the attempt: different
 * requests that ask for the same. */
static void send_recovers(struct script *script, struct words *words,
                          const struct host *host, const struct actor_set *to)
{
    struct pbft_recover fields = {.replica = host->id};
    uint64_t attempt = 1;
    uint64_t count = 1;
    const char *name = words_value(words, "of");
    const struct host *of = name == NULL ? host : script_host(script, name);
    (void)words_number(script, words, "incarnation", &fields.incarnation);
    (void)words_number(script, words, "attempt", &attempt);
    (void)words_number(script, words, "count", &count);
    if (script->outcome == SCRIPT_RUNS && (attempt == 0 || count > FLOOD_MAX)) {
        script_error(script, "attempts begin at 1, %u at once", FLOOD_MAX);
    }
    if (script->outcome != SCRIPT_RUNS || of == NULL) {
        return;
    }
    fields.replica = of->id;
    for (uint64_t i = 0; i < count; i++) {
        struct pbft_message *recover = pbft_recover_create(
            &host->domain, &script->sim->keyring, &fields, attempt + i);
        PBFT_ASSERT(recover != NULL);
        pbft_message_sign(&host->domain, recover);
        struct pbft_message *own = pbft_message_handed_over(recover, host->id);
        PBFT_ASSERT(own != NULL);
        say(script, host, own, to);
        pbft_message_unref(own);
        pbft_message_unref(recover);
    }
}

static void puppet_send(struct script *script, struct words *words,
                        struct host *host)
{
    struct actor_set to;
    const char *type = words_need(script, words, "a message type");
    if (type == NULL || !script_to(script, words, host, true, &to)) {
        return;
    }
    if (strcmp(type, "recover") == 0) {
        send_recovers(script, words, host, &to);
        return;
    }
    bool is_bad = words_flag(words, "bad-signature");
    struct pbft_message *message = puppet_message(script, host, type, words);
    if (message == NULL) {
        return;
    }
    if (is_bad) {
        message->signature.bytes[0] ^= 1;
    }
    if (message->type == PBFT_MESSAGE_NEW_VIEW) {
        send_named(script, host, message, &to);
    }
    say(script, host, message, &to);
    pbft_message_unref(message);
}

static bool is_recorded(struct script *script, const struct pattern *pattern,
                        const struct script_sent *sent)
{
    bool is_to = !pattern->has_to;
    for (uint32_t i = 0; !is_to && i < SIM_ACTORS_MAX; i++) {
        is_to = actor_set_has(&sent->to, i) && actor_set_has(&pattern->to, i);
    }
    return is_to && !sent->is_withheld && !sent->is_part &&
           (!pattern->has_from || actor_set_has(&pattern->from, sent->actor)) &&
           pattern_matches_message(script->sim, pattern, sent->message,
                                   sent->reply != NULL);
}

/* A reply says something to the client that asked, and to no other. */
/* A request names whose channel it comes by, which nobody signs: from `host` it
 * comes by that of `host`. */
static void hand_over(struct script *script, const struct host *host,
                      const struct pbft_message *request,
                      const struct actor_set *to)
{
    struct pbft_message *own = pbft_message_handed_over(request, host->id);
    PBFT_ASSERT(own != NULL);
    send_to(script, host, own, to);
    pbft_message_unref(own);
}

static void send_again(struct script *script, const struct host *host,
                       const struct script_sent *sent,
                       const struct actor_set *to)
{
    struct sim *sim = script->sim;
    if (sent->reply == NULL) {
        if (sent->message->type == PBFT_MESSAGE_REQUEST) {
            hand_over(script, host, sent->message, to);
        } else {
            send_to(script, host, sent->message, to);
        }
        return;
    }
    for (uint32_t i = 0; i < sim->client_count; i++) {
        const uint32_t actor = SIM_HOSTS_MAX + i;
        if (actor_set_has(to, actor) && actor_set_has(&sent->to, actor)) {
            network_send(&sim->network, host->index, actor, sent->message,
                         script_copy_reply(sent->reply));
        }
    }
}

static void puppet_replay(struct script *script, struct words *words,
                          struct host *host)
{
    struct actor_set to;
    struct pattern pattern;
    if (!script_to(script, words, host, true, &to) ||
        !script_pattern(script, words, &pattern)) {
        return;
    }
    size_t found = 0;
    for (size_t i = 0; i < script->sent_count; i++) {
        if (is_recorded(script, &pattern, &script->sent[i])) {
            send_again(script, host, &script->sent[i], &to);
            found++;
        }
    }
    if (found == 0) {
        script_error(script, "nothing like that was ever sent");
    }
}

static void be_honest(struct script *script, struct words *words,
                      struct host *host)
{
    (void)script;
    (void)words;
    host->behavior = HOST_HONEST; /* The auditor goes on to distrust it. */
}

static void be_silent(struct script *script, struct words *words,
                      struct host *host)
{
    (void)script;
    (void)words;
    host->behavior = HOST_PUPPET;
}

static const struct {
    const char *word;
    void (*run)(struct script *script, struct words *words, struct host *host);
} puppet_verbs[] = {
    {"send", puppet_send},         {"replay", puppet_replay},
    {"answer", script_set_answer}, {"honest", be_honest},
    {"silent", be_silent},
};

static void do_verb(struct script *script, struct words *words,
                    struct host *host)
{
    const char *verb = words_need(script, words, "what the puppet does");
    if (verb == NULL) {
        return;
    }
    if (!pbft_set_has(&script->sim->byzantine, host->id)) {
        script_error(script, "%s is not byzantine", host->name);
        return;
    }
    for (size_t i = 0; i < sizeof puppet_verbs / sizeof puppet_verbs[0]; i++) {
        if (strcmp(puppet_verbs[i].word, verb) == 0) {
            puppet_verbs[i].run(script, words, host);
            return;
        }
    }
    script_error(script, "a puppet cannot '%s'", verb);
}

/* The same for each of a list. */
void script_do_puppet(struct script *script, struct words *words)
{
    struct actor_set actors;
    if (!script_hosts(script, words, &actors)) {
        return;
    }
    const size_t at = words->at;
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        if (actor_set_has(&actors, i) && script->outcome == SCRIPT_RUNS) {
            words_rewind(words, at);
            do_verb(script, words, script->sim->hosts[i]);
        }
    }
}

static bool is_taken(const struct script *script, const char *name)
{
    const struct sim *sim = script->sim;
    bool found = false;
    for (uint32_t i = 0; i < sim->host_count; i++) {
        found = found || strcmp(sim->hosts[i]->name, name) == 0;
    }
    for (uint32_t i = 0; i < sim->client_count; i++) {
        found = found || strcmp(sim->clients[i]->name, name) == 0;
    }
    return found;
}

/* "twin R0 as T0" */
void script_do_twin(struct script *script, struct words *words)
{
    const char *name = words_need(script, words, "a replica");
    const char *as = words_need(script, words, "as");
    const char *twin = words_need(script, words, "a name");
    struct host *host = name == NULL ? NULL : script_host(script, name);
    if (host == NULL || as == NULL || twin == NULL) {
        return;
    }
    if (strcmp(as, "as") != 0 || !script_is_name(twin) ||
        strlen(twin) >= HOST_NAME_SIZE) {
        script_error(script, "usage: twin REPLICA as NAME");
        return;
    }
    if (is_taken(script, twin)) {
        script_error(script, "the name '%s' is taken", twin);
        return;
    }
    if (script->sim->host_count == SIM_HOSTS_MAX) {
        script_error(script, "too many twins");
        return;
    }
    (void)sim_add_twin(script->sim, host, twin);
}
