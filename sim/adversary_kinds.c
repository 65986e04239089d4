/* SPDX-License-Identifier: Apache-2.0 */
/* The table of strategies. A new one is a row and a small function; the letters
 * in brackets name the attack of docs/simulator.md. */
#include <stdio.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/adversary.h"
#include "sim/sim.h"

#define FLOOD_MESSAGES 12
/* Floods of one replica in a run: each makes its peers send it hundreds of
 * blocks, of which nobody learns anything. */
#define FLOODS_MAX 24
#define REPLAY_MESSAGES 3
/* Just below what makes others ask for another view. */
#define SLOW_PERCENT 90
#define TWINS_MAX 2

static struct random *random_of(struct host *host)
{
    return &host->sim->adversaries.random;
}

static bool is_own(const struct host *host, const struct pbft_message *message,
                   enum pbft_message_type type)
{
    return message->type == type && message->sender == host->id;
}

static void keep_silent(struct host *host, pbft_replica_id to,
                        const struct pbft_message *message)
{
    (void)to;
    (void)message;
    adversary_count(host);
}

static void speak_to_some(struct host *host, pbft_replica_id to,
                          const struct pbft_message *message)
{
    if (pbft_set_has(&host->sim->adversaries.faction, to)) {
        adversary_count(host);
    } else {
        adversary_speak(host, to, message);
    }
}

static void speak_late(struct host *host, pbft_replica_id to,
                       const struct pbft_message *message)
{
    uint64_t timeout_us =
        host->sim->settings.replica.request_timeout_ms * SIM_MS_US;
    adversary_count(host);
    adversary_deliver(host, to, message, timeout_us * SLOW_PERCENT / 100);
}

/* Another batch for the same slot: other time, fewer requests, none at all, or
 * what was ordered before. */
static struct pbft_message *make_rival(struct host *host,
                                       const struct pbft_message *proposal)
{
    const struct pbft_batch *batch = &proposal->pre_prepare.body->batch;
    const struct pbft_message *other =
        adversary_recall_type(host->sim, PBFT_MESSAGE_COMMITTED);
    switch (random_below(random_of(host), 4)) {
    case 0:
        return pbft_batch_create(&host->domain, batch->time + 1,
                                 batch->requests, batch->request_count);
    case 1:
        return pbft_batch_create(
            &host->domain, batch->time, batch->requests,
            batch->request_count > 0 ? batch->request_count - 1 : 0);
    case 2:
        return pbft_batch_create(&host->domain, 0, NULL, 0);
    default:
        if (other != NULL &&
            other->committed.pre_prepare->pre_prepare.body != NULL) {
            batch = &other->committed.pre_prepare->pre_prepare.body->batch;
        }
        return pbft_batch_create(&host->domain, batch->time + 2,
                                 batch->requests, batch->request_count);
    }
}

static void equivocate(struct host *host, pbft_replica_id to,
                       const struct pbft_message *message)
{
    if (is_own(host, message, PBFT_MESSAGE_PRE_PREPARE) &&
        message->pre_prepare.body != NULL &&
        adversary_story_of(host->sim, message) == NULL) {
        const struct pbft_origin origin = adversary_origin(host);
        struct pbft_message *body = make_rival(host, message);
        PBFT_ASSERT(body != NULL);
        struct pbft_message *rival = pbft_pre_prepare_create(
            &origin, message->pre_prepare.view, message->pre_prepare.seq,
            &body->batch.digest, body);
        PBFT_ASSERT(rival != NULL);
        pbft_message_sign(&host->domain, rival);
        adversary_add_story(host->sim, message, rival);
        pbft_message_unref(body);
        pbft_message_unref(rival);
    }
    adversary_speak(host, to, message);
}

static bool is_vote(const struct host *host, const struct pbft_message *message)
{
    return is_own(host, message, PBFT_MESSAGE_PREPARE) ||
           is_own(host, message, PBFT_MESSAGE_COMMIT);
}

/* Proposes two batches, and votes for both. */
static void vote_for_both(struct host *host, pbft_replica_id to,
                          const struct pbft_message *message)
{
    equivocate(host, to, message);
    const struct adversary_story *story =
        adversary_story_of(host->sim, message);
    const struct pbft_origin origin = adversary_origin(host);
    for (size_t i = 0; is_vote(host, message) && i < 2; i++) {
        struct pbft_prepare fields = message->prepare;
        if (story != NULL) {
            fields.digest = story->digests[i];
        } else if (i == 1) {
            pbft_null_digest(&host->domain, &fields.digest);
        }
        adversary_say(host, to,
                      pbft_vote_create(message->type, &origin, &fields));
    }
}

