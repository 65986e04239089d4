/* SPDX-License-Identifier: Apache-2.0 */
/* Who belongs to the consortium, and by what rules. The institutions of the
 * clients stay: one that is suspended gets no answers, and the run would wait
 * for them for ever. Those that come and go are admitted here.
 */
#include <stdio.h>
#include <string.h>

#include "sim/workload_world.h"

#define TEXT_SIZE 64
/* A policy comes into force so many blocks later. */
#define ACTIVATION_MIN 4
#define ACTIVATION_MAX 20
#define POLICIES 3
#define REASON_OWN_REQUEST 50
#define REASON_LEFT 54

/* ---- institutions -------------------------------------------------------- */

static bool is_admitted(const struct making *making, const struct thing *thing,
                        const void *context)
{
    (void)making;
    (void)context;
    return thing->is_admitted;
}

static struct thing *pick_admitted(struct making *making)
{
    const struct wanted wanted = {
        .kind = THING_INSTITUTION, .whose = ANYBODY, .fits = is_admitted};
    return making_pick(making, &wanted);
}

/* Its keys, of which the signing one vouches for both. */
struct admission {
    struct pbft_public_key submit;
    struct pbft_public_key encryption;
    struct pbft_signature possession;
};

static void make_keys(struct making *making, struct thing *one,
                      struct admission *out)
{
    struct thing *encryption = making_add_too(making, THING_ENCRYPTION);
    encryption->party = one;
    one->key = making_new_key(making);
    workload_signing_key(&out->submit, one->key);
    workload_encryption_key(&out->encryption, encryption->number);
    making_possession(making, &out->possession, one->key, &one->institution,
                      out->encryption.bytes);
}

/* One at a time: while it may not act yet, each decision takes more voices. */
bool workload_admit(struct making *making)
{
    Salus__V1__InstitutionAdmit in = SALUS__V1__INSTITUTION_ADMIT__INIT;
    uint32_t roles[] = {CODES_INSTITUTION_PROVIDER};
    char name[TEXT_SIZE];
    struct admission keys;
    if (pick_admitted(making) != NULL) {
        return false;
    }
    struct thing *one = making_add(making, THING_INSTITUTION);
    const struct id id = thing_id(one);
    const struct id contract = making_noise(making);
    one->is_admitted = true;
    memcpy(one->institution.bytes, id.bytes, sizeof one->institution.bytes);
    one->from = making_height(making) + LEDGER_ADMIT_DELAY;
    make_keys(making, one, &keys);
    (void)snprintf(name, sizeof name, "clinic-%u", one->index);
    in.institution = institution_field(one);
    in.name = name;
    in.country = (char[]){"DE"};
    in.roles = roles;
    in.n_roles = 1;
    in.submit_key =
        (ProtobufCBinaryData){sizeof keys.submit.bytes, keys.submit.bytes};
    in.submit_possession = (ProtobufCBinaryData){sizeof keys.possession.bytes,
                                                 keys.possession.bytes};
    in.encryption_key = (ProtobufCBinaryData){sizeof keys.encryption.bytes,
                                              keys.encryption.bytes};
    in.attestation_hash = field(&contract, LEDGER_COMMIT_SIZE);
    in.legal_name = name;
    making_ask_quorum(making);
    return making_build(making, TRANSACTION_INST_ADMIT, &in.base);
}

/* One more key for clients, of its own. */
static bool add_client_key(struct making *making)
{
    Salus__V1__InstitutionUpdate in = SALUS__V1__INSTITUTION_UPDATE__INIT;
    struct pbft_public_key key;
    struct pbft_signature possession;
    struct thing *client = making_add(making, THING_CLIENT_KEY);
    client->key = making_new_key(making);
    workload_signing_key(&key, client->key);
    making_possession(making, &possession, client->key,
                      &making->party->institution, NULL);
    in.institution = institution_field(making->party);
    in.submit_key = (ProtobufCBinaryData){sizeof key.bytes, key.bytes};
    in.submit_possession =
        (ProtobufCBinaryData){sizeof possession.bytes, possession.bytes};
    in.reason = REASON_OWN_REQUEST;
    return making_build(making, TRANSACTION_INST_UPDATE, &in.base);
}

