/* SPDX-License-Identifier: Apache-2.0 */
/* What covers a disclosure: who received it, the consents of its own moment,
 * the bounds of an emergency, and what the patient himself asked for. */
#include "tests/support/ledger_emergencies.h"

#define NURSE 2u
#define LABORATORY_CLASS 5u

static int setup(void **state)
{
    *state = make_world(UNLESS_DENIED);
    return 0;
}

/* A request of the clinic, by `participant` or nobody, for what there is. */
static void ask_as(struct world *world, const uint8_t *participant,
                   struct asked *out)
{
    ask_for(world, out, NULL);
    const struct act act = {.who = CLINIC, .participant = participant};
    EXPECT(act_do(world, &act, TRANSACTION_ACCESS_REQUEST, &out->in.base),
           LEDGER_OK);
}

static void revoke(struct world *world, const uint8_t *consent)
{
    struct transaction in = world_revoke(world, consent);
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

/* A deny of everything to one participant, from `from_ms` on. */
static void deny_him(struct world *world, const uint8_t *participant,
                     uint64_t from_ms)
{
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    const struct transaction_actor he = {.kind = TRANSACTION_ACTOR_PARTICIPANT,
                                         .id = bytes_of(participant, 16)};
    in.consent_grant.base_decision = TRANSACTION_DENY;
    in.consent_grant.root.actors = &he;
    in.consent_grant.root.actor_count = 1;
    in.consent_grant.period_from_ms = from_ms;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
}

/* ---- the consents of the moment ------------------------------------------ */

static void test_request_and_withdrawal_in_one_block(void **state)
{
    struct world *world = *state;
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    struct transaction_bytes bodies[2];
    struct transaction_bytes sealed[2];
    struct pbft_bytes list[2];
    act_grant(world, consent);
    ask_for(world, &asked, NULL);
    const struct act act = {.who = HOSPITAL};
    bodies[0] =
        act_body(world, &act, TRANSACTION_ACCESS_REQUEST, &asked.in.base);
    struct transaction in = world_revoke(world, consent);
    bodies[1] = world_build(world, HOSPITAL, &in);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            transaction_seal(&sealed[i],
                             bytes_of(bodies[i].data, bodies[i].size), NULL, 0),
            PBFT_OK);
        list[i] = bytes_of(sealed[i].data, sealed[i].size);
    }
    const struct results_request *result =
        world_submit_list(world, HOSPITAL, list, 2);
    EXPECT(result->transactions[0].code, LEDGER_OK);
    EXPECT(result->transactions[1].code, LEDGER_OK);
    struct told told;
    tell_of(world, &told, asked.id);
    told.in.recipient =
        field_of(world->parties[HOSPITAL].institution.bytes, 16);
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    world->now_ms += 1000;
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    for (size_t i = 0; i < 2; i++) {
        free(bodies[i].data);
        free(sealed[i].data);
    }
}

static void test_later_events_do_not_hide_a_withdrawal(void **state)
{
    struct world *world = *state;
    uint8_t consent[LEDGER_ID_SIZE];
    uint8_t again[LEDGER_ID_SIZE];
    struct asked asked;
    uint64_t start_ms = world->now_ms;
    act_grant(world, consent);
    ask_as(world, NULL, &asked);
    world->now_ms = start_ms + 10000;
    revoke(world, consent);
    world->now_ms = start_ms + 20000;
    act_grant(world, again);
    world->now_ms = start_ms + 30000;
    EXPECT(tell_under(world, &asked, start_ms + 5000), LEDGER_OK);
    EXPECT(tell_under(world, &asked, start_ms + 9999), LEDGER_OK);
    EXPECT(tell_under(world, &asked, start_ms + 10000), LEDGER_DECISION_SCOPE);
    EXPECT(tell_under(world, &asked, start_ms + 15000), LEDGER_DECISION_SCOPE);
    EXPECT(tell_under(world, &asked, start_ms + 25000), LEDGER_OK);
    /* What ends later does not change what was. */
    revoke(world, again);
    EXPECT(tell_under(world, &asked, start_ms + 15000), LEDGER_DECISION_SCOPE);
    EXPECT(tell_under(world, &asked, start_ms + 25000), LEDGER_OK);
    EXPECT(tell_under(world, &asked, 0), LEDGER_DECISION_SCOPE);
}

