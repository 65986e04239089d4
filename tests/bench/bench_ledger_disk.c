/* SPDX-License-Identifier: Apache-2.0 */
/* What an executor does, on RocksDB: blocks of transactions through the ledger,
 * and one write for each block with its body, certificate, results and state.
 * Building the transactions is outside the measurement.
 *
 *   bench_ledger_disk FOLDER [transactions] [anchor|mix]
 *
 * The folder must not exist. Every figure is CPU time, user and system: that of
 * the executing thread, and beside it that of the threads of RocksDB (flush,
 * compaction) from the first block to the last. The first 4,096 transactions
 * register patients and do not count.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "storage/state.h"
#include "tests/bench/bench_transactions.h"
#include "tests/support/storage.h"

#define PER_REQUEST 64u
#define REQUESTS 16u /* In a block. */
#define WINDOW_TX 100000u
#define LETTERS 256

struct rows {
    uint64_t count;
    uint64_t bytes; /* Of keys and values. */
};

struct bench {
    struct maker maker;
    struct storage_fixture fixture;
    struct storage_state *state;
    const struct ledger_kv *inner;
    struct ledger_kv kv; /* Counts rows on their way to `inner`. */
    struct rows rows[LEDGER_SPACE_COUNT][LETTERS];
    double thread_seconds; /* Executing. */
    double wall_seconds;
    struct pbft_digest root; /* After the last block. */
    uint64_t results_bytes;
    uint64_t executed;
    uint64_t refused;
    uint64_t body_bytes;
    uint64_t submitted_bytes;
};

