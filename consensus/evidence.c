/* SPDX-License-Identifier: Apache-2.0 */
/* Statements, what contradicts what, and evidence as bytes (design: P15). */
#include "consensus/evidence.h"

#include <string.h>

#include "consensus/assert.h"
#include "consensus/bytes.h"
#include "consensus/message_box.h"
#include "consensus/preimage.h"

#define TAG_SIZE 16
#define EVIDENCE_TAG "salus/evidence/1"

/* preimage.h: what every signed preimage begins with. */
enum preimage_offset {
    OFFSET_CLUSTER = TAG_SIZE,
    OFFSET_VERSION = OFFSET_CLUSTER + PBFT_DIGEST_SIZE,
    OFFSET_EPOCH = OFFSET_VERSION + PBFT_U32_SIZE,
    OFFSET_SIGNER = OFFSET_EPOCH + PBFT_U64_SIZE,
    OFFSET_INCARNATION = OFFSET_SIGNER + PBFT_U32_SIZE,
    OFFSET_CONTENT = OFFSET_INCARNATION + PBFT_U64_SIZE,
};

static const struct statement_kind {
    enum pbft_message_type type;
    char tag[TAG_SIZE + 1];
    size_t content_size;
    bool has_view;
    bool has_seq;
} kinds[] = {
    {PBFT_MESSAGE_PRE_PREPARE, "salus/prepprep/1", 48, true, true},
    {PBFT_MESSAGE_PREPARE, "salus/prepare/1", 48, true, true},
    {PBFT_MESSAGE_COMMIT, "salus/commit/1", 48, true, true},
    {PBFT_MESSAGE_ATTESTATION, "salus/attest/1", 112, false, true},
    {PBFT_MESSAGE_VIEW_CHANGE, "salus/viewchg/1", 84, true, false},
    {PBFT_MESSAGE_NEW_VIEW, "salus/newview/1", 80, true, false},
};

#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

static_assert(OFFSET_CONTENT + 112 <= PBFT_STATEMENT_MAX,
              "the longest statement fits");
static_assert(sizeof EVIDENCE_TAG == TAG_SIZE + 1, "the tag fills its place");

bool pbft_is_accountable(enum pbft_message_type type)
{
    return type >= PBFT_MESSAGE_PRE_PREPARE && type <= PBFT_MESSAGE_NEW_VIEW;
}

void pbft_statement_of(const struct pbft_domain *domain,
                       const struct pbft_message *message,
                       struct pbft_statement *out)
{
    struct pbft_preimage preimage;
    PBFT_ASSERT(pbft_is_accountable(message->type));
    pbft_message_preimage(domain, message, &preimage);
    PBFT_ASSERT(preimage.size <= PBFT_STATEMENT_MAX);
    *out = (struct pbft_statement){.size = (uint32_t)preimage.size,
                                   .signature = message->signature};
    memcpy(out->preimage, preimage.bytes, preimage.size);
}

