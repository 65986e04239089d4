/* SPDX-License-Identifier: Apache-2.0 */
/* The kv in memory against a plain sorted array, with random operations; and
 * the corners of ranges. */
#include "tests/support/ledger_fixture.h"

#define MODEL_MAX 6000
#define STEPS 20000

struct entry {
    uint8_t key[12];
    size_t key_size;
    uint64_t value;
};

struct model {
    struct entry entries[MODEL_MAX];
    size_t count;
};

static int compare_keys(const uint8_t *a, size_t a_size, const uint8_t *b,
                        size_t b_size)
{
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order != 0 ? order : (a_size > b_size) - (a_size < b_size);
}

static size_t lower_bound(const struct model *model, const struct entry *key)
{
    size_t at = 0;
    while (at < model->count &&
           compare_keys(model->entries[at].key, model->entries[at].key_size,
                        key->key, key->key_size) < 0) {
        at++;
    }
    return at;
}

static bool model_has(const struct model *model, size_t at,
                      const struct entry *key)
{
    return at < model->count &&
           compare_keys(model->entries[at].key, model->entries[at].key_size,
                        key->key, key->key_size) == 0;
}

static void model_put(struct model *model, const struct entry *entry)
{
    size_t at = lower_bound(model, entry);
    if (!model_has(model, at, entry)) {
        assert_true(model->count < MODEL_MAX);
        memmove(model->entries + at + 1, model->entries + at,
                (model->count - at) * sizeof *entry);
        model->count++;
    }
    model->entries[at] = *entry;
}

static void model_delete(struct model *model, const struct entry *entry)
{
    size_t at = lower_bound(model, entry);
    if (model_has(model, at, entry)) {
        model->count--;
        memmove(model->entries + at, model->entries + at + 1,
                (model->count - at) * sizeof *entry);
    }
}

static struct entry any_entry(struct world *world)
{
    struct entry entry = {.value = world_random(world)};
    entry.key_size = 1 + world_random(world) % sizeof entry.key;
    for (size_t i = 0; i < entry.key_size; i++) {
        static const uint8_t letters[] = {0, 1, 0x7f, 0xff};
        entry.key[i] = letters[world_random(world) % sizeof letters];
    }
    return entry;
}

static void apply_one(const struct ledger_kv *kv, const struct entry *entry,
                      enum ledger_kv_operation operation)
{
    const struct ledger_kv_write write = {
        operation, LEDGER_SPACE_INDEX, bytes_of(entry->key, entry->key_size),
        bytes_of(&entry->value, sizeof entry->value)};
    assert_int_equal(kv->apply(kv->context, &write, 1), PBFT_OK);
}

/* Compares what a range visits with the model. */
struct walk {
    const struct model *model;
    size_t at;
    size_t seen;
    bool backward;
};

static bool walk_visit(void *visitor, struct pbft_bytes key,
                       struct pbft_bytes value)
{
    struct walk *walk = visitor;
    if (walk->backward) {
        assert_true(walk->at > 0);
        walk->at--;
    }
    const struct entry *expected = &walk->model->entries[walk->at];
    assert_int_equal(key.size, expected->key_size);
    assert_memory_equal(key.data, expected->key, key.size);
    assert_memory_equal(value.data, &expected->value, value.size);
    if (!walk->backward) {
        walk->at++;
    }
    walk->seen++;
    return true;
}

static bool has_prefix(const struct entry *entry, struct pbft_bytes prefix)
{
    return entry->key_size >= prefix.size &&
           memcmp(entry->key, prefix.data, prefix.size) == 0;
}

/* How many entries a range should visit, and the model's index of the first
 * (forward) or behind it (backward). */
static size_t expect_range(const struct model *model,
                           const struct ledger_kv_range *range, size_t *start)
{
    size_t count = 0;
    bool backward = range->direction == LEDGER_KV_BACKWARD;
    for (size_t step = 0; step < model->count; step++) {
        size_t i = backward ? model->count - 1 - step : step;
        const struct entry *entry = &model->entries[i];
        int order = range->from.size == 0
                        ? 0
                        : compare_keys(entry->key, entry->key_size,
                                       range->from.data, range->from.size);
        if (!has_prefix(entry, range->prefix) ||
            (backward ? order > 0 : order < 0)) {
            continue;
        }
        if (count++ == 0) {
            *start = backward ? i + 1 : i;
        }
    }
    return count < range->limit ? count : range->limit;
}

