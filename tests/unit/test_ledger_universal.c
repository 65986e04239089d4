/* SPDX-License-Identifier: Apache-2.0 */
/* The universal rules, and canonicality: what holds for every
 * transaction, tried on RECORD_ANCHOR. */
#include "tests/support/ledger_fixture.h"

#define CHANGE(name)                                                           \
    static void name(struct world *world, Salus__V1__TransactionBody *body)

CHANGE(other_chain)
{
    (void)world;
    body->chain_id.data[0] ^= 1;
}

CHANGE(short_chain)
{
    (void)world;
    body->chain_id.len = 31;
}

CHANGE(version_two)
{
    (void)world;
    body->version = 2;
}

CHANGE(no_payload)
{
    static uint8_t padding[LEDGER_TRANSACTION_MIN];
    (void)world;
    body->payload_case = SALUS__V1__TRANSACTION_BODY__PAYLOAD__NOT_SET;
    body->participant = (ProtobufCBinaryData){sizeof padding, padding};
}

CHANGE(other_institution)
{
    memcpy(body->institution.data, world->parties[CLINIC].institution.bytes,
           16);
}

CHANGE(other_key)
{
    memcpy(body->key_id.data, world->parties[CLINIC].submit_id.bytes, 16);
}

CHANGE(by_doctor)
{
    body->participant = (ProtobufCBinaryData){16, world->doctor};
}

CHANGE(by_outsider)
{
    body->participant = (ProtobufCBinaryData){16, world->outsider};
}

CHANGE(by_unknown)
{
    static uint8_t id[16];
    world_fill(world, id, sizeof id);
    body->participant = (ProtobufCBinaryData){16, id};
}

CHANGE(by_half)
{
    body->participant = (ProtobufCBinaryData){8, world->doctor};
}

CHANGE(last_moment)
{
    body->not_after_ms = world->now_ms;
}

CHANGE(too_late)
{
    body->not_after_ms = world->now_ms - 1;
}

CHANGE(no_deadline)
{
    (void)world;
    body->not_after_ms = 0;
}

CHANGE(event_at_the_bound)
{
    body->event_time_ms = world->now_ms + WORLD_TIME_BOUND_MS;
}

CHANGE(event_in_future)
{
    body->event_time_ms = world->now_ms + WORLD_TIME_BOUND_MS + 1;
}

CHANGE(event_at_the_end_of_time)
{
    (void)world;
    body->event_time_ms = UINT64_MAX;
}

CHANGE(event_just_in_time)
{
    body->event_time_ms = world->now_ms - WORLD_LATE_AFTER_MS;
}

CHANGE(event_late)
{
    body->event_time_ms = world->now_ms - WORLD_LATE_AFTER_MS - 1;
}

CHANGE(event_marked_late)
{
    event_late(world, body);
    body->late = 1;
}

CHANGE(table_two)
{
    (void)world;
    body->table_version = 2;
}

CHANGE(no_table)
{
    (void)world;
    body->table_version = 0;
}

/* A body above 64 KiB, by a field that is too long. */
CHANGE(too_large)
{
    static uint8_t padding[LEDGER_BODY_MAX];
    (void)world;
    body->participant = (ProtobufCBinaryData){sizeof padding, padding};
}

#define CASES(cases) (cases), sizeof(cases) / sizeof(cases)[0]

static void test_envelope_rules(void **state)
{
    static const struct world_case cases[] = {
        {"default", NULL, LEDGER_OK},
        {"other chain", other_chain, LEDGER_WRONG_CHAIN},
        {"short chain", short_chain, LEDGER_WRONG_CHAIN},
        {"version", version_two, LEDGER_VERSION},
        {"no payload", no_payload, LEDGER_UNKNOWN_TYPE},
        {"other institution", other_institution, LEDGER_SUBMITTER},
        {"other key", other_key, LEDGER_SUBMITTER},
        {"doctor", by_doctor, LEDGER_OK},
        {"outsider", by_outsider, LEDGER_PART_STATE},
        {"unknown", by_unknown, LEDGER_PART_STATE},
        {"half an id", by_half, LEDGER_FIELD_FORM},
        {"last moment", last_moment, LEDGER_OK},
        {"too late", too_late, LEDGER_EXPIRED},
        {"no deadline", no_deadline, LEDGER_EXPIRED},
        {"event at the bound", event_at_the_bound, LEDGER_OK},
        {"event in future", event_in_future, LEDGER_EVENT_FUTURE},
        {"end of time", event_at_the_end_of_time, LEDGER_EVENT_FUTURE},
        {"event just in time", event_just_in_time, LEDGER_OK},
        {"event late", event_late, LEDGER_LATE_UNMARKED},
        {"marked late", event_marked_late, LEDGER_OK},
        {"table 2", table_two, LEDGER_TABLE_VERSION},
        {"no table", no_table, LEDGER_TABLE_VERSION},
        {"too large", too_large, LEDGER_SIZE},
    };
    world_run_cases(*state, HOSPITAL, world_anchor, CASES(cases));
}

