/* SPDX-License-Identifier: Apache-2.0 */
/* CONSENT_GRANT, CONSENT_EVIDENCE, CONSENT_REVOKE: every rule, met and broken.
 */
#include "tests/support/ledger_fixture.h"

#define GRANT(body) ((body)->consent_grant)
#define ROOT(body) ((body)->consent_grant->root)

#define CHANGE(name)                                                           \
    static void name(struct world *world, Salus__V1__TransactionBody *body)

static uint8_t some_bytes[LEDGER_DATA_REFS_MAX + 1][32];
static ProtobufCBinaryData some_ids[LEDGER_DATA_REFS_MAX + 1];
static uint32_t some_codes[LEDGER_CODES_MAX + 1];
static Salus__V1__Selector__Actor some_actors[LEDGER_ACTORS_MAX + 1];
static Salus__V1__Selector__Actor *actor_list[LEDGER_ACTORS_MAX + 1];
static Salus__V1__Selector__DataRef some_refs[LEDGER_DATA_REFS_MAX + 1];
static Salus__V1__Selector__DataRef *ref_list[LEDGER_DATA_REFS_MAX + 1];
static Salus__V1__ConsentGrant__Exception
    some_exceptions[LEDGER_EXCEPTIONS_MAX + 1];
static Salus__V1__Selector some_selectors[LEDGER_EXCEPTIONS_MAX + 1];
static Salus__V1__ConsentGrant__Exception
    *exception_list[LEDGER_EXCEPTIONS_MAX + 1];

/* ---- statements, documents, times ---------------------------------------- */

CHANGE(no_scope)
{
    (void)world;
    GRANT(body)->scope = SALUS__V1__CONSENT_GRANT__SCOPE__SCOPE_UNSPECIFIED;
}

CHANGE(unknown_scope)
{
    (void)world;
    GRANT(body)->scope = (Salus__V1__ConsentGrant__Scope)5;
}

CHANGE(no_mode)
{
    (void)world;
    GRANT(body)->mode = SALUS__V1__CONSENT_GRANT__MODE__MODE_UNSPECIFIED;
}

CHANGE(no_base)
{
    (void)world;
    GRANT(body)->base_decision = SALUS__V1__DECISION__DECISION_UNSPECIFIED;
}

CHANGE(no_root)
{
    (void)world;
    GRANT(body)->root = NULL;
}

CHANGE(not_given)
{
    (void)world;
    GRANT(body)->given_at_ms = 0;
}

CHANGE(no_category)
{
    (void)world;
    GRANT(body)->category = 0;
}

CHANGE(unknown_category)
{
    (void)world;
    GRANT(body)->category = 999;
}

CHANGE(no_evidence)
{
    (void)world;
    GRANT(body)->evidence_commit.len = 0;
}

CHANGE(plain_hash)
{
    static uint8_t sha256_of_nothing[32] = {
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
        0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
        0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};
    (void)world;
    GRANT(body)->evidence_commit.data = sha256_of_nothing;
}

CHANGE(with_source)
{
    world_fill(world, some_bytes[0], 32);
    GRANT(body)->source_commit = (ProtobufCBinaryData){32, some_bytes[0]};
}

CHANGE(short_source)
{
    with_source(world, body);
    GRANT(body)->source_commit.len = 31;
}

CHANGE(given_at_the_bound)
{
    GRANT(body)->given_at_ms = world->now_ms + WORLD_TIME_BOUND_MS;
}

CHANGE(given_beyond_the_bound)
{
    GRANT(body)->given_at_ms = world->now_ms + WORLD_TIME_BOUND_MS + 1;
}

CHANGE(period_of_the_past)
{
    GRANT(body)->given_at_ms = 1000;
    GRANT(body)->period_to_ms = world->now_ms - 1;
}

CHANGE(period_backwards)
{
    GRANT(body)->period_from_ms = world->now_ms + 10;
    GRANT(body)->period_to_ms = world->now_ms + 10;
}

CHANGE(ends_before_it_was_given)
{
    GRANT(body)->period_to_ms = GRANT(body)->given_at_ms;
    (void)world;
}

CHANGE(to_the_end_of_time)
{
    (void)world;
    GRANT(body)->period_to_ms = UINT64_MAX;
}

/* ---- ids, subject, policy ------------------------------------------------ */

CHANGE(text_as_id)
{
    (void)world;
    memcpy(GRANT(body)->consent.data, "consent-of-meyer", 16);
}

CHANGE(short_id)
{
    (void)world;
    GRANT(body)->consent.len = 8;
}

