/* SPDX-License-Identifier: Apache-2.0 */
/* Equality of messages, field by field. */
#include <string.h>

#include "tests/support/random_message.h"

/* Structs without padding: arrays of bytes, or of 64-bit words. */
#define SAME(a, b) (memcmp(&(a), &(b), sizeof(a)) == 0)

static bool same_request(const struct pbft_request *a,
                         const struct pbft_request *b)
{
    return SAME(a->client, b->client) && SAME(a->institution, b->institution) &&
           a->session == b->session && a->sequence == b->sequence &&
           a->lane == b->lane && a->payload.size == b->payload.size &&
           (a->payload.size == 0 ||
            memcmp(a->payload.data, b->payload.data, a->payload.size) == 0) &&
           SAME(a->signature, b->signature) && SAME(a->digest, b->digest);
}

static bool same_list(const struct pbft_message *const *a, uint32_t a_count,
                      const struct pbft_message *const *b, uint32_t b_count)
{
    if (a_count != b_count) {
        return false;
    }
    for (uint32_t i = 0; i < a_count; i++) {
        if (!support_message_equal(a[i], b[i])) {
            return false;
        }
    }
    return true;
}

static bool same_batch(const struct pbft_batch *a, const struct pbft_batch *b)
{
    return a->time == b->time && a->bytes == b->bytes &&
           SAME(a->digest, b->digest) &&
           same_list(a->requests, a->request_count, b->requests,
                     b->request_count);
}

static bool same_votes(const struct pbft_vote *a, uint32_t a_count,
                       const struct pbft_vote *b, uint32_t b_count)
{
    if (a_count != b_count) {
        return false;
    }
    for (uint32_t i = 0; i < a_count; i++) {
        if (a[i].replica != b[i].replica ||
            a[i].incarnation != b[i].incarnation ||
            !SAME(a[i].signature, b[i].signature)) {
            return false;
        }
    }
    return true;
}

static bool same_slot(const struct pbft_prepare *a,
                      const struct pbft_prepare *b)
{
    return a->view == b->view && a->seq == b->seq && SAME(a->digest, b->digest);
}

static bool same_pre_prepare(const struct pbft_pre_prepare *a,
                             const struct pbft_pre_prepare *b)
{
    if ((a->body == NULL) != (b->body == NULL)) {
        return false;
    }
    return a->view == b->view && a->seq == b->seq &&
           SAME(a->digest, b->digest) &&
           (a->body == NULL || support_message_equal(a->body, b->body));
}

static bool same_attestation(const struct pbft_attestation *a,
                             const struct pbft_attestation *b)
{
    return a->seq == b->seq && a->block_time == b->block_time &&
           SAME(a->block_digest, b->block_digest) &&
           SAME(a->results_root, b->results_root) &&
           SAME(a->ledger_root, b->ledger_root);
}

static bool same_status(const struct pbft_status_report *a,
                        const struct pbft_status_report *b)
{
    return a->view == b->view && a->view_active == b->view_active &&
           a->stable == b->stable && a->executed == b->executed &&
           a->committed_above == b->committed_above &&
           a->attested == b->attested && a->version_min == b->version_min &&
           a->version_max == b->version_max &&
           a->reply_wanted == b->reply_wanted && a->question == b->question &&
           a->prepared_words == b->prepared_words &&
           memcmp(a->prepared_bits, b->prepared_bits,
                  a->prepared_words * sizeof(uint64_t)) == 0;
}

static bool same_sources(const struct pbft_new_view *a,
                         const struct pbft_new_view *b)
{
    if (a->view_change_count != b->view_change_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->view_change_count; i++) {
        if (a->view_changes[i].replica != b->view_changes[i].replica ||
            !SAME(a->view_changes[i].digest, b->view_changes[i].digest)) {
            return false;
        }
    }
    return true;
}

/* Messages nest four deep at most. */
static bool same_content(const struct pbft_message *a,
                         const struct pbft_message *b)
{
    switch (a->type) {
    case PBFT_MESSAGE_REQUEST:
        return same_request(&a->request, &b->request);
    case PBFT_MESSAGE_PRE_PREPARE:
        return same_pre_prepare(&a->pre_prepare, &b->pre_prepare);
    case PBFT_MESSAGE_PREPARE:
        return same_slot(&a->prepare, &b->prepare);
    case PBFT_MESSAGE_COMMIT:
        return same_slot(&a->commit, &b->commit);
    case PBFT_MESSAGE_ATTESTATION:
        return same_attestation(&a->attestation, &b->attestation);
    case PBFT_MESSAGE_VIEW_CHANGE:
        return a->view_change.view == b->view_change.view &&
               SAME(a->view_change.digest, b->view_change.digest) &&
               support_message_equal(a->view_change.stable,
                                     b->view_change.stable) &&
               same_list(a->view_change.prepared, a->view_change.prepared_count,
                         b->view_change.prepared,
                         b->view_change.prepared_count);
    case PBFT_MESSAGE_NEW_VIEW:
        return a->new_view.view == b->new_view.view &&
               same_sources(&a->new_view, &b->new_view) &&
               same_list(
                   a->new_view.pre_prepares, a->new_view.pre_prepare_count,
                   b->new_view.pre_prepares, b->new_view.pre_prepare_count);
    case PBFT_MESSAGE_STATUS:
        return same_status(&a->status, &b->status);
    case PBFT_MESSAGE_FETCH:
        return a->fetch.kind == b->fetch.kind && a->fetch.seq == b->fetch.seq &&
               a->fetch.last == b->fetch.last &&
               SAME(a->fetch.digest, b->fetch.digest);
    case PBFT_MESSAGE_BATCH:
        return same_batch(&a->batch, &b->batch);
    case PBFT_MESSAGE_PREPARED:
        return support_message_equal(a->prepared.pre_prepare,
                                     b->prepared.pre_prepare) &&
               same_votes(a->prepared.votes, a->prepared.vote_count,
                          b->prepared.votes, b->prepared.vote_count);
    case PBFT_MESSAGE_COMMITTED:
        return support_message_equal(a->committed.pre_prepare,
                                     b->committed.pre_prepare) &&
               same_votes(a->committed.votes, a->committed.vote_count,
                          b->committed.votes, b->committed.vote_count);
    case PBFT_MESSAGE_STABLE:
        return same_attestation(&a->stable.attestation,
                                &b->stable.attestation) &&
               same_votes(a->stable.votes, a->stable.vote_count,
                          b->stable.votes, b->stable.vote_count);
    case PBFT_MESSAGE_EVIDENCE:
        return memcmp(a->evidence, b->evidence, sizeof *a->evidence) == 0;
    }
    return false;
}

bool support_message_equal(const struct pbft_message *a,
                           const struct pbft_message *b)
{
    return a->type == b->type && a->sender == b->sender &&
           a->incarnation == b->incarnation && a->epoch == b->epoch &&
           SAME(a->signature, b->signature) && same_content(a, b);
}
