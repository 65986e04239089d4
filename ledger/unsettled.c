/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects that are indeterminate: what of each, and the list of each
 * registrar, oldest first, that a privacy officer works down.
 */
#include <string.h>

#include "ledger/consent.h"
#include "ledger/fields.h"

/* The row of the list. */
static void list_id(uint8_t out[UNSETTLED_ID_SIZE],
                    const struct pbft_institution *registrar,
                    pbft_wall_us since_us, const uint8_t *handle)
{
    memcpy(out, registrar->bytes, sizeof registrar->bytes);
    field_put_u64(out + sizeof registrar->bytes, since_us);
    memcpy(out + sizeof registrar->bytes + FIELD_U64_SIZE, handle,
           LEDGER_HANDLE_SIZE);
}

void unsettled_add(struct execution *x, const struct schema_subject *subject,
                   const Salus__V1__ConsentEvidence *in)
{
    static const struct schema_mark mark = {1};
    const uint8_t *handle = in->subject.data;
    struct schema_unsettled row = {.count = 0};
    if (!state_get_unsettled(x->overlay, handle, &row)) {
        uint8_t id[UNSETTLED_ID_SIZE];
        row.since_seq = x->seq;
        row.since_us = x->place.time;
        row.reason = in->reason;
        memcpy(row.evidence, in->consent.data, sizeof row.evidence);
        list_id(id, &subject->registrar, row.since_us, handle);
        thing_put(x->overlay, &thing_to_settle, id, &mark);
    }
    row.count++;
    memcpy(row.newest, in->consent.data, sizeof row.newest);
    state_put_unsettled(x->overlay, handle, &row);
}

void unsettled_end(struct execution *x, const struct schema_subject *subject,
                   const uint8_t *handle)
{
    uint8_t id[UNSETTLED_ID_SIZE];
    struct schema_unsettled row;
    if (state_get_unsettled(x->overlay, handle, &row)) {
        list_id(id, &subject->registrar, row.since_us, handle);
        thing_delete(x->overlay, &thing_to_settle, id);
        thing_delete(x->overlay, &thing_unsettled, handle);
    }
}
