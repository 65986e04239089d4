/* SPDX-License-Identifier: Apache-2.0 */
/* INST_ADMIT, INST_UPDATE, INST_SUSPEND, INST_RETIRE: who belongs to the
 * consortium. The set of replicas is no matter of these.
 */
#include <string.h>

#include "ledger/checks.h"
#include "ledger/families.h"
#include "ledger/forms.h"
#include "ledger/governance.h"

typedef enum ledger_code institution_rule(struct execution *x);

static uint64_t roles_of(const uint32_t *codes, size_t count)
{
    uint64_t roles = 0;
    for (size_t i = 0; i < count; i++) {
        roles |= (uint64_t)1 << codes[i];
    }
    return roles;
}

static const struct pbft_institution *id_of(const ProtobufCBinaryData *field,
                                            struct pbft_institution *out)
{
    memcpy(out->bytes, field->data, sizeof out->bytes);
    return out;
}

/* ---- INST_ADMIT ---------------------------------------------------------- */

/* A random id that nobody has. */
static enum ledger_code admitted_is_new(struct execution *x)
{
    const ProtobufCBinaryData *id = &x->body->institution_admit->institution;
    enum ledger_code code = checks_random(id, PBFT_INSTITUTION_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return thing_has(x->overlay, &thing_institution, id->data)
               ? LEDGER_INST_EXISTS
               : LEDGER_OK;
}

/* Its names are those of a directory: short name, country, legal name. */
static enum ledger_code names_are_formed(struct execution *x)
{
    const Salus__V1__InstitutionAdmit *in = x->body->institution_admit;
    return forms_is_short_name(in->name) && forms_is_country(in->country) &&
                   forms_is_legal_name(in->legal_name)
               ? LEDGER_OK
               : LEDGER_FIELD_FORM;
}

/* It has one role at least. */
static enum ledger_code roles_are_known(struct execution *x)
{
    const Salus__V1__InstitutionAdmit *in = x->body->institution_admit;
    if (in->n_roles == 0) {
        return LEDGER_FIELD_FORM;
    }
    return checks_code_list(x, CODES_INSTITUTION_ROLE,
                            (struct checks_codes){in->roles, in->n_roles},
                            LEDGER_PARTICIPANT_ROLES_MAX);
}

static bool
identifier_is_formed(const Salus__V1__InstitutionAdmit__Identifier *one)
{
    bool known = strcmp(one->system, "NPI") == 0 ||
                 strcmp(one->system, "OID") == 0 ||
                 strcmp(one->system, "VAT") == 0;
    return known && forms_is_register_number(one->value);
}

/* Register numbers and addresses are what they say. */
static enum ledger_code directory_is_formed(struct execution *x)
{
    const Salus__V1__InstitutionAdmit *in = x->body->institution_admit;
    if (in->n_ids > LEDGER_IDENTIFIERS_MAX ||
        in->n_endpoints > LEDGER_ENDPOINTS_MAX) {
        return LEDGER_SIZE;
    }
    bool formed = true;
    for (size_t i = 0; i < in->n_ids; i++) {
        formed = formed && identifier_is_formed(in->ids[i]);
    }
    for (size_t i = 0; i < in->n_endpoints; i++) {
        formed = formed && strncmp(in->endpoints[i], "https://", 8) == 0 &&
                 forms_is_uri(in->endpoints[i]);
    }
    return formed ? LEDGER_OK : LEDGER_FIELD_FORM;
}

/* A contract was signed; its digest is on the record. */
static enum ledger_code contract_is_named(struct execution *x)
{
    return checks_commit(&x->body->institution_admit->attestation_hash);
}

/* Its keys are nobody's, and it has them: the signing key signs for both. */
static enum ledger_code keys_are_its_own(struct execution *x)
{
    const Salus__V1__InstitutionAdmit *in = x->body->institution_admit;
    struct pbft_institution id;
    enum ledger_code code = governance_key_is_new(x, &in->encryption_key);
    if (code == LEDGER_OK && in->submit_key.len == in->encryption_key.len &&
        memcmp(in->submit_key.data, in->encryption_key.data,
               in->submit_key.len) == 0) {
        return LEDGER_KEY_REUSED;
    }
    const struct governance_new_key key = {
        .key = &in->submit_key,
        .possession = &in->submit_possession,
        .institution = id_of(&in->institution, &id),
        .other = in->encryption_key.data,
    };
    return code == LEDGER_OK ? governance_signing_key(x, &key) : code;
}

static enum ledger_code quorum_agrees(struct execution *x)
{
    return execution_has_quorum(x);
}

static void count_institutions(struct execution *x, int change,
                               bool has_replica)
{
    struct schema_counts counts;
    if (state_get_counts(x->overlay, NULL, &counts)) {
        counts.active += (uint32_t)change;
        counts.active_replicas += has_replica ? (uint32_t)change : 0;
        state_put_counts(x->overlay, NULL, &counts);
    }
}

static void write_admitted(struct execution *x)
{
    const Salus__V1__InstitutionAdmit *in = x->body->institution_admit;
    const struct schema_institution institution = {
        .state = SCHEMA_ACTIVE,
        .roles = roles_of(in->roles, in->n_roles),
        .from_seq = x->seq + LEDGER_ADMIT_DELAY,
    };
    struct schema_registered_key key = {
        .state = SCHEMA_ACTIVE,
        .purpose = SCHEMA_KEY_SUBMIT,
        .from_seq = institution.from_seq,
    };
    (void)id_of(&in->institution, &key.institution);
    state_put_institution(x->overlay, in->institution.data, &institution);
    state_put_payload(x->overlay, 'i', in->institution.data, x->payload);
    (void)governance_put_key(x, &in->submit_key, &key);
    key.purpose = SCHEMA_KEY_ENCRYPTION;
    (void)governance_put_key(x, &in->encryption_key, &key);
    count_institutions(x, 1, false);
}

enum ledger_code institution_admit(struct execution *x)
{
    static institution_rule *const rules[] = {
        names_are_formed,  roles_are_known, directory_is_formed,
        contract_is_named, admitted_is_new, keys_are_its_own,
        quorum_agrees,
    };
    enum ledger_code code = LEDGER_OK;
    CHECKS_ALL(code, rules, x)
    if (code == LEDGER_OK) {
        write_admitted(x);
    }
    return code;
}

/* ---- INST_UPDATE --------------------------------------------------------- */

static enum ledger_code known(struct execution *x,
                              const ProtobufCBinaryData *id,
                              struct schema_institution *out)
{
    enum ledger_code code = checks_reference(id, PBFT_INSTITUTION_SIZE);
    if (code != LEDGER_OK) {
        return code;
    }
    return state_get_institution(x->overlay, id->data, out) &&
                   out->state != SCHEMA_ENDED
               ? LEDGER_OK
               : LEDGER_INST_STATE;
}

/* Its own contract and keys an institution changes by itself; what it may do in
 * the consortium the others decide. */
static enum ledger_code may_be_updated(struct execution *x)
{
    const Salus__V1__InstitutionUpdate *in = x->body->institution_update;
    bool own = memcmp(in->institution.data, x->request->institution.bytes,
                      PBFT_INSTITUTION_SIZE) == 0;
    if (!own && (in->submit_key.len > 0 || in->attestation_hash.len > 0)) {
        return LEDGER_INST_STATE;
    }
    return in->n_roles > 0 ? execution_has_quorum(x) : LEDGER_OK;
}

static enum ledger_code new_key_is_its_own(struct execution *x)
{
    const Salus__V1__InstitutionUpdate *in = x->body->institution_update;
    const struct governance_new_key key = {
        .key = &in->submit_key,
        .possession = &in->submit_possession,
        .institution = &x->request->institution,
    };
    return in->submit_key.len == 0 ? LEDGER_OK
                                   : governance_signing_key(x, &key);
}

static enum ledger_code update_says_something(struct execution *x)
{
    const Salus__V1__InstitutionUpdate *in = x->body->institution_update;
    enum ledger_code code = governance_reason(x, in->reason);
    if (code == LEDGER_OK) {
        code = checks_optional_commit(&in->attestation_hash);
    }
    if (code == LEDGER_OK) {
        code = checks_code_list(x, CODES_INSTITUTION_ROLE,
                                (struct checks_codes){in->roles, in->n_roles},
                                LEDGER_PARTICIPANT_ROLES_MAX);
    }
    bool empty = in->n_roles == 0 && in->submit_key.len == 0 &&
                 in->attestation_hash.len == 0;
    return code == LEDGER_OK && empty ? LEDGER_FIELD_FORM : code;
}

enum ledger_code institution_update(struct execution *x)
{
    static institution_rule *const rules[] = {
        update_says_something, may_be_updated, new_key_is_its_own};
    const Salus__V1__InstitutionUpdate *in = x->body->institution_update;
    struct schema_institution institution;
    enum ledger_code code = known(x, &in->institution, &institution);
    CHECKS_ALL(code, rules, x)
    if (code != LEDGER_OK) {
        return code;
    }
    if (in->n_roles > 0) {
        institution.roles = roles_of(in->roles, in->n_roles);
        state_put_institution(x->overlay, in->institution.data, &institution);
    }
    if (in->submit_key.len > 0) {
        const struct schema_registered_key key = {
            .state = SCHEMA_ACTIVE,
            .purpose = SCHEMA_KEY_SUBMIT,
            .institution = x->request->institution,
            .from_seq = x->seq,
        };
        (void)governance_put_key(x, &in->submit_key, &key);
    }
    /* Beside the admission, which the directory is made of. */
    state_put_payload(x->overlay, 'j', in->institution.data, x->payload);
    return LEDGER_OK;
}

/* ---- INST_SUSPEND, INST_RETIRE ------------------------------------------- */

/* Writes where it stands now, and since when. */
static void write_standing(struct execution *x, const uint8_t *id,
                           const struct schema_institution *one)
{
    const struct schema_turn turn = {x->seq};
    state_put_institution(x->overlay, id, one);
    state_put_turn(x->overlay, id, &turn);
}

/* As many institutions with replicas stay as the consensus needs. */
static enum ledger_code others_are_enough(struct execution *x,
                                          const struct schema_institution *one)
{
    struct schema_counts counts;
    if (!one->has_replica || one->state != SCHEMA_ACTIVE) {
        return LEDGER_OK;
    }
    return state_get_counts(x->overlay, NULL, &counts) &&
                   counts.active_replicas - 1 >= 2 * counts.replicas / 3 + 1
               ? LEDGER_OK
               : LEDGER_INST_STATE;
}

enum ledger_code institution_suspend(struct execution *x)
{
    const Salus__V1__InstitutionSuspend *in = x->body->institution_suspend;
    struct schema_institution one;
    enum ledger_code code = governance_reason(x, in->reason);
    if (code == LEDGER_OK) {
        code = known(x, &in->institution, &one);
    }
    enum schema_state before = in->lift ? SCHEMA_SUSPENDED : SCHEMA_ACTIVE;
    if (code == LEDGER_OK && one.state != before) {
        code = LEDGER_INST_STATE;
    }
    if (code == LEDGER_OK && !in->lift) {
        code = others_are_enough(x, &one);
    }
    if (code == LEDGER_OK) {
        code = execution_has_quorum(x);
    }
    if (code == LEDGER_OK) {
        one.state = in->lift ? SCHEMA_ACTIVE : SCHEMA_SUSPENDED;
        write_standing(x, in->institution.data, &one);
        count_institutions(x, in->lift ? 1 : -1, one.has_replica);
    }
    return code;
}

/* Somebody keeps its records: another active institution, which agrees; or all
 * know that nobody does. */
static enum ledger_code
records_are_cared_for(struct execution *x,
                      const Salus__V1__InstitutionRetire *in)
{
    if (in->successor.len == 0) {
        return in->tombstones ? LEDGER_OK : LEDGER_SUCCESSOR_REQUIRED;
    }
    if (in->tombstones || in->successor.len != PBFT_INSTITUTION_SIZE) {
        return LEDGER_FIELD_FORM;
    }
    bool itself = memcmp(in->successor.data, in->institution.data,
                         PBFT_INSTITUTION_SIZE) == 0;
    bool agrees = memcmp(in->successor.data, x->request->institution.bytes,
                         PBFT_INSTITUTION_SIZE) == 0;
    for (size_t i = 0; i < x->cosigner_count; i++) {
        agrees =
            agrees || memcmp(x->cosigners[i].key.institution.bytes,
                             in->successor.data, PBFT_INSTITUTION_SIZE) == 0;
    }
    if (itself ||
        !state_is_active_institution(x->overlay, in->successor.data)) {
        return LEDGER_SUCCESSOR_REQUIRED;
    }
    return agrees ? LEDGER_OK : LEDGER_COSIGN_MISSING;
}

enum ledger_code institution_retire(struct execution *x)
{
    const Salus__V1__InstitutionRetire *in = x->body->institution_retire;
    struct schema_institution one;
    enum ledger_code code = governance_reason(x, in->reason);
    if (code == LEDGER_OK) {
        code = known(x, &in->institution, &one);
    }
    if (code == LEDGER_OK) {
        code = others_are_enough(x, &one);
    }
    if (code == LEDGER_OK) {
        code = records_are_cared_for(x, in);
    }
    if (code == LEDGER_OK) {
        code = execution_has_quorum(x);
    }
    if (code != LEDGER_OK) {
        return code;
    }
    if (one.state == SCHEMA_ACTIVE) {
        count_institutions(x, -1, one.has_replica);
    }
    one.state = SCHEMA_ENDED;
    one.has_successor = in->successor.len > 0;
    if (one.has_successor) {
        (void)id_of(&in->successor, &one.successor);
    }
    write_standing(x, in->institution.data, &one);
    return LEDGER_OK;
}