static double seconds(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* All threads but this one. */
static double other_threads(void)
{
    return seconds(CLOCK_PROCESS_CPUTIME_ID) - seconds(CLOCK_THREAD_CPUTIME_ID);
}

static enum pbft_status
count_rows(void *context, const struct ledger_kv_write *writes, size_t count)
{
    struct bench *bench = context;
    for (size_t i = 0; i < count; i++) {
        struct rows *rows =
            &bench->rows[writes[i].space][writes[i].key.data[0]];
        rows->count++;
        rows->bytes += writes[i].key.size + writes[i].value.size;
    }
    return bench->inner->apply(bench->inner->context, writes, count);
}

static enum pbft_status get(void *context, enum ledger_space space,
                            struct pbft_bytes key, uint8_t *out,
                            size_t capacity, size_t *size)
{
    const struct bench *bench = context;
    return bench->inner->get(bench->inner->context, space, key, out, capacity,
                             size);
}

static enum pbft_status get_many(void *context, enum ledger_space space,
                                 const struct pbft_bytes *keys, size_t count,
                                 ledger_kv_told *told, void *visitor)
{
    const struct bench *bench = context;
    return bench->inner->get_many(bench->inner->context, space, keys, count,
                                  told, visitor);
}

static enum pbft_status range(void *context, enum ledger_space space,
                              const struct ledger_kv_range *range,
                              ledger_kv_visit *visit, void *visitor)
{
    const struct bench *bench = context;
    return bench->inner->range(bench->inner->context, space, range, visit,
                               visitor);
}

/* ---- blocks -------------------------------------------------------------- */

typedef struct transaction_bytes make_transaction(struct maker *maker);

static struct transaction_bytes make_payload(struct bench *bench,
                                             make_transaction *make)
{
    struct transaction_bytes sealed[PER_REQUEST];
    struct pbft_bytes list[PER_REQUEST];
    struct transaction_bytes payload = {NULL, 0};
    for (size_t i = 0; i < PER_REQUEST; i++) {
        struct transaction_bytes body = make(&bench->maker);
        bench->body_bytes += body.size;
        assert_int_equal(transaction_seal(&sealed[i],
                                          bytes_of(body.data, body.size), NULL,
                                          0),
                         PBFT_OK);
        list[i] = bytes_of(sealed[i].data, sealed[i].size);
        free(body.data);
    }
    assert_int_equal(transaction_list_pack(&payload, list, PER_REQUEST),
                     PBFT_OK);
    for (size_t i = 0; i < PER_REQUEST; i++) {
        free(sealed[i].data);
    }
    return payload;
}

static struct pbft_message *make_request(struct bench *bench,
                                         make_transaction *make)
{
    struct party *party = &bench->maker.world->parties[HOSPITAL];
    struct transaction_bytes payload = make_payload(bench, make);
    const struct pbft_request fields = {
        .client = party->submit_key,
        .institution = party->institution,
        .session = party->session,
        .sequence = party->next_sequence++,
        .payload = bytes_of(payload.data, payload.size),
    };
    struct pbft_message *request = pbft_request_create(
        &bench->fixture.cast.client.domain, &fields, PBFT_SENDER_CLIENT, NULL);
    assert_non_null(request);
    bench->submitted_bytes += payload.size;
    free(payload.data);
    return request;
}

/* The block as replicas store it: real requests, a certificate. */
static struct pbft_message *make_block(struct bench *bench, pbft_seq seq,
                                       make_transaction *make)
{
    struct cast *cast = &bench->fixture.cast;
    struct world *world = bench->maker.world;
    const struct pbft_message *requests[REQUESTS];
    const pbft_replica_id signers[3] = {0, 1, 2};
    for (size_t i = 0; i < REQUESTS; i++) {
        requests[i] = make_request(bench, make);
    }
    world->now_ms += 20;
    struct pbft_message *batch = pbft_batch_create(
        &cast->replicas[0].domain, world->now_ms * 1000, requests, REQUESTS);
    assert_non_null(batch);
    struct pbft_message *header = cast_pre_prepare(cast, 0, seq, batch);
    struct pbft_message *committed =
        cast_certificate(cast, PBFT_MESSAGE_COMMITTED, header, signers, 3);
    for (size_t i = 0; i < REQUESTS; i++) {
        pbft_message_unref(requests[i]);
    }
    pbft_message_unref(batch);
    pbft_message_unref(header);
    return committed;
}

/* As node/executor.c does. */
static void execute_and_write(struct bench *bench,
                              const struct pbft_message *committed,
                              struct ledger_block_result *result)
{
    const struct pbft_pre_prepare *header =
        &committed->committed.pre_prepare->pre_prepare;
    const struct pbft_batch *batch = &header->body->batch;
    struct ledger_request requests[REQUESTS];
    for (size_t i = 0; i < REQUESTS; i++) {
        const struct pbft_request *from = &batch->requests[i]->request;
        requests[i] = (struct ledger_request){.digest = from->digest,
                                              .client = from->client,
                                              .institution = from->institution,
                                              .session = from->session,
                                              .sequence = from->sequence,
                                              .payload = from->payload};
    }
    const struct ledger_block block = {.seq = header->seq,
                                       .proposed_time = batch->time,
                                       .block_digest = header->digest,
                                       .requests = requests,
                                       .request_count = REQUESTS};
    assert_int_equal(ledger_execute(bench->maker.world->ledger, &block, result),
                     PBFT_OK);
    size_t size = results_encoded_size(&result->block);
    uint8_t *results = malloc(size);
    assert_non_null(results);
    results_encode(results, &result->block);
    const struct storage_block written = {
        .committed = committed,
        .executed = {.seq = block.seq,
                     .block_time = result->block.time,
                     .block_digest = block.block_digest,
                     .results_root = result->results_root,
                     .ledger_root = result->ledger_root},
        .results = bytes_of(results, size),
    };
    assert_int_equal(
        storage_block_write(bench->fixture.storage, &written, bench->state),
        PBFT_OK);
    bench->root = result->ledger_root;
    bench->results_bytes += size;
    free(results);
}

static void run_block(struct bench *bench, pbft_seq seq, make_transaction *make)
{
    struct ledger_block_result result;
    struct pbft_message *block = make_block(bench, seq, make);
    double thread = seconds(CLOCK_THREAD_CPUTIME_ID);
    double wall = seconds(CLOCK_MONOTONIC);
    execute_and_write(bench, block, &result);
    bench->thread_seconds += seconds(CLOCK_THREAD_CPUTIME_ID) - thread;
    bench->wall_seconds += seconds(CLOCK_MONOTONIC) - wall;
    bench->executed += result.transaction_count;
    bench->refused += result.refused_count;
    pbft_message_unref(block);
}

/* ---- the whole ----------------------------------------------------------- */

static void open_bench(struct bench *bench, const char *folder)
{
    struct world *world = world_create_empty(3);
    bench->maker.world = world;
    world->genesis.session_window = LEDGER_SESSION_WINDOW_MAX;
    ledger_destroy(world->ledger);
    cast_init(&bench->fixture.cast, 4);
    (void)snprintf(bench->fixture.dir, sizeof bench->fixture.dir, "%s", folder);
    fixture_open(&bench->fixture);
    bench->state = storage_state_create(bench->fixture.storage);
    assert_non_null(bench->state);
    bench->inner = storage_state_kv(bench->state);
    bench->kv = (struct ledger_kv){bench, get, get_many, range, count_rows};
    assert_int_equal(ledger_create(&world->ledger, &bench->kv, &world->genesis),
                     PBFT_OK);
    storage_state_gather(bench->state);
}

static void close_bench(struct bench *bench)
{
    ledger_destroy(bench->maker.world->ledger);
    bench->maker.world->ledger = NULL;
    storage_state_destroy(bench->state);
    fixture_close(&bench->fixture);
    world_destroy(bench->maker.world);
}

/* Patients first, who do not count. */
static pbft_seq register_patients(struct bench *bench)
{
    pbft_seq seq = 0;
    while (bench->maker.subjects.count < KNOWN) {
        run_block(bench, ++seq, make_subject);
    }
    assert_int_equal(bench->refused, 0);
    bench->thread_seconds = 0;
    bench->wall_seconds = 0;
    bench->executed = 0;
    bench->results_bytes = 0;
    bench->body_bytes = 0;
    bench->submitted_bytes = 0;
    memset(bench->rows, 0, sizeof bench->rows);
    settle_anchor_size(&bench->maker);
    return seq;
}

static void print_rows(const struct bench *bench)
{
    static const char *const spaces[LEDGER_SPACE_COUNT] = {
        [LEDGER_SPACE_STATE] = "state",
        [LEDGER_SPACE_INDEX] = "index",
        [LEDGER_SPACE_CLIENT] = "client",
        [LEDGER_SPACE_THINGS] = "things",
        [LEDGER_SPACE_DUE] = "due"};
    const double count = (double)bench->executed;
    printf("written for each, keys and values as they are:\n");
    printf("  %6.1f  the transaction in the body of its block\n",
           (double)bench->submitted_bytes / count);
    printf("  %6.1f  its result\n", (double)bench->results_bytes / count);
    for (size_t space = 0; space < LEDGER_SPACE_COUNT; space++) {
        for (int letter = 0; letter < LETTERS; letter++) {
            const struct rows *rows = &bench->rows[space][letter];
            if (rows->count > 0) {
                printf("  %6.1f  %s '%c', %.3f rows\n",
                       (double)rows->bytes / count, spaces[space],
                       isgraph(letter) ? letter : '-',
                       (double)rows->count / count);
            }
        }
    }
}

/* Reopens, so that everything is in files. */
static void print_size(struct bench *bench)
{
    struct storage_stats stats;
    fixture_open(&bench->fixture);
    storage_stats(bench->fixture.storage, &stats);
    printf("on disk: %.0f bytes for each\n",
           (double)stats.disk_bytes / (double)bench->executed);
    fixture_close(&bench->fixture);
}

/* The same from two builds that did the same. */
static void print_root(const struct bench *bench)
{
    printf("ledger root: ");
    for (size_t i = 0; i < sizeof bench->root.bytes; i++) {
        printf("%02x", bench->root.bytes[i]);
    }
    printf("\n");
}

static void print_time(const char *what, double took, uint64_t count)
{
    printf("%-34s %6.2f us each, %7.0f/s\n", what, 1e6 * took / (double)count,
           (double)count / took);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_ledger_disk FOLDER [transactions] "
                        "[anchor|mix]\n");
        return 2;
    }
    struct bench *bench = calloc(1, sizeof *bench);
    uint64_t total = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    assert_non_null(bench);
    bench->maker.is_mix = argc > 3 && strcmp(argv[3], "mix") == 0;
    open_bench(bench, argv[1]);
    pbft_seq seq = register_patients(bench);
    double others = other_threads();
    double first = 0;
    double last = 0;
    uint64_t mark = 0;
    double mark_seconds = 0;
    while (bench->executed < total) {
        run_block(bench, ++seq, make_one);
        if (bench->executed - mark >= WINDOW_TX) {
            double took = bench->thread_seconds - mark_seconds;
            last = 1e6 * took / (double)(bench->executed - mark);
            first = first > 0 ? first : last;
            mark = bench->executed;
            mark_seconds = bench->thread_seconds;
        }
    }
    others = other_threads() - others;
    printf("%s: %llu transactions of %.0f bytes, %llu refused\n",
           bench->maker.is_mix ? "mix" : "RecordAnchor of 256 bytes",
           (unsigned long long)bench->executed,
           (double)bench->body_bytes / (double)bench->executed,
           (unsigned long long)bench->refused);
    print_time("executing thread:", bench->thread_seconds, bench->executed);
    print_time("with RocksDB's threads:", bench->thread_seconds + others,
               bench->executed);
    print_time("wall clock of the executing thread:", bench->wall_seconds,
               bench->executed);
    printf("first %u: %.2f us each, last %u: %.2f us each, %.2f times\n",
           WINDOW_TX, first, WINDOW_TX, last, first > 0 ? last / first : 0);
    print_rows(bench);
    print_root(bench);
    close_bench(bench); /* Flushes what is in memory. */
    print_size(bench);
    free(bench);
    return 0;
}
