/* SPDX-License-Identifier: Apache-2.0 */
/* DISCLOSURE and BREAK_GLASS from AuditEvents. What was disclosed leaves as the
 * root of a Merkle tree over commitments, the event itself as one commitment;
 * both can be opened from the vault. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/hex.h"
#include "crypto/merkle.h"
#include "crypto/secret.h"
#include "fhir/plan_basis.h"
#include "fhir/plan_event.h"
#include "salus/v1/ledger.pb-c.h"
#include "vault/events.h"

#define EMERGENCY_NAME_SIZE (32 + 2 * (VAULT_HANDLE_SIZE + VAULT_ID_SIZE))

/* What the transaction points into. */
struct outgoing {
    struct vault_event event;
    struct vault_subject subject;
    struct vault_participant recipient;
    struct pbft_digest root;
    struct pbft_digest detail;
    uint32_t classes[CODES_ADDED_MIN];
    size_t class_count;
    struct plan_basis basis;
    const char *request_name; /* What was told, by its request; or NULL. */
};

static ProtobufCBinaryData borrow(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)data};
}

/* An event happened before it is told: it comes late, and says so. */
static struct transaction_envelope envelope_of(const struct planner *planner,
                                               uint64_t event_ms)
{
    struct transaction_envelope envelope = planner->options->envelope;

    envelope.event_time_ms = event_ms;
    envelope.late = event_ms < planner->options->now_ms;
    return envelope;
}

/* ---- disclosures --------------------------------------------------------- */

/* The commitment to an item: of a record the ledger has it already. */
static bool commit_item(struct planner *planner, struct pbft_digest *out,
                        uint32_t *class_code, const struct vault_event *event,
                        const struct fhir_reference *item)
{
    struct vault_record record;
    enum pbft_status status =
        vault_find_record(planner->options->vault, &record, item->name);

    *class_code = fhir_class_of_type(item->type);
    if (status == PBFT_OK) {
        memcpy(out->bytes, record.commit, sizeof out->bytes);
        if (record.class_code != 0) {
            *class_code = record.class_code;
        }
        secret_wipe(&record, sizeof record);
        return true;
    }
    if (status != PBFT_NOT_FOUND) {
        return planner_check(planner, status);
    }
    commit_sha256(
        out, COMMIT_DOMAIN_ITEM, event->salt,
        (struct pbft_bytes){(const uint8_t *)item->name, strlen(item->name)});
    return true;
}

static bool commit_manifest(struct planner *planner, struct outgoing *out)
{
    const struct fhir_audit *audit = &planner->item->audit;
    bool has_class[CODES_ADDED_MIN] = {false};
    struct pbft_digest *leaves = calloc(audit->item_count + 1, sizeof *leaves);

    if (leaves == NULL) {
        return planner_check(planner, PBFT_NO_MEMORY);
    }
    for (size_t i = 0; i < audit->item_count; i++) {
        struct pbft_digest commit = {.bytes = {0}};
        uint32_t class_code = 0;
        if (!commit_item(planner, &commit, &class_code, &out->event,
                         &audit->items[i])) {
            free(leaves);
            return false;
        }
        merkle_leaf(&leaves[i],
                    (struct pbft_bytes){commit.bytes, sizeof commit.bytes});
        if (class_code < CODES_ADDED_MIN) {
            has_class[class_code] = true;
        }
    }
    merkle_root(&out->root, leaves, audit->item_count);
    free(leaves);
    for (uint32_t i = 1; i < CODES_ADDED_MIN; i++) {
        if (has_class[i]) {
            out->classes[out->class_count++] = i;
        }
    }
    return true;
}

static void describe(Salus__V1__Disclosure *message, struct planner *planner,
                     struct outgoing *out)
{
    const struct fhir_audit *audit = &planner->item->audit;
    const struct pbft_institution *own =
        &planner->options->envelope.institution;
    bool to_institution = out->recipient.kind == VAULT_IS_INSTITUTION;