static void compare_range(const struct ledger_kv *kv, const struct model *model,
                          const struct ledger_kv_range *range)
{
    struct walk walk = {.model = model,
                        .backward = range->direction == LEDGER_KV_BACKWARD};
    size_t expected = expect_range(model, range, &walk.at);
    assert_int_equal(
        kv->range(kv->context, LEDGER_SPACE_INDEX, range, walk_visit, &walk),
        PBFT_OK);
    assert_int_equal(walk.seen, expected);
}

static void compare_get(const struct ledger_kv *kv, const struct model *model,
                        const struct entry *entry)
{
    size_t at = lower_bound(model, entry);
    uint64_t value = 0;
    size_t size = 0;
    enum pbft_status status = kv->get(kv->context, LEDGER_SPACE_INDEX,
                                      bytes_of(entry->key, entry->key_size),
                                      (uint8_t *)&value, sizeof value, &size);
    assert_int_equal(status,
                     model_has(model, at, entry) ? PBFT_OK : PBFT_NOT_FOUND);
    if (status == PBFT_OK) {
        assert_int_equal(size, sizeof value);
        assert_true(value == model->entries[at].value);
    }
}

static void step(struct world *world, const struct ledger_kv *kv,
                 struct model *model)
{
    struct entry entry = any_entry(world);
    struct entry from = any_entry(world);
    uint64_t dice = world_random(world) % 16;
    if (dice < 6) {
        apply_one(kv, &entry, LEDGER_KV_PUT);
        model_put(model, &entry);
    } else if (dice < 9) {
        apply_one(kv, &entry, LEDGER_KV_DELETE);
        model_delete(model, &entry);
    } else if (dice < 15) {
        compare_get(kv, model, &entry);
    } else {
        const struct ledger_kv_range range = {
            .prefix = bytes_of(entry.key, entry.key_size % 4),
            .from = bytes_of(from.key,
                             world_random(world) % 2 == 0 ? 0 : from.key_size),
            .limit = world_random(world) % 50,
            .direction = world_random(world) % 2 == 0 ? LEDGER_KV_FORWARD
                                                      : LEDGER_KV_BACKWARD,
        };
        compare_range(kv, model, &range);
    }
}

static void test_against_a_model(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct model *model = calloc(1, sizeof *model);
    struct ledger_kv_memory *memory = ledger_kv_memory_create();
    (void)state;
    assert_non_null(world);
    assert_non_null(model);
    world->random = 77;
    for (size_t i = 0; i < STEPS; i++) {
        step(world, ledger_kv_memory_vtable(memory), model);
    }
    assert_int_equal(ledger_kv_memory_count(memory, LEDGER_SPACE_INDEX),
                     model->count);
    ledger_kv_memory_destroy(memory);
    free(model);
    free(world);
}

static void test_clone_is_independent(void **state)
{
    struct world *world = *state;
    struct ledger_kv_memory *clone = ledger_kv_memory_clone(world->memory);
    struct pbft_digest before;
    struct pbft_digest now;
    struct world_ids ids;
    struct transaction in = world_anchor(world, &ids);
    ledger_kv_memory_digest(world->memory, &before);
    ledger_kv_memory_digest(clone, &now);
    assert_memory_equal(&before, &now, sizeof now);
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    ledger_kv_memory_digest(clone, &now);
    assert_memory_equal(&before, &now, sizeof now);
    ledger_kv_memory_digest(world->memory, &now);
    assert_memory_not_equal(&before, &now, sizeof now);
    ledger_kv_memory_destroy(clone);
}

static void test_small_room_is_reported(void **state)
{
    struct ledger_kv_memory *memory = ledger_kv_memory_create();
    const struct ledger_kv *kv = ledger_kv_memory_vtable(memory);
    struct entry entry = {.key = {1}, .key_size = 1, .value = 5};
    uint8_t out[4];
    size_t size = 0;
    (void)state;
    apply_one(kv, &entry, LEDGER_KV_PUT);
    assert_int_equal(kv->get(kv->context, LEDGER_SPACE_INDEX,
                             bytes_of(entry.key, 1), out, sizeof out, &size),
                     PBFT_TOO_LARGE);
    assert_int_equal(size, sizeof entry.value);
    assert_int_equal(kv->get(kv->context, LEDGER_SPACE_STATE,
                             bytes_of(entry.key, 1), out, sizeof out, &size),
                     PBFT_NOT_FOUND);
    ledger_kv_memory_destroy(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_model),
        cmocka_unit_test_setup_teardown(test_clone_is_independent, world_setup,
                                        world_teardown),
        cmocka_unit_test(test_small_room_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
