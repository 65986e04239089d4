/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction carries codes of the tables that it names: each family that has
 * codes refuses one that came with a later version, and takes it from a
 * transaction that names that version. */
#include "tests/support/ledger_emergencies.h"

#define ADDED 100u
#define ADDED_LATER 150u
#define OWN_SYSTEM "urn:example:codes"

static const uint32_t added[] = {ADDED};

/* Numbers of REASON, by what they are for. */
enum {
    FOR_EVIDENCE = 100,
    FOR_REVOKE = 101,
    FOR_EMERGENCY = 102,
    FOR_DECISION = 103,
    FOR_GOVERNANCE = 104,
};

static const struct {
    uint32_t table;
    uint32_t id;
    uint32_t parent;
    uint32_t flags;
} rows[] = {
    {CODES_PURPOSE, ADDED, CODES_PURPOSE_TREAT, 0},
    {CODES_CLASS, ADDED, 0, 0},
    {CODES_REASON, FOR_EVIDENCE, 0, CODES_FOR_EVIDENCE},
    {CODES_REASON, FOR_REVOKE, 0, CODES_FOR_REVOKE},
    {CODES_REASON, FOR_EMERGENCY, 0, CODES_FOR_EMERGENCY},
    {CODES_REASON, FOR_DECISION, 0, CODES_FOR_DECISION},
    {CODES_REASON, FOR_GOVERNANCE, 0, CODES_FOR_GOVERNANCE},
    {CODES_ROLE, ADDED, 0, 0},
    {CODES_CATEGORY, ADDED, 0, 0},
};
#define ROWS (sizeof rows / sizeof rows[0])

static void publish(struct world *world,
                    Salus__V1__CodetablePublish__Entry *entries, size_t count,
                    uint32_t version)
{
    Salus__V1__CodetablePublish in = SALUS__V1__CODETABLE_PUBLISH__INIT;
    Salus__V1__CodetablePublish__Entry *list[ROWS];
    for (size_t i = 0; i < count; i++) {
        list[i] = &entries[i];
    }
    in.version = version;
    in.entries = list;
    in.n_entries = count;
    EXPECT(act_govern(world, TRANSACTION_CODETABLE_PUBLISH, &in.base),
           LEDGER_OK);
}

/* Version 2: all of the above; version 3: one purpose more. */
static void publish_tables(struct world *world)
{
    Salus__V1__CodetablePublish__Entry entries[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        salus__v1__codetable_publish__entry__init(&entries[i]);
        entries[i].table = rows[i].table;
        entries[i].id = rows[i].id;
        entries[i].parent = rows[i].parent;
        entries[i].flags = rows[i].flags;
        entries[i].system = (char *)OWN_SYSTEM;
        entries[i].code = (char *)"added";
    }
    publish(world, entries, ROWS, 2);
    entries[0].id = ADDED_LATER;
    publish(world, entries, 1, 3);
}

/* ---- participants, consents ---------------------------------------------- */

static uint32_t register_role(struct world *world)
{
    struct world_ids ids;
    struct transaction in = world_participant(world, &ids);
    in.participant_register.roles = (struct transaction_codes){added, 1};
    return world_submit(world, HOSPITAL, &in);
}

static uint32_t end_participant(struct world *world)
{
    Salus__V1__ParticipantRevoke in = SALUS__V1__PARTICIPANT_REVOKE__INIT;
    uint8_t id[LEDGER_ID_SIZE];
    act_register_in(world, HOSPITAL, CODES_ROLE_DOCTOR, id);
    in.participant = field_of(id, 16);
    in.reason = FOR_GOVERNANCE;
    return act_simple(world, HOSPITAL, TRANSACTION_PARTICIPANT_REVOKE,
                      &in.base);
}

static uint32_t grant_purpose(struct world *world)
{
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    ids.purposes[0] = ADDED;
    return world_submit(world, HOSPITAL, &in);
}

static uint32_t grant_class(struct world *world)
{
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    in.consent_grant.root.classes = (struct transaction_codes){added, 1};
    return world_submit(world, HOSPITAL, &in);
}

