/* SPDX-License-Identifier: Apache-2.0 */
/* The decision rule against the table that was derived from the example
 * consents of IHE "Privacy Consent on FHIR": every row. Skips loudly where the
 * shared test data are absent.
 *
 * One of them uses a purpose of its own, FooBar. A purpose that no table knows
 * matches nothing; so the consortium of this test adds it to its table first,
 * as a real one would.
 */
#include <jansson.h>
#include <stdio.h>

#include "crypto/digest.h"
#include "ledger/decide.h"
#include "tests/support/ledger_acts.h"
#include "tests/support/support.h"

#define PATH_SIZE 1024
#define LINE_SIZE 2048
#define FIELDS 8
#define LIST_MAX 16
#define DAY_MS 86400000u

/* ---- times --------------------------------------------------------------- */

static int64_t days_to(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
           719468;
}

/* "2022", "2022-06-13", "2022-07-01T12:00:00"; an end that is a date or a year
 * includes it. */
static uint64_t time_of(const char *text, bool is_end)
{
    int year = 0;
    int month = 1;
    int day = 1;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int read = sscanf(text, "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour,
                      &minute, &second);
    if (is_end && read == 1) {
        year++;
    }
    int64_t days = days_to(year, month, day) + (is_end && read == 3 ? 1 : 0);
    return (uint64_t)(days * 86400 + hour * 3600 + minute * 60 + second) * 1000;
}

/* ---- names as ids -------------------------------------------------------- */

/* A reference or label of the table by a random-looking id. */
static const uint8_t *id_of(const char *name)
{
    static uint8_t pool[4096][LEDGER_ID_SIZE];
    static size_t count;
    struct pbft_digest digest;
    uint8_t *id = pool[count++ % 4096];
    digest_blake2b(&digest, bytes_of(name, strlen(name)));
    memcpy(id, digest.bytes, LEDGER_ID_SIZE);
    id[0] |= 0x80;
    return id;
}

#define OWN_PURPOSE 100u

static uint32_t code_of(enum codes_table table, const char *code)
{
    size_t count = 0;
    if (table == CODES_PURPOSE && strcmp(code, "FooBar") == 0) {
        return OWN_PURPOSE;
    }
    const struct codes_entry *rows = codes_entries(table, &count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].code, code) == 0) {
            return rows[i].id;
        }
    }
    return 0;
}

/* ---- a consent of the profile as a selector ------------------------------ */

struct parsed {
    struct transaction_selector selector;
    struct transaction_actor actors[LIST_MAX];
    struct transaction_data_ref data[LIST_MAX];
    uint32_t purposes[LIST_MAX];
    uint32_t conf[LIST_MAX];
    uint8_t tags[LIST_MAX * LEDGER_ID_SIZE];
};

