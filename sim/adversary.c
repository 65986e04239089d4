/* SPDX-License-Identifier: Apache-2.0 */
/* What Byzantine replicas know, and how they send. */
#include "sim/adversary.h"

#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "sim/sim.h"

#define STREAM_ADVERSARIES 5
#define STREAM_ACTS UINT64_C(0x500000000)
/* How often, of 1000 ticks, another strategy is taken up. */
#define PHASE_PERMILLE 60
#define ANSWER_PERMILLE 500

void adversaries_init(struct adversaries *adversaries, uint64_t seed)
{
    *adversaries = (struct adversaries){.count = 0};
    random_init(&adversaries->random, seed, STREAM_ADVERSARIES);
}

static void drop_story(struct adversary_story *story)
{
    pbft_message_unref(story->proposals[0]);
    pbft_message_unref(story->proposals[1]);
    *story = (struct adversary_story){.view = 0};
}

void adversaries_deinit(struct adversaries *adversaries)
{
    for (size_t i = 0; i < ADVERSARY_STORIES_MAX; i++) {
        drop_story(&adversaries->stories[i]);
    }
    for (size_t i = 0; i < ADVERSARY_RECORDED_MAX; i++) {
        pbft_message_unref(adversaries->recorded[i]);
    }
}

struct adversary_replica *adversary_of(const struct host *host)
{
    struct adversaries *adversaries = &host->sim->adversaries;
    for (uint32_t i = 0; i < adversaries->count; i++) {
        if (adversaries->replicas[i].id == host->id) {
            return &adversaries->replicas[i];
        }
    }
    return NULL;
}

static const struct adversary_kind *kind_of(const struct host *host)
{
    const struct adversary_replica *replica = adversary_of(host);
    return replica == NULL || replica->current >= adversary_kind_count
               ? NULL
               : &adversary_kinds[replica->current];
}

void adversary_count(struct host *host)
{
    const struct adversary_replica *replica = adversary_of(host);
    if (replica != NULL && replica->current < adversary_kind_count) {
        host->sim->adversaries.acts[replica->current]++;
    }
}

/* An occasion to lie. Each has a number and a stream of its own, so that one
 * that is left out (shrink) does not change the others. False: left out. */
static bool begin_act(struct sim *sim, struct random *kept)
{
    struct adversaries *adversaries = &sim->adversaries;
    uint64_t number = ++adversaries->drawn;
    if (fault_is_left_out(&sim->settings.act_filter, number)) {
        return false;
    }
    *kept = adversaries->random;
    random_init(&adversaries->random, sim->seed, STREAM_ACTS + number);
    return true;
}

static void end_act(struct sim *sim, const struct random *kept)
{
    sim->adversaries.random = *kept;
}

void adversary_on_tick(struct sim *sim, uint32_t index)
{
    struct host *host = sim->hosts[index];
    struct adversaries *adversaries = &sim->adversaries;
    struct adversary_replica *replica = adversary_of(host);
    PBFT_ASSERT(replica != NULL);
    if (random_chance(&adversaries->random, PHASE_PERMILLE)) {
        adversary_begin_phase(sim, replica);
    }
    const struct adversary_kind *kind = kind_of(host);
    if (host->state == HOST_UP && kind != NULL && kind->on_tick != NULL &&
        random_chance(&adversaries->random, replica->permille)) {
        struct random kept;
        if (begin_act(sim, &kept)) {
            kind->on_tick(host);
            end_act(sim, &kept);
        }
    }
    sim_schedule(
        sim, SIM_EVENT_ADVERSARY, index, 0,
        random_exponential(&adversaries->random, adversaries->tick_us) + 1);
}

/* ---- what they know -------------------------------------------------------
 */

static void record(struct sim *sim, const struct pbft_message *message)
{
    struct adversaries *adversaries = &sim->adversaries;
    const struct pbft_message **at =
        &adversaries
             ->recorded[adversaries->recorded_count++ % ADVERSARY_RECORDED_MAX];
    pbft_message_unref(*at);
    *at = pbft_message_ref(message);
}

const struct pbft_message *adversary_recall(struct sim *sim)
{
    struct adversaries *adversaries = &sim->adversaries;
    uint64_t count = adversaries->recorded_count;
    if (count > ADVERSARY_RECORDED_MAX) {
        count = ADVERSARY_RECORDED_MAX;
    }
    return count == 0
               ? NULL
               : adversaries
                     ->recorded[random_below(&adversaries->random, count)];
}

const struct pbft_message *adversary_recall_type(struct sim *sim,
                                                 enum pbft_message_type type)
{
    struct adversaries *adversaries = &sim->adversaries;
    for (uint64_t i = 1; i <= ADVERSARY_RECORDED_MAX; i++) {
        if (i > adversaries->recorded_count) {
            break;
        }
        const struct pbft_message *message =
            adversaries->recorded[(adversaries->recorded_count - i) %
                                  ADVERSARY_RECORDED_MAX];
        if (message->type == type) {
            return message;
        }
    }
    return NULL;
}

bool adversary_receive(struct host *host, const struct pbft_message *message)
{
    const struct adversary_kind *kind = kind_of(host);
    record(host->sim, message);
    if (kind == NULL || kind->hears == NULL || kind->hears(host, message)) {
        return true;
    }
    adversary_count(host);
    return false;
}

/* ---- how they send --------------------------------------------------------
 */

struct pbft_origin adversary_origin(const struct host *host)
{
    return (struct pbft_origin){.sender = host->id,
                                .incarnation =
                                    host->incarnations.of[host->id].number,
                                .epoch = host->sim->keyring.epoch};
}

