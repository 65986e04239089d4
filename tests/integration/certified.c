/* SPDX-License-Identifier: Apache-2.0 */
/* Certified and ordered reads against four real replicas: every question at
 * every level, lists of many pages while the ledger grows, what was proved to
 * another client, one replica down, one that lies.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "client/trial.h"
#include "tests/integration/certified.h"

#define START_TIMEOUT_MS 60000
#define CONVERGE_TIMEOUT_MS 60000
#define STOP_PATIENCE_MS 20000
#define CONSENTS 7
#define ORDERED_ROUNDS 5
#define READS_UNDER_LOAD 5
#define POLICY_URI "urn:salus:policy:trial"
#define HOUR_MS 3600000u

static bool fail(const char *what, const char *why)
{
    (void)fprintf(stderr, "certified: %s: %s\n", what, why);
    return false;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void draw(uint8_t *out, size_t size)
{
    if (getrandom(out, size, 0) != (ssize_t)size) {
        abort();
    }
}

static struct pbft_bytes bytes_of(const void *data, size_t size)
{
    return (struct pbft_bytes){data, size};
}

/* ---- what stands in the ledger ------------------------------------------- */

static bool submit(struct salus_client *client,
                   const struct transaction *transaction,
                   struct salus_result *result)
{
    struct transaction_envelope envelope = {.not_after_ms = now_ms() + HOUR_MS,
                                            .table_version = CODES_VERSION};
    struct transaction_bytes body = {NULL, 0};
    struct transaction_bytes sealed = {NULL, 0};
    salus_identity(client, envelope.chain.bytes, envelope.institution.bytes,
                   envelope.key_id.bytes);
    bool good = transaction_build(&body, &envelope, transaction) == PBFT_OK &&
                transaction_seal(&sealed, bytes_of(body.data, body.size), NULL,
                                 0) == PBFT_OK;
    const struct salus_transaction one = {sealed.data, sealed.size};
    enum salus_status status =
        good ? salus_submit(client, result, &one) : SALUS_INVALID_ARGUMENT;
    free(body.data);
    free(sealed.data);
    return status == SALUS_OK ||
           fail("submit", status == SALUS_REFUSED
                              ? salus_code_name(result->code)
                              : salus_status_text(status));
}

static bool register_subject(struct salus_client *client,
                             uint8_t handle[SALUS_DIGEST_SIZE])
{
    struct salus_result result;
    draw(handle, SALUS_DIGEST_SIZE);
    const struct transaction_subject subject = {
        .handle = bytes_of(handle, SALUS_DIGEST_SIZE)};
    const struct transaction in = {.type = TRANSACTION_SUBJECT_REGISTER,
                                   .subject_register = {&subject, 1}};
    return submit(client, &in, &result);
}

static bool grant(struct scene *scene)
{
    static const uint32_t treatment[] = {CODES_PURPOSE_TREAT};
    struct salus_result result;
    struct transaction_id16 policy;
    uint8_t form[SALUS_DIGEST_SIZE];
    draw(scene->consent, sizeof scene->consent);
    draw(form, sizeof form);
    transaction_policy_id(&policy, bytes_of(POLICY_URI, sizeof POLICY_URI - 1));
    const struct transaction in = {
        .type = TRANSACTION_CONSENT_GRANT,
        .consent_grant = {
            .consent = bytes_of(scene->consent, sizeof scene->consent),
            .subject = bytes_of(scene->handle, sizeof scene->handle),
            .scope = TRANSACTION_SCOPE_PRIVACY,
            .category = CODES_CATEGORY_OTHER,
            .policy = bytes_of(policy.bytes, sizeof policy.bytes),
            .policy_version = 1,
            .given_at_ms = now_ms() - 60000,
            .base_decision = TRANSACTION_PERMIT,
            .root = {.purposes = {treatment, 1}},
            .performer = TRANSACTION_BY_SUBJECT,
            .mode = TRANSACTION_WET_INK,
            .evidence_commit = bytes_of(form, sizeof form),
        }};
    bool good = submit(scene->trial.clients[0], &in, &result);
    memcpy(scene->tx_id, result.tx_id, sizeof scene->tx_id);
    return good;
}

