/* SPDX-License-Identifier: Apache-2.0 */
/* Everything about a message that does not depend on the replica's state:
 * shape, limits, membership of the signer, signatures, nested certificates.
 *
 * Pure, and safe from any number of threads at once. A replica is fed only
 * messages that passed; what depends on state is a verdict of pbft_step().
 */
#ifndef CONSENSUS_VERIFY_H
#define CONSENSUS_VERIFY_H

#include "consensus/message.h"
#include "consensus/status.h"

/* The members whose signatures count, in one epoch. */
struct pbft_keyring {
    pbft_epoch epoch;
    uint32_t replica_count;
    struct pbft_public_key keys[PBFT_REPLICAS_MAX];
};

struct pbft_verified;

struct pbft_verifier {
    const struct pbft_domain *domain;
    const struct pbft_keyring *keyring;
    uint32_t window; /* Bounds what certificates may list. */
    /* May be NULL. Of one thread: what it found valid in certificates. */
    struct pbft_verified *verified;
    /* May be NULL. Says whether exactly this request (its digest covers the
     * signature) was verified before; and remembers that it was. */
    const void *cache_context;
    bool (*is_request_known)(const void *context,
                             const struct pbft_digest *digest);
    void (*remember_request)(const void *context,
                             const struct pbft_digest *digest);
};

/* `channel` is the replica whose connection brought the message, or
 * PBFT_SENDER_CLIENT: requests, STATUS and FETCH must name it as their sender.
 * Other signed types may come through anybody, pre-prepares being the
 * primary's; batches and certificates prove themselves, so their `sender` is
 * not looked at. Prepared certificates inside a view-change are checked for
 * shape only (below the view asked for, ascending, inside the window): the core
 * checks them lazily (design: P6) through pbft_verify_certificate(). */
PBFT_MUST_USE enum pbft_status pbft_verify(const struct pbft_verifier *verifier,
                                           pbft_replica_id channel,
                                           const struct pbft_message *message);

/* Every signature of a PREPARED, COMMITTED or STABLE message; distinct
 * signers, members; at least the quorum that its type demands (a prepared
 * certificate: Q - 1 besides the primary's header). */
PBFT_MUST_USE enum pbft_status
pbft_verify_certificate(const struct pbft_verifier *verifier,
                        const struct pbft_message *certificate);

/* f + 1 valid, equal attestations by distinct members: proves a block to a
 * client (receipts). */
PBFT_MUST_USE enum pbft_status
pbft_verify_attested(const struct pbft_verifier *verifier,
                     const struct pbft_stable *proof);

#endif /* CONSENSUS_VERIFY_H */
