/* SPDX-License-Identifier: Apache-2.0 */
/* Certified reads: all pages of an answer from one state, and the proof to
 * keep.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/certify.h"
#include "client/proof.h"
#include "ledger/limits.h"
#include "proto/certified.h"
#include "proto/scan.h"
#include "salus/v1/files.pb-c.h"

#define US_PER_MS 1000u
#define RESTARTS_MAX 3 /* When a state is dropped between two pages. */

static_assert(SALUS_REPLICAS_MAX == PBFT_REPLICAS_MAX &&
                  SALUS_SIGNATURE_SIZE == PBFT_SIGNATURE_SIZE,
              "salus.h is for itself, and must agree");

/* All pages as they come. */
struct reading {
    struct salus_client *client;
    struct salus_certified *out;
    struct certify_witnesses witnesses;
    Salus__V1__Query *query;
    ProtobufCBinaryData *cursor; /* In it; NULL: one page. */
    uint8_t cursor_bytes[LEDGER_QUERY_MAX];
    struct pbft_answered answered;                 /* Of the first page. */
    struct salus_bytes pages[CERTIFIED_PAGES_MAX]; /* Encoded ProofPages. */
    size_t bytes;
};

static ProtobufCBinaryData field(const void *data, size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = (uint8_t *)data};
}

static void forget_pages(struct reading *reading)
{
    struct salus_certified *out = reading->out;
    for (size_t i = 0; i < out->answer_count; i++) {
        salus_free(&reading->pages[i]);
        salus_free(&out->answers[i]);
    }
    out->answer_count = 0;
    reading->bytes = 0;
    if (reading->cursor != NULL) {
        *reading->cursor = (ProtobufCBinaryData){0, NULL};
    }
}

static enum salus_status packed(struct salus_bytes *out,
                                const ProtobufCMessage *message)
{
    struct wire_buffer bytes;
    wire_buffer_init(&bytes, PROOF_BYTES_MAX);
    enum pbft_status status = wire_pack(message, &bytes);
    if (status == PBFT_OK) {
        out->data = wire_buffer_take(&bytes, &out->size);
    }
    wire_buffer_deinit(&bytes);
    return status == PBFT_OK          ? SALUS_OK
           : status == PBFT_TOO_LARGE ? SALUS_LIMIT
                                      : SALUS_NO_MEMORY;
}

static enum salus_status pack_page(struct salus_bytes *out,
                                   struct pbft_bytes query,
                                   const struct certified_page *page)
{
    Salus__V1__ProofPage encoded = SALUS__V1__PROOF_PAGE__INIT;
    Salus__V1__CertificateVote votes[PBFT_REPLICAS_MAX];
    Salus__V1__CertificateVote *list[PBFT_REPLICAS_MAX];
    encoded.query = field(query.data, query.size);
    encoded.answer = field(page->answer, page->answer_size);
    for (uint32_t i = 0; i < page->vote_count; i++) {
        salus__v1__certificate_vote__init(&votes[i]);
        votes[i].replica = page->votes[i].replica;
        votes[i].incarnation = page->votes[i].incarnation;
        votes[i].signature =
            field(page->votes[i].signature.bytes, PBFT_SIGNATURE_SIZE);
        list[i] = &votes[i];
    }
    encoded.votes = list;
    encoded.n_votes = page->vote_count;
    return packed(out, &encoded.base);
}

/* Keeps the page and its answer, which is taken in any case. */
static enum salus_status keep_page(struct reading *reading,
                                   struct pbft_bytes query,
                                   const struct certified_page *page)
{
    struct salus_certified *out = reading->out;
    size_t at = out->answer_count;
    enum salus_status status =
        at == CERTIFIED_PAGES_MAX ? SALUS_LIMIT
                                  : pack_page(&reading->pages[at], query, page);
    if (status != SALUS_OK) {
        free(page->answer);
        return status;
    }
    out->answers[at] = (struct salus_bytes){page->answer, page->answer_size};
    out->answer_count++;
    reading->bytes += reading->pages[at].size;
    return reading->bytes <= PROOF_BYTES_MAX ? SALUS_OK : SALUS_LIMIT;
}

