/* SPDX-License-Identifier: Apache-2.0 */
/* The table that was derived from the example consents of IHE "Privacy Consent
 * on FHIR" once more, as a hospital meets it: people, patient, documents and
 * consent come in as FHIR, by the planner of the import; the ledger executes
 * what that gives, then each row's ACCESS_REQUEST, at the row's time; and what
 * it computed is the row's verdict. tests/unit/test_ledger_pcf.c asks the
 * decision rule alone.
 *
 * Skips loudly where the shared test data are absent.
 */
#include <jansson.h>
#include <stdio.h>

#include "fhir/date.h"
#include "fhir/plan.h"
#include "tests/support/folder.h"
#include "tests/support/ledger_access.h"
#include "tests/support/support.h"
#include "vault/entries.h"
#include "vault/purposes.h"

#define PATH_SIZE 1024
#define LINE_SIZE 2048
#define ROWS_MAX 512
#define DAY_MS 86400000u
/* Of the consortium's own. */
#define OWN_PURPOSE 100u
#define OWN_SYSTEM "http://example.org/policies/purposeOfUse"
#define OWN_CODE "FooBar"

enum column { CONSENT, REQUEST, PURPOSE, RECORD, CONF, TAGS, TIME, VERDICT };
#define COLUMNS (VERDICT + 1)

struct row {
    char line[LINE_SIZE];
    char *fields[COLUMNS];
};

/* A hospital and its vault. */
struct bridge {
    struct world *world;
    char folder[SUPPORT_PATH_MAX];
    struct fhir_plan_options plan;
    uint8_t researcher[LEDGER_ID_SIZE];
};

/* "2022", "2022-06-13", "2022-07-01T12:00:00", in UTC. */
static uint64_t time_of(const char *text)
{
    char full[64];
    struct fhir_interval interval;

    (void)snprintf(full, sizeof full, "%s%s", text,
                   strchr(text, 'T') != NULL ? "Z" : "");
    assert_true(fhir_date_parse(&interval, full, 0));
    return (uint64_t)interval.from;
}

/* ---- imports ------------------------------------------------------------- */

static void execute(struct bridge *bridge, const struct fhir_item *item,
                    struct vault_journal *journal)
{
    for (uint32_t i = 0; i < journal->step_count; i++) {
        const struct vault_step *step = &journal->steps[i];
        uint32_t code = world_submit_signed(
            bridge->world, HOSPITAL, bytes_of(step->body, step->size), NULL, 0);
        if (code != LEDGER_OK) {
            fail_msg("%s: %s", fhir_item_name(item), ledger_code_name(code));
        }
    }
    if (journal->step_count > 0) {
        assert_int_equal(vault_journal_settle(bridge->plan.vault, journal),
                         PBFT_OK);
    }
}

static void import_item(struct bridge *bridge, struct fhir_item *item)
{
    struct vault_journal *journal = calloc(1, sizeof *journal);
    char reasons[512];

    assert_non_null(journal);
    bridge->world->now_ms += 1;
    bridge->plan.now_ms = bridge->world->now_ms;
    bridge->plan.envelope.not_after_ms = bridge->world->now_ms + 60000;
    assert_int_equal(vault_begin(bridge->plan.vault), PBFT_OK);
    assert_int_equal(fhir_plan(journal, item, &bridge->plan), PBFT_OK);
    enum fhir_class class_of = fhir_item_class(item);
    if (class_of != FHIR_ENFORCEABLE && class_of != FHIR_LOCAL) {
        fhir_report_reasons(fhir_item_report(item), reasons, sizeof reasons);
        fail_msg("%s is %s at %s: %s", fhir_item_name(item),
                 fhir_class_name(class_of),
                 fhir_report_path(fhir_item_report(item)), reasons);
    }
    execute(bridge, item, journal);
    assert_int_equal(vault_commit(bridge->plan.vault), PBFT_OK);
    vault_journal_free(journal);
    free(journal);
}

static struct fhir_item *load(const json_t *resource)
{
    static const struct vault_purposes published = {
        .rows = {{OWN_PURPOSE, OWN_SYSTEM, OWN_CODE}}, .count = 1};
    const struct fhir_options options = {.purposes = &published};
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;
    char *text = json_dumps(resource, 0);

