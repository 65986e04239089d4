/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of proposals for a new view (OSDI'99 4.4; design: P6). */
#include "consensus/selection.h"

static void find_stable(const struct pbft_replica *replica,
                        struct pbft_selection *selection)
{
    selection->stable = NULL;
    for (pbft_replica_id id = 0; id < replica->n; id++) {
        const struct pbft_message *source = selection->sources[id];
        if (source != NULL && (selection->stable == NULL ||
                               pbft_message_seq(source->view_change.stable) >
                                   pbft_message_seq(selection->stable))) {
            selection->stable = source->view_change.stable;
        }
    }
    PBFT_ASSERT(selection->stable != NULL);
    selection->first = pbft_message_seq(selection->stable) + 1;
}

/* What `source` claims for `seq`. Its list ascends; `cursor` remembers. */
static const struct pbft_message *claim_at(const struct pbft_message *source,
                                           uint32_t *cursor, pbft_seq seq)
{
    const struct pbft_view_change *fields = &source->view_change;
    while (*cursor < fields->prepared_count &&
           pbft_message_seq(fields->prepared[*cursor]) < seq) {
        (*cursor)++;
    }
    if (*cursor == fields->prepared_count ||
        pbft_message_seq(fields->prepared[*cursor]) != seq) {
        return NULL;
    }
    return fields->prepared[*cursor];
}

static bool is_valid(const struct pbft_replica *replica,
                     const struct pbft_message *certificate)
{
    const struct pbft_verifier verifier = {.domain = replica->domain,
                                           .keyring = replica->keyring,
                                           .window = replica->config.window,
                                           .verified = replica->verified};
    return pbft_verify_certificate(&verifier, certificate) == PBFT_OK;
}

/* The valid certificate of the highest view. The highest claim is checked
 * first; an invalid one discards nothing but itself (design: P6). */
static const struct pbft_message *choose(const struct pbft_replica *replica,
                                         const struct pbft_selection *selection,
                                         uint32_t *cursors, pbft_seq seq)
{
    struct pbft_replica_set refuted = {{0}};
    for (uint32_t tries = 0; tries < replica->n; tries++) {
        const struct pbft_message *best = NULL;
        pbft_replica_id claimant = 0;
        for (pbft_replica_id id = 0; id < replica->n; id++) {
            const struct pbft_message *source = selection->sources[id];
            const struct pbft_message *claim =
                source == NULL || pbft_set_has(&refuted, id)
                    ? NULL
                    : claim_at(source, &cursors[id], seq);
            if (claim != NULL &&
                (best == NULL ||
                 pbft_message_view(claim) > pbft_message_view(best))) {
                best = claim;
                claimant = id;
            }
        }
        if (best == NULL || is_valid(replica, best)) {
            return best;
        }
        pbft_mark(PBFT_MARK_CLAIM_REFUTED);
        pbft_set_add(&refuted, claimant);
    }
    return NULL;
}

/* OSDI'99 4.4: from min-s to max-s; whatever is prepared in V, else null. */
void pbft_select(const struct pbft_replica *replica,
                 struct pbft_selection *selection)
{
    uint32_t cursors[PBFT_REPLICAS_MAX] = {0};
    find_stable(replica, selection);
    selection->count = 0;
    for (uint32_t i = 0; i < replica->config.window; i++) {
        selection->choice[i] =
            choose(replica, selection, cursors, selection->first + i);
        if (selection->choice[i] != NULL) {
            pbft_mark(PBFT_MARK_PREPARED_REPROPOSED);
            selection->count = i + 1;
        }
    }
    PBFT_ASSERT(selection->count <= replica->config.window);
}

const struct pbft_digest *
pbft_chosen_digest(const struct pbft_replica *replica,
                   const struct pbft_selection *selection, uint32_t i)
{
    const struct pbft_message *certificate = selection->choice[i];
    PBFT_ASSERT(i < selection->count);
    if (certificate == NULL) {
        pbft_mark(PBFT_MARK_GAP_FILLED);
    }
    return certificate == NULL
               ? &replica->null_batch->batch.digest
               : &certificate->prepared.pre_prepare->pre_prepare.digest;
}
