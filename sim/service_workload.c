/* SPDX-License-Identifier: Apache-2.0 */
/* Random transactions with ids that follow from a client and a number. */
#include "sim/service_workload.h"

#include <stdlib.h>
#include <string.h>

#include "consensus/assert.h"
#include "ledger/codes.h"
#include "ledger/transaction.h"
#include "salus/v1/ledger.pb-c.h"
#include "sim/fake_crypto.h"
#include "sim/random.h"

#define POLICY_URI "urn:example:policy:simulated"
#define START_MS                                                               \
    UINT64_C(1767225600000) /* 2026-01-01: as wall clocks begin.               \
                             */
#define WINDOW_MS 600000u

/* What an id is for: first byte of what it is made from. */
enum id_kind {
    ID_SUBJECT,
    ID_DOCTOR,
    ID_CONSENT,
    ID_RECORD,
    ID_REQUEST,
    ID_DISCLOSURE,
    ID_EMERGENCY,
    ID_COMMIT,
};

struct id {
    uint8_t bytes[32];
};

static struct id make_id(enum id_kind kind, uint32_t client, uint64_t number)
{
    const uint64_t parts[3] = {(uint64_t)kind, client, number};
    uint8_t bytes[sizeof parts];
    struct pbft_digest digest;
    struct id out;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(parts[i / 8] >> (8 * (i % 8)));
    }
    const struct pbft_bytes all[] = {{(const uint8_t *)"workload", 8},
                                     {bytes, sizeof bytes}};
    fake_digest(&digest, all, 2);
    memcpy(out.bytes, digest.bytes, sizeof out.bytes);
    out.bytes[0] |= 0x80; /* Never reads as text. */
    return out;
}

void workload_encryption_key(struct pbft_public_key *out,
                             const struct pbft_institution *institution)
{
    struct pbft_digest digest;
    const struct pbft_bytes parts[] = {
        {(const uint8_t *)"encryption", 10},
        {institution->bytes, sizeof institution->bytes}};
    fake_digest(&digest, parts, 2);
    memcpy(out->bytes, digest.bytes, sizeof out->bytes);
}

void workload_policy(uint8_t out[16])
{
    struct transaction_id16 id;
    transaction_policy_id(&id, (struct pbft_bytes){(const uint8_t *)POLICY_URI,
                                                   sizeof POLICY_URI - 1});
    memcpy(out, id.bytes, sizeof id.bytes);
}

/* ---- one transaction ----------------------------------------------------- */

/* Room for what a transaction points to. */
struct making {
    const struct service_client *client;
    struct random *random;
    struct transaction_envelope envelope;
    struct id doctor;
    struct id a;
    struct id b;
    struct id c;
    struct id d;
    struct transaction_subject subject;
    struct transaction_record_envelope wrap;
    uint32_t codes[1];
    uint8_t policy[16];
    struct transaction_bytes body;
};

static struct pbft_bytes part(const struct id *id, size_t size)
{
    return (struct pbft_bytes){id->bytes, size};
}

static ProtobufCBinaryData field(const struct id *id, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)id->bytes};
}

/* One of the numbers that this client has used: usually there is a thing of
 * that number, and sometimes there is none. */
static uint64_t some_number(const struct making *making)
{
    return random_between(making->random, 1, making->client->sequence);
}

static uint32_t some_client(const struct making *making)
{
    return (uint32_t)random_below(making->random, making->client->client_count);
}

static void build(struct making *making, const struct transaction *in)
{
    if (transaction_build(&making->body, &making->envelope, in) != PBFT_OK) {
        making->body = (struct transaction_bytes){NULL, 0};
    }
}

static void build_payload(struct making *making, enum transaction_type type,
                          const ProtobufCMessage *payload)
{
    if (transaction_build_payload(&making->body, &making->envelope, type,
                                  payload) != PBFT_OK) {
        making->body = (struct transaction_bytes){NULL, 0};
    }
}

static void make_subject(struct making *making)
{
    making->a = make_id(ID_SUBJECT, making->client->client, 0);
    making->subject =
        (struct transaction_subject){.handle = part(&making->a, 32)};
    const struct transaction in = {.type = TRANSACTION_SUBJECT_REGISTER,
                                   .subject_register = {&making->subject, 1}};
    build(making, &in);
}

static void make_doctor(struct making *making)
{
    making->a = make_id(ID_DOCTOR, making->client->client, 0);
    making->codes[0] = CODES_ROLE_DOCTOR;
    const struct transaction in = {
        .type = TRANSACTION_PARTICIPANT_REGISTER,
        .participant_register = {.participant = part(&making->a, 16),
                                 .kind = TRANSACTION_PROFESSIONAL,
                                 .roles = {making->codes, 1}}};
    build(making, &in);
}

