/* SPDX-License-Identifier: Apache-2.0 */
/* Provenance: targets and the form of signatures. Whether a signature is right
 * is judged by an import: that needs the signed bytes and a key. */
#include "fhir/provenance.h"

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

/* The decoded data, in the arena; empty with a finding. */
static struct pbft_bytes take_data(const struct fhir_reader *reader,
                                   const struct fhir_node *signature)
{
    const char *data = fhir_take_string(reader, signature, "data");
    struct fhir_node node = fhir_field(signature, "data");
    size_t size = 0;

    if (data == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &node, NULL);
        return (struct pbft_bytes){NULL, 0};
    }
    uint8_t *bytes = fhir_allocate(reader, 3 * strlen(data) / 4 + 3);
    if (bytes == NULL) {
        return (struct pbft_bytes){NULL, 0};
    }
    if (fhir_base64_decode(bytes, &size, data) != PBFT_OK || size == 0) {
        fhir_find(reader->report, FHIR_BAD_BASE64, &node, NULL);
        return (struct pbft_bytes){NULL, 0};
    }
    return (struct pbft_bytes){bytes, size};
}

static void read_data(const struct fhir_reader *reader,
                      struct fhir_signature *out,
                      const struct fhir_node *signature)
{
    const char *format = fhir_take_string(reader, signature, "sigFormat");
    const char *target = fhir_take_string(reader, signature, "targetFormat");
    struct pbft_bytes data = take_data(reader, signature);
    struct fhir_node node = fhir_field(signature, "data");
    enum fhir_finding_kind wrong = FHIR_SIGNATURE;

    out->path = fhir_keep_path(reader, &node);
    out->canonical = fhir_canonical_of(target);
    if (data.size == 0) {
        return;
    }
    if (format == NULL || strcmp(format, JOSE) != 0) {
        fhir_find(reader->report, FHIR_SIGNATURE_UNVERIFIED, &node, NULL);
    } else if (!fhir_jws_parse(&out->jws, data, &wrong)) {
        fhir_find(reader->report, wrong, &node, NULL);
    } else {
        out->can_be_checked = true;
        fhir_find(reader->report, FHIR_SIGNATURE_FORM, &node, NULL);
    }
}

static void read_signature(const struct fhir_reader *reader,
                           struct fhir_signature *out,
                           const struct fhir_node *signature)
{
    struct fhir_node type = fhir_take_list(reader, signature, "type");
    struct fhir_node who = fhir_take_object(reader, signature, "who");
    struct fhir_node when_node = fhir_field(signature, "when");
    struct fhir_node reference = fhir_field(&who, "reference");
    struct fhir_node identifier = fhir_field(&who, "identifier");
    struct fhir_interval when = {0, 0};

    fhir_only(reader->report, signature, signature_elements);
    if (type.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &type, NULL);
    }
    if (who.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &who, NULL);
    } else if (reference.json != NULL ||
               (identifier.json != NULL &&
                fhir_field(&who, "type").json != NULL)) {
        /* One who has only a display has no key either. */
        (void)fhir_take_reference(reader, &out->who, &who);
    }
    if (when_node.json == NULL) {
        fhir_find(reader->report, FHIR_MISSING, &when_node, NULL);
    } else {
        (void)fhir_take_date(reader, &when, signature, "when");
    }
    out->when_s = when.from / 1000;
    read_data(reader, out, signature);
}

static void read_signatures(const struct fhir_reader *reader,
                            struct fhir_provenance *out,
                            const struct fhir_node *resource)
{
    struct fhir_node list = fhir_take_list(reader, resource, "signature");
    size_t count = fhir_size(&list);

    if (count > FHIR_SIGNATURES_MAX) {
        fhir_find(reader->report, FHIR_MANY, &list, NULL);
        return;
    }
    out->signatures =
        fhir_allocate(reader, (count + 1) * sizeof *out->signatures);
    for (size_t i = 0; out->signatures != NULL && i < count; i++) {
        struct fhir_node signature = fhir_element(&list, i);
        read_signature(reader, &out->signatures[i], &signature);
        out->signature_count++;
    }
}

void fhir_provenance_read(const struct fhir_reader *reader,
                          struct fhir_provenance *out,
                          const struct fhir_node *resource)
{
    struct fhir_node agents = fhir_take_list(reader, resource, "agent");
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
    read_signatures(reader, out, resource);
    fhir_report_add(reader->report, FHIR_PROVENANCE_STAYS, "$", NULL);
}
