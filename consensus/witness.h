/* SPDX-License-Identifier: Apache-2.0 */
/* What the others said, so that a contradiction is noticed whenever its second
 * half arrives (design: P15). Private to the core.
 *
 * One statement per signer, kind and seq of the window (that of the highest
 * view that we have entered), and five view-changes and new-views each. All
 * memory is allocated at creation, and a signer can displace only what it said
 * itself of a seq that is committed here.
 */
#ifndef CONSENSUS_WITNESS_H
#define CONSENSUS_WITNESS_H

#include "consensus/evidence.h"

/* All replicas' statements: the seqs that are remembered become fewer in a
 * large cluster. */
#define PBFT_WITNESS_BYTES_MAX (4u * 1024u * 1024u)
#define PBFT_WITNESS_SEQS_MIN 8u
#define PBFT_WITNESS_SEQS_MAX 256u
/* Views, from our own on, of which view-changes are remembered; one place more
 * is for the highest view of all. */
#define PBFT_WITNESS_VIEWS 4u
/* Signatures of one received message that are checked because they would be
 * evidence; view-changes carry certificates that nobody checked yet. */
#define PBFT_WITNESS_CHECKS_MAX 16u

/* What a statement is about: apart from its bytes and side by side, since most
 * of what is heard contradicts nothing. */
struct pbft_topic {
    pbft_view view;
    pbft_seq seq;
};

struct pbft_testimony {
    struct pbft_topic *topic;
    struct pbft_statement *statement; /* Size 0: none. */
};

struct pbft_witness {
    uint32_t seqs;               /* Remembered at once, per kind. */
    uint32_t places;             /* Per signer. */
    struct pbft_topic *topics;   /* By signer, then place. */
    struct pbft_statement *said; /* Likewise. */
    uint32_t checks_left;
    const struct pbft_message *evidence[PBFT_EVIDENCE_MAX];
    uint32_t evidence_count;
    struct pbft_replica_set accused;
};

/* False if memory is short; then nothing is to be released. */
bool pbft_witness_init(struct pbft_witness *witness, uint32_t window,
                       uint32_t replica_count);
void pbft_witness_deinit(struct pbft_witness *witness);

#endif /* CONSENSUS_WITNESS_H */
