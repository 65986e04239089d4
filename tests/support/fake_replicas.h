/* SPDX-License-Identifier: Apache-2.0 */
/* A consortium whose replicas agree on nothing and answer as they are told:
 * truthfully, not at all, or with one lie each. They have the real keys of
 * their institutions, so only what libsalus checks protects it. Include it in
 * one .c file of a test that links salus_tool.
 */
#ifndef TESTS_SUPPORT_FAKE_REPLICAS_H
#define TESTS_SUPPORT_FAKE_REPLICAS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/replicas.h"
#include "client/tool_consortium.h"
#include "consensus/evidence.h"
#include "consensus/preimage.h"
#include "consensus/quorum.h"
#include "crypto/init.h"
#include "crypto/keyfile.h"
#include "crypto/merkle.h"
#include "crypto/provider.h"
#include "ledger/errors.h"
#include "ledger/results.h"
#include "ledger/transaction.h"
#include "net/gateway.h"
#include "proto/certified.h"
#include "proto/codec.h"
#include "proto/genesis.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"

#define FAKE_REPLICAS 4
#define FAKE_LEAVES 3 /* In each block; the request is the second. */
#define FAKE_REQUESTS_MAX 4096

/* How a replica answers a submission. */
enum fake_manner {
    FAKE_HONEST,
    FAKE_SILENT,
    FAKE_BUSY,
    FAKE_REFUSES,         /* INADMISSIBLE, code 7. */
    FAKE_BEHIND,          /* The same, OUTSIDE_WINDOW; then honest. */
    FAKE_FIRST_STANDS,    /* Proves the first request of all, whatever came. */
    FAKE_REPEATED,        /* Attested: DUPLICATE; with no results. */
    FAKE_KEY_STATE,       /* Attested: KEY_STATE; with no results. */
    FAKE_ONE_SIGNATURE,   /* f attestations are not f + 1. */
    FAKE_SAME_SIGNER,     /* One attestation twice. */
    FAKE_BAD_SIGNATURE,   /* The second one is damaged. */
    FAKE_WRONG_PATH,      /* One bit of a sibling. */
    FAKE_WRONG_CODE,      /* Says that a transaction failed. */
    FAKE_WRONG_RESULT_ID, /* Another transaction id, consistently. */
    FAKE_OTHER_REQUEST,   /* The proof of something else. */
    FAKE_OTHER_CLUSTER,   /* Signed for another consortium. */
    FAKE_OTHER_EPOCH,
    FAKE_GARBAGE,         /* Not a message. */
    FAKE_EMPTY,           /* No bytes. */
    FAKE_ANSWERS_A_QUERY, /* A kind of reply that was not asked for. */
    FAKE_LOOKED_UP,       /* To a lookup: the request goes with the proof. */
};

/* How it answers a certified read. */
enum fake_witness {
    FAKE_WITNESS_HONEST,
    FAKE_WITNESS_SILENT,
    FAKE_WITNESS_REFUSES,
    FAKE_WITNESS_BUSY_ONCE,     /* Then honest. */
    FAKE_WITNESS_OTHER_ANSWER,  /* Well signed, but not true. */
    FAKE_WITNESS_OTHER_ROOT,    /* The same for the ledger root. */
    FAKE_WITNESS_OTHER_BODY,    /* Signs the truth, sends something else. */
    FAKE_WITNESS_NO_BODY,       /* Never gives the answer itself. */
    FAKE_WITNESS_OTHER_HEIGHT,  /* Answers after another block than asked. */
    FAKE_WITNESS_BAD_SIGNATURE, /* One bit of it. */
    FAKE_WITNESS_OTHER_SIGNER,  /* Says that it is another replica. */
    FAKE_WITNESS_OTHER_CALLER,  /* What it would say to somebody else. */
    FAKE_WITNESS_OTHER_QUESTION,
    FAKE_WITNESS_GARBAGE,
};

struct fake_replicas;

struct fake_replica {
    struct fake_replicas *all;
    uint32_t id;
    struct net_gateway *gateway;
    struct crypto_provider *provider;
    char *certificate;
    char *tls_key;
    /* Guarded by all->lock. */
    enum fake_manner manner;
    uint32_t submissions; /* Calls of that kind. */
    uint32_t busy_left;   /* FAKE_BUSY, FAKE_BEHIND: then honest. */
    uint32_t busy_ms;     /* How long it says; 0: 5. */
    enum fake_witness witness;
    uint64_t newest;    /* The last block that it has, */
    uint64_t oldest;    /* and the first whose state it keeps. */
    uint32_t certifies; /* Calls of that kind. */
    uint32_t bodies;    /* Those that wanted the answer itself. */
    char *problem;      /* NULL: all is well. What its status says. */
};

