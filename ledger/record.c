/* SPDX-License-Identifier: Apache-2.0 */
/* RECORD_ANCHOR: a record exists, at this custodian, and these bytes are it.
 * Content, name and address of nobody appear.
 */
#include <string.h>

#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/forms.h"
#include "ledger/record.h"
#include "ledger/state.h"

/* Its kind and confidentiality are codes of the tables. */
static enum ledger_code codes_are_known(struct execution *x,
                                        const Salus__V1__RecordAnchor *in)
{
    enum ledger_code code = checks_code(x, CODES_CLASS, in->class_code);
    (void)x;
    return code == LEDGER_OK ? checks_code(x, CODES_CONF, in->confidentiality)
                             : code;
}

/* Sensitivity appears as blinded labels, padded to 0, 4, 8 or 16. */
static enum ledger_code tags_are_padded(struct execution *x,
                                        const Salus__V1__RecordAnchor *in)
{
    size_t count = in->n_tags;
    (void)x;
    if (count > LEDGER_TAGS_MAX) {
        return LEDGER_SIZE;
    }
    if (count != 0 && count != 4 && count != 8 && count != LEDGER_TAGS_MAX) {
        return LEDGER_FIELD_FORM;
    }
    return checks_tags((struct checks_ids){in->tags, count});
}

/* The period of the data is coarse: dates of visits identify people. */
static enum ledger_code period_is_coarse(struct execution *x,
                                         const Salus__V1__RecordAnchor *in)
{
    (void)x;
    return checks_days(in->data_from_ms, in->data_to_ms);
}

/* Content and sealed file appear as digests that tell nothing. */
static enum ledger_code content_is_committed(struct execution *x,
                                             const Salus__V1__RecordAnchor *in)
{
    enum ledger_code code = checks_commit(&in->commit);
    (void)x;
    return code == LEDGER_OK ? checks_commit(&in->cipher_digest) : code;
}

enum ledger_code record_sealing(uint32_t algorithm, uint32_t size_bucket)
{
    if (algorithm != RECORD_AES_256_GCM) {
        return LEDGER_UNKNOWN_CODE;
    }
    return forms_is_size_bucket(size_bucket) ? LEDGER_OK : LEDGER_FIELD_FORM;
}

/* Sealed in a way that others can open, and its size is rounded up. */
static enum ledger_code sealing_is_known(struct execution *x,
                                         const Salus__V1__RecordAnchor *in)
{
    (void)x;
    return record_sealing(in->algorithm, in->cipher_size_bucket);
}

/* Where it lies says nothing about whose it is. */
static enum ledger_code location_is_opaque(struct execution *x,
                                           const Salus__V1__RecordAnchor *in)
{
    const struct pbft_bytes location = {(const uint8_t *)in->location,
                                        strlen(in->location)};
    (void)x;
    return forms_is_location(location) ? LEDGER_OK : LEDGER_LOCATION_FORM;
}

/* Related records and encounters are named by opaque ids; they may be unknown
 * to the ledger. */
static enum ledger_code related_are_opaque(struct execution *x,
                                           const Salus__V1__RecordAnchor *in)
{
    enum ledger_code code = LEDGER_OK;
    (void)x;
    if (in->n_related > LEDGER_RELATED_MAX) {
        return LEDGER_SIZE;
    }
    for (size_t i = 0; code == LEDGER_OK && i < in->n_related; i++) {
        code = checks_random(&in->related[i], LEDGER_ID_SIZE);
    }
    return code;
}

