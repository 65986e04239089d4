/* SPDX-License-Identifier: Apache-2.0 */
#include "client/verify_form.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base64.h"

#define INSTITUTION_BYTES 16

static enum pbft_status refuse(struct salus_reason *reason, const char *what)
{
    salus_reason_set(reason, "%s", what);
    return PBFT_MALFORMED;
}

static enum pbft_status put(struct wire_buffer *bytes, const uint8_t *data,
                            size_t size, struct salus_reason *reason)
{
    wire_buffer_put(bytes, data, size);
    if (bytes->status != PBFT_OK) {
        salus_reason_set(reason, "%s", pbft_status_text(bytes->status));
    }
    return bytes->status;
}

/* ---- encoded ------------------------------------------------------------- */

/* Both begin with a version and the cluster id. Then a proof has the 16 bytes
 * of the institution that asked, and a receipt a request, which is longer. */
static enum armor_kind kind_of_encoding(struct pbft_bytes bytes)
{
    static const uint8_t cluster[] = {0x12, PBFT_DIGEST_SIZE};
    const size_t third = 2 + sizeof cluster + PBFT_DIGEST_SIZE;
    if (bytes.size < third + 2 || bytes.data[0] != 0x08 ||
        bytes.data[1] >= 0x80 ||
        memcmp(bytes.data + 2, cluster, sizeof cluster) != 0 ||
        bytes.data[third] != 0x1a) {
        return (enum armor_kind)0;
    }
    return bytes.data[third + 1] == INSTITUTION_BYTES ? ARMOR_QUERY_PROOF
                                                      : ARMOR_RECEIPT;
}

/* ---- base64 alone -------------------------------------------------------- */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_base64(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '+' || c == '/' || c == '=';
}

static bool is_base64_text(struct pbft_bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (!is_space(text.data[i]) && !is_base64(text.data[i])) {
            return false;
        }
    }
    return true;
}

/* In one line, or in lines of any width: R4 allows white space. */
static enum pbft_status read_base64(struct wire_buffer *bytes,
                                    struct pbft_bytes text,
                                    struct salus_reason *reason)
{
    uint8_t *digits = malloc(text.size + 1);
    uint8_t *decoded = malloc(text.size + 1);
    enum pbft_status status =
        digits == NULL || decoded == NULL ? PBFT_NO_MEMORY : PBFT_OK;
    size_t count = 0;
    for (size_t i = 0; status == PBFT_OK && i < text.size; i++) {
        if (!is_space(text.data[i])) {
            digits[count++] = text.data[i];
        }
    }
    if (status == PBFT_OK) {
        ptrdiff_t size =
            base64_decode((struct pbft_bytes){digits, count}, decoded);
        if (size < 0) {
            status = refuse(reason, "base64 that is cut off, or several of "
                                    "them: one receipt or proof at a time");
        } else {
            status = put(bytes, decoded, (size_t)size, reason);
        }
    }
    free(decoded);
    free(digits);
    return status;
}

/* ---- which of them ------------------------------------------------------- */

static struct pbft_bytes without_spaces_before(struct pbft_bytes text)
{
    while (text.size > 0 && is_space(text.data[0])) {
        text.data++;
        text.size--;
    }
    return text;
}

static const char *what_else(struct pbft_bytes content)
{
    struct pbft_bytes text = without_spaces_before(content);
    if (text.size == 0) {
        return "it is empty";
    }
    if (text.data[0] == '{' || text.data[0] == '[') {
        return "it is JSON: of a FHIR export the valueBase64Binary of the "
               "extension urn:salus:receipt or urn:salus:proof is wanted, "
               "alone";
    }
    if (text.data[0] == '"') {
        return "it is in quotes: base64 alone is wanted";
    }
    return "it is neither a receipt nor the proof of an answer";
}

enum pbft_status verify_form_read(struct wire_buffer *bytes,
                                  enum armor_kind *kind,
                                  struct pbft_bytes content,
                                  struct salus_reason *reason)
{
    size_t before = bytes->size;
    enum pbft_status status = PBFT_OK;
    *kind = armor_kind_of(content);
    if (*kind == ARMOR_RECEIPT || *kind == ARMOR_QUERY_PROOF) {
        return armor_decode(*kind, content, bytes, reason);
    }
    if (*kind != 0) {
        salus_reason_set(reason,
                         "it is neither a receipt nor the proof of an answer, "
                         "but a SALUS %s file",
                         armor_kind_name(*kind));
        *kind = (enum armor_kind)0;
        return PBFT_MALFORMED;
    }
    *kind = kind_of_encoding(content);
    if (*kind != 0) {
        return put(bytes, content.data, content.size, reason);
    }
    if (without_spaces_before(content).size == 0 || !is_base64_text(content)) {
        return refuse(reason, what_else(content));
    }
    status = read_base64(bytes, content, reason);
    if (status != PBFT_OK) {
        return status;
    }
    *kind = kind_of_encoding(
        (struct pbft_bytes){bytes->data + before, bytes->size - before});
    return *kind != 0 ? PBFT_OK
                      : refuse(reason, "base64 of neither a receipt nor the "
                                       "proof of an answer");
}