static const char *text(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static const char *reference_in(const json_t *json)
{
    return text(json_object_get(json, "reference"), "reference");
}

static void parse_purposes(struct parsed *out, const json_t *provision)
{
    size_t index = 0;
    const json_t *one = NULL;
    json_array_foreach(json_object_get(provision, "purpose"), index, one)
    {
        uint32_t code = code_of(CODES_PURPOSE, text(one, "code"));
        if (code == 0) {
            out->selector.purpose_unknown = true;
        } else {
            out->purposes[out->selector.purposes.count++] = code;
        }
    }
    out->selector.purposes.ids = out->purposes;
}

static void parse_actors(struct world *world, struct parsed *out,
                         const json_t *provision)
{
    size_t index = 0;
    const json_t *one = NULL;
    json_array_foreach(json_object_get(provision, "actor"), index, one)
    {
        const char *name = reference_in(one);
        struct transaction_actor *to =
            &out->actors[out->selector.actor_count++];
        to->kind = TRANSACTION_ACTOR_PARTICIPANT;
        to->id = bytes_of(id_of(name), LEDGER_ID_SIZE);
        if (strncmp(name, "Organization/", 13) == 0) {
            enum who who = strcmp(name, "Organization/ex-organization") == 0
                               ? HOSPITAL
                               : LABORATORY;
            to->kind = TRANSACTION_ACTOR_INSTITUTION;
            to->id = bytes_of(world->parties[who].institution.bytes, 16);
        } else if (strncmp(name, "Group/", 6) == 0) {
            to->kind = TRANSACTION_ACTOR_GROUP;
        }
    }
    out->selector.actors = out->actors;
}

static void parse_labels(struct parsed *out, const json_t *provision)
{
    size_t index = 0;
    const json_t *one = NULL;
    json_array_foreach(json_object_get(provision, "securityLabel"), index, one)
    {
        const char *code = text(one, "code");
        uint32_t conf = code_of(CODES_CONF, code);
        if (conf != 0) {
            out->conf[out->selector.confidentiality.count++] = conf;
        } else {
            memcpy(out->tags + LEDGER_ID_SIZE * out->selector.tags.count++,
                   id_of(code), LEDGER_ID_SIZE);
        }
    }
    out->selector.confidentiality.ids = out->conf;
    out->selector.tags.bytes = out->tags;
}

static void parse_data(struct parsed *out, const json_t *provision)
{
    static const char *const meanings[] = {"", "instance", "related",
                                           "dependents", "authoredby"};
    size_t index = 0;
    const json_t *one = NULL;
    json_array_foreach(json_object_get(provision, "data"), index, one)
    {
        struct transaction_data_ref *to =
            &out->data[out->selector.data_count++];
        for (int i = 1; i <= 4; i++) {
            if (strcmp(meanings[i], text(one, "meaning")) == 0) {
                to->meaning = (enum transaction_meaning)i;
            }
        }
        to->id = bytes_of(id_of(reference_in(one)), LEDGER_ID_SIZE);
    }
    out->selector.data = out->data;
    const json_t *period = json_object_get(provision, "dataPeriod");
    if (text(period, "start") != NULL) {
        out->selector.data_from_ms = time_of(text(period, "start"), false);
    }
    if (text(period, "end") != NULL) {
        out->selector.data_to_ms = time_of(text(period, "end"), true);
    }
}

static enum transaction_decision parse(struct world *world, struct parsed *out,
                                       const json_t *provision)
{
    memset(out, 0, sizeof *out);
    parse_purposes(out, provision);
    parse_actors(world, out, provision);
    parse_labels(out, provision);
    parse_data(out, provision);
    return strcmp(text(provision, "type"), "deny") == 0 ? TRANSACTION_DENY
                                                        : TRANSACTION_PERMIT;
}

static void file_consent(struct world *world, const json_t *consent)
{
    static struct parsed root;
    static struct parsed parts[LIST_MAX];
    struct transaction_exception exceptions[LIST_MAX];
    struct world_ids ids;
    const json_t *provision = json_object_get(consent, "provision");
    const json_t *list = json_object_get(provision, "provision");
    const json_t *period = json_object_get(provision, "period");
    struct transaction grant = world_grant(world, &ids);
    struct transaction_consent_grant *in = &grant.consent_grant;
    in->base_decision = parse(world, &root, provision);
    in->root = root.selector;
    in->exception_count = json_array_size(list);
    for (size_t i = 0; i < in->exception_count; i++) {
        exceptions[i].type = parse(world, &parts[i], json_array_get(list, i));
        exceptions[i].selector = parts[i].selector;
    }
    in->exceptions = exceptions;
    /* The table asks also about times before the consent was given. */
    in->period_from_ms = text(period, "start") != NULL
                             ? time_of(text(period, "start"), false)
                             : 1;
    if (text(period, "end") != NULL) {
        in->period_to_ms = time_of(text(period, "end"), true);
    }
    EXPECT(world_submit(world, HOSPITAL, &grant), LEDGER_OK);
}

/* ---- the cast of the table ----------------------------------------------- */

static void register_named(struct world *world, enum who who, const char *name,
                           const char *member)
{
    struct world_ids ids;
    struct transaction in = world_participant(world, &ids);
    in.participant_register.participant = bytes_of(id_of(name), 16);
    if (member != NULL) {
        in.participant_register.kind = TRANSACTION_GROUP;
        in.participant_register.members =
            (struct transaction_ids){id_of(member), 1};
    }
    EXPECT(world_submit(world, who, &in), LEDGER_OK);
}

static void publish_own_purpose(struct world *world)
{
    Salus__V1__CodetablePublish in = SALUS__V1__CODETABLE_PUBLISH__INIT;
    Salus__V1__CodetablePublish__Entry entry =
        SALUS__V1__CODETABLE_PUBLISH__ENTRY__INIT;
    Salus__V1__CodetablePublish__Entry *list[] = {&entry};
    entry.table = CODES_PURPOSE;
    entry.id = OWN_PURPOSE;
    entry.system = (char *)"http://example.org/policies/purposeOfUse";
    entry.code = (char *)"FooBar";
    in.version = 2;
    in.entries = list;
    in.n_entries = 1;
    EXPECT(act_govern(world, TRANSACTION_CODETABLE_PUBLISH, &in.base),
           LEDGER_OK);
    world->table_version = in.version;
}

static struct world *make_world(const json_t *consent)
{
    struct world *world = world_create_empty(11);
    world->now_ms = time_of(text(consent, "dateTime"), true) + 1000;
    world_register_subjects(world);
    publish_own_purpose(world);
    register_named(world, HOSPITAL, "Practitioner/ex-practitioner", NULL);
    register_named(world, HOSPITAL, "Practitioner/er-doc", NULL);
    register_named(world, HOSPITAL, "Group/ex-privilegedUsers",
                   "Practitioner/er-doc");
    register_named(world, CLINIC, "Practitioner/other", NULL);
    register_named(world, LABORATORY, "Practitioner/researcher", NULL);
    return world;
}

static void requester_of(struct world *world, const char *request,
                         struct decide_requester *out)
{
    const char *name = "Practitioner/other";
    enum who who = CLINIC;
    if (strncmp(request, "clinician", 9) == 0) {
        name = "Practitioner/ex-practitioner";
        who = HOSPITAL;
    } else if (strncmp(request, "privileged", 10) == 0) {
        name = "Practitioner/er-doc";
        who = HOSPITAL;
    } else if (strncmp(request, "researcher", 10) == 0) {
        name = "Practitioner/researcher";
        who = LABORATORY;
    }
    memset(out, 0, sizeof *out);
    out->institution = world->parties[who].institution;
    out->has_participant = true;
    memcpy(out->id, id_of(name), sizeof out->id);
}

struct table_record {
    const char *name;
    const char *author;
    const char *date;
    bool of_encounter;
};

static const struct table_record table_records[] = {
    {"Observation/ex-weight", "Practitioner/ex-author", "2004-12-25", true},
    {"Observation/ex-alcoholUse", "Practitioner/ex-author", "2022-06-13", true},
    {"X/psy-note", "Practitioner/ex-author", "2022-06-13", false},
    {"X/weight-2021", "Practitioner/ex-author", "2021-03-01", false},
    {"X/by-ex-practitioner", "Practitioner/ex-practitioner", "2022-03-01",
     false},
};

/* Labels with all that stand above them, as custodians blind them. */
static size_t tags_of(char *list, ProtobufCBinaryData *out)
{
    size_t count = 0;
    for (char *tag = strtok(list, ","); tag != NULL; tag = strtok(NULL, ",")) {
        if (strcmp(tag, "-") == 0) {
            continue;
        }
        out[count++] = field_of(id_of(tag), LEDGER_ID_SIZE);
        if (strcmp(tag, "ETHUD") == 0 || strcmp(tag, "OPIOIDUD") == 0) {
            out[count++] = field_of(id_of("ETH"), LEDGER_ID_SIZE);
        }
    }
    return count;
}

/* ---- rows ---------------------------------------------------------------- */

static const char *word_of(const struct decide_answer *answer)
{
    if (answer->permitted != 0) {
        return "PERMIT";
    }
    if (answer->implicit) {
        return "DENY(implicit)";
    }
    return answer->rule == SCHEMA_RULE_DENIED ? "DENY" : "DENY(no-grant)";
}

static const char *decide_row(struct world *world, char *fields[FIELDS])
{
    static struct decide_answer answer;
    struct decide_requester requester;
    struct overlay overlay;
    struct wire_arena arena;
    struct schema_policy policy;
    ProtobufCBinaryData tags[LIST_MAX];
    ProtobufCBinaryData encounter =
        field_of(id_of("Encounter/ex-encounter"), LEDGER_ID_SIZE);
    const struct pbft_digest seed = {{0}};
    const uint32_t class_code = CODES_CLASS_OTHER;
    const struct table_record *record = table_records;
    while (strcmp(record->name, fields[3]) != 0) {
        record++;
        assert_true(record < table_records + sizeof table_records /
                                                 sizeof table_records[0]);
    }
    uint32_t purpose = code_of(CODES_PURPOSE, fields[2]);
    requester_of(world, fields[1], &requester);
    overlay_init(&overlay, ledger_kv_memory_vtable(world->memory));
    overlay_begin(&overlay, &seed);
    overlay.seq = 1000;
    wire_arena_init(&arena, EXECUTION_ARENA_MAX);
    state_governing_policy(&overlay, &policy);
    const struct decide_target target = {
        .record = id_of(record->name),
        .author = id_of(record->author),
        .tags = tags,
        .tag_count = tags_of(fields[5], tags),
        .related = &encounter,
        .related_count = record->of_encounter,
        .classes = &class_code,
        .class_count = 1,
        .confidentiality = code_of(CODES_CONF, fields[4]),
        .from_ms = time_of(record->date, false),
        .to_ms = time_of(record->date, true),
    };
    const struct decide_question question = {
        .overlay = &overlay,
        .arena = &arena,
        .policy = &policy,
        .now_ms = time_of(fields[6], false),
        .subject = world->subject,
        .requester = &requester,
        .purpose = purpose != 0 ? purpose : CODES_ID_MAX, /* Unknown. */
        .action = CODES_ACTION_ACCESS,
        .targets = &target,
        .target_count = 1,
    };
    decide(&answer, &question);
    wire_arena_deinit(&arena);
    overlay_deinit(&overlay);
    return word_of(&answer);
}

static const char *data_folder(void)
{
    static char folder[PATH_SIZE];

    support_shared_path(folder, sizeof folder, "fhir");
    return folder;
}

static FILE *open_table(void)
{
    char path[PATH_SIZE + 32];
    (void)snprintf(path, sizeof path, "%s/PCF-DECISIONS.tsv", data_folder());
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        print_message("SKIPPED: no %s (SALUS_SHARED_DATA)\n", path);
    }
    return file;
}