    salus__v1__disclosure__init(message);
    message->disclosure = borrow(out->event.id, VAULT_ID_SIZE);
    if (audit->has_decision) {
        message->decision = borrow(audit->decision, LEDGER_ID_SIZE);
    } else if (audit->has_emergency) {
        message->break_glass = borrow(audit->emergency, LEDGER_ID_SIZE);
    }
    message->basis = out->basis.code;
    message->violation = out->basis.is_violation;
    if (out->basis.has_document) {
        message->document_commit =
            borrow(out->basis.document.bytes, PBFT_DIGEST_SIZE);
    }
    if (to_institution) {
        message->recipient = borrow(out->recipient.id, VAULT_ID_SIZE);
    } else {
        /* The vault has participants of the own institution only. */
        message->recipient = borrow(own->bytes, sizeof own->bytes);
        message->recipient_participant =
            borrow(out->recipient.id, VAULT_ID_SIZE);
    }
    message->subject = borrow(out->subject.handle, VAULT_HANDLE_SIZE);
    message->manifest_root = borrow(out->root.bytes, PBFT_DIGEST_SIZE);
    message->item_count = (uint32_t)audit->item_count;
    message->n_classes = out->class_count;
    message->classes = out->classes;
    message->purpose = audit->purpose;
    message->mode = audit->is_interface ? SALUS__V1__DISCLOSURE__MODE__API
                                        : SALUS__V1__DISCLOSURE__MODE__EXPORT;
    message->detail_commit = borrow(out->detail.bytes, PBFT_DIGEST_SIZE);
}

static void plan_disclosure(struct planner *planner, struct outgoing *out)
{
    const struct fhir_audit *audit = &planner->item->audit;
    struct transaction_envelope envelope =
        envelope_of(planner, (uint64_t)audit->recorded_ms);
    Salus__V1__Disclosure message;

    if (plan_basis_recipient(planner, &out->recipient) &&
        plan_event_is_told(planner, &out->request_name, &out->event,
                           out->recipient.id)) {
        return;
    }
    plan_basis_find(planner, &out->basis, &out->subject, &out->event);
    if (!planner_is_sound(planner) || !commit_manifest(planner, out)) {
        return;
    }
    commit_sha256(&out->detail, COMMIT_DOMAIN_SOURCE, out->event.salt,
                  fhir_item_bytes(planner->item));
    if (!plan_event_keep(planner, &out->event, out->request_name)) {
        return;
    }
    describe(&message, planner, out);
    struct vault_step *step = planner_add_payload(
        planner, &envelope, TRANSACTION_DISCLOSURE, &message.base);
    if (step != NULL) {
        (void)planner_keep_version(planner, step, VAULT_EVENT, out->event.id,
                                   NULL);
    }
}

/* ---- emergencies --------------------------------------------------------- */

/* One emergency of a clinician with a patient, however many events tell of it.
 * Made of random ids alone. */
static void emergency_name(char out[EMERGENCY_NAME_SIZE],
                           const struct vault_subject *subject,
                           const struct vault_participant *declarer)
{
    char handle[2 * VAULT_HANDLE_SIZE + 1];
    char id[2 * VAULT_ID_SIZE + 1];

    hex_encode(handle,
               (struct pbft_bytes){subject->handle, sizeof subject->handle});
    hex_encode(id, (struct pbft_bytes){declarer->id, sizeof declarer->id});
    (void)snprintf(out, EMERGENCY_NAME_SIZE, "Emergency?%s,%s", handle, id);
}

/* From the first moment of the event to its last, as far as it says them; else
 * it is that of its record. */
static struct fhir_interval moments_of(const struct fhir_audit *audit)
{
    const struct fhir_period *period = &audit->period;
    struct fhir_interval out = {audit->recorded_ms, audit->recorded_ms + 1};

    if (period->has_to) {
        out.to = period->to;
        out.from = out.from < out.to ? out.from : out.to - 1;
    }
    if (period->has_from) {
        out.from = period->from;
    }
    return out;
}

