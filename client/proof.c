/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs of certified reads, one check after the other; no network, no clock.
 */
#include "client/proof.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/quorum.h"
#include "crypto/provider.h"
#include "ledger/limits.h"
#include "proto/certified.h"
#include "proto/scan.h"
#include "salus/v1/files.pb-c.h"

const char *proof_check_name(enum proof_check check)
{
    switch (check) {
    case PROOF_FORMAT:
        return "format of the proof";
    case PROOF_CLUSTER:
        return "consortium";
    case PROOF_PAGES:
        return "pages of the answer";
    case PROOF_SIGNATURES:
        return "signatures of the members";
    }
    return "unknown check";
}

/* One verification: inputs, what was found so far, what to give back. */
struct work {
    struct proof_facts *facts;
    enum proof_check *failed;
    struct salus_reason *reason;
    struct pbft_domain domain;
    struct pbft_keyring keyring;
    const Salus__V1__QueryProof *proof;
    uint8_t first[LEDGER_QUERY_MAX]; /* The question without a cursor. */
    size_t first_size;
    uint8_t cursor[LEDGER_QUERY_MAX]; /* That the next page must begin at. */
    size_t cursor_size;
    bool has_signed[PBFT_REPLICAS_MAX];
};

static enum pbft_status fail(struct work *work, enum proof_check check,
                             enum pbft_status status, const char *text)
{
    *work->failed = check;
    salus_reason_set(work->reason, "%s", text);
    return status;
}

/* ---- the file ------------------------------------------------------------ */

static enum pbft_status check_format(struct work *work,
                                     struct pbft_bytes encoded,
                                     struct wire_arena *arena)
{
    struct ProtobufCMessage *message = NULL;
    enum pbft_status status = wire_unpack_strict(
        &salus__v1__query_proof__descriptor, encoded, arena, &message);
    if (status != PBFT_OK) {
        return fail(work, PROOF_FORMAT, status,
                    "the bytes are not those of a whole proof");
    }
    work->proof = (const Salus__V1__QueryProof *)message;
    if (work->proof->version != PROOF_VERSION) {
        return fail(work, PROOF_FORMAT, PBFT_VERSION,
                    "this version of proofs is not supported");
    }
    if (work->proof->institution.len != PBFT_INSTITUTION_SIZE ||
        work->proof->ledger_root.len != PBFT_DIGEST_SIZE ||
        work->proof->n_pages == 0 ||
        work->proof->n_pages > CERTIFIED_PAGES_MAX) {
        return fail(work, PROOF_FORMAT, PBFT_MALFORMED,
                    "a part of the proof is missing or of wrong size");
    }
    return PBFT_OK;
}

static enum pbft_status check_cluster(struct work *work)
{
    const ProtobufCBinaryData *cluster = &work->proof->cluster;
    if (cluster->len != PBFT_DIGEST_SIZE ||
        memcmp(cluster->data, work->domain.cluster.bytes, PBFT_DIGEST_SIZE) !=
            0) {
        return fail(work, PROOF_CLUSTER, PBFT_WRONG_IDENTITY,
                    "the proof is of another consortium than this genesis "
                    "file");
    }
    return PBFT_OK;
}

static void take_head(struct work *work)
{
    struct proof_facts *facts = work->facts;
    memcpy(facts->caller.bytes, work->proof->institution.data,
           sizeof facts->caller.bytes);
    memcpy(facts->ledger_root.bytes, work->proof->ledger_root.data,
           PBFT_DIGEST_SIZE);
    facts->height = work->proof->height;
    facts->block_time = work->proof->block_time_us;
    facts->epoch = work->proof->epoch;
    facts->page_count = (uint32_t)work->proof->n_pages;
}

/* ---- one page ------------------------------------------------------------ */

struct page {
    const Salus__V1__ProofPage *encoded;
    Salus__V1__Query *query;
    const Salus__V1__Answer *answer;
};

static struct pbft_bytes bytes_of(const ProtobufCBinaryData *field)
{
    return (struct pbft_bytes){field->data, field->len};
}

