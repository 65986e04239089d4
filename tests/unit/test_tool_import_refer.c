/* SPDX-License-Identifier: Apache-2.0 */
/* What imported resources refer to: documents and their versions by name and by
 * id of the ledger, as those see it who ask for the documents. */
#include "tests/support/import_fixture.h"
#include "tests/support/ledger_access.h"
#include "crypto/hex.h"
#include "vault/entries.h"

#define PATIENT "{\"resourceType\":\"Patient\",\"id\":\"p-1\"}"
#define DOCUMENT(id, content, more)                                            \
    "{\"resourceType\":\"DocumentReference\",\"id\":\"" id "\",\"status\":"    \
    "\"current\",\"subject\":{\"reference\":\"Patient/p-1\"},\"content\":[{"   \
    "\"attachment\":{\"data\":\"" content "\"}}]" more "}"
#define RELATES(code, target)                                                  \
    ",\"relatesTo\":[{\"code\":\"" code "\",\"target\":" target "}]"
#define BY_NAME "{\"reference\":\"DocumentReference/d-1\"}"
#define CONSENT(id, performer, provision)                                      \
    "{\"resourceType\":\"Consent\",\"id\":\"" id "\",\"status\":\"active\","   \
    "\"scope\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/"         \
    "CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]},\"category\":[" \
    "{\"text\":\"x\"}],\"patient\":{\"reference\":\"Patient/p-1\"},"           \
    "\"dateTime\":\"2025-03-01\",\"performer\":[{\"reference\":\"" performer   \
    "\"}],\"sourceAttachment\":{\"title\":\"x\"},\"policy\":[{\"uri\":"        \
    "\"" POLICY_URI "\"}],\"provision\":" provision "}"
#define DATA(meaning, reference)                                               \
    "\"data\":[{\"meaning\":\"" meaning "\",\"reference\":" reference "}]"
#define ALL_BUT(data)                                                          \
    CONSENT("c-1", "Patient/p-1",                                              \
            "{\"type\":\"permit\",\"provision\":[{\"type\":\"deny\"," data     \
            "}]}")
#define ONLY(data)                                                             \
    CONSENT("c-1", "Patient/p-1", "{\"type\":\"permit\"," data "}")

static const struct recorded *import_one(struct import_world *fixture,
                                         const char *text)
{
    fixture->file_count = 0;
    fixture_file(fixture, "next.json", text);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->event_count, 1);
    return &fixture->events[0];
}

static void expect_done(struct import_world *fixture, const char *text)
{
    const struct recorded *event = import_one(fixture, text);

    assert_int_equal(event->code, 0);
    assert_int_equal(event->outcome, IMPORT_ON_LEDGER);
}

static int setup(void **state)
{
    int result = fixture_setup(state);

    expect_done(*state, PATIENT);
    return result;
}

/* May the clinic have what the name means now? */
static bool is_open(struct import_world *fixture, const char *name)
{
    struct vault_record record;
    struct wire_arena arena;
    struct asked asked;

    assert_int_equal(vault_find_record(fixture->options.vault, &record, name),
                     PBFT_OK);
    ask_for(fixture->world, &asked, record.id);
    assert_int_equal(ask(fixture->world, &asked), LEDGER_OK);
    wire_arena_init(&arena, 8u << 20);
    bool granted = explain(fixture->world, asked.id, &arena)->granted;
    wire_arena_deinit(&arena);
    return granted;
}

/* ---- versions by id of the ledger ---------------------------------------- */

#define BY_ID_SIZE 512

/* What the name means now, as an export refers to it. */
static void refer_by_id(struct import_world *fixture, char out[BY_ID_SIZE],
                        const char *name)
{
    struct vault_record record;
    char cluster[2 * SALUS_DIGEST_SIZE + 1];
    char id[2 * VAULT_ID_SIZE + 1];

    assert_int_equal(vault_find_record(fixture->options.vault, &record, name),
                     PBFT_OK);
    hex_encode(id, bytes_of(record.id, sizeof record.id));
    hex_encode(cluster, bytes_of(fixture->port.cluster, SALUS_DIGEST_SIZE));
    (void)snprintf(out, BY_ID_SIZE,
                   "{\"type\":\"DocumentReference\",\"identifier\":{"
                   "\"system\":\"urn:salus:%s\",\"value\":\"data/%s\"}}",
                   cluster, id);
}

