/* SPDX-License-Identifier: Apache-2.0 */
/* What a set of view-changes obliges a new view to begin with. A function of
 * the set alone (OSDI'99 4.4: O of V). Private to the core.
 */
#ifndef CONSENSUS_SELECTION_H
#define CONSENSUS_SELECTION_H

#include "consensus/replica.h"

/* The view-changes of a NEW-VIEW and what they come to (OSDI'99 4.4: V, O). */
struct pbft_selection {
    const struct pbft_message *const *sources; /* By replica; NULL: not in. */
    const struct pbft_message *stable;         /* The highest proof: min-s. */
    pbft_seq first;                            /* min-s + 1. */
    uint32_t count;                            /* max-s - min-s. */
    /* Certificates of first, first + 1, ...; NULL: the null batch. */
    const struct pbft_message **choice;
};

/* Fills all but `sources` and `choice`, which has room for one window. */
void pbft_select(const struct pbft_replica *replica,
                 struct pbft_selection *selection);

/* The batch digest of seq `first + i`. */
const struct pbft_digest *
pbft_chosen_digest(const struct pbft_replica *replica,
                   const struct pbft_selection *selection, uint32_t i);

#endif /* CONSENSUS_SELECTION_H */
