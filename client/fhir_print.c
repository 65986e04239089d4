/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the fhir commands. */
#include "client/fhir_print.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "client/tool_json.h"
#include "crypto/hex.h"
#include "ledger/errors.h"
#include "vault/journal.h"

#define REASONS_SIZE 4096
#define TX_ID_SHOWN 8 /* Bytes, in rows for people. */

/* ---- JSON ---------------------------------------------------------------- */

static json_t *findings_of(const struct fhir_report *report)
{
    json_t *list = json_array();

    for (size_t i = 0; i < report->count; i++) {
        const struct fhir_finding *finding = &report->findings[i];
        char text[REASONS_SIZE];
        fhir_finding_text(finding, text, sizeof text);
        (void)json_array_append_new(
            list,
            json_pack("{s:s, s:s}", "reason", text, "path", finding->path));
    }
    return list;
}

/* Programs see three classes: what stays local is not imported, and says so
 * beside it. */
static void add_class(json_t *json, enum fhir_class class_of)
{
    const bool is_local = class_of == FHIR_LOCAL;
    (void)json_object_set_new(
        json, "class",
        json_string(fhir_class_name(is_local ? FHIR_REJECT : class_of)));
    if (is_local) {
        (void)json_object_set_new(json, "local", json_true());
    }
}

static json_t *describe(const char *file, const struct fhir_item *item)
{
    const struct fhir_report *report = fhir_item_report(item);
    char reasons[REASONS_SIZE];

    fhir_report_reasons(report, reasons, sizeof reasons);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o}", "file", file, "class", "", "reason",
        reasons, "path", fhir_report_path(report), "resource",
        fhir_item_type(item), "findings", findings_of(report));
    if (json != NULL) {
        add_class(json, fhir_item_class(item));
    }
    if (json != NULL && fhir_item_line(item) > 0) {
        json_int_t line = (json_int_t)fhir_item_line(item);
        (void)json_object_set_new(json, "line", json_integer(line));
    }
    return json;
}

void fhir_print_json(const char *file, const struct fhir_item *item,
                     const struct fhir_explanation *explanation)
{
    json_t *json = describe(file, item);

    if (json != NULL && explanation != NULL) {
        fhir_explain_json(json, explanation);
    }
    tool_json_print(json);
}

static void add_ledger(json_t *json, const struct import_event *event)
{
    static const uint8_t none[SALUS_DIGEST_SIZE];
    char hex[2 * SALUS_DIGEST_SIZE + 1];
    bool has_tx = memcmp(event->tx_id, none, sizeof none) != 0;

    hex_encode(hex, (struct pbft_bytes){event->tx_id, sizeof event->tx_id});
    (void)json_object_set_new(json, "outcome",
                              json_string(import_outcome_name(event->outcome)));
    (void)json_object_set_new(json, "transaction",
                              has_tx ? json_string(transaction_type_name(
                                           (enum transaction_type)event->type))
                                     : json_null());
    (void)json_object_set_new(json, "tx_id",
                              has_tx ? json_string(hex) : json_null());
    (void)json_object_set_new(json, "block",
                              json_integer((json_int_t)event->seq));
    (void)json_object_set_new(json, "code", json_integer(event->code));
    (void)json_object_set_new(json, "code_name",
                              json_string(ledger_code_name(event->code)));
}

void fhir_print_event_json(const struct import_event *event,
                           const struct fhir_explanation *explanation)
{
    json_t *json =
        event->item != NULL
            ? describe(event->file, event->item)
            : json_pack("{s:s, s:s}", "file", "(earlier import)", "class", "");

    if (json != NULL) {
        add_class(json, event->class_of);
        add_ledger(json, event);
    }
    if (json != NULL && explanation != NULL) {
        fhir_explain_json(json, explanation);
    }
    tool_json_print(json);
}

/* ---- rows ---------------------------------------------------------------- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* "Consent-1.json", "Patient.ndjson:3" or "bundle.json entry[2].resource". */
static void print_place(const char *file, const struct fhir_item *item)
{
    char place[256];
    size_t line = fhir_item_line(item);

    if (line > 0) {
        (void)snprintf(place, sizeof place, "%.200s:%zu", base_name(file),
                       line);
    } else {
        const char *entry = fhir_item_report(item)->prefix;
        (void)snprintf(place, sizeof place, "%.150s%s%.50s", base_name(file),
                       entry[0] != 0 ? " " : "", entry);
    }
    (void)printf("%-13s  %-17s  %s\n", fhir_class_name(fhir_item_class(item)),
                 fhir_item_type(item)[0] != 0 ? fhir_item_type(item) : "-",
                 place);
}

/* A line for each finding, so that none hides the next. */
static void print_findings(const struct fhir_item *item)
{
    const struct fhir_report *report = fhir_item_report(item);

    for (size_t i = 0; i < report->count; i++) {
        const struct fhir_finding *finding = &report->findings[i];
        char text[REASONS_SIZE];
        fhir_finding_text(finding, text, sizeof text);
        (void)printf("               %s: %s\n", finding->path, text);
    }
    if (report->lost > 0) {
        (void)printf("               and %zu more\n", report->lost);
    }
}

void fhir_print_row(const char *file, const struct fhir_item *item)
{
    print_place(file, item);
    print_findings(item);
}

void fhir_print_counts(const size_t classes[FHIR_CLASSES])
{
    size_t all = classes[FHIR_ENFORCEABLE] + classes[FHIR_EVIDENCE_ONLY] +
                 classes[FHIR_REJECT] + classes[FHIR_LOCAL];

    (void)printf("%zu resources: %zu enforceable, %zu evidence only, %zu "
                 "local, %zu rejected\n",
                 all, classes[FHIR_ENFORCEABLE], classes[FHIR_EVIDENCE_ONLY],
                 classes[FHIR_LOCAL], classes[FHIR_REJECT]);
}

static void print_outcome(const struct import_event *event)
{
    char hex[2 * TX_ID_SHOWN + 1];
    const char *type =
        transaction_type_name((enum transaction_type)event->type);

    hex_encode(hex, (struct pbft_bytes){event->tx_id, TX_ID_SHOWN});
    switch (event->outcome) {
    case IMPORT_ON_LEDGER:
        (void)printf("               on ledger: %s %s... in block %llu\n", type,
                     hex, (unsigned long long)event->seq);
        break;
    case IMPORT_REFUSED:
        (void)printf("               refused by the ledger: %u %s: %s\n",
                     event->code, ledger_code_name(event->code),
                     ledger_code_text(event->code));
        break;
    case IMPORT_KNOWN:
        (void)printf("               imported before\n");
        break;
    case IMPORT_REPLACED:
        (void)printf("               replaced since by another version: to "
                     "import it again, give it a new meta.versionId\n");
        break;
    case IMPORT_OPEN:
        (void)printf("               no proof in time: run the import again\n");
        break;
    case IMPORT_REJECTED:
    case IMPORT_LOCAL:
        break;
    }
}

void fhir_print_event_row(const struct import_event *event)
{
    if (event->item != NULL) {
        (void)printf("[%zu/%zu] ", event->number, event->total);
        fhir_print_row(event->file, event->item);
    } else {
        (void)printf("%-13s  left open by an earlier import\n",
                     fhir_class_name(event->class_of));
    }
    print_outcome(event);
    (void)fflush(stdout);
}