/* The cursor of the answer into the question. False: that was all. */
static bool turn_page(struct reading *reading, const Salus__V1__Answer *answer)
{
    struct pbft_bytes next = certified_answer_cursor(answer);
    if (reading->cursor == NULL || next.size == 0 ||
        next.size > sizeof reading->cursor_bytes) {
        return false;
    }
    memcpy(reading->cursor_bytes, next.data, next.size);
    *reading->cursor = field(reading->cursor_bytes, next.size);
    return true;
}

/* One page. `*more`: there is another. */
static enum salus_status read_page(struct reading *reading, bool *more)
{
    struct salus_certified *out = reading->out;
    struct certified_page *page = calloc(1, sizeof *page);
    struct salus_bytes query = {NULL, 0};
    struct ProtobufCMessage *answer = NULL;
    struct wire_arena arena;
    enum salus_status status =
        page == NULL ? SALUS_NO_MEMORY : packed(&query, &reading->query->base);
    const struct pbft_bytes asked = {query.data, query.size};
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (status == SALUS_OK) {
        status = certify_page(reading->client, page, &reading->witnesses, asked,
                              out->answer_count > 0 ? out->height : 0);
    }
    if (status == SALUS_OK) {
        status = keep_page(reading, asked, page);
    }
    if (status == SALUS_OK &&
        wire_unpack_strict(&salus__v1__answer__descriptor,
                           (struct pbft_bytes){page->answer, page->answer_size},
                           &arena, &answer) != PBFT_OK) {
        status = SALUS_NO_MEMORY; /* It was read once already. */
    }
    if (status == SALUS_OK) {
        reading->answered = page->answered;
        out->height = page->answered.seq;
        out->block_time_us = page->answered.block_time;
        out->code = ((const Salus__V1__Answer *)answer)->code;
        *more = turn_page(reading, (const Salus__V1__Answer *)answer);
    }
    wire_arena_deinit(&arena);
    salus_free(&query);
    free(page);
    return status;
}

static enum salus_status read_all(struct reading *reading)
{
    enum salus_status status = SALUS_OK;
    uint32_t restarts = 0;
    bool more = true;
    while (status == SALUS_OK && more) {
        status = read_page(reading, &more);
        if (status == SALUS_NOT_FOUND && reading->out->answer_count > 0 &&
            restarts++ < RESTARTS_MAX) {
            forget_pages(reading);
            status = SALUS_OK;
        }
    }
    return status;
}

static enum salus_status make_proof(struct reading *reading)
{
    struct salus_certified *out = reading->out;
    const struct salus_client *client = reading->client;
    Salus__V1__QueryProof proof = SALUS__V1__QUERY_PROOF__INIT;
    ProtobufCBinaryData *pages = calloc(out->answer_count, sizeof *pages);
    if (pages == NULL) {
        return SALUS_NO_MEMORY;
    }
    for (size_t i = 0; i < out->answer_count; i++) {
        pages[i] = field(reading->pages[i].data, reading->pages[i].size);
    }
    proof.version = PROOF_VERSION;
    proof.cluster = field(client->domain.cluster.bytes, PBFT_DIGEST_SIZE);
    proof.institution =
        field(client->institution.bytes, sizeof client->institution.bytes);
    proof.epoch = client->keyring.epoch;
    proof.height = out->height;
    proof.block_time_us = out->block_time_us;
    proof.ledger_root =
        field(reading->answered.ledger_root.bytes, PBFT_DIGEST_SIZE);
    proof.pages = pages;
    proof.n_pages = out->answer_count;
    enum salus_status status = packed(&out->proof, &proof.base);
    free(pages);
    return status;
}