static void make_consent(struct making *making)
{
    uint64_t number = making->client->sequence;
    making->a = make_id(ID_CONSENT, making->client->client, number);
    making->b = make_id(ID_SUBJECT, making->client->client, 0);
    making->c = make_id(ID_COMMIT, making->client->client, number);
    making->codes[0] = CODES_PURPOSE_TREAT;
    bool deny = random_chance(making->random, 200);
    bool ends = random_chance(making->random, 500);
    const struct transaction in = {
        .type = TRANSACTION_CONSENT_GRANT,
        .consent_grant = {
            .consent = part(&making->a, 16),
            .subject = part(&making->b, 32),
            .scope = TRANSACTION_SCOPE_PRIVACY,
            .category = CODES_CATEGORY_OTHER,
            .policy = {making->policy, sizeof making->policy},
            .policy_version = 1,
            .given_at_ms = START_MS - 1000,
            .base_decision = deny ? TRANSACTION_DENY : TRANSACTION_PERMIT,
            /* Some end while the run goes on: the sweep has work. */
            .period_to_ms =
                ends ? START_MS + random_between(making->random, 1, 20000) : 0,
            .root = {.purposes = {making->codes, 1}},
            .performer = TRANSACTION_BY_SUBJECT,
            .mode = TRANSACTION_WET_INK,
            .evidence_commit = part(&making->c, 32),
        }};
    build(making, &in);
}

static void make_withdrawal(struct making *making)
{
    making->a =
        make_id(ID_CONSENT, making->client->client, some_number(making));
    const struct transaction in = {
        .type = TRANSACTION_CONSENT_REVOKE,
        .consent_revoke = {.consent = part(&making->a, 16),
                           .reason = CODES_REASON_WITHDRAWN_BY_SUBJECT,
                           .revoked_at_ms = START_MS}};
    build(making, &in);
}

static void make_record(struct making *making)
{
    static const char location[] =
        "drs://records.example/abcdefghijklmnopqrstuvwxyz";
    struct pbft_public_key key;
    uint64_t number = making->client->sequence;
    making->a = make_id(ID_RECORD, making->client->client, number);
    making->b = make_id(ID_SUBJECT, making->client->client, 0);
    making->c = make_id(ID_COMMIT, making->client->client, 2 * number);
    making->d = make_id(ID_COMMIT, making->client->client, 2 * number + 1);
    workload_encryption_key(&key, making->client->institution);
    transaction_key_id(&making->wrap.recipient_key, key.bytes);
    memcpy(making->wrap.wrap_commit.bytes, making->c.bytes, 32);
    const struct transaction in = {
        .type = TRANSACTION_RECORD_ANCHOR,
        .record_anchor = {
            .record = part(&making->a, 16),
            .subject = part(&making->b, 32),
            .class_code = CODES_CLASS_OTHER,
            .confidentiality = CODES_CONF_N,
            .commit = part(&making->c, 32),
            .cipher_digest = part(&making->d, 32),
            .cipher_size_bucket = 4,
            .algorithm = 1,
            .location = {(const uint8_t *)location, sizeof location - 1},
            .envelopes = &making->wrap,
            .envelope_count = 1,
        }};
    build(making, &in);
}

static void make_request(struct making *making)
{
    Salus__V1__AccessRequest in = SALUS__V1__ACCESS_REQUEST__INIT;
    making->a =
        make_id(ID_REQUEST, making->client->client, making->client->sequence);
    making->b = make_id(ID_SUBJECT, some_client(making), 0);
    in.request = field(&making->a, 16);
    in.subject = field(&making->b, 32);
    in.purpose = CODES_PURPOSE_TREAT;
    in.action = CODES_ACTION_ACCESS;
    in.basis = CODES_BASIS_CONSENT;
    build_payload(making, TRANSACTION_ACCESS_REQUEST, &in.base);
}

/* Of a request that somebody may have made, for a record that may be there. */
static void make_key_grant(struct making *making)
{
    Salus__V1__KeyGrant in = SALUS__V1__KEY_GRANT__INIT;
    struct pbft_public_key key;
    struct transaction_key_id key_id;
    making->a = make_id(ID_RECORD, making->client->client, some_number(making));
    const uint32_t of_client = some_client(making);
    making->b = make_id(ID_REQUEST, of_client, some_number(making));
    making->c =
        make_id(ID_COMMIT, making->client->client, making->client->sequence);
    workload_encryption_key(&key, making->client->institution);
    transaction_key_id(&key_id, key.bytes);
    in.record = field(&making->a, 16);
    in.version = 1;
    in.recipient_key = (ProtobufCBinaryData){16, key_id.bytes};
    in.wrap_commit = field(&making->c, 32);
    in.decision = field(&making->b, 16);
    build_payload(making, TRANSACTION_KEY_GRANT, &in.base);
}

