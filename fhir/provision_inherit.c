/* SPDX-License-Identifier: Apache-2.0 */
/* What an exception inherits is read by its own rule, not by that of the root:
 * where the two differ, it is stated. */
#include <string.h>

#include "fhir/consent.h"

/* A confidentiality is the highest of a permit, and the lowest of a deny. The
 * deny within a permit must reach all that is below; how far a permit within a
 * deny reaches cannot be told. */
static void inherit_confidentiality(const struct fhir_reader *reader,
                                    struct fhir_selector *own,
                                    const struct fhir_selector *root,
                                    const struct fhir_node *node)
{
    if (own->confidentiality_count > 0 || own->label_count > 0 ||
        root->confidentiality_count == 0) {
        return;
    }
    if (own->decision != TRANSACTION_DENY) {
        fhir_find(reader->report, FHIR_PERMIT_INHERITS, node, NULL);
        return;
    }
    own->confidentiality[0] = CODES_CONF_U;
    own->confidentiality_count = 1;
    memcpy(own->labels, root->labels, sizeof own->labels);
    own->label_count = root->label_count;
}

/* A deny of a document means its later versions, too, and a permit does not:
 * what is inherited is taken as the exception would have it. */
static void inherit_data(struct fhir_selector *own,
                         const struct fhir_selector *root)
{
    bool is_document = false;

    for (size_t i = 0; i < root->data_count; i++) {
        is_document = is_document ||
                      root->data[i].meaning == TRANSACTION_INSTANCE ||
                      root->data[i].meaning == TRANSACTION_RELATED;
    }
    if (own->data_count == 0 && is_document) {
        memcpy(own->data, root->data, sizeof own->data);
        own->data_count = root->data_count;
    }
}

void fhir_provision_inherit(const struct fhir_reader *reader,
                            struct fhir_selector *own,
                            const struct fhir_selector *root,
                            const struct fhir_node *node)
{
    if (own->decision != root->decision) {
        inherit_confidentiality(reader, own, root, node);
        inherit_data(own, root);
    }
}
