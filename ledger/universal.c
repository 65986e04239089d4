/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that hold for every transaction (docs/api.md, section 3), in
 * the order in which they are asked. Size and canonicality come
 * before, in execute_transaction.c; window and session in client_table.c.
 */
#include <string.h>

#include "crypto/sign.h"
#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/state.h"

static bool equals(const ProtobufCBinaryData *field, const uint8_t *bytes,
                   size_t size)
{
    return field->len == size && memcmp(field->data, bytes, size) == 0;
}

/* It was made for this consortium and this version of the rules. */
static enum ledger_code is_for_this_ledger(struct execution *x)
{
    const struct pbft_digest *chain = &x->constants->chain;
    if (!equals(&x->body->chain_id, chain->bytes, sizeof chain->bytes)) {
        return LEDGER_WRONG_CHAIN;
    }
    return x->body->version == TRANSACTION_VERSION ? LEDGER_OK : LEDGER_VERSION;
}

/* It has a type that this version knows. */
static enum ledger_code has_known_type(struct execution *x)
{
    return family_of((uint32_t)x->body->payload_case) != NULL
               ? LEDGER_OK
               : LEDGER_UNKNOWN_TYPE;
}

/* Whoever signed the request vouches for this transaction, and nobody else. */
static enum ledger_code names_its_submitter(struct execution *x)
{
    const struct pbft_institution *institution = &x->request->institution;
    if (!equals(&x->body->institution, institution->bytes,
                sizeof institution->bytes) ||
        !equals(&x->body->key_id, x->key_id.bytes, sizeof x->key_id.bytes)) {
        return LEDGER_SUBMITTER;
    }
    return LEDGER_OK;
}

/* The institution has a role in which it may do this. */
static enum ledger_code submitter_has_role(struct execution *x)
{
    uint64_t roles = family_of((uint32_t)x->body->payload_case)->roles;
    return roles == 0 || (x->institution.roles & roles) != 0
               ? LEDGER_OK
               : LEDGER_ROLE_REQUIRED;
}

/* The urgent lane stays free for what cannot wait. */
static enum ledger_code uses_its_lane(struct execution *x)
{
    bool urgent = family_of((uint32_t)x->body->payload_case)->urgent;
    return x->request->urgent && !urgent ? LEDGER_LANE : LEDGER_OK;
}

/* If a person or service is named as acting, the institution has registered it
 * and it is valid now. */
static enum ledger_code participant_may_act(struct execution *x)
{
    const ProtobufCBinaryData *field = &x->body->participant;
    x->has_actor = field->len != 0;
    if (field->len == 0) {
        return LEDGER_OK;
    }
    if (field->len != LEDGER_ID_SIZE) {
        return LEDGER_FIELD_FORM;
    }
    return state_get_participant(x->overlay, field->data, &x->actor) &&
                   execution_is_submitter(x, &x->actor.institution) &&
                   state_participant_is_valid(&x->actor, x->now_ms)
               ? LEDGER_OK
               : LEDGER_PART_STATE;
}

/* The submitter's deadline has not passed. */
static enum ledger_code is_in_time(struct execution *x)
{
    return x->now_ms <= x->body->not_after_ms ? LEDGER_OK : LEDGER_EXPIRED;
}

/* What is reported happened in the past, and if long ago, it says so. */
static enum ledger_code event_time_is_plausible(struct execution *x)
{
    uint64_t event_ms = x->body->event_time_ms;
    enum ledger_code code = checks_not_future(x, event_ms);
    if (code != LEDGER_OK || event_ms == 0) {
        return code;
    }
    uint64_t late_after_ms = x->policy->late_after_ms != 0
                                 ? x->policy->late_after_ms
                                 : x->constants->late_after_ms;
    bool old = event_ms < x->now_ms && x->now_ms - event_ms > late_after_ms;
    return old && !x->body->late ? LEDGER_LATE_UNMARKED : LEDGER_OK;
}

/* Its codes are meant by the table in force, or by one before: codes are
 * only added, never changed. */
static enum ledger_code uses_the_active_table(struct execution *x)
{
    return x->body->table_version >= x->constants->table_version &&
                   x->body->table_version <= state_table_version(x->overlay)
               ? LEDGER_OK
               : LEDGER_TABLE_VERSION;
}

static int order_of(const Salus__V1__CoSignature *a,
                    const Salus__V1__CoSignature *b)
{
    int order = memcmp(a->key_id.data, b->key_id.data, LEDGER_ID_SIZE);
    if (order != 0) {
        return order;
    }
    return (a->role > b->role) - (a->role < b->role);
}