CHANGE(subject_of_another)
{
    memcpy(GRANT(body)->subject.data, world->stranger, 32);
}

CHANGE(unknown_subject)
{
    world_fill(world, GRANT(body)->subject.data, 32);
}

CHANGE(short_subject)
{
    (void)world;
    GRANT(body)->subject.len = 16;
}

CHANGE(unknown_policy)
{
    world_fill(world, GRANT(body)->policy.data, 16);
}

CHANGE(other_policy_version)
{
    (void)world;
    GRANT(body)->policy_version = 2;
}

CHANGE(no_policy)
{
    (void)world;
    GRANT(body)->policy.len = 0;
}

/* ---- selectors ----------------------------------------------------------- */

static void set_actors(Salus__V1__TransactionBody *body, size_t count)
{
    ROOT(body)->actors = actor_list;
    ROOT(body)->n_actors = count;
}

/* One actor of a kind. */
static void set_actor(Salus__V1__TransactionBody *body,
                      Salus__V1__Selector__Actor__Kind kind, const void *id)
{
    salus__v1__selector__actor__init(&some_actors[0]);
    some_actors[0].kind = kind;
    if (id != NULL) {
        memcpy(some_bytes[0], id, 16);
        some_actors[0].id = (ProtobufCBinaryData){16, some_bytes[0]};
    }
    actor_list[0] = &some_actors[0];
    set_actors(body, 1);
}

CHANGE(actor_institution)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__INSTITUTION,
              world->parties[LABORATORY].institution.bytes);
}

CHANGE(actor_unknown_institution)
{
    uint8_t id[16];
    world_fill(world, id, sizeof id);
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__INSTITUTION, id);
}

CHANGE(actor_participant)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__PARTICIPANT,
              world->outsider);
}

CHANGE(actor_group)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__GROUP, world->team);
}

CHANGE(actor_group_is_a_person)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__GROUP, world->doctor);
}

CHANGE(actor_person_is_a_group)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__PARTICIPANT, world->team);
}

CHANGE(actor_role)
{
    (void)world;
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__ROLE, NULL);
    some_actors[0].role = 1;
}

CHANGE(actor_unknown_role)
{
    actor_role(world, body);
    some_actors[0].role = 999;
}

CHANGE(actor_role_with_id)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__ROLE, world->doctor);
    some_actors[0].role = 1;
}

CHANGE(actor_person_with_role)
{
    actor_participant(world, body);
    some_actors[0].role = 1;
}

CHANGE(actor_without_kind)
{
    set_actor(body, SALUS__V1__SELECTOR__ACTOR__KIND__ACTOR_UNSPECIFIED,
              world->doctor);
}

CHANGE(too_many_actors)
{
    actor_institution(world, body);
    for (size_t i = 0; i <= LEDGER_ACTORS_MAX; i++) {
        actor_list[i] = &some_actors[0];
    }
    set_actors(body, LEDGER_ACTORS_MAX + 1);
}

static void set_purposes(Salus__V1__TransactionBody *body, uint32_t first,
                         uint32_t second)
{
    some_codes[0] = first;
    some_codes[1] = second;
    ROOT(body)->purposes = some_codes;
    ROOT(body)->n_purposes = second == 0 ? 1 : 2;
}

CHANGE(all_purposes)
{
    (void)world;
    ROOT(body)->n_purposes = 0;
}

CHANGE(unknown_purpose)
{
    (void)world;
    set_purposes(body, 9, 0);
}

CHANGE(purposes_descend)
{
    (void)world;
    set_purposes(body, 20, 1);
}

CHANGE(unknown_action)
{
    (void)world;
    some_codes[0] = 6;
    ROOT(body)->actions = some_codes;
    ROOT(body)->n_actions = 1;
}

CHANGE(unknown_confidentiality)
{
    (void)world;
    some_codes[0] = 7;
    ROOT(body)->confidentiality = some_codes;
    ROOT(body)->n_confidentiality = 1;
}

CHANGE(unknown_class)
{
    (void)world;
    some_codes[0] = 4711;
    ROOT(body)->classes = some_codes;
    ROOT(body)->n_classes = 1;
}

CHANGE(too_many_purposes)
{
    (void)world;
    for (uint32_t i = 0; i <= LEDGER_CODES_MAX; i++) {
        some_codes[i] = i + 1;
    }
    ROOT(body)->purposes = some_codes;
    ROOT(body)->n_purposes = LEDGER_CODES_MAX + 1;
}

