/* SPDX-License-Identifier: Apache-2.0 */
/* Certified reads of libsalus against replicas that lie, stall, lag and forget;
 * and the proofs that come of them. It is under test_tool_ because the
 * consortium is made by the tool's functions.
 */
#include "tests/support/fake_replicas.h"

#include "client/salus.h"

#define HEIGHT 100
#define PAGES 3

static struct fake_replicas fakes;

static int create(void **state)
{
    (void)state;
    fake_replicas_create(&fakes);
    fakes.pages = PAGES;
    return 0;
}

static int destroy(void **state)
{
    (void)state;
    fake_replicas_destroy(&fakes);
    return 0;
}

/* Machines may be busy: whoever comes is waited for long. Tests in which
 * somebody never comes wait as long for him, on each page; they are in less of
 * a hurry if they begin with lack_patience(). */
#define GRACE_MS 8000
#define ATTEMPT_MS 4000
#define SHORT_GRACE_MS 2500
#define SHORT_ATTEMPT_MS 1500
static uint32_t grace_ms;
static uint32_t attempt_ms;

/* All of them are there, honest and at one block. */
static int set_up(void **state)
{
    (void)state;
    grace_ms = GRACE_MS;
    attempt_ms = ATTEMPT_MS;
    fakes.seen_count = 0;
    for (uint32_t i = 0; i < FAKE_REPLICAS; i++) {
        struct fake_replica *replica = &fakes.replicas[i];
        replica->witness = FAKE_WITNESS_HONEST;
        replica->newest = HEIGHT;
        replica->oldest = HEIGHT - 63;
        replica->certifies = 0;
        replica->bodies = 0;
        if (replica->gateway == NULL) {
            fake_open(&fakes, i);
        }
    }
    return 0;
}

/* ---- helpers ------------------------------------------------------------- */

static char genesis_path[160];

static void lack_patience(void)
{
    grace_ms = SHORT_GRACE_MS;
    attempt_ms = SHORT_ATTEMPT_MS;
}

static struct salus_client *open_client(uint32_t timeout_ms,
                                        uint32_t max_staleness_ms)
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
    config.timeout_ms = timeout_ms;
    config.attempt_timeout_ms = attempt_ms;
    config.max_staleness_ms = max_staleness_ms;
    config.witness_grace_ms = grace_ms;
    if (salus_open(&client, problem, &config) != SALUS_OK) {
        fail_msg("open: %s", problem);
    }
    return client;
}

static void set(uint32_t replica, enum fake_witness witness)
{
    (void)pthread_mutex_lock(&fakes.lock);
    fakes.replicas[replica].witness = witness;
    (void)pthread_mutex_unlock(&fakes.lock);
}

static void at_height(uint32_t replica, uint64_t oldest, uint64_t newest)
{
    (void)pthread_mutex_lock(&fakes.lock);
    fakes.replicas[replica].oldest = oldest;
    fakes.replicas[replica].newest = newest;
    (void)pthread_mutex_unlock(&fakes.lock);
}

/* The history of a consent. */
static enum salus_status read_at(struct salus_client *client,
                                 struct salus_certified *out,
                                 enum salus_read_level level)
{
    static uint8_t id[16] = {7, 7, 7};
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ConsentHistoryQuery in = SALUS__V1__CONSENT_HISTORY_QUERY__INIT;
    struct wire_buffer bytes;
    in.consent = (ProtobufCBinaryData){sizeof id, id};
    query.kind_case = SALUS__V1__QUERY__KIND_CONSENT_HISTORY;
    query.consent_history = &in;
    wire_buffer_init(&bytes, 1024);
    assert_int_equal(wire_pack(&query.base, &bytes), PBFT_OK);
    enum salus_status status =
        salus_query_certified(client, out, level, bytes.data, bytes.size);
    wire_buffer_deinit(&bytes);
    return status;
}

static enum salus_status read_once(struct salus_certified *out)
{
    struct salus_client *client = open_client(20000, 0);
    enum salus_status status = read_at(client, out, SALUS_READ_CERTIFIED);
    salus_close(client);
    return status;
}

