/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is short: what is created is whole or not there, and what cannot
 * be kept is not promised. Nothing is lost either way (AddressSanitizer). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/driver.h"
#include "consensus/evidence.h"
#include "consensus/preimage.h"
#include "tests/support/cast.h"
#include "tests/support/failing_memory.h"

#define FAILURES_MAX 100u

static struct cast cast;
static struct pbft_message *request;
static struct pbft_message *batch;
static struct pbft_message *header;
static struct pbft_message *stable;
static struct pbft_message *prepared;
static struct pbft_statement said[2]; /* By R0, of one slot. */
static const struct pbft_origin origin = {.sender = 1, .epoch = 1};
static const pbft_replica_id signers[] = {1, 2, 3};

static int start(void **state)
{
    (void)state;
    cast_init(&cast, 4);
    request = cast_request(&cast, 1, "p");
    batch = cast_batch(&cast, 9, 1, 2);
    header = cast_pre_prepare(&cast, 0, 1, batch);
    stable = cast_stable(&cast, 8, signers, 3);
    prepared =
        cast_certificate(&cast, PBFT_MESSAGE_PREPARED, header, signers, 2);
    struct pbft_message *vote = cast_vote(&cast, PBFT_MESSAGE_PREPARE, 0, 0, 1,
                                          &request->request.digest);
    pbft_statement_of(&cast.replicas[0].domain, header, &said[0]);
    pbft_statement_of(&cast.replicas[0].domain, vote, &said[1]);
    pbft_message_unref(vote);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    pbft_message_unref(request);
    pbft_message_unref(batch);
    pbft_message_unref(header);
    pbft_message_unref(stable);
    pbft_message_unref(prepared);
    return 0;
}

/* ---- messages --------------------------------------------------------------
 */

static struct pbft_message *create_request(void)
{
    return pbft_request_create(&cast.client.domain, &request->request, 1, NULL);
}

static struct pbft_message *create_batch(void)
{
    const struct pbft_message *const list[] = {request, request};
    return pbft_batch_create(&cast.client.domain, 9, list, 2);
}

static struct pbft_message *create_pre_prepare(void)
{
    return pbft_pre_prepare_create(&origin, 1, 1, &batch->batch.digest, batch);
}

static struct pbft_message *create_vote(void)
{
    const struct pbft_prepare fields = {0, 1, {{1}}};
    return pbft_vote_create(PBFT_MESSAGE_COMMIT, &origin, &fields);
}

static struct pbft_message *create_attestation(void)
{
    return pbft_attestation_create(&origin, &stable->stable.attestation);
}

static struct pbft_message *create_stable(void)
{
    return pbft_stable_create(1, 1, &stable->stable.attestation,
                              stable->stable.votes, 3);
}

static struct pbft_message *create_certificate(void)
{
    return pbft_certificate_create(PBFT_MESSAGE_COMMITTED, 1, 1, header,
                                   prepared->prepared.votes, 2);
}

static struct pbft_message *create_view_change(void)
{
    const struct pbft_message *const list[] = {prepared};
    return pbft_view_change_create(&cast.replicas[1].domain, &origin, 1, stable,
                                   list, 1);
}

static struct pbft_message *create_new_view(void)
{
    const struct pbft_new_view_source sources[] = {{0, {{1}}}};
    const struct pbft_message *const list[] = {header};
    return pbft_new_view_create(&origin, 1, sources, 1, list, 1);
}

static struct pbft_message *create_status(void)
{
    const uint64_t bits[] = {5};
    const struct pbft_status_report fields = {.prepared_bits = bits,
                                              .prepared_words = 1};
    return pbft_status_create(&origin, &fields);
}

static struct pbft_message *create_fetch(void)
{
    const struct pbft_fetch fields = {.kind = PBFT_FETCH_STABLE};
    return pbft_fetch_create(&origin, &fields);
}

static struct pbft_message *create_copy(void)
{
    return pbft_message_handed_over(batch, 2);
}

static struct pbft_message *create_evidence(void)
{
    return pbft_evidence_create(1, &said[0], &said[1]);
}

static struct pbft_message *(*const constructors[])(void) = {
    create_request,     create_batch,  create_pre_prepare, create_vote,
    create_attestation, create_stable, create_certificate, create_view_change,
    create_new_view,    create_status, create_fetch,       create_copy,
    create_evidence};

static void test_a_message_is_whole_or_not_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof constructors / sizeof constructors[0]; i++) {
        struct pbft_message *made = NULL;
        unsigned failures = 0;
        while (made == NULL) {
            assert_true(failures < FAILURES_MAX);
            memory_left = failures + 1;
            made = constructors[i]();
            failures += made == NULL;
            assert_true((made == NULL) == (memory_left == 0));
        }
        memory_left = 0;
        assert_true(failures > 0);
        pbft_message_unref(made);
    }
    /* What they were made of has the references that it had. */
    assert_int_equal(pbft_verify(&cast.verifier, 0, header), PBFT_OK);
    assert_int_equal(pbft_verify_certificate(&cast.verifier, prepared),
                     PBFT_OK);
}

