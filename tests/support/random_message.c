/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/random_message.h"

#include <stdlib.h>

#include "consensus/assert.h"
#include "consensus/evidence.h"

#define PAYLOAD_MAX 65536u
#define LIST_MAX PBFT_WINDOW_MAX

uint64_t support_random_next(struct support_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t support_random_below(struct support_random *random, uint64_t limit)
{
    return support_random_next(random) % limit;
}

void support_random_fill(struct support_random *random, void *out, size_t size)
{
    uint8_t *bytes = out;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)support_random_next(random);
    }
}

struct random_shape random_shape_small(void)
{
    return (struct random_shape){.requests_max = 4,
                                 .payload_max = 300,
                                 .votes_max = 5,
                                 .certificates_max = 3};
}

/* Zero, small, large: the lengths of varints differ. */
static uint64_t number(struct support_random *random)
{
    static const uint64_t masks[] = {0, 0x7f, 0x3fff, UINT32_MAX, UINT64_MAX};
    return support_random_next(random) &
           masks[support_random_below(random, sizeof masks / sizeof *masks)];
}

static uint32_t count_up_to(struct support_random *random, uint32_t max)
{
    return (uint32_t)support_random_below(random, (uint64_t)max + 1);
}

static struct pbft_message *must(struct pbft_message *message)
{
    PBFT_ASSERT(message != NULL);
    return message;
}

static void digest(struct support_random *random, struct pbft_digest *out)
{
    support_random_fill(random, out->bytes, sizeof out->bytes);
}

static struct pbft_message *request(struct support_random *random,
                                    const struct pbft_domain *domain,
                                    const struct pbft_origin *origin,
                                    const struct random_shape *shape)
{
    static uint8_t payload[PAYLOAD_MAX];
    struct pbft_request fields = {
        .session = number(random),
        .sequence = number(random),
        .lane = (enum pbft_lane)support_random_below(random, 2),
        .payload.data = payload,
        .payload.size = count_up_to(random, shape->payload_max),
    };
    PBFT_ASSERT(shape->payload_max <= PAYLOAD_MAX);
    support_random_fill(random, payload, fields.payload.size);
    support_random_fill(random, &fields.client, sizeof fields.client);
    support_random_fill(random, &fields.institution, sizeof fields.institution);
    support_random_fill(random, &fields.signature, sizeof fields.signature);
    struct pbft_message *message =
        must(pbft_request_create(domain, &fields, origin->sender, NULL));
    return message;
}

static struct pbft_message *batch(struct support_random *random,
                                  const struct pbft_domain *domain,
                                  const struct pbft_origin *origin,
                                  const struct random_shape *shape)
{
    const struct pbft_message *requests[PBFT_BATCH_REQUESTS_MAX];
    uint32_t count = count_up_to(random, shape->requests_max);
    for (uint32_t i = 0; i < count; i++) {
        requests[i] = request(random, domain, origin, shape);
    }
    struct pbft_message *message =
        must(pbft_batch_create(domain, number(random), requests, count));
    message->sender = origin->sender;
    message->epoch = origin->epoch;
    for (uint32_t i = 0; i < count; i++) {
        pbft_message_unref(requests[i]);
    }
    return message;
}

static struct pbft_message *header(struct support_random *random,
                                   const struct pbft_origin *origin,
                                   pbft_seq seq,
                                   const struct pbft_message *body)
{
    struct pbft_digest of;
    digest(random, &of);
    return must(
        pbft_pre_prepare_create(origin, number(random), seq, &of, body));
}

static struct pbft_message *pre_prepare(struct support_random *random,
                                        const struct pbft_domain *domain,
                                        const struct pbft_origin *origin,
                                        const struct pbft_origin *hand,
                                        const struct random_shape *shape)
{
    struct pbft_message *body = NULL;
    if (support_random_below(random, 2) == 0) {
        body = batch(random, domain, hand, shape);
    }
    struct pbft_message *message = header(random, origin, number(random), body);
    pbft_message_unref(body);
    return message;
}

static uint32_t votes(struct support_random *random,
                      const struct random_shape *shape,
                      struct pbft_vote out[PBFT_REPLICAS_MAX])
{
    uint32_t count = count_up_to(random, shape->votes_max);
    uint32_t replica = 0;
    PBFT_ASSERT(shape->votes_max <= PBFT_REPLICAS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        out[i].replica = replica;
        out[i].incarnation = number(random);
        support_random_fill(random, &out[i].signature, PBFT_SIGNATURE_SIZE);
        replica += 1 + count_up_to(random, 3);
    }
    return count;
}