struct fake_replicas {
    char folder[64];
    char consortium[96];
    struct salus_genesis *genesis;
    struct pbft_domain domain;
    struct fake_replica replicas[FAKE_REPLICAS];
    pthread_mutex_t lock;
    struct pbft_digest seen[FAKE_REQUESTS_MAX]; /* Distinct requests. */
    uint32_t seen_count;
    uint64_t sequences[FAKE_REQUESTS_MAX];
    uint32_t transactions[FAKE_REQUESTS_MAX]; /* 0: a VOID. */
    const struct pbft_message *first;         /* The first one. */
    uint32_t pages; /* Of the answer to a certified history. */
};

/* ---- the truth, and the lies about it ------------------------------------ */

struct fake_answer {
    struct results_transaction results[LEDGER_REQUEST_TRANSACTIONS_MAX];
    size_t count;
    uint32_t code; /* Of the request; then `count` is 0. */
    struct pbft_digest request;
    const struct pbft_request *whole; /* Goes with it; NULL: no need. */
    struct pbft_digest path[MERKLE_PATH_MAX];
    size_t path_count;
    struct pbft_attestation block;
    struct pbft_vote votes[2];
};

static void fake_results(const struct fake_replicas *all,
                         const struct pbft_request *request,
                         struct fake_answer *answer)
{
    struct pbft_bytes list[LEDGER_REQUEST_TRANSACTIONS_MAX];
    if (request->payload.size == 0) {
        return;
    }
    if (transaction_list_split(list, LEDGER_REQUEST_TRANSACTIONS_MAX,
                               &answer->count, request->payload) != PBFT_OK) {
        abort();
    }
    for (size_t i = 0; i < answer->count; i++) {
        struct pbft_bytes body;
        if (transaction_body(&body, list[i]) != PBFT_OK) {
            abort();
        }
        transaction_id(&answer->results[i].tx_id, &all->domain.cluster, body);
        memset(&answer->results[i].write_digest, 0x77, PBFT_DIGEST_SIZE);
    }
}

static void fake_block(struct fake_answer *answer, uint64_t seq)
{
    struct pbft_digest leaves[FAKE_LEAVES];
    const struct results_request own = {
        .digest = answer->request,
        .code = answer->code,
        .transaction_count = (uint32_t)answer->count,
        .transactions = answer->results,
    };
    memset(leaves, 0x33, sizeof leaves);
    results_request_leaf(&leaves[1], &own);
    merkle_root(&answer->block.results_root, leaves, FAKE_LEAVES);
    merkle_path_of(answer->path, &answer->path_count, leaves, 1, FAKE_LEAVES);
    answer->block.seq = seq;
    answer->block.block_time = 1700000000000000 + seq;
}

/* Attestations by `self` and its neighbour. */
static void fake_votes(struct fake_replica *self, struct fake_answer *answer,
                       enum fake_manner manner)
{
    struct fake_replicas *all = self->all;
    struct pbft_domain domain = all->domain;
    if (manner == FAKE_OTHER_CLUSTER) {
        domain.cluster.bytes[0] ^= 1;
    }
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t signer = manner == FAKE_SAME_SIGNER
                              ? self->id
                              : (self->id + i) % FAKE_REPLICAS;
        const struct pbft_crypto *crypto =
            crypto_provider_vtable(all->replicas[signer].provider);
        struct pbft_preimage preimage;
        pbft_attestation_preimage(&domain, 0, signer, 0, &answer->block,
                                  &preimage);
        struct pbft_bytes bytes = {preimage.bytes, preimage.size};
        answer->votes[i].replica = signer;
        answer->votes[i].incarnation = 0;
        crypto->sign(crypto->context, &answer->votes[i].signature, bytes);
    }
    if (answer->votes[0].replica > answer->votes[1].replica) {
        struct pbft_vote first = answer->votes[0]; /* Ascending. */
        answer->votes[0] = answer->votes[1];
        answer->votes[1] = first;
    }
}

static void fake_lie(struct fake_answer *answer, enum fake_manner manner)
{
    if (manner == FAKE_WRONG_PATH) {
        answer->path[0].bytes[5] ^= 1;
    } else if (manner == FAKE_WRONG_CODE && answer->count > 0) {
        answer->results[0].code = 7;
    } else if (manner == FAKE_BAD_SIGNATURE) {
        answer->votes[1].signature.bytes[3] ^= 1;
    }
}