static void set_tags(struct world *world, Salus__V1__TransactionBody *body,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        world_fill(world, some_bytes[i], 16);
        some_bytes[i][0] = (uint8_t)(0x80 + i);
        some_ids[i] = (ProtobufCBinaryData){16, some_bytes[i]};
    }
    ROOT(body)->tags = some_ids;
    ROOT(body)->n_tags = count;
}

CHANGE(sixteen_tags)
{
    set_tags(world, body, 16);
}

CHANGE(seventeen_tags)
{
    set_tags(world, body, 17);
}

CHANGE(clear_tag)
{
    set_tags(world, body, 1);
    memcpy(some_bytes[0], "HIV\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

CHANGE(short_tag)
{
    set_tags(world, body, 1);
    some_ids[0].len = 4;
}

CHANGE(tag_twice)
{
    set_tags(world, body, 2);
    memcpy(some_bytes[1], some_bytes[0], 16);
}

CHANGE(data_period_backwards)
{
    (void)world;
    ROOT(body)->data_from_ms = 20;
    ROOT(body)->data_to_ms = 10;
}

static void set_refs(struct world *world, Salus__V1__TransactionBody *body,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        world_fill(world, some_bytes[i], 16);
        salus__v1__selector__data_ref__init(&some_refs[i]);
        some_refs[i].meaning = SALUS__V1__SELECTOR__DATA_REF__MEANING__INSTANCE;
        some_refs[i].id = (ProtobufCBinaryData){16, some_bytes[i]};
        ref_list[i] = &some_refs[i];
    }
    ROOT(body)->data = ref_list;
    ROOT(body)->n_data = count;
}

CHANGE(most_refs)
{
    set_refs(world, body, LEDGER_DATA_REFS_MAX);
}

CHANGE(too_many_refs)
{
    set_refs(world, body, LEDGER_DATA_REFS_MAX + 1);
}

CHANGE(ref_without_meaning)
{
    set_refs(world, body, 1);
    some_refs[0].meaning =
        SALUS__V1__SELECTOR__DATA_REF__MEANING__MEANING_UNSPECIFIED;
}

CHANGE(ref_in_clear)
{
    set_refs(world, body, 1);
    memcpy(some_bytes[0], "Observation/1234", 16);
}

/* ---- exceptions ---------------------------------------------------------- */

static void set_exceptions(Salus__V1__TransactionBody *body, size_t count,
                           Salus__V1__Decision type)
{
    static uint32_t use = 3;
    for (size_t i = 0; i < count; i++) {
        salus__v1__selector__init(&some_selectors[i]);
        salus__v1__consent_grant__exception__init(&some_exceptions[i]);
        some_selectors[i].actions = &use;
        some_selectors[i].n_actions = 1;
        some_exceptions[i].type = type;
        some_exceptions[i].selector = &some_selectors[i];
        exception_list[i] = &some_exceptions[i];
    }
    GRANT(body)->exceptions = exception_list;
    GRANT(body)->n_exceptions = count;
}

CHANGE(most_exceptions)
{
    (void)world;
    set_exceptions(body, LEDGER_EXCEPTIONS_MAX, SALUS__V1__DECISION__DENY);
}

CHANGE(too_many_exceptions)
{
    (void)world;
    set_exceptions(body, LEDGER_EXCEPTIONS_MAX + 1, SALUS__V1__DECISION__DENY);
}

CHANGE(exception_without_type)
{
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__DECISION_UNSPECIFIED);
}

CHANGE(empty_deny)
{
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__DENY);
    some_selectors[0].n_actions = 0;
}

CHANGE(missing_deny_selector)
{
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__DENY);
    some_exceptions[0].selector = NULL;
}

CHANGE(empty_permit)
{
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__PERMIT);
    some_selectors[0].n_actions = 0;
}

CHANGE(broken_exception)
{
    static uint32_t unknown = 99;
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__DENY);
    some_selectors[0].actions = &unknown;
}

CHANGE(unknown_purpose_in_permit)
{
    (void)world;
    ROOT(body)->purpose_unknown = 1;
}

CHANGE(unknown_purpose_in_deny)
{
    (void)world;
    GRANT(body)->base_decision = SALUS__V1__DECISION__DENY;
    ROOT(body)->purpose_unknown = 1;
}

CHANGE(unknown_purpose_in_deny_exception)
{
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__DENY);
    some_selectors[0].purpose_unknown = 1;
}