static bool fill_ledger(struct scene *scene)
{
    bool good = register_subject(scene->trial.clients[0], scene->handle);
    for (int i = 0; good && i < CONSENTS; i++) {
        good = grant(scene);
    }
    return good && trial_converge(&scene->trial, CONVERGE_TIMEOUT_MS);
}

/* ---- questions ----------------------------------------------------------- */

static ProtobufCBinaryData field(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)(uintptr_t)data};
}

static void history_question(const uint8_t handle[SALUS_DIGEST_SIZE],
                             uint32_t limit, struct wire_buffer *out)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ConsentHistoryQuery in = SALUS__V1__CONSENT_HISTORY_QUERY__INIT;
    in.subject = field(handle, SALUS_DIGEST_SIZE);
    in.limit = limit;
    query.kind_case = SALUS__V1__QUERY__KIND_CONSENT_HISTORY;
    query.consent_history = &in;
    wire_buffer_reset(out);
    if (wire_pack(&query.base, out) != PBFT_OK) {
        abort();
    }
}

/* One of each kind. */
static void any_question(const struct scene *scene,
                         Salus__V1__Query__KindCase kind,
                         struct wire_buffer *out)
{
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    Salus__V1__ConsentStatusQuery status =
        SALUS__V1__CONSENT_STATUS_QUERY__INIT;
    Salus__V1__ConsentHistoryQuery history =
        SALUS__V1__CONSENT_HISTORY_QUERY__INIT;
    Salus__V1__VerifyRecordQuery record = SALUS__V1__VERIFY_RECORD_QUERY__INIT;
    Salus__V1__TransactionQuery transaction =
        SALUS__V1__TRANSACTION_QUERY__INIT;
    Salus__V1__ExplainQuery explain = SALUS__V1__EXPLAIN_QUERY__INIT;
    Salus__V1__AccountingQuery accounting = SALUS__V1__ACCOUNTING_QUERY__INIT;
    Salus__V1__WhoMayQuery who = SALUS__V1__WHO_MAY_QUERY__INIT;
    Salus__V1__WhatMayQuery what = SALUS__V1__WHAT_MAY_QUERY__INIT;
    Salus__V1__BreakGlassQuery glass = SALUS__V1__BREAK_GLASS_QUERY__INIT;
    Salus__V1__ObligationsQuery due = SALUS__V1__OBLIGATIONS_QUERY__INIT;
    Salus__V1__SuspectQuery suspect = SALUS__V1__SUSPECT_QUERY__INIT;
    Salus__V1__CodesQuery codes = SALUS__V1__CODES_QUERY__INIT;
    Salus__V1__ConsentsQuery consents = SALUS__V1__CONSENTS_QUERY__INIT;
    Salus__V1__InstitutionsQuery directory =
        SALUS__V1__INSTITUTIONS_QUERY__INIT;
    Salus__V1__IndeterminateQuery unsettled =
        SALUS__V1__INDETERMINATE_QUERY__INIT;
    ProtobufCBinaryData subject = field(scene->handle, sizeof scene->handle);
    status.consent = field(scene->consent, sizeof scene->consent);
    history.subject = subject;
    record.record = field(scene->consent, sizeof scene->consent);
    transaction.tx_id = field(scene->tx_id, sizeof scene->tx_id);
    explain.request = field(scene->consent, sizeof scene->consent);
    accounting.subjects = &subject;
    accounting.n_subjects = 1;
    accounting.view = SALUS__V1__ACCOUNTING_QUERY__VIEW__EHDS;
    who.subject = subject;
    consents.subject = subject;
    suspect.key_id = field(scene->consent, sizeof scene->consent);
    void *const questions[] = {
        NULL,        &status,    &history, &record,  &transaction, &explain,
        &accounting, &who,       &what,    &glass,   &due,         &suspect,
        &directory,  &unsettled, &codes,   &consents};
    query.kind_case = kind;
    query.consent_status = questions[kind]; /* Pointers of one union. */
    wire_buffer_reset(out);
    if (wire_pack(&query.base, out) != PBFT_OK) {
        abort();
    }
}

