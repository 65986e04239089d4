/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, windows and duplicates (docs/api.md, 2), through blocks of VOID
 * requests; who may submit at all; lists that cannot be read. */
#include "tests/support/ledger_fixture.h"

/* Orders a VOID request in that slot; the code of the request. */
static uint32_t submit_void(struct world *world, uint64_t session,
                            uint64_t sequence)
{
    struct ledger_request request =
        world_request(world, HOSPITAL, bytes_of(NULL, 0));
    request.session = session;
    request.sequence = sequence;
    world_execute(world, &request, 1);
    assert_int_equal(world->last.block.requests[0].transaction_count, 0);
    return world->last.block.requests[0].code;
}

static uint32_t admit(struct world *world, uint64_t session, uint64_t sequence,
                      struct results_location *first)
{
    struct ledger_request request =
        world_request(world, HOSPITAL, bytes_of(NULL, 0));
    enum ledger_code code = LEDGER_BUSY;
    request.session = session;
    request.sequence = sequence;
    assert_int_equal(ledger_admit(world->ledger,
                                  ledger_kv_memory_vtable(world->memory),
                                  &request, &code, first),
                     PBFT_OK);
    return (uint32_t)code;
}

static int setup(void **state)
{
    *state = world_create_empty(2);
    return 0;
}

static void test_sequences_in_order(void **state)
{
    for (uint64_t sequence = 1; sequence <= 3 * WORLD_WINDOW; sequence++) {
        assert_int_equal(submit_void(*state, 1, sequence), LEDGER_OK);
    }
}

static void test_zero_is_refused(void **state)
{
    assert_int_equal(submit_void(*state, 0, 1), LEDGER_SEQUENCE);
    assert_int_equal(submit_void(*state, 1, 0), LEDGER_SEQUENCE);
}

static void test_window_edges(void **state)
{
    /* Open: 1..W. */
    assert_int_equal(submit_void(*state, 1, WORLD_WINDOW + 1),
                     LEDGER_OUTSIDE_WINDOW);
    assert_int_equal(submit_void(*state, 1, WORLD_WINDOW), LEDGER_OK);
    /* A gap holds the window where it is. */
    assert_int_equal(submit_void(*state, 1, WORLD_WINDOW + 1),
                     LEDGER_OUTSIDE_WINDOW);
    for (uint64_t sequence = 2; sequence < WORLD_WINDOW; sequence++) {
        assert_int_equal(submit_void(*state, 1, sequence), LEDGER_OK);
    }
    assert_int_equal(submit_void(*state, 1, WORLD_WINDOW + 1),
                     LEDGER_OUTSIDE_WINDOW);
    /* VOID fills it, and the window slides over all that is done. */
    assert_int_equal(submit_void(*state, 1, 1), LEDGER_OK);
    assert_int_equal(submit_void(*state, 1, 2 * WORLD_WINDOW + 1),
                     LEDGER_OUTSIDE_WINDOW);
    assert_int_equal(submit_void(*state, 1, 2 * WORLD_WINDOW), LEDGER_OK);
}

static void test_outside_window_uses_nothing_up(void **state)
{
    struct world *world = *state;
    assert_int_equal(submit_void(world, 1, UINT64_MAX), LEDGER_OUTSIDE_WINDOW);
    assert_int_equal(ledger_kv_memory_count(world->memory, LEDGER_SPACE_CLIENT),
                     0);
    assert_int_equal(submit_void(world, 1, 1), LEDGER_OK);
}

static void test_duplicates_name_the_first_result(void **state)
{
    struct world *world = *state;
    assert_int_equal(submit_void(world, 1, 1), LEDGER_OK);
    assert_int_equal(submit_void(world, 1, 3), LEDGER_OK);
    assert_int_equal(submit_void(world, 1, 3), LEDGER_DUPLICATE);
    assert_int_equal(world->last.block.requests[0].first.seq, 2);
    assert_int_equal(submit_void(world, 1, 1), LEDGER_DUPLICATE);
    assert_int_equal(world->last.block.requests[0].first.seq, 1);

    struct results_location first;
    assert_int_equal(admit(world, 1, 3, &first), LEDGER_DUPLICATE);
    assert_int_equal(first.seq, 2);
    assert_int_equal(admit(world, 1, 2, &first), LEDGER_OK);
    assert_int_equal(admit(world, 1, 2 + WORLD_WINDOW, &first),
                     LEDGER_OUTSIDE_WINDOW);
    assert_int_equal(ledger_find_request(ledger_kv_memory_vtable(world->memory),
                                         &world->parties[HOSPITAL].submit_key,
                                         1, 3, &first),
                     PBFT_OK);
    assert_int_equal(first.seq, 2);
    assert_int_equal(ledger_find_request(ledger_kv_memory_vtable(world->memory),
                                         &world->parties[HOSPITAL].submit_key,
                                         1, 2, &first),
                     PBFT_NOT_FOUND);
}

