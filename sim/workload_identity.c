/* SPDX-License-Identifier: Apache-2.0 */
/* Participants of institutions, and keys of everybody. */
#include <string.h>

#include "consensus/assert.h"
#include "sim/workload_state.h"
#include "sim/workload_world.h"

#define GROUP_MEMBERS_MAX 3
/* A rotation comes into effect so many blocks later. */
#define ROTATION_MIN 6
#define ROTATION_MAX 24
/* A client of a run keeps its key: its rotation lies in another one. */
#define ROTATION_OF_CLIENTS 1000000

/* ---- participants -------------------------------------------------------- */

/* What the register and its updates say alike. */
struct profession {
    uint32_t roles[1];
    size_t role_count;
    uint64_t valid_to_ms;
    struct id ids[GROUP_MEMBERS_MAX];
    ProtobufCBinaryData members[GROUP_MEMBERS_MAX];
    size_t member_count;
};

static int order_of(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, LEDGER_ID_SIZE);
}

/* Some of the clinicians, ascending. */
static void gather_members(struct making *making, struct profession *out)
{
    const struct thing *one = making_next(making, THING_CLINICIAN, NULL);
    for (; one != NULL && out->member_count < GROUP_MEMBERS_MAX;
         one = making_next(making, THING_CLINICIAN, one)) {
        if (one->party != making->party) {
            continue;
        }
        const struct id id = thing_id(one);
        size_t at = out->member_count++;
        while (at > 0 && order_of(&out->ids[at - 1], &id) > 0) {
            out->ids[at] = out->ids[at - 1];
            at--;
        }
        out->ids[at] = id;
    }
    for (size_t i = 0; i < out->member_count; i++) {
        out->members[i] = field(&out->ids[i], LEDGER_ID_SIZE);
    }
}

static void describe(struct making *making, enum thing_kind kind,
                     struct profession *out)
{
    *out = (struct profession){.role_count = 0};
    if (kind == THING_GROUP) {
        gather_members(making, out);
    }
    if (kind == THING_CLINICIAN || kind == THING_OFFICER) {
        out->roles[out->role_count++] = kind == THING_OFFICER
                                            ? CODES_ROLE_PRIVACY_OFFICER
                                            : CODES_ROLE_DOCTOR;
    }
    if (making_chance(making, 100)) {
        out->valid_to_ms = making_now_ms(making) +
                           making_between(making, 1, 10) * WORKLOAD_MINUTE_MS;
    }
}

static Salus__V1__ParticipantRegister__Kind kind_of(enum thing_kind kind)
{
    switch (kind) {
    case THING_GROUP:
        return SALUS__V1__PARTICIPANT_REGISTER__KIND__GROUP;
    case THING_AGENT:
        return SALUS__V1__PARTICIPANT_REGISTER__KIND__PATIENT_AGENT;
    default:
        return SALUS__V1__PARTICIPANT_REGISTER__KIND__PROFESSIONAL;
    }
}

static bool enrol(struct making *making, enum thing_kind kind, bool has_key,
                  struct profession *profession)
{
    Salus__V1__ParticipantRegister in = SALUS__V1__PARTICIPANT_REGISTER__INIT;
    struct pbft_public_key key;
    struct pbft_signature possession;
    struct thing *participant = making_add(making, kind);
    const struct id id = thing_id(participant);
    participant->until_ms = profession->valid_to_ms;
    in.participant = field(&id, LEDGER_ID_SIZE);
    in.kind = kind_of(kind);
    in.roles = profession->roles;
    in.n_roles = profession->role_count;
    in.valid_to_ms = profession->valid_to_ms;
    in.members = profession->members;
    in.n_members = profession->member_count;
    if (has_key) {
        participant->key = making_new_key(making);
        workload_signing_key(&key, participant->key);
        making_possession(making, &possession, participant->key,
                          &making->party->institution, NULL);
        in.key = (ProtobufCBinaryData){sizeof key.bytes, key.bytes};
        in.possession =
            (ProtobufCBinaryData){sizeof possession.bytes, possession.bytes};
    }
    return making_build(making, TRANSACTION_PARTICIPANT_REGISTER, &in.base);
}

static bool enrol_for_good(struct making *making, enum thing_kind kind)
{
    struct profession profession;
    describe(making, kind, &profession);
    profession.valid_to_ms = 0;
    return enrol(making, kind, false, &profession);
}

bool workload_enrol_clinician(struct making *making)
{
    return enrol_for_good(making, THING_CLINICIAN);
}

bool workload_enrol_officer(struct making *making)
{
    return enrol_for_good(making, THING_OFFICER);
}

