/* SPDX-License-Identifier: Apache-2.0 */
/* Small-scope mutations: a message as it was, but for one thing. */
#include <string.h>

#include "consensus/assert.h"
#include "consensus/quorum.h"
#include "sim/adversary.h"
#include "sim/sim.h"

uint64_t adversary_draw_number(struct random *random, uint64_t near)
{
    const uint64_t far[] = {0,
                            UINT64_C(1) << 31,
                            UINT32_MAX,
                            UINT64_C(1) << 32,
                            UINT64_C(1) << 63,
                            UINT64_MAX - 1,
                            UINT64_MAX};
    switch (random_below(random, 5)) {
    case 0:
        return near + 1;
    case 1:
        return near - 1;
    case 2:
        return near + random_between(random, 2, 64);
    case 3:
        return near - random_between(random, 2, 64);
    default:
        return far[random_below(random, sizeof far / sizeof far[0])];
    }
}

/* Another digest: one that was seen, if there is one, else none of anything. */
static struct pbft_digest draw_digest(struct host *host,
                                      const struct pbft_digest *now)
{
    struct pbft_digest digest = *now;
    const struct pbft_message *seen = adversary_recall(host->sim);
    if (seen != NULL) {
        digest = *trace_digest_of(seen);
    }
    if (memcmp(&digest, now, sizeof digest) == 0) {
        digest.bytes[0] ^= 1;
    }
    return digest;
}

static struct pbft_message *mutate_vote(struct host *host,
                                        const struct pbft_message *message)
{
    struct random *random = &host->sim->adversaries.random;
    struct pbft_prepare fields = message->prepare; /* Of the same shape. */
    const struct pbft_origin origin = adversary_origin(host);
    enum pbft_message_type type = message->type;
    switch (random_below(random, 4)) {
    case 0:
        fields.view = adversary_draw_number(random, fields.view);
        break;
    case 1:
        fields.seq = adversary_draw_number(random, fields.seq);
        break;
    case 2:
        fields.digest = draw_digest(host, &fields.digest);
        break;
    default:
        type = type == PBFT_MESSAGE_COMMIT ? PBFT_MESSAGE_PREPARE
                                           : PBFT_MESSAGE_COMMIT;
        break;
    }
    return pbft_vote_create(type, &origin, &fields);
}

static struct pbft_message *
mutate_pre_prepare(struct host *host, const struct pbft_message *message)
{
    struct random *random = &host->sim->adversaries.random;
    struct pbft_pre_prepare fields = message->pre_prepare;
    const struct pbft_origin origin = adversary_origin(host);
    const struct pbft_message *other;
    switch (random_below(random, 5)) {
    case 0:
        fields.view = adversary_draw_number(random, fields.view);
        break;
    case 1:
        fields.seq = adversary_draw_number(random, fields.seq);
        break;
    case 2:
        fields.digest = draw_digest(host, &fields.digest);
        break;
    case 3: /* A batch that was proposed before. */
        other = adversary_recall_type(host->sim, PBFT_MESSAGE_COMMITTED);
        if (other != NULL) {
            fields.digest = other->committed.pre_prepare->pre_prepare.digest;
            fields.body = other->committed.pre_prepare->pre_prepare.body;
        }
        break;
    default:
        fields.body = NULL;
        break;
    }
    return pbft_pre_prepare_create(&origin, fields.view, fields.seq,
                                   &fields.digest, fields.body);
}

static struct pbft_message *
mutate_attestation(struct host *host, const struct pbft_message *message)
{
    struct random *random = &host->sim->adversaries.random;
    struct pbft_attestation fields = message->attestation;
    const struct pbft_origin origin = adversary_origin(host);
    switch (random_below(random, 4)) {
    case 0:
        fields.seq = adversary_draw_number(random, fields.seq);
        break;
    case 1:
        fields.ledger_root = draw_digest(host, &fields.ledger_root);
        break;
    case 2:
        fields.results_root.bytes[0] ^= 1;
        break;
    default:
        fields.block_time = adversary_draw_number(random, fields.block_time);
        break;
    }
    return pbft_attestation_create(&origin, &fields);
}

static struct pbft_message *mutate_status(struct host *host,
                                          const struct pbft_message *message)
{
    struct random *random = &host->sim->adversaries.random;
    struct pbft_status_report fields = message->status;
    const uint64_t bits = random_next(random);
    const struct pbft_origin origin = adversary_origin(host);
    pbft_seq *const seqs[] = {
        &fields.stable,   &fields.executed, &fields.committed_above,
        &fields.attested, &fields.view,     &fields.question};
    uint64_t at = random_below(random, sizeof seqs / sizeof seqs[0] + 2);
    if (at < sizeof seqs / sizeof seqs[0]) {
        *seqs[at] = adversary_draw_number(random, *seqs[at]);
    } else if (at == sizeof seqs / sizeof seqs[0]) {
        fields.view_active = !fields.view_active;
    } else {
        fields.prepared_bits = &bits;
        fields.prepared_words = 1;
        fields.reply_wanted = true;
    }
    return pbft_status_create(&origin, &fields);
}

static struct pbft_message *mutate_fetch(struct host *host,
                                         const struct pbft_message *message)
{
    struct random *random = &host->sim->adversaries.random;
    struct pbft_fetch fields = message->fetch;
    const struct pbft_origin origin = adversary_origin(host);
    fields.kind = (enum pbft_fetch_kind)random_between(random, PBFT_FETCH_BODY,
                                                       PBFT_FETCH_NEW_VIEW);
    if (random_chance(random, 500)) {
        fields.seq = adversary_draw_number(random, fields.seq);
    }
    fields.last = random_chance(random, 500)
                      ? fields.seq
                      : adversary_draw_number(random, fields.seq);
    return pbft_fetch_create(&origin, &fields);
}