static uint32_t grant_role(struct world *world)
{
    const struct transaction_actor actor = {.kind = TRANSACTION_ACTOR_ROLE,
                                            .role = ADDED};
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    in.consent_grant.root.actors = &actor;
    in.consent_grant.root.actor_count = 1;
    return world_submit(world, HOSPITAL, &in);
}

static uint32_t grant_exception(struct world *world)
{
    const struct transaction_exception exception = {
        .type = TRANSACTION_DENY, .selector = {.classes = {added, 1}}};
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    in.consent_grant.exceptions = &exception;
    in.consent_grant.exception_count = 1;
    return world_submit(world, HOSPITAL, &in);
}

static uint32_t grant_category(struct world *world)
{
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    in.consent_grant.category = ADDED;
    return world_submit(world, HOSPITAL, &in);
}

static uint32_t file_evidence(struct world *world)
{
    struct world_ids ids;
    struct transaction in = world_evidence(world, &ids);
    in.consent_evidence.reason = FOR_EVIDENCE;
    in.consent_evidence.subject = bytes_of(world->stranger, LEDGER_HANDLE_SIZE);
    return world_submit(world, CLINIC, &in);
}

static uint32_t revoke(struct world *world)
{
    uint8_t consent[LEDGER_ID_SIZE];
    act_grant(world, consent);
    struct transaction in = world_revoke(world, consent);
    in.consent_revoke.reason = FOR_REVOKE;
    return world_submit(world, HOSPITAL, &in);
}

/* ---- records ------------------------------------------------------------- */

static uint32_t anchor(struct world *world)
{
    struct world_ids ids;
    struct transaction in = world_anchor(world, &ids);
    in.record_anchor.class_code = ADDED;
    return world_submit(world, HOSPITAL, &in);
}

static uint32_t anchor_batch(struct world *world)
{
    Salus__V1__RecordAnchorBatch in = SALUS__V1__RECORD_ANCHOR_BATCH__INIT;
    Salus__V1__RecordAnchor__Envelope envelope =
        SALUS__V1__RECORD_ANCHOR__ENVELOPE__INIT;
    uint8_t batch[LEDGER_ID_SIZE];
    uint8_t root[32];
    uint8_t commit[32];
    world_fill(world, batch, sizeof batch);
    world_fill(world, root, sizeof root);
    world_fill(world, commit, sizeof commit);
    envelope.recipient_key =
        field_of(world->parties[HOSPITAL].encryption_id.bytes, 16);
    envelope.wrap_commit = field_of(commit, 32);
    in.batch = field_of(batch, 16);
    in.root = field_of(root, 32);
    in.leaf_count = 1;
    in.leaf_schema = 1;
    in.class_code = ADDED;
    in.confidentiality_max = CODES_CONF_N;
    in.envelope = &envelope;
    return act_simple(world, HOSPITAL, TRANSACTION_RECORD_ANCHOR_BATCH,
                      &in.base);
}

/* ---- access -------------------------------------------------------------- */

static uint32_t ask_purpose(struct world *world)
{
    struct asked asked;
    ask_for(world, &asked, NULL);
    asked.in.purpose = ADDED;
    return ask(world, &asked);
}

static uint32_t ask_class(struct world *world)
{
    struct asked asked;
    ask_for(world, &asked, NULL);
    asked.in.classes = (uint32_t *)(uintptr_t)added;
    asked.in.n_classes = 1;
    return ask(world, &asked);
}

static uint32_t decide_on(struct world *world, Salus__V1__AccessDecision *in)
{
    struct asked asked;
    uint8_t consent[LEDGER_ID_SIZE];
    act_grant(world, consent);
    ask_for(world, &asked, NULL);
    EXPECT(ask(world, &asked), LEDGER_OK);
    in->request = field_of(asked.id, 16);
    return act_simple(world, HOSPITAL, TRANSACTION_ACCESS_DECISION, &in->base);
}

static uint32_t decide_for_reason(struct world *world)
{
    Salus__V1__AccessDecision in = SALUS__V1__ACCESS_DECISION__INIT;
    in.outcome = SALUS__V1__ACCESS_DECISION__OUTCOME__DENY_ALL;
    in.reason = FOR_DECISION;
    return decide_on(world, &in);
}

