/* SPDX-License-Identifier: Apache-2.0 */
/* PARTICIPANT_REGISTER, PARTICIPANT_UPDATE, PARTICIPANT_REVOKE: an institution
 * names a person, service or group of its own by a random id. Names stay in its
 * directory.
 */
#include <string.h>

#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/governance.h"
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
    return checks_code_list(x, CODES_ROLE,
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

/* Groups do not nest; a unit is a name, and reaches nobody who could ask. */
static bool may_be_member(const struct schema_participant *participant)
{
    return participant->kind != SALUS__V1__PARTICIPANT_REGISTER__KIND__GROUP &&
           participant->kind != SALUS__V1__PARTICIPANT_REGISTER__KIND__UNIT;
}

/* Members are participants of the same institution. */
static enum ledger_code
members_are_our_own(struct execution *x,
                    const Salus__V1__ParticipantRegister *in)
{
    for (size_t i = 0; i < in->n_members; i++) {
        struct schema_participant member;
        if (!state_get_participant(x->overlay, in->members[i].data, &member) ||
            !execution_is_submitter(x, &member.institution) ||
            !may_be_member(&member)) {
            return LEDGER_PART_STATE;
        }
    }
    return LEDGER_OK;
}

/* If it has a key of its own, nobody else has it, and it has signed. */
static enum ledger_code key_is_its_own(struct execution *x,
                                       const Salus__V1__ParticipantRegister *in)
{
    const struct governance_new_key key = {
        .key = &in->key,
        .possession = &in->possession,
        .institution = &x->request->institution,
    };
    if (in->key.len == 0) {
        return in->possession.len == 0 ? LEDGER_OK : LEDGER_FIELD_FORM;
    }
    return governance_signing_key(x, &key);
}

static void set_roles(struct schema_participant *participant,
                      const uint32_t *roles, size_t count)
{
    memset(participant->roles, 0, sizeof participant->roles);
    for (size_t i = 0; i < count; i++) {
        participant->roles[i] = (uint16_t)roles[i];
    }
}

static void put_members(struct execution *x, const uint8_t *group,
                        uint32_t generation, const ProtobufCBinaryData *members,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        state_put_member(x->overlay, group, generation, members[i].data);
    }
}

static void put_own_key(struct execution *x,
                        const Salus__V1__ParticipantRegister *in,
                        struct schema_participant *participant)
{
    struct schema_registered_key key = {
        .state = SCHEMA_ACTIVE,
        .purpose = SCHEMA_KEY_PARTICIPANT,
        .institution = x->request->institution,
        .from_seq = x->seq,
    };
    memcpy(key.participant, in->participant.data, sizeof key.participant);
    struct transaction_key_id id = governance_put_key(x, &in->key, &key);
    memcpy(participant->key_id, id.bytes, sizeof participant->key_id);
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
        .generation = 1,
    };
    set_roles(&participant, in->roles, in->n_roles);
    if (in->key.len > 0) {
        put_own_key(x, in, &participant);
    }
    state_put_participant(x->overlay, in->participant.data, &participant);
    put_members(x, in->participant.data, 1, in->members, in->n_members);
    state_put_payload(x->overlay, 'p', in->participant.data, x->payload);
}

enum ledger_code participant_register(struct execution *x)
{
    static participant_rule *const rules[] = {
        id_is_random,   kind_is_known,           roles_are_known,
        period_is_sane, credential_is_committed, members_fit_the_kind,
        id_is_unused,   members_are_our_own,     key_is_its_own,
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

/* ---- changes ------------------------------------------------------------- */

/* It is this institution's, and has not ended. */
static enum ledger_code is_ours(struct execution *x,
                                const ProtobufCBinaryData *id,
                                struct schema_participant *out)
{
    enum ledger_code code = checks_reference(id, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return state_get_participant(x->overlay, id->data, out) &&
                   execution_is_submitter(x, &out->institution) &&
                   out->state == SCHEMA_ACTIVE
               ? LEDGER_OK
               : LEDGER_PART_STATE;
}

/* The new fields obey the rules of the first ones. */
static enum ledger_code judge_update(struct execution *x,
                                     const Salus__V1__ParticipantUpdate *in,
                                     const struct schema_participant *old)
{
    static participant_rule *const rules[] = {
        roles_are_known,      period_is_sane,      credential_is_committed,
        members_fit_the_kind, members_are_our_own,
    };
    Salus__V1__ParticipantRegister as_registered =
        SALUS__V1__PARTICIPANT_REGISTER__INIT;
    as_registered.participant = in->participant;
    as_registered.kind = (Salus__V1__ParticipantRegister__Kind)old->kind;
    as_registered.n_roles = in->n_roles;
    as_registered.roles = in->roles;
    as_registered.valid_from_ms = in->valid_from_ms;
    as_registered.valid_to_ms = in->valid_to_ms;
    as_registered.credential_commit = in->credential_commit;
    as_registered.n_members = in->n_members;
    as_registered.members = in->members;
    enum ledger_code code = LEDGER_OK;
    for (size_t i = 0; code == LEDGER_OK && i < sizeof rules / sizeof rules[0];
         i++) {
        code = rules[i](x, &as_registered);
    }
    return code;
}

enum ledger_code participant_update(struct execution *x)
{
    const Salus__V1__ParticipantUpdate *in = x->body->participant_update;
    struct schema_participant participant;
    enum ledger_code code = is_ours(x, &in->participant, &participant);
    if (code == LEDGER_OK) {
        code = judge_update(x, in, &participant);
    }
    if (code != LEDGER_OK) {
        return code;
    }
    participant.valid_from_ms = in->valid_from_ms;
    participant.valid_to_ms = in->valid_to_ms;
    participant.generation++;
    set_roles(&participant, in->roles, in->n_roles);
    state_put_participant(x->overlay, in->participant.data, &participant);
    put_members(x, in->participant.data, participant.generation, in->members,
                in->n_members);
    state_put_payload(x->overlay, 'p', in->participant.data, x->payload);
    return LEDGER_OK;
}

enum ledger_code participant_revoke(struct execution *x)
{
    const Salus__V1__ParticipantRevoke *in = x->body->participant_revoke;
    struct schema_participant participant;
    struct schema_registered_key key;
    enum ledger_code code = is_ours(x, &in->participant, &participant);
    if (code == LEDGER_OK) {
        code = governance_reason(x, in->reason);
    }
    if (code != LEDGER_OK) {
        return code;
    }
    participant.state = SCHEMA_ENDED;
    state_put_participant(x->overlay, in->participant.data, &participant);
    if (state_get_key(x->overlay, participant.key_id, &key) &&
        key.state == SCHEMA_ACTIVE) {
        key.state = SCHEMA_ENDED;
        key.until_seq = x->seq;
        state_put_key(x->overlay, participant.key_id, &key);
    }
    return LEDGER_OK;
}