static void test_deny_that_was_withdrawn_held_in_its_time(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    uint64_t start_ms = world->now_ms;
    act_grant(world, consent);
    ask_as(world, NULL, &asked);
    world->now_ms = start_ms + 10000;
    struct transaction deny = world_grant(world, &ids);
    deny.consent_grant.base_decision = TRANSACTION_DENY;
    EXPECT(world_submit(world, HOSPITAL, &deny), LEDGER_OK);
    world->now_ms = start_ms + 20000;
    revoke(world, ids.id);
    EXPECT(tell_under(world, &asked, start_ms + 15000), LEDGER_DECISION_SCOPE);
    EXPECT(tell_under(world, &asked, start_ms + 5000), LEDGER_OK);
    EXPECT(tell_under(world, &asked, 0), LEDGER_OK);
}

static void test_consents_begin_and_end_by_their_periods(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct asked asked;
    uint64_t start_ms = world->now_ms;
    struct transaction in = world_grant(world, &ids);
    in.consent_grant.period_to_ms = start_ms + 40000;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    deny_him(world, world->outsider, start_ms + 20000);
    ask_as(world, world->outsider, &asked);
    world->now_ms = start_ms + 30000;
    EXPECT(tell_under(world, &asked, start_ms + 19999), LEDGER_OK);
    EXPECT(tell_under(world, &asked, start_ms + 20000), LEDGER_DECISION_SCOPE);
    act_wait(world, 20000); /* The permit ends, and is swept. */
    EXPECT(tell_under(world, &asked, start_ms + 19999), LEDGER_OK);
    EXPECT(tell_under(world, &asked, start_ms + 45000), LEDGER_DECISION_SCOPE);
}

