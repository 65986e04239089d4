/* SPDX-License-Identifier: Apache-2.0 */
/* The key of a resource that an export handed out. */
#include "fhir/handed.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "crypto/digest.h"
#include "fhir/item.h"

/* One text for all ways to print the same. */
#define ONE_WAY (JSON_COMPACT | JSON_SORT_KEYS)

enum pbft_status fhir_handed_key(uint8_t out[32], const struct fhir_item *item,
                                 const struct pbft_digest *chain)
{
    static const char domain[] = "salus/handed/1"; /* With its zero. */
    struct pbft_digest digest;
    char *text = item->json != NULL ? json_dumps(item->json, ONE_WAY) : NULL;

    if (text == NULL) {
        return PBFT_NO_MEMORY;
    }
    const struct pbft_bytes parts[] = {{(const uint8_t *)domain, sizeof domain},
                                       {chain->bytes, sizeof chain->bytes},
                                       {(const uint8_t *)text, strlen(text)}};
    digest_blake2b_parts(&digest, parts, sizeof parts / sizeof parts[0]);
    memcpy(out, digest.bytes, 32);
    free(text);
    return PBFT_OK;
}
