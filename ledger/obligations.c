/* SPDX-License-Identifier: Apache-2.0 */
/* Consents and decisions end, reviews become overdue: one sweep before the
 * transactions of a block, bounded, in the order of the keys.
 */
#include "ledger/obligations.h"

#include <string.h>

#include "ledger/consent.h"
#include "ledger/fields.h"
#include "ledger/ledger.h"
#include "ledger/state.h"

#define DUE_KEY_SIZE (1 + FIELD_U64_SIZE + 1 + LEDGER_ID_SIZE)

bool obligations_read_key(struct obligations_row *out, struct pbft_bytes key)
{
    struct field_reader reader = {.data = key.data, .left = key.size};
    if (key.size != DUE_KEY_SIZE) {
        return false;
    }
    (void)field_read_u8(&reader);
    out->due_ms = field_read_u64(&reader);
    out->kind = field_read_u8(&reader);
    out->id = field_take(&reader, LEDGER_ID_SIZE);
    return true;
}

struct due_row {
    uint64_t due_ms;
    uint8_t kind;
    uint8_t id[LEDGER_ID_SIZE];
};

struct due_list {
    struct due_row rows[LEDGER_SWEEP_MAX];
    size_t count;
    uint64_t now_ms;
    bool damaged;
};

static bool note_due(void *visitor, struct pbft_bytes key,
                     struct pbft_bytes value)
{
    struct due_list *list = visitor;
    struct obligations_row row;
    (void)value;
    if (!obligations_read_key(&row, key)) {
        list->damaged = true;
        return false;
    }
    if (row.due_ms > list->now_ms) {
        return false;
    }
    struct due_row *to = &list->rows[list->count++];
    to->due_ms = row.due_ms;
    to->kind = row.kind;
    memcpy(to->id, row.id, sizeof to->id);
    return list->count < LEDGER_SWEEP_MAX;
}

static void end_decision(struct overlay *overlay, const uint8_t *id)
{
    struct schema_access access;
    if (state_get_access(overlay, id, &access)) {
        access.is_expired = true;
        state_put_access(overlay, id, &access);
    }
}

/* The institution answers for it; not for what another one told late. */
static void make_overdue(struct overlay *overlay, const uint8_t *id)
{
    struct schema_emergency emergency;
    struct schema_institution institution;
    if (!state_get_emergency(overlay, id, &emergency) ||
        emergency.state != SCHEMA_EMERGENCY_OPEN || emergency.is_reopened) {
        return;
    }
    emergency.is_overdue = true;
    state_put_emergency(overlay, id, &emergency);
    if (state_get_institution(overlay, emergency.institution.bytes,
                              &institution)) {
        institution.delinquent_count++;
        institution.overdue_count++;
        state_put_institution(overlay, emergency.institution.bytes,
                              &institution);
    }
}

static void carry_out(struct overlay *overlay, const struct due_row *row,
                      uint64_t now_ms)
{
    enum schema_due_kind kind = (enum schema_due_kind)row->kind;
    switch (kind) {
    case SCHEMA_DUE_CONSENT:
        consent_expire(overlay, row->id, now_ms);
        break;
    case SCHEMA_DUE_DECISION:
        end_decision(overlay, row->id);
        break;
    case SCHEMA_DUE_REVIEW:
        make_overdue(overlay, row->id);
        break;
    case SCHEMA_DUE_WINDOW:
    case SCHEMA_DUE_START:
        break; /* The block has moved time. */
    }
    state_delete_due(overlay, row->due_ms, kind, row->id);
}

static const uint8_t due_prefix[] = {'u'};

void obligations_sweep(struct overlay *overlay, uint64_t now_ms)
{
    struct due_list list = {.now_ms = now_ms};
    const struct ledger_kv_range range = {
        .prefix = {due_prefix, sizeof due_prefix},
        .limit = LEDGER_SWEEP_MAX,
        .direction = LEDGER_KV_FORWARD,
    };
    enum pbft_status status = overlay->kv->range(
        overlay->kv->context, LEDGER_SPACE_DUE, &range, note_due, &list);
    if (status == PBFT_OK && list.damaged) {
        status = PBFT_CORRUPT;
    }
    if (status != PBFT_OK && overlay->status == PBFT_OK) {
        overlay->status = status;
    }
    for (size_t i = 0; i < list.count; i++) {
        carry_out(overlay, &list.rows[i], now_ms);
    }
}

static bool note_first(void *visitor, struct pbft_bytes key,
                       struct pbft_bytes value)
{
    struct obligations_row row;
    (void)value;
    if (obligations_read_key(&row, key)) {
        *(uint64_t *)visitor = row.due_ms;
    }
    return false;
}

enum pbft_status ledger_next_due(const struct ledger_kv *view, uint64_t *due_ms)
{
    const struct ledger_kv_range range = {
        .prefix = {due_prefix, sizeof due_prefix},
        .limit = 1,
        .direction = LEDGER_KV_FORWARD,
    };
    *due_ms = 0;
    enum pbft_status status = view->range(view->context, LEDGER_SPACE_DUE,
                                          &range, note_first, due_ms);
    return status == PBFT_OK && *due_ms == 0 ? PBFT_NOT_FOUND : status;
}