static uint32_t decide_residual(struct world *world)
{
    Salus__V1__AccessDecision in = SALUS__V1__ACCESS_DECISION__INIT;
    Salus__V1__Selector residual = SALUS__V1__SELECTOR__INIT;
    residual.classes = (uint32_t *)(uintptr_t)added;
    residual.n_classes = 1;
    in.outcome = SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_PARTIAL;
    in.granted = 1;
    in.residual = &residual;
    in.reason = CODES_REASON_AS_COMPUTED;
    return decide_on(world, &in);
}

/* As a violation: it stands on nothing, and is taken. */
static uint32_t tell_purpose(struct world *world)
{
    struct told told;
    tell_of(world, &told, NULL);
    told.in.violation = true;
    told.in.purpose = ADDED;
    return tell(world, &told);
}

static uint32_t tell_class(struct world *world)
{
    struct told told;
    tell_of(world, &told, NULL);
    told.in.violation = true;
    told.classes[0] = ADDED;
    return tell(world, &told);
}

static uint32_t break_for_reason(struct world *world)
{
    struct broken broken;
    break_for(world, &broken);
    broken.in.reason = FOR_EMERGENCY;
    return declare(world, &broken);
}

/* ---- governance ---------------------------------------------------------- */

static uint32_t suspend(struct world *world)
{
    Salus__V1__InstitutionSuspend in = SALUS__V1__INSTITUTION_SUSPEND__INIT;
    in.institution = field_of(world->parties[LABORATORY].institution.bytes, 16);
    in.reason = FOR_GOVERNANCE;
    return act_govern(world, TRANSACTION_INST_SUSPEND, &in.base);
}

static uint32_t publish_policy(struct world *world, const char *uri,
                               Salus__V1__PolicyPublish *in)
{
    struct transaction_id16 id;
    uint8_t digest[32];
    transaction_policy_id(&id, bytes_of(uri, strlen(uri)));
    world_fill(world, digest, sizeof digest);
    in->policy = field_of(id.bytes, 16);
    in->version = 1;
    in->uri = (char *)(uintptr_t)uri;
    in->sha256 = field_of(digest, 32);
    in->implicit_consent = 1;
    in->break_glass_override = 2;
    in->break_glass_window_ms = HOUR_MS;
    in->break_glass_review_ms = DAY_MS;
    in->late_after_ms = HOUR_MS;
    in->decision_ttl_ms = DAY_MS;
    return act_govern(world, TRANSACTION_POLICY_PUBLISH, &in->base);
}

static uint32_t policy_of_purpose(struct world *world)
{
    Salus__V1__PolicyPublish in = SALUS__V1__POLICY_PUBLISH__INIT;
    in.purposes_given = true;
    in.no_inherit = (uint32_t *)(uintptr_t)added;
    in.n_no_inherit = 1;
    return publish_policy(world, "urn:example:policy:purpose", &in);
}

static uint32_t policy_of_class(struct world *world)
{
    Salus__V1__PolicyPublish in = SALUS__V1__POLICY_PUBLISH__INIT;
    Salus__V1__PolicyPublish__Retention retention =
        SALUS__V1__POLICY_PUBLISH__RETENTION__INIT;
    Salus__V1__PolicyPublish__Retention *list[] = {&retention};
    retention.class_code = ADDED;
    retention.years = 10;
    in.retention = list;
    in.n_retention = 1;
    return publish_policy(world, "urn:example:policy:class", &in);
}

/* ---- all of them --------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t (*submit)(struct world *world);
} families[] = {
    /* First: what the consents below deny would be left of nothing. */
    {"ACCESS_DECISION reason", decide_for_reason},
    {"ACCESS_DECISION residual", decide_residual},
    {"PARTICIPANT_REGISTER roles", register_role},
    {"PARTICIPANT_REVOKE reason", end_participant},
    {"CONSENT_GRANT purposes", grant_purpose},
    {"CONSENT_GRANT classes", grant_class},
    {"CONSENT_GRANT role of an actor", grant_role},
    {"CONSENT_GRANT exception", grant_exception},
    {"CONSENT_GRANT category", grant_category},
    {"CONSENT_EVIDENCE reason", file_evidence},
    {"CONSENT_REVOKE reason", revoke},
    {"RECORD_ANCHOR class", anchor},
    {"RECORD_ANCHOR_BATCH class", anchor_batch},
    {"ACCESS_REQUEST purpose", ask_purpose},
    {"ACCESS_REQUEST classes", ask_class},
    {"DISCLOSURE purpose", tell_purpose},
    {"DISCLOSURE classes", tell_class},
    {"BREAK_GLASS reason", break_for_reason},
    {"POLICY_PUBLISH no_inherit", policy_of_purpose},
    {"POLICY_PUBLISH retention", policy_of_class},
    {"INST_SUSPEND reason", suspend}, /* Last: one institution less. */
};

