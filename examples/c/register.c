/* SPDX-License-Identifier: Apache-2.0 */
/* Registers a patient, waits for the proof, asks for his consents with the
 * signatures of f + 1 replicas, and checks that answer offline. It uses what is
 * installed alone: salus.h, and the messages of ledger.proto as protobuf-c (or
 * any other protobuf library) makes them:
 *
 *   protoc-c -I PREFIX/share/salus/proto --c_out=. salus/v1/ledger.proto
 *   cc register.c salus/v1/ledger.pb-c.c -I. \
 *     $(pkg-config --cflags --libs salus libprotobuf-c) -o register
 *   ./register genesis.txt client.key client-tls.pem client-tls.key
 */
#include <salus.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "salus/v1/ledger.pb-c.h"

#define HANDLE_SIZE 32
#define MESSAGE_MAX 4096
#define MINUTE_MS 60000u

static void stop(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct salus_client *open_client(char **files)
{
    struct salus_config config;
    struct salus_client *client = NULL;
    char problem[SALUS_PROBLEM_SIZE] = "";
    salus_config_init(&config);
    config.genesis_file = files[0];
    config.key_file = files[1];
    config.certificate_file = files[2];
    config.tls_key_file = files[3];
    if (salus_open(&client, problem, &config) != SALUS_OK) {
        stop("open", problem);
    }
    return client;
}

/* The body in its envelope, and that in a Transaction: encoded messages, as
 * libsalus takes them. Returns the size. */
static size_t encode_transaction(const struct salus_client *client,
                                 const uint8_t handle[HANDLE_SIZE],
                                 uint8_t out[MESSAGE_MAX])
{
    uint8_t cluster[SALUS_DIGEST_SIZE];
    uint8_t institution[SALUS_ID_SIZE];
    uint8_t key_id[SALUS_ID_SIZE];
    uint8_t encoded[MESSAGE_MAX];
    Salus__V1__SubjectRegister__Subject patient =
        SALUS__V1__SUBJECT_REGISTER__SUBJECT__INIT;
    Salus__V1__SubjectRegister__Subject *patients[] = {&patient};
    Salus__V1__SubjectRegister payload = SALUS__V1__SUBJECT_REGISTER__INIT;
    Salus__V1__TransactionBody body = SALUS__V1__TRANSACTION_BODY__INIT;
    Salus__V1__Transaction transaction = SALUS__V1__TRANSACTION__INIT;

    salus_identity(client, cluster, institution, key_id);
    patient.handle = (ProtobufCBinaryData){HANDLE_SIZE, (uint8_t *)handle};
    payload.subjects = patients;
    payload.n_subjects = 1;
    body.chain_id = (ProtobufCBinaryData){sizeof cluster, cluster};
    body.version = 1;
    body.institution = (ProtobufCBinaryData){sizeof institution, institution};
    body.key_id = (ProtobufCBinaryData){sizeof key_id, key_id};
    body.not_after_ms = now_ms() + 10 * MINUTE_MS;
    body.table_version = 1;
    body.payload_case = SALUS__V1__TRANSACTION_BODY__PAYLOAD_SUBJECT_REGISTER;
    body.subject_register = &payload;
    if (salus__v1__transaction_body__get_packed_size(&body) > MESSAGE_MAX / 2) {
        stop("transaction", "too large");
    }
    transaction.body.len = salus__v1__transaction_body__pack(&body, encoded);
    transaction.body.data = encoded;
    return salus__v1__transaction__pack(&transaction, out);
}

/* A call that was not proved may still have its effect: the same bytes again,
 * since they are carried out once. TX_DUPLICATE, if it is proved, says: that is
 * done. Without the status the code is but the word of some replica. */
static void submit(struct salus_client *client, const uint8_t *bytes,
                   size_t size)
{
    const struct salus_transaction one = {bytes, size};
    struct salus_result result;
    enum salus_status status = salus_submit(client, &result, &one);
    for (int again = 0;
         again < 3 && (status == SALUS_TIMED_OUT || status == SALUS_UNPROVED);
         again++) {
        status = salus_submit(client, &result, &one);
    }
    bool is_done = status == SALUS_OK ||
                   (status == SALUS_REFUSED &&
                    strcmp(salus_code_name(result.code), "TX_DUPLICATE") == 0);
    if (!is_done) {
        (void)fprintf(stderr, "%s: %s\n", salus_status_text(status),
                      salus_code_text(result.code));
        exit(1);
    }
    (void)printf("registered in block %llu\n", (unsigned long long)result.seq);
}

static void ask(struct salus_client *client, const char *genesis,
                const uint8_t handle[HANDLE_SIZE])
{
    uint8_t packed[MESSAGE_MAX];
    char problem[SALUS_PROBLEM_SIZE] = "";
    struct salus_certified certified;
    struct salus_certificate shown;
    Salus__V1__ConsentHistoryQuery history =
        SALUS__V1__CONSENT_HISTORY_QUERY__INIT;
    Salus__V1__Query query = SALUS__V1__QUERY__INIT;
    history.subject = (ProtobufCBinaryData){HANDLE_SIZE, (uint8_t *)handle};
    query.kind_case = SALUS__V1__QUERY__KIND_CONSENT_HISTORY;
    query.consent_history = &history;
    size_t size = salus__v1__query__pack(&query, packed);
    enum salus_status status = salus_query_certified(
        client, &certified, SALUS_READ_CERTIFIED, packed, size);
    if (status != SALUS_OK) {
        stop("query", salus_status_text(status));
    }
    if (certified.code != 0) {
        stop("query", salus_code_text(certified.code));
    }
    for (size_t i = 0; i < certified.answer_count; i++) {
        Salus__V1__Answer *answer = salus__v1__answer__unpack(
            NULL, certified.answers[i].size, certified.answers[i].data);
        if (answer == NULL ||
            answer->kind_case != SALUS__V1__ANSWER__KIND_CONSENT_HISTORY) {
            stop("query", "not the answer to that");
        }
        (void)printf("%zu event(s) of consents\n",
                     answer->consent_history->n_events);
        salus__v1__answer__free_unpacked(answer, NULL);
    }
    if (salus_verify_query(&shown, problem, genesis, certified.proof.data,
                           certified.proof.size) != SALUS_OK) {
        stop("proof", problem);
    }
    (void)printf("proved after block %llu by %u signatures\n",
                 (unsigned long long)shown.height, (unsigned)shown.signatures);
    salus_certified_free(&certified);
}

int main(int argc, char **argv)
{
    uint8_t handle[HANDLE_SIZE];
    uint8_t transaction[MESSAGE_MAX];
    if (argc != 5) {
        (void)fprintf(stderr, "usage: %s GENESIS KEY CERTIFICATE TLS-KEY\n",
                      argv[0]);
        return 2;
    }
    struct salus_client *client = open_client(argv + 1);
    /* Random, and no function of a patient number. */
    if (getrandom(handle, sizeof handle, 0) != (ssize_t)sizeof handle) {
        stop("getrandom", "no random numbers");
    }
    size_t size = encode_transaction(client, handle, transaction);
    submit(client, transaction, size);
    ask(client, argv[1], handle);
    salus_close(client);
    return 0;
}
