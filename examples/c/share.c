/* SPDX-License-Identifier: Apache-2.0 */
/* Two hospitals and one patient, with libsalus: consent, a record, a request,
 * a disclosure, a withdrawal, and the accounting of it all, with a proof.
 *
 *   share FOLDER CUSTODIAN REQUESTER
 *
 * FOLDER is a consortium that runs, as `salus init FOLDER` makes it; the other
 * two are names of its institutions. In reality each of them runs a program of
 * its own, with its own keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "client/salus.h"
#include "crypto/keyfile.h"
#include "ledger/codes.h"
#include "ledger/transaction.h"
#include "proto/scan.h"
#include "salus/v1/ledger.pb-c.h"

#define POLICY_URI "urn:salus:policy:trial"
#define MINUTE_MS 60000u
#define PATH_SIZE 1024
#define QUERY_MAX 1024u
#define ANSWER_MEMORY_MAX (16u * 1024u * 1024u)

/* ---- one hospital -------------------------------------------------------- */

struct hospital {
    const char *name;
    struct salus_client *client;
    struct pbft_digest cluster;
    struct pbft_institution institution;
    struct transaction_key_id key_id;
    struct transaction_key_id encryption_key;
};

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "share: %s: %s\n", what, why);
    exit(1);
}

static void open_hospital(struct hospital *out, const char *folder,
                          const char *name)
{
    char genesis[PATH_SIZE];
    char key[PATH_SIZE];
    char certificate[PATH_SIZE];
    char tls_key[PATH_SIZE];
    char encryption[PATH_SIZE];
    char problem[SALUS_PROBLEM_SIZE];
    struct salus_config config;
    struct keyfile keyfile;
    (void)snprintf(genesis, sizeof genesis, "%s/genesis.txt", folder);
    (void)snprintf(key, sizeof key, "%s/%s/client.key", folder, name);
    (void)snprintf(certificate, sizeof certificate, "%s/%s/client-tls.pem",
                   folder, name);
    (void)snprintf(tls_key, sizeof tls_key, "%s/%s/client-tls.key", folder,
                   name);
    (void)snprintf(encryption, sizeof encryption, "%s/%s/encryption.key",
                   folder, name);
    salus_config_init(&config);
    config.genesis_file = genesis;
    config.key_file = key;
    config.certificate_file = certificate;
    config.tls_key_file = tls_key;
    config.replica = name;
    out->name = name;
    if (salus_open(&out->client, problem, &config) != SALUS_OK) {
        stop(name, problem);
    }
    salus_identity(out->client, out->cluster.bytes, out->institution.bytes,
                   out->key_id.bytes);
    if (keyfile_read(&keyfile, encryption, KEYFILE_ENCRYPTION, NULL) !=
        PBFT_OK) {
        stop(encryption, "cannot be read");
    }
    transaction_key_id(&out->encryption_key, keyfile.public_key.bytes);
    keyfile_wipe(&keyfile);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Ids are random: no function of a patient number. */
static void draw(uint8_t *out, size_t size)
{
    if (getrandom(out, size, 0) != (ssize_t)size) {
        stop("getrandom", "no random numbers");
    }
}

static struct pbft_bytes bytes_of(const void *data, size_t size)
{
    return (struct pbft_bytes){data, size};
}

static ProtobufCBinaryData field_of(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)data};
}

/* ---- submitting ---------------------------------------------------------- */

static struct transaction_envelope envelope_of(const struct hospital *hospital)
{
    return (struct transaction_envelope){
        .chain = hospital->cluster,
        .institution = hospital->institution,
        .key_id = hospital->key_id,
        .not_after_ms = now_ms() + 10 * MINUTE_MS,
        .table_version = CODES_VERSION,
    };
}