static void assert_proves(const struct salus_certified *certified)
{
    struct salus_certificate shown;
    char problem[SALUS_PROBLEM_SIZE] = "";
    enum salus_status status =
        salus_verify_query(&shown, problem, genesis_path, certified->proof.data,
                           certified->proof.size);
    if (status != SALUS_OK) {
        fail_msg("the proof does not hold: %s", problem);
    }
    assert_int_equal(shown.height, certified->height);
    assert_int_equal(shown.block_time_us, certified->block_time_us);
    assert_int_equal(shown.pages, PAGES);
    assert_int_equal(shown.signatures, 2);
    assert_int_equal(shown.code, 0);
    assert_memory_equal(shown.institution,
                        genesis_replica(fakes.genesis, 0)->institution.bytes,
                        SALUS_ID_SIZE);
}

/* Every page is true: no lie got in. */
static void assert_true_answer(const struct salus_certified *certified)
{
    assert_int_equal(certified->answer_count, PAGES);
    for (size_t i = 0; i < certified->answer_count; i++) {
        Salus__V1__Answer *answer = salus__v1__answer__unpack(
            NULL, certified->answers[i].size, certified->answers[i].data);
        assert_non_null(answer);
        assert_int_equal(answer->height, certified->height);
        assert_int_equal(answer->consent_history->events[0]->seq, i + 1);
        salus__v1__answer__free_unpacked(answer, NULL);
    }
}

/* With this witness as replica 3 the answer is certified by the others, and it
 * comes out as `expected`. */
static void expect_witness(enum fake_witness witness,
                           enum salus_witness expected)
{
    struct salus_certified certified;
    set(3, witness);
    assert_int_equal(read_once(&certified), SALUS_OK);
    assert_true_answer(&certified);
    assert_proves(&certified);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(certified.witnesses[i], SALUS_WITNESS_AGREES);
    }
    assert_int_equal(certified.witnesses[3], expected);
    salus_certified_free(&certified);
}

/* The same where replica 0, asked for the answer itself, is the bad one. */
static void expect_bad_source(enum fake_witness witness,
                              enum salus_witness expected)
{
    struct salus_certified certified;
    set(0, witness);
    assert_int_equal(read_once(&certified), SALUS_OK);
    assert_true_answer(&certified);
    assert_proves(&certified);
    assert_int_equal(certified.witnesses[0], expected);
    assert_int_equal(certified.witnesses[1], SALUS_WITNESS_AGREES);
    salus_certified_free(&certified);
}

/* ---- one bad replica ----------------------------------------------------- */

static uint32_t bodies_of_others(void)
{
    return fakes.replicas[1].bodies + fakes.replicas[2].bodies +
           fakes.replicas[3].bodies;
}

static bool do_all_agree(const struct salus_certified *certified)
{
    bool all = true;
    for (uint32_t i = 0; i < 4; i++) {
        all = all && certified->witnesses[i] == SALUS_WITNESS_AGREES;
    }
    return all;
}

/* Only one gives the answers themselves: the first, once it is connected and
 * unless it is slow, as all of them may be on a busy machine. */
static void test_all_agree(void **state)
{
    struct salus_client *client = open_client(20000, 0);
    (void)state;
    expect_witness(FAKE_WITNESS_HONEST, SALUS_WITNESS_AGREES);
    bool is_sole = false;
    for (int i = 0; i < 20 && !is_sole; i++) {
        struct salus_certified certified;
        uint32_t before = bodies_of_others();
        assert_int_equal(read_at(client, &certified, SALUS_READ_CERTIFIED),
                         SALUS_OK);
        assert_true_answer(&certified);
        is_sole = do_all_agree(&certified) && bodies_of_others() == before;
        salus_certified_free(&certified);
    }
    assert_true(is_sole);
    salus_close(client);
}

static void test_liar_is_named(void **state)
{
    (void)state;
    expect_witness(FAKE_WITNESS_OTHER_ANSWER, SALUS_WITNESS_DISAGREES);
}

static void test_liar_about_the_ledger_is_named(void **state)
{
    (void)state;
    expect_witness(FAKE_WITNESS_OTHER_ROOT, SALUS_WITNESS_DISAGREES);
}

static void test_wrong_signatures_count_for_nothing(void **state)
{
    static const enum fake_witness witnesses[] = {
        FAKE_WITNESS_BAD_SIGNATURE, FAKE_WITNESS_OTHER_SIGNER,
        FAKE_WITNESS_OTHER_CALLER,  FAKE_WITNESS_OTHER_QUESTION,
        FAKE_WITNESS_OTHER_HEIGHT,  FAKE_WITNESS_GARBAGE,
    };
    (void)state;
    for (size_t i = 0; i < sizeof witnesses / sizeof witnesses[0]; i++) {
        expect_witness(witnesses[i], SALUS_WITNESS_BAD_REPLY);
    }
}

