/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers the records of many outputs into one synced write. */
#include "node/log_writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "consensus/assert.h"
#include "node/clock.h"
#include "node/limits.h"
#include "node/thread.h"

#define CAPACITY_FIRST 256

/* One of the two buffers. */
struct pending {
    struct pbft_record *records;
    size_t count;
    size_t capacity;
    struct pbft_attested *proofs;
    size_t proof_count;
    size_t proof_capacity;
    pbft_time_ms proofs_due_ms; /* With records or without, if there are any. */
    bool has_ticket;
    pbft_ticket ticket;  /* The last one in here. */
    pbft_seq stable_seq; /* If not 0: truncate after writing. */
};

struct log_writer {
    struct storage *storage;
    struct log_writer_sink sink;
    pthread_t thread;
    pthread_mutex_t lock; /* Guards `gathering` and `stopping`. */
    pthread_cond_t changed;
    struct pending gathering;
    bool stopping;
    /* For the thread alone, but others look for proofs in it: these change
     * under the lock. */
    struct pending writing;
};

/* Room for one more of `size` bytes. */
static void *make_room(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity) {
        return array;
    }
    *capacity = *capacity != 0 ? 2 * *capacity : CAPACITY_FIRST;
    PBFT_ASSERT(*capacity <= 2 * STORAGE_APPEND_RECORDS_MAX);
    void *grown = realloc(array, *capacity * size);
    PBFT_ASSERT(grown != NULL);
    return grown;
}

static void pending_add(struct pending *pending,
                        const struct pbft_record *record)
{
    pending->records = make_room(pending->records, pending->count,
                                 &pending->capacity, sizeof *pending->records);
    pending->records[pending->count] = *record;
    pending->records[pending->count].message =
        pbft_message_ref(record->message);
    pending->count++;
}

static void pending_add_proof(struct pending *pending,
                              const struct pbft_attested *attested)
{
    pending->proofs =
        make_room(pending->proofs, pending->proof_count,
                  &pending->proof_capacity, sizeof *pending->proofs);
    pending->proofs[pending->proof_count++] = (struct pbft_attested){
        .seq = attested->seq, .proof = pbft_message_ref(attested->proof)};
}

static void pending_clear_proofs(struct pending *pending)
{
    for (size_t i = 0; i < pending->proof_count; i++) {
        pbft_message_unref(pending->proofs[i].proof);
    }
    pending->proof_count = 0;
}

static void pending_clear(struct pending *pending)
{
    PBFT_ASSERT(pending->proof_count == 0);
    for (size_t i = 0; i < pending->count; i++) {
        pbft_message_unref(pending->records[i].message);
    }
    pending->count = 0;
    pending->has_ticket = false;
    pending->stable_seq = 0;
}

static bool pending_is_empty(const struct pending *pending)
{
    return !pending->has_ticket && pending->stable_seq == 0 &&
           pending->proof_count == 0;
}

/* When it is to be written. */
static pbft_time_ms pending_due_ms(const struct pending *pending)
{
    if (pending->has_ticket || pending->stable_seq != 0) {
        return 0;
    }
    return pending->proof_count > 0 ? pending->proofs_due_ms : PBFT_TIME_NEVER;
}

/* The last one of `seq`; NULL if there is none. */
static const struct pbft_message *find_proof(const struct pending *pending,
                                             pbft_seq seq)
{
    const struct pbft_message *found = NULL;
    for (size_t i = 0; i < pending->proof_count; i++) {
        if (pending->proofs[i].seq == seq) {
            found = pending->proofs[i].proof;
        }
    }
    return found;
}

static enum pbft_status write_out(struct log_writer *writer)
{
    struct pending *pending = &writer->writing;
    enum pbft_status status = PBFT_OK;
    if (pending->count + pending->proof_count > 0) {
        status = storage_log_append_proved(writer->storage, pending->records,
                                           pending->count, pending->proofs,
                                           pending->proof_count);
    }
    if (status == PBFT_OK && pending->has_ticket) {
        writer->sink.durable(writer->sink.context, pending->ticket);
    }
    if (status == PBFT_OK && pending->stable_seq != 0) {
        status = storage_log_truncate(writer->storage, pending->stable_seq);
    }
    return status;
}

