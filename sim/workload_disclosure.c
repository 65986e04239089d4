/* SPDX-License-Identifier: Apache-2.0 */
/* Data that went out: on a decision, in an emergency, on a legal basis, or
 * without any; one by one, or many under one root. */
#include <string.h>

#include "consensus/assert.h"
#include "crypto/merkle.h"
#include "proto/buffer.h"
#include "proto/scan.h"
#include "sim/workload_world.h"

#define ID_LEAF_DISCLOSURE 1002u
#define ID_LEAF_DOCUMENT 1003u
#define SUSPENDED_MAX_DAYS 20
#define DAYS_TOO_MANY 400

/* What the fields of a disclosure point to. */
struct telling {
    Salus__V1__Disclosure in;
    struct id disclosure;
    struct id subject;
    struct id manifest;
    struct id document;
    struct id reason;
    uint32_t classes[1];
};

static void describe(struct telling *telling, const struct thing *patient,
                     const struct thing *recipient)
{
    Salus__V1__Disclosure *in = &telling->in;
    salus__v1__disclosure__init(in);
    telling->subject = thing_id(patient);
    telling->classes[0] = CODES_CLASS_OTHER;
    in->disclosure = field(&telling->disclosure, LEDGER_ID_SIZE);
    in->subject = field(&telling->subject, LEDGER_HANDLE_SIZE);
    in->recipient = institution_field(recipient);
    in->manifest_root = field(&telling->manifest, LEDGER_COMMIT_SIZE);
    in->item_count = 1;
    in->classes = telling->classes;
    in->n_classes = 1;
    in->purpose = CODES_PURPOSE_TREAT;
    in->mode = SALUS__V1__DISCLOSURE__MODE__API;
}

static void invoke_law(struct telling *telling)
{
    telling->in.basis = CODES_BASIS_REQUIRED_BY_LAW;
    telling->in.document_commit = field(&telling->document, LEDGER_COMMIT_SIZE);
}

/* ---- DISCLOSURE ---------------------------------------------------------- */

/* Of a law the custodian must have said that it holds. */
static bool may_be_told(const struct making *making, const struct thing *thing,
                        const void *context)
{
    (void)context;
    return thing->about->party == making->party &&
           (!thing->is_marked || thing->version > 0);
}

/* On what it stands, if on anything that was asked or declared. */
static const struct thing *pick_reason(struct making *making)
{
    const struct wanted asked = {
        .kind = THING_REQUEST, .whose = ANYBODY, .fits = may_be_told};
    const struct wanted emergency = {
        .kind = THING_EMERGENCY, .whose = ANYBODY, .fits = may_be_told};
    return making_pick(making,
                       making_chance(making, 300) ? &emergency : &asked);
}

static void stand_on(struct making *making, struct telling *telling,
                     const struct thing *reason)
{
    Salus__V1__Disclosure *in = &telling->in;
    telling->reason = thing_id(reason);
    if (reason->kind == THING_EMERGENCY) {
        in->break_glass = field(&telling->reason, LEDGER_ID_SIZE);
        in->purpose = CODES_PURPOSE_BTG;
        if (reason->until_ms <= making_now_ms(making)) { /* Told afterwards. */
            making->envelope.event_time_ms = reason->until_ms - 1;
            making->envelope.late = true;
        }
        return;
    }
    in->decision = field(&telling->reason, LEDGER_ID_SIZE);
    in->purpose = reason->code;
    if (reason->other != NULL) {
        telling->classes[0] = reason->other->code;
    }
}

static void stand_alone(struct making *making, struct telling *telling)
{
    switch (making_below(making, 3)) {
    case 0: /* The patient has asked for it. */
        telling->in.basis = CODES_BASIS_INDIVIDUAL;
        telling->in.purpose = CODES_PURPOSE_PATRQT;
        break;
    case 1: /* A mistake, told by who made it. */
        telling->in.violation = true;
        break;
    default:
        invoke_law(telling);
        break;
    }
}

bool workload_disclose(struct making *making)
{
    const struct wanted somebody = {.kind = THING_INSTITUTION,
                                    .whose = ANYBODY};
    const struct thing *reason =
        making_chance(making, 700) ? pick_reason(making) : NULL;
    const struct thing *patient =
        reason != NULL ? reason->about : making_pick_own(making, THING_PATIENT);
    const struct thing *recipient =
        reason != NULL ? reason->party : making_pick(making, &somebody);
    struct telling telling;
    if (patient == NULL || recipient == NULL) {
        return false;
    }
    telling.disclosure = thing_id(making_add(making, THING_DISCLOSURE));
    telling.manifest = making_noise(making);
    telling.document = making_noise(making);
    describe(&telling, patient, recipient);
    if (reason != NULL) {
        stand_on(making, &telling, reason);
    } else {
        stand_alone(making, &telling);
    }
    return making_build(making, TRANSACTION_DISCLOSURE, &telling.in.base);
}

