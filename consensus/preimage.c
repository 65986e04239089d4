/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the canonical bytes. docs/wire.md lists the offsets. */
#include "consensus/preimage.h"

#include "consensus/preimage_put.h"

static_assert(PBFT_TAG_SIZE + 2 * PBFT_DIGEST_SIZE + PBFT_WINDOW_MAX / 8 +
                      128 <=
                  PBFT_PREIMAGE_MAX,
              "a status with a full bit field must fit");

/* Tag, cluster, version: what binds the bytes to one kind in one cluster. */
static void begin(struct pbft_preimage *out, const struct pbft_domain *domain,
                  const char *tag)
{
    out->size = 0;
    pbft_preimage_put_tag(out, tag);
    pbft_preimage_put_digest(out, &domain->cluster);
    pbft_preimage_put_u32(out, PBFT_PROTOCOL_VERSION);
}

static void begin_signed(struct pbft_preimage *out,
                         const struct pbft_domain *domain, const char *tag,
                         const struct pbft_origin *origin)
{
    begin(out, domain, tag);
    pbft_preimage_put_u64(out, origin->epoch);
    pbft_preimage_put_u32(out, origin->sender);
    pbft_preimage_put_u64(out, origin->incarnation);
}

static void put_slot_fields(struct pbft_preimage *out,
                            const struct pbft_prepare *fields)
{
    pbft_preimage_put_u64(out, fields->view);
    pbft_preimage_put_u64(out, fields->seq);
    pbft_preimage_put_digest(out, &fields->digest);
}

static void put_status(struct pbft_preimage *out,
                       const struct pbft_status_report *fields)
{
    pbft_preimage_put_u64(out, fields->view);
    pbft_preimage_put_u8(out, fields->view_active);
    pbft_preimage_put_u64(out, fields->stable);
    pbft_preimage_put_u64(out, fields->executed);
    pbft_preimage_put_u64(out, fields->committed_above);
    pbft_preimage_put_u64(out, fields->attested);
    pbft_preimage_put_u32(out, fields->version_min);
    pbft_preimage_put_u32(out, fields->version_max);
    pbft_preimage_put_u8(out, fields->reply_wanted);
    pbft_preimage_put_u64(out, fields->question);
    pbft_preimage_put_u32(out, fields->prepared_words);
    PBFT_ASSERT(fields->prepared_words <= PBFT_STATUS_WORDS_MAX);
    for (uint32_t i = 0; i < fields->prepared_words; i++) {
        pbft_preimage_put_u64(out, fields->prepared_bits[i]);
    }
}

static void put_fetch(struct pbft_preimage *out,
                      const struct pbft_fetch *fields)
{
    pbft_preimage_put_u32(out, (uint32_t)fields->kind);
    pbft_preimage_put_u64(out, fields->seq);
    pbft_preimage_put_u64(out, fields->last);
    pbft_preimage_put_digest(out, &fields->digest);
}

void pbft_request_hash_payload(const struct pbft_domain *domain,
                               struct pbft_request *request)
{
    domain->crypto->digest(domain->crypto->context, &request->payload_digest,
                           &request->payload, 1);
}

void pbft_request_preimage(const struct pbft_domain *domain,
                           const struct pbft_request *request,
                           struct pbft_preimage *out)
{
    begin(out, domain, "salus/request/1");
    pbft_preimage_put(out, request->client.bytes, PBFT_PUBLIC_KEY_SIZE);
    pbft_preimage_put(out, request->institution.bytes, PBFT_INSTITUTION_SIZE);
    pbft_preimage_put_u64(out, request->session);
    pbft_preimage_put_u64(out, request->sequence);
    pbft_preimage_put_u8(out, (uint8_t)request->lane);
    pbft_preimage_put_u64(out, request->payload.size);
    pbft_preimage_put_digest(out, &request->payload_digest);
}

