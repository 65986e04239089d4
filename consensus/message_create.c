/* SPDX-License-Identifier: Apache-2.0 */
/* The constructors. All sizes were compared with the limits of types.h by
 * whoever decoded the input; here they are asserted. */
#include "consensus/message.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/message_box.h"
#include "consensus/preimage.h"

static struct message_box *signed_box(enum pbft_message_type type,
                                      const struct pbft_origin *origin,
                                      size_t tail)
{
    struct message_box *box = message_box_create(tail);
    if (box != NULL) {
        box->message.type = type;
        box->message.sender = origin->sender;
        box->message.incarnation = origin->incarnation;
        box->message.epoch = origin->epoch;
        box->message.signature = origin->signature;
    }
    return box;
}

/* References `messages` in an array that begins at `tail`. */
static const struct pbft_message *const *
keep_children(struct message_box *box, void *tail,
              const struct pbft_message *const *messages, uint32_t count)
{
    const struct pbft_message **children = tail;
    for (uint32_t i = 0; i < count; i++) {
        children[i] = pbft_message_ref(messages[i]);
        box->memory += pbft_message_memory(messages[i]);
    }
    box->children = children;
    box->child_count = count;
    return children;
}

static void keep_child(struct message_box *box,
                       const struct pbft_message *child)
{
    if (child != NULL) {
        box->child = pbft_message_ref(child);
        box->memory += pbft_message_memory(child);
    }
}

/* Votes without the padding of the caller's structs: messages hold no
 * uninitialised byte. */
static const struct pbft_vote *keep_votes(struct message_box *box,
                                          const struct pbft_vote *votes,
                                          uint32_t count)
{
    struct pbft_vote *copy = message_box_tail(box);
    for (uint32_t i = 0; i < count; i++) {
        copy[i].replica = votes[i].replica;
        copy[i].incarnation = votes[i].incarnation;
        copy[i].signature = votes[i].signature;
    }
    return copy;
}

static bool is_inside(struct pbft_bytes inner, struct pbft_bytes outer)
{
    uintptr_t begin = (uintptr_t)outer.data;
    uintptr_t at = (uintptr_t)inner.data;
    return inner.size == 0 || (at >= begin && inner.size <= outer.size &&
                               at - begin <= outer.size - inner.size);
}

struct pbft_message *pbft_request_create(const struct pbft_domain *domain,
                                         const struct pbft_request *fields,
                                         pbft_replica_id relay,
                                         struct pbft_buffer *backing)
{
    size_t size = fields->payload.size;
    PBFT_ASSERT(size <= PBFT_REQUEST_BYTES_MAX);
    PBFT_ASSERT(backing == NULL ||
                is_inside(fields->payload, pbft_buffer_bytes(backing)));
    struct message_box *box = message_box_create(backing == NULL ? size : 0);
    if (box == NULL) {
        return NULL;
    }
    struct pbft_message *message = &box->message;
    message->type = PBFT_MESSAGE_REQUEST;
    message->sender = relay;
    message->request = *fields;
    if (backing != NULL) {
        box->backing = pbft_buffer_ref(backing);
        box->memory += size;
    } else if (size > 0) {
        memcpy(message_box_tail(box), fields->payload.data, size);
        message->request.payload.data = message_box_tail(box);
    }
    pbft_request_hash_payload(domain, &message->request);
    pbft_request_digest(domain, &message->request, &message->request.digest);
    return message;
}

/* The digests side by side, as the batch digest wants them. */
static bool digest_batch(const struct pbft_domain *domain,
                         struct pbft_batch *batch)
{
    uint8_t *digests = NULL;
    if (batch->request_count > 0) {
        digests = malloc((size_t)batch->request_count * PBFT_DIGEST_SIZE);
        if (digests == NULL) {
            return false;
        }
    }
    for (uint32_t i = 0; i < batch->request_count; i++) {
        memcpy(digests + (size_t)i * PBFT_DIGEST_SIZE,
               batch->requests[i]->request.digest.bytes, PBFT_DIGEST_SIZE);
    }
    pbft_batch_digest(domain, batch->time, batch->request_count, digests,
                      &batch->digest);
    free(digests);
    return true;
}

