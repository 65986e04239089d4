/* SPDX-License-Identifier: Apache-2.0 */
/* PARTICIPANT_REGISTER: an institution names a person, service or group of its
 * own by a random id. Names stay in its directory.
 */
#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/state.h"

typedef enum ledger_code
participant_rule(struct execution *x, const Salus__V1__ParticipantRegister *in);

/* The id is random, and nobody's yet. */
static enum ledger_code id_is_random(struct execution *x,
                                     const Salus__V1__ParticipantRegister *in)
{
    (void)x;
    return checks_random(&in->participant, LEDGER_ID_SIZE);
}

static enum ledger_code id_is_unused(struct execution *x,
                                     const Salus__V1__ParticipantRegister *in)
{
    struct schema_key key;
    schema_key_participant(&key, in->participant.data);
    return overlay_has(x->overlay, &key) ? LEDGER_PART_EXISTS : LEDGER_OK;
}

/* It says what it is. */
static enum ledger_code kind_is_known(struct execution *x,
                                      const Salus__V1__ParticipantRegister *in)
{
    (void)x;
    return in->kind >= SALUS__V1__PARTICIPANT_REGISTER__KIND__PROFESSIONAL &&
                   in->kind <= SALUS__V1__PARTICIPANT_REGISTER__KIND__UNIT
               ? LEDGER_OK
               : LEDGER_FIELD_FORM;
}

/* Its roles are codes of the ROLE table. */
static enum ledger_code
roles_are_known(struct execution *x, const Salus__V1__ParticipantRegister *in)
{
    (void)x;
    return checks_code_list(CODES_ROLE,
                            (struct checks_codes){in->roles, in->n_roles},
                            LEDGER_PARTICIPANT_ROLES_MAX);
}

/* It is valid for some time, and that time is not over. */
static enum ledger_code period_is_sane(struct execution *x,
                                       const Salus__V1__ParticipantRegister *in)
{
    enum ledger_code code = checks_period(in->valid_from_ms, in->valid_to_ms);
    if (code == LEDGER_OK && in->valid_to_ms != 0 &&
        in->valid_to_ms <= x->now_ms) {
        return LEDGER_PERIOD;
    }
    return code;
}

/* A licence appears as a salted commitment only. */
static enum ledger_code
credential_is_committed(struct execution *x,
                        const Salus__V1__ParticipantRegister *in)
{
    (void)x;
    return checks_optional_commit(&in->credential_commit);
}

/* A group has members, nothing else has. */
static enum ledger_code
members_fit_the_kind(struct execution *x,
                     const Salus__V1__ParticipantRegister *in)
{
    (void)x;
    bool is_group = in->kind == SALUS__V1__PARTICIPANT_REGISTER__KIND__GROUP;
    if (is_group != (in->n_members > 0)) {
        return LEDGER_FIELD_FORM;
    }
    return checks_id_list((struct checks_ids){in->members, in->n_members},
                          LEDGER_GROUP_MEMBERS_MAX);
}

/* Members are participants of the same institution, and no groups. */
static enum ledger_code
members_are_our_own(struct execution *x,
                    const Salus__V1__ParticipantRegister *in)
{
    for (size_t i = 0; i < in->n_members; i++) {
        struct schema_participant member;
        if (!state_get_participant(x->overlay, in->members[i].data, &member) ||
            !execution_is_submitter(x, &member.institution) ||
            member.kind == SALUS__V1__PARTICIPANT_REGISTER__KIND__GROUP) {
            return LEDGER_PART_STATE;
        }
    }
    return LEDGER_OK;
}

static void write_participant(struct execution *x,
                              const Salus__V1__ParticipantRegister *in)
{
    struct schema_participant participant = {
        .state = SCHEMA_ACTIVE,
        .institution = x->request->institution,
        .kind = (uint8_t)in->kind,
        .valid_from_ms = in->valid_from_ms,
        .valid_to_ms = in->valid_to_ms,
    };
    state_put_participant(x->overlay, in->participant.data, &participant);
    state_put_payload(x->overlay, 'p', in->participant.data, x->payload);
}

enum ledger_code participant_register(struct execution *x)
{
    static participant_rule *const rules[] = {
        id_is_random,   kind_is_known,           roles_are_known,
        period_is_sane, credential_is_committed, members_fit_the_kind,
        id_is_unused,   members_are_our_own,
    };
    const Salus__V1__ParticipantRegister *in = x->body->participant_register;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        enum ledger_code code = rules[i](x, in);
        if (code != LEDGER_OK) {
            return code;
        }
    }
    write_participant(x, in);
    return LEDGER_OK;
}