/* ---- certificates ----------------------------------------------------------
 */

/* Fewer votes, one twice, one spoiled, or one in another's name. */
static uint32_t mutate_votes(struct host *host, const struct pbft_vote *votes,
                             uint32_t count, struct pbft_vote *out)
{
    struct random *random = &host->sim->adversaries.random;
    for (uint32_t i = 0; i < count; i++) {
        out[i] = votes[i];
    }
    if (count == 0) {
        return 0;
    }
    uint32_t at = (uint32_t)random_below(random, count);
    switch (random_below(random, 4)) {
    case 0:
        out[at] = out[count - 1];
        return count - 1;
    case 1:
        out[at] = out[(at + 1) % count];
        return count;
    case 2:
        out[at].signature.bytes[0] ^= 1;
        return count;
    default:
        out[at].replica =
            (pbft_replica_id)random_below(random, host->sim->settings.n + 1);
        return count;
    }
}

static struct pbft_message *
mutate_certificate(struct host *host, const struct pbft_message *message)
{
    struct random *random = &host->sim->adversaries.random;
    struct pbft_vote votes[PBFT_REPLICAS_MAX];
    struct pbft_prepared parts = message->prepared;
    if (message->type == PBFT_MESSAGE_COMMITTED) {
        parts = (struct pbft_prepared){message->committed.pre_prepare,
                                       message->committed.vote_count,
                                       message->committed.votes};
    }
    const struct pbft_message *proposal = parts.pre_prepare;
    const struct pbft_pre_prepare *header = &proposal->pre_prepare;
    const struct pbft_origin origin = {.sender = proposal->sender,
                                       .incarnation = proposal->incarnation,
                                       .epoch = proposal->epoch,
                                       .signature = proposal->signature};
    struct pbft_digest digest = header->digest;
    pbft_view view = header->view;
    pbft_seq seq = header->seq;
    const struct pbft_message *body = header->body;
    uint32_t count = parts.vote_count;
    memcpy(votes, parts.votes, count * sizeof votes[0]);
    switch (random_below(random, 5)) {
    case 0:
        view = adversary_draw_number(random, view);
        break;
    case 1:
        seq = adversary_draw_number(random, seq);
        break;
    case 2:
        digest = draw_digest(host, &digest);
        break;
    case 3:
        body = NULL;
        break;
    default:
        count = mutate_votes(host, parts.votes, count, votes);
        break;
    }
    struct pbft_message *changed =
        pbft_pre_prepare_create(&origin, view, seq, &digest, body);
    struct pbft_message *out = pbft_certificate_create(
        message->type, host->id, message->epoch, changed, votes, count);
    pbft_message_unref(changed);
    return out;
}

static struct pbft_message *mutate_stable(struct host *host,
                                          const struct pbft_message *message)
{
    struct random *random = &host->sim->adversaries.random;
    struct pbft_vote votes[PBFT_REPLICAS_MAX];
    struct pbft_attestation fields = message->stable.attestation;
    uint32_t count = message->stable.vote_count;
    memcpy(votes, message->stable.votes, count * sizeof votes[0]);
    switch (random_below(random, 3)) {
    case 0:
        fields.seq = adversary_draw_number(random, fields.seq);
        break;
    case 1:
        fields.ledger_root = draw_digest(host, &fields.ledger_root);
        break;
    default:
        count = mutate_votes(host, message->stable.votes, count, votes);
        break;
    }
    return pbft_stable_create(host->id, message->epoch, &fields, votes, count);
}

/* A body without one of its requests: another digest than was asked for. */
static struct pbft_message *mutate_batch(struct host *host,
                                         const struct pbft_message *message)
{
    const struct pbft_batch *batch = &message->batch;
    if (batch->request_count == 0) {
        return NULL;
    }
    return pbft_batch_create(&host->domain, batch->time, batch->requests,
                             batch->request_count - 1);
}

static const struct {
    enum pbft_message_type type;
    struct pbft_message *(*mutate)(struct host *host,
                                   const struct pbft_message *message);
} mutations[] = {
    {PBFT_MESSAGE_PRE_PREPARE, mutate_pre_prepare},
    {PBFT_MESSAGE_PREPARE, mutate_vote},
    {PBFT_MESSAGE_COMMIT, mutate_vote},
    {PBFT_MESSAGE_ATTESTATION, mutate_attestation},
    {PBFT_MESSAGE_VIEW_CHANGE, adversary_mutate_view_change},
    {PBFT_MESSAGE_NEW_VIEW, adversary_mutate_new_view},
    {PBFT_MESSAGE_STATUS, mutate_status},
    {PBFT_MESSAGE_FETCH, mutate_fetch},
    {PBFT_MESSAGE_BATCH, mutate_batch},
    {PBFT_MESSAGE_PREPARED, mutate_certificate},
    {PBFT_MESSAGE_COMMITTED, mutate_certificate},
    {PBFT_MESSAGE_STABLE, mutate_stable},
};

struct pbft_message *adversary_mutate(struct host *host,
                                      const struct pbft_message *message)
{
    for (size_t i = 0; i < sizeof mutations / sizeof mutations[0]; i++) {
        if (mutations[i].type == message->type) {
            return mutations[i].mutate(host, message);
        }
    }
    return NULL; /* Nobody forges a client's signature. */
}
