/* SPDX-License-Identifier: Apache-2.0 */
/* libsalus against replicas that lie, stall, refuse and vanish. It is under
 * test_tool_ because the consortium is made by the tool's functions.
 */
#include "tests/support/fake_replicas.h"

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "client/client.h"
#include "client/tool.h"
#include "salus/v1/ledger.pb-c.h"

#define THREADS 8
#define PER_THREAD 40

static struct fake_replicas fakes;

static int set_up(void **state)
{
    (void)state;
    fake_replicas_create(&fakes);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_replicas_destroy(&fakes);
    return 0;
}

/* ---- helpers ------------------------------------------------------------- */

struct paths {
    char genesis[160];
    char key[160];
    char certificate[160];
    char tls_key[160];
};

static void paths_of(struct paths *paths, uint32_t replica)
{
    const char *name = genesis_replica(fakes.genesis, replica)->name;
    (void)snprintf(paths->genesis, sizeof paths->genesis, "%s/genesis.txt",
                   fakes.consortium);
    (void)snprintf(paths->key, sizeof paths->key, "%s/%s/client.key",
                   fakes.consortium, name);
    (void)snprintf(paths->certificate, sizeof paths->certificate,
                   "%s/%s/client-tls.pem", fakes.consortium, name);
    (void)snprintf(paths->tls_key, sizeof paths->tls_key,
                   "%s/%s/client-tls.key", fakes.consortium, name);
}

static void config_of(struct salus_config *config, const struct paths *paths)
{
    salus_config_init(config);
    config->genesis_file = paths->genesis;
    config->key_file = paths->key;
    config->certificate_file = paths->certificate;
    config->tls_key_file = paths->tls_key;
    config->timeout_ms = 60000; /* Machines may be busy. */
    config->attempt_timeout_ms = 4000;
}

static struct salus_client *client_open(const struct salus_config *config)
{
    struct salus_client *client = NULL;
    char problem[SALUS_PROBLEM_SIZE] = "";
    if (salus_open(&client, problem, config) != SALUS_OK) {
        fail_msg("open: %s", problem);
    }
    return client;
}

/* A client of the institution of replica 0. */
static struct salus_client *open_default(void)
{
    struct paths paths;
    struct salus_config config;
    paths_of(&paths, 0);
    config_of(&config, &paths);
    return client_open(&config);
}

/* A revocation of consent `number`. */
static struct transaction_bytes make_transaction(struct salus_client *client,
                                                 uint64_t number)
{
    struct transaction_envelope envelope = {.not_after_ms = UINT64_C(1) << 45,
                                            .table_version = 1};
    uint8_t consent[SALUS_ID_SIZE] = {1};
    memcpy(consent + 8, &number, sizeof number);
    struct transaction transaction = {
        .type = TRANSACTION_CONSENT_REVOKE,
        .consent_revoke = {.consent = {consent, sizeof consent},
                           .reason = 1,
                           .revoked_at_ms = 1},
    };
    struct transaction_bytes body = {NULL, 0};
    struct transaction_bytes sealed = {NULL, 0};
    salus_identity(client, envelope.chain.bytes, envelope.institution.bytes,
                   envelope.key_id.bytes);
    assert_int_equal(transaction_build(&body, &envelope, &transaction),
                     PBFT_OK);
    struct pbft_bytes bytes = {body.data, body.size};
    assert_int_equal(transaction_seal(&sealed, bytes, NULL, 0), PBFT_OK);
    free(body.data);
    return sealed;
}

static enum salus_status submit_one(struct salus_client *client,
                                    struct salus_result *result,
                                    uint64_t number)
{
    struct transaction_bytes bytes = make_transaction(client, number);
    struct salus_transaction transaction = {bytes.data, bytes.size};
    enum salus_status status = salus_submit(client, result, &transaction);
    free(bytes.data);
    return status;
}

static void pass_a_moment(void)
{
    const struct timespec moment = {0, 2000000};
    (void)nanosleep(&moment, NULL);
}

static uint32_t submissions_at(uint32_t replica)
{
    (void)pthread_mutex_lock(&fakes.lock);
    uint32_t count = fakes.replicas[replica].submissions;
    (void)pthread_mutex_unlock(&fakes.lock);
    return count;
}

/* ---- truthful replicas --------------------------------------------------- */

static void test_a_transaction_is_proved(void **state)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    (void)state;

    assert_int_equal(submit_one(client, &result, 1), SALUS_OK);

    assert_int_equal(result.status, SALUS_OK);
    assert_int_equal(result.code, 0);
    assert_int_equal(result.seq, 1);
    assert_int_equal(result.write_digest[0], 0x77);
    assert_int_equal(submissions_at(0), 1); /* Its own replica. */
    assert_int_equal(submissions_at(1), 0);
    salus_close(client);
}

static void test_many_stay_together_in_one_request(void **state)
{
    struct salus_client *client = open_default();
    struct transaction_bytes bytes[5];
    struct salus_transaction transactions[5];
    struct salus_result results[5];
    (void)state;
    for (uint64_t i = 0; i < 5; i++) {
        bytes[i] = make_transaction(client, i);
        transactions[i].data = bytes[i].data;
        transactions[i].size = bytes[i].size;
    }

    assert_int_equal(salus_submit_many(client, results, transactions, 5),
                     SALUS_OK);

    assert_int_equal(fakes.seen_count, 1);
    assert_int_equal(fakes.transactions[0], 5);
    for (uint32_t i = 0; i < 5; i++) {
        struct pbft_digest id;
        struct pbft_bytes body;
        struct pbft_bytes sealed = {bytes[i].data, bytes[i].size};
        assert_int_equal(transaction_body(&body, sealed), PBFT_OK);
        transaction_id(&id, &fakes.domain.cluster, body);
        assert_memory_equal(results[i].tx_id, id.bytes, 32);
        free(bytes[i].data);
    }
    salus_close(client);
}