struct pbft_message *
pbft_batch_create(const struct pbft_domain *domain, pbft_wall_us time,
                  const struct pbft_message *const *requests,
                  uint32_t request_count)
{
    PBFT_ASSERT(request_count <= PBFT_BATCH_REQUESTS_MAX);
    struct message_box *box =
        message_box_create(request_count * sizeof requests[0]);
    if (box == NULL) {
        return NULL;
    }
    struct pbft_message *message = &box->message;
    struct pbft_batch *batch = &message->batch;
    message->type = PBFT_MESSAGE_BATCH;
    message->sender = PBFT_SENDER_CLIENT;
    batch->time = time;
    batch->request_count = request_count;
    batch->requests =
        keep_children(box, message_box_tail(box), requests, request_count);
    for (uint32_t i = 0; i < request_count; i++) {
        PBFT_ASSERT(requests[i]->type == PBFT_MESSAGE_REQUEST);
        batch->bytes += requests[i]->request.payload.size;
    }
    if (!digest_batch(domain, batch)) {
        pbft_message_unref(message);
        return NULL;
    }
    return message;
}

struct pbft_message *pbft_pre_prepare_create(const struct pbft_origin *origin,
                                             pbft_view view, pbft_seq seq,
                                             const struct pbft_digest *digest,
                                             const struct pbft_message *body)
{
    PBFT_ASSERT(body == NULL || body->type == PBFT_MESSAGE_BATCH);
    struct message_box *box = signed_box(PBFT_MESSAGE_PRE_PREPARE, origin, 0);
    if (box == NULL) {
        return NULL;
    }
    keep_child(box, body);
    box->message.pre_prepare.view = view;
    box->message.pre_prepare.seq = seq;
    box->message.pre_prepare.digest = *digest;
    box->message.pre_prepare.body = body;
    return &box->message;
}

struct pbft_message *
pbft_pre_prepare_with_body(const struct pbft_message *pre_prepare,
                           const struct pbft_message *body)
{
    PBFT_ASSERT(pre_prepare->type == PBFT_MESSAGE_PRE_PREPARE);
    const struct pbft_origin origin = {
        .sender = pre_prepare->sender,
        .incarnation = pre_prepare->incarnation,
        .epoch = pre_prepare->epoch,
        .signature = pre_prepare->signature,
    };
    const struct pbft_pre_prepare *fields = &pre_prepare->pre_prepare;
    return pbft_pre_prepare_create(&origin, fields->view, fields->seq,
                                   &fields->digest, body);
}

struct pbft_message *pbft_vote_create(enum pbft_message_type type,
                                      const struct pbft_origin *origin,
                                      const struct pbft_prepare *fields)
{
    PBFT_ASSERT(type == PBFT_MESSAGE_PREPARE || type == PBFT_MESSAGE_COMMIT);
    struct message_box *box = signed_box(type, origin, 0);
    if (box == NULL) {
        return NULL;
    }
    if (type == PBFT_MESSAGE_PREPARE) {
        box->message.prepare = *fields;
    } else {
        box->message.commit = *fields;
    }
    return &box->message;
}

struct pbft_message *
pbft_attestation_create(const struct pbft_origin *origin,
                        const struct pbft_attestation *fields)
{
    struct message_box *box = signed_box(PBFT_MESSAGE_ATTESTATION, origin, 0);
    if (box == NULL) {
        return NULL;
    }
    box->message.attestation = *fields;
    return &box->message;
}

struct pbft_message *pbft_stable_create(pbft_replica_id sender,
                                        pbft_epoch epoch,
                                        const struct pbft_attestation *fields,
                                        const struct pbft_vote *votes,
                                        uint32_t vote_count)
{
    PBFT_ASSERT(vote_count <= PBFT_REPLICAS_MAX);
    const struct pbft_origin origin = {.sender = sender, .epoch = epoch};
    struct message_box *box =
        signed_box(PBFT_MESSAGE_STABLE, &origin, vote_count * sizeof votes[0]);
    if (box == NULL) {
        return NULL;
    }
    box->message.stable.attestation = *fields;
    box->message.stable.vote_count = vote_count;
    box->message.stable.votes = keep_votes(box, votes, vote_count);
    return &box->message;
}