/* ---- checking ------------------------------------------------------------ */

static bool proves(const struct scene *scene,
                   const struct salus_certified *certified)
{
    struct salus_certificate shown;
    char problem[SALUS_PROBLEM_SIZE] = "";
    if (salus_verify_query(&shown, problem, scene->genesis_path,
                           certified->proof.data,
                           certified->proof.size) != SALUS_OK) {
        return fail("the proof does not hold", problem);
    }
    certified->proof.data[certified->proof.size / 2] ^= 1;
    enum salus_status tampered =
        salus_verify_query(&shown, problem, scene->genesis_path,
                           certified->proof.data, certified->proof.size);
    certified->proof.data[certified->proof.size / 2] ^= 1;
    return tampered == SALUS_UNPROVED ||
           fail("a changed proof", "was taken for good");
}

static bool read_certified(struct salus_client *client,
                           enum salus_read_level level,
                           const struct wire_buffer *question,
                           struct salus_certified *out)
{
    enum salus_status status = salus_query_certified(
        client, out, level, question->data, question->size);
    if (status == SALUS_OK) {
        return true;
    }
    for (uint32_t i = 0; i < REPLICAS; i++) {
        (void)fprintf(stderr, "  replica %u %s\n", (unsigned)i,
                      salus_witness_text(out->witnesses[i]));
    }
    return fail("not certified", salus_status_text(status));
}

/* The same answer at all levels, if no block came in between. */
static bool check_kind(struct scene *scene, Salus__V1__Query__KindCase kind,
                       struct wire_buffer *question)
{
    struct salus_client *client = scene->trial.clients[1];
    struct salus_bytes local = {NULL, 0};
    struct salus_certified certified = {0};
    struct salus_certified ordered = {0};
    any_question(scene, kind, question);
    bool good =
        read_certified(client, SALUS_READ_CERTIFIED, question, &certified) &&
        salus_query_local(client, &local, question->data, question->size) ==
            SALUS_OK &&
        read_certified(client, SALUS_READ_ORDERED, question, &ordered) &&
        proves(scene, &certified) && proves(scene, &ordered);
    if (good && ordered.height <= certified.height) {
        good = fail("an ordered read", "no block was ordered for it");
    }
    if (good &&
        (local.size != certified.answers[0].size ||
         memcmp(local.data, certified.answers[0].data, local.size) != 0)) {
        good = fail("local and certified", "the answers differ");
    }
    salus_free(&local);
    salus_certified_free(&certified);
    salus_certified_free(&ordered);
    return good;
}

static bool check_all_kinds(struct scene *scene, struct wire_buffer *question)
{
    bool good = true;
    for (int kind = SALUS__V1__QUERY__KIND_CONSENT_STATUS;
         good && kind <= SALUS__V1__QUERY__KIND_CONSENTS; kind++) {
        good = trial_converge(&scene->trial, CONVERGE_TIMEOUT_MS) &&
               check_kind(scene, (Salus__V1__Query__KindCase)kind, question);
        if (!good) {
            (void)fprintf(stderr, "certified: question %d\n", kind);
        }
    }
    return good;
}

/* ---- pages while the ledger grows ---------------------------------------- */

static void *keep_registering(void *context)
{
    struct scene *scene = context;
    uint8_t handle[SALUS_DIGEST_SIZE];
    while (!atomic_load(&scene->stop) &&
           register_subject(scene->trial.clients[2], handle)) {
        atomic_fetch_add(&scene->registered, 1);
    }
    return NULL;
}

