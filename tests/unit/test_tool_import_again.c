/* SPDX-License-Identifier: Apache-2.0 */
/* What an export handed out, and comes back: unchanged it is known, however it
 * is printed; changed, or in another consortium, it is imported as any other.
 */
#include <jansson.h>

#include "client/fhir_handed.h"
#include "fhir/export.h"
#include "tests/support/import_fixture.h"
#include "vault/entries.h"

#define BODIES_MAX 16
#define TEXT_MAX (64 * 1024)

#define PATIENT "{\"resourceType\":\"Patient\",\"id\":\"p-1\"}\n"
#define DOCUMENT(id, content)                                                  \
    "{\"resourceType\":\"DocumentReference\",\"id\":\"" id "\",\"status\":"    \
    "\"current\",\"subject\":{\"reference\":\"Patient/p-1\"},\"content\":[{"   \
    "\"attachment\":{\"data\":\"" content "\"}}]}\n"
#define CONSENT(id, provision)                                                 \
    "{\"resourceType\":\"Consent\",\"id\":\"" id "\",\"status\":\"active\","   \
    "\"scope\":{\"coding\":[{\"system\":\"http://terminology.hl7.org/"         \
    "CodeSystem/consentscope\",\"code\":\"patient-privacy\"}]},\"category\":[" \
    "{\"text\":\"x\"}],\"patient\":{\"reference\":\"Patient/p-1\"},"           \
    "\"dateTime\":\"2025-03-01\",\"performer\":[{\"reference\":"               \
    "\"Patient/p-1\"}],\"sourceAttachment\":{\"title\":\"x\"},\"policy\":[{"   \
    "\"uri\":\"" POLICY_URI "\"}],\"provision\":" provision "}\n"

/* A transaction of the first import that has a resource. */
struct kept {
    uint8_t body[4096];
    size_t size;
    struct pbft_digest tx_id;
    struct fhir_wanted wanted;
};
static struct kept kept[BODIES_MAX];
static size_t kept_count;

static void keep_bodies(struct import_world *fixture,
                        const struct import_event *event)
{
    const struct vault_journal *steps = event->steps;
    struct pbft_digest chain;

    memcpy(chain.bytes, fixture->port.cluster, sizeof chain.bytes);
    for (uint32_t i = 0; steps != NULL && i < steps->step_count; i++) {
        const struct vault_step *step = &steps->steps[i];
        if (!fhir_export_knows((enum transaction_type)step->type)) {
            continue;
        }
        assert_true(kept_count < BODIES_MAX);
        struct kept *out = &kept[kept_count++];
        assert_true(step->size <= sizeof out->body);
        memcpy(out->body, step->body, step->size);
        out->size = step->size;
        out->tx_id = step->tx_id;
        out->wanted =
            (struct fhir_wanted){.type = (enum transaction_type)step->type,
                                 .tx_id = step->tx_id,
                                 .seq = 17,
                                 .has_entry = true};
        fhir_plan_key(out->wanted.entry, event->item, &chain);
    }
}

static void look(void *context, const struct import_event *event)
{
    keep_bodies(context, event);
}

/* All that was imported, as NDJSON; the vault notes it. */
static json_t *export_all(struct import_world *fixture)
{
    struct fhir_export_options options = {.vault = fixture->options.vault};
    struct fhir_handed handed = {.count = 0};
    struct fhir_exporter *exporter = NULL;
    json_t *out = json_array();

    memcpy(options.chain.bytes, fixture->port.cluster,
           sizeof options.chain.bytes);
    handed.chain = options.chain;
    assert_int_equal(fhir_exporter_create(&exporter, &options), PBFT_OK);
    for (size_t i = 0; i < kept_count; i++) {
        struct fhir_export_source source = {
            .body = bytes_of(kept[i].body, kept[i].size),
            .tx_id = kept[i].tx_id,
            .seq = 17};
        struct fhir_report report;
        char *text = NULL;
        assert_int_equal(fhir_export(exporter, &text, &report, &source),
                         PBFT_OK);
        assert_non_null(text);
        assert_int_equal(fhir_handed_add(&handed, &kept[i].wanted, text),
                         PBFT_OK);
        json_array_append_new(out, json_loads(text, 0, NULL));
        free(text);
    }
    assert_int_equal(fhir_handed_keep(&handed, fixture->options.vault),
                     PBFT_OK);
    fhir_handed_free(&handed);
    fhir_exporter_destroy(exporter);
    return out;
}

