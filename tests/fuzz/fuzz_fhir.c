/* SPDX-License-Identifier: Apache-2.0 */
/* FHIR files: whatever comes, each item ends in a class with a path, and what
 * is not enforceable has a reason. */
#include <string.h>

#include "consensus/assert.h"
#include "fhir/fhir.h"
#include "tests/fuzz/fuzz.h"

#define REASONS_SIZE 4096

static void on_fate(void *context, const char *path, enum fhir_fate fate)
{
    size_t *count = context;

    PBFT_ASSERT(path[0] != '\0');
    PBFT_ASSERT(fate <= FHIR_DROPPED);
    (*count)++;
}

static void check(const struct fhir_file *file, size_t index)
{
    const struct fhir_options options = {.zone_minutes = -300};
    struct fhir_item *item = NULL;
    char reasons[REASONS_SIZE];
    size_t fates = 0;

    if (fhir_item_load(&item, file, index, &options) != PBFT_OK) {
        return;
    }
    const struct fhir_report *report = fhir_item_report(item);
    fhir_report_reasons(report, reasons, sizeof reasons);
    PBFT_ASSERT(fhir_report_path(report)[0] != '\0');
    PBFT_ASSERT(fhir_item_class(item) == FHIR_ENFORCEABLE ||
                strcmp(reasons, "-") != 0);
    fhir_item_fates(item, on_fate, &fates);
    fhir_item_free(item);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fhir_file *file = NULL;

    if (fhir_file_open_bytes(&file, "input", (struct pbft_bytes){data, size}) !=
        PBFT_OK) {
        return 0;
    }
    PBFT_ASSERT(fhir_file_count(file) > 0);
    for (size_t i = 0; i < fhir_file_count(file); i++) {
        check(file, i);
    }
    fhir_file_close(file);
    return 0;
}
