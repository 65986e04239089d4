/* SPDX-License-Identifier: Apache-2.0 */
/* What an executor does, on RocksDB: blocks of transactions through the ledger,
 * and one write for each block with its body, certificate, results and state.
 * Building the transactions is outside the measurement.
 *
 *   bench_ledger_disk FOLDER [transactions] [anchor|mix]
 *
 * The folder must not exist. CPU is that of the executing thread; what the
 * background threads of RocksDB take (flush, compaction) is told apart.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "storage/state.h"
#include "tests/support/ledger_access.h"
#include "tests/support/storage.h"

#define PER_REQUEST 64u
#define REQUESTS 16u /* In a block. */
#define WINDOW_TX 100000u
#define KNOWN 4096u
#define PATIENTS_FIRST 64u

struct ring {
    uint8_t ids[KNOWN][LEDGER_HANDLE_SIZE];
    size_t count;
};

struct bench {
    struct world *world;
    struct storage_fixture fixture;
    struct storage_state *state;
    bool is_mix;
    struct ring subjects;
    struct ring consents;
    struct ring records;  /* Of subject i at i. */
    struct ring requests; /* For record i at i. */
    double thread_seconds;
    double process_seconds;
    uint64_t body_bytes;
    uint64_t executed;
    uint64_t refused;
    uint64_t submitted_bytes;
};

