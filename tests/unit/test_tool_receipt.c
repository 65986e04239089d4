/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: one made with the keys of a trial consortium verifies; each kind of
 * tampering fails in the check that is meant for it; no changed byte passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/receipt.h"
#include "client/replicas.h"
#include "client/salus.h"
#include "client/tool_consortium.h"
#include "client/tool_verify.h"
#include "consensus/preimage.h"
#include "crypto/init.h"
#include "crypto/keyfile.h"
#include "crypto/merkle.h"
#include "crypto/provider.h"
#include "ledger/results.h"
#include "proto/armor.h"
#include "proto/codec_limits.h"
#include "proto/scan.h"
#include "salus/v1/files.pb-c.h"

#define REPLICAS 4
#define TRANSACTIONS 3
#define LEAVES 5 /* Requests in the block; ours is the fourth. */
#define OUR_LEAF 3

static char folder[64];
static char consortium[96];
static struct salus_genesis *genesis;
static struct pbft_digest cluster;
static struct crypto_provider *replicas[REPLICAS];
static struct crypto_provider *client;

/* Everything of a receipt, ready to be changed before it is encoded. */
static struct parts {
    Salus__V1__Receipt receipt;
    Salus__V1__Request request;
    Salus__V1__Outcome outcome;
    Salus__V1__Stable stable;
    Salus__V1__Attestation attestation;
    Salus__V1__TransactionOutcome results[TRANSACTIONS];
    Salus__V1__TransactionOutcome *result_list[TRANSACTIONS];
    Salus__V1__CertificateVote votes[REPLICAS];
    Salus__V1__CertificateVote *vote_list[REPLICAS];
    ProtobufCBinaryData path[MERKLE_PATH_MAX];
    struct pbft_digest path_nodes[MERKLE_PATH_MAX];
    struct results_transaction outcomes[TRANSACTIONS];
    struct pbft_signature signatures[REPLICAS];
    struct pbft_attestation block;
    struct pbft_request fields;
    struct pbft_digest request_digest;
    struct transaction_bytes payload;
} parts;

static ProtobufCBinaryData bytes_of(void *data, size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = data};
}

static struct crypto_provider *load_key(const char *member, const char *file,
                                        enum keyfile_kind kind)
{
    char path[256];
    struct keyfile key;
    struct salus_reason reason = {""};
    struct crypto_provider *provider = NULL;
    (void)snprintf(path, sizeof path, "%s/%s/%s", consortium, member, file);
    assert_int_equal(keyfile_read(&key, path, kind, &reason), PBFT_OK);
    assert_int_equal(crypto_provider_create(&provider, key.secret), PBFT_OK);
    keyfile_wipe(&key);
    return provider;
}

static int make_consortium(void **state)
{
    char path[128];
    struct salus_reason reason = {""};
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/salus-receipt-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(consortium, sizeof consortium, "%s/c", folder);
    const struct consortium_options options = {
        .folder = consortium, .replicas = REPLICAS, .base_port = 7000};
    assert_int_equal(consortium_create(&options, &reason), PBFT_OK);
    (void)snprintf(path, sizeof path, "%s/genesis.txt", consortium);
    assert_int_equal(genesis_file_load(&genesis, &cluster, path, &reason),
                     PBFT_OK);
    for (uint32_t i = 0; i < REPLICAS; i++) {
        replicas[i] = load_key(genesis_replica(genesis, i)->name, "replica.key",
                               KEYFILE_REPLICA);
    }
    client = load_key(genesis_replica(genesis, 0)->name, "client.key",
                      KEYFILE_CLIENT);
    return 0;
}

static int remove_consortium(void **state)
{
    (void)state;
    genesis_destroy(genesis);
    for (uint32_t i = 0; i < REPLICAS; i++) {
        crypto_provider_destroy(replicas[i]);
    }
    crypto_provider_destroy(client);
    replicas_remove_folder(folder);
    return 0;
}

/* ---- making -------------------------------------------------------------- */