struct crowd {
    struct salus_client *client;
    uint64_t first;
    atomic_uint failures;
};

static void *submit_some(void *context)
{
    struct crowd *crowd = context;
    for (uint64_t i = 0; i < PER_THREAD; i++) {
        struct salus_result result;
        if (submit_one(crowd->client, &result, crowd->first + i) != SALUS_OK) {
            atomic_fetch_add(&crowd->failures, 1);
        }
    }
    return NULL;
}

static void test_concurrent_submissions_coalesce(void **state)
{
    struct paths paths;
    struct salus_config config;
    struct crowd crowds[THREADS];
    pthread_t threads[THREADS];
    uint32_t transactions = 0;
    (void)state;
    paths_of(&paths, 0);
    config_of(&config, &paths);
    config.requests_in_flight = 1; /* While one flies, the others gather. */
    struct salus_client *client = client_open(&config);
    for (uint32_t i = 0; i < THREADS; i++) {
        crowds[i].client = client;
        crowds[i].first = i * 1000;
        atomic_init(&crowds[i].failures, 0);
        assert_int_equal(
            pthread_create(&threads[i], NULL, submit_some, &crowds[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(atomic_load(&crowds[i].failures), 0);
    }

    /* Each once, in clearly fewer requests, with sequences 1, 2, 3 ... */
    assert_true(fakes.seen_count < THREADS * PER_THREAD / 2);
    for (uint32_t i = 0; i < fakes.seen_count; i++) {
        transactions += fakes.transactions[i];
        assert_int_equal(fakes.sequences[i], i + 1);
    }
    assert_int_equal(transactions, THREADS * PER_THREAD);
    salus_close(client);
}

static void test_coalescing_can_be_switched_off(void **state)
{
    struct paths paths;
    struct salus_config config;
    struct transaction_bytes bytes[20];
    (void)state;
    paths_of(&paths, 0);
    config_of(&config, &paths);
    config.transactions_per_request = 1;
    struct salus_client *client = client_open(&config);
    struct salus_statistics statistics;
    struct salus_result results[20];
    for (uint64_t i = 0; i < 20; i++) {
        bytes[i] = make_transaction(client, i);
        struct salus_transaction one = {bytes[i].data, bytes[i].size};
        assert_int_equal(salus_submit(client, &results[i], &one), SALUS_OK);
        free(bytes[i].data);
    }
    salus_get_statistics(client, &statistics);
    assert_int_equal(statistics.requests, 20);
    assert_int_equal(fakes.seen_count, 20);
    salus_close(client);
}

static void count_done(void *context, const struct salus_result *results,
                       size_t count)
{
    atomic_uint *done = context;
    for (size_t i = 0; i < count; i++) {
        if (results[i].status == SALUS_OK) {
            atomic_fetch_add(done, 1);
        }
    }
}

static void test_asynchronous_submissions_are_waited_for(void **state)
{
    struct salus_client *client = open_default();
    atomic_uint done;
    (void)state;
    atomic_init(&done, 0);
    for (uint64_t i = 0; i < 100; i++) {
        struct transaction_bytes bytes = make_transaction(client, i);
        struct salus_transaction one = {bytes.data, bytes.size};
        assert_int_equal(salus_submit_async(client, &one, 1, count_done, &done),
                         SALUS_OK);
        free(bytes.data); /* It was copied. */
    }

    assert_int_equal(salus_wait(client, 20000), SALUS_OK);

    assert_int_equal(atomic_load(&done), 100);
    salus_close(client);
}

/* ---- replicas that lie, refuse or are silent ----------------------------- */

/* Replica 0 answers in this manner, the others tell the truth. */
static void is_seen_through(enum fake_manner manner)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    struct salus_statistics statistics;
    fake_set(&fakes, 0, manner);

    assert_int_equal(submit_one(client, &result, 1), SALUS_OK);

    salus_get_statistics(client, &statistics);
    assert_int_equal(submissions_at(0), 1);
    assert_int_equal(submissions_at(1), 1);
    assert_int_equal(statistics.bad_replies, 1);
    assert_int_equal(fakes.seen_count, 1); /* The identical request. */
    salus_close(client);
}

#define LIE_TEST(name, manner)                                                 \
    static void name(void **state)                                             \
    {                                                                          \
        (void)state;                                                           \
        is_seen_through(manner);                                               \
    }

LIE_TEST(test_f_attestations_are_not_enough, FAKE_ONE_SIGNATURE)
LIE_TEST(test_one_signer_does_not_count_twice, FAKE_SAME_SIGNER)
LIE_TEST(test_a_damaged_signature_is_seen, FAKE_BAD_SIGNATURE)
LIE_TEST(test_a_tampered_path_is_seen, FAKE_WRONG_PATH)
LIE_TEST(test_a_tampered_result_is_seen, FAKE_WRONG_CODE)
LIE_TEST(test_results_of_other_transactions_are_seen, FAKE_WRONG_RESULT_ID)
LIE_TEST(test_the_proof_of_another_request_is_seen, FAKE_OTHER_REQUEST)
LIE_TEST(test_the_proof_of_another_cluster_is_seen, FAKE_OTHER_CLUSTER)
LIE_TEST(test_another_epoch_is_seen, FAKE_OTHER_EPOCH)
LIE_TEST(test_garbage_is_no_reply, FAKE_GARBAGE)
LIE_TEST(test_nothing_is_no_reply, FAKE_EMPTY)
LIE_TEST(test_an_unasked_answer_is_no_proof, FAKE_ANSWERS_A_QUERY)

static void test_all_lie_and_nothing_is_believed(void **state)
{
    struct paths paths;
    struct salus_config config;
    struct salus_result result;
    (void)state;
    paths_of(&paths, 0);
    config_of(&config, &paths);
    config.timeout_ms = 3000;
    fake_set_all(&fakes, FAKE_ONE_SIGNATURE);
    struct salus_client *client = client_open(&config);

    assert_int_equal(submit_one(client, &result, 1), SALUS_UNPROVED);

    assert_int_equal(result.seq, 0);
    salus_close(client);
}

static void test_a_silent_replica_is_passed_over(void **state)
{
    struct paths paths;
    struct salus_config config;
    struct salus_result result;
    (void)state;
    paths_of(&paths, 0);
    config_of(&config, &paths);
    config.attempt_timeout_ms = 300;
    fake_set(&fakes, 0, FAKE_SILENT);
    struct salus_client *client = client_open(&config);

    assert_int_equal(submit_one(client, &result, 1), SALUS_OK);

    assert_int_equal(fakes.seen_count, 1);
    salus_close(client);
}

static void test_a_dead_replica_is_passed_over(void **state)
{
    struct salus_client *client = NULL;
    struct salus_result result;
    (void)state;
    fake_close(&fakes, 0);
    client = open_default();

    assert_int_equal(submit_one(client, &result, 1), SALUS_OK);

    assert_true(submissions_at(1) == 1);
    salus_close(client);
}

static void test_nobody_there_is_told_in_time(void **state)
{
    struct paths paths;
    struct salus_config config;
    struct salus_result result;
    (void)state;
    paths_of(&paths, 0);
    config_of(&config, &paths);
    config.timeout_ms = 1000;
    for (uint32_t i = 0; i < FAKE_REPLICAS; i++) {
        fake_close(&fakes, i);
    }
    struct salus_client *client = client_open(&config);

    assert_int_equal(submit_one(client, &result, 1), SALUS_UNREACHABLE);

    salus_close(client);
}

static void test_all_silent_times_out_and_the_gap_is_filled(void **state)
{
    struct paths paths;
    struct salus_config config;
    struct salus_result result;
    bool has_void = false;
    (void)state;
    paths_of(&paths, 0);
    config_of(&config, &paths);
    config.timeout_ms = 4000;
    config.attempt_timeout_ms = 1000;
    fake_set_all(&fakes, FAKE_SILENT);
    struct salus_client *client = client_open(&config);

    assert_int_equal(submit_one(client, &result, 1), SALUS_TIMED_OUT);
    fake_set_all(&fakes, FAKE_HONEST);
    assert_int_equal(submit_one(client, &result, 2), SALUS_OK);

    while (!has_void) {
        (void)pthread_mutex_lock(&fakes.lock);
        for (uint32_t i = 0; i < fakes.seen_count; i++) {
            has_void |= fakes.transactions[i] == 0 && fakes.sequences[i] == 1;
        }
        (void)pthread_mutex_unlock(&fakes.lock);
        pass_a_moment();
    }
    salus_close(client);
}

static void test_busy_is_tried_again_at_the_same_replica(void **state)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    struct salus_statistics statistics;
    (void)state;
    fakes.replicas[0].busy_left = 2;
    fake_set(&fakes, 0, FAKE_BUSY);

    assert_int_equal(submit_one(client, &result, 1), SALUS_OK);

    salus_get_statistics(client, &statistics);
    assert_int_equal(statistics.busy, 2);
    assert_int_equal(submissions_at(0), 3);
    assert_int_equal(submissions_at(1), 0);
    salus_close(client);
}

static void test_busy_for_ever_is_passed_over(void **state)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    (void)state;
    fakes.replicas[0].busy_left = UINT32_MAX;
    fake_set(&fakes, 0, FAKE_BUSY);

    assert_int_equal(submit_one(client, &result, 1), SALUS_OK);

    assert_int_equal(submissions_at(1), 1);
    salus_close(client);
}