CHANGE(unknown_purpose_in_permit_exception)
{
    (void)world;
    set_exceptions(body, 1, SALUS__V1__DECISION__PERMIT);
    some_selectors[0].purpose_unknown = 1;
}

CHANGE(deny_everything)
{
    (void)world;
    GRANT(body)->base_decision = SALUS__V1__DECISION__DENY;
    ROOT(body)->n_purposes = 0;
}

/* ---- research, recipients, performer, mode ------------------------------- */

CHANGE(research_for_treatment)
{
    (void)world;
    GRANT(body)->scope = SALUS__V1__CONSENT_GRANT__SCOPE__RESEARCH;
}

CHANGE(research)
{
    research_for_treatment(world, body);
    set_purposes(body, CODES_PURPOSE_HRESCH, 0);
}

CHANGE(research_for_a_kind_of_research)
{
    research_for_treatment(world, body);
    set_purposes(body, 64, 0); /* CLINTRCHPC */
}

CHANGE(research_by_trial_in_treatment)
{
    research_for_treatment(world, body);
    set_purposes(body, 2, 0); /* CLINTRL is a child of TREAT, not research. */
}

CHANGE(research_without_purposes)
{
    research_for_treatment(world, body);
    ROOT(body)->n_purposes = 0;
}

CHANGE(research_denied_wholly)
{
    research_without_purposes(world, body);
    GRANT(body)->base_decision = SALUS__V1__DECISION__DENY;
}

CHANGE(research_in_an_exception)
{
    static uint32_t research_code = CODES_PURPOSE_HRESCH;
    research_for_treatment(world, body);
    set_exceptions(body, 1, SALUS__V1__DECISION__PERMIT);
    some_selectors[0].purposes = &research_code;
    some_selectors[0].n_purposes = 1;
}

CHANGE(part2_without_recipients)
{
    (void)world;
    GRANT(body)->category = 30;
}

CHANGE(part2_with_recipients)
{
    actor_institution(world, body);
    GRANT(body)->category = 30;
}

CHANGE(part2_permit_exception)
{
    part2_without_recipients(world, body);
    GRANT(body)->base_decision = SALUS__V1__DECISION__DENY;
    set_exceptions(body, 1, SALUS__V1__DECISION__PERMIT);
}

CHANGE(part2_deny)
{
    part2_without_recipients(world, body);
    GRANT(body)->base_decision = SALUS__V1__DECISION__DENY;
}

CHANGE(no_performer)
{
    (void)world;
    GRANT(body)->performer =
        SALUS__V1__CONSENT_GRANT__PERFORMER__PERFORMER_UNSPECIFIED;
}

CHANGE(subject_with_delegate)
{
    GRANT(body)->delegate = (ProtobufCBinaryData){16, world->guardian};
}

static void set_delegate(Salus__V1__TransactionBody *body, uint8_t *id)
{
    GRANT(body)->performer = SALUS__V1__CONSENT_GRANT__PERFORMER__DELEGATE;
    GRANT(body)->delegate = (ProtobufCBinaryData){16, id};
}

CHANGE(by_guardian)
{
    set_delegate(body, world->guardian);
}

CHANGE(by_doctor)
{
    set_delegate(body, world->doctor);
}

CHANGE(by_outsider)
{
    set_delegate(body, world->outsider);
}

CHANGE(by_nobody)
{
    set_delegate(body, world->guardian);
    GRANT(body)->delegate.len = 0;
}

CHANGE(agent_key_without_signature)
{
    (void)world;
    GRANT(body)->mode = SALUS__V1__CONSENT_GRANT__MODE__AGENT_KEY;
}

CHANGE(supersedes_unknown)
{
    world_fill(world, some_bytes[0], 16);
    some_ids[0] = (ProtobufCBinaryData){16, some_bytes[0]};
    GRANT(body)->supersedes = some_ids;
    GRANT(body)->n_supersedes = 1;
}

CHANGE(supersedes_nine)
{
    set_tags(world, body, 9);
    ROOT(body)->n_tags = 0;
    GRANT(body)->supersedes = some_ids;
    GRANT(body)->n_supersedes = 9;
}

CHANGE(supersedes_twice)
{
    supersedes_unknown(world, body);
    some_ids[1] = some_ids[0];
    GRANT(body)->n_supersedes = 2;
}

#define CASES(cases) (cases), sizeof(cases) / sizeof(cases)[0]