static int setup(void **state)
{
    int result = fixture_setup(state);
    struct import_world *fixture = *state;

    kept_count = 0;
    fixture_file(fixture, "first.ndjson",
                 PATIENT DOCUMENT("d-1", "b25l") DOCUMENT("d-2", "dHdv")
                     CONSENT("c-1", "{\"type\":\"permit\"}")
                         CONSENT("c-2", "{}"));
    fixture->look = look;
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    fixture->look = NULL;
    assert_int_equal(fixture->summary.outcomes[IMPORT_ON_LEDGER], 5);
    assert_int_equal(kept_count, 4);
    fixture->file_count = 0;
    return result;
}

/* Printed in that way, one after the other or as a Bundle. */
static void import_list(struct import_world *fixture, const json_t *list,
                        size_t flags, bool as_bundle)
{
    static char text[TEXT_MAX];
    size_t index = 0;
    json_t *one = NULL;

    text[0] = 0;
    if (as_bundle) {
        json_t *bundle = json_pack("{s:s, s:s, s:[]}", "resourceType", "Bundle",
                                   "type", "collection", "entry");
        json_array_foreach(list, index, one)
        {
            json_array_append_new(json_object_get(bundle, "entry"),
                                  json_pack("{s:O}", "resource", one));
        }
        char *printed = json_dumps(bundle, flags);
        (void)snprintf(text, sizeof text, "%s", printed);
        free(printed);
        json_decref(bundle);
    } else {
        json_array_foreach(list, index, one)
        {
            char *printed = json_dumps(one, flags);
            size_t used = strlen(text);
            (void)snprintf(text + used, sizeof text - used, "%s\n", printed);
            free(printed);
        }
    }
    fixture->file_count = 0;
    fixture_file(fixture, as_bundle ? "again.json" : "again.ndjson", text);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->event_count, json_array_size(list));
}

static void test_unchanged_it_is_known(void **state)
{
    static const size_t prints[] = {JSON_COMPACT | JSON_PRESERVE_ORDER,
                                    JSON_COMPACT | JSON_SORT_KEYS,
                                    JSON_INDENT(2) | JSON_SORT_KEYS};
    struct import_world *fixture = *state;
    json_t *list = export_all(fixture);
    uint64_t before = fixture_executed(fixture);

    assert_int_equal(json_array_size(list), 4);
    for (size_t i = 0; i < sizeof prints / sizeof prints[0]; i++) {
        import_list(fixture, list, prints[i], i > 0);
        assert_int_equal(fixture->summary.transactions, 0);
        assert_int_equal(fixture->summary.outcomes[IMPORT_KNOWN], 4);
        assert_int_equal(fixture_executed(fixture), before);
    }
    json_decref(list);
    /* And once more out of it: the first file is known as well. */
    list = export_all(fixture);
    import_list(fixture, list, JSON_COMPACT, false);
    assert_int_equal(fixture->summary.outcomes[IMPORT_KNOWN], 4);
    json_decref(list);
}

static json_t *resource_of(const json_t *list, const char *id)
{
    size_t index = 0;
    json_t *one = NULL;

    json_array_foreach(list, index, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "id")), id) == 0) {
            return one;
        }
    }
    fail_msg("%s was not exported", id);
    return NULL;
}

static void expect_types(const struct import_world *fixture,
                         enum import_outcome document,
                         enum import_outcome consent)
{
    for (size_t i = 0; i < fixture->event_count; i++) {
        const struct recorded *event = &fixture->events[i];
        bool is_grant = event->type == TRANSACTION_CONSENT_GRANT;
        bool is_anchor = event->type == TRANSACTION_RECORD_ANCHOR;
        assert_true(!is_anchor || event->outcome == document ||
                    event->outcome == IMPORT_KNOWN);
        assert_true(!is_grant || event->outcome == consent);
    }
}

/* As before: a changed document is another version, and what was not changed
 * beside it is known. */
