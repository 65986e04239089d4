/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: true at the time of the last block, complete, and only for members.
 */
#include "tests/support/ledger_acts.h"

#define ARENA_MAX (1024u * 1024u)

struct asking {
    struct wire_arena arena;
    Salus__V1__Query query;
    Salus__V1__ConsentStatusQuery status;
    Salus__V1__ConsentHistoryQuery history;
    Salus__V1__VerifyRecordQuery verify;
    Salus__V1__TransactionQuery transaction;
};

static void begin(struct asking *asking)
{
    wire_arena_init(&asking->arena, ARENA_MAX);
    salus__v1__query__init(&asking->query);
    salus__v1__consent_status_query__init(&asking->status);
    salus__v1__consent_history_query__init(&asking->history);
    salus__v1__verify_record_query__init(&asking->verify);
    salus__v1__transaction_query__init(&asking->transaction);
}

static ProtobufCBinaryData field(const void *bytes, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)bytes};
}

static const Salus__V1__Answer *
ask_status(struct asking *asking, struct world *world, const uint8_t *consent)
{
    asking->status.consent = field(consent, LEDGER_ID_SIZE);
    asking->query.kind_case = SALUS__V1__QUERY__KIND_CONSENT_STATUS;
    asking->query.consent_status = &asking->status;
    return world_ask(world, LABORATORY, &asking->query, &asking->arena);
}

static void expect_status(struct world *world, const uint8_t *consent,
                          Salus__V1__ConsentStatus status)
{
    struct asking asking;
    begin(&asking);
    const Salus__V1__Answer *answer = ask_status(&asking, world, consent);
    assert_int_equal(answer->code, LEDGER_OK);
    assert_int_equal(answer->kind_case, SALUS__V1__ANSWER__KIND_CONSENT_STATUS);
    assert_int_equal(answer->consent_status->status, status);
    assert_int_equal(answer->height, world->last.block.seq);
    assert_int_equal(answer->block_time_us, world->last.block.time);
    wire_arena_deinit(&asking.arena);
}

/* Time passes with an empty block. */
static void wait_until(struct world *world, uint64_t now_ms)
{
    world->now_ms = now_ms;
    world_execute(world, NULL, 0);
}

static void test_status_over_time(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    const uint64_t begin_ms = world->now_ms;
    struct transaction grant = world_grant(world, &ids);
    grant.consent_grant.period_from_ms = begin_ms + 1000;
    grant.consent_grant.period_to_ms = begin_ms + 2000;
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);

    expect_status(world, ids.id, SALUS__V1__CONSENT_STATUS__CONSENT_NOT_YET);
    wait_until(world, begin_ms + 999);
    expect_status(world, ids.id, SALUS__V1__CONSENT_STATUS__CONSENT_NOT_YET);
    wait_until(world, begin_ms + 1000);
    expect_status(world, ids.id, SALUS__V1__CONSENT_STATUS__CONSENT_ACTIVE);
    wait_until(world, begin_ms + 1999);
    expect_status(world, ids.id, SALUS__V1__CONSENT_STATUS__CONSENT_ACTIVE);
    wait_until(world, begin_ms + 2000);
    expect_status(world, ids.id, SALUS__V1__CONSENT_STATUS__CONSENT_EXPIRED);
}

static void test_status_of_ended_consents(void **state)
{
    struct world *world = *state;
    struct world_ids first;
    struct world_ids second;
    struct transaction grant = world_grant(world, &first);
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    grant = world_grant(world, &second);
    grant.consent_grant.supersedes = (struct transaction_ids){first.id, 1};
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    expect_status(world, first.id,
                  SALUS__V1__CONSENT_STATUS__CONSENT_SUPERSEDED);
    expect_status(world, second.id, SALUS__V1__CONSENT_STATUS__CONSENT_ACTIVE);

    struct transaction revoke = world_revoke(world, second.id);
    assert_int_equal(world_submit(world, HOSPITAL, &revoke), LEDGER_OK);
    expect_status(world, second.id, SALUS__V1__CONSENT_STATUS__CONSENT_REVOKED);
    /* Never comes back (I2). */
    wait_until(world, world->now_ms + 1000000);
    expect_status(world, second.id, SALUS__V1__CONSENT_STATUS__CONSENT_REVOKED);
}

