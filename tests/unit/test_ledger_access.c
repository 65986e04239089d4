/* SPDX-License-Identifier: Apache-2.0 */
/* Access: what is computed, who may narrow or widen it, which key grants and
 * disclosures it carries. */
#include "tests/support/ledger_access.h"

#define ARENA(name)                                                            \
    struct wire_arena name;                                                    \
    wire_arena_init(&name, 8u * 1024 * 1024)

static void expect_computed(struct world *world, const struct asked *asked,
                            uint64_t granted, Salus__V1__DecisionRule rule)
{
    ARENA(arena);
    const Salus__V1__DecisionState *state = explain(world, asked->id, &arena);
    assert_int_equal(state->granted, granted);
    assert_int_equal(state->rule, rule);
    wire_arena_deinit(&arena);
}

/* ---- requests ------------------------------------------------------------ */

static void test_answer_is_computed_from_consents(void **state)
{
    struct world *world = *state;
    uint8_t record[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    act_anchor(world, CODES_CONF_N, record);
    ask_for(world, &asked, record);
    EXPECT(ask(world, &asked), LEDGER_OK);
    expect_computed(world, &asked, 0, SALUS__V1__DECISION_RULE__RULE_IMPLICIT);
    EXPECT(ask(world, &asked), LEDGER_REQ_EXISTS);
    act_grant(world, consent);
    ask_for(world, &asked, record);
    EXPECT(ask(world, &asked), LEDGER_OK);
    expect_computed(world, &asked, 1, SALUS__V1__DECISION_RULE__RULE_PERMITTED);
    ask_for(world, &asked, record);
    asked.in.purpose = CODES_PURPOSE_HPAYMT;
    EXPECT(ask(world, &asked), LEDGER_OK);
    expect_computed(world, &asked, 0, SALUS__V1__DECISION_RULE__RULE_NO_GRANT);
    /* An uncomputable document is on file: nothing is clear any more. */
    struct world_ids ids;
    struct transaction evidence = world_evidence(world, &ids);
    EXPECT(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    ask_for(world, &asked, record);
    EXPECT(ask(world, &asked), LEDGER_OK);
    expect_computed(world, &asked, 0,
                    SALUS__V1__DECISION_RULE__RULE_INDETERMINATE);
}

static void test_steward_settles_a_subject(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    uint8_t officer[LEDGER_ID_SIZE];
    uint8_t commit[32];
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    act_register_in(world, HOSPITAL, CODES_ROLE_PRIVACY_OFFICER, officer);
    act_grant(world, consent);
    Salus__V1__SubjectSettle in = SALUS__V1__SUBJECT_SETTLE__INIT;
    world_fill(world, commit, sizeof commit);
    in.subject = field_of(world->subject, 32);
    in.evidence_commit = field_of(commit, 32);
    EXPECT(
        act_as(world, HOSPITAL, officer, TRANSACTION_SUBJECT_SETTLE, &in.base),
        LEDGER_SUBJ_STATE);
    struct transaction evidence = world_evidence(world, &ids);
    EXPECT(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_SUBJECT_SETTLE, &in.base),
           LEDGER_PRIVACY_ROLE);
    EXPECT(act_as(world, HOSPITAL, world->doctor, TRANSACTION_SUBJECT_SETTLE,
                  &in.base),
           LEDGER_PRIVACY_ROLE);
    EXPECT(act_simple(world, CLINIC, TRANSACTION_SUBJECT_SETTLE, &in.base),
           LEDGER_SUBJ_STATE);
    /* Another one is filed while the officer reads the first. */
    const struct world_ids read = ids;
    evidence = world_evidence(world, &ids);
    EXPECT(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    in.newest = field_of(read.id, LEDGER_ID_SIZE);
    EXPECT(
        act_as(world, HOSPITAL, officer, TRANSACTION_SUBJECT_SETTLE, &in.base),
        LEDGER_VERSION_CONFLICT);
    in.newest = field_of(ids.id, LEDGER_ID_SIZE - 1);
    EXPECT(
        act_as(world, HOSPITAL, officer, TRANSACTION_SUBJECT_SETTLE, &in.base),
        LEDGER_FIELD_FORM);
    in.newest = field_of(ids.id, LEDGER_ID_SIZE);
    EXPECT(
        act_as(world, HOSPITAL, officer, TRANSACTION_SUBJECT_SETTLE, &in.base),
        LEDGER_OK);
    ask_for(world, &asked, NULL);
    EXPECT(ask(world, &asked), LEDGER_OK);
    expect_computed(world, &asked, 1, SALUS__V1__DECISION_RULE__RULE_PERMITTED);
}

static void test_requests_have_rules(void **state)
{
    struct world *world = *state;
    uint8_t record[LEDGER_ID_SIZE];
    struct asked asked;
    act_anchor(world, CODES_CONF_N, record);
    ask_for(world, &asked, record);
    asked.in.purpose = 9999;
    EXPECT(ask(world, &asked), LEDGER_UNKNOWN_CODE);
    ask_for(world, &asked, record);
    asked.in.subject = field_of(world->subject, 32);
    EXPECT(ask(world, &asked), LEDGER_FIELD_FORM);
    ask_for(world, &asked, asked.id);
    EXPECT(ask(world, &asked), LEDGER_TARGET_UNKNOWN);
    ask_for(world, &asked, record);
    asked.in.basis = CODES_BASIS_COURT_ORDER;
    EXPECT(ask(world, &asked), LEDGER_LEGAL_BASIS_REQUIRED);
    ask_for(world, &asked, record);
    asked.in.expires_ms = world->now_ms;
    EXPECT(ask(world, &asked), LEDGER_PERIOD);
    ask_for(world, &asked, record);
    asked.in.expires_ms = world->now_ms + 400ull * 86400000;
    EXPECT(ask(world, &asked), LEDGER_PERIOD);
    ask_for(world, &asked, record);
    EXPECT(act_simple(world, LABORATORY, TRANSACTION_ACCESS_REQUEST,
                      &asked.in.base),
           LEDGER_PURPOSE_ROLE); /* A laboratory does not treat. */
    asked.in.purpose = CODES_PURPOSE_HRESCH;
    EXPECT(act_simple(world, LABORATORY, TRANSACTION_ACCESS_REQUEST,
                      &asked.in.base),
           LEDGER_OK);
}

/* ---- decisions ----------------------------------------------------------- */

static Salus__V1__AccessDecision decision_on(const struct asked *asked,
                                             uint64_t granted)
{
    Salus__V1__AccessDecision in = SALUS__V1__ACCESS_DECISION__INIT;
    in.request = field_of(asked->id, 16);
    in.granted = granted;
    in.outcome = granted != 0 ? SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_ALL
                              : SALUS__V1__ACCESS_DECISION__OUTCOME__DENY_ALL;
    in.reason = CODES_REASON_AS_COMPUTED;
    return in;
}

static uint32_t decide_by(struct world *world, enum who who,
                          const Salus__V1__AccessDecision *in)
{
    return act_simple(world, who, TRANSACTION_ACCESS_DECISION, &in->base);
}

static void test_custodian_narrows_but_does_not_widen(void **state)
{
    struct world *world = *state;
    uint8_t record[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    act_anchor(world, CODES_CONF_N, record);
    ask_for(world, &asked, record);
    EXPECT(ask(world, &asked), LEDGER_OK); /* Denied: no consent. */
    Salus__V1__AccessDecision in = decision_on(&asked, 1);
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_WIDENS);
    in.basis = CODES_BASIS_COURT_ORDER;
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_LEGAL_BASIS_REQUIRED);
    in.document_commit = field_of(asked.document, 32);
    EXPECT(decide_by(world, CLINIC, &in), LEDGER_REQ_STATE);
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_OK);
    EXPECT(grant_key(world, record, 1, asked.id), LEDGER_OK);

    act_grant(world, consent);
    ask_for(world, &asked, record);
    EXPECT(ask(world, &asked), LEDGER_OK); /* Permitted. */
    in = decision_on(&asked, 0);
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_OK);
    EXPECT(grant_key(world, record, 1, asked.id), LEDGER_NO_DECISION);
    in = decision_on(&asked, 1);
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_WIDENS);
}

