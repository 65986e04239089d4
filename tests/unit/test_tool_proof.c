/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs of certified answers: one that a consortium gave verifies; each kind
 * of tampering fails in the check that is meant for it; no changed bit passes.
 * It is under test_tool_ because the consortium is made by the tool's
 * functions.
 */
#include "tests/support/fake_replicas.h"

#include "client/proof.h"
#include "client/salus.h"
#include "proto/armor.h"
#include "salus/v1/files.pb-c.h"

#define HEIGHT 100
#define PAGES 3

static struct fake_replicas fakes;
static struct salus_certified certified;
static char genesis_path[160];

/* ---- making -------------------------------------------------------------- */

static struct salus_client *open_client(void)
{
    char paths[3][160];
    char problem[SALUS_PROBLEM_SIZE] = "";
    struct salus_config config;
    struct salus_client *client = NULL;
    const char *name = genesis_replica(fakes.genesis, 0)->name;
    (void)snprintf(genesis_path, sizeof genesis_path, "%s/genesis.txt",
                   fakes.consortium);
    (void)snprintf(paths[0], sizeof paths[0], "%s/%s/client.key",
                   fakes.consortium, name);
    (void)snprintf(paths[1], sizeof paths[1], "%s/%s/client-tls.pem",
                   fakes.consortium, name);
    (void)snprintf(paths[2], sizeof paths[2], "%s/%s/client-tls.key",
                   fakes.consortium, name);
    salus_config_init(&config);
    config.genesis_file = genesis_path;
    config.key_file = paths[0];
    config.certificate_file = paths[1];
    config.tls_key_file = paths[2];
    if (salus_open(&client, problem, &config) != SALUS_OK) {
        fail_msg("open: %s", problem);
    }
    return client;
}

static int create(void **state)
{
    uint8_t query[20] = {0x12, 0x12, 0x0a, 0x10, 7, 7, 7};
    (void)state;
    fake_replicas_create(&fakes);
    fakes.pages = PAGES;
    for (uint32_t i = 0; i < FAKE_REPLICAS; i++) {
        fakes.replicas[i].newest = HEIGHT;
    }
    struct salus_client *client = open_client();
    assert_int_equal(salus_query_certified(client, &certified,
                                           SALUS_READ_CERTIFIED, query,
                                           sizeof query),
                     SALUS_OK);
    salus_close(client);
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    salus_certified_free(&certified);
    fake_replicas_destroy(&fakes);
    return 0;
}

/* The proof, taken apart to be changed. */
static Salus__V1__QueryProof *proof;
static Salus__V1__ProofPage *pages[PAGES];

static int unpack(void **state)
{
    (void)state;
    proof = salus__v1__query_proof__unpack(NULL, certified.proof.size,
                                           certified.proof.data);
    assert_non_null(proof);
    assert_int_equal(proof->n_pages, PAGES);
    for (size_t i = 0; i < PAGES; i++) {
        pages[i] = salus__v1__proof_page__unpack(NULL, proof->pages[i].len,
                                                 proof->pages[i].data);
        assert_non_null(pages[i]);
        assert_int_equal(pages[i]->n_votes, 2);
    }
    return 0;
}

static int forget(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAGES; i++) {
        salus__v1__proof_page__free_unpacked(pages[i], NULL);
    }
    salus__v1__query_proof__free_unpacked(proof, NULL);
    return 0;
}

/* ---- checking ------------------------------------------------------------ */

static struct proof_facts facts;
static enum proof_check failed;
static struct salus_reason reason;

static void count_page(void *context, const Salus__V1__Query *query,
                       const Salus__V1__Answer *answer)
{
    uint32_t *count = context;
    assert_int_equal(query->kind_case, SALUS__V1__QUERY__KIND_CONSENT_HISTORY);
    assert_int_equal(answer->consent_history->events[0]->seq, ++*count);
}