static void test_evidence_makes_indeterminate(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct world_ids evidence_ids;
    struct asking asking;
    struct transaction grant = world_grant(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    begin(&asking);
    assert_false(ask_status(&asking, world, ids.id)
                     ->consent_status->subject_indeterminate);
    struct transaction evidence = world_evidence(world, &evidence_ids);
    assert_int_equal(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    assert_true(ask_status(&asking, world, ids.id)
                    ->consent_status->subject_indeterminate);
    expect_status(world, evidence_ids.id,
                  SALUS__V1__CONSENT_STATUS__CONSENT_ON_FILE);
    wire_arena_deinit(&asking.arena);
}

static void test_status_says_what_was_filed(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct asking asking;
    struct transaction grant = world_grant(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    begin(&asking);
    const Salus__V1__ConsentState *found =
        ask_status(&asking, world, ids.id)->consent_status;
    assert_memory_equal(found->consent.data, ids.id, 16);
    assert_memory_equal(found->subject.data, world->subject, 32);
    assert_memory_equal(found->institution.data,
                        world->parties[HOSPITAL].institution.bytes, 16);
    assert_int_equal(found->granted_seq, world->last.block.seq);
    assert_int_equal(found->ended_seq, 0);
    assert_int_equal(found->period_from_ms, grant.consent_grant.given_at_ms);
    assert_int_equal(found->period_to_ms, 0);
    assert_int_equal(found->base_decision, SALUS__V1__DECISION__PERMIT);
    wire_arena_deinit(&asking.arena);
}

/* ---- history ------------------------------------------------------------- */

static const Salus__V1__Answer *
ask_history(struct asking *asking, struct world *world, const uint8_t *consent,
            const uint8_t *subject, ProtobufCBinaryData cursor, uint32_t limit)
{
    asking->history.consent =
        field(consent, consent != NULL ? LEDGER_ID_SIZE : 0);
    asking->history.subject =
        field(subject, subject != NULL ? LEDGER_HANDLE_SIZE : 0);
    asking->history.cursor = cursor;
    asking->history.limit = limit;
    asking->query.kind_case = SALUS__V1__QUERY__KIND_CONSENT_HISTORY;
    asking->query.consent_history = &asking->history;
    return world_ask(world, HOSPITAL, &asking->query, &asking->arena);
}

static const ProtobufCBinaryData from_start = {0, NULL};

static void expect_events(struct world *world, const uint8_t *consent,
                          const int *kinds, size_t count)
{
    struct asking asking;
    begin(&asking);
    const Salus__V1__Answer *answer =
        ask_history(&asking, world, consent, NULL, from_start, 0);
    assert_int_equal(answer->code, LEDGER_OK);
    assert_int_equal(answer->consent_history->n_events, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(answer->consent_history->events[i]->kind, kinds[i]);
    }
    assert_int_equal(answer->consent_history->cursor.len, 0);
    wire_arena_deinit(&asking.arena);
}

static void test_history_of_a_consent(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    const uint64_t begin_ms = world->now_ms;
    struct transaction grant = world_grant(world, &ids);
    grant.consent_grant.period_to_ms = begin_ms + 1000;
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    const int granted[] = {SALUS__V1__CONSENT_HISTORY__EVENT__KIND__GRANTED};
    expect_events(world, ids.id, granted, 1);
    wait_until(world, begin_ms + 999);
    expect_events(world, ids.id, granted, 1);

    const int expired[] = {SALUS__V1__CONSENT_HISTORY__EVENT__KIND__GRANTED,
                           SALUS__V1__CONSENT_HISTORY__EVENT__KIND__EXPIRED};
    wait_until(world, begin_ms + 1000);
    expect_events(world, ids.id, expired, 2);
}

static void test_revoked_consent_does_not_expire(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    const uint64_t begin_ms = world->now_ms;
    struct transaction grant = world_grant(world, &ids);
    grant.consent_grant.period_to_ms = begin_ms + 1000;
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    struct transaction revoke = world_revoke(world, ids.id);
    assert_int_equal(world_submit(world, HOSPITAL, &revoke), LEDGER_OK);
    wait_until(world, begin_ms + 2000);
    const int kinds[] = {SALUS__V1__CONSENT_HISTORY__EVENT__KIND__GRANTED,
                         SALUS__V1__CONSENT_HISTORY__EVENT__KIND__REVOKED};
    expect_events(world, ids.id, kinds, 2);
}

static void test_consent_filed_after_its_end(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction grant = world_grant(world, &ids);
    grant.consent_grant.given_at_ms = 1000;
    grant.consent_grant.period_to_ms = 2000;
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    const int kinds[] = {SALUS__V1__CONSENT_HISTORY__EVENT__KIND__GRANTED,
                         SALUS__V1__CONSENT_HISTORY__EVENT__KIND__EXPIRED};
    expect_events(world, ids.id, kinds, 2);
    expect_status(world, ids.id, SALUS__V1__CONSENT_STATUS__CONSENT_EXPIRED);
}

/* Many consents of one subject, some superseding the one before. */
static size_t file_many(struct world *world, size_t count)
{
    uint8_t before[LEDGER_ID_SIZE];
    size_t events = 0;
    for (size_t i = 0; i < count; i++) {
        struct world_ids ids;
        struct transaction grant = world_grant(world, &ids);
        events += 1;
        if (i % 3 == 2) {
            grant.consent_grant.supersedes =
                (struct transaction_ids){before, 1};
            events += 1;
        }
        if (i % 4 != 0) { /* A subject has few consents in force at a time. */
            grant.consent_grant.period_to_ms = world->now_ms + 5;
            events += i % 3 == 1 ? 0 : 1;
        }
        assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
        memcpy(before, ids.id, sizeof before);
        if (i % 3 == 2) {
            wait_until(world, world->now_ms + 10);
        }
    }
    wait_until(world, world->now_ms + 10);
    return events;
}

static void test_pages_are_complete(void **state)
{
    struct world *world = *state;
    size_t expected = file_many(world, 30);
    for (uint32_t limit = 1; limit <= 60; limit += 7) {
        struct asking asking;
        uint8_t cursor[LEDGER_KEY_MAX];
        ProtobufCBinaryData at = {0, cursor};
        uint64_t time = 0;
        size_t rows = 0;
        do {
            begin(&asking);
            const Salus__V1__ConsentHistory *page =
                ask_history(&asking, world, NULL, world->subject, at, limit)
                    ->consent_history;
            assert_true(page->n_events <= limit);
            for (size_t i = 0; i < page->n_events; i++) {
                assert_true(page->events[i]->block_time_us >= time);
                time = page->events[i]->block_time_us;
            }
            rows += page->n_events;
            at.len = page->cursor.len;
            if (at.len > 0) {
                memcpy(cursor, page->cursor.data, at.len);
            }
            wire_arena_deinit(&asking.arena);
        } while (at.len > 0);
        assert_int_equal(rows, expected);
    }
}

static void test_history_of_a_subject_without_consents(void **state)
{
    struct asking asking;
    begin(&asking);
    struct world *world = *state;
    const Salus__V1__Answer *answer =
        ask_history(&asking, world, NULL, world->subject, from_start, 0);
    assert_int_equal(answer->code, LEDGER_OK);
    assert_int_equal(answer->consent_history->n_events, 0);
    wire_arena_deinit(&asking.arena);
}

/* Evidence and its settlement are lines of the subject's history, with the
 * privacy officer; the consent on file has a history of its own. */
static void test_history_tells_of_settlement(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct asking asking;
    uint8_t officer[LEDGER_ID_SIZE];
    uint8_t commit[LEDGER_COMMIT_SIZE];
    Salus__V1__SubjectSettle settle = SALUS__V1__SUBJECT_SETTLE__INIT;
    act_register_in(world, HOSPITAL, CODES_ROLE_PRIVACY_OFFICER, officer);
    struct transaction evidence = world_evidence(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    world_fill(world, commit, sizeof commit);
    settle.subject = field(world->subject, sizeof world->subject);
    settle.evidence_commit = field(commit, sizeof commit);
    assert_int_equal(act_as(world, HOSPITAL, officer,
                            TRANSACTION_SUBJECT_SETTLE, &settle.base),
                     LEDGER_OK);
    begin(&asking);
    const Salus__V1__ConsentHistory *history =
        ask_history(&asking, world, NULL, world->subject, from_start, 0)
            ->consent_history;
    assert_int_equal(history->n_events, 2);
    assert_int_equal(history->events[0]->kind,
                     SALUS__V1__CONSENT_HISTORY__EVENT__KIND__FILED_EVIDENCE);
    assert_int_equal(history->events[0]->participant.len, 0);
    const Salus__V1__ConsentHistory__Event *settled = history->events[1];
    assert_int_equal(settled->kind,
                     SALUS__V1__CONSENT_HISTORY__EVENT__KIND__SETTLED);
    assert_int_equal(settled->consent.len, 0);
    assert_int_equal(settled->other_consent.len, 0);
    assert_memory_equal(settled->participant.data, officer, 16);
    assert_memory_equal(settled->institution.data,
                        world->parties[HOSPITAL].institution.bytes, 16);
    assert_int_equal(settled->seq, world->last.block.seq);
    assert_int_equal(settled->block_time_us, world->last.block.time);
    assert_int_equal(settled->tx_id.len, 32);
    wire_arena_deinit(&asking.arena);
    const int own[] = {SALUS__V1__CONSENT_HISTORY__EVENT__KIND__FILED_EVIDENCE};
    expect_events(world, ids.id, own, 1);
}

/* ---- the list of those to be settled ------------------------------------- */

static const Salus__V1__Answer *
ask_indeterminate(struct asking *asking, struct world *world, enum who who,
                  const Salus__V1__IndeterminateQuery *in)
{
    asking->query.kind_case = SALUS__V1__QUERY__KIND_INDETERMINATE;
    asking->query.indeterminate =
        (Salus__V1__IndeterminateQuery *)(uintptr_t)in;
    return world_ask(world, who, &asking->query, &asking->arena);
}

static void file_evidence(struct world *world, const uint8_t *handle,
                          struct world_ids *ids)
{
    struct transaction in = world_evidence(world, ids);
    in.consent_evidence.subject = bytes_of(handle, LEDGER_HANDLE_SIZE);
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

static void settle_one(struct world *world, const uint8_t *officer,
                       const uint8_t *handle)
{
    uint8_t commit[LEDGER_COMMIT_SIZE];
    Salus__V1__SubjectSettle settle = SALUS__V1__SUBJECT_SETTLE__INIT;
    world_fill(world, commit, sizeof commit);
    settle.subject = field(handle, LEDGER_HANDLE_SIZE);
    settle.evidence_commit = field(commit, sizeof commit);
    assert_int_equal(act_as(world, HOSPITAL, officer,
                            TRANSACTION_SUBJECT_SETTLE, &settle.base),
                     LEDGER_OK);
}

/* Since the first evidence, how often, and the last; settled ones are gone. */
static void test_indeterminate_are_listed(void **state)
{
    struct world *world = *state;
    struct world_ids first;
    struct world_ids second;
    struct asking asking;
    uint8_t officer[LEDGER_ID_SIZE];
    Salus__V1__IndeterminateQuery in = SALUS__V1__INDETERMINATE_QUERY__INIT;
    act_register_in(world, HOSPITAL, CODES_ROLE_PRIVACY_OFFICER, officer);
    file_evidence(world, world->subject, &first);
    const struct results_block since = world->last.block;
    file_evidence(world, world->subject, &second);
    begin(&asking);
    const Salus__V1__IndeterminateList *list =
        ask_indeterminate(&asking, world, HOSPITAL, &in)->indeterminate;
    assert_int_equal(list->n_rows, 1);
    const Salus__V1__IndeterminateList__Row *row = list->rows[0];
    assert_memory_equal(row->subject.data, world->subject, 32);
    assert_int_equal(row->since_seq, since.seq);
    assert_int_equal(row->since_us, since.time);
    assert_memory_equal(row->evidence.data, first.id, 16);
    assert_int_equal(row->reason, CODES_REASON_NOT_COMPUTABLE);
    assert_int_equal(row->count, 2);
    assert_memory_equal(row->newest.data, second.id, 16);
    settle_one(world, officer, world->subject);
    list = ask_indeterminate(&asking, world, HOSPITAL, &in)->indeterminate;
    assert_int_equal(list->n_rows, 0);
    file_evidence(world, world->subject, &first);
    list = ask_indeterminate(&asking, world, HOSPITAL, &in)->indeterminate;
    assert_int_equal(list->n_rows, 1);
    assert_int_equal(list->rows[0]->count, 1);
    wire_arena_deinit(&asking.arena);
}

/* Oldest first, page by page. */
static void test_indeterminate_come_in_pages(void **state)
{
    struct world *world = *state;
    struct asking asking;
    uint8_t handles[5][LEDGER_HANDLE_SIZE];
    uint8_t cursor[LEDGER_KEY_MAX];
    Salus__V1__IndeterminateQuery in = SALUS__V1__INDETERMINATE_QUERY__INIT;
    for (size_t i = 0; i < 5; i++) {
        struct world_ids ids;
        struct transaction subject = world_subject(world, &ids);
        assert_int_equal(world_submit(world, HOSPITAL, &subject), LEDGER_OK);
        memcpy(handles[i], ids.handle, LEDGER_HANDLE_SIZE);
        file_evidence(world, handles[i], &ids);
    }
    begin(&asking);
    in.limit = 2;
    for (size_t i = 0; i < 5; i += 2) {
        const Salus__V1__IndeterminateList *list =
            ask_indeterminate(&asking, world, HOSPITAL, &in)->indeterminate;
        assert_int_equal(list->n_rows, i < 4 ? 2 : 1);
        for (size_t j = 0; j < list->n_rows; j++) {
            assert_memory_equal(list->rows[j]->subject.data, handles[i + j],
                                LEDGER_HANDLE_SIZE);
        }
        assert_int_equal(list->cursor.len > 0, i < 4);
        if (list->cursor.len > 0) {
            memcpy(cursor, list->cursor.data, list->cursor.len);
            in.cursor = field(cursor, list->cursor.len);
        }
    }
    in.cursor = field(cursor, 3);
    assert_int_equal(ask_indeterminate(&asking, world, HOSPITAL, &in)->code,
                     LEDGER_QUERY_FORM);
    in.cursor = from_start;
    in.limit = LEDGER_PAGE_ROWS_MAX + 1;
    assert_int_equal(ask_indeterminate(&asking, world, HOSPITAL, &in)->code,
                     LEDGER_QUERY_FORM);
    wire_arena_deinit(&asking.arena);
}

/* Nobody but who registered them, and who takes over, who can settle them. */
static void test_indeterminate_are_the_registrars(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct asking asking;
    uint8_t officer[LEDGER_ID_SIZE];
    uint8_t commit[LEDGER_COMMIT_SIZE];
    Salus__V1__IndeterminateQuery in = SALUS__V1__INDETERMINATE_QUERY__INIT;
    Salus__V1__InstitutionRetire end = SALUS__V1__INSTITUTION_RETIRE__INIT;
    Salus__V1__SubjectSettle settle = SALUS__V1__SUBJECT_SETTLE__INIT;
    act_register_in(world, CLINIC, CODES_ROLE_PRIVACY_OFFICER, officer);
    file_evidence(world, world->subject, &ids);
    begin(&asking);
    assert_int_equal(
        ask_indeterminate(&asking, world, CLINIC, &in)->indeterminate->n_rows,
        0);
    in.institution = field(world->parties[HOSPITAL].institution.bytes, 16);
    assert_int_equal(ask_indeterminate(&asking, world, CLINIC, &in)->code,
                     LEDGER_NOT_FOUND);
    end.institution = in.institution;
    end.successor = field(world->parties[CLINIC].institution.bytes, 16);
    end.reason = CODES_REASON_CONTRACT;
    EXPECT(act_govern(world, TRANSACTION_INST_RETIRE, &end.base), LEDGER_OK);
    assert_int_equal(ask_indeterminate(&asking, world, LABORATORY, &in)->code,
                     LEDGER_NOT_FOUND);
    assert_int_equal(
        ask_indeterminate(&asking, world, CLINIC, &in)->indeterminate->n_rows,
        1);
    world_fill(world, commit, sizeof commit);
    settle.subject = field(world->subject, sizeof world->subject);
    settle.evidence_commit = field(commit, sizeof commit);
    EXPECT(act_as(world, CLINIC, officer, TRANSACTION_SUBJECT_SETTLE,
                  &settle.base),
           LEDGER_OK);
    assert_int_equal(
        ask_indeterminate(&asking, world, CLINIC, &in)->indeterminate->n_rows,
        0);
    wire_arena_deinit(&asking.arena);
}

static void test_history_refuses_bad_questions(void **state)
{
    struct world *world = *state;
    struct asking asking;
    uint8_t unknown[32];
    uint8_t cursor[5] = {0};
    world_fill(world, unknown, sizeof unknown);
    begin(&asking);
    assert_int_equal(
        ask_history(&asking, world, unknown, NULL, from_start, 0)->code,
        LEDGER_NOT_FOUND);
    assert_int_equal(
        ask_history(&asking, world, NULL, unknown, from_start, 0)->code,
        LEDGER_NOT_FOUND);
    assert_int_equal(
        ask_history(&asking, world, unknown, unknown, from_start, 0)->code,
        LEDGER_QUERY_FORM);
    assert_int_equal(
        ask_history(&asking, world, NULL, NULL, from_start, 0)->code,
        LEDGER_QUERY_FORM);
    assert_int_equal(ask_history(&asking, world, NULL, world->subject,
                                 field(cursor, sizeof cursor), 0)
                         ->code,
                     LEDGER_QUERY_FORM);
    assert_int_equal(ask_history(&asking, world, NULL, world->subject,
                                 from_start, LEDGER_PAGE_ROWS_MAX + 1)
                         ->code,
                     LEDGER_QUERY_FORM);
    wire_arena_deinit(&asking.arena);
}

static void test_largest_page_fits(void **state)
{
    struct world *world = *state;
    struct asking asking;
    (void)file_many(world, LEDGER_PAGE_ROWS_MAX);
    begin(&asking);
    const Salus__V1__Answer *answer = ask_history(
        &asking, world, NULL, world->subject, from_start, LEDGER_PAGE_ROWS_MAX);
    assert_int_equal(answer->consent_history->n_events, LEDGER_PAGE_ROWS_MAX);
    wire_arena_deinit(&asking.arena);
}

/* ---- records and transactions -------------------------------------------- */

static const Salus__V1__Answer *ask_record(struct asking *asking,
                                           struct world *world,
                                           const uint8_t *record,
                                           const uint8_t *commit)
{
    asking->verify.record = field(record, record != NULL ? 16 : 0);
    asking->verify.commit = field(commit, commit != NULL ? 32 : 0);
    asking->query.kind_case = SALUS__V1__QUERY__KIND_VERIFY_RECORD;
    asking->query.verify_record = &asking->verify;
    return world_ask(world, CLINIC, &asking->query, &asking->arena);
}

static void test_verify_record(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct asking asking;
    struct transaction in = world_anchor(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    begin(&asking);
    const uint8_t *const questions[2][2] = {{ids.id, NULL}, {NULL, ids.commit}};
    for (size_t i = 0; i < 2; i++) {
        const Salus__V1__Answer *answer =
            ask_record(&asking, world, questions[i][0], questions[i][1]);
        assert_int_equal(answer->code, LEDGER_OK);
        const Salus__V1__RecordState *record = answer->verify_record;
        assert_memory_equal(record->record.data, ids.id, 16);
        assert_memory_equal(record->commit.data, ids.commit, 32);
        assert_memory_equal(record->subject.data, world->subject, 32);
        assert_int_equal(record->version, 1);
        assert_int_equal(record->anchored_seq, world->last.block.seq);
        assert_int_equal(record->anchored_us, world->last.block.time);
        assert_int_equal(record->confidentiality, CODES_CONF_N);
        assert_int_equal(answer->n_same_commit, 0);
    }
    assert_int_equal(ask_record(&asking, world, NULL, ids.other_commit)->code,
                     LEDGER_NOT_FOUND);
    assert_int_equal(ask_record(&asking, world, ids.other_commit, NULL)->code,
                     LEDGER_NOT_FOUND);
    assert_int_equal(ask_record(&asking, world, ids.id, ids.commit)->code,
                     LEDGER_QUERY_FORM);
    assert_int_equal(ask_record(&asking, world, NULL, NULL)->code,
                     LEDGER_QUERY_FORM);
    wire_arena_deinit(&asking.arena);
}

static void test_same_commit_is_listed(void **state)
{
    struct world *world = *state;
    struct world_ids first;
    struct world_ids second;
    struct asking asking;
    struct transaction in = world_anchor(world, &first);
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    in = world_anchor(world, &second);
    in.record_anchor.commit = bytes_of(first.commit, 32);
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    begin(&asking);
    const Salus__V1__Answer *answer =
        ask_record(&asking, world, NULL, first.commit);
    assert_memory_equal(answer->verify_record->record.data, first.id, 16);
    assert_int_equal(answer->n_same_commit, 1);
    assert_memory_equal(answer->same_commit[0]->record.data, second.id, 16);
    wire_arena_deinit(&asking.arena);
}

static void test_transaction_lookup(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct asking asking;
    struct transaction in = world_anchor(world, &ids);
    in.record_anchor.algorithm = 9;
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_UNKNOWN_CODE);
    begin(&asking);
    asking.query.kind_case = SALUS__V1__QUERY__KIND_TRANSACTION;
    asking.query.transaction = &asking.transaction;
    asking.transaction.tx_id =
        field(world->last.block.requests[0].transactions[0].tx_id.bytes, 32);
    const Salus__V1__Answer *answer =
        world_ask(world, CLINIC, &asking.query, &asking.arena);
    assert_int_equal(answer->code, LEDGER_OK);
    assert_int_equal(answer->transaction->code, LEDGER_UNKNOWN_CODE);
    assert_int_equal(answer->transaction->seq, world->last.block.seq);
    asking.transaction.tx_id = field(ids.commit, 32);
    assert_int_equal(
        world_ask(world, CLINIC, &asking.query, &asking.arena)->code,
        LEDGER_NOT_FOUND);
    asking.transaction.tx_id = field(ids.commit, 31);
    assert_int_equal(
        world_ask(world, CLINIC, &asking.query, &asking.arena)->code,
        LEDGER_QUERY_FORM);
    wire_arena_deinit(&asking.arena);
}

/* ---- who asks ------------------------------------------------------------ */

static uint32_t code_of_raw(struct world *world,
                            const struct pbft_institution *caller,
                            const uint8_t *query, size_t size)
{
    static uint8_t out[LEDGER_ANSWER_MAX];
    struct wire_arena arena;
    struct ProtobufCMessage *message = NULL;
    size_t out_size = 0;
    assert_int_equal(
        ledger_query(world->ledger, ledger_kv_memory_vtable(world->memory),
                     caller, bytes_of(query, size), out, sizeof out, &out_size),
        PBFT_OK);
    wire_arena_init(&arena, ARENA_MAX);
    assert_int_equal(wire_unpack_strict(&salus__v1__answer__descriptor,
                                        bytes_of(out, out_size), &arena,
                                        &message),
                     PBFT_OK);
    uint32_t code = ((const Salus__V1__Answer *)(void *)message)->code;
    wire_arena_deinit(&arena);
    return code;
}

static void test_strangers_learn_nothing(void **state)
{
    struct world *world = *state;
    static uint8_t large[LEDGER_QUERY_MAX + 1];
    struct pbft_institution stranger;
    const uint8_t garbage[] = {0x0a, 0x02, 0x0a, 0x07};
    world_fill(world, stranger.bytes, sizeof stranger.bytes);
    assert_int_equal(code_of_raw(world, &stranger, garbage, sizeof garbage),
                     LEDGER_NOT_AUTHORIZED);
    const struct pbft_institution *clinic = &world->parties[CLINIC].institution;
    assert_int_equal(code_of_raw(world, clinic, garbage, sizeof garbage),
                     LEDGER_QUERY_FORM);
    assert_int_equal(code_of_raw(world, clinic, NULL, 0), LEDGER_QUERY_FORM);
    assert_int_equal(code_of_raw(world, clinic, large, sizeof large),
                     LEDGER_QUERY_FORM);
}

static void test_small_answer_room_is_refused(void **state)
{
    struct world *world = *state;
    uint8_t out[16];
    size_t size = 0;
    assert_int_equal(ledger_query(world->ledger,
                                  ledger_kv_memory_vtable(world->memory),
                                  &world->parties[CLINIC].institution,
                                  bytes_of(NULL, 0), out, sizeof out, &size),
                     PBFT_TOO_LARGE);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_status_over_time),
        TEST(test_status_of_ended_consents),
        TEST(test_evidence_makes_indeterminate),
        TEST(test_status_says_what_was_filed),
        TEST(test_history_of_a_consent),
        TEST(test_revoked_consent_does_not_expire),
        TEST(test_consent_filed_after_its_end),
        TEST(test_pages_are_complete),
        TEST(test_history_of_a_subject_without_consents),
        TEST(test_history_tells_of_settlement),
        TEST(test_indeterminate_are_listed),
        TEST(test_indeterminate_come_in_pages),
        TEST(test_indeterminate_are_the_registrars),
        TEST(test_history_refuses_bad_questions),
        TEST(test_largest_page_fits),
        TEST(test_verify_record),
        TEST(test_same_commit_is_listed),
        TEST(test_transaction_lookup),
        TEST(test_strangers_learn_nothing),
        TEST(test_small_answer_room_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
