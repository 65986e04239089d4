/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared and committed certificates, and checkpoint proofs (OSDI'99 4.2,
 * 4.3), out of the votes in a slot. */
#include "consensus/certificate.h"

#include "consensus/assert.h"
#include "consensus/quorum.h"

/* The first `count` matching votes in the order of replicas. */
static uint32_t collect(const struct pbft_ballots *ballots,
                        const struct pbft_digest *digest,
                        uint32_t replica_count, struct pbft_vote *votes,
                        uint32_t count)
{
    uint32_t taken = 0;
    for (pbft_replica_id id = 0; id < replica_count && taken < count; id++) {
        if (pbft_set_has(&ballots->voters, id) &&
            pbft_digest_equal(&ballots->items[id].digest, digest)) {
            votes[taken++] = ballots->items[id].vote;
        }
    }
    return taken;
}

static const struct pbft_message *
certify(enum pbft_message_type type, const struct pbft_certifier *certifier,
        const struct pbft_message *pre_prepare,
        const struct pbft_ballots *ballots, uint32_t count)
{
    struct pbft_vote votes[PBFT_REPLICAS_MAX];
    const struct pbft_digest *digest = &pre_prepare->pre_prepare.digest;
    uint32_t taken =
        collect(ballots, digest, certifier->replica_count, votes, count);
    PBFT_ASSERT(taken == count);
    const struct pbft_message *certificate = pbft_certificate_create(
        type, certifier->self, certifier->epoch, pre_prepare, votes, taken);
    PBFT_ASSERT(certificate != NULL); /* Out of memory: stop. */
    return certificate;
}

const struct pbft_message *
pbft_certify_prepared(const struct pbft_certifier *certifier,
                      const struct pbft_slot *slot, uint32_t count)
{
    PBFT_ASSERT(slot->header != NULL);
    PBFT_ASSERT(slot->prepares.matching >= count);
    return certify(PBFT_MESSAGE_PREPARED, certifier, slot->header,
                   &slot->prepares, count);
}

const struct pbft_message *
pbft_certify_committed(const struct pbft_certifier *certifier,
                       struct pbft_slot *slot, uint32_t count)
{
    PBFT_ASSERT(slot->is_prepared);
    PBFT_ASSERT(slot->commits.matching >= count);
    return certify(PBFT_MESSAGE_COMMITTED, certifier, pbft_slot_proposal(slot),
                   &slot->commits, count);
}

const struct pbft_message *
pbft_certify_attested(const struct pbft_certifier *certifier,
                      const struct pbft_slot *slot,
                      const struct pbft_attestation *content, uint32_t count)
{
    struct pbft_vote votes[PBFT_REPLICAS_MAX];
    uint32_t taken = 0;
    const struct pbft_attestations *all = &slot->attestations;
    PBFT_ASSERT(content->seq == slot->seq);
    PBFT_ASSERT(count <= certifier->replica_count);
    for (pbft_replica_id id = 0; id < certifier->replica_count; id++) {
        if (taken < count && pbft_set_has(&all->voters, id) &&
            pbft_attestation_equal(&all->items[id].content, content)) {
            votes[taken++] = all->items[id].vote;
        }
    }
    PBFT_ASSERT(taken > 0);
    const struct pbft_message *proof = pbft_stable_create(
        certifier->self, certifier->epoch, content, votes, taken);
    PBFT_ASSERT(proof != NULL); /* Out of memory: stop. */
    return proof;
}
