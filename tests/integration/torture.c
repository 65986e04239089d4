/* SPDX-License-Identifier: Apache-2.0 */
/* Real replicas are killed, again and again, while clients submit. At the end
 * every transaction that was acknowledged must be there, once, in the block
 * that was acknowledged.
 *
 *   torture [--seconds N] [--seed S] [--replicas N] [--keep]
 *
 * The seed fixes what is killed and for how long, not how threads interleave.
 */
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/load.h"
#include "client/trial.h"
#include "proto/scan.h"
#include "salus/v1/files.pb-c.h"

#define SUBMITTERS 8
#define PAYLOAD 256
#define START_TIMEOUT_MS 30000
#define CONVERGE_TIMEOUT_MS 60000
#define CODE_TX_DUPLICATE 132
#define HOUR_MS 3600000u

struct acknowledged {
    uint8_t tx_id[SALUS_DIGEST_SIZE];
    uint64_t seq;
};

struct torture {
    struct trial trial;
    pthread_mutex_t lock;
    volatile int stop;
    struct acknowledged *done;
    size_t done_count;
    size_t done_capacity;
    uint64_t again;   /* Submissions repeated after a time-out. */
    uint64_t refused; /* Refused for another reason than being a repetition. */
    uint64_t random;
    unsigned kills;
};

static uint64_t next_random(struct torture *torture)
{
    uint64_t z = (torture->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void pass_ms(uint64_t ms)
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

static void acknowledge(struct torture *torture,
                        const struct salus_result *result)
{
    (void)pthread_mutex_lock(&torture->lock);
    if (torture->done_count == torture->done_capacity) {
        torture->done_capacity = torture->done_capacity * 2 + 1024;
        torture->done = realloc(torture->done, torture->done_capacity *
                                                   sizeof(*torture->done));
        if (torture->done == NULL) {
            abort();
        }
    }
    struct acknowledged *to = &torture->done[torture->done_count++];
    memcpy(to->tx_id, result->tx_id, sizeof(to->tx_id));
    to->seq = result->seq;
    (void)pthread_mutex_unlock(&torture->lock);
}

/* Submits the same bytes until it is known what became of them. */
static void submit_until_known(struct torture *torture, uint32_t client,
                               const struct transaction_bytes *bytes)
{
    const struct salus_transaction view = {bytes->data, bytes->size};
    bool repeated = false;

    while (torture->stop < 2) {
        struct salus_result result;
        enum salus_status status =
            salus_submit(torture->trial.clients[client], &result, &view);
        if (status == SALUS_OK) {
            acknowledge(torture, &result);
            return;
        }
        (void)pthread_mutex_lock(&torture->lock);
        if (status == SALUS_REFUSED) {
            /* Executed by the attempt that seemed to have failed: fine. */
            bool fine = repeated && result.code == CODE_TX_DUPLICATE;
            torture->refused += fine ? 0 : 1;
            if (!fine) {
                (void)fprintf(stderr, "refused: %s\n",
                              salus_code_name(result.code));
            }
            (void)pthread_mutex_unlock(&torture->lock);
            return;
        }
        torture->again++;
        (void)pthread_mutex_unlock(&torture->lock);
        repeated = true;
    }
}

struct submitter {
    struct torture *torture;
    uint32_t client;
};

static void *submit(void *context)
{
    const struct submitter *submitter = context;
    struct torture *torture = submitter->torture;
    struct transaction_envelope envelope = {.table_version = 1};

    salus_identity(torture->trial.clients[submitter->client],
                   envelope.chain.bytes, envelope.institution.bytes,
                   envelope.key_id.bytes);
    while (torture->stop == 0) {
        struct transaction_bytes bytes;
        envelope.not_after_ms = wall_ms() + HOUR_MS;
        if (load_make_anchor(&bytes, &envelope,
                             torture->trial.encryption_keys[submitter->client],
                             PAYLOAD) != PBFT_OK) {
            abort();
        }
        submit_until_known(torture, submitter->client, &bytes);
        free(bytes.data);
    }
    return NULL;
}

/* ---- the nemesis --------------------------------------------------------- */

static bool start_again(struct torture *torture, uint32_t id)
{
    torture->kills++;
    return replicas_start(&torture->trial.replicas, id) == PBFT_OK;
}

/* One replica, or f + 1 of them, or all at once. */
static bool strike(struct torture *torture)
{
    uint32_t n = torture->trial.count;
    uint32_t victims = 1;
    uint32_t first = (uint32_t)(next_random(torture) % n);
    uint64_t choice = next_random(torture) % 4;

    if (choice == 2) {
        victims = (n - 1) / 3 + 1;
    } else if (choice == 3) {
        victims = n;
    }
    for (uint32_t i = 0; i < victims; i++) {
        replicas_kill(&torture->trial.replicas, (first + i) % n);
    }
    pass_ms(next_random(torture) % 600);
    for (uint32_t i = 0; i < victims; i++) {
        if (!start_again(torture, (first + i) % n)) {
            return false;
        }
    }
    return true;
}

static bool rage(struct torture *torture, uint64_t seconds)
{
    uint64_t until = wall_ms() + seconds * 1000;
    int status = 0;

    while (wall_ms() < until) {
        pass_ms(200 + next_random(torture) % 2500);
        int dead = replicas_find_dead(&torture->trial.replicas, &status);
        if (dead >= 0) {
            (void)fprintf(stderr, "replica %d ended by itself, status %d\n",
                          dead, status);
            return false;
        }
        if (!strike(torture)) {
            (void)fprintf(stderr, "a replica could not be started again\n");
            return false;
        }
    }
    return true;
}

/* ---- the judgement ------------------------------------------------------- */

static bool converge(struct torture *torture)
{
    return trial_converge(&torture->trial, CONVERGE_TIMEOUT_MS);
}

/* The receipt is proved by the library; the block must be the same one. */
static bool is_there(struct torture *torture, size_t index)
{
    const struct acknowledged *expected = &torture->done[index];
    struct salus_client *client =
        torture->trial.clients[index % torture->trial.count];
    struct salus_bytes bytes = {NULL, 0};
    struct ProtobufCMessage *decoded = NULL;
    struct wire_arena arena;
    bool same = false;

    wire_arena_init(&arena, WIRE_UNPACK_BYTES_MAX);
    if (salus_receipt(client, &bytes, expected->tx_id) == SALUS_OK &&
        wire_unpack_strict(&salus__v1__receipt__descriptor,
                           (struct pbft_bytes){bytes.data, bytes.size}, &arena,
                           &decoded) == PBFT_OK) {
        const Salus__V1__Receipt *receipt = (const Salus__V1__Receipt *)decoded;
        same = receipt->outcome->block->attestation->seq == expected->seq &&
               receipt->outcome->transactions[receipt->index]->code == 0;
    }
    wire_arena_deinit(&arena);
    salus_free(&bytes);
    return same;
}

static size_t count_lost(struct torture *torture)
{
    size_t lost = 0;

    for (size_t i = 0; i < torture->done_count; i++) {
        lost += is_there(torture, i) ? 0 : 1;
    }
    return lost;
}

static bool run_in(struct torture *torture, uint64_t seconds)
{
    struct submitter submitters[SUBMITTERS];
    pthread_t threads[SUBMITTERS];

    if (trial_start(&torture->trial, START_TIMEOUT_MS) != PBFT_OK) {
        return false;
    }
    for (uint32_t i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (struct submitter){torture, i % torture->trial.count};
        if (pthread_create(&threads[i], NULL, submit, &submitters[i]) != 0) {
            abort();
        }
    }
    bool survived = rage(torture, seconds);
    torture->stop = 1;
    survived = survived && converge(torture);
    torture->stop = survived ? 1 : 2;
    for (uint32_t i = 0; i < SUBMITTERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    if (!survived || !converge(torture)) {
        return false;
    }
    size_t lost = count_lost(torture);
    (void)printf("killed %u times; %zu transactions acknowledged, %zu lost or "
                 "moved, %" PRIu64 " refused; %" PRIu64
                 " submissions repeated\n",
                 torture->kills, torture->done_count, lost, torture->refused,
                 torture->again);
    return lost == 0 && torture->refused == 0 && torture->done_count > 0;
}

static uint64_t option(int argc, char **argv, const char *name, uint64_t value)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            return strtoull(argv[i + 1], NULL, 10);
        }
    }
    return value;
}

