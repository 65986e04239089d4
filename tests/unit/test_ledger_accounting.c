/* SPDX-License-Identifier: Apache-2.0 */
/* What privacy officers ask: accounting of disclosures, who may, what may, how
 * a consent stood, what a leaked key signed. And batches, opened leaf by leaf.
 */
#include "crypto/merkle.h"
#include "tests/support/ledger_access.h"

struct account {
    Salus__V1__Query query;
    Salus__V1__AccountingQuery in;
    ProtobufCBinaryData subject;
    struct wire_arena arena;
};

static void begin(struct world *world, struct account *out,
                  Salus__V1__AccountingQuery__View view)
{
    salus__v1__query__init(&out->query);
    salus__v1__accounting_query__init(&out->in);
    wire_arena_init(&out->arena, 8u * 1024 * 1024);
    out->subject = field_of(world->subject, 32);
    out->in.subjects = &out->subject;
    out->in.n_subjects = 1;
    out->in.view = view;
    out->query.kind_case = SALUS__V1__QUERY__KIND_ACCOUNTING;
    out->query.accounting = &out->in;
}

static size_t count_rows(struct world *world,
                         Salus__V1__AccountingQuery__View view)
{
    struct account account;
    begin(world, &account, view);
    size_t count = act_ask(world, HOSPITAL, &account.query, &account.arena)
                       ->accounting->n_rows;
    wire_arena_deinit(&account.arena);
    return count;
}

/* By law, to the clinic. */
static void tell_by_law(struct world *world)
{
    struct told told;
    tell_of(world, &told, NULL);
    told.in.basis = CODES_BASIS_PUBLIC_HEALTH;
    told.in.document_commit = field_of(told.document, 32);
    EXPECT(tell(world, &told), LEDGER_OK);
}

static void test_views_show_what_they_must(void **state)
{
    struct world *world = *state;
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    struct told told;
    act_grant(world, consent);
    ask_for(world, &asked, NULL);
    EXPECT(ask(world, &asked), LEDGER_OK);
    tell_of(world, &told, asked.id);
    EXPECT(tell(world, &told), LEDGER_OK); /* Authorized: not accountable. */
    tell_by_law(world);
    tell_of(world, &told, asked.id);
    told.in.item_count = 2;
    told.classes[0] = 5;
    told.in.purpose = CODES_PURPOSE_HMARKT;
    told.in.violation = true;
    EXPECT(tell(world, &told), LEDGER_OK);
    assert_int_equal(
        count_rows(world, SALUS__V1__ACCOUNTING_QUERY__VIEW__HIPAA), 2);
    assert_int_equal(count_rows(world, SALUS__V1__ACCOUNTING_QUERY__VIEW__EHDS),
                     3);
    /* Suspended for providers: the patient does not see them for now. */
    uint8_t officer[LEDGER_ID_SIZE];
    Salus__V1__AccountingSuspend in = SALUS__V1__ACCOUNTING_SUSPEND__INIT;
    act_register_in(world, HOSPITAL, CODES_ROLE_PRIVACY_OFFICER, officer);
    in.subject = field_of(world->subject, 32);
    in.recipient_role = CODES_INSTITUTION_PROVIDER;
    in.until_ms = world->now_ms + 31ull * 86400000;
    in.oral = true;
    in.statement_commit = field_of(told.document, 32);
    EXPECT(act_as(world, HOSPITAL, officer, TRANSACTION_ACCOUNTING_SUSPEND,
                  &in.base),
           LEDGER_SUSPEND_TOO_LONG);
    in.oral = false;
    EXPECT(act_as(world, HOSPITAL, officer, TRANSACTION_ACCOUNTING_SUSPEND,
                  &in.base),
           LEDGER_OK);
    assert_int_equal(
        count_rows(world, SALUS__V1__ACCOUNTING_QUERY__VIEW__HIPAA), 0);
    assert_int_equal(count_rows(world, SALUS__V1__ACCOUNTING_QUERY__VIEW__FULL),
                     3);
    act_wait(world, 32ull * 86400000);
    assert_int_equal(
        count_rows(world, SALUS__V1__ACCOUNTING_QUERY__VIEW__HIPAA), 2);
}

