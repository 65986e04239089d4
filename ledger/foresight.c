/* SPDX-License-Identifier: Apache-2.0 */
/* The ids that transactions name first. */
#include "ledger/foresight.h"

#include "ledger/families.h"
#include "proto/varint.h"

/* In TransactionBody the payload has the highest numbers, so it comes last. */
#define PAYLOAD_FIELD_MIN 20u

bool foresight_next_field(struct pbft_bytes *rest, uint64_t *number,
                          struct pbft_bytes *value)
{
    const uint8_t *at = rest->data;
    const uint8_t *end = rest->data + rest->size;
    uint64_t tag = 0;
    uint64_t read = 0;
    *value = (struct pbft_bytes){NULL, 0};
    if (rest->size == 0 || wire_varint_read(&at, end, &tag) != PBFT_OK ||
        wire_varint_read(&at, end, &read) != PBFT_OK) {
        return false;
    }
    if ((tag & 7) == WIRE_LENGTH) {
        if (read > (uint64_t)(end - at)) {
            return false;
        }
        *value = (struct pbft_bytes){at, (size_t)read};
        at += read;
    }
    *number = tag >> 3;
    *rest = (struct pbft_bytes){at, (size_t)(end - at)};
    return true;
}

static void expect(struct overlay *overlay, const struct thing *thing,
                   struct pbft_bytes id)
{
    struct schema_key key;
    if (id.size == thing_id_size(thing)) {
        thing_make_key(&key, thing, id.data);
        overlay_expect(overlay, &key);
    }
}

/* The id of what is made, which should be new, and whom it is about: records
 * and consents say so next. */
static void expect_payload(struct overlay *overlay, const struct family *family,
                           struct pbft_bytes payload)
{
    uint64_t number;
    struct pbft_bytes value;
    if (family == NULL || family->makes == NULL ||
        !foresight_next_field(&payload, &number, &value) || number != 1) {
        return;
    }
    expect(overlay, family->makes, value);
    if (foresight_next_field(&payload, &number, &value) && number == 2) {
        expect(overlay, &thing_subject, value);
    }
}

static void expect_transaction(struct overlay *overlay,
                               struct pbft_bytes transaction)
{
    uint64_t number;
    struct pbft_bytes body;
    struct pbft_bytes value;
    if (!foresight_next_field(&transaction, &number, &body)) {
        return;
    }
    while (foresight_next_field(&body, &number, &value)) {
        if (number >= PAYLOAD_FIELD_MIN && number <= UINT32_MAX) {
            expect_payload(overlay, family_of((uint32_t)number), value);
        }
    }
}

void foresight_read(struct ledger *ledger, const struct ledger_block *block)
{
    for (uint32_t i = 0; i < block->request_count; i++) {
        size_t count = 0;
        if (transaction_list_split(ledger->split,
                                   LEDGER_REQUEST_TRANSACTIONS_MAX, &count,
                                   block->requests[i].payload) != PBFT_OK) {
            continue;
        }
        for (size_t j = 0; j < count; j++) {
            expect_transaction(&ledger->overlay, ledger->split[j]);
        }
    }
    overlay_fetch(&ledger->overlay);
}
