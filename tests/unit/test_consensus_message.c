/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: who owns what, what is copied, what is shared. The sanitizers of
 * the dev preset see each leak and each use after free. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "consensus/preimage.h"
#include "tests/support/cast.h"

static struct cast cast;

static void test_request_copies_its_payload(void **state)
{
    (void)state;
    char payload[] = "before";
    struct pbft_message *request = cast_request(&cast, 1, payload);

    payload[0] = 'X';

    assert_int_equal(request->request.payload.size, 6);
    assert_memory_equal(request->request.payload.data, "before", 6);
    pbft_message_unref(request);
}

static int released;

static void count_release(void *owner)
{
    released++;
    free(owner);
}

static void test_request_keeps_its_backing_buffer(void **state)
{
    (void)state;
    uint8_t *data = malloc(16);
    memset(data, 'p', 16);
    released = 0;
    struct pbft_buffer *buffer =
        pbft_buffer_wrap(data, 16, data, count_release);
    const struct pbft_request fields = {.sequence = 1,
                                        .payload = {data + 4, 8}};
    struct pbft_message *request =
        pbft_request_create(&cast.client.domain, &fields, 3, buffer);

    pbft_buffer_unref(buffer);

    assert_int_equal(released, 0);
    assert_ptr_equal(request->request.payload.data, data + 4);
    assert_int_equal(request->sender, 3);
    pbft_message_unref(request);
    assert_int_equal(released, 1);
}

static void test_batch_keeps_requests_and_sums_bytes(void **state)
{
    (void)state;
    struct pbft_message *batch = cast_batch(&cast, 9, 1, 3);

    assert_int_equal(batch->batch.request_count, 3);
    assert_int_equal(batch->batch.bytes, 3 * strlen("payload"));
    assert_int_equal(batch->batch.requests[2]->request.sequence, 3);
    pbft_message_unref(batch);
}

static void test_references_are_counted(void **state)
{
    (void)state;
    struct pbft_message *batch = cast_batch(&cast, 9, 1, 1);
    const struct pbft_message *request =
        pbft_message_ref(batch->batch.requests[0]);

    pbft_message_unref(batch);

    assert_memory_equal(request->request.payload.data, "payload", 7);
    pbft_message_unref(request);
    pbft_message_unref(NULL);
}

static void test_pre_prepare_with_and_without_body(void **state)
{
    (void)state;
    struct pbft_message *batch = cast_batch(&cast, 9, 1, 1);
    struct pbft_message *full = cast_pre_prepare(&cast, 0, 1, batch);
    struct pbft_message *bare = pbft_pre_prepare_with_body(full, NULL);
    pbft_message_unref(batch);

    assert_null(bare->pre_prepare.body);
    assert_memory_equal(&bare->signature, &full->signature,
                        sizeof bare->signature);
    assert_memory_equal(&bare->pre_prepare.digest,
                        &full->pre_prepare.body->batch.digest, 32);
    pbft_message_unref(full);
    pbft_message_unref(bare);
}

static void test_certificate_copies_votes(void **state)
{
    (void)state;
    struct pbft_message *batch = cast_batch(&cast, 9, 1, 1);
    struct pbft_message *header = cast_pre_prepare(&cast, 0, 1, batch);
    const pbft_replica_id signers[] = {1, 2};
    struct pbft_message *prepared =
        cast_certificate(&cast, PBFT_MESSAGE_PREPARED, header, signers, 2);
    pbft_message_unref(batch);
    pbft_message_unref(header);

    assert_int_equal(prepared->prepared.vote_count, 2);
    assert_int_equal(prepared->prepared.votes[1].replica, 2);
    assert_int_equal(pbft_message_seq(prepared), 1);
    assert_int_equal(pbft_message_view(prepared), 0);
    pbft_message_unref(prepared);
}

static void test_new_view_holds_sources_and_headers(void **state)
{
    (void)state;
    struct pbft_message *batch = cast_batch(&cast, 9, 1, 1);
    const struct pbft_message *header = cast_pre_prepare(&cast, 1, 7, batch);
    const struct pbft_new_view_source sources[] = {{.replica = 3},
                                                   {.replica = 1}};
    const struct pbft_origin origin = {.sender = 1, .epoch = 1};
    struct pbft_message *message =
        pbft_new_view_create(&origin, 1, sources, 2, &header, 1);
    pbft_message_unref(batch);
    pbft_message_unref(header);

    assert_int_equal(message->new_view.view_changes[0].replica, 3);
    assert_int_equal(message->new_view.view_changes[1].replica, 1);
    assert_int_equal(pbft_message_seq(message->new_view.pre_prepares[0]), 7);
    pbft_message_unref(message);
}

