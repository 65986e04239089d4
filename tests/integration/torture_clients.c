/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that submit the same bytes until they know what became of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/random.h"
#include "ledger/errors.h"
#include "tests/integration/torture.h"

#define PAYLOAD 256
#define HOUR_MS 3600000u
#define CONTENDERS 3 /* Per record that is fought for. */

uint64_t torture_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void torture_pass_ms(uint64_t ms)
{
    const struct timespec pause = {(time_t)(ms / 1000),
                                   (long)(ms % 1000) * 1000000};

    (void)nanosleep(&pause, NULL);
}

static uint64_t wall_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Every second submission fights for a record with two others. */
static void choose_record(struct torture *torture, bool fights,
                          uint8_t record[SALUS_ID_SIZE])
{
    uint8_t fresh[SALUS_ID_SIZE];

    random_fill(fresh, sizeof(fresh));
    fresh[0] |= 0x80; /* No text: ids that read as text are refused. */
    fresh[1] = 0;
    if (!fights) {
        memcpy(record, fresh, sizeof(fresh));
        return;
    }
    (void)pthread_mutex_lock(&torture->lock);
    if (torture->contenders++ % CONTENDERS == 0) {
        memcpy(torture->contended, fresh, sizeof(fresh));
    }
    memcpy(record, torture->contended, sizeof(fresh));
    (void)pthread_mutex_unlock(&torture->lock);
}

static void remember(struct torture *torture,
                     const struct torture_operation *operation)
{
    (void)pthread_mutex_lock(&torture->lock);
    if (torture->operation_count == torture->operation_capacity) {
        torture->operation_capacity = torture->operation_capacity * 2 + 1024;
        torture->operations =
            realloc(torture->operations,
                    torture->operation_capacity * sizeof(*torture->operations));
        if (torture->operations == NULL) {
            abort();
        }
    }
    torture->operations[torture->operation_count++] = *operation;
    (void)pthread_mutex_unlock(&torture->lock);
}

/* False: it is not known, and has to be submitted again. */
static bool note_result(struct torture *torture,
                        struct torture_operation *operation,
                        const struct salus_result *result)
{
    bool is_known =
        result->status == SALUS_OK || result->status == SALUS_REFUSED;
    bool is_expected =
        result->code == LEDGER_OK || result->code == LEDGER_REC_EXISTS ||
        (result->code == LEDGER_TX_DUPLICATE && operation->is_repeated);

    if (!is_known) {
        (void)pthread_mutex_lock(&torture->lock);
        torture->again++;
        (void)pthread_mutex_unlock(&torture->lock);
        return false;
    }
    if (!is_expected) {
        (void)fprintf(stderr, "refused: %s\n", salus_code_name(result->code));
        (void)pthread_mutex_lock(&torture->lock);
        torture->surprises++;
        (void)pthread_mutex_unlock(&torture->lock);
    }
    operation->ended_us = torture_now_us();
    operation->code = result->code;
    operation->seq = result->seq;
    memcpy(operation->tx_id, result->tx_id, sizeof(operation->tx_id));
    remember(torture, operation);
    return true;
}

static bool is_over(struct torture *torture)
{
    (void)pthread_mutex_lock(&torture->lock);
    bool over = torture->is_over;
    (void)pthread_mutex_unlock(&torture->lock);
    return over;
}

static bool is_ending(struct torture *torture)
{
    (void)pthread_mutex_lock(&torture->lock);
    bool ending = torture->is_ending;
    (void)pthread_mutex_unlock(&torture->lock);
    return ending;
}

struct submitter {
    struct torture *torture;
    uint32_t client;
    bool fights;
};

static void submit_one(const struct submitter *submitter,
                       const struct transaction_envelope *envelope)
{
    struct torture *torture = submitter->torture;
    struct torture_operation operation = {.invoked_us = 0};
    struct transaction_bytes bytes;
    struct salus_result result;

    choose_record(torture, submitter->fights, operation.record);
    if (load_make_anchor(&bytes, envelope,
                         torture->trial.encryption_keys[submitter->client],
                         PAYLOAD, operation.record) != PBFT_OK) {
        abort();
    }
    const struct salus_transaction view = {bytes.data, bytes.size};
    operation.invoked_us = torture_now_us();
    do {
        memset(&result, 0, sizeof(result));
        (void)salus_submit(torture->trial.clients[submitter->client], &result,
                           &view);
        if (note_result(torture, &operation, &result)) {
            break;
        }
        operation.is_repeated = true;
    } while (!is_over(torture));
    free(bytes.data);
}

static void *submit(void *context)
{
    struct submitter submitter = *(struct submitter *)context;
    struct transaction_envelope envelope = {.table_version = 1};

    free(context);
    salus_identity(submitter.torture->trial.clients[submitter.client],
                   envelope.chain.bytes, envelope.institution.bytes,
                   envelope.key_id.bytes);
    while (!is_ending(submitter.torture)) {
        envelope.not_after_ms = wall_ms() + HOUR_MS;
        submit_one(&submitter, &envelope);
        submitter.fights = !submitter.fights;
    }
    return NULL;
}

void torture_clients_start(struct torture *torture,
                           struct torture_submitters *out)
{
    for (uint32_t i = 0; i < TORTURE_SUBMITTERS; i++) {
        struct submitter *submitter = malloc(sizeof(*submitter));
        if (submitter == NULL) {
            abort();
        }
        *submitter =
            (struct submitter){torture, i % torture->trial.count, i % 2 == 0};
        if (pthread_create(&out->threads[i], NULL, submit, submitter) != 0) {
            abort();
        }
    }
}

void torture_clients_end(struct torture *torture,
                         struct torture_submitters *submitters)
{
    (void)pthread_mutex_lock(&torture->lock);
    torture->is_ending = true;
    (void)pthread_mutex_unlock(&torture->lock);
    for (uint32_t i = 0; i < TORTURE_SUBMITTERS; i++) {
        (void)pthread_join(submitters->threads[i], NULL);
    }
}

size_t torture_operations_ended(struct torture *torture)
{
    (void)pthread_mutex_lock(&torture->lock);
    size_t count = torture->operation_count;
    (void)pthread_mutex_unlock(&torture->lock);
    return count;
}
