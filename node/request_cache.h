/* SPDX-License-Identifier: Apache-2.0 */
/* A set of requests, by digest, that forgets the oldest. Those whose signature
 * was found valid: a request arrives by several ways (client, relay,
 * pre-prepare) and is verified once. Those that were executed: one that comes
 * late is not waited for.
 *
 * Fixed memory; forgetting one costs a verification, or a wait. Any thread.
 */
#ifndef NODE_REQUEST_CACHE_H
#define NODE_REQUEST_CACHE_H

#include "consensus/types.h"

struct request_cache;

/* `capacity` is a power of two, at least REQUEST_CACHE_WAYS. */
#define REQUEST_CACHE_WAYS 4
struct request_cache *request_cache_create(size_t capacity);
void request_cache_destroy(struct request_cache *cache);

/* For struct pbft_verifier; `context` is the cache. */
bool request_cache_has(const void *context, const struct pbft_digest *digest);
void request_cache_add(const void *context, const struct pbft_digest *digest);

#endif /* NODE_REQUEST_CACHE_H */
