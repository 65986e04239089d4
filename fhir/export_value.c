/* SPDX-License-Identifier: Apache-2.0 */
/* Values of FHIR: codes, times, references, labels. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "crypto/hex.h"
#include "crypto/secret.h"
#include "fhir/encoding.h"
#include "fhir/exporting.h"
#include "fhir/labels.h"

void export_find(struct exporting *exporting, enum fhir_finding_kind kind,
                 const char *format, ...)
{
    char path[FHIR_PATH_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(path, sizeof path, format, arguments);
    va_end(arguments);
    fhir_report_add(exporting->report, kind, path, NULL);
}

void export_put(struct exporting *exporting, json_t *object, const char *key,
                json_t *value)
{
    if (value != NULL && json_object_set_new(object, key, value) != 0) {
        exporting->status = PBFT_NO_MEMORY;
    }
}

void export_put_text(struct exporting *exporting, json_t *object,
                     const char *key, const char *text)
{
    export_put(exporting, object, key, json_string(text));
}

json_t *export_list_of(json_t *value)
{
    return value != NULL ? json_pack("[o]", value) : NULL;
}

/* ---- codes --------------------------------------------------------------- */

json_t *export_coding(const char *system, const char *code)
{
    return json_pack("{s:s, s:s}", "system", system, "code", code);
}

json_t *export_concept(json_t *coding)
{
    return coding != NULL ? json_pack("{s:[o]}", "coding", coding) : NULL;
}

json_t *export_code(struct exporting *exporting, enum codes_table table,
                    uint32_t code, const char *path)
{
    const struct codes_entry *entry = codes_by_id(table, code);
    const struct vault_purpose *published =
        table != CODES_PURPOSE || entry != NULL
            ? NULL
            : vault_purposes_by_id(&exporting->exporter->purposes, code);

    if (published != NULL) {
        return export_coding(published->system, published->code);
    }
    if (entry == NULL) {
        export_find(exporting, FHIR_EXPORT_CODE, "%s", path);
        return NULL;
    }
    return export_coding(entry->system, entry->code);
}

/* ---- times --------------------------------------------------------------- */

json_t *export_time(struct exporting *exporting, uint64_t ms, const char *path)
{
    char text[FHIR_DATE_TEXT_SIZE];

    if (ms > INT64_MAX || !fhir_date_text(text, (int64_t)ms)) {
        export_find(exporting, FHIR_EXPORT_TIME, "%s", path);
        return NULL;
    }
    return json_string(text);
}

json_t *export_period(struct exporting *exporting, uint64_t from_ms,
                      uint64_t to_ms, const char *path)
{
    if (from_ms == 0 && to_ms == 0) {
        return NULL;
    }
    json_t *period = json_object();
    if (from_ms != 0) {
        export_put(exporting, period, "start",
                   export_time(exporting, from_ms, path));
    }
    if (to_ms != 0) {
        export_put(exporting, period, "end",
                   export_time(exporting, to_ms - 1, path));
    }
    return period;
}

/* ---- references ---------------------------------------------------------- */

/* "Patient?identifier=system|value" goes back to what it was made of. */
json_t *export_name(const char *name)
{
    static const char mark[] = "?identifier=";
    const char *query = strstr(name, mark);
    const char *bar = query == NULL ? NULL : strrchr(query, '|');

    if (bar == NULL || strchr(name, '/') < query) {
        return json_pack("{s:s}", "reference", name);
    }
    const char *system = query + sizeof mark - 1;
    return json_pack("{s:s%, s:{s:s%, s:s}}", "type", name,
                     (size_t)(query - name), "identifier", "system", system,
                     (size_t)(bar - system), "value", bar + 1);
}

/* A newer version may have taken the name over: then it means the first or the
 * newest, as it is used. */
static bool still_means(const struct fhir_exporter *exporter,
                        enum fhir_ledger_kind kind, const uint8_t *id,
                        const char *name)
{
    struct vault *vault = exporter->options.vault;
    struct vault_record record;
    struct vault_context context;
    struct vault_consent consent;

    if (kind == FHIR_LEDGER_CONSENT) {
        bool same = vault_find_consent(vault, &consent, name) == PBFT_OK &&
                    memcmp(consent.id, id, VAULT_ID_SIZE) == 0;
        secret_wipe(&consent, sizeof consent);
        return same;
    }
    if (kind != FHIR_LEDGER_DATA) {
        return true;
    }
    if (vault_find_record(vault, &record, name) == PBFT_OK) {
        bool same = memcmp(record.id, id, VAULT_ID_SIZE) == 0 &&
                    memcmp(record.first, id, VAULT_ID_SIZE) == 0;
        secret_wipe(&record, sizeof record);
        return same;
    }
    return vault_find_context(vault, &context, name) == PBFT_OK &&
           memcmp(context.id, id, VAULT_ID_SIZE) == 0;
}

json_t *export_ledger_reference(struct exporting *exporting,
                                enum fhir_ledger_kind kind, const uint8_t *id,
                                const char *type)
{
    char system[FHIR_LEDGER_SYSTEM_SIZE];
    char value[FHIR_LEDGER_VALUE_SIZE];

    /* Institutions have no other name than that of the ledger. */
    exporting->withheld =
        exporting->withheld || kind != FHIR_LEDGER_INSTITUTION;
    fhir_ledger_system(system, &exporting->exporter->options.chain);
    fhir_ledger_value(value, kind, id);
    return json_pack("{s:s*, s:{s:s, s:s}}", "type", type, "identifier",
                     "system", system, "value", value);
}