/* ---- encoding ------------------------------------------------------------ */

static ProtobufCBinaryData fake_bytes(const void *data, size_t size)
{
    ProtobufCBinaryData bytes = {size, (uint8_t *)(uintptr_t)data};
    return bytes;
}

static void fake_reply(struct fake_replica *self, uint64_t call,
                       const Salus__V1__ClientReply *reply)
{
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, WIRE_FRAME_BYTES_MAX);
    if (wire_pack(&reply->base, &buffer) != PBFT_OK) {
        abort();
    }
    net_gateway_reply(self->gateway, call, wire_buffer_bytes(&buffer));
    wire_buffer_deinit(&buffer);
}

static void fake_refuse(struct fake_replica *self, uint64_t call,
                        Salus__V1__Refusal__Code code, uint32_t ledger_code)
{
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    Salus__V1__Refusal refusal = SALUS__V1__REFUSAL__INIT;
    refusal.code = code;
    if (code == SALUS__V1__REFUSAL__CODE__BUSY) {
        refusal.retry_after_ms = self->busy_ms != 0 ? self->busy_ms : 5;
    }
    refusal.ledger_code = ledger_code;
    reply.version = 1;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_REFUSAL;
    reply.refusal = &refusal;
    fake_reply(self, call, &reply);
}

static void fake_whole(Salus__V1__Request *out,
                       const struct pbft_request *request)
{
    out->client = fake_bytes(request->client.bytes, 32);
    out->institution = fake_bytes(request->institution.bytes, 16);
    out->session = request->session;
    out->sequence = request->sequence;
    out->lane = (uint32_t)request->lane;
    out->payload = fake_bytes(request->payload.data, request->payload.size);
    out->signature = fake_bytes(request->signature.bytes, 64);
}

static void fake_send_outcome(struct fake_replica *self, uint64_t call,
                              const struct fake_answer *answer,
                              enum fake_manner manner)
{
    static _Thread_local Salus__V1__TransactionOutcome
        results[LEDGER_REQUEST_TRANSACTIONS_MAX];
    static _Thread_local Salus__V1__TransactionOutcome
        *result_list[LEDGER_REQUEST_TRANSACTIONS_MAX];
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    Salus__V1__Outcome outcome = SALUS__V1__OUTCOME__INIT;
    Salus__V1__Stable stable = SALUS__V1__STABLE__INIT;
    Salus__V1__Attestation block = SALUS__V1__ATTESTATION__INIT;
    Salus__V1__Request whole = SALUS__V1__REQUEST__INIT;
    Salus__V1__CertificateVote votes[2];
    Salus__V1__CertificateVote *vote_list[2];
    ProtobufCBinaryData path[MERKLE_PATH_MAX];
    for (size_t i = 0; i < answer->count; i++) {
        salus__v1__transaction_outcome__init(&results[i]);
        results[i].tx_id = fake_bytes(answer->results[i].tx_id.bytes, 32);
        results[i].code = answer->results[i].code;
        results[i].write_digest =
            fake_bytes(answer->results[i].write_digest.bytes, 32);
        result_list[i] = &results[i];
    }
    for (size_t i = 0; i < answer->path_count; i++) {
        path[i] = fake_bytes(answer->path[i].bytes, 32);
    }
    for (size_t i = 0; i < 2; i++) {
        salus__v1__certificate_vote__init(&votes[i]);
        votes[i].replica = answer->votes[i].replica;
        votes[i].signature = fake_bytes(answer->votes[i].signature.bytes, 64);
        vote_list[i] = &votes[i];
    }
    block.seq = answer->block.seq;
    block.block_time_us = answer->block.block_time;
    block.block_digest = fake_bytes(answer->block.block_digest.bytes, 32);
    block.results_root = fake_bytes(answer->block.results_root.bytes, 32);
    block.ledger_root = fake_bytes(answer->block.ledger_root.bytes, 32);
    stable.attestation = &block;
    stable.votes = vote_list;
    stable.n_votes = manner == FAKE_ONE_SIGNATURE ? 1 : 2;
    outcome.request_digest = fake_bytes(answer->request.bytes, 32);
    outcome.request_code = answer->code;
    outcome.transactions = result_list;
    outcome.n_transactions = answer->count;
    outcome.request_index = 1;
    outcome.request_count = FAKE_LEAVES;
    outcome.path = path;
    outcome.n_path = answer->path_count;
    outcome.block = &stable;
    if (answer->whole != NULL) {
        fake_whole(&whole, answer->whole);
        outcome.request = &whole;
    }
    outcome.epoch = manner == FAKE_OTHER_EPOCH ? 1 : 0;
    reply.version = 1;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_OUTCOME;
    reply.outcome = &outcome;
    fake_reply(self, call, &reply);
}

