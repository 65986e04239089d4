/* SPDX-License-Identifier: Apache-2.0 */
/* References: the names by which the vault is asked, and of a Bundle the entry
 * that is meant. */
#include <stdio.h>
#include <string.h>

#include "fhir/elements.h"
#include "fhir/item.h"
#include "fhir/ledger_name.h"

static bool is_printable(const char *text)
{
    for (; *text != 0; text++) {
        if ((unsigned char)*text <= ' ' || (unsigned char)*text == 0x7f) {
            return false;
        }
    }
    return true;
}

/* "Patient" of "https://h/Patient/17" and of "Patient?identifier=...". */
static const char *type_of(const struct fhir_reader *reader, const char *name)
{
    const char *end = strchr(name, '?');

    if (strncmp(name, "urn:", 4) == 0) {
        return "";
    }
    if (end == NULL) {
        end = strrchr(name, '/');
    }
    if (end == NULL) {
        return "";
    }
    const char *begin = end;
    while (begin > name && begin[-1] != '/') {
        begin--;
    }
    char type[FHIR_KEY_MAX];
    size_t size = (size_t)(end - begin);
    if (size == 0 || size >= sizeof type) {
        return "";
    }
    memcpy(type, begin, size);
    type[size] = 0;
    const char *kept = fhir_keep(reader, type);
    return kept != NULL ? kept : "";
}

bool fhir_is_of_ledger(const struct fhir_node *identifier)
{
    struct fhir_node node = fhir_field(identifier, "system");
    const char *system = fhir_string(&node);

    return system != NULL &&
           strncmp(system, FHIR_LEDGER_SYSTEM, strlen(FHIR_LEDGER_SYSTEM)) == 0;
}

/* A reference by identifier alone gets the form of a conditional one. What an
 * id of the ledger is, its value says. */
static bool logical_name(const struct fhir_reader *reader,
                         const struct fhir_node *node, char *out, size_t size)
{
    struct fhir_node identifier = fhir_take_object(reader, node, "identifier");
    const char *type = fhir_take_string(reader, node, "type");

    if (identifier.json == NULL) {
        return false;
    }
    const char *system = fhir_take_string(reader, &identifier, "system");
    const char *value = fhir_take_string(reader, &identifier, "value");
    if (type == NULL && fhir_is_of_ledger(&identifier)) {
        type = "";
    }
    if (system == NULL || value == NULL || type == NULL) {
        return false;
    }
    int used = snprintf(out, size, "%s?identifier=%s|%s", type, system, value);
    return used > 0 && (size_t)used < size;
}

/* The version of a resource is not part of its name. */
static void cut_history(char *name)
{
    char *history = strstr(name, "/_history/");

    if (history != NULL) {
        *history = 0;
    }
}

/* Nothing in a vault has it: its own names are in hexadecimal digits. */
static const char *lost_name(const struct fhir_reader *reader, const char *said)
{
    char name[FHIR_REFERENCE_MAX];

    (void)snprintf(name, sizeof name, "#lost %.*s", FHIR_REFERENCE_MAX / 2,
                   said);
    return fhir_keep(reader, name);
}

/* An entry of the same Bundle is what a reference by its fullUrl means,
 * whatever another Bundle once had there. */
static void name_it(const struct fhir_reader *reader,
                    struct fhir_reference *out, const char *said,
                    bool is_literal)
{
    const char *name = said;

    out->said = fhir_keep(reader, said);
    switch (is_literal ? fhir_find_entry(reader->file, &name, said)
                       : FHIR_ENTRY_NONE) {
    case FHIR_ENTRY_NONE:
    case FHIR_ENTRY_ITSELF:
        out->name = out->said;
        break;
    case FHIR_ENTRY_NAMED:
        out->name = fhir_keep(reader, name);
        break;
    case FHIR_ENTRY_LOST:
        out->is_lost = true;
        out->name = lost_name(reader, said);
        break;
    }
    const char *typed = out->is_lost ? out->said : out->name;
    out->type = typed != NULL ? type_of(reader, typed) : "";
}

bool fhir_take_reference(const struct fhir_reader *reader,
                         struct fhir_reference *out,
                         const struct fhir_node *node)
{
    static const char *const known[] = {
        "id", "extension", "reference", "type", "identifier", "display", NULL};
    char name[FHIR_REFERENCE_MAX];

    *out = (struct fhir_reference){.type = ""};
    fhir_only(reader->report, node, known);
    out->path = fhir_keep_path(reader, node);
    const char *text = fhir_take_string(reader, node, "reference");
    if (text != NULL && text[0] == '#') {
        fhir_find(reader->report, FHIR_CONTAINED, node, NULL);
        return false;
    }
    bool is_named = text != NULL
                        ? strlen(text) < sizeof name
                        : logical_name(reader, node, name, sizeof name);
    if (is_named && text != NULL) {
        memcpy(name, text, strlen(text) + 1);
    }
    is_named = is_named && is_printable(name);
    if (is_named) {
        cut_history(name);
    }
    if (!is_named || name[0] == 0) {
        fhir_find(reader->report, FHIR_BAD_REFERENCE, node, NULL);
        return false;
    }
    name_it(reader, out, name, text != NULL);
    if (out->name == NULL) {
        return false;
    }
    const char *said = fhir_take_string(reader, node, "type");
    if (said != NULL && out->type[0] == 0) {
        out->type = said;
    } else if (said != NULL && strcmp(said, out->type) != 0) {
        fhir_find(reader->report, FHIR_REFERENCE_TYPE, node, NULL);
        return false;
    }
    return true;
}

void fhir_reference_of(const struct fhir_reader *reader,
                       struct fhir_reference *out, const char *name,
                       const char *path)
{
    *out =
        (struct fhir_reference){.name = fhir_keep(reader, name), .path = path};
    out->said = out->name;
    out->type = out->name != NULL ? type_of(reader, out->name) : "";
}