/* As soon as it hears of a proposal it votes for it, prepared or not. */
static void vote_early(struct host *host, pbft_replica_id to,
                       const struct pbft_message *message)
{
    adversary_speak(host, to, message);
    if (message->type == PBFT_MESSAGE_PREPARE && message->sender == host->id) {
        const struct pbft_origin origin = adversary_origin(host);
        adversary_say(
            host, to,
            pbft_vote_create(PBFT_MESSAGE_COMMIT, &origin, &message->prepare));
    }
}

static void change_something(struct host *host, pbft_replica_id to,
                             const struct pbft_message *message)
{
    if (message->sender != host->id && message->type != PBFT_MESSAGE_BATCH &&
        message->type != PBFT_MESSAGE_COMMITTED) {
        adversary_speak(host, to, message);
        return;
    }
    if (random_chance(random_of(host), 300)) { /* Beside the true one. */
        adversary_speak(host, to, message);
    }
    adversary_say(host, to, adversary_mutate(host, message));
}

/* The good one, then the same with a bad signature, then another. */
static void withdraw_vote(struct host *host, pbft_replica_id to,
                          const struct pbft_message *message)
{
    adversary_speak(host, to, message);
    if (!is_vote(host, message)) {
        return;
    }
    struct pbft_origin origin = adversary_origin(host);
    origin.signature = message->signature;
    origin.signature.bytes[0] ^= 1;
    struct pbft_message *bad =
        pbft_vote_create(message->type, &origin, &message->prepare);
    PBFT_ASSERT(bad != NULL);
    adversary_count(host);
    adversary_deliver(host, to, bad, 0);
    pbft_message_unref(bad);
    adversary_say(host, to, adversary_mutate(host, message));
}

static void withhold_body(struct host *host, pbft_replica_id to,
                          const struct pbft_message *message)
{
    if (message->type == PBFT_MESSAGE_BATCH) {
        adversary_count(host);
        return;
    }
    if (!is_own(host, message, PBFT_MESSAGE_PRE_PREPARE)) {
        adversary_speak(host, to, message);
        return;
    }
    struct pbft_message *bare = pbft_pre_prepare_with_body(message, NULL);
    PBFT_ASSERT(bare != NULL);
    adversary_count(host);
    adversary_deliver(host, to, bare, 0);
    pbft_message_unref(bare);
}

/* Proposals far up the window, and gaps below. */
static void leave_gaps(struct host *host, pbft_replica_id to,
                       const struct pbft_message *message)
{
    if (!is_own(host, message, PBFT_MESSAGE_PRE_PREPARE)) {
        adversary_speak(host, to, message);
        return;
    }
    const struct pbft_pre_prepare *fields = &message->pre_prepare;
    const struct pbft_origin origin = adversary_origin(host);
    pbft_seq seq =
        fields->seq + random_between(random_of(host), 1, host->config.window);
    adversary_say(host, to,
                  pbft_pre_prepare_create(&origin, fields->view, seq,
                                          &fields->digest, fields->body));
}

static void lie_in_checkpoint(struct host *host, pbft_replica_id to,
                              const struct pbft_message *message)
{
    if (is_own(host, message, PBFT_MESSAGE_ATTESTATION) ||
        message->type == PBFT_MESSAGE_STABLE) {
        adversary_say(host, to, adversary_mutate(host, message));
    } else {
        adversary_speak(host, to, message);
    }
}

/* Spoiled blocks and bodies, or none after it promised them. */
static void serve_badly(struct host *host, pbft_replica_id to,
                        const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_COMMITTED &&
        message->type != PBFT_MESSAGE_BATCH &&
        message->type != PBFT_MESSAGE_STABLE &&
        message->type != PBFT_MESSAGE_STATUS) {
        adversary_speak(host, to, message);
    } else if (random_chance(random_of(host), 300)) {
        adversary_count(host);
    } else {
        adversary_say(host, to, adversary_mutate(host, message));
    }
}

static void replay(struct host *host)
{
    for (int i = 0; i < REPLAY_MESSAGES; i++) {
        const struct pbft_message *old = adversary_recall(host->sim);
        if (old != NULL) {
            adversary_repeat(host, adversary_draw_victim(host), old);
        }
    }
}

/* The words of another as its own: the same content, signed by itself. */
static void paste(struct host *host)
{
    const struct pbft_message *old = adversary_recall(host->sim);
    if (old == NULL) {
        return;
    }
    /* One draw after the other: arguments have no order. */
    const uint32_t victim = adversary_draw_victim(host);
    adversary_say(host, victim, adversary_mutate(host, old));
}

/* For its next incarnation, or one after it: different requests each time. */
static void ask_to_recover(struct host *host, pbft_replica_id to,
                           uint64_t attempt)
{
    const struct pbft_recover next = {
        .replica = host->id,
        .incarnation =
            host->incarnations.of[host->id].number + 1 + attempt % 2};
    struct pbft_message *request =
        pbft_recover_create(&host->domain, &host->sim->keyring, &next, attempt);
    PBFT_ASSERT(request != NULL);
    pbft_message_sign(&host->domain, request);
    adversary_say(host, to, request);
}