    assert_non_null(text);
    assert_int_equal(
        fhir_file_open_bytes(&file, "test", bytes_of(text, strlen(text))),
        PBFT_OK);
    assert_int_equal(fhir_item_load(&item, file, 0, &options), PBFT_OK);
    fhir_file_close(file);
    free(text);
    return item;
}

/* Takes the reference. */
static void import(struct bridge *bridge, json_t *resource)
{
    assert_non_null(resource);
    struct fhir_item *item = load(resource);
    json_decref(resource);
    import_item(bridge, item);
    fhir_item_free(item);
}

/* ---- the data ------------------------------------------------------------ */

static const char *data_folder(void)
{
    static char folder[PATH_SIZE];

    support_shared_path(folder, sizeof folder, "fhir");
    return folder;
}

/* Of the profile's examples. */
static json_t *example(const char *name)
{
    char path[2 * PATH_SIZE];
    json_error_t error;

    (void)snprintf(path, sizeof path, "%s/ihe-pcf/%s.json", data_folder(),
                   name);
    json_t *json = json_load_file(path, 0, &error);
    if (json == NULL) {
        fail_msg("%s: %s", path, error.text);
    }
    return json;
}

/* ---- the cast of the table ----------------------------------------------- */

static void import_person(struct bridge *bridge, const char *id)
{
    import(bridge,
           json_pack("{s:s, s:s}", "resourceType", "Practitioner", "id", id));
    import(bridge,
           json_pack("{s:s, s:o, s:{s:o}, s:{s:s}, s:[{s:[{s:s, s:s}]}]}",
                     "resourceType", "PractitionerRole", "id",
                     json_sprintf("%s-doctor", id), "practitioner", "reference",
                     json_sprintf("Practitioner/%s", id), "organization",
                     "reference", "Organization/ex-organization", "code",
                     "coding", "system",
                     "http://terminology.hl7.org/CodeSystem/practitioner-role",
                     "code", "doctor"));
}

struct table_record {
    const char *name; /* In the table. */
    const char *id;
    const char *author;
    const char *date;
    const char *conf;
    const char *tag;
    bool of_encounter;
};

/* What the table calls an observation is a document here. */
static const struct table_record table_records[] = {
    {"Observation/ex-weight", "ex-weight", "Practitioner/ex-author",
     "2004-12-25", "N", NULL, true},
    {"Observation/ex-alcoholUse", "ex-alcoholUse", "Practitioner/ex-author",
     "2022-06-13", "R", "ETHUD", true},
    {"X/psy-note", "psy-note", "Practitioner/ex-author", "2022-06-13", "R",
     "PSY", false},
    {"X/weight-2021", "weight-2021", "Practitioner/ex-author", "2021-03-01",
     "N", NULL, false},
    {"X/by-ex-practitioner", "by-ex-practitioner",
     "Practitioner/ex-practitioner", "2022-03-01", "N", NULL, false},
};
#define RECORDS (sizeof table_records / sizeof table_records[0])

static json_t *label(const char *system, const char *code)
{
    return json_pack(
        "{s:[{s:o, s:s}]}", "coding", "system",
        json_sprintf("http://terminology.hl7.org/CodeSystem/%s", system),
        "code", code);
}

static void import_record(struct bridge *bridge,
                          const struct table_record *record)
{
    json_t *labels =
        json_pack("[o]", label("v3-Confidentiality", record->conf));
    json_t *context = json_pack("{s:{s:s, s:s}}", "period", "start",
                                record->date, "end", record->date);

    if (record->tag != NULL) {
        json_array_append_new(labels, label("v3-ActCode", record->tag));
    }
    if (record->of_encounter) {
        json_object_set_new(
            context, "encounter",
            json_pack("[{s:s}]", "reference", "Encounter/ex-encounter"));
    }
    import(bridge,
           json_pack("{s:s, s:s, s:s, s:{s:s}, s:[{s:s}], s:o, s:o, "
                     "s:[{s:{s:s, s:s}}]}",
                     "resourceType", "DocumentReference", "id", record->id,
                     "status", "current", "subject", "reference",
                     "Patient/ex-patient", "author", "reference",
                     record->author, "securityLabel", labels, "context",
                     context, "content", "attachment", "contentType",
                     "text/plain", "data", "bm9uZQ=="));
}