static void make_payload(void)
{
    struct transaction_bytes encoded[TRANSACTIONS];
    struct pbft_bytes list[TRANSACTIONS];
    for (size_t i = 0; i < TRANSACTIONS; i++) {
        uint8_t id[16];
        struct transaction_bytes body;
        memset(id, (int)(0x81 + i), sizeof id);
        const struct transaction_envelope envelope = {
            .chain = cluster,
            .institution = genesis_replica(genesis, 0)->institution,
            .not_after_ms = 1790000000000,
            .table_version = 1};
        const struct transaction transaction = {
            .type = TRANSACTION_CONSENT_REVOKE,
            .consent_revoke = {.consent = {id, sizeof id},
                               .reason = 20,
                               .revoked_at_ms = 1780000000000}};
        assert_int_equal(transaction_build(&body, &envelope, &transaction),
                         PBFT_OK);
        transaction_id(&parts.outcomes[i].tx_id, &cluster,
                       (struct pbft_bytes){body.data, body.size});
        parts.outcomes[i].code = i == 1 ? 231 : 0;
        memset(&parts.outcomes[i].write_digest, (int)i,
               sizeof parts.outcomes[i].write_digest);
        assert_int_equal(
            transaction_seal(&encoded[i],
                             (struct pbft_bytes){body.data, body.size}, NULL,
                             0),
            PBFT_OK);
        list[i] = (struct pbft_bytes){encoded[i].data, encoded[i].size};
        free(body.data);
    }
    assert_int_equal(transaction_list_pack(&parts.payload, list, TRANSACTIONS),
                     PBFT_OK);
    for (size_t i = 0; i < TRANSACTIONS; i++) {
        free(encoded[i].data);
    }
}

static void make_request(void)
{
    const struct pbft_crypto *crypto = crypto_provider_vtable(client);
    const struct pbft_domain domain = {crypto, cluster};
    struct pbft_preimage preimage;
    struct pbft_request *fields = &parts.fields;

    fields->client = *crypto_provider_public_key(client);
    fields->institution = genesis_replica(genesis, 0)->institution;
    fields->session = 7;
    fields->sequence = 1;
    fields->payload =
        (struct pbft_bytes){parts.payload.data, parts.payload.size};
    pbft_request_hash_payload(&domain, fields);
    pbft_request_preimage(&domain, fields, &preimage);
    crypto->sign(crypto->context, &fields->signature,
                 (struct pbft_bytes){preimage.bytes, preimage.size});
    struct pbft_message *message =
        pbft_request_create(&domain, fields, PBFT_SENDER_CLIENT, NULL);
    assert_non_null(message);
    parts.request_digest = message->request.digest;
    pbft_message_unref(message);

    salus__v1__request__init(&parts.request);
    parts.request.client = bytes_of(fields->client.bytes, 32);
    parts.request.institution = bytes_of(fields->institution.bytes, 16);
    parts.request.session = fields->session;
    parts.request.sequence = fields->sequence;
    parts.request.payload = bytes_of(parts.payload.data, parts.payload.size);
    parts.request.signature = bytes_of(fields->signature.bytes, 64);
}

static void make_block(void)
{
    struct pbft_digest leaves[LEAVES];
    size_t count = 0;
    const struct results_request ours = {.digest = parts.request_digest,
                                         .transaction_count = TRANSACTIONS,
                                         .transactions = parts.outcomes};
    memset(leaves, 0x5a, sizeof leaves);
    results_request_leaf(&leaves[OUR_LEAF], &ours);
    merkle_path_of(parts.path_nodes, &count, leaves, OUR_LEAF, LEAVES);
    parts.outcome.n_path = count;
    parts.block.seq = 12;
    parts.block.block_time = 1785000000123456;
    memset(&parts.block.block_digest, 1, sizeof parts.block.block_digest);
    memset(&parts.block.ledger_root, 2, sizeof parts.block.ledger_root);
    merkle_root(&parts.block.results_root, leaves, LEAVES);
}

static void attest(uint32_t replica, uint64_t incarnation)
{
    const struct pbft_crypto *crypto =
        crypto_provider_vtable(replicas[replica]);
    const struct pbft_domain domain = {crypto, cluster};
    struct pbft_preimage preimage;
    pbft_attestation_preimage(&domain, 0, replica, incarnation, &parts.block,
                              &preimage);
    crypto->sign(crypto->context, &parts.signatures[replica],
                 (struct pbft_bytes){preimage.bytes, preimage.size});
}

