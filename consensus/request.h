/* SPDX-License-Identifier: Apache-2.0 */
/* The requests that a replica knows and has not seen committed. Private to the
 * core.
 *
 * Known by digest. Each institution has its own limit. What waits is taken in
 * turns, the urgent lane first but never alone: among those who brought it (our
 * clients, and each peer), and among the institutions of one bringer. Anybody
 * can write any institution into a request, but nobody can bring it over the
 * channel of another replica: so neither names that a faulty one invents nor
 * what it says in the name of another keep honest requests waiting. A request
 * that several bring waits with two of them and has its turn with the earlier
 * one: whoever brought it first may have put it behind much else.
 *
 * All memory but messages is allocated at creation; every operation but those
 * over all requests takes constant time, or looks through the bringers of one
 * institution.
 */
#ifndef CONSENSUS_REQUEST_H
#define CONSENSUS_REQUEST_H

#include "consensus/pbft.h"
#include "consensus/request_share.h"

#define PBFT_LANE_COUNT 2
/* No request, no institution. */
#define PBFT_INDEX_NONE UINT32_MAX

/* First and last of a chain of indexes. */
struct pbft_chain {
    uint32_t first;
    uint32_t last;
};

struct pbft_link {
    uint32_t previous;
    uint32_t next;
};

/* Where a request waits: with who brought it first, and with one more. */
#define PBFT_PLACES_MAX 2

struct pbft_place {
    uint32_t queue;        /* PBFT_INDEX_NONE: there is none. */
    struct pbft_link turn; /* In that queue; */
    uint32_t ticket;       /* so many came into it before. */
};

struct pbft_pending {
    const struct pbft_message *message; /* A reference; NULL: free. */
    uint32_t institution;
    uint32_t bringer;     /* A peer, or PBFT_SHARE_OWN: the first of them. */
    uint32_t hash_next;   /* Also chains the free ones. */
    struct pbft_link age; /* Among all of the institution. */
    /* While it waits. */
    struct pbft_place places[PBFT_PLACES_MAX];
    pbft_time_ms since;       /* When it came. */
    bool is_own;              /* From a client of ours: we relay it. */
    bool is_waiting;          /* In no pre-prepare of this view. */
    bool is_shared;           /* Of a client of ours: relayed to all. */
    bool is_told;             /* We gave it to this view's primary, */
    pbft_time_ms told_at;     /* the first time then (design: P8). */
    pbft_time_ms relay_after; /* Not again before, in this view. */
    pbft_time_ms relay_pause; /* After the last time; 0: never. */
};

struct pbft_pending_institution {
    struct pbft_institution id;
    uint32_t count;         /* 0: free. */
    uint32_t bringer;       /* Of its first request. */
    uint32_t hash_next;     /* Also chains the free ones. */
    struct pbft_chain age;  /* Oldest first. */
    uint32_t queues;        /* The first of those that wait; or NONE. */
    pbft_time_ms oldest_at; /* Its oldest is that since then; or a new view. */
    pbft_time_ms deadline;  /* Of its oldest request (design: P7). */
};

/* What waits in one lane, of one institution, from one bringer. */
struct pbft_request_queue {
    uint32_t institution;
    uint32_t bringer;
    uint32_t lane;
    uint32_t next;           /* Of the institution; chains the free ones. */
    uint32_t tickets;        /* Handed out so far; may wrap. */
    struct pbft_chain items; /* Oldest first; never empty. */
    struct pbft_link turn;   /* Among those of the bringer and lane. */
};

struct pbft_bringer {
    struct pbft_chain queues[PBFT_LANE_COUNT]; /* Whose turn it is; */
    uint32_t queue_count[PBFT_LANE_COUNT];     /* so many. */
    struct pbft_link turns[PBFT_LANE_COUNT];   /* Among the bringers. */
};

struct pbft_requests {
    uint32_t capacity;
    uint32_t institution_max; /* Requests of one institution. */
    uint32_t bytes_max;       /* Payloads of all. */
    struct pbft_share_limits all_limits;
    struct pbft_share_limits byte_limits;        /* Of payloads. */
    struct pbft_share_limits institution_limits; /* In each institution. */
    struct pbft_share_limits name_limits;        /* Of institutions. */
    pbft_time_ms timeout_ms;
    uint32_t count;
    uint32_t waiting;
    size_t waiting_bytes;
    struct pbft_pending *items;
    uint32_t free_item;
    uint32_t *buckets;
    uint32_t bucket_mask;
    struct pbft_pending_institution institutions[PBFT_INSTITUTIONS_MAX];
    uint32_t institutions_used; /* Those from here on were never in use. */
    struct pbft_shares all_shares;
    struct pbft_shares byte_shares;
    struct pbft_shares name_shares;
    struct pbft_shares *institution_shares; /* Of those ever in use. */
    uint32_t free_institution;
    uint32_t institution_buckets[PBFT_INSTITUTIONS_MAX];
    struct pbft_request_queue *queues; /* As many as places. */
    uint32_t free_queue;
    struct pbft_bringer bringers[PBFT_REPLICAS_MAX + 1];
    struct pbft_chain rounds[PBFT_LANE_COUNT]; /* Bringers, in turn. */
    uint32_t urgent_run;   /* Urgent ones since the last normal one. */
    pbft_time_ms earliest; /* No deadline is before it. */
};

