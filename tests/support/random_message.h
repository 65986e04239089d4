/* SPDX-License-Identifier: Apache-2.0 */
/* Random messages of every type, for property tests of what stores, sends and
 * reads them: well-formed for a codec, with arbitrary fields and signatures.
 */
#ifndef TESTS_SUPPORT_RANDOM_MESSAGE_H
#define TESTS_SUPPORT_RANDOM_MESSAGE_H

#include "consensus/crypto.h"
#include "consensus/message.h"

/* A deterministic stream (SplitMix64): the seed is the whole reproduction. */
struct support_random {
    uint64_t state;
};

uint64_t support_random_next(struct support_random *random);
/* 0 .. limit - 1; `limit` is not 0. */
uint64_t support_random_below(struct support_random *random, uint64_t limit);
void support_random_fill(struct support_random *random, void *out, size_t size);

/* How large the lists in a random message may be. */
struct random_shape {
    uint32_t requests_max;
    uint32_t payload_max;
    uint32_t votes_max;
    uint32_t certificates_max;
};

/* Small lists, for many messages. */
struct random_shape random_shape_small(void);

/* One reference. Requests in a batch have the sender and nested messages the
 * epoch of the message, as after a decoding. */
struct pbft_message *random_message(struct support_random *random,
                                    const struct pbft_domain *domain,
                                    enum pbft_message_type type,
                                    const struct random_shape *shape);

/* Field by field, nested messages included. */
bool support_message_equal(const struct pbft_message *a,
                           const struct pbft_message *b);

#endif /* TESTS_SUPPORT_RANDOM_MESSAGE_H */