static void test_grant_statements(void **state)
{
    static const struct world_case cases[] = {
        {"default", NULL, LEDGER_OK},
        {"no scope", no_scope, LEDGER_FIELD_FORM},
        {"unknown scope", unknown_scope, LEDGER_FIELD_FORM},
        {"no mode", no_mode, LEDGER_FIELD_FORM},
        {"no base", no_base, LEDGER_FIELD_FORM},
        {"no root", no_root, LEDGER_FIELD_FORM},
        {"not given", not_given, LEDGER_FIELD_FORM},
        {"no category", no_category, LEDGER_UNKNOWN_CODE},
        {"unknown category", unknown_category, LEDGER_UNKNOWN_CODE},
        {"no evidence", no_evidence, LEDGER_FIELD_FORM},
        {"plain hash", plain_hash, LEDGER_PLAIN_HASH},
        {"source", with_source, LEDGER_OK},
        {"short source", short_source, LEDGER_FIELD_FORM},
        {"given at the bound", given_at_the_bound, LEDGER_OK},
        {"given too late", given_beyond_the_bound, LEDGER_EVENT_FUTURE},
        {"past period", period_of_the_past, LEDGER_OK},
        {"period backwards", period_backwards, LEDGER_PERIOD},
        {"ends when given", ends_before_it_was_given, LEDGER_PERIOD},
        {"no end", to_the_end_of_time, LEDGER_OK},
        {"text as id", text_as_id, LEDGER_CLEAR_TEXT},
        {"short id", short_id, LEDGER_FIELD_FORM},
        {"subject of another", subject_of_another, LEDGER_SUBJ_STATE},
        {"unknown subject", unknown_subject, LEDGER_SUBJ_STATE},
        {"short subject", short_subject, LEDGER_FIELD_FORM},
        {"unknown policy", unknown_policy, LEDGER_POLICY_INACTIVE},
        {"policy version", other_policy_version, LEDGER_POLICY_INACTIVE},
        {"no policy", no_policy, LEDGER_FIELD_FORM},
    };
    world_run_cases(*state, HOSPITAL, world_grant, CASES(cases));
}

static void test_grant_selectors(void **state)
{
    static const struct world_case cases[] = {
        {"institution", actor_institution, LEDGER_OK},
        {"unknown institution", actor_unknown_institution,
         LEDGER_ACTOR_UNKNOWN},
        {"participant elsewhere", actor_participant, LEDGER_OK},
        {"group", actor_group, LEDGER_OK},
        {"person as group", actor_group_is_a_person, LEDGER_ACTOR_UNKNOWN},
        {"group as person", actor_person_is_a_group, LEDGER_ACTOR_UNKNOWN},
        {"role", actor_role, LEDGER_OK},
        {"unknown role", actor_unknown_role, LEDGER_UNKNOWN_CODE},
        {"role with id", actor_role_with_id, LEDGER_FIELD_FORM},
        {"person with role", actor_person_with_role, LEDGER_FIELD_FORM},
        {"no kind", actor_without_kind, LEDGER_SELECTOR},
        {"17 actors", too_many_actors, LEDGER_SIZE},
        {"all purposes", all_purposes, LEDGER_OK},
        {"unknown purpose", unknown_purpose, LEDGER_UNKNOWN_CODE},
        {"purposes descend", purposes_descend, LEDGER_FIELD_ORDER},
        {"unknown action", unknown_action, LEDGER_UNKNOWN_CODE},
        {"unknown conf", unknown_confidentiality, LEDGER_UNKNOWN_CODE},
        {"unknown class", unknown_class, LEDGER_UNKNOWN_CODE},
        {"65 purposes", too_many_purposes, LEDGER_SIZE},
        {"16 tags", sixteen_tags, LEDGER_OK},
        {"17 tags", seventeen_tags, LEDGER_SIZE},
        {"clear tag", clear_tag, LEDGER_CLEAR_TEXT},
        {"short tag", short_tag, LEDGER_FIELD_FORM},
        {"tag twice", tag_twice, LEDGER_FIELD_ORDER},
        {"data period", data_period_backwards, LEDGER_PERIOD},
        {"32 references", most_refs, LEDGER_OK},
        {"33 references", too_many_refs, LEDGER_SIZE},
        {"no meaning", ref_without_meaning, LEDGER_SELECTOR},
        {"reference in clear", ref_in_clear, LEDGER_CLEAR_TEXT},
    };
    world_run_cases(*state, HOSPITAL, world_grant, CASES(cases));
}

