/* SPDX-License-Identifier: Apache-2.0 */
/* Things in the order of writing; payloads in the row of their thing and apart;
 * reading ahead. */
#include "ledger/overlay.h"
#include "ledger/state.h"
#include "tests/support/ledger_acts.h"

/* ---- short and long payloads --------------------------------------------- */

static const uint8_t record_id[LEDGER_ID_SIZE] = {7, 7, 7};

static void begin(struct overlay *overlay, struct ledger_kv_memory *memory)
{
    const struct pbft_digest seed = {{1}};
    overlay_init(overlay, ledger_kv_memory_vtable(memory));
    overlay_begin(overlay, &seed);
    overlay->seq = 1;
}

static void end_block(struct overlay *overlay)
{
    const struct pbft_digest seed = {{2}};
    assert_int_equal(overlay_apply(overlay), PBFT_OK);
    overlay_begin(overlay, &seed);
    overlay->seq++;
}

static void expect_record(struct overlay *overlay, uint32_t version,
                          struct pbft_bytes payload)
{
    struct schema_record record;
    struct pbft_bytes found;
    assert_true(state_get_record(overlay, record_id, &record));
    assert_int_equal(record.version, version);
    assert_true(state_get_payload(overlay, 'r', record_id, &found));
    assert_int_equal(found.size, payload.size);
    assert_memory_equal(found.data, payload.data, payload.size);
    assert_int_equal(overlay->status, PBFT_OK);
}

static void put(struct overlay *overlay, uint32_t version,
                struct pbft_bytes payload)
{
    const struct schema_record record = {.state = SCHEMA_ACTIVE,
                                         .version = version};
    state_put_with_payload(overlay, &thing_record, record_id, &record, payload);
}

/* Given payloads that grow past the limit and shrink again, in one block and in
 * several: the last one is found. Under the id one row says where that stands;
 * what was written before is left as it was. */
static void test_payload_moves(void **state)
{
    static uint8_t bytes[LEDGER_BODY_MAX];
    static const size_t sizes[] = {1,
                                   SCHEMA_SHORT_PAYLOAD_MAX,
                                   SCHEMA_SHORT_PAYLOAD_MAX + 1,
                                   LEDGER_BODY_MAX,
                                   200,
                                   SCHEMA_SHORT_PAYLOAD_MAX + 1,
                                   3};
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 31);
    }
    for (int blocks = 0; blocks < 2; blocks++) {
        struct ledger_kv_memory *memory = ledger_kv_memory_create();
        struct overlay overlay;
        begin(&overlay, memory);
        for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            const struct pbft_bytes payload = bytes_of(
                bytes + i,
                sizes[i] < sizeof bytes - i ? sizes[i] : sizeof bytes - i);
            put(&overlay, i, payload);
            expect_record(&overlay, i, payload);
            if (blocks == 1) {
                end_block(&overlay);
                expect_record(&overlay, i, payload);
            }
        }
        end_block(&overlay);
        assert_int_equal(ledger_kv_memory_count(memory, LEDGER_SPACE_STATE), 1);
        assert_int_equal(ledger_kv_memory_count(memory, LEDGER_SPACE_THINGS),
                         sizeof sizes / sizeof sizes[0]);
        overlay_deinit(&overlay);
        ledger_kv_memory_destroy(memory);
    }
}

/* A change of the thing leaves its payload alone, wherever that stands. */
static void test_payload_stays(void **state)
{
    static const uint8_t bytes[SCHEMA_SHORT_PAYLOAD_MAX + 1] = {5};
    static const size_t sizes[] = {10, sizeof bytes};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct ledger_kv_memory *memory = ledger_kv_memory_create();
        const struct pbft_bytes payload = bytes_of(bytes, sizes[i]);
        struct schema_record record = {.state = SCHEMA_ACTIVE, .version = 9};
        struct overlay overlay;
        begin(&overlay, memory);
        put(&overlay, 1, payload);
        end_block(&overlay);
        state_put_record(&overlay, record_id, &record); /* Read by nobody. */
        expect_record(&overlay, 9, payload);
        end_block(&overlay);
        expect_record(&overlay, 9, payload);
        overlay_deinit(&overlay);
        ledger_kv_memory_destroy(memory);
    }
}

/* ---- things in the order of writing -------------------------------------- */

