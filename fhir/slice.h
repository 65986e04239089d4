/* SPDX-License-Identifier: Apache-2.0 */
/* Where values stand in the bytes of a JSON text that is known to be well
 * formed: so that resources are kept as received. For fhir/ only. */
#ifndef FHIR_SLICE_H
#define FHIR_SLICE_H

#include "consensus/types.h"

/* A region of the text. */
struct fhir_slice {
    size_t offset;
    size_t size; /* 0: there is none. */
};

/* The value of member `key` of the object at `object`. */
struct fhir_slice fhir_slice_member(struct pbft_bytes text,
                                    struct fhir_slice object, const char *key);
/* The first element of the array at `array`. */
struct fhir_slice fhir_slice_first(struct pbft_bytes text,
                                   struct fhir_slice array);
/* The element after `element`. */
struct fhir_slice fhir_slice_next(struct pbft_bytes text,
                                  struct fhir_slice element);
/* The text without white space around it. */
struct fhir_slice fhir_slice_whole(struct pbft_bytes text);

#endif /* FHIR_SLICE_H */