/* Waits for the proof; returns the ledger code. */
static uint32_t submit_body(const struct hospital *hospital, const char *what,
                            struct transaction_bytes *body)
{
    struct transaction_bytes sealed = {NULL, 0};
    struct salus_result result;
    if (transaction_seal(&sealed, bytes_of(body->data, body->size), NULL, 0) !=
        PBFT_OK) {
        stop(what, "cannot be sealed");
    }
    const struct salus_transaction one = {sealed.data, sealed.size};
    enum salus_status status = salus_submit(hospital->client, &result, &one);
    free(sealed.data);
    free(body->data);
    if (status != SALUS_OK && status != SALUS_REFUSED) {
        stop(what, salus_status_text(status));
    }
    printf("%-10s %-22s block %llu  %s\n", hospital->name, what,
           (unsigned long long)result.seq, salus_code_name(result.code));
    return result.code;
}

static void submit(const struct hospital *hospital,
                   const struct transaction *transaction)
{
    struct transaction_envelope envelope = envelope_of(hospital);
    struct transaction_bytes body = {NULL, 0};
    const char *what = transaction_type_name(transaction->type);
    if (transaction_build(&body, &envelope, transaction) != PBFT_OK) {
        stop(what, "cannot be built");
    }
    if (submit_body(hospital, what, &body) != 0) {
        stop(what, "was refused");
    }
}

static void submit_payload(const struct hospital *hospital,
                           enum transaction_type type,
                           const ProtobufCMessage *payload)
{
    struct transaction_envelope envelope = envelope_of(hospital);
    struct transaction_bytes body = {NULL, 0};
    const char *what = transaction_type_name(type);
    if (transaction_build_payload(&body, &envelope, type, payload) != PBFT_OK) {
        stop(what, "cannot be built");
    }
    if (submit_body(hospital, what, &body) != 0) {
        stop(what, "was refused");
    }
}

/* ---- asking -------------------------------------------------------------- */

/* The answer lies in `arena`. */
static const Salus__V1__Answer *ask(const struct hospital *hospital,
                                    const Salus__V1__Query *query,
                                    struct wire_arena *arena)
{
    struct wire_buffer packed;
    struct salus_bytes reply = {NULL, 0};
    struct ProtobufCMessage *message = NULL;
    wire_buffer_init(&packed, QUERY_MAX);
    if (wire_pack(&query->base, &packed) != PBFT_OK ||
        salus_query_local(hospital->client, &reply,
                          wire_buffer_bytes(&packed).data,
                          wire_buffer_bytes(&packed).size) != SALUS_OK ||
        wire_unpack_strict(&salus__v1__answer__descriptor,
                           bytes_of(reply.data, reply.size), arena,
                           &message) != PBFT_OK) {
        stop("query", "no answer");
    }
    wire_buffer_deinit(&packed);
    salus_free(&reply);
    return (const Salus__V1__Answer *)(const void *)message;
}

/* What every replica computed. */
static bool is_granted(const struct hospital *hospital,
                       const uint8_t request[SALUS_ID_SIZE])
{
    struct wire_arena arena;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ExplainQuery in = SALUS__V1__EXPLAIN_QUERY__INIT;
    in.request = field_of(request, SALUS_ID_SIZE);
    query.kind_case = SALUS__V1__QUERY__KIND_EXPLAIN;
    query.explain = &in;
    wire_arena_init(&arena, ANSWER_MEMORY_MAX);
    const Salus__V1__Answer *answer = ask(hospital, &query, &arena);
    if (answer->kind_case != SALUS__V1__ANSWER__KIND_DECISION) {
        stop("explain", salus_code_name(answer->code));
    }
    bool granted = answer->decision->granted != 0;
    printf("%-10s the answer was %s; consents considered: %zu\n",
           hospital->name, granted ? "permit" : "deny",
           answer->decision->n_voices);
    wire_arena_deinit(&arena);
    return granted;
}

/* All pages, signed by f + 1 replicas, after everything that was proved so far;
 * and the proof is checked as an auditor would, with the genesis file alone. */