/* False if memory is short; then nothing is to be released. */
bool pbft_requests_init(struct pbft_requests *requests, uint32_t capacity,
                        uint32_t institution_max, uint32_t bytes_max,
                        pbft_time_ms timeout_ms);
/* Half of all places and bytes is kept for `parts` bringers of requests, in
 * equal parts: the peers and our own clients. Before the first request. */
void pbft_requests_reserve(struct pbft_requests *requests, uint32_t parts);
void pbft_requests_deinit(struct pbft_requests *requests);

/* ACCEPTED, DUPLICATE or QUEUE_FULL. References the message. `is_own`: it came
 * from a client of this replica. A duplicate may get a better place by it. */
enum pbft_verdict pbft_requests_admit(struct pbft_requests *requests,
                                      const struct pbft_message *message,
                                      pbft_time_ms now, bool is_own);

bool pbft_requests_has(const struct pbft_requests *requests,
                       const struct pbft_digest *digest);

/* NULL if it is not there. Borrowed until the queue changes. */
const struct pbft_pending *
pbft_requests_find(const struct pbft_requests *requests,
                   const struct pbft_digest *digest);
/* The primary was given it, in this view. */
void pbft_requests_tell(struct pbft_requests *requests,
                        const struct pbft_digest *digest, pbft_time_ms now);
/* All replicas were given it. */
void pbft_requests_share(struct pbft_requests *requests,
                         const struct pbft_digest *digest);
/* How many are there of one institution. */
uint32_t pbft_requests_count_of(const struct pbft_requests *requests,
                                const struct pbft_institution *id);
/* Of each institution the oldest that waits although the primary was given it.
 */
uint32_t pbft_requests_told(const struct pbft_requests *requests,
                            const struct pbft_pending **out, uint32_t max);

/* A few of each institution, oldest first, that wait for longer than `age_ms`:
 * those of our clients until all have them, the others until the primary has.
 */
uint32_t pbft_requests_lying(const struct pbft_requests *requests,
                             pbft_time_ms now, pbft_time_ms age_ms,
                             const struct pbft_pending **out, uint32_t max);

/* A pre-prepare of this view has it: it waits no more. */
void pbft_requests_take(struct pbft_requests *requests,
                        const struct pbft_digest *digest);

/* It was committed: forgotten. Its institution has made progress, unless its
 * oldest request was passed over. */
void pbft_requests_remove(struct pbft_requests *requests,
                          const struct pbft_digest *digest, pbft_time_ms now);
/* The same for each request of a batch. */
void pbft_requests_remove_all(struct pbft_requests *requests,
                              const struct pbft_batch *batch, pbft_time_ms now);

/* The next in turn, which then waits no more; NULL if none waits or if it has
 * more than `bytes_max` bytes. Borrowed: the queue keeps it. */
const struct pbft_message *pbft_requests_next(struct pbft_requests *requests,
                                              size_t bytes_max);

/* The item at `index`, which does not wait, goes to the end of its queue. */
void pbft_requests_put_back(struct pbft_requests *requests, uint32_t index);
/* `bringer` has brought the item at `index` too: it waits there as well if its
 * turn comes earlier than where it waits. */
void pbft_requests_bring_again(struct pbft_requests *requests, uint32_t index,
                               uint32_t bringer);
/* The item at `index` waits no more; fine if it does not. */
void pbft_requests_end_waiting(struct pbft_requests *requests, uint32_t index);

/* A new view: whatever is not committed waits again, in order of age. */
void pbft_requests_wait_again(struct pbft_requests *requests);

/* Requests older than `age_ms`: a few of the oldest of each institution; at
 * most `max`. Borrowed until the queue changes. */
uint32_t pbft_requests_stale(const struct pbft_requests *requests,
                             pbft_time_ms now, pbft_time_ms age_ms,
                             const struct pbft_pending **out, uint32_t max);

/* `item`, of this queue, was relayed. It rests then: `pause_ms` after the first
 * time in a view, each time twice as long, at most `pause_max_ms`. */
void pbft_requests_relayed(struct pbft_requests *requests,
                           const struct pbft_pending *item, pbft_time_ms now,
                           pbft_time_ms pause_ms, pbft_time_ms pause_max_ms);

/* The earliest deadline of an institution's oldest request. */
pbft_time_ms pbft_requests_deadline(struct pbft_requests *requests);
/* All deadlines begin anew. */
void pbft_requests_restart(struct pbft_requests *requests, pbft_time_ms now);

/* Asserts that counts and chains agree. */
void pbft_requests_check_invariants(const struct pbft_requests *requests);

#endif /* CONSENSUS_REQUEST_H */
