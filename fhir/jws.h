/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Signatures, compact (RFC 7515), with the payload in it or detached,
 * encoded or not (RFC 7797); and the canonical JSON that FHIR signs. For fhir/
 * only. */
#ifndef FHIR_JWS_H
#define FHIR_JWS_H

#include "crypto/signer_key.h"
#include "fhir/json.h"

#define FHIR_JWS_SIGNATURE_MAX 512 /* RSA of 4096 bits. */
#define FHIR_JWS_ALGORITHM_MAX 16

/* Regions point into the text. */
struct fhir_jws {
    char algorithm[FHIR_JWS_ALGORITHM_MAX];
    bool is_plain;             /* The payload is signed as it is. */
    struct pbft_bytes header;  /* Base64url. */
    struct pbft_bytes payload; /* Base64url; empty: detached. */
    uint8_t signature[FHIR_JWS_SIGNATURE_MAX];
    size_t signature_size;
};

/* False and what is wrong: the form, an algorithm that is not accepted, or a
 * critical header that is not understood. */
bool fhir_jws_parse(struct fhir_jws *out, struct pbft_bytes text,
                    enum fhir_finding_kind *wrong);

/* Is it the signature of that content? BAD_SIGNATURE, also if it holds another
 * one; INVALID_ARGUMENT: the algorithm is not of this kind of key. */
PBFT_MUST_USE enum pbft_status fhir_jws_verify(const struct fhir_jws *jws,
                                               const struct signer_key *key,
                                               struct pbft_bytes content);

/* What is left out of what is signed: canonicalization of targetFormat. */
enum fhir_canonical {
    FHIR_CANONICAL_UNKNOWN = 0,
    FHIR_CANONICAL_WHOLE,
    FHIR_CANONICAL_DATA,   /* Without the narrative. */
    FHIR_CANONICAL_STATIC, /* Nor meta. */
};
/* Of a targetFormat; NULL: whole. */
enum fhir_canonical fhir_canonical_of(const char *target_format);

/* RFC 8785 of a resource; from malloc. NULL: it holds what has no one form
 * (a decimal, a control character), or memory is short. */
char *fhir_canonical_text(struct pbft_bytes resource,
                          enum fhir_canonical canonical);

#endif /* FHIR_JWS_H */
