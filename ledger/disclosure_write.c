/* SPDX-License-Identifier: Apache-2.0 */
/* A disclosure in the accounting: what 45 CFR 164.528 wants to see apart, the
 * index by patient and by recipient. DISCLOSURE_BATCH and DISCLOSURE_OPEN: many
 * under one root, opened when a patient asks.
 */
#include <string.h>

#include "ledger/batch.h"
#include "ledger/checks.h"
#include "ledger/disclosure.h"
#include "ledger/families.h"
#include "ledger/fields.h"

/* Ground of a disclosure: its own, or that of what it stands on. */
static uint32_t basis_of(const struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    if (in->decision.len > 0) {
        if (access_rests_on_law(&telling->held)) {
            return telling->held.basis;
        }
        return telling->access.implicit ? CODES_BASIS_TPO : CODES_BASIS_CONSENT;
    }
    return in->break_glass.len > 0 ? CODES_BASIS_TPO : in->basis;
}

/* Nobody else looks at it: no review will, or no consent can be asked. */
static bool only_patient_sees(const struct telling *telling)
{
    return telling->is_past_unknown ||
           (telling->in->break_glass.len > 0 &&
            telling->emergency.state == SCHEMA_EMERGENCY_REVIEWED &&
            telling->emergency.is_reopened);
}

/* Treatment, payment and operations, what went to the patient himself, and what
 * he authorized are not accounted for (45 CFR 164.528(a)(1)); laws, public
 * health and mistakes are. What a policy implies is treatment, payment or
 * operations only if that is its purpose. */
static bool is_accountable(const struct telling *telling, uint32_t basis)
{
    static const uint32_t plain[] = {CODES_PURPOSE_TREAT, CODES_PURPOSE_HPAYMT,
                                     CODES_PURPOSE_HOPERAT};
    const struct execution *x = telling->x;
    if (telling->in->violation || access_is_legal_basis(basis) || basis == 0 ||
        only_patient_sees(telling)) {
        return true;
    }
    if (basis == CODES_BASIS_CONSENT) {
        return false;
    }
    if (basis == CODES_BASIS_INDIVIDUAL) {
        return !disclosure_went_to_patient(telling);
    }
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (decide_purpose_reaches(x->overlay, x->policy, plain[i],
                                   telling->in->purpose, false)) {
            return false;
        }
    }
    return true;
}

/* The end of an index key: time, then id. */
static void put_index(struct overlay *overlay, char kind, struct pbft_bytes of,
                      uint64_t time_ms, const uint8_t *id)
{
    struct schema_key key = {.space = LEDGER_SPACE_INDEX};
    struct field_writer writer = {.data = key.bytes,
                                  .capacity = sizeof key.bytes};
    field_write_u8(&writer, (uint8_t)kind);
    field_write(&writer, of.data, of.size);
    field_write_u64(&writer, time_ms);
    field_write(&writer, id, LEDGER_ID_SIZE);
    key.size = writer.size;
    overlay_put(overlay, &key, (struct pbft_bytes){NULL, 0});
}

/* Reviewed are all disclosures of an emergency: one that is told afterwards
 * opens it for another review, once. That it came late is the source's doing:
 * the other review is due, but never overdue. What was found not justified
 * stays so. */
static void review_again(struct execution *x, const uint8_t *id,
                         struct schema_emergency *emergency)
{
    emergency->state = SCHEMA_EMERGENCY_OPEN;
    emergency->is_overdue = false;
    emergency->is_reopened = true;
    emergency->due_ms = x->now_ms + x->policy->review_ms;
    emergency->finding = 0;
    emergency->follow_up = 0;
    emergency->reviewed_seq = 0;
    memset(emergency->reviewer, 0, sizeof emergency->reviewer);
    state_put_due(x->overlay, emergency->due_ms, SCHEMA_DUE_REVIEW, id,
                  &emergency->institution);
}

/* What it stands on counts it. */
static void count_disclosed(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    struct overlay *overlay = telling->x->overlay;
    if (in->decision.len > 0) {
        uint32_t room = UINT32_MAX - telling->access.disclosed;
        telling->access.disclosed +=
            in->item_count < room ? in->item_count : room;
        state_put_access(overlay, in->decision.data, &telling->access);
    } else if (in->break_glass.len > 0) {
        telling->emergency.disclosure_count++;
        if (telling->is_covered &&
            telling->emergency.state == SCHEMA_EMERGENCY_REVIEWED &&
            !telling->emergency.is_reopened) {
            review_again(telling->x, in->break_glass.data, &telling->emergency);
        }
        state_put_emergency(overlay, in->break_glass.data, &telling->emergency);
    }
}