static enum pbft_status read_page(struct work *work, uint32_t index,
                                  struct wire_arena *arena, struct page *page)
{
    struct ProtobufCMessage *encoded = NULL;
    struct ProtobufCMessage *query = NULL;
    struct ProtobufCMessage *answer = NULL;
    wire_arena_reset(arena);
    enum pbft_status status = wire_unpack_strict(
        &salus__v1__proof_page__descriptor,
        bytes_of(&work->proof->pages[index]), arena, &encoded);
    page->encoded = (const Salus__V1__ProofPage *)encoded;
    if (status == PBFT_OK) {
        status = page->encoded->query.len > LEDGER_QUERY_MAX ||
                         page->encoded->answer.len > LEDGER_ANSWER_MAX
                     ? PBFT_TOO_LARGE
                     : wire_unpack_strict(&salus__v1__query__descriptor,
                                          bytes_of(&page->encoded->query),
                                          arena, &query);
    }
    if (status == PBFT_OK) {
        status = wire_unpack_strict(&salus__v1__answer__descriptor,
                                    bytes_of(&page->encoded->answer), arena,
                                    &answer);
    }
    page->query = (Salus__V1__Query *)query;
    page->answer = (const Salus__V1__Answer *)answer;
    return status == PBFT_OK
               ? PBFT_OK
               : fail(work, PROOF_FORMAT, status, "a page cannot be read");
}

/* The cursor of the page must be the one that the page before gave, and the
 * question without it that of the first page. */
static bool is_next(struct work *work, const struct page *page)
{
    ProtobufCBinaryData *cursor = certified_query_cursor(page->query);
    ProtobufCBinaryData given = {0, NULL};
    struct wire_buffer bare;
    if (cursor != NULL) {
        given = *cursor;
        *cursor = (ProtobufCBinaryData){0, NULL};
    }
    wire_buffer_init(&bare, LEDGER_QUERY_MAX);
    bool good =
        wire_pack(&page->query->base, &bare) == PBFT_OK &&
        given.len == work->cursor_size &&
        (given.len == 0 || memcmp(given.data, work->cursor, given.len) == 0);
    if (good && work->first_size == 0 && bare.size > 0) {
        memcpy(work->first, bare.data, bare.size);
        work->first_size = bare.size;
    }
    good = good && bare.size == work->first_size &&
           (bare.size == 0 || memcmp(bare.data, work->first, bare.size) == 0);
    wire_buffer_deinit(&bare);
    if (cursor != NULL) {
        *cursor = given;
    }
    return good;
}

static enum pbft_status check_pages(struct work *work, uint32_t index,
                                    const struct page *page)
{
    const Salus__V1__Answer *answer = page->answer;
    struct pbft_bytes next = certified_answer_cursor(answer);
    bool is_last = index + 1 == work->facts->page_count;
    if (answer->height != work->facts->height ||
        answer->block_time_us != work->facts->block_time) {
        return fail(work, PROOF_PAGES, PBFT_BAD_CERTIFICATE,
                    "a page is true after another block than the proof says");
    }
    if (!is_next(work, page)) {
        return fail(work, PROOF_PAGES, PBFT_BAD_CERTIFICATE,
                    "a page does not follow the one before it");
    }
    if (next.size > sizeof work->cursor || (next.size == 0) != is_last) {
        return fail(work, PROOF_PAGES, PBFT_BAD_CERTIFICATE,
                    "pages are missing behind the last one");
    }
    if (next.size > 0) {
        memcpy(work->cursor, next.data, next.size);
    }
    work->cursor_size = next.size;
    if (index == 0) {
        work->facts->code = answer->code;
    }
    return PBFT_OK;
}