static void fill_outcome(void)
{
    Salus__V1__Outcome *outcome = &parts.outcome;
    outcome->request_digest = bytes_of(parts.request_digest.bytes, 32);
    outcome->request_index = OUR_LEAF;
    outcome->request_count = LEAVES;
    outcome->n_transactions = TRANSACTIONS;
    outcome->transactions = parts.result_list;
    for (size_t i = 0; i < TRANSACTIONS; i++) {
        salus__v1__transaction_outcome__init(&parts.results[i]);
        parts.results[i].tx_id = bytes_of(parts.outcomes[i].tx_id.bytes, 32);
        parts.results[i].code = parts.outcomes[i].code;
        parts.results[i].write_digest =
            bytes_of(parts.outcomes[i].write_digest.bytes, 32);
        parts.result_list[i] = &parts.results[i];
    }
    outcome->path = parts.path;
    for (size_t i = 0; i < outcome->n_path; i++) {
        parts.path[i] = bytes_of(parts.path_nodes[i].bytes, 32);
    }
    outcome->block = &parts.stable;
    salus__v1__stable__init(&parts.stable);
    parts.stable.attestation = &parts.attestation;
    salus__v1__attestation__init(&parts.attestation);
    parts.attestation.seq = parts.block.seq;
    parts.attestation.block_time_us = parts.block.block_time;
    parts.attestation.block_digest =
        bytes_of(parts.block.block_digest.bytes, 32);
    parts.attestation.results_root =
        bytes_of(parts.block.results_root.bytes, 32);
    parts.attestation.ledger_root = bytes_of(parts.block.ledger_root.bytes, 32);
    parts.stable.votes = parts.vote_list;
    parts.stable.n_votes = 2;
    for (uint32_t i = 0; i < REPLICAS; i++) {
        salus__v1__certificate_vote__init(&parts.votes[i]);
        parts.votes[i].replica = i;
        parts.votes[i].signature = bytes_of(parts.signatures[i].bytes, 64);
        parts.vote_list[i] = &parts.votes[i];
        attest(i, 0);
    }
}

static int make_receipt(void **state)
{
    (void)state;
    memset(&parts, 0, sizeof parts);
    make_payload();
    make_request();
    salus__v1__outcome__init(&parts.outcome);
    make_block();
    fill_outcome();
    salus__v1__receipt__init(&parts.receipt);
    parts.receipt.version = 1;
    parts.receipt.cluster = bytes_of(cluster.bytes, 32);
    parts.receipt.request = &parts.request;
    parts.receipt.index = 2;
    parts.receipt.outcome = &parts.outcome;
    return 0;
}

static int drop_receipt(void **state)
{
    (void)state;
    free(parts.payload.data);
    return 0;
}

/* ---- checking ------------------------------------------------------------ */

static struct receipt_facts facts;
static enum receipt_check failed;
static struct salus_reason reason;

static enum pbft_status verify_bytes(struct pbft_bytes bytes)
{
    return receipt_verify(&facts, &failed, &reason, bytes, genesis, &cluster);
}

static enum pbft_status verify(void)
{
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, RECEIPT_BYTES_MAX);
    assert_int_equal(wire_pack(&parts.receipt.base, &buffer), PBFT_OK);
    enum pbft_status status = verify_bytes(wire_buffer_bytes(&buffer));
    wire_buffer_deinit(&buffer);
    return status;
}

static void assert_fails(enum receipt_check check)
{
    assert_int_not_equal(verify(), PBFT_OK);
    assert_int_equal(failed, check);
    assert_true(reason.text[0] != '\0');
}

static void test_receipt_proves(void **state)
{
    (void)state;
    assert_int_equal(verify(), PBFT_OK);
    assert_memory_equal(&facts.tx_id, &parts.outcomes[2].tx_id,
                        sizeof facts.tx_id);
    assert_int_equal(facts.code, 0);
    assert_int_equal(facts.block.seq, 12);
    assert_int_equal(facts.signer_count, 2);
    assert_int_equal(facts.summary.type, TRANSACTION_CONSENT_REVOKE);
}

/* Ordered is not executed: the receipt of a refusal is valid and says so. */
static void test_receipt_of_a_refusal(void **state)
{
    (void)state;
    parts.receipt.index = 1;
    assert_int_equal(verify(), PBFT_OK);
    assert_int_equal(facts.code, 231);
}

/* The request as a whole got a code, as execution would have given it. */
static void refuse_request(uint32_t code)
{
    struct pbft_digest leaves[LEAVES];
    size_t count = 0;
    const struct results_request ours = {.digest = parts.request_digest,
                                         .code = code};
    memset(leaves, 0x5a, sizeof leaves);
    results_request_leaf(&leaves[OUR_LEAF], &ours);
    merkle_path_of(parts.path_nodes, &count, leaves, OUR_LEAF, LEAVES);
    merkle_root(&parts.block.results_root, leaves, LEAVES);
    parts.outcome.request_code = code;
    parts.outcome.n_transactions = 0;
    for (uint32_t i = 0; i < REPLICAS; i++) {
        attest(i, 0);
    }
}

/* Anybody can write the name of an institution into a request; that its key was
 * refused does not show that the institution sent it. */