/* ---- participants have a period ------------------------------------------ */

static void test_participant_period_holds(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction in = world_participant(world, &ids);
    in.participant_register.valid_from_ms = world->now_ms + 10;
    in.participant_register.valid_to_ms = world->now_ms + 20;
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_OK);

    const uint64_t begin = world->now_ms;
    const struct {
        uint64_t after_ms;
        uint32_t code;
    } moments[] = {{9, LEDGER_PART_STATE},
                   {10, LEDGER_OK},
                   {19, LEDGER_OK},
                   {20, LEDGER_PART_STATE}};
    for (size_t i = 0; i < 4; i++) {
        struct world_ids record_ids;
        world->now_ms = begin + moments[i].after_ms;
        struct transaction record = world_anchor(world, &record_ids);
        struct transaction_envelope envelope = world_envelope(world, HOSPITAL);
        struct transaction_bytes body;
        envelope.participant = bytes_of(ids.id, sizeof ids.id);
        assert_int_equal(transaction_build(&body, &envelope, &record), PBFT_OK);
        assert_int_equal(world_submit_signed(world, HOSPITAL,
                                             bytes_of(body.data, body.size),
                                             NULL, 0),
                         moments[i].code);
        free(body.data);
    }
}

/* ---- canonicality -------------------------------------------------------- */

static uint32_t submit_raw(struct world *world, const uint8_t *body,
                           size_t size)
{
    return world_submit_signed(world, HOSPITAL, bytes_of(body, size), NULL, 0);
}

/* A body with `count` more bytes of room behind it. */
static struct transaction_bytes body_with_room(struct world *world,
                                               size_t count)
{
    struct world_ids ids;
    struct transaction in = world_anchor(world, &ids);
    struct transaction_bytes body = world_build(world, HOSPITAL, &in);
    body.data = realloc(body.data, body.size + count);
    assert_non_null(body.data);
    return body;
}

static void test_trailing_bytes_are_refused(void **state)
{
    struct transaction_bytes body = body_with_room(*state, 1);
    body.data[body.size] = 0;
    assert_int_equal(submit_raw(*state, body.data, body.size + 1),
                     LEDGER_NON_CANONICAL);
    free(body.data);
}

static void test_unknown_fields_are_refused(void **state)
{
    struct transaction_bytes body = body_with_room(*state, 3);
    body.data[body.size] = 0xf0; /* Field 30, varint. */
    body.data[body.size + 1] = 0x01;
    body.data[body.size + 2] = 0x01;
    assert_int_equal(submit_raw(*state, body.data, body.size + 3),
                     LEDGER_NON_CANONICAL);
    free(body.data);
}

static void test_fields_out_of_order_are_refused(void **state)
{
    /* chain_id (2 + 32 bytes) and version (2 bytes) change places. */
    struct transaction_bytes body = body_with_room(*state, 0);
    uint8_t chain[34];
    uint8_t version[2];
    memcpy(chain, body.data, sizeof chain);
    memcpy(version, body.data + sizeof chain, sizeof version);
    memcpy(body.data, version, sizeof version);
    memcpy(body.data + sizeof version, chain, sizeof chain);
    assert_int_equal(submit_raw(*state, body.data, body.size),
                     LEDGER_NON_CANONICAL);
    free(body.data);
}

static void test_overlong_varints_are_refused(void **state)
{
    /* version 1 as 0x81 0x00. */
    struct transaction_bytes body = body_with_room(*state, 1);
    memmove(body.data + 36, body.data + 35, body.size - 35);
    body.data[35] = 0x81;
    memmove(body.data + 37, body.data + 36, body.size - 36);
    body.data[36] = 0x00;
    assert_int_equal(submit_raw(*state, body.data, body.size + 1),
                     LEDGER_NON_CANONICAL);
    free(body.data);
}

static void test_explicit_defaults_are_refused(void **state)
{
    /* event_time_ms = 0 (field 7) belongs behind not_after_ms; putting it at
     * the end of the scalars is out of order, so it is tried in place of
     * `late`: field 9 = 0. */
    struct world *world = *state;
    struct transaction_bytes body = body_with_room(world, 2);
    size_t at = 0;
    for (size_t i = 68; i < body.size; i++) {
        if (body.data[i] == 0x50) { /* Field 10, table_version. */
            at = i;
            break;
        }
    }
    assert_true(at > 0);
    memmove(body.data + at + 2, body.data + at, body.size - at);
    body.data[at] = 0x48;
    body.data[at + 1] = 0x00;
    assert_int_equal(submit_raw(world, body.data, body.size + 2),
                     LEDGER_NON_CANONICAL);
    free(body.data);
}