static void test_silent_one_is_not_waited_for(void **state)
{
    (void)state;
    lack_patience();
    expect_witness(FAKE_WITNESS_SILENT, SALUS_WITNESS_SILENT);
}

static void test_refusal_of_one_is_no_refusal(void **state)
{
    (void)state;
    expect_witness(FAKE_WITNESS_REFUSES, SALUS_WITNESS_REFUSES);
}

static void test_busy_one_is_asked_again(void **state)
{
    (void)state;
    expect_witness(FAKE_WITNESS_BUSY_ONCE, SALUS_WITNESS_AGREES);
}

static void test_one_that_is_down(void **state)
{
    (void)state;
    lack_patience();
    fake_close(&fakes, 3);
    expect_witness(FAKE_WITNESS_HONEST, SALUS_WITNESS_UNREACHABLE);
}

static void test_source_that_lies(void **state)
{
    (void)state;
    expect_bad_source(FAKE_WITNESS_OTHER_ANSWER, SALUS_WITNESS_DISAGREES);
}

static void test_source_that_sends_another_answer(void **state)
{
    (void)state;
    expect_bad_source(FAKE_WITNESS_OTHER_BODY, SALUS_WITNESS_BAD_REPLY);
}

static void test_source_that_gives_no_answer(void **state)
{
    struct salus_certified certified;
    (void)state;
    set(0, FAKE_WITNESS_NO_BODY);
    assert_int_equal(read_once(&certified), SALUS_OK);
    assert_true_answer(&certified);
    assert_proves(&certified);
    salus_certified_free(&certified);
}

static void test_source_that_is_silent(void **state)
{
    (void)state;
    lack_patience();
    expect_bad_source(FAKE_WITNESS_SILENT, SALUS_WITNESS_SILENT);
}

/* ---- too many bad ones --------------------------------------------------- */

static void expect_not_certified(enum salus_status expected)
{
    struct salus_certified certified;
    struct salus_client *client = open_client(3000, 0);
    assert_int_equal(read_at(client, &certified, SALUS_READ_CERTIFIED),
                     expected);
    assert_null(certified.proof.data);
    assert_int_equal(certified.answer_count, 0);
    salus_close(client);
}

static void test_one_answer_proves_nothing(void **state)
{
    (void)state;
    set(0, FAKE_WITNESS_BAD_SIGNATURE);
    set(1, FAKE_WITNESS_OTHER_ANSWER);
    set(2, FAKE_WITNESS_GARBAGE);
    expect_not_certified(SALUS_UNPROVED);
}

static void test_all_answers_differ(void **state)
{
    (void)state;
    set(1, FAKE_WITNESS_OTHER_ANSWER);
    set(2, FAKE_WITNESS_OTHER_ROOT);
    set(3, FAKE_WITNESS_BAD_SIGNATURE);
    expect_not_certified(SALUS_UNPROVED);
}

static void test_refusals_of_more_than_f_are_one(void **state)
{
    (void)state;
    set(1, FAKE_WITNESS_REFUSES);
    set(2, FAKE_WITNESS_REFUSES);
    set(3, FAKE_WITNESS_REFUSES);
    expect_not_certified(SALUS_NOT_AUTHORIZED);
}

static void test_nobody_answers(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < FAKE_REPLICAS; i++) {
        fake_close(&fakes, i);
    }
    expect_not_certified(SALUS_UNREACHABLE);
}

/* ---- contradictions ------------------------------------------------------ */

/* The signature covers what the statement says: anybody can check it. */
static void assert_signed(const struct salus_certified *certified,
                          uint32_t replica)
{
    const struct salus_statement *said = &certified->statements[replica];
    struct pbft_answered answered = {
        .seq = said->height,
        .block_time = said->block_time_us,
        .caller = genesis_replica(fakes.genesis, 0)->institution};
    struct pbft_vote vote = {.replica = replica,
                             .incarnation = said->incarnation};
    static struct pbft_keyring keyring;
    genesis_keyring(fakes.genesis, &keyring);
    assert_true(said->is_there);
    memcpy(answered.ledger_root.bytes, said->ledger_root, SALUS_DIGEST_SIZE);
    memcpy(answered.answer.bytes, said->answer, SALUS_DIGEST_SIZE);
    memcpy(answered.query.bytes, certified->question, SALUS_DIGEST_SIZE);
    memcpy(vote.signature.bytes, said->signature, SALUS_SIGNATURE_SIZE);
    assert_int_equal(certified_verify_vote(&fakes.domain, &keyring, said->epoch,
                                           &answered, &vote),
                     PBFT_OK);
    vote.signature.bytes[0] ^= 1;
    assert_int_not_equal(certified_verify_vote(&fakes.domain, &keyring,
                                               said->epoch, &answered, &vote),
                         PBFT_OK);
}