/* A liar that sends the client away for weeks is asked again soon, and then
 * another one is. */
static void test_busy_for_weeks_is_passed_over(void **state)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    (void)state;
    fakes.replicas[0].busy_left = UINT32_MAX;
    fakes.replicas[0].busy_ms = UINT32_MAX;
    fake_set(&fakes, 0, FAKE_BUSY);

    assert_int_equal(submit_one(client, &result, 1), SALUS_OK);

    assert_true(submissions_at(0) >= 2);
    salus_close(client);
    fakes.replicas[0].busy_ms = 0;
}

static void test_one_refusal_proves_nothing(void **state)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    (void)state;
    fake_set(&fakes, 0, FAKE_REFUSES);

    assert_int_equal(submit_one(client, &result, 1), SALUS_OK);

    salus_close(client);
}

/* One liar that refuses, and silence: it must not count twice. */
static void test_refusals_of_one_replica_count_once(void **state)
{
    struct paths paths;
    struct salus_config config;
    struct salus_result result;
    (void)state;
    paths_of(&paths, 0);
    config_of(&config, &paths);
    config.timeout_ms = 4000;
    config.attempt_timeout_ms = 100;
    fake_set_all(&fakes, FAKE_SILENT);
    fake_set(&fakes, 0, FAKE_REFUSES);
    struct salus_client *client = client_open(&config);

    enum salus_status status = submit_one(client, &result, 1);

    assert_true(submissions_at(0) >= 2); /* It was asked again. */
    /* Those who are silent may have ordered it: the liar cannot say no. */
    assert_true(status == SALUS_TIMED_OUT || status == SALUS_UNPROVED);
    assert_true(result.status == status);
    assert_true(submissions_at(3) >= 1); /* The others were asked first. */
    salus_close(client);
}

