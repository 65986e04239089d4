/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the seeds of the corpus: small valid inputs of every kind.
 *
 *   make_corpus FOLDER     (tests/fuzz/corpus; its sub-folders must exist)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/evidence.h"
#include "proto/armor.h"
#include "proto/codec.h"
#include "proto/scan.h"
#include "salus/v1/client.pb-c.h"
#include "salus/v1/files.pb-c.h"
#include "salus/v1/ledger.pb-c.h"
#include "tests/support/cast.h"
#include "tests/support/random_message.h"
#include "tests/support/sample_genesis.h"

#define LIST_BYTES(text)                                                       \
    (ProtobufCBinaryData)                                                      \
    {                                                                          \
        .len = sizeof(text) - 1, .data = (uint8_t *)(uintptr_t)(text)          \
    }

static const char *root;
static struct wire_buffer out;

static void store(const char *target, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s/%s", root, target, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(out.data, 1, out.size, file) != out.size ||
        fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    wire_buffer_reset(&out);
}

static void must(enum pbft_status status)
{
    if (status != PBFT_OK) {
        (void)fprintf(stderr, "%s\n", pbft_status_text(status));
        exit(1);
    }
}

static void store_messages(const struct cast *cast)
{
    struct support_random random = {.state = 1};
    const struct random_shape shape = {.requests_max = 2,
                                       .payload_max = 20,
                                       .votes_max = 2,
                                       .certificates_max = 2};
    const struct pbft_domain *domain = &cast->replicas[0].domain;
    struct wire_buffer envelope;
    uint32_t count = 0;
    wire_buffer_init(&envelope, WIRE_FRAME_BYTES_MAX);
    wire_envelope_begin(&envelope, &domain->cluster, 1);
    for (int type = PBFT_MESSAGE_REQUEST; type <= PBFT_MESSAGE_EVIDENCE;
         type++) {
        char name[64];
        struct pbft_message *message = random_message(
            &random, domain, (enum pbft_message_type)type, &shape);
        must(wire_message_encode(message, WIRE_BODY_INCLUDE, &out));
        must(wire_envelope_add(&envelope, wire_buffer_bytes(&out), &count));
        (void)snprintf(name, sizeof name, "%s",
                       pbft_message_type_name(message->type));
        store("fuzz_message", name);
        if (message->type == PBFT_MESSAGE_EVIDENCE) {
            uint8_t bytes[PBFT_EVIDENCE_BYTES_MAX];
            wire_buffer_put(&out, bytes,
                            pbft_evidence_encode(message->evidence, bytes));
            store("fuzz_evidence", "two-prepares");
        }
        pbft_message_unref(message);
    }
    wire_buffer_put(&out, envelope.data, envelope.size);
    store("fuzz_envelope", "all-kinds");
    wire_envelope_begin(&out, &domain->cluster, 0);
    store("fuzz_envelope", "empty");
    wire_buffer_deinit(&envelope);
}

/* Signed ones reach further into the verifier. */
static void store_signed(const struct cast *cast)
{
    static const pbft_replica_id signers[] = {0, 1, 2};
    struct pbft_message *batch = cast_batch(cast, 5, 1, 2);
    struct pbft_message *header = cast_pre_prepare(cast, 0, 1, batch);
    struct pbft_message *committed =
        cast_certificate(cast, PBFT_MESSAGE_COMMITTED, header, signers, 3);
    must(wire_message_encode(header, WIRE_BODY_INCLUDE, &out));
    store("fuzz_message", "signed-pre-prepare");
    must(wire_message_encode(committed, WIRE_BODY_INCLUDE, &out));
    store("fuzz_message", "signed-committed");
    pbft_message_unref(committed);
    pbft_message_unref(header);
    pbft_message_unref(batch);
}