/* The answer is proved, and what the liar signed is kept beside it. */
static void test_contradiction_is_kept(void **state)
{
    struct salus_certified certified;
    (void)state;
    set(3, FAKE_WITNESS_OTHER_ANSWER);
    assert_int_equal(read_once(&certified), SALUS_OK);
    assert_true(certified.has_contradiction);
    for (uint32_t i = 0; i < 4; i++) {
        assert_signed(&certified, i);
        assert_int_equal(certified.statements[i].height, HEIGHT);
    }
    assert_memory_equal(certified.statements[0].answer,
                        certified.statements[1].answer, SALUS_DIGEST_SIZE);
    assert_memory_not_equal(certified.statements[0].answer,
                            certified.statements[3].answer, SALUS_DIGEST_SIZE);
    salus_certified_free(&certified);
    set(3, FAKE_WITNESS_HONEST);
    assert_int_equal(read_once(&certified), SALUS_OK);
    assert_false(certified.has_contradiction);
    salus_certified_free(&certified);
}

/* Also if nothing is proved: who is right cannot be told, who said what can. */
static void test_contradiction_is_kept_without_proof(void **state)
{
    struct salus_certified certified;
    struct salus_client *client = open_client(3000, 0);
    (void)state;
    set(1, FAKE_WITNESS_OTHER_ANSWER);
    set(2, FAKE_WITNESS_BAD_SIGNATURE);
    set(3, FAKE_WITNESS_REFUSES);
    assert_int_equal(read_at(client, &certified, SALUS_READ_CERTIFIED),
                     SALUS_UNPROVED);
    assert_int_equal(certified.witnesses[0], SALUS_WITNESS_DISAGREES);
    assert_int_equal(certified.witnesses[1], SALUS_WITNESS_DISAGREES);
    assert_true(certified.has_contradiction);
    assert_signed(&certified, 0);
    assert_signed(&certified, 1);
    assert_false(certified.statements[2].is_there);
    assert_false(certified.statements[3].is_there);
    assert_null(certified.proof.data);
    salus_close(client);
}

/* ---- heights ------------------------------------------------------------- */

static void expect_height(uint64_t expected)
{
    struct salus_certified certified;
    assert_int_equal(read_once(&certified), SALUS_OK);
    assert_int_equal(certified.height, expected);
    assert_true_answer(&certified);
    assert_proves(&certified);
    salus_certified_free(&certified);
}

/* Busy replicas are never at one block at one time. */
static void test_a_block_that_f_plus_1_have(void **state)
{
    (void)state;
    lack_patience();
    at_height(0, 0, 103);
    at_height(1, 0, 102);
    at_height(2, 0, 101);
    at_height(3, 0, 100);
    expect_height(102);
}

/* Nobody raises the block alone. */
static void test_boaster_does_not_choose_the_block(void **state)
{
    (void)state;
    at_height(3, 0, 5000);
    expect_height(HEIGHT);
}

/* Nobody lowers it alone either, even together with one that is behind. */
static void test_laggards_do_not_choose_the_block(void **state)
{
    (void)state;
    lack_patience();
    at_height(2, 0, 40);
    at_height(3, 0, 40);
    expect_height(HEIGHT);
}

static void *catch_up_soon(void *context)
{
    const struct timespec pause = {0, 400000000};
    (void)context;
    (void)nanosleep(&pause, NULL);
    at_height(2, 0, 120);
    return NULL;
}

/* Replica 1 has thrown away what 2 has not executed yet: they agree on a newer
 * block as soon as there is one. */
static void test_dropped_state_makes_it_begin_again(void **state)
{
    pthread_t thread;
    (void)state;
    lack_patience();
    set(3, FAKE_WITNESS_SILENT);
    set(0, FAKE_WITNESS_SILENT);
    at_height(1, 110, 120);
    at_height(2, 0, 90);
    assert_int_equal(pthread_create(&thread, NULL, catch_up_soon, NULL), 0);
    expect_height(120);
    (void)pthread_join(thread, NULL);
}