static void test_changed_it_is_an_amendment(void **state)
{
    struct import_world *fixture = *state;
    json_t *list = export_all(fixture);
    json_t *attachment = json_object_get(
        json_array_get(json_object_get(resource_of(list, "d-1"), "content"), 0),
        "attachment");

    json_object_set_new(attachment, "data", json_string("dGhyZWU="));
    json_object_set_new(json_object_get(resource_of(list, "c-1"), "provision"),
                        "type", json_string("deny"));
    import_list(fixture, list, JSON_COMPACT | JSON_PRESERVE_ORDER, true);
    assert_int_equal(fixture->summary.outcomes[IMPORT_ON_LEDGER], 2);
    assert_int_equal(fixture->summary.outcomes[IMPORT_KNOWN], 2);
    /* RECORD_RETRACT, RECORD_ANCHOR, CONSENT_GRANT that supersedes. */
    assert_int_equal(fixture->summary.transactions, 3);
    expect_types(fixture, IMPORT_ON_LEDGER, IMPORT_ON_LEDGER);
    json_decref(list);
}

/* What was handed out before is the old version: nothing is undone by it. */
static void test_old_export_is_replaced(void **state)
{
    struct import_world *fixture = *state;
    json_t *list = export_all(fixture);

    fixture->file_count = 0;
    fixture_file(fixture, "next.ndjson",
                 DOCUMENT("d-1", "bmV3") CONSENT("c-1", "{\"type\":\"deny\"}"));
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    assert_int_equal(fixture->summary.outcomes[IMPORT_ON_LEDGER], 2);
    import_list(fixture, list, JSON_COMPACT | JSON_PRESERVE_ORDER, false);
    assert_int_equal(fixture->summary.transactions, 0);
    assert_int_equal(fixture->summary.outcomes[IMPORT_REPLACED], 2);
    assert_int_equal(fixture->summary.outcomes[IMPORT_KNOWN], 2);
    json_decref(list);
}

/* That it says a transaction is no proof: one that this vault did not hand out
 * is imported. */
static void test_what_only_says_so_is_not_known(void **state)
{
    struct import_world *fixture = *state;
    json_t *list = export_all(fixture);
    size_t index = 0;
    json_t *one = NULL;

    json_array_foreach(list, index, one)
    {
        json_t *extension =
            json_array_get(json_object_get(one, "extension"), 0);
        if (extension != NULL) { /* Evidence goes back as it came. */
            json_object_set_new(extension, "valueString",
                                json_string("0123456789abcdef"));
        }
    }
    import_list(fixture, list, JSON_COMPACT | JSON_PRESERVE_ORDER, false);
    assert_int_equal(fixture->summary.outcomes[IMPORT_ON_LEDGER], 3);
    assert_int_equal(fixture->summary.outcomes[IMPORT_KNOWN], 1);
    json_decref(list);
}

/* The same vault serves another consortium. */
static void test_other_chain_does_not_know_it(void **state)
{
    struct import_world *fixture = *state;
    json_t *list = export_all(fixture);

    fixture->port.cluster[0] ^= 1;
    import_list(fixture, list, JSON_COMPACT | JSON_PRESERVE_ORDER, false);
    assert_int_equal(fixture->summary.outcomes[IMPORT_KNOWN], 0);
    json_decref(list);
}

static void test_the_vault_of_another_does_not_know_it(void **state)
{
    struct import_world *fixture = *state;
    json_t *list = export_all(fixture);
    char other[SUPPORT_PATH_MAX];

    vault_close(fixture->options.vault);
    support_folder_create(other);
    assert_int_equal(vault_create(other, NULL), PBFT_OK);
    assert_int_equal(vault_open(&fixture->options.vault, other, NULL), PBFT_OK);
    fixture->file_count = 0;
    fixture_file(fixture, "patient.ndjson", PATIENT);
    assert_int_equal(fixture_import(fixture), PBFT_OK);
    import_list(fixture, list, JSON_COMPACT | JSON_PRESERVE_ORDER, false);
    assert_int_equal(fixture->summary.outcomes[IMPORT_KNOWN], 0);
    assert_int_equal(fixture->summary.outcomes[IMPORT_ON_LEDGER], 4);
    vault_close(fixture->options.vault);
    support_folder_remove(other);
    fixture_open_vault(fixture);
    json_decref(list);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_unchanged_it_is_known),
        TEST(test_changed_it_is_an_amendment),
        TEST(test_old_export_is_replaced),
        TEST(test_what_only_says_so_is_not_known),
        TEST(test_other_chain_does_not_know_it),
        TEST(test_the_vault_of_another_does_not_know_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