/* A refused transaction leaves no gap: the next row has its number. */
static void test_numbers_are_given_back(void **state)
{
    struct ledger_kv_memory *memory = ledger_kv_memory_create();
    struct schema_key key;
    struct overlay overlay;
    (void)state;
    begin(&overlay, memory);
    put(&overlay, 1, bytes_of("a", 1));
    const size_t mark = overlay_mark(&overlay);
    put(&overlay, 2, bytes_of("b", 1));
    put(&overlay, 3, bytes_of("c", 1));
    overlay_rollback(&overlay, mark);
    expect_record(&overlay, 1, bytes_of("a", 1));
    put(&overlay, 4, bytes_of("d", 1));
    expect_record(&overlay, 4, bytes_of("d", 1));
    end_block(&overlay);
    expect_record(&overlay, 4, bytes_of("d", 1));
    assert_int_equal(ledger_kv_memory_count(memory, LEDGER_SPACE_THINGS), 2);
    for (uint32_t number = 0; number < 3; number++) {
        schema_key_next(&key, 1, number);
        assert_int_equal(overlay_has(&overlay, &key), number < 2);
    }
    overlay_deinit(&overlay);
    ledger_kv_memory_destroy(memory);
}

/* What a damaged store says of where a thing stands is not believed, and the
 * block is given up: no such row, or no key at all. */
static void test_a_place_that_leads_nowhere(void **state)
{
    static const uint8_t where[SCHEMA_WHERE_SIZE + 1] = {9};
    (void)state;
    for (size_t size = 0; size <= sizeof where; size++) {
        struct ledger_kv_memory *memory = ledger_kv_memory_create();
        struct schema_record record;
        struct schema_key key;
        struct pbft_bytes payload;
        struct overlay overlay;
        begin(&overlay, memory);
        schema_key_record(&key, record_id);
        overlay_put(&overlay, &key, bytes_of(where, size));
        end_block(&overlay);
        assert_false(state_get_record(&overlay, record_id, &record));
        assert_int_equal(overlay.status, PBFT_CORRUPT);
        assert_false(state_get_payload(&overlay, 'r', record_id, &payload));
        overlay_deinit(&overlay);
        ledger_kv_memory_destroy(memory);
    }
}

static void test_payload_of_nothing(void **state)
{
    struct ledger_kv_memory *memory = ledger_kv_memory_create();
    struct pbft_bytes found;
    struct overlay overlay;
    (void)state;
    begin(&overlay, memory);
    assert_false(state_get_payload(&overlay, 'r', record_id, &found));
    assert_false(state_get_payload(&overlay, 'o', record_id, &found));
    state_put_payload(&overlay, 'o', record_id, bytes_of("x", 1));
    assert_true(state_get_payload(&overlay, 'o', record_id, &found));
    assert_int_equal(found.size, 1);
    overlay_deinit(&overlay);
    ledger_kv_memory_destroy(memory);
}

/* ---- reading ahead ------------------------------------------------------- */

/* A kv that finds many at once, by finding one after the other. */
struct many {
    const struct ledger_kv *inner;
    struct ledger_kv vtable;
    size_t keys;  /* Asked for at once. */
    size_t alone; /* Asked for alone. */
    enum pbft_status fails;
};

static enum pbft_status many_get(void *context, enum ledger_space space,
                                 struct pbft_bytes key, uint8_t *out,
                                 size_t capacity, size_t *size)
{
    struct many *many = context;
    many->alone++;
    return many->inner->get(many->inner->context, space, key, out, capacity,
                            size);
}

static enum pbft_status many_get_many(void *context, enum ledger_space space,
                                      const struct pbft_bytes *keys,
                                      size_t count, ledger_kv_told *told,
                                      void *visitor)
{
    static uint8_t value[LEDGER_VALUE_MAX];
    struct many *many = context;
    if (many->fails != PBFT_OK) {
        return many->fails;
    }
    for (size_t i = 0; i < count; i++) {
        size_t size = 0;
        enum pbft_status status = many->inner->get(
            many->inner->context, space, keys[i], value, sizeof value, &size);
        if (i > 0) { /* Ascending. */
            size_t common = keys[i].size < keys[i - 1].size ? keys[i].size
                                                            : keys[i - 1].size;
            assert_true(memcmp(keys[i - 1].data, keys[i].data, common) <= 0);
        }
        told(visitor, i, status, bytes_of(value, size));
    }
    many->keys += count;
    return PBFT_OK;
}

static enum pbft_status many_range(void *context, enum ledger_space space,
                                   const struct ledger_kv_range *range,
                                   ledger_kv_visit *visit, void *visitor)
{
    const struct many *many = context;
    return many->inner->range(many->inner->context, space, range, visit,
                              visitor);
}

static enum pbft_status
many_apply(void *context, const struct ledger_kv_write *writes, size_t count)
{
    const struct many *many = context;
    return many->inner->apply(many->inner->context, writes, count);
}

/* A second ledger executes the same on a store that reads ahead. */
static void shadow_open(struct world *world, struct many *many)
{
    world->shadow_memory = ledger_kv_memory_clone(world->memory);
    *many =
        (struct many){.inner = ledger_kv_memory_vtable(world->shadow_memory)};
    many->vtable = (struct ledger_kv){.context = many,
                                      .get = many_get,
                                      .get_many = many_get_many,
                                      .range = many_range,
                                      .apply = many_apply};
    assert_int_equal(
        ledger_create(&world->shadow, &many->vtable, &world->genesis), PBFT_OK);
}