static enum pbft_status verify_bytes(struct pbft_bytes bytes, uint32_t *seen)
{
    *seen = 0;
    return proof_verify(&facts, &failed, &reason, bytes, fakes.genesis,
                        &fakes.domain.cluster, count_page, seen);
}

/* Packs page `i` anew into the proof. */
static void repack(size_t i)
{
    struct wire_buffer bytes;
    wire_buffer_init(&bytes, PROOF_BYTES_MAX);
    assert_int_equal(wire_pack(&pages[i]->base, &bytes), PBFT_OK);
    free(proof->pages[i].data);
    proof->pages[i].data = wire_buffer_take(&bytes, &proof->pages[i].len);
    wire_buffer_deinit(&bytes);
}

static enum pbft_status verify(uint32_t *seen)
{
    struct wire_buffer bytes;
    wire_buffer_init(&bytes, PROOF_BYTES_MAX);
    assert_int_equal(wire_pack(&proof->base, &bytes), PBFT_OK);
    enum pbft_status status = verify_bytes(wire_buffer_bytes(&bytes), seen);
    wire_buffer_deinit(&bytes);
    return status;
}

static void assert_fails(enum proof_check check)
{
    uint32_t seen = 0;
    assert_int_not_equal(verify(&seen), PBFT_OK);
    assert_int_equal(failed, check);
    assert_true(reason.text[0] != '\0');
    assert_int_equal(seen, 0);
}

/* The same after page `i` was changed. */
static void assert_page_fails(size_t i, enum proof_check check)
{
    repack(i);
    assert_fails(check);
}

static void test_proof_holds(void **state)
{
    uint32_t seen = 0;
    (void)state;
    assert_int_equal(verify(&seen), PBFT_OK);
    assert_int_equal(seen, PAGES);
    assert_int_equal(facts.height, HEIGHT);
    assert_int_equal(facts.block_time, certified.block_time_us);
    assert_int_equal(facts.page_count, PAGES);
    assert_int_equal(facts.signer_count, 2);
}

static void test_another_version(void **state)
{
    (void)state;
    proof->version = 2;
    assert_fails(PROOF_FORMAT);
}

static void test_another_consortium(void **state)
{
    (void)state;
    proof->cluster.data[0] ^= 1;
    assert_fails(PROOF_CLUSTER);
}

static void test_said_to_another_institution(void **state)
{
    (void)state;
    proof->institution.data[0] ^= 1;
    assert_fails(PROOF_SIGNATURES);
}

static void test_another_membership(void **state)
{
    (void)state;
    proof->epoch = 1;
    assert_fails(PROOF_SIGNATURES);
}

static void test_another_block(void **state)
{
    (void)state;
    proof->height++;
    assert_fails(PROOF_PAGES);
    proof->height--;
    proof->block_time_us++;
    assert_fails(PROOF_PAGES);
}

static void test_another_ledger(void **state)
{
    (void)state;
    proof->ledger_root.data[31] ^= 0x80;
    assert_fails(PROOF_SIGNATURES);
}

static void test_sizes_of_fields(void **state)
{
    (void)state;
    proof->ledger_root.len--;
    assert_fails(PROOF_FORMAT);
    proof->ledger_root.len++;
    proof->institution.len--;
    assert_fails(PROOF_FORMAT);
    proof->institution.len++;
    proof->cluster.len--;
    assert_fails(PROOF_CLUSTER);
    proof->cluster.len++;
}

static void test_last_page_left_out(void **state)
{
    (void)state;
    proof->n_pages--;
    assert_fails(PROOF_PAGES);
    proof->n_pages++;
}

static void test_first_page_left_out(void **state)
{
    ProtobufCBinaryData *all = proof->pages;
    (void)state;
    proof->pages++;
    proof->n_pages--;
    assert_fails(PROOF_PAGES);
    proof->pages = all;
    proof->n_pages++;
}