static void test_a_buffer_that_is_not_there_keeps_nothing(void **state)
{
    (void)state;
    uint8_t *data = malloc(8);
    assert_non_null(data);
    memory_left = 1;
    assert_null(pbft_buffer_create(data, 8));
    free(data); /* It was not taken over. */
}

/* ---- the replica -----------------------------------------------------------
 */

static void test_a_replica_is_whole_or_not_there(void **state)
{
    struct pbft_replica *replica = NULL;
    struct pbft_config config;
    const char *reason = NULL;
    unsigned failures = 0;
    (void)state;
    pbft_config_defaults(&config);
    while (replica == NULL) {
        assert_true(failures < FAILURES_MAX);
        memory_left = failures + 1;
        replica = pbft_replica_create(&config, &cast.replicas[0].domain,
                                      &cast.keyring, &reason);
        if (replica == NULL) {
            assert_int_equal(memory_left, 0);
            assert_string_equal(reason, "out of memory");
            failures++;
        }
    }
    memory_left = 0;
    assert_null(reason);
    assert_true(failures > 10);
    pbft_replica_destroy(replica);
}

static void test_no_reason_need_be_asked_for(void **state)
{
    struct pbft_config config;
    (void)state;
    pbft_config_defaults(&config);
    memory_left = 1;
    assert_null(pbft_replica_create(&config, &cast.replicas[0].domain,
                                    &cast.keyring, NULL));
}

/* ---- the driver ------------------------------------------------------------
 */

static unsigned effects; /* Of whatever kind. */

static void append(void *context, pbft_ticket ticket,
                   const struct pbft_record *records, size_t count)
{
    (void)context;
    (void)ticket;
    (void)records;
    (void)count;
    effects++;
}

static void truncate_log(void *context, pbft_seq stable_seq)
{
    (void)context;
    (void)stable_seq;
    effects++;
}

static void transmit(void *context, const struct pbft_send *sends, size_t count)
{
    (void)context;
    (void)sends;
    (void)count;
    effects++;
}

static void execute(void *context, const struct pbft_commit *commit)
{
    (void)context;
    (void)commit;
    effects++;
}

static void arm(void *context, pbft_time_ms deadline)
{
    (void)context;
    (void)deadline;
}

static struct pbft_driver *create_driver(struct pbft_replica *replica)
{
    const struct pbft_log log = {NULL, append, truncate_log};
    const struct pbft_transport transport = {NULL, transmit};
    const struct pbft_service service = {NULL, execute, NULL, NULL, NULL, NULL};
    const struct pbft_timer_service timer = {NULL, arm};
    return pbft_driver_create(replica, &log, &transport, &service, &timer);
}

/* The votes of a block were cast, and cannot be kept until they are durable: a
 * log that has them and a network that never does would be worse. */
static void test_what_cannot_be_kept_is_not_promised(void **state)
{
    struct pbft_event event = {.type = PBFT_EVENT_APPLIED, .wall = 1000000};
    struct pbft_config config;
    (void)state;
    cast.keyring.replica_count = 1;
    pbft_config_defaults(&config);
    struct pbft_driver *driver = create_driver(pbft_replica_create(
        &config, &cast.replicas[0].domain, &cast.keyring, NULL));
    assert_int_equal(pbft_driver_step(driver, &event), PBFT_ACCEPTED);
    event.type = PBFT_EVENT_START;
    assert_int_equal(pbft_driver_step(driver, &event), PBFT_ACCEPTED);
    pbft_driver_flush(driver);
    event.type = PBFT_EVENT_RECEIVE;
    event.message = request;
    assert_int_equal(pbft_driver_step(driver, &event), PBFT_ACCEPTED);

    effects = 0;
    memory_left = 1;
    pbft_driver_flush(driver);

    assert_int_equal(memory_left, 0);
    assert_true(pbft_driver_has_failed(driver));
    assert_int_equal(pbft_driver_waiting(driver), 0);
    pbft_driver_flush(driver);
    assert_int_equal(effects, 0);
    assert_int_equal(pbft_driver_step(driver, &event), PBFT_BUSY);
    pbft_driver_destroy(driver);
}

static void test_a_driver_is_there_or_not(void **state)
{
    struct pbft_config config;
    (void)state;
    pbft_config_defaults(&config);
    struct pbft_replica *replica = pbft_replica_create(
        &config, &cast.replicas[0].domain, &cast.keyring, NULL);
    memory_left = 1;
    assert_null(create_driver(replica));
    pbft_driver_destroy(NULL);
    pbft_replica_destroy(replica); /* It was not taken over. */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, clear)
    const struct CMUnitTest tests[] = {
        TEST(test_a_message_is_whole_or_not_there),
        TEST(test_a_buffer_that_is_not_there_keeps_nothing),
        TEST(test_a_replica_is_whole_or_not_there),
        TEST(test_no_reason_need_be_asked_for),
        TEST(test_what_cannot_be_kept_is_not_promised),
        TEST(test_a_driver_is_there_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
