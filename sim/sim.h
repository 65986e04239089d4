/* SPDX-License-Identifier: Apache-2.0 */
/* A whole simulated consortium: one thread, virtual time, one seed.
 *
 * A run is (program, configuration, seed): nothing else may change a single
 * event of it.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "consensus/mark.h"
#include "sim/adversary.h"
#include "sim/auditor.h"
#include "sim/client.h"
#include "sim/faults.h"
#include "sim/host.h"
#include "sim/liveness.h"
#include "sim/network.h"
#include "sim/queue.h"
#include "sim/scheduler.h"
#include "sim/tally.h"
#include "sim/trace.h"

/* 2026-01-01, in microseconds since 1970: where wall clocks begin. */
#define SIM_WALL_START_US UINT64_C(1767225600000000)
#define SIM_MS_US UINT64_C(1000)
#define SIM_TEXT_SIZE 240
/* A pause that is ended before its time ends within so long. */
#define SIM_PAUSE_STEP_US (1000 * SIM_MS_US)

struct sim_settings {
    uint32_t n;
    struct pbft_config replica; /* `self` is filled in per host. */
    struct network_settings network;
    const struct service_kind *service;
    enum sim_signatures signatures;
    uint64_t sync_us;        /* What a sync takes at least; */
    uint64_t sync_jitter_us; /* on top of it, mean. */
    uint64_t execute_us;     /* What a block takes. */
    uint64_t flush_us;       /* How long steps gather before a flush. */
    /* Clients of a run; scripts bring their own. */
    uint32_t client_count;
    uint32_t requests; /* Of all clients together. */
    /* What each client still submits when the faults are over: the end of a
     * run must not depend on how much they kept it from doing. */
    uint32_t requests_after;
    uint64_t steady_us; /* And evenly over so long; 0: at once. */
    uint32_t outstanding_max;
    uint32_t payload_max;
    uint64_t client_timeout_us;
    /* Mean pause of a client between two requests while there are faults; 0: it
     * keeps `outstanding_max` of them going. */
    uint64_t think_us;
    /* Faults: bit per row of the table; mean time between two. */
    uint64_t fault_mask;
    uint64_t fault_interval_us;
    uint64_t fault_duration_us; /* Mean. */
    struct fault_filter fault_filter;
    struct fault_filter act_filter; /* Of Byzantine replicas. */
    uint64_t faults_us_max;         /* Then they end, whatever was achieved; */
    uint64_t faults_events_max;     /* or after so many events. */
    /* Byzantine replicas: how many, and a bit per strategy of the table. */
    uint32_t byzantine_count;
    uint32_t adversary_mask;
    /* Hostile clients: how many, and a bit per row of their table. */
    uint32_t hostile_count;
    uint32_t hostile_mask;
    uint32_t scheduler; /* Row of the table of schedules. */
    /* Liveness: all must be executed so long after the faults have healed. */
    uint64_t liveness_us;
    bool has_core_mode;  /* Only a core is healed; the bound is derived. */
    uint64_t events_max; /* After so many more a run counts as livelocked. */
};

struct sim_violation {
    bool found;
    const char *rule;
    bool is_assertion; /* Of the core: the replica itself saw it. */
    uint64_t event;
    uint64_t time_us;
    char text[SIM_TEXT_SIZE];
};

/* For a hook of assertions, which knows no run: the one created last, NULL if
 * it is over. */
const struct sim *sim_created_last(void);
/* The core has failed an assertion in it. Fills in what is known. */
void sim_assertion_failed(const char *file, int line, const char *expression,
                          struct sim_violation *out);

/* Who watches and steers beside the auditor: scripts. Calls may be NULL. */
struct sim_observer {
    void *context;
    /* A host sends. Withheld: it is a puppet, and its core would have. */
    void (*on_send)(void *context, const struct host *host,
                    const struct pbft_send *send, bool is_withheld);
    /* A client sends; the set is empty if it goes to a twin alone. */
    void (*on_submit)(void *context, const struct client *client,
                      const struct pbft_message *request,
                      const struct pbft_replica_set *to);
    /* A host answers a client: its request, and the proof of the block. */
    void (*on_reply)(void *context, const struct host *host,
                     const struct client *client,
                     const struct pbft_message *request,
                     const struct pbft_message *proof,
                     const struct sim_reply *reply);
    /* A puppet gets a message of a replica. */
    void (*on_puppet_packet)(void *context, struct host *host,
                             const struct sim_packet *packet);
    /* A packet arrives, before anybody has acted on it. */
    void (*on_arrive)(void *context, const struct sim_packet *packet);
};

