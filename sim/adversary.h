/* SPDX-License-Identifier: Apache-2.0 */
/* Byzantine replicas: at most f a run, drawn by the seed.
 *
 * The host of an adversary computes as an honest one, with a state of its own;
 * a strategy takes over what it sends. Strategies are rows of a table. All
 * adversaries of a run know what any of them saw, and tell the same lies to the
 * same replicas. They sign with their own keys whatever they like, and cannot
 * sign with another's.
 */
#ifndef SIM_ADVERSARY_H
#define SIM_ADVERSARY_H

#include "consensus/pbft.h"
#include "sim/random.h"

struct host;
struct sim;

#define ADVERSARY_KINDS_MAX 32
#define ADVERSARY_RECORDED_MAX 512 /* What they remember, a ring. */
#define ADVERSARY_STORIES_MAX 64   /* Slots with two proposals, a ring. */

struct adversary_kind {
    const char *name;
    const char *says;
    /* Instead of what an honest replica would send to `to`. NULL: sends it. */
    void (*on_send)(struct host *host, pbft_replica_id to,
                    const struct pbft_message *message);
    /* Now and then; may be NULL. */
    void (*on_tick)(struct host *host);
    /* Whether it takes notice of what came. NULL: of everything. */
    bool (*hears)(const struct host *host, const struct pbft_message *message);
};

extern const struct adversary_kind adversary_kinds[];
extern const uint32_t adversary_kind_count;

/* A slot for which two batches were proposed. */
struct adversary_story {
    pbft_view view;
    pbft_seq seq;
    struct pbft_digest digests[2]; /* By faction of the receiver. */
    const struct pbft_message *proposals[2];
};

struct adversary_replica {
    pbft_replica_id id;
    uint32_t mask;    /* Strategies that it may take up; */
    uint32_t current; /* the one it follows; adversary_kind_count: none. */
    uint32_t permille;
    uint32_t flood_count;
};

struct adversaries {
    struct random random;
    struct adversary_replica replicas[PBFT_REPLICAS_MAX];
    uint32_t count;
    uint64_t tick_us;                /* Mean. */
    bool is_colluding;               /* All take up the same strategy. */
    struct pbft_replica_set faction; /* Those who hear the other story. */
    struct adversary_story stories[ADVERSARY_STORIES_MAX];
    uint64_t story_count;
    const struct pbft_message *recorded[ADVERSARY_RECORDED_MAX];
    uint64_t recorded_count;
    uint64_t acts[ADVERSARY_KINDS_MAX]; /* Messages forged, kept back, added. */
    uint64_t drawn; /* Occasions to lie that were taken, or left out. */
};

void adversaries_init(struct adversaries *adversaries, uint64_t seed);
void adversaries_deinit(struct adversaries *adversaries);
/* Before the hosts start: as many of them as the settings say. */
void adversaries_begin(struct sim *sim);
/* Its event. */
void adversary_on_tick(struct sim *sim, uint32_t index);

/* Called for a host of behavior HOST_ADVERSARY. */
void adversary_send(struct host *host, const struct pbft_send *send);
/* False: it takes no notice. */
bool adversary_receive(struct host *host, const struct pbft_message *message);
/* Whether it answers its client. */
bool adversary_answers(struct host *host);

/* ---- for the strategies ----------------------------------------------------
 */

/* The strategy that a host follows now; NULL: none. */
struct adversary_replica *adversary_of(const struct host *host);
/* One more act of the strategy that the host follows. */
void adversary_count(struct host *host);
/* Sends to one replica (and to its twins), `delay_us` late. */
void adversary_deliver(struct host *host, pbft_replica_id to,
                       const struct pbft_message *message, uint64_t delay_us);
/* What was said before: in the name of whoever signed it, else in its own. */
void adversary_repeat(struct host *host, pbft_replica_id to,
                      const struct pbft_message *message);
/* Takes over a new message: signs it if its type is signed, sends what the
 * other side decodes, if anything, and drops it. */
void adversary_say(struct host *host, pbft_replica_id to,
                   struct pbft_message *message);
/* What an honest one would say, but for slots with two stories: there the vote
 * that fits the one the receiver was told. */
void adversary_speak(struct host *host, pbft_replica_id to,
                     const struct pbft_message *message);
/* The slot of a proposal or vote, if it has two stories; else NULL. */
const struct adversary_story *
adversary_story_of(const struct sim *sim, const struct pbft_message *message);
/* Two pre-prepares of one slot. */
void adversary_add_story(struct sim *sim, const struct pbft_message *first,
                         const struct pbft_message *second);
/* A message that was seen; NULL: none yet. */
const struct pbft_message *adversary_recall(struct sim *sim);
/* The newest one of a type; of any: 0. */
const struct pbft_message *adversary_recall_type(struct sim *sim,
                                                 enum pbft_message_type type);
struct pbft_origin adversary_origin(const struct host *host);
/* A replica other than the host. */
pbft_replica_id adversary_draw_victim(struct host *host);

/* adversary_mutate.c: the message with one thing changed (ByzzFuzz's small
 * scope): a view or seq off by one or far away, another digest that was seen, a
 * part left out, doubled or spoiled. Not yet signed. NULL: nothing to change.
 */
struct pbft_message *adversary_mutate(struct host *host,
                                      const struct pbft_message *message);
struct pbft_message *
adversary_mutate_view_change(struct host *host,
                             const struct pbft_message *message);
struct pbft_message *
adversary_mutate_new_view(struct host *host,
                          const struct pbft_message *message);
uint64_t adversary_draw_number(struct random *random, uint64_t near);

/* adversary_censor.c: orders nothing of some institutions, or does not hear
 * their requests. */
void adversary_censor(struct host *host, pbft_replica_id to,
                      const struct pbft_message *message);
bool adversary_hears_others(const struct host *host,
                            const struct pbft_message *message);

/* adversary_phase.c */
/* Another strategy, at another intensity. */
void adversary_begin_phase(struct sim *sim, struct adversary_replica *replica);

/* adversary_wire.c */
void adversary_sign_loosely(struct host *host, pbft_replica_id to,
                            const struct pbft_message *message);
void adversary_spoil_bytes(struct host *host, pbft_replica_id to,
                           const struct pbft_message *message);

/* adversary_view.c */
void adversary_lie_in_view_change(struct host *host, pbft_replica_id to,
                                  const struct pbft_message *message);
void adversary_lie_in_new_view(struct host *host, pbft_replica_id to,
                               const struct pbft_message *message);
void adversary_jump_views(struct host *host);

#endif /* SIM_ADVERSARY_H */