static void test_decision_has_rules(void **state)
{
    struct world *world = *state;
    struct asked asked;
    uint8_t consent[LEDGER_ID_SIZE];
    act_grant(world, consent);
    ask_for(world, &asked, NULL);
    EXPECT(ask(world, &asked), LEDGER_OK);
    Salus__V1__AccessDecision in = decision_on(&asked, 3);
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_FIELD_FORM);
    in = decision_on(&asked, 1);
    in.reason = CODES_REASON_LIFE_THREAT;
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_UNKNOWN_CODE);
    in = decision_on(&asked, 1);
    ProtobufCBinaryData relied = field_of(world->doctor, 16);
    in.consents = &relied;
    in.n_consents = 1;
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_CONSENT_STATE);
    relied = field_of(consent, 16);
    in.expires_ms = UINT64_MAX;
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_PERIOD);
    in.expires_ms = world->now_ms + 5000;
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_OK);
    act_wait(world, 5000);
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_DECISION_EXPIRED);
}

/* What a custodian has left of a scope he may narrow, not give back. */
static void test_residual_is_not_taken_back(void **state)
{
    struct world *world = *state;
    struct asked asked;
    uint8_t consent[LEDGER_ID_SIZE];
    uint32_t classes[] = {1, 5};
    uint32_t confs[] = {CODES_CONF_N};
    Salus__V1__Selector left = SALUS__V1__SELECTOR__INIT;
    act_grant(world, consent);
    ask_for(world, &asked, NULL);
    EXPECT(ask(world, &asked), LEDGER_OK);
    Salus__V1__AccessDecision in = decision_on(&asked, 1);
    in.outcome = SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_PARTIAL;
    in.residual = &left;
    left.classes = classes;
    left.n_classes = 2;
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_OK);
    Salus__V1__AccessDecision whole = decision_on(&asked, 1);
    EXPECT(decide_by(world, HOSPITAL, &whole), LEDGER_WIDENS);
    left.n_classes = 0;
    left.confidentiality = confs;
    left.n_confidentiality = 1;
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_WIDENS); /* Other bounds. */
    left.n_classes = 1;
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_OK); /* Narrower. */
    left.n_classes = 2;
    EXPECT(decide_by(world, HOSPITAL, &in), LEDGER_WIDENS);
    whole.basis = CODES_BASIS_COURT_ORDER;
    whole.document_commit = field_of(asked.document, 32);
    EXPECT(decide_by(world, HOSPITAL, &whole), LEDGER_OK); /* By law. */
    Salus__V1__AccessDecision none = decision_on(&asked, 0);
    EXPECT(decide_by(world, HOSPITAL, &none), LEDGER_OK);
}