static void test_status_copies_its_bits(void **state)
{
    (void)state;
    uint64_t bits[] = {UINT64_MAX, 7};
    const struct pbft_origin origin = {.epoch = 1};
    const struct pbft_status_report fields = {.prepared_bits = bits,
                                              .prepared_words = 2};
    struct pbft_message *message = pbft_status_create(&origin, &fields);

    bits[0] = 0;
    bits[1] = 0;

    assert_int_equal(message->status.prepared_words, 2);
    assert_true(message->status.prepared_bits[0] == UINT64_MAX);
    assert_true(message->status.prepared_bits[1] == 7);
    pbft_message_unref(message);
}

static void test_memory_counts_what_is_kept_alive(void **state)
{
    (void)state;
    struct pbft_message *batch = cast_batch(&cast, 9, 1, 2);
    struct pbft_message *header = cast_pre_prepare(&cast, 0, 1, batch);
    size_t one = pbft_message_memory(batch->batch.requests[0]);

    assert_true(one > strlen("payload"));
    assert_true(pbft_message_memory(batch) > 2 * one);
    assert_true(pbft_message_memory(header) > pbft_message_memory(batch));
    pbft_message_unref(batch);
    pbft_message_unref(header);
}

static void test_sign_renews_the_digests(void **state)
{
    (void)state;
    struct pbft_message *request = cast_request(&cast, 1, "p");
    struct pbft_digest digest;

    pbft_request_digest(&cast.client.domain, &request->request, &digest);

    assert_memory_equal(&digest, &request->request.digest, sizeof digest);
    pbft_message_unref(request);
}

static void test_handed_over_shares_content(void **state)
{
    (void)state;
    struct pbft_message *request = cast_request(&cast, 1, "p");
    struct pbft_message *relayed = pbft_message_handed_over(request, 2);
    pbft_message_unref(request);

    assert_int_equal(relayed->sender, 2);
    assert_memory_equal(relayed->request.payload.data, "p", 1);
    pbft_message_unref(relayed);
}

static void test_every_type_has_a_name(void **state)
{
    (void)state;
    for (int type = PBFT_MESSAGE_REQUEST; type <= PBFT_MESSAGE_EVIDENCE;
         type++) {
        assert_string_not_equal(
            pbft_message_type_name((enum pbft_message_type)type), "unknown");
    }
    assert_string_equal(pbft_message_type_name((enum pbft_message_type)99),
                        "unknown");
}

static jmp_buf escape;
static char failed_expression[128];

static void leave(const char *file, int line, const char *expression)
{
    (void)file;
    (void)line;
    (void)strncpy(failed_expression, expression, sizeof failed_expression - 1);
    longjmp(escape, 1);
}

static void test_assertion_names_what_failed(void **state)
{
    (void)state;
    const struct pbft_domain *domain = &cast.client.domain;
    struct pbft_message *request = cast_request(&cast, 1, "p");
    struct pbft_preimage preimage;
    pbft_assert_set_hook(leave);
    if (setjmp(escape) == 0) {
        pbft_message_preimage(domain, request, &preimage);
        fail();
    }
    pbft_assert_set_hook(NULL);

    assert_string_equal(failed_expression, "is_signed_type");
    pbft_message_unref(request);
}

static sigjmp_buf alive;
static int hook_calls;

static void on_abort(int number)
{
    (void)number;
    siglongjmp(alive, 1);
}

static void only_look(const char *file, int line, const char *expression)
{
    assert_string_equal(file, "file.c");
    assert_int_equal(line, 7);
    assert_string_equal(expression, "false");
    hook_calls++;
}

/* Without a hook, and whatever it does: nothing goes on behind it. */
static void test_a_failed_assertion_ends_the_process(void **state)
{
    static pbft_assert_hook *const hooks[] = {NULL, only_look};
    void (*const before)(int) = signal(SIGABRT, on_abort);
    (void)state;
    for (volatile int i = 0; i < 2; i++) {
        pbft_assert_set_hook(hooks[i]);
        if (sigsetjmp(alive, 1) == 0) {
            pbft_assert_fail("file.c", 7, "false");
        }
        assert_int_equal(hook_calls, i);
    }
    pbft_assert_set_hook(NULL);
    (void)signal(SIGABRT, before);
}

int main(void)
{
    cast_init(&cast, 4);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_copies_its_payload),
        cmocka_unit_test(test_request_keeps_its_backing_buffer),
        cmocka_unit_test(test_batch_keeps_requests_and_sums_bytes),
        cmocka_unit_test(test_references_are_counted),
        cmocka_unit_test(test_pre_prepare_with_and_without_body),
        cmocka_unit_test(test_certificate_copies_votes),
        cmocka_unit_test(test_new_view_holds_sources_and_headers),
        cmocka_unit_test(test_status_copies_its_bits),
        cmocka_unit_test(test_memory_counts_what_is_kept_alive),
        cmocka_unit_test(test_sign_renews_the_digests),
        cmocka_unit_test(test_handed_over_shares_content),
        cmocka_unit_test(test_every_type_has_a_name),
        cmocka_unit_test(test_assertion_names_what_failed),
        cmocka_unit_test(test_a_failed_assertion_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
