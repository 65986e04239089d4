/* SPDX-License-Identifier: Apache-2.0 */
/* Who may ask for what purpose. */
#include "ledger/access.h"

#define ROLE(code) ((uint64_t)1 << (code))
#define DEPTH_MAX 16u

/* The nearest row at or above a purpose holds; a purpose without one is open to
 * every institution. */
static const struct {
    uint32_t purpose;
    uint64_t institutions;
    bool clinicians; /* Only clinicians, if a person asks. */
} rows[] = {
    {1 /* TREAT */,
     ROLE(CODES_INSTITUTION_PROVIDER) | ROLE(CODES_INSTITUTION_HIE), false},
    {2 /* CLINTRL */,
     ROLE(CODES_INSTITUTION_PROVIDER) | ROLE(CODES_INSTITUTION_RESEARCH),
     false},
    {4 /* ETREAT */, ROLE(CODES_INSTITUTION_PROVIDER), true},
    {7 /* POPHLTH */,
     ROLE(CODES_INSTITUTION_PROVIDER) | ROLE(CODES_INSTITUTION_PUBLIC_HEALTH),
     false},
    {10 /* HPAYMT */,
     ROLE(CODES_INSTITUTION_PROVIDER) | ROLE(CODES_INSTITUTION_PAYER), false},
    {60 /* HRESCH */,
     ROLE(CODES_INSTITUTION_PROVIDER) | ROLE(CODES_INSTITUTION_RESEARCH),
     false},
    {70 /* PATRQT */,
     ROLE(CODES_INSTITUTION_PROVIDER) | ROLE(CODES_INSTITUTION_PATIENT_AGENT) |
         ROLE(CODES_INSTITUTION_HIE),
     false},
    {80 /* PUBHLTH */,
     ROLE(CODES_INSTITUTION_PUBLIC_HEALTH) | ROLE(CODES_INSTITUTION_PROVIDER),
     false},
};

static bool is_clinician(struct overlay *overlay,
                         const struct schema_participant *participant)
{
    for (size_t i = 0; i < LEDGER_PARTICIPANT_ROLES_MAX; i++) {
        struct schema_code code;
        uint32_t role = participant->roles[i];
        if (role != 0 && state_find_code(overlay, CODES_ROLE, role, &code) &&
            (code.flags & CODES_CLINICIAN) != 0) {
            return true;
        }
    }
    return false;
}

static bool may_ask(struct overlay *overlay, const struct access_asker *who,
                    size_t row)
{
    bool role = (who->roles & rows[row].institutions) != 0;
    bool clinician =
        who->is_somebody ||
        (who->participant != NULL && is_clinician(overlay, who->participant));
    return role && (!rows[row].clinicians || clinician);
}

/* A researcher does not treat. */
static bool is_researcher(const struct access_asker *who)
{
    return who->participant != NULL &&
           who->participant->kind ==
               SALUS__V1__PARTICIPANT_REGISTER__KIND__RESEARCHER;
}

enum ledger_code access_purpose_fits(struct overlay *overlay,
                                     const struct access_asker *who,
                                     uint32_t purpose)
{
    for (unsigned depth = 0; purpose != 0 && depth < DEPTH_MAX; depth++) {
        struct schema_code code;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            if (rows[i].purpose == purpose) {
                bool treats = purpose == CODES_PURPOSE_TREAT ||
                              purpose == CODES_PURPOSE_ETREAT;
                return may_ask(overlay, who, i) &&
                               !(treats && is_researcher(who))
                           ? LEDGER_OK
                           : LEDGER_PURPOSE_ROLE;
            }
        }
        if (!state_find_code(overlay, CODES_PURPOSE, purpose, &code)) {
            break;
        }
        purpose = code.parent;
    }
    return LEDGER_OK;
}

enum ledger_code access_submitter_fits(struct execution *x, uint32_t purpose)
{
    const struct access_asker who = {
        .roles = x->institution.roles,
        .participant = x->has_actor ? &x->actor : NULL,
    };
    return access_purpose_fits(x->overlay, &who, purpose);
}

bool access_may_ask(const struct decide_question *question)
{
    const struct decide_requester *who = question->requester;
    const struct schema_participant *participant =
        who->has_participant ? &who->participant : NULL;
    const uint8_t *id = who->institution.bytes;
    struct schema_institution institution;
    if (!state_is_active_institution(question->overlay, id) ||
        !state_get_institution(question->overlay, id, &institution) ||
        (participant != NULL &&
         !state_participant_is_valid(participant, question->now_ms))) {
        return false;
    }
    const struct access_asker asker = {
        .roles = institution.roles,
        .participant = participant,
        .is_somebody =
            participant == NULL ||
            participant->kind == SALUS__V1__PARTICIPANT_REGISTER__KIND__GROUP,
    };
    return access_purpose_fits(question->overlay, &asker, question->purpose) ==
           LEDGER_OK;
}