static void test_pages_and_folds_are_complete(void **state)
{
    struct world *world = *state;
    struct account account;
    uint64_t first_ms = world->now_ms;
    for (int i = 0; i < 9; i++) {
        tell_by_law(world);
        world->now_ms += 1000;
    }
    begin(world, &account, SALUS__V1__ACCOUNTING_QUERY__VIEW__FULL);
    account.in.limit = 4;
    uint8_t cursor[64];
    size_t rows = 0;
    uint64_t last_ms = 0;
    for (int page = 0; page < 3; page++) {
        const Salus__V1__Accounting *out =
            act_ask(world, HOSPITAL, &account.query, &account.arena)
                ->accounting;
        assert_int_equal(out->n_rows, page < 2 ? 4 : 1);
        for (size_t i = 0; i < out->n_rows; i++) {
            assert_true(out->rows[i]->event_ms > last_ms);
            last_ms = out->rows[i]->event_ms;
        }
        rows += out->n_rows;
        assert_int_equal(out->cursor.len == 0, page == 2);
        if (out->cursor.len > 0) {
            memcpy(cursor, out->cursor.data, out->cursor.len);
            account.in.cursor = (ProtobufCBinaryData){out->cursor.len, cursor};
        }
    }
    assert_int_equal(rows, 9);
    account.in.cursor.len = 0;
    account.in.from_ms = first_ms + 2000;
    account.in.to_ms = first_ms + 5000;
    assert_int_equal(act_ask(world, HOSPITAL, &account.query, &account.arena)
                         ->accounting->n_rows,
                     3);
    account.in.to_ms = account.in.from_ms;
    wire_arena_reset(&account.arena);
    EXPECT(world_ask(world, HOSPITAL, &account.query, &account.arena)->code,
           LEDGER_QUERY_FORM);
    account.in.fold = true;
    account.in.from_ms = 0;
    account.in.to_ms = 0;
    const Salus__V1__Accounting *folded =
        act_ask(world, HOSPITAL, &account.query, &account.arena)->accounting;
    assert_int_equal(folded->n_rows, 1);
    assert_int_equal(folded->rows[0]->count, 9);
    assert_int_equal(folded->rows[0]->event_ms, first_ms);
    assert_int_equal(folded->rows[0]->last_ms, first_ms + 8000);
    wire_arena_deinit(&account.arena);
}

/* Disclosure number `i` of many that are not alike: by another law, to another
 * recipient or for another purpose. */
static void tell_number(struct world *world, size_t i)
{
    static const uint32_t laws[] = {CODES_BASIS_PUBLIC_HEALTH,
                                    CODES_BASIS_REQUIRED_BY_LAW,
                                    CODES_BASIS_COURT_ORDER};
    struct told told;
    size_t count = 0;
    const struct codes_entry *purposes = codes_entries(CODES_PURPOSE, &count);
    assert_true(i < count * WHO_COUNT * 3);
    tell_of(world, &told, NULL);
    told.in.basis = laws[i / (count * WHO_COUNT)];
    told.in.purpose = purposes[i % count].id;
    told.in.recipient =
        field_of(world->parties[i / count % WHO_COUNT].institution.bytes, 16);
    told.in.document_commit = field_of(told.document, 32);
    EXPECT(tell(world, &told), LEDGER_OK);
}

/* All pages; the groups, and how many disclosures they are. */
static size_t fold_all(struct world *world, struct account *account,
                       size_t *disclosures)
{
    size_t groups = 0;
    uint8_t cursor[64];
    account->in.cursor = (ProtobufCBinaryData){0, cursor};
    *disclosures = 0;
    do {
        const Salus__V1__Accounting *page =
            act_ask(world, HOSPITAL, &account->query, &account->arena)
                ->accounting;
        for (size_t i = 0; i < page->n_rows; i++) {
            *disclosures += page->rows[i]->count;
        }
        groups += page->n_rows;
        if (page->cursor.len > 0) {
            memcpy(cursor, page->cursor.data, page->cursor.len);
        }
        account->in.cursor.len = page->cursor.len;
    } while (account->in.cursor.len > 0);
    return groups;
}