/* All are behind, and say that the number is too large yet. */
static void test_replicas_that_are_behind_are_asked_again(void **state)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    (void)state;
    for (uint32_t i = 0; i < FAKE_REPLICAS; i++) {
        fakes.replicas[i].busy_left = 1;
    }
    fake_set_all(&fakes, FAKE_BEHIND);

    assert_int_equal(submit_one(client, &result, 1), SALUS_OK);

    salus_close(client);
}

static void test_refusals_of_f_plus_1_are_final_and_leave_no_gap(void **state)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    (void)state;
    fake_set_all(&fakes, FAKE_REFUSES);

    assert_int_equal(submit_one(client, &result, 1), SALUS_INADMISSIBLE);
    assert_int_equal(result.code, 7);

    fake_set_all(&fakes, FAKE_HONEST);
    assert_int_equal(submit_one(client, &result, 2), SALUS_OK);
    salus_close(client);
    assert_true(fakes.seen_count >= 3); /* Refused, its VOID, the second. */
}

/* A client that asks another replica after a moment. */
static struct salus_client *open_impatient(uint32_t timeout_ms)
{
    struct paths paths;
    struct salus_config config;
    paths_of(&paths, 0);
    config_of(&config, &paths);
    config.timeout_ms = timeout_ms;
    config.attempt_timeout_ms = 300;
    return client_open(&config);
}

/* A liar and an honest one that is behind are f + 1; the first one that was
 * asked has it ordered meanwhile. */
static void test_refused_by_f_plus_1_and_executed_all_the_same(void **state)
{
    struct salus_client *client = open_impatient(60000);
    struct salus_result result;
    (void)state;
    fake_set(&fakes, 0, FAKE_SILENT);
    fake_set(&fakes, 1, FAKE_REFUSES);
    fake_set(&fakes, 2, FAKE_REFUSES);
    fake_set(&fakes, 3, FAKE_FIRST_STANDS);

    assert_int_equal(submit_one(client, &result, 1), SALUS_OK);

    assert_int_equal(result.seq, 1);
    assert_int_equal(result.write_digest[0], 0x77);
    assert_int_equal(fakes.transactions[0], 1);
    assert_int_equal(fakes.transactions[1], 0); /* The VOID found it. */
    salus_close(client);
}

/* All refuse it, but one that did not answer in time may have had it ordered:
 * so with a session that was closed meanwhile. */
static void test_refused_by_all_but_perhaps_ordered_before(void **state)
{
    struct salus_client *client = open_impatient(60000);
    struct salus_result result;
    (void)state;
    fake_set_all(&fakes, FAKE_REFUSES);
    fake_set(&fakes, 0, FAKE_SILENT);

    assert_int_equal(submit_one(client, &result, 1), SALUS_UNPROVED);

    assert_int_equal(result.code, 7);
    salus_close(client);
}

/* Nobody is told before the place of the request is taken. */
static void test_what_a_void_replaces_is_inadmissible(void **state)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    (void)state;
    fake_set(&fakes, 0, FAKE_REFUSES);
    fake_set(&fakes, 1, FAKE_REFUSES);

    assert_int_equal(submit_one(client, &result, 1), SALUS_INADMISSIBLE);

    assert_int_equal(result.code, 7);
    assert_int_equal(result.seq, 0);
    assert_int_equal(fakes.seen_count, 2);
    assert_int_equal(fakes.sequences[1], 1);
    assert_int_equal(fakes.transactions[1], 0);
    assert_int_equal(client->seen, 1); /* Its block was proved, too. */
    salus_close(client);
}

/* No replica says what became of the VOID. */
static void test_an_unsettled_void_is_told_in_time(void **state)
{
    struct salus_client *client = open_impatient(3000);
    struct salus_result result;
    (void)state;
    fake_set(&fakes, 0, FAKE_REFUSES);
    fake_set(&fakes, 1, FAKE_REFUSES);
    fake_set(&fakes, 2, FAKE_REPEATED);
    fake_set(&fakes, 3, FAKE_REPEATED);

    assert_int_equal(submit_one(client, &result, 1), SALUS_UNPROVED);

    assert_int_equal(result.code, 7);
    salus_close(client);
}

/* It was ordered twice, and the second time is attested: nothing was done then,
 * but what was done the first time is what counts. */
static void the_first_time_counts(enum fake_manner manner)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    fake_set(&fakes, 0, manner);

    assert_int_equal(submit_one(client, &result, 1), SALUS_OK);

    assert_int_equal(result.code, 0);
    assert_int_equal(submissions_at(1), 1);
    assert_int_equal(fakes.seen_count, 1);
    salus_close(client);
}