static void expect_code(uint32_t code, enum ledger_code expected,
                        const char *name, uint32_t version)
{
    if (code != (uint32_t)expected) {
        fail_msg("%s, tables %u: %s instead of %s", name, version,
                 ledger_code_name(code), ledger_code_name(expected));
    }
}

static void test_codes_of_later_tables_are_unknown(void **state)
{
    struct world *world = make_world(UNLESS_DENIED);
    (void)state;
    publish_tables(world);
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        for (uint32_t version = 1; version <= 2; version++) {
            world->table_version = version;
            expect_code(families[i].submit(world),
                        version == 1 ? LEDGER_UNKNOWN_CODE : LEDGER_OK,
                        families[i].name, version);
        }
    }
    world_destroy(world);
}

static uint32_t grant_for(struct world *world, uint32_t purpose)
{
    struct world_ids ids;
    struct transaction in = world_grant(world, &ids);
    ids.purposes[0] = purpose;
    return world_submit(world, HOSPITAL, &in);
}

/* Nothing is taken away: what a version has, every later one has. */
static void test_codes_of_earlier_tables_stay(void **state)
{
    struct world *world = *state;
    publish_tables(world);
    world->table_version = 2;
    EXPECT(grant_for(world, ADDED_LATER), LEDGER_UNKNOWN_CODE);
    EXPECT(grant_for(world, ADDED), LEDGER_OK);
    world->table_version = 3;
    EXPECT(grant_for(world, ADDED_LATER), LEDGER_OK);
    EXPECT(grant_for(world, ADDED), LEDGER_OK);
    EXPECT(grant_for(world, CODES_PURPOSE_TREAT), LEDGER_OK);
    world->table_version = 4;
    EXPECT(grant_for(world, CODES_PURPOSE_TREAT), LEDGER_TABLE_VERSION);
}

static const Salus__V1__CodeList *list_codes(struct world *world,
                                             struct wire_arena *arena,
                                             ProtobufCBinaryData cursor,
                                             uint32_t limit)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__CodesQuery in = SALUS__V1__CODES_QUERY__INIT;
    in.cursor = cursor;
    in.limit = limit;
    query.kind_case = SALUS__V1__QUERY__KIND_CODES;
    query.codes = &in;
    return act_ask(world, CLINIC, &query, arena)->codes;
}

static void test_added_codes_are_listed_page_by_page(void **state)
{
    struct world *world = *state;
    struct wire_arena arena;
    uint8_t room[LEDGER_KEY_MAX];
    ProtobufCBinaryData cursor = {0, NULL};
    size_t count = 0;
    size_t later = 0;
    wire_arena_init(&arena, 16u * 1024 * 1024);
    assert_int_equal(list_codes(world, &arena, cursor, 0)->version,
                     CODES_VERSION);
    publish_tables(world);
    do {
        const Salus__V1__CodeList *page = list_codes(world, &arena, cursor, 3);
        assert_int_equal(page->version, 3);
        assert_true(page->n_rows <= 3);
        for (size_t i = 0; i < page->n_rows; i++) {
            later += page->rows[i]->since == 3;
            assert_int_equal(page->rows[i]->since,
                             page->rows[i]->id == ADDED_LATER ? 3 : 2);
        }
        count += page->n_rows;
        cursor = kept_cursor(room, &page->cursor);
    } while (cursor.len > 0);
    assert_int_equal(count, ROWS + 1);
    assert_int_equal(later, 1);
    wire_arena_deinit(&arena);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_of_later_tables_are_unknown),
        TEST(test_codes_of_earlier_tables_stay),
        TEST(test_added_codes_are_listed_page_by_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