struct sim {
    struct sim_settings settings;
    uint64_t seed;
    uint64_t now_us;
    uint64_t events;
    const struct host *acting; /* Whose code runs; NULL: no host's. */
    struct sim_queue queue;
    struct random random; /* Hosts and clients. */
    struct network network;
    struct pbft_digest cluster;
    struct pbft_keyring keyring;
    struct host *hosts[SIM_HOSTS_MAX];
    uint32_t host_count;
    struct client *clients[SIM_CLIENTS_MAX];
    uint32_t client_count;
    void *load;       /* What clients submit, if the service knows; or NULL. */
    pbft_seq learned; /* It has heard of the blocks up to this one. */
    struct pbft_replica_set byzantine; /* By replica id; never shrinks. */
    struct pbft_replica_set reborn;    /* Of them: honest again, see P14. */
    struct pbft_replica_set core;      /* Of liveness mode. */
    bool has_core;
    bool has_slow; /* One of the core is slow from now on, so much: */
    uint16_t slow_factor;
    bool is_excused; /* There is no core of which to demand something. */
    struct auditor auditor;
    struct faults faults;
    struct adversaries adversaries;
    struct hostiles hostiles;
    struct scheduler scheduler;
    struct trace trace;
    struct sim_violation violation;
    struct sim_observer observer;
};

/* Creates the consortium and its clients; nothing has started. `trace_out` may
 * be NULL. */
struct sim *sim_create(const struct sim_settings *settings, uint64_t seed,
                       FILE *trace_out);
void sim_destroy(struct sim *sim);

/* Clients must be there before the hosts start. */
struct client *sim_add_client(struct sim *sim, const char *name);
void sim_start_hosts(struct sim *sim);
/* A second host with the identity and the durable state of `original`. */
struct host *sim_add_twin(struct sim *sim, const struct host *original,
                          const char *name);

/* Carries out one event. */
void sim_dispatch(struct sim *sim, const struct sim_event *event);
/* The next event in its turn; false if there is none or a violation ended the
 * run. */
bool sim_step(struct sim *sim);

uint64_t sim_now_ms(const struct sim *sim);
/* What a host's wall clock shows. */
pbft_wall_us sim_wall(const struct sim *sim, const struct host *host);
const char *sim_actor_name(const struct sim *sim, uint32_t actor);
/* A host has just executed a block: if it is the first one, the load of the
 * clients hears of it. */
void sim_learn(struct sim *sim, const struct host *host,
               const struct pbft_message *committed);
/* Schedules something for a host or client after `delay_us`. */
void sim_schedule(struct sim *sim, enum sim_event_kind kind, uint32_t target,
                  uint64_t argument, uint64_t delay_us);
/* Every submitted request is answered, and every host of the core has executed
 * all that was answered and as much as the most advanced one. */
bool sim_is_settled(const struct sim *sim);

/* run.c: a whole run of a profile. */
struct sim_result {
    uint64_t events;
    uint64_t time_us;
    uint64_t faults;
    uint64_t faults_by_kind[FAULT_KINDS_MAX];
    uint64_t marks[PBFT_MARK_COUNT]; /* Branches of the core, how often. */
    uint64_t faults_drawn;           /* Possible or not: the highest number. */
    uint64_t acts_drawn;             /* Likewise, of Byzantine replicas. */
    uint64_t blocks;
    uint64_t requests;
    uint64_t trace_hash;
    uint32_t byzantine;      /* Replicas. */
    uint32_t hostile;        /* Clients. */
    bool is_excused;         /* Nothing could be demanded at the end. */
    uint32_t bound_permille; /* How much of the bound the end took. */
    uint64_t acts[ADVERSARY_KINDS_MAX]; /* Of replicas, by strategy. */
    uint64_t hostile_acts[HOSTILE_KINDS_MAX];
    struct network_counts network;
    struct tally tally; /* Zeros without a load. */
    struct sim_violation violation;
};
void sim_run(const struct sim_settings *settings, uint64_t seed,
             FILE *trace_out, struct sim_result *out);
/* The same, for somebody who looks on. Calls may be NULL. */
struct sim_watch {
    FILE *trace_out; /* Or NULL. */
    void *context;
    void (*on_begin)(void *context, struct sim *sim);
    void (*on_line)(void *context, const struct trace_line *line);
    void (*on_arrive)(void *context, const struct sim_packet *packet);
    void (*on_end)(void *context); /* All is still there. */
};
void sim_run_watched(const struct sim_settings *settings, uint64_t seed,
                     const struct sim_watch *watch, struct sim_result *out);

#endif /* SIM_SIM_H */