void pbft_request_digest(const struct pbft_domain *domain,
                         const struct pbft_request *request,
                         struct pbft_digest *out)
{
    static const uint8_t tag[PBFT_TAG_SIZE] = "salus/reqdig/1";
    struct pbft_preimage preimage;
    pbft_request_preimage(domain, request, &preimage);
    const struct pbft_bytes parts[] = {
        {tag, sizeof tag},
        {preimage.bytes, preimage.size},
        {request->signature.bytes, PBFT_SIGNATURE_SIZE},
    };
    domain->crypto->digest(domain->crypto->context, out, parts, 3);
}

void pbft_batch_digest(const struct pbft_domain *domain, pbft_wall_us time,
                       uint32_t request_count, const uint8_t *digests,
                       struct pbft_digest *out)
{
    struct pbft_preimage head;
    head.size = 0;
    pbft_preimage_put_tag(&head, "salus/batch/1");
    pbft_preimage_put_digest(&head, &domain->cluster);
    pbft_preimage_put_u64(&head, time);
    pbft_preimage_put_u32(&head, request_count);
    const struct pbft_bytes parts[] = {
        {head.bytes, head.size},
        {digests, (size_t)request_count * PBFT_DIGEST_SIZE},
    };
    domain->crypto->digest(domain->crypto->context, out, parts, 2);
}

void pbft_null_digest(const struct pbft_domain *domain, struct pbft_digest *out)
{
    pbft_batch_digest(domain, 0, 0, NULL, out);
}

static void slot_preimage(const struct pbft_domain *domain, const char *tag,
                          const struct pbft_origin *origin,
                          const struct pbft_prepare *fields,
                          struct pbft_preimage *out)
{
    begin_signed(out, domain, tag, origin);
    put_slot_fields(out, fields);
}

void pbft_prepare_preimage(const struct pbft_domain *domain, pbft_epoch epoch,
                           pbft_replica_id signer, uint64_t incarnation,
                           const struct pbft_prepare *fields,
                           struct pbft_preimage *out)
{
    const struct pbft_origin origin = {
        .sender = signer, .incarnation = incarnation, .epoch = epoch};
    slot_preimage(domain, "salus/prepare/1", &origin, fields, out);
}

void pbft_commit_preimage(const struct pbft_domain *domain, pbft_epoch epoch,
                          pbft_replica_id signer, uint64_t incarnation,
                          const struct pbft_prepare *fields,
                          struct pbft_preimage *out)
{
    const struct pbft_origin origin = {
        .sender = signer, .incarnation = incarnation, .epoch = epoch};
    slot_preimage(domain, "salus/commit/1", &origin, fields, out);
}

void pbft_attestation_preimage(const struct pbft_domain *domain,
                               pbft_epoch epoch, pbft_replica_id signer,
                               uint64_t incarnation,
                               const struct pbft_attestation *fields,
                               struct pbft_preimage *out)
{
    const struct pbft_origin origin = {
        .sender = signer, .incarnation = incarnation, .epoch = epoch};
    begin_signed(out, domain, "salus/attest/1", &origin);
    pbft_preimage_put_attestation(out, fields);
}

void pbft_answered_preimage(const struct pbft_domain *domain, pbft_epoch epoch,
                            pbft_replica_id signer, uint64_t incarnation,
                            const struct pbft_answered *fields,
                            struct pbft_preimage *out)
{
    const struct pbft_origin origin = {
        .sender = signer, .incarnation = incarnation, .epoch = epoch};
    begin_signed(out, domain, "salus/answer/1", &origin);
    pbft_preimage_put_u64(out, fields->seq);
    pbft_preimage_put_u64(out, fields->block_time);
    pbft_preimage_put_digest(out, &fields->ledger_root);
    pbft_preimage_put(out, fields->caller.bytes, sizeof fields->caller.bytes);
    pbft_preimage_put_digest(out, &fields->query);
    pbft_preimage_put_digest(out, &fields->answer);
}