/* As many groups as one fold takes; one more that is like another; and more of
 * them than that, in another fold. */
static void test_folds_follow_each_other(void **state)
{
    struct world *world = *state;
    struct account account;
    size_t told = 0;
    begin(world, &account, SALUS__V1__ACCOUNTING_QUERY__VIEW__FULL);
    account.in.fold = true;
    account.in.limit = 100;
    for (size_t i = 0; i < LEDGER_FOLD_GROUPS_MAX; i++) {
        world->now_ms++;
        tell_number(world, i);
    }
    assert_int_equal(fold_all(world, &account, &told), LEDGER_FOLD_GROUPS_MAX);
    assert_int_equal(told, LEDGER_FOLD_GROUPS_MAX);
    world->now_ms++;
    tell_number(world, 0);
    assert_int_equal(fold_all(world, &account, &told), LEDGER_FOLD_GROUPS_MAX);
    assert_int_equal(told, LEDGER_FOLD_GROUPS_MAX + 1);
    for (size_t i = 0; i < 3; i++) {
        world->now_ms++;
        tell_number(world, LEDGER_FOLD_GROUPS_MAX);
        world->now_ms++;
        tell_number(world, 0); /* Once more, in the other fold. */
    }
    assert_int_equal(fold_all(world, &account, &told),
                     LEDGER_FOLD_GROUPS_MAX + 2);
    assert_int_equal(told, LEDGER_FOLD_GROUPS_MAX + 7);
    wire_arena_deinit(&account.arena);
}

/* ---- who, what ----------------------------------------------------------- */