static void shadow_close(struct world *world)
{
    struct pbft_digest one;
    struct pbft_digest other;
    ledger_kv_memory_digest(world->memory, &one);
    ledger_kv_memory_digest(world->shadow_memory, &other);
    assert_memory_equal(&one, &other, sizeof one);
    ledger_destroy(world->shadow);
    ledger_kv_memory_destroy(world->shadow_memory);
    world->shadow = NULL;
    world->shadow_memory = NULL;
}

/* Results and state are the same with reading ahead, and the new id and the
 * subject are not asked for alone. */
static void test_foresight_changes_nothing(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct many many;
    shadow_open(world, &many);
    struct transaction anchor = world_anchor(world, &ids);
    anchor.record_anchor.subject =
        bytes_of(world->subject, sizeof world->subject);
    assert_int_equal(world_submit(world, HOSPITAL, &anchor), LEDGER_OK);
    assert_true(many.keys >= 2);
    struct transaction grant = world_grant(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    assert_int_equal(world_submit(world, HOSPITAL, &grant),
                     LEDGER_CONSENT_EXISTS);
    struct transaction revoke = world_revoke(world, ids.id);
    assert_int_equal(world_submit(world, HOSPITAL, &revoke), LEDGER_OK);
    shadow_close(world);
}

/* Bytes that are no transactions, cut and changed ones. */
static void test_foresight_of_garbage(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct many many;
    shadow_open(world, &many);
    struct transaction anchor = world_anchor(world, &ids);
    struct transaction_bytes body = world_build(world, HOSPITAL, &anchor);
    struct transaction_bytes sealed;
    assert_int_equal(
        transaction_seal(&sealed, bytes_of(body.data, body.size), NULL, 0),
        PBFT_OK);
    for (size_t i = 0; i < 300; i++) {
        struct transaction_bytes payload;
        uint8_t *copy = malloc(sealed.size);
        assert_non_null(copy);
        memcpy(copy, sealed.data, sealed.size);
        copy[world_random(world) % sealed.size] ^= (uint8_t)(1 + i % 255);
        size_t size =
            i % 3 == 0 ? 1 + world_random(world) % sealed.size : sealed.size;
        struct pbft_bytes one = bytes_of(copy, size);
        assert_int_equal(transaction_list_pack(&payload, &one, 1), PBFT_OK);
        if (i % 2 == 0) {
            payload.data[world_random(world) % payload.size] ^= 0x81;
        }
        struct ledger_request request = world_request(
            world, HOSPITAL, bytes_of(payload.data, payload.size));
        world_execute(world, &request, 1);
        free(payload.data);
        free(copy);
    }
    free(sealed.data);
    free(body.data);
    shadow_close(world);
}

/* A store that fails while it reads ahead: the block is given up. */
static void test_foresight_that_fails(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct many many;
    shadow_open(world, &many);
    struct transaction anchor = world_anchor(world, &ids);
    struct transaction_bytes body = world_build(world, HOSPITAL, &anchor);
    struct transaction_bytes sealed;
    struct transaction_bytes payload;
    assert_int_equal(
        transaction_seal(&sealed, bytes_of(body.data, body.size), NULL, 0),
        PBFT_OK);
    struct pbft_bytes one = bytes_of(sealed.data, sealed.size);
    assert_int_equal(transaction_list_pack(&payload, &one, 1), PBFT_OK);
    const struct ledger_request request =
        world_request(world, HOSPITAL, bytes_of(payload.data, payload.size));
    struct ledger_position before;
    struct ledger_block_result result;
    ledger_position(world->shadow, &before);
    const struct ledger_block block = {.seq = before.seq + 1,
                                       .proposed_time = world->now_ms * 1000,
                                       .requests = &request,
                                       .request_count = 1};
    many.fails = PBFT_IO;
    assert_int_equal(ledger_execute(world->shadow, &block, &result), PBFT_IO);
    many.fails = PBFT_CORRUPT;
    assert_int_equal(ledger_execute(world->shadow, &block, &result),
                     PBFT_CORRUPT);
    shadow_close(world); /* Nothing was written. */
    free(payload.data);
    free(sealed.data);
    free(body.data);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_payload_moves),
        cmocka_unit_test(test_payload_stays),
        cmocka_unit_test(test_payload_of_nothing),
        cmocka_unit_test(test_numbers_are_given_back),
        cmocka_unit_test(test_a_place_that_leads_nowhere),
        TEST(test_foresight_changes_nothing),
        TEST(test_foresight_of_garbage),
        TEST(test_foresight_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