/* By our clock, which is good enough for this. */
static bool is_stale(const struct salus_client *client, uint64_t block_time_us)
{
    struct timespec now;
    uint64_t limit_us = (uint64_t)client->config.max_staleness_ms * US_PER_MS;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    uint64_t now_us =
        (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
    return limit_us != 0 && now_us > block_time_us &&
           now_us - block_time_us > limit_us;
}

static enum salus_status read_certified(struct reading *reading,
                                        struct pbft_bytes query,
                                        struct wire_arena *arena)
{
    struct ProtobufCMessage *decoded = NULL;
    if (query.size > LEDGER_QUERY_MAX ||
        wire_unpack_strict(&salus__v1__query__descriptor, query, arena,
                           &decoded) != PBFT_OK) {
        return SALUS_INVALID_ARGUMENT;
    }
    reading->query = (Salus__V1__Query *)decoded;
    reading->cursor = certified_query_cursor(reading->query);
    if (reading->cursor != NULL && reading->cursor->len > 0) {
        return SALUS_INVALID_ARGUMENT; /* A proof has all pages or none. */
    }
    enum salus_status status = read_all(reading);
    if (status == SALUS_OK &&
        is_stale(reading->client, reading->out->block_time_us)) {
        status = SALUS_UNPROVED;
    }
    return status == SALUS_OK ? make_proof(reading) : status;
}

static enum salus_status query_certified(struct salus_client *client,
                                         struct salus_certified *out,
                                         struct pbft_bytes query)
{
    struct wire_arena arena;
    struct reading *reading = calloc(1, sizeof *reading);
    out->answers = calloc(CERTIFIED_PAGES_MAX, sizeof *out->answers);
    if (reading == NULL || out->answers == NULL) {
        free(reading);
        return SALUS_NO_MEMORY;
    }
    reading->client = client;
    reading->out = out;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    enum salus_status status = read_certified(reading, query, &arena);
    memcpy(out->witnesses, reading->witnesses.verdicts, sizeof out->witnesses);
    out->has_contradiction = reading->witnesses.has_contradiction;
    memcpy(out->question, reading->witnesses.question.bytes,
           sizeof out->question);
    memcpy(out->statements, reading->witnesses.statements,
           sizeof out->statements);
    for (size_t i = 0; i < out->answer_count; i++) {
        salus_free(&reading->pages[i]);
    }
    wire_arena_deinit(&arena);
    free(reading);
    return status;
}

/* Only what the replicas did stays. */
static void drop_answers(struct salus_certified *out)
{
    const struct salus_certified kept = *out;
    salus_certified_free(out);
    memcpy(out->witnesses, kept.witnesses, sizeof out->witnesses);
    out->has_contradiction = kept.has_contradiction;
    memcpy(out->question, kept.question, sizeof out->question);
    memcpy(out->statements, kept.statements, sizeof out->statements);
}

enum salus_status salus_query_certified(struct salus_client *client,
                                        struct salus_certified *out,
                                        enum salus_read_level level,
                                        const uint8_t *query, size_t query_size)
{
    struct salus_result barrier;
    enum salus_status status = SALUS_OK;
    memset(out, 0, sizeof *out);
    if (level != SALUS_READ_CERTIFIED && level != SALUS_READ_ORDERED) {
        return SALUS_INVALID_ARGUMENT;
    }
    if (!client_enter(client)) {
        return SALUS_CLOSED;
    }
    if (level == SALUS_READ_ORDERED) {
        status = client_barrier(client, &barrier);
    }
    if (status == SALUS_OK) {
        status = query_certified(client, out,
                                 (struct pbft_bytes){query, query_size});
    }
    client_leave(client);
    if (status != SALUS_OK) {
        drop_answers(out);
    }
    return status;
}

void salus_certified_free(struct salus_certified *certified)
{
    for (size_t i = 0; i < certified->answer_count; i++) {
        salus_free(&certified->answers[i]);
    }
    free(certified->answers);
    salus_free(&certified->proof);
    memset(certified, 0, sizeof *certified);
}