static void test_receipt_in_a_foreign_name(void **state)
{
    static const uint32_t unproved[] = {104, 105}; /* KEY_STATE, FOREIGN_... */
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        refuse_request(unproved[i]);
        assert_int_equal(verify(), PBFT_OK);
        assert_int_equal(facts.code, unproved[i]);
        assert_false(facts.institution_is_proved);
    }
    refuse_request(101); /* SESSION_CLOSED: its key was looked at before. */
    assert_int_equal(verify(), PBFT_OK);
    assert_true(facts.institution_is_proved);
}

/* The words and the JSON of it claim no more, nor that a repeated one was not
 * done. */
static void test_receipt_claims_no_more(void **state)
{
    struct salus_proof proof;
    struct wire_buffer bytes;
    char path[128];
    static const uint8_t none[SALUS_ID_SIZE];
    (void)state;
    (void)snprintf(path, sizeof path, "%s/genesis.txt", consortium);
    refuse_request(105);
    assert_int_equal(verify(), PBFT_OK);
    json_t *json = verify_receipt_json(&facts, genesis);
    assert_true(json_is_false(json_object_get(json, "institution_proved")));
    assert_true(json_is_false(json_object_get(json, "done")));
    json_decref(json);
    wire_buffer_init(&bytes, RECEIPT_BYTES_MAX);
    assert_int_equal(wire_pack(&parts.receipt.base, &bytes), PBFT_OK);
    assert_int_equal(
        salus_verify_receipt(&proof, NULL, path, bytes.data, bytes.size),
        SALUS_OK);
    assert_memory_equal(proof.institution, none, sizeof none);
    wire_buffer_deinit(&bytes);
    refuse_request(100); /* DUPLICATE */
    assert_int_equal(verify(), PBFT_OK);
    json = verify_receipt_json(&facts, genesis);
    assert_true(json_is_true(json_object_get(json, "institution_proved")));
    assert_true(json_is_null(json_object_get(json, "done")));
    json_decref(json);
    facts.code = 132; /* TX_DUPLICATE: said of what was carried out. */
    json = verify_receipt_json(&facts, genesis);
    assert_true(json_is_true(json_object_get(json, "done")));
    json_decref(json);
    /* A member that the genesis does not have goes by its id. */
    facts.institution.bytes[0] ^= 1;
    json = verify_receipt_json(&facts, genesis);
    assert_string_equal(
        json_string_value(json_object_get(json, "institution")),
        json_string_value(json_object_get(json, "institution_id")));
    json_decref(json);
}

static void test_receipt_of_another_consortium(void **state)
{
    struct pbft_digest other = cluster;
    (void)state;
    other.bytes[0] ^= 1;
    parts.receipt.cluster = bytes_of(other.bytes, 32);
    assert_fails(RECEIPT_CLUSTER);
}

static void test_receipt_request_not_signed(void **state)
{
    (void)state;
    parts.fields.signature.bytes[3] ^= 1;
    assert_fails(RECEIPT_REQUEST);
}

static void test_receipt_request_changed(void **state)
{
    (void)state;
    parts.request.sequence = 2;
    assert_fails(RECEIPT_REQUEST);
}

static void test_receipt_names_no_transaction(void **state)
{
    (void)state;
    parts.receipt.index = TRANSACTIONS;
    assert_fails(RECEIPT_TRANSACTION);
}

/* A refusal turned into a success no longer leads to the root. */
static void test_receipt_result_changed(void **state)
{
    (void)state;
    parts.receipt.index = 1;
    parts.results[1].code = 0;
    assert_fails(RECEIPT_PATH);
}

static void test_receipt_results_swapped(void **state)
{
    (void)state;
    parts.result_list[0] = &parts.results[2];
    parts.result_list[2] = &parts.results[0];
    assert_fails(RECEIPT_PATH);
}

static void test_receipt_path_changed(void **state)
{
    (void)state;
    parts.path_nodes[1].bytes[0] ^= 1;
    assert_fails(RECEIPT_PATH);
    parts.path_nodes[1].bytes[0] ^= 1;
    parts.outcome.n_path--;
    assert_fails(RECEIPT_PATH);
}

static void test_receipt_too_few_members(void **state)
{
    (void)state;
    parts.stable.n_votes = 1;
    assert_fails(RECEIPT_ATTESTATIONS);
}

static void test_receipt_same_member_twice(void **state)
{
    (void)state;
    parts.vote_list[1] = &parts.votes[0];
    assert_fails(RECEIPT_ATTESTATIONS);
}

static void test_receipt_no_member(void **state)
{
    (void)state;
    parts.votes[1].replica = REPLICAS;
    assert_fails(RECEIPT_ATTESTATIONS);
}

