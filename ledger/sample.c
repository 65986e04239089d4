/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/sample.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/codes.h"
#include "ledger/forms.h"

#define LOCATION_PAD_MAX 240
#define LABEL_MAX 63
#define ID_BYTES 18 /* An id of 16 with tag and length. */

struct padding {
    size_t location;
    size_t tags;
    size_t related;
};

static struct padding plan(uint32_t payload)
{
    struct padding padding = {0, 0, 0};
    size_t missing =
        payload > SAMPLE_PAYLOAD_MIN ? payload - SAMPLE_PAYLOAD_MIN : 0;

    if (missing > LOCATION_PAD_MAX) {
        padding.tags = SAMPLE_TAGS;
        missing = missing > SAMPLE_TAGS * ID_BYTES
                      ? missing - SAMPLE_TAGS * ID_BYTES
                      : 0;
    }
    while (missing > LOCATION_PAD_MAX && padding.related < SAMPLE_RELATED_MAX) {
        padding.related++;
        missing = missing > ID_BYTES ? missing - ID_BYTES : 0;
    }
    padding.location = missing > LOCATION_PAD_MAX ? LOCATION_PAD_MAX : missing;
    return padding;
}

static size_t count_ids(uint32_t payload)
{
    const struct padding padding = plan(payload);
    return 1 + padding.tags + padding.related;
}

size_t sample_noise_size(uint32_t payload)
{
    return offsetof(struct sample_noise, ids) +
           count_ids(payload) * LEDGER_ID_SIZE;
}

bool sample_noise_is_usable(const struct sample_noise *noise, uint32_t payload)
{
    const size_t count = count_ids(payload);
    for (size_t i = 0; i < count; i++) {
        if (forms_reads_as_text(
                (struct pbft_bytes){noise->ids[i], LEDGER_ID_SIZE})) {
            return false;
        }
    }
    return true;
}

/* "drs://" labels "/" 26 characters: `pad` characters longer than the
 * shortest. */
static size_t make_location(char out[LEDGER_LOCATION_MAX],
                            const uint8_t name[SAMPLE_LOCATION_NAME],
                            size_t pad)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    size_t size = 6;

    memcpy(out, "drs://", size);
    for (size_t i = 0; i <= pad; i++) {
        bool dot = i % (LABEL_MAX + 1) == LABEL_MAX && i < pad;
        out[size++] = dot ? '.' : 'a';
    }
    out[size++] = '/';
    for (size_t i = 0; i < SAMPLE_LOCATION_NAME; i++) {
        out[size++] = alphabet[name[i] % 32];
    }
    return size;
}

enum pbft_status sample_anchor(struct transaction_bytes *out,
                               const struct transaction_envelope *envelope,
                               const uint8_t recipient[LEDGER_ID_SIZE],
                               uint32_t payload,
                               const struct sample_noise *noise)
{
    const struct padding padding = plan(payload);
    char location[LEDGER_LOCATION_MAX];
    struct transaction_record_envelope wrap;
    struct transaction_bytes body = {NULL, 0};
    const size_t size = make_location(location, noise->name, padding.location);

    memcpy(wrap.recipient_key.bytes, recipient, LEDGER_ID_SIZE);
    memcpy(wrap.wrap_commit.bytes, noise->digests[2], LEDGER_COMMIT_SIZE);
    const struct transaction anchor = {
        .type = TRANSACTION_RECORD_ANCHOR,
        .record_anchor = {
            .record = {noise->ids[0], LEDGER_ID_SIZE},
            .class_code = CODES_CLASS_OTHER,
            .confidentiality = CODES_CONF_N,
            .tags = {noise->ids[1], padding.tags},
            .commit = {noise->digests[0], LEDGER_COMMIT_SIZE},
            .cipher_digest = {noise->digests[1], LEDGER_COMMIT_SIZE},
            .cipher_size_bucket = 1,
            .algorithm = 1,
            .location = {(const uint8_t *)location, size},
            .envelopes = &wrap,
            .envelope_count = 1,
            .related = {noise->ids[1 + padding.tags], padding.related}}};
    enum pbft_status status = transaction_build(&body, envelope, &anchor);
    if (status == PBFT_OK) {
        status = transaction_seal(
            out, (struct pbft_bytes){body.data, body.size}, NULL, 0);
    }
    free(body.data);
    return status;
}