void pbft_message_preimage(const struct pbft_domain *domain,
                           const struct pbft_message *message,
                           struct pbft_preimage *out)
{
    const struct pbft_origin origin = {.sender = message->sender,
                                       .incarnation = message->incarnation,
                                       .epoch = message->epoch};
    switch (message->type) {
    case PBFT_MESSAGE_PRE_PREPARE: {
        const struct pbft_prepare fields = {message->pre_prepare.view,
                                            message->pre_prepare.seq,
                                            message->pre_prepare.digest};
        slot_preimage(domain, "salus/prepprep/1", &origin, &fields, out);
        return;
    }
    case PBFT_MESSAGE_PREPARE:
        slot_preimage(domain, "salus/prepare/1", &origin, &message->prepare,
                      out);
        return;
    case PBFT_MESSAGE_COMMIT:
        slot_preimage(domain, "salus/commit/1", &origin, &message->commit, out);
        return;
    case PBFT_MESSAGE_ATTESTATION:
        begin_signed(out, domain, "salus/attest/1", &origin);
        pbft_preimage_put_attestation(out, &message->attestation);
        return;
    case PBFT_MESSAGE_VIEW_CHANGE:
        begin_signed(out, domain, "salus/viewchg/1", &origin);
        pbft_preimage_put_view_change(out, domain, &message->view_change);
        return;
    case PBFT_MESSAGE_NEW_VIEW:
        begin_signed(out, domain, "salus/newview/1", &origin);
        pbft_preimage_put_new_view(out, domain, &message->new_view);
        return;
    case PBFT_MESSAGE_STATUS:
        begin_signed(out, domain, "salus/status/1", &origin);
        put_status(out, &message->status);
        return;
    case PBFT_MESSAGE_FETCH:
        begin_signed(out, domain, "salus/fetch/1", &origin);
        put_fetch(out, &message->fetch);
        return;
    case PBFT_MESSAGE_REQUEST:
    case PBFT_MESSAGE_BATCH:
    case PBFT_MESSAGE_PREPARED:
    case PBFT_MESSAGE_COMMITTED:
    case PBFT_MESSAGE_STABLE:
    case PBFT_MESSAGE_EVIDENCE:
        break;
    }
    bool is_signed_type = false;
    PBFT_ASSERT(is_signed_type);
}

void pbft_view_change_digest(const struct pbft_domain *domain,
                             const struct pbft_message *message,
                             struct pbft_digest *out)
{
    static const uint8_t tag[PBFT_TAG_SIZE] = "salus/vcdig/1";
    PBFT_ASSERT(message->type == PBFT_MESSAGE_VIEW_CHANGE);
    struct pbft_preimage preimage;
    pbft_message_preimage(domain, message, &preimage);
    const struct pbft_bytes parts[] = {
        {tag, sizeof tag},
        {preimage.bytes, preimage.size},
        {message->signature.bytes, PBFT_SIGNATURE_SIZE},
    };
    domain->crypto->digest(domain->crypto->context, out, parts, 3);
}

void pbft_message_sign(const struct pbft_domain *domain,
                       struct pbft_message *message)
{
    const struct pbft_crypto *crypto = domain->crypto;
    struct pbft_preimage preimage;
    if (message->type == PBFT_MESSAGE_REQUEST) {
        struct pbft_request *request = &message->request;
        pbft_request_preimage(domain, request, &preimage);
        crypto->sign(crypto->context, &request->signature,
                     (struct pbft_bytes){preimage.bytes, preimage.size});
        pbft_request_digest(domain, request, &request->digest);
        return;
    }
    pbft_message_preimage(domain, message, &preimage);
    crypto->sign(crypto->context, &message->signature,
                 (struct pbft_bytes){preimage.bytes, preimage.size});
    if (message->type == PBFT_MESSAGE_VIEW_CHANGE) {
        pbft_view_change_digest(domain, message, &message->view_change.digest);
    }
}