json_t *export_reference(struct exporting *exporting,
                         enum fhir_ledger_kind kind, const uint8_t *id,
                         const char *type)
{
    struct fhir_exporter *exporter = exporting->exporter;
    const char *name = exporting->redacted
                           ? NULL
                           : fhir_names_find(&exporter->names, kind, id);

    if (name != NULL && still_means(exporter, kind, id, name)) {
        return export_name(name);
    }
    return export_ledger_reference(exporting, kind, id, type);
}

void export_learn(struct exporting *exporting, enum fhir_ledger_kind kind,
                  const uint8_t *id, const char *name)
{
    struct fhir_names *names = &exporting->exporter->names;

    if (fhir_names_find(names, kind, id) == NULL &&
        fhir_names_add(names, kind, id, name) != PBFT_OK) {
        exporting->status = PBFT_NO_MEMORY;
    }
}

/* ---- labels -------------------------------------------------------------- */

bool export_subject(struct exporting *exporting, struct vault_subject *out,
                    const ProtobufCBinaryData *handle)
{
    char name[VAULT_HANDLE_NAME_SIZE];

    if (handle->len != VAULT_HANDLE_SIZE) {
        return false;
    }
    vault_handle_name(name, handle->data);
    enum pbft_status status =
        vault_find_subject(exporting->exporter->options.vault, out, name);
    if (status != PBFT_OK && status != PBFT_NOT_FOUND) {
        exporting->status = status;
    }
    return status == PBFT_OK;
}

static const char *label_of(const struct vault_subject *subject,
                            const uint8_t tag[VAULT_TAG_SIZE])
{
    uint8_t blinded[VAULT_TAG_SIZE];
    const char *code = NULL;

    for (size_t i = 0; (code = fhir_label_at(i)) != NULL; i++) {
        vault_blind_tag(blinded, subject, FHIR_SYSTEM_ACT_CODE, code);
        if (memcmp(blinded, tag, sizeof blinded) == 0) {
            return code;
        }
    }
    return NULL;
}

void export_labels(struct exporting *exporting, json_t *list,
                   const struct vault_subject *subject,
                   const struct export_labels *labels)
{
    for (size_t i = 0; i < labels->count; i++) {
        const ProtobufCBinaryData *tag = &labels->tags[i];
        const char *code = subject == NULL || exporting->redacted
                               ? NULL
                               : label_of(subject, tag->data);
        char hex[2 * VAULT_TAG_SIZE + 1];
        if (code != NULL) {
            (void)json_array_append_new(
                list, export_coding(FHIR_SYSTEM_ACT_CODE, code));
        } else if (exporting->redacted) {
            hex_encode(hex, (struct pbft_bytes){tag->data, VAULT_TAG_SIZE});
            (void)json_array_append_new(list,
                                        export_coding(FHIR_TAG_SYSTEM, hex));
            exporting->withheld = true;
        } else if (!labels->pads) {
            export_find(exporting, FHIR_EXPORT_TAG, "%s[%zu]", labels->path, i);
        }
    }
}

json_t *export_base64(struct pbft_bytes bytes)
{
    char *text = malloc(4 * ((bytes.size + 2) / 3) + 1);

    if (text == NULL) {
        return NULL;
    }
    fhir_base64_encode(text, bytes);
    json_t *value = json_string(text);
    free(text);
    return value;
}

/* ---- the head of a resource ---------------------------------------------- */

/* "Consent/17" of the own vault, else the id as a UUID. */
static json_t *resource_id(struct exporting *exporting, const char *type,
                           enum fhir_ledger_kind kind, const uint8_t *id)
{
    const char *name =
        exporting->redacted
            ? NULL
            : fhir_names_find(&exporting->exporter->names, kind, id);
    size_t size = strlen(type);

    if (name != NULL && still_means(exporting->exporter, kind, id, name) &&
        strncmp(name, type, size) == 0 && name[size] == '/' &&
        strlen(name) <= size + 1 + 64 && strchr(name + size + 1, '/') == NULL) {
        return json_string(name + size + 1);
    }
    return json_sprintf(
        "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
        id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9],
        id[10], id[11], id[12], id[13], id[14], id[15]);
}

void export_extend(struct exporting *exporting, const char *url,
                   const char *key, json_t *value)
{
    json_t *list = json_object_get(exporting->resource, "extension");

    if (value == NULL ||
        json_array_append_new(
            list, json_pack("{s:s, s:o}", "url", url, key, value)) != 0) {
        exporting->status = PBFT_NO_MEMORY;
    }
}

void export_begin(struct exporting *exporting, const char *type,
                  enum fhir_ledger_kind kind, const uint8_t *id)
{
    const struct fhir_export_source *source = exporting->source;
    char hex[2 * PBFT_DIGEST_SIZE + 1];
    json_t *resource = json_object();

    exporting->withheld = exporting->redacted;
    exporting->resource = resource;
    export_put_text(exporting, resource, "resourceType", type);
    export_put(exporting, resource, "id",
               resource_id(exporting, type, kind, id));
    export_put(
        exporting, resource, "meta",
        json_pack("{s:o}", "versionId",
                  json_sprintf("%llu", (unsigned long long)source->seq)));
    export_put(exporting, resource, "extension", json_array());
    if (source->body.size > 0) {
        hex_encode(hex,
                   (struct pbft_bytes){source->tx_id.bytes, PBFT_DIGEST_SIZE});
        export_extend(exporting, "urn:salus:transaction", "valueString",
                      json_string(hex));
    }
    if (source->receipt.size > 0) {
        export_extend(exporting, "urn:salus:receipt", "valueBase64Binary",
                      export_base64(source->receipt));
    }
}

void export_end(struct exporting *exporting)
{
    if (exporting->withheld) {
        export_put(
            exporting, json_object_get(exporting->resource, "meta"), "security",
            export_list_of(export_coding("http://terminology.hl7.org/"
                                         "CodeSystem/v3-ObservationValue",
                                         "REDACTED")));
    }
}
