/* SPDX-License-Identifier: Apache-2.0 */
/* What is there for whom, and what became of what was sent. */
#include <string.h>

#include "node/delivery_private.h"

static bool is_of(const struct pbft_institution *a,
                  const struct pbft_institution *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* Still granted, and read. */
static bool hand_out(struct delivery *delivery, struct delivery_item *out,
                     uint32_t slot)
{
    struct envelopes *store = delivery->config.store;
    bool is_erased = false;
    out->head = *envelopes_get(store, slot);
    return delivery_judge_kept(delivery, slot, &is_erased) == DELIVERY_OK &&
           envelopes_read(store, slot, &out->secret) == PBFT_OK;
}

size_t delivery_inbox(struct delivery *delivery, struct delivery_item *out,
                      size_t capacity, uint32_t *next,
                      const struct pbft_institution *caller,
                      const uint8_t *record, uint32_t after)
{
    struct envelopes *store = delivery->config.store;
    size_t count = 0;
    uint32_t at = after;
    for (; at < envelopes_end(store) && count < capacity; at++) {
        const struct envelope_head *head = envelopes_get(store, at);
        if (head != NULL && head->state == ENVELOPE_HELD &&
            is_of(&head->recipient, caller) &&
            (record == NULL || memcmp(head->name.record, record,
                                      sizeof head->name.record) == 0) &&
            hand_out(delivery, &out[count], at)) {
            count++;
        }
    }
    *next = at < envelopes_end(store) ? at : 0;
    return count;
}

size_t delivery_sent(struct delivery *delivery, struct delivery_state *out,
                     size_t capacity, uint32_t *next,
                     const struct pbft_institution *caller, uint32_t after)
{
    struct envelopes *store = delivery->config.store;
    size_t count = 0;
    uint32_t at = after;
    for (; at < envelopes_end(store) && count < capacity; at++) {
        const struct envelope_head *head = envelopes_get(store, at);
        if (head != NULL && is_of(&head->custodian, caller)) {
            delivery_describe(delivery, &out[count], at);
            count++;
        }
    }
    *next = at < envelopes_end(store) ? at : 0;
    return count;
}

void delivery_count(const struct delivery *delivery,
                    struct delivery_counts *out)
{
    const struct envelopes *store = delivery->config.store;
    *out = (struct delivery_counts){.erased = delivery->erased};
    for (uint32_t i = 0; i < envelopes_end(store); i++) {
        const struct envelope_head *head = envelopes_get(store, i);
        if (head != NULL && head->state == ENVELOPE_WAITING) {
            out->waiting++;
            out->refused += delivery->rows[i].code != DELIVERY_OK;
        } else if (head != NULL && head->state == ENVELOPE_HELD) {
            out->held++;
        }
    }
}