static void test_grant_exceptions(void **state)
{
    static const struct world_case cases[] = {
        {"16 exceptions", most_exceptions, LEDGER_OK},
        {"17 exceptions", too_many_exceptions, LEDGER_SIZE},
        {"no type", exception_without_type, LEDGER_FIELD_FORM},
        {"empty deny", empty_deny, LEDGER_SELECTOR_EMPTY_DENY},
        {"missing deny", missing_deny_selector, LEDGER_SELECTOR_EMPTY_DENY},
        {"empty permit", empty_permit, LEDGER_SELECTOR},
        {"unknown code inside", broken_exception, LEDGER_UNKNOWN_CODE},
        {"unknown purpose in permit", unknown_purpose_in_permit, LEDGER_OK},
        {"unknown purpose in deny", unknown_purpose_in_deny,
         LEDGER_SELECTOR_UNKNOWN_DENY},
        {"in a deny exception", unknown_purpose_in_deny_exception,
         LEDGER_SELECTOR_UNKNOWN_DENY},
        {"in a permit exception", unknown_purpose_in_permit_exception,
         LEDGER_OK},
        {"deny everything", deny_everything, LEDGER_OK},
    };
    world_run_cases(*state, HOSPITAL, world_grant, CASES(cases));
}

static void test_grant_parties(void **state)
{
    static const struct world_case cases[] = {
        {"research for TREAT", research_for_treatment, LEDGER_SCOPE_PURPOSE},
        {"research", research, LEDGER_OK},
        {"kind of research", research_for_a_kind_of_research, LEDGER_OK},
        {"CLINTRL", research_by_trial_in_treatment, LEDGER_SCOPE_PURPOSE},
        {"no purposes", research_without_purposes, LEDGER_SCOPE_PURPOSE},
        {"denied wholly", research_denied_wholly, LEDGER_OK},
        {"in an exception", research_in_an_exception, LEDGER_OK},
        {"part 2, nobody", part2_without_recipients, LEDGER_RECIPIENT_REQUIRED},
        {"part 2, named", part2_with_recipients, LEDGER_OK},
        {"part 2, exception", part2_permit_exception,
         LEDGER_RECIPIENT_REQUIRED},
        {"part 2, deny", part2_deny, LEDGER_OK},
        {"no performer", no_performer, LEDGER_FIELD_FORM},
        {"delegate of nobody", subject_with_delegate, LEDGER_FIELD_FORM},
        {"guardian", by_guardian, LEDGER_OK},
        {"doctor", by_doctor, LEDGER_DELEG_STATE},
        {"outsider", by_outsider, LEDGER_DELEG_STATE},
        {"no delegate", by_nobody, LEDGER_FIELD_FORM},
        {"agent key unsigned", agent_key_without_signature,
         LEDGER_COSIGN_MISSING},
        {"supersedes unknown", supersedes_unknown, LEDGER_SUPERSEDE_FOREIGN},
        {"supersedes nine", supersedes_nine, LEDGER_SIZE},
        {"supersedes twice", supersedes_twice, LEDGER_FIELD_ORDER},
    };
    world_run_cases(*state, HOSPITAL, world_grant, CASES(cases));
}

static void test_grant_with_agent_key(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    in.consent_grant.mode = TRANSACTION_AGENT_KEY;
    assert_int_equal(world_submit_with_agent(world, HOSPITAL, &in), LEDGER_OK);
}

static void test_consent_id_is_used_once(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct world_ids other;
    struct transaction first = world_grant(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &first), LEDGER_OK);

    struct transaction second = world_grant(world, &other);
    second.consent_grant.consent = first.consent_grant.consent;
    assert_int_equal(world_submit(world, HOSPITAL, &second),
                     LEDGER_CONSENT_EXISTS);
    struct transaction third = world_evidence(world, &other);
    third.consent_evidence.consent = first.consent_grant.consent;
    assert_int_equal(world_submit(world, HOSPITAL, &third),
                     LEDGER_CONSENT_EXISTS);
}

/* ---- supersede ----------------------------------------------------------- */

