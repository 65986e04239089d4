/* SPDX-License-Identifier: Apache-2.0 */
/* Accountability (design: P15): two statements of one replica that no honest
 * replica makes, with its signatures under both, convince anybody for ever.
 *
 * A statement is exactly what was signed: the preimage and the signature. So
 * evidence is small, whatever the messages carried, and is checked with nothing
 * but the genesis file. What contradicts what:
 *
 *   pre-prepare, prepare, commit   one view and seq, two digests, in whichever
 *                                  two of the three
 *   attestation (checkpoint)       one seq, two contents
 *   view-change, new-view          one view, two contents
 *
 * Both of one cluster, version, epoch and incarnation: a replica that lost its
 * log starts a new incarnation, whose votes contradict no older ones (design:
 * P14). Two signatures under the same bytes are no contradiction.
 */
#ifndef CONSENSUS_EVIDENCE_H
#define CONSENSUS_EVIDENCE_H

#include "consensus/verify.h"

/* Records against one replica: enough to convict, too few to fill a disk. */
#define PBFT_EVIDENCE_PER_SIGNER_MAX 8u
#define PBFT_EVIDENCE_MAX (PBFT_EVIDENCE_PER_SIGNER_MAX * PBFT_REPLICAS_MAX)
/* The canonical bytes: tag, then size, preimage and signature, twice. */
#define PBFT_EVIDENCE_BYTES_MAX                                                \
    (16u + 2u * (4u + PBFT_STATEMENT_MAX + PBFT_SIGNATURE_SIZE))

/* What a statement says, read from its preimage. */
struct pbft_claim {
    enum pbft_message_type type; /* A signed one; not STATUS, not FETCH. */
    struct pbft_digest cluster;
    uint32_t version;
    pbft_epoch epoch;
    pbft_replica_id signer;
    uint64_t incarnation;
    pbft_view view;            /* 0 for an attestation. */
    pbft_seq seq;              /* 0 for view-change and new-view. */
    struct pbft_bytes content; /* What follows the signer; into the preimage. */
};

/* What `message`, of a type that is accounted for, states. */
bool pbft_is_accountable(enum pbft_message_type type);
void pbft_statement_of(const struct pbft_domain *domain,
                       const struct pbft_message *message,
                       struct pbft_statement *out);

/* False if the bytes are no preimage of an accountable message. */
bool pbft_claim_read(const struct pbft_statement *statement,
                     struct pbft_claim *out);
bool pbft_claims_conflict(const struct pbft_claim *a,
                          const struct pbft_claim *b);

/* An EVIDENCE message, held by `holder`. The statements must conflict. Both
 * orders of the same two make the same evidence. NULL if memory is short. */
struct pbft_message *pbft_evidence_create(pbft_replica_id holder,
                                          const struct pbft_statement *first,
                                          const struct pbft_statement *second);

/* Whom it accuses, and of what. */
struct pbft_claim pbft_evidence_claim(const struct pbft_evidence *evidence);

/* Both statements are of this cluster and epoch, of one member, signed by it,
 * and they conflict. PBFT_WRONG_IDENTITY: of another cluster. */
PBFT_MUST_USE enum pbft_status
pbft_evidence_verify(const struct pbft_domain *domain,
                     const struct pbft_keyring *keyring,
                     const struct pbft_evidence *evidence);

/* The canonical bytes, as in files and records; returns their size. */
size_t pbft_evidence_encode(const struct pbft_evidence *evidence,
                            uint8_t out[PBFT_EVIDENCE_BYTES_MAX]);
/* PBFT_MALFORMED: other bytes, or statements that do not conflict. Signatures
 * are not looked at. */
PBFT_MUST_USE enum pbft_status pbft_evidence_decode(struct pbft_bytes bytes,
                                                    struct pbft_evidence *out);

#endif /* CONSENSUS_EVIDENCE_H */