pbft_replica_id adversary_draw_victim(struct host *host)
{
    struct sim *sim = host->sim;
    pbft_replica_id id;
    do {
        id = (pbft_replica_id)random_below(&sim->adversaries.random,
                                           sim->settings.n);
    } while (id == host->id);
    return id;
}

void adversary_deliver(struct host *host, pbft_replica_id to,
                       const struct pbft_message *message, uint64_t delay_us)
{
    struct sim *sim = host->sim;
    for (uint32_t i = 0; i < sim->host_count; i++) {
        if (sim->hosts[i]->id == to && i != host->index) {
            network_send_late(&sim->network, host->index, i, message, delay_us);
        }
    }
}

static bool is_signed(enum pbft_message_type type)
{
    return type != PBFT_MESSAGE_REQUEST && type != PBFT_MESSAGE_BATCH &&
           type != PBFT_MESSAGE_PREPARED && type != PBFT_MESSAGE_COMMITTED &&
           type != PBFT_MESSAGE_STABLE;
}

void adversary_repeat(struct host *host, pbft_replica_id to,
                      const struct pbft_message *message)
{
    adversary_count(host);
    if (is_signed(message->type)) {
        adversary_deliver(host, to, message, 0);
        return;
    }
    struct pbft_message *own = pbft_message_handed_over(message, host->id);
    PBFT_ASSERT(own != NULL);
    adversary_deliver(host, to, own, 0);
    pbft_message_unref(own);
}

void adversary_say(struct host *host, pbft_replica_id to,
                   struct pbft_message *message)
{
    if (message == NULL) {
        return;
    }
    if (is_signed(message->type) && message->sender == host->id) {
        pbft_message_sign(&host->domain, message);
    }
    adversary_count(host);
    struct network *network = &host->sim->network;
    const struct pbft_message *recoded = network_recode(network, message);
    if (recoded != NULL) {
        adversary_deliver(host, to, recoded, 0);
    } else {
        network_lose(network, host->index, to, message, "malformed");
    }
    pbft_message_unref(recoded);
    pbft_message_unref(message);
}

static const struct adversary_story *find_story(const struct sim *sim,
                                                pbft_view view, pbft_seq seq)
{
    for (size_t i = 0; i < ADVERSARY_STORIES_MAX; i++) {
        const struct adversary_story *story = &sim->adversaries.stories[i];
        if (story->proposals[0] != NULL && story->view == view &&
            story->seq == seq) {
            return story;
        }
    }
    return NULL;
}

void adversary_add_story(struct sim *sim, const struct pbft_message *first,
                         const struct pbft_message *second)
{
    struct adversaries *adversaries = &sim->adversaries;
    struct adversary_story *story =
        &adversaries
             ->stories[adversaries->story_count++ % ADVERSARY_STORIES_MAX];
    drop_story(story);
    *story = (struct adversary_story){
        .view = first->pre_prepare.view,
        .seq = first->pre_prepare.seq,
        .digests = {first->pre_prepare.digest, second->pre_prepare.digest},
        .proposals = {pbft_message_ref(first), pbft_message_ref(second)}};
}

const struct adversary_story *
adversary_story_of(const struct sim *sim, const struct pbft_message *message)
{
    if (message->type != PBFT_MESSAGE_PRE_PREPARE &&
        message->type != PBFT_MESSAGE_PREPARE &&
        message->type != PBFT_MESSAGE_COMMIT) {
        return NULL;
    }
    return find_story(sim, pbft_message_view(message),
                      pbft_message_seq(message));
}

void adversary_speak(struct host *host, pbft_replica_id to,
                     const struct pbft_message *message)
{
    struct sim *sim = host->sim;
    const struct adversary_story *story = adversary_story_of(sim, message);
    if (story == NULL || message->sender != host->id) {
        adversary_deliver(host, to, message, 0);
        return;
    }
    size_t side = pbft_set_has(&sim->adversaries.faction, to);
    if (message->type == PBFT_MESSAGE_PRE_PREPARE) {
        adversary_count(host);
        adversary_deliver(host, to, story->proposals[side], 0);
        return;
    }
    struct pbft_prepare fields = {story->view, story->seq,
                                  story->digests[side]};
    const struct pbft_origin origin = adversary_origin(host);
    adversary_say(host, to, pbft_vote_create(message->type, &origin, &fields));
}

/* False: it says what an honest one would. */
static bool lie(struct host *host, pbft_replica_id to,
                const struct pbft_message *message)
{
    struct sim *sim = host->sim;
    const struct adversary_replica *replica = adversary_of(host);
    const struct adversary_kind *kind = kind_of(host);
    const bool is_mutated = scheduler_is_lie(sim, to);
    struct random kept;
    if (!is_mutated &&
        (kind == NULL || kind->on_send == NULL ||
         !random_chance(&sim->adversaries.random, replica->permille))) {
        return false;
    }
    if (!begin_act(sim, &kept)) {
        return false;
    }
    if (is_mutated) {
        adversary_say(host, to, adversary_mutate(host, message));
    } else {
        kind->on_send(host, to, message);
    }
    end_act(sim, &kept);
    return true;
}

void adversary_send(struct host *host, const struct pbft_send *send)
{
    record(host->sim, send->message);
    for (pbft_replica_id id = 0; id < host->sim->settings.n; id++) {
        if (pbft_set_has(&send->to, id) && !lie(host, id, send->message)) {
            adversary_speak(host, id, send->message);
        }
    }
}

bool adversary_answers(struct host *host)
{
    return random_chance(&host->sim->adversaries.random, ANSWER_PERMILLE);
}