static void test_a_repeated_request_is_not_refused(void **state)
{
    (void)state;
    the_first_time_counts(FAKE_REPEATED);
}

static void test_a_repetition_after_the_key_is_not_refused(void **state)
{
    (void)state;
    the_first_time_counts(FAKE_KEY_STATE);
}

static void test_repetitions_alone_prove_nothing(void **state)
{
    struct salus_client *client = open_impatient(2000);
    struct salus_result result;
    (void)state;
    fake_set_all(&fakes, FAKE_REPEATED);

    assert_int_equal(submit_one(client, &result, 1), SALUS_UNPROVED);

    assert_int_equal(result.code, LEDGER_DUPLICATE);
    salus_close(client);
}

/* ---- reads, sessions, closing -------------------------------------------- */

/* Of a read that is refused for a while nobody says that it is not ordered. */
static void test_refused_reads_say_why(void **state)
{
    static const struct {
        Salus__V1__Refusal__Code code;
        enum salus_status status;
    } cases[] = {
        {SALUS__V1__REFUSAL__CODE__BUSY, SALUS_LIMIT},
        {SALUS__V1__REFUSAL__CODE__TIMED_OUT, SALUS_TIMED_OUT},
        {SALUS__V1__REFUSAL__CODE__SYNCING, SALUS_UNREACHABLE},
        {SALUS__V1__REFUSAL__CODE__STOPPING, SALUS_UNREACHABLE},
        {SALUS__V1__REFUSAL__CODE__NOT_FOUND, SALUS_NOT_FOUND},
        {SALUS__V1__REFUSAL__CODE__NOT_AUTHORIZED, SALUS_NOT_AUTHORIZED},
        {SALUS__V1__REFUSAL__CODE__MALFORMED, SALUS_INVALID_ARGUMENT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Salus__V1__Refusal refusal = SALUS__V1__REFUSAL__INIT;
        refusal.code = cases[i].code;
        assert_int_equal(client_status_of_refusal(&refusal), cases[i].status);
    }
}

static void test_reads_go_to_the_replica_that_is_meant(void **state)
{
    struct salus_client *client = open_default();
    struct salus_bytes bytes;
    uint8_t query[] = {0x22, 0x22, 0x0a, 0x20, 1,  2,  3,  4,  5,  6,  7,  8,
                       9,    10,   11,   12,   13, 14, 15, 16, 17, 18, 19, 20,
                       21,   22,   23,   24,   25, 26, 27, 28, 29, 30, 31, 32};
    (void)state;

    assert_int_equal(salus_query_local(client, &bytes, query, sizeof query),
                     SALUS_OK);
    Salus__V1__Answer *answer =
        salus__v1__answer__unpack(NULL, bytes.size, bytes.data);
    assert_int_equal(answer->height, 100);
    salus__v1__answer__free_unpacked(answer, NULL);
    salus_free(&bytes);

    for (uint32_t i = 0; i < salus_replica_count(client); i++) {
        assert_int_equal(salus_replica_status(client, &bytes, i), SALUS_OK);
        Salus__V1__NodeStatus *status =
            salus__v1__node_status__unpack(NULL, bytes.size, bytes.data);
        assert_int_equal(status->replica, i);
        salus__v1__node_status__free_unpacked(status, NULL);
        salus_free(&bytes);
    }
    assert_int_equal(salus_replica_status(client, &bytes, 4),
                     SALUS_INVALID_ARGUMENT);
    assert_int_equal(salus_query_local(client, &bytes, query, 3),
                     SALUS_INVALID_ARGUMENT);
    uint8_t unknown[SALUS_DIGEST_SIZE] = {9};
    assert_int_equal(salus_receipt(client, &bytes, unknown), SALUS_NOT_FOUND);
    salus_close(client);
}

static void test_a_receipt_is_proof_of_its_block(void **state)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    struct salus_bytes receipt;
    (void)state;
    assert_int_equal(submit_one(client, &result, 1), SALUS_OK);
    salus_close(client);
    client = open_default();
    assert_int_equal(client->seen, 0);

    assert_int_equal(salus_receipt(client, &receipt, result.tx_id), SALUS_OK);

    assert_int_equal(client->seen, result.seq);
    salus_free(&receipt);
    salus_close(client);
}

/* Not four times as long as the whole call may take. */
static void test_a_receipt_is_given_up_in_time(void **state)
{
    struct paths paths;
    struct salus_config config;
    struct salus_bytes receipt;
    const uint8_t id[SALUS_DIGEST_SIZE] = {9};
    (void)state;
    paths_of(&paths, 0);
    config_of(&config, &paths);
    config.timeout_ms = 2000;
    config.attempt_timeout_ms = 2000;
    for (uint32_t i = 0; i < FAKE_REPLICAS; i++) {
        fake_close(&fakes, i);
    }
    struct salus_client *client = client_open(&config);
    const pbft_time_ms before = client_now_ms();

    assert_int_equal(salus_receipt(client, &receipt, id), SALUS_UNREACHABLE);

    assert_true(client_now_ms() - before < 6000);
    salus_close(client);
}

static void test_each_opening_begins_a_new_session(void **state)
{
    struct salus_result result;
    (void)state;
    for (uint64_t i = 0; i < 3; i++) {
        struct salus_client *client = open_default();
        assert_int_equal(submit_one(client, &result, 1), SALUS_OK);
        salus_close(client);
    }
    /* The same transaction, thrice sequence 1: only the session differs. */
    assert_int_equal(fakes.seen_count, 3);
}

