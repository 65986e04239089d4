/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile clients: admitted like all others, and up to no good.
 *
 * What they do is a table; the seed draws which rows a run has. They do a
 * number of things while there are faults and a few more after; nobody owes
 * them an answer, and whatever they do, the others get theirs.
 */
#ifndef SIM_CLIENT_HOSTILE_H
#define SIM_CLIENT_HOSTILE_H

#include "consensus/message.h"
#include "sim/random.h"
#include "sim/signer.h"

struct client;
struct sim;

#define HOSTILE_KINDS_MAX 32
#define HOSTILE_RECORDED_MAX 64 /* What one has sent before, a ring. */

struct hostile_kind {
    const char *name;
    const char *says;
    void (*act)(struct client *client);
};

extern const struct hostile_kind hostile_kinds[];
extern const uint32_t hostile_kind_count;

/* All of a run. */
struct hostiles {
    struct random random;
    uint64_t acts[HOSTILE_KINDS_MAX];
};

/* What a client has beside if it is hostile. */
struct hostile {
    struct sim_signer stranger; /* A key that nobody has admitted. */
    uint64_t sequence;          /* The last one that it used. */
    uint64_t acts_left;
    const struct pbft_message *recorded[HOSTILE_RECORDED_MAX];
    uint64_t recorded_count;
    const struct pbft_message *storm; /* Comes again so many times. */
    uint64_t storm_left;
    uint64_t storms_left; /* Copies that all its storms may still have. */
};

void hostiles_init(struct hostiles *hostiles, uint64_t seed);
/* As many clients as the settings say, behind the honest ones. */
void hostiles_begin(struct sim *sim);
/* The faults are over: a few more. */
void hostiles_end_faults(struct sim *sim);
/* Its event. */
void hostile_on_event(struct client *client);
void hostile_destroy(struct hostile *hostile);

/* ---- for the rows ----------------------------------------------------------
 */

/* The fields of the next request, with a small payload. */
struct pbft_request hostile_fields(struct client *client);
/* Signed, and known to the auditor: a client made it. It is remembered, and
 * borrowed until the ring comes round. */
const struct pbft_message *hostile_make(struct client *client,
                                        const struct pbft_request *fields);
/* The same, signed with the key of nobody. */
const struct pbft_message *hostile_make_strange(struct client *client);
/* To one replica and its twins. */
void hostile_send(struct client *client, pbft_replica_id to,
                  const struct pbft_message *request);
void hostile_send_all(struct client *client,
                      const struct pbft_message *request);
/* One that it has sent before; NULL: none. */
const struct pbft_message *hostile_recall(struct client *client);
/* Who leads, as some replica that is up sees it; else anybody. */
pbft_replica_id hostile_guess_primary(struct client *client);

#endif /* SIM_CLIENT_HOSTILE_H */
