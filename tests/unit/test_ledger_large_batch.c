/* SPDX-License-Identifier: Apache-2.0 */
/* Batches as large as they may be: 65,536 leaves under one root, each of which
 * can be opened by its proof; one leaf more is refused. */
#include "crypto/merkle.h"
#include "tests/support/ledger_access.h"

/* The leaves that are opened: at both ends and in between. */
static const uint32_t opened[] = {0, 1, 32767, 32768, 65535};
#define OPENED (sizeof opened / sizeof opened[0])

struct large {
    struct pbft_digest *leaves;
    struct pbft_digest root;
    uint8_t batch[LEDGER_ID_SIZE];
    struct told told[OPENED];
};

static void prepare(struct world *world, struct large *large)
{
    world_fill(world, large->batch, sizeof large->batch);
    large->leaves = calloc(LEDGER_LEAVES_MAX, sizeof *large->leaves);
    assert_non_null(large->leaves);
    for (size_t i = 0; i < LEDGER_LEAVES_MAX; i++) {
        world_fill(world, large->leaves[i].bytes, 8);
    }
    for (size_t i = 0; i < OPENED; i++) {
        struct told *told = &large->told[i];
        tell_of(world, told, NULL);
        told->in.basis = CODES_BASIS_REQUIRED_BY_LAW;
        told->in.document_commit = field_of(told->document, 32);
        told_leaf(&large->leaves[opened[i]], told, world->now_ms - 1000);
    }
    merkle_root(&large->root, large->leaves, LEDGER_LEAVES_MAX);
}

static uint32_t submit_disclosures(struct world *world, struct large *large,
                                   uint32_t count)
{
    Salus__V1__DisclosureBatch in = SALUS__V1__DISCLOSURE_BATCH__INIT;
    in.batch = field_of(large->batch, 16);
    in.root = field_of(large->root.bytes, 32);
    in.leaf_count = count;
    in.from_ms = world->now_ms - 5000;
    in.to_ms = world->now_ms;
    return act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_BATCH, &in.base);
}

static uint32_t open_disclosure(struct world *world, struct large *large,
                                size_t which, uint32_t index)
{
    struct pbft_digest path[MERKLE_PATH_MAX];
    ProtobufCBinaryData siblings[MERKLE_PATH_MAX];
    size_t count = 0;
    merkle_path_of(path, &count, large->leaves, opened[which],
                   LEDGER_LEAVES_MAX);
    for (size_t i = 0; i < count; i++) {
        siblings[i] = field_of(path[i].bytes, 32);
    }
    Salus__V1__DisclosureOpen open = SALUS__V1__DISCLOSURE_OPEN__INIT;
    open.batch = field_of(large->batch, 16);
    open.index = index;
    open.event_time_ms = world->now_ms - 1000;
    open.disclosure = &large->told[which].in;
    open.path = siblings;
    open.n_path = count;
    return act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_OPEN, &open.base);
}

static void test_disclosures_of_a_large_batch_open(void **state)
{
    struct world *world = *state;
    struct large large;
    prepare(world, &large);
    EXPECT(submit_disclosures(world, &large, LEDGER_LEAVES_MAX + 1),
           LEDGER_SIZE);
    EXPECT(submit_disclosures(world, &large, LEDGER_LEAVES_MAX), LEDGER_OK);
    for (size_t i = 0; i < OPENED; i++) {
        EXPECT(open_disclosure(world, &large, i, opened[i] ^ 1u),
               LEDGER_PROOF_INVALID);
        EXPECT(open_disclosure(world, &large, i, LEDGER_LEAVES_MAX),
               LEDGER_PROOF_INVALID);
        EXPECT(open_disclosure(world, &large, i, opened[i]), LEDGER_OK);
        EXPECT(open_disclosure(world, &large, i, opened[i]),
               LEDGER_LEAF_OPENED);
    }
    free(large.leaves);
}

/* Records: one leaf too many. That the last of 65,536 opens is tested with the
 * accounting. */
static void test_records_have_the_same_limit(void **state)
{
    struct world *world = *state;
    Salus__V1__RecordAnchor__Envelope envelope =
        SALUS__V1__RECORD_ANCHOR__ENVELOPE__INIT;
    Salus__V1__RecordAnchorBatch in = SALUS__V1__RECORD_ANCHOR_BATCH__INIT;
    uint8_t batch[LEDGER_ID_SIZE];
    uint8_t bytes[32];
    world_fill(world, batch, sizeof batch);
    world_fill(world, bytes, sizeof bytes);
    envelope.recipient_key =
        field_of(world->parties[HOSPITAL].encryption_id.bytes, 16);
    envelope.wrap_commit = field_of(bytes, 32);
    in.batch = field_of(batch, 16);
    in.root = field_of(bytes, 32);
    in.leaf_schema = 1;
    in.class_code = CODES_CLASS_OTHER;
    in.confidentiality_max = CODES_CONF_N;
    in.envelope = &envelope;
    in.leaf_count = LEDGER_LEAVES_MAX + 1;
    EXPECT(
        act_simple(world, HOSPITAL, TRANSACTION_RECORD_ANCHOR_BATCH, &in.base),
        LEDGER_SIZE);
    in.leaf_count = LEDGER_LEAVES_MAX;
    EXPECT(
        act_simple(world, HOSPITAL, TRANSACTION_RECORD_ANCHOR_BATCH, &in.base),
        LEDGER_OK);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_disclosures_of_a_large_batch_open),
        TEST(test_records_have_the_same_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