static double seconds(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void remember(struct ring *ring, const void *id, size_t size)
{
    memcpy(ring->ids[ring->count++ % KNOWN], id, size);
}

static const uint8_t *some(struct bench *bench, const struct ring *ring)
{
    size_t known = ring->count < KNOWN ? ring->count : KNOWN;
    return known == 0 ? NULL : ring->ids[world_random(bench->world) % known];
}

/* ---- transactions -------------------------------------------------------- */

static struct transaction_bytes make_anchor(struct bench *bench)
{
    struct world_ids ids;
    struct transaction in = world_anchor(bench->world, &ids);
    const uint8_t *subject = some(bench, &bench->subjects);
    if (subject != NULL) {
        in.record_anchor.subject = bytes_of(subject, LEDGER_HANDLE_SIZE);
    }
    if (bench->is_mix) {
        remember(&bench->records, ids.id, LEDGER_ID_SIZE);
    }
    return world_build(bench->world, HOSPITAL, &in);
}

static struct transaction_bytes make_subject(struct bench *bench)
{
    struct world_ids ids;
    struct transaction in = world_subject(bench->world, &ids);
    struct transaction_bytes body = world_build(bench->world, HOSPITAL, &in);
    remember(&bench->subjects, ids.handle, LEDGER_HANDLE_SIZE);
    return body;
}

static struct transaction_bytes make_consent(struct bench *bench)
{
    struct world_ids ids;
    struct transaction in = world_grant(bench->world, &ids);
    size_t last = bench->subjects.count - 1;
    in.consent_grant.subject = /* One or two for each patient. */
        bytes_of(bench->subjects.ids[last % KNOWN], LEDGER_HANDLE_SIZE);
    remember(&bench->consents, ids.id, LEDGER_ID_SIZE);
    return world_build(bench->world, HOSPITAL, &in);
}

static struct transaction_bytes make_revoke(struct bench *bench)
{
    struct transaction in =
        world_revoke(bench->world, some(bench, &bench->consents));
    return world_build(bench->world, HOSPITAL, &in);
}

static struct transaction_bytes make_access(struct bench *bench)
{
    struct asked asked;
    const struct act act = {.who = HOSPITAL};
    ask_for(bench->world, &asked, some(bench, &bench->records));
    remember(&bench->requests, asked.id, LEDGER_ID_SIZE);
    return act_body(bench->world, &act, TRANSACTION_ACCESS_REQUEST,
                    &asked.in.base);
}

static struct transaction_bytes make_disclosure(struct bench *bench)
{
    struct told told;
    const struct act act = {.who = HOSPITAL};
    tell_of(bench->world, &told, NULL);
    told.in.subject = field_of(some(bench, &bench->subjects), 32);
    told.in.basis = CODES_BASIS_REQUIRED_BY_LAW;
    told.in.document_commit = field_of(told.document, 32);
    return act_body(bench->world, &act, TRANSACTION_DISCLOSURE, &told.in.base);
}

/* A hospital's day: half of it new documents, then patients with consents,
 * questions and disclosures, now and then a withdrawal. */
static struct transaction_bytes make_one(struct bench *bench)
{
    uint64_t kind = world_random(bench->world) % 100;
    if (bench->subjects.count < PATIENTS_FIRST) {
        return make_subject(bench);
    }
    if (!bench->is_mix || kind < 50) {
        return make_anchor(bench);
    }
    if (kind < 62 || bench->consents.count == 0) {
        return bench->subjects.count > bench->consents.count
                   ? make_consent(bench)
                   : make_subject(bench);
    }
    if (kind < 74) {
        return make_consent(bench);
    }
    if (kind < 77) {
        return make_revoke(bench);
    }
    return kind < 88 && bench->records.count > 0 ? make_access(bench)
                                                 : make_disclosure(bench);
}

/* ---- blocks -------------------------------------------------------------- */

static struct transaction_bytes make_payload(struct bench *bench)
{
    struct transaction_bytes sealed[PER_REQUEST];
    struct pbft_bytes list[PER_REQUEST];
    struct transaction_bytes payload = {NULL, 0};
    for (size_t i = 0; i < PER_REQUEST; i++) {
        struct transaction_bytes body = make_one(bench);
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

/* The block as replicas store it: real requests, a certificate. */
static struct pbft_message *make_block(struct bench *bench, pbft_seq seq)
{
    struct cast *cast = &bench->fixture.cast;
    struct party *party = &bench->world->parties[HOSPITAL];
    const struct pbft_message *requests[REQUESTS];
    const pbft_replica_id signers[3] = {0, 1, 2};
    for (size_t i = 0; i < REQUESTS; i++) {
        struct transaction_bytes payload = make_payload(bench);
        const struct pbft_request fields = {
            .client = party->submit_key,
            .institution = party->institution,
            .session = party->session,
            .sequence = party->next_sequence++,
            .payload = bytes_of(payload.data, payload.size),
        };
        struct pbft_message *request = pbft_request_create(
            &cast->client.domain, &fields, PBFT_SENDER_CLIENT, NULL);
        assert_non_null(request);
        bench->submitted_bytes += payload.size;
        requests[i] = request;
        free(payload.data);
    }
    bench->world->now_ms += 20;
    struct pbft_message *batch =
        pbft_batch_create(&cast->replicas[0].domain,
                          bench->world->now_ms * 1000, requests, REQUESTS);
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
static void execute_block(struct bench *bench,
                          const struct pbft_message *committed)
{
    const struct pbft_pre_prepare *header =
        &committed->committed.pre_prepare->pre_prepare;
    const struct pbft_batch *batch = &header->body->batch;
    struct ledger_request requests[REQUESTS];
    struct ledger_block_result result;
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
    double thread = seconds(CLOCK_THREAD_CPUTIME_ID);
    double process = seconds(CLOCK_PROCESS_CPUTIME_ID);
    assert_int_equal(ledger_execute(bench->world->ledger, &block, &result),
                     PBFT_OK);
    size_t size = results_encoded_size(&result.block);
    uint8_t *results = malloc(size);
    assert_non_null(results);
    results_encode(results, &result.block);
    const struct storage_block written = {
        .committed = committed,
        .executed = {.seq = block.seq,
                     .block_time = result.block.time,
                     .block_digest = block.block_digest,
                     .results_root = result.results_root,
                     .ledger_root = result.ledger_root},
        .results = bytes_of(results, size),
    };
    assert_int_equal(
        storage_block_write(bench->fixture.storage, &written, bench->state),
        PBFT_OK);
    bench->thread_seconds += seconds(CLOCK_THREAD_CPUTIME_ID) - thread;
    bench->process_seconds += seconds(CLOCK_PROCESS_CPUTIME_ID) - process;
    bench->executed += result.transaction_count;
    bench->refused += result.refused_count;
    free(results);
}

/* ---- the whole ----------------------------------------------------------- */

static void open_bench(struct bench *bench, const char *folder)
{
    struct world *world = world_create_empty(3);
    bench->world = world;
    world->genesis.session_window = LEDGER_SESSION_WINDOW_MAX;
    ledger_destroy(world->ledger);
    cast_init(&bench->fixture.cast, 4);
    (void)snprintf(bench->fixture.dir, sizeof bench->fixture.dir, "%s", folder);
    fixture_open(&bench->fixture);
    bench->state = storage_state_create(bench->fixture.storage);
    assert_non_null(bench->state);
    assert_int_equal(ledger_create(&world->ledger,
                                   storage_state_kv(bench->state),
                                   &world->genesis),
                     PBFT_OK);
    storage_state_gather(bench->state);
}

static void close_bench(struct bench *bench)
{
    ledger_destroy(bench->world->ledger);
    bench->world->ledger = NULL;
    storage_state_destroy(bench->state);
    fixture_close(&bench->fixture);
    world_destroy(bench->world);
}

/* Reopens, so that everything is in files. */
static void print_size(struct bench *bench)
{
    struct storage_stats stats;
    fixture_open(&bench->fixture);
    storage_stats(bench->fixture.storage, &stats);
    printf("on disk: %.0f bytes a transaction (%.0f of them its own bytes)\n",
           (double)stats.disk_bytes / (double)bench->executed,
           (double)bench->submitted_bytes / (double)bench->executed);
    fixture_close(&bench->fixture);
}

static double rate(uint64_t count, double took)
{
    return took > 0 ? (double)count / took : 0;
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
    bench->is_mix = argc > 3 && strcmp(argv[3], "mix") == 0;
    open_bench(bench, argv[1]);
    double first = 0;
    double last = 0;
    uint64_t mark = 0;
    double mark_seconds = 0;
    for (pbft_seq seq = 1; bench->executed < total; seq++) {
        struct pbft_message *block = make_block(bench, seq);
        execute_block(bench, block);
        pbft_message_unref(block);
        if (bench->executed - mark >= WINDOW_TX) {
            double took = bench->thread_seconds - mark_seconds;
            last = took / (double)(bench->executed - mark);
            first = first == 0 ? last : first;
            mark = bench->executed;
            mark_seconds = bench->thread_seconds;
        }
    }
    printf("%s: transactions=%llu refused=%llu body_bytes_mean=%.0f "
           "submitted_bytes_mean=%.0f\n",
           bench->is_mix ? "mix" : "anchor",
           (unsigned long long)bench->executed,
           (unsigned long long)bench->refused,
           (double)bench->body_bytes / (double)bench->executed,
           (double)bench->submitted_bytes / (double)bench->executed);
    printf("executing thread: %.0f transactions/s (%.2f us each); with the "
           "background threads of RocksDB: %.0f/s\n",
           rate(bench->executed, bench->thread_seconds),
           1e6 * bench->thread_seconds / (double)bench->executed,
           rate(bench->executed, bench->process_seconds));
    printf("last %u against the first %u: %.2f times\n", WINDOW_TX, WINDOW_TX,
           first > 0 ? last / first : 0);
    close_bench(bench); /* Flushes what is in memory. */
    print_size(bench);
    free(bench);
    return 0;
}
