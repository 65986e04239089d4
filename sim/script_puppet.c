/* SPDX-License-Identifier: Apache-2.0 */
/* Byzantine replicas: puppets that say what the script says, and twins. */
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/script.h"

void script_do_byzantine(struct script *script, struct words *words)
{
    struct actor_set actors;
    const char *word = words_need(script, words, "a replica");
    if (word == NULL || !script_actors(script, word, &actors)) {
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

/* "all" leaves out the sender. */
static void send_to(struct script *script, struct host *host,
                    const struct pbft_message *message,
                    const struct actor_set *to)
{
    struct sim *sim = script->sim;
    script_note_sent(script, host, message);
    audit_note_batch(sim, message);
    for (uint32_t i = 0; i < SIM_ACTORS_MAX; i++) {
        bool exists = actor_is_client(i) ? i - SIM_HOSTS_MAX < sim->client_count
                                         : i < sim->host_count;
        if (exists && i != host->index && actor_set_has(to, i)) {
            network_send(&sim->network, host->index, i, message, NULL);
        }
    }
}

static bool take_to(struct script *script, struct words *words,
                    struct actor_set *to)
{
    if (!words_flag(words, "to")) {
        script_error(script, "to is missing");
        return false;
    }
    /* The list is the word behind "to". */
    for (size_t i = 1; i < words->count; i++) {
        if (strcmp(words->word[i - 1], "to") == 0 && !words->is_used[i]) {
            words->is_used[i] = true;
            return script_actors(script, words->word[i], to);
        }
    }
    script_error(script, "a list of replicas is missing");
    return false;
}

static void puppet_send(struct script *script, struct words *words,
                        struct host *host)
{
    struct actor_set to;
    const char *type = words_need(script, words, "a message type");
    if (type == NULL || !take_to(script, words, &to)) {
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
    send_to(script, host, message, &to);
    pbft_message_unref(message);
}

static void puppet_replay(struct script *script, struct words *words,
                          struct host *host)
{
    struct actor_set to;
    struct pattern pattern;
    if (!take_to(script, words, &to) ||
        !script_pattern(script, words, &pattern)) {
        return;
    }
    size_t count = script->sent_count; /* Not what is added meanwhile. */
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const struct script_sent *sent = &script->sent[i];
        if (!pattern_matches_message(script->sim, &pattern, sent->message,
                                     false) ||
            (pattern.has_from && !actor_set_has(&pattern.from, sent->host))) {
            continue;
        }
        found++;
        for (uint32_t a = 0; a < script->sim->host_count; a++) {
            if (a != host->index && actor_set_has(&to, a)) {
                network_send(&script->sim->network, host->index, a,
                             sent->message, NULL);
            }
        }
    }
    if (found == 0) {
        script_error(script, "nothing like that was ever sent");
    }
}

static void set_answer(struct script *script, struct words *words,
                       struct host *host)
{
    struct script_answer *answer = &script->answers[host->index];
    const char *fetch = words_need(script, words, "fetch");
    const char *with = words_value(words, "with");
    if (fetch == NULL || strcmp(fetch, "fetch") != 0 || with == NULL) {
        script_error(script, "usage: puppet R answer fetch with=... to ...");
        return;
    }
    if (!take_to(script, words, &answer->to)) {
        return;
    }
    pbft_message_unref(answer->certificate);
    answer->certificate = NULL;
    if (strcmp(with, "nothing") == 0) {
        answer->kind = ANSWER_NOTHING;
    } else if (strcmp(with, "garbage") == 0) {
        answer->kind = ANSWER_GARBAGE;
    } else if (strcmp(with, "old") == 0) {
        answer->kind = ANSWER_OLD;
    } else if (strncmp(with, "commit=", 7) == 0) {
        answer->kind = ANSWER_CERTIFICATE;
        answer->certificate =
            puppet_certificate(script, host, PBFT_MESSAGE_COMMITTED, with + 7);
    } else {
        script_error(script, "with=%s is not an answer", with);
    }
}

/* A certificate for what was asked, with signatures that prove nothing. */
static struct pbft_message *make_garbage(struct script *script,
                                         const struct host *host, pbft_seq seq)
{
    const struct pbft_origin origin = {.sender = 0,
                                       .epoch = script->sim->keyring.epoch};
    struct pbft_vote votes[PBFT_REPLICAS_MAX] = {{0}};
    uint32_t quorum = pbft_quorum(script->sim->settings.n);
    struct pbft_digest digest = {{0x67}};
    for (uint32_t i = 0; i < quorum; i++) {
        votes[i].replica = i;
    }
    struct pbft_message *header =
        pbft_pre_prepare_create(&origin, 0, seq == 0 ? 1 : seq, &digest, NULL);
    PBFT_ASSERT(header != NULL);
    struct pbft_message *message = pbft_certificate_create(
        PBFT_MESSAGE_COMMITTED, host->id, origin.epoch, header, votes, quorum);
    PBFT_ASSERT(message != NULL);
    pbft_message_unref(header);
    return message;
}

void script_on_puppet_packet(void *context, struct host *host,
                             const struct sim_packet *packet)
{
    struct script *script = context;
    const struct script_answer *answer = &script->answers[host->index];
    if (packet->message->type != PBFT_MESSAGE_FETCH ||
        !actor_set_has(&answer->to, packet->from)) {
        return;
    }
    struct network *network = &script->sim->network;
    if (answer->kind == ANSWER_CERTIFICATE && answer->certificate != NULL) {
        network_send(network, host->index, packet->from, answer->certificate,
                     NULL);
    } else if (answer->kind == ANSWER_OLD && host->block_count > 0) {
        network_send(network, host->index, packet->from,
                     host->blocks[0].committed, NULL);
    } else if (answer->kind == ANSWER_GARBAGE) {
        struct pbft_message *garbage =
            make_garbage(script, host, packet->message->fetch.seq);
        network_send(network, host->index, packet->from, garbage, NULL);
        pbft_message_unref(garbage);
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
    {"send", puppet_send}, {"replay", puppet_replay}, {"answer", set_answer},
    {"honest", be_honest}, {"silent", be_silent},
};

void script_do_puppet(struct script *script, struct words *words)
{
    const char *name = words_need(script, words, "a replica");
    const char *verb = words_need(script, words, "what the puppet does");
    struct host *host = name == NULL ? NULL : script_host(script, name);
    if (host == NULL || verb == NULL) {
        return;
    }
    if (!pbft_set_has(&script->sim->byzantine, host->id)) {
        script_error(script, "%s is not byzantine", name);
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
    if (strcmp(as, "as") != 0 || strlen(twin) >= HOST_NAME_SIZE) {
        script_error(script, "usage: twin REPLICA as NAME");
        return;
    }
    for (uint32_t i = 0; i < script->sim->host_count; i++) {
        if (strcmp(script->sim->hosts[i]->name, twin) == 0) {
            script_error(script, "the name '%s' is taken", twin);
            return;
        }
    }
    if (script->sim->host_count == SIM_HOSTS_MAX) {
        script_error(script, "too many twins");
        return;
    }
    (void)sim_add_twin(script->sim, host, twin);
}