static void fake_prove(struct fake_replica *self, uint64_t call,
                       const struct pbft_request *request,
                       enum fake_manner manner)
{
    struct fake_answer *answer = calloc(1, sizeof *answer);
    if (answer == NULL) {
        abort();
    }
    answer->request = request->digest;
    answer->whole = manner == FAKE_LOOKED_UP ? request : NULL;
    if (manner == FAKE_OTHER_REQUEST) {
        answer->request.bytes[0] ^= 1;
    }
    if (manner == FAKE_REPEATED || manner == FAKE_KEY_STATE) {
        answer->code =
            manner == FAKE_REPEATED ? LEDGER_DUPLICATE : LEDGER_KEY_STATE;
    } else {
        fake_results(self->all, request, answer);
    }
    if (manner == FAKE_WRONG_RESULT_ID && answer->count > 0) {
        answer->results[0].tx_id.bytes[0] ^= 1;
    }
    fake_block(answer, request->sequence);
    fake_votes(self, answer, manner);
    fake_lie(answer, manner);
    fake_send_outcome(self, call, answer, manner);
    free(answer);
}

/* ---- calls --------------------------------------------------------------- */

static void fake_note(struct fake_replicas *all,
                      const struct pbft_request *request)
{
    for (uint32_t i = 0; i < all->seen_count; i++) {
        if (memcmp(&all->seen[i], &request->digest, 32) == 0) {
            return;
        }
    }
    struct pbft_bytes list[LEDGER_REQUEST_TRANSACTIONS_MAX];
    size_t count = 0;
    if (request->payload.size > 0 &&
        transaction_list_split(list, LEDGER_REQUEST_TRANSACTIONS_MAX, &count,
                               request->payload) != PBFT_OK) {
        abort();
    }
    if (all->seen_count < FAKE_REQUESTS_MAX) {
        all->seen[all->seen_count] = request->digest;
        all->sequences[all->seen_count] = request->sequence;
        all->transactions[all->seen_count++] = (uint32_t)count;
    }
}

static void fake_submitted(struct fake_replica *self, uint64_t call,
                           const struct pbft_request *request)
{
    (void)pthread_mutex_lock(&self->all->lock);
    enum fake_manner manner = self->manner;
    self->submissions++;
    fake_note(self->all, request);
    if ((manner == FAKE_BUSY || manner == FAKE_BEHIND) &&
        self->busy_left-- == 0) {
        self->busy_left = 0;
        manner = FAKE_HONEST;
    }
    (void)pthread_mutex_unlock(&self->all->lock);
    struct pbft_bytes garbage = {(const uint8_t *)"\xff\xff\xff", 3};
    struct pbft_bytes nothing = {NULL, 0};
    Salus__V1__ClientReply query = SALUS__V1__CLIENT_REPLY__INIT;
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    switch (manner) {
    case FAKE_SILENT:
        return;
    case FAKE_BUSY:
        fake_refuse(self, call, SALUS__V1__REFUSAL__CODE__BUSY, 0);
        return;
    case FAKE_REFUSES:
        fake_refuse(self, call, SALUS__V1__REFUSAL__CODE__INADMISSIBLE, 7);
        return;
    case FAKE_BEHIND:
        fake_refuse(self, call, SALUS__V1__REFUSAL__CODE__INADMISSIBLE, 102);
        return;
    case FAKE_GARBAGE:
        net_gateway_reply(self->gateway, call, garbage);
        return;
    case FAKE_EMPTY:
        net_gateway_reply(self->gateway, call, nothing);
        return;
    case FAKE_ANSWERS_A_QUERY:
        query.version = 1;
        query.kind_case = SALUS__V1__CLIENT_REPLY__KIND_ANSWER;
        query.answer = &answer;
        fake_reply(self, call, &query);
        return;
    case FAKE_FIRST_STANDS:
        fake_prove(self, call, &self->all->first->request, manner);
        return;
    default:
        fake_prove(self, call, request, manner);
    }
}