int main(int argc, char **argv)
{
    static struct torture torture;
    char folder[] = "/tmp/salus-torture-XXXXXX";
    uint64_t seconds = option(argc, argv, "--seconds", 20);
    uint32_t replicas = (uint32_t)option(argc, argv, "--replicas", 4);
    bool keep = argc > 1 && strcmp(argv[argc - 1], "--keep") == 0;

    torture.random = option(argc, argv, "--seed", (uint64_t)time(NULL));
    (void)printf("seed %" PRIu64 "\n", torture.random);
    (void)pthread_mutex_init(&torture.lock, NULL);
    if (mkdtemp(folder) == NULL) {
        perror("/tmp");
        return 1;
    }
    bool good = trial_create(&torture.trial, folder, replicas) == PBFT_OK &&
                run_in(&torture, seconds);
    trial_close_clients(&torture.trial);
    uint32_t bad = replicas_stop_all(&torture.trial.replicas, 15000);
    if (bad > 0) {
        (void)fprintf(stderr, "%u replicas did not stop cleanly\n", bad);
        good = false;
    }
    if (!good || keep) {
        (void)printf("kept: %s\n", folder);
    } else {
        replicas_remove_folder(folder);
    }
    free(torture.done);
    (void)puts(good ? "passed" : "FAILED");
    return good ? 0 : 1;
}