void disclosure_write(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    struct execution *x = telling->x;
    const uint8_t *id = in->disclosure.data;
    uint32_t basis = basis_of(telling);
    struct schema_disclosure disclosure = {
        .source = x->request->institution,
        .is_emergency = in->break_glass.len > 0,
        .basis = basis,
        .purpose = in->purpose,
        .mode = (uint32_t)in->mode,
        .item_count = in->item_count,
        .event_ms = telling->event_ms,
        .is_violation = in->violation,
        .is_accountable = is_accountable(telling, basis),
        .seq = x->seq,
        .tx_id = x->tx_id,
    };
    const ProtobufCBinaryData *stands_on =
        in->decision.len > 0 ? &in->decision : &in->break_glass;
    if (stands_on->len > 0) {
        memcpy(disclosure.decision, stands_on->data,
               sizeof disclosure.decision);
    }
    memcpy(disclosure.recipient.bytes, in->recipient.data,
           sizeof disclosure.recipient.bytes);
    memcpy(disclosure.subject, in->subject.data, sizeof disclosure.subject);
    state_put_with_payload(x->overlay, &thing_disclosure, id, &disclosure,
                           execution_pack(x, &in->base));
    put_index(x->overlay, 'D', checks_bytes(&in->subject), telling->event_ms,
              id);
    put_index(x->overlay, 'R', checks_bytes(&in->recipient), telling->event_ms,
              id);
    count_disclosed(telling);
}

static uint64_t event_time(const struct execution *x)
{
    return x->body->event_time_ms != 0 ? x->body->event_time_ms : x->now_ms;
}

enum ledger_code disclosure(struct execution *x)
{
    struct telling telling = {
        .x = x,
        .in = x->body->disclosure,
        .event_ms = event_time(x),
    };
    enum ledger_code code = disclosure_judge(&telling);
    if (code == LEDGER_OK) {
        disclosure_write(&telling);
    }
    return code;
}

/* ---- batches ------------------------------------------------------------- */

enum ledger_code disclosure_batch(struct execution *x)
{
    const Salus__V1__DisclosureBatch *in = x->body->disclosure_batch;
    const struct batch_tree tree = {&in->batch, &in->root, in->leaf_count};
    enum ledger_code code = batch_is_sound(x, &tree);
    if (code == LEDGER_OK && (in->from_ms == 0 || in->to_ms <= in->from_ms)) {
        code = LEDGER_PERIOD;
    }
    if (code == LEDGER_OK) {
        code = checks_not_future(x, in->to_ms - 1);
    }
    if (code == LEDGER_OK) {
        struct schema_batch batch = {
            .kind = SCHEMA_BATCH_DISCLOSURES,
            .institution = x->request->institution,
            .leaf_count = in->leaf_count,
            .from_ms = in->from_ms,
            .to_ms = in->to_ms,
            .seq = x->seq,
            .place = x->place,
        };
        memcpy(batch.root.bytes, in->root.data, sizeof batch.root.bytes);
        state_put_batch(x->overlay, in->batch.data, &batch);
    }
    return code;
}

enum ledger_code disclosure_open(struct execution *x)
{
    const Salus__V1__DisclosureOpen *in = x->body->disclosure_open;
    const struct batch_opening opening = {&in->batch, in->index, in->path,
                                          in->n_path};
    struct schema_batch batch;
    struct pbft_digest leaf;
    struct telling telling = {
        .x = x,
        .in = in->disclosure,
        .event_ms = in->event_time_ms,
        .is_leaf = true,
    };
    if (in->disclosure == NULL) {
        return LEDGER_FIELD_FORM;
    }
    enum ledger_code code =
        batch_is_ours(x, &in->batch, SCHEMA_BATCH_DISCLOSURES, &batch);
    if (code == LEDGER_OK && (in->event_time_ms < batch.from_ms ||
                              in->event_time_ms >= batch.to_ms)) {
        code = LEDGER_BATCH_STATE;
    }
    if (code == LEDGER_OK) {
        batch_disclosure_leaf(&leaf, in);
        code = batch_proves(x, &batch, &opening, &leaf);
    }
    if (code == LEDGER_OK) {
        code = disclosure_judge(&telling);
    }
    if (code == LEDGER_OK) {
        disclosure_write(&telling);
        batch_open(x, &batch, &opening, in->disclosure->disclosure.data);
    }
    return code;
}

/* ---- ACCOUNTING_SUSPEND -------------------------------------------------- */

#define ORAL_MAX_MS (30ull * LEDGER_DAY_MS)
#define WRITTEN_MAX_MS (366ull * LEDGER_DAY_MS)

enum ledger_code accounting_suspend(struct execution *x)
{
    const Salus__V1__AccountingSuspend *in = x->body->accounting_suspend;
    const struct schema_suspension suspension = {in->until_ms};
    struct schema_subject subject;
    enum ledger_code code = checks_commit(&in->statement_commit);
    if (code == LEDGER_OK) {
        code = checks_code(x, CODES_INSTITUTION_ROLE, in->recipient_role);
    }
    if (code == LEDGER_OK) {
        code = checks_reference(&in->subject, LEDGER_HANDLE_SIZE);
    }
    if (code == LEDGER_OK &&
        (!state_get_subject(x->overlay, in->subject.data, &subject) ||
         !execution_speaks_for(x, &subject.registrar))) {
        code = LEDGER_SUBJ_STATE;
    }
    if (code == LEDGER_OK) {
        code = execution_is_privacy_officer(x);
    }
    if (code == LEDGER_OK && in->until_ms <= x->now_ms) {
        code = LEDGER_PERIOD;
    }
    if (code == LEDGER_OK &&
        in->until_ms - x->now_ms > (in->oral ? ORAL_MAX_MS : WRITTEN_MAX_MS)) {
        code = LEDGER_SUSPEND_TOO_LONG;
    }
    if (code == LEDGER_OK) {
        state_put_suspension(x->overlay, in->subject.data, in->recipient_role,
                             &suspension);
    }
    return code;
}