static enum pbft_status check_votes(struct work *work, const struct page *page)
{
    const Salus__V1__ProofPage *encoded = page->encoded;
    struct pbft_answered answered = {.seq = work->facts->height,
                                     .block_time = work->facts->block_time,
                                     .ledger_root = work->facts->ledger_root,
                                     .caller = work->facts->caller};
    certified_query_digest(work->domain.crypto, &answered.query,
                           bytes_of(&encoded->query));
    certified_answer_digest(work->domain.crypto, &answered.answer,
                            bytes_of(&encoded->answer));
    if (encoded->n_votes != pbft_weak_quorum(work->keyring.replica_count)) {
        return fail(work, PROOF_SIGNATURES, PBFT_BAD_CERTIFICATE,
                    "a page does not have f + 1 signatures");
    }
    for (size_t i = 0; i < encoded->n_votes; i++) {
        const Salus__V1__CertificateVote *from = encoded->votes[i];
        struct pbft_vote vote = {.replica = from->replica,
                                 .incarnation = from->incarnation};
        if (from->signature.len != PBFT_SIGNATURE_SIZE ||
            (i > 0 && from->replica <= encoded->votes[i - 1]->replica)) {
            return fail(work, PROOF_SIGNATURES, PBFT_BAD_CERTIFICATE,
                        "a signer counts twice, or a signature is cut");
        }
        memcpy(vote.signature.bytes, from->signature.data, PBFT_SIGNATURE_SIZE);
        enum pbft_status status =
            certified_verify_vote(&work->domain, &work->keyring,
                                  work->facts->epoch, &answered, &vote);
        if (status != PBFT_OK) {
            return fail(work, PROOF_SIGNATURES, status,
                        status == PBFT_NOT_MEMBER
                            ? "signed by somebody who is no member"
                            : "a page was not signed so by the member that "
                              "it names");
        }
        work->has_signed[vote.replica] = true; /* A member: below the bound. */
    }
    work->facts->signatures = (uint32_t)encoded->n_votes;
    return PBFT_OK;
}

/* ---- all of it ----------------------------------------------------------- */

static enum pbft_status check_each(struct work *work, struct wire_arena *arena,
                                   bool votes)
{
    enum pbft_status status = PBFT_OK;
    for (uint32_t i = 0; status == PBFT_OK && i < work->facts->page_count;
         i++) {
        struct page page;
        status = read_page(work, i, arena, &page);
        if (status == PBFT_OK) {
            status =
                votes ? check_votes(work, &page) : check_pages(work, i, &page);
        }
    }
    return status;
}

static void take_signers(struct work *work)
{
    struct proof_facts *facts = work->facts;
    for (pbft_replica_id id = 0; id < work->keyring.replica_count; id++) {
        if (work->has_signed[id]) {
            facts->signers[facts->signer_count++] = id;
        }
    }
}

static enum pbft_status run(struct work *work, struct pbft_bytes encoded,
                            struct wire_arena *arena,
                            struct wire_arena *page_arena)
{
    enum pbft_status status = check_format(work, encoded, arena);
    if (status == PBFT_OK) {
        status = check_cluster(work);
    }
    if (status == PBFT_OK) {
        take_head(work);
        status = check_each(work, page_arena, false);
    }
    if (status == PBFT_OK) {
        status = check_each(work, page_arena, true);
    }
    if (status == PBFT_OK) {
        take_signers(work);
    }
    return status;
}

static void visit_pages(struct work *work, struct wire_arena *arena,
                        proof_visit *visit, void *context)
{
    for (uint32_t i = 0; visit != NULL && i < work->facts->page_count; i++) {
        struct page page;
        if (read_page(work, i, arena, &page) == PBFT_OK) {
            visit(context, page.query, page.answer);
        }
    }
}

enum pbft_status proof_verify(struct proof_facts *facts,
                              enum proof_check *failed,
                              struct salus_reason *reason,
                              struct pbft_bytes encoded,
                              const struct salus_genesis *genesis,
                              const struct pbft_digest *cluster,
                              proof_visit *visit, void *context)
{
    struct wire_arena arena;
    struct wire_arena page_arena;
    struct work *work = calloc(1, sizeof *work);
    memset(facts, 0, sizeof *facts);
    *failed = PROOF_FORMAT;
    if (work == NULL) {
        return PBFT_NO_MEMORY;
    }
    work->facts = facts;
    work->failed = failed;
    work->reason = reason;
    work->domain.crypto = crypto_provider_verify_only();
    work->domain.cluster = *cluster;
    genesis_keyring(genesis, &work->keyring);
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    wire_arena_init(&page_arena, WIRE_UNPACK_BYTES_MAX);
    enum pbft_status status = PBFT_TOO_LARGE;
    if (encoded.size > PROOF_BYTES_MAX) {
        status = fail(work, PROOF_FORMAT, status, "larger than any proof");
    } else {
        status = run(work, encoded, &arena, &page_arena);
    }
    if (status == PBFT_OK) {
        visit_pages(work, &page_arena, visit, context);
    }
    wire_arena_deinit(&page_arena);
    wire_arena_deinit(&arena);
    free(work);
    return status;
}