/* An emergency of another time is another one, whenever it is recorded. */
static bool is_within_known(struct planner *planner, const char *name)
{
    const struct fhir_interval moments = moments_of(&planner->item->audit);
    struct vault_event known;

    if (planner->options->rehearse) {
        return false;
    }
    enum pbft_status status =
        vault_find_event(planner->options->vault, &known, NULL, name);

    if (status == PBFT_NOT_FOUND) {
        return false;
    }
    return !planner_check(planner, status) ||
           ((int64_t)known.from_ms <= moments.from &&
            moments.to <= (int64_t)known.to_ms);
}

static void set_window(struct planner *planner, struct vault_event *event)
{
    const struct fhir_audit *audit = &planner->item->audit;

    event->from_ms = (uint64_t)audit->recorded_ms;
    event->to_ms = event->from_ms + planner->options->emergency_window_ms;
    if (audit->period.has_from && audit->period.has_to &&
        audit->period.from > 0) {
        event->from_ms = (uint64_t)audit->period.from;
        event->to_ms = (uint64_t)audit->period.to;
    }
}

/* The event's own word, if it has one. */
static uint32_t emergency_reason(const struct planner *planner)
{
    const struct fhir_audit *audit = &planner->item->audit;

    return audit->reason != 0 ? audit->reason
                              : planner->options->emergency_reason;
}

static void add_emergency(struct planner *planner, const struct outgoing *out,
                          const struct vault_participant *declarer)
{
    struct transaction_envelope envelope =
        envelope_of(planner, out->event.from_ms);
    Salus__V1__BreakGlass message;

    envelope.participant = (struct pbft_bytes){declarer->id, VAULT_ID_SIZE};
    salus__v1__break_glass__init(&message);
    message.break_glass = borrow(out->event.id, VAULT_ID_SIZE);
    message.subject = borrow(out->subject.handle, VAULT_HANDLE_SIZE);
    message.reason = emergency_reason(planner);
    message.window_ms = out->event.to_ms - out->event.from_ms;
    message.purpose = planner->item->audit.purpose;
    struct vault_step *step = planner_add_payload(
        planner, &envelope, TRANSACTION_BREAK_GLASS, &message.base);
    if (step != NULL) {
        (void)planner_keep_version(planner, step, VAULT_EVENT, out->event.id,
                                   NULL);
    }
}

static void plan_emergency(struct planner *planner, struct outgoing *out)
{
    const struct fhir_audit *audit = &planner->item->audit;
    char name[EMERGENCY_NAME_SIZE];
    struct vault_participant declarer;

    if (!planner_participant(planner, &declarer, &audit->requestor) ||
        plan_event_is_told(planner, &out->request_name, &out->event,
                           declarer.id)) {
        return;
    }
    emergency_name(name, &out->subject, &declarer);
    if (is_within_known(planner, name)) {
        planner_find(planner, FHIR_IN_EMERGENCY, "recorded");
        return;
    }
    if (emergency_reason(planner) == 0) {
        planner_find(planner, FHIR_NO_EMERGENCY_REASON, "$");
    }
    set_window(planner, &out->event);
    if (planner_is_sound(planner) &&
        plan_event_keep(planner, &out->event, out->request_name) &&
        planner_check(planner, vault_name_event(planner->options->vault, name,
                                                &out->event))) {
        add_emergency(planner, out, &declarer);
    }
}

/* ---- events -------------------------------------------------------------- */

void plan_audit(struct planner *planner)
{
    const struct fhir_audit *audit = &planner->item->audit;
    struct outgoing out;

    memset(&out, 0, sizeof out);
    if (audit->kind == FHIR_AUDIT_LOCAL || !plan_event_is_new(planner) ||
        !planner_subject(planner, &out.subject, &audit->subject)) {
        return;
    }
    vault_draw_event(&out.event);
    memcpy(out.event.subject, out.subject.handle, sizeof out.event.subject);
    if (audit->kind == FHIR_AUDIT_DISCLOSURE) {
        plan_disclosure(planner, &out);
    } else {
        plan_emergency(planner, &out);
    }
    secret_wipe(&out, sizeof out);
}
