/* SPDX-License-Identifier: Apache-2.0 */
/* RECORD_AMEND, RECORD_RETRACT, REKEY: what becomes of a record. The head moves
 * on, earlier versions stay in the index; nothing is overwritten in silence.
 */
#include <string.h>

#include "ledger/access.h"
#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/fields.h"
#include "ledger/record.h"

enum ledger_code record_is_ours(struct execution *x,
                                const ProtobufCBinaryData *id, uint32_t version,
                                struct schema_record *out)
{
    enum ledger_code code = checks_reference(id, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    if (!state_get_record(x->overlay, id->data, out) ||
        !execution_speaks_for(x, &out->custodian) ||
        out->state != SCHEMA_ACTIVE) {
        return LEDGER_REC_STATE;
    }
    return out->version == version ? LEDGER_OK : LEDGER_VERSION_CONFLICT;
}

/* The version that was the head goes to the index. */
static void keep_version(struct execution *x, const uint8_t *id,
                         const struct schema_record *record)
{
    uint8_t key[LEDGER_ID_SIZE + FIELD_U32_SIZE];
    struct schema_old_version old = {
        .seq = record->anchored_seq,
        .place = record->anchored,
    };
    memcpy(old.commit, record->commit, sizeof old.commit);
    memcpy(key, id, LEDGER_ID_SIZE);
    field_put_u32(key + LEDGER_ID_SIZE, record->version);
    thing_put(x->overlay, &thing_old_version, key, &old);
}

/* ---- RECORD_AMEND -------------------------------------------------------- */

/* A correction, or the statement of a patient whose correction was refused. */
static enum ledger_code amendment_has_reason(const Salus__V1__RecordAmend *in)
{
    switch (in->reason) {
    case SALUS__V1__RECORD_AMEND__REASON__CORRECTION:
        return in->statement_commit.len == 0 ? LEDGER_OK : LEDGER_FIELD_FORM;
    case SALUS__V1__RECORD_AMEND__REASON__PATIENT_AMENDMENT_DENIED:
        return checks_commit(&in->statement_commit);
    default:
        return LEDGER_FIELD_FORM;
    }
}

/* It stays the record of the same patient. */
static bool same_subject(const struct schema_record *record,
                         const Salus__V1__RecordAnchor *next)
{
    return record->has_subject == (next->subject.len != 0) &&
           (!record->has_subject ||
            (next->subject.len == sizeof record->subject &&
             memcmp(record->subject, next->subject.data,
                    sizeof record->subject) == 0));
}

enum ledger_code record_amend(struct execution *x)
{
    const Salus__V1__RecordAmend *in = x->body->record_amend;
    struct schema_record record;
    if (in->next == NULL) {
        return LEDGER_FIELD_FORM;
    }
    enum ledger_code code = amendment_has_reason(in);
    if (code == LEDGER_OK) {
        code =
            record_is_ours(x, &in->next->record, in->expected_version, &record);
    }
    if (code == LEDGER_OK && !same_subject(&record, in->next)) {
        code = LEDGER_REC_STATE;
    }
    if (code == LEDGER_OK) {
        code = record_judge(x, in->next);
    }
    if (code == LEDGER_OK) {
        struct schema_record next = record_of(x, in->next);
        keep_version(x, in->next->record.data, &record);
        next.version = record.version + 1;
        record_write(x, in->next, &next, execution_pack(x, &in->next->base));
    }
    return code;
}

/* ---- RECORD_RETRACT ------------------------------------------------------ */

enum ledger_code record_retract(struct execution *x)
{
    const Salus__V1__RecordRetract *in = x->body->record_retract;
    struct schema_record record;
    bool wrong_patient =
        in->reason == SALUS__V1__RECORD_AMEND__REASON__WRONG_PATIENT;
    if (!wrong_patient &&
        in->reason != SALUS__V1__RECORD_AMEND__REASON__ENTERED_IN_ERROR) {
        return LEDGER_FIELD_FORM;
    }
    enum ledger_code code =
        record_is_ours(x, &in->record, in->expected_version, &record);
    if (code == LEDGER_OK) {
        record.state = wrong_patient ? SCHEMA_FROZEN : SCHEMA_ENDED;
        state_put_record(x->overlay, in->record.data, &record);
    }
    return code;
}

/* ---- REKEY --------------------------------------------------------------- */

static enum ledger_code rekey_is_sound(struct execution *x,
                                       const Salus__V1__Rekey *in)
{
    if (in->reason < SALUS__V1__REKEY__REASON__ROTATION ||
        in->reason > SALUS__V1__REKEY__REASON__RECIPIENT_REMOVED) {
        return LEDGER_FIELD_FORM;
    }
    enum ledger_code code = checks_commit(&in->cipher_digest);
    if (code == LEDGER_OK) {
        code = checks_optional_commit(&in->commit);
    }
    if (code == LEDGER_OK) {
        code = record_sealing(in->algorithm, in->cipher_size_bucket);
    }
    return code == LEDGER_OK
               ? record_envelopes(x, in->envelopes, in->n_envelopes)
               : code;
}

/* A recipient keeps access only if it has it now and what gave it still
 * holds; the custodian always. */
static enum ledger_code recipients_are_permitted(struct execution *x,
                                                 const Salus__V1__Rekey *in)
{
    size_t own = 0;
    for (size_t i = 0; i < in->n_envelopes; i++) {
        struct schema_envelope before;
        if (record_is_own_envelope(x, in->envelopes[i])) {
            own++;
        } else if (!state_get_envelope(
                       x->overlay, in->record.data, in->expected_version,
                       in->envelopes[i]->recipient_key.data, &before) ||
                   !access_still_gives(x, &before, in->record.data)) {
            return LEDGER_RECIPIENT_NOT_PERMITTED;
        }
    }
    return own > 0 ? LEDGER_OK : LEDGER_NO_CUSTODIAN_KEY;
}

static void carry_envelopes(struct execution *x, const Salus__V1__Rekey *in)
{
    for (size_t i = 0; i < in->n_envelopes; i++) {
        const Salus__V1__RecordAnchor__Envelope *one = in->envelopes[i];
        struct schema_envelope envelope;
        if (!record_is_own_envelope(x, one) &&
            state_get_envelope(x->overlay, in->record.data,
                               in->expected_version, one->recipient_key.data,
                               &envelope)) {
            memcpy(envelope.wrap_commit, one->wrap_commit.data,
                   sizeof envelope.wrap_commit);
            envelope.seq = x->seq;
            state_put_envelope(x->overlay, in->record.data,
                               in->expected_version + 1,
                               one->recipient_key.data, &envelope);
        }
    }
}

static void write_rekeyed(struct execution *x, const Salus__V1__Rekey *in,
                          struct schema_record *record)
{
    const void *stored =
        execution_stored(x->overlay, x->stored, 'r', in->record.data,
                         &salus__v1__record_anchor__descriptor);
    if (stored == NULL) {
        return; /* The store is damaged: the block is given up. */
    }
    Salus__V1__RecordAnchor next = *(const Salus__V1__RecordAnchor *)stored;
    keep_version(x, in->record.data, record);
    record->version++;
    record->anchored_seq = x->seq;
    record->anchored = x->place;
    if (in->commit.len > 0) {
        memcpy(record->commit, in->commit.data, sizeof record->commit);
        next.commit = in->commit;
    }
    next.cipher_digest = in->cipher_digest;
    next.cipher_size_bucket = in->cipher_size_bucket;
    next.algorithm = in->algorithm;
    next.n_envelopes = in->n_envelopes;
    next.envelopes = in->envelopes;
    record_write(x, &next, record, execution_pack(x, &next.base));
    carry_envelopes(x, in);
}

enum ledger_code rekey(struct execution *x)
{
    const Salus__V1__Rekey *in = x->body->rekey;
    struct schema_record record;
    enum ledger_code code = rekey_is_sound(x, in);
    if (code == LEDGER_OK) {
        code = record_is_ours(x, &in->record, in->expected_version, &record);
    }
    if (code == LEDGER_OK) {
        code = recipients_are_permitted(x, in);
    }
    if (code == LEDGER_OK) {
        write_rekeyed(x, in, &record);
    }
    return code;
}