/* Proof of block 110 was had: nothing older is good enough. */
static void test_never_below_what_was_seen(void **state)
{
    lack_patience();
    struct salus_client *client = open_client(20000, 0);
    struct salus_certified certified;
    (void)state;
    for (uint32_t i = 0; i < FAKE_REPLICAS; i++) {
        at_height(i, 0, 110);
    }
    assert_int_equal(read_at(client, &certified, SALUS_READ_CERTIFIED),
                     SALUS_OK);
    assert_int_equal(certified.height, 110);
    salus_certified_free(&certified);
    /* Two replicas are back at an older state; the others know better. */
    at_height(0, 0, 100);
    at_height(1, 0, 100);
    assert_int_equal(read_at(client, &certified, SALUS_READ_CERTIFIED),
                     SALUS_OK);
    assert_int_equal(certified.height, 110);
    salus_certified_free(&certified);
    salus_close(client);
}

static void test_stale_block_is_refused(void **state)
{
    struct salus_client *client = open_client(20000, 1000);
    struct salus_certified certified;
    (void)state;
    /* The fakes' block times are long ago. */
    assert_int_equal(read_at(client, &certified, SALUS_READ_CERTIFIED),
                     SALUS_UNPROVED);
    salus_close(client);
}

/* The request that orders the read was in block 1 of the fakes' ledger. */
static void test_ordered_read_submits_a_void(void **state)
{
    struct salus_client *client = open_client(20000, 0);
    struct salus_certified certified;
    (void)state;
    assert_int_equal(read_at(client, &certified, SALUS_READ_ORDERED), SALUS_OK);
    assert_true_answer(&certified);
    assert_int_equal(fakes.seen_count, 1);
    assert_int_equal(fakes.transactions[0], 0);
    salus_certified_free(&certified);
    salus_close(client);
}

static void test_arguments(void **state)
{
    struct salus_client *client = open_client(1000, 0);
    struct salus_certified certified;
    /* A history of consent 01.. from cursor 05 on. */
    const uint8_t later[] = {0x12, 0x15, 0x0a, 0x10, 1, 1, 1, 1, 1,    1, 1, 1,
                             1,    1,    1,    1,    1, 1, 1, 1, 0x1a, 1, 5};
    (void)state;
    assert_int_equal(read_at(client, &certified, SALUS_READ_LOCAL),
                     SALUS_INVALID_ARGUMENT);
    assert_int_equal(salus_query_certified(client, &certified,
                                           SALUS_READ_CERTIFIED,
                                           (const uint8_t *)"junk", 4),
                     SALUS_INVALID_ARGUMENT);
    assert_int_equal(salus_query_certified(client, &certified,
                                           SALUS_READ_CERTIFIED, later,
                                           sizeof later),
                     SALUS_INVALID_ARGUMENT);
    salus_close(client);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_agree),
        TEST(test_liar_is_named),
        TEST(test_liar_about_the_ledger_is_named),
        TEST(test_wrong_signatures_count_for_nothing),
        TEST(test_silent_one_is_not_waited_for),
        TEST(test_refusal_of_one_is_no_refusal),
        TEST(test_busy_one_is_asked_again),
        TEST(test_one_that_is_down),
        TEST(test_source_that_lies),
        TEST(test_source_that_sends_another_answer),
        TEST(test_source_that_gives_no_answer),
        TEST(test_source_that_is_silent),
        TEST(test_one_answer_proves_nothing),
        TEST(test_all_answers_differ),
        TEST(test_contradiction_is_kept),
        TEST(test_contradiction_is_kept_without_proof),
        TEST(test_refusals_of_more_than_f_are_one),
        TEST(test_nobody_answers),
        TEST(test_a_block_that_f_plus_1_have),
        TEST(test_boaster_does_not_choose_the_block),
        TEST(test_laggards_do_not_choose_the_block),
        TEST(test_dropped_state_makes_it_begin_again),
        TEST(test_never_below_what_was_seen),
        TEST(test_stale_block_is_refused),
        TEST(test_ordered_read_submits_a_void),
        TEST(test_arguments),
    };
    return cmocka_run_group_tests(tests, create, destroy);
}