static void flood(struct host *host)
{
    struct adversary_replica *replica = adversary_of(host);
    if (replica == NULL || replica->flood_count == FLOODS_MAX) {
        return;
    }
    replica->flood_count++;
    const struct pbft_message *old =
        adversary_recall_type(host->sim, PBFT_MESSAGE_VIEW_CHANGE);
    const struct pbft_origin origin = adversary_origin(host);
    pbft_replica_id to = adversary_draw_victim(host);
    for (int i = 0; i < FLOOD_MESSAGES; i++) {
        const struct pbft_fetch all = {
            .kind = PBFT_FETCH_BLOCKS, .seq = 1, .last = PBFT_FETCH_BLOCKS_MAX};
        const struct pbft_status_report question = {
            .version_min = PBFT_PROTOCOL_VERSION,
            .version_max = PBFT_PROTOCOL_VERSION,
            .reply_wanted = true,
            .question = (uint64_t)i};
        adversary_say(host, to,
                      i % 2 == 0 ? pbft_fetch_create(&origin, &all)
                                 : pbft_status_create(&origin, &question));
        if (old != NULL) {
            adversary_deliver(host, to, old, 0);
        }
        ask_to_recover(host, to,
                       (uint64_t)replica->flood_count * FLOOD_MESSAGES +
                           (uint64_t)i);
    }
}

/* Another live copy with the same key and the same past. */
static void add_twin(struct host *host)
{
    struct sim *sim = host->sim;
    char name[HOST_NAME_SIZE];
    uint32_t copies = 0;
    for (uint32_t i = sim->settings.n; i < sim->host_count; i++) {
        copies += sim->hosts[i]->id == host->id;
    }
    if (copies >= TWINS_MAX || sim->host_count == SIM_HOSTS_MAX) {
        return;
    }
    (void)snprintf(name, sizeof name, "T%u", sim->host_count % 1000);
    adversary_count(host);
    (void)sim_add_twin(sim, host, name);
}

const struct adversary_kind adversary_kinds[] = {
    {"silent", "says nothing (B2)", keep_silent, NULL, NULL},
    {"partial", "speaks to some replicas only (B2)", speak_to_some, NULL, NULL},
    {"slow", "speaks just before the others lose patience (B3)", speak_late,
     NULL, NULL},
    {"equivocate", "proposes two batches for one slot (B1)", equivocate, NULL,
     NULL},
    {"both-votes", "votes for both batches of a slot (B1)", vote_for_both, NULL,
     NULL},
    {"early-votes", "commits what is not prepared (B5)", vote_early, NULL,
     NULL},
    {"mutate", "changes one thing in a message (B5)", change_something, NULL,
     NULL},
    {"withdraw", "follows a vote by a bad one and another one (B17)",
     withdraw_vote, NULL, NULL},
    {"bodiless", "withholds the bodies of batches (B2)", withhold_body, NULL,
     NULL},
    {"censor", "orders nothing of some institutions (B4)", adversary_censor,
     NULL, NULL},
    {"gaps", "proposes far ahead and leaves gaps (B16)", leave_gaps, NULL,
     NULL},
    {"view-changes", "lies about what it prepared (B6)",
     adversary_lie_in_view_change, NULL, NULL},
    {"new-views", "begins a view with something else, differently to each (B7)",
     adversary_lie_in_new_view, NULL, NULL},
    {"view-jumps", "asks for views far ahead, again and again (B8)", NULL,
     adversary_jump_views, NULL},
    {"checkpoints", "attests what it did not execute (B9)", lie_in_checkpoint,
     NULL, NULL},
    {"bad-donor", "serves spoiled blocks, lies about its height (B10)",
     serve_badly, NULL, NULL},
    {"replay", "repeats what was said before, by anybody (B11)", NULL, replay,
     NULL},
    {"paste", "says what others said, slightly changed (B11)", NULL, paste,
     NULL},
    {"twins", "lives two or three times with one key (B13)", NULL, add_twin,
     NULL},
    {"flood", "asks for much, all the time (B14)", NULL, flood, NULL},
    {"loose", "signs so that only lax verifiers take it (B12)",
     adversary_sign_loosely, NULL, NULL},
    {"encodings", "sends bytes that only lax decoders take (B15)",
     adversary_spoil_bytes, NULL, NULL},
    {"deaf", "hears no requests of some institutions (B4)", NULL, NULL,
     adversary_hears_others},
};

const uint32_t adversary_kind_count =
    sizeof adversary_kinds / sizeof adversary_kinds[0];

static_assert(sizeof adversary_kinds / sizeof adversary_kinds[0] <=
                  ADVERSARY_KINDS_MAX,
              "a mask of strategies has 32 bits");