/* ---- key grants ---------------------------------------------------------- */

static void test_withdrawal_stops_key_grants_at_once(void **state)
{
    struct world *world = *state;
    uint8_t first[LEDGER_ID_SIZE];
    uint8_t second[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    act_anchor(world, CODES_CONF_N, first);
    act_anchor(world, CODES_CONF_N, second);
    act_grant(world, consent);
    ask_for(world, &asked, NULL);
    EXPECT(ask(world, &asked), LEDGER_OK);
    EXPECT(grant_key(world, first, 2, asked.id), LEDGER_VERSION_CONFLICT);
    EXPECT(grant_key(world, first, 1, world->doctor), LEDGER_NO_DECISION);
    EXPECT(grant_key(world, first, 1, asked.id), LEDGER_OK);
    struct transaction revoke = world_revoke(world, consent);
    EXPECT(world_submit(world, HOSPITAL, &revoke), LEDGER_OK);
    EXPECT(grant_key(world, second, 1, asked.id), LEDGER_NO_DECISION);
}

static void test_scope_does_not_reach_what_is_above_it(void **state)
{
    struct world *world = *state;
    uint8_t restricted[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    act_anchor(world, CODES_CONF_R, restricted);
    act_grant(world, consent);
    ask_for(world, &asked, NULL); /* Up to N. */
    EXPECT(ask(world, &asked), LEDGER_OK);
    EXPECT(grant_key(world, restricted, 1, asked.id), LEDGER_NO_DECISION);
    ask_for(world, &asked, NULL);
    asked.in.confidentiality_max = CODES_CONF_R;
    EXPECT(ask(world, &asked), LEDGER_OK);
    EXPECT(grant_key(world, restricted, 1, asked.id), LEDGER_OK);
}

/* ---- versions ------------------------------------------------------------ */

static uint32_t rekey_for(struct world *world, const uint8_t *record,
                          uint32_t version, bool with_clinic)
{
    Salus__V1__Rekey in = SALUS__V1__REKEY__INIT;
    Salus__V1__RecordAnchor__Envelope rows[2];
    Salus__V1__RecordAnchor__Envelope *list[2];
    uint8_t commits[3][32];
    enum who who[2] = {HOSPITAL, CLINIC};
    if (memcmp(world->parties[HOSPITAL].encryption_id.bytes,
               world->parties[CLINIC].encryption_id.bytes, 16) > 0 &&
        with_clinic) {
        who[0] = CLINIC;
        who[1] = HOSPITAL;
    }
    for (int i = 0; i < 2; i++) {
        world_fill(world, commits[i], 32);
        salus__v1__record_anchor__envelope__init(&rows[i]);
        rows[i].recipient_key =
            field_of(world->parties[who[i]].encryption_id.bytes, 16);
        rows[i].wrap_commit = field_of(commits[i], 32);
        list[i] = &rows[i];
    }
    world_fill(world, commits[2], 32);
    in.record = field_of(record, 16);
    in.expected_version = version;
    in.cipher_digest = field_of(commits[2], 32);
    in.cipher_size_bucket = 4;
    in.algorithm = 1;
    in.envelopes = list;
    in.n_envelopes = with_clinic ? 2 : 1;
    in.reason = SALUS__V1__REKEY__REASON__ROTATION;
    return act_simple(world, HOSPITAL, TRANSACTION_REKEY, &in.base);
}

static void test_rekey_keeps_only_the_permitted(void **state)
{
    struct world *world = *state;
    uint8_t record[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    act_anchor(world, CODES_CONF_N, record);
    act_grant(world, consent);
    EXPECT(rekey_for(world, record, 1, true), LEDGER_RECIPIENT_NOT_PERMITTED);
    ask_for(world, &asked, record);
    EXPECT(ask(world, &asked), LEDGER_OK);
    EXPECT(grant_key(world, record, 1, asked.id), LEDGER_OK);
    EXPECT(rekey_for(world, record, 1, true), LEDGER_OK);
    EXPECT(rekey_for(world, record, 1, true), LEDGER_VERSION_CONFLICT);
    struct transaction revoke = world_revoke(world, consent);
    EXPECT(world_submit(world, HOSPITAL, &revoke), LEDGER_OK);
    EXPECT(rekey_for(world, record, 2, true), LEDGER_RECIPIENT_NOT_PERMITTED);
    EXPECT(rekey_for(world, record, 2, false), LEDGER_OK);
}

static void fill_anchor(struct world *world, const struct transaction *from,
                        Salus__V1__RecordAnchor *out,
                        Salus__V1__RecordAnchor__Envelope *envelope,
                        Salus__V1__RecordAnchor__Envelope **list)
{
    const struct transaction_record_anchor *in = &from->record_anchor;
    salus__v1__record_anchor__init(out);
    salus__v1__record_anchor__envelope__init(envelope);
    envelope->recipient_key =
        field_of(world->parties[HOSPITAL].encryption_id.bytes, 16);
    envelope->wrap_commit = field_of(in->envelopes[0].wrap_commit.bytes, 32);
    list[0] = envelope;
    out->record = field_of(in->record.data, 16);
    out->subject = field_of(world->subject, 32);
    out->class_code = in->class_code;
    out->confidentiality = in->confidentiality;
    out->commit = field_of(in->commit.data, 32);
    out->cipher_digest = field_of(in->cipher_digest.data, 32);
    out->cipher_size_bucket = 4;
    out->algorithm = 1;
    out->location = (char *)WORLD_LOCATION;
    out->envelopes = list;
    out->n_envelopes = 1;
}

static void test_records_are_amended_and_retracted(void **state)
{
    struct world *world = *state;
    uint8_t record[LEDGER_ID_SIZE];
    struct world_ids ids;
    Salus__V1__RecordAnchor next;
    Salus__V1__RecordAnchor__Envelope envelope;
    Salus__V1__RecordAnchor__Envelope *list[1];
    Salus__V1__RecordAmend in = SALUS__V1__RECORD_AMEND__INIT;
    act_anchor(world, CODES_CONF_N, record);
    struct transaction anchor = world_anchor(world, &ids);
    fill_anchor(world, &anchor, &next, &envelope, list);
    next.record = field_of(record, 16);
    in.next = &next;
    in.expected_version = 1;
    in.reason = SALUS__V1__RECORD_AMEND__REASON__WRONG_PATIENT;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_RECORD_AMEND, &in.base),
           LEDGER_FIELD_FORM);
    in.reason = SALUS__V1__RECORD_AMEND__REASON__CORRECTION;
    in.expected_version = 2;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_RECORD_AMEND, &in.base),
           LEDGER_VERSION_CONFLICT);
    in.expected_version = 1;
    EXPECT(act_simple(world, CLINIC, TRANSACTION_RECORD_AMEND, &in.base),
           LEDGER_REC_STATE);
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_RECORD_AMEND, &in.base),
           LEDGER_OK);
    Salus__V1__RecordRetract end = SALUS__V1__RECORD_RETRACT__INIT;
    end.record = field_of(record, 16);
    end.expected_version = 2;
    end.reason = SALUS__V1__RECORD_AMEND__REASON__WRONG_PATIENT;
    EXPECT(act_simple(world, HOSPITAL, TRANSACTION_RECORD_RETRACT, &end.base),
           LEDGER_OK);
    struct asked asked;
    ask_for(world, &asked, record);
    EXPECT(ask(world, &asked), LEDGER_TARGET_UNKNOWN);
}