/* The format has one %s: the reference. */
static void import_by_id(struct import_world *fixture, const char *format,
                         const char *reference)
{
    char text[4096];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int size = snprintf(text, sizeof text, format, reference);
#pragma GCC diagnostic pop
    assert_true(size > 0 && (size_t)size < sizeof text);
    expect_done(fixture, text);
}

/* The ledger has the deny at the first version, and finds the others by their
 * relation to that: whatever name they are imported with. */
static void test_deny_is_not_escaped_by_an_id_of_the_ledger(void **state)
{
    struct import_world *fixture = *state;
    char second[BY_ID_SIZE];

    expect_done(fixture, DOCUMENT("d-1", "b25l", ""));
    expect_done(fixture, ALL_BUT(DATA("instance", BY_NAME)));
    assert_false(is_open(fixture, "DocumentReference/d-1"));
    expect_done(fixture, DOCUMENT("d-1", "dHdv", ""));
    assert_false(is_open(fixture, "DocumentReference/d-1"));
    refer_by_id(fixture, second, "DocumentReference/d-1");
    expect_done(fixture, DOCUMENT("d-2", "YQ==", RELATES("replaces", BY_NAME)));
    assert_false(is_open(fixture, "DocumentReference/d-2"));
    import_by_id(fixture, DOCUMENT("d-3", "Yg==", RELATES("replaces", "%s")),
                 second);
    assert_false(is_open(fixture, "DocumentReference/d-3"));
    import_by_id(fixture, DOCUMENT("d-4", "Yw==", RELATES("appends", "%s")),
                 second);
    assert_false(is_open(fixture, "DocumentReference/d-4"));
    expect_done(fixture, DOCUMENT("d-5", "ZA==", ""));
    assert_true(is_open(fixture, "DocumentReference/d-5"));
}

/* Nor does a deny that names a later version by its id miss the others. */
static void test_deny_by_id_reaches_all_versions(void **state)
{
    struct import_world *fixture = *state;
    static const char *const denies[] = {ALL_BUT(DATA("instance", "%s")),
                                         ALL_BUT(DATA("related", "%s")),
                                         ALL_BUT(DATA("dependents", "%s"))};
    char second[BY_ID_SIZE];

    expect_done(fixture, DOCUMENT("d-1", "b25l", ""));
    expect_done(fixture, DOCUMENT("d-1", "dHdv", ""));
    refer_by_id(fixture, second, "DocumentReference/d-1");
    expect_done(fixture, DOCUMENT("d-1", "dGhyZWU=", ""));
    expect_done(fixture, DOCUMENT("d-2", "YQ==", ""));
    for (size_t i = 0; i < sizeof denies / sizeof denies[0]; i++) {
        import_by_id(fixture, denies[i], second);
        assert_false(is_open(fixture, "DocumentReference/d-1"));
        assert_true(is_open(fixture, "DocumentReference/d-2"));
    }
}

/* A permit opens what it names, and no later version. */
static void test_permit_by_id_opens_one_version(void **state)
{
    struct import_world *fixture = *state;
    static const char *const permits[] = {ONLY(DATA("instance", "%s")),
                                          ONLY(DATA("related", "%s")),
                                          ONLY(DATA("dependents", "%s"))};
    char reference[BY_ID_SIZE];

    expect_done(fixture, DOCUMENT("d-1", "b25l", ""));
    expect_done(fixture, DOCUMENT("d-1", "dHdv", ""));
    refer_by_id(fixture, reference, "DocumentReference/d-1");
    import_by_id(fixture, permits[0], reference);
    assert_true(is_open(fixture, "DocumentReference/d-1"));
    /* The third has it for the version before. */
    expect_done(fixture, DOCUMENT("d-1", "dGhyZWU=", ""));
    expect_done(fixture, DOCUMENT("d-1", "Zm91cg==", ""));
    assert_false(is_open(fixture, "DocumentReference/d-1"));
    for (size_t i = 1; i < sizeof permits / sizeof permits[0]; i++) {
        import_by_id(fixture, permits[i], reference);
        assert_false(is_open(fixture, "DocumentReference/d-1"));
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_deny_is_not_escaped_by_an_id_of_the_ledger),
        T(test_deny_by_id_reaches_all_versions),
        T(test_permit_by_id_opens_one_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
