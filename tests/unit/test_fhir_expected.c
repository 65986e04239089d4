/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge against data that nobody here wrote: the table of expected
 * classes, and every other file there. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "fhir/fhir.h"
#include "tests/support/support.h"

#define PATH_SIZE 1024
#define LINE_SIZE 4096
#define FILES_MAX 1024

static const struct fhir_options plain = {.zone_minutes = 0};

/* The folder, or NULL after saying loudly that it is not there. */
static const char *data_folder(void)
{
    static char folder[PATH_SIZE];
    struct stat info;

    support_shared_path(folder, sizeof folder, "fhir");
    if (stat(folder, &info) != 0) {
        print_message("SKIPPED: no data in %s (SALUS_SHARED_DATA)\n", folder);
        return NULL;
    }
    return folder;
}

static struct fhir_item *load(const char *path)
{
    struct fhir_file *file = NULL;
    struct fhir_item *item = NULL;

    assert_int_equal(fhir_file_open(&file, path), PBFT_OK);
    assert_int_equal(fhir_file_count(file), 1);
    assert_int_equal(fhir_item_load(&item, file, 0, &plain), PBFT_OK);
    fhir_file_close(file);
    return item;
}

/* Is each "; " part of `wanted` one of `found`? */
static bool contains_all(const char *found, const char *wanted)
{
    char part[LINE_SIZE];

    while (*wanted != 0) {
        const char *end = strstr(wanted, "; ");
        size_t size = end != NULL ? (size_t)(end - wanted) : strlen(wanted);
        memcpy(part, wanted, size);
        part[size] = 0;
        if (strstr(found, part) == NULL) {
            return false;
        }
        wanted += size + (end != NULL ? 2 : 0);
    }
    return true;
}

static size_t check_row(const char *folder, char *row)
{
    char path[PATH_SIZE];
    char found[LINE_SIZE];
    const char *name = strtok(row, "\t");
    const char *class_name = strtok(NULL, "\t");
    const char *reason = strtok(NULL, "\n");

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    struct fhir_item *item = load(path);
    fhir_report_reasons(fhir_item_report(item), found, sizeof found);
    bool same =
        strcmp(fhir_class_name(fhir_item_class(item)), class_name) == 0 &&
        contains_all(found, reason);
    if (!same) {
        print_error("%s\n  expected %s: %s\n  found    %s: %s\n", name,
                    class_name, reason, fhir_class_name(fhir_item_class(item)),
                    found);
    }
    fhir_item_free(item);
    return same ? 0 : 1;
}

static void test_expected_import_every_row(void **state)
{
    char path[PATH_SIZE];
    char row[LINE_SIZE];
    const char *folder = data_folder();
    size_t rows = 0;
    size_t wrong = 0;

    (void)state;
    if (folder == NULL) {
        skip();
    }
    (void)snprintf(path, sizeof path, "%s/EXPECTED-IMPORT.tsv", folder);
    FILE *table = fopen(path, "r");
    assert_non_null(table);
    assert_non_null(fgets(row, sizeof row, table)); /* The heading. */
    while (fgets(row, sizeof row, table) != NULL) {
        wrong += check_row(folder, row);
        rows++;
    }
    (void)fclose(table);
    print_message("%zu rows\n", rows);
    assert_true(rows > 20);
    assert_int_equal(wrong, 0);
}

/* All regular files one level below the folder. */
static size_t list_files(char (*paths)[PATH_SIZE], const char *folder)
{
    size_t count = 0;
    char sub[PATH_SIZE / 2];
    DIR *top = opendir(folder);

    assert_non_null(top);
    for (struct dirent *dir = readdir(top); dir != NULL; dir = readdir(top)) {
        if (dir->d_name[0] == '.') {
            continue;
        }
        (void)snprintf(sub, sizeof sub, "%.200s/%.200s", folder, dir->d_name);
        DIR *inner = opendir(sub);
        if (inner == NULL) {
            (void)snprintf(paths[count++], PATH_SIZE, "%s", sub);
            continue;
        }
        for (struct dirent *entry = readdir(inner); entry != NULL;
             entry = readdir(inner)) {
            if (entry->d_name[0] != '.' && count < FILES_MAX) {
                (void)snprintf(paths[count++], PATH_SIZE, "%s/%.255s", sub,
                               entry->d_name);
            }
        }
        (void)closedir(inner);
    }
    (void)closedir(top);
    return count;
}

static void test_every_file_ends_in_a_class_with_a_path(void **state)
{
    static char paths[FILES_MAX][PATH_SIZE];
    const char *folder = data_folder();
    size_t classes[FHIR_CLASSES] = {0};

    (void)state;
    if (folder == NULL) {
        skip();
    }
    size_t count = list_files(paths, folder);
    assert_true(count > 80);
    for (size_t i = 0; i < count; i++) {
        struct fhir_file *file = NULL;
        assert_int_equal(fhir_file_open(&file, paths[i]), PBFT_OK);
        assert_true(fhir_file_count(file) > 0);
        for (size_t k = 0; k < fhir_file_count(file); k++) {
            struct fhir_item *item = NULL;
            assert_int_equal(fhir_item_load(&item, file, k, &plain), PBFT_OK);
            const struct fhir_report *report = fhir_item_report(item);
            enum fhir_class class_of = fhir_item_class(item);
            char reasons[LINE_SIZE];
            fhir_report_reasons(report, reasons, sizeof reasons);
            classes[class_of]++;
            assert_true(strlen(fhir_report_path(report)) > 0);
            if (class_of != FHIR_ENFORCEABLE) {
                assert_true(report->count > 0);
                assert_string_not_equal(reasons, "-");
            }
            if (getenv("SALUS_TEST_SHOW") != NULL) {
                print_message("%s [%zu] %s | %s | %s\n", paths[i], k,
                              fhir_class_name(class_of), reasons,
                              fhir_report_path(report));
            }
            fhir_item_free(item);
        }
        fhir_file_close(file);
    }
    print_message("%zu files: %zu enforceable, %zu evidence only, %zu "
                  "rejected\n",
                  count, classes[FHIR_ENFORCEABLE], classes[FHIR_EVIDENCE_ONLY],
                  classes[FHIR_REJECT]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expected_import_every_row),
        cmocka_unit_test(test_every_file_ends_in_a_class_with_a_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