static void test_who_may_and_what_may_agree(void **state)
{
    struct world *world = *state;
    struct wire_arena arena;
    struct world_ids ids;
    uint32_t may = 0;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    struct transaction grant = world_grant(world, &ids);
    const struct transaction_actor clinic = {
        .kind = TRANSACTION_ACTOR_INSTITUTION,
        .id = bytes_of(world->parties[CLINIC].institution.bytes, 16)};
    grant.consent_grant.root.actors = &clinic;
    grant.consent_grant.root.actor_count = 1;
    EXPECT(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__WhoMayQuery who = SALUS__V1__WHO_MAY_QUERY__INIT;
    who.subject = field_of(world->subject, 32);
    query.kind_case = SALUS__V1__QUERY__KIND_WHO_MAY;
    query.who_may = &who;
    const Salus__V1__WhoMay *rows =
        act_ask(world, HOSPITAL, &query, &arena)->who_may;
    assert_int_equal(rows->n_rows,
                     WHO_COUNT - 1); /* A laboratory treats not. */
    for (size_t i = 0; i < rows->n_rows; i++) {
        bool is_clinic =
            memcmp(rows->rows[i]->institution.data, clinic.id.data, 16) == 0;
        assert_int_equal(rows->rows[i]->permitted, is_clinic);
        may += rows->rows[i]->permitted;
    }
    assert_int_equal(may, 1);
    Salus__V1__WhatMayQuery what = SALUS__V1__WHAT_MAY_QUERY__INIT;
    query.kind_case = SALUS__V1__QUERY__KIND_WHAT_MAY;
    query.what_may = &what;
    what.institution = field_of(clinic.id.data, 16);
    const Salus__V1__WhatMay *seen =
        act_ask(world, HOSPITAL, &query, &arena)->what_may;
    assert_int_equal(seen->n_rows, 1);
    assert_memory_equal(seen->rows[0]->subject.data, world->subject, 32);
    assert_memory_equal(seen->rows[0]->consent.data, ids.id, 16);
    what.at_ms = 1; /* Before it was in force. */
    assert_int_equal(act_ask(world, HOSPITAL, &query, &arena)->what_may->n_rows,
                     0);
    what.at_ms = 0;
    what.institution =
        field_of(world->parties[LABORATORY].institution.bytes, 16);
    assert_int_equal(act_ask(world, HOSPITAL, &query, &arena)->what_may->n_rows,
                     0);
    /* What no machine can read denies; no consent is responsible for that. */
    struct world_ids evidence_ids;
    struct transaction evidence = world_evidence(world, &evidence_ids);
    EXPECT(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    query.kind_case = SALUS__V1__QUERY__KIND_WHO_MAY;
    query.who_may = &who;
    rows = act_ask(world, HOSPITAL, &query, &arena)->who_may;
    for (size_t i = 0; i < rows->n_rows; i++) {
        assert_false(rows->rows[i]->permitted);
        assert_int_equal(rows->rows[i]->rule,
                         SALUS__V1__DECISION_RULE__RULE_INDETERMINATE);
        assert_int_equal(rows->rows[i]->consent.len, 0);
    }
    wire_arena_deinit(&arena);
}

static size_t count_what(struct world *world, uint32_t action)
{
    struct wire_arena arena;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__WhatMayQuery what = SALUS__V1__WHAT_MAY_QUERY__INIT;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    what.institution = field_of(world->parties[CLINIC].institution.bytes, 16);
    what.action = action;
    query.kind_case = SALUS__V1__QUERY__KIND_WHAT_MAY;
    query.what_may = &what;
    size_t count = act_ask(world, HOSPITAL, &query, &arena)->what_may->n_rows;
    wire_arena_deinit(&arena);
    return count;
}

/* "You may look, you may not correct": whoever asks what may be seen hears it.
 */
static void test_a_deny_of_one_action_is_none_of_another(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    const uint32_t correct = 5;
    struct transaction grant = world_grant(world, &ids);
    const struct transaction_exception not_that = {
        .type = TRANSACTION_DENY, .selector = {.actions = {&correct, 1}}};
    grant.consent_grant.exceptions = &not_that;
    grant.consent_grant.exception_count = 1;
    EXPECT(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    assert_int_equal(count_what(world, 0), 1);
    assert_int_equal(count_what(world, CODES_ACTION_ACCESS), 1);
    assert_int_equal(count_what(world, correct), 0);
}

static void test_status_of_a_consent_in_the_past(void **state)
{
    struct world *world = *state;
    struct wire_arena arena;
    uint8_t consent[LEDGER_ID_SIZE];
    struct ledger_position granted;
    uint64_t before_ms = world->now_ms;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    world->now_ms += 1000;
    act_grant(world, consent);
    ledger_position(world->ledger, &granted);
    world->now_ms += 1000;
    struct transaction revoke = world_revoke(world, consent);
    EXPECT(world_submit(world, HOSPITAL, &revoke), LEDGER_OK);
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ConsentStatusQuery in = SALUS__V1__CONSENT_STATUS_QUERY__INIT;
    in.consent = field_of(consent, 16);
    query.kind_case = SALUS__V1__QUERY__KIND_CONSENT_STATUS;
    query.consent_status = &in;
    assert_int_equal(
        act_ask(world, HOSPITAL, &query, &arena)->consent_status->status,
        SALUS__V1__CONSENT_STATUS__CONSENT_REVOKED);
    in.at_seq = granted.seq;
    assert_int_equal(
        act_ask(world, HOSPITAL, &query, &arena)->consent_status->status,
        SALUS__V1__CONSENT_STATUS__CONSENT_ACTIVE);
    in.at_seq = granted.seq - 1;
    assert_int_equal(
        act_ask(world, HOSPITAL, &query, &arena)->consent_status->status,
        SALUS__V1__CONSENT_STATUS__CONSENT_NOT_FILED);
    in.at_seq = 0;
    in.at_ms = before_ms + 1500;
    assert_int_equal(
        act_ask(world, HOSPITAL, &query, &arena)->consent_status->status,
        SALUS__V1__CONSENT_STATUS__CONSENT_ACTIVE);
    wire_arena_deinit(&arena);
}

static void test_leaked_key_has_its_suspects(void **state)
{
    struct world *world = *state;
    struct wire_arena arena;
    struct world_ids ids;
    wire_arena_init(&arena, 8u * 1024 * 1024);
    world->now_ms += 10000;
    uint64_t since_ms = world->now_ms;
    for (int i = 0; i < 3; i++) {
        struct transaction in = world_participant(world, &ids);
        EXPECT(world_submit(world, LABORATORY, &in), LEDGER_OK);
        world->now_ms += 1000;
    }
    Salus__V1__KeyRevoke in = SALUS__V1__KEY_REVOKE__INIT;
    in.key_id = field_of(world->parties[LABORATORY].submit_id.bytes, 16);
    in.reason = SALUS__V1__KEY_REVOKE__REASON__COMPROMISE;
    in.compromise_time_ms = since_ms + 500;
    EXPECT(act_govern(world, TRANSACTION_KEY_REVOKE, &in.base), LEDGER_OK);
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__SuspectQuery ask = SALUS__V1__SUSPECT_QUERY__INIT;
    ask.key_id = in.key_id;
    query.kind_case = SALUS__V1__QUERY__KIND_SUSPECT;
    query.suspect = &ask;
    assert_int_equal(act_ask(world, HOSPITAL, &query, &arena)->suspects->n_rows,
                     2);
    wire_arena_deinit(&arena);
}

/* ---- batches ------------------------------------------------------------- */

#define LEAVES 5u

/* Disclosures by law under one root; the proof of leaf 3. */
static void test_batched_disclosures_open_one_by_one(void **state)
{
    struct world *world = *state;
    struct told told[LEAVES];
    struct pbft_digest leaves[LEAVES];
    struct pbft_digest path[MERKLE_PATH_MAX];
    struct pbft_digest root;
    ProtobufCBinaryData siblings[MERKLE_PATH_MAX];
    size_t count = 0;
    uint8_t batch[LEDGER_ID_SIZE];
    world_fill(world, batch, sizeof batch);
    for (size_t i = 0; i < LEAVES; i++) {
        tell_of(world, &told[i], NULL);
        told[i].in.basis = CODES_BASIS_REQUIRED_BY_LAW;
        told[i].in.document_commit = field_of(told[i].document, 32);
        told_leaf(&leaves[i], &told[i], world->now_ms - 1000);
    }
    merkle_root(&root, leaves, LEAVES);
    Salus__V1__DisclosureBatch in = SALUS__V1__DISCLOSURE_BATCH__INIT;
    in.batch = field_of(batch, 16);
    in.root = field_of(root.bytes, 32);
    in.leaf_count = LEDGER_LEAVES_MAX + 1;
    in.from_ms = world->now_ms - 5000;
    in.to_ms = world->now_ms;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_BATCH, &in.base),
           LEDGER_SIZE);
    in.leaf_count = LEAVES;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_BATCH, &in.base),
           LEDGER_OK);
    assert_int_equal(count_rows(world, SALUS__V1__ACCOUNTING_QUERY__VIEW__FULL),
                     0);
    merkle_path_of(path, &count, leaves, 3, LEAVES);
    for (size_t i = 0; i < count; i++) {
        siblings[i] = field_of(path[i].bytes, 32);
    }
    Salus__V1__DisclosureOpen open = SALUS__V1__DISCLOSURE_OPEN__INIT;
    open.batch = field_of(batch, 16);
    open.index = 2;
    open.event_time_ms = world->now_ms - 1000;
    open.disclosure = &told[3].in;
    open.path = siblings;
    open.n_path = count;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_OPEN, &open.base),
           LEDGER_PROOF_INVALID);
    open.index = 3;
    EXPECT(act_simple(world, CLINIC, TRANSACTION_DISCLOSURE_OPEN, &open.base),
           LEDGER_BATCH_STATE);
    open.event_time_ms = world->now_ms;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_OPEN, &open.base),
           LEDGER_BATCH_STATE);
    open.event_time_ms = world->now_ms - 1000;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_OPEN, &open.base),
           LEDGER_OK);
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_DISCLOSURE_OPEN, &open.base),
           LEDGER_LEAF_OPENED);
    assert_int_equal(
        count_rows(world, SALUS__V1__ACCOUNTING_QUERY__VIEW__HIPAA), 1);
}