static void test_unreadable_document_counts_in_its_time(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    uint8_t consent[LEDGER_ID_SIZE];
    uint8_t officer[LEDGER_ID_SIZE];
    uint8_t commit[32];
    struct asked asked;
    uint64_t start_ms = world->now_ms;
    act_register_in(world, HOSPITAL, CODES_ROLE_PRIVACY_OFFICER, officer);
    act_grant(world, consent);
    ask_as(world, NULL, &asked);
    world->now_ms = start_ms + 10000;
    struct transaction evidence = world_evidence(world, &ids);
    EXPECT(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    EXPECT(tell_under(world, &asked, start_ms + 5000), LEDGER_OK);
    EXPECT(tell_under(world, &asked, 0), LEDGER_DECISION_SCOPE);
    world->now_ms = start_ms + 20000;
    Salus__V1__SubjectSettle settle = SALUS__V1__SUBJECT_SETTLE__INIT;
    world_fill(world, commit, sizeof commit);
    settle.subject = field_of(world->subject, 32);
    settle.evidence_commit = field_of(commit, 32);
    EXPECT(act_as(world, HOSPITAL, officer, TRANSACTION_SUBJECT_SETTLE,
                  &settle.base),
           LEDGER_OK);
    EXPECT(tell_under(world, &asked, start_ms + 5000), LEDGER_OK);
    EXPECT(tell_under(world, &asked, start_ms + 15000), LEDGER_DECISION_SCOPE);
    EXPECT(tell_under(world, &asked, 0), LEDGER_OK);
}

/* How far one may look back is bounded: what cannot be told is not covered. */
static void test_too_many_changes_ago_cannot_be_told(void **state)
{
    struct world *world = *state;
    uint8_t consent[LEDGER_ID_SIZE];
    uint8_t other[LEDGER_ID_SIZE];
    struct asked asked;
    uint64_t start_ms = world->now_ms;
    act_grant(world, consent);
    ask_as(world, NULL, &asked);
    for (size_t i = 0; i < LEDGER_CHANGES_BACK_MAX; i++) {
        world->now_ms += 100;
        act_grant(world, other);
        revoke(world, other);
    }
    EXPECT(tell_under(world, &asked, start_ms + 50), LEDGER_OK);
    act_grant(world, other);
    revoke(world, other);
    EXPECT(tell_under(world, &asked, start_ms + 50), LEDGER_DECISION_SCOPE);
    EXPECT(tell_under(world, &asked, start_ms + 150), LEDGER_OK);
}

/* Of two records of different classes one is withdrawn: what went out has to be
 * of the other. */
static void test_what_is_left_has_its_classes(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct world_ids deny_ids;
    uint8_t first[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    const uint32_t class_code = LABORATORY_CLASS;
    struct asked asked;
    struct told told;
    act_anchor(world, CODES_CONF_N, first);
    struct transaction anchor = world_anchor(world, &ids);
    anchor.record_anchor.class_code = LABORATORY_CLASS;
    EXPECT(world_submit(world, HOSPITAL, &anchor), LEDGER_OK);
    act_grant(world, consent);
    ask_for(world, &asked, first);
    bool behind = memcmp(ids.id, first, 16) > 0;
    asked.records[behind] = field_of(ids.id, 16);
    asked.records[!behind] = field_of(first, 16);
    asked.in.n_records = 2;
    EXPECT(ask(world, &asked), LEDGER_OK);
    world->now_ms += 1000;
    struct transaction deny = world_grant(world, &deny_ids);
    deny.consent_grant.base_decision = TRANSACTION_DENY;
    deny.consent_grant.root.classes =
        (struct transaction_codes){&class_code, 1};
    EXPECT(world_submit(world, HOSPITAL, &deny), LEDGER_OK);
    tell_of(world, &told, asked.id);
    told.classes[0] = LABORATORY_CLASS;
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    told.classes[0] = CODES_CLASS_OTHER;
    EXPECT(tell(world, &told), LEDGER_OK);
}

/* ---- who received -------------------------------------------------------- */

static void test_what_one_gets_is_not_anothers(void **state)
{
    struct world *world = *state;
    uint8_t consent[LEDGER_ID_SIZE];
    uint8_t colleague[LEDGER_ID_SIZE];
    struct asked asked;
    struct told told;
    act_register_in(world, CLINIC, NURSE, colleague);
    act_grant(world, consent);
    ask_as(world, world->outsider, &asked);
    tell_of(world, &told, asked.id);
    told.in.recipient_participant = field_of(colleague, 16);
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    told.in.recipient_participant = field_of(world->outsider, 16);
    EXPECT(tell(world, &told), LEDGER_OK);
    /* Where the institution asked, it is anybody's whom nobody denies it. */
    ask_as(world, NULL, &asked);
    world->now_ms += 1000;
    deny_him(world, world->outsider, world->now_ms);
    tell_of(world, &told, asked.id);
    told.in.recipient_participant = field_of(world->outsider, 16);
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    told.in.recipient_participant.len = 0;
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE); /* It may be he. */
    told.in.recipient_participant = field_of(colleague, 16);
    EXPECT(tell(world, &told), LEDGER_OK);
}

/* ---- emergencies --------------------------------------------------------- */

static void tell_in(struct world *world, struct told *out,
                    const struct broken *broken)
{
    tell_of(world, out, NULL);
    out->in.break_glass = field_of(broken->id, 16);
    out->in.purpose = CODES_PURPOSE_BTG;
}

static void test_emergency_covers_what_it_named(void **state)
{
    struct world *world = *state;
    uint8_t record[LEDGER_ID_SIZE];
    struct broken broken;
    struct told told;
    ProtobufCBinaryData list;
    act_anchor(world, CODES_CONF_N, record);
    list = field_of(record, 16);
    break_for(world, &broken);
    broken.in.records = &list;
    broken.in.n_records = 1;
    EXPECT(declare(world, &broken), LEDGER_OK);
    tell_in(world, &told, &broken);
    told.in.item_count = 2;
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    told.in.item_count = 1;
    told.classes[0] = LABORATORY_CLASS;
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    told.classes[0] = CODES_CLASS_OTHER;
    EXPECT(tell(world, &told), LEDGER_OK);
}

/* Who asked is no doctor any more when it is told; the consents are as they
 * were. A withdrawal meanwhile counts all the same. */
static void test_people_of_later_take_nothing_back(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct asked asked;
    uint32_t roles[] = {NURSE};
    uint64_t start_ms = world->now_ms;
    const struct transaction_actor doctors = {.kind = TRANSACTION_ACTOR_ROLE,
                                              .role = CODES_ROLE_DOCTOR};
    struct transaction in = world_grant(world, &ids);
    in.consent_grant.root.actors = &doctors;
    in.consent_grant.root.actor_count = 1;
    EXPECT(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    world->now_ms = start_ms + 1000;
    ask_as(world, world->outsider, &asked);
    world->now_ms = start_ms + 10000;
    Salus__V1__ParticipantUpdate update = SALUS__V1__PARTICIPANT_UPDATE__INIT;
    update.participant = field_of(world->outsider, 16);
    update.roles = roles;
    update.n_roles = 1;
    EXPECT(
        act_simple(world, CLINIC, TRANSACTION_PARTICIPANT_UPDATE, &update.base),
        LEDGER_OK);
    EXPECT(tell_under(world, &asked, start_ms + 5000), LEDGER_OK);
    world->now_ms = start_ms + 20000;
    revoke(world, ids.id);
    EXPECT(tell_under(world, &asked, start_ms + 5000), LEDGER_OK);
    EXPECT(tell_under(world, &asked, start_ms + 20000), LEDGER_DECISION_SCOPE);
}

/* Glass was broken while the ledger could not be reached: what is denied or
 * taken back later is judged as it was. */
static void test_late_emergency_is_judged_as_it_was(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct broken broken;
    struct told told;
    uint64_t start_ms = world->now_ms;
    const struct act late = {.who = CLINIC,
                             .participant = world->outsider,
                             .event_ms = start_ms + 1000};
    world->now_ms = start_ms + 5000;
    struct transaction deny = world_grant(world, &ids);
    ids.purposes[0] = CODES_PURPOSE_BTG;
    deny.consent_grant.base_decision = TRANSACTION_DENY;
    EXPECT(world_submit(world, HOSPITAL, &deny), LEDGER_OK);
    world->now_ms = start_ms + 6000;
    break_for(world, &broken);
    EXPECT(act_do(world, &late, TRANSACTION_BREAK_GLASS, &broken.in.base),
           LEDGER_OK);
    tell_in(world, &told, &broken);
    EXPECT(tell_at(world, &told, start_ms + 2000), LEDGER_OK);
    tell_in(world, &told, &broken);
    EXPECT(tell_at(world, &told, start_ms + 5000), LEDGER_DECISION_SCOPE);
    /* The other way round. */
    struct act denied = late;
    denied.event_ms = start_ms + 5500;
    world->now_ms = start_ms + 7000;
    revoke(world, ids.id);
    break_for(world, &broken);
    EXPECT(act_do(world, &denied, TRANSACTION_BREAK_GLASS, &broken.in.base),
           LEDGER_BG_FORBIDDEN);
}

static void test_emergency_does_not_reach_whom_it_may_not(void **state)
{
    struct world *world = *state;
    uint8_t colleague[LEDGER_ID_SIZE];
    struct world_ids ids;
    struct broken broken;
    struct told told;
    struct transaction deny = world_grant(world, &ids);
    act_register_in(world, CLINIC, NURSE, colleague);
    const struct transaction_actor she = {.kind = TRANSACTION_ACTOR_PARTICIPANT,
                                          .id = bytes_of(colleague, 16)};
    ids.purposes[0] = CODES_PURPOSE_BTG;
    deny.consent_grant.base_decision = TRANSACTION_DENY;
    deny.consent_grant.root.actors = &she;
    deny.consent_grant.root.actor_count = 1;
    EXPECT(world_submit(world, HOSPITAL, &deny), LEDGER_OK);
    break_for(world, &broken);
    EXPECT(declare(world, &broken), LEDGER_OK);
    tell_in(world, &told, &broken);
    told.in.recipient_participant = field_of(colleague, 16);
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    told.in.recipient_participant = field_of(world->outsider, 16);
    EXPECT(tell(world, &told), LEDGER_OK);
}

/* A review has seen all disclosures: one that comes later is reviewed too. */
static void test_late_disclosure_is_reviewed_too(void **state)
{
    struct world *world = *state;
    uint8_t officer[LEDGER_ID_SIZE];
    struct broken broken;
    struct told told;
    uint64_t due_ms = 0;
    const struct ledger_kv *view = ledger_kv_memory_vtable(world->memory);
    uint64_t start_ms = world->now_ms;
    act_register_in(world, CLINIC, CODES_ROLE_PRIVACY_OFFICER, officer);
    break_for(world, &broken);
    EXPECT(declare(world, &broken), LEDGER_OK);
    world->now_ms += HOUR_MS;
    EXPECT(review_as(world, CLINIC, officer, &broken,
                     SALUS__V1__BREAK_GLASS_REVIEW__FINDING__JUSTIFIED),
           LEDGER_OK);
    assert_int_equal(ledger_next_due(view, &due_ms), PBFT_NOT_FOUND);
    world->now_ms += 1000;
    tell_in(world, &told, &broken);
    EXPECT(tell_at(world, &told, start_ms + 5000), LEDGER_OK);
    assert_int_equal(ledger_next_due(view, &due_ms), PBFT_OK);
    assert_int_equal(due_ms, world->now_ms + 7 * DAY_MS);
    EXPECT(review(world, CLINIC, officer, &broken), LEDGER_OK);
    /* Found not justified: nothing that is told makes it better. */
    tell_in(world, &told, &broken);
    EXPECT(tell_at(world, &told, start_ms + 5000), LEDGER_OK);
    assert_int_equal(ledger_next_due(view, &due_ms), PBFT_NOT_FOUND);
    EXPECT(review(world, CLINIC, officer, &broken), LEDGER_BG_STATE);
    /* What it does not cover does not open it. */
    tell_in(world, &told, &broken);
    told.in.violation = true;
    EXPECT(tell(world, &told), LEDGER_OK);
    assert_int_equal(ledger_next_due(view, &due_ms), PBFT_NOT_FOUND);
}

/* ---- the patient himself ------------------------------------------------- */

/* How many the patient's accounting under HIPAA shows. */
static size_t count_accountable(struct world *world)
{
    struct wire_arena arena;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__AccountingQuery in = SALUS__V1__ACCOUNTING_QUERY__INIT;
    ProtobufCBinaryData subject = field_of(world->subject, 32);
    wire_arena_init(&arena, 8u * 1024 * 1024);
    in.subjects = &subject;
    in.n_subjects = 1;
    in.view = SALUS__V1__ACCOUNTING_QUERY__VIEW__HIPAA;
    query.kind_case = SALUS__V1__QUERY__KIND_ACCOUNTING;
    query.accounting = &in;
    size_t count =
        world_ask(world, HOSPITAL, &query, &arena)->accounting->n_rows;
    wire_arena_deinit(&arena);
    return count;
}

static uint32_t tell_as_his_own(struct world *world, uint32_t purpose,
                                const uint8_t *recipient)
{
    struct told told;
    tell_of(world, &told, NULL);
    told.in.basis = CODES_BASIS_INDIVIDUAL;
    told.in.purpose = purpose;
    told.in.recipient = field_of(recipient, 16);
    return tell(world, &told);
}

static void test_what_a_patient_asks_for_is_told_unless_he_gets_it(void **state)
{
    struct world *world = *state;
    const uint8_t *source = world->parties[HOSPITAL].institution.bytes;
    const uint8_t *clinic = world->parties[CLINIC].institution.bytes;
    const uint8_t *app = world->parties[LABORATORY].institution.bytes;
    EXPECT(tell_as_his_own(world, CODES_PURPOSE_HMARKT, clinic),
           LEDGER_DECISION_SCOPE);
    EXPECT(tell_as_his_own(world, CODES_PURPOSE_HMARKT, source),
           LEDGER_DECISION_SCOPE);
    /* At the counter. */
    EXPECT(tell_as_his_own(world, CODES_PURPOSE_PATRQT, source), LEDGER_OK);
    assert_int_equal(count_accountable(world), 0);
    /* To whom he named, as the source says. */
    EXPECT(tell_as_his_own(world, CODES_PURPOSE_PATRQT, clinic), LEDGER_OK);
    assert_int_equal(count_accountable(world), 1);
    /* Through an institution that acts for patients. */
    uint32_t roles[] = {CODES_INSTITUTION_PATIENT_AGENT};
    Salus__V1__InstitutionUpdate update = SALUS__V1__INSTITUTION_UPDATE__INIT;
    update.institution = field_of(app, 16);
    update.roles = roles;
    update.n_roles = 1;
    update.reason = CODES_REASON_CONTRACT;
    EXPECT(act_govern(world, TRANSACTION_INST_UPDATE, &update.base), LEDGER_OK);
    EXPECT(tell_as_his_own(world, CODES_PURPOSE_PATRQT, app), LEDGER_OK);
    assert_int_equal(count_accountable(world), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_request_and_withdrawal_in_one_block),
        TEST(test_later_events_do_not_hide_a_withdrawal),
        TEST(test_deny_that_was_withdrawn_held_in_its_time),
        TEST(test_consents_begin_and_end_by_their_periods),
        TEST(test_unreadable_document_counts_in_its_time),
        TEST(test_too_many_changes_ago_cannot_be_told),
        TEST(test_what_is_left_has_its_classes),
        TEST(test_what_one_gets_is_not_anothers),
        TEST(test_emergency_covers_what_it_named),
        TEST(test_people_of_later_take_nothing_back),
        TEST(test_late_emergency_is_judged_as_it_was),
        TEST(test_emergency_does_not_reach_whom_it_may_not),
        TEST(test_late_disclosure_is_reviewed_too),
        TEST(test_what_a_patient_asks_for_is_told_unless_he_gets_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
