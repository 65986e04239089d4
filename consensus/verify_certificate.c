/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates prove themselves: who hands them over does not matter. */
#include "consensus/verify.h"

#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "consensus/verified.h"

/* One claim that many signed, as each of them signed it. */
struct claim {
    enum pbft_message_type vote_type;
    pbft_epoch epoch;
    struct pbft_prepare slot;            /* PREPARE, COMMIT. */
    struct pbft_attestation attestation; /* ATTESTATION. */
};

static void claim_preimage(const struct pbft_domain *domain,
                           const struct claim *claim,
                           const struct pbft_vote *vote,
                           struct pbft_preimage *out)
{
    if (claim->vote_type == PBFT_MESSAGE_PREPARE) {
        pbft_prepare_preimage(domain, claim->epoch, vote->replica,
                              vote->incarnation, &claim->slot, out);
    } else if (claim->vote_type == PBFT_MESSAGE_COMMIT) {
        pbft_commit_preimage(domain, claim->epoch, vote->replica,
                             vote->incarnation, &claim->slot, out);
    } else {
        pbft_attestation_preimage(domain, claim->epoch, vote->replica,
                                  vote->incarnation, &claim->attestation, out);
    }
}

static enum pbft_status check_vote(const struct pbft_verifier *verifier,
                                   const struct claim *claim,
                                   const struct pbft_vote *vote)
{
    const struct pbft_keyring *keyring = verifier->keyring;
    PBFT_ASSERT(vote->replica < keyring->replica_count); /* check_votes(). */
    struct pbft_preimage preimage;
    claim_preimage(verifier->domain, claim, vote, &preimage);
    return pbft_is_signed(verifier, &keyring->keys[vote->replica], &preimage,
                          &vote->signature)
               ? PBFT_OK
               : PBFT_BAD_SIGNATURE;
}

/* At least `needed` valid votes by distinct members, and no other vote.
 * `seen` holds those whose votes do not count. */
static enum pbft_status check_votes(const struct pbft_verifier *verifier,
                                    const struct claim *claim,
                                    const struct pbft_vote *votes,
                                    uint32_t vote_count, uint32_t needed,
                                    struct pbft_replica_set seen)
{
    if (claim->epoch != verifier->keyring->epoch) {
        return PBFT_NOT_MEMBER;
    }
    if (vote_count < needed || vote_count > verifier->keyring->replica_count) {
        return PBFT_BAD_CERTIFICATE;
    }
    for (uint32_t i = 0; i < vote_count; i++) {
        if (votes[i].replica >= verifier->keyring->replica_count) {
            return PBFT_NOT_MEMBER;
        }
        if (pbft_set_has(&seen, votes[i].replica)) {
            return PBFT_BAD_CERTIFICATE;
        }
        pbft_set_add(&seen, votes[i].replica);
    }
    for (uint32_t i = 0; i < vote_count; i++) {
        enum pbft_status status = check_vote(verifier, claim, &votes[i]);
        if (status != PBFT_OK) {
            return status;
        }
    }
    return PBFT_OK;
}

/* The header that the votes refer to, signed by the primary of its view. */
static enum pbft_status check_header(const struct pbft_verifier *verifier,
                                     const struct pbft_message *header,
                                     pbft_epoch epoch)
{
    const struct pbft_keyring *keyring = verifier->keyring;
    const struct pbft_pre_prepare *fields = &header->pre_prepare;
    if (header->epoch != epoch || epoch != keyring->epoch ||
        header->sender >= keyring->replica_count) {
        return PBFT_NOT_MEMBER;
    }
    if (fields->seq == 0 ||
        header->sender !=
            pbft_primary_of(fields->view, keyring->replica_count)) {
        return PBFT_BAD_CERTIFICATE;
    }
    if (fields->body != NULL) {
        const struct pbft_batch *batch = &fields->body->batch;
        if (memcmp(&fields->digest, &batch->digest, sizeof batch->digest) !=
            0) {
            return PBFT_BAD_DIGEST;
        }
        if (batch->bytes > PBFT_BATCH_BYTES_MAX) {
            return PBFT_TOO_LARGE;
        }
    }
    struct pbft_preimage preimage;
    pbft_message_preimage(verifier->domain, header, &preimage);
    return pbft_is_signed(verifier, &keyring->keys[header->sender], &preimage,
                          &header->signature)
               ? PBFT_OK
               : PBFT_BAD_SIGNATURE;
}

