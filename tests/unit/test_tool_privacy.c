/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing of a patient leaves: no text of any resource stands in a transaction
 * made of it, and no text of a person in a reason. */
#include <dirent.h>

#include "client/fhir_files.h"
#include "tests/support/import_fixture.h"
#include "tests/support/support.h"

#define TEXT_MIN 5 /* Shorter texts are met in random bytes by chance. */

/* Of examples/fhir: names, numbers, dates of birth, places, words of notes. */
static const char *const canaries[] = {
    "Zirbelnuss",    "zirbelnuss",    "Quastenflosser", "quastenflosser",
    "Himmelschl",    "himmelschl",    "Donnerkeil",     "donnerkeil",
    "Schnurrbart",   "schnurrbart",   "Wurzelsepp",     "Kraxlhuber",
    "Zwetschgenmus", "MRN-QX",        "LANR-QX",        "Quastenberg",
    "1948-11-07",    "1983-02-17",    "2019-06-23",     "1960-09-30",
    "1995-12-24",    "Quastenfieber", "Alkohol",        "+43-555",
};
#define CANARY_COUNT (sizeof canaries / sizeof canaries[0])

static size_t bodies; /* Looked through. */
static size_t texts;  /* Looked for. */

static bool holds(const uint8_t *bytes, size_t size, const char *text,
                  size_t text_size)
{
    for (size_t i = 0; i + text_size <= size; i++) {
        if (memcmp(bytes + i, text, text_size) == 0) {
            return true;
        }
    }
    return false;
}

/* Every string of the JSON, keys and values, escaped or not. */
static void look_for_strings(struct pbft_bytes json,
                             const struct vault_step *step)
{
    const char *at = (const char *)json.data;
    const char *end = at + json.size;

    while (at < end) {
        const char *open = memchr(at, '"', (size_t)(end - at));
        if (open == NULL) {
            return;
        }
        const char *close = open + 1;
        while (close < end && *close != '"') {
            close += *close == '\\' ? 2 : 1;
        }
        size_t size = close < end ? (size_t)(close - open) - 1 : 0;
        if (size >= TEXT_MIN) {
            texts++;
            assert_false(holds(step->body, step->size, open + 1, size));
        }
        at = close + 1;
    }
}

static void look_at_body(const struct import_event *event,
                         const struct vault_step *step)
{
    bodies++;
    for (size_t i = 0; i < CANARY_COUNT; i++) {
        assert_false(
            holds(step->body, step->size, canaries[i], strlen(canaries[i])));
    }
    look_for_strings(fhir_item_bytes(event->item), step);
}

static void look_at_reasons(const struct fhir_report *report)
{
    char reasons[8192];

    fhir_report_reasons(report, reasons, sizeof reasons);
    for (size_t i = 0; i < CANARY_COUNT; i++) {
        assert_null(strstr(reasons, canaries[i]));
        for (size_t k = 0; k < report->count; k++) {
            assert_null(strstr(report->findings[k].path, canaries[i]));
        }
    }
}

static void look(void *context, const struct import_event *event)
{
    (void)context;
    look_at_reasons(fhir_item_report(event->item));
    for (uint32_t i = 0; event->steps != NULL && i < event->steps->step_count;
         i++) {
        look_at_body(event, &event->steps->steps[i]);
    }
}

/* Imports a folder, some files at a time. */
static void import_folder(struct import_world *fixture, const char *folder)
{
    struct fhir_files files = {NULL, 0, 0};

    fixture->options.register_unknown = true;
    fixture->look = look;
    assert_int_equal(fhir_files_add(&files, folder, NULL, NULL), PBFT_OK);
    assert_true(files.count > 1);
    for (size_t i = 0; i < files.count; i++) {
        fixture->paths[0] = files.paths[i];
        fixture->file_count = 1;
        assert_int_equal(fixture_import(fixture), PBFT_OK);
    }
    fhir_files_free(&files);
}

static void test_examples_leave_nothing_behind(void **state)
{
    struct import_world *fixture = *state;
    char folder[SUPPORT_PATH_MAX];

    bodies = 0;
    texts = 0;
    (void)snprintf(folder, sizeof folder, "%s/examples/fhir",
                   support_source_dir());
    import_folder(fixture, folder);
    assert_true(bodies > 25);
    assert_true(texts > 1000);
}

static void test_foreign_data_leaves_nothing_behind(void **state)
{
    struct import_world *fixture = *state;
    char folder[SUPPORT_PATH_MAX];

    support_shared_path(folder, sizeof folder, "fhir");
    DIR *there = opendir(folder);
    if (there == NULL) {
        print_message("SKIPPED: no data in %s (SALUS_SHARED_DATA)\n", folder);
        skip();
    }
    (void)closedir(there);
    bodies = 0;
    import_folder(fixture, folder);
    assert_true(bodies > 40);
    print_message("%zu transactions looked through\n", bodies);
}

static size_t files_seen;

static void expect_no_canary(const char *path)
{
    static uint8_t bytes[4u << 20];
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    for (size_t k = 0; k < CANARY_COUNT; k++) {
        assert_false(holds(bytes, size, canaries[k], strlen(canaries[k])));
    }
    files_seen++;
}

/* All files of the vault's folder, too: it may be copied to a backup. They are
 * no JSON, so that they are among what is skipped. */
static void test_vault_holds_nothing_in_clear(void **state)
{
    struct import_world *fixture = *state;
    struct fhir_files files = {NULL, 0, 0};
    char folder[SUPPORT_PATH_MAX];

    (void)snprintf(folder, sizeof folder, "%s/examples/fhir",
                   support_source_dir());
    import_folder(fixture, folder);
    files_seen = 0;
    assert_int_equal(
        fhir_files_add(&files, fixture->folder, expect_no_canary, NULL),
        PBFT_OK);
    for (size_t i = 0; i < files.count; i++) {
        expect_no_canary(files.paths[i]);
    }
    assert_true(files_seen > 10);
    fhir_files_free(&files);
}

int main(void)
{
#define T(name)                                                                \
    cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(test_examples_leave_nothing_behind),
        T(test_foreign_data_leaves_nothing_behind),
        T(test_vault_holds_nothing_in_clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
