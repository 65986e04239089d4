/* SPDX-License-Identifier: Apache-2.0 */
/* The law of exports over random consents: each becomes the same transaction
 * again, or is refused by name; and those that FHIR can say are not refused. A
 * second, naive opinion here says which those are. */
#include "tests/support/export_fixture.h"

#define HISTORIES 1500
#define PEOPLE 4
#define EXCEPTIONS 3
#define LABELS 4

/* Small and seeded; the same on every machine. */
static uint64_t random_state;

static uint32_t draw(uint32_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) +
                   UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % bound;
}

static bool chance(uint32_t percent)
{
    return draw(100) < percent;
}

struct random_selector {
    struct transaction_actor actors[3];
    uint32_t purposes[4];
    uint32_t actions[3];
    uint32_t confidentiality[3];
    uint32_t classes[3];
    uint8_t tags[LABELS][VAULT_TAG_SIZE];
    struct transaction_data_ref data[4];
    struct transaction_selector selector;
};

/* Everybody and everything that consents may speak of. */
struct universe {
    struct vault_subject subject;
    uint8_t people[PEOPLE][VAULT_ID_SIZE];
    uint8_t group[VAULT_ID_SIZE];
    uint8_t record[VAULT_ID_SIZE];
};

static void find_person(struct export_world *world, uint8_t *out,
                        const char *name)
{
    struct vault_participant found;

    assert_int_equal(vault_find_participant(world->vault, &found, name),
                     PBFT_OK);
    memcpy(out, found.id, VAULT_ID_SIZE);
}

static void populate(struct export_world *world, struct universe *universe)
{
    static const char *const names[PEOPLE] = {
        "Practitioner/a", "Practitioner/b", "RelatedPerson/c", NULL};
    struct vault_record record;

    export_import_text(world, "{\"resourceType\":\"Patient\",\"id\":\"p\"}");
    export_import_text(world,
                       "{\"resourceType\":\"Practitioner\",\"id\":\"a\"}\n"
                       "{\"resourceType\":\"Practitioner\",\"id\":\"b\"}\n"
                       "{\"resourceType\":\"Group\",\"id\":\"g\",\"type\":"
                       "\"practitioner\",\"actual\":true,\"member\":[{"
                       "\"entity\":{\"reference\":\"Practitioner/a\"}}]}");
    export_import_text(world,
                       "{\"resourceType\":\"DocumentReference\",\"id\":\"d\","
                       "\"status\":\"current\",\"subject\":{\"reference\":"
                       "\"Patient/p\"},\"content\":[{\"attachment\":{\"data\":"
                       "\"bmV3\"}}]}");
    assert_int_equal(
        vault_find_subject(world->vault, &universe->subject, "Patient/p"),
        PBFT_OK);
    for (size_t i = 0; i < 2; i++) {
        find_person(world, universe->people[i], names[i]);
    }
    /* These two the vault does not know by name. */
    memset(universe->people[2], 0xd2, VAULT_ID_SIZE);
    memset(universe->people[3], 0xd3, VAULT_ID_SIZE);
    find_person(world, universe->group, "Group/g");
    assert_int_equal(
        vault_find_record(world->vault, &record, "DocumentReference/d"),
        PBFT_OK);
    memcpy(universe->record, record.id, VAULT_ID_SIZE);
}

/* ---- random consents ----------------------------------------------------- */

/* `count` different codes of the table; one in 200 of none. */
static struct transaction_codes draw_codes(uint32_t *out, uint32_t most,
                                           enum codes_table table,
                                           bool *is_strange)
{
    size_t size = 0;
    const struct codes_entry *entries = codes_entries(table, &size);
    size_t count = chance(50) ? draw(most + 1) : 0;
    size_t at = draw((uint32_t)size);

    for (size_t i = 0; i < count; i++) {
        out[i] = entries[(at + i * 3) % size].id;
    }
    if (count > 0 && chance(1)) {
        out[0] = CODES_ADDED_MIN + draw(5);
        *is_strange = true;
    }
    return (struct transaction_codes){out, count};
}

static void draw_actors(struct random_selector *out,
                        const struct universe *universe, bool *is_strange)
{
    size_t count = chance(40) ? 1 + draw(3) : 0;

    for (size_t i = 0; i < count; i++) {
        struct transaction_actor *actor = &out->actors[i];
        uint32_t kind = draw(10);
        *actor = (struct transaction_actor){
            .kind = TRANSACTION_ACTOR_PARTICIPANT,
            .id = {universe->people[draw(PEOPLE)], VAULT_ID_SIZE}};
        if (kind == 0) {
            actor->kind = TRANSACTION_ACTOR_GROUP;
            actor->id = (struct pbft_bytes){universe->group, VAULT_ID_SIZE};
        } else if (kind == 1) {
            actor->kind = TRANSACTION_ACTOR_INSTITUTION;
        } else if (kind == 2 && chance(10)) {
            *actor = (struct transaction_actor){.kind = TRANSACTION_ACTOR_ROLE,
                                                .role = CODES_ROLE_DOCTOR};
            *is_strange = true;
        }
    }
    out->selector.actors = out->actors;
    out->selector.actor_count = count;
}