/* The signed form that lies elsewhere. */
static void import_ink(struct bridge *bridge)
{
    json_t *form = example("DocumentReference-ex-consent-ink");
    json_t *attachment = json_object_get(
        json_array_get(json_object_get(form, "content"), 0), "attachment");

    (void)json_object_del(attachment, "url");
    json_object_set_new(attachment, "data", json_string("bm9uZQ=="));
    import(bridge, form);
}

static void import_cast(struct bridge *bridge)
{
    static const char *const things[] = {
        "Patient-ex-patient",
        "Patient-ex-mother",
        "Encounter-ex-encounter",
        "Observation-ex-bloodPressure",
        "Observation-ex-bloodSugar",
        "Observation-ex-weight-2",
        "DocumentReference-ex-documentreference"};

    import_person(bridge, "ex-practitioner");
    import_person(bridge, "ex-author");
    import_person(bridge, "er-doc");
    import(bridge,
           json_pack("{s:s, s:s, s:s, s:b, s:[{s:{s:s}}]}", "resourceType",
                     "Group", "id", "ex-privilegedUsers", "type",
                     "practitioner", "actual", 1, "member", "entity",
                     "reference", "Practitioner/er-doc"));
    for (size_t i = 0; i < sizeof things / sizeof things[0]; i++) {
        import(bridge, example(things[i]));
    }
    import_ink(bridge);
    for (size_t i = 0; i < RECORDS; i++) {
        import_record(bridge, &table_records[i]);
    }
    act_register_in(bridge->world, CLINIC, CODES_ROLE_DOCTOR,
                    bridge->world->outsider);
    act_register_in(bridge->world, LABORATORY, CODES_ROLE_RESEARCHER,
                    bridge->researcher);
}

/* ---- the consent --------------------------------------------------------- */

/* Names each document of the table where it says observation. */
static void rename_data(json_t *provision)
{
    size_t index = 0;
    json_t *one = NULL;

    json_array_foreach(json_object_get(provision, "data"), index, one)
    {
        json_t *reference = json_object_get(one, "reference");
        const char *name =
            json_string_value(json_object_get(reference, "reference"));
        for (size_t i = 0; i < RECORDS; i++) {
            if (name != NULL && strcmp(name, table_records[i].name) == 0) {
                json_object_set_new(
                    reference, "reference",
                    json_sprintf("DocumentReference/%s", table_records[i].id));
                break;
            }
        }
    }
    json_array_foreach(json_object_get(provision, "provision"), index, one)
    {
        rename_data(one);
    }
}

static void import_consent(struct bridge *bridge, json_t *consent)
{
    rename_data(json_object_get(consent, "provision"));
    import(bridge, consent);
}

static void publish_own_purpose(struct world *world)
{
    Salus__V1__CodetablePublish in = SALUS__V1__CODETABLE_PUBLISH__INIT;
    Salus__V1__CodetablePublish__Entry entry =
        SALUS__V1__CODETABLE_PUBLISH__ENTRY__INIT;
    Salus__V1__CodetablePublish__Entry *list[] = {&entry};

    entry.table = CODES_PURPOSE;
    entry.id = OWN_PURPOSE;
    entry.system = (char *)OWN_SYSTEM;
    entry.code = (char *)OWN_CODE;
    in.version = 2;
    in.entries = list;
    in.n_entries = 1;
    EXPECT(act_govern(world, TRANSACTION_CODETABLE_PUBLISH, &in.base),
           LEDGER_OK);
    world->table_version = in.version;
}

