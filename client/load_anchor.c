/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic record anchors of a wanted size. What pads them is what real ones
 * have: a longer location, blinded tags, related records. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "client/load.h"
#include "crypto/random.h"
#include "ledger/forms.h"

#define ANCHOR_CLASS 1
#define ANCHOR_CONF_N 4 /* CONF: N, normal. */
#define LOCATION_NAME 26
#define LOCATION_PAD_MAX 240
#define LABEL_MAX 63
#define ID_BYTES 18 /* An id of 16 with tag and length. */
#define TAGS 16
#define RELATED_MAX 16

/* All that is random in one anchor: one call of the kernel fills it. */
struct noise {
    uint8_t digests[3][LEDGER_COMMIT_SIZE];
    uint8_t name[LOCATION_NAME];
    uint8_t ids[1 + TAGS + RELATED_MAX][LEDGER_ID_SIZE];
};

static void fill(struct noise *noise, size_t ids)
{
    random_fill(noise, offsetof(struct noise, ids) + ids * LEDGER_ID_SIZE);
    for (size_t i = 0; i < ids; i++) {
        struct pbft_bytes id = {noise->ids[i], LEDGER_ID_SIZE};
        while (forms_reads_as_text(id)) {
            random_fill(noise->ids[i], LEDGER_ID_SIZE);
        }
    }
}

/* "drs://" labels "/" 26 characters: `pad` characters longer than the
 * shortest. */
static size_t make_location(char out[LEDGER_LOCATION_MAX],
                            const uint8_t name[LOCATION_NAME], size_t pad)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    size_t size = 0;

    memcpy(out, "drs://", 6);
    size = 6;
    for (size_t i = 0; i <= pad; i++) {
        bool dot = i % (LABEL_MAX + 1) == LABEL_MAX && i < pad;
        out[size++] = dot ? '.' : 'a';
    }
    out[size++] = '/';
    for (size_t i = 0; i < LOCATION_NAME; i++) {
        out[size++] = alphabet[name[i] % 32];
    }
    return size;
}

struct padding {
    size_t location;
    size_t tags;
    size_t related;
};

static struct padding plan(uint32_t payload)
{
    struct padding padding = {0, 0, 0};
    size_t missing =
        payload > LOAD_PAYLOAD_MIN ? payload - LOAD_PAYLOAD_MIN : 0;

    if (missing > LOCATION_PAD_MAX) {
        padding.tags = TAGS;
        missing = missing > TAGS * ID_BYTES ? missing - TAGS * ID_BYTES : 0;
    }
    while (missing > LOCATION_PAD_MAX && padding.related < RELATED_MAX) {
        padding.related++;
        missing = missing > ID_BYTES ? missing - ID_BYTES : 0;
    }
    padding.location = missing > LOCATION_PAD_MAX ? LOCATION_PAD_MAX : missing;
    return padding;
}

enum pbft_status load_make_anchor(struct transaction_bytes *out,
                                  const struct transaction_envelope *envelope,
                                  const uint8_t encryption_key[16],
                                  uint32_t payload, const uint8_t *record)
{
    const struct padding padding = plan(payload);
    struct transaction_record_envelope wrap;
    struct noise noise;
    char location[LEDGER_LOCATION_MAX];
    struct transaction_bytes body = {NULL, 0};

    fill(&noise, 1 + padding.tags + padding.related);
    size_t location_size =
        make_location(location, noise.name, padding.location);
    if (record != NULL) {
        memcpy(noise.ids[0], record, LEDGER_ID_SIZE);
    }
    memcpy(wrap.wrap_commit.bytes, noise.digests[2], LEDGER_COMMIT_SIZE);
    memcpy(wrap.recipient_key.bytes, encryption_key, LEDGER_ID_SIZE);
    const struct transaction anchor = {
        .type = TRANSACTION_RECORD_ANCHOR,
        .record_anchor = {
            .record = {noise.ids[0], LEDGER_ID_SIZE},
            .class_code = ANCHOR_CLASS,
            .confidentiality = ANCHOR_CONF_N,
            .tags = {noise.ids[1], padding.tags},
            .commit = {noise.digests[0], LEDGER_COMMIT_SIZE},
            .cipher_digest = {noise.digests[1], LEDGER_COMMIT_SIZE},
            .cipher_size_bucket = 1,
            .algorithm = 1,
            .location = {(const uint8_t *)location, location_size},
            .envelopes = &wrap,
            .envelope_count = 1,
            .related = {noise.ids[1 + padding.tags], padding.related}}};
    enum pbft_status status = transaction_build(&body, envelope, &anchor);
    if (status == PBFT_OK) {
        status = transaction_seal(
            out, (struct pbft_bytes){body.data, body.size}, NULL, 0);
    }
    free(body.data);
    return status;
}