static void test_receipt_signature_of_another_member(void **state)
{
    (void)state;
    parts.votes[1].signature = bytes_of(parts.signatures[2].bytes, 64);
    assert_fails(RECEIPT_ATTESTATIONS);
}

static void test_receipt_block_changed(void **state)
{
    (void)state;
    parts.attestation.block_time_us++;
    assert_fails(RECEIPT_ATTESTATIONS);
}

/* Cut off anywhere, or with any bit changed: never valid for this one. */
static void test_receipt_every_byte(void **state)
{
    struct wire_buffer buffer;
    (void)state;
    wire_buffer_init(&buffer, RECEIPT_BYTES_MAX);
    assert_int_equal(wire_pack(&parts.receipt.base, &buffer), PBFT_OK);
    for (size_t size = 0; size < buffer.size; size++) {
        assert_int_not_equal(
            verify_bytes((struct pbft_bytes){buffer.data, size}), PBFT_OK);
    }
    for (size_t i = 0; i < buffer.size; i++) {
        for (unsigned bit = 0; bit < 8; bit += 3) {
            buffer.data[i] ^= (uint8_t)(1u << bit);
            if (verify_bytes(wire_buffer_bytes(&buffer)) == PBFT_OK) {
                /* The index alone is nobody's claim: it chooses. */
                assert_memory_not_equal(&facts.tx_id, &parts.outcomes[2].tx_id,
                                        sizeof facts.tx_id);
            }
            buffer.data[i] ^= (uint8_t)(1u << bit);
        }
    }
    wire_buffer_deinit(&buffer);
}

/* The same through libsalus, encoded and armored. */
static void test_receipt_by_library(void **state)
{
    char path[128];
    char problem[SALUS_PROBLEM_SIZE] = "";
    struct salus_proof proof;
    struct wire_buffer bytes;
    struct wire_buffer text;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/genesis.txt", consortium);
    wire_buffer_init(&bytes, RECEIPT_BYTES_MAX);
    wire_buffer_init(&text, 2 * RECEIPT_BYTES_MAX);
    assert_int_equal(wire_pack(&parts.receipt.base, &bytes), PBFT_OK);
    assert_int_equal(
        armor_encode(ARMOR_RECEIPT, wire_buffer_bytes(&bytes), &text), PBFT_OK);
    assert_int_equal(
        salus_verify_receipt(&proof, problem, path, bytes.data, bytes.size),
        SALUS_OK);
    assert_int_equal(proof.seq, 12);
    assert_int_equal(proof.attestations, 2);
    assert_int_equal(
        salus_verify_receipt(&proof, problem, path, text.data, text.size),
        SALUS_OK);
    assert_memory_equal(proof.tx_id, &parts.outcomes[2].tx_id,
                        sizeof proof.tx_id);
    bytes.data[bytes.size - 1] ^= 1;
    assert_int_equal(
        salus_verify_receipt(&proof, problem, path, bytes.data, bytes.size),
        SALUS_UNPROVED);
    assert_true(problem[0] != '\0');
    assert_int_equal(salus_verify_receipt(&proof, problem, "/nonexistent",
                                          text.data, text.size),
                     SALUS_BAD_FILE);
    wire_buffer_deinit(&bytes);
    wire_buffer_deinit(&text);
}

#define RECEIPT_TEST(name)                                                     \
    cmocka_unit_test_setup_teardown(name, make_receipt, drop_receipt)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECEIPT_TEST(test_receipt_proves),
        RECEIPT_TEST(test_receipt_of_a_refusal),
        RECEIPT_TEST(test_receipt_in_a_foreign_name),
        RECEIPT_TEST(test_receipt_claims_no_more),
        RECEIPT_TEST(test_receipt_of_another_consortium),
        RECEIPT_TEST(test_receipt_request_not_signed),
        RECEIPT_TEST(test_receipt_request_changed),
        RECEIPT_TEST(test_receipt_names_no_transaction),
        RECEIPT_TEST(test_receipt_result_changed),
        RECEIPT_TEST(test_receipt_results_swapped),
        RECEIPT_TEST(test_receipt_path_changed),
        RECEIPT_TEST(test_receipt_too_few_members),
        RECEIPT_TEST(test_receipt_same_member_twice),
        RECEIPT_TEST(test_receipt_no_member),
        RECEIPT_TEST(test_receipt_signature_of_another_member),
        RECEIPT_TEST(test_receipt_block_changed),
        RECEIPT_TEST(test_receipt_every_byte),
        RECEIPT_TEST(test_receipt_by_library),
    };
    if (crypto_init() != PBFT_OK) {
        return 1;
    }
    return cmocka_run_group_tests(tests, make_consortium, remove_consortium);
}
