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

static bool is_clinician(struct execution *x)
{
    for (size_t i = 0; i < LEDGER_PARTICIPANT_ROLES_MAX; i++) {
        struct schema_code code;
        if (x->actor.roles[i] != 0 &&
            state_find_code(x->overlay, CODES_ROLE, x->actor.roles[i], &code) &&
            (code.flags & CODES_CLINICIAN) != 0) {
            return true;
        }
    }
    return false;
}

static bool may_ask(struct execution *x, size_t row)
{
    bool role = (x->institution.roles & rows[row].institutions) != 0;
    return role && (!rows[row].clinicians || (x->has_actor && is_clinician(x)));
}

/* A researcher does not treat. */
static bool is_researcher(const struct execution *x)
{
    return x->has_actor &&
           x->actor.kind == SALUS__V1__PARTICIPANT_REGISTER__KIND__RESEARCHER;
}

enum ledger_code access_purpose_fits(struct execution *x, uint32_t purpose)
{
    for (unsigned depth = 0; purpose != 0 && depth < DEPTH_MAX; depth++) {
        struct schema_code code;
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            if (rows[i].purpose == purpose) {
                bool treats = purpose == CODES_PURPOSE_TREAT ||
                              purpose == CODES_PURPOSE_ETREAT;
                return may_ask(x, i) && !(treats && is_researcher(x))
                           ? LEDGER_OK
                           : LEDGER_PURPOSE_ROLE;
            }
        }
        if (!state_find_code(x->overlay, CODES_PURPOSE, purpose, &code)) {
            break;
        }
        purpose = code.parent;
    }
    return LEDGER_OK;
}
