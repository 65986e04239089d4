/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of the bridge, with its reason. */
#ifndef FHIR_LIMITS_H
#define FHIR_LIMITS_H

#include <stddef.h>

/* Import law 1: a resource, with inline attachments. */
#define FHIR_RESOURCE_BYTES_MAX ((size_t)1024 * 1024)
/* Import law 1: levels of objects and arrays in a resource. */
#define FHIR_DEPTH_MAX 32
/* Around a resource in a Bundle: bundle, entry list, entry. */
#define FHIR_BUNDLE_DEPTH 3
/* A file is read whole; split larger bulk exports. */
#define FHIR_FILE_BYTES_MAX ((size_t)64 * 1024 * 1024)
#define FHIR_ITEMS_MAX 100000
/* An attachment that lies in a file of its own. */
#define FHIR_ATTACHMENT_BYTES_MAX ((size_t)256 * 1024 * 1024)

#define FHIR_PATH_MAX 192      /* A JSON path, cut if longer. */
#define FHIR_CODE_MAX 24       /* An echoed code. */
#define FHIR_FINDINGS_MAX 64   /* More are counted, not kept. */
#define FHIR_REFERENCE_MAX 512 /* A reference or system|value. */
#define FHIR_KEY_MAX 64        /* An element name that is echoed. */
/* Memory of one item beside its JSON: the model of a consent. */
#define FHIR_ARENA_MAX ((size_t)4 * 1024 * 1024)

#endif /* FHIR_LIMITS_H */
