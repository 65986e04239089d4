/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule of a configuration, broken one at a time; room in outputs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consensus/config.h"
#include "consensus/output.h"
#include "tests/support/cast.h"

static struct cast cast;

static const char *judge(uint32_t n, const struct pbft_config *config)
{
    cast_init(&cast, n < PBFT_REPLICAS_MAX ? n : PBFT_REPLICAS_MAX);
    cast.keyring.replica_count = n;
    const char *reason = "";
    struct pbft_replica *replica = pbft_replica_create(
        config, &cast.replicas[0].domain, &cast.keyring, &reason);
    assert_true((replica == NULL) == (reason != NULL));
    pbft_replica_destroy(replica);
    return reason;
}

static void test_the_defaults_are_valid(void **state)
{
    static const uint32_t sizes[] = {1, 4, 5, 100, 128};
    struct pbft_config config;
    (void)state;
    pbft_config_defaults(&config);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_null(judge(sizes[i], &config));
    }
    assert_int_equal(config.window, 256);
    assert_int_equal(config.checkpoint_interval, 64);
}

static void test_sizes_that_tolerate_nothing_are_refused(void **state)
{
    static const uint32_t sizes[] = {2, 3, 129};
    struct pbft_config config;
    (void)state;
    pbft_config_defaults(&config);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_non_null(judge(sizes[i], &config));
    }
    config.self = 4;
    assert_non_null(strstr(judge(4, &config), "self"));
}

static void refuse(const char *word, struct pbft_config config)
{
    const char *reason = judge(4, &config);
    assert_non_null(reason);
    assert_non_null(strstr(reason, word));
}

static void test_each_broken_rule_is_named(void **state)
{
    struct pbft_config good;
    (void)state;
    pbft_config_defaults(&good);
#define REFUSE(word, field, value)                                             \
    do {                                                                       \
        struct pbft_config bad = good;                                         \
        bad.field = (value);                                                   \
        refuse((word), bad);                                                   \
    } while (0)
    REFUSE("checkpoint_interval", checkpoint_interval, 0);
    REFUSE("checkpoint_interval", checkpoint_interval, 256);
    REFUSE("checkpoint_interval", checkpoint_interval, 100);
    REFUSE("window", window, 0);
    REFUSE("window", window, PBFT_WINDOW_MAX + 64);
    REFUSE("pipeline_depth", pipeline_depth, 0);
    REFUSE("pipeline_depth", pipeline_depth, 257);
    REFUSE("null_depth", null_depth, 0);
    REFUSE("null_depth", null_depth, 257);
    REFUSE("batch_requests_max", batch_requests_max, 0);
    REFUSE("batch_requests_max", batch_requests_max,
           PBFT_BATCH_REQUESTS_MAX + 1);
    REFUSE("batch_bytes_max", batch_bytes_max, 0);
    REFUSE("batch_bytes_max", batch_bytes_max, PBFT_BATCH_BYTES_MAX + 1);
    REFUSE("pending_requests_max", pending_requests_max, 0);
    REFUSE("pending_requests_max", pending_requests_max, PBFT_PENDING_MAX + 1);
    REFUSE("pending_institution_max", pending_institution_max, 0);
    REFUSE("pending_institution_max", pending_institution_max, 8193);
    REFUSE("pending_bytes_max", pending_bytes_max,
           2 * 4 * PBFT_REQUEST_BYTES_MAX - 1);
    REFUSE("pending_bytes_max", pending_bytes_max, PBFT_PENDING_BYTES_MAX + 1);
    REFUSE("timeout", request_timeout_ms, 0);
    REFUSE("timeout", view_change_timeout_ms, 0);
    REFUSE("timeout", view_change_timeout_max_ms, 0);
    REFUSE("timeout", status_interval_ms, 0);
    REFUSE("timeout", resend_interval_ms, PBFT_TIME_NEVER);
    REFUSE("view_change_timeout_ms", view_change_timeout_max_ms, 1);
    REFUSE("interval", heartbeat_interval_ms, PBFT_TIME_NEVER);
    REFUSE("interval", monitor_interval_ms, PBFT_TIME_NEVER);
    REFUSE("monitor_interval_ms", monitor_interval_ms, 1999);
    REFUSE("interval", batch_delay_ms, PBFT_TIME_NEVER);
    REFUSE("time_bound_us", time_bound_us, 0);
    REFUSE("time_bound_us", time_bound_us, UINT64_MAX);
}