static void fake_submit(struct fake_replica *self, uint64_t call,
                        const Salus__V1__Submit *submit)
{
    struct wire_buffer buffer;
    const struct pbft_message *message = NULL;
    wire_buffer_init(&buffer, WIRE_FRAME_BYTES_MAX);
    if (wire_pack(&submit->request->base, &buffer) != PBFT_OK ||
        wire_request_decode(&self->all->domain, wire_buffer_bytes(&buffer),
                            PBFT_SENDER_CLIENT, &message) != PBFT_OK) {
        abort();
    }
    (void)pthread_mutex_lock(&self->all->lock);
    if (self->all->first == NULL) {
        self->all->first = pbft_message_ref(message);
    }
    (void)pthread_mutex_unlock(&self->all->lock);
    fake_submitted(self, call, &message->request);
    pbft_message_unref(message);
    wire_buffer_deinit(&buffer);
}

/* Of the first request of all, whatever is asked for. */
static void fake_lookup(struct fake_replica *self, uint64_t call)
{
    (void)pthread_mutex_lock(&self->all->lock);
    const struct pbft_message *first = self->all->first;
    (void)pthread_mutex_unlock(&self->all->lock);
    if (first == NULL) {
        fake_refuse(self, call, SALUS__V1__REFUSAL__CODE__NOT_FOUND, 0);
    } else {
        fake_prove(self, call, &first->request, FAKE_LOOKED_UP);
    }
}

static void fake_query(struct fake_replica *self, uint64_t call)
{
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    answer.height = 100 + self->id;
    reply.version = 1;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_ANSWER;
    reply.answer = &answer;
    fake_reply(self, call, &reply);
}

/* ---- certified reads ----------------------------------------------------- */

#define FAKE_TIME_OF(height) (1790000000000000u + 1000u * (height))

/* Page by page the same at every honest replica. */
static void fake_page(const struct fake_replicas *all, uint64_t height,
                      const Salus__V1__Query *query, bool lie,
                      struct wire_buffer *out)
{
    Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
    Salus__V1__ConsentHistory history = SALUS__V1__CONSENT_HISTORY__INIT;
    Salus__V1__ConsentHistory__Event event =
        SALUS__V1__CONSENT_HISTORY__EVENT__INIT;
    Salus__V1__ConsentHistory__Event *events[] = {&event};
    uint8_t next = 1;
    if (query->kind_case == SALUS__V1__QUERY__KIND_CONSENT_HISTORY &&
        query->consent_history->cursor.len == 1) {
        next = (uint8_t)(query->consent_history->cursor.data[0] + 1);
    }
    event.seq = lie ? 666 : next;
    history.events = events;
    history.n_events = 1;
    if (next < all->pages) {
        history.cursor = fake_bytes(&next, 1);
    }
    answer.height = height;
    answer.block_time_us = FAKE_TIME_OF(height);
    answer.kind_case = SALUS__V1__ANSWER__KIND_CONSENT_HISTORY;
    answer.consent_history = &history;
    if (wire_pack(&answer.base, out) != PBFT_OK) {
        abort();
    }
}

/* What it signs. */
static void fake_said(const struct fake_replica *self, uint32_t caller,
                      uint64_t height, const Salus__V1__Query *query,
                      const struct wire_buffer *answer,
                      enum fake_witness witness, struct pbft_answered *said)
{
    const struct pbft_crypto *crypto = self->all->domain.crypto;
    struct wire_buffer question;
    wire_buffer_init(&question, 4096);
    if (wire_pack(&query->base, &question) != PBFT_OK) {
        abort();
    }
    *said = (struct pbft_answered){
        .seq = height,
        .block_time = FAKE_TIME_OF(height),
        .ledger_root = {{(uint8_t)height}},
        .caller = genesis_replica(self->all->genesis, caller)->institution};
    certified_query_digest(crypto, &said->query, wire_buffer_bytes(&question));
    certified_answer_digest(crypto, &said->answer, wire_buffer_bytes(answer));
    said->ledger_root.bytes[1] ^= witness == FAKE_WITNESS_OTHER_ROOT;
    said->caller.bytes[0] ^= witness == FAKE_WITNESS_OTHER_CALLER;
    said->query.bytes[0] ^= witness == FAKE_WITNESS_OTHER_QUESTION;
    wire_buffer_deinit(&question);
}