/* ---- batches ------------------------------------------------------------- */

/* As with records: a leaf follows from the batch and its place. */
static void describe_leaf(struct telling *telling, const struct thing *batch,
                          uint32_t place)
{
    const uint64_t number = batch->number * (uint64_t)WORKLOAD_LEAVES + place;
    telling->disclosure = workload_id(ID_LEAF_DISCLOSURE, number);
    telling->manifest = workload_id(ID_LEAF_DOCUMENT, 2 * number);
    telling->document = workload_id(ID_LEAF_DOCUMENT, 2 * number + 1);
    describe(telling, batch->about, batch->other);
    invoke_law(telling);
}

static void hash_leaves(struct pbft_digest leaves[WORKLOAD_LEAVES],
                        const struct thing *batch)
{
    struct telling telling;
    struct wire_buffer buffer;
    wire_buffer_init(&buffer, LEDGER_BODY_MAX);
    for (uint32_t i = 0; i < WORKLOAD_LEAVES; i++) {
        describe_leaf(&telling, batch, i);
        wire_buffer_reset(&buffer);
        enum pbft_status status = wire_pack(&telling.in.base, &buffer);
        PBFT_ASSERT(status == PBFT_OK);
        transaction_disclosure_leaf(&leaves[i], batch->from + i,
                                    wire_buffer_bytes(&buffer));
    }
    wire_buffer_deinit(&buffer);
}

bool workload_disclose_batch(struct making *making)
{
    Salus__V1__DisclosureBatch in = SALUS__V1__DISCLOSURE_BATCH__INIT;
    const struct wanted somebody = {.kind = THING_INSTITUTION,
                                    .whose = ANYBODY};
    struct pbft_digest leaves[WORKLOAD_LEAVES];
    struct pbft_digest root;
    const struct thing *patient = making_pick_own(making, THING_PATIENT);
    const struct thing *recipient = making_pick(making, &somebody);
    if (patient == NULL || recipient == NULL) {
        return false;
    }
    struct thing *batch = making_add(making, THING_DISCLOSURE_BATCH);
    const struct id id = thing_id(batch);
    batch->about = patient;
    batch->other = recipient;
    batch->from = making_now_ms(making) - WORKLOAD_SECOND_MS;
    hash_leaves(leaves, batch);
    merkle_root(&root, leaves, WORKLOAD_LEAVES);
    in.batch = field(&id, LEDGER_ID_SIZE);
    in.root = (ProtobufCBinaryData){sizeof root.bytes, root.bytes};
    in.leaf_count = WORKLOAD_LEAVES;
    in.from_ms = batch->from;
    in.to_ms = batch->from + WORKLOAD_LEAVES;
    return making_build(making, TRANSACTION_DISCLOSURE_BATCH, &in.base);
}

bool workload_open_disclosure(struct making *making)
{
    Salus__V1__DisclosureOpen in = SALUS__V1__DISCLOSURE_OPEN__INIT;
    struct pbft_digest leaves[WORKLOAD_LEAVES];
    struct workload_leaf leaf;
    struct telling telling;
    struct thing *batch = making_pick_own(making, THING_DISCLOSURE_BATCH);
    if (batch == NULL) {
        return false;
    }
    hash_leaves(leaves, batch);
    workload_next_leaf(&leaf, making, batch, leaves);
    describe_leaf(&telling, batch, leaf.place);
    in.batch = field(&leaf.batch, LEDGER_ID_SIZE);
    in.index = leaf.index;
    in.event_time_ms = batch->from + leaf.place;
    in.disclosure = &telling.in;
    in.path = leaf.path;
    in.n_path = leaf.path_count;
    return making_build(making, TRANSACTION_DISCLOSURE_OPEN, &in.base);
}

/* ---- ACCOUNTING_SUSPEND -------------------------------------------------- */

bool workload_suspend_accounting(struct making *making)
{
    Salus__V1__AccountingSuspend in = SALUS__V1__ACCOUNTING_SUSPEND__INIT;
    const struct thing *patient = making_pick_own(making, THING_PATIENT);
    if (patient == NULL || !making_act(making, THING_OFFICER)) {
        return false;
    }
    const struct id subject = thing_id(patient);
    const struct id statement = making_noise(making);
    const uint64_t days = making->slip == SLIP_VERSION
                              ? DAYS_TOO_MANY
                              : making_between(making, 1, SUSPENDED_MAX_DAYS);
    in.subject = field(&subject, LEDGER_HANDLE_SIZE);
    in.recipient_role = CODES_INSTITUTION_PUBLIC_HEALTH;
    in.until_ms = making_now_ms(making) + days * LEDGER_DAY_MS;
    in.oral = making_chance(making, 500);
    in.statement_commit = field(&statement, LEDGER_COMMIT_SIZE);
    return making_build(making, TRANSACTION_ACCOUNTING_SUSPEND, &in.base);
}