/* Once the submission is under way: before, there would be nothing to end, and
 * nothing to submit to. */
static void *close_meanwhile(void *context)
{
    while (submissions_at(0) == 0) {
        pass_a_moment();
    }
    salus_close(context);
    return NULL;
}

static void test_closing_ends_what_is_under_way(void **state)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    pthread_t closer;
    (void)state;
    fake_set_all(&fakes, FAKE_SILENT);
    assert_int_equal(pthread_create(&closer, NULL, close_meanwhile, client), 0);

    assert_int_equal(submit_one(client, &result, 1), SALUS_CLOSED);

    assert_int_equal(pthread_join(closer, NULL), 0);
}

/* A call that waits for a submission of its own, from a thread of its own. */
struct ordered_read {
    struct salus_client *client;
    enum salus_status status;
    atomic_bool ended;
};

static void *read_ordered(void *context)
{
    struct ordered_read *reading = context;
    static const uint8_t query[] = {0};
    struct salus_certified certified;
    reading->status = salus_query_certified(
        reading->client, &certified, SALUS_READ_ORDERED, query, sizeof query);
    atomic_store(&reading->ended, true);
    return NULL;
}

static void *close_now(void *context)
{
    struct ordered_read *closing = context;
    salus_close(closing->client);
    atomic_store(&closing->ended, true);
    return NULL;
}

static void await(atomic_bool *fact)
{
    for (uint32_t i = 0; i < 10000 && !atomic_load(fact); i++) {
        pass_a_moment();
    }
    assert_true(atomic_load(fact));
}

static void test_closing_ends_an_ordered_read(void **state)
{
    struct salus_client *client = open_default();
    struct ordered_read reading = {.client = client};
    struct ordered_read closing = {.client = client};
    pthread_t reader;
    pthread_t closer;
    (void)state;
    fake_set_all(&fakes, FAKE_SILENT);
    assert_int_equal(pthread_create(&reader, NULL, read_ordered, &reading), 0);
    while (submissions_at(0) == 0) {
        pass_a_moment();
    }

    assert_int_equal(pthread_create(&closer, NULL, close_now, &closing), 0);

    await(&closing.ended);
    await(&reading.ended);
    assert_int_equal(reading.status, SALUS_CLOSED);
    assert_int_equal(pthread_join(closer, NULL), 0);
    assert_int_equal(pthread_join(reader, NULL), 0);
}

/* ---- requests that are given up ------------------------------------------ */

/* Tells the statuses of one submission, in the order of its transactions. */
struct told {
    enum salus_status statuses[4];
    atomic_bool ended;
};

static void on_told(void *context, const struct salus_result *results,
                    size_t count)
{
    struct told *told = context;
    for (size_t i = 0; i < count && i < 4; i++) {
        told->statuses[i] = results[i].status;
    }
    atomic_store(&told->ended, true);
}

static void submit_async(struct salus_client *client, struct told *told,
                         uint64_t number)
{
    struct transaction_bytes bytes = make_transaction(client, number);
    struct salus_transaction one = {bytes.data, bytes.size};
    assert_int_equal(salus_submit_async(client, &one, 1, on_told, told),
                     SALUS_OK);
    free(bytes.data);
}

struct late_sender {
    struct salus_client *client;
    struct told told;
};

static void *send_late(void *context)
{
    struct late_sender *sender = context;
    submit_async(sender->client, &sender->told, 1);
    return NULL;
}

static uint32_t requests_seen(void)
{
    (void)pthread_mutex_lock(&fakes.lock);
    uint32_t count = fakes.seen_count;
    (void)pthread_mutex_unlock(&fakes.lock);
    return count;
}

/* A sender that is about to send is held back until the request is given up: it
 * finds no channel, and waits for its turn to open one. */