static void swap_pages(size_t left, size_t right)
{
    ProtobufCBinaryData kept = proof->pages[left];
    proof->pages[left] = proof->pages[right];
    proof->pages[right] = kept;
}

static void test_pages_swapped(void **state)
{
    (void)state;
    swap_pages(0, 1);
    assert_fails(PROOF_PAGES);
    swap_pages(0, 1);
    swap_pages(1, 2);
    assert_fails(PROOF_PAGES);
}

static void test_page_twice(void **state)
{
    ProtobufCBinaryData kept = proof->pages[1];
    (void)state;
    proof->pages[1] = proof->pages[0];
    assert_fails(PROOF_PAGES);
    proof->pages[1] = kept;
}

static void test_no_page(void **state)
{
    (void)state;
    proof->n_pages = 0;
    assert_fails(PROOF_FORMAT);
    proof->n_pages = PAGES;
}

/* Of all pages alike, so that they still belong together. */
static void test_question_changed(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAGES; i++) {
        pages[i]->query.data[5] ^= 1; /* In the id of the consent. */
        repack(i);
    }
    assert_fails(PROOF_SIGNATURES);
}

static void test_question_of_one_page_changed(void **state)
{
    (void)state;
    pages[1]->query.data[5] ^= 1;
    assert_page_fails(1, PROOF_PAGES);
}

static void test_answer_changed(void **state)
{
    Salus__V1__Answer *answer = salus__v1__answer__unpack(
        NULL, pages[2]->answer.len, pages[2]->answer.data);
    struct wire_buffer bytes;
    (void)state;
    answer->consent_history->events[0]->seq = 4;
    wire_buffer_init(&bytes, 65536);
    assert_int_equal(wire_pack(&answer->base, &bytes), PBFT_OK);
    free(pages[2]->answer.data);
    pages[2]->answer.data = wire_buffer_take(&bytes, &pages[2]->answer.len);
    wire_buffer_deinit(&bytes);
    salus__v1__answer__free_unpacked(answer, NULL);
    assert_page_fails(2, PROOF_SIGNATURES);
}

static void test_answer_is_no_answer(void **state)
{
    (void)state;
    pages[0]->answer.len--;
    assert_page_fails(0, PROOF_FORMAT);
    pages[0]->answer.len++;
}

static void test_too_few_signatures(void **state)
{
    (void)state;
    pages[1]->n_votes--;
    assert_page_fails(1, PROOF_SIGNATURES);
    pages[1]->n_votes++;
}

static void test_one_signature_twice(void **state)
{
    Salus__V1__CertificateVote *kept = pages[0]->votes[1];
    (void)state;
    pages[0]->votes[1] = pages[0]->votes[0];
    assert_page_fails(0, PROOF_SIGNATURES);
    pages[0]->votes[1] = kept;
}

static void test_signatures_swapped(void **state)
{
    Salus__V1__CertificateVote *kept = pages[0]->votes[1];
    (void)state;
    pages[0]->votes[1] = pages[0]->votes[0];
    pages[0]->votes[0] = kept;
    assert_page_fails(0, PROOF_SIGNATURES);
}

static void test_signer_is_no_member(void **state)
{
    (void)state;
    pages[0]->votes[1]->replica = FAKE_REPLICAS;
    assert_page_fails(0, PROOF_SIGNATURES);
}

static void test_signer_is_another(void **state)
{
    (void)state;
    pages[0]->votes[1]->replica++;
    assert_page_fails(0, PROOF_SIGNATURES);
}

static void test_incarnation_is_another(void **state)
{
    (void)state;
    pages[0]->votes[0]->incarnation++;
    assert_page_fails(0, PROOF_SIGNATURES);
}

static void test_signature_changed(void **state)
{
    (void)state;
    pages[2]->votes[0]->signature.data[0] ^= 1;
    assert_page_fails(2, PROOF_SIGNATURES);
}