/* A row a page: all of them, once each, after one block. */
static bool check_pages(struct scene *scene, struct wire_buffer *question)
{
    struct salus_certified certified = {0};
    history_question(scene->handle, 1, question);
    bool good = read_certified(scene->trial.clients[0], SALUS_READ_CERTIFIED,
                               question, &certified) &&
                proves(scene, &certified);
    size_t rows = 0;
    for (size_t i = 0; good && i < certified.answer_count; i++) {
        Salus__V1__Answer *answer = salus__v1__answer__unpack(
            NULL, certified.answers[i].size, certified.answers[i].data);
        rows += answer->consent_history->n_events;
        good = answer->height == certified.height;
        salus__v1__answer__free_unpacked(answer, NULL);
    }
    if (good && rows != CONSENTS) {
        good = fail("a list of pages", "rows are missing or twice");
    }
    salus_certified_free(&certified);
    return good;
}

static bool check_under_load(struct scene *scene, struct wire_buffer *question)
{
    pthread_t thread;
    atomic_store(&scene->stop, false);
    if (pthread_create(&thread, NULL, keep_registering, scene) != 0) {
        return false;
    }
    bool good = true;
    for (int i = 0; good && i < READS_UNDER_LOAD; i++) {
        good = check_pages(scene, question);
    }
    atomic_store(&scene->stop, true);
    (void)pthread_join(thread, NULL);
    (void)printf("%d reads of %d pages while %u requests were ordered\n",
                 READS_UNDER_LOAD, CONSENTS,
                 (unsigned)atomic_load(&scene->registered));
    if (atomic_load(&scene->registered) == 0) {
        good = fail("reads under load", "nothing was ordered meanwhile");
    }
    return good && trial_converge(&scene->trial, CONVERGE_TIMEOUT_MS);
}

/* ---- what was proved to others ------------------------------------------- */

/* One client registers, another one that knows nothing of it must see it. */
static bool check_ordered(struct scene *scene, struct wire_buffer *question)
{
    bool good = true;
    for (uint32_t i = 0; good && i < ORDERED_ROUNDS; i++) {
        uint8_t handle[SALUS_DIGEST_SIZE];
        struct salus_certified certified = {0};
        good = register_subject(scene->trial.clients[i % REPLICAS], handle);
        history_question(handle, 0, question);
        good = good && read_certified(scene->trial.clients[(i + 1) % REPLICAS],
                                      SALUS_READ_ORDERED, question, &certified);
        if (good && certified.code != 0) {
            good = fail("an ordered read", "does not see what was proved");
        }
        salus_certified_free(&certified);
    }
    return good;
}

/* ---- one down, one that lies --------------------------------------------- */

/* The history is certified by the others; replica 3 comes out so. */
static bool check_with(struct scene *scene, struct wire_buffer *question,
                       const char *what, enum salus_witness first,
                       enum salus_witness second)
{
    struct salus_certified certified = {0};
    history_question(scene->handle, 0, question);
    bool good = read_certified(scene->trial.clients[0], SALUS_READ_CERTIFIED,
                               question, &certified) &&
                proves(scene, &certified);
    enum salus_witness witness = certified.witnesses[LIAR];
    if (good && certified.code != 0) {
        good = fail(what, "the answer is not true");
    }
    if (good && witness != first && witness != second) {
        good = fail(what, salus_witness_text(witness));
    }
    if (good) {
        (void)printf("%s: certified at block %llu; replica %u %s\n", what,
                     (unsigned long long)certified.height, (unsigned)LIAR,
                     salus_witness_text(witness));
        liar_remember(&scene->liar, &certified);
    }
    salus_certified_free(&certified);
    return good;
}