static void test_duplicate_in_one_block(void **state)
{
    struct world *world = *state;
    struct ledger_request two[2];
    two[0] = world_request(world, HOSPITAL, bytes_of(NULL, 0));
    two[1] = two[0];
    world_fill(world, two[1].digest.bytes, 32);
    world_execute(world, two, 2);
    assert_int_equal(world->last.block.requests[0].code, LEDGER_OK);
    assert_int_equal(world->last.block.requests[1].code, LEDGER_DUPLICATE);
    assert_int_equal(world->last.block.requests[1].first.seq, 1);
    assert_int_equal(world->last.block.requests[1].first.request_index, 0);
}

static void test_sessions_are_independent(void **state)
{
    assert_int_equal(submit_void(*state, 5, 1), LEDGER_OK);
    assert_int_equal(submit_void(*state, 3, 1), LEDGER_OK);
    assert_int_equal(submit_void(*state, 5, 1), LEDGER_DUPLICATE);
    assert_int_equal(submit_void(*state, 3, 2), LEDGER_OK);
}

static void test_seventeenth_session_closes_the_lowest(void **state)
{
    struct world *world = *state;
    for (uint64_t i = 1; i <= LEDGER_SESSIONS_MAX; i++) {
        assert_int_equal(submit_void(world, 10 * i, 1), LEDGER_OK);
    }
    /* All are kept; one below the lowest is not opened. */
    assert_int_equal(submit_void(world, 10, 2), LEDGER_OK);
    assert_int_equal(submit_void(world, 9, 1), LEDGER_SESSION_CLOSED);
    /* One more closes session 10, and all up to it, for ever. */
    assert_int_equal(submit_void(world, 1000, 1), LEDGER_OK);
    assert_int_equal(submit_void(world, 10, 3), LEDGER_SESSION_CLOSED);
    assert_int_equal(submit_void(world, 10, 1), LEDGER_SESSION_CLOSED);
    /* In between: opens, and closes 20. */
    assert_int_equal(submit_void(world, 25, 1), LEDGER_OK);
    assert_int_equal(submit_void(world, 20, 2), LEDGER_SESSION_CLOSED);
    assert_int_equal(submit_void(world, 30, 2), LEDGER_OK);
    struct results_location first;
    assert_int_equal(admit(world, 20, 2, &first), LEDGER_SESSION_CLOSED);
}

static void test_highest_numbers(void **state)
{
    struct world *world = *state;
    assert_int_equal(submit_void(world, UINT64_MAX, 1), LEDGER_OK);
    assert_int_equal(submit_void(world, UINT64_MAX, 1), LEDGER_DUPLICATE);
    for (uint64_t i = 1; i < LEDGER_SESSIONS_MAX; i++) {
        assert_int_equal(submit_void(world, i, 1), LEDGER_OK);
    }
    assert_int_equal(submit_void(world, 50, 1), LEDGER_OK);
    assert_int_equal(submit_void(world, 1, 2), LEDGER_SESSION_CLOSED);
    assert_int_equal(submit_void(world, UINT64_MAX, 2), LEDGER_OK);
}

/* Puts the window of a session to `lowest`, as if all below had been used. */
static void set_window(struct world *world, uint64_t session, uint64_t lowest)
{
    uint8_t key[1 + 32 + 8] = {'s'};
    uint8_t value[8];
    memcpy(key + 1, world->parties[HOSPITAL].submit_key.bytes, 32);
    for (unsigned i = 0; i < 8; i++) {
        key[33 + i] = (uint8_t)(session >> (56 - 8 * i));
        value[i] = (uint8_t)(lowest >> (56 - 8 * i));
    }
    const struct ledger_kv_write write = {LEDGER_KV_PUT, LEDGER_SPACE_CLIENT,
                                          bytes_of(key, sizeof key),
                                          bytes_of(value, sizeof value)};
    const struct ledger_kv *kv = ledger_kv_memory_vtable(world->memory);
    assert_int_equal(kv->apply(kv->context, &write, 1), PBFT_OK);
}

static void test_end_of_a_session(void **state)
{
    struct world *world = *state;
    assert_int_equal(submit_void(world, 1, 1), LEDGER_OK);
    set_window(world, 1, UINT64_MAX - 2);
    /* The window ends with the numbers; it does not wrap around. */
    assert_int_equal(submit_void(world, 1, UINT64_MAX), LEDGER_OK);
    assert_int_equal(submit_void(world, 1, 1), LEDGER_DUPLICATE);
    assert_int_equal(submit_void(world, 1, UINT64_MAX), LEDGER_DUPLICATE);
    assert_int_equal(submit_void(world, 1, UINT64_MAX - 2), LEDGER_OK);
    assert_int_equal(submit_void(world, 1, UINT64_MAX - 1), LEDGER_OK);
    /* Used up: everything is a duplicate, nothing opens again. */
    assert_int_equal(submit_void(world, 1, UINT64_MAX - 1), LEDGER_DUPLICATE);
    assert_int_equal(submit_void(world, 1, 1), LEDGER_DUPLICATE);
}