static void open_bridge(struct bridge *out, const json_t *consent)
{
    struct world *world = world_create_empty(11);
    const struct party *hospital = &world->parties[HOSPITAL];
    const char *policy = json_string_value(json_object_get(
        json_array_get(json_object_get(consent, "policy"), 0), "uri"));
    struct transaction_id16 id;

    memset(out, 0, sizeof *out);
    out->world = world;
    /* The policy that the consent is given under. */
    transaction_policy_id(&id, bytes_of(policy, strlen(policy)));
    memcpy(world->policy.policy, id.bytes, sizeof id.bytes);
    ledger_destroy(world->ledger);
    ledger_kv_memory_destroy(world->memory);
    world_open(world, &world->memory, &world->ledger);
    world->now_ms =
        time_of(json_string_value(json_object_get(consent, "dateTime"))) +
        DAY_MS;
    publish_own_purpose(world);
    support_folder_create(out->folder);
    assert_int_equal(vault_create(out->folder, NULL), PBFT_OK);
    assert_int_equal(vault_open(&out->plan.vault, out->folder, NULL), PBFT_OK);
    out->plan.envelope = world_envelope(world, HOSPITAL);
    out->plan.mode = TRANSACTION_WET_INK;
    memcpy(out->plan.custodian_key, hospital->encryption_key.bytes,
           sizeof out->plan.custodian_key);
    assert_int_equal(vault_set_institution(out->plan.vault,
                                           "Organization/ex-organization",
                                           &hospital->institution),
                     PBFT_OK);
    assert_int_equal(
        vault_set_institution(out->plan.vault, "Organization/ex-org-researcher",
                              &world->parties[LABORATORY].institution),
        PBFT_OK);
}

static void close_bridge(struct bridge *bridge)
{
    vault_close(bridge->plan.vault);
    support_folder_remove(bridge->folder);
    world_destroy(bridge->world);
}

/* ---- rows ---------------------------------------------------------------- */

struct requester {
    enum who who;
    uint8_t id[LEDGER_ID_SIZE];
};

static void imported_person(struct bridge *bridge, const char *name,
                            uint8_t out[LEDGER_ID_SIZE])
{
    struct vault_participant person;

    assert_int_equal(vault_find_participant(bridge->plan.vault, &person, name),
                     PBFT_OK);
    memcpy(out, person.id, LEDGER_ID_SIZE);
}

static struct requester requester_of(struct bridge *bridge, const char *request)
{
    struct requester out = {.who = HOSPITAL};

    if (strncmp(request, "clinician", 9) == 0) {
        imported_person(bridge, "Practitioner/ex-practitioner", out.id);
    } else if (strncmp(request, "privileged", 10) == 0) {
        imported_person(bridge, "Practitioner/er-doc", out.id);
    } else if (strncmp(request, "researcher", 10) == 0) {
        out.who = LABORATORY;
        memcpy(out.id, bridge->researcher, sizeof out.id);
    } else {
        out.who = CLINIC;
        memcpy(out.id, bridge->world->outsider, sizeof out.id);
    }
    return out;
}

static uint32_t purpose_of(const char *code)
{
    size_t count = 0;
    const struct codes_entry *rows = codes_entries(CODES_PURPOSE, &count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].code, code) == 0) {
            return rows[i].id;
        }
    }
    assert_string_equal(code, OWN_CODE);
    return OWN_PURPOSE;
}

static void record_of(struct bridge *bridge, const struct row *row,
                      uint8_t out[LEDGER_ID_SIZE])
{
    char name[64];
    struct vault_record record;
    const struct table_record *found = NULL;

    for (size_t i = 0; i < RECORDS; i++) {
        if (strcmp(table_records[i].name, row->fields[RECORD]) == 0) {
            found = &table_records[i];
        }
    }
    assert_non_null(found);
    /* As it was imported. */
    assert_string_equal(row->fields[CONF], found->conf);
    assert_string_equal(row->fields[TAGS],
                        found->tag != NULL ? found->tag : "-");
    (void)snprintf(name, sizeof name, "DocumentReference/%s", found->id);
    assert_int_equal(vault_find_record(bridge->plan.vault, &record, name),
                     PBFT_OK);
    memcpy(out, record.id, LEDGER_ID_SIZE);
}

