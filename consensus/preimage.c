/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the canonical bytes. docs/wire.md lists the offsets. */
#include "consensus/preimage.h"

#include <string.h>

#include "consensus/assert.h"
#include "consensus/bytes.h"

#define TAG_SIZE 16
/* replica u32, incarnation u64, signature: one vote inside a certificate. */
#define VOTE_BYTES (PBFT_U32_SIZE + PBFT_U64_SIZE + PBFT_SIGNATURE_SIZE)

static_assert(TAG_SIZE + 2 * PBFT_DIGEST_SIZE + PBFT_WINDOW_MAX / 8 + 128 <=
                  PBFT_PREIMAGE_MAX,
              "a status with a full bit field must fit");

static void put(struct pbft_preimage *out, const void *data, size_t size)
{
    PBFT_ASSERT(size <= PBFT_PREIMAGE_MAX - out->size);
    memcpy(out->bytes + out->size, data, size);
    out->size += size;
}

static void put_tag(struct pbft_preimage *out, const char *tag)
{
    size_t length = strlen(tag);
    PBFT_ASSERT(length <= TAG_SIZE);
    PBFT_ASSERT(TAG_SIZE <= PBFT_PREIMAGE_MAX - out->size);
    memset(out->bytes + out->size, 0, TAG_SIZE);
    memcpy(out->bytes + out->size, tag, length);
    out->size += TAG_SIZE;
}

static void put_u8(struct pbft_preimage *out, uint8_t value)
{
    put(out, &value, 1);
}

static void put_u32(struct pbft_preimage *out, uint32_t value)
{
    PBFT_ASSERT(PBFT_U32_SIZE <= PBFT_PREIMAGE_MAX - out->size);
    pbft_put_u32(out->bytes + out->size, value);
    out->size += PBFT_U32_SIZE;
}

static void put_u64(struct pbft_preimage *out, uint64_t value)
{
    PBFT_ASSERT(PBFT_U64_SIZE <= PBFT_PREIMAGE_MAX - out->size);
    pbft_put_u64(out->bytes + out->size, value);
    out->size += PBFT_U64_SIZE;
}

static void put_digest(struct pbft_preimage *out,
                       const struct pbft_digest *digest)
{
    put(out, digest->bytes, PBFT_DIGEST_SIZE);
}

/* Tag, cluster, version: what binds the bytes to one kind in one cluster. */
static void begin(struct pbft_preimage *out, const struct pbft_domain *domain,
                  const char *tag)
{
    out->size = 0;
    put_tag(out, tag);
    put_digest(out, &domain->cluster);
    put_u32(out, PBFT_PROTOCOL_VERSION);
}

static void begin_signed(struct pbft_preimage *out,
                         const struct pbft_domain *domain, const char *tag,
                         const struct pbft_origin *origin)
{
    begin(out, domain, tag);
    put_u64(out, origin->epoch);
    put_u32(out, origin->sender);
    put_u64(out, origin->incarnation);
}

static void digest_of(const struct pbft_domain *domain,
                      const struct pbft_preimage *preimage,
                      struct pbft_digest *out)
{
    const struct pbft_bytes part = {preimage->bytes, preimage->size};
    domain->crypto->digest(domain->crypto->context, out, &part, 1);
}

/* Lists are digested link by link, so that no list needs a copy:
 * link = digest(tag | previous link | item). */
static void extend_chain(const struct pbft_domain *domain,
                         struct pbft_digest *chain, const uint8_t *item,
                         size_t item_size)
{
    static const uint8_t tag[TAG_SIZE] = "salus/chain/1";
    const struct pbft_bytes parts[] = {
        {tag, sizeof tag},
        {chain->bytes, sizeof chain->bytes},
        {item, item_size},
    };
    domain->crypto->digest(domain->crypto->context, chain, parts, 3);
}

static void chain_votes(const struct pbft_domain *domain,
                        struct pbft_digest *chain,
                        const struct pbft_vote *votes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t item[VOTE_BYTES];
        pbft_put_u32(item, votes[i].replica);
        pbft_put_u64(item + PBFT_U32_SIZE, votes[i].incarnation);
        memcpy(item + PBFT_U32_SIZE + PBFT_U64_SIZE, votes[i].signature.bytes,
               PBFT_SIGNATURE_SIZE);
        extend_chain(domain, chain, item, sizeof item);
    }
}

static void put_attestation(struct pbft_preimage *out,
                            const struct pbft_attestation *fields)
{
    put_u64(out, fields->seq);
    put_u64(out, fields->block_time);
    put_digest(out, &fields->block_digest);
    put_digest(out, &fields->results_root);
    put_digest(out, &fields->ledger_root);
}

static void stable_digest(const struct pbft_domain *domain,
                          const struct pbft_message *message,
                          struct pbft_digest *out)
{
    const struct pbft_stable *stable = &message->stable;
    struct pbft_preimage content = {.size = 0};
    struct pbft_digest votes = {{0}};
    chain_votes(domain, &votes, stable->votes, stable->vote_count);
    put_tag(&content, "salus/stable/1");
    put_u64(&content, message->epoch);
    put_attestation(&content, &stable->attestation);
    put_u32(&content, stable->vote_count);
    put_digest(&content, &votes);
    digest_of(domain, &content, out);
}

static void put_header(struct pbft_preimage *out,
                       const struct pbft_message *pre_prepare)
{
    put_u64(out, pre_prepare->epoch);
    put_u32(out, pre_prepare->sender);
    put_u64(out, pre_prepare->incarnation);
    put_u64(out, pre_prepare->pre_prepare.view);
    put_u64(out, pre_prepare->pre_prepare.seq);
    put_digest(out, &pre_prepare->pre_prepare.digest);
    put(out, pre_prepare->signature.bytes, PBFT_SIGNATURE_SIZE);
}

