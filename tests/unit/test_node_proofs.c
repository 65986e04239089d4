/* SPDX-License-Identifier: Apache-2.0 */
/* The proof of a block is durable when a record that came after it is, and is
 * found at every moment from when it was put. */
#include <pthread.h>
#include <stdio.h>

#include "node/clock.h"
#include "node/limits.h"
#include "node/node_private.h"
#include "tests/support/storage.h"

#define BLOCKS 5

static struct storage_fixture *fixture;
static struct node node;
static struct pbft_message *proofs[BLOCKS + 1]; /* By seq. */

/* What the log writer reports; it waits while it is held. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pbft_ticket durable;
    bool is_held;
    const char *image; /* If not NULL: the folder is copied to it. */
} reports;

static void on_durable(void *context, pbft_ticket ticket)
{
    (void)context;
    (void)pthread_mutex_lock(&reports.lock);
    if (reports.image != NULL) {
        support_folder_copy(reports.image, fixture->dir);
        reports.image = NULL;
    }
    reports.durable = ticket;
    (void)pthread_cond_broadcast(&reports.changed);
    while (reports.is_held) {
        (void)pthread_cond_wait(&reports.changed, &reports.lock);
    }
    (void)pthread_mutex_unlock(&reports.lock);
}

static void on_failed(void *context, enum pbft_status status)
{
    (void)context;
    fail_msg("the log writer failed: %s", pbft_status_text(status));
}

static void wait_for(pbft_ticket ticket)
{
    (void)pthread_mutex_lock(&reports.lock);
    while (reports.durable < ticket) {
        (void)pthread_cond_wait(&reports.changed, &reports.lock);
    }
    (void)pthread_mutex_unlock(&reports.lock);
}

static void hold(bool is_held)
{
    (void)pthread_mutex_lock(&reports.lock);
    reports.is_held = is_held;
    (void)pthread_cond_broadcast(&reports.changed);
    (void)pthread_mutex_unlock(&reports.lock);
}

static int setup(void **state)
{
    const pbft_replica_id signers[2] = {0, 1};
    const struct log_writer_sink sink = {.durable = on_durable,
                                         .failed = on_failed};
    assert_int_equal(fixture_setup(state), 0);
    fixture = *state;
    fixture_open(fixture);
    (void)pthread_mutex_init(&reports.lock, NULL);
    (void)pthread_cond_init(&reports.changed, NULL);
    reports.durable = 0;
    reports.is_held = false;
    reports.image = NULL;
    for (pbft_seq seq = 1; seq <= BLOCKS; seq++) {
        fixture_write_block(fixture, seq);
        proofs[seq] = cast_stable(&fixture->cast, seq, signers, 2);
    }
    node =
        (struct node){.storage = fixture->storage,
                      .log_writer = log_writer_create(fixture->storage, &sink)};
    return 0;
}

static int teardown(void **state)
{
    log_writer_destroy(node.log_writer);
    for (pbft_seq seq = 1; seq <= BLOCKS; seq++) {
        pbft_message_unref(proofs[seq]);
    }
    return fixture_teardown(state);
}

/* As the driver does it: by the vtable that salusd gives it. */
static void prove(pbft_seq seq)
{
    const struct pbft_service service = node_service(&node);
    const struct pbft_attested attested = {.seq = seq, .proof = proofs[seq]};
    assert_non_null(service.proved);
    service.proved(service.context, &attested);
}

static void append_stable(pbft_ticket ticket, pbft_seq seq)
{
    const struct pbft_log log = log_writer_vtable(node.log_writer);
    const pbft_replica_id signers[3] = {0, 1, 2};
    struct pbft_message *stable = cast_stable(&fixture->cast, seq, signers, 3);
    const struct pbft_record record = {PBFT_RECORD_STABLE, 0, seq, stable};
    log.append(log.context, ticket, &record, 1);
    pbft_message_unref(stable);
}

static bool is_found(pbft_seq seq)
{
    const struct pbft_message *pending = log_writer_proof(node.log_writer, seq);
    const bool is_pending = pending != NULL;
    pbft_message_unref(pending);
    return is_pending || storage_proof_exists(fixture->storage, seq) == PBFT_OK;
}

/* The power goes at the moment when the checkpoint is durable, and everything
 * that is not on the disk by then goes with it. */
static void test_a_checkpoint_keeps_its_proofs(void **state)
{
    (void)state;
    char image[SUPPORT_PATH_MAX];
    struct storage_fixture after = *fixture;
    support_folder_create(image);
    reports.image = image;

    for (pbft_seq seq = 1; seq <= BLOCKS; seq++) {
        prove(seq);
    }
    append_stable(1, BLOCKS);
    wait_for(1);

    (void)snprintf(after.dir, sizeof after.dir, "%s", image);
    fixture_open(&after);
    assert_int_equal(after.log.last_number, 1);
    for (pbft_seq seq = 1; seq <= BLOCKS; seq++) {
        const struct pbft_message *found = NULL;
        assert_int_equal(storage_proof_read(after.storage, seq, &found),
                         PBFT_OK);
        assert_int_equal(found->stable.vote_count, 2);
        pbft_message_unref(found);
    }
    fixture_close(&after);
    support_folder_remove(image);
}

/* While one write is under way the next one gathers. */
static void test_proofs_and_records_are_one_write(void **state)
{
    (void)state;
    struct storage_stats before;
    struct storage_stats after;
    hold(true);
    append_stable(1, 1);
    wait_for(1);
    storage_stats(fixture->storage, &before);

    for (pbft_seq seq = 1; seq <= BLOCKS; seq++) {
        prove(seq);
    }
    append_stable(2, BLOCKS);
    for (pbft_seq seq = 1; seq <= BLOCKS; seq++) {
        assert_true(is_found(seq));
        assert_int_equal(storage_proof_exists(fixture->storage, seq),
                         PBFT_NOT_FOUND);
    }
    hold(false);
    wait_for(2);

    storage_stats(fixture->storage, &after);
    assert_int_equal(after.writes - before.writes, 1);
    assert_int_equal(after.syncs - before.syncs, 1);
    for (pbft_seq seq = 1; seq <= BLOCKS; seq++) {
        assert_int_equal(storage_proof_exists(fixture->storage, seq), PBFT_OK);
    }
}

/* Nobody votes any more: it does not wait for a record that does not come. */
static void test_a_lone_proof_is_written_unsynced(void **state)
{
    (void)state;
    struct storage_stats before;
    struct storage_stats after;
    storage_stats(fixture->storage, &before);

    prove(1);
    while (storage_proof_exists(fixture->storage, 1) != PBFT_OK) {
        assert_true(is_found(1));
    }

    storage_stats(fixture->storage, &after);
    assert_int_equal(after.writes - before.writes, 1);
    assert_int_equal(after.syncs, before.syncs);
    assert_false(is_found(2));
}

static void test_the_end_writes_what_is_waiting(void **state)
{
    (void)state;
    prove(1);
    prove(2);
    log_writer_destroy(node.log_writer);
    node.log_writer = NULL;
    assert_int_equal(storage_proof_exists(fixture->storage, 1), PBFT_OK);
    assert_int_equal(storage_proof_exists(fixture->storage, 2), PBFT_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_checkpoint_keeps_its_proofs),
        TEST(test_proofs_and_records_are_one_write),
        TEST(test_a_lone_proof_is_written_unsynced),
        TEST(test_the_end_writes_what_is_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