static void test_supersede_is_atomic(void **state)
{
    struct world *world = *state;
    struct world_ids old;
    struct world_ids fresh;
    struct transaction first = world_grant(world, &old);
    assert_int_equal(world_submit(world, HOSPITAL, &first), LEDGER_OK);

    /* A successor that is refused leaves the old one in force. */
    struct transaction second = world_grant(world, &fresh);
    second.consent_grant.supersedes = (struct transaction_ids){old.id, 1};
    second.consent_grant.policy_version = 7;
    assert_int_equal(world_submit(world, HOSPITAL, &second),
                     LEDGER_POLICY_INACTIVE);
    second.consent_grant.policy_version = 1;
    assert_int_equal(world_submit(world, HOSPITAL, &second), LEDGER_OK);

    /* Now it is superseded: it cannot be revoked or superseded again. */
    struct transaction revoke = world_revoke(world, old.id);
    assert_int_equal(world_submit(world, HOSPITAL, &revoke),
                     LEDGER_CONSENT_STATE);
    struct world_ids third_ids;
    struct transaction third = world_grant(world, &third_ids);
    third.consent_grant.supersedes = (struct transaction_ids){old.id, 1};
    assert_int_equal(world_submit(world, HOSPITAL, &third),
                     LEDGER_CONSENT_STATE);
}

static void test_supersede_same_subject_only(void **state)
{
    struct world *world = *state;
    struct world_ids theirs;
    struct world_ids mine;
    struct transaction first = world_grant(world, &theirs);
    first.consent_grant.subject = bytes_of(world->stranger, 32);
    assert_int_equal(world_submit(world, CLINIC, &first), LEDGER_OK);

    struct transaction second = world_grant(world, &mine);
    second.consent_grant.supersedes = (struct transaction_ids){theirs.id, 1};
    assert_int_equal(world_submit(world, HOSPITAL, &second),
                     LEDGER_SUPERSEDE_FOREIGN);
}

/* ---- evidence ------------------------------------------------------------ */

CHANGE(evidence_without_commit)
{
    (void)world;
    body->consent_evidence->evidence_commit.len = 0;
}

CHANGE(evidence_unknown_reason)
{
    (void)world;
    body->consent_evidence->reason = 99;
}

CHANGE(evidence_reason_of_a_withdrawal)
{
    (void)world;
    body->consent_evidence->reason = CODES_REASON_WITHDRAWN_BY_SUBJECT;
}

CHANGE(evidence_of_a_stranger)
{
    memcpy(body->consent_evidence->subject.data, world->stranger, 32);
}

CHANGE(evidence_text_id)
{
    (void)world;
    memset(body->consent_evidence->consent.data, 'x', 16);
}

static void test_evidence_rules(void **state)
{
    static const struct world_case cases[] = {
        {"default", NULL, LEDGER_OK},
        {"no commit", evidence_without_commit, LEDGER_FIELD_FORM},
        {"unknown reason", evidence_unknown_reason, LEDGER_UNKNOWN_CODE},
        {"wrong reason", evidence_reason_of_a_withdrawal, LEDGER_UNKNOWN_CODE},
        {"stranger", evidence_of_a_stranger, LEDGER_SUBJ_STATE},
        {"text id", evidence_text_id, LEDGER_CLEAR_TEXT},
    };
    world_run_cases(*state, HOSPITAL, world_evidence, CASES(cases));
    static const struct world_case research[] = {
        {"no provider", NULL, LEDGER_ROLE_REQUIRED}};
    world_run_cases(*state, LABORATORY, world_evidence, CASES(research));
}

static void test_evidence_cannot_be_revoked(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction evidence = world_evidence(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &evidence), LEDGER_OK);
    struct transaction revoke = world_revoke(world, ids.id);
    assert_int_equal(world_submit(world, HOSPITAL, &revoke),
                     LEDGER_CONSENT_STATE);
}

/* ---- revoke -------------------------------------------------------------- */

static uint8_t standing[LEDGER_ID_SIZE];

/* Withdraws a consent that was granted just before. */
static struct transaction make_revoke(struct world *world,
                                      struct world_ids *ids)
{
    struct transaction grant = world_grant(world, ids);
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    memcpy(standing, ids->id, sizeof standing);
    return world_revoke(world, standing);
}

CHANGE(revoke_unknown)
{
    world_fill(world, body->consent_revoke->consent.data, 16);
}

CHANGE(revoke_short_id)
{
    (void)world;
    body->consent_revoke->consent.len = 15;
}

CHANGE(revoke_reason_of_evidence)
{
    (void)world;
    body->consent_revoke->reason = CODES_REASON_NOT_COMPUTABLE;
}

CHANGE(revoke_unknown_reason)
{
    (void)world;
    body->consent_revoke->reason = 0;
}

CHANGE(revoke_without_time)
{
    (void)world;
    body->consent_revoke->revoked_at_ms = 0;
}

CHANGE(revoke_before_given)
{
    body->consent_revoke->revoked_at_ms = world->now_ms - 1001;
}