static void test_signature_cut(void **state)
{
    (void)state;
    pages[2]->votes[0]->signature.len--;
    assert_page_fails(2, PROOF_SIGNATURES);
    pages[2]->votes[0]->signature.len++;
}

/* Signs page `i` anew, by two members. */
static void sign_page(size_t i, const uint32_t members[2])
{
    struct pbft_answered said = {.seq = proof->height,
                                 .block_time = proof->block_time_us};
    const struct pbft_crypto *any = crypto_provider_verify_only();
    memcpy(said.ledger_root.bytes, proof->ledger_root.data, PBFT_DIGEST_SIZE);
    memcpy(said.caller.bytes, proof->institution.data,
           sizeof said.caller.bytes);
    certified_query_digest(
        any, &said.query,
        (struct pbft_bytes){pages[i]->query.data, pages[i]->query.len});
    certified_answer_digest(
        any, &said.answer,
        (struct pbft_bytes){pages[i]->answer.data, pages[i]->answer.len});
    for (size_t k = 0; k < 2; k++) {
        Salus__V1__CertificateVote *vote = pages[i]->votes[k];
        const struct pbft_domain domain = {
            crypto_provider_vtable(fakes.replicas[members[k]].provider),
            fakes.domain.cluster};
        struct pbft_preimage preimage;
        struct pbft_signature signature;
        vote->replica = members[k];
        pbft_answered_preimage(&domain, proof->epoch, vote->replica,
                               vote->incarnation, &said, &preimage);
        domain.crypto->sign(domain.crypto->context, &signature,
                            (struct pbft_bytes){preimage.bytes, preimage.size});
        memcpy(vote->signature.data, signature.bytes, PBFT_SIGNATURE_SIZE);
    }
    repack(i);
}

/* Who signed one page is not said to have signed all of them. */
static void test_signers_of_all_pages_are_told(void **state)
{
    static const uint32_t pairs[PAGES][2] = {{0, 1}, {2, 3}, {0, 1}};
    struct salus_certificate shown;
    struct wire_buffer bytes;
    uint32_t seen = 0;
    (void)state;
    for (size_t i = 0; i < PAGES; i++) {
        sign_page(i, pairs[i]);
    }
    assert_int_equal(verify(&seen), PBFT_OK);
    assert_int_equal(facts.signatures, 2);
    assert_int_equal(facts.signer_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(facts.signers[i], i);
    }
    wire_buffer_init(&bytes, PROOF_BYTES_MAX);
    assert_int_equal(wire_pack(&proof->base, &bytes), PBFT_OK);
    assert_int_equal(
        salus_verify_query(&shown, NULL, genesis_path, bytes.data, bytes.size),
        SALUS_OK);
    assert_int_equal(shown.signatures, 2);
    wire_buffer_deinit(&bytes);
}

/* Pages of two proofs, each of them good, are none together. */
static void test_pages_of_two_proofs(void **state)
{
    static const uint32_t pair[2] = {0, 1};
    (void)state;
    proof->height++; /* Another proof: of the next block. */
    for (size_t i = 0; i < PAGES; i++) {
        Salus__V1__Answer *answer = salus__v1__answer__unpack(
            NULL, pages[i]->answer.len, pages[i]->answer.data);
        struct wire_buffer bytes;
        wire_buffer_init(&bytes, PROOF_BYTES_MAX);
        answer->height = proof->height;
        assert_int_equal(wire_pack(&answer->base, &bytes), PBFT_OK);
        free(pages[i]->answer.data);
        pages[i]->answer.data = wire_buffer_take(&bytes, &pages[i]->answer.len);
        salus__v1__answer__free_unpacked(answer, NULL);
        sign_page(i, pair);
    }
    uint32_t seen = 0;
    assert_int_equal(verify(&seen), PBFT_OK);
    Salus__V1__QueryProof *first = salus__v1__query_proof__unpack(
        NULL, certified.proof.size, certified.proof.data);
    ProtobufCBinaryData kept = proof->pages[2];
    proof->pages[2] = first->pages[2];
    assert_fails(PROOF_PAGES);
    proof->pages[2] = kept;
    salus__v1__query_proof__free_unpacked(first, NULL);
}

