/* SPDX-License-Identifier: Apache-2.0 */
/* ACCESS_REQUEST: an institution asks, and every replica computes the answer
 * from the consents that stand at this place in the order of the ledger.
 */
#include "ledger/access.h"

#include <string.h>

#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/fields.h"

/* What the rules look at, and what comes of it. */
struct asking {
    struct execution *x;
    const Salus__V1__AccessRequest *in;
    struct decide_requester requester;
    struct decide_target targets[LEDGER_TARGETS_MAX];
    size_t target_count;
    struct pbft_institution custodian;
    uint8_t subject[LEDGER_HANDLE_SIZE];
    struct decide_answer answer;
};

typedef enum ledger_code asking_rule(struct asking *asking);

bool access_is_legal_basis(uint32_t basis)
{
    return basis == CODES_BASIS_PUBLIC_HEALTH ||
           basis == CODES_BASIS_REQUIRED_BY_LAW ||
           basis == CODES_BASIS_COURT_ORDER;
}

bool access_rests_on_law(const struct schema_held *held)
{
    return access_is_legal_basis(held->basis);
}

uint32_t access_held_count(const struct schema_access *access)
{
    return access->decisions < LEDGER_DECISIONS_KEPT ? access->decisions + 1
                                                     : LEDGER_DECISIONS_KEPT;
}

uint32_t access_held_at(const struct schema_access *access, uint64_t at_ms)
{
    const uint32_t count = access_held_count(access);
    uint32_t back = 0;
    while (back < count && access->held[back].since_ms > at_ms) {
        back++;
    }
    return back;
}

/* ---- rules --------------------------------------------------------------- */

/* Purpose, action, ground and bounds are told by code. */
static enum ledger_code codes_are_known(struct asking *asking)
{
    const Salus__V1__AccessRequest *in = asking->in;
    const struct execution *x = asking->x;
    enum ledger_code code = checks_code(x, CODES_PURPOSE, in->purpose);
    if (code == LEDGER_OK) {
        code = checks_code(x, CODES_ACTION, in->action);
    }
    if (code == LEDGER_OK) {
        code = checks_code(x, CODES_LEGAL_BASIS, in->basis);
    }
    if (code == LEDGER_OK && in->confidentiality_max != 0) {
        code = checks_code(x, CODES_CONF, in->confidentiality_max);
    }
    return code == LEDGER_OK ? checks_code_list(x, CODES_CLASS,
                                                (struct checks_codes){
                                                    in->classes, in->n_classes},
                                                LEDGER_CODES_MAX)
                             : code;
}

/* What public health, law or a court asks for is asked in writing. */
static enum ledger_code writing_is_committed(struct asking *asking)
{
    const Salus__V1__AccessRequest *in = asking->in;
    if (access_is_legal_basis(in->basis) && in->document_commit.len == 0) {
        return LEDGER_LEGAL_BASIS_REQUIRED;
    }
    enum ledger_code code = checks_optional_commit(&in->document_commit);
    return code == LEDGER_OK ? checks_optional_commit(&in->token_commit) : code;
}

/* It asks for records, or for what there is of a patient; not for both. */
static enum ledger_code target_is_one(struct asking *asking)
{
    const Salus__V1__AccessRequest *in = asking->in;
    bool bounds = in->n_classes > 0 || in->data_from_ms != 0 ||
                  in->data_to_ms != 0 || in->confidentiality_max != 0;
    if ((in->n_records > 0) == (in->subject.len > 0) ||
        (in->n_records > 0 && bounds)) {
        return LEDGER_FIELD_FORM;
    }
    if (in->subject.len > 0) {
        enum ledger_code code =
            checks_reference(&in->subject, LEDGER_HANDLE_SIZE);
        return code == LEDGER_OK
                   ? checks_period(in->data_from_ms, in->data_to_ms)
                   : code;
    }
    return checks_id_list((struct checks_ids){in->records, in->n_records},
                          LEDGER_TARGETS_MAX);
}