static struct claim slot_claim(enum pbft_message_type vote_type,
                               const struct pbft_message *certificate,
                               const struct pbft_message *header)
{
    return (struct claim){
        .vote_type = vote_type,
        .epoch = certificate->epoch,
        .slot = {header->pre_prepare.view, header->pre_prepare.seq,
                 header->pre_prepare.digest},
    };
}

static enum pbft_status check_prepared(const struct pbft_verifier *verifier,
                                       const struct pbft_message *certificate)
{
    const struct pbft_prepared *prepared = &certificate->prepared;
    const struct pbft_message *header = prepared->pre_prepare;
    enum pbft_status status =
        check_header(verifier, header, certificate->epoch);
    if (status != PBFT_OK) {
        return status;
    }
    struct claim claim = slot_claim(PBFT_MESSAGE_PREPARE, certificate, header);
    /* The header is the primary's vote; a prepare of its own adds nothing. */
    return check_votes(verifier, &claim, prepared->votes, prepared->vote_count,
                       pbft_quorum(verifier->keyring->replica_count) - 1,
                       pbft_set_one(header->sender));
}

static enum pbft_status check_committed(const struct pbft_verifier *verifier,
                                        const struct pbft_message *certificate)
{
    const struct pbft_committed *committed = &certificate->committed;
    const struct pbft_message *header = committed->pre_prepare;
    enum pbft_status status =
        check_header(verifier, header, certificate->epoch);
    if (status != PBFT_OK) {
        return status;
    }
    struct claim claim = slot_claim(PBFT_MESSAGE_COMMIT, certificate, header);
    return check_votes(verifier, &claim, committed->votes,
                       committed->vote_count,
                       pbft_quorum(verifier->keyring->replica_count),
                       (struct pbft_replica_set){{0}});
}

static enum pbft_status check_stable(const struct pbft_verifier *verifier,
                                     pbft_epoch epoch,
                                     const struct pbft_stable *stable,
                                     uint32_t needed)
{
    const struct claim claim = {
        .vote_type = PBFT_MESSAGE_ATTESTATION,
        .epoch = epoch,
        .attestation = stable->attestation,
    };
    return check_votes(verifier, &claim, stable->votes, stable->vote_count,
                       needed, (struct pbft_replica_set){{0}});
}

/* Seq 0 is the genesis state, which needs no proof and takes none. */
static enum pbft_status check_genesis(const struct pbft_verifier *verifier,
                                      const struct pbft_message *certificate)
{
    if (certificate->epoch != verifier->keyring->epoch) {
        return PBFT_NOT_MEMBER;
    }
    return certificate->stable.vote_count == 0 ? PBFT_OK : PBFT_BAD_CERTIFICATE;
}

enum pbft_status pbft_verify_certificate(const struct pbft_verifier *verifier,
                                         const struct pbft_message *certificate)
{
    switch (certificate->type) {
    case PBFT_MESSAGE_PREPARED:
        return check_prepared(verifier, certificate);
    case PBFT_MESSAGE_COMMITTED:
        return check_committed(verifier, certificate);
    case PBFT_MESSAGE_STABLE:
        if (certificate->stable.attestation.seq == 0) {
            return check_genesis(verifier, certificate);
        }
        return check_stable(verifier, certificate->epoch, &certificate->stable,
                            pbft_quorum(verifier->keyring->replica_count));
    case PBFT_MESSAGE_REQUEST:
    case PBFT_MESSAGE_PRE_PREPARE:
    case PBFT_MESSAGE_PREPARE:
    case PBFT_MESSAGE_COMMIT:
    case PBFT_MESSAGE_ATTESTATION:
    case PBFT_MESSAGE_VIEW_CHANGE:
    case PBFT_MESSAGE_NEW_VIEW:
    case PBFT_MESSAGE_STATUS:
    case PBFT_MESSAGE_FETCH:
    case PBFT_MESSAGE_BATCH:
    case PBFT_MESSAGE_EVIDENCE:
        break;
    }
    return PBFT_MALFORMED;
}

enum pbft_status pbft_verify_attested(const struct pbft_verifier *verifier,
                                      const struct pbft_stable *proof)
{
    if (proof->attestation.seq == 0) {
        return PBFT_BAD_CERTIFICATE; /* No block, nothing to prove. */
    }
    return check_stable(verifier, verifier->keyring->epoch, proof,
                        pbft_weak_quorum(verifier->keyring->replica_count));
}
