/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks to see what, what custodians say to it, and the keys that follow. */
#include <string.h>

#include "sim/workload_world.h"

/* ---- ACCESS_REQUEST ------------------------------------------------------ */

/* Mostly of another institution, as that is what the ledger is for. */
static const struct thing *pick_patient(struct making *making)
{
    const struct wanted wanted = {
        .kind = THING_PATIENT,
        .whose = making_chance(making, 700) ? FOREIGN : OWN,
    };
    return making_pick(making, &wanted);
}

/* What is asked on the ground of a law is asked in writing. */
static void invoke_law(struct making *making, Salus__V1__AccessRequest *in,
                       struct id *document)
{
    *document = making_noise(making);
    in->basis = CODES_BASIS_REQUIRED_BY_LAW;
    if (making->slip != SLIP_UNSIGNED) {
        in->document_commit = field(document, LEDGER_COMMIT_SIZE);
    }
}

bool workload_request(struct making *making)
{
    Salus__V1__AccessRequest in = SALUS__V1__ACCESS_REQUEST__INIT;
    struct id document;
    ProtobufCBinaryData records[1];
    const struct thing *patient = pick_patient(making);
    if (patient == NULL || !making_act(making, THING_CLINICIAN)) {
        return false;
    }
    const struct wanted of_patient = {
        .kind = THING_RECORD, .whose = ANYBODY, .about = patient};
    const struct thing *record = making_pick(making, &of_patient);
    struct thing *request = making_add(making, THING_REQUEST);
    const struct id id = thing_id(request);
    request->about = patient;
    request->other = making_chance(making, 500) ? record : NULL;
    request->code =
        making_chance(making, 50) ? CODES_PURPOSE_HRESCH : CODES_PURPOSE_TREAT;
    request->is_marked = making_chance(making, 150);
    const struct id target =
        thing_id(request->other != NULL ? request->other : patient);
    in.request = field(&id, LEDGER_ID_SIZE);
    if (request->other != NULL) {
        records[0] = field(&target, LEDGER_ID_SIZE);
        in.records = records;
        in.n_records = 1;
    } else {
        in.subject = field(&target, LEDGER_HANDLE_SIZE);
    }
    in.purpose = request->code;
    in.action = CODES_ACTION_ACCESS;
    in.basis = CODES_BASIS_CONSENT;
    if (request->is_marked) {
        invoke_law(making, &in, &document);
    }
    if (making_chance(making, 500)) { /* It ends while the run goes on. */
        request->until_ms =
            making_now_ms(making) +
            making_between(making, WORKLOAD_MINUTE_MS, 3 * WORKLOAD_MINUTE_MS);
        in.expires_ms = request->until_ms;
    }
    return making_build(making, TRANSACTION_ACCESS_REQUEST, &in.base);
}

/* ---- ACCESS_DECISION ----------------------------------------------------- */

static bool is_of_own_patient(const struct making *making,
                              const struct thing *thing, const void *context)
{
    (void)context;
    return thing->about->party == making->party;
}

static void decide(struct making *making, const struct thing *request,
                   Salus__V1__AccessDecision *in, Salus__V1__Selector *residual)
{
    const bool is_scope = request->other == NULL;
    if (making_chance(making, 250)) {
        in->outcome = SALUS__V1__ACCESS_DECISION__OUTCOME__DENY_ALL;
        return;
    }
    in->outcome = SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_ALL;
    in->granted = 1;
    if (is_scope && making_chance(making, 500)) { /* One record has no parts. */
        in->outcome = SALUS__V1__ACCESS_DECISION__OUTCOME__PERMIT_PARTIAL;
        in->residual = residual;
    }
}

bool workload_decide(struct making *making)
{
    Salus__V1__AccessDecision in = SALUS__V1__ACCESS_DECISION__INIT;
    Salus__V1__Selector residual = SALUS__V1__SELECTOR__INIT;
    uint32_t classes[] = {CODES_CLASS_OTHER};
    const struct wanted wanted = {
        .kind = THING_REQUEST, .whose = ANYBODY, .fits = is_of_own_patient};
    struct thing *request = making_pick(making, &wanted);
    if (request == NULL) {
        return false;
    }
    const struct id id = thing_id(request);
    const struct id order = making_noise(making);
    residual.classes = classes;
    residual.n_classes = 1;
    in.request = field(&id, LEDGER_ID_SIZE);
    in.reason = CODES_REASON_AS_COMPUTED;
    decide(making, request, &in, &residual);
    if (in.granted != 0 && (request->is_marked || making_chance(making, 250))) {
        in.basis = CODES_BASIS_REQUIRED_BY_LAW;
        in.document_commit = field(&order, LEDGER_COMMIT_SIZE);
        in.reason = CODES_REASON_LEGAL_OBLIGATION;
    }
    making_change(making, request);
    request->is_gone = in.granted == 0;
    request->version += in.granted != 0;
    return making_build(making, TRANSACTION_ACCESS_DECISION, &in.base);
}

/* ---- KEY_GRANT ----------------------------------------------------------- */

/* Requests and emergencies that this record belongs to. */
static bool covers(const struct making *making, const struct thing *thing,
                   const void *context)
{
    const struct thing *record = context;
    if (thing->kind == THING_EMERGENCY) {
        return thing->until_ms > making_now_ms(making);
    }
    return (!thing->is_marked || thing->version > 0) &&
           (thing->other == record ||
            (thing->other == NULL && !record->is_marked));
}

static const struct thing *pick_reason(struct making *making,
                                       const struct thing *record)
{
    const struct wanted asked = {.kind = THING_REQUEST,
                                 .whose = ANYBODY,
                                 .about = record->about,
                                 .fits = covers,
                                 .context = record};
    const struct wanted emergency = {.kind = THING_EMERGENCY,
                                     .whose = ANYBODY,
                                     .about = record->about,
                                     .fits = covers,
                                     .context = record};
    const struct thing *first =
        making_pick(making, making_chance(making, 300) ? &emergency : &asked);
    return first != NULL ? first : making_pick(making, &asked);
}

bool workload_grant_key(struct making *making)
{
    Salus__V1__KeyGrant in = SALUS__V1__KEY_GRANT__INIT;
    struct transaction_key_id key_id;
    struct thing *record = making_pick_own(making, THING_RECORD);
    const struct thing *reason =
        record == NULL ? NULL : pick_reason(making, record);
    if (reason == NULL || reason->party->is_gone) {
        return false;
    }
    const struct thing *key = making_encryption(making, reason->party);
    const struct id id = thing_id(record);
    const struct id basis = thing_id(reason);
    const struct id wrap = making_noise(making);
    thing_encryption_key_id(key, &key_id);
    making_change(making, record);
    record->other = key;
    record->from = record->version;
    in.record = field(&id, LEDGER_ID_SIZE);
    in.version = record->version + (making->slip == SLIP_VERSION);
    in.recipient_key = (ProtobufCBinaryData){sizeof key_id.bytes, key_id.bytes};
    in.wrap_commit = field(&wrap, LEDGER_COMMIT_SIZE);
    if (reason->kind == THING_EMERGENCY) {
        in.break_glass = field(&basis, LEDGER_ID_SIZE);
    } else {
        in.decision = field(&basis, LEDGER_ID_SIZE);
    }
    return making_build(making, TRANSACTION_KEY_GRANT, &in.base);
}