CHANGE(revoke_in_future)
{
    body->consent_revoke->revoked_at_ms =
        world->now_ms + WORLD_TIME_BOUND_MS + 1;
}

CHANGE(revoke_with_evidence)
{
    world_fill(world, some_bytes[0], 32);
    body->consent_revoke->evidence_commit =
        (ProtobufCBinaryData){32, some_bytes[0]};
}

CHANGE(revoke_with_short_evidence)
{
    revoke_with_evidence(world, body);
    body->consent_revoke->evidence_commit.len = 5;
}

static void test_revoke_rules(void **state)
{
    static const struct world_case cases[] = {
        {"default", NULL, LEDGER_OK},
        {"unknown", revoke_unknown, LEDGER_CONSENT_STATE},
        {"short id", revoke_short_id, LEDGER_FIELD_FORM},
        {"wrong reason", revoke_reason_of_evidence, LEDGER_UNKNOWN_CODE},
        {"no reason", revoke_unknown_reason, LEDGER_UNKNOWN_CODE},
        {"no time", revoke_without_time, LEDGER_FIELD_FORM},
        {"before given", revoke_before_given, LEDGER_PERIOD},
        {"future", revoke_in_future, LEDGER_EVENT_FUTURE},
        {"evidence", revoke_with_evidence, LEDGER_OK},
        {"short evidence", revoke_with_short_evidence, LEDGER_FIELD_FORM},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world_ids ids;
        struct transaction in = make_revoke(world, &ids);
        assert_int_equal(
            world_submit_changed(world, HOSPITAL, &in, cases[i].change),
            cases[i].code);
    }
}

static void test_revoke_once(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction in = make_revoke(world, &ids);
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_OK);
    assert_int_equal(world_submit(world, HOSPITAL, &in), LEDGER_CONSENT_STATE);
}

static void test_revoke_by_whom(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction in = make_revoke(world, &ids);

    /* Another institution learns no more than of an unknown consent ... */
    assert_int_equal(world_submit(world, CLINIC, &in), LEDGER_CONSENT_STATE);
    /* ... but carries the patient's own withdrawal. */
    assert_int_equal(world_submit_with_agent(world, CLINIC, &in), LEDGER_OK);
}

static void test_revoke_not_by_another_patient(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction grant = world_grant(world, &ids);
    grant.consent_grant.subject = bytes_of(world->stranger, 32);
    assert_int_equal(world_submit(world, CLINIC, &grant), LEDGER_OK);
    struct transaction in = world_revoke(world, ids.id);
    assert_int_equal(world_submit_with_agent(world, HOSPITAL, &in),
                     LEDGER_CONSENT_STATE);
}

static void test_expired_consent_is_over(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction grant = world_grant(world, &ids);
    grant.consent_grant.period_to_ms = world->now_ms + 100;
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    struct transaction revoke = world_revoke(world, ids.id);
    struct world_ids other;
    struct transaction successor = world_grant(world, &other);
    successor.consent_grant.supersedes = (struct transaction_ids){ids.id, 1};

    world->now_ms += 100; /* The end is exclusive. */
    assert_int_equal(world_submit(world, HOSPITAL, &revoke),
                     LEDGER_CONSENT_STATE);
    assert_int_equal(world_submit(world, HOSPITAL, &successor),
                     LEDGER_CONSENT_STATE);
}

static void test_consent_can_be_revoked_until_its_end(void **state)
{
    struct world *world = *state;
    struct world_ids ids;
    struct transaction grant = world_grant(world, &ids);
    grant.consent_grant.period_from_ms = world->now_ms + 50;
    grant.consent_grant.period_to_ms = world->now_ms + 100;
    assert_int_equal(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
    struct transaction revoke = world_revoke(world, ids.id);
    world->now_ms += 99;
    assert_int_equal(world_submit(world, HOSPITAL, &revoke), LEDGER_OK);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_grant_statements),
        TEST(test_grant_selectors),
        TEST(test_grant_exceptions),
        TEST(test_grant_parties),
        TEST(test_grant_with_agent_key),
        TEST(test_consent_id_is_used_once),
        TEST(test_supersede_is_atomic),
        TEST(test_supersede_same_subject_only),
        TEST(test_evidence_rules),
        TEST(test_evidence_cannot_be_revoked),
        TEST(test_revoke_rules),
        TEST(test_revoke_once),
        TEST(test_revoke_by_whom),
        TEST(test_revoke_not_by_another_patient),
        TEST(test_expired_consent_is_over),
        TEST(test_consent_can_be_revoked_until_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