static void store_files(void)
{
    struct salus_genesis *genesis = sample_genesis(4);
    struct wire_buffer bytes;
    for (uint32_t i = 0; i < 4; i++) {
        genesis->members[i].tls_ca_size = 8; /* Short seeds fuzz faster. */
        sample_possess(&genesis->members[i], i);
    }
    wire_buffer_init(&bytes, WIRE_FRAME_BYTES_MAX);
    must(genesis_encode(genesis, &bytes));
    wire_buffer_put(&out, bytes.data, bytes.size);
    store("fuzz_genesis", "genesis");
    wire_buffer_put(&out, "\x02", 1);
    wire_buffer_put(&out, bytes.data, bytes.size);
    store("fuzz_scan", "genesis");
    must(armor_encode(ARMOR_GENESIS, (struct pbft_bytes){bytes.data, 100},
                      &out));
    store("fuzz_armor", "genesis");
    wire_buffer_reset(&bytes);
    must(member_encode(&genesis->members[0], &bytes));
    wire_buffer_put(&out, bytes.data, bytes.size);
    store("fuzz_genesis", "member");
    must(armor_encode(ARMOR_PRIVATE_KEY, (struct pbft_bytes){bytes.data, 47},
                      &out));
    store("fuzz_armor", "private-key");
    wire_buffer_deinit(&bytes);
    genesis_destroy(genesis);
}

static void store_receipt(void)
{
    static uint8_t bytes[64] = {0xc1};
    ProtobufCBinaryData digest = {.len = 32, .data = bytes};
    ProtobufCBinaryData path[2] = {digest, digest};
    Salus__V1__Receipt receipt = SALUS__V1__RECEIPT__INIT;
    Salus__V1__Request request = SALUS__V1__REQUEST__INIT;
    Salus__V1__Outcome outcome = SALUS__V1__OUTCOME__INIT;
    Salus__V1__Stable block = SALUS__V1__STABLE__INIT;
    Salus__V1__Attestation attestation = SALUS__V1__ATTESTATION__INIT;
    Salus__V1__TransactionOutcome transaction =
        SALUS__V1__TRANSACTION_OUTCOME__INIT;
    Salus__V1__TransactionOutcome *transactions[] = {&transaction};
    request.client = digest;
    request.institution = (ProtobufCBinaryData){.len = 16, .data = bytes};
    request.session = 1;
    request.sequence = 1;
    request.payload = LIST_BYTES("\x0a\x04\x0a\x02\x10\x01");
    request.signature = (ProtobufCBinaryData){.len = 64, .data = bytes};
    transaction.tx_id = digest;
    transaction.write_digest = digest;
    attestation.seq = 1;
    attestation.block_time_us = 1;
    attestation.block_digest = digest;
    attestation.results_root = digest;
    attestation.ledger_root = digest;
    block.attestation = &attestation;
    outcome.request_digest = digest;
    outcome.n_transactions = 1;
    outcome.transactions = transactions;
    outcome.request_count = 3;
    outcome.n_path = 2;
    outcome.path = path;
    outcome.block = &block;
    receipt.version = 1;
    receipt.cluster = digest;
    receipt.request = &request;
    receipt.outcome = &outcome;
    must(wire_pack(&receipt.base, &out));
    store("fuzz_receipt", "receipt");
    wire_buffer_put(&out, "\x05", 1);
    must(wire_pack(&receipt.base, &out));
    store("fuzz_scan", "receipt");
}