/* All stay providers: each has patients. */
static bool change_roles(struct making *making)
{
    Salus__V1__InstitutionUpdate in = SALUS__V1__INSTITUTION_UPDATE__INIT;
    uint32_t roles[] = {
        CODES_INSTITUTION_PROVIDER,
        making_between(making, CODES_INSTITUTION_RESEARCH,
                       CODES_INSTITUTION_AUDITOR),
    };
    const struct wanted wanted = {.kind = THING_INSTITUTION, .whose = ANYBODY};
    const struct thing *one = making_pick(making, &wanted);
    if (one == NULL) {
        return false;
    }
    in.institution = institution_field(one);
    in.roles = roles;
    in.n_roles = 2;
    in.reason = CODES_REASON_CONTRACT;
    making_ask_quorum(making);
    return making_build(making, TRANSACTION_INST_UPDATE, &in.base);
}

bool workload_update(struct making *making)
{
    Salus__V1__InstitutionUpdate in = SALUS__V1__INSTITUTION_UPDATE__INIT;
    const struct id contract = making_noise(making);
    switch (making_below(making, 3)) {
    case 0:
        return add_client_key(making);
    case 1:
        return change_roles(making);
    default:
        in.institution = institution_field(making->party);
        in.attestation_hash = field(&contract, LEDGER_COMMIT_SIZE);
        in.reason = CODES_REASON_CONTRACT;
        return making_build(making, TRANSACTION_INST_UPDATE, &in.base);
    }
}

bool workload_suspend(struct making *making)
{
    Salus__V1__InstitutionSuspend in = SALUS__V1__INSTITUTION_SUSPEND__INIT;
    struct thing *one = pick_admitted(making);
    if (one == NULL) {
        return false;
    }
    making_ask_quorum(making);
    in.institution = institution_field(one);
    in.lift = one->is_marked;
    in.reason = CODES_REASON_CONTRACT;
    making_change(making, one);
    one->is_marked = !one->is_marked;
    return making_build(making, TRANSACTION_INST_SUSPEND, &in.base);
}

bool workload_retire(struct making *making)
{
    Salus__V1__InstitutionRetire in = SALUS__V1__INSTITUTION_RETIRE__INIT;
    struct thing *one = pick_admitted(making);
    if (one == NULL) {
        return false;
    }
    making_ask_quorum(making);
    in.institution = institution_field(one);
    in.reason = REASON_LEFT;
    if (making_chance(making, 500)) {
        in.successor = institution_field(making->party);
    } else {
        in.tombstones = true;
    }
    making_change(making, one);
    one->is_gone = true;
    return making_build(making, TRANSACTION_INST_RETIRE, &in.base);
}

/* ---- policies ------------------------------------------------------------ */

/* The first one is that of the genesis. */
static struct id policy_id(uint32_t which, char uri[TEXT_SIZE])
{
    struct id id = {{0}};
    struct transaction_id16 name;
    workload_policy_uri(uri, TEXT_SIZE, which);
    transaction_policy_id(
        &name, (struct pbft_bytes){(const uint8_t *)uri, strlen(uri)});
    memcpy(id.bytes, name.bytes, sizeof name.bytes);
    return id;
}

static uint32_t newest_version(const struct making *making, uint32_t which,
                               bool is_activated)
{
    uint32_t newest = 0;
    const struct thing *one = making_next(making, THING_POLICY, NULL);
    for (; one != NULL; one = making_next(making, THING_POLICY, one)) {
        if (one->code == which && one->version > newest &&
            (one->is_marked || !is_activated)) {
            newest = one->version;
        }
    }
    return newest;
}

/* Emergencies are reviewed within minutes, decisions hold for hours: so that
 * time does something in a run. */