static void test_an_output_has_room_for_a_step_or_is_not_empty(void **state)
{
    struct pbft_output_buffer output;
    (void)state;
    cast_init(&cast, 4);
    assert_true(pbft_output_init(&output, 8));
    struct pbft_message *request = cast_request(&cast, 1, "x");
    const struct pbft_record record = {.kind = PBFT_RECORD_BODY,
                                       .message = request};
    assert_true(pbft_output_has_room(&output));

    size_t steps = 0;
    while (pbft_output_has_room(&output)) {
        for (size_t i = 0; i < output.record_step_max; i++) {
            pbft_output_record(&output, &record);
        }
        steps++;
    }
    assert_true(steps >= 1);
    assert_true(output.view.record_count > 0);

    pbft_output_reset(&output);
    assert_true(pbft_output_has_room(&output));
    pbft_output_deinit(&output);
    pbft_message_unref(request);
}

static void test_a_send_to_nobody_is_none(void **state)
{
    struct pbft_output_buffer output;
    const struct pbft_replica_set nobody = {{0}};
    (void)state;
    cast_init(&cast, 4);
    assert_true(pbft_output_init(&output, 8));
    struct pbft_message *request = cast_request(&cast, 1, "x");

    pbft_output_send(&output, &nobody, request);

    assert_int_equal(output.view.send_count, 0);
    pbft_output_deinit(&output);
    pbft_message_unref(request);
}

/* Of each kind of effect, as many as one step may have, behind whatever is
 * there already. */
static void test_no_kind_of_effect_outgrows_its_room(void **state)
{
    struct pbft_output_buffer output;
    (void)state;
    cast_init(&cast, 4);
    const pbft_replica_id signers[] = {0, 1, 2};
    struct pbft_message *proof = cast_stable(&cast, 4, signers, 3);
    const struct pbft_replica_set others = {{2}};
    for (int kind = 0; kind < 5; kind++) {
        assert_true(pbft_output_init(&output, 8));
        const size_t step_max[] = {output.send_step_max, output.commit_step_max,
                                   output.attested_step_max,
                                   output.serve_step_max, output.read_step_max};
        pbft_seq seq = 0;
        size_t steps = 0;
        for (; pbft_output_has_room(&output); steps++) {
            for (size_t i = 0; i < step_max[kind]; i++) {
                const struct pbft_serve serve = {1, 1, 2};
                const struct pbft_body_read read = {1, {{0}}};
                seq++;
                switch (kind) {
                case 0:
                    pbft_output_send(&output, &others, proof);
                    break;
                case 1:
                    pbft_output_commit(&output, seq, proof);
                    break;
                case 2:
                    pbft_output_attested(&output, seq, proof);
                    break;
                case 3:
                    pbft_output_serve(&output, &serve);
                    break;
                default:
                    pbft_output_read(&output, &read);
                    break;
                }
            }
        }
        assert_true(steps >= 1);
        pbft_output_reset(&output);
        assert_true(pbft_output_has_room(&output));
        pbft_output_deinit(&output);
    }
    pbft_message_unref(proof);
}

/* A cluster of one has no parts to keep: the batch alone needs room. */
static void test_a_batch_can_wait_whole(void **state)
{
    struct pbft_config config;
    (void)state;
    pbft_config_defaults(&config);
    config.batch_bytes_max = PBFT_BATCH_BYTES_MAX;
    config.pending_bytes_max = PBFT_BATCH_BYTES_MAX;
    assert_null(judge(1, &config));
    config.pending_bytes_max--;
    assert_non_null(strstr(judge(1, &config), "pending_bytes_max"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_defaults_are_valid),
        cmocka_unit_test(test_sizes_that_tolerate_nothing_are_refused),
        cmocka_unit_test(test_each_broken_rule_is_named),
        cmocka_unit_test(test_an_output_has_room_for_a_step_or_is_not_empty),
        cmocka_unit_test(test_a_send_to_nobody_is_none),
        cmocka_unit_test(test_no_kind_of_effect_outgrows_its_room),
        cmocka_unit_test(test_a_batch_can_wait_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