bool workload_register_participant(struct making *making)
{
    static const enum thing_kind kinds[] = {THING_CLINICIAN, THING_CLINICIAN,
                                            THING_OFFICER, THING_AGENT,
                                            THING_GROUP};
    struct profession profession;
    const enum thing_kind kind =
        kinds[making_below(making, sizeof kinds / sizeof kinds[0])];
    describe(making, kind, &profession);
    if (kind == THING_GROUP && profession.member_count == 0) {
        return false;
    }
    return enrol(making, kind, making_chance(making, 300), &profession);
}

/* The first ones stay as they are: they do the work. */
static bool is_another(const struct making *making, const struct thing *thing,
                       const void *context)
{
    const struct thing *first = making_next(making, thing->kind, NULL);
    (void)context;
    while (first != NULL && first->party != thing->party) {
        first = making_next(making, thing->kind, first);
    }
    return first != thing;
}

static struct thing *pick_participant(struct making *making)
{
    static const enum thing_kind kinds[] = {THING_CLINICIAN, THING_OFFICER,
                                            THING_AGENT, THING_GROUP};
    const uint32_t begin = making_below(making, 4);
    struct thing *found = NULL;
    for (uint32_t i = 0; i < 4 && found == NULL; i++) {
        const struct wanted wanted = {
            .kind = kinds[(begin + i) % 4], .whose = OWN, .fits = is_another};
        found = making_pick(making, &wanted);
    }
    return found;
}

bool workload_update_participant(struct making *making)
{
    Salus__V1__ParticipantUpdate in = SALUS__V1__PARTICIPANT_UPDATE__INIT;
    struct profession profession;
    struct thing *participant = pick_participant(making);
    if (participant == NULL) {
        return false;
    }
    describe(making, participant->kind, &profession);
    if (participant->kind == THING_GROUP && profession.member_count == 0) {
        return false;
    }
    const struct id id = thing_id(participant);
    making_change(making, participant);
    participant->until_ms = profession.valid_to_ms;
    in.participant = field(&id, LEDGER_ID_SIZE);
    in.roles = profession.roles;
    in.n_roles = profession.role_count;
    in.valid_to_ms = profession.valid_to_ms;
    in.members = profession.members;
    in.n_members = profession.member_count;
    return making_build(making, TRANSACTION_PARTICIPANT_UPDATE, &in.base);
}

bool workload_revoke_participant(struct making *making)
{
    Salus__V1__ParticipantRevoke in = SALUS__V1__PARTICIPANT_REVOKE__INIT;
    struct thing *participant = pick_participant(making);
    if (participant == NULL) {
        return false;
    }
    const struct id id = thing_id(participant);
    making_change(making, participant);
    participant->is_gone = true;
    in.participant = field(&id, LEDGER_ID_SIZE);
    in.reason = CODES_REASON_CONTRACT;
    return making_build(making, TRANSACTION_PARTICIPANT_REVOKE, &in.base);
}

/* ---- keys ---------------------------------------------------------------- */

static bool has_key(const struct making *making, const struct thing *thing,
                    const void *context)
{
    (void)context;
    return thing->key != 0 && thing->from <= making_height(making);
}

static struct thing *pick_with_key(struct making *making, enum thing_kind kind)
{
    const struct wanted wanted = {.kind = kind, .whose = OWN, .fits = has_key};
    return making_pick(making, &wanted);
}

/* A new signing key in the place of `old`. */
static bool rotate_signing(struct making *making,
                           const struct transaction_key_id *old, uint64_t fresh,
                           uint64_t effective_seq)
{
    Salus__V1__KeyRotate in = SALUS__V1__KEY_ROTATE__INIT;
    struct pbft_public_key key;
    struct pbft_signature possession;
    struct transaction_key_id old_id = *old;
    workload_signing_key(&key, fresh);
    making_possession(making, &possession, fresh, &making->party->institution,
                      NULL);
    in.old_key_id = (ProtobufCBinaryData){sizeof old_id.bytes, old_id.bytes};
    in.new_key = (ProtobufCBinaryData){sizeof key.bytes, key.bytes};
    in.possession =
        (ProtobufCBinaryData){sizeof possession.bytes, possession.bytes};
    in.effective_seq = effective_seq;
    return making_build(making, TRANSACTION_KEY_ROTATE, &in.base);
}

const struct thing *making_encryption(const struct making *making,
                                      const struct thing *party)
{
    const struct thing *found = NULL;
    bool serves = false;
    for (uint32_t i = 0; i < making->workload->thing_count; i++) {
        const struct thing *key = making->workload->things[i];
        const bool now = !key->is_gone && key->from <= making_height(making);
        if (key->kind == THING_ENCRYPTION && key->party == party &&
            (!serves || (now && key->from > found->from))) {
            found = key;
            serves = now;
        }
    }
    PBFT_ASSERT(found != NULL);
    return found;
}