static enum ledger_code id_is_new(struct asking *asking)
{
    const ProtobufCBinaryData *id = &asking->in->request;
    enum ledger_code code = checks_random(id, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return thing_has(asking->x->overlay, &thing_access, id->data)
               ? LEDGER_REQ_EXISTS
               : LEDGER_OK;
}

struct decide_target access_scope(const Salus__V1__AccessRequest *in)
{
    return (struct decide_target){
        .is_scope = true,
        .classes = in->classes,
        .class_count = in->n_classes,
        .confidentiality = in->confidentiality_max != 0
                               ? in->confidentiality_max
                               : CODES_CONF_N,
        .from_ms = in->data_from_ms,
        .to_ms = in->data_to_ms,
    };
}

static enum ledger_code patient_is_known(struct asking *asking)
{
    const Salus__V1__AccessRequest *in = asking->in;
    struct schema_subject subject;
    if (!state_get_subject(asking->x->overlay, in->subject.data, &subject) ||
        subject.state != SCHEMA_ACTIVE) {
        return LEDGER_TARGET_UNKNOWN;
    }
    memcpy(asking->subject, in->subject.data, sizeof asking->subject);
    asking->custodian = subject.registrar;
    asking->targets[0] = access_scope(in);
    asking->target_count = 1;
    return LEDGER_OK;
}

/* All of one patient at one custodian, and usable. */
static bool record_belongs(struct asking *asking, size_t index)
{
    struct schema_record record;
    const uint8_t *id = asking->in->records[index].data;
    if (!state_get_record(asking->x->overlay, id, &record) ||
        record.state != SCHEMA_ACTIVE || !record.has_subject) {
        return false;
    }
    if (index == 0) {
        memcpy(asking->subject, record.subject, sizeof asking->subject);
        asking->custodian = record.custodian;
    }
    return memcmp(asking->subject, record.subject, sizeof record.subject) ==
               0 &&
           memcmp(&asking->custodian, &record.custodian,
                  sizeof record.custodian) == 0 &&
           decide_record_target(asking->x->overlay, asking->x->scratch, id,
                                &asking->targets[index]);
}

/* What it asks for exists. */
static enum ledger_code target_is_known(struct asking *asking)
{
    if (asking->in->n_records == 0) {
        return patient_is_known(asking);
    }
    asking->target_count = asking->in->n_records;
    for (size_t i = 0; i < asking->target_count; i++) {
        if (!record_belongs(asking, i)) {
            return LEDGER_TARGET_UNKNOWN;
        }
    }
    return LEDGER_OK;
}

static enum ledger_code purpose_fits(struct asking *asking)
{
    return access_submitter_fits(asking->x, asking->in->purpose);
}

/* It ends, within what policy allows. */
static enum ledger_code end_is_sane(struct asking *asking)
{
    const struct execution *x = asking->x;
    uint64_t end = asking->in->expires_ms;
    return end == 0 || (end > x->now_ms &&
                        end - x->now_ms <= x->policy->decision_ttl_ms)
               ? LEDGER_OK
               : LEDGER_PERIOD;
}

/* ---- the computed answer ------------------------------------------------- */

static void compute(struct asking *asking)
{
    struct execution *x = asking->x;
    asking->requester.institution = x->request->institution;
    asking->requester.has_participant = x->has_actor;
    if (x->has_actor) {
        asking->requester.participant = x->actor;
        memcpy(asking->requester.id, x->body->participant.data, LEDGER_ID_SIZE);
    }
    const struct decide_question question = {
        .overlay = x->overlay,
        .arena = x->stored,
        .policy = x->policy,
        .now_ms = x->now_ms,
        .subject = asking->subject,
        .requester = &asking->requester,
        .purpose = asking->in->purpose,
        .action = asking->in->action,
        .targets = asking->targets,
        .target_count = asking->target_count,
    };
    decide(&asking->answer, &question);
    if (access_is_legal_basis(asking->in->basis)) {
        asking->answer.rule = SCHEMA_RULE_LEGAL_BASIS; /* Step 5. */
        asking->answer.permitted = decide_all(asking->target_count);
        asking->answer.narrowed = 0;
    }
}

static struct schema_access access_of(const struct asking *asking)
{
    const Salus__V1__AccessRequest *in = asking->in;
    const struct execution *x = asking->x;
    bool legal = asking->answer.rule == SCHEMA_RULE_LEGAL_BASIS;
    struct schema_access access = {
        .requester = x->request->institution,
        .custodian = asking->custodian,
        .purpose = in->purpose,
        .action = in->action,
        .basis = in->basis,
        .target_count = (uint32_t)in->n_records,
        .confidentiality_max =
            in->n_records == 0 ? asking->targets[0].confidentiality : 0,
        .data_from_ms = in->data_from_ms,
        .data_to_ms = in->data_to_ms,
        .computed = asking->answer.permitted,
        .rule = asking->answer.rule,
        .implicit = asking->answer.implicit,
        .is_narrowed = asking->answer.narrowed != 0,
        .seq = x->seq,
        .asked = x->place,
        .expires_ms = in->expires_ms != 0
                          ? in->expires_ms
                          : x->now_ms + x->policy->decision_ttl_ms,
    };
    access.held[0].since_ms = x->now_ms;
    /* On a legal basis nothing holds before the custodian says so. */
    access.held[0].granted = legal ? 0 : access.computed;
    memcpy(access.participant, asking->requester.id, sizeof access.participant);
    memcpy(access.subject, asking->subject, sizeof access.subject);
    return access;
}

enum ledger_code access_request(struct execution *x)
{
    static asking_rule *const rules[] = {
        codes_are_known, writing_is_committed, target_is_one, end_is_sane,
        id_is_new,       target_is_known,      purpose_fits,
    };
    struct asking asking = {.x = x, .in = x->body->access_request};
    const uint8_t *id = asking.in->request.data;
    enum ledger_code code = LEDGER_OK;
    CHECKS_ALL(code, rules, &asking)
    if (code != LEDGER_OK) {
        return code;
    }
    compute(&asking);
    const struct schema_access access = access_of(&asking);
    state_put_with_payload(x->overlay, &thing_access, id, &access, x->payload);
    state_put_due(x->overlay, access.expires_ms, SCHEMA_DUE_DECISION, id,
                  &access.custodian);
    access_explain(x->overlay, id, &asking.answer);
    return LEDGER_OK;
}

/* ---- how it came about --------------------------------------------------- */

#define EXPLANATION_VERSION 1

static void explanation_key(struct schema_key *key, const uint8_t *request)
{
    key->space = LEDGER_SPACE_INDEX;
    key->bytes[0] = 'E';
    memcpy(key->bytes + 1, request, LEDGER_ID_SIZE);
    key->size = 1 + LEDGER_ID_SIZE;
}

void access_explain(struct overlay *overlay, const uint8_t *request,
                    const struct decide_answer *answer)
{
    uint8_t bytes[1 + LEDGER_SUBJECT_CONSENTS_MAX * ACCESS_VOICE_SIZE];
    struct field_writer writer = {.data = bytes, .capacity = sizeof bytes};
    struct schema_key key;
    field_write_u8(&writer, EXPLANATION_VERSION);
    for (size_t i = 0; i < answer->voice_count; i++) {
        const struct decide_voice *voice = &answer->voices[i];
        field_write(&writer, voice->consent, sizeof voice->consent);
        field_write_u64(&writer, voice->denied);
        field_write_u64(&writer, voice->permitted);
        field_write_u64(&writer, voice->narrowed);
        field_write_u64(&writer, voice->named);
        field_write_u8(&writer, voice->selector);
    }
    explanation_key(&key, request);
    overlay_put(overlay, &key, (struct pbft_bytes){bytes, writer.size});
}

bool access_read_explanation(struct overlay *overlay, const uint8_t *request,
                             struct decide_answer *out)
{
    struct schema_key key;
    struct pbft_bytes value;
    explanation_key(&key, request);
    memset(out, 0, sizeof *out);
    if (!overlay_read(overlay, &key, &value)) {
        return false;
    }
    struct field_reader reader = {.data = value.data, .left = value.size};
    if (field_read_u8(&reader) != EXPLANATION_VERSION) {
        return false;
    }
    while (reader.left > 0 && out->voice_count < LEDGER_SUBJECT_CONSENTS_MAX) {
        struct decide_voice *voice = &out->voices[out->voice_count++];
        field_read(&reader, voice->consent, sizeof voice->consent);
        voice->denied = field_read_u64(&reader);
        voice->permitted = field_read_u64(&reader);
        voice->narrowed = field_read_u64(&reader);
        voice->named = field_read_u64(&reader);
        voice->selector = field_read_u8(&reader);
    }
    return field_read_all(&reader);
}