/* The id is random, and nobody's yet. */
enum ledger_code record_id_is_new(struct execution *x,
                                  const Salus__V1__RecordAnchor *in)
{
    struct schema_key key;
    enum ledger_code code = checks_random(&in->record, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    schema_key_record(&key, in->record.data);
    return overlay_has(x->overlay, &key) ? LEDGER_REC_EXISTS : LEDGER_OK;
}

/* If it is about a patient, he is this institution's. One code for unknown and
 * for another's. */
static enum ledger_code subject_is_ours(struct execution *x,
                                        const Salus__V1__RecordAnchor *in)
{
    struct schema_subject subject;
    if (in->subject.len == 0) {
        return LEDGER_OK;
    }
    if (in->subject.len != LEDGER_HANDLE_SIZE) {
        return LEDGER_FIELD_FORM;
    }
    return state_get_subject(x->overlay, in->subject.data, &subject) &&
                   subject.state == SCHEMA_ACTIVE &&
                   execution_speaks_for(x, &subject.registrar)
               ? LEDGER_OK
               : LEDGER_FOREIGN_SUBJECT;
}

/* If an author is named, this institution has registered him. */
static enum ledger_code author_is_ours(struct execution *x,
                                       const Salus__V1__RecordAnchor *in)
{
    struct schema_participant author;
    if (in->author.len == 0) {
        return LEDGER_OK;
    }
    if (in->author.len != LEDGER_ID_SIZE) {
        return LEDGER_FIELD_FORM;
    }
    return state_get_participant(x->overlay, in->author.data, &author) &&
                   execution_is_submitter(x, &author.institution)
               ? LEDGER_OK
               : LEDGER_PART_STATE;
}

/* If it continues a record, that one is this custodian's and of the same
 * patient. */
static enum ledger_code prior_is_ours(struct execution *x,
                                      const Salus__V1__RecordAnchor *in)
{
    struct schema_record prior;
    if (in->prior_record.len == 0) {
        return LEDGER_OK;
    }
    if (in->prior_record.len != LEDGER_ID_SIZE) {
        return LEDGER_FIELD_FORM;
    }
    if (!state_get_record(x->overlay, in->prior_record.data, &prior) ||
        !execution_is_submitter(x, &prior.custodian)) {
        return LEDGER_REC_STATE;
    }
    bool same = prior.has_subject == (in->subject.len != 0) &&
                (!prior.has_subject || memcmp(prior.subject, in->subject.data,
                                              sizeof prior.subject) == 0);
    return same ? LEDGER_OK : LEDGER_REC_STATE;
}

/* Envelopes are commitments for registered encryption keys, one each. */
static enum ledger_code envelopes_are_sound(struct execution *x,
                                            const Salus__V1__RecordAnchor *in)
{
    return record_envelopes(x, in->envelopes, in->n_envelopes);
}

enum ledger_code record_envelopes(struct execution *x,
                                  Salus__V1__RecordAnchor__Envelope **envelopes,
                                  size_t count)
{
    if (count > LEDGER_ENVELOPES_MAX) {
        return LEDGER_SIZE;
    }
    for (size_t i = 0; i < count; i++) {
        const Salus__V1__RecordAnchor__Envelope *one = envelopes[i];
        struct schema_registered_key key;
        if (one->recipient_key.len != LEDGER_ID_SIZE) {
            return LEDGER_FIELD_FORM;
        }
        if (i > 0 && memcmp(envelopes[i - 1]->recipient_key.data,
                            one->recipient_key.data, LEDGER_ID_SIZE) >= 0) {
            return LEDGER_FIELD_ORDER;
        }
        enum ledger_code code = checks_commit(&one->wrap_commit);
        if (code != LEDGER_OK) {
            return code;
        }
        if (!state_get_active_key(x->overlay, one->recipient_key.data,
                                  SCHEMA_KEY_ENCRYPTION, &key)) {
            return LEDGER_KEY_STATE;
        }
    }
    return LEDGER_OK;
}

bool record_is_own_envelope(struct execution *x,
                            const Salus__V1__RecordAnchor__Envelope *envelope)
{
    struct schema_registered_key key;
    return state_get_key(x->overlay, envelope->recipient_key.data, &key) &&
           execution_is_submitter(x, &key.institution);
}

/* The custodian can open the record; nobody else can before a decision allows
 * it (docs/api.md, section 4). Asked after envelopes_are_sound(). */
static enum ledger_code
only_the_custodian_can_open(struct execution *x,
                            const Salus__V1__RecordAnchor *in)
{
    size_t own = 0;
    for (size_t i = 0; i < in->n_envelopes; i++) {
        own += record_is_own_envelope(x, in->envelopes[i]);
    }
    if (own == 0) {
        return LEDGER_NO_CUSTODIAN_KEY;
    }
    return own == in->n_envelopes ? LEDGER_OK : LEDGER_NO_DECISION;
}

void record_write(struct execution *x, const Salus__V1__RecordAnchor *in,
                  const struct schema_record *record, struct pbft_bytes payload)
{
    struct schema_key key;
    state_put_with_payload(x->overlay, &thing_record, in->record.data, record,
                           payload);
    schema_key_commit(&key, record->commit);
    schema_key_add_place(&key, &record->anchored);
    overlay_put(x->overlay, &key, checks_bytes(&in->record));
}

struct schema_record record_of(const struct execution *x,
                               const Salus__V1__RecordAnchor *in)
{
    struct schema_record record = {
        .state = SCHEMA_ACTIVE,
        .custodian = x->request->institution,
        .has_subject = in->subject.len != 0,
        .version = 1,
        .anchored_seq = x->seq,
        .anchored = x->place,
        .class_code = in->class_code,
        .confidentiality = in->confidentiality,
    };
    if (record.has_subject) {
        memcpy(record.subject, in->subject.data, sizeof record.subject);
    }
    memcpy(record.commit, in->commit.data, sizeof record.commit);
    return record;
}

enum ledger_code record_judge(struct execution *x,
                              const Salus__V1__RecordAnchor *in)
{
    static enum ledger_code (*const rules[])(
        struct execution *, const Salus__V1__RecordAnchor *) = {
        codes_are_known,      tags_are_padded,     period_is_coarse,
        content_is_committed, sealing_is_known,    location_is_opaque,
        related_are_opaque,   subject_is_ours,     author_is_ours,
        prior_is_ours,        envelopes_are_sound, only_the_custodian_can_open,
    };
    enum ledger_code code = LEDGER_OK;
    for (size_t i = 0; code == LEDGER_OK && i < sizeof rules / sizeof rules[0];
         i++) {
        code = rules[i](x, in);
    }
    return code;
}

enum ledger_code record_anchor(struct execution *x)
{
    const Salus__V1__RecordAnchor *in = x->body->record_anchor;
    enum ledger_code code = record_id_is_new(x, in);
    if (code == LEDGER_OK) {
        code = record_judge(x, in);
    }
    if (code == LEDGER_OK) {
        const struct schema_record record = record_of(x, in);
        record_write(x, in, &record, x->payload);
    }
    return code;
}
