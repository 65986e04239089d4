/* SPDX-License-Identifier: Apache-2.0 */
/* KEY_GRANT: a decision or an emergency is carried out. Every grant is judged
 * again by the consents of this moment, so that a withdrawal works at once.
 */
#include <string.h>

#include "ledger/access.h"
#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/record.h"

static bool same_institution(const struct pbft_institution *a,
                             const struct pbft_institution *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void access_requester(struct overlay *overlay,
                      const struct schema_access *access,
                      struct decide_requester *out)
{
    memset(out, 0, sizeof *out);
    out->institution = access->requester;
    memcpy(out->id, access->participant, sizeof out->id);
    out->has_participant =
        state_get_participant(overlay, out->id, &out->participant);
}

/* Bit of the record in the request: its place in the list, or the whole scope.
 * -1: it is not in it. */
static int place_in(const Salus__V1__AccessRequest *request,
                    const struct decide_target *target)
{
    if (request->n_records > 0) {
        for (size_t i = 0; i < request->n_records; i++) {
            if (memcmp(request->records[i].data, target->record,
                       LEDGER_ID_SIZE) == 0) {
                return (int)i;
            }
        }
        return -1;
    }
    const struct decide_target scope = access_scope(request);
    bool class = scope.class_count == 0;
    for (size_t i = 0; i < scope.class_count; i++) {
        class = class || scope.classes[i] == target->classes[0];
    }
    uint64_t scope_to = scope.to_ms != 0 ? scope.to_ms : UINT64_MAX;
    uint64_t data_to = target->to_ms != 0 ? target->to_ms : UINT64_MAX;
    return class && target->confidentiality <= scope.confidentiality &&
                   scope.from_ms <= target->from_ms && data_to <= scope_to
               ? 0
               : -1;
}

/* What the custodian left of a scope. */
static bool fits_the_residual(struct execution *x, const uint8_t *request,
                              const struct schema_access *access,
                              const struct decide_question *question)
{
    const Salus__V1__Selector *left =
        access_residual(x, request, access->decisions);
    if (left == NULL) {
        return false;
    }
    const struct decide_selector selector = {left, NULL, false};
    return decide_matches(question, &selector, question->targets) == DECIDE_YES;
}

/* The consents of this moment permit it. */
static bool consents_permit(struct execution *x,
                            const struct schema_access *access,
                            const struct decide_target *target,
                            const uint8_t *request)
{
    struct decide_requester requester;
    struct decide_answer answer;
    access_requester(x->overlay, access, &requester);
    const struct decide_question question = {
        .overlay = x->overlay,
        .arena = x->stored,
        .policy = x->policy,
        .now_ms = x->now_ms,
        .subject = access->subject,
        .requester = &requester,
        .purpose = access->purpose,
        .action = access->action,
        .targets = target,
        .target_count = 1,
    };
    if (access->held[0].has_residual &&
        !fits_the_residual(x, request, access, &question)) {
        return false;
    }
    if (access_rests_on_law(&access->held[0])) {
        return true;
    }
    decide(&answer, &question);
    return answer.permitted == 1;
}

enum ledger_code access_gives(struct execution *x, const uint8_t *request,
                              const uint8_t *record,
                              const struct pbft_institution *recipient)
{
    struct schema_access access;
    struct decide_target target;
    struct schema_record head;
    if (!state_get_access(x->overlay, request, &access) ||
        !same_institution(&access.requester, recipient) ||
        !state_get_record(x->overlay, record, &head) || !head.has_subject ||
        head.state != SCHEMA_ACTIVE ||
        memcmp(head.subject, access.subject, sizeof head.subject) != 0 ||
        !state_speaks_for(x->overlay, &x->request->institution,
                          &access.custodian)) {
        return LEDGER_NO_DECISION;
    }
    if (access.is_expired || access.expires_ms <= x->now_ms) {
        return LEDGER_DECISION_EXPIRED;
    }
    const Salus__V1__AccessRequest *asked =
        execution_stored(x->overlay, x->stored, 'w', request,
                         &salus__v1__access_request__descriptor);
    if (asked == NULL ||
        !decide_record_target(x->overlay, x->scratch, record, &target)) {
        return LEDGER_NO_DECISION;
    }
    int place = place_in(asked, &target);
    return place >= 0 && (access.held[0].granted >> place & 1) != 0 &&
                   consents_permit(x, &access, &target, request)
               ? LEDGER_OK
               : LEDGER_NO_DECISION;
}

/* All records of the patient, or those that were named. */
static bool emergency_names(struct execution *x, const uint8_t *id,
                            const struct schema_emergency *emergency,
                            const uint8_t *record)
{
    if (emergency->record_count == 0) {
        return true;
    }
    const Salus__V1__BreakGlass *in = execution_stored(
        x->overlay, x->stored, 'g', id, &salus__v1__break_glass__descriptor);
    for (size_t i = 0; in != NULL && i < in->n_records; i++) {
        if (memcmp(in->records[i].data, record, LEDGER_ID_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

/* Step 6 of the decision rule opens this record now. */
static bool emergency_rule_opens(struct execution *x,
                                 const struct schema_emergency *emergency,
                                 const uint8_t *record)
{
    struct decide_requester declarer;
    struct decide_target target;
    if (!decide_record_target(x->overlay, x->scratch, record, &target)) {
        return false;
    }
    emergency_declarer(x->overlay, emergency, &declarer);
    const struct emergency_case asked = {
        .subject = emergency->subject,
        .requester = &declarer,
        .purpose = emergency->purpose,
        .targets = &target,
        .target_count = 1,
    };
    return emergency_opens(x, &asked) != 0;
}

enum ledger_code emergency_gives(struct execution *x, const uint8_t *id,
                                 const uint8_t *record,
                                 const struct pbft_institution *recipient)
{
    struct schema_emergency emergency;
    struct schema_record head;
    return state_get_emergency(x->overlay, id, &emergency) &&
                   emergency.state == SCHEMA_EMERGENCY_OPEN &&
                   x->now_ms < emergency.closes_ms &&
                   same_institution(&emergency.institution, recipient) &&
                   state_get_record(x->overlay, record, &head) &&
                   head.state == SCHEMA_ACTIVE && head.has_subject &&
                   memcmp(head.subject, emergency.subject,
                          sizeof head.subject) == 0 &&
                   emergency_names(x, id, &emergency, record) &&
                   emergency_rule_opens(x, &emergency, record)
               ? LEDGER_OK
               : LEDGER_NO_DECISION;
}

bool access_still_gives(struct execution *x,
                        const struct schema_envelope *envelope,
                        const uint8_t *record)
{
    enum ledger_code code =
        envelope->is_emergency
            ? emergency_gives(x, envelope->basis, record,
                              &envelope->institution)
            : access_gives(x, envelope->basis, record, &envelope->institution);
    return code == LEDGER_OK;
}

/* Exactly one of decision and emergency is named. */
static enum ledger_code basis_is_one(const Salus__V1__KeyGrant *in)
{
    if ((in->decision.len > 0) == (in->break_glass.len > 0)) {
        return LEDGER_NO_DECISION;
    }
    enum ledger_code code =
        checks_optional_reference(&in->decision, LEDGER_ID_SIZE);
    return code == LEDGER_OK
               ? checks_optional_reference(&in->break_glass, LEDGER_ID_SIZE)
               : code;
}

static enum ledger_code recipient_is_known(struct execution *x,
                                           const Salus__V1__KeyGrant *in,
                                           struct schema_registered_key *key)
{
    enum ledger_code code = checks_commit(&in->wrap_commit);
    if (code == LEDGER_OK) {
        code = checks_reference(&in->recipient_key, LEDGER_ID_SIZE);
    }
    if (code == LEDGER_OK &&
        !state_get_active_key(x->overlay, in->recipient_key.data,
                              SCHEMA_KEY_ENCRYPTION, key)) {
        code = LEDGER_KEY_STATE;
    }
    return code;
}

static void write_envelope(struct execution *x, const Salus__V1__KeyGrant *in,
                           const struct schema_registered_key *key)
{
    struct schema_envelope envelope = {
        .institution = key->institution,
        .is_emergency = in->break_glass.len > 0,
        .seq = x->seq,
    };
    const ProtobufCBinaryData *basis =
        envelope.is_emergency ? &in->break_glass : &in->decision;
    memcpy(envelope.wrap_commit, in->wrap_commit.data,
           sizeof envelope.wrap_commit);
    memcpy(envelope.basis, basis->data, sizeof envelope.basis);
    state_put_envelope(x->overlay, in->record.data, in->version,
                       in->recipient_key.data, &envelope);
}

enum ledger_code key_grant(struct execution *x)
{
    const Salus__V1__KeyGrant *in = x->body->key_grant;
    struct schema_record record;
    struct schema_registered_key key;
    enum ledger_code code = recipient_is_known(x, in, &key);
    if (code == LEDGER_OK) {
        code = record_is_ours(x, &in->record, in->version, &record);
    }
    if (code == LEDGER_OK) {
        code = basis_is_one(in);
    }
    if (code == LEDGER_OK) {
        code = in->break_glass.len > 0
                   ? emergency_gives(x, in->break_glass.data, in->record.data,
                                     &key.institution)
                   : access_gives(x, in->decision.data, in->record.data,
                                  &key.institution);
    }
    if (code == LEDGER_OK) {
        write_envelope(x, in, &key);
    }
    return code;
}