static bool rotate_encryption(struct making *making)
{
    Salus__V1__KeyRotate in = SALUS__V1__KEY_ROTATE__INIT;
    struct transaction_key_id old_id;
    struct pbft_public_key key;
    const struct thing *old = making_encryption(making, making->party);
    struct thing *fresh = making_add(making, THING_ENCRYPTION);
    fresh->from = making_height(making) +
                  making_between(making, ROTATION_MIN, ROTATION_MAX);
    thing_encryption_key_id(old, &old_id);
    workload_encryption_key(&key, fresh->number);
    in.old_key_id = (ProtobufCBinaryData){sizeof old_id.bytes, old_id.bytes};
    in.new_key = (ProtobufCBinaryData){sizeof key.bytes, key.bytes};
    in.effective_seq = fresh->from;
    return making_build(making, TRANSACTION_KEY_ROTATE, &in.base);
}

/* Of a clinician, who agrees, or of a patient, who may have lost it. */
static bool rotate_of_person(struct making *making, enum thing_kind kind)
{
    struct transaction_key_id old_id;
    struct thing *person = pick_with_key(making, kind);
    if (person == NULL) {
        return false;
    }
    workload_signing_key_id(&old_id, person->key);
    if (kind == THING_CLINICIAN) {
        making_sign(making, person->key, TRANSACTION_HOLDER);
    }
    making_change(making, person);
    person->key = making_new_key(making);
    person->from = making_height(making) +
                   making_between(making, ROTATION_MIN, ROTATION_MAX);
    return rotate_signing(making, &old_id, person->key, person->from);
}

bool workload_rotate_key(struct making *making)
{
    switch (making_below(making, 7)) {
    case 0:
    case 1:
        return rotate_encryption(making);
    case 2:
    case 3:
        return rotate_of_person(making, THING_CLINICIAN);
    case 4:
    case 5:
        return rotate_of_person(making, THING_PATIENT);
    default:
        return rotate_signing(making, &making->envelope.key_id,
                              making_new_key(making),
                              making_height(making) + ROTATION_OF_CLIENTS);
    }
}

static bool revoke(struct making *making, struct transaction_key_id *id)
{
    Salus__V1__KeyRevoke in = SALUS__V1__KEY_REVOKE__INIT;
    in.key_id = (ProtobufCBinaryData){sizeof id->bytes, id->bytes};
    in.reason = SALUS__V1__KEY_REVOKE__REASON__LOST;
    if (making_chance(making, 500)) {
        in.reason = SALUS__V1__KEY_REVOKE__REASON__COMPROMISE;
        in.compromise_time_ms = making_now_ms(making) - WORKLOAD_MINUTE_MS;
    }
    return making_build(making, TRANSACTION_KEY_REVOKE, &in.base);
}

static bool revoke_of_person(struct making *making, enum thing_kind kind)
{
    struct transaction_key_id id;
    struct thing *person = pick_with_key(making, kind);
    if (person == NULL) {
        return false;
    }
    workload_signing_key_id(&id, person->key);
    making_change(making, person);
    person->key = 0;
    return revoke(making, &id);
}

/* Its own, or with the others together somebody else's. */
static bool revoke_of_client(struct making *making)
{
    struct transaction_key_id id;
    const struct wanted wanted = {.kind = THING_CLIENT_KEY, .whose = ANYBODY};
    struct thing *key = making_pick(making, &wanted);
    if (key == NULL) {
        return false;
    }
    if (key->party != making->party) {
        making_ask_quorum(making);
    }
    workload_signing_key_id(&id, key->key);
    making_change(making, key);
    key->is_gone = true;
    return revoke(making, &id);
}

static bool is_replaced(const struct making *making, const struct thing *thing,
                        const void *context)
{
    (void)context;
    return thing->from < making_encryption(making, thing->party)->from;
}

static bool revoke_encryption(struct making *making)
{
    struct transaction_key_id id;
    const struct wanted wanted = {
        .kind = THING_ENCRYPTION, .whose = OWN, .fits = is_replaced};
    struct thing *key = making_pick(making, &wanted);
    if (key == NULL) {
        return false;
    }
    thing_encryption_key_id(key, &id);
    making_change(making, key);
    key->is_gone = true;
    return revoke(making, &id);
}

bool workload_revoke_key(struct making *making)
{
    switch (making_below(making, 4)) {
    case 0:
        return revoke_encryption(making);
    case 1:
        return revoke_of_person(making, THING_CLINICIAN);
    case 2:
        return revoke_of_person(making, THING_PATIENT);
    default:
        return revoke_of_client(making);
    }
}