static struct pbft_attestation attestation(struct support_random *random)
{
    struct pbft_attestation fields = {.seq = number(random),
                                      .block_time = number(random)};
    digest(random, &fields.block_digest);
    digest(random, &fields.results_root);
    digest(random, &fields.ledger_root);
    return fields;
}

static struct pbft_message *stable(struct support_random *random,
                                   const struct pbft_origin *origin,
                                   const struct random_shape *shape)
{
    struct pbft_vote list[PBFT_REPLICAS_MAX];
    uint32_t count = votes(random, shape, list);
    struct pbft_attestation fields = attestation(random);
    return must(pbft_stable_create(origin->sender, origin->epoch, &fields, list,
                                   count));
}

static struct pbft_origin some_origin(struct support_random *random,
                                      pbft_epoch epoch)
{
    struct pbft_origin origin = {
        .sender = (pbft_replica_id)support_random_below(random, 200),
        .incarnation = number(random),
        .epoch = epoch,
    };
    support_random_fill(random, &origin.signature, sizeof origin.signature);
    return origin;
}

static struct pbft_message *certificate(struct support_random *random,
                                        const struct pbft_domain *domain,
                                        enum pbft_message_type type,
                                        const struct pbft_origin *origin,
                                        const struct random_shape *shape)
{
    struct pbft_vote list[PBFT_REPLICAS_MAX];
    struct pbft_origin primary = some_origin(random, origin->epoch);
    struct pbft_message *of =
        pre_prepare(random, domain, &primary, origin, shape);
    uint32_t count = votes(random, shape, list);
    struct pbft_message *message = must(pbft_certificate_create(
        type, origin->sender, origin->epoch, of, list, count));
    pbft_message_unref(of);
    return message;
}

static struct pbft_message *prepared_at(struct support_random *random,
                                        const struct pbft_origin *origin,
                                        pbft_seq seq,
                                        const struct random_shape *shape)
{
    struct pbft_vote list[PBFT_REPLICAS_MAX];
    struct pbft_origin primary = some_origin(random, origin->epoch);
    struct pbft_message *of = header(random, &primary, seq, NULL);
    uint32_t count = votes(random, shape, list);
    struct pbft_message *message = must(pbft_certificate_create(
        PBFT_MESSAGE_PREPARED, origin->sender, origin->epoch, of, list, count));
    pbft_message_unref(of);
    return message;
}

static struct pbft_message *view_change(struct support_random *random,
                                        const struct pbft_domain *domain,
                                        const struct pbft_origin *origin,
                                        const struct random_shape *shape)
{
    static const struct pbft_message *prepared[LIST_MAX];
    struct pbft_message *base = stable(random, origin, shape);
    uint32_t count = count_up_to(random, shape->certificates_max);
    pbft_seq seq = 1 + (number(random) >> 1);
    for (uint32_t i = 0; i < count; i++) {
        prepared[i] = prepared_at(random, origin, seq, shape);
        seq += 1 + count_up_to(random, 2);
    }
    struct pbft_message *message = must(pbft_view_change_create(
        domain, origin, number(random), base, prepared, count));
    for (uint32_t i = 0; i < count; i++) {
        pbft_message_unref(prepared[i]);
    }
    pbft_message_unref(base);
    return message;
}

static struct pbft_message *new_view(struct support_random *random,
                                     const struct pbft_origin *origin,
                                     const struct random_shape *shape)
{
    static const struct pbft_message *headers[LIST_MAX];
    struct pbft_new_view_source sources[PBFT_REPLICAS_MAX];
    uint32_t source_count = count_up_to(random, shape->votes_max);
    uint32_t count = count_up_to(random, shape->certificates_max);
    for (uint32_t i = 0; i < source_count; i++) {
        sources[i].replica = i;
        digest(random, &sources[i].digest);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pbft_origin signer = *origin;
        support_random_fill(random, &signer.signature, PBFT_SIGNATURE_SIZE);
        headers[i] = header(random, &signer, i + 1, NULL);
    }
    struct pbft_message *message = must(pbft_new_view_create(
        origin, number(random), sources, source_count, headers, count));
    for (uint32_t i = 0; i < count; i++) {
        pbft_message_unref(headers[i]);
    }
    return message;
}