static void test_lost_first_result_is_corruption(void **state)
{
    struct world *world = *state;
    assert_int_equal(submit_void(world, 1, 1), LEDGER_OK);
    set_window(world, 1, 5); /* 2..4 were never executed. */
    struct ledger_request request =
        world_request(world, HOSPITAL, bytes_of(NULL, 0));
    request.sequence = 3;
    const struct ledger_block block = {
        .seq = 2, .proposed_time = 5, .requests = &request, .request_count = 1};
    struct ledger_block_result result;
    assert_int_equal(ledger_execute(world->ledger, &block, &result),
                     PBFT_CORRUPT);
}

/* ---- who may submit ------------------------------------------------------ */

static uint32_t execute_one(struct world *world, struct ledger_request *request)
{
    world_execute(world, request, 1);
    return world->last.block.requests[0].code;
}

static void test_keys_of_clients_only(void **state)
{
    struct world *world = *state;
    struct ledger_request request =
        world_request(world, HOSPITAL, bytes_of(NULL, 0));
    request.client.bytes[0] ^= 1;
    assert_int_equal(execute_one(world, &request), LEDGER_KEY_STATE);
    request.client = world->parties[HOSPITAL].encryption_key;
    assert_int_equal(execute_one(world, &request), LEDGER_KEY_STATE);
    request.client = world->parties[CLINIC].submit_key;
    assert_int_equal(execute_one(world, &request), LEDGER_FOREIGN_INSTITUTION);
    assert_int_equal(ledger_kv_memory_count(world->memory, LEDGER_SPACE_CLIENT),
                     0);

    struct pbft_institution owner;
    const struct ledger_kv *view = ledger_kv_memory_vtable(world->memory);
    assert_int_equal(
        ledger_key_owner(view, &world->parties[CLINIC].submit_key, &owner),
        PBFT_OK);
    assert_memory_equal(owner.bytes, world->parties[CLINIC].institution.bytes,
                        16);
    assert_int_equal(
        ledger_key_owner(view, &world->parties[CLINIC].encryption_key, &owner),
        PBFT_NOT_FOUND);
}

/* ---- lists that cannot be read ------------------------------------------- */

static uint32_t submit_payload(struct world *world, const void *data,
                               size_t size)
{
    struct ledger_request request =
        world_request(world, HOSPITAL, bytes_of(data, size));
    return execute_one(world, &request);
}

static void test_unreadable_lists(void **state)
{
    static uint8_t many[2 * (LEDGER_REQUEST_TRANSACTIONS_MAX + 1)];
    static uint8_t large[LEDGER_TRANSACTION_MAX + 5] = {0x0a, 0x81, 0x80, 0x05};
    const uint8_t wrong_field[] = {0x12, 0x01, 0x00};
    const uint8_t cut[] = {0x0a, 0x7f, 0x00};
    const uint8_t overlong[] = {0x0a, 0x81, 0x00, 0x00};
    const uint8_t tiny[] = {0x0a, 0x01, 0x00};
    for (size_t i = 0; i < sizeof many; i += 2) {
        many[i] = 0x0a;
    }
    struct world *world = *state;
    assert_int_equal(submit_payload(world, wrong_field, sizeof wrong_field),
                     LEDGER_NON_CANONICAL);
    assert_int_equal(submit_payload(world, cut, sizeof cut),
                     LEDGER_NON_CANONICAL);
    assert_int_equal(submit_payload(world, overlong, sizeof overlong),
                     LEDGER_NON_CANONICAL);
    assert_int_equal(submit_payload(world, tiny, sizeof tiny), LEDGER_SIZE);
    assert_int_equal(submit_payload(world, many, sizeof many), LEDGER_TOO_MANY);
    assert_int_equal(submit_payload(world, large, sizeof large), LEDGER_SIZE);
    /* Each has used up its slot all the same. */
    assert_int_equal(submit_void(world, 1, 6), LEDGER_DUPLICATE);
    assert_int_equal(submit_void(world, 1, 7), LEDGER_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sequences_in_order),
        TEST(test_zero_is_refused),
        TEST(test_window_edges),
        TEST(test_outside_window_uses_nothing_up),
        TEST(test_duplicates_name_the_first_result),
        TEST(test_duplicate_in_one_block),
        TEST(test_sessions_are_independent),
        TEST(test_seventeenth_session_closes_the_lowest),
        TEST(test_highest_numbers),
        TEST(test_end_of_a_session),
        TEST(test_lost_first_result_is_corruption),
        TEST(test_keys_of_clients_only),
        TEST(test_unreadable_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
