/* SPDX-License-Identifier: Apache-2.0 */
/* Events come in the order of time, ties in the order of scheduling. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "sim/queue.h"
#include "sim/random.h"

static void push(struct sim_queue *queue, uint64_t time_us, uint32_t target,
                 enum sim_event_kind kind)
{
    sim_queue_push(
        queue,
        (struct sim_event){.time_us = time_us, .kind = kind, .target = target});
}

static void test_order_of_time_then_of_scheduling(void **state)
{
    (void)state;
    struct sim_queue queue;
    struct random random;
    uint64_t last_time = 0;
    uint64_t last_order = 0;
    sim_queue_init(&queue);
    random_init(&random, 1, 1);
    for (uint32_t i = 0; i < 2000; i++) {
        push(&queue, random_below(&random, 50), i, SIM_EVENT_TIMER);
    }
    for (uint32_t i = 0; i < 2000; i++) {
        struct sim_event event = sim_queue_pop(&queue);
        assert_true(event.time_us > last_time ||
                    (event.time_us == last_time && event.order > last_order));
        last_time = event.time_us;
        last_order = event.order;
    }
    assert_null(sim_queue_peek(&queue));
    sim_queue_deinit(&queue);
}

static bool is_sync(const void *context, const struct sim_event *event)
{
    (void)context;
    return event->kind == SIM_EVENT_SYNCED;
}

static void test_take_out_of_turn(void **state)
{
    (void)state;
    struct sim_queue queue;
    struct sim_event event;
    sim_queue_init(&queue);
    push(&queue, 1, 1, SIM_EVENT_TIMER);
    push(&queue, 9, 2, SIM_EVENT_SYNCED);
    push(&queue, 5, 3, SIM_EVENT_SYNCED);
    push(&queue, 5, 4, SIM_EVENT_SYNCED);

    assert_true(sim_queue_take(&queue, is_sync, NULL, &event));
    assert_int_equal(event.target, 3);
    assert_true(sim_queue_take(&queue, is_sync, NULL, &event));
    assert_int_equal(event.target, 4);
    assert_true(sim_queue_take(&queue, is_sync, NULL, &event));
    assert_int_equal(event.target, 2);
    assert_false(sim_queue_take(&queue, is_sync, NULL, &event));
    assert_int_equal(sim_queue_pop(&queue).target, 1);
    sim_queue_deinit(&queue);
}

static void on_moved(void *context, const struct sim_event *event,
                     uint64_t time_us)
{
    uint32_t *moved = context;
    assert_true(time_us < event->time_us);
    (*moved)++;
}

static void test_what_waited_comes_with_its_next_step(void **state)
{
    (void)state;
    struct sim_queue queue;
    uint32_t moved = 0;
    sim_queue_init(&queue);
    push(&queue, 950, 1, SIM_EVENT_SYNCED); /* It did not wait. */
    for (uint32_t i = 0; i < 100; i++) {    /* Postponed at 1, 2, ... 100. */
        sim_queue_push(&queue, (struct sim_event){.time_us = 10000 + i,
                                                  .kind = SIM_EVENT_DELIVER,
                                                  .target = i % 2,
                                                  .number = i,
                                                  .postponed_us = i + 1});
    }

    /* The pause of host 1 ends at 850, its steps are of 100. */
    sim_queue_hasten(&queue, 1, 850, 100, on_moved, &moved);

    assert_int_equal(moved, 50);
    assert_int_equal(sim_queue_pop(&queue).number, 49); /* Of 50: now. */
    for (uint32_t i = 0; i < 25; i++) {                 /* 52 to 100, at 852. */
        struct sim_event event = sim_queue_pop(&queue);
        assert_int_equal(event.number, 51 + 2 * i);
        assert_int_equal(event.time_us, 852 + 2 * i);
    }
    for (uint32_t i = 0; i < 24; i++) { /* 2 to 48, at 902. */
        struct sim_event event = sim_queue_pop(&queue);
        assert_int_equal(event.number, 1 + 2 * i);
        assert_int_equal(event.time_us, 902 + 2 * i);
    }
    assert_int_equal(sim_queue_pop(&queue).kind, SIM_EVENT_SYNCED);
    assert_int_equal(sim_queue_pop(&queue).target, 0);
    sim_queue_deinit(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_time_then_of_scheduling),
        cmocka_unit_test(test_take_out_of_turn),
        cmocka_unit_test(test_what_waited_comes_with_its_next_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