static void set_parameters(struct making *making, Salus__V1__PolicyPublish *in)
{
    in->implicit_consent = making_between(making, 1, 2);
    in->break_glass_override = making_between(making, 2, 3);
    in->break_glass_window_ms = WORKLOAD_MINUTE_MS;
    in->break_glass_review_ms =
        making_between(making, 1, 3) * (uint64_t)WORKLOAD_MINUTE_MS;
    in->late_after_ms =
        making_between(making, 1, 60) * (uint64_t)WORKLOAD_MINUTE_MS;
    in->decision_ttl_ms =
        making_between(making, 10, 600) * (uint64_t)WORKLOAD_MINUTE_MS;
    in->delinquent_limit = making_below(making, 3);
    in->batch_step = making_chance(making, 500) ? WORKLOAD_LEAVES : 0;
    in->purposes_given = making_chance(making, 300);
    in->agent_cosign = making_chance(making, 200);
    in->open_withdrawal = making_chance(making, 500);
}

bool workload_publish_policy(struct making *making)
{
    Salus__V1__PolicyPublish in = SALUS__V1__POLICY_PUBLISH__INIT;
    char uri[TEXT_SIZE];
    uint32_t apart[] = {CODES_PURPOSE_HRESCH};
    struct thing *policy = making_add(making, THING_POLICY);
    const struct id text = making_noise(making);
    policy->code = making_below(making, POLICIES);
    const struct id id = policy_id(policy->code, uri);
    policy->version = newest_version(making, policy->code, false) + 1;
    in.policy = field(&id, LEDGER_ID_SIZE);
    in.version = policy->version + (making->slip == SLIP_VERSION);
    in.uri = uri;
    in.sha256 = field(&text, LEDGER_COMMIT_SIZE);
    set_parameters(making, &in);
    if (in.purposes_given) {
        in.no_inherit = apart;
        in.n_no_inherit = 1;
    }
    making_ask_quorum(making);
    return making_build(making, TRANSACTION_POLICY_PUBLISH, &in.base);
}

static bool can_be_activated(const struct making *making,
                             const struct thing *thing, const void *context)
{
    (void)context;
    return !thing->is_marked &&
           thing->version > newest_version(making, thing->code, true);
}

bool workload_activate_policy(struct making *making)
{
    Salus__V1__PolicyActivate in = SALUS__V1__POLICY_ACTIVATE__INIT;
    char uri[TEXT_SIZE];
    const struct wanted wanted = {
        .kind = THING_POLICY, .whose = ANYBODY, .fits = can_be_activated};
    struct thing *policy = making_pick(making, &wanted);
    if (policy == NULL) {
        return false;
    }
    const struct id id = policy_id(policy->code, uri);
    making_change(making, policy);
    policy->is_marked = true;
    policy->from = making_height(making) +
                   making_between(making, ACTIVATION_MIN, ACTIVATION_MAX);
    in.policy = field(&id, LEDGER_ID_SIZE);
    in.version = policy->version;
    in.effective_seq = policy->from;
    in.governing = policy->code == 0 || making_chance(making, 300);
    making_ask_quorum(making);
    return making_build(making, TRANSACTION_POLICY_ACTIVATE, &in.base);
}

/* ---- code tables --------------------------------------------------------- */

bool workload_publish_codes(struct making *making)
{
    Salus__V1__CodetablePublish in = SALUS__V1__CODETABLE_PUBLISH__INIT;
    Salus__V1__CodetablePublish__Entry entry =
        SALUS__V1__CODETABLE_PUBLISH__ENTRY__INIT;
    Salus__V1__CodetablePublish__Entry *entries[] = {&entry};
    char code[TEXT_SIZE];
    struct thing *table = making_add(making, THING_TABLE);
    table->version = CODES_VERSION;
    for (const struct thing *one = making_next(making, THING_TABLE, NULL);
         one != NULL; one = making_next(making, THING_TABLE, one)) {
        table->version += one != table;
    }
    table->version++;
    (void)snprintf(code, sizeof code, "code-%u", table->version);
    entry.table = making_chance(making, 500) ? CODES_CLASS : CODES_CATEGORY;
    entry.id = CODES_ADDED_MIN + table->version;
    entry.system = (char[]){"urn:example:codes"};
    entry.code = code;
    in.version = table->version + (making->slip == SLIP_VERSION);
    in.entries = entries;
    in.n_entries = 1;
    making_ask_quorum(making);
    return making_build(making, TRANSACTION_CODETABLE_PUBLISH, &in.base);
}