static void chain_prepared(const struct pbft_domain *domain,
                           struct pbft_digest *chain,
                           const struct pbft_message *message)
{
    const struct pbft_prepared *prepared = &message->prepared;
    struct pbft_preimage content = {.size = 0};
    struct pbft_digest votes = {{0}};
    chain_votes(domain, &votes, prepared->votes, prepared->vote_count);
    put_u64(&content, message->epoch);
    put_header(&content, prepared->pre_prepare);
    put_u32(&content, prepared->vote_count);
    put_digest(&content, &votes);
    extend_chain(domain, chain, content.bytes, content.size);
}

static void put_slot_fields(struct pbft_preimage *out,
                            const struct pbft_prepare *fields)
{
    put_u64(out, fields->view);
    put_u64(out, fields->seq);
    put_digest(out, &fields->digest);
}

static void put_view_change(struct pbft_preimage *out,
                            const struct pbft_domain *domain,
                            const struct pbft_view_change *fields)
{
    struct pbft_digest stable;
    struct pbft_digest prepared = {{0}};
    stable_digest(domain, fields->stable, &stable);
    for (uint32_t i = 0; i < fields->prepared_count; i++) {
        chain_prepared(domain, &prepared, fields->prepared[i]);
    }
    put_u64(out, fields->view);
    put_u64(out, fields->stable->stable.attestation.seq);
    put_digest(out, &stable);
    put_u32(out, fields->prepared_count);
    put_digest(out, &prepared);
}

static void put_new_view(struct pbft_preimage *out,
                         const struct pbft_domain *domain,
                         const struct pbft_new_view *fields)
{
    struct pbft_digest sources = {{0}};
    struct pbft_digest headers = {{0}};
    for (uint32_t i = 0; i < fields->view_change_count; i++) {
        uint8_t item[PBFT_U32_SIZE + PBFT_DIGEST_SIZE];
        pbft_put_u32(item, fields->view_changes[i].replica);
        memcpy(item + PBFT_U32_SIZE, fields->view_changes[i].digest.bytes,
               PBFT_DIGEST_SIZE);
        extend_chain(domain, &sources, item, sizeof item);
    }
    for (uint32_t i = 0; i < fields->pre_prepare_count; i++) {
        struct pbft_preimage header = {.size = 0};
        put_header(&header, fields->pre_prepares[i]);
        extend_chain(domain, &headers, header.bytes, header.size);
    }
    put_u64(out, fields->view);
    put_u32(out, fields->view_change_count);
    put_u32(out, fields->pre_prepare_count);
    put_digest(out, &sources);
    put_digest(out, &headers);
}

static void put_status(struct pbft_preimage *out,
                       const struct pbft_status_report *fields)
{
    put_u64(out, fields->view);
    put_u8(out, fields->view_active);
    put_u64(out, fields->stable);
    put_u64(out, fields->executed);
    put_u64(out, fields->committed_above);
    put_u64(out, fields->attested);
    put_u32(out, fields->version_min);
    put_u32(out, fields->version_max);
    put_u8(out, fields->reply_wanted);
    put_u32(out, fields->prepared_words);
    PBFT_ASSERT(fields->prepared_words <= PBFT_WINDOW_MAX / 64);
    for (uint32_t i = 0; i < fields->prepared_words; i++) {
        put_u64(out, fields->prepared_bits[i]);
    }
}

static void put_fetch(struct pbft_preimage *out,
                      const struct pbft_fetch *fields)
{
    put_u32(out, (uint32_t)fields->kind);
    put_u64(out, fields->seq);
    put_u64(out, fields->last);
    put_digest(out, &fields->digest);
}

void pbft_request_preimage(const struct pbft_domain *domain,
                           const struct pbft_request *request,
                           struct pbft_preimage *out)
{
    struct pbft_digest payload;
    domain->crypto->digest(domain->crypto->context, &payload, &request->payload,
                           1);
    begin(out, domain, "salus/request/1");
    put(out, request->client.bytes, PBFT_PUBLIC_KEY_SIZE);
    put(out, request->institution.bytes, PBFT_INSTITUTION_SIZE);
    put_u64(out, request->session);
    put_u64(out, request->sequence);
    put_u8(out, (uint8_t)request->lane);
    put_u64(out, request->payload.size);
    put_digest(out, &payload);
}

void pbft_request_digest(const struct pbft_domain *domain,
                         const struct pbft_request *request,
                         struct pbft_digest *out)
{
    static const uint8_t tag[TAG_SIZE] = "salus/reqdig/1";
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
    struct pbft_preimage head = {.size = 0};
    put_tag(&head, "salus/batch/1");
    put_digest(&head, &domain->cluster);
    put_u64(&head, time);
    put_u32(&head, request_count);
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
    put_attestation(out, fields);
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
        put_attestation(out, &message->attestation);
        return;
    case PBFT_MESSAGE_VIEW_CHANGE:
        begin_signed(out, domain, "salus/viewchg/1", &origin);
        put_view_change(out, domain, &message->view_change);
        return;
    case PBFT_MESSAGE_NEW_VIEW:
        begin_signed(out, domain, "salus/newview/1", &origin);
        put_new_view(out, domain, &message->new_view);
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
        break;
    }
    bool is_signed_type = false;
    PBFT_ASSERT(is_signed_type);
}

void pbft_view_change_digest(const struct pbft_domain *domain,
                             const struct pbft_message *message,
                             struct pbft_digest *out)
{
    static const uint8_t tag[TAG_SIZE] = "salus/vcdig/1";
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