static void draw_tags(struct random_selector *out,
                      const struct universe *universe, bool *is_strange)
{
    static const char *const codes[LABELS] = {"HIV", "ETHUD", "PSY", "BH"};
    size_t count = chance(30) ? 1 + draw(LABELS) : 0;

    for (size_t i = 0; i < count; i++) {
        vault_blind_tag(out->tags[i], &universe->subject,
                        "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                        codes[i]);
    }
    if (count > 0 && chance(2)) {
        memset(out->tags[0], 0xee, VAULT_TAG_SIZE);
        *is_strange = true;
    }
    out->selector.tags = (struct transaction_ids){&out->tags[0][0], count};
}

static void draw_data(struct random_selector *out,
                      const struct universe *universe)
{
    size_t drawn = chance(25) ? 1 + draw(2) : 0;
    size_t count = 0;

    for (size_t k = 0; k < drawn; k++) {
        size_t i = count++;
        enum transaction_meaning meaning =
            (enum transaction_meaning)(1 + draw(4));
        out->data[i] = (struct transaction_data_ref){
            .meaning = meaning,
            .id = {meaning == TRANSACTION_AUTHORED_BY
                       ? universe->people[draw(PEOPLE)]
                       : universe->record,
                   VAULT_ID_SIZE}};
        /* As this program has it, and as older ones had. */
        if (meaning == TRANSACTION_AUTHORED_BY && chance(50)) {
            out->data[count] = out->data[i];
            out->data[count++].meaning = TRANSACTION_RELATED;
        }
    }
    out->selector.data = out->data;
    out->selector.data_count = count;
}

static void draw_selector(struct random_selector *out,
                          const struct universe *universe, bool permits,
                          bool *is_strange)
{
    struct transaction_selector *selector = &out->selector;

    memset(out, 0, sizeof *out);
    draw_actors(out, universe, is_strange);
    selector->purposes =
        draw_codes(out->purposes, 4, CODES_PURPOSE, is_strange);
    selector->actions = draw_codes(out->actions, 3, CODES_ACTION, is_strange);
    selector->confidentiality =
        draw_codes(out->confidentiality, 1, CODES_CONF, is_strange);
    selector->classes = draw_codes(out->classes, 3, CODES_CLASS, is_strange);
    draw_tags(out, universe, is_strange);
    draw_data(out, universe);
    if (chance(20)) {
        selector->data_from_ms = 1 + draw(2000000000) * UINT64_C(700);
    }
    if (chance(20)) {
        selector->data_to_ms = UINT64_C(1500000000000) + draw(2000000000);
    }
    selector->purpose_unknown = permits && chance(5);
}

/* ---- a second opinion ---------------------------------------------------- */

static bool says_nothing(const struct transaction_selector *selector)
{
    return selector->actor_count + selector->purposes.count +
                   selector->actions.count + selector->confidentiality.count +
                   selector->tags.count + selector->classes.count +
                   selector->data_count ==
               0 &&
           selector->data_from_ms == 0 && selector->data_to_ms == 0 &&
           !selector->purpose_unknown;
}

static bool names_research(const struct transaction_selector *selector)
{
    for (size_t i = 0; i < selector->purposes.count; i++) {
        uint32_t id = selector->purposes.ids[i];
        if (id >= CODES_PURPOSE_HRESCH && id < CODES_PURPOSE_PATRQT) {
            return true;
        }
    }
    return false;
}

/* Of another decision than the root, an exception states the confidentiality
 * and the documents that it would inherit: it reads them in another way. */
static bool inherits_what_differs(const struct transaction_selector *root,
                                  const struct transaction_selector *own)
{
    bool names_document = false;

    for (size_t i = 0; i < root->data_count; i++) {
        bool is_coauthor =
            i > 0 && root->data[i - 1].meaning == TRANSACTION_AUTHORED_BY &&
            root->data[i].id.data == root->data[i - 1].id.data;
        names_document =
            names_document || root->data[i].meaning == TRANSACTION_INSTANCE ||
            (root->data[i].meaning == TRANSACTION_RELATED && !is_coauthor);
    }
    return (root->confidentiality.count > 0 &&
            own->confidentiality.count + own->tags.count == 0) ||
           (names_document && own->data_count == 0);
}

/* An exception states something; and what denies must be known. */
static bool exception_can_be_said(const struct transaction_consent_grant *grant,
                                  const struct transaction_exception *exception)
{
    const struct transaction_selector *root = &grant->root;
    const struct transaction_selector *selector = &exception->selector;

    if (says_nothing(selector) || (exception->type != grant->base_decision &&
                                   inherits_what_differs(root, selector))) {
        return false;
    }
    return exception->type == TRANSACTION_PERMIT || !root->purpose_unknown ||
           selector->purposes.count > 0;
}

static bool can_be_said(const struct transaction_consent_grant *grant)
{
    bool research = names_research(&grant->root) ||
                    (grant->base_decision == TRANSACTION_DENY &&
                     grant->root.purposes.count == 0);

    for (size_t i = 0; i < grant->exception_count; i++) {
        research = research || names_research(&grant->exceptions[i].selector);
        if (!exception_can_be_said(grant, &grant->exceptions[i])) {
            return false;
        }
    }
    return grant->policy_version == 1 &&
           (grant->scope != TRANSACTION_SCOPE_RESEARCH || research);
}

/* ---- the law ------------------------------------------------------------- */

struct tally {
    size_t same;
    size_t refused;
};

static void judge(struct export_world *world,
                  const struct transaction_consent_grant *grant,
                  bool is_strange, bool redacted, struct tally *tally)
{
    struct transaction transaction = {.type = TRANSACTION_CONSENT_GRANT,
                                      .consent_grant = *grant};
    struct transaction_bytes body = {NULL, 0};
    struct fhir_report report;

    assert_int_equal(
        transaction_build(&body, &world->plan.envelope, &transaction), PBFT_OK);
    struct pbft_bytes bytes = {body.data, body.size};
    struct fhir_exporter *exporter = export_open(world, redacted);
    char *text = export_text(exporter, bytes, &report);
    if (text != NULL) {
        export_expect_same(world, bytes, text);
        tally->same++;
    } else {
        assert_true(report.count > 0);
        assert_true(report.findings[0].path[0] != 0);
        tally->refused++;
    }
    bool wanted = can_be_said(grant) && !is_strange;
    if ((text != NULL) != wanted && !(redacted && is_strange)) {
        print_error("%s: %s\n", wanted ? "refused" : "said",
                    text != NULL ? text : fhir_report_path(&report));
        fail();
    }
    free(text);
    free(body.data);
    fhir_exporter_destroy(exporter);
}

static void draw_consent(struct export_world *world,
                         const struct universe *universe, bool redacted,
                         struct tally *tally)
{
    static struct random_selector root;
    static struct random_selector inner[EXCEPTIONS];
    static uint8_t ids[3][VAULT_SECRET_SIZE];
    struct transaction_exception exceptions[EXCEPTIONS];
    struct transaction_id16 policy = {{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
                                       0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd,
                                       0xee, 0xff}};
    bool is_strange = false;
    bool permits = chance(60);
    size_t count = draw(EXCEPTIONS + 1);

    memset(ids, 0x9c, sizeof ids);
    draw_selector(&root, universe, permits, &is_strange);
    for (size_t i = 0; i < count; i++) {
        bool type = chance(50);
        draw_selector(&inner[i], universe, type, &is_strange);
        exceptions[i] = (struct transaction_exception){
            .type = type ? TRANSACTION_PERMIT : TRANSACTION_DENY,
            .selector = inner[i].selector};
    }
    uint64_t given_ms = UINT64_C(1600000000000) + draw(2000000000);
    bool by_subject = chance(70);
    uint32_t scope = 1 + draw(4);
    uint32_t mode = 1 + draw(3);
    bool has_from = chance(30);
    bool has_to = chance(50);
    uint64_t to_ms = UINT64_C(1700000000000) + draw(2000000000) * UINT64_C(99);
    uint32_t version = chance(2) ? 2 : 1;
    struct transaction_consent_grant grant = {
        .consent = {ids[0], VAULT_ID_SIZE},
        .subject = {universe->subject.handle, VAULT_HANDLE_SIZE},
        .scope = (enum transaction_scope)scope,
        .category = CODES_CATEGORY_OTHER,
        .policy = {policy.bytes, sizeof policy.bytes},
        .policy_version = version,
        .given_at_ms = given_ms,
        .base_decision = permits ? TRANSACTION_PERMIT : TRANSACTION_DENY,
        .period_from_ms = has_from ? given_ms : 0,
        .period_to_ms = has_to ? to_ms : 0,
        .root = root.selector,
        .exceptions = exceptions,
        .exception_count = count,
        .performer =
            by_subject ? TRANSACTION_BY_SUBJECT : TRANSACTION_BY_DELEGATE,
        .mode = (enum transaction_mode)mode,
        .evidence_commit = {ids[1], sizeof ids[1]},
        .source_commit = {ids[2], sizeof ids[2]}};
    if (!by_subject) {
        grant.delegate =
            (struct pbft_bytes){universe->people[2], VAULT_ID_SIZE};
    }
    judge(world, &grant, is_strange, redacted, tally);
}

static void test_random_consents_become_the_same_again(void **state)
{
    static struct universe universe;
    struct export_world *world = *state;
    struct tally tally = {0, 0};

    populate(world, &universe);
    random_state = 20261128;
    for (size_t i = 0; i < HISTORIES; i++) {
        draw_consent(world, &universe, i % 2 == 1, &tally);
    }
    print_message("%zu the same, %zu refused by name\n", tally.same,
                  tally.refused);
    assert_true(tally.same > HISTORIES / 4);
    assert_true(tally.refused > HISTORIES / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_random_consents_become_the_same_again, export_setup,
            export_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
