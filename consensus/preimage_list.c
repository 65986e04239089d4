/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of view-changes and new-views that are lists: certificates, votes,
 * sources, headers. */
#include "consensus/preimage_put.h"

/* replica u32, incarnation u64, signature: one vote inside a certificate. */
#define VOTE_BYTES (PBFT_U32_SIZE + PBFT_U64_SIZE + PBFT_SIGNATURE_SIZE)

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
    static const uint8_t tag[PBFT_TAG_SIZE] = "salus/chain/1";
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

static void stable_digest(const struct pbft_domain *domain,
                          const struct pbft_message *message,
                          struct pbft_digest *out)
{
    const struct pbft_stable *stable = &message->stable;
    struct pbft_preimage content;
    struct pbft_digest votes = {{0}};
    content.size = 0;
    chain_votes(domain, &votes, stable->votes, stable->vote_count);
    pbft_preimage_put_tag(&content, "salus/stable/1");
    pbft_preimage_put_u64(&content, message->epoch);
    pbft_preimage_put_attestation(&content, &stable->attestation);
    pbft_preimage_put_u32(&content, stable->vote_count);
    pbft_preimage_put_digest(&content, &votes);
    digest_of(domain, &content, out);
}

static void put_header(struct pbft_preimage *out,
                       const struct pbft_message *pre_prepare)
{
    pbft_preimage_put_u64(out, pre_prepare->epoch);
    pbft_preimage_put_u32(out, pre_prepare->sender);
    pbft_preimage_put_u64(out, pre_prepare->incarnation);
    pbft_preimage_put_u64(out, pre_prepare->pre_prepare.view);
    pbft_preimage_put_u64(out, pre_prepare->pre_prepare.seq);
    pbft_preimage_put_digest(out, &pre_prepare->pre_prepare.digest);
    pbft_preimage_put(out, pre_prepare->signature.bytes, PBFT_SIGNATURE_SIZE);
}

static void chain_prepared(const struct pbft_domain *domain,
                           struct pbft_digest *chain,
                           const struct pbft_message *message)
{
    const struct pbft_prepared *prepared = &message->prepared;
    struct pbft_preimage content;
    struct pbft_digest votes = {{0}};
    content.size = 0;
    chain_votes(domain, &votes, prepared->votes, prepared->vote_count);
    pbft_preimage_put_u64(&content, message->epoch);
    put_header(&content, prepared->pre_prepare);
    pbft_preimage_put_u32(&content, prepared->vote_count);
    pbft_preimage_put_digest(&content, &votes);
    extend_chain(domain, chain, content.bytes, content.size);
}

void pbft_preimage_put_view_change(struct pbft_preimage *out,
                                   const struct pbft_domain *domain,
                                   const struct pbft_view_change *fields)
{
    struct pbft_digest stable;
    struct pbft_digest prepared = {{0}};
    stable_digest(domain, fields->stable, &stable);
    for (uint32_t i = 0; i < fields->prepared_count; i++) {
        chain_prepared(domain, &prepared, fields->prepared[i]);
    }
    pbft_preimage_put_u64(out, fields->view);
    pbft_preimage_put_u64(out, fields->stable->stable.attestation.seq);
    pbft_preimage_put_digest(out, &stable);
    pbft_preimage_put_u32(out, fields->prepared_count);
    pbft_preimage_put_digest(out, &prepared);
}

void pbft_preimage_put_new_view(struct pbft_preimage *out,
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
        struct pbft_preimage header;
        header.size = 0;
        put_header(&header, fields->pre_prepares[i]);
        extend_chain(domain, &headers, header.bytes, header.size);
    }
    pbft_preimage_put_u64(out, fields->view);
    pbft_preimage_put_u32(out, fields->view_change_count);
    pbft_preimage_put_u32(out, fields->pre_prepare_count);
    pbft_preimage_put_digest(out, &sources);
    pbft_preimage_put_digest(out, &headers);
}