static void fake_send_certified(struct fake_replica *self, uint64_t call,
                                const struct pbft_answered *said,
                                enum fake_witness witness,
                                Salus__V1__Answer *body,
                                const struct wire_buffer *answer)
{
    const struct pbft_domain domain = {crypto_provider_vtable(self->provider),
                                       self->all->domain.cluster};
    struct pbft_preimage preimage;
    struct pbft_signature signature;
    struct pbft_digest digest;
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    Salus__V1__CertifiedAnswer out = SALUS__V1__CERTIFIED_ANSWER__INIT;
    pbft_answered_preimage(&domain, 0, self->id, 0, said, &preimage);
    domain.crypto->sign(domain.crypto->context, &signature,
                        (struct pbft_bytes){preimage.bytes, preimage.size});
    signature.bytes[5] ^= witness == FAKE_WITNESS_BAD_SIGNATURE;
    certified_answer_digest(domain.crypto, &digest, wire_buffer_bytes(answer));
    out.replica = self->id + (witness == FAKE_WITNESS_OTHER_SIGNER);
    out.height = said->seq;
    out.block_time_us = said->block_time;
    out.ledger_root = fake_bytes(said->ledger_root.bytes, 32);
    out.answer_digest = fake_bytes(digest.bytes, 32);
    out.signature = fake_bytes(signature.bytes, 64);
    out.answer = body;
    reply.version = 1;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_CERTIFIED;
    reply.certified = &out;
    fake_reply(self, call, &reply);
}

static void fake_refuse_height(struct fake_replica *self, uint64_t call,
                               Salus__V1__Refusal__Code code, uint64_t newest)
{
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    Salus__V1__Refusal refusal = SALUS__V1__REFUSAL__INIT;
    refusal.code = code;
    refusal.height = newest;
    reply.version = 1;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_REFUSAL;
    reply.refusal = &refusal;
    fake_reply(self, call, &reply);
}

static void fake_answer_certified(struct fake_replica *self, uint64_t call,
                                  uint32_t caller,
                                  const Salus__V1__CertifyCall *in,
                                  uint64_t height, enum fake_witness witness)
{
    struct wire_buffer answer;
    struct pbft_answered said;
    struct wire_arena arena;
    struct ProtobufCMessage *decoded = NULL;
    wire_buffer_init(&answer, 65536);
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    fake_page(self->all, height, in->query,
              witness == FAKE_WITNESS_OTHER_ANSWER, &answer);
    fake_said(self, caller, height, in->query, &answer, witness, &said);
    if (wire_unpack_strict(&salus__v1__answer__descriptor,
                           wire_buffer_bytes(&answer), &arena,
                           &decoded) != PBFT_OK) {
        abort();
    }
    Salus__V1__Answer *body = (Salus__V1__Answer *)decoded;
    if (witness == FAKE_WITNESS_OTHER_BODY) {
        body->consent_history->events[0]->seq = 777;
    }
    fake_send_certified(
        self, call, &said, witness,
        in->digest_only || witness == FAKE_WITNESS_NO_BODY ? NULL : body,
        &answer);
    wire_arena_deinit(&arena);
    wire_buffer_deinit(&answer);
}

static void fake_certify(struct fake_replica *self, uint64_t call,
                         uint32_t caller, const Salus__V1__CertifyCall *in)
{
    struct pbft_bytes garbage = {(const uint8_t *)"\xff\xff\xff", 3};
    (void)pthread_mutex_lock(&self->all->lock);
    enum fake_witness witness = self->witness;
    uint64_t newest = self->newest;
    uint64_t oldest = self->oldest;
    bool is_busy = witness == FAKE_WITNESS_BUSY_ONCE && self->certifies == 0;
    self->certifies++;
    self->bodies += !in->digest_only;
    (void)pthread_mutex_unlock(&self->all->lock);
    uint64_t height = in->height == 0 ? newest : in->height;
    if (witness == FAKE_WITNESS_SILENT) {
        return;
    }
    if (witness == FAKE_WITNESS_GARBAGE) {
        net_gateway_reply(self->gateway, call, garbage);
    } else if (is_busy) {
        fake_refuse(self, call, SALUS__V1__REFUSAL__CODE__BUSY, 0);
    } else if (witness == FAKE_WITNESS_REFUSES) {
        fake_refuse(self, call, SALUS__V1__REFUSAL__CODE__NOT_AUTHORIZED, 0);
    } else if (height > newest) {
        fake_refuse_height(self, call, SALUS__V1__REFUSAL__CODE__SYNCING,
                           newest);
    } else if (height < oldest) {
        fake_refuse_height(self, call, SALUS__V1__REFUSAL__CODE__GONE, newest);
    } else {
        fake_answer_certified(self, call, caller, in,
                              height + (witness == FAKE_WITNESS_OTHER_HEIGHT),
                              witness);
    }
}

static void fake_status(struct fake_replica *self, uint64_t call)
{
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    Salus__V1__NodeStatus status = SALUS__V1__NODE_STATUS__INIT;
    status.replica = self->id;
    status.state = self->problem != NULL ? self->problem : status.state;
    status.problem = self->problem != NULL ? self->problem : status.problem;
    status.unsafe = &self->problem;
    status.n_unsafe = self->problem != NULL ? 1 : 0;
    reply.version = 1;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_STATUS;
    reply.status = &status;
    fake_reply(self, call, &reply);
}