/* Ends the last batch, waits for work and swaps the buffers; false: there is
 * none and never will be. */
static bool next_batch(struct log_writer *writer)
{
    (void)pthread_mutex_lock(&writer->lock);
    pending_clear_proofs(&writer->writing);
    pending_clear(&writer->writing);
    while (!writer->stopping) {
        const pbft_time_ms due_ms = pending_due_ms(&writer->gathering);
        if (due_ms == 0 || clock_now_ms() >= due_ms) {
            break;
        }
        clock_condition_wait(&writer->changed, &writer->lock, due_ms);
    }
    bool more = !pending_is_empty(&writer->gathering);
    struct pending swapped = writer->gathering;
    writer->gathering = writer->writing;
    writer->writing = swapped;
    (void)pthread_mutex_unlock(&writer->lock);
    return more;
}

static void *run(void *context)
{
    struct log_writer *writer = context;
    enum pbft_status status = PBFT_OK;
    thread_name("log-writer");
    while (next_batch(writer)) {
        if (status == PBFT_OK) {
            status = write_out(writer);
            if (status != PBFT_OK) {
                writer->sink.failed(writer->sink.context, status);
            }
        }
    }
    return NULL;
}

struct log_writer *log_writer_create(struct storage *storage,
                                     const struct log_writer_sink *sink)
{
    struct log_writer *writer = calloc(1, sizeof *writer);
    PBFT_ASSERT(writer != NULL);
    writer->storage = storage;
    writer->sink = *sink;
    (void)pthread_mutex_init(&writer->lock, NULL);
    clock_condition_init(&writer->changed);
    int failed = pthread_create(&writer->thread, NULL, run, writer);
    PBFT_ASSERT(failed == 0);
    return writer;
}

void log_writer_destroy(struct log_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    (void)pthread_cond_signal(&writer->changed);
    (void)pthread_mutex_unlock(&writer->lock);
    (void)pthread_join(writer->thread, NULL);
    PBFT_ASSERT(pending_is_empty(&writer->gathering));
    free(writer->gathering.records);
    free(writer->gathering.proofs);
    free(writer->writing.records);
    free(writer->writing.proofs);
    (void)pthread_mutex_destroy(&writer->lock);
    (void)pthread_cond_destroy(&writer->changed);
    free(writer);
}

static void append(void *context, pbft_ticket ticket,
                   const struct pbft_record *records, size_t count)
{
    struct log_writer *writer = context;
    (void)pthread_mutex_lock(&writer->lock);
    for (size_t i = 0; i < count; i++) {
        pending_add(&writer->gathering, &records[i]);
    }
    writer->gathering.ticket = ticket;
    writer->gathering.has_ticket = true;
    (void)pthread_cond_signal(&writer->changed);
    (void)pthread_mutex_unlock(&writer->lock);
}

static void truncate_log(void *context, pbft_seq stable_seq)
{
    struct log_writer *writer = context;
    (void)pthread_mutex_lock(&writer->lock);
    writer->gathering.stable_seq = stable_seq;
    (void)pthread_cond_signal(&writer->changed);
    (void)pthread_mutex_unlock(&writer->lock);
}

void log_writer_put_proof(struct log_writer *writer,
                          const struct pbft_attested *attested)
{
    struct pending *gathering = &writer->gathering;
    (void)pthread_mutex_lock(&writer->lock);
    pending_add_proof(gathering, attested);
    if (gathering->proof_count == 1) {
        gathering->proofs_due_ms = clock_now_ms() + NODE_PROOF_WAIT_MS;
        (void)pthread_cond_signal(&writer->changed);
    }
    (void)pthread_mutex_unlock(&writer->lock);
}

const struct pbft_message *log_writer_proof(struct log_writer *writer,
                                            pbft_seq seq)
{
    (void)pthread_mutex_lock(&writer->lock);
    const struct pbft_message *found = find_proof(&writer->gathering, seq);
    if (found == NULL) {
        found = find_proof(&writer->writing, seq);
    }
    if (found != NULL) {
        found = pbft_message_ref(found);
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return found;
}

struct pbft_log log_writer_vtable(struct log_writer *writer)
{
    return (struct pbft_log){
        .context = writer, .append = append, .truncate = truncate_log};
}