static void test_given_up_while_it_is_being_sent(void **state)
{
    struct late_sender sender = {.client = open_impatient(1000)};
    struct salus_client *client = sender.client;
    pthread_t thread;
    (void)state;
    while (!net_channel_is_connected(client->channels[0])) {
        pass_a_moment();
    }
    (void)pthread_mutex_lock(&client->opening);
    (void)pthread_mutex_lock(&client->lock);
    struct net_channel *channel = client->channels[0];
    client->channels[0] = NULL;
    (void)pthread_mutex_unlock(&client->lock);
    assert_int_equal(pthread_create(&thread, NULL, send_late, &sender), 0);
    await(&sender.told.ended);
    assert_int_not_equal(sender.told.statuses[0], SALUS_OK);

    (void)pthread_mutex_lock(&client->lock);
    client->channels[0] = channel;
    (void)pthread_mutex_unlock(&client->lock);
    (void)pthread_mutex_unlock(&client->opening);

    /* It arrives as it was signed, and so does the VOID. */
    for (uint32_t i = 0; i < 10000 && requests_seen() < 2; i++) {
        pass_a_moment();
    }
    assert_int_equal(requests_seen(), 2);
    assert_int_equal(fakes.transactions[0] + fakes.transactions[1], 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    salus_close(client);
}

static bool are_in_one_request(struct salus_client *client)
{
    (void)pthread_mutex_lock(&client->lock);
    const struct request *request = client->requests_first;
    bool are = request != NULL && request->sequence == 2 &&
               request->first != NULL && request->first->next != NULL;
    (void)pthread_mutex_unlock(&client->lock);
    return are;
}

/* Two that wait behind a request in flight come into one; the first has little
 * time left then, the second all of its own. */
static void test_who_is_in_a_request_has_its_own_time(void **state)
{
    struct paths paths;
    struct salus_config config;
    struct told told[3] = {{.ended = false}};
    (void)state;
    paths_of(&paths, 0);
    config_of(&config, &paths);
    config.attempt_timeout_ms = 300;
    config.requests_in_flight = 1;
    fake_set_all(&fakes, FAKE_SILENT);
    struct salus_client *client = client_open(&config);
    for (uint64_t i = 0; i < 3; i++) {
        submit_async(client, &told[i], i);
        while (submissions_at(0) == 0) {
            pass_a_moment();
        }
    }
    fake_set_all(&fakes, FAKE_FIRST_STANDS);
    await(&told[0].ended);
    assert_int_equal(told[0].statuses[0], SALUS_OK);
    while (!are_in_one_request(client)) {
        pass_a_moment();
    }
    (void)pthread_mutex_lock(&client->lock);
    struct request *request = client->requests_first;
    assert_int_equal(request->deadline, request->first->next->deadline);
    request->first->deadline = client_now_ms();
    (void)pthread_mutex_unlock(&client->lock);

    await(&told[1].ended);
    assert_int_not_equal(told[1].statuses[0], SALUS_OK);
    assert_false(atomic_load(&told[2].ended));

    fake_set_all(&fakes, FAKE_HONEST);
    await(&told[2].ended);
    assert_int_equal(told[2].statuses[0], SALUS_OK);
    assert_int_equal(requests_seen(), 2); /* No VOID. */
    salus_close(client);
}

/* ---- more than one request holds ----------------------------------------- */

#define LARGE_HANDLES 1700 /* Make some 60 KiB. */

static void make_large(struct salus_client *client,
                       struct salus_transaction *out, uint8_t number)
{
    static uint8_t handles[LARGE_HANDLES][32];
    static Salus__V1__SubjectRegister__Subject subjects[LARGE_HANDLES];
    static Salus__V1__SubjectRegister__Subject *list[LARGE_HANDLES];
    uint8_t cluster[SALUS_DIGEST_SIZE];
    uint8_t institution[SALUS_ID_SIZE];
    uint8_t key_id[SALUS_ID_SIZE];
    Salus__V1__SubjectRegister in = SALUS__V1__SUBJECT_REGISTER__INIT;
    Salus__V1__TransactionBody body = SALUS__V1__TRANSACTION_BODY__INIT;
    Salus__V1__Transaction sealed = SALUS__V1__TRANSACTION__INIT;
    salus_identity(client, cluster, institution, key_id);
    for (uint32_t i = 0; i < LARGE_HANDLES; i++) {
        memset(handles[i], number, sizeof handles[i]);
        memcpy(handles[i], &i, sizeof i);
        salus__v1__subject_register__subject__init(&subjects[i]);
        subjects[i].handle = fake_bytes(handles[i], sizeof handles[i]);
        list[i] = &subjects[i];
    }
    in.subjects = list;
    in.n_subjects = LARGE_HANDLES;
    body.chain_id = fake_bytes(cluster, sizeof cluster);
    body.version = 1;
    body.institution = fake_bytes(institution, sizeof institution);
    body.key_id = fake_bytes(key_id, sizeof key_id);
    body.not_after_ms = UINT64_C(1) << 45;
    body.table_version = 1;
    body.payload_case = SALUS__V1__TRANSACTION_BODY__PAYLOAD_SUBJECT_REGISTER;
    body.subject_register = &in;
    uint8_t *bytes = malloc(2 * LEDGER_TRANSACTION_MAX);
    assert_non_null(bytes);
    sealed.body =
        fake_bytes(bytes, salus__v1__transaction_body__pack(&body, bytes));
    uint8_t *data = bytes + LEDGER_TRANSACTION_MAX;
    out->size = salus__v1__transaction__pack(&sealed, data);
    memmove(bytes, data, out->size);
    out->data = bytes;
}

static void test_more_than_a_request_holds_is_refused_at_once(void **state)
{
    struct salus_client *client = open_default();
    struct salus_transaction transactions[18];
    struct salus_result results[18];
    struct salus_statistics statistics;
    size_t total = 0;
    (void)state;
    for (uint8_t i = 0; i < 18; i++) {
        make_large(client, &transactions[i], i);
        total += i < 17 ? transactions[i].size : 0;
    }
    assert_true(total <= SALUS_REQUEST_BYTES_MAX);
    assert_true(total + transactions[17].size > SALUS_REQUEST_BYTES_MAX);

    assert_int_equal(salus_submit_many(client, results, transactions, 18),
                     SALUS_INVALID_ARGUMENT);
    assert_int_equal(results[17].status, SALUS_INVALID_ARGUMENT);
    salus_get_statistics(client, &statistics);
    assert_int_equal(statistics.requests, 0);

    assert_int_equal(salus_submit_many(client, results, transactions, 17),
                     SALUS_OK);
    assert_int_equal(fakes.transactions[0], 17);
    for (uint32_t i = 0; i < 18; i++) {
        free((void *)(uintptr_t)transactions[i].data);
    }
    salus_close(client);
}

/* salus submit makes as many requests of a file as it takes. */
static void test_a_large_file_is_submitted(void **state)
{
    char path[160];
    char option[200];
    char command[] = "submit";
    char *argv[] = {command, path, option, NULL};
    (void)state;
    (void)snprintf(path, sizeof path, "%s/large.json", fakes.consortium);
    (void)snprintf(option, sizeof option, "--config=%s/client-0.yaml",
                   fakes.consortium);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (uint32_t i = 0; i < 25; i++) {
        (void)fprintf(file, "%s{\"subject_register\":{\"subjects\":[",
                      i == 0 ? "[" : ",");
        for (uint32_t k = 0; k < LARGE_HANDLES; k++) {
            (void)fprintf(file, "%s{\"handle\":\"%060x%04x\"}",
                          k == 0 ? "" : ",", i + 1, k);
        }
        (void)fprintf(file, "]}}");
    }
    (void)fprintf(file, "]");
    assert_int_equal(fclose(file), 0);

    assert_int_equal(tool_submit.run(3, argv), TOOL_OK);

    assert_int_equal(requests_seen(), 2);
    assert_int_equal(fakes.transactions[0] + fakes.transactions[1], 25);
}

/* ---- arguments ----------------------------------------------------------- */

static void test_what_is_no_transaction_is_refused_at_once(void **state)
{
    struct salus_client *client = open_default();
    struct salus_result result;
    uint8_t nonsense[] = {1, 2, 3};
    struct salus_transaction bad = {nonsense, sizeof nonsense};
    (void)state;

    assert_int_equal(salus_submit(client, &result, &bad),
                     SALUS_INVALID_ARGUMENT);

    assert_int_equal(fakes.seen_count, 0);
    salus_close(client);
}

static void refuse_to_open(const struct salus_config *config, const char *part)
{
    struct salus_client *client = NULL;
    char problem[SALUS_PROBLEM_SIZE] = "";
    assert_int_equal(salus_open(&client, problem, config), SALUS_BAD_FILE);
    assert_null(client);
    if (strstr(problem, part) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", problem, part);
    }
}

static void test_bad_files_are_told(void **state)
{
    struct paths own;
    struct paths other;
    struct salus_config config;
    (void)state;
    paths_of(&own, 0);
    paths_of(&other, 1);

    config_of(&config, &own);
    config.genesis_file = own.certificate;
    refuse_to_open(&config, "");
    config_of(&config, &own);
    config.key_file = "/nowhere/client.key";
    refuse_to_open(&config, "/nowhere/client.key");
    config_of(&config, &own);
    config.certificate_file = other.certificate;
    refuse_to_open(&config, other.certificate);
    config_of(&config, &own);
    config.tls_key_file = other.tls_key;
    refuse_to_open(&config, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_transaction_is_proved),
        TEST(test_many_stay_together_in_one_request),
        TEST(test_concurrent_submissions_coalesce),
        TEST(test_coalescing_can_be_switched_off),
        TEST(test_asynchronous_submissions_are_waited_for),
        TEST(test_f_attestations_are_not_enough),
        TEST(test_one_signer_does_not_count_twice),
        TEST(test_a_damaged_signature_is_seen),
        TEST(test_a_tampered_path_is_seen),
        TEST(test_a_tampered_result_is_seen),
        TEST(test_results_of_other_transactions_are_seen),
        TEST(test_the_proof_of_another_request_is_seen),
        TEST(test_the_proof_of_another_cluster_is_seen),
        TEST(test_another_epoch_is_seen),
        TEST(test_garbage_is_no_reply),
        TEST(test_nothing_is_no_reply),
        TEST(test_an_unasked_answer_is_no_proof),
        TEST(test_all_lie_and_nothing_is_believed),
        TEST(test_a_silent_replica_is_passed_over),
        TEST(test_a_dead_replica_is_passed_over),
        TEST(test_nobody_there_is_told_in_time),
        TEST(test_all_silent_times_out_and_the_gap_is_filled),
        TEST(test_busy_is_tried_again_at_the_same_replica),
        TEST(test_busy_for_ever_is_passed_over),
        TEST(test_one_refusal_proves_nothing),
        TEST(test_refusals_of_one_replica_count_once),
        TEST(test_replicas_that_are_behind_are_asked_again),
        TEST(test_refusals_of_f_plus_1_are_final_and_leave_no_gap),
        TEST(test_refused_by_f_plus_1_and_executed_all_the_same),
        TEST(test_refused_by_all_but_perhaps_ordered_before),
        TEST(test_what_a_void_replaces_is_inadmissible),
        TEST(test_an_unsettled_void_is_told_in_time),
        TEST(test_a_repeated_request_is_not_refused),
        TEST(test_a_repetition_after_the_key_is_not_refused),
        TEST(test_repetitions_alone_prove_nothing),
        TEST(test_refused_reads_say_why),
        TEST(test_busy_for_weeks_is_passed_over),
        TEST(test_reads_go_to_the_replica_that_is_meant),
        TEST(test_each_opening_begins_a_new_session),
        TEST(test_closing_ends_what_is_under_way),
        TEST(test_closing_ends_an_ordered_read),
        TEST(test_given_up_while_it_is_being_sent),
        TEST(test_a_receipt_is_proof_of_its_block),
        TEST(test_a_receipt_is_given_up_in_time),
        TEST(test_who_is_in_a_request_has_its_own_time),
        TEST(test_more_than_a_request_holds_is_refused_at_once),
        TEST(test_a_large_file_is_submitted),
        TEST(test_what_is_no_transaction_is_refused_at_once),
        TEST(test_bad_files_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