/* Two commits of `accused` for one slot, under its real key. */
static inline size_t fake_evidence(const struct fake_replicas *all,
                                   pbft_replica_id accused,
                                   uint8_t out[PBFT_EVIDENCE_BYTES_MAX])
{
    const struct pbft_domain domain = {
        .crypto = crypto_provider_vtable(all->replicas[accused].provider),
        .cluster = all->domain.cluster};
    struct pbft_statement statements[2];
    for (uint8_t i = 0; i < 2; i++) {
        const struct pbft_origin origin = {.sender = accused};
        const struct pbft_prepare fields = {3, 7, {{i}}};
        struct pbft_message *vote =
            pbft_vote_create(PBFT_MESSAGE_COMMIT, &origin, &fields);
        pbft_message_sign(&domain, vote);
        pbft_statement_of(&domain, vote, &statements[i]);
        pbft_message_unref(vote);
    }
    struct pbft_message *evidence =
        pbft_evidence_create(accused, &statements[0], &statements[1]);
    const size_t size = pbft_evidence_encode(evidence->evidence, out);
    pbft_message_unref(evidence);
    return size;
}

/* Replica 1 holds evidence against replica 2, and sends something else too;
 * replica 3 has made some up against replica 0. */
static void fake_accuse(struct fake_replica *self, uint64_t call)
{
    static uint8_t junk[] = {1, 2, 3};
    uint8_t bytes[PBFT_EVIDENCE_BYTES_MAX];
    ProtobufCBinaryData items[2] = {{sizeof junk, junk}, {0, bytes}};
    Salus__V1__ClientReply reply = SALUS__V1__CLIENT_REPLY__INIT;
    Salus__V1__EvidenceList list = SALUS__V1__EVIDENCE_LIST__INIT;
    if (self->id == 1) {
        items[1].len = fake_evidence(self->all, 2, bytes);
        list.evidence = items;
        list.n_evidence = 2;
    } else if (self->id == 3) {
        items[1].len = fake_evidence(self->all, 0, bytes);
        bytes[items[1].len - 1] ^= 1; /* Of the second signature. */
        list.evidence = items + 1;
        list.n_evidence = 1;
    }
    reply.version = 1;
    reply.kind_case = SALUS__V1__CLIENT_REPLY__KIND_EVIDENCE;
    reply.evidence = &list;
    fake_reply(self, call, &reply);
}

static void fake_on_call(void *context, uint64_t call, uint32_t caller,
                         struct pbft_buffer *buffer)
{
    struct fake_replica *self = context;
    struct wire_arena arena;
    struct ProtobufCMessage *decoded = NULL;
    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (wire_unpack_strict(&salus__v1__client_call__descriptor,
                           pbft_buffer_bytes(buffer), &arena,
                           &decoded) != PBFT_OK) {
        abort();
    }
    const Salus__V1__ClientCall *parsed =
        (const Salus__V1__ClientCall *)decoded;
    if (parsed->kind_case == SALUS__V1__CLIENT_CALL__KIND_SUBMIT) {
        fake_submit(self, call, parsed->submit);
    } else if (parsed->kind_case == SALUS__V1__CLIENT_CALL__KIND_LOOKUP) {
        fake_lookup(self, call);
    } else if (parsed->kind_case == SALUS__V1__CLIENT_CALL__KIND_QUERY) {
        fake_query(self, call);
    } else if (parsed->kind_case == SALUS__V1__CLIENT_CALL__KIND_CERTIFY) {
        fake_certify(self, call, caller, parsed->certify);
    } else if (parsed->kind_case == SALUS__V1__CLIENT_CALL__KIND_STATUS) {
        fake_status(self, call);
    } else if (parsed->kind_case == SALUS__V1__CLIENT_CALL__KIND_EVIDENCE) {
        fake_accuse(self, call);
    } else {
        fake_refuse(self, call, SALUS__V1__REFUSAL__CODE__NOT_FOUND, 0);
    }
    wire_arena_deinit(&arena);
    pbft_buffer_unref(buffer);
}

/* ---- setting up ---------------------------------------------------------- */