/* ---- bits ---------------------------------------------------------------- */

static void test_no_changed_bit_passes(void **state)
{
    uint32_t seen = 0;
    (void)state;
    for (size_t i = 0; i < certified.proof.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            certified.proof.data[i] ^= (uint8_t)(1u << bit);
            assert_int_not_equal(
                verify_bytes((struct pbft_bytes){certified.proof.data,
                                                 certified.proof.size},
                             &seen),
                PBFT_OK);
            assert_int_equal(seen, 0);
            certified.proof.data[i] ^= (uint8_t)(1u << bit);
        }
    }
}

static void test_no_shorter_one_passes(void **state)
{
    uint32_t seen = 0;
    (void)state;
    for (size_t size = 0; size < certified.proof.size; size++) {
        assert_int_not_equal(
            verify_bytes((struct pbft_bytes){certified.proof.data, size},
                         &seen),
            PBFT_OK);
    }
}

/* Also as the text that people keep. */
static void test_no_changed_bit_of_the_file_passes(void **state)
{
    struct wire_buffer text;
    struct salus_certificate shown;
    (void)state;
    wire_buffer_init(&text, ARMOR_TEXT_BYTES_MAX);
    assert_int_equal(armor_encode(ARMOR_QUERY_PROOF,
                                  (struct pbft_bytes){certified.proof.data,
                                                      certified.proof.size},
                                  &text),
                     PBFT_OK);
    assert_int_equal(armor_kind_of(wire_buffer_bytes(&text)),
                     ARMOR_QUERY_PROOF);
    assert_int_equal(
        salus_verify_query(&shown, NULL, genesis_path, text.data, text.size),
        SALUS_OK);
    /* A prime step: every column and bit comes up, in little time. */
    for (size_t i = 0; i < 8 * text.size; i += 7) {
        struct wire_buffer bytes;
        uint32_t seen = 0;
        wire_buffer_init(&bytes, PROOF_BYTES_MAX);
        text.data[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_true(armor_decode(ARMOR_QUERY_PROOF, wire_buffer_bytes(&text),
                                 &bytes, &reason) != PBFT_OK ||
                    verify_bytes(wire_buffer_bytes(&bytes), &seen) != PBFT_OK);
        text.data[i / 8] ^= (uint8_t)(1u << i % 8);
        wire_buffer_deinit(&bytes);
    }
    wire_buffer_deinit(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, unpack, forget)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_proof_holds),
        TEST(test_another_version),
        TEST(test_another_consortium),
        TEST(test_said_to_another_institution),
        TEST(test_another_membership),
        TEST(test_another_block),
        TEST(test_another_ledger),
        TEST(test_sizes_of_fields),
        TEST(test_last_page_left_out),
        TEST(test_first_page_left_out),
        TEST(test_pages_swapped),
        TEST(test_page_twice),
        TEST(test_no_page),
        TEST(test_question_changed),
        TEST(test_question_of_one_page_changed),
        TEST(test_answer_changed),
        TEST(test_answer_is_no_answer),
        TEST(test_too_few_signatures),
        TEST(test_one_signature_twice),
        TEST(test_signatures_swapped),
        TEST(test_signer_is_no_member),
        TEST(test_signer_is_another),
        TEST(test_incarnation_is_another),
        TEST(test_signature_changed),
        TEST(test_signature_cut),
        TEST(test_signers_of_all_pages_are_told),
        TEST(test_pages_of_two_proofs),
        cmocka_unit_test(test_no_changed_bit_passes),
        cmocka_unit_test(test_no_shorter_one_passes),
        cmocka_unit_test(test_no_changed_bit_of_the_file_passes),
    };
    return cmocka_run_group_tests(tests, create, destroy);
}
