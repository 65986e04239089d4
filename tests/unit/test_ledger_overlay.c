/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a block in the making: every key is found again however many
 * there are, and all writes come out once, in the order of spaces and keys. */
#include "ledger/overlay.h"
#include "tests/support/ledger_fixture.h"

#define KEYS 3000u
#define VALUE_SIZE 4u

/* A kv with nothing in it, which looks at the order of what it is given. */
struct sink {
    struct ledger_kv kv;
    size_t count;
    bool is_ordered;
};

static enum pbft_status get_nothing(void *context, enum ledger_space space,
                                    struct pbft_bytes key, uint8_t *out,
                                    size_t capacity, size_t *size)
{
    (void)context;
    (void)space;
    (void)key;
    (void)out;
    (void)capacity;
    *size = 0;
    return PBFT_NOT_FOUND;
}

static bool is_before(const struct ledger_kv_write *a,
                      const struct ledger_kv_write *b)
{
    size_t common = a->key.size < b->key.size ? a->key.size : b->key.size;
    int order = memcmp(a->key.data, b->key.data, common);
    if (a->space != b->space) {
        return a->space < b->space;
    }
    return order < 0 || (order == 0 && a->key.size < b->key.size);
}

static enum pbft_status take(void *context,
                             const struct ledger_kv_write *writes, size_t count)
{
    struct sink *sink = context;
    sink->count = count;
    sink->is_ordered = true;
    for (size_t i = 1; i < count; i++) {
        sink->is_ordered =
            sink->is_ordered && is_before(&writes[i - 1], &writes[i]);
    }
    return PBFT_OK;
}

/* Keys of 4 to 26 bytes; `alike` is how many of their first bytes are the same
 * in all of them. The number at the end makes them different. */
static struct schema_key make_key(uint32_t number, size_t alike)
{
    struct schema_key key = {.space = number % LEDGER_SPACE_COUNT};
    uint32_t scattered = number * 2654435761u;
    memset(key.bytes, 'k', alike);
    memcpy(key.bytes + alike, &scattered, sizeof scattered);
    key.size = alike + sizeof scattered + number % 3;
    return key;
}

static void put_all(struct overlay *overlay, uint32_t count, size_t alike)
{
    for (uint32_t i = 0; i < count; i++) {
        struct schema_key key = make_key(i, alike);
        overlay_put(overlay, &key, bytes_of(&i, VALUE_SIZE));
    }
}

static void expect_all(struct overlay *overlay, uint32_t count, size_t alike)
{
    for (uint32_t i = 0; i < count; i++) {
        struct schema_key key = make_key(i, alike);
        struct pbft_bytes value;
        assert_true(overlay_get(overlay, &key, &value));
        assert_int_equal(value.size, VALUE_SIZE);
        assert_memory_equal(value.data, &i, VALUE_SIZE);
    }
    struct schema_key none = make_key(count, alike);
    assert_false(overlay_has(overlay, &none));
}

static void check_block(struct overlay *overlay, struct sink *sink,
                        uint32_t count, size_t alike)
{
    const struct pbft_digest seed = {{(uint8_t)alike, 1, 2, 3}};
    overlay_begin(overlay, &seed);
    put_all(overlay, count, alike);
    expect_all(overlay, count, alike);
    assert_int_equal(overlay_apply(overlay), PBFT_OK);
    assert_int_equal(sink->count, count);
    assert_true(sink->is_ordered);
}

static void test_found_again_and_in_order(void **state)
{
    (void)state;
    static const uint32_t counts[] = {1, 2, 127, 128, 129, KEYS};
    static const size_t alike[] = {0, 1, 6, 7, 8, 20};
    struct sink sink = {.kv = {.get = get_nothing, .apply = take}};
    struct overlay overlay;
    sink.kv.context = &sink;
    overlay_init(&overlay, &sink.kv);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (size_t j = 0; j < sizeof alike / sizeof alike[0]; j++) {
            check_block(&overlay, &sink, counts[i], alike[j]);
        }
    }
    overlay_deinit(&overlay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_again_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
