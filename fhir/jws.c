/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and checking compact signatures. */
#include "fhir/jws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fhir/encoding.h"
#include "fhir/limits.h"

#define HEADER_MAX ((size_t)64 * 1024) /* With certificates. */
#define HEADER_DEPTH_MAX 8

/* ---- base64url (RFC 4648, 5) without padding ----------------------------- */

static bool is_digit(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* From malloc, with a zero behind; NULL: it is none, or memory is short. */
static uint8_t *decode(struct pbft_bytes text, size_t *size)
{
    char *plain = malloc(text.size + 4);
    uint8_t *out = malloc(text.size + 4);
    size_t used = 0;
    bool done = plain != NULL && out != NULL && text.size % 4 != 1;

    for (size_t i = 0; done && i < text.size; i++) {
        char c = (char)text.data[i];
        done = is_digit(c);
        plain[used++] = (char)(c == '-' ? '+' : c == '_' ? '/' : c);
    }
    while (done && used % 4 != 0) {
        plain[used++] = '=';
    }
    if (done) {
        plain[used] = 0;
        done = fhir_base64_decode(out, size, plain) == PBFT_OK;
    }
    free(plain);
    if (!done) {
        free(out);
        return NULL;
    }
    out[*size] = 0;
    return out;
}

/* Appends; the caller has made room. */
static void put_encoded(char *out, size_t *used, struct pbft_bytes bytes)
{
    fhir_base64_encode(out + *used, bytes);
    for (; out[*used] != 0 && out[*used] != '='; (*used)++) {
        if (out[*used] == '+') {
            out[*used] = '-';
        } else if (out[*used] == '/') {
            out[*used] = '_';
        }
    }
}

/* ---- form ---------------------------------------------------------------- */

/* header.payload.signature */
static bool split(struct pbft_bytes text, struct pbft_bytes parts[3])
{
    size_t part = 0;
    size_t begin = 0;

    for (size_t i = 0; i <= text.size; i++) {
        if (i < text.size && text.data[i] != '.') {
            if (!is_digit((char)text.data[i])) {
                return false;
            }
            continue;
        }
        if (part > 2) {
            return false;
        }
        parts[part++] = (struct pbft_bytes){text.data + begin, i - begin};
        begin = i + 1;
    }
    return part == 3 && parts[0].size > 0 && parts[2].size > 0;
}

/* "b64" is all that we understand (RFC 7797). */
static bool understands(const struct fhir_node *header, bool is_plain)
{
    struct fhir_node crit = fhir_field(header, "crit");
    bool names_b64 = false;

    if (crit.json != NULL && fhir_size(&crit) == 0) {
        return false;
    }
    for (size_t i = 0; i < fhir_size(&crit); i++) {
        struct fhir_node node = fhir_element(&crit, i);
        const char *name = fhir_string(&node);
        if (name == NULL || strcmp(name, "b64") != 0) {
            return false;
        }
        names_b64 = true;
    }
    return !is_plain || names_b64;
}

static bool read_header(struct fhir_jws *out, const struct fhir_node *header,
                        enum fhir_finding_kind *wrong)
{
    struct fhir_node algorithm = fhir_field(header, "alg");
    struct fhir_node b64 = fhir_field(header, "b64");
    const char *name = fhir_string(&algorithm);

    *wrong = FHIR_SIGNATURE;
    if (name == NULL ||
        (b64.json != NULL && !fhir_is_true(&b64) && !fhir_is_false(&b64))) {
        return false;
    }
    out->is_plain = fhir_is_false(&b64);
    if (!understands(header, out->is_plain)) {
        *wrong = FHIR_SIGNATURE_CRITICAL;
        return false;
    }
    if (!signer_algorithm_is_known(name)) {
        *wrong = FHIR_SIGNATURE_ALGORITHM;
        return false;
    }
    (void)snprintf(out->algorithm, sizeof out->algorithm, "%s", name);
    return true;
}

static bool take_header(struct fhir_jws *out, enum fhir_finding_kind *wrong)
{
    struct fhir_json_error unused;
    size_t size = 0;
    uint8_t *bytes = decode(out->header, &size);

    *wrong = FHIR_SIGNATURE;
    if (bytes == NULL) {
        return false;
    }
    json_t *json = fhir_json_parse((struct pbft_bytes){bytes, size},
                                   HEADER_DEPTH_MAX, HEADER_MAX, &unused);
    struct fhir_node header = fhir_root(json);
    bool done = json != NULL && fhir_type(&header) == FHIR_JSON_OBJECT &&
                read_header(out, &header, wrong);
    fhir_json_free(json);
    free(bytes);
    return done;
}

bool fhir_jws_parse(struct fhir_jws *out, struct pbft_bytes text,
                    enum fhir_finding_kind *wrong)
{
    struct pbft_bytes parts[3];

    memset(out, 0, sizeof *out);
    *wrong = FHIR_SIGNATURE;
    if (!split(text, parts)) {
        return false;
    }
    out->header = parts[0];
    out->payload = parts[1];
    uint8_t *signature = decode(parts[2], &out->signature_size);
    bool fits =
        signature != NULL && out->signature_size <= sizeof out->signature;
    if (fits) {
        memcpy(out->signature, signature, out->signature_size);
    }
    free(signature);
    return fits && take_header(out, wrong);
}

/* ---- checking ------------------------------------------------------------ */

/* A payload that is there must be the content. */
static bool holds(const struct fhir_jws *jws, struct pbft_bytes content)
{
    size_t size = 0;

    if (jws->payload.size == 0) {
        return true;
    }
    uint8_t *payload = decode(jws->payload, &size);
    bool same = payload != NULL && size == content.size &&
                memcmp(payload, content.data, size) == 0;
    free(payload);
    return same;
}

enum pbft_status fhir_jws_verify(const struct fhir_jws *jws,
                                 const struct signer_key *key,
                                 struct pbft_bytes content)
{
    size_t used = jws->header.size;
    char *input = malloc(used + 1 + 4 * (content.size / 3 + 1) + 1);

    if (input == NULL) {
        return PBFT_NO_MEMORY;
    }
    memcpy(input, jws->header.data, used);
    input[used++] = '.';
    if (jws->is_plain) {
        memcpy(input + used, content.data, content.size);
        used += content.size;
    } else {
        put_encoded(input, &used, content);
    }
    enum pbft_status status = signer_key_verify(
        key, jws->algorithm, (struct pbft_bytes){(const uint8_t *)input, used},
        (struct pbft_bytes){jws->signature, jws->signature_size});
    free(input);
    return status == PBFT_OK && !holds(jws, content) ? PBFT_BAD_SIGNATURE
                                                     : status;
}

/* ---- canonical JSON ------------------------------------------------------ */

enum fhir_canonical fhir_canonical_of(const char *target_format)
{
    static const char mark[] = "canonicalization=";
    static const char uri[] = "http://hl7.org/fhir/canonicalization/json";
    const char *at = target_format == NULL ? NULL : strstr(target_format, mark);

    if (at == NULL) {
        return FHIR_CANONICAL_WHOLE;
    }
    at += sizeof mark - 1;
    if (strncmp(at, uri, sizeof uri - 1) != 0) {
        return FHIR_CANONICAL_UNKNOWN;
    }
    at += sizeof uri - 1;
    return *at == 0                     ? FHIR_CANONICAL_WHOLE
           : strcmp(at, "#data") == 0   ? FHIR_CANONICAL_DATA
           : strcmp(at, "#static") == 0 ? FHIR_CANONICAL_STATIC
                                        : FHIR_CANONICAL_UNKNOWN;
}

/* Control characters have two spellings, decimals many. */
static void look(void *context, const struct fhir_node *node)
{
    bool *has_one_form = context;
    const char *text = fhir_string(node);

    if (fhir_type(node) == FHIR_JSON_REAL) {
        *has_one_form = false;
    }
    for (; text != NULL && *text != 0; text++) {
        if ((unsigned char)*text < 0x20 &&
            strchr("\b\t\n\f\r", *text) == NULL) {
            *has_one_form = false;
        }
    }
}

char *fhir_canonical_text(struct pbft_bytes resource,
                          enum fhir_canonical canonical)
{
    struct fhir_json_error wrong;
    bool has_one_form = true;
    char *text = NULL;
    json_t *json = fhir_json_parse(resource, FHIR_DEPTH_MAX,
                                   FHIR_RESOURCE_BYTES_MAX, &wrong);
    struct fhir_node root = fhir_root(json);

    if (json == NULL || canonical == FHIR_CANONICAL_UNKNOWN) {
        fhir_json_free(json);
        return NULL;
    }
    if (canonical != FHIR_CANONICAL_WHOLE) {
        (void)json_object_del(json, "text");
    }
    if (canonical == FHIR_CANONICAL_STATIC) {
        (void)json_object_del(json, "meta");
    }
    fhir_walk(&root, look, &has_one_form);
    if (has_one_form) {
        text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    }
    fhir_json_free(json);
    return text;
}
