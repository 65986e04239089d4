/* SPDX-License-Identifier: Apache-2.0 */
/* A body of the log that the core wants back comes to the inbox as a message of
 * our own; what the log does not have, and what finds no room, does not. */
#include "node/node_private.h"
#include "tests/support/storage.h"

#define SELF 0
#define SEQ 3
#define INBOX_MAX 2

static struct storage_fixture *fixture;
static struct node_identity identity = {.self = SELF};
static struct node node = {.identity = &identity};
static struct pbft_message *batch;

static int setup(void **state)
{
    void *made = NULL;
    if (fixture_setup(&made) != 0) {
        return -1;
    }
    fixture = made;
    fixture_open(fixture);
    node.storage = fixture->storage;
    node.inbox = inbox_create(INBOX_MAX, 1 << 20);
    batch = cast_batch(&fixture->cast, 9, 1, 1);
    const struct pbft_record record = {PBFT_RECORD_BODY, 0, SEQ, batch};
    assert_int_equal(storage_log_append(fixture->storage, &record, 1), PBFT_OK);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    pbft_message_unref(batch);
    inbox_destroy(node.inbox);
    return fixture_teardown(state);
}

static void read_body(pbft_seq seq, const struct pbft_digest *digest)
{
    const struct pbft_body_read read = {seq, *digest};
    node_on_read_body(&node, &read);
}

static void test_a_body_comes_back_as_our_own(void **state)
{
    struct inbox_turn turn;
    (void)state;
    read_body(SEQ, &batch->batch.digest);
    inbox_take(node.inbox, &turn, INBOX_EVERYTHING, 0);
    assert_int_equal(turn.message_count, 1);
    assert_int_equal(turn.messages[0]->type, PBFT_MESSAGE_BATCH);
    assert_int_equal(turn.messages[0]->sender, SELF);
    assert_memory_equal(&turn.messages[0]->batch.digest, &batch->batch.digest,
                        sizeof batch->batch.digest);
    pbft_message_unref(turn.messages[0]);
}

static void test_what_the_log_does_not_have_is_passed_over(void **state)
{
    const struct pbft_digest other = {{7}};
    (void)state;
    read_body(SEQ, &other);
    read_body(SEQ + 1, &batch->batch.digest);
    assert_int_equal(inbox_count(node.inbox), 0);
}

/* The protocol thread may be waiting for the thread that reads. */
static void test_a_full_inbox_is_not_waited_for(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= INBOX_MAX; i++) {
        read_body(SEQ, &batch->batch.digest);
    }
    assert_int_equal(inbox_count(node.inbox), INBOX_MAX);
    inbox_close(node.inbox);
    read_body(SEQ, &batch->batch.digest);
    assert_int_equal(inbox_count(node.inbox), INBOX_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_body_comes_back_as_our_own),
        TEST(test_what_the_log_does_not_have_is_passed_over),
        TEST(test_a_full_inbox_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