/* One honest replica and a liar are no proof. */
static bool check_too_few(struct scene *scene, struct wire_buffer *question)
{
    struct salus_certified certified = {0};
    replicas_kill(&scene->trial.replicas, 1);
    replicas_kill(&scene->trial.replicas, 2);
    history_question(scene->handle, 0, question);
    enum salus_status status = salus_query_certified(
        scene->trial.clients[0], &certified, SALUS_READ_CERTIFIED,
        question->data, question->size);
    (void)printf("one honest replica and a liar: %s\n",
                 salus_status_text(status));
    /* Not for some other reason: both have signed, and are kept. */
    bool good = status == SALUS_UNPROVED && certified.answer_count == 0 &&
                certified.proof.size == 0 && certified.has_contradiction &&
                certified.statements[0].is_there &&
                certified.statements[LIAR].is_there &&
                certified.witnesses[0] == SALUS_WITNESS_DISAGREES &&
                certified.witnesses[LIAR] == SALUS_WITNESS_DISAGREES;
    for (uint32_t i = 1; i <= 2; i++) {
        good = good && !certified.statements[i].is_there &&
               (certified.witnesses[i] == SALUS_WITNESS_UNREACHABLE ||
                certified.witnesses[i] == SALUS_WITNESS_SILENT);
    }
    salus_certified_free(&certified);
    return good || fail("one honest replica and a liar",
                        "did not end as a contradiction without a proof");
}

static bool check_bad_replicas(struct scene *scene,
                               struct wire_buffer *question)
{
    replicas_kill(&scene->trial.replicas, LIAR);
    bool good = check_with(scene, question, "one is down",
                           SALUS_WITNESS_UNREACHABLE, SALUS_WITNESS_SILENT);
    good = good && liar_open(scene);
    good = good && check_with(scene, question, "one lies",
                              SALUS_WITNESS_DISAGREES, SALUS_WITNESS_DISAGREES);
    atomic_store(&scene->liar.forges, true);
    good = good && check_with(scene, question, "one forges",
                              SALUS_WITNESS_BAD_REPLY, SALUS_WITNESS_BAD_REPLY);
    atomic_store(&scene->liar.forges, false);
    good = good && check_too_few(scene, question);
    liar_close(scene);
    for (uint32_t i = 1; good && i < REPLICAS; i++) {
        good = replicas_start(&scene->trial.replicas, i) == PBFT_OK;
    }
    return good && trial_converge(&scene->trial, CONVERGE_TIMEOUT_MS) &&
           check_with(scene, question, "all are back", SALUS_WITNESS_AGREES,
                      SALUS_WITNESS_AGREES);
}

/* ---- the frame of it all ------------------------------------------------- */

/* Clients that wait long enough for a busy machine to show who disagrees. */
static bool be_patient(struct scene *scene)
{
    for (uint32_t i = 0; i < REPLICAS; i++) {
        salus_close(scene->trial.clients[i]);
        scene->trial.clients[i] = certified_client(scene, i);
        if (scene->trial.clients[i] == NULL) {
            return false;
        }
    }
    return true;
}

static bool run(struct scene *scene, const char *folder)
{
    struct wire_buffer question;
    (void)snprintf(scene->genesis_path, sizeof scene->genesis_path,
                   "%s/genesis.txt", folder);
    wire_buffer_init(&question, 65536);
    bool good = trial_create(&scene->trial, folder, REPLICAS) == PBFT_OK &&
                trial_start(&scene->trial, START_TIMEOUT_MS) == PBFT_OK &&
                be_patient(scene) && fill_ledger(scene) &&
                check_all_kinds(scene, &question) &&
                check_under_load(scene, &question) &&
                check_ordered(scene, &question) &&
                check_bad_replicas(scene, &question);
    wire_buffer_deinit(&question);
    return good;
}

int main(void)
{
    static struct scene scene;
    char folder[] = "/tmp/salus-certified-XXXXXX";
    if (mkdtemp(folder) == NULL) {
        perror("/tmp");
        return 1;
    }
    bool good = run(&scene, folder);
    trial_close_clients(&scene.trial);
    uint32_t bad = replicas_stop_all(&scene.trial.replicas, STOP_PATIENCE_MS);
    if (bad > 0) {
        (void)fprintf(stderr, "%u replicas did not stop cleanly\n", bad);
        good = false;
    }
    if (good) {
        replicas_remove_folder(folder);
    } else {
        (void)printf("kept: %s\n", folder);
    }
    (void)puts(good ? "passed" : "FAILED");
    return good ? 0 : 1;
}