static const char *word_of(const Salus__V1__DecisionState *decision)
{
    if (decision->computed != 0) {
        return "PERMIT";
    }
    if (decision->implicit) {
        return "DENY(implicit)";
    }
    return decision->rule == SALUS__V1__DECISION_RULE__RULE_DENIED
               ? "DENY"
               : "DENY(no-grant)";
}

static const char *verdict_of(struct bridge *bridge, const struct row *row)
{
    struct requester requester = requester_of(bridge, row->fields[REQUEST]);
    uint8_t record[LEDGER_ID_SIZE];
    struct wire_arena arena;
    struct asked asked;

    record_of(bridge, row, record);
    ask_for(bridge->world, &asked, record);
    asked.in.purpose = purpose_of(row->fields[PURPOSE]);
    uint32_t code = act_as(bridge->world, requester.who, requester.id,
                           TRANSACTION_ACCESS_REQUEST, &asked.in.base);
    if (code != LEDGER_OK) {
        return ledger_code_name(code);
    }
    wire_arena_init(&arena, 8u * 1024 * 1024);
    const char *word = word_of(explain(bridge->world, asked.id, &arena));
    wire_arena_deinit(&arena);
    return word;
}

struct tally {
    size_t rows;
    size_t wrong;
};

/* The rows of one consent, in the order of time. */
static void run_consent(struct row *const *rows, size_t count,
                        struct tally *tally)
{
    struct bridge bridge;
    char name[256];

    (void)snprintf(name, sizeof name, "Consent-%s", rows[0]->fields[CONSENT]);
    json_t *consent = example(name);
    open_bridge(&bridge, consent);
    import_cast(&bridge);
    import_consent(&bridge, consent);
    for (size_t i = 0; i < count; i++) {
        uint64_t at_ms = time_of(rows[i]->fields[TIME]);
        bridge.world->now_ms =
            at_ms > bridge.world->now_ms ? at_ms : bridge.world->now_ms + 1;
        const char *found = verdict_of(&bridge, rows[i]);
        if (strcmp(found, rows[i]->fields[VERDICT]) != 0) {
            print_message("%s, %s: %s, the table has %s\n",
                          rows[i]->fields[CONSENT], rows[i]->fields[REQUEST],
                          found, rows[i]->fields[VERDICT]);
            tally->wrong++;
        }
        tally->rows++;
    }
    close_bridge(&bridge);
}

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = *(struct row *const *)left;
    const struct row *b = *(struct row *const *)right;
    int consents = strcmp(a->fields[CONSENT], b->fields[CONSENT]);

    return consents != 0 ? consents : strcmp(a->fields[TIME], b->fields[TIME]);
}

static bool split(struct row *row)
{
    char *at = row->line;

    for (size_t i = 0; i < COLUMNS; i++) {
        if (at == NULL) {
            return false;
        }
        row->fields[i] = at;
        at = strpbrk(at, "\t\n");
        if (at != NULL) {
            *at++ = 0;
        }
    }
    return strcmp(row->fields[CONSENT], "consent") != 0;
}

static void test_every_row_through_the_bridge(void **state)
{
    static struct row pool[ROWS_MAX];
    struct row *rows[ROWS_MAX];
    struct tally tally = {0, 0};
    char path[PATH_SIZE + 32];
    size_t count = 0;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/PCF-DECISIONS.tsv", data_folder());
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        print_message("SKIPPED: no %s (SALUS_SHARED_DATA)\n", path);
        skip();
    }
    while (fgets(pool[count].line, LINE_SIZE, file) != NULL) {
        if (split(&pool[count])) {
            rows[count] = &pool[count];
            count++;
            assert_true(count < ROWS_MAX);
        }
    }
    (void)fclose(file);
    qsort(rows, count, sizeof rows[0], compare_rows);
    for (size_t i = 0, end = 0; i < count; i = end) {
        while (end < count && strcmp(rows[end]->fields[CONSENT],
                                     rows[i]->fields[CONSENT]) == 0) {
            end++;
        }
        run_consent(rows + i, end - i, &tally);
    }
    print_message("%zu rows, %zu differ\n", tally.rows, tally.wrong);
    assert_true(tally.rows > 0);
    assert_int_equal(tally.wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_through_the_bridge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