/* ---- disclosures --------------------------------------------------------- */

static void test_disclosure_is_covered_or_confessed(void **state)
{
    struct world *world = *state;
    uint8_t record[LEDGER_ID_SIZE];
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    struct told told;
    act_anchor(world, CODES_CONF_N, record);
    act_grant(world, consent);
    ask_for(world, &asked, record);
    EXPECT(ask(world, &asked), LEDGER_OK);
    tell_of(world, &told, asked.id);
    EXPECT(tell(world, &told), LEDGER_OK);
    EXPECT(tell(world, &told), LEDGER_DISC_EXISTS);
    tell_of(world, &told, asked.id);
    told.in.item_count = 2;
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    tell_of(world, &told, asked.id);
    told.classes[0] = 8;
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    tell_of(world, &told, asked.id);
    told.in.purpose = CODES_PURPOSE_HPAYMT;
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    told.in.violation = true;
    EXPECT(tell(world, &told), LEDGER_OK);
    tell_of(world, &told, asked.id);
    told.in.recipient =
        field_of(world->parties[LABORATORY].institution.bytes, 16);
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    tell_of(world, &told, NULL);
    EXPECT(tell(world, &told), LEDGER_BASIS);
    told.in.basis = CODES_BASIS_PUBLIC_HEALTH;
    EXPECT(tell(world, &told), LEDGER_LEGAL_BASIS_REQUIRED);
    told.in.document_commit = field_of(told.document, 32);
    EXPECT(tell(world, &told), LEDGER_OK);
    tell_of(world, &told, asked.id);
    EXPECT(act_simple(world, CLINIC, TRANSACTION_DISCLOSURE, &told.in.base),
           LEDGER_FOREIGN_SUBJECT);
}