static const struct statement_kind *kind_of(const uint8_t tag[TAG_SIZE])
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (memcmp(kinds[i].tag, tag, TAG_SIZE) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

bool pbft_claim_read(const struct pbft_statement *statement,
                     struct pbft_claim *out)
{
    const uint8_t *bytes = statement->preimage;
    const uint8_t *content = bytes + OFFSET_CONTENT;
    if (statement->size < OFFSET_CONTENT ||
        statement->size > PBFT_STATEMENT_MAX) {
        return false;
    }
    const struct statement_kind *kind = kind_of(bytes);
    if (kind == NULL ||
        statement->size != OFFSET_CONTENT + kind->content_size) {
        return false;
    }
    *out = (struct pbft_claim){
        .type = kind->type,
        .version = pbft_get_u32(bytes + OFFSET_VERSION),
        .epoch = pbft_get_u64(bytes + OFFSET_EPOCH),
        .signer = pbft_get_u32(bytes + OFFSET_SIGNER),
        .incarnation = pbft_get_u64(bytes + OFFSET_INCARNATION),
        .content = {content, kind->content_size},
    };
    memcpy(out->cluster.bytes, bytes + OFFSET_CLUSTER, PBFT_DIGEST_SIZE);
    if (kind->has_view) {
        out->view = pbft_get_u64(content);
    }
    if (kind->has_seq) {
        out->seq = pbft_get_u64(content + (kind->has_view ? PBFT_U64_SIZE : 0));
    }
    return true;
}

static bool is_slot_vote(enum pbft_message_type type)
{
    return type == PBFT_MESSAGE_PRE_PREPARE || type == PBFT_MESSAGE_PREPARE ||
           type == PBFT_MESSAGE_COMMIT;
}

bool pbft_claims_conflict(const struct pbft_claim *a,
                          const struct pbft_claim *b)
{
    const bool is_same_signer =
        memcmp(&a->cluster, &b->cluster, sizeof a->cluster) == 0 &&
        a->version == b->version && a->epoch == b->epoch &&
        a->signer == b->signer && a->incarnation == b->incarnation;
    const bool is_same_kind =
        a->type == b->type || (is_slot_vote(a->type) && is_slot_vote(b->type));
    /* OSDI'99 4.2, 4.4: one word for one place. */
    return is_same_signer && is_same_kind && a->view == b->view &&
           a->seq == b->seq &&
           memcmp(a->content.data, b->content.data, a->content.size) != 0;
}

/* The order of the two says nothing: one pair, one evidence. */
static bool is_before(const struct pbft_statement *a,
                      const struct pbft_statement *b)
{
    return memcmp(a->preimage, b->preimage, sizeof a->preimage) < 0;
}

struct pbft_message *pbft_evidence_create(pbft_replica_id holder,
                                          const struct pbft_statement *first,
                                          const struct pbft_statement *second)
{
    struct message_box *box = message_box_create(sizeof(struct pbft_evidence));
    struct pbft_claim a = {0};
    struct pbft_claim b = {0};
    const bool is_read = pbft_claim_read(first, &a) && //
                         pbft_claim_read(second, &b);
    PBFT_ASSERT(is_read && pbft_claims_conflict(&a, &b));
    if (box == NULL) {
        return NULL;
    }
    const bool in_order = is_before(first, second);
    box->message.type = PBFT_MESSAGE_EVIDENCE;
    box->message.sender = holder;
    box->message.epoch = a.epoch;
    struct pbft_evidence *evidence = message_box_tail(box);
    evidence->statements[0] = in_order ? *first : *second;
    evidence->statements[1] = in_order ? *second : *first;
    box->message.evidence = evidence;
    return &box->message;
}

struct pbft_claim pbft_evidence_claim(const struct pbft_evidence *evidence)
{
    struct pbft_claim claim = {0};
    const bool is_read = pbft_claim_read(&evidence->statements[0], &claim);
    PBFT_ASSERT(is_read);
    return claim;
}

static bool is_signed_by(const struct pbft_domain *domain,
                         const struct pbft_public_key *key,
                         const struct pbft_statement *statement)
{
    return domain->crypto->verify(
        domain->crypto->context, key,
        (struct pbft_bytes){statement->preimage, statement->size},
        &statement->signature);
}

enum pbft_status pbft_evidence_verify(const struct pbft_domain *domain,
                                      const struct pbft_keyring *keyring,
                                      const struct pbft_evidence *evidence)
{
    struct pbft_claim a;
    struct pbft_claim b;
    if (!pbft_claim_read(&evidence->statements[0], &a) ||
        !pbft_claim_read(&evidence->statements[1], &b) ||
        !pbft_claims_conflict(&a, &b)) {
        return PBFT_MALFORMED;
    }
    if (memcmp(&a.cluster, &domain->cluster, sizeof a.cluster) != 0) {
        return PBFT_WRONG_IDENTITY;
    }
    if (a.version != PBFT_PROTOCOL_VERSION) {
        return PBFT_VERSION;
    }
    if (a.epoch != keyring->epoch || a.signer >= keyring->replica_count) {
        return PBFT_NOT_MEMBER;
    }
    const struct pbft_public_key *key = &keyring->keys[a.signer];
    return is_signed_by(domain, key, &evidence->statements[0]) &&
                   is_signed_by(domain, key, &evidence->statements[1])
               ? PBFT_OK
               : PBFT_BAD_SIGNATURE;
}

size_t pbft_evidence_encode(const struct pbft_evidence *evidence,
                            uint8_t out[PBFT_EVIDENCE_BYTES_MAX])
{
    uint8_t *at = out;
    memcpy(at, EVIDENCE_TAG, TAG_SIZE);
    at += TAG_SIZE;
    for (size_t i = 0; i < 2; i++) {
        const struct pbft_statement *statement = &evidence->statements[i];
        PBFT_ASSERT(statement->size <= PBFT_STATEMENT_MAX);
        pbft_put_u32(at, statement->size);
        at += PBFT_U32_SIZE;
        memcpy(at, statement->preimage, statement->size);
        at += statement->size;
        memcpy(at, statement->signature.bytes, PBFT_SIGNATURE_SIZE);
        at += PBFT_SIGNATURE_SIZE;
    }
    return (size_t)(at - out);
}

/* Takes one statement off the front; false if it is not there whole. */
static bool take_statement(struct pbft_bytes *bytes, struct pbft_statement *out)
{
    if (bytes->size < PBFT_U32_SIZE) {
        return false;
    }
    const uint32_t size = pbft_get_u32(bytes->data);
    if (size > PBFT_STATEMENT_MAX ||
        bytes->size - PBFT_U32_SIZE < size + PBFT_SIGNATURE_SIZE) {
        return false;
    }
    const uint8_t *at = bytes->data + PBFT_U32_SIZE;
    *out = (struct pbft_statement){.size = size};
    memcpy(out->preimage, at, size);
    memcpy(out->signature.bytes, at + size, PBFT_SIGNATURE_SIZE);
    const size_t taken = PBFT_U32_SIZE + size + PBFT_SIGNATURE_SIZE;
    *bytes = (struct pbft_bytes){bytes->data + taken, bytes->size - taken};
    return true;
}

enum pbft_status pbft_evidence_decode(struct pbft_bytes bytes,
                                      struct pbft_evidence *out)
{
    struct pbft_claim a;
    struct pbft_claim b;
    if (bytes.size < TAG_SIZE ||
        memcmp(bytes.data, EVIDENCE_TAG, TAG_SIZE) != 0) {
        return PBFT_MALFORMED;
    }
    bytes = (struct pbft_bytes){bytes.data + TAG_SIZE, bytes.size - TAG_SIZE};
    if (!take_statement(&bytes, &out->statements[0]) ||
        !take_statement(&bytes, &out->statements[1]) || bytes.size != 0 ||
        !is_before(&out->statements[0], &out->statements[1])) {
        return PBFT_MALFORMED;
    }
    return pbft_claim_read(&out->statements[0], &a) &&
                   pbft_claim_read(&out->statements[1], &b) &&
                   pbft_claims_conflict(&a, &b)
               ? PBFT_OK
               : PBFT_MALFORMED;
}
