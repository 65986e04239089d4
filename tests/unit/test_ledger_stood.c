/* SPDX-License-Identifier: Apache-2.0 */
/* Which consents of a patient stood then: told whole, page by page, however
 * often they have changed since. */
#include "tests/support/ledger_acts.h"

#define CHANGES (LEDGER_CHANGES_BACK_MAX + 20)

static struct wire_arena arena;

static int setup(void **state)
{
    wire_arena_init(&arena, 16u * 1024 * 1024);
    return world_setup(state);
}

static int teardown(void **state)
{
    wire_arena_deinit(&arena);
    return world_teardown(state);
}

static const Salus__V1__Answer *ask_stood(struct world *world,
                                          const Salus__V1__ConsentsQuery *in)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    query.kind_case = SALUS__V1__QUERY__KIND_CONSENTS;
    query.consents = (Salus__V1__ConsentsQuery *)(uintptr_t)in;
    wire_arena_reset(&arena);
    return world_ask(world, CLINIC, &query, &arena);
}

static Salus__V1__ConsentsQuery question(const struct world *world,
                                         uint64_t at_ms, uint64_t at_seq)
{
    Salus__V1__ConsentsQuery in = SALUS__V1__CONSENTS_QUERY__INIT;
    in.subject = field_of(world->subject, 32);
    in.at_ms = at_ms;
    in.at_seq = at_seq;
    in.limit = 7;
    return in;
}

/* How many there were, all pages together; the ids of the first two. */
static size_t count_stood(struct world *world, Salus__V1__ConsentsQuery in,
                          uint8_t first[2][LEDGER_ID_SIZE])
{
    uint8_t room[LEDGER_KEY_MAX];
    size_t count = 0;
    do {
        const Salus__V1__Answer *answer = ask_stood(world, &in);
        EXPECT(answer->code, LEDGER_OK);
        for (size_t i = 0; i < answer->consents->n_rows; i++) {
            if (count < 2) {
                memcpy(first[count], answer->consents->rows[i]->consent.data,
                       LEDGER_ID_SIZE);
            }
            count++;
        }
        in.cursor = kept_cursor(room, &answer->consents->cursor);
    } while (in.cursor.len > 0);
    return count;
}

static void end_consent(struct world *world, const uint8_t *consent)
{
    struct transaction in = world_revoke(world, consent);
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

static void test_long_past_is_told_whole(void **state)
{
    struct world *world = *state;
    uint8_t consents[3][LEDGER_ID_SIZE];
    uint8_t told[2][LEDGER_ID_SIZE];
    uint8_t one[LEDGER_ID_SIZE];
    const uint64_t before_ms = world->now_ms;
    act_wait(world, 10);
    act_grant(world, consents[0]);
    act_grant(world, consents[1]);
    act_wait(world, 10);
    const uint64_t then_ms = world->now_ms;
    const uint64_t then_seq = world->last.block.seq;
    act_wait(world, 10);
    end_consent(world, consents[0]);
    for (int i = 0; i < CHANGES; i++) {
        act_wait(world, 1);
        act_grant(world, one);
        end_consent(world, one);
    }
    act_wait(world, 10);
    end_consent(world, consents[1]);
    act_grant(world, consents[2]);

    assert_int_equal(count_stood(world, question(world, then_ms, 0), told), 2);
    assert_memory_equal(told, consents, sizeof told);
    assert_int_equal(count_stood(world, question(world, 0, then_seq), told), 2);
    assert_int_equal(count_stood(world, question(world, before_ms, 0), told),
                     0);
    assert_int_equal(count_stood(world, question(world, 0, 0), told), 1);
    assert_memory_equal(told[0], consents[2], LEDGER_ID_SIZE);
}

/* A period that is over or has not begun is not in force; what is on file
 * shows. */
static void test_periods_and_evidence(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    uint8_t told[2][LEDGER_ID_SIZE];
    const uint64_t from_ms = world->now_ms + 1000;
    struct transaction in = world_grant(world, &ids);
    in.consent_grant.period_from_ms = from_ms;
    in.consent_grant.period_to_ms = from_ms + 1000;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    struct transaction evidence = world_evidence(world, &ids);
    EXPECT(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    act_wait(world, 5000);
    assert_int_equal(count_stood(world, question(world, from_ms - 1, 0), told),
                     1);
    assert_memory_equal(told[0], ids.id, LEDGER_ID_SIZE);
    assert_int_equal(count_stood(world, question(world, from_ms, 0), told), 2);
    assert_int_equal(
        count_stood(world, question(world, from_ms + 1000, 0), told), 1);
}

static void test_what_cannot_be_asked(void **state)
{
    struct world *world = *state;
    Salus__V1__ConsentsQuery in = question(world, 1, 1);
    EXPECT(ask_stood(world, &in)->code, LEDGER_QUERY_FORM);
    in = question(world, 0, 0);
    in.subject.len = 31;
    EXPECT(ask_stood(world, &in)->code, LEDGER_QUERY_FORM);
    in = question(world, 0, 0);
    in.limit = LEDGER_PAGE_ROWS_MAX + 1;
    EXPECT(ask_stood(world, &in)->code, LEDGER_QUERY_FORM);
    in = question(world, 0, 0);
    in.cursor = field_of(world->subject, 5);
    EXPECT(ask_stood(world, &in)->code, LEDGER_QUERY_FORM);
    in = question(world, world->now_ms + 1, 0);
    EXPECT(ask_stood(world, &in)->code, LEDGER_NOT_FOUND);
    in = question(world, 0, 0);
    in.subject = field_of(world->genesis.chain.bytes, 32);
    EXPECT(ask_stood(world, &in)->code, LEDGER_NOT_FOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_long_past_is_told_whole),
        TEST(test_periods_and_evidence),
        TEST(test_what_cannot_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