/* May a key of that purpose sign in that role? */
static bool may_sign_as(enum schema_purpose purpose,
                        Salus__V1__CoSignature__Role role)
{
    switch (role) {
    case SALUS__V1__CO_SIGNATURE__ROLE__COSIGN_INST:
    case SALUS__V1__CO_SIGNATURE__ROLE__DAC:
    case SALUS__V1__CO_SIGNATURE__ROLE__GOVERNANCE:
        return purpose == SCHEMA_KEY_SUBMIT;
    case SALUS__V1__CO_SIGNATURE__ROLE__REVIEWER:
        return purpose == SCHEMA_KEY_SUBMIT ||
               purpose == SCHEMA_KEY_PARTICIPANT;
    case SALUS__V1__CO_SIGNATURE__ROLE__SUBJECT_AGENT:
        return purpose == SCHEMA_KEY_AGENT;
    case SALUS__V1__CO_SIGNATURE__ROLE__HOLDER:
        return purpose == SCHEMA_KEY_PARTICIPANT;
    default:
        return false; /* GUARDIAN waits for delegation. */
    }
}

/* The key of a co-signer is active and permitted for the role. */
static enum ledger_code admit_cosigner(struct execution *x,
                                       const Salus__V1__CoSignature *in,
                                       struct execution_cosigner *out)
{
    if (!state_get_key(x->overlay, in->key_id.data, &out->key) ||
        !state_key_is_active(x->overlay, &out->key) ||
        !may_sign_as(out->key.purpose, in->role) ||
        !state_is_active_institution(x->overlay, out->key.institution.bytes)) {
        return LEDGER_COSIGNER;
    }
    bool other = in->role != SALUS__V1__CO_SIGNATURE__ROLE__COSIGN_INST ||
                 !execution_is_submitter(x, &out->key.institution);
    out->role = (enum transaction_role)in->role;
    memcpy(out->key_id, in->key_id.data, sizeof out->key_id);
    return other ? LEDGER_OK : LEDGER_COSIGNER;
}

static enum ledger_code verify_cosigner(const struct execution *x,
                                        const Salus__V1__CoSignature *in,
                                        const struct execution_cosigner *signer)
{
    uint8_t preimage[TRANSACTION_COSIGN_PREIMAGE_SIZE];
    struct pbft_signature signature;
    transaction_cosign_preimage(preimage, &x->tx_id, signer->role);
    memcpy(signature.bytes, in->signature.data, sizeof signature.bytes);
    return sign_verify(&signer->key.key,
                       (struct pbft_bytes){preimage, sizeof preimage},
                       &signature)
               ? LEDGER_OK
               : LEDGER_BAD_SIGNATURE;
}

/* Every co-signature is by a key that may give it, and verifies. Last,
 * because it is the only rule that costs time. */
static enum ledger_code cosignatures_hold(struct execution *x,
                                          const Salus__V1__Transaction *wrapper)
{
    if (wrapper == NULL) {
        return LEDGER_OK;
    }
    bool governance = family_of((uint32_t)x->body->payload_case)->governance;
    if (wrapper->n_signatures >
        (governance ? LEDGER_SIGNATURES_MAX : LEDGER_COSIGNERS_MAX)) {
        return LEDGER_SIZE;
    }
    for (size_t i = 0; i < wrapper->n_signatures; i++) {
        const Salus__V1__CoSignature *one = wrapper->signatures[i];
        if (one->key_id.len != LEDGER_ID_SIZE ||
            one->signature.len != PBFT_SIGNATURE_SIZE) {
            return LEDGER_FIELD_FORM;
        }
        if (i > 0 && order_of(wrapper->signatures[i - 1], one) >= 0) {
            return LEDGER_FIELD_ORDER;
        }
        struct execution_cosigner *signer = &x->cosigners[i];
        enum ledger_code code = admit_cosigner(x, one, signer);
        if (code == LEDGER_OK) {
            code = verify_cosigner(x, one, signer);
        }
        if (code != LEDGER_OK) {
            return code;
        }
        x->cosigner_count++;
    }
    return LEDGER_OK;
}

enum ledger_code universal_check(struct execution *x,
                                 const Salus__V1__Transaction *signatures)
{
    static enum ledger_code (*const rules[])(struct execution *) = {
        is_for_this_ledger, has_known_type,          names_its_submitter,
        submitter_has_role, uses_its_lane,           participant_may_act,
        is_in_time,         event_time_is_plausible, uses_the_active_table,
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        enum ledger_code code = rules[i](x);
        if (code != LEDGER_OK) {
            return code;
        }
    }
    return cosignatures_hold(x, signatures);
}