static void ask_certified(const struct hospital *hospital, const char *folder,
                          const Salus__V1__Query *query,
                          struct salus_certified *certified)
{
    char genesis[PATH_SIZE];
    char problem[SALUS_PROBLEM_SIZE];
    struct salus_certificate shown;
    struct wire_buffer packed;
    (void)snprintf(genesis, sizeof genesis, "%s/genesis.txt", folder);
    wire_buffer_init(&packed, QUERY_MAX);
    if (wire_pack(&query->base, &packed) != PBFT_OK) {
        stop("query", "cannot be packed");
    }
    enum salus_status status =
        salus_query_certified(hospital->client, certified, SALUS_READ_ORDERED,
                              packed.data, packed.size);
    wire_buffer_deinit(&packed);
    for (uint32_t i = 0; i < salus_replica_count(hospital->client); i++) {
        printf("%-10s replica %u %s\n", hospital->name, (unsigned)i,
               salus_witness_text(certified->witnesses[i]));
    }
    if (status != SALUS_OK) {
        stop("certified query", salus_status_text(status));
    }
    if (salus_verify_query(&shown, problem, genesis, certified->proof.data,
                           certified->proof.size) != SALUS_OK) {
        stop("proof", problem);
    }
    printf("%-10s proved after block %llu by %u signatures\n", hospital->name,
           (unsigned long long)shown.height, (unsigned)shown.signatures);
}

static size_t print_rows(const struct hospital *hospital,
                         const Salus__V1__Accounting *accounting)
{
    for (size_t i = 0; i < accounting->n_rows; i++) {
        const Salus__V1__Accounting__Row *row = accounting->rows[i];
        printf("%-10s disclosed at %llu: %u item(s), purpose %u, basis %u\n",
               hospital->name, (unsigned long long)row->event_ms,
               (unsigned)row->item_count, (unsigned)row->purpose,
               (unsigned)row->basis);
    }
    return accounting->n_rows;
}

static size_t print_accounting(const struct hospital *hospital,
                               const char *folder,
                               const uint8_t handle[SALUS_DIGEST_SIZE])
{
    struct salus_certified certified;
    size_t count = 0;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__AccountingQuery in = SALUS__V1__ACCOUNTING_QUERY__INIT;
    ProtobufCBinaryData subject = field_of(handle, SALUS_DIGEST_SIZE);
    in.subjects = &subject;
    in.n_subjects = 1;
    in.view = SALUS__V1__ACCOUNTING_QUERY__VIEW__EHDS;
    query.kind_case = SALUS__V1__QUERY__KIND_ACCOUNTING;
    query.accounting = &in;
    ask_certified(hospital, folder, &query, &certified);
    for (size_t i = 0; i < certified.answer_count; i++) {
        Salus__V1__Answer *answer = salus__v1__answer__unpack(
            NULL, certified.answers[i].size, certified.answers[i].data);
        if (answer == NULL ||
            answer->kind_case != SALUS__V1__ANSWER__KIND_ACCOUNTING) {
            stop("accounting", salus_code_name(certified.code));
        }
        count += print_rows(hospital, answer->accounting);
        salus__v1__answer__free_unpacked(answer, NULL);
    }
    salus_certified_free(&certified);
    return count;
}

/* ---- the story ----------------------------------------------------------- */

struct story {
    struct hospital custodian;
    struct hospital requester;
    uint8_t handle[SALUS_DIGEST_SIZE];
    uint8_t consent[SALUS_ID_SIZE];
    uint8_t record[SALUS_ID_SIZE];
    uint8_t request[SALUS_ID_SIZE];
};

static void register_patient(struct story *story)
{
    draw(story->handle, sizeof story->handle);
    const struct transaction_subject patient = {
        .handle = bytes_of(story->handle, sizeof story->handle)};
    const struct transaction in = {.type = TRANSACTION_SUBJECT_REGISTER,
                                   .subject_register = {&patient, 1}};
    submit(&story->custodian, &in);
}