struct pbft_message *
pbft_certificate_create(enum pbft_message_type type, pbft_replica_id sender,
                        pbft_epoch epoch,
                        const struct pbft_message *pre_prepare,
                        const struct pbft_vote *votes, uint32_t vote_count)
{
    PBFT_ASSERT(type == PBFT_MESSAGE_PREPARED ||
                type == PBFT_MESSAGE_COMMITTED);
    PBFT_ASSERT(pre_prepare->type == PBFT_MESSAGE_PRE_PREPARE);
    PBFT_ASSERT(vote_count <= PBFT_REPLICAS_MAX);
    const struct pbft_origin origin = {.sender = sender, .epoch = epoch};
    struct message_box *box =
        signed_box(type, &origin, vote_count * sizeof votes[0]);
    if (box == NULL) {
        return NULL;
    }
    keep_child(box, pre_prepare);
    const struct pbft_vote *copy = keep_votes(box, votes, vote_count);
    if (type == PBFT_MESSAGE_PREPARED) {
        box->message.prepared =
            (struct pbft_prepared){pre_prepare, vote_count, copy};
    } else {
        box->message.committed =
            (struct pbft_committed){pre_prepare, vote_count, copy};
    }
    return &box->message;
}

struct pbft_message *pbft_view_change_create(
    const struct pbft_domain *domain, const struct pbft_origin *origin,
    pbft_view view, const struct pbft_message *stable,
    const struct pbft_message *const *prepared, uint32_t prepared_count)
{
    PBFT_ASSERT(stable->type == PBFT_MESSAGE_STABLE);
    PBFT_ASSERT(prepared_count <= PBFT_WINDOW_MAX);
    struct message_box *box = signed_box(PBFT_MESSAGE_VIEW_CHANGE, origin,
                                         prepared_count * sizeof prepared[0]);
    if (box == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < prepared_count; i++) {
        PBFT_ASSERT(prepared[i]->type == PBFT_MESSAGE_PREPARED);
    }
    keep_child(box, stable);
    struct pbft_view_change *fields = &box->message.view_change;
    fields->view = view;
    fields->stable = stable;
    fields->prepared_count = prepared_count;
    fields->prepared =
        keep_children(box, message_box_tail(box), prepared, prepared_count);
    pbft_view_change_digest(domain, &box->message, &fields->digest);
    return &box->message;
}

struct pbft_message *pbft_new_view_create(
    const struct pbft_origin *origin, pbft_view view,
    const struct pbft_new_view_source *view_changes, uint32_t view_change_count,
    const struct pbft_message *const *pre_prepares, uint32_t pre_prepare_count)
{
    PBFT_ASSERT(view_change_count <= PBFT_REPLICAS_MAX);
    PBFT_ASSERT(pre_prepare_count <= PBFT_WINDOW_MAX);
    /* The pointers first: they need the stricter alignment. */
    size_t pointers = pre_prepare_count * sizeof pre_prepares[0];
    size_t sources = view_change_count * sizeof view_changes[0];
    struct message_box *box =
        signed_box(PBFT_MESSAGE_NEW_VIEW, origin, pointers + sources);
    if (box == NULL) {
        return NULL;
    }
    uint8_t *tail = message_box_tail(box);
    struct pbft_new_view *fields = &box->message.new_view;
    fields->view = view;
    fields->pre_prepare_count = pre_prepare_count;
    fields->pre_prepares =
        keep_children(box, tail, pre_prepares, pre_prepare_count);
    fields->view_change_count = view_change_count;
    if (sources > 0) {
        memcpy(tail + pointers, view_changes, sources);
    }
    fields->view_changes = (const void *)(tail + pointers);
    return &box->message;
}

struct pbft_message *pbft_status_create(const struct pbft_origin *origin,
                                        const struct pbft_status_report *fields)
{
    PBFT_ASSERT(fields->prepared_words <= PBFT_STATUS_WORDS_MAX);
    const size_t size = fields->prepared_words * sizeof(uint64_t);
    struct message_box *box = signed_box(PBFT_MESSAGE_STATUS, origin, size);
    if (box == NULL) {
        return NULL;
    }
    uint64_t *bits = message_box_tail(box);
    if (size > 0) {
        memcpy(bits, fields->prepared_bits, size);
    }
    box->message.status = *fields;
    box->message.status.prepared_bits = bits;
    return &box->message;
}

struct pbft_message *pbft_fetch_create(const struct pbft_origin *origin,
                                       const struct pbft_fetch *fields)
{
    struct message_box *box = signed_box(PBFT_MESSAGE_FETCH, origin, 0);
    if (box == NULL) {
        return NULL;
    }
    box->message.fetch = *fields;
    return &box->message;
}