/* Two pages that belong together; only the signatures are no good. */
static void store_proof(void)
{
    static uint8_t bytes[64] = {0xc1};
    static uint8_t cursor[] = {1};
    ProtobufCBinaryData digest = {.len = 32, .data = bytes};
    ProtobufCBinaryData pages[2];
    struct wire_buffer parts[6];
    Salus__V1__QueryProof proof = SALUS__V1__QUERY_PROOF__INIT;
    for (size_t i = 0; i < 6; i++) {
        wire_buffer_init(&parts[i], WIRE_FRAME_BYTES_MAX);
    }
    for (size_t i = 0; i < 2; i++) {
        Salus__V1__Query query = SALUS__V1__QUERY__INIT;
        Salus__V1__SuspectQuery suspect = SALUS__V1__SUSPECT_QUERY__INIT;
        Salus__V1__Answer answer = SALUS__V1__ANSWER__INIT;
        Salus__V1__Suspects suspects = SALUS__V1__SUSPECTS__INIT;
        Salus__V1__ProofPage page = SALUS__V1__PROOF_PAGE__INIT;
        Salus__V1__CertificateVote votes[2];
        Salus__V1__CertificateVote *list[] = {&votes[0], &votes[1]};
        suspect.key_id = (ProtobufCBinaryData){.len = 16, .data = bytes};
        suspect.cursor = (ProtobufCBinaryData){.len = i, .data = cursor};
        query.kind_case = SALUS__V1__QUERY__KIND_SUSPECT;
        query.suspect = &suspect;
        suspects.cursor = (ProtobufCBinaryData){.len = 1 - i, .data = cursor};
        answer.height = 7;
        answer.block_time_us = 9;
        answer.kind_case = SALUS__V1__ANSWER__KIND_SUSPECTS;
        answer.suspects = &suspects;
        must(wire_pack(&query.base, &parts[3 * i]));
        must(wire_pack(&answer.base, &parts[3 * i + 1]));
        for (uint32_t j = 0; j < 2; j++) {
            salus__v1__certificate_vote__init(&votes[j]);
            votes[j].replica = j;
            votes[j].signature =
                (ProtobufCBinaryData){.len = 64, .data = bytes};
        }
        page.query = (ProtobufCBinaryData){.len = parts[3 * i].size,
                                           .data = parts[3 * i].data};
        page.answer = (ProtobufCBinaryData){.len = parts[3 * i + 1].size,
                                            .data = parts[3 * i + 1].data};
        page.votes = list;
        page.n_votes = 2;
        must(wire_pack(&page.base, &parts[3 * i + 2]));
        pages[i] = (ProtobufCBinaryData){.len = parts[3 * i + 2].size,
                                         .data = parts[3 * i + 2].data};
    }
    proof.version = 1;
    proof.cluster = digest;
    proof.institution = (ProtobufCBinaryData){.len = 16, .data = bytes};
    proof.height = 7;
    proof.block_time_us = 9;
    proof.ledger_root = digest;
    proof.pages = pages;
    proof.n_pages = 2;
    must(wire_pack(&proof.base, &out));
    store("fuzz_proof", "two-pages");
    for (size_t i = 0; i < 6; i++) {
        wire_buffer_deinit(&parts[i]);
    }
}

static void store_transaction(void)
{
    static uint8_t bytes[32] = {7};
    ProtobufCBinaryData half = {.len = 16, .data = bytes};
    ProtobufCBinaryData digest = {.len = 32, .data = bytes};
    Salus__V1__TransactionBody body = SALUS__V1__TRANSACTION_BODY__INIT;
    Salus__V1__ConsentGrant grant = SALUS__V1__CONSENT_GRANT__INIT;
    Salus__V1__Selector selector = SALUS__V1__SELECTOR__INIT;
    Salus__V1__Transaction transaction = SALUS__V1__TRANSACTION__INIT;
    Salus__V1__TransactionList list = SALUS__V1__TRANSACTION_LIST__INIT;
    ProtobufCBinaryData items[1];
    uint32_t codes[] = {1, 2};
    struct wire_buffer inner;
    selector.purposes = codes;
    selector.n_purposes = 2;
    grant.consent = half;
    grant.subject = digest;
    grant.root = &selector;
    body.chain_id = digest;
    body.version = 1;
    body.institution = half;
    body.key_id = half;
    body.not_after_ms = 1;
    body.payload_case = SALUS__V1__TRANSACTION_BODY__PAYLOAD_CONSENT_GRANT;
    body.consent_grant = &grant;
    must(wire_pack(&body.base, &out));
    wire_buffer_init(&inner, WIRE_FRAME_BYTES_MAX);
    must(wire_pack(&body.base, &inner));
    store("fuzz_transaction", "body");
    transaction.body =
        (ProtobufCBinaryData){.len = inner.size, .data = inner.data};
    must(wire_pack(&transaction.base, &out));
    items[0] = (ProtobufCBinaryData){.len = out.size, .data = out.data};
    list.transactions = items;
    list.n_transactions = 1;
    wire_buffer_reset(&inner);
    must(wire_pack(&list.base, &inner));
    wire_buffer_reset(&out);
    wire_buffer_put(&out, inner.data, inner.size);
    store("fuzz_transaction", "list");
    wire_buffer_put(&out, "\x08", 1);
    must(wire_pack(&body.base, &out));
    store("fuzz_scan", "transaction-body");
    wire_buffer_deinit(&inner);
}

int main(int argc, char **argv)
{
    static struct cast cast;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: make_corpus FOLDER\n");
        return 2;
    }
    root = argv[1];
    cast_init(&cast, 4);
    wire_buffer_init(&out, WIRE_FRAME_BYTES_MAX);
    store_messages(&cast);
    store_signed(&cast);
    store_files();
    store_receipt();
    store_proof();
    store_transaction();
    wire_buffer_deinit(&out);
    return 0;
}
