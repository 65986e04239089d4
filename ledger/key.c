/* SPDX-License-Identifier: Apache-2.0 */
/* KEY_ROTATE and KEY_REVOKE: a key is replaced at a height, or not trusted any
 * more at once. What it signed before stays signed.
 */
#include <string.h>

#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/governance.h"

static bool is_signing(enum schema_purpose purpose)
{
    return purpose != SCHEMA_KEY_ENCRYPTION;
}

/* The old key is active and of the submitter. A replica's key is changed with
 * the set of replicas, not here. */
static enum ledger_code old_key_is_ours(const struct execution *x,
                                        const ProtobufCBinaryData *id,
                                        struct schema_registered_key *out)
{
    enum ledger_code code = checks_reference(id, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return state_get_key(x->overlay, id->data, out) &&
                   state_key_is_active(x->overlay, out) &&
                   out->until_seq == 0 && out->purpose != SCHEMA_KEY_REPLICA &&
                   execution_is_submitter(x, &out->institution)
               ? LEDGER_OK
               : LEDGER_KEY_STATE;
}

/* Whoever holds the old key agrees: a client key has signed the request, a
 * participant's key co-signs. A patient who lost his key cannot; his
 * institution, which knows him, replaces it. */
static enum ledger_code holder_agrees(const struct execution *x,
                                      const Salus__V1__KeyRotate *in,
                                      const struct schema_registered_key *old)
{
    if (old->purpose == SCHEMA_KEY_SUBMIT) {
        return memcmp(x->key_id.bytes, in->old_key_id.data, LEDGER_ID_SIZE) == 0
                   ? LEDGER_OK
                   : LEDGER_COSIGN_MISSING;
    }
    if (old->purpose == SCHEMA_KEY_PARTICIPANT) {
        return execution_has_cosigner(x, TRANSACTION_HOLDER,
                                      in->old_key_id.data)
                   ? LEDGER_OK
                   : LEDGER_COSIGN_MISSING;
    }
    return LEDGER_OK;
}

static enum ledger_code new_key_is_sound(const struct execution *x,
                                         const Salus__V1__KeyRotate *in,
                                         enum schema_purpose purpose)
{
    const struct governance_new_key key = {
        .key = &in->new_key,
        .possession = &in->possession,
        .institution = &x->request->institution,
    };
    if (is_signing(purpose)) {
        return governance_signing_key(x, &key);
    }
    return in->possession.len == 0 ? governance_key_is_new(x, &in->new_key)
                                   : LEDGER_FIELD_FORM;
}

/* Subjects and participants name their key. */
static void tell_owner(struct execution *x,
                       const struct schema_registered_key *key,
                       const struct transaction_key_id *id)
{
    struct schema_subject subject;
    struct schema_participant participant;
    if (key->purpose == SCHEMA_KEY_AGENT &&
        state_get_subject(x->overlay, key->subject, &subject)) {
        memcpy(subject.agent_key_id, id->bytes, sizeof subject.agent_key_id);
        state_put_subject(x->overlay, key->subject, &subject);
    }
    if (key->purpose == SCHEMA_KEY_PARTICIPANT &&
        state_get_participant(x->overlay, key->participant, &participant)) {
        memcpy(participant.key_id, id->bytes, sizeof participant.key_id);
        state_put_participant(x->overlay, key->participant, &participant);
    }
}

enum ledger_code key_rotate(struct execution *x)
{
    const Salus__V1__KeyRotate *in = x->body->key_rotate;
    struct schema_registered_key old;
    enum ledger_code code = old_key_is_ours(x, &in->old_key_id, &old);
    if (code == LEDGER_OK && in->effective_seq <= x->seq) {
        code = LEDGER_PERIOD;
    }
    if (code == LEDGER_OK) {
        code = new_key_is_sound(x, in, old.purpose);
    }
    if (code == LEDGER_OK) {
        code = holder_agrees(x, in, &old);
    }
    if (code != LEDGER_OK) {
        return code;
    }
    struct schema_registered_key fresh = old;
    old.until_seq = in->effective_seq;
    fresh.from_seq = in->effective_seq;
    state_put_key(x->overlay, in->old_key_id.data, &old);
    struct transaction_key_id id = governance_put_key(x, &in->new_key, &fresh);
    tell_owner(x, &fresh, &id);
    return LEDGER_OK;
}

/* ---- KEY_REVOKE ---------------------------------------------------------- */

/* It says why, and for a compromise since when, which is past. */
static enum ledger_code reason_is_sound(const struct execution *x,
                                        const Salus__V1__KeyRevoke *in)
{
    bool compromise = in->reason == SALUS__V1__KEY_REVOKE__REASON__COMPROMISE;
    if (in->reason < SALUS__V1__KEY_REVOKE__REASON__COMPROMISE ||
        in->reason > SALUS__V1__KEY_REVOKE__REASON__REPLACED ||
        (!compromise && in->compromise_time_ms != 0)) {
        return LEDGER_FIELD_FORM;
    }
    return checks_not_future(x, in->compromise_time_ms);
}

/* Its institution revokes it, or all others together. */
static enum ledger_code may_be_revoked(const struct execution *x,
                                       const Salus__V1__KeyRevoke *in,
                                       struct schema_registered_key *key)
{
    enum ledger_code code = checks_reference(&in->key_id, LEDGER_ID_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    if (!state_get_key(x->overlay, in->key_id.data, key) ||
        key->state == SCHEMA_ENDED || key->purpose == SCHEMA_KEY_REPLICA) {
        return LEDGER_KEY_STATE;
    }
    return execution_is_submitter(x, &key->institution)
               ? LEDGER_OK
               : execution_has_quorum(x);
}

enum ledger_code key_revoke(struct execution *x)
{
    const Salus__V1__KeyRevoke *in = x->body->key_revoke;
    struct schema_registered_key key;
    struct schema_subject subject;
    enum ledger_code code = reason_is_sound(x, in);
    if (code == LEDGER_OK) {
        code = may_be_revoked(x, in, &key);
    }
    if (code != LEDGER_OK) {
        return code;
    }
    key.state = SCHEMA_ENDED;
    key.until_seq = x->seq;
    if (in->reason == SALUS__V1__KEY_REVOKE__REASON__COMPROMISE) {
        key.compromised_ms =
            in->compromise_time_ms != 0 ? in->compromise_time_ms : 1;
    }
    state_put_key(x->overlay, in->key_id.data, &key);
    if (key.purpose == SCHEMA_KEY_AGENT &&
        state_get_subject(x->overlay, key.subject, &subject) &&
        memcmp(subject.agent_key_id, in->key_id.data, LEDGER_ID_SIZE) == 0) {
        subject.has_agent = false;
        state_put_subject(x->overlay, key.subject, &subject);
    }
    return LEDGER_OK;
}