/* Treatment at the other hospital, and nowhere else. */
static void grant_consent(struct story *story)
{
    static const uint32_t treatment[] = {CODES_PURPOSE_TREAT};
    uint8_t form[SALUS_DIGEST_SIZE];
    struct transaction_id16 policy;
    draw(story->consent, sizeof story->consent);
    draw(form, sizeof form); /* The salted commitment to the signed form. */
    transaction_policy_id(&policy, bytes_of(POLICY_URI, sizeof POLICY_URI - 1));
    const struct transaction_actor actor = {
        .kind = TRANSACTION_ACTOR_INSTITUTION,
        .id = bytes_of(story->requester.institution.bytes, SALUS_ID_SIZE)};
    const struct transaction in = {
        .type = TRANSACTION_CONSENT_GRANT,
        .consent_grant = {
            .consent = bytes_of(story->consent, sizeof story->consent),
            .subject = bytes_of(story->handle, sizeof story->handle),
            .scope = TRANSACTION_SCOPE_PRIVACY,
            .category = CODES_CATEGORY_OTHER,
            .policy = bytes_of(policy.bytes, sizeof policy.bytes),
            .policy_version = 1,
            .given_at_ms = now_ms() - MINUTE_MS,
            .base_decision = TRANSACTION_PERMIT,
            .root = {.actors = &actor,
                     .actor_count = 1,
                     .purposes = {treatment, 1}},
            .performer = TRANSACTION_BY_SUBJECT,
            .mode = TRANSACTION_WET_INK,
            .evidence_commit = bytes_of(form, sizeof form),
        }};
    submit(&story->custodian, &in);
}

static void anchor_record(struct story *story)
{
    static const char location[] =
        "drs://records.example/abcdefghijklmnopqrstuvwxyz";
    uint8_t commit[SALUS_DIGEST_SIZE]; /* SHA-256 of tag, salt, content. */
    uint8_t sealed[SALUS_DIGEST_SIZE]; /* BLAKE2b-256 of the sealed file. */
    struct transaction_record_envelope envelope = {
        .recipient_key = story->custodian.encryption_key};
    draw(story->record, sizeof story->record);
    draw(commit, sizeof commit);
    draw(sealed, sizeof sealed);
    draw(envelope.wrap_commit.bytes, sizeof envelope.wrap_commit.bytes);
    const struct transaction in = {
        .type = TRANSACTION_RECORD_ANCHOR,
        .record_anchor = {
            .record = bytes_of(story->record, sizeof story->record),
            .subject = bytes_of(story->handle, sizeof story->handle),
            .class_code = CODES_CLASS_OTHER,
            .confidentiality = CODES_CONF_N,
            .commit = bytes_of(commit, sizeof commit),
            .cipher_digest = bytes_of(sealed, sizeof sealed),
            .cipher_size_bucket = 16,
            .algorithm = 1,
            .location = bytes_of(location, sizeof location - 1),
            .envelopes = &envelope,
            .envelope_count = 1,
        }};
    submit(&story->custodian, &in);
}

static void request_access(struct story *story)
{
    Salus__V1__AccessRequest in = SALUS__V1__ACCESS_REQUEST__INIT;
    ProtobufCBinaryData record = field_of(story->record, sizeof story->record);
    draw(story->request, sizeof story->request);
    in.request = field_of(story->request, sizeof story->request);
    in.records = &record;
    in.n_records = 1;
    in.purpose = CODES_PURPOSE_TREAT;
    in.action = CODES_ACTION_ACCESS;
    in.basis = CODES_BASIS_CONSENT;
    submit_payload(&story->requester, TRANSACTION_ACCESS_REQUEST, &in.base);
}

static void grant_key(struct story *story)
{
    Salus__V1__KeyGrant in = SALUS__V1__KEY_GRANT__INIT;
    uint8_t wrap[SALUS_DIGEST_SIZE]; /* Commitment to the wrapped data key. */
    draw(wrap, sizeof wrap);
    in.record = field_of(story->record, sizeof story->record);
    in.version = 1;
    in.recipient_key =
        field_of(story->requester.encryption_key.bytes, SALUS_ID_SIZE);
    in.wrap_commit = field_of(wrap, sizeof wrap);
    in.decision = field_of(story->request, sizeof story->request);
    submit_payload(&story->custodian, TRANSACTION_KEY_GRANT, &in.base);
}