static void make_disclosure(struct making *making)
{
    Salus__V1__Disclosure in = SALUS__V1__DISCLOSURE__INIT;
    uint64_t number = making->client->sequence;
    making->a = make_id(ID_DISCLOSURE, making->client->client, number);
    making->b = make_id(ID_SUBJECT, making->client->client, 0);
    making->c = make_id(ID_COMMIT, making->client->client, number);
    const uint32_t of_client = some_client(making);
    making->d = make_id(ID_REQUEST, of_client, some_number(making));
    making->codes[0] = CODES_CLASS_OTHER;
    in.disclosure = field(&making->a, 16);
    in.subject = field(&making->b, 32);
    in.recipient = (ProtobufCBinaryData){
        sizeof making->client->institution->bytes,
        (uint8_t *)(uintptr_t)making->client->institution->bytes};
    in.manifest_root = field(&making->c, 32);
    in.item_count = 1;
    in.classes = making->codes;
    in.n_classes = 1;
    in.purpose = CODES_PURPOSE_TREAT;
    in.mode = SALUS__V1__DISCLOSURE__MODE__API;
    if (random_chance(making->random, 500)) {
        in.basis = CODES_BASIS_REQUIRED_BY_LAW;
        in.document_commit = field(&making->c, 32);
    } else {
        in.decision = field(&making->d, 16);
    }
    build_payload(making, TRANSACTION_DISCLOSURE, &in.base);
}

static void make_emergency(struct making *making)
{
    Salus__V1__BreakGlass in = SALUS__V1__BREAK_GLASS__INIT;
    making->a =
        make_id(ID_EMERGENCY, making->client->client, making->client->sequence);
    making->b = make_id(ID_SUBJECT, some_client(making), 0);
    making->doctor = make_id(ID_DOCTOR, making->client->client, 0);
    making->envelope.participant = part(&making->doctor, 16);
    in.break_glass = field(&making->a, 16);
    in.subject = field(&making->b, 32);
    in.reason = CODES_REASON_LIFE_THREAT;
    in.window_ms = WINDOW_MS;
    in.purpose = CODES_PURPOSE_BTG;
    build_payload(making, TRANSACTION_BREAK_GLASS, &in.base);
}

typedef void maker(struct making *making);

/* The first two requests of a client make its patient and its doctor. */
static maker *draw(const struct making *making)
{
    static maker *const makers[] = {
        make_consent,    make_consent,   make_withdrawal, make_record,
        make_record,     make_request,   make_request,    make_key_grant,
        make_disclosure, make_emergency,
    };
    if (making->client->sequence <= 2) {
        return making->client->sequence == 1 ? make_subject : make_doctor;
    }
    return makers[random_below(making->random,
                               sizeof makers / sizeof makers[0])];
}

size_t workload_payload(const struct service_client *client,
                        struct random *random, uint8_t *out, size_t capacity)
{
    struct making *making = calloc(1, sizeof *making);
    struct transaction_bytes sealed = {NULL, 0};
    struct transaction_bytes list = {NULL, 0};
    size_t size = 0;
    PBFT_ASSERT(making != NULL);
    making->client = client;
    making->random = random;
    making->envelope = (struct transaction_envelope){
        .chain = client->domain->cluster,
        .institution = *client->institution,
        .not_after_ms = UINT64_MAX,
        .table_version = CODES_VERSION,
    };
    transaction_key_id(&making->envelope.key_id, client->key->bytes);
    workload_policy(making->policy);
    draw(making)(making);
    struct pbft_bytes one = {NULL, 0};
    if (making->body.data != NULL &&
        transaction_seal(
            &sealed, (struct pbft_bytes){making->body.data, making->body.size},
            NULL, 0) == PBFT_OK) {
        one = (struct pbft_bytes){sealed.data, sealed.size};
    }
    if (one.data != NULL && transaction_list_pack(&list, &one, 1) == PBFT_OK &&
        list.size <= capacity) {
        memcpy(out, list.data, list.size);
        size = list.size;
    }
    free(making->body.data);
    free(sealed.data);
    free(list.data);
    free(making);
    return size;
}
