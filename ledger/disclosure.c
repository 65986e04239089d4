/* SPDX-License-Identifier: Apache-2.0 */
/* DISCLOSURE: data went out. One that no decision covers is refused, unless the
 * source reports it itself as a violation: a disclosure that nobody tells is
 * worse than one that should not have been.
 */
#include "ledger/disclosure.h"

#include <string.h>

#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/fields.h"

typedef enum ledger_code telling_rule(struct telling *telling);

/* ---- form ---------------------------------------------------------------- */

/* What went, why and how is told by code and by commitment. */
static enum ledger_code contents_are_told(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    const struct execution *x = telling->x;
    if (in->item_count == 0 || in->n_classes == 0 ||
        in->mode < SALUS__V1__DISCLOSURE__MODE__READ ||
        in->mode > SALUS__V1__DISCLOSURE__MODE__BULK) {
        return LEDGER_FIELD_FORM;
    }
    enum ledger_code code = checks_commit(&in->manifest_root);
    if (code == LEDGER_OK) {
        code = checks_optional_commit(&in->detail_commit);
    }
    if (code == LEDGER_OK) {
        code = checks_optional_commit(&in->document_commit);
    }
    if (code == LEDGER_OK) {
        code = checks_code(x, CODES_PURPOSE, in->purpose);
    }
    if (code == LEDGER_OK) {
        code = checks_days(in->period_from_ms, in->period_to_ms);
    }
    return code == LEDGER_OK ? checks_code_list(x, CODES_CLASS,
                                                (struct checks_codes){
                                                    in->classes, in->n_classes},
                                                LEDGER_CODES_MAX)
                             : code;
}

/* It stands on a decision, an emergency, or a law with a writing; on one of
 * them. A violation may stand on nothing. */
static enum ledger_code basis_is_one(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    unsigned bases =
        (in->decision.len > 0) + (in->break_glass.len > 0) + (in->basis != 0);
    if (bases > 1 || (bases == 0 && !in->violation)) {
        return LEDGER_BASIS;
    }
    if (in->basis != 0) {
        if (checks_code(telling->x, CODES_LEGAL_BASIS, in->basis) !=
            LEDGER_OK) {
            return LEDGER_UNKNOWN_CODE;
        }
        if (access_is_legal_basis(in->basis) && in->document_commit.len == 0) {
            return LEDGER_LEGAL_BASIS_REQUIRED;
        }
    }
    enum ledger_code code =
        checks_optional_reference(&in->decision, LEDGER_ID_SIZE);
    return code == LEDGER_OK
               ? checks_optional_reference(&in->break_glass, LEDGER_ID_SIZE)
               : code;
}

/* The recipient is of the consortium, as is the person who received. */
static enum ledger_code recipient_is_known(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    struct schema_participant person;
    enum ledger_code code =
        checks_reference(&in->recipient, PBFT_INSTITUTION_SIZE);
    if (code == LEDGER_OK) {
        code = checks_optional_reference(&in->recipient_participant,
                                         LEDGER_ID_SIZE);
    }
    if (code != LEDGER_OK) {
        return code;
    }
    if (!thing_has(telling->x->overlay, &thing_institution,
                   in->recipient.data)) {
        return LEDGER_NOT_FOUND;
    }
    if (in->recipient_participant.len == 0) {
        return LEDGER_OK;
    }
    return state_get_participant(telling->x->overlay,
                                 in->recipient_participant.data, &person) &&
                   memcmp(person.institution.bytes, in->recipient.data,
                          PBFT_INSTITUTION_SIZE) == 0
               ? LEDGER_OK
               : LEDGER_PART_STATE;
}

/* The patient is the source's. */
static enum ledger_code subject_is_ours(struct telling *telling)
{
    const Salus__V1__Disclosure *in = telling->in;
    struct schema_subject subject;
    enum ledger_code code = checks_reference(&in->subject, LEDGER_HANDLE_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return state_get_subject(telling->x->overlay, in->subject.data, &subject) &&
                   execution_speaks_for(telling->x, &subject.registrar)
               ? LEDGER_OK
               : LEDGER_FOREIGN_SUBJECT;
}

static enum ledger_code id_is_new(struct telling *telling)
{
    const ProtobufCBinaryData *id = &telling->in->disclosure;
    enum ledger_code code = checks_random(id, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return thing_has(telling->x->overlay, &thing_disclosure, id->data)
               ? LEDGER_DISC_EXISTS
               : LEDGER_OK;
}

enum ledger_code disclosure_judge(struct telling *telling)
{
    static telling_rule *const rules[] = {
        contents_are_told, basis_is_one,       id_is_new,
        subject_is_ours,   recipient_is_known, disclosure_cover,
    };
    enum ledger_code code = LEDGER_OK;
    CHECKS_ALL(code, rules, telling)
    return code;
}