static void disclose(struct story *story)
{
    Salus__V1__Disclosure in = SALUS__V1__DISCLOSURE__INIT;
    uint8_t id[SALUS_ID_SIZE];
    uint8_t manifest[SALUS_DIGEST_SIZE]; /* Root over what was given. */
    uint32_t classes[] = {CODES_CLASS_OTHER};
    draw(id, sizeof id);
    draw(manifest, sizeof manifest);
    in.disclosure = field_of(id, sizeof id);
    in.decision = field_of(story->request, sizeof story->request);
    in.recipient = field_of(story->requester.institution.bytes, SALUS_ID_SIZE);
    in.subject = field_of(story->handle, sizeof story->handle);
    in.manifest_root = field_of(manifest, sizeof manifest);
    in.item_count = 1;
    in.classes = classes;
    in.n_classes = 1;
    in.purpose = CODES_PURPOSE_TREAT;
    in.mode = SALUS__V1__DISCLOSURE__MODE__API;
    submit_payload(&story->custodian, TRANSACTION_DISCLOSURE, &in.base);
}

static void deny_everything(struct story *story)
{
    /* Without any consent the policy of a trial would imply one. */
    uint8_t form[SALUS_DIGEST_SIZE];
    uint8_t consent[SALUS_ID_SIZE];
    struct transaction_id16 policy;
    draw(form, sizeof form);
    draw(consent, sizeof consent);
    transaction_policy_id(&policy, bytes_of(POLICY_URI, sizeof POLICY_URI - 1));
    const struct transaction in = {
        .type = TRANSACTION_CONSENT_GRANT,
        .consent_grant = {
            .consent = bytes_of(consent, sizeof consent),
            .subject = bytes_of(story->handle, sizeof story->handle),
            .scope = TRANSACTION_SCOPE_PRIVACY,
            .category = CODES_CATEGORY_OTHER,
            .policy = bytes_of(policy.bytes, sizeof policy.bytes),
            .policy_version = 1,
            .given_at_ms = now_ms() - 1000,
            .base_decision = TRANSACTION_DENY,
            .performer = TRANSACTION_BY_SUBJECT,
            .mode = TRANSACTION_WET_INK,
            .evidence_commit = bytes_of(form, sizeof form),
        }};
    submit(&story->custodian, &in);
}

static void withdraw(struct story *story)
{
    const struct transaction in = {
        .type = TRANSACTION_CONSENT_REVOKE,
        .consent_revoke = {
            .consent = bytes_of(story->consent, sizeof story->consent),
            .reason = CODES_REASON_WITHDRAWN_BY_SUBJECT,
            .revoked_at_ms = now_ms() - 1000,
        }};
    submit(&story->custodian, &in);
}

int main(int argc, char **argv)
{
    struct story story;
    if (argc != 4) {
        fprintf(stderr, "usage: share FOLDER CUSTODIAN REQUESTER\n");
        return 2;
    }
    memset(&story, 0, sizeof story);
    open_hospital(&story.custodian, argv[1], argv[2]);
    open_hospital(&story.requester, argv[1], argv[3]);
    register_patient(&story);
    grant_consent(&story);
    anchor_record(&story);
    request_access(&story);
    bool before = is_granted(&story.requester, story.request);
    grant_key(&story);
    disclose(&story);
    withdraw(&story);
    deny_everything(&story);
    request_access(&story);
    bool after = is_granted(&story.requester, story.request);
    size_t rows = print_accounting(&story.custodian, argv[1], story.handle);
    salus_close(story.requester.client);
    salus_close(story.custodian.client);
    return before && !after && rows == 1 ? 0 : 1;
}
