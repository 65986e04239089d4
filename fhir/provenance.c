/* SPDX-License-Identifier: Apache-2.0 */
/* Provenance: targets and the form of signatures. Whether a signature is right
 * is not judged here: that needs the signed bytes and a trusted key. */
#include "fhir/provenance.h"

#include <stdlib.h>
#include <string.h>

#include "fhir/encoding.h"

#define JOSE "application/jose"

static const char *const known_elements[] = {"resourceType",
                                             "id",
                                             "meta",
                                             "implicitRules",
                                             "language",
                                             "text",
                                             "contained",
                                             "extension",
                                             "modifierExtension",
                                             "target",
                                             "occurredPeriod",
                                             "occurredDateTime",
                                             "recorded",
                                             "policy",
                                             "location",
                                             "reason",
                                             "activity",
                                             "agent",
                                             "entity",
                                             "signature",
                                             NULL};
static const char *const signature_elements[] = {
    "id",         "extension",    "type",      "when", "who",
    "onBehalfOf", "targetFormat", "sigFormat", "data", NULL};

static void read_targets(const struct fhir_reader *reader,
                         struct fhir_provenance *out,
                         const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "target");
    size_t count = fhir_size(&list);

    if (list.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &list, NULL);
        return;
    }
    if (count > FHIR_TARGETS_MAX) {
        fhir_find(reader->report, FHIR_MANY, &list, NULL);
        return;
    }
    out->targets = fhir_allocate(reader, (count + 1) * sizeof *out->targets);
    for (size_t i = 0; out->targets != NULL && i < count; i++) {
        struct fhir_node node = fhir_element(&list, i);
        if (fhir_take_reference(reader, &out->targets[out->target_count],
                                &node)) {
            out->target_count++;
        }
    }
}

/* ---- signatures ---------------------------------------------------------- */

static bool is_base64url(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* RFC 7515, compact: header.payload.signature; the payload may be detached. */
static bool is_compact_jws(struct pbft_bytes text)
{
    size_t lengths[3] = {0};
    size_t part = 0;

    for (size_t i = 0; i < text.size; i++) {
        char c = (char)text.data[i];
        if (c == '.') {
            part++;
        } else if (!is_base64url(c)) {
            return false;
        } else {
            lengths[part]++;
        }
        if (part > 2) {
            return false;
        }
    }
    return part == 2 && lengths[0] > 0 && lengths[2] > 0;
}

static void check_data(const struct fhir_reader *reader,
                       const struct fhir_node *signature)
{
    const char *format = fhir_take_string(reader, signature, "sigFormat");
    const char *data = fhir_take_string(reader, signature, "data");
    struct fhir_node node = fhir_field(signature, "data");
    size_t size = 0;

    if (data == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &node, NULL);
        return;
    }
    uint8_t *bytes = malloc(3 * strlen(data) / 4 + 3);
    if (bytes == NULL) {
        fhir_find(reader->report, FHIR_NO_MEMORY, &node, NULL);
        return;
    }
    if (fhir_base64_decode(bytes, &size, data) != PBFT_OK || size == 0) {
        fhir_find(reader->report, FHIR_BAD_BASE64, &node, NULL);
    } else if (format != NULL && strcmp(format, JOSE) == 0 &&
               !is_compact_jws((struct pbft_bytes){bytes, size})) {
        fhir_find(reader->report, FHIR_SIGNATURE, &node, NULL);
    } else {
        fhir_find(reader->report, FHIR_SIGNATURE_UNVERIFIED, &node, NULL);
    }
    free(bytes);
}

static void check_signature(const struct fhir_reader *reader,
                            const struct fhir_node *signature)
{
    struct fhir_node type = fhir_take_list(reader, signature, "type");
    struct fhir_node who = fhir_take_object(reader, signature, "who");
    struct fhir_node when_node = fhir_field(signature, "when");
    struct fhir_interval when;

    fhir_only(reader->report, signature, signature_elements);
    if (type.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &type, NULL);
    }
    if (who.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &who, NULL);
    }
    if (when_node.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &when_node, NULL);
    } else {
        (void)fhir_take_date(reader, &when, signature, "when");
    }
    check_data(reader, signature);
}

void fhir_provenance_read(const struct fhir_reader *reader,
                          struct fhir_provenance *out,
                          const struct fhir_node *resource)
{
    struct fhir_node agents = fhir_take_list(reader, resource, "agent");
    struct fhir_node signatures = fhir_take_list(reader, resource, "signature");
    struct fhir_node recorded = fhir_field(resource, "recorded");
    struct fhir_interval when;

    memset(out, 0, sizeof *out);
    fhir_only(reader->report, resource, known_elements);
    if (recorded.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &recorded, NULL);
    } else {
        (void)fhir_take_date(reader, &when, resource, "recorded");
    }
    if (agents.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &agents, NULL);
    }
    read_targets(reader, out, resource);
    for (size_t i = 0; i < fhir_size(&signatures); i++) {
        struct fhir_node signature = fhir_element(&signatures, i);
        check_signature(reader, &signature);
    }
    fhir_report_add(reader->report, FHIR_PROVENANCE_STAYS, "$", NULL);
}
