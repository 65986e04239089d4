/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that wait for a verifier, by who sent them.
 *
 * Whoever has used the least time comes first, and nobody gets all threads: one
 * who sends what is expensive to verify waits for himself. And nobody has more
 * waiting than he leaves to all others together, so that there is room for who
 * has nothing waiting.
 *
 * Not thread-safe.
 */
#ifndef NODE_VERIFIER_QUEUE_H
#define NODE_VERIFIER_QUEUE_H

#include "node/verifier_pool.h"

struct verifier_queue;

/* Sources are numbered from 0. Of one not more than `running_max` jobs are
 * taken and not charged yet. */
struct verifier_queue *verifier_queue_create(uint32_t sources,
                                             uint32_t running_max,
                                             size_t jobs_max, size_t bytes_max);
/* Drops what waits. NULL is fine. */
void verifier_queue_destroy(struct verifier_queue *queue);

/* Takes over the buffer; false: there is no room, the caller keeps it. */
PBFT_MUST_USE bool verifier_queue_put(struct verifier_queue *queue,
                                      const struct verifier_job *job);
size_t verifier_queue_count(const struct verifier_queue *queue);
/* There is a job that may be taken now. */
bool verifier_queue_is_ready(const struct verifier_queue *queue);
/* The next job, if it is ready. Its time is charged when it is done. */
void verifier_queue_take(struct verifier_queue *queue,
                         struct verifier_job *out);
void verifier_queue_charge(struct verifier_queue *queue, uint32_t source,
                           uint64_t cost_ns);
/* True once when whoever was refused should try again. */
PBFT_MUST_USE bool verifier_queue_has_room(struct verifier_queue *queue);

#endif /* NODE_VERIFIER_QUEUE_H */