/* 65,536 records under one root, the last of them opened. */
static void test_record_of_a_large_batch_opens(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct pbft_digest root;
    struct pbft_digest path[MERKLE_PATH_MAX];
    ProtobufCBinaryData siblings[MERKLE_PATH_MAX];
    size_t count = 0;
    uint8_t batch[LEDGER_ID_SIZE];
    uint8_t commit[32];
    struct pbft_digest *leaves = calloc(LEDGER_LEAVES_MAX, sizeof *leaves);
    assert_non_null(leaves);
    struct transaction from = world_anchor(world, &ids);
    Salus__V1__RecordAnchor record = SALUS__V1__RECORD_ANCHOR__INIT;
    Salus__V1__RecordAnchor__Envelope envelope =
        SALUS__V1__RECORD_ANCHOR__ENVELOPE__INIT;
    Salus__V1__RecordAnchor__Envelope *list[] = {&envelope};
    world_fill(world, batch, sizeof batch);
    world_fill(world, commit, sizeof commit);
    envelope.recipient_key =
        field_of(world->parties[HOSPITAL].encryption_id.bytes, 16);
    envelope.wrap_commit = field_of(commit, 32);
    record.record = field_of(from.record_anchor.record.data, 16);
    record.subject = field_of(world->subject, 32);
    record.class_code = CODES_CLASS_OTHER;
    record.confidentiality = CODES_CONF_N;
    record.commit = field_of(from.record_anchor.commit.data, 32);
    record.cipher_digest = field_of(from.record_anchor.cipher_digest.data, 32);
    record.cipher_size_bucket = 4;
    record.algorithm = 1;
    record.location = (char *)WORLD_LOCATION;
    record.envelopes = list;
    record.n_envelopes = 1;
    world_fill(world, leaves, LEDGER_LEAVES_MAX * sizeof *leaves);
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, LEDGER_BODY_MAX);
    assert_int_equal(wire_pack(&record.base, &buffer), PBFT_OK);
    transaction_record_leaf(&leaves[LEDGER_LEAVES_MAX - 1],
                            wire_buffer_bytes(&buffer));
    wire_buffer_deinit(&buffer);
    merkle_root(&root, leaves, LEDGER_LEAVES_MAX);
    Salus__V1__RecordAnchorBatch in = SALUS__V1__RECORD_ANCHOR_BATCH__INIT;
    in.batch = field_of(batch, 16);
    in.root = field_of(root.bytes, 32);
    in.leaf_count = LEDGER_LEAVES_MAX;
    in.leaf_schema = 1;
    in.class_code = CODES_CLASS_OTHER;
    in.confidentiality_max = CODES_CONF_N;
    EXPECT(
        act_simple(world, HOSPITAL, TRANSACTION_RECORD_ANCHOR_BATCH, &in.base),
        LEDGER_NO_CUSTODIAN_KEY);
    in.envelope = &envelope;
    EXPECT(
        act_simple(world, HOSPITAL, TRANSACTION_RECORD_ANCHOR_BATCH, &in.base),
        LEDGER_OK);
    EXPECT(
        act_simple(world, HOSPITAL, TRANSACTION_RECORD_ANCHOR_BATCH, &in.base),
        LEDGER_BATCH_EXISTS);
    merkle_path_of(path, &count, leaves, LEDGER_LEAVES_MAX - 1,
                   LEDGER_LEAVES_MAX);
    for (size_t i = 0; i < count; i++) {
        siblings[i] = field_of(path[i].bytes, 32);
    }
    Salus__V1__RecordOpen open = SALUS__V1__RECORD_OPEN__INIT;
    open.batch = field_of(batch, 16);
    open.index = LEDGER_LEAVES_MAX - 1;
    open.record = &record;
    open.path = siblings;
    open.n_path = count;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_RECORD_OPEN, &open.base),
           LEDGER_OK);
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_RECORD_OPEN, &open.base),
           LEDGER_LEAF_OPENED);
    free(leaves);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_views_show_what_they_must),
        TEST(test_pages_and_folds_are_complete),
        TEST(test_folds_follow_each_other),
        TEST(test_who_may_and_what_may_agree),
        TEST(test_a_deny_of_one_action_is_none_of_another),
        TEST(test_status_of_a_consent_in_the_past),
        TEST(test_leaked_key_has_its_suspects),
        TEST(test_batched_disclosures_open_one_by_one),
        TEST(test_record_of_a_large_batch_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