static void test_wrapper_is_canonical_too(void **state)
{
    struct world *world = *state;
    struct transaction_bytes body = body_with_room(world, 0);
    struct transaction_bytes sealed;
    assert_int_equal(
        transaction_seal(&sealed, bytes_of(body.data, body.size), NULL, 0),
        PBFT_OK);
    sealed.data = realloc(sealed.data, sealed.size + 2);
    assert_non_null(sealed.data);
    sealed.data[sealed.size] = 0x18; /* Field 3. */
    sealed.data[sealed.size + 1] = 0x01;
    assert_int_equal(
        world_submit_transaction(world, HOSPITAL,
                                 bytes_of(sealed.data, sealed.size + 2)),
        LEDGER_NON_CANONICAL);
    assert_memory_equal(
        world->last.block.requests[0].transactions[0].tx_id.bytes,
        (uint8_t[32]){0}, 32);
    free(sealed.data);
    free(body.data);
}

static void test_every_cut_is_refused(void **state)
{
    struct world *world = *state;
    struct transaction_bytes body = body_with_room(world, 0);
    for (size_t size = LEDGER_TRANSACTION_MIN; size < body.size; size += 7) {
        uint32_t code = submit_raw(world, body.data, size);
        assert_int_not_equal(code, LEDGER_OK);
    }
    assert_int_equal(submit_raw(world, body.data, body.size), LEDGER_OK);
    free(body.data);
}

/* ---- repetition ---------------------------------------------------------- */

static void test_transaction_is_done_once(void **state)
{
    struct world *world = *state;
    struct transaction_bytes body = body_with_room(world, 0);
    assert_int_equal(submit_raw(world, body.data, body.size), LEDGER_OK);
    struct ledger_transaction_location first;
    struct pbft_digest tx_id;
    transaction_id(&tx_id, &world->genesis.chain,
                   bytes_of(body.data, body.size));
    const struct ledger_kv *view = ledger_kv_memory_vtable(world->memory);
    assert_int_equal(ledger_find_transaction(view, &tx_id, &first), PBFT_OK);

    assert_int_equal(submit_raw(world, body.data, body.size),
                     LEDGER_TX_DUPLICATE);
    struct ledger_transaction_location again;
    assert_int_equal(ledger_find_transaction(view, &tx_id, &again), PBFT_OK);
    assert_int_equal(again.seq, first.seq);
    assert_int_equal(again.code, LEDGER_OK);
    free(body.data);
}

static void test_refused_transaction_may_be_tried_again(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct world_ids subject_ids;
    struct transaction subject = world_subject(world, &subject_ids);
    struct transaction record = world_anchor(world, &ids);
    record.record_anchor.subject = bytes_of(subject_ids.handle, 32);
    struct transaction_bytes body = world_build(world, HOSPITAL, &record);

    assert_int_equal(submit_raw(world, body.data, body.size),
                     LEDGER_FOREIGN_SUBJECT);
    assert_int_equal(world_submit(world, HOSPITAL, &subject), LEDGER_OK);
    assert_int_equal(submit_raw(world, body.data, body.size), LEDGER_OK);
    free(body.data);
}

/* ---- the urgent lane ----------------------------------------------------- */

static uint32_t submit_urgent(struct world *world, const struct transaction *in)
{
    struct transaction_bytes body = world_build(world, HOSPITAL, in);
    struct transaction_bytes sealed;
    struct transaction_bytes payload;
    assert_int_equal(
        transaction_seal(&sealed, bytes_of(body.data, body.size), NULL, 0),
        PBFT_OK);
    struct pbft_bytes one = bytes_of(sealed.data, sealed.size);
    assert_int_equal(transaction_list_pack(&payload, &one, 1), PBFT_OK);
    struct ledger_request request =
        world_request(world, HOSPITAL, bytes_of(payload.data, payload.size));
    request.urgent = true;
    world_execute(world, &request, 1);
    free(body.data);
    free(sealed.data);
    free(payload.data);
    return world->last.block.requests[0].transactions[0].code;
}

static void test_urgent_lane_is_for_withdrawals(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction grant = world_grant(world, &ids);
    assert_int_equal(submit_urgent(world, &grant), LEDGER_LANE);
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    struct transaction revoke = world_revoke(world, ids.id);
    assert_int_equal(submit_urgent(world, &revoke), LEDGER_OK);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_envelope_rules),
        TEST(test_participant_period_holds),
        TEST(test_trailing_bytes_are_refused),
        TEST(test_unknown_fields_are_refused),
        TEST(test_fields_out_of_order_are_refused),
        TEST(test_overlong_varints_are_refused),
        TEST(test_explicit_defaults_are_refused),
        TEST(test_wrapper_is_canonical_too),
        TEST(test_every_cut_is_refused),
        TEST(test_transaction_is_done_once),
        TEST(test_refused_transaction_may_be_tried_again),
        TEST(test_urgent_lane_is_for_withdrawals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