static char *fake_read(const struct fake_replicas *all, uint32_t replica,
                       const char *name)
{
    char path[256];
    char *text = calloc(1, 16384);
    (void)snprintf(path, sizeof path, "%s/%s/%s", all->consortium,
                   genesis_replica(all->genesis, replica)->name, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(text);
    assert_true(fread(text, 1, 16383, file) > 0);
    (void)fclose(file);
    return text;
}

static void fake_open(struct fake_replicas *all, uint32_t id)
{
    struct fake_replica *self = &all->replicas[id];
    struct net_member members[FAKE_REPLICAS];
    struct net_gateway_config config;
    struct net_problem problem = {{0}};
    net_gateway_config_defaults(&config);
    for (uint32_t i = 0; i < FAKE_REPLICAS; i++) {
        const struct salus_member *member = genesis_replica(all->genesis, i);
        members[i] = (struct net_member){
            .name = member->name,
            .tls_ca = {member->tls_ca, member->tls_ca_size},
        };
    }
    config.members = members;
    config.member_count = FAKE_REPLICAS;
    config.self = id;
    config.own.certificate_pem = self->certificate;
    config.own.key_pem = self->tls_key;
    config.listen_address = genesis_replica(all->genesis, id)->client_address;
    config.context = self;
    config.call = fake_on_call;
    if (net_gateway_open(&config, &self->gateway, &problem) != PBFT_OK) {
        fail_msg("fake replica: %s", problem.text);
    }
}

static void fake_close(struct fake_replicas *all, uint32_t id)
{
    net_gateway_close(all->replicas[id].gateway);
    all->replicas[id].gateway = NULL;
}

static void fake_load(struct fake_replicas *all, uint32_t id)
{
    struct fake_replica *self = &all->replicas[id];
    struct keyfile key;
    char path[256];
    self->all = all;
    self->id = id;
    self->certificate = fake_read(all, id, "replica-tls.pem");
    self->tls_key = fake_read(all, id, "replica-tls.key");
    (void)snprintf(path, sizeof path, "%s/%s/replica.key", all->consortium,
                   genesis_replica(all->genesis, id)->name);
    assert_int_equal(keyfile_read(&key, path, KEYFILE_REPLICA, NULL), PBFT_OK);
    assert_int_equal(crypto_provider_create(&self->provider, key.secret),
                     PBFT_OK);
    keyfile_wipe(&key);
}

/* All of them honest. */
static void fake_replicas_create(struct fake_replicas *all)
{
    struct consortium_options options = {.replicas = FAKE_REPLICAS};
    struct salus_reason reason = {{0}};
    char path[128];
    memset(all, 0, sizeof *all);
    assert_int_equal(crypto_init(), PBFT_OK);
    (void)pthread_mutex_init(&all->lock, NULL);
    (void)snprintf(all->folder, sizeof all->folder, "/tmp/salus-fake-XXXXXX");
    assert_non_null(mkdtemp(all->folder));
    (void)snprintf(all->consortium, sizeof all->consortium, "%s/trial",
                   all->folder);
    options.folder = all->consortium;
    options.base_port = replicas_free_ports(2 * FAKE_REPLICAS);
    options.policies = consortium_trial_policies;
    if (consortium_create(&options, &reason) != PBFT_OK) {
        fail_msg("consortium: %s", reason.text);
    }
    (void)snprintf(path, sizeof path, "%s/genesis.txt", all->consortium);
    assert_int_equal(
        genesis_file_load(&all->genesis, &all->domain.cluster, path, &reason),
        PBFT_OK);
    all->domain.crypto = crypto_provider_verify_only();
    for (uint32_t i = 0; i < FAKE_REPLICAS; i++) {
        fake_load(all, i);
        fake_open(all, i);
    }
}

static void fake_replicas_destroy(struct fake_replicas *all)
{
    for (uint32_t i = 0; i < FAKE_REPLICAS; i++) {
        fake_close(all, i);
        crypto_provider_destroy(all->replicas[i].provider);
        free(all->replicas[i].certificate);
        free(all->replicas[i].tls_key);
    }
    pbft_message_unref(all->first);
    genesis_destroy(all->genesis);
    replicas_remove_folder(all->folder);
    (void)pthread_mutex_destroy(&all->lock);
}

static inline void fake_set(struct fake_replicas *all, uint32_t id,
                            enum fake_manner manner)
{
    (void)pthread_mutex_lock(&all->lock);
    all->replicas[id].manner = manner;
    (void)pthread_mutex_unlock(&all->lock);
}

static inline void fake_set_all(struct fake_replicas *all,
                                enum fake_manner manner)
{
    for (uint32_t i = 0; i < FAKE_REPLICAS; i++) {
        fake_set(all, i, manner);
    }
}

#endif /* TESTS_SUPPORT_FAKE_REPLICAS_H */