/* The world in which that consent stands; the one of the row before if it is
 * the same. */
static struct world *world_of(struct world *before, char *name, size_t size,
                              const char *consent)
{
    char path[2 * PATH_SIZE];
    json_error_t error;
    if (before != NULL && strcmp(name, consent) == 0) {
        return before;
    }
    if (before != NULL) {
        world_destroy(before);
    }
    (void)snprintf(name, size, "%s", consent);
    (void)snprintf(path, sizeof path, "%s/ihe-pcf/Consent-%s.json",
                   data_folder(), consent);
    json_t *json = json_load_file(path, 0, &error);
    assert_non_null(json);
    struct world *world = make_world(json);
    file_consent(world, json);
    json_decref(json);
    return world;
}

static void test_every_row(void **state)
{
    char line[LINE_SIZE];
    char name[256] = "";
    struct world *world = NULL;
    size_t rows = 0;
    size_t wrong = 0;
    FILE *file = open_table();
    (void)state;
    if (file == NULL) {
        skip();
    }
    while (fgets(line, sizeof line, file) != NULL) {
        char *fields[FIELDS] = {NULL};
        char *at = line;
        for (size_t i = 0; i < FIELDS && at != NULL; i++) {
            fields[i] = at;
            at = strpbrk(at, "\t\n");
            if (at != NULL) {
                *at++ = 0;
            }
        }
        if (fields[7] == NULL || strcmp(fields[0], "consent") == 0) {
            continue;
        }
        world = world_of(world, name, sizeof name, fields[0]);
        const char *found = decide_row(world, fields);
        if (strcmp(found, fields[7]) != 0) {
            print_message("%s, %s: %s, the table has %s\n", fields[0],
                          fields[1], found, fields[7]);
            wrong++;
        }
        rows++;
    }
    (void)fclose(file);
    if (world != NULL) {
        world_destroy(world);
    }
    print_message("%zu rows, %zu differ\n", rows, wrong);
    assert_true(rows > 0);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