static struct pbft_message *status(struct support_random *random,
                                   const struct pbft_origin *origin)
{
    uint64_t bits[PBFT_STATUS_WORDS_MAX];
    const struct pbft_status_report fields = {
        .view = number(random),
        .view_active = support_random_below(random, 2) == 0,
        .stable = number(random),
        .executed = number(random),
        .committed_above = number(random),
        .attested = number(random),
        .version_min = (uint32_t)number(random),
        .version_max = (uint32_t)number(random),
        .reply_wanted = support_random_below(random, 2) == 0,
        .question = number(random),
        .prepared_bits = bits,
        .prepared_words = count_up_to(random, PBFT_STATUS_WORDS_MAX),
    };
    for (uint32_t i = 0; i < fields.prepared_words; i++) {
        bits[i] = support_random_next(random);
    }
    return must(pbft_status_create(origin, &fields));
}

static struct pbft_message *fetch(struct support_random *random,
                                  const struct pbft_origin *origin)
{
    struct pbft_fetch fields = {
        .kind = (enum pbft_fetch_kind)(1 + support_random_below(random, 5)),
        .seq = number(random),
        .last = number(random),
    };
    if (fields.kind == PBFT_FETCH_BODY ||
        fields.kind == PBFT_FETCH_VIEW_CHANGE) {
        digest(random, &fields.digest);
    }
    return must(pbft_fetch_create(origin, &fields));
}

static struct pbft_message *vote(struct support_random *random,
                                 enum pbft_message_type type,
                                 const struct pbft_origin *origin)
{
    struct pbft_prepare fields = {.view = number(random),
                                  .seq = number(random)};
    digest(random, &fields.digest);
    return must(pbft_vote_create(type, origin, &fields));
}

/* Two statements about one place by one signer. */
static struct pbft_message *evidence(struct support_random *random,
                                     const struct pbft_domain *domain,
                                     const struct pbft_origin *origin)
{
    struct pbft_statement statements[2];
    const struct pbft_origin signer = some_origin(random, origin->epoch);
    struct pbft_prepare fields = {.view = number(random),
                                  .seq = number(random)};
    for (size_t i = 0; i < 2; i++) {
        digest(random, &fields.digest);
        fields.digest.bytes[0] = (uint8_t)i;
        struct pbft_message *vote =
            must(pbft_vote_create(PBFT_MESSAGE_PREPARE, &signer, &fields));
        pbft_statement_of(domain, vote, &statements[i]);
        pbft_message_unref(vote);
    }
    return must(
        pbft_evidence_create(origin->sender, &statements[0], &statements[1]));
}

static struct pbft_message *of_type(struct support_random *random,
                                    const struct pbft_domain *domain,
                                    enum pbft_message_type type,
                                    const struct pbft_origin *origin,
                                    const struct random_shape *shape)
{
    struct pbft_attestation fields;
    switch (type) {
    case PBFT_MESSAGE_REQUEST:
        return request(random, domain, origin, shape);
    case PBFT_MESSAGE_PRE_PREPARE:
        return pre_prepare(random, domain, origin, origin, shape);
    case PBFT_MESSAGE_PREPARE:
    case PBFT_MESSAGE_COMMIT:
        return vote(random, type, origin);
    case PBFT_MESSAGE_ATTESTATION:
        fields = attestation(random);
        return must(pbft_attestation_create(origin, &fields));
    case PBFT_MESSAGE_VIEW_CHANGE:
        return view_change(random, domain, origin, shape);
    case PBFT_MESSAGE_NEW_VIEW:
        return new_view(random, origin, shape);
    case PBFT_MESSAGE_STATUS:
        return status(random, origin);
    case PBFT_MESSAGE_FETCH:
        return fetch(random, origin);
    case PBFT_MESSAGE_BATCH:
        return batch(random, domain, origin, shape);
    case PBFT_MESSAGE_PREPARED:
    case PBFT_MESSAGE_COMMITTED:
        return certificate(random, domain, type, origin, shape);
    case PBFT_MESSAGE_STABLE:
        return stable(random, origin, shape);
    case PBFT_MESSAGE_EVIDENCE:
        return evidence(random, domain, origin);
    }
    return NULL;
}

struct pbft_message *random_message(struct support_random *random,
                                    const struct pbft_domain *domain,
                                    enum pbft_message_type type,
                                    const struct random_shape *shape)
{
    struct pbft_origin origin = some_origin(random, number(random));
    struct pbft_message *message =
        of_type(random, domain, type, &origin, shape);
    must(message)->epoch = origin.epoch;
    return message;
}