static void test_disclosure_after_a_withdrawal_is_a_violation(void **state)
{
    struct world *world = *state;
    uint8_t consent[LEDGER_ID_SIZE];
    struct asked asked;
    struct told told;
    act_grant(world, consent);
    ask_for(world, &asked, NULL);
    EXPECT(ask(world, &asked), LEDGER_OK);
    uint64_t before_ms = world->now_ms;
    world->now_ms += 10000;
    struct transaction revoke = world_revoke(world, consent);
    EXPECT(world_submit(world, HOSPITAL, &revoke), LEDGER_OK);
    world->now_ms += 10000;
    tell_of(world, &told, asked.id);
    EXPECT(tell(world, &told), LEDGER_DECISION_SCOPE);
    /* It happened before: then it was right. */
    const struct act earlier = {.who = HOSPITAL, .event_ms = before_ms + 5000};
    EXPECT(act_do(world, &earlier, TRANSACTION_DISCLOSURE, &told.in.base),
           LEDGER_OK);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answer_is_computed_from_consents),
        TEST(test_steward_settles_a_subject),
        TEST(test_requests_have_rules),
        TEST(test_custodian_narrows_but_does_not_widen),
        TEST(test_decision_has_rules),
        TEST(test_residual_is_not_taken_back),
        TEST(test_withdrawal_stops_key_grants_at_once),
        TEST(test_scope_does_not_reach_what_is_above_it),
        TEST(test_rekey_keeps_only_the_permitted),
        TEST(test_records_are_amended_and_retracted),
        TEST(test_disclosure_is_covered_or_confessed),
        TEST(test_disclosure_after_a_withdrawal_is_a_violation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
